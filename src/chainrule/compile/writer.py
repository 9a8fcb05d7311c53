"""A recorded program written as straight-line NumPy.

Large results in between are written into memory that is used again (`out=b0`). Where several
elementwise steps follow on arrays that the processor's cache cannot hold, a loop does them all
on one strip after the other. A program about single numbers is computed on Python's own floats.
"""

import math
from collections import defaultdict

import numpy as np

from .. import rules
from ..nested import leaves
from .program import FLOAT, PART, Guard, Traced, is_number, of_numbers, value_of
from .source import INFIX, Writer

LARGE = 1 << 14  # bytes from which writing into memory that is there beats asking for new memory
STRIP = 1 << 17  # bytes that stay in the cache while some steps work on them; eight times that is worth a loop

# How a single float64 is computed on Python's own floats, ten times as fast.
MATH = "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh isfinite"
ON_FLOATS = {
    **{getattr(np, name): f"math.{name}({{0}})" for name in MATH.split()},
    **{getattr(np, f"arc{name}"): f"math.a{name}({{0}})" for name in "sin cos tan sinh cosh tanh".split()},
    rules.reciprocal.value: "1 / {0}",
    np.maximum: "{0} if {0} >= {1} or {0} != {0} else {1}",
    np.minimum: "{0} if {0} <= {1} or {0} != {0} else {1}",
    rules.sigmoid.value: "1 / (1 + math.exp(-{0}))",
    rules.sign.value: "float(({0} > 0) - ({0} < 0))",
    rules.where.value: "{0} if {condition} else {1}",
    rules.only.value: "{0} if {condition} else 0.0",
    rules.past_zero.value: "{0} if {1} != 0 else 0.0",
}


class Changed(Exception):
    """A guard does not hold: this call goes another way than the recorded one."""


