"""What runs in WebAssembly: the cells of a notebook, one after the other. The last line is the result."""

import io
import json
import linecache
import sys
from contextlib import redirect_stderr, redirect_stdout

from pyodide.code import eval_code

sys.path[:0] = ["/stand_ins", "/numpy", "/source", "/pure"]

from IPython.display import display  # noqa: E402


def run(number, source, names):
    """What a cell prints, the representation of what it shows, and its error."""
    place, printed = f"<cell {number}>", io.StringIO()
    linecache.cache[place] = len(source), None, source.splitlines(True), place  # where functions look for their text
    try:
        with redirect_stdout(printed), redirect_stderr(io.StringIO()):
            value = eval_code(source, names, filename=place)
            return printed.getvalue(), "" if value is None else repr(value), None
    except Exception as error:
        return printed.getvalue(), "", f"{type(error).__name__}: {error}"


names = {"__name__": "__main__", "display": display}
json.dumps([run(number, source, names) for number, source in enumerate(json.loads(cells))])  # noqa: F821
