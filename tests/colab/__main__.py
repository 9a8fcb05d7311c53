"""Run the book's notebooks as Colab would, and compare their outputs with the stored ones.

    python tests/colab COLAB_ENVIRONMENT [notebook ...]

What is imitated: Colab's versions of the packages (requirements.txt), its module `google.colab`, its list
of open notebooks, and a notebook that lies alone in an empty folder. What the first cell asks of GitHub, git
takes from this checkout. What pip needs for building the course lies in COLAB_ENVIRONMENT/wheels; it has no index.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
FORK, BRANCH = "https://github.com/reader/course", "spring/term"
PLACE = f"{FORK}/blob/{BRANCH}"
PACKAGE = ["src", "pyproject.toml", "README.md", "LICENSE"]
LAST_CELL = """
import importlib.metadata, json, sys
given = importlib.metadata.distribution("chainrule").read_text("direct_url.json")
versions = {name: sys.modules[name].__version__ for name in ("numpy", "torch", "matplotlib") if name in sys.modules}
print(json.dumps([json.loads(given), versions]))
"""


def clone(environment, place):
    """A copy of a virtual environment in no time: its packages are links."""
    [packages] = environment.glob("lib/python*/site-packages")
    copy = place / packages.relative_to(environment)
    copy.mkdir(parents=True)
    for entry in packages.iterdir():
        (copy / entry.name).symlink_to(entry)
    shutil.copy(environment / "pyvenv.cfg", place)
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to((environment / "bin" / "python").resolve())
    return copy


def publish(place):
    """The checkout as the repository that git finds in place of the fork on GitHub."""
    repository = place / "reader" / "course"
    repository.mkdir(parents=True)
    for name in PACKAGE:
        copy = partial(shutil.copytree, ignore=shutil.ignore_patterns("__pycache__"))
        (copy if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, repository / name)
    git = ["git", "-C", repository, "-c", "user.name=reader", "-c", "user.email=reader@localhost"]
    for words in (["init", "-q", "-b", BRANCH], ["add", "."], ["commit", "-qm", "The course"]):
        subprocess.run([*git, *words], check=True)
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{place.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
    }


@contextmanager
def sessions(path):
    """The server that tells which notebooks are open, and the variables that lead to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps([{"path": path, "name": path[-20:], "type": "notebook"}]).encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield {"COLAB_JUPYTER_IP": "127.0.0.1", "KMP_TARGET_PORT": str(server.server_port)}
    server.shutdown()
    server.server_close()


