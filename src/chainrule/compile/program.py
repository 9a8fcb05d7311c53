"""A recorded program: every step once, checked by guards, and tidied."""

import operator

import numpy as np

from .. import rules
from ..nested import each
from ..op import Box
from ..tape import Size, number_or_array
from ..tensor import Tensor
from ..values import SINGLE, narrowed
from .source import INFIX, Line, plain_op

# Rows whose result, if it has the shape and dtype of the input, is the input.
FLOAT = plain_op(np.float64)
SAME = {rules.expand, rules.sum_to, rules.reshape, rules.squeeze, rules.clone, rules.astype, FLOAT}
TOTALS = {rules.sum, rules.mean, rules.prod, rules.amax, rules.amin, rules.largest, rules.smallest}
NEUTRAL = {rules.mul: 1, rules.div: 1, rules.pow: 1, rules.sub: 0}  # the right operand that changes nothing
PART = plain_op(operator.getitem)


class NotANumberYet(ValueError):
    """NumPy asked for the numbers of a value that is only written down; `box` is that value."""


class Traced(Line):
    """A value that writes down what is done with it.

    value  what it was when the program was recorded
    """

    __slots__ = ("program", "value")

    def __init__(self, program, op, inputs, params, value):
        super().__init__(op, inputs, params)
        self.program, self.value = program, value

    __class__ = property(lambda self: Traced if self.weak else Tensor)  # what the function asks it for
    level = property(lambda self: self.program.level)
    shape = property(lambda self: np.shape(self.value))
    ndim = property(lambda self: np.ndim(self.value))
    dtype = property(lambda self: np.asarray(self.value).dtype)

    @property
    def weak(self):
        """Whether it is a number of Python's own, which takes the dtype of what it meets."""
        return type(self.value) in (float, int, bool, complex)

    @property
    def strong(self):
        """Itself, with a Python number made NumPy's: what a derivative is taken at."""
        return self.apply(plain_op(self.dtype.type), (self,), {}) if self.weak else self

    def apply(self, op, inputs, params):
        program = self.program
        for name, x in params.items():
            enter = entered if name in ("index", "condition") else settled
            params = {**params, name: each(lambda part: enter(part, program), x)}  # noqa: B023
        return program.line(op, each(lambda x: entered(x, program), tuple(inputs)), params)

    def detach(self):
        """Itself: a derivative taken inside has boxes of its own around it."""
        return self

    # ---- questions, whose answers the program will hold only for

    def __bool__(self):
        return self.program.guard(self, bool) if self.size == 1 else super().__bool__()

    def __int__(self):
        return self.program.guard(self, int) if self.size == 1 else super().__int__()

    def __index__(self):
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError("only an integer can be an index")
        return int(self)

    def item(self):
        """Its number, which the program is then recorded for."""
        return self.program.guard(self, None) if self.size == 1 else super().item()

    # ---- what cannot be written down

    def __array__(self, *_, **__):
        error = NotANumberYet(
            "a compiled function asked NumPy for the numbers of an argument while it was recorded: use the "
            "methods of the argument or functions of chainrule, and cr.tensor(a)[i] for a[i]"
        )
        error.box = self
        raise error

    def refuse_write(self, *_):
        raise RuntimeError(
            "a compiled function must leave its values as they are: in-place writing would happen while it is "
            "recorded, and never again. Make a new value instead: x = x + 1, or cr.where(condition, a, b)"
        )

    __setitem__ = __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = refuse_write

    def __getattr__(self, name):
        if name in ("backward", "grad", "grad_fn", "requires_grad_", "retain_grad"):
            advice = "take the derivative inside with cr.grad, cr.vjp or cr.jvp"
        elif name.endswith("_") and not name.startswith("_"):
            return self.refuse_write
        else:
            advice = "stay with the methods of cr.Tensor that compute, or return it"
        raise AttributeError(f"a value inside a compiled function has no {name!r}: {advice}")

    def __repr__(self):
        return f"Traced({self.value!r})"


