"""The static graph: the deck's program, loops, branches, gradients, and what misuse teaches."""

import itertools
import types
from collections import namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
import chainrule.static as tf
from chainrule.nested import leaves
from chainrule.static.program import to_python


@pytest.fixture(autouse=True)
def graph():
    """A graph of its own for every test."""
    with tf.Graph() as graph:
        yield graph


def run(fetches, **feeds):
    """What a session computes, with placeholders fed by name."""
    graph = tf.get_default_graph()
    placeholders = {x.params["name"]: x for x in graph.nodes if x.op is tf.PLACEHOLDER}
    return tf.Session().run(fetches, {placeholders[name]: value for name, value in feeds.items()})


def scalar(name="x", dtype=tf.float64):
    return tf.placeholder(dtype, (), name)


def vector(name="x", n=3):
    return tf.placeholder(tf.float64, (n,), name)


# ---- the deck's program

DECK = """
import chainrule.static as tf

tf.disable_v2_behavior()


def build():
    a = tf.placeholder(dtype=tf.float32, shape=(), name="a")
    first = a * 2

    def too_small(b):
        return tf.norm(b) < 1000

    def double(b):
        return b * 2

    b = tf.while_loop(too_small, double, [first])

    def same():
        return b

    def hundredfold():
        return 100 * b

    c = tf.cond(tf.reduce_sum(b) > 0, same, hundredfold)
    return a, c, tf.gradients(c, a)


a, c, slopes = build()
with tf.Session() as session:
    value, slope = session.run([c, slopes], feed_dict={a: number})
"""


@pytest.mark.parametrize(
    ("number", "value", "slope"),
    [(0.48851716447341414, 1000.483154296875, 2048.0), (-0.7185292840003967, -147154.796875, 204800.0)],
)
def test_the_decks_program_gives_the_decks_numbers(number, value, slope):
    names = {"number": number}
    exec(DECK, names)
    assert (names["value"], names["slope"]) == (np.float32(value), [np.float32(slope)])
    assert type(names["value"]) is np.float32 is type(names["slope"][0])
    again = names["c"].graph.to_python([names["c"], names["slopes"]])
    assert again(np.float32(number)) == [np.float32(value), [np.float32(slope)]]
    assert "while cr.norm(v2) < 1000:" in again.source
    assert "if v5:" in again.source


def test_a_condition_of_many_steps_is_written_as_a_break():
    x = scalar()
    y = tf.while_loop(lambda y: (tf.sin(y) + tf.cos(y) * tf.exp(-y)) ** 2 < 2 - y, lambda y: y + 0.25, [x])
    fetches = [y, tf.gradients(y, x)]
    program = to_python(fetches)
    assert "while True:" in program.source
    assert program(np.float64(0.1)) == run(fetches, x=0.1)


# ---- random programs, on three engines


class Python:
    """Control flow as Python has it."""

    @staticmethod
    def while_loop(cond, body, loop_vars):
        while cond(*loop_vars):
            loop_vars = body(*loop_vars)
        return loop_vars

    @staticmethod
    def cond(pred, true_fn, false_fn):
        return true_fn() if pred else false_fn()


UNARY = ("sin", "cos", "tanh", "sigmoid", "atan", "square", "exp", "relu", "abs", "log1p")
REDUCE = ("sum", "mean", "norm", "amax", "amin", "prod")
BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / (b * b + 1.0),
    "pow": lambda a, b: (a * a + 0.5) ** b.tanh(),
}
place = st.integers(0, 30)


def steps(depth):
    """A random piece of program: a list of steps, each of which makes one more value of those before it."""
    kinds = [
        st.tuples(st.just("unary"), st.sampled_from(UNARY), place),
        st.tuples(st.just("reduce"), st.sampled_from(REDUCE), place),
        st.tuples(st.just("binary"), st.sampled_from(sorted(BINARY)), place, place),
    ]
    if depth:
        inner = steps(depth - 1)
        kinds.append(st.tuples(st.just("while"), place, place, st.integers(0, 4), st.floats(0.5, 20.0), inner))
        kinds.append(st.tuples(st.just("cond"), place, place, inner, inner))
    return st.lists(st.one_of(kinds), min_size=1, max_size=4)


def small(x):
    return x.tanh() * 2.0


def execute(program, values, control):
    """Run steps on any engine: `values` grows by one value a step. Returns the last one."""
    values = list(values)
    for kind, *step in program:
        pick = lambda i: values[i % len(values)]
        if kind in ("unary", "reduce"):
            y = getattr(small(pick(step[1])) + (step[0] == "log1p") * 2.5, step[0])()
        elif kind == "binary":
            y = BINARY[step[0]](pick(step[1]), pick(step[2]))
        elif kind == "while":
            y = loop(*map(pick, step[:2]), *step[2:], values, control)
        else:
            a, b, yes, no = pick(step[0]), pick(step[1]), *step[2:]
            y = control.cond(
                (a.sum() > 0.1) & (b.mean() < 5.0),
                lambda: a * execute(yes, [*values, b], control).mean(),  # noqa: B023
                lambda: a + execute(no, [*values, a], control).mean(),  # noqa: B023
            )
        values.append(small(y))
    return values[-1]


