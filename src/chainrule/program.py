"""A program in NumPy's own words: recorded line by line, tidied, written as source.

`compile` records. This module says what a line is and writes the lines down: without those
that nobody needs, each only once, and with large results put into memory that is used again.
"""

import math
import operator
from collections import defaultdict

import numpy as np

from . import rules
from .op import Op
from .tape import tensor_of

# How the operators are written, and the ufunc that does the same with `out=`.
INFIX = {
    operator.add: ("+", np.add), operator.sub: ("-", np.subtract), operator.mul: ("*", np.multiply),
    operator.truediv: ("/", np.divide), operator.matmul: ("@", np.matmul), operator.pow: ("**", None),
    operator.gt: (">", np.greater), operator.ge: (">=", np.greater_equal), operator.lt: ("<", np.less),
    operator.le: ("<=", np.less_equal), operator.eq: ("==", np.equal), operator.ne: ("!=", np.not_equal),
    operator.and_: ("&", np.bitwise_and), operator.or_: ("|", np.bitwise_or),
}  # fmt: skip
UFUNCS = {call: ufunc for call, (_, ufunc) in INFIX.items() if ufunc} | {operator.neg: np.negative}
OPERATORS = {ufunc: call for call, ufunc in UFUNCS.items()} | {np.power: operator.pow, np.abs: operator.abs}
UFUNCS[operator.abs] = np.abs

# Functions of NumPy that read better as methods, and those of them that only look at memory.
METHODS = {
    getattr(np, name): name
    for name in "sum mean prod max min var cumsum argmax argmin any all reshape transpose swapaxes squeeze copy".split()
}
TOTALS = ("sum", "mean", "prod", "max", "min")
MOVES = ("reshape", "squeeze", "copy", "astype", np.broadcast_to, np.expand_dims, np.float64)
VIEWS = (*MOVES, "transpose", "swapaxes", "T", np.flip, operator.getitem)

# How a single float64 is computed on Python's own floats, ten times as fast.
ON_FLOATS = {
    getattr(np, name): f"math.{name}({{0}})"
    for name in "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan sinh cosh tanh isfinite".split()
} | {getattr(np, f"arc{name}"): f"math.a{name}({{0}})" for name in "sin cos tan sinh cosh tanh".split()}
ON_FLOATS |= {
    np.reciprocal: "1 / {0}",
    np.where: "{1} if {0} else {2}",
    np.maximum: "{0} if {0} >= {1} or {0} != {0} else {1}",
    np.minimum: "{0} if {0} <= {1} or {0} != {0} else {1}",
}

LARGE = 1 << 14  # bytes from which writing into memory that is there beats asking for new memory


class NotANumberYet(ValueError):
    """NumPy asked for the numbers of a value that is only written down. `box` is the value, if it is a box."""


def walk(change, tree):
    """`tree` with `change` applied to whatever its tuples, lists and dicts hold."""
    if isinstance(tree, dict):
        return {key: walk(change, x) for key, x in tree.items()}
    if isinstance(tree, tuple | list):
        return getattr(tree, "_make", type(tree))([walk(change, x) for x in tree])
    return change(tree)


def lines_in(tree):
    """The lines among what `tree` holds, in order."""
    found = []
    walk(lambda x: found.append(x) if type(x) is Line else None, tree)
    return found


