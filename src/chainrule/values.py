"""What operations compute where NumPy has no function for it, or a slow one, or one with another meaning."""

import math

import numpy as np

SINGLE, DOUBLE = np.dtype("float32"), np.dtype("float64")


def narrowed(values):
    """`values` in float32, if NumPy makes a float64 array of them where PyTorch stays in float32; else None.

    In PyTorch integers widen no floats, and single numbers no arrays.
    """
    for x in values:
        if type(x) is np.ndarray and x.dtype is DOUBLE and x.ndim:
            return None  # asked first, because it is usual
    floats = [x for x in values if hasattr(x, "dtype") and x.dtype.kind == "f"]
    deciding = {x.dtype for x in floats if x.ndim} or {x.dtype for x in floats}
    return [np.asarray(x, SINGLE)[()] for x in values] if deciding == {SINGLE} else None


def logistic(x):
    """1 / (1 + exp(-x)) without overflow: exp sees only what is not positive."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def signum(x):
    """-1, 0 or 1; of nan, too, it is 0."""
    y = np.sign(x)
    return y if np.all(y == y) else np.where(y == y, y, 0)


def total(x, axis, keepdims):
    """The sum. (`x.sum()` of one NumPy number takes far longer than `+x`.)"""
    return +x if not x.ndim and x.dtype.kind == "f" else x.sum(axis, keepdims=keepdims)


def count(shape, axis):
    """How many numbers of `shape` a reduction over `axis` makes into one."""
    return math.prod(n for i, n in enumerate(shape) if axis is None or i in axis)


def average(x, axis, keepdims):
    """The mean. (NumPy's own takes three times as long for a short array.)"""
    return total(x, axis, keepdims) / count(x.shape, axis)


def masked(x, condition):
    """x where `condition` holds, else 0, even where x is inf. (Of arrays NumPy multiplies faster than it chooses.)"""
    if type(condition) is np.bool_:
        return x if condition else np.zeros(x.shape, x.dtype)[()]
    if type(x) is type(condition) is np.ndarray:
        product = x * condition
        if np.isfinite(product).all():
            return product
    return np.where(condition, x, 0)


def variance(x, axis, keepdims, correction):
    return np.var(x, axis, ddof=correction, keepdims=keepdims)


def length(x, axis, keepdims):
    """The Euclidean norm."""
    return np.sqrt((x * x).sum(axis, keepdims=keepdims))


def log_of_sum(x, axis, keepdims):
    """log(sum(exp(x))) with the largest term taken out first, so that nothing overflows; inf of a term that is inf."""
    top = x.max(axis, keepdims=True) if x.size else x.sum(axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = top + np.log(np.exp(x - top).sum(axis, keepdims=True))
    return y if keepdims else y.squeeze(axis)


def log_shares(x, axis):
    """x minus the logarithm of the sum of all exp(x); nan beside a term that is inf, which has no share."""
    x = x - (x.max(axis, keepdims=True) if x.size else x.sum(axis, keepdims=True))
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def one_over(x):
    """1 / x, also of integers. (NumPy's `reciprocal` of an integer is an integer.)"""
    return 1 / x


def stretched(x, shape):
    """`x` broadcast to `shape`. (NumPy's own may never be written to, even if nothing is repeated.)"""
    y = np.broadcast_to(x, shape)
    return x.reshape(shape) if x.size == y.size else y


def add_up(x, shape):
    """`x` summed to `shape`: the adjoint of broadcasting `shape` to `x.shape`."""
    extra = x.ndim - len(shape)
    x = x.sum(axis=tuple(range(extra))) if extra else x
    ones = tuple(i for i, n in enumerate(shape) if n == 1 != x.shape[i])
    return x.sum(axis=ones, keepdims=True) if ones else x


def add_at(x, index, shape):
    """Zeros of `shape` with `x` added at `index`, where an index array may name a place twice."""
    z = np.zeros(shape, x.dtype)
    if is_basic(index):
        z[index] = x
    else:
        np.add.at(z, index, x)
    return z


def pick(x, index):
    """A copy of what the arrays in `index` name, in the order of memory. (NumPy's own may be transposed.)"""
    y = x[index]
    return y if y.flags.c_contiguous else y.copy()


def is_basic(index):
    """Whether `index` holds only integers, slices, None and ... : no place is named twice."""
    parts = index if type(index) is tuple else (index,)
    return all(part is None or part is ... or isinstance(part, int | np.integer | slice) for part in parts)
