"""The versions that the book was built with, read at build time and stored nowhere."""

import platform
import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from docutils import nodes
from fresh_outputs import dot
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).parents[2]


def versions():
    """Pairs of a name and a version: Python, the engine, all it needs, Graphviz."""
    yield "Python", platform.python_version()
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for name in ["chainrule", *re.findall(r"^[a-z][\w-]*", requirements, re.MULTILINE)]:
        try:
            package = metadata(name)
            yield package["Name"], package["Version"]
        except PackageNotFoundError:
            yield name, "not installed"
    yield "Graphviz", (re.findall(r"[\d.]+", dot()) or ["not installed"])[0]


class TestedWith(SphinxDirective):
    """The versions as a list."""

    def run(self):
        self.env.note_reread()
        shown = nodes.bullet_list("", classes=["versions"])
        for name, version in versions():
            shown += nodes.list_item("", nodes.paragraph("", f"{name} {version}"))
        return [shown]


def setup(app):
    app.add_directive("tested-with", TestedWith)
    return {"parallel_read_safe": True}
