"""The notebooks open elsewhere: the book's launch buttons, the first cell for Colab, Binder's environment."""

import ast
import html
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from urllib.parse import quote, unquote

import nbformat
import pytest
import repository
import yaml
from colab.__main__ import FIRST_CELL, sessions
from notebooks import FOLDED, begin, home, normalise

BRANCH = "spring/term"

# ---- the buttons, on pages built by Jupyter Book in a repository of two pages


@pytest.fixture(scope="module")
def course(root, tmp_path_factory):
    """A repository with the book's settings and extensions, but two pages."""
    course = tmp_path_factory.mktemp("course")
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    (course / "_config.yml").write_text(yaml.safe_dump(config))
    (course / "_toc.yml").write_text("format: jb-book\nroot: book/intro\nchapters: [{file: book/words}]\n")
    (course / "book").mkdir()
    for folder in "_ext", "_static", "_templates":
        shutil.copytree(root / "book" / folder, course / "book" / folder)
    shutil.copy(root / "book" / "references.bib", course / "book")
    shutil.copy(root / "requirements.txt", course)
    cells = [nbformat.v4.new_markdown_cell("# A page"), nbformat.v4.new_code_cell("1 + 1")]
    notebook = normalise(begin(nbformat.v4.new_notebook(cells=cells)))
    nbformat.write(notebook, course / "book" / "intro.ipynb")
    (course / "book" / "words.md").write_text("# Words\n")
    git(course, "init", "--initial-branch", BRANCH)
    return course


@pytest.fixture
def build(course, monkeypatch):
    """Build the course with a given origin; return its notebook's page."""
    for name in ["GITHUB_REPOSITORY", "CI_PROJECT_URL", "REPOSITORY_URL", "REPOSITORY_BRANCH", "JUPYTERHUB_URL"]:
        monkeypatch.delenv(name, raising=False)

    def run(origin):
        git(course, "config", "remote.origin.url", origin)
        command = [Path(sys.executable).parent / "jupyter-book", "build", ".", "-q"]
        subprocess.run(command, cwd=course, check=True, capture_output=True)
        return (course / "_build" / "html" / "book" / "intro.html").read_text(encoding="utf-8")

    return run


def git(folder, *words):
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def buttons(page):
    """The launch menu's names and links; None where there is no menu."""
    menu = re.search(r'<div class="dropdown dropdown-launch-buttons">.*?</ul>', page, re.DOTALL)
    if menu is None:
        return None
    links = re.findall(r'<a href="([^"]*)".*?"btn__text-container">(\w+)<', menu[0], re.DOTALL)
    return {name: html.unescape(link) for link, name in links}


def binder(source):
    return f"https://mybinder.org/v2/{source}/{BRANCH}?urlpath=lab/tree/book/intro.ipynb"


ORIGINS = {
    "git@github.com:reader/course.git": {
        "Binder": binder("gh/reader/course"),
        "Colab": f"https://colab.research.google.com/github/reader/course/blob/{BRANCH}/book/intro.ipynb",
    },
    "https://reader:secret@gitlab.com/school/maths/course.git": {
        "Binder": binder("gl/school%2Fmaths%2Fcourse"),
    },
    "ssh://git@git.example.org:2222/reader/course": {
        "Binder": binder("git/https%3A%2F%2Fgit.example.org%2Freader%2Fcourse"),
    },
    "/home/reader/course": None,
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_launch_buttons_lead_to_the_origin_though_the_page_is_the_same(build, origin):
    page = build(origin)
    assert buttons(page) == ORIGINS[origin]
    assert "secret" not in page


def test_a_hub_is_offered_where_it_is_named(build, monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_URL", "https://hub.example.org/")
    assert buttons(build("https://github.com/reader/course"))["JupyterHub"] == (
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A//github.com/reader/course"
        f"&branch={BRANCH}&urlpath=lab/tree/course/book/intro.ipynb"
    )
    assert buttons(build("")) is None


def test_the_first_cell_is_folded_below_the_title(build):
    page = build("https://github.com/reader/course")
    places = [
        "<h1>A page<a",
        "<details",
        FOLDED["mystnb"]["code_prompt_show"],
        "In Colab, this cell",
        "</details>",
        ">1<",
    ]
    assert sorted(places, key=page.rindex) == places


# ---- the repository


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/reader/course.git/", "https://github.com/reader/course"),
        ("https://GitHub.com/reader/course", "https://github.com/reader/course"),
        ("https://oauth2:to-ken@gitlab.com/a/b.git", "https://gitlab.com/a/b"),
        ("org-12@github.com:reader/course", "https://github.com/reader/course"),
        ("ssh://git@ssh.github.com:443/reader/course.git", "https://github.com/reader/course"),
        ("git://example.org:9418/a/b.git", "https://example.org/a/b"),
        ("git@example.org:/srv/a/b.git", "https://example.org/srv/a/b"),
        ("git+ssh://git@example.org/a/b", "https://example.org/a/b"),
        ("http://git.school:3000/a/b", "http://git.school:3000/a/b"),
        ("git@work:a/b.git", ""),  # an alias in somebody's ssh settings
        ("https://gist.github.com/1234", ""),
        ("file:///srv/course", ""),
        ("../course", ""),
        ("C:/Users/reader/course", ""),
        ("C:\\Users\\reader\\course", ""),
        ("", ""),
    ],
)
def test_the_web_address_of_a_remote(remote, address):
    assert repository.web_address(remote) == address


