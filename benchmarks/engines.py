"""How each engine takes a derivative, in its own words.

An engine turns a function that is written once, `f(lib, *params)`, into a `run()` that does
the work once and returns its results. `lib` has the engine's sin, exp, relu ... An engine
that has no way to do a kind of work has no method for it.

    gradient(f, params)      the value of f and its gradient by each of the params
    train(f, params, rate)   one step of gradient descent: the loss, and the params after it
    hvp(f, params, vs)       the Hessian of f times a vector, by the engine's own function for it
    twice(f, params, vs)     the same by two backward passes
    forward(f, x)            the Jacobian of f at x in forward mode
    reverse(f, x)            the Jacobian of f at x in reverse mode
    array(x)                 NumPy's array as the engine's, for data
    plain(x)                 the other way round
"""

from types import SimpleNamespace

import numpy as np


class Engine:
    """What most engines share: data may stay NumPy's."""

    def array(self, x):
        return x

    def plain(self, x):
        return np.asarray(x)

    def ready(self, f):
        """`f` with its library filled in."""
        return lambda *xs: f(self.lib, *xs)


class Torch(Engine):
    """PyTorch as everybody writes it: leaves, backward(), grad."""

    name = "PyTorch"

    def __init__(self):
        import torch

        torch.set_num_threads(1)
        self.lib = torch

    def leaf(self, p):
        return self.lib.tensor(p, requires_grad=True)

    def array(self, x):
        return self.lib.tensor(x)

    def gradient(self, f, params):
        f, leaves = self.ready(f), [self.leaf(p) for p in params]

        def run():
            for p in leaves:
                p.grad = None
            y = f(*leaves)
            y.backward()
            return y, *[p.grad for p in leaves]

        return run

    def train(self, f, params, rate):
        f, leaves = self.ready(f), [self.leaf(p) for p in params]

        def run():
            loss = f(*leaves)
            loss.backward()
            with self.lib.no_grad():
                for p in leaves:
                    p -= rate * p.grad
                    p.grad = None
            return loss, *leaves

        return run

    def hvp(self, f, params, vs):
        f, params, vs = self.ready(f), tuple(map(self.lib.tensor, params)), tuple(map(self.lib.tensor, vs))
        return lambda: self.lib.autograd.functional.hvp(f, params, vs)[1]

    def twice(self, f, params, vs):
        f, params, vs = self.ready(f), [self.leaf(p) for p in params], [self.lib.tensor(v) for v in vs]
        grad = self.lib.autograd.grad
        return lambda: grad(grad(f(*params), params, create_graph=True), params, vs)

    def forward(self, f, x):
        x, jacobian = self.lib.tensor(x), self.lib.func.jacfwd(self.ready(f))
        return lambda: [jacobian(x)]

    def reverse(self, f, x):
        x, jacobian = self.lib.tensor(x), self.lib.func.jacrev(self.ready(f))
        return lambda: [jacobian(x)]

    def plain(self, x):
        return x.detach().numpy()


class Chainrule(Torch):
    """chainrule has PyTorch's names, so the same code runs."""

    name = "chainrule"

    def __init__(self):
        import chainrule

        self.lib = chainrule

    def hvp(self, f, params, vs):
        gradient = self.lib.grad(self.ready(f), tuple(range(len(params))))
        params, vs = tuple(map(self.lib.tensor, params)), tuple(map(self.lib.tensor, vs))
        return lambda: self.lib.jvp(gradient, params, vs)[1]

    def forward(self, f, x, mode="forward"):
        f, x = self.ready(f), self.lib.tensor(x)
        return lambda: [self.lib.jacobian(f, x, mode)]

    def reverse(self, f, x):
        return self.forward(f, x, "reverse")


