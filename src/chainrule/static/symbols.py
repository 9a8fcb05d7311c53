"""Symbols: values that are not there yet, and the graph that they are nodes of.

An operation on Symbols computes nothing. It adds a node to the graph: which operation, on
which other Symbols, numbers and arrays. What is known at once is the shape and dtype of
the result.
"""

import itertools
import sys
import warnings
from collections import Counter
from typing import Any

import numpy as np

from .. import functions, rules
from ..methods import Methods
from ..op import Box, Op
from ..tape import constant_of, number_or_array


class Graph:
    """Nodes in the order in which they were made. `with Graph() as g:` collects new nodes in g.

    The body of a loop and the branches of a `cond` are graphs inside a graph.

    >>> import chainrule.static as tf
    >>> with tf.Graph() as g:
    ...     x = tf.placeholder(tf.float64, shape=(3,), name="x")
    ...     y = tf.reduce_sum(x * x)
    >>> print(g)
    %1 = Placeholder 'x'    float64 (3,)
    %2 = Mul(%1, %1)        float64 (3,)
    %3 = Sum(%2)            float64 ()
    >>> dict(g.count())
    {'Placeholder': 1, 'Mul': 1, 'Sum': 1}
    """

    def __init__(self, name="graph", parent=None):
        self.name, self.parent, self.nodes = name, parent, []
        self.root = self if parent is None else parent.root
        self.tick = itertools.count(1).__next__ if parent is None else parent.tick

    def __enter__(self):
        open_graphs.append(self)
        return self

    def __exit__(self, *_):
        open_graphs.pop()

    def as_default(self):
        """The graph itself, for `with graph.as_default():`."""
        return self

    def sees(self, other):
        """Whether a node of this graph may use one of `other`: itself, or a graph around it."""
        inside = self
        while inside is not None and inside is not other:
            inside = inside.parent
        return inside is other

    def count(self):
        """How many nodes there are of each operation, those inside loops and branches included."""
        graphs = {self}
        waiting = [self]
        while waiting:
            inner = {block.graph for x in waiting.pop().nodes for block in getattr(x.op, "blocks", ())}
            waiting += inner - graphs
            graphs |= inner
        return Counter(x.op.name for graph in graphs for x in graph.nodes)

    def draw(self, fetches):
        """A drawing of what `fetches` need, in which loops and branches are frames.

        It shows itself in a notebook; `.dot` is its source, `.text` says the same in words.
        """
        return blueprint().drawing(self, leaves(fetches))

    def to_python(self, fetches, name="program"):
        """What a session does to compute `fetches`, as a Python function of the placeholders; `.source` is its text."""
        return blueprint().to_python(fetches, name)

    def __str__(self):
        return blueprint().listing(self.nodes)

    def __repr__(self):
        return f"<Graph of {self.count().total()} nodes>"


# The graphs that are being built, the innermost last.
open_graphs = [Graph()]


def blueprint():
    """The module that writes and draws graphs. It comes after this one, so it is asked for when needed."""
    from . import blueprint

    return blueprint


class NoValueYet(TypeError):
    """Python asked a Symbol for its number while the graph was being built."""


def no_value(what, instead):
    """A method that says why a Symbol cannot do `what`, and what to write instead."""

    def refuse(self, *_, **__):
        raise NoValueYet(f"{what} needs a number, but {self!r} has none before the graph runs: {instead}")

    return refuse


