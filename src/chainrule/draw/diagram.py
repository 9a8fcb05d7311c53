"""The graph of a result as data: which values there are, how each was made, what each is worth.

The tape holds what the way back needs. A reader wants more: every value in between, every
adjoint, the local derivative on every edge. They are found here, by loops, and kept apart
from the tape, which is only read. `chainrule.draw.survey` brings in the values, `chainrule.draw`
makes a picture and a text of them.
"""

import math
from functools import cached_property

import numpy as np

from .. import inplace
from ..functions import plain
from ..reverse import fit
from ..tape import Bundle, Node
from ..tensor import Tensor
from .spelling import ATOM, DOTS, formula, literal, word


class Value:
    """One value of the graph, and how it was made.

    name     the variable that holds it; else v1, v2, ... (x1 for a leaf, c1 for a constant)
    named    whether the name is a variable's
    kind     "leaf", "constant" or "operation"
    formula  how it was made, as one writes it in Python: "u * u", "log(v1)"; "" for a leaf or a constant
    inputs   what an operation took, in order: Edges, plain numbers, None for what is left out
    uses     the Edges to the values that were made of this one
    value    a number or an array; None where it could not be found
    adjoint  the same for dy/d(this), y being the result; None where unknown or not asked for
    active   whether cotangents flow to it: not to a constant, nor to what lies behind a detach
    twin     for a detached value, the Value whose memory it shares
    """

    def __init__(self, kind, node=None, value=None, shape=None):
        self.kind, self.node, self.value, self.shape = kind, node, value, shape
        self.op = self.adjoint = self.twin = self.name = self.key = self.holder = None
        self.named = self.active = self.result = False
        self.formula = ""
        self.inputs, self.uses = [], []

    @property
    def operation(self):
        """The operation in a word, as the function is called: "mul", "log"; "" for a leaf or a constant."""
        return "" if self.op is None else word(self.op)

    def __repr__(self):
        made = f" = {self.formula}" if self.op else f", {self.kind}"
        return f"<Value {self.name}{made}>"


class Edge:
    """One use of a value: `source` is input number `slot` of `target`.

    contribution  what `target` sends to the adjoint of `source`; None unless adjoints were found
    """

    def __init__(self, source, target, slot):
        self.source, self.target, self.slot = source, target, slot
        self.contribution = None

    def pull(self, t):
        """What `source` receives by this edge for the cotangent `t` of `target`; None if it cannot be known."""
        return self.along(t, pull)

    def along(self, t, rule):
        """What becomes of `t` on the way back; `rule(edge, t)` says it for a single step."""
        return rule(self, t)

    @property
    def derivative(self):
        """The local derivative of `target` by `source`, the other inputs held.

        A float between numbers; else the Jacobian, of shape target.shape + source.shape. None
        if it cannot be known or has more than 10 000 entries.
        """
        if not hasattr(self, "_derivative"):
            self._derivative = jacobian(self)
        return self._derivative

    def __repr__(self):
        return f"<Edge {self.source.name} -> {self.target.name}>"


class Fold(Edge):
    """Several steps shown as one edge: all ways from `source` to `target` through the values `inside`."""

    def __init__(self, source, target, slot, inside):
        super().__init__(source, target, slot)
        self.inside = dict.fromkeys(inside)

    def along(self, t, rule):
        """What becomes of `t` on the way back: a small sweep, newest value first."""
        waiting = {self.target: t}
        for value in [self.target, *self.inside]:
            t = waiting.pop(value)
            for edge in edges_into(value):
                if edge.source is self.source or edge.source in self.inside:
                    part = edge.along(t, rule)
                    if part is None:
                        return None
                    waiting[edge.source] = plus(waiting.get(edge.source), part)
        return waiting[self.source]


def plus(so_far, part):
    """A sum that begins with None."""
    return part if so_far is None else so_far + part


