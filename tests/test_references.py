"""Every entry of the bibliography says where its text can be found: a DOI, an address, or a thesis's university."""

from pybtex.database import parse_file


def test_every_reference_has_an_address(root):
    entries = parse_file(str(root / "book" / "references.bib"), "bibtex").entries
    assert entries
    assert [key for key, entry in entries.items() if not {"doi", "url", "school"} & set(entry.fields)] == []
