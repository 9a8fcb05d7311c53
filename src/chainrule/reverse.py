"""Reverse mode: one sweep over the tape, newest node first.

A node's number says when it ran. Whoever used its result ran later and has a smaller
number, so a heap that hands out the smallest number first reaches a node only after all
its users: its cotangent is then complete. That is the whole ordering: no sort, no
recursion, and nothing is visited that the outputs do not depend on.
"""

from heapq import heappop, heappush
from sys import getrefcount
from typing import Any

import numpy as np

from . import inplace, tape
from .errors import mismatch, size
from .op import Box
from .rules import sum_to
from .tape import Bundle, Leaf, Node, tensor_of


def sweep(seeds, retain=False, create_graph=False, wanted=None, level=0, ways=None):
    """Carry cotangents from the outputs' nodes back to the leaves.

    seeds         pairs (node, cotangent) for the outputs
    retain        keep what the tape saved, so that the graph can be walked again
    create_graph  record the sweep itself, so that its results can be differentiated
    wanted        the nodes whose cotangents are returned, by number; if None, the
                  cotangents of leaves are added to their `grad`
    level         the level of the Tensors whose gradients are carried
    ways          what `find_ways` has found: nothing else is touched; if None, all is
    """
    if create_graph and not tape.recording:
        with tape.enable_grad():
            return sweep(seeds, retain, create_graph, wanted, level, ways)
    heap, pending, found = [], {}, {}
    for node, t in seeds:
        if ways is None or node.number in ways:
            send(node, t, heap, pending)

    while heap:
        number = heappop(heap)
        node, t = pending.pop(number)
        if wanted is not None and number in wanted:
            found[number] = t  # on the way to others: before its hooks, as in PyTorch
        if type(node) is not Node:
            if type(node) is Bundle:
                for parent, part in zip(node.nodes if ways is None else ways[number], t, strict=True):
                    if parent is not None:
                        send(parent, part, heap, pending)
                continue
            alone = getrefcount(t) == ALONE and not node.hooks
            for hook in node.hooks or ():
                t = hook(t)
            if type(node) is Leaf:
                if wanted is None:
                    arrive(node, t, alone, create_graph, level)
                else:
                    found[number] = t
                continue
        parent_a, parent_b = node.from_a, node.from_b
        if ways is not None:
            parent_a, parent_b = ways[number]
            if parent_a is parent_b is None:
                found[number] = t  # where the way ends, after its hooks, as in PyTorch
                continue
        if tape.last_write < number:
            inplace.check_unwritten(node)
        kept = live(node, level) if create_graph else node
        if parent_a is not None:
            send(parent_a, node.op.pulls[0](t, kept), heap, pending)
        if parent_b is not None:
            send(parent_b, node.op.pulls[1](t, kept), heap, pending)
        if not retain:
            node.op = node.op.spent
            if type(node.like) is tuple:
                release(node)
    return found


def send(node, t, heap, pending):
    """Add `t` to the cotangent of `node`, which waits for its turn."""
    if type(t) is not node.like:
        t = fit(t, node.like)
    number = node.number
    if number in pending:
        # popped: NumPy adds in place to what nobody else refers to
        t = pending.pop(number)[1] + t
    else:
        heappush(heap, number)
    pending[number] = node, t


def find_ways(nodes, wanted):
    """The nodes on a way from `nodes` back to a wanted one, by number; for each, the inputs where a way leads on.

    None if every way back ends at a wanted leaf: then there is nothing to leave out.
    """
    inputs, waiting, oldest, elsewhere = {}, list(nodes), max(wanted), False
    for node in waiting:  # which grows meanwhile
        if node is None or node.number in inputs:
            continue
        if node.number > oldest or type(node) is Leaf:
            inputs[node.number] = ()
            elsewhere = elsewhere or node.number not in wanted
        else:
            inputs[node.number] = parents = node.nodes if type(node) is Bundle else (node.from_a, node.from_b)
            waiting += parents
    if not elsewhere:
        return None
    ways = {}
    for number in sorted(inputs, reverse=True):  # the oldest first
        leading = [node if node is not None and node.number in ways else None for node in inputs[number]]
        if number in wanted or any(leading):
            ways[number] = leading
    return ways


