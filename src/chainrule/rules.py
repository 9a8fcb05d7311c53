"""THE TABLE: every operation and its derivative.

A row reads: the operation's name, the NumPy function that computes it, and for each input
what becomes of `t`, which is a tangent on its way forward or a cotangent on its way back.
The names a rule asks for are what it needs: `y` the output, `x` or `a` and `b` the inputs.
How one formula serves both directions is said in `chainrule.op`.

The rules are plain NumPy, so that they also run on Tensors and Duals: that is how a
derivative gets a derivative of its own.
"""

import math
import operator

import numpy as np

from .op import (
    constant,
    custom,
    do_not_broadcast,
    elementwise,
    kept_shape,
    linear_of_many,
    multilinear,
    reduction,
    symmetric,
)

# fmt: off
# ---- arithmetic ------------------------------------- what flows through, in either direction
add        = elementwise("Add",        operator.add,     lambda t: t,        lambda t: t)
sub        = elementwise("Sub",        operator.sub,     lambda t: t,        lambda t: -t)
mul        = elementwise("Mul",        operator.mul,     lambda t, b: t * b, lambda t, a: t * a)
div        = elementwise("Div",        operator.truediv, lambda t, b: t / b, lambda t, a, b: -t * (a / b) / b)
pow        = elementwise("Pow",        operator.pow,     lambda t, a, b: t * power_slope(a, b),
                                                         lambda t, y, a, b: t * exponent_slope(y, a, b))
neg        = elementwise("Neg",        operator.neg,     lambda t: -t)
reciprocal = elementwise("Reciprocal", np.reciprocal,    lambda t, y: -t * y * y)
sqrt       = elementwise("Sqrt",       np.sqrt,          lambda t, y: t / (2 * y))

# ---- exponentials and logarithms
exp        = elementwise("Exp",        np.exp,           lambda t, y: t * y)
exp2       = elementwise("Exp2",       np.exp2,          lambda t, y: t * y * math.log(2))
expm1      = elementwise("Expm1",      np.expm1,         lambda t, y: t * (y + 1))
log        = elementwise("Log",        np.log,           lambda t, x: t / x)
log2       = elementwise("Log2",       np.log2,          lambda t, x: t / (x * math.log(2)))
log10      = elementwise("Log10",      np.log10,         lambda t, x: t / (x * math.log(10)))
log1p      = elementwise("Log1P",      np.log1p,         lambda t, x: t / (x + 1))
sigmoid    = elementwise("Sigmoid",    lambda x: logistic(x),            lambda t, y: t * y * (1 - y))
softplus   = elementwise("Softplus",   lambda x: np.logaddexp(x, 0),     lambda t, x: t * sigmoid(x))

# ---- circles and hyperbolas
sin        = elementwise("Sin",        np.sin,           lambda t, x: t * np.cos(x))
cos        = elementwise("Cos",        np.cos,           lambda t, x: -t * np.sin(x))
tan        = elementwise("Tan",        np.tan,           lambda t, y: t * (1 + y * y))
asin       = elementwise("Asin",       np.arcsin,        lambda t, x: t / np.sqrt(1 - x * x))
acos       = elementwise("Acos",       np.arccos,        lambda t, x: -t / np.sqrt(1 - x * x))
atan       = elementwise("Atan",       np.arctan,        lambda t, x: t / (1 + x * x))
sinh       = elementwise("Sinh",       np.sinh,          lambda t, x: t * np.cosh(x))
cosh       = elementwise("Cosh",       np.cosh,          lambda t, x: t * np.sinh(x))
tanh       = elementwise("Tanh",       np.tanh,          lambda t, y: t * (1 - y * y))
asinh      = elementwise("Asinh",      np.arcsinh,       lambda t, x: t / np.sqrt(x * x + 1))
acosh      = elementwise("Acosh",      np.arccosh,       lambda t, x: t / np.sqrt(x * x - 1))
atanh      = elementwise("Atanh",      np.arctanh,       lambda t, x: t / (1 - x * x))

# ---- kinks and steps: at a kink the convention is PyTorch's
abs        = elementwise("Abs",        np.abs,           lambda t, x: t * sign(x))
relu       = elementwise("Relu",       lambda x: np.maximum(x, 0), lambda t, y: t * (y != 0))
sign       = elementwise("Sign",       lambda x: signum(x), lambda t: np.zeros_like(t))
floor      = elementwise("Floor",      np.floor,         lambda t: np.zeros_like(t))
ceil       = elementwise("Ceil",       np.ceil,          lambda t: np.zeros_like(t))
round      = elementwise("Round",      np.round,         lambda t: np.zeros_like(t))
maximum    = elementwise("Maximum",    np.maximum,       lambda t, a, b: share(t, a < b, a == b),
                                                         lambda t, a, b: share(t, b < a, a == b))
