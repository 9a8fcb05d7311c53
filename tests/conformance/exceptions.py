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
    "to": lambda x, *what: x.to(next((getattr(w, "dtype", w) for w in what if isinstance(w, np.dtype | cr.Tensor)), x.dtype)),
}

# Arguments that PyTorch alone needs: where numbers lie in memory, sizes to save a question to the device.
IGNORED = {"device", "memory_format", "layout", "pin_memory", "non_blocking", "output_size"}

# Entries that share a name with something of ours that means something else.
LEFT_OUT = {}


@dataclass
class Reason:
    """Why checks are expected to fail: of which entries, from which sources, which kinds, on which samples."""

    entries: str
    why: str
    sources: tuple = ("float64", "float32", "strided", "reference")
    kinds: tuple = ("value", "reverse", "forward", "second")
    when: object = lambda trial: True
    used: int = 0

    def covers(self, name, source, kind, trial):
        named = any(fnmatchcase(name, pattern) for pattern in self.entries.split(", "))
        return named and source in self.sources and kind in self.kinds and self.when(trial)


def wrong(entries, why, *kinds, when=lambda trial: True):
    """Why a wrong input is no error here, another error ("error"), or one in other words ("words")."""
    return Reason(entries, why, ("wrong",), kinds, when)


def option(name, value=None):
    """Whether a sample asks for this option."""

    def asked(trial):
        given = trial.sample.kwargs.get(name)
        return bool(given) if value is None else given == value

    return asked


def has(*dtypes):
    """Whether a sample has a tensor of one of these dtypes."""

    def found(trial):
        parts = (trial.sample.input, *trial.sample.args)
        return any(isinstance(x, torch.Tensor) and x.dtype in dtypes for x in parts)

    return found


REASONS = [
    Reason("*", "complex numbers: the engine is real", when=has(torch.complex64, torch.complex128)),
    Reason("*", "NumPy has no bfloat16", when=has(torch.bfloat16)),
]


def excuse(name, source, kind, trial):
    """The reason why this check is expected to fail, or None."""
    return next((reason for reason in REASONS if reason.covers(name, source, kind, trial)), None)
