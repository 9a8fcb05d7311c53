"""Where the site lies, and what search engines and other sites are told of it.

The address is SITE_URL, or what GitLab's CI says, or where GitHub Pages puts the
repository's site. Where none is known, pages carry a description and nothing else.
"""

import os
import re
import textwrap
from html import escape
from pathlib import Path

from docutils import nodes
from repository import repository
from sphinx.errors import ConfigError

ROOT = Path(__file__).parents[2]
COLOURS = ["#0072B2", "#009E73", "#D55E00"]  # primal, tangent, cotangent
MOTTO = "a course on automatic differentiation that runs"
WITHOUT_TITLE = {"genindex": "Index", "search": "Search"}
NOT_FOUND = """<h1>Page not found</h1>
<p>There is no page at this address. It may have been renamed: look for it in the table
of contents, <a href="search.html">search for it</a>, or begin
<a href="{start}">at the beginning</a>.</p>"""
# Such a page is shown at any depth of the site, and may be opened from a folder.
FROM_ANYWHERE = """<base href="{path}" /><script>
if (location.protocol === "file:") document.querySelector("base").remove();
addEventListener("DOMContentLoaded", () => {{
  for (const a of document.querySelectorAll('a[href^="#"]'))
    a.href = location.href.split("#")[0] + a.getAttribute("href");
}});
</script>
"""


def address(env=os.environ):
    """The site's address, with a slash at its end; "" if it is not known.

    >>> address({"SITE_URL": "https://example.org/course"})
    'https://example.org/course/'
    >>> address({"REPOSITORY_URL": "https://github.com/Reader/course"})
    'https://reader.github.io/course/'
    >>> address({"REPOSITORY_URL": "https://github.com/reader/reader.github.io"})
    'https://reader.github.io/'
    >>> address({"REPOSITORY_URL": "https://git.example.org/reader/course"})
    ''
    """
    given = env.get("SITE_URL", env.get("CI_PAGES_URL"))
    if given is None:
        found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+)", repository(env)[0])
        if found is None:
            return ""
        owner, name = found[1].lower(), found[2]
        given = f"https://{owner}.github.io/"
        given += "" if name.lower() == f"{owner}.github.io" else name
    if given and not re.match(r"https?://[^/\s]+(/\S*)?$", given):
        raise ConfigError(
            f"The site's address cannot be {given!r}: set SITE_URL to one that begins "
            "with https://, or leave it out."
        )
    return given and given.rstrip("/") + "/"


def tell_address(app, config):
    config.html_baseurl = address()


def description(doctree):
    """The beginning of a page, in about 200 characters."""
    words = ""
    for paragraph in doctree.findall(nodes.paragraph):
        words += " " + paragraph.astext()
        if len(words) > 80:
            break
    return textwrap.shorten(words, 200, placeholder=" …")


def draw_card(title, path):
    """Draw what stands for a page elsewhere, of 1200 x 630 pixels.

    The same title gives the same bytes.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.image import imread
    from matplotlib.patches import Rectangle

    with rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}):
        card = Figure(figsize=(12, 6.3), dpi=100, facecolor="white")
        for i, colour in enumerate(COLOURS):
            card.add_artist(Rectangle((i / 3, 0), 1 / 3, 0.03, facecolor=colour))
        card.figimage(imread(ROOT / "book/_static/apple-touch-icon.png"), 60, 400)
        card.text(0.22, 0.79, "chainrule", size=40, weight="bold", color="#24292f")
        card.text(0.22, 0.715, MOTTO, size=21, color="#5f6670")
        lines = textwrap.fill(title, 36)
        card.text(0.06, 0.54, lines, size=38, va="top", color="#24292f")
        path.parent.mkdir(parents=True, exist_ok=True)
        card.savefig(path, metadata={"Software": None})


def preview(app, page, title, words):
    """The tags from which other sites make a preview of the page."""
    site = app.config.html_baseurl
    path = f"_images/cards/{page.replace('/', '-')}.png"
    draw_card(title, Path(app.outdir, path))
    told = {
        "type": "website",
        "site_name": app.config.project,
        "title": title,
        "description": words,
        "url": site + app.builder.get_target_uri(page),
        "image": site + path,
        "image:alt": f"{title}. chainrule, {MOTTO}.",
    }
    yield from (
        f'<meta property="og:{name}" content="{escape(text)}" />'
        for name, text in told.items()
    )
    yield '<meta name="twitter:card" content="summary_large_image" />'


def fill_head(app, page, template, context, doctree):
    site = app.config.html_baseurl
    if doctree is None:
        title = context.get("title") or WITHOUT_TITLE.get(page, page)
        words = f"{title}: chainrule, {MOTTO}."
    else:
        title, words = app.env.titles[page].astext(), description(doctree)
    icon = context["pathto"]("_static/apple-touch-icon.png", resource=True)
    tags = [
        f'<meta name="description" content="{escape(words)}" />',
        f'<link rel="apple-touch-icon" href="{icon}" />',
    ]
    if site and page == "404":
        tags.insert(0, FROM_ANYWHERE.format(path=re.sub("https?://[^/]+", "", site)))
    elif site and doctree is not None:
        tags += preview(app, page, title, words)
    context["metatags"] = "\n".join([*tags, context.get("metatags", "")])


def add_not_found(app):
    start = app.builder.get_relative_uri("404", app.config.root_doc)
    body = NOT_FOUND.format(start=start)
    yield "404", {"title": "Page not found", "body": body}, "page.html"


def write_map(app, exception):
    """The list of all pages for search engines, where they look for it."""
    site = app.config.html_baseurl
    places = "".join(
        f"<url><loc>{escape(site + app.builder.get_target_uri(page))}</loc></url>\n"
        for page in sorted(app.env.found_docs)
    )
    files = {
        "sitemap.xml": '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns='
        f'"http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}</urlset>\n',
        "robots.txt": f"User-agent: *\nAllow: /\nSitemap: {site}sitemap.xml\n",
    }
    for name, text in files.items():
        path = Path(app.outdir, name)
        if site:
            path.write_text(text, encoding="utf-8")
        else:
            path.unlink(missing_ok=True)


def write_site(app):
    if app.builder.name == "html":
        app.connect("html-page-context", fill_head)
        app.connect("html-collect-pages", add_not_found)
        app.connect("build-finished", write_map)


def setup(app):
    app.connect("config-inited", tell_address)
    app.connect("builder-inited", write_site)
    return {"parallel_read_safe": True}
