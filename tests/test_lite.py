"""The course in a browser: what is left out of the notebooks, which files are trusted, and whether it runs.

What needs the site is tested once `make lite` has built it. NumPy's wheel for Pyodide is in no
package registry: unless the site was built with a folder of Pyodide's wheels, Pyodide runs here
with the wheels that are Python alone, and the engine is tried as far as its first `import numpy`.
"""

import functools
import hashlib
import http.server
import json
import shutil
import subprocess
import sys
import threading
from importlib.metadata import version

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebooks import every_notebook

from edition import Cutter, as_markdown, shown, without_missing
from publish import ROOT, SITE, WORK, imports, packages, verified

CORE = WORK / "node_modules" / "pyodide"
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
needs_site = pytest.mark.skipif(not (SITE / "lab").exists(), reason="needs the site: make lite")


# ---- what is left out


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ("import torch", ""),
        ("from torch.utils import data\nx = 1", "x = 1"),
        ("import numpy, torch\nx = 1", "x = 1"),
        ("import torch\ny = torch.ones(2)\nz = y + 1\nx = 1\nx", "x = 1\nx"),
        ("import torch\ny = torch.ones(2)\ny = 1\nz = y", "y = 1\nz = y"),
        ("import torch\ndef f(torch):\n    return torch + 1\nf(1)", "def f(torch):\n    return torch + 1\nf(1)"),
        ("import torch\ndef f(x):\n    return torch.sin(x)\nf(1), 2", ""),
        ("import torch\nrows = []\nrows.append(torch.pi)\nlen(rows)", "rows = []"),
        ("import torch\ntable = {}\ntable[1] = torch.pi\nlen(table)", "table = {}"),
        (
            "import torch\nseen = []\nh = lambda x: seen.append(x)\ntorch.vmap(h)\nseen",
            "seen = []\nh = lambda x: seen.append(x)",
        ),
        (
            "import torch\ndef h(x):\n    seen.append(x)\nseen = []\ntorch.vmap(h)\nseen",
            "def h(x):\n    seen.append(x)\nseen = []",
        ),
        ("import torch\nfor lib in (torch, int):\n    y = lib(1)\ny", ""),
        ("import torch\n@torch.compile\ndef f(x):\n    return x\nx = 1", "x = 1"),
        ("import torch\nx = [torch.pi,\n     2]\ny = 1", "y = 1"),
        ("import torchmetrics as t\nt.x", "import torchmetrics as t\nt.x"),
        ("import torch\nx = 1\nx\ny = torch.pi", "x = 1\nx;"),
        ("import torch\nñ = 1\nñ  # one\ny = torch.pi", "ñ = 1\nñ;  # one"),
        (
            "import torch\nrows = [1]\ndef f():\n    rows = []\n    rows.append(1)\ntorch.vmap(f)\nrows",
            "rows = [1]\ndef f():\n    rows = []\n    rows.append(1)\nrows",
        ),
    ],
)
def test_what_needs_pytorch_is_left_out_and_nothing_else(source, left):
    cut = Cutter().cut(source) or ""
    assert [line for line in cut.split("\n") if not line.startswith("# ")] == left.split("\n")


