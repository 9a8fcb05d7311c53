"""More functions of numbers: what PyTorch's own test cases ask for beyond the table of the course.

The same kinds of rows as in `chainrule.rules`, and functions made of others, which need no
rule of their own. Names and meanings are PyTorch's. `METHODS` at the end says which of them
are methods of a Tensor, too.
"""

import math

import numpy as np

from .. import functions, rules

from ..functions import (  # isort: skip
    astype, called, cat, clamp, clone, flip, getitem, mean, movedim, norm, one_axis, plain, positions, prod, public,
    sigmoid, std, sum, var, where,
)  # fmt: skip
from ..functions import round as nearest
from ..op import Box, Op, custom, elementwise
from ..rules import choose
from ..tape import binary, tensor_of, unary


def require(holds, message, error=RuntimeError):
    """Raise `error` unless the condition holds."""
    if not holds:
        raise error(message)


def made(op, doc):
    """A row of the table below as a public function."""
    name, names = op.name.lower(), ", ".join(op.inputs)
    example = f"""
    >>> import chainrule as cr
    >>> {names} = {", ".join(["cr.tensor([0.5, 2.0])", "cr.tensor([3.0, 0.75])"][: len(op.inputs)])}
    >>> cr.crosscheck(lambda {names}: {op.inputs[0]}.{name}({", ".join(op.inputs[1:])}), {names}).agree
    True
    """
    return public(op, name, f"{doc}\n{example}", __name__)


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
copysign = made(elementwise("Copysign", np.copysign, lambda t, y, a: t * turned(y, a), lambda t: np.zeros_like(t)),
                "|a| with the sign of b; the derivatives are 1 or -1 (0 at a = 0), and 0.")
whole_quotient = binary(elementwise("Div", np.floor_divide, lambda t: np.zeros_like(t), lambda t: np.zeros_like(t)))
truncated_quotient = binary(elementwise("Div", lambda a, b: whole_part(a / b, a, b), lambda t: np.zeros_like(t), lambda t: np.zeros_like(t)))
xlogy = made(elementwise("Xlogy", lambda a, b: a_log_b(a, b), lambda t, a, b: times_log(t, a, b), lambda t, a, b: t * a / b),
             "a log(b), 0 where a is 0; the derivatives are log(b) (0 where a = 0 and b <= 0) and a / b.")

# ---- one number
trunc = made(elementwise("Trunc", np.trunc, lambda t: np.zeros_like(t)), "The whole part: x rounded towards 0; its derivative is 0.")
frac = made(elementwise("Frac", lambda x: x - np.trunc(x), lambda t: t), "x without its whole part; its derivative is 1.")
sinc = made(elementwise("Sinc", np.sinc, lambda t, x: t * sinc_slope(x)),
            "sin(pi x) / (pi x), and 1 at 0; its derivative is (cos(pi x) - y) / x, where y is the value.")

logit_all = unary(elementwise("Logit", lambda x: np.log(x / (1 - x)), lambda t, x: t / logit_width(x)))

# ---- running products of numbers that are not 0
cumprod_all = unary(custom("Cumprod", lambda x, axis: np.cumprod(x, axis),
                                      lambda t, x, y, axis: flip(rules.cumsum(flip(t * y, axis), axis=axis), axis) / x,
                              pushes=[lambda t, x, y, axis: rules.cumsum(t / x, axis=axis) * y]))
# fmt: on


def whole_part(quotient, *operands):
    """A quotient rounded towards 0, in the dtype of its operands."""
    return np.trunc(quotient).astype(np.result_type(*operands))


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


def times_log(t, a, b):
    """t log(b), and 0 where a is 0 and b not positive; of t = 0, too, it is 0."""
    none = (a == 0) & (b <= 0)
    return choose(none, 0, xlogy(t, choose(none, 1, b)))


def a_log_b(a, b):
    a, b = (np.asarray(x, np.result_type(a, b)) for x in (a, b))
    zero = (a == 0) & (b == b)
    return np.where(zero, 0, a * np.log(np.where(zero, 1, b)))[()]


def sinc_slope(x):
    zero = x == 0
    slope, x = x * (np.pi**2 / -3), choose(zero, 1, x)
    return choose(zero, slope, (np.cos(x * np.pi) - np.sin(x * np.pi) / (x * np.pi)) / x)


# ---- arithmetic with PyTorch's options


def add(a, b, *, alpha=1):
    """a + alpha b, with broadcasting; the derivatives are 1 and alpha.

    >>> import chainrule as cr
    >>> cr.add(cr.tensor([1.0, 2.0]), 1.0, alpha=10)
    tensor([11., 12.])
    """
    return functions.add(a, b if alpha == 1 else b * alpha)


