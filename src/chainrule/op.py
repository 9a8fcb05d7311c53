"""What an operation is: a value, and one linear map for each input.

At a point every smooth operation has a best linear approximation. For its input i that map
is the Jacobian J_i. Forward mode applies J_i to a *tangent* (`push`), reverse mode applies the
transpose of J_i to a *cotangent* (`pull`). An operation is declared together with its
derivative, and the family it belongs to says how one formula serves both directions:

- `elementwise`: J_i is diagonal, so it is its own transpose. One formula is both. (What
  broadcasting has repeated before is summed afterwards, by the sweep.)
- `symmetric`: J is its own transpose without being diagonal, as for softmax. One formula.
- `multilinear`: the value is linear in each input, so the push is the operation itself,
  with the tangent in place of the input. Only the pull is written.
- `reduction`: many numbers become one, with weights w = dy/dx. The push sums w * t, the
  pull spreads t * w. Only the weights are written.
- `custom`: both are written.

A rule is a plain function of what flows through, `t` (weights have none), and of what else it needs, by name:
`y` is the output, `x` the only input, `a` and `b` the two inputs, `x_shape` the shape of x,
any other name a parameter of the call. The names say what the tape must keep.
"""

import inspect
from typing import Any

from numpy import ndarray

from .errors import do_not_broadcast, do_not_combine
from .values import DOUBLE, narrowed

__all__ = ["Box", "Op", "constant", "custom", "elementwise", "linear_of_many", "multilinear", "reduction", "symmetric"]


class Box:
    """A value that knows more than its number: a Tensor, a Dual, a Symbol.

    `level` tells nested boxes apart: a box made by an inner derivative has a higher level
    than all that existed before, and handles every operation it takes part in.
    """

    __slots__ = ()
    level: Any = 0
    shape: Any
    ndim: Any
    dtype: Any
    array: Any
    node: Any

    def apply(self, op, inputs, params):
        """Do `op` on `inputs`, of which this box has the highest level."""
        raise NotImplementedError


class Op:
    """One operation: what it computes and how derivatives pass through it.

    name    as in PyTorch's `grad_fn`: `MulBackward0` belongs to "Mul"
    family  the function below that made it, which says how its rules serve both modes
    value   the NumPy function that computes the output
    inputs  the names of the inputs; `*xs` for a whole list
    pulls   for each input, `pull(t, kept)`: the cotangent of the input
    pushes  for each input, `push(t, kept)`: this input's part of the output's tangent
    rules   the formulas as they were written, for whoever prints the table
    needs   for each input, the names its pull mentions: what the tape keeps for it
    view    whether the output may look at the memory of the input
    wrong   says in PyTorch's words why a call of `value` failed
    spent   stands in for the operation once its node has let go of what it kept

    `kept` is any object with the attributes y, a, b and params that hold what was kept.
    """

    __slots__ = ("name", "family", "value", "inputs", "rules", "pulls", "pushes", "needs", "view", "wrong", "spent")

    def __init__(self, name, family, value, inputs, rules, pulls=None, pushes=None, needs=None, wrong=None):
        self.name, self.family, self.value, self.inputs, self.rules = name, family, value, inputs, rules
        self.pulls = pulls or tuple(bind(rule, inputs) for rule in rules)
        self.pushes = pushes or self.pulls
        self.needs = needs or tuple(frozenset(names(rule)) for rule in rules)
        self.view, self.wrong = False, wrong
        self.spent = Spent(self)

    def __call__(self, *inputs, **params):
        box = highest(inputs)
        if box is not None:
            return box.apply(self, inputs, params)
        return self.compute(inputs, params)

    def compute(self, inputs, params):
        """The value on plain arrays, in float32 where PyTorch stays in it; what does not fit is said in its words."""
        try:
            y = self.value(*inputs, **params)
            if len(inputs) > 1 and type(y) is ndarray and y.dtype is DOUBLE:
                first = inputs[0]
                wide = type(first) is ndarray and first.dtype is DOUBLE and first.ndim
                if not wide and (single := narrowed(inputs)):
                    y = self.value(*single, **params)
            return y
        except (ValueError, IndexError, TypeError) as error:
            if hasattr(error, "box"):  # NumPy asked a box for its numbers: it was hidden in a parameter
                return error.box.apply(self, inputs, params)
            do_not_combine(self.value, inputs)
            if self.wrong is not None:
                self.wrong(*inputs, **params)
            raise error

    def __repr__(self):
        return f"<Op {self.name}>"


class Spent:
    """An operation after its node has let go of what it kept: a rule that needs it raises."""

    __slots__ = ("op", "name", "needs", "pulls")

    def __init__(self, op):
        self.op, self.name, self.needs = op, op.name, op.needs
        self.pulls = tuple(
            refuse if needs & {"y", "a", "b", "x"} else pull for needs, pull in zip(op.needs, op.pulls, strict=True)
        )

    spent = property(lambda self: self)


