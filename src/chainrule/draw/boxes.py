"""The picture of a graph that a script can light up part by part: boxes and lines, as SVG."""

import unicodedata
from html import escape
from itertools import pairwise

from . import opening
from .layers import layout
from .speech import short
from .spelling import mathematical

HIGH, MARGIN = 70, 8


class Boxes:
    """The picture of `graph`, with all that is known in the end.

    rankdir  "LR", "TB", "RL" or "BT"
    kind     "adjoint" or "tangent": what the third line of a box says
    known    for a Value all that this line says, one after the other
    """

    def __init__(self, graph, rankdir, kind, known):
        self.graph, self.rankdir, self.kind, self.known = graph, rankdir, kind, known
        self.cuts = [value for value in graph.nodes if value.twin is not None]
        self.links = [(e.source, e.target) for e in graph.edges] + [(v.twin, v) for v in self.cuts]

    @property
    def svg(self) -> str:
        """The graph with all that is known in the end."""
        level, turned = self.rankdir in ("LR", "RL"), self.rankdir in ("RL", "BT")
        size = lambda v: (self.width(v), HIGH) if level else (HIGH, self.breadth(v))
        room = [7 * len(self.label(i)) if level else 14 * bool(self.label(i)) for i in range(len(self.links))]
        place, routes = layout(self.graph.nodes, self.links, size, room)
        length = max(place[v][0] + size(v)[0] / 2 for v in place)
        across = max([place[v][1] + size(v)[1] / 2 for v in place] + [y for route in routes for _, y in route])

        def at(x, y):
            x = length - x if turned else x
            return (x + MARGIN, y + MARGIN) if level else (y + MARGIN, x + MARGIN)

        lines = [Line([at(*point) for point in route], level, turned) for route in routes]
        parts = [self.edge(i, line, at(*place[self.links[i][0]])) for i, line in enumerate(lines)]
        parts += [self.box(v, *at(*place[v])) for v in self.graph.nodes]
        width, height = (round(x) + 2 * MARGIN for x in ((length, across) if level else (across, length)))
        words = escape(f"{opening(self.graph)} The table below says its values and {self.kind}s step by step.")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{words}" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" style="min-width:{round(0.85 * width)}px">\n'
            + "\n".join(parts)
            + "\n</svg>"
        )

    def width(self, value):
        """How wide a box has to be for its three lines."""
        lines = [title(value), short(value.value, value.shape), *self.known.get(value, [])]
        return 18 + 2 * round(4 * max(map(letters, lines)))

    def breadth(self, value):
        """How wide a box has to be, with what stands on the lines below it."""
        words = max((letters(self.label(i)) for i, (source, _) in enumerate(self.links) if source is value), default=0)
        return max(self.width(value), round(0.5 * self.width(value)) + 2 * (9 + 7 * words))

    def box(self, value, x, y):
        w, (first, rest) = self.width(value), title(value, parts=True)
        third = ""
        if value in self.known:
            third = f'<text class="{self.kind}" x="{x:g}" y="{y + 26:g}">{escape(self.known[value][-1])}</text>'
        return (
            f'<g class="box {value.kind}">'
            f'<rect x="{x - w / 2:g}" y="{y - HIGH / 2:g}" width="{w}" height="{HIGH}" rx="8"/>'
            f'<text x="{x:g}" y="{y - 16:g}"><tspan class="name">{escape(first)}</tspan>{escape(rest)}</text>'
            f'<text class="value" x="{x:g}" y="{y + 5:g}">{escape(short(value.value, value.shape))}</text>{third}</g>'
        )

    def label(self, i):
        """What a link brings on the way back, if that is short."""
        edge = self.graph.edges[i] if i < len(self.graph.edges) else None
        words = "" if edge is None or edge.contribution is None else short(edge.contribution)
        return words if len(words) <= 10 else ""

    def edge(self, i, line, middle):
        """A link: a line with a head for the way forward, one for the way back, and what it brings.

        middle  of the box where it begins
        """
        if i >= len(self.graph.edges):
            return f'<g class="edge cut"><path d="{line.path}"/><path class="bar" d="{line.bar}"/></g>'
        words, (source, _) = self.label(i), self.links[i]
        alone = sum(a is source for a, _ in self.links) == 1
        x, y = line.beside(words, line.side(middle) or alone)
        label = words and f'<text x="{x:g}" y="{y:g}">{escape(words)}</text>'
        return (
            f'<g class="edge"><path d="{line.path}"/><path class="tip" d="{line.tip}"/>'
            f'<path class="tail" d="{line.tail}"/>{label}</g>'
        )


class Line:
    """A line from one box to another, as SVG paths: `path`, a head at either end, a bar before the end.

    points  from `layout`
    level   whether the layers follow each other from side to side, not up and down
    turned  whether they do so from right to left, or upward
    """

    def __init__(self, points, level, turned):
        self.level, self.way = level, -1 if turned else 1
        start, *between, end = points
        self.tip, self.tail = self.head(end, -self.way), self.head(start, self.way)
        self.start = start
        x, y = self.moved(end, -5)
        self.bar = f"M{x:g} {y - 7:g}v14" if level else f"M{x - 7:g} {y:g}h14"
        self.path = self.curve([self.moved(start, 3), *between, self.moved(end, -3)])

    def side(self, middle):
        """Whether the line begins left of the middle of a box (-1), there (0) or right of it (1)."""
        return (self.start[0] > middle[0]) - (self.start[0] < middle[0])

    def beside(self, words, side):
        """Where words about the line stand: at its beginning, above a level line, else on a side of it or (0) on it."""
        x, y = self.start
        if self.level:
            return x + (12 + 3.5 * len(words)) * self.way, y - 3
        return x + (9 + 3.5 * len(words)) * side, y + 11 * self.way + 4

    def moved(self, point, distance):
        x, y = point
        return (x + distance * self.way, y) if self.level else (x, y + distance * self.way)

    def head(self, point, way):
        x, y = point
        return f"M{x:g} {y:g}l{8 * way} -4v8z" if self.level else f"M{x:g} {y:g}l-4 {8 * way}h8z"

    def curve(self, points):
        """A path that leaves and arrives along the layers' direction."""
        path = "M{:g} {:g}".format(*points[0])
        for (x0, y0), (x1, y1) in pairwise(points):
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            bend = f"{x:g} {y0:g} {x:g} {y1:g}" if self.level else f"{x0:g} {y:g} {x1:g} {y:g}"
            path += f"L{x1:g} {y1:g}" if x0 == x1 or y0 == y1 else f"C{bend} {x1:g} {y1:g}"
        return path


def title(value, parts=False):
    """The first line of a box: the name, and how it was made."""
    made = f"{value.twin.name}.detach()" if value.twin is not None else mathematical(value.formula)
    rest = f" = {made}" if made and letters(made) <= 24 else ""
    return (value.name, rest) if parts else value.name + rest


def letters(words):
    """How many characters stand beside each other."""
    return sum(not unicodedata.combining(c) for c in words)