class Path(list):
    """A way through the graph: the names along it. `edges` are the steps, `product` multiplies their derivatives."""

    def __init__(self, edges):
        super().__init__([edges[0].source.name, *(edge.target.name for edge in edges)])
        self.edges = edges

    @property
    def product(self):
        """The product of the local derivatives along the path, later ones on the left: a float, or a Jacobian."""
        total = self.edges[0].derivative
        for edge in self.edges[1:]:
            if total is None or edge.derivative is None:
                return None
            total = np.tensordot(edge.derivative, total, len(edge.source.shape))
        return float(total) if total is not None and np.ndim(total) == 0 else total


class Diagram:
    """The values and edges behind a result, in the words of the field.

    survey    the Values, as `chainrule.draw.survey.Survey` found them on the tape
    fold      show only what has a name; the steps between are folded into formulas

    nodes     the Values shown, in the order in which they were computed
    edges     the Edges shown, in the order of their targets
    values    all Values: with `fold`, also those between the ones that are shown
    results   the Values of what was given
    left_out  how many older values were left out
    partial   the leaves that some of those use as well: their adjoints would miss a part
    """

    def __init__(self, survey, fold=False):
        self.values, self.results, self.left_out = survey.in_order(), survey.results, survey.left_out
        self.partial = survey.partial
        survey.christen(self.values, fold)
        write_formulas(self.values)
        self.nodes = [value for value in self.values if value.name is not None]
        for i, value in enumerate(self.nodes):
            value.id = f"n{i}"
        self.edges = [edge for value in self.nodes for edge in (folds(value) if fold else edges_into(value))]
        with np.errstate(all="ignore"):
            evaluate(self.values)

    def __getitem__(self, name):
        """The Value of this name, or of this Tensor. Raises KeyError with the names there are."""
        if isinstance(name, Value):
            return name
        for value in self.nodes:
            if stands_for(value, name) if isinstance(name, Tensor) else value.name == name:
                return value
        raise KeyError(f"the graph has no value {name!r}; its values are {', '.join(v.name for v in self.nodes)}")

    def paths(self, source, target, most=10_000):
        """All paths from `source` to `target`, along the direction of computing.

        source, target  names, Tensors or Values of the graph

        Returns a list of Paths: lists of names, with `edges` and `product`. An input that is
        used twice gives two paths. Raises KeyError for an unknown name, ValueError if there are
        more than `most` paths (`count_paths` counts them without listing).

        >>> import chainrule as cr
        >>> x = cr.tensor(3.0, requires_grad=True)
        >>> y = x * x + x
        >>> [(path, path.product) for path in cr.draw(y).paths(x, y)]
        [(['x', 'v1', 'y'], 3.0), (['x', 'v1', 'y'], 3.0), (['x', 'y'], 1.0)]
        """
        source, target = self[source], self[target]
        if (n := self.count_paths(source, target)) > most:
            raise ValueError(f"there are {n} paths from {source.name} to {target.name}: count_paths() counts them")
        useful = self.ways(target)
        found, waiting = [], [[edge] for edge in reversed(self.edges_from(source)) if useful[edge.target]]
        while waiting:
            path = waiting.pop()
            end = path[-1].target
            if end is target:
                found.append(Path(path))
            else:
                waiting += [[*path, edge] for edge in reversed(self.edges_from(end)) if useful[edge.target]]
        return found

    def count_paths(self, source, target):
        """How many paths lead from `source` to `target`; one pass over the graph, however many there are."""
        return self.ways(self[target])[self[source]]

    def ways(self, target):
        """For every Value, in how many ways it reaches `target`."""
        ways = {}
        for value in reversed(self.nodes):
            ways[value] = 1 if value is target else sum(ways[edge.target] for edge in self.edges_from(value))
        return ways

    @cached_property
    def fans(self):
        """For every Value the Edges to what was made of it."""
        fans = {value: [] for value in self.nodes}
        for edge in self.edges:
            fans[edge.source].append(edge)
        return fans

    def edges_from(self, source):
        """The Edges from `source` to what was made of it."""
        return self.fans[self[source]]

    def edges_into(self, target):
        """The Edges to `target` from what it was made of."""
        target = self[target]
        return [edge for edge in self.edges if edge.target is target]

    def edge_derivative(self, source, target):
        """The local derivative of `target` by `source`: the sum over the edges between them.

        Raises KeyError if there is none.

        >>> import chainrule as cr
        >>> x = cr.tensor(3.0, requires_grad=True)
        >>> y = x * x
        >>> cr.draw(y).edge_derivative("x", "y")
        6.0
        """
        between = [edge.derivative for edge in self.edges_between(source, target)]
        return None if any(d is None for d in between) else sum(between)

    def edges_between(self, source, target):
        """The Edges from `source` to `target`, a list. Raises KeyError if there is none."""
        source, target = self[source], self[target]
        edges = self.edges_from(source)
        found = [edge for edge in edges if edge.target is target]
        if not found:
            users = ", ".join(dict.fromkeys(edge.target.name for edge in edges)) or "nothing"
            raise KeyError(f"no edge leads from {source.name} to {target.name}: {source.name} is used by {users}")
        return found

    def find_adjoints(self, seeds):
        """Fill in every adjoint and every edge's contribution, by a sweep of its own: the tape is left alone.

        seeds  for each result the cotangent to start from; None if it could not be chosen
        """
        with np.errstate(all="ignore"):
            sweep_back(self.values, zip(self.results, seeds, strict=True), set(self.partial))
            for edge in self.edges:
                if isinstance(edge, Fold) and edge.source.active and edge.target.adjoint is not None:
                    edge.contribution = edge.pull(edge.target.adjoint)


