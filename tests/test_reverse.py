"""Backward passes: what accumulates, what is freed, what can be differentiated again, and who is told."""

import gc
import re
import warnings
import weakref

import numpy as np
import pytest
import torch

import chainrule as cr


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def leaf(lib, *values):
    return lib.tensor(list(values) if len(values) != 1 else values[0], requires_grad=True)


def passes(lib):
    x = leaf(lib, 2.0)
    for _ in range(3):
        (x * x).backward()
    return x.grad


def second_pass(lib):
    x = leaf(lib, 2.0)
    y = x * x
    y.retain_grad()
    z = y * y
    z.backward(retain_graph=True)
    z.backward()
    return y.grad, x.grad


def only_leaves(lib):
    x = leaf(lib, 2.0)
    y = x * x
    (y * y).backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x.grad, y.grad


def zeroed(lib):
    x = leaf(lib, 1.0, 2.0)
    (x * x).sum().backward()
    x.grad.zero_()
    (x * 3).sum().backward()
    return x.grad


def cleared(lib):
    x = leaf(lib, 1.0, 2.0)
    (x * x).sum().backward()
    x.grad = None
    (x * 3).sum().backward()
    return x.grad


def preset(lib):
    x = leaf(lib, 1.0, 2.0)
    x.grad = lib.tensor([10.0, 20.0])
    (x * 3).sum().backward()
    return x.grad


def own_gradients(lib):
    x, z = leaf(lib, 1.0), leaf(lib, 1.0)
    (x + z).backward()
    x.grad.add_(5)
    return x.grad, z.grad


def seed_is_not_kept(lib):
    x = leaf(lib, 1.0, 2.0)
    seed = lib.tensor([1.0, 1.0])
    x.backward(seed)
    x.grad.add_(5)
    return seed


def diamond(lib):
    x = leaf(lib, 3.0)
    a = x * x
    b, c = a.sin(), a.exp()
    (b * c + a).backward()
    return x.grad


def long_ladder(lib):
    x = leaf(lib, 0.3)
    a, b = x, x * 1
    for _ in range(30):
        a, b = a * b, a + b.sin()
    (a + b).backward()
    return x.grad


def unused(lib):
    x, z = leaf(lib, 1.0), leaf(lib, 1.0)
    y = x * 2
    (z * 5).sin()
    y.backward()
    return x.grad, z.grad


def used_often(lib):
    x = leaf(lib, 1.5)
    (x * x * x + x / x - x**x + lib.stack([x, x, x]).sum()).backward()
    return x.grad


def loop_and_branch(lib):
    x = leaf(lib, 0.7)
    y = x
    while y < 100:
        y = y * 2 if y > 3 else y * y + 1
    y.backward()
    return y.detach(), x.grad


def order_of_making_is_not_order_of_use(lib):
    x = leaf(lib, 0.5)
    late = x.exp()
    early = x.sin()
    y = early * late
    z = late + y
    (z * early).backward()
    return x.grad


def create_graph(lib):
    x = leaf(lib, 2.0)
    (x**4).backward(create_graph=True)
    first = x.grad
    return [t.detach() for t in (first, *lib.autograd.grad(first, x))]


def third_order(lib):
    x = leaf(lib, 2.0)
    derivatives = [x**5]
    for _ in range(4):
        derivatives += lib.autograd.grad(derivatives[-1], x, create_graph=True)
    return [d.detach() for d in derivatives]


def gradient_penalty(lib):
    x, w = leaf(lib, 1.0, -2.0, 0.5), leaf(lib, 0.3, 0.2, -0.1)
    y = ((x * w).tanh() ** 2).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    (y + (g * g).sum()).backward()
    return x.grad, w.grad


def through_the_gradient(lib):
    x, seed = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, 3.0)
    (g,) = lib.autograd.grad(x * x, x, seed, create_graph=True)
    return lib.autograd.grad(g.sum(), [x, seed])


def seed_that_requires_grad(lib):
    x, seed = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, 3.0)
    (x * x).backward(seed)
    return x.grad, seed.grad


def implicit_create_graph_keeps(lib):
    x = leaf(lib, 2.0)
    y = x * x
    lib.autograd.grad(y, x, create_graph=True)
    return lib.autograd.grad(y, x)


