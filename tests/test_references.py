"""The bibliography says where each text can be found, and a link to it names who wrote it and when."""

import json
import re

import pytest
from pybtex.database import parse_file


@pytest.fixture(scope="module")
def entries(root):
    return parse_file(str(root / "book" / "references.bib"), "bibtex").entries


def test_every_reference_has_an_address(entries):
    assert entries
    assert [key for key, entry in entries.items() if not {"doi", "url", "school"} & set(entry.fields)] == []


def test_a_citation_names_its_first_author_and_year(root, entries):
    cited = 0
    for notebook in (root / "book").rglob("*.ipynb"):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        for words, key in re.findall(r"\[([^\]]*)\]\((?:\.\./)?references\.md#(\w+)\)", text):
            author = " ".join(entries[key].persons["author"][0].last_names)
            assert author in words and entries[key].fields["year"] in words, (notebook.name, words, key)
            cited += 1
    assert cited > 40
