"""A line of a program, and how it is written as Python.

Two recorders share it: `chainrule.compile`, which writes down what a function does to numbers,
and `chainrule.static`, whose graph is described before there are any.
"""

import keyword
import math
import operator
import re
from collections import defaultdict
from functools import cache

import numpy as np

from .. import rules
from ..library.numpy_calls import FUNCTIONS
from ..methods import Methods
from ..nested import leaves
from ..op import Op, highest

# How operators are written, and the ufunc that does the same with `out=`.
INFIX = {
    operator.add: ("+", np.add), operator.sub: ("-", np.subtract), operator.mul: ("*", np.multiply),
    operator.truediv: ("/", np.divide), np.matmul: ("@", np.matmul), operator.pow: ("**", None),
    operator.gt: (">", np.greater), operator.ge: (">=", np.greater_equal), operator.lt: ("<", np.less),
    operator.le: ("<=", np.less_equal), operator.eq: ("==", np.equal), operator.ne: ("!=", np.not_equal),
    operator.and_: ("&", np.bitwise_and), operator.or_: ("|", np.bitwise_or),
}  # fmt: skip

# How rows of the table are written that are neither operators nor ufuncs; `more` is what else a reduction was given.
FORMS = {
    rules.neg: "-{x}", rules.reciprocal: "1 / {x}", rules.abs: "abs({x})", rules.relu: "np.maximum({x}, 0)",
    rules.where: "np.where({condition}, {a}, {b})", rules.clip: "np.clip({x}, {low}, {high})",
    rules.expand: "np.broadcast_to({x}, {shape})", rules.reshape: "{x}.reshape({shape})",
    rules.squeeze: "{x}.squeeze({axis})", rules.unsqueeze: "np.expand_dims({x}, {axis})",
    rules.swapaxes: "{x}.swapaxes({i}, {j})", rules.permute: "{x}.transpose({axes})", rules.clone: "{x}.copy()",
    rules.astype: "{x}.astype({dtype})", rules.select: "{x}[{index}]", rules.slice_: "{x}[{index}]",
    rules.index: "{x}[{index}]", rules.sum: "{x}.sum({more})", rules.mean: "{x}.mean({more})",
    rules.prod: "{x}.prod({more})", rules.amax: "{x}.max({more})", rules.amin: "{x}.min({more})",
    rules.largest: "{x}.max({more})", rules.smallest: "{x}.min({more})",
}  # fmt: skip
BUILTINS = ("abs", "float", "int", "range", "reversed", "slice")  # that a program may call
PUBLIC = ("norm", "var", "std", "logsumexp", "cumsum", "flip")
CALLS = {op: f"rules.{name}" for name, op in vars(rules).items() if isinstance(op, Op)}
CALLS |= {rules.magnitude: "cr.norm", **{getattr(rules, name): f"cr.{name}" for name in PUBLIC}}


@cache
def plain_op(function):
    """A function of NumPy as an operation. It has no derivative."""
    return Op(function.__name__.title(), "constant", function, ("x",), ())


class Line(Methods):
    """One step of a program: an operation on other lines and on constants.

    op, inputs, params  which operation, and what it works on
    sources             the lines among that
    """

    __slots__ = ("op", "inputs", "params", "sources")
    program = None  # that there is one says to `chainrule.functions`: the numbers are not known yet
    weak = requires_grad = False
    boxed = property(lambda self: self)

    def __init__(self, op, inputs, params):
        self.op, self.inputs, self.params = op, inputs, params
        self.sources = [x for x in leaves([inputs, params]) if isinstance(x, Line)]

    def __array_function__(self, function, types, args, kwargs):
        waits = function is np.where and highest(args[1:]) is None  # the row `where` would look for a box there
        if function in FUNCTIONS and not waits:
            return super().__array_function__(function, types, args, kwargs)
        return self.apply(plain_op(function), args, kwargs)


