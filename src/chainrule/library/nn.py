"""What networks are made of: activations, losses, layers. Names and meanings as in `torch.nn.functional`.

Nearly everything here is made of other functions.
"""

import math

import numpy as np

from .. import errors, functions

from ..functions import (  # isort: skip
    abs, astype, clamp, exp, expm1, log_softmax, matmul, mean, norm, plain, reshape, row, rules, sigmoid, softmax,
    sqrt, squeeze, sum, tanh, where, whole,
)  # fmt: skip
from ..op import elementwise
from ..tape import binary, tensor_of
from .more import piecewise, require, slices, xlogy
from .places import broadcast_tensors, chunk, gather

__all__ = """
    gelu silu mish elu celu selu leaky_relu prelu hardtanh relu6 hardsigmoid hardswish softsign logsigmoid softmin
    tanhshrink softshrink hardshrink threshold glu linear embedding one_hot normalize layer_norm rms_norm
    pad cosine_similarity pairwise_distance mse_loss l1_loss smooth_l1_loss huber_loss
    nll_loss cross_entropy binary_cross_entropy binary_cross_entropy_with_logits kl_div
""".split()

# ---- activations

relu, softplus = functions.relu, functions.softplus


def gelu(x, *, approximate="none"):
    """x times the probability that a standard normal number is below x, which needs SciPy; "tanh": approximately.

    >>> import chainrule as cr
    >>> cr.nn.gelu(cr.tensor([0.0, 10.0]), approximate="tanh")
    tensor([ 0., 10.])
    """
    if approximate == "tanh":
        return x * 0.5 * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    require(approximate == "none", "approximate argument must be either none or tanh.")
    from .special import ndtr

    return x * ndtr(x)


def silu(x):
    """x sigmoid(x).

    >>> import chainrule as cr
    >>> cr.grad(cr.nn.silu)(0.0)
    tensor(0.5000)
    """
    return x * sigmoid(x)


def mish(x):
    """x tanh(softplus(x)).

    >>> import chainrule as cr
    >>> cr.grad(cr.nn.mish)(0.0)
    tensor(0.6000)
    """
    return x * tanh(rules.softplus(x))


def elu(x, alpha=1.0, scale=1.0, input_scale=1.0):
    """x above 0, alpha (e^x - 1) below.

    >>> import chainrule as cr
    >>> cr.nn.elu(cr.tensor([-1.0, 2.0]), alpha=2.0)
    tensor([-1.2642,  2.0000])
    """
    return piecewise(x <= 0, lambda x: expm1(x * input_scale) * (alpha * scale), lambda x: x * scale, x)


