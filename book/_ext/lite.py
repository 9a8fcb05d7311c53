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
    """Note the site's notebooks, and whether it has Pyodide. All pages depend on it."""
    site = Path(app.outdir) / "lite"
    files = site / "files"
    notebooks = files.rglob("*.ipynb")
    config.lite = sorted(p.relative_to(files).as_posix() for p in notebooks)
    if config.lite:
        data = json.loads((site / "jupyter-lite.json").read_text(encoding="utf-8"))
        settings = data["jupyter-config-data"]["litePluginSettings"][KERNEL]
        config.lite_fetches = "pyodideUrl" not in settings


def add_button(app, page, template, context, doctree):
    notebook = f"{page.removeprefix('book/')}.ipynb"
    if notebook in app.config.lite:
        buttons = context["header_buttons"]
        labels = [button.get("label") for button in buttons]
        if GROUP["label"] not in labels:
            buttons.insert(0, GROUP | {"buttons": []})
            labels.insert(0, GROUP["label"])
        link = {
            "type": "link",
            "url": f"{context['pathto']('lite/lab/index.html', 1)}?path={notebook}",
            "text": "JupyterLite",
            "tooltip": FETCHES if app.config.lite_fetches else TIP,
            "icon": "_static/images/logo_jupyterlite.svg",
        }
        buttons[labels.index(GROUP["label"])]["buttons"].append(link)


def setup(app):
    app.add_config_value("lite", [], "html")
    app.add_config_value("lite_fetches", False, "html")
    app.connect("config-inited", find_site)
    app.connect("html-page-context", add_button, priority=700)
    return {"parallel_read_safe": True}
