"""The stepper: what it says must be the engine's own numbers, and it must work wherever it is shown."""

import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

import chainrule as cr
from chainrule import rules
from chainrule.draw import stepper
from chainrule.draw.spelling import mathematical, numbers
from chainrule.draw.steps import barred, dotted


def leaf(data):
    return cr.tensor(data, requires_grad=True)


def trace(x):
    """The function of the last chapter but one, every value with its name."""
    v1 = x**2
    v2 = v1.log()
    v3 = x.sin()
    v4 = v2 * v3
    v5 = 1 / x
    f = v4 + v5
    return {"v1": v1, "v2": v2, "v3": v3, "v4": v4, "v5": v5, "f": f}


def three_paths(y):
    u = y**0.5
    v = 12 / y
    a = u**3
    b = v**2
    return {"u": u, "v": v, "a": a, "b": b, "f": a * u + b}


def deck(w, x, y, z):
    a, b = (w + x + y + z) ** 2, (w + x - y - z) ** 2
    u, v = (a + b) ** 2, (a - b) ** 2
    return {"a": a, "b": b, "u": u, "v": v, "f": (u + v) ** 2}


def vectors(x, w, s):
    z = w @ x
    h = (s * z).relu()
    return {"z": z, "h": h, "loss": (h * h).sum() + z.abs().sum() / 4 + x[0]}


def cut(x):
    y = x * x
    u = y.detach()
    return {"y": y, "u": u, "z": x * u}


PROGRAMS = {
    "trace": (trace, {"x": 2.0}),
    "three paths": (three_paths, {"y": 4.0}),
    "deck": (deck, {"w": 1.0, "x": 2.0, "y": 0.5, "z": 0.25}),
    "vectors": (vectors, {"x": [1.0, 2.0, 3.0], "w": [[0.0, 1.0, 2.0], [3.0, -4.0, 5.0]], "s": 2.0}),
    "cut": (cut, {"x": 2.0}),
}
every_program = pytest.mark.parametrize("name", PROGRAMS)
folded = pytest.mark.parametrize("fold", [False, True])


def computed(name):
    """The named values of a program, and its result."""
    program, inputs = PROGRAMS[name]
    leaves = {name: leaf(x) for name, x in inputs.items()}
    values = {**leaves, **program(**leaves)}
    return values, list(values.values())[-1]


def stepped(name, **options):
    values, result = computed(name)
    return cr.step(result, names=values, **options)


def said_of(figure, name, way):
    return [s.words for s in figure.steps if s.value.name == name and s.way == way]


def printed(x):
    """A number as the sentences print it."""
    return mathematical(numbers(x))


# ---- what is said


@every_program
@folded
def test_the_last_thing_said_of_an_adjoint_is_the_engines_gradient(name, fold):
    values, result = computed(name)
    figure = cr.step(result, names=values, fold=fold)
    active = {key: x for key, x in values.items() if figure.graph[key].active}
    gradients = cr.autograd.grad(result, list(active.values()))
    for key, g in zip(active, gradients, strict=True):
        end = printed(g.numpy()) + (" numbers" if g.ndim > 1 and "[" not in printed(g.numpy()) else "")
        received = [words for words in said_of(figure, key, "backward") if "detach" not in words]
        assert received[-1].endswith(f" = {end}") and barred(key) in received[-1]
    assert all(x.grad is None for x in values.values() if x.is_leaf)


@every_program
@folded
def test_every_value_is_said_in_the_order_of_computing(name, fold):
    values, result = computed(name)
    figure = cr.step(result, names=values, fold=fold)
    forward = [s for s in figure.steps if s.way == "forward"]
    assert [s.value for s in forward] == figure.graph.nodes
    assert figure.steps[: len(forward)] == forward
    for key, x in values.items():
        [words] = said_of(figure, key, "forward")
        assert words.endswith(f" = {printed(x.detach().numpy())}")


def test_the_sentences_of_the_trace():
    figure = stepped("trace")
    assert said_of(figure, "v4", "forward") == ["v4 = v2 · v3 = 1.386 · 0.9093 = 1.261"]
    assert said_of(figure, "v2", "backward") == ["v̄2 gets v̄4 · v3 = 1 · 0.9093 = 0.9093"]
    assert said_of(figure, "x", "backward") == [
        "x̄ gets −v̄5 · (1 / x) / x = −1 · (1 / 2) / 2 = −0.25",
        "x̄ gets v̄3 · cos(x) = 1.386 · cos(2) = −0.5769",
        "x̄ gets v̄1 · 2 · x = 0.2273 · 2 · 2 = 0.9093",
        "x̄: −0.25 − 0.5769 + 0.9093 = 0.0824",
    ]


