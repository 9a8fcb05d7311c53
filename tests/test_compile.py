"""`compile`: what is replayed is what the function does, bit for bit where no `math` is involved."""

import functools
import math
import threading
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import assert_same
from test_rules import OPS, each_case, numbers

import chainrule as cr
from chainrule.compile import writer


def everything(op, shapes, params):
    """Value, pullback, derivative along a direction and its gradient, of a row of the table."""

    def run(xs, y_bar, directions):
        f = functools.partial(op, **params)
        y, pullback = cr.vjp(f, *xs)
        _, y_dot = cr.jvp(f, tuple(xs), tuple(directions))
        second = cr.jvp(lambda *xs: cr.vjp(f, *xs)[1](y_bar), tuple(xs), tuple(directions))[1]
        return y, pullback(y_bar), y_dot, second

    return run


@pytest.mark.parametrize("case", list(each_case()))
def test_every_row_of_the_table_compiles_with_all_its_derivatives(case):
    name, _, params, between, shapes = case
    run = everything(OPS[name], shapes, params)
    compiled = cr.compile(run)
    for seed in "ab":
        xs = [cr.tensor(x) for x in numbers(name + seed, shapes, between)]
        directions = [cr.tensor(x) for x in numbers(name + seed + "v", shapes)]
        y = OPS[name](*xs, **params)
        y_bar = cr.tensor(numbers(name + seed + "y", [y.shape])[0].astype(y.dtype))
        want = run(xs, y_bar, directions)
        for _ in range(2):
            assert_same(compiled(xs, y_bar, directions), want, 1e-13, 1e-14)


# ---- random programs

UNARY = ["sin", "cos", "tanh", "sigmoid", "relu", "neg", "abs", "exp", "square", "double", "same", "half"]
BINARY = ["add", "sub", "mul", "over", "maximum"]
OTHER = ["total", "rows", "branch", "loop", "part", "column", "where"]
SHAPES = [(), (3,), (2, 3), (1, 3), (2, 1)]


def one_step(lib, name, a, b):
    """What a random program does in one step, on either engine."""
    match name:
        case "square":
            return a**2
        case "double":
            return a + a
        case "same":
            return a.neg().neg() * 1 - 0
        case "half":
            return 0.5 * a / 1
        case "over":
            return a / (b * b + 1)
        case "total":
            return a.sum() * b
        case "rows":
            return (a * b).mean(-1, keepdims=True) if a.ndim and b.ndim else a * b
        case "branch":
            return a * b if (a - b).sum() > 0 else b - 2 * a
        case "loop":
            while a.abs().sum() > 1:
                a = a * 0.25
            return a + b
        case "part":
            return a[..., :2].sum() + b if a.ndim else a - b
        case "column":
            return a.reshape(-1)[np.array([0, -1, 0])].sum() * b
        case "where":
            return lib.where(a > b, a, b * 2)
        case _:
            return getattr(a, name)(*([b] if name in BINARY else []))


def random_function(steps):
    """A function of two tensors to one number, from a list of steps (name, first operand, second operand)."""

    def f(lib, x, y):
        values = [x, y]
        for name, i, j in steps:
            value = one_step(lib, name, values[i % len(values)], values[j % len(values)])
            values.append(value.tanh() if name in ("exp", "square", "mul") else value)
        return sum(value.sum() for value in values[2:])

    return f


step = st.tuples(st.sampled_from(UNARY + BINARY + OTHER), st.integers(0, 9), st.integers(0, 9))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(step, min_size=1, max_size=8), st.sampled_from(SHAPES), st.sampled_from(SHAPES), st.integers(0, 2**32 - 1)
)
def test_random_program_compiled_uncompiled_and_in_pytorch_agree(steps, shape, other_shape, seed):
    f, draw = random_function(steps), np.random.default_rng(seed)
    run = cr.value_and_grad(functools.partial(f, cr), (0, 1))
    compiled = cr.compile(run)
    kept = []
    for dtype, shapes in [(float, (shape, other_shape))] * 3 + [(np.float32, (other_shape, shape))] * 2:
        x, y = (np.round(draw.normal(size=s) * 64).astype(dtype) / 64 for s in shapes)  # sums come out even
        got = flat(compiled(cr.tensor(x), cr.tensor(y)))
        exact = dtype is float
        assert_same(got, flat(run(cr.tensor(x), cr.tensor(y))), *((1e-13, 1e-13) if exact else (1e-5, 1e-5)))
        leaves = [torch.tensor(v, requires_grad=True) for v in (x, y)]
        value = f(torch, *leaves)
        slopes = torch.autograd.grad(value, leaves, materialize_grads=True)
        assert_same(got, (value, *slopes), *((1e-9, 1e-9) if exact else (1e-3, 1e-3)))
        kept += [(t, t.numpy().copy()) for t in got]
    assert all(np.array_equal(t.numpy(), was, equal_nan=True) for t, was in kept), "a later call wrote to a result"


