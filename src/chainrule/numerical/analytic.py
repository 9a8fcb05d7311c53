"""Complex numbers for the complex step: they refuse what is not analytic.

f(x + i h) = f(x) + i h f'(x) + O(h^2) holds for analytic functions only. |z|, max(z, w) and
z > w are not analytic: NumPy would compute something, and the derivative would be wrong
without a word. A `ComplexNumber` raises instead.
"""

import numpy as np

from .. import rules
from ..functions import plain
from ..methods import Methods
from ..tape import levels

# For these NumPy would compute a complex number, or warn and go on. The others become real, which shows.
NOT_ANALYTIC = frozenset(
    {
        *(rules.sign, rules.floor, rules.ceil, rules.round, rules.relu, rules.maximum, rules.minimum),
        *(rules.clip, rules.amax, rules.amin, rules.largest, rules.smallest, rules.at_least, rules.at_most),
    }
)


def variance(x, axis, keepdims, correction):
    squares = (x - np.mean(x, axis, keepdims=True)) ** 2
    return np.sum(squares, axis, keepdims=keepdims) / (rules.count(x.shape, axis) - correction)


# Analytic functions which the table computes with |x|, against overflow or for speed.
WITHOUT_KINKS = {
    rules.sigmoid: lambda x: 1 / (1 + np.exp(-x)),
    rules.var: variance,
    rules.std: lambda x, **how: np.sqrt(variance(x, **how)),
}


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
        if op.family == "constant" or op in NOT_ANALYTIC or params.get("dtype", np.dtype(complex)).kind != "c":
            raise not_analytic(op, values[0])
        value = WITHOUT_KINKS.get(op)
        y = op.compute(values, params) if value is None else value(*values, **params)
        if y.dtype.kind != "c":
            raise not_analytic(op, values[0])
        return ComplexNumber(y)

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


def not_analytic(op, x):
    """The error for an operation that has no derivative in the complex plane."""
    what = f"uses {op.name.lower()}, which has no derivative in the complex plane"
    if op.family == "constant":
        what = f"compares numbers ({op.name.lower()}), and complex numbers have no order"
    return TypeError(
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