def test_a_node_passes_on_its_adjoint_only_when_it_is_complete():
    for name in PROGRAMS:
        steps = stepped(name).steps
        for i, s in enumerate(steps):
            for edge in s.edges if s.way == "backward" and " gets " in s.words else ():
                assert not any(edge.target is later.value and later.way == "backward" for later in steps[i:])


SINGLE = [op for op in vars(rules).values() if getattr(op, "family", "") == "elementwise" and not op.rules[1:]]
CALLS = {name: getattr(math, name) for name in ("cos", "sin", "sqrt", "cosh", "sinh", "log")}
LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
CALLS |= {"sign": np.sign, "sigmoid": lambda x: 1 / (1 + math.exp(-x))}


def by_hand(words):
    """What a formula in a sentence comes to, as Python computes it."""
    words = re.sub(r"[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda m: f"**({m[0].translate(LOWERED)})", words)
    return eval(words.replace("·", "*").replace("−", "-").replace("^", "**"), {}, CALLS)


@pytest.mark.parametrize("op", [op for op in SINGLE if op.name not in ("Acosh", "Clamp", "Neg", "Where")], ids=repr)
def test_the_formula_of_every_rule_comes_to_the_number_it_gives(op):
    x = leaf(0.625)
    y = op(x)
    z = 3 * y
    for mode in ("reverse", "forward"):
        figure = cr.step(z, names={"x": x, "y": y, "z": z}, mode=mode)
        words = [s.words.split(";  ")[-1] for s in figure.steps]
        [carried] = [w for w in words if w.startswith("x̄ gets" if mode == "reverse" else "ẏ =")]
        *_, formula, result = carried.split(" = ")
        assert np.isclose(by_hand(formula), by_hand(result), rtol=2e-3, atol=1e-12), carried


@pytest.mark.parametrize("name", ["trace", "three paths", "deck"])
@folded
def test_the_numbers_of_every_sentence_add_up(name, fold):
    for s in stepped(name, fold=fold).steps:
        sides = re.split(r" = |: ", s.words)
        if len(sides) > 2:
            assert np.isclose(by_hand(sides[-2]), by_hand(sides[-1]), rtol=5e-3), s.words


def test_vectors_show_their_numbers_and_matrices_their_shape():
    figure = stepped("vectors")
    assert said_of(figure, "z", "forward") == ["z = w @ x = [[0, 1, 2], [3, −4, 5]] @ [1, 2, 3] = [8, 10]"]
    assert said_of(figure, "s", "backward")[0].startswith("s̄ gets sum(")
    assert "pulled back through w @ x" in said_of(figure, "w", "backward")[0]
    x = leaf(np.ones((4, 5)))
    assert said_of(cr.step((x * x).sum()), "x", "forward") == ["leaf x = 4x5 numbers"]
    assert said_of(cr.step((x * x).sum()), "x", "backward")[-1] == "x̄: the sum of 2 parts = 4x5 numbers"


def test_a_vector_starts_from_its_cotangent():
    x = leaf([1.0, 2.0, 3.0])
    y = x * x
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        cr.step(y)
    steps = cr.step(y, gradient=[1.0, 10.0, 100.0]).steps
    assert steps[2].words == "The way back starts with ȳ = [1, 10, 100]"
    assert steps[-1].words == "x̄: [1, 20, 300] + [1, 20, 300] = [2, 40, 600]"


def test_several_results_start_together():
    a, b = leaf(3.0), leaf(4.0)
    product, total = a * b, a + b
    figure = cr.step((product, total), gradient=(1.0, 10.0))
    assert said_of(figure, "a", "backward")[-1] == "ā: 10 + 4 = 14"


def test_nothing_flows_back_through_a_detach():
    figure = stepped("cut")
    assert said_of(figure, "u", "forward") == ["constant u = y.detach() = 4"]
    assert said_of(figure, "u", "backward") == ["u = y.detach(): no cotangent flows back to y"]
    assert not said_of(figure, "y", "backward")
    assert said_of(figure, "x", "backward") == ["x̄ gets z̄ · u = 1 · 4 = 4"]
    assert figure.html.count('class="edge cut"') == 1


def test_names_of_adjoints_carry_a_bar_as_far_as_a_bar_can_be_read():
    assert [barred(n) for n in ("x", "v12", "w[0]", "loss", "by['k']", "W_1")] == [
        "x̄", "v̄12", "w̄[0]", "loss_bar", "by_bar['k']", "W_1_bar",
    ]  # fmt: skip
    assert dotted("x") == "ẋ"


# ---- forward mode


@pytest.mark.parametrize("name", ["trace", "three paths", "vectors", "cut"])
@folded
def test_tangents_are_those_of_jvp(name, fold):
    program, inputs = PROGRAMS[name]
    values, result = computed(name)
    direction = {key: 0.5 * np.asarray(x) for key, x in inputs.items()}
    figure = cr.step(result, names=values, fold=fold, mode="forward", tangents=direction)
    run = lambda *xs: tuple(program(*xs).values())
    _, tangents = cr.jvp(run, tuple(inputs.values()), tuple(direction.values()))
    for key, t in zip(program(*map(leaf, inputs.values())), tangents, strict=True):
        [words] = said_of(figure, key, "forward")
        flows = key != "u" or name != "cut"
        assert words.endswith(f" = {printed(t.detach().numpy())}" if flows else "no tangent flows on"), words


def test_forward_mode_asks_for_a_direction_where_there_are_many():
    values, result = computed("deck")
    with pytest.raises(ValueError, match=r"forward mode needs a direction: .* for w, x, y and z"):
        cr.step(result, names=values, mode="forward")
    figure = cr.step(result, names=values, mode="forward", tangents={"w": 1.0})
    with pytest.raises(ValueError, match=r"w has no tangent of shape \(2,\)"):
        cr.step(result, names=values, mode="forward", tangents={"w": [1.0, 2.0]})
    [g] = cr.autograd.grad(result, values["w"])
    assert said_of(figure, "f", "forward")[0].endswith(f" = {printed(g.item())}")


# ---- what is refused


def test_a_graph_that_is_too_large_is_refused_with_a_way_out():
    x = y = leaf(1.0)
    for _ in range(50):
        y = y.sin()
    with pytest.raises(ValueError, match=r"at most 40 values, and this graph has 51: .*fold=True"):
        cr.step(y)
    assert len(cr.step(y, fold=True).graph.nodes) == 2
    for _ in range(3000):
        y = y + x
    with pytest.raises(ValueError, match=r"this graph has 30\d\d"):
        cr.step(y)


def test_after_a_backward_pass_has_let_go_it_says_what_to_do():
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = ((x * w).exp() * cr.tensor([5.0, 6.0])).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"has let go of it.* Step through the graph before backward"):
        cr.step(y)


