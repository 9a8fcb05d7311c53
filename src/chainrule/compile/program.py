"""A program in NumPy's own words: recorded line by line, each only once, and tidied.

`compile` records what a function does; `source` writes it down as Python.
"""

import math
import operator

import numpy as np

from ..op import Box

# How the operators are written, and the ufunc that does the same with `out=`.
INFIX = {
    operator.add: ("+", np.add), operator.sub: ("-", np.subtract), operator.mul: ("*", np.multiply),
    operator.truediv: ("/", np.divide), operator.matmul: ("@", np.matmul), operator.pow: ("**", None),
    operator.gt: (">", np.greater), operator.ge: (">=", np.greater_equal), operator.lt: ("<", np.less),
    operator.le: ("<=", np.less_equal), operator.eq: ("==", np.equal), operator.ne: ("!=", np.not_equal),
    operator.and_: ("&", np.bitwise_and), operator.or_: ("|", np.bitwise_or),
}  # fmt: skip
UFUNCS: dict = {call: ufunc for call, (_, ufunc) in INFIX.items() if ufunc} | {operator.neg: np.negative}
OPERATORS = {ufunc: call for call, ufunc in UFUNCS.items()} | {np.power: operator.pow, np.abs: operator.abs}
UFUNCS[operator.abs] = np.abs

# Functions of NumPy that read better as methods, and those of them that only look at memory.
NAMES = "sum mean prod max min var cumsum argmax argmin any all reshape transpose swapaxes squeeze copy"
METHODS = {getattr(np, name): name for name in NAMES.split()}
TOTALS = ("sum", "mean", "prod", "max", "min")
MOVES = ("reshape", "squeeze", "copy", "astype", np.broadcast_to, np.expand_dims, np.float64)
VIEWS = (*MOVES, "transpose", "swapaxes", "T", np.flip, operator.getitem)


class NotANumberYet(ValueError):
    """NumPy asked for the numbers of a value that is only written down; `box` is that value."""


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

    @property
    def boxed(self):
        """Itself in a box, for the engine."""
        return self.program.box(self)

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method == "at" or "out" in kwargs:
            self.__array__()
        return self.program.line(ufunc if method == "__call__" else getattr(ufunc, method), *args, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return function is not np.may_share_memory and self.program.line(function, *args, **kwargs)

    def __array__(self, *_, **__):
        error = NotANumberYet(
            "a compiled function asked NumPy for the numbers of an argument while it was recorded: use the "
            "methods of the argument or functions of chainrule, and cr.tensor(a)[i] for a[i]"
        )
        error.box = self.boxed
        raise error

    def __len__(self):
        return len(self.value)

    def __getattr__(self, name):
        if name in ("shape", "ndim", "size", "dtype"):
            return getattr(np.asarray(self.value), name)
        if name.startswith("_") or not callable(getattr(np.ndarray, name, None)):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.program.line(name, self, *args, **kwargs)

    # Questions, whose answers the program will hold only for.

    def __bool__(self):
        return self.program.guard(self, bool)

    def __int__(self):
        return self.program.guard(self, int)

    def __index__(self):
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError("only an integer can be an index")
        return int(self)

    def __float__(self):
        return float(self.item())

    def item(self):
        return self.program.guard(self, None)


def answer(name, call):
    def forward(self, *others):
        if any(isinstance(x, Box) for x in others):
            return call(self.boxed, *others)
        return self.program.line(call, self, *others)

    setattr(Line, f"__{name}__", forward)
    setattr(Line, f"__r{name}__", lambda self, other: self.program.line(call, other, self))


for call in (*INFIX, operator.neg, operator.abs, operator.getitem):
    answer(call.__name__.rstrip("_"), call)


class Guard:
    """A question that the recorded run asked of a value; the program holds where the answer is the same."""

    __slots__ = ("line", "wrong")

    def __init__(self, line, wrong):
        self.line, self.wrong = line, wrong


class Program:
    """The lines that a run of a function leaves behind, every one only once."""

    def __init__(self, level, box):
        self.level, self.box, self.arguments, self.lines = level, box, [], []
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
            line = unchanged(call, args, value) if args else None
            if line is None:
                line = Line(self, call, (args, kwargs), value)
                self.lines.append(line)
                if call is operator.getitem and any(x.dtype == bool for x in lines_in(args[1:])):
                    self.guard(line, np.shape)  # how many a mask lets through is known only by looking
            if isinstance(value, tuple):
                parts = [self.line(operator.getitem, line, i) for i in range(len(value))]
                line = getattr(value, "_make", tuple)(parts)
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
        _, copy = self.copies.get(id(array), (None, None))
        if copy is None or copy.tobytes() != array.tobytes():
            copy = array.copy(order="K")
            self.copies[id(array)] = array, copy
        return copy

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
    if call in METHODS.values():
        where = [np.asarray(x).tolist() for x in (*args[1:], kwargs.get("axis")) if x is not None]
        where = [x[0] if type(x) is list and len(x) == 1 else x for x in where]
        args = args[0], *(tuple(x) if type(x) is list else x for x in where)
        kwargs = {key: x for key, x in kwargs.items() if key != "axis" and x is not False}
    if (call, args[1:]) in (("transpose", ((1, 0),)), ("swapaxes", (0, 1)), ("swapaxes", (1, 0))) and args[0].ndim == 2:
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
    elif call in (operator.neg, "T") and x.call == call:
        same = x.given[0][0]
    elif (
        call in MOVES
        or (call in TOTALS and x.ndim == 0)
        or (call in (operator.mul, operator.truediv, operator.pow) and is_number(others[0], 1))
        or (call is operator.sub and is_number(others[0], 0))
        or (call is operator.getitem and isinstance(others[0], tuple) and len(others[0]) == 0)
        or (call == "transpose" and others[0] == tuple(range(x.ndim)))
    ):
        same = x
    else:
        return None
    return same if type(same) is Line and likeness(same.value) == likeness(value) else None


def likeness(value):
    """Python's numbers take the dtype of what they meet, so they are unlike NumPy's."""
    python = isinstance(value, int | float) and not isinstance(value, np.generic)
    return type(value) if python else (np.shape(value), np.asarray(value).dtype)


def token(x):
    """What stands for `x` when calls are compared."""
    if type(x) is Line:
        return f"line {id(x)}"
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.tobytes() if x.nbytes <= 4096 else id(x)
    return (x.dtype.str, repr(x.item())) if isinstance(x, np.generic) else x


def value_of(x):
    return x.value if type(x) is Line else x


def spelled(x):
    """A number or other small thing as Python writes it."""
    if isinstance(x, float):
        return repr(float(x)) if math.isfinite(x) else f"math.{x}".replace("math.-", "-math.")
    if isinstance(x, slice):
        parts = ["" if p is None else spelled(p) for p in (x.start, x.stop, x.step)]
        return ":".join(parts[:2] if x.step is None else parts)
    if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
        return f"np.{np.dtype(x).name}"
    return "..." if x is ... else repr(x)


def computed(call, args, kwargs):
    """What the call gives now: of Python's floats a Python float, with NumPy's value; a 0-d array as a number."""
    weak = (call in INFIX or call in UFUNCS) and all(type(x.value) is float for x in lines_in(args))
    kwargs = walk(value_of, kwargs)
    values = walk(lambda x: np.float64(x.value) if weak and type(x) is Line else value_of(x), args)
    if isinstance(call, str):
        value = values[0].T if call == "T" else getattr(values[0], call)(*values[1:], **kwargs)
    else:
        value = call(*values, **kwargs)
    if weak and type(value) is np.float64:
        return float(value)
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


# ---- what is asked of a program when it is written


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
