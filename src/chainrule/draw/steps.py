"""A pass through a graph, step by step, in sentences.

The numbers are the graph's own; the formulas of derivatives come from `chainrule.draw.speech`.
"""

import re
import unicodedata
from typing import NamedTuple

import numpy as np

from .diagram import formulas
from .speech import Speech, amount, is_short, named, short, worth
from .spelling import mathematical


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


def equation(*sides):
    """The sides with equals signs between them; what is unknown or says the same again is left out."""
    return " = ".join(dict.fromkeys(filter(None, sides)))


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
