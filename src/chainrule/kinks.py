"""Kinks and ties: where a function has no derivative, and what is given instead.

At a corner, a tie or the edge of a domain an engine has to choose. Every choice here is
PyTorch's, and the tests hold both engines to it. The derivatives are those of reverse mode.
The table is data: the book prints it.
"""

import math
from collections import namedtuple

from . import course

Kink = namedtuple("Kink", ["written", "f", "at", "derivative", "why"])

inf, nan = math.inf, math.nan

# Each row: how it is written, the function (it runs on either engine), the inputs, the
# derivative by each of them, and a word on why. A list stands for a vector. In groups.
# fmt: off
KINKS = {
    "corners and steps": [
        Kink("|x|",             lambda x: x.abs(),               [0.0],        [0.0],        "between the slopes -1 and 1"),
        Kink("|x|",             lambda x: x.abs(),               [nan],        [0.0],        "the sign of nan is 0"),
        Kink("relu(x)",         lambda x: x.relu(),              [0.0],        [0.0],        "the slope on the left"),
        Kink("relu(x)",         lambda x: x.relu(),              [nan],        [1.0],        "nan is not on the flat side"),
        Kink("sign(x)",         lambda x: x.sign(),              [0.0],        [0.0],        "flat on both sides, the step is not seen"),
        Kink("sign(x)",         lambda x: x.sign(),              [nan],        [0.0],        "the value is 0, too"),
        Kink("floor(x)",        lambda x: x.floor(),             [2.0],        [0.0],        "flat on both sides, the step is not seen"),
        Kink("round(x)",        lambda x: x.round(),             [0.5],        [0.0],        "flat on both sides, the step is not seen"),
        Kink("x - floor(x)",    lambda x: x - x.floor(),         [2.0],        [1.0],        "the slope on both sides, the fall is not seen"),
        Kink("clamp(x, 0, 1)",  lambda x: x.clamp(0.0, 1.0),     [0.0],        [1.0],        "the bounds belong to the inside"),
        Kink("clamp(x, 0, 1)",  lambda x: x.clamp(0.0, 1.0),     [1.0],        [1.0],        "the bounds belong to the inside"),
        Kink("clamp(x, 0, 1)",  lambda x: x.clamp(0.0, 1.0),     [nan],        [0.0],        "nan is not inside"),
        Kink("sqrt(relu(x))",   lambda x: x.relu().sqrt(),       [-1.0],       [0.0],        "relu cuts off also what is infinite"),
        Kink("x mod y",         lambda x, y: x.remainder(y),     [4.0, 2.0],   [1.0, -2.0],  "the slope on the right"),
    ],
    "edges of a domain": [
        Kink("sqrt(x)",         lambda x: x.sqrt(),              [0.0],        [inf],        "the limit"),
        Kink("sqrt(x)",         lambda x: x.sqrt(),              [-1.0],       [nan],        "as the value"),
        Kink("log(x)",          lambda x: x.log(),               [0.0],        [inf],        "the limit"),
        Kink("log(x)",          lambda x: x.log(),               [-1.0],       [-1.0],       "1 / x, though the value is nan"),
        Kink("asin(x)",         lambda x: x.asin(),              [1.0],        [inf],        "the limit"),
        Kink("1 / x",           lambda x: 1 / x,                 [0.0],        [-inf],       "the limit"),
        Kink("x log x",         lambda x: x * x.log(),           [0.0],        [nan],        "the value is nan, too: 0 times -inf"),
        Kink("xlogy(x, y)",     lambda x, y: x.xlogy(y),         [0.0, 0.0],   [0.0, nan],   "the value is 0, by convention; the slope x / y is not mended"),
        Kink("xlogy(x, y)",     lambda x, y: x.xlogy(y),         [1.0, 0.0],   [-inf, inf],  "the limits"),
        Kink("sinc(x)",         lambda x: x.sinc(),              [0.0],        [0.0],        "no kink: the hole is filled"),
        Kink("x^0",             lambda x: x**0,                  [0.0],        [0.0],        "a constant"),
        Kink("x^1",             lambda x: x**1,                  [0.0],        [1.0],        "no kink, though 0^0 is in it"),
        Kink("x^1.5",           lambda x: x**1.5,                [0.0],        [0.0],        "the limit from the right"),
        Kink("x^0.5",           lambda x: x**0.5,                [0.0],        [inf],        "the limit from the right"),
        Kink("x^y",             lambda x, y: x**y,               [0.0, 0.0],   [0.0, 0.0],   "0^0 is 1, and neither input moves it"),
        Kink("x^y",             lambda x, y: x**y,               [0.0, 2.0],   [0.0, 0.0],   "0^y stays 0 near y = 2"),
        Kink("x^y",             lambda x, y: x**y,               [0.0, -1.0],  [-inf, -inf], "the limits"),
        Kink("x^y",             lambda x, y: x**y,               [-2.0, 2.0],  [-4.0, nan],  "no logarithm of a negative base"),
    ],
    "ties": [
        Kink("max(x, y)",       lambda x, y: x.maximum(y),       [1.0, 1.0],   [0.5, 0.5],   "equals share"),
        Kink("max(x, y)",       lambda x, y: x.maximum(y),       [inf, nan],   [1.0, 1.0],   "neither is below the other"),
        Kink("min(x, y)",       lambda x, y: x.minimum(y),       [1.0, 1.0],   [0.5, 0.5],   "equals share"),
        Kink("fmax(x, y)",      lambda x, y: x.fmax(y),          [1.0, 1.0],   [1.0, 0.0],   "the first of equals"),
        Kink("fmax(x, y)",      lambda x, y: x.fmax(y),          [1.0, nan],   [1.0, 0.0],   "what is a number wins"),
        Kink("max x",           lambda x: x.max(),               [[2.0, 2.0]], [[0.5, 0.5]], "equals share"),
        Kink("min x",           lambda x: x.min(),               [[2.0, 2.0]], [[0.5, 0.5]], "equals share"),
        Kink("max x",           lambda x: x.max(),               [[1.0, nan]], [[0.0, 1.0]], "nan is the largest"),
        Kink("amax x",          lambda x: x.amax(0),             [[2.0, 2.0]], [[0.5, 0.5]], "equals share"),
        Kink("amax x",          lambda x: x.amax(0),             [[1.0, nan]], [[nan, nan]], "nothing equals nan: nobody to share, 0 / 0"),
        Kink("max x, along an axis",  lambda x: x.max(0).values, [[2.0, 2.0]], [[1.0, 0.0]], "there is one position, the first"),
        Kink("min x, along an axis",  lambda x: x.min(0).values, [[2.0, 2.0]], [[1.0, 0.0]], "there is one position, the first"),
        Kink("first of sort x", lambda x: x.sort(stable=True).values[0], [[2.0, 2.0]], [[1.0, 0.0]], "equals keep their order"),
        Kink("last of cummax x", lambda x: x.cummax(0).values[-1], [[2.0, 2.0]], [[0.0, 1.0]], "the last of equals"),
        Kink("last of cummin x", lambda x: x.cummin(0).values[-1], [[2.0, 2.0]], [[0.0, 1.0]], "the last of equals"),
    ],
    "many numbers": [
        Kink("|x| of a vector", lambda x: x.norm(),              [[0.0, 0.0]], [[0.0, 0.0]], "the middle of all unit vectors"),
        Kink("|x - y| of vectors", lambda x, y: (x - y).norm(),  [[1.0, 2.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]], "as the norm"),
        Kink("sqrt of the sum of x^2", lambda x: (x * x).sum().sqrt(), [[0.0, 0.0]], [[nan, nan]], "unlike the norm: inf times 0"),
        Kink("|x|_1",           lambda x: x.norm(1),             [[0.0, 3.0]], [[0.0, 1.0]], "as |x|"),
        Kink("|x|_inf",         lambda x: x.norm(inf),           [[3.0, -3.0]], [[0.5, -0.5]], "equals share"),
        Kink("hypot(x, y)",     lambda x, y: x.hypot(y),         [0.0, 0.0],   [nan, nan],   "0 / 0: unlike the norm"),
        Kink("atan2(y, x)",     lambda y, x: y.atan2(x),         [0.0, 0.0],   [0.0, 0.0],   "any angle will do"),
        Kink("std x",           lambda x: x.std(0),              [[1.0, 1.0]], [[0.0, 0.0]], "as the norm, of the deviations"),
        Kink("var x",           lambda x: x.var(0),              [[1.0, 1.0]], [[0.0, 0.0]], "no kink"),
        Kink("square root of var x", lambda x: x.var(0).sqrt(),  [[1.0, 1.0]], [[nan, nan]], "unlike std: inf times 0"),
        Kink("product of x",    lambda x: x.prod(),              [[0.0, 2.0]], [[2.0, 0.0]], "no kink: the product of the others"),
        Kink("product of x",    lambda x: x.prod(),              [[0.0, 0.0, 3.0]], [[0.0, 0.0, 0.0]], "with two zeros every product of others is 0"),
        Kink("last of cumprod x", lambda x: x.cumprod(0)[-1],    [[0.0, 2.0]], [[2.0, 0.0]], "as the product"),
        Kink("logsumexp x",     lambda x: x.logsumexp(0),        [[-inf, 0.0]], [[0.0, 1.0]], "e^-inf is 0"),
        Kink("logsumexp x",     lambda x: x.logsumexp(0),        [[-inf, -inf]], [[nan, nan]], "0 / 0"),
    ],
    "choices": [
        Kink("x if x > 0 else 0 log x", lambda x: (x * 2).where(x > 0, x.log() * 0), [1.0], [2.0], "what is not taken gets 0"),
        Kink("2x if x < 1 else sqrt x", lambda x: (x * 2).where(x < 1, x.sqrt()), [0.0], [nan], "backward, the branch not taken sends 0, times its slope inf; forward, 2"),
        Kink("2x if x < 1 else log x",  lambda x: (x * 2).where(x < 1, x.log()),  [-1.0], [2.0], "the value nan is not taken, and 0 / x is 0"),
        Kink("2x if x < 1 else sqrt of (x if x >= 1 else 1)", lambda x: (x * 2).where(x < 1, x.where(x >= 1, 1.0).sqrt()), [0.0], [2.0], "the cure: choose before the root and after it"),
        Kink("sqrt of (x if x < 1 else y)", lambda x, y: x.where(x < 1, y).sqrt(), [0.0, 4.0], [inf, 0.0], "inf arrives; what is not taken gets 0, not 0 times inf"),
        Kink("nan_to_num(x)",   lambda x: x.nan_to_num(),        [nan],        [0.0],        "a constant"),
    ],
}
# fmt: on


def table(*groups):
    """The conventions of some groups, or of all, as a table.

    >>> table("choices")
    function                | at | derivative | because
    x if x > 0 else 0 log x | 1  | 2          | what is not taken gets 0
    2x if x < 1 ...
    """
    rows = [[k.written, listed(k.at), listed(k.derivative), k.why] for group in groups or KINKS for k in KINKS[group]]
    return course.table(["function", "at", "derivative", "because"], rows)


def listed(numbers):
    """Numbers as one writes them: vectors in brackets.

    >>> listed([1.0, [2.0, 0.5]])
    '1, (2, 0.5)'
    """
    return ", ".join(f"({listed(x)})" if isinstance(x, list) else f"{x:g}" for x in numbers)
