"""The conventions at kinks and ties, row by row: what the table says, what we do, what PyTorch does."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from oracle import array, assert_same, leaves

import chainrule as cr
from chainrule.kinks import KINKS, inf, nan

# Where PyTorch's forward mode has another convention than its reverse mode. Ours has one rule for both.
OTHERWISE_FORWARD = [
    ("max(x, y)", [inf, nan]),
    ("max x", [[1.0, nan]]),
    ("fmax(x, y)", [1.0, 1.0]),
    ("atan2(y, x)", [0.0, 0.0]),
]

ROWS = [pytest.param(kink, id=f"{kink.written} at {kink.at}") for group in KINKS.values() for kink in group]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kink", ROWS)
@pytest.mark.parametrize("lib", [cr, torch], ids=["ours", "PyTorch"])
def test_reverse_mode_gives_what_the_table_says(kink, lib):
    xs = leaves(lib, [np.array(x) for x in kink.at])
    kink.f(*xs).backward()
    for x, derivative in zip(xs, kink.derivative, strict=True):
        np.testing.assert_array_equal(array(x.grad), derivative)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kink", ROWS)
def test_forward_mode_is_pytorchs(kink):
    primals = [np.array(x) for x in kink.at]
    tangents = [np.full(x.shape, 0.5 + i) for i, x in enumerate(primals)]
    got = cr.jvp(kink.f, tuple(map(cr.tensor, primals)), tuple(map(cr.tensor, tangents)))
    want = torch.func.jvp(kink.f, tuple(map(torch.tensor, primals)), tuple(map(torch.tensor, tangents)))
    with pytest.raises(AssertionError) if (kink.written, kink.at) in OTHERWISE_FORWARD else nullcontext():
        assert_same(got, want)
