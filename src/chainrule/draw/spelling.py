"""Numbers and operations as a reader wants to see them: few digits, and formulas as in Python."""

import math
import re

import numpy as np

# Operators, and how strongly they bind; a function or a name binds most.
OPERATORS = {
    "Add": ("{} + {}", 1), "Sub": ("{} - {}", 1), "Mul": ("{} * {}", 2), "Div": ("{} / {}", 2), "Neg": ("-{}", 3),
    "Dot": ("{} @ {}", 2), "Mv": ("{} @ {}", 2), "Mm": ("{} @ {}", 2), "Bmm": ("{} @ {}", 2), "Pow": ("{} ** {}", 4),
}  # fmt: skip
ATOM = 5

# What the function is called, where that is not the operation's name in small letters.
WORDS = {
    "LinalgVectorNorm": "norm", "View": "reshape", "LogSoftmax": "log_softmax", "ToCopy": "astype", "SumTo": "sum_to",
    "Dot": "matmul", "Mv": "matmul", "Mm": "matmul", "Bmm": "matmul", "CopySlices": "write", "IndexPut": "scatter",
}  # fmt: skip

DOTS = ("...", ATOM)
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def word(op):
    """What one calls to do `op`: "mul", "log", "norm"."""
    return WORDS.get(op.name, op.name.lower())


def formula(op, inputs, params):
    """An operation on `inputs`, written as in Python, and how strongly that binds.

    inputs  pairs of the words for an input and how strongly these bind

    >>> from chainrule import rules
    >>> formula(rules.mul, [("u + v", 1), ("2", 5)], {})
    ('(u + v) * 2', 2)
    """
    if op.name in OPERATORS:
        template, strength = OPERATORS[op.name]
        bounds = (strength + (strength >= 3), strength + 1)
        return template.format(*(enclosed(x, bound) for x, bound in zip(inputs, bounds, strict=False))), strength
    if "index" in params and op.name != "IndexPut":
        return f"{enclosed(inputs[0], ATOM)}[{spell_index(params['index'])}]", ATOM
    words = ["..."] * (op.name == "Where") + [words for words, _ in inputs]
    if len(words) > 6:
        words[3:-1] = ["..."]
    shown = [name for name in ("axis", "shape", "dtype", "low", "high") if params.get(name) is not None]
    return f"{word(op)}({', '.join(words + [f'{name}={spell(params[name])}' for name in shown])})", ATOM


def enclosed(x, bound):
    """A part of a formula, in parentheses if it binds less than it must."""
    words, strength = x
    return words if strength >= bound else f"({words})"


def literal(x):
    """A plain number in a formula (dots for None), and how strongly it binds.

    >>> literal(2.0), literal(-1.0001)
    (('2', 5), ('-1.0001', 3))
    """
    if x is None:
        return DOTS
    words = number(x) if x == round(x, 2) or abs(x) < 0.001 else f"{x:.6g}"
    return words, 3 if words.startswith("-") else ATOM


def mathematical(words):
    """A formula or a number as one writes it on a blackboard rather than in Python.

    >>> mathematical("-2 * (x - 1) ** 3 / y ** 0.5")
    '−2 · (x − 1)³ / y^0.5'
    """
    words = re.sub(r" \*\* (?:(\d+)|\((-\d+)\))(?![\d.])", lambda m: (m[1] or m[2]).translate(RAISED), words)
    return re.sub(r"(?<!\w)-", "−", words.replace(" ** ", "^").replace(" * ", " · "))


def spell(param):
    return str(param[0]) if type(param) is tuple and len(param) == 1 else str(param)


def spell_index(index):
    """An index as it stands between brackets; an array of positions as three dots.

    >>> spell_index((0, slice(1, None), np.array([1, 2])))
    '0, 1:, ...'
    """
    parts = index if type(index) is tuple else (index,)
    if len(parts) > 1 and parts[-1] is ...:
        parts = parts[:-1]
    return ", ".join(spell_place(part) for part in parts)


def spell_place(part):
    if isinstance(part, slice):
        ends = ["" if end is None else str(end) for end in (part.start, part.stop, part.step)]
        return ":".join(ends if part.step is not None else ends[:2])
    return str(part) if isinstance(part, int | np.integer | None) and not isinstance(part, bool) else "..."


def number(x):
    """A number with few digits: all of a whole number below ten million, else four that count.

    >>> [number(x) for x in (7.0, 0.16619, -1.5, 204800.0, -147154.796875, 1e-9, 2**40, True)]
    ['7', '0.1662', '-1.5', '204800', '-147154.8', '1e-09', '1.1e+12', 'True']
    """
    if isinstance(x, bool | np.bool_):
        return str(bool(x))
    if isinstance(x, complex | np.complexfloating):
        return f"{complex(x):.4g}"
    x = float(x)
    if not math.isfinite(x):
        return str(x)
    if x == round(x) and abs(x) < 1e7:
        return str(int(x))
    return f"{x:.1f}" if 1000 <= abs(x) < 1e6 else f"{x:.4g}"


def numbers(x, shape=None):
    """A value in little room: a number, a short list, or how many numbers there are.

    x      a number, an array, or None for what is not known
    shape  its shape, in case it is not

    >>> numbers(np.array([1.0, 4.0, 9.0])), numbers(np.zeros((3, 4))), numbers(None, (100,))
    ('[1, 4, 9]', '3x4', '100 numbers')
    """
    if x is not None:
        shape = np.shape(x)
        short = nested(np.asarray(x)) if math.prod(shape) <= 6 else ""
        if not shape or 0 < len(short) <= 24:
            return short
    if not shape:
        return "?"
    return "x".join(map(str, shape)) if len(shape) > 1 else f"{shape[0]} numbers"


def nested(x):
    """The numbers of an array in nested brackets."""
    return number(x[()]) if x.ndim == 0 else f"[{', '.join(nested(part) for part in x)}]"


def listed(names):
    """Names in a row, as one says them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = dict.fromkeys(names) or [""]
    return f"{', '.join(most)} and {last}" if most else last
