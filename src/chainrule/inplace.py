"""Writing in place: what keeps it from making gradients silently wrong.

Two things are kept. When memory was written: a node that saved a value before that moment
refuses to use it, with PyTorch's error. And which tensors are views of which: a write to a
view is a write to its base, and the base's history must say so.
"""

import weakref
from collections import deque

import numpy as np

from . import tape
from .errors import captured, does_not_fit, kind
from .functions import called, index_steps, walk
from .graph import hand_on
from .nested import leaves
from .op import Box, custom
from .rules import choose, clone, expand, index, scatter
from .tape import Leaf, Node, tensor_of, tick

# The `Writes` of each array that owns written memory, by its identity.
writes: dict = {}


class Writes:
    """What was written to an array.

    array    a weak reference to it
    count    how often
    moments  when, on the tape's clock; the last thousand
    name     what wrote last, as far as that was recorded
    """

    __slots__ = ("array", "count", "moments", "name")

    def __init__(self, array):
        key = id(array)
        self.array = weakref.ref(array, lambda _: writes.pop(key, None))
        self.count, self.moments, self.name = 0, deque(maxlen=1000), None


def owner(value):
    """The array that owns the memory of `value`, or None for a number without memory."""
    if isinstance(value, np.generic):
        _, array = tape.promoted.get(id(value), (None, lambda: None))
        value = array()
    while hasattr(value, "base") and hasattr(value.base, "base"):
        value = value.base
    return value


def version(value):
    """How often the memory of `value` was written."""
    written = writes.get(id(owner(value)))
    return written.count if written else 0


def writes_since(moment, value):
    """How often the memory of `value` was written after `moment`; a thousand times at most."""
    written = writes.get(id(owner(value)))
    return sum(each < moment for each in written.moments) if written else 0


def touch(array, name=None):
    """Note that the memory of `array` has just been written."""
    array = owner(array)
    written = writes.get(id(array))
    if written is None:
        written = writes[id(array)] = Writes(array)
    tape.last_write = tick()
    written.count += 1
    written.moments.append(tape.last_write)
    written.name = name or written.name


def check_unwritten(node):
    """Refuse to go back through `node` if something it saved has been written since.

    Raises PyTorch's RuntimeError, which names the value and counts its versions.
    """
    for parent, needs in zip((node.from_a, node.from_b), node.op.needs, strict=False):
        if parent is None:
            continue
        for name in needs & {"y", "a", "b", "x"}:
            check_value(node, name, getattr(node, "a" if name == "x" else name))
    for value in leaves(getattr(node, "params", None)):
        check_value(node, "index", value)


def check_value(node, name, value):
    while type(value) is tape.Tensor:
        value = value.array
    if isinstance(value, np.ndarray | np.generic):
        later = writes_since(node.number, value)
        if later:
            raise RuntimeError(stale(node, name, value, later))


def stale(node, name, value, later):
    maker = {"y": node, "a": node.from_a, "x": node.from_a, "b": node.from_b}.get(name)  # an index has none
    whole = owner(value)
    written = writes[id(whole)]
    if name in ("a", "b", "x") and written.name is not None and isinstance(maker, Node | Leaf):
        made_by = f", which is output 0 of {written.name if value.size == whole.size else 'AsStrided'},"
    else:
        made_by = f", which is output 0 of {maker.op.name}," if isinstance(maker, Node) else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{kind(value.dtype)} {list(value.shape)}]{made_by} is at version {written.count}; expected version "
        f"{written.count - later} instead. Hint: enable anomaly detection to find the operation that failed to compute "
        "its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


# A view knows its base and the path from it: the operations, with their parameters.


def follow(x, path):
    for op, params in path:
        x = op(x, **params)
    return x


def region(shape, path):
    """The positions, in an array of `shape`, that a view along `path` looks at."""
    return follow(np.arange(int(np.prod(shape))).reshape(shape), path).ravel()


def outside(shape, path):
    """A mask of the places that a view along `path` does not look at."""
    mask = np.ones(shape, dtype=bool)
    mask.ravel()[region(shape, path)] = False
    return mask


def overlay(base, part, path):
    """`base` with `part` in the place that `path` leads to, as a new value (an array in the same order of memory)."""
    if isinstance(base, np.ndarray) and not isinstance(part, Box):
        whole = base.copy(order="K")
        whole.flat[region(base.shape, path)] = np.ravel(part)
        return whole
    count = int(np.prod(base.shape))
    placed = scatter(part.reshape(-1), index=region(base.shape, path), shape=(count,))
    return choose(outside(base.shape, path), base, placed.reshape(base.shape))


