"""The bundle, unpacked and run as Gradescope does it, in a container that has no right to make another."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest
import torch
from hostile import CHEATS

from grader.gradescope import bundle
from grader.question import Assignment
from grader.sandbox import available
from grader.student import versions

ASSIGNMENT = "01_introduction"
DOCKER = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"]
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}

SPY = """
import glob, os, socket
found = []
def look(path):
    try: found.append(open(path, "rb").read())
    except OSError: pass
for folder, inside, files in os.walk("/"):
    inside[:] = [name for name in inside if name not in ("usr", "lib", "proc", "sys")]
    for file in files: look(os.path.join(folder, file))
for process in glob.glob("/proc/[0-9]*"):
    for file in "environ", "mem", "maps": look(f"{process}/{file}")
try: open("/autograder/results/results.json", "w").write('{"score": 100}')
except OSError: pass
try: os.kill(os.getppid(), 9)
except OSError: pass
def attack():
    for text in found:
        if b"a_one_sided" + b"_difference" in text: raise ValueError("SEEN")
    return 6.0
def central_difference(f, x, h): return attack()
"""


@pytest.fixture(scope="module", autouse=True)
def root_with_bwrap():
    reason = available() or (os.getuid() and "only root can play Gradescope")
    if reason:
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    path = tmp_path_factory.mktemp("gradescope") / "bundle.zip"
    bundle(ASSIGNMENT, path, ["--some-option"])
    return ZipFile(path)


@pytest.fixture(scope="module")
def notebook():
    stub, solution = versions(Assignment(ASSIGNMENT))

    def with_cell(code):
        copy = nbformat.from_dict(solution)
        copy.cells.append(nbformat.v4.new_code_cell(code))
        return copy

    return {
        "solution": solution,
        "stub": stub,
        "spy": with_cell(SPY),
        "disk": with_cell(CHEATS["reads the tests from disk"] + "central_difference = lambda *a: attack()"),
        "torch": with_cell(CHEATS["asks torch"] + "central_difference = lambda *a: attack()"),
    }


@pytest.fixture
def autograder(archive, tmp_path):
    """/autograder as Gradescope makes it, with what setup.sh installs: Python and the packages."""
    tmp_path.chmod(0o755)
    archive.extractall(tmp_path / "source")
    for folder in "submission", "results":
        (tmp_path / folder).mkdir()
    (tmp_path / "run_autograder").write_bytes((tmp_path / "source" / "run_autograder").read_bytes())
    (tmp_path / "run_autograder").chmod(0o755)
    venv.create(tmp_path / "source" / ".venv", symlinks=True)
    packages = next((tmp_path / "source" / ".venv" / "lib").glob("python*/site-packages"))
    (packages / "course.pth").write_text(str(Path(torch.__file__).parents[1]))
    return tmp_path


def run(autograder, capabilities):
    """Run it in a container: the system, the packages, /autograder, and these rights."""
    words = ["bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--die-with-parent", "--clearenv"]
    words += ["--setenv", "PATH", os.environ["PATH"], "--setenv", "HOME", "/root"]
    words += ["--perms", "1777", "--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]
    for path in ["/usr", "/bin", "/lib", "/lib64", "/etc", sys.base_prefix, str(Path(torch.__file__).parents[1])]:
        for parent in [*Path(path).parents][-2::-1]:
            words += ["--perms", "0711", "--dir", str(parent)]
        words += ["--ro-bind", path, path] if os.path.exists(path) else []
    words += ["--bind", str(autograder), "/autograder", "--chdir", "/autograder", "--cap-drop", "ALL"]
    words += [word for capability in capabilities for word in ("--cap-add", capability)]
    done = subprocess.run([*words, "/autograder/run_autograder"], capture_output=True, text=True, timeout=120)
    file = autograder / "results" / "results.json"
    return done, json.loads(file.read_text()) if file.exists() else None


def checked(results):
    """What Gradescope's documentation asks of results.json."""
    assert results.keys() <= {"score", "execution_time", "output", "visibility", "stdout_visibility", "tests"}
    assert results["visibility"] in VISIBILITIES
    assert results["stdout_visibility"] == "hidden"
    assert isinstance(results["output"], str) and isinstance(results["execution_time"], int | float)
    for test in results["tests"]:
        assert test.keys() == {"name", "score", "max_score", "output", "status", "visibility"}
        assert test["status"] == ("passed" if test["score"] == test["max_score"] else "failed")
        assert test["score"] in (0, test["max_score"])
        assert test["visibility"] in VISIBILITIES
        assert isinstance(test["name"], str) and isinstance(test["output"], str)
    return sum(test["score"] for test in results["tests"]), sum(test["max_score"] for test in results["tests"])


