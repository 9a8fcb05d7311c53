"""The cross-check: it must see every difference, and show nothing that depends on the machine."""

import os
import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import pytest
import torch

import chainrule as cr
from chainrule.crosscheck import Disagreement, crosscheck, recorded
from chainrule.crosscheck.comparison import Row, class_of
from chainrule.crosscheck.recorded import NoRecord


def polynomial(x):
    return x**3 + 2 * x**2 - 5 * x + 1


def on_torch(x):
    return isinstance(x, torch.Tensor)


# ---- agreement


def test_value_and_gradients_stand_side_by_side():
    check = cr.crosscheck(lambda x, w: (x * w).sum(), [1.0, 2.0], 3.0)
    assert check.agree and check.exact and check.error is None
    assert [row.name for row in check.table] == ["value", "d/dx", "d/dw"]
    assert check.value.item() == 9.0
    assert [g.tolist() for g in check.gradients] == [[3.0, 3.0], 3.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [0.7, [0.7, 0.2], [[0.7], [0.1]]])
def test_floats_arrays_and_tensors_are_the_same_input(x, dtype):
    array = np.asarray(x, dtype)
    for given in (array, cr.tensor(array), cr.tensor(array, requires_grad=True)):
        check = crosscheck(lambda x: x.tanh(), given)
        assert check.gradients[0].shape == array.shape
        assert check.gradients[0].dtype == dtype


def test_inputs_are_left_as_they_were():
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    crosscheck(lambda x: x.exp().sum(), x)
    assert x.grad is None


def test_integers_are_constants_without_a_row():
    check = crosscheck(lambda x, n, i: x[i] ** n, [1.0, 2.0, 3.0], 3, np.array([0, 2]))
    assert [row.name for row in check.table] == ["value", "y_bar dy/dx"]
    assert check.gradients[1:] == (None, None)


def test_unused_input_has_no_gradient_on_either_side():
    check = crosscheck(lambda x, z: x * 2, 1.0, 2.0)
    assert check.gradients[1] is None
    assert str(check).splitlines()[-1] == "d/dz   no gradient  no gradient"


def test_several_results_are_compared_one_by_one():
    check = crosscheck(lambda x: (x.sum(), x * 2, x > 1), [1.0, 2.0])
    assert [row.name for row in check.table] == ["value 0", "value 1", "value 2", "y_bar dy/dx"]
    assert len(check.value) == 3


def test_a_function_may_ask_for_the_library():
    seen = []

    def f(x, y, *, lib):
        seen.append(lib)
        return lib.stack([lib.where(x > y, x, y), x * y]).sum()

    assert crosscheck(f, 1.0, 2.0).agree
    assert seen == [cr, torch]


def test_second_derivatives_are_compared_through_autograd_grad():
    def slope(x, *, lib):
        return lib.autograd.grad(polynomial(x), x, create_graph=True)[0]

    check = crosscheck(slope, 2.0)
    assert (check.value.item(), check.gradients[0].item()) == (15.0, 16.0)


def test_what_backward_leaves_in_grad_is_compared():
    def f(x):
        polynomial(x).backward()
        return x.grad

    assert crosscheck(f, 2.0).value.item() == 15.0


def test_python_floats_inside_the_function_have_the_same_dtype_on_both_sides():
    assert crosscheck(lambda x, *, lib: (lib.tensor([0.1, 0.2]) + lib.ones(2)) * x, 2.0).agree
    assert crosscheck(lambda n: n / 3, np.arange(4)).value.dtype == np.float64
    assert torch.get_default_dtype() == torch.float32


def test_nan_and_infinity_agree_with_themselves():
    check = crosscheck(lambda x: (x.log(), x.sqrt()), [-1.0, 0.0, np.inf])
    assert check.agree


@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_arrays_without_numbers_agree(shape):
    assert crosscheck(lambda x: x * 2, np.zeros(shape)).exact
    assert crosscheck(lambda x: x.sum(), np.zeros(shape)).exact


def test_a_result_that_is_the_input_itself_has_gradient_one():
    assert crosscheck(lambda x: x, 5.0).gradients[0].item() == 1.0


