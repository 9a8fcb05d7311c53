"""The static graph: describe the whole computation first, run it afterwards, as TensorFlow 1 did.

    import chainrule.static as tf
    a = tf.placeholder(tf.float32, shape=(), name="a")
    y = tf.while_loop(lambda b: tf.norm(b) < 1000, lambda b: b * 2, [a * 2])
    slope = tf.gradients(y, a)
    with tf.Session() as session:
        session.run([y, slope], feed_dict={a: 0.25})    # [1024.0, [4096.0]]

A `Symbol` stands for a value that is not there yet. An operation on Symbols computes
nothing: it adds a node to the graph. No derivative is written here: `gradients` runs the
pull rules of the table on Symbols, and what comes out is more graph.
"""

import itertools
import math
import warnings
from collections import Counter
from functools import partial, wraps
from types import SimpleNamespace

import numpy as np

from . import functions, rules
from .functional import vjp
from .methods import Methods
from .op import Box, Op, given
from .reverse import fit
from .tape import constant_of, number_or_array

float32, float64, int32, int64, bool_ = map(np.dtype, ("float32", "float64", "int32", "int64", "bool"))


# ---- the graph and its nodes


class Graph:
    """Nodes in the order in which they were made. `with Graph() as g:` collects new nodes in g.

    The body of a loop and the branches of a `cond` are graphs inside a graph.

    >>> with Graph() as g:
    ...     x = placeholder(float64, shape=(3,), name="x")
    ...     y = reduce_sum(x * x)
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
        total, waiting, seen = Counter(), [self], set()
        while waiting:
            graph = waiting.pop()
            if id(graph) not in seen:
                seen.add(id(graph))
                total.update(x.op.name for x in graph.nodes)
                controls = [x.op for x in graph.nodes if isinstance(x.op, Control)]
                waiting += [block.graph for op in controls for block in op.blocks]
        return total

    def __str__(self):
        return blueprint().listing(self.nodes)

    def draw(self, fetches):
        """A drawing of what `fetches` need: loops and branches are frames. Shows itself in a notebook; `.dot`, `.text`."""
        return blueprint().Drawing(Block(self, (), leaves(fetches)))

    def __repr__(self):
        return f"<Graph of {self.count().total()} nodes>"


open_graphs = [Graph()]


def blueprint():
    """The module that writes and draws graphs; it is made of this one, so it comes later."""
    from . import blueprint

    return blueprint


def get_default_graph():
    """The graph that new nodes go to."""
    return open_graphs[-1].root


def reset_default_graph():
    """Begin a new, empty graph."""
    open_graphs[:] = [Graph()]


def disable_v2_behavior():
    """Does nothing: here, graphs are always described first and run later."""


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
    """

    __slots__ = ("op", "inputs", "params", "shape", "dtype", "graph", "number", "sources")
    level = math.inf  # whatever a Symbol meets becomes part of the graph
    requires_grad = False

    def __init__(self, op, inputs, params, shape, dtype, graph=None):
        self.op, self.inputs, self.params, self.shape, self.dtype = op, inputs, params, shape, dtype
        self.graph = graph = graph or open_graphs[-1]
        self.sources = [x for x in leaves([inputs, params]) if isinstance(x, Symbol)]
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


def each(f, structure):
    """`structure` with f applied to every leaf of its nested lists, tuples and dicts."""
    if isinstance(structure, dict):
        return type(structure)((key, each(f, part)) for key, part in structure.items())
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(each(f, part) for part in structure))
    if isinstance(structure, list | tuple):
        return type(structure)(each(f, part) for part in structure)
    return f(structure)


def leaves(structure):
    """The leaves of nested lists, tuples and dicts, in order.

    >>> leaves([1, (2, {"three": 3})])
    [1, 2, 3]
    """
    found = []
    each(found.append, structure)
    return found


def repack(structure, values):
    """The nesting of `structure` around other leaves."""
    values = iter(values)
    return each(lambda _: next(values), structure)


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


def out_of_reach(x, graph):
    if x.graph.root is not graph.root:
        return f"{x!r} belongs to another graph: build what belongs together in one"
    return (
        f"{x!r} exists only in {x.graph.name}, where it gets a new value with every run: hand it out as a result "
        "of the body (a loop variable) or of both branches"
    )


