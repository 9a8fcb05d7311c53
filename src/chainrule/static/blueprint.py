"""A static graph as a reader sees it: as a listing, as a drawing, as a Python program."""

import itertools
import keyword
import math
import re

import numpy as np

from .. import rules
from ..draw import FONT, GROUND, INK, LINE, QUIET, picture, spelling
from .control import Block, Branch, Control, Loop, LoopBackward
from .symbols import CONSTANT, HISTORY, PART, PLACEHOLDER, Symbol, each, leaves

TITLES = {Loop: ("as long as", "do"), Branch: ("if true", "if false"), LoopBackward: ("each trip back",)}


# ---- as a listing


def listing(nodes):
    """One line a node; what runs inside a loop or a branch is indented."""
    rows = list(rows_of(nodes))
    width = max((len(text) for text, kind in rows if kind), default=0)
    return "\n".join(f"{text:<{width}}    {kind}".rstrip() for text, kind in rows)


def rows_of(nodes, indent=""):
    for x in nodes:
        yield indent + line(x), f"{x.dtype} {x.shape}" if x.dtype is not None else ""
        if isinstance(x.op, Control):
            for title, block in zip(TITLES[type(x.op)], x.op.blocks, strict=True):
                given = f" with {names(block.arguments)}" if block.arguments else ""
                yield f"{indent}  {title}{given}, gives {names(block.outputs)}", ""
                yield from rows_of(block.order, indent + "    ")


def names(symbols):
    return ", ".join(f"%{x.number}" for x in symbols)


def line(x):
    """A node in words: its number, and how it is made.

    >>> from chainrule import static as tf
    >>> with tf.Graph():
    ...     line(2 * tf.placeholder(tf.float32, (), "x"))
    '%2 = Mul(2, %1)'
    """
    return f"%{x.number} = {made(x, lambda a: f'%{a.number}')}"


def made(x, name):
    """How a node is made, with the words that `name` has for other Symbols."""
    if x.op is PLACEHOLDER:
        return f"Placeholder {x.params['name']!r}"
    if x.op is CONSTANT:
        return f"Constant {spelling.numbers(x.params['value'])}"
    words = [name(a) if isinstance(a, Symbol) else spelling.numbers(a) for a in x.inputs]
    words += [
        f"{key}={said(value, name)}" for key, value in x.params.items() if value is not None and value is not False
    ]
    return f"{x.op.name}({', '.join(words)})"


def said(value, name):
    if isinstance(value, Symbol):
        return name(value)
    if isinstance(value, tuple) and any(isinstance(part, Symbol | np.ndarray) for part in value):
        return f"({', '.join(said(part, name) for part in value)})"
    return spelling.numbers(value) if isinstance(value, np.ndarray) else str(value)


# ---- as a drawing


