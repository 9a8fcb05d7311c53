"""Graphviz where no program can be started: in a browser, viz.js draws, which is Graphviz as WebAssembly."""

from typing import Any

viz: Any = None  # once loaded


async def load(address: str | None = None) -> None:
    """Fetch viz.js, an ES module; by default from the JupyterLite site that this Python runs in."""
    global viz
    from pyodide.code import run_js

    site = run_js("self.location?.href").partition("/extensions/")[0] if address is None else ""
    module = await run_js("address => import(address)")(address or f"{site}/static/viz.js")
    viz = await module.instance()


def render(dot: str, kind: str) -> bytes | None:
    """As `picture.render`: the picture as bytes, None where it cannot be had."""
    return viz.renderString(dot, format=kind).encode() if viz is not None and kind == "svg" else None
