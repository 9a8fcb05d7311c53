"""What stands around the chapters agrees with them, and the reference is complete."""

import doctest
import inspect
import io
import json
import platform
import re
from functools import reduce
from html import unescape
from importlib.metadata import version

import pytest
from slides import chapters

import chainrule as cr
from chainrule import static
from chainrule.library import more


def cells(notebook, kind):
    stored = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in stored if cell["cell_type"] == kind]


# ---- the glossary


def glossary(root):
    return re.findall(r"^(.+)\n: ", (root / "book" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_glossary_is_sorted_and_nothing_is_explained_twice(root):
    terms = [term.lower() for term in glossary(root)]
    assert terms == sorted(set(terms))


def test_every_chapter_links_to_the_glossary():
    for notebook in chapters():
        links = re.findall(r"\]\(glossary\.md#term-([\w-]+)\)", "\n".join(cells(notebook, "markdown")))
        assert len(set(links)) >= 5, notebook.name


# ---- reading times

MINUTES = re.compile(
    r"Reading takes about (\d+) minutes, the exercises about (\d+|as long)[ .].*Difficulty: (\w+)\.", re.DOTALL
)


def test_the_title_page_gives_each_chapter_the_time_and_the_difficulty_that_it_gives_itself(root):
    said = {}
    for notebook in chapters():
        reading, exercises, difficulty = MINUTES.search(cells(notebook, "markdown")[0]).groups()
        said[notebook.name] = difficulty, reading, reading if exercises == "as long" else exercises
    title = "\n".join(cells(root / "book" / "intro.ipynb", "markdown"))
    rows = re.findall(r"^\|[^|]*\]\((\w+\.ipynb)\) \| (\w+) \| (\d+) \| (\d+) \|", title, re.MULTILINE)
    assert {name: tuple(rest) for name, *rest in rows} == said


# ---- the reference


def public():
    """Every public name, with its path."""
    for name in [*dir(cr), *more.SPECIAL]:
        if not name.startswith("_") and not inspect.ismodule(getattr(cr, name)):
            yield f"chainrule.{name}"
    yield from (f"chainrule.linalg.{name}" for name in cr.linalg.__all__)
    yield from (f"chainrule.static.{name}" for name in static.__all__)
    yield from (f"chainrule.numerical.{name}" for name in ["derivative", "gradient", "jacobian"])


@pytest.fixture(scope="module")
def described(book):
    """The names that the reference describes."""
    pages = [path.read_text(encoding="utf-8") for path in (book / "book" / "api").glob("*.html")]
    return set(re.findall(r'<dt class="sig[^>]*? id="([\w.]+)"', "".join(pages)))


def test_every_public_name_is_in_the_reference(described):
    assert sorted(set(public()) - described) == []


def test_what_a_tensor_can_do_as_in_pytorch_is_in_the_reference(described):
    torch = pytest.importorskip("torch")
    names = [n for n in dir(cr.Tensor) if not n.startswith("_") and hasattr(torch.Tensor, n)]
    functions = [thing for thing in vars(cr).values() if callable(thing)]
    others = [n for n in names if not hasattr(cr, n) and getattr(cr.Tensor, n) not in functions]
    assert sorted({f"chainrule.Tensor.{name}" for name in others} - described) == []


def examples():
    """What a docstring has to show for: every public function and class, every method of a Tensor."""
    methods = [f"chainrule.Tensor.{name}" for name in dir(cr.Tensor) if not name.startswith("_")]
    hidden = {"chainrule.Tensor.apply", "chainrule.Tensor.only"}  # what the engine itself calls
    for path in sorted({*public(), *methods} - hidden):
        thing = reduce(getattr, path.split(".")[1:], cr)
        if (inspect.isroutine(thing) or inspect.isclass(thing)) and thing.__module__ != "numpy":
            yield path


@pytest.mark.parametrize("path", list(examples()))
def test_every_public_function_has_an_example_that_runs(path):
    _, *package, name = path.split(".")
    doc = inspect.getdoc(reduce(getattr, [*package, name], cr))
    for elsewhere in re.findall(r"(?:does what|^See) `chainrule\.(?:library\.)?([\w.]+)`", doc):
        doc = inspect.getdoc(reduce(getattr, elsewhere.split("."), cr))
    names = dict(vars(static if package == ["static"] else cr))
    example = doctest.DocTestParser().get_doctest(doc, names, name, None, None)
    assert example.examples
    report = io.StringIO()
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(example, out=report.write)
    assert report.getvalue() == ""


def test_every_name_in_a_chapter_leads_to_the_reference(book, described):
    for notebook in chapters():
        page = (book / "book" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        used = set(re.findall(r"(?<![\w.])cr\.(\w+)", "\n".join(cells(notebook, "code"))))
        links = re.findall(r'<a class="code-link" href="([^"#]+)#([^"]+)">(.*?)</a>', page)
        linked = set()
        for file, place, marked in links:
            words = unescape(re.sub("<[^>]+>", "", marked)).split(".")
            if words[0].lstrip("@") == "cr" and len(words) > 1:
                linked.add(words[1])
            target = (book / "book" / file).read_text(encoding="utf-8")
            assert f'id="{place}"' in target, place
        assert used - linked == set(), notebook.name


# ---- the colophon


def test_the_colophon_names_the_versions_at_hand(book):
    page = (book / "book" / "acknowledgements.html").read_text(encoding="utf-8")
    shown = dict(re.findall(r"<li><p>(\S+) (\S+)</p></li>", page))
    assert shown["Python"] == platform.python_version()
    for package in ["numpy", "matplotlib", "torch"]:
        assert shown[package] == version(package)
