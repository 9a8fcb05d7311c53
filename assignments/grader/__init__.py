"""Grade notebooks that nobody should trust.

A student's code runs in `worker.py`, inside a sandbox that `sandbox.py` builds around it.
Tests, expected values and PyTorch stay out here: `question.py` says what a question and a
test are, `grade.py` puts one notebook to the tests, `folder.py` finds the notebooks of a
class, `__main__.py` grades them and writes the reports. `student.py` makes the notebook that
students get, and `check.py` is the part of it that runs the public tests.
"""

from grader.question import Question, Wrong, close, require

__all__ = ["Question", "Wrong", "close", "require"]