def add_kernel(python, place):
    """Let Jupyter know the kernel of another Python by the name `elsewhere`."""
    folder = place / "kernels" / "elsewhere"
    folder.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "--log-level=40", "-f", "{connection_file}"]
    kernel = {"argv": command, "display_name": "elsewhere", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(kernel), encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(place)


MESSAGE = """
def blocking_request(request_type, request="", timeout_sec=5, parent=None):
    return {{"ipynb": {{"cells": [], "metadata": {{"colab": {{"provenance": [{{"file_id": {!r}}}]}}}}}}}}
"""


def execute(notebook, place, environment, opened, copied="", colab=True, without=""):
    """Run a notebook in the imitation; its kernel starts in an empty folder."""
    packages = clone(environment, place / "venv")
    if colab:
        module = packages / "google" / "colab"
        module.mkdir(parents=True)
        (module / "__init__.py").touch()
        (module / "_message.py").write_text(MESSAGE.format(copied), encoding="utf-8")
    for entry in packages.glob(f"{without}*") if without else []:
        entry.unlink()
    for folder in ("home", "content"):
        (place / folder).mkdir()
    add_kernel(place / "venv/bin/python", place)
    settings = place / "pip.conf"
    settings.write_text(f"[global]\nno-index = true\nfind-links = {environment / 'wheels'}\n", encoding="utf-8")
    with sessions(opened) as server:
        env = {"PATH": os.environ["PATH"], "HOME": str(place / "home"), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        env |= {"PIP_CONFIG_FILE": str(settings)}
        where = {"metadata": {"path": str(place / "content")}}
        client = NotebookClient(notebook, kernel_name="elsewhere", timeout=300, coalesce_streams=True, resources=where)
        client.execute(env=env | publish(place / "github") | server)


def words(cell):
    """What a cell shows, without pictures and the traceback's frames."""
    shown = []
    for output in cell.get("outputs", []):
        kinds = output.get("data", {})
        shown.append(output.get("text") or [output.get("ename"), output.get("evalue")])
        shown += sorted((kind, kinds[kind]) for kind in kinds if not kind.startswith("image/"))
    return shown


def differences(stored, fresh):
    """What cells of a notebook show that is not what is stored."""
    pairs = zip(stored.cells, fresh.cells, strict=False)
    return [
        f"cell {old.id!r} shows\n{words(new)}\ninstead of\n{words(old)}"
        for old, new in pairs
        if words(old) != words(new)
    ]


def complaints(path, environment):
    """Run a stored notebook; what is not as it should be, in words."""
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    fresh.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    page = f"{PLACE}/{path.relative_to(ROOT).as_posix()}"
    with tempfile.TemporaryDirectory() as place:
        try:
            execute(fresh, Path(place), environment, opened=f"fileId={quote(page, safe='')}")
        except CellExecutionError as error:
            return [str(error)]
    wrong = differences(stored, fresh)
    given, versions = json.loads(fresh.cells[-1].outputs[0].text)
    if (given["url"], given["vcs_info"]["requested_revision"]) != (FORK, BRANCH):
        wrong.append(f"the course came from {given}")
    wrong += [
        f"{name} is now {new}"
        for name, new in versions.items()
        if new.partition("+")[0] != version_of(name, environment)  # behind the +: what it was built for
    ]
    return wrong


def version_of(name, environment):
    [found] = distributions(name=name, path=map(str, environment.glob("lib/python*/site-packages")))
    return found.version.partition("+")[0]


FIRST_CELL = (ROOT / "book" / "first_cell.py").read_text(encoding="utf-8")
AT_HOME = FIRST_CELL.replace("\ninstall()", f'\ninstall("{FORK}@{BRANCH}")')
FOUND = "from importlib.util import find_spec; [n for n in ('chainrule', 'graphviz') if find_spec(n)]"
ON_GITHUB, IN_DRIVE = f"fileId={quote(f'{PLACE}/book/x.ipynb', safe='')}", "fileId=1aBc"
CASES = {
    # in which case: (the first cell, how the notebook is run, what is there afterwards or what is said)
    "elsewhere than in Colab": (FIRST_CELL, {"opened": ON_GITHUB, "colab": False}, "['graphviz']"),
    "something else is missing": (
        FIRST_CELL,
        {"opened": ON_GITHUB, "without": "graphviz"},
        "['chainrule', 'graphviz']",
    ),
    "a copy in Drive": (
        FIRST_CELL,
        {"opened": IN_DRIVE, "copied": f"{PLACE}/book/x.ipynb"},
        "['chainrule', 'graphviz']",
    ),
    "an upload": (FIRST_CELL, {"opened": IN_DRIVE}, "Colab does not say from which repository"),
    "an upload that knows its home": (AT_HOME, {"opened": IN_DRIVE}, "['chainrule', 'graphviz']"),
}


def complaint(case, environment):
    source, how, expected = CASES[case]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in (source, FOUND)])
    with tempfile.TemporaryDirectory() as place:
        try:
            execute(notebook, Path(place), environment, **how)
            said = "".join(output["data"]["text/plain"] for cell in notebook.cells for output in cell.outputs)
        except CellExecutionError as error:
            said = str(error)
    return [] if expected in said else [said]


def main(environment, *notebooks):
    environment = Path(environment).resolve()
    notebooks = [Path(n).resolve() for n in notebooks] or sorted((ROOT / "book").rglob("*.ipynb"))
    names = [*CASES, *(path.relative_to(ROOT).as_posix() for path in notebooks)]
    failed = False
    with ProcessPoolExecutor(2) as pool:
        running = [pool.submit(complaint, case, environment) for case in CASES]
        running += [pool.submit(complaints, path, environment) for path in notebooks]
        for name, result in zip(names, running, strict=True):
            wrong = result.result()
            print(name, *wrong, sep="\n  ", flush=True)
            failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
