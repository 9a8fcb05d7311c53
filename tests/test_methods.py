"""The public functions, called as functions and as methods, against PyTorch's of the same names."""

import numpy as np
import pytest
import torch
from oracle import array, assert_same, backward, hessian_product, second_order

import chainrule as cr
from chainrule import functions
from chainrule.library import numpy_calls

X = np.array([[0.3, 0.9, 0.5], [0.7, 0.2, 0.6]])
CUBE = np.cos(np.arange(1.0, 13.0)).reshape(2, 3, 2)


def call(*args, x=X, **kwargs):
    """What a function is called with, after `x`; arrays among it become tensors."""
    return x, args, kwargs


NO_ARGUMENTS = [
    "abs",
    "acos",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "clone",
    "cos",
    "cosh",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "ravel",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "t",
    "tan",
    "tanh",
]
REDUCED = [call(), call(0), call(1, keepdim=True), call(dim=-1), call(x=np.float64(0.5)), call(-1, True)]
OF_TWO = [call(np.cos(X)), call(np.array([0.4, 1.2, 0.8])), call(np.float64(0.8)), call(0.8)]
OF_TENSORS = OF_TWO[:3]

# What each is called with, after x. Those with an empty list are called below, with several tensors or a dtype.
CALLS = {
    **{name: [call()] for name in NO_ARGUMENTS},
    "acosh": [call(x=X + 1)],
    "add": OF_TWO,
    "sub": OF_TWO,
    "mul": OF_TWO,
    "div": OF_TWO,
    "pow": [*OF_TWO, call(2), call(-1), call(0), call(0.5)],
    "maximum": OF_TENSORS,
    "minimum": OF_TENSORS,
    "gt": OF_TWO,
    "ge": OF_TWO,
    "lt": OF_TWO,
    "le": OF_TWO,
    "eq": OF_TWO,
    "ne": OF_TWO,
    "softplus": [call(), call(2.0), call(beta=0.5), call(threshold=0.4), call(x=X * 1000), call(x=-X * 1000)],
    "where": [],
    "clamp": [
        call(0.4, 0.65),
        call(min=0.4),
        call(max=0.65),
        call(0.65, 0.4),
        call(np.array([0.4, 0.1, 0.8]), np.array(0.65)),
        call(max=np.array([0.4, 0.1, 0.8])),
    ],
    "clip": [call(0.4, 0.65), call(min=0.4), call(max=0.65)],
    "sum": [*REDUCED, call((0, 1)), call((-1, 0), keepdim=True), call((0, 2), x=CUBE), call([1], x=CUBE)],
    "mean": [*REDUCED, call((0, 1)), call((0, 2), x=CUBE)],
    "amax": [*REDUCED, call((0, 1)), call((0, 2), x=CUBE)],
    "amin": [*REDUCED, call((0, 1)), call((0, 2), x=CUBE)],
    "logsumexp": [call(0), call(1, keepdim=True), call((0, 1)), call(0, x=X * 1000), call(0, x=np.float64(0.5))],
    "prod": [call(), call(0), call(1, keepdim=True), call(-1), call(x=np.float64(0.5)), call(1, x=CUBE)],
    "var": [
        call(),
        call(0),
        call(1, keepdim=True),
        call((0, 1)),
        call(correction=0),
        call(1, correction=0),
        call(unbiased=False),
        call(False),
        call(True),
        call(1, unbiased=False),
        call((0, 2), x=CUBE, correction=2),
        call(correction=0.5),
    ],
    "std": [call(), call(0), call(1, keepdim=True), call(correction=0), call(unbiased=False), call(1, unbiased=False)],
    "norm": [
        *(call(p) for p in (2, 1, 0, 3, 2.5, 0.5, np.inf, -np.inf)),
        *(call(p, dim=1) for p in (2, 1, 0, 3, np.inf, -np.inf)),
        *(call(p, 0, True) for p in (2, 1, 3, np.inf)),
        call(),
        call("fro"),
        call(dim=(0, 1)),
        call(1, dim=(0, 2), x=CUBE),
        call(x=-CUBE),
        call(3, x=-CUBE),
        call(x=np.float64(-0.5)),
        call(3, x=np.float64(-0.5)),
    ],
    "max": [
        call(),
        call(0),
        call(1, keepdim=True),
        call(np.array([0.4, 0.1, 0.8])),
        call(0, x=np.float64(0.5)),
        call(1, x=CUBE),
    ],
    "min": [
        call(),
        call(0),
        call(1, keepdim=True),
        call(np.array([0.4, 0.1, 0.8])),
        call(0, x=np.float64(0.5)),
        call(-1, x=CUBE),
    ],
    "argmax": [call(), call(0), call(1, keepdim=True), call(x=np.float64(0.5)), call(1, x=CUBE)],
    "argmin": [call(), call(0), call(1, keepdim=True), call(x=np.float64(0.5)), call(-1, x=CUBE)],
    "softmax": [call(0), call(1), call(dim=-1), call(1, x=X * 1000), call(1, x=CUBE), call(0, x=np.float64(0.5))],
    "log_softmax": [call(0), call(1), call(dim=-1), call(1, x=X * 1000), call(1, x=CUBE), call(0, x=np.float64(0.5))],
    "cumsum": [call(0), call(1), call(-1), call(1, x=CUBE), call(0, x=np.float64(0.5))],
    "reshape": [
        call(6),
        call(3, 2),
        call((3, -1)),
        call(-1),
        call(1, 2, 1, 3),
        call((), x=np.float64(0.5)),
        call(1, x=np.float64(0.5)),
    ],
    "view": [call(6), call(3, 2), call((3, -1))],
    "flatten": [call(), call(0, 1, x=CUBE), call(1, x=CUBE), call(-2, -1, x=CUBE), call(x=np.float64(0.5))],
    "squeeze": [
        call(x=X[:, None]),
        call(1, x=X[:, None]),
        call(0, x=X[:, None]),
        call((0, 1), x=X[None, :, None]),
        call(),
    ],
    "unsqueeze": [call(0), call(1), call(2), call(-1), call(-3), call(0, x=np.float64(0.5))],
    "permute": [call(1, 0), call((1, 0)), call(2, 0, 1, x=CUBE), call(-1, 0, 1, x=CUBE)],
    "transpose": [call(0, 1), call(-1, 0), call(0, 2, x=CUBE)],
    "swapaxes": [call(0, 1), call(-1, 0, x=CUBE)],
    "movedim": [call(0, 1), call(0, 2, x=CUBE), call(-1, 0, x=CUBE)],
    "expand": [
        call(2, 3),
        call(4, 2, 3),
        call((4, -1, -1)),
        call(2, 5, 3, x=X[:, None]),
        call(3, 2, x=np.float64(0.5)),
    ],
    "broadcast_to": [call((4, 2, 3))],
    "flip": [call(0), call(0, 1), call((1,)), call(-1, x=CUBE)],
    "cat": [],
    "concat": [],
    "concatenate": [],
    "stack": [],
    "t": [call(), call(x=X[0]), call(x=np.float64(0.5))],
    "matmul": [call(X.T.copy()), call(X[0]), call(CUBE.mT.copy(), x=CUBE), call(X[1], x=X[0])],
    "mm": [call(X.T.copy())],
    "mv": [call(X[0])],
    "dot": [call(X[1], x=X[0])],
    "outer": [call(X[1, :2], x=X[0])],
    "astype": [],
}


