"""Nothing on a page comes from another host.

Jupyter Book adds Thebe's loader to every page, with the address of a foreign host; the
book does not use it. What else it loads lies in the book's own folder.
"""

import re

SETTINGS = re.compile(
    r'<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName.*?</script>',
    re.DOTALL,
)


def leave_thebe_out(app, page, template, context, doctree):
    def is_thebe(file):
        return "thebe" in f"{file.filename} {file.attributes}".lower()

    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context[kind] if not is_thebe(file)]
    context["body"] = SETTINGS.sub("", context.get("body", ""))


def setup(app):
    app.connect("html-page-context", leave_thebe_out, priority=900)
    return {"parallel_read_safe": True}