class ProgramWriter(Writer):
    """Writes the lines of a program that its outputs and guards need.

    on_floats  whether it is about single numbers: then Python's floats and `math` do the work
    """

    def __init__(self, program, wishes, outputs, name, on_floats):
        super().__init__()
        name = self.argument(name)
        self.names["Changed"] = Changed
        self.on_floats, self.memory, self.free = on_floats, {}, defaultdict(list)
        arguments = [self.argument(wish) for wish in wishes]
        self.words |= zip(program.arguments, arguments, strict=True)
        parts = in_strips(needed(program, outputs))
        self.steps = [step for part in parts for step in part]
        self.uses, self.last = self.count_uses(outputs)
        self.body = [f"{word} = float({word})" for word in arguments] if on_floats else []
        self.loop, self.strip, i = (self.argument("i"), self.argument("s")), None, 0
        for part in parts:
            if len(part) > 1:
                self.write_strips(i, part)
            else:
                self.write(i, *part)
            i += len(part)
        self.body.append(self.result(outputs))
        self.run, self.source = self.function(name, arguments, ["    " + line for line in self.body])

    def count_uses(self, outputs):
        """How often a line is used, and which step is the last to need its memory."""
        uses, last = defaultdict(int), {}
        for i, step in enumerate(self.steps):
            for line in step.sources:
                uses[line] += 1
                last[root(line)] = i
        for line in leaves(outputs):
            if type(line) is Traced:
                uses[line] += 2
                last[root(line)] = math.inf
        return uses, last

    def write(self, i, step):
        if type(step) is Guard:
            word = self.words[step.sources[0]]
            word = f"({word})" if " " in word and "=" in step.wrong else word
            self.body.append(f"if {step.wrong.format(word)}: raise Changed")
            return
        asked = self.steps[i + 1] if i + 1 < len(self.steps) else None
        if self.on_floats and step.op is FLOAT:
            self.words[step] = self.words[step.inputs[0]]
        elif type(asked) is Guard and asked.sources[0] is step and self.uses[step] == 1 and step.op.value in INFIX:
            self.words[step] = self.expression(step) if self.on_floats else super().expression(step)
        else:
            text = self.into_memory(i, step) or self.expression(step)
            self.words[step] = self.fresh("v")
            self.body.append(f"{self.words[step]} = {text}")

    def into_memory(self, i, step):
        """The call with `out=`, if a ufunc does it and its result is large; None if NumPy is to find memory.

        Memory is free after the last use of what is in it; an elementwise call may even write over its input.
        """
        ufunc, inputs = ufunc_of(step)
        used = [x for x in inputs if type(x) is Traced]
        ending = {line for line in map(root, used) if self.last[line] == i and line in self.memory}
        if ufunc is None or not isinstance(step.value, np.ndarray) or step.value.nbytes < LARGE:
            self.release(ending)
            return None
        seen_whole = {line for line in ending if all(x is line for x in used if root(x) is line)}
        over = seen_whole if ufunc.signature is None else set()
        self.release(over)
        if step in self.memory:
            place = f"{self.memory[step][1]}[{self.strip.name}]"
        elif self.free[self.kind(step)] or self.last[step] < len(self.steps):
            place = self.place_for(step)
        else:
            place = None
        self.release(ending - over)
        return place and f"np.{ufunc.__name__}({', '.join(map(self.text, inputs))}, out={place})"

    def kind(self, step):
        """Shape and dtype of the memory that the result of `step` needs."""
        shape = step.shape
        return (self.strip.rows, *shape[1:]) if self.strip else shape, step.dtype

    def place_for(self, step):
        """The name of memory for the result of `step`. If that is handed out, the memory is made anew at every call."""
        kind = self.kind(step)
        if not self.free[kind]:
            self.free[kind].append(self.named("b", np.empty(*kind)))
        name = self.free[kind].pop()
        if self.last[step] > len(self.steps):
            del self.names[name]
            self.body.insert(0, f"{name} = np.empty({self.text(kind)[1:-1]})")
        self.memory[step] = kind, name
        return name

    def write_strips(self, first, steps):
        """A loop that does all of `steps` on one strip before it takes the next.

        What is used after the loop is written to its place in a whole array. The last strip ends where the
        arrays end, and overlaps with the one before.
        """
        shape, rows = steps[0].shape, rows_of(steps[0])
        whole = {step: self.place_for(step) for step in steps if self.last[step] >= first + len(steps)}
        before, self.body = self.body, []
        i, s = self.loop
        self.strip = Strip(s, shape, rows, set(steps))
        for place, step in enumerate(steps, first):
            self.write(place, step)
        end = shape[0] - rows
        loop = [f"for {i} in (*range(0, {end}, {rows}), {end}):", f"    {s} = slice({i}, {i} + {rows})"]
        self.body = [*before, *loop, *("    " + line for line in self.body)]
        self.strip = None
        self.words |= whole

    def release(self, lines):
        for kind, name in sorted((self.memory[line] for line in lines), key=lambda memory: memory[1]):
            self.free[kind].append(name)

    def expression(self, line):
        op, inputs = line.op, line.inputs
        if self.on_floats and (op.value in ON_FLOATS or (op is rules.pow and not isinstance(inputs[1], int))):
            more = {name: self.text(x) for name, x in line.params.items()}
            return ON_FLOATS.get(op.value, "math.pow({0}, {1})").format(*map(self.text, inputs), **more)
        text = super().expression(line)
        return f"({text}).item()" if line.weak and self.as_numpy(line) else text

    def operand(self, x, line):
        text = super().operand(x, line)
        return f"np.{x.dtype}({text})" if type(x) is Traced and self.as_numpy(line) else text

    def as_numpy(self, line):
        """Whether Python's numbers are made NumPy's for this line: theirs raise where NumPy's give inf or nan."""
        return not self.on_floats and of_numbers(line.op, line.inputs)

    def text(self, x):
        text = super().text(x.item() if self.on_floats and isinstance(x, np.generic) else x)
        return f"{text}[{self.strip.name}]" if self.strip and self.strip.cuts(x) else text

    def result(self, outputs):
        """The last line. What is handed out shares no memory with anything that stays, or is handed out as well."""
        texts, seen = [], set()
        for x in outputs:
            owner = root(x) if type(x) is Traced else None
            shared = owner is None or owner.op is None or owner in seen
            texts.append(self.text(x) + (".copy()" if shared and isinstance(value_of(x), np.ndarray) else ""))
            seen.add(owner)
        return f"return {', '.join(texts)}" if texts else "return ()"