minimum    = elementwise("Minimum",    np.minimum,       lambda t, a, b: share(t, a > b, a == b),
                                                         lambda t, a, b: share(t, b > a, a == b))
at_least   = elementwise("Clamp",      np.maximum,       lambda t, a, b: t * (a >= b), lambda t, a, b: t * (a < b))
at_most    = elementwise("Clamp",      np.minimum,       lambda t, a, b: t * (a <= b), lambda t, a, b: t * (a > b))
where      = elementwise("Where",      lambda a, b, condition: np.where(condition, a, b),
                                                         lambda t, condition: choose(condition, t, 0),
                                                         lambda t, condition: choose(condition, 0, t))
clip       = elementwise("Clamp",      lambda x, low, high: np.clip(x, low, high),
                                                         lambda t, x, low, high: t * inside(x, low, high))

# ---- comparisons: no derivative flows
gt         = constant("Gt", operator.gt)
ge         = constant("Ge", operator.ge)
lt         = constant("Lt", operator.lt)
le         = constant("Le", operator.le)
eq         = constant("Eq", operator.eq)
ne         = constant("Ne", operator.ne)
both       = constant("And", operator.and_)
either     = constant("Or", operator.or_)

# ---- many numbers to one
sum        = multilinear("Sum",        lambda x, axis, keepdims: total(x, axis, keepdims),
                                                       lambda t, x_shape, axis: spread(t, x_shape, axis))
mean       = multilinear("Mean",       np.mean,          lambda t, x_shape, axis:
                                           spread(t / count(x_shape, axis), x_shape, axis))
var        = reduction("Var",          lambda x, axis, keepdims, correction: variance(x, axis, keepdims, correction),
                                       lambda x, axis, correction:
                                           2 * (x - mean(x, axis=axis, keepdims=True))
                                           / (count(x.shape, axis) - correction), sum)
std        = reduction("Std",          lambda x, axis, keepdims, correction: np.sqrt(variance(x, axis, keepdims, correction)),
                                       lambda x, y, axis, correction:
                                           choose(y == 0, 0, (x - mean(x, axis=axis, keepdims=True))
                                                             / ((y + (y == 0)) * (count(x.shape, axis) - correction))), sum)
prod       = reduction("Prod",         np.prod,          lambda x, y, axis: product_of_others(x, y, axis), sum)
largest    = reduction("Max",          np.max,           lambda x, y, axis: equal_parts((x == y) | (x != x), axis), sum)
smallest   = reduction("Min",          np.min,           lambda x, y, axis: equal_parts((x == y) | (x != x), axis), sum)
amax       = reduction("Amax",         np.max,           lambda x, y, axis: equal_parts(x == y, axis), sum)
amin       = reduction("Amin",         np.min,           lambda x, y, axis: equal_parts(x == y, axis), sum)
norm       = reduction("LinalgVectorNorm", lambda x, axis, keepdims: length(x, axis, keepdims),
                                                         lambda x, y: x / (y + (y == 0)), sum)
logsumexp  = reduction("Logsumexp",    lambda x, axis, keepdims: log_of_sum(x, axis, keepdims),
                                                         lambda x, y: np.exp(x - y), sum)
softmax    = symmetric("Softmax",      lambda x, axis: np.exp(x - log_of_sum(x, axis, True)),
                                                         lambda t, y, axis: y * (t - (t * y).sum(axis, keepdims=True)))
log_softmax = custom("LogSoftmax",     lambda x, axis: x - log_of_sum(x, axis, True),
                                       lambda t, y, axis: t - np.exp(y) * t.sum(axis, keepdims=True),
                               pushes=[lambda t, y, axis: t - (np.exp(y) * t).sum(axis, keepdims=True)])
cumsum     = multilinear("Cumsum",     lambda x, axis: np.cumsum(x, axis),
                                       lambda t, axis: flip(cumsum(flip(t, axis=axis), axis=axis), axis=axis))

# ---- one shape to another: nothing is computed, numbers move
expand     = multilinear("Expand",     lambda x, shape: np.broadcast_to(x, shape), lambda t, x_shape: sum_to(t, shape=x_shape))
sum_to     = multilinear("SumTo",      lambda x, shape: add_up(x, shape),  lambda t, x_shape: expand(t, shape=x_shape))
reshape    = multilinear("View",       lambda x, shape: np.reshape(x, shape), lambda t, x_shape: reshape(t, shape=x_shape),
                         wrong=lambda x, shape: does_not_fill(x, shape))
