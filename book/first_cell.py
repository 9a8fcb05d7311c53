# @title In Colab, this cell installs what is missing. Elsewhere it does nothing.
def install(home=""):
    import importlib
    import os
    import re
    import subprocess
    import sys
    from importlib.metadata import version
    from importlib.util import find_spec
    from urllib.parse import unquote
    from urllib.request import urlopen

    try:
        importlib.import_module("google.colab")
    except ImportError:
        return

    def source():
        """The repository and branch that the notebook comes from, as pip wants it."""
        if "CHAINRULE_SOURCE" in os.environ:
            return os.environ["CHAINRULE_SOURCE"]
        try:
            server = "http://{COLAB_JUPYTER_IP}:{KMP_TARGET_PORT}/api/sessions"
            with urlopen(server.format(**os.environ), timeout=5) as sessions:
                path = unquote(unquote(sessions.read().decode()))
            page = re.search(r'github\.com/([^/"]+/[^/"]+)/blob/([^"]+)/book/', path)
            return "git+https://github.com/{}@{}".format(*page.groups())
        except (KeyError, OSError, AttributeError):  # it was not opened from GitHub
            if home:
                return f"git+{home}"
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
