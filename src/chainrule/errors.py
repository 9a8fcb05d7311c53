"""What does not go together, said in PyTorch's words.

Nearly nothing here runs before something has gone wrong; what does, asks what would go wrong silently.
"""

import math
import operator

import numpy as np

SYMBOLS = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.truediv: "/", operator.pow: "** or pow()",
    np.matmul: "@", operator.gt: ">", operator.ge: ">=", operator.lt: "<", operator.le: "<=",
}  # fmt: skip


def do_not_combine(value, inputs):
    """Say in PyTorch's words which kinds of operand do not go together."""
    kinds = [np.asarray(x).dtype.kind for x in inputs]
    alien = [
        k not in "biufc" or (value is np.matmul and type(x) in (int, float)) for x, k in zip(inputs, kinds, strict=True)
    ]
    if value in SYMBOLS and any(alien):
        names = [type(np.asarray(x).item()).__name__ if a else "Tensor" for x, a in zip(inputs, alien, strict=True)]
        if SYMBOLS[value][0] in "<>":
            raise TypeError(f"'{SYMBOLS[value]}' not supported between instances of '{names[0]}' and '{names[1]}'")
        raise TypeError(f"unsupported operand type(s) for {SYMBOLS[value]}: '{names[0]}' and '{names[1]}'")
    if value is operator.sub and kinds == ["b", "b"]:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if value is operator.neg and kinds == ["b"]:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )
    if value is operator.pow and kinds[0] in "iu" and kinds[1] in "iu" and np.any(np.asarray(inputs[1]) < 0):
        raise RuntimeError("Integers to negative integer powers are not allowed.")


def do_not_broadcast(a, b, **_):
    """Say in PyTorch's words where two shapes differ."""
    a, b = np.shape(a), np.shape(b)
    for i in range(1, min(len(a), len(b)) + 1):
        if a[-i] != b[-i] and 1 not in (a[-i], b[-i]):
            raise RuntimeError(
                f"The size of tensor a ({a[-i]}) must match the size of tensor b ({b[-i]}) "
                f"at non-singleton dimension {max(len(a), len(b)) - i}"
            )


def do_not_multiply(a, b):
    """Say in PyTorch's words why two shapes have no matrix product."""
    a, b = np.shape(a), np.shape(b)
    if not a or not b:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D")
    if len(a) == len(b) == 1:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same "
            f"number of elements, but got {a[0]} and {b[0]} elements respectively"
        )
    if len(b) <= 2:
        n = math.prod(a[:-1])
        if len(b) == 1:
            raise RuntimeError(f"size mismatch, got input ({n}), mat ({n}x{a[-1]}), vec ({b[0]})")
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({n}x{a[-1]} and {b[0]}x{b[1]})")
    do_not_broadcast(np.empty(a[:-2] + (1, 1)), np.empty(b[:-2] + (1, 1)))
    stack = math.prod(np.broadcast_shapes(a[:-2], b[:-2]))
    raise RuntimeError(
        f"Expected size for first two dimensions of batch2 tensor to be: [{stack}, {a[-1]}] "
        f"but got: [{stack}, {b[-2]}]."
    )


def does_not_fill(x, shape):
    """Say in PyTorch's words why x has no such shape."""
    shape = np.atleast_1d(shape).tolist()
    if shape.count(-1) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if -1 in shape and 0 in shape and x.size == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {shape} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    raise RuntimeError(f"shape '{shape}' is invalid for input of size {x.size}")


def does_not_join(*xs, axis):
    """Say in PyTorch's words why arrays cannot be put one after the other."""
    first = xs[0].shape
    for i, x in enumerate(xs):
        if x.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
        if x.ndim != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {x.ndim}")
        for n, m in zip(first[:axis] + first[axis + 1 :], x.shape[:axis] + x.shape[axis + 1 :], strict=True):
            if n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. "
                    f"Expected size {n} but got size {m} for tensor number {i} in the list."
                )


def does_not_stretch(given, shape, dtype):
    """PyTorch's error for an array of shape `given` that cannot be broadcast to `shape`."""
    given, shape = list(given), list(shape)
    if len(given) > len(shape):
        return RuntimeError(
            f"expand({kind(dtype)}{{{given}}}, size={shape}): the number of sizes provided ({len(shape)}) must be "
            f"greater or equal to the number of dimensions in the tensor ({len(given)})"
        )
    i = next(i for i in range(1, len(given) + 1) if given[-i] not in (1, shape[-i]))
    return RuntimeError(
        f"The expanded size of the tensor ({shape[-i]}) must match the existing size ({given[-i]}) at non-singleton "
        f"dimension {len(shape) - i}.  Target sizes: {shape}.  Tensor sizes: {given}"
    )


