"""Runs under every mutant the tests that must notice it; prints what happened, as JSON in the last line.

python tests/mutants [NAME ...]
"""

import json
import sys
import warnings
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from mutants import MUTANTS


class Proof:
    """A pytest plugin that runs each collected test once, and again under each mutant that it must notice."""

    def __init__(self, chosen):
        self.chosen, self.report, self.faults = chosen, {}, []

    def pytest_runtestloop(self, session):
        items = {item.nodeid.removeprefix("tests/"): item for item in session.items}
        failing = {}
        for mutant in self.chosen:
            selected = {name: item for name, item in items.items() if name.startswith(mutant.caught_by)}
            failing |= {name: self.fails(item) for name, item in selected.items() if name not in failing}
            with mutant:
                noticed = next((name for name, item in selected.items() if self.fails(item)), None)
            self.report[mutant.name] = {
                "noticed by": noticed,
                "fails without it": [name for name in selected if failing[name]],
            }
        return True

    def fails(self, item):
        """Whether the test that `item` is fails just now."""
        self.faults.clear()
        item._initrequest()  # lets its fixtures be made anew
        item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        return bool(self.faults)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.faults.append(report)


def main(names):
    chosen = [mutant for mutant in MUTANTS.values() if not names or mutant.name in names]
    tests = sorted({str(TESTS / start.split("[")[0]) for mutant in chosen for start in mutant.caught_by})
    proof = Proof(chosen)
    pytest.main(["-q", "--tb=no", "-p", "no:cacheprovider", *tests], plugins=[proof])
    print(json.dumps(proof.report))


if __name__ == "__main__":
    main(sys.argv[1:])
