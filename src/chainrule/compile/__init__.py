"""Record a function once, replay it as straight-line NumPy.

A rule is plain NumPy, and whatever box it is given learns what is computed. Here the box is a
`Traced`: it computes, and writes down what it did. Derivatives taken inside the function need
nothing new, since their Tensors and Duals hold Traced values. What is left of all the
book-keeping is the arithmetic: a few lines of NumPy, which can be printed.
"""

import functools
import inspect
import itertools
import threading
import types
import warnings
from collections import OrderedDict

import numpy as np

from .. import tape
from ..nested import each
from ..op import Box, Op
from ..tape import levels, tensor_of
from ..tensor import Tensor
from .program import Program, entered, value_of
from .writer import Changed, ProgramWriter, fits_floats

__all__ = ["Compiled", "compile"]

NUMBERS = frozenset({float, int, complex, np.float64, np.float32, np.int64, np.bool_})

# What stays what it is, and may therefore be part of what a program is recorded for.
FIXED = (
    type(None), type(...), slice, type, types.FunctionType, types.BuiltinFunctionType, types.MethodType,
    types.ModuleType, np.ufunc, functools.partial, Op,
)  # fmt: skip

PLACE = object()  # stands in the structure of a result for a value that the program computes


class Outside(Exception):
    """An argument belongs to a derivative that is being taken around the call."""


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
    if not is_setting(x):
        raise TypeError(
            f"compile cannot see when a {kind.__name__} changes: give the arrays and numbers in it as arguments "
            "(lists, tuples and dicts of them are seen into)"
        )
    return kind, x


def is_setting(x):
    """Whether x says by == whether it is what it was: what changes unseen is no setting."""
    if isinstance(x, FIXED) or type(x) is Compiled:
        return True
    try:
        hash(x)
    except TypeError:
        return False
    return type(x).__eq__ is not object.__eq__


def labels(x, name):
    """A name for every array and number in an argument: `w`, or `w_0`, `w_1` for a list."""
    if isinstance(x, tuple | list | dict):
        for key, part in x.items() if isinstance(x, dict) else enumerate(x):
            yield from labels(part, f"{name}_{key}")
    elif varies(x):
        yield name


class Variant:
    """One way through the function: its source, made ready to run.

    key     what it was recorded for: the shapes, dtypes and settings of the arguments
    source  the text of the program
    names   what its names stand for: constants c0, c1 ..., memory b0, b1 ...
    """

    def __init__(self, key, program, wishes, result, name, floats=True):
        self.key, outputs = key, []
        structure = each(lambda x: collected(x, program, outputs), result)
        self.on_floats = floats and fits_floats(program, outputs)
        writer = ProgramWriter(program, wishes, outputs, name, self.on_floats)
        self.source, self.names, self.run = writer.source, writer.names, writer.run
        self.run_numpy = ProgramWriter(program, wishes, outputs, name, False).run if self.on_floats else None
        self.build, self.lock = builder(structure, outputs), threading.Lock()

    def replay(self, values):
        """The result of the function for these arrays and numbers."""
        if self.on_floats:
            try:
                return self.build(self.run(*values))
            except (ValueError, ArithmeticError):  # where Python's floats raise, NumPy gives inf or nan
                return self.build(self.run_numpy(*map(np.float64, values)))
        with self.lock:  # the memory for what comes in between is there only once
            return self.build(self.run(*values))

    def failed(self, error):
        """The guard that does not hold, in the words of the source."""
        line = error.__traceback__
        while line.tb_next:
            line = line.tb_next
        return self.source.splitlines()[line.tb_lineno - 1].strip().removesuffix(": raise Changed")


def collected(x, program, outputs):
    """A leaf of the result: what varies is appended to `outputs`, and its place marked."""
    if not isinstance(x, Box | np.ndarray | np.generic):
        if not is_setting(x) or isinstance(x, types.FunctionType | types.MethodType | functools.partial):
            raise cannot_return(x)
        return x
    outputs.append(entered(x, program))
    return PLACE


def cannot_return(x):
    kind = type(x).__name__
    return TypeError(
        f"a compiled function returns Tensors, numbers and settings in lists, tuples and dicts, not a {kind}"
    )