def flat(result):
    value, gradients = result
    return value, *gradients


# ---- the source


def lines(compiled):
    return compiled.source.splitlines()[1:]


def test_source_is_one_plain_line_for_each_operation():
    @cr.compile
    def f(x, y):
        return (x * y).log().sum()

    f(np.ones(3), np.ones(3))
    assert f.source == "def f(x, y):\n    v1 = x * y\n    v2 = np.log(v1)\n    v3 = v2.sum()\n    return v3\n"


def test_source_is_the_same_every_time():
    def loss(w, x):
        return ((x @ w).sigmoid().log_softmax(0) ** 2).mean()

    sources = set()
    for _ in range(3):
        compiled = cr.compile(cr.value_and_grad(loss))
        compiled(np.ones(3), np.eye(3))
        sources.add(compiled.source)
    assert len(sources) == 1


def test_source_runs_as_it_is_printed():
    f = cr.compile(cr.value_and_grad(lambda x: (x.sin() * x).sum()))
    x = np.linspace(0, 1, 5)
    want = f(x)
    names = {"np": np, **f.variants[0].names}
    exec(f.source, names)
    assert_same(names["f"](x), want)


def test_source_has_no_line_that_nobody_needs():
    def f(x):
        x.exp().sum()
        return x + 1

    f = cr.compile(f)
    f(np.ones(3))
    assert lines(f) == ["    v1 = x + 1", "    return v1"]


def test_same_thing_is_computed_once():
    f = cr.compile(lambda x: x.sin() * x.sin())
    f(np.ones(3))
    assert lines(f) == ["    v1 = np.sin(x)", "    v2 = v1 * v1", "    return v2"]


@pytest.mark.parametrize(
    "text",
    [
        "x * 1", "1.0 * x", "x / 1", "x**1", "-(-x)", "x - 0",
        "x.T.T", "x * np.ones((2, 3))", "x.reshape(2, 3)", "x.astype(float)",
        "x.permute(0, 1)", "x.clone()", "x.expand(2, 3)",
    ],
)  # fmt: skip
def test_algebra_that_changes_nothing_leaves_no_line(text):
    f = cr.compile(eval(f"lambda x: {text}"))
    assert_same(f(np.ones((2, 3))), np.ones((2, 3)))
    assert lines(f) == ["    return x.copy()"]