def test_what_no_rule_has_kept_is_said_to_be_unknown():
    x = leaf([1.0, 2.0])
    target = cr.tensor([5.0, 6.0])
    y = (x - target).sum()
    figure = cr.step(y, names={"x": x, "y": y})
    assert [s.words for s in figure.steps[1:3]] == [
        "constant c1, which nothing has kept", "v1 = x − c1, which nothing has kept",
    ]  # fmt: skip
    assert figure.steps[-1].words == "x̄ gets v̄1 = [1, 1]" and ">2 numbers</text>" in figure.boxes.svg


def test_what_is_no_result_is_refused():
    with pytest.raises(TypeError, match="step needs the Tensor that a computation ended in"):
        cr.step(3.0)
    with pytest.raises(ValueError, match="rankdir is LR"):
        cr.step(leaf(1.0) * 2, rankdir="up")
    with pytest.raises(ValueError, match='mode is "reverse" or "forward"'):
        cr.step(leaf(1.0) * 2, mode="both")


def test_a_result_that_nothing_was_recorded_for_has_no_way_back():
    c = cr.tensor(3.0)
    assert [s.words for s in cr.step(c).steps] == ["constant c = 3"]


def test_stepping_lets_go_of_nothing():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    cr.step(y)
    assert x.grad is None
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


# ---- what it is made of


