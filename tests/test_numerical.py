"""Derivatives by difference, and gradcheck, which trusts them: both against PyTorch."""

import math

import numpy as np
import pytest
import torch
from oracle import array

import chainrule as cr
from chainrule import rules
from chainrule.functions import plain
from chainrule.numerical import METHODS, derivative, gradient, jacobian, step
from chainrule.numerical.gradcheck import GradcheckError
from chainrule.op import Op

# How well each method does where function and derivative are of size 1: a hundred times its theory.
GOOD_TO = {
    ("forward", np.float64): 1e-6,
    ("central", np.float64): 1e-8,
    ("complex", np.float64): 1e-14,
    ("forward", np.float32): 3e-2,
    ("central", np.float32): 3e-3,
    ("complex", np.float32): 1e-5,
}


def polynomial(x):
    return x**3 + 2 * x**2 - 5 * x + 1


def slope(f, x):
    """The derivative of `f` as PyTorch finds it."""
    x = torch.tensor(np.asarray(x, float), requires_grad=True)
    return torch.autograd.grad(f(x).sum(), x)[0].numpy()


def counted(f):
    def run(x):
        run.calls += 1
        return f(x)

    run.calls = 0
    return run


# ---- the three methods


@pytest.mark.parametrize(("method", "dtype"), GOOD_TO)
@pytest.mark.parametrize(
    "f",
    [polynomial, lambda x: x.sin() * x.exp(), lambda x: 1 / x + x.sqrt() + x.tanh()],
    ids=["polynomial", "product", "sum"],
)
def test_every_method_finds_the_derivative_as_well_as_its_theory_says(f, method, dtype):
    got = derivative(f, dtype(0.7), method=method)
    assert got.dtype == dtype and got.shape == ()
    np.testing.assert_allclose(array(got), slope(f, 0.7), rtol=GOOD_TO[method, dtype], atol=0)


@pytest.mark.parametrize("method", METHODS)
def test_the_given_step_is_used_as_it_is(method):
    """On a cubic polynomial each quotient's truncation error is known: f'' h / 2 + h^2, h^2, -h^2."""
    f, h = polynomial, 0.5
    by_hand = {
        "forward": (f(2.5) - f(2.0)) / 0.5,
        "central": (f(2.5) - f(1.5)) / 1.0,
        "complex": f(2 + 0.5j).imag / 0.5,
    }
    assert derivative(f, 2.0, h, method).item() == by_hand[method]


def test_evaluations_are_as_many_as_promised():
    for method, number in [("forward", 2), ("central", 2), ("complex", 1)]:
        f = counted(polynomial)
        derivative(f, 2.0, method=method)
        assert f.calls == number
    for method, number in [("forward", 6), ("central", 10), ("complex", 5)]:
        f = counted(lambda x: (x * x).sum())
        gradient(f, np.arange(5.0), method=method)
        assert f.calls == number


