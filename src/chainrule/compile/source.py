"""A recorded program as Python source: short enough to read, and what is run.

Large results in between are written into memory that is used again (`out=b0`); a program
about single numbers is computed on Python's own floats.
"""

import math
import operator
from collections import defaultdict

import numpy as np

from .. import rules
from ..op import Op
from ..values import is_basic
from .program import (
    INFIX,
    UFUNCS,
    VIEWS,
    Guard,
    Line,
    as_number,
    is_number,
    lines_in,
    needed,
    root,
    spelled,
    value_of,
    walk,
)

# How a single float64 is computed on Python's own floats, ten times as fast.
MATH = "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh isfinite"
INVERSE = "sin cos tan sinh cosh tanh"
ON_FLOATS = {
    **{getattr(np, name): f"math.{name}({{0}})" for name in MATH.split()},
    **{getattr(np, f"arc{name}"): f"math.a{name}({{0}})" for name in INVERSE.split()},
    np.reciprocal: "1 / {0}",
    np.where: "{1} if {0} else {2}",
    np.maximum: "{0} if {0} >= {1} or {0} != {0} else {1}",
    np.minimum: "{0} if {0} <= {1} or {0} != {0} else {1}",
}

LARGE = 1 << 14  # bytes from which writing into memory that is there beats asking for new memory


