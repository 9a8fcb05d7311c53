"""The tape: what is written down while a program runs, so that it can be walked back.

Every operation on a Tensor that requires a gradient leaves a `Node` behind: which operation
ran, on the results of which older nodes, and the values its rules mention. Nodes are
numbered as they are made. That number is the whole order of the backward sweep.
"""

import itertools
import math
import weakref
from contextlib import ContextDecorator
from functools import cache, partial, wraps
from inspect import isgeneratorfunction
from typing import Any

import numpy as np
from numpy import float32, float64, ndarray

from .op import Box
from .values import DOUBLE, narrowed

# The clock of the tape. It counts down, so that the newest node has the smallest number
# and a plain heap hands it out first.
tick = itertools.count(0, -1).__next__

# When memory was last written in place, on the same clock; 1 is "never".
last_write = 1

recording = True

# Numbers need no saving rules: keeping them costs nothing, and a drawing can show them.
SCALARS = frozenset({np.float64, np.float32})
LITERALS = frozenset({int, float, np.float64, np.float32})


class Size(int):
    """How many numbers there are in a shape, as NumPy's `x.size`; called, as PyTorch's `x.size()` and `x.size(0)`.

    NumPy takes only an int itself for one of Python's numbers, which leave float32 alone: `constant_of` makes it one.
    """

    def __new__(cls, shape):
        size = super().__new__(cls, math.prod(shape))
        size.shape = shape
        return size

    def __call__(self, dim=None):
        return self.shape if dim is None else self.shape[dim]


# What can stand in a formula as it is.
PLAIN = (int, float, complex)
VALUES = (Box, np.generic, *PLAIN)

# NumPy's numbers cannot be written. When a number's tensor needs memory it gets an array,
# and this remembers which: id(number) -> (number, weak reference to the array).
promoted: dict = {}

# The class of all tensors. `tensor.py` fills it in, whose methods are the functions made here.
Tensor: Any = None

# Every derivative of a function, and every recording of `compile`, takes a new level, higher than all before it.
levels = itertools.count(1)


class Node:
    """One operation that ran.

    number          when it ran; newer nodes have smaller numbers
    op              which operation, with the rules for the way back
    from_a, from_b  the nodes of its inputs, None where no gradient is wanted
    y, a, b         the output and the inputs, as far as the rules mention them
    like            what a cotangent of the output looks like: a number's type, or (shape, dtype)
    params          the parameters of the call; not set by `binary`, whose calls have none
    hooks           only set on a WatchedNode
    """

    __slots__ = ("number", "op", "from_a", "from_b", "y", "a", "b", "like", "params", "hooks")


class WatchedNode(Node):
    """A node somebody wants to hear of when the sweep passes: `retain_grad`, `register_hook`."""

    __slots__ = ()


class Leaf:
    """Where the way back ends: gradients of a tensor that no operation made add up here."""

    __slots__ = ("number", "grad", "like", "variable", "hooks")

    def __init__(self, tensor):
        self.number = tick()
        self.grad = None
        self.hooks = None
        self.like = likeness(tensor.array)
        self.variable = weakref.ref(tensor)


class Bundle:
    """The one input of an operation on a whole list: it hands each cotangent to its own node."""

    __slots__ = ("number", "nodes", "like")

    def __init__(self, nodes):
        self.number = tick()
        self.nodes = nodes
        self.like = list


def likeness(y):
    """What a cotangent of `y` looks like: a number's type, else shape and dtype."""
    kind = type(y)
    return kind if kind in SCALARS else (y.shape, y.dtype)


def tensor_of(array, node=None, level=0):
    """A Tensor around `array`; nothing is copied or checked."""
    x = Tensor()
    x.array, x.node, x.level = array, node, level
    return x


def memory(x):
    """The array of tensor `x`, one that can be written to and shared."""
    if isinstance(x.array, np.generic):
        number, x.array = x.array, np.array(x.array)
        key = id(number)
        promoted[key] = (number, weakref.ref(x.array, lambda _: promoted.pop(key, None)))
    return x.array


