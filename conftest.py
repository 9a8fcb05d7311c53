import os
from pathlib import Path

import pytest
from printing import FLAGS, chromium

collect_ignore_glob = ["assignments/*.py"]  # no modules: the grader and its tests read them


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


@pytest.fixture(scope="session")
def browser():
    """Chromium, driven by Playwright."""
    if chromium() is None:
        reason = "needs Chromium; with it installed, make test brings the rest"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()
