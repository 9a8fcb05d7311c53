"""Writing in place: what keeps it from making gradients silently wrong.

Two things are kept. When memory was written: a node that saved a value before that moment
refuses to use it, with PyTorch's error. And which tensors are views of which: a write to a
view is a write to its base, and the base's history must say so.
"""

import weakref

import numpy as np

from . import tape
from .op import Box, custom
from .rules import choose, clone, expand, scatter
from .tape import Leaf, Node, new, tensor_of, tick

# For each array that owns written memory, by identity: (a weak reference to it, its moments).
writes = {}

# NumPy's numbers cannot be written. When a number's tensor needs memory it gets an array,
# and this remembers which: id(number) -> (number, weak reference to the array).
promoted = {}


def memory(x):
    """The array of tensor `x`, one that can be written to and shared."""
    if type(x.array) in tape.SCALARS or isinstance(x.array, np.generic):
        number, x.array = x.array, np.array(x.array)
        key = id(number)
        promoted[key] = (number, weakref.ref(x.array, lambda _: promoted.pop(key, None)))
    return x.array


def owner(value):
    """The array that owns the memory of `value`, or None for a number without memory."""
    if isinstance(value, np.generic):
        _, array = promoted.get(id(value), (None, lambda: None))
        value = array()
    while value is not None and type(value.base) is np.ndarray:
        value = value.base
    return value


def moments(value):
    """When the memory of `value` was written, on the tape's clock."""
    entry = writes.get(id(owner(value)))
    return entry[1] if entry else []


def touch(array):
    """Note that the memory of `array` has just been written."""
    array = owner(array)
    key = id(array)
    if key not in writes:
        writes[key] = (weakref.ref(array, lambda _: writes.pop(key, None)), [])
    tape.last_write = tick()
    writes[key][1].append(tape.last_write)


def check_unwritten(node):
    """Refuse to go back through `node` if something it saved has been written since.

    Raises PyTorch's RuntimeError, which names the value and counts its versions.
    """
    for parent, needs in zip((node.from_a, node.from_b), node.op.needs, strict=False):
        if parent is None:
            continue
        for name in needs & {"y", "a", "b", "x"}:
            value = getattr(node, "a" if name == "x" else name)
            while isinstance(value, tape.Tensor):
                value = value.array
            if isinstance(value, np.ndarray | np.generic):
                times = moments(value)
                later = sum(moment < node.number for moment in times)
                if later:
                    raise RuntimeError(stale(node, name, value, len(times), len(times) - later))


def stale(node, name, value, version, expected):
    maker = {"y": node, "a": node.from_a, "x": node.from_a, "b": node.from_b}[name]
    made_by = f", which is output 0 of {maker.op.name}," if isinstance(maker, Node) else ""
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{kind(value.dtype)} {list(value.shape)}]{made_by} is at version {version}; expected version "
        f"{expected} instead. Hint: enable anomaly detection to find the operation that failed to compute its "
        "gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def kind(dtype):
    """The name PyTorch gives a tensor's type in its messages."""
    names = {"float64": "Double", "float32": "Float", "float16": "Half", "int64": "Long", "int32": "Int", "bool": "Bool"}
    return f"torch.{names.get(dtype.name, dtype.name.capitalize())}Tensor"


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
    """`base` with `part` in the place that `path` leads to, as a new value."""
    count = int(np.prod(base.shape))
    placed = scatter(part.reshape(-1), index=region(base.shape, path), shape=(count,))
    return choose(outside(base.shape, path), base, placed.reshape(base.shape))


copy_slices = custom(
    "CopySlices",
    lambda a, b, path: overlay(a, b, path),
    lambda t, path: choose(outside(t.shape, path), t, 0),
    lambda t, path: follow(t, path),
    pushes=[
        lambda t, y, path: choose(outside(y.shape, path), t, 0),
        lambda t, y, path: overlay(y * 0, t, path),
    ],
)


def overwrite(x, y, tail=()):
    """Write the values of `y` into the memory of `x`, or into the part that `tail` leads to.

    The history of x, of its base and of all their views is made that of the result.
    Raises PyTorch's RuntimeErrors: for a leaf that requires a gradient, for a shape or a
    dtype that does not fit, for memory that stands for several numbers at once.
    """
    base = getattr(x, "base", None)
    root = x if base is None else base
    if tape.recording and type(root.node) is Leaf:
        what = "a leaf Variable" if base is None and not tail else "a view of a leaf Variable"
        raise RuntimeError(f"{what} that requires grad is being used in an in-place operation.")
    target = follow(x.array, tail) if not isinstance(x.array, Box) else x.array
    if not tail and y.shape != x.shape:
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(y.shape)}"
        )
    if not np.can_cast(y.dtype, target.dtype, "same_kind"):
        raise RuntimeError(
            f"result type {kind(y.dtype)[6:-6]} can't be cast to the desired output type {kind(target.dtype)[6:-6]}"
        )
    if y.dtype != target.dtype:
        y = y.astype(target.dtype)
    path = (*getattr(x, "path", ()), *tail)
    recorded = tape.recording and not (root.node is None and y.node is None)
    if isinstance(root.array, Box) or isinstance(y.array, Box):
        root.array = overlay(root.array, y.array, path) if path else y.array
        for view in getattr(root, "views", ()):
            view.array = follow(root.array, view.path)
    else:
        write(x, y.array, tail)
    if recorded:
        root.node = history(root, y, path) if path else y.node
        for view in getattr(root, "views", ()):
            view.node = follow(tensor_of(root.array, root.node, root.level), view.path).node


def write(x, values, tail):
    array = memory(x)
    if not array.flags.writeable:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single "
            "memory location. Please clone() the tensor before performing the operation."
        )
    for op, params in tail[:-1]:
        array = op(array, **params)
    array[tail[-1][1]["index"] if tail else ...] = values
    touch(array)


def history(root, y, path):
    """The node of `root` after `y` was written along `path`."""
    node = new(Node)
    node.number, node.op, node.params = tick(), copy_slices, {"path": path}
    node.from_a, node.from_b, node.y, node.a, node.b = root.node, y.node, None, None, None
    node.like = (root.array.shape, root.array.dtype)
    return node


def fresh(value, x, shape):
    """`value` as a tensor of x's level with a history of its own, broadcast to `shape`."""
    if isinstance(value, tape.Tensor) and value.level == x.level:
        y = value if value.shape == shape else expand(value, shape=shape)
        return clone(y)
    array = tape.constant_of(value)
    array = array if isinstance(array, Box) else np.asarray(array)
    if array.dtype != x.dtype and array.dtype.kind in "iufb":
        array = array.astype(x.dtype)
    return tensor_of(array if array.shape == shape else expand(array, shape=shape), None, x.level)