def loop(a, b, limit, bound, inner, values, control):
    """Two loop variables and a counter; the number of trips depends on the data."""

    def body(i, a, b):
        new = execute(inner, [*values, a, b], control).mean()
        return i + 1, a * 1.5 + new, b * 0.5 + a.sum() * 0.1 + new

    def going(i, a, b):
        return (i < limit) & (a.norm() < bound)

    _, a, b = control.while_loop(going, body, (0, a, b))
    return a * b.mean()


def arrays(seed):
    draw = np.random.default_rng(seed)
    return draw.normal(size=3), draw.normal()


def by_python(lib, program, inputs):
    xs = [lib.tensor(x, requires_grad=True, dtype=lib.float64 if lib is torch else None) for x in inputs]
    y = execute(program, xs, Python).sum()
    if not y.requires_grad:
        return y.item(), [np.zeros(np.shape(x)) for x in inputs]
    return y.item(), [g.numpy() for g in lib.autograd.grad(y, xs, allow_unused=True, materialize_grads=True)]


@settings(deadline=None, max_examples=150)
@given(steps(2), st.integers(0, 1000))
def test_random_programs_give_what_python_gives_on_both_engines(program, seed):
    with tf.Graph():
        xs = [vector("x"), scalar("w")]
        y = tf.reduce_sum(execute(program, xs, tf))
        fetches = [y, or_zeros(tf.gradients(y, xs), xs)]
        again = to_python([*xs, fetches])
        for point in (seed, seed + 1):
            x, w = arrays(point)
            got = run(fetches, x=x, w=w)
            same(got, by_python(cr, program, (x, w)))
            same(got, by_python(torch, program, (x, w)))
            same(got, again(x, np.float64(w))[-1], exact=True)


def same(got, want, exact=False):
    """The same numbers, to rounding or exactly, packed in the same way."""
    if isinstance(got, list | tuple):
        for pair in zip(got, want, strict=True):
            same(*pair, exact)
    elif exact:
        np.testing.assert_array_equal(got, want, strict=True)
    else:
        np.testing.assert_allclose(got, want, 1e-8, 1e-10)


def or_zeros(gradients, xs):
    """Gradients, with zeros for None."""
    return [tf.zeros_like(x) if g is None else g for g, x in zip(gradients, xs, strict=True)]


@settings(deadline=None, max_examples=60)
@given(steps(1).filter(lambda program: not any(kind == "while" for kind, *_ in program)), st.integers(0, 1000))
def test_second_derivatives_of_random_programs_without_loops_are_pytorchs(program, seed):
    inputs = arrays(seed)
    with tf.Graph():
        xs = [vector("x"), scalar("w")]
        slope = sum(
            (tf.reduce_sum(g * g) for g in tf.gradients(execute(program, xs, tf), xs) if g is not None), xs[1] * 0
        )
        got = run(or_zeros(tf.gradients(slope, xs), xs), x=inputs[0], w=inputs[1])
    ts = [torch.tensor(x, requires_grad=True, dtype=torch.float64) for x in inputs]
    gradients = torch.autograd.grad(
        execute(program, ts, Python).sum() + ts[1] * 0, ts, create_graph=True, materialize_grads=True
    )
    slope = sum(((g * g).sum() for g in gradients), ts[1] * 0)
    same(got, [g.numpy() for g in torch.autograd.grad(slope, ts, materialize_grads=True)])


# ---- every row of the table

ROWS = {
    "unary": [
        "exp", "expm1", "log1p", "sqrt", "square", "reciprocal", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
        "cosh", "tanh", "asinh", "atanh", "sigmoid", "relu", "softplus", "abs", "log", "rsqrt",
    ],
    "reduce": [
        "reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_logsumexp", "reduce_std",
        "norm",
    ],
}  # fmt: skip
NAMES = {f"reduce_{name}": name for name in ("sum", "mean", "prod", "logsumexp", "std")} | {
    "reduce_max": "amax",
    "reduce_min": "amin",
}


def gradient_of(f, *arrays):
    return [g.numpy() for g in cr.vjp(f, *arrays)[1](cr.tensor(np.ones(f(*map(cr.tensor, arrays)).shape)))]


