"""Symbols: values that are not there yet, and the graph that they are nodes of.

An operation on Symbols computes nothing. It adds a node to the graph: which operation, on
which other Symbols, numbers and arrays. What is known at once is the shape and dtype of
the result.
"""

import itertools
import math
import sys
import warnings
from collections import Counter
from typing import Any

import numpy as np

from .. import rules
from ..compile.source import Line
from ..nested import each, leaves
from ..op import Box, Op
from ..tape import Size, constant_of, number_or_array


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
        return self is other or (self.parent is not None and self.parent.sees(other))

    def count(self):
        """How many nodes there are of each operation, those inside loops and branches included."""
        counts, waiting, seen = Counter(), [self], {self}
        while waiting:
            for x in waiting.pop().nodes:
                counts[x.op.name] += 1
                inner = {block.graph for block in getattr(x.op, "blocks", ())} - seen
                waiting += inner
                seen |= inner
        return counts

    def draw(self, fetches):
        """A drawing of what `fetches` need, in which loops and branches are frames.

        It shows itself in a notebook; `.dot` is its source, `.text` says the same in words.
        """
        from .blueprint import Drawing

        return Drawing(self, leaves(fetches))

    def to_python(self, fetches, name="program"):
        """What a session does to compute `fetches`, as a Python function of the placeholders; `.source` is its text."""
        from .program import to_python

        return to_python(fetches, name)

    def __str__(self):
        from .blueprint import listing

        return listing(self.nodes)

    def __repr__(self):
        return f"<Graph of {self.count().total()} nodes>"


# The graphs that are being built, the innermost last.
open_graphs = [Graph()]


def get_default_graph():
    """The graph that new nodes go to.

    >>> with Graph() as g:
    ...     get_default_graph() is g
    True
    """
    return open_graphs[-1].root


class NoValueYet(TypeError):
    """Python asked a Symbol for its number while the graph was being built.

    >>> import chainrule.static as tf
    >>> try:
    ...     float(tf.constant(2.0))
    ... except tf.NoValueYet:
    ...     print("not before it runs")
    not before it runs
    """


def no_value(what, instead):
    """A method that says why a Symbol cannot do `what`, and what to write instead."""

    def refuse(self, *_, **__):
        raise NoValueYet(f"{what} needs a number, but {self!r} has none before the graph runs: {instead}")

    return refuse


class Symbol(Line):
    """A value that is not there yet: what one node of the graph will give when it runs.

    shape, dtype   known while building; an unknown length in `shape` is None
    graph, number  where it stands

    >>> import chainrule.static as tf
    >>> with tf.Graph():
    ...     x = tf.placeholder(tf.float64, (), "x")
    ...     y = x * x
    >>> y.shape, y.dtype
    ((), dtype('float64'))
    """

    __slots__ = ("shape", "dtype", "graph", "number")
    level = sys.maxsize  # whatever a Symbol meets becomes part of the graph

    def __init__(self, op, inputs, params, shape, dtype, graph=None):
        super().__init__(op, inputs, params)
        self.shape, self.dtype = shape, dtype
        self.graph = graph = graph or open_graphs[-1]
        for x in self.sources:
            if not graph.sees(x.graph):
                raise ValueError(out_of_reach(x, graph))
        self.number = graph.tick()
        graph.nodes.append(self)

    ndim = property(lambda self: len(self.shape))

    def apply(self, op, inputs, params):
        inputs = tuple(literal(x) for x in inputs)
        params = {name: literal(x) if name == "condition" else x for name, x in params.items()}
        return Symbol(op, inputs, params, *infer(op, inputs, params))

    def detach(self):
        """The same value as a constant for `gradients`, as `stop_gradient`."""
        return STOP(self)

    def __repr__(self):
        from .blueprint import described

        return f"<Symbol {described(self)}, {self.dtype} {self.shape}>"

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


def suits(given, wanted):
    """Whether a shape is what another says; None stands for any length."""
    return len(given) == len(wanted) and all(n in (m, None) for m, n in zip(given, wanted, strict=True))


def literal(x):
    """An input as the graph keeps it: a Symbol, a Python number, or the graph's own copy of an array."""
    if isinstance(x, Symbol | int | float | None):
        return int(x) if type(x) is Size else x
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


LARGEST = 1 << 20  # numbers in an array that a shape is tried with


