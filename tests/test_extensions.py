"""The book's own Sphinx extensions, on a book of one page."""

import shutil
import subprocess
import sys

import formulas
import light
import openings
import pytest
import repository
from docutils import nodes
from math_core import LatexError

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
    shutil.copy(root / "requirements.txt", tmp_path)

    def run(value):
        (tmp_path / "src" / "engine.py").write_text(f"VALUE = {value!r}\n")
        command = [sys.executable, "-m", "sphinx", "-W", "-q", "book", "html"]
        subprocess.run(command, cwd=tmp_path, check=True)
        return (tmp_path / "html" / "index.html").read_text()

    return run


def test_a_formula_that_cannot_be_read_is_refused():
    with pytest.raises(LatexError, match="nonsense"):
        formulas.mathml(r"\nonsense{x}")


def test_colours_in_formulas_are_those_of_the_page():
    made = formulas.mathml(r"\color{#D55E00}{\bar y}^\top J\color{#009E73}{\dot x}", block=True)
    assert 'class="cotangent"' in made
    assert 'class="tangent"' in made
    assert "style=" not in made


def test_what_a_chapter_takes_stands_apart_from_what_it_is_for():
    link = nodes.reference("", "chapter 2")
    words = ["You will know. Reading takes about 5 minutes. You need ", ". Difficulty: easy."]
    chapter = nodes.section("", nodes.paragraph("", "", nodes.Text(words[0]), link, nodes.Text(words[1])))
    openings.set_apart(None, chapter)
    aim, facts = chapter
    assert aim.astext() == "You will know."
    assert facts.astext() == "Reading takes about 5 minutes. You need chapter 2. Difficulty: easy."
    assert facts["classes"] == ["facts"]


def test_styles_that_fit_nothing_on_a_page_are_left_out():
    css = "@import url(x.css); p, .here .gone { a: b } .here:not(.gone) { c: d } @media print { #gone { e: f } }"
    found = light.used(list(light.parse(css)), {"here", "p"})
    assert found == "@import url(x.css);p{a: b}.here:not(.gone){c: d}"


def test_of_variables_only_those_that_are_asked_for_are_left():
    css = """p { color: var(--a); content: ";" } :root { --a: var(--b); --b: red; --c: url("x;y") } q { --d: 1 }"""
    found = light.used(list(light.parse(css)), {"p", "q"})
    assert found == 'p{color: var(--a);content: ";"}:root{--a: var(--b);--b: red}'


def test_a_page_carries_the_rules_for_what_is_seen_first():
    css = """p, p:hover { a: b } @media print { p { c: d } } @media (max-width: 9rem) { p { e: f } }
    @keyframes spin { to { g: h } } @font-face { src: url("data:x") } .fa-bars::before { i: j } nav { k: l }"""
    rules = list(light.early(light.parse(css)))
    assert light.used(rules, {"p", "nav", "fa-bars"}) == "p{a: b}@media (max-width: 9rem) {p{e: f}}nav{k: l}"
    page = f"<dialog><i></i></dialog><article>{'x' * light.FIRST}<table></table></article><nav></nav>"
    assert light.names(light.beginning(page)) == {"article", "nav"}


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
