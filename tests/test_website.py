"""Links within the built book, and what a published one says to search engines and other sites."""

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
import website
from matplotlib.image import imread
from sphinx.errors import ConfigError

SITE = "https://reader.github.io/course/"


class Page(HTMLParser):
    """The places of a page, and the addresses that it leads to or loads."""

    def __init__(self, path):
        super().__init__()
        self.places, self.addresses, self.tags = set(), set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append((tag, given))
        if tag == "base":
            return
        self.places |= {given.get("id"), given.get("name")}
        self.addresses |= {given[name] for name in ("href", "src", "poster", "data", "action") if given.get(name)}
        self.addresses |= {part.split()[0] for part in given.get("srcset", "").split(",") if part.strip()}

    def meta(self, name):
        """What a tag of the head says."""
        [said] = [a["content"] for tag, a in self.tags if tag == "meta" and name in (a.get("name"), a.get("property"))]
        return said


def pages(folder):
    """The parsed pages of a built book, without the parts that the theme keeps beside its styles."""
    found = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts}
    assert found
    return found


@pytest.fixture(scope="module")
def found(book):
    return pages(book)


def lost(folder, found):
    """The addresses within the book that lead nowhere: each with the page it stands on."""
    for path, page in found.items():
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = Path(unquote(urlsplit(urljoin(path.as_uri(), parts.path)).path)) if parts.path else path
            missing = not target.is_file() or not target.is_relative_to(folder.resolve())
            place = unquote(parts.fragment)
            if missing or (place and target.suffix == ".html" and place not in found[target].places):
                yield f"{path.relative_to(folder.resolve())}: {address}"


def test_every_link_and_every_place_within_the_book_is_there(book, found):
    assert sum(len(page.addresses) for page in found.values()) > 1000
    assert list(lost(book, found)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#here">x</a><a href="b.html#there">y</a><img src="c.png">')
    (tmp_path / "b.html").write_text('<p id="here"><a href="#gone">z</a><a href="#">top</a>')
    assert sorted(lost(tmp_path, pages(tmp_path))) == ["a.html: b.html#there", "a.html: c.png", "b.html: #gone"]


def test_what_styles_load_is_there(book):
    for sheet in book.rglob("*.css"):
        for address in re.findall(r"url\(\s*['\"]?([^'\")]+)", sheet.read_text(encoding="utf-8")):
            if not address.startswith(("data:", "#")):
                assert (sheet.parent / urlsplit(address).path).is_file(), f"{sheet}: {address}"


def test_what_search_finds_is_there(book):
    index = json.loads((book / "searchindex.js").read_text(encoding="utf-8")[len("Search.setIndex(") : -1])
    assert len(index["docnames"]) > 30
    assert [name for name in index["docnames"] if not (book / f"{name}.html").is_file()] == []


def test_links_to_other_sites_are_well_formed(found):
    for path, page in found.items():
        for address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                assert parts.scheme in ("https", "mailto", "data"), f"{path}: {address}"
                assert parts.scheme != "https" or re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc), f"{path}: {address}"
                assert not re.search(r"[\s<>\"{}|\\^`]", address), f"{path}: {address}"


# ---- what is said about a page


