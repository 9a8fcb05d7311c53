"""Linear algebra: products of every kind, and what `torch.linalg` has, under its names.

Inverse, solution, determinant and factors are operations with rules of their own. Each rule
uses only what this table has, so that it can be differentiated again.
"""

import math
from collections import namedtuple
from functools import reduce

import numpy as np

from .. import functions

from ..functions import (  # isort: skip
    abs, amax, amin, cat, matmul, one_axis, permute, plain, positions, reshape, sum, unsqueeze, where,
)  # fmt: skip
from ..op import Box, custom
from ..rules import choose
from ..tape import binary, unary
from . import places
from .more import require

__all__ = """
    LinAlgError inv det slogdet logdet solve cholesky eigh eigvalsh svdvals vector_norm matrix_norm norm matrix_power multi_dot
    cross diagonal vecdot
""".split()

# What is a method of a Tensor, too, and a function of chainrule itself.
METHODS = "bmm addmm addmv baddbmm vdot inner kron det slogdet logdet".split()

Slogdet = namedtuple("slogdet", ["sign", "logabsdet"])
Eigh = namedtuple("linalg_eigh", ["eigenvalues", "eigenvectors"])


class LinAlgError(RuntimeError, np.linalg.LinAlgError):
    """A matrix has no inverse, or no factors. PyTorch's is a RuntimeError, NumPy's a ValueError; this is both.

    >>> import chainrule as cr
    >>> try:
    ...     cr.linalg.inv(cr.zeros(2, 2))
    ... except cr.linalg.LinAlgError:
    ...     print("singular")
    singular
    """


def unless(holds, words):
    """What says in PyTorch's words of which matrix a in a stack `holds(a, k)` is false, for which k = 1, 2, ..."""

    def wrong(x, *_):
        for i, a in enumerate(x.reshape(-1, *x.shape[-2:])):
            element = f"(Batch element {i}): " if x.ndim > 2 else ""
            for k in range(1, len(a) + 1):
                require(holds(a, k), words.format(element=element, k=k), LinAlgError)

    return wrong


has_no_inverse = unless(
    lambda a, k: np.linalg.matrix_rank(a[:, :k]) == k,
    "linalg.inv: {element}The diagonal element {k} is zero, the inversion could not be completed because the input "
    "matrix is singular.",
)
has_no_solution = unless(
    lambda a, k: np.linalg.matrix_rank(a) == len(a),
    "torch.linalg.solve: {element}The solver failed because the input matrix is singular.",
)
is_not_definite = unless(
    lambda a, k: np.linalg.eigvalsh(a[:k, :k])[0] > 0,
    "linalg.cholesky: {element}The factorization could not be completed because the input is not positive-definite "
    "(the leading minor of order {k} is not positive-definite).",
)


# fmt: off
inverse = custom("LinalgInvEx",        np.linalg.inv,       lambda t, y: -y.mT @ t @ y.mT,
                               pushes=[lambda t, y: -y @ t @ y], wrong=has_no_inverse)
solution = custom("LinalgSolveEx",     np.linalg.solve,     lambda t, y, a: -solution(a.mT, t) @ y.mT,
                                                            lambda t, a: solution(a.mT, t),
                               pushes=[lambda t, y, a: -solution(a, t @ y),
                                       lambda t, a: solution(a, t)], wrong=has_no_solution)
determinant = custom("LinalgDet",      np.linalg.det,       lambda t, x, y: (t * y)[..., None, None] * inverse(x).mT,
                               pushes=[lambda t, x, y: y * (inverse(x).mT * t).sum((-2, -1))])
log_volume = custom("LinalgSlogdet",   lambda x: np.linalg.slogdet(x)[1], lambda t, x: t[..., None, None] * inverse(x).mT,
                               pushes=[lambda t, x: (inverse(x).mT * t).sum((-2, -1))])
factor = custom("LinalgCholeskyEx",    np.linalg.cholesky,  lambda t, y: symmetric_part(between(y.mT, lower_half(y.mT @ t))),
                               pushes=[lambda t, y: y @ lower_half(between(y, t))], wrong=is_not_definite)