def test_the_scripts_lie_at_the_root_and_can_be_executed(archive, tmp_path):
    for script in "setup.sh", "run_autograder":
        assert archive.getinfo(script).external_attr >> 16 == 0o100755
        assert archive.read(script).startswith(b"#!/usr/bin/env bash\n")
        subprocess.run(["bash", "-n"], input=archive.read(script), check=True)


def test_the_bundle_holds_the_tests_and_no_solution(archive):
    names = set(archive.namelist())
    assert {"setup.sh", "run_autograder", f"{ASSIGNMENT}_tests.py", "constraints.txt", "grader/worker.py"} <= names
    assert not [name for name in names if name.endswith((".ipynb", "_wrong.py", ".pyc"))]
    assert len([name for name in names if name.endswith("_tests.py")]) == 1


def test_packages_are_pinned_and_pip_gets_the_options(archive):
    setup = archive.read("setup.sh").decode()
    assert f"torch=={torch.__version__.partition('+')[0]} --some-option" in setup
    pins = archive.read("constraints.txt").decode()
    assert "\nnumpy==" in pins and "\ntqdm==" in pins


@pytest.mark.parametrize("rights", [DOCKER, ["ALL"]], ids=["no bwrap", "bwrap"])
def test_the_solution_gets_full_marks(autograder, notebook, rights):
    nbformat.write(notebook["solution"], autograder / "submission" / "work.ipynb")
    done, results = run(autograder, rights)
    score, most = checked(results)
    assert score == most > 0
    assert "q5 is read by your teacher." in results["output"]
    assert '"not sandboxed"' in done.stdout if rights is DOCKER else '"flags": []' in done.stdout


@pytest.mark.parametrize("name", ["spy", "disk", "torch"])
def test_a_hostile_notebook_gains_nothing_and_sees_nothing(autograder, notebook, name):
    nbformat.write(notebook[name], autograder / "submission" / "work.ipynb")
    done, results = run(autograder, DOCKER)
    score, most = checked(results)
    first = [test for test in results["tests"] if test["name"].startswith("q1")]
    assert not any(test["score"] for test in first)
    assert score == most - sum(test["max_score"] for test in first)
    assert "SEEN" not in done.stdout


def test_the_stub_gets_nothing_but_hints(autograder, notebook):
    nbformat.write(notebook["stub"], autograder / "submission" / "work.ipynb")
    _, results = run(autograder, DOCKER)
    assert checked(results)[0] == 0
    assert results["tests"][0]["output"] == "On a parabola a central difference has no error at all, whatever h is."


def test_without_a_notebook_it_says_so(autograder):
    (autograder / "submission" / "work.py").write_text("")
    (autograder / "submission" / "link.ipynb").symlink_to("/autograder/source/grader/worker.py")
    _, results = run(autograder, DOCKER)
    assert checked(results)[0] == 0
    assert results["output"].startswith("There is no notebook (.ipynb) in what was handed in.")


def test_where_the_answers_cannot_be_confined_nothing_is_graded(autograder, notebook):
    nbformat.write(notebook["solution"], autograder / "submission" / "work.ipynb")
    done, results = run(autograder, [])
    assert done.returncode == 1
    assert done.stdout.count("Nothing was graded") == 1
    assert results is None
