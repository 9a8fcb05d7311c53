"""The work that is timed. Every function stands here once and runs on every engine.

A workload is a class: `kind` names the engine's method that does it (see engines.py),
`arguments()` gives what that method takes after the function, `f` is the function, and
`by_hand()` makes the same in NumPy: the least that is needed for the results.

    short    its name in the table
    target   the ratio of its time to PyTorch eager's that chainrule is held to
    without  the engines that cannot do it in reasonable time, and why
"""

import math

import numpy as np


class Scalar:
    """log(x²) sin x + 1/x, one number"""

    short = "log(x²) sin x + 1/x"
    kind, target = "gradient", 0.12
    without = {"micrograd": "no log or sin"}

    def arguments():
        return ([np.array(2.0)],)

    def f(lib, x):
        return lib.log(x * x) * lib.sin(x) + 1 / x

    def by_hand():
        def run():
            x = 2.0
            u, s = math.log(x * x), math.sin(x)
            return u * s + 1 / x, 2 / x * s + u * math.cos(x) - 1 / (x * x)

        return run


class ControlFlow:
    """The loop with a branch, 17 steps"""

    short = "loop with a branch"
    kind, target = "gradient", 0.13
    without = {
        "micrograd": "no norm",
        "JAX jit": "no reverse mode through a while loop",
        "tinygrad": "a tensor has no truth value",
    }

    def arguments():
        return ([np.array(0.005)],)

    def f(lib, a):
        b = 2 * a
        while lib.norm(b) < 1000:
            b = 2 * b
        return b if lib.sum(b) > 0 else 100 * b

    def by_hand():
        def run():
            b, slope = 2 * 0.005, 2.0
            while abs(b) < 1000:
                b, slope = 2 * b, 2 * slope
            return (b, slope) if b > 0 else (100 * b, 100 * slope)

        return run


LONG = 10_000
UNROLLED = dict.fromkeys(
    ("cr.compile", "JAX jit", "torch.compile", "tinygrad"), "would have to compile many thousand operations"
)


class Chain:
    """A chain of 10 000 products"""

    short = "10 000 products"
    kind, target = "gradient", 0.15
    without = UNROLLED

    def arguments():
        return ([np.array(1.5)],)

    def f(lib, x):
        y = x
        for _ in range(LONG):
            y = y * 1.0001
        return y

    def by_hand():
        def run():
            y = 1.5
            for _ in range(LONG):
                y = y * 1.0001
            t = 1.0
            for _ in range(LONG):
                t = t * 1.0001
            return y, t

        return run


class Uses:
    """10 000 uses of one variable"""

    short = "10 000 uses"
    kind, target = "gradient", None
    without = UNROLLED

    def arguments():
        return ([np.array(1.0001)],)

    def f(lib, x):
        y = x
        for _ in range(LONG):
            y = y * x
        return y

    def by_hand():
        def run():
            y = x = 1.0001
            kept = []
            for _ in range(LONG):
                kept.append(y)
                y = y * x
            t, x_bar = 1.0, 0.0
            for a in reversed(kept):
                x_bar += t * a
                t = t * x
            return y, x_bar + t

        return run


