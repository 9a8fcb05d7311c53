"""Figures on the built page say in words what they show."""

from types import SimpleNamespace

import alt_text
import pytest
from docutils import nodes


def page(*parts):
    """A document with one cell's output: for each part its kind, and what it holds."""
    bundle = nodes.container(nb_element="mime_bundle")
    for kind, content in parts:
        bundle += nodes.container("", content, mime_type=kind)
    return nodes.container("", bundle)


@pytest.fixture
def alt_of(tmp_path):
    env = SimpleNamespace(relfn2path=lambda uri: (uri, str(tmp_path / uri)))

    def name(doctree):
        alt_text.name_pictures(SimpleNamespace(env=env), doctree)
        return next(doctree.findall(nodes.image)).get("alt")

    return name


def test_a_plot_is_told_by_the_text_beside_it(alt_of):
    words = nodes.literal_block("", "A curve that rises.")
    assert alt_of(page(("image/png", nodes.image(uri="a.png")), ("text/plain", words))) == "A curve that rises."


def test_a_graph_is_told_by_its_own_description(alt_of, tmp_path):
    (tmp_path / "a.svg").write_text("<svg><desc>x &lt; y</desc></svg>")
    dot = nodes.literal_block("", "digraph {}")
    assert alt_of(page(("text/plain", dot), ("image/svg+xml", nodes.image(uri="a.svg")))) == "x < y"


def test_words_that_an_author_gave_stay(alt_of):
    image = nodes.image(uri="a.png", alt="Mine.")
    assert alt_of(page(("image/png", image), ("text/plain", nodes.literal_block("", "Other.")))) == "Mine."
