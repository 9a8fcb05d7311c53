"""Nothing that a notebook holds gains a mark, harms another notebook, or stops the run."""

import copy
import csv
import doctest
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from hostile import ALL_ANSWERS, ANSWER, ATTACKS, CHEATS, COST_ONE_QUESTION, FORGERIES, OTHER_ANSWER

from grader import batch, canary
from grader import folder as folder_module
from grader import report as report_module
from grader import sandbox as sandbox_module
from grader import student as student_module
from grader import worker as worker_module
from grader.batch import grade_folder, here
from grader.folder import submissions
from grader.grade import Student
from grader.question import ASSIGNMENTS, Assignment, Question, Wrong, close, every_assignment, several
from grader.report import file_name, report
from grader.sandbox import Broken, Failed, Limits, Lost, available, serve
from grader.student import versions
from grader.worker import decode

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


@pytest.mark.parametrize("module", [folder_module, report_module, student_module, worker_module])
def test_its_examples_are_true(module):
    done = doctest.testmod(module)
    assert done.attempted and not done.failed


def save(path, sources, kind=nbformat.v4.new_code_cell):
    path.parent.mkdir(parents=True, exist_ok=True)
    # the ids are numbers: among 30,000 random ones two may be alike
    cells = [kind(source, id=str(number)) for number, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


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
    save(folder / "makes cells without end.ipynb", [*[""] * 30_000, ANSWER, "def attack(): return 1.0"])
    for name, attack in COST_ONE_QUESTION.items():
        sources = [cell.source for cell in solution.cells if cell.cell_type == "code"]
        save(folder / f"{name}.ipynb", [*sources, attack])
    before = {path: path.read_bytes() for path in folder.rglob("*.ipynb")}
    found = list(submissions(folder, assignment.name))
    strict = partial(here, limits=Limits(cell=1, call=1), jobs=3)
    results = grade_folder(assignment, found, folder.parent / "out", strict)
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


def test_no_attack_outlasts_its_limits_or_reaches_a_terminal(graded):
    for result in graded[1].values():
        assert result["seconds"] < 60
        whys = [test["why"] or "" for test in result["tests"]]
        assert all(text.isprintable() for text in result["notes"] + result["flags"] + whys)


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
    out, results = graded
    page = (out / "feedback" / "loops.md").read_text()
    marks = sum(scores(results["loops"]).values())
    assert f"{marks} of {sum(full(assignment).values())} points by tests" in page
    test = assignment.questions[0].tests[0]
    assert f"Not passed: **{test.name}**. {test.hint}" in page
    assert results["loops"]["notes"] and all(f"- {note}" in page for note in results["loops"]["notes"])
    for question in assignment.questions:
        for test in question.tests:
            assert test.name in page
    for name, result in results.items():
        page = (out / "feedback" / f"{file_name(name)}.md").read_text()
        whys = [test["why"] for test in result["tests"] if test["why"]]
        assert not [why for why in whys if why.startswith(("wrong: ", "raised ", "unusable: ")) and why in page]


def test_manual_answers_lie_side_by_side(graded):
    page = (graded[0] / "manual" / "q5.md").read_text()
    assert "## aa honest\n\n> The two values agree" in page
    assert "## loops\n\n> No answer." in page


def start(folder, out):
    words = [sys.executable, "-m", "grader", ASSIGNMENT, str(folder), str(out), "--jobs", "2"]
    return subprocess.Popen(words, cwd=ASSIGNMENTS, stderr=subprocess.PIPE, text=True, start_new_session=True)


def stored(out):
    return {path: path.stat().st_mtime_ns for path in out.glob("tests/*.json")}


@pytest.fixture
def slow_class(solution, tmp_path):
    for number in range(9):
        notebook = nbformat.from_dict(solution)
        notebook.cells.append(nbformat.v4.new_code_cell("import time\ntime.sleep(0.4)"))
        nbformat.write(notebook, tmp_path / f"{number}.ipynb")
    return tmp_path


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_an_interruption_loses_nothing_and_nothing_is_graded_twice(assignment, slow_class, blow):
    out, kept = slow_class / "out", {}
    for _ in range(2):
        run = start(slow_class, out)
        while len(stored(out)) < len(kept) + 2:
            time.sleep(0.01)
        os.killpg(run.pid, blow)  # the whole group, as Ctrl-C does
        _, said = run.communicate(timeout=20)
        if blow == signal.SIGINT:
            assert "Stopped: interrupted. What was graded is kept; the same command goes on from there." in said
            assert "Traceback" not in said and run.returncode == 130
        assert kept.items() <= stored(out).items()
        kept = stored(out)
    start(slow_class, out).communicate(timeout=60)
    assert kept.items() <= stored(out).items()
    results = json.loads((out / "results.json").read_text())
    assert [scores(result) for result in results] == [full(assignment)] * 9
    assert not any(result["flags"] for result in results)


def test_values_cross_as_python_has_them(sandbox):
    cells = [
        "from __future__ import annotations\nclass Node:\n    def plus(self, other: Node) -> Node:\n        return 1.0",
        "def find(arrows):\n    return {arrow: 2.0 for arrow in arrows}['u', 'v', 3.0]",
        "def wide():\n    return np.clongdouble(1 + 2j)\nimport numpy as np\nt = %timeit -o 1",
    ]
    with Student(cells) as student:
        assert student.run("Node().plus(2)") == 1
        assert student.run("find(arrows)", arrows=[("u", "v", 3.0)]) == 2
        assert student.run("wide()") == 1 + 2j
        assert student.run("(1, (2, 3))") == [1, [2, 3]]
        assert student.notes == []


STOPPED = """
from grader.grade import Student
from grader.sandbox import Limits
with Student(["import time"], Limits(call=2, total=4)) as student:
    student.prepare()
    print("ready", flush=True)
    print(student.run("time.sleep(1) or 1"), student.run("2"))
"""


def test_a_grader_that_was_stopped_and_goes_on_holds_it_against_nobody(sandbox):
    run = subprocess.Popen([sys.executable, "-c", STOPPED], cwd=ASSIGNMENTS, stdout=subprocess.PIPE, text=True)
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGSTOP)
    time.sleep(7)
    run.send_signal(signal.SIGCONT)
    assert run.communicate(timeout=20)[0] == "1 2\n"


