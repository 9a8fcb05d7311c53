"""A class graded on a Dask cluster: the same results, and none lost."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from grader.batch import grade_folder
from grader.folder import submissions
from grader.question import ASSIGNMENTS, Assignment
from grader.sandbox import available
from grader.student import versions

ASSIGNMENT = "01_introduction"
HERE = {**os.environ, "PYTHONPATH": str(ASSIGNMENTS)}


@pytest.fixture(scope="module", autouse=True)
def cluster():
    try:
        import distributed  # noqa: F401
    except ImportError:
        reason = "needs bubblewrap; with it installed, make test brings Dask"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    if reason := available():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The solution, known wrong answers, a stub, and answers that hang and crash; none is graded at once."""
    folder = tmp_path_factory.mktemp("class")
    assignment = Assignment(ASSIGNMENT)
    stub, solution = versions(assignment)
    more = ["", *(wrong.code for wrong in list(assignment.wrong_answers())[:4])]
    more += ["def central_difference(f, x, h):\n    import os\n    os._exit(1)", "Dual = 1"]
    for number, code in enumerate(more):
        notebook = nbformat.from_dict(solution)
        notebook.cells += [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell("import time\ntime.sleep(0.5)")]
        nbformat.write(notebook, folder / f"{number}.ipynb")
    nbformat.write(stub, folder / "stub.ipynb")
    return folder


@pytest.fixture(scope="module")
def wanted(folder, tmp_path_factory):
    found = list(submissions(folder, ASSIGNMENT))
    return untimed(grade_folder(Assignment(ASSIGNMENT), found, tmp_path_factory.mktemp("here"), seed=2026))


def untimed(results):
    return [{key: value for key, value in result.items() if key != "seconds"} for result in results]


def grade(folder, out, address):
    words = [sys.executable, "-m", "grader", ASSIGNMENT, folder, out, "--seed", "2026", "--dask", address]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env=HERE, start_new_session=True, **pipes)


def results(run, out):
    _, complaint = run.communicate(timeout=120)
    assert run.returncode == 0, complaint
    return untimed(json.loads((out / "results.json").read_text()))


@contextlib.contextmanager
def started(words, **environment):
    process = subprocess.Popen(
        [sys.executable, "-m", *words], env=HERE | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(tmp_path):
    file = tmp_path / "scheduler.json"
    words = ["--port", "0", "--no-dashboard", "--host", "127.0.0.1", "--scheduler-file", str(file)]
    with started(["distributed.cli.dask_scheduler", *words]) as process:
        while not file.exists():
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], process


def worker(address, **environment):
    words = ["--no-nanny", "--nthreads", "1", "--no-dashboard"]
    return started(["distributed.cli.dask_worker", address, *words], **environment)


def test_a_cluster_of_this_machine_grades_the_same(folder, wanted, tmp_path):
    assert results(grade(folder, tmp_path / "out", "local"), tmp_path / "out") == wanted


def test_a_lost_worker_loses_no_result(folder, wanted, scheduler, tmp_path):
    out, (address, _) = tmp_path / "out", scheduler
    with worker(address) as first, worker(address):
        run = grade(folder, out, address)
        while not list(out.glob("tests/*.json")):
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        assert results(run, out) == wanted


def test_a_lost_scheduler_stops_the_run_and_keeps_what_was_graded(folder, wanted, scheduler, tmp_path):
    out, (address, process) = tmp_path / "out", scheduler
    with worker(address):
        run = grade(folder, out, address)
        while not list(out.glob("tests/*.json")):
            time.sleep(0.02)
        process.terminate()
        _, complaint = run.communicate(timeout=60)
    assert f"Stopped: the scheduler at {address} has gone. What was graded is kept" in complaint
    assert "Traceback" not in complaint
    kept = [json.loads(path.read_text())["student"] for path in out.glob("tests/*.json")]
    assert 0 < len(kept) < len(wanted)
    assert results(grade(folder, out, "local"), out) == wanted


def test_ctrl_c_stops_a_cluster_of_this_machine_without_a_word_too_many(folder, tmp_path):
    out = tmp_path / "out"
    run = grade(folder, out, "local")
    while not list(out.glob("tests/*.json")):
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)
    _, complaint = run.communicate(timeout=30)
    assert "Stopped: interrupted. What was graded is kept" in complaint
    assert "Traceback" not in complaint


def test_where_no_scheduler_answers_it_says_so(folder, tmp_path):
    _, complaint = grade(folder, tmp_path / "out", "nowhere").communicate(timeout=60)
    assert "Stopped: no Dask scheduler with a worker answers at nowhere." in complaint


def test_a_worker_without_a_sandbox_stops_the_run(folder, scheduler, tmp_path):
    with worker(scheduler[0], PATH=""):
        _, complaint = grade(folder, tmp_path / "out", scheduler[0]).communicate(timeout=60)
    assert "Stopped: on the worker tcp://127.0.0.1:" in complaint
    assert "bwrap is not installed" in complaint
    assert not (tmp_path / "out").exists()


def test_a_worker_whose_canary_is_silent_stops_the_run(folder, scheduler, tmp_path):
    hole = tmp_path / "site" / "sitecustomize.py"
    hole.parent.mkdir()
    hole.write_text(
        "from grader.sandbox import Limits\n"
        "defaults = dict(vars(Limits())) | {'memory': 10**12}\n"
        "Limits.__init__.__defaults__ = tuple(defaults.values())\n"
    )
    with worker(scheduler[0], PYTHONPATH=f"{hole.parent}:{ASSIGNMENTS}"):
        _, complaint = grade(folder, tmp_path / "out", scheduler[0]).communicate(timeout=60)
    assert "is not safe: this does not hold: memory is limited" in complaint


def test_a_worker_with_other_tests_stops_the_run(folder, scheduler, tmp_path):
    shutil.copytree(ASSIGNMENTS, tmp_path / "old")
    (tmp_path / "old" / f"{ASSIGNMENT}_tests.py").write_text("")
    with worker(scheduler[0], PYTHONPATH=str(tmp_path / "old")):
        _, complaint = grade(folder, tmp_path / "out", scheduler[0]).communicate(timeout=60)
    assert "another version of the grader or the tests" in complaint