def celu(x, alpha=1.0):
    """x above 0, alpha (e^(x / alpha) - 1) below.

    >>> import chainrule as cr
    >>> cr.nn.celu(cr.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """
    require(alpha != 0, "ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu(x, alpha, 1.0, 1 / alpha)


def selu(x):
    """`elu`, scaled so that a deep network keeps mean 0 and variance 1.

    >>> import chainrule as cr
    >>> cr.nn.selu(cr.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """
    return elu(x, 1.6732632423543772, 1.0507009873554805)


def leaky_relu(x, negative_slope=0.01):
    """x above 0, negative_slope x below (and at 0).

    >>> import chainrule as cr
    >>> cr.nn.leaky_relu(cr.tensor([-1.0, 2.0]))
    tensor([-0.0100,  2.0000])
    """
    return where(x > 0, x, x * negative_slope)


def prelu(x, weight):
    """`leaky_relu` with a slope that is learnt: one for all, or one for each channel (axis 1).

    >>> import chainrule as cr
    >>> cr.nn.prelu(cr.tensor([-1.0, 2.0]), cr.tensor(0.25))
    tensor([-0.2500,  2.0000])
    """
    require(weight.ndim < 2, f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if weight.size > 1:
        require(x.ndim, "Not allow zero-dim input tensor.")
        weight = reshape(weight, tuple(-1 if i == 1 else 1 for i in range(x.ndim)))
    elif weight.ndim:
        weight = reshape(weight, (1,) * x.ndim)
    return where(x > 0, x, x * weight)


def hardtanh(x, min_val=-1.0, max_val=1.0):
    """`clamp` with derivative 0 at the bounds.

    >>> import chainrule as cr
    >>> cr.nn.hardtanh(cr.tensor([-2.0, 0.5, 2.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    require(min_val <= max_val, "min_val cannot be greater than max_val", ValueError)
    return astype(where(x <= min_val, min_val, where(x >= max_val, max_val, x)), x.dtype)


def relu6(x):
    """x between 0 and 6.

    >>> import chainrule as cr
    >>> cr.nn.relu6(cr.tensor([-2.0, 3.0, 8.0]))
    tensor([0., 3., 6.])
    """
    return hardtanh(x, 0.0, 6.0)


def hardsigmoid(x):
    """x / 6 + 1/2, between 0 and 1.

    >>> import chainrule as cr
    >>> cr.nn.hardsigmoid(cr.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """
    return hardtanh(x, -3.0, 3.0) / 6 + 0.5


def hardswish(x):
    """x hardsigmoid(x): x above 3, 0 below -3, x (x + 3) / 6 between.

    >>> import chainrule as cr
    >>> cr.nn.hardswish(cr.tensor([-4.0, 1.5, 4.0]))
    tensor([0.0000, 1.1250, 4.0000])
    """
    return piecewise(x >= 3, lambda x: x, lambda x: where(x <= -3, 0.0, x * (x + 3) / 6), x)


def softsign(x):
    """x / (1 + |x|).

    >>> import chainrule as cr
    >>> cr.nn.softsign(cr.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return x / (abs(x) + 1)


def logsigmoid(x):
    """log(sigmoid(x)) without overflow.

    >>> import chainrule as cr
    >>> cr.nn.logsigmoid(cr.tensor(-1000.0))
    tensor(-1000.)
    """
    return -row.softplus(-x)


def softmin(x, dim=None, dtype=None):
    """softmax(-x).

    >>> import chainrule as cr
    >>> cr.nn.softmin(cr.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return softmax(-x, dim, dtype)


def tanhshrink(x):
    """x - tanh(x).

    >>> import chainrule as cr
    >>> cr.nn.tanhshrink(cr.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2384,  0.0000,  0.2384])
    """
    return x - tanh(x)


def softshrink(x, lambd=0.5):
    """x, moved towards 0 by lambd, but not beyond.

    >>> import chainrule as cr
    >>> cr.nn.softshrink(cr.tensor([-1.0, 0.25, 1.0]))
    tensor([-0.5000,  0.0000,  0.5000])
    """
    require(lambd >= 0, f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return where((x >= -lambd) & (x <= lambd), 0.0, where(x > 0, x - lambd, x + lambd))


def hardshrink(x, lambd=0.5):
    """x, but 0 between -lambd and lambd.

    >>> import chainrule as cr
    >>> cr.nn.hardshrink(cr.tensor([-1.0, 0.25, 1.0]))
    tensor([-1.,  0.,  1.])
    """
    return where((x >= -lambd) & (x <= lambd), 0.0, x)


def threshold(x, threshold, value):
    """x above the threshold, `value` elsewhere.

    >>> import chainrule as cr
    >>> cr.nn.threshold(cr.tensor([0.5, 2.0]), 1.0, 9.0)
    tensor([9., 2.])
    """
    return astype(where(x <= threshold, value, x), x.dtype)


def glu(x, dim=-1):
    """a sigmoid(b), where a and b are the two halves of x along `dim`.

    >>> import chainrule as cr
    >>> cr.nn.glu(cr.tensor([3.0, 0.0]))
    tensor([1.5000])
    """
    require(x.ndim, "glu does not support 0-dimensional tensors")
    n = x.shape[dim]
    require(n % 2 == 0, f"Halving dimension must be even, but dimension {dim % x.ndim} is size {n}")
    a, b = chunk(x, 2, dim)
    return a * sigmoid(b)


# ---- layers


def linear(x, weight, bias=None):
    """x @ weight^T + bias.

    >>> import chainrule as cr
    >>> cr.nn.linear(cr.ones(5, 3), cr.ones(2, 3), cr.ones(2)).shape
    (5, 2)
    """
    y = matmul(x, weight.mT if weight.ndim > 1 else weight)
    return y if bias is None else y + bias


def embedding(index, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of `weight` that `index` names; the row `padding_idx` gets no derivative.

    >>> import chainrule as cr
    >>> cr.nn.embedding(cr.tensor([1, 0, 1]), cr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    require(weight.ndim == 2, "'weight' must be 2-D")
    supported = max_norm is None and not scale_grad_by_freq and not sparse
    require(supported, "embedding: max_norm, scale_grad_by_freq and sparse are not supported", NotImplementedError)
    n, index = weight.shape[0], whole(index)
    require(not ((index < 0) | (index >= n)).any(), "index out of range in self", IndexError)
    y = row.index(weight, index=(index,))
    if padding_idx is None:
        return y
    require(-n <= padding_idx < n, "Padding_idx must be within num_embeddings", AssertionError)
    padding = index == padding_idx % n
    return where(padding[..., None], plain(y), y)


def one_hot(index, num_classes=-1):
    """Vectors with 1 at the place that `index` says, and 0 elsewhere.

    >>> import chainrule as cr
    >>> cr.nn.one_hot(cr.tensor([1, 0]))
    tensor([[0, 1],
            [1, 0]])
    """
    index = whole(index)
    require(index.dtype.kind in "iu", "one_hot is only applicable to index tensor of type LongTensor.")
    require(not (index < 0).any(), "Class values must be non-negative.")
    n = num_classes if num_classes >= 0 else int(index.max()) + 1
    require(not (index >= n).any(), "Class values must be smaller than num_classes.")
    return tensor_of((index[..., None] == np.arange(n)).astype(np.int64))


def normalize(x, p=2.0, dim=1, eps=1e-12):
    """x / |x| along `dim`, where the norm is at least eps.

    >>> import chainrule as cr
    >>> cr.nn.normalize(cr.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return x / clamp(norm(x, p, dim, True), min=eps)


def last_axes(x, lengths):
    """As many of the last axes of x as there are lengths. Raises PyTorch's RuntimeErrors if theirs are others."""
    require(len(lengths), f"Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
                          f"element, but got normalized_shape = {list(lengths)}")  # fmt: skip
    fits = tuple(x.shape[-len(lengths) :]) == tuple(lengths)
    require(fits, f"Given normalized_shape={list(lengths)}, expected input with shape "
                  f"[*{', '.join(map(str, lengths))}], but got input of size{list(x.shape)}")  # fmt: skip
    return tuple(range(-len(lengths), 0))


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """(x - mean) / sqrt(variance + eps) over the last axes, times weight plus bias.

    >>> import chainrule as cr
    >>> cr.nn.layer_norm(cr.tensor([1.0, 3.0]), (2,), eps=0.0)
    tensor([-1.,  1.])
    """
    last = last_axes(x, normalized_shape)
    centred = x - mean(x, last, True)
    y = centred / sqrt(mean(centred * centred, last, True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def rms_norm(x, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean of x^2 + eps) over the last axes, times weight.

    >>> import chainrule as cr
    >>> cr.nn.rms_norm(cr.tensor([1.0, 7.0]), (2,), eps=0.0)
    tensor([0.2000, 1.4000])
    """
    last = last_axes(x, normalized_shape)
    y = x / sqrt(mean(x * x, last, True) + (np.finfo(x.dtype).eps if eps is None else eps))
    return y if weight is None else y * weight


def pad(x, pad, mode="constant", value=None):
    """x with more numbers (or, where negative, fewer) at the ends of its last axes.

    pad   how many: (left, right, top, bottom, ...)
    mode  "constant" (then of `value`), "reflect", "replicate" or "circular"

    >>> import chainrule as cr
    >>> cr.nn.pad(cr.tensor([1.0, 2.0, 3.0]), (1, 2))
    tensor([0., 1., 2., 3., 0., 0.])
    >>> cr.nn.pad(cr.tensor([1.0, 2.0, 3.0]), (1, 1), "reflect")
    tensor([2., 1., 2., 3., 2.])
    """
    require(len(pad) % 2 == 0, "Padding length must be divisible by 2")
    names = {"constant": "", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    require(mode in names, f"Unrecognised padding mode {mode}", NotImplementedError)
    for d, (before, after) in zip(range(x.ndim - 1, -1, -1), zip(pad[::2], pad[1::2], strict=True), strict=False):
        if mode in ("constant", "circular"):  # what is taken away goes first
            x = slices(x, d, max(0, -before), x.shape[d] - max(0, -after))
            before, after = max(0, before), max(0, after)
        n = x.shape[d]
        if mode == "constant":
            shape = (*x.shape[:d], before + n + after, *x.shape[d + 1 :])
            inside = (*(slice(None),) * d, slice(before, before + n), ...)
            hit = np.zeros(shape, bool)
            hit[inside] = True
            x = astype(where(hit, rules.scatter(x, index=inside, shape=shape), value or 0), x.dtype)
        else:
            places = np.pad(np.arange(n), (max(0, before), max(0, after)), names[mode])
            places = places[max(0, -before) : len(places) - max(0, -after)]
            x = row.index(x, index=(*(slice(None),) * d, places))
    return x


# ---- distances


def cosine_similarity(a, b, dim=1, eps=1e-8):
    """The cosine of the angle between a and b along `dim`.

    >>> import chainrule as cr
    >>> cr.nn.cosine_similarity(cr.tensor([[1.0, 0.0]]), cr.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    a, b = broadcast_tensors(a, b)
    return sum(a / clamp(norm(a, 2, dim, True), min=eps) * (b / clamp(norm(b, 2, dim, True), min=eps)), dim)


def pairwise_distance(a, b, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of a - b + eps along the last axis.

    >>> import chainrule as cr
    >>> cr.nn.pairwise_distance(cr.tensor([0.0, 0.0]), cr.tensor([3.0, 4.0]), eps=0.0)
    tensor(5.)
    """
    return norm(a - b + eps, p, -1, keepdim)


# ---- losses


def reduced(loss, reduction, weight=None):
    """The mean of a loss (by its weights, if there are any), its sum, or every number of it."""
    require(reduction in ("none", "mean", "sum"), f"{reduction} is not a valid value for reduction", ValueError)
    if reduction == "mean" and weight is not None:
        return sum(loss) / sum(weight)
    return loss if reduction == "none" else mean(loss) if reduction == "mean" else sum(loss)


def weighted(loss, weight):
    return loss if weight is None else loss * weight


def mse_loss(x, target, reduction="mean", weight=None):
    """The mean of (x - target)^2.

    >>> import chainrule as cr
    >>> cr.nn.mse_loss(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
    tensor(2.)
    """
    d = x - target
    return reduced(weighted(d * d, weight), reduction, weight)


def l1_loss(x, target, reduction="mean", weight=None):
    """The mean of |x - target|.

    >>> import chainrule as cr
    >>> cr.nn.l1_loss(cr.tensor([1.0, 2.0]), cr.tensor([1.0, 4.0]))
    tensor(1.)
    """
    return reduced(weighted(abs(x - target), weight), reduction, weight)


def smooth_l1_loss(x, target, reduction="mean", beta=1.0):
    """The mean of d^2 / (2 beta) where d = |x - target| is below beta, of d - beta / 2 elsewhere.

    >>> import chainrule as cr
    >>> cr.nn.smooth_l1_loss(cr.tensor([0.5, 2.0]), cr.tensor([0.0, 0.0]))
    tensor(0.8125)
    """
    require(beta >= 0, "smooth_l1_loss does not support negative values for beta.")
    d = x - target
    far = lambda d: abs(d) - beta / 2
    loss = far(d) if beta == 0 else piecewise(abs(d) >= beta, far, lambda d: d * d / (2 * beta), d)
    return reduced(loss, reduction)


def huber_loss(x, target, reduction="mean", delta=1.0, weight=None):
    """The mean of d^2 / 2 where d = |x - target| is at most delta, of delta (d - delta / 2) elsewhere.

    >>> import chainrule as cr
    >>> cr.nn.huber_loss(cr.tensor([0.5, 2.0]), cr.tensor([0.0, 0.0]))
    tensor(0.8125)
    """
    require(delta > 0, "huber_loss does not support non-positive values for delta.")
    d = x - target
    loss = piecewise(abs(d) >= delta, lambda d: (abs(d) - delta / 2) * delta, lambda d: d * d / 2, d)
    return reduced(weighted(loss, weight), reduction)


def check_target(x, target, ignore_index):
    """Raise PyTorch's errors for classes that are none, or do not go with x."""
    require(x.ndim, "Expected 1 or more dimensions (got 0)", ValueError)
    if x.ndim > 1:
        n, m = x.shape[0], target.shape[0] if target.ndim else 1
        require(n == m, f"Expected input batch_size ({n}) to match target batch_size ({m}).", ValueError)
    word = errors.kind(target.dtype)[6:-6]
    require(target.dtype.kind in "iu", f"expected target dtype to be Long or Byte, but got {word}")
    require(x.ndim > 2 or target.ndim < 2, "0D or 1D target tensor expected, multi-target not supported")
    shape = [*x.shape[:1], *x.shape[2:]] if x.ndim > 1 else []
    require(list(target.shape) == shape, f"Expected target size {shape}, got {list(target.shape)}")
    classes = x.shape[1 if x.ndim > 1 else 0]
    beyond = target[((target < 0) | (target >= classes)) & (target != ignore_index)]
    require(not beyond.size, f"Target {beyond[:1].sum()} is out of bounds.", IndexError)


def nll_loss(x, target, weight=None, *, ignore_index=-100, reduction="mean"):
    """The mean of -x at the class that is the target, given log-probabilities x with classes along axis 1.

    weight  a factor for each class; the mean is then a weighted one

    >>> import chainrule as cr
    >>> log_p = cr.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
    >>> cr.nn.nll_loss(log_p, cr.tensor([0, 1]))
    tensor(0.4904)
    """
    classes, target = 1 if x.ndim > 1 else 0, whole(target)
    if x.ndim == 1 and target.shape == (1,):
        target = target[0]
    if isinstance(target, np.ndarray | np.generic):
        check_target(x, target, ignore_index)
    counted = target != ignore_index
    picked = squeeze(gather(x, classes, np.expand_dims(np.where(counted, target, 0), classes)), classes)
    factor = factors(x, target, weight, ignore_index)
    return reduced(-where(counted, picked, 0.0) * factor, reduction, factor)


def factors(x, target, weight, ignore_index):
    """What each number of a loss counts: the weight of its class, or 1; 0 where the target is to be ignored."""
    counted = target != ignore_index
    if weight is None:
        return counted.astype(x.dtype)
    return where(counted, row.index(weight, index=(np.where(counted, target, 0),)), 0.0)


def cross_entropy(x, target, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """-log softmax(x) at the class that is the target, or its mean under target probabilities; classes along axis 1.

    >>> import chainrule as cr
    >>> cr.grad(lambda x: cr.nn.cross_entropy(x, cr.tensor([0])))(cr.tensor([[0.0, 0.0]]))
    tensor([[-0.5000,  0.5000]])
    """
    classes = 1 if x.ndim > 1 else 0
    log_p = log_softmax(x, classes)
    n = x.shape[classes]
    per_class = None if weight is None else reshape(weight, tuple(-1 if i == classes else 1 for i in range(x.ndim)))
    if target.dtype.kind == "f" and target.shape == x.shape:
        p = target * (1 - label_smoothing) + label_smoothing / n if label_smoothing else target
        return reduced(-sum(weighted(log_p * p, per_class), classes), reduction)
    target = target[0] if x.ndim == 1 and target.shape == (1,) else target
    hard = nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)
    if not label_smoothing:
        return hard
    target = plain(target)
    smooth = where(target != ignore_index, -sum(weighted(log_p, per_class), classes), 0.0)
    smooth = reduced(smooth, reduction, factors(x, target, weight, ignore_index))
    return hard * (1 - label_smoothing) + smooth * (label_smoothing / n)


# The logarithms are at least -100, and the slopes those of PyTorch: finite where x is 0 or 1.
surprise = binary(
    elementwise(
        "BinaryCrossEntropy",
        lambda a, b: -(b * np.maximum(np.log(a), -100) + (1 - b) * np.maximum(np.log1p(-a), -100)),
        lambda t, a, b: t * (a - b) / rules.at_least((1 - a) * a, 1e-12),
        lambda t, a: t * (np.log1p(-a) - np.log(a)),
    )
)


def same_sizes(x, target, words):
    """Raise PyTorch's ValueError for a target of another shape, which broadcasting would accept."""
    require(x.shape == target.shape, words.format(errors.size(target.shape), errors.size(x.shape)), ValueError)


def binary_cross_entropy(x, target, weight=None, *, reduction="mean"):
    """The mean of -(target log x + (1 - target) log(1 - x)), the logarithms being at least -100.

    Raises ValueError if the shapes differ, RuntimeError if a number of x is not between 0 and 1.

    >>> import chainrule as cr
    >>> cr.nn.binary_cross_entropy(cr.tensor([0.5]), cr.tensor([1.0]))
    tensor(0.6931)
    """
    same_sizes(x, target, "Using a target size ({}) that is different to the input size ({}) is deprecated. "
                          "Please ensure they have the same size.")  # fmt: skip
    known = plain(x)
    if isinstance(known, np.ndarray | np.generic):
        require(((known >= 0) & (known <= 1)).all(), "all elements of input should be between 0 and 1")
    with np.errstate(divide="ignore"):
        return reduced(weighted(surprise(x, target), weight), reduction)


def binary_cross_entropy_with_logits(x, target, weight=None, *, reduction="mean", pos_weight=None):
    """`binary_cross_entropy` of sigmoid(x), without overflow.

    >>> import chainrule as cr
    >>> cr.nn.binary_cross_entropy_with_logits(cr.tensor([0.0]), cr.tensor([1.0]))
    tensor(0.6931)
    """
    same_sizes(x, target, "Target size ({}) must be the same as input size ({})")
    sure = 1.0 if pos_weight is None else (pos_weight - 1) * target + 1
    loss = (1 - target) * x - logsigmoid(x) * sure
    return reduced(weighted(loss, weight), reduction)


def kl_div(x, target, reduction="mean", log_target=False):
    """The mean of target (log target - x), given log-probabilities x; "batchmean": the sum, by the length of axis 0.

    >>> import chainrule as cr
    >>> p = cr.tensor([0.5, 0.5])
    >>> cr.nn.kl_div(cr.tensor([0.25, 0.75]).log(), p, reduction="sum")
    tensor(0.1438)
    """
    loss = exp(target) * (target - x) if log_target else xlogy(target, target) - target * x
    if reduction == "batchmean":
        return sum(loss) / x.shape[0] if x.ndim else sum(loss)
    return reduced(loss, reduction)
