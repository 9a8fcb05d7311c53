"""Drawings of graphs: the tape, with names, values and adjoints, for the eye and in words.

A `Graph` shows itself: as a picture in a notebook, as DOT text (the language of Graphviz)
anywhere else. Its `text` says in words what the picture shows. Both are made from the
values and edges that `chainrule.draw.diagram` has found.
"""

import re
import sys
from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from .. import reverse
from ..functions import plain
from ..tensor import Tensor
from .diagram import Diagram, Path
from .picture import Drawing
from .spelling import listed, numbers
from .survey import Names, Survey

__all__ = ["Graph", "draw"]

# One colour for one idea, the same in every figure of the book, each dark enough to be read as
# text on a box. Boxes have a light ground, lines a middle grey, so that both can be read on a
# white page and on a dark one. A marked path has a colour that stands for none of the ideas.
PRIMAL, TANGENT, COTANGENT, MARKED = "#0072B2", "#007A5A", "#B84E00", "#9C4A78"
INK, QUIET, LINE, BESIDE, FAINT = "#24292f", "#5f6670", "#8a919b", "#6f7680", "#c3c8ce"
GROUND = {"leaf": "#eaf4fb", "operation": "#ffffff", "constant": "#f1f2f4"}
TABLE = '<table border="0" cellspacing="0" cellpadding="1">{}</table>'
FONT = 'fontname="Helvetica,Arial,sans-serif"'


def draw(
    y: Tensor | Sequence[Tensor],
    *,
    names: dict[str, Tensor] | None = None,
    adjoints: bool | str = "auto",
    edges: bool = False,
    fold: bool = False,
    highlight: Sequence = (),
    gradient: Tensor | ArrayLike | None = None,
    rankdir: str = "LR",
    max_nodes: int = 200,
) -> "Graph":
    """The graph behind `y`: every value, how it was made and what it is worth, as a picture and in words.

    y          a Tensor, or a tuple of Tensors
    names      a dict from names to Tensors, for values that no variable of the caller holds
    adjoints   show dy/dv on every value v: True, False, or "auto", which is after a backward pass
    edges      show the local derivative on every edge
    fold       show only values with a name of the user's; the steps between are folded into formulas,
               and an edge then carries the derivative of the whole formula
    highlight  a path, as a list of names or Tensors, or a list of such paths
    gradient   the cotangent of y to start the adjoints from, in the shape of y; 1 for one number
    rankdir    where the results stand: "LR" at the right of the inputs, "TB" below them
    max_nodes  how many values to show at most; the newest are shown, the rest is counted

    Returns a Graph. In a notebook it shows itself as a picture, where Graphviz is installed;
    printed, it is DOT text. The tape is only read: no `.grad` changes, nothing is let go.

    Names are those of the caller's variables, also inside lists, tuples and dicts. If several
    hold the same value it is named after the first that was bound. What no variable holds is
    called v1, v2, ... in the order of computing. A y that nothing was recorded for is shown
    as the constant it is. What was detached is shown with the value it came from, as far as a
    variable or the graph still holds that one.

    A backward pass lets go of arrays. What cannot be computed without them is then missing, and
    `text` says so; draw before it, with adjoints=True, or pass retain_graph=True to backward().

    Raises TypeError if y is no Tensor, KeyError if `highlight` names what is not in the graph,
    ValueError for another `rankdir`, RuntimeError if adjoints=True and y is not one number and
    no `gradient` was given.

    >>> import chainrule as cr
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> y = 3 * x
    >>> print(cr.draw(y, adjoints=True).text)
    Graph of y, made from x. x = 2, leaf, adjoint 3. y = 3 * x = 6, result, adjoint 1.
    """
    outputs = list(y) if isinstance(y, tuple | list) else [y]
    check(outputs, rankdir, "draw")
    called = Names({**(names or {}), **visible(sys._getframe(1), names or {})})
    graph = Graph(Survey(outputs, called, max_nodes), fold)
    graph.edge_labels, graph.rankdir = edges, rankdir
    graph.marked = marked(graph, highlight)
    if adjoints is True or (adjoints == "auto" and (gradient is not None or has_gradients(graph))):
        graph.show_adjoints(outputs, gradient, strict=adjoints is True)
    return graph


def visible(frame, hidden):
    """The variables that `frame` sees, local ones first, in the order in which they were bound."""
    seen = {**frame.f_locals, **{k: x for k, x in frame.f_globals.items() if k not in frame.f_locals}}
    return {name: x for name, x in seen.items() if name not in hidden}