def part_below_is_kept(lib):
    x = leaf(lib, 2.0)
    y = x.exp()
    lib.autograd.grad(y * y, y)
    y.backward()
    return x.grad


def intermediate(lib):
    x = leaf(lib, 2.0)
    y = x * x
    return lib.autograd.grad(y * y * x, [y, x])


def itself(lib):
    x = leaf(lib, 2.0)
    y = x * x
    return lib.autograd.grad(y, [y, x])


def twice_the_same(lib):
    x = leaf(lib, 2.0)
    return lib.autograd.grad(x * x, [x, x])


def several_outputs(lib):
    x, z = leaf(lib, 1.0, 2.0), leaf(lib, 3.0)
    return lib.autograd.grad([x * z, (x * x).sum(), z], [x, z], [lib.tensor([1.0, 10.0]), None, lib.tensor(7.0)])


def grad_touches_nothing(lib):
    x = leaf(lib, 2.0)
    lib.autograd.grad(x * x, x)
    return x.grad


def not_used(lib):
    x, z = leaf(lib, 2.0), leaf(lib, 1.0, 2.0)
    y = x * x
    return (
        lib.autograd.grad(y, [x, z], allow_unused=True, retain_graph=True),
        lib.autograd.grad(y, [x, z], materialize_grads=True),
    )


def integer_seed(lib):
    x = leaf(lib, 1.0, 2.0)
    (x * 2).backward(lib.tensor([1, 1]))
    return x.grad


def vector_of_one(lib):
    x = lib.tensor([3.0], requires_grad=True)
    (x * x).backward()
    return x.grad


def leaf_itself(lib):
    x = leaf(lib, 3.0)
    x.backward()
    x.backward(lib.tensor(2.0))
    return x.grad


def zero_size(lib):
    x = lib.tensor(np.ones((0, 3)), requires_grad=True)
    (x.exp() * x[:, :1]).sum().backward()
    return x.grad


def no_grad_part(lib):
    x = leaf(lib, 2.0)
    with lib.no_grad():
        c = x * x
    (c * x).backward()
    return x.grad


def detached_part(lib):
    x = leaf(lib, 2.0)
    ((x * x).detach() * x).backward()
    return x.grad


def frozen(lib):
    x, w = leaf(lib, 2.0), leaf(lib, 3.0)
    w.requires_grad_(False)
    (x * w).backward()
    return x.grad, w.grad


def float32_to_float64(lib):
    x, z = lib.tensor(np.float32([1.5]), requires_grad=True), leaf(lib, 2.0, 3.0)
    (x * z).sum().backward()
    return x.grad.tolist(), str(x.grad.dtype)[-7:], z.grad


def float32_throughout(lib):
    seen = []
    for values in (np.float32([1.5, 2.0]), np.float32(1.5)):
        x = lib.tensor(values, requires_grad=True)
        y = x * x
        y.register_hook(lambda g: seen.append(str(g.dtype)[-7:]))
        y.sum().backward()
        seen.append(str(x.grad.dtype)[-7:])
    return seen


def long_loop(lib):
    x = y = leaf(lib, 1.0)
    for _ in range(5000):
        y = y * 1.0
    y.backward()
    return x.grad


# ---- hooks


def hook(lib):
    x = leaf(lib, 3.0)
    x.register_hook(lambda g: g * 10)
    (x * x).backward()
    return x.grad


def hook_that_looks(lib):
    x, seen = leaf(lib, 1.0, 3.0), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x).sum().backward()
    return x.grad, seen


def hooks_in_order(lib):
    x = leaf(lib, 3.0)
    y = x * 2
    y.register_hook(lambda g: g + 1)
    y.register_hook(lambda g: g * 10)
    (y * y).backward()
    return x.grad


def hook_removed(lib):
    x = leaf(lib, 3.0)
    handle = x.register_hook(lambda g: g * 10)
    handle.remove()
    handle.remove()
    (x * x).backward()
    return x.grad


def hook_sees_the_whole(lib):
    x, seen = leaf(lib, 3.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.item()))
    (y * y + y.sin() + y).backward()
    return seen


def hook_in_grad(lib):
    x = leaf(lib, 3.0)
    y = x * 2
    x.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    return lib.autograd.grad(y * y, [x, y]), lib.autograd.grad(y * y, y)