def infer(op, inputs, params):
    """Shape and dtype of a result, asked of the operation's own value on arrays of the inputs' shapes.

    An unknown length is tried with several numbers; what then varies in the result is
    unknown as well. So is what depends on the numbers in an index or a mask.
    """
    hidden = [x for x in leaves(params) if isinstance(x, Symbol)]
    unknown = sum(x.shape.count(None) for x in [*inputs, *hidden] if isinstance(x, Symbol))
    known = {n for x in inputs for n in np.shape(x)} - {None} if unknown else ()
    fills = (0, 1) if hidden else (0,)
    found, problem = [], None
    for lengths in ((1, 2, 3), sorted(known)):
        for trial in itertools.product(itertools.product(lengths, repeat=unknown), fills):
            try:
                found.append(attempt(op, inputs, params, *trial))
            except (ValueError, IndexError, RuntimeError, TypeError) as error:
                problem = problem or error
        if found:
            break
    if not found:
        raise problem
    shapes = zip(*(np.shape(y) for y in found), strict=True)
    return tuple(n[0] if len(set(n)) == 1 else None for n in shapes), found[0].dtype


def attempt(op, inputs, params, lengths, fill):
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


# ---- what a graph is made of besides the table


def plain_op(name, value, *inputs):
    """An operation without a derivative."""
    return Op(name, "constant", value, inputs, ())


PLACEHOLDER, ARGUMENT = plain_op("Placeholder", None), plain_op("Argument", None)
CONSTANT, STOP = plain_op("Constant", lambda value: value), plain_op("StopGradient", lambda x: x, "x")
PART = plain_op("Part", lambda x, index: x[index], "x")
HISTORY = plain_op("History", lambda x: x[-1], "x")
ONES_LIKE = plain_op("OnesLike", lambda x: np.ones(x.shape, x.dtype), "x")
ZEROS_LIKE = plain_op("ZerosLike", lambda x: np.zeros(x.shape, x.dtype), "x")
SHAPE = plain_op("Shape", lambda x: np.array(np.shape(x), int32), "x")
ANY, ALL = (plain_op(f.__name__.title(), f, "x") for f in (np.any, np.all))
ARGMAX, ARGMIN = (plain_op(f.__name__.title(), f, "x") for f in (np.argmax, np.argmin))


def placeholder(dtype, shape=None, name=None) -> Symbol:
    """A value that is fed when the graph runs.

    shape  a tuple: () for one number; None stands for a length that may differ from run to run
    name   for messages and drawings

    Raises ValueError if the shape is missing.

    >>> placeholder(float32, shape=(None, 3), name="x")
    <Symbol %... = Placeholder 'x', float32 (None, 3)>
    """
    if shape is None:
        raise ValueError("a placeholder needs a shape: () for one number, (None, 3) for rows of three")
    shape = tuple(None if n is None else int(n) for n in shape)
    return Symbol(PLACEHOLDER, (), {"name": name or "placeholder"}, shape, np.dtype(dtype), get_default_graph())


def constant(value, dtype=None, shape=None) -> Symbol:
    """A value that is the same in every run: a number, a list, an array, or a Tensor without gradient.

    dtype  by default float32 for Python's floats and int32 for its integers, as in TensorFlow;
           arrays keep theirs

    >>> constant([1.0, 2.0])
    <Symbol %... = Constant [1. 2.], float32 (2,)>
    """
    if isinstance(value, Symbol):
        raise TypeError(f"{value!r} is a Symbol already: use it as it is")
    own = isinstance(value, np.ndarray | np.generic | Box)
    array = np.asarray(literal(value), dtype)
    if dtype is None and not own:
        array = array.astype({"f": float32, "i": int32}.get(array.dtype.kind, array.dtype))
    array = np.array(np.broadcast_to(array, array.shape if shape is None else shape))
    return Symbol(CONSTANT, (), {"value": number_or_array(array)}, array.shape, array.dtype)


def symbol(x, dtype=None) -> Symbol:
    """x as a Symbol: itself, or a `constant`."""
    return x if isinstance(x, Symbol) else constant(x, dtype)


# ---- functions under TensorFlow's names


def symbolic(function):
    """A function of the public face whose first argument may be a number: the result is a Symbol all the same."""

    @wraps(function)
    def build(x, *args, **kwargs):
        return function(symbol(x), *args, **kwargs)

    build.__doc__ = (function.__doc__ or "").partition("\n")[0]
    return build