def unary(op):
    """`op` as a function of one input that records. Every such call passes here: it is written out for speed."""
    value, constant, view = op.value, not op.pulls, op.view
    needs = op.needs[0] if op.needs else ()
    keep_y, keep_x, keep_shape = "y" in needs, "x" in needs, "x_shape" in needs

    def apply(x, **params):
        if type(x) is not Tensor:
            return op(x, **params)
        u = x.array
        parent = x.node
        level = x.level
        try:
            if view and isinstance(u, np.generic):
                y = value(memory(x), **params)
            else:
                y = op(u, **params) if level else value(u, **params) if params else value(u)
        except (ValueError, IndexError, TypeError):
            y = op.compute((u,), params)
        result = Tensor()
        result.array, result.level = y, level
        if view:
            note_view(x, result, op, params, x.array, y)
        if parent is None or constant or not recording:
            result.node = None
            return result
        result.node = node = Node()
        node.number = tick()
        node.op = op
        node.from_a = parent
        node.from_b = node.b = None
        kind = type(y)
        if kind is float64 or kind is float32:
            node.y = y
            node.like = kind
        else:
            node.y = y if keep_y else None
            node.like = (y.shape, y.dtype)
        node.a = u if keep_x or type(u) in SCALARS else None
        node.params = {**params, "x_shape": u.shape} if keep_shape else params
        return result

    return apply


def binary(op):
    """`op` as a function of two inputs: what `record` does, written out because it is on every path."""
    value, constant = op.value, not op.pulls
    needs_a, needs_b = op.needs or (frozenset(), frozenset())
    keeps = [tuple(name in needs for name in "yab") for needs in (needs_a, needs_b, needs_a | needs_b)]

    def apply(a, b):
        if type(a) is Tensor:
            u, parent_a, level = a.array, a.node, a.level
            if type(b) is Tensor:
                v, parent_b = b.array, b.node
                if level != b.level:
                    return op(a, b)
            elif type(b) in LITERALS:
                v, parent_b = b, None
            else:
                return op(a, b)
        elif type(a) in LITERALS and type(b) is Tensor:
            u, parent_a, v, parent_b, level = a, None, b.array, b.node, b.level
        else:
            return op(a, b)
        try:
            y = op(u, v) if level else value(u, v)
            if type(y) is ndarray and y.dtype is DOUBLE and not (type(u) is ndarray and u.dtype is DOUBLE and u.ndim):
                single = narrowed((u, v))
                y = y if single is None else value(*single)
        except (ValueError, TypeError):
            y = op.compute((u, v), {})
        result = Tensor()
        result.array = y
        result.level = level
        if (parent_a is parent_b is None) or constant or not recording:
            result.node = None
            return result
        result.node = node = Node()
        node.number = tick()
        node.op = op
        node.from_a = parent_a
        node.from_b = parent_b
        kind = type(y)
        if kind is float64 or kind is float32:
            node.y = y
            node.a = u
            node.b = v
            node.like = kind
        else:
            keep_y, keep_a, keep_b = keeps[0 if parent_b is None else 1 if parent_a is None else 2]
            node.y = y if keep_y else None
            node.a = u if keep_a or (parent_a is None and type(u) in LITERALS) else None
            node.b = v if keep_b or (parent_b is None and type(v) in LITERALS) else None
            node.like = (y.shape, y.dtype)
        return result

    return apply


recorder = cache(unary)


def record(op, inputs, params, level):
    """Run `op` on the values of `inputs` and, if a gradient is wanted of any, leave a node.

    Inputs of a lower level are constants here; their values may be boxes of that level.
    """
    if len(inputs) == 1 and op.inputs == ("x",):
        return recorder(op)(inputs[0], **params)
    here = [isinstance(x, Tensor) and x.level == level for x in inputs]
    values = [x.array if mine else constant_of(x) for x, mine in zip(inputs, here, strict=True)]
    parents = [x.node if mine else None for x, mine in zip(inputs, here, strict=True)]
    y = op(*values, **params)
    result = tensor_of(y, None, level)
    if not recording or not op.pulls or all(parent is None for parent in parents):
        return result
    many = op.inputs == ("*xs",)
    needs = frozenset().union(
        *(need for need, parent in zip(op.needs * len(inputs) if many else op.needs, parents, strict=True) if parent)
    )
    result.node = node = Node()
    node.op, node.like, node.params = op, likeness(y), params
    node.y = y if "y" in needs or type(y) in SCALARS else None
    if many:
        node.params = {**params, "x_shape": [np.shape(value) for value in values]}
        node.from_a, node.from_b, node.a, node.b = Bundle(parents), None, None, None
    else:
        node.from_a, node.from_b = parents
        node.a, node.b = (
            value if name in needs or type(value) in LITERALS else None
            for name, value in zip(op.inputs, values, strict=True)
        )
    node.number = tick()
    return result


