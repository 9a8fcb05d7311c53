"""A static graph as a Python program: what a session runs, and what a reader can print.

One line an operation; Python's own `while` for a loop, `if` for a cond, and `for` for the way
back through a loop.
"""

from collections import Counter

import numpy as np

from ..compile.source import INFIX, Writer
from ..nested import each, leaves, repack
from ..tape import number_or_array
from .control import Block, Branch, Control, Loop, above
from .symbols import CONSTANT, HISTORY, PART, PLACEHOLDER, Symbol, fitting, get_default_graph, out_of_reach, suits


class Program(Writer):
    """The program that computes `fetches` from values for the placeholders `inputs`.

    run, source  the function and its text
    tally        whether it counts in `ran` how often each of its `blocks` ran
    """

    def __init__(self, inputs, fetches, name="program", tally=False):
        super().__init__()
        self.taken.add("ran")
        name = self.argument(name)
        self.tally, self.blocks, self.lines, self.at = tally, [], [], {}
        arguments = [self.argument(x.params["name"]) for x in inputs]
        self.words |= zip(inputs, arguments, strict=True)
        wanted = [x for x in leaves(fetches) if isinstance(x, Symbol)]
        self.block(Block(wanted[0].graph if wanted else None, inputs, wanted), "    ")
        self.ran = self.names["ran"] = [0] * len(self.blocks)
        self.run, self.source = self.function(name, arguments, [*self.lines, f"    return {self.text(fetches)}"])

    def write(self, indent, *lines):
        self.lines += [indent + line for line in lines]

    def block(self, block, indent):
        """Write a block; the words for its outputs."""
        if self.tally:
            self.write(indent, f"ran[{len(self.blocks)}] += 1")
        self.blocks.append(block)
        remembered = {x.inputs[0].number for x in block.order if x.op is HISTORY}
        for x in block.order:
            self.at[len(self.lines)] = x
            if isinstance(x.op, Control):
                write = self.branch if isinstance(x.op, Branch) else self.loop
                self.words[x] = write(x, indent, x.number in remembered)
            elif x.op in (PART, HISTORY):
                self.words[x] = self.words[x.inputs[0]][x.params.get("index", -1)]
            elif x.op is CONSTANT:
                self.words[x] = self.text(x.params["value"])
            else:
                text = self.expression(x)
                self.words[x] = self.fresh("v")
                self.write(indent, f"{self.words[x]} = {text}")
        return [self.words[y] for y in block.outputs]

    def loop(self, x, indent, remember):
        """A `while`, or a `for` over what a `while` has remembered; the words for its variables and its history."""
        op, inner = x.op, indent + "    "
        variables = [self.fresh("t" if op.backward else "v") for _ in op.variables]
        state = [self.fresh("v") for _ in op.state]
        self.words |= zip([*op.state, *op.variables], state + variables, strict=True)
        starts = x.inputs[op.backward :][: len(variables)]
        self.write(indent, *assign(variables, [self.words[a] for a in starts]))
        history = self.fresh("history") if remember else ""
        if remember:
            self.write(indent, f"{history} = []")
        if op.backward:
            self.write(indent, f"for {row(state)} in reversed({self.words[x.inputs[0]]}):")
        else:
            self.condition(op.blocks[0], indent)
        if remember:
            self.write(inner, f"{history}.append({row(variables)})")
        self.give(inner, variables, self.block(op.blocks[-1], inner))
        return [*variables, history]

    def condition(self, block, indent):
        """The head of a `while`: the condition in one line, if it is short."""
        if self.tally or len(block.order) > 3 or any(isinstance(x.op, Control) for x in block.order):
            self.write(indent, "while True:")
            (going,) = self.block(block, indent + "    ")
            self.write(indent + "    ", f"if not {going}:", "    break")
            return
        for x in block.order:
            text = self.text(x.params["value"]) if x.op is CONSTANT else self.expression(x)
            self.words[x] = f"({text})" if x.op.value in INFIX and x is not block.outputs[0] else text
        self.write(indent, f"while {self.words[block.outputs[0]]}:")

    def branch(self, x, indent, _):
        """An `if`; the words for its results."""
        names = [self.fresh("v") for _ in x.op.parts]
        for head, block in zip((f"if {self.words[x.inputs[0]]}:", "else:"), x.op.blocks, strict=True):
            self.write(indent, head)
            self.give(indent + "    ", names, self.block(block, indent + "    "))
        return names

    def give(self, indent, names, words):
        """Give the results of a piece their names; a single one that was just computed, in the line that did it."""
        pairs = [(name, word) for name, word in zip(names, words, strict=True) if name != word]
        if len(pairs) == 1 and self.lines[-1].startswith(f"{indent}{pairs[0][1]} = "):
            self.lines[-1] = self.lines[-1].replace(pairs[0][1], pairs[0][0], 1)
        else:
            self.write(indent, *(assign(names, words) or ["pass"]))

    def evaluations(self):
        """How often each operation was computed since `ran` was set to 0, and how many trips loops made."""
        counts, trips = Counter(), {}
        for n, block in zip(self.ran, self.blocks, strict=True):
            for x in block.order:
                counts[x.op.name] += n
                if isinstance(x.op, Loop):
                    trips[x.op.blocks[-1]] = "trip back" if x.op.backward else "trip"
            if block in trips:
                counts[trips[block]] += n
        return +counts

    def explained(self, error):
        """An error with a note on where it happened; a shape that does not fit is told in PyTorch's words."""
        step = error.__traceback__
        while step.tb_frame.f_code is not self.run.__code__:
            step = step.tb_next
        x, here = self.at.get(step.tb_lineno - 2), step.tb_frame.f_locals
        if x is None:
            return error
        known = lambda a: eval(self.words[a], self.names, here) if isinstance(a, Symbol) else a
        try:
            x.op.compute(each(known, x.inputs), each(known, x.params))
        except Exception as told:
            error = told
        error.add_note(f"This happened when {x!r} ran, in {x.graph.name}.")
        return error


