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


@q1.test("Carry the row along: a product of two Jacobians may be far larger than either.")
def the_product_of_all_jacobians(student, rng):
    a, b, v = rng.uniform(1, 2, (3, 5000))
    jacobians = [a[None, :], b[:, None]]
    close(student.run("pull_back(jacobians, v)", jacobians=jacobians, v=v), v @ b * a, 1e-8)


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


q3 = Question("q3", "A program writes its own graph")
q3.case("sum_over_paths(*record(lambda x: x * 3.0, 2.0))", 3.0)


class Graph:
    """What `record` returned, judged by the chain rule alone."""

    def __init__(self, student, program, **values):
        got = student.run(f"record({program}, x)", **values)
        require(isinstance(got, list) and len(got) == 3, "not three things")
        self.arrows, start, end = got
        require(len(self.arrows) < 100, f"{len(self.arrows)} arrows")
        ends = [name for here, there, _ in self.arrows for name in (here, there)]
        self.values = {name: k for k, name in enumerate(dict.fromkeys([start, end, *ends]))}
        local = np.eye(len(self.values))
        for here, there, slope in self.arrows:
            local[self.values[there], self.values[here]] -= slope
        self.slope = np.linalg.solve(local, np.eye(len(local))[0])[self.values[end]]


def slope_of(program, **values):
    leaf = torch.tensor(values["x"], dtype=torch.float64, requires_grad=True)
    eval(program, values)(leaf).backward()
    return leaf.grad.item()


def written(student, rng, program):
    x, c = rng.uniform(1, 2, 2)
    graph = Graph(student, program, x=x, c=c)
    close(graph.slope, slope_of(program, x=x, c=c))
    return graph


@q3.test("In a product a factor's local derivative is the other factor.")
def the_factor_itself(student, rng):
    written(student, rng, "lambda x: (x + c) * (x * c)")


@q3.test("A plain number may stand on the left, too: c * x and c + x.")
def no_plain_number_on_the_left(student, rng):
    written(student, rng, "lambda x: c * x + (c + x)")


@q3.test("x·x and x + x use x twice: an arrow for each use.")
def one_arrow_for_two_uses(student, rng):
    written(student, rng, "lambda x: x * x")
    written(student, rng, "lambda x: x + x")


@q3.test("Two values may be equal numbers, or made in the same way. Count them to name them.")
def two_values_under_one_name(student, rng):
    written(student, rng, "lambda x: (x + 0.0) + (x + 0.0) + x")


@q3.test("Write an arrow down when its operation runs: then those into a value stand before those out of it.")
def arrows_in_another_order(student, rng):
    graph = written(student, rng, "lambda x: (x + c) + x + (x + 2.0)")
    used = set()
    for here, there, _ in graph.arrows:
        require(there not in used, f"an arrow into {there} after one out of it")
        used.add(here)


@q3.test("Each operation makes a value, with arrows from what it used: none may be skipped.")
def one_arrow_for_the_whole_program(student, rng):
    graph = written(student, rng, "lambda x: (x + c) + x + (x + c)")
    require(len(graph.values) > 4, f"{len(graph.values)} values for 4 operations and their input")


@q3.test("Another program has another graph. Begin with an empty list.")
def the_arrows_of_an_earlier_program(student, rng):
    for _ in range(2):
        graph = written(student, rng, "lambda x: x + c + x")
        require(len(graph.arrows) <= 6, f"{len(graph.arrows)} arrows for 2 operations")