def test_text_is_no_number_and_an_array_is_a_list():
    for text in "6.0", ["6.0"]:
        with pytest.raises(Wrong):
            close(text, np.ones_like(text, float) * 6)
    assert several(np.array([1.0, 2.0]), 2) == several([1.0, 2.0], 2) == [1.0, 2.0]
    for wrong in np.array(1.0), [1.0], 1.0:
        with pytest.raises(Wrong):
            several(wrong, 2)


def test_a_grader_that_others_have_ended_grades_again(assignment, solution, tmp_path, monkeypatch):
    nbformat.write(solution, tmp_path / "a.ipynb")
    one, graded_before = batch.work(next(submissions(tmp_path, ASSIGNMENT)), ""), tmp_path / "graded before"
    grade_one = batch.grade_one

    def ended_once(*details):
        if not graded_before.exists():
            graded_before.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return grade_one(*details)

    monkeypatch.setattr(batch, "grade_one", ended_once)
    [(_, result)] = batch.here(assignment, [one], jobs=1)
    assert scores(result) == full(assignment) and result["flags"] == []


class CtrlC:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_an_interruption_while_an_object_is_deleted_is_not_lost(assignment, solution, tmp_path):
    nbformat.write(solution, tmp_path / "a.ipynb")
    one = batch.work(next(submissions(tmp_path, ASSIGNMENT)), "")
    with pytest.raises(KeyboardInterrupt):
        for _ in batch.here(assignment, [one] * 2, jobs=1):
            CtrlC()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_has_changed_is_graded_again_and_nothing_else(assignment, solution, tmp_path, monkeypatch):
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in "ab":
        (folder / name).mkdir(parents=True)
        nbformat.write(solution, folder / name / "x.ipynb")
    found = list(submissions(folder, ASSIGNMENT))

    def graded_anew(seed=None):
        before = stored(out)
        results = grade_folder(assignment, found, out, seed=seed)
        return results, [path.stem for path, time in sorted(stored(out).items()) if before.get(path) != time]

    assert graded_anew()[1] == ["a", "b"]
    assert graded_anew()[1] == []
    save(found[0].path, ["central_difference = None"])
    results, anew = graded_anew()
    assert anew == ["a"] and not any(scores(results[0]).values()) and scores(results[1]) == full(assignment)
    assert graded_anew(seed=1)[1] == ["a", "b"]
    (out / "tests" / "b.json").write_text('{"key":')
    assert graded_anew(seed=1)[1] == ["b"]
    monkeypatch.setattr(batch, "GRADER", b"another version")
    assert graded_anew(seed=1)[1] == ["a", "b"]
    monkeypatch.setattr(batch, "ASSIGNMENTS", tmp_path)
    (tmp_path / f"{ASSIGNMENT}_tests.py").write_text("other = tests")
    assert graded_anew(seed=1)[1] == ["a", "b"]


