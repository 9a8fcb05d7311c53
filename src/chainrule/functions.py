"""The functions of the public face: `cr.log(x)`, and `x.log()` is the same function.

PyTorch's names and meanings; where NumPy spells a thing differently (`axis`, `keepdims`,
`concatenate`, `clip`) its spelling works as well. Everything is made of the operations in
`chainrule.rules`, so that arrays, Tensors and Duals can all be given.
"""

import math
import operator
import warnings
from collections import namedtuple
from types import SimpleNamespace

import numpy as np

from . import errors, rules
from .op import Box, Op
from .tape import binary, tensor_of, unary
from .values import is_basic

__all__ = """
    abs acos acosh add amax amin argmax argmin asin asinh astype atan atanh broadcast_to cat ceil clamp clip clone
    concat concatenate cos cosh cumsum div dot eq exp exp2 expand expm1 flatten flip floor ge gt le log log1p log2
    log10 log_softmax logsumexp lt matmul max maximum mean min minimum mm movedim mul mv ne neg norm outer permute
    pow prod ravel reciprocal relu reshape round rsqrt sigmoid sign sin sinh softmax softplus sqrt square squeeze
    stack std sub sum swapaxes t tan tanh transpose unsqueeze var view where
""".split()

# The rows of the table with one input, as functions that record on the shortest way.
row = SimpleNamespace(
    **{name: unary(op) for name, op in vars(rules).items() if isinstance(op, Op) and op.inputs == ("x",)}
)

MaxResult = namedtuple("max", ["values", "indices"])
MinResult = namedtuple("min", ["values", "indices"])


def called(function, name, doc, module=__name__):
    """`function` under a name of the public face, with a docstring."""
    function.__name__ = function.__qualname__ = name
    function.__module__, function.__doc__ = module, doc
    return function


def public(op, name, doc, module=__name__):
    """A function of the public face made from a row of the table."""
    return called((unary if len(op.inputs) == 1 else binary)(op), name, doc, module)


def of_one(name, formula, slope, where="", at=1.0):
    """An elementwise function of one input, with a docstring made from its formula."""
    domain = f" Real for {where}; nan elsewhere, with NumPy's warning." if where else ""
    doc = f"""{formula}, number by number; its derivative is {slope}.{domain}

    x  a Tensor (or array, or Dual) of any shape
    Returns the same kind of object, of the same shape and floating dtype.

    >>> import chainrule as cr
    >>> x = cr.tensor({at}, requires_grad=True)
    >>> cr.crosscheck(lambda x: x.{name}(), x).agree
    True
    """
    return public(getattr(rules, name), name, doc)


exp = of_one("exp", "e^x", "e^x")
exp2 = of_one("exp2", "2^x", "2^x log 2")
expm1 = of_one("expm1", "e^x - 1, accurate near 0", "e^x")
log = of_one("log", "The natural logarithm", "1/x", "x > 0")
log2 = of_one("log2", "The logarithm to base 2", "1 / (x log 2)", "x > 0")
log10 = of_one("log10", "The logarithm to base 10", "1 / (x log 10)", "x > 0")
log1p = of_one("log1p", "log(1 + x), accurate near 0", "1 / (1 + x)", "x > -1")
sqrt = of_one("sqrt", "The square root", "1 / (2 sqrt x), inf at 0", "x >= 0")
reciprocal = of_one("reciprocal", "1/x", "-1/x^2")
sin = of_one("sin", "The sine of x in radians", "cos x")
cos = of_one("cos", "The cosine of x in radians", "-sin x")
tan = of_one("tan", "The tangent of x in radians", "1 + tan^2 x")
asin = of_one("asin", "The angle, in radians, whose sine is x", "1 / sqrt(1 - x^2)", "|x| <= 1", 0.5)
acos = of_one("acos", "The angle, in radians, whose cosine is x", "-1 / sqrt(1 - x^2)", "|x| <= 1", 0.5)
atan = of_one("atan", "The angle, in radians, whose tangent is x", "1 / (1 + x^2)")
sinh = of_one("sinh", "The hyperbolic sine", "cosh x")
cosh = of_one("cosh", "The hyperbolic cosine", "sinh x")
tanh = of_one("tanh", "The hyperbolic tangent", "1 - tanh^2 x")
asinh = of_one("asinh", "The inverse of sinh", "1 / sqrt(x^2 + 1)")
acosh = of_one("acosh", "The inverse of cosh", "1 / sqrt(x^2 - 1)", "x >= 1", 2.0)
atanh = of_one("atanh", "The inverse of tanh", "1 / (1 - x^2)", "|x| < 1", 0.5)
sigmoid = of_one("sigmoid", "1 / (1 + e^-x)", "s (1 - s), where s is the value")
relu = of_one("relu", "max(x, 0)", "1 for x > 0, else 0, also at the kink")
abs = of_one("abs", "|x|", "the sign of x, 0 at the kink")
sign = of_one("sign", "-1, 0 or 1", "0")
floor = of_one("floor", "The largest integer not above x", "0")
ceil = of_one("ceil", "The smallest integer not below x", "0")
round = of_one("round", "The nearest integer, halves to even", "0")


