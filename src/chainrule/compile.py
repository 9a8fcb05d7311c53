"""Record a function once, replay it as straight-line NumPy.

The rules are plain NumPy, and boxes carry them to whoever wants to know what is computed.
Here the box is a `Traced`: it computes, and writes down what it did. Derivatives taken inside
the function need nothing new, since their Tensors and Duals hold Traced values. What is left
of all the book-keeping is the arithmetic: a few lines of NumPy, which can be printed.
"""

import functools
import inspect
import threading
import warnings

import numpy as np

from . import rules, tape
from .methods import Methods
from .op import Box
from .program import NotANumberYet, Program, Writer, fits_floats, lines_in, value_of, walk
from .tape import levels, new, tensor_of
from .tensor import Tensor

__all__ = ["Compiled", "Traced", "compile"]

DIRECT = frozenset({np.where, np.argmax, np.argmin, np.any, np.all})
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
        params = {
            name: walk(lambda x: entered(x, program) if name in ("index", "condition") else settled(x), p)  # noqa: B023
            for name, p in params.items()
        }
        try:
            y = program.line(op, *inputs, **params) if op is rules.scatter else op.value(*inputs, **params)
        except NotANumberYet:
            y = program.line(op, *inputs, **params)
        except (ValueError, IndexError):
            op.compute(walk(value_of, inputs), walk(value_of, params))
            raise
        return boxed(y)

    @property
    def strong(self):
        """Itself, with a Python number made NumPy's: what a derivative is taken at."""
        line = self.line
        return self if isinstance(line.value, np.ndarray | np.generic) else Traced(line.program.line(np.float64, line))

    def detach(self):
        """Itself: a derivative taken inside has boxes of its own around it."""
        return self

    def __array_function__(self, function, types, args, kwargs):
        if function not in DIRECT:
            return super().__array_function__(function, types, args, kwargs)
        program = self.line.program
        args, kwargs = walk(lambda x: entered(x, program), (args, kwargs))
        return boxed(program.line(function, *args, **kwargs))

    # ---- questions, whose answers the program will hold only for

    def __bool__(self):
        return self.ask(bool) if self.size == 1 else super().__bool__()

    def item(self):
        return self.ask(None) if self.size == 1 else super().item()

    def __int__(self):
        return self.ask(int) if self.size == 1 else super().__int__()

    def __index__(self):
        if self.ndim or self.dtype.kind not in "iu":
            raise TypeError("only an integer can be an index")
        return self.ask(int)

    def ask(self, question):
        return self.line.program.guard(self.line, question)

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
        if name.endswith("_") and not name.endswith("__"):
            return self.refuse_write
        advice = {
            "backward": "take the derivative with cr.grad or cr.vjp", "grad": "take the derivative with cr.grad",
            "numpy": "stay with its methods, or return it", "tolist": "stay with its methods, or return it",
        }.get(name, "see the methods of cr.Tensor")  # fmt: skip
        raise AttributeError(f"a value inside a compiled function has no {name!r}: {advice}")

    def __repr__(self):
        return f"Traced({self.line.value!r})"


def boxed(y):
    return Traced(y) if hasattr(y, "program") else y


def entered(x, program):
    """An input as a line of `program`, or as a constant of it."""
    if isinstance(x, slice):
        return slice(*(p if p is None else int(p) for p in (x.start, x.stop, x.step)))
    while type(x) is Tensor and x.node is None:
        x = x.array
    if type(x) is Traced and x.line.program is program:
        return x.line
    if isinstance(x, Box):
        raise RuntimeError(
            "a compiled function uses a value that requires a gradient, or belongs to an outer derivative, and is "
            "not among its arguments: pass it as an argument, or detach() it"
        )
    return program.frozen(x) if isinstance(x, np.ndarray) else x


def settled(x):
    """A parameter as a plain number: lengths and axes are part of the program."""
    return int(x) if type(x) is Traced else x


def varies(x):
    """Whether an argument is an array or a number, rather than a setting."""
    return isinstance(x, Tensor | np.ndarray | np.generic) or type(x) in NUMBERS


