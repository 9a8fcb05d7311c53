"""Tensor: an array that remembers how it was made."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from . import inplace, tape
from .errors import no_numbers, uneven
from .graph import GradFn, Hook, Retained, grad_fn_of, keeper_of, watch
from .methods import Methods
from .op import Box
from .reverse import seed, sweep, ways_to_leaves
from .tape import Leaf, WatchedNode, likeness, number_or_array, record, tensor_of
from .typing import Data, DType


def text(array):
    """The numbers of `array` as PyTorch prints them: whole, with 4 decimals, or with an exponent.

    >>> print(text(np.array([1.5, -20.0, np.inf])))
    [  1.5000, -20.0000,      inf]
    """
    shown = array if array.size <= 1000 else array[np.ix_(*(edges(n) for n in array.shape))]
    style = "{}"
    if array.dtype.kind == "f":
        shown = shown[np.isfinite(shown) & (shown != 0)]
        small, large = (np.abs(shown).min().item(), np.abs(shown).max().item()) if shown.size else (1, 1)
        whole = bool(np.all(shown == np.round(shown)))
        exponent = large / small > 1000 or large > 1e8 or (small < 1e-4 and not whole)
        style = "{:.4e}" if exponent else "{:.0f}." if whole else "{:.4f}"
    width = max((len(style.format(x)) for x in shown.ravel().tolist()), default=0)

    def one(x):
        return (style if np.isfinite(x) else "{}").format(x.item()).rjust(width)

    whole = np.array2string(
        array, separator=", ", prefix="tensor(", formatter={"all": one}, max_line_width=79 + array.ndim, threshold=1000
    )
    return whole.replace(", ..., ", ",  ..., ")


def edges(n):
    """The positions that are shown of a long axis."""
    return np.arange(n) if n <= 6 else np.array([0, 1, 2, n - 3, n - 2, n - 1])


class Tensor(inplace.InPlace, Methods):
    """An array that remembers how it was made, so that derivatives can be taken.

    Make one with `chainrule.tensor`. Names and meanings are those of `torch.Tensor`.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum()
    tensor(5., grad_fn=<SumBackward0>)

    array  the values: an ndarray, a NumPy number, or a box of an outer derivative
    node   where it came from on the tape: a Leaf, a Node, or None if no gradient is wanted
    level  0, or the number of the `vjp` that made it
    base, path  of a view: what it is a view of, and the operations that lead there
    views       weak references to its own views
    """

    __slots__ = ("array", "node", "level", "base", "path", "views", "__weakref__")

    def apply(self, op, inputs, params):
        return record(op, inputs, params, self.level)

    # ---- what it is

    shape = property(attrgetter("array.shape"), doc="The lengths of the axes.")
    ndim = property(attrgetter("array.ndim"), doc="The number of axes.")
    dtype = property(attrgetter("array.dtype"), doc="The kind of number in it.")

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it: where gradients arrive, or are not wanted."""
        return self.node is None or type(self.node) is Leaf

    @property
    def grad_fn(self) -> GradFn | None:
        """What made it, printed as in PyTorch; None for a leaf."""
        return None if self.is_leaf else grad_fn_of(self.node)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that has arrived in this leaf (or in this result, after `retain_grad`), or None."""
        if (keeper := keeper_of(self.node)) is not None:
            return keeper.grad
        if self.node is not None:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor "
                "by mistake, make sure you access the leaf Tensor instead.",
                UserWarning,
                stacklevel=2,
            )
        return None

    @grad.setter
    def grad(self, g: Tensor | None) -> None:
        if g is None and type(self.node) is Leaf:
            self.node.grad = None
            return
        if g is not None and not isinstance(g, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(g).__name__}")
        if g is not None and g.shape != self.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(g.shape)}' to a tensor of size "
                f"'{list(self.shape)}'. Please ensure that the gradient and the tensor are the same size"
            )
        if g is not None and g.dtype != self.dtype:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{g.dtype}' to a tensor with grad_dtype '{self.dtype}'. "
                "The gradient must match the tensor's dtype: convert it with .astype()"
            )
        if g is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if (keeper := keeper_of(self.node)) is not None:
            keeper.grad = g
        elif g is not None:
            raise RuntimeError("only a leaf that requires grad has a .grad to assign: call requires_grad_() first")

    @grad.deleter
    def grad(self):
        self.grad = None

    @property
    def _version(self) -> int:
        """How often its memory has been written in place."""
        return 0 if isinstance(self.array, Box) else inplace.version(self.array)

    @property
    def data(self) -> Tensor:
        """The same memory without history, as `detach()`: here, unlike in PyTorch, writes to it are noticed."""
        return self.detach()

    @data.setter
    def data(self, value: Data) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if type(self.node) is Leaf:
            if value.dtype.kind != "f":
                raise RuntimeError(
                    "data set to a tensor that requires gradients must be floating point or complex dtype"
                )
            self.node.like = likeness(value.array)
        self.array = value.array

    # ---- how it takes part in the graph

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient, or no longer. Returns the tensor itself.

        Raises RuntimeError for a result of an operation that is to ask no longer, and for what is not floating point.

        >>> import chainrule as cr
        >>> cr.tensor(2.0).requires_grad_()
        tensor(2., requires_grad=True)
        """
        if not self.is_leaf:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                    "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
        elif not requires_grad:
            self.node = None
        elif self.node is None:
            if self.dtype.kind != "f":
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
            self.node = Leaf(self)
        return self

    def retain_grad(self) -> None:
        """Keep the gradient of this result as well, in `.grad`, from the next backward pass on.

        Raises RuntimeError if no gradient is wanted.

        >>> import chainrule as cr
        >>> x = cr.tensor(3.0, requires_grad=True)
        >>> u = x * 2
        >>> u.retain_grad()
        >>> (u * u).backward()
        >>> u.grad
        tensor(12.)
        """
        if self.node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if type(self.node) is not Leaf and not self.retains_grad:
            watch(self.node, Retained(self.level))

    @property
    def retains_grad(self) -> bool:
        """Whether this result keeps its gradient."""
        return type(self.node) is WatchedNode and keeper_of(self.node) is not None

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Hook:
        """Call `hook(gradient)` when this tensor's gradient is complete; what it returns, if not None, goes on.

        Returns a handle whose `remove()` takes the hook away. Raises RuntimeError if no gradient is wanted.

        >>> import chainrule as cr
        >>> x = cr.tensor(3.0, requires_grad=True)
        >>> handle = x.register_hook(lambda gradient: 10 * gradient)
        >>> (x * x).backward()
        >>> x.grad
        tensor(60.)
        """
        if self.node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return Hook(hook, self.node, self.level)

    def detach(self) -> Tensor:
        """The same values in the same memory, without history: a constant for every derivative.

        >>> import chainrule as cr
        >>> x = cr.tensor(2.0, requires_grad=True)
        >>> y = x * x
        >>> y.detach()
        tensor(4.)
        """
        if hasattr(self.array, "detach"):
            return self.array.detach()
        if not isinstance(self.array, Box):
            tape.memory(self)
        return tensor_of(self.array, None, self.level)

    def detach_(self) -> Tensor:
        """Cut this tensor itself off from its history. Returns it. Raises RuntimeError for a view.

        >>> import chainrule as cr
        >>> x = cr.tensor(2.0, requires_grad=True)
        >>> (x * x).detach_()
        tensor(4.)
        """
        if getattr(self, "base", None) is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self.node = None
        return self

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Carry the cotangent `gradient` back and add what arrives to `.grad` of every leaf.

        gradient      a Tensor of this tensor's shape; may be left out for one number, and is then 1
        retain_graph  keep what the tape saved, so that a second pass is possible
                      (default: the value of create_graph)
        create_graph  record the pass itself, for higher derivatives
        inputs        the leaves that are meant; by default all

        Raises RuntimeError without a graph, for a vector without `gradient`, for a `gradient`
        of another shape, for a second pass through a graph that was not retained, and for
        saved values that were overwritten since.

        >>> import chainrule as cr
        >>> x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> (x * x).backward(cr.tensor([1.0, 1.0, 1.0]))
        >>> x.grad
        tensor([2., 4., 6.])
        """
        if retain_graph is None:
            retain_graph = create_graph
        seeds = [(self.node, seed(self, gradient, 0, create_graph))]
        ways = None if inputs is None else ways_to_leaves(seeds, inputs)
        sweep(seeds, retain_graph, create_graph, None, self.level, ways)

    # ---- its values

    def numpy(self) -> np.ndarray:
        """Its values as an ndarray that shares the memory.

        Raises RuntimeError if it requires a gradient, except under `no_grad`: changes would escape the tape.

        >>> import chainrule as cr
        >>> x = cr.zeros(2)
        >>> x.numpy()[0] = 5.0
        >>> x
        tensor([5., 0.])
        """
        if self.requires_grad and tape.recording:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if isinstance(self.array, Box):
            raise RuntimeError("Can't call numpy() inside a derivative: the values are those of an outer box.")
        return tape.memory(self)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def tolist(self) -> Any:
        """Its values as nested Python lists, or as a Python number.

        >>> import chainrule as cr
        >>> cr.tensor([[1.0, 2.0], [3.0, 4.0]]).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
        """
        return self.array.tolist()

    def data_ptr(self) -> int:
        """Where its memory begins.

        >>> import chainrule as cr
        >>> x = cr.ones(2, 3)
        >>> x.T.data_ptr() == x.data_ptr()
        True
        """
        return tape.memory(self).ctypes.data

    def __reduce__(self):
        return tensor, (copyable(self), self.requires_grad)

    def __deepcopy__(self, memo):
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment."
            )
        copy = tensor_of(self.array.copy(), None, self.level).requires_grad_(self.requires_grad)
        if self.grad is not None:
            copy.grad = self.grad.detach().clone()
        return copy

    def __repr__(self):
        body = repr(self.array) if isinstance(self.array, Box) else text(np.asarray(self.array))
        notes = []
        if self.numel() == 0 and self.ndim > 1:
            body, notes = "[]", [f"size={self.shape}"]
        if self.dtype not in (np.float64, np.int64, np.bool_) or (self.numel() == 0 and self.dtype != np.float64):
            notes.append(f"dtype={self.dtype}")
        if self.grad_fn is not None:
            notes.append(f"grad_fn={self.grad_fn!r}")
        elif self.requires_grad:
            notes.append("requires_grad=True")
        whole = f"tensor({body}"
        for note in notes:
            fits = len(whole) - whole.rfind("\n") + len(note) < 78
            whole += (", " if fits else ",\n       ") + note
        return whole + ")"

    # ---- writing in place

    def _set(self, value, tail):
        inplace.overwrite(self, inplace.fresh(value, self, tail), tail)

    def _written(self, result, since=None):
        inplace.overwrite(self, result, since=since)
        return self


tape.Tensor = Tensor


def tensor(data: Data, requires_grad: bool = False, dtype: DType = None) -> Tensor:
    """A Tensor with a copy of `data`.

    data           a number, nested lists, an array, or a Tensor (whose values are copied)
    requires_grad  whether derivatives by it are wanted; it is then a leaf
    dtype          a NumPy dtype; by default that of the data

    The dtype follows the data: Python floats become float64, as in NumPy, integers int64, and
    an array keeps its own. (PyTorch makes Python floats float32. A course compares digits, and
    the digits of float64 are those of Python's own floats.)

    Raises RuntimeError if a gradient is asked for what is not floating point.

    >>> tensor([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    >>> tensor(2.0, dtype="float32")
    tensor(2., dtype=float32)
    """
    if isinstance(data, tuple | list) and any(isinstance(x, Box) for x in data):
        data = [copyable(x) for x in data]
    if isinstance(data, Box):
        data = copyable(data)
    try:
        array = np.array(data, dtype=dtype)
    except ValueError:
        raise uneven(data) from None
    if array.dtype.kind not in "fiubc":
        raise no_numbers(data)
    if requires_grad and array.dtype.kind != "f":
        raise RuntimeError(
            "Only Tensors of floating point and complex dtype can require gradients"
            f": this one is {array.dtype}; write 2.0 for 2, or give dtype=float"
        )
    return tensor_of(number_or_array(array)).requires_grad_(requires_grad)


def copyable(x):
    """The values of `x`, unless a derivative is being taken by them: it would be lost."""
    if isinstance(x, Box) and (x.level or isinstance(x.array, Box)):
        raise TypeError(
            "a value inside a derivative cannot be copied into a new tensor: use it as it is, or stack() several"
        )
    return np.asarray(x.array) if isinstance(x, Box) else x


def zeros(*shape: Any, requires_grad: bool = False, dtype: DType = None) -> Tensor:
    """A Tensor of zeros, float64 unless `dtype` says otherwise.

    >>> zeros(2, 3).shape
    (2, 3)
    """
    return tensor(np.zeros(shape[0] if len(shape) == 1 else shape, dtype), requires_grad)


def ones(*shape: Any, requires_grad: bool = False, dtype: DType = None) -> Tensor:
    """A Tensor of ones, float64 unless `dtype` says otherwise.

    >>> ones(3)
    tensor([1., 1., 1.])
    """
    return tensor(np.ones(shape[0] if len(shape) == 1 else shape, dtype), requires_grad)


def zeros_like(x: Tensor, *, requires_grad: bool = False, dtype: DType = None) -> Tensor:
    """Zeros in the shape of x, and in its dtype unless `dtype` says otherwise.

    >>> zeros_like(tensor([1.0, 2.0]))
    tensor([0., 0.])
    """
    return tensor(np.zeros(x.shape, dtype or x.dtype), requires_grad)


def ones_like(x: Tensor, *, requires_grad: bool = False, dtype: DType = None) -> Tensor:
    """Ones in the shape of x, and in its dtype unless `dtype` says otherwise.

    >>> ones_like(tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    return tensor(np.ones(x.shape, dtype or x.dtype), requires_grad)
