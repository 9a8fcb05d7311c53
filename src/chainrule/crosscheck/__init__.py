"""One function, two engines: ours and PyTorch.

The function is written once, with the methods and operators that both engines have, and runs
on both. Values and gradients stand side by side, and where they differ an error stops the
page: a result cannot pass by looking right.
"""

import importlib.util
import inspect
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..op import Box
from ..tensor import Tensor, tensor
from . import recorded
from .comparison import Row, digits, exactly, html_table, text_table

# What a slip of the pen in `f` raises, on every engine. Such an error is not a result.
MISTAKES = (NameError, AttributeError, AssertionError, ImportError)


class Disagreement(AssertionError):
    """The two engines differ. The message says where and by how much; `check` holds the rest.

    >>> import chainrule as cr
    >>> try:
    ...     cr.crosscheck(lambda x: x.detach() * x if isinstance(x, cr.Tensor) else x * x, 2.0)
    ... except cr.Disagreement as error:
    ...     error.check.agree
    False
    """

    def __init__(self, message, check):
        super().__init__(message)
        self.check = check


@dataclass
class Outcome:
    """What running `f` gave: the results and the gradients as arrays, or the error raised."""

    values: tuple = ()
    gradients: tuple = ()
    error: Exception | None = None


class Check:
    """What two engines made of one function at one point. It shows itself as a small table.

    agree      True: a check that does not agree is not returned but raised
    exact      whether values and gradients are equal to the last bit
    value      our result, as a Tensor; a tuple of Tensors if there are several
    gradients  for each input our gradient (a Tensor), or None for a constant or unused input
    error      the error that both engines raised, or None
    table      the rows: each with `name`, `ours`, `theirs` (arrays or None) and `difference`
    recorded   the version of PyTorch whose recorded results were used; None if PyTorch ran
    """

    def __init__(self, ours, theirs, rows, version):
        self.error, self.table, self.recorded = ours.error, rows, version
        self.notes = list(notes(ours, rows, version))
        values = tuple(tensor(v) for v in ours.values)
        self.value = values[0] if len(values) == 1 else values or None
        self.gradients = tuple(None if g is None else tensor(g) for g in ours.gradients)
        self.exact = ours.error is None and all(row.exact for row in rows)
        self.agree = same_error(ours, theirs) and all(row.agrees for row in rows)

    def cells(self):
        """The table as words: rows of four."""
        if self.error is not None:
            return [("", "chainrule and PyTorch"), ("both raise", describe(self.error))]
        return [("", "chainrule", "PyTorch", "difference"), *(row.cells() for row in self.table)]

    def __repr__(self):
        return text_table(self.cells(), self.notes)

    def _repr_html_(self):
        return html_table(self.cells(), self.notes)


def crosscheck(
    f: Callable,
    *inputs: Tensor | ArrayLike,
    rtol: float | None = None,
    atol: float | None = None,
    names: Sequence[str] | None = None,
) -> Check:
    """Run the same function on chainrule and on PyTorch; compare the value and all gradients.

    f           a function of as many Tensors as there are inputs, to a Tensor or a tuple of
                them, written with methods and operators that both engines have. For functions
                (`stack`, `where`, `cat`) give it a keyword-only parameter `lib`: it receives
                `chainrule` or `torch`
    inputs      floats, arrays, Tensors: each becomes a leaf that requires grad, of the same
                dtype on both sides. Integers and arrays of integers or truth values are
                constants
    rtol, atol  how far |ours - theirs| <= atol + rtol |theirs| lets the two differ; by default
                1e-10 and 1e-12 in float64, 1e-5 and 1e-6 in float32 (if the result or an input is
                float32), 0 for integers
    names       what to call the inputs; by default as the parameters of `f` are called

    Unless an input is float32, Python floats inside `f` become float64 on both sides, as they do
    in chainrule (PyTorch runs with that as its default dtype).

    Returns a `Check`. A result that is not one number is compared by its vector-Jacobian
    product with a fixed cotangent y_bar of eighths, and the table says so. Where both engines
    raise the same error with the same words, that is agreement: see `Check.error`.

    The table gives 6 digits, and classes of differences in place of raw ones: "equal" for
    numbers so round that no machine rounds them, "within 4 ulp" (units in the last place),
    "< 1e-12" (of the largest number in the row, or of 1). So it reads the same on every
    machine, although the last digit does not.

    Raises Disagreement (an AssertionError) if values, gradients, shapes, dtypes or errors
    differ, or if just one engine has no gradient for an input. Raises LookupError where
    PyTorch is not installed and no result of it was recorded for this function and point.

    >>> import chainrule as cr
    >>> cr.crosscheck(lambda x: x**3 + 2 * x**2 - 5 * x + 1, 2.0)
           chainrule  PyTorch  difference
    value  7          7        equal
    d/dx   15         15       equal
    """
    points = [point_of(x, i) for i, x in enumerate(inputs)]
    called = names_of(f, len(points), names)
    place = recorded.keys(f, points) if not installed() or recorded.is_in_use() else None  # before f changes anything
    if installed():
        ours = outcome(f, points, sys.modules["chainrule"])
        theirs, version = pytorchs(f, points, place), None
    else:
        inputs, results, version = recorded.look_up(place)
        points = as_recorded(points, inputs)
        ours, theirs = outcome(f, points, sys.modules["chainrule"]), Outcome(*results)
    variables = [name if is_float(p) else None for name, p in zip(called, points, strict=True)]
    check = compare(ours, theirs, variables, version, rtol, atol, coarsest(points))
    if not check.agree:
        raise Disagreement(complaint(check, ours, theirs, called, points), check) from ours.error or theirs.error
    if isinstance(ours.error, MISTAKES):
        raise ours.error
    return check


