"""Kinks and ties: where a function has no derivative, and what is given instead.

At a corner, a tie or the edge of a domain an engine has to choose. Every choice here is
PyTorch's, and the tests hold both engines to it. The derivatives are those of reverse mode.
The table is data: the book prints it.
"""

import math
from collections import namedtuple

Kink = namedtuple("Kink", ["written", "f", "at", "derivative", "why"])

inf, nan = math.inf, math.nan

# Each row: how it is written, the function (it runs on either engine), the inputs, the
# derivative by each of them, and a word on why. A list stands for a vector.
# fmt: off
KINKS = [
    Kink("|x|",             lambda x: x.abs(),               [0.0],        [0.0],        "between the slopes -1 and 1"),
    Kink("relu(x)",         lambda x: x.relu(),              [0.0],        [0.0],        "the slope on the left"),
    Kink("relu(x)",         lambda x: x.relu(),              [nan],        [1.0],        "nan is not on the flat side"),
    Kink("sign(x)",         lambda x: x.sign(),              [0.0],        [0.0],        "flat on both sides, the step is not seen"),
    Kink("sign(x)",         lambda x: x.sign(),              [nan],        [0.0],        "the value is 0, too"),
    Kink("floor(x)",        lambda x: x.floor(),             [2.0],        [0.0],        "flat on both sides, the step is not seen"),
    Kink("round(x)",        lambda x: x.round(),             [0.5],        [0.0],        "flat on both sides, the step is not seen"),
    Kink("clamp(x, 0, 1)",  lambda x: x.clamp(0.0, 1.0),     [1.0],        [1.0],        "the bounds belong to the inside"),
    Kink("sqrt(x)",         lambda x: x.sqrt(),              [0.0],        [inf],        "the limit"),
    Kink("log(x)",          lambda x: x.log(),               [0.0],        [inf],        "the limit"),
    Kink("asin(x)",         lambda x: x.asin(),              [1.0],        [inf],        "the limit"),
    Kink("x^0",             lambda x: x**0,                  [0.0],        [0.0],        "a constant"),
    Kink("x^1.5",           lambda x: x**1.5,                [0.0],        [0.0],        "the limit from the right"),
    Kink("x^0.5",           lambda x: x**0.5,                [0.0],        [inf],        "the limit from the right"),
    Kink("x^y",             lambda x, y: x**y,               [0.0, 0.0],   [0.0, 0.0],   "0^0 is 1, and neither input moves it"),
    Kink("x^y",             lambda x, y: x**y,               [0.0, 2.0],   [0.0, 0.0],   "0^y stays 0 near y = 2"),
    Kink("x^y",             lambda x, y: x**y,               [-2.0, 2.0],  [-4.0, nan],  "no logarithm of a negative base"),
    Kink("max(x, y)",       lambda x, y: x.maximum(y),       [1.0, 1.0],   [0.5, 0.5],   "equals share"),
    Kink("max(x, y)",       lambda x, y: x.maximum(y),       [inf, nan],   [1.0, 1.0],   "neither is below the other"),
    Kink("fmax(x, y)",      lambda x, y: x.fmax(y),          [1.0, 1.0],   [1.0, 0.0],   "the first of equals"),
    Kink("max x",           lambda x: x.max(),               [[2.0, 2.0]], [[0.5, 0.5]], "equals share"),
    Kink("amax x",          lambda x: x.amax(0),             [[2.0, 2.0]], [[0.5, 0.5]], "equals share"),
    Kink("max x, along an axis",  lambda x: x.max(0).values, [[2.0, 2.0]], [[1.0, 0.0]], "there is one position, the first"),
    Kink("first of sort x", lambda x: x.sort(stable=True).values[0], [[2.0, 2.0]], [[1.0, 0.0]], "equals keep their order"),
    Kink("last of cummax x", lambda x: x.cummax(0).values[-1], [[2.0, 2.0]], [[0.0, 1.0]], "the last of equals"),
    Kink("|x| of a vector", lambda x: x.norm(),              [[0.0, 0.0]], [[0.0, 0.0]], "the middle of all unit vectors"),
    Kink("|x|_1",           lambda x: x.norm(1),             [[0.0, 3.0]], [[0.0, 1.0]], "as |x|"),
    Kink("|x|_inf",         lambda x: x.norm(inf),           [[3.0, -3.0]], [[0.5, -0.5]], "equals share"),
    Kink("hypot(x, y)",     lambda x, y: x.hypot(y),         [0.0, 0.0],   [nan, nan],   "0 / 0: unlike the norm"),
    Kink("atan2(y, x)",     lambda y, x: y.atan2(x),         [0.0, 0.0],   [0.0, 0.0],   "any angle will do"),
    Kink("std x",           lambda x: x.std(0),              [[1.0, 1.0]], [[0.0, 0.0]], "as the norm, of the deviations"),
    Kink("product of x",    lambda x: x.prod(),              [[0.0, 2.0]], [[2.0, 0.0]], "no kink: the product of the others"),
    Kink("logsumexp x",     lambda x: x.logsumexp(0),        [[-inf, 0.0]], [[0.0, 1.0]], "e^-inf is 0"),
    Kink("x if x > 0 else 0 log x", lambda x: (x * 2).where(x > 0, x.log() * 0), [1.0], [2.0], "what is not taken gets 0"),
    Kink("2x if x < 1 else sqrt x", lambda x: (x * 2).where(x < 1, x.sqrt()), [0.0], [nan], "backward, the branch not taken sends 0, times its slope inf; forward, 2"),
    Kink("2x if x < 1 else log x",  lambda x: (x * 2).where(x < 1, x.log()),  [-1.0], [2.0], "the value nan is not taken, and 0 / x is 0"),
    Kink("nan_to_num(x)",   lambda x: x.nan_to_num(),        [nan],        [0.0],        "a constant"),
    Kink("x mod y",         lambda x, y: x.remainder(y),     [4.0, 2.0],   [1.0, -2.0],  "the slope on the right"),
]
# fmt: on


def table():
    """The conventions as a table in Markdown.

    >>> print(table()[:101])
    | function | at | derivative | because |
    |---|---|---|---|
    | \\|x\\| | 0 | 0 | between the slopes...
    """
    rows = [
        f"| {k.written.replace('|', chr(92) + '|')} | {listed(k.at)} | {listed(k.derivative)} | {k.why} |"
        for k in KINKS
    ]
    return "\n".join(["| function | at | derivative | because |", "|---|---|---|---|", *rows])


def listed(numbers):
    """Numbers as one writes them: vectors in brackets.

    >>> listed([1.0, [2.0, 0.5]])
    '1, (2, 0.5)'
    """
    return ", ".join(f"({listed(x)})" if isinstance(x, list) else f"{x:g}" for x in numbers)
