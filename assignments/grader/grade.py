"""Put one notebook to an assignment's tests."""

import time

import numpy as np

from grader.question import Wrong, one_line
from grader.sandbox import Broken, Deadline, Failed, Limits, Lost, Sandbox
from grader.worker import encode

STRIKES = 2  # how often one question may cost a sandbox
NOTES = 20


class Student:
    """The names that a notebook defines, in a sandbox that is made anew whenever it is lost."""

    def __init__(self, cells, limits=None, plain=False):
        self.cells, self.limits = list(cells), limits or Limits()
        self.sandbox = Sandbox(self.limits, plain)
        self.deadline = Deadline(self.limits.total, self.sandbox)
        self.skipped = [set() for _ in cells]
        self.alive = False
        self.losses, self.notes, self.flags = 0, [], set()

    def prepare(self):
        """Run the cells; leave out a statement that costs us the sandbox, and begin again."""
        while not self.alive:
            self.check_limits()
            self.sandbox.start()
            notes = []
            for number in range(len(self.cells)):
                at = [None]  # the statements of this cell that were begun
                try:
                    errors = self.sandbox.ask(
                        {"cell": self.cells[number], "skip": sorted(self.skipped[number])},
                        self.seconds(self.limits.cell),
                        on_statement=at.append,
                    )
                    notes += [f"cell {number + 1}: {one_line(error)}" for error in list(errors)[:5]]
                except (Lost, Failed, TypeError) as error:
                    self.flag(f"cell {number + 1}", error)
                    if isinstance(at[-1], int) and at[-1] not in self.skipped[number]:
                        self.skipped[number].add(at[-1])
                    else:
                        self.cells[number] = ""
                    break
            else:
                self.alive = True
                self.notes += [note for note in notes[:NOTES] if note not in self.notes]

    def run(self, code, **values):
        """The value of some code in the notebook's names, and with these values.

        A function among the values is called out here: the student's code sees what it returns.
        """
        self.prepare()
        functions = {name: value for name, value in values.items() if callable(value)}
        let = [[name, {"function": name} if name in functions else encode(value)] for name, value in values.items()]
        try:
            got = self.sandbox.ask({"run": code, "let": let}, self.seconds(self.limits.call), functions)
        except Lost:
            self.alive = False
            self.losses += 1
            raise
        if got is None:
            raise Wrong("returned nothing")
        return got

    def number(self, code, **values):
        """The same, of which nothing is accepted but one finite number."""
        got = self.run(code, **values)
        if isinstance(got, np.ndarray) and got.shape == ():
            got = got.item()
        if isinstance(got, bool) or not isinstance(got, int | float) or not abs(got) < 1e300:
            raise Wrong(f"got {got!r:.80}")
        return float(got)

    def seconds(self, most):
        self.check_limits()
        return min(most, self.deadline.left(most))

    def check_limits(self):
        if self.deadline.left() <= 0:
            raise Lost("ran out of time for the whole submission")
        if self.sandbox.received > self.limits.talk:
            raise Lost("sent too much in the whole submission")

    def flag(self, place, error):
        note = one_line(f"{place}: {error}")
        if note not in self.notes and len(self.notes) < NOTES:
            self.notes.append(note)
        self.flags.add(str(error) if isinstance(error, Lost) else "sent something unreadable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sandbox.close()


def grade(assignment, student, seed=None):
    """Every test's outcome, with the seed that makes the same inputs again."""
    began = time.monotonic()
    seed = np.random.SeedSequence().entropy if seed is None else seed
    outcomes = []
    for question in assignment.questions:
        before = student.losses
        for test in question.tests:
            rng = np.random.default_rng([seed, *map(ord, question.name + test.name)])
            if student.losses - before < STRIKES:
                why = outcome(student, test, rng)
            else:
                why = "not run: this question's answer hung or crashed before"
            outcomes.append(
                {
                    "question": question.name,
                    "test": test.name,
                    "hint": test.hint,
                    "points": test.points,
                    "passed": why is None,
                    "why": why,
                }
            )
    return {
        "seed": str(seed),
        "seconds": round(time.monotonic() - began, 2),
        "flags": sorted(student.flags),
        "notes": student.notes[:NOTES],
        "tests": outcomes,
    }


def outcome(student, test, rng):
    """None if the test passes, and otherwise why not."""
    try:
        with np.errstate(all="ignore"):
            test.function(student, rng)
    except Wrong as error:
        return f"wrong: {one_line(error)}"
    except Failed as error:
        return f"raised {one_line(error)}"
    except Lost as error:
        student.flag(test.name, error)
        return str(error)
    except Broken:
        raise
    except Exception as error:  # what came back is not what the test can work with
        return f"unusable: {type(error).__name__}: {one_line(error)}"
    return None