class Balanced(HTMLParser):
    """Checks that every element is closed, and collects the attributes."""

    def __init__(self, html):
        super().__init__()
        self.open, self.attributes, self.cells = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag != "input":
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.cells[-1] += data


@every_program
@folded
@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_the_figure_is_small_well_formed_and_complete_in_itself(name, fold, rankdir):
    figure = stepped(name, fold=fold, rankdir=rankdir)
    bundle = figure._repr_mimebundle_()
    assert list(bundle) == ["text/plain", "text/html"] and bundle["text/plain"] == repr(figure)
    html = bundle["text/html"]
    assert len(html.encode()) < 27_000 and (len(figure.steps) > 40 or len(html.encode()) < 25_000)
    page = Balanced(html)
    assert page.cells[2::3] == [s.words.replace(";  ", "; ") for s in figure.steps]
    assert not [a for a in page.attributes if a[1] in ("id", "src", "href")]
    assert re.findall(r"https?:[^\"]*", html) == ["http://www.w3.org/2000/svg"]


@every_program
def test_the_picture_holds_every_value_and_says_what_it_is(name):
    figure = stepped(name)
    picture = ET.fromstring(figure.boxes.svg)
    assert picture.get("role") == "img" and picture.get("aria-label").startswith("Graph of ")
    texts = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    for value in figure.graph.nodes:
        assert printed(value.value) in texts
        if value.adjoint is not None:
            assert f"{barred(value.name)} = {printed(value.adjoint)}" in texts


def boxes(figure):
    """The box of each value: left, top, right, bottom."""
    pattern = r'<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"'
    found = [tuple(map(float, m)) for m in re.findall(pattern, figure.boxes.svg)]
    return [(x, y, x + w, y + h) for x, y, w, h in found]


@every_program
@folded
@pytest.mark.parametrize("rankdir", ["LR", "TB", "RL", "BT"])
def test_boxes_lie_apart_inside_the_picture_and_in_the_asked_direction(name, fold, rankdir):
    figure = stepped(name, fold=fold, rankdir=rankdir)
    found = boxes(figure)
    width, height = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"', figure.boxes.svg).groups())
    for i, (left, top, right, bottom) in enumerate(found):
        assert left >= 0 and top >= 0 and right <= width and bottom <= height
        for a, b, c, d in found[:i]:
            assert right <= a or c <= left or bottom <= b or d <= top
    side, sign = {"LR": (0, 1), "TB": (1, 1), "RL": (0, -1), "BT": (1, -1)}[rankdir]
    for edge in figure.graph.edges:
        start, end = (found[figure.number[v]] for v in (edge.source, edge.target))
        gap = end[side] - start[side + 2] if sign == 1 else start[side] - end[side + 2]
        assert gap > 20


PROGRAM = """
import chainrule as cr
x, w = cr.tensor([1.0, 2.0], requires_grad=True), cr.tensor(3.0, requires_grad=True)
u = x.detach()
y = ((x * w).sin() * w + u).sum()
print(cr.step(y).html, cr.step(y, rankdir="TB"))
"""


def test_the_same_graph_gives_the_same_bytes_everywhere(tmp_path):
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8", **more},
            capture_output=True,
            check=True,
        ).stdout
        for seed, more in [("1", {}), ("2", {"PATH": str(tmp_path)})]
    ]
    assert runs[0] == runs[1] and b"</script>" in runs[0]


def contrast(a, b):
    """How far apart two colours are, as the W3C's guidelines compute it."""

    def light(colour):
        colour = colour if len(colour) == 6 else "".join(c * 2 for c in colour)
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_read_on_light_and_on_dark():
    for sheet in (stepper.read("stepper.css"), stepper.DARK):
        colour = dict(re.findall(r"--(\w+): ?#(\w+)", sheet))
        grounds = [colour[name] for name in ("card", "box", "p", "c")]
        for name in ("ink", "primal", "tangent", "cotangent"):
            assert min(contrast(colour[name], ground) for ground in grounds) >= 4.5, (name, sheet[:60])
        assert contrast(colour["quiet"], colour["card"]) >= 4.5


# ---- in a browser


@pytest.fixture(scope="module")
def page(browser):
    tab = browser.new_page(viewport={"width": 900, "height": 900})
    tab.complaints = []
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    yield tab
    assert not tab.complaints
    tab.close()


