"""The graph as a reader sees it: `grad_fn`, and those who watch the backward pass go by."""

from functools import cache

from . import tape
from .rules import index
from .tape import Bundle, Leaf, WatchedNode, tensor_of


class GradFn:
    """What made a tensor, as PyTorch shows it. Two that stand for the same node are equal.

    >>> import chainrule as cr
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> (x * x).grad_fn
    <MulBackward0>
    >>> (x * x).grad_fn.next_functions
    ((<AccumulateGrad>, 0), (<AccumulateGrad>, 0))
    """

    def __init__(self, node):
        self.node = node

    def name(self) -> str:
        """Its name, for example `MulBackward0`."""
        return type(self).__name__

    @property
    def next_functions(self):
        """For each input, what made it (None for a constant), and which of that one's outputs it is."""
        parents = (self.node.from_a, self.node.from_b)[: max(1, len(self.node.op.needs))]
        if isinstance(parents[0], Bundle):
            parents = parents[0].nodes
        return tuple((None if parent is None else grad_fn_of(parent), 0) for parent in parents)

    def __eq__(self, other):
        return isinstance(other, GradFn) and other.node is self.node

    def __hash__(self):
        return hash(id(self.node))

    def __repr__(self):
        return f"<{self.name()}>"


class AccumulateGrad(GradFn):
    """Where gradients of a leaf add up."""

    next_functions = ()

    @property
    def variable(self):
        """The leaf itself, or None if it is gone."""
        return self.node.variable()


@cache
def kind_of_grad_fn(name):
    return type(name, (GradFn,), {})


def grad_fn_of(node):
    if type(node) is Leaf:
        return AccumulateGrad(node)
    name = node.op.name + "Backward" + variant(node)
    if node.op.name == "CopySlices":
        path = node.params["path"]
        name = "IndexPutBackward0" if len(path) == 1 and path[0][0] is index else "CopySlices"
    return kind_of_grad_fn(name)(node)


def variant(node):
    """The digit with which PyTorch tells the variants of an operation apart."""
    name = node.op.name
    if name in ("Sum", "Mean", "Prod"):
        return "0" if node.params["axis"] is None else "1"
    if name == "Pow":
        literal = [part in tape.LITERALS for part in (type(node.a), type(node.b))]
        return "0" if literal[1] and node.from_b is None else "2" if literal[0] and node.from_a is None else "1"
    return "1" if name in ("Clamp", "Max", "Min") else "0"


def watch(node, entry):
    """Let `entry` see the cotangents that pass through `node`."""
    if type(node) is Leaf:
        node.hooks = [*(node.hooks or ()), entry]
    elif type(node) is WatchedNode:  # what is retained is what the hooks have left
        node.hooks = sorted([*node.hooks, entry], key=lambda hook: isinstance(hook, Retained))
    else:
        node.hooks = [entry]
        node.__class__ = WatchedNode


class Hook:
    """A function of the user's, called with the gradient as a Tensor, and the handle that takes it away again."""

    def __init__(self, function, node, level):
        self.function, self.node, self.level = function, node, level
        watch(node, self)

    def __call__(self, t):
        boxed = isinstance(t, tape.Tensor) and t.level == self.level
        result = self.function(t if boxed else tensor_of(t, None, self.level))
        if result is None:
            return t
        if not isinstance(result, tape.Tensor):
            raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
        if result.shape != t.shape:
            raise RuntimeError(f"hook '{getattr(self.function, '__name__', 'hook')}' has changed the size of value")
        return result if boxed else result.array

    def remove(self):
        """Take the hook away. Doing so twice does no harm."""
        self.node.hooks = [hook for hook in self.node.hooks if hook is not self]


class Retained:
    """Adds up the gradient of a result that is no leaf."""

    def __init__(self, level):
        self.grad, self.level = None, level

    def __call__(self, t):
        g = t if isinstance(t, tape.Tensor) and t.level == self.level else tensor_of(t.copy(), None, self.level)
        self.grad = g if self.grad is None else self.grad + g
        return t


def hand_on(old, new):
    """Let what was to be retained at `old` be retained at `new`: the tensor has been written in place."""
    if type(old) is WatchedNode and (entry := keeper_of(old)) is not None:
        old.hooks.remove(entry)
        watch(new, entry)


def keeper_of(node):
    """What holds the gradient of the tensor that `node` made: a leaf, a Retained, or None."""
    if type(node) is Leaf:
        return node
    hooks = node.hooks if type(node) is WatchedNode else ()
    return next((hook for hook in hooks if isinstance(hook, Retained)), None)
