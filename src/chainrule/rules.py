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

from .errors import do_not_multiply, does_not_fill, does_not_join
from .op import constant, custom, elementwise, kept_shape, linear_of_many, multilinear, reduction, symmetric

from .values import (  # isort: skip
    add_at, add_up, average, count, length, log_of_sum, log_shares, logistic, masked, one_over, pick, signum, stretched,
    total, variance,
)  # fmt: skip

# fmt: off
# ---- arithmetic ------------------------------------- what flows through, in either direction
add        = elementwise("Add",        operator.add,     lambda t: t,        lambda t: t)
sub        = elementwise("Sub",        operator.sub,     lambda t: t,        lambda t: -t)
mul        = elementwise("Mul",        operator.mul,     lambda t, b: t * b, lambda t, a: t * a)
div        = elementwise("Div",        operator.truediv, lambda t, b: t / b, lambda t, a, b: -t * (a / b) / b)
pow        = elementwise("Pow",        operator.pow,     lambda t, a, b: t * power_slope(a, b),
                                                         lambda t, y, a, b: t * exponent_slope(y, a, b))
neg        = elementwise("Neg",        operator.neg,     lambda t: -t)
reciprocal = elementwise("Reciprocal", one_over,         lambda t, y: -t * y * y)
sqrt       = elementwise("Sqrt",       np.sqrt,          lambda t, y: t / (2 * y))

# ---- exponentials and logarithms
exp        = elementwise("Exp",        np.exp,           lambda t, y: t * y)
exp2       = elementwise("Exp2",       np.exp2,          lambda t, y: t * y * math.log(2))
expm1      = elementwise("Expm1",      np.expm1,         lambda t, y: t * (y + 1))
log        = elementwise("Log",        np.log,           lambda t, x: t / x)
log2       = elementwise("Log2",       np.log2,          lambda t, x: t / (x * math.log(2)))
log10      = elementwise("Log10",      np.log10,         lambda t, x: t / (x * math.log(10)))
log1p      = elementwise("Log1P",      np.log1p,         lambda t, x: t / (x + 1))
sigmoid    = elementwise("Sigmoid",    logistic,                          lambda t, y: t * y * (1 - y))
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
magnitude  = elementwise("LinalgVectorNorm", operator.abs, lambda t, y, x: t * x / (y + (y == 0)))  # the norm of one number
relu       = elementwise("Relu",       lambda x: np.maximum(x, 0), lambda t, y: past_zero(t, y))
past_zero  = elementwise("ThresholdBackward", lambda a, b: masked(a, b != 0), lambda t, b: past_zero(t, b), lambda t: np.zeros_like(t))
sign       = elementwise("Sign",       signum,              lambda t: np.zeros_like(t))
floor      = elementwise("Floor",      np.floor,         lambda t: np.zeros_like(t))
ceil       = elementwise("Ceil",       np.ceil,          lambda t: np.zeros_like(t))
round      = elementwise("Round",      np.round,         lambda t: np.zeros_like(t))
maximum    = elementwise("Maximum",    np.maximum,       lambda t, a, b: share(t, a < b, a == b),
                                                         lambda t, a, b: share(t, b < a, a == b))
minimum    = elementwise("Minimum",    np.minimum,       lambda t, a, b: share(t, a > b, a == b),
                                                         lambda t, a, b: share(t, b > a, a == b))
at_least   = elementwise("Clamp",      np.maximum,       lambda t, a, b: only(t, condition=a >= b), lambda t, a, b: only(t, condition=a < b))
at_most    = elementwise("Clamp",      np.minimum,       lambda t, a, b: only(t, condition=a <= b), lambda t, a, b: only(t, condition=a > b))
where      = elementwise("Where",      lambda a, b, condition: np.where(condition, a, b),
                                                         lambda t, condition: choose(condition, t, 0),
                                                         lambda t, condition: choose(condition, 0, t))
only       = elementwise("Where",      masked,             lambda t, condition: only(t, condition=condition))
clip       = elementwise("Clamp",      lambda x, low, high: np.clip(x, low, high),
                                                         lambda t, x, low, high: only(t, condition=inside(x, low, high)))

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
sum        = multilinear("Sum",        total,
                                                       lambda t, x_shape, axis: spread(t, x_shape, axis))
mean       = multilinear("Mean",       average,          lambda t, x_shape, axis:
                                           spread(t / count(x_shape, axis), x_shape, axis))
