"""Every fact of the lecture is proved by a cell of its chapter, and so is every displayed derivative.

A code cell that proves the fact 3.5 carries the tag `ledger-3.5`; one that proves the
formula displayed in its section carries the tag `formula`. To see which cell proves what:

    python tests/test_ledger.py
"""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).parents[1] / "book"

LEDGER = {
    "1.1": "parameters are updated with the gradient of a loss, on the same path as torch.optim.SGD",
    "1.2": "f(x) = x³ + 2x² − 5x + 1 has the symbolic derivative 3x² + 4x − 5, at 2 it is 15",
    "1.3": "the forward difference with h = 0.01 is 15.0801",
    "1.4": "truncation and round-off: the error against h is a V with its minimum where theory puts it",
    "1.5": "numerical differentiation takes n + 1 evaluations",
    "1.6": "the written-out derivative grows faster than linearly",
    "1.6c": "corrected: with shared subexpressions it grows linearly",
    "1.7": "symbolic differentiation cannot take a while whose length depends on the data",
    "1.8": "automatic differentiation is exact in both modes",
    "2.1": "the graph from y to f has 3 paths",
    "2.2": "∂f/∂y is the sum of the paths' products, and equals forward mode, reverse mode, PyTorch",
    "2.3": "paths grow as 2^k in a ladder of k diamonds, one sweep stays linear",
    "3.1": "the graph of f = (u + v)², of u, v, a, b and w, x, y, z",
    "3.2": "the single derivatives are the local derivatives on its edges",
    "3.3": "f_w, f_x, f_y, f_z by the chain rule",
    "3.4": "backward() on a vector without gradient is an error",
    "3.5": "x = (1, 2, 3), y = x ⊙ x, v = (1, 1, 1) give vᵀJ = (2, 4, 6)",
    "3.5c": "corrected: y = xᵀx is the scalar 14",
    "3.6": "the full Jacobian is diag(2, 4, 6)",
    "3.6c": "corrected: a Jacobian's columns belong to the inputs",
    "3.7": "with n ≠ m vᵀJ and Jv cannot be mixed up; gradient has the shape of the output",
    "3.8": "a Jacobian costs m sweeps",
    "4.1": "z = x·y with y = x·x at 2 is 8, its derivative 12",
    "4.2": "with u = y.detach() it is 8 and 4",
    "4.3": "y.grad_fn is a MulBackward0, u.grad_fn is None, u shares y's memory",
    "4.4": "both graphs, the cut visible",
    "4.5": "logic: which parameters move in a GAN-like pair and with a semi-gradient",
    "4.6": "memory: a loop with and without detach",
    "4.7": "speed: derivative work skipped",
    "4.8": "detach, no_grad, requires_grad_(False)",
    "5.1": "the function with a while and an if runs on both engines",
    "5.2": "the trace is the unrolled product",
    "5.3": "c = k·a, so dc/da = k = f(a)/a",
    "5.4": "a = −0.7185292840003967 in float32: f ≈ −147154.796875, gradient 204800",
    "5.5": "corrected: a.grad == d/a is not always True; the right test is a tolerance",
    "5.5b": "n = 0, a = 0, nan, and a vector whose sum is 0",
    "5.6": "the static graph: a = 0.48851716447341414, f ≈ 1000.483154, gradient 2048",
    "5.7": "the five rows of the comparison",
    "5.7c": "corrected: tf.while_loop, tf.cond, tf.gradients are the names",
    "5.8": "tracing and compiling: today's middle way",
    "6.1": "the trace of log(x²) sin x + 1/x",
    "6.2": "forward: (v, v̇) row by row",
    "6.3": "backward: v̄ row by row, three contributions to x̄",
    "6.4": "six criteria, measured: cost ∝ n and ∝ m, memory, the crossover",
    "6.5": "the cheap-gradient bound",
    "7.1": "what was learned, a map, references",
    "7.2": "the digits: the same loss curve on both engines, step by step",
}

PROVES = re.compile(r"\bassert\b|\bcrosscheck\(|\bexcept\b|\bassert_\w+\(")
DERIVATIVE = re.compile(
    r"\\(d?frac\{(d|\\partial|\\mathrm\{?d)|partial|nabla|dot|bar)\b|'\(|^f'|_[a-z]\\,", re.MULTILINE
)


def chapters():
    return sorted(BOOK.glob("0[1-7]_*.ipynb"))


def appendices():
    return sorted((BOOK / "beyond").glob("*.ipynb"))


def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def tags(cell):
    return cell.metadata.get("tags", [])


def proving(row):
    """The cells tagged as proofs of a row of the ledger."""
    (path,) = BOOK.glob(f"0{row[0]}_*.ipynb")
    return [cell for cell in cells_of(path) if f"ledger-{row}" in tags(cell)]


@pytest.mark.parametrize("row", LEDGER)
def test_a_cell_proves_every_fact_of_the_lecture(row):
    cells = proving(row)
    assert cells, f"no cell is tagged ledger-{row}: {LEDGER[row]}"
    assert any(PROVES.search(cell.source) or "raises-exception" in tags(cell) for cell in cells)


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_no_cell_claims_a_fact_that_is_not_in_the_ledger(path):
    claimed = {
        tag.removeprefix("ledger-") for cell in cells_of(path) for tag in tags(cell) if tag.startswith("ledger-")
    }
    assert claimed <= {row for row in LEDGER if row[0] == path.stem[1]}


def sections(path):
    """The cells of each section: a new one begins at a cell that starts with a heading, or holds one."""
    section = []
    for cell in cells_of(path):
        if cell.cell_type == "markdown" and re.search(r"^#+ ", cell.source, re.MULTILINE) and section:
            yield section
            section = []
        section.append(cell)
    yield section


def displayed(cell):
    """The displayed formulas of a cell that hold a derivative."""
    formulas = re.findall(r"\$\$(.*?)\$\$", cell.source, re.DOTALL) if cell.cell_type == "markdown" else []
    return [formula for formula in formulas if DERIVATIVE.search(formula)]


@pytest.mark.parametrize("path", [*chapters(), *appendices()], ids=lambda path: path.stem)
def test_every_displayed_derivative_is_asserted_in_its_section(path):
    for section in sections(path):
        formulas = [formula for cell in section for formula in displayed(cell)]
        proofs = [cell for cell in section if "formula" in tags(cell)]
        assert all(PROVES.search(cell.source) for cell in proofs)
        assert proofs or not formulas, f"{path.stem}, {section[0].id}: tag the cell that proves {formulas[0]}"


if __name__ == "__main__":
    for row, fact in LEDGER.items():
        print(f"{row:5} {fact}: {', '.join(cell.id for cell in proving(row))}")
