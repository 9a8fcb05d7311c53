"""Random programs, on both engines: values, gradients, directional derivatives and second order."""

import functools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import array, assert_same, hessian_product, leaves, second_order

import chainrule as cr

settings.register_profile("programs", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("programs")

SHAPES = [(), (1,), (3,), (2, 3), (3, 1), (2, 1, 3), (0,), (2, 0)]


def small(x):
    """x without so many numbers that a program takes long."""
    return x.flatten()[:12] if x.numel() > 60 else x


def like(b, a):
    """b if its shape combines with that of a, else one number made of it."""
    try:
        np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    except ValueError:
        return b.sum()
    return b


def axis_of(x, k):
    return k % x.ndim if x.ndim else 0


def reduced(name):
    def f(lib, a, b, k):
        if 0 in a.shape or a.ndim == 0:
            return a
        y = getattr(a, name)(axis_of(a, k), keepdim=k % 2 == 0)
        return y if hasattr(y, "ndim") else y[0]

    return f


def indexed(lib, a, b, k):
    if a.ndim == 0 or 0 in a.shape:
        return a
    n = a.shape[0]
    choices = [k % n, slice(k % n, None), slice(None, None, 1 + k % 2), [k % n, 0, -1], (..., 0), None, (k % n, ...)]
    return a[choices[k % len(choices)]]


def written(lib, a, b, k):
    y = a * 1
    if a.ndim == 0 or 0 in a.shape:
        y[...] = b.sum()
        return y
    part = y[k % a.shape[0]] if k % 3 else y.reshape(-1)
    if k % 2:
        part.mul_(b.sum().sin())
    else:
        part[(..., 0) if part.ndim else ...] = b.sum()
    return y


def filled(lib, a, b, k):
    buffer = lib.tensor(np.zeros(3))
    for i in range(3):
        buffer[i] = (a * i).sum() * b.sum() if i != k % 3 else buffer[i - 1] * 2
    return buffer


def inner_slope(lib, a, b, k):
    """A derivative taken inside the program, by a, of a function that also uses b."""
    home = getattr(lib, "func", lib)
    f = lambda x: (x.sin() * like(b, x)).sum() + (x * b.sum()).cos().sum()
    if k % 2:
        return home.grad(f)(a)
    return home.jvp(f, (a,), (lib.ones_like(a),))[1]


STEPS = {
    "add": lambda lib, a, b, k: a + like(b, a),
    "sub": lambda lib, a, b, k: a - like(b, a),
    "mul": lambda lib, a, b, k: a.sin() * like(b, a),
    "div": lambda lib, a, b, k: a / (1.5 + like(b, a) ** 2),
    "pow": lambda lib, a, b, k: (a * a + 0.5) ** like(b, a).tanh(),
    "number on the left": lambda lib, a, b, k: (k - 3.5) * a + k,
    "number over": lambda lib, a, b, k: k / (2.0 + a.cos()),
    "integer power": lambda lib, a, b, k: a.tanh() ** (k % 4),
    "power of a number": lambda lib, a, b, k: (0.5 + k) ** a.tanh(),
    "sin": lambda lib, a, b, k: a.sin(),
    "exp": lambda lib, a, b, k: a.tanh().exp(),
    "log": lambda lib, a, b, k: (2.0 + a.sin()).log(),
    "sqrt": lambda lib, a, b, k: (a * a + 1).sqrt(),
    "sigmoid": lambda lib, a, b, k: a.sigmoid(),
    "abs": lambda lib, a, b, k: a.abs(),
    "relu": lambda lib, a, b, k: a.relu() - 0.25,
    "maximum": lambda lib, a, b, k: lib.maximum(a, like(b, a)),
    "where": lambda lib, a, b, k: lib.where(a > 0.1, a, like(b, a)),
    "clamp": lambda lib, a, b, k: a.clamp(-0.5, 0.75),
    "floor": lambda lib, a, b, k: a - a.floor(),
    "branch": lambda lib, a, b, k: a * 2 if a.sum() > 0 else a.cos(),
    "sum": reduced("sum"),
    "mean": reduced("mean"),
    "prod": reduced("prod"),
    "amax": reduced("amax"),
    "max": reduced("max"),
    "logsumexp": reduced("logsumexp"),
    "softmax": lambda lib, a, b, k: a.softmax(axis_of(a, k)) if 0 not in a.shape else a,
    "cumsum": lambda lib, a, b, k: a.cumsum(axis_of(a, k)).sin(),
    "norm": lambda lib, a, b, k: (a.exp().norm() if 0 not in a.shape else a).tanh(),
    "var": lambda lib, a, b, k: a.var(correction=0).tanh() if 0 not in a.shape else a,
    "reshape": lambda lib, a, b, k: a.reshape((-1,) if k % 2 or 0 in a.shape else (1, -1)),
    "transpose": lambda lib, a, b, k: a.mT if a.ndim > 1 else a,
    "permute": lambda lib, a, b, k: a.permute(*np.roll(range(a.ndim), k).tolist()) if a.ndim else a,
    "unsqueeze": lambda lib, a, b, k: a.unsqueeze(k % (a.ndim + 1)) if a.ndim < 3 else a.squeeze(),
    "expand": lambda lib, a, b, k: a.expand(2, *a.shape) if a.ndim < 3 else a,
    "flip": lambda lib, a, b, k: a.flip(axis_of(a, k)) if a.ndim else a,
    "stack": lambda lib, a, b, k: lib.stack([a, a * 2], axis_of(a, k)),
    "cat": lambda lib, a, b, k: lib.cat([a.flatten(), b.flatten()]),
    "matmul": lambda lib, a, b, k: (a.reshape(-1, 1) @ b.reshape(1, -1)).sin() if 0 not in (*a.shape, *b.shape) else a,
    "gram": lambda lib, a, b, k: (a.mT @ a).tanh() if a.ndim > 1 else a,
    "times a vector": lambda lib, a, b, k: a @ a[..., 0, :] if a.ndim == 2 and a.shape[0] else a,
    "sort": lambda lib, a, b, k: a.flatten().sort(descending=k % 2 == 0)[0],
    "repeat": lambda lib, a, b, k: a.repeat(*(2,) * a.ndim) if a.ndim else a,
    "slope": inner_slope,
    "index": indexed,
    "mask": lambda lib, a, b, k: a[a > 0],
    "write": written,
    "fill": filled,
    "float32": lambda lib, a, b, k: a.float().double(),
    "detach": lambda lib, a, b, k: a * a.detach(),
}

step = st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 7), st.integers(0, 7), st.integers(0, 7))
programs = st.tuples(
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3),
    st.lists(step, min_size=1, max_size=9),
    st.integers(0, 999),
)