def stands_for(value, x):
    """Whether `value` is the Value of the Tensor x."""
    return value.node is x.node if x.node is not None else value.key in (id(x), id(x.array))


def edges_into(value):
    """The Edges among the inputs of `value`."""
    return [x for x in value.inputs if isinstance(x, Edge)]


# ---- values, forward


def evaluate(values):
    """Fill in what each Value is worth: what the tape kept or a variable holds, else computed anew."""
    for value in values:
        if value.kind == "leaf":
            value.value = value_of_leaf(value)
        elif value.kind == "operation":
            value.value = value_of_result(value)
        elif value.value is not None and not unwritten(value.value, first_use(value)):
            value.value = None


def value_of_leaf(leaf):
    """The leaf's number as its users kept it; else its array, unless that was overwritten since."""
    for edge in leaf.uses:
        kept = kept_input(edge.target.node, edge.slot)
        if kept is not None and not isinstance(kept, np.ndarray):
            return plain(kept)
    x = leaf.node.variable()
    arrays = [x.array] if x is not None else []
    arrays += [kept for edge in leaf.uses if (kept := kept_input(edge.target.node, edge.slot)) is not None]
    return next((plain(array) for array in arrays if unwritten(array, first_use(leaf))), None)


def first_use(value):
    return max((edge.target.node.number for edge in value.uses), default=-math.inf)


def value_of_result(value):
    """What an operation gave: kept as `y`, held by a variable, or computed again from the inputs."""
    node = value.node
    held = None if value.holder is None else value.holder.array
    for array in (node.y, held):
        if array is not None and unwritten(array, node.number):
            return plain(array)
    inputs = arguments(value)
    if any(x is None for x in inputs):
        return None
    params = {name: x for name, x in params_of(node).items() if name != "x_shape"}  # that is for the pull
    return value.op.value(*inputs, **params)


def unwritten(array, moment):
    """Whether the memory of `array` is as it was at `moment`."""
    return not inplace.writes_since(moment, plain(array))


def kept_input(node, slot):
    """What `node` has kept of an input: None where the rules do not mention it."""
    return None if type(node.from_a) is Bundle else (node.a, node.b)[slot]


