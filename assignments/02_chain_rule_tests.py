"""Public cases and hidden tests of chapter 2."""

from itertools import pairwise

import numpy as np
import torch

from grader import Question, close, require

q1 = Question("q1", "A chain of Jacobians")
q1.case("pull_back([np.array([[1.0, 2.0], [3.0, 4.0]])], np.array([1.0, 0.0]))", np.array([1.0, 2.0]).tolist())


def pulled(student, rng, sizes):
    jacobians = [rng.normal(size=(m, n)) for n, m in pairwise(sizes)]
    v = rng.normal(size=sizes[-1])
    wanted = v
    for J in reversed(jacobians):
        J = torch.from_numpy(J)
        x = torch.zeros(J.shape[1], dtype=torch.float64)
        wanted = torch.autograd.functional.vjp(lambda x, J=J: J @ x, x, torch.from_numpy(np.asarray(wanted)))[1]
    close(student.run("pull_back(jacobians, v)", jacobians=jacobians, v=v), wanted.numpy())


@q1.test("What comes back meets the last operation first.")
def the_first_jacobian_first(student, rng):
    pulled(student, rng, [3, 3, 3, 3])


@q1.test("The row goes on the left: v J, not J v.")
def a_column_instead_of_a_row(student, rng):
    pulled(student, rng, [4, 4])


@q1.test("Neither the number of inputs nor that of outputs stays the same along a chain.")
def only_square_jacobians(student, rng):
    pulled(student, rng, [2, 5, 3, 4])


@q1.test("A chain of no operations gives v back.")
def no_empty_chain(student, rng):
    v = rng.normal(size=3)
    close(student.run("pull_back([], v)", v=v), v)
    pulled(student, rng, [3, 1, 2])


q2 = Question("q2", "The sum over all paths")
q2.case("sum_over_paths([('x', 'u', 2.0), ('u', 'y', 3.0)], 'x', 'y')", 6.0)


def names(rng, n):
    return [f"v{k}" for k in rng.permutation(1000)[:n]]


@q2.test("Multiply along each path, add over the paths.")
def only_one_of_the_paths(student, rng):
    x, u, v, y = names(rng, 4)
    a, b, c, d, e = rng.uniform(1, 2, 5)
    arrows = [(x, u, a), (x, v, b), (u, v, c), (u, y, d), (v, y, e)]
    close(student.number("sum_over_paths(arrows, x, y)", arrows=arrows, x=x, y=y), a * d + b * e + a * c * e)


@q2.test("x·x has two arrows from x to the product: both count.")
def two_arrows_between_the_same_two_taken_for_one(student, rng):
    x, y = names(rng, 2)
    a, b = rng.uniform(1, 2, 2)
    arrows = [(x, y, a), (x, y, b)]
    close(student.number("sum_over_paths(arrows, x, y)", arrows=arrows, x=x, y=y), a + b)


@q2.test("Add before you multiply: there may be 2 to the 40 paths.")
def every_path_is_walked(student, rng):
    a = names(rng, 41 + 80)
    arrows, wanted = [], 1.0
    for k in range(40):
        p = rng.uniform(0.5, 1, 4)
        top, left, right, bottom = a[k], a[41 + 2 * k], a[42 + 2 * k], a[k + 1]
        arrows += [(top, left, p[0]), (top, right, p[1]), (left, bottom, p[2]), (right, bottom, p[3])]
        wanted *= p[0] * p[2] + p[1] * p[3]
    close(student.number("sum_over_paths(arrows, x, y)", arrows=arrows, x=a[0], y=a[40]), wanted, 1e-9, 0)


@q2.test("If no path leads from one to the other, the derivative is 0; from a value to itself it is 1.")
def a_path_where_there_is_none(student, rng):
    x, u, y = names(rng, 3)
    a = rng.uniform(1, 2)
    arrows = [(y, u, 1.0), (x, u, a)]
    code = "[sum_over_paths(arrows, x, y), sum_over_paths(arrows, x, u), sum_over_paths(arrows, x, x)]"
    close(student.run(code, arrows=arrows, x=x, y=y, u=u), [0, a, 1])


q3 = Question("q3", "A backward sweep")
q3.case("gradient(lambda x: x * 3.0, 2.0)", 3.0)


def swept(student, program, rng, low=1.0, high=2.0):
    x, c = rng.uniform(low, high, 2)
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    space = {"c": c}
    exec(program, space)
    space["program"](leaf).backward()
    close(student.run(f"{program}\ngradient(program, x)", x=x, c=c), leaf.grad.item(), 1e-9)


@q3.test("A value that is used twice gets a part from each use: add them.")
def the_last_part_alone(student, rng):
    swept(student, "def program(x):\n    return x * x + c * x", rng)


@q3.test("A node may pass on what it has only when all its uses have given their part: the newest first.")
def a_node_before_its_uses(student, rng):
    swept(student, "def program(x):\n    u = x * x\n    return u + u * c * u", rng)


@q3.test("A loop over the nodes has no depth; Python's recursion ends at a thousand calls.")
def one_call_in_another(student, rng):
    swept(
        student, "def program(x):\n    y = x\n    for _ in range(3000):\n        y = y * c\n    return y", rng, 0.999, 1
    )


@q3.test("Visit each node once, not once for each path to it.")
def one_visit_for_each_path(student, rng):
    swept(
        student,
        "def program(x):\n    y = x\n    for _ in range(50):\n        y = c * y + y * c\n    return y",
        rng,
        0.48,
        0.52,
    )


@q3.test("A second sweep starts from nothing.")
def what_an_earlier_sweep_left_behind(student, rng):
    a, b = rng.uniform(1, 2, 2)
    code = "[gradient(lambda x: a * x * x, b), gradient(lambda x: b * x, a), gradient(lambda x: a * x * x, b)]"
    got = student.run(code, a=a, b=b)
    require(isinstance(got, list) and len(got) == 3)
    close(got, [2 * a * b, b, 2 * a * b])
