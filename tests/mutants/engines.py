"""The wrong engines. Under each decorator stands a program that gives it away.

A program runs on either library. What is right, PyTorch says; `wrong` is what the mutant says.
"""

import numpy as np

from chainrule import functional, functions, inplace, reverse, rules, tape
from chainrule.forward import Dual
from chainrule.methods import Methods
from chainrule.reverse import Leaf, arrive, fit, live
from chainrule.tensor import Tensor

from .changes import Assign, Edit, Mutant, Replace, Row

MUTANTS = {}

REVERSE = "test_reverse.py::test_backward_means_what_it_means_in_pytorch"
RULES = "test_rules.py::test_reverse_mode_is_pytorchs"
KINKS = "test_kinks.py::test_reverse_mode_gives_what_the_table_says"
NAN = float("nan")


def mutant(misconception, *changes, hint, wrong, caught_by):
    def register(program):
        name = program.__name__.replace("_", " ")
        MUTANTS[name] = Mutant(name, misconception, changes, program, hint, wrong, caught_by)
        return program

    return register


def leaf(lib, values):
    return lib.tensor(values, requires_grad=True)


def of_functions(lib):
    """Where a library keeps `grad`, `vjp` and `jvp`."""
    return getattr(lib, "func", lib)


# ---- rules


@mutant(
    "The derivative of cos is sin.",
    Row("cos", "lambda t, x: t * np.sin(x)"),
    hint="The slope of a cosine, anywhere but at a multiple of pi.",
    wrong=0.841471,
    caught_by=f"{RULES}[cos-",
)
def sign_lost(lib):
    x = leaf(lib, 1.0)
    x.cos().backward()
    return x.grad


@mutant(
    "The two inputs of a difference are alike.",
    Row("sub", "lambda t: -t", "lambda t: t"),
    hint="a - b, by a and by b.",
    wrong=[-1.0, 1.0],
    caught_by=f"{RULES}[sub-",
)
def operands_swapped(lib):
    a, b = leaf(lib, 5.0), leaf(lib, 3.0)
    (a - b).backward()
    return a.grad, b.grad


@mutant(
    "x.__rtruediv__(1) is x / 1.",
    Assign(Methods, "__rtruediv__", functions.div),
    hint="A number divided by a tensor.",
    wrong=[2.0, 1.0],
    caught_by="test_tensor.py::test_numbers_and_arrays_on_both_sides[()-truediv-int",
)
def right_operand_on_the_left(lib):
    x = leaf(lib, 2.0)
    y = 1 / x
    y.backward()
    return y.detach(), x.grad


@mutant(
    "The cotangent of A in A B is the cotangent of the product times B.",
    Edit(rules.into_left, {"return t @ b.mT": "return t @ b"}),
    hint="A product of square matrices that are not symmetric; others betray it by their shapes.",
    wrong=[[4.0, 6.0], [4.0, 6.0]],
    caught_by=f"{RULES}[mm-",
)
def matrix_not_transposed(lib):
    a = leaf(lib, [[1.0, 0.0], [0.0, 1.0]])
    b = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
    (a @ b).sum().backward()
    return a.grad


@mutant(
    "A power is exp(b log a), so its slope is y b / a.",
    Edit(rules.power_slope, {"b * a ** (b - 1)": "b * a**b / a"}),
    hint="x squared at 0.",
    wrong=NAN,
    caught_by="test_reverse.py::test_power_with_a_constant_exponent_never_takes_a_logarithm",
)
def power_by_division(lib):
    x = leaf(lib, 0.0)
    (x**2).backward()
    return x.grad


@mutant(
    "softmax works number by number, like a sigmoid.",
    Row("softmax", "lambda t, y, axis: t * y * (1 - y)"),
    hint="One number of softmax(x), by all of x: raising any other number lowers it.",
    wrong=[0.25, 0.0],
    caught_by=f"{RULES}[softmax-",
)
def softmax_one_by_one(lib):
    x = leaf(lib, [0.0, 0.0])
    x.softmax(0)[0].backward()
    return x.grad