@pytest.mark.parametrize(
    "text",
    [
        "x + 0", "x * 0", "x + 0.0", "x * np.float64(1)", "x - -x",
        "-x + -x", "-x * -x", "-x / 3", "3 / -x", "-x - -x", "1 - -x",
        "-x + 1", "x * -1", "x.sum() * -x", "-x.sum() * x", "0 - x",
        "x * np.float64(-1)", "x**2", "x**-1", "x**0.5", "(-2.0) ** x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_tidying_keeps_every_bit_and_the_dtype(text, dtype):
    f = eval(f"lambda x: {text}")
    for values in ([0.0, -0.0, 1e-30, 3.0, -1.7], [np.inf, -np.inf, 1.0], [np.nan, 2.0]):
        x = cr.tensor(np.array(values, dtype))
        got, want = cr.compile(f)(x).numpy(), f(x).numpy()
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
        numbers = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(want)[numbers])


def test_names_of_arguments_never_collide_with_those_of_the_program():
    f = cr.compile(lambda v1, np, abs, c0, f: (v1 + np * abs).abs() * c0 - f + cr.tensor([1.0, 2.0]))
    xs = [np.full(2, float(i)) for i in range(5)]
    assert_same(f(*xs), f.function(*map(cr.tensor, xs)))


def test_source_keeps_the_names_of_the_function_under_a_derivative():
    def energy(position, mass):
        return (mass * position**2).sum()

    slope = cr.compile(cr.grad(energy))
    slope(np.ones(2), np.ones(2))
    assert slope.source.startswith("def energy(position, mass):")


def test_arrays_in_lists_are_named_after_the_list():
    f = cr.compile(lambda params, *, rate: [w - rate * w for w in params])
    got = f([np.ones(2), np.ones(3)], rate=0.5)
    assert_same(got, [np.full(2, 0.5), np.full(3, 0.5)])
    assert f.source.startswith("def f(params_0, params_1, rate):")


def test_arrays_in_dicts_have_names_even_if_the_keys_are_none():
    f = cr.compile(lambda params, params_a: params["a"] + params["b c"] * params_a + params[3])
    assert_same(f({"a": 1.0, "b c": 2.0, 3: np.ones(2)}, 5.0), [12.0, 12.0])


# ---- single numbers


def scalar(x):
    return cr.log(x * x) * cr.sin(x) + 1 / x


def test_single_float64_is_computed_on_python_floats():
    f = cr.compile(cr.value_and_grad(scalar))
    for x in np.linspace(-5, 5, 100):
        got = f(x)
        assert all(type(t.array) is np.float64 for t in got)
        assert_same(got, cr.value_and_grad(scalar)(x), 1e-14, 1e-14)
    assert "math.log" in f.source and "np" not in f.source


@pytest.mark.parametrize("op", ["exp", "log", "sqrt", "sin", "tan", "acosh", "atanh", "log1p", "reciprocal"])
@pytest.mark.parametrize("x", [-2.0, -1.0, -0.0, 0.0, 1.0, 1000.0, math.inf, -math.inf, math.nan])
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_where_math_raises_numpy_answers(op, x):
    f = cr.value_and_grad(lambda x: getattr(x, op)() * 2 + x**3)
    compiled = cr.compile(f)
    compiled(0.5 if op != "acosh" else 1.5)
    assert_same(tuple(compiled(x)), tuple(f(x)), 1e-14, 1e-300)


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("x", [-2.0, -0.0, 0.0, 3.0, math.nan, math.inf])
@pytest.mark.parametrize("y", [-1.5, -1.0, 0.0, 0.5, 2.0, math.nan])
def test_power_of_single_numbers_is_numpys(x, y):
    assert_same(cr.compile(lambda x, y: x**y)(x, y), np.float64(x) ** np.float64(y), 1e-14)
    for name in ("maximum", "minimum"):
        assert_same(cr.compile(lambda x, y: getattr(x, name)(y))(x, y), getattr(np, name)(x, y))  # noqa: B023


def test_single_float32_stays_float32_in_every_line():
    f = cr.value_and_grad(scalar)
    compiled, x = cr.compile(f), cr.tensor(2.3, dtype="float32")
    for _ in range(2):
        assert_same(tuple(compiled(x)), tuple(f(x)), 0, 0)


def test_python_float_takes_the_dtype_of_what_it_meets():
    step = cr.compile(lambda w, rate: w - rate * w)
    assert step(np.ones(3, np.float32), 0.1).dtype == np.float32
    assert step(np.ones(3, np.float32), np.float64(0.1)).dtype == np.float32
    assert step(np.float32(1), np.float64(0.1)).dtype == np.float64
    captured = cr.tensor([1.0, 2.0], dtype="float32")
    assert cr.compile(lambda rate: captured * rate)(0.1).dtype == np.float32
    assert cr.compile(cr.grad(lambda rate: (captured * rate).sum()))(0.1).dtype == np.float64


KEEPING = {
    "its negative": lambda x, a: x + (-a) * x,
    "whole quotients": lambda x, a: x * (a // 2) + x * (a % 2),
    "a choice": lambda x, a: cr.where(x > 1, a, x) + cr.where(x > 1, x, a),
    "masked_fill": lambda x, a: x.masked_fill(x > 1, a),
    "threshold": lambda x, a: cr.threshold(x, a, a),
}


@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("number", [5, 2.5])
def test_what_is_made_of_a_python_number_takes_the_dtype_of_what_it_meets(name, number):
    x = cr.tensor([1.0, 3.0], dtype="float32")
    compiled = cr.compile(KEEPING[name])
    for _ in range(2):
        assert_same(compiled(x, number), KEEPING[name](x, number))


NUMBERS = {
    "root of a negative": (lambda x, s: x - s**0.5, cr.tensor([1.0, 2.0]), -4.0),
    "power of a negative integer": (lambda x: x**-1.5, -1),
    "one by zero": (lambda x, s: x * (1 / s), cr.tensor([1.0, 2.0]), 0.0),
    "two by minus zero": (lambda x: cr.erf(2 / x), -0.0),
    "too large": (lambda x, s: x * s**2, cr.tensor([1.0, 2.0]), 1e200),
    "integer by zero": (lambda x, y: x / y, 2, 0),
    "large integers": (lambda x: x * x, 2**31),
    "a truth value with a shape": (lambda x, y: (x > y).flatten(), -0.5, -1.0),
    "a truth value times a number": (lambda x: ((x > 0) * x).reshape(1), 0.5),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_arithmetic_of_pythons_numbers_is_that_of_tensors(name):
    f, *args = NUMBERS[name]
    compiled = cr.compile(f)
    for _ in range(2):
        assert_same(compiled(*args), f(*map(cr.tensor, args)))


def test_value_of_a_comparison_is_a_guard_like_any_other():
    f = cr.compile(lambda x: float(x > 1.0) * x)
    g = cr.compile(lambda x: x * 10 if (x != 1).item() else x)
    assert [f(x).item() for x in (2.0, 0.5, 2.0)] == [2.0, 0.0, 2.0]
    assert [g(x).item() for x in (2.0, 1.0, 3.0)] == [20.0, 1.0, 30.0]


ASKING = {
    "logdet": cr.logdet,
    "slogdet": lambda x: cr.slogdet(x)[1],
    "a gradient": cr.grad(cr.logdet),
    "allclose": lambda x: x * np.allclose(x, x),
}


@pytest.mark.parametrize("name", ASKING)
def test_what_asks_numpy_for_values_compiles(name):
    f = ASKING[name]
    assert_same(cr.compile(f)(2 * np.eye(2)), f(cr.tensor(2 * np.eye(2))))


def test_truth_values_and_complex_numbers_may_be_arguments():
    assert_same(cr.compile(lambda x, flag: x * flag)(2.0, True), cr.tensor(2.0))
    assert_same(cr.compile(lambda x: x * 2)(1j), cr.tensor(2j))


def test_function_that_looks_at_its_last_digits_runs_all_the_same():
    f = cr.compile(lambda x: x * float(x.tanh()) if x.sigmoid() >= float(x.sigmoid()) else x)
    for x in np.linspace(-2, 2, 50).tolist():
        assert_same(f(x), cr.tensor(x * np.tanh(x)), 1e-14)


def test_python_integer_may_vary():
    f = cr.compile(lambda x, n: x * n + x[n])
    for n in range(5):
        assert_same(f(np.arange(5.0), n), np.arange(5.0) * n + n)
    assert len(f.variants) == 1


# ---- guards


def count_runs(f):
    def counted(*args, **kwargs):
        counted.runs += 1
        return f(*args, **kwargs)

    counted.runs = 0
    return counted


def test_function_runs_once_for_each_shape_and_dtype():
    f = count_runs(lambda x: (x * 2).sum())
    compiled = cr.compile(f)
    for _ in range(3):
        for shape in [(3,), (4,), (2, 3), ()]:
            for dtype in (np.float32, np.float64, np.int64):
                x = np.ones(shape, dtype)
                assert_same(compiled(x), (x * 2).sum())
    assert f.runs == len(compiled.variants) == 12


def test_function_runs_once_for_each_setting():
    f = count_runs(lambda x, how, axis=None: getattr(x, how)(axis))
    compiled = cr.compile(f)
    x = np.arange(6.0).reshape(2, 3)
    for _ in range(2):
        assert_same(compiled(x, "sum"), x.sum())
        assert_same(compiled(x, "mean"), x.mean())
        assert_same(compiled(x, how="mean", axis=(0, 1)), x.mean())
    assert f.runs == 3


@cr.compile
def doubling(a):
    """The loop whose length depends on the data."""

    def f(a):
        b = a * 2
        while b.norm() < 1000:
            b = b * 2
        return b if b.sum() > 0 else 100 * b

    return f(a), cr.vjp(f, a)[1](cr.ones_like(a))[0]


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_loop_goes_round_as_often_as_the_data_say(shape, dtype):
    compiled, draw = cr.compile(doubling.function), np.random.default_rng(0)
    for _ in range(60):
        a = cr.tensor((draw.normal(size=shape) * 10.0 ** draw.integers(-1, 4)).astype(dtype))
        assert_same(compiled(a), doubling.function(a), 1e-12)


def test_branch_is_taken_by_the_value_of_every_call():
    f = count_runs(lambda x: x * 2 if x.sum() > 0 else -x)
    compiled = cr.compile(f)
    for x in [1.0, -1.0, 2.0, -3.0, math.nan]:
        assert_same(compiled(cr.tensor([x])), [2 * x] if x > 0 else [-x])
    assert f.runs == 2


def test_shape_behind_a_mask_is_guarded():
    f = cr.compile(cr.grad(lambda x: (x[x > 0] ** 2).mean()))
    for x in ([1.0, -2.0, 3.0], [4.0, -2.0, -3.0], [1.0, 2.0, 3.0], [-1.0, 5.0, 1.0]):
        assert_same(f(np.array(x)), f.function(np.array(x)))
    assert len(f.variants) == 3


def test_number_that_is_looked_at_is_guarded():
    f = count_runs(lambda x: x * float(x.max()) + int(x[0]) * x + x.argmax().item())
    compiled = cr.compile(f)
    for x in ([1.5, 2.0], [1.7, 2.0], [2.5, 2.0], [1.5, 2.0]):
        assert_same(compiled(np.array(x)), np.array(x) * max(x) + int(x[0]) * np.array(x) + np.argmax(x))
    assert f.runs == 2


def test_too_many_ways_warn_once_and_name_the_guard():
    f = cr.compile(lambda x: x * x.item())
    with pytest.warns(RuntimeWarning, match=r"f went 64 different ways.*if x != [0-9]+\.0") as caught:
        for i in range(70):
            assert_same(f(float(i)), float(i * i))
    assert len(caught) == 1 and len(f.variants) == 64


@pytest.mark.parametrize(
    "text",
    [
        "cr.nn.cross_entropy(x, y)", "x[np.arange(3), y].sum()", "x.max(1).values.prod()",
        "cr.sort(x, 1).values[:, 0].sum()",
        "x[:, x.argmax(1)].sum()", "cr.where(x > x.mean(), x, 0.0).sum()", "X[y].mul(x[:, :2]).sum()", "x[x > 0].sum()",
    ],
)  # fmt: skip
def test_positions_that_come_from_values_are_found_anew_at_every_call(text):
    f = cr.value_and_grad(
        eval(f"lambda x, y: {text}", {"cr": cr, "np": np, "X": cr.tensor(np.arange(8.0).reshape(4, 2))})
    )
    compiled, draw = cr.compile(f), np.random.default_rng(3)
    for _ in range(4):
        x, y = cr.tensor(draw.normal(size=(3, 4))), cr.tensor(draw.integers(0, 4, 3))
        assert_same(compiled(x, y), f(x, y), 1e-13)
    assert len(compiled.variants) == 1 or "[x > 0]" in text


# ---- what the results are


def test_results_share_no_memory_with_anything():
    captured = np.ones((2, 2))

    @cr.compile
    def f(x):
        y = x * 2
        return x, x.T, y, y.T, y[0], captured, x[:1], cr.tensor(captured), (y + captured).reshape(-1)

    x = np.arange(4.0).reshape(2, 2)
    results = [t.numpy() for _ in range(3) for t in f(x)]
    memories = [x, captured, *f.variants[0].names.values(), *results]
    arrays = [a for a in memories if isinstance(a, np.ndarray)]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:i])
        assert i < 2 or a.flags.writeable


def test_large_results_are_not_written_again():
    f = cr.compile(lambda x: ((x * 2).sin() + 1, (x * 3).exp().T, x.cos()[:10]))
    x = np.linspace(0, 1, 10**5)
    first = f(x)
    assert "out=b0" in f.source
    kept = [t.numpy().copy() for t in first]
    second = f(x + 1)
    assert_same(first, tuple(kept))
    second[0].numpy()[:] = 0
    assert_same(f(x), tuple(kept))


def test_result_lies_in_memory_that_is_made_for_it():
    f = cr.compile(lambda x: (x * 2).sin() + 1)
    x = np.linspace(0, 1, 10**5)
    assert_same(f(x), cr.tensor(np.sin(x * 2) + 1))
    assert lines(f)[0] == "    b0 = np.empty((100000,), np.float64)"
    assert f.source.count("out=b0") == 3


@pytest.mark.parametrize("strip", [1 << 17, 1 << 11])
@settings(max_examples=60, deadline=None)
@given(st.lists(step, min_size=2, max_size=10), st.integers(0, 2**32 - 1))
def test_memory_that_is_used_again_holds_nothing_that_is_still_needed(strip, steps, seed):
    f, draw = random_function(steps), np.random.default_rng(seed)
    run = cr.value_and_grad(functools.partial(f, cr), (0, 1))
    compiled, kept = cr.compile(run), []
    with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "STRIP", strip)
        for shapes in [((60, 50), (50,)), ((60, 1), (60, 50)), ((60, 50), (60, 50))] * 2:
            x, y = (cr.tensor(draw.normal(size=s)) for s in shapes)
            got = flat(compiled(x, y))
            assert_same(got, flat(run(x, y)), 1e-11, 1e-11)
            kept += [(t, t.numpy().copy()) for t in got]
    assert all(np.array_equal(t.numpy(), was, equal_nan=True) for t, was in kept), "a later call wrote to a result"


