"""The kinds of values that the public face takes, for type checkers and for readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

if TYPE_CHECKING:
    from .forward import Dual
    from .tensor import Tensor

# What can be calculated with: a Tensor, a Dual, an array or a number.
Value: TypeAlias = Union["Tensor", "Dual", np.ndarray, np.generic, float]

# What a Tensor can be made from.
Data: TypeAlias = Value | Sequence[Any]

DType: TypeAlias = Any

# A function of values to a value, or to a tuple of values.
Function: TypeAlias = Callable[..., Any]
