"""Writing in place: values, gradients of every kind, versions, views, and the memory that is shared."""

import functools
import gc

import numpy as np
import pytest
import torch
from oracle import array, assert_same, backward, hessian_product, leaves, second_order

import chainrule as cr
from chainrule import inplace, tape


def put(y, index, value):
    y[index] = value
    return y


def then(result, *_):
    """The first of what was computed: the rest was for its effect."""
    return result


WHOLE = {
    "add_": lambda lib, x: (x * 1).add_(2),
    "add_ of itself": lambda lib, x: (lambda y: y.add_(y))(x * 1),
    "add_ with alpha": lambda lib, x: (x * 3).add_(x, alpha=2),
    "sub_": lambda lib, x: (x * 1).sub_(x[0]),
    "mul_ by a number": lambda lib, x: (x * 1).mul_(3),
    "mul_ by a result": lambda lib, x: (x * 1).mul_(x.exp()),
    "mul_ by its own row": lambda lib, x: (x * 1).mul_(x[1]),
    "div_": lambda lib, x: (x * 1).div_(x[0]),
    "pow_": lambda lib, x: (x * 1).pow_(3),
    "pow_ of a result": lambda lib, x: (x * 1).pow_(x),
    "exp_": lambda lib, x: (x * 1).exp_(),
    "sqrt_": lambda lib, x: (x * 1).sqrt_(),
    "neg_": lambda lib, x: (x * 1).neg_(),
    "relu_": lambda lib, x: (x - 1.05).relu_(),
    "clamp_": lambda lib, x: (x * 1).clamp_(0.7, 1.2),
    "clamp_ from below": lambda lib, x: (x * 1).clamp_(min=0.7),
    "zero_": lambda lib, x: (x * 1).zero_() + x,
    "fill_": lambda lib, x: (x * 1).fill_(2.0) * x,
    "fill_ with a result": lambda lib, x: (x * 1).fill_(x.sum()),
    "copy_": lambda lib, x: (x * 1).copy_(x.sin()),
    "copy_ of a row": lambda lib, x: (x * 1).copy_(x[0]),
    "copy_ of float32": lambda lib, x: (x * 1).copy_(x.float().double()),
    "mul_ of float32 by float64": lambda lib, x: (x.float() * 1).mul_(x.sin()),
    "+=": lambda lib, x: operators(x * 1, x.sin()),
    "of a sum, whose rule saved nothing": lambda lib, x: (lambda y: then(y + y, y.mul_(5)))(x * 1),
    "twice": lambda lib, x: (x * 1).mul_(x.sin()).add_(x),
    "%=": lambda lib, x: remainder_of(x * 1, 0.7),
    "clamp_ by tensors": lambda lib, x: (x * 1).clamp_(lib.tensor([0.7]), lib.tensor([1.2])),
    "clamp_ by one tensor": lambda lib, x: (x * 1).clamp_(max=x[0]),
    "lerp_": lambda lib, x: (x * 1).lerp_(x.exp(), 0.3),
    "addcmul_": lambda lib, x: (x * 1).addcmul_(x.exp(), x, value=3),
    "addcdiv_": lambda lib, x: (x * 1).addcdiv_(x[0], x.exp()),
    "masked_fill_": lambda lib, x: (x * 1).masked_fill_(x > 1, 0.5),
    "index_add_": lambda lib, x: (x * 1).index_add_(0, lib.tensor([1, 1]), x.exp()),
    "scatter_add_": lambda lib, x: (x * 1).scatter_add_(0, lib.tensor([[1, 0, 1]]), x[:1].exp()),
}
WHOLE |= {
    f"{name}_": lambda lib, x, name=name: getattr(x * 1, f"{name}_")() * x for name in inplace.WITHOUT_ARGUMENTS.split()
}

