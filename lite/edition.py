"""The edition of a notebook for a browser, where there is no PyTorch, no Graphviz and no other process.

A statement that needs what is missing becomes a comment, and so does every statement that
needs a name which such a statement would have bound. What is left runs; where a cell then
shows something else than in the book, the book's output follows it as text.
"""

import ast
import base64
import copy
import dis
import re
from types import CodeType

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell

MISSING = {"torch", "subprocess"}  # modules that a browser's Python lacks, or has without use
ABSENT = """\
import importlib.machinery, time

def without_missing(name, *rest, find=importlib.machinery.PathFinder.find_spec):
    return None if name in ("torch", "graphviz") else find(name, *rest)

importlib.machinery.PathFinder.find_spec = without_missing
del time.thread_time
"""
NOTE = re.compile(
    r"(<p>)?PyTorch is not installed here: these results of it were recorded with version [\d.]+(</p>|\n)?"
)
PICTURES = {"image/png": "png", "image/svg+xml": "svg"}
WELCOME = """\
**This is the edition for your browser.** Python runs in this page, and nothing is sent away. PyTorch does not run in a
browser: `cr.crosscheck` compares with results that were recorded, lines that need PyTorch are comments below
`# not in the browser`, and what they gave in the book follows them. Run the next cell first.
"""
INSTALL = """\
%pip install -q chainrule
from chainrule.draw import in_page

await in_page.load()"""


# ---- what to leave out


def loads(code, bound=()):
    """The names that a piece of compiled code takes from outside."""
    bound = set(bound)
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname == "STORE_NAME":
            bound.add(name)
        elif instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL") and name not in bound:
            yield name
        elif isinstance(name, CodeType):
            yield from loads(name, bound)


def stores(code):
    return {i.argval for i in dis.get_instructions(code) if i.opname == "STORE_NAME"}


def changes(statement):
    """The names of what a statement changes in place: `rows.append(1)`, `table[0] = 1`."""
    for node in ast.walk(statement):
        match node:
            case (
                ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name))))
                | ast.Lambda(body=ast.Call(func=ast.Attribute(value=ast.Name(id=name))))
            ):
                yield name
            case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
                yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()):
                yield name


class Cutter:
    """Goes through a notebook's code, cell by cell, and remembers which names are missing."""

    def __init__(self):
        self.missing, self.modules = set(), set()
        self.effects = {}  # what each function of the notebook changes in place

    def needs_missing(self, statement, code):
        match statement:
            case ast.Import(names=names):
                return any(alias.name.partition(".")[0] in MISSING for alias in names)
            case ast.ImportFrom(module=str(module)):
                return module.partition(".")[0] in MISSING
        return not self.missing.isdisjoint(loads(code))

    def left_out(self, source):
        """Those of the source's statements that cannot run."""
        for statement in ast.parse(source).body:
            code = compile(ast.Module([statement], []), "cell", "exec")
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.modules |= stores(code)
            outside = set(loads(code))
            changed = outside.intersection(changes(statement))
            if isinstance(statement, ast.FunctionDef) or isinstance(getattr(statement, "value", None), ast.Lambda):
                self.effects |= dict.fromkeys(stores(code), changed)
            if self.needs_missing(statement, code):
                changed = changed.union(*(self.effects.get(name, ()) for name in outside))
                self.missing |= stores(code) | changed - self.modules
                yield statement
            else:
                self.missing -= stores(code)

    def cut(self, source):
        """The source with those statements as comments; None if nothing else is left.

        >>> print(Cutter().cut("import torch\\nx = 1\\ny = torch.ones(x)\\nx + 1"))
        # not in the browser:
        # import torch
        x = 1
        # not in the browser:
        # y = torch.ones(x)
        x + 1
        """
        out = list(self.left_out(source))
        ends = {statement.end_lineno for statement in out}
        kept = [statement for statement in ast.parse(source).body if statement.end_lineno not in ends]
        if out and not kept:
            return None
        lines, before = source.split("\n"), None
        if out and isinstance(kept[-1], ast.Expr) and kept[-1].end_lineno < max(ends):
            i, end = kept[-1].end_lineno - 1, kept[-1].end_col_offset  # in bytes
            line = lines[i].encode()
            lines[i] = (line[:end] + b";" + line[end:]).decode()  # it was not the cell's result
        for statement in out:
            first = min(part.lineno for part in [statement, *getattr(statement, "decorator_list", [])]) - 1
            for i in range(first, statement.end_lineno):
                lines[i] = f"# {lines[i]}".rstrip()
            if before != first:
                lines[first] = f"# not in the browser:\n{lines[first]}"
            before = statement.end_lineno
        return "\n".join(lines)


