import os
import shutil
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell

collect_ignore_glob = ["assignments/*.py"]  # no modules: the grader and its tests read them
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]


def pytest_collectstart(collector):
    """Let nbval compare a graph by its DOT text: its SVG depends on Graphviz's version."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("image/svg+xml",)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """In notebooks, derive PyTorch's recorded results again and compare."""
    os.environ["CHAINRULE_RECORD"] = "compare" if isinstance(item, IPyNbCell) else ""


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
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sync_playwright = None
    if found is None or sync_playwright is None:
        reason = "needs Chromium; with it installed, make test brings the rest"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()
