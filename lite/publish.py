"""Make the JupyterLite site of the course, in _build/html/lite: notebooks that run in the reader's browser.

    python lite/publish.py [cdn or FOLDER]

Python for the browser is Pyodide. It comes from its usual CDN when a notebook is opened, or, with
FOLDER, from this site: its core from the npm package, its wheels from the folder, each compared
with the checksum in the npm package.
"""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat

from edition import edition

HERE = Path(__file__).parent
ROOT = HERE.parent
WORK, SITE = ROOT / "_build" / "lite", ROOT / "_build" / "html" / "lite"
CORE = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]
KERNEL = ["micropip", "ipython", "jedi"]  # what JupyterLite's kernel itself loads from Pyodide


def write_notebooks(folder):
    """The browser's edition of every notebook, unless the one that is there is newer than what it is made of."""
    code = [path for place in ("src", "lite") for path in (ROOT / place).rglob("*.py")]
    newest = max(path.stat().st_mtime for path in code)
    for path in sorted((ROOT / "book").rglob("*.ipynb")):
        target = folder / path.relative_to(ROOT / "book")
        if not target.exists() or target.stat().st_mtime < max(newest, path.stat().st_mtime):
            print(f"Running {path.relative_to(ROOT)} without PyTorch ...", flush=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            made = edition(path, version("torch").partition("+")[0])
            # JupyterLab's table of contents cannot read an output that is a list of lines.
            target.write_text(nbformat.writes(made, split_lines=False), encoding="utf-8")
        yield target


def imports(notebooks):
    """The packages that the notebooks import."""
    for path in notebooks:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code" and not cell.source.startswith("%"):
                for node in ast.walk(ast.parse(cell.source)):
                    if isinstance(node, ast.Import):
                        yield from (alias.name.partition(".")[0] for alias in node.names)
                    elif isinstance(node, ast.ImportFrom):
                        yield node.module.partition(".")[0]


def packages(lock, names):
    """Pyodide's packages of these names or imports, and all that those depend on."""
    found, waiting = {}, list(names)
    while waiting:
        name = waiting.pop()
        for package in lock["packages"].values():
            if name in (package["name"], *package["imports"]) and package["name"] not in found:
                found[package["name"]] = package
                waiting += package["depends"]
    return list(found.values())


def verified(folder, lock, names):
    """The wheels in the folder that `names` need. Raises ValueError for one that is missing or another one."""
    for package in packages(lock, names):
        path = Path(folder) / package["file_name"]
        if not path.is_file():
            raise ValueError(f"Pyodide needs the file {path}, which is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != package["sha256"]:
            raise ValueError(f"{path} is not the file of that name in Pyodide's npm package: its SHA-256 differs")
        yield path


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def run(*command, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise ValueError(f"{done.stdout}\nThis failed: {' '.join(map(str, command))}")


def main(source="cdn"):
    notebooks = list(write_notebooks(WORK / "contents"))
    for path in HERE.glob("*.json"):
        shutil.copy(path, WORK)
    run("npm", "ci", "--ignore-scripts", cwd=WORK)
    pyodide, static = WORK / "node_modules" / "pyodide", fresh(WORK / "static")
    if source != "cdn":
        lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
        wheels = list(verified(source, lock, [*KERNEL, *imports(notebooks)]))
        (static / "pyodide").mkdir()
        for path in [*(pyodide / name for name in CORE), *wheels]:
            shutil.copy(path, static / "pyodide")
    tools = ROOT / ".venv-lite" / "bin"
    pip = [tools / "python", "-m", "pip", "--disable-pip-version-check"]
    local = fresh(WORK / "pypi")
    run(*pip, "wheel", "--no-deps", "-w", local, ROOT)
    run(*pip, "download", "--no-deps", "-d", local, "-c", HERE / "requirements.txt", "comm")  # the kernel's
    for path in local.iterdir():
        path.chmod(0o644)
    fresh(SITE)
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    run(tools / "jupyter", "lite", "build", "--output-dir", SITE, cwd=WORK, env=environment)
    shutil.copy(WORK / "node_modules" / "@viz-js" / "viz" / "dist" / "viz.js", SITE / "static")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError) as error:
        sys.exit(str(error))
