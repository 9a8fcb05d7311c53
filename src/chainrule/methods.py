"""What Tensors, Duals and Symbols have in common: Python's operators, the methods, NumPy's calls.

A method is the function of the same name in `chainrule.functions` or in `chainrule.library`. NumPy hands its own
functions over to us (`__array_ufunc__`, `__array_function__`), so that `np.sin(x)` and
`array * x` work and the rules, which are written in NumPy, run on boxes.
"""

import inspect

import numpy as np

from . import functions, rules
from .functions import plain
from .library import linalg, more, numpy_calls, places
from .op import Box
from .tape import Size, binary

# What no tensor is equal to.
NO_NUMBER = (type(None), str, list, tuple, dict)


def swapped(function):
    """The operator for an operand on the right."""
    return lambda self, other: function(other, self)


class Methods(Box):
    """Operators and methods, for every kind of box."""

    __slots__ = ()

    __add__ = functions.add
    __sub__ = functions.sub
    __mul__ = functions.mul
    __truediv__ = functions.div
    __pow__ = functions.pow
    __neg__ = functions.neg
    __abs__ = functions.abs
    __matmul__ = functions.matmul
    __gt__, __ge__, __lt__, __le__ = functions.gt, functions.ge, functions.lt, functions.le
    __and__ = __rand__ = binary(rules.both)
    __or__ = __ror__ = binary(rules.either)
    __getitem__ = functions.getitem
    __hash__ = object.__hash__

    __floordiv__, __mod__ = more.whole_quotient, more.remainder
    __radd__, __rsub__, __rmul__ = swapped(functions.add), swapped(functions.sub), swapped(functions.mul)
    __rtruediv__, __rpow__, __rmatmul__ = swapped(functions.div), swapped(functions.pow), swapped(functions.matmul)
    __rfloordiv__, __rmod__ = swapped(more.whole_quotient), swapped(more.remainder)

    def __pos__(self):
        return self

    def __eq__(self, other):
        return NotImplemented if isinstance(other, NO_NUMBER) else functions.eq(self, other)

    def __ne__(self, other):
        return NotImplemented if isinstance(other, NO_NUMBER) else functions.ne(self, other)

    def __invert__(self):
        if self.dtype == np.bool_:
            return functions.eq(self, False)
        if self.dtype.kind == "f":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return -self - 1

    def where(self, condition, other):
        """self where `condition` holds, else other.

        >>> import chainrule as cr
        >>> x = cr.tensor([-1.0, 2.0])
        >>> x.where(x > 0, 0.0)
        tensor([0., 2.])
        """
        return functions.where(condition, self, other)

    def double(self):
        """In float64.

        >>> import chainrule as cr
        >>> cr.tensor([1.0], dtype="float32").double().dtype
        dtype('float64')
        """
        return functions.astype(self, np.float64)

    def float(self):
        """In float32.

        >>> import chainrule as cr
        >>> cr.tensor([1.0]).float()
        tensor([1.], dtype=float32)
        """
        return functions.astype(self, np.float32)

    @property
    def T(self):
        """All axes reversed; of a matrix, its transpose."""
        return functions.transpose(self)

    @property
    def mT(self):
        """The last two axes exchanged."""
        if self.ndim < 2:
            raise RuntimeError(
                f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D tensor."
            )
        return functions.swapaxes(self, -2, -1)

    mH = mT

    def long(self):
        """In int64.

        >>> import chainrule as cr
        >>> cr.tensor([1.5, 2.0]).long()
        tensor([1, 2])
        """
        return functions.astype(self, np.int64)

    def bool(self):
        """Whether each number is not 0.

        >>> import chainrule as cr
        >>> cr.tensor([0.0, 2.0]).bool()
        tensor([False,  True])
        """
        return functions.astype(self, np.bool_)

    @property
    def size(self):
        """How many numbers there are, as in NumPy; called, as in PyTorch, the shape, or the length of one axis.

        >>> import chainrule as cr
        >>> x = cr.ones(2, 3)
        >>> x.size, x.size(), x.size(0)
        (6, (2, 3), 2)
        """
        return Size(self.shape)

    def dim(self):
        """The number of axes.

        >>> import chainrule as cr
        >>> cr.ones(2, 3).dim()
        2
        """
        return self.ndim

    def contiguous(self):
        """Itself, or a copy if its numbers do not stand in memory in their order.

        >>> import chainrule as cr
        >>> cr.ones(2, 3).T.contiguous().shape
        (3, 2)
        """
        x = plain(self)
        return functions.clone(self) if isinstance(x, np.ndarray) and not x.flags.c_contiguous else self

    def numel(self):
        """How many numbers there are.

        >>> import chainrule as cr
        >>> cr.ones(2, 3).numel()
        6
        """
        return self.size

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, x):
        return bool(np.any(plain(functions.eq(self, x))))

    def __bool__(self):
        x = plain(self)
        if x.size != 1:
            count = "more than one value" if x.size else "no values"
            raise RuntimeError(f"Boolean value of Tensor with {count} is ambiguous")
        return bool(x)

    def item(self):
        """The one number in it, as a Python number. Raises RuntimeError if there are several.

        >>> import chainrule as cr
        >>> cr.tensor(2.5).item()
        2.5
        """
        if self.size != 1:
            raise RuntimeError(f"a Tensor with {self.size} elements cannot be converted to Scalar")
        return plain(self).item()

    def __float__(self):
        return float(self.only("float"))

    def __int__(self):
        return int(self.only("int"))

    def __complex__(self):
        return complex(self.only("complex"))

    def __index__(self):
        if self.size != 1 or self.dtype.kind not in "iub":
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.only("int"))

    def __format__(self, spec):
        return format(self.item(), spec) if self.ndim == 0 else object.__format__(self, spec)

    def only(self, _):
        if self.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return plain(self).item()

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        function = numpy_calls.UFUNCS.get(ufunc)
        if function is None or method != "__call__" or kwargs:
            extra = f" with {', '.join(kwargs)}" if kwargs else ""
            raise no_rule(f"np.{ufunc.__name__}{'' if method == '__call__' else '.' + method}{extra}")
        return function(*inputs)

    def __array_function__(self, function, types, args, kwargs):
        ours = numpy_calls.FUNCTIONS.get(function) or numpy_calls.BESIDE.get(function)
        if ours is None or kwargs.get("axis") == ():
            raise no_rule(name_of(function) + ("" if ours is None else " with axis=()"))
        try:
            return ours(*args, **kwargs)
        except TypeError:
            try:
                inspect.signature(ours).bind(*args, **kwargs)
            except TypeError as error:
                raise no_rule(f"{name_of(function)} in this spelling ({error})") from None
            raise


