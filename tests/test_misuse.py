"""Misuse: the same mistake made in both libraries, and what each says."""

import copy
import re
import warnings

import numpy as np
import pytest
import torch

import chainrule as cr


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def ones(lib, *shape, requires_grad=True):
    return lib.tensor(np.ones(shape), requires_grad=requires_grad)


def const(lib, *shape):
    return lib.tensor(np.ones(shape))


def float32(lib, *shape):
    return lib.tensor(np.ones(shape, np.float32))


def nn(lib):
    return lib.nn.functional if lib is torch else lib.nn


def grad(lib, *args, **kwargs):
    return lib.autograd.grad(*args, **kwargs)


def twice(f):
    """A second backward pass through what f makes of a leaf."""

    def run(lib):
        y = f(lib, lib.tensor([[0.5, 2.0], [3.0, 0.25]], requires_grad=True))
        y.sum().backward()
        y.sum().backward()

    return run


def stale(f):
    """A backward pass after f has overwritten something; f is given a result and a function that writes."""

    def run(lib):
        x = lib.tensor([[0.5, 2.0], [3.0, 0.25]], requires_grad=True)
        f(x * 1).sum().backward()

    return run


def wrote(y, *written):
    """y, after adding 1 in place to each of `written`."""
    for w in written:
        w += 1
    return y


def setting(index, value):
    def run(lib):
        y = ones(lib, 2, 3) * 1
        y[index] = value(lib) if callable(value) else value
        return y

    return run


def assign(name, value):
    def run(lib):
        x = ones(lib, 3)
        setattr(x, name, value(lib))

    return run


def in_functional(f):
    """A function of torch.func and of chainrule, which have the same names for the same things."""
    return lambda lib: f(lib if lib is cr else torch.func, lib)