@pytest.mark.parametrize("name", [*ROWS["unary"], *ROWS["reduce"]])
@pytest.mark.parametrize("shape", [(2, 3), (None, 3), (None, None)], ids=str)
def test_functions_of_one_array_have_the_engines_value_and_gradients(name, shape):
    x = tf.placeholder(tf.float64, shape, "x")
    y = getattr(tf, name)(x)
    (slope,) = tf.gradients(y, x)
    (bend,) = or_zeros(tf.gradients(tf.reduce_sum(slope * slope), x), [x])
    point = np.linspace(0.1, 0.9, 6).reshape(2, 3)[::-1].copy()
    f = getattr(cr, NAMES.get(name, name))
    got = run([y, slope, bend], x=point)
    squared = lambda x: (cr.vjp(f, x)[1](cr.tensor(np.ones(got[0].shape)))[0] ** 2).sum()
    same(got, [f(point), gradient_of(f, point)[0], gradient_of(squared, point)[0]])
    assert slope.shape == x.shape


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((), (2, 3)), ((2, 1), (1, 3)), ((2, 3), (2, 3))], ids=str)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "pow", "maximum", "minimum"])
@pytest.mark.parametrize("known", [True, False])
def test_functions_of_two_arrays_broadcast_also_where_lengths_are_unknown(name, shapes, known):
    points = [
        np.random.default_rng(7).permutation(np.linspace(0.3, 1.7, int(np.prod(shape)))).reshape(shape)
        for shape in shapes
    ]
    xs = [
        tf.placeholder(tf.float64, shape if known else (None,) * len(shape), name)
        for name, shape in zip("ab", shapes, strict=True)
    ]
    y = getattr(tf, name)(*xs)
    got = run([y, *tf.gradients(y, xs)], a=points[0], b=points[1])
    f = getattr(cr, tf.OTHER.get(name, name))
    same(got, [f(*points), *gradient_of(f, *points)])


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (lambda lib, a, b: a @ b, [(2, 3), (3, 4)]),
        (lambda lib, a, b: a @ b, [(3,), (3, 4)]),
        (lambda lib, a, b: a @ b, [(5, 2, 3), (3,)]),
        (lambda lib, a, b: (a[1:, ::2] * b[0, 1]).sum(0), [(2, 3), (3, 4)]),
        (lambda lib, a, b: a.reshape(3, 2).T @ b, [(2, 3), (3, 2)]),
        (lambda lib, a, b: lib.stack([a, b], 1).max(dim=1).values, [(4,), (4,)]),
        (lambda lib, a, b: a[np.array([0, 0, 1])] + b, [(2, 3), (3,)]),
        (lambda lib, a, b: a.softmax(-1) * b.log_softmax(0), [(2, 3), (2, 3)]),
        (lambda lib, a, b: lib.where(a > b, a * b, a - b), [(2, 3), (3,)]),
        (lambda lib, a, b: a.cumsum(0).prod(1) * b.var(), [(2, 3), (3,)]),
        (lambda lib, a, b: a.clamp(0.3, 0.7).norm(dim=1, keepdim=True) * b, [(2, 3), (3,)]),
        (lambda lib, a, b: a.unsqueeze(1).expand(2, 4, 3).permute(2, 0, 1).flip(0) * b.squeeze(), [(2, 3), (1, 4)]),
    ],
)  # fmt: skip
def test_methods_and_indexing_work_on_symbols(build, shapes):
    points = [np.random.default_rng(7).uniform(0.1, 1.0, shape) for shape in shapes]
    xs = [tf.placeholder(tf.float64, shape, name) for name, shape in zip("ab", shapes, strict=True)]
    y = build(cr, *xs)
    f = lambda a, b: build(cr, a, b)
    fetches = [y, tf.gradients(y, xs)]
    want = f(*map(cr.tensor, points))
    assert (y.shape, y.dtype) == (want.shape, want.dtype)
    got = run(fetches, a=points[0], b=points[1])
    same(got, [want.numpy(), gradient_of(f, *points)])
    same(got, to_python(fetches)(*points), exact=True)


def test_rules_that_must_see_numbers_run_later_to_any_order():
    x = tf.placeholder(tf.float64, (None,), "x")
    y, derivatives = tf.reduce_prod(x) + tf.reduce_mean(x**3), []
    for _ in range(3):
        (y,) = tf.gradients(y, x)
        derivatives.append(y)
        y = tf.reduce_sum(y * np.array([1.0, 2.0, 3.0]))

    def by_torch(x):
        y = x.prod() + (x**3).mean()
        for _ in range(3):
            (y,) = torch.autograd.grad(y, x, create_graph=True)
            yield y.detach().numpy()
            y = (y * torch.tensor([1.0, 2.0, 3.0])).sum()

    for point in ([2.0, 3.0, 4.0], [0.0, 3.0, 4.0]):
        same(run(derivatives, x=point), list(by_torch(torch.tensor(point, dtype=torch.float64, requires_grad=True))))
    kinds = {node.op.name for node in tf.get_default_graph().nodes}
    assert {"ProdBackward", "MeanBackward", "ProdBackwardBackward"} <= kinds


def test_concatenation_carries_gradients_to_each_piece():
    x, y = vector("x", 2), vector("y", 3)
    z = tf.concat([x, 2 * y, np.ones(1)], axis=0)
    assert z.shape == (6,)
    same(run(tf.gradients(z, [x, y]), x=np.ones(2), y=np.ones(3)), [np.ones(2), np.full(3, 2.0)])
    rows = tf.placeholder(tf.float64, (None, 3), "rows")
    both = tf.concat([rows, tf.stack([y, y])], 0)
    assert both.shape == (None, 3)
    same(
        run(tf.gradients(both * both, [rows, y]), rows=np.ones((4, 3)), y=np.ones(3)),
        [np.full((4, 3), 2.0), np.full(3, 4.0)],
    )


# ---- shapes and dtypes, known while building


@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        ((None,), (5,), (5,)), ((None,), (1,), (None,)), ((None,), (None,), (None,)), ((None, 3), (4, 1), (4, 3)),
        ((None, None), (), (None, None)), ((2, None), (None, 3), (2, 3)),
    ],
)  # fmt: skip
def test_unknown_lengths_broadcast_as_far_as_they_are_known(left, right, result):
    a, b = tf.placeholder(tf.float32, left), tf.placeholder(tf.float32, right)
    assert (a + b).shape == result
    assert (a + b).dtype == tf.float32