SAME = (
    "exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "sigmoid softplus relu abs sign floor ceil round pow maximum minimum add div matmul softmax log_softmax cumsum "
    "reshape squeeze transpose"
)
OTHER = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg", "cast": "astype", "identity": "clone",
    "expand_dims": "unsqueeze", "broadcast_to": "expand", "clip_by_value": "clamp",
    "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "amax", "reduce_min": "amin", "reduce_prod": "prod",
    "reduce_logsumexp": "logsumexp", "reduce_variance": "var", "reduce_std": "std",
    "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq", "not_equal": "ne",
}  # fmt: skip
globals().update({name: symbolic(getattr(functions, name)) for name in SAME.split()})
globals().update({name: symbolic(getattr(functions, ours)) for name, ours in OTHER.items()})

concat, stack = functions.cat, functions.stack
stop_gradient, zeros_like, ones_like, shape = map(symbolic, (STOP, ZEROS_LIKE, ONES_LIKE, SHAPE))
logical_and, logical_or = symbolic(rules.both), symbolic(rules.either)
logical_not = symbolic(lambda x: x == False)  # noqa: E712


def of_axes(op):
    return symbolic(lambda x, axis=None, keepdims=False: op(x, axis=axis, keepdims=keepdims))


reduce_any, reduce_all, argmax, argmin = map(of_axes, (ANY, ALL, ARGMAX, ARGMIN))


def norm(x, ord="euclidean", axis=None, keepdims=False) -> Symbol:
    """The Euclidean norm of all numbers, or along `axis`; `ord` as in `chainrule.norm`."""
    return functions.norm(symbol(x), 2 if ord == "euclidean" else ord, axis=axis, keepdims=keepdims)


def where(condition, x, y) -> Symbol:
    """x where `condition` holds, else y. Both are computed; `cond` computes one."""
    return rules.where(symbol(x), literal(y), condition=literal(condition))


NUMPY = {np.where: where, np.argmax: argmax, np.argmin: argmin, np.any: reduce_any, np.all: reduce_all}


# ---- pieces of a graph that run


class Block:
    """A piece of a graph that runs on its own: what a session is asked for, a loop's body, a branch.

    graph      whose nodes it runs
    arguments  Symbols that it is given values for
    outputs    Symbols whose values it gives back
    order      what has to run for that, each node once, in the order in which the graph was built
    captures   Symbols of the graphs around that it uses
    histories  loops that must remember their states, because a gradient asks for them
    """

    def __init__(self, graph, arguments, outputs):
        self.graph, self.arguments, self.outputs = graph, arguments, outputs
        arguments, found, captures, waiting = {x.number for x in arguments}, {}, {}, list(outputs)
        while waiting:
            x = waiting.pop()
            if x.graph is not graph:
                captures[x.number] = x
            elif x.number not in found and x.number not in arguments:
                found[x.number] = x
                waiting += x.sources
        self.order = [found[number] for number in sorted(found)]
        self.captures = [captures[number] for number in sorted(captures)]
        self.histories = {x.inputs[0].number for x in self.order if x.op is HISTORY}

    def run(self, given, around, counts):
        """The outputs' values, for values `given` to the arguments and a dict `around` of the captures' values."""
        values = dict(around)
        values.update(zip([x.number for x in self.arguments], given, strict=True))
        for x in self.order:
            try:
                values[x.number] = self.value(x, values, counts)
            except Exception as error:
                error.add_note(f"This happened when {x!r} ran, in {self.graph.name}.")
                raise
        return [values[y.number] for y in self.outputs]

    def value(self, x, values, counts):
        counts[x.op.name] += 1
        inputs = [values[a.number] if type(a) is Symbol else a for a in x.inputs]
        if isinstance(x.op, Control):
            return x.op.run(inputs, counts, x.number in self.histories)
        params = x.params
        if len(x.sources) > sum(type(a) is Symbol for a in x.inputs):
            params = each(lambda a: values[a.number] if type(a) is Symbol else a, params)
        y = x.op.compute(inputs, params)
        return number_or_array(y) if type(y) is np.ndarray else y


def union(*blocks):
    """What several blocks capture, each Symbol once."""
    return list({x.number: x for block in blocks for x in block.captures}.values())


def by_number(symbols, values):
    return {x.number: value for x, value in zip(symbols, values, strict=True)}


