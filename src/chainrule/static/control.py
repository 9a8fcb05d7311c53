"""Loops and branches of a static graph: how pieces of a graph run, and how they run backward.

No derivative is written here. A gradient is more graph: the pull rules of the table, run on
Symbols. The gradient of a branch is a branch, that of a loop is a loop that runs backward.
"""

from functools import partial
from types import SimpleNamespace

import numpy as np

from ..functional import vjp
from ..op import Op, given
from ..reverse import fit
from ..tape import constant_of, number_or_array
from .symbols import ARGUMENT, HISTORY, PART, ZEROS_LIKE, Symbol, each, is_float, open_graphs, symbol


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
    histories  the loops that must remember their states, because a gradient asks for them
    """

    def __init__(self, graph, arguments, outputs):
        self.graph, self.arguments, self.outputs = graph, arguments, outputs
        order, self.captures = above(outputs, graph)
        given = {x.number for x in arguments}
        self.order = [x for x in order if x.number not in given]
        self.histories = {x.inputs[0].number for x in self.order if x.op is HISTORY}

    def run(self, given, around, counts):
        """The outputs' values, for values `given` to the arguments and a dict `around` of the captures' values.

        counts  a Counter, to which every evaluation is added
        """
        values = around | by_number(self.arguments, given)
        for x in self.order:
            try:
                values[x.number] = self.evaluate(x, values, counts)
            except Exception as error:
                error.add_note(f"This happened when {x!r} ran, in {self.graph.name}.")
                raise
        return [values[y.number] for y in self.outputs]

    def evaluate(self, x, values, counts):
        counts[x.op.name] += 1
        inputs = [values[a.number] if type(a) is Symbol else a for a in x.inputs]
        if isinstance(x.op, Control):
            return x.op.run(inputs, counts, x.number in self.histories)
        params = x.params
        if params and x.sources:
            params = each(lambda a: values[a.number] if type(a) is Symbol else a, params)
        y = x.op.compute(inputs, params)
        return number_or_array(y) if type(y) is np.ndarray else y


def by_number(symbols, values):
    return {x.number: value for x, value in zip(symbols, values, strict=True)}


def union(*blocks):
    """What several blocks capture, each Symbol once."""
    return list({x.number: x for block in blocks for x in block.captures}.values())


def argument(like):
    """A Symbol that a block will be given a value for."""
    return Symbol(ARGUMENT, (), {}, like.shape, like.dtype)


def or_zeros(ts, likes):
    """Cotangents, with zeros where none has arrived."""
    return [ZEROS_LIKE(x) if t is None else t for t, x in zip(ts, likes, strict=True)]


# ---- loops and branches


class Control:
    """An operation that runs blocks and has several results, of which `PART` takes one.

    blocks    the pieces that it runs
    captures  what these use from outside: the last of the node's inputs
    parts     the Symbols of its results
    """

    pulls = ()

    def node(self, inputs, likes):
        """Add a node; a Symbol for each of its results, with the shapes and dtypes of `likes`."""
        whole = Symbol(self, (*inputs, *self.captures), {}, (), None)
        self.parts = [Symbol(PART, (whole,), {"index": i}, x.shape, x.dtype) for i, x in enumerate(likes)]
        return self.parts

    def run(self, inputs, counts, remember):
        """The values of the results."""
        raise NotImplementedError

    def pull(self, node, ts, active):
        """Pairs of an input and its cotangent, for the cotangents `ts` of the results, None where there is none."""
        raise NotImplementedError


class Loop(Control):
    """`while_loop`: as long as the condition holds, the body makes new loop variables of the old."""

    name = "While"

    def __init__(self, condition, body):
        self.blocks = self.condition, self.body = condition, body
        self.captures = union(condition, body)

    def run(self, inputs, counts, remember):
        n = len(self.body.arguments)
        state, around, history = inputs[:n], by_number(self.captures, inputs[n:]), []
        while self.condition.run(state, around, counts)[0]:
            counts["trip"] += 1
            if remember:
                history.append(state)
            state = self.body.run(state, around, counts)
        return (*state, history)

    def pull(self, node, ts, active):
        """The loop backward: for each trip, last one first, the body's own gradient.

        Of a trip only its loop variables are kept, on a stack; what else the body's gradient
        needs it computes again from them.
        """
        moving = [i for i, x in enumerate(self.body.arguments) if is_float(x)]
        variables = [self.body.arguments[i] for i in moving]
        borrowed = [x for x in self.captures if is_float(x) and x.number in active]
        with self.body.graph as graph:
            incoming = [argument(x) for x in variables]
            outgoing = sweep([self.body.outputs[i] for i in moving], incoming, variables + borrowed, graph)
            steps, sums = or_zeros(outgoing[: len(moving)], variables), outgoing[len(moving) :]
            used = [x for x, t in zip(borrowed, sums, strict=True) if t is not None]
            steps += [t for t in sums if t is not None]
        back = LoopBackward(Block(graph, [*self.body.arguments, *incoming], steps), len(moving), used)
        history = Symbol(HISTORY, (node,), {}, (), None, node.graph)
        seeds = or_zeros([ts[i] for i in moving], [self.parts[i] for i in moving])
        parts = back.node([history, *seeds, *used], variables + used)
        return zip([node.inputs[i] for i in moving] + used, parts, strict=True)


class LoopBackward(Control):
    """The gradient of a loop: a trip back makes new cotangents of the variables, and adds to those of captures.

    moving  how many loop variables have a cotangent
    used    the captures that get one
    """

    name = "WhileBackward"

    def __init__(self, block, moving, used):
        self.blocks, self.moving, self.used, self.captures = (block,), moving, used, block.captures

    def run(self, inputs, counts, remember):
        n, m = 1 + self.moving, 1 + self.moving + len(self.used)
        history, ts, totals = inputs[0], inputs[1:n], [np.zeros_like(x)[()] for x in inputs[n:m]]
        around = by_number(self.captures, inputs[m:])
        for state in reversed(history):
            counts["trip back"] += 1
            ts = self.blocks[0].run([*state, *ts], around, counts)
            totals = [total + t for total, t in zip(totals, ts[self.moving :], strict=True)]
            ts = ts[: self.moving]
        return (*ts, *totals)

    def pull(self, node, ts, active):
        raise NotImplementedError(
            "the gradient of a gradient does not go through a while_loop. Write the loop as a Python for, if the "
            "number of trips is known while building, or take the dynamic engine: cr.grad(cr.grad(f))"
        )


class Branch(Control):
    """`cond`: one of two blocks runs."""

    name = "Cond"

    def __init__(self, yes, no):
        self.blocks, self.captures = (yes, no), union(yes, no)

    def run(self, inputs, counts, remember):
        pred, *captured = inputs
        return self.blocks[0 if pred else 1].run((), by_number(self.captures, captured), counts)

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
        live = [(y, t) for y, t in zip(block.outputs, ts, strict=True) if t is not None]
        with block.graph as graph:
            return sweep([y for y, _ in live], [t for _, t in live], wanted, graph)


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
    for y, t in zip(ys, ts, strict=True):
        arrived[y.number] = arrived[y.number] + t if y.number in arrived else t
    for node in reversed(order):
        if node.number in active:
            for x, t in contributions(node, arrived, active):
                if is_float(x) and x.number in active:
                    arrived[x.number] = arrived[x.number] + t if x.number in arrived else t
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
    op, mark = node.op, len(open_graphs[-1].nodes)
    kept = what_is_kept(op, node, node.inputs, node.params)
    try:
        if about_shapes(op) and any(None in np.shape(x) for x in [t, node, *node.inputs]):
            raise TypeError("a length is not known")
        parts = op.pulls[0](t, kept) if op.inputs == ("*xs",) else {i: op.pulls[i](t, kept) for i in wanted}
        return [fitted(symbol(parts[i]), node.inputs[i], op) for i in wanted]
    except TypeError:
        del open_graphs[-1].nodes[mark:]
        return [pull_later(node, t, i) for i in wanted]


def what_is_kept(op, y, inputs, params):
    """What the rules of `op` may ask for."""
    shapes = [np.shape(x) for x in inputs]
    if op.inputs != ("*xs",):
        shapes = {f"{name}_shape": shape for name, shape in zip(op.inputs, shapes, strict=True)}
    else:
        shapes = {"x_shape": shapes}
    a, b = (*inputs, None, None)[:2]
    return SimpleNamespace(y=y, a=a, b=b, inputs=inputs, params={**params, **shapes})


def about_shapes(op):
    return op.family == "reduction" or any(name.endswith("_shape") for need in op.needs for name in need)


def fitted(t, x, op):
    """t in the shape and dtype of x: what broadcasting repeated is summed. Lengths not known yet are seen to later."""
    if None in t.shape + x.shape and len(op.inputs) > 1:
        return Symbol(SUM_LIKE, (t, x), {}, x.shape, x.dtype)
    return fit(t, (x.shape, x.dtype))


def later(name, function, count):
    """`function` of `count` arrays as an operation. Its derivative is found when it runs, by `vjp`."""

    def pull_of(i, t, kept):
        def slope(t, *xs, **params):
            return constant_of(vjp(lambda x: function(*xs[:i], x, *xs[i + 1 :], **params), xs[i])[1](t)[0])

        x, op = kept.inputs[i], later(name + "Backward", slope, count + 1)
        return Symbol(op, (t, *kept.inputs), given(kept.params), x.shape, x.dtype)

    inputs, pulls = tuple("abcdefgh"[:count]), tuple(partial(pull_of, i) for i in range(count))
    return Op(name, "later", function, inputs, (), pulls=pulls, needs=(frozenset(),) * count)


def pull_later(node, t, i):
    """The pull of `node` for its input i as a single operation, which runs the rule when there are numbers."""
    op, x = node.op, node.inputs[i]

    def rule(t, y, *inputs, **params):
        kept = what_is_kept(op, y, inputs, params)
        part = op.pulls[0](t, kept)[i] if op.inputs == ("*xs",) else op.pulls[i](t, kept)
        return fit(part, (inputs[i].shape, inputs[i].dtype))

    inputs = (t, node, *node.inputs)
    return Symbol(later(op.name + "Backward", rule, len(inputs)), inputs, node.params, x.shape, x.dtype)


SUM_LIKE = later("SumTo", lambda t, x: fit(t, (x.shape, x.dtype)), 2)
