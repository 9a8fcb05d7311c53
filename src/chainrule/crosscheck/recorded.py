"""PyTorch's results, written down for places where PyTorch does not run, such as a browser.

A record is found by what was asked: the text of the function, the values of the names it
uses, and the inputs. What was asked to the last bit is taken first; failing that, what agrees
to four digits, because another machine's last digits are other ones, and then the comparison
is made at the inputs of the record. The records lie next to this file. CHAINRULE_RECORD=write
adds what is asked while it is set (`make notebooks` writes all of them anew), and with
CHAINRULE_RECORD=compare every cross-check derives its record again and compares.
"""

import ast
import builtins
import hashlib
import inspect
import json
import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType

import numpy as np

from ..op import Box

FILE = Path(__file__).with_name("recorded.json")
LIBRARIES = ("chainrule", "torch", "numpy")  # whose functions are known by their names
LARGEST = 10_000  # numbers in a record: larger results would make the package heavy

switched_on = False


class NoRecord(LookupError):
    """PyTorch is not installed, and nothing was recorded for this function and these inputs."""


def is_recording() -> bool:
    """Whether PyTorch's results are being written down."""
    return switched_on or os.environ.get("CHAINRULE_RECORD") == "write"


def is_comparing() -> bool:
    """Whether PyTorch's results are being compared with what is written down."""
    return os.environ.get("CHAINRULE_RECORD") == "compare"


def is_in_use() -> bool:
    return is_recording() or is_comparing()


@contextmanager
def recording():
    """Write PyTorch's results down for every `crosscheck` inside the block."""
    global switched_on
    before, switched_on = switched_on, True
    try:
        yield
    finally:
        switched_on = before


def look_up(place):
    """The inputs and the (values, gradients, error) recorded for `place`, and PyTorch's version then.

    place  the two fingerprints of what is asked, as `keys` gives them

    Raises NoRecord if there is none.
    """
    records, reason = read(), "no result of PyTorch is recorded for this function at this point"
    if place is None:
        found, reason = None, "the text of the function cannot be read, so that no recorded result can be found"
    else:
        exact, rough = place
        found = records.get(exact) or next((one for one in records.values() if one["rough"] == rough), None)
    if found is None and is_comparing():
        raise NoRecord(f"{reason}. To record it: make notebooks")
    if found is None:
        raise NoRecord(f"PyTorch is not installed, and {reason}. To compare with PyTorch itself: pip install torch")
    inputs, values, gradients = (tuple(map(unpack, found[part])) for part in ("inputs", "values", "gradients"))
    return inputs, (values, gradients, error_of(found["error"])), found["torch"]


def store(place, f, points, outcome, version):
    """Write PyTorch's outcome for `f` at `points` into the file, which stays sorted.

    Functions whose text cannot be read and large results are passed over.
    """
    inputs = [np.asarray(p) for p in points]
    arrays = [a for a in (*inputs, *outcome.values, *outcome.gradients) if a is not None]
    if place is None or sum(a.size for a in arrays) > LARGEST:
        return
    records, (exact, rough) = read(), place
    records[exact] = {
        "function": text_of(f),
        "rough": rough,
        "torch": version.partition("+")[0],
        "inputs": [pack(a) for a in inputs],
        "values": [pack(a) for a in outcome.values],
        "gradients": [pack(a) for a in outcome.gradients],
        "error": outcome.error and [type(outcome.error).__name__, str(outcome.error)],
    }
    written = FILE.with_suffix(f".{os.getpid()}")
    lines = (f"{json.dumps(k)}: {json.dumps(records[k], sort_keys=True)}" for k in sorted(records))
    written.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    written.replace(FILE)


def read():
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def pack(array):
    """An array as JSON, floats in hexadecimal: exact, and the same on every machine."""
    if array is None:
        return None
    spell = (lambda x: float(x).hex()) if array.dtype.kind == "f" else int
    return [str(array.dtype), list(array.shape), [spell(x) for x in array.reshape(-1)]]


def unpack(packed):
    """
    >>> unpack(pack(np.array([0.1, 0.2])))
    array([0.1, 0.2])
    """
    if packed is None:
        return None
    dtype, shape, numbers = packed
    numbers = [float.fromhex(x) if isinstance(x, str) else x for x in numbers]
    return np.array(numbers, dtype).reshape(shape)


def error_of(described):
    """An error of the recorded type and words."""
    if described is None:
        return None
    name, message = described
    kind = getattr(builtins, name, None) or type(name, (Exception,), {})
    return kind(message)


# ---- what identifies a function


def keys(f, points):
    """Two fingerprints of a function and its inputs, exact and rough; None if f's text cannot be read."""
    try:
        text_of(f)
    except OSError:
        return None
    return tuple(fingerprint(f, points, spell) for spell in (bits, four_digits))