class Drawing(picture.Drawing):
    """The graph of some results: a picture in a notebook, DOT elsewhere, and `text`, which says it in words.

    A loop is a frame around its variables, its condition (with a double border) and its body;
    dashed lines lead from a trip to the next one. A cond is a frame around its two branches.
    """

    def __init__(self, block):
        self.block, self.lines, self.edges = block, [], []
        self.title = f"Static graph of {names(block.outputs)}"
        self.inside(block, {}, "  ")

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
                ids[x.number] = self.frame(x, ids, indent)
            elif x.op in (PART, HISTORY):
                results = ids[x.inputs[0].number]
                ids[x.number] = results[x.params["index"]] if x.op is PART else results[0]
            else:
                kind = {PLACEHOLDER: "leaf", CONSTANT: "constant"}.get(x.op, "operation")
                words = x.params["name"] if x.op is PLACEHOLDER else made(x, lambda a: "·")
                ids[x.number] = self.node(words, indent, kind, [ids[a.number] for a in x.sources])
        return ids

    def node(self, words, indent, kind="operation", sources=(), more=""):
        own = f"n{len(self.lines)}"
        words = words.replace("\\", "\\\\").replace('"', '\\"')
        self.lines.append(f'{indent}{own} [label="{words}" fillcolor="{GROUND[kind]}" fontcolor="{INK}"{more}]')
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
        draw = {Loop: self.loop, Branch: self.branch, LoopBackward: self.backward}[type(x.op)]
        results = draw(x, ids, indent + "  ")
        self.lines.append(f"{indent}}}")
        return results

    def loop(self, x, ids, indent):
        arguments = x.op.body.arguments
        variables = [self.node("loop variable", indent, "leaf", [ids[a.number]]) for a in x.inputs[: len(arguments)]]
        ids = ids | {a.number: own for a, own in zip(arguments, variables, strict=True)}
        inner = self.inside(x.op.condition, ids, indent)
        going = inner[x.op.condition.outputs[0].number]
        self.lines.append(f"{indent}{going} [peripheries=2]")
        inner = self.inside(x.op.body, ids, indent)
        self.back([inner[y.number] for y in x.op.body.outputs], variables)
        return variables

    def backward(self, x, ids, indent):
        op, (block,) = x.op, x.op.blocks
        history, *seeds = [ids[a.number] for a in x.inputs[: 1 + op.moving]]
        n = len(block.arguments) - op.moving
        used = {a.number for y in [*block.order] for a in y.sources}
        states = [a for a in block.arguments[:n] if a.number in used]
        ids = ids | {a.number: self.node("saved", indent, "leaf", [history]) for a in states}
        ts = [self.node("cotangent", indent, "leaf", [t]) for t in seeds]
        ids = ids | {a.number: t for a, t in zip(block.arguments[n:], ts, strict=True)}
        inner = self.inside(block, ids, indent)
        outgoing = [inner[y.number] for y in block.outputs]
        self.back(outgoing[: op.moving], ts)
        return ts + [self.node("total", indent, "operation", [t]) for t in outgoing[op.moving :]]

    def back(self, sources, targets):
        """From a trip to the next one."""
        self.edges += [f"  {a} -> {b} [style=dashed constraint=false]" for a, b in zip(sources, targets, strict=True)]

    def branch(self, x, ids, indent):
        ends = []
        for title, block in zip(TITLES[Branch], x.op.blocks, strict=True):
            self.open(title, indent)
            inner = self.inside(block, ids, indent + "  ")
            ends.append([inner[y.number] for y in block.outputs])
            self.lines.append(f"{indent}}}")
        pred = ids[x.inputs[0].number]
        results = [self.node("one of the two", indent) for _ in x.op.parts]
        self.edges += [f"  {pred} -> {own} [style=dotted]" for own in results]
        for title, end in zip(TITLES[Branch], ends, strict=True):
            self.edges += [f'  {y} -> {own} [label="{title}"]' for y, own in zip(end, results, strict=True)]
        return results


# ---- as a Python program


