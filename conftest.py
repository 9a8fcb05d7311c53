import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from filelock import FileLock
from nbval.plugin import IPyNbCell
from printing import FLAGS, chromium

# What a shell has started in the background ignores Ctrl-C, and so does all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore_glob = [  # no modules of ours: the grader, and Python in WebAssembly, read them
    "assignments/*.py",
    "tests/wasm/*",
]


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
def book(root, tmp_path_factory):
    """The folder of the built book. Where tests are spread over processes, one of them builds it."""
    shared = tmp_path_factory.getbasetemp().parent
    stamp = shared / f"book-{os.environ.get('PYTEST_XDIST_TESTRUNUID')}"
    with FileLock(shared / "book.lock"):
        if "PYTEST_XDIST_WORKER" not in os.environ or not stamp.exists():
            env = {name: value for name, value in os.environ.items() if "MAKE" not in name}
            made = subprocess.run(["make", "book"], cwd=root, env=env, capture_output=True, text=True)
            assert made.returncode == 0, made.stdout + made.stderr
            stamp.touch()
    return root / "_build" / "html"


@pytest.fixture(scope="session")
def published(root, tmp_path_factory):
    """The folder of a few pages, built with their stored outputs for a known site and repository."""
    place = tmp_path_factory.mktemp("published")
    for folder in ("book", "src"):
        shutil.copytree(root / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "requirements.txt", place)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"] = {"execute_notebooks": "off"}
    pages = [{"file": page} for page in ("book/01_introduction", "book/beyond/kinks", "book/errata")]
    toc = {"format": "jb-book", "root": "book/intro", "chapters": pages}
    for name, content in {"_config.yml": config, "_toc.yml": toc}.items():
        (place / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    address = {
        "SITE_URL": "https://reader.github.io/course",
        "REPOSITORY_URL": "https://github.com/reader/course",
        "REPOSITORY_BRANCH": "main",
    }
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-q"]
    made = subprocess.run(command, cwd=place, env={**os.environ, **address}, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return place / "_build" / "html"


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