def test_names_can_be_given():
    check = crosscheck(lambda *xs: xs[0] * xs[1], 1.0, 2.0, names=["a", "b"])
    assert [row.name for row in check.table] == ["value", "d/da", "d/db"]
    assert [row.name for row in crosscheck(lambda *xs: xs[0], 1.0).table] == ["value", "d/dx0"]
    with pytest.raises(ValueError, match="2 inputs, but 1 names"):
        crosscheck(lambda *xs: xs[0], 1.0, 2.0, names=["a"])


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="input 1 of crosscheck"):
        crosscheck(lambda x, z: x, 1.0, 1j)


# ---- disagreement


def test_another_value_is_a_disagreement_that_says_where():
    with pytest.raises(Disagreement) as caught:
        crosscheck(lambda x: x * 2 if on_torch(x) else x * x, [2.0, 3.0])
    message = str(caught.value)
    assert isinstance(caught.value, AssertionError)
    assert "at x = [2., 3.]" in message
    assert "chainrule   [4., 9.]" in message
    assert "PyTorch     [4., 6.]" in message
    assert "difference  3 at index (1,), 9.0 against 6.0" in message
    assert "allowed     1e-12 + 1e-10 * |PyTorch's|" in message
    assert not caught.value.check.agree


def test_equal_values_with_another_gradient_are_a_disagreement():
    with pytest.raises(Disagreement, match="d/dx"):
        crosscheck(lambda x: x * x if on_torch(x) else x * x.detach(), 2.0)


def test_a_gradient_on_one_side_only_is_a_disagreement():
    with pytest.raises(Disagreement, match="no gradient"):
        crosscheck(lambda x, z: x * 2 if on_torch(x) else x * 2 + z * 0, 1.0, 1.0)
    with pytest.raises(Disagreement, match="no gradient"):
        crosscheck(lambda x: x * 2 if on_torch(x) else (x * 2).detach(), 1.0)


def test_another_dtype_is_a_disagreement():
    with pytest.raises(Disagreement, match=r"float32 of shape \(\) and float64 of shape \(\)"):
        crosscheck(lambda x: x if on_torch(x) else x.float(), 1.0)


def test_another_shape_is_a_disagreement():
    with pytest.raises(Disagreement, match=r"shape \(1, 2\) and float64 of shape \(2,\)"):
        crosscheck(lambda x: x if on_torch(x) else x[None], [1.0, 2.0])


def test_another_number_of_results_is_a_disagreement():
    with pytest.raises(Disagreement, match=r"2 results\n    PyTorch    1 result"):
        crosscheck(lambda x: x if on_torch(x) else (x, x), 1.0)


def test_tolerances_can_be_given():
    def f(x):
        return x if on_torch(x) else x * (1 + 3e-8)

    with pytest.raises(Disagreement):
        crosscheck(f, 1.0)
    assert crosscheck(f, 1.0, rtol=1e-6).table[0].difference == "< 1e-06"
    assert crosscheck(f, 1.0, atol=1e-6).agree
    assert not crosscheck(f, 1.0, rtol=1e-6).exact


def test_nan_does_not_agree_with_a_number():
    with pytest.raises(Disagreement, match="inf at index"):
        crosscheck(lambda x: x if on_torch(x) else x * np.nan, [1.0])


def test_numbers_that_came_from_float32_are_compared_as_such():
    x = np.linspace(0, 1, 1000, dtype=np.float32)
    assert crosscheck(lambda x: x.sum().item(), x).agree
    assert crosscheck(lambda x: x.exp().double().sum(), x).agree


def test_large_arrays_do_not_flood_the_message():
    with pytest.raises(Disagreement) as caught:
        crosscheck(lambda x: x if on_torch(x) else x + x[3, 4], np.arange(10000.0).reshape(100, 100))
    assert len(str(caught.value)) < 1500
    assert "at x = 100x100: 0.0, 1.0, 2.0, ..., 9999.0" in str(caught.value)


# ---- errors


def test_the_same_error_with_the_same_words_is_agreement():
    check = crosscheck(lambda x: (x * x).backward(), [1.0, 2.0])
    assert check.agree and not check.exact and check.table == []
    assert isinstance(check.error, RuntimeError)
    assert "both raise  RuntimeError: grad can be implicitly created only for scalar outputs" in str(check)


