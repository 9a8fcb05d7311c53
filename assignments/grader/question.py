"""What a question, a test and a known wrong answer are."""

import importlib.util
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ASSIGNMENTS = Path(__file__).parents[1]


class Wrong(Exception):
    """The answer did not pass a test."""


def require(condition, why="not so"):
    if not condition:
        raise Wrong(why)


def close(got, wanted, rtol=1e-10, atol=1e-12):
    """Require numbers of the same shape that agree to nearly every digit."""
    wanted = np.asarray(wanted)
    require(wanted.size, "nothing to compare with")
    require(not has_words(got), f"got {got!r:.80}")
    try:
        got = np.asarray(got, complex if wanted.dtype.kind == "c" else float)
    except (TypeError, ValueError, OverflowError):
        raise Wrong(f"got {got!r:.80}") from None
    require(got.shape == wanted.shape, f"shape {got.shape} for {wanted.shape}")
    require(np.allclose(got, wanted, rtol, atol), f"got {got!s:.80} for {wanted!s:.80}")


def has_words(got):
    """Whether some of it is text, which NumPy would read as numbers."""
    return isinstance(got, str) or (isinstance(got, list) and any(map(has_words, got)))


def several(got, n):
    """Require n values, in a list, a tuple or an array."""
    many = isinstance(got, list) or (isinstance(got, np.ndarray) and got.ndim)
    require(many and len(got) == n, f"not {n} values")
    return list(got)


@dataclass
class Test:
    function: Any  # of a student and a random generator
    hint: str
    points: int

    @property
    def name(self):
        return self.function.__name__.replace("_", " ")


@dataclass
class Question:
    """A question with one public case and several hidden tests, or a manual one without tests.

    A public case is an expression in the student's own names, and the value wanted. A hidden
    test is a function whose name is the misconception that it catches.
    """

    name: str
    title: str
    manual: int = 0  # points that a human gives
    public: list = field(default_factory=list)
    tests: list = field(default_factory=list)

    def case(self, code, wanted):
        self.public.append((code, wanted))

    def test(self, hint, points=1):
        return lambda function: self.tests.append(Test(function, hint, points)) or function

    @property
    def points(self):
        return self.manual + sum(test.points for test in self.tests)


@dataclass
class WrongAnswer:
    name: str
    fails: set
    code: str


class Assignment:
    """A master notebook with the tests and the known wrong answers that lie beside it."""

    def __init__(self, name):
        import torch

        torch.set_num_threads(1)  # numbers this small gain nothing from more, and the sandboxes need the rest
        x = torch.ones(1, requires_grad=True)
        torch.autograd.grad(x, x, torch.ones(1))  # PyTorch imports much when this is first called
        self.name = name
        self.notebook = ASSIGNMENTS / f"{name}.ipynb"
        spec = importlib.util.spec_from_file_location(f"tests_of_{name}", ASSIGNMENTS / f"{name}_tests.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.questions = [thing for thing in vars(module).values() if isinstance(thing, Question)]

    def wrong_answers(self):
        """Each begins with `# %% its name` and `# fails: names of tests`; the rest replaces the right one."""
        text = (ASSIGNMENTS / f"{self.name}_wrong.py").read_text(encoding="utf-8")
        for part in re.split(r"^# %% ", text, flags=re.MULTILINE)[1:]:
            name, fails, code = part.split("\n", 2)
            names = fails.removeprefix("# fails: ").split(", ")
            yield WrongAnswer(name, set(names), code)


def every_assignment():
    return [path.name.removesuffix("_tests.py") for path in sorted(ASSIGNMENTS.glob("*_tests.py"))]


def one_line(text, most=200):
    """Text that prints and takes one line, whoever wrote it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(text)[:most])


def cells_of(content, most=1_000_000):
    """A notebook's cells as pairs (kind, source), from a file that may hold anything."""
    if sum(map(content.count, (b"{", b"[", b","))) > most / 2:  # once it is read, each may take 200 bytes
        raise ValueError("too many parts for a notebook")
    try:
        cells = json.loads(content)["cells"]
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError("not a notebook that can be read") from None
    if sum(len(source) + 100 for kind, source in cells if kind == "code") > most:
        raise ValueError("too much code for a notebook")
    return cells
