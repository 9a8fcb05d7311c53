"""What the theme leaves unsaid for readers who listen, or have only the keyboard."""

MATHJAX = {"options": {"menuOptions": {"settings": {"inTabOrder": False}}}}


def skip_formulas(app, config):
    """Formulas are read, not operated: Tab passes them by."""
    config.mathjax3_config = MATHJAX


def name_folds(app, page, template, context, doctree):
    """Say what the arrows of the table of contents unfold, and what is in a list."""
    toctree = context["generate_toctree_html"]

    def named(kind, **options):
        found = toctree(kind, **options)
        for summary in found.find_all("summary") if found else []:
            title = summary.find_parent("li").a.get_text(strip=True)
            summary["aria-label"] = f"Pages under {title}"
        return found

    context["generate_toctree_html"] = named
    # Docutils gives every entry a role that ARIA has since withdrawn.
    context["body"] = context.get("body", "").replace(
        'role="doc-biblioentry"', 'role="listitem"'
    )


def setup(app):
    app.connect("config-inited", skip_formulas)
    app.connect("html-page-context", name_folds, priority=900)
    return {"parallel_read_safe": True}