def values_of(lib, steps, inputs):
    """The inputs, and what each step computed: values are used once, often, or not at all."""
    values = list(inputs)
    for name, i, j, k in steps:
        values.append(small(STEPS[name](lib, values[-1 - i % len(values)], values[-1 - j % len(values)], k)))
    return values


def run(lib, steps, *inputs):
    """One number made of what the last two steps computed."""
    values = values_of(lib, steps, inputs)
    return sum((k + 1) * values[-1 - k].sin().sum() for k in range(min(2, len(values))))


def last(lib, steps, *inputs):
    """What the last step computed, in whatever shape."""
    return values_of(lib, steps, inputs)[-1]


def inputs_for(shapes, seed):
    draw = np.random.default_rng(seed)
    return [draw.normal(size=shape) for shape in shapes], [draw.normal(size=shape) for shape in shapes]


# Rounding to float32 on the way makes the two engines' last digits differ.
def tolerance(steps):
    return (
        {"rtol": 1e-4, "atol": 1e-5} if any(name == "float32" for name, *_ in steps) else {"rtol": 1e-7, "atol": 1e-9}
    )


@given(programs)
@settings(max_examples=250)
def test_value_and_derivatives_of_a_random_program_are_pytorchs(program):
    shapes, steps, seed = program
    arrays, directions = inputs_for(shapes, seed)
    ours, theirs = (functools.partial(run, lib, steps) for lib in (cr, torch))
    close = tolerance(steps)
    assert_same(ours(*map(cr.tensor, arrays)), theirs(*map(torch.tensor, arrays)), **close)
    xs = leaves(torch, arrays)
    y = theirs(*xs)
    if not y.requires_grad:
        return
    want = torch.autograd.grad(y, xs, materialize_grads=True)
    mine = leaves(cr, arrays)
    assert_same(cr.autograd.grad(ours(*mine), mine, materialize_grads=True), want, **close)
    assert_same(cr.vjp(ours, *arrays)[1](1.0), want, **close)
    slope = sum(np.sum(array(w) * v) for w, v in zip(want, directions, strict=True))
    y_dot = cr.jvp(ours, tuple(arrays), tuple(directions))[1]
    np.testing.assert_allclose(array(y_dot), slope, **close)


