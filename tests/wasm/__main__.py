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

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "lite"))

from edition import NOTE, read, without_missing  # noqa: E402


def bare(text):
    """A cell's text without the note on recorded results, and without spaces: who shows it breaks its lines."""
    return re.sub(r"\s+", "", NOTE.sub("", text))


def text_of(outputs):
    return bare("\n".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in outputs))


def complaints(path, modules):
    """What is not as it should be when the notebook runs."""
    made, cut = without_missing(read(path))
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
            here, there = bare(f"{printed}\n{shown}"), text_of(cell.outputs)
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