copy_slices = custom(
    "CopySlices",
    overlay,
    lambda t, path: choose(outside(t.shape, path), t, 0),
    follow,
    pushes=[lambda t, y, path: choose(outside(y.shape, path), t, 0), lambda t, y, path: overlay(y * 0, t, path)],
)


def overwrite(x, y, tail=(), since=None):
    """Write the values of `y` into the memory of `x`, or into the part that `tail` leads to.

    since  when the operation began whose result y is, on the tape's clock

    The history of x, of its base and of all their views is made that of the result.
    Raises PyTorch's RuntimeErrors: for a leaf that requires a gradient, for a shape or a
    dtype that does not fit, for memory that stands for several numbers at once.
    """
    base = getattr(x, "base", None)
    root = x if base is None else base
    if tape.recording and type(root.node) is Leaf:
        whole = base is None and (not tail or tail[-1][0] is index or is_all(tail[-1][1]["index"]))
        what = "a leaf Variable" if whole else "a view of a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")
    y = as_written(y, x.shape if not tail else y.shape, x.dtype)
    if y.level > x.level:
        join(root, y.level)
    if type(y) is not tape.Tensor:
        y = tensor_of(y, None, y.level)
    path = (*getattr(x, "path", ()), *tail)
    recorded = tape.recording and not (root.node is None and y.node is None)
    if isinstance(root.array, Box) or isinstance(y.array, Box):
        root.array = overlay(root.array, y.array, path) if path else y.array
        for view in tape.views_of(root):
            view.array = follow(root.array, view.path)
    else:
        if y.node is not None and not tail:
            keep_what_was(x, y.node, since)
        write(x, y.array, tail, writer(y, path) if recorded else None)
        if y.node is not None and not tail and y.node.y is y.array:
            y.node.y, y.node.number = x.array, tick()
    if recorded:
        renew(root, y.node if y.node is not None and not path else history(root, y, path))
        for view in tape.views_of(root):
            renew(view, follow(tensor_of(root.array, root.node, root.level), view.path).node)


def renew(x, node):
    hand_on(x.node, node)
    x.node = node


def is_all(parts):
    """Whether an index is [:] or [...], which means the whole."""
    return all(part is ... or part == slice(None) for part in parts)


def as_written(y, shape, dtype):
    """`y` in the dtype of what it is written to. Raises RuntimeError if its shape or dtype does not fit."""
    if y.shape != shape:
        raise RuntimeError(f"output with shape {list(shape)} doesn't match the broadcast shape {list(y.shape)}")
    if not np.can_cast(y.dtype, dtype, "same_kind"):
        raise RuntimeError(
            f"result type {kind(y.dtype)[6:-6]} can't be cast to the desired output type {kind(dtype)[6:-6]}"
        )
    return y if y.dtype == dtype else y.astype(dtype)


def join(root, level):
    """Make `root`, a buffer of constants, take part in the derivative whose values are written to it."""
    if root.node is not None:
        raise captured()
    for tensor in (root, *tape.views_of(root)):
        tensor.level = level


def writer(y, path):
    """PyTorch's name for what writes `y`."""
    return "torch::autograd::CopySlices" if path else "Fill" if y.node is None else y.node.op.name


def keep_what_was(x, node, since):
    """Copy what the operation just done (one node or several) has kept of x's memory, which is about to be written."""
    if node.a is x.array:
        node.a = x.array.copy()
    for parent in (node.from_a, node.from_b):
        if type(parent) is Node and since is not None and parent.number < since:
            keep_what_was(x, parent, since)


def write(x, values, tail, name=None):
    array = tape.memory(x)
    if not array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )
    for op, params in tail[:-1]:
        array = op(array, **params)
    array[tail[-1][1]["index"] if tail else ...] = values
    touch(array, name)


def history(root, y, path):
    """The node of `root` after `y` was written along `path`."""
    node = Node()
    node.number, node.op, node.params = tick(), copy_slices, {"path": path}
    node.from_a, node.from_b, node.y, node.a, node.b = root.node, y.node, None, None, None
    node.like = (root.array.shape, root.array.dtype)
    return node


def fresh(value, x, tail=()):
    """`value` with a history of its own, in the shape and dtype of x, or of the part that `tail` leads to.

    Raises TypeError for what is no number, RuntimeError for a shape that does not fit.
    """
    shape = follow(np.broadcast_to(0.0, x.shape), tail).shape
    given_type = type(value).__name__
    if not isinstance(value, Box) or value.level < x.level:
        value = tape.constant_of(value)
        value = value if isinstance(value, Box) else np.asarray(value)
        if value.dtype.kind not in "iufb":
            raise TypeError(f"can't assign a {given_type} to a {kind(x.dtype)}")
        value = tensor_of(value, None, x.level)
    value = value if value.dtype == x.dtype else value.astype(x.dtype)
    try:
        return clone(stretch(value, shape))
    except ValueError:
        raise does_not_fit(value.shape, shape, x.dtype, tail[-1][0].name if tail else None) from None