def of_two(name, does):
    """A function of two inputs, number by number, with a docstring made from what it does."""
    doc = f"""{does}

    a, b  Tensors (or arrays, Duals, numbers) whose shapes broadcast
    Returns the same kind of object, in the shape they have in common. Raises RuntimeError for shapes that do not fit.

    >>> import chainrule as cr
    >>> cr.{name}(cr.tensor([1.0, 2.0, 3.0]), 2.0).shape
    (3,)
    """
    return public(getattr(rules, name), name, doc)


add = of_two("add", "a + b; both derivatives are 1.")
sub = of_two("sub", "a - b; the derivatives are 1 and -1.")
mul = of_two("mul", "a * b; the derivatives are b and a.")
div = of_two("div", "a / b; the derivatives are 1/b and -a/b^2.")
pow = of_two("pow", "a to the power b; the derivatives are b a^(b-1) and a^b log a.")
maximum = of_two("maximum", "The larger of a and b; equals share the derivative, half each.")
minimum = of_two("minimum", "The smaller of a and b; equals share the derivative, half each.")
gt = of_two("gt", "a > b, as truth values; no derivative flows.")
ge = of_two("ge", "a >= b, as truth values; no derivative flows.")
lt = of_two("lt", "a < b, as truth values; no derivative flows.")
le = of_two("le", "a <= b, as truth values; no derivative flows.")
eq = of_two("eq", "a == b, as truth values; no derivative flows.")
ne = of_two("ne", "a != b, as truth values; no derivative flows.")
neg = of_one("neg", "-x", "-1")


def square(x):
    """x squared, number by number; its derivative is 2x.

    >>> import chainrule as cr
    >>> cr.grad(cr.square)(3.0)
    tensor(6.)
    """
    return pow(x, 2)


def rsqrt(x):
    """1 / sqrt(x); its derivative is -1 / (2 x sqrt(x)).

    >>> import chainrule as cr
    >>> cr.rsqrt(cr.tensor(4.0))
    tensor(0.5000)
    """
    return reciprocal(sqrt(x))


def softplus(x, beta=1.0, threshold=20.0):
    """log(1 + e^(beta x)) / beta, a smooth relu; x itself where beta x > threshold, as in PyTorch.

    Its derivative is sigmoid(beta x).

    >>> import chainrule as cr
    >>> cr.grad(cr.softplus)(0.0)
    tensor(0.5000)
    """
    scaled = x * beta
    return where(scaled > threshold, x, rules.softplus(where(scaled > threshold, 0.0, scaled)) / beta)


def where(condition, a, b):
    """a where `condition` holds, else b, with broadcasting; the derivative follows the choice.

    The branch not taken gets a cotangent of exactly 0. What it computed before is not
    undone: if its own derivative there is inf, 0 * inf makes nan, as in PyTorch.

    >>> import chainrule as cr
    >>> x = cr.tensor([-1.0, 2.0])
    >>> cr.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    y = choose(condition, a, b)
    return y if isinstance(y, Box) else positions(condition, y[()])


def choose(condition, a, b):
    """`where`, but an array if neither a nor b is a box: what `np.where` is to the rules."""
    condition = plain(condition)
    return rules.where(a, b, condition=condition.boxed if hasattr(condition, "program") else condition)


def plain(x):
    """The array inside any boxes: for conditions and indices, through which nothing flows.

    While `compile` records there is no array yet, but a line of its program, which answers
    NumPy as an array would.
    """
    while isinstance(x, Box):
        if hasattr(x, "array"):
            x = x.array
        elif hasattr(x, "primal"):
            x = x.primal
        else:
            return getattr(x, "line", x)
    return x


def whole(x):
    """`plain(x)` as an array, if it was a number or a list."""
    x = plain(x)
    return x if hasattr(x, "program") else np.asarray(x)


def clamp(x, min=None, max=None):
    """x, kept between `min` and `max`; the derivative is 1 inside and at the bounds, 0 outside.

    A bound is a number, an array, or a Tensor, which then gets the derivative that x loses.
    Raises RuntimeError when both bounds are missing.

    >>> import chainrule as cr
    >>> cr.clamp(cr.tensor([-1.0, 0.5, 2.0]), 0.0, 1.0)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Box) or isinstance(max, Box):
        x = x if min is None else rules.at_least(x, min)
        return x if max is None else rules.at_most(x, max)
    return row.clip(x, low=min, high=max)