def test_matrix_products_with_an_unknown_batch():
    x, w = tf.placeholder(tf.float32, (None, 784), "x"), tf.constant(np.ones((784, 10), np.float32))
    y = tf.relu(x @ w + np.zeros(10, np.float32))
    assert (y.shape, y.dtype) == ((None, 10), tf.float32)
    loss = tf.reduce_mean(y)
    got = run([loss, *tf.gradients(loss, [x, w])], x=np.ones((5, 784)))
    assert [g.shape for g in got] == [(), (5, 784), (784, 10)]
    assert {g.dtype for g in got} == {tf.float32}
    np.testing.assert_allclose(got[1], np.full((5, 784), 1 / 5, np.float32), 1e-6)
    v, m = tf.placeholder(tf.float32, (5,)), tf.placeholder(tf.float32, (2, None))
    assert (m @ v).shape == (2,)
    assert (tf.placeholder(tf.float32, (None, 4)) @ tf.placeholder(tf.float32, (None,))).shape == (None,)


CUT = {
    "every third": (lambda x: x[::3], (None,)),
    "every fifth": (lambda x: x[::5], (None,)),
    "from the fifth on": (lambda x: x[5:], (None,)),
    "without the last five": (lambda x: x[:-5], (None,)),
    "from far on": (lambda x: x[10:], (None,)),
    "differences": (lambda x: x[4:] - x[:-4], (None,)),
    "rows of two": (lambda x: x.reshape(-1, 2), (None, 2)),
    "rows of twelve": (lambda x: x.reshape(-1, 12), (None, 12)),
    "blocks": (lambda x: x.reshape(-1, 2, 3), (None, 2, 3)),
    "the first and the last": (lambda x: x[0] * x[-1], ()),
    "two by number": (lambda x: x[[0, 7]], (2,)),
}


@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_from_an_unknown_length_is_as_long_as_it_turns_out(name):
    f, shape = CUT[name]
    x, point = vector(n=None), np.linspace(0.1, 1.2, 12)
    y = f(x)
    assert y.shape == shape
    mean = lambda x: (f(x) ** 2).mean()
    same(run([y, *tf.gradients(mean(x), x)], x=point), [f(cr.tensor(point)).numpy(), *gradient_of(mean, point)])


def test_many_unknown_lengths_are_no_trouble():
    assert tf.concat([vector(n=None) for _ in range(20)], 0).shape == (None,)


def test_integers_that_int32_does_not_hold_are_refused():
    refuses(ValueError, "int32 does not hold 1099511627776: give dtype=tf.int64", tf.constant, 2**40)
    refuses(ValueError, "'i' of int32 does not hold 1099511627776", run, scalar("i", tf.int32), i=2**40)
    assert run(tf.constant(2**40, tf.int64)) == 2**40


def test_what_a_mask_lets_through_has_an_unknown_length():
    x = vector()
    y = x[x > 1.0]
    assert y.shape == (None,)
    same(run([y, tf.gradients(y * y, x)], x=[0.5, 1.5, 2.0]), [[1.5, 2.0], [[0.0, 3.0, 4.0]]])


def test_an_index_may_be_a_symbol():
    x, i = vector(), tf.placeholder(tf.int32, (), "i")
    same(run([x[i], tf.gradients(x[i] ** 2, x)], x=[1.0, 2.0, 3.0], i=2), [3.0, [[0.0, 0.0, 6.0]]])
    rows = tf.placeholder(tf.float64, (2, 3), "rows")
    assert rows[i].shape == (3,)
    assert rows[:, i].shape == (2,)


def test_numbers_and_arrays_are_constants_that_later_changes_do_not_reach():
    x, array = vector(), np.array([1.0, 2.0, 3.0])
    y = array * x + cr.tensor([1.0, 1.0, 1.0])
    array[:] = 0
    same(run(y, x=np.ones(3)), [2.0, 3.0, 4.0])
    assert tf.constant(1.0).dtype == tf.float32
    assert tf.constant([1, 2]).dtype == tf.int32
    assert tf.constant(np.ones(2)).dtype == tf.float64
    assert tf.constant(0.0, tf.float64, (2, 2)).shape == (2, 2)


def test_functions_of_plain_numbers_are_symbols_too():
    assert run([tf.exp(0.0), tf.reduce_sum([1.0, 2.0]), tf.where(tf.constant(True), 1.0, 2.0)]) == [1.0, 3.0, 1.0]
    x = vector()
    fetches = [tf.argmax(x), tf.reduce_any(x > 2), tf.reduce_all(x > 2), tf.shape(x), tf.cast(x, tf.int32)]
    same(run(fetches, x=[1.0, 3.0, 2.0]), [1, True, False, [3], [1, 3, 2]])


# ---- loops


def test_a_loop_that_runs_zero_times_is_the_identity():
    x, w = scalar("x"), scalar("w")
    y = tf.while_loop(lambda y: y < 0, lambda y: y * w, [x])
    assert run([y, tf.gradients(y, [x, w])], x=2.0, w=3.0) == [2.0, [1.0, 0.0]]


def test_the_number_of_trips_may_depend_on_the_data():
    x, w = scalar("x"), scalar("w")
    n, y = tf.while_loop(lambda n, y: y < 100, lambda n, y: (n + 1, y * w), [0, x])
    for start, factor, trips in [(1.0, 10.0, 2), (1.0, 2.0, 7), (200.0, 2.0, 0)]:
        got = run([n, y, tf.gradients(y, [x, w])], x=start, w=factor)
        want = [trips, start * factor**trips, [factor**trips, start * trips * factor ** max(0, trips - 1)]]
        np.testing.assert_allclose(leaves(got), leaves(want))