@pytest.mark.parametrize(
    "shapes", [[(300_001,), ()], [(601, 500), (500,)], [(601, 500), (601, 1)], [(900, 7, 50), (7, 1)]]
)
def test_elementwise_work_on_large_arrays_is_done_in_strips(shapes):
    @cr.compile
    def f(s, i):
        y = (s * i).sin()
        z = y.sum() + y.exp() * s
        return z, (z / 2).cos() if z.sum() > 0 else z, y.T

    for seed in range(3):
        draw = np.random.default_rng(seed)
        x = [cr.tensor(draw.normal(size=shape)) for shape in shapes]
        assert_same(f(*x), f.function(*x), 0, 0)
    assert f.source.count("for i_ in (*range(0, ") == 2
    assert max(a.nbytes for a in f.variants[0].names.values() if isinstance(a, np.ndarray)) <= x[0].numpy().nbytes


def test_structure_of_the_result_is_kept():
    f = cr.compile(lambda x: {"a": [x, (x + 1,)], "b": None, "c": x.max(0), "n": 3})
    got = f(np.array([1.0, 5.0]))
    assert list(got) == ["a", "b", "c", "n"] and got["b"] is None and got["n"] == 3
    assert isinstance(got["a"], list) and isinstance(got["a"][1], tuple)
    assert_same(got["c"].values, 5.0)
    assert_same(got["c"].indices, 1)


