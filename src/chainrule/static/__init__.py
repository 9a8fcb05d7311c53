"""The static graph: describe the whole computation first, run it afterwards, as TensorFlow 1 did.

    import chainrule.static as tf
    a = tf.placeholder(tf.float32, shape=(), name="a")
    y = tf.while_loop(lambda b: tf.norm(b) < 1000, lambda b: b * 2, [a * 2])
    slope = tf.gradients(y, a)
    with tf.Session() as session:
        session.run([y, slope], feed_dict={a: 0.25})    # [1024.0, [4096.0]]

The names and their meaning are TensorFlow's. What a Symbol is, is said in `symbols`; what
loops and branches are, and how a graph is gone through backward, in `control`; the Python
program that a session makes of a graph, and runs, is written in `program`.
"""

from functools import wraps
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import functions
from ..library import more
from ..nested import each, leaves, repack
from .control import Block, Branch, Loop, argument, sweep
from .program import Session

from .symbols import (  # isort: skip
    ONES_LIKE, PLACEHOLDER, SHAPE, STOP, ZEROS_LIKE, Graph, NoValueYet, Symbol, choose, constant, get_default_graph,
    is_float, open_graphs, suits, symbol,
)  # fmt: skip

__all__ = [
    "Graph", "NoValueYet", "Session", "Symbol", "bool_", "concat", "cond", "constant", "disable_v2_behavior", "float32",
    "float64", "get_default_graph", "gradients", "int32", "int64", "nn", "norm", "ones_like", "placeholder",
    "reset_default_graph", "shape", "stack", "stop_gradient", "where", "while_loop", "zeros_like",
]  # fmt: skip

float32, float64, int32, int64, bool_ = map(np.dtype, ("float32", "float64", "int32", "int64", "bool"))


def reset_default_graph():
    """Begin a new, empty graph.

    >>> reset_default_graph()
    >>> len(get_default_graph().nodes)
    0
    """
    open_graphs[:] = [Graph()]


def disable_v2_behavior():
    """Does nothing: here, graphs are always described first and run later.

    >>> disable_v2_behavior()
    """


def placeholder(dtype: Any, shape: tuple | None = None, name: str | None = None) -> Symbol:
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


# ---- functions under TensorFlow's names


def symbolic(function):
    """A function of chainrule whose first argument may be a number: the result is a Symbol all the same."""

    @wraps(function)
    def build(x, *args, **kwargs):
        return function(symbol(x), *args, **kwargs)

    first, *_ = function.__doc__.splitlines()
    build.__doc__ = f"""{first}

    A node that does what `chainrule.{function.__name__}` does.
    """
    return build


SAME = (
    "exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "sigmoid softplus relu abs sign floor ceil round pow maximum minimum add div matmul softmax log_softmax cumsum "
    "reshape squeeze transpose argmax argmin logical_and logical_or logical_not"
)
OTHER = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "negative": "neg", "cast": "astype", "identity": "clone",
    "expand_dims": "unsqueeze", "broadcast_to": "expand", "clip_by_value": "clamp",
    "reduce_sum": "sum", "reduce_mean": "mean", "reduce_max": "amax", "reduce_min": "amin", "reduce_prod": "prod",
    "reduce_any": "any", "reduce_all": "all", "reduce_logsumexp": "logsumexp", "reduce_variance": "var",
    "reduce_std": "std",
    "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq", "not_equal": "ne",
}  # fmt: skip
__all__ += [*SAME.split(), *OTHER]
for name, ours in ({name: name for name in SAME.split()} | OTHER).items():
    globals()[name] = symbolic(getattr(functions, ours, None) or getattr(more, ours))

concat, stack, where = functions.cat, functions.stack, choose


def norm(x: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False) -> Symbol:
    """The Euclidean norm of all numbers, or along `axis`; `ord` as in `chainrule.norm`.

    >>> with Graph(), Session() as session:
    ...     session.run(norm(constant([3.0, 4.0])))
    np.float32(5.0)
    """
    return functions.norm(symbol(x), 2 if ord == "euclidean" else ord, axis=axis, keepdims=keepdims)


class nn:
    """The functions that TensorFlow keeps in `tf.nn`.

    >>> with Graph(), Session() as session:
    ...     session.run(nn.relu(constant([-1, 2])))
    array([0, 2], dtype=int32)
    """

    relu, sigmoid, tanh, softplus, softmax, log_softmax = (
        staticmethod(globals()[name]) for name in ["relu", "sigmoid", "tanh", "softplus", "softmax", "log_softmax"]
    )