def test_loop_variables_may_change_places():
    x = scalar()
    _, a, b = tf.while_loop(lambda n, a, b: n < 10, lambda n, a, b: (n + 1, b, a + b), (0, x, 2 * x))
    assert run([a, b, tf.gradients(a, x), tf.gradients([a, b], x)], x=1.0) == [144.0, 233.0, [144.0], [377.0]]


def test_loop_variables_may_be_packed():
    x = scalar()
    n, state = tf.while_loop(
        lambda n, state: n < 3,
        lambda n, state: [n + 1, {"value": state["value"] * x, "sum": (state["sum"][0] + state["value"],)}],
        (0, {"value": x, "sum": (tf.zeros_like(x),)}),
    )
    assert run([n, state, tf.gradients(state["sum"][0], x)], x=2.0) == [3, {"value": 16.0, "sum": (14.0,)}, [17.0]]


def test_a_loop_may_read_an_array_at_its_counter():
    x = vector(n=4)
    _, y = tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * x[i]), [0, tf.constant(1.0, tf.float64)])
    same(run([y, tf.gradients(y, x)], x=[1.0, 2.0, 3.0, 4.0]), [24.0, [[24.0, 12.0, 8.0, 6.0]]])


def test_nested_loops_and_branches_inside_loops():
    x, w = scalar("x"), scalar("w")

    def outer(i, y):
        _, z = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z * w + x), [0, y])
        return i + 1, tf.cond(z > 3, lambda: z - w * y, lambda: z + y)

    _, y = tf.while_loop(lambda i, y: i < 4, outer, [0, x])

    def dynamic(x, w):
        y = x
        for i in range(4):
            z = y
            for _ in range(i):
                z = z * w + x
            y = z - w * y if z > 3 else z + y
        return y

    fetches = [y, tf.gradients(y, [x, w])]
    for point in itertools.product((-1.5, 0.4, 1.3), (-0.7, 1.1)):
        got = run(fetches, x=point[0], w=point[1])
        same(got, [dynamic(*point), gradient_of(dynamic, *map(np.float64, point))])
        same(got, to_python(fetches)(*map(np.float64, point)), exact=True)


def test_unknown_lengths_go_through_loops():
    x = tf.placeholder(tf.float64, (None, 2), "x")
    y = tf.while_loop(lambda y: tf.norm(y) < 10, lambda y: y * 2 + tf.reduce_mean(x, axis=0), [x])
    assert y.shape == (None, 2)

    def dynamic(x):
        y = x
        while y.norm() < 10:
            y = y * 2 + x.mean(0)
        return y

    point = np.arange(6.0).reshape(3, 2) / 10
    same(run([y, tf.gradients(y, x)], x=point), [dynamic(cr.tensor(point)).numpy(), gradient_of(dynamic, point)])


def test_gradients_inside_a_body_make_newtons_method():
    def slope(f, x):
        return tf.gradients(f(x), x)[0]

    a = scalar("a")
    root = tf.while_loop(
        lambda x: tf.abs(x * x - a) > 1e-12, lambda x: x - (x * x - a) / slope(lambda x: x * x, x), [a]
    )
    value, (derivative,) = run([root, tf.gradients(root, a)], a=2.0)
    np.testing.assert_allclose([value, derivative], [2**0.5, 0.5 / 2**0.5])


def test_a_body_runs_once_while_building_and_print_with_it(capsys):
    x = scalar()

    def body(y):
        print("in the body:", y)
        return y * 2

    y = tf.while_loop(lambda y: y < 100, body, [x])
    slope = tf.gradients(y, x)
    assert capsys.readouterr().out == "in the body: <Symbol %2 = Argument(), float64 ()>\n"
    run([y, slope], x=1.0)
    assert capsys.readouterr().out == ""


# ---- branches


def test_only_the_branch_that_is_taken_runs():
    x = scalar()
    y = tf.cond(x > 0, lambda: tf.log(x), lambda: tf.sin(x) * tf.sin(x))
    session = tf.Session()
    session.run(y, {x: 2.0})
    assert session.evaluations["Log"] == 1
    assert session.evaluations["Sin"] == 0
    assert session.run([y, tf.gradients(y, x)], {x: -1.0}) == [np.sin(-1) ** 2, [2 * np.sin(-1) * np.cos(-1)]]


def test_a_branch_may_return_what_it_found_or_a_number():
    x, w = scalar("x"), scalar("w")
    y, z = tf.cond(x > 0, lambda: (x, w), lambda: (0.0, w * x))
    for point, want in [(2.0, [1.0, 1.0]), (-2.0, [3.0, -2.0])]:
        got = [0.0 if g is None else g for g in run(tf.gradients([y, z], [x, w]), x=point, w=3.0)]
        assert got == want


def test_branches_differentiate_twice():
    x = scalar()
    y = tf.cond(x > 0, lambda: x**3, lambda: tf.cond(x > -2, lambda: tf.exp(x), lambda: x * x))
    (slope,) = tf.gradients(y, x)
    (bend,) = tf.gradients(slope, x)
    (third,) = tf.gradients(bend, x)
    same([run([slope, bend, third], x=point) for point in (2.0, -1.0, -3.0)],
         [[12.0, 12.0, 6.0], [np.exp(-1)] * 3, [-6.0, 2.0, 0.0]])  # fmt: skip


