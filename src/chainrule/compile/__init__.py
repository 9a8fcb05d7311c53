"""Record a function once, replay it as straight-line NumPy.

The rules are plain NumPy, and boxes carry them to whoever wants to know what is computed.
Here the box is a `Traced`: it computes, and writes down what it did. Derivatives taken inside
the function need nothing new, since their Tensors and Duals hold Traced values. What is left
of all the book-keeping is the arithmetic: a few lines of NumPy, which can be printed.
"""

import functools
import inspect
import operator
import threading
import warnings

import numpy as np

from .. import rules, tape
from ..methods import Methods
from ..op import Box, highest
from ..tape import levels, tensor_of
from ..tensor import Tensor
from .program import Line, NotANumberYet, Program, value_of, walk
from .source import Writer, fits_floats

__all__ = ["Compiled", "Traced", "compile"]

RESERVED = ("np", "math", "abs", "float", "int", "Changed")
NUMBERS = frozenset({float, int, complex, np.float64, np.float32, np.int64, np.bool_})


class Changed(Exception):
    """A guard does not hold: this call goes another way than the recorded one."""


class Outside(Exception):
    """An argument belongs to a derivative that is being taken around the call."""


class Traced(Methods):
    """A value that writes down what is done with it: a line of a program."""

    __slots__ = ("line",)

    def __init__(self, line):
        self.line = line

    level = property(lambda self: self.line.program.level)
    shape = property(lambda self: self.line.shape)
    ndim = property(lambda self: self.line.ndim)
    dtype = property(lambda self: self.line.dtype)
    requires_grad = False

    def apply(self, op, inputs, params):
        """The value of `op`, as the lines that its NumPy function leaves behind."""
        program = self.line.program
        inputs = [entered(x, program) for x in inputs]
        for name, param in params.items():
            enter = entered if name in ("index", "condition") else settled
            params = {**params, name: walk(lambda x: enter(x, program), param)}  # noqa: B023
        try:
            if op is rules.scatter:
                return Traced(program.line(op, *inputs, **params))
            if op is rules.index:
                return Traced(program.line(operator.getitem, *inputs, params["index"]))
            return boxed(op.value(*inputs, **params))
        except (ValueError, IndexError) as error:
            if not isinstance(error, NotANumberYet):
                op.compute(walk(value_of, inputs), walk(value_of, params))  # which says it in PyTorch's words
            raise

    @property
    def strong(self):
        """Itself, with a Python number made NumPy's: what a derivative is taken at."""
        line = self.line
        return self if isinstance(line.value, np.ndarray | np.generic) else Traced(line.program.line(np.float64, line))

    def detach(self):
        """Itself: a derivative taken inside has boxes of its own around it."""
        return self

    def __array_function__(self, function, types, args, kwargs):
        if function is np.where and highest(args[1:]) is None:  # a row of the table, which waits for its condition
            return Traced(self.line.program.line(function, self.line, *args[1:]))
        return super().__array_function__(function, types, args, kwargs)

    def __int__(self):
        return int(self.line) if self.size == 1 else super().__int__()

    def __index__(self):
        return self.line.__index__()

    # ---- what cannot be written down

    def __array__(self, *_, **__):
        return self.line.__array__()

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
        return f"Traced({self.line.value!r})"


def boxed(y):
    return walk(lambda x: Traced(x) if type(x) is Line else x, y)


def entered(x, program):
    """An input as a line of `program`, or as a constant of it."""
    if isinstance(x, slice):
        return slice(*(p if p is None else int(p) for p in (x.start, x.stop, x.step)))
    while type(x) is Tensor and x.node is None:
        x = x.array
    x = x.line if type(x) is Traced else x
    if type(x) is Line and x.program is program:
        return x
    if isinstance(x, Box | Line):
        raise RuntimeError(
            "a compiled function uses a value that requires a gradient, or belongs to an outer derivative, and is "
            "not among its arguments: pass it as an argument, or detach() it"
        )
    return program.frozen(x) if isinstance(x, np.ndarray) else x


def settled(x, _):
    """A parameter as a plain number: lengths and axes are part of the program."""
    return int(x) if isinstance(x, Traced | Line) else x


def varies(x):
    """Whether an argument is an array or a number, rather than a setting."""
    return isinstance(x, Tensor | np.ndarray | np.generic) or type(x) in NUMBERS


