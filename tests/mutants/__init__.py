"""Wrong engines: each is ours with one change, and each change is a mistake that people make.

They prove the tests (every one must be caught) and they are exercises (find a program that
gives it away). `engines` is the list, `changes` says how a change is made and taken back.

    from mutants import MUTANTS
    with MUTANTS["overwritten"]:
        ...                          # the engine is wrong in here
    print(MUTANTS["overwritten"])    # what was changed
"""

from .engines import MUTANTS

__all__ = ["MUTANTS"]
