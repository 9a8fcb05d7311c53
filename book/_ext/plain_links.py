"""Let plain Markdown links reach the glossary's terms and the bibliography's entries.

A notebook is also read where roles are unknown: in Jupyter, in Colab, on GitHub. There
[leaf](glossary.md#term-leaf) is a link with a name, while a role shows as it is typed.
"""


def offer_anchors(app, env):
    objects = env.get_domain("std").objects.items()
    anchors = [place for (kind, _), place in objects if kind == "term"]
    anchors += [
        (entry.bibliography_key.docname, entry.citation_id)
        for entry in env.get_domain("cite").citations
    ]
    for page, anchor in anchors:
        slugs = env.metadata[page].setdefault("myst_slugs", {})
        slugs[anchor] = (0, anchor, "")


def setup(app):
    app.connect("env-updated", offer_anchors)
    return {"parallel_read_safe": True}