def fit(t, like):
    """`t` in the shape and dtype of the value it is the cotangent of.

    What broadcasting has repeated on the way forward is summed here, once for all
    operations.
    """
    shape, dtype = like if type(like) is tuple else ((), like)
    if t.shape != shape:
        t = sum_to(t, shape=shape)
    return t if t.dtype == dtype else t.astype(dtype)


def live(node, level):
    """What `node` kept, as Tensors that know where they came from: the rules then get recorded."""
    kept = Node()
    kept.params = getattr(node, "params", None)
    kept.y = node.y if node.y is None else tensor_of(node.y, node, level)
    kept.a = node.a if node.a is None or node.from_a is None else tensor_of(node.a, node.from_a, level)
    kept.b = node.b if node.b is None or node.from_b is None else tensor_of(node.b, node.from_b, level)
    return kept


def release(node):
    """Let go of the arrays that `node` kept; numbers stay, a drawing shows them."""
    node.y = None
    node.a = node.a if type(node.a) in tape.LITERALS else None
    node.b = node.b if type(node.b) in tape.LITERALS else None


def arrive(leaf, t, alone, create_graph, level):
    """Add a cotangent that reached a leaf to its `grad`.

    An array becomes the gradient itself only if nobody else holds it (PyTorch counts references
    for the same purpose). Otherwise it is copied: it may be on its way to another leaf as well.
    """
    if create_graph:
        leaf.grad = t if leaf.grad is None else leaf.grad + t
    elif leaf.grad is None:
        shared = type(t) is np.ndarray and not (alone and t.base is None)
        leaf.grad = tensor_of(t.copy() if shared else t, None, level)
    elif leaf.grad.node is None:
        leaf.grad.array = leaf.grad.array + t
    else:
        leaf.grad = tensor_of(leaf.grad.array + t, None, level)


def references_when_alone():
    """How many references `getrefcount` finds to what only one local variable holds."""
    t = np.empty(1)
    return getrefcount(t)


ALONE = references_when_alone()


def seed(y, gradient, index=0, create_graph=False):
    """The cotangent to start from: `gradient`, or 1 for an output that is one number.

    It is a Tensor if the sweep is to be recorded, else an array or a number. Raises PyTorch's
    errors: for an output without a graph, for a vector without `gradient`, and for a
    `gradient` of another shape.
    """
    if y.node is None:
        raise RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
    if gradient is None:
        if type(y.array) in tape.SCALARS:
            t = type(y.array)(1)
        elif y.size == 1:
            t = np.ones_like(y.array)
        else:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
    elif isinstance(gradient, Box | np.ndarray | np.generic):
        if gradient.shape != y.shape:
            raise mismatch(index, gradient.shape, y.shape)
        own = isinstance(gradient, tape.Tensor) and (gradient.level == y.level or gradient.node is None)
        t = gradient.array if own and not (create_graph and gradient.node is not None) else gradient
    else:
        raise TypeError(
            f"'{type(gradient).__name__}' object is not iterable: gradient must be a Tensor "
            f"with the shape of the output, {size(y.shape)}"
        )
    return tensor_of(t, None, y.level) if create_graph and not isinstance(t, tape.Tensor) else t


