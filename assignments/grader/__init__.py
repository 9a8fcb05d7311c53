"""Grade notebooks that nobody should trust.

A student's code runs in `worker.py`, inside a sandbox that `sandbox.py` builds around it and
`canary.py` tries. Tests, expected values and PyTorch stay out here: `question.py` says what a
question and a test are, `grade.py` puts one notebook to the tests, `folder.py` finds the
notebooks of a class, `batch.py` grades them on this machine, `cluster.py` on a Dask cluster,
and `report.py` writes down what came out; `__main__.py` is the command. `student.py` makes the
notebook that students get, and `check.py` is the part of it that runs the public tests.
`gradescope.py` makes a bundle that grades on Gradescope.
"""

from grader.question import Question, Wrong, close, require, several

__all__ = ["Question", "Wrong", "close", "require", "several"]