MISUSE = {
    # ---- backward
    "backward of a vector": lambda lib: (ones(lib, 3) * 2).backward(),
    "backward of an empty vector": lambda lib: (ones(lib, 0) * 2).backward(),
    "backward of a constant": lambda lib: const(lib, 3).sum().backward(),
    "backward of a constant with a gradient": lambda lib: const(lib, 3).backward(const(lib, 3)),
    "backward of an integer": lambda lib: lib.tensor(3).backward(),
    "backward of what no_grad made": lambda lib: under_no_grad(lib, lambda: ones(lib) * 2).backward(),
    "backward of what was detached": lambda lib: (ones(lib) * 2).detach().backward(),
    "gradient of another length": lambda lib: (ones(lib, 3) * 2).backward(const(lib, 2)),
    "gradient that would broadcast": lambda lib: (ones(lib, 2, 3) * 2).backward(const(lib, 3)),
    "gradient with one number for a vector": lambda lib: (ones(lib, 3) * 2).backward(const(lib)),
    "gradient of a vector for a number": lambda lib: (ones(lib) * 2).backward(const(lib, 3)),
    "gradient that is a float": lambda lib: (ones(lib, 3) * 2).backward(2.0),
    "gradient that is an int": lambda lib: (ones(lib, 3) * 2).backward(2),
    # ---- a second pass
    **{
        f"second backward through {name}": twice(f)
        for name, f in {
            "x * x": lambda lib, x: x * x,
            "x * constant": lambda lib, x: x * const(lib, 2, 2),
            "x / x": lambda lib, x: x / x,
            "1 / x": lambda lib, x: 1 / x,
            "x ** 2": lambda lib, x: x**2,
            "x ** x": lambda lib, x: x**x,
            "2 ** x": lambda lib, x: 2**x,
            "exp": lambda lib, x: x.exp(),
            "log": lambda lib, x: x.log(),
            "tanh": lambda lib, x: x.tanh(),
            "relu": lambda lib, x: x.relu(),
            "abs": lambda lib, x: x.abs(),
            "sqrt": lambda lib, x: x.sqrt(),
            "x @ x": lambda lib, x: x @ x,
            "max": lambda lib, x: x.max(),
            "amax": lambda lib, x: x.amax(),
            "norm": lambda lib, x: x.norm(),
            "var": lambda lib, x: x.var(),
            "std": lambda lib, x: x.std(),
            "prod": lambda lib, x: x.prod(),
            "softmax": lambda lib, x: x.softmax(0),
            "logsumexp": lambda lib, x: x.logsumexp(0),
            "clamp": lambda lib, x: x.clamp(0, 1),
            "maximum": lambda lib, x: lib.maximum(x, x * 2),
        }.items()
    },
    **{
        f"second backward through {name} is allowed": twice(f)
        for name, f in {
            "x + x": lambda lib, x: x + x,
            "x * 2": lambda lib, x: x * 2,
            "x / 2": lambda lib, x: x / 2,
            "-x": lambda lib, x: -x,
            "sum": lambda lib, x: x.sum(0),
            "mean": lambda lib, x: x.mean(),
            "reshape": lambda lib, x: x.reshape(4),
            "x[0]": lambda lib, x: x[0],
            "x[:1]": lambda lib, x: x[:1],
            "clone": lambda lib, x: x.clone(),
            "expand": lambda lib, x: x.expand(3, 2, 2),
            "cumsum": lambda lib, x: x.cumsum(0),
            "cat": lambda lib, x: lib.cat([x, x]),
            "stack": lambda lib, x: lib.stack([x, x]),
            "floor": lambda lib, x: x.floor(),
            "transpose": lambda lib, x: x.t(),
        }.items()
    },
    "second autograd.grad": lambda lib: (lambda x: (lambda y: (grad(lib, y, x), grad(lib, y, x)))(x * x))(ones(lib)),
    "backward after autograd.grad": lambda lib: (lambda x: (lambda y: (grad(lib, y, x), y.backward()))(x * x))(
        ones(lib)
    ),
    "a shared part was freed": lambda lib: (lambda s: ((s * 2).backward(), (s * 3).backward()))(ones(lib).exp()),
    # ---- leaves
    "requires_grad for integers": lambda lib: lib.tensor([1, 2], requires_grad=True),
    "requires_grad for truth values": lambda lib: lib.tensor([True], requires_grad=True),
    "requires_grad_() of integers": lambda lib: lib.tensor([1, 2]).requires_grad_(),
    "requires_grad_(False) of integers": lambda lib: lib.tensor([1, 2]).requires_grad_(False),
    "requires_grad_(False) of a result": lambda lib: (ones(lib) * 2).requires_grad_(False),
    "requires_grad = False of a result": lambda lib: setattr(ones(lib) * 2, "requires_grad", False),
    "retain_grad of a constant": lambda lib: const(lib).retain_grad(),
    "register_hook of a constant": lambda lib: const(lib).register_hook(lambda g: g),
    "hook that returns a float": lambda lib: hooked(lib, lambda g: 3.0),
    "hook that returns another shape": lambda lib: hooked(lib, lambda g: const(lib, 2)),
    "hook that raises": lambda lib: hooked(lib, lambda g: 1 / 0),
    "grad of a result": lambda lib: (ones(lib) * 2).grad,
    # ---- assigning grad
    "grad = an int": assign("grad", lambda lib: 5),
    "grad = a string": assign("grad", lambda lib: "a"),
    "grad = another shape": assign("grad", lambda lib: const(lib, 2)),
    "grad = a number for a vector": assign("grad", lambda lib: const(lib)),
    "grad = itself": lambda lib: (lambda x: setattr(x, "grad", x))(ones(lib, 3)),
    "grad = None": assign("grad", lambda lib: None),
    # ---- values
    "numpy() of a leaf": lambda lib: ones(lib).numpy(),
    "numpy() of a result": lambda lib: (ones(lib, 3) * 2).numpy(),
    "np.asarray of a leaf": lambda lib: np.asarray(ones(lib, 3)),
    "deepcopy of a result": lambda lib: copy.deepcopy(ones(lib) * 2),
    "bool of many": lambda lib: bool(const(lib, 3)),
    "bool of none": lambda lib: bool(const(lib, 0)),
    "if of a comparison of many": lambda lib: 1 if const(lib, 3) > 0 else 2,
    "float of many": lambda lib: float(const(lib, 3)),
    "float of none": lambda lib: float(const(lib, 0)),
    "int of many": lambda lib: int(const(lib, 3)),
    "complex of many": lambda lib: complex(const(lib, 3)),
    "item of many": lambda lib: const(lib, 3).item(),
    "item of none": lambda lib: const(lib, 0).item(),
    "len of a number": lambda lib: len(const(lib)),
    "iteration over a number": lambda lib: list(const(lib)),
    "unpacking too few": lambda lib: (lambda a, b, c: a)(*const(lib, 2)),
    "list index of a float": lambda lib: [1, 2][const(lib)],
    "list index of many": lambda lib: [1, 2][lib.tensor([0, 1])],
    "format of many": lambda lib: f"{const(lib, 3):.2f}",
    "~ of floats": lambda lib: ~const(lib, 3),
    # ---- operators
    "+ of two lengths": lambda lib: ones(lib, 3) + ones(lib, 4),
    "- of two shapes": lambda lib: ones(lib, 2, 3) - ones(lib, 2, 4),
    "* of two shapes": lambda lib: ones(lib, 2, 3) * ones(lib, 3, 2),
    "/ of two lengths": lambda lib: ones(lib, 3) / ones(lib, 2),
    "** of two lengths": lambda lib: ones(lib, 3) ** ones(lib, 2),
    "> of two lengths": lambda lib: ones(lib, 3) > ones(lib, 2),
    "== of two lengths": lambda lib: ones(lib, 3) == ones(lib, 2),
    "+ of a 3-d and a 2-d": lambda lib: ones(lib, 4, 2, 3) + ones(lib, 3, 3),
    "maximum of two lengths": lambda lib: lib.maximum(ones(lib, 3), ones(lib, 2)),
    "where of two lengths": lambda lib: lib.where(const(lib, 3) > 0, ones(lib, 3), ones(lib, 2)),
    "+ None": lambda lib: ones(lib) + None,
    "None + ": lambda lib: None + ones(lib),
    "- a string": lambda lib: ones(lib, 3) - "a",
    "* None": lambda lib: ones(lib, 3) * None,
    "/ a dict": lambda lib: ones(lib, 3) / {},
    "** None": lambda lib: ones(lib, 3) ** None,
    "@ None": lambda lib: ones(lib, 3) @ None,
    "< None": lambda lib: ones(lib) < None,
    "> a string": lambda lib: ones(lib, 3) > "a",
    "== None": lambda lib: ones(lib, 3) == None,  # noqa: E711
    "!= None": lambda lib: ones(lib, 3) != None,  # noqa: E711
    "- of truth values": lambda lib: (const(lib, 2) > 0) - (const(lib, 2) > 0),
    "negative of truth values": lambda lib: -(const(lib, 2) > 0),
    "integers to a negative power": lambda lib: lib.tensor([1, 2]) ** -1,
    # ---- products
    "@ of two matrices": lambda lib: ones(lib, 2, 3) @ ones(lib, 2, 3),
    "@ of a matrix and a vector": lambda lib: ones(lib, 2, 3) @ ones(lib, 2),
    "@ of a vector and a matrix": lambda lib: ones(lib, 3) @ ones(lib, 2, 3),
    "@ of two vectors": lambda lib: ones(lib, 3) @ ones(lib, 4),
    "@ of a number": lambda lib: ones(lib) @ ones(lib, 3),
    "@ with a float": lambda lib: ones(lib, 3) @ 2.0,
    "@ of stacks": lambda lib: ones(lib, 5, 2, 3) @ ones(lib, 5, 2, 3),
    "@ of stacks of two lengths": lambda lib: ones(lib, 5, 2, 3) @ ones(lib, 4, 3, 2),
    "@ of a stack and a matrix": lambda lib: ones(lib, 5, 2, 3) @ ones(lib, 2, 3),
    "@ of a stack and a vector": lambda lib: ones(lib, 5, 2, 3) @ ones(lib, 2),
    "dot of two lengths": lambda lib: lib.dot(ones(lib, 3), ones(lib, 4)),
    "dot of matrices": lambda lib: lib.dot(ones(lib, 2, 2), ones(lib, 2, 2)),
    "outer of a matrix": lambda lib: ones(lib, 2, 2).outer(ones(lib, 2)),
    "mm of vectors": lambda lib: ones(lib, 2).mm(ones(lib, 2)),
    "mv of matrices": lambda lib: ones(lib, 2, 2).mv(ones(lib, 2, 2)),
    # ---- axes
    "sum over an axis too many": lambda lib: ones(lib, 3).sum(dim=1),
    "sum over an axis too negative": lambda lib: ones(lib, 3).sum(dim=-2),
    "sum of a number over an axis": lambda lib: ones(lib).sum(dim=1),
    "sum over an axis twice": lambda lib: ones(lib, 2, 3).sum(dim=(1, 1)),
    "sum over an axis twice, once from behind": lambda lib: ones(lib, 2, 3).sum(dim=(1, -1)),
    "mean over an axis too many": lambda lib: ones(lib, 2, 3).mean(2),
    "prod over an axis too many": lambda lib: ones(lib, 2, 3).prod(2),
    "var over an axis too many": lambda lib: ones(lib, 2, 3).var(2),
    "max over an axis too many": lambda lib: ones(lib, 2, 3).max(2),
    "amax over an axis too many": lambda lib: ones(lib, 2, 3).amax(2),
    "argmax over an axis too many": lambda lib: ones(lib, 2, 3).argmax(2),
    "softmax over an axis too many": lambda lib: ones(lib, 3).softmax(1),
    "logsumexp over an axis too many": lambda lib: ones(lib, 3).logsumexp(1),
    "cumsum over an axis too many": lambda lib: ones(lib, 3).cumsum(1),
    "norm over an axis too many": lambda lib: ones(lib, 3).norm(dim=1),
    "max of nothing": lambda lib: ones(lib, 0).max(),
    "amax of nothing": lambda lib: ones(lib, 0).amax(),
    "min of nothing": lambda lib: ones(lib, 0).min(),
    "argmax of nothing": lambda lib: ones(lib, 0).argmax(),
    "max of nothing along an axis": lambda lib: ones(lib, 2, 0).max(1),
    "amax of nothing along an axis": lambda lib: ones(lib, 2, 0).amax(1),
    "softmax without an axis": lambda lib: ones(lib, 3).softmax(),
    "cumsum without an axis": lambda lib: ones(lib, 3).cumsum(),
    "clamp without bounds": lambda lib: ones(lib, 3).clamp(),
    # ---- shapes
    "reshape to too many": lambda lib: ones(lib, 2, 3).reshape(4, 2),
    "reshape to what does not divide": lambda lib: ones(lib, 2, 3).reshape(4, -1),
    "reshape with two unknowns": lambda lib: ones(lib, 2, 3).reshape(-1, -1),
    "reshape to a negative length": lambda lib: ones(lib, 2, 3).reshape(-2, 3),
    "reshape of nothing with an unknown": lambda lib: ones(lib, 0).reshape(0, -1),
    "view to too many": lambda lib: ones(lib, 2, 3).view(4, 2),
    "view of a transpose": lambda lib: ones(lib, 3, 4).t().view(12),
    "expand of a length that is not 1": lambda lib: ones(lib, 2, 3).expand(2, 4),
    "expand to fewer axes": lambda lib: ones(lib, 2, 3).expand(3),
    "expand with -1 for a new axis": lambda lib: ones(lib, 3).expand(-1, 3),
    "squeeze of an axis too many": lambda lib: ones(lib, 3).squeeze(1),
    "unsqueeze of an axis too many": lambda lib: ones(lib, 3).unsqueeze(2),
    "unsqueeze of an axis too negative": lambda lib: ones(lib, 3).unsqueeze(-3),
    "permute with too few axes": lambda lib: ones(lib, 2, 3).permute(0),
    "permute with an axis twice": lambda lib: ones(lib, 2, 3).permute(0, 0),
    "permute with an axis too many": lambda lib: ones(lib, 2, 3).permute(0, 2),
    "transpose of an axis too many": lambda lib: ones(lib, 2, 3).transpose(0, 2),
    "t() of a 3-d": lambda lib: ones(lib, 2, 3, 4).t(),
    "mT of a vector": lambda lib: ones(lib, 3).mT,
    "flatten backwards": lambda lib: ones(lib, 2, 3).flatten(1, 0),
    "flatten of an axis too many": lambda lib: ones(lib, 2, 3).flatten(0, 2),
    "flip of an axis too many": lambda lib: ones(lib, 3).flip(1),
    "flip of an axis twice": lambda lib: ones(lib, 3).flip((0, 0)),
    "movedim of an axis too many": lambda lib: ones(lib, 2, 3).movedim(0, 2),
    "cat of nothing": lambda lib: lib.cat([]),
    "cat of two widths": lambda lib: lib.cat([ones(lib, 2, 3), ones(lib, 2, 4)]),
    "cat of two numbers of axes": lambda lib: lib.cat([ones(lib, 2, 3), ones(lib, 3)]),
    "cat of numbers": lambda lib: lib.cat([ones(lib), ones(lib)]),
    "cat along an axis too many": lambda lib: lib.cat([ones(lib, 3), ones(lib, 3)], 1),
    "stack of nothing": lambda lib: lib.stack([]),
    "stack of two shapes": lambda lib: lib.stack([ones(lib, 2), ones(lib, 3)]),
    "stack along an axis too many": lambda lib: lib.stack([ones(lib, 3), ones(lib, 3)], 2),
    # ---- indices
    "index too large": lambda lib: ones(lib, 3)[3],
    "index too negative": lambda lib: ones(lib, 3)[-4],
    "index too large in the second axis": lambda lib: ones(lib, 2, 3)[0, 3],
    "index too large after ...": lambda lib: ones(lib, 2, 3)[..., 3],
    "index too large after None": lambda lib: ones(lib, 2, 3)[None, 2],
    "index of a number": lambda lib: ones(lib)[0],
    "too many indices": lambda lib: ones(lib, 3)[0, 0],
    "too many slices": lambda lib: ones(lib, 3)[:, :],
    "index that is a float": lambda lib: ones(lib, 3)[1.0],
    "index array of floats": lambda lib: ones(lib, 3)[const(lib, 1)],
    "index array out of bounds": lambda lib: ones(lib, 3)[[0, 3]],
    "index array out of bounds, second axis": lambda lib: ones(lib, 2, 3)[:, [3]],
    "index arrays of two lengths": lambda lib: ones(lib, 3, 3)[[0, 1], [0, 1, 2]],
    "mask of another length": lambda lib: ones(lib, 3)[lib.tensor([True, False])],
    "mask of another shape": lambda lib: ones(lib, 2, 3)[lib.tensor([[True], [False]])],
    "mask with too many axes": lambda lib: ones(lib, 3)[lib.tensor([[True, False, True]])],
    "slice with step 0": lambda lib: ones(lib, 3)[::0],
    # ---- writing in place
    "leaf += 1": lambda lib: ones(lib, 3).add_(1),
    "leaf[0] = 5": lambda lib: ones(lib, 3).__setitem__(0, 5.0),
    "leaf[:] = 5": lambda lib: ones(lib, 3).__setitem__(slice(None), 5.0),
    "leaf[mask] = 5": lambda lib: (lambda x: x.__setitem__(x > 0, 5.0))(ones(lib, 3)),
    "leaf[[0]] = 5": lambda lib: ones(lib, 3).__setitem__([0], 5.0),
    "leaf.zero_()": lambda lib: ones(lib, 3).zero_(),
    "leaf.fill_()": lambda lib: ones(lib, 3).fill_(2.0),
    "leaf.copy_()": lambda lib: ones(lib, 3).copy_(const(lib, 3)),
    "view of a leaf *= 2": lambda lib: ones(lib, 3)[:2].mul_(2),
    "view of a view of a leaf *= 2": lambda lib: ones(lib, 3)[:2].reshape(2, 1).mul_(2),
    "view of a leaf [0] = 5": lambda lib: ones(lib, 3)[:2].__setitem__(0, 5.0),
    "transpose of a leaf += 1": lambda lib: ones(lib, 2, 3).t().add_(1),
    "expanded += 1": lambda lib: (ones(lib, 3) * 1).expand(2, 3).add_(1),
    "overwritten output of exp": stale(lambda w: (lambda y: wrote(y, y))(w.exp())),
    "overwritten output of tanh": stale(lambda w: (lambda y: wrote(y, y))(w.tanh())),
    "overwritten input of sin": stale(lambda w: wrote(w.sin(), w)),
    "overwritten factor": stale(lambda w: wrote(w * w, w)),
    "factor overwritten twice": stale(lambda w: wrote(w * w, w, w)),
    "factor overwritten through a view": stale(lambda w: wrote(w * w, w[0])),
    "factor overwritten by index": stale(lambda w: (lambda y: (w.__setitem__((0, 0), 3.0), y)[1])(w * w)),
    "factor overwritten by zero_": stale(lambda w: (lambda y: (w.zero_(), y)[1])(w * w)),
    "matrix overwritten": stale(lambda w: wrote(w @ w, w)),
    "matrix overwritten by index": stale(lambda w: (lambda y: (w.__setitem__((0, 0), 3.0), y)[1])(w @ w)),
    "overwritten after exp_": stale(lambda w: wrote(w.exp_(), w)),
    "overwritten through detach": lambda lib: (lambda x: (lambda y: (x.detach().add_(1), y.backward()))((x * x).sum()))(
        ones(lib, 3)
    ),
    "constant factor overwritten": lambda lib: (
        lambda c: (lambda y: (c.add_(1), y.backward()))((ones(lib, 3) * c).sum())
    )(const(lib, 3)),
    "+= of a shape that does not fit": lambda lib: (ones(lib, 3) * 1).add_(const(lib, 2)),
    "+= of a shape that is larger": lambda lib: (ones(lib, 3) * 1).add_(const(lib, 2, 3)),
    "copy_ of a shape that does not fit": lambda lib: (ones(lib, 3) * 1).copy_(const(lib, 2)),
    "copy_ of a shape that is larger": lambda lib: (ones(lib, 3) * 1).copy_(const(lib, 2, 3)),
    "integers += float": lambda lib: lib.tensor([1, 2]).add_(1.5),
    "integers += floats": lambda lib: lib.tensor([1, 2]).add_(const(lib, 2)),
    "integers /= 2": lambda lib: lib.tensor([1, 2]).div_(2),
    "truth values += 1": lambda lib: lib.tensor([True]).add_(1),
    "y[0] = another length": setting(0, lambda lib: const(lib, 2)),
    "y[0] = too many axes": setting(0, lambda lib: const(lib, 2, 3)),
    "y[[0, 1]] = another length": setting([0, 1], lambda lib: const(lib, 2)),
    "y[5] = 1": setting(5, 1.0),
    "y[0, 5] = 1": setting((0, 5), 1.0),
    "y[[5]] = 1": setting([5], 1.0),
    "y[0, 0, 0] = 1": setting((0, 0, 0), 1.0),
    "y[0] = a string": setting(0, "a"),
    "y[0] = None": setting(0, None),
    # ---- autograd.grad
    "grad of what was not used": lambda lib: grad(lib, ones(lib) * 2, ones(lib)),
    "grad of the second, not used": lambda lib: (lambda x: grad(lib, x * 2, [x, ones(lib)]))(ones(lib)),
    "grad by a constant": lambda lib: grad(lib, ones(lib) * 2, const(lib)),
    "grad of a constant": lambda lib: grad(lib, const(lib) * 2, ones(lib)),
    "grad of a vector": lambda lib: (lambda x: grad(lib, x * 2, x))(ones(lib, 3)),
    "grad of two, one a vector": lambda lib: (lambda x: grad(lib, [x.sum(), x * 2], x))(ones(lib, 3)),
    "grad with another shape": lambda lib: (lambda x: grad(lib, x * 2, x, const(lib, 2)))(ones(lib, 3)),
    "grad with another shape in the second": lambda lib: (
        lambda x: grad(lib, [x * 2, x * 3], x, [const(lib, 3), const(lib, 2)])
    )(ones(lib, 3)),
    "grad with too few gradients": lambda lib: (lambda x: grad(lib, [x * 2, x * 3], x, [const(lib, 3)]))(ones(lib, 3)),
    "grad with a gradient that is a float": lambda lib: (lambda x: grad(lib, x * 2, x, 1.0))(ones(lib, 3)),
    "grad by nothing": lambda lib: grad(lib, ones(lib) * 2, []),
    "grad by an int": lambda lib: grad(lib, ones(lib) * 2, 3),
    "grad of a float": lambda lib: grad(lib, 3.0, ones(lib)),
    "grad of a gradient without create_graph": lambda lib: (lambda x: grad(lib, grad(lib, x**3, x)[0], x))(ones(lib)),
    "materialize_grads with allow_unused=False": lambda lib: grad(
        lib, ones(lib) * 2, ones(lib), materialize_grads=True, allow_unused=False
    ),
    # ---- positions, masks and shapes of the library
    "embedding of a negative index": lambda lib: nn(lib).embedding(lib.tensor([-1]), const(lib, 3, 2)),
    "embedding beyond the end": lambda lib: nn(lib).embedding(lib.tensor([3]), const(lib, 3, 2)),
    "index_select of a negative index": lambda lib: const(lib, 3, 2).index_select(0, lib.tensor([-1])),
    "index_select of a matrix": lambda lib: const(lib, 3, 2).index_select(0, lib.tensor([[1]])),
    "index_add at a negative index": lambda lib: const(lib, 3, 2).index_add(0, lib.tensor([-1]), const(lib, 1, 2)),
    "index_add beyond the end": lambda lib: const(lib, 3, 2).index_add(0, lib.tensor([3]), const(lib, 1, 2)),
    "scatter_add of more than there is": lambda lib: lib.tensor(np.zeros((3, 3))).scatter_add(
        0, lib.tensor([[0, 1, 2], [0, 1, 2]]), const(lib, 1, 3)
    ),
    "scatter_add beside the matrix": lambda lib: lib.tensor(np.zeros((3, 3))).scatter_add(
        0, lib.tensor([[0, 1, 2, 2]]), const(lib, 1, 4)
    ),
    "one_hot of a negative class": lambda lib: nn(lib).one_hot(lib.tensor([-1, 0]), 3),
    "one_hot of a class too many": lambda lib: nn(lib).one_hot(lib.tensor([5, 0]), 3),
    "one_hot of floats": lambda lib: nn(lib).one_hot(lib.tensor([1.0, 0.0]), 3),
    "masked_fill with numbers as a mask": lambda lib: const(lib, 2).masked_fill(const(lib, 2), 1.0),
    "masked_fill with an array": lambda lib: const(lib, 2).masked_fill(const(lib, 2) > 0, const(lib, 2)),
    "fill_ with an array": lambda lib: const(lib, 2).fill_(const(lib, 2)),
    "masked_select with another shape": lambda lib: const(lib, 3, 2).masked_select(const(lib, 3) > 0),
    "select beyond the end": lambda lib: const(lib, 3, 2).select(0, 5),
    "split into nothing": lambda lib: const(lib, 3).split(0),
    "broadcast_tensors of two shapes": lambda lib: lib.broadcast_tensors(const(lib, 2), const(lib, 3)),
    "pad of an odd length": lambda lib: nn(lib).pad(const(lib, 2), (1,)),
    "pad in an unknown mode": lambda lib: nn(lib).pad(const(lib, 2), (1, 1), mode="mirror"),
    "lists in a list as an index": lambda lib: lib.eye(3)[[[0, 1], [2, 1]]],
    "a list in a list as an index": lambda lib: lib.eye(3)[[[0, 1]]],
    "a slice in a list as an index": lambda lib: lib.eye(3)[[slice(0, 2)]],
    "nothing in a list as an index": lambda lib: lib.eye(3)[[None, 0]],
    "tensors in a list as an index": lambda lib: lib.eye(3)[[lib.tensor(0), lib.tensor(0)]],
    "a list of lists written to": setting([[0, 1], [2, 1]], 5.0),
    # ---- losses
    "class of one row in a list": lambda lib: nn(lib).cross_entropy(const(lib, 3), lib.tensor([2])),
    "classes as floats": lambda lib: nn(lib).cross_entropy(const(lib, 2, 3), lib.tensor([0.0, 1.0])),
    "class too large": lambda lib: nn(lib).cross_entropy(const(lib, 2, 3), lib.tensor([0, 3])),
    "class below 0": lambda lib: nn(lib).nll_loss(const(lib, 2, 3), lib.tensor([0, -1])),
    "more classes than rows": lambda lib: nn(lib).nll_loss(const(lib, 2, 3), lib.tensor([0, 1, 2])),
    "classes in a column": lambda lib: nn(lib).cross_entropy(const(lib, 2, 3), lib.tensor([[0], [1]])),
    "classes of another shape": lambda lib: nn(lib).nll_loss(const(lib, 2, 3, 4), lib.tensor([[0, 1, 2]] * 2)),
    "probabilities of another shape": lambda lib: nn(lib).cross_entropy(const(lib, 2, 3), const(lib, 3, 2)),
    "loss of one number": lambda lib: nn(lib).nll_loss(const(lib), lib.tensor(0)),
    "target in a column": lambda lib: nn(lib).binary_cross_entropy(const(lib, 3), const(lib, 3, 1)),
    "target of logits in a column": lambda lib: nn(lib).binary_cross_entropy_with_logits(
        const(lib, 3), const(lib, 3, 1)
    ),
    "probability above 1": lambda lib: nn(lib).binary_cross_entropy(const(lib, 2) * 1.5, const(lib, 2)),
    # ---- matrices
    "inverse of a singular matrix": lambda lib: lib.linalg.inv(lib.tensor([[1.0, 2.0], [2.0, 4.0]])),
    "inverse in a stack": lambda lib: lib.linalg.inv(lib.stack([const(lib, 2, 2) + lib.eye(2), const(lib, 2, 2)])),
    "solution with a singular matrix": lambda lib: lib.linalg.solve(const(lib, 2, 2), const(lib, 2)),
    "factor of an indefinite matrix": lambda lib: lib.linalg.cholesky(lib.tensor([[1.0, 2.0], [2.0, 1.0]])),
    "factor in a stack": lambda lib: lib.linalg.cholesky(-const(lib, 3, 2, 2)),
    # ---- making tensors
    "tensor of nothing": lambda lib: lib.tensor(),
    "tensor of None": lambda lib: lib.tensor(None),
    "tensor of [None]": lambda lib: lib.tensor([None]),
    "tensor of a string": lambda lib: lib.tensor("a"),
    "tensor of strings": lambda lib: lib.tensor(["a", "b"]),
    "tensor of a dict": lambda lib: lib.tensor({}),
    "tensor of a function": lambda lib: lib.tensor(len),
    "tensor of uneven lists": lambda lib: lib.tensor([[1.0], [1.0, 2.0]]),
    # ---- functions of functions
    "grad of a function to a vector": in_functional(lambda func, lib: func.grad(lambda x: x * 2)(const(lib, 3))),
    "grad of a function to a float": in_functional(lambda func, lib: func.grad(lambda x: 3.0)(const(lib))),
    "grad of a function of integers": in_functional(lambda func, lib: func.grad(lambda x: x.sum())(lib.tensor([1, 2]))),
    "grad by an argument too many": in_functional(lambda func, lib: func.grad(lambda x: x, argnums=1)(const(lib))),
    "grad by an argument that is missing": in_functional(lambda func, lib: func.grad(lambda x: x)()),
    "grad by the same argument twice": in_functional(
        lambda func, lib: func.grad(lambda x, y: x * y, argnums=(0, -2))(const(lib), const(lib))
    ),
    "vjp of a function to nothing": in_functional(lambda func, lib: func.vjp(lambda x: (), const(lib))),
    "vjp of a function to a string": in_functional(lambda func, lib: func.vjp(lambda x: "a", const(lib))),
    "vjp with another shape": in_functional(
        lambda func, lib: func.vjp(lambda x: x * 2, const(lib, 3))[1](const(lib, 2))
    ),
    "vjp of integers": in_functional(
        lambda func, lib: func.vjp(lambda x: x * 2, lib.tensor([1, 2]))[1](lib.tensor([1, 2]))
    ),
    "jvp with another shape": in_functional(
        lambda func, lib: func.jvp(lambda x: x * 2, (const(lib, 3),), (const(lib, 2),))
    ),
    "jvp with too few tangents": in_functional(
        lambda func, lib: func.jvp(lambda x, y: x * y, (const(lib), const(lib)), (const(lib),))
    ),
    "jvp without tuples": in_functional(lambda func, lib: func.jvp(lambda x: x * 2, const(lib), const(lib))),
    "jvp of no primals": in_functional(lambda func, lib: func.jvp(lambda: const(lib), (), ())),
    "bool of a vector in grad": in_functional(
        lambda func, lib: func.grad(lambda x: x.sum() if x > 0 else x)(const(lib, 3))
    ),
    "a captured leaf overwritten in grad": in_functional(
        lambda func, lib: (lambda c: func.grad(lambda x: (c.add_(x), c.sum())[1])(const(lib)))(ones(lib) * 1)
    ),
    "numpy in grad": in_functional(lambda func, lib: func.grad(lambda x: x.numpy().sum())(const(lib, 3))),
}