def ours_as_function(name, args, kwargs):
    return lambda x: values_of(getattr(cr, name)(x, *given(cr, args), **given(cr, kwargs)))


def ours_as_method(name, args, kwargs):
    return lambda x: values_of(getattr(x, name)(*given(cr, args), **given(cr, kwargs)))


def theirs(name, args, kwargs):
    home = torch.Tensor if hasattr(torch.Tensor, name) else torch if hasattr(torch, name) else torch.nn.functional
    return lambda x: values_of(getattr(home, name)(x, *given(torch, args), **given(torch, kwargs)))


def given(lib, arguments):
    if isinstance(arguments, dict):
        return {key: given(lib, [value])[0] for key, value in arguments.items()}
    return [lib.tensor(x) if isinstance(x, np.ndarray | np.float64) else x for x in arguments]


def values_of(y):
    """The values of a pair (values, indices)."""
    return y.values if isinstance(y, tuple) else y


CASES = [pytest.param(name, *case, id=f"{name}-{i}") for name, cases in CALLS.items() for i, case in enumerate(cases)]


def test_every_public_function_has_a_call():
    assert set(CALLS) == set(functions.__all__)


@pytest.mark.parametrize(("name", "x", "args", "kwargs"), CASES)
def test_function_and_method_are_pytorchs_in_both_modes(name, x, args, kwargs):
    reference = theirs(name, args, kwargs)
    want = reference(torch.tensor(x))
    tangent = np.asarray(np.sin(3 * x))
    ways = [ours_as_function] + [ours_as_method] * hasattr(cr.Tensor, name)
    for ours in (way(name, args, kwargs) for way in ways):
        assert_same(ours(cr.tensor(x)), want)
        if not want.is_floating_point():
            continue
        y_bar = np.asarray(np.cos(1 + np.arange(want.numel())).reshape(want.shape))
        (x_bar,) = backward(torch, reference, [x], y_bar)
        assert_same(backward(cr, ours, [x], y_bar), [torch.zeros(x.shape, dtype=float) if x_bar is None else x_bar])
        pushed = torch.func.jvp(reference, (torch.tensor(x),), (torch.tensor(tangent),))
        assert_same(cr.jvp(ours, (x,), (tangent,)), pushed)


