"""Pages that weigh little, and show their first words early.

The theme brings nine style sheets, most of whose rules are for things that the book
does not have, and a script with every icon of Font Awesome. Here all pages share one
sheet with the rules that fit something in the book, and of the icons' font the icons
that it shows. It comes after the words. What these look like, a page says itself: it
carries the rules that fit something in its first lines or beside them. A style or a
script in an output, as a stepper's, is shared too. In code, names and operators have no
colour of their own, so they are not marked. Scripts wait until the page is there; those
of the search are on the page of the search alone.
"""

import base64
import io
import posixpath
import re
from pathlib import Path
from zlib import crc32

import fonts
import tinycss2
from code_links import BLOCK
from PIL import Image

UNREAD = {"bootstrap", "fontawesome"}  # scripts that name more than the book has
SHEET = "book.css"
WITHOUT_WAITING = """media="print" onload="this.media='all'" fetchpriority="high\""""
FIRST = 4000  # characters of an article that may be seen at first
MADE = {"copybtn", "o-tooltip--left"}  # what scripts put there at once
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
OUTPUT = re.compile(r"<(style|script)>\s*(.*?)\s*</\1>", re.DOTALL)
ARTICLE = re.compile("<article.*</article>", re.DOTALL)
UNSEEN = re.compile(
    r"<(dialog|footer).*?</\1>|(?<=</summary>).*?(?=</details>)", re.DOTALL
)
LATE = re.compile(
    r"@(?:media print|keyframes)|url\(\"?data:|:(?:hover|focus|active)|\.fa[brs]?\b"
)
STYLES = re.compile(r'<style id="styles".*?</style>', re.DOTALL)
IMPORT = re.compile(r'@import\s*"([^"]+)";')
ADDRESS = re.compile(r"url\(['\"]?(?!data:|#)([^'\")]+)['\"]?\)")
NAME = re.compile(r"(?<![:\w-])-?[A-Za-z_][\w-]*")
NAMED = re.compile(
    r'<(?:script|style).*?</(?:script|style)>|<\w+|\b(?:class|id|style)="[^"]*"',
    re.DOTALL,
)
CHOICE = re.compile(r":[\w-]+\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]")
# Names, operators, brackets, spaces.
PLAIN = re.compile(r'<span class="(?:nn?|[opw])">([^<]*)</span>')
DECLARATION = re.compile(r"""(?:"[^"]*"|'[^']*'|[^;"'])+""")
ASKED = re.compile(r"var\(\s*(--[\w-]+)")
ICON_FONT = re.compile(
    r"(@font-face\s*{[^}]*)src:\s*url\((vendor/[^)]*fa-(\w+)[^)]*)\.woff2\)[^}]*}"
)
ICON = re.compile("[\ue000-\uf8ff]")  # Unicode's private area, where the icons are


def simplify(app, page, template, context, doctree):
    """Give the template what makes its head light."""

    def one_sheet(head):
        app.env.style_sheets = LINK.findall(head)
        return OTHERS.sub("", LINK.sub("", head)) + '<style id="styles"></style>'

    def shared(match):
        tag, text = match.groups()
        name = f"output-{crc32(text.encode()):x}.{'css' if tag == 'style' else 'js'}"
        static = Path(app.outdir, "_static")
        static.mkdir(exist_ok=True)
        (static / name).write_text(text, encoding="utf-8")
        address = context["pathto"](f"_static/{name}", 1)
        return f'<script defer src="{address}"></script>' if tag == "script" else ""

    body = OUTPUT.sub(shared, context.get("body", ""))
    context["body"] = BLOCK.sub(lambda code: PLAIN.sub(r"\1", code[0]), body)
    context.update(one_sheet=one_sheet, no_search=lambda head: SEARCH.sub("", head))
    for script in context["script_files"]:
        if script.filename:
            script.attributes["defer"] = "defer"
        elif script.attributes.get("body", "").startswith("DOCUMENTATION_OPTIONS"):
            script.attributes["type"] = "module"  # which waits as well


