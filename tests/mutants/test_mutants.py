"""The proof of the tests: every wrong engine gives another result, and a test notices."""

import json
import subprocess
import sys

import pytest
import torch
from oracle import array  # noqa: F401  which keeps PyTorch's forward mode from warning

import chainrule as cr
from chainrule import reverse

from . import MUTANTS
from .changes import Edit, Replace, Row, outcome

EVERY = pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def report(root):
    """What `python tests/mutants` says, run once for all mutants."""
    done = subprocess.run(
        [sys.executable, "tests/mutants"], cwd=root, capture_output=True, text=True, timeout=600, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@EVERY
def test_program_gives_the_mutant_away(mutant):
    right = repr(outcome(mutant.program, torch))
    assert repr(outcome(mutant.program, cr)) == right
    with mutant:
        assert repr(outcome(mutant.program, cr)) == repr(mutant.wrong) != right
    assert repr(outcome(mutant.program, cr)) == right


@EVERY
def test_mutant_is_noticed_by_the_tests(mutant, report):
    assert report[mutant.name]["fails without it"] == []
    assert report[mutant.name]["noticed by"], f"no test that begins with {mutant.caught_by} fails"


@pytest.mark.parametrize(
    "change",
    [
        Edit(reverse.sweep, {"a line that is not there": ""}),
        Edit(reverse.sweep, {"number": "n"}),
        Replace(reverse.sweep, lambda seeds: {}),
        Row("no such row", "lambda t: t"),
        Row("add", "lambda t, b: t * b", "lambda t: t"),
    ],
    ids=["no such line", "a line found twice", "other parameters", "no such row", "a rule that needs more"],
)
def test_change_that_has_lost_its_place_raises(change):
    before = reverse.sweep.__code__
    with pytest.raises((LookupError, ValueError)), change:
        pass
    assert reverse.sweep.__code__ is before


def test_exercise_can_be_read():
    for mutant in MUTANTS.values():
        assert mutant.misconception.endswith(".") and mutant.hint.endswith(".")
        assert "\n+ " in str(mutant) or "instead of" in str(mutant) or " = " in str(mutant)