INDICES = {
    "0": 0,
    "-1": -1,
    "0, 1": (0, 1),
    ":1": slice(0, 1),
    ":, 1": (slice(None), 1),
    ":, ::2": (slice(None), slice(0, 3, 2)),
    "..., 0": (..., 0),
    "...": ...,
    ":": slice(None),
    "None": None,
    "0, None": (0, None),
    "None, 0": (None, 0),
    "[0, 1]": [0, 1],
    "[1]": [1],
    "[0, 1], [2, 0]": ([0, 1], [2, 0]),
    ":, [2, 0]": (slice(None), [2, 0]),
    "0, [2, 0]": (0, [2, 0]),
    "mask": np.array([[True, False, True], [False, False, True]]),
    "mask of rows": np.array([False, True]),
    "empty slice": slice(1, 1),
}


def indexed(index, lib):
    return lib.tensor(index) if isinstance(index, np.ndarray) else index


PARTS = {
    f"y[{name}] = {what}": (
        lambda lib, x, i=i, value=value: put(x * 1, indexed(i, lib), value(lib, x, indexed(i, lib)))
    )
    for name, i in INDICES.items()
    for what, value in {
        "5.0": lambda lib, x, i: 5.0,
        "5": lambda lib, x, i: 5,
        "another's same part": lambda lib, x, i: x.sin()[i],
        "a sum": lambda lib, x, i: x.sum(),
    }.items()
}

VIEWS = {
    "+= through a view": lambda lib, x: (lambda y: then(y, y[0].add_(x[1])))(x * 1),
    "*= through a view, then the view": lambda lib, x: (lambda v: v.mul_(x[1]))((x * 1)[0]),
    "base written, view read": lambda lib, x: (lambda y: (lambda v: then(v, y.mul_(x)))(y[0]))(x * 1),
    "view written, base read": lambda lib, x: (lambda y: (lambda v: then(y * 1, v.mul_(3)))(y[0]))(x * 1),
    "view written, crossing view read": lambda lib, x: (lambda y: (lambda v, w: then(w, v.mul_(3)))(y[0], y[:, 1]))(
        x * 1
    ),
    "view of a view written": lambda lib, x: (lambda y: (lambda v: then(v, v[1:].mul_(x[1, 1])))(y[0]))(x * 1),
    "view of a view written, base read": lambda lib, x: (lambda y: then(y, y[0][1:].mul_(x[1, 1])))(x * 1),
    "through reshape": lambda lib, x: (lambda y: then(y, y.reshape(-1)[::2].mul_(x[0])))(x * 1),
    "through a transpose": lambda lib, x: (lambda y: then(y, y.t()[1].mul_(x[:, 0])))(x * 1),
    "written twice, the memory turned": lambda lib, x: (
        lambda y: (lambda z: then(z, put(z.reshape(-1), 0, 7.0)))(put(y, 0, 5.0) * 1)
    )(x.mT * 1),
    "into a transpose": lambda lib, x: (lambda y: then(y, put(y.t(), 1, x[:, 0] * 2)))(x * 1),
    "through unsqueeze": lambda lib, x: (lambda y: then(y, y.unsqueeze(0)[0, 0].exp_()))(x * 1),
    "through squeeze": lambda lib, x: (lambda y: then(y, y.unsqueeze(0).squeeze(0)[0].exp_()))(x * 1),
    "through permute": lambda lib, x: (lambda y: then(y, y.permute(1, 0)[2].sqrt_()))(x * 1),
    "through flatten": lambda lib, x: (lambda y: then(y, put(y.flatten(), slice(1, 3), x[0, :2])))(x * 1),
    "base and view in turn": lambda lib, x: (
        lambda y: (lambda v: then(v, y.mul_(2), v.mul_(x[0, 1:]), y[0].add_(x[1])))(y[0][1:])
    )(x * 1),
    "a part into another part": lambda lib, x: (lambda y: put(y, 1, y[0] * 2))(put(x * 1, 0, x[1])),
    "overlapping parts": lambda lib, x: (lambda y: put(y, (0, slice(1, 3)), y[0, :2] * 1))(x * 1),
    "y[0] += z": lambda lib, x: augmented(x * 1, x.sin()),
    "two names of one tensor": lambda lib, x: (lambda y, z: then(z, y.add_(x)))(*[x * 1] * 2),
    "float32 into float64": lambda lib, x: put(x * 1, 0, x[1].float()),
    "a buffer filled row by row": lambda lib, x: put(put(lib.zeros(2, 3), 0, x[1].sin()), 1, x[0] * x[1]),
    "a buffer added to": lambda lib, x: lib.ones(2, 3).add_(x).mul_(x),
    "a view of a buffer": lambda lib, x: (lambda c: then(c, c[0].add_(x[1])))(lib.ones(2, 3)) * x,
    "a buffer of float32": lambda lib, x: put(lib.tensor(np.zeros((2, 3), np.float32)), 0, x[0].sin()),
    "a buffer into a result": lambda lib, x: put(x * 1, 0, put(lib.zeros(3), 1, x[1, 1] * 2)),
    "a buffer's sum into a view": lambda lib, x: (lambda y: then(y, put(y[1], 0, put(lib.zeros(3), 1, x[0, 0]).sum())))(
        x * 1
    ),
    "a running product": lambda lib, x: running(lib.zeros(3), x),
    "a number": lambda lib, x: put(x.sum() * 1, ..., x[0, 0] * 2),
    "a number added to": lambda lib, x: x.sum().mul_(x[0, 0]),
}


