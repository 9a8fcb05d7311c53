"""A pass through a graph, step by step, in sentences.

The numbers are the graph's own. The formulas are those of the table: `spelled` runs a rule on
words instead of numbers, so that it writes itself down.
"""

import re
import sys
import unicodedata
from typing import NamedTuple

import numpy as np

from .. import rules
from ..methods import Methods
from ..tape import Node
from .diagram import Edge, formulas, params_of
from .spelling import ATOM, formula, literal, mathematical, numbers


class Step(NamedTuple):
    """One step of a pass.

    way     "forward" or "backward"
    words   what happens, as a sentence that ends in the number it gives
    value   the Value that it happens to
    edges   the Edges along which
    shown   what is then known of the tangent or the adjoint of `value`; "" if that has not changed
    """

    way: str
    words: str
    value: object
    edges: tuple
    shown: str = ""


def barred(name):
    """The name of the adjoint of a value.

    >>> barred("v4"), barred("w[0]"), barred("loss")
    ('v̄4', 'w̄[0]', 'loss_bar')
    """
    return marked(name, "\N{COMBINING MACRON}", "_bar")


def dotted(name):
    """The name of the tangent of a value.

    >>> dotted("v4"), dotted("loss")
    ('v̇4', 'loss_dot')
    """
    return marked(name, "\N{COMBINING DOT ABOVE}", "_dot")


def marked(name, sign, word):
    """The name with a sign above a single letter, or with a word after more than one."""
    if found := re.fullmatch(r"([^\W\d_])(\d*(?:\W.*)?)", name, re.DOTALL):
        return unicodedata.normalize("NFC", found[1] + sign) + found[2]
    letters = re.match(r"\w*", name)[0]
    return letters + word + name[len(letters) :]


def short(x, shape=None):
    """A value in little room, with a minus as in print."""
    return mathematical(numbers(x, shape))


def is_short(x):
    return not re.fullmatch(r"\?|\d+(x\d+)+|\d+ numbers", numbers(x))


def amount(x):
    """A value at the end of a sentence."""
    return short(x) if is_short(x) or np.ndim(x) == 1 else f"{short(x)} numbers"


def equation(*sides):
    """The sides with equals signs between them; what is unknown or says the same again is left out."""
    return " = ".join(dict.fromkeys(filter(None, sides)))


def named(value):
    return value.name and (value.name, ATOM)


def worth(value):
    """The number that stands for a value in a formula; its name where there are too many."""
    if value.name is None:
        return None
    return quantity(value.value) if is_short(value.value) else (value.name, ATOM)


def quantity(x):
    words = numbers(x)
    return words, 3 if words.startswith("-") else ATOM


# ---- the steps


def forward(graph):
    """The way forward: every value in the order of computing."""
    words, digits = formulas(graph.values, named), formulas(graph.values, worth)
    for value in graph.nodes:
        yield Step("forward", made(value, words, digits), value, tuple(graph.edges_into(value)))


def made(value, words, digits):
    """How a value came about: by name, in numbers, and what it is."""
    start = value.name if value.op else f"{value.kind} {value.name}"
    sides = [mathematical(words[value][0])] if value.op else []
    sides += [f"{value.twin.name}.detach()"] if value.twin is not None else []
    if value.value is None:
        return f"{equation(start, *sides)}, which nothing has kept"
    sides += [mathematical(digits[value][0])] if value.op else []
    return equation(start, *sides, amount(value.value))


def backward(graph, seeds):
    """The way back, newest value first: what each receives, what that adds up to, what it sends on.

    seeds  pairs of a result and the cotangent it starts with; the adjoints have been found
    """
    speech = Speech(graph, barred, lambda value: value.adjoint)
    parts = {value: [] for value in graph.nodes}
    most = {value: len(senders(graph, value)) + sum(y is value for y, _ in seeds) for value in graph.nodes}
    for value, t in seeds:
        parts[value].append(t)
        words = f"The way back starts with {equation(barred(value.name), amount(t))}"
        yield Step("backward", words, value, (), so_far(parts[value], most[value]))
    for value in reversed(graph.nodes):
        if most[value] > 1:
            words = f"{barred(value.name)}: {equation(added(parts[value]), amount(value.adjoint))}"
            yield Step("backward", words, value, senders(graph, value), short(value.adjoint))
        if value.twin is not None:
            origin = value.twin.name
            yield Step("backward", f"{value.name} = {origin}.detach(): no cotangent flows back to {origin}", value, ())
        for edge in graph.edges_into(value):
            if edge.contribution is not None:
                parts[edge.source].append(edge.contribution)
                words = equation(*speech.back(edge), amount(edge.contribution))
                shown = so_far(parts[edge.source], most[edge.source])
                yield Step("backward", f"{barred(edge.source.name)} gets {words}", edge.source, (edge,), shown)


def senders(graph, value):
    """The Edges along which `value` receives a part of its adjoint."""
    return tuple(edge for edge in graph.edges_from(value) if edge.contribution is not None)


