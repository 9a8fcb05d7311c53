"""Chromium prints the built book: a PDF of each chapter and appendix, and of the whole.

What is printed is a page made of the articles of built pages, so that links between
chapters lead to pages of the PDF. What has not changed since is not printed again.
"""

import asyncio
import hashlib
import json
import os
import posixpath
import re
import shutil
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urldefrag, urljoin

from light import SHEET

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WHOLE = "chainrule"
ARTICLE = re.compile(r'(?<=<article class=")bd-article".*?(?=</article>)', re.DOTALL)
READY = "document.fonts.ready.then(() => null)"


def chromium():
    """The browser; None where it is missing, or Playwright, which drives it."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found if find_spec("playwright") else None


def below(contents, page):
    """A page and those under it, in the order of the contents."""
    yield page
    for tree in contents[page].subtrees:
        for item in tree.items:
            yield from below(contents, str(item))


def printouts(env):
    """The name of each PDF, and its pages. The reference of the engine is in none."""
    contents = env.external_site_map
    pages = list(below(contents, contents.root.docname))
    chapters = [p for p in pages[1:] if env.doc2path(p).endswith(".ipynb")]
    names = {Path(page).name: [page] for page in chapters}
    return names | {WHOLE: [page for page in pages if "/api/" not in page]}


def called(page, place=""):
    """The id of a page, or of a place on it, where several pages are one.

    >>> called("book/03_backpropagation", "quiz")
    'book-03_backpropagation--quiz'
    """
    return page.replace("/", "-") + (f"--{place}" if place else "")


def beside(page, address):
    """An address on a page, seen from the root of the book.

    >>> beside("book/beyond/kinks", "../glossary.html")
    'book/glossary.html'
    """
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), address))


def redirect(address, page, pages, site):
    """A link into the same PDF, else to the published book, else none.

    >>> redirect("kinks.html#ties", "book/intro", ["book/intro", "book/kinks"], None)
    'href="#book-kinks--ties"'
    >>> redirect("api/", "book/intro", ["book/intro"], "https://there/book/intro.html")
    'href="https://there/book/api/"'
    """
    if re.match(r"\w+:", address):
        return f'href="{address}"'
    path, place = urldefrag(address)
    target = beside(page, path).removesuffix(".html") if path else page
    if target in pages:
        return f'href="#{called(target, place)}"'
    return f'href="{urljoin(site, address)}"' if site else ""


def article(html, page, pages):
    """What a page says, as part of a page at the root of the book."""
    site = re.search(r'<link rel="canonical" href="([^"]+)"', html)

    def moved(match):
        name, value = match.groups()
        if name == "href":
            return " " + redirect(value, page, pages, site and site[1])
        return (
            f' {name}="{called(page, value) if name == "id" else beside(page, value)}"'
        )

    text = ARTICLE.search(html)[0].replace('loading="lazy" ', "")
    text = re.sub(r'\s(id|href|src)="([^"]*)"', moved, text)
    place = called(page)
    return f'<article id="{place}" style="page: {place}" class="{text}</article>'


def title(html):
    """The heading of a page, as plain text."""
    marked = re.search(r"<h1[^>]*>(.*?)</h1>", ARTICLE.search(html)[0], re.DOTALL)[1]
    bare = re.sub(r'<a class="headerlink".*?</a>|<[^>]+>', "", marked, flags=re.DOTALL)
    return " ".join(unescape(bare).split())


def quoted(words):
    """A string in CSS."""
    return json.dumps(words, ensure_ascii=False)


def document(built, pages):
    """The page to print."""
    texts = {p: (built / f"{p}.html").read_text(encoding="utf-8") for p in pages}
    heads = "\n".join(
        f"@page {called(page)} {{ @top-right {{ content: {quoted(title(html))} }} }}"
        for page, html in texts.items()
    )
    articles = "\n".join(article(html, page, pages) for page, html in texts.items())
    return f"""<!DOCTYPE html>
<html lang="en" data-theme="light">
<head><meta charset="utf-8"><title>{title(texts[pages[0]])}</title>
<link rel="stylesheet" href="_static/{SHEET}">
<style>{heads}</style></head>
<body><div class="bd-content">
{articles}
</div></body></html>
"""


def fingerprint(built, text):
    """Changes whenever the print-out would: with the page, and all that it loads."""
    sums = hashlib.sha256(text.encode() + Path(__file__).read_bytes())
    for address in sorted(set(re.findall(r' (?:src|href)="([^"#:?]+)["?]', text))):
        sums.update((built / address).read_bytes())
    return sums.hexdigest()


async def print_page(browser, turns, built, name, text):
    async with turns:
        source, path = built / f"{name}.print.html", built / "pdf" / f"{name}.pdf"
        source.write_text(text, encoding="utf-8")
        tab = await browser.new_page()
        try:
            await tab.goto(source.as_uri(), timeout=300_000)
            await tab.evaluate(READY)
            options = {"prefer_css_page_size": True, "print_background": True}
            printed = await tab.pdf(outline=True, tagged=True, **options)
        finally:
            await tab.close()
            source.unlink()
        # The same bytes for the same pages: without the hour.
        path.write_bytes(re.sub(rb"/(Creation|Mod)Date \(D:[^)]*\)", blank, printed))


def blank(match):
    return b" " * len(match[0])


async def print_all(built, stale):
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        launch = playwright.chromium.launch
        browser = await launch(executable_path=chromium(), args=FLAGS)
        turns = asyncio.Semaphore(os.cpu_count() or 1)
        longest_first = sorted(stale, key=lambda name: -len(stale[name]))
        await asyncio.gather(
            *(print_page(browser, turns, built, n, stale[n]) for n in longest_first)
        )
        await browser.close()


def print_book(app, exception):
    if exception or app.builder.name != "html" or not chromium():
        return
    built = Path(app.outdir)
    known = built.parent / "pdf.json"
    before = json.loads(known.read_text()) if known.exists() else {}
    texts = {n: document(built, pages) for n, pages in printouts(app.env).items()}
    now = {name: fingerprint(built, text) for name, text in texts.items()}
    (built / "pdf").mkdir(exist_ok=True)
    stale = {
        name: text
        for name, text in texts.items()
        if before.get(name) != now[name] or not (built / "pdf" / f"{name}.pdf").exists()
    }
    for name in stale:  # what is missing is stale, should the printing be broken off
        (built / "pdf" / f"{name}.pdf").unlink(missing_ok=True)
    known.write_text(json.dumps(now))
    if stale:
        asyncio.run(print_all(built, stale))


def setup(app):
    app.connect("build-finished", print_book, priority=950)  # after light.py
    return {"parallel_read_safe": True}