class Step:
    """A training step of an MLP 784-128-10, batch of 64, float32"""

    short = "MLP step"
    kind, target = "train", 0.72
    without = {"micrograd": "numbers only"}
    tolerance = 1e-4
    rate = 0.001

    def data():
        """Images and labels, the same for every step."""
        random = np.random.default_rng(0)
        x = random.standard_normal((64, 784)).astype(np.float32)
        return x, np.arange(64), random.integers(0, 10, 64)

    def arguments():
        random = np.random.default_rng(1)
        w1 = (random.standard_normal((784, 128)) / 28).astype(np.float32)
        w2 = (random.standard_normal((128, 10)) / 11).astype(np.float32)
        return [w1, np.zeros(128, np.float32), w2, np.zeros(10, np.float32)], Step.rate

    def f(lib, x, rows, labels, w1, b1, w2, b2):
        h = lib.relu(x @ w1 + b1)
        log_p = lib.log_softmax(h @ w2 + b2, 1)
        return -log_p[rows, labels].mean()

    def by_hand():
        x, rows, labels = Step.data()
        (w1, b1, w2, b2), rate = Step.arguments()

        def run():
            h = np.maximum(x @ w1 + b1, 0)
            z = h @ w2 + b2
            z -= z.max(1, keepdims=True)
            e = np.exp(z)
            total = e.sum(1, keepdims=True)
            loss = (np.log(total[:, 0]) - z[rows, labels]).mean()
            e /= total
            e[rows, labels] -= 1
            e /= len(x)
            t = e @ w2.T
            t *= h > 0
            for p, p_bar in (w1, x.T @ t), (b1, t.sum(0)), (w2, h.T @ e), (b2, e.sum(0)):
                p_bar *= rate
                p -= p_bar
            return loss, w1, b1, w2, b2

        return run


class Million:
    """The sum of x sin x + exp(-x²) over 10⁶ numbers, float32"""

    short = "10⁶ numbers"
    kind, target = "gradient", 0.75
    without = {"micrograd": "numbers only"}
    tolerance = 1e-4

    def arguments():
        return ([np.random.default_rng(2).standard_normal(1_000_000).astype(np.float32)],)

    def f(lib, x):
        return lib.sum(x * lib.sin(x) + lib.exp(-x * x))

    def by_hand():
        ((x,),) = Million.arguments()

        def run():
            s, e = np.sin(x), np.exp(-x * x)
            return (x * s + e).sum(), s + x * (np.cos(x) - 2 * e)

        return run


class Moons:
    """The same, 100 samples"""

    short = "moons, 100 samples"
    kind, target = "gradient", 0.25
    samples = 100
    sizes = (2, 16, 16, 1)
    without = {**UNROLLED, "JAX eager": "takes minutes"}

    @classmethod
    def points(cls):
        """Two half moons, and to which of them each point belongs."""
        angle = np.linspace(0, np.pi, cls.samples)
        sign = np.where(np.arange(cls.samples) % 2, -1.0, 1.0)
        return np.stack([sign * np.cos(angle) + (sign < 0), sign * np.sin(angle) + 0.5 * (sign < 0)], 1), sign

    @classmethod
    def arguments(cls):
        random = np.random.default_rng(3)
        count = sum((n + 1) * m for n, m in zip(cls.sizes, cls.sizes[1:], strict=False))
        return ([np.array(p) for p in random.uniform(-1, 1, count)],)

    @classmethod
    def f(cls, lib, *params):
        points, signs = cls.points()
        losses = []
        for point, sign in zip(points.tolist(), signs.tolist(), strict=True):
            rest, layer = iter(params), point
            for m in cls.sizes[1:]:
                sums = [neuron(layer, rest) for _ in range(m)]
                layer = [lib.relu(s) for s in sums] if m > 1 else sums
            losses.append(lib.relu(1 + -sign * layer[0]))
        return total(losses) * (1 / len(losses)) + 1e-4 * total([p * p for p in params])

    @classmethod
    def by_hand(cls):
        points, signs = cls.points()
        (params,) = cls.arguments()
        params = np.array(params)
        layers, start = [], 0
        for n, m in zip(cls.sizes, cls.sizes[1:], strict=False):
            layers.append(slice(start, start + (n + 1) * m))
            start += (n + 1) * m

        def run():
            hs = [points]
            for part, n, m in zip(layers, cls.sizes, cls.sizes[1:], strict=False):
                w = params[part].reshape(m, n + 1)
                s = hs[-1] @ w[:, 1:].T + w[:, 0]
                hs.append(np.maximum(s, 0) if m > 1 else s)
            margin = 1 - signs * hs[-1][:, 0]
            loss = np.maximum(margin, 0).mean() + 1e-4 * (params * params).sum()
            gradient = 2e-4 * params
            t = np.where(margin > 0, -signs / len(signs), 0)[:, None]
            for part, h, n, m in reversed(list(zip(layers, hs, cls.sizes, cls.sizes[1:], strict=False))):
                w = params[part].reshape(m, n + 1)
                gradient[part] += np.concatenate([t.sum(0)[:, None], t.T @ h], 1).ravel()
                t = t @ w[:, 1:] * (h > 0)
            return loss, *gradient

        return run