def operators(y, z):
    y += z
    y -= 0.5
    y *= z
    y /= 2.0
    return y


def remainder_of(y, z):
    y %= z
    return y


def augmented(y, z):
    y[0] += z[1]
    y[:, 1] *= z[:, 0]
    return y


def running(buffer, x):
    so_far = x[0, 0]
    for i in range(3):
        so_far = so_far * x[1, i]
        buffer[i] = so_far
    return buffer


PROGRAMS = WHOLE | PARTS | VIEWS
X = np.array([[0.5, 1.1, 1.7], [0.8, 1.4, 0.6]])


@pytest.fixture(params=PROGRAMS)
def program(request):
    ours, theirs = (functools.partial(PROGRAMS[request.param], lib) for lib in (cr, torch))
    torch.set_default_dtype(torch.float64)
    y = array(theirs(*leaves(torch, [X])))
    yield ours, theirs, np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)
    torch.set_default_dtype(torch.float32)


def test_value_and_both_modes_are_pytorchs(program):
    ours, theirs, y_bar = program
    assert_same(ours(cr.tensor(X)), theirs(torch.tensor(X)))
    want = backward(torch, theirs, [X], y_bar)
    assert_same(backward(cr, ours, [X], y_bar), want, 1e-6 if y_bar.dtype == np.float32 else 1e-9)
    assert_same(cr.vjp(ours, X)[1](y_bar), want, 1e-6 if y_bar.dtype == np.float32 else 1e-9)
    x_dot = np.sin(X)
    got, expected = cr.jvp(ours, (X,), (x_dot,)), torch.func.jvp(theirs, (torch.tensor(X),), (torch.tensor(x_dot),))
    assert_same(got, expected, 1e-6 if y_bar.dtype == np.float32 else 1e-9)


def test_second_order_is_pytorchs_in_every_nesting(program):
    ours, theirs, y_bar = program
    rtol = 1e-6 if y_bar.dtype == np.float32 else 1e-9
    v = np.sin(3 * X)
    want = hessian_product(lambda x: (theirs(x) * torch.tensor(y_bar)).sum(), [X], [v])
    for nesting, got in second_order(lambda x: (ours(x) * y_bar).sum(), [X], [v]):
        try:
            if nesting == "forward over forward":
                np.testing.assert_allclose(array(got), np.sum(array(want[0]) * v), rtol, 1e-11)
            else:
                assert_same(got, want, rtol)
        except AssertionError as error:
            error.add_note(nesting)
            raise