@pytest.mark.parametrize("method", ["forward", "central"])
def test_functions_of_the_math_module_work(method):
    assert derivative(math.sin, 1.0, method=method).item() == pytest.approx(math.cos(1.0), rel=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_numpy_functions_work(method):
    assert derivative(np.sin, 1.0, method=method).item() == pytest.approx(math.cos(1.0), rel=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_an_array_is_differentiated_number_by_number(method):
    x = np.array([[0.5, 1.0], [2.0, 3.0]])
    np.testing.assert_allclose(array(derivative(polynomial, x, method=method)), slope(polynomial, x), rtol=1e-6)


def test_an_array_of_steps_gives_a_result_for_each():
    steps = np.array([0.5, 0.25])
    each = [derivative(polynomial, 2.0, h, "forward").item() for h in steps]
    assert derivative(polynomial, 2.0, steps, "forward").tolist() == each


def test_the_central_default_step_is_near_the_best():
    """No power of ten does 20 times better than the default step."""
    for method in ("forward", "central"):
        error = [abs(derivative(math.exp, 1.0, h, method).item() - math.e) for h in (None, *10.0 ** np.arange(-12, 0))]
        assert error[0] < 20 * min(e for e in error if e) + 1e-9


def test_steps_are_differences_of_machine_numbers():
    for dtype in (np.float32, np.float64):
        x = np.array([1e-9, 0.1, 1.0, 1234.5], dtype)
        for method in ("forward", "central"):
            h = step(x, method)
            assert h.dtype == dtype
            assert np.all((x + h) - x == h)


def test_an_integer_point_is_taken_as_a_float():
    assert derivative(polynomial, 2, method="complex").item() == pytest.approx(15.0)


def test_a_tensor_that_requires_grad_is_taken_at_its_value():
    x = cr.tensor(2.0, requires_grad=True)
    assert not derivative(polynomial, x).requires_grad


def test_the_function_gets_tensors_without_grad():
    seen = []

    def f(x):
        seen.append(x.requires_grad)
        return x

    derivative(f, 1.0)
    assert seen == [False, False]


def test_a_constant_function_has_derivative_zero():
    for method in METHODS:
        assert derivative(lambda x: 3.0, 1.0, method=method).item() == 0.0


# ---- many inputs


FIELDS = {
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: x.log_softmax(0),
    "logsumexp": lambda x: x.logsumexp(1),
    "norm": lambda x: x.norm(),
    "var": lambda x: x.var(0),
    "std": lambda x: x.std(),
    "prod": lambda x: x.prod(1),
    "cumsum": lambda x: x.cumsum(0),
    "product": lambda x: x @ x.T,
    "indexing": lambda x: x[[0, 1, 0], [1, 1, 1]],
    "sigmoid": lambda x: x.sigmoid().mean(0),
    "one number": lambda x: (x * x).sum(),
    "power": lambda x: x**2.5 + 2**x,
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", FIELDS.values(), ids=FIELDS)
def test_jacobian_is_that_of_pytorch(f, method):
    x = np.array([[0.3, 0.2, 0.9], [0.7, 0.4, 0.1]])
    want = torch.autograd.functional.jacobian(f, torch.tensor(x)).numpy()
    got = jacobian(f, x, method=method)
    assert got.shape == want.shape
    tolerance = 1e-13 if method == "complex" else 1e-6
    np.testing.assert_allclose(array(got), want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("method", METHODS)
def test_gradient_has_the_shape_and_dtype_of_the_point(method):
    for x in (0.5, [0.5], np.full((2, 3), 0.5, np.float32), np.zeros((0, 2))):
        g = gradient(lambda x: (x * x).sum(), x, method=method)
        assert g.shape == np.shape(x)
        assert g.dtype == np.asarray(x).dtype


KINKED = {
    "abs": abs,
    "relu": lambda x: x.relu(),
    "sign": lambda x: x.sign(),
    "floor": lambda x: x.floor(),
    "ceil": lambda x: x.ceil(),
    "round": lambda x: x.round(),
    "maximum": lambda x: x.maximum(0.0 * x),
    "clamp": lambda x: x.clamp(0, 1),
    "amax": lambda x: x.amax(),
    "norm": lambda x: x.norm(),
    "tocopy": lambda x: x.float(),
}


# Every elementwise function of one input in the table, but for those above.
ANALYTIC = [
    name
    for name, op in vars(rules).items()
    if isinstance(op, Op) and op.family == "elementwise" and op.inputs == ("x",) and op.name.lower() not in KINKED
    if name not in ("softplus", "magnitude", "only")  # PyTorch's softplus compares; the magnitude is `norm` above
]


@pytest.mark.parametrize("name", ANALYTIC)
def test_the_complex_step_is_exact_for_every_analytic_function(name):
    def f(x):
        return getattr(x, name)()

    x = 1.4 if name == "acosh" else 0.4
    np.testing.assert_allclose(array(derivative(f, x, method="complex")), slope(f, x), rtol=1e-14)


# ---- what goes wrong, and what is said


@pytest.mark.parametrize("name", KINKED)
def test_the_complex_step_refuses_what_is_not_analytic(name):
    with pytest.raises(TypeError, match=rf"needs an analytic function, but this one uses .*{name}.*method='central'"):
        derivative(KINKED[name], 0.5, method="complex")


@pytest.mark.parametrize(
    "compare",
    [
        lambda x: x > 0,
        lambda x: x == 0,
        lambda x: 1 < x * x,  # noqa: SIM300
        lambda x: x <= x,
    ],
    ids=["greater", "equal", "number first", "both"],
)
def test_the_complex_step_refuses_comparisons(compare):
    with pytest.raises(TypeError, match="complex numbers have no order"):
        derivative(lambda x: x if compare(x) else -x, 1.0, method="complex")


@pytest.mark.parametrize(
    "f",
    [math.sin, float, lambda x: x.item() * x, lambda x: x * x if x else x],
    ids=["math.sin", "float", "item", "truth"],
)
def test_the_complex_step_refuses_to_lose_the_imaginary_part(f):
    with pytest.raises(TypeError, match="imaginary part, which would be lost"):
        derivative(f, 1.0, method="complex")


@pytest.mark.parametrize(
    "f", [lambda x: x.log(), lambda x: x.sqrt(), lambda x: (x * x * 2).asin()], ids=["log", "sqrt", "asin"]
)
def test_the_complex_step_notices_where_the_function_has_no_real_value(f):
    with pytest.raises(ValueError, match="not near the real axis"):
        derivative(f, -2.0, method="complex")


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="'forward', 'central', 'complex', but is 'backward'"):
        derivative(math.sin, 1.0, method="backward")


@pytest.mark.parametrize(("h", "method"), [(1e-17, "forward"), (1e-17, "central"), (0.0, "complex")])
def test_a_step_that_is_not_felt_is_refused(h, method):
    with pytest.raises(ValueError, match="Take a larger h"):
        derivative(math.sin, 1.0, h, method)


def test_a_function_that_mixes_the_numbers_is_sent_to_gradient_or_jacobian():
    with pytest.raises(ValueError, match=r"chainrule\.numerical.gradient"):
        derivative(lambda x: x.sum(), [1.0, 2.0])
    with pytest.raises(ValueError, match=r"chainrule\.numerical.jacobian"):
        gradient(lambda x: x * 2, [1.0, 2.0])


@pytest.mark.parametrize("x", [1j, "1", True])
def test_a_point_that_is_not_real_is_refused(x):
    with pytest.raises(TypeError, match="real numbers"):
        derivative(lambda x: x, x)


# ---- gradcheck


def leaf(x, lib=cr):
    return lib.tensor(np.array(x, float), requires_grad=True)


PROGRAMS = {
    "product": (lambda x, y: x * y, [0.5, 2.0], [1.5, -1.0]),
    "broadcasting": (lambda x, y: x * y + y, [[0.5], [2.0]], [1.5, -1.0, 3.0]),
    "several results": (lambda x, y: (x.sin() @ y, (x * x).sum(), y), [0.5, 2.0], [1.5, -1.0]),
    "branch": (lambda x, y: x * y if x.sum() > 0 else x - y, [0.5], [2.0]),
    "unused": (lambda x, y: x.exp(), [0.5], [2.0]),
    "matrices": (lambda x, y: (x @ y).tanh().logsumexp(0), [[0.1, 0.2], [0.3, 0.4]], [[1.0], [-2.0]]),
}


@pytest.mark.parametrize(("f", "x", "y"), PROGRAMS.values(), ids=PROGRAMS)
def test_gradcheck_passes_where_that_of_pytorch_does(f, x, y):
    assert torch.autograd.gradcheck(f, (leaf(x, torch), leaf(y, torch)))
    assert cr.gradcheck(f, (leaf(x), leaf(y)), order=2)
    assert cr.gradgradcheck(f, (leaf(x), leaf(y)))


def test_results_that_are_not_floating_point_are_left_out():
    """PyTorch's gradcheck subtracts them, and fails."""
    assert cr.gradcheck(lambda x: (x > 1, x * x), leaf([0.5, 2.0]), order=2)


def test_gradcheck_of_nothing_passes():
    assert cr.gradcheck(lambda x: x * x, leaf(np.zeros((0, 2))), order=2)
    assert cr.gradcheck(lambda x: x[:0], leaf([1.0, 2.0]))


WRONG = {
    "detached": lambda x: x.detach() * x,
    "cut off": lambda x: x.detach() * 2,
    "in one place": lambda x: x.sin() + 0 * x.detach() + x.detach()[0],
}


@pytest.mark.parametrize("f", WRONG.values(), ids=WRONG)
def test_gradcheck_fails_where_that_of_pytorch_does(f):
    with pytest.raises(RuntimeError):
        torch.autograd.gradcheck(f, leaf([0.5, 2.0], torch))
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        cr.gradcheck(f, leaf([0.5, 2.0]))
    assert cr.gradcheck(f, leaf([0.5, 2.0]), raise_exception=False) is False


def test_inputs_that_require_no_grad_are_constants():
    n = cr.tensor([1.0, 2.0])
    assert cr.gradcheck(lambda n, x: n.detach() * x, (n, leaf([0.5, 2.0])))


def test_gradcheck_says_which_where_and_why():
    with pytest.raises(GradcheckError) as caught:
        cr.gradcheck(lambda n, x: (x, x.detach() * n), (cr.tensor([1.0, 2.0]), leaf([0.5, 2.0])))
    message = str(caught.value)
    assert "for output 1 with respect to input 1,\nnumerical:tensor([[1." in message
    assert "analytical:tensor([[0., 0." in message
    assert "at tensor([0.5000, 2.0000])" in message
    assert "in row 1 (output), column 1 (input), where 1e-05 + 0.001 * |numerical| is allowed" in message
    assert "is there a detach(), item() or numpy()?" in message


def test_gradcheck_wants_an_input_that_requires_grad():
    for lib, check in ((torch, torch.autograd.gradcheck), (cr, cr.gradcheck)):
        with pytest.raises(ValueError, match="at least one input tensor to require gradient, but none of them have"):
            check(lambda x: x, lib.tensor(1.0))


def test_gradcheck_warns_of_single_precision():
    words = "Input #0 requires gradient and is not a double precision floating point"
    for lib, check in ((torch, torch.autograd.gradcheck), (cr, cr.gradcheck)):
        x = lib.tensor(np.array([1.0, 7.0], np.float32), requires_grad=True)
        with pytest.warns(UserWarning, match=words), pytest.raises(RuntimeError):
            check(lambda x: x * x, x)


def test_gradcheck_touches_neither_inputs_nor_their_grad():
    x = leaf([0.5, 2.0])
    cr.gradcheck(lambda x: x * x, x, order=2)
    assert x.grad is None and x.tolist() == [0.5, 2.0] and x._version == 0


@pytest.fixture
def broken(monkeypatch):
    """Replace the rules of an operation for the length of a test."""

    def replace(op, **rules):
        for name, value in rules.items():
            monkeypatch.setattr(op, name, value)

    return replace


def test_a_wrong_pull_is_found_although_the_push_is_right(broken):
    broken(rules.sin, pushes=rules.sin.pulls, pulls=(lambda t, kept: t * 0.9 * np.cos(kept.a),))
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        cr.gradcheck(lambda x: x.sin(), leaf([0.5, 2.0]))


def test_a_wrong_push_is_found_although_the_pull_is_right(broken):
    broken(rules.sin, pushes=(lambda t, kept: t * 0.9 * np.cos(kept.a),))
    with pytest.raises(GradcheckError, match="Jacobian computed with forward mode mismatch"):
        cr.gradcheck(lambda x: x.sin(), leaf([0.5, 2.0]))


def test_modes_that_differ_by_less_than_differences_can_see_are_told_apart(broken):
    broken(rules.sin, pushes=(lambda t, kept: t * (1 + 1e-8) * np.cos(kept.a),))
    with pytest.raises(GradcheckError, match="Push and pull of one of its operations do not fit together"):
        cr.gradcheck(lambda x: x.sin(), leaf([0.5, 2.0]))


def test_a_wrong_second_derivative_is_found(broken):
    def f(x):
        return (x * x).sin()

    broken(rules.sin, pulls=(lambda t, kept: t * np.cos(plain(kept.a)),))
    assert cr.gradcheck(f, leaf([0.5, 2.0]))
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        cr.gradcheck(f, leaf([0.5, 2.0]), order=2)
