# @title In Colab, this cell installs what is missing. Elsewhere it does nothing.
def install(home=""):
    import importlib

    try:
        importlib.import_module("google.colab")
    except ImportError:
        return

    import os
    import re
    import subprocess
    import sys
    from contextlib import suppress
    from importlib.metadata import version
    from importlib.util import find_spec
    from urllib.parse import unquote
    from urllib.request import urlopen

    def open_notebooks():
        server = "http://{COLAB_JUPYTER_IP}:{KMP_TARGET_PORT}/api/sessions"
        with urlopen(server.format(**os.environ), timeout=5) as listed:
            return unquote(unquote(listed.read().decode()))

    def origin_of_a_copy():
        from google.colab import _message

        return str(_message.blocking_request("get_ipynb")["ipynb"]["metadata"])

    def source():
        """What pip is to install: the course as it is where this notebook is from."""
        if "CHAINRULE_SOURCE" in os.environ:
            return os.environ["CHAINRULE_SOURCE"]
        for place in (open_notebooks, origin_of_a_copy):
            with suppress(Exception):  # Colab promises neither
                page = r"""github\.com/([^/"']+/[^/"']+)/blob/([^"']+)/book/"""
                name, branch = re.search(page, place()).groups()
                return f"git+https://github.com/{name}@{branch}"
        if home:
            return f"git+{home}"
        if "PIP_FIND_LINKS" in os.environ:  # a folder of packages, of a school's
            return "chainrule"
        raise RuntimeError(
            "Colab does not say from which repository this notebook comes. Write its "
            "address into the last line of this cell and run it again, for instance "
            'install("https://github.com/OWNER/NAME")'
        )

    others = {"graphviz": "graphviz", "sklearn": "scikit-learn", "sympy": "sympy"}
    missing = [others[module] for module in others if find_spec(module) is None]
    if find_spec("chainrule") is None:
        missing.append(source())
    if missing:
        pip = [sys.executable, "-m", "pip", "install", "-qq"]
        kept = f"numpy=={version('numpy')}"
        done = subprocess.run([*pip, *missing, kept], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        importlib.invalidate_caches()


install()