def refuse(t, kept):
    raise RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors after they "
        "have already been freed). Saved intermediate values of the graph are freed when you call .backward() "
        "or autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second "
        "time or if you need to access saved tensors after calling backward."
    )


def highest(inputs):
    """The box with the highest level among `inputs`, or None if there is no box."""
    top = None
    for x in inputs:
        if type(x) is not ndarray and isinstance(x, Box) and (top is None or x.level > top.level):
            top = x
    return top


def names(rule):
    """What `rule` needs besides `t`.

    >>> names(lambda t, y, b: -t * y / b)
    ['y', 'b']
    """
    return list(inspect.signature(rule).parameters)[1:]


def bind(rule, inputs):
    """`rule` as a function of `t` and of one object that holds the rest.

    The adapter is written out as source, as `dataclasses` does, because it runs once for
    every input of every operation: `lambda t, b: t * b` becomes
    `lambda t, kept: rule(t, kept.b)`.
    """
    places = {"y": "kept.y", **dict(zip(inputs, ("kept.a", "kept.b"), strict=False))}
    arguments = [places.get(name, f"kept.params[{name!r}]") for name in names(rule)]
    return eval(f"lambda t, kept: rule({', '.join(['t', *arguments])})", {"rule": rule})


def inputs_of(rules):
    return ("x",) if len(rules) == 1 else ("a", "b")


def constant(name, value):
    """An operation that is flat wherever it has a derivative at all, such as a comparison: no rules."""
    return Op(name, "constant", value, ("a", "b"), (), wrong=do_not_broadcast)


def elementwise(name, value, *rules, wrong=None):
    """An operation that works number by number: the Jacobian is diagonal, one formula is both rules.

    >>> double = elementwise("Double", lambda x: 2 * x, lambda t: 2 * t)
    >>> double(3.0)
    6.0
    """
    wrong = wrong or (do_not_broadcast if len(rules) == 2 else None)
    return Op(name, "elementwise", value, inputs_of(rules), rules, wrong=wrong)


def symmetric(name, value, rule):
    """An operation whose Jacobian is its own transpose: one formula is both rules."""
    return Op(name, "symmetric", value, ("x",), (rule,))


def multilinear(name, value, *rules, view=False, wrong=None):
    """An operation linear in each input: only the pulls are written.

    The push is the operation itself, with the tangent in the place of the input.
    """
    op = Op(name, "multilinear", value, inputs_of(rules), rules, wrong=wrong)
    op.view = view
    if len(rules) == 1:
        op.pushes = (lambda t, kept: op(t, **kept.params),)
    else:
        op.pushes = (lambda t, kept: op(t, kept.b, **kept.params), lambda t, kept: op(kept.a, t, **kept.params))
    return op


def reduction(name, value, weights, total):
    """An operation that makes one number of many: y = r(x), with weights w = dy/dx.

    `weights` is a function of x, of the output y (with the reduced axes kept at length 1)
    and of parameters, by name. The push is sum(w * t), the pull is w * t.
    """
    wanted = list(inspect.signature(weights).parameters)

    def weigh(kept):
        axis = kept.params["axis"]
        places = {**kept.params, "x": kept.a}
        if "y" in wanted:
            places["y"] = restore(kept.y, kept.a.shape, axis)
        return weights(*(places[name] for name in wanted))

    return Op(
        name,
        "reduction",
        value,
        ("x",),
        (weights,),
        pulls=(lambda t, kept: restore(t, kept.a.shape, kept.params["axis"]) * weigh(kept),),
        pushes=(lambda t, kept: total(t * weigh(kept), axis=kept.params["axis"], keepdims=kept.params["keepdims"]),),
        needs=(frozenset({"x", *wanted}),),
    )


def custom(name, value, *rules, pushes, wrong=None):
    """An operation for which the pull and the push are both written."""
    inputs = inputs_of(rules)
    return Op(name, "custom", value, inputs, rules, pushes=tuple(bind(push, inputs) for push in pushes), wrong=wrong)


def linear_of_many(name, value, rule, wrong=None):
    """An operation linear in a whole list of inputs, as `cat` and `stack`.

    The rule gives the list of all inputs' cotangents; the push is the operation itself on
    the list of tangents.
    """
    op = Op(name, "multilinear", lambda *xs, **params: value(xs, **params), ("*xs",), (rule,), wrong=wrong)
    op.pushes = (lambda ts, kept: op(*ts, **kept.params),)
    return op


def restore(y, shape, axis):
    """`y` with the reduced axes back at length 1, so that it broadcasts against the input."""
    return y.reshape(kept_shape(shape, axis))


def kept_shape(shape, axis):
    """`shape` with the axes in `axis` at length 1 (all of them when `axis` is None).

    >>> kept_shape((2, 3), (1,))
    (2, 1)
    """
    return tuple(1 if axis is None or i in axis else n for i, n in enumerate(shape))
