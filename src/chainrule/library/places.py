"""Numbers that are ordered, chosen and moved: sort and gather, split and stack, tile and roll.

Nearly everything here is indexing, whose transpose adds what was read twice.
"""

import itertools
from collections import namedtuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .. import errors, rules

from ..functions import (  # isort: skip
    astype, called, cat, clone, expand, flatten, flip, getitem, movedim, one_axis, one_by_one, plain, positions,
    reshape, row, sum, swapaxes, unsqueeze, view, where, whole,
)  # fmt: skip
from ..op import Box, multilinear
from ..tape import unary
from .more import require, slices

roll_all = unary(multilinear("Roll", np.roll, lambda t, shift, axis: unrolled(t, shift, axis)))
tril_all = unary(multilinear("Tril", np.tril, lambda t, k: tril(t, k)))
triu_all = unary(multilinear("Triu", np.triu, lambda t, k: triu(t, k)))


def diagonal_of(x, offset):
    """A diagonal of the last two axes; NumPy makes it read-only, here it is as writeable as x."""
    found = np.diagonal(x, offset, -2, -1)
    found.flags.writeable = x.flags.writeable
    return found


def windows_of(x, size, step):
    """All windows on the last axis; writeable only where they do not overlap."""
    return sliding_window_view(x, size, -1, writeable=x.flags.writeable and step >= size)[..., ::step, :]


def from_diagonal(t, x_shape, offset):
    return rules.scatter(t, index=(..., *corner(t.shape[-1], offset)), shape=x_shape)


def from_windows(t, x_shape, size, step):
    read = step * np.arange(t.shape[-2])[:, None] + np.arange(size)
    return rules.scatter(t, index=(..., read), shape=x_shape)


last_diagonal = unary(multilinear("Diagonal", diagonal_of, from_diagonal, view=True))
last_windows = unary(multilinear("Unfold", windows_of, from_windows, view=True))


# ---- order

SortResult = namedtuple("sort", ["values", "indices"])