class ChainruleCompiled(Chainrule):
    """`cr.compile`: the derivative recorded once and replayed as NumPy."""

    name = "cr.compile"

    def value_and_grad(self, f, params):
        return self.lib.value_and_grad(self.ready(f), tuple(range(len(params))))

    def gradient(self, f, params):
        run, params = self.lib.compile(self.value_and_grad(f, params)), [self.lib.tensor(p) for p in params]

        def replay():
            y, gradients = run(*params)
            return y, *gradients

        return replay

    def train(self, f, params, rate):
        both = self.value_and_grad(f, params)

        @self.lib.compile
        def step(*params):
            loss, gradients = both(*params)
            return loss, *[p - rate * g for p, g in zip(params, gradients, strict=True)]

        return stepping(step, [self.lib.tensor(p) for p in params])

    def hvp(self, f, params, vs):
        gradient = self.lib.grad(self.ready(f), tuple(range(len(params))))
        params, vs = tuple(map(self.lib.tensor, params)), tuple(map(self.lib.tensor, vs))
        run = self.lib.compile(lambda params, vs: self.lib.jvp(gradient, params, vs)[1])
        return lambda: run(params, vs)

    twice = None

    def forward(self, f, x, mode="forward"):
        f, x = self.ready(f), self.lib.tensor(x)
        run = self.lib.compile(lambda x: self.lib.jacobian(f, x, mode))
        return lambda: [run(x)]


class TorchCompiled(Torch):
    """`torch.compile` around the function; `backward()` then runs compiled as well."""

    name = "torch.compile"

    def ready(self, f):
        lib = self.lib
        return lib.compile(lambda *xs: f(lib, *xs))

    hvp = twice = forward = reverse = None