def fingerprint(f, points, spell):
    words = [identity(f, set(), spell), *(identity(p, set(), spell) for p in points)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def bits(array):
    return array.tobytes().hex()


def four_digits(array):
    """Floats to four digits of the largest among them, by a scale on which no round number lies between two steps."""
    if array.dtype.kind != "f":
        return bits(array)
    array = array.astype(float)
    largest = np.abs(array[np.isfinite(array)]).max(initial=0) or 1
    steps = np.rint(array / largest * 8765.4321) + 0  # + 0 makes -0 a 0
    return f"{round(np.log(largest) * 8765.4321)} {bits(steps)}"


def identity(x, seen, spell):
    """A text that two values share only if they are the same for a computation."""
    if isinstance(x, Box | np.ndarray | np.generic):
        array = np.asarray(getattr(x, "array", x))
        return f"{array.dtype} {array.shape} {spell(array)}"
    if isinstance(x, FunctionType) and (not seen or x.__module__.partition(".")[0] not in LIBRARIES):
        return function_identity(x, seen, spell)
    if isinstance(x, partial):
        return f"partial[{', '.join(identity(part, seen, spell) for part in (x.func, x.args, x.keywords))}]"
    if isinstance(x, tuple | list):
        return f"{type(x).__name__}[{', '.join(identity(part, seen, spell) for part in x)}]"
    if isinstance(x, dict):
        pairs = (f"{identity(k, seen, spell)}: {identity(v, seen, spell)}" for k, v in x.items())
        return f"dict[{', '.join(pairs)}]"
    if isinstance(x, ModuleType):
        return x.__name__
    if isinstance(x, float):
        return f"float {spell(np.asarray(x))}"
    if x is None or isinstance(x, bool | int | str | complex):
        return repr(x)
    return getattr(x, "__qualname__", type(x).__qualname__)


def function_identity(f, seen, spell):
    """The text of `f`, and the values of the names it takes from outside."""
    if id(f) in seen:
        return "itself"
    seen.add(id(f))
    outside = used_names(f)
    values = [f"{name} = {identity(outside[name], seen, spell)}" for name in sorted(outside)]
    return "\n".join([text_of(f), identity(f.__defaults__, seen, spell), *values])


def used_names(f):
    """The global and enclosing names that `f` mentions, with their values."""
    nodes = list(ast.walk(definition(f)))
    names = [n for n in nodes if isinstance(n, ast.Name)]
    own = {n.id for n in names if not isinstance(n.ctx, ast.Load)} | {n.arg for n in nodes if isinstance(n, ast.arg)}
    mentioned = {n.id for n in names} - own
    cells = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
    enclosing = {name: cell.cell_contents for name, cell in cells if cell_is_full(cell)}
    return {n: f.__globals__[n] for n in mentioned if n in f.__globals__} | enclosing


def cell_is_full(cell):
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def text_of(f):
    """The text of `f`, without comments and layout; the name of a built-in function."""
    if isinstance(f, BuiltinFunctionType) and isinstance(f.__self__, ModuleType):
        return f"{f.__module__}.{f.__name__}"
    return ast.unparse(definition(f))


def definition(f):
    """The piece of the syntax tree that defines `f`: several lambdas may stand on one line.

    Raises OSError if the text is not there to read.
    """
    while isinstance(f, partial):
        f = f.func
    f = inspect.unwrap(f)
    if not isinstance(f, FunctionType):
        raise OSError(f"{f!r} is not a function written in Python")
    tree = parsed(f)
    places = [p for p in f.__code__.co_positions() if None not in p and p[2:] != (0, 0)]
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda | ast.FunctionDef)
        and getattr(node, "name", "<lambda>") == f.__name__
        and all(contains(node, place) for place in places)
    ]
    if not places or not around:
        raise OSError(f"the text of {f.__qualname__} cannot be found")
    return max(around, key=lambda node: (node.lineno, node.col_offset))  # the innermost begins last


def parsed(f):
    """The syntax tree of the file or notebook cell that `f` stands in."""
    lines, _ = inspect.findsource(f)
    try:
        return ast.parse("".join(lines))
    except SyntaxError:
        raise OSError(f"the text around {f.__qualname__} is not Python alone") from None


def contains(node, place):
    """Whether an instruction's place in the text, as `co_positions` gives it, lies within `node`."""
    line, end_line, column, end_column = place
    begins = (node.lineno, node.col_offset) <= (line, column)
    return begins and (end_line, end_column) <= (node.end_lineno, node.end_col_offset)


def parameters(f):
    """The names of f's positional parameters."""
    try:
        found = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