var        = reduction("Var",          variance,
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
norm       = reduction("LinalgVectorNorm", length,
                                                         lambda x, y: x / (y + (y == 0)), sum)
logsumexp  = reduction("Logsumexp",    log_of_sum,
                                                         lambda x, y: np.exp(x - y), sum)
softmax    = symmetric("Softmax",      lambda x, axis: np.exp(log_shares(x, axis)),
                                                         lambda t, y, axis: y * (t - (t * y).sum(axis, keepdims=True)))
log_softmax = custom("LogSoftmax",     log_shares,
                                       lambda t, y, axis: t - np.exp(y) * t.sum(axis, keepdims=True),
                               pushes=[lambda t, y, axis: t - (np.exp(y) * t).sum(axis, keepdims=True)])
cumsum     = multilinear("Cumsum",     np.cumsum,
                                       lambda t, axis: flip(cumsum(flip(t, axis=axis), axis=axis), axis=axis))

# ---- one shape to another: nothing is computed, numbers move
expand     = multilinear("Expand",     stretched,       lambda t, x_shape: sum_to(t, shape=x_shape), view=True)
sum_to     = multilinear("SumTo",      add_up,  lambda t, x_shape: expand(t, shape=x_shape))
reshape    = multilinear("View",       lambda x, shape: np.reshape(x, shape), lambda t, x_shape: reshape(t, shape=x_shape),
                         wrong=does_not_fill, view=True)
squeeze    = multilinear("Squeeze",    np.squeeze, lambda t, x_shape: reshape(t, shape=x_shape), view=True)
unsqueeze  = multilinear("Unsqueeze",  np.expand_dims, lambda t, x_shape: reshape(t, shape=x_shape), view=True)
permute    = multilinear("Permute",    np.transpose,
                                       lambda t, axes: permute(t, axes=tuple(np.argsort(axes))), view=True)
swapaxes   = multilinear("Transpose",  lambda x, i, j: np.swapaxes(x, i, j),  lambda t, i, j: swapaxes(t, i=i, j=j), view=True)
flip       = multilinear("Flip",       lambda x, axis: np.flip(x, axis).copy(),      lambda t, axis: flip(t, axis=axis))
cat        = linear_of_many("Cat",     lambda xs, axis: np.concatenate(xs, axis), lambda t, x_shape, axis: cut(t, x_shape, axis),
                         wrong=does_not_join)
stack      = linear_of_many("Stack",   lambda xs, axis: np.stack(xs, axis),   lambda t, axis: unstack(t, axis))
select     = multilinear("Select",     lambda x, index: x[index],  lambda t, x_shape, index: scatter(t, index=index, shape=x_shape), view=True)
slice_     = multilinear("Slice",      lambda x, index: x[index],  lambda t, x_shape, index: scatter(t, index=index, shape=x_shape), view=True)
index      = multilinear("Index",      pick,                       lambda t, x_shape, index: scatter(t, index=index, shape=x_shape))
scatter    = multilinear("IndexPut",   add_at, lambda t, index: t[index])
clone      = multilinear("Clone",      lambda x: x.copy(),         lambda t: t)
astype     = multilinear("ToCopy",     lambda x, dtype: x.astype(dtype),      lambda t: t)

# ---- products of vectors and matrices
dot        = multilinear("Dot",        np.matmul,        lambda t, b: into_left(t, b), lambda t, a: into_right(t, a),
                         wrong=do_not_multiply)
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


def share(t, loses, equal):
    """Nothing of t to the one that loses, half to each of two equals, all to the other (and to both beside a nan)."""
    return choose(equal, t / 2, choose(loses, 0, t))


def choose(condition, a, b):
    return where(a, b, condition=condition)


def inside(x, low, high):
    """1 where `clip` leaves x alone, its bounds included."""
    above = True if low is None else x >= low
    below = True if high is None else x <= high
    return above & below


def spread(t, shape, axis):
    """The adjoint of a sum: every summand gets what the sum got."""
    return expand(t.reshape(kept_shape(shape, axis)), shape=shape)


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


def cut(t, shapes, axis):
    """`t` cut along `axis` into pieces of the given shapes."""
    ends = np.cumsum([shape[axis] for shape in shapes])
    everything = (slice(None),) * axis
    return [t[(*everything, slice(end - shape[axis], end))] for shape, end in zip(shapes, ends, strict=True)]


def unstack(t, axis):
    everything = (slice(None),) * axis
    return [t[(*everything, i)] for i in range(t.shape[axis])]


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