def argsort(x, dim=-1, descending=False, stable=False):
    """Where the numbers of x stand in their order along `dim`; equals keep theirs. No derivative flows.

    >>> import chainrule as cr
    >>> cr.argsort(cr.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    return positions(x, order_of(plain(x), one_axis(dim, x.ndim), descending))


def order_of(x, d, descending):
    if x.ndim == 0:
        return np.int64(0)
    if descending:
        return x.shape[d] - 1 - np.flip(np.argsort(np.flip(x, d), d, kind="stable"), d)
    return np.argsort(x, d, kind="stable")


def sort(x, dim=-1, descending=False, stable=False):
    """The numbers in order along `dim`, with their positions; equals keep their order (`stable` or not), also for the
    derivative.

    >>> import chainrule as cr
    >>> values, indices = cr.sort(cr.tensor([3.0, 1.0, 2.0]))
    >>> values
    tensor([1., 2., 3.])
    """
    found = argsort(x, dim, descending)
    return SortResult(gather(x, dim, found), found)


def topk(x, k, dim=-1, largest=True, sorted=True):
    """The k largest (or smallest) along `dim`, in order (`sorted` or not), with their positions.

    >>> import chainrule as cr
    >>> cr.topk(cr.tensor([3.0, 1.0, 2.0]), 2).indices
    tensor([0, 2])
    """
    d = one_axis(dim, x.ndim)
    require(0 <= k <= (x.shape[d] if x.ndim else 1), "selected index k out of range")
    values, found = sort(x, d, descending=largest)
    return SortResult(slices(values, d, k), slices(found, d, k)) if x.ndim else SortResult(values, found)


def running_extreme(x, dim, accumulate):
    d, v = one_axis(dim, x.ndim), plain(x)
    if x.ndim == 0:
        return SortResult(x * 1, positions(x, np.int64(0)))
    best = accumulate(v, d)
    places = np.arange(v.shape[d]).reshape((-1,) + (1,) * (v.ndim - 1 - d))
    found = np.maximum.accumulate(np.where((v == best) | (v != v), places, 0), d)
    return SortResult(gather(x, d, found), positions(x, found))


def cummax(x, dim):
    """The largest so far along `dim`, with its position; of equals, the last.

    >>> import chainrule as cr
    >>> cr.cummax(cr.tensor([1.0, 3.0, 2.0]), dim=0).values
    tensor([1., 3., 3.])
    """
    return running_extreme(x, dim, np.maximum.accumulate)


def cummin(x, dim):
    """The smallest so far along `dim`, with its position; of equals, the last.

    >>> import chainrule as cr
    >>> cr.cummin(cr.tensor([3.0, 1.0, 2.0]), dim=0).values
    tensor([3., 1., 1.])
    """
    return running_extreme(x, dim, np.minimum.accumulate)


# ---- choosing


def places_of(x, dim, index, *others):
    """x and `index` with at least one axis each, and an index that reads along `dim` where `index` says.

    Raises PyTorch's RuntimeErrors for an index that does not fit x or one of the others.
    """
    d, index = one_axis(dim, x.ndim), whole(index)
    x, index, *others = (reshape(part, (1,)) if part.ndim == 0 else part for part in (x, index, *others))
    if index.size:
        word = "Index tensor must have the same number of dimensions as"
        require(index.ndim == x.ndim, f"{word} {'self' if others else 'input'} tensor")
        for other in others:
            require(index.ndim == other.ndim, f"{word} src tensor")
            fits = all(
                m <= k and (m <= n or i == d)
                for i, (m, n, k) in enumerate(zip(index.shape, x.shape, other.shape, strict=True))
            )
            require(fits, f"Expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from "
                          f"dimension {d} and to be no larger size than src {list(other.shape)}")  # fmt: skip
        for i, (m, n) in enumerate(zip(index.shape, x.shape, strict=True)):
            fits = m <= n or i == d
            require(fits, f"Size does not match at dimension {i} expected index {list(index.shape)} to be no larger "
                          f"than self {list(x.shape)} apart from dimension {d}")  # fmt: skip
        check_positions(index, d, x.shape[d])
    else:
        index = index.reshape((*(0 if i == d else n for i, n in enumerate(x.shape)),))
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[d] = index
    return x, index, tuple(places)


def check_positions(index, dim, n):
    """Raise PyTorch's RuntimeError for a position that an axis of length n does not have."""
    beyond = index[(index < 0) | (index >= n)]
    require(not beyond.size, f"index {beyond[:1].sum()} is out of bounds for dimension {dim} with size {n}")


def gather(x, dim, index):
    """y[i, j] = x[index[i, j], j] for dim 0, and so on; a place that is read twice gets both cotangents.

    >>> import chainrule as cr
    >>> cr.gather(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, cr.tensor([[0], [1]]))
    tensor([[1.],
            [4.]])
    """
    shape = np.shape(plain(index))
    x, _, places = places_of(x, dim, index)
    return reshape(row.index(x, index=places), shape)


