"""Pages that weigh little, and show their first words early.

The theme brings nine style sheets, most of whose rules are for things that a page does
not have, and a script with every icon of Font Awesome. Here a page carries the rules
that fit something on it, and of the icons' font the icons that the book shows: nothing
has to arrive before the words do. Scripts wait until the page is there; those of the
search are on the page of the search alone.
"""

import base64
import io
import posixpath
import re
from pathlib import Path

import fonts
import tinycss2
from PIL import Image

SHEET = "book.css"  # what all pages together use, for whoever makes one page of them
LINK = re.compile(r'<link\b[^>]*?href="[^"]*?_static/([^"?]+\.css)[^"]*"[^>]*>\s*')
OTHERS = re.compile(
    r'<script[^>]*fontawesome\.js[^>]*></script>\s*|<link rel="preload"[^>]*>\s*'
)
SEARCH = re.compile(
    r'<script( src="[^"]*(?:searchtools|language_data|searchindex)\.js'
    r'[^"]*"></script>\s*)'
)
PICTURE = re.compile(r'<img (?!loading)(?=[^>]*src="([^"]*_images/[^"]+)")')
SIZE = re.compile(r'<svg\b[^>]*\bwidth="([\d.]+)(pt)?" height="([\d.]+)')
STYLES = re.compile(r'<style id="styles">.*?</style>', re.DOTALL)
IMPORT = re.compile(r'@import\s*"([^"]+)";')
ADDRESS = re.compile(r"url\(['\"]?(?!data:|#)([^'\")]+)['\"]?\)")
NAME = re.compile(r"[.#](-?[A-Za-z_][\w-]*)")
CHOICE = re.compile(r":[\w-]+\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]")
ICON_FONT = re.compile(
    r"(@font-face\s*{[^}]*)src:\s*url\((vendor/[^)]*)\.woff2\)[^}]*}"
)
ICON = re.compile("[\ue000-\uf8ff]")  # Unicode's private area, where the icons are


def simplify(app, page, template, context, doctree):
    """Give the template what makes its head light."""

    def one_sheet(head):
        app.env.style_sheets = LINK.findall(head)
        return OTHERS.sub("", LINK.sub("", head)) + '<style id="styles"></style>'

    context.update(one_sheet=one_sheet, no_search=lambda head: SEARCH.sub("", head))
    for script in context["script_files"]:
        if script.filename:
            script.attributes["defer"] = "defer"
        elif script.attributes.get("body", "").startswith("DOCUMENTATION_OPTIONS"):
            script.attributes["type"] = "module"  # which waits as well


def write_styles(app, error):
    """Write the styles into all pages, when these and all scripts are there."""
    if error:
        return
    out, static = Path(app.outdir), Path(app.outdir, "_static")
    pages = {path: path.read_text(encoding="utf-8") for path in out.rglob("*.html")}
    pages = {path: page for path, page in pages.items() if STYLES.search(page)}
    scripts = [p for p in static.rglob("*.js") if p.stem != "bootstrap"]
    by_scripts = {"show"}.union(*(words(p.read_text("utf-8")) for p in scripts))
    everywhere = by_scripts.union(*map(words, pages.values()))
    css = "".join(whole(static, sheet) for sheet in app.env.style_sheets)
    icons = set(map(ord, ICON.findall(used(list(parse(css)), everywhere))))
    css = ICON_FONT.sub(lambda m: face(m[1], static / f"{m[2]}.ttf", icons), css)
    rules = list(parse(css))
    (static / SHEET).write_text(used(rules, everywhere), encoding="utf-8")
    for path, page in pages.items():
        root = posixpath.relpath("_static", path.parent.relative_to(out).as_posix())
        styles = ADDRESS.sub(rf"url({root}/\1)", used(rules, by_scripts | words(page)))
        later = SEARCH.sub(r"<script defer\1", page)
        later = PICTURE.sub(lambda m: f"<img {late(path.parent / m[1])} ", later)  # noqa: B023
        before, after = STYLES.split(later)
        styled = f'{before}<style id="styles">{styles}</style>{after}'
        if styled != page:
            path.write_text(styled, encoding="utf-8")


def late(picture):
    """That a picture is fetched when the reader comes near, and the room it takes."""
    if picture.suffix == ".svg":
        width, points, height = SIZE.search(picture.read_text("utf-8")).groups()
        scale = 4 / 3 if points else 1
        width, height = round(scale * float(width)), round(scale * float(height))
    else:
        width, height = Image.open(picture).size
    return f'loading="lazy" width="{width}" height="{height}"'


def words(text):
    return set(re.findall(r"[\w-]+", STYLES.sub("", text)))


def whole(static, sheet):
    """A sheet's text with what it imports; addresses are as from the folder static."""

    def at(address):
        return posixpath.normpath(posixpath.join(posixpath.dirname(sheet), address))

    text = (static / sheet).read_text(encoding="utf-8")
    text = ADDRESS.sub(lambda m: f"url({at(m[1])})", text)
    return IMPORT.sub(lambda m: whole(static, at(m[1])), text)


def parse(css):
    """For each rule its head and its text; for a group, such as `@media`, its rules.

    css  text, or what tinycss2 has made of it
    """
    for rule in tinycss2.parse_rule_list(css, True, True):
        head, content = rule.prelude, rule.content
        if rule.type == "qualified-rule":
            yield selectors(tinycss2.serialize(head)), tinycss2.serialize(content)
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            name = f"@{rule.at_keyword}{tinycss2.serialize(head)}"
            yield name, list(parse(content))
        elif rule.lower_at_keyword != "charset":
            yield rule.serialize(), ""


def selectors(text):
    """The selectors in a list, each with the classes and ids that it asks for.

    >>> selectors("a.b:is(.c, .d), #e > i")
    [('a.b:is(.c, .d)', {'b'}), ('#e > i', {'e'})]
    """
    parts = re.split(r",(?![^()]*\))", text)
    return [(part.strip(), set(NAME.findall(CHOICE.sub("", part)))) for part in parts]


def used(rules, names):
    """Those rules, as text, of whose selectors one asks only for these names.

    >>> css = ".a, .b:hover { color: red } @media print { .b { color: blue } }"
    >>> used(list(parse(css)), {"a"})
    '.a{ color: red }'
    """
    out = []
    for head, content in rules:
        if isinstance(content, list):
            if inner := used(content, names):
                out.append(f"{head}{{{inner}}}")
        elif isinstance(head, str):
            out.append(head)
        elif fits := [text for text, asked in head if asked <= names]:
            out.append(f"{','.join(fits)}{{{content}}}")
    return "".join(out)


def face(opening, file, icons):
    """A rule `@font-face` that holds a font of these icons alone; "" if it has none."""
    font = fonts.load(file)
    if icons.isdisjoint(font.getBestCmap()):
        return ""
    fonts.save_part(font, icons, small := io.BytesIO())
    data = base64.b64encode(small.getvalue()).decode()
    return f'{opening}src:url("data:font/woff;base64,{data}")}}'


def setup(app):
    app.connect("html-page-context", simplify, priority=950)
    app.connect("build-finished", write_styles, priority=900)  # after the theme's own
    return {"parallel_read_safe": True}
