"""Special functions, with the names of `torch.special`. The values are SciPy's, the derivatives are here.

SciPy is imported with this module only: the rest of the engine needs NumPy alone.
"""

import math

import numpy as np

try:
    from scipy import special as scipy
except ImportError as error:
    raise ImportError("this function needs SciPy: pip install scipy") from error

from ..functions import public, sign
from ..op import elementwise
from ..rules import choose
from ..tape import unary
from .more import require, times_log

root = math.sqrt(math.pi)


def made(op, doc):
    """A row of the table below as a public function."""
    name = op.name.removeprefix("Special").lower()
    example = f"""
    >>> import chainrule as cr
    >>> x = cr.tensor([0.25, 0.75], requires_grad=True)
    >>> cr.gradcheck(cr.special.{name}, ({", ".join(["x"] * len(op.inputs))},))
    True
    """
    return public(op, name, f"{doc}\n{example}", __name__)


# fmt: off
erf = made(elementwise("Erf", scipy.erf, lambda t, x: t * (2 / root) * np.exp(-x * x)),
           "The error function, 2 / sqrt(pi) times the integral of e^(-s^2) from 0 to x; its slope is 2 e^(-x^2) / sqrt(pi).")
erfc = made(elementwise("Erfc", scipy.erfc, lambda t, x: -t * (2 / root) * np.exp(-x * x)),
            "1 - erf(x), accurate for large x; its derivative is -2 e^(-x^2) / sqrt(pi).")
erfcx = made(elementwise("SpecialErfcx", scipy.erfcx, lambda t, x, y: t * (2 * x * y - 2 / root)),
             "e^(x^2) erfc(x); its derivative is 2 x y - 2 / sqrt(pi), where y is the value.")
erfinv = made(elementwise("Erfinv", scipy.erfinv, lambda t, y: t * (root / 2) * np.exp(y * y)),
              "The inverse of erf; its derivative is sqrt(pi) / 2 e^(y^2), where y is the value.")
ndtr = made(elementwise("SpecialNdtr", scipy.ndtr, lambda t, x: t * np.exp(x * x / -2) / math.sqrt(2 * math.pi)),
            "The probability that a standard normal number is below x; its derivative is the density.")
log_ndtr = made(elementwise("SpecialLog_Ndtr", scipy.log_ndtr, lambda t, x: t * (math.sqrt(2) / root) / erfcx(x / -math.sqrt(2))),
                "log(ndtr(x)), accurate for very negative x.")
ndtri = made(elementwise("SpecialNdtri", scipy.ndtri, lambda t, y: t * math.sqrt(2 * math.pi) * np.exp(y * y / 2)),
             "The inverse of ndtr; its derivative is 1 / density at the value.")
lgamma = made(elementwise("Lgamma", scipy.gammaln, lambda t, x: t * digamma(x)),
              "log |gamma(x)|; its derivative is digamma(x).")
digamma = made(elementwise("Digamma", lambda x: psi(x), lambda t, x: t * polygamma(1, x)),
               "The derivative of lgamma; its own is polygamma(1, x).")
i0 = made(elementwise("I0", scipy.i0, lambda t, x: t * i1(x)),
          "The modified Bessel function of order 0; its derivative is i1(x).")
i0e = made(elementwise("SpecialI0E", scipy.i0e, lambda t, x, y: t * (i1e(x) - sign(x) * y)),
           "e^-|x| i0(x); its derivative is i1e(x) - sign(x) y.")
i1 = made(elementwise("SpecialI1", scipy.i1, lambda t, x, y: t * unless_tiny(x, i0(x) - y / apart(x))),
          "The modified Bessel function of order 1; its derivative is i0(x) - y / x, and 1/2 at 0.")
i1e = made(elementwise("SpecialI1E", scipy.i1e, lambda t, x, y: t * unless_tiny(x, i0e(x) - sign(x) * y - y / apart(x))),
           "e^-|x| i1(x); its derivative is i0e(x) - y (sign(x) + 1 / x), and 1/2 at 0.")
entr = made(elementwise("SpecialEntr", scipy.entr, lambda t, x: t * (-1 - np.log(x))),
            "-x log x, 0 at 0; its derivative is -1 - log x.")
xlog1py = made(elementwise("SpecialXlog1Py", scipy.xlog1py, lambda t, a, b: times_log(t, a, b + 1),
                                                            lambda t, a, b: t * a / (b + 1)),
               "a log(1 + b), 0 where a is 0; the derivatives are log(1 + b) (0 where a = 0 and b <= -1) and a / (1 + b).")
gammas = unary(elementwise("Polygamma", lambda x, n: poly(n, x), lambda t, x, n: t * polygamma(n + 1, x)))
# fmt: on


def tiny(x):
    return ~(np.abs(x) > np.finfo(x.dtype).eps)


def apart(x):
    """x, and 1 where x is 0."""
    return choose(tiny(x), 1, x)


def unless_tiny(x, slope):
    """The slope of i1 or i1e, 1/2 at 0."""
    return choose(tiny(x), 0.5, slope)


def psi(x):
    """SciPy's psi, but -inf at 0 and nan at negative integers, as in PyTorch."""
    y = np.where(x == 0, np.copysign(np.inf, -x), scipy.psi(x))
    return np.where((x < 0) & (x == np.floor(x)), np.nan, y).astype(y.dtype)[()]


def poly(n, x):
    """The n-th derivative of digamma: (-1)^(n+1) n! zeta(n + 1, x)."""
    if n == 0:
        return psi(x)
    return (-1) ** (n + 1) * math.factorial(n) * scipy.zeta(np.asarray(n + 1, x.dtype), x)


def polygamma(n, x):
    """The n-th derivative of digamma.

    >>> import chainrule as cr
    >>> cr.gradcheck(lambda x: cr.special.polygamma(1, x), cr.tensor([0.5, 2.0], requires_grad=True))
    True
    """
    require(n >= 0, "polygamma(n, x) does not support negative n.")
    return gammas(x, n=int(n))


def multigammaln(x, p):
    """log of the gamma function of p dimensions: p (p - 1) / 4 log(pi) + sum of lgamma(x - j/2) over j < p.

    >>> import chainrule as cr
    >>> cr.gradcheck(lambda x: cr.special.multigammaln(x, 2), cr.tensor([2.5, 3.0], requires_grad=True))
    True
    """
    total = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = lgamma(x - j / 2) + total
    return total


mvlgamma, gammaln = multigammaln, lgamma
