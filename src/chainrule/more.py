"""More functions: what PyTorch's own test cases ask for beyond the table of the course.

The same kinds of rows as in `chainrule.rules`, and functions made of others, which need no
rule of their own. Names and meanings are PyTorch's. `METHODS` at the end says which of them
are methods of a Tensor, too.
"""

import builtins
import math
from collections import namedtuple

import numpy as np

from . import functions, rules
from .functions import (
    astype, cat, clamp, expand, flatten, flip, floor, getitem, matmul, mean, movedim, norm, one_axis, outer, permute,
    plain, positions, pow, whole, prod, public, reshape, round as nearest, row, sigmoid, stack, std, sum, swapaxes,
    unsqueeze, var, where,
)  # fmt: skip
from .op import Box, custom, elementwise, multilinear
from .rules import choose
from .tape import tensor_of, unary


def require(holds, message, error=RuntimeError):
    """Raise `error` unless the condition holds."""
    if not holds:
        raise error(message)


def made(op, doc, name=None):
    """A row of the table below as a public function."""
    function = public(op, name or op.name.lower(), doc)
    function.__module__ = __name__
    return function


# fmt: off
# ---- two numbers ----------------------------------------------- what flows through, in either direction
atan2 = made(elementwise("Atan2", np.arctan2, lambda t, a, b: t * b * inverse_square(a, b),
                                              lambda t, a, b: -t * a * inverse_square(a, b)),
             "The angle of the point (b, a), in radians; with r^2 = a^2 + b^2 the derivatives are b/r^2 and -a/r^2, 0 at 0.")
hypot = made(elementwise("Hypot", np.hypot, lambda t, y, a: t * a / y, lambda t, y, b: t * b / y),
             "sqrt(a^2 + b^2) without overflow; the derivatives are a/y and b/y, where y is the value.")
logaddexp = made(elementwise("Logaddexp", np.logaddexp, lambda t, a, b: t * sigmoid(a - b),
                                                        lambda t, a, b: t * sigmoid(b - a)),
                 "log(e^a + e^b) without overflow; the derivatives are sigmoid(a - b) and sigmoid(b - a).")
logaddexp2 = made(elementwise("Logaddexp2", np.logaddexp2, lambda t, a, b: t * sigmoid((a - b) * math.log(2)),
                                                           lambda t, a, b: t * sigmoid((b - a) * math.log(2))),
                  "log2(2^a + 2^b) without overflow; the derivatives are those of `logaddexp`, with 2 for e.")
fmax = made(elementwise("Fmax", np.fmax, lambda t, a, b: choose((a >= b) | (b != b), t, 0),
                                         lambda t, a, b: choose((a >= b) | (b != b), 0, t)),
            "The larger of a and b, and never nan if one is a number; of equals, a gets the derivative.")
fmin = made(elementwise("Fmin", np.fmin, lambda t, a, b: choose((a <= b) | (b != b), t, 0),
                                         lambda t, a, b: choose((a <= b) | (b != b), 0, t)),
            "The smaller of a and b, and never nan if one is a number; of equals, a gets the derivative.")
fmod = made(elementwise("Fmod", np.fmod, lambda t: t, lambda t, a, b: -t * trunc(a / b)),
            "What is left of a / b, with the sign of a; the derivatives are 1 and -trunc(a / b).")
remainder = made(elementwise("Remainder", np.remainder, lambda t: t, lambda t, a, b: -t * whole_quotient(a, b)),
                 "What is left of a / b, with the sign of b, as Python's %; the derivatives are 1 and -floor(a / b).")
copysign = made(elementwise("Copysign", np.copysign, lambda t, y, a: t * turned(y, a), lambda t: t * 0),
                "|a| with the sign of b; the derivatives are 1 or -1 (0 at a = 0), and 0.")
whole_quotient = made(elementwise("Div", np.floor_divide, lambda t: t * 0, lambda t: t * 0),
                      "floor(a / b), as Python's //; flat wherever it has a derivative.", "floor_divide")
truncated_quotient = made(elementwise("Div", lambda a, b: np.trunc(a / b), lambda t: t * 0, lambda t: t * 0),
                          "a / b rounded towards 0; flat wherever it has a derivative.", "truncated_quotient")
xlogy = made(elementwise("Xlogy", lambda a, b: a_log_b(a, b), lambda t, a, b: t * slope_of_log(a, b), lambda t, a, b: t * a / b),
             "a log(b), 0 where a is 0; the derivatives are log(b) (0 where a = 0 and b <= 0) and a / b.")

# ---- one number
trunc = made(elementwise("Trunc", np.trunc, lambda t: t * 0), "The whole part: x rounded towards 0; its derivative is 0.")
frac = made(elementwise("Frac", lambda x: x - np.trunc(x), lambda t: t), "x without its whole part; its derivative is 1.")
sinc = made(elementwise("Sinc", np.sinc, lambda t, x: t * sinc_slope(x)),
            "sin(pi x) / (pi x), and 1 at 0; its derivative is (cos(pi x) - y) / x, where y is the value.")
positive = made(elementwise("Alias", lambda x: x, lambda t: t), "x itself.", "positive")

logit_all = unary(elementwise("Logit", lambda x: np.log(x / (1 - x)), lambda t, x: t / logit_width(x)))

# ---- numbers that move
roll_all = unary(multilinear("Roll", np.roll, lambda t, shift, axis: unrolled(t, shift, axis)))
tril_all = unary(multilinear("Tril", np.tril, lambda t, k: tril(t, k)))
triu_all = unary(multilinear("Triu", np.triu, lambda t, k: triu(t, k)))

# ---- running products of numbers that are not 0
cumprod_all = unary(custom("Cumprod", lambda x, axis: np.cumprod(x, axis),
                                      lambda t, x, y, axis: flip(rules.cumsum(flip(t * y, axis), axis=axis), axis) / x,
                              pushes=[lambda t, x, y, axis: rules.cumsum(t / x, axis=axis) * y]))
# fmt: on


def inverse_square(a, b):
    """1 / (a^2 + b^2), and 0 at 0."""
    r2 = a * a + b * b
    return choose(r2 == 0, 0, 1 / choose(r2 == 0, 1, r2))