def write_styles(app, error):
    """Write the sheet, and into each page its first styles, when all pages are there.

    A page that has styles made of the same things is left as it is.
    """
    if error:
        return
    out, static = Path(app.outdir), Path(app.outdir, "_static")
    pages = {path: path.read_text(encoding="utf-8") for path in out.rglob("*.html")}
    pages = {path: page for path, page in pages.items() if STYLES.search(page)}
    scripts = [p for p in static.rglob("*.js") if p.stem not in UNREAD]
    by_scripts = {"show"}.union(*(words(p.read_text("utf-8")) for p in scripts))
    outputs = "".join(p.read_text("utf-8") for p in sorted(static.glob("output-*.css")))
    css = "".join(whole(static, sheet) for sheet in app.env.style_sheets)
    source = css + outputs + " ".join(sorted(by_scripts))
    source += Path(__file__).read_text("utf-8")
    made_of = f"{crc32(source.encode()):x}"
    opening = f'<style id="styles" data-of="{made_of}">'
    new = {path: page for path, page in pages.items() if opening not in page}
    if not new:
        return
    everywhere = by_scripts.union(*map(names, pages.values()))
    rules = list(parse(css))
    icons = set(map(ord, ICON.findall(used(rules, everywhere))))
    rules = [(face(static, head, icons, everywhere), rest) for head, rest in rules]
    (static / SHEET).write_text(used(rules, everywhere) + outputs, encoding="utf-8")
    first = list(early(rules))
    for path, page in new.items():
        root = posixpath.relpath("_static", path.parent.relative_to(out).as_posix())
        styles = ADDRESS.sub(
            rf"url({root}/\1)", used(first, MADE | names(beginning(page)))
        )
        sheet = f'<link rel="stylesheet" href="{root}/{SHEET}?v={made_of}"'
        later = SEARCH.sub(r"<script defer\1", page)
        later = PICTURE.sub(lambda m: f"<img {late(path.parent / m[1])} ", later)  # noqa: B023
        before, after = STYLES.split(later)
        path.write_text(
            f"{before}{opening}{styles}</style>\n"
            f"{sheet} {WITHOUT_WAITING}>\n<noscript>{sheet}></noscript>{after}",
            encoding="utf-8",
        )


def beginning(page):
    """What may be seen of a page at first: how its article begins, and all around."""
    return ARTICLE.sub(lambda article: article[0][:FIRST], UNSEEN.sub("", page))


def early(rules):
    """The rules without those for paper, icons, movement, and where the pointer is."""
    for head, content in rules:
        if isinstance(head, str):
            if not LATE.search(head):
                yield head, content and list(early(content))
        elif kept := [(text, asked) for text, asked in head if not LATE.search(text)]:
            yield kept, content


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
    return set(re.findall(r"[\w-]+", text))


def names(page):
    """The tags, classes, ids and variables of a page, and the words of its scripts."""
    return words(" ".join(NAMED.findall(STYLES.sub("", page))))


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
            declared = DECLARATION.findall(tinycss2.serialize(content).strip())
            yield selectors(tinycss2.serialize(head)), [d.strip() for d in declared]
        elif rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports"):
            name = f"@{rule.at_keyword}{tinycss2.serialize(head)}"
            yield name, list(parse(content))
        elif rule.lower_at_keyword != "charset":
            yield rule.serialize(), None


def selectors(text):
    """The selectors in a list, each with the tags, classes and ids that it asks for.

    >>> selectors(".b:is(.c, .d), i::before")
    [('.b:is(.c, .d)', {'b'}), ('i::before', {'i'})]
    """
    parts = re.split(r",(?![^()]*\))", text)
    return [(part.strip(), set(NAME.findall(CHOICE.sub("", part)))) for part in parts]


def used(rules, names):
    """Those rules, as text, of whose selectors one asks only for these names.

    Of the variables they hold those that another rule, or a name, asks for.

    >>> css = ".a, .b:hover { color: var(--c) } :root { --c: red; --d: var(--c) }"
    >>> used(list(parse(css)), {"a"})
    '.a{color: var(--c)}:root{--c: red}'
    """
    while True:
        css = "".join(fitting(rules, names))
        asked = set(ASKED.findall(css))
        if asked <= names:
            return css
        names = names | asked


def fitting(rules, names):
    for head, content in rules:
        if content is None:
            yield head
        elif isinstance(head, str):
            if inner := "".join(fitting(content, names)):
                yield f"{head}{{{inner}}}"
        else:
            fits = [text for text, asked in head if asked <= names]
            said = [d for d in content if d[:2] != "--" or d.split(":")[0] in names]
            if fits and said:
                yield f"{','.join(fits)}{{{';'.join(said)}}}"


def face(static, rule, icons, names):
    """A rule `@font-face` of Font Awesome with these icons alone; "" if none is named.

    Any other rule stays as it is.
    """
    found = isinstance(rule, str) and ICON_FONT.fullmatch(rule)
    if not found:
        return rule
    opening, address, kind = found.groups()
    if names.isdisjoint({f"fa-{kind}", f"fa{kind[0]}"}):
        return ""
    font = fonts.load(static / f"{address}.ttf")
    fonts.save_part(font, icons, small := io.BytesIO())
    data = base64.b64encode(small.getvalue()).decode()
    return f'{opening}src:url("data:font/woff;base64,{data}")}}'


def setup(app):
    app.connect("html-page-context", simplify, priority=950)
    app.connect("build-finished", write_styles, priority=900)  # after the theme's own
    return {"parallel_read_safe": True}