def builder(structure, outputs):
    """A function that makes Tensors of the values that a program returns, in the structure of the result.

    Written out as source, as `bind` in `chainrule.op`: it runs at every call.
    """
    names, places = {"tensor_of": tensor_of}, itertools.count()

    def constant(x):
        names[f"c{len(names)}"] = x
        return f"c{len(names) - 1}"

    def written(x):
        if isinstance(x, dict):
            if type(x) not in (dict, OrderedDict):
                raise cannot_return(x)
            pairs = ", ".join(f"({constant(key)}, {written(part)})" for key, part in x.items())
            return f"{constant(type(x))}([{pairs}])"
        if isinstance(x, tuple | list):
            parts = f"({''.join(f'{written(part)}, ' for part in x)})"
            return parts if type(x) is tuple else f"{constant(getattr(x, '_make', type(x)))}({parts})"
        if x is not PLACE:
            return constant(x)
        i = next(places)
        value, sample = "v" if len(outputs) == 1 else f"v[{i}]", np.asarray(value_of(outputs[i]))
        return f"tensor_of({value if sample.ndim else f'{constant(sample.dtype.type)}({value})'})"

    return eval(f"lambda v: {written(structure)}", names)


class Compiled:
    """A function that is recorded when it is called in a new way, and replayed otherwise.

    variants  the ways recorded and kept, the one used last first
    source    the text of that one
    """

    limit = 64  # variants; beyond, it warns and keeps no more

    def __init__(self, function):
        functools.update_wrapper(self, function)
        self.function = function
        self.variants, self.warned = [], False
        self.name = getattr(inspect.unwrap(function), "__name__", "f")
        self.name = self.name if self.name.isidentifier() else "f"

    def __call__(self, *args, **kwargs):
        values, key = [], ()
        try:
            for x in args:
                kind = type(x)
                if kind is Tensor and x.node is None:
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
        failed = "the shapes, dtypes or settings of the arguments"
        for variant in self.variants:
            if variant.key == key:
                try:
                    result = variant.replay(values)
                except Changed as error:
                    failed = variant.failed(error)
                else:
                    if variant is not self.variants[0]:
                        self.variants = [variant, *(other for other in self.variants if other is not variant)]
                    return result
        return self.record(key, args, kwargs, values, failed)

    def __get__(self, instance, owner=None):
        """As a method: the instance is an argument then."""
        return self if instance is None else types.MethodType(self, instance)

    def record(self, key, args, kwargs, values, failed):
        """Run the function on values that write down what is done with them."""
        program = Program(next(levels))
        boxes = iter([program.argument(x) for x in values])
        traced, named = each(lambda x: next(boxes) if varies(x) else x, (args, kwargs))
        result = self.function(*traced, **named)
        recorded = key, program, self.names(args, kwargs), result, self.name
        variant = Variant(*recorded)
        try:
            replayed = variant.replay(values)
        except Changed:  # `math` and NumPy differ in the last digit, and the function has looked at it
            variant = Variant(*recorded, floats=False)
            replayed = variant.replay(values)
        if len(self.variants) < self.limit:
            self.variants = [variant, *self.variants]
        elif not self.warned:
            self.warned = True
            warnings.warn(
                f"compile: {self.name} went {self.limit} different ways, and now records at every call, which is "
                f"slow. What changed last: {failed}. If that is meant to vary, compile the parts between the "
                "branches instead, or keep float() and item() out of the function",
                RuntimeWarning,
                stacklevel=3,
            )
        return replayed

    def names(self, args, kwargs):
        """The names of the arrays and numbers in the arguments, as in the signature of the function."""
        try:
            own = [p.name for p in inspect.signature(self.function).parameters.values() if p.kind < p.VAR_POSITIONAL]
        except (TypeError, ValueError):
            own = []
        own += [f"x{i}" for i in range(len(own), len(args))]
        pairs = [*zip(own, args, strict=False), *kwargs.items()]
        return [label for name, x in pairs for label in labels(x, name)]

    @property
    def source(self):
        if not self.variants:
            raise RuntimeError("nothing has been recorded yet: call the function first")
        return self.variants[0].source

    def __repr__(self):
        count = len(self.variants)
        return f"<compiled {self.name}: {count} variant{'' if count == 1 else 's'}>"


def compile(function):
    """`function` recorded once and replayed as straight-line NumPy. Works as a decorator.

    function  a function of Tensors, arrays and numbers (also in lists, tuples and dicts) and of settings,
              to a Tensor or a structure of Tensors; derivatives may be taken inside

    The compiled function takes arrays and numbers as Tensors, and gives Tensors. Its `variants`
    are the programs that are kept, at most 64; `source` is the one of them that was used last.

    A program holds as long as its guards do: shapes and dtypes of the arguments, equal
    settings, and the same answers wherever the function asked a value for its truth (`if`,
    `while`) or its number (`float`, `int`, `item`). Where a guard fails, the function is
    recorded again. At the 65th way a RuntimeWarning names what has changed.

    Raises TypeError for an argument that may change without its being seen (an object with
    attributes, a set), and for a result that is not made of Tensors, numbers, settings, lists,
    tuples and dicts.

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
