"""Every operation in the table, on its own, against PyTorch."""

import functools
import zlib

import numpy as np
import pytest
import torch
from oracle import array, assert_same, backward, hessian_product, leaves, second_order
from torch.nn import functional as F

import chainrule as cr
from chainrule import inplace, rules
from chainrule.op import Op

ONE = [[()], [(3,)], [(2, 3)], [(2, 1, 3)], [(0,)], [(2, 0)]]
TWO = [
    [(), ()],
    [(3,), (3,)],
    [(2, 3), (3,)],
    [(), (2, 2)],
    [(3,), ()],
    [(2, 1), (1, 3)],
    [(1,), (2, 1, 3)],
    [(0,), (1,)],
    [(2, 0), (2, 1)],
]
MATRIX = [[(2, 3)], [(3, 1)], [(0, 2)]]

# Where the inputs lie. No two numbers of an input are equal, and none sits on a kink.
ANYWHERE, POSITIVE, INSIDE, ABOVE_ONE = (-2.0, 2.0), (0.3, 3.0), (-0.9, 0.9), (1.2, 3.0)


def reduced(function):
    """A PyTorch reduction with NumPy's words for where to reduce."""

    def reduce(x, axis, keepdims, **more):
        return function(x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims, **more)

    return reduce


def product(x, axis, keepdims):
    """`torch.prod` over several axes at once."""
    axis = tuple(range(x.ndim)) if axis is None else axis
    for i in sorted(axis, reverse=True):
        x = x.prod(i, keepdim=keepdims)
    return x


def along_one(function):
    return lambda x, axis: function(x, dim=0 if axis is None else axis[0])


def put(x, index, shape):
    return torch.zeros(shape, dtype=x.dtype).index_put(tuple(map(torch.tensor, index)), x, accumulate=True)


def overlaid(a, b, path):
    a = a.clone()
    a[path[0][1]["index"]] = b
    return a


SOME_OR_ALL = [
    ({"axis": None, "keepdims": False}, ONE[:4]),
    ({"axis": None, "keepdims": True}, ONE[1:4]),
    ({"axis": (0,), "keepdims": False}, ONE[1:4]),
    ({"axis": (1,), "keepdims": True}, ONE[2:4]),
    ({"axis": (0, 2), "keepdims": False}, ONE[3:4]),
    ({"axis": (1, 2), "keepdims": True}, ONE[3:4]),
    ({"axis": (0,), "keepdims": False}, [[(2, 0)]]),
]
EMPTY_TOO = [({"axis": None, "keepdims": False}, ONE[4:]), ({"axis": (1,), "keepdims": True}, ONE[5:])]
ALONG = [({"axis": (0,)}, ONE[1:]), ({"axis": (1,)}, ONE[2:4]), ({"axis": None}, ONE[:1])]

rows = torch.tensor([[0, 2], [2, 2]]), torch.tensor([1, 0])
NUMPY_ROWS = tuple(i.numpy() for i in rows)
MASK = np.array([[True, False, True], [False, False, True]])

