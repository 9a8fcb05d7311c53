"""Results on paper: a table, the details, a page per student, a page per manual question."""

import csv
import hashlib
import json
import re


def write(path, text):
    """All or nothing: an interruption leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def digest(*parts):
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def file_name(student):
    """A name for a student's file; two students never share one.

    >>> file_name("Zoë Ng (123)"), file_name("../zoe")
    ('Zoë Ng (123)', '_zoe-e3b55d5f')
    """
    plain = re.sub(r"[^\w .()-]", "_", student).strip(". ")[:50]
    if plain == student and not re.search(r"-[0-9a-f]{8}$", plain):
        return plain
    return f"{plain}-{digest(student.encode())[:8]}"


def points(result, question):
    got = [test["points"] * test["passed"] for test in result["tests"] if test["question"] == question.name]
    return "" if question.manual else sum(got)


def marks(assignment, result):
    """Points by tests, and how many there are."""
    tested = [question for question in assignment.questions if not question.manual]
    return sum(points(result, question) for question in tested), sum(question.points for question in tested)


def report(assignment, results, out):
    """Write the table, the details, a page per student, and a page per manual question."""
    questions = assignment.questions
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "scores.csv.part", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", *(q.name for q in questions), "total", "max", "seconds", "flags", "notes"])
        for result in results:
            scores = [points(result, question) for question in questions]
            total, most = marks(assignment, result)
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
    """What the student sees: the marks, what became of the notebook, and of a hidden test its name and its hint."""
    got, most = marks(assignment, result)
    lines = [f"# {assignment.name}: {result['student']}", ""]
    lines += [f"{got} of {most} points by tests. Each test is named after the mistake that it looks for.", ""]
    if result["notes"]:
        lines += ["What was noticed in your notebook:", "", *(f"- {note}" for note in result["notes"]), ""]
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
