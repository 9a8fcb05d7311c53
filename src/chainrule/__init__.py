"""chainrule: a small engine for automatic differentiation, made to be read.

    import chainrule as cr
    x = cr.tensor(2.0, requires_grad=True)
    y = x**3 + 2 * x**2 - 5 * x + 1
    y.backward()
    x.grad                      # tensor(15.)

The modules, in the order in which the course reads them: `op` (what an operation is),
`rules` (the table of derivatives), `tape`, `tensor`, `reverse`, `forward`, `functional`.
"""

from numpy import bool_ as bool
from numpy import float32, float64, int32, int64

from . import numerical
from .compile import compile
from .crosscheck import Disagreement, crosscheck
from .draw import draw
from .draw.stepper import step
from .forward import jvp
from .functional import grad, hessian, hvp, jacobian, value_and_grad, vjp
from .functions import *  # noqa: F403
from .library import linalg, more, nn, places
from .library.linalg import addmm, addmv, baddbmm, bmm, det, einsum, inner, kron, logdet, slogdet, tensordot, vdot
from .library.more import *  # noqa: F403
from .library.nn import *  # noqa: F403
from .library.places import *  # noqa: F403
from .numerical.gradcheck import GradcheckError, gradcheck, gradgradcheck
from .reverse import autograd
from .tape import enable_grad, is_grad_enabled, no_grad
from .tensor import Tensor, ones, ones_like, tensor, zeros, zeros_like


def __getattr__(name):
    """The functions of `chainrule.library.special`, imported when one of them is first used: they need SciPy."""
    if name == "special" or name in more.SPECIAL:
        from importlib import import_module

        module = import_module(".library.special", __name__)
        return module if name == "special" else getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
