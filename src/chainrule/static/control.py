"""Loops and branches of a static graph, and how it is gone through backward.

No derivative is written here. A gradient is more graph: the pull rules of the table, run on
Symbols. The gradient of a branch is a branch, that of a loop is a loop over the states that
the first one went through, the last one first.
"""

from types import SimpleNamespace

import numpy as np

from ..functional import vjp
from ..op import Op
from ..reverse import fit
from ..tape import constant_of
from .symbols import ARGUMENT, HISTORY, PART, ZEROS_LIKE, NoValueYet, Symbol, is_float, open_graphs, symbol


def above(ys, graph=None):
    """All Symbols that ys depend on, in the order of building.

    With `graph`, two lists: those of that graph, and those outside that they use.
    """
    found, outside, waiting = {}, {}, list(ys)
    while waiting:
        x = waiting.pop()
        if graph is not None and x.graph is not graph:
            outside[x.number] = x
        elif x.number not in found:
            found[x.number] = x
            waiting += x.sources
    return [found[number] for number in sorted(found)], [outside[number] for number in sorted(outside)]


class Block:
    """A piece of a graph that runs on its own: what a session is asked for, a loop's body, a branch.

    graph      whose nodes it runs
    arguments  Symbols that it is given values for
    outputs    Symbols whose values it gives back
    order      what has to run for that, each node once, in the order in which the graph was built
    captures   Symbols of the graphs around that it uses
    """

    def __init__(self, graph, arguments, outputs):
        self.graph, self.arguments, self.outputs = graph, arguments, outputs
        order, self.captures = above(outputs, graph)
        given = {x.number for x in arguments}
        self.order = [x for x in order if x.number not in given]


def argument(like):
    """A Symbol that a block will be given a value for."""
    return Symbol(ARGUMENT, (), {}, like.shape, like.dtype)


def or_zeros(ts, likes):
    """Cotangents, with zeros where none has arrived."""
    return [ZEROS_LIKE(x) if t is None else t for t, x in zip(ts, likes, strict=True)]


class Control:
    """An operation that runs blocks and has several results, of which `PART` takes one.

    blocks    the pieces that it runs, and `titles` what they are called
    captures  what these use from outside: the last of the node's inputs
    parts     the Symbols of its results
    """

    pulls = value = None
    name: str
    titles: tuple[str, ...]

    def __init__(self, *blocks):
        self.blocks = blocks
        self.captures = list({x.number: x for block in blocks for x in block.captures}.values())

    def node(self, inputs, likes):
        """Add a node; a Symbol for each of its results, with the shapes and dtypes of `likes`."""
        whole = Symbol(self, (*inputs, *self.captures), {}, (), None)
        self.parts = [Symbol(PART, (whole,), {"index": i}, x.shape, x.dtype) for i, x in enumerate(likes)]
        return self.parts


class Loop(Control):
    """`while_loop`: as long as the condition holds, the body makes new loop variables of the old.

    backward  whether it is the gradient of a loop. Then it has no condition: it makes a trip for each `state`
              that the loop went through, the last one first
    """

    def __init__(self, condition, body, state=()):
        self.backward = condition is None
        super().__init__(*([body] if self.backward else [condition, body]))
        self.name, self.titles = "While", ("as long as", "do")
        if self.backward:
            self.name, self.titles = "WhileBackward", ("each trip back",)
        self.state, self.variables = state, body.arguments[len(state) :]

    def pull(self, node, ts, active):
        """Pairs of an input and its cotangent, for the cotangents `ts` of the results, None where there is none.

        They come from a loop backward. Of a trip only its loop variables are kept; what else the
        body's gradient needs it computes again from them.
        """
        if self.backward:
            raise NotImplementedError(
                "the gradient of a gradient does not go through a while_loop. Write the loop as a Python for, if the "
                "number of trips is known while building, or take the dynamic engine: cr.grad(cr.grad(f))"
            )
        body = self.blocks[1]
        moving = [i for i, x in enumerate(self.variables) if is_float(x)]
        variables = [self.variables[i] for i in moving]
        borrowed = [x for x in self.captures if is_float(x) and x.number in active]
        with body.graph as graph:
            incoming = [argument(x) for x in variables]
            found = sweep([body.outputs[i] for i in moving], incoming, variables + borrowed, graph)
            used = [x for x, t in zip(borrowed, found[len(moving) :], strict=True) if t is not None]
            totals = [argument(x) for x in used]
            parts = [t for t in found[len(moving) :] if t is not None]
            steps = or_zeros(found[: len(moving)], variables) + [a + t for a, t in zip(totals, parts, strict=True)]
        back = Loop(None, Block(graph, [*self.variables, *incoming, *totals], steps), self.variables)
        history = Symbol(HISTORY, (node,), {}, (), None, node.graph)
        seeds = or_zeros([ts[i] for i in moving], [self.parts[i] for i in moving])
        starts = [*seeds, *(ZEROS_LIKE(x) for x in used)]
        return zip([node.inputs[i] for i in moving] + used, back.node([history, *starts], starts), strict=True)


