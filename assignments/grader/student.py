"""Make the notebook that students get out of the master, and let no solution leak.

python -m grader.student folder
"""

import re
import sys
from pathlib import Path

import nbformat

from grader.question import ASSIGNMENTS, Assignment, every_assignment

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
SOLUTION = re.compile(rf"^([ \t]*){BEGIN}\n(.*?)^[ \t]*{END}[ \t]*\n?", re.MULTILINE | re.DOTALL)


class Leak(Exception):
    """The student's notebook would give an answer away."""


def without_solutions(source, gap="...  # your answer"):
    """The text with a gap in the place of each solution.

    >>> print(without_solutions("def f(x):\\n    ### BEGIN SOLUTION\\n    return x\\n    ### END SOLUTION\\n"))
    def f(x):
        ...  # your answer
    """
    if source.count(BEGIN) != source.count(END) or source.count(BEGIN) != len(SOLUTION.findall(source + "\n")):
        raise Leak(f"a '{BEGIN}' and its '{END}' do not match")
    return SOLUTION.sub(rf"\1{gap}\n", source + "\n").rstrip("\n")


def check_cell(assignment):
    """The folded first cell."""
    source = (ASSIGNMENTS / "grader" / "check.py").read_text(encoding="utf-8")
    cases = {question.name: question.public for question in assignment.questions if question.public}
    lines = [
        f"    {name!r}: [\n" + "".join(f"        {case!r},\n" for case in cases[name]) + "    ]," for name in cases
    ]
    table = "PUBLIC = {\n" + "\n".join(lines) + "\n}"
    source = source.replace("PUBLIC = {}", table).replace("ASKED = []", f"ASKED = {asked(assignment)}")
    cell = nbformat.v4.new_code_cell(source.rstrip(), id="check")
    cell.metadata = nbformat.from_dict({"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-input"]})
    return cell


def asked(assignment):
    """The functions and classes of which the master holds a solution, sorted."""
    cells = nbformat.read(assignment.notebook, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code" and BEGIN in cell.source]
    return sorted(set(re.findall(r"^(?:def|class) (\w+)", "\n".join(map(without_solutions, sources)), re.MULTILINE)))


def is_checker(cell):
    return cell.source.startswith("from grader.master import")


def versions(assignment):
    """The student's notebook and the solution, both without outputs."""
    master = nbformat.read(assignment.notebook, as_version=4)
    made = []
    for student in True, False:
        notebook = nbformat.v4.new_notebook(metadata=master.metadata)
        notebook.metadata["chainrule"] = {"assignment": assignment.name}
        for cell in master.cells:
            if is_checker(cell):
                notebook.cells.insert(0, check_cell(assignment))
                continue
            cell = nbformat.from_dict(cell)
            if student and cell.cell_type == "code":
                cell.source = without_solutions(cell.source)
            elif student:
                cell.source = without_solutions(cell.source, "*Your answer.*")
            else:
                cell.source = re.sub(rf"^[ \t]*({BEGIN}|{END})[ \t]*\n?", "", cell.source, flags=re.MULTILINE)
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            notebook.cells.append(cell)
        made.append(notebook)
    look_for_leaks(master, made[0], assignment)
    return made


def look_for_leaks(master, student, assignment):
    """Fail if a line of a solution, or of what belongs to the teacher, is in the student's notebook."""
    shown = nbformat.writes(student)
    sources = "\n".join(cell.source for cell in student.cells)
    if not is_checker(next(cell for cell in master.cells if cell.cell_type == "code")):
        raise Leak("the first code cell must bring in check")
    given = "\n".join(without_solutions(cell.source) for cell in master.cells)
    for cell in master.cells:
        for _, solution in SOLUTION.findall(cell.source + "\n"):
            for line in filter(None, map(str.strip, solution.splitlines())):
                if len(line) > 7 and line in sources and line not in given:
                    raise Leak(f"the student's notebook holds a line of the solution: {line}")
                if len(line) > 7 and not line.startswith("def ") and line in given:
                    raise Leak(f"a line of the solution also stands outside of it: {line}")
    for word in [BEGIN, END, "grader.master"] + [
        test.function.__name__ for q in assignment.questions for test in q.tests
    ]:
        if word in shown:
            raise Leak(f"the student's notebook holds {word!r}")
    if any(cell.get("outputs") for cell in student.cells):
        raise Leak("the student's notebook holds an output")


def main(out):
    for name in every_assignment():
        try:
            student, solution = versions(Assignment(name))
        except Leak as leak:
            sys.exit(f"{name}: {leak}. Nothing was written.")
        for kind, notebook in ("student", student), ("solution", solution):
            path = out / kind / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, path)
            print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