@pytest.mark.parametrize("path", every_notebook(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_edition_of_a_notebook_keeps_its_cells_and_is_valid(path):
    book = nbformat.read(path, as_version=4)
    made, cut = without_missing(book)
    nbformat.validate(made)
    for before, after in zip(book.cells, made.cells, strict=True):
        assert (before.source == after.source) == (before.id not in cut)


def test_what_a_cell_showed_is_kept_as_text_tables_and_attached_pictures():
    outputs = [
        new_output("stream", name="stdout", text="said\n"),
        new_output("display_data", {"text/plain": "A line,\nrising [1].", "image/png": "AAAA"}),
        new_output("display_data", {"text/plain": "digraph {}", "image/svg+xml": "<svg/>"}),
        new_output("display_data", {"text/plain": "1", "text/html": "<table></table>"}),
        new_output("execute_result", {"text/plain": "3"}),
    ]
    made = as_markdown(new_code_cell("", id="one", outputs=outputs), "2.13.0")
    nbformat.validate(new_notebook(cells=[made]))
    for part in ("2.13.0", "said", "![A line, rising 1 .](attachment:0.png)", "(attachment:1.svg)", "<table>", "3"):
        assert part in made.source
    assert made.attachments["1.svg"] == {"image/svg+xml": "PHN2Zy8+"}


def test_results_are_the_same_where_only_the_note_on_recorded_ones_differs():
    note = "PyTorch is not installed here: these results of it were recorded with version 2.13.0"
    here, there = (
        new_code_cell("", outputs=[new_output("execute_result", {"text/plain": a, "text/html": b})])
        for a, b in [("7  7", "<td>7</td>"), (f"7  7\n{note}", f"<td>7</td>\n<p>{note}</p>")]
    )
    assert [*shown(here)] == [*shown(there)]
    there.outputs[0].data["text/plain"] = "8  7"
    assert [*shown(here)] != [*shown(there)]


# ---- which files are trusted


@pytest.fixture
def wheels(tmp_path):
    """Three wheels, and the lock file that describes them."""
    entries = {}
    for name, depends in [("numpy", []), ("scikit-learn", ["numpy"]), ("unused", [])]:
        file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        (tmp_path / file).write_bytes(name.encode())
        digest = hashlib.sha256(name.encode()).hexdigest()
        place = {"scikit-learn": "sklearn"}.get(name, name)
        entries[name] = {"name": name, "file_name": file, "sha256": digest, "depends": depends, "imports": [place]}
    return tmp_path, {"packages": entries}


def test_the_wheels_that_the_notebooks_need_are_taken_and_no_others(wheels):
    folder, lock = wheels
    names = sorted(path.name for path in verified(folder, lock, ["sklearn", "math"]))
    assert names == ["numpy-1.0-py3-none-any.whl", "scikit_learn-1.0-py3-none-any.whl"]


def test_a_wheel_with_another_checksum_is_refused_by_name(wheels):
    folder, lock = wheels
    (folder / "numpy-1.0-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"numpy-1.0-py3-none-any.whl is not the file"):
        list(verified(folder, lock, ["sklearn"]))


def test_a_wheel_that_is_missing_is_named(wheels):
    folder, lock = wheels
    (folder / "numpy-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ValueError, match=r"numpy-1.0-py3-none-any.whl, which is missing"):
        list(verified(folder, lock, ["sklearn"]))


# ---- the site


@needs_site
def test_pyodide_is_of_the_version_that_the_kernel_was_made_for(root):
    pinned = json.loads((root / "lite" / "package.json").read_text())["dependencies"]["pyodide"]
    script = "from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION; print(PYODIDE_VERSION)"
    done = subprocess.run([root / ".venv-lite" / "bin" / "python", "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == pinned


@needs_site
def test_pyodide_has_every_package_that_the_notebooks_import(root):
    lock = json.loads((CORE / "pyodide-lock.json").read_text())
    wanted = set(imports((WORK / "contents").rglob("*.ipynb")))
    had = {name for package in packages(lock, wanted) for name in package["imports"]}
    assert {"numpy", "matplotlib", "sympy", "sklearn"} <= had & wanted
    standard = json.loads(node("import json, sys; json.dumps(sorted(sys.stdlib_module_names))"))
    assert wanted - had - set(standard) == {"chainrule", "IPython"} - had


@needs_site
def test_every_notebook_is_in_the_site_and_starts_by_installing_its_wheel(root):
    for path in (root / "book").rglob("*.ipynb"):
        cells = nbformat.read(SITE / "files" / path.relative_to(root / "book"), as_version=4).cells
        assert cells[1].source.startswith("%pip install -q chainrule\n")
    index = json.loads((SITE / "pypi" / "all.json").read_text())
    assert set(index) == {"chainrule", "comm"}


def node(script, core=CORE, load=()):
    """What `script` gives, run by Pyodide under node, with our wheel unpacked, viz.js at hand and packages loaded."""
    [wheel] = (SITE / "pypi").glob("chainrule-*.whl")
    run = """
        import {readFileSync} from "node:fs";
        import {pathToFileURL} from "node:url";
        const [core, wheel, viz, script, ...load] = process.argv.slice(1);
        const {loadPyodide} = await import(pathToFileURL(core + "/pyodide.mjs"));
        const python = await loadPyodide({indexURL: core});
        await python.loadPackage(load, {messageCallback: () => {}});
        python.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel");
        python.globals.set("viz", pathToFileURL(viz).href);
        console.log(await python.runPythonAsync(script));
    """
    arguments = [core, wheel, SITE / "static" / "viz.js", script, *load]
    done = subprocess.run(["node", "--input-type=module", "-e", run, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.strip()


@needs_site
def test_under_pyodide_the_wheel_compiles_and_asks_for_numpy_alone():
    script = """
import compileall, importlib.util
place = importlib.util.find_spec("chainrule").submodule_search_locations[0]
try:
    import chainrule
except ModuleNotFoundError as error:
    missing = error.name
str((compileall.compile_dir(place, quiet=1), missing))
"""
    assert node(script) == "(True, 'numpy')"


@needs_site
def test_under_pyodide_graphs_are_drawn_by_viz_js():
    script = """
import importlib.util, sys, types
[place] = importlib.util.find_spec("chainrule").submodule_search_locations
sys.modules["draw"] = types.ModuleType("draw")  # the folder without the package around it, which needs NumPy
sys.modules["draw"].__path__ = [f"{place}/draw"]
from draw import in_page, picture
class Product(picture.Drawing):
    dot, title, text = "digraph { x -> y }", "a graph", "y is made from x"
kinds = [sorted(Product()._repr_mimebundle_())]
await in_page.load(viz)
kinds.append(sorted(Product()._repr_mimebundle_()))
str((kinds, "<desc>y is made from x</desc>" in Product().svg()))
"""
    assert node(script) == "([['text/plain'], ['image/svg+xml', 'text/plain']], True)"


@needs_site
def test_under_pyodide_a_function_has_the_text_that_its_record_was_made_with(root):
    """Python's version in the browser is another one: were its way to write code another, no record would be found."""
    records = json.loads((root / "src" / "chainrule" / "crosscheck" / "recorded.json").read_text())
    texts = [record["function"] for record in records.values()]
    script = f"import ast, json\njson.dumps([ast.unparse(ast.parse(text)) for text in {texts!r}])"
    assert json.loads(node(script)) == texts


# ---- with packages


PURE = """asttokens cycler decorator executing ipython jedi matplotlib-inline micropip packaging parso
    prompt-toolkit pure-eval pygments six stack-data traitlets wcwidth""".split()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A copy of the site that holds Pyodide, and a short notebook in place of the title page."""
    copy = tmp_path_factory.mktemp("site") / "lite"
    shutil.copytree(SITE, copy)
    cells = [new_code_cell(source) for source in CELLS]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": PYODIDE}), copy / "files" / "intro.ipynb")
    if not (copy / "static" / "pyodide").exists():
        put_pyodide(copy)
    return copy


def put_pyodide(site):
    """Pyodide's core with those wheels that are Python alone: not Pyodide's own files of them, but the registry's."""
    place, lock = site / "static" / "pyodide", json.loads((CORE / "pyodide-lock.json").read_text())
    shutil.copytree(CORE, place)
    wheels = WORK / "pure"  # kept from one run to the next
    pins = [f"{name}=={lock['packages'][name]['version']}" for name in PURE]
    command = ["-m", "pip", "download", "-qq", "--no-deps", "--only-binary=:all:", "--python-version=3.14"]
    subprocess.run([sys.executable, *command, "-d", wheels, "--find-links", wheels, *pins], check=True)
    files = {package["file_name"]: package for package in lock["packages"].values()}
    for wheel in wheels.glob("*.whl"):
        files[wheel.name]["sha256"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        shutil.copy(wheel, place)
    (place / "pyodide-lock.json").write_text(json.dumps(lock))
    config = json.loads((site / "jupyter-lite.json").read_text())
    config["jupyter-config-data"]["litePluginSettings"][KERNEL]["pyodideUrl"] = "./static/pyodide/pyodide.mjs"
    (site / "jupyter-lite.json").write_text(json.dumps(config))


PYODIDE = {"name": "python", "display_name": "Python (Pyodide)"}
CELLS = [
    "%pip install -q chainrule",
    "from importlib.metadata import version\nversion('chainrule')",
    "import sys\nsys.platform, 6 * 7",
]


def failures(site, cells, load=()):
    """What goes wrong when Pyodide under node runs the cells of a notebook one after the other."""
    script = f"""
import contextlib, io, json, os
os.environ["MPLBACKEND"] = "agg"
from IPython.core.interactiveshell import InteractiveShell
shell, failed = InteractiveShell.instance(), []
for cell in {cells!r}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        result = await shell.run_cell_async(cell, store_history=True)
    if not result.success:
        failed.append([cell, repr(result.error_before_exec or result.error_in_exec)])
json.dumps(failed)
"""
    return json.loads(node(script, site / "static" / "pyodide", ["ipython", *load]))


@needs_site
def test_under_pyodide_a_cell_that_fails_is_seen(site):
    assert failures(site, ["x = 1", "assert x == 1", "import sys\nsys.platform"]) == []
    assert [source for source, _ in failures(site, ["x = 1", "x / 0", "x +", "y = x"])] == ["x / 0", "x +"]


@needs_site
@pytest.mark.skipif(not list(SITE.glob("static/pyodide/numpy-*.whl")), reason="needs make lite PYODIDE=FOLDER")
@pytest.mark.parametrize("path", sorted((ROOT / "book").rglob("*.ipynb")), ids=lambda path: path.stem)
def test_under_pyodide_every_cell_of_every_notebook_runs(path, site):
    path = SITE / "files" / path.relative_to(ROOT / "book")
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"][1:]
    announced = {cell.source for cell in cells if "raises-exception" in cell.metadata.get("tags", [])}
    lock = json.loads((CORE / "pyodide-lock.json").read_text())
    load = [package["name"] for package in packages(lock, imports([path]))]
    failed = failures(site, [cell.source for cell in cells], load)
    assert {source for source, _ in failed} <= announced, failed


# ---- in Chromium


@pytest.fixture
def address(site):
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@needs_site
def test_in_chromium_a_notebook_opens_runs_and_installs_our_wheel_from_the_site_alone(address, browser):
    elsewhere = []
    page = browser.new_page()
    page.on("request", lambda r: elsewhere.append(r.url) if not r.url.startswith((address, "data:", "blob:")) else None)
    page.goto(f"{address}lab/index.html?path=intro.ipynb")
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for(timeout=300_000)
    page.get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    last = page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-OutputArea-output")
    last.wait_for(timeout=300_000)
    shown = page.locator(".jp-Notebook .jp-OutputArea-output").all_inner_texts()
    assert [text.strip() for text in shown] == [repr(version("chainrule")), "('emscripten', 42)"]
    assert not elsewhere
    page.close()
