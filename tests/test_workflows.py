"""The workflows name what is there, and the weekly one opens one issue when something drifts."""

import os
import re
import subprocess

import pytest
import yaml


def workflow(root, name):
    return yaml.safe_load((root / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def scripts(root, name):
    return [step["run"] for job in workflow(root, name)["jobs"].values() for step in job["steps"] if "run" in step]


def test_workflows_call_verbs_that_the_makefile_has(root):
    verbs = set(re.findall(r"^([a-z]+):.*## ", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    [listed] = re.findall(r"for verb in ([a-z ]+); do", "\n".join(scripts(root, "weekly.yml")))
    called = re.findall(r"^make (\w+)", "\n".join(scripts(root, "book.yml")), re.MULTILINE)
    elsewhere = workflow(root, "book.yml")["jobs"]["elsewhere"]["strategy"]["matrix"]["include"]
    assert {*listed.split(), *called, *(job["verb"] for job in elsewhere)} <= verbs


def test_a_run_may_not_write_but_for_pages_and_issues(root):
    for name, allowed in [("book.yml", {}), ("weekly.yml", {"issues": "write"})]:
        assert workflow(root, name)["permissions"] == {"contents": "read"} | allowed


TOOLS = {
    "make": 'echo "making $*"; case " $FAILING " in *" $1 "*) echo "boom in $1"; exit 2;; esac',
    "gh": 'echo "$*" >>"$CALLS"; if [ "$2" = list ]; then echo "$ISSUE"; fi',
    "python": "printf 'numpy==9.0.0\\nscipy==1.0\\n'",
}


@pytest.fixture
def weekly(root, tmp_path):
    """Run the weekly workflow's own scripts with tools that record; return gh's calls and the report."""
    for place, name in [("bin", "make"), ("bin", "gh"), (".venv/bin", "python")]:
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / name).write_text(f"#!/bin/sh\n{TOOLS[name]}\n")
        (tmp_path / place / name).chmod(0o755)
    (tmp_path / "constraints.txt").write_text("# tested\nnumpy==2.0.0\nscipy==1.0\n")
    (tmp_path / "requirements.txt").write_text("numpy\ntorch==2.13.0\n")

    def run(failing, issue):
        env = os.environ | {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "CALLS": str(tmp_path / "calls"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "RUN": "https://example.org/runs/1",
            "FAILING": failing,
            "ISSUE": issue,
        }
        *_, everything, report, tell = scripts(root, "weekly.yml")
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]  # as a runner starts it
        ended = [subprocess.run([*shell, s], cwd=tmp_path, env=env).returncode for s in (everything, report, tell)]
        calls = (tmp_path / "calls").read_text().splitlines()
        written = [call for call in calls if re.match("issue (create|comment|close)", call)]
        return ended, written, (tmp_path / "_build" / "weekly" / "report.md").read_text()

    return run


@pytest.mark.parametrize(
    ("failing", "issue", "call"),
    [
        ("", "", None),
        ("colab links", "", "issue create --label drift"),
        ("colab links", "7", "issue comment 7 --body-file report.md"),
        ("", "7", "issue close 7"),
    ],
)
def test_one_issue_says_what_drifted(weekly, tmp_path, failing, issue, call):
    ended, written, report = weekly(failing, issue)
    assert ended == [0, 0, int(bool(failing))]
    assert [w.startswith(call) for w in written] == [True] if call else written == []
    assert re.findall("`make (.*)` fails", report) == re.findall("boom in (.*)", report) == failing.split()
    assert "< numpy==2.0.0" in report and "> numpy==9.0.0" in report and "scipy" not in report
    assert (tmp_path / "requirements.txt").read_text() == "numpy\ntorch\n"
    assert (tmp_path / "summary").read_text() == report
