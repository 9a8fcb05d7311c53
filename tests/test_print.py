"""The PDFs that Chromium has printed: whole, tagged, linked, and free of traces of the machine."""

import re
from html import unescape
from urllib.parse import unquote

import pytest
import yaml
from printing import ARTICLE, WHOLE, beside
from pypdf import PdfReader
from test_book import contents


def chapters(root):
    course, beyond, *_ = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    return [chapter["file"] for part in (course, beyond) for chapter in part["chapters"]]


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        names = [page.rpartition("/")[2] for page in chapters(metafunc.config.rootpath)]
        metafunc.parametrize("name", [*names, WHOLE], scope="module")


@pytest.fixture(scope="module")
def pdf(book, browser, name):
    return PdfReader(book / "pdf" / f"{name}.pdf")


def bookmarks(outline):
    for entry in outline:
        if isinstance(entry, list):
            yield from bookmarks(entry)
        else:
            yield entry


def links(pdf):
    """What the links of all pages lead to: an address, or None inside the PDF."""
    for page in pdf.pages:
        for annotation in page.get("/Annots", []):
            yield annotation.get_object().get("/A", {}).get("/URI")


def test_it_can_be_read_aloud_and_found_in(pdf):
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    assert pdf.metadata.title


def test_no_sheet_is_empty(pdf):
    for number, page in enumerate(pdf.pages, 1):
        assert len(re.findall(rb"T[jJ]", page.get_contents().get_data())) > 5, number


def test_it_knows_nothing_of_the_machine_or_the_hour(book, pdf, name):
    assert not [address for address in links(pdf) if address and not re.match("https?:|mailto:", address)]
    assert not re.search(rb"file://|/CreationDate \(", (book / "pdf" / f"{name}.pdf").read_bytes())


def test_the_bookmarks_are_the_headings(root, book, browser, pdf, name):
    # Chromium drops the space where a heading goes on in the next line.
    titles = {"".join(str(entry["/Title"]).split()) for entry in bookmarks(pdf.outline)}
    for page in chapters(root):
        if name in (WHOLE, page.rpartition("/")[2]):
            html = ARTICLE.search((book / f"{page}.html").read_text(encoding="utf-8"))[0]
            headings = re.findall(r"<h[12]>(.*?)<a class=.headerlink", html, re.DOTALL)
            assert {unescape(re.sub(r"<.*?>|\s", "", heading)) for heading in headings} <= titles


def test_links_between_chapters_lead_to_pages_of_the_whole(book, browser):
    whole, alone = (PdfReader(book / "pdf" / f"{name}.pdf") for name in (WHOLE, "02_chain_rule"))
    assert sum(address is None for address in links(whole)) > 300
    assert len(whole.named_destinations) > 10 * len(alone.named_destinations)


def test_what_is_folded_on_the_page_is_folded_on_paper(book, browser):
    text = "".join(page.extract_text() for page in PdfReader(book / "pdf" / "own_operation.pdf").pages)
    assert "Solution: folded in the book" in text
    assert "return theta - eta * gradient" not in text


def test_the_pages_offer_what_there_is(root, book, browser):
    for page in contents(root):
        html = (book / f"{page}.html").read_text(encoding="utf-8")
        offered = re.findall(r'<a href="([^"]*(?:pdf/|slides/)[^"]*)"', html)
        assert [beside(page, address) for address in offered if "chainrule.pdf" in address]
        assert (page in chapters(root)) == any(f"{page.rpartition('/')[2]}.pdf" in address for address in offered)
        for address in offered:
            assert (book / unquote(beside(page, address))).is_file(), address
