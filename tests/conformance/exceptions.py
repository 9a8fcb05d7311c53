"""What is not covered, and why; and where our spelling differs from PyTorch's."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import torch

import chainrule as cr

# Our functions for entries that call theirs in another way.
SPELLING = {
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "mH": lambda x: x.mH,
    "__getitem__": lambda x, index: x[index],
    "__rmatmul__": lambda x, other: other @ x,
    **{f"__{name}__": getattr(cr.Tensor, f"__{name}__") for name in "radd rmod rmul rpow rsub".split()},
    "__rdiv__": cr.Tensor.__rtruediv__,
    "zero_": lambda x: x.clone().zero_(),
    "where": lambda x, condition, other: cr.where(condition, x, other),
    "einsum": lambda tensors, equation: cr.einsum(equation, *tensors),
    "nn.functional.embedding": lambda weight, index, **options: cr.nn.embedding(index, weight, **options),
    "polygamma": lambda x, n: cr.polygamma(n, x),
    "special.polygamma": lambda x, n: cr.polygamma(n, x),
    "to": lambda x, *what: x.to(
        next((getattr(w, "dtype", w) for w in what if isinstance(w, np.dtype | cr.Tensor)), x.dtype)
    ),
}

# Arguments that PyTorch alone needs: where numbers lie in memory, sizes to save a question to the device.
IGNORED = {"device", "memory_format", "layout", "pin_memory", "non_blocking", "output_size"}

# Entries that share a name with something of ours that means something else.
LEFT_OUT = {}

# Entries whose reference inputs are not run: both engines count up from numbers like -5,000,000 one by one.
SLOW = "polygamma*, special.polygamma*"


@dataclass
class Reason:
    """Why checks are expected to fail: of which entries, from which sources, which kinds, on which samples.

    wavering  whether such a check may also pass: PyTorch gives two answers, by how it walks through memory
    used      how many checks failed for this reason
    """

    entries: str
    why: str
    sources: tuple = ("float64", "float32", "strided", "reference")
    kinds: tuple = ("value", "reverse", "forward", "second")
    when: object = lambda trial: True
    wavering: bool = False
    used: int = 0

    def covers(self, source, kind, trial):
        return source in self.sources and kind in self.kinds and self.when(trial)


def matches(name, patterns):
    return any(fnmatchcase(name, pattern) for pattern in patterns.split(", "))


def reasons_for(name):
    """The reasons that concern an entry."""
    return [reason for reason in REASONS if matches(name, reason.entries)]


# ---- on which samples


def parts_of(trial):
    return (trial.sample.input, *trial.sample.args)


def of_dtype(*dtypes):
    """Samples with a tensor of one of these dtypes."""
    return lambda trial: any(isinstance(x, torch.Tensor) and x.dtype in dtypes for x in parts_of(trial))


def with_numbers(test):
    """Samples with a number of which this holds."""
    return lambda trial: any(
        isinstance(x, torch.Tensor) and x.is_floating_point() and bool(test(x.detach()).any()) for x in parts_of(trial)
    )


def arguments(test):
    """Samples of whose arguments this holds."""
    return lambda trial: test(*parts_of(trial), **trial.sample.kwargs)


def no_tensor(trial):
    return not any(isinstance(x, torch.Tensor) and x.is_floating_point() for x in parts_of(trial))


def any_between(x, low, high):
    return bool(((x > low) & (x < high)).any())


def number_first(trial):
    return isinstance(trial.sample.input, int | float)


at_nan = with_numbers(torch.isnan)
at_inf = with_numbers(torch.isinf)
negative_far = with_numbers(lambda x: (x < -1000) | ((x <= 0) & (x == x.floor())))

# The orders of norms, of vectors and of matrices, that are not made of straight pieces.
CURVED = {1: (None, 0.5, 2, -0.5, -1, -2, -3.5), 2: (None, "fro")}

# ---- samples on which we differ, or PyTorch gives no answer

REVERSE = {"kinds": ("reverse",)}
REFERENCE = {"sources": ("reference",)}
SAMPLES = [
    Reason("*", "NumPy has no bfloat16", when=of_dtype(torch.bfloat16)),
    Reason(
        "add, sub, mul, div *, true_divide, where, linspace*",
        "Python's floats alone make float64 here, float32 in PyTorch",
        kinds=("value",),
        when=lambda trial: no_tensor(trial) and "dtype" not in trial.sample.kwargs,
    ),
    Reason("clamp", "where a bound is nan, no derivative flows to the other", **REFERENCE, **REVERSE, when=at_nan),
    Reason(
        "__rsub__",
        "PyTorch gives a wrong shape for a number as first operand",
        **REFERENCE,
        kinds=("value",),
        when=number_first,
    ),
    Reason(
        "nn.functional.elu, nn.functional.selu, nn.functional.celu, nn.functional.hardtanh, nn.functional.relu6, "
        "nn.functional.hardshrink, nn.functional.softshrink",
        "at nan PyTorch's derivative is one thing in its vector code and another in its scalar code",
        **REFERENCE,
        **REVERSE,
        when=at_nan,
        wavering=True,
    ),
    Reason(
        "nn.functional.celu",
        "PyTorch rounds 1 / alpha to float32",
        kinds=("reverse", "forward", "second"),
        when=lambda trial: "alpha" in trial.sample.kwargs and any_between(trial.sample.input, -20, 0),
    ),
    Reason(
        "nn.functional.hardsigmoid",
        "PyTorch rounds 1/6 to float32, and its derivative at nan is 0",
        ("float64", "strided", "reference"),
        ("reverse", "forward"),
        lambda trial: any_between(trial.sample.input, -3, 3) or at_nan(trial),
    ),
    Reason(
        "lgamma, mvlgamma *", "SciPy's value at -inf is -inf, PyTorch's inf", **REFERENCE, kinds=("value",), when=at_inf
    ),
    Reason(
        "digamma",
        "PyTorch's derivative far below 0 loses its digits, at the poles and at inf it is no inf or 0",
        **REFERENCE,
        **REVERSE,
        when=lambda trial: negative_far(trial) or at_inf(trial),
    ),
    Reason(
        "special.log_ndtr",
        "far below 0 PyTorch is wrong by 1 %, at inf nan",
        **REFERENCE,
        **REVERSE,
        when=with_numbers(lambda x: x < -1000),
    ),
    Reason(
        "linalg.norm (subgradients_at_zero)",
        "a norm has no second derivative at 0: nan in PyTorch, here that of the rule as it is written",
        kinds=("second",),
        when=arguments(lambda x, ord, **_: x.numel() and not x.any() and ord in CURVED[x.ndim]),
    ),
    Reason(
        "linalg.norm (subgradients_at_zero)",
        "all singular values are 0 at once: any of many subgradients will do, ours is 0",
        kinds=("reverse", "forward"),
        when=arguments(lambda x, ord, **_: ord in ("nuc", 2, -2) and x.ndim == 2 and x.numel() and not x.any()),
    ),
]


# ---- wrong inputs that are no error here ("error"), or an error in other words ("words")


def wrong(entries, why, kind="error", says=""):
    """Why PyTorch's error that says this is none here, or says it in other words."""
    return Reason(entries, why, ("wrong",), (kind,), lambda trial: says in str(trial.raised[1]))


