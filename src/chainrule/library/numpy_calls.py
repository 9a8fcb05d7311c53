"""NumPy's own functions on Tensors, Duals and Symbols: `np.sum(x)`, `np.linalg.inv(x)`.

NumPy hands such a call over to us (`__array_ufunc__`, `__array_function__`). It then means what
it means in NumPy, with NumPy's spelling and defaults, also where PyTorch's differ.
"""

import numpy as np

from .. import functions, rules
from ..functions import cat, matmul, mul, ndim, ravel, unsqueeze
from ..op import Op
from ..tape import binary
from . import linalg, more, places


def spelled(function, **ours):
    """`function` for calls in NumPy's spelling; `ours` says what a parameter is called here."""

    def call(*args, **kwargs):
        return function(*args, **{ours.get(name, name): x for name, x in kwargs.items()})

    return call


def flattened(function):
    """A function along an axis; without one, of all numbers in a row."""
    return lambda x, axis=None: function(ravel(x), 0) if axis is None else function(x, axis)


def dot(a, b):
    """Sums over the last axis of a and the last but one of b: beyond matrices not what `a @ b` is."""
    if 0 in (ndim(a), ndim(b)):
        return mul(a, b)
    return linalg.tensordot(a, b, ([-1], [-2])) if ndim(a) > 1 and ndim(b) > 2 else matmul(a, b)


def concatenate(arrays, axis=0):
    return cat([ravel(x) for x in arrays]) if axis is None else cat(arrays, axis)


def expand_dims(x, axis):
    axes = np.atleast_1d(axis)
    for d in sorted(axes % (x.ndim + len(axes))):
        x = unsqueeze(x, int(d))
    return x


def over(function):
    """A reduction, whose third place NumPy has for the dtype."""
    return lambda x, axis=None, dtype=None, *, keepdims=False: function(x, axis, keepdims, dtype=dtype)


def in_samples(spread):
    """`var` or `std`, which NumPy divides by n."""
    return lambda x, axis=None, *, ddof=0, keepdims=False: spread(x, axis, ddof, keepdims)


def solve(a, b):
    """One axis makes a vector of b; PyTorch takes more axes for a stack of vectors, too."""
    stack = b.ndim > 1 and b.ndim == a.ndim - 1
    return linalg.solve(a, unsqueeze(b, 0) if stack else b)


UFUNCS = {
    np.add: functions.add, np.subtract: functions.sub, np.multiply: functions.mul, np.divide: functions.div,
    np.power: functions.pow, np.negative: functions.neg, np.matmul: functions.matmul, np.square: functions.square,
    np.greater: functions.gt, np.greater_equal: functions.ge, np.less: functions.lt, np.less_equal: functions.le,
    np.equal: functions.eq, np.not_equal: functions.ne, np.floor_divide: more.whole_quotient,
    np.bitwise_and: binary(rules.both), np.bitwise_or: binary(rules.either), np.sign: functions.sign,
    np.invert: lambda x: ~x,
    **{
        ufunc: getattr(functions, name)
        for name in dir(functions)
        if isinstance(op := getattr(rules, name, None), Op) and op.family == "elementwise"
        if isinstance(ufunc := op.value, np.ufunc)
    },
    **{
        getattr(np, name): getattr(more, name)
        for name in """
            arctan2 hypot logaddexp fmax fmin fmod remainder copysign trunc isnan isinf isfinite logical_not
            logical_and logical_or deg2rad rad2deg
        """.split()
    },
}  # fmt: skip


def alike(here, there, names):
    """The functions that are called alike in a module of ours and in NumPy."""
    return {getattr(there, name): getattr(here, name) for name in names.split()}


# Those that the lines of a program understand, too.
FUNCTIONS = {
    **{getattr(np, name): over(getattr(functions, name)) for name in ("sum", "mean", "prod")},
    **alike(functions, np, "amax amin reshape ravel squeeze clip stack broadcast_to flip"),
    np.where: functions.choose,
    np.max: functions.amax,
    np.min: functions.amin,
    np.var: in_samples(functions.var),
    np.std: in_samples(functions.std),
    np.cumsum: flattened(functions.cumsum),
    np.dot: dot,
    np.outer: lambda a, b: functions.outer(ravel(a), ravel(b)),
    np.concatenate: concatenate,
    np.expand_dims: expand_dims,
    np.transpose: spelled(functions.transpose, axes="dim0"),
    np.swapaxes: spelled(functions.swapaxes, axis1="axis0", axis2="axis1"),
    np.round: lambda x, decimals=0: more.round(x, decimals=decimals),
    np.linalg.norm: spelled(linalg.norm, axis="dim", keepdims="keepdim"),
    np.ones_like: lambda x, dtype=None: np.ones(x.shape, dtype or x.dtype),
    np.zeros_like: lambda x, dtype=None: np.zeros(x.shape, dtype or x.dtype),
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x, axis=None: x.size if axis is None else x.shape[axis],
    np.copy: functions.clone,
}

# Those beside them. (Lines of a program, which have no numbers yet, leave these to NumPy.)
BESIDE = {
    **alike(places, np, "fliplr flipud tril triu tile moveaxis vstack hstack dstack atleast_1d atleast_2d atleast_3d"),
    **alike(linalg, np, "inner kron einsum"),
    **alike(linalg, np.linalg, "inv det slogdet cholesky eigh eigvalsh matrix_power multi_dot"),
    **alike(more, np, "sinc full_like any all isclose allclose"),
    **alike(functions, np, "argmax argmin"),
    np.around: lambda x, decimals=0: more.round(x, decimals=decimals),
    np.cumprod: flattened(more.cumprod),
    np.diff: spelled(more.diff, axis="dim"),
    np.nansum: spelled(more.nansum, axis="dim", keepdims="keepdim"),
    np.nan_to_num: lambda x, copy=True, **replacing: more.nan_to_num(x, **replacing),
    np.sort: lambda x, axis=-1: places.sort(x, axis).values,
    np.argsort: spelled(places.argsort, axis="dim"),
    np.array_equal: more.equal,
    np.roll: spelled(places.roll, shift="shifts", axis="dims"),
    np.rot90: spelled(places.rot90, axes="dims"),
    np.diag: spelled(places.diag, k="diagonal"),
    np.diagonal: spelled(places.diagonal, axis1="dim1", axis2="dim2"),
    np.trace: places.trace,
    np.tensordot: spelled(linalg.tensordot, axes="dims"),
    np.vdot: lambda a, b: linalg.vdot(ravel(a), ravel(b)),
    np.linalg.solve: solve,
}