class Writer:
    """Writes what a block does as Python: one line an operation, `while` and `if` for loops and branches.

    lines  the body of the function
    names  what the names in it stand for, besides np, cr and rules
    """

    def __init__(self):
        self.lines, self.names, self.taken = [], {}, set(keyword.kwlist) | {"np", "cr", "rules"}

    def fresh(self, wish="v"):
        """A name that is not taken yet: the wish itself if it can be one, else numbered; v1, v2 ... without."""
        wish = re.sub(r"\W|^(?=\d)", "_", wish)
        tries = (f"{wish}{i or ''}" for i in itertools.count(wish == "v"))
        name = next(name for name in tries if name not in self.taken)
        self.taken.add(name)
        return name

    def write(self, indent, *lines):
        self.lines += [indent + x for x in lines]

    def block(self, block, known, indent):
        """Write a block; the words for its outputs. `known` has the words for arguments and captures."""
        known = dict(known)
        for x in block.order:
            if isinstance(x.op, Control):
                write = {Loop: self.loop, Branch: self.branch, LoopBackward: self.backward}[type(x.op)]
                known[x.number] = write(x, known, indent, x.number in block.histories)
            elif x.op is PART:
                known[x.number] = known[x.inputs[0].number][x.params["index"]]
            elif x.op is HISTORY:
                known[x.number] = known[x.inputs[0].number][-1]
            else:
                known[x.number] = name = self.fresh()
                self.write(indent, f"{name} = {self.expression(x, known)[0]}")
        return [known[y.number] for y in block.outputs]

    def loop(self, x, known, indent, remember):
        variables = [self.fresh() for _ in x.op.body.arguments]
        self.write(indent, *assign(variables, [known[a.number] for a in x.inputs[: len(variables)]]))
        history = self.fresh("history") if remember else ""
        if remember:
            self.write(indent, f"{history} = []")
        known = known | {a.number: name for a, name in zip(x.op.body.arguments, variables, strict=True)}
        inner = indent + "    "
        self.condition(x.op.condition, known, indent)
        if remember:
            self.write(inner, f"{history}.append({row(variables)})")
        self.give(inner, variables, self.block(x.op.body, known, inner))
        return [*variables, history]

    def condition(self, block, known, indent):
        """The head of a `while`: the condition in one line, if it is short."""
        for x in block.order:
            if isinstance(x.op, Control) or len(block.order) > 4:
                self.write(indent, "while True:")
                (going,) = self.block(block, known, indent + "    ")
                self.write(indent + "    ", f"if not {going}:", "    break")
                return
            known = known | {x.number: self.expression(x, known)}
        going = known[block.outputs[0].number]
        self.write(indent, f"while {going if isinstance(going, str) else going[0]}:")

    def branch(self, x, known, indent, _):
        names = [self.fresh() for _ in x.op.parts]
        for head, block in zip((f"if {known[x.inputs[0].number]}:", "else:"), x.op.blocks, strict=True):
            self.write(indent, head)
            results = self.block(block, known, indent + "    ")
            self.give(indent + "    ", names, results)
        return names

    def backward(self, x, known, indent, _):
        """The loop backward: cotangents are handed on from trip to trip, those of captures add up."""
        op, (block,) = x.op, x.op.blocks
        n, used = 1 + op.moving, len(op.used)
        ts, totals = [self.fresh("t") for _ in range(op.moving)], [self.fresh("total") for _ in range(used)]
        history, *start = (known[a.number] for a in x.inputs[: n + used])
        self.write(indent, *assign(ts, start[: op.moving]))
        self.write(
            indent, *(f"{name} = np.zeros_like({a})[()]" for name, a in zip(totals, start[op.moving :], strict=True))
        )
        state = [self.fresh() for _ in block.arguments[: len(block.arguments) - op.moving]]
        self.write(indent, f"for {row(state)} in reversed({history}):")
        known = known | {a.number: name for a, name in zip(block.arguments, state + ts, strict=True)}
        results = self.block(block, known, indent + "    ")
        self.write(indent + "    ", *(f"{a} = {a} + {b}" for a, b in zip(totals, results[op.moving :], strict=True)))
        self.give(indent + "    ", ts, results[: op.moving])
        return ts + totals

    def give(self, indent, names, words):
        """Give the results of a piece their names; a single one that was just computed, in the line that did it."""
        pairs = [(name, word) for name, word in zip(names, words, strict=True) if name != word]
        if len(pairs) == 1 and self.lines[-1].startswith(f"{indent}{pairs[0][1]} = "):
            self.lines[-1] = self.lines[-1].replace(pairs[0][1], pairs[0][0], 1)
        else:
            self.write(indent, *(assign(names, words) or ["pass"]))

    def expression(self, x, known):
        """An operation in words, and how strongly it binds."""
        if x.op is CONSTANT:
            return self.value(x.params["value"]), spelling.ATOM
        inputs = [self.operand(a, known) for a in x.inputs]
        if x.op.name in spelling.OPERATORS:
            return spelling.formula(x.op, inputs, {})
        if x.op.value in SIGNS:
            left, right = (spelling.enclosed(a, 1) for a in inputs)
            return f"{left} {SIGNS[x.op.value]} {right}", 0
        call, params = self.call(x.op), x.params
        if call.startswith("cr."):
            params = {key: value for key, value in params.items() if value is not None and value is not False}
        words = [word for word, _ in inputs] + [f"{key}={self.param(value, known)}" for key, value in params.items()]
        return f"{call}({', '.join(words)})", spelling.ATOM

    def call(self, op):
        """What an operation is called: a function of NumPy or of chainrule, a row of the table, or its own name."""
        if isinstance(op.value, np.ufunc):
            return f"np.{op.value.__name__}"
        if op.name in ("Sum", "Mean", "Prod", "Amax", "Amin", "Logsumexp", "LinalgVectorNorm"):
            return f"cr.{spelling.word(op)}"
        row = next((name for name, row in vars(rules).items() if row is op), None)
        if row:
            return f"rules.{row}"
        name = next((name for name, value in self.names.items() if value is op.value), None) or self.fresh(op.name)
        self.names[name] = op.value
        return name

    def operand(self, a, known):
        word = known[a.number] if isinstance(a, Symbol) else self.value(a)
        return word if isinstance(word, tuple) else (word, 3 if word.startswith("-") else spelling.ATOM)

    def param(self, value, known):
        if isinstance(value, Symbol):
            return self.operand(value, known)[0]
        if isinstance(value, tuple):
            return row([self.param(part, known) for part in value])
        return self.value(value)

    def value(self, x):
        """A number, an array or a parameter as Python writes it."""
        if isinstance(x, np.ndarray):
            return f"np.array({x.tolist()}, np.{x.dtype})" if x.size <= 20 and np.isfinite(x).all() else self.named(x)
        if isinstance(x, np.generic):
            return f"np.{x.dtype}({str(x)!r})" if not np.isfinite(x) else repr(x)
        if isinstance(x, np.dtype):
            return f"np.dtype({x.name!r})"
        if isinstance(x, float) and not math.isfinite(x):
            return f"float('{float(x)}')"
        return "..." if x is ... else repr(x)

    def named(self, x):
        name = self.fresh("c")
        self.names[name] = x
        return name


