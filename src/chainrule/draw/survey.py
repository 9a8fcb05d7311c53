"""Reading the tape for a drawing: which nodes are behind a result, and what the user calls them.

Nothing is computed here. From nodes come Values and Edges; names come from the user's
variables; what was detached is followed to where it came from, as far as that can be seen.
"""

from heapq import heapify, heappop, heappush

import numpy as np

from .. import inplace
from ..functions import plain
from ..tape import LITERALS, Bundle, Leaf
from ..tensor import Tensor
from .diagram import Edge, Value, edges_into, kept_input

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


# ---- what the user calls it


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
            elif isinstance(x, Tensor):
                self.of_array.setdefault(id(x.array), name)
            self.of_array.setdefault(id(x), name)
        self.taken = {name for name, _ in variables(namespace)}

    def holder(self, node):
        """The tensor that holds the result of `node`, or None."""
        return self.of_node.get(id(node), (None, None))[1]

    def name_of(self, value):
        """What the user calls `value`, or None."""
        if value.node is None:
            return self.of_array.get(value.key)
        return self.of_node.get(id(value.node), (None, None))[0]


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


# ---- from nodes to Values


class Survey:
    """Makes the Values and Edges behind some results, and follows detached values to where they came from.

    outputs    the Tensors that the graph ends in
    names      a Names
    most       how many nodes to take at most; `left_out` counts the others
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

    def christen(self, values, fold):
        """Give every Value a name: that of a variable, else v1, v2, ... in the order of computing.

        With `fold`, operations that no variable holds stay without, unless they are a result
        or what a detached value came from.
        """
        for value in values:
            value.name = self.names.name_of(value)
            value.named = value.name is not None
        counts, origins = dict.fromkeys("vxc", 0), {value.twin for value in values}
        for value in values:
            letter = {"operation": "v", "leaf": "x", "constant": "c"}[value.kind]
            if fold and letter == "v" and not value.result and value not in origins:
                continue
            while value.name is None:
                counts[letter] += 1
                name = f"{letter}{counts[letter]}"
                value.name = None if name in self.names.taken else name


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