def test_the_class_seed_gives_each_student_inputs_of_their_own(solution, tmp_path):
    for name in "ab":
        nbformat.write(solution, tmp_path / f"{name}.ipynb")
    found = list(submissions(tmp_path, ASSIGNMENT))
    seeds = [[batch.work(one, "", seed).seed for one in found] for seed in (1, 1, 2, None, None)]
    assert seeds[0] == seeds[1]
    assert len({seed for pair in seeds for seed in pair}) == 8


def test_moved_split_and_copied_cells_do_no_harm(assignment, solution, tmp_path):
    sources = [cell.source for cell in solution.cells if cell.cell_type == "code"]
    with Student([sources[0], *reversed(sources[1:]), *sources[1:]]) as student:
        assert student.run("slope_of(lambda x: x * x, 3.0)") == 6


def test_what_speaks_to_jupyter_costs_no_definition(assignment, solution):
    lines = "%%time\n{}\ntry:\n    import nothing\nexcept ImportError:\n    !pip install nothing\nlen?"
    remainder = "{}\nprint('%g'\n      % 1.0)\nleft = (7\n% 4)"
    shell = "%%bash\nslope_of = None"
    for wrapped in lines, remainder, "%%capture\n{}":
        sources = [wrapped.format(cell.source) for cell in solution.cells if cell.cell_type == "code"]
        with Student([*sources, shell]) as student:
            assert student.run("slope_of(lambda x: x * x, 3.0)") == 6
            assert not student.notes


def test_an_answer_is_kept_only_for_a_question_that_a_human_reads(assignment, tmp_path):
    sources = [f"**Answer to q{number}:** mine" for number in range(9)]
    save(tmp_path / "x.ipynb", sources, nbformat.v4.new_markdown_cell)
    (result,) = grade_folder(assignment, list(submissions(tmp_path, ASSIGNMENT)), tmp_path / "out")
    assert result["manual"] == {"q5": "mine"}


def test_the_canary_sings():
    canary.sing()


HOLES = {
    "torch is out of reach": (0, ["--ro-bind", str(Path(torch.__file__).parents[1]), "/packages"]),
    "the network is out of reach": ("--unshare-net", []),
    "nothing can be written": (0, ["--perms", "1777", "--size", "4096", "--tmpfs", "/tmp"]),
}


