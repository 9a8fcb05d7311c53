"""Public cases and hidden tests of chapter 6."""

import math
from itertools import pairwise

import numpy as np
import torch

from grader import Question, Wrong, close, require

q1 = Question("q1", "The price of a Jacobian")
q1.case("prices([2, 3, 1])", [18, 9])


def priced(student, sizes):
    weights = sum(m * n for m, n in pairwise(sizes))
    close(student.run("prices(sizes)", sizes=sizes), [sizes[0] * weights, sizes[-1] * weights])


@q1.test("Forward mode pushes one column for each input, reverse mode pulls one row for each output.")
def the_two_modes_exchanged(student, rng):
    sizes = [int(n) for n in rng.choice(np.arange(2, 60), 4, replace=False)]
    priced(student, sizes)
    priced(student, sizes[::-1])


@q1.test("A product of a matrix and a vector takes as many multiplications as the matrix has entries.")
def each_layer_at_the_same_price(student, rng):
    priced(student, [7, *(int(n) for n in rng.choice(np.arange(10, 60), 3, replace=False)), 5])


@q1.test("A network of one layer has a price, too, and one of none costs nothing.")
def two_layers_at_least(student, rng):
    n, m = (int(n) for n in rng.choice(np.arange(2, 60), 2, replace=False))
    priced(student, [n, m])
    priced(student, [n])


q2 = Question("q2", "A Hessian times a vector")
q2.case("hvp(lambda x: 2.0 * x, np.array([1.0]), np.array([3.0]))", [6.0])


def curved(student, rng, n=5, length=1.0, precision=1e-9):
    A, x, v = rng.normal(size=(n, n)) / n, rng.normal(size=n), rng.normal(size=n)
    v *= length / np.linalg.norm(v)
    A, calls = A + A.T, []

    def f(x):
        return 0.5 * x @ torch.from_numpy(A) @ x + torch.sin(x).sum()

    def grad(x):
        calls.append(1)
        return A @ x + np.cos(x)

    wanted = torch.autograd.functional.hvp(f, torch.from_numpy(x), torch.from_numpy(v))[1].numpy()
    got = student.run("hvp(grad, x, v)", grad=grad, x=x, v=v)
    close(got, wanted, 0, precision * np.linalg.norm(wanted))
    return len(calls)


@q2.test("Not the whole Hessian: four gradients are enough, whatever the number of inputs.")
def a_gradient_for_each_column(student, rng):
    calls = curved(student, rng, 50, precision=0.1)
    require(calls <= 4, f"{calls} gradients")


@q2.test("A difference on one side is right to eight digits at best; a central one to ten, with the right h.")
def fewer_than_nine_digits(student, rng):
    curved(student, rng)


@q2.test("The step is h·v: for a long v take a smaller h, for a short one a larger.")
def a_step_that_ignores_the_length_of_v(student, rng):
    curved(student, rng, length=1e7, precision=0.1)
    curved(student, rng, length=1e-7, precision=0.1)


@q2.test("For v = 0 the answer is 0.")
def a_division_by_the_length_of_0(student, rng):
    x, a = rng.normal(size=3), rng.uniform(1, 2)
    code = "[hvp(grad, x, 0 * x), hvp(grad, x, x)]"
    got = student.run(code, grad=lambda x: a * x, x=x)
    require(isinstance(got, list) and len(got) == 2)
    close(got[0], 0 * x)
    close(got[1], a * x, 1e-6)


q3 = Question("q3", "Checkpoints")
q3.case("pull_through(lambda s: s + 1, lambda s, bar: bar * 2.0, lambda s: None, 0, 3, 1.0)", 8.0)


class Machine:
    """A chain of steps whose states stay here: the student holds numbers that stand for them."""

    def __init__(self, rng, n):
        self.key = int(rng.integers(1000, 9000))
        self.jacobians = np.eye(2) + rng.uniform(-0.5, 0.5, (n, 2, 2))
        self.live, self.peak, self.steps, self.pulls, self.n = {self.key: 0}, 0, 0, 0, n

    def position(self, state):
        if int(state) not in self.live:
            raise ValueError("no such state is stored")
        return self.live[int(state)]

    def step(self, state):
        at = self.position(state)
        if at >= self.n:
            raise ValueError("there is no further step")
        self.key += 7
        self.steps += 1
        self.live[self.key] = at + 1
        self.peak = max(self.peak, len(self.live))
        return self.key

    def pull(self, state, bar):
        self.pulls += 1
        return np.asarray(bar, float) @ self.jacobians[self.position(state)]

    def free(self, state):
        del self.live[int(state)]


def chained(student, rng, n):
    machine, bar = Machine(rng, n), rng.uniform(1, 2, 2)
    code = "pull_through(step, pull, free, x, n, bar)"
    values = {"x": machine.key, "n": n, "bar": bar}
    got = student.run(code, step=machine.step, pull=machine.pull, free=machine.free, **values)
    leaf = y = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    for J in torch.tensor(machine.jacobians):
        y = J @ y
    y.backward(torch.tensor(bar))
    close(got, leaf.grad.numpy(), 0, 1e-9 * leaf.grad.norm().item())
    if machine.pulls != n:
        raise Wrong(f"{machine.pulls} pulls for {n} steps")
    return machine


@q3.test("Pull through the last step first, each from the state that entered it.")
def a_wrong_cotangent(student, rng):
    chained(student, rng, 9)


@q3.test(
    "Keep about √n checkpoints, and the √n states of one stretch: never all of them. Free what you no longer need."
)
def more_than_twice_the_root_of_n_states(student, rng):
    for n in 9, 36, 144:
        peak = chained(student, rng, n).peak
        require(peak <= 2 * math.isqrt(n) + 2, f"{peak} states at once")


@q3.test("From a checkpoint, one more run over its stretch is enough: 2n steps in all.")
def every_state_computed_from_the_start(student, rng):
    steps = chained(student, rng, 49).steps
    require(steps <= 98, f"{steps} steps")


@q3.test("The number of steps need not be a square.")
def only_whole_stretches(student, rng):
    for n in 1, 2, 7, 30:
        chained(student, rng, n)