def under_no_grad(lib, make):
    with lib.no_grad():
        return make()


def hooked(lib, hook):
    x = ones(lib, 3)
    x.register_hook(hook)
    (x * 2).sum().backward()
    return x.grad


# Where ours differs on purpose, and why.
DIFFERENT = {
    "dot of matrices": "NumPy's dot takes matrices, and so does ours",
    "index array out of bounds, second axis": "PyTorch names the axis after moving it to the front",
    "factor overwritten by zero_": "zero_ is fill_(0) here, so that is what the message names",
    "grad with another shape in the second": "PyTorch checks only the first in its own words; ours checks each",
    "tensor of nothing": "the words are Python's own",
    "grad of a function to a vector": "ours names our functions where PyTorch's names jacrev",
    "a captured leaf overwritten in grad": "PyTorch names its inner operation, which ours has not",
}


def outcome(lib, f):
    """What comes of it: ("error", type, words) or ("value", text); and the first words of a warning."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            result = ("value", re.sub(r"torch\.| object at 0x\w+", "", repr(f(lib))))
        except Exception as error:
            result = ("error", type(error).__name__, str(error))
    return result, [str(w.message)[:60] for w in heard if w.category is UserWarning]


def agree(ours, theirs):
    """Same value, or an error of the same type whose words begin with PyTorch's."""
    if ours[0] == "value" or theirs[0] == "value":
        return ours == theirs
    words = theirs[2].replace("grad_and_value(f)", "grad(f)")
    words = re.split(r"\n|  If you were attempting| Hint: enable anomaly| Got primals with", words)[0].rstrip(".")
    return ours[1] == theirs[1].removeprefix("_") and ours[2].startswith(words)


@pytest.mark.parametrize("name", MISUSE)
def test_mistake_meets_pytorchs_words(name):
    ours, theirs = outcome(cr, MISUSE[name]), outcome(torch, MISUSE[name])
    same = agree(ours[0], theirs[0]) and ours[1] == theirs[1]
    assert same != (name in DIFFERENT), f"\nours  {ours}\ntorch {theirs}\n{DIFFERENT.get(name, '')}"
