"""grad, vjp, jvp, jacobian, hessian and hvp against torch.func."""

import numpy as np
import pytest
import torch
from oracle import array, assert_same

import chainrule as cr

F = torch.func
X, V = np.array([0.5, -1.2, 2.0]), np.array([1.0, 0.3, -0.7])
M = np.cos(np.arange(6.0)).reshape(2, 3)

TO_NUMBER = {
    "a cubic": lambda x: (x**3).sum(),
    "a mixture": lambda x: (x.sin() * x.exp()).sum() + x.prod(),
    "a softmax": lambda x: (x.softmax(-1) * x).sum().log(),
    "linear": lambda x: (x * 3).sum(),
    "a norm": lambda x: x.norm(),
    "a part": lambda x: x.flatten()[1] ** 2 * x.flatten()[0],
    "a loop": lambda x: loop(x),
    "constant in the input": lambda x: x.detach().sum() * 2,
}
TO_ARRAY = {
    "elementwise": lambda x: x.tanh() * x,
    "a product": lambda x: x.flatten()[:, None] * x.flatten(),
    "a matrix product": lambda x: x.reshape(-1, 1) @ x.reshape(1, -1).exp(),
    "a number": lambda x: (x * x).sum(),
    "a vector of one": lambda x: (x * x).sum().reshape(1),
    "rows and sums": lambda x: x.cumsum(0) + x.mean(),
    "rolled": lambda x: x.roll(1) * x,
    "nothing": lambda x: x.flatten()[:0],
    "integers in between": lambda x: x * x.argmax(),
}
INPUTS = {"number": np.float64(0.7), "vector": X, "matrix": M, "one": np.array([0.4])}


def loop(x):
    y = x.sum() * 0 + 1
    for i in range(3):
        y = y * x.flatten()[i % x.numel()] + y.sin()
    return y


def fits(name, x):
    return not (name in ("a part", "rows and sums") and np.size(x) < 2)


NUMBERED = [(f, x) for f in TO_NUMBER for x in INPUTS if fits(f, INPUTS[x])]
ARRAYED = [(f, x) for f in TO_ARRAY for x in INPUTS if fits(f, INPUTS[x])]


@pytest.mark.parametrize(("f", "x"), NUMBERED)
def test_gradient_hessian_and_their_products_are_pytorchs(f, x):
    f, x = TO_NUMBER[f], INPUTS[x]
    v, t = np.asarray(np.sin(3 * x)), torch.tensor(x)
    assert_same(cr.grad(f)(x), F.grad(f)(t))
    assert_same(cr.value_and_grad(f)(x)[0], f(t))
    hessian = F.hessian(f)(t)
    assert_same(cr.hessian(f, x), hessian)
    assert_same(cr.hvp(f, x, v), (hessian.reshape(t.numel(), t.numel()) @ torch.tensor(v).ravel()).reshape(t.shape))


@pytest.mark.parametrize(("f", "x"), ARRAYED)
def test_jacobian_is_pytorchs_in_both_modes(f, x):
    f, x = TO_ARRAY[f], INPUTS[x]
    want = F.jacrev(f)(torch.tensor(x))
    assert_same(cr.jacobian(f, x), want)
    assert_same(cr.jacobian(f, x, mode="forward"), want)


@pytest.mark.parametrize(("f", "x"), ARRAYED)
def test_vjp_and_jvp_are_pytorchs(f, x):
    f, x = TO_ARRAY[f], INPUTS[x]
    t, v = torch.tensor(x), np.asarray(np.sin(3 * x))
    y, pullback = F.vjp(f, t)
    y_bar = np.asarray(np.cos(np.arange(y.numel())).reshape(y.shape))
    ours, ours_back = cr.vjp(f, x)
    assert_same(ours, y)
    assert_same(ours_back(y_bar), pullback(torch.tensor(y_bar)))
    assert_same(ours_back(cr.tensor(y_bar)), pullback(torch.tensor(y_bar)))
    assert_same(cr.jvp(f, (x,), (v,)), F.jvp(f, (t,), (torch.tensor(v),)))


@pytest.mark.parametrize(
    "modes", [(a, b) for a in ("forward", "reverse") for b in ("forward", "reverse")], ids="-".join
)
@pytest.mark.parametrize("f", ["elementwise", "a product", "a number"])
def test_jacobian_of_a_jacobian_is_pytorchs(f, modes):
    f = TO_ARRAY[f]
    got = cr.jacobian(lambda x: cr.jacobian(f, x, mode=modes[0]), X, mode=modes[1])
    assert_same(got, F.jacrev(F.jacrev(f))(torch.tensor(X)))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_can_be_differentiated(mode):
    f = TO_ARRAY["a product"]
    got = cr.grad(lambda x: (cr.jacobian(f, x, mode=mode) ** 2).sum())(X)
    assert_same(got, F.grad(lambda x: (F.jacrev(f)(x) ** 2).sum())(torch.tensor(X)))
    x, t = cr.tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
    (cr.jacobian(f, x, mode=mode) ** 2).sum().backward()
    (F.jacrev(f)(t) ** 2).sum().backward()
    assert_same(x.grad, t.grad)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_of_many_inputs_is_put_together_from_several_runs(mode):
    x = np.linspace(0.1, 1.0, 300)
    got = cr.jacobian(lambda x: x.cumsum(0)[-3:] * x[:3], x, mode=mode)
    assert_same(got, F.jacrev(lambda x: x.cumsum(0)[-3:] * x[:3])(torch.tensor(x)))


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_by_no_numbers_is_empty(mode):
    f = lambda x: x.sum() * cr.ones(2)
    assert cr.jacobian(f, np.ones(0), mode=mode).shape == (2, 0)


