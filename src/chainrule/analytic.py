"""Complex numbers for the complex step: they refuse what is not analytic.

f(x + i h) = f(x) + i h f'(x) + O(h^2) holds for analytic functions only. |z|, max(z, w) and
z > w are not analytic: NumPy would compute something, and the derivative would be wrong
without a word. A `ComplexNumber` raises instead.
"""

import numpy as np

from . import rules
from .functions import plain
from .methods import Methods
from .tape import levels

# fmt: off
NOT_ANALYTIC = frozenset({
    rules.abs, rules.sign, rules.floor, rules.ceil, rules.round, rules.relu, rules.maximum, rules.minimum,
    rules.clip, rules.amax, rules.amin,
})

# Analytic functions which the table computes with |x| or comparisons, to avoid overflow or for speed.
WITHOUT_KINKS = {
    rules.sigmoid:  lambda x: 1 / (1 + np.exp(-x)),
    rules.var:      lambda x, axis, keepdims, correction:
                        np.sum((x - np.mean(x, axis, keepdims=True)) ** 2, axis, keepdims=keepdims)
                        / (rules.count(x.shape, axis) - correction),
}
# fmt: on


class ComplexNumber(Methods):
    """A complex number (or an array of them) on its way through a real function.

    array  the numbers: x + i h and what becomes of it
    level  higher than that of all boxes made before, so that every operation comes here
    """

    __slots__ = ("array", "level")

    def __init__(self, array):
        self.array, self.level = array, next(levels)

    shape = property(lambda self: np.shape(self.array))
    ndim = property(lambda self: np.ndim(self.array))
    dtype = property(lambda self: self.array.dtype)
    requires_grad = False

    def apply(self, op, inputs, params):
        """The value of `op`, if it is analytic. Raises TypeError otherwise."""
        values = [plain(x) for x in inputs]
        refuse_kinks(op, values[0], params)
        value = WITHOUT_KINKS.get(op)
        return ComplexNumber(op.compute(values, params) if value is None else value(*values, **params))

    def detach(self):
        """A constant for other derivatives; for the complex step it still varies with x."""
        return self

    def only(self, kind):
        """Raises TypeError: a Python or `math` function would lose the imaginary part."""
        raise TypeError(
            f"{kind}() of a complex number: the derivative is in the imaginary part, which would be lost. "
            "For the complex step write x.sin() or np.sin(x) for math.sin(x), or take method='central'"
        )

    def item(self):
        """Raises TypeError, as `float` does."""
        return self.only("item")

    def __bool__(self):
        self.only("bool")

    def __repr__(self):
        return f"ComplexNumber({self.array!r})"


def refuse_kinks(op, x, params):
    """Raise a TypeError for an operation that is not analytic."""
    to_real = op is rules.astype and params["dtype"].kind != "c"
    if op.family == "constant":
        what = f"compares numbers ({op.name.lower()}), and complex numbers have no order"
    elif op in NOT_ANALYTIC or to_real or (op is rules.norm and np.ndim(x) == 0):
        what = f"uses {op.name.lower()}, which has no derivative in the complex plane"
    else:
        return
    raise TypeError(
        f"the complex step needs an analytic function, but this one {what} (here at {np.ravel(x)[0]}). "
        "Take method='central', or write down the branch of the function that holds at x"
    )


def left_the_real_axis(y, h):
    """Raise a ValueError where f(x + i h) is far from real: then f(x) is no real number, as for log(-1)."""
    imaginary = np.abs(y.imag)
    if np.any((np.abs(h) <= 1e-15) & (imaginary > 1e-6 * np.abs(y.real)) & (imaginary > 1e-10)):
        raise ValueError(
            f"f(x + ih) = {y} is not near the real axis although h = {np.max(h):g}: f has no real value here "
            "(a logarithm or a root of a negative number?), so it has no derivative either"
        )
