"""A picture of both directions at once: values on their way forth, cotangents on their way back.

The picture is made of the graph that `chainrule.draw` has found. It needs no Graphviz.
"""

from html import escape

from . import COTANGENT, INK, LINE, PRIMAL
from .spelling import RAISED, number

COLUMN, ROW = 102, 96  # from node to node
WIDE, HIGH = 54, 56  # a node
MARGIN = 10
GAP = COLUMN - WIDE
LANE = 5  # how far each direction lies beside the middle
SIGNS = {"Add": "+", "Sub": "−", "Mul": "×", "Div": "÷"}


def flow(graph, rows=None):
    """The picture of `graph`, which `draw(..., adjoints=True)` has made of numbers.

    rows  for the values that should not stand in the middle, how far below it, in rows: a dict by name

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> flow(cr.draw(y, adjoints=True)).text.partition("Back")[2]
    ': y to x 3, y to x 3. These add up to the derivative by x, 6.'
    """
    return Flow(graph, rows or {})


class Flow:
    """What `flow` returns: it shows itself as SVG, and as words where pictures are not shown."""

    def __init__(self, graph, rows):
        self.graph = graph
        column = {}
        for value in reversed(graph.nodes):
            column[value] = min((column[edge.target] for edge in value.uses), default=1) - 1
        first = min(column.values())
        column |= dict.fromkeys(self.leaves(), first)
        row = {value: rows.get(value.name, 0) for value in graph.nodes}
        top = min(row.values())
        self.place = {
            v: (COLUMN * (column[v] - first) + WIDE / 2 + MARGIN, ROW * (row[v] - top) + HIGH / 2 + MARGIN)
            for v in graph.nodes
        }
        self.width = COLUMN * -first + WIDE + 2 * MARGIN
        ends = {*self.leaves(), *graph.results}  # a number stands below these
        self.height = max(y + 26 * (v in ends) for v, (_, y) in self.place.items()) + HIGH / 2 + MARGIN

    @property
    def text(self):
        """The picture in words."""
        forth = ", ".join(f"{name_of(v)} {number(v.value)}" for v in self.graph.nodes)
        back = ", ".join(
            f"{name_of(e.target)} to {name_of(e.source)} {number(e.contribution)}" for e in reversed(self.graph.edges)
        )
        sums = ", ".join(f"the derivative by {v.name}, {number(v.adjoint)}" for v in self.leaves())
        return f"Values, computed forth: {forth}. Back: {back}. These add up to {sums}."

    def leaves(self):
        return [v for v in self.graph.nodes if v.kind == "leaf"]

    def svg(self):
        """The picture as SVG."""
        parts = [
            *map(self.lanes, self.graph.edges),
            *map(self.box, self.graph.nodes),
            *map(self.adjoint, [*self.leaves(), *self.graph.results]),
        ]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{1.35 * self.width:g}" height="{1.35 * self.height:g}" font-family="Helvetica,Arial,sans-serif" '
            f'font-size="19" text-anchor="middle">\n<title>Values forth, cotangents back</title>\n'
            f"<desc>{escape(self.text)}</desc>\n<defs>{head('forth', PRIMAL)}{head('back', COTANGENT)}</defs>\n"
            f'<rect width="100%" height="100%" rx="10" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>"
        )

    def lanes(self, edge):
        """An arrow forth, and one back that says what it brings."""
        (x0, y0), (x1, y1) = self.place[edge.source], self.place[edge.target]
        x0, x1 = x0 + WIDE / 2, x1 - WIDE / 2
        side = 0 if y1 == y0 else LANE if y1 > y0 else -LANE
        if side and x1 - x0 == GAP:
            x, y, anchor = x0 + GAP / 2 - 2.4 * side, (y0 + y1) / 2 + 12, "end" if side > 0 else "start"
        else:
            x, y, anchor = (x1 + max(x0, x1 - COLUMN)) / 2 + 6, y1 + LANE + 19, "middle"
        return (
            arrow((x0, y0 - LANE), (x1, y1 - LANE), side, forth=True)
            + arrow((x0, y0 + LANE), (x1, y1 + LANE), -side, forth=False)
            + f'<text x="{x:g}" y="{y:g}" fill="{COTANGENT}" text-anchor="{anchor}">{minus(edge.contribution)}</text>'
        )

    def box(self, value):
        x, y = self.place[value]
        return (
            f'<rect x="{x - WIDE / 2:g}" y="{y - HIGH / 2:g}" width="{WIDE}" height="{HIGH}" rx="9" fill="#ffffff" '
            f'stroke="{INK if value.kind == "leaf" or value.result else LINE}" stroke-width="1.5"/>\n'
            f'<text x="{x:g}" y="{y - 4:g}" fill="{INK}">{escape(name_of(value))}</text>\n'
            f'<text x="{x:g}" y="{y + 19:g}" fill="{PRIMAL}" font-weight="bold">{minus(value.value)}</text>'
        )

    def adjoint(self, value):
        """Where the way back begins and where it ends: the number it begins with, and the sum it ends with."""
        x, y = self.place[value]
        return (
            f'<text x="{x:g}" y="{y + HIGH / 2 + 22:g}" fill="{COTANGENT}" font-size="22" '
            f'font-weight="bold">{minus(value.adjoint)}</text>'
        )

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/svg+xml": self.svg(), "text/plain": self.text}


def head(name, colour):
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="4.5" markerHeight="4.5" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
    )


def arrow(left, right, side, forth):
    """An arrow that bends behind its left end; `side` keeps two of them apart where they are steep."""
    (x0, y0), (x1, y1) = left, right
    back, ahead = (2, 9) if forth else (9, 2)  # room, for a head where the arrow ends
    x0, turn, x1 = x0 + back, x0 + GAP - ahead, x1 - ahead
    x = (x0 + turn) / 2 + side
    if forth:
        path, colour, name = f"M{x0:g} {y0:g}C{x:g} {y0:g} {x:g} {y1:g} {turn:g} {y1:g}H{x1:g}", PRIMAL, "forth"
    else:
        path, colour, name = f"M{x1:g} {y1:g}H{turn:g}C{x:g} {y1:g} {x:g} {y0:g} {x0:g} {y0:g}", COTANGENT, "back"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2" marker-end="url(#{name})"/>\n'


def minus(x):
    return number(x).replace("-", "−")


def name_of(value):
    """What stands in a box: a name, a short formula as in mathematics, or the sign of an operation."""
    if value.named:
        return value.name
    a, b = (*value.inputs, None)[:2]
    if value.op.name == "Pow" and isinstance(b, float | int):
        return name_of(a.source) + number(b).translate(RAISED)
    if value.op.name == "Mul" and isinstance(a, float | int):
        return number(a) + name_of(b.source)
    if value.op.name == "Mul" and isinstance(b, float | int):
        return number(b) + name_of(a.source)
    return SIGNS.get(value.op.name, value.operation)