@given(programs)
@settings(max_examples=100)
def test_second_order_of_a_random_program_is_pytorchs_in_every_nesting(program):
    shapes, steps, seed = program
    arrays, directions = inputs_for(shapes, seed)
    ours, theirs = (functools.partial(run, lib, steps) for lib in (cr, torch))
    if not theirs(*leaves(torch, arrays)).requires_grad:
        return
    close = tolerance(steps)
    close["atol"] *= 10
    want = hessian_product(theirs, arrays, directions)
    if not all(np.isfinite(array(w)).all() for w in want):
        return
    for nesting, got in second_order(ours, arrays, directions):
        if nesting == "forward over forward":
            slope = sum(np.sum(array(w) * v) for w, v in zip(want, directions, strict=True))
            np.testing.assert_allclose(array(got), slope, **close)
        else:
            assert_same(got, want, **close)


@given(programs)
@settings(max_examples=60)
def test_jacobians_and_hessian_of_a_random_program_agree(program):
    shapes, steps, seed = program
    arrays, directions = inputs_for(shapes[:1], seed)
    f, to_number = (functools.partial(function, cr, steps) for function in (last, run))
    forward, reverse = (array(cr.jacobian(f, arrays[0], mode=mode)) for mode in ("forward", "reverse"))
    np.testing.assert_allclose(forward, reverse, **tolerance(steps))
    product = array(cr.hvp(to_number, arrays[0], directions[0]))
    hessian = array(cr.hessian(to_number, arrays[0])).reshape(product.size, product.size)
    np.testing.assert_allclose((hessian @ directions[0].ravel()).reshape(product.shape), product, **tolerance(steps))


@given(programs)
@settings(max_examples=150)
def test_both_modes_of_a_random_program_of_any_shape_are_transposes(program):
    shapes, steps, seed = program
    arrays, directions = inputs_for(shapes, seed)
    ours, theirs = (functools.partial(last, lib, steps) for lib in (cr, torch))
    close = tolerance(steps)
    xs = leaves(torch, arrays)
    y = theirs(*xs)
    y_bar = np.random.default_rng(seed + 1).normal(size=tuple(y.shape))
    value, pullback = cr.vjp(ours, *arrays)
    x_bars = pullback(y_bar)
    assert_same(value, y, **close)
    if y.requires_grad:
        assert_same(x_bars, torch.autograd.grad(y, xs, torch.tensor(y_bar), materialize_grads=True), **close)
    y_dot = array(cr.jvp(ours, tuple(arrays), tuple(directions))[1])
    assert y_dot.shape == y.shape
    inner = sum(np.sum(array(x_bar) * x_dot) for x_bar, x_dot in zip(x_bars, directions, strict=True))
    np.testing.assert_allclose(np.sum(y_bar * y_dot), inner, **close)


# Two roundings of the same number may fall on two sides of a step.
STEPPED = {"floor", "branch", "mask", "where", "max", "amax", "maximum", "sort"}


@given(programs)
@settings(max_examples=100)
def test_random_program_in_float32_stays_in_float32(program):
    shapes, steps, seed = program
    steps = [step for step in steps if step[0] not in STEPPED | {"float32", "fill"}] or [("sin", 0, 0, 0)]
    arrays, directions = ([x.astype(np.float32) for x in xs] for xs in inputs_for(shapes, seed))
    ours, theirs = (functools.partial(run, lib, steps) for lib in (cr, torch))
    xs, mine = leaves(torch, arrays), leaves(cr, arrays)
    y, z = theirs(*xs), ours(*mine)
    assert_same(z, y, 1e-3, 1e-3)
    if not y.requires_grad:
        return
    assert_same(
        cr.autograd.grad(z, mine, materialize_grads=True),
        torch.autograd.grad(y, xs, materialize_grads=True),
        5e-3,
        5e-3,
    )
    value, slope = cr.jvp(ours, tuple(arrays), tuple(directions))
    assert value.dtype == slope.dtype == np.float32


# What `compile` refuses: to write, and results whose shape depends on the numbers.
UNCOMPILED = {"write", "fill", "mask"}