def fails(kind, words):
    raise kind(words)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if on_torch(x) else fails(ValueError, "this"),
        lambda x: fails(ValueError, "this") if on_torch(x) else x,
        lambda x: fails(ValueError, "this" if on_torch(x) else "that"),
        lambda x: fails(ValueError if on_torch(x) else TypeError, "this"),
    ],
    ids=["ours alone", "PyTorch alone", "other words", "another type"],
)
def test_another_error_is_a_disagreement(f):
    with pytest.raises(Disagreement, match="Error: th") as caught:
        crosscheck(f, 1.0)
    assert caught.value.__cause__ is not None


def test_a_slip_of_the_pen_is_no_agreement():
    with pytest.raises(NameError):
        crosscheck(lambda x: x * y, 1.0)  # noqa: F821
    with pytest.raises(AttributeError):
        crosscheck(lambda x: x.sinn(), 1.0)


def test_nothing_is_written_to_stderr(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crosscheck(lambda x: (x.log(), (x * 2).grad is None, x.T), -1.0)
    assert capfd.readouterr() == ("", "")


# ---- what it shows


def test_the_table_in_text():
    check = crosscheck(lambda x, w: (x * w).sin(), [1.0, 2.0, 3.0], 2.0)
    assert str(check).splitlines() == [
        "             chainrule                         PyTorch                           difference",
        "value        [0.909297, -0.756802, -0.279415]  [0.909297, -0.756802, -0.279415]  within 4 ulp",
        "y_bar dy/dx  [-0.93633, -2.45116, -1.20021]    [-0.93633, -2.45116, -1.20021]    within 4 ulp",
        "y_bar dy/dw  -4.71965                          -4.71965                          within 4 ulp",
        "y_bar dy/dx is a vector-Jacobian product, with y_bar = [1.125, 1.875, -0.625]",
    ]


def test_the_table_in_html():
    html = crosscheck(lambda x: x * x, 3.0)._repr_html_()
    assert "<tr><th>d/dx</th><td>6</td><td>6</td><td>equal</td></tr>" in html
    html = crosscheck(lambda x: x.reshape(2, 2).sum(), np.ones(4), names=["<b>"])._repr_html_()
    assert "d/d&lt;b&gt;" in html


def test_large_arrays_are_shortened():
    text = str(crosscheck(lambda x: x.sum(), np.arange(12.0).reshape(3, 4)))
    assert "3x4: 1, 1, 1, ..., 1" in text


def test_the_last_digit_changes_nothing_that_is_shown():
    reference = np.sin(np.linspace(0.1, 3, 6))
    shown = {Row("value", np.nextafter(reference, way), reference).cells() for way in (-np.inf, np.inf)}
    assert shown | {Row("value", reference, reference).cells()} == shown
    assert len(shown) == 1


def test_noise_around_zero_is_shown_as_zero():
    rows = [Row("d/dx", np.array(noise), np.array(0.0)) for noise in (3e-17, -1e-16)]
    assert [row.cells() for row in rows] == [("d/dx", "0", "0", "< 1e-12")] * 2


@pytest.mark.parametrize(
    ("ours", "theirs", "shown"),
    [
        (15.0, 15.0, "equal"),
        (1 / 3, 1 / 3, "within 4 ulp"),
        (0.1 + 0.2, 0.3, "within 4 ulp"),
        (1.0 + 1e-13, 1.0, "< 1e-12"),
        (1.0 + 1e-11, 1.0, "< 1e-10"),
        (np.nan, np.nan, "equal"),
        (1.0, 2.0, "1e+00"),
    ],
)
def test_differences_are_shown_in_classes(ours, theirs, shown):
    assert class_of(np.array(ours), np.array(theirs)) == shown


def test_exact_tells_zero_from_minus_zero():
    assert not Row("value", np.array(0.0), np.array(-0.0)).exact


# ---- without PyTorch


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty place for records; `store.without_torch()` makes PyTorch go away."""
    monkeypatch.setattr(recorded, "FILE", tmp_path / "recorded.json")
    monkeypatch.delenv("CHAINRULE_RECORD", raising=False)
    monkeypatch.without_torch = lambda: monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    return monkeypatch


@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (polynomial, (2.0,)),
        (lambda x, w: (x @ w).tanh(), (np.eye(2), np.array([0.1, 0.2]))),
        (lambda x: (x.float().exp(), x > 0.5), ([0.1, 0.9],)),
        (lambda x, z: x.log(), ([-1.0, 0.0], 3.0)),
        (lambda x: (x * x).backward(), ([1.0, 2.0],)),
    ],
)
def test_recorded_results_stand_in_for_pytorch(store, f, inputs):
    with recorded.recording():
        live = crosscheck(f, *inputs)
    store.without_torch()
    again = crosscheck(f, *inputs)
    assert live.recorded is None
    assert again.recorded == torch.__version__.partition("+")[0]
    assert again.cells() == live.cells()
    assert again.exact == live.exact
    assert f"recorded with version {again.recorded}" in str(again)


def test_recorded_results_find_a_disagreement_too(store):
    with recorded.recording():
        crosscheck(polynomial, 2.0)
    store.without_torch()
    text = recorded.FILE.read_text()
    recorded.FILE.write_text(text.replace("0x1.e000000000000p+3", "0x1.e000000100000p+3"))
    with pytest.raises(Disagreement, match="d/dx"):
        crosscheck(polynomial, 2.0)


def test_nothing_is_recorded_unless_asked(store):
    crosscheck(polynomial, 2.0)
    assert not recorded.FILE.exists()
    store.setenv("CHAINRULE_RECORD", "write")
    crosscheck(polynomial, 2.0)
    assert recorded.FILE.exists()


def test_records_are_derived_again_and_compared_when_asked(store):
    with recorded.recording():
        crosscheck(polynomial, 2.0)
    store.setenv("CHAINRULE_RECORD", "compare")
    assert crosscheck(polynomial, 2.0).recorded is None
    with pytest.raises(NoRecord, match="make notebooks"):
        crosscheck(polynomial, 3.0)
    text = recorded.FILE.read_text()
    recorded.FILE.write_text(text.replace("0x1.e000000000000p+3", "0x1.e000000100000p+3"))
    with pytest.raises(NoRecord, match="other results"):
        crosscheck(polynomial, 2.0)


def test_a_record_holds_its_inputs_and_the_version(store):
    with recorded.recording():
        crosscheck(lambda x, n: x**n, [1.0, 2.0], 3)
    [record] = recorded.read().values()
    assert recorded.unpack(record["inputs"][0]).tolist() == [1.0, 2.0]
    assert recorded.unpack(record["inputs"][1]).item() == 3
    assert record["torch"] == torch.__version__.partition("+")[0]


def test_without_a_record_the_error_says_what_to_do(store):
    store.without_torch()
    with pytest.raises(NoRecord, match="pip install torch"):
        crosscheck(polynomial, 2.0)
    assert issubclass(NoRecord, LookupError)


def test_another_point_dtype_function_or_constant_is_another_record(store):
    def scaled(by):
        return lambda x: x * by

    with recorded.recording():
        for f in (polynomial, scaled(2.0)):
            crosscheck(f, 2.0)
    store.without_torch()
    assert crosscheck(scaled(2.0), 2.0).agree
    for f, x in [
        (polynomial, 2.001),
        (polynomial, np.float32(2)),
        (polynomial, [2.0]),
        (scaled(3.0), 2.0),
        (lambda x: x**3 + 2 * x**2 - 5 * x + 2, 2.0),
    ]:
        with pytest.raises(NoRecord):
            crosscheck(f, x)


def test_a_record_is_found_where_the_last_digits_are_others(store):
    """Another machine rounds otherwise; then both engines are compared at the inputs of the record."""
    weights = np.array([0.1, -0.2, 1e-20])

    def f(x, n, *, lib):
        return (x * lib.tensor(weights)).sum() ** n

    x = np.random.default_rng(0).normal(size=(4, 3))
    x[0, 0], x[3, 0] = 0.0, x.max() / 64
    with recorded.recording():
        there = crosscheck(f, x, 3)
    here = x * (1 + 1e-12 * np.random.default_rng(1).normal(size=x.shape))
    here[0, 0] = -1e-18
    store.setenv("CHAINRULE_RECORD", "compare")
    assert crosscheck(f, here, 3).agree
    store.without_torch()
    weights *= 1 + 1e-15
    check = crosscheck(f, here, 3)
    assert check.recorded and abs(check.value.item() / there.value.item() - 1) < 1e-13
    with pytest.raises(NoRecord):
        crosscheck(f, x * 1.001, 3)
    with pytest.raises(NoRecord):
        crosscheck(f, here, 2)


def test_a_partial_function_is_known_by_its_function_and_its_arguments(store):
    def scaled(x, by):
        return x * by

    with recorded.recording():
        crosscheck(partial(scaled, by=2.0), 1.0)
    store.without_torch()
    assert crosscheck(partial(scaled, by=2.0), 1.0).agree
    for other in (partial(scaled, by=3.0), partial(lambda x, by: x + by, by=2.0)):
        with pytest.raises(NoRecord):
            crosscheck(other, 1.0)


def test_a_built_in_function_is_known_by_its_name(store):
    with recorded.recording():
        crosscheck(abs, -1.0)
    store.without_torch()
    assert crosscheck(abs, -1.0).agree
    with pytest.raises(NoRecord, match="this function at this point"):
        crosscheck(round, -1.0)


def test_an_object_that_is_called_has_no_record(store):
    class Scale:
        def __call__(self, x):
            return x * 2

    with recorded.recording():
        crosscheck(Scale(), 1.0)
    store.without_torch()
    with pytest.raises(NoRecord, match="text of the function cannot be read"):
        crosscheck(Scale(), 1.0)


def test_two_lambdas_on_one_line_have_two_records(store):
    f, g = (lambda x: x + 1), (lambda x: x + 2)  # fmt: skip
    with recorded.recording():
        crosscheck(f, 1.0), crosscheck(g, 1.0)
    store.without_torch()
    assert (crosscheck(f, 1.0).value.item(), crosscheck(g, 1.0).value.item()) == (2.0, 3.0)
    assert recorded.text_of(f) == "lambda x: x + 1"


factor = 2.0


def helper(x):
    return x * factor


def test_a_record_depends_on_what_the_function_calls_and_reads(store):
    keys = set()
    for value in (2.0, 3.0, np.arange(3.0)):
        store.setitem(globals(), "factor", value)
        keys.update(recorded.keys(lambda x: helper(x) + 1, [np.array(1.0)]))
    assert len(keys) == 6


def test_layout_and_comments_do_not_change_a_record():
    def make(text):
        from linecache import cache

        name = f"<text {len(text)}>"
        cache[name] = (len(text), None, text.splitlines(True), name)
        space = {}
        exec(compile(text, name, "exec"), space)
        return space["f"]

    one = make("def f(x):\n    return x + 1\n")
    two = make("\n\ndef f( x ):  # the same\n    return (x\n        + 1)\n")
    assert recorded.keys(one, []) == recorded.keys(two, [])


def test_a_function_whose_text_is_lost_says_so(store):
    f = eval("lambda x: x + 1")
    with recorded.recording():
        assert crosscheck(f, 1.0).agree
    store.without_torch()
    with pytest.raises(NoRecord, match="text of the function cannot be read"):
        crosscheck(f, 1.0)


def test_the_file_of_records_is_sorted_and_does_not_depend_on_order(store, tmp_path):
    texts = []
    for order in ([1.0, 2.0, 3.0], [3.0, 1.0, 2.0]):
        store.setattr(recorded, "FILE", tmp_path / f"{order[0]}.json")
        with recorded.recording():
            for x in order:
                crosscheck(polynomial, x)
        texts.append(recorded.FILE.read_text())
    assert texts[0] == texts[1]


def test_large_results_are_not_recorded(store):
    with recorded.recording():
        crosscheck(lambda x: x * 2, np.zeros(recorded.LARGEST))
    assert not recorded.FILE.exists()


def run(script, root):
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "CHAINRULE_RECORD": ""}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)


def test_importing_chainrule_does_not_import_torch(root):
    done = run("import sys, chainrule; print('torch' in sys.modules)", root)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_where_torch_cannot_be_imported_the_engine_works_and_crosscheck_explains(root):
    done = run(
        "import sys; sys.modules['torch'] = None\n"
        "import chainrule as cr\n"
        "print(cr.grad(lambda x: x * x)(3.0))\n"
        "try:\n    cr.crosscheck(abs, 1.5)\nexcept LookupError as error:\n    print(error)\n",
        root,
    )
    assert done.stderr == ""
    assert done.stdout.startswith("tensor(6.)\nPyTorch is not installed")