squeeze    = multilinear("Squeeze",    lambda x, axis: np.squeeze(x, axis),   lambda t, x_shape: reshape(t, shape=x_shape))
unsqueeze  = multilinear("Unsqueeze",  lambda x, axis: np.expand_dims(x, axis), lambda t, x_shape: reshape(t, shape=x_shape))
permute    = multilinear("Permute",    lambda x, axes: np.transpose(x, axes),
                                       lambda t, axes: permute(t, axes=tuple(np.argsort(axes))))
swapaxes   = multilinear("Transpose",  lambda x, i, j: np.swapaxes(x, i, j),  lambda t, i, j: swapaxes(t, i=i, j=j))
flip       = multilinear("Flip",       lambda x, axis: np.flip(x, axis).copy(),      lambda t, axis: flip(t, axis=axis))
cat        = linear_of_many("Cat",     lambda xs, axis: np.concatenate(xs, axis), lambda t, x_shape, axis: cut(t, x_shape, axis),
                         wrong=lambda *xs, axis: does_not_join(*xs, axis=axis))
stack      = linear_of_many("Stack",   lambda xs, axis: np.stack(xs, axis),   lambda t, axis: unstack(t, axis))
select     = multilinear("Select",     lambda x, index: x[index],  lambda t, x_shape, index: scatter(t, index=index, shape=x_shape))
slice_     = multilinear("Slice",      lambda x, index: x[index],  lambda t, x_shape, index: scatter(t, index=index, shape=x_shape))
index      = multilinear("Index",      lambda x, index: x[index],  lambda t, x_shape, index: scatter(t, index=index, shape=x_shape))
scatter    = multilinear("IndexPut",   lambda x, index, shape: add_at(x, index, shape), lambda t, index: t[index])
clone      = multilinear("Clone",      lambda x: x.copy(),         lambda t: t)
astype     = multilinear("ToCopy",     lambda x, dtype: x.astype(dtype),      lambda t: t)

# ---- products of vectors and matrices
dot        = multilinear("Dot",        np.matmul,        lambda t, b: into_left(t, b), lambda t, a: into_right(t, a),
                         wrong=lambda a, b: do_not_multiply(a, b))
mv         = multilinear("Mv",         np.matmul,        *dot.rules, wrong=dot.wrong)
mm         = multilinear("Mm",         np.matmul,        *dot.rules, wrong=dot.wrong)
bmm        = multilinear("Bmm",        np.matmul,        *dot.rules, wrong=dot.wrong)
# fmt: on


# What the rows need. Each of these runs on arrays and on boxes alike.


def power_slope(a, b):
    """d a^b / da = b a^(b-1), and 0 where b = 0 even at a = 0."""
    if isinstance(b, int | float):
        return b * a ** (b - 1) if b != 0 else np.zeros_like(a)
    return choose(b == 0, 0, b * a ** (b * 1 - (b != 0)))


def exponent_slope(y, a, b):
    """d a^b / db = a^b log a, and 0 where a = 0 and b >= 0."""
    zero = (a == 0) & (b >= 0)
    return choose(zero, 0, y * np.log((a + zero).astype(y.dtype)))