# operation: PyTorch's function of the same parameters, where the inputs lie, and rows of (parameters, shapes)
CASES = {
    "add": (torch.add, ANYWHERE, [({}, TWO)]),
    "sub": (torch.sub, ANYWHERE, [({}, TWO)]),
    "mul": (torch.mul, ANYWHERE, [({}, TWO)]),
    "div": (torch.div, POSITIVE, [({}, TWO)]),
    "pow": (torch.pow, POSITIVE, [({}, TWO)]),
    "neg": (torch.neg, ANYWHERE, [({}, ONE)]),
    "reciprocal": (torch.reciprocal, POSITIVE, [({}, ONE)]),
    "sqrt": (torch.sqrt, POSITIVE, [({}, ONE)]),
    "exp": (torch.exp, ANYWHERE, [({}, ONE)]),
    "exp2": (torch.exp2, ANYWHERE, [({}, ONE)]),
    "expm1": (torch.expm1, ANYWHERE, [({}, ONE)]),
    "log": (torch.log, POSITIVE, [({}, ONE)]),
    "log2": (torch.log2, POSITIVE, [({}, ONE)]),
    "log10": (torch.log10, POSITIVE, [({}, ONE)]),
    "log1p": (torch.log1p, POSITIVE, [({}, ONE)]),
    "sigmoid": (torch.sigmoid, ANYWHERE, [({}, ONE)]),
    "softplus": (F.softplus, ANYWHERE, [({}, ONE)]),
    "sin": (torch.sin, ANYWHERE, [({}, ONE)]),
    "cos": (torch.cos, ANYWHERE, [({}, ONE)]),
    "tan": (torch.tan, INSIDE, [({}, ONE)]),
    "asin": (torch.asin, INSIDE, [({}, ONE)]),
    "acos": (torch.acos, INSIDE, [({}, ONE)]),
    "atan": (torch.atan, ANYWHERE, [({}, ONE)]),
    "sinh": (torch.sinh, ANYWHERE, [({}, ONE)]),
    "cosh": (torch.cosh, ANYWHERE, [({}, ONE)]),
    "tanh": (torch.tanh, ANYWHERE, [({}, ONE)]),
    "asinh": (torch.asinh, ANYWHERE, [({}, ONE)]),
    "acosh": (torch.acosh, ABOVE_ONE, [({}, ONE)]),
    "atanh": (torch.atanh, INSIDE, [({}, ONE)]),
    "abs": (torch.abs, ANYWHERE, [({}, ONE)]),
    "relu": (torch.relu, ANYWHERE, [({}, ONE)]),
    "sign": (torch.sign, ANYWHERE, [({}, ONE)]),
    "floor": (torch.floor, ANYWHERE, [({}, ONE)]),
    "ceil": (torch.ceil, ANYWHERE, [({}, ONE)]),
    "round": (torch.round, ANYWHERE, [({}, ONE)]),
    "maximum": (torch.maximum, ANYWHERE, [({}, TWO)]),
    "minimum": (torch.minimum, ANYWHERE, [({}, TWO)]),
    "at_least": (lambda a, b: torch.clamp(a, min=b), ANYWHERE, [({}, TWO[:3])]),
    "at_most": (lambda a, b: torch.clamp(a, max=b), ANYWHERE, [({}, TWO[:3])]),
    "where": (
        lambda a, b, condition: torch.where(torch.tensor(condition), a, b),
        ANYWHERE,
        [({"condition": np.array([True, False, True])}, [[(3,), (3,)], [(2, 3), (3,)], [(), (3,)], [(), ()]])],
    ),
    "past_zero": (lambda a, b: torch.where(b != 0, a, 0 * b), ANYWHERE, [({}, TWO[:3])]),
    "only": (
        lambda x, condition: torch.where(torch.tensor(condition), x, 0),
        ANYWHERE,
        [
            ({"condition": np.array([True, False, True])}, [[(3,)], [(2, 3)]]),
            ({"condition": np.True_}, [[()]]),
            ({"condition": np.False_}, [[()]]),
        ],
    ),
    "clip": (
        lambda x, low, high: torch.clamp(x, low, high),
        ANYWHERE,
        [({"low": -0.5, "high": 0.7}, ONE), ({"low": None, "high": 0.7}, ONE), ({"low": -0.5, "high": None}, ONE)],
    ),
    "sum": (reduced(torch.sum), ANYWHERE, SOME_OR_ALL + EMPTY_TOO),
    "mean": (reduced(torch.mean), ANYWHERE, SOME_OR_ALL),
    "var": (
        reduced(torch.var),
        ANYWHERE,
        [({**where, "correction": c}, shapes) for where, shapes in SOME_OR_ALL[1:3] for c in (0, 1)],
    ),
    "std": (
        reduced(torch.std),
        ANYWHERE,
        [({**where, "correction": c}, shapes) for where, shapes in SOME_OR_ALL[1:3] for c in (0, 1)],
    ),
    "prod": (product, ANYWHERE, SOME_OR_ALL + EMPTY_TOO),
    "largest": (reduced(torch.amax), ANYWHERE, SOME_OR_ALL),
    "smallest": (reduced(torch.amin), ANYWHERE, SOME_OR_ALL),
    "amax": (reduced(torch.amax), ANYWHERE, SOME_OR_ALL),
    "amin": (reduced(torch.amin), ANYWHERE, SOME_OR_ALL),
    "magnitude": (torch.linalg.vector_norm, ANYWHERE, [({}, ONE[:1])]),
    "norm": (reduced(torch.linalg.vector_norm), ANYWHERE, SOME_OR_ALL + EMPTY_TOO),
    "logsumexp": (reduced(torch.logsumexp), ANYWHERE, SOME_OR_ALL),
    "softmax": (along_one(torch.softmax), ANYWHERE, ALONG),
    "log_softmax": (along_one(torch.log_softmax), ANYWHERE, ALONG),
    "cumsum": (
        lambda x, axis: torch.cumsum(x, axis),
        ANYWHERE,
        [({"axis": 0}, ONE[1:]), ({"axis": 1}, ONE[2:4])],
    ),
    "expand": (
        lambda x, shape: x.expand(shape),
        ANYWHERE,
        [({"shape": (4, 2, 3)}, [[()], [(3,)], [(2, 3)], [(2, 1)]]), ({"shape": (0, 3)}, [[(3,)], [(1, 1)], [(0, 3)]])],
    ),
    "sum_to": (
        lambda x, shape: x.sum_to_size(shape),
        ANYWHERE,
        [
            ({"shape": (2, 1)}, [[(2, 3)], [(4, 2, 3)], [(2, 1)]]),
            ({"shape": ()}, ONE),
            ({"shape": (1, 1, 3)}, ONE[3:4]),
            ({"shape": (1, 1)}, [[(0, 1)]]),
        ],
    ),
    "reshape": (
        lambda x, shape: x.reshape(shape),
        ANYWHERE,
        [({"shape": (-1,)}, ONE), ({"shape": (3, 2)}, ONE[2:4]), ({"shape": ()}, [[()], [(1,)], [(1, 1)]])],
    ),
    "squeeze": (
        lambda x, axis: x.squeeze(axis),
        ANYWHERE,
        [({"axis": (1,)}, ONE[3:4]), ({"axis": ()}, ONE), ({"axis": (0, 1)}, [[(1, 1)], [(1, 1, 2)]])],
    ),
    "unsqueeze": (lambda x, axis: x.unsqueeze(axis), ANYWHERE, [({"axis": 0}, ONE), ({"axis": 1}, ONE[1:])]),
    "permute": (
        lambda x, axes: x.permute(axes),
        ANYWHERE,
        [({"axes": ()}, ONE[:1]), ({"axes": (1, 0)}, MATRIX), ({"axes": (2, 0, 1)}, ONE[3:4])],
    ),
    "swapaxes": (
        lambda x, i, j: x.swapaxes(i, j),
        ANYWHERE,
        [({"i": 0, "j": 1}, ONE[2:4] + ONE[5:]), ({"i": 2, "j": 0}, ONE[3:4])],
    ),
    "flip": (
        lambda x, axis: x.flip(tuple(range(x.ndim)) if axis is None else axis),
        ANYWHERE,
        [({"axis": None}, ONE), ({"axis": (0,)}, ONE[1:]), ({"axis": (0, 2)}, ONE[3:4])],
    ),
    "cat": (
        lambda *xs, axis: torch.cat(xs, axis),
        ANYWHERE,
        [({"axis": 0}, [[(2,), (3,), (0,)], [(2,)], [(1, 2), (2, 2)]]), ({"axis": 1}, [[(2, 1), (2, 3)]])],
    ),
    "stack": (
        lambda *xs, axis: torch.stack(xs, axis),
        ANYWHERE,
        [({"axis": 0}, [[(), ()], [(2,)], [(2, 3), (2, 3)]]), ({"axis": 1}, [[(2,), (2,), (2,)], [(0, 2), (0, 2)]])],
    ),
    "select": (
        lambda x, index: x[index],
        ANYWHERE,
        [({"index": (1, ...)}, ONE[1:4]), ({"index": (..., 0)}, ONE[1:4]), ({"index": (1, 0, -1)}, ONE[3:4])],
    ),
    "slice_": (
        lambda x, index: x[index],
        ANYWHERE,
        [
            ({"index": (slice(1, None), ...)}, ONE[1:]),
            ({"index": (None, ..., slice(None, None, 2))}, ONE[1:]),
            ({"index": (...,)}, ONE),
            ({"index": (1, slice(0, 1), ...)}, ONE[2:4]),
        ],
    ),
    "index": (
        lambda x, index: x[tuple(torch.tensor(i) if isinstance(i, np.ndarray) else i for i in index)],
        ANYWHERE,
        [
            ({"index": NUMPY_ROWS[:1]}, ONE[1:2]),
            ({"index": (NUMPY_ROWS[1], NUMPY_ROWS[0])}, [[(2, 3)]]),
            ({"index": (slice(None), NUMPY_ROWS[0])}, [[(2, 3)]]),
            ({"index": (NUMPY_ROWS[1], slice(None), NUMPY_ROWS[0])}, ONE[3:4]),
            ({"index": (MASK,)}, ONE[2:3]),
            ({"index": (MASK[:, 0],)}, ONE[2:4]),
            ({"index": (np.zeros(0, int),)}, ONE[1:4]),
        ],
    ),
    "scatter": (
        put,
        ANYWHERE,
        [
            ({"index": NUMPY_ROWS[:1], "shape": (3,)}, [[(2, 2)]]),
            ({"index": NUMPY_ROWS[1:], "shape": (2, 3)}, [[(2, 3)]]),
        ],
    ),
    "clone": (torch.clone, ANYWHERE, [({}, ONE)]),
    "astype": (lambda x, dtype: x.to(getattr(torch, dtype)), ANYWHERE, [({"dtype": "float32"}, ONE)]),
    "dot": (torch.dot, ANYWHERE, [({}, [[(3,), (3,)], [(1,), (1,)], [(0,), (0,)]])]),
    "mv": (torch.mv, ANYWHERE, [({}, [[(2, 3), (3,)], [(0, 3), (3,)], [(2, 0), (0,)]])]),
    "mm": (torch.mm, ANYWHERE, [({}, [[(2, 3), (3, 4)], [(1, 1), (1, 1)], [(2, 0), (0, 3)], [(0, 3), (3, 2)]])]),
    "bmm": (
        torch.matmul,
        ANYWHERE,
        [
            (
                {},
                [
                    [(2, 2, 3), (2, 3, 4)],
                    [(2, 1, 2, 3), (4, 3, 2)],
                    [(3,), (3, 2)],
                    [(3,), (2, 3, 4)],
                    [(2, 2, 3), (3,)],
                    [(2, 2, 3), (3, 2)],
                    [(2, 3), (4, 3, 2)],
                    [(0, 2, 3), (3, 2)],
                ],
            )
        ],
    ),
    "copy_slices": (
        overlaid,
        ANYWHERE,
        [
            ({"path": ((rules.slice_, {"index": (slice(1, 3), ...)}),)}, [[(4,), (2,)], [(3, 2), (2, 2)]]),
            ({"path": ((rules.select, {"index": (0, ...)}),)}, [[(3,), ()], [(2, 3), (3,)]]),
        ],
    ),
}

