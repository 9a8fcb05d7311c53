"""A button that opens the page in JupyterLite, once `make lite` has built that.

Nothing is fetched before the reader clicks. Then Python comes from Pyodide's CDN, and
the button says so, unless the site has its own.
"""

import json
from pathlib import Path

TIP = "Run this page in your browser, without installing anything"
FETCHES = f"{TIP} (fetches Python from Pyodide's CDN)"
GROUP = {
    "type": "group",
    "tooltip": "Launch interactive content",
    "icon": "fas fa-rocket",
    "label": "launch-buttons",  # the theme's group, if there is one
}
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


def find_site(app, config):
    """Note where Pyodide comes from: "" if there is no site."""
    site = Path(app.outdir) / "lite" / "jupyter-lite.json"
    config.lite = ""
    if site.exists():
        data = json.loads(site.read_text(encoding="utf-8"))["jupyter-config-data"]
        own = "pyodideUrl" in data["litePluginSettings"][KERNEL]
        config.lite = "own" if own else "cdn"


def add_button(app, page, template, context, doctree):
    notebook = f"{page.removeprefix('book/')}.ipynb"
    if app.config.lite and (Path(app.outdir) / "lite" / "files" / notebook).exists():
        buttons = context["header_buttons"]
        labels = [button.get("label") for button in buttons]
        if GROUP["label"] not in labels:
            buttons.insert(0, GROUP | {"buttons": []})
            labels.insert(0, GROUP["label"])
        link = {
            "type": "link",
            "url": f"{context['pathto']('lite/lab/index.html', 1)}?path={notebook}",
            "text": "JupyterLite",
            "tooltip": TIP if app.config.lite == "own" else FETCHES,
            "icon": "_static/images/logo_jupyterlite.svg",
        }
        buttons[labels.index(GROUP["label"])]["buttons"].append(link)


def setup(app):
    app.add_config_value("lite", "", "html")
    app.connect("config-inited", find_site)
    app.connect("html-page-context", add_button, priority=700)
    return {"parallel_read_safe": True}