def check(outputs, rankdir, caller):
    for y in outputs:
        if not isinstance(y, Tensor):
            raise TypeError(
                f"{caller} needs the Tensor that a computation ended in, or a tuple of them, "
                f"but got {type(y).__name__}. "
                "A graph is left behind by operations on cr.tensor(..., requires_grad=True)"
            )
    if not outputs:
        raise TypeError(f"{caller} needs the Tensor that a computation ended in, but got an empty tuple")
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"rankdir is LR, TB, RL or BT (left to right, top to bottom, ...), not {rankdir!r}")


def has_gradients(graph):
    return any(value.kind == "leaf" and value.node.grad is not None for value in graph.nodes)


class Graph(Drawing, Diagram):
    """What `draw` returns: the values and edges behind a result, which show themselves.

    nodes   all values, in the order of computing: name, kind, operation, formula, value, adjoint
    edges   all edges: source, target, derivative, and contribution where adjoints are shown

    `graph["u"]` is the value of that name. `paths`, `count_paths` and `edge_derivative` answer
    the questions of the chain rule.
    """

    edge_labels = with_adjoints = False
    rankdir, note, marked = "LR", "", frozenset()  # type: ignore[var-annotated]

    def show_adjoints(self, outputs, gradient, strict):
        """Find the adjoints. Unless `strict`, say so in `text` where no cotangent to start from is known."""
        try:
            self.find_adjoints(seeds(outputs, gradient))
            self.with_adjoints = True
        except RuntimeError as error:
            if strict:
                raise RuntimeError(f"{error}: give draw gradient=, as to backward()") from None
            self.note = "Adjoints are left out: give gradient=, the cotangent of the result."

    @property
    def dot(self) -> str:
        """The drawing in DOT, the language of Graphviz."""
        return "\n".join(["digraph {", *(f"  {line}" for line in dot_lines(self)), "}"])

    @property
    def text(self) -> str:
        """The graph in words: every value in the order of computing, how it was made, what it is worth."""
        return " ".join([opening(self), *(sentence(self, value) for value in self.nodes), *closing(self)])

    @property
    def title(self) -> str:
        """What it is the graph of."""
        return opening(self)

    @property
    def tips(self):
        """For every box what `text` says of its value."""
        return {value.id: sentence(self, value) for value in self.nodes}


def seeds(outputs, gradient):
    """For each output the cotangent to start from, as `backward` would choose it; None for a constant."""
    given = [gradient] * len(outputs) if gradient is None or len(outputs) == 1 else list(gradient)
    if len(given) != len(outputs):
        raise ValueError(f"draw got {len(outputs)} tensors and {len(given)} gradients: give one gradient for each")
    found = []
    for i, (y, t) in enumerate(zip(outputs, given, strict=True)):
        t = np.asarray(t, y.dtype) if isinstance(t, list | tuple | float | int) else t
        found.append(None if y.node is None else plain(reverse.seed(y, t, i)))
    return found


def marked(graph, highlight):
    """What is on the highlighted paths: Values, and Edges by their ends and slot."""
    if isinstance(highlight, Path | str | Tensor):
        highlight = [[highlight] if not isinstance(highlight, Path) else highlight]
    elif highlight and not isinstance(highlight[0], list | tuple):
        highlight = [highlight]
    found = set()
    for path in highlight:
        steps = [path.edges] if isinstance(path, Path) else [graph.edges_between(a, b) for a, b in pairwise(path)]
        found |= {graph[name] for name in path}
        found |= {place(edge) for edges in steps for edge in edges}
    return found


def place(edge):
    """An edge as one recognizes it in another graph of the same result."""
    return edge.source.name, edge.target.name, edge.slot


# ---- in DOT


def dot_lines(graph):
    """The lines of the drawing: what holds for all, then values, then edges."""
    yield f"graph [rankdir={graph.rankdir} bgcolor=transparent pad=0.1 nodesep=0.25 ranksep=0.4 {FONT}]"
    yield f'node [shape=box style="rounded,filled" margin="0.1,0.05" height=0.3 width=0.3 {FONT} fontsize=12]'
    yield f'node [color="{LINE}"]'
    yield f'edge [color="{LINE}" arrowsize=0.6 {FONT} fontsize=11 fontcolor="{BESIDE}"]'
    if graph.left_out:
        yield f'earlier [label="{graph.left_out} earlier\\nvalues" shape=plain style="" fontcolor="{BESIDE}"]'
    for value in graph.nodes:
        yield f"{value.id} [label=<{label(graph, value)}> {box_style(graph, value)}]"
    for value in graph.nodes:
        if value.twin is not None:
            yield f'{value.twin.id} -> {value.id} [style=dashed arrowhead=tee label="detach"]'
        if any(x is None for x in value.inputs):
            yield f"earlier -> {value.id} [style=dotted]"
    for edge in graph.edges:
        yield f"{edge.source.id} -> {edge.target.id}{edge_style(graph, edge)}"
    first = [value.id for value in graph.nodes if value.kind == "leaf" and value.twin is None]
    if len(first) > 1:
        yield f"{{rank=source; {' -> '.join(first)} [style=invis]}}"