def look(x, found):
    """What the guards compare of an argument; its arrays and numbers are appended to `found`."""
    kind = type(x)
    if kind is Tensor:
        if x.level or x.node is not None and tape.recording:
            raise Outside
        x = x.array
        kind = type(x)
    if kind is np.ndarray:
        if x.ndim:
            found.append(x)
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

    source   the text of the program
    names    what its names stand for: constants c0, c1 ..., memory b0, b1 ...
    """

    def __init__(self, program, argument_names, outputs, structure, name):
        self.on_floats = fits_floats(program, outputs)
        outputs = program.merge(outputs) if self.on_floats else outputs
        write = functools.partial(Writer, program, argument_names, outputs, name)
        first = write(on_floats=self.on_floats)
        self.source, self.names, self.name = first.source, first.names, name
        self.run = ready(first, name)
        self.spare = ready(write(), name) if self.on_floats else None
        kinds = [None if np.ndim(value_of(x)) else np.asarray(value_of(x)).dtype.type for x in outputs]
        self.build = builder(structure, kinds)
        self.lock = threading.Lock() if any(n.startswith("b") for n in self.names) else None

    def __call__(self, values):
        if self.on_floats:
            try:
                found = self.run(*[float(x) for x in values])
            except (ValueError, ArithmeticError):  # math raises where NumPy gives inf or nan
                found = self.spare(*map(np.float64, values))
        elif self.lock:
            with self.lock:
                found = self.run(*values)
        else:
            found = self.run(*values)
        return self.build(found)

    def failed(self, error):
        """The guard that does not hold, in the words of the source."""
        line = error.__traceback__
        while line.tb_next:
            line = line.tb_next
        return self.source.splitlines()[line.tb_lineno - 1].strip().removesuffix(": raise Changed")


def builder(structure, kinds):
    """What makes Tensors of the values that a program returns, in the structure of the function's result.

    kinds  for each value the type of its one number, None for an array
    """
    if type(structure) is Result:
        (kind,) = kinds
        return tensor_of if kind is None else lambda value: tensor_of(kind(value))
    make = [tensor_of if kind is None else lambda value, kind=kind: tensor_of(kind(value)) for kind in kinds]

    def build(values):
        tensors = [f(value) for f, value in zip(make, values if len(kinds) != 1 else (values,))]
        return walk(lambda x: tensors[x.i] if type(x) is Result else x, structure)

    def build_tuple(values):
        return tuple([tensor_of(value if kind is None else kind(value)) for kind, value in zip(kinds, values)])

    simple = type(structure) is tuple and len(kinds) > 1 and all(type(x) is Result for x in structure)
    return build_tuple if simple else build


def ready(writer, name):
    """The function that the source defines."""
    names = {**writer.names, "Changed": Changed}
    exec(writer.source, names)
    return names[name]


class Compiled:
    """A function that is recorded when it is called in a new way, and replayed otherwise.

    variants  the ways recorded so far, each with its `source`
    source    the text of the way the last call went
    """

    limit = 32

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function
        self.ways, self.latest, self.warned = {}, None, False
        try:
            self.parameters = [p.name for p in inspect.signature(function).parameters.values() if p.kind < p.VAR_POSITIONAL]
        except (TypeError, ValueError):
            self.parameters = []

    def __call__(self, *args, **kwargs):
        values = []
        try:
            key = []
            for x in args:
                if type(x) is Tensor and x.node is None and not x.level:
                    x = x.array
                kind = type(x)
                if kind in NUMBERS:
                    values.append(x)
                    key.append(kind)
                else:
                    key.append(look(x, values))
            key = tuple(key)
            if kwargs:
                key = key, *[(name, look(x, values)) for name, x in kwargs.items()]
            ways = self.ways.get(key, ())
        except Outside:
            return self.function(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"compile compares settings by equality, so each must be hashable: {error}") from None
        failed = "the shapes, dtypes or settings of the arguments"
        for i, variant in enumerate(ways):
            try:
                result = variant(values)
            except Changed as error:
                failed = variant.failed(error)
                continue
            if i:
                ways.insert(0, ways.pop(i))
            self.latest = variant
            return result
        return self.record(key, args, kwargs, values, failed)

    def record(self, key, args, kwargs, values, failed):
        """Run the function on values that write down what is done with them."""
        program = Program(next(levels))
        boxes = iter([Traced(program.argument(x)) for x in values])
        traced, named = walk(lambda x: next(boxes) if varies(x) else x, (args, kwargs))
        result = self.function(*traced, **named)
        outputs = []
        structure = walk(lambda x: collected(x, program, outputs), result)
        variant = Variant(program, self.names(args, kwargs), outputs, structure, self.name())
        if len(self.variants) < self.limit:
            self.ways.setdefault(key, []).insert(0, variant)
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
        return variant(values)

    def names(self, args, kwargs):
        """The names of the arrays and numbers in the arguments, as in the signature of the function."""
        own = [*self.parameters[: len(args)], *(f"x{i}" for i in range(len(self.parameters), len(args)))]
        found = [label for x, name in zip(args, own, strict=True) for label in labels(x, name)]
        found += [label for name, x in kwargs.items() for label in labels(x, name)]
        return [f"{name}_" if name in ("np", "math", "rules", "Changed", self.name()) else name for name in found]

    def name(self):
        name = getattr(inspect.unwrap(self.function), "__name__", "f")
        return name if name.isidentifier() else "f"

    @property
    def variants(self):
        return [variant for ways in self.ways.values() for variant in ways]

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
    if not isinstance(x, Box | np.ndarray | np.generic):
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
    recorded again. From the 33rd way on a RuntimeWarning names the guard that fails.

    The function should be pure. What it reads from outside, arrays and random numbers
    included, is read once, when it is recorded: pass as an argument what is to change. What it
    prints is printed once. Writing in place raises RuntimeError, as does the use of an outer
    value that requires a gradient. Called on a value that requires a gradient, or inside
    somebody else's derivative, the function itself runs, so that the derivative is right.

    >>> import chainrule as cr
    >>> slope = cr.compile(cr.grad(lambda x: x.sin() * x))
    >>> slope(0.0)
    tensor(0.)
    >>> print(slope.source)
    ...
    """
    return Compiled(function)