class Control:
    """An operation that runs blocks and has several results, of which `PART` takes one.

    blocks    the pieces that it runs
    captures  what those use from outside; always the last of the node's inputs
    parts     the Symbols of its results
    """

    name, pulls, inputs = "", (), ()

    def node(self, inputs, likes):
        """Add a node; a Symbol for each of its results, with the shapes and dtypes of `likes`."""
        whole = Symbol(self, (*inputs, *self.captures), {}, (), None)
        self.parts = [Symbol(PART, (whole,), {"index": i}, x.shape, x.dtype) for i, x in enumerate(likes)]
        return self.parts

    def run(self, inputs, counts, remember):
        """The values of the results, as a tuple."""
        raise NotImplementedError

    def pull(self, node, ts, active):
        """Pairs of an input and its cotangent, for the cotangents `ts` of the results (None where there is none)."""
        raise NotImplementedError


class Loop(Control):
    """`while_loop`: as long as the condition holds, the body makes new loop variables of the old."""

    name = "While"

    def __init__(self, condition, body):
        self.blocks = self.condition, self.body = condition, body
        self.captures = union(condition, body)

    def run(self, inputs, counts, remember):
        n = len(self.body.arguments)
        state, around = inputs[:n], by_number(self.captures, inputs[n:])
        history = []
        while self.condition.run(state, around, counts)[0]:
            counts["trip"] += 1
            if remember:
                history.append(state)
            state = self.body.run(state, around, counts)
        return (*state, history)

    def pull(self, node, ts, active):
        """The loop backward: for each trip, last one first, the body's own gradient.

        What a trip computed is not kept. Only the loop variables are, on a stack; the
        gradient computes the rest of the body again from them.
        """
        moving = [i for i, x in enumerate(self.body.arguments) if is_float(x)]
        variables = [self.body.arguments[i] for i in moving]
        borrowed = [x for x in self.captures if is_float(x) and x.number in active]
        with self.body.graph as graph:
            incoming = [argument(x) for x in variables]
            outgoing = sweep([self.body.outputs[i] for i in moving], incoming, variables + borrowed, graph)
            used = [x for x, t in zip(borrowed, outgoing[len(moving) :], strict=True) if t is not None]
            outgoing = or_zeros(outgoing[: len(moving)], variables) + [t for t in outgoing[len(moving) :] if t is not None]
        back = LoopBackward(Block(graph, [*self.body.arguments, *incoming], outgoing), len(moving), used)
        history = Symbol(HISTORY, (node,), {}, (), None, node.graph)
        seeds = or_zeros([ts[i] for i in moving], [self.parts[i] for i in moving])
        return zip([*(node.inputs[i] for i in moving), *used], back.node([history, *seeds, *used], variables + used), strict=True)


class LoopBackward(Control):
    """The gradient of a loop. Each trip back makes the cotangents of its loop variables, and adds to the captures'."""

    name = "WhileBackward"

    def __init__(self, block, moving, used):
        self.blocks, self.moving, self.used, self.captures = (block,), moving, used, block.captures

    def run(self, inputs, counts, remember):
        n, m = 1 + self.moving, 1 + self.moving + len(self.used)
        history, ts, totals = inputs[0], inputs[1:n], [np.zeros_like(x)[()] for x in inputs[n:m]]
        around = by_number(self.captures, inputs[m:])
        for state in reversed(history):
            counts["trip back"] += 1
            ts = self.blocks[0].run([*state, *ts], around, counts)
            totals = [total + t for total, t in zip(totals, ts[self.moving :], strict=True)]
            ts = ts[: self.moving]
        return (*ts, *totals)

    def pull(self, node, ts, active):
        raise NotImplementedError(
            "the gradient of a gradient does not go through a while_loop. Write the loop as a Python for, if the "
            "number of trips is known while building, or take the dynamic engine: cr.grad(cr.grad(f))"
        )


class Branch(Control):
    """`cond`: one of two blocks runs."""

    name = "Cond"

    def __init__(self, yes, no):
        self.blocks = yes, no
        self.captures = union(yes, no)

    def run(self, inputs, counts, remember):
        pred, *captured = inputs
        return tuple(self.blocks[0 if pred else 1].run((), by_number(self.captures, captured), counts))

    def pull(self, node, ts, active):
        """Another `cond`, with the same predicate: the gradients of the branch that was taken."""
        wanted = [x for x in self.captures if is_float(x) and x.number in active]
        sides = [self.cotangents(block, ts, wanted) for block in self.blocks]
        used = [i for i in range(len(wanted)) if any(side[i] is not None for side in sides)]
        wanted = [wanted[i] for i in used]
        blocks = []
        for block, side in zip(self.blocks, sides, strict=True):
            with block.graph as graph:
                blocks.append(Block(graph, (), or_zeros([side[i] for i in used], wanted)))
        return zip(wanted, Branch(*blocks).node([node.inputs[0]], wanted), strict=True)

    def cotangents(self, block, ts, wanted):
        live = [(y, t) for y, t in zip(block.outputs, ts, strict=True) if t is not None]
        with block.graph as graph:
            return sweep([y for y, _ in live], [t for _, t in live], wanted, graph)