def name_of(function):
    return f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)


def no_rule(call):
    """The error for a call of NumPy's that has no counterpart here."""
    return TypeError(f"{call} has no rule here: use a function of chainrule, or detach().numpy() for the array alone")


def special(name):
    """A function of chainrule.library.special, which is imported when it is first called."""

    def method(self, *args, **kwargs):
        from .library import special

        return getattr(special, name)(self, *args, **kwargs)

    return functions.called(method, name, f"See `chainrule.library.special.{name}`, which needs SciPy.", __name__)


# The functions that are methods: those of `chainrule.functions` under their own and other names, and those beside it.
OTHER_NAMES = """
    multiply=mul negative=neg absolute=abs subtract=sub to=astype
    arcsin=asin arccos=acos arctan=atan arcsinh=asinh arccosh=acosh arctanh=atanh
""".split()
NO_METHODS = {"broadcast_to", "cat", "concat", "concatenate", "stack", "where"}

for entry in [*OTHER_NAMES, *(set(functions.__all__) - NO_METHODS)]:
    name, _, same = entry.partition("=")
    setattr(Methods, name, getattr(functions, same or name))
for module in (more, places, linalg):
    for name in module.METHODS:
        setattr(Methods, name, getattr(module, name))
for name in set(more.SPECIAL) - {"polygamma"}:
    setattr(Methods, name, special(name))