# ---- gradients


def test_gradients_are_those_of_the_sum_and_none_where_nothing_depends():
    x, y = vector("x"), vector("y")
    slope, nothing = tf.gradients([x * x, 3 * x], [x, y])
    assert nothing is None
    same(run(slope, x=np.ones(3)), np.full(3, 5.0))
    assert tf.gradients(tf.stop_gradient(x) * 2, x) == [None]
    assert tf.gradients(tf.cast(tf.cast(x, tf.int32), tf.float64), x) == [None]
    same(run(tf.gradients(x, x), x=np.ones(3)), [np.ones(3)])


def test_gradients_start_from_the_cotangent_that_is_given():
    x = vector()
    same(run(tf.gradients(x * x, x, grad_ys=np.array([1.0, 10.0, 100.0])), x=[1.0, 2.0, 3.0]),
         [[2.0, 40.0, 600.0]])  # fmt: skip
    same(run(tf.gradients([x, x], x, grad_ys=[x, 2 * x]), x=np.ones(3)), [np.full(3, 3.0)])


def test_gradients_of_something_in_between_go_on_to_what_it_was_made_of():
    x = scalar()
    u = x * x
    assert run(tf.gradients(u * u, [x, u]), x=2.0) == [32.0, 8.0]


def test_the_gradient_of_a_gradient_says_where_it_cannot_go():
    x = scalar()
    y = tf.while_loop(lambda y: y < 100, lambda y: y * y, [x])
    (slope,) = tf.gradients(y, x)
    with pytest.raises(NotImplementedError, match=r"does not go through a while_loop.*cr\.grad"):
        tf.gradients(slope, x)
    other = scalar("other")
    (mixed,) = tf.gradients(other * other * slope, other)
    assert run([mixed, *tf.gradients(mixed, other)], x=3.0, other=2.0)[1] == 2 * run(slope, x=3.0)


# ---- running


def test_a_chain_of_twenty_thousand_nodes_builds_differentiates_and_runs():
    x = scalar()
    y = x
    for _ in range(20_000):
        y = y * 1.0
    assert run([y, tf.gradients(y, x)], x=3.0) == [3.0, [1.0]]


def test_a_session_computes_what_is_needed_and_each_node_once():
    x = scalar()
    shared = tf.sin(x)
    y, unused = shared * shared + shared, tf.exp(x)
    session = tf.Session()
    session.run(y, {x: 1.0})
    assert session.evaluations == {"Sin": 1, "Mul": 1, "Add": 1}
    session.run([y, unused, y], {x: 1.0})
    assert session.evaluations["Exp"] == 1
    assert session.evaluations["Sin"] == 1


def test_evaluations_count_every_trip():
    x = scalar()
    y = tf.while_loop(lambda y: y < 1000, lambda y: y * 2, [x])
    session = tf.Session()
    session.run(y, {x: 1.0})
    assert (session.evaluations["trip"], session.evaluations["Mul"], session.evaluations["Lt"]) == (10, 10, 11)
    assert session.evaluations["trip back"] == 0
    session.run(tf.gradients(y, x), {x: 1.0})
    assert session.evaluations["trip back"] == 10


def test_states_are_remembered_only_for_a_gradient():
    x = scalar()
    y = tf.while_loop(lambda y: y < 1000, lambda y: y * 2, [x])
    (slope,) = tf.gradients(y, x)
    assert "append" not in to_python(y).source
    assert "append" in to_python(slope).source
    assert run([y, slope], x=1.0) == [1024.0, 1024.0]


def test_fetches_keep_their_packing():
    x = scalar()
    Pair = namedtuple("Pair", "a b")
    got = run({"one": x, "two": [x + 1, (x + 2, {"three": x + 3})], "four": Pair(x, []), "five": ()}, x=1.0)
    assert got == {"one": 1.0, "two": [2.0, (3.0, {"three": 4.0})], "four": Pair(1.0, []), "five": ()}


def test_results_are_numpy_and_no_ones_memory():
    x = vector()
    fed = np.ones(3)
    constant = tf.constant(np.ones(3))
    got, one, number = run([x, constant, tf.reduce_sum(x)], x=fed)
    got[:], one[:] = 7, 7
    assert type(number) is np.float64
    same([fed, run(constant)], [np.ones(3), np.ones(3)])


def test_feeds_are_converted_where_nothing_is_lost():
    x, i = scalar("x", tf.float32), scalar("i", tf.int32)
    got = run([x, i], x=cr.tensor(0.1), i=True)
    assert got == [np.float32(0.1), 1]
    assert type(got[0]) is np.float32


def test_sessions_and_graphs_stand_for_themselves():
    with tf.Graph().as_default() as graph, tf.Session() as session:
        x = scalar()
        assert session.graph is graph is tf.get_default_graph() is x.graph
    assert session.run(x, {x: 1.0}) == 1.0
    before = tf.get_default_graph()
    assert before is not graph


# ---- as text and drawing


