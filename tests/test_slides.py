"""The decks: enough slides, plain text on them, nothing from elsewhere, nothing over the edge."""

import os
import re
import subprocess

import nbformat
import pytest
from slides import SHOWN, chapters, kind

every_deck = pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
MYST = r"\{[\w:]+\}`|^:::|^```\{|^\+\+\+|\]\([^)]*\.(?:ipynb|md)\b"
# What of a slide lies outside it, measured in the deck's own pixels.
OUTSIDE = """() => {
  const slide = Reveal.getCurrentSlide(), edge = slide.getBoundingClientRect();
  const parts = [...slide.querySelectorAll("h1, h2, h3, p, li, pre, table, img, svg, .cr-step")];
  const over = (box) => Math.max(box.right - edge.right, box.bottom - edge.bottom, edge.left - box.left);
  return parts.filter((part) => !part.closest("details, mjx-assistive-mml"))
    .filter((part) => over(part.getBoundingClientRect()) > 1)
    .map((part) => part.tagName + ": " + part.textContent.slice(0, 60));
}"""
UNSET = r"""() => Reveal.getCurrentSlide().innerText.match(/\$[^$]+\$|\{[a-z]+\}`|\\\\(frac|bar|begin)/g)"""


def marked(chapter):
    return [cell for cell in nbformat.read(chapter, as_version=4).cells if kind(cell) in SHOWN]


@every_deck
def test_there_are_slides_for_a_lecture(chapter):
    assert 12 <= sum(kind(cell) == "slide" for cell in marked(chapter)) <= 24


@every_deck
def test_their_text_is_plain_markdown(chapter):
    for cell in marked(chapter):
        assert cell.cell_type == "code" or not re.search(MYST, cell.source, re.MULTILINE), cell.id


@every_deck
def test_no_exercise_is_on_them(chapter):
    for cell in marked(chapter):
        assert "course.check(" not in cell.source and "return ...\n" not in cell.source, cell.id


@pytest.fixture(scope="session")
def decks(root):
    env = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    made = subprocess.run(["make", "slides"], cwd=root, env=env, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return root / "_build" / "html" / "slides"


@pytest.fixture
def deck(decks, browser, chapter):
    """A deck, opened from its folder, with every request to a host refused."""
    tab = browser.new_page(viewport={"width": 1280, "height": 720})
    tab.requests, tab.complaints = [], []
    tab.route(re.compile("^(https?|wss?):"), lambda route: route.abort())
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto((decks / f"{chapter.stem}.html").as_uri())
    tab.wait_for_function("window.Reveal?.isReady()")
    yield tab
    tab.close()


@every_deck
def test_every_slide_is_reached_by_key_and_nothing_lies_over_its_edge(deck, chapter):
    seen = {}
    for _ in range(3 * len(marked(chapter))):
        slide = deck.evaluate("Reveal.getIndices().h")
        seen[slide] = deck.evaluate(OUTSIDE), deck.evaluate(UNSET)
        if deck.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
            break
        deck.keyboard.press("Space")
    assert len(seen) == 1 + sum(kind(cell) == "slide" for cell in marked(chapter))
    assert {slide: found for slide, found in seen.items() if found != ([], None)} == {}
    assert deck.locator("mjx-merror").count() == 0
    assert not [url for url in deck.requests if not url.startswith(("file:", "data:"))]
    assert not deck.complaints


@every_deck
def test_a_stepper_takes_the_keys_and_leaves_the_slide(deck, chapter):
    slides = "[...document.querySelectorAll('.slides > section')]"
    here = deck.evaluate(f"{slides}.findIndex((slide) => slide.querySelector('.cr-step'))")
    deck.evaluate(f"Reveal.slide({here})")
    figure = deck.locator("section.present .cr-step").first
    figure.get_by_role("button", name="Next").click()
    deck.keyboard.press("ArrowRight")
    deck.keyboard.press("Space")  # on the button, which it presses
    assert "step 3 of" in figure.locator(".say").inner_text()
    assert deck.evaluate("Reveal.getIndices().h") == here
    deck.keyboard.press("PageDown")
    assert deck.evaluate("Reveal.getIndices().h") == here + 1 or deck.evaluate("Reveal.isLastSlide()")
