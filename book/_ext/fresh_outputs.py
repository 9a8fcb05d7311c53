"""Re-execute every notebook when the engine or a package has changed.

The execution cache knows a notebook by its code alone. Here its place depends on all
else that a page's outputs depend on: `src`, the required packages, Python and `dot`.
A new place means an empty cache, and Sphinx reads all pages anew, since the place is
part of its configuration.
"""

import hashlib
import platform
import subprocess
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def engine():
    for path in sorted((ROOT / "src").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT).as_posix()
            yield hashlib.sha256(path.read_bytes()).hexdigest()


def packages():
    """What the course's requirements have brought along, Python and `dot`."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    waiting = [line for line in lines if line and line[0] not in "#-"]
    found = {}
    while waiting:
        needed = Requirement(waiting.pop())
        here = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if here and needed.name not in found:
            package = distribution(needed.name)
            found[needed.name] = package.version
            waiting += package.requires or []
    yield from (f"{name}=={version}" for name, version in sorted(found.items()))
    yield platform.python_version()
    yield dot()


def dot():
    """What Graphviz says of its version; "" where there is none."""
    try:
        return subprocess.run(["dot", "-V"], capture_output=True, text=True).stderr
    except FileNotFoundError:
        return ""


def key():
    text = "\0".join([*engine(), *packages()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place_cache(app, config):
    config.nb_execution_cache_path = str(ROOT / "_build" / ".jupyter_cache" / key())


def setup(app):
    app.connect("config-inited", place_cache)
    return {"parallel_read_safe": True}
