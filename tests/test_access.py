"""The built book for readers who listen, who have only a keyboard, or who wish for less motion."""

import re
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise

import pytest
from test_book import contents

BESIDE = ["genindex", "search", "404"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", [*contents(metafunc.config.rootpath), *BESIDE], scope="module")


class Reader:
    """One tab, and how to open pages of the book in it."""

    def __init__(self, book, browser, **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.book, self.tab = book, context.new_page()

    def open(self, page, width=1280):
        self.tab.set_viewport_size({"width": width, "height": 900})
        self.tab.goto((self.book / f"{page}.html").as_uri())
        return self.tab


@pytest.fixture(scope="module")
def reader(book, browser):
    reader = Reader(book, browser, reduced_motion="reduce")
    yield reader
    reader.tab.context.close()


# ---- what axe-core finds

# Of the texts that look the same, colours, size and weight down to the ground they stand on, the first.
LOOKS = """() => {
  const first = new Map();
  for (const part of document.body.querySelectorAll("*")) {
    const own = [...part.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !part.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const {color, fontSize, fontWeight} = getComputedStyle(part), look = [color, fontSize, fontWeight];
    for (let ground = part; ground; ground = ground.parentElement) {
      const {backgroundColor, backgroundImage, filter, opacity} = getComputedStyle(ground);
      look.push(backgroundColor, backgroundImage, filter, opacity);
    }
    const key = look.filter(x => !["rgba(0, 0, 0, 0)", "none", "1"].includes(x)).join();
    if (!first.has(key)) first.set(key, part);
  }
  return [...first.values()];
}"""

RUN = """([context, options]) => axe.run(context || document, {resultTypes: ["violations"], ...options}).then(
  found => found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.id}: ${node.target} ${node.html.slice(0, 120)} ${node.failureSummary}`)))"""

COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
ALL_ELSE = {"runOnly": RULES, "rules": {name: {"enabled": False} for name in COLOURS["runOnly"]}}


def load_axe(tab):
    tab.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))


def unreadable(tab):
    """What axe says of the colours of the page as it is shown."""
    return tab.evaluate(RUN, [tab.evaluate_handle(LOOKS), COLOURS])


def set_theme(tab, theme):
    tab.evaluate("theme => Object.assign(document.documentElement.dataset, {theme, mode: theme})", theme)


@pytest.fixture(scope="module")
def opened(reader, page):
    tab = reader.open(page)
    load_axe(tab)
    return tab


def test_axe_finds_nothing_in_the_structure(opened):
    assert opened.evaluate(RUN, [None, ALL_ELSE]) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_the_colours(opened, theme):
    set_theme(opened, theme)
    assert unreadable(opened) == []


# ---- headings, landmarks, names

HEADINGS = """() => [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")]
  .filter(h => h.checkVisibility()).map(h => [Number(h.tagName[1]),
    [...h.childNodes].filter(n => !n.matches?.(".headerlink")).map(n => n.textContent).join("")])"""


def test_headings_begin_with_the_only_first_and_skip_none(opened):
    headings = opened.evaluate(HEADINGS)
    levels = [level for level, _ in headings]
    assert levels[0] == 1 and levels.count(1) == 1, headings
    assert all(b <= a + 1 for a, b in pairwise(levels)), headings
    assert all(words.strip() for _, words in headings)


def tree(tab, role, within="html"):
    """The names of the parts with that role, as Chromium tells them to a screen reader."""
    session = tab.context.new_cdp_session(tab)
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    place = session.send("DOM.querySelector", {"nodeId": root, "selector": within})["nodeId"]
    nodes = session.send("Accessibility.queryAXTree", {"nodeId": place, "role": role})["nodes"]
    session.detach()
    return [node.get("name", {}).get("value", "") for node in nodes if not node["ignored"]]


def test_landmarks_are_there_and_can_be_told_apart(opened):
    assert len(tree(opened, "main")) == 1
    assert len(tree(opened, "banner")) == len(tree(opened, "contentinfo")) == 1
    names = tree(opened, "navigation")
    assert names and all(names) and len(names) == len(set(names))


TEXT = "article, .bd-search-container"
PICTURES = """text => [...document.querySelector(text).querySelectorAll("img, svg")]
  .filter(x => !x.closest("button, summary, .svg-inline--fa") && x.checkVisibility())
  .map(x => x.outerHTML)"""


