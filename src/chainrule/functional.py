"""Derivatives of functions: vjp, grad, jacobian, hessian, hvp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from . import functions, tape
from .batch import push_basis
from .errors import mismatch
from .forward import jvp
from .nested import leaves, repack
from .op import Box
from .reverse import sweep
from .tape import Leaf, levels, lift, number_or_array, outward, tensor_of
from .typing import Function, Value

if TYPE_CHECKING:
    from .tensor import Tensor


def vjp(f: Function, *primals: Value) -> tuple[Any, Callable[..., tuple[Tensor, ...]]]:
    """The value of `f` and its pullback at `primals`: one run forward, one sweep back per call.

    f        a function of as many arguments as there are primals, to a Tensor (or a tuple)
    primals  Tensors, arrays or floats

    Returns `(y, pullback)`. `pullback(y_bar)` takes a cotangent of the shape of y and gives
    the tuple of the primals' cotangents, x_bar = J^T y_bar. It may be called again.

    Raises RuntimeError without primals, for primals that are not floating point, for another
    number of cotangents than results, and for a cotangent whose shape is not that of y.

    >>> import chainrule as cr
    >>> y, pullback = cr.vjp(lambda x: x * x, cr.tensor([1.0, 2.0, 3.0]))
    >>> pullback(cr.tensor([1.0, 1.0, 1.0]))
    (tensor([2., 4., 6.]),)
    """
    if not primals:
        raise RuntimeError("vjp(f, *primals): Expected primals to contain at least one Tensor")
    level = next(levels)
    xs = [leaf(p, level) for p in primals]
    with tape.enable_grad():
        y = f(*xs)
    ys = [as_box(part) for part in leaves(y)]
    if not ys:
        raise RuntimeError(
            f"vjp(f, *primals): Expected f to be a function that has non-empty output (got output = {[*y]})"
        )

    def pullback(*cotangents):
        given = leaves(cotangents)
        if len(given) != len(ys):
            raise RuntimeError(f"the function has {len(ys)} outputs, but {len(given)} cotangents were given")
        seeds = []
        for i, (y, t) in enumerate(zip(ys, given, strict=True)):
            t = cotangent_like(y, t, i)
            if belongs(y, level) and y.node is not None:
                seeds.append((y.node, t))
        found = sweep(seeds, True, False, {x.node.number for x in xs}, level)
        return tuple(outward(found[n] if (n := x.node.number) in found else np.zeros_like(x.array)) for x in xs)

    return repack(y, [outward(y.array) if belongs(y, level) else y for y in ys]), pullback


def as_box(y):
    """A result as it is, or as a Tensor if it is an array or a number. Raises RuntimeError for what is neither."""
    if isinstance(y, Box):
        return y
    array = np.asarray(y)
    if array.dtype.kind not in "fiub":
        raise RuntimeError(
            f"vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported type {type(y)}"
        )
    return tensor_of(number_or_array(array))


def leaf(primal, level):
    """A leaf at `level` around `primal`."""
    x = tensor_of(lift(primal), None, level)
    x.node = Leaf(x)
    return x


def belongs(y, level):
    return type(y) is tape.Tensor and y.level == level


def cotangent_like(y, t, index=0):
    """The cotangent `t` as an array (or a box of an outer derivative), checked against the shape of `y`."""
    t = tape.constant_of(t)
    t = t if isinstance(t, Box) else number_or_array(np.asarray(t, None if np.ndim(t) else y.dtype))
    if t.shape != y.shape:
        raise mismatch(index, t.shape, y.shape)
    return t


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """The gradient of a function to one number, as a function: x -> df/dx, by one reverse sweep.

    f        a function whose result is one number (a 0-d Tensor)
    argnums  which argument to differentiate by; a tuple of several gives a tuple of gradients

    The function returned takes Tensors, arrays or floats and gives Tensors of their shapes.
    It can itself be differentiated.

    Raises RuntimeError if the result of `f` is not one number, if an argument is not floating
    point, and for an argument that is not there; TypeError for a list or dict of Tensors.

    >>> import chainrule as cr
    >>> f = lambda x: x**3 + 2 * x**2 - 5 * x + 1
    >>> cr.grad(f)(2.0)
    tensor(15.)
    >>> cr.grad(cr.grad(f))(2.0)
    tensor(16.)
    """
    both = value_and_grad(f, argnums)
    return wraps(f)(lambda *args, **kwargs: both(*args, **kwargs)[1])


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Callable[..., tuple[Tensor, Any]]:
    """The value and the gradient of a function to one number, as a function: x -> (f(x), df/dx).

    f        a function whose result is one number (a 0-d Tensor)
    argnums  which argument to differentiate by; a tuple of several gives a tuple of gradients

    `f` runs once, and one reverse sweep follows. Errors are those of `grad`.

    >>> import chainrule as cr
    >>> cr.value_and_grad(lambda x: x**3)(2.0)
    (tensor(8.), tensor(12.))
    """
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(f)
    def run(*args, **kwargs):
        for i in chosen:
            if not -len(args) <= i < len(args):
                raise RuntimeError(f"Got argnum={i}, but only {len(args)} positional inputs")
        if len({i % len(args) for i in chosen}) < len(chosen):
            places = tuple(i % len(args) for i in chosen)
            raise RuntimeError(f"argnums elements must be unique, got {places}")

        def of_chosen(*primals):
            full = list(args)
            for i, p in zip(chosen, primals, strict=True):
                full[i] = p
            y = f(*full, **kwargs)
            if not isinstance(y, Box | tuple | list):
                raise RuntimeError(f"grad(f)(*args): Expected f(*args) to return a Tensor, got {type(y)}")
            return y

        y, pullback = vjp(of_chosen, *(args[i] for i in chosen))
        if isinstance(y, tuple | list) or y.ndim:
            what = "a tuple" if isinstance(y, tuple | list) else f"tensor with {y.ndim} dims"
            raise RuntimeError(
                f"grad(f)(*args): Expected f(*args) to return a scalar tensor, got {what}. "
                "Maybe you wanted to use the vjp or jacobian instead?"
            )
        gradients = pullback(np.ones(y.shape, y.dtype)[()])
        return y, gradients[0] if isinstance(argnums, int) else gradients

    return run


def jacobian(f: Function, x: Value, mode: str = "reverse") -> Tensor:
    """The Jacobian matrix of `f` at `x`: J[i, j] = dy_i / dx_j.

    f     a function of one argument to a Tensor of any shape
    x     a Tensor, array or float
    mode  "reverse": sweeps back, each with up to 256 cotangents at once (a row of J each);
          "forward": runs, each with up to 256 tangents at once (a column each)

    Returns a Tensor of shape `y.shape + x.shape`. Both modes give the same numbers;
    reverse mode is cheaper for few outputs, forward mode for few inputs.

    Raises TypeError if the result of `f` is not a Tensor, ValueError for another mode.

    >>> import chainrule as cr
    >>> cr.jacobian(lambda x: x * x, cr.tensor([1.0, 2.0, 3.0]))
    tensor([[2., 0., 0.],
            [0., 4., 0.],
            [0., 0., 6.]])
    """
    if mode == "reverse":
        y, pullback = vjp(checked(f), x)
        cotangent = np.zeros(y.shape, y.dtype)[()]
        x_bar, rows = push_basis(lambda t: pullback(t)[0], cotangent, next(levels))
        return outward(rows.reshape((*y.shape, *x_bar.shape)))
    if mode == "forward":
        point = lift(x)
        y, columns = push_basis(checked(f), point, next(levels))
        whole = outward(columns.reshape((*point.shape, *y.shape)))
        return functions.permute(whole, *range(point.ndim, whole.ndim), *range(point.ndim))
    raise ValueError(f'mode must be "reverse" or "forward", but is {mode!r}')


def checked(f):
    def run(x):
        y = f(x)
        if not isinstance(y, Box):
            raise TypeError(
                "The outputs of the user-provided function given to jacobian must be either a Tensor or a tuple of "
                f"Tensors but the given outputs of the user-provided function has type {type(y)}."
            )
        return y

    return run


def hessian(f: Function, x: Value) -> Tensor:
    """The Hessian matrix of `f` at `x`: H[i, j] = d2f / dx_i dx_j. Forward mode over reverse mode.

    f  a function of one argument to one number
    x  a Tensor, array or float

    Returns a Tensor of shape `x.shape + x.shape`. Raises RuntimeError if the result of `f`
    is not one number.

    >>> import chainrule as cr
    >>> cr.hessian(lambda x: (x**3).sum(), cr.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(grad(f), x, mode="forward")


def hvp(f: Function, x: Value, v: Value) -> Tensor:
    """The product of the Hessian of `f` at `x` with a vector, at the cost of a few gradients.

    f  a function of one argument to one number
    x  a Tensor, array or float
    v  the direction, of the shape of x

    Returns a Tensor of x's shape: the tangent of the gradient along v. The matrix is never
    made. (Pearlmutter 1994.) Raises RuntimeError if v has another shape than x, or the result
    of `f` is not one number.

    >>> import chainrule as cr
    >>> cr.hvp(lambda x: (x**3).sum(), cr.tensor([1.0, 2.0]), cr.tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """
    return jvp(grad(f), (x,), (v,))[1]
