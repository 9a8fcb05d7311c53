"""Check what Binder would make of the repository, as far as can be without building its image.

    python tests/binder --requirements        prints what .binder/environment.yml names, as pip calls it
    python tests/binder BINDER_ENVIRONMENT [notebook ...]

The second runs .binder/postBuild and the notebooks in an environment made of these packages: the outputs must be
the stored ones, and no kernel with all its processes may take more than 2 GB of memory, Binder's limit.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread

import nbformat
import psutil
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

sys.path.insert(0, str(Path(__file__).parents[1]))

from colab.__main__ import add_kernel, differences

ROOT = Path(__file__).parents[2]
LIMIT = 2e9
PYPI = {"pytorch-cpu": "torch", "python-graphviz": "graphviz", "matplotlib-base": "matplotlib"}
DETECT = """
from repo2docker.app import Repo2Docker
app = Repo2Docker()
packs = (pack(app.base_image) for pack in app.buildpacks)
found = next(pack for pack in packs if pack.detect())
found.platform = "linux/amd64"
print(type(found).__name__, found.python_version, found.render({}))
"""


def requirements():
    listed = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    names = [PYPI.get(line, line) for line in listed if not line.startswith(("python=", "pip"))]
    return [name for name in names if name != "torch"]  # which is the Makefile's


def image(environment):
    """What is wrong with the image that repo2docker would build."""
    said = subprocess.run([environment / "bin/python", "-c", DETECT], cwd=ROOT, capture_output=True, text=True)
    wanted = ["CondaBuildPack 3.12", '--file ".binder/environment.yml"', "RUN ./.binder/postBuild"]
    return [f"not in repo2docker's plan: {line}\n{said.stderr}" for line in wanted if line not in said.stdout]


class Memory(Thread):
    """The most memory that this process's children have taken together, shared pages divided up."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most, self.done = 0, Event()

    def run(self):
        while not self.done.wait(0.2):
            taken = 0
            for child in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):  # it may just have ended
                    taken += child.memory_full_info().pss
            self.most = max(self.most, taken)


def complaints(path, environment):
    """Run a stored notebook: how much memory it took, and what is not as it should be."""
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    memory = Memory()
    memory.start()
    with tempfile.TemporaryDirectory() as place:
        add_kernel(environment / "bin/python", Path(place))
        where = {"metadata": {"path": str(path.parent)}}
        client = NotebookClient(fresh, kernel_name="elsewhere", timeout=300, coalesce_streams=True, resources=where)
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            return 0, [str(error)]
        finally:
            memory.done.set()
            memory.join()
    wrong = differences(stored, fresh)
    if memory.most > LIMIT:
        wrong.append(f"took {memory.most / 1e9:.2f} GB of memory")
    return memory.most, wrong


def main(environment, *notebooks):
    environment = Path(environment).resolve()
    wrong = image(environment)
    print("the image", *wrong, sep="\n  ", flush=True)
    env = {**os.environ, "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"}
    subprocess.run([ROOT / ".binder" / "postBuild"], cwd=ROOT, env=env, check=True, capture_output=True)
    notebooks = [Path(n).resolve() for n in notebooks] or sorted((ROOT / "book").rglob("*.ipynb"))
    failed = bool(wrong)
    with ProcessPoolExecutor(2) as pool:
        check = partial(complaints, environment=environment)
        for path, (memory, wrong) in zip(notebooks, pool.map(check, notebooks), strict=True):
            print(f"{path.relative_to(ROOT)}, {memory / 1e9:.2f} GB", *wrong, sep="\n  ", flush=True)
            failed |= bool(wrong)
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:] == ["--requirements"]:
        print(*requirements())
    else:
        sys.exit(main(*sys.argv[1:]))
