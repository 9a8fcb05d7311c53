"""What the theme leaves unsaid for readers who listen, or have only the keyboard."""

import re

SCROLLS = re.compile(
    r'(<pre|<div class="(?:math|output text_html|pst-scrollable)\b[^"]*"'
    r'|<div class="cell_output[^"]*"(?=>\s*<img))>'
)


def corrected(html):
    """A page without headings that say nothing, and without a role that ARIA withdrew.

    What may scroll can be reached by keyboard, until scripts know what does scroll.

    >>> corrected('<th class="head"><p></p></th><div role="doc-biblioentry"><pre>')
    '<td></td><div role="listitem"><pre tabindex="0">'
    """
    html = SCROLLS.sub(r'\1 tabindex="0">', html)
    html = re.sub(r'<th class="head[^>]*><p></p></th>', "<td></td>", html)
    return html.replace('role="doc-biblioentry"', 'role="listitem"')


def name_folds(app, page, template, context, doctree):
    """Say what the arrows of the table of contents unfold."""
    toctree = context["generate_toctree_html"]

    def named(kind, **options):
        found = toctree(kind, **options)
        for summary in found.find_all("summary") if found else []:
            title = summary.find_parent("li").a.get_text(strip=True)
            summary["aria-label"] = f"Pages under {title}"
        return found

    context["generate_toctree_html"] = named
    context["body"] = corrected(context.get("body", ""))


def setup(app):
    app.connect("html-page-context", name_folds, priority=990)  # after light.py
    return {"parallel_read_safe": True}