def hook_and_create_graph(lib):
    x = leaf(lib, 3.0)
    y = x * x
    y.register_hook(lambda g: g * g)
    (g,) = lib.autograd.grad(y * y, x, create_graph=True)
    return g.detach(), lib.autograd.grad(g, x)


def retained_after_hooks(lib):
    x = leaf(lib, 3.0)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y * y).backward()
    return y.grad, y.retains_grad, x.grad


def retained_and_assigned(lib):
    x = leaf(lib, 3.0)
    y = x * 2
    y.retain_grad()
    (y * 1).backward(retain_graph=True)
    y.grad = None
    (y * 2).backward()
    return y.grad, x.grad


def one_of_two_then_the_other(lib):
    x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
    z = (x * x).sum() + (y * y).sum()
    return lib.autograd.grad(z, x), lib.autograd.grad(z, y)


def what_does_not_lead_there_is_left_alone(lib):
    x, y = leaf(lib, 1.0, 2.0), leaf(lib, 0.0, 4.0)
    seen, u = [], y * 2
    u.register_hook(lambda g: seen.append(g))
    u.retain_grad()
    v = u * u
    with lib.no_grad():
        u += 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return lib.autograd.grad((x * x).sum() + v.sum() + y.sqrt().sum(), x), seen, u.grad


def part_of_a_stack(lib):
    x = leaf(lib, 3.0, 1.0)
    u = x * 2
    y = lib.stack([u[0], u[1] * u[0]])
    return lib.autograd.grad(y.sum(), u, retain_graph=True), lib.autograd.grad(y.sum(), [u, x])


def up_to_a_result_and_on(lib):
    x = leaf(lib, 2.0)
    u = x.exp()
    return lib.autograd.grad(u * u, u), lib.autograd.grad(u, x)


def backward_to_some(lib):
    x, y = leaf(lib, 3.0), leaf(lib, 2.0)
    (x * y).backward(inputs=[x])
    first = x.grad.clone(), y.grad
    (x * y).backward(inputs=y)
    return first, x.grad, y.grad


def backward_of_several(lib):
    x, y = leaf(lib, 3.0, 1.0), leaf(lib, 2.0)
    lib.autograd.backward([x * y, y], [lib.tensor([1.0, 10.0]), None])
    lib.autograd.backward(y * y, inputs=[y])
    return x.grad, y.grad


def generator_under_no_grad(lib):
    x = leaf(lib, 3.0)

    @lib.no_grad()
    def steps():
        sent = yield (x * 2).requires_grad
        try:
            yield sent, (x * 2).requires_grad
        except ValueError:
            yield "caught", (x * 2).requires_grad
        return "done"

    def all_of_them():
        return (yield from steps())

    run = all_of_them()
    found = [next(run), lib.is_grad_enabled(), run.send(5), run.throw(ValueError("no")), lib.is_grad_enabled()]
    try:
        next(run)
    except StopIteration as end:
        return found, end.value


def no_grad_without_parentheses(lib):
    x = leaf(lib, 3.0)

    @lib.no_grad
    def double():
        return (x * 2).requires_grad

    return double(), double.__name__


def numpy_under_no_grad(lib):
    x = leaf(lib, 3.0, 4.0)
    with lib.no_grad():
        return x.numpy().tolist(), np.asarray(x).tolist()


def slices_by_tensors(lib):
    x, i, y = leaf(lib, 1.0, 2.0, 3.0, 4.0), lib.tensor(0), 0.0
    for _ in range(3):
        y = y + (x[i : i + 1] ** 2).sum() + x[i] * x[i]
        i += 1
    y.backward()
    return x.grad


def retained_gradients_are_each_ones_own(lib):
    x, y = leaf(lib, 1.0, 2.0), leaf(lib, 1.0, 2.0)
    u, v = x * 1, y * 1
    z = u + v
    for result in (u, v, z):
        result.retain_grad()
    z.backward(lib.tensor([1.0, 1.0]))
    u.grad.zero_()
    return u.grad, v.grad, z.grad


def other_data(lib):
    x = leaf(lib, 1.0, 2.0)
    x.data = lib.tensor([[3.0], [4.0]])
    (x * x).sum().backward()
    return x.grad


def zeros_of_higher_order(lib):
    x, y = leaf(lib, 1.0), leaf(lib, 2.0)
    (g,) = lib.autograd.grad(x * 1, y, create_graph=True, materialize_grads=True)
    return lib.autograd.grad(g, y, materialize_grads=True)


