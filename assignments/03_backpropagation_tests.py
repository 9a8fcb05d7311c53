"""Public cases and hidden tests of chapter 3."""

import numpy as np
import torch

from grader import Question, close, require

q1 = Question("q1", "The pullback of a product with broadcasting")
q1.case("pull_product(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0]))[0]", [5.0, 12.0])


def product(student, rng, *shapes):
    a, b = (rng.normal(size=shape) for shape in shapes)
    t = rng.normal(size=np.broadcast_shapes(*shapes))
    leaves = [torch.tensor(x, requires_grad=True) for x in (a, b)]
    wanted = torch.autograd.grad(leaves[0] * leaves[1], leaves, torch.tensor(t))
    got = student.run("pull_product(t, a, b)", t=t, a=a, b=b)
    require(isinstance(got, list) and len(got) == 2, "not a pair")
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
        calls.append(np.array(v))
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


def judged(student, rng, plant, scale=1.0, n=4, times=8):
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
    judged(student, rng, lambda g: -g, scale=1e6)