def test_every_picture_has_words_of_its_own(opened):
    pictures = opened.evaluate(PICTURES, TEXT)
    on_buttons = tree(opened, "button", TEXT)
    names = [name for name in tree(opened, "image", TEXT) if name not in on_buttons]
    assert len(names) == len(pictures), pictures
    assert not [name for name in names if re.search(r"\.(png|svg|jpe?g)$|^[0-9a-f]{16,}$", name) or len(name) < 12]
    drawn = {sha256(re.sub(r'(alt|aria-label)="[^"]*"', "", picture).encode()).hexdigest() for picture in pictures}
    assert len(set(names)) == len(drawn), sorted(names)


def test_everything_that_can_be_operated_has_a_name(opened):
    for role in ("button", "link", "slider", "textbox", "searchbox", "checkbox", "radio", "DisclosureTriangle"):
        assert all(tree(opened, role)), role


# ---- by keyboard

# What has the focus: a path that tells it from others, whether it is seen, and whether the focus is.
FOCUS = """() => {
  const at = document.activeElement;
  if (at === document.body || !at) return null;
  const look = () => {
    const all = [undefined, "::before", "::after"].map(part => getComputedStyle(at, part));
    all.push(...[...at.children].map(child => getComputedStyle(child)));
    return all.map(s => [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.backgroundColor, s.color,
                         s.textDecorationLine, s.borderColor, s.opacity].join()).join();
  };
  const focused = look();
  at.blur();
  const shows = focused !== look();
  at.focus({preventScroll: true, focusVisible: true});
  const box = at.getBoundingClientRect();
  at.dataset.visited = "";
  return {html: at.outerHTML.slice(0, 120), shows, seen: box.bottom > 0 && box.top < innerHeight && box.width > 0};
}"""

OPERATED = """() => [...document.querySelectorAll(
    "a[href], button:enabled, input:enabled, select, summary, [tabindex='0'], audio, video")]
  .filter(x => x.checkVisibility({visibilityProperty: true}) && x.tabIndex >= 0 && !("visited" in x.dataset)
    && x.getClientRects().length)
  .map(x => x.outerHTML.slice(0, 120))"""


def walk(tab, most=1500):
    """Press Tab until the page is left; what had the focus on the way."""
    stops = []
    while (stop := (tab.keyboard.press("Tab"), tab.evaluate(FOCUS))[1]) is not None:
        stops.append(stop)
        assert len(stops) < most, "the focus is trapped"
    return stops


@pytest.mark.parametrize(
    ("name", "width"), [("book/intro", 1280), ("book/intro", 390), ("book/04_detaching", 1280), ("search", 1280)]
)
def test_tab_goes_through_all_that_can_be_operated_and_out_again(reader, name, width):
    tab = reader.open(name, width)
    tab.evaluate("document.activeElement.blur()")  # the search page begins in its field
    stops = walk(tab)
    assert tab.evaluate(OPERATED) == []
    assert [stop["html"] for stop in stops if not stop["shows"]] == []
    assert [stop["html"] for stop in stops if not stop["seen"]] == []


def test_the_first_tab_offers_to_skip_to_the_text(reader):
    tab = reader.open("book/04_detaching")
    tab.keyboard.press("Tab")
    skip = tab.get_by_role("link", name="Skip to main content")
    assert skip.evaluate("x => x === document.activeElement && x.getBoundingClientRect().top >= 0")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_theme_is_switched(reader, key):
    tab = reader.open("book/errata")
    seen = set()
    for _ in range(3):
        tab.get_by_role("button", name="Color mode").press(key)
        seen.add(tab.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"light", "dark", "auto"}


def test_search_opens_closes_and_finds(reader):
    tab = reader.open("book/errata")
    field = tab.locator("#pst-search-dialog input")
    button = tab.get_by_role("button", name="Search").first
    button.press("Enter")
    assert field.evaluate("x => x === document.activeElement")
    load_axe(tab)
    assert tab.evaluate(RUN, [None, ALL_ELSE]) == [] == unreadable(tab)
    tab.keyboard.press("Escape")
    assert not field.is_visible() and button.evaluate("x => x === document.activeElement")
    tab.keyboard.press("Control+k")
    tab.keyboard.type("cotangent")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?q=cotangent*")
    tab.locator("#search-results li a").first.wait_for()


