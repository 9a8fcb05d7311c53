"""The guide for teachers, carried out to the letter in a copy of the course."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from grader.sandbox import available

NAME = "06_forward_vs_backward"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_guide_s_question_can_be_written_and_proved(root, tmp_path):
    if reason := available():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    page = (root / "book" / "for_teachers.md").read_text(encoding="utf-8")
    for folder in "assignments", "book/_ext":
        shutil.copytree(root / folder, tmp_path / folder)
    (tmp_path / "tests").mkdir()
    for name in "pyproject.toml", "conftest.py", "tests/test_assignments.py":
        shutil.copy(root / name, tmp_path / name)

    (heading,), (solution, check, *added) = blocks(page, "markdown"), blocks(page, "python")
    master = tmp_path / "assignments" / f"{NAME}.ipynb"
    notebook = nbformat.read(master, as_version=4)
    new = nbformat.v4
    notebook.cells += [new.new_markdown_cell(heading), new.new_code_cell(solution), new.new_code_cell(check)]
    nbformat.write(notebook, master)
    for block in added:
        file, text = block.split("\n", 1)
        with open(tmp_path / "assignments" / file.removeprefix("# "), "a", encoding="utf-8") as there:
            there.write(f"\n\n{text}")

    command = next(line for line in "".join(blocks(page, "sh")).splitlines() if "pytest" in line)
    assert command.startswith(".venv/bin/python ")
    words = [sys.executable, *command.split()[1:], "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "GRADINGS": "1"})
    assert run.returncode == 0, run.stdout
    assert "skipped" not in run.stdout
