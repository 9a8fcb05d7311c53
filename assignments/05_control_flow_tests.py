"""Public cases and hidden tests of chapter 5."""

import numpy as np
import torch

from grader import Question, close, require

q1 = Question("q1", "The slope of a loop")
q1.case("loop_slope(3.0, 0.25, 1)", 1.5)


def loop(student, rng, n, precision=1e-6):
    r, x = rng.uniform(2.5, 3.5), rng.uniform(0.1, 0.4)
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = leaf + 0
    for _ in range(n):
        y = r * y * (1 - y)
    y.backward()
    close(student.run("loop_slope(r, x, n)", r=r, x=x, n=n), leaf.grad.item(), precision)


@q1.test("Each step has a slope of its own, for each begins elsewhere: multiply them all.")
def the_first_slope_to_the_power_of_n(student, rng):
    loop(student, rng, 2)
    loop(student, rng, 20)


@q1.test("A step's slope is taken where the step begins, not where it ends.")
def the_slope_where_the_step_ends(student, rng):
    loop(student, rng, 1)
    loop(student, rng, 3)


@q1.test("A loop that does not run gives x back: its slope is 1.")
def no_steps_at_all(student, rng):
    loop(student, rng, 0)
    loop(student, rng, 5)


@q1.test("No difference, no h: the product of the steps' slopes is exact up to rounding.")
def a_difference_around_the_loop(student, rng):
    loop(student, rng, 3, 1e-12)
    loop(student, rng, 4, 1e-12)


q2 = Question("q2", "x log x, at 0 too")
q2.case("xlogx(np.array([1.0]))", [[0.0], [1.0]])


def safe(x):
    leaf = torch.tensor(x, requires_grad=True)
    inside = torch.where(leaf > 0, leaf, 1.0)
    y = torch.where(leaf > 0, inside * torch.log(inside), 0.0)
    (slope,) = torch.autograd.grad(y.sum(), leaf)
    return y.detach().numpy(), slope.numpy()


def at(student, x, part, precision=1e-12):
    close(student.run(f"xlogx(x)[{part}]", x=x), safe(x)[part], precision, 0)


@q2.test("0 times −∞ is not a number. At 0 the value is 0.")
def a_value_at_0_that_is_not_a_number(student, rng):
    at(student, np.array([0.0, *rng.uniform(1, 3, 2), 0.0]), 0)


@q2.test("At 0 the slope is that of the branch taken, the constant 0.")
def a_slope_at_0_from_the_other_branch(student, rng):
    at(student, np.array([0.0, *rng.uniform(1, 3, 2), 0.0]), 1, 1e-5)


@q2.test("Adding something small inside the logarithm is wrong elsewhere: for small x the most.")
def an_epsilon_in_the_logarithm(student, rng):
    x = 10.0 ** rng.uniform(-30, -20, 5)
    at(student, x, 0)
    at(student, x, 1)


@q2.test("The slope of x log x is log x + 1, up to rounding: no difference comes so close.")
def a_difference_for_a_slope(student, rng):
    at(student, rng.uniform(1, 3, 4), 1)


q3 = Question("q3", "Record, guard, replay")
q3.case("recorded(lambda x: x * x + 1.0)(3.0)", 10.0)


def replayed(student, rng, body, inputs, ways):
    """The values at some inputs, of which each goes one of the ways through the program, numbered as they come.

    Whenever the program itself runs, it asks for a number c, each time another one: what a
    replay gives is made with that of its recording.
    """
    numbers, runs = rng.uniform(1, 2, 10), []
    program = f"def program(x):\n    c = number(0.0)\n{body}"
    code = f"{program}\ng = recorded(program)\n[g(x) for x in inputs]"

    def value(x, way):
        space = {"number": lambda _: numbers[way]}
        exec(program, space)
        return space["program"](x)

    def number(_):
        runs.append(1)
        return numbers[len(runs) - 1]

    got = student.run(code, inputs=inputs, number=number)
    require(len(runs) == len(set(ways)), f"the program ran {len(runs)} times, not {len(set(ways))}")
    close(got, [value(x, way) for x, way in zip(inputs, ways, strict=True)])


@q3.test("Once recorded, a program is replayed: it does not run again.")
def the_program_itself_each_time(student, rng):
    replayed(student, rng, "    return x * x * c + 3.0 * x", list(rng.uniform(1, 2, 5)), [0] * 5)


@q3.test("A comparison is a guard: if it comes out otherwise, the recording does not hold.")
def the_branch_of_the_first_input(student, rng):
    low, high = rng.uniform(0, 1), rng.uniform(5, 6)
    replayed(student, rng, "    if x * x < 4.0:\n        return x * c\n    return x + c", [low, high], [0, 1])


@q3.test("Keep the recordings you have: one for each way through the program.")
def one_recording_only(student, rng):
    inputs = [rng.uniform(0, 1), rng.uniform(5, 6), rng.uniform(0, 1), rng.uniform(5, 6)]
    replayed(student, rng, "    if x < 2.0:\n        return x * c + c\n    return x + c * x", inputs, [0, 1, 0, 1])


@q3.test("A loop asks in each of its steps, about a value that it has just computed: check all the answers.")
def the_first_guard_alone(student, rng):
    body = "    while x < 50.0:\n        x = x * 3.0\n    return x * c"
    a, b = rng.uniform(7, 8), rng.uniform(1, 1.5)
    replayed(student, rng, body, [a, b, a + 0.5, b + 0.1], [0, 1, 0, 1])


@q3.test("Each program has recordings of its own.")
def the_recording_of_another_program(student, rng):
    a, b, x = rng.uniform(1, 2, 3)
    code = "f, g = recorded(lambda x: x * a), recorded(lambda x: x + b)\n[f(x), g(x), f(x), g(x)]"
    close(student.run(code, a=a, b=b, x=x), [x * a, x + b] * 2)


q4 = Question("q4", "The slope of a fixed point")
q4.case("fixed_point_slope(np.array([[0.5]]), np.array([1.0]))", [2.0])


def fixed_point(student, rng, n):
    A = rng.normal(size=(n, n))
    A *= 0.5 / np.abs(A).sum(1).max()
    b = rng.normal(size=n)
    x, y = torch.zeros((), dtype=torch.float64, requires_grad=True), torch.zeros(n, dtype=torch.float64)
    for _ in range(80):
        y = torch.from_numpy(A) @ y + torch.from_numpy(b) * x
    wanted = torch.stack([torch.autograd.grad(entry, x, retain_graph=True)[0] for entry in y])
    close(student.run("fixed_point_slope(G_y, G_x)", G_y=A, G_x=b), wanted.numpy())


@q4.test("y appears on both sides: y' = G_y y' + G_x.")
def the_slope_of_a_single_step(student, rng):
    fixed_point(student, rng, 1)


@q4.test("For several numbers the equation has a matrix.")
def numbers_only(student, rng):
    fixed_point(student, rng, 4)


@q4.test("The matrix is I − G_y, as it stands.")
def the_transposed_equation(student, rng):
    fixed_point(student, rng, 3)
