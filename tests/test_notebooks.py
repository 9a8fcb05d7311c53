"""What nbval does not see: that every notebook was run, in order, and stored whole."""

import ast
import copy

import nbformat
import pytest
from notebooks import every_notebook, normalise

pytestmark = pytest.mark.parametrize("path", every_notebook(), ids=lambda path: f"{path.parent.name}-{path.stem}")


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def shows_a_value(source):
    """Whether the cell ends in a value: calls aside, which may well return None."""
    statements = ast.parse(source).body
    if not statements or source.rstrip().endswith(";"):
        return False
    last = statements[-1]
    return isinstance(last, ast.Expr) and not isinstance(last.value, ast.Call | ast.Constant)


def test_every_code_cell_was_run_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)), "run: make notebooks"


def test_a_cell_that_ends_in_a_value_stores_it(path):
    silent = [cell.id for cell in code_cells(path) if shows_a_value(cell.source) and not cell.outputs]
    assert not silent


def test_nothing_went_wrong_unannounced(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.id
            announced = "raises-exception" in cell.metadata.get("tags", [])
            assert output.output_type != "error" or announced, cell.id


def test_it_is_stored_in_the_form_that_make_notebooks_writes(path):
    stored = nbformat.read(path, as_version=4)
    assert stored == normalise(copy.deepcopy(stored)), "run: make notebooks"
