"""Graphs as one writes them on a blackboard: nodes, arrows, and what is known of them.

`chainrule.draw` shows the graph that a program has left on the tape. Here the graph is given
as a dictionary, and looks the same.
"""

from html import escape

from . import COTANGENT, FONT, INK, LINE, PRIMAL, QUIET, TABLE, TANGENT
from .picture import Drawing
from .spelling import listed, number

COLOURS = {"value": PRIMAL, "tangent": TANGENT, "adjoint": COTANGENT}


def graph(arrows, local=None, values=None, tangents=None, adjoints=None, rankdir="LR"):
    """A graph that shows itself: as a picture in a notebook, as DOT text anywhere else.

    arrows    a dict from each node to the list of nodes that its arrows lead to
    local     a dict from arrows, as pairs of nodes, to local derivatives
    values    a dict from nodes to what they are worth; `tangents` and `adjoints` likewise
    rankdir   "LR" for arrows to the right, "TB" for arrows down

    >>> print(graph({"x": ["y"], "y": []}, {("x", "y"): 4}, values={"x": 2, "y": 4}).text)
    Graph of 2 nodes and 1 arrow. x, value 2; arrow to y with local derivative 4. y, value 4.
    """
    beside = {"value": values or {}, "tangent": tangents or {}, "adjoint": adjoints or {}}
    return Blackboard(arrows, local or {}, beside, rankdir)


class Blackboard(Drawing):
    """What `graph` returns. `dot` is the drawing as text, `text` says in words what it shows."""

    title = "A graph"

    def __init__(self, arrows, local, beside, rankdir):
        self.arrows, self.local, self.beside, self.rankdir = arrows, local, beside, rankdir

    @property
    def dot(self):
        """The drawing in DOT, the language of Graphviz."""
        return "\n".join(["digraph {", *(f"  {line}" for line in self.lines()), "}"])

    def lines(self):
        yield f"graph [rankdir={self.rankdir} bgcolor=transparent pad=0.1 nodesep=0.25 ranksep=0.45 {FONT}]"
        yield (
            f'node [shape=box style="rounded,filled" fillcolor="#ffffff" color="{LINE}" fontcolor="{INK}" '
            f'margin="0.1,0.05" height=0.3 width=0.3 {FONT} fontsize=12]'
        )
        yield f'edge [color="{LINE}" arrowsize=0.6 {FONT} fontsize=11 fontcolor="{QUIET}"]'
        for n in self.arrows:
            yield f'"{n}" [label=<{self.label(n)}>]'
        for n, m in self.pairs():
            yield f'"{n}" -> "{m}"' + (f' [label=" {number(self.local[n, m])} "]' if (n, m) in self.local else "")

    def pairs(self):
        return [(n, m) for n in self.arrows for m in self.arrows[n]]

    def label(self, n):
        rows = [f"<b>{escape(n)}</b>"]
        for kind, numbers in self.beside.items():
            if n in numbers:
                words = number(numbers[n]) if kind == "value" else f"{kind} {number(numbers[n])}"
                rows.append(f'<font color="{COLOURS[kind]}">{words}</font>')
        return TABLE.format("".join(f"<tr><td>{row}</td></tr>" for row in rows))

    @property
    def text(self):
        """The drawing in words."""
        count = len(self.pairs())
        opening = f"Graph of {len(self.arrows)} nodes and {count} arrow{'' if count == 1 else 's'}."
        return " ".join([opening, *map(self.sentence, self.arrows)])

    def sentence(self, n):
        parts = [n, *(f"{kind} {number(numbers[n])}" for kind, numbers in self.beside.items() if n in numbers)]
        heads = [
            m + (f" with local derivative {number(self.local[n, m])}" if (n, m) in self.local else "")
            for m in self.arrows[n]
        ]
        arrows = f"; arrow{'' if len(heads) == 1 else 's'} to {listed(heads)}" if heads else ""
        return ", ".join(parts) + arrows + "."