def test_a_pull_request_is_built_from_where_it_comes(tmp_path):
    head = {"ref": "typo", "repo": {"html_url": "https://github.com/reader/course"}}
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"head": head}}))
    env = {
        "GITHUB_REPOSITORY": "school/course",
        "GITHUB_REF_NAME": "12/merge",
        "GITHUB_HEAD_REF": "typo",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
    }
    assert repository.repository(env) == ("https://github.com/reader/course", "typo")


def test_without_a_branch_there_is_a_tag_or_a_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(repository, "ROOT", tmp_path)
    git(tmp_path, "init", "--initial-branch", "main")
    assert repository.head() == "main"
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    git(tmp_path, *identity, "commit", "--allow-empty", "-m", "first")
    git(tmp_path, "checkout", "--detach")
    assert re.fullmatch("[0-9a-f]{40}", repository.head())
    git(tmp_path, "tag", "v1")
    assert repository.head() == "v1"


# ---- the first cell


def notebooks(root):
    return sorted((root / "book").rglob("*.ipynb"))


def test_every_notebook_begins_with_the_first_cell(root):
    for path in notebooks(root):
        stored = nbformat.read(path, as_version=4)
        first = stored.cells[0]
        fresh = begin(nbformat.read(path, as_version=4)).cells[0]
        assert first.source == fresh.source and first.metadata == FOLDED, f"{path.name}: run make notebooks"
        assert re.sub(r'\("https://\S+"\)$', "()", first.source) == FIRST_CELL.rstrip()
        assert first.outputs == []


def test_an_address_is_written_into_the_first_cell_and_stays_there():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page")])
    begin(notebook, "https://github.com/reader/course")
    begin(notebook)
    assert len(notebook.cells) == 2
    assert notebook.cells[0].source.endswith('\ninstall("https://github.com/reader/course")')
    begin(notebook, "https://github.com/other/course")
    assert notebook.cells[0].source.endswith('\ninstall("https://github.com/other/course")')


def test_an_address_for_the_first_cell_holds_no_password():
    assert home({}) is None
    assert home({"REPOSITORY_URL": "https://github.com/reader/course@spring/term"})
    for address in ["https://reader:secret@github.com/a/b", "https://token@github.com/a/b", "git@github.com:a/b"]:
        with pytest.raises(ValueError, match="REPOSITORY_URL must look like"):
            home({"REPOSITORY_URL": address})


@pytest.fixture
def installed(monkeypatch):
    """Run the first cell where some modules are missing; return what pip was told to install."""

    def run(missing, opened="", copied="", colab=True, source=FIRST_CELL, fails=""):
        told = []

        def pip(command, **options):
            told.extend(command[command.index("install") + 1 :])
            return SimpleNamespace(returncode=bool(fails), stderr=fails)

        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else found(name))
        monkeypatch.setattr(subprocess, "run", pip)
        if colab:
            module = ModuleType("google.colab")
            notebook = {"metadata": {"colab": {"provenance": [{"file_id": copied}]}}}
            module._message = SimpleNamespace(blocking_request=lambda kind: {"ipynb": notebook})
            monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
            monkeypatch.setitem(sys.modules, "google.colab", module)
        with sessions(opened) as server:
            for name, value in server.items():
                monkeypatch.setenv(name, value)
            exec(source, {})
        return told

    monkeypatch.delenv("CHAINRULE_SOURCE", raising=False)
    return run


