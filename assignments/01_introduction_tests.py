"""Public cases and hidden tests of chapter 1."""

import numpy as np
import torch

from grader import Question, close, require

q1 = Question("q1", "Central difference")
q1.case("central_difference(lambda x: x**2, 3.0, 0.5)", 6.0)


def derivative(f, x):
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    f(leaf).backward()
    return leaf.grad.item()


@q1.test("On a parabola a central difference has no error at all, whatever h is.")
def a_one_sided_difference(student, rng):
    a, b, x, h = rng.uniform(1, 2, 4)

    def f(x):
        return a * x**2 + b * x

    close(student.run("central_difference(f, x, h)", f=f, x=x, h=h), derivative(f, x))


@q1.test("On a x³ the error is a h²: a quarter for half the h. Are your points x − h and x + h?")
def an_error_of_another_order(student, rng):
    a, b, c, x = rng.uniform(1, 2, 4)

    def f(x):
        return a * x**3 + b * x**2 + c * x

    for h in 0.2, 0.1:
        error = student.number("central_difference(f, x, h)", f=f, x=x, h=h) - derivative(f, x)
        close(error, a * h**2, 1e-6)


@q1.test("Two points are enough. Count how often you call f.")
def more_than_two_evaluations(student, rng):
    points, (a, x) = [], rng.uniform(1, 2, 2)

    def counted(x):
        points.append(x)
        return a * x**3

    close(student.run("central_difference(f, x, h)", f=counted, x=x, h=1e-3), 3 * a * x**2, 1e-2)
    evaluations = sum(map(np.size, points))  # they may be asked for in one array
    require(evaluations == 2, f"{evaluations} evaluations")


@q1.test("Do not choose h yourself: the caller has.")
def an_h_of_its_own(student, rng):
    a, x = rng.uniform(1, 2, 2)

    def f(x):
        return a * x**6

    near, far = (student.number("central_difference(f, x, h)", f=f, x=x, h=h) for h in (0.25, 0.5))
    require(abs(near - far) > 0.01, "h makes no difference")
    require(derivative(f, x - 0.25) < near < derivative(f, x + 0.25), "no slope between x − h and x + h")


q2 = Question("q2", "Choosing h")
q2.case("balanced_h(1, 1e-8)", 1e-4)


def balance(student, order, eps):
    h = student.number("balanced_h(order, eps)", order=order, eps=eps)
    close(eps / h, h**order, rtol=1e-9)


@q2.test("The balance is a square root for order 1 only. For the others it is not where the sum is least, either.")
def a_square_root_for_every_order(student, rng):
    for order in 2, 3, 4:
        balance(student, order, rng.uniform(1e-10, 1e-9))


@q2.test("float32 rounds more coarsely than float64: use the eps that you are given.")
def the_eps_of_float64_for_all(student, rng):
    for eps in rng.uniform(1e-8, 1e-6, 3):
        balance(student, 1, eps)


@q2.test("Rounding is divided by h. At the balance, eps/h and h to the order are equal.")
def rounding_that_is_not_divided_by_h(student, rng):
    balance(student, 1, rng.uniform(1e-17, 1e-15))


q3 = Question("q3", "Complex step")
q3.case("complex_step(lambda x: x**2, 3.0)", 6.0)


def analytic(rng):
    a, b, c = rng.uniform(0.5, 1.5, 3)

    def on(lib):
        return lambda x: a * lib.sin(b * x) + lib.exp(c * x) / x

    return on(np), on(torch)


@q3.test("Nothing is subtracted, so h may be tiny, and no digit is lost: the result is right to 13 digits.")
def a_difference_in_disguise(student, rng):
    ours, theirs = analytic(rng)
    x = rng.uniform(0.5, 1.5)
    close(student.run("complex_step(f, x)", f=ours, x=x), derivative(theirs, x), rtol=1e-13)