eigenvalues = custom("LinalgEigh",     lambda x, half: np.linalg.eigvalsh(x, half),
                                       lambda t, x, half: along(eigenvectors(x, half=half), t),
                               pushes=[lambda t, x, half: across(eigenvectors(x, half=half), t)])
eigenvectors = custom("LinalgEigh",    lambda x, half: np.linalg.eigh(x, half)[1],
                                       lambda t, x, y, half: symmetric_part(y @ by_gaps(y.mT @ t, x, half) @ y.mT),
                               pushes=[lambda t, x, y, half: y @ by_gaps(y.mT @ symmetric_part(t) @ y, x, half)])
# fmt: on


def between(a, t):
    """a^-1 t a^-T."""
    return solution(a, solution(a, t).mT).mT


def lower_half(x):
    """The lower triangle of x with half its diagonal."""
    return x * (np.tri(x.shape[-1]) - np.eye(x.shape[-1]) / 2).astype(x.dtype)


def symmetric_part(x):
    return (x + x.mT) / 2


def along(v, w):
    """v diag(w) v^T."""
    return v * w[..., None, :] @ v.mT


def across(v, x):
    """The diagonal of v^T x v."""
    return (v * (x @ v)).sum(-2)


def by_gaps(m, x, half):
    """m_ij / (w_j - w_i) for the eigenvalues w of x, and 0 on the diagonal.

    Eigenvectors of equal eigenvalues have no derivative: where m asks for one, it is nan, and 0 where it does not.
    """
    w = eigenvalues(x, half=half)
    gap = w[..., None, :] - w[..., :, None]
    equal = np.abs(plain(gap)) <= 100 * np.finfo(w.dtype).eps * (np.abs(plain(w)).max() if w.size else 0)
    asked = equal & (plain(m) != 0) & ~np.eye(w.shape[-1], dtype=bool)
    return choose(equal, choose(asked, np.nan, 0), m / choose(equal, 1, gap))


def square_matrices(x, name):
    """Raise PyTorch's RuntimeError for what is not a stack of square matrices."""
    require(x.ndim >= 2, f"linalg.{name}: The input tensor A must have at least 2 dimensions.")
    m, n = x.shape[-2:]
    require(m == n, f"linalg.{name}: A must be batches of square matrices, but they are {m} by {n} matrices")
    return x


# ---- products


def bmm(a, b):
    """The matrix products of two stacks of matrices.

    >>> import chainrule as cr
    >>> cr.bmm(cr.ones(5, 2, 3), cr.ones(5, 3, 4)).shape
    (5, 2, 4)
    """
    require(a.ndim == b.ndim == 3, f"{'batch1' if a.ndim != 3 else 'batch2'} must be a 3D tensor")
    return matmul(a, b)


