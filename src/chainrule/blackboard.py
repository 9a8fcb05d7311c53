"""Graphs as one writes them on a blackboard: nodes, arrows, and what is known of them.

`chainrule.draw` shows the graph that a program has left on the tape. Here the graph is given
as a dictionary, and looks the same.
"""

import re
from html import escape

from .draw import COTANGENT, FONT, INK, LINE, PRIMAL, QUIET, render
from .spelling import listed, number

TANGENT = "#007a5a"


def graph(arrows, local=None, *, values=None, tangents=None, cotangents=None, path=(), rankdir="LR"):
    """A graph that shows itself: as a picture in a notebook, as DOT text anywhere else.

    arrows    a dict from each node to the list of nodes that its arrows lead to
    local     a dict from arrows, as pairs of nodes, to local derivatives
    values    a dict from nodes to what they are worth; `tangents` and `cotangents` likewise
    path      the nodes along a way that is to stand out
    rankdir   where the last node stands: "LR" at the right of the first, "TB" below it

    >>> g = graph({"x": ["y"], "y": []}, {("x", "y"): 4}, values={"x": 2, "y": 4})
    >>> g.text
    'Graph of 2 nodes and 1 arrow. x, value 2; arrow to y with local derivative 4. y, value 4.'
    """
    return Blackboard(arrows, local or {}, values or {}, tangents or {}, cotangents or {}, list(path), rankdir)


class Blackboard:
    """What `graph` returns. `dot` is the drawing as text, `text` says in words what it shows."""

    def __init__(self, arrows, local, values, tangents, cotangents, path, rankdir):
        self.arrows, self.local, self.values, self.rankdir = arrows, local, values, rankdir
        self.tangents, self.cotangents, self.path = tangents, cotangents, path
        self.marked = set(zip(path, path[1:], strict=False))

    @property
    def dot(self):
        """The drawing in DOT, the language of Graphviz."""
        return "\n".join(["digraph {", *(f"  {line}" for line in self.lines()), "}"])

    def lines(self):
        yield f"graph [rankdir={self.rankdir} bgcolor=transparent pad=0.1 nodesep=0.3 ranksep=0.55 {FONT}]"
        yield (
            f'node [shape=box style="rounded,filled" fillcolor="#ffffff" margin="0.14,0.07" height=0.3 width=0.45 '
            f'color="{LINE}" fontcolor="{INK}" {FONT} fontsize=12]'
        )
        yield f'edge [color="{LINE}" arrowsize=0.6 {FONT} fontsize=11 fontcolor="{QUIET}"]'
        for n in self.arrows:
            style = f' color="{PRIMAL}" penwidth=2.5' if n in self.path else ""
            yield f'"{n}" [label=<{self.label(n)}>{style}]'
        for n in self.arrows:
            for m in self.arrows[n]:
                style = [f'label=" {number(self.local[n, m])} "'] if (n, m) in self.local else []
                if (n, m) in self.marked:
                    style.append(f'color="{PRIMAL}" penwidth=2.5 fontcolor="{PRIMAL}"')
                yield f'"{n}" -> "{m}"' + (f" [{' '.join(style)}]" if style else "")

    def label(self, n):
        rows = [f"<b>{escape(n)}</b>"]
        for numbers, colour, word in (
            (self.values, PRIMAL, ""),
            (self.tangents, TANGENT, "tangent "),
            (self.cotangents, COTANGENT, "adjoint "),
        ):
            if n in numbers:
                rows.append(f'<font color="{colour}">{word}{escape(number(numbers[n]))}</font>')
        return "<br/>".join(rows)

    @property
    def text(self):
        """The drawing in words."""
        count = sum(map(len, self.arrows.values()))
        words = [f"Graph of {len(self.arrows)} nodes and {count} arrow{'' if count == 1 else 's'}."]
        words += [self.sentence(n) for n in self.arrows]
        if self.path:
            words.append(f"Highlighted: the way {' to '.join(self.path)}.")
        return " ".join(words)

    def sentence(self, n):
        parts = [n]
        for numbers, name in ((self.values, "value"), (self.tangents, "tangent"), (self.cotangents, "cotangent")):
            if n in numbers:
                parts.append(f"{name} {number(numbers[n])}")
        ways = [
            m + (f" with local derivative {number(self.local[n, m])}" if (n, m) in self.local else "")
            for m in self.arrows[n]
        ]
        arrows = f"; arrow{'' if len(ways) == 1 else 's'} to {listed(ways)}" if ways else ""
        return ", ".join(parts) + arrows + "."

    def __repr__(self):
        return self.dot

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/plain": self.dot}
        picture = render(self.dot, "svg")
        if picture is not None:
            bundle["image/svg+xml"] = self.accessible(picture.decode())
        return bundle

    def accessible(self, svg):
        """The SVG with a role and with the words for who cannot see it."""
        svg = re.sub(r"<!--.*?-->\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
        svg = re.sub(r"<title>.*?</title>\n?|(?<=<g) id=\"[^\"]*\"", "", svg)
        head = f"<title>A graph</title>\n<desc>{escape(self.text)}</desc>\n"
        svg = svg.replace("<svg ", '<svg role="img" class="chainrule-graph" ', 1)
        return re.sub(r"(<svg [^>]*>\n?)", lambda m: m[1] + head, svg, count=1)