# ---- what to show instead


def shown(cell):
    """A cell's outputs as comparable pieces, without pictures and the note on recorded results."""
    for output in cell.get("outputs", []):
        data = output.get("data") or {"text": output.get("text") or output.evalue}
        yield {kind: NOTE.sub("", text).strip() for kind, text in data.items() if kind not in PICTURES}


def as_markdown(cell, version):
    """A cell that shows the outputs of `cell` as text and attached pictures."""
    parts, attachments = [f"*With PyTorch {version}:*"], {}
    for output in cell.outputs:
        data = output.get("data", {})
        kind = next((kind for kind in PICTURES if kind in data), None)
        if kind:
            name = f"{len(attachments)}.{PICTURES[kind]}"
            svg = kind == "image/svg+xml"
            attachments[name] = {kind: base64.b64encode(data[kind].encode()).decode() if svg else data[kind]}
            described = "a graph" if svg else re.sub(r"[\s\[\]]+", " ", data["text/plain"])
            parts.append(f"![{described}](attachment:{name})")
        elif "text/html" in data:
            parts.append(data["text/html"])
        elif "text/markdown" in data or "text/latex" in data:
            parts.append(data.get("text/markdown") or data["text/latex"])
        else:
            parts.append(fenced(output.get("text") or data.get("text/plain") or output.evalue, "text"))
    made = new_markdown_cell("\n\n".join(parts), id=f"{cell.id}-with-pytorch"[:64])
    if attachments:
        made["attachments"] = attachments
    return made


def fenced(text, language):
    return f"```{language}\n{text.rstrip()}\n```"


def run(notebook, folder):
    """A copy of the notebook, run where the missing modules cannot be imported and `dot` cannot be found."""
    notebook = copy.deepcopy(notebook)
    notebook.cells.insert(0, new_code_cell(ABSENT))
    client = NotebookClient(
        notebook, kernel_name="python3", record_timing=False, timeout=120, coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    client.execute()
    del notebook.cells[0]
    return notebook


def read(path):
    """The notebook at `path`, but for the cell that installs the course in Colab."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", [])]
    return notebook


def without_missing(notebook):
    """A copy of the notebook without the statements that cannot run, and the ids of the cells that were cut."""
    notebook, cutter, cut = copy.deepcopy(notebook), Cutter(), set()
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        source = cutter.cut(cell.source)
        if source == cell.source:
            continue
        cut.add(cell.id)
        if source is None:
            notebook.cells[i] = new_markdown_cell(
                "*Not in the browser:*\n\n" + fenced(cell.source, "python"), id=cell.id
            )
        else:
            cell.source = source
    return notebook, cut


def edition(path, version):
    """The edition of the notebook at `path`, run to see that it runs.

    Raises ValueError where a cell that was not touched shows something else than in the book.
    """
    book = read(path)
    made, cut = without_missing(book)
    fresh = run(made, path.parent)
    cells = [new_markdown_cell(WELCOME, id="welcome"), new_code_cell(INSTALL, id="install")]
    for before, cell, after in zip(book.cells, made.cells, fresh.cells, strict=True):
        cells.append(cell)
        if cell.cell_type == "code" and {"hide-input", "hide-cell"} & set(cell.metadata.get("tags", [])):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if before.cell_type == "code" and [*shown(before)] != [*shown(after)]:
            if before.id not in cut:
                raise ValueError(f"{path.name}: cell {before.id!r} shows something else without PyTorch and Graphviz")
            if before.outputs:
                cells.append(as_markdown(before, version))
            if cell.cell_type == "code":
                cell.outputs = after.outputs
    made.cells = cells
    return made