@q3.test("The slope is in the imaginary part; the value stays in the real one.")
def the_real_part(student, rng):
    ours, theirs = analytic(rng)
    x = rng.uniform(0.5, 1.5)
    close(student.run("complex_step(f, x)", f=ours, x=x), derivative(theirs, x), rtol=1e-4)


@q3.test("One evaluation gives value and slope. Count how often you call f.")
def more_than_one_evaluation(student, rng):
    ours, theirs = analytic(rng)
    points = []

    def counted(x):
        points.append(x)
        return ours(x)

    x = rng.uniform(0.5, 1.5)
    close(student.run("complex_step(f, x)", f=counted, x=x), derivative(theirs, x), rtol=1e-4)
    require(len(points) == 1, f"{len(points)} evaluations")


q4 = Question("q4", "Dual numbers")
q4.case("(Dual(2.0, 1.0) * Dual(5.0, 0.0)).slope", 5.0)
q4.case("(Dual(2.0, 1.0) * Dual(5.0, 0.0)).value", 10.0)
q4.case("slope_of(lambda x: x * x, 3.0)", 6.0)


def compare(student, expression, rng, low=0.5):
    """Value and slope of an expression in x, from the student's Dual and from PyTorch."""
    x, slope, c = rng.uniform(low, 2, 3)
    code = f"d = Dual(x, slope)\nd = (lambda x: {expression})(d)\n[d.value, d.slope]"
    value, got = student.run(code, x=x, slope=slope, c=c)
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    wanted = eval(expression, {"x": leaf, "c": c})
    wanted.backward()
    close(value, wanted.item())
    close(got, slope * leaf.grad.item())


@q4.test("A product's slope has two terms: each factor's slope times the other factor.")
def the_product_of_the_slopes(student, rng):
    compare(student, "x * x * x + x", rng)


@q4.test("(u/v)' = (u'v − uv') / v².")
def a_quotient_rule_of_its_own(student, rng):
    compare(student, "(x * x + x) / (x + x * x * x)", rng)


@q4.test("A number is a Dual of slope 0. It may stand on the left of +, −, * and /.")
def no_plain_number_on_the_left(student, rng):
    compare(student, "c / (c + x) + (c * x)", rng)


@q4.test("A number is a Dual of slope 0. It may stand on the right of +, −, * and /.")
def no_plain_number_on_the_right(student, rng):
    compare(student, "x * c + (x + c) / c - c", rng)


@q4.test("c − x is not x − c: its slope is −1.")
def a_subtraction_the_wrong_way_round(student, rng):
    compare(student, "(c - x) * x", rng)


@q4.test("An operation makes a new Dual. Those that it was given are needed again.")
def a_dual_that_is_overwritten(student, rng):
    compare(student, "(x + x * x) * (x - x * x) + x / x * x", rng)


@q4.test("Run the program once, on a Dual: comparisons ask for the value only.")
def a_loop_that_asks_the_value(student, rng):
    x, factor = rng.uniform(1, 2), rng.uniform(1.5, 2.5)
    code = "def program(x):\n    while x < 100:\n        x = factor * x * x * x\n    return x\nslope_of(program, x)"
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = leaf
    while y < 100:
        y = factor * y * y * y
    y.backward()
    close(student.run(code, x=x, factor=factor), leaf.grad.item(), rtol=1e-12)


@q4.test("A program that ends in a plain number does not depend on x: its slope is 0.")
def a_program_that_forgets_its_input(student, rng):
    x, c = rng.uniform(1, 2, 2)
    close(student.run("[slope_of(lambda x: c, x), slope_of(lambda x: c * x, x)]", x=x, c=c), [0, c], rtol=1e-6)


@q4.test("No difference, no h: dual numbers are exact up to rounding.")
def a_difference_instead_of_duals(student, rng):
    x = rng.uniform(1, 2)
    code = "slope_of(lambda x: (x * x + x) / (x * x * x + x), x)"
    close(student.run(code, x=x), derivative(lambda x: (x * x + x) / (x * x * x + x), x), rtol=1e-12)


q5 = Question("q5", "In your own words", manual=3)
