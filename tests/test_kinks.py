"""Kinks, ties and edges of domains: the convention is PyTorch's, in both modes and at second order."""

import numpy as np
import pytest
import torch
from oracle import array, assert_same, backward, hessian_product, second_order

import chainrule as cr

# NumPy warns where PyTorch is silent: log 0, 0 / 0, sqrt(-1), overflow.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

INF, NAN = np.inf, np.nan
EDGES = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN]


def of_one(name):
    return lambda lib, x: getattr(x, name)()


KINKS = {
    # ---- one number
    **{
        f"{name} at {x}": (of_one(name), [x])
        for name in [
            "abs",
            "relu",
            "sign",
            "floor",
            "ceil",
            "round",
            "sqrt",
            "rsqrt",
            "reciprocal",
            "square",
            "exp",
            "exp2",
            "expm1",
            "log",
            "log2",
            "log10",
            "log1p",
            "sin",
            "cos",
            "tan",
            "asin",
            "acos",
            "atan",
            "sinh",
            "cosh",
            "tanh",
            "asinh",
            "acosh",
            "atanh",
            "sigmoid",
        ]
        for x in EDGES
    },
    **{f"round at {x}": (of_one("round"), [x]) for x in (0.5, 1.5, 2.5, -0.5, -1.5)},
    **{f"sigmoid at {x}": (of_one("sigmoid"), [x]) for x in (800.0, -800.0, 40.0, -40.0)},
    **{f"tanh at {x}": (of_one("tanh"), [x]) for x in (800.0, -800.0)},
    **{
        f"softplus at {x}": (lambda lib, x: softplus(lib, x), [x])
        for x in (0.0, 20.0, 20.001, 800.0, -800.0, INF, -INF, NAN)
    },
    # ---- powers
    **{
        f"{a} ** {b}, by the base": (lambda lib, x, b=b: x**b, [a])
        for a in (0.0, -2.0, INF, NAN)
        for b in (0, 1, 2, 3, -1, -2, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, -0.5)
    },
    **{
        f"{a} ** {b}, by the exponent": (lambda lib, x, a=a: a**x, [b])
        for a in (0.0, 1.0, 2.0, INF)
        for b in (0.0, 1.0, -1.0, 2.0, INF, -INF)
    },
    **{
        f"{a} ** {b}, by both": (lambda lib, x, y: x**y, [a, b])
        for a in (0.0, 1.0, -2.0)
        for b in (0.0, 1.0, 2.0, -1.0, 0.5)
    },
    # ---- two numbers
    **{
        f"{name} of {a} and {b}": (lambda lib, x, y, name=name: getattr(lib, name)(x, y), [a, b])
        for name in ("maximum", "minimum")
        for a, b in ((1.0, 1.0), (0.0, -0.0), (INF, INF), (NAN, 1.0), (1.0, NAN), (NAN, NAN), (INF, NAN))
    },
    **{
        f"{a} / {b}": (lambda lib, x, y: x / y, [a, b])
        for a, b in ((1.0, 0.0), (0.0, 0.0), (-1.0, 0.0), (1.0, INF), (INF, INF), (0.0, 2.0))
    },
    "0 times inf": (lambda lib, x, y: x * y, [0.0, INF]),
    "inf minus inf": (lambda lib, x, y: x - y, [INF, INF]),
    # ---- bounds
    **{f"clamp to 0, 1 at {x}": (lambda lib, x: x.clamp(0.0, 1.0), [x]) for x in EDGES},
    **{f"clamp from below at {x}": (lambda lib, x: x.clamp(min=0.0), [x]) for x in EDGES},
    **{f"clamp from above at {x}": (lambda lib, x: x.clamp(max=1.0), [x]) for x in EDGES},
    "clamp with crossed bounds": (lambda lib, x: x.clamp(2.0, 1.0), [[0.5, 1.0, 1.5, 2.0, 2.5]]),
    "clamp by tensors at the bounds": (
        lambda lib, x, a, b: x.clamp(a, b),
        [[0.5, 1.0, 2.0], [0.5, 0.0, 0.0], [3.0, 1.0, 1.5]],
    ),
    # ---- ties
    **{
        f"{name} of {x}": (lambda lib, x, name=name: getattr(x, name)(), [x])
        for name in ("max", "min", "amax", "amin")
        for x in (
            [1.0, 1.0],
            [1.0, 1.0, 0.0],
            [0.0, -0.0],
            [INF, INF, 1.0],
            [NAN, 1.0],
            [NAN, NAN],
            [[1.0, 2.0], [2.0, 1.0]],
            3.0,
        )
    },
    **{
        f"{name} of rows of {x}": (lambda lib, x, name=name: getattr(x, name)(1), [x])
        for name in ("amax", "amin")
        for x in ([[1.0, 1.0], [2.0, 0.0]], [[INF, INF], [-INF, -INF]], [[NAN, 1.0], [0.0, 0.0]])
    },
    **{
        f"{name} of rows of {x}, with indices": (lambda lib, x, name=name: getattr(x, name)(1)[0], [x])
        for name in ("max", "min")
        for x in ([[1.0, 1.0], [2.0, 0.0]], [[INF, INF], [-INF, -INF]], [[NAN, 1.0], [1.0, NAN]])
    },
    "max of rows, kept": (lambda lib, x: x.max(0, keepdim=True).values, [[[1.0, 3.0], [1.0, 2.0]]]),
    # ---- lengths
    **{
        f"norm {p} of {x}": (lambda lib, x, p=p: x.norm(p), [x])
        for p in (2, 1, 3, 1.5, INF, -INF)
        for x in ([0.0, 0.0], [0.0, 2.0], [-1.0, 1.0], 0.0, -2.0)
    },
    **{
        f"norm {p} of rows": (lambda lib, x, p=p: x.norm(p, dim=1), [[[0.0, 0.0], [3.0, -4.0], [0.0, 1.0]]])
        for p in (2, 1, 3, INF, -INF)
    },
    "norm of inf": (lambda lib, x: x.norm(), [[INF, 1.0]]),
    "norm of large numbers": (lambda lib, x: x.norm(), [[3e150, 4e150]]),
    # ---- products and sums
    **{
        f"prod of {x}": (lambda lib, x: x.prod(), [x])
        for x in (
            [0.0, 2.0, 3.0],
            [0.0, 0.0, 3.0],
            [0.0, 0.0, 0.0],
            [INF, 2.0],
            [INF, 0.0],
            [NAN, 2.0],
            0.0,
            [[0.0, 2.0], [3.0, 4.0]],
        )
    },
    "prod of rows with zeros": (lambda lib, x: x.prod(1), [[[0.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 0.0, 4.0]]]),
    "prod of columns with zeros": (
        lambda lib, x: x.prod(0, keepdim=True),
        [[[0.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 0.0, 4.0]]],
    ),
    **{
        f"logsumexp of {x}": (lambda lib, x: x.logsumexp(0), [x])
        for x in ([-INF, 0.0], [-INF, -INF], [INF, 0.0], [NAN, 0.0], [1000.0, 1000.0], [-1000.0, 0.0], 0.0)
    },
    **{
        f"{name} of {x}": (lambda lib, x, name=name: getattr(x, name)(0), [x])
        for name in ("softmax", "log_softmax")
        for x in ([-INF, 0.0], [-INF, -INF], [INF, 0.0], [1000.0, 1000.0], [-1000.0, 1000.0])
    },
    **{
        f"{name} of {x}": (lambda lib, x, name=name: getattr(x, name)(), [x])
        for name in ("var", "std")
        for x in ([2.0, 2.0], [0.0, 0.0, 0.0], [1.0, INF], [NAN, 1.0])
    },
    "var of one": (lambda lib, x: x.var(correction=0), [[3.0]]),
    "std of one": (lambda lib, x: x.std(correction=0), [[3.0]]),
    "std of rows, one of them constant": (lambda lib, x: x.std(1), [[[1.0, 1.0], [1.0, 3.0]]]),
    # ---- the branch not taken
    "where with a nan branch": (lambda lib, x: lib.where(x > 0, x.log(), x * 0), [-1.0]),
    "where with a branch whose slope is inf": (lambda lib, x: lib.where(x > 0, x.sqrt(), x * 0), [0.0]),
    "where that guards before": (
        lambda lib, x: lib.where(x > 0, lib.where(x > 0, x, 1.0).log(), 0.0),
        [[-1.0, 0.0, 2.0]],
    ),
    "where of nan": (lambda lib, x: lib.where(x > 0, x, x * 2), [NAN]),
    "times a mask": (lambda lib, x: x.log() * (x > 0), [[0.0, 2.0]]),
    # ---- kinks inside programs
    "log of a floor": (lambda lib, x: x.floor().log(), [0.5]),
    "log of a sign": (lambda lib, x: x.sign().log(), [0.0]),
    "sqrt of abs at 0": (lambda lib, x: x.abs().sqrt(), [0.0]),
    "relu of relu": (lambda lib, x: (x.relu() - 1).relu(), [[0.0, 1.0, 2.0]]),
    "abs times sign": (lambda lib, x: x.abs() * x.sign(), [[0.0, -1.0, 2.0]]),
    "maximum of x and -x": (lambda lib, x: lib.maximum(x, -x), [[0.0, -1.0, 2.0]]),
    "maximum with itself": (lambda lib, x: lib.maximum(x, x), [2.0]),
    "norm of a difference with itself": (lambda lib, x: (x - x).norm(), [[1.0, 2.0]]),
    "sqrt of a sum of squares": (lambda lib, x: (x * x).sum().sqrt(), [[0.0, 0.0]]),
    "x log x at 0": (lambda lib, x: x * x.log(), [0.0]),
    "sin x / x at 0": (lambda lib, x: x.sin() / x, [0.0]),
    "x ** 2 / x at 0": (lambda lib, x: x**2 / x, [0.0]),
}