def test_every_page_has_a_description_of_its_own_and_an_icon(book, found):
    said = {}
    for path, page in found.items():
        if path != book / "index.html":  # which only leads on
            words = page.meta("description")
            assert 40 <= len(words) <= 200 and words not in said, f"{path}: {words}"
            said[words] = path
            icons = {a["rel"]: a["href"] for tag, a in page.tags if tag == "link" and "icon" in a["rel"]}
            assert set(icons) == {"icon", "apple-touch-icon"}


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"SITE_URL": "https://ad.example.org"}, "https://ad.example.org/"),
        ({"SITE_URL": "", "GITHUB_REPOSITORY": "a/b"}, ""),
        (
            {"CI_PAGES_URL": "https://a.gitlab.io/b", "CI_PROJECT_URL": "https://gitlab.com/a/b"},
            "https://a.gitlab.io/b/",
        ),
        ({"GITHUB_REPOSITORY": "Reader/Course"}, "https://reader.github.io/Course/"),
        ({"GITHUB_REPOSITORY": "Reader/reader.github.io"}, "https://reader.github.io/"),
        ({"SITE_URL": "https://ad.example.org/", "GITHUB_REPOSITORY": "a/b"}, "https://ad.example.org/"),
        ({"GITHUB_REPOSITORY": "a/b", "GITHUB_SERVER_URL": "https://git.example.org"}, ""),
        ({"REPOSITORY_URL": ""}, ""),
    ],
)
def test_the_address_of_the_site_is_read_from_the_environment(env, expected):
    assert website.address(env) == expected


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="begins with https://"):
        website.address({"SITE_URL": "ad.example.org"})


def test_a_published_page_says_where_it_lies_and_has_a_card(published):
    for path, page in pages(published).items():
        name = path.relative_to(published).as_posix()
        if not name.startswith("book/"):
            continue
        address = SITE + name
        assert [a["href"] for tag, a in page.tags if tag == "link" and a["rel"] == "canonical"] == [address]
        assert page.meta("og:url") == address
        assert page.meta("og:description") == page.meta("description")
        assert page.meta("og:title") in page.meta("og:image:alt")
        card = published / page.meta("og:image").removeprefix(SITE)
        assert card.read_bytes()[16:24] == (1200).to_bytes(4) + (630).to_bytes(4)  # a PNG's size


def test_two_pages_never_share_a_card(published):
    cards = [path.read_bytes() for path in (published / "_images" / "cards").iterdir()]
    assert len(cards) == len(set(cards)) == 4


def test_the_map_lists_the_pages_and_robots_are_told_of_it(published):
    places = [place.text for place in ElementTree.parse(published / "sitemap.xml").findall(".//{*}loc")]
    built = [SITE + path.relative_to(published).as_posix() for path in sorted((published / "book").rglob("*.html"))]
    assert sorted(places) == built
    assert f"Sitemap: {SITE}sitemap.xml" in (published / "robots.txt").read_text()


def test_the_page_for_what_is_not_found_works_at_any_depth_and_from_a_folder(published, browser):
    tab = browser.new_page()
    complaints = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))

    def serve(route):
        path = published / route.request.url.removeprefix(SITE).split("?")[0]
        there = route.request.url.startswith(SITE) and path.is_file()
        route.fulfill(path=path if there else published / "404.html", status=200 if there else 404)

    tab.route(re.compile("^https:"), serve)
    for place in (SITE + "no/such/page.html", SITE + "none", (published / "404.html").as_uri()):
        tab.goto(place)
        assert tab.get_by_role("heading", level=1).inner_text().startswith("Page not found")
        assert tab.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--primal')").strip()
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        tab.wait_for_url(place + "#main-content")
        tab.get_by_role("link", name="at the beginning").click()
        assert tab.url.endswith("/book/intro.html")
    assert not complaints
    tab.close()


# ---- the icon


def test_the_touch_icon_is_a_picture_of_the_favicon(root, browser):
    static = root / "book" / "_static"
    tab = browser.new_page(viewport={"width": 180, "height": 180})
    style = "<style>body{margin:0;background:#fff}svg{display:block;width:140px;padding:20px}</style>"
    tab.set_content(style + (static / "favicon.svg").read_text(encoding="utf-8"))
    drawn = imread(io.BytesIO(tab.screenshot()))[..., :3]
    tab.close()
    stored = imread(static / "apple-touch-icon.png")[..., :3]
    difference = np.mean(np.abs(drawn - stored)) * 255
    assert difference < 2, "draw book/_static/apple-touch-icon.png anew: the favicon at 140 x 140 on white"
