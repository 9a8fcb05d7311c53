"""Every entry of the bibliography says where its text can be found."""

from pybtex.database import parse_file


def test_every_reference_has_an_address(root):
    entries = parse_file(str(root / "book" / "references.bib"), "bibtex").entries
    assert entries
    assert [key for key, entry in entries.items() if not {"doi", "url"} & set(entry.fields)] == []
