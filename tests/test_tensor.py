"""What a Tensor is: how it is made, printed, compared and combined with Python's and NumPy's numbers."""

import copy
import itertools
import operator
import pickle
import re

import numpy as np
import pytest
import torch
from oracle import assert_same

import chainrule as cr


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def text(x):
    return re.sub(r"torch\.| object at 0x\w+", "", repr(x))


def both(f):
    return text(f(cr)), text(f(torch))


# ---- how it prints

NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 3.14159, 1e-4, 9.9e-5, 1e-5, 1e5, 1000.5, 123456.0, 1e8, 1.1e8, 1e300, 1e-300]
AWKWARD = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("value", [*NUMBERS, *AWKWARD, 3, -7, True, False], ids=repr)
@pytest.mark.parametrize("partner", [None, [], 1.0, 0.5, -20.25], ids=str)
def test_few_numbers_print_as_in_pytorch(value, partner):
    data = value if partner is None else [value] if partner == [] else [value, type(value)(partner)]
    assert both(lambda lib: lib.tensor(data))[0] == both(lambda lib: lib.tensor(data))[1]


@pytest.mark.parametrize("seed", range(40))
def test_arrays_print_as_in_pytorch(seed):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=draw.integers(1, 5, size=seed % 4)) * 10.0 ** draw.integers(-8, 9)
    few = np.where(draw.random(x.shape) < 0.3, draw.choice(NUMBERS + AWKWARD, x.shape), x)
    for data in (x, few, np.round(x), x > 0, np.round(x / abs(x).max() * 50).astype(int)):
        ours, theirs = both(lambda lib, data=data: lib.tensor(data))
        assert ours == theirs


@pytest.mark.parametrize("shape", [(999,), (1000,), (1001,), (30, 40), (400, 3), (3, 400), (7, 200)], ids=str)
def test_large_arrays_print_their_edges_as_in_pytorch(shape):
    data = np.arange(np.prod(shape)).reshape(shape)
    for x in (data, data / 7, data % 3 == 0, data * 2.0):
        ours, theirs = both(lambda lib, x=x: lib.tensor(x))
        assert ours == theirs


PRINTED = {
    "leaf": lambda lib: lib.tensor([1.0, 2.0], requires_grad=True),
    "result": lambda lib: lib.tensor([1.0, 2.0], requires_grad=True) * 2,
    "number": lambda lib: (lib.tensor([1.0, 2.0], requires_grad=True) * 2).sum(),
    "detached": lambda lib: lib.tensor([1.0], requires_grad=True).detach(),
    "truth values": lambda lib: lib.tensor([1.0, -1.0], requires_grad=True) > 0,
    "all true": lambda lib: lib.tensor([1.0, 1.0]) > 0,
    "long line with grad_fn": lambda lib: lib.tensor(np.linspace(0.1, 0.8, 8), requires_grad=True) * 1,
    "full line with grad_fn": lambda lib: lib.tensor(np.linspace(0.1, 0.6, 6), requires_grad=True) * 1,
    "none": lambda lib: lib.tensor([]),
    "none in two axes": lambda lib: lib.tensor([[], []]),
    "none, a leaf": lambda lib: lib.tensor(np.ones((0, 3)), requires_grad=True),
    "none, whole numbers": lambda lib: lib.tensor(np.ones((0, 3), int)),
    "str": lambda lib: str(lib.tensor(2.5, requires_grad=True)),
    "format of a number": lambda lib: f"{lib.tensor(2.5, requires_grad=True):.3f}",
    "format without a format": lambda lib: f"{lib.tensor(2.5)} {lib.tensor([2.5])}",
    "grad_fn": lambda lib: (lib.tensor(1.0, requires_grad=True) * 2).grad_fn,
    "float32": lambda lib: lib.tensor(np.float32(0.1)),
}


@pytest.mark.parametrize("name", PRINTED)
def test_prints_as_in_pytorch(name):
    ours, theirs = both(PRINTED[name])
    assert ours == theirs


# ---- what it says about itself