def does_not_fit(given, shape, dtype, place=None):
    """PyTorch's error for a value of shape `given` written where `shape` is: to a whole, or to an index or slice."""
    given, shape = list(given), list(shape)
    if place == "Index":
        return RuntimeError(
            f"shape mismatch: value tensor of shape {given} cannot be broadcast to indexing result of shape {shape}"
        )
    if place is None:
        if len(given) > len(shape):
            return RuntimeError(f"output with shape {shape} doesn't match the broadcast shape {given}")
        do_not_broadcast(np.empty(shape), np.empty(given))
    return does_not_stretch(given, shape, dtype)


def why_not_there(x, parts):
    """PyTorch's words for an index array that does not fit x."""
    position = 0
    shapes = []
    for p in parts:
        if p is ...:
            return None
        if isinstance(p, np.ndarray) and position < x.ndim:
            n = x.shape[position]
            if p.dtype.kind == "b" and position + p.ndim <= x.ndim:
                for j, (m, k) in enumerate(zip(p.shape, x.shape[position:], strict=False)):
                    if m != k:
                        return (
                            f"The shape of the mask {list(p.shape)} at index {j} does not match the shape of the "
                            f"indexed tensor {list(x.shape)} at index {position + j}"
                        )
            beyond = p[(p < -n) | (p >= n)] if p.dtype.kind != "b" else p[:0]
            if beyond.size:
                return f"index {beyond.flat[0]} is out of bounds for dimension {position} with size {n}"
            shapes.append(list(p.shape))
        position += p.ndim if isinstance(p, np.ndarray) and p.dtype.kind == "b" else p is not None
    if position > x.ndim:
        return f"too many indices for tensor of dimension {x.ndim}"
    return f"shape mismatch: indexing tensors could not be broadcast together with shapes {', '.join(map(str, shapes))}"


def check_integers(x, parts):
    """Raise PyTorch's IndexErrors for too many indices and for a position out of bounds."""
    counted = [p for p in parts if p is not None and p is not ...]
    if len(counted) > x.ndim:
        if x.ndim == 0:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ "
                "to convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {x.ndim}")
    position, new, skipped = 0, 0, x.ndim - len(counted)
    for p in parts:
        new += p is None
        if p is ...:
            position, skipped = position + skipped, 0
        elif p is not None:
            n = x.shape[position]
            if isinstance(p, int | np.integer) and n is not None and not -n <= p < n:
                raise IndexError(f"index {p} is out of bounds for dimension {position + new} with size {n}")
            position += 1


def uneven(data, dim=0):
    """PyTorch's error for lists of different lengths side by side."""
    lengths = [len(part) if isinstance(part, tuple | list) else 0 for part in data]
    for n in lengths:
        if n != lengths[0]:
            return ValueError(f"expected sequence of length {lengths[0]} at dim {dim + 1} (got {n})")
    return uneven([each for part in data for each in part], dim + 1) if any(lengths) else no_numbers(data)


def no_numbers(data):
    """PyTorch's error for what no tensor can be made of."""
    if isinstance(data, str):
        return TypeError("new(): invalid data type 'str'")
    while isinstance(data, tuple | list):
        if isinstance(data[0], str):
            return ValueError("too many dimensions 'str'")
        data = data[0]
    return RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def captured():
    return RuntimeError(
        "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation "
        "(aten::copy_) that would mutate a captured Tensor. This is not supported; please rewrite the function being "
        "transformed to explicitly accept the mutated Tensor(s) as inputs."
    )


def mismatch(index, given, wanted):
    return RuntimeError(
        f"Mismatch in shape: grad_output[{index}] has a shape of {size(given)} "
        f"and output[{index}] has a shape of {size(wanted)}."
    )


def size(shape):
    """A shape as PyTorch's messages write it."""
    return f"torch.Size({list(shape)})"


def kind(dtype):
    """The name PyTorch gives a tensor's type in its messages."""
    names = {"float64": "Double", "float32": "Float", "float16": "Half", "int64": "Long", "int32": "Int"}
    return f"torch.{names.get(dtype.name, dtype.name.capitalize())}Tensor"