def label(graph, value):
    """What stands in a box: name and formula, the value, the adjoint; each in its colour."""
    ink = INK if value.active or value.kind == "constant" else QUIET
    title = coloured(ink, value.name)
    if value.named:
        title = f"<b>{title}</b>"
    if made_by(value):
        title += coloured(QUIET, f"\N{NO-BREAK SPACE}= {made_by(value)}")
    rows = [title, coloured(PRIMAL if value.active else QUIET, numbers(value.value, value.shape))]
    if value.adjoint is not None:
        rows.append(coloured(COTANGENT, f"adjoint {numbers(value.adjoint)}"))
    return TABLE.format("".join(f"<tr><td>{row}</td></tr>" for row in rows))


def made_by(value):
    return f"{value.twin.name}.detach()" if value.twin is not None else value.formula


def coloured(colour, words):
    return f'<font color="{colour}">{escape(words)}</font>'


def box_style(graph, value):
    line = ""
    if value in graph.marked:
        line = f' color="{MARKED}" penwidth=2.5'
    elif value.result:
        line = f' color="{INK}" penwidth=1.5'
    elif not value.active:
        line = f' color="{FAINT}"'
    return f'fillcolor="{GROUND[value.kind]}"{line}'


def edge_style(graph, edge):
    style = []
    if graph.edge_labels and edge.derivative is not None:
        style.append(f'label=" {slopes(edge.derivative)} "')
    if place(edge) in graph.marked:
        style.append(f'color="{MARKED}" penwidth=2.5 fontcolor="{MARKED}"')
    return f" [{' '.join(style)}]" if style else ""


# ---- in words


def opening(graph):
    results = listed(value.name for value in graph.results)
    leaves = [value.name for value in graph.nodes if value.kind == "leaf" and not value.result]
    sources = listed(leaves) if len(leaves) <= 8 else f"{len(leaves)} leaves"
    return f"Graph of {results}{f', made from {sources}' if leaves else ''}."


def sentence(graph, value):
    """One value in words: how it was made, what it is worth, its derivatives and its adjoint."""
    worth = spoken(numbers(value.value, value.shape))
    parts = [" = ".join(filter(None, [value.name, made_by(value), "" if worth == "?" else worth]))]
    kind = [value.kind] if not value.op else []
    parts += [" ".join([*kind, "of unknown value"])] if worth == "?" else kind
    parts += ["result"] if value.result else []
    if graph.edge_labels:
        parts += [
            f"derivative by {edge.source.name} {spoken(slopes(edge.derivative))}"
            for edge in graph.edges_into(value)
            if edge.derivative is not None
        ]
    if value.adjoint is not None:
        parts.append(f"adjoint {spoken(numbers(value.adjoint))}")
    return ", ".join(parts) + "."


def slopes(derivative):
    """A local derivative in little room; of a diagonal Jacobian, the diagonal.

    >>> slopes(np.diag([2.0, 4.0, 6.0]))
    'diag [2, 4, 6]'
    """
    square = np.ndim(derivative) == 2 and len(derivative) == len(derivative.T) > 1
    if square and not (derivative - np.diag(np.diag(derivative))).any():
        return f"diag {numbers(np.diag(derivative))}"
    return numbers(derivative)


def spoken(words):
    """What `numbers` wrote, as one says it: "3x4 numbers"."""
    return f"{words} numbers" if re.fullmatch(r"\d+(x\d+)+", words) else words


def closing(graph):
    """What the picture leaves out, and why."""
    if graph.left_out:
        yield f"{graph.left_out} earlier values are left out; max_nodes shows more."
    if not any(value.active for value in graph.nodes):
        yield "Nothing was recorded: no input requires a gradient."
    if any(value.twin is not None for value in graph.nodes):
        yield f"No cotangent flows back through {listed(made_by(v) for v in graph.nodes if v.twin is not None)}."
    lost = [value.name for value in graph.nodes if value.active and value.adjoint is None]
    if graph.with_adjoints and lost:
        yield f"Adjoints not known, for want of values that were let go or left out: {listed(lost)}."
    if graph.marked:
        yield f"Highlighted: {listed(value.name for value in graph.nodes if value in graph.marked)}."
    if graph.note:
        yield graph.note