@pytest.mark.parametrize("what", HOLES)
def test_the_canary_falls_silent_when_the_sandbox_has_a_hole(what, monkeypatch, tmp_path):
    without, more = HOLES[what]
    words, python = sandbox_module.command()
    words = [word for word in words if word != without]
    at = words.index("--chdir") - 2  # before the root is made read-only
    lenient = tmp_path / "worker.py"
    lenient.write_text(sandbox_module.WORKER.read_text().replace('"socket": (41, 198),', ""))
    more = [*more, "--ro-bind", str(lenient), "/worker.py"]
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


REFUSED = {
    "shared memory": "libc.shmget(0, 4096, 0o1600) == -1 and ctypes.get_errno() == 1",
    "message queues": "libc.msgget(0, 0o1600) == -1 and ctypes.get_errno() == 1",
    "sockets": "libc.socket(1, 1, 0) == -1 and ctypes.get_errno() == 1",
    "a look at itself by another": "libc.ptrace(0, 0, 0, 0) == -1 and ctypes.get_errno() == 1",
    "the processes' files": "not os.path.exists('/proc/self')",
    "files of the grader": "all(fails(lambda: os.fstat(fd)) for fd in range(6, 64))",
    "rights that root has": "os.getresuid() == (os.getuid(),) * 3 and fails(lambda: os.setuid(0))",
    "a higher priority": "fails(lambda: os.nice(-1)) and fails(lambda: os.sched_setscheduler(0, 1, os.sched_param(1)))",
    "higher limits": "fails(lambda: resource.setrlimit(resource.RLIMIT_AS, (10**10, 10**10)))",
}


def test_what_no_limit_counts_is_refused():
    helper = """
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
def fails(action):
    try: action()
    except (OSError, ValueError): return True
    return False
"""
    with Student([helper]) as student:
        assert [what for what, code in REFUSED.items() if student.run(f"bool({code})") is not True] == []


@pytest.fixture
def loops():
    """Busy loops that take nearly all of a processor, and which one it is."""
    processor = min(os.sched_getaffinity(0))
    busy = [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{processor}])\nwhile True: pass"]
    running = [subprocess.Popen(busy) for _ in range(3)]
    yield processor
    for process in running:
        process.kill()
        process.wait()


def test_who_waits_for_a_processor_has_more_time_and_who_sleeps_has_not(loops):
    """An answer that takes six tenths of its time, on a processor of which it gets a fourth."""
    slow = """
import os, time
def slow(processor):
    os.sched_setaffinity(0, [processor])
    began = time.process_time()
    while time.process_time() - began < 0.6: pass
    return time.process_time() - began
"""
    with Student([slow], Limits(call=1, total=2)) as student:
        student.prepare()
        for _ in range(2):
            assert student.run("slow(processor)", processor=loops) > 0.5
        with pytest.raises(Lost, match="time"):
            student.run("time.sleep(3)")


def questions_of(assignment, function):
    """The assignment with one more test, which grades anything that defines `odd`."""
    question = Question("q9", "Odd")
    question.test("A hint.")(lambda student, rng: student.run("odd") and function())
    other = copy.copy(assignment)
    other.questions = [*assignment.questions, question]
    return other


def graded_beside_an_honest_one(assignment, solution, folder, function):
    nbformat.write(solution, folder / "honest.ipynb")
    save(folder / "odd.ipynb", ["odd = True"])
    found = list(submissions(folder, ASSIGNMENT))
    odd = questions_of(assignment, function)
    return {one["student"]: one for one in grade_folder(odd, found, folder / "out", partial(here, jobs=2))}


def test_who_keeps_his_grader_busy_keeps_nobody_elses_waiting(assignment, solution, tmp_path):
    results = graded_beside_an_honest_one(assignment, solution, tmp_path, lambda: sum(range(2 * 10**8)))
    assert results["odd"]["tests"][-1]["passed"]
    assert results["honest"]["seconds"] < results["odd"]["seconds"] / 2