def shown(*figures):
    return '<!doctype html><meta charset="utf-8">' + "<p>words</p>".join(f.html for f in figures)


def said(place, i=0):
    return place.locator(".cr-step").nth(i).get_by_role("status").inner_text()


def sentence(step):
    return step.words.replace(";  ", "; ")


def press(place, name, i=0):
    place.locator(".cr-step").nth(i).get_by_role("button", name=name).click()


def test_buttons_slider_and_keys_move_the_sentence(page):
    figure = stepped("trace")
    page.set_content(shown(figure))
    words = [figure.start, *map(sentence, figure.steps)]
    assert said(page) == words[0]
    for want in words[1:]:
        press(page, "Next")
        assert said(page) == want
    assert page.get_by_role("button", name="Next").is_disabled()
    press(page, "Back")
    assert said(page) == words[-2]
    slider = page.get_by_role("slider", name="Step")
    slider.fill("5")
    assert said(page) == words[5] and slider.get_attribute("aria-valuetext") == "step 5 of 17 · forward"
    for key, want in [
        ("ArrowRight", 6),
        ("ArrowRight", 7),
        ("ArrowLeft", 6),
        ("End", 17),
        ("Home", 0),
        ("ArrowDown", 1),
    ]:
        page.keyboard.press(key)
        assert said(page) == words[want] and slider.input_value() == str(want)


def test_forward_mode_shows_both_numbers_of_a_step(page):
    figure = stepped("trace", mode="forward")
    page.set_content(shown(figure))
    for i, s in enumerate(figure.steps, 1):
        press(page, "Next")
        assert said(page) == sentence(s)
        assert page.locator(".box .tangent:visible").count() == page.locator(".box .value:visible").count() == i


def test_jupyterlab_leaves_the_keys_to_the_controls(page):
    page.set_content(shown(stepped("cut")))
    controls = page.locator(".cr-step button, .cr-step input")
    assert [c.get_attribute("data-lm-suppress-shortcuts") for c in controls.all()] == ["true"] * 4
    page.evaluate("window.heard = []; addEventListener('keydown', event => heard.push(event.key))")
    controls.nth(1).press("ArrowDown")
    controls.last.press(" ")
    controls.last.press("x")
    assert page.evaluate("heard") == ["x"]


def test_a_step_lights_up_its_box_and_its_edges(page):
    figure = stepped("trace")
    page.set_content(shown(figure))
    for i, s in enumerate(figure.steps, 1):
        press(page, "Next")
        lit = page.eval_on_selector_all(".box", "boxes => boxes.flatMap((b, i) => b.matches('.now') ? [i] : [])")
        edges = page.eval_on_selector_all(".edge", "edges => edges.flatMap((e, i) => e.matches('.now') ? [i] : [])")
        assert lit == [figure.number[s.value]] and edges == sorted(figure.graph.edges.index(e) for e in s.edges)
        seen = page.eval_on_selector_all(
            ".box .adjoint", "texts => texts.filter(t => getComputedStyle(t).visibility === 'visible').length"
        )
        assert seen == len({t.value for t in figure.steps[:i] if t.way == "backward"})


def test_play_goes_to_the_end_and_can_be_paused(browser):
    figure = stepped("cut")
    tab = browser.new_page()
    tab.clock.install()
    tab.set_content(shown(figure))
    press(tab, "Play")
    assert said(tab) == sentence(figure.steps[0])
    tab.clock.run_for(3000)
    press(tab, "Pause")
    paused = said(tab)
    assert paused in [sentence(s) for s in figure.steps[1:-1]]
    tab.clock.run_for(60_000)
    assert said(tab) == paused
    tab.get_by_role("slider").focus()
    tab.keyboard.press(" ")
    tab.clock.run_for(60_000)
    assert said(tab) == sentence(figure.steps[-1]) and tab.get_by_role("button", name="Play").is_visible()
    press(tab, "Play")
    assert said(tab) == sentence(figure.steps[0])
    tab.close()


def test_two_figures_on_a_page_go_their_own_ways(page):
    first, second = stepped("trace"), stepped("cut")
    page.set_content(shown(first, second, first))
    press(page, "Next", 0)
    press(page, "Next", 1)
    press(page, "Next", 1)
    assert [said(page, i) for i in range(3)] == [
        sentence(first.steps[0]), sentence(second.steps[1]), first.start,
    ]  # fmt: skip
    assert page.locator(".cr-step button").count() == 9


