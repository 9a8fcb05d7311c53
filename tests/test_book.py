"""The built book, as `make book` leaves it, as files and in a real browser."""

import gzip
import re
from html.parser import HTMLParser

import formulas
import pytest
import yaml
from fontTools.ttLib import TTFont


def contents(root):
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *(page["file"] for c in chapters for page in [c, *c.get("sections", [])])]


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", contents(metafunc.config.rootpath), scope="module")


class Loaded(HTMLParser):
    """The addresses that a page loads by itself, without a click."""

    def __init__(self, page):
        super().__init__()
        self.addresses = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if ("rel", "canonical") in attributes:
            return
        for name, value in attributes:
            if name in ("src", "srcset", "poster", "data") or (name == "href" and tag in ("link", "image", "use")):
                self.addresses.append(value or "")


def test_the_page_is_there_and_loads_from_no_other_host(book, page):
    html = (book / f"{page}.html").read_text(encoding="utf-8")
    assert not [a for a in Loaded(html).addresses if re.match(r"\s*(https?:)?//", a)]


def test_styles_load_from_no_other_host(book):
    for path in book.rglob("*.css"):
        css = path.read_text(encoding="utf-8")
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", css), path


def test_the_font_of_formulas_has_what_no_character_says(book):
    glyphs = TTFont(book / "_static" / formulas.FONT).getBestCmap()
    assert {ord("√"), ord("𝑥"), ord("ℎ"), ord("𝜃")} <= glyphs.keys()


def test_a_page_weighs_little(book, page):
    place = book / f"{page}.html"
    html = place.read_text(encoding="utf-8")
    pictures = {a for a in Loaded(html).addresses if "_images/" in a}
    weight = len(gzip.compress(html.encode())) + sum((place.parent / a).stat().st_size for a in pictures)
    assert weight <= 1_000_000


def test_the_search_finds_a_word_without_a_network(book, browser):
    tab = browser.new_page()
    tab.goto((book / "search.html").as_uri() + "?q=cotangent")
    tab.wait_for_selector("#search-results li a")
    assert tab.locator("#search-results li a").count() > 3
    tab.close()


@pytest.fixture(scope="module", params=[1280, 390])
def opened(request, book, browser, page):
    """The page, opened from its folder, with every request to a host refused."""
    tab = browser.new_page(viewport={"width": request.param, "height": 900})
    tab.requests, tab.complaints = [], []
    tab.route(re.compile("^(https?|wss?):"), lambda route: route.abort())
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto((book / f"{page}.html").as_uri())
    yield tab
    tab.close()


def test_the_page_works_without_a_network(opened):
    assert not [url for url in opened.requests if not url.startswith(("file:", "data:"))]
    assert not opened.complaints
    drawn = "formulas => formulas.map(f => f.querySelector('math')?.getBoundingClientRect().width ?? 0)"
    assert all(opened.eval_on_selector_all(".math", drawn))
    assert opened.evaluate("document.fonts.ready.then(fonts => [...fonts].every(font => font.status != 'error'))")


def test_a_stepper_colours_what_it_shows(opened):
    for stepper in opened.locator(".cr-step").all():
        stepper.get_by_role("slider").press("End")
        fills = "boxes => boxes.map(box => getComputedStyle(box).fill)"
        found = stepper.locator(".box path, .box rect").evaluate_all(fills)
        assert found and "rgb(0, 0, 0)" not in found


def test_the_page_never_scrolls_sideways(opened):
    width = opened.viewport_size["width"]
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 1280:
        wide = "pre => pre.filter(p => p.scrollWidth > p.clientWidth).map(p => p.innerText)"
        assert opened.eval_on_selector_all("main pre", wide) == []
