"""Grade a class, several submissions at a time, and keep each result as it comes."""

import ctypes
import gc
import json
import multiprocessing.connection
import os
import re
import resource
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from grader.grade import Student, grade
from grader.question import ASSIGNMENTS, cells_of, one_line
from grader.report import digest, file_name, write
from grader.sandbox import Broken

ANSWER = re.compile(r"\s*\*\*Answer to (q\d+)[.:]?\*\*[.:]?\s*")
DECIDING = [Path(__file__).with_name(f"{name}.py") for name in ("batch", "grade", "question", "sandbox", "worker")]
GRADER = b"".join(path.read_bytes() for path in DECIDING)  # what runs, even if a file is changed meanwhile


def version(name):
    """What decides about a result besides the notebook: the grader and the tests."""
    return digest(GRADER, (ASSIGNMENTS / f"{name}_tests.py").read_bytes())


@dataclass(frozen=True)
class Work:
    """All that a machine needs to know of a submission."""

    student: str
    notebook: str
    cells: list
    notes: list
    seed: int
    key: str  # the same submission, tests and grader have the same
    flags: tuple = ()
    lost: int = 0  # how often its grader ended without a result


def work(submission, version, seed=None):
    """Read a submission; its seed is its own, or made of the class's seed and the student's name."""
    cells, notes, flags, content = [], submission.notes, (), b""
    try:
        if submission.path:
            content = read(submission.path)
            cells = [(kind, source if kind == "code" else source[:100_000]) for kind, source in cells_of(content)]
            cells = [(kind, source) for kind, source in cells if kind == "code" or ANSWER.match(source)]
    except (OSError, ValueError) as error:
        notes, flags = [*notes, f"unreadable: {one_line(str(error))}"], ("unreadable",)
    if seed is None:
        own = np.random.SeedSequence().entropy
    else:
        own = int(digest(str(seed).encode(), submission.student.encode())[:32], 16)
    key = digest(version.encode(), content, str(seed).encode())
    return Work(submission.student, one_line(submission.path or "", 5000), cells, notes, own, key, flags)


def read(path, most=10_000_000):
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError("the notebook is too large")
    return content


def grade_one(assignment, work, limits=None, plain=False):
    """A submission's result, whatever its notebook holds."""
    by_hand, manual = {question.name for question in assignment.questions if question.manual}, {}
    for kind, source in work.cells:
        answer = ANSWER.match(source) if kind == "markdown" else None
        if answer and answer[1] in by_hand:
            lines = source[answer.end() :].strip().splitlines()[:1000]
            manual[answer[1]] = "\n".join(one_line(line, most=10_000) for line in lines)
    with Student([source for kind, source in work.cells if kind == "code"], limits, plain) as student:
        graded = grade(assignment, student, work.seed)
    return {
        "key": work.key,
        "student": work.student,
        "notebook": work.notebook,
        "manual": manual,
        **graded,
        "flags": [*work.flags, *graded["flags"], *["not sandboxed"] * plain],
        "notes": work.notes + graded["notes"],
    }


def here(assignment, waiting, limits=None, plain=False, jobs=None):
    """Grade on this machine; yield pairs (work, result) as they come.

    Each submission has a grader of its own, forked from this process: PyTorch is shared, and
    neither time, nor memory, nor a crash that a submission costs its grader touches the others.
    """
    waiting, running = list(waiting), {}
    gc.freeze()  # what is not looked at is not copied
    interrupted, interruption = multiprocessing.Pipe(duplex=False)
    # An exception that comes while an object is deleted is lost: what Ctrl-C sends is read where it cannot be.
    before = signal.signal(signal.SIGINT, lambda *_: interruption.send(None))
    try:
        while waiting or running:
            while waiting and len(running) < (jobs or os.cpu_count()):
                work = waiting.pop(0)
                receiver, fork = start(assignment, work, limits, plain)
                running[receiver] = work, fork
            ready = multiprocessing.connection.wait([interrupted, *running])
            if interrupted in ready:
                raise KeyboardInterrupt
            for receiver in ready:
                work, fork = running.pop(receiver)
                try:
                    result = receiver.recv()
                except EOFError:
                    waiting.insert(0, after_a_loss(work))
                    continue
                finally:
                    fork.join()
                if isinstance(result, Broken):
                    raise result
                yield work, result
    finally:
        signal.signal(signal.SIGINT, before)
        for _, fork in running.values():
            fork.kill()


def after_a_loss(work):
    """What to try next: the same again, for a process may be ended by others; then without the cells."""
    if work.lost > 1:
        raise Broken("a grader ended though it had nothing to grade") from None
    if work.lost:
        work = replace(work, cells=[], flags=(*work.flags, "ended the grader"))
    return replace(work, lost=work.lost + 1)


def start(assignment, *details):
    """The end of a pipe out of which a submission's result will come, and the fork that grades it."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    fork = context.Process(target=grade_apart, args=(sender, assignment, *details))
    fork.start()
    sender.close()
    return receiver, fork


def grade_apart(sender, assignment, *details, room=100_000_000):
    """Grade a submission in a process that ends with its parent, and that takes few bytes more than it has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # the signal to get when the parent dies
    most = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize() + room
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        sender.send(grade_one(assignment, *details))
    except Broken as error:
        sender.send(error)


def grade_folder(assignment, found, out, grader=here, seed=None):
    """Grade what has no result yet, and return every result in the order of the students.

    `grader` takes the assignment and the work, and yields pairs (work, result).
    """
    now, results, waiting = version(assignment.name), {}, []
    for submission in found:
        one = work(submission, now, seed)
        stored = stored_result(one, out)
        if stored:
            results[one.student] = stored
        else:
            waiting.append(one)
    graded = grader(assignment, waiting) if waiting else []
    for one, result in tqdm(graded, initial=len(results), total=len(found), unit=" notebooks"):
        write(place(one, out), json.dumps(result, indent=1))
        results[one.student] = result
    return [results[submission.student] for submission in found]


def place(work, out):
    return out / "tests" / f"{file_name(work.student)}.json"


def stored_result(work, out):
    try:
        stored = json.loads(place(work, out).read_text(encoding="utf-8"))
        return stored if stored["key"] == work.key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
