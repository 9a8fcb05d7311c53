"""A static graph as a reader sees it: as a listing, and as a drawing."""

import numpy as np

from ..draw import FONT, GROUND, INK, LINE, QUIET, picture
from ..draw.spelling import numbers
from .control import Block, Branch, Control
from .symbols import CONSTANT, HISTORY, PART, PLACEHOLDER, Symbol

# ---- as a listing


def listing(nodes):
    """One line a node; what runs inside a loop or a branch is indented."""
    rows = list(rows_of(nodes))
    width = max((len(text) for text, kind in rows if kind), default=0)
    return "\n".join(f"{text:<{width}}    {kind}".rstrip() for text, kind in rows)


def rows_of(nodes, indent=""):
    for x in nodes:
        yield indent + described(x), f"{x.dtype} {x.shape}" if x.dtype is not None else ""
        if isinstance(x.op, Control):
            for title, block in zip(x.op.titles, x.op.blocks, strict=True):
                given = f" with {names(block.arguments)}" if block.arguments else ""
                yield f"{indent}  {title}{given}, gives {names(block.outputs)}", ""
                yield from rows_of(block.order, indent + "    ")


def names(symbols):
    return ", ".join(f"%{x.number}" for x in symbols)


def described(x):
    """A node in words: its number, and how it is made.

    >>> from chainrule import static as tf
    >>> with tf.Graph():
    ...     described(2 * tf.placeholder(tf.float32, (), "x"))
    '%2 = Mul(2, %1)'
    """
    return f"%{x.number} = {made(x, lambda a: f'%{a.number}')}"


def made(x, name):
    """How a node is made, with the words that `name` has for other Symbols."""
    if x.op is PLACEHOLDER:
        return f"Placeholder {x.params['name']!r}"
    if x.op is CONSTANT:
        return f"Constant {numbers(x.params['value'])}"

    def said(a):
        if isinstance(a, tuple):
            return f"({', '.join(map(said, a))}{',' * (len(a) == 1)})"
        return name(a) if isinstance(a, Symbol) else numbers(a) if isinstance(a, np.ndarray) else str(a)

    words = [name(a) if isinstance(a, Symbol) else numbers(a) for a in x.inputs]
    words += [f"{key}={said(value)}" for key, value in x.params.items() if value is not None and value is not False]
    return f"{x.op.name}({', '.join(words)})"


# ---- as a drawing


class Drawing(picture.Drawing):
    """The graph of some results: a picture in a notebook, DOT elsewhere, and `text`, which says it in words.

    A loop is a frame around its variables, its condition (with a double border) and its body;
    dashed lines lead from a trip to the next one. A cond is a frame around its two branches.
    """

    def __init__(self, graph, symbols):
        self.block, self.lines, self.edges = Block(graph, (), symbols), [], []
        self.title = f"Static graph of {names(symbols)}"
        self.inside(self.block, {}, "  ")

    @property
    def dot(self) -> str:
        """The drawing in DOT, the language of Graphviz."""
        head = (
            f"graph [rankdir=TB bgcolor=transparent pad=0.1 nodesep=0.25 ranksep=0.35 {FONT} fontsize=11]",
            f'node [shape=box style="rounded,filled" margin="0.12,0.07" height=0.3 width=0.3 color="{LINE}" {FONT}]',
            f'edge [color="{LINE}" arrowsize=0.6 {FONT} fontsize=10 fontcolor="{QUIET}"]',
        )
        return "\n".join(["digraph {", *("  " + x for x in head), *self.lines, *self.edges, "}"])

    @property
    def text(self) -> str:
        """The graph in words: the listing of what has to run."""
        return f"{self.title}.\n{listing(self.block.order)}"

    def inside(self, block, ids, indent):
        """Draw the nodes of a block. Returns `ids`, what nodes are called in DOT, with those that were added."""
        ids = dict(ids)
        for x in block.order:
            if isinstance(x.op, Control):
                ids[x] = self.frame(x, ids, indent)
            elif x.op in (PART, HISTORY):
                ids[x] = ids[x.inputs[0]][x.params.get("index", 0)]
            else:
                kind = {PLACEHOLDER: "leaf", CONSTANT: "constant"}.get(x.op, "operation")
                words = x.params["name"] if x.op is PLACEHOLDER else made(x, lambda a: "·")
                ids[x] = self.node(words, indent, kind, [ids[a] for a in x.sources])
        return ids

    def node(self, words, indent, kind="operation", sources=()):
        own = f"n{len(self.lines)}"
        words = words.replace("\\", "\\\\").replace('"', '\\"')
        self.lines.append(f'{indent}{own} [label="{words}" fillcolor="{GROUND[kind]}" fontcolor="{INK}"]')
        self.edges += [f"  {source} -> {own}" for source in dict.fromkeys(sources)]
        return own

    def open(self, words, indent):
        name = f"cluster_{len(self.lines)}"
        self.lines.append(
            f'{indent}subgraph {name} {{ label="{words}" color="{LINE}" fontcolor="{QUIET}" style=rounded'
        )

    def frame(self, x, ids, indent):
        """Draw a loop or a cond. Returns what its results are called."""
        self.open(f"%{x.number} {x.op.name}", indent)
        results = (self.branch if isinstance(x.op, Branch) else self.loop)(x, ids, indent + "  ")
        self.lines.append(f"{indent}}}")
        return results

    def loop(self, x, ids, indent):
        op, word = x.op, "cotangent" if x.op.backward else "loop variable"
        starts = x.inputs[op.backward :][: len(op.variables)]
        variables = [self.node(word, indent, "leaf", [ids[a]]) for a in starts]
        used = {a for y in op.blocks[-1].order for a in y.sources}
        saved = {a: self.node("saved", indent, "leaf", [ids[x.inputs[0]]]) for a in op.state if a in used}
        ids = ids | dict(zip(op.variables, variables, strict=True)) | saved
        for block in op.blocks[:-1]:
            self.lines.append(f"{indent}{self.inside(block, ids, indent)[block.outputs[0]]} [peripheries=2]")
        inner = self.inside(op.blocks[-1], ids, indent)
        for y, variable in zip(op.blocks[-1].outputs, variables, strict=True):  # from a trip to the next one
            self.edges.append(f"  {inner[y]} -> {variable} [style=dashed constraint=false]")
        return variables

    def branch(self, x, ids, indent):
        results = [self.node("one of the two", indent) for _ in x.op.parts]
        self.edges += [f"  {ids[x.inputs[0]]} -> {own} [style=dotted]" for own in results]
        for title, block in zip(x.op.titles, x.op.blocks, strict=True):
            self.open(title, indent)
            inner = self.inside(block, ids, indent + "  ")
            self.lines.append(f"{indent}}}")
            for y, own in zip(block.outputs, results, strict=True):
                self.edges.append(f'  {inner[y]} -> {own} [label="{title}"]')
        return results