def point_of(x, i):
    """An input as an array of numbers, or as the Python integer it is."""
    if isinstance(x, bool | int):
        return x
    if isinstance(x, Box) and not (isinstance(x, Tensor) and isinstance(x.array, np.ndarray | np.generic)):
        raise TypeError(f"input {i} of crosscheck belongs to a derivative that is being taken: give numbers")
    array = np.array(x.array if isinstance(x, Tensor) else x, order="C")
    if array.dtype.kind not in "fiub":
        raise TypeError(f"input {i} of crosscheck is of type {array.dtype}: give real numbers, as floats or an array")
    return array


def as_recorded(points, inputs):
    """The points with floats as in a record, whose last digits may be other ones."""
    return [q if is_float(p) else p for p, q in zip(points, inputs, strict=True)]


def is_float(point):
    return not isinstance(point, int) and point.dtype.kind == "f"


def coarsest(points):
    """The shortest floating dtype among the inputs, or None if they are all integers."""
    return min((p.dtype for p in points if is_float(p)), key=lambda dtype: dtype.itemsize, default=None)


def names_of(f, count, names):
    """What the inputs are called: `names`, or the names of f's parameters."""
    if names is None:
        names = recorded.parameters(f)[:count]
        names += [f"x{i}" for i in range(len(names), count)]
    if len(names) != count:
        raise ValueError(f"crosscheck got {count} inputs, but {len(names)} names: give one name for each")
    return list(names)


def wants_lib(f):
    """Whether `f` asks for the engine's module by a keyword-only parameter `lib`."""
    try:
        lib = inspect.signature(f).parameters.get("lib")
    except (TypeError, ValueError):
        return False
    return lib is not None and lib.kind is lib.KEYWORD_ONLY


def installed():
    return importlib.util.find_spec("torch") is not None


def pytorchs(f, points, place):
    """PyTorch's outcome, written down or compared with what was, if that is wished for."""
    import torch

    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64 if coarsest(points) in (None, np.float64) else default)
    try:
        theirs = outcome(f, points, torch)
        if recorded.is_recording():
            recorded.store(place, f, points, theirs, torch.__version__)
        elif recorded.is_comparing():
            confirm(f, points, place, theirs)
    finally:
        torch.set_default_dtype(default)
    return theirs


def confirm(f, points, place, theirs):
    """Compare what PyTorch gives with what was recorded."""
    inputs, results, version = recorded.look_up(place)
    if not all(np.array_equal(p, q, equal_nan=True) for p, q in zip(points, inputs, strict=True)):
        theirs = outcome(
            f, [q if is_float(p) else p for p, q in zip(points, inputs, strict=True)], sys.modules["torch"]
        )
    names = [f"input {i}" if is_float(p) else None for i, p in enumerate(points)]
    if not compare(Outcome(*results), theirs, names, version, None, None, coarsest(points)).agree:
        raise recorded.NoRecord(f"PyTorch {version} was recorded to give other results. To record anew: make notebooks")


