"""Find the notebook of every student in a folder, whatever wrote it there."""

import re
from dataclasses import dataclass
from pathlib import Path

MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_\w+_?")
CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_.+")
SKIPPED = {".git", ".ipynb_checkpoints", "__pycache__", "__MACOSX", ".venv", "node_modules"}


@dataclass
class Submission:
    student: str
    path: Path
    notes: list


def owner(path, folder):
    """Whose notebook it is: a name, its number in the export if there is one, and notes.

    >>> owner(Path("s/Zoë Ng_1234567_assignsubmission_file_/a.ipynb"), Path("s"))
    ('Zoë Ng', '1234567', [])
    >>> owner(Path("s/ngzoe_LATE_98_7654_a-1.ipynb"), Path("s"))
    ('ngzoe', '98', ['late'])
    >>> owner(Path("s/zoe.ipynb"), Path("s"))
    ('zoe', '', [])
    """
    parts = path.relative_to(folder).parts
    if len(parts) > 1:
        moodle = MOODLE.fullmatch(parts[0])
        return (moodle["name"], moodle["id"], []) if moodle else (parts[0], "", [])
    canvas = CANVAS.fullmatch(path.stem)
    return (canvas["name"], canvas["id"], ["late"] if canvas["late"] else []) if canvas else (path.stem, "", [])


def notebooks(folder):
    """Every notebook below a folder; links are not followed."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in SKIPPED:
            continue
        if path.is_dir():
            yield from notebooks(path)
        elif path.suffix == ".ipynb" and path.is_file():
            yield path


def submissions(folder, assignment):
    """One submission per student: the newest notebook, among those named after the assignment if any are."""
    found = {}
    for path in notebooks(folder):
        name, number, notes = owner(path, folder)
        found.setdefault((name, number), []).append((path, notes))
    names = [name for name, _ in found]
    for (name, number), candidates in found.items():
        of_this = [pair for pair in candidates if assignment in pair[0].name] or candidates
        path, notes = max(of_this, key=lambda pair: (pair[0].stat().st_mtime_ns, pair[0].name))
        if len(of_this) > 1:
            notes = [*notes, f"newest of {len(of_this)} notebooks: {path.name}"]
        unique = name if names.count(name) == 1 else f"{name} ({number or 'no number'})"
        yield Submission(unique, path, notes)
