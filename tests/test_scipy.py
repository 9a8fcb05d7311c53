"""SciPy is wanted by the special functions alone."""

import subprocess
import sys

import pytest

import chainrule as cr

WITHOUT = "import sys; sys.modules['scipy'] = None; import chainrule as cr; x = cr.tensor(2.0, requires_grad=True); "


def run_without_scipy(code):
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True)


def test_the_engine_runs_without_scipy():
    done = run_without_scipy("(x.log() * x.sin()).backward(); cr.nn.silu(x); cr.linalg.inv(cr.eye(2)); print(x.grad)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tensor(")


@pytest.mark.parametrize("call", ["cr.erf(x)", "x.erf()", "cr.special.erf(x)", "cr.nn.gelu(x)"])
def test_a_special_function_says_what_to_install(call):
    done = run_without_scipy(call)
    assert "ImportError: this function needs SciPy: pip install scipy" in done.stderr


def test_importing_the_engine_does_not_import_scipy():
    code = "import sys, chainrule; print('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_the_names_of_special_functions_are_those_of_the_module():
    assert all(getattr(cr, name) is getattr(cr.special, name) for name in cr.more.SPECIAL)
    with pytest.raises(AttributeError, match="module 'chainrule' has no attribute 'erff'"):
        _ = cr.erff