def test_who_ends_his_grader_loses_his_own_marks_and_is_seen(assignment, solution, tmp_path):
    ours = os.getpid()

    def end():
        assert os.getpid() != ours
        os.kill(os.getpid(), signal.SIGKILL)

    results = graded_beside_an_honest_one(assignment, solution, tmp_path, end)
    assert scores(results["honest"]) == {**full(assignment), "q9": 0}
    assert results["odd"]["flags"] == ["ended the grader"] and not any(scores(results["odd"]).values())


def test_a_test_that_ends_every_grader_stops_the_run(assignment, tmp_path):
    save(tmp_path / "ada.ipynb", [])
    deadly, ours = copy.copy(assignment), os.getpid()
    deadly.questions = [Question("q1", "Deadly")]
    deadly.questions[0].test("A hint.")(lambda student, rng: os.getpid() == ours or os._exit(1))
    with pytest.raises(Broken, match="a grader ended"):
        grade_folder(deadly, list(submissions(tmp_path, ASSIGNMENT)), tmp_path / "out")


def test_who_fills_his_graders_memory_fails_a_test(assignment, solution, tmp_path):
    results = graded_beside_an_honest_one(assignment, solution, tmp_path, lambda: np.ones(10**8))
    assert "MemoryError" in results["odd"]["tests"][-1]["why"] and not results["odd"]["flags"]


def test_a_sandbox_takes_less_than_eighty_megabytes():
    hoarder = """
import resource
hoard = []
def fill():
    try:
        while True: hoard.append(bytes(10**5))
    except MemoryError: return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""
    with Student([hoarder]) as student:
        assert 30_000 < student.run("fill()") < 80_000


def test_two_sandboxes_never_share_a_user():
    with Student([]) as one, Student([]) as other:
        users = [student.run("__import__('os').getuid()") for student in (one, other)]
        assert (users[0] != users[1]) == (os.getuid() == 0)


@pytest.mark.parametrize("attack", ["writes one byte at a time", "writes questions without end"])
def test_a_flood_ends_when_the_time_is_up(attack):
    with Student([FORGERIES[attack]], Limits(call=1)) as student:
        student.prepare()
        began = time.monotonic()
        with pytest.raises(Lost):
            student.run("[attack() for _ in range(10**6)]", f=lambda x: time.sleep(0.01))
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("length", [10_000, 200_000])
def test_who_talks_without_end_is_heard_no_more(length):
    flood = f"""
import json, os
def attack():
    message = json.dumps({{"call": "f", "args": ["x" * {length}]}}).encode() + b"\\n"
    for fd in range(3, 9):
        try: [os.write(fd, message) for _ in range(50)]
        except OSError: pass