def softplus(lib, x):
    return (torch.nn.functional if lib is torch else cr).softplus(x)


# Where ours differs on purpose: in which comparisons, and why.
BOTH_REVERSE = ("reverse over reverse", "create_graph")
DIFFERENT = {
    name: comparisons
    for comparisons, reason, names in (
        (
            BOTH_REVERSE,
            "0 ** y has the derivative 0 at every order; PyTorch's second one is nan",
            [f"0.0 ** {b}, by the exponent" for b in (0.0, 1.0, 2.0, INF)]
            + [f"0.0 ** {b}, by both" for b in (0.0, 1.0, 2.0)],
        ),
        (BOTH_REVERSE, "the logarithm of a negative base is nan, also as a factor of 0", ["-2.0 ** 0.0, by both"]),
        (
            BOTH_REVERSE,
            "a norm has no second derivative at 0, where PyTorch's is nan",
            [
                "norm 2 of [0.0, 0.0]",
                "norm 2 of 0.0",
                "norm 2 of rows",
                "norm 1.5 of [0.0, 0.0]",
                "norm 1.5 of [0.0, 2.0]",
                "norm 1.5 of 0.0",
                "norm of a difference with itself",
            ],
        ),
        (
            ("forward",),
            "beside a nan, both get the whole cotangent and both push; PyTorch's forward mode pushes the second only",
            [
                f"{f} of {ab}"
                for f in ("maximum", "minimum")
                for ab in ("nan and 1.0", "1.0 and nan", "nan and nan", "inf and nan")
            ],
        ),
        (("forward",), "the parts of the two inputs are inf and -inf; PyTorch divides their sum", ["1.0 / 0.0"]),
        (
            ("forward",),
            "the nan has the derivative in both modes; in PyTorch's forward mode it is nan",
            [f"{f} of {x}" for f in ("max", "min") for x in ("[nan, 1.0]", "[nan, nan]")],
        ),
        (("forward",), "y / x is inf / inf", ["prod of [inf, 2.0]"]),
        (BOTH_REVERSE, "PyTorch rounds the second derivative to 0 at the threshold", ["softplus at 20.0"]),
        (BOTH_REVERSE, "the factor of inf is 0, and so is its second derivative", ["prod of [inf, 0.0]"]),
        (("value",), "only the inf itself becomes nan", ["softmax of [inf, 0.0]"]),
        (("value", "reverse"), "only the inf itself becomes nan", ["log_softmax of [inf, 0.0]"]),
    )
    for name in names
}