class Strip:
    """Some rows of the arrays of one shape; `inside` are the lines that are worked out strip by strip."""

    def __init__(self, name, shape, rows, inside):
        self.name, self.shape, self.rows, self.inside = name, shape, rows, inside

    def cuts(self, x):
        """Whether x is a whole array, of which a step inside takes its rows."""
        shape = np.shape(value_of(x))
        whole = not (type(x) is Traced and x in self.inside)
        return whole and len(shape) == len(self.shape) and shape[0] == self.shape[0]


def ufunc_of(step):
    """The ufunc that does `step` with `out=`, or None; and its inputs."""
    ufunc, inputs = INFIX.get(step.op.value, ("", step.op.value))[1], step.inputs
    ufunc = {rules.neg: np.negative, rules.abs: np.abs, rules.reciprocal: np.reciprocal}.get(step.op, ufunc)
    if step.op is rules.pow and is_number(inputs[1], 2):
        ufunc, inputs = np.square, inputs[:1]
    return ufunc if isinstance(ufunc, np.ufunc) else None, inputs


def rows_of(step):
    """How many rows of its result make a strip, if the step is elementwise and the result large, else 0."""
    ufunc = ufunc_of(step)[0] if type(step) is Traced else None
    if ufunc is None or ufunc.signature or not isinstance(step.value, np.ndarray) or step.value.nbytes < 8 * STRIP:
        return 0
    return STRIP * len(step.value) // step.value.nbytes


def in_strips(steps):
    """The steps in parts: several in a part are elementwise, and can be done on one strip after the other.

    What stands between them moves before the part, or behind it if it needs a result of the part.
    """
    parts = []
    while steps:
        part, later, inside, held, guarded = [], [], set(), set(), False
        for step in steps:
            waits = guarded or not held.isdisjoint(step.sources)
            if not waits and rows_of(step) and (not part or step.shape == part[0].shape):
                part.append(step)
                inside.add(step)
            elif waits or not inside.isdisjoint(step.sources):
                later.append(step)
                held.add(step)
                guarded = guarded or type(step) is Guard
            else:
                parts.append([step])
        parts += [part] if part else []
        steps = later
    return parts


def needed(program, outputs):
    """The lines and guards that matter, in their order: the guards, the outputs, and what they are made of."""
    wanted, kept = {x for x in outputs if type(x) is Traced}, []
    for step in reversed(program.lines):
        if type(step) is Guard or step in wanted:
            wanted.update(step.sources)
            kept.append(step)
    return kept[::-1]


def root(line):
    """The line whose memory `line` may look at: itself, unless it is a view."""
    while line.sources and (line.op.view or line.op is PART or shares(line, line.sources[0])):
        line = line.sources[0]
    return line


def shares(a, b):
    return all(isinstance(x.value, np.ndarray) for x in (a, b)) and np.may_share_memory(a.value, b.value)


def fits_floats(program, outputs):
    """Whether everything that matters in the program is a single float64, or a truth value, and `math` can do it."""
    steps = [step for step in needed(program, outputs) if type(step) is Traced]
    values = map(value_of, [*steps, *outputs])
    if any(type(x.value) not in (float, np.float64) for x in program.arguments):
        return False
    return all(type(x) in (float, np.float64, np.bool_, bool) for x in values) and all(
        (step.op.value in INFIX or step.op.value in ON_FLOATS or step.op in (rules.neg, rules.abs, FLOAT))
        and not any(isinstance(x, np.ndarray) for x in step.inputs)
        and not (step.op in (rules.add, rules.mul) and type(step.value) in (bool, np.bool_))
        for step in steps
    )
