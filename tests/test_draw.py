"""Drawings of graphs: what they say must be true, complete and the same everywhere."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch
from oracle import assert_same

import chainrule as cr
from chainrule.draw import COTANGENT, MARKED, PRIMAL, blackboard

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's program dot")


def leaf(data):
    return cr.tensor(data, requires_grad=True)


def three_paths():
    """The graph of the chain-rule chapter: y to u and v, u to a and f, v to b, a and b to f."""
    y = leaf(2.0)
    u = y**2
    v = 3 / y
    a = u.sin()
    b = v.exp()
    f = a * u + b
    return {"y": y, "u": u, "v": v, "a": a, "b": b, "f": f}


def drawn(values, result="f", **options):
    return cr.draw(values[result], names=values, **options)


# ---- values and names


def test_every_value_has_its_name_its_formula_and_its_number():
    x, w = leaf(2.0), leaf(5.0)
    u = x * w
    y = (u + 1).log() / 2
    g = cr.draw(y)
    assert [(n.name, n.formula, n.value) for n in g.nodes] == [
        ("x", "", 2.0),
        ("w", "", 5.0),
        ("u", "x * w", 10.0),
        ("v1", "u + 1", 11.0),
        ("v2", "log(v1)", np.log(11.0)),
        ("y", "v2 / 2", np.log(11.0) / 2),
    ]
    assert [n.kind for n in g.nodes] == ["leaf", "leaf"] + ["operation"] * 4
    assert [n.operation for n in g.nodes] == ["", "", "mul", "add", "log", "div"]
    assert [n.named for n in g.nodes] == [True, True, True, False, False, True]


def test_the_first_variable_bound_gives_the_name():
    x = leaf(2.0)
    first = x * x
    second = first
    assert cr.draw(second)[first].name == "first"


def test_a_given_name_goes_before_a_variable():
    x = leaf(2.0)
    y = x * x
    assert [n.name for n in cr.draw(y, names={"input": x}).nodes] == ["input", "y"]


def test_names_are_found_among_globals_and_in_containers():
    program = "\n".join(
        [
            "ws = [cr.tensor(1.0, requires_grad=True), cr.tensor(2.0, requires_grad=True)]",
            "by = {'k': cr.tensor(3.0, requires_grad=True)}",
            "_hidden = ws[0] * by['k']",
            "Out = {1: _hidden}",
            "def show(): return cr.draw(_hidden / ws[1])",
            "g = show()",
        ]
    )
    space = {"cr": cr}
    exec(program, space)
    assert [n.name for n in space["g"].nodes] == ["ws[0]", "ws[1]", "by['k']", "v1", "v2"]


def test_made_up_names_avoid_those_of_variables():
    x = leaf(2.0)
    v1 = cr.tensor(7.0)
    y = (x + v1).exp()
    assert [n.name for n in cr.draw(y).nodes] == ["x", "v1", "v2", "y"]


def test_constants_are_named_where_a_variable_holds_them_and_else_written_out():
    x = leaf([1.0, 2.0])
    k, plain = cr.tensor([3.0, 4.0]), np.array([5.0, 6.0])
    y = (x * k * plain * 2).sum()
    g = cr.draw(y)
    assert [n.name for n in g.nodes if n.kind == "constant"] == ["k", "plain"]
    assert [n.formula for n in g.nodes if n.op] == ["x * k", "v1 * plain", "v2 * 2", "sum(v3)"]


def test_a_number_that_no_variable_holds_is_part_of_the_formula():
    x = leaf(2.0)
    y = x * cr.tensor(3.0) - 1.0001
    assert [n.formula for n in cr.draw(y).nodes if n.op] == ["x * 3", "v1 - 1.0001"]


def test_values_between_variables_are_computed_from_what_is_known():
    x = leaf([1.0, 2.0, 3.0])
    g = cr.draw(((x + 1).reshape(3, 1) * x[1:]).mean(dim=0))
    want = [[1, 2, 3], [2, 3, 4], [[2], [3], [4]], [2, 3], [[4, 6], [6, 9], [8, 12]], [6, 9]]
    assert [n.value.tolist() for n in g.nodes] == want
    assert [n.formula for n in g.nodes][1:] == [
        "x + 1", "reshape(v1, shape=(3, 1))", "x[1:]", "v2 * v3", "mean(v4, axis=0)",
    ]  # fmt: skip


def test_a_leaf_that_was_updated_is_shown_as_the_graph_used_it():
    w = leaf(1.0)
    loss = (w - 3) ** 2
    loss.backward()
    with cr.no_grad():
        w -= 0.1 * w.grad
    g = cr.draw(loss)
    assert (g["w"].value, g["w"].adjoint) == (1.0, -4.0)


def test_an_array_that_was_overwritten_is_not_shown_as_if_it_were_not():
    w = leaf([1.0, 2.0])
    loss = (w + 1).sum()
    with cr.no_grad():
        w += 10
    g = cr.draw(loss)
    assert g["w"].value is None and "w = 2 numbers, leaf" in g.text


def test_in_place_operations_are_shown():
    x = leaf([1.0, 2.0])
    z = x * 1
    z[0] = 5 * x[1]
    y = z.sum()
    g = cr.draw(y, adjoints=True)
    assert g["z"].value.tolist() == [10.0, 2.0] and g["x"].adjoint.tolist() == [0.0, 6.0]


def test_operations_on_lists_are_shown_with_all_their_inputs():
    a, b = leaf(1.0), leaf(2.0)
    s = cr.stack([a, b, cr.tensor(5.0)])
    c = cr.cat([s, 2 * s])
    y = (c * c).sum()
    g = cr.draw(y, adjoints=True)
    assert g["s"].formula == "stack(a, b, c1, axis=0)" and g["c"].formula == "cat(s, v1, axis=0)"
    assert [e.source.name for e in g.edges if e.target is g["s"]] == ["a", "b", "c1"]
    assert (g["a"].adjoint, g["b"].adjoint) == (10.0, 20.0)


# ---- adjoints


PROGRAMS = {
    "numbers": (lambda x, w: ((x * w).sin() + x / w - 2) ** 2, 2.0, 5.0),
    "vectors": (lambda x, w: (x * w).exp().sum() * x.norm() + (x[0] - w[1:]).prod(), [0.1, -0.2], [0.3, 0.4]),
    "matrices": (lambda x, w: ((x @ w).tanh() + w.sum(0)).logsumexp(1).mean(), [[1.0, 2.0]] * 3, [[0.5, -1.0]] * 2),
    "kinks": (lambda x, w: (x.abs() * w.relu()).max() + x.clamp(0, 1).sum(), [-1.0, 2.0], [3.0, -4.0]),
}  # fmt: skip


@pytest.mark.parametrize("case", PROGRAMS)
def test_adjoints_are_pytorchs(case):
    f, *inputs = PROGRAMS[case]
    ours, theirs = [leaf(x) for x in inputs], [torch.tensor(x, dtype=torch.float64) for x in inputs]
    for x in theirs:
        x.requires_grad_()
    g = cr.draw(f(*ours), adjoints=True)
    f(*theirs).backward()
    for x, want in zip(ours, theirs, strict=True):
        assert_same(cr.tensor(g[x].adjoint), want.grad)
        assert x.grad is None


def test_adjoints_of_results_between_are_pytorchs():
    def run(lib):
        x = lib.tensor(1.5, requires_grad=True)
        u = x * x
        v = u.sin()
        w = u * v
        return x, [u, v, w], (w + v) / u

    _, ours, y = run(cr)
    _, theirs, z = run(torch)
    for t in theirs:
        t.retain_grad()
    z.backward()
    g = cr.draw(y, adjoints=True)
    np.testing.assert_allclose([g[t].adjoint for t in ours], [t.grad for t in theirs], rtol=1e-6)


def test_contributions_add_up_to_the_adjoint():
    values = three_paths()
    for fold in (False, True):
        g = drawn(values, adjoints=True, fold=fold)
        for node in g.nodes[:-1]:
            assert np.isclose(sum(e.contribution for e in g.edges_from(node)), node.adjoint, rtol=1e-14)


def test_adjoints_appear_after_a_backward_pass_unless_not_wanted():
    x = leaf(2.0)
    y = x * x
    assert "adjoint" not in cr.draw(y).dot
    y.backward()
    assert "adjoint 4" in cr.draw(y).dot
    assert "adjoint" not in cr.draw(y, adjoints=False).dot


def test_drawing_changes_no_gradient_and_lets_go_of_nothing():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    cr.draw(y, adjoints=True, edges=True)
    assert x.grad is None
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_graph_whose_arrays_were_let_go_is_drawn_as_far_as_it_is_known():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = ((x * w) * cr.tensor([5.0, 6.0])).sum()
    y.backward()
    g = cr.draw(y)
    assert g["y"].value == 63.0 and g["y"].adjoint == 1.0
    assert g["x"].value.tolist() == [1.0, 2.0] and g["x"].adjoint is None
    assert "Adjoints not known, for want of values that were let go or left out: x, w and v1." in g.text


def test_numbers_survive_the_backward_pass():
    values = three_paths()
    before = drawn(values, adjoints=True, edges=True)
    values["f"].backward()
    after = drawn(values, edges=True)
    assert after.dot == before.dot and after["y"].adjoint == values["y"].grad.item()


def test_a_vector_needs_a_cotangent():
    x = leaf([1.0, 2.0, 3.0])
    y = x * x
    with pytest.raises(RuntimeError, match=r"grad can be implicitly created only for scalar outputs.*gradient="):
        cr.draw(y, adjoints=True)
    assert cr.draw(y, gradient=[1.0, 1.0, 1.0])["x"].adjoint.tolist() == [2.0, 4.0, 6.0]
    y.backward(cr.tensor([1.0, 1.0, 1.0]))
    assert "Adjoints are left out: give gradient=" in cr.draw(y).text


def test_several_results_share_one_graph():
    a, b = leaf(3.0), leaf(4.0)
    product, total = a * b, a + b
    g = cr.draw((product, total), adjoints=True)
    assert [n.name for n in g.results] == ["product", "total"]
    assert (g["a"].adjoint, g["b"].adjoint) == (5.0, 4.0)
    assert cr.draw((product, total), gradient=(1.0, 10.0))["a"].adjoint == 14.0
    with pytest.raises(ValueError, match="2 tensors and 3 gradients"):
        cr.draw((product, total), gradient=(1.0, 1.0, 1.0))


# ---- edges and paths


def test_the_chain_rule_graph_has_three_paths():
    g = drawn(three_paths(), fold=True)
    assert sorted(g.paths("y", "f")) == [["y", "u", "a", "f"], ["y", "u", "f"], ["y", "v", "b", "f"]]
    assert sorted((e.source.name, e.target.name) for e in g.edges) == [
        ("a", "f"), ("b", "f"), ("u", "a"), ("u", "f"), ("v", "b"), ("y", "u"), ("y", "v"),
    ]  # fmt: skip
    assert g["f"].formula == "a * u + b"


def test_products_along_paths_add_up_to_the_adjoint():
    values = three_paths()
    for fold in (False, True):
        g = drawn(values, adjoints=True, fold=fold)
        assert np.isclose(sum(path.product for path in g.paths("y", "f")), g["y"].adjoint, rtol=1e-14)


def test_products_along_paths_of_vectors_add_up_to_the_jacobian():
    f = lambda x: (x * x).cumsum(0) + x.sum() * x[:2].norm()
    x = leaf([1.0, 2.0, 3.0])
    g = cr.draw(f(x))
    [y] = g.results
    got = sum(path.product for path in g.paths("x", y))
    want = torch.autograd.functional.jacobian(f, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_a_value_used_twice_has_two_edges():
    x = leaf(3.0)
    y = x * x
    g = cr.draw(y)
    assert [(e.source.name, e.target.name, e.derivative) for e in g.edges] == [("x", "y", 3.0)] * 2
    assert g.edge_derivative("x", "y") == 6.0
    assert g.dot.count("n0 -> n1") == 2


def test_folded_edges_carry_the_derivative_of_the_formula():
    w, x, y, z = leaf(1.0), leaf(2.0), leaf(0.5), leaf(0.25)
    a = (w + x + y + z) ** 2
    b = (w + x - y - z) ** 2
    u, v = (a + b) ** 2, (a - b) ** 2
    f = (u + v) ** 2
    g = cr.draw(f, fold=True)
    assert [n.name for n in g.nodes] == list("wxyzabuvf")
    assert [n.formula for n in g.nodes[4:]] == [
        "(w + x + y + z) ** 2", "(w + x - y - z) ** 2", "(a + b) ** 2", "(a - b) ** 2", "(u + v) ** 2",
    ]  # fmt: skip
    a, b, u, v = (t.item() for t in (a, b, u, v))
    want = {"uf": 2 * (u + v), "vf": 2 * (u + v), "au": 2 * (a + b), "bu": 2 * (a + b), "av": 2 * (a - b)}
    want |= {
        "bv": -2 * (a - b),
        "wa": 7.5,
        "xa": 7.5,
        "ya": 7.5,
        "za": 7.5,
        "wb": 4.5,
        "xb": 4.5,
        "yb": -4.5,
        "zb": -4.5,
    }
    assert {e.source.name + e.target.name: e.derivative for e in g.edges} == want


def test_a_ladder_of_diamonds_is_counted_though_not_listed():
    x = leaf(1.0)
    y = x
    for _ in range(50):
        y = y + y
    g = cr.draw(y)
    assert g.count_paths("x", "y") == 2**50
    with pytest.raises(ValueError, match=f"{2**50} paths"):
        g.paths("x", "y")


def test_local_derivatives_are_shown_when_asked_for():
    x = leaf(2.0)
    y = x**3
    assert "label" not in re.search(r"n0 -> n1.*", cr.draw(y).dot)[0]
    assert 'n0 -> n1 [label=" 12 "]' in cr.draw(y, edges=True).dot
    assert "derivative by x 12" in cr.draw(y, edges=True).text
    v = leaf([1.0, 2.0, 3.0])
    w = v**2
    assert "derivative by v diag [2, 4, 6]" in cr.draw(w, edges=True).text


def colours(dot):
    return re.findall(r"#[0-9A-Fa-f]{6}", dot)


def test_highlighted_paths_are_thick_and_in_a_colour_that_stands_for_nothing_else():
    values = three_paths()
    plain = drawn(values, fold=True, adjoints=True, edges=True).dot
    marked = drawn(values, fold=True, adjoints=True, edges=True, highlight=["y", "u", "f"]).dot
    assert {PRIMAL, COTANGENT} <= {*colours(plain)}
    assert {*colours(marked)} - {*colours(plain)} == {MARKED}
    thick = lambda g: re.findall(r"(n\d+ -> n\d+) \[.*penwidth", g.dot)
    by_name = drawn(values, fold=True, highlight=["y", "u", "f"])
    assert [by_name.nodes[int(i)].name for i in re.findall(r"\d+", " ".join(thick(by_name)))] == ["y", "u", "u", "f"]
    assert "Highlighted: y, u and f." in by_name.text
    by_tensor = drawn(values, fold=True, highlight=[values["y"], values["u"], values["f"]])
    assert by_tensor.dot == by_name.dot
    assert drawn(values, fold=True, highlight=by_name.paths("y", "f")[1]).dot == by_name.dot
    assert len(thick(drawn(values, fold=True, highlight=by_name.paths("y", "f")))) == 7


def test_a_path_that_is_none_is_refused_with_what_there_is():
    values = three_paths()
    with pytest.raises(KeyError, match="no edge leads from y to f: y is used by u, v"):
        drawn(values, highlight=["y", "f"])
    with pytest.raises(KeyError, match="the graph has no value 'q'; its values are y, u, v, a, b, "):
        drawn(values, highlight=["y", "q"])


# ---- detach


def test_the_cut_of_detach_is_visible():
    x = leaf(2.0)
    y = x * x
    u = y.detach()
    z = x * u
    z.backward()
    g = cr.draw(z)
    assert [(n.name, n.kind, n.active) for n in g.nodes] == [
        ("x", "leaf", True), ("y", "operation", False), ("u", "constant", False), ("z", "operation", True),
    ]  # fmt: skip
    assert g["u"].twin is g["y"] and g["y"].adjoint is None and g["x"].adjoint == 4.0
    assert 'n1 -> n2 [style=dashed arrowhead=tee label="detach"]' in g.dot
    assert "u = y.detach() = 4, constant." in g.text
    assert g.text.endswith("No cotangent flows back through y.detach().")


def test_a_detached_value_without_a_variable_is_linked_to_what_it_came_from():
    x = leaf([1.0, 2.0])
    y = (x.detach() * x).sum()
    g = cr.draw(y, adjoints=True)
    assert [n.name for n in g.nodes] == ["x", "c1", "v1", "y"]
    assert g["c1"].twin is g["x"] and g["x"].adjoint.tolist() == [1.0, 2.0]


def test_a_leaf_made_of_a_detached_value_is_linked_too():
    x = leaf([1.0, 2.0])
    y = x.exp()
    h = y.detach().requires_grad_()
    z = (h * h).sum()
    g = cr.draw(z, adjoints=True)
    assert g["h"].kind == "leaf" and g["h"].twin is g["y"] and g["x"].adjoint is None


# ---- what there is no graph for


def test_a_constant_is_drawn_as_one():
    k = cr.tensor(3.0) * 2
    g = cr.draw(k, adjoints=True)
    assert g.text == "Graph of k. k = 6, constant, result. Nothing was recorded: no input requires a gradient."


def test_a_leaf_alone_is_a_graph():
    x = leaf(3.0)
    assert cr.draw(x, adjoints=True).text == "Graph of x. x = 3, leaf, result, adjoint 1."


@pytest.mark.parametrize("y", [3.0, None, (), (1.0,), np.ones(2)])
def test_what_is_no_tensor_is_refused_with_the_way_out(y):
    with pytest.raises(TypeError, match="draw needs the Tensor that a computation ended in"):
        cr.draw(y)


def test_another_direction_is_refused():
    with pytest.raises(ValueError, match="rankdir is LR, TB"):
        cr.draw(leaf(1.0), rankdir="left")


def test_an_inner_derivative_can_be_drawn():
    shown = []

    def f(z):
        a = z * z
        b = a * x
        shown.append(cr.draw(b, adjoints=True))
        return b

    x = leaf(5.0)
    cr.grad(cr.grad(f))(cr.tensor(3.0))
    assert shown[0].text == (
        "Graph of b, made from z. z = 3, leaf, adjoint 30. a = z * z = 9, adjoint 5. "
        "x = 5, constant. b = a * x = 45, result, adjoint 1."
    )


def test_a_recorded_sweep_can_be_drawn():
    x = leaf(2.0)
    (slope,) = cr.autograd.grad(x**3, x, create_graph=True)
    assert cr.draw(slope, adjoints=True)["x"].adjoint == 12.0


# ---- size


@pytest.mark.parametrize("after_backward", [False, True])
def test_a_chain_of_a_hundred_thousand_shows_its_newest_end(after_backward):
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    if after_backward:
        y.backward()
    g = cr.draw(y, max_nodes=5)
    assert len(g.nodes) == 5 and g.left_out == 99_996
    assert g.nodes[0].formula == "... * 1.00001"
    assert "99996 earlier values are left out" in g.text and "99996 earlier" in g.dot
    assert g.nodes[0].value == pytest.approx(1.00001**99_996)


def test_a_long_chain_can_be_shown_whole_and_folded():
    x = leaf(1.0)
    y = x
    for _ in range(3000):
        y = y + 1
    assert len(cr.draw(y, max_nodes=10_000).nodes) == 3001
    g = cr.draw(y, max_nodes=10_000, fold=True, adjoints=True)
    assert [n.name for n in g.nodes] == ["x", "y"] and g.edges[0].derivative == 1.0


def test_a_leaf_that_older_values_use_too_has_no_half_adjoint():
    w = leaf(0.5)
    h = leaf(1.0)
    for _ in range(50):
        h = (h * w).tanh()
    g = cr.draw(h, max_nodes=6, adjoints=True)
    assert g["w"].adjoint is None and "left out: w." in g.text


# ---- text, DOT and picture


def test_the_words_mention_every_value_and_every_input():
    values = three_paths()
    g = drawn(values, adjoints=True, edges=True)
    for node in g.nodes:
        assert re.search(rf"(^|\. ){node.name} = ", g.text)
        for edge in g.edges_into(node):
            assert re.search(rf"\. {node.name} = [^=]*\b{edge.source.name}\b", g.text)


def test_the_words_say_what_the_picture_shows():
    x = leaf(2.0)
    u = x * x
    y = 3 * u
    assert cr.draw(y, adjoints=True).text == (
        "Graph of y, made from x. x = 2, leaf, adjoint 12. u = x * x = 4, adjoint 3. y = 3 * u = 12, result, adjoint 1."
    )


PROGRAM = """
import numpy as np, chainrule as cr
x = cr.tensor([0.1, 0.2, 0.3], requires_grad=True)
W = cr.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
y = (W @ x).tanh()
u = y.detach()
loss = (y * u).sum() + cr.cat([x, y]).norm()
print(cr.draw(loss, adjoints=True, edges=True))
print(cr.draw(loss, adjoints=True, fold=True).text)
"""


def test_the_drawing_is_the_same_in_every_process():
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and "0x" not in runs[0]


def test_a_terminal_shows_the_dot_text():
    x = leaf(2.0)
    g = cr.draw(x * x)
    assert repr(g) == str(g) == g.dot and g.dot.startswith("digraph {") and g.dot.endswith("}")


def test_names_that_mean_something_to_graphviz_are_escaped():
    x = leaf(2.0)
    g = cr.draw(x, names={'<b> & "x"': x})
    assert "&lt;b&gt; &amp; &quot;x&quot;" in g.dot
    if shutil.which("dot"):
        ET.fromstring(g.svg())


@needs_dot
def test_a_notebook_shows_a_picture_that_carries_its_words():
    g = drawn(three_paths(), adjoints=True, edges=True, highlight=["y", "u", "a"])
    bundle = g._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "image/svg+xml"] and bundle["text/plain"] == g.dot
    root = ET.fromstring(bundle["image/svg+xml"])
    svg = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img" and root[0].tag == f"{svg}title" and root[1].tag == f"{svg}desc"
    assert root[1].text == g.text
    assert not root.findall(".//*[@id]") and "<!--" not in bundle["image/svg+xml"]
    assert g.svg() == bundle["image/svg+xml"]
    shown = [text.text for text in root.iter(f"{svg}text")]
    for node in g.nodes:
        assert node.name in shown and (not node.op or f"\N{NO-BREAK SPACE}= {node.formula}" in shown)


@needs_dot
@pytest.mark.parametrize("kind, start", [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("gv", b"digraph")])
def test_a_drawing_is_saved_as_its_ending_says(tmp_path, kind, start):
    g = drawn(three_paths())
    g.save(tmp_path / f"graph.{kind}")
    assert (tmp_path / f"graph.{kind}").read_bytes().startswith(start)


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"one of \.svg, \.png"):
        drawn(three_paths()).save(tmp_path / "graph.bmp")


def without_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def with_a_program_that_fails(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text(f"#!{sys.executable}\nraise SystemExit('no fonts here')\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def without_package(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "graphviz", None)


@pytest.mark.parametrize("lacking", [without_program, with_a_program_that_fails, without_package])
def test_without_graphviz_the_text_is_shown_and_nothing_fails(monkeypatch, tmp_path, capfd, lacking):
    lacking(monkeypatch, tmp_path)
    g = drawn(three_paths())
    assert g._repr_mimebundle_() == {"text/plain": g.dot}
    g.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text(encoding="utf-8") == g.dot + "\n"
    for kind in ("svg", "png"):
        with pytest.raises(RuntimeError, match="apt install graphviz"):
            g.save(tmp_path / f"graph.{kind}")
    assert capfd.readouterr() == ("", "")


def test_the_engine_works_without_the_package_graphviz():
    program = "import sys; sys.modules['graphviz'] = None\nimport chainrule as cr\nprint(cr.draw(cr.tensor(1.0)).text)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("Graph of")


def test_a_graph_on_the_blackboard_tells_what_stands_beside_its_nodes():
    arrows, local = {"x": ["y"], "y": []}, {("x", "y"): 4}
    g = blackboard.graph(arrows, local, values={"x": 2}, tangents={"y": 4}, adjoints={"x": 12, "y": 3})
    assert g.text == (
        "Graph of 2 nodes and 1 arrow. x, value 2, adjoint 12; arrow to y with local derivative 4. "
        "y, tangent 4, adjoint 3."
    )
    assert "adjoint 12" in g.dot and "tangent 4" in g.dot