def so_far(parts, most):
    """What is known of an adjoint when some of its parts have come."""
    if most == 1:
        return short(parts[0])
    words = added(parts) + (" + …" if len(parts) < most else "")
    return words if len(words) <= 16 else f"{len(parts)} of {most} parts"


def added(parts):
    """A sum in numbers, as long as it can be read.

    >>> added([12.0, 8.0, -5.0])
    '12 + 8 − 5'
    """
    if not all(map(is_short, parts)):
        return f"the sum of {len(parts)} parts"
    return " + ".join(map(short, parts)).replace("+ −", "− ")


def tangents_forward(graph, tangents):
    """The way forward with two numbers at once: each value, and its tangent where it has one.

    tangents  a dict from leaves to their tangents; it is filled in for all that depends on them
    """
    speech = Speech(graph, dotted, tangents.get)
    for step in forward(graph):
        value, sides = step.value, []
        if edges := [edge for edge in step.edges if edge.source in tangents]:
            parts = [np.tensordot(e.derivative, tangents[e.source], len(e.source.shape))[()] for e in edges]
            tangents[value] = sum(parts[1:], parts[0])
            said = zip(*map(speech.forth, edges), strict=True)
            sides = [" + ".join(words).replace("+ −", "− ") for words in said if all(words)]
        if value in tangents:
            t = tangents[value]
            words = f"{step.words};  {equation(dotted(value.name), *sides, amount(t))}"
            yield step._replace(words=words, shown=short(t))
        else:
            yield step if value.twin is None else step._replace(words=f"{step.words}; no tangent flows on")


# ---- derivatives in words


class Words(Methods):
    """Something that writes down what is done with it.

    >>> x = Words("x", ATOM)
    >>> (1 - 2 * x).words
    '1 - 2 * x'
    """

    __slots__ = ("words", "strength")
    level = sys.maxsize
    shape, ndim, dtype = (), 0, np.dtype(float)

    def __init__(self, words, strength):
        self.words, self.strength = words, strength

    def apply(self, op, inputs, params):
        if op.family != "elementwise" or params:
            raise Unspeakable(op.name)
        if op is rules.pow and inputs[1] == 1:
            return inputs[0]
        said = [(x.words, x.strength) if isinstance(x, Words) else literal(x) for x in inputs]
        if op is rules.mul and "/" not in said[1][0] and said[1][1] == 2:
            said[1] = said[1][0], ATOM  # a (b c) = a b c
        return Words(*formula(op, said, params))


class Unspeakable(Exception):
    """A rule does more than compute number by number."""


class Speech:
    """Says what an edge does with a cotangent or a tangent, by name and in numbers.

    mark    a function of a name: what its cotangent or tangent is called
    number  a function of a Value: its cotangent or tangent
    """

    def __init__(self, graph, mark, number):
        self.mark, self.number = mark, number
        self.made = formulas(graph.values, named)

    def name(self, value):
        return named(value) or self.made[value]

    def back(self, edge):
        """The contribution of `edge` to the adjoint of its source: a formula, and the same in numbers."""
        return self.said(edge, edge.target, back=True)

    def forth(self, edge):
        """What the tangent of its target gets by `edge`: a formula, and the same in numbers."""
        return self.said(edge, edge.source, back=False)

    def said(self, edge, origin, back):
        t, x = self.mark(origin.name), self.number(origin)
        if (words := spelled(edge, (t, ATOM), self.name, back)) and len(words) <= 60:
            digits = is_short(x) and spelled(edge, quantity(x), lambda v: worth(v) or quantity(v.value), back)
            return mathematical(words), mathematical(digits) if digits and len(digits) <= 60 else ""
        if edge.target.shape == edge.source.shape == ():
            slope = f"∂{edge.target.name}/∂{edge.source.name}"
            return f"{t} · {slope}", f"{in_product(x)} · {in_product(edge.derivative)}"
        return f"{t} {'pulled back' if back else 'pushed'} through {mathematical(edge.target.formula)}", ""


def in_product(x):
    words = short(x)
    return f"({words})" if words.startswith("−") else words


def spelled(edge, t, words, back):
    """What the rule of `edge` makes of `t`, in words; None where it does more than compute number by number.

    words  a function of a Value: the words for it, and how strongly they bind
    back   whether t is a cotangent: then what broadcasting has repeated is summed
    """

    def rule(step, t):
        op, kept = step.target.op, Node()
        if op.family != "elementwise":
            raise Unspeakable(op.name)
        kept.y, kept.params = Words(*words(step.target)), params_of(step.target.node)
        inputs = [Words(*words(x.source)) if isinstance(x, Edge) else x for x in step.target.inputs]
        kept.a, kept.b = (*inputs, None)[:2]
        part = op.pulls[step.slot](t, kept)
        if not isinstance(part, Words):
            raise Unspeakable(op.name)
        return Words(f"sum({part.words})", ATOM) if back and step.source.shape != step.target.shape else part

    try:
        return edge.along(Words(*t), rule).words
    except Unspeakable:
        return None