def neuron(inputs, params):
    """The bias, and a weight times each input."""
    s = next(params)
    for x in inputs:
        s = s + next(params) * x
    return s


def total(numbers):
    s = numbers[0]
    for x in numbers[1:]:
        s = s + x
    return s


class FewMoons(Moons):
    """micrograd's MLP 2-16-16-1 with hinge loss, number by number, 10 samples"""

    short = "moons, 10 samples"
    target, samples = 0.30, 10
    without = UNROLLED


class Hvp:
    """The Hessian of a 20-32-1 MLP's loss times a vector, with the engine's own function"""

    short = "Hessian times vector"
    kind, target = "hvp", 0.40
    without = {}

    def data():
        random = np.random.default_rng(4)
        return random.standard_normal((16, 20)), random.standard_normal((16, 1))

    def arguments():
        random = np.random.default_rng(5)
        shapes = (20, 32), (32,), (32, 1), (1,)
        return [random.standard_normal(s) / 5 for s in shapes], [random.standard_normal(s) for s in shapes]

    def f(lib, x, y, w1, b1, w2, b2):
        return lib.sum(lib.square(lib.tanh(x @ w1 + b1) @ w2 + b2 - y))

    def by_hand():
        x, y = Hvp.data()
        (w1, b1, w2, b2), (v1, c1, v2, c2) = Hvp.arguments()

        def run():
            h = np.tanh(x @ w1 + b1)
            slope = 1 - h * h
            h_dot = slope * (x @ v1 + c1)
            r = 2 * (h @ w2 + b2 - y)
            r_dot = 2 * (h_dot @ w2 + h @ v2 + c2)
            s_dot = (r_dot @ w2.T + r @ v2.T) * slope - 2 * (r @ w2.T) * h * h_dot
            return x.T @ s_dot, s_dot.sum(0), h_dot.T @ r + h.T @ r_dot, r_dot.sum(0)

        return run


class Twice(Hvp):
    """The same by two backward passes"""

    short = "the same, reverse twice"
    kind, target = "twice", None


class JacobianForward:
    """The 64 × 64 Jacobian of tanh(W x), forward mode"""

    short = "Jacobian, forward"
    kind, target = "forward", 0.15
    without = {}

    def data():
        return (np.random.default_rng(6).standard_normal((64, 64)) / 8,)

    def arguments():
        return (np.random.default_rng(7).standard_normal(64),)

    def f(lib, w, x):
        return lib.tanh(w @ x)

    def by_hand():
        (w,), (x,) = JacobianForward.data(), JacobianForward.arguments()

        def run():
            y = np.tanh(w @ x)
            return [(1 - y * y)[:, None] * w]

        return run


class JacobianReverse(JacobianForward):
    """The same, reverse mode"""

    short = "Jacobian, reverse"
    kind, target = "reverse", None


class Growth:
    """Value and gradient of a chain of n products: the time for one of them."""

    lengths = (1_000, 10_000, 100_000, 1_000_000)
    engines = ("PyTorch", "chainrule")

    def f(n):
        def f(lib, x):
            y = x
            for _ in range(n):
                y = y * 1.00001
            return y

        return f


WORKLOADS = (
    Scalar, ControlFlow, Chain, Uses, Step, Million, FewMoons, Moons, Hvp, Twice, JacobianForward, JacobianReverse,
)  # fmt: skip
