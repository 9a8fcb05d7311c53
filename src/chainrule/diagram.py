"""The graph of a result as data: which values there are, how each was made, what each is worth.

The tape holds what the way back needs. A reader wants more: names, the values in between,
every adjoint, the local derivative on every edge. They are found here, by loops, and kept
apart from the tape, which is only read. `chainrule.draw` makes a picture and a text of it.
"""

import math
from functools import cached_property
from heapq import heapify, heappop, heappush

import numpy as np

from . import inplace
from .functions import plain
from .op import given
from .reverse import fit
from .tape import LITERALS, Bundle, Leaf, Node, new
from .tensor import Tensor


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
        return "" if self.op is None else WORDS.get(self.op.name, self.op.name.lower())

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
        return pull(self.target, t, self.slot)

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
        self.inside = inside

    def pull(self, t):
        waiting, arrived = {self.target: t}, None
        for value in [self.target, *self.inside]:
            t = waiting.pop(value)
            for edge in edges_into(value):
                if edge.source is not self.source and edge.source not in self.inside:
                    continue
                part = edge.pull(t)
                if part is None:
                    return None
                if edge.source is self.source:
                    arrived = part if arrived is None else arrived + part
                else:
                    before = waiting.get(edge.source)
                    waiting[edge.source] = part if before is None else before + part
        return arrived


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
    """The values and edges behind a result.

    nodes     the Values shown, in the order in which they were computed
    edges     the Edges shown, in the order of their targets
    values    all Values: with `fold`, also those between the ones that are shown
    results   the Values of what was given
    left_out  how many older values were left out
    """

    def __init__(self, outputs, names, most=200, fold=False):
        build = Build(outputs, names, most)
        self.values, self.results = build.in_order(), build.results
        self.left_out, self.partial = build.left_out, build.partial
        christen(self.values, names, fold)
        self.nodes = [value for value in self.values if value.name is not None]
        for i, value in enumerate(self.nodes):
            value.id = f"n{i}"
        write_formulas(self.values)
        self.edges = [edge for value in self.nodes for edge in (folds(value) if fold else edges_into(value))]
        with np.errstate(all="ignore"):
            evaluate(self.values)

    def __getitem__(self, name):
        """The Value of this name, or of this Tensor. Raises KeyError with the names there are."""
        if isinstance(name, Value):
            return name
        fits = stands_for if isinstance(name, Tensor) else lambda value, name: value.name == name
        for value in self.nodes:
            if fits(value, name):
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
    return value.node is x.node if x.node is not None else value.kind == "constant" and value.value is plain(x)


# ---- what the tape holds


def newest(roots, most):
    """The nodes behind `roots`, oldest first: the newest `most`, with the leaves that these use.

    Returns them, how many others there are, and the leaves that some of those others use too.
    """
    heap = [(node.number, node) for node in {id(node): node for node in roots}.values()]
    seen = {number for number, _ in heap}
    heapify(heap)
    chosen = []
    while heap and len(chosen) < most:
        _, node = heappop(heap)
        chosen.append(node)
        for parent in parents(node):
            if parent is not None and parent.number not in seen:
                seen.add(parent.number)
                heappush(heap, (parent.number, parent))
    rest = [node for _, node in heap]
    leaves = [node for node in rest if type(node) is Leaf][:most]
    chosen += leaves
    known = {node.number for node in chosen}
    others, shared = beyond([node for node in rest if node.number not in known], known)
    return sorted(chosen, key=lambda node: -node.number), others, shared


def beyond(nodes, known):
    """How many nodes lie at and behind `nodes`, and which of the `known` ones they use."""
    seen, shared, waiting = {node.number for node in nodes}, set(), list(nodes)
    while waiting:
        for parent in parents(waiting.pop()):
            if parent is None:
                continue
            if parent.number in known:
                shared.add(parent.number)
            elif parent.number not in seen:
                seen.add(parent.number)
                waiting.append(parent)
    return len(seen), shared


def parents(node):
    """The nodes of the inputs, None for a constant."""
    if type(node) is Leaf:
        return ()
    if type(node.from_a) is Bundle:
        return node.from_a.nodes
    return (node.from_a, node.from_b)[: len(row(node).inputs)]


def row(node):
    """The operation of `node`, also after its node has let go of what it kept."""
    return getattr(node.op, "op", node.op)