def stretch(y, shape):
    """`y` broadcast to `shape`; leading axes of length 1 that are too many are dropped."""
    extra = y.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in y.shape[:extra]):
        y = y.reshape(y.shape[extra:])
    return y if y.shape == shape else expand(y, shape=shape)


def alike(x, other):
    """Whether x and `other` are Tensors around plain arrays of the same shape and floating dtype."""
    if not type(x) is type(other) is tape.Tensor or x.level != other.level:
        return False
    a, b = x.array, other.array
    return type(a) is type(b) is np.ndarray and a.shape == b.shape and a.dtype == b.dtype and a.dtype.kind == "f"


def in_place(name, arguments="", ufunc=None):
    """The method `name` with its result written over its input; `arguments` are those of its example.

    Where nothing has to be recorded, `ufunc` does it in the memory itself.
    """

    def method(self, *args, **kwargs):
        since = tick()
        direct = ufunc and not tape.recording and not kwargs and len(args) == 1 and alike(self, *args)
        if not direct or not self.array.flags.writeable:
            return self._written(getattr(self, name)(*args, **kwargs), since)
        ufunc(self.array, args[0].array, out=self.array)
        touch(self.array)
        return self

    doc = f"""`{name}` in place. Returns the tensor.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 4.0])
    >>> x.{name}_({arguments}) is x
    True
    """
    return called(method, f"{name}_", doc, __name__)


class InPlace:
    """The methods that write: those whose name ends in an underscore, `x[i] = y`, `x += y`.

    They raise RuntimeError for a leaf that requires a gradient (outside of `no_grad`), for a shape or dtype that
    does not fit, and for memory that stands for several numbers at once.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0])
    >>> x.mul_(3)
    tensor([3., 6.])
    """

    __slots__ = ()

    def __setitem__(self, index, value):
        steps = index_steps(self, index)
        walk(np.broadcast_to(False, self.shape), steps)  # raises for a position that is not there
        self._set(value, tuple((op, {"index": parts}) for op, parts in steps))

    def copy_(self, other):
        """Write the values of `other`, broadcast to this shape. Returns the tensor.

        >>> import chainrule as cr
        >>> x = cr.zeros(2)
        >>> x.copy_(cr.tensor([1.0, 2.0]))
        tensor([1., 2.])
        """
        return self._written(fresh(other, self))

    def fill_(self, value):
        """Write `value`, one number, everywhere. Returns the tensor.

        >>> import chainrule as cr
        >>> cr.zeros(2).fill_(7)
        tensor([7., 7.])
        """
        if n := np.ndim(value):
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {n} dimensions.")
        return self.copy_(value)

    def zero_(self):
        """Write 0 everywhere. Returns the tensor.

        >>> import chainrule as cr
        >>> cr.ones(2).zero_()
        tensor([0., 0.])
        """
        return self.copy_(0.0)

    __iadd__ = add_ = in_place("add", "1", np.add)
    __isub__ = sub_ = in_place("sub", "1", np.subtract)
    __imul__ = mul_ = in_place("mul", "2", np.multiply)
    __itruediv__ = div_ = in_place("div", "2", np.divide)
    __ipow__ = pow_ = in_place("pow", "2")
    __imod__ = remainder_ = in_place("remainder", "2")

    def __ifloordiv__(self, other):
        return self._written(self // other)

    def __iand__(self, other):
        return self._written(self & other)

    def __ior__(self, other):
        return self._written(self | other)


# The methods that have a form in place, each with the arguments of its example.
WITHOUT_ARGUMENTS = "abs ceil cos exp floor log neg reciprocal relu round rsqrt sigmoid sign sin sqrt square tanh"
IN_PLACE = dict.fromkeys(WITHOUT_ARGUMENTS.split(), "") | {
    "clamp": "0, 2", "lerp": "2.0, 0.5", "addcmul": "x, x", "addcdiv": "x, x",
    "masked_fill": "x > 2, 0", "index_add": "0, [0, 1], x", "scatter_add": "0, [1, 1], x",
}  # fmt: skip
for name, arguments in IN_PLACE.items():
    setattr(InPlace, f"{name}_", in_place(name, arguments))