def or_zeros(ts, likes):
    """The cotangents, with zeros where none has arrived."""
    return [ZEROS_LIKE(x) if t is None else t for t, x in zip(ts, likes, strict=True)]


def is_float(x):
    return isinstance(x, Symbol) and x.dtype is not None and x.dtype.kind == "f"


# ---- loops and branches, as they are written


def while_loop(cond, body, loop_vars):
    """As long as `cond(*loop_vars)` is true, `loop_vars = body(*loop_vars)`.

    cond       a function of the loop variables to one truth value, a Symbol
    body       a function of the loop variables to their next values
    loop_vars  a list or tuple of Symbols or numbers (or nested lists, tuples and dicts of them): their first values

    Both functions are called once, with Symbols, while the graph is built. They may use
    Symbols from outside. Returns the last values, packed as `loop_vars`; of a single
    variable, the Symbol itself. Gradients flow to the first values and to what was used
    from outside. They run the loop backward, which takes memory for the loop variables of
    every trip.

    Raises ValueError if the body returns another structure or shape than it got, TypeError
    for another dtype, or if the condition is not one truth value.

    >>> with Graph(), Session() as session:
    ...     x = placeholder(float64, (), "x")
    ...     n, y = while_loop(lambda n, y: y < 100, lambda n, y: (n + 1, y * x), [0, x])
    ...     session.run([n, y, gradients(y, x)], feed_dict={x: 5.0})
    [np.int32(2), np.float64(125.0), [np.float64(75.0)]]
    """
    callables("while_loop", cond=cond, body=body)
    if not isinstance(loop_vars, list | tuple) or not loop_vars:
        raise TypeError(f"loop_vars must be a list or tuple of at least one Symbol or number, not {loop_vars!r}")
    start = each(symbol, loop_vars)
    with Graph("the body of a while_loop", open_graphs[-1]) as graph:
        variables = each(argument, start)
        going = truth(cond(*variables), "the condition of while_loop")
        result = next_values(body(*variables), variables)
    arguments = leaves(variables)
    loop = Loop(Block(graph, arguments, [going]), Block(graph, arguments, result))
    last = repack(loop_vars, loop.node(leaves(start), arguments))
    return last[0] if len(last) == 1 else last


def cond(pred, true_fn, false_fn):
    """What `true_fn()` gives if `pred` is true, else what `false_fn()` gives; only that one is computed.

    pred               one truth value, a Symbol
    true_fn, false_fn  functions without arguments to a Symbol, a number, or nested lists, tuples, dicts of them

    Both functions are called once, while the graph is built. What they use from outside is
    computed in any case. Gradients flow through the branch that was taken.

    Raises ValueError if the branches return different structures or shapes, TypeError for
    different dtypes, or if `pred` is not one truth value.

    >>> with Graph(), Session() as session:
    ...     x = placeholder(float64, (), "x")
    ...     y = cond(x > 0, lambda: x, lambda: -2 * x)
    ...     session.run([y, gradients(y, x)], feed_dict={x: -3.0})
    [np.float64(6.0), [np.float64(-2.0)]]
    """
    callables("cond", true_fn=true_fn, false_fn=false_fn)
    pred = truth(pred, "the pred of cond")
    graphs = [Graph(f"the {name} of a cond", open_graphs[-1]) for name in ("true_fn", "false_fn")]
    results = []
    for graph, function in zip(graphs, (true_fn, false_fn), strict=True):
        with graph:
            results.append(function())
    yes, no = map(skeleton, results)
    if yes != no:
        raise ValueError(f"the branches of cond must return the same structure, but true_fn gives {yes}, false_fn {no}")
    blocks = []
    for graph, mine, other in zip(graphs, results, reversed(results), strict=True):
        with graph:
            blocks.append(Block(graph, (), [result_like(x, y) for x, y in zip(leaves(mine), leaves(other), strict=True)]))
    likes = [agreed(*pair) for pair in zip(*(block.outputs for block in blocks), strict=True)]
    value = repack(results[0], Branch(*blocks).node([pred], likes))
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def callables(name, **functions):
    for argument, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name} needs a function as {argument}, not {function!r}: write lambda: ...")