def params_of(node):
    """The parameters of the call. A node that never had any has no such attribute."""
    return getattr(node, "params", None) or {}


def arguments(value):
    """The values of the inputs, None for what is unknown."""
    return [x.source.value if isinstance(x, Edge) else x for x in value.inputs]


# ---- derivatives, backward


def kept_for(value):
    """An object with y, a, b and params, as the rules want it, from what is known of `value`."""
    kept = Node()
    kept.y, kept.params = value.value, params_of(value.node)
    kept.a, kept.b = (*arguments(value), None, None)[:2] if type(value.node.from_a) is not Bundle else (None, None)
    return kept


def pull(edge, t):
    """What the source of `edge` receives for the cotangent `t` of its target, or None if that cannot be known."""
    value, slot = edge.target, edge.slot
    bundle = type(value.node.from_a) is Bundle
    rule = 0 if bundle else slot
    kept = kept_for(value)
    for name in value.op.needs[rule] & {"y", "a", "b", "x"}:
        if getattr(kept, "a" if name == "x" else name) is None:
            return None
    part = value.op.pulls[rule](t, kept)
    source = edge.source
    part = part[slot] if bundle else part
    return fit(np.asarray(part)[()], source.node.like) if source.node is not None else part


def sweep_back(values, seeds, lost):
    """Fill in adjoints and contributions, newest value first. Where one cannot be known, none behind it can.

    lost  the Values whose adjoint is known not to be found
    """
    for value, t in seeds:
        if t is None:
            lost.add(value)
        else:
            value.adjoint = plus(value.adjoint, t)
    for value in reversed(values):
        if value in lost:
            value.adjoint = None
        for edge in edges_into(value) if value.active else ():
            if not edge.source.active:
                continue
            edge.contribution = None if value.adjoint is None else edge.pull(value.adjoint)
            if edge.contribution is None:
                lost.add(edge.source)
            else:
                edge.source.adjoint = plus(edge.source.adjoint, edge.contribution)


def jacobian(edge):
    """The Jacobian along one edge, row by row: what a cotangent of 1 at each place gives."""
    target, source = edge.target, edge.source
    m = math.prod(target.shape)
    if source.node is None or m * math.prod(source.shape) > 10_000:
        return None
    kind = target.node.like if type(target.node.like) is not tuple else target.node.like[1]
    with np.errstate(all="ignore"):
        rows = [edge.pull(row.reshape(target.shape)[()]) for row in np.eye(m, dtype=kind)]
    if any(row is None for row in rows):
        return None
    matrix = np.reshape(rows, (*target.shape, *source.shape))
    return float(matrix) if matrix.ndim == 0 else matrix


# ---- steps without a name, folded


def folds(target):
    """For each named value that `target` was made of, one edge that stands for all ways between them."""
    sources, inside, waiting = {}, {}, edges_into(target)[::-1]
    while waiting:
        source = waiting.pop().source
        if source.name is not None:
            sources.setdefault(source)
        elif source not in inside:
            inside[source] = True
            waiting += edges_into(source)[::-1]
    inside = sorted(inside, key=lambda value: value.node.number)
    return [Fold(source, target, slot, inside) for slot, source in enumerate(sources)]


# ---- how a value was made


def write_formulas(values):
    """Write down how each Value was made, in terms of names; an input that has none is written out."""
    for value, (words, _) in formulas(values, lambda x: x.name and (x.name, ATOM)).items():
        value.formula = words


def formulas(values, stands_for):
    """For each Value that an operation made its formula, and how strongly that binds.

    stands_for  a function of a Value: the words for it and how strongly they bind; None if it is to be written out
    """
    made, written = {}, {}
    for value in values:
        if value.op is not None:
            words = [written[x.source] if isinstance(x, Edge) else literal(x) for x in value.inputs]
            made[value] = formula(value.op, words, params_of(value.node))
        written[value] = stands_for(value) or (made[value] if len(made[value][0]) <= 40 else DOTS)
    return made
