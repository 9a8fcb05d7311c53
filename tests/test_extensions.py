"""The book's own Sphinx extensions, on a book of one page."""

import shutil
import subprocess
import sys

import pytest
import repository

CONF = """
import sys
sys.path.insert(0, {ext!r})
extensions = ["myst_nb", "fresh_outputs", "offline", "repository"]
html_theme = "sphinx_book_theme"
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
html_theme_options = {{
    "use_repository_button": True, "use_issues_button": True, "use_source_button": True
}}
"""

PAGE = """---
jupytext:
  text_representation: {format_name: myst}
kernelspec: {name: python3}
---
# A page

```{code-cell}
import sys
sys.path.insert(0, "../src")
import engine
engine.VALUE
```
"""


@pytest.fixture
def build(root, tmp_path, monkeypatch):
    """Write an engine with the given value, build its book, return the page."""
    for name in ["GITHUB_REPOSITORY", "CI_PROJECT_URL", "REPOSITORY_URL"]:
        monkeypatch.delenv(name, raising=False)
    book = tmp_path / "book"
    shutil.copytree(root / "book" / "_ext", book / "_ext")
    (book / "conf.py").write_text(CONF.format(ext=str(book / "_ext")))
    (book / "index.md").write_text(PAGE)
    (tmp_path / "src").mkdir()

    def run(value):
        (tmp_path / "src" / "engine.py").write_text(f"VALUE = {value!r}\n")
        command = [sys.executable, "-m", "sphinx", "-W", "-q", "book", "html"]
        subprocess.run(command, cwd=tmp_path, check=True)
        return (tmp_path / "html" / "index.html").read_text()

    return run


def git(tmp_path, *words):
    subprocess.run(["git", "-C", tmp_path, *words], check=True, capture_output=True)


def test_a_change_in_the_engine_changes_the_page(build):
    assert "first value" in build("first value")
    page = build("second value")
    assert "second value" in page
    assert "first value" not in page


def test_buttons_point_at_origin_and_vanish_without_it(build, tmp_path):
    git(tmp_path, "init", "--initial-branch", "spring")
    git(tmp_path, "remote", "add", "origin", "git@github.com:reader/course.git")
    page = build(0)
    assert 'href="https://github.com/reader/course"' in page
    assert "https://github.com/reader/course/blob/spring/" in page
    git(tmp_path, "remote", "remove", "origin")
    assert "github.com" not in build(1)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (
            {"GITHUB_REPOSITORY": "a/b", "GITHUB_REF_NAME": "main"},
            ("https://github.com/a/b", "main"),
        ),
        (
            {"CI_PROJECT_URL": "https://gitlab.com/a/b", "CI_COMMIT_REF_NAME": "main"},
            ("https://gitlab.com/a/b", "main"),
        ),
        (
            {"REPOSITORY_URL": "https://me:secret@git.example.org/a/b.git"},
            ("https://git.example.org/a/b", "spring"),
        ),
        (
            {"REPOSITORY_URL": "https://github.com/a/b", "REPOSITORY_BRANCH": "main"},
            ("https://github.com/a/b", "main"),
        ),
        ({"REPOSITORY_URL": ""}, ("", "spring")),
    ],
)
def test_the_repository_is_read_from_the_environment(env, expected, monkeypatch):
    monkeypatch.setattr(repository, "head", lambda: "spring")
    assert repository.repository(env) == expected
