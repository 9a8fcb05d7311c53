"""Point the buttons on every page at the repository the book is built from.

Looked for in this order: REPOSITORY_URL and REPOSITORY_BRANCH, the variables of
GitHub's and GitLab's CI, the remote `origin`. Where there is none, no button is shown.
"""

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
    """The https address of a remote, without credentials; "" if it has none.

    >>> web_address("git@github.com:reader/course.git")
    'https://github.com/reader/course'
    >>> web_address("ssh://git@gitlab.com:22/group/sub/course.git")
    'https://gitlab.com/group/sub/course'
    >>> web_address("https://reader:secret@github.com/reader/course/")
    'https://github.com/reader/course'
    >>> web_address("/home/reader/course")
    ''
    """
    remote = re.sub(r"^([\w.-]+@)?([\w.-]+):(?!/)", r"ssh://\2/", remote)
    match = re.match(r"(https?|ssh|git)://([^@/]*@)?([\w.-]+)(:\d+)?/(.+)", remote)
    if match is None:
        return ""
    return f"https://{match[3]}/{match[5].rstrip('/').removesuffix('.git')}"


def repository(env=os.environ):
    """The address and the branch, either possibly empty."""
    if "REPOSITORY_URL" in env:
        return web_address(env["REPOSITORY_URL"]), env.get("REPOSITORY_BRANCH", "")
    if "GITHUB_REPOSITORY" in env:
        server = env.get("GITHUB_SERVER_URL", "https://github.com")
        remote = f"{server}/{env['GITHUB_REPOSITORY']}"
        return web_address(remote), env.get("GITHUB_REF_NAME", "")
    if "CI_PROJECT_URL" in env:
        return web_address(env["CI_PROJECT_URL"]), env.get("CI_COMMIT_REF_NAME", "")
    return web_address(git("remote", "get-url", "origin")), git(
        "branch", "--show-current"
    )


def set_buttons(app, config):
    options = config.html_theme_options
    url, branch = repository()
    if url:
        options.update(repository_url=url, repository_branch=branch or "main")
    else:
        options.update(dict.fromkeys(BUTTONS, False), launch_buttons={})


def setup(app):
    app.connect("config-inited", set_buttons)
    return {"parallel_read_safe": True}
