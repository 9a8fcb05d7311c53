"""Figures say in words what they show, also to those who cannot see the page.

MyST-NB makes an image of a cell's picture and leaves its text alternative out. A graph
carries its own in the SVG; a plot's is the plain text that the cell shows beside it.
"""

import re
from html import unescape
from pathlib import Path

from docutils import nodes


def words_of(svg):
    """The description inside a drawing.

    >>> words_of("<svg><title>A graph</title><desc>x &lt; y</desc></svg>")
    'x < y'
    """
    found = re.search(r"<desc>(.*?)</desc>", svg, re.DOTALL)
    return unescape(found[1]) if found else ""


def name_pictures(app, doctree):
    for bundle in doctree.findall(nodes.container):
        if bundle.get("nb_element") != "mime_bundle":
            continue
        shown = {part["mime_type"]: part for part in bundle.children}
        for kind in ("image/svg+xml", "image/png"):
            for image in shown[kind].findall(nodes.image) if kind in shown else []:
                if kind == "image/png":
                    words = (
                        shown["text/plain"].astext() if "text/plain" in shown else ""
                    )
                else:
                    _, path = app.env.relfn2path(image["uri"])
                    words = words_of(Path(path).read_text(encoding="utf-8"))
                image["alt"] = image.get("alt") or words


def setup(app):
    # Before Sphinx collects the images, so that the addresses are still MyST-NB's.
    app.connect("doctree-read", name_pictures, priority=400)
    return {"parallel_read_safe": True}