OPS = {name: op for name, op in vars(rules).items() if isinstance(op, Op)} | {"copy_slices": inplace.copy_slices}
CONSTANTS = {
    "gt": torch.gt,
    "ge": torch.ge,
    "lt": torch.lt,
    "le": torch.le,
    "eq": torch.eq,
    "ne": torch.ne,
    "both": torch.logical_and,
    "either": torch.logical_or,
}


def numbers(seed, shapes, between=(-1.0, 1.0)):
    """Arrays of the given shapes whose numbers, together, are evenly spread and in a random order."""
    draw = np.random.default_rng(zlib.crc32(seed.encode()))
    count = sum(int(np.prod(shape)) for shape in shapes)
    flat = draw.permutation(
        np.linspace(*between, count) + 0.011 if count > 1 else np.full(count, np.mean(between) + 0.11)
    )
    return [
        part.reshape(shape)
        for part, shape in zip(np.split(flat, np.cumsum([int(np.prod(s)) for s in shapes])[:-1]), shapes, strict=True)
    ]


def each_case():
    for name in sorted(OPS.keys() | CASES.keys()):
        if name in CONSTANTS:
            continue
        if name not in CASES or name not in OPS:
            yield pytest.param((name, None, None, None, None), id=f"{name}-without-a-case")
            continue
        theirs, between, rows = CASES[name]
        for i, (params, shape_lists) in enumerate(rows):
            for shapes in shape_lists:
                row = (name, theirs, params, between, shapes)
                log_of_0 = pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
                marks = log_of_0 if "softmax" in name and shapes == [(0,)] else ()
                yield pytest.param(row, marks=marks, id=f"{name}-{i}-{shapes}".replace(" ", ""))