def entered(x, program):
    """An input as a line of `program`, or as a constant of it."""
    if isinstance(x, slice):
        return slice(*(p if p is None else int(p) for p in (x.start, x.stop, x.step)))
    while type(x) is Tensor and x.node is None:
        x = x.array
    if isinstance(x, Box) and getattr(x, "program", None) is not program:
        raise RuntimeError(
            "a compiled function uses a value that requires a gradient, or belongs to an outer derivative, and is "
            "not among its arguments: pass it as an argument, or detach() it"
        )
    return program.frozen(x) if isinstance(x, np.ndarray) else int(x) if type(x) is Size else x


def settled(x, _):
    """A parameter as a plain number: lengths and axes are part of the program."""
    return int(x) if isinstance(x, Line) else x


class Guard:
    """A question that the recorded run asked of a value; the program holds where the answer is the same."""

    __slots__ = ("sources", "wrong")

    def __init__(self, line, wrong):
        self.sources, self.wrong = [line], wrong


class Program:
    """The lines that a run of a function leaves behind, every one only once."""

    def __init__(self, level):
        self.level, self.arguments, self.lines, self.known, self.copies = level, [], [], {}, {}

    def argument(self, value):
        self.arguments.append(Traced(self, None, (), {}, value))
        return self.arguments[-1]

    def line(self, op, inputs, params):
        """The line that does this, appended if there is none yet that comes to the same."""
        op, inputs, params = in_short(op, inputs, params)
        key = repr((id(op), each(token, [inputs, params])))
        if key not in self.known:
            value = computed(op, inputs, params)
            inputs = self.in_dtype_of(value, inputs)
            same = unchanged(op, inputs, params, value)
            self.known[key] = self.append(op, inputs, params, value) if same is None else same
        return self.known[key]

    def in_dtype_of(self, value, inputs):
        """`inputs` in float32 where NumPy would make float64 of them, but the value is float32 (`values.narrowed`)."""
        if getattr(value, "dtype", None) != np.float32 or narrowed(each(value_of, inputs)) is None:
            return inputs
        cast = lambda x: self.line(rules.astype, (x,), {"dtype": SINGLE}) if type(x) is Traced else x.astype(SINGLE)
        return tuple(
            cast(x) if getattr(x, "dtype", SINGLE) != SINGLE and not getattr(x, "weak", False) else x for x in inputs
        )

    def append(self, op, inputs, params, value):
        line = Traced(self, op, inputs, params, value)
        self.lines.append(line)
        if isinstance(value, tuple):
            return getattr(value, "_make", tuple)([self.line(PART, (line, i), {}) for i in range(len(value))])
        if op is rules.index and any(x.dtype == bool for x in line.sources[1:]):
            self.guard(line, np.shape)  # how many a mask lets through is known only by looking
        return line

    def guard(self, line, question):
        """The answer to `question` about `line`: bool, int, np.shape, or None for its exact value."""
        value = np.asarray(line.value).item() if question is None else question(line.value)
        wrong = {bool: "not {}" if value else "{}", int: f"int({{}}) != {value}", np.shape: f"{{}}.shape != {value}"}
        wrong = wrong.get(question) or ("{0} == {0}" if value != value else f"{{}} != {value!r}")
        if not any(type(x) is Guard and x.sources[0] is line and x.wrong == wrong for x in self.lines):
            self.lines.append(Guard(line, wrong))
        return value

    def frozen(self, array):
        """A copy of a captured array: what the program reads from outside, it reads once."""
        _, copy = self.copies.get(id(array), (None, None))
        if copy is None or copy.tobytes() != array.tobytes():
            copy = array.copy(order="K")
            self.copies[id(array)] = array, copy
        return copy


# ---- tidying: only what changes no bit and no dtype


