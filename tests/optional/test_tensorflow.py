"""The static graph against the original: the same programs on chainrule.static and on TensorFlow 1's interface."""

import os
import warnings

import numpy as np
import pytest

import chainrule.static

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    tensorflow = pytest.importorskip(
        "tensorflow.compat.v1", reason="TensorFlow is not installed: see tests/optional/requirements-tensorflow.txt"
    )
tensorflow.disable_v2_behavior()

pytestmark = pytest.mark.filterwarnings("ignore")


def deck(tf, a):
    """The lecture's program: doubled until it is large, a hundredfold if it is negative."""
    b = tf.while_loop(lambda b: tf.norm(b) < 1000, lambda b: b * 2, [a * 2])
    return tf.cond(tf.reduce_sum(b) > 0, lambda: b, lambda: 100 * b)


def several_variables(tf, a):
    n, x, y = tf.while_loop(
        lambda n, x, y: tf.logical_and(n < 20, tf.reduce_max(tf.abs(y)) < 50),
        lambda n, x, y: (n + 1, y, x + y * a),
        [tf.constant(0), a, a * 2],
    )
    return x * y + tf.cast(n, tf.float32)


def captured(tf, a):
    w = tf.exp(tf.abs(a) / 2)
    return tf.while_loop(lambda y: tf.reduce_sum(y) < 100, lambda y: y * w + tf.sin(a * a), [w])


def zero_trips(tf, a):
    return tf.while_loop(lambda y: tf.reduce_sum(y) < -1e9, lambda y: y * a, [a * 3])


def nested(tf, a):
    def outer(i, y):
        _, z = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z * a + 1), [0, y])
        return i + 1, tf.cond(tf.reduce_sum(z) > 2, lambda: z - a, lambda: z * y)

    return tf.while_loop(lambda i, y: i < 4, outer, [0, a])[1]


def functions(tf, a):
    x = tf.maximum(a, 0.5) * tf.minimum(a, 0.25) + tf.sigmoid(a) * tf.tanh(a) - tf.nn.relu(a) / (1 + tf.square(a))
    return x + tf.log(1 + tf.exp(a)) + tf.sqrt(1 + a * a) + tf.where(a > 0, tf.cos(a), a)


def reductions(tf, a):
    x = tf.stack([a, 2 * a, a * a])
    return tf.reduce_mean(x) + tf.reduce_prod(x + 1) + tf.reduce_logsumexp(x) + tf.norm(x) + tf.reduce_min(x)


def unconnected(tf, a):
    return tf.stop_gradient(a) * 2


# None lies on a tie of maximum: there TensorFlow gives all to the first, PyTorch and we give half to each.
POINTS = [0.48851716447341414, -0.7185292840003967, 1.5, np.array([0.3, 0.7, -0.2]), np.array([[1.25], [0.6]])]


def compute(tf, program, point):
    """Value and gradient, and the gradient's gradient for programs without a loop."""
    with tf.Graph().as_default(), tf.Session() as session:
        a = tf.placeholder(dtype=tf.float32, shape=np.shape(point), name="a")
        y = program(tf, a)
        (slope,) = tf.gradients(y, a)
        if slope is None:
            return [session.run(y, feed_dict={a: point}), None]
        fetches = [y, slope]
        if program in (functions, reductions):
            fetches.append(tf.gradients(slope, a)[0])
        return session.run(fetches, feed_dict={a: point})


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize(
    "program",
    [deck, several_variables, captured, zero_trips, nested, functions, reductions, unconnected],
    ids=lambda program: program.__name__,
)
def test_the_same_program_gives_tensorflows_numbers(program, point):
    for got, want in zip(compute(chainrule.static, program, point), compute(tensorflow, program, point), strict=True):
        if want is None:
            assert got is None
        else:
            assert (np.shape(got), got.dtype) == (np.shape(want), want.dtype)
            np.testing.assert_allclose(got, want, 3e-5, 1e-6)


def test_the_decks_numbers_are_tensorflows_to_the_last_bit():
    for point in POINTS[:2]:
        assert compute(chainrule.static, deck, point) == compute(tensorflow, deck, point)


@pytest.mark.parametrize("use", [bool, list, len, float], ids=["bool", "for", "len", "float"])
def test_python_cannot_look_into_a_symbol_with_the_same_error(use):
    for tf in (chainrule.static, tensorflow):
        with tf.Graph().as_default(), pytest.raises(TypeError):
            use(tf.placeholder(tf.float32, (3,)))
