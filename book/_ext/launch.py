"""Buttons that open a page's notebook where it can be run, and its first cell's place.

Binder, Colab and a JupyterHub with nbgitpuller fetch the notebook from the repository
that the book is built from (see repository.py). The services' addresses are
`launch_buttons` in _config.yml; JUPYTERHUB_URL may name a hub. The theme would make
these buttons, too, but its links fail for groups on GitLab and for other servers.
"""

import os
from urllib.parse import quote, urlencode, urlsplit

from docutils import nodes


def binder(service, url, branch, notebook):
    """Where Binder opens a notebook: from GitHub, GitLab, or any other server.

    >>> binder("https://b.org", "https://gitlab.com/a/b/c", "main", "book/x.ipynb")
    'https://b.org/v2/gl/a%2Fb%2Fc/main?urlpath=lab/tree/book/x.ipynb'
    >>> binder("https://b.org", "https://git.a.org/b/c", "new/idea", "x.ipynb")
    'https://b.org/v2/git/https%3A%2F%2Fgit.a.org%2Fb%2Fc/new/idea?urlpath=lab/tree/x.ipynb'
    """
    host, name = urlsplit(url).netloc, urlsplit(url).path[1:]
    short = {"github.com": f"gh/{name}", "gitlab.com": f"gl/{quote(name, safe='')}"}
    source = short.get(host, f"git/{quote(url, safe='')}")
    return f"{service}/v2/{source}/{quote(branch)}?urlpath=lab/tree/{notebook}"


def colab(service, url, branch, notebook):
    """Where Colab opens a notebook; "" for a repository that is not on GitHub."""
    host, name = urlsplit(url).netloc, urlsplit(url).path[1:]
    page = f"github/{name}/blob/{quote(branch)}/{notebook}"
    return f"{service}/{page}" if host == "github.com" else ""


def jupyterhub(service, url, branch, notebook):
    """Where nbgitpuller fetches the repository to one's server and opens a notebook."""
    folder = url.rpartition("/")[2]
    query = {"repo": url, "branch": branch, "urlpath": f"lab/tree/{folder}/{notebook}"}
    return f"{service}/hub/user-redirect/git-pull?{urlencode(query, safe='/')}"


SERVICES = {
    "Binder": ("binderhub_url", binder, "logo_binder.svg"),
    "Colab": ("colab_url", colab, "logo_colab.png"),
    "JupyterHub": ("jupyterhub_url", jupyterhub, "logo_jupyterhub.svg"),
}


def take_over(app, config):
    """Keep the services' addresses from the theme; if they change, all pages do."""
    config.launch_services = config.html_theme_options.pop("launch_buttons", {})
    if "JUPYTERHUB_URL" in os.environ:
        config.launch_services["jupyterhub_url"] = os.environ["JUPYTERHUB_URL"]


def buttons(app, notebook):
    options, services = app.config.html_theme_options, app.config.launch_services
    url, branch = options.get("repository_url"), options.get("repository_branch")
    for name, (option, address, logo) in SERVICES.items():
        if url and services.get(option):
            service = services[option].rstrip("/")
            yield name, address(service, url, branch, notebook), logo


def add_buttons(app, page, template, context, doctree):
    if not str(context.get("page_source_suffix")).endswith("ipynb"):
        return
    group = [
        {
            "type": "link",
            "text": name,
            "tooltip": f"Run this page on {name}",
            "icon": f"_static/images/{logo}",
            "url": link,
        }
        for name, link, logo in buttons(app, quote(f"{page}.ipynb"))
        if link
    ]
    if group:
        context["header_buttons"].append(
            {
                "type": "group",
                "tooltip": "Run this page",
                "icon": "fas fa-rocket",
                "buttons": group,
                "label": "launch-buttons",
            }
        )


def move_first_cell(app, doctree):
    """The cell for Colab is above the notebook's title, on the page before the code."""
    found = doctree.findall(nodes.container)
    cells = [each for each in found if each.get("nb_element") == "cell_code"]
    if len(cells) > 1 and "install" in cells[0]["cell_metadata"].get("tags", []):
        cells[0].parent.remove(cells[0])
        place = cells[1].parent
        place.insert(place.index(cells[1]), cells[0])


def setup(app):
    app.add_config_value("launch_services", {}, "html")
    app.connect("config-inited", take_over, priority=900)
    app.connect("html-page-context", add_buttons, priority=501)
    app.connect("doctree-read", move_first_cell, priority=100)
    return {"parallel_read_safe": True}
