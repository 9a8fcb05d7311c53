"""Make a deck of slides of each chapter, from the outputs stored in its notebook.

    python tools/slides.py

On a slide stand the cells that are marked for it (`slideshow` in their metadata: `slide` begins one, `-` goes
on, `fragment` appears with the next key), under the heading of the section that they are from.
"""

import re
import shutil
from importlib.metadata import files
from pathlib import Path

import nbformat
import yaml
from nbconvert import SlidesExporter
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
DECKS = ROOT / "_build" / "html" / "slides"
DESIGN = Path(__file__).with_name("deck")
SHOWN = {"slide", "subslide", "fragment", "-"}
LINES = 9  # of code above the table or picture that they make
ROOM = 560  # pixels for both, below the heading
PAGE = re.compile(r"\]\(([\w/]+)\.(?:md|ipynb)(#[\w-]+)?\)")  # a link to another page of the book
CONFIG = Config(
    {
        "SlidesExporter": {
            "template_name": "reveal",
            "template_file": str(DESIGN / "deck.html.j2"),
            "exclude_input_prompt": True,
            "exclude_output_prompt": True,
            "exclude_anchor_links": True,
        },
        "TagRemovePreprocessor": {"enabled": True, "remove_input_tags": ["hide-input"]},
    }
)


def chapters():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [ROOT / f"{chapter['file']}.ipynb" for chapter in toc["parts"][0]["chapters"]]


def kind(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "skip")


def crowded(cell):
    """Whether the code of a cell leaves too little room for what it shows."""
    shown = [output.data for output in cell.get("outputs", []) if set(output.get("data", {})) - {"text/plain"}]
    if any('class="cr-step"' in data.get("text/html", "") for data in shown):
        return True
    graphs = "".join(data.get("image/svg+xml", "") for data in shown)
    tallest = max(map(float, re.findall(r'<svg[^>]* height="([\d.]+)pt"', graphs)), default=0)
    lines = cell.source.count("\n") + 1
    return bool(shown) and (lines > LINES or 27 * lines + 2.1 * tallest > ROOM)


def marked(notebook):
    """The cells on slides, with the heading of its section above each slide that brings none."""
    heading, kept = "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^#+ (.*)$", cell.source, re.MULTILINE) or [heading])[-1]
        if kind(cell) not in SHOWN:
            continue
        if kind(cell) == "slide" and not cell.source.startswith("#"):
            kept.append(nbformat.v4.new_markdown_cell(f"## {heading}", metadata={"slideshow": cell.metadata.slideshow}))
            cell.metadata = cell.metadata | {"slideshow": {"slide_type": "-"}}
        if crowded(cell):
            cell.metadata = cell.metadata | {"tags": ["hide-input"]}
        kept.append(cell)
    return kept


def deck(path, number):
    """The deck of a chapter, as HTML."""
    notebook = nbformat.read(path, as_version=4)
    words = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    title = words[0].source.splitlines()[0].removeprefix("# ")
    for cell in words:
        cell.source = PAGE.sub(r"](../book/\1.html\2)", cell.source)
    notebook.cells = marked(notebook)
    resources = {"title": title, "number": number, "metadata": {"name": path.stem}}
    return SlidesExporter(config=CONFIG).from_notebook_node(notebook, resources)[0]


def packaged(package, end):
    [found] = [file for file in files(package) if str(file).endswith(end)]
    return found.locate()


def main():
    DECKS.mkdir(parents=True, exist_ok=True)
    for script in [
        packaged("sphinx-mathjax-offline", "tex-svg-full.js"),
        packaged("sphinx-revealjs", "dist/reveal.js"),
        packaged("sphinx-revealjs", "dist/reveal.css"),
        DESIGN / "deck.css",
    ]:
        shutil.copy(script, DECKS)
    colours = HtmlFormatter(style="a11y-light").get_style_defs(".highlight")
    (DECKS / "code.css").write_text(colours, encoding="utf-8")
    for number, path in enumerate(chapters(), 1):
        (DECKS / f"{path.stem}.html").write_text(deck(path, number), encoding="utf-8")


if __name__ == "__main__":
    main()