class Symbol(Methods):
    """A value that is not there yet: what one node of the graph will give when it runs.

    op, inputs, params  the operation and what it works on: Symbols, Python numbers, arrays
    shape, dtype        known while building; an unknown length in `shape` is None
    graph, number       where it stands
    sources             the Symbols it is made of
    """

    __slots__ = ("op", "inputs", "params", "shape", "dtype", "graph", "number", "sources")
    level = sys.maxsize  # whatever a Symbol meets becomes part of the graph
    requires_grad = False

    def __init__(self, op, inputs, params, shape, dtype, graph=None):
        self.op, self.inputs, self.params, self.shape, self.dtype = op, inputs, params, shape, dtype
        self.graph = graph = graph or open_graphs[-1]
        self.sources = [x for x in (*inputs, *leaves(params)) if isinstance(x, Symbol)]
        for x in self.sources:
            if not graph.sees(x.graph):
                raise ValueError(out_of_reach(x, graph))
        self.number = graph.tick()
        graph.nodes.append(self)

    ndim = property(lambda self: len(self.shape))

    def apply(self, op, inputs, params):
        inputs = tuple(literal(x) for x in inputs)
        return Symbol(op, inputs, params, *infer(op, inputs, params))

    def detach(self):
        """The same value as a constant for `gradients`, as `stop_gradient`."""
        return STOP(self)

    def any(self):
        """Whether any number is not 0."""
        return ANY(self, axis=None, keepdims=False)

    def all(self):
        """Whether all numbers are not 0."""
        return ALL(self, axis=None, keepdims=False)

    def __getitem__(self, index):
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(part, Symbol) for part in parts):
            return rules.index(self, index=parts)
        return functions.getitem(self, index)

    def __array_function__(self, function, types, args, kwargs):
        ours = NUMPY.get(function)
        return ours(*args, **kwargs) if ours else super().__array_function__(function, types, args, kwargs)

    def __repr__(self):
        return f"<Symbol {blueprint().line(self)}, {self.dtype} {self.shape}>"

    __bool__ = no_value(
        "Python's if, while, and, or, not (a bool)",
        "tf.cond(pred, true_fn, false_fn) chooses, tf.while_loop(cond, body, loop_vars) repeats, "
        "and & | combine conditions",
    )
    __iter__ = no_value("a Python for", "write for i in range(x.shape[0]): x[i], or use tf.while_loop")
    __len__ = no_value("len()", "x.shape says what is known now, tf.shape(x) is the shape as a Symbol")
    __index__ = no_value("an index or a range", "index a Symbol (tf.constant(array)[i]), or use tf.while_loop")
    __float__ = no_value("float()", "compute with the Symbol, or session.run(x) for its number")
    __int__ = no_value("int()", "tf.cast(x, tf.int32) converts inside the graph, session.run(x) gives the number")
    __complex__ = no_value("complex()", "session.run(x) gives its number")
    __format__ = no_value("a format", "print the Symbol itself, or what session.run(x) gives")
    __array__ = no_value("NumPy", "use the functions of chainrule.static (tf.stack for a list of Symbols)")
    item = numpy = tolist = no_value("item() or numpy()", "session.run(x) gives its number")
    backward = no_value("backward()", "tf.gradients(y, x) describes the gradient, session.run computes it")


def is_float(x):
    """Whether x is a Symbol that can have a gradient."""
    return isinstance(x, Symbol) and x.dtype is not None and x.dtype.kind == "f"


def out_of_reach(x, graph):
    if x.graph.root is not graph.root:
        return f"{x!r} belongs to another graph: build what belongs together in one"
    return (
        f"{x!r} exists only in {x.graph.name}, where it gets a new value with every run: hand it out as a result "
        "of the body (a loop variable) or of both branches"
    )


# ---- nested lists, tuples and dicts


def each(f, structure):
    """`structure` with f applied to every leaf of its nested lists, tuples and dicts."""
    if isinstance(structure, dict):
        return type(structure)((key, each(f, part)) for key, part in structure.items())
    if isinstance(structure, list | tuple):
        make = getattr(structure, "_make", type(structure))  # a namedtuple has its own
        return make(each(f, part) for part in structure)
    return f(structure)


def leaves(structure):
    """The leaves of nested lists, tuples and dicts, in order.

    >>> leaves([1, (2, {"three": 3})])
    [1, 2, 3]
    """
    found: list = []
    each(found.append, structure)
    return found


def repack(structure, values):
    """The nesting of `structure` around other leaves."""
    values = iter(values)
    return each(lambda _: next(values), structure)


# ---- what goes into a node, and what will come out


def literal(x):
    """An input as the graph keeps it: a Symbol, a Python number, or the graph's own copy of an array."""
    if isinstance(x, Symbol | int | float):
        return x
    x = constant_of(x)
    if isinstance(x, Box):
        raise TypeError(
            "a static graph holds numbers and Symbols, but this Tensor takes part in a derivative of the dynamic "
            "engine: feed its numbers through a tf.placeholder, or make them a constant with x.detach()"
        )
    x = np.array(x)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"a graph computes with numbers, not with {x.dtype}: {x!r}")
    return number_or_array(x)