@pytest.mark.parametrize(("name", "x", "args", "kwargs"), CASES)
def test_second_order_is_pytorchs_in_every_nesting(name, x, args, kwargs):
    ours, reference = ours_as_function(name, args, kwargs), theirs(name, args, kwargs)
    want = reference(torch.tensor(x))
    if not want.is_floating_point():
        return
    y_bar, v = np.asarray(np.cos(1 + np.arange(want.numel())).reshape(want.shape)), np.asarray(np.sin(3 * x))
    want = hessian_product(lambda x: (reference(x) * torch.tensor(y_bar)).sum(), [x], [v])
    for nesting, got in second_order(lambda x: (ours(x) * y_bar).sum(), [x], [v]):
        try:
            if nesting == "forward over forward":
                np.testing.assert_allclose(array(got), np.sum(array(want[0]) * v), 1e-8, 1e-10)
            else:
                assert_same(got, want, 1e-8, 1e-10)
        except AssertionError as error:
            error.add_note(nesting)
            raise


# ---- functions of several tensors


def nn(lib):
    return lib.nn.functional if lib is torch else lib.nn


SEVERAL = {
    "cat": lambda lib, a, b: lib.cat([a, b, a]),
    "cat along 1": lambda lib, a, b: lib.cat((a, b), 1),
    "cat along -1": lambda lib, a, b: lib.cat((a, b[:, :1]), dim=-1),
    "cat with a constant": lambda lib, a, b: lib.cat([a, lib.tensor(X), b]),
    "concat": lambda lib, a, b: lib.concat([a, b]),
    "concatenate": lambda lib, a, b: lib.concatenate([a, b], 1),
    "stack": lambda lib, a, b: lib.stack([a, b]),
    "stack along 1": lambda lib, a, b: lib.stack((a, b, b), 1),
    "stack along -1": lambda lib, a, b: lib.stack([a, b], dim=-1),
    "stack of numbers": lambda lib, a, b: lib.stack([a.sum(), b.sum(), a[0, 0]]),
    "where": lambda lib, a, b: lib.where(a > b, a, b),
    "where with numbers": lambda lib, a, b: lib.where(a > b, a, 0.0) + lib.where(a > b, 1.5, b),
    "where with a row": lambda lib, a, b: lib.where(a > b, a[0], b),
    "where with a wider condition": lambda lib, a, b: lib.where(a > b, a[0, 0], b[0]),
    "where as a method": lambda lib, a, b: a.where(a > b, b),
    "max of two": lambda lib, a, b: a.max(b) + lib.min(a, b),
    "clamp by results": lambda lib, a, b: a.clamp(b, b + 0.3),
    "matmul": lambda lib, a, b: lib.matmul(a, b.t()) @ a,
    "outer": lambda lib, a, b: a[0].outer(b[1]),
    "two tensors each way": lambda lib, a, b: a**b / (b - a * 3) + b,
    "max and its indices": lambda lib, a, b: b[(lib.tensor([0, 1]), a.max(1).indices)],
    "tuples and ranges as indices": lambda lib, a, b: a[:, (0, 2)] * b[(0, 1), (1, 2)] * b[range(1)][0, 0],
    "permute by name": lambda lib, a, b: a.permute(dims=(1, 0)) @ b,
    "masked_fill": lambda lib, a, b: a.masked_fill(a > b, 2) * b,
    "binary cross entropy": lambda lib, a, b: nn(lib).binary_cross_entropy(a, b, reduction="none"),
    "weighted losses": lambda lib, a, b: (
        nn(lib).mse_loss(a, b, weight=lib.tensor(X)) + nn(lib).l1_loss(a, b, weight=lib.tensor(X))
    ),
    "huber losses": lambda lib, a, b: nn(lib).huber_loss(a, b, delta=0.22) + nn(lib).smooth_l1_loss(a, b, beta=0.35),
    "eigenvectors": lambda lib, a, b: lib.linalg.eigh(a @ b.mT + b @ a.mT)[1] ** 2,
    "shape by calling": lambda lib, a, b: a.reshape(a.size(1), -1) @ b.reshape(b.size()),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_function_of_several_is_pytorchs_in_every_mode(name):
    f = SEVERAL[name]
    arrays = [X, np.array([[0.5, 0.4, 0.8], [0.1, 0.65, 0.35]])]
    directions = [np.sin(3 * x) for x in arrays]
    ours, reference = (lambda *xs, lib=lib: f(lib, *xs) for lib in (cr, torch))
    want = reference(*map(torch.tensor, arrays))
    y_bar = np.cos(np.arange(want.numel())).reshape(want.shape)
    assert_same(ours(*map(cr.tensor, arrays)), want)
    assert_same(backward(cr, ours, arrays, y_bar), backward(torch, reference, arrays, y_bar))
    pushed = torch.func.jvp(reference, tuple(map(torch.tensor, arrays)), tuple(map(torch.tensor, directions)))
    assert_same(cr.jvp(ours, tuple(arrays), tuple(directions)), pushed)
    want = hessian_product(lambda *xs: (reference(*xs) * torch.tensor(y_bar)).sum(), arrays, directions)
    for nesting, got in second_order(lambda *xs: (ours(*xs) * y_bar).sum(), arrays, directions):
        if nesting != "forward over forward":
            assert_same(got, want, 1e-8, 1e-10)


# ---- NumPy's spelling, and NumPy's own functions

NUMPY = {
    "axis": lambda lib, x: lib.sum(x, axis=0),
    "keepdims": lambda lib, x: lib.mean(x, axis=1, keepdims=True),
    "axis of max": lambda lib, x: lib.argmax(x, axis=1),
    "ddof": lambda lib, x: lib.var(x, ddof=1),
    "ddof of std": lambda lib, x: lib.std(x, axis=1, ddof=2),
    "prod": lambda lib, x: lib.prod(x, axis=1),
    "cumsum": lambda lib, x: lib.cumsum(x, axis=1),
    "clip": lambda lib, x: lib.clip(x, 0.3, 0.6),
    "concatenate": lambda lib, x: lib.concatenate([x, x], axis=1),
    "stack": lambda lib, x: lib.stack([x, x], axis=2),
    "transpose": lambda lib, x: lib.transpose(x),
    "transpose with an order": lambda lib, x: lib.transpose(x, (1, 0)),
    "swapaxes": lambda lib, x: lib.swapaxes(x, 0, 1),
    "reshape": lambda lib, x: lib.reshape(x, (3, 2)),
    "squeeze": lambda lib, x: lib.squeeze(x[:, None], axis=1),
    "broadcast_to": lambda lib, x: lib.broadcast_to(x, (4, 2, 3)),
    "flip": lambda lib, x: lib.flip(x),
    "outer": lambda lib, x: lib.outer(x[0], x[1]),
    "matrices in dot": lambda lib, x: lib.dot(x, x.T),
    "where": lambda lib, x: lib.where(x > 0.5, x, 0.0),
    "astype": lambda lib, x: x.astype(np.float32),
    "round": lambda lib, x: lib.round(x),
    "ravel": lambda lib, x: lib.ravel(x),
    "amax": lambda lib, x: lib.amax(x, axis=(0, 1)),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpys_spelling_means_what_it_means_in_numpy(name):
    f = NUMPY[name]
    want = f(np, X)
    assert_same(f(cr, cr.tensor(X)), want)
    through_numpy = f(np, cr.tensor(X, requires_grad=True))
    assert type(through_numpy) is cr.Tensor
    assert_same(through_numpy, want)


SQUARE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 3.0]])
CUBE = np.linspace(0.1, 2.4, 24).reshape(2, 3, 4)