def outcome(f, points, lib):
    """What `f` and its gradients are on one engine. The code is the same for both."""
    leaves = [p if isinstance(p, int) else lib.tensor(p, requires_grad=is_float(p)) for p in points]
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = f(*leaves, lib=lib) if wants_lib(f) else f(*leaves)
            ys = tuple(y) if isinstance(y, tuple | list) else (y,)
            return Outcome(tuple(map(array_of, ys)), gradients(lib, ys, leaves))
    except Exception as error:
        return Outcome(error=error)


def gradients(lib, ys, leaves):
    """For each leaf the vector-Jacobian product with the fixed cotangents; None where none flows."""
    seeds = cotangents([array_of(y) for y in ys])
    live = [(y, lib.tensor(t)) for y, t in zip(ys, seeds, strict=True) if requires_grad(y)]
    wanted = [x for x in leaves if requires_grad(x)]
    if not live or not wanted:
        return (None,) * len(leaves)
    outputs, weights = zip(*live, strict=True)
    found = iter(lib.autograd.grad(outputs, wanted, weights, allow_unused=True))
    return tuple(next_array(found) if requires_grad(x) else None for x in leaves)


def next_array(found):
    g = next(found)
    return None if g is None else array_of(g)


def requires_grad(x):
    return getattr(x, "requires_grad", False)


def array_of(y):
    """The numbers in a result of either engine."""
    return np.array(y.detach().numpy() if hasattr(y, "detach") else y)


def cotangents(values):
    """1 for a single number; otherwise odd eighths between -15/8 and 15/8, always the same."""
    if len(values) == 1 and values[0].ndim == 0:
        return [np.ones_like(values[0])]
    random = np.random.RandomState(0)  # the one generator whose numbers NumPy promises never to change
    return [((random.randint(0, 16, y.shape) * 2 - 15) / 8).astype(y.dtype) for y in values]


def compare(ours, theirs, names, version, *tolerances):
    """The table: a row for each result and for each input with a name (constants have none here)."""
    if ours.error or theirs.error or len(ours.values) != len(theirs.values):
        return Check(ours, theirs, [], version)
    several = len(ours.values) != 1
    vector = several or ours.values[0].ndim > 0
    rows = [
        Row(f"value {i}" if several else "value", a, b, *tolerances)
        for i, (a, b) in enumerate(zip(ours.values, theirs.values, strict=True))
    ]
    for name, a, b in zip(names, ours.gradients, theirs.gradients, strict=True):
        if name is not None:
            rows.append(Row(f"y_bar dy/d{name}" if vector else f"d/d{name}", a, b, *tolerances))
    return Check(ours, theirs, rows, version)


def notes(ours, rows, version):
    """The lines under the table: which cotangent was used, and who ran PyTorch."""
    if any(row.name.startswith("y_bar") and row.ours is not None for row in rows):
        given = ", ".join(digits(t) for t in cotangents(ours.values) if t.dtype.kind == "f")
        yield f"y_bar dy/dx is a vector-Jacobian product, with y_bar = {given}"
    if version is not None:
        yield f"PyTorch is not installed here: these results of it were recorded with version {version}"


def same_error(ours, theirs):
    """Whether both went well with as many results, or both raised the same error with the same words."""
    if ours.error is None and theirs.error is None:
        return len(ours.values) == len(theirs.values)
    return describe(ours.error) == describe(theirs.error)


def describe(error):
    return None if error is None else f"{type(error).__name__}: {' '.join(str(error).split())}"


def complaint(check, ours, theirs, names, points):
    """What a Disagreement says: where, what each engine makes of it, and what to look at."""
    at = ", ".join(f"{name} = {exactly(p)}" for name, p in zip(names, points, strict=True))
    if not check.table:
        both = [describe(o.error) or f"{len(o.values)} result{'s' * (len(o.values) != 1)}" for o in (ours, theirs)]
        return f"the engines differ at {at}\n    chainrule  {both[0]}\n    PyTorch    {both[1]}"
    worst = [row.complaint() for row in check.table if not row.agrees]
    return f"the engines differ at {at}\n" + "\n".join(worst)
