"""The proof that each assignment works, whatever its subject."""

import os
import sys

import nbformat
import pytest

from grader.grade import Student, grade
from grader.master import checker
from grader.question import Assignment, every_assignment
from grader.sandbox import Limits, available
from grader.student import Leak, versions, without_solutions

PATIENT = Limits(cell=60, call=60, total=6000, talk=10**10)
HASTY = Limits(cell=60, call=2, total=6000, talk=10**10)  # some wrong answers hang
TIMES = int(os.environ.get("GRADINGS", 3))

pytestmark = pytest.mark.parametrize("name", every_assignment())


@pytest.fixture
def assignment(name):
    return Assignment(name)


@pytest.fixture(scope="module")
def sandbox():
    if reason := available():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


def cells(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def failed(result):
    return {test["test"] for test in result["tests"] if not test["passed"]}


def again(student, sources):
    """Run cells in a sandbox that lives: our own answers need no new one each."""
    student.prepare()
    student.cells, student.skipped = sources, [set() for _ in sources]
    for source in sources:
        errors = student.sandbox.ask({"cell": source, "skip": []}, 20)
        assert not errors


def test_the_solution_gets_full_marks_with_whatever_inputs(assignment, sandbox):
    _, solution = versions(assignment)
    with Student(cells(solution), PATIENT) as student:
        for _ in range(TIMES):
            result = grade(assignment, student)
            whys = [(test["test"], test["why"]) for test in result["tests"] if not test["passed"]]
            assert not whys, result["seed"]
        assert not student.notes


def test_the_notebook_that_students_get_scores_nothing(assignment, sandbox):
    empty, _ = versions(assignment)
    with Student(cells(empty), PATIENT) as student:
        assert not any(test["passed"] for test in grade(assignment, student)["tests"])


def test_a_wrong_answer_fails_its_tests_and_no_others(assignment, sandbox):
    _, solution = versions(assignment)
    surprises = {}
    with Student(cells(solution), HASTY) as hasty, Student(cells(solution), PATIENT) as patient:
        for wrong in assignment.wrong_answers():
            for student in hasty, patient:
                again(student, [*cells(solution), wrong.code])
                found = failed(grade(assignment, student, seed=2026))
                if found == wrong.fails:
                    break
            else:
                surprises[wrong.name] = {"passed": wrong.fails - found, "failed": found - wrong.fails}
    assert not surprises


def test_every_test_is_failed_by_a_wrong_answer(assignment):
    names = [test.name for question in assignment.questions for test in question.tests]
    assert len(names) == len(set(names))
    assert set(names) == set().union(*(wrong.fails for wrong in assignment.wrong_answers()))


def test_every_question_has_hints_and_a_public_case(assignment):
    for question in assignment.questions:
        assert question.manual or (question.public and question.tests)
        assert all(test.hint for test in question.tests)


def test_each_question_is_announced_with_its_points(assignment):
    text = "\n".join(cell.source for cell in versions(assignment)[0].cells)
    for question in assignment.questions:
        assert f"## {question.name}. {question.title} ({question.points} points" in text


def test_the_public_checks_pass_on_the_solution_and_wait_on_the_stub(assignment, capsys):
    empty, solution = versions(assignment)
    for notebook, words in (solution, "the public check passes"), (empty, "yet"):
        exec("\n\n".join(cells(notebook)), {})
        said = capsys.readouterr().out.split("\nq")
        asked = [question for question in assignment.questions if question.public]
        assert len(said) == len(asked)
        assert all(words in part for part in said)


def test_it_needs_nothing_but_numpy(assignment):
    for notebook in versions(assignment):
        for source in cells(notebook):
            lines = [line.strip() for line in source.splitlines()]
            imports = [line for line in lines if line.startswith(("import ", "from "))]
            assert {line.split()[1] for line in imports} <= {"numpy"} | sys.stdlib_module_names


def test_a_solution_that_would_leak_is_refused(assignment, monkeypatch):
    master = nbformat.read(assignment.notebook, as_version=4)
    solved = next(cell for cell in master.cells if "BEGIN SOLUTION" in cell.source and cell.cell_type == "code")
    line = solved.source.split("### BEGIN SOLUTION\n")[1].splitlines()[0].strip()
    master.cells.append(nbformat.v4.new_markdown_cell(f"Hint: `{line}`"))
    monkeypatch.setattr(nbformat, "read", lambda *_, **__: master)
    with pytest.raises(Leak):
        versions(assignment)
    master.cells[-1].source = "### BEGIN SOLUTION\n"
    with pytest.raises(Leak):
        versions(assignment)


def test_the_master_checks_with_the_same_text(assignment, capsys):
    space = {}
    checker(assignment.name, space)
    space["check"](assignment.questions[0].name)
    assert "yet" in capsys.readouterr().out
    assert without_solutions("x = 1") == "x = 1"