def test_the_contents_open_on_a_phone_and_close_with_escape(reader):
    tab = reader.open("book/errata", 390)
    button = tab.locator("button.primary-toggle:visible")
    button.press("Enter")
    dialog = tab.locator("#pst-primary-sidebar-modal")
    dialog.wait_for()
    tab.keyboard.press("Tab")
    assert dialog.evaluate("x => x.contains(document.activeElement)")
    load_axe(tab)
    assert tab.evaluate(RUN, [None, ALL_ELSE]) == [] == unreadable(tab)
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert button.evaluate("x => x === document.activeElement")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_folds_open_and_close(reader, key):
    tab = reader.open("book/04_detaching")
    for fold in tab.locator("main summary:visible").all()[:4]:
        details = fold.locator("xpath=..")
        before = details.evaluate("x => x.open")
        fold.press(key)
        assert details.evaluate("x => x.open") != before
        fold.press(key)
        assert details.evaluate("x => x.open") == before


def test_code_is_copied(reader):
    tab = reader.open("book/04_detaching")
    button = tab.locator("button.copybtn:visible").first
    button.focus()
    assert button.evaluate("x => getComputedStyle(x).opacity") == "1"
    button.press("Enter")
    tab.locator("button.copybtn.success").first.wait_for()


def test_who_closes_the_search_on_a_phone_is_back_at_its_button(reader):
    tab = reader.open("book/04_detaching", 390)
    button = tab.locator("button.search-button:visible").first
    button.press("Enter")
    tab.locator("#pst-search-dialog[open]").wait_for()
    tab.keyboard.press("Escape")
    tab.wait_for_function("x => document.activeElement === x", arg=button.element_handle())


def test_a_reader_who_comes_back_is_where_he_was(reader):
    tab = reader.open("book/04_detaching", 390)
    tab.wait_for_selector("main section section.there:last-of-type")
    tab.evaluate("scrollTo(0, 12000)")
    tab.reload()
    tab.wait_for_function("Math.abs(scrollY - 12000) < 50")


def test_the_end_of_a_page_is_its_end_at_once(reader):
    tab = reader.open("book/04_detaching", 390)
    tab.keyboard.press("End")
    tab.wait_for_selector("main section section.there:last-of-type")
    tab.wait_for_function("scrollY + innerHeight > document.documentElement.scrollHeight - 50")


SCROLLING = """() => [...document.querySelectorAll("main *")].filter(x => x.scrollWidth > x.clientWidth + 1
    && x.clientWidth && /auto|scroll/.test(getComputedStyle(x).overflowX) && x.checkVisibility()
    && x.tabIndex < 0 && !x.querySelector("a[href], button, input, [tabindex='0']"))
  .map(x => x.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", ["book/01_introduction", "book/05_control_flow", "book/api/operations", "book/speed"])
def test_what_scrolls_sideways_on_a_phone_is_reached(reader, name):
    tab = reader.open(name, 390)
    tab.evaluate("document.querySelectorAll('main details').forEach(x => { x.open = true; })")
    tab.wait_for_timeout(600)  # the theme waits a little after a change
    assert tab.evaluate(SCROLLING) == []
    wide = tab.locator("main :is(pre, .math, .pst-scrollable-table-container)[tabindex='0'], main .graph").first
    wide.press("ArrowRight")
    tab.wait_for_function("x => x.scrollLeft > 0", arg=wide.element_handle())


# ---- motion

MOVING = """() => [...document.querySelectorAll("*")].flatMap(x => [undefined, "::before", "::after"].flatMap(p => {
  const s = getComputedStyle(x, p);
  const still = d => d.split(",").every(t => parseFloat(t) === 0);
  return still(s.transitionDuration) && still(s.animationDuration) && s.scrollBehavior === "auto"
    ? [] : [x.outerHTML.slice(0, 80)];
}))"""


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_nothing_moves_for_readers_who_wish_for_less_motion(book, browser, wish):
    reader = Reader(book, browser, reduced_motion=wish)
    moving = reader.open("book/02_chain_rule").evaluate(MOVING)
    assert bool(moving) == (wish == "no-preference"), moving[:5]
    reader.tab.context.close()