def turned(y, a):
    """y / a for y = |a| with another sign: 1 or -1, and 0 at 0."""
    return choose(a == 0, 0, y / choose(a == 0, 1, a))


def logit_width(x):
    """x (1 - x), nan outside 0 ... 1."""
    return choose((x < 0) | (x > 1), np.nan, x * (1 - x))


def slope_of_log(a, b):
    none = (a == 0) & (b <= 0)
    return choose(none, 0, np.log(choose(none, 1, b)))


def a_log_b(a, b):
    zero = (a == 0) & (b == b)
    return np.where(zero, 0, a * np.log(np.where(zero, 1, b)))[()]


def sinc_slope(x):
    zero = x == 0
    x = choose(zero, 1, x)
    return choose(zero, 0, (np.cos(x * np.pi) - np.sin(x * np.pi) / (x * np.pi)) / x)


def unrolled(t, shift, axis):
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return roll_all(t, shift=back, axis=axis)


# ---- arithmetic with PyTorch's options


def add(a, b, *, alpha=1):
    """a + alpha b, with broadcasting; the derivatives are 1 and alpha."""
    return functions.add(a, b if alpha == 1 else b * alpha)


def sub(a, b, *, alpha=1):
    """a - alpha b, with broadcasting; the derivatives are 1 and -alpha."""
    return functions.sub(a, b if alpha == 1 else b * alpha)


def rsub(a, b, *, alpha=1):
    """b - alpha a."""
    return sub(b, a, alpha=alpha)