"""
    limits = Limits(talk=300_000)
    with Student([flood], limits) as student:
        with pytest.raises(Lost, match="sent too much"):
            student.run("attack()", f=lambda x: x)
        assert student.sandbox.received < limits.talk + limits.ask + 65536
        if student.sandbox.received > limits.talk:
            with pytest.raises(Lost, match="whole submission"):
                student.run("1")


def test_a_function_of_the_grader_takes_no_more_numbers_than_a_test_needs():
    outer = {"f": lambda x, y: np.multiply(x, y)}
    column, row = [[1.0]] * 600, [[1.0] * 600]
    assert "more than 1000 numbers" in serve(outer, {"call": "f", "args": [{"array": column}, {"array": row}]})["error"]
    assert "more than 1000 numbers" in serve(outer, {"call": "f", "args": [column, row]})["error"]
    assert "more than 1000 numbers" in serve(outer, {"call": "f", "args": [[[]] * 30_000, 1.0]})["error"]
    assert serve(outer, {"call": "f", "args": [[2.0], [3.0]]}) == {"value": {"array": [6.0]}}


def test_a_reply_makes_no_large_array_of_few_letters():
    with pytest.raises(ValueError, match="shape"):
        decode({"array": [], "shape": [0, 10**5, 10**5]})
    assert decode({"array": [], "shape": [0, 3]}).shape == (0, 3)


def test_words_make_no_array_as_wide_as_the_longest():
    words = {"array": ["x" * 30_000, *[""] * 3000]}
    tracemalloc.start()
    with pytest.raises(ValueError, match="something else than numbers"):
        decode(words)
    assert "error" in serve({"f": np.size}, {"call": "f", "args": [words]})
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


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
    for name in "._new.ipynb", ".~new.ipynb":
        save(clone / "week" / name, [])
    save(tmp_path / "._flat.ipynb", [])
    save(tmp_path / "by safari.ipynb.txt", [])
    save(tmp_path / "shouts" / "01.IPYNB", [])
    save(tmp_path / "eva_79_999_work.ipynb.json", [])
    os.symlink(tmp_path / "flat.ipynb", tmp_path / "link.ipynb")
    (tmp_path / "zipped_78_999_work.zip").touch()
    (tmp_path / "empty").mkdir()
    os.symlink(tmp_path / "flat.ipynb", tmp_path / "empty" / "copied.ipynb")
    found = {one.student: one for one in submissions(tmp_path, ASSIGNMENT)}
    names = {"Zoë Ng (123)", "Zoë Ng (124)", "leeann", "flat", "clone", "zipped", "empty"}
    assert set(found) == names | {"by safari", "shouts", "eva"}
    assert all(found[name].path for name in ("by safari", "shouts", "eva"))
    assert found["leeann"].notes == ["late"]
    assert found["clone"].path.name == "new.ipynb"
    assert "no notebook" in found["zipped"].notes[0] and "no notebook" in found["empty"].notes[0]
    assert file_name("a/../b") != file_name("a_.._b")


def test_no_name_breaks_the_run_or_takes_another_students_place(assignment, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    names = [
        "x" * 240,
        "y" * 200 + "é" * 20,
        "two\nlines",
        "=1+1",
        "..",
        "a?b",
        file_name("a?b"),
        "esc\x1b[2J",
        os.fsdecode(b"\xff"),
    ]
    for name in names:
        save(folder / f"{name}.ipynb", [])
        save(folder / f"{name} too"[-250:] / "deep" / f"{name[:240]}.ipynb", [])
        save(folder / f"{name} too"[-250:] / "deep" / "other.ipynb", [])
    found = list(submissions(folder, ASSIGNMENT))
    assert len({one.student for one in found}) == len(found) == 2 * len(names)
    results = grade_folder(assignment, found, out)
    report(assignment, results, out)
    assert all(len(list(out.glob(f"{place}/*"))) == len(found) for place in ("tests", "feedback"))
    with open(out / "scores.csv", newline="", encoding="utf-8") as file:
        rows = [row["student"] for row in csv.DictReader(file)]
    assert len(rows) == len(found) and "'=1+1" in rows
    assert all(row.isprintable() for row in rows)
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}


def test_a_folder_of_any_depth_is_read(request, tmp_path):
    request.addfinalizer(lambda: subprocess.run(["rm", "-r", str(tmp_path / "deep")], check=True))
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(3000):  # no path that long can be opened at once
        os.mkdir("deep", dir_fd=place)
        inside = os.open("deep", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inside
    os.close(place)
    assert [one.notes for one in submissions(tmp_path, ASSIGNMENT)] == [
        ["there is no notebook (.ipynb) in what was handed in"]
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": [1]}', "[" * 100_000, "\0"])
def test_a_file_that_is_no_notebook_scores_nothing(assignment, tmp_path, text):
    (tmp_path / "x.ipynb").write_text(text)
    result = grade_folder(assignment, list(submissions(tmp_path, ASSIGNMENT)), tmp_path / "out")[0]
    assert not any(scores(result).values())
    assert "unreadable" in result["notes"][0]


def test_of_a_large_notebook_no_more_is_kept_than_is_graded(assignment, tmp_path):
    picture = "![](data:image/png;base64," + "A" * 1_000_000 + ")"
    save(tmp_path / "pictures.ipynb", [picture, "**Answer to q5:** mine" + picture], nbformat.v4.new_markdown_cell)
    (tmp_path / "parts.ipynb").write_text('{"cells": [], "x": [' + ",".join(['{"":0}'] * 300_000) + "]}")
    tracemalloc.start()
    parts, pictures = (batch.work(one, "") for one in submissions(tmp_path, ASSIGNMENT))
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert parts.notes == ["unreadable: too many parts for a notebook"]
    assert len(str(pictures.cells)) < 110_000 and batch.grade_one(assignment, pictures)["manual"]["q5"][:4] == "mine"


def test_without_a_sandbox_every_row_says_so(assignment, solution, tmp_path):
    nbformat.write(solution, tmp_path / "ada.ipynb")
    found = list(submissions(tmp_path, ASSIGNMENT))
    result = grade_folder(assignment, found, tmp_path / "out", partial(here, plain=True))[0]
    assert result["flags"] == ["not sandboxed"]
    assert scores(result) == full(assignment)


def test_a_sandbox_that_does_not_start_stops_the_run(assignment, solution, tmp_path):
    nbformat.write(solution, tmp_path / "ada.ipynb")
    with pytest.raises(Broken):
        found = list(submissions(tmp_path, ASSIGNMENT))
        grade_folder(assignment, found, tmp_path / "out", partial(here, limits=Limits(start=0.001)))
    assert not list((tmp_path / "out").rglob("ada.json"))


def test_the_command(solution, tmp_path):
    nbformat.write(solution, tmp_path / "ada.ipynb")
    words = [sys.executable, "-m", "grader", ASSIGNMENT, str(tmp_path), str(tmp_path / "out")]
    run = subprocess.run(words, cwd=ASSIGNMENTS, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "1 graded, 0 with flags" in run.stdout
    assert "1/1" in run.stderr


def test_without_bwrap_nothing_is_graded(tmp_path):
    save(tmp_path / "ada.ipynb", [])
    words = [sys.executable, "-m", "grader", ASSIGNMENT, str(tmp_path), str(tmp_path / "out")]
    run = subprocess.run(words, cwd=ASSIGNMENTS, capture_output=True, text=True, env={"PATH": ""})
    assert run.returncode != 0
    assert "Nothing was graded: bwrap is not installed" in run.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", every_assignment())
def test_check_says_of_every_stub_that_it_returned_nothing(name, capsys):
    space = {}
    stub, _ = versions(Assignment(name))
    exec("\n\n".join(cell.source for cell in stub.cells if cell.cell_type == "code"), space)
    capsys.readouterr()
    for question in space["PUBLIC"]:
        space["check"](question)
        assert capsys.readouterr().out.startswith(f"{question}: returned nothing yet.\n    ")


def test_check_speaks_in_the_terms_of_the_question(capsys):
    space = {}
    stub, _ = versions(Assignment(ASSIGNMENT))
    exec("\n\n".join(cell.source for cell in stub.cells if cell.cell_type == "code"), space)
    case = "\n    balanced_h(1, 1e-8)"
    not_yet = f"q2: not yet.{case}\n    "
    said = {
        "def balanced_h(order, eps): return eps": f"{not_yet}got     1e-08\n    wanted  0.0001",
        "def balanced_h(order, eps): return 1 / 0": (
            f"{not_yet}raised ZeroDivisionError: division by zero, in line 1 of balanced_h"
        ),
        "def balanced_h(order, eps): return ['a']": f"{not_yet}got     ['a']\n    wanted  0.0001",
        "del balanced_h": f"{not_yet}name 'balanced_h' is not defined yet",
        "balanced_h = lambda order, eps: None": f"q2: returned nothing yet.{case}",
    }
    for code, words in said.items():
        exec(code, space)
        capsys.readouterr()
        space["check"]("q2")
        assert capsys.readouterr().out == words + "\n"
    space["check"]("q7")
    assert capsys.readouterr().out == "There is no check for 'q7'. There is one for each of: q1, q2, q3, q4.\n"