@pytest.mark.parametrize(
    "x", [2.0, np.float64(2.0), np.array(2.0), cr.tensor(2.0)], ids=["float", "np", "array", "tensor"]
)
def test_arrays_numbers_and_tensors_give_tensors(x):
    f = cr.compile(lambda x: x * x)
    for _ in range(2):
        y = f(x)
        assert type(y) is cr.Tensor and y.item() == 4.0 and not y.requires_grad and y.dtype == np.float64


def test_works_as_a_decorator_and_keeps_name_and_docstring():
    assert doubling.__name__ == "doubling" and doubling.__doc__.startswith("The loop")
    assert repr(cr.compile(lambda x: x)) == "<compiled f: 0 variants>"


# ---- derivatives around and inside


def test_second_derivatives_compile():
    f = lambda x: (x.sin() * x**3).sum()
    x, v = np.linspace(0.1, 1, 4), np.linspace(1, 2, 4)
    for g in (lambda x: cr.hessian(f, x), lambda x: cr.hvp(f, x, v), lambda x: cr.jacobian(cr.grad(f), x)):
        assert_same(cr.compile(g)(x), g(x))


def test_derivative_of_a_compiled_function_is_right():
    f = cr.compile(lambda x: x.sin() * x)
    f(1.0)
    assert_same(cr.grad(f)(2.0), cr.grad(f.function)(2.0))
    assert_same(cr.jvp(f, (2.0,), (1.0,)), cr.jvp(f.function, (2.0,), (1.0,)))
    x = cr.tensor(2.0, requires_grad=True)
    f(x).backward()
    assert_same(x.grad, cr.grad(f.function)(2.0))