class Writer:
    """Writes the lines of a program that its outputs and guards need.

    on_floats  whether it is about single numbers: then Python's floats and `math` do the work
    source     the text
    names      what its names stand for: the constants c0, c1 ... and the memory b0, b1 ...
    """

    def __init__(self, program, argument_names, outputs, name, on_floats=False):
        self.on_floats, self.names = on_floats, {"np": np, "math": math}
        self.taken = {*self.names, *argument_names, "Changed", name}
        self.written = dict(zip(program.arguments, argument_names, strict=True))
        self.steps = needed(program, outputs)
        self.uses, self.last = self.count(outputs)
        self.memory, self.free = {}, defaultdict(list)
        self.body = [f"{name} = float({name})" for name in argument_names] if on_floats else []
        for i, step in enumerate(self.steps):
            self.write(i, step)
        self.body.append(self.result(outputs))
        self.source = "\n    ".join([f"def {name}({', '.join(argument_names)}):", *self.body]) + "\n"

    def count(self, outputs):
        """How often a line is used, and which step is the last to need its memory."""
        uses, last = defaultdict(int), {}
        for i, step in enumerate(self.steps):
            for line in lines_in(step.given) if type(step) is Line else [step.line]:
                uses[line] += 1
                last[root(line)] = i
        for line in lines_in(outputs):
            uses[line] += 2
            last[root(line)] = math.inf
        return uses, last

    def name(self, letter, first):
        while f"{letter}{first}" in self.taken:
            first += 1
        self.taken.add(f"{letter}{first}")
        return f"{letter}{first}"

    def write(self, i, step):
        if type(step) is Guard:
            self.body.append(f"if {step.wrong.format(self.written[step.line])}: raise Changed")
            return
        asked = self.steps[i + 1] if i + 1 < len(self.steps) else None
        if type(asked) is Guard and asked.line is step and self.uses[step] == 1 and step.call in INFIX:
            self.written[step] = self.expression(step)
            return
        if step.call is rules.scatter:
            text, more = self.scatter(step)
        else:
            text, more = self.with_memory(i, step) or self.expression(step), []
        self.written[step] = name = self.name("v", 1)
        self.body += [f"{name} = {text}", *(line.format(name) for line in more)]

    def scatter(self, step):
        """Zeros, and then numbers added to some of them."""
        (x,), where = step.given
        dtype = "" if step.dtype == float else f", {spelled(step.dtype)}"
        zeros, index = f"np.zeros({where['shape']}{dtype})", self.index(where["index"], step)
        x = self.text(as_number(x, step), step)
        if is_basic(walk(value_of, where["index"])):
            return zeros, [f"{{}}[{index}] = {x}"]
        index = f"np.s_[{index}]" if ":" in index else f"({index})"
        return zeros, [f"np.add.at({{}}, {index}, {x})"]

    def with_memory(self, i, step):
        """The call with `out=`, if a ufunc does it and its result is large and not handed out.

        Memory is free after the last use of what is in it; an elementwise call may even write over its input.
        """
        ufunc, args = step.call if isinstance(step.call, np.ufunc) else UFUNCS.get(step.call), step.given[0]
        if step.call is operator.pow and is_number(args[1], 2):
            ufunc, args = np.square, args[:1]
        used = lines_in(args)
        ending = {line for line in map(root, used) if self.last[line] == i and line in self.memory}
        if (
            not ufunc
            or not isinstance(step.value, np.ndarray)
            or step.value.nbytes < LARGE
            or self.last[step] > len(self.steps)
        ):
            self.release(ending)
            return None
        seen_whole = {line for line in ending if all(x is line for x in used if root(x) is line)}
        over = seen_whole if ufunc is not np.matmul else set()
        self.release(over)
        kind = step.value.shape, step.value.dtype
        if not self.free[kind]:
            self.free[kind].append(name := self.name("b", 0))
            self.names[name] = np.empty(*kind)
        self.memory[step] = kind, self.free[kind].pop()
        self.release(ending - over)
        return f"np.{ufunc.__name__}({', '.join(self.text(x, step) for x in args)}, out={self.memory[step][1]})"

    def release(self, lines):
        for line in sorted(lines, key=lambda line: self.memory[line][1]):
            kind, name = self.memory[line]
            self.free[kind].append(name)

    def expression(self, step):
        """The call in words."""
        call, (args, kwargs) = step.call, step.given
        if call is operator.getitem:
            return f"{self.text(args[0], step)}[{self.index(args[1], step)}]"
        texts = [self.text(x, step) for x in args]
        if self.on_floats and call in ON_FLOATS:
            return ON_FLOATS[call].format(*texts)
        if call is operator.pow and self.on_floats and not isinstance(args[1], int):
            return f"math.pow({', '.join(texts)})"
        if call in INFIX:
            left, right = texts
            return f"({left}) {INFIX[call][0]} {right}" if left.startswith("-") else f"{left} {INFIX[call][0]} {right}"
        if call is operator.neg:
            return f"-{texts[0]}"
        if call is operator.abs:
            return f"abs({texts[0]})"
        if call == "T":
            return f"{texts[0]}.T"
        more = [f"{key}={self.text(x, step)}" for key, x in kwargs.items()]
        if isinstance(call, str):
            return f"{texts[0]}.{call}({', '.join(texts[1:] + more)})"
        return f"{self.function(call)}({', '.join(texts + more)})"

    def index(self, index, step):
        """What stands between the brackets."""
        parts = index if type(index) is tuple else (index,)
        parts = parts[:-1] if len(parts) > 1 and parts[-1] is ... else parts
        return ", ".join(self.text(x, step) for x in parts) or "()"

    def text(self, x, step):
        """An argument in words: a name, a number, or the name of a constant."""
        if type(x) is Line:
            return self.written[x]
        if isinstance(x, tuple | list):
            inner = ", ".join(self.text(part, step) for part in x)
            return f"[{inner}]" if isinstance(x, list) else f"({inner},)" if len(x) == 1 else f"({inner})"
        if self.on_floats and isinstance(x, int | float | np.generic):
            return spelled(float(x) if step is None or step.call in ON_FLOATS else getattr(x, "item", lambda: x)())
        if isinstance(x, np.generic) and (step is None or step.call is rules.scatter or fits(x, step)):
            return spelled(shortest(x))
        return self.constant(x) if isinstance(x, np.ndarray | np.generic) else spelled(x)

    def constant(self, x):
        known = [name for name, value in self.names.items() if value is x]
        if not known:
            known = [self.name("c", 0)]
            self.names[known[0]] = x
        return known[0]

    def function(self, call):
        """A function's name, with its module if that is NumPy's."""
        name = call.__name__
        if isinstance(getattr(call, "__self__", None), np.ufunc):
            return f"np.{call.__self__.__name__}.{name}"
        for prefix, module in ("np", np), ("np.linalg", np.linalg):
            if getattr(module, name, None) is call:
                return f"{prefix}.{name}"
        return self.constant(call)

    def result(self, outputs):
        """The last line. What is handed out shares no memory with anything that stays, or is handed out as well."""
        texts, seen = [], set()
        for x in outputs:
            owner = root(x) if type(x) is Line else None
            shared = owner is None or owner.call is None or owner.call in VIEWS or owner in seen
            is_array = isinstance(value_of(x), np.ndarray)
            texts.append(self.text(x, None) + (".copy()" if shared and is_array else ""))
            seen.add(owner)
        return f"return {', '.join(texts)}" if texts else "return ()"


def fits(x, step):
    """Whether a NumPy number may be written as a plain number: what it meets has its dtype already."""
    others = [line.value for line in lines_in(step.given)]
    return step.call in INFIX and all(isinstance(v, np.ndarray | np.generic) and v.dtype == x.dtype for v in others)


def shortest(x):
    """A NumPy number as the shortest Python number that becomes it again."""
    if not isinstance(x, np.floating) or not np.isfinite(x):
        return x.item()
    short = float(np.format_float_scientific(x))
    return short if x.dtype.type(short) == x else float(x)


def is_single(x):
    """Whether a value is one that Python's floats compute as NumPy's float64 does."""
    return type(x) in (float, np.float64, np.bool_, bool)


def fits_floats(program, outputs):
    """Whether everything that matters in the program is a single float64, or a truth value."""
    steps = [s for s in needed(program, outputs) if type(s) is Line]
    return all(is_single(value_of(x)) for x in (*program.arguments, *steps, *outputs)) and not any(
        isinstance(s.call, str | Op)
        or s.call is operator.getitem
        or any(isinstance(x, np.ndarray) for x in s.given[0])
        or (s.call in (operator.add, operator.mul) and type(s.value) in (bool, np.bool_))
        for s in steps
    )