# NumPy's functions in NumPy's spelling: what they do with the array they must do with the Tensor.
NUMPYS = {
    np.sum: [
        lambda x: np.sum(x, 0),
        lambda x: np.sum(x > 0, 0, np.float64),
        lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    ],
    np.mean: [lambda x: np.mean(x, -1)],
    np.prod: [lambda x: np.prod(x, axis=1)],
    np.amax: [lambda x: np.amax(x, axis=0)],
    np.amin: [lambda x: np.amin(x, axis=0, keepdims=True)],
    np.max: [lambda x: np.max(x), lambda x: np.max(x, axis=1), lambda x: np.max(x, keepdims=True)],
    np.min: [lambda x: np.min(x), lambda x: np.min(x, 1), lambda x: np.min(x, axis=(0, 1), keepdims=True)],
    np.var: [lambda x: np.var(x), lambda x: np.var(x, axis=0, ddof=1), lambda x: np.var(x, 1, keepdims=True)],
    np.std: [lambda x: np.std(x), lambda x: np.std(x, axis=1)],
    np.reshape: [lambda x: np.reshape(x, (9, 1)), lambda x: np.reshape(x, -1)],
    np.ravel: [lambda x: np.ravel(x)],
    np.squeeze: [lambda x: np.squeeze(x[None, :, None], axis=(0, 2))],
    np.transpose: [lambda x: np.transpose(x), lambda x: np.transpose(x[None], axes=(1, 2, 0))],
    np.where: [lambda x: np.where(x > 0, x, -x)],
    np.clip: [lambda x: np.clip(x, 0.25, 1.7)],
    np.stack: [lambda x: np.stack([x, x], -1)],
    np.broadcast_to: [lambda x: np.broadcast_to(x, shape=(2, 3, 3))],
    np.flip: [lambda x: np.flip(x), lambda x: np.flip(x, axis=(0, 1))],
    np.fliplr: [np.fliplr],
    np.flipud: [np.flipud],
    np.tril: [lambda x: np.tril(x, -1)],
    np.triu: [lambda x: np.triu(x, 1)],
    np.tile: [lambda x: np.tile(x, (2, 1))],
    np.moveaxis: [lambda x: np.moveaxis(x[None], 0, -1)],
    np.vstack: [lambda x: np.vstack([x, x[0]])],
    np.hstack: [lambda x: np.hstack([x, x])],
    np.dstack: [lambda x: np.dstack([x, x])],
    np.atleast_1d: [lambda x: np.atleast_1d(x[0, 0])],
    np.atleast_2d: [lambda x: np.atleast_2d(x[0])],
    np.atleast_3d: [lambda x: np.atleast_3d(x)],
    np.nan_to_num: [lambda x: np.nan_to_num(x), lambda x: np.nan_to_num(x, True, nan=1.0)],
    np.sinc: [np.sinc],
    np.inner: [lambda x: np.inner(x, x)],
    np.vdot: [lambda x: np.vdot(x[0], x[1]), lambda x: np.vdot(x, x.T)],
    np.kron: [lambda x: np.kron(x, x)],
    np.einsum: [lambda x: np.einsum("ij,jk->ki", x, x), lambda x: np.einsum(x, [0, 0])],
    np.linalg.inv: [np.linalg.inv],
    np.linalg.det: [np.linalg.det],
    np.linalg.solve: [
        lambda x: np.linalg.solve(x, x[:, :2] ** 2),
        lambda x: np.linalg.solve(x, x[0] ** 2),
        lambda x: np.linalg.solve(np.stack([x, x @ x, x + 1]), x**2),
    ],
    np.linalg.slogdet: [lambda x: np.linalg.slogdet(x)[1]],
    np.linalg.cholesky: [lambda x: np.linalg.cholesky(x @ x.T)],
    np.linalg.eigh: [lambda x: np.linalg.eigh(x @ x.T)[0]],
    np.linalg.eigvalsh: [lambda x: np.linalg.eigvalsh(x @ x.T)],
    np.linalg.matrix_power: [lambda x: np.linalg.matrix_power(x, 3)],
    np.linalg.multi_dot: [lambda x: np.linalg.multi_dot([x, x, x])],
    np.linalg.norm: [
        lambda x: np.linalg.norm(x),
        lambda x: np.linalg.norm(x, keepdims=True),
        lambda x: np.linalg.norm(x[0], 3),
        lambda x: np.linalg.norm(x, 2),
        lambda x: np.linalg.norm(x, 1),
        lambda x: np.linalg.norm(x, -np.inf, axis=(0, 1)),
        lambda x: np.linalg.norm(x, "nuc"),
        lambda x: np.linalg.norm(x, ord=1, axis=0, keepdims=True),
    ],
    np.cumsum: [lambda x: np.cumsum(x), lambda x: np.cumsum(x, axis=1)],
    np.cumprod: [lambda x: np.cumprod(x), lambda x: np.cumprod(x, 0)],
    np.dot: [
        lambda x: np.dot(x, 2.0),
        lambda x: np.dot(x, x[0]),
        lambda x: np.dot(x[0], np.ones((2, 3, 4))),
        lambda x: np.dot(x, np.ones((2, 3, 4))),
        lambda x: np.dot(np.ones((2, 4, 3)), x),
        lambda x: np.dot(CUBE.transpose(0, 2, 1), x[None]),
    ],
    np.outer: [lambda x: np.outer(x, x[0])],
    np.concatenate: [lambda x: np.concatenate([x, x], axis=None), lambda x: np.concatenate((x, x), 1)],
    np.expand_dims: [lambda x: np.expand_dims(x, axis=1), lambda x: np.expand_dims(x, (0, -1))],
    np.swapaxes: [lambda x: np.swapaxes(x, axis1=0, axis2=1)],
    np.round: [lambda x: np.round(x * 1.01), lambda x: np.round(x * 1.234, 1)],
    np.around: [lambda x: np.around(x * 1.234, decimals=2)],
    np.diff: [lambda x: np.diff(x), lambda x: np.diff(x, n=2, axis=0)],
    np.nansum: [lambda x: np.nansum(x, axis=0, keepdims=True)],
    np.sort: [lambda x: np.sort(x), lambda x: np.sort(x, axis=0)],
    np.roll: [lambda x: np.roll(x, 1), lambda x: np.roll(x, shift=-1, axis=1)],
    np.rot90: [lambda x: np.rot90(x, k=1, axes=(1, 0))],
    np.diag: [lambda x: np.diag(x, k=1), lambda x: np.diag(x[0])],
    np.diagonal: [lambda x: np.diagonal(x[None], offset=1, axis1=1, axis2=2)],
    np.trace: [np.trace],
    np.tensordot: [lambda x: np.tensordot(x, x, axes=1), lambda x: np.tensordot(x, x, ([0], [0]))],
    np.copy: [np.copy],
    np.full_like: [lambda x: x * np.full_like(x, 2.0)],
    np.ones_like: [lambda x: x + np.ones_like(x)],
    np.zeros_like: [lambda x: x + np.zeros_like(x, dtype=np.float32)],
    np.shape: [lambda x: x * np.shape(x)[0]],
    np.ndim: [lambda x: x * np.ndim(x)],
    np.size: [lambda x: x * np.size(x), lambda x: x * np.size(x, 1)],
    np.any: [lambda x: np.any(x > 1, axis=0)],
    np.all: [lambda x: np.all(x > 0, axis=1, keepdims=True)],
    np.isclose: [lambda x: np.isclose(x, x.T)],
    np.allclose: [lambda x: np.allclose(x, x + 1e-9)],
    np.array_equal: [lambda x: np.array_equal(x, x.T)],
    np.argmax: [lambda x: np.argmax(x), lambda x: np.argmax(x, axis=1)],
    np.argmin: [lambda x: np.argmin(x, axis=0, keepdims=True)],
    np.argsort: [lambda x: np.argsort(x, axis=0)],
}