class Jax(Engine):
    """JAX, operation by operation."""

    name = "JAX eager"

    def __init__(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        self.jax, self.np = jax, jax.numpy
        self.lib = SimpleNamespace(
            log=self.np.log, exp=self.np.exp, sin=self.np.sin, tanh=self.np.tanh, sum=self.np.sum,
            square=self.np.square, norm=self.np.linalg.norm, relu=jax.nn.relu, log_softmax=jax.nn.log_softmax,
        )  # fmt: skip

    def array(self, x):
        return self.np.asarray(x)

    def finished(self, f):
        """`f`, and a wait for its results."""
        return lambda *xs: self.jax.block_until_ready(f(*xs))

    def both(self, f, params):
        return self.jax.value_and_grad(self.ready(f), tuple(range(len(params))))

    def gradient(self, f, params):
        run, params = self.finished(self.both(f, params)), [self.np.asarray(p) for p in params]

        def work():
            y, gradients = run(*params)
            return y, *gradients

        return work

    def train(self, f, params, rate):
        both = self.both(f, params)

        def step(*params):
            loss, gradients = both(*params)
            return loss, *[p - rate * g for p, g in zip(params, gradients, strict=True)]

        return stepping(self.finished(step), [self.np.asarray(p) for p in params])

    def hvp(self, f, params, vs):
        gradient = self.jax.grad(self.ready(f), tuple(range(len(params))))
        run = self.finished(lambda params, vs: self.jax.jvp(gradient, params, vs)[1])
        params, vs = tuple(map(self.np.asarray, params)), tuple(map(self.np.asarray, vs))
        return lambda: run(params, vs)

    def forward(self, f, x):
        run, x = self.finished(self.jax.jacfwd(self.ready(f))), self.np.asarray(x)
        return lambda: [run(x)]

    def reverse(self, f, x):
        run, x = self.finished(self.jax.jacrev(self.ready(f))), self.np.asarray(x)
        return lambda: [run(x)]


class JaxCompiled(Jax):
    """The same, with all of the work under one `jax.jit`."""

    name = "JAX jit"

    def finished(self, f):
        return super().finished(self.jax.jit(f))


class Autograd(Engine):
    """HIPS autograd."""

    name = "autograd"

    def __init__(self):
        import autograd
        import autograd.numpy as anp

        self.autograd = autograd
        self.lib = SimpleNamespace(
            log=anp.log, exp=anp.exp, sin=anp.sin, tanh=anp.tanh, sum=anp.sum, square=anp.square, norm=anp.linalg.norm,
            relu=lambda x: anp.maximum(x, 0),
            log_softmax=lambda x, dim: x - anp.log(anp.sum(anp.exp(x), axis=dim, keepdims=True)),
        )  # fmt: skip

    def both(self, f, params):
        return self.autograd.value_and_grad(self.ready(f), tuple(range(len(params))))

    def gradient(self, f, params):
        run = self.both(f, params)

        def work():
            y, gradients = run(*params)
            return y, *gradients

        return work

    def train(self, f, params, rate):
        both = self.both(f, params)

        def step(*params):
            loss, gradients = both(*params)
            return loss, *[p - rate * g for p, g in zip(params, gradients, strict=True)]

        return stepping(step, params)

    def twice(self, f, params, vs):
        f, params, vs = self.ready(f), tuple(params), tuple(vs)
        make = self.autograd.differential_operators.make_hvp(lambda params: f(*params))
        return lambda: make(params)[0](vs)

    def reverse(self, f, x):
        run = self.autograd.jacobian(self.ready(f))
        return lambda: [run(x)]


class MyGrad(Engine):
    name = "MyGrad"

    def __init__(self):
        import mygrad as mg
        from mygrad.nnet.activations import logsoftmax, relu

        self.mg = mg
        self.lib = SimpleNamespace(
            log=mg.log, exp=mg.exp, sin=mg.sin, tanh=mg.tanh, sum=mg.sum, square=mg.square, norm=mg.linalg.norm,
            relu=relu, log_softmax=logsoftmax,
        )  # fmt: skip

    def gradient(self, f, params):
        leaves = [self.mg.tensor(p) for p in params]

        def run():
            for p in leaves:
                p.null_grad()
            y = f(self.lib, *leaves)
            y.backward()
            return y, *[p.grad for p in leaves]

        return run

    def train(self, f, params, rate):
        leaves = [self.mg.tensor(p) for p in params]

        def run():
            loss = f(self.lib, *leaves)
            loss.backward()
            for p in leaves:
                p.data -= rate * p.grad
                p.null_grad()
            return loss, *leaves

        return run


class Micrograd(Engine):
    """micrograd has one number in a Value, and + * ** relu."""

    name = "micrograd"

    def __init__(self):
        from micrograd.engine import Value

        self.Value = Value
        self.lib = SimpleNamespace(relu=lambda x: x.relu())

    def gradient(self, f, params):
        leaves = [self.Value(float(p)) for p in params]

        def run():
            for p in leaves:
                p.grad = 0
            y = f(self.lib, *leaves)
            y.backward()
            return y.data, *[p.grad for p in leaves]

        return run


class Tinygrad(Engine):
    name = "tinygrad"

    def __init__(self):
        from tinygrad import Tensor

        self.Tensor = Tensor
        self.lib = SimpleNamespace(
            log=Tensor.log, exp=Tensor.exp, sin=Tensor.sin, tanh=Tensor.tanh, sum=Tensor.sum, square=Tensor.square,
            relu=Tensor.relu, log_softmax=Tensor.log_softmax, norm=lambda x: x.square().sum().sqrt().item(),
        )  # fmt: skip

    def gradient(self, f, params):
        params = [self.Tensor(p).realize() for p in params]

        def run():
            y = f(self.lib, *params)
            found = (y, *y.gradient(*params))
            self.Tensor.realize(*found)
            return found

        return run

    def train(self, f, params, rate):
        def step(*params):
            loss = f(self.lib, *params)
            moved = [p - rate * g for p, g in zip(params, loss.gradient(*params), strict=True)]
            self.Tensor.realize(loss, *moved)
            return loss, *moved

        return stepping(step, [self.Tensor(p).realize() for p in params])

    def array(self, x):
        return self.Tensor(x).realize()

    def plain(self, x):
        return x.numpy()


def stepping(step, params):
    """`step(*params)`, called again and again with the params it gave last time."""
    now = list(params)

    def run():
        result = step(*now)
        now[:] = result[1:]
        return result

    return run


class ByHand(Engine):
    """NumPy and a pencil: each workload brings its own."""

    name = "NumPy by hand"


ENGINES = {
    engine.name: engine
    for engine in (
        Torch, Chainrule, ChainruleCompiled, ByHand, Autograd, MyGrad, Micrograd, Jax, Tinygrad,
        TorchCompiled, JaxCompiled,
    )
}  # fmt: skip
COMPILED = ("cr.compile", "torch.compile", "JAX jit", "NumPy by hand")
