"""Forward mode: duals, and derivatives inside derivatives."""

import numpy as np
import pytest
import torch
from oracle import array, assert_same

import chainrule as cr

F = torch.func


def library(lib):
    """jvp and grad under one name in both libraries."""
    return cr if lib is cr else F


# Perturbation confusion: each program differentiates inside a function that is being differentiated,
# and the inner function uses the outer variable.


def derivative(lib, mode):
    """d/dx of a function of one number, by the given mode."""
    home = library(lib)
    if mode == "reverse":
        return home.grad
    return lambda f: lambda x: home.jvp(f, (x,), (lib.ones_like(x) if lib is torch else 1.0,))[1]


CONFUSING = {
    "x times the derivative of x + y": lambda d_out, d_in, lib: d_out(lambda x: x * d_in(lambda y: x + y)(one(lib))),
    "x times the derivative of x y": lambda d_out, d_in, lib: d_out(lambda x: x * d_in(lambda y: x * y)(x)),
    "the inner variable is the outer": lambda d_out, d_in, lib: d_out(lambda x: d_in(lambda y: y * y * x)(x)),
    "the inner ignores its own": lambda d_out, d_in, lib: d_out(lambda x: x * d_in(lambda y: x * x + y * 0)(x) + x),
    "the outer is ignored": lambda d_out, d_in, lib: d_out(lambda x: d_in(lambda y: y.sin())(one(lib)) + 0 * x),
    "inside a condition": lambda d_out, d_in, lib: d_out(lambda x: d_in(lambda y: y**3 if y > x * 0.5 else x)(x * 2)),
    "two inner ones": lambda d_out, d_in, lib: d_out(
        lambda x: d_in(lambda y: (x * y).sin())(x) * d_in(lambda z: (x + z).exp())(x * x)
    ),
    "three deep": lambda d_out, d_in, lib: d_out(
        lambda x: d_in(lambda y: y * d_out(lambda z: (x * y * z).sin())(x * 0.5))(x)
    ),
    "a closure called later": lambda d_out, d_in, lib: d_out(lambda x: closure(d_in, x)(x)),
    "a function that returns the outer": lambda d_out, d_in, lib: d_out(lambda x: x * x + d_in(lambda y: x + 0 * y)(x)),
}


def one(lib):
    return lib.tensor(1.0, dtype=np.float64 if lib is cr else torch.float64)


def closure(d_in, x):
    scale = x.exp()
    return d_in(lambda y: scale * y * y)


@pytest.mark.parametrize("inner", ["forward", "reverse"])
@pytest.mark.parametrize("outer", ["forward", "reverse"])
@pytest.mark.parametrize("name", CONFUSING)
def test_perturbations_are_not_confused(name, outer, inner):
    at = 0.8
    got = CONFUSING[name](derivative(cr, outer), derivative(cr, inner), cr)(cr.tensor(at))
    f = CONFUSING[name](derivative(torch, outer), derivative(torch, inner), torch)
    want = f(torch.tensor(at, dtype=torch.float64))
    np.testing.assert_allclose(array(got), array(want), 1e-12)


