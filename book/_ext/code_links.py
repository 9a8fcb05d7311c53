"""Names of the engine in code are links to the reference.

A page's imports from `chainrule` say what `cr`, `course` or `tf` stand for there. Of
`cr.forward.Dual.apply` the longest beginning that the reference describes is linked.
"""

import ast
import re

from docutils import nodes

BLOCK = re.compile(r'(?<=<div class="highlight"><pre>).*?(?=</pre>)', re.DOTALL)
# A name and what is asked of it, as Pygments marks them, but no name after a dot.
CHAIN = re.compile(
    r'(?<!<span class="o">\.</span>)<span class="n\w*">@?\w+</span>'
    r'(?:<span class="o">\.</span><span class="n\w*">\w+</span>)*'
)


def imported(code):
    """What the names that some code imports from the engine stand for.

    >>> imported("import chainrule as cr; from chainrule import static as tf")
    {'cr': 'chainrule', 'tf': 'chainrule.static'}
    """
    try:
        statements = list(ast.walk(ast.parse(code)))
    except SyntaxError:  # which a cell may be there to show
        return {}
    names = {}
    for statement in statements:
        if isinstance(statement, ast.Import):
            names |= {a.asname: a.name for a in statement.names if a.asname}
        elif isinstance(statement, ast.ImportFrom):
            home = statement.module
            names |= {a.asname or a.name: f"{home}.{a.name}" for a in statement.names}
    return {n: path for n, path in names.items() if path.split(".")[0] == "chainrule"}


def link(chain, names, address):
    """A chain of marked names, with a link around what `address` knows of it.

    >>> link('<span class="n">cr</span>', {"cr": "chainrule"}, {"chainrule": "api"}.get)
    '<a class="code-link" href="api"><span class="n">cr</span></a>'
    """
    marks = re.findall(r"<span.*?</span>", chain)
    first, *rest = [re.sub("<.*?>|@", "", mark) for mark in marks[::2]]
    if first in names:
        for n in range(len(rest), -1, -1):
            found = address(".".join([names[first], *rest[:n]]))
            if found:
                linked, others = marks[: 2 * n + 1], marks[2 * n + 1 :]
                opening = f'<a class="code-link" href="{found}">'
                return opening + "".join([*linked, "</a>", *others])
    return chain


def link_code(app, page, template, context, doctree):
    if doctree is None:
        return
    described = app.env.get_domain("py").objects

    def address(name):
        if name in described:
            entry = described[name]
            return (
                f"{app.builder.get_relative_uri(page, entry.docname)}#{entry.node_id}"
            )
        return None

    names = {"cr": "chainrule"}
    for block in doctree.findall(nodes.literal_block):
        names |= imported(block.astext())
    context["body"] = BLOCK.sub(
        lambda block: CHAIN.sub(lambda m: link(m[0], names, address), block[0]),
        context["body"],
    )


def setup(app):
    app.connect("html-page-context", link_code)
    return {"parallel_read_safe": True}