class Branch(Control):
    """`cond`: one of two blocks runs."""

    name, titles = "Cond", ("if true", "if false")

    def pull(self, node, ts, active):
        """Another `cond` with the same predicate, of the gradients of the two branches."""
        wanted = [x for x in self.captures if is_float(x) and x.number in active]
        sides = [self.cotangents(block, ts, wanted) for block in self.blocks]
        used = [i for i in range(len(wanted)) if any(side[i] is not None for side in sides)]
        wanted, blocks = [wanted[i] for i in used], []
        for block, side in zip(self.blocks, sides, strict=True):
            with block.graph as graph:
                blocks.append(Block(graph, (), or_zeros([side[i] for i in used], wanted)))
        return zip(wanted, Branch(*blocks).node([node.inputs[0]], wanted), strict=True)

    def cotangents(self, block, ts, wanted):
        live = [i for i, t in enumerate(ts) if t is not None]
        with block.graph as graph:
            return sweep([block.outputs[i] for i in live], [ts[i] for i in live], wanted, graph)


# ---- backward through a graph


def sweep(ys, ts, xs, within=None):
    """Cotangents of xs, as Symbols, for the cotangents ts of ys; None where nothing arrives.

    within  go only through the nodes of this graph
    """
    order, _ = above(ys, within)
    active = {x.number for x in xs}  # what depends on xs
    for x in order:
        if any(type(a) is Symbol and a.number in active for a in x.inputs):
            active.add(x.number)
    arrived: dict = {}

    def send(x, t):
        arrived[x.number] = arrived[x.number] + t if x.number in arrived else t

    for y, t in zip(ys, ts, strict=True):
        send(y, t)
    for node in reversed(order):
        if node.number in active:
            for x, t in contributions(node, arrived, active):
                if is_float(x) and x.number in active:
                    send(x, t)
    return [arrived.get(x.number) for x in xs]


def contributions(node, arrived, active):
    """Pairs of an input of `node` and what its cotangent gets from there."""
    if isinstance(node.op, Control):
        ts = [arrived.get(part.number) for part in node.op.parts]
        return node.op.pull(node, ts, active) if any(t is not None for t in ts) else ()
    if node.number not in arrived or not node.op.pulls:
        return ()
    wanted = [i for i, x in enumerate(node.inputs) if is_float(x) and x.number in active]
    return [(node.inputs[i], t) for i, t in zip(wanted, pull(node, arrived[node.number], wanted), strict=True)]


def pull(node, t, wanted):
    """What the inputs `wanted` get for the cotangent t: the table's own rules, run on Symbols.

    A rule that must see numbers, or lengths that are not known yet, becomes one operation
    that runs it later.
    """
    mark = len(open_graphs[-1].nodes)
    try:
        if node.op.family != "later" and not any(None in np.shape(x) for x in [t, node, *node.inputs]):
            return [symbol(part) for part in pulled(node.op, wanted, t, node, node.inputs, node.params)]
    except NoValueYet:
        del open_graphs[-1].nodes[mark:]
    return [pull_later(node, t, i) for i in wanted]


def pulled(op, wanted, t, y, inputs, params):
    """The cotangents of the inputs `wanted` by the rules of `op`, in their shapes and dtypes."""
    shapes, many = [np.shape(x) for x in inputs], op.inputs == ("*xs",)
    shapes = {"x_shape": shapes} if many else {f"{x}_shape": n for x, n in zip(op.inputs, shapes, strict=True)}
    a, b = (*inputs, None)[:2]
    kept = SimpleNamespace(y=y, a=a, b=b, params={**params, **shapes})
    parts = op.pulls[0](t, kept) if many else {i: op.pulls[i](t, kept) for i in wanted}
    return [fit(parts[i], (inputs[i].shape, inputs[i].dtype)) for i in wanted]


def pull_later(node, t, i):
    """The pull of `node` for its input i as one node, which runs the rule when there are numbers.

    Its own derivative is found then, too, by `vjp`.
    """
    op, x = node.op, node.inputs[i]

    def rule(t, y, *xs, **params):
        return pulled(op, [i], t, y, xs, params)[0]

    def rule_of_rule(t, *xs, **params):
        return constant_of(vjp(lambda x: op.value(*xs[:i], x, *xs[i + 1 :], **params), xs[i])[1](t)[0])

    rule, inputs = (rule_of_rule, node.inputs) if op.family == "later" else (rule, (node, *node.inputs))
    later = Op(f"{op.name}Backward", "later", rule, ("x",), (), pulls=(None,), needs=(frozenset(),))
    return Symbol(later, (t, *inputs), node.params, x.shape, x.dtype)