def look(x, found):
    """What the guards compare of an argument; its arrays and numbers are appended to `found`."""
    kind = type(x)
    if kind is Tensor:
        if x.node is not None and tape.recording:
            raise Outside
        x = x.array
        kind = type(x)
    if isinstance(x, np.ndarray):
        if x.ndim:
            found.append(np.asarray(x))
            return x.shape, x.dtype
        x = x[()]
        kind = type(x)
    if kind in NUMBERS or isinstance(x, np.generic):
        found.append(x)
        return kind
    if isinstance(x, tuple | list):
        return kind, *[look(part, found) for part in x]
    if isinstance(x, dict):
        return kind, *[(key, look(part, found)) for key, part in x.items()]
    if isinstance(x, Box):
        raise Outside
    return kind, x


def labels(x, name):
    """A name for every array and number in an argument: `w`, or `w_0`, `w_1` for a list."""
    if isinstance(x, tuple | list | dict):
        for key, part in x.items() if isinstance(x, dict) else enumerate(x):
            yield from labels(part, f"{name}_{key}")
    elif varies(x):
        yield name


class Result:
    """Stands for the i-th of the values that the program returns, in the structure of the result."""

    def __init__(self, i):
        self.i = i


class Variant:
    """One way through the function: its source, made ready to run.

    key     what it was recorded for: the shapes, dtypes and settings of the arguments
    source  the text of the program
    names   what its names stand for: constants c0, c1 ..., memory b0, b1 ...
    replay  runs it: from a list of arrays and numbers to the result of the function
    """

    def __init__(self, key, program, argument_names, outputs, structure, name):
        self.key = key
        on_floats = fits_floats(program, outputs)
        if on_floats:
            outputs = program.merge(outputs)
        writer = Writer(program, argument_names, outputs, name, on_floats)
        self.source, self.names = writer.source, writer.names
        run, build = ready(writer, name), builder(structure, outputs)
        if on_floats:
            self.replay = replay_floats(run, ready(Writer(program, argument_names, outputs, name), name), build)
        else:
            self.replay = replay_arrays(run, build)

    def failed(self, error):
        """The guard that does not hold, in the words of the source."""
        line = error.__traceback__
        while line.tb_next:
            line = line.tb_next
        return self.source.splitlines()[line.tb_lineno - 1].strip().removesuffix(": raise Changed")


def ready(writer, name):
    """The function that the source defines."""
    names = {**writer.names, "Changed": Changed}
    exec(writer.source, names)
    return names[name]


def replay_floats(run, run_numpy, build):
    """Python's floats do the work; where they raise, NumPy gives inf or nan."""

    def replay(values):
        try:
            found = run(*values)
        except (ValueError, ArithmeticError):
            found = run_numpy(*map(np.float64, values))
        return build(found)

    return replay


def replay_arrays(run, build):
    """One at a time, since the memory for what comes in between is there only once."""
    lock = threading.Lock()

    def replay(values):
        with lock:
            return build(run(*values))

    return replay


def builder(structure, outputs):
    """A function that makes Tensors of the values that a program returns, in the structure of the result.

    Written out as source, as `bind` in `chainrule.op`: it runs at every call.
    """
    names, made = {"tensor_of": tensor_of}, ""
    for i, x in enumerate(outputs):
        value, sample = "v" if len(outputs) == 1 else f"v[{i}]", np.asarray(value_of(x))
        names[f"k{i}"] = sample.dtype.type
        made += f"tensor_of({value}), " if sample.ndim else f"tensor_of(k{i}({value})), "
    tensors = eval(f"lambda v: ({made})", names)
    if type(structure) is Result:
        return eval(f"lambda v: {made[:-2]}", names)
    if type(structure) is tuple and all(type(x) is Result for x in structure):
        return tensors

    def build(values):
        found = tensors(values)
        return walk(lambda x: found[x.i] if type(x) is Result else x, structure)

    return build


