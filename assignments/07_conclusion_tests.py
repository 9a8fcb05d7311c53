"""Public cases and hidden tests of chapter 7."""

import numpy as np
import torch

from grader import Question, close, require

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
    scored(student, rng, rng.normal(size=(4, 3)) + rng.uniform(800, 1000, (4, 1)), 0)


@q1.test(
    "A probability may round to 0, and its logarithm is then −∞: take the logarithm of the sum, not of the quotient."
)
def the_logarithm_of_0(student, rng):
    z = rng.normal(size=(3, 3))
    z[:, 0] += 2000
    labels = np.array([1, 2, 1])
    code = "cross_entropy(z, labels.astype(int))[0]"
    close(student.run(code, z=z, labels=labels.astype(float)), oracle(z, labels)[0], 1e-9)


@q1.test("The slope is the probabilities less 1 in the place of the label.")
def a_slope_without_the_label(student, rng):
    scored(student, rng, rng.normal(size=(1, 5)), 1)


@q1.test("A batch's loss is a mean, so its slope is divided by the number of rows.")
def a_sum_instead_of_a_mean(student, rng):
    z = rng.normal(size=(6, 3))
    scored(student, rng, z, 0)
    scored(student, rng, z, 1)


q2 = Question("q2", "The gradient of a network")
q2.case(
    "gradients([np.ones((1, 1)), np.zeros(1), np.zeros((1, 2)), np.zeros(2)], np.ones((1, 1)), np.array([0]))[3]",
    [-0.5, 0.5],
)


def network(rng, rows=5, inputs=4, hidden=3, classes=3):
    shapes = (inputs, hidden), (hidden,), (hidden, classes), (classes,)
    theta = [rng.normal(size=shape) for shape in shapes]
    return theta, rng.normal(size=(rows, inputs)), rng.integers(0, classes, rows)


def loss_of(theta, x, labels):
    W1, b1, W2, b2 = theta
    z = torch.tanh(torch.tensor(x) @ W1 + b1) @ W2 + b2
    return torch.nn.functional.cross_entropy(z, torch.tensor(labels))


def true_gradients(theta, x, labels):
    leaves = [torch.tensor(p, requires_grad=True) for p in theta]
    return torch.autograd.grad(loss_of(leaves, x, labels), leaves)


def gradient_of(student, rng, which, **sizes):
    theta, x, labels = network(rng, **sizes)
    code = f"[gradients(theta, x, labels.astype(int))[k] for k in {which}]"
    got = student.run(code, theta=theta, x=x, labels=labels.astype(float))
    wanted = true_gradients(theta, x, labels)
    require(isinstance(got, list) and len(got) == len(which))
    for one, k in zip(got, which, strict=True):
        close(one, wanted[k].numpy(), 1e-9)


@q2.test("The last layer's weights meet the hidden values, after tanh.")
def the_last_layer_without_tanh(student, rng):
    gradient_of(student, rng, [2])


@q2.test("A row of biases was copied to every row of the batch: its parts are summed.")
def biases_that_are_not_summed(student, rng):
    gradient_of(student, rng, [1, 3])


@q2.test("On its way to the first layer the cotangent passes tanh: times 1 − h².")
def no_slope_of_tanh(student, rng):
    gradient_of(student, rng, [0, 1])


@q2.test("A layer's cotangent comes through the transposed weights; all sizes may differ.")
def square_weights_only(student, rng):
    gradient_of(student, rng, [0, 1, 2, 3], rows=7, inputs=2, hidden=5, classes=4)


q3 = Question("q3", "Training")
q3.case(
    "train([np.ones((1, 1)), np.zeros(1), np.zeros((1, 2)), np.zeros(2)], np.ones((1, 1)), np.array([0]), 1, 0.2)[3]",
    [0.1, -0.1],
)


def trained(student, rng, steps, eta):
    theta, x, labels = network(rng)
    code = "train(theta, x, labels.astype(int), steps, eta)"
    got = student.run(code, theta=theta, x=x, labels=labels.astype(float), steps=steps, eta=eta)
    leaves = [torch.tensor(p, requires_grad=True) for p in theta]
    optimizer = torch.optim.SGD(leaves, lr=eta)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(leaves, x, labels).backward()
        optimizer.step()
    require(isinstance(got, list) and len(got) == 4, "not four arrays")
    for one, leaf in zip(got, leaves, strict=True):
        close(one, leaf.detach().numpy(), 1e-8)


@q3.test("Downhill: against the gradient.")
def a_walk_uphill(student, rng):
    trained(student, rng, 1, rng.uniform(0.1, 0.2))


@q3.test("Each step begins with a gradient of its own, at the new parameters.")
def the_gradient_of_the_start_for_all_steps(student, rng):
    trained(student, rng, 10, rng.uniform(0.1, 0.2))


@q3.test("All four gradients are of the same point: compute them before the first parameter moves.")
def parameters_updated_one_by_one(student, rng):
    trained(student, rng, 3, rng.uniform(0.5, 1))


@q3.test("The arrays that you are given belong to the caller: leave them as they are.")
def parameters_changed_in_place(student, rng):
    theta, x, labels = network(rng)
    code = "before = [p.copy() for p in theta]\nafter = train(theta, x, labels.astype(int), 2, 0.1)\n[theta, after]"
    got = student.run(code, theta=theta, x=x, labels=labels.astype(float))
    for one, p, new in zip(got[0], theta, got[1], strict=True):
        close(one, p, 0, 0)
        require(np.abs(np.asarray(new) - p).max() > 0, "nothing was learned")
