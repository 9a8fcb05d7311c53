"""Run the book's notebooks and the assignments' masters and store their outputs, the same bytes on every run.

    python tools/notebooks.py [--check] [notebook ...]

Without names, every notebook under book/ and assignments/, and PyTorch's recorded results
are written anew (with names, new ones are added). With --check nothing is written: the command
fails if a stored notebook differs from a new run of it (pictures aside, which depend on
the versions of Graphviz and Matplotlib).

Each notebook of the book begins with book/first_cell.py. A REPOSITORY_URL in the environment is written into
that cell: there, a notebook that Colab did not open from GitHub finds the course.
"""

import argparse
import copy
import os
import re
import sys
import unicodedata
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "src/chainrule/crosscheck/recorded.json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "pygments_lexer": "ipython3"}
CELL_METADATA = {"cellView", "jupyter", "mystnb", "slideshow", "tags"}
FIRST_CELL = (ROOT / "book" / "first_cell.py").read_text(encoding="utf-8").rstrip()
FOLDED = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "mystnb": {"code_prompt_hide": "Hide", "code_prompt_show": "To run this page in Colab"},
    "tags": ["hide-input", "install"],
}
PICTURES = {"image/svg+xml", "image/png", "image/jpeg"}


def every_notebook():
    found = [*(ROOT / "book").rglob("*.ipynb"), *(ROOT / "assignments").glob("*.ipynb")]
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def slug(heading):
    """A heading as part of a cell id.

    >>> slug("## Où va f'(x)? From 1 to 2")
    'ou-va-f-x-from-1-to-2'
    """
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:48].strip("-")


def name_cells(cells):
    """Give each cell the nearest heading above it and a number as its id."""
    name, counts = "start", {}
    for cell in cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ .*$", cell.source, re.MULTILINE)
            name = slug(headings[0]) or name if headings else name
        counts[name] = counts.get(name, 0) + 1
        cell["id"] = f"{name}-{counts[name]}"


def home(env=os.environ):
    """The address that is to be written into the first cells; None to leave what is there."""
    address = env.get("REPOSITORY_URL")
    if address and not re.fullmatch(r'https://[\w.-]+(:\d+)?/[^@:\s"]+(@[^@:\s"]+)?', address):
        raise ValueError("REPOSITORY_URL must look like https://github.com/OWNER/NAME, and hold no password")
    return address


def begin(notebook, home=None):
    """Let a notebook begin with the first cell, which keeps the address it has unless `home` is another."""
    stored = notebook.cells.pop(0).source if "install" in notebook.cells[0].metadata.get("tags", []) else ""
    written = re.search(r'^install\("(.*)"\)$', stored, re.MULTILINE)
    home = home or (written and written[1])
    last_line = f'install("{home}")' if home else "install()"
    source = re.sub(r"^install\(\)$", last_line, FIRST_CELL, flags=re.MULTILINE)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(source, metadata=FOLDED))
    return notebook


def normalise(notebook):
    """Keep what an author wrote and a cell printed; drop what an editor noted down."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    name_cells(notebook.cells)
    for cell in notebook.cells:
        kept = CELL_METADATA & set(cell.metadata)
        cell.metadata = nbformat.from_dict({k: cell.metadata[k] for k in sorted(kept)})
    return notebook


def run(notebook, path, check=False):
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        record_timing=False,
        timeout=120,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env={**os.environ, "CHAINRULE_RECORD": "compare" if check else "write"})
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise ValueError(f"cell {cell.id!r} wrote to stderr:\n{output.text}")
    return normalise(notebook)


def without_pictures(notebook):
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for picture in PICTURES & set(output.get("data", {})):
                output.data[picture] = ""
    return nbformat.writes(notebook)


def refresh(path, check):
    """True if the stored notebook is what a new run gives, or has been made so."""
    stored = nbformat.read(path, as_version=4)
    fresh = copy.deepcopy(stored)
    if path.is_relative_to(ROOT / "book"):
        begin(fresh, home())
    fresh = run(normalise(fresh), path, check)
    if check:
        return without_pictures(fresh) == without_pictures(stored)
    nbformat.validate(fresh)
    path.write_text(nbformat.writes(fresh) + "\n", encoding="utf-8")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("notebooks", nargs="*", type=Path)
    arguments = parser.parse_args()
    failed = False
    if not (arguments.check or arguments.notebooks):
        RECORDS.unlink(missing_ok=True)
    for path in map(Path.resolve, arguments.notebooks or every_notebook()):
        name = path.relative_to(ROOT)
        try:
            fresh = refresh(path, arguments.check)
            print(name if fresh else f"{name}: stored outputs are stale")
            failed |= not fresh
        except (CellExecutionError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