JUPYTERLAB = """html => {
  const host = document.createElement("div");
  host.innerHTML = html;
  for (const old of host.querySelectorAll("script")) {
    const script = document.createElement("script");
    script.textContent = old.textContent;
    old.replaceWith(script);
  }
  document.body.append(host);
}"""


def test_it_works_when_put_into_a_page_that_is_there(page):
    figure = stepped("cut")
    page.set_content("<!doctype html><p>A notebook</p>")
    for i in range(2):
        page.evaluate(JUPYTERLAB, figure.html)
        press(page, "Next", i)
        assert said(page, i) == sentence(figure.steps[0])
    assert page.locator(".cr-step button").count() == 6


def test_a_page_that_was_saved_while_in_use_works_again(page):
    figure = stepped("cut")
    page.set_content(shown(figure))
    press(page, "Next")
    page.set_content(page.content())
    assert said(page) == figure.start and page.locator("button").count() == 3
    press(page, "Next")
    assert said(page) == sentence(figure.steps[0])


def test_it_works_in_a_frame_that_may_only_run_scripts(page):
    figure = stepped("cut")
    page.set_content('<!doctype html><iframe sandbox="allow-scripts" width="800" height="600"></iframe>')
    page.eval_on_selector("iframe", "(frame, html) => { frame.srcdoc = html; }", shown(figure))
    frame = page.frame_locator("iframe")
    press(frame, "Next")
    assert said(frame) == sentence(figure.steps[0])


def test_without_scripts_the_table_says_everything(browser):
    figure = stepped("cut")
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.set_content(shown(figure))
    assert tab.locator("button").count() == 0
    assert tab.locator("table").is_visible() and tab.locator("svg").is_visible()
    context.close()
    tab = browser.new_page()
    bare = re.sub(r"<(script|style|svg).*?</\1>", "", figure.html, flags=re.DOTALL)
    tab.set_content(f"<!doctype html>{bare}")
    rows = tab.locator("tbody tr").all_inner_texts()
    assert [unescape(row).split("\t")[2] for row in rows] == [sentence(s) for s in figure.steps]
    tab.close()


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_glides_for_readers_who_wish_for_less_motion(browser, wish):
    context = browser.new_context(reduced_motion=wish)
    tab = context.new_page()
    tab.set_content(shown(stepped("cut")))
    glides = tab.eval_on_selector(".box", "box => getComputedStyle(box).transitionDuration")
    assert (glides == "0s") == (wish == "reduce")
    context.close()


def test_a_wide_graph_scrolls_inside_and_follows_the_steps(browser):
    context = browser.new_context(viewport={"width": 390, "height": 800}, reduced_motion="reduce")
    tab = context.new_page()
    figure = stepped("trace")
    tab.set_content(shown(figure).replace("<meta", '<meta name="viewport" content="width=device-width"><meta', 1))
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.locator(".graph").get_attribute("tabindex") == "0"
    for _ in figure.steps:
        press(tab, "Next")
        inside = tab.evaluate(
            "() => { const [a, b] = ['.box.now', '.graph'].map(s => document.querySelector(s).getBoundingClientRect());"
            "return b.left - 1 <= a.left && a.right <= b.right + 1; }"
        )
        assert inside
    context.close()


SITES = {
    "system": ("", "dark", True),
    "book, dark": ('document.documentElement.dataset.theme = "dark"', "light", True),
    "book, light": ('document.documentElement.dataset.theme = "light"', "dark", False),
    "JupyterLab, dark": ('document.body.dataset.jpThemeLight = "false"', "light", True),
    "JupyterLab, light": ('document.body.dataset.jpThemeLight = "true"', "dark", False),
}


@pytest.mark.parametrize("site", SITES)
def test_it_is_dark_where_the_page_is(browser, site):
    script, scheme, dark = SITES[site]
    context = browser.new_context(color_scheme=scheme)
    tab = context.new_page()
    tab.set_content(shown(stepped("cut")))
    tab.evaluate(script)
    ground = tab.eval_on_selector(".cr-step", "root => getComputedStyle(root).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") != dark
    context.close()