def truth(x, what):
    """Check that x is one truth value that the graph can compute."""
    if not isinstance(x, Symbol):
        raise TypeError(f"{what} must be a Symbol, but is {x!r}, known while building: there Python's own if decides")
    if x.dtype != bool_ or x.shape != ():
        raise TypeError(
            f"{what} must be one truth value, but is {x.dtype} of shape {x.shape}: compare (tf.norm(x) < 1), "
            "or make one of many with tf.reduce_all or tf.reduce_any"
        )
    return x


def argument(like):
    """A Symbol that a block will be given a value for."""
    return Symbol(ARGUMENT, (), {}, like.shape, like.dtype)


def skeleton(structure):
    """The nesting alone; lists and tuples count as the same.

    >>> skeleton([1, (2, 3)])
    '(., (., .))'
    """
    if isinstance(structure, dict):
        return "{" + ", ".join(f"{key}: {skeleton(part)}" for key, part in structure.items()) + "}"
    if isinstance(structure, list | tuple):
        return "(" + ", ".join(map(skeleton, structure)) + ")"
    return "None" if structure is None else "."


def next_values(result, variables):
    """What a body returned, checked against the loop variables, as a flat list of Symbols."""
    if len(variables) == 1 and skeleton(result) == skeleton(variables[0]):
        result = [result]
    got, want = skeleton(result), skeleton(variables)
    if got != want:
        hint = " (has it a return?)" if result is None else ""
        raise ValueError(f"the body of while_loop must return its loop variables, {want}, but returns {got}{hint}")
    pairs = zip(leaves(result), leaves(variables), strict=True)
    return [next_value(result_like(x, variable), variable) for x, variable in pairs]


def next_value(x, variable):
    if x.dtype != variable.dtype:
        raise TypeError(
            f"a loop variable keeps its dtype, but one begins as {variable.dtype} and the body makes it {x.dtype}: "
            f"tf.cast(x, tf.{variable.dtype}), or begin with a {x.dtype}"
        )
    if len(x.shape) != len(variable.shape) or any(n not in (m, None) for m, n in zip(x.shape, variable.shape, strict=True)):
        raise ValueError(
            f"a loop variable keeps its shape, but one begins as {variable.shape} and the body makes it {x.shape}: "
            "begin with the final shape"
        )
    return x


def result_like(x, like):
    """x as a Symbol; a Python number takes the dtype of `like`."""
    if x is None:
        raise ValueError("a branch must return something, but one returned None: has it a return?")
    return symbol(x, like.dtype if isinstance(like, Symbol) and isinstance(x, int | float) else None)


def agreed(yes, no):
    """What is known of the result of a cond from the results of its branches."""
    if yes.dtype != no.dtype:
        raise TypeError(
            f"the branches of cond must agree, but true_fn gives {yes.dtype}, false_fn {no.dtype}: tf.cast makes them equal"
        )
    if len(yes.shape) != len(no.shape) or any(m != n and None not in (m, n) for m, n in zip(yes.shape, no.shape, strict=True)):
        raise ValueError(f"the branches of cond must agree, but true_fn gives shape {yes.shape}, false_fn {no.shape}")
    shape = tuple(m if m == n else None for m, n in zip(yes.shape, no.shape, strict=True))
    return SimpleNamespace(shape=shape, dtype=yes.dtype)


# ---- gradients


def gradients(ys, xs, grad_ys=None) -> list:
    """The gradient of the sum of all numbers in `ys` by each of `xs`, as new nodes of the graph.

    ys, xs   a Symbol or a list of them
    grad_ys  a cotangent for each of ys, of its shape; ones if left out

    Returns a list with a Symbol of its shape and dtype for each x, or None for an x that no
    y depends on. The gradients can be differentiated again, except through a while_loop
    (NotImplementedError).

    Raises TypeError for what is not a Symbol or not floating point, ValueError for a
    cotangent of another shape.

    >>> with Graph(), Session() as session:
    ...     x = placeholder(float64, (), "x")
    ...     (slope,) = gradients(x**3, x)
    ...     (bend,) = gradients(slope, x)
    ...     session.run([slope, bend], feed_dict={x: 2.0})
    [np.float64(12.0), np.float64(12.0)]
    """
    ys, xs = ([x] if isinstance(x, Symbol) else list(x) for x in (ys, xs))
    for x in ys + xs:
        if not isinstance(x, Symbol):
            raise TypeError(f"gradients are those of Symbols by Symbols, not of or by {x!r}")
    for y in ys:
        if not is_float(y):
            raise TypeError(f"only floating point numbers have a gradient, but {y!r} is {y.dtype}: use tf.cast before")
    ts = [None] * len(ys) if grad_ys is None else grad_ys if isinstance(grad_ys, list | tuple) else [grad_ys]
    return sweep(ys, [seed(y, t) for y, t in zip(ys, ts, strict=True)], xs)


