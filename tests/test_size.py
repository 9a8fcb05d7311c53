"""The engine stays small enough to be read: every room has a budget of lines of code.

Lines of code are what is left without docstrings, comments and blank lines.
"""

import ast
import io
import tokenize

import pytest

LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}

BUDGET = {
    "the table, to be read in one sitting": (170, "rules.py"),
    "the engine": (
        1695,
        "op.py values.py rules.py tape.py tensor.py reverse.py forward.py batch.py functional.py inplace.py graph.py "
        "nested.py",
    ),
    "its words for mistakes": (175, "errors.py"),
    "its public face": (672, "functions.py methods.py typing.py __init__.py"),
    "beside the table": (1145, "library"),
    "numerical derivatives": (310, "numerical"),
    "the static graph": (760, "static"),
    "compiling": (745, "compile"),
}


def lines_of_code(path):
    source = path.read_text(encoding="utf-8")
    code = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in LAYOUT:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            code.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(code)


@pytest.mark.parametrize("room", BUDGET)
def test_it_keeps_to_its_budget(root, room):
    budget, places = BUDGET[room]
    folders = [root / "src" / "chainrule" / place for place in places.split()]
    files = [file for place in folders for file in (place.rglob("*.py") if place.is_dir() else [place])]
    assert sum(map(lines_of_code, files)) <= budget


def test_no_module_of_the_engine_is_without_a_budget(root):
    package = root / "src" / "chainrule"
    budgeted = {place for _, places in BUDGET.values() for place in places.split()}
    beside = {"draw", "crosscheck", "course.py", "kinks.py", "py.typed"}  # figures, checks and tables of the book
    assert {path.name for path in package.iterdir() if path.name != "__pycache__"} == budgeted | beside