def addmm(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha a @ b.

    >>> import chainrule as cr
    >>> cr.addmm(cr.ones(2, 2), cr.ones(2, 3), cr.ones(3, 2), alpha=10)
    tensor([[31., 31.],
            [31., 31.]])
    """
    return x * beta + matmul(a, b) * alpha


def addmv(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha a @ b, for a vector b.

    >>> import chainrule as cr
    >>> cr.addmv(cr.ones(2), cr.ones(2, 3), cr.ones(3))
    tensor([4., 4.])
    """
    return x * beta + matmul(a, b) * alpha


def baddbmm(x, a, b, *, beta=1, alpha=1):
    """beta x + alpha a @ b, for stacks of matrices.

    >>> import chainrule as cr
    >>> cr.baddbmm(cr.ones(5, 2, 4), cr.ones(5, 2, 3), cr.ones(5, 3, 4)).shape
    (5, 2, 4)
    """
    return x * beta + bmm(a, b) * alpha


def vdot(a, b):
    """The inner product of two vectors.

    >>> import chainrule as cr
    >>> cr.vdot(cr.tensor([1.0, 2.0]), cr.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return functions.dot(a, b)


def inner(a, b):
    """The sums of products along the last axes of both.

    >>> import chainrule as cr
    >>> cr.inner(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def tensordot(a, b, dims=2):
    """The sums of products over some axes: the last `dims` of a with the first of b, or the two lists of axes given.

    >>> import chainrule as cr
    >>> cr.tensordot(cr.ones(2, 3, 4), cr.ones(3, 4, 5)).shape
    (2, 5)
    >>> cr.tensordot(cr.ones(2, 3), cr.ones(4, 3), ([1], [1])).shape
    (2, 4)
    """
    dims = plain(dims).tolist() if isinstance(dims, Box) else dims
    if isinstance(dims, int):
        dims = (list(range(a.ndim - dims, a.ndim)), list(range(dims)))
    of_a, of_b = (
        [one_axis(d, x.ndim) for d in (ds if isinstance(ds, list | tuple) else [ds])]
        for ds, x in zip(dims, (a, b), strict=True)
    )
    for i, j in zip(of_a, of_b, strict=True):
        if a.shape[i] == 1 != b.shape[j]:
            b = sum(b, j, True)
        elif b.shape[j] == 1 != a.shape[i]:
            a = sum(a, i, True)
    free_a = [i for i in range(a.ndim) if i not in of_a]
    free_b = [i for i in range(b.ndim) if i not in of_b]
    n = math.prod(a.shape[i] for i in of_a)
    left = reshape(permute(a, free_a + of_a), (math.prod(a.shape[i] for i in free_a), n))
    right = reshape(permute(b, of_b + free_b), (n, math.prod(b.shape[i] for i in free_b)))
    return reshape(matmul(left, right), (*(a.shape[i] for i in free_a), *(b.shape[i] for i in free_b)))


def einsum(equation, *operands):
    """Einstein's sums: "ij,jk->ik" is the matrix product, sum_j a_ij b_jk.

    Computed as it is defined: the product of all operands, then the sum over the letters
    that are not in the result. "..." stands for axes that broadcast. Numbers may stand for the
    letters, a list of them behind each operand: einsum(a, [0, 1], b, [1, 2], [0, 2]).

    >>> import chainrule as cr
    >>> A, B = cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([[1.0], [1.0]])
    >>> cr.einsum("ij,jk->ik", A, B)
    tensor([[3.],
            [7.]])
    >>> cr.einsum("ii", A)
    tensor(5.)
    """
    if not isinstance(equation, str):
        equation, operands = lettered((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = operands[0]
    terms, arrow, result = equation.replace(" ", "").partition("->")
    needed = terms.count(",") + 1
    what = "fewer" if len(operands) < needed else "more"
    require(len(operands) == needed, f"einsum(): {what} operands were provided than specified in the equation")
    names = [spelled(term, x.ndim) for term, x in zip(terms.split(","), operands, strict=True)]
    letters = [c for name in names for c in name]
    dots = sorted({c for c in letters if isinstance(c, int)})
    if arrow:
        kept = spelled(result, len(result.replace("...", "")) + len(dots))
    else:
        kept = dots + sorted(c for c in set(letters) - set(dots) if letters.count(c) == 1)
    order = kept + [c for c in dict.fromkeys(letters) if c not in kept]
    product = None
    for name, x in zip(names, operands, strict=True):
        while twice := [c for c in name if name.count(c) > 1]:
            i, j = [k for k, c in enumerate(name) if c == twice[0]][:2]
            x, name = places.diagonal(x, 0, i, j), [*name[:i], *name[i + 1 : j], *name[j + 1 :], twice[0]]
        x = permute(x, [name.index(c) for c in order if c in name])
        lengths = iter(x.shape)
        x = reshape(x, [next(lengths) if c in name else 1 for c in order])
        product = x if product is None else product * x
    return sum(product, tuple(range(len(kept), product.ndim))) if product.ndim > len(kept) else product


def lettered(parts):
    """Operands and lists of numbers in turns as an equation and the operands."""
    operands, terms = parts[: len(parts) // 2 * 2 : 2], [*parts[1::2], *parts[len(parts) // 2 * 2 :]]
    words = ["".join("..." if i is ... else chr(ord("a") + i) for i in term) for term in terms]
    return "->".join([",".join(words[: len(operands)]), *words[len(operands) :]]), operands


def spelled(term, ndim):
    """The axes of a term as a list: its letters, and negative numbers for those behind "..."."""
    before, dots, after = term.partition("...")
    return [*before, *(range(len(before) + len(after) - ndim, 0) if dots else ()), *after]


def kron(a, b):
    """The Kronecker product: every number of a times all of b.

    >>> import chainrule as cr
    >>> cr.kron(cr.tensor([1.0, 10.0]), cr.tensor([1.0, 2.0, 3.0]))
    tensor([ 1.,  2.,  3., 10., 20., 30.])
    """
    n = max(a.ndim, b.ndim)
    p, q = ((1,) * (n - x.ndim) + tuple(x.shape) for x in (a, b))
    product = reshape(a, tuple(m for i in p for m in (i, 1))) * reshape(b, tuple(m for i in q for m in (1, i)))
    return reshape(product, tuple(i * j for i, j in zip(p, q, strict=True)))


# ---- inverse, determinant, factors


def inv(x):
    """The inverse of a square matrix, or of a stack of them; dA^-1 = -A^-1 dA A^-1.

    >>> import chainrule as cr
    >>> cr.linalg.inv(cr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return unary(inverse)(square_matrices(x, "inv"))


def det(x):
    """The determinant; its derivative is det(A) A^-T, for a matrix that has an inverse.

    >>> import chainrule as cr
    >>> cr.allclose(cr.det(cr.tensor([[2.0, 1.0], [0.0, 4.0]])), cr.tensor(8.0))
    True
    """
    return unary(determinant)(square_matrices(x, "det"))


def slogdet(x):
    """The determinant's sign and the logarithm of its absolute value, whose derivative is A^-T.

    >>> import chainrule as cr
    >>> cr.slogdet(cr.tensor([[0.0, 1.0], [1.0, 0.0]]))
    slogdet(sign=tensor(-1.), logabsdet=tensor(0.))
    """
    sign = positions(x, np.linalg.slogdet(plain(square_matrices(x, "slogdet")))[0])
    return Slogdet(sign, unary(log_volume)(x))


def logdet(x):
    """log(det(A)), nan for a negative determinant; its derivative is A^-T.

    >>> import chainrule as cr
    >>> cr.grad(cr.logdet)(cr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    sign, size = slogdet(x)
    return where(sign < 0, np.nan, size)


def solve(a, b, *, left=True):
    """The solution of a x = b (or x a = b, unless `left`), for a matrix or a vector b; dx = a^-1 (db - da x).

    >>> import chainrule as cr
    >>> cr.linalg.solve(cr.tensor([[2.0, 0.0], [0.0, 4.0]]), cr.tensor([1.0, 1.0]))
    tensor([0.5000, 0.2500])
    """
    square_matrices(a, "solve")
    if not left:
        return solve(a.mT, b.mT).mT
    if b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]):
        return binary(solution)(a, unsqueeze(b, -1))[..., 0]
    return binary(solution)(a, b)


def cholesky(x, *, upper=False):
    """The lower triangular L with L L^T = A, for a symmetric A with positive eigenvalues (or L^T, if `upper`).

    >>> import chainrule as cr
    >>> cr.linalg.cholesky(cr.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    y = unary(factor)(square_matrices(x, "cholesky"))
    return y.mT if upper else y


def eigh(x, UPLO="L"):
    """The eigenvalues of a symmetric matrix, in order, and its eigenvectors, as columns.

    >>> import chainrule as cr
    >>> cr.linalg.eigh(cr.tensor([[3.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 3.])
    """
    x = square_matrices(x, "eigh")
    return Eigh(unary(eigenvalues)(x, half=UPLO), unary(eigenvectors)(x, half=UPLO))


def eigvalsh(x, UPLO="L"):
    """The eigenvalues of a symmetric matrix, in order; dw_i = v_i^T dA v_i.

    >>> import chainrule as cr
    >>> cr.linalg.eigvalsh(cr.tensor([[3.0, 0.0], [0.0, 1.0]]))
    tensor([1., 3.])
    """
    return unary(eigenvalues)(square_matrices(x, "eigvalsh"), half=UPLO)


def svdvals(x):
    """The singular values, largest first: the upper half of the eigenvalues of [[0, A], [A^T, 0]].

    >>> import chainrule as cr
    >>> cr.allclose(cr.linalg.svdvals(cr.tensor([[3.0, 0.0], [0.0, -4.0]])), cr.tensor([4.0, 3.0]))
    True
    """
    m, n = x.shape[-2:]
    zeros = lambda k: np.zeros((*x.shape[:-2], k, k), x.dtype)
    whole = cat([cat([zeros(m), x], -1), cat([x.mT, zeros(n)], -1)], -2)
    return functions.flip(eigvalsh(whole)[..., m + n - min(m, n) :], -1)


# ---- norms


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The p-norm of all numbers, or along `dim`: (sum |x|^p)^(1/p); for inf and -inf the largest and smallest |x|.

    >>> import chainrule as cr
    >>> cr.linalg.vector_norm(cr.tensor([3.0, -4.0]), 1)
    tensor(7.)
    """
    return functions.norm(x if dtype is None else functions.astype(x, dtype), ord, dim, keepdim)


def matrix_norm(x, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """The norm of a matrix, or of the matrices along two axes.

    ord  "fro" (Euclidean), "nuc" (the sum of the singular values), 2 or -2 (the largest or
         smallest of them), 1 or -1 (largest or smallest sum of |x| in a column), inf or -inf (in a row)

    >>> import chainrule as cr
    >>> cr.linalg.matrix_norm(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    x = x if dtype is None else functions.astype(x, dtype)
    i, j = (one_axis(d, x.ndim) for d in dim)
    if ord == "fro":
        return functions.norm(x, 2, (i, j), keepdim)
    choose_one = amax if ord == "nuc" or ord > 0 else amin
    if ord in ("nuc", 2, -2):
        values = svdvals(functions.movedim(x, (i, j), (-2, -1)))
        y = sum(values, -1) if ord == "nuc" else choose_one(values, -1)
        return unsqueeze(unsqueeze(y, min(i, j)), max(i, j)) if keepdim else y
    require(ord in (1, -1, math.inf, -math.inf), f"linalg.matrix_norm: Order {ord} not supported.")
    along, across = (i, j) if ord in (1, -1) else (j, i)
    y = choose_one(sum(abs(x), along, True), across, True)
    return y if keepdim else functions.squeeze(y, (i, j))


def norm(x, ord=None, dim=None, keepdim=False, *, dtype=None):
    """`vector_norm`, or with `ord` and two axes (or of a matrix) `matrix_norm`.

    >>> import chainrule as cr
    >>> cr.linalg.norm(cr.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(5.)
    """
    if ord is not None and (len(dim) == 2 if isinstance(dim, tuple | list) else dim is None and x.ndim == 2):
        return matrix_norm(x, ord, dim or (-2, -1), keepdim, dtype=dtype)
    return vector_norm(x, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def matrix_power(x, n):
    """A @ A @ ... @ A, n times; of the inverse, for a negative n.

    >>> import chainrule as cr
    >>> cr.linalg.matrix_power(cr.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    square_matrices(x, "matrix_power")
    n = int(n)
    if n == 0:
        return x * 0 + np.eye(x.shape[-1], dtype=x.dtype)
    return reduce(matmul, [x if n > 0 else inv(x)] * max(n, -n)) if n != 1 else x * 1


def multi_dot(tensors):
    """The matrix product of several, from left to right.

    >>> import chainrule as cr
    >>> cr.linalg.multi_dot([cr.ones(2, 3), cr.ones(3, 4), cr.ones(4)])
    tensor([12., 12.])
    """
    return reduce(matmul, tensors)


def cross(a, b, *, dim=-1):
    """The vector product along an axis of length 3.

    >>> import chainrule as cr
    >>> cr.linalg.cross(cr.tensor([1.0, 0.0, 0.0]), cr.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    return places.cross(a, b, dim)


def diagonal(x, *, offset=0, dim1=-2, dim2=-1):
    """The numbers on a diagonal of the last two axes, as a new last axis.

    >>> import chainrule as cr
    >>> cr.linalg.diagonal(cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return places.diagonal(x, offset, dim1, dim2)


def vecdot(a, b, *, dim=-1):
    """The inner products along an axis.

    >>> import chainrule as cr
    >>> cr.linalg.vecdot(cr.tensor([[1.0, 2.0], [3.0, 4.0]]), cr.tensor([[1.0, 1.0], [1.0, 0.0]]))
    tensor([3., 3.])
    """
    return sum(a * b, dim)
