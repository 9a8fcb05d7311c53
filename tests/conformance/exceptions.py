"""What is not covered, and why; and where our spelling differs from PyTorch's."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

import chainrule as cr

# Our functions for entries whose name is not a function's: properties, operators, methods.
SPELLING = {
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
}

# Arguments that say where numbers lie in memory, which NumPy decides.
IGNORED = {"device", "memory_format", "layout", "pin_memory", "non_blocking"}

# Entries that share a name with something of ours that means something else.
LEFT_OUT = {}


@dataclass
class Reason:
    """Why checks are expected to fail: of which entries, on which samples, from which sources, which kinds."""

    entry: str
    why: str
    when: object = lambda sample: True
    kinds: tuple = ()
    sources: tuple = ()
    used: int = 0


REASONS = []


def excuse(name, source, kind, sample):
    """The reason why this check is expected to fail, or None."""
    for reason in REASONS:
        if (
            fnmatchcase(name, reason.entry)
            and (not reason.kinds or kind in reason.kinds)
            and (not reason.sources or source in reason.sources)
            and reason.when(sample)
        ):
            return reason
    return None
