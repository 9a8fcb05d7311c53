"""Lists the links of the book to other sites, each with its pages, and checks them with Sphinx.

    python tools/links.py

The exit code is 1 if a link leads nowhere, 2 if there is no network to check them with.
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "_build" / "linkcheck" / "output.json"
UNREACHED = ("NameResolutionError", "Network is unreachable", "ProxyError", "ConnectTimeout", "Failed to establish")


def check():
    """Let Sphinx check every link; what it found, one dict for each place of a link."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    REPORT.unlink(missing_ok=True)
    command = [jupyter_book, "build", ".", "--builder", "custom", "--custom-builder", "linkcheck", "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if not REPORT.exists():
        sys.exit(f"{done.stdout}{done.stderr}\nThe links were not checked; the cause is above.")
    return [json.loads(line) for line in REPORT.read_text(encoding="utf-8").splitlines()]


def by_address(found):
    """For each address outside the book: what is known of it, and the pages that lead there.

    >>> link = {"uri": "https://a.org", "status": "broken", "info": "404", "filename": "b.md", "lineno": 3}
    >>> by_address([link, {**link, "uri": "c.html"}, {**link, "lineno": 9}])
    {'https://a.org': ('broken', '404', ['b.md:3', 'b.md:9'])}
    """
    places, known = defaultdict(list), {}
    for link in found:
        if link["uri"].startswith(("http:", "https:")):
            places[link["uri"]].append(f"{link['filename']}:{link['lineno']}")
            known[link["uri"]] = link["status"], link["info"]
    return {uri: (*known[uri], places[uri]) for uri in sorted(places)}


def no_network(links):
    """Whether not one host could be reached.

    >>> no_network({"https://a.org": ("broken", "Failed to resolve (NameResolutionError)", [])})
    True
    >>> no_network({"https://a.org": ("broken", "404 Client Error", [])})
    False
    """
    return all(
        status in ("broken", "timeout") and any(w in info for w in UNREACHED) for status, info, _ in links.values()
    )


def main():
    links = by_address(check())
    for uri, (status, info, places) in links.items():
        print(f"{status:11} {uri}   ({', '.join(places)})")
        if status == "broken":
            print(f"            {info}")
    broken = [uri for uri, (status, _, _) in links.items() if status in ("broken", "timeout")]
    if no_network(links):
        print(f"\nNo network: {len(links)} links are listed above, and none of them could be checked.")
        return 2
    print(f"\n{len(links)} links to other sites, {len(broken)} broken.")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
