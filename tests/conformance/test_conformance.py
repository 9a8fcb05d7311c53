"""The first samples of every entry, and what the page says. `make conformance` runs them all."""

import pytest

from chainrule.library import linalg, more, nn, places

from . import suite
from .exceptions import REASONS, SPELLING

ENTRIES = {suite.full_name(entry): (entry, ours) for entry, ours in suite.entries()}

# Public functions that the database knows by another name, or not at all: those have a doctest.
OTHER_NAMES = {
    "arctan2": "atan2",
    "fix": "trunc",
    "divide": "div",
    "swapdims": "transpose",
    "moveaxis": "movedim",
    "gammaln": "lgamma",
    "multigammaln": "mvlgamma",
}
DOCTESTS = {"LinAlgError", "logdet", "one_hot"}


@pytest.mark.parametrize("name", ENTRIES)
def test_first_samples_agree_with_pytorch(name):
    report = suite.run(*ENTRIES[name], sources=("float64", "wrong"), most=3)
    assert not report.failures, "\n".join(report.failures)


def test_enough_entries_are_covered():
    assert len(ENTRIES) >= 300
    assert len({name.split(" (")[0] for name in ENTRIES}) >= 265


def test_every_public_function_has_an_entry():
    covered = {name.split(" (")[0].split(".")[-1] for name in ENTRIES} | OTHER_NAMES.keys() | DOCTESTS
    public = {*more.__all__, *places.__all__, *nn.__all__, *linalg.__all__, *linalg.METHODS, *more.SPECIAL}
    assert public - covered == set()
    assert set(OTHER_NAMES.values()) <= covered


def test_every_spelling_and_every_reason_names_an_entry():
    names = {name.split(" (")[0] for name in ENTRIES}
    assert SPELLING.keys() <= names
    patterns = {pattern for reason in REASONS for pattern in reason.entries.split(", ")}
    assert {p for p in patterns if not any(suite.matches(name, p) for name in ENTRIES)} == set()


def test_the_page_lists_every_entry_and_every_reason(root):
    page = (root / "book" / "conformance.md").read_text(encoding="utf-8")
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == list(ENTRIES)
    for reason in REASONS:
        assert reason.why in page, "make conformance"