def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    """`clamp` under NumPy's name.

    >>> import chainrule as cr
    >>> cr.clip(cr.tensor([-1.0, 0.5, 2.0]), 0.0, 1.0)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return clamp(x, a_min if min is None else min, a_max if max is None else max)


# ---- reductions


def axes(x, dim, axis=None):
    """Which axes are meant: None for all, else a tuple of numbers from 0.

    Raises PyTorch's IndexError for an axis the array has not, RuntimeError for one named twice.

    >>> axes(np.ones((2, 3)), -1)
    (1,)
    """
    if dim is None and axis is None:
        return None
    dim = axis if dim is None else dim
    if isinstance(dim, tuple | list) and not dim:
        return None
    n = ndim(x)
    found = tuple([one_axis(d, n) for d in (dim if isinstance(dim, tuple | list) else (dim,))])
    if len(set(found)) < len(found):
        raise RuntimeError(f"dim {found[0]} appears multiple times in the list of dims")
    return None if n == 0 else found


def ndim(x):
    """The number of axes. (`np.ndim` gives the same, but reaches a box by a long way round.)"""
    return x.ndim if isinstance(x, Box) else np.ndim(x)


def one_axis(d, ndim):
    reach = max_of(ndim, 1)
    if not -reach <= d < reach:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-reach}, {reach - 1}], but got {d})")
    return int(d) % reach


max_of, sum_of = max, sum


def one_by_one(given):
    """Lengths or axes as a tuple, given one by one or as one tuple or list."""
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], tuple | list) else given


def reducer(op, name, doc, of_none=True):
    """A reduction in PyTorch's and NumPy's spelling; `of_none` says whether there is one of no numbers."""
    apply = unary(op)

    def reduce(x, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=False):
        x = x if dtype is None else astype(x, dtype)
        where_to = axes(x, dim, axis)
        if not of_none:
            needs_numbers(x, where_to, name, RuntimeError)
        return apply(x, axis=where_to, keepdims=keepdim or keepdims)

    doc = f"""{doc}

    dim (or axis)           the axes to reduce: an integer, several, or None for all
    keepdim (or keepdims)   keep the reduced axes, at length 1
    dtype                   convert x to this first
    Raises IndexError for an axis that x does not have.

    >>> import chainrule as cr
    >>> cr.{name}(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0).shape
    (2,)
    """
    return called(reduce, name, doc)


sum = reducer(rules.sum, "sum", "The sum; every summand's derivative is 1.")
mean = reducer(rules.mean, "mean", "The mean of n numbers; the derivative by each is 1/n.")
prod = reducer(
    rules.prod, "prod", "The product; each factor's derivative is the product of the others, also if one is 0."
)
logsumexp = reducer(rules.logsumexp, "logsumexp", "log(sum(e^x)) without overflow; its derivative is softmax(x).")


def spread_of(op, name, doc):
    """`var` and `std`, in PyTorch's and NumPy's spelling."""

    def reduce(x, dim=None, correction=1, keepdim=False, *, axis=None, ddof=None, keepdims=False, unbiased=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if isinstance(correction, bool):
            unbiased = correction
        correction = ddof if ddof is not None else unbiased if unbiased is not None else correction
        correction = 1 if correction is None else correction + 0
        return op(x, axis=axes(x, dim, axis), keepdims=keepdim or keepdims, correction=correction)

    return called(reduce, name, doc)


var = spread_of(
    row.var,
    "var",
    """The variance, sum((x - mean)^2) / (n - correction); correction 1 (PyTorch's default) is the sample's.

    `ddof` is NumPy's name for `correction`.

    >>> import chainrule as cr
    >>> cr.var(cr.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.2500)
    """,
)
std = spread_of(
    row.std,
    "std",
    """The standard deviation, the square root of `var`; where it is 0, so is its derivative.

    >>> import chainrule as cr
    >>> cr.std(cr.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """,
)


def norm(x, p=2, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The p-norm of all numbers, or along `dim`; p = 2 is the Euclidean length, with derivative x / |x| (0 at 0).

    p  2 (or None, or "fro"), 1, inf, -inf, 0 or any other number

    >>> import chainrule as cr
    >>> cr.norm(cr.tensor([3.0, 4.0]))
    tensor(5.)
    """
    reduced = axes(x, dim, axis)
    if p in (2, None, "fro"):
        return row.norm(x, axis=reduced, keepdims=keepdim or keepdims) if ndim(x) else row.magnitude(x)
    where_to = {"axis": reduced, "keepdims": keepdim or keepdims}
    if p == "nuc":
        from .library.linalg import matrix_norm

        return matrix_norm(x, p, (-2, -1) if dim is None and axis is None else dim or axis, keepdim or keepdims)
    size = row.abs(x)
    if p == np.inf:
        return row.amax(size, **where_to)
    if p == -np.inf:
        return row.amin(size, **where_to)
    if p == 1:
        return row.sum(size, **where_to)
    if p == 0:
        return row.sum(abs(sign(x)) + (x != x), **where_to)
    zero = size == 0  # where the slopes of |x|^p and of its root are infinite: there the derivative is 0
    total = row.sum(where(zero, 0.0 if p > 0 else np.inf, where(zero, 1.0, size) ** p), **where_to)
    nothing = total == 0
    return where(nothing, 0.0, where(nothing, 1.0, total) ** (1 / p))


def needs_numbers(x, where_to, name, of_all=IndexError):
    """Raise PyTorch's error if there is nothing to choose from."""
    if where_to is None and 0 in np.shape(x):
        hint = "" if of_all is IndexError else " Specify the reduction dim with the 'dim' argument."
        raise of_all(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.{hint}")
    for d in where_to or ():
        if np.shape(x)[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


amax = reducer(rules.amax, "amax", "The largest; equals share the derivative evenly.", of_none=False)
amin = reducer(rules.amin, "amin", "The smallest; equals share the derivative evenly.", of_none=False)


def extreme(x, dim, keepdim, axis, keepdims, of_all, position, Result):
    dim = axis if dim is None else dim
    needs_numbers(x, axes(x, dim), Result.__name__, RuntimeError)
    if dim is None and keepdim:
        raise TypeError(f"{Result.__name__}() received an invalid combination of arguments: keepdim goes with a dim")
    if dim is None:
        return of_all(x, axis=None, keepdims=keepdims)
    d = one_axis(dim, np.ndim(x))
    if np.ndim(x) == 0:
        return Result(clone(x), positions(x, np.int64(0)))
    where_to = np.expand_dims(position(plain(x), d), d)
    grid = list(np.ogrid[tuple(slice(n) for n in x.shape)])
    grid[d] = where_to
    values = row.index(x, index=tuple(grid))
    keep = keepdim or keepdims
    return Result(values if keep else squeeze(values, d), positions(x, where_to if keep else np.squeeze(where_to, d)))


def max(x, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The largest number; with a second Tensor, `maximum`; along `dim`, a pair (values, indices).

    Of all numbers, equals share the derivative evenly. Along `dim` it goes to the first, as
    the indices say. Raises RuntimeError or IndexError where there is nothing to choose from.

    >>> import chainrule as cr
    >>> cr.max(cr.tensor([[1.0, 5.0], [4.0, 3.0]]), dim=1).indices
    tensor([1, 0])
    """
    if isinstance(dim, Box | np.ndarray):
        return maximum(x, dim)
    return extreme(x, dim, keepdim, axis, keepdims, row.largest, np.argmax, MaxResult)


def min(x, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The smallest number; with a second Tensor, `minimum`; along `dim`, a pair (values, indices).

    >>> import chainrule as cr
    >>> cr.min(cr.tensor([[1.0, 5.0], [4.0, 3.0]]), dim=1).values
    tensor([1., 3.])
    """
    if isinstance(dim, Box | np.ndarray):
        return minimum(x, dim)
    return extreme(x, dim, keepdim, axis, keepdims, row.smallest, np.argmin, MinResult)


def positions(x, found):
    """Positions in x, as the kind of object that x is."""
    return (found.boxed if hasattr(found, "program") else tensor_of(found)) if isinstance(x, Box) else found


def argmax(x, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The position of the largest number, in the flattened array or along `dim`. No derivative flows.

    >>> import chainrule as cr
    >>> cr.argmax(cr.tensor([[1.0, 5.0], [4.0, 3.0]]), dim=1)
    tensor([1, 0])
    """
    where_to = axes(x, dim, axis)
    needs_numbers(x, where_to, "argmax")
    return positions(x, np.argmax(plain(x), axis=where_to and where_to[0], keepdims=keepdim or keepdims))


def argmin(x, dim=None, keepdim=False, *, axis=None, keepdims=False):
    """The position of the smallest number, in the flattened array or along `dim`. No derivative flows.

    >>> import chainrule as cr
    >>> cr.argmin(cr.tensor([[1.0, 5.0], [4.0, 3.0]]), dim=1)
    tensor([0, 1])
    """
    where_to = axes(x, dim, axis)
    needs_numbers(x, where_to, "argmin")
    return positions(x, np.argmin(plain(x), axis=where_to and where_to[0], keepdims=keepdim or keepdims))


def softmax(x, dim=None, dtype=None, *, axis=None):
    """e^x / sum(e^x) along `dim`, without overflow; J = diag(y) - y y^T. Raises TypeError without `dim`.

    >>> import chainrule as cr
    >>> cr.softmax(cr.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    x = x if dtype is None else astype(x, dtype)
    return row.softmax(x, axis=needed(x, dim, axis, "softmax"))


def log_softmax(x, dim=None, dtype=None, *, axis=None):
    """log(softmax(x)) along `dim`, without the detour: x - logsumexp(x).

    >>> import chainrule as cr
    >>> cr.log_softmax(cr.tensor([0.0, 0.0]), dim=0).exp()
    tensor([0.5000, 0.5000])
    """
    x = x if dtype is None else astype(x, dtype)
    return row.log_softmax(x, axis=needed(x, dim, axis, "log_softmax"))


def needed(x, dim, axis, name):
    if dim is None and axis is None:
        raise TypeError(
            f'{name}() missing 1 required positional arguments: "dim": say {name}(x, dim=0), or -1 for the last one'
        )
    return axes(x, dim, axis)


def cumsum(x, dim=None, dtype=None, *, axis=None):
    """The running sum along `dim`; the derivative runs the other way.

    >>> import chainrule as cr
    >>> cr.cumsum(cr.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    x = x if dtype is None else astype(x, dtype)
    d = needed(x, dim, axis, "cumsum")
    return x * 1 if d is None else row.cumsum(x, axis=d[0])


# ---- shapes


def reshape(x, *shape):
    """The same numbers in another shape; one length may be -1. Shares memory where it can.

    Raises RuntimeError when the shape does not hold as many numbers as x.

    >>> import chainrule as cr
    >>> cr.reshape(cr.tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    tensor([[1., 2.],
            [3., 4.]])
    """
    shape = one_by_one(shape)
    for i, n in enumerate(shape):
        if n < -1:
            raise RuntimeError(f"invalid shape dimension {n} at index {i} of shape {list(shape)}")
    return row.reshape(x, shape=shape)


def view(x, *shape):
    """`reshape` that never copies: raises RuntimeError where PyTorch does.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0, 3.0, 4.0])
    >>> cr.view(x, 2, 2)[0, 0] = 9.0
    >>> x
    tensor([9., 2., 3., 4.])
    """
    y = reshape(x, *shape)
    array = plain(x)
    if isinstance(array, np.ndarray) and not np.may_share_memory(plain(y), array) and array.size:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans "
            "across two contiguous subspaces). Use .reshape(...) instead."
        )
    return y


def flatten(x, start_dim=0, end_dim=-1):
    """The axes from `start_dim` to `end_dim` made into one.

    >>> import chainrule as cr
    >>> cr.flatten(cr.ones(2, 3, 4), 1).shape
    (2, 12)
    """
    if x.ndim == 0:
        return reshape(x, (1,))
    i, j = one_axis(start_dim, x.ndim), one_axis(end_dim, x.ndim)
    n = math.prod(x.shape[i : j + 1])
    if i > j:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    return reshape(x, (*x.shape[:i], n, *x.shape[j + 1 :]))


def ravel(x):
    """All numbers in one row.

    >>> import chainrule as cr
    >>> cr.ravel(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 2., 3., 4.])
    """
    return reshape(x, (-1,))


def squeeze(x, dim=None, *, axis=None):
    """Without the axes of length 1, or without those of `dim` that have length 1.

    >>> import chainrule as cr
    >>> cr.squeeze(cr.ones(1, 3, 1)).shape
    (3,)
    >>> cr.squeeze(cr.ones(1, 3, 1), 0).shape
    (3, 1)
    """
    dim = axis if dim is None else dim
    chosen = () if dim == () else axes(x, dim)
    ones = tuple(i for i, n in enumerate(x.shape) if n == 1 and (chosen is None or i in chosen))
    return row.squeeze(x, axis=ones)


def unsqueeze(x, dim):
    """With a new axis of length 1 at `dim`.

    >>> import chainrule as cr
    >>> cr.unsqueeze(cr.ones(3), 1).shape
    (3, 1)
    """
    if not -x.ndim - 1 <= dim <= x.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-x.ndim - 1}, {x.ndim}], but got {dim})"
        )
    return row.unsqueeze(x, axis=dim % (x.ndim + 1))


def permute(x, *several, dims=None):
    """The axes in another order, `permute(x, 1, 0)` or `permute(x, (1, 0))`.

    >>> import chainrule as cr
    >>> cr.permute(cr.ones(2, 3, 4), 2, 0, 1).shape
    (4, 2, 3)
    """
    dims = one_by_one(several) if dims is None else tuple(dims)
    if len(dims) != x.ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {x.ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = tuple(one_axis(d, x.ndim) for d in dims)
    if len(set(order)) < len(order):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return row.permute(x, axes=order)


def transpose(x, dim0=None, dim1=None):
    """Axes `dim0` and `dim1` exchanged, as in PyTorch; without them, all axes reversed, as in NumPy.

    >>> import chainrule as cr
    >>> cr.transpose(cr.ones(2, 3, 4), 0, 2).shape
    (4, 3, 2)
    """
    if isinstance(dim0, tuple | list):
        return permute(x, dim0)
    if dim0 is None:
        return row.permute(x, axes=tuple(range(x.ndim))[::-1])
    return swapaxes(x, dim0, dim1)


def swapaxes(x, axis0, axis1):
    """Axes `axis0` and `axis1` exchanged.

    >>> import chainrule as cr
    >>> cr.swapaxes(cr.ones(2, 3, 4), 1, 2).shape
    (2, 4, 3)
    """
    i, j = one_axis(axis0, x.ndim), one_axis(axis1, x.ndim)
    return row.swapaxes(x, i=i, j=j) if x.ndim else view(x, ())


def t(x):
    """The transpose of a matrix.

    >>> import chainrule as cr
    >>> cr.t(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 3.],
            [2., 4.]])
    """
    if x.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {x.ndim}D")
    return transpose(x)


def movedim(x, source, destination):
    """Axis `source` moved to `destination` (or several to as many places), the others in their order.

    >>> import chainrule as cr
    >>> cr.movedim(cr.ones(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    source, destination = ([one_axis(d, x.ndim) for d in np.atleast_1d(ds)] for ds in (source, destination))
    for which, dims in (("source", source), ("destination", destination)):
        if len(set(dims)) < len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{which}` ({dims})")
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({source} dims) should contain the same number "
            f"of dims as destination ({destination} dims)"
        )
    order = [i for i in range(x.ndim) if i not in source]
    for place, i in sorted(zip(destination, source, strict=True)):
        order.insert(place, i)
    return row.permute(x, axes=tuple(order[: x.ndim]))


def expand(x, *shape):
    """x broadcast to `shape`, without a copy; -1 keeps an axis. The derivative sums what was repeated.

    >>> import chainrule as cr
    >>> cr.expand(cr.tensor([[1.0], [2.0]]), 2, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """
    shape = one_by_one(shape)
    new = len(shape) - x.ndim
    if -1 in shape[: max_of(new, 0)]:
        raise RuntimeError(
            f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {shape.index(-1)}"
        )
    target = tuple(x.shape[i - new] if n == -1 else n for i, n in enumerate(shape))
    if new < 0 or any(n not in (1, m) for n, m in zip(x.shape, target[new:], strict=True)):
        raise errors.does_not_stretch(x.shape, target, x.dtype)
    return row.expand(x, shape=target)


def broadcast_to(x, shape):
    """`expand` under NumPy's name.

    >>> import chainrule as cr
    >>> cr.broadcast_to(cr.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return expand(x, shape)


def flip(x, *several, dims=None, axis=None):
    """The numbers in reverse order along some axes, `flip(x, 0, 1)` or `flip(x, (0, 1))`; without any, along all.

    >>> import chainrule as cr
    >>> cr.flip(cr.tensor([1.0, 2.0, 3.0]), 0)
    tensor([3., 2., 1.])
    """
    dims = axis if dims is None else dims
    if several:
        dims = several[0] if len(several) == 1 else several
    return row.flip(x, axis=() if dims in ((), []) else axes(x, dims))


def cat(tensors, dim=0, *, axis=None):
    """The tensors one after the other along `dim`.

    Raises ValueError when there is none, RuntimeError when their other axes differ.

    >>> import chainrule as cr
    >>> cr.cat([cr.tensor([1.0, 2.0]), cr.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    tensors = list(tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    tensors = [x for x in tensors if np.shape(x) != (0,)] or tensors  # that shape fits everywhere, as in PyTorch
    d = one_axis(dim if axis is None else axis, np.ndim(tensors[0])) if np.ndim(tensors[0]) else 0
    return rules.cat(*tensors, axis=d)


concatenate = concat = cat


def stack(tensors, dim=0, *, axis=None):
    """The tensors side by side along a new axis `dim`.

    Raises RuntimeError when there is none, or their shapes differ.

    >>> import chainrule as cr
    >>> cr.stack([cr.tensor(1.0), cr.tensor(2.0)])
    tensor([1., 2.])
    """
    tensors = list(tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = np.shape(tensors[0])
    for i, x in enumerate(tensors):
        if np.shape(x) != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 "
                f"and {list(np.shape(x))} at entry {i}"
            )
    return rules.stack(*tensors, axis=one_axis(dim if axis is None else axis, len(first) + 1))


def getitem(x, index):
    """`x[index]`: integers, slices, None, ..., masks and index arrays, as in NumPy and PyTorch.

    Integers and slices give a view. Raises IndexError for a position that x does not have.

    >>> import chainrule as cr
    >>> x = cr.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x[:, 0]
    tensor([1., 3.])
    >>> x[[1, 0], [0, 0]]
    tensor([3., 1.])
    """
    return walk(x, index_steps(x, index))


def walk(x, steps):
    """What the operations of an index lead to, one after the other."""
    for op, parts in steps:
        try:
            x = op(x, index=parts)
        except IndexError as error:
            raise IndexError(errors.why_not_there(x, parts) or str(error)) from None
    return x


def index_steps(x, index):
    """The operations that `x[index]` consists of, each with its index in plain NumPy terms.

    It is one, unless integers stand beside index arrays: as in PyTorch, and unlike in NumPy,
    those then take away their axes first.
    """
    op, parts = which_index(x, index)
    integers = [isinstance(p, int | np.integer) for p in parts]
    if op is not rules.index or not any(integers):
        return ((op, parts),)
    first = []
    for p, integer in zip(parts, integers, strict=True):
        axes_of_mask = p.ndim if isinstance(p, np.ndarray) and p.dtype.kind == "b" else 1
        first += [p] if integer or p is ... else [slice(None)] * (axes_of_mask if p is not None else 0)
    rest = tuple(p for p, integer in zip(parts, integers, strict=True) if not integer)
    return (which_index(x, tuple(first)), (op, rest))


def which_index(x, index):
    """The operation that `x[index]` is, and the index in plain NumPy terms."""
    if isinstance(index, list) and len(index) < 32 and any(is_part(p) for p in index):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated in PyTorch, and means there what a "
            "tuple means; here, too. Write x[tuple(seq)], or x[chainrule.tensor(seq)] for an array of positions",
            UserWarning,
            stacklevel=4,
        )
        index = tuple(index)
    parts = tuple(index_part(plain(p)) for p in (index if isinstance(index, tuple) else (index,)))
    if is_basic(parts):
        errors.check_integers(x, parts)
        if not any(p is ... for p in parts):
            parts = (*parts, ...)
        only_integers = all(p is ... or isinstance(p, int | np.integer) for p in parts)
        return (rules.select if only_integers else rules.slice_), parts
    axes_of = lambda p: p.ndim if isinstance(p, np.ndarray) and p.dtype.kind == "b" else p is not None and p is not ...
    if any(p is ... for p in parts) and sum_of(map(axes_of, parts)) == x.ndim:
        parts = tuple(p for p in parts if p is not ...)  # it stands for nothing, and keeps no index arrays apart
    return rules.index, parts


def is_part(p):
    """Whether p, in a short list, makes the list as good as a tuple: one that has a part for each axis."""
    number = getattr(p, "weak", False)  # one of Python's own, while `compile` records
    return p is None or p is ... or (isinstance(p, slice | list | tuple | range | np.ndarray | Box) and not number)


def index_part(p):
    """One part of an index: an integer, a slice, None or ..., or else an array of integers or truth values."""
    if p is None or p is ... or type(p) is int or hasattr(p, "program"):
        return p
    if isinstance(p, np.integer):
        return int(p)
    if isinstance(p, slice):  # its ends may be Tensors, which are written to later
        ends = (p.start, p.stop, p.step)
        return slice(*(n if n is None or hasattr(n, "program") else operator.index(n) for n in ends))
    if isinstance(p, list | tuple | range):
        p = np.asarray([int(each) if hasattr(each, "program") else plain(each) for each in p], None if p else int)
    if not isinstance(p, bool | np.bool_ | np.ndarray):
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {type(p).__name__})"
        )
    p = np.asarray(p)
    if p.dtype.kind not in "iub":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return int(p) if p.ndim == 0 and p.dtype.kind != "b" else p


# ---- products


PRODUCTS = {(1, 1): binary(rules.dot), (2, 1): binary(rules.mv), (2, 2): binary(rules.mm)}
stacks = binary(rules.bmm)


def matmul(a, b):
    """The matrix product a @ b: vectors, matrices, and stacks of matrices with broadcasting.

    The cotangents are t @ b^T and a^T @ t. Raises RuntimeError when the shapes do not fit.

    >>> import chainrule as cr
    >>> cr.matmul(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return PRODUCTS.get((ndim(a), ndim(b)), stacks)(a, b)


def mm(a, b):
    """The product of two matrices.

    >>> import chainrule as cr
    >>> cr.mm(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([[1.0], [1.0]]))
    tensor([[3.],
            [7.]])
    """
    if np.ndim(a) != 2 or np.ndim(b) != 2:
        raise RuntimeError("self must be a matrix" if np.ndim(a) != 2 else "mat2 must be a matrix")
    return matmul(a, b)


def mv(a, b):
    """The product of a matrix and a vector.

    >>> import chainrule as cr
    >>> cr.mv(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if np.ndim(a) != 2 or np.ndim(b) != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {np.ndim(a)}, {np.ndim(b)}")
    return matmul(a, b)


def dot(a, b):
    """The inner product of two vectors (of matrices and stacks of them too, what `matmul` gives).

    >>> import chainrule as cr
    >>> cr.dot(cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return matmul(a, b)


def outer(a, b):
    """The matrix of all products a_i b_j of two vectors.

    >>> import chainrule as cr
    >>> cr.outer(cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {max_of(np.ndim(a), np.ndim(b))}-D")
    return a[:, None] * b


def clone(x):
    """A copy with its own memory; the derivative passes through.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0])
    >>> y = cr.clone(x).zero_()
    >>> x
    tensor([1., 2.])
    """
    return row.clone(x)


def astype(x, dtype):
    """x in another dtype; the cotangent is converted back. No derivative flows through integers.

    >>> import chainrule as cr
    >>> cr.astype(cr.tensor([1.5, 2.0]), "float32")
    tensor([1.5000, 2.0000], dtype=float32)
    """
    dtype = np.dtype(dtype)
    if x.dtype == dtype:
        return x
    if isinstance(x, Box) and dtype.kind != "f":
        x = x.detach()
    return row.astype(x, dtype=dtype)