def generator_closed_under_no_grad(lib):
    seen = []

    @lib.no_grad()
    def steps():
        try:
            yield
        finally:
            seen.append(lib.is_grad_enabled())

    run = steps()
    next(run)
    run.close()
    return seen, lib.is_grad_enabled()


PROGRAMS = [
    passes, second_pass, only_leaves, zeroed, cleared, preset, own_gradients, seed_is_not_kept, diamond, long_ladder,
    unused, used_often, loop_and_branch, order_of_making_is_not_order_of_use, create_graph, third_order,
    gradient_penalty, through_the_gradient, seed_that_requires_grad, implicit_create_graph_keeps, part_below_is_kept,
    intermediate, itself, twice_the_same, several_outputs, grad_touches_nothing, not_used, integer_seed,
    vector_of_one, leaf_itself, zero_size, no_grad_part, detached_part, frozen, float32_to_float64,
    float32_throughout, long_loop, hook, hook_that_looks,
    hooks_in_order, hook_removed, hook_sees_the_whole, hook_in_grad, hook_and_create_graph,
    retained_after_hooks, retained_and_assigned,
    one_of_two_then_the_other, what_does_not_lead_there_is_left_alone, part_of_a_stack, up_to_a_result_and_on,
    backward_to_some, backward_of_several, generator_under_no_grad, generator_closed_under_no_grad, slices_by_tensors,
    retained_gradients_are_each_ones_own, other_data, zeros_of_higher_order, no_grad_without_parentheses,
    numpy_under_no_grad,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.filterwarnings("ignore:Using backward..:UserWarning")
def test_backward_means_what_it_means_in_pytorch(program):
    assert repr(program(cr)) == re.sub(r"torch\.", "", repr(program(torch)))


def test_grad_is_the_same_object_while_gradients_accumulate():
    x = cr.tensor([1.0], requires_grad=True)
    (x * 2).backward()
    g = x.grad
    (x * 2).backward()
    assert x.grad is g and g.tolist() == [4.0]


def test_saved_values_are_freed_by_the_pass_and_kept_by_retain_graph():
    for retain in (True, False):
        x = cr.tensor(np.ones(1000), requires_grad=True)
        y = x.exp()
        saved = weakref.ref(y.array)
        z = y.sum()
        del y
        assert saved() is not None
        z.backward(retain_graph=retain)
        assert (saved() is not None) == retain


def test_linear_chain_saves_no_arrays():
    x = cr.tensor(np.ones(10), requires_grad=True)
    values = []
    y = x
    for f in (
        lambda y: y + 1.0,
        lambda y: y * 2.0,
        lambda y: -y,
        lambda y: y / 3.0,
        lambda y: y.reshape(2, 5),
        lambda y: y.sum(0),
    ):
        y = f(y)
        values.append(weakref.ref(y.array))
    gc.collect()
    assert [v() is None for v in values[:-1]].count(True) >= 4
    y.sum().backward()


def test_graph_is_freed_without_the_garbage_collector():
    gc.disable()
    try:
        x = cr.tensor(np.ones(3), requires_grad=True)
        y = x.exp() * x + cr.stack([x, x]).sum()
        node = weakref.ref(y)
        y.sum().backward()
        del y
        assert node() is None
    finally:
        gc.enable()


def test_gradient_for_data_is_not_computed():
    data, w = cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0], requires_grad=True)
    y = data * w
    assert y.node.from_a is None and data.grad is None
    y.sum().backward()
    assert w.grad.tolist() == [1.0, 2.0]


def test_power_with_a_constant_exponent_never_takes_a_logarithm():
    x = cr.tensor([-2.0, 0.0], requires_grad=True)
    (x**3).sum().backward()
    assert x.grad.tolist() == [12.0, 0.0]


def test_create_graph_under_no_grad_records_all_the_same():
    x = cr.tensor(2.0, requires_grad=True)
    y = x**3
    with cr.no_grad():
        (g,) = cr.autograd.grad(y, x, create_graph=True)
    assert cr.autograd.grad(g, x)[0].item() == 12.0


def test_backward_works_under_no_grad():
    x = cr.tensor(2.0, requires_grad=True)
    y = x**3
    with cr.no_grad():
        y.backward()
    assert x.grad.item() == 12.0
