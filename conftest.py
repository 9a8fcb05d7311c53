from pathlib import Path

import pytest


def pytest_collectstart(collector):
    """Let nbval compare a graph by its DOT text: its SVG depends on Graphviz's version."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("image/svg+xml",)


def pytest_terminal_summary(terminalreporter):
    """Say what to do next, above pytest's closing line."""
    failed = {report.nodeid for report in terminalreporter.stats.get("failed", [])}
    if any(".ipynb" in name or "test_notebooks" in name for name in failed):
        terminalreporter.section("what to do")
        terminalreporter.line("If the notebook's new outputs are right, store them: make notebooks")


@pytest.fixture(scope="session")
def root():
    return Path(__file__).parent