def infer(op, inputs, params):
    """Shape and dtype of a result, asked of the operation's own value on arrays of the inputs' shapes.

    An unknown length is tried with several numbers; what then varies in the result is
    unknown as well. So is what depends on the numbers in an index or a mask.
    """
    hidden = [x for x in leaves(params) if isinstance(x, Symbol)]
    unknown = sum(x.shape.count(None) for x in [*inputs, *hidden] if isinstance(x, Symbol))
    if not hidden and not unknown:
        y = attempt(op, inputs, params)
        return y.shape, y.dtype
    known = {n for x in inputs for n in np.shape(x)} - {None}
    for lengths in ({1, 2, 3}, {1, 2, 3} | known):
        found, problem = [], None
        for trial in itertools.product(itertools.product(sorted(lengths), repeat=unknown), (0, 1) if hidden else (0,)):
            try:
                found.append(attempt(op, inputs, params, *trial))
            except (ValueError, IndexError, RuntimeError, TypeError) as error:
                problem = problem or error
        if found:
            lengths_found = zip(*(y.shape for y in found), strict=True)
            return tuple(n[0] if len(set(n)) == 1 else None for n in lengths_found), found[0].dtype
    raise problem


def attempt(op, inputs, params, lengths=(), fill=0):
    """The value of `op` on stand-ins: arrays of ones, or of `fill` where integers and truth values are wanted."""
    lengths = iter(lengths)

    def stand_in(x):
        if not isinstance(x, Symbol):
            return x
        shape = tuple(next(lengths) if n is None else n for n in x.shape)
        return number_or_array(np.full(shape, 1 if x.dtype.kind == "f" else fill, x.dtype))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(op.compute([stand_in(x) for x in inputs], each(stand_in, params)))


# ---- operations that only a graph has; none has a derivative


def plain(name, value, *inputs):
    return Op(name, "constant", value, inputs, ())


PLACEHOLDER, ARGUMENT, CONSTANT = (
    plain("Placeholder", None),
    plain("Argument", None),
    plain("Constant", lambda value: value),
)
PART, HISTORY = plain("Part", lambda x, index: x[index], "x"), plain("History", lambda x: x[-1], "x")
STOP, SHAPE = plain("StopGradient", lambda x: x, "x"), plain("Shape", lambda x: np.array(np.shape(x), np.int32), "x")
ONES_LIKE = plain("OnesLike", lambda x: np.ones(x.shape, x.dtype), "x")
ZEROS_LIKE = plain("ZerosLike", lambda x: np.zeros(x.shape, x.dtype), "x")
ANY, ALL, ARGMAX, ARGMIN = (plain(f.__name__.title(), f, "x") for f in (np.any, np.all, np.argmax, np.argmin))


def constant(value: Any, dtype: Any = None, shape: tuple | None = None) -> Symbol:
    """A value that is the same in every run: a number, a list, an array, or a Tensor without gradient.

    dtype  by default float32 for Python's floats and int32 for its integers, as in TensorFlow;
           arrays keep theirs
    shape  the shape to broadcast it to, if given

    Raises TypeError for a Symbol, and for what is not numbers.

    >>> constant([1.0, 2.0])
    <Symbol %... = Constant [1, 2], float32 (2,)>
    """
    if isinstance(value, Symbol):
        raise TypeError(f"{value!r} is a Symbol already: use it as it is")
    array = np.asarray(literal(value), dtype)
    if dtype is None and not isinstance(value, np.ndarray | np.generic | Box):
        array = array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))
    array = np.array(np.broadcast_to(array, array.shape if shape is None else shape))
    return Symbol(CONSTANT, (), {"value": number_or_array(array)}, array.shape, array.dtype)


def symbol(x: Any, dtype: Any = None) -> Symbol:
    """x as a Symbol: itself, or a `constant`."""
    return x if isinstance(x, Symbol) else constant(x, dtype)


def choose(condition: Any, x: Any, y: Any) -> Symbol:
    """x where `condition` holds, else y. Both are computed; `cond` computes one."""
    return rules.where(symbol(x), literal(y), condition=literal(condition))


def along(op):
    """A function of NumPy's form that adds a node: for what has no derivative."""

    def build(x: Any, axis: Any = None, keepdims: bool = False) -> Symbol:
        return op(symbol(x), axis=axis, keepdims=keepdims)

    build.__doc__ = f"As `np.{op.name.lower()}`: of all numbers, or along `axis`. No derivative flows."
    return build


# What NumPy hands over that Tensors do otherwise.
NUMPY = {
    np.where: choose, np.any: along(ANY), np.all: along(ALL), np.argmax: along(ARGMAX), np.argmin: along(ARGMIN),
    np.zeros_like: ZEROS_LIKE, np.ones_like: ONES_LIKE,
}  # fmt: skip
