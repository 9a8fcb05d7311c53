"""How an engine is made wrong, and right again: by other text in a function, or another rule in a row.

A change whose place is not there any more raises, so that no mutant is ever without effect unnoticed.
"""

import inspect
import math
import textwrap
from contextlib import ExitStack

import numpy as np

from chainrule import inplace, rules
from chainrule.op import Op, Spent, reduction


class Edit:
    """In the source of `function`, each `old` text of `replacements` becomes the `new` one."""

    def __init__(self, function, replacements):
        self.function, self.replacements = function, replacements

    def __enter__(self):
        function = self.function
        self.before = function.__code__, function.__defaults__
        source = textwrap.dedent(inspect.getsource(function))
        for old, new in self.replacements.items():
            if source.count(old) != 1:
                raise LookupError(f"{function.__qualname__} contains {source.count(old)} times, not once: {old}")
            source = source.replace(old, new)
        made = {}
        exec("from __future__ import annotations\n" + source, function.__globals__, made)
        changed = made[function.__name__]
        function.__code__, function.__defaults__ = changed.__code__, changed.__defaults__

    def __exit__(self, *_):
        self.function.__code__, self.function.__defaults__ = self.before

    def __str__(self):
        lines = [f"in {self.function.__module__}.{self.function.__qualname__}"]
        for old, new in self.replacements.items():
            lines += [f"- {line}" for line in old.splitlines()] + [f"+ {line}" for line in new.splitlines()]
        return "\n".join(lines)


class Replace:
    """`function` does what `other`, a function of the same parameters, does."""

    def __init__(self, function, other):
        self.function, self.other = function, other

    def __enter__(self):
        if inspect.signature(self.function) != inspect.signature(self.other):
            raise LookupError(f"{self.function.__qualname__} has other parameters now")
        self.before = self.function.__code__
        self.function.__code__ = self.other.__code__

    def __exit__(self, *_):
        self.function.__code__ = self.before

    def __str__(self):
        return f"instead of {self.function.__module__}.{self.function.__qualname__}\n{inspect.getsource(self.other)}"


class Assign:
    """`owner.name` is `value`."""

    def __init__(self, owner, name, value):
        self.owner, self.name, self.value = owner, name, value

    def __enter__(self):
        self.before = vars(self.owner)[self.name]
        setattr(self.owner, self.name, self.value)

    def __exit__(self, *_):
        setattr(self.owner, self.name, self.before)

    def __str__(self):
        return f"{self.owner.__name__}.{self.name} = {self.value.__module__}.{self.value.__name__}"


class Row:
    """Row `name` of the table has other rules, or another value, given as they would be written there."""

    def __init__(self, name, *texts, value=None):
        self.name, self.texts, self.value = name, texts, value

    def __enter__(self):
        op = self.op = vars(rules).get(self.name) or vars(inplace)[self.name]
        self.before = {slot: getattr(op, slot) for slot in Op.__slots__}
        if self.value:
            op.value = eval(self.value, vars(rules))
        if self.texts:
            written = tuple(eval(text, vars(rules)) for text in self.texts)
            if op.family == "reduction":
                wrong = reduction(op.name, op.value, *written, rules.sum)
            else:
                wrong = Op(op.name, op.family, op.value, op.inputs, written)
            for needs, kept in zip(wrong.needs, op.needs, strict=True):
                if not needs <= kept:
                    raise LookupError(
                        f"the tape keeps {set(kept)} for {self.name}, but the wrong rule needs {set(needs)}"
                    )
            op.rules, op.pulls = written, wrong.pulls
            if op.family in ("elementwise", "symmetric", "reduction"):
                op.pushes = wrong.pushes
            op.spent = Spent(op)

    def __exit__(self, *_):
        for slot, value in self.before.items():
            setattr(self.op, slot, value)

    def __str__(self):
        lines = inspect.getsource(rules if hasattr(rules, self.name) else inplace).splitlines()
        start = next(i for i, line in enumerate(lines) if line.split()[:2] == [self.name, "="])
        end = next(i for i in range(start + 1, len(lines)) if balanced("".join(lines[start:i])))
        new = [self.value] * bool(self.value) + list(self.texts)
        return "\n".join([*(f"- {line}" for line in lines[start:end]), *(f"+ {text}" for text in new)])


def balanced(text):
    return text.count("(") == text.count(")")


class Mutant:
    """A wrong engine, while it is entered as a context.

    name           a word or two
    misconception  what its author believed
    changes        where it differs from ours
    program        a program that gives it away: `program(lib)` runs on ours and on PyTorch
    hint           the same in words
    wrong          what `program` gives under it, as `outcome` writes it; what is right, PyTorch says
    caught_by      which tests must notice: beginnings of their names
    """

    def __init__(self, name, misconception, changes, program, hint, wrong, caught_by):
        self.name, self.misconception, self.changes, self.program = name, misconception, changes, program
        self.hint, self.wrong = hint, wrong
        self.caught_by = caught_by if isinstance(caught_by, tuple) else (caught_by,)

    def __enter__(self):
        with ExitStack() as stack:
            for change in self.changes:
                stack.enter_context(change)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def __str__(self):
        return "\n".join(map(str, self.changes))


def outcome(program, lib):
    """What `program` gives on `lib`, as nested lists of rounded numbers, or the name of the error it raises."""
    try:
        with np.errstate(all="ignore"):
            return plain(program(lib))
    except Exception as error:
        return type(error).__name__


def plain(x):
    if isinstance(x, tuple | list):
        return [plain(part) for part in x]
    if hasattr(x, "tolist"):
        return plain(x.tolist())
    return round(x, 6) + 0.0 if isinstance(x, float) and math.isfinite(x) else x
