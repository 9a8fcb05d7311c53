"""A graph that one steps through: every value on the way forward, every adjoint on the way back.

The figure is one piece of HTML that needs nothing else: no kernel, no network, no Graphviz. Its
script makes the controls; where scripts do not run, a table of all steps is left.
"""

import re
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ..course import Table
from ..tensor import Tensor
from . import check, opening, seeds, visible
from .boxes import Boxes
from .diagram import Diagram
from .spelling import listed
from .steps import backward, barred, dotted, forward, tangents_forward
from .survey import Names, Survey

MOST = 40  # values: more is no longer a figure
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
        self.graph, self.steps, self.mark = graph, steps, mark
        known = {}
        for s in steps:
            if s.shown:
                known.setdefault(s.value, []).append(self.known(s))
        self.boxes = Boxes(graph, rankdir, "tangent" if mark is dotted else "adjoint", known)
        self.number = {value: i for i, value in enumerate(graph.nodes)}

    def __repr__(self):
        return repr(Table(["step", "way", "what happens"], [[i, s.way, s.words] for i, s in enumerate(self.steps, 1)]))

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": repr(self), "text/html": self.html}

    @property
    def html(self) -> str:
        """The figure, complete in itself."""
        style = re.sub(r"\s+", " ", read("stepper.css").replace("DARK", DARK))
        return (
            f'<div class="cr-step" role="group" aria-label="{escape(opening(self.graph))}" '
            f'data-start="{escape(self.start)}">\n'
            f"<style>{style}</style>\n"
            f'<div class="graph" role="group" aria-label="Graph">{self.boxes.svg}</div>\n'
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
        if s.value in self.boxes.cuts and not s.edges:
            lit = [len(self.graph.edges) + self.boxes.cuts.index(s.value)]
        data = f' data-e="{" ".join(map(str, lit))}"' if lit else ""
        data += f' data-t="{escape(self.known(s))}"' if s.shown else ""
        return (
            f'<tr class="{s.way}" data-v="{self.number[s.value]}"{data}><td>{i + 1}</td><td>{s.way}</td>'
            f"<td>{emphasised(escape(s.words))}</td></tr>"
        )

    def known(self, step):
        """What the box then says."""
        return f"{self.mark(step.value.name)} = {step.shown}"


def read(name):
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def emphasised(words):
    """A sentence with what it ends in in bold; with a tangent, both numbers.

    >>> emphasised("y = 2 · 3 = 6;  ẏ = 2 · 1 = 2")
    'y = 2 · 3 = <b>6</b>; ẏ = 2 · 1 = <b class="tangent">2</b>'
    """
    parts = [re.sub(r"(?<= = )([^=a-z]*|nan|[^=]* numbers)$", r"<b>\1</b>", part) for part in words.split(";  ")]
    return "; ".join([parts[0], *(part.replace("<b>", '<b class="tangent">') for part in parts[1:])])
