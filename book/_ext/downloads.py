"""A page's download button offers its slides, and PDFs where they are printed."""

from pathlib import Path

from printing import WHOLE, chromium, printouts


def look(app, config):
    """Pages are written anew when PDFs or slides come or go."""
    config.with_pdf = chromium() is not None
    config.with_slides = (Path(app.outdir) / "slides").exists()


def button(label, address, text, tooltip, icon):
    return {
        "type": "link",
        "label": f"download-{label}-button",
        "url": address,
        "text": text,
        "tooltip": tooltip,
        "icon": f"fas fa-{icon}",
    }


def offer(app, page, template, context, doctree):
    menus = {menu["label"]: menu for menu in context.get("header_buttons", [])}
    if "download-buttons" not in menus:
        return
    name = Path(page).name
    buttons = menus["download-buttons"]["buttons"]

    def address(folder, file):
        return context["pathto"](f"{folder}/{file}", resource=True)

    if app.config.with_pdf:
        # The theme's own has the reader print the page.
        buttons[:] = [b for b in buttons if b["label"] != "download-pdf-button"]
        if name in printouts(app.env):
            pdf = address("pdf", f"{name}.pdf")
            buttons.append(button("pdf", pdf, ".pdf", "PDF of this page", "file-pdf"))
        whole = address("pdf", f"{WHOLE}.pdf")
        buttons.append(button("book", whole, "book.pdf", "PDF of the book", "book"))
    if (Path(app.outdir) / "slides" / f"{name}.html").exists():
        slides = address("slides", f"{name}.html")
        buttons.append(
            button("slides", slides, "slides", "Slides", "person-chalkboard")
        )


def setup(app):
    app.add_config_value("with_pdf", False, "html")
    app.add_config_value("with_slides", False, "html")
    app.connect("config-inited", look)
    app.connect("html-page-context", offer, priority=900)
    return {"parallel_read_safe": True}