@pytest.fixture(params=each_case())
def case(request):
    """Ours and PyTorch's function, the inputs, a cotangent and two directions."""
    name, theirs, params, between, shapes = request.param
    assert theirs, f"{name}: every operation of the table has a row in CASES, and every row an operation"
    arrays = numbers(name, shapes, between)
    ours, theirs = functools.partial(OPS[name], **params), functools.partial(theirs, **params)
    y = array(theirs(*leaves(torch, arrays)))
    return (
        ours,
        theirs,
        arrays,
        numbers(name + "y", [y.shape])[0].astype(y.dtype),
        numbers(name + "u", shapes),
        numbers(name + "v", shapes),
    )


def test_value_is_pytorchs(case):
    ours, theirs, arrays, *_ = case
    assert_same(ours(*map(cr.tensor, arrays)), theirs(*map(torch.tensor, arrays)))


def test_reverse_mode_is_pytorchs(case):
    ours, theirs, arrays, y_bar, *_ = case
    want = backward(torch, theirs, arrays, y_bar)
    assert_same(backward(cr, ours, arrays, y_bar), want)
    assert_same(cr.vjp(ours, *arrays)[1](y_bar), want)


def test_forward_mode_is_pytorchs(case):
    ours, theirs, arrays, _, directions, _ = case
    tensors, tangents = tuple(map(torch.tensor, arrays)), tuple(map(torch.tensor, directions))
    assert_same(cr.jvp(ours, tuple(arrays), tuple(directions)), torch.func.jvp(theirs, tensors, tangents))


