"""Public cases and hidden tests of chapter 4."""

import torch

from grader import Question, close, require

q1 = Question("q1", "The cut")
q1.case("gradient(lambda x: x * detach(x), 3.0)", 3.0)


def leaf_of(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def cut(student, rng, code, program):
    x, c = rng.uniform(1, 2, 2)
    leaf = leaf_of(x)
    y = program(leaf, c)
    y.backward()
    got = student.run(f"program = lambda x: {code}\n[program(Node(x)).value, gradient(program, x)]", x=x, c=c)
    close(got, [y.item(), leaf.grad.item()])


@q1.test("Nothing flows back through the cut, however deep it lies.")
def a_copy_that_still_has_parents(student, rng):
    cut(student, rng, "x * x * detach(c * x * x)", lambda x, c: x * x * (c * x * x).detach())


@q1.test("The value goes on as it was: only the way back is cut.")
def a_value_that_is_lost(student, rng):
    cut(student, rng, "x + c * detach(x * x)", lambda x, c: x + c * (x * x).detach())


@q1.test("The node itself stays in the graph: other uses of it still get their part.")
def the_original_cut_off(student, rng):
    code = "(lambda u: detach(u) * u)(c * x * x)"
    cut(student, rng, code, lambda x, c: (c * x * x).detach() * (c * x * x))


@q1.test("Return a node, not its number: a node has a value, and takes part in operations.")
def a_number_in_the_place_of_a_node(student, rng):
    x, c = rng.uniform(1, 2, 2)
    code = "u = detach(Node(x))\n[u.value, (u * Node(c)).value, gradient(lambda c: u * c, c)]"
    close(student.run(code, x=x, c=c), [x, x * c, x])


@q1.test("Times 0 is no cut: what hangs on the node stays in memory, and each sweep visits it.")
def a_past_that_is_still_held(student, rng):
    x, c = rng.uniform(1, 2, 20_000), rng.uniform(1, 1.001)
    code = """u = Node(x)
for _ in range(1000):  # 160 MB, if the past is held
    u = detach(u * c)
u.value[:3]"""
    close(student.run(code, x=x, c=c), x[:3] * c**1000)


q2 = Question("q2", "Straight through")
q2.case("gradient(lambda x: 5.0 * rounded(x), 1.2)", 5.0)
q2.case("rounded(Node(1.2)).value", 1.0)


def through(student, rng, low=1.1):
    x, c = rng.uniform(low, low + 0.35), rng.uniform(1, 2)
    leaf = leaf_of(c * x)
    y = leaf + (torch.round(leaf) - leaf).detach()
    (y * y).backward()
    got = student.run("y = lambda x: rounded(c * x)\n[y(Node(x)).value, gradient(lambda x: y(x) * y(x), x)]", x=x, c=c)
    return got, [y.item(), c * leaf.grad.item()]


@q2.test("The value that goes on is the rounded one.")
def a_value_that_is_not_rounded(student, rng):
    (value, _), (wanted, _) = through(student, rng)
    close(value, wanted)


@q2.test("Rounding has slope 0; the estimator passes the cotangent on as if it had slope 1.")
def the_true_slope_of_rounding(student, rng):
    (_, slope), (_, wanted) = through(student, rng)
    require(abs(slope) > 0.1, "nothing comes through")
    close(slope, wanted)


@q2.test("Below zero it is rounded to the nearest, too.")
def cutting_off_digits_instead_of_rounding(student, rng):
    for low in -2.9, -1.9, 2.6:
        close(*through(student, rng, low))


q3 = Question("q3", "Truncated backpropagation through time")
q3.case("truncated_slope(2.0, np.array([0.1]), 1)", 0.0)


def truncated(student, rng, n, k):
    w, xs = rng.uniform(0.8, 1.2), rng.uniform(-0.5, 0.5, n)
    leaf, h = leaf_of(w), torch.zeros((), dtype=torch.float64)
    for t in range(n):
        if t == n - k:
            h = h.detach()
        h = torch.tanh(leaf * h + xs[t])
    (slope,) = torch.autograd.grad(h, leaf)
    close(student.run("truncated_slope(w, xs, k)", w=w, xs=xs, k=k), slope.item())


@q3.test("A state before the last k steps counts as a constant.")
def all_steps(student, rng):
    for k in 2, 3, 4:
        truncated(student, rng, 12, k)


@q3.test("Exactly k steps pass their slope on; the state that enters the first of them is the constant.")
def one_step_too_many_or_too_few(student, rng):
    for k in 2, 4:
        truncated(student, rng, 8, k)


@q3.test("One cut, before the last k steps. Not one after every k inputs.")
def a_cut_after_every_k_inputs(student, rng):
    truncated(student, rng, 7, 3)
    truncated(student, rng, 9, 5)


@q3.test("The state keeps its value at the cut. Only its slope is dropped.")
def a_state_that_begins_again(student, rng):
    for k in 2, 5:
        truncated(student, rng, 20, k)


@q3.test("With k as large as the number of steps nothing is cut.")
def too_few_inputs_for_k(student, rng):
    truncated(student, rng, 4, 4)
    truncated(student, rng, 4, 9)


q4 = Question("q4", "Two players, one sweep")
q4.case("slope_for_the_generator(3.0)", -5.0)


def players(student, rng):
    """The sum, the generator's slope and the critic's: the student's, and PyTorch's."""
    values = dict(zip("tabcdew", rng.uniform(1, 2, 7), strict=True))
    programs = """
generate = lambda t: a * t * t + b
critic_loss = lambda w, s: c * w * s * s + w * w
generator_loss = lambda w, s: d * w * s + e * s
"""
    code = """
cut = lambda node: Node(node.value)
losses = lambda t, w: joint_loss(generate, critic_loss, generator_loss, t, w, cut)
value = losses(Node(t), Node(w)).value
[value, gradient(lambda t: losses(t, Node(w)), t), gradient(lambda w: losses(Node(t), w), w)]"""
    space = dict(values)
    exec(programs, space)
    t, w = leaf_of(values["t"]), leaf_of(values["w"])
    sample = space["generate"](t)
    for_the_critic, for_the_generator = space["critic_loss"](w, sample), space["generator_loss"](w, sample)
    both = for_the_critic + for_the_generator
    (own_t,) = torch.autograd.grad(for_the_generator, t, retain_graph=True)
    (own_w,) = torch.autograd.grad(for_the_critic, w, retain_graph=True)
    got = student.run(programs + code, **values)
    require(isinstance(got, list) and len(got) == 3)
    return got, [both.item(), own_t.item(), own_w.item()]


@q4.test("The generator must not please the critic: the critic takes the sample as given.")
def a_generator_that_pleases_the_critic(student, rng):
    got, wanted = players(student, rng)
    close(got[1], wanted[1])


@q4.test("The critic must not please the generator: the generator takes w as given.")
def a_critic_that_pleases_the_generator(student, rng):
    got, wanted = players(student, rng)
    close(got[2], wanted[2])


@q4.test("Each player hears its own loss. Cut the other's part only.")
def a_player_that_hears_nothing(student, rng):
    got, _ = players(student, rng)
    require(min(abs(got[1]), abs(got[2])) > 1e-3, f"slopes {got[1:]}")


@q4.test("A cut changes no value: the result is the sum of the losses.")
def one_loss_alone(student, rng):
    got, wanted = players(student, rng)
    close(got[0], wanted[0])