def test_jacobians_of_both_modes_agree(program):
    ours, *_ = program
    forward, reverse = (array(cr.jacobian(ours, X, mode=mode)) for mode in ("forward", "reverse"))
    np.testing.assert_allclose(forward, reverse, 1e-6, 1e-11)


SHARING = {
    "versions count writes": lambda lib: counted(lib.tensor([1.0, 2.0])),
    "a view has its base's version": lambda lib: (lambda x: (x.add_(1), x[1:]._version))(lib.tensor([1.0, 2.0])),
    "a write to a detached counts": lambda lib: (lambda x: (x.detach().add_(1), x._version, x))(
        lib.tensor([1.0, 2.0], requires_grad=True)
    ),
    "a write to a detached number is seen": lambda lib: (lambda x: (x.detach().fill_(7.0), x._version, x))(
        lib.tensor(1.0, requires_grad=True)
    ),
    "a write to a detached view is seen": lambda lib: (lambda x: (x[1:].detach().fill_(7.0), x._version, x))(
        lib.tensor([1.0, 2.0], requires_grad=True)
    ),
    "numpy shares memory": lambda lib: (lambda x: (put(x.numpy(), 0, 7.0), x)[1])(lib.tensor([1.0, 2.0])),
    "numpy of a number shares memory": lambda lib: (lambda x: (put(x.numpy(), (), 7.0), x)[1])(lib.tensor(1.0)),
    "numpy of a view shares memory": lambda lib: (lambda x: (put(x[1:].numpy(), 0, 7.0), x)[1])(lib.tensor([1.0, 2.0])),
    "detach of a result shares memory": lambda lib: (lambda y: (y.detach().fill_(7.0), y.detach())[1])(
        lib.tensor([1.0], requires_grad=True) * 2
    ),
    "clone does not": lambda lib: (lambda x: (x.clone().add_(1), x, x._version)[1:])(lib.tensor([1.0])),
    "an array given to tensor is copied": lambda lib: (lambda a: (lib.tensor(a).add_(1), a)[1])(np.ones(2)),
    "index arrays copy": lambda lib: (lambda x: (x[[0]].add_(1), x, x._version)[1:])(lib.tensor([1.0])),
    "masks copy": lambda lib: (lambda x: (x[x > 0].add_(1), x, x._version)[1:])(lib.tensor([1.0])),
    "a leaf under no_grad": lambda lib: under_no_grad(lib, lambda x: x.add_(1)),
    "a part of a leaf under no_grad": lambda lib: under_no_grad(lib, lambda x: put(x, 0, 9.0)),
    "a leaf -= under no_grad": lambda lib: under_no_grad(lib, lambda x: x.sub_(x * 0.1)),
    "a result under no_grad keeps its graph": lambda lib: kept(lib),
    "retain_grad follows what was written": lambda lib: retained(lib),
    "a hook stays where it was": lambda lib: hooked(lib),
    "requires_grad comes with what is written": lambda lib: joined(lib),
    "zero_ keeps the graph": lambda lib: zeroed(lib),
    "int array = float": lambda lib: put(lib.tensor([1, 2]), 0, 1.7),
    "bool array = int": lambda lib: put(lib.tensor([True, False]), 0, 0),
    "float32 += float64": lambda lib: lib.tensor(np.ones(1, np.float32)).add_(lib.tensor([0.5])).tolist(),
    "a view of one number": lambda lib: one_number(lib, lambda x: x.view(1)),
    "a number with a new axis": lambda lib: one_number(lib, lambda x: x[None]),
    "a number expanded": lambda lib: one_number(lib, lambda x: x.expand(1, 1)),
    "a leaf of one number under no_grad": lambda lib: leaf_of_one_number(lib),
    "a result of one number": lambda lib: result_of_one_number(lib),
    "a sum with a new axis": lambda lib: (lambda s: (s.unsqueeze(0).add_(5), s)[1])(lib.tensor([1.0, 2.0]).sum()),
    "diagonal": lambda lib: square_written(lib, lambda y: y.diagonal()),
    "another diagonal of other axes": lambda lib: square_written(lib, lambda y: y[None].diagonal(1, 2, 1)),
    "einsum of a diagonal": lambda lib: square_written(lib, lambda y: lib.einsum("ii->i", y)),
    "diag copies": lambda lib: (lambda x: (lib.diag(x), x.zero_())[0])(lib.tensor([[1.0, 2], [3, 4]])),
    "unfold": lambda lib: square_written(lib, lambda y: y.unfold(1, 1, 2)),
    "unfold with an overlap, read": lambda lib: (lambda x: (x.unfold(0, 2, 1), x.mul_(3))[0])(lib.tensor([1.0, 2, 4])),
    "repeat copies": lambda lib: (lambda x: (x.repeat(1), x.repeat(2, 1), x.add_(1)))(lib.tensor([[1.0]])[0]),
    "tile copies": lambda lib: (lambda x: (x.tile(1, 1), x.add_(1)))(lib.tensor([1.0, 2.0])),
    "diff of order 0 copies": lambda lib: (lambda x: (x.diff(n=0), x.add_(1)))(lib.tensor([1.0, 2.0])),
    "sum_to_size of the same size": lambda lib: square_written(lib, lambda y: y.sum_to_size(2, 2)),
    "repeat may be viewed": lambda lib: lib.ones(4, 1).repeat(1, 2).view(2, 4),
    "what indices name may be viewed": lambda lib: lib.tensor([[1.0, 2], [3, 4]])[:, lib.tensor([1, 0])].view(4),
    "leading ones are dropped": lambda lib: put(lib.tensor([[1.0, 2.0]]), 0, lib.tensor([[[3.0, 4.0]]])),
}