@given(programs)
@settings(max_examples=60)
def test_random_program_compiled_gives_the_same_value_and_derivatives(program):
    shapes, steps, seed = program
    steps = [step for step in steps if step[0] not in UNCOMPILED] or [("sin", 0, 0, 0)]
    ours, every = functools.partial(run, cr, steps), tuple(range(len(shapes)))

    def everything(arrays, directions):
        value, gradients = cr.value_and_grad(ours, every)(*arrays)
        return value, *gradients, *cr.jvp(ours, tuple(arrays), tuple(directions))

    compiled = cr.compile(everything)
    for more in range(2):  # the second numbers may take other branches
        arrays, directions = ([cr.tensor(x) for x in xs] for xs in inputs_for(shapes, seed + more))
        assert_same(compiled(arrays, directions), everything(arrays, directions), 1e-7, 1e-9)


# ---- programs that write to what others use: where PyTorch finds no fault, neither do we


WRITES = {
    "add": lambda y, z: y.add_(z.sum()),
    "mul": lambda y, z: y.mul_(z.sum().sin()),
    "row": lambda y, z: y[0].add_(z.sum()),
    "set": lambda y, z: y.__setitem__(0, z.sum()),
    "set a column": lambda y, z: y.__setitem__((slice(None), 1), z.sum()),
    "through a transpose": lambda y, z: y.t()[0].mul_(2.0),
    "through reshape": lambda y, z: y.reshape(-1)[1:3].sub_(z.sum()),
    "exp": lambda y, z: y.mul_(0.1).exp_(),
    "by a mask": lambda y, z: y.__setitem__(y > 0, 0.5),
    "by detach": lambda y, z: y.detach().mul_(0.5),
    "fill": lambda y, z: y.fill_(0.25),
}
READS = {
    "copy": lambda y, z: y * 1,
    "product": lambda y, z: y * z,
    "quotient": lambda y, z: y / (2 + z.cos()),
    "quotient by a view": lambda y, z: y / (2 + z[0] ** 2),
    "sin": lambda y, z: y.sin(),
    "tanh": lambda y, z: y.tanh(),
    "sum": lambda y, z: y + z,
    "matrix product": lambda y, z: y @ z.t() @ z,
    "view": lambda y, z: y[:],
    "transpose": lambda y, z: y.t().t(),
    "relu": lambda y, z: y.relu(),
    "power": lambda y, z: y**2,
    "softmax": lambda y, z: y.softmax(1),
    "max": lambda y, z: y - y.amax(),
}
action = st.tuples(st.sampled_from(sorted(WRITES) + sorted(READS)), st.integers(0, 5), st.integers(0, 5))


def rewritten(lib, actions, x):
    values = [x * 1, x.cos()]
    for name, i, j in actions:
        y, z = values[-1 - i % len(values)], values[-1 - j % len(values)]
        if name in WRITES:
            WRITES[name](y, z)
        else:
            values.append(READS[name](y, z))
    return sum(value.sum() for value in values[-3:])


X_DOT = np.random.default_rng(1).normal(size=(2, 3))


def outcome(lib, actions, x):
    leaf = lib.tensor(x, requires_grad=True)
    try:
        y = rewritten(lib, actions, leaf)
        y.backward()
    except RuntimeError as error:
        return None, None, str(error)
    return y.detach(), leaf.grad, ""


@given(st.lists(action, min_size=2, max_size=8), st.integers(0, 99))
@settings(max_examples=300)
def test_program_that_overwrites_is_refused_or_right(actions, seed):
    x = np.random.default_rng(seed).normal(size=(2, 3))
    y, g, fault = outcome(torch, actions, x)
    ours, gradient, our_fault = outcome(cr, actions, x)
    if our_fault:
        assert "modified by an inplace operation" in our_fault or "unsupported operation" in our_fault
        assert fault
    elif not fault:
        assert_same((ours, gradient), (y, g), 1e-7, 1e-9)
    if not our_fault and not any(name == "by detach" for name, *_ in actions):
        value, slope = cr.jvp(functools.partial(rewritten, cr, actions), (x,), (X_DOT,))
        assert_same(value, ours, 1e-7, 1e-9)
        np.testing.assert_allclose(array(slope), np.sum(array(gradient) * X_DOT), 1e-7, 1e-9)