SAYS = {
    "is_leaf": lambda lib, x: [t.is_leaf for t in (x, x * 1, x.detach(), (x * 1).detach(), x > 0)],
    "requires_grad": lambda lib, x: [t.requires_grad for t in (x, x * 1, x.detach(), x > 0, x.argmax())],
    "grad_fn of what no operation made": lambda lib, x: (x.grad_fn, x.detach().grad_fn),
    "shape": lambda lib, x: (tuple(x.shape), x.ndim, x.dim(), x.numel(), len(x)),
    "item": lambda lib, x: (x.sum().item(), (x > 0).any().item(), x[0, :1].item(), lib.tensor([[3]]).item()),
    "item's type": lambda lib, x: [type(t.item()) for t in (x.sum(), (x > 0).any(), lib.tensor(3))],
    "tolist": lambda lib, x: (x.tolist(), x[0].tolist(), x[0, 0].tolist(), (x > 0).tolist()),
    "list": lambda lib, x: [row.detach() for row in x],
    "unpacking": lambda lib, x: (lambda a, b: (a.detach(), b.tolist()))(*x),
    "float, int, bool, complex": lambda lib, x: (float(x.sum().detach()), int(x.sum().detach()), bool(x.sum() > 0)),
    "index": lambda lib, x: ([10, 20, 30][lib.tensor(1)], list(range(lib.tensor(3)))),
    "bool of one": lambda lib, x: (bool(lib.tensor([0.0])), bool(lib.tensor([[2]])), bool(lib.tensor(False))),
    "not": lambda lib, x: not lib.tensor(0.0),
    "in": lambda lib, x: (1.0 in x.detach(), 7.0 in x.detach()),
    "T": lambda lib, x: (x.T.detach(), x.mT.detach(), x.t().detach()),
    "abs and neg": lambda lib, x: (abs(x).detach(), (-x).detach(), (+x).detach()),
    "any and all": lambda lib, x: ((x > 0).any(), (x > 0).all()),
    "~": lambda lib, x: (~(x > 0), ~lib.tensor([1, -2])),
    "& | ^ of truth values": lambda lib, x: ((x > 0) & (x > 1), (x > 0) | (x > 1)),
    "& | of integers": lambda lib, x: (lib.tensor([6, 3]) & 5, 5 | lib.tensor([6, 3])),
    "requires_grad_ again": lambda lib, x: x.requires_grad_().requires_grad,
    "requires_grad_(False)": lambda lib, x: (x.requires_grad_(False), x.is_leaf),
    "requires_grad = True": lambda lib, x: (lambda y: (setattr(y, "requires_grad", True), y)[1])(x.detach()),
    "detach_": lambda lib, x: (lambda y: (y.detach_(), y.is_leaf, y.requires_grad))(x * 1),
    "retain_grad of a leaf": lambda lib, x: (x.retain_grad(), x.retains_grad),
    "grad of a constant": lambda lib, x: x.detach().grad,
    "astype of a leaf": lambda lib, x: x.double() is x,
    "float()": lambda lib, x: (x.float().tolist(), x.float().double().detach()),
    "hash": lambda lib, x: {x: 1}[x],
    "is in a list": lambda lib, x: (x.sum() in [x.sum()], None in [x], x == "a"),
    "deepcopy": lambda lib, x: copied(x, copy.deepcopy),
    "pickle of a leaf": lambda lib, x: pickle.loads(pickle.dumps(x)),
    "pickle of a result": lambda lib, x: pickle.loads(pickle.dumps(x * 2)),
    "ones and zeros": lambda lib, x: (lib.ones(2), lib.zeros(2, 3), lib.ones((2, 1)), lib.zeros(())),
    "ones_like and zeros_like": lambda lib, x: (lib.ones_like(x), lib.zeros_like(x), lib.zeros_like(x > 0)),
    "data": lambda lib, x: (x.data, x.data.requires_grad),
    "data of another shape": lambda lib, x: (setattr(x, "data", lib.tensor([1.0])), x),
    "is_grad_enabled": lambda lib, x: lib.is_grad_enabled(),
    "max and argmax": lambda lib, x: (x.max(1).values.detach(), x.max(1).indices, x.argmax(), x.argmin(0), x.min(0)[1]),
}


def copied(x, make):
    x.sum().backward()
    other = make(x)
    other.grad[0] = 7.0
    return other, other.is_leaf, other.grad, x.grad, other is x


@pytest.mark.parametrize("name", SAYS)
def test_says_the_same_as_pytorch(name):
    ours, theirs = both(
        lambda lib: SAYS[name](lib, lib.tensor([[1.0, -2.0, 3.0], [0.5, 5.0, -6.0]], requires_grad=True))
    )
    assert ours == theirs


# ---- names in the graph