def test_derivative_of_x_times_derivative_of_x_plus_y_is_one():
    assert cr.grad(lambda x: x * cr.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0


@pytest.mark.parametrize("order", [3, 4])
def test_every_nesting_of_higher_order_is_the_same(order):
    want = None
    for modes in np.ndindex(*(2,) * order):
        f = lambda x: (x * x).sin() * x.exp()
        for mode in modes:
            f = derivative(cr, ("forward", "reverse")[mode])(f)
        got = f(cr.tensor(0.7)).item()
        want = got if want is None else want
        assert got == pytest.approx(want, rel=1e-10)
    g = lambda x: (x * x).sin() * x.exp()
    for _ in range(order):
        g = F.grad(g)
    assert want == pytest.approx(g(torch.tensor(0.7, dtype=torch.float64)).item(), rel=1e-10)


def test_backward_works_on_a_graph_with_a_forward_derivative_in_it():
    x = cr.tensor(2.0, requires_grad=True)
    y = cr.jvp(lambda z: z**3 * x, (x,), (1.0,))[1]
    y.backward()
    assert y.item() == 24.0 and x.grad.item() == 36.0


def test_leaf_of_the_outer_graph_is_a_constant_of_the_inner_derivative():
    w = cr.tensor(3.0, requires_grad=True)
    g = cr.grad(lambda x: w * x * x)(2.0)
    assert g.item() == 12.0 and g.requires_grad
    g.backward()
    assert w.grad.item() == 4.0


def test_inner_derivative_does_not_touch_the_outer_leafs_grad():
    w = cr.tensor(3.0, requires_grad=True)
    cr.grad(lambda x: w * x * x)(w)
    assert w.grad is None


def test_no_grad_inside_a_derivative_makes_constants():
    def f(lib):
        def run(x):
            with lib.no_grad():
                c = x * x
            return c * x

        return run

    assert cr.grad(f(cr))(2.0).item() == F.grad(f(torch))(torch.tensor(2.0)).item() == 4.0


def test_derivative_works_under_no_grad():
    with cr.no_grad():
        assert cr.grad(lambda x: x**3)(2.0).item() == 12.0
        assert cr.jvp(lambda x: x**3, (2.0,), (1.0,))[1].item() == 12.0


@pytest.mark.parametrize(
    "modes", [(a, b) for a in ("forward", "reverse") for b in ("forward", "reverse")], ids="-".join
)
def test_detach_stops_every_derivative_and_no_grad_the_innermost(modes):
    def half(lib):
        def f(x):
            with lib.no_grad():
                c = x * x
            return c * x

        return f

    def detached(lib):
        return lambda x: x.detach() * x

    outer, inner = modes
    for make in (detached, half):
        got = derivative(cr, outer)(derivative(cr, inner)(make(cr)))(cr.tensor(3.0))
        want = derivative(torch, outer)(derivative(torch, inner)(make(torch)))(torch.tensor(3.0))
        assert got.item() == want.item()


STRUCTURES = {
    "tuple": lambda x: (x * 2, x.sin()),
    "list": lambda x: [x * 2, x.sum()],
    "of one": lambda x: (x * 2,),
    "with a constant": lambda x: (x * 2, x.detach() * 0 + 1.0),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_jvp_gives_results_in_the_functions_own_structure(name):
    x, v = np.array([0.5, 2.0]), np.array([1.0, -1.0])
    f = STRUCTURES[name]
    got = cr.jvp(f, (x,), (v,))
    want = F.jvp(f, (torch.tensor(x),), (torch.tensor(v),))
    assert [type(part) for part in got] == [type(part) for part in want]
    assert_same(got, want)


def test_constant_function_has_tangent_zero():
    y, y_dot = cr.jvp(lambda x: cr.tensor([1.0, 2.0]), (3.0,), (1.0,))
    assert y.tolist() == [1.0, 2.0] and y_dot.tolist() == [0.0, 0.0]
    y, y_dot = cr.jvp(lambda x: x > 0, (3.0,), (1.0,))
    assert y.item() is True and not y_dot.item()


def test_primals_and_tangents_may_be_numbers_arrays_and_tensors():
    for x, v in ((2.0, 1.0), (np.float64(2), 1), (cr.tensor(2.0), cr.tensor(1.0)), (np.array(2.0), np.array(1.0))):
        y, y_dot = cr.jvp(lambda x: x * x, (x,), (v,))
        assert (y.item(), y_dot.item()) == (4.0, 4.0)
        assert type(y) is type(y_dot) is cr.Tensor


def test_integers_have_no_derivative():
    with pytest.raises(RuntimeError, match="floating point"):
        cr.jvp(lambda x: x * 2, (3,), (1,))


def with_a_five(x):
    y = x * 1
    y[0] = 5.0
    return y


def test_float32_stays_float32_in_forward_mode():
    x = np.float32([0.5, 2.0])
    for f in (
        lambda x: x**2.5,
        lambda x: x.amax() * x,
        lambda x: cr.where(x > 1, x, 0.0),
        lambda x: x / (1 + x.exp()),
        with_a_five,
    ):
        y, y_dot = cr.jvp(f, (x,), (x,))
        assert y.dtype == y_dot.dtype == np.float32


def test_dual_shows_both_its_parts():
    seen = []
    cr.jvp(lambda x: seen.append((repr(x), x.shape, x.item())) or x, (2.0,), (3.0,))
    assert seen == [("Dual(np.float64(2.0), tangent=np.float64(3.0))", (), 2.0)]


def test_name_is_still_bound_to_the_same_dual_after_writing():
    def f(lib):
        def run(x):
            y = x * 1
            z = y
            z += x
            return y

        return run

    x = np.array([1.0, 2.0])
    assert_same(cr.jvp(f(cr), (x,), (x,)), F.jvp(f(torch), (torch.tensor(x),), (torch.tensor(x),)))