class Writer:
    """Writes lines as Python.

    words  what a line is called
    names  what the names in the source stand for
    """

    def __init__(self):
        import chainrule

        self.words = {}
        self.names = {"np": np, "cr": chainrule, "rules": rules, "math": math, "inf": math.inf, "nan": math.nan}
        self.taken = {*keyword.kwlist, *self.names, "Changed", *BUILTINS}
        self.count = defaultdict(int, v=1)

    def argument(self, wish):
        """A name for an argument: the wish, made an identifier that nothing else has."""
        name = re.sub(r"\W|^(?=\d)", "_", wish) or "_"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def fresh(self, letter):
        """The next of the names v1, v2 ..., b0, b1 ..., history, history1 ... that is free."""
        while True:
            n = self.count[letter]
            self.count[letter] += 1
            name = f"{letter}{n}" if n or letter in "bc" else letter
            if name not in self.taken:
                return name

    def named(self, wish, value):
        """The name of a constant, a function or a piece of memory."""
        known = next((name for name, x in self.names.items() if x is value), None)
        if known is None:
            known = self.fresh(wish) if len(wish) == 1 else self.argument(wish)
            self.names[known] = value
        return known

    def text(self, x):
        """An argument in words: a name, a number, or the name of a constant."""
        if isinstance(x, Line):
            return self.words[x]
        if isinstance(x, tuple | list):
            inner = ", ".join(map(self.text, x))
            return f"[{inner}]" if isinstance(x, list) else f"({inner},)" if len(x) == 1 else f"({inner})"
        if isinstance(x, dict):
            return f"{{{', '.join(f'{key!r}: {self.text(part)}' for key, part in x.items())}}}"
        if isinstance(x, np.dtype | type):
            return f"np.{np.dtype(x).name}"
        if isinstance(x, int | float | complex | str | np.generic | None):
            return repr(x)
        return "..." if x is ... else self.named("c", x)

    def index(self, index):
        """What stands between the brackets."""
        parts = index if type(index) is tuple else (index,)
        parts = parts[:-1] if len(parts) > 1 and parts[-1] is ... else parts
        return ", ".join(map(self.place, parts)) or "()"

    def place(self, x):
        if not isinstance(x, slice):
            return self.text(x)
        start, stop, step = ("" if n is None else self.text(n) for n in (x.start, x.stop, x.step))
        return f"{start}:{stop}" + f":{step}" * (step != "")

    def expression(self, line):
        """An operation in words."""
        op, value, params = line.op, line.op.value, line.params
        words = [self.operand(x, line) for x in line.inputs]
        if value in INFIX:
            left = f"({words[0]})" if words[0].startswith("-") else words[0]
            return f"{left} {INFIX[value][0]} {words[1]}"
        if op is rules.permute and params["axes"] == (1, 0):
            return f"{words[0]}.T"
        if op in FORMS:
            more = {name: self.index(x) if name == "index" else self.text(x) for name, x in params.items()}
            return FORMS[op].format(**dict(zip(op.inputs, words, strict=False)), **more, more=self.reduction(params))
        if value is operator.getitem:
            return f"{words[0]}[{words[1]}]"
        call = self.call(op)
        if call.startswith(("cr.", "np.")):
            params = {name: x for name, x in params.items() if x is not None and x is not False}
        return f"{call}({', '.join(words + [f'{name}={self.text(x)}' for name, x in params.items()])})"

    def operand(self, x, line):
        """An input of `line` in words."""
        return self.text(number_in(x, line))

    def reduction(self, params):
        axis = params.get("axis")
        axis = axis[0] if isinstance(axis, tuple) and len(axis) == 1 else axis
        return ", ".join([self.text(axis)] * (axis is not None) + ["keepdims=True"] * bool(params.get("keepdims")))

    def call(self, op):
        """What an operation is called: by NumPy, by chainrule, or by a name of its own."""
        for prefix, module in ("np", np), ("np.linalg", np.linalg):
            name = getattr(op.value, "__name__", "")
            if getattr(module, name, None) is op.value:
                return f"{prefix}.{name}"
        return CALLS.get(op) or self.named(op.name.lower(), op.value)

    def function(self, name, arguments, body):
        """The function with this body, and its text."""
        source = "\n".join([f"def {name}({', '.join(arguments)}):", *body]) + "\n"
        exec(source, self.names)
        return self.names.pop(name), source


def number_in(x, line):
    """A NumPy number as the plain one that it can be written as, where what it meets has its dtype already."""
    others = [a for a in line.inputs if isinstance(a, Line)]
    meets = line.op.value in INFIX and all(not a.weak and a.dtype == getattr(x, "dtype", None) for a in others)
    if not isinstance(x, np.generic) or not meets:
        return x
    if not isinstance(x, np.floating) or not np.isfinite(x):
        return x.item()
    short = float(np.format_float_scientific(x))
    return short if x.dtype.type(short) == x else float(x)