FORMULAS = {
    "x + x": lambda lib, x: x + x,
    "x + 1": lambda lib, x: x + 1,
    "x - x": lambda lib, x: x - x,
    "x * x": lambda lib, x: x * x,
    "x * 2": lambda lib, x: x * 2,
    "x / x": lambda lib, x: x / x,
    "x / 2": lambda lib, x: x / 2,
    "x ** 2": lambda lib, x: x**2,
    "x ** 0.5": lambda lib, x: x**0.5,
    "x ** x": lambda lib, x: x**x,
    "2 ** x": lambda lib, x: 2**x,
    "-x": lambda lib, x: -x,
    "x @ x": lambda lib, x: x @ x,
    "x @ x[0]": lambda lib, x: x @ x[0],
    "x[0] @ x[1]": lambda lib, x: x[0] @ x[1],
    "x[0]": lambda lib, x: x[0],
    "x[0, 1]": lambda lib, x: x[0, 1],
    "x[:1]": lambda lib, x: x[:1],
    "x[:, 1:]": lambda lib, x: x[:, 1:],
    "x[[0, 1]]": lambda lib, x: x[[0, 1]],
    "x[x > 0]": lambda lib, x: x[x > 0],
    "x[0] = 1": lambda lib, x: set_first(x * 1, 0),
    "x[[0]] = 1": lambda lib, x: set_first(x * 1, [0]),
    "+=": lambda lib, x: (x * 1).add_(1),
    "*=": lambda lib, x: (x * 1).mul_(x),
    "norm": lambda lib, x: x.norm(),
    "norm of rows": lambda lib, x: x.norm(dim=1),
    "sum of rows": lambda lib, x: x.sum(1),
    "sum over a list of axes": lambda lib, x: x.sum((0, 1)),
    "mean of rows": lambda lib, x: x.mean(1),
    "prod of rows": lambda lib, x: x.prod(1),
    "reshape": lambda lib, x: x.reshape(4),
    "reshape of a transpose": lambda lib, x: x.t().reshape(4, 1).reshape(2, 2)[0],
    "view": lambda lib, x: x.view(4),
    "flatten": lambda lib, x: x.flatten(),
    "squeeze": lambda lib, x: x[:1].squeeze(),
    "unsqueeze": lambda lib, x: x.unsqueeze(0),
    "expand": lambda lib, x: x.expand(3, 2, 2),
    "permute": lambda lib, x: x.permute(1, 0),
    "transpose": lambda lib, x: x.transpose(0, 1),
    "T": lambda lib, x: x.T,
    "mT": lambda lib, x: x.mT,
    "flip": lambda lib, x: x.flip(0),
    "cat": lambda lib, x: lib.cat([x, x]),
    "stack": lambda lib, x: lib.stack([x, x]),
    "where": lambda lib, x: lib.where(x > 0, x, x * 2),
    "maximum": lambda lib, x: lib.maximum(x, x * 2),
    "minimum": lambda lib, x: lib.minimum(x, x * 2),
    "clamp": lambda lib, x: x.clamp(0, 1),
    "float": lambda lib, x: x.float(),
    "softmax": lambda lib, x: x.softmax(0),
    "log_softmax": lambda lib, x: x.log_softmax(0),
    "logsumexp": lambda lib, x: x.logsumexp(0),
    "cumsum": lambda lib, x: x.cumsum(0),
    **{
        name: (lambda lib, x, name=name: getattr(x, name)())
        for name in [
            "exp",
            "exp2",
            "expm1",
            "log",
            "log2",
            "log10",
            "log1p",
            "sqrt",
            "reciprocal",
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
            "atanh",
            "sigmoid",
            "relu",
            "abs",
            "sign",
            "floor",
            "ceil",
            "round",
            "square",
            "neg",
            "sum",
            "mean",
            "prod",
            "var",
            "std",
            "max",
            "min",
            "amax",
            "amin",
            "clone",
        ]
    },
    "acosh": lambda lib, x: (x + 2).acosh(),
}


def set_first(y, i):
    y[i] = 1.0
    return y


@pytest.mark.parametrize("name", FORMULAS)
def test_grad_fn_is_named_as_in_pytorch(name):
    def named(lib):
        return FORMULAS[name](lib, lib.tensor([[0.2, 0.5], [0.7, 0.9]], requires_grad=True)).grad_fn

    def name_of(grad_fn):
        return type(grad_fn).__name__

    assert name_of(named(cr)) == name_of(named(torch))