ARGUMENTS = {
    "the first": 0,
    "the second": 1,
    "the last": -1,
    "both": (0, 1),
    "both, backwards": (1, 0),
    "one in a tuple": (1,),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_argnums_chooses_as_in_pytorch(name):
    f = lambda x, y: (x * y.sin()).sum() + (y**3).sum()
    got = cr.grad(f, ARGUMENTS[name])(cr.tensor(X), cr.tensor(V))
    want = F.grad(f, ARGUMENTS[name])(torch.tensor(X), torch.tensor(V))
    assert type(got) is (tuple if isinstance(want, tuple) else cr.Tensor)
    assert_same(got, want)


def test_other_arguments_are_passed_on():
    f = lambda x, n, *, scale: scale * x**n
    assert cr.grad(f)(2.0, 3, scale=10.0).item() == 120.0


def test_argument_that_is_not_differentiated_may_be_anything():
    f = lambda x, name: x * 2 if name == "double" else x
    assert cr.grad(f)(3.0, "double").item() == 2.0


def test_pullback_may_be_called_again_and_for_unused_inputs_gives_zeros():
    _, pullback = cr.vjp(lambda a, b: a * a, cr.tensor(X), 5.0)
    for _ in range(2):
        a_bar, b_bar = pullback(cr.ones(3))
        assert_same((a_bar, b_bar), (2 * X, np.float64(0)))


def test_vjp_of_several_outputs_is_pytorchs():
    f = lambda x, y: (x * y, x.sum() * y)
    ours, pull = cr.vjp(f, cr.tensor(X), cr.tensor(V))
    want, theirs = F.vjp(f, torch.tensor(X), torch.tensor(V))
    assert type(ours) is tuple
    assert_same(ours, want)
    assert_same(pull((cr.tensor(V), cr.tensor(X))), theirs((torch.tensor(V), torch.tensor(X))))
    assert_same(
        cr.jvp(f, (X, V), (V, X)), F.jvp(f, (torch.tensor(X), torch.tensor(V)), (torch.tensor(V), torch.tensor(X)))
    )


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)], ids=str)
def test_products_with_the_jacobian_and_its_transpose_agree(shape):
    draw = np.random.default_rng(0)
    x, x_dot = draw.uniform(0.5, 1.5, shape), draw.normal(size=shape)
    f = lambda x: (x.sin() / (1 + x * x)).reshape(-1, 1) * x.flatten().cumsum(0)
    y, y_dot = cr.jvp(f, (x,), (x_dot,))
    y_bar = draw.normal(size=y.shape)
    (x_bar,) = cr.vjp(f, x)[1](y_bar)
    np.testing.assert_allclose(np.sum(y_bar * array(y_dot)), np.sum(array(x_bar) * x_dot), 1e-12, 1e-14)


def test_central_differences_agree():
    f = lambda x: (x.sin() * x.exp()).sum() + (x**2).prod()
    h = 1e-5
    for i in range(3):
        e = np.eye(3)[i] * h
        slope = (f(cr.tensor(X + e)) - f(cr.tensor(X - e))).item() / (2 * h)
        assert cr.grad(f)(X)[i].item() == pytest.approx(slope, rel=1e-8)


def test_results_keep_no_graph_behind():
    x = cr.tensor(X, requires_grad=True)
    f = lambda z: (z * z).sum()
    for result in (cr.grad(f)(X), cr.hessian(f, X), cr.hvp(f, X, V), *cr.jvp(f, (X,), (V,)), cr.vjp(f, X)[0]):
        assert not result.requires_grad and result.is_leaf
    g = cr.grad(f)(x)
    assert g.requires_grad
    g.sum().backward()
    assert_same(x.grad, 2 * np.ones(3))


def test_float32_gives_float32():
    x = np.float32(X)
    f = lambda x: (x**3).sum()
    for result in (
        cr.grad(f)(x),
        cr.hessian(f, x),
        cr.hvp(f, x, x),
        *cr.jvp(f, (x,), (x,)),
        cr.jacobian(lambda x: x * x, x),
    ):
        assert result.dtype == np.float32


def test_mode_must_be_one_of_two():
    with pytest.raises(ValueError, match="mode must be"):
        cr.jacobian(lambda x: x, X, mode="backward")


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_needs_a_tensor(mode):
    with pytest.raises(TypeError, match="outputs of the user-provided function given to jacobian must be"):
        cr.jacobian(lambda x: 3, X, mode=mode)


def test_hessian_needs_one_number():
    with pytest.raises(RuntimeError, match="scalar"):
        cr.hessian(lambda x: x * x, X)


def test_a_comparison_in_forward_mode_has_the_methods_of_a_tensor():
    f = lambda lib: lambda x: (x > 0).double() * x * lib.isnan(x).logical_not().unsqueeze(0)
    point, direction = np.array([-1.0, 2.0]), np.array([1.0, 3.0])
    want = torch.func.jvp(f(torch), (torch.tensor(point),), (torch.tensor(direction),))
    assert_same(cr.jvp(f(cr), (point,), (direction,)), want)
    assert_same(cr.jacobian(f(cr), point, "forward"), torch.func.jacfwd(f(torch))(torch.tensor(point)))
