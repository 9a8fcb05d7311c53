"""What stands beside the table: operations that the chapters do not need and a program may.

`places` (sorting, gathering, scattering), `more` (elementwise functions and statistics),
`linalg`, `nn`, and `special`, which needs SciPy. All are rows as in `chainrule.rules`, or are
made of such rows, under PyTorch's names.
"""