def seed(y, t):
    """The cotangent of y to start from."""
    if t is None:
        return ONES_LIKE(y)
    t = symbol(t, None if isinstance(t, Symbol) else y.dtype)
    if t.shape != y.shape:
        raise ValueError(f"the cotangent in grad_ys has shape {t.shape}, but its y has shape {y.shape}: they must be equal")
    return t


def sweep(ys, ts, xs, within=None):
    """Cotangents of xs, None where nothing arrives. With `within`, only the nodes of that graph are gone through."""
    order = above(ys, within)
    active = {x.number for x in xs}
    for x in order:
        if any(type(a) is Symbol and a.number in active for a in x.inputs):
            active.add(x.number)
    arrived: dict = {}

    def send(x, t):
        arrived[x.number] = arrived[x.number] + t if x.number in arrived else t

    for y, t in zip(ys, ts, strict=True):
        send(y, t)
    for node in reversed(order):
        if node.number in active:
            for x, t in pieces(node, arrived, active):
                if is_float(x) and x.number in active:
                    send(x, t)
    return [arrived.get(x.number) for x in xs]


def above(ys, within):
    """All nodes that ys depend on, in the order of building."""
    found, waiting = {}, list(ys)
    while waiting:
        x = waiting.pop()
        if x.number not in found and (within is None or x.graph is within):
            found[x.number] = x
            waiting += x.sources
    return [found[number] for number in sorted(found)]


def pieces(node, arrived, active):
    """Pairs of an input of `node` and what its cotangent gets from there."""
    if isinstance(node.op, Control):
        ts = [arrived.get(part.number) for part in node.op.parts]
        return node.op.pull(node, ts, active) if any(t is not None for t in ts) else ()
    if node.number not in arrived or not node.op.pulls:
        return ()
    wanted = [i for i, x in enumerate(node.inputs) if is_float(x) and x.number in active]
    return [(node.inputs[i], t) for i, t in zip(wanted, pull(node, arrived[node.number], wanted), strict=True)]


def pull(node, t, wanted):
    """What the inputs `wanted` get for the cotangent t: the table's own rules, run on Symbols.

    A rule that must see numbers or lengths that are not known yet runs as one operation, later.
    """
    op, mark = node.op, len(open_graphs[-1].nodes)
    kept = what_is_kept(op, node, node.inputs, node.params)
    try:
        if about_shapes(op) and any(None in np.shape(x) for x in [t, node, *node.inputs]):
            raise NoValueYet
        parts = op.pulls[0](t, kept) if op.inputs == ("*xs",) else {i: op.pulls[i](t, kept) for i in wanted}
        return [fitted(parts[i], node.inputs[i], op) for i in wanted]
    except NoValueYet:
        del open_graphs[-1].nodes[mark:]
        return [pull_later(node, t, i) for i in wanted]


def what_is_kept(op, y, inputs, params):
    """What the rules of `op` may ask for."""
    shapes = [np.shape(x) for x in inputs]
    shapes = {"x_shape": shapes} if op.inputs == ("*xs",) else {f"{x}_shape": n for x, n in zip(op.inputs, shapes)}
    a, b = (*inputs, None, None)[:2]
    return SimpleNamespace(y=y, a=a, b=b, inputs=inputs, params={**params, **shapes})


def about_shapes(op):
    return op.family == "reduction" or any(name.endswith("_shape") for need in op.needs for name in need)


def fitted(t, x, op):
    """t in the shape and dtype of x: what broadcasting repeated is summed. Lengths not known yet are seen to later."""
    if None in t.shape + x.shape and len(op.inputs) > 1:
        return Symbol(SUM_LIKE, (t, x), {}, x.shape, x.dtype)
    return fit(t, (x.shape, x.dtype))