def shape_of(like):
    return like[0] if type(like) is tuple else ()


# ---- from the tape to Values


class Names:
    """The user's variables, asked what a node or an array is called.

    Only Tensors and arrays count. When several names fit, the first one bound is taken;
    what lists, tuples and dicts hold comes after all plain variables. Names that begin with
    an underscore, and IPython's history, are passed over.
    """

    def __init__(self, namespace):
        self.of_node, self.of_array, self.tensors = {}, {}, []
        for name, x in variables(namespace):
            if isinstance(x, Tensor) and x.node is not None:
                self.of_node.setdefault(id(x.node), (name, x))
                self.tensors.append(x)
            else:
                array = x.array if isinstance(x, Tensor) else x
                self.of_array.setdefault(id(array), name)
        self.taken = {name for name, _ in variables(namespace)}

    def holder(self, node):
        """The tensor that holds the result of `node`, or None."""
        return self.of_node.get(id(node), (None, None))[1]


def variables(namespace):
    """Pairs of a name and a Tensor or array: first the variables, then what containers hold."""
    containers = []
    for name, x in list(namespace.items()):
        if not isinstance(name, str) or name.startswith("_") or name in ("In", "Out"):
            continue
        if isinstance(x, Tensor | np.ndarray):
            yield name, x
        elif type(x) in (list, tuple, dict) and len(x) <= 1000:
            containers.append((name, x))
    for name, xs in containers:
        for key, x in list(xs.items() if isinstance(xs, dict) else enumerate(xs)):
            if isinstance(x, Tensor | np.ndarray):
                yield f"{name}[{key!r}]", x


class Build:
    """Makes the Values and Edges behind some results, and follows detached values to where they came from.

    found      the Value of each node, by the node's identity
    constants  the Value of each constant, by its array's identity
    """

    def __init__(self, outputs, names, most):
        self.names, self.most, self.found, self.constants = names, most, {}, {}
        self.left_out, shared = self.add([y.node for y in outputs if y.node is not None], active=True)
        self.partial = {value for value in self.found.values() if value.node.number in shared}
        self.results = [self.constant(y.array) if y.node is None else self.found[id(y.node)] for y in outputs]
        for value in self.results:
            value.result = True
        self.link_detached()

    def add(self, roots, active):
        """Add the Values of the nodes behind `roots`. Returns what `newest` says of those left out."""
        nodes, left_out, shared = newest(roots, self.most)
        for node in nodes:
            if id(node) not in self.found:
                value = Value("leaf" if type(node) is Leaf else "operation", node, None, shape_of(node.like))
                value.active, value.holder = active, self.names.holder(node)
                self.found[id(node)] = value
                if type(node) is not Leaf:
                    value.op = row(node)
                    value.inputs = [self.input(value, slot, parent) for slot, parent in enumerate(parents(node))]
        return left_out, shared

    def input(self, value, slot, parent):
        """What `value` took as input `slot`: an Edge, a plain number, or None for what was left out."""
        kept = kept_input(value.node, slot)
        if parent is not None:
            source = self.found.get(id(parent))
        elif kept is None:
            source = self.constants[id(value), slot] = Value("constant", shape=missing_shape(value.node, slot))
        elif type(kept) in LITERALS and id(kept) not in self.names.of_array:
            return kept
        else:
            source = self.constant(kept)
        if source is None:
            return None
        edge = Edge(source, value, slot)
        source.uses.append(edge)
        return edge

    def constant(self, array):
        """The one Value of a constant, however often it is used."""
        if id(array) not in self.constants:
            value = Value("constant", None, plain(array), np.shape(plain(array)))
            value.key = id(array)
            self.constants[id(array)] = value
        return self.constants[id(array)]

    def link_detached(self):
        """Find, for what was detached, where it came from, and add that too, as far as it can be seen."""
        origins = memories(self.names.tensors, self.found.values())
        waiting = self.values()
        while waiting:
            value = waiting.pop()
            origin = origin_of(value, origins)
            if origin is not None:
                before = set(self.values())
                self.add([origin], active=False)
                value.twin = self.found[id(origin)]
                waiting += [value for value in self.values() if value not in before]

    def values(self):
        return [*self.constants.values(), *self.found.values()]

    def in_order(self):
        """All Values in the order of computing; a constant stands before its first use."""
        ordered = {}
        for value in sorted(self.found.values(), key=lambda value: -value.node.number):
            for edge in edges_into(value):
                ordered.setdefault(edge.source)
            ordered.setdefault(value)
        return list(ordered | dict.fromkeys(self.constants.values()))