def test_without_recording_a_leaf_is_a_plain_value():
    f, x = cr.compile(lambda x: x * 3), cr.tensor(2.0, requires_grad=True)
    with cr.no_grad():
        assert_same(f(x), 6.0)
    assert len(f.variants) == 1


def test_compiled_functions_nest():
    inner = cr.compile(lambda x: x.exp() + 1)
    outer = cr.compile(lambda x: inner(x) * 2)
    assert_same(outer(np.zeros(2)), [4.0, 4.0])
    assert lines(outer)[0] == "    v1 = np.exp(x)"


# ---- what is not pure


def test_captured_array_is_read_once():
    captured = np.ones(3)
    f = cr.compile(lambda x: x * captured)
    f(np.ones(3))
    captured[:] = 7
    assert_same(f(np.ones(3)), np.ones(3))
    assert_same(cr.compile(f.function)(np.ones(3)), np.full(3, 7.0))


def test_scratch_array_is_read_each_time_it_is_used():
    def f(x):
        mask, total = np.zeros(3), 0
        for i in range(3):
            mask[:] = 0
            mask[i] = i
            total = total + (x * mask).sum()
        return total

    assert_same(cr.compile(f)(np.ones(3)), 3.0)


@pytest.mark.parametrize("kind", ["a leaf", "an outer value"])
def test_captured_value_of_another_derivative_is_refused(kind):
    def take(w):
        return cr.compile(lambda x: x * w)(2.0)

    with pytest.raises(RuntimeError, match="pass it as an argument"):
        take(cr.tensor(3.0, requires_grad=True)) if kind == "a leaf" else cr.grad(take)(3.0)


