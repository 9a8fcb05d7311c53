"""What all drawings have in common: they show themselves as a picture, or as text where there is no Graphviz."""

import pathlib
import re
import subprocess
from html import escape

from . import in_page


class Drawing:
    """A graph that shows itself: as a picture in a notebook, as DOT text (the language of Graphviz) anywhere else.

    A subclass has `dot`, the drawing in DOT; `title`, what it is, in a few words; `text`, what it shows, in words.
    """

    @property
    def tips(self):
        """What is said of a box when the pointer rests on it, by the box's name in `dot`."""
        return {}

    def svg(self):
        """The picture, as SVG that carries `text` as its alternative.

        Raises RuntimeError where Graphviz or the package `graphviz` is missing.
        """
        picture = render(self.dot, "svg")
        if picture is None:
            raise RuntimeError(
                "no picture without Graphviz: install its program `dot` (apt install graphviz, or brew install "
                "graphviz) and the package that calls it (pip install graphviz). The attribute .dot works without"
            )
        return accessible(picture.decode(), self)

    def save(self, path):
        """Write the drawing to a file: .svg, .png or .pdf, or .dot and .gv for the text.

        Raises ValueError for another ending, RuntimeError where a picture needs Graphviz.
        """
        path = pathlib.Path(path)
        kind = path.suffix[1:]
        if kind in ("dot", "gv"):
            path.write_text(self.dot + "\n", encoding="utf-8")
        elif kind in ("svg", "png", "pdf"):
            path.write_bytes(self.svg().encode() if kind == "svg" else self.svg() and render(self.dot, kind))
        else:
            raise ValueError(f"cannot write {path.name!r}: the ending says how, one of .svg, .png, .pdf, .dot, .gv")

    def __repr__(self):
        return self.dot

    def _repr_mimebundle_(self, include=None, exclude=None):
        picture = render(self.dot, "svg")
        svg = {} if picture is None else {"image/svg+xml": accessible(picture.decode(), self)}
        return {"text/plain": self.dot, **svg}


def render(dot, kind):
    """The picture that Graphviz makes of `dot`, as bytes; None where Graphviz cannot be had."""
    try:
        import graphviz
    except ImportError:
        return in_page.render(dot, kind)
    try:
        return graphviz.pipe("dot", kind, dot.encode(), quiet=True)
    except (graphviz.ExecutableNotFound, subprocess.CalledProcessError, OSError):
        return None


def accessible(svg, drawing):
    """The SVG without what differs between versions, with a role, a title and a description for who cannot see it."""
    tips = {name: f"<title>{escape(words)}</title>\n" for name, words in drawing.tips.items()}
    svg = re.sub(r"<!--.*?-->\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' id="[^"]*"', "", svg)
    svg = re.sub(r"<title>(.*?)</title>\n?", lambda m: tips.get(m[1], ""), svg)
    head = f"<title>{escape(drawing.title)}</title>\n<desc>{escape(drawing.text)}</desc>\n"
    svg = re.sub(r"<svg ", '<svg role="img" class="chainrule-graph" ', svg, count=1)
    return re.sub(r"(<svg [^>]*>\n?)", lambda m: m[1] + head, svg, count=1)