def sub(a, b, *, alpha=1):
    """a - alpha b, with broadcasting; the derivatives are 1 and -alpha.

    >>> import chainrule as cr
    >>> cr.sub(cr.tensor([1.0, 2.0]), 1.0, alpha=10)
    tensor([-9., -8.])
    """
    return functions.sub(a, b if alpha == 1 else b * alpha)


def div(a, b, *, rounding_mode=None):
    """a / b, with broadcasting; the derivatives are 1/b and -a/b^2, or 0 once the quotient is rounded.

    rounding_mode  None, "trunc" (towards 0) or "floor" (down)

    >>> import chainrule as cr
    >>> cr.div(cr.tensor([-7.0, 7.0]), 2.0, rounding_mode="floor")
    tensor([-4.,  3.])
    """
    known = rounding_mode in (None, "trunc", "floor")
    require(known, f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")
    if rounding_mode == "floor":
        return whole_quotient(a, b)
    return functions.div(a, b) if rounding_mode is None else truncated_quotient(a, b)


def lerp(a, b, weight):
    """On the way from a to b: a + weight (b - a).

    >>> import chainrule as cr
    >>> cr.lerp(cr.tensor([0.0, 10.0]), cr.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    return a + weight * (b - a)


def addcmul(x, a, b, *, value=1):
    """x + value a b, number by number.

    >>> import chainrule as cr
    >>> cr.addcmul(cr.tensor([1.0, 1.0]), cr.tensor([2.0, 3.0]), cr.tensor([4.0, 5.0]), value=10)
    tensor([ 81., 151.])
    """
    return x + value * a * b


def addcdiv(x, a, b, *, value=1):
    """x + value a / b, number by number.

    >>> import chainrule as cr
    >>> cr.addcdiv(cr.tensor([1.0, 1.0]), cr.tensor([2.0, 3.0]), cr.tensor([4.0, 6.0]))
    tensor([1.5000, 1.5000])
    """
    return x + value * a / b


def clamp_min(x, min):
    """`clamp` from below.

    >>> import chainrule as cr
    >>> cr.clamp_min(cr.tensor([-1.0, 2.0]), 0.0)
    tensor([0., 2.])
    """
    return clamp(x, min=min)


def clamp_max(x, max):
    """`clamp` from above.

    >>> import chainrule as cr
    >>> cr.clamp_max(cr.tensor([-1.0, 2.0]), 0.0)
    tensor([-1.,  0.])
    """
    return clamp(x, max=max)


def round(x, *, decimals=0):
    """The nearest number with so many decimals, halves to even; the derivative is 0.

    >>> import chainrule as cr
    >>> cr.round(cr.tensor([0.5, 1.5, 2.25]), decimals=1)
    tensor([0.5000, 1.5000, 2.2000])
    """
    return nearest(x) if decimals == 0 else nearest(x * 10.0**decimals) / 10.0**decimals


def logit(x, eps=None):
    """log(x / (1 - x)), the inverse of `sigmoid`; x is first clamped to [eps, 1 - eps], if eps is given.

    >>> import chainrule as cr
    >>> cr.logit(cr.sigmoid(cr.tensor([-1.0, 3.0])))
    tensor([-1.0000,  3.0000])
    """
    return logit_all(x if eps is None else clamp(x, eps, 1 - eps))


def deg2rad(x):
    """Degrees in radians: x pi / 180.

    >>> import chainrule as cr
    >>> cr.deg2rad(cr.tensor(180.0))
    tensor(3.1416)
    """
    return x * (math.pi / 180)


def rad2deg(x):
    """Radians in degrees: x 180 / pi.

    >>> import chainrule as cr
    >>> cr.rad2deg(cr.deg2rad(cr.tensor(90.0)))
    tensor(90.)
    """
    return x * (180 / math.pi)


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with other numbers in the place of nan, inf and -inf (by default the largest there are); there, no derivative.

    >>> import chainrule as cr
    >>> cr.nan_to_num(cr.tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    tensor([1., 0., 9.])
    """
    if x.dtype.kind != "f":
        return clone(x)
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


def flat(value, doc, example):
    """A function through which no derivative flows; `example` is what it is given and what it gives, as texts."""
    name, inputs = value.__name__, ("x",) if value.nin == 1 else ("a", "b")
    return public(Op(name.title(), "constant", value, inputs, ()), name, without_slope(name, doc, *example), __name__)


def without_slope(name, doc, given, found):
    return f"""{doc} No derivative flows.

    >>> import chainrule as cr
    >>> cr.{name}({given})
    {found}
    """


close = Op("Isclose", "constant", np.isclose, ("a", "b"), ())

ODD = 'cr.tensor([1.0, float("inf"), float("nan")])'
PAIR = "cr.tensor([1.0, 1.0, 0.0]), cr.tensor([2.0, 0.0, 0.0])"
isnan = flat(np.isnan, "Where x is nan.", (ODD, "tensor([False, False,  True])"))
isinf = flat(np.isinf, "Where x is inf or -inf.", (ODD, "tensor([False,  True, False])"))
isfinite = flat(np.isfinite, "Where x is neither inf nor nan.", (ODD, "tensor([ True, False, False])"))
logical_not = flat(np.logical_not, "Where x is 0.", ("cr.tensor([0, 2])", "tensor([ True, False])"))
logical_and = flat(np.logical_and, "Where neither a nor b is 0.", (PAIR, "tensor([ True, False, False])"))
logical_or = flat(np.logical_or, "Where a or b is not 0.", (PAIR, "tensor([ True,  True, False])"))


def truth(function, name, doc, found):
    """`any` or `all`, in PyTorch's and NumPy's spelling."""

    def reduce(x, dim=None, keepdim=False, *, axis=None, keepdims=False):
        return positions(x, function(plain(x), axis=functions.axes(x, dim, axis), keepdims=keepdim or keepdims))

    return called(reduce, name, without_slope(name, doc, "cr.tensor([[0.0, 1.0], [2.0, 3.0]]), dim=0", found), __name__)


any = truth(np.any, "any", "Whether any number is not 0, of all or along `dim`.", "tensor([True, True])")
all = truth(np.all, "all", "Whether no number is 0, of all or along `dim`.", "tensor([False,  True])")


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where |a - b| <= atol + rtol |b|. No derivative flows.

    >>> import chainrule as cr
    >>> cr.isclose(cr.tensor([1.0, 1.0]), cr.tensor([1.0 + 1e-9, 1.1]))
    tensor([ True, False])
    """
    return close(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether `isclose` holds everywhere: True or False.

    >>> import chainrule as cr
    >>> cr.allclose(cr.tensor([1.0, 1.0]), cr.tensor([1.0 + 1e-9, 1.1]))
    False
    """
    return bool(np.allclose(plain(a), plain(b), rtol, atol, equal_nan))


def equal(a, b):
    """Whether a and b have the same shape and numbers: True or False.

    >>> import chainrule as cr
    >>> cr.equal(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 2.0]))
    True
    """
    return np.array_equal(plain(a), plain(b))


# ---- reductions and running values


def nansum(x, dim=None, keepdim=False, *, dtype=None):
    """The sum of what is not nan.

    >>> import chainrule as cr
    >>> cr.nansum(cr.tensor([1.0, float("nan"), 3.0]))
    tensor(4.)
    """
    return sum(where(x != x, 0, x), dim, keepdim, dtype=dtype)


def nanmean(x, dim=None, keepdim=False, *, dtype=None):
    """The mean of what is not nan.

    >>> import chainrule as cr
    >>> cr.nanmean(cr.tensor([1.0, float("nan"), 3.0]))
    tensor(2.)
    """
    there = astype(x == x, dtype or x.dtype)
    return nansum(x, dim, keepdim, dtype=dtype) / sum(there, dim, keepdim)


def var_mean(x, dim=None, correction=1, keepdim=False, *, unbiased=None):
    """The pair (var, mean).

    >>> import chainrule as cr
    >>> cr.var_mean(cr.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return var(x, dim, correction, keepdim, unbiased=unbiased), mean(x, None if isinstance(dim, bool) else dim, keepdim)


def std_mean(x, dim=None, correction=1, keepdim=False, *, unbiased=None):
    """The pair (std, mean).

    >>> import chainrule as cr
    >>> cr.std_mean(cr.tensor([1.0, 2.0, 3.0]))
    (tensor(1.), tensor(2.))
    """
    return std(x, dim, correction, keepdim, unbiased=unbiased), mean(x, None if isinstance(dim, bool) else dim, keepdim)


def dist(a, b, p=2):
    """The p-norm of a - b.

    >>> import chainrule as cr
    >>> cr.dist(cr.tensor([0.0, 0.0]), cr.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return norm(a - b, p)


def cumprod(x, dim, *, dtype=None):
    """The running product along `dim`. Its derivative is right where factors are 0, too.

    Where there are zeros, the derivative is that of n separate products, at the cost of n^2.

    >>> import chainrule as cr
    >>> cr.cumprod(cr.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    x = x if dtype is None else astype(x, dtype)
    d = one_axis(dim, x.ndim)
    if x.ndim == 0:
        return x * 1
    if not (x == 0).any():
        return cumprod_all(x, axis=d)
    factors = movedim(x, d, -1)[..., None, :]
    return movedim(prod(where(np.tri(x.shape[d], dtype=bool), factors, 1), -1), -1, d)


def slices(x, d, *bounds):
    """The slices x[start:end:step] along axis d."""
    return getitem(x, (*(slice(None),) * d, slice(*bounds)))


def diff(x, n=1, dim=-1, prepend=None, append=None):
    """The differences of neighbours along `dim`, n times over, with what is put before and after x.

    >>> import chainrule as cr
    >>> cr.diff(cr.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    require(n >= 0, f"order must be non-negative but got {n}")
    d = one_axis(dim, x.ndim)
    require(x.ndim, "diff expects input to be at least one-dimensional")
    if n and not (prepend is append is None):
        x = cat([part for part in (prepend, x, append) if part is not None], d)
    for _ in range(n):
        x = slices(x, d, 1, None) - slices(x, d, None, -1) if x.shape[d] != 0 else x
    return x if n else x * 1


# ---- making tensors


def full(size, fill_value, *, dtype=None, requires_grad=False):
    """A Tensor of one number everywhere. Raises TypeError for a Tensor that a derivative is taken by.

    >>> import chainrule as cr
    >>> cr.full((2, 2), 7.0)
    tensor([[7., 7.],
            [7., 7.]])
    """
    require(
        not isinstance(fill_value, Box) or (fill_value.level == 0 and not fill_value.requires_grad),
        "full(): argument 'fill_value' (position 2) must be Number, not Tensor: use expand(), which has a derivative",
        TypeError,
    )
    return tensor_of(np.full(size, plain(fill_value), dtype)).requires_grad_(requires_grad)


def full_like(x, fill_value, *, dtype=None, requires_grad=False):
    """A Tensor of one number everywhere, of the shape and dtype of x.

    >>> import chainrule as cr
    >>> cr.full_like(cr.ones(2), 7.0)
    tensor([7., 7.])
    """
    return full(tuple(x.shape), fill_value, dtype=dtype or x.dtype, requires_grad=requires_grad)


def arange(start, end=None, step=1, *, dtype=None, requires_grad=False):
    """The numbers from `start` (or 0) to `end` in steps, as Python's `range`, as a Tensor.

    >>> import chainrule as cr
    >>> cr.arange(0, 1, 0.25)
    tensor([0.0000, 0.2500, 0.5000, 0.7500])
    """
    parts = (0, start, step) if end is None else (start, end, step)
    start, end, step = (x.item() if isinstance(x, Box) else x for x in parts)
    return tensor_of(np.arange(start, end, step, dtype=dtype)).requires_grad_(requires_grad)


def linspace(start, end, steps, *, dtype=None, requires_grad=False):
    """So many numbers from `start` to `end`, equally spaced, as a Tensor.

    >>> import chainrule as cr
    >>> cr.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    return tensor_of(np.linspace(float(start), float(end), steps, dtype=dtype)).requires_grad_(requires_grad)


def eye(n, m=None, *, dtype=None, requires_grad=False):
    """The identity matrix, as a Tensor.

    >>> import chainrule as cr
    >>> cr.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return tensor_of(np.eye(n, m, dtype=dtype or float)).requires_grad_(requires_grad)


arctan2, fix, true_divide, divide = atan2, trunc, div, div

# What is a method of a Tensor, too.
METHODS = """
    add sub div true_divide divide lerp addcmul addcdiv atan2 arctan2 xlogy hypot logaddexp fmax fmin fmod remainder
    copysign clamp_min clamp_max round trunc fix frac sinc logit deg2rad rad2deg nan_to_num isnan isinf isfinite
    logical_not logical_and logical_or any all isclose allclose equal nansum nanmean dist cumprod diff
""".split()

__all__ = [*METHODS, "arange", "eye", "full", "full_like", "linspace", "std_mean", "var_mean"]

# The functions of chainrule.library.special, which is imported, with SciPy, when one of them is first used.
SPECIAL = """
    erf erfc erfcx erfinv ndtr log_ndtr ndtri lgamma digamma polygamma multigammaln mvlgamma gammaln i0 i0e i1 i1e entr
    xlog1py
""".split()
