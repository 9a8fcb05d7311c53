"""Are these derivatives right? Both modes against central differences, and against each other."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from ..crosscheck.comparison import worst
from ..forward import jvp
from ..functional import vjp
from ..op import Box
from ..reverse import autograd
from ..tensor import Tensor, tensor
from . import jacobian, unit


class GradcheckError(RuntimeError):
    """Derivatives and differences do not match. The message says which, where and by how much.

    >>> import chainrule as cr
    >>> cr.gradcheck(lambda x: x.detach() * x, cr.tensor(2.0, requires_grad=True), raise_exception=False)
    False
    """


def gradcheck(
    f: Callable,
    inputs: Tensor | Sequence,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    order: int = 1,
) -> bool:
    """Compare the derivatives of `f` with central differences, as `torch.autograd.gradcheck` does.

    f       a function of Tensors to a Tensor or a tuple of them; results that are not floating
            point are left out
    inputs  a Tensor or a tuple of Tensors. Those that require grad are checked, the others are
            constants. Give them in float64: float32 is too coarse for differences of 1e-6
    eps     the step of the differences
    atol, rtol       how far |analytical - numerical| <= atol + rtol |numerical| lets them differ
    raise_exception  whether a failure raises; otherwise it returns False
    order   2 checks the second derivatives as well, see `gradgradcheck`

    For every output and every input it builds the Jacobian J three times: row by row in reverse
    mode, column by column in forward mode, column by column from differences. Then it tests the
    identity <y_bar, J x_dot> = <J^T y_bar, x_dot>, which needs no differences and so holds to
    the last few digits. Differences see a kink (|x| at 0, equals in max) from both sides:
    choose points away from kinks.

    Returns True. Raises GradcheckError (a RuntimeError) with output, input, point, and both
    Jacobians; ValueError if no input requires grad. Warns for an input that is not float64.

    >>> import chainrule as cr
    >>> x = cr.tensor([0.5, 2.0], requires_grad=True)
    >>> cr.gradcheck(lambda x: x.sin() * x, x)
    True
    """
    inputs = as_tuple(inputs)
    check_inputs(inputs)
    g, points = of_variables(f, inputs)
    try:
        with np.errstate(all="ignore"):
            J = numerical_jacobians(g, points, eps)
            compare(J, reverse_jacobians(g, points), "", points, inputs, atol, rtol)
            compare(J, forward_jacobians(g, points), "computed with forward mode ", points, inputs, atol, rtol)
            compare_products(g, points)
        return order == 1 or gradgradcheck(f, inputs, None, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False


def gradgradcheck(
    f: Callable,
    inputs: Tensor | Sequence,
    grad_outputs: Tensor | Sequence | None = None,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Check second derivatives: `gradcheck` of the function (x, y_bar) -> J(x)^T y_bar.

    grad_outputs  the cotangents y_bar, one for each output; by default fixed random ones
    The other parameters, what it returns and what it raises are those of `gradcheck`.

    >>> import chainrule as cr
    >>> x = cr.tensor([0.5, 2.0], requires_grad=True)
    >>> cr.gradgradcheck(lambda x: x**3, x)
    True
    """
    inputs = as_tuple(inputs)
    check_inputs(inputs)
    g, points = of_variables(f, inputs)
    if grad_outputs is None:
        grad_outputs = [noise(y.shape, i) for i, y in enumerate(g(*points))]
    y_bars = [tensor(t, requires_grad=True) for t in as_tuple(grad_outputs)]

    def first_derivative(*args):
        return vjp(g, *args[: len(points)])[1](args[len(points) :])

    variables = [x.requires_grad_() for x in points]
    return gradcheck(first_derivative, (*variables, *y_bars), eps, atol, rtol, raise_exception)


def as_tuple(x):
    return tuple(x) if isinstance(x, tuple | list) else (x,)


def is_variable(x):
    return isinstance(x, Tensor) and x.requires_grad


def check_inputs(inputs):
    if not any(map(is_variable, inputs)):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for i, x in enumerate(inputs):
        if is_variable(x) and x.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point. This check will likely "
                "fail if all the inputs are not of double precision floating point.",
                UserWarning,
                stacklevel=3,
            )


def of_variables(f, inputs):
    """`f` as a function of the inputs that require grad, to a tuple; and the point, as fresh constants."""
    places = [i for i, x in enumerate(inputs) if is_variable(x)]

    def g(*xs):
        full = list(inputs)
        for i, x in zip(places, xs, strict=True):
            full[i] = x
        return tuple(y for y in as_tuple(f(*full)) if isinstance(y, Box) and y.dtype.kind == "f")

    return g, [tensor(inputs[i]) for i in places]


# Each of these three gives J[k][m], the matrix of output k by input m.


