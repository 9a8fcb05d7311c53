"""A chapter opens with what it is for; how long it takes and what it needs stand apart.

The author writes one paragraph. From the sentence "Reading takes about ..." on it
becomes a paragraph of its own, which the style sheet knows by its class.
"""

from docutils import nodes

BEGIN = "Reading takes about "


def set_apart(app, doctree):
    for paragraph in list(doctree.findall(nodes.paragraph)):
        for i, child in enumerate(paragraph):
            if isinstance(child, nodes.Text) and BEGIN in child:
                before, _, after = child.astext().partition(BEGIN)
                rest = [nodes.Text(BEGIN + after), *paragraph.children[i + 1 :]]
                paragraph.children[i:] = [nodes.Text(before.rstrip())]
                facts = nodes.paragraph("", "", *rest, classes=["facts"])
                paragraph.parent.insert(paragraph.parent.index(paragraph) + 1, facts)
                return


def setup(app):
    app.connect("doctree-read", set_apart)
    return {"parallel_read_safe": True}