def infer(op, inputs, params):
    """Shape and dtype of a result, asked of the operation's own value on arrays of the inputs' shapes.

    An unknown length is tried with several numbers, all the same and all but one; what then varies
    in the result is unknown as well. So is what depends on the numbers in an index or a mask.
    """
    hidden = any(isinstance(x, Symbol) for x in leaves(params))
    unknown = sum(x.shape.count(None) for x in leaves([inputs, params]) if isinstance(x, Symbol))
    trials = {
        tuple(n if i == odd else m for i in range(unknown))
        for n, m in itertools.product(telling_lengths(inputs, params), repeat=2)
        for odd in range(max(unknown, 1))
    }
    found, problem = [], None
    for trial in itertools.product(sorted(trials), (0, 1) if hidden else (0,)):
        try:
            found.append(attempt(op, inputs, params, *trial))
        except (ValueError, IndexError, RuntimeError, TypeError) as error:
            problem = problem or error
    if not found:
        raise problem
    by_axis = zip(*(y.shape for y in found), strict=True)
    return tuple(n[0] if len(set(n)) == 1 else None for n in by_axis), found[0].dtype


def telling_lengths(inputs, params):
    """Lengths that show what an unknown one does: those that are known, and some around each number in `params`.

    A slice from 5 on wants more than 5, a step of 5 more than two times 5, rows of 5 a multiple of it.
    """
    numbers = {int(n) for n in numbers_in(params)}
    numbers.add(math.prod(numbers - {0}))
    near = {m for n in map(abs, numbers) for m in (n, n + 1, 2 * n, 2 * n + 3)}
    return {1, 2, 3, *({n for x in inputs for n in np.shape(x)} - {None}), *(near - {0})}


def numbers_in(params):
    for x in leaves(params):
        if isinstance(x, slice):
            yield from (n for n in (x.start, x.stop, x.step) if isinstance(n, int))
        elif isinstance(x, int):
            yield x
        elif isinstance(x, np.ndarray) and x.dtype.kind in "iu" and x.size:
            yield x.max()


def attempt(op, inputs, params, lengths, fill):
    """The value of `op` on stand-ins: arrays of ones, or of `fill` where integers and truth values are wanted."""
    lengths = iter(lengths)

    def stand_in(x):
        if not isinstance(x, Symbol):
            return x
        shape = tuple(next(lengths) if n is None else n for n in x.shape)
        if math.prod(shape) > LARGEST:
            raise ValueError(f"the shape of the result is not found by trying shapes as large as {shape}")
        return number_or_array(np.full(shape, 1 if x.dtype.kind == "f" else fill, x.dtype))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(op.compute(each(stand_in, inputs), each(stand_in, params)))


# ---- operations that only a graph has; none has a derivative


def plain(name, value, *inputs):
    return Op(name, "constant", value, inputs, ())


PLACEHOLDER, ARGUMENT, CONSTANT = plain("Placeholder", None), plain("Argument", None), plain("Constant", None)
PART, HISTORY = plain("Part", None), plain("History", None)
STOP, SHAPE = plain("StopGradient", lambda x: x, "x"), plain("Shape", lambda x: np.array(np.shape(x), np.int32), "x")
ONES_LIKE, ZEROS_LIKE = plain("OnesLike", np.ones_like, "x"), plain("ZerosLike", np.zeros_like, "x")


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
        array = fitting(array, {"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype), "a constant")
    array = np.array(np.broadcast_to(array, array.shape if shape is None else shape))
    return Symbol(CONSTANT, (), {"value": number_or_array(array)}, array.shape, array.dtype)


def fitting(array, dtype, what):
    """`array` in `dtype`. Raises ValueError for an integer that it does not hold."""
    y = array.astype(dtype)
    if array.dtype.kind in "iu" and np.any(y != array):
        beyond = array[y != array].flat[0]
        raise ValueError(f"{what} of {np.dtype(dtype)} does not hold {beyond}: give dtype=tf.int64")
    return y


def symbol(x: Any, dtype: Any = None) -> Symbol:
    """x as a Symbol: itself, or a `constant`."""
    return x if isinstance(x, Symbol) else constant(x, dtype)


def choose(condition: Any, x: Any, y: Any) -> Symbol:
    """x where `condition` holds, else y. Both are computed; `cond` computes one.

    >>> import chainrule.static as tf
    >>> with tf.Graph(), tf.Session() as session:
    ...     session.run(tf.where(tf.constant([True, False]), 1.0, 0.0))
    array([1., 0.], dtype=float32)
    """
    return rules.where(symbol(x), literal(y), condition=literal(condition))
