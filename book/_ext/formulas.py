r"""Formulas are MathML, made when the book is built: no script, no waiting, no network.

Browsers draw MathML themselves, and screen readers read it. Its glyphs are those of
STIX Two Math (SIL Open Font License 1.1): the part of it that the book uses, taken from
the package ziamath.
"""

import re
from html import unescape
from importlib.metadata import files
from pathlib import Path

import fonts
from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.util import logging

FONT = "formulas.woff"
# What is drawn though no character says so: the sign of a root, and for a letter on its
# own the italic one, which has a code of its own.
UNSAID = {0x221A, 0x210E, *range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C)}
# Primes stand high by themselves; raised as an exponent they take the low form.
PRIMES = {0x2032: "minute.ssty", 0x2033: "second.ssty"}
# A notebook names colours, for all viewers; here they are classes, for both themes.
# The converter takes no codes: a name stands in, for which it writes its own code.
COLOURS = {
    "#0072B2": ("blue", "#0000FF", "primal"),
    "#009E73": ("green", "#03FF00", "tangent"),
    "#D55E00": ("orange", "#FF8001", "cotangent"),
}
MARKS = re.compile(r"(?<=</math>)</span>([,.;:?!)]+)")

logger = logging.getLogger(__name__)
converter = LatexToMathML(fancy_error=False)


def mathml(formula, block=False):
    r"""A formula, given in TeX, as MathML.

    >>> mathml(r"\color{#0072B2}{x}")
    '<math><mrow class="primal"><mi>x</mi></mrow></math>'
    """
    for colour, (name, _, _) in COLOURS.items():
        formula = formula.replace(rf"\color{{{colour}}}", rf"\textcolor{{{name}}}")
    made = converter.convert_with_local_state(formula, displaystyle=block)
    for _, code, idea in COLOURS.values():
        made = made.replace(f'style="color:{code};"', f'class="{idea}"')
    # Around one sign, brackets need not grow; Chromium keeps room for the widest.
    made = re.sub(
        r"<mo>\((</mo><m[in]>[^<]*</m[in]><mo)>\)",
        r'<mo stretchy="false">(\1 stretchy="false">)',
        made,
    )
    # A browser gives a bracket its size in a row, not where it carries an exponent.
    return re.sub(r"(<msu[bp]>)(<mo [^>]*minsize.*?</mo>)", r"\1<mrow>\2</mrow>", made)


def visitor(tag):
    def visit(self, node):
        classes = "math notranslate nohighlight"
        opening = self.starttag(node, tag, "", CLASS=classes)
        try:
            formula = mathml(node.astext(), block=tag == "div")
        except LatexError as error:
            logger.warning("no formula: %s", error, location=node)
            formula = ""
        self.body += [opening, formula, f"</{tag}>"]
        raise nodes.SkipNode

    return visit, None


def keep_marks(app, page, template, context, doctree):
    """A comma or a full stop begins no line: it stands with the formula before it."""
    context["body"] = MARKS.sub(r"\1</span>", context.get("body", ""))


def roots_of_one_size(font):
    """Chromium keeps room for the widest sign of a root; roots here are of a letter."""
    variants = font["MATH"].table.MathVariants
    place = variants.VertGlyphCoverage.glyphs.index(font.getBestCmap()[0x221A])
    root = variants.VertGlyphConstruction[place]
    root.MathGlyphVariantRecord = root.MathGlyphVariantRecord[:1]
    root.GlyphAssembly = None


def write_font(app, error):
    """Write the part of the font that the pages use."""
    if error:
        return
    pages = [
        page.read_text(encoding="utf-8") for page in Path(app.outdir).rglob("*.html")
    ]
    formulas = "".join(
        f for page in pages for f in re.findall(r"<math.*?</math>", page)
    )
    characters = set(unescape(re.sub("<[^>]*>", "", formulas)))
    [file] = [f for f in files("ziamath") if f.name == "STIXTwoMath-Regular.ttf"]
    font = fonts.load(file.locate())
    for table in font["cmap"].tables:
        table.cmap.update(PRIMES)
    roots_of_one_size(font)
    shown = {*map(ord, characters), *UNSAID}
    fonts.save_part(font, shown, str(Path(app.outdir, "_static", FONT)))


def setup(app):
    inline, block = visitor("span"), visitor("div")
    app.add_html_math_renderer("mathml", inline, block)
    app.connect("html-page-context", keep_marks)
    app.connect("build-finished", write_font)
    return {"parallel_read_safe": True}