def test_graph_is_walked_by_next_functions():
    x = cr.tensor(2.0, requires_grad=True)
    y = (x * x).exp() + x
    (product, i), (leaf, _) = y.grad_fn.next_functions
    assert (product.name(), i) == ("ExpBackward0", 0)
    assert product.next_functions[0][0].name() == "MulBackward0"
    assert product.next_functions[0][0].next_functions[0][0] == leaf
    assert leaf.variable is x and leaf.next_functions == () and repr(leaf) == "<AccumulateGrad>"
    assert len({y.grad_fn, y.grad_fn, product}) == 2


def test_variable_of_a_leaf_that_is_gone_is_none():
    y = cr.tensor(2.0, requires_grad=True) * 2
    assert y.grad_fn.next_functions[0][0].variable is None


def test_constant_has_no_next_function():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    assert (x * cr.ones(2)).grad_fn.next_functions[1] == (None, 0)
    assert [f and f.name() for f, _ in cr.cat([x, cr.ones(2), x * 2]).grad_fn.next_functions] == [
        "AccumulateGrad",
        None,
        "MulBackward0",
    ]


# ---- mixing with numbers and arrays

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.gt, operator.ge, operator.lt, operator.le, operator.eq, operator.ne]
PARTNERS = {
    "int": 2,
    "float": 2.5,
    "bool": True,
    "float64": np.float64(2.5),
    "float32": np.float32(2.5),
    "int64": np.int64(2),
    "array": np.array([1.5, 0.5, 2.0]),
    "0-d array": np.array(2.5),
    "column": np.array([[1.5], [0.5]]),
    "integers": np.array([1, 2, 3]),
    "truth values": np.array([True, False, True]),
}


@pytest.mark.parametrize("name", PARTNERS)
@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
@pytest.mark.parametrize("shape", [(), (3,)], ids=str)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_numbers_and_arrays_on_both_sides(op, name, shape):
    partner, values = PARTNERS[name], np.array([0.5, 1.5, 3.0])[: np.prod(shape, dtype=int)].reshape(shape)
    as_theirs = torch.tensor(partner, dtype=torch.float64)
    for f, reference in (
        (lambda x: op(x, partner), lambda x: op(x, as_theirs)),
        (lambda x: op(partner, x), lambda x: op(as_theirs, x)),
    ):
        x, t = cr.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
        y, want = f(x), reference(t)
        assert type(y) is cr.Tensor and y.requires_grad
        y.sum().backward()
        want.sum().backward()
        assert_same((y, x.grad), (want, t.grad))
        pushed = torch.func.jvp(reference, (torch.tensor(values),), (torch.tensor(np.cos(values)),))
        assert_same(cr.jvp(f, (values,), (np.cos(values),)), pushed)


@pytest.mark.parametrize("name", PARTNERS)
@pytest.mark.parametrize("op", COMPARISONS, ids=lambda op: op.__name__)
def test_comparisons_with_numbers_and_arrays_are_tensors_of_truth_values(op, name):
    partner = PARTNERS[name]
    for values in ([1.5, 2.5, 2.0], [1, 2, 3]):
        x, t, p = cr.tensor(values), torch.tensor(values), torch.tensor(partner, dtype=torch.float64)
        for got, want in ((op(x, partner), op(t, p)), (op(partner, x), op(p, t))):
            assert type(got) is cr.Tensor
            assert_same(got, want)


DTYPES = ["bool", "int32", "int64", "float32", "float64"]


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", DTYPES)
def test_arrays_of_two_dtypes_combine_and_gradients_keep_their_own(a, b):
    x, y = (np.array([1, 0, 1]).astype(a), np.array([1, 1, 0]).astype(b))
    wants = [d.startswith("float") for d in (a, b)]
    ours = [cr.tensor(v, requires_grad=w) for v, w in zip((x, y), wants, strict=True)]
    theirs = [torch.tensor(v, requires_grad=w) for v, w in zip((x, y), wants, strict=True)]
    for op in (operator.add, operator.mul):
        got, want = op(*ours), op(*theirs)
        assert_same(got, want)
        if any(wants):
            got.sum().backward()
            want.sum().backward()
            for o, t, d in zip(ours, theirs, (a, b), strict=True):
                if o.requires_grad:
                    assert o.grad.dtype == d
                    np.testing.assert_allclose(o.grad.numpy(), t.grad.numpy())