def later(name, function, count):
    """`function` of `count` arrays as an operation. Its derivative is found when it runs, by `vjp`."""

    def pull(i, t, kept):
        def slope(t, *xs, **params):
            return constant_of(vjp(lambda x: function(*xs[:i], x, *xs[i + 1 :], **params), xs[i])[1](t)[0])

        x = kept.inputs[i]
        op = later(name + "Backward", slope, count + 1)
        return Symbol(op, (t, *kept.inputs), given(kept.params), x.shape, x.dtype)

    return Op(name, "later", function, tuple("abcdefgh"[:count]), (), pulls=tuple(partial(pull, i) for i in range(count)), needs=(frozenset(),) * count)


def pull_later(node, t, i):
    """One pull as a single operation, which runs the rule when there are numbers."""
    op = node.op

    def rule(t, y, *inputs, **params):
        kept = what_is_kept(op, y, inputs, params)
        part = op.pulls[0](t, kept)[i] if op.inputs == ("*xs",) else op.pulls[i](t, kept)
        return fit(part, (inputs[i].shape, inputs[i].dtype))

    inputs = (t, node, *node.inputs)
    return Symbol(later(op.name + "Backward", rule, len(inputs)), inputs, node.params, node.inputs[i].shape, node.inputs[i].dtype)


SUM_LIKE = later("SumTo", lambda t, x: fit(t, (x.shape, x.dtype)), 2)


# ---- running


class Session:
    """Runs what a graph describes. `with Session() as session:` is the usual form; leaving it closes nothing.

    graph        the graph it runs; the default graph if left out
    evaluations  after a run, how often each operation was computed, and how many trips loops made
    """

    def __init__(self, graph=None):
        self.graph = graph or get_default_graph()
        self.evaluations = Counter()
        self.blocks = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Does nothing: a session holds nothing that must be let go."""

    def run(self, fetches, feed_dict=None):
        """The values of `fetches`, computing what they need and nothing else, each node once.

        fetches    a Symbol, or nested lists, tuples and dicts of Symbols
        feed_dict  a value for each placeholder that is needed

        Returns NumPy arrays and numbers, packed as `fetches`.

        Raises TypeError for what is not a Symbol and for a value of the wrong dtype; ValueError
        for a Symbol of another graph or of the inside of a loop or branch, for a placeholder
        without a value, and for a value of the wrong shape.
        """
        wanted = leaves(fetches)
        for x in wanted:
            self.check(x)
        feeds = {x: feed(x, value, self.graph) for x, value in (feed_dict or {}).items()}
        key = (*(x.number for x in wanted), "fed", *(x.number for x in feeds))
        if key not in self.blocks:
            self.blocks[key] = Block(self.graph, list(feeds), wanted)
        block = self.blocks[key]
        for x in block.order:
            if x.op is PLACEHOLDER:
                raise ValueError(missing(x))
        self.evaluations = Counter()
        values = block.run(feeds.values(), {}, self.evaluations)
        return repack(fetches, [value.copy() if isinstance(value, np.ndarray) else value for value in values])

    def check(self, x):
        """Refuse what this session cannot compute."""
        if not isinstance(x, Symbol):
            hint = ": gradients gives None for an x that no y depends on" if x is None else ""
            raise TypeError(f"a session runs Symbols (or lists, tuples and dicts of them), not {x!r}{hint}")
        if x.graph is not self.graph:
            raise ValueError(out_of_reach(x, self.graph))


def missing(x):
    name = x.params["name"]
    return (
        f"the placeholder {name!r} ({x.dtype}, shape {x.shape}) is needed, but has no value: "
        f"run(fetches, feed_dict={{{name}: ...}})"
    )


def feed(x, value, graph):
    """A value for the placeholder x, checked and copied."""
    if not isinstance(x, Symbol) or x.op is not PLACEHOLDER:
        raise TypeError(f"only placeholders are fed, not {x!r}: feed_dict={{placeholder: value}}")
    if x.graph is not graph:
        raise ValueError(out_of_reach(x, graph))
    if isinstance(value, Symbol):
        raise TypeError(f"the placeholder {x.params['name']!r} was fed {value!r}: feed numbers, as session.run gives them")
    array = np.asarray(value)
    if not np.can_cast(array.dtype, x.dtype, "same_kind"):
        raise TypeError(f"the placeholder {x.params['name']!r} holds {x.dtype}, but was fed {array.dtype}")
    if len(array.shape) != x.ndim or any(m not in (n, None) for n, m in zip(array.shape, x.shape, strict=True)):
        raise ValueError(f"the placeholder {x.params['name']!r} has shape {x.shape}, but was fed shape {array.shape}")
    return number_or_array(array.astype(x.dtype))