def grad_of_tensors(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Cotangents of `inputs` for given cotangents of `outputs`, as `torch.autograd.grad`.

    outputs       a Tensor or a sequence of Tensors that require a gradient
    inputs        a Tensor or a sequence; leaves or results, in the graph of the outputs
    grad_outputs  the cotangents of the outputs, each of its output's shape; may be left out
                  (or None) for an output that is one number
    retain_graph  keep the graph for another pass (default: the value of create_graph)
    create_graph  make the results differentiable
    allow_unused  give None for an input that no output depends on, instead of an error
    materialize_grads  give zeros for it

    Returns a tuple of Tensors, each of its input's shape and dtype. No `.grad` is touched.

    >>> import chainrule as cr
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> (g,) = cr.autograd.grad(x**3, x, create_graph=True)
    >>> g
    tensor(12., grad_fn=<MulBackward0>)
    >>> cr.autograd.grad(g, x)
    (tensor(12.),)
    """
    outputs = [outputs] if isinstance(outputs, tape.Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, tape.Tensor) else list(inputs)
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for x in inputs:
        if x.node is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    retain_graph = create_graph if retain_graph is None else retain_graph
    seeds = seeds_of(outputs, grad_outputs, create_graph)
    wanted = {x.node.number for x in inputs}
    ways = find_ways([node for node, _ in seeds], wanted)
    level = outputs[0].level if outputs else 0
    found = sweep(seeds, retain_graph, create_graph, wanted, level, ways)
    return tuple(result_for(x, i, found, create_graph, allow_unused, materialize_grads) for i, x in enumerate(inputs))


def backward_of_tensors(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Carry the cotangents of several outputs back in one sweep, as `torch.autograd.backward`.

    tensors       a Tensor or a sequence of Tensors that require a gradient
    grad_tensors  their cotangents; may be left out (or None) for an output that is one number
    The other parameters are those of `Tensor.backward`, and so are the errors.

    >>> import chainrule as cr
    >>> x = cr.tensor(2.0, requires_grad=True)
    >>> cr.autograd.backward([x * x, 3 * x])
    >>> x.grad
    tensor(7.)
    """
    tensors = [tensors] if isinstance(tensors, tape.Tensor) else list(tensors)
    seeds = seeds_of(tensors, grad_tensors, create_graph)
    retain_graph = create_graph if retain_graph is None else retain_graph
    level = tensors[0].level if tensors else 0
    sweep(seeds, retain_graph, create_graph, None, level, None if inputs is None else ways_to_leaves(seeds, inputs))


def ways_to_leaves(seeds, inputs):
    """The way back from `seeds` to some leaves only. Raises RuntimeError for none, and for what is no leaf."""
    inputs = [inputs] if isinstance(inputs, tape.Tensor) else list(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    for x in inputs:
        if type(x.node) is not Leaf:
            raise RuntimeError("One of the differentiated Tensors is not a leaf that requires grad: use autograd.grad")
    return find_ways([node for node, _ in seeds], {x.node.number for x in inputs})


def seeds_of(outputs, cotangents, create_graph):
    """For each output, its node and the cotangent to start from."""
    if cotangents is None:
        cotangents = [None] * len(outputs)
    elif isinstance(cotangents, Box | np.ndarray | np.generic):
        cotangents = [cotangents]
    cotangents = list(cotangents)
    if len(cotangents) != len(outputs):
        raise RuntimeError(
            f"got {len(outputs)} tensors and {len(cotangents)} gradients: give one gradient for each output"
        )
    return [(y.node, seed(y, t, i, create_graph)) for i, (y, t) in enumerate(zip(outputs, cotangents, strict=True))]


def result_for(x, i, found, create_graph, allow_unused, materialize_grads):
    t = found.get(x.node.number)
    if t is not None:
        return t if isinstance(t, tape.Tensor) and t.level == x.level else tensor_of(t, None, x.level)
    if materialize_grads:
        zeros = tensor_of(np.zeros(x.shape, x.dtype)[()], None, x.level)
        return zeros.requires_grad_(create_graph)
    if allow_unused:
        return None
    raise RuntimeError(
        f"The differentiated Tensor at index {i} appears to not have been used in the graph. "
        "Set allow_unused=True if this is the desired behavior."
    )


class autograd:
    """The namespace `chainrule.autograd`, as `torch.autograd`.

    >>> import chainrule as cr
    >>> x = cr.tensor(3.0, requires_grad=True)
    >>> cr.autograd.grad(x * x, x)
    (tensor(6.),)
    """

    grad, backward = staticmethod(grad_of_tensors), staticmethod(backward_of_tensors)
