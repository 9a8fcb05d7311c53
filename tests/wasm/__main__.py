"""Run the notebooks' edition for the browser in WebAssembly, under node.

    python tests/wasm NODE_MODULES [notebook ...]

Pyodide's own wheels are in no package registry, but an older Pyodide and a NumPy for it are: so the engine, the
cross-checks with recorded results and the text of every output are tried where they will run. Pictures are not:
Matplotlib is a stand-in. Outputs must be the stored ones.
"""

import json
import re
import subprocess
import sys
import sysconfig
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "lite"))

from edition import NOTE, without_missing  # noqa: E402


def text_of(outputs):
    """The text of a cell's stored outputs, without spaces: how lines are broken depends on who shows them."""
    texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs]
    return re.sub(r"\s+", "", NOTE.sub("", "\n".join(texts)))


def complaints(path, modules):
    """What is not as it should be when the notebook runs."""
    book = nbformat.read(path, as_version=4)
    book.cells = [cell for cell in book.cells if "install" not in cell.metadata.get("tags", [])]
    made, cut = without_missing(book)
    cells = [cell for cell in made.cells if cell.cell_type == "code"]
    command = [
        "node",
        ROOT / "tests/wasm/run.mjs",
        modules,
        modules / "numpy",
        sysconfig.get_path("purelib"),
        ROOT / "src",
    ]
    done = subprocess.run(command, input=json.dumps([c.source for c in cells]), capture_output=True, text=True)
    if done.returncode:
        return [done.stderr[-2000:]]
    wrong = []
    for cell, (printed, shown, error) in zip(cells, json.loads(done.stdout), strict=True):
        tags = cell.metadata.get("tags", [])
        drawn = any("image/png" in output.get("data", {}) for output in cell.outputs)
        if error and "raises-exception" not in tags:
            wrong.append(f"cell {cell.id}: {error}")
        elif not error and cell.id not in cut and not drawn and "nbval-ignore-output" not in tags:
            here, there = re.sub(r"\s+", "", NOTE.sub("", f"{printed}\n{shown}")), text_of(cell.outputs)
            if here != there:
                wrong.append(f"cell {cell.id} shows:\n{here}\n  in the book:\n{there}")
    return wrong


def ready(modules):
    """Unpack NumPy where it will be looked for, and give it what it asks of Pyodide in vain."""
    [archive] = (modules / "@emscripten-forge/numpy/pkg").glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(modules / "unpacked", filter="data")
    # glibc's backtrace(), by which NumPy finds out whether it may write over a temporary array
    engine = modules / "pyodide" / "pyodide.asm.js"
    engine.write_text(engine.read_text().replace("var wasmImports={", "var wasmImports={backtrace:()=>0,"))
    (modules / "unpacked/lib/python3.11/site-packages").rename(modules / "numpy")


def main(modules, *notebooks):
    modules = Path(modules).resolve()
    if not (modules / "numpy").exists():
        ready(modules)
    notebooks = [Path(n).resolve() for n in notebooks] or sorted((ROOT / "book").rglob("*.ipynb"))
    failed = False
    with ThreadPoolExecutor(2) as pool:
        for path, wrong in zip(notebooks, pool.map(lambda path: complaints(path, modules), notebooks), strict=True):
            print(path.relative_to(ROOT), *wrong, sep="\n  ", flush=True)
            failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