def edges_into(value):
    """The Edges among the inputs of `value`."""
    return [x for x in value.inputs if isinstance(x, Edge)]


def kept_input(node, slot):
    return None if type(node.from_a) is Bundle else (node.a, node.b)[slot]


def missing_shape(node, slot):
    """The shape of a constant that was not kept, if the operation on a list noted it."""
    return node.params["x_shape"][slot] if type(node.from_a) is Bundle else None


# ---- what detach cut


def address(array):
    """Where an array's values lie, for comparison; None for a number, which has no memory."""
    if not isinstance(array, np.ndarray):
        return None
    return id(inplace.owner(array)), array.ctypes.data, array.shape


def memories(tensors, values):
    """For each piece of memory, the nodes whose result lies there: of variables first, then of the graph."""
    places = {}
    leaves = [x for value in values if value.kind == "leaf" and (x := value.node.variable()) is not None]
    kept = [(value.node, value.node.y) for value in values if value.kind == "operation"]
    for node, array in [*((x.node, x.array) for x in [*tensors, *leaves]), *kept]:
        if (place := address(array)) is not None:
            places.setdefault(place, []).append(node)
    return places


def origin_of(value, origins):
    """The node from whose result `value` was detached, or None if that cannot be seen."""
    if value.kind == "constant":
        return next(iter(origins.get(address(value.value), ())), None)
    if value.kind == "leaf" and (x := value.node.variable()) is not None:
        nodes = origins.get(address(x.array), ())
        return next((node for node in nodes if node.number > value.node.number), None)
    return None


# ---- names


def christen(values, names, fold):
    """Give every Value a name: that of a variable, else v1, v2, ... in the order of computing.

    With `fold`, operations that no variable holds stay without, unless they are a result.
    """
    for value in values:
        if value.node is not None:
            value.name = names.of_node.get(id(value.node), (None, None))[0]
        else:
            value.name = names.of_array.get(value.key)
        value.named = value.name is not None
    counts, taken, origins = dict.fromkeys("vxc", 0), names.taken, {value.twin for value in values}
    for value in values:
        letter = {"operation": "v", "leaf": "x", "constant": "c"}[value.kind]
        if fold and letter == "v" and not value.result and value not in origins:
            continue
        while value.name is None:
            counts[letter] += 1
            name = f"{letter}{counts[letter]}"
            value.name = None if name in taken else name


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
    return value.op.value(*inputs, **given(params_of(node)))


def unwritten(array, moment):
    """Whether the memory of `array` is as it was at `moment`."""
    return all(written > moment for written in inplace.moments(plain(array)))


def params_of(node):
    return getattr(node, "params", None) or {}


def arguments(value):
    """The values of the inputs, None for what is unknown."""
    return [x.source.value if isinstance(x, Edge) else x for x in value.inputs]


# ---- derivatives, backward


def kept_for(value):
    """An object with y, a, b and params, as the rules want it, from what is known of `value`."""
    kept = new(Node)
    kept.y, kept.params = value.value, params_of(value.node)
    kept.a, kept.b = (*arguments(value), None, None)[:2] if type(value.node.from_a) is not Bundle else (None, None)
    return kept


def pull(value, t, slot):
    """What input `slot` of `value` receives for the cotangent `t`, or None if a value it needs is unknown."""
    bundle = type(value.node.from_a) is Bundle
    rule = 0 if bundle else slot
    kept = kept_for(value)
    for name in value.op.needs[rule] & {"y", "a", "b", "x"}:
        if getattr(kept, "a" if name == "x" else name) is None:
            return None
    part = value.op.pulls[rule](t, kept)
    source = value.inputs[slot].source
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
            value.adjoint = t if value.adjoint is None else value.adjoint + t
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
                known = edge.source.adjoint
                edge.source.adjoint = edge.contribution if known is None else known + edge.contribution


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


# ---- how an operation is written

# Operators, and how strongly they bind.
OPERATORS = {
    "Add": ("{} + {}", 1), "Sub": ("{} - {}", 1), "Mul": ("{} * {}", 2), "Div": ("{} / {}", 2), "Neg": ("-{}", 3),
    "Dot": ("{} @ {}", 2), "Mv": ("{} @ {}", 2), "Mm": ("{} @ {}", 2), "Bmm": ("{} @ {}", 2), "Pow": ("{} ** {}", 4),
}  # fmt: skip
ATOM = 5

