"""What the chapters share: figures that carry their words, and the check of an exercise."""

import json
from fractions import Fraction

import numpy as np
import pytest

import chainrule as cr
from chainrule import course


def verdict(capsys, *args, **options):
    course.check(*args, **options)
    return capsys.readouterr().out.strip()


def cube_slope(x):
    return 3 * x**2


def stub(x): ...


def crash(x):
    raise ZeroDivisionError("division by zero")


ANSWERS = {
    # what is checked: (arguments, options, what is printed)
    "no value yet": ((None, 15.0), {}, "Not answered yet."),
    "an ellipsis": ((..., 15.0), {}, "Not answered yet."),
    "a list not yet filled": (([1.0, None], [1.0, 2.0]), {}, "Not answered yet."),
    "a function that is a stub": ((lambda x: ..., cube_slope), {}, "Not answered yet."),
    "a function without a return": ((stub, cube_slope), {}, "Not answered yet. The function returned nothing."),
    "the value": ((15.0, 15.0), {}, "Right."),
    "an integer for a float": ((15, 15.0), {}, "Right."),
    "a value up to rounding": ((0.1 + 0.2, 0.3), {}, "Right."),
    "a fraction": ((Fraction(1, 8), 0.125), {}, "Right."),
    "a tensor": ((cr.tensor([2.0, 4.0]), [2, 4]), {}, "Right."),
    "a list of tensors": (([cr.tensor(2.0), cr.tensor(4.0)], [2, 4]), {}, "Right."),
    "a number of few digits": ((np.float32(0.1), 0.1), {}, "Right."),
    "an array of few digits": ((np.array(0.1, np.float32), 0.1), {}, "Right."),
    "too few digits": ((np.array(0.1001, np.float32), 0.1), {}, "Not yet. Got 0.1001, which is too large."),
    "NumPy's truth": ((np.True_, True), {}, "Right."),
    "a text": (("reverse", "reverse"), {}, "Right."),
    "a dict": (({"a": 1.0}, {"a": 1}), {}, "Right."),
    "a function": ((lambda x: 3 * x * x, cube_slope), {}, "Right."),
    "too small": ((14.0, 15.0), {}, "Not yet. Got 14.0, which is too small."),
    "too large, with a hint": (
        (16, 15.0),
        {"hint": "Count again."},
        "Not yet. Got 16, which is too large.\nCount again.",
    ),
    "another text": (("forward", "reverse"), {}, "Not yet. Got forward."),
    "an entry": (([1, 3], [1, 2]), {}, "Not yet. Got [1, 3], of which entry [1] is too large."),
    "a shape": (([1, 2], [[1, 2]]), {}, "Not yet. Got [1, 2], of shape (2,): wanted shape (1, 2)."),
    "nan is wrong": ((float("nan"), 1.0), {}, "Not yet. Got nan, which is not a number."),
    "a text for a number": (("15", 15), {}, "Not yet. Got 15, wanted a number."),
    "a function for a value": ((cube_slope, 15), {}, "Not yet. Got a function, wanted a value: call it."),
    "a value for a function": ((3.0, cube_slope), {}, "Not yet. Got 3.0, wanted a function."),
    "a named wrong value": ((11.0, 15.0), {"wrong": {"You lost a term.": 11}}, "Not yet. You lost a term."),
    "a recognised wrong value": ((-1, 15), {"wrong": {"It rises.": lambda a: a < 0}}, "Not yet. It rises."),
    "a named wrong function": (
        (lambda x: x**2, cube_slope),
        {"wrong": {"The exponent comes down.": lambda x: x**2}},
        "Not yet. The exponent comes down.",
    ),
    "another wrong function": (
        (lambda x: x, cube_slope),
        {"inputs": [2.0], "wrong": {"The exponent comes down.": lambda x: x**2}},
        "Not yet. At x = 2.0: got 2.0, wanted 12.0.",
    ),
    "a function right at first": (
        (lambda x: 12.0, cube_slope),
        {"inputs": [(2.0,), (3.0,)]},
        "Not yet. At x = 3.0: got 12.0, wanted 27.0.",
    ),
    "a function that answers now and then": (
        (lambda x: 12.0 if x == 2 else None, cube_slope),
        {"inputs": [2.0, 3.0]},
        "Not yet. At x = 3.0: got nothing, wanted 27.0.",
    ),
    "a function that raises": (
        (crash, cube_slope),
        {"inputs": [2.0]},
        "Not yet. At x = 2.0: ZeroDivisionError: division by zero",
    ),
    "a predicate holds": ((4, None), {"that": lambda n: n % 2 == 0}, "Right."),
    "a predicate in NumPy": ((4.0, None), {"that": lambda n: np.float64(n) > 3}, "Right."),
    "a predicate explains": ((3, None), {"that": lambda n: n % 2 == 0 or "It is odd."}, "Not yet. It is odd."),
    "a predicate fails": ((3, None), {"that": lambda n: n % 2 == 0}, "Not yet. Got 3."),
    "a predicate stumbles": ((crash, None), {"that": lambda f: f(1)}, "Not yet. ZeroDivisionError: division by zero"),
    "a long answer": (("a" * 999, 15), {}, f"Not yet. Got {'a' * 117}..., wanted a number."),
    "a predicate sees a stub": ((stub, None), {"that": lambda f: f(1)}, "Not answered yet."),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_check_says(case, capsys):
    arguments, options, printed = ANSWERS[case]
    assert verdict(capsys, *arguments, **options) == printed


def test_a_misconception_that_agrees_with_the_right_answer_is_right(capsys):
    assert verdict(capsys, cube_slope, cube_slope, wrong={"No.": cube_slope}) == "Right."


def test_functions_are_compared_at_the_same_points_every_time(capsys):
    first = verdict(capsys, lambda x, y: x, lambda x, y: x * y)
    assert first == verdict(capsys, lambda x, y: x, lambda x, y: x * y)
    assert first.startswith("Not yet. At x = ")


def test_inputs_may_be_drawn_from_a_generator(capsys):
    draw = lambda rng: (rng.normal(size=3), 2.0)
    assert verdict(capsys, lambda v, a: a * v, lambda v, a: v + v, inputs=draw) == "Right."


def test_a_right_answer_to_a_solved_stub_is_the_only_way_to_right(capsys):
    for answer in [None, ..., stub, "", [], 0, {}, float("nan"), float("inf"), "15.0", [15.0], True]:
        assert verdict(capsys, answer, 15.0) != "Right."


def test_a_picture_carries_its_words_in_the_text_and_in_the_metadata():
    fig, ax = course.figure(x="h", y="error", log="xy")
    course.curve(ax, [1, 2], [1, 4], "square")
    picture = course.picture(fig, alt="A curve that\n   rises.")
    data, metadata = picture._repr_mimebundle_()
    assert data["text/plain"] == repr(picture) == metadata["image/png"]["alt"] == "A curve that rises."
    assert data["image/png"].startswith(b"\x89PNG")


def test_a_picture_needs_its_words():
    with pytest.raises(ValueError, match="text alternative"):
        course.show(course.figure()[0], alt=" ")


def test_a_figure_may_have_several_columns():
    fig, axes = course.figure(2)
    assert len(axes) == len(fig.axes) == 2


def test_a_table_shows_the_same_cells_in_a_terminal_and_on_a_page():
    table = course.table(["n", "cost"], [[1, 2.0], [10, "<11>"]])
    assert repr(table).splitlines() == ["n  | cost", "1  | 2.0", "10 | <11>"]
    html = table._repr_html_()
    assert html.count("<tr>") == 3 and "&lt;11&gt;" in html and 'class="dataframe"' in html


def test_figures_are_readable_on_a_phone():
    assert min(v for k, v in course.STYLE.items() if "size" in k and "marker" not in k) >= 11
    json.dumps(course.STYLE)


def test_matrices_are_drawn_to_scale_and_said_in_words():
    row = ("v", np.ones((1, 2)), course.COTANGENT)
    small, large = course.matrices(row), course.matrices(row, "times", ("J", cr.tensor(np.eye(2)), course.INK))
    assert large.width > 2 * small.width
    assert repr(large) == "v, 1 x 2: [[1, 1]] times J, 2 x 2: [[1, 0], [0, 1]]."