def test_forward_and_reverse_are_transposes(case):
    ours, _, arrays, y_bar, directions, _ = case
    y_dot = array(cr.jvp(ours, tuple(arrays), tuple(directions))[1])
    x_bars = cr.vjp(ours, *arrays)[1](y_bar)
    inner = sum(np.sum(array(x_bar) * x_dot) for x_bar, x_dot in zip(x_bars, directions, strict=True))
    np.testing.assert_allclose(np.sum(y_bar * y_dot), inner, 1e-6 if y_dot.dtype == np.float32 else 1e-10, 1e-12)


def test_second_order_is_pytorchs_in_every_nesting(case):
    ours, theirs, arrays, y_bar, directions, _ = case
    want = hessian_product(lambda *xs: (theirs(*xs) * torch.tensor(y_bar)).sum(), arrays, directions)
    slope = sum(np.sum(array(w) * v) for w, v in zip(want, directions, strict=True))
    for nesting, got in second_order(lambda *xs: (ours(*xs) * y_bar).sum(), arrays, directions):
        try:
            if nesting == "forward over forward":
                np.testing.assert_allclose(array(got), slope, 1e-6 if y_bar.dtype == np.float32 else 1e-9, 1e-11)
            else:
                assert_same(got, want, 1e-6 if y_bar.dtype == np.float32 else 1e-9)
        except AssertionError as error:
            error.add_note(nesting)
            raise


def test_many_tangents_at_once_are_pushed_as_each_alone(case):
    ours, _, arrays, *_ = case
    ends = np.cumsum([0, *(x.size for x in arrays)])

    def of_one_vector(z):
        return ours(*(z[i:j].reshape(x.shape) for i, j, x in zip(ends, ends[1:], arrays, strict=False)))

    z = np.concatenate([x.ravel() for x in arrays])
    forward, reverse = (array(cr.jacobian(of_one_vector, z, mode=mode)) for mode in ("forward", "reverse"))
    np.testing.assert_allclose(forward, reverse, 1e-6 if forward.dtype == np.float32 else 1e-9, 1e-11)


def test_float32_stays_float32(case):
    ours, theirs, arrays, y_bar, directions, _ = case
    arrays, y_bar = [x.astype(np.float32) for x in arrays], y_bar.astype(np.float32)
    directions = [x.astype(np.float32) for x in directions]
    want = backward(torch, theirs, arrays, y_bar)
    assert_same(backward(cr, ours, arrays, y_bar), want, 2e-5, 1e-5)
    tensors, tangents = tuple(map(torch.tensor, arrays)), tuple(map(torch.tensor, directions))
    assert_same(cr.jvp(ours, tuple(arrays), tuple(directions)), torch.func.jvp(theirs, tensors, tangents), 2e-5, 1e-5)


def every_other(x):
    return x.T if x.ndim == 2 else x[..., ::2]


def test_input_that_is_not_contiguous_changes_nothing(case):
    ours, theirs, arrays, y_bar, *_ = case
    if any(x.ndim == 0 for x in arrays):
        return
    wide = [x.T.copy() if x.ndim == 2 else np.repeat(x, 2, axis=-1) for x in arrays]
    got = backward(cr, lambda *xs: ours(*map(every_other, xs)), wide, y_bar)
    assert_same(got, backward(torch, lambda *xs: theirs(*map(every_other, xs)), wide, y_bar))


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if not op.rules])
@pytest.mark.parametrize("shapes", TWO, ids=str)
def test_comparison_is_pytorchs_and_carries_no_gradient(name, shapes):
    a, b = (np.round(x) for x in numbers(name, shapes, ANYWHERE))
    if name in ("both", "either"):
        a, b = a > 0, b > 0
    got = OPS[name](cr.tensor(a), cr.tensor(b))
    assert_same(got, CONSTANTS[name](torch.tensor(a), torch.tensor(b)))
    assert not got.requires_grad and got.is_leaf