def set_first(x):
    x[0] = 1.0


def add_to(x):
    x += 1


@pytest.mark.parametrize(
    "write", [set_first, add_to, lambda x: x.mul_(2), lambda x: (x * 2).zero_()], ids=["item", "+=", "mul_", "zero_"]
)
def test_writing_in_place_is_refused(write):
    x = np.ones(3)
    with pytest.raises(RuntimeError, match="in-place"):
        cr.compile(write)(x)
    assert_same(x, np.ones(3))


@pytest.mark.parametrize(
    ("ask", "advice"),
    [
        (lambda x: x.sum().backward(), "cr.grad"),
        (lambda x: x.numpy(), "methods"),
        (lambda x: np.asarray(x), "while it was recorded"),
        (lambda x: np.ones(3)[x > 0], "cr.tensor"),
        (lambda x: x.nonsense, "methods"),
        (lambda x: x.requires_grad_(), "cr.grad"),
    ],
    ids=["backward", "numpy", "asarray", "index of an array", "nonsense", "requires_grad_"],
)
def test_what_cannot_be_recorded_says_what_to_do(ask, advice):
    with pytest.raises((AttributeError, ValueError), match=advice):
        cr.compile(ask)(np.ones(3))


class Model:
    """What may change without compile seeing it."""

    rate = 2.0

    @cr.compile
    def method(self, x):
        return x * self.rate


@pytest.mark.parametrize(
    "argument",
    [Model(), {1, 2}, bytearray(b"a"), np.random.default_rng()],
    ids=["object", "set", "bytearray", "generator"],
)
def test_an_argument_that_may_change_unseen_is_refused(argument):
    with pytest.raises(TypeError, match=f"cannot see when a {type(argument).__name__} changes"):
        cr.compile(lambda thing, x: x * 2)(argument, 1.0)


def test_a_compiled_method_asks_for_what_it_reads():
    assert isinstance(Model.method, type(cr.compile(abs)))
    with pytest.raises(TypeError, match="cannot see when a Model changes"):
        Model().method(1.0)