def take_along_dim(x, indices, dim=None):
    """`gather`, with broadcasting; without `dim`, from all numbers in one row.

    >>> import chainrule as cr
    >>> x = cr.tensor([[3.0, 1.0], [2.0, 4.0]])
    >>> cr.take_along_dim(x, x.argsort(1), 1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    indices = whole(indices)
    if dim is None:
        return gather(flatten(x), 0, indices.reshape(-1))
    d = one_axis(dim, x.ndim)
    common = np.broadcast_shapes(*((*y.shape[:d], 1, *y.shape[d + 1 :]) for y in (x, indices)))
    x, indices = (expand(y, (*common[:d], y.shape[d], *common[d + 1 :])) for y in (x, indices))
    return gather(x, d, indices % x.shape[d])


def index_select(x, dim, index):
    """The slices of x along `dim` that `index` names.

    >>> import chainrule as cr
    >>> cr.index_select(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, cr.tensor([1, 1]))
    tensor([[2., 2.],
            [4., 4.]])
    """
    d = one_axis(dim, x.ndim)
    index = whole(index)
    require(index.ndim < 2, "index_select(): Index is supposed to be a vector", IndexError)
    if x.ndim == 0:
        return x * 1
    require(not ((index < 0) | (index >= x.shape[d])).any(), "index out of range in self", IndexError)
    return row.index(x, index=(*(slice(None),) * d, index.reshape(-1)))


def take(x, index):
    """The numbers of x, as if in one row, that `index` names.

    >>> import chainrule as cr
    >>> cr.take(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([0, 3]))
    tensor([1., 4.])
    """
    return row.index(flatten(x), index=(whole(index),))


def masked_select(x, mask):
    """The numbers of x where `mask` holds, in one row, with broadcasting.

    >>> import chainrule as cr
    >>> x = cr.tensor([[1.0, -2.0], [-3.0, 4.0]])
    >>> cr.masked_select(x, x > 0)
    tensor([1., 4.])
    """
    mask = whole(mask)
    errors.do_not_broadcast(mask, x)
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return row.index(expand(x, shape), index=(np.broadcast_to(mask, shape),))


def masked_fill(x, mask, value):
    """x with `value` where `mask` holds, with broadcasting; the dtype stays. Raises RuntimeError for a mask of numbers.

    >>> import chainrule as cr
    >>> x = cr.tensor([1.0, -2.0])
    >>> cr.masked_fill(x, x < 0, 0.0)
    tensor([1., 0.])
    """
    mask, n = whole(mask), np.ndim(value)
    words = f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {n} dimension(s)."
    require(n == 0, words)
    word = errors.kind(mask.dtype)[6:-6].lower()
    require(mask.dtype == bool, f"masked_fill_ only supports boolean masks, but got mask with dtype {word}")
    return astype(where(mask, value, x), x.dtype)


def added_at(x, index, source):
    """x with `source` added at `index`, where a place may be named twice."""
    return x + rules.scatter(source, index=index, shape=tuple(x.shape))


def scatter_add(x, dim, index, src):
    """x with src[i, j] added at [index[i, j], j] for dim 0, and so on: the transpose of `gather`.

    >>> import chainrule as cr
    >>> cr.scatter_add(cr.zeros(3), 0, cr.tensor([2, 2, 0]), cr.tensor([1.0, 10.0, 5.0]))
    tensor([ 5.,  0., 11.])
    """
    shape = x.shape
    x, index, places = places_of(x, dim, index, src)
    src = getitem(reshape(src, (1,)) if src.ndim == 0 else src, tuple(slice(n) for n in index.shape))
    return reshape(added_at(x, places, src), shape)


def index_add(x, dim, index, source, *, alpha=1):
    """x with alpha times the slices of `source` added where `index` says; a slice may be named twice.

    >>> import chainrule as cr
    >>> cr.index_add(cr.zeros(3), 0, cr.tensor([2, 2]), cr.tensor([1.0, 10.0]))
    tensor([ 0.,  0., 11.])
    """
    shape, d, index = x.shape, one_axis(dim, x.ndim), whole(index)
    check_positions(index, dim, shape[d] if x.ndim else 1)
    x, source, index = (reshape(y, (1,)) if np.ndim(y) == 0 else y for y in (x, source, index))
    fits = [n for i, n in enumerate(x.shape) if i != d] == [n for i, n in enumerate(source.shape) if i != d]
    require(fits, f"source tensor shape must match self tensor shape, excluding the specified dimension. "
                  f"Got self.shape = {list(x.shape)} source.shape = {list(source.shape)}")  # fmt: skip
    return reshape(added_at(x, (*(slice(None),) * d, index), astype(source * alpha, x.dtype)), shape)


def select(x, dim, index):
    """The slice at one position along `dim`.

    >>> import chainrule as cr
    >>> cr.select(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, 0)
    tensor([1., 3.])
    """
    d = one_axis(dim, x.ndim)
    if isinstance(index, int) and not -x.shape[d] <= index < x.shape[d]:
        size = f"tensor of size {list(x.shape)} at dimension {dim}"
        raise IndexError(f"select(): index {index} out of range for {size}")
    return getitem(x, (*(slice(None),) * d, index))


def narrow(x, dim, start, length):
    """The `length` slices along `dim` that begin at `start`.

    >>> import chainrule as cr
    >>> cr.narrow(cr.tensor([1.0, 2.0, 3.0, 4.0]), 0, 1, 2)
    tensor([2., 3.])
    """
    require(x.ndim, "narrow() cannot be applied to a 0-dim tensor.")
    require(length >= 0, "narrow(): length must be non-negative.")
    d, n = one_axis(dim, x.ndim), x.shape[one_axis(dim, x.ndim)]
    if isinstance(start, Box):
        require(start.ndim == 0 and start.dtype.kind in "iu", "start must be an 0-dim integral Tensor.")
        start = int(start)
    require(
        -n <= start <= n, f"start out of range (expected to be in range of [-{n}, {n}], but got {start})", IndexError
    )
    start = start + n if start < 0 else start
    require(start + length <= n, f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slices(x, d, start, start + length)


def split(x, split_size_or_sections, dim=0):
    """x cut along `dim` into pieces of one size (the last may be smaller), or of the sizes listed.

    >>> import chainrule as cr
    >>> cr.split(cr.tensor([1.0, 2.0, 3.0]), 2)
    (tensor([1., 2.]), tensor([3.]))
    """
    d, size = one_axis(dim, x.ndim), split_size_or_sections
    n = x.shape[d]
    if not isinstance(size, list | tuple):
        size = int(size)
        words = f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}"
        require(size > 0 or not n, words)
        size = [min(size, n - i) for i in range(0, n, size)] if n else [0]
    total = int(np.sum(size))
    require(total == n, f"split_with_sizes expects split_sizes to sum exactly to {n} (input tensor's size at "
                        f"dimension {d}), but got split_sizes={list(size)}")  # fmt: skip
    return tuple(slices(x, d, end - k, end) for end, k in zip(np.cumsum(size).tolist(), size, strict=True))


def chunk(x, chunks, dim=0):
    """x cut along `dim` into at most so many pieces of the same size (the last may be smaller).

    >>> import chainrule as cr
    >>> cr.chunk(cr.tensor([1.0, 2.0, 3.0]), 2)
    (tensor([1., 2.]), tensor([3.]))
    """
    chunks = int(chunks)
    require(chunks > 0, f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    n = x.shape[one_axis(dim, x.ndim)]
    return split(x, -(-n // chunks) if n else [0] * chunks, dim)


def unbind(x, dim=0):
    """The slices of x along `dim`, as a tuple.

    >>> import chainrule as cr
    >>> cr.unbind(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    (tensor([1., 2.]), tensor([3., 4.]))
    """
    require(x.ndim, f"Dimension specified as {dim} but tensor has no dimensions", IndexError)
    return tuple(select(x, dim, i) for i in range(x.shape[one_axis(dim, x.ndim)]))


# ---- arranging


def unflatten(x, dim, sizes):
    """Axis `dim` made into several of the given sizes, of which one may be -1.

    >>> import chainrule as cr
    >>> cr.unflatten(cr.ones(2, 6), 1, (3, -1)).shape
    (2, 3, 2)
    """
    d = one_axis(dim, x.ndim)
    return reshape(x, (*x.shape[:d], *sizes, *x.shape[d + 1 :]))


def view_as(x, other):
    """x in the shape of `other`.

    >>> import chainrule as cr
    >>> cr.view_as(cr.ones(6), cr.ones(2, 3)).shape
    (2, 3)
    """
    return view(x, tuple(other.shape))


def expand_as(x, other):
    """x broadcast to the shape of `other`.

    >>> import chainrule as cr
    >>> cr.expand_as(cr.ones(3), cr.ones(2, 3)).shape
    (2, 3)
    """
    return expand(x, tuple(other.shape))


def sum_to_size(x, *size):
    """x summed to a shape that broadcasts to its own: the transpose of `expand`.

    >>> import chainrule as cr
    >>> cr.sum_to_size(cr.ones(2, 3), 3)
    tensor([2., 2., 2.])
    """
    size = tuple(size[0]) if size and isinstance(size[0], tuple | list) else size
    fits = len(size) <= x.ndim and all(m in (1, n) for m, n in zip(size[::-1], x.shape[::-1], strict=False))
    require(fits, f"size {{{list(size)}}} is not expandable to size {{{list(x.shape)}}}.")
    return view(x, size) if size == tuple(x.shape) else rules.sum_to(x, shape=size)


def broadcast_tensors(*tensors):
    """All, broadcast to the shape they have in common.

    >>> import chainrule as cr
    >>> a, b = cr.broadcast_tensors(cr.ones(3, 1), cr.ones(2))
    >>> a.shape, b.shape
    ((3, 2), (3, 2))
    """
    try:
        shape = np.broadcast_shapes(*(x.shape for x in tensors))
    except ValueError:
        for a, b in itertools.combinations(tensors, 2):
            errors.do_not_broadcast(a, b)
        raise
    return tuple(expand(x, shape) for x in tensors)


def roll(x, shifts, dims=None):
    """The numbers moved on by `shifts` along `dims`; what leaves at the end comes back at the start.

    >>> import chainrule as cr
    >>> cr.roll(cr.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    shifts = tuple(shifts) if isinstance(shifts, tuple | list) else (shifts,)
    require(shifts, "`shifts` required")
    if dims is None or dims in ((), []):
        require(len(shifts) == 1, f"shifts and dimensions must align. shifts: {len(shifts)}, dims:0")
        return reshape(roll_all(flatten(x), shift=shifts[0], axis=0), x.shape)
    dims = tuple(dims) if isinstance(dims, tuple | list) else (dims,)
    require(len(shifts) == len(dims), f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    require(x.ndim, f"Dimension specified as {dims[0]} but tensor has no dimensions", IndexError)
    return roll_all(x, shift=shifts, axis=tuple(one_axis(d, x.ndim) for d in dims))


def unrolled(t, shift, axis):
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return roll_all(t, shift=back, axis=axis)


def fliplr(x):
    """The columns in reverse order.

    >>> import chainrule as cr
    >>> cr.fliplr(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 1.],
            [4., 3.]])
    """
    require(x.ndim >= 2, "Input must be >= 2-d.")
    return flip(x, 1)


def flipud(x):
    """The rows in reverse order.

    >>> import chainrule as cr
    >>> cr.flipud(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    require(x.ndim >= 1, "Input must be >= 1-d.")
    return flip(x, 0)


def rot90(x, k=1, dims=(0, 1)):
    """The plane of two axes turned by k quarters, from the first towards the second.

    >>> import chainrule as cr
    >>> cr.rot90(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    require(len(dims) == 2, f"expected total rotation dims == 2, but got dims = {len(dims)}")
    require(x.ndim >= 2, f"expected total dims >= 2, but got total dims = {x.ndim}")
    i, j = (one_axis(d, x.ndim) for d in dims)
    require(i != j, f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    if k % 2 == 0:
        return flip(x, (i, j) if k % 4 else ())
    return swapaxes(flip(x, j if k % 4 == 1 else i), i, j)


def repeat(x, *sizes):
    """x side by side with itself, so many times along each axis.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0]).repeat(2, 2)
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    sizes = one_by_one(sizes)
    enough = len(sizes) >= x.ndim
    require(enough, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    shape = (1,) * (len(sizes) - x.ndim) + tuple(x.shape)
    spaced = reshape(x, tuple(m for n in shape for m in (1, n)))
    whole = expand(spaced, tuple(m for k, n in zip(sizes, shape, strict=True) for m in (k, n)))
    return reshape(clone(whole), tuple(k * n for k, n in zip(sizes, shape, strict=True)))


def tile(x, *dims):
    """`repeat`, with 1 for the axes that are not mentioned.

    >>> import chainrule as cr
    >>> cr.tile(cr.tensor([1.0, 2.0]), (2,))
    tensor([1., 2., 1., 2.])
    """
    dims = one_by_one(dims)
    return repeat(x, (1,) * (x.ndim - len(dims)) + dims)


def unfold(x, dimension, size, step):
    """All windows of `size` numbers along an axis, `step` apart, as a new last axis.

    >>> import chainrule as cr
    >>> cr.tensor([1.0, 2.0, 3.0, 4.0]).unfold(0, 2, 1)
    tensor([[1., 2.],
            [2., 3.],
            [3., 4.]])
    """
    d = one_axis(dimension, x.ndim)
    if x.ndim == 0:
        return reshape(x, (1,))[:size]
    require(size <= x.shape[d], f"maximum size for tensor at dimension {d} is {x.shape[d]} but size is {size}")
    return movedim(last_windows(movedim(x, d, -1), size=size, step=step), -2, d)


def tril(x, diagonal=0):
    """The lower triangle, with 0 above the given diagonal.

    >>> import chainrule as cr
    >>> cr.tril(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 0.],
            [3., 4.]])
    """
    require(x.ndim >= 2, "tril: input tensor must have at least 2 dimensions")
    return tril_all(x, k=diagonal)


def triu(x, diagonal=0):
    """The upper triangle, with 0 below the given diagonal.

    >>> import chainrule as cr
    >>> cr.triu(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([[0., 2.],
            [0., 0.]])
    """
    require(x.ndim >= 2, "triu: input tensor must have at least 2 dimensions")
    return triu_all(x, k=diagonal)


def corner(n, offset):
    """The rows and columns of a diagonal of n numbers."""
    i = np.arange(n)
    return i - min(offset, 0), i + max(offset, 0)


def plane(ndim, dim1, dim2):
    i, j = one_axis(dim1, ndim), one_axis(dim2, ndim)
    require(i != j, f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return i, j


def diagonal(x, offset=0, dim1=0, dim2=1):
    """The numbers on a diagonal of the plane of two axes, as a new last axis.

    >>> import chainrule as cr
    >>> cr.diagonal(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return last_diagonal(movedim(x, plane(x.ndim, dim1, dim2), (-2, -1)), offset=offset)


along_diagonal = diagonal


def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last axis of x on a diagonal, and 0 elsewhere.

    >>> import chainrule as cr
    >>> cr.diag_embed(cr.ones(5, 3)).shape
    (5, 3, 3)
    """
    size = x.shape[-1] + abs(offset)
    z = rules.scatter(x, index=(..., *corner(x.shape[-1], offset)), shape=(*x.shape[:-1], size, size))
    return movedim(z, (-2, -1), plane(z.ndim, dim1, dim2))


def diag(x, diagonal=0):
    """The matrix with x on its diagonal; of a matrix, its diagonal.

    >>> import chainrule as cr
    >>> cr.diag(cr.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    require(x.ndim in (1, 2), f"diag(): Supports 1D or 2D tensors. Got {x.ndim}D")
    return diag_embed(x, diagonal) if x.ndim == 1 else clone(along_diagonal(x, diagonal))


def trace(x):
    """The sum of a matrix's diagonal.

    >>> import chainrule as cr
    >>> cr.grad(cr.trace)(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 0.],
            [0., 1.]])
    """
    require(x.ndim == 2, f"trace: expected a matrix, but got tensor with dim {x.ndim}")
    return sum(diagonal(x))


def lifted(lift):
    """`atleast_nd` for one tensor or for many."""

    def function(*tensors):
        found = [lift(x) for x in one_by_one(tensors)]
        return found[0] if len(tensors) == 1 and not isinstance(tensors[0], tuple | list) else tuple(found)

    return called(function, lift.__name__, lift.__doc__, __name__)


@lifted
def atleast_1d(x):
    """x as a vector, if it is a single number.

    >>> import chainrule as cr
    >>> cr.atleast_1d(cr.tensor(1.0))
    tensor([1.])
    """
    return reshape(x, (1,)) if x.ndim == 0 else x


@lifted
def atleast_2d(x):
    """x as a row of a matrix, if it is a vector.

    >>> import chainrule as cr
    >>> cr.atleast_2d(cr.tensor(1.0)).shape
    (1, 1)
    """
    return reshape(x, (1, -1)) if x.ndim < 2 else x


@lifted
def atleast_3d(x):
    """x as one page of matrices, if it is a matrix.

    >>> import chainrule as cr
    >>> cr.atleast_3d(cr.ones(2)).shape
    (1, 2, 1)
    """
    return reshape(x, (1, -1, 1)) if x.ndim < 2 else unsqueeze(x, -1) if x.ndim == 2 else x


def side_by_side(tensors, lift, d, name):
    require(len(tensors), f"{name} expects a non-empty TensorList")
    return cat([lift(x) for x in tensors], d)


def hstack(tensors):
    """The tensors one beside the other: along the second axis, vectors along the first.

    >>> import chainrule as cr
    >>> cr.hstack([cr.tensor([1.0]), cr.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    return side_by_side(tensors, atleast_1d, 1 if len(tensors) and tensors[0].ndim > 1 else 0, "hstack")


def vstack(tensors):
    """The tensors one below the other; vectors are rows.

    >>> import chainrule as cr
    >>> cr.vstack([cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return side_by_side(tensors, atleast_2d, 0, "vstack")


def dstack(tensors):
    """The tensors one behind the other, along the third axis.

    >>> import chainrule as cr
    >>> cr.dstack([cr.ones(2, 3), cr.ones(2, 3)]).shape
    (2, 3, 2)
    """
    return side_by_side(tensors, atleast_3d, 2, "dstack")


def meshgrid(*tensors, indexing="ij"):
    """The coordinates of all points of a grid: the i-th result varies along axis i ("xy": the first two exchanged).

    >>> import chainrule as cr
    >>> rows, columns = cr.meshgrid(cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0]), indexing="ij")
    >>> columns
    tensor([[3., 4.],
            [3., 4.]])
    """
    known = indexing in ("ij", "xy")
    require(known, f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    tensors = [atleast_1d(x) for x in one_by_one(tensors)]
    shape = tuple(len(x) for x in tensors)
    full = tuple(
        expand(reshape(x, tuple(-1 if i == j else 1 for j in range(len(shape)))), shape) for i, x in enumerate(tensors)
    )
    return full if indexing == "ij" or len(full) < 2 else tuple(swapaxes(x, 0, 1) for x in full)


def cross(a, b, dim=None):
    """The vector product along an axis of length 3 (by default the first such).

    >>> import chainrule as cr
    >>> cr.cross(cr.tensor([1.0, 0.0, 0.0]), cr.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        dim = next((i for i, n in enumerate(a.shape) if n == 3), None)
        require(dim is not None, "no dimension of size 3 in input")
    require(a.ndim == b.ndim, "linalg.cross: inputs must have the same number of dimensions.")
    lengths = [x.shape[one_axis(dim, x.ndim)] for x in (a, b)]
    require(
        lengths == [3, 3], f"linalg.cross: inputs dimension {dim} must have length 3. Got {lengths[0]} and {lengths[1]}"
    )
    a, b = broadcast_tensors(a, b)
    return roll(a, -1, dim) * roll(b, -2, dim) - roll(a, -2, dim) * roll(b, -1, dim)


swapdims, moveaxis = swapaxes, movedim

# What is a method of a Tensor, too.
METHODS = """
    sort argsort topk cummax cummin gather take_along_dim index_select take masked_select masked_fill scatter_add
    index_add select narrow split chunk unbind unflatten view_as expand_as sum_to_size roll fliplr flipud rot90
    repeat tile unfold tril triu diagonal diag diag_embed trace cross swapdims moveaxis
""".split()

__all__ = [*METHODS, *"broadcast_tensors atleast_1d atleast_2d atleast_3d hstack vstack dstack meshgrid".split()]
