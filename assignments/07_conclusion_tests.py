"""Public cases and hidden tests of chapter 7."""

from itertools import pairwise

import numpy as np
import torch

from grader import Question, close, require, several

q1 = Question("q1", "Cross-entropy that does not overflow")
q1.case("cross_entropy(np.zeros((1, 2)), np.array([0]))[0]", 0.6931471805599453)


def oracle(z, labels):
    leaf = torch.tensor(z, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(leaf, torch.tensor(labels))
    loss.backward()
    return loss.item(), leaf.grad.numpy()


def scored(student, rng, z, part):
    labels = rng.integers(0, z.shape[1], len(z))
    code = f"cross_entropy(z, labels.astype(int))[{part}]"
    close(student.run(code, z=z, labels=labels.astype(float)), oracle(z, labels)[part], 1e-9, 1e-14)


@q1.test("exp(1000) is more than a float can hold: subtract each row's largest score first.")
def an_exponential_that_overflows(student, rng):
    scored(student, rng, rng.normal(size=(1, 3)) + rng.uniform(800, 1000), 0)


@q1.test("A probability may round to 0, and its logarithm is −∞: take the logarithm of the sum, not of the quotient.")
def the_logarithm_of_0(student, rng):
    z = rng.normal(size=(1, 3))
    z[:, 0] += 2000
    labels = rng.integers(1, 3, 1)
    code = "cross_entropy(z, labels.astype(int))[0]"
    close(student.run(code, z=z, labels=labels.astype(float)), oracle(z, labels)[0], 1e-9)


@q1.test("Its gradient has exponentials, too: they must not overflow, either.")
def a_slope_that_overflows(student, rng):
    scored(student, rng, rng.normal(size=(1, 3)) + rng.uniform(800, 1000), 1)


@q1.test("The slope is the probabilities less 1 in the place of the label.")
def a_slope_without_the_label(student, rng):
    scored(student, rng, rng.normal(size=(1, 5)), 1)


@q1.test("A batch's loss is a mean, so its slope is divided by the number of rows.")
def a_sum_instead_of_a_mean(student, rng):
    z = rng.normal(size=(6, 3))
    scored(student, rng, z, 0)
    scored(student, rng, z, 1)


q2 = Question("q2", "An engine for arrays")
q2.case("swept([1.0, 2.0])", [5.0, 6.0])


def by_torch(program, **arrays):
    """A program that is written for the student's class, as a function of PyTorch's tensors."""
    tensors = {name: torch.tensor(array, dtype=torch.float64) for name, array in arrays.items()}
    return eval(f"lambda {program}", {"Tensor": lambda x: x, **tensors})


def swept(student, rng, program, *shapes):
    """The derivatives of the sum of program's result, weighted at random."""
    arrays = [rng.uniform(0.5, 1.5, shape) for shape in shapes]
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    y = by_torch(program)(*leaves)
    weights = rng.normal(size=tuple(y.shape))
    wanted = torch.autograd.grad((y * torch.tensor(weights)).sum(), leaves)
    code = f"""leaves = [Tensor(array) for array in arrays]
y = (lambda {program})(*leaves) * Tensor(weights)
backward(y.sum())
[leaf.grad for leaf in leaves]"""
    got = student.run(code, arrays=arrays, weights=weights)
    require(isinstance(got, list) and len(got) == len(arrays))
    for one, other in zip(got, wanted, strict=True):
        close(one, other.numpy(), 1e-9)


@q2.test("A row of biases was copied to every row of the batch: its parts are summed. A column, too.")
def biases_that_are_not_summed(student, rng):
    swept(student, rng, "a, b: a + b", (4, 3), (3,))
    swept(student, rng, "a, b: a + b", (4, 1), (4, 3))


@q2.test("Of A @ B, A receives t @ B.T, and B receives A.T @ t.")
def a_matrix_that_is_not_transposed(student, rng):
    swept(student, rng, "a, b: a @ b", (2, 3), (3, 4))
    swept(student, rng, "a, b: a @ b", (3, 3), (3, 3))


@q2.test("tanh has the slope 1 − y².")
def no_slope_of_tanh(student, rng):
    swept(student, rng, "x: x.tanh()", (3, 2))


@q2.test("A sum's slope is the same for each of its entries: the cotangent has the shape of what was added up.")
def a_sum_that_is_not_spread(student, rng):
    x = rng.normal(size=(2, 3))
    leaf = torch.tensor(x, requires_grad=True)
    leaf.sum().backward()
    close(student.run("leaf = Tensor(x)\nbackward(leaf.sum())\nleaf.grad", x=x), leaf.grad.numpy())


@q2.test("What is subtracted has the slope −1.")
def a_sign_that_is_lost(student, rng):
    swept(student, rng, "a, b: a - b", (3, 2), (3, 2))


@q2.test("A tensor that is used twice gets a part from each use: add them.")
def the_last_part_alone(student, rng):
    swept(student, rng, "x, y: x + y + x", (2, 3), (2, 3))


@q2.test("A tensor may pass on what it has only when all its uses have given their part: the newest first.")
def a_tensor_before_its_uses(student, rng):
    swept(student, rng, "x, c: (lambda u: u + (u + c) + ((u + c) + u))(x + c)", (2, 2), (2, 2))


q3 = Question("q3", "Training with it")
q3.case("train(lambda p: (p * Tensor(np.array([2.0, 4.0]))).sum(), [np.array([1.0, 1.0])], 1, 0.25)", [[0.5, 0.0]])


def trained(student, program, theta, steps, eta, **arrays):
    """The arrays after some steps, the student's and PyTorch's."""
    leaves = [torch.tensor(p, requires_grad=True) for p in theta]
    loss, optimizer = by_torch(program, **arrays), torch.optim.SGD(leaves, lr=eta)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(*leaves).backward()
        optimizer.step()
    wrap = "".join(f"{name} = Tensor({name})\n" for name in arrays)
    code = f"{wrap}train(lambda {program}, theta, steps, eta)"
    got = several(student.run(code, theta=theta, steps=steps, eta=eta, **arrays), len(theta))
    for one, leaf in zip(got, leaves, strict=True):
        close(one, leaf.detach().numpy(), 1e-8)


@q3.test("Downhill: against the gradient.")
def a_walk_uphill(student, rng):
    p, c = rng.uniform(1, 2, (2, 3))
    trained(student, "p: (p * c).sum()", [p], 1, 0.1, c=c)


@q3.test("Each step needs the gradient where it begins.")
def the_gradient_of_the_start_for_all_steps(student, rng):
    trained(student, "p: (p * p).sum()", [rng.uniform(1, 2, 3)], 4, 0.1)


@q3.test("Gradients add up in grad: begin each step with leaves that have none.")
def gradients_that_pile_up(student, rng):
    p, c = rng.uniform(1, 2, (2, 3))
    trained(student, "p: (p * c).sum()", [p], 3, 0.1, c=c)


@q3.test("All parameters move at once, each by the gradient at the same place.")
def parameters_updated_one_by_one(student, rng):
    a, b = rng.uniform(1, 2, (2, 3))
    trained(student, "a, b: (a * b).sum()", [a, b], 1, 0.1)


@q3.test("The arrays that you are given belong to the caller: leave them as they are.")
def parameters_changed_in_place(student, rng):
    p = rng.uniform(1, 2, 3)
    after, before = student.run("[train(lambda p: (p * p).sum(), theta, 2, 0.1), theta]", theta=[p])
    close(before[0], p, 0, 0)
    after = np.asarray(after[0], float)
    require(after.shape == p.shape and np.abs(after - p).max() > 0, "nothing was learned")


@q3.test("One run of the loss and one sweep back for each step, however many parameters there are.")
def a_run_for_each_parameter(student, rng):
    theta, (a, b) = rng.uniform(1, 2, (1, 20)), rng.uniform(1, 2, 2)
    runs = []

    def slope(p):
        runs.append(1)
        leaf = torch.tensor(p, dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad((a * leaf**3 + b * leaf).sum(), leaf)[0].numpy()

    code = "train(lambda p: (p * Tensor(slope(p.value))).sum(), theta, 1, 0.01)"
    got = several(student.run(code, theta=list(theta), slope=slope), 1)
    require(len(runs) in (1, 2), f"{len(runs)} runs for one step")
    close(got[0], theta[0] - 0.01 * slope(theta[0]))


@q3.test("The loss is a program like any other: differentiate what it does. Networks may have any depth.")
def the_gradient_of_one_network_for_all(student, rng):
    for depth in 1, 2, 3:
        sizes = rng.choice(np.arange(2, 7), depth + 1, replace=False)
        shapes = [shape for m, n in pairwise(sizes) for shape in ((m, n), (n,))]
        scores = "x"
        for k in range(depth):
            scores = f"({scores} @ W{k} + b{k})" + ".tanh()" * (k < depth - 1)
        names = ", ".join(f"W{k}, b{k}" for k in range(depth))
        program = f"{names}: (lambda miss: (miss * miss * share).sum())({scores} - y)"
        x, y = rng.normal(size=(5, sizes[0])), rng.normal(size=(5, sizes[-1]))
        theta = [rng.normal(size=shape) / 2 for shape in shapes]
        trained(student, program, theta, 5, 0.1, x=x, y=y, share=np.full((1, 1), 0.2))