SIGNS = {op.value: sign for op, sign in zip(
    (rules.gt, rules.ge, rules.lt, rules.le, rules.eq, rules.ne), (">", ">=", "<", "<=", "==", "!="), strict=True
)}  # fmt: skip


def row(words):
    """A tuple in words.

    >>> row(["a", "b"]), row(["a"])
    ('(a, b)', '(a,)')
    """
    return f"({', '.join(words)}{',' * (len(words) == 1)})"


def assign(names, words):
    """`a, b = c, d`, without what would be `a = a`."""
    pairs = [(name, word) for name, word in zip(names, words, strict=True) if name != word]
    return [f"{', '.join(a for a, _ in pairs)} = {', '.join(b for _, b in pairs)}"] if pairs else []


def to_python(fetches, name="program"):
    """What a session does to compute `fetches`, as a Python function of the placeholders it needs.

    fetches  a Symbol, or nested lists, tuples and dicts of Symbols
    Returns a function whose attribute `source` is its text: straight-line NumPy, with Python's
    own `while` for a while_loop and `if` for a cond.

    >>> import chainrule.static as tf
    >>> with tf.Graph():
    ...     a = tf.placeholder(tf.float32, (), "a")
    ...     b = tf.while_loop(lambda b: tf.norm(b) < 1000, lambda b: b * 2, [a * 2])
    >>> print(to_python(b).source)
    def program(a):
        v1 = a * 2
        v2 = v1
        while cr.norm(v2) < 1000:
            v2 = v2 * 2
        return v2
    >>> to_python(b)(np.float32(0.25))
    np.float32(1024.0)
    """
    import chainrule

    wanted = leaves(fetches)
    block = Block(wanted[0].graph, (), wanted)
    inputs = [x for x in block.order if x.op is PLACEHOLDER]
    writer = Writer()
    arguments = [writer.fresh(x.params["name"]) for x in inputs]
    known = {x.number: argument for x, argument in zip(inputs, arguments, strict=True)}
    results = iter(writer.block(Block(block.graph, inputs, wanted), known, "    "))
    packed = each(lambda _: Word(next(results)), fetches)
    source = "\n".join([f"def {name}({', '.join(arguments)}):", *writer.lines, f"    return {packed!r}"])
    scope = {"np": np, "cr": chainrule, "rules": rules, **writer.names}
    exec(source, scope)
    scope[name].source = source
    return scope[name]


def drawing(graph, symbols):
    """The Drawing of what `symbols` need."""
    return Drawing(Block(graph, (), symbols))


class Word(str):
    """A piece of source that prints without quotes."""

    __repr__ = str.__str__