@pytest.mark.parametrize("name", ["add", "div", "pow", "maximum", "atan2"])
@pytest.mark.parametrize("shapes", [((), ()), ((), (3,)), ((3,), ()), ((3,), (3,))], ids=str)
def test_neither_integers_nor_single_numbers_widen_float32(name, shapes):
    f = getattr(cr, name)
    for dtypes in itertools.product(("float32", "float64", "int64"), repeat=2):
        if dtypes != ("int64", "int64") and (shapes != ((), ()) or "int64" not in dtypes):
            a, b = (np.full(shape, 2, dtype) for shape, dtype in zip(shapes, dtypes, strict=True))
            views = [cr.stack([cr.tensor(x)])[0] for x in (a, b)]  # a number that is an array's
            results = [f(cr.tensor(a), cr.tensor(b)), f(*views), cr.compile(f)(a, b)]
            if dtypes[0] != "int64":
                results += cr.jvp(lambda x: f(x, b), (a,), (a,))  # noqa: B023
            want = getattr(torch, name)(torch.tensor(a), torch.tensor(b)).dtype
            assert {f"torch.{y.dtype}" for y in results} == {str(want)}, dtypes


@pytest.mark.parametrize("value", [2, 2.5])
@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.__name__)
@pytest.mark.parametrize("shape", [(), (2,)], ids=str)
def test_python_numbers_leave_float32_alone(op, value, shape):
    values = np.full(shape, 1.5, np.float32)
    for f in (lambda x: op(x, value), lambda x: op(value, x)):
        x, t = cr.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
        y, want = f(x), f(t)
        y.sum().backward()
        want.sum().backward()
        assert_same((y, x.grad), (want, t.grad), 1e-6)


def test_numpys_functions_come_to_us():
    x = cr.tensor([0.5, 2.0], requires_grad=True)
    array = np.array([1.0, 3.0])
    for y in (
        np.sin(x),
        np.add(array, x),
        array * x,
        array @ x,
        np.sum(x),
        np.where(x > 1, x, array),
        np.stack([x, x]),
    ):
        assert type(y) is cr.Tensor and y.requires_grad
    assert np.linalg.norm(x).grad_fn.name() == "LinalgVectorNormBackward0"
    array *= 2
    assert type(array) is np.ndarray


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.cbrt(x),
        lambda x: np.add.reduce(x),
        lambda x: np.sin(x, where=[True]),
        lambda x: np.fft.fft(x),
    ],
    ids=["cbrt", "reduce", "where", "fft"],
)
def test_numpy_function_without_a_rule_says_so(call):
    with pytest.raises(TypeError, match="has no rule here"):
        call(cr.tensor([1.0], requires_grad=True))


# ---- making tensors

DATA = {
    "float": (2.5, "float64"),
    "int": (2, "int64"),
    "bool": (True, "bool"),
    "list": ([1.0, 2.0], "float64"),
    "nested lists": ([[1, 2], [3, 4]], "int64"),
    "mixed": ([1, 2.5], "float64"),
    "float32 array": (np.ones(2, np.float32), "float32"),
    "float32 number": (np.float32(1.5), "float32"),
    "empty": ([], "float64"),
    "empty rows": ([[], []], "float64"),
}


@pytest.mark.parametrize("name", DATA)
def test_dtype_follows_the_data(name):
    data, dtype = DATA[name]
    x = cr.tensor(data)
    assert x.dtype == dtype
    assert_same(x, torch.tensor(data))
    assert cr.tensor(data, dtype="float32").dtype == np.float32


def test_tensor_of_tensors_copies_their_values():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    assert_same(cr.tensor([x[0].detach(), x[1].detach()]), torch.tensor([1.0, 2.0]))
    y = cr.tensor(x)
    assert y.is_leaf and not y.requires_grad
    y.add_(1)
    assert x.tolist() == [1.0, 2.0]


def test_tensor_inside_a_derivative_may_not_be_copied():
    for derivative in (lambda f: cr.grad(f)(2.0), lambda f: cr.jvp(f, (2.0,), (1.0,))):
        for f in (lambda x: cr.tensor(x) * x, lambda x: cr.tensor([x, x]).sum()):
            with pytest.raises(TypeError, match="inside a derivative"):
                derivative(f)


# ---- switching the recording on and off


def test_no_grad_and_enable_grad_nest_as_contexts():
    x = cr.tensor(2.0, requires_grad=True)
    seen = []
    with cr.no_grad():
        seen.append((x * 2).requires_grad)
        with cr.enable_grad():
            seen.append((x * 2).requires_grad)
        seen.append((x * 2).requires_grad)
    seen.append((x * 2).requires_grad)
    assert seen == [False, True, False, True]


