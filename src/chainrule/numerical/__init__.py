"""Derivatives by difference: what derivatives are compared with, and what they are better than.

A difference quotient has two errors. The formula's own (truncation) shrinks with the step h,
that of subtracting two rounded, nearly equal numbers grows as h shrinks. The default steps
balance the two. The complex step subtracts nothing, so its step may be as small as one likes.

Sources: Press et al., Numerical Recipes (3rd ed., 2007), section 5.7, for the steps; Squire and
Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ..op import Box
from ..tensor import Tensor, tensor
from .analytic import ComplexNumber, left_the_real_axis

METHODS = ("forward", "central", "complex")


def derivative(f: Callable, x: Tensor | ArrayLike, h: ArrayLike | None = None, method: str = "central") -> Tensor:
    """The derivative of a function of one number, by differences.

    f       a function of one Tensor (so that `x.log()` works) or of one float (`math.log`)
    x       a float; or an array, if f works number by number: the result then has its shape
    h       the step, default `step(x, method)`; an array of steps gives a result for each
    method  "forward"  (f(x + h) - f(x)) / h            error O(h),   2 evaluations
            "central"  (f(x + h) - f(x - h)) / (2 h)    error O(h^2), 2 evaluations
            "complex"  Im f(x + i h) / h                error O(h^2), 1 evaluation, no
                       subtraction; f must be analytic and written with Tensor methods

    All is computed in the dtype of x: a float32 x gets a float32 step and result.

    Returns a Tensor. Raises ValueError for an unknown method, a step of 0 or one that x + h does
    not feel, a result of another shape than x, and a complex step where f has no real value;
    TypeError where a complex step meets an operation that is not analytic.

    >>> import chainrule as cr
    >>> f = lambda x: x**3 + 2 * x**2 - 5 * x + 1
    >>> cr.numerical.derivative(f, 2.0, h=0.5, method="forward")
    tensor(19.2500)
    >>> cr.numerical.derivative(f, 2.0, method="complex")
    tensor(15.)
    """
    at = point(x)
    at, shift = np.broadcast_arrays(at, steps(at, h, method))
    f = evaluator(number_by_number(f, at.shape), at.dtype)
    return tensor(quotient(f, at[()], shift[()], shift[()], method))


def gradient(f: Callable, x: Tensor | ArrayLike, h: ArrayLike | None = None, method: str = "central") -> Tensor:
    """The gradient of a function of many numbers to one, by one difference for each number.

    f       a function of one Tensor to one number
    x       a Tensor, array or float with n numbers
    h       the step, one for all; default `step(x_j, method)` for each number x_j
    method  "forward" takes n + 1 evaluations of f, "central" 2 n, "complex" n

    Returns a Tensor of the shape of x. Raises ValueError if the result of f is not one number,
    and what `derivative` raises.

    >>> import chainrule as cr
    >>> cr.numerical.gradient(lambda x: (x * x).sum(), [1.0, 2.0], method="complex")
    tensor([2., 4.])
    """
    return jacobian(one_number(f), x, h, method)


def jacobian(f: Callable, x: Tensor | ArrayLike, h: ArrayLike | None = None, method: str = "central") -> Tensor:
    """The Jacobian J[i, j] = dy_i / dx_j of a function of many numbers, a column at a time.

    f       a function of one Tensor to a Tensor
    x       a Tensor, array or float with n numbers
    h, method  as for `gradient`, with as many evaluations

    Returns a Tensor of shape `y.shape + x.shape`. Raises what `derivative` raises.

    >>> import chainrule as cr
    >>> cr.numerical.jacobian(lambda x: x * x, [1.0, 2.0], method="complex")
    tensor([[2., 0.],
            [0., 4.]])
    """
    at = point(x)
    each = np.broadcast_to(steps(at, h, method), at.shape)
    f = evaluator(f, at.dtype)
    y = f(at[()]) if method == "forward" or at.size == 0 else None
    columns = [quotient(f, at, each[j], each[j] * unit(at, j), method, y) for j in np.ndindex(at.shape)]
    whole = np.array(columns, at.dtype).reshape(at.shape + np.asarray(columns[0] if columns else y).shape)
    return tensor(np.moveaxis(whole, range(at.ndim), range(-at.ndim, 0)))


def step(x, method="central"):
    """The step that balances truncation against rounding, in the dtype of x.

    With eps the spacing of floating-point numbers at 1 and s = max(|x|, 1): sqrt(eps) s for
    "forward", cbrt(eps) s for "central" (Numerical Recipes, section 5.7), made such that x + h
    is a number of the machine; 1e-20 for "complex" (Squire and Trapp), where nothing is lost.

    >>> float(step(1.0, "forward"))
    1.4901161193847656e-08
    """
    x = point(x)
    check_method(method)
    if method == "complex":
        return np.full(x.shape, 1e-20, x.dtype)[()]
    eps = np.finfo(x.dtype).eps
    h = (np.sqrt(eps) if method == "forward" else np.cbrt(eps)) * np.maximum(np.abs(x), 1)
    return ((x + h.astype(x.dtype)) - x)[()]


def steps(x, h, method):
    """The steps asked for, checked, or the default ones."""
    check_method(method)
    if h is None:
        return step(x, method)
    h = np.asarray(h, x.dtype)
    if (method != "complex" and np.any(x + h == x)) or np.any(h == 0):
        raise ValueError(
            f"x + h equals x in {x.dtype} for x = {x} and h = {h}: there is nothing to compare. Take a larger h, "
            f"or none (the default), or method='complex'"
        )
    return h


def check_method(method):
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, METHODS))}, but is {method!r}")


def quotient(f, x, h, shift, method, y=None):
    """How fast f changes from x along `shift`, a step of length h. `y` is f(x), if known."""
    if method == "complex":
        y = f(ComplexNumber(x + 1j * shift))
        left_the_real_axis(y, h)
        return y.imag / h
    if method == "central":
        return (f(x + shift) - f(x - shift)) / (2 * h)
    return (f(x + shift) - (f(x) if y is None else y)) / h


def evaluator(f, dtype):
    """`f` from an array (or complex number) to an array, in `dtype` or its complex partner."""

    def evaluate(x):
        if isinstance(x, ComplexNumber):
            y = f(x)
            y = y.array if isinstance(y, ComplexNumber) else y
            return np.asarray(y, np.result_type(dtype, np.complex64))
        y = f(tensor(x))
        return np.asarray(y.detach().numpy() if isinstance(y, Tensor) else y, dtype)

    return evaluate


def point(x):
    """Where to differentiate: an array of float64 or float32. Raises TypeError for what holds no real numbers."""
    if isinstance(x, Box):
        x = x.detach()
        x = x.numpy() if isinstance(x, Tensor) else x
    x = np.asarray(x)
    if x.dtype.kind in "iu":
        return x.astype(np.float64)
    if x.dtype.kind != "f":
        raise TypeError(f"a derivative by differences is taken at real numbers, not at {x.dtype}")
    return x


def unit(x, j):
    e = np.zeros_like(x)
    e[j] = 1
    return e


def one_number(f):
    """`f`, checked to give one number."""

    def run(x):
        y = f(x)
        if shape_of(y):
            raise ValueError(
                f"gradient expects a function to one number, but its result has shape {shape_of(y)}: "
                "use chainrule.numerical.jacobian, or sum the result"
            )
        return y

    return run


def number_by_number(f, shape):
    """`f`, checked to keep the shape of what it is given."""

    def run(x):
        y = f(x)
        if shape_of(y) != shape:
            raise ValueError(
                f"derivative expects a function that works number by number, but it made shape {shape_of(y)} of "
                f"shape {shape}: use chainrule.numerical.gradient or chainrule.numerical.jacobian"
            )
        return y

    return run


def shape_of(y):
    return tuple(y.shape) if isinstance(y, Box) else np.shape(y)
