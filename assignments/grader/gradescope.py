"""A bundle for Gradescope, and what it does there.

    python -m grader.gradescope 01_introduction bundle.zip [options for pip, to choose a build of torch]

Gradescope unpacks the bundle into /autograder/source, runs setup.sh once, and then run_autograder
for each submission, as root, in a container of its own. Where bwrap does not work in there, the
answers run as another user, who can read neither the tests nor PyTorch.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from grader import canary
from grader.batch import grade_one, work
from grader.folder import Submission, notebooks, of_this_assignment
from grader.question import ASSIGNMENTS, Assignment, every_assignment
from grader.report import write
from grader.sandbox import available

SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, as root. The course needs Python 3.11 or newer.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -qq -y --no-install-recommends bubblewrap python3 python3-venv
python=python3
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  python=python3.11
  apt-get install -qq -y --no-install-recommends python3.11 python3.11-venv
}
$python -m venv .venv
.venv/bin/pip install -qq -c constraints.txt TORCH
.venv/bin/pip install -qq -c constraints.txt numpy tqdm
chmod 700 .
"""
RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission, as root.
PYTHONPATH=/autograder/source exec /autograder/source/.venv/bin/python -m grader.gradescope
"""


def bundle(name, path, torch_options):
    """Write the zip: two scripts at its root, the grader, and one assignment's tests; no solution."""
    files = {file: f"grader/{file.name}" for file in (ASSIGNMENTS / "grader").glob("*.py")}
    files |= {ASSIGNMENTS / f"{name}_tests.py": f"{name}_tests.py"}
    files |= {ASSIGNMENTS.parent / "constraints.txt": "constraints.txt"}
    torch = " ".join([f"torch=={version('torch').partition('+')[0]}", *torch_options])
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for script, text in ("setup.sh", SETUP.replace("TORCH", torch)), ("run_autograder", RUN):
            entry = ZipInfo(script)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, text)
        for file, inside in files.items():
            archive.write(file, inside)


def run(root):
    """Grade what lies in root/submission into root/results/results.json."""
    for folder in ASSIGNMENTS, root / "results":
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
    try:
        plain = no_bwrap()
    except canary.Unsafe as error:  # without results.json, Gradescope reports a failure and gives no mark
        print(f"Nothing was graded, for the answers cannot be kept from the tests: {error}")
        sys.exit(1)
    (name,) = every_assignment()
    assignment = Assignment(name)
    path, notes = of_this_assignment(notebooks(root / "submission"), name)
    one = work(Submission("student", path, notes), name)
    result = grade_one(assignment, one, plain=plain)
    print(json.dumps(result, indent=1))  # for the teacher
    write(root / "results" / "results.json", json.dumps(in_their_words(assignment, result, one.notes), indent=1))


def no_bwrap():
    """Whether to do without bwrap; either way a canary has sung."""
    if not available():
        try:
            canary.sing()
            return False
        except canary.Unsafe as error:
            print(f"bwrap does not do here: {error}")
    if os.getuid():
        raise canary.Unsafe("bwrap does not work, and without it only root can hide the tests")
    canary.sing(plain=True)
    return True


def in_their_words(assignment, result, notes):
    """What Gradescope shows: of each hidden test its name and, if it was not passed, its hint."""
    titles = {question.name: question.title for question in assignment.questions}
    tests = [
        {
            "name": f"{test['question']}: {titles[test['question']]}: {test['test']}",
            "score": test["points"] * test["passed"],
            "max_score": test["points"],
            "status": "passed" if test["passed"] else "failed",
            "output": "" if test["passed"] else test["hint"],
            "visibility": "visible",
        }
        for test in result["tests"]
    ]
    read = [f"{question.name} is read by your teacher." for question in assignment.questions if question.manual]
    return {
        "output": "\n".join([*map(sentence, notes), *read]),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": result["seconds"],
        "tests": tests,
    }


def sentence(note):
    return f"{note[:1].upper()}{note[1:]}."


if __name__ == "__main__":
    if len(sys.argv) == 1:
        run(Path("/autograder"))
    else:
        bundle(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
        questions = Assignment(sys.argv[1]).questions
        by_hand = [f"{question.name} ({question.manual} points)" for question in questions if question.manual]
        print(f"{sys.argv[2]}: {sum(q.points for q in questions if not q.manual)} points", end="")
        print(f"; to grade by hand: {', '.join(by_hand)}" if by_hand else "")
