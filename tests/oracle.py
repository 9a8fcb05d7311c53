"""PyTorch as the oracle: the same numbers through two engines."""

import warnings

import numpy as np
import torch

import chainrule as cr

with warnings.catch_warnings():  # when first used, PyTorch's forward mode warns about PyTorch's own code
    warnings.simplefilter("ignore")
    torch.func.jvp(torch.sin, (torch.ones(()),), (torch.ones(()),))


def array(x):
    """The values of a tensor of either engine."""
    if isinstance(x, torch.Tensor):
        return x.detach().numpy(force=True)
    return x.detach().numpy() if isinstance(x, cr.Tensor) else np.asarray(x)


def assert_same(got, want, rtol=1e-9, atol=1e-11):
    """Same shape, dtype and numbers; of several tensors, one by one."""
    if isinstance(want, tuple | list):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            assert_same(g, w, rtol, atol)
    elif want is None:
        assert got is None
    else:
        got, want = array(got), array(want)
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
        np.testing.assert_allclose(got, want, rtol, atol)


def leaves(lib, arrays):
    return [lib.tensor(x, requires_grad=True) for x in arrays]


def backward(lib, f, arrays, cotangent):
    """The gradients that `f(*leaves).backward(cotangent)` leaves behind."""
    xs = leaves(lib, arrays)
    f(*xs).backward(lib.tensor(cotangent))
    return [x.grad for x in xs]


def hessian_product(f, arrays, directions):
    """PyTorch's derivative, along `directions`, of the gradient of `f`: two reverse sweeps."""
    xs = leaves(torch, arrays)
    gradients = torch.autograd.grad(f(*xs), xs, create_graph=True, materialize_grads=True)
    slope = sum((g * torch.tensor(v)).sum() for g, v in zip(gradients, directions, strict=True))
    if not slope.requires_grad:
        return [torch.zeros_like(x) for x in xs]
    return torch.autograd.grad(slope, xs, materialize_grads=True)


def second_order(f, arrays, directions):
    """Ours in the four nestings, outer mode first, and by `create_graph`, as pairs (name, result)."""
    xs, vs = tuple(map(cr.tensor, arrays)), tuple(map(cr.tensor, directions))
    every = tuple(range(len(xs)))

    def slope_by_reverse(*xs):
        return sum((g * v).sum() for g, v in zip(cr.grad(f, every)(*xs), vs, strict=True))

    def slope_by_forward(*xs):
        return cr.jvp(f, xs, vs)[1]

    def twice_backward():
        leaf = leaves(cr, arrays)
        gradients = cr.autograd.grad(f(*leaf), leaf, create_graph=True, materialize_grads=True)
        slope = sum((g * v).sum() for g, v in zip(gradients, vs, strict=True))
        if not slope.requires_grad:
            return [cr.zeros_like(x) for x in leaf]
        return cr.autograd.grad(slope, leaf, materialize_grads=True)

    yield "reverse over reverse", cr.grad(slope_by_reverse, every)(*xs)
    yield "forward over reverse", cr.jvp(cr.grad(f, every), xs, vs)[1]
    yield "reverse over forward", cr.grad(slope_by_forward, every)(*xs)
    yield "forward over forward", cr.jvp(slope_by_forward, xs, vs)[1]
    yield "create_graph", twice_backward()