def counted(x):
    x.add_(1)
    x[0] = 2.0
    x[1:].mul_(2)
    x.zero_()
    return x._version


def under_no_grad(lib, write):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    with lib.no_grad():
        write(x)
    (x * x).sum().backward()
    return x, x._version, x.is_leaf, x.grad


def kept(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with lib.no_grad():
        y.mul_(3)
    y.sum().backward()
    return y.detach(), x.grad


def retained(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return x.grad, y.retains_grad, y.grad


def hooked(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 100)
    y.mul_(3)
    y.sum().backward()
    return x.grad


def one_number(lib, look):
    x = lib.tensor(2.0)
    view = look(x)
    x.add_(1)
    return view, view.mul_(2), x


def leaf_of_one_number(lib):
    p = lib.tensor(3.0, requires_grad=True)
    with lib.no_grad():
        p.view(1).sub_(1)
    (p * p).backward()
    return p, p.grad


def result_of_one_number(lib):
    x = lib.tensor(2.0, requires_grad=True)
    y = x * 3
    view = y.view(1)
    y.mul_(x)
    view.sum().backward()
    return view.detach(), x.grad


def square_written(lib, look):
    x = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    look(y).mul_(10)
    (y * y).sum().backward()
    return y.detach(), x.grad


def joined(lib):
    c = lib.tensor([1.0, 2.0])
    v = c[:1]
    c.add_(lib.tensor([1.0, 2.0], requires_grad=True))
    return c.requires_grad, c.is_leaf, v.requires_grad


def zeroed(lib):
    x = lib.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).zero_()
    y.sum().backward()
    return y.requires_grad, x.grad


@pytest.mark.parametrize("name", SHARING)
def test_memory_is_shared_as_in_pytorch(name):
    torch.set_default_dtype(torch.float64)
    try:
        assert repr(SHARING[name](cr)) == repr(SHARING[name](torch))
    finally:
        torch.set_default_dtype(torch.float32)


# What an operation keeps to choose by: an index, a mask, the positions that it found.
CHOSEN = {
    "index": lambda lib, x, i, m: (x[i], i),
    "mask as an index": lambda lib, x, i, m: (x[m], m),
    "gather": lambda lib, x, i, m: (x.gather(0, i), i),
    "index_select": lambda lib, x, i, m: (x.index_select(0, i), i),
    "where": lambda lib, x, i, m: (lib.where(m, x, 2 * x), m),
    "masked_fill": lambda lib, x, i, m: (x.masked_fill(m, 0.0), m),
    "max": lambda lib, x, i, m: x.max(0),
    "sort": lambda lib, x, i, m: x.sort(),
    "topk": lambda lib, x, i, m: x.topk(2),
    "assignment": lambda lib, x, i, m: (put(x * 1, i, 0.0), i),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_what_was_chosen_by_may_not_be_written_before_the_way_back(name):
    said = []
    for lib in (torch, cr):
        x = lib.tensor([1.0, 5.0, 3.0], requires_grad=True)
        y, chosen_by = CHOSEN[name](lib, x, lib.tensor([2, 1]), lib.tensor([True, False, True]))
        chosen_by.zero_()
        with pytest.raises(RuntimeError) as error:
            y.sum().backward()
        said.append(str(error.value).partition(":")[0])
    assert said[0] == said[1] and "modified by an inplace operation" in said[0]


def test_windows_that_overlap_cannot_be_written():
    x = cr.tensor([1.0, 2.0, 3.0])
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        x.unfold(0, 2, 1).mul_(2)


def test_view_cannot_be_detached_in_place():
    for lib in (torch, cr):
        x = lib.tensor([1.0, 2.0], requires_grad=True) * 2
        with pytest.raises(RuntimeError, match=r"Can't detach views in-place. Use detach\(\) instead"):
            x[0].detach_()


def test_leaf_may_be_updated_between_passes():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        (x * x).sum().backward()
        with cr.no_grad():
            x -= 0.1 * x.grad
        x.grad = None
    np.testing.assert_allclose(x.tolist(), [0.8**3, 2 * 0.8**3])


def test_views_are_forgotten_with_their_last_names():
    y = cr.tensor([1.0, 2.0], requires_grad=True) * 1
    v = y[0:1]
    assert tape.views_of(y) == [v]
    del v
    assert tape.views_of(y) == []
    for _ in range(1000):
        y[0:1]
    assert len(y.views) < 10


def test_record_of_writes_is_forgotten_with_the_memory():
    gc.collect()
    before = len(inplace.writes)
    for _ in range(10):
        cr.tensor([1.0, 2.0]).add_(1)
        cr.tensor(1.0).add_(1)
    gc.collect()
    assert len(inplace.writes) == before


def test_write_between_two_passes_is_noticed_by_the_second():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.sum().backward(retain_graph=True)
    y.detach().add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_value_of_an_inner_derivative_may_not_be_written_to_an_outer_result():
    y = cr.tensor([1.0], requires_grad=True) * 1
    with pytest.raises(RuntimeError, match="captured Tensor"):
        cr.grad(lambda x: y.add_(x).sum())(1.0)
    with pytest.raises(RuntimeError, match="captured Tensor"):
        cr.jvp(lambda z: cr.grad(lambda x: z.add_(x).sum())(1.0), (cr.tensor([1.0]),), (cr.tensor([1.0]),))


@pytest.mark.parametrize("lib", [cr, torch], ids=["ours", "PyTorch's"])
def test_every_augmented_operator_writes_where_the_value_is(lib):
    x, whole, truth = lib.tensor([5.0, 7.0]), lib.tensor([5.0, 7.0]), lib.tensor([True, False])
    names = x, whole[:1], truth
    x %= 3
    part = names[1]
    part //= 3
    truth &= lib.tensor([False, False])
    assert [names[0].tolist(), whole.tolist(), names[2].tolist()] == [[2.0, 1.0], [1.0, 7.0], [False, False]]
    truth |= lib.tensor([True, False])
    assert names[2].tolist() == [True, False]