class Line:
    """One line of a program: what is called, with what, and what came out when it was recorded.

    call   an operator, a function of NumPy, the name of a method, an `Op`; None for an argument
    given  the pair (arguments, keywords); they hold lines and constants

    It answers to operators, methods and NumPy's functions by appending to its program, so
    that the values in the table of rules, which are plain NumPy, write themselves down.
    """

    __slots__ = ("program", "call", "given", "value")
    __hash__ = object.__hash__
    __iter__ = None

    def __init__(self, program, call, given, value):
        self.program, self.call, self.given, self.value = program, call, given, value

    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    size = property(lambda self: np.size(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method != "__call__" or kwargs:
            return self.__array__()
        return self.program.line(ufunc, *args)

    def __array_function__(self, function, types, args, kwargs):
        return self.program.line(function, *args, **kwargs)

    def __array__(self, *_, **__):
        raise NotANumberYet("a line has no numbers yet")

    def __getattr__(self, name):
        if name.startswith("_") or not callable(getattr(np.ndarray, name, None)):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.program.line(name, self, *args, **kwargs)

    def __bool__(self):
        return self.program.guard(self, bool)


def answer(name, call):
    setattr(Line, f"__{name}__", lambda self, *others: self.program.line(call, self, *others))
    setattr(Line, f"__r{name}__", lambda self, other: self.program.line(call, other, self))


for name in "add sub mul truediv matmul pow gt ge lt le eq ne and_ or_ neg abs getitem".split():
    answer(name.rstrip("_"), getattr(operator, name))


class Guard:
    """A question that the recorded run asked of a value; the program holds where the answer is the same."""

    __slots__ = ("line", "wrong")

    def __init__(self, line, wrong):
        self.line, self.wrong = line, wrong


class Program:
    """The lines that a run of a function leaves behind, every one only once."""

    def __init__(self, level):
        self.level, self.arguments, self.lines = level, [], []
        self.known, self.copies = {}, {}

    def argument(self, value):
        self.arguments.append(Line(self, None, ((), {}), value))
        return self.arguments[-1]

    def line(self, call, *args, **kwargs):
        """The line that does this, appended if there is none yet that comes to the same."""
        call, args, kwargs = in_short(call, args, kwargs)
        call, args, minus = without_minus(call, args)
        if minus:
            return self.line(operator.neg, self.line(call, *args))
        key = repr((call, walk(token, (args, kwargs))))
        if key not in self.known:
            value = computed(call, args, kwargs)
            line = unchanged(call, args, value)
            if line is None:
                line = Line(self, call, (args, kwargs), value)
                self.lines.append(line)
                if call is operator.getitem and any(x.dtype == bool for x in lines_in(args[1:])):
                    self.guard(line, np.shape)  # how many a mask lets through is known only by looking
            self.known[key] = line
        return self.known[key]

    def guard(self, line, question):
        """The answer to `question` about `line`: bool, int, np.shape, or None for its exact value."""
        value = np.asarray(line.value).item() if question is None else question(line.value)
        if question is bool:
            wrong = "not {}" if value else "{}"
        elif question is int:
            wrong = f"int({{}}) != {value}"
        elif question is np.shape:
            wrong = f"{{}}.shape != {value}"
        else:
            wrong = "{0} == {0}" if value != value else f"{{}} != {spelled(value)}"
        if not any(type(x) is Guard and x.line is line and x.wrong == wrong for x in self.lines):
            self.lines.append(Guard(line, wrong))
        return value

    def frozen(self, array):
        """A copy of a captured array: what the program reads from outside, it reads once."""
        if id(array) not in self.copies:
            self.copies[id(array)] = (array, array.copy(order="K"))
        return self.copies[id(array)][1]

    def merge(self, outputs):
        """Take Python's floats and NumPy's for the same, and what was done to both for one line.

        For programs about single numbers, where no dtype hangs on the difference. Gives the
        outputs, in which a line that went is replaced.
        """
        stands, known, kept = {}, {}, []

        def now(x):
            return stands.get(x, x) if type(x) is Line else x

        for step in self.lines:
            if type(step) is Guard:
                step.line = now(step.line)
                key = f"{token(step.line)} {step.wrong}"
            elif step.call is np.float64:
                stands[step] = now(step.given[0][0])
                continue
            else:
                step.given = walk(now, step.given)
                key = repr((step.call, walk(token, step.given)))
            stands[step] = known.setdefault(key, step)
            if stands[step] is step:
                kept.append(step)
        self.lines = kept
        return walk(now, outputs)


# ---- tidying: only what changes no bit and no dtype


def in_short(call, args, kwargs):
    """The same call in the shortest words: an operator or a method, and no argument that says nothing."""
    call = OPERATORS.get(call, METHODS.get(call, call))
    if isinstance(call, str) and type(args[0]) is not Line:
        call = getattr(np, call)
    if isinstance(call, str) and isinstance(args[0].value, int | float) and not isinstance(args[0].value, np.generic):
        kind = np.asarray(args[0].value).dtype.type  # Python's own numbers have no methods
        args = args[0].program.line(kind, args[0]), *args[1:]
    if isinstance(call, str):
        args = [x[0] if isinstance(x, tuple) and len(x) == 1 else x for x in (*args, kwargs.get("axis"))]
        kwargs = {key: x for key, x in kwargs.items() if key != "axis" and x is not False}
        while args[-1] is None:
            args.pop()
        args = tuple(args)
    if call == "transpose" and args[1] == (1, 0) or call == "swapaxes" and args[0].ndim == 2 and set(args[1:]) == {0, 1}:
        return "T", args[:1], {}
    if call in INFIX and len(lines_in(args)) == 1 and call is not operator.matmul:
        (line,) = lines_in(args)
        args = tuple(as_number(x, line) for x in args)
        minus = call is operator.mul and line.dtype.kind == "f" and any(is_number(x, -1) for x in args)
        if minus and likeness(call(*walk(value_of, args))) == likeness(line.value):
            return operator.neg, (line,), {}
    return call, args, kwargs


def without_minus(call, args):
    """The call with minus signs taken out of its arguments, and whether one is left to put before it.

    a + (-b) is a - b, and (-a) * b is -(a * b), to the last bit.
    """
    if call not in (operator.add, operator.sub, operator.mul, operator.truediv):
        return call, args, False
    (a, a_minus), (b, b_minus) = map(positive, args)
    if call is operator.add and (a_minus or b_minus):
        return (operator.sub, (args[0], b), False) if b_minus else (operator.sub, (b, a), False)
    if call is operator.sub and b_minus:
        return operator.add, (args[0], b), False
    if call in (operator.mul, operator.truediv) and (a_minus or b_minus):
        m, n = (np.size(value_of(x)) for x in (a, b))  # the sign should not move from few numbers to many
        if (m >= n or not a_minus) and (n >= m or not b_minus):
            return call, (a, b), a_minus != b_minus
    return call, args, False


def positive(x):
    """What stands behind a minus sign, and whether there is one."""
    return (x.given[0][0], True) if type(x) is Line and x.call is operator.neg and x.dtype.kind == "f" else (x, False)


def as_number(x, line):
    """A constant that holds one number many times, as that number, where broadcasting makes no difference."""
    if isinstance(x, np.ndarray) and x.size and x.dtype == line.dtype and x.shape == line.shape[line.ndim - x.ndim :]:
        first = x.flat[0]
        return first if x.tobytes() == first.tobytes() * x.size else x
    return x


def is_number(x, number):
    return isinstance(x, int | float | np.generic) and type(x) is not bool and x == number


def unchanged(call, args, value):
    """The line that the result equals bit for bit and in shape and dtype, or None."""
    x, *others = args
    if call is operator.mul and is_number(x, 1):
        same = others[0]
    elif call in (operator.mul, operator.truediv, operator.pow) and is_number(others[0], 1):
        same = x
    elif call is operator.sub and is_number(others[0], 0) or call in MOVES:
        same = x
    elif call in TOTALS and x.ndim == 0:
        same = x
    elif call == "transpose" and others[0] == tuple(range(x.ndim)):
        same = x
    elif call in (operator.neg, "T") and x.call == call:
        same = x.given[0][0]
    else:
        return None
    return same if type(same) is Line and likeness(same.value) == likeness(value) else None


def likeness(value):
    """Python's numbers take the dtype of what they meet, so they are unlike NumPy's."""
    return type(value) if isinstance(value, int | float) and not isinstance(value, np.generic) else (
        np.shape(value), np.asarray(value).dtype)  # fmt: skip


def token(x):
    """What stands for `x` when calls are compared."""
    if type(x) is Line:
        return f"line {id(x)}"
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.tobytes() if x.nbytes <= 4096 else id(x)
    return (x.dtype.str, repr(x.item())) if isinstance(x, np.generic) else x


def value_of(x):
    return x.value if type(x) is Line else x


def computed(call, args, kwargs):
    """What the call gives now; a 0-d array as a number, and of Python's floats a Python float, as NumPy would have it."""
    weak = (call in INFIX or call in UFUNCS) and all(type(x.value) is float for x in lines_in(args))
    values, kwargs = walk(lambda x: np.float64(x.value) if weak and type(x) is Line else value_of(x), args), walk(value_of, kwargs)
    if isinstance(call, str):
        value = values[0].T if call == "T" else getattr(values[0], call)(*values[1:], **kwargs)
    else:
        value = call(*values, **kwargs)
    if weak and type(value) is np.float64:
        return float(value)
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


# ---- writing


def spelled(x):
    """A number or other small thing as Python writes it."""
    if isinstance(x, float):
        return repr(float(x)) if math.isfinite(x) else f"math.{x}" if x == x and x > 0 else "-math.inf" if x == x else "math.nan"
    if isinstance(x, slice):
        parts = ["" if p is None else spelled(p) for p in (x.start, x.stop, x.step)]
        return ":".join(parts[:2] if x.step is None else parts)
    if isinstance(x, np.dtype) or isinstance(x, type) and issubclass(x, np.generic):
        return f"np.{np.dtype(x).name}"
    return "..." if x is ... else repr(x)


class Writer:
    """Writes the lines of a program that its outputs and guards need.

    on_floats  whether it is about single numbers: then Python's floats and `math` do the work
    source     the text
    names      what its names stand for: the constants c0, c1 ... and the memory b0, b1 ...
    """

    def __init__(self, program, argument_names, outputs, name, on_floats=False):
        self.on_floats, self.names, self.written = on_floats, {"np": np, "math": math, "rules": rules}, {}
        self.taken = {*self.names, *argument_names, "Changed", name}
        self.written |= dict(zip(program.arguments, argument_names, strict=True))
        self.steps = needed(program, outputs)
        self.uses, self.last = self.count(outputs)
        self.memory, self.free = {}, defaultdict(list)
        self.body = [f"{name} = float({name})" for name in argument_names] if on_floats else []
        for i, step in enumerate(self.steps):
            self.write(i, step)
        self.source = "\n    ".join([f"def {name}({', '.join(argument_names)}):", *self.body, self.result(outputs)]) + "\n"

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
            text = self.scatter(step)
        else:
            text = self.with_memory(i, step) or self.expression(step)
        self.written[step] = name = self.name("v", 1)
        self.body += [f"{name} = {text[0]}", text[1].format(name)] if type(text) is tuple else [f"{name} = {text}"]

    def scatter(self, step):
        """Zeros, and then numbers added to some of them."""
        (x,), where = step.given
        dtype = "" if step.dtype == float else f", {spelled(step.dtype)}"
        zeros, index = f"np.zeros({where['shape']}{dtype})", self.index(where["index"], step)
        x = self.text(as_number(x, step), step)
        if rules.is_basic(walk(value_of, where["index"])):
            return zeros, f"{{}}[{index}] = {x}"
        return zeros, f"np.add.at({{}}, {f'np.s_[{index}]' if ':' in index else f'({index})'}, {x})"

    def with_memory(self, i, step):
        """The call with `out=`, if it is an elementwise one with a large result that stays inside."""
        ufunc = step.call if isinstance(step.call, np.ufunc) else UFUNCS.get(step.call)
        args = step.given[0]
        if step.call is operator.pow and is_number(args[1], 2):
            ufunc, args = np.square, args[:1]
        value, kind = step.value, None
        ending = {root(line) for line in lines_in(args) if self.last[root(line)] == i and root(line) in self.memory}
        at_once = {line for line in ending if ufunc is not np.matmul and all(
            x is line for x in lines_in(args) if root(x) is line)}  # fmt: skip
        if isinstance(value, np.ndarray) and value.nbytes >= LARGE and ufunc and self.last.get(step) != math.inf:
            kind = value.shape, value.dtype
            self.release(at_once)
            if not self.free[kind]:
                self.free[kind].append(name := self.name("b", 0))
                self.names[name] = np.empty(*kind)
            self.memory[step] = kind, self.free[kind].pop()
            ending -= at_once
        self.release(ending)
        if kind:
            texts = [self.text(x, step) for x in args]
            return f"np.{ufunc.__name__}({', '.join(texts)}, out={self.memory[step][1]})"
        return None

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
        return f"{function_name(call)}({', '.join(texts + more)})"

    def index(self, index, step):
        """What stands between the brackets."""
        parts = index if type(index) is tuple else (index,)
        parts = parts[:-1] if len(parts) > 1 and parts[-1] is ... else parts
        return ", ".join(self.text(x, step) for x in parts) + ("," if parts == () else "")

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
        for name, known in self.names.items():
            if known is x:
                return name
        name = self.name("c", 0)
        self.names[name] = x
        return name

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


def needed(program, outputs):
    """The lines and guards that matter, in their order: the guards, the outputs, and what they are made of."""
    wanted, kept = set(lines_in(outputs)), []
    for step in reversed(program.lines):
        if type(step) is Guard:
            wanted.add(step.line)
        elif step not in wanted:
            continue
        else:
            wanted.update(lines_in(step.given))
        kept.append(step)
    return kept[::-1]


def root(line):
    """The line whose memory `line` looks at: itself, unless it is a view."""
    while line.call is not None:
        inner = lines_in(line.given[0][:1] if line.call in VIEWS else line.given)
        base = next((x for x in inner if line.call in VIEWS or shares(line.value, x.value)), None)
        if base is None:
            return line
        line = base
    return line


def shares(a, b):
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)


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


def function_name(call):
    module = getattr(call, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{call.__name__}" if module.startswith("numpy") else f"np.{call.__name__}"


def is_single(x):
    """Whether a value is one that Python's floats compute as NumPy's float64 does."""
    return type(x) in (float, np.float64, np.bool_, bool)


def fits_floats(program, outputs):
    """Whether everything that matters in the program is a single float64, or a truth value."""
    steps = [s for s in needed(program, outputs) if type(s) is Line]
    return all(is_single(value_of(x)) for x in (*program.arguments, *steps, *outputs)) and not any(
        isinstance(s.call, str | Op) or s.call is operator.getitem
        or any(isinstance(x, np.ndarray) for x in s.given[0])
        or s.call in (operator.add, operator.mul) and type(s.value) in (bool, np.bool_)
        for s in steps
    )  # fmt: skip


__all__ = ["Line", "NotANumberYet", "Program", "Writer", "fits_floats", "lines_in", "tensor_of", "value_of", "walk"]