WORDS = {
    "LinalgVectorNorm": "norm", "View": "reshape", "LogSoftmax": "log_softmax", "ToCopy": "astype", "SumTo": "sum_to",
    "Dot": "matmul", "Mv": "matmul", "Mm": "matmul", "Bmm": "matmul", "CopySlices": "write", "IndexPut": "scatter",
}  # fmt: skip

SHOWN = ("axis", "shape", "dtype")


def write_formulas(values):
    """Write every operation as one does in Python, in terms of names; what has none is written out."""
    written = {}
    for value in values:
        if value.op is not None:
            value.formula, strength = formula(value, written)
        if value.name is not None:
            written[value] = (value.name, ATOM)
        else:
            written[value] = (value.formula, strength) if len(value.formula) <= 40 else ("...", ATOM)


def formula(value, written):
    """How `value` was made, and how strongly that binds."""
    inputs = [written[x.source] if isinstance(x, Edge) else literal(x) for x in value.inputs]
    params = params_of(value.node)
    if value.op.name in OPERATORS:
        template, strength = OPERATORS[value.op.name]
        bounds = (strength + (strength >= 3), strength + 1)
        return template.format(*(enclosed(x, bound) for x, bound in zip(inputs, bounds))), strength
    if value.op.name in ("Select", "Slice", "Index"):
        return f"{enclosed(inputs[0], ATOM)}[{spell_index(params['index'])}]", ATOM
    words = [x for x, _ in inputs]
    if len(words) > 6:
        words[3:-1] = ["..."]
    words += [f"{name}={spell_param(params[name])}" for name in SHOWN if params.get(name) is not None]
    return f"{value.operation}({', '.join(words)})", ATOM


def literal(x):
    """A plain number among the inputs, or dots for an input that was left out."""
    return ("...", ATOM) if x is None else (number(x), 3 if x < 0 else ATOM)


def enclosed(x, bound):
    """A part of a formula, in parentheses if it binds less than it must."""
    words, strength = x
    return words if strength >= bound else f"({words})"


def spell_param(x):
    return str(x[0]) if type(x) is tuple and len(x) == 1 else str(x)


def spell_index(index):
    """An index as it stands between brackets; an array of positions as three dots."""
    parts = index if type(index) is tuple else (index,)
    return ", ".join(spell_part(part) for part in parts)


def spell_part(part):
    if isinstance(part, slice):
        ends = [":" if x is None else f"{x}:" for x in (part.start,)] + ["" if part.stop is None else f"{part.stop}"]
        return "".join(ends) + ("" if part.step is None else f":{part.step}")
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        return str(part)
    return "None" if part is None else "..."


def number(x):
    """A number with few digits: all of a whole number below ten million, else four that count.

    >>> [number(x) for x in (7.0, 0.16619, -1.5, 204800.0, -147154.796875, 1e-9, 2**40, True)]
    ['7', '0.1662', '-1.5', '204800', '-147154.8', '1e-09', '1.1e+12', 'True']
    """
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    x = float(x)
    size = abs(x)
    if not math.isfinite(x):
        return str(x)
    if x == round(x) and size < 1e7:
        return str(int(x))
    return f"{x:.1f}" if 1000 <= size < 1e6 else f"{x:.4g}"


def numbers(x, shape=None):
    """A value in little room: a number, a short list, or how many numbers there are.

    >>> numbers(np.array([1.0, 4.0, 9.0])), numbers(np.zeros((3, 4))), numbers(None, (100,))
    ('[1, 4, 9]', '3x4', '100 numbers')
    """
    shape = np.shape(x) if x is not None else shape
    if shape == () and x is not None:
        return number(np.asarray(x)[()])
    if x is not None and math.prod(shape) <= 6:
        written = str(nested(np.asarray(x)))
        if len(written) <= 24:
            return written
    if not shape:
        return "?"
    return "x".join(map(str, shape)) if len(shape) > 1 else f"{shape[0]} numbers"


def nested(x):
    """The numbers of an array as nested brackets."""
    if x.ndim == 0:
        return number(x[()])
    return f"[{', '.join(nested(part) for part in x)}]"