@pytest.fixture(params=KINKS)
def kink(request):
    f, arrays = KINKS[request.param]
    arrays = [np.asarray(x, dtype=float) for x in arrays]
    y = array(f(torch, *map(torch.tensor, arrays)))
    directions = [np.cos(np.arange(x.size)).reshape(x.shape) + 0.5 for x in arrays]
    y_bar = np.asarray(1.5 + np.sin(np.arange(y.size)).reshape(y.shape))
    return request.param, *(lambda *xs, lib=lib: f(lib, *xs) for lib in (cr, torch)), arrays, y_bar, directions


def compare(name, what, got, want):
    """Equal, nan and inf included, unless the difference is listed."""
    if what in DIFFERENT.get(name, ()):
        with pytest.raises(AssertionError):
            assert_same(got, want)
    else:
        assert_same(got, want)


def test_value_and_reverse_mode(kink):
    name, ours, theirs, arrays, y_bar, _ = kink
    compare(name, "value", ours(*map(cr.tensor, arrays)), theirs(*map(torch.tensor, arrays)))
    want = backward(torch, theirs, arrays, y_bar)
    compare(name, "reverse", backward(cr, ours, arrays, y_bar), want)
    compare(name, "reverse", cr.vjp(ours, *arrays)[1](y_bar), want)


def test_forward_mode(kink):
    name, ours, theirs, arrays, _, directions = kink
    got = cr.jvp(ours, tuple(arrays), tuple(directions))[1]
    want = torch.func.jvp(theirs, tuple(map(torch.tensor, arrays)), tuple(map(torch.tensor, directions)))[1]
    compare(name, "forward", got, want)


def test_second_order(kink):
    name, ours, theirs, arrays, y_bar, directions = kink
    want = hessian_product(lambda *xs: (theirs(*xs) * torch.tensor(y_bar)).sum(), arrays, directions)
    for nesting, got in second_order(lambda *xs: (ours(*xs) * y_bar).sum(), arrays, directions):
        if nesting in ("reverse over reverse", "create_graph"):
            compare(name, nesting, got, want)
