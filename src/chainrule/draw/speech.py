"""Derivatives in words: what an edge does with a cotangent or a tangent, by name and in numbers.

The formulas are those of the table. A rule is a function in plain NumPy; run on `Words` instead
of numbers, it writes itself down.
"""

import re
import sys

import numpy as np

from .. import rules
from ..methods import Methods
from ..tape import Node
from .diagram import Edge, formulas, params_of
from .spelling import ATOM, formula, literal, mathematical, numbers


def short(x, shape=None):
    """A value in little room, with a minus as in print."""
    return mathematical(numbers(x, shape))


def is_short(x):
    return not re.fullmatch(r"\?|\d+(x\d+)+|\d+ numbers", numbers(x))


def amount(x):
    """A value at the end of a sentence."""
    return short(x) if is_short(x) or np.ndim(x) == 1 else f"{short(x)} numbers"


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
        if op.family != "elementwise" or params or op is rules.past_zero:
            raise Unspeakable(op.name)
        if op is rules.pow and not isinstance(inputs[1], Words) and inputs[1] == 1:
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
