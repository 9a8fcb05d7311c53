"""Grade a folder of notebooks.

    python -m grader 01_introduction submissions/ results/

Results lie in results/: scores.csv, results.json with every test's outcome, feedback/ with a
page per student, manual/ with the answers that a human reads. Given again, the command goes
on where it was interrupted: only new or changed notebooks are graded.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue

from grader import canary
from grader.folder import submissions
from grader.grade import Student, grade
from grader.question import ASSIGNMENTS, Assignment, every_assignment, read_cells
from grader.sandbox import Broken, Limits, available

ANSWER = re.compile(r"\s*\*\*Answer to (q\d+)[.:]?\*\*[.:]?\s*")


def write(path, text):
    """All or nothing: an interruption leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def digest(*parts):
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def file_name(student):
    """A name for a student's file; two students never share one."""
    plain = re.sub(r"[^\w .()-]", "_", student).strip(". ")
    return plain if plain == student else f"{plain}-{digest(student.encode('utf-8', 'surrogateescape'))[:6]}"


def grade_one(assignment, submission, limits, plain, slot):
    """A submission's result, whatever its notebook holds."""
    result = {"student": printable(submission.student), "notebook": printable(str(submission.path)), "manual": {}}
    try:
        cells = read_cells(submission.path)
    except (OSError, ValueError) as error:
        cells, submission.notes = [], [*submission.notes, f"unreadable: {error}"]
    for kind, source in cells:
        answer = ANSWER.match(source) if kind == "markdown" else None
        if answer:
            result["manual"][answer[1]] = printable(source[answer.end() :].strip())
    with Student([source for kind, source in cells if kind == "code"], limits, plain, slot) as student:
        graded = grade(assignment, student)
    graded["notes"] = submission.notes + graded["notes"]
    return result | graded | ({"flags": [*graded["flags"], "not sandboxed"]} if plain else {})


def printable(text):
    return text.encode("utf-8", "replace").decode()


def grade_folder(assignment, found, out, limits=None, plain=False, jobs=None, progress=lambda done, total: None):
    """Grade what has no result yet, and return every result in the order of the students."""
    limits, jobs = limits or Limits(), jobs or os.cpu_count()
    tests = b"".join((ASSIGNMENTS / f"{assignment.name}{end}").read_bytes() for end in ("_tests.py",))
    slots, results, done = SimpleQueue(), {}, 0
    for slot in range(jobs):
        slots.put(slot)

    def work(submission):
        path = out / "tests" / f"{file_name(submission.student)}.json"
        key = digest(tests, submission.path.read_bytes())
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["key"] == key:
                return stored
        except (OSError, ValueError, KeyError):
            pass
        slot = slots.get()
        try:
            result = {"key": key} | grade_one(assignment, submission, limits, plain, slot)
        finally:
            slots.put(slot)
        write(path, json.dumps(result, indent=1))
        return result

    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(work, submission): submission.student for submission in found}
        try:
            for future in as_completed(waiting):
                results[waiting[future]] = future.result()
                done += 1
                progress(done, len(waiting))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [results[submission.student] for submission in found]


def points(result, question):
    got = [test["points"] * test["passed"] for test in result["tests"] if test["question"] == question.name]
    return "" if question.manual else sum(got)


def report(assignment, results, out):
    """Write the table, the details, a page per student, and a page per manual question."""
    questions = assignment.questions
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "scores.csv.part", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", *(q.name for q in questions), "total", "max", "seconds", "flags", "notes"])
        for result in results:
            scores = [points(result, question) for question in questions]
            total, most = sum(score or 0 for score in scores), sum(q.points for q in questions if not q.manual)
            notes = "; ".join(result["notes"])[:500]
            row = [result["student"], *scores, total, most, result["seconds"], " ".join(result["flags"]), notes]
            table.writerow([harmless(entry) for entry in row])
    (out / "scores.csv.part").replace(out / "scores.csv")
    write(out / "results.json", json.dumps(results, indent=1))
    for result in results:
        write(out / "feedback" / f"{file_name(result['student'])}.md", feedback(assignment, result))
    for question in questions:
        if question.manual:
            answers = (
                f"## {r['student']}\n\n{quoted(r['manual'].get(question.name, 'No answer.'))}\n" for r in results
            )
            head = f"# {question.name}: {question.title} ({question.manual} points)\n\n"
            write(out / "manual" / f"{question.name}.md", head + "\n".join(answers))


def harmless(entry):
    """A spreadsheet must not take an entry for a formula."""
    return f"'{entry}" if isinstance(entry, str) and entry[:1] in "=+-@\t" and entry else entry


def quoted(text):
    return "\n".join(f"> {line}" for line in text.splitlines()) or "> "


def feedback(assignment, result):
    """What the student sees: of a hidden test its name and its hint."""
    lines = [f"# {assignment.name}: {result['student']}", ""]
    for question in assignment.questions:
        if question.manual:
            lines += [f"## {question.name}: {question.title}", "", "Read by your teacher.", ""]
            continue
        lines += [f"## {question.name}: {question.title}, {points(result, question)} of {question.points}", ""]
        for test in result["tests"]:
            if test["question"] == question.name:
                failed = f"- Not passed: **{test['test']}**. {test['hint']}"
                lines.append(f"- Passed: {test['test']}." if test["passed"] else failed)
        lines.append("")
    return "\n".join(lines)


def bar(done, total, width=40):
    end = "\n" if done == total else ""
    print(f"\r[{'#' * (width * done // total):{width}}] {done} of {total}", end=end, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser("grader", description=__doc__.partition("\n")[0])
    parser.add_argument("assignment", choices=every_assignment())
    parser.add_argument("folder", type=Path, help="the submissions, as Moodle, Canvas, git or you put them there")
    parser.add_argument("out", type=Path, help="where to write the results")
    parser.add_argument("--jobs", type=int, help="submissions at a time (default: one per core)")
    parser.add_argument(
        "--without-sandbox",
        action="store_true",
        help="DANGEROUS: run students' code as it is; only in a container that holds nothing else and has no network",
    )
    arguments = parser.parse_args()
    plain = arguments.without_sandbox
    if plain:
        print("WARNING: no sandbox. Students' code can read and change all that this user can.", file=sys.stderr)
    elif reason := available():
        sys.exit(f"Nothing was graded: {reason}.")
    try:
        canary.sing(plain=plain)
    except canary.Unsafe as error:
        sys.exit(f"Nothing was graded, for the sandbox is not safe: {error}")
    assignment = Assignment(arguments.assignment)
    found = list(submissions(arguments.folder, assignment.name))
    if not found:
        sys.exit(f"There is no notebook in {arguments.folder}.")
    try:
        results = grade_folder(assignment, found, arguments.out, plain=plain, jobs=arguments.jobs, progress=bar)
    except (Broken, KeyboardInterrupt) as error:
        sys.exit(f"\nStopped: {error or 'interrupted'}. What was graded is kept; the same command goes on from there.")
    report(assignment, results, arguments.out)
    lost = sum(bool(result["flags"]) for result in results)
    print(f"{len(results)} graded, {lost} with flags: {arguments.out / 'scores.csv'}")


if __name__ == "__main__":
    main()