@pytest.mark.parametrize("lib", [cr, torch], ids=["ours", "torch"])
def test_no_grad_works_as_a_decorator_and_recursively(lib):
    x = lib.tensor(2.0, requires_grad=True)

    @lib.no_grad()
    def f(n):
        return x * 2 if n == 0 else f(n - 1)

    @lib.enable_grad()
    def g():
        return x * 2

    assert not f(3).requires_grad and (x * 2).requires_grad
    with lib.no_grad():
        assert g().requires_grad


def test_recording_is_back_on_after_an_error():
    with pytest.raises(ZeroDivisionError), cr.no_grad():
        divmod(1, 0)
    assert cr.is_grad_enabled()


def test_leaf_made_under_no_grad_is_still_a_leaf():
    with cr.no_grad():
        x = cr.tensor(2.0, requires_grad=True)
        assert x.requires_grad and x.is_leaf
    (x * x).backward()
    assert x.grad.item() == 4.0


# ---- indexing

INDICES = {
    "integer": 1,
    "negative": -1,
    "slice": slice(1, None),
    "slice with step": slice(None, None, 2),
    "slice beyond the end": slice(1, 100),
    "negative slice": slice(-2, -1),
    "None": None,
    "ellipsis": ...,
    "ellipsis and integer": (..., 1),
    "None and ellipsis": (None, ..., None),
    "integer, None, slice": (1, None, slice(0, 2)),
    "two integers": (1, 2),
    "all integers": (1, 2, 0),
    "list": [0, 2, 2],
    "empty list": [],
    "array": np.array([[0, 2], [1, 1]]),
    "0-d array": np.array(1),
    "negative array": np.array([-1, 0]),
    "array, array": (np.array([0, 2]), np.array([1, 3])),
    "arrays that broadcast": (np.array([[0], [2]]), np.array([1, 3])),
    "array, slice, array": (np.array([0, 2]), slice(None), np.array([1, 0])),
    "array, ellipsis for nothing, array": (np.array([0, 2]), slice(None), ..., np.array([1, 0])),
    "slice, array, ellipsis for nothing, array": (slice(None), np.array([0, 2]), ..., np.array([1, 0])),
    "slice, array": (slice(1, None), np.array([1, 0, 0])),
    "integer, slice, array": (0, slice(None), np.array([1, 0, 0])),
    "array, None": (np.array([0, 2]), None),
    "ellipsis, array": (..., np.array([1, 0])),
    "mask": np.arange(24).reshape(3, 4, 2) % 5 > 1,
    "mask of rows": np.array([True, False, True]),
    "mask of two axes": np.arange(12).reshape(3, 4) % 3 == 0,
    "mask of nothing": np.zeros(3, bool),
    "slice, mask": (slice(None), np.array([True, False, False, True])),
    "mask, integer": (np.array([True, False, True]), 1),
    "True": True,
    "False": False,
    "integers as bounds": slice(np.int64(0), np.int64(2)),
    "empty slice": slice(2, 1),
}


def for_torch(index):
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(torch.tensor(p) if isinstance(p, np.ndarray) else p for p in parts)


@pytest.mark.parametrize("name", INDICES)
def test_indexing_is_pytorchs_in_both_modes(name):
    index, values = INDICES[name], np.cos(np.arange(24.0)).reshape(3, 4, 2)
    x, t = cr.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    y, want = x[index], t[for_torch(index)]
    assert_same(y, want)
    weights = np.sin(np.arange(want.numel())).reshape(want.shape)
    y.backward(cr.tensor(weights))
    want.backward(torch.tensor(weights))
    assert_same(x.grad, t.grad)
    got = cr.jvp(lambda x: x[index], (values,), (values**2,))
    assert_same(got[1], torch.tensor(values**2)[for_torch(index)])
    if isinstance(index, np.ndarray):
        assert_same(x[cr.tensor(index)], want)
        if index.ndim == 1:
            assert_same(x[index.tolist()], want)


def test_negative_step_is_numpys():
    x = cr.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x[::-1] * cr.tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100.0, 10.0, 1.0]


def test_place_named_twice_gets_both_gradients():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    x[[0, 0, 1]].sum().backward()
    assert x.grad.tolist() == [2.0, 1.0]