NUMPY = f"numpy=={importlib.metadata.version('numpy')}"
ALL = ["chainrule", "graphviz", "sklearn", "sympy"]


@pytest.mark.parametrize("branch", ["main", "spring/term", "book/2", "v1.0"])
def test_in_colab_the_course_comes_from_the_fork_and_branch_of_the_notebook(installed, branch):
    for page in ("book/intro.ipynb", "book/beyond/kinks.ipynb"):
        opened = "fileId=" + quote(f"https://github.com/reader/course/blob/{branch}/{page}", safe="")
        for where in ({"opened": opened}, {"opened": "fileId=1aBc", "copied": unquote(opened)}):
            told = installed(["chainrule"], **where)
            assert told == ["-qq", f"git+https://github.com/reader/course@{branch}", NUMPY]


def test_in_colab_only_what_is_missing_is_installed_and_numpy_is_held(installed, monkeypatch):
    assert installed([]) == []
    assert installed(["sklearn"]) == ["-qq", "scikit-learn", NUMPY]
    monkeypatch.setenv("CHAINRULE_SOURCE", "/srv/chainrule.whl")
    assert installed(ALL) == ["-qq", "graphviz", "scikit-learn", "sympy", "/srv/chainrule.whl", NUMPY]


def test_elsewhere_nothing_is_installed(installed):
    assert installed(ALL, colab=False) == []


def test_a_notebook_of_unknown_origin_says_what_to_do(installed, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(RuntimeError, match="Write its address into the last line"):
        installed(["chainrule"], "fileId=1aBc")
    at_home = FIRST_CELL.replace("\ninstall()", '\ninstall("https://gitlab.com/a/b")')
    assert installed(["chainrule"], "fileId=1aBc", source=at_home)[1] == "git+https://gitlab.com/a/b"
    monkeypatch.setenv("PIP_FIND_LINKS", "/srv/packages")
    assert installed(["chainrule"], "fileId=1aBc")[1] == "chainrule"


def test_what_pip_complains_of_is_shown(installed):
    with pytest.raises(RuntimeError, match="no space left"):
        installed(["sympy"], fails="no space left")


# ---- what the notebooks need is there, in Colab and in Binder

COMES_WITH = {"threadpoolctl": "scikit-learn", "IPython": "ipykernel"}
CALLED = {"sklearn": "scikit-learn"}


def imported(root):
    """The packages that the notebooks import, as pip calls them."""
    names = set()
    for path in notebooks(root):
        for cell in nbformat.read(path, as_version=4).cells[1:]:
            if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
                for node in ast.walk(ast.parse(cell.source)):
                    if isinstance(node, ast.Import):
                        names |= {alias.name.split(".")[0] for alias in node.names}
                    elif isinstance(node, ast.ImportFrom):
                        names.add(node.module.split(".")[0])
    names -= set(sys.stdlib_module_names)
    return {COMES_WITH.get(name, CALLED.get(name, name)) for name in names} - {"chainrule", "ipykernel"}


def test_what_the_notebooks_import_is_in_colab_or_installed_there(root):
    brought = (root / "tests" / "colab" / "requirements.txt").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w-]+)==", brought, re.MULTILINE))
    assert imported(root) <= listed | {"torch"}
    assert imported(root) - {"matplotlib", "numpy", "torch"} <= set(re.findall(r"[\w-]+", FIRST_CELL))


def test_what_the_notebooks_import_is_in_binders_environment(root):
    from binder.__main__ import PYPI

    listed = yaml.safe_load((root / ".binder" / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    names = {re.split("[<>=]", line)[0] for line in listed}
    assert imported(root) | {"graphviz"} <= {PYPI.get(name, name) for name in names}