def stop_gradient(x: Any) -> Symbol:
    """The same value as a constant for `gradients`: what `detach` is for Tensors.

    >>> with Graph(), Session() as session:
    ...     session.run(gradients(stop_gradient(x := constant(2.0)) * x, x))
    [np.float32(2.0)]
    """
    return STOP(symbol(x))


def zeros_like(x: Any) -> Symbol:
    """Zeros in the shape and dtype of x.

    >>> with Graph(), Session() as session:
    ...     session.run(zeros_like(constant([1.5, 2.5])))
    array([0., 0.], dtype=float32)
    """
    return ZEROS_LIKE(symbol(x))


def ones_like(x: Any) -> Symbol:
    """Ones in the shape and dtype of x.

    >>> with Graph(), Session() as session:
    ...     session.run(ones_like(constant([1.5, 2.5])))
    array([1., 1.], dtype=float32)
    """
    return ONES_LIKE(symbol(x))


def shape(x: Any) -> Symbol:
    """The shape that x will have, as integers; `x.shape` is what is known of it now.

    >>> with Graph(), Session() as session:
    ...     session.run(shape(constant([[1, 2, 3]])))
    array([1, 3], dtype=int32)
    """
    return SHAPE(symbol(x))


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
    results = [inside(graph, function) for graph, function in zip(graphs, (true_fn, false_fn), strict=True)]
    yes, no = map(skeleton, results)
    if yes != no:
        raise ValueError(f"the branches of cond must return the same structure, but true_fn gives {yes}, false_fn {no}")
    flat = list(map(leaves, results))
    blocks = [
        Block(graph, (), inside(graph, lambda pair=pair: list(map(result_like, *pair))))
        for graph, pair in zip(graphs, (flat, flat[::-1]), strict=True)
    ]
    likes = list(map(agreed, *(block.outputs for block in blocks)))
    value = repack(results[0], Branch(*blocks).node([pred], likes))
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def inside(graph, function):
    with graph:
        return function()


def callables(name, **given):
    for parameter, function in given.items():
        if not callable(function):
            raise TypeError(f"{name} needs a function as {parameter}, not {function!r}: write lambda: ...")


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
    return [next_value(result_like(*pair), pair[1]) for pair in zip(leaves(result), leaves(variables), strict=True)]


def next_value(x, variable):
    if x.dtype != variable.dtype:
        raise TypeError(
            f"a loop variable keeps its dtype, but one begins as {variable.dtype} and the body makes it {x.dtype}: "
            f"tf.cast(x, tf.{variable.dtype}), or begin with a {x.dtype}"
        )
    if not suits(x.shape, variable.shape):
        raise ValueError(
            f"a loop variable keeps its shape, but one begins as {variable.shape} and the body makes it {x.shape}: "
            "begin with the final shape"
        )
    return x


def result_like(x, like):
    """x as a Symbol; a Python number takes the dtype of `like`."""
    if x is None:
        raise ValueError("a branch must return something, but one returned None: has it a return?")
    takes = isinstance(like, Symbol) and isinstance(x, int | float) and np.result_type(like.dtype, x) == like.dtype
    return symbol(x, like.dtype if takes else None)


def agreed(yes, no):
    """What is known of the result of a cond from the results of its branches."""
    if yes.dtype != no.dtype:
        raise TypeError(
            f"the branches of cond must agree, but true_fn gives {yes.dtype}, false_fn {no.dtype}: "
            "tf.cast makes them equal"
        )
    shape = tuple(m if m == n else None for m, n in zip(yes.shape, no.shape, strict=False))
    if not suits(yes.shape, no.shape) and not suits(no.shape, yes.shape):
        raise ValueError(f"the branches of cond must agree, but true_fn gives shape {yes.shape}, false_fn {no.shape}")
    return SimpleNamespace(shape=shape, dtype=yes.dtype)


# ---- gradients


def gradients(ys: Any, xs: Any, grad_ys: Any = None) -> list:
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
    ys, xs = (list(x) if isinstance(x, list | tuple) else [x] for x in (ys, xs))
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
        raise ValueError(
            f"the cotangent in grad_ys has shape {t.shape}, but its y has shape {y.shape}: they must be equal"
        )
    return t
