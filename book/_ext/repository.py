"""Point the buttons on every page at the repository the book is built from.

Looked for in this order: REPOSITORY_URL and REPOSITORY_BRANCH, the variables of
GitHub's and GitLab's CI, the remote `origin`. Where there is none, no button is shown.
"""

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUTTONS = ["use_repository_button", "use_issues_button", "use_source_button"]


def git(*words):
    try:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def web_address(remote):
    """The web address of a remote, without credentials; "" if it has none.

    >>> web_address("git@github.com:reader/course.git")
    'https://github.com/reader/course'
    >>> web_address("ssh://git@gitlab.com:22/group/sub/course.git")
    'https://gitlab.com/group/sub/course'
    >>> web_address("https://reader:secret@github.com/reader/course/")
    'https://github.com/reader/course'
    >>> web_address("https://git.example.org:8443/reader/course.git")
    'https://git.example.org:8443/reader/course'
    >>> web_address("/home/reader/course")
    ''
    """
    remote = re.sub(r"^([^@/:]+@)?([\w-]+\.[\w.-]+):(?!//)/?", r"ssh://\2/", remote)
    pattern = r"(?:git\+)?(https?|ssh|git)://(?:[^@/]*@)?([\w.-]+)(:\d+)?/(.+/.+)"
    match = re.fullmatch(pattern, remote.strip().rstrip("/").removesuffix(".git"))
    if match is None:
        return ""
    scheme, host, port, path = match.groups(default="")
    if not scheme.startswith("http"):
        scheme, port = "https", ""
    # GitHub and GitLab take ssh on port 443 under names of their own.
    host = re.sub(r"^(alt)?ssh\.(?=git(hub|lab)\.com$)", "", host.lower())
    return f"{scheme}://{host}{port}/{path.strip('/')}"


def head():
    """What is checked out: a branch, else a tag, else a commit."""
    return (
        git("symbolic-ref", "--quiet", "--short", "HEAD")
        or git("describe", "--tags", "--exact-match")
        or git("rev-parse", "--quiet", "--verify", "HEAD")
    )


def pull_request(env):
    """Whence a pull request comes, which may be another repository than it goes to."""
    if env.get("GITHUB_HEAD_REF") and "GITHUB_EVENT_PATH" in env:
        event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
        return event["pull_request"]["head"]
    return None


def repository(env=os.environ):
    """The address and the branch, either possibly empty."""
    if "REPOSITORY_URL" in env:
        branch = env.get("REPOSITORY_BRANCH") or head()
        return web_address(env["REPOSITORY_URL"]), branch
    if "GITHUB_REPOSITORY" in env:
        request = pull_request(env)
        if request:
            return web_address(request["repo"]["html_url"]), request["ref"]
        server = env.get("GITHUB_SERVER_URL", "https://github.com")
        remote = f"{server}/{env['GITHUB_REPOSITORY']}"
        return web_address(remote), env.get("GITHUB_REF_NAME", "")
    if "CI_PROJECT_URL" in env:
        return web_address(env["CI_PROJECT_URL"]), env.get("CI_COMMIT_REF_NAME", "")
    written, meant = (
        git("config", "remote.origin.url"),
        git("remote", "get-url", "origin"),
    )
    return web_address(written) or web_address(meant), head()


def set_buttons(app, config):
    options = config.html_theme_options
    url, branch = repository()
    # Without an address of ours there would be Jupyter Book's own.
    options.update(repository_url=url, repository_branch=branch or "main")
    if not url:
        options.update(dict.fromkeys(BUTTONS, False))
    elif not re.search("github|gitlab|bitbucket", url.split("/")[2]):
        # The theme knows three kinds of servers, and how each shows a file.
        options.update(repository_provider="github", use_source_button=False)


def setup(app):
    app.connect("config-inited", set_buttons)
    return {"parallel_read_safe": True}