NUMBERS_TOO = "a number is as good as a tensor"
WRONG = [
    wrong(
        "atan2, fmax, fmin, hypot, isclose, logaddexp, logical_*, maximum, minimum",
        NUMBERS_TOO,
        says="must be Tensor, not int",
    ),
    wrong(
        "clamp_max, clamp_min, copysign, eq, fmod, ge, gt, le, lt, max (binary), min (binary), ne, pow, "
        "remainder, special.xlog1py, xlogy",
        NUMBERS_TOO,
        says="invalid combination of arguments - got (int",
    ),
    wrong("__radd__, __rmul__", NUMBERS_TOO, says="doesn't apply to a 'int' object"),
    wrong("__rdiv__", NUMBERS_TOO, says="'int' object has no attribute"),
    wrong("isclose", "a negative tolerance compares as it is written", says="must be greater than or equal to zero"),
    wrong("arange", "NumPy's error, or none where Python's range is empty", says="step"),
    wrong("arange", "NumPy's error", says="unsupported range"),
    wrong("linspace*", "NumPy's error", says="number of steps"),
    wrong("linspace*", "arrays of one number are as good as numbers", says="0-dimensional"),
    wrong("mean", "the mean of integers is a float, as in NumPy"),
    wrong("masked_fill", "a complex number becomes a real one, with NumPy's warning", says="without overflow"),
    wrong("scatter_add", "numbers of two dtypes mix, as in NumPy", says="dtype"),
    wrong("cat", "None is taken for a number, which cannot be concatenated", says="NoneType"),
    wrong("dot, vdot", "numbers of two dtypes mix, as in NumPy", "words", says="dtype"),
    wrong("dot, vdot", "matrices are multiplied, as in NumPy", "words", says="1D tensors expected"),
    wrong("nn.functional.prelu", "broadcasting says so", "words", says="Mismatch"),
    wrong("nn.functional.rms_norm", "broadcasting says so", "words", says="same shape"),
    wrong("linspace*", "Python says so", "words", says="invalid combination of arguments"),
]

REASONS = SAMPLES + WRONG