@mutant(
    "All summands get what the mean got.",
    Row("mean", "lambda t, x_shape, axis: spread(t, x_shape, axis)"),
    hint="The mean of more than one number.",
    wrong=[1.0, 1.0],
    caught_by=f"{RULES}[mean-",
)
def mean_like_sum(lib):
    x = leaf(lib, [1.0, 2.0])
    x.mean().backward()
    return x.grad


@mutant(
    "The adjoint of a running sum is a running sum.",
    Row("cumsum", "lambda t, axis: cumsum(t, axis=axis)"),
    hint="cumsum: the first number is in every sum, the last in one.",
    wrong=[1.0, 2.0, 3.0],
    caught_by=f"{RULES}[cumsum-",
)
def running_sum_not_turned(lib):
    x = leaf(lib, [1.0, 2.0, 3.0])
    x.cumsum(0).sum().backward()
    return x.grad


@mutant(
    "A permutation is its own inverse.",
    Row("permute", "lambda t, axes: permute(t, axes=axes)"),
    hint="Two axes exchanged are brought back by the same exchange. Three axes moved round are not.",
    wrong=[[[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]],
    caught_by=f"{RULES}[permute-",
)
def permutation_not_inverted(lib):
    x = leaf(lib, [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    x.permute(1, 2, 0)[0, 0, 1].backward()
    return x.grad


@mutant(
    "Writing at a list of places is the adjoint of reading from them.",
    Edit(rules.add_at, {"np.add.at(z, index, x)": "z[index] = x"}),
    hint="x[[0, 0]], where one number is read twice.",
    wrong=[1.0, 0.0],
    caught_by=f"{RULES}[index-",
)
def place_read_twice(lib):
    x = leaf(lib, [3.0, 4.0])
    x[[0, 0]].sum().backward()
    return x.grad


@mutant(
    "What was overwritten in place still counts.",
    Row("copy_slices", "lambda t, path: t", "lambda t, path: follow(t, path)"),
    hint="y[0] = 5: the old y[0] has no part in the result any more.",
    wrong=[1.0, 1.0],
    caught_by="test_inplace.py::test_value_and_both_modes_are_pytorchs[y[0] = 5.0",
)
def overwritten_part_counts(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 1
    y[0] = 5.0
    y.sum().backward()
    return x.grad


@mutant(
    "A view is a tensor of its own once it is made.",
    Edit(
        inplace.overwrite,
        {"renew(view, follow(tensor_of(root.array, root.node, root.level), view.path).node)": "pass"},
    ),
    hint="v = y[0], then y *= 3: v has changed, and its slope with it.",
    wrong=[1.0, 0.0],
    caught_by="test_inplace.py::test_value_and_both_modes_are_pytorchs[base written, view read",
)
def view_with_a_past(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 1
    v = y[:1]
    y.mul_(3)
    v.sum().backward()
    return x.grad


# ---- kinks


@mutant(
    "Every largest number gets the whole cotangent.",
    Edit(rules.equal_parts, {"hits / hits.sum(axis, keepdims=True)": "hits * 1.0"}),
    hint="The largest of two equal numbers: moving both by h moves it by h, not by 2 h.",
    wrong=[1.0, 1.0],
    caught_by=f"{KINKS}[ours-amax",
)
def tie_paid_twice(lib):
    x = leaf(lib, [2.0, 2.0])
    x.amax(0).backward()
    return x.grad


@mutant(
    "relu passes the cotangent on where x >= 0.",
    Row("relu", "lambda t, y: t * (y >= 0)"),
    hint="relu at 0, or at any negative number, when the rule only sees the output.",
    wrong=[1.0, 1.0, 1.0],
    caught_by=f"{KINKS}[ours-relu",
)
def relu_open_at_zero(lib):
    x = leaf(lib, [-1.0, 0.0, 1.0])
    x.relu().sum().backward()
    return x.grad


@mutant(
    "The slope of a length is x / |x|.",
    Row("norm", "lambda x, y: x / y"),
    hint="The norm of a vector of zeros.",
    wrong=[NAN, NAN],
    caught_by=f"{KINKS}[ours-|x| of a vector",
)
def norm_of_nothing(lib):
    x = leaf(lib, [0.0, 0.0])
    x.norm().backward()
    return x.grad


@mutant(
    "The product of the others is the product divided by this one.",
    Edit(rules.product_of_others, {"if not (x == 0).any():": "if True:"}),
    hint="A product with a 0 in it.",
    wrong=[NAN, 0.0],
    caught_by=f"{KINKS}[ours-product of x",
)
def product_with_zero(lib):
    x = leaf(lib, [0.0, 2.0])
    x.prod().backward()
    return x.grad


@mutant(
    "Choosing is multiplying by 0 and 1.",
    Row(
        "where",
        "lambda t, condition: t * condition",
        "lambda t, condition: t * np.logical_not(condition)",
        value="lambda a, b, condition: condition * a + np.logical_not(condition) * b",
    ),
    hint="where(x > 0, log x, x * x) at -1: the branch not taken is nan, and 0 times nan is nan. So is 0 times inf.",
    wrong=[NAN, NAN],
    caught_by="test_kinks.py::test_forward_mode_is_pytorchs[2x if x < 1 else log x",
)
def choice_by_multiplying(lib):
    x, a, b = leaf(lib, -1.0), leaf(lib, 0.0), leaf(lib, 4.0)
    lib.where(a < 1, a, b).sqrt().backward()
    return lib.where(x > 0, x.log(), x * x).detach(), b.grad


@mutant(
    "log sum exp is computed as it is written.",
    Edit(rules.log_of_sum, {"np.where(np.isfinite(top), top, 0)": "top * 0"}),
    hint="Numbers above 710, whose exponentials are too large for float64.",
    wrong=[0.0, 0.0],
    caught_by="test_methods.py::test_function_and_method_are_pytorchs_in_both_modes[logsumexp-3",
)
def exponentials_overflow(lib):
    x = leaf(lib, [1000.0, 1000.0])
    x.logsumexp(0).backward()
    return x.grad


# ---- the sweep back


@mutant(
    "A node has one cotangent: the last that arrives.",
    Edit(reverse.send, {"t = pending.pop(number)[1] + t": "pending.pop(number)"}),
    hint="A value that is used twice, as in x * x.",
    wrong=3.0,
    caught_by=f"{REVERSE}[used_often",
)
def overwritten(lib):
    x = leaf(lib, 3.0)
    (x * x).backward()
    return x.grad


@mutant(
    "A gradient is what the last backward pass found.",
    Edit(reverse.arrive, {"leaf.grad.array = leaf.grad.array + t": "leaf.grad.array = t"}),
    hint="Two backward passes without setting the gradient to zero in between.",
    wrong=4.0,
    caught_by=f"{REVERSE}[passes",
)
def gradient_replaced(lib):
    x = leaf(lib, 2.0)
    for _ in range(2):
        (x * x).backward()
    return x.grad


@mutant(
    "Nodes are visited in the order in which they are found (breadth first), each once.",
    Edit(reverse.send, {"heappush(heap, number)": "heap.append(number)"}),
    Edit(
        reverse.sweep,
        {
            "number = heappop(heap)\n        node, t = pending.pop(number)": (
                "number = heap.pop(0)\n        node, t = pending[number]"
            ),
        },
    ),
    hint="A value used near the end and far from it: y + sin(exp(y)).",
    wrong=1.0,
    caught_by=f"{REVERSE}[diamond",
)
def breadth_first(lib):
    x = leaf(lib, 0.5)
    y = x * 1
    (y + y.exp().sin()).backward()
    return x.grad


@mutant(
    "Any node that waits may be next: the order does not matter.",
    Edit(reverse.send, {"heappush(heap, number)": "heap.append(number)"}),
    Edit(reverse.sweep, {"heappop(heap)": "heap.pop()"}),
    hint="A value used twice: its node is visited twice, and the second time it has let go of what it kept.",
    wrong="RuntimeError",
    caught_by=f"{REVERSE}[diamond",
)
def no_order(lib):
    x = leaf(lib, 0.5)
    y = x.exp()
    (y.sin() * y).backward()
    return x.grad


@mutant(
    "The oldest node goes first, as on the way forward.",
    Edit(reverse.sweep, {"heappop(heap)": "heap.pop(heap.index(max(heap)))"}),
    hint="A value used twice, and a rule that needs what its node kept.",
    wrong="RuntimeError",
    caught_by=f"{REVERSE}[diamond",
)
def oldest_first(lib):
    x = leaf(lib, 0.5)
    y = x.exp()
    (y * y.sin()).backward()
    return x.grad


def recursive_sweep(seeds, retain=False, create_graph=False, wanted=None, level=0, ways=None):
    found = {}

    def send(node, t):
        t = fit(t, node.like)
        if wanted is not None and node.number in wanted:
            found[node.number] = found[node.number] + t if node.number in found else t
        if type(node) is Leaf:
            return arrive(node, t, False, create_graph, level) if wanted is None else None
        kept = live(node, level) if create_graph else node
        for parent, pull in zip((node.from_a, node.from_b), node.op.pulls, strict=False):
            if parent is not None:
                send(parent, pull(t, kept))
        return None

    for node, t in seeds:
        send(node, t)
    return found


@mutant(
    "The chain rule is recursive, so the sweep is: every node sends on at once what it is sent.",
    Replace(reverse.sweep, recursive_sweep),
    hint="A loop of a few thousand steps; and a ladder of diamonds, where every path is walked, never ends.",
    wrong="RecursionError",
    caught_by=f"{REVERSE}[long_loop",
)
def recursion(lib):
    x = y = leaf(lib, 1.0)
    for _ in range(5000):
        y = y * 1.0
    y.backward()
    return x.grad


@mutant(
    "A node keeps its cotangent, and the next pass adds to it.",
    Edit(
        reverse.sweep,
        {
            "level=0, ways=None": "level=0, ways=None, stale={}",
            "if tape.last_write < number:": (
                "t = stale[number] = stale[number] + t if number in stale else t\n        if tape.last_write < number:"
            ),
        },
    ),
    hint="Two passes through x * x: the second sends on what the first has left.",
    wrong=18.0,
    caught_by=f"{REVERSE}[second_pass",
)
def stale_cotangents(lib):
    x = leaf(lib, 3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@mutant(
    "NumPy broadcasts by itself, so there is nothing to undo.",
    Edit(reverse.fit, {"if t.shape != shape:": "if False:"}),
    hint="A number plus a vector, by the number.",
    wrong=[1.0, 1.0, 1.0],
    caught_by=f"{RULES}[add-",
)
def broadcasting_not_undone(lib):
    x = leaf(lib, 2.0)
    (x + lib.tensor([1.0, 2.0, 3.0])).sum().backward()
    return x.grad


@mutant(
    "A gradient of 1 is a gradient of 1, whatever its dtype.",
    Edit(reverse.seed, {"type(y.array)(1)": "np.float64(1)", "np.ones_like(y.array)": "np.ones(y.array.shape)"}),
    Edit(reverse.fit, {"t if t.dtype == dtype else t.astype(dtype)": "t"}),
    hint="The dtype of the gradient of a float32 leaf: the whole sweep runs in float64.",
    wrong="float64",
    caught_by=f"{REVERSE}[float32_throughout",
)
def seed_of_float64(lib):
    x = leaf(lib, np.float32([2.0]))
    (x * x).sum().backward()
    return str(x.grad.dtype).removeprefix("torch.")


@mutant(
    "The cotangent that arrives at a leaf is its own.",
    Edit(reverse.arrive, {"t.copy() if shared else t": "t"}),
    hint="x + z: both leaves get the same array, and a write to one gradient is a write to the other.",
    wrong=[8.0, 8.0],
    caught_by=f"{REVERSE}[seed_is_not_kept",
)
def gradients_aliased(lib):
    x, z = leaf(lib, [1.0]), leaf(lib, [1.0])
    ((x + z) * 3).sum().backward()
    x.grad.add_(5)
    return x.grad[0], z.grad[0]


@mutant(
    "Once a gradient that was asked for is found, the sweep is done.",
    Edit(
        reverse.sweep,
        {"if type(node) is not Node:": "if number in found:\n            continue\n        if type(node) is not Node:"},
    ),
    hint="The gradients of a result and of what it was made from, in one call.",
    wrong="RuntimeError",
    caught_by=f"{REVERSE}[intermediate",
)
def first_found_ends_it(lib):
    x = leaf(lib, 2.0)
    y = x * x
    return lib.autograd.grad(y * y, [y, x])


@mutant(
    "Nobody walks a graph twice.",
    Edit(reverse.sweep, {"if not retain:": "if True:"}),
    hint="Two passes with retain_graph=True.",
    wrong="RuntimeError",
    caught_by=f"{REVERSE}[second_pass",
)
def freed_although_retained(lib):
    x = leaf(lib, 3.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@mutant(
    "Memory is freed when the variables are.",
    Edit(reverse.sweep, {"if not retain:": "if False:"}),
    hint="A second pass without retain_graph=True, which should be refused; or memory, measured.",
    wrong=12.0,
    caught_by="test_reverse.py::test_saved_values_are_freed_by_the_pass_and_kept_by_retain_graph",
)
def never_freed(lib):
    x = leaf(lib, 3.0)
    y = x * x
    y.backward()
    y.backward()
    return x.grad


@mutant(
    "What a rule has saved is still what it was.",
    Replace(inplace.check_unwritten, lambda node: None),
    hint="y = exp(x), then y += 1 through a detached name: the slope should be refused.",
    wrong=[2.0],
    caught_by="test_misuse.py::test_mistake_meets_pytorchs_words[overwritten output of exp",
)
def version_unchecked(lib):
    x = leaf(lib, [0.0])
    y = x.exp()
    y.detach().add_(1)
    y.sum().backward()
    return x.grad


# ---- recording


@mutant(
    "no_grad only keeps gradients from being stored.",
    Edit(tape.GradMode.__enter__, {"recording = self.enabled": "recording = True"}),
    hint="requires_grad of what is computed under no_grad.",
    wrong=[True, 12.0],
    caught_by=f"{REVERSE}[no_grad_part",
)
def no_grad_records(lib):
    x = leaf(lib, 2.0)
    with lib.no_grad():
        c = x * x
    (c * x).backward()
    return c.requires_grad, x.grad


@mutant(
    "detach makes a new tensor of the same values.",
    Edit(Tensor.detach, {"tensor_of(self.array, None, self.level)": "tensor_of(self.array, self.node, self.level)"}),
    hint="x * (x * x).detach(): the slope is that of x times a constant.",
    wrong=12.0,
    caught_by=f"{REVERSE}[detached_part",
)
def detach_does_not_cut(lib):
    x = leaf(lib, 2.0)
    (x * (x * x).detach()).backward()
    return x.grad


@mutant(
    "detach is for reverse mode.",
    Edit(
        Dual.detach,
        {'self.primal.detach() if hasattr(self.primal, "detach") else outward(self.primal)': "self"},
    ),
    hint="The same program in forward mode.",
    wrong=12.0,
    caught_by="test_forward.py::test_detach_stops_every_derivative_and_no_grad_the_innermost",
)
def detach_does_not_cut_forward(lib):
    return of_functions(lib).jvp(lambda x: x * (x * x).detach(), (lib.tensor(2.0),), (lib.tensor(1.0),))[1]


# ---- derivatives of derivatives


@mutant(
    "A gradient is a number, and create_graph a hint.",
    Edit(reverse.grad_of_tensors, {"seeds, retain_graph, create_graph,": "seeds, retain_graph, False,"}),
    hint="The gradient of a gradient.",
    wrong="RuntimeError",
    caught_by=f"{REVERSE}[third_order",
)
def create_graph_forgotten(lib):
    x = leaf(lib, 2.0)
    (g,) = lib.autograd.grad(x**3, x, create_graph=True)
    return lib.autograd.grad(g, x)


@mutant(
    "In the second sweep, what the rules saved are constants.",
    Edit(
        reverse.live,
        {
            "kept.b = node.b if node.b is None or node.from_b is None else tensor_of(node.b, node.from_b, level)": (
                "kept.b = node.b"
            )
        },
    ),
    hint="The second derivative of x * x: it is 2, once for each factor.",
    wrong=[1.0],
    caught_by=f"{REVERSE}[through_the_gradient",
)
def saved_values_are_constants(lib):
    x = leaf(lib, 3.0)
    (g,) = lib.autograd.grad(x * x, x, create_graph=True)
    return lib.autograd.grad(g, x)


@mutant(
    "A dual number is a dual number: one epsilon is enough.",
    Edit(Dual.apply, {"if type(x) is kind and x.level == level:": "if type(x) is kind:"}),
    hint="d/dx of x times d/dy (x + y): the inner derivative is 1, whatever x is.",
    wrong=2.0,
    caught_by="test_forward.py::test_perturbations_are_not_confused[x times the derivative of x + y",
)
def perturbations_confused(lib):
    jvp, one = of_functions(lib).jvp, lib.tensor(1.0)
    inner = lambda x: jvp(lambda y: x + y, (one,), (one,))[1]
    return jvp(lambda x: x * inner(x), (one,), (one,))[1]


@mutant(
    "Inside an inner derivative the outer variable is a number.",
    Edit(tape.record, {"isinstance(x, Tensor) and x.level == level": "isinstance(x, Tensor)"}),
    hint="d/dx of x times d/dy (x y), which is x times x, so that its slope is 2 x.",
    wrong=3.0,
    caught_by="test_forward.py::test_perturbations_are_not_confused[x times the derivative of x y-reverse-reverse",
)
def outer_variable_frozen(lib):
    grad = of_functions(lib).grad
    return grad(lambda x: x * grad(lambda y: x * y)(lib.tensor(1.0)))(lib.tensor(3.0))


# ---- forward mode and Jacobians


@mutant(
    "A tangent follows the first input.",
    Edit(Dual.apply, {"else t + push(x_dot, kept)": "else t"}),
    hint="x * x in forward mode: both factors move.",
    wrong=3.0,
    caught_by="test_functional.py::test_vjp_and_jvp_are_pytorchs[a product-",
)
def tangent_of_one_input(lib):
    return of_functions(lib).jvp(lambda x: x * x, (lib.tensor(3.0),), (lib.tensor(1.0),))[1]


@mutant(
    "The tangents of the unit vectors are the rows of the Jacobian.",
    Edit(
        functional.jacobian,
        {"return functions.permute(whole, *range(point.ndim, whole.ndim), *range(point.ndim))": "return whole"},
    ),
    hint="A map from two numbers to three, whose Jacobian is not square.",
    wrong=[2, 3],
    caught_by="test_functional.py::test_jacobian_is_pytorchs_in_both_modes[a product-",
)
def jacobian_transposed(lib):
    at, f = lib.tensor([1.0, 2.0]), lambda x: lib.stack([x[0], x[1], x[0] * x[1]])
    J = lib.jacobian(f, at, mode="forward") if hasattr(lib, "jacobian") else lib.func.jacfwd(f)(at)
    return list(J.shape)