@pytest.mark.parametrize(
    "function", numpy_calls.FUNCTIONS | numpy_calls.BESIDE, ids=lambda f: f"{f.__module__}.{f.__name__}"
)
def test_numpys_function_of_a_tensor_is_the_tensor_of_numpys_function(function):
    for call in NUMPYS[function]:
        want = np.asarray(call(SQUARE))
        got = call(cr.tensor(SQUARE, requires_grad=True))
        assert_same(got if isinstance(got, cr.Tensor) else cr.tensor(got), want)
        if getattr(got, "requires_grad", False):
            assert cr.gradcheck(call, cr.tensor(SQUARE + np.triu(SQUARE, 1) * 0.1, requires_grad=True))


@pytest.mark.parametrize("ufunc", numpy_calls.UFUNCS, ids=lambda ufunc: ufunc.__name__)
def test_numpys_ufunc_of_a_tensor_is_the_tensor_of_numpys_ufunc(ufunc):
    bits = ufunc in (np.bitwise_and, np.bitwise_or, np.invert)
    values = X + 1 if ufunc is np.arccosh else X > 0.5 if bits else X
    arrays = (values, values.T.copy()) if ufunc is np.matmul else (values, values[0])[: ufunc.nin]
    got = ufunc(*(cr.tensor(a, requires_grad=not bits) for a in arrays))
    assert_same(got, ufunc(*arrays))
    assert_same(ufunc(arrays[0], *map(cr.tensor, arrays[1:])), ufunc(*arrays))


def test_functions_take_plain_arrays_and_give_plain_arrays():
    for f in (
        cr.exp,
        cr.sum,
        cr.softplus,
        lambda x: cr.norm(x, 3),
        lambda x: cr.max(x, 1).values,
        lambda x: cr.cat([x, x]),
    ):
        assert type(f(X)) in (np.ndarray, np.float64)


@pytest.mark.parametrize("name", [name for name in dir(cr.Tensor) if name in functions.__all__])
def test_method_is_the_function_of_the_same_name(name):
    if name != "where":
        assert getattr(cr.Tensor, name) is getattr(cr, name)