@pytest.mark.parametrize(
    "result",
    [lambda x: {x}, lambda x: lambda: x, lambda x: iter([x]), lambda x: Counter(a=x), lambda x: Model()],
    ids=["set", "function", "iterator", "Counter", "object"],
)
def test_a_result_that_would_keep_the_recorder_is_refused(result):
    with pytest.raises(TypeError, match="a compiled function returns Tensors, numbers and settings in"):
        cr.compile(result)(1.0)


def test_settings_that_compare_and_dicts_of_every_kind_may_be_arguments():
    compiled = cr.compile(lambda x, power, named: x**power + named["a"])
    for power in (Fraction(2), Fraction(1, 2)):
        x = cr.tensor([2.0, 3.0])
        assert_same(compiled(x, float(power), defaultdict(list, a=1.0)), x ** float(power) + 1.0)
        assert_same(cr.compile(lambda x, power: x * power.denominator)(x, power), x * power.denominator)


def test_an_argument_is_a_tensor_for_who_asks():
    f = lambda x: x * 2 if isinstance(x, cr.Tensor) else x * 3
    for x in (cr.tensor(7.0), cr.tensor([7.0, 1.0]), 7.0):
        assert_same(cr.compile(f)(x), f(x))


QUESTIONS = {
    "isnan": lambda x: cr.where(cr.isnan(x), 0.0, x),
    "numpy's isnan": lambda x: np.isnan(x),
    "isfinite": lambda x: x.isfinite() & (x > 0),
    "logical_not": lambda x: cr.logical_not(x > 1),
    "logical_and": lambda x: cr.logical_and(x > 1, x < 3),
    "isclose": lambda x: cr.isclose(x, x + 1e-9),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_questions_without_a_derivative_are_asked_anew_at_every_call(name):
    compiled = cr.compile(QUESTIONS[name])
    for x in ([1.0, np.nan, 2.0], [np.nan, 2.0, np.inf], [0.0, 4.0, 2.0]):
        assert_same(compiled(np.array(x)), QUESTIONS[name](cr.tensor(x)))
    assert len(compiled.variants) == 1


SETTINGS = {
    "arange": lambda x, n: x[:n] * cr.arange(n),
    "a list of positions": lambda x, n: x[[0, n]],
    "chunk": lambda x, n: x.chunk(n)[0],
    "split": lambda x, n: x.split(n)[0],
    "matrix_power": lambda x, n: cr.linalg.matrix_power(x[:, None] * x, n),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_an_integer_argument_may_say_how_many(name):
    compiled, x = cr.compile(SETTINGS[name]), cr.tensor([1.0, 2.0, 4.0, 3.0])
    for n in (2, 3, 2):
        assert_same(compiled(x, n), SETTINGS[name](x, n))


@pytest.mark.parametrize("name", ["slice", "range", "np", "math", "float"])
def test_names_of_builtins_and_modules_do_no_harm(name):
    space = {}
    exec(f"def {name}(x): return (x * 2 + 1).exp()", space)
    exec(f"def other({name}): return ({name} * 2 + 1).exp()", space)
    for x in (np.full(300_000, 0.1), 0.1):
        for f in (space[name], space["other"]):
            assert_same(cr.compile(f)(x), f(cr.tensor(x)), 1e-15)


def test_errors_are_those_of_the_function():
    f = cr.compile(lambda a, b: a @ b)
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        f(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(RuntimeError, match="nothing has been recorded"):
        _ = f.source


def test_prints_happen_when_it_is_recorded(capsys):
    f = cr.compile(lambda x: (print("here"), x + 1)[1])
    for x in range(3):
        f(float(x))
    assert capsys.readouterr().out == "here\n"


def test_threads_do_not_share_the_memory_in_between():
    f = cr.compile(lambda x: (x.sin() * x.exp()).cos().sum())
    xs = [np.linspace(i, i + 1, 10**5) for i in range(4)]
    want = [f.function(cr.tensor(x)) for x in xs]
    f(xs[0])
    wrong = []

    def work(x, y):
        for _ in range(20):
            if f(x).item() != y.item():
                wrong.append(x)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(xs, want, strict=True)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