def test_the_listing_of_a_graph_shows_loops_and_branches_inside(graph):
    x = scalar()
    y = tf.while_loop(lambda y: y < 100, lambda y: y * x, [x])
    tf.cond(y > 0, lambda: y, lambda: -y)
    assert (
        str(graph)
        == """\
%1 = Placeholder 'x'       float64 ()
%5 = While(%1, %1)
  as long as with %2, gives %3
    %3 = Lt(%2, 100)       bool ()
  do with %2, gives %4
    %4 = Mul(%2, %1)       float64 ()
%6 = Part(%5, index=0)     float64 ()
%7 = Gt(%6, 0)             bool ()
%9 = Cond(%7, %6)
  if true, gives %6
  if false, gives %8
    %8 = Neg(%6)           float64 ()
%10 = Part(%9, index=0)    float64 ()"""
    )
    assert graph.count()["Mul"] == graph.count()["Neg"] == graph.count()["While"] == 1
    assert repr(graph) == "<Graph of 10 nodes>"


def test_a_drawing_has_frames_and_says_it_in_words(graph):
    x = tf.placeholder(tf.float64, (3,), 'x "1" <2>')
    y = tf.while_loop(lambda y: tf.norm(y) < 100, lambda y: y * x, [x])
    z = tf.cond(tf.reduce_sum(y) > 0, lambda: y, lambda: -y)
    drawing = graph.draw([z, *tf.gradients(z, x)])
    assert drawing.dot.count("subgraph cluster") == 8
    assert drawing.dot.count("{") == drawing.dot.count("}")
    bundle = drawing._repr_mimebundle_()
    assert bundle["text/plain"] == drawing.dot == repr(drawing)
    assert "While" in drawing.text
    if "image/svg+xml" in bundle:
        assert '<svg role="img"' in bundle["image/svg+xml"]
        assert "<desc>Static graph" in bundle["image/svg+xml"]


# ---- misuse


def refuses(error, match, f, *args, **kwargs):
    with pytest.raises(error, match=match):
        f(*args, **kwargs)