def logistic(x):
    """1 / (1 + exp(-x)) without overflow: exp sees only what is not positive."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def share(t, loses, equal):
    """Nothing of t to the one that loses, half to each of two equals, all to the other (and to both beside a nan)."""
    return choose(equal, t / 2, choose(loses, 0, t))


def signum(x):
    """-1, 0 or 1; of nan, too, it is 0."""
    y = np.sign(x)
    return y if np.all(y == y) else np.where(y == y, y, 0)


def choose(condition, a, b):
    return where(a, b, condition=condition)


def inside(x, low, high):
    """1 where `clip` leaves x alone, its bounds included."""
    above = True if low is None else x >= low
    below = True if high is None else x <= high
    return above & below


def count(shape, axis):
    """How many numbers of `shape` a reduction over `axis` makes into one."""
    return math.prod(n for i, n in enumerate(shape) if axis is None or i in axis)


def total(x, axis, keepdims):
    """The sum. (`sum` of one NumPy number takes NumPy ten times as long as its sign.)"""
    return +x if not x.ndim and x.dtype.kind == "f" else x.sum(axis, keepdims=keepdims)


def spread(t, shape, axis):
    """The adjoint of a sum: every summand gets what the sum got."""
    return expand(t.reshape(kept_shape(shape, axis)), shape=shape)


def variance(x, axis, keepdims, correction):
    return np.var(x, axis, ddof=correction, keepdims=keepdims)


def length(x, axis, keepdims):
    """The Euclidean norm; of one number, its absolute value."""
    return np.sqrt((x * x).sum(axis, keepdims=keepdims)) if x.ndim else operator.abs(x)


def log_of_sum(x, axis, keepdims):
    """log(sum(exp(x))) with the largest term taken out first, so that nothing overflows."""
    top = x.max(axis, keepdims=True) if x.size else x.sum(axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = top + np.log(np.exp(x - top).sum(axis, keepdims=True))
    return y if keepdims else y.squeeze(axis)


def product_of_others(x, y, axis):
    """d prod(x) / dx_i: the product of all x_j but x_i, also where some x_j is 0."""
    if not (x == 0).any():
        return y / x
    axes = tuple(range(x.ndim)) if axis is None else axis
    front = tuple(i for i in range(x.ndim) if i not in axes)
    rows = permute(x, axes=front + axes)
    flat = rows.reshape(tuple(x.shape[i] for i in front) + (-1,))
    n = flat.shape[-1]
    others = prod(choose(np.eye(n, dtype=bool), 1, flat[..., None, :]), axis=(flat.ndim,), keepdims=False)
    return permute(others.reshape(rows.shape), axes=tuple(np.argsort(front + axes)))


def equal_parts(hits, axis):
    """Weights that give every hit the same share, adding up to 1."""
    return hits / hits.sum(axis, keepdims=True)


def add_up(x, shape):
    """`x` summed to `shape`: the adjoint of broadcasting `shape` to `x.shape`."""
    extra = x.ndim - len(shape)
    x = x.sum(axis=tuple(range(extra))) if extra else x
    ones = tuple(i for i, n in enumerate(shape) if n == 1 != x.shape[i])
    return x.sum(axis=ones, keepdims=True) if ones else x


def cut(t, shapes, axis):
    """`t` cut along `axis` into pieces of the given shapes."""
    ends = np.cumsum([shape[axis] for shape in shapes])
    everything = (slice(None),) * axis
    return [t[(*everything, slice(end - shape[axis], end))] for shape, end in zip(shapes, ends, strict=True)]


def unstack(t, axis):
    everything = (slice(None),) * axis
    return [t[(*everything, i)] for i in range(t.shape[axis])]


def add_at(x, index, shape):
    """Zeros of `shape` with `x` added at `index`, where an index array may name a place twice."""
    z = np.zeros(shape, x.dtype)
    if is_basic(index):
        z[index] = x
    else:
        np.add.at(z, index, x)
    return z


def is_basic(index):
    """Whether `index` holds only integers, slices, None and ... : no place is named twice."""
    parts = index if type(index) is tuple else (index,)
    return all(part is None or part is ... or isinstance(part, int | np.integer | slice) for part in parts)


def into_left(t, b):
    """The cotangent of a in a @ b; what broadcasting repeated is summed by the sweep."""
    if b.ndim == 1:
        return t[..., None] * b
    if t.ndim < b.ndim:
        return (b @ t[..., None])[..., 0]
    return t @ b.mT


def into_right(t, a):
    """The cotangent of b in a @ b; what broadcasting repeated is summed by the sweep."""
    if a.ndim == 1:
        return t * a if t.ndim == 0 else a[:, None] * t[..., None, :]
    if t.ndim < a.ndim:
        return (a.mT @ t[..., None])[..., 0]
    return a.mT @ t


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
    if len(a) == 2 and len(b) == 1:
        raise RuntimeError(f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})")
    if len(a) <= 2 and len(b) <= 2:
        rows = (1, *a) if len(a) == 1 else a
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows[0]}x{rows[1]} and {b[0]}x{b[1]})")
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


def kind(dtype):
    """The name PyTorch gives a tensor's type in its messages."""
    names = {
        "float64": "Double",
        "float32": "Float",
        "float16": "Half",
        "int64": "Long",
        "int32": "Int",
        "bool": "Bool",
    }
    return f"torch.{names.get(dtype.name, dtype.name.capitalize())}Tensor"


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


# The operations whose result looks at the memory of its input.
VIEWS = frozenset({expand, reshape, squeeze, unsqueeze, permute, swapaxes, select, slice_})
