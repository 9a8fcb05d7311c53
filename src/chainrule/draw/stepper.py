"""A graph that one steps through: every value on the way forward, every adjoint on the way back.

The figure is one piece of HTML that needs nothing else: no kernel, no network, no Graphviz. Its
script makes the controls; where scripts do not run, a table of all steps is left.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from html import escape
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..course import Table
from ..tensor import Tensor
from . import check, opening, seeds, visible
from .diagram import Diagram
from .layers import layout
from .spelling import listed, mathematical
from .steps import backward, barred, dotted, forward, short, tangents_forward
from .survey import Names, Survey

MOST = 40  # values: more is no longer a figure
HIGH, MARGIN = 70, 8
LOST = (
    "step needs what the tape has kept, and a backward pass has let go of it, or it was overwritten. "
    "Step through the graph before backward(), or pass retain_graph=True to it"
)
DARK = (
    "--card:#1b1f24;--ink:#e6e9ed;--quiet:#a9b0ba;--line:#7d8590;--box:#262b32;--edge:#3a4048;--primal:#56b4e9;"
    "--tangent:#3fc79a;--cotangent:#ff9a56;--p:#16364a;--t:#123d30;--c:#4a2a12"
)


def step(
    y: Tensor | Sequence[Tensor],
    *,
    names: dict[str, Tensor] | None = None,
    mode: str = "reverse",
    fold: bool = False,
    gradient: Tensor | ArrayLike | None = None,
    tangents: dict[str, ArrayLike] | None = None,
    rankdir: str = "LR",
) -> "Stepper":
    """The graph behind `y` as a figure to step through: the values forward, then the adjoints backward.

    y         a Tensor, or a tuple of Tensors; before a backward pass, which lets go of arrays
    names     a dict from names to Tensors, for values that no variable of the caller holds
    mode      "reverse": values forward, adjoints backward; "forward": values and tangents together
    fold      show only values with a name of the user's, as `draw` does
    gradient  the cotangent of y to start from, in the shape of y; 1 for one number
    tangents  with mode="forward", a dict from names of leaves to the tangents to start from, 0 where
              none is given; not needed where the only leaf is one number: 1
    rankdir   where the results stand: "LR" at the right of the inputs, "TB" below them

    Returns a Stepper. In a notebook it shows itself, with Back, Next, Play, a slider, and the keys
    ← → Home End and space; printed, it is the table of all steps. The tape is only read: no `.grad`
    changes, nothing is let go.

    Raises TypeError if y is no Tensor; ValueError for a graph of more than 40 values, for another
    `mode` or `rankdir`, or where tangents are needed; RuntimeError if y is not one number and no
    `gradient` was given, or if a value that the steps need is no longer held.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> y = x * x
    >>> cr.step(y)
    step | way      | what happens
    1    | forward  | leaf x = 3
    2    | forward  | y = x · x = 3 · 3 = 9
    3    | backward | The way back starts with ȳ = 1
    4    | backward | x̄ gets ȳ · x = 1 · 3 = 3
    5    | backward | x̄ gets ȳ · x = 1 · 3 = 3
    6    | backward | x̄: 3 + 3 = 6
    """
    outputs = list(y) if isinstance(y, tuple | list) else [y]
    check(outputs, rankdir, "step")
    if mode not in ("reverse", "forward"):
        raise ValueError(f'mode is "reverse" or "forward", not {mode!r}')
    called = Names({**(names or {}), **visible(sys._getframe(1), names or {})})
    graph = Diagram(Survey(outputs, called, 2000), fold)
    if (count := len(graph.nodes) + graph.left_out) > MOST:
        raise ValueError(
            f"step shows at most {MOST} values, and this graph has {count}: step through a part of it "
            f"(a result in between, fewer repetitions){'' if fold else ', or pass fold=True'}"
        )
    if mode == "forward":
        if any(edge.source.node is not None and edge.derivative is None for edge in graph.edges):
            raise RuntimeError(LOST)
        return Stepper(graph, list(tangents_forward(graph, starts(graph, tangents))), rankdir, dotted)
    found = seeds(outputs, gradient)
    graph.find_adjoints(found)
    if any(value.active and value.adjoint is None for value in graph.nodes):
        raise RuntimeError(LOST)
    started = [(value, t) for value, t in zip(graph.results, found, strict=True) if t is not None]
    return Stepper(graph, [*forward(graph), *backward(graph, started)], rankdir, barred)


def starts(graph, tangents):
    """The tangents of the leaves, by Value."""
    leaves = [value for value in graph.nodes if value.kind == "leaf"]
    if tangents is None:
        if len(leaves) != 1 or leaves[0].shape:
            raise ValueError(
                f"forward mode needs a direction: tangents={{name: tangent}} for {listed(v.name for v in leaves)}"
            )
        tangents = {leaves[0].name: 1.0}
    given = {graph[name]: np.asarray(t, float)[()] for name, t in tangents.items()}
    for value, t in given.items():
        if value.kind != "leaf" or np.shape(t) != value.shape:
            raise ValueError(
                f"{value.name} has no tangent of shape {np.shape(t)}: it is a {value.kind} of shape {value.shape}"
            )
    return {value: given.get(value, np.zeros(value.shape)[()]) for value in leaves}


class Stepper:
    """What `step` returns: a figure that shows itself, and `steps`, what it shows in order."""

    def __init__(self, graph, steps, rankdir, mark):
        self.graph, self.steps, self.rankdir, self.mark = graph, steps, rankdir, mark
        self.last = {step.value: step.shown for step in steps if step.shown}
        self.number = {value: i for i, value in enumerate(graph.nodes)}
        self.cuts = [value for value in graph.nodes if value.twin is not None]
        self.links = [(e.source, e.target) for e in graph.edges] + [(v.twin, v) for v in self.cuts]

    def __repr__(self):
        return repr(Table(["step", "way", "what happens"], [[i, s.way, s.words] for i, s in enumerate(self.steps, 1)]))

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "text/html": self.html}

    @property
    def html(self) -> str:
        """The figure, complete in itself."""
        style = re.sub(r"\s+", " ", read("stepper.css").replace("DARK", DARK))
        return (
            f'<div class="cr-step" role="group" aria-label="Steps through a graph" data-start="{escape(self.start)}">\n'
            f"<style>{style}</style>\n"
            f'<div class="graph" role="group" aria-label="Graph">{self.svg}</div>\n'
            f"<details open><summary>All {len(self.steps)} steps in words</summary>\n{self.table}</details>\n"
            f"<script>\n{re.sub(r'(?m)^ +', '', read('stepper.js'))}</script>\n</div>"
        )

    @property
    def start(self):
        """What is said before the first step."""
        values = f"{len(self.graph.nodes)} values forward"
        back = sum(s.way == "backward" for s in self.steps)
        return f"{values}, then {back} steps back." if back else f"{values}."

    @property
    def table(self):
        rows = "\n".join(map(self.row, range(len(self.steps))))
        head = "".join(f'<th scope="col">{words}</th>' for words in ("step", "way", "what happens"))
        return f'<div class="rows"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>'

    def row(self, i):
        s = self.steps[i]
        lit = [self.graph.edges.index(e) for e in s.edges]
        if s.value in self.cuts and not s.edges:
            lit = [len(self.graph.edges) + self.cuts.index(s.value)]
        data = f' data-e="{" ".join(map(str, lit))}"' if lit else ""
        data += f' data-t="{escape(self.known(s.value, s.shown))}"' if s.shown else ""
        return (
            f'<tr class="{s.way}" data-v="{self.number[s.value]}"{data}><td>{i + 1}</td><td>{s.way}</td>'
            f"<td>{emphasised(escape(s.words))}</td></tr>"
        )

    def known(self, value, shown):
        return f"{self.mark(value.name)} = {shown}"

    # ---- the picture

    @cached_property
    def svg(self) -> str:
        """The graph with all that is known in the end."""
        level, turned = self.rankdir in ("LR", "RL"), self.rankdir in ("RL", "BT")
        size = lambda v: (self.width(v), HIGH) if level else (HIGH, self.width(v))
        room = [7 * len(self.label(i)) if level else 0 for i in range(len(self.links))]
        place, routes = layout(self.graph.nodes, self.links, size, room)
        length = max(place[v][0] + size(v)[0] / 2 for v in place)
        across = max([place[v][1] + size(v)[1] / 2 for v in place] + [y for route in routes for _, y in route])

        def at(x, y):
            x = length - x if turned else x
            return (x + MARGIN, y + MARGIN) if level else (y + MARGIN, x + MARGIN)

        lines = [
            Line([at(*point) for point in route], at(*place[source]), level, turned)
            for (source, _), route in zip(self.links, routes, strict=True)
        ]
        parts = [self.edge(i, line) for i, line in enumerate(lines)]
        parts += [self.box(v, *at(*place[v])) for v in self.graph.nodes]
        width, height = (round(x) + 2 * MARGIN for x in ((length, across) if level else (across, length)))
        words = escape(f"{opening(self.graph)} Told step by step below.")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{words}" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" style="min-width:{round(0.85 * width)}px">\n'
            + "\n".join(parts)
            + "\n</svg>"
        )

    def width(self, value):
        """How wide a box has to be for its three lines."""
        shown = [s.shown for s in self.steps if s.value is value and s.shown]
        lines = [title(value), short(value.value, value.shape), *(self.known(value, words) for words in shown)]
        return 18 + 2 * round(4 * max(map(breadth, lines)))

    def box(self, value, x, y):
        w, (first, rest) = self.width(value), title(value, parts=True)
        third = ""
        if value in self.last:
            kind = "tangent" if self.mark is dotted else "adjoint"
            third = (
                f'<text class="{kind}" x="{x:g}" y="{y + 26:g}">{escape(self.known(value, self.last[value]))}</text>'
            )
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

    def edge(self, i, line):
        """A link: a line with a head for the way forward, one for the way back, and what it brings."""
        if i >= len(self.graph.edges):
            return f'<g class="edge cut"><path d="{line.path}"/><path class="bar" d="{line.bar}"/></g>'
        words = self.label(i)
        x, y = line.beside(words)
        label = words and f'<text x="{x:g}" y="{y:g}">{escape(words)}</text>'
        return (
            f'<g class="edge"><path d="{line.path}"/><path class="tip" d="{line.tip}"/>'
            f'<path class="tail" d="{line.tail}"/>{label}</g>'
        )


class Line:
    """A line from one box to another, as SVG paths: `path`, a head at either end, a bar before the end.

    points  from `layout`
    middle  of the box where it begins
    level   whether the layers follow each other from side to side, not up and down
    turned  whether they do so from right to left, or upward
    """

    def __init__(self, points, middle, level, turned):
        self.level, self.way = level, -1 if turned else 1
        start, *between, end = points
        self.tip, self.tail = self.head(end, -self.way), self.head(start, self.way)
        self.start, self.side = start, -1 if start[0] < middle[0] else 1
        x, y = self.moved(end, -5)
        self.bar = f"M{x:g} {y - 7:g}v14" if level else f"M{x - 7:g} {y:g}h14"
        self.path = self.curve([self.moved(start, 3), *between, self.moved(end, -3)])

    def beside(self, words):
        """Where words about the line stand: at its beginning, above it or beside it."""
        x, y = self.start
        if self.level:
            return x + (12 + 3.5 * len(words)) * self.way, y - 3
        return x + (6 + 3.5 * len(words)) * self.side, y + 11 * self.way + 4

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


def read(name):
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def emphasised(words):
    """A sentence with what it ends in in bold; with a tangent, both numbers.

    >>> emphasised("y = 2 · 3 = 6;  ẏ = 2 · 1 = 2")
    'y = 2 · 3 = <b>6</b>; ẏ = 2 · 1 = <b class="tangent">2</b>'
    """
    parts = [re.sub(r"(?<= = )([^=a-z]*|nan|[^=]* numbers)$", r"<b>\1</b>", part) for part in words.split(";  ")]
    return "; ".join([parts[0], *(part.replace("<b>", '<b class="tangent">') for part in parts[1:])])


def title(value, parts=False):
    """The first line of a box: the name, and how it was made."""
    made = f"{value.twin.name}.detach()" if value.twin is not None else mathematical(value.formula)
    rest = f" = {made}" if made and breadth(made) <= 24 else ""
    return (value.name, rest) if parts else value.name + rest


def breadth(words):
    """How many characters stand beside each other."""
    return sum(not unicodedata.combining(c) for c in words)
