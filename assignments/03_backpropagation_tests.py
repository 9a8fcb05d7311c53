"""Public cases and hidden tests of chapter 3."""

import numpy as np
import torch

from grader import Question, close, require, several

q1 = Question("q1", "The pullback of a product with broadcasting")
q1.case("pull_product(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0]))[0]", [5.0, 12.0])


def product(student, rng, *shapes):
    a, b = (rng.normal(size=shape) for shape in shapes)
    t = rng.normal(size=np.broadcast_shapes(*shapes))
    leaves = [torch.tensor(x, requires_grad=True) for x in (a, b)]
    wanted = torch.autograd.grad(leaves[0] * leaves[1], leaves, torch.tensor(t))
    got = several(student.run("pull_product(t, a, b)", t=t, a=a, b=b), 2)
    for one, other in zip(got, wanted, strict=True):
        close(one, other.numpy())


@q1.test("Each factor's cotangent is what flows back, times the other factor.")
def the_factor_itself_instead_of_the_other(student, rng):
    product(student, rng, (3, 2), (3, 2))


@q1.test("An axis that one factor lacks was copied: its parts are summed.")
def a_new_axis_that_is_not_summed(student, rng):
    product(student, rng, (4, 3), (3,))
    product(student, rng, (3,), (2, 4, 3))


@q1.test("An axis of length 1 that was stretched is summed, and stays.")
def a_stretched_axis_that_is_not_summed(student, rng):
    product(student, rng, (4, 1), (1, 3))


@q1.test("Both may happen at once, and to a number, too.")
def axes_of_one_kind_only(student, rng):
    product(student, rng, (5, 4, 3), (4, 1))
    product(student, rng, (), (2, 3))


q2 = Question("q2", "A Jacobian, row by row")
q2.case("jacobian(lambda v: np.array([v[0] * 2.0]), 1)", [[2.0]])


def rows(student, rng, m, n):
    J, calls = rng.normal(size=(m, n)), []

    def vjp(v):
        calls.append(v)
        if np.shape(v) != (m,):
            raise ValueError(f"vjp takes a row of {m} entries")
        return np.asarray(v, float) @ J

    close(student.run("jacobian(vjp, m)", vjp=vjp, m=m), J)
    return len(calls)


@q2.test("Each pullback gives a row, not a column.")
def the_transpose(student, rng):
    rows(student, rng, 4, 4)


@q2.test("One pullback for each of the m outputs is enough.")
def more_pullbacks_than_rows(student, rng):
    calls = rows(student, rng, 5, 3)
    require(calls == 5, f"{calls} pullbacks")


@q2.test("The number of inputs need not be that of the outputs.")
def only_square_tables(student, rng):
    rows(student, rng, 2, 7)
    rows(student, rng, 6, 1)


q3 = Question("q3", "Checking a gradient")
q3.case("gradcheck(lambda x: x[0] ** 2, lambda x: np.array([2 * x[0]]), np.array([3.0]))", True)
q3.case("gradcheck(lambda x: x[0] ** 2, lambda x: np.array([3 * x[0]]), np.array([3.0]))", False)


def judged(student, rng, plant, scale=1.0, n=4, times=6):
    """Right and wrong gradients in random order: every verdict must be right."""
    verdicts = rng.permutation(np.arange(times) % 2 == 0)
    for verdict in verdicts:
        A = rng.uniform(0.5, 1.5, (n, n))
        A, x = A + A.T, rng.uniform(0.5, 1.5, n)

        def f(x, A=A):
            return scale * (0.5 * x @ A @ x + np.sin(x).sum())

        def right(x, A=A):
            return scale * (A @ x + np.cos(x))

        def df(x, verdict=verdict, right=right):
            return right(x) if verdict else plant(right(x))

        got = student.run("bool(gradcheck(f, df, x))", f=f, df=df, x=x)
        require(got is bool(verdict), f"said {got} of a gradient that is {'right' if verdict else 'wrong'}")


@q3.test("Every entry needs a look: the wrong one may be the last.")
def only_the_first_entry(student, rng):
    judged(student, rng, lambda g: g * [1, 1, 1, 1.5])


@q3.test("Errors of two entries may cancel in a sum: compare entry by entry, or along a random direction.")
def only_the_sum_of_all_entries(student, rng):
    judged(student, rng, lambda g: g + np.array([2, -2, 0, 0]))


