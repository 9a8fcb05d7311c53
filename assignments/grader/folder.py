"""Find the notebook of every student in a folder, whatever wrote it there."""

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from grader.question import one_line

MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_\w+_?")  # folders
CANVAS = re.compile(r"(?P<name>[^_\d][^_]*)_(?P<late>LATE_)?(?P<id>\d{2,})_\d{3,}_.+")  # files
NOTEBOOK = re.compile(r"(?is)(?P<stem>.+)\.ipynb(\.json|\.txt)?")  # some browsers add the second ending
LEFTOVER = re.compile(r"\.[_~].*")  # of macOS, of Jupyter
SKIPPED = {".git", ".ipynb_checkpoints", "__pycache__", "__MACOSX", ".venv", "node_modules"}


@dataclass
class Submission:
    student: str
    path: Path | None
    notes: list


def owner(name, pattern):
    """Whose file or folder it is: a name, its number in the export if there is one, and notes.

    >>> owner("Zoë Ng_1234567_assignsubmission_file_", MOODLE)
    ('Zoë Ng', '1234567', [])
    >>> owner("ngzoe_LATE_98_7654_a-1", CANVAS)
    ('ngzoe', '98', ['late'])
    >>> owner("hw_1_2_zoe", CANVAS)
    ('hw_1_2_zoe', '', [])
    """
    export = pattern.fullmatch(name)
    if not export:
        return one_line(name, 1000), "", []
    return one_line(export["name"], 1000), export["id"], ["late"] if export.groupdict().get("late") else []


def skipped(name):
    return name in SKIPPED or LEFTOVER.fullmatch(name)


def notebooks(folder):
    """Every notebook below a folder, however deep; links are not followed."""
    folders, found = [folder], []
    for place in folders:
        with contextlib.suppress(OSError):  # a path that is too long, or a folder that is closed
            for path in place.iterdir():
                if path.is_symlink() or skipped(path.name):
                    continue
                if path.is_dir():
                    folders.append(path)
                elif NOTEBOOK.fullmatch(path.name) and path.is_file():
                    found.append(path)
    return found


def submissions(folder, assignment, results=None):
    """One submission per student; the results may lie in the same folder."""
    found, taken = {}, set()
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or skipped(path.name) or path == results:
            continue
        if path.is_dir():
            (name, number, notes), inside = owner(path.name, MOODLE), notebooks(path)
        elif notebook := NOTEBOOK.fullmatch(path.name):
            (name, number, notes), inside = owner(notebook["stem"], CANVAS), [path]
        elif CANVAS.fullmatch(path.stem):
            (name, number, notes), inside = owner(path.stem, CANVAS), []
        else:
            continue
        found.setdefault((name, number), []).extend((one, notes) for one in inside if one.is_file())
    names = [name for name, _ in found]
    for (name, number), candidates in found.items():
        unique = name if names.count(name) == 1 else f"{name} ({number or 'no number'})"
        while unique in taken:
            unique += " again"
        taken.add(unique)
        path, more = of_this_assignment([path for path, _ in candidates], assignment)
        yield Submission(unique, path, [note for one, notes in candidates for note in notes if one == path] + more)


def of_this_assignment(paths, assignment):
    """The newest of a student's notebooks, among those named after the assignment if any are, and notes."""
    named = [path for path in paths if assignment in path.name] or paths
    if not named:
        return None, ["there is no notebook (.ipynb) in what was handed in"]
    path = max(named, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return path, [f"newest of {len(named)} notebooks: {one_line(path.name)}"] * (len(named) > 1)
