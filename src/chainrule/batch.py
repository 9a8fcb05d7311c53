"""Forward mode with many tangents at once: one run of the program for a whole Jacobian.

A Fan is a Dual with k tangents, stacked along a leading axis that the program does not see.
The rules are the same. Elementwise rules broadcast over the new axis by themselves, products of
matrices take a stack of tangents; other linear operations are told that the axes they mean have
moved by one; for the rest, the tangents are pushed one after the other.
"""

from functools import partial

import numpy as np

from . import functions, rules, values
from .forward import Dual
from .op import Box
from .rules import expand
from .tape import constant_of, outward

PRODUCTS = (rules.dot, rules.mv, rules.mm)


class Fan(Dual):
    """A primal and k tangents: `tangent` has the shape (k, *shape).

    primal, tangent  arrays, numbers, or boxes of outer derivatives
    level            the number of the derivative that made it
    """

    __slots__ = ()

    def _pushes(self, op):
        return [partial(push_many, op, i) for i in range(len(op.pushes))]

    def _zeros(self, x):
        return np.zeros((len(self.tangent), *x.shape), x.dtype)

    def _spread(self, t, shape):
        whole = (len(t), *shape)
        return t if t.shape == whole else expand(t, shape=whole)

    def _each(self, f, *tangents):
        return functions.stack([f(*rows) for rows in zip(*tangents, strict=True)])


def push_many(op, i, t, kept):
    """Every tangent in `t`, of input number `i`, through `op`."""
    if op.inputs == ("*xs",):
        return op(*t, axis=kept.params["axis"] + 1)
    x = (kept.a, kept.b)[i]
    if op.family == "elementwise":
        missing = kept.y.ndim - x.ndim
        return op.pushes[i](t.reshape((len(t), *(1,) * missing, *x.shape)) if missing else t, kept)
    if op in PRODUCTS:
        if i == 0:
            return t @ kept.b
        return kept.a @ t if x.ndim == 2 else t @ (kept.a.mT if kept.a.ndim == 2 else kept.a)
    if op.family == "multilinear" and len(op.rules) == 1 and movable(op, kept):
        return op(t, **moved(kept.params, t.shape, x.ndim))
    rows, shape = [op.pushes[i](row, kept) for row in t], kept.y.shape
    return functions.stack([row if row.shape == shape else expand(row, shape=shape) for row in rows])


def movable(op, kept):
    """Whether all that the parameters say about axes can be moved by one, as an index array cannot."""
    same_axes = op not in (rules.expand, rules.sum_to) or kept.y.ndim == kept.a.ndim
    return same_axes and values.is_basic(kept.params.get("index", ()))


def moved(params, shape, ndim):
    """`params` for an array with one more axis in front."""
    out = dict(params)
    if "axis" in params:
        axis = params["axis"]
        axis = range(ndim) if axis is None else axis
        out["axis"] = axis + 1 if isinstance(axis, int) else tuple(i + 1 for i in axis)
    if "shape" in params:
        out["shape"] = (shape[0], *params["shape"])
    if "axes" in params:
        out["axes"] = (0, *(i + 1 for i in params["axes"]))
    if "i" in params:
        out.update(i=params["i"] + 1, j=params["j"] + 1)
    if "index" in params:
        out["index"] = (slice(None), *params["index"])
    return out


def push_basis(f, x, level, most=256):
    """The value of `f` at `x`, and its tangents along all unit vectors: the columns of the Jacobian.

    Returns `(y, columns)`, columns of shape (x.size, *y.shape). At most `most` tangents go through
    the program at once, to bound the memory.
    """
    if x.size == 0:
        y = f(outward(x))
        return y, np.zeros((0, *y.shape), y.dtype)
    columns = []
    for start in range(0, x.size, most):
        k = min(most, x.size - start)
        t = np.eye(k, x.size, start, x.dtype).reshape(k, *x.shape)
        y = constant_of(f(Fan(x, t, level)))
        y = y if isinstance(y, Box) else outward(y)
        if type(y) is Fan and y.level == level:
            y, t = y.primal, y.tangent
        else:
            t = np.zeros((k, *y.shape), y.dtype)
        columns.append(t)
    return y, columns[0] if len(columns) == 1 else functions.cat(columns)