def numerical_jacobians(g, points, eps):
    """From central differences."""

    def part(k, m):
        return lambda x: g(*points[:m], x, *points[m + 1 :])[k]

    rows = [[jacobian(part(k, m), x, eps) for m, x in enumerate(points)] for k in range(len(g(*points)))]
    return [[as_matrix(J, x) for J, x in zip(row, points, strict=True)] for row in rows]


def as_matrix(J, x):
    """J of shape `y.shape + x.shape` as a matrix: a row for each number of y."""
    size = np.prod(J.shape[: J.ndim - x.ndim], dtype=int)
    return J.numpy().reshape(size, x.size)


def reverse_jacobians(g, points):
    """From one backward sweep for each number of the outputs: a row."""
    xs = [tensor(x, requires_grad=True) for x in points]
    rows = []
    for y in g(*xs):
        found = [pulled(y, xs, unit(y, i)) for i in np.ndindex(y.shape)]
        rows.append([np.array([t[m] for t in found]).reshape(y.size, x.size) for m, x in enumerate(xs)])
    return rows


def pulled(y, xs, y_bar):
    """J^T y_bar for every input; zeros where nothing flows."""
    if not y.requires_grad:
        return [np.zeros(x.shape) for x in xs]
    found = autograd.grad(y, xs, tensor(y_bar), retain_graph=True, materialize_grads=True)
    return [t.numpy() for t in found]


def forward_jacobians(g, points):
    """From one run with a tangent for each number of the inputs: a column."""
    found = [[pushed(g, points, {m: unit(x, j)}) for j in np.ndindex(x.shape)] for m, x in enumerate(points)]
    return [
        [np.array([t[k] for t in columns]).reshape(x.size, y.size).T for x, columns in zip(points, found, strict=True)]
        for k, y in enumerate(g(*points))
    ]


def pushed(g, points, tangents):
    """J x_dot for every output, where `tangents` are those of a few inputs by position."""
    x_dots = [tangents.get(i, np.zeros(x.shape, x.dtype)) for i, x in enumerate(points)]
    return [y_dot.detach().numpy() for y_dot in jvp(g, tuple(points), tuple(x_dots))[1]]


def compare(numerical, analytical, mode, points, inputs, atol, rtol):
    """Raise a GradcheckError for the first pair of Jacobians that differ."""
    places = [i for i, x in enumerate(inputs) if is_variable(x)]
    for k, row in enumerate(numerical):
        for m, n in enumerate(row):
            a = analytical[k][m]
            if not np.allclose(a, n, rtol, atol, equal_nan=True):
                (i, j), d = worst(a, n)
                raise GradcheckError(
                    f"Jacobian {mode}mismatch for output {k} with respect to input {places[m]},\n"
                    f"numerical:{tensor(n)}\nanalytical:{tensor(a)}\n"
                    f"at {tensor(points[m])}. The largest difference is {d:.3g}, in row {i} (output), column {j} "
                    f"(input), where {atol:g} + {rtol:g} * |numerical| is allowed.\n" + hint(a, n, points[m])
                )


def hint(analytical, numerical, x):
    """Where to look first."""
    if x.dtype != np.float64:
        return f"Differences of {x.dtype} are too coarse: give the input in float64."
    if not analytical.any() and numerical.any():
        return "No derivative flows although the output depends on the input: is there a detach(), item() or numpy()?"
    if not np.isfinite(analytical).all() or not np.isfinite(numerical).all():
        return "There are infinities or nans: is the point on the edge of the function's domain?"
    return (
        "If the function has a kink here (abs at 0, equals in max), move the point away from it. "
        "Otherwise a detach() hides a part of the derivative, or the rule of an operation is wrong."
    )


def compare_products(g, points):
    """Raise a GradcheckError unless <y_bar, J x_dot> = <J^T y_bar, x_dot> for random y_bar, x_dot."""
    xs = [tensor(x, requires_grad=True) for x in points]
    x_dots = {i: noise(x.shape, i).astype(x.dtype) for i, x in enumerate(points)}
    for k, (y, y_dot) in enumerate(zip(g(*xs), pushed(g, points, x_dots), strict=True)):
        y_bar = noise(y.shape, k).astype(y.dtype)
        x_bars = pulled(y, xs, y_bar)
        forward, reverse = np.sum(y_bar * y_dot), sum(np.sum(x_bars[i] * x_dots[i]) for i in x_dots)
        size = np.sum(np.abs(y_bar * y_dot)) + sum(np.sum(np.abs(x_bars[i] * x_dots[i])) for i in x_dots)
        if np.abs(forward - reverse) > 1e-10 * size:
            raise GradcheckError(
                f"Forward and reverse mode differ for output {k}: <y_bar, J x_dot> = {forward}, but "
                f"<J^T y_bar, x_dot> = {reverse}. Push and pull of one of its operations do not fit together."
            )


def noise(shape, i):
    """Fixed random numbers between 0.5 and 1.5, different for each i."""
    return 0.5 + np.random.RandomState(i).random_sample(shape)
