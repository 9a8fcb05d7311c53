"""Nothing on a page comes from another host.

MathJax comes from the package sphinx-mathjax-offline, which carries MathJax 3.2.2
(Apache License 2.0) as published. Its SVG build is one file without fonts to fetch, so
formulas also render from a folder opened without a server. Jupyter Book adds Thebe's
loader to every page, with the address of a foreign host; the book does not use it.
"""

from importlib.metadata import files

MATHJAX = "tex-svg-full.js"


def use_packaged_mathjax(app, config):
    [script] = [f for f in files("sphinx-mathjax-offline") if f.name == MATHJAX]
    config.html_static_path.append(str(script.locate()))
    config.mathjax_path = MATHJAX


def leave_thebe_out(app, page, template, context, doctree):
    def is_thebe(file):
        return "thebe" in f"{file.filename} {file.attributes}".lower()

    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if not is_thebe(file)]


def setup(app):
    app.connect("config-inited", use_packaged_mathjax)
    app.connect("html-page-context", leave_thebe_out, priority=900)
    return {"parallel_read_safe": True}