@q3.test("A factor of 1.01 is a bug. Central differences tell; tolerances of a tenth do not.")
def a_tolerance_that_is_too_wide(student, rng):
    judged(student, rng, lambda g: 1.01 * g)


@q3.test("A gradient of size 10⁻⁸ may be wrong by a factor of two: the error is to be seen beside the gradient.")
def an_absolute_tolerance(student, rng):
    judged(student, rng, lambda g: 2 * g, scale=1e-8)


@q3.test("A gradient of size 10⁶ may be right, though rounding makes differences of more than a millionth.")
def a_right_gradient_refused_for_its_size(student, rng):
    judged(student, rng, lambda g: 2 * g, scale=1e6)


@q3.test("The right length is not enough: an entry may have the wrong sign.")
def only_the_length_of_the_gradient(student, rng):
    judged(student, rng, lambda g: -g)
    judged(student, rng, lambda g: g * [1, -1, 1, 1])


@q3.test("nan is neither near a number nor far from it: every comparison with it is false.")
def a_gradient_that_is_not_a_number(student, rng):
    judged(student, rng, lambda g: g * [1, 1, np.nan, 1])


q4 = Question("q4", "Writing `backward`")
q4.case("swept(2.0)", 3.0)


def torch_slopes(program, values, c):
    leaves = [torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in values]
    space = {"c": c}
    exec(program, space)
    space["program"](*leaves).backward()
    return [leaf.grad.item() for leaf in leaves]


def swept(student, program, c, *values, tail="", times=1):
    """A program's derivatives, from the student's own nodes, and from PyTorch."""
    code = f"{program}\nleaves = [Node(x) for x in values]\ny = program(*leaves)\nbackward(y)\n{tail}\n"
    got = student.run(code + "[x.grad for x in leaves]", c=c, values=values)
    close(got, times * np.array(torch_slopes(program, values, c)), 1e-9)


def body(*lines):
    return "\n    ".join(["def program(x, *others):", *lines])


@q4.test("A plain number may stand on the left, too: c * x and c + x.")
def no_plain_number_on_the_left(student, rng):
    swept(student, body("return c * x + (c + x)"), *rng.uniform(1, 2, 2))


@q4.test("A value that is used twice gets a part from each use: add them.")
def the_last_part_alone(student, rng):
    swept(student, body("return x * x + x * c"), *rng.uniform(1, 2, 2))


@q4.test("A node may pass on what it has only when all its uses have given their part: the newest first.")
def a_node_before_its_uses(student, rng):
    swept(student, body("u = x * x", "return u + u * c * u"), *rng.uniform(1, 2, 2))


@q4.test("A loop over the nodes has no depth; Python's recursion ends at a thousand calls.")
def one_call_in_another(student, rng):
    swept(student, body("for _ in range(3000):", "    x = x * c", "return x"), rng.uniform(0.999, 1), rng.uniform(1, 2))


@q4.test("A node has one turn, not one for each path to it.")
def one_turn_for_each_path(student, rng):
    swept(student, body("for _ in range(50):", "    x = x * c + x * c", "return x"), *rng.uniform(0.48, 0.52, 2))


@q4.test("After a second sweep over the same graph a leaf has twice as much. Nodes in between must begin anew.")
def what_the_nodes_in_between_still_hold(student, rng):
    program = body("u = x * c", "return u + u")
    swept(student, program, *rng.uniform(1, 2, 2), tail="backward(y)", times=2)


@q4.test("A leaf's grad adds up over sweeps, also of different graphs.")
def a_leaf_that_forgets(student, rng):
    a, b = rng.uniform(1, 2, 2)
    swept(student, body("return x * c"), a, b, tail="backward(leaves[0] * c)", times=2)


@q4.test("Carrying a number for each of 2500 leaves along takes too much memory. Go back from the end.")
def every_derivative_carried_forward(student, rng):
    values, c = rng.uniform(1, 2, 2500), rng.uniform(0.999, 1)
    code = """kept, leaves = [Node(0.0)], []
for value in values:
    leaves += [Node(value)]
    kept += [kept[-1] + leaves[-1]]
    kept += [kept[-1] * c]
backward(kept[-1])
[leaf.grad for leaf in leaves]"""
    x = torch.tensor(values, requires_grad=True)
    powers = c ** torch.arange(len(values), 0, -1, dtype=torch.float64)
    (x * powers).sum().backward()
    close(student.run(code, values=values, c=c), x.grad.numpy(), 1e-9)