def note_view(base, view, op, params, x, y):
    """If y, which is `op` of x, looks at the same memory, note it: a write to `base` or `view` is a write to both.

    A number has no memory: writing makes both anew.
    """
    if not (isinstance(x, np.generic) or isinstance(y, Box) or np.may_share_memory(x, y)):
        return
    root = getattr(base, "base", None)
    root, path = (base, ()) if root is None else (root, base.path)
    view.base, view.path = root, (*path, (op, params))
    views = getattr(root, "views", None)
    if views is None:
        root.views = views = []
    elif len(views) & (len(views) - 1) == 0:  # at 1, 2, 4, 8 ... the views that are gone are sorted out
        views[:] = [each for each in views if each() is not None]
    views.append(weakref.ref(view))


def views_of(root):
    """The tensors that are views of `root`."""
    return [view for reference in getattr(root, "views", ()) if (view := reference()) is not None]


def constant_of(x):
    """The value of an input that is a constant at this level, without a box if it needs none."""
    while type(x) is Tensor and x.node is None:
        x = x.array
    if type(x) is ndarray:
        return x
    if isinstance(x, VALUES):
        return int(x) if type(x) is Size else x
    return x.boxed if hasattr(x, "boxed") else np.asarray(x)  # boxed: a line that `compile` is recording


def lift(primal):
    """What a derivative is taken at: an array, a number, or a box of an outer derivative.

    Raises RuntimeError for what is not floating point: there is no small step between integers; TypeError for a list
    or a dict of Tensors.
    """
    if isinstance(primal, tuple | list | dict) and any(isinstance(part, (str, Box, np.ndarray)) for part in primal):
        raise TypeError(
            f"a derivative is taken at Tensors, arrays or numbers, not at a {type(primal).__name__} of them: give "
            "each as an argument of its own, and say which with argnums=(0, 1)"
        )
    x = constant_of(primal) if recording or type(primal) is not Tensor else primal.array
    if isinstance(x, PLAIN):
        x = np.asarray(x)[()]
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"only Tensors of floating point dtype can require gradients, but this one is {x.dtype}: "
            "write 2.0 for 2, or give dtype=float"
        )
    return getattr(x, "strong", x) if isinstance(x, Box) else number_or_array(x)


def number_or_array(x):
    """A 0-d array as a NumPy number, which is many times faster; other values as they are."""
    return x[()] if x.ndim == 0 else x


def outward(value):
    """A result on its way out of a derivative: boxes of outer derivatives stay, arrays become Tensors."""
    return value if isinstance(value, Box) else tensor_of(value)


class GradMode(ContextDecorator):
    """Switches recording on or off for a block, a function, or each step of a generator."""

    enabled: bool

    def __new__(cls, function=None):
        mode = super().__new__(cls)
        mode.before = []
        return mode if function is None else mode(function)

    def __call__(self, function):
        if not isgeneratorfunction(function):
            return super().__call__(function)

        @wraps(function)
        def generator(*args, **kwargs):
            steps = function(*args, **kwargs)
            resume = partial(next, steps)
            while True:
                with self:
                    try:
                        step = resume()
                    except StopIteration as end:
                        return end.value
                try:
                    resume = partial(steps.send, (yield step))
                except BaseException as error:
                    resume = partial(steps.throw, error)

        return generator

    def __enter__(self):
        global recording
        self.before.append(recording)
        recording = self.enabled

    def __exit__(self, *_):
        global recording
        recording = self.before.pop()


class no_grad(GradMode):
    """Nothing is recorded inside: results need no gradient and keep nothing alive.

    Works as a context manager and as a decorator, also of a generator, as `torch.no_grad`.
    The switch is one for all threads; PyTorch has one for each.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> with cr.no_grad():
    ...     y = x * x
    >>> y
    tensor(9.)
    """

    enabled = False


class enable_grad(GradMode):
    """Records inside, even within `no_grad`. Works as a context manager and as a decorator.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> with cr.no_grad(), cr.enable_grad():
    ...     y = x * x
    >>> y
    tensor(9., grad_fn=<MulBackward0>)
    """

    enabled = True


def is_grad_enabled() -> bool:
    """Whether operations are recorded just now.

    >>> is_grad_enabled()
    True
    """
    return recording
