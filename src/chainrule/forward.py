"""Forward mode: dual numbers, a value and its tangent side by side.

A Dual goes through the program as a number would. Every operation computes its value and
pushes the tangent along: y_dot = J_a a_dot + J_b b_dot. When the program ends, so does the
derivative; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from . import inplace
from .errors import captured
from .methods import Methods
from .nested import leaves, repack
from .op import Box
from .rules import expand
from .tape import Node, constant_of, levels, lift, note_view, number_or_array, outward, views_of
from .typing import Function, Value


class Dual(inplace.InPlace, Methods):
    """A primal and its tangent: the number x + x_dot e, with e^2 = 0.

    primal, tangent  arrays, numbers, or boxes of outer derivatives, of the same shape
    level            the number of the `jvp` that made it
    """

    __slots__ = ("primal", "tangent", "level", "base", "path", "views", "__weakref__")

    def __init__(self, primal, tangent, level):
        self.primal, self.tangent, self.level = primal, tangent, level

    shape, ndim, dtype = (property(attrgetter(f"primal.{name}")) for name in ("shape", "ndim", "dtype"))
    requires_grad = False

    def apply(self, op, inputs, params):
        """The value of `op`, and the sum of what each input's tangent contributes."""
        kind, level = type(self), self.level
        values, tangents = [], []
        for x in inputs:
            if type(x) is not kind:
                x = constant_of(x)
            if type(x) is kind and x.level == level:
                values.append(x.primal)
                tangents.append(x.tangent)
            else:
                values.append(constant_of(x))
                tangents.append(None)
        y = op(*values, **params)
        if not op.pushes:
            return outward(y)
        kept = Node()
        kept.y, kept.params = y, params
        kept.a, kept.b = values if len(values) == 2 else (values[0], None)
        if op.inputs == ("*xs",):
            tangents = [[self._zeros(x) if t is None else t for x, t in zip(values, tangents, strict=True)]]
        t = None
        for push, x_dot in zip(self._pushes(op) if self._pushes else op.pushes, tangents, strict=True):
            if x_dot is not None:
                t = push(x_dot, kept) if t is None else t + push(x_dot, kept)
        if t.shape != y.shape:
            t = self._spread(t, y.shape)
        result = kind(y, t if t.dtype == y.dtype else t.astype(y.dtype), level)
        if op.view:
            note_view(inputs[0], result, op, params, inputs[0].primal, y)
        return result

    # A subclass with many tangents side by side has its own of these.

    _pushes = None

    def _zeros(self, x):
        """The tangent of a constant."""
        return np.zeros(x.shape, x.dtype)

    def _spread(self, t, shape):
        return expand(t, shape=shape)

    def _each(self, f, *tangents):
        return f(*tangents)

    def detach(self):
        """The primal alone: a constant for this derivative and for those around it."""
        return self.primal.detach() if hasattr(self.primal, "detach") else outward(self.primal)

    def _set(self, value, tail):
        self._write(inplace.fresh(value, self, tail), tail)

    def _written(self, result, since=None):
        self._write(inplace.as_written(result, self.shape, self.dtype), ())
        return self

    def _write(self, y, tail):
        """Put `y` in place of what was here; the base and all its views see it."""
        if y.level > self.level:
            raise captured()
        y = constant_of(y)  # a buffer may hold duals
        if type(y) is type(self) and y.level == self.level:
            primal, tangent = y.primal, y.tangent
        else:
            primal, tangent = y, self._zeros(y)
        root, path = getattr(self, "base", self), (*getattr(self, "path", ()), *tail)
        root.primal = inplace.overlay(root.primal, primal, path)
        root.tangent = self._each(lambda t, part: inplace.overlay(t, part, path), root.tangent, tangent)
        for view in views_of(root):
            view.primal = inplace.follow(root.primal, view.path)
            view.tangent = self._each(lambda t, view=view: inplace.follow(t, view.path), root.tangent)

    def __repr__(self):
        return f"Dual({self.primal!r}, tangent={self.tangent!r})"


def jvp(f: Function, primals: Sequence[Value], tangents: Sequence[Value]) -> tuple[Any, Any]:
    """The value of `f` at `primals` and its directional derivative along `tangents`, in one run.

    f         a function of as many arguments as there are primals, to a Tensor (or a tuple)
    primals   a tuple of Tensors, arrays or floats
    tangents  a tuple of the same shapes: the direction x_dot

    Returns `(y, y_dot)` with y_dot = J x_dot, in the shape of y.

    Raises RuntimeError if the primals are not floating point, if a tangent's shape is not its
    primal's, or if there are not as many tangents as primals; TypeError if a primal is a list
    or dict of Tensors.

    >>> import chainrule as cr
    >>> cr.jvp(lambda x: x**3, (2.0,), (1.0,))
    (tensor(8.), tensor(12.))
    """
    if not isinstance(primals, tuple | list):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals to be a tuple. "
            "E.g. it should be valid to call f(*primals). Write (x,) for one."
        )
    if not primals:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to contain at least one Tensor.")
    if not isinstance(tangents, tuple | list) or len(primals) != len(tangents):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. "
            "For example, if primals is a tuple of 3 tensors, tangents also must be."
        )
    level = next(levels)
    duals = []
    for primal, t in zip(primals, tangents, strict=True):
        primal, t = lift(primal), constant_of(t)
        t = t if isinstance(t, Box) else number_or_array(np.asarray(t, primal.dtype))
        if t.shape != primal.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, "
                f"this is not supported. Tensor is of size {list(primal.shape)} while the given forward gradient "
                f"is of size {list(t.shape)}."
            )
        duals.append(Dual(primal, t, level))
    y = f(*duals)
    pairs = [split(part, level) for part in leaves(y)]
    return repack(y, [primal for primal, _ in pairs]), repack(y, [tangent for _, tangent in pairs])


def split(y, level):
    """Primal and tangent of a result; what did not depend on the primals has tangent 0."""
    y = constant_of(y)
    if type(y) is Dual and y.level == level:
        return outward(y.primal), outward(y.tangent)
    y = y if isinstance(y, Box) else outward(number_or_array(y))
    return y, outward(np.zeros(y.shape, y.dtype)[()])
