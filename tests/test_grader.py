"""Nothing that a notebook holds gains a mark, harms another notebook, or stops the run."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
import torch
from hostile import ALL_ANSWERS, ANSWER, ATTACKS, CHEATS, COST_ONE_QUESTION, FORGERIES, OTHER_ANSWER

from grader import canary
from grader import sandbox as sandbox_module
from grader.__main__ import file_name, grade_folder, report
from grader.folder import submissions
from grader.grade import Student
from grader.question import ASSIGNMENTS, Assignment
from grader.sandbox import Broken, Failed, Limits, available
from grader.student import versions

ASSIGNMENT = "01_introduction"


@pytest.fixture(scope="module", autouse=True)
def sandbox():
    if reason := available():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def assignment():
    return Assignment(ASSIGNMENT)


@pytest.fixture(scope="module")
def solution(assignment):
    return versions(assignment)[1]


def save(path, sources, kind=nbformat.v4.new_code_cell):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[kind(source) for source in sources]), path)


@pytest.fixture(scope="module")
def graded(assignment, solution, tmp_path_factory):
    """A class of hostile notebooks, with an honest one at either end."""
    folder = tmp_path_factory.mktemp("class") / "submissions"
    for name in "aa honest", "zz honest":
        (folder / name).mkdir(parents=True)
        nbformat.write(solution, folder / name / "x.ipynb")
    for answers, attacks in (ALL_ANSWERS, CHEATS), (OTHER_ANSWER, FORGERIES), (ANSWER, ATTACKS):
        for name, attack in attacks.items():
            save(folder / f"{name}.ipynb", [answers, attack.replace("PLACE", str(folder))])
    for name, attack in COST_ONE_QUESTION.items():
        sources = [cell.source for cell in solution.cells if cell.cell_type == "code"]
        save(folder / f"{name}.ipynb", [*sources, attack])
    before = {path: path.read_bytes() for path in folder.rglob("*.ipynb")}
    found = list(submissions(folder, assignment.name))
    results = grade_folder(assignment, found, folder.parent / "out", Limits(cell=1, call=1), jobs=3)
    report(assignment, results, folder.parent / "out")
    assert {path: path.read_bytes() for path in folder.rglob("*.ipynb")} == before
    return folder.parent / "out", {result["student"]: result for result in results}


def scores(result):
    questions = {test["question"]: 0 for test in result["tests"]}
    for test in result["tests"]:
        questions[test["question"]] += test["points"] * test["passed"]
    return questions


def full(assignment):
    return {question.name: question.points for question in assignment.questions if question.tests}


@pytest.mark.parametrize("name", [*CHEATS, *FORGERIES, *ATTACKS])
def test_gains_nothing(graded, name):
    assert not any(scores(graded[1][name]).values())


@pytest.mark.parametrize("name", COST_ONE_QUESTION)
def test_costs_one_question(graded, assignment, name):
    expected = full(assignment)
    expected["q1"] = 0
    assert scores(graded[1][name]) == expected


@pytest.mark.parametrize("name", ["aa honest", "zz honest"])
def test_the_honest_are_not_harmed(graded, assignment, name):
    assert scores(graded[1][name]) == full(assignment)
    assert graded[1][name]["flags"] == []


def test_the_table_has_a_row_for_everyone(graded, assignment):
    out, results = graded
    with open(out / "scores.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(results)
    most = sum(full(assignment).values())
    assert int(rows["aa honest"]["total"]) == int(rows["aa honest"]["max"]) == most
    assert rows["loops"]["flags"]
    assert len(json.loads((out / "results.json").read_text())) == len(rows)


def test_feedback_names_tests_and_hints_and_no_more(graded, assignment):
    out, _ = graded
    page = (out / "feedback" / "loops.md").read_text()
    test = assignment.questions[0].tests[0]
    assert f"Not passed: **{test.name}**. {test.hint}" in page
    assert "ran out of time" not in page
    for question in assignment.questions:
        for test in question.tests:
            assert test.name in page


def test_manual_answers_lie_side_by_side(graded):
    page = (graded[0] / "manual" / "q5.md").read_text()
    assert "## aa honest\n\n> The two values agree" in page
    assert "## loops\n\n> No answer." in page


def test_it_goes_on_where_it_was_interrupted(assignment, solution, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in "abcd":
        (folder / name).mkdir(parents=True)
        nbformat.write(solution, folder / name / "x.ipynb")
    found = list(submissions(folder, ASSIGNMENT))

    def interrupt(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_folder(assignment, found, out, jobs=1, progress=interrupt)
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "tests").iterdir()}
    assert 2 <= len(kept) < 4
    results = grade_folder(assignment, found, out)
    assert [result["student"] for result in results] == list("abcd")
    assert all(scores(result) == full(assignment) for result in results)
    assert kept.items() <= {path.name: path.stat().st_mtime_ns for path in (out / "tests").iterdir()}.items()
    save(found[0].path, ["central_difference = None"])
    assert not any(scores(grade_folder(assignment, found, out)[0]).values())


def test_moved_split_and_copied_cells_do_no_harm(assignment, solution, tmp_path):
    sources = [cell.source for cell in solution.cells if cell.cell_type == "code"]
    with Student([sources[0], *reversed(sources[1:]), *sources[1:]]) as student:
        assert student.run("slope_of(lambda x: x * x, 3.0)") == 6


def test_the_canary_sings():
    canary.sing()


HOLES = {
    "torch is out of reach": (0, ["--ro-bind", str(Path(torch.__file__).parents[1]), "/packages"]),
    "the network is out of reach": ("--unshare-net", []),
}


@pytest.mark.parametrize("what", HOLES)
def test_the_canary_falls_silent_when_the_sandbox_has_a_hole(what, monkeypatch):
    without, more = HOLES[what]
    words, python = sandbox_module.command()
    words = [word for word in words if word != without]
    at = words.index("--chdir") - 2  # before the root is made read-only
    monkeypatch.setattr(sandbox_module, "command", lambda: (words[:at] + more + words[at:], python))
    with pytest.raises(canary.Unsafe, match=what):
        canary.sing()


def test_the_canary_falls_silent_when_memory_has_no_limit():
    with pytest.raises(canary.Unsafe, match="memory is limited"):
        canary.sing(Limits(memory=10**11))


def test_the_canary_falls_silent_when_a_right_answer_does_not_pass(monkeypatch):
    monkeypatch.setattr(canary, "SPY", canary.SPY.replace("2 * x", "3 * x"))
    with pytest.raises(canary.Unsafe, match="a right answer does not pass"):
        canary.sing()


def test_a_function_of_the_grader_is_called_out_here():
    points = []
    with Student(["def twice(f, x): return f(f(x))"]) as student:
        assert student.run("twice(f, 2)", f=lambda x: points.append(x) or x**2) == 16
        with pytest.raises(Failed, match="teapot"):
            student.run("raise_it()", raise_it=lambda: (_ for _ in ()).throw(ValueError("teapot")))
    assert points == [2, 4]


def test_a_folder_of_any_layout(tmp_path):
    save(tmp_path / "Zoë Ng_123_assignsubmission_file_" / "a.ipynb", [])
    save(tmp_path / "Zoë Ng_124_assignsubmission_file_" / "a.ipynb", [])
    save(tmp_path / "leeann_LATE_77_999_work.ipynb", [])
    save(tmp_path / "flat.ipynb", [])
    clone = tmp_path / "clone"
    save(clone / ".git" / "x.ipynb", [])
    save(clone / "week" / ".ipynb_checkpoints" / "x.ipynb", [])
    for age, name in enumerate(["new.ipynb", "old.ipynb"]):
        save(clone / "week" / name, [])
        os.utime(clone / "week" / name, (time.time() - 100 * age,) * 2)
    os.symlink(tmp_path / "flat.ipynb", tmp_path / "link.ipynb")
    found = {one.student: one for one in submissions(tmp_path, ASSIGNMENT)}
    assert set(found) == {"Zoë Ng (123)", "Zoë Ng (124)", "leeann", "flat", "clone"}
    assert found["leeann"].notes == ["late"]
    assert found["clone"].path.name == "new.ipynb"
    assert file_name("a/../b") != file_name("a_.._b")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": [1]}', "[" * 100_000, "\0"])
def test_a_file_that_is_no_notebook_scores_nothing(assignment, tmp_path, text):
    (tmp_path / "x.ipynb").write_text(text)
    result = grade_folder(assignment, list(submissions(tmp_path, ASSIGNMENT)), tmp_path / "out")[0]
    assert not any(scores(result).values())
    assert "unreadable" in result["notes"][0]


def test_without_a_sandbox_every_row_says_so(assignment, solution, tmp_path):
    nbformat.write(solution, tmp_path / "ada.ipynb")
    result = grade_folder(assignment, list(submissions(tmp_path, ASSIGNMENT)), tmp_path / "out", plain=True)[0]
    assert result["flags"] == ["not sandboxed"]
    assert scores(result) == full(assignment)


def test_a_sandbox_that_does_not_start_stops_the_run(assignment, solution, tmp_path):
    nbformat.write(solution, tmp_path / "ada.ipynb")
    with pytest.raises(Broken):
        grade_folder(assignment, list(submissions(tmp_path, ASSIGNMENT)), tmp_path / "out", Limits(start=0.001))
    assert not list((tmp_path / "out").rglob("ada.json"))


def test_the_command(solution, tmp_path):
    nbformat.write(solution, tmp_path / "ada.ipynb")
    words = [sys.executable, "-m", "grader", ASSIGNMENT, str(tmp_path), str(tmp_path / "out")]
    run = subprocess.run(words, cwd=ASSIGNMENTS, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "1 graded, 0 with flags" in run.stdout
    assert "1 of 1" in run.stderr


def test_without_bwrap_nothing_is_graded(tmp_path):
    words = [sys.executable, "-m", "grader", ASSIGNMENT, str(tmp_path), str(tmp_path / "out")]
    run = subprocess.run(words, cwd=ASSIGNMENTS, capture_output=True, text=True, env={"PATH": ""})
    assert run.returncode != 0
    assert "Nothing was graded: bwrap is not installed" in run.stderr
    assert not (tmp_path / "out").exists()