def in_short(op, inputs, params):
    """The same step in the shortest words."""
    if op is rules.relu:
        op, inputs = rules.maximum, (*inputs, 0)
    if op is rules.magnitude or (op is rules.norm and inputs[0].ndim == 0):
        op, params = rules.abs, {}
    if op is rules.swapaxes:
        axes = list(range(inputs[0].ndim))
        axes[params["i"]], axes[params["j"]] = params["j"], params["i"]
        op, params = rules.permute, {"axes": tuple(axes)}
    if op is rules.permute and inputs[0].op is op:
        (inner,), axes = inputs, inputs[0].params["axes"]
        inputs, params = inner.inputs, {"axes": tuple(axes[i] for i in params["axes"])}
    if op is rules.sum_to and inputs[0].shape[inputs[0].ndim - len(params["shape"]) :] == params["shape"]:
        op, params = rules.sum, {"axis": tuple(range(inputs[0].ndim - len(params["shape"]))), "keepdims": False}
    if op is rules.mean and inputs[0].size:  # NumPy's mean takes four times as long
        total = inputs[0].program.line(rules.sum, inputs, params)
        op, inputs, params = rules.div, (total, inputs[0].size // total.size), {}
    if op is rules.add and getattr(inputs[1], "op", None) is rules.neg:
        op, inputs = rules.sub, (inputs[0], *inputs[1].inputs)  # a + (-b) is a - b to the last bit
    lines = [x for x in inputs if type(x) is Traced]
    if op.value in INFIX and op.value is not np.matmul and len(lines) == 1:
        inputs = tuple(one_number(x, lines[0]) for x in inputs)
    elif lines and lines[0].weak and not works_on_numbers(op):
        inputs = tuple(x.strong if type(x) is Traced else x for x in inputs)  # Python's numbers have no methods
    return op, inputs, params


def works_on_numbers(op):
    """Whether NumPy, or Python, does the step on Python's own numbers, too."""
    return op.value in INFIX or isinstance(op.value, np.ufunc | type) or op in (rules.neg, rules.where)


def one_number(x, line):
    """A constant that holds one number many times, as that number, where broadcasting makes no difference."""
    if isinstance(x, np.ndarray) and x.size and x.dtype == line.dtype and x.shape == line.shape[line.ndim - x.ndim :]:
        first = x.flat[0]
        return first if x.tobytes() == first.tobytes() * x.size else x
    return x


def unchanged(op, inputs, params, value):
    """The line that the result equals bit for bit and in shape and dtype, or None."""
    x, *others = inputs
    if op is rules.mul and is_number(x, 1):
        (x,) = others
    elif op is rules.neg and x.op is op:
        (x,) = x.inputs
    elif not (
        op in SAME
        or (op in TOTALS and x.ndim == 0)
        or (op in NEUTRAL and is_number(others[0], NEUTRAL[op]))
        or (op is rules.permute and params["axes"] == tuple(range(x.ndim)))
    ):
        return None
    return x if type(x) is Traced and likeness(x.value) == likeness(value) else None


def is_number(x, number):
    return isinstance(x, int | float | np.generic) and type(x) is not bool and x == number


def likeness(value):
    return (np.shape(value), value.dtype) if isinstance(value, np.ndarray | np.generic) else type(value)


def token(x):
    """What stands for `x` when steps are compared."""
    if isinstance(x, Line):
        return f"line {id(x)}"
    if isinstance(x, np.ndarray):
        return x.dtype.str, x.shape, x.tobytes() if x.nbytes <= 4096 else id(x)
    return (x.dtype.str, repr(x.item())) if isinstance(x, np.generic) else x


def value_of(x):
    return x.value if type(x) is Traced else x


def computed(op, inputs, params):
    """What the step gives now: of Python's numbers a Python number, with NumPy's value; a 0-d array as a number."""
    weak = of_numbers(op, inputs)
    values = each(lambda x: x.dtype.type(x.value) if weak and type(x) is Traced else value_of(x), inputs)
    y = op.compute(values, each(value_of, params))
    if weak and type(y) in (np.float64, np.int64):
        return y.item()
    return number_or_array(y) if isinstance(y, np.ndarray) else y


def of_numbers(op, inputs):
    """Whether a step is arithmetic of Python's own numbers alone, which raise where NumPy's give inf or nan."""
    arithmetic = op.value in INFIX or op in (rules.neg, rules.abs) or op.value in (np.floor_divide, np.remainder)
    return arithmetic and all(type(value_of(x)) in (int, float) for x in inputs)