class Compiled:
    """A function that is recorded when it is called in a new way, and replayed otherwise.

    variants  the ways recorded so far, each with its `source`
    source    the text of the way the last call went
    """

    limit = 64  # variants; beyond, it warns and keeps no more

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function
        self.variants, self.latest, self.warned = [], None, False
        try:
            self.parameters = [
                p.name for p in inspect.signature(function).parameters.values() if p.kind < p.VAR_POSITIONAL
            ]
        except (TypeError, ValueError):
            self.parameters = []

    def __call__(self, *args, **kwargs):
        values, key = [], ()
        try:
            for x in args:
                if type(x) is Tensor and x.node is None:
                    x = x.array
                kind = type(x)
                if kind in NUMBERS:
                    values.append(x)
                    key += (kind,)
                else:
                    key += (look(x, values),)
            if kwargs:
                key = key, {name: look(x, values) for name, x in kwargs.items()}
        except Outside:
            return self.function(*args, **kwargs)
        latest, failed = self.latest, "the shapes, dtypes or settings of the arguments"
        if latest is not None and latest.key == key:  # the usual way, tried first
            try:
                return latest.replay(values)
            except Changed as error:
                failed = latest.failed(error)
        for variant in self.variants:
            if variant is not latest and variant.key == key:
                try:
                    result = variant.replay(values)
                except Changed as error:
                    failed = variant.failed(error)
                else:
                    self.latest = variant
                    return result
        return self.record(key, args, kwargs, values, failed)

    def record(self, key, args, kwargs, values, failed):
        """Run the function on values that write down what is done with them."""
        program = Program(next(levels), Traced)
        boxes = iter([Traced(program.argument(x)) for x in values])
        traced, named = walk(lambda x: next(boxes) if varies(x) else x, (args, kwargs))
        result = self.function(*traced, **named)
        outputs = []
        structure = walk(lambda x: collected(x, program, outputs), result)
        variant = Variant(key, program, self.names(args, kwargs), outputs, structure, self.name())
        if len(self.variants) < self.limit:
            self.variants.append(variant)
            self.latest = variant
        elif not self.warned:
            self.warned = True
            warnings.warn(
                f"compile: {self.name()} went {self.limit} different ways, and now records at every call, which is "
                f"slow. What changed last: {failed}. If that is meant to vary, compile the parts between the "
                "branches instead, or keep float() and item() out of the function",
                RuntimeWarning,
                stacklevel=3,
            )
        return variant.replay(values)

    def names(self, args, kwargs):
        """The names of the arrays and numbers in the arguments, as in the signature of the function."""
        own = [*self.parameters[: len(args)], *(f"x{i}" for i in range(len(self.parameters), len(args)))]
        found = [label for x, name in zip(args, own, strict=True) for label in labels(x, name)]
        found += [label for name, x in kwargs.items() for label in labels(x, name)]
        for i, name in enumerate(found):
            if not name.isidentifier() or name in (*found[:i], *RESERVED, self.name()):
                found[i] = f"{name}_" if f"{name}_".isidentifier() and f"{name}_" not in found else f"argument_{i}"
        return found

    def name(self):
        name = getattr(inspect.unwrap(self.function), "__name__", "f")
        return name if name.isidentifier() else "f"

    @property
    def source(self):
        if self.latest is None:
            raise RuntimeError("nothing has been recorded yet: call the function first")
        return self.latest.source

    def __repr__(self):
        count = len(self.variants)
        return f"<compiled {self.name()}: {count} variant{'' if count == 1 else 's'}>"


def collected(x, program, outputs):
    """A place in the structure of the result; what varies is appended to `outputs`."""
    if not isinstance(x, Box | Line | np.ndarray | np.generic):
        return x
    outputs.append(entered(x, program))
    return Result(len(outputs) - 1)


def compile(function):
    """`function` recorded once and replayed as straight-line NumPy. Works as a decorator.

    function  a function of Tensors, arrays and numbers (also in lists, tuples and dicts) and of settings,
              to a Tensor or a structure of Tensors; derivatives may be taken inside

    The compiled function takes arrays and numbers as Tensors, and gives Tensors. Its `source`
    is the program that the last call ran; `variants` are all that were recorded.

    A program holds as long as its guards do: shapes and dtypes of the arguments, equal
    settings, and the same answers wherever the function asked a value for its truth (`if`,
    `while`) or its number (`float`, `int`, `item`). Where a guard fails, the function is
    recorded again. From the 65th way on a RuntimeWarning names the guard that fails.

    The function should be pure. What it reads from outside, arrays and random numbers
    included, is read once, when it is recorded: pass as an argument what is to change. What it
    prints is printed once. Writing in place raises RuntimeError, as does the use of an outer
    value that requires a gradient. Called on a value that requires a gradient, or inside
    somebody else's derivative, the function itself runs, so that the derivative is right.

    >>> import chainrule as cr
    >>> slope = cr.compile(cr.grad(lambda x: x.sin() * x))
    >>> slope(0.0)
    tensor(0.)
    >>> print(slope.source, end="")
    def f(x):
        x = float(x)
        v1 = math.sin(x)
        v2 = math.cos(x)
        v3 = x * v2
        v4 = v1 + v3
        return v4
    """
    return Compiled(function)
