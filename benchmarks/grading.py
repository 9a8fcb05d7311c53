"""Grade a class of 200 and measure it: submissions a minute, and memory at its highest.

    python benchmarks/grading.py [assignment [number of submissions]]

Of twenty submissions one is the students' notebook as it came, nine hold a known wrong answer,
nine the solution; the last fills memory, loops for ever, crashes or starts processes. Memory
is sampled: the resident set of the grader, and what its forks and sandboxes add to it, pages
that they share counted once.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import nbformat
import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "assignments"))

from grader.question import Assignment  # noqa: E402
from grader.student import versions  # noqa: E402

HOSTILE = [
    "hoard = []\nwhile True: hoard.append(bytes(10**6))",
    "import os\nos._exit(1)",
    "while True: pass",
    "import os\nwhile True: os.fork()",
]


def notebooks(assignment, number):
    stub, solution = versions(assignment)
    wrong, hostile = cycle(wrong.code for wrong in assignment.wrong_answers()), cycle(HOSTILE)
    for k in range(number):
        notebook = nbformat.from_dict(stub if k % 20 == 0 else solution)
        if k % 20 > 10:
            notebook.cells.append(nbformat.v4.new_code_cell(next(wrong)))
        elif k % 20 == 10:
            notebook.cells.append(nbformat.v4.new_code_cell(next(hostile)))
        yield notebook


def memory(process):
    """Bytes of the grader and its descendants; what has ended meanwhile counts nothing."""
    total = process.memory_info().rss
    for fork in process.children():
        with contextlib.suppress(psutil.Error):
            total += fork.memory_full_info().uss
            total += sum(one.memory_full_info().pss for one in fork.children(recursive=True))
    return total


def main(name="01_introduction", number="200"):
    with tempfile.TemporaryDirectory() as folder:
        for k, notebook in enumerate(notebooks(Assignment(name), int(number))):
            nbformat.write(notebook, f"{folder}/{k:04}.ipynb")
        began, most = time.perf_counter(), 0
        grader = psutil.Popen([sys.executable, "-m", "grader", name, folder, f"{folder}/out"], cwd=ROOT / "assignments")
        while True:
            most = max(most, memory(grader))
            try:
                grader.wait(0.1)
                break
            except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
                continue
        seconds = time.perf_counter() - began
    print(f"{name}: {60 * int(number) / seconds:.0f} submissions a minute, {most / 1e6:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