def div(a, b, *, rounding_mode=None):
    """a / b, with broadcasting; the derivatives are 1/b and -a/b^2, or 0 once the quotient is rounded.

    rounding_mode  None, "trunc" (towards 0) or "floor" (down)
    """
    known = rounding_mode in (None, "trunc", "floor")
    require(known, f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")
    if rounding_mode == "floor":
        return whole_quotient(a, b)
    return functions.div(a, b) if rounding_mode is None else truncated_quotient(a, b)


def floor_divide(a, b):
    """floor(a / b), as Python's `//`. No derivative flows, as in PyTorch."""
    return no_slope(np.floor_divide, a, b)


def float_power(a, b):
    """a to the power b, in float64."""
    return pow(*(astype(x, np.float64) if isinstance(x, Box | np.ndarray) else np.float64(x) for x in (a, b)))


def ldexp(a, b):
    """a 2^b."""
    return a * functions.exp2(b * 1.0)


def lerp(a, b, weight):
    """On the way from a to b: a + weight (b - a)."""
    return a + weight * (b - a)


def addcmul(x, a, b, *, value=1):
    """x + value a b, number by number."""
    return x + value * a * b


def addcdiv(x, a, b, *, value=1):
    """x + value a / b, number by number."""
    return x + value * a / b


def clamp_min(x, min):
    """`clamp` from below."""
    return clamp(x, min=min)


def clamp_max(x, max):
    """`clamp` from above."""
    return clamp(x, max=max)


def round(x, *, decimals=0):
    """The nearest number with so many decimals, halves to even; the derivative is 0."""
    return nearest(x) if decimals == 0 else nearest(x * 10.0**decimals) / 10.0**decimals


def logit(x, eps=None):
    """log(x / (1 - x)), the inverse of `sigmoid`; x is first clamped to [eps, 1 - eps], if eps is given."""
    return logit_all(x if eps is None else clamp(x, eps, 1 - eps))


def deg2rad(x):
    """Degrees in radians: x pi / 180."""
    return x * (math.pi / 180)


def rad2deg(x):
    """Radians in degrees: x 180 / pi."""
    return x * (180 / math.pi)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with other numbers in the place of nan, inf and -inf (by default the largest there are); there, no derivative."""
    limits = np.finfo(x.dtype)
    x = where(x == np.inf, limits.max if posinf is None else posinf, x)
    x = where(x == -np.inf, limits.min if neginf is None else neginf, x)
    return where(x != x, 0.0 if nan is None else nan, x)


def piecewise(condition, f, g, x, safe=0.0):
    """f(x) where `condition` holds, else g(x). Each sees only its own points, so that neither spoils the other's
    derivative: the way out of the trap that `where` warns of.
    """
    return where(condition, f(where(condition, x, safe)), g(where(condition, safe, x)))


# ---- what has no derivative


def no_slope(function, *inputs):
    """The NumPy function of the values: a constant for every derivative."""
    values = [plain(x) for x in inputs]
    for box in values:
        if isinstance(box, Box):  # a box that has no numbers yet
            raise TypeError(f"{function.__name__} of a {type(box).__name__}, whose numbers are not known yet, has no rule")
    return positions(next((x for x in inputs if isinstance(x, Box)), None), function(*values))


def flat(function, name, doc):
    """A function through which no derivative flows."""

    def constant_function(*inputs):
        return no_slope(function, *inputs)

    constant_function.__name__ = constant_function.__qualname__ = name
    constant_function.__module__, constant_function.__doc__ = __name__, f"{doc} No derivative flows."
    return constant_function


isnan = flat(np.isnan, "isnan", "Where x is nan.")
isinf = flat(np.isinf, "isinf", "Where x is inf or -inf.")
isfinite = flat(np.isfinite, "isfinite", "Where x is neither inf nor nan.")
isposinf = flat(np.isposinf, "isposinf", "Where x is inf.")
isneginf = flat(np.isneginf, "isneginf", "Where x is -inf.")
signbit = flat(np.signbit, "signbit", "Where x has a minus sign, -0.0 included.")
heaviside = flat(lambda a, b: np.where(a == 0, b, (a > 0).astype(a.dtype)), "heaviside", "0 for a < 0, 1 for a > 0, b at 0.")
logical_not = flat(np.logical_not, "logical_not", "Where x is 0.")
logical_and = flat(np.logical_and, "logical_and", "Where neither a nor b is 0.")
logical_or = flat(np.logical_or, "logical_or", "Where a or b is not 0.")
logical_xor = flat(np.logical_xor, "logical_xor", "Where one of a and b is 0, the other not.")


def truth(function, name, doc):
    """`any` or `all`, in PyTorch's and NumPy's spelling."""

    def reduce(x, dim=None, keepdim=False, *, axis=None, keepdims=False):
        found = function(plain(x), functions.axes(x, dim, axis), keepdims=keepdim or keepdims)
        return positions(x, found)

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__module__, reduce.__doc__ = __name__, f"{doc} No derivative flows."
    return reduce


any = truth(np.any, "any", "Whether any number is not 0, of all or along `dim`.")
all = truth(np.all, "all", "Whether no number is 0, of all or along `dim`.")
count_nonzero = truth(
    lambda x, axis, keepdims: np.count_nonzero(x, axis), "count_nonzero", "How many numbers are not 0, of all or along `dim`."
)


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where |a - b| <= atol + rtol |b|. No derivative flows."""
    return no_slope(lambda a, b: np.isclose(a, b, rtol, atol, equal_nan), a, b)


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether `isclose` holds everywhere: True or False."""
    return bool(np.allclose(plain(a), plain(b), rtol, atol, equal_nan))


def equal(a, b):
    """Whether a and b have the same shape and numbers: True or False."""
    return np.array_equal(plain(a), plain(b))


# ---- reductions


def nansum(x, dim=None, keepdim=False, *, dtype=None):
    """The sum of what is not nan."""
    return sum(where(x != x, 0.0, x), dim, keepdim, dtype=dtype)


def nanmean(x, dim=None, keepdim=False, *, dtype=None):
    """The mean of what is not nan."""
    there = astype(x == x, dtype or x.dtype)
    return nansum(x, dim, keepdim, dtype=dtype) / sum(there, dim, keepdim)


def var_mean(x, dim=None, correction=1, keepdim=False, *, unbiased=None):
    """The pair (var, mean)."""
    return var(x, dim, correction, keepdim, unbiased=unbiased), mean(x, None if isinstance(dim, bool) else dim, keepdim)


def std_mean(x, dim=None, correction=1, keepdim=False, *, unbiased=None):
    """The pair (std, mean)."""
    return std(x, dim, correction, keepdim, unbiased=unbiased), mean(x, None if isinstance(dim, bool) else dim, keepdim)


def aminmax(x, *, dim=None, keepdim=False):
    """The pair (amin, amax)."""
    return functions.amin(x, dim, keepdim), functions.amax(x, dim, keepdim)


def dist(a, b, p=2):
    """The p-norm of a - b."""
    return norm(a - b, p)


def cumprod(x, dim, *, dtype=None):
    """The running product along `dim`. Its derivative is right where factors are 0, too.

    Where there are zeros, the derivative is that of n separate products, at the cost of n^2.
    """
    x = x if dtype is None else astype(x, dtype)
    d = one_axis(dim, x.ndim)
    if x.ndim == 0:
        return x * 1
    if not np.any(plain(x) == 0):
        return cumprod_all(x, axis=d)
    factors = movedim(x, d, -1)[..., None, :]
    return movedim(prod(where(np.tri(x.shape[d], dtype=bool), factors, 1.0), -1), -1, d)


def slices(x, d, *bounds):
    """The slices x[start:end:step] along axis d."""
    return getitem(x, (*(slice(None),) * d, slice(*bounds)))


def diff(x, n=1, dim=-1, prepend=None, append=None):
    """The differences of neighbours along `dim`, n times over, with what is put before and after x."""
    require(n >= 0, f"order must be non-negative but got {n}")
    d = one_axis(dim, x.ndim)
    require(x.ndim, "diff expects input to be at least one-dimensional")
    if n and not (prepend is append is None):
        x = cat([part for part in (prepend, x, append) if part is not None], d)
    for _ in range(n):
        x = slices(x, d, 1, None) - slices(x, d, None, -1) if x.shape[d] else x
    return x


def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of y along `dim` by the trapezoidal rule, at the points x or in steps of dx."""
    d = one_axis(dim, y.ndim)
    steps = dx if x is None else diff(x, dim=dim if x.ndim == y.ndim else -1)
    if x is not None and x.ndim < y.ndim:
        steps = reshape(steps, (-1,) + (1,) * (y.ndim - 1 - d))
    return sum((slices(y, d, 1, None) + slices(y, d, None, -1)) / 2 * steps, d)


# ---- order

SortResult = namedtuple("sort", ["values", "indices"])
MedianResult = namedtuple("median", ["values", "indices"])


def argsort(x, dim=-1, descending=False, stable=False):
    """Where the numbers of x stand in their order along `dim`; equals keep theirs. No derivative flows."""
    return positions(x, order_of(plain(x), one_axis(dim, x.ndim), descending))


def order_of(x, d, descending):
    if x.ndim == 0:
        return np.int64(0)
    if descending:
        return x.shape[d] - 1 - np.flip(np.argsort(np.flip(x, d), d, kind="stable"), d)
    return np.argsort(x, d, kind="stable")


def sort(x, dim=-1, descending=False, stable=False):
    """The numbers in order along `dim`, with their positions; equals keep their order, also for the derivative."""
    found = argsort(x, dim, descending)
    return SortResult(gather(x, dim, found), found)


def msort(x):
    """The numbers in order along the first axis."""
    return sort(x, 0).values


def topk(x, k, dim=-1, largest=True, sorted=True):
    """The k largest (or smallest) along `dim`, in order, with their positions."""
    d = one_axis(dim, x.ndim)
    require(0 <= k <= (x.shape[d] if x.ndim else 1), "selected index k out of range")
    values, found = sort(x, d, descending=largest)
    return SortResult(slices(values, d, k), slices(found, d, k)) if x.ndim else SortResult(values, found)


def kthvalue(x, k, dim=-1, keepdim=False):
    """The k-th smallest along `dim`, with its position."""
    d = one_axis(dim, x.ndim)
    allowed = 1 <= k <= (x.shape[d] if x.ndim else 1)
    require(allowed, f"kthvalue(): selected number k out of range for dimension {d}")
    if x.ndim == 0:
        return sort(x)
    where_to = slice(k - 1, k) if keepdim else k - 1
    return SortResult(*(getitem(part, (*(slice(None),) * d, where_to)) for part in sort(x, d)))


def running_extreme(x, dim, accumulate):
    d, v = one_axis(dim, x.ndim), plain(x)
    if x.ndim == 0:
        return SortResult(x * 1, positions(x, np.int64(0)))
    best = accumulate(v, d)
    places = np.arange(v.shape[d]).reshape((-1,) + (1,) * (v.ndim - 1 - d))
    found = np.maximum.accumulate(np.where((v == best) | (v != v), places, 0), d)
    return SortResult(gather(x, d, found), positions(x, found))


def cummax(x, dim):
    """The largest so far along `dim`, with its position; of equals, the last."""
    return running_extreme(x, dim, np.maximum.accumulate)


def cummin(x, dim):
    """The smallest so far along `dim`, with its position; of equals, the last."""
    return running_extreme(x, dim, np.minimum.accumulate)


# ---- choosing numbers


def places_of(x, dim, index, *others):
    """x and `index` with at least one axis each, and an index that reads along `dim` where `index` says.

    Raises PyTorch's RuntimeErrors for an index that does not fit x or one of the others.
    """
    d, index = one_axis(dim, x.ndim), whole(index)
    x, index, *others = (reshape(part, (1,)) if part.ndim == 0 else part for part in (x, index, *others))
    if index.size:
        word = "Index tensor must have the same number of dimensions as"
        require(index.ndim == x.ndim, f"{word} {'self' if others else 'input'} tensor")
        for other in others:
            require(index.ndim == other.ndim, f"{word} src tensor")
        for i, (m, n) in enumerate(zip(index.shape, x.shape, strict=True)):
            fits = m <= n or i == d
            require(fits, f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger "
                          f"than self {list(x.shape)} apart from dimension {d}")  # fmt: skip
        n = x.shape[d]
        beyond = index[(index < 0) | (index >= n)]
        require(not beyond.size, f"index {beyond[:1].sum()} is out of bounds for dimension {d} with size {n}")
    else:
        index = index.reshape((*(0 if i == d else n for i, n in enumerate(x.shape)),))
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[d] = index
    return x, index, tuple(places)


def gather(x, dim, index):
    """y[i, j] = x[index[i, j], j] for dim 0, and so on; a place that is read twice gets both cotangents."""
    shape = np.shape(plain(index))
    x, _, places = places_of(x, dim, index)
    return reshape(row.index(x, index=places), shape)


def take_along_dim(x, indices, dim=None):
    """`gather`, with broadcasting; without `dim`, from all numbers in one row."""
    indices = whole(indices)
    if dim is None:
        return gather(flatten(x), 0, indices.reshape(-1))
    d = one_axis(dim, x.ndim)
    common = np.broadcast_shapes(*((*y.shape[:d], 1, *y.shape[d + 1 :]) for y in (x, indices)))
    x, indices = (expand(y, (*common[:d], y.shape[d], *common[d + 1 :])) for y in (x, indices))
    return gather(x, d, indices % x.shape[d])


def index_select(x, dim, index):
    """The slices of x along `dim` that `index` names."""
    d = one_axis(dim, x.ndim)
    index = whole(index)
    if x.ndim == 0:
        return x * 1
    return row.index(x, index=(*(slice(None),) * d, index.reshape(-1)))


def take(x, index):
    """The numbers of x, as if in one row, that `index` names."""
    return row.index(flatten(x), index=(whole(index),))


def masked_select(x, mask):
    """The numbers of x where `mask` holds, in one row, with broadcasting."""
    mask = whole(mask)
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return row.index(expand(x, shape), index=(np.broadcast_to(mask, shape),))


def masked_fill(x, mask, value):
    """x with `value` where `mask` holds, with broadcasting."""
    return where(mask, value, x)


def added_at(x, index, source):
    """x with `source` added at `index`, where a place may be named twice."""
    return x + rules.scatter(source, index=index, shape=tuple(x.shape))


def scatter_add(x, dim, index, src):
    """x with src[i, j] added at [index[i, j], j] for dim 0, and so on: the transpose of `gather`."""
    shape = x.shape
    x, index, places = places_of(x, dim, index, src)
    src = getitem(reshape(src, (1,)) if src.ndim == 0 else src, tuple(slice(n) for n in index.shape))
    return reshape(added_at(x, places, src), shape)


def scatter(x, dim, index, src):
    """x with src[i, j] (or one number) put at [index[i, j], j] for dim 0, and so on."""
    shape, single = x.shape, not isinstance(src, Box | np.ndarray)
    x, index, places = places_of(x, dim, index, *([] if single else [src]))
    if not single:
        src = getitem(reshape(src, (1,)) if src.ndim == 0 else src, tuple(slice(n) for n in index.shape))
    return reshape(put_at(x, places, src, index.shape), shape)


def put_at(x, index, source, shape):
    """x with `source`, broadcast to `shape`, in the place of what stands at `index`; the last of several counts."""
    if not isinstance(source, Box | np.ndarray):
        return where(hit(x, index), source, x)
    which = np.zeros(x.shape, int)
    which[index] = np.arange(math.prod(shape)).reshape(shape)
    source = flatten(expand(source, shape))
    return where(hit(x, index), row.index(source, index=(which,)), x) if math.prod(shape) else x * 1


def hit(x, index):
    """Where in x `index` leads."""
    mask = np.zeros(x.shape, bool)
    mask[index] = True
    return mask


def along(x, dim, index, source):
    """x and `source` with at least one axis each, and an index of the slices along `dim` that `index` names."""
    d, index = one_axis(dim, x.ndim), whole(index)
    x, source, index = (reshape(y, (1,)) if np.ndim(y) == 0 and y is not None else y for y in (x, source, index))
    if source is not None:
        fits = [n for i, n in enumerate(x.shape) if i != d] == [n for i, n in enumerate(source.shape) if i != d]
        require(fits, f"source tensor shape must match self tensor shape, excluding the specified dimension. "
                      f"Got self.shape = {list(x.shape)} source.shape = {list(source.shape)}")  # fmt: skip
    return x, source, (*(slice(None),) * d, index)


def index_add(x, dim, index, source, *, alpha=1):
    """x with alpha times the slices of `source` added where `index` says; a slice may be named twice."""
    whole, source, places = along(x, dim, index, source)
    return reshape(added_at(whole, places, source * alpha), x.shape)


def index_copy(x, dim, index, source):
    """x with the slices of `source` in the places along `dim` that `index` names."""
    whole, source, places = along(x, dim, index, source)
    return reshape(put_at(whole, places, source, source.shape), x.shape)


def index_fill(x, dim, index, value):
    """x with one number in the slices along `dim` that `index` names."""
    whole, _, places = along(x, dim, index, None)
    return reshape(where(hit(whole, places), value, whole), x.shape)


def index_put(x, indices, values, accumulate=False):
    """x with `values` put at (or added to) the places that the arrays in `indices` name."""
    index = tuple(whole(i) for i in indices)
    shape = np.empty(x.shape)[index].shape
    return added_at(x, index, expand(values, shape)) if accumulate else put_at(x, index, values, shape)


def part_replaced(x, source, index):
    """x with `source` in the place of x[index]."""
    return put_at(x, index, source, source.shape)


def select(x, dim, index):
    """The slice at one position along `dim`."""
    return getitem(x, (*(slice(None),) * one_axis(dim, x.ndim), index))


def select_scatter(x, src, dim, index):
    """x with `src` in the place of `select(x, dim, index)`."""
    return part_replaced(x, src, (*(slice(None),) * one_axis(dim, x.ndim), index))


def slice_scatter(x, src, dim=0, start=None, end=None, step=1):
    """x with `src` in the place of a slice along `dim`."""
    return part_replaced(x, src, (*(slice(None),) * one_axis(dim, x.ndim), slice(start, end, step)))


def narrow(x, dim, start, length):
    """The `length` slices along `dim` that begin at `start`."""
    require(x.ndim, "narrow() cannot be applied to a 0-dim tensor.")
    require(length >= 0, "narrow(): length must be non-negative.")
    d, n = one_axis(dim, x.ndim), x.shape[one_axis(dim, x.ndim)]
    if isinstance(start, Box):
        require(start.ndim == 0 and start.dtype.kind in "iu", "start must be an 0-dim integral Tensor.")
        start = int(start)
    require(-n <= start <= n, f"start out of range (expected to be in range of [-{n}, {n}], but got {start})", IndexError)
    start = start + n if start < 0 else start
    require(start + length <= n, f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slices(x, d, start, start + length)


def split(x, split_size_or_sections, dim=0):
    """x cut along `dim` into pieces of one size (the last may be smaller), or of the sizes listed."""
    d, size = one_axis(dim, x.ndim), split_size_or_sections
    n = x.shape[d]
    if isinstance(size, int):
        size = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    total = builtins.sum(size)
    require(total == n, f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
                        f"dimension {d}), but got split_sizes={list(size)}")  # fmt: skip
    return tuple(slices(x, d, end - k, end) for end, k in zip(np.cumsum(size).tolist(), size, strict=True))


def split_with_sizes(x, split_sizes, dim=0):
    """x cut along `dim` into pieces of the sizes listed."""
    return split(x, list(split_sizes), dim)


def chunk(x, chunks, dim=0):
    """x cut along `dim` into at most so many pieces of the same size (the last may be smaller)."""
    require(chunks > 0, f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = x.shape[one_axis(dim, x.ndim)]
    return split(x, -(-n // chunks) if n else [0] * chunks, dim)


def tensor_split(x, indices_or_sections, dim=0):
    """x cut along `dim` into so many pieces, as equal as can be, or before the positions listed."""
    d, cuts = one_axis(dim, x.ndim), indices_or_sections
    cuts = plain(cuts).tolist() if isinstance(cuts, Box) else cuts
    n = x.shape[d]
    if isinstance(cuts, int):
        require(cuts > 0, f"number of sections must be larger than 0, got {cuts}")
        cuts = np.cumsum([n // cuts + (i < n % cuts) for i in range(cuts)])[:-1].tolist()
    return tuple(slices(x, d, i, j) for i, j in zip([0, *cuts], [*cuts, n], strict=True))


def cut_along(x, cuts, d, need, name):
    """`tensor_split` where all pieces must be equal."""
    require(x.ndim >= need, f"torch.{name} requires a tensor with at least {need} dimension, but got a tensor with "
                            f"{x.ndim} dimensions!")  # fmt: skip
    equal_parts = not isinstance(cuts, int) or (cuts > 0 and x.shape[d] % cuts == 0)
    require(equal_parts, f"torch.{name} attempted to split along dimension {d}, but the size of the dimension "
                         f"{x.shape[d]} is not divisible by the split_size {cuts}!")  # fmt: skip
    return tensor_split(x, cuts, d)


def hsplit(x, indices_or_sections):
    """`tensor_split` into equal pieces along the second axis (of a vector, the first)."""
    return cut_along(x, indices_or_sections, 1 if x.ndim > 1 else 0, 1, "hsplit")


def vsplit(x, indices_or_sections):
    """`tensor_split` into equal pieces along the first axis."""
    return cut_along(x, indices_or_sections, 0, 2, "vsplit")


def dsplit(x, indices_or_sections):
    """`tensor_split` into equal pieces along the third axis."""
    return cut_along(x, indices_or_sections, 2, 3, "dsplit")


def unbind(x, dim=0):
    """The slices of x along `dim`, as a tuple."""
    require(x.ndim, f"Dimension specified as {dim} but tensor has no dimensions", IndexError)
    return tuple(select(x, dim, i) for i in range(x.shape[one_axis(dim, x.ndim)]))


# ---- arranging numbers


def unflatten(x, dim, sizes):
    """Axis `dim` made into several of the given sizes, of which one may be -1."""
    d = one_axis(dim, x.ndim)
    return reshape(x, (*x.shape[:d], *sizes, *x.shape[d + 1 :]))


def view_as(x, other):
    """x in the shape of `other`."""
    return functions.view(x, tuple(other.shape))


def reshape_as(x, other):
    """x in the shape of `other`."""
    return reshape(x, tuple(other.shape))


def expand_as(x, other):
    """x broadcast to the shape of `other`."""
    return expand(x, tuple(other.shape))


def sum_to_size(x, *size):
    """x summed to a shape that broadcasts to its own: the transpose of `expand`."""
    size = tuple(size[0]) if size and isinstance(size[0], tuple | list) else size
    fits = len(size) <= x.ndim and builtins.all(m in (1, n) for m, n in zip(size[::-1], x.shape[::-1], strict=False))
    require(fits, f"size {{{list(size)}}} is not expandable to size {{{list(x.shape)}}}.")
    return rules.sum_to(x, shape=size)


def broadcast_tensors(*tensors):
    """All, broadcast to the shape they have in common."""
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    return tuple(expand(x, shape) for x in tensors)


def roll(x, shifts, dims=None):
    """The numbers moved on by `shifts` along `dims`; what leaves at the end comes back at the start."""
    shifts = tuple(shifts) if isinstance(shifts, tuple | list) else (shifts,)
    require(shifts, "`shifts` required")
    if dims is None or dims in ((), []):
        require(len(shifts) == 1, f"shifts and dimensions must align. shifts: {len(shifts)}, dims:0")
        return roll_all(x, shift=shifts[0], axis=None)
    dims = tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    require(len(shifts) == len(dims), f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    require(x.ndim, f"Dimension specified as {dims[0]} but tensor has no dimensions", IndexError)
    return roll_all(x, shift=shifts, axis=tuple(one_axis(d, x.ndim) for d in dims))


def fliplr(x):
    """The columns in reverse order."""
    require(x.ndim >= 2, "Input must be >= 2-d.")
    return flip(x, 1)


def flipud(x):
    """The rows in reverse order."""
    require(x.ndim >= 1, "Input must be >= 1-d.")
    return flip(x, 0)


def rot90(x, k=1, dims=(0, 1)):
    """The plane of two axes turned by k quarters, from the first towards the second."""
    require(len(dims) == 2, f"expected total rotation dims == 2, but got dims = {len(dims)}")
    require(x.ndim >= 2, f"expected total dims >= 2, but got total dims = {x.ndim}")
    i, j = (one_axis(d, x.ndim) for d in dims)
    require(i != j, f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    if k % 2 == 0:
        return flip(x, (i, j) if k % 4 else ())
    return swapaxes(flip(x, j if k % 4 == 1 else i), i, j)


def repeat(x, *sizes):
    """x side by side with itself, so many times along each axis."""
    sizes = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
    enough = len(sizes) >= x.ndim
    require(enough, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(sizes) - x.ndim) + tuple(x.shape)
    spaced = reshape(x, tuple(m for n in shape for m in (1, n)))
    whole = expand(spaced, tuple(m for k, n in zip(sizes, shape, strict=True) for m in (k, n)))
    return reshape(whole, tuple(k * n for k, n in zip(sizes, shape, strict=True)))


def tile(x, *dims):
    """`repeat`, with 1 for the axes that are not mentioned."""
    dims = tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], tuple | list) else dims
    return repeat(x, (1,) * (x.ndim - len(dims)) + dims)


def repeat_interleave(x, repeats, dim=None):
    """Every slice along `dim` repeated so many times; without `dim`, every number of x in one row."""
    x, d = (flatten(x), 0) if dim is None else (x, one_axis(dim, x.ndim))
    return index_select(x, d, np.repeat(np.arange(x.shape[d]) if x.ndim else np.arange(1), plain(repeats)))


def unfold(x, dimension, size, step):
    """All windows of `size` numbers along an axis, `step` apart, as a new last axis."""
    d = one_axis(dimension, x.ndim)
    if x.ndim == 0:
        return reshape(x, (1,))[:size]
    require(size <= x.shape[d], f"maximum size for tensor at dimension {d} is {x.shape[d]} but size is {size}")
    windows = np.arange(0, x.shape[d] - size + 1, step)[:, None] + np.arange(size)
    return movedim(row.index(x, index=(*(slice(None),) * d, windows)), d + 1, -1)


def tril(x, diagonal=0):
    """The lower triangle, with 0 above the given diagonal."""
    require(x.ndim >= 2, "tril: input tensor must have at least 2 dimensions")
    return tril_all(x, k=diagonal)


def triu(x, diagonal=0):
    """The upper triangle, with 0 below the given diagonal."""
    require(x.ndim >= 2, "triu: input tensor must have at least 2 dimensions")
    return triu_all(x, k=diagonal)


def corner(n, offset):
    """The rows and columns of a diagonal of n numbers."""
    i = np.arange(n)
    return i - min(offset, 0), i + max(offset, 0)


def plane(ndim, dim1, dim2):
    i, j = one_axis(dim1, ndim), one_axis(dim2, ndim)
    require(i != j, f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return i, j


def diagonal(x, offset=0, dim1=0, dim2=1):
    """The numbers on a diagonal of the plane of two axes, as a new last axis."""
    x = movedim(x, plane(x.ndim, dim1, dim2), (-2, -1))
    n = max(0, min(x.shape[-2] + min(offset, 0), x.shape[-1] - max(offset, 0)))
    return row.index(x, index=(..., *corner(n, offset)))


along_diagonal = diagonal


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last axis of x on a diagonal, and 0 elsewhere."""
    size = x.shape[-1] + abs(offset)
    z = rules.scatter(x, index=(..., *corner(x.shape[-1], offset)), shape=(*x.shape[:-1], size, size))
    return movedim(z, (-2, -1), plane(z.ndim, dim1, dim2))


def diag(x, diagonal=0):
    """The matrix with x on its diagonal; of a matrix, its diagonal."""
    require(x.ndim in (1, 2), f"diag(): Supports 1D or 2D tensors. Got {x.ndim}D")
    return diag_embed(x, diagonal) if x.ndim == 1 else along_diagonal(x, diagonal)


def diagflat(x, offset=0):
    """The matrix with all numbers of x on its diagonal."""
    return diag_embed(flatten(x), offset)


def diagonal_scatter(x, src, offset=0, dim1=0, dim2=1):
    """x with `src` on the diagonal of the plane of two axes."""
    axes = plane(x.ndim, dim1, dim2)
    y = movedim(x, axes, (-2, -1))
    return movedim(part_replaced(y, src, (..., *corner(src.shape[-1], offset))), (-2, -1), axes)


def trace(x):
    """The sum of a matrix's diagonal."""
    require(x.ndim == 2, f"trace: expected a matrix, but got tensor with dim {x.ndim}")
    return sum(diagonal(x))


def several(tensors):
    return list(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else list(tensors)


def lifted(lift):
    """`atleast_nd` for one tensor or for many."""

    def function(*tensors):
        found = [lift(x) for x in several(tensors)]
        return found[0] if len(tensors) == 1 and not isinstance(tensors[0], tuple | list) else tuple(found)

    function.__name__ = function.__qualname__ = lift.__name__
    function.__module__, function.__doc__ = __name__, lift.__doc__
    return function


@lifted
def atleast_1d(x):
    """x as a vector, if it is a single number."""
    return reshape(x, (1,)) if x.ndim == 0 else x


@lifted
def atleast_2d(x):
    """x as a row of a matrix, if it is a vector."""
    return reshape(x, (1, -1)) if x.ndim < 2 else x


@lifted
def atleast_3d(x):
    """x as one page of matrices, if it is a matrix."""
    return reshape(x, (1, -1, 1)) if x.ndim < 2 else unsqueeze(x, -1) if x.ndim == 2 else x


def side_by_side(tensors, lift, d, name):
    require(len(tensors), f"{name} expects a non-empty TensorList")
    return cat([lift(x) for x in tensors], d)


def hstack(tensors):
    """The tensors one beside the other: along the second axis, vectors along the first."""
    return side_by_side(tensors, atleast_1d, 1 if len(tensors) and tensors[0].ndim > 1 else 0, "hstack")


def vstack(tensors):
    """The tensors one below the other; vectors are rows."""
    return side_by_side(tensors, atleast_2d, 0, "vstack")


def dstack(tensors):
    """The tensors one behind the other, along the third axis."""
    return side_by_side(tensors, atleast_3d, 2, "dstack")


def column_stack(tensors):
    """The tensors one beside the other; vectors are columns."""
    return cat([reshape(x, (-1, 1)) if x.ndim < 2 else x for x in tensors], 1)


def block_diag(*tensors):
    """The matrix with the given matrices along its diagonal."""
    tensors = [atleast_2d(x) for x in tensors]
    wide = builtins.sum(x.shape[1] for x in tensors)
    rows, left = [], 0
    for x in tensors:
        sides = [np.zeros((x.shape[0], n), x.dtype) for n in (left, wide - left - x.shape[1])]
        rows.append(cat([sides[0], x, sides[1]], 1))
        left += x.shape[1]
    return cat(rows, 0)


def meshgrid(*tensors, indexing="ij"):
    """The coordinates of all points of a grid: the i-th result varies along axis i ("xy": the first two exchanged)."""
    known = indexing in ("ij", "xy")
    require(known, f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    tensors = [atleast_1d(x) for x in several(tensors)]
    shape = tuple(len(x) for x in tensors)
    full = tuple(
        expand(reshape(x, tuple(-1 if i == j else 1 for j in range(len(shape)))), shape) for i, x in enumerate(tensors)
    )
    return full if indexing == "ij" or len(full) < 2 else tuple(swapaxes(x, 0, 1) for x in full)


def cartesian_prod(*tensors):
    """All ways to take one number of each vector, as rows."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(x) for x in meshgrid(*tensors)], 1)


# ---- products


def bmm(a, b):
    """The matrix products of two stacks of matrices."""
    require(a.ndim == b.ndim == 3, f"{'batch1' if a.ndim != 3 else 'batch2'} must be a 3D tensor")
    return matmul(a, b)


def addmm(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha a @ b."""
    return x * beta + matmul(a, b) * alpha


def addmv(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha a @ b, for a vector b."""
    return x * beta + matmul(a, b) * alpha


def baddbmm(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha a @ b, for stacks of matrices."""
    return x * beta + bmm(a, b) * alpha


def addbmm(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha times the sum of the matrix products of two stacks."""
    return x * beta + sum(bmm(a, b), 0) * alpha


def addr(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha times the outer product of two vectors."""
    return x * beta + outer(a, b) * alpha


def vdot(a, b):
    """The inner product of two vectors."""
    return functions.dot(a, b)


def inner(a, b):
    """The sums of products along the last axes of both."""
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def tensordot(a, b, dims=2):
    """The sums of products over some axes: the last `dims` of a with the first of b, or the two lists of axes given."""
    dims = plain(dims).tolist() if isinstance(dims, Box) else dims
    if isinstance(dims, int):
        dims = (list(range(a.ndim - dims, a.ndim)), list(range(dims)))
    of_a, of_b = (
        [one_axis(d, x.ndim) for d in (ds if isinstance(ds, list | tuple) else [ds])]
        for ds, x in zip(dims, (a, b), strict=True)
    )
    for i, j in zip(of_a, of_b, strict=True):
        if a.shape[i] == 1 != b.shape[j]:
            b = sum(b, j, True)
        elif b.shape[j] == 1 != a.shape[i]:
            a = sum(a, i, True)
    free_a = [i for i in range(a.ndim) if i not in of_a]
    free_b = [i for i in range(b.ndim) if i not in of_b]
    n = math.prod(a.shape[i] for i in of_a)
    left = reshape(permute(a, free_a + of_a), (math.prod(a.shape[i] for i in free_a), n))
    right = reshape(permute(b, of_b + free_b), (n, math.prod(b.shape[i] for i in free_b)))
    return reshape(matmul(left, right), (*(a.shape[i] for i in free_a), *(b.shape[i] for i in free_b)))


def einsum(equation, *operands):
    """Einstein's sums: "ij,jk->ik" is the matrix product, sum_j a_ij b_jk.

    Computed as it is defined: products of all operands, then sums over the letters that are
    not in the result. "..." stands for axes that broadcast.
    """
    operands = several(operands)
    terms, arrow, result = equation.replace(" ", "").partition("->")
    terms = terms.split(",")
    room = max((x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True) if "..." in term), default=0)
    extra = [chr(i) for i in range(256, 256 + room)]  # letters nobody writes, for the axes of "..."
    names = []
    for term, x in zip(terms, operands, strict=True):
        missing = x.ndim - len(term.replace("...", ""))
        before, dots, after = term.partition("...")
        names.append([*before, *(extra[room - missing :] if dots else []), *after])
    letters = [c for name in names for c in name]
    if arrow:
        before, _, after = result.partition("...")
        kept = [*before, *(extra if "..." in result else []), *after]
    else:
        kept = extra + sorted({c for c in letters if letters.count(c) == 1} - set(extra))
    order = kept + sorted(set(letters) - set(kept))
    product = None
    for name, x in zip(names, operands, strict=True):
        for c in sorted({c for c in name if name.count(c) > 1}):
            while name.count(c) > 1:
                i, j = [k for k, other in enumerate(name) if other == c][:2]
                x, name = diagonal(x, 0, i, j), [d for k, d in enumerate(name) if k not in (i, j)] + [c]
        x = permute(x, [name.index(c) for c in order if c in name])
        x = reshape(x, tuple(x.shape[[c for c in order if c in name].index(c)] if c in name else 1 for c in order))
        product = x if product is None else product * x
    summed = tuple(range(len(kept), len(order)))
    return sum(product, summed) if summed else product


def kron(a, b):
    """The Kronecker product: every number of a times all of b."""
    n = max(a.ndim, b.ndim)
    p, q = ((1,) * (n - x.ndim) + tuple(x.shape) for x in (a, b))
    product = reshape(a, tuple(m for i in p for m in (i, 1))) * reshape(b, tuple(m for i in q for m in (1, i)))
    return reshape(product, tuple(i * j for i, j in zip(p, q, strict=True)))


def cross(a, b, dim=None):
    """The vector product along an axis of length 3 (by default the first such)."""
    if dim is None:
        dim = next((i for i, n in enumerate(a.shape) if n == 3), None)
        require(dim is not None, "no dimension of size 3 in input")
    require(a.ndim == b.ndim, "linalg.cross: inputs must have the same number of dimensions.")
    lengths = [x.shape[one_axis(dim, x.ndim)] for x in (a, b)]
    require(lengths == [3, 3], f"linalg.cross: inputs dimension {dim} must have length 3. Got {lengths[0]} and {lengths[1]}")
    a, b = broadcast_tensors(a, b)
    return roll(a, -1, dim) * roll(b, -2, dim) - roll(a, -2, dim) * roll(b, -1, dim)


# ---- making tensors


def full(size, fill_value, *, dtype=None, requires_grad=False):
    """A Tensor of one number everywhere."""
    return tensor_of(np.full(size, plain(fill_value), dtype)).requires_grad_(requires_grad)


def full_like(x, fill_value, *, dtype=None, requires_grad=False):
    """A Tensor of one number everywhere, of the shape and dtype of x."""
    return full(tuple(x.shape), fill_value, dtype=dtype or x.dtype, requires_grad=requires_grad)


def arange(start, end=None, step=1, *, dtype=None, requires_grad=False):
    """The numbers from `start` (or 0) to `end` in steps, as Python's `range`, as a Tensor."""
    start, end = (0, start) if end is None else (start, end)
    return tensor_of(np.arange(start, end, step, dtype=dtype)).requires_grad_(requires_grad)


def linspace(start, end, steps, *, dtype=None, requires_grad=False):
    """So many numbers from `start` to `end`, equally spaced, as a Tensor."""
    return tensor_of(np.linspace(float(start), float(end), steps, dtype=dtype)).requires_grad_(requires_grad)


def eye(n, m=None, *, dtype=None, requires_grad=False):
    """The identity matrix, as a Tensor."""
    return tensor_of(np.eye(n, m, dtype=dtype or float)).requires_grad_(requires_grad)


arctan2, fix, true_divide, divide, swapdims, moveaxis = atan2, trunc, div, div, swapaxes, movedim

# What is a method of a Tensor, too.
METHODS = """
    add sub div floor_divide float_power ldexp lerp addcmul addcdiv atan2 arctan2 xlogy hypot logaddexp logaddexp2 fmax fmin fmod
    remainder copysign clamp_min clamp_max round trunc fix frac sinc logit positive deg2rad rad2deg nan_to_num
    isnan isinf isfinite isposinf isneginf signbit heaviside logical_not logical_and logical_or logical_xor any all
    count_nonzero isclose allclose equal nansum nanmean aminmax dist cumprod diff sort argsort msort topk kthvalue
    cummax cummin gather take_along_dim index_select take masked_select masked_fill scatter scatter_add index_add
    index_copy index_fill index_put select select_scatter slice_scatter diagonal_scatter narrow split split_with_sizes
    chunk tensor_split hsplit vsplit dsplit unbind unflatten view_as reshape_as expand_as sum_to_size roll fliplr flipud
    rot90 repeat tile repeat_interleave unfold tril triu diagonal diag diag_embed diagflat trace bmm addmm addmv
    baddbmm addbmm addr vdot inner kron cross
""".split()

__all__ = [
    *METHODS,
    *"""
    rsub broadcast_tensors atleast_1d atleast_2d atleast_3d hstack vstack dstack column_stack block_diag meshgrid
    cartesian_prod tensordot einsum trapezoid var_mean std_mean true_divide divide swapdims moveaxis
    full full_like arange linspace eye
    """.split(),
]

# The functions of chainrule.special, which is imported, with SciPy, when one of them is first used.
SPECIAL = """
    erf erfc erfcx erfinv ndtr log_ndtr ndtri lgamma digamma polygamma multigammaln mvlgamma gammaln i0 i0e i1 i1e entr
    xlog1py
""".split()