LOOKS = {
    "if": (lambda x: 1 if x > 0 else 2, r"tf\.cond"),
    "bool": (bool, r"tf\.while_loop"),
    "and": (lambda x: x > 0 and x < 1, "&"),
    "not": (lambda x: not x, "needs a number"),
    "max": (lambda x: max([x, x * 2]), r"tf\.cond"),
    "float": (float, r"session\.run"),
    "int": (int, r"tf\.cast"),
    "complex": (complex, "needs a number"),
    "for": (list, r"range\(x\.shape\[0\]\)"),
    "len": (len, r"x\.shape"),
    "range": (range, r"tf\.while_loop"),
    "index": (lambda x: [1, 2][x], r"tf\.constant\(array\)"),
    "format": (lambda x: f"{x:.3f}", r"session\.run"),
    "item": (lambda x: x.item(), r"session\.run"),
    "numpy": (lambda x: x.numpy(), r"session\.run"),
    "np.array": (lambda x: np.array([x, x]), r"tf\.stack"),
    "backward": (lambda x: x.backward(), r"tf\.gradients"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_python_cannot_look_into_a_symbol_and_says_what_to_use(look):
    use, says = LOOKS[look]
    refuses(TypeError, says, use, scalar())


def test_a_while_on_a_symbol_says_what_to_use():
    x = scalar()
    with pytest.raises(TypeError, match=r"<Symbol %3 = Lt\(%2, 1000\), bool \(\)> has none.*tf\.while_loop"):
        while tf.norm(x) < 1000:
            x = x * 2


def test_a_missing_feed_names_the_placeholder():
    x, y = scalar("rate"), scalar("other")
    refuses(ValueError, r"'rate' \(float64, shape \(\)\).*feed_dict={rate", run, x * 2, other=1.0)
    assert run(y * 2, other=1.0) == 2


@pytest.mark.parametrize(
    ("error", "says", "fed"),
    [
        (ValueError, r"'x' has shape \(3,\), but was fed shape \(2,\)", [1.0, 2.0]),
        (ValueError, r"'x' has shape \(3,\), but was fed shape \(\)", 1.0),
        (TypeError, "'x' holds float64, but was fed complex128", np.ones(3) * 1j),
        (TypeError, "'x' holds float64, but was fed <U1", ["a", "b", "c"]),
    ],
)
def test_a_wrong_feed_says_what_was_expected(error, says, fed):
    x = vector()
    refuses(error, says, run, x * 2, x=fed)
    refuses(TypeError, "holds int32, but was fed float64", run, scalar("i", tf.int32), i=1.5)


def test_only_placeholders_are_fed_and_with_numbers():
    x = scalar()
    session = tf.Session()
    refuses(TypeError, "only placeholders are fed", session.run, x, {x * 2: 1.0})
    refuses(TypeError, "only placeholders are fed", session.run, x, {"x": 1.0})
    refuses(TypeError, "feed numbers", session.run, x, {x: x * 2})
    with tf.Graph():
        other = scalar("other")
    refuses(ValueError, "another graph", session.run, x, {x: 1.0, other: 1.0})


def test_only_symbols_of_the_graph_are_fetched():
    x = scalar()
    session = tf.Session()
    refuses(TypeError, "runs Symbols.*not 'x'", session.run, "x", {x: 1.0})
    refuses(TypeError, "gradients gives None", session.run, [x, *tf.gradients(x, scalar("y"))], {x: 1.0})
    with tf.Graph():
        other = scalar("other")
        refuses(ValueError, "another graph", tf.Session().run, x, {})
        refuses(ValueError, "another graph", lambda: other + x)
    refuses(ValueError, "another graph", session.run, other, {})


def test_what_a_body_made_stays_in_the_body():
    x, leaked = scalar(), []
    tf.while_loop(lambda y: y < 1, lambda y: leaked.append(y * 2) or leaked[0], [x])
    refuses(ValueError, "only in the body of a while_loop", lambda: leaked[0] + 1)
    refuses(ValueError, "only in the body of a while_loop", run, leaked[0], x=1.0)
    refuses(ValueError, "only in the body of a while_loop", tf.cond, x > 0, lambda: leaked[0] + 1, lambda: x)


@pytest.mark.parametrize(
    ("error", "says", "body"),
    [
        (ValueError, r"must return its loop variables, \(\., \.\), but returns \(\.\)", lambda n, y: [y]),
        (ValueError, r"returns None \(has it a return\?\)", lambda n, y: None),
        (ValueError, r"returns \(\., \(\., \.\)\)", lambda n, y: (n, (y, y))),
        (ValueError, r"begins as \(\) and the body makes it \(3,\)", lambda n, y: (n + 1, y * np.ones(3, np.float32))),
        (TypeError, "begins as float32 and the body makes it float64: tf.cast", lambda n, y: (n + 1, y * np.ones(()))),
        (TypeError, "begins as int32 and the body makes it float64", lambda n, y: (n + 0.5, y)),
        (TypeError, "begins as int32 and the body makes it float32", lambda n, y: (0.5, y)),
    ],
)
def test_a_body_that_returns_something_else_says_what(error, says, body):
    x = scalar("x", tf.float32)
    refuses(error, says, tf.while_loop, lambda n, y: n < 3, body, [0, x])


@pytest.mark.parametrize(
    ("error", "says", "yes", "no"),
    [
        (ValueError, "same structure", lambda x: x, lambda x: (x, x)),
        (ValueError, "has it a return", lambda x: None, lambda x: None),
        (ValueError, r"true_fn gives shape \(\), false_fn \(2,\)", lambda x: x, lambda x: x * np.ones(2)),
        (TypeError, "true_fn gives float64, false_fn bool", lambda x: x, lambda x: x > 0),
    ],
)
def test_branches_that_differ_say_how(error, says, yes, no):
    x = scalar()
    refuses(error, says, tf.cond, x > 0, lambda: yes(x), lambda: no(x))


def test_a_predicate_is_one_truth_value_of_the_graph():
    x, v = scalar(), vector("v")
    refuses(TypeError, "known while building.*Python's own if", tf.cond, True, lambda: x, lambda: x)
    refuses(TypeError, "tf.reduce_all", tf.cond, v > 0, lambda: x, lambda: x)
    refuses(TypeError, "compare", tf.cond, x, lambda: x, lambda: x)
    refuses(TypeError, "known while building", tf.while_loop, lambda y: True, lambda y: y, [x])
    refuses(TypeError, "function as true_fn", tf.cond, x > 0, x, lambda: x)
    refuses(TypeError, "function as body", tf.while_loop, lambda y: y > 0, None, [x])
    refuses(TypeError, "list or tuple", tf.while_loop, lambda y: y > 0, lambda y: y, x)


def test_placeholders_and_constants_say_what_they_need():
    refuses(ValueError, "needs a shape", tf.placeholder, tf.float32)
    refuses(TypeError, "already", tf.constant, scalar())
    refuses(TypeError, "not with", lambda: scalar("y") + "text")
    refuses(TypeError, "Symbols by Symbols", tf.gradients, 3.0, scalar("z"))
    refuses(TypeError, "tf.cast", tf.gradients, tf.constant(3), scalar("u"))
    refuses(ValueError, r"shape \(\), but its y has shape \(3,\)", tf.gradients, vector("v"), vector("w"), 1.0)


@pytest.mark.parametrize(
    "mix",
    [lambda s, t: s * t, lambda s, t: t * s, lambda s, t: cr.where(s > 0, t, s)],
    ids=["symbol * tensor", "tensor * symbol", "where"],
)
def test_tensors_that_want_gradients_stay_out_of_the_graph(mix):
    x = scalar()
    refuses(TypeError, r"detach\(\)", mix, x, cr.tensor(2.0, requires_grad=True))
    refuses(TypeError, r"detach\(\)", cr.jvp, lambda t: mix(x, t), (1.0,), (1.0,))
    assert run(mix(x, cr.tensor(2.0)), x=2.0) in (2.0, 4.0)


def test_shapes_that_do_not_fit_are_refused_while_building_or_where_they_are_met():
    refuses(RuntimeError, "must match the size", lambda: vector("a", 2) + vector("b", 3))
    x, y = tf.placeholder(tf.float64, (None,), "x"), tf.placeholder(tf.float64, (None,), "y")
    with pytest.raises(RuntimeError, match="must match the size") as caught:
        run(x + y, x=np.ones(2), y=np.ones(3))
    assert "<Symbol %5 = Add(%3, %4)" in caught.value.__notes__[0]


def test_the_module_has_the_decks_names():
    names = "placeholder norm while_loop cond reduce_sum gradients Session float32 disable_v2_behavior"
    assert isinstance(tf, types.ModuleType)
    assert all(hasattr(tf, name) for name in names.split())