def to_python(fetches, name="program"):
    """What a session does to compute `fetches`, as a Python function of the placeholders it needs.

    fetches  a Symbol, or nested lists, tuples and dicts of Symbols
    Returns a function whose attribute `source` is its text: straight-line NumPy, with Python's
    own `while` for a while_loop and `if` for a cond.

    >>> import chainrule.static as tf
    >>> with tf.Graph():
    ...     a = tf.placeholder(tf.float32, (), "a")
    ...     b = tf.while_loop(lambda b: tf.norm(b) < 1000, lambda b: b * 2, [a * 2])
    >>> print(to_python(b).source)
    def program(a):
        v1 = a * 2
        v2 = v1
        while cr.norm(v2) < 1000:
            v2 = v2 * 2
        return v2
    >>> to_python(b)(np.float32(0.25))
    np.float32(1024.0)
    """
    needed, _ = above(x for x in leaves(fetches) if isinstance(x, Symbol))
    program = Program([x for x in needed if x.op is PLACEHOLDER], fetches, name)
    program.run.source = program.source.rstrip()
    return program.run


def row(words):
    """A tuple in words.

    >>> row(["a", "b"]), row(["a"])
    ('(a, b)', '(a,)')
    """
    return f"({', '.join(words)}{',' * (len(words) == 1)})"


def assign(names, words):
    """`a, b = c, d`, without what would be `a = a`."""
    pairs = [(name, word) for name, word in zip(names, words, strict=True) if name != word]
    return [f"{', '.join(a for a, _ in pairs)} = {', '.join(b for _, b in pairs)}"] if pairs else []


class Session:
    """Runs what a graph describes. `with Session() as session:` is the usual form; leaving it closes nothing.

    graph        the graph it runs; the default graph if left out
    evaluations  after a run, how often each operation was computed, and how many trips loops made

    >>> import chainrule.static as tf
    >>> with tf.Graph(), Session() as session:
    ...     x = tf.placeholder(tf.float64, (), "x")
    ...     session.run(x * x, feed_dict={x: 3.0})
    np.float64(9.0)
    """

    def __init__(self, graph=None):
        self.graph = graph or get_default_graph()
        self.evaluations = Counter()
        self.programs = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Does nothing: a session holds nothing that must be let go."""

    def run(self, fetches, feed_dict=None):
        """The values of `fetches`, computing what they need and nothing else, each node once.

        fetches    a Symbol, or nested lists, tuples and dicts of Symbols
        feed_dict  a value for each placeholder that is needed

        Returns NumPy arrays and numbers, packed as `fetches`.

        Raises TypeError for what is not a Symbol and for a value of the wrong dtype; ValueError
        for a Symbol of another graph or of the inside of a loop or branch, for a placeholder
        without a value, and for a value of the wrong shape.
        """
        wanted = leaves(fetches)
        for x in wanted:
            self.check(x)
        feeds = {x: feed(x, value, self.graph) for x, value in (feed_dict or {}).items()}
        key = (*(x.number for x in wanted), "fed", *(x.number for x in feeds))
        if key not in self.programs:
            for x in above(wanted)[0]:
                if x.op is PLACEHOLDER and x not in feeds:
                    raise ValueError(missing(x))
            self.programs[key] = Program(list(feeds), wanted, tally=True)
        program = self.programs[key]
        program.ran[:] = [0] * len(program.ran)
        try:
            values = program.run(*feeds.values())
        except Exception as error:
            raise program.explained(error) from None
        self.evaluations = program.evaluations()
        return repack(fetches, [np.array(value)[()] for value in values])

    def check(self, x):
        """Refuse what this session cannot compute."""
        if not isinstance(x, Symbol):
            hint = ": gradients gives None for an x that no y depends on" if x is None else ""
            raise TypeError(f"a session runs Symbols (or lists, tuples and dicts of them), not {x!r}{hint}")
        if x.graph is not self.graph:
            raise ValueError(out_of_reach(x, self.graph))


def missing(x):
    name = x.params["name"]
    return (
        f"the placeholder {name!r} ({x.dtype}, shape {x.shape}) is needed, but has no value: "
        f"run(fetches, feed_dict={{{name}: ...}})"
    )


def feed(x, value, graph):
    """A value for the placeholder x, checked and copied."""
    if not isinstance(x, Symbol) or x.op is not PLACEHOLDER:
        raise TypeError(f"only placeholders are fed, not {x!r}: feed_dict={{placeholder: value}}")
    if x.graph is not graph:
        raise ValueError(out_of_reach(x, graph))
    if isinstance(value, Symbol):
        raise TypeError(
            f"the placeholder {x.params['name']!r} was fed {value!r}: feed numbers, as session.run gives them"
        )
    array = np.asarray(value)
    if not np.can_cast(array.dtype, x.dtype, "same_kind"):
        raise TypeError(f"the placeholder {x.params['name']!r} holds {x.dtype}, but was fed {array.dtype}")
    if not suits(array.shape, x.shape):
        raise ValueError(f"the placeholder {x.params['name']!r} has shape {x.shape}, but was fed shape {array.shape}")
    return number_or_array(fitting(array, x.dtype, f"the placeholder {x.params['name']!r}"))
