"""What the chapters share: colours, figures, tables, and the check of an exercise.

A chapter's own cells hold its idea. How a figure looks and how an answer is judged is the
same in every chapter, and stands here.
"""

import inspect
import io
import logging
import re
import textwrap

import numpy as np

from . import rules
from .methods import Methods

# One colour for one idea, in every chapter (after Okabe and Ito, safe for the colour-blind).
PRIMAL = "#0072B2"  # values
TANGENT = "#009E73"  # what forward mode carries
COTANGENT = "#D55E00"  # what reverse mode carries
OTHER = "#CC79A7"  # whatever is compared with these three
INK, FAINT = "#444444", "#999999"
LETTERS = {TANGENT: "#007A5A", COTANGENT: "#B84E00", OTHER: "#9C4A78"}  # darker, to be read as text

STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 13,
    "axes.titlesize": 13,
    "axes.labelsize": 13,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "axes.xmargin": 0.02,
}

# ---- figures


def figure(columns=1, *, width=6.4, height=3.8, log="", x="", y=""):
    """A figure in the book's style: `(fig, ax)`, or `(fig, (ax, ax, ...))` for several columns.

    log   which axes are logarithmic: "", "x", "y" or "xy"
    x, y  what the axes show

    >>> fig, ax = figure(log="y", x="step", y="loss")
    >>> ax.get_yscale(), ax.get_xlabel()
    ('log', 'step')
    """
    # A first import may build a cache of fonts, and would say so on the page.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    fig = Figure(figsize=(width, height), layout="constrained")
    axes = fig.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.set_xlabel(x)
        ax.set_ylabel(y)
        if "x" in log:
            ax.set_xscale("log")
        if "y" in log:
            ax.set_yscale("log")
    return fig, (axes[0] if columns == 1 else tuple(axes))


def curve(ax, x, y, label="", color=PRIMAL, at=-1, dx=6, dy=0, **style):
    """Draw a line whose name stands on it, in its colour, beside its point number `at`.

    dx, dy  how far from that point the name is, in points
    style   anything `ax.plot` takes: marker="o", linestyle="--"

    >>> fig, ax = figure()
    >>> line = curve(ax, [0, 1], [0, 2], "twice")
    >>> [text.get_text() for text in ax.texts]
    ['twice']
    """
    from matplotlib.patheffects import withStroke

    (line,) = ax.plot(x, y, color=color, **style)
    if label:
        ax.annotate(
            label,
            (x[at], y[at]),
            (dx, dy),
            textcoords="offset points",
            color=LETTERS.get(color, color),
            va="center",
            ha="left" if dx >= 0 else "right",
            annotation_clip=False,
            path_effects=[withStroke(linewidth=4, foreground="white")],
        )
    return line


class Picture:
    """A drawn figure and the words that say what is on it."""

    def __init__(self, png, alt, width):
        self.png, self.alt, self.width = png, alt, width

    def _repr_mimebundle_(self, include=None, exclude=None):
        # No height: on a narrow screen the width gives way, and the height must follow.
        size = {"alt": self.alt, "width": self.width}
        return {"image/png": self.png, "text/plain": self.alt}, {"image/png": size}

    def __repr__(self):
        return self.alt


def show(fig, alt):
    """Show `fig` on the page. `alt` says in words what it shows, made from the data drawn.

    >>> fig, ax = figure()
    >>> show(fig, alt="An empty pair of axes.")
    An empty pair of axes.
    """
    from IPython.display import display

    display(picture(fig, alt))


def picture(fig, alt):
    """`fig` as a `Picture`, for whoever does not want to show it at once."""
    words = " ".join(alt.split())
    if not words:
        raise ValueError("a figure needs a text alternative: alt='what it shows, in words'")
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return Picture(buffer.getvalue(), words, round(100 * fig.get_figwidth()))


def matrices(*parts):
    """Matrices side by side, every number in a cell of its own, so that shapes can be seen.

    parts  (name, numbers, colour) for a matrix, and signs such as "=" between them

    >>> matrices(("a", [[1, 2]], PRIMAL), "=", ("b", [[1], [2]], TANGENT))
    a, 1 x 2: [[1, 2]] = b, 2 x 1: [[1], [2]].
    """
    from matplotlib.patches import Rectangle

    drawn = [part if isinstance(part, str) else (part[0], np.array(plain(part[1])), part[2]) for part in parts]
    # In units of one cell: a matrix takes its columns, or what its name needs.
    widths = [1 if isinstance(part, str) else max(part[1].shape[1], 0.17 * len(part[0])) for part in drawn]
    height = max(part[1].shape[0] for part in drawn if not isinstance(part, str))
    fig, ax = figure(width=0.56 * sum(widths), height=0.56 * (height + 0.9))
    ax.set(xlim=(-0.05, sum(widths) + 0.05), ylim=(-height / 2 - 0.05, height / 2 + 0.85), aspect="equal")
    ax.axis("off")
    words = []
    for part, width, end in zip(drawn, widths, np.cumsum(widths), strict=True):
        middle = end - width / 2
        if isinstance(part, str):
            ax.text(middle, 0, part, ha="center", va="center", fontsize=16)
            words.append(part)
            continue
        name, numbers, color = part
        m, n = numbers.shape
        ax.text(middle, m / 2 + 0.2, name, color=color, ha="center", va="bottom")
        for i, j in np.ndindex(m, n):
            left, low = middle - n / 2 + j, m / 2 - i - 1
            ax.add_patch(Rectangle((left, low), 1, 1, facecolor=color + "22", edgecolor=color))
            ax.text(left + 0.5, low + 0.5, f"{numbers[i, j]:g}", ha="center", va="center")
        rows = ", ".join("[" + ", ".join(f"{v:g}" for v in row) + "]" for row in numbers)
        words.append(f"{name}, {m} x {n}: [{rows}]")
    return picture(fig, " ".join(words) + ".")


# ---- tables


class Table:
    """Rows under a heading, as a table on a page and as aligned text in a terminal.

    >>> Table(["h", "error"], [["0.1", 0.831], ["0.01", 0.0801]])
    h    | error
    0.1  | 0.831
    0.01 | 0.0801
    """

    def __init__(self, head, rows):
        self.head = [str(cell) for cell in head]
        self.rows = [[text(cell) for cell in row] for row in rows]

    def __repr__(self):
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            " | ".join(cell.ljust(n) for cell, n in zip(line, widths, strict=True)).rstrip() for line in lines
        )

    def _repr_html_(self):
        from html import escape

        head = "".join(f'<th scope="col">{escape(cell)}</th>' if cell else "<td></td>" for cell in self.head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return (
            f'<table class="dataframe"><thead><tr>{head}</tr></thead>\n<tbody>{body.replace("<tr>", chr(10) + "<tr>")}'
            "\n</tbody></table>"
        )


def table(head, rows):
    """A `Table`: the last expression of a cell shows it.

    head  the names of the columns
    rows  lists of cells; numbers are shown with at most six digits
    """
    return Table(head, rows)


# ---- exercises


def check(answer, want=None, *, that=None, inputs=None, wrong=None, hint="", rtol=1e-9):
    """Say whether an exercise's `answer` is right, and if not, what is wrong with it.

    answer  a value (number, array, tensor, text, list or dict of these) or a function;
            None or `...`, or a function that returns one of them, is no answer yet
    want    the right value; or, for a function, a function to compare it with
    that    instead of `want`: a function that is given the answer and returns True if it is
            right, None if it is no answer yet, else a text that says what is wrong (or False)
    inputs  the points at which functions are compared: a list of tuples of arguments, or a
            function of a random generator that returns such a tuple; by default every
            argument is a number between 0.5 and 2, drawn 20 times
    wrong   misconceptions by the message that answers them: {"the message": the wrong value,
            or the wrong function; for a value also a function that recognises it}
    hint    what to say to a wrong answer that is none of these
    rtol    how far from `want`, relatively, is still right

    Prints one line, or two with the hint. The same answer always prints the same.

    >>> check(None, 15.0)
    Not answered yet.
    >>> check(15.0, 15.0)
    Right.
    >>> check(13.0, 15.0, wrong={"The term -5x gives -5, not -7.": 13.0})
    Not yet. The term -5x gives -5, not -7.
    >>> check(14.0, 15.0, hint="Use the product rule.")
    Not yet. Got 14.0, which is too small.
    Use the product rule.
    >>> check(lambda x: 2 * x, lambda x: x**2, inputs=[(3.0,)])
    Not yet. At x = 3.0: got 6.0, wanted 9.0.
    >>> check([3, 1, 2], that=lambda order: order == sorted(order) or "3 comes before 1.")
    Not yet. 3 comes before 1.
    """
    if unanswered(answer):
        print("Not answered yet.")
    elif that is not None:
        try:
            verdict = that(answer)
        except Exception as error:
            verdict = f"{type(error).__name__}: {error}"
        if not isinstance(verdict, str | None):
            verdict = bool(verdict) or f"Got {brief(answer)}."
        say(verdict, "" if verdict is None else hint)
    elif callable(want):
        say(*judge_function(answer, want, inputs, wrong or {}, hint, rtol))
    else:
        say(*judge_value(answer, want, wrong or {}, hint, rtol))


def say(verdict, hint=""):
    """Print a verdict: True is right, None is no answer, a text is what is wrong."""
    if verdict is None:
        print(" ".join(filter(None, ["Not answered yet.", hint])))
    else:
        print("Right." if verdict is True else "\n".join(filter(None, [f"Not yet. {verdict}", hint])))


def judge_value(answer, want, wrong, hint, rtol):
    """The verdict on a value, and the hint that goes with it."""
    if same(answer, want, rtol):
        return True, ""
    for message, mistake in wrong.items():
        if mistake(answer) if callable(mistake) else same(answer, mistake, rtol):
            return message, ""
    if callable(answer):
        return "Got a function, wanted a value: call it.", hint
    return f"Got {brief(answer)}{compared(answer, want, rtol)}.", hint


def judge_function(answer, want, inputs, wrong, hint, rtol):
    """The verdict on a function, and the hint that goes with it."""
    if not callable(answer):
        return f"Got {brief(answer)}, wanted a function.", hint
    names = list(inspect.signature(want).parameters)
    points = draw_points(len(names), inputs)
    told = ["At " + ", ".join(f"{n} = {text(x)}" for n, x in zip(names, p, strict=False)) for p in points]
    got = []
    for point, where in zip(points, told, strict=True):
        try:
            got.append(answer(*point))
        except Exception as error:
            return f"{where}: {type(error).__name__}: {error}", hint
    if all(y is None for y in got):
        return None, "The function returned nothing."
    if all(map(unanswered, got)):
        return None, ""
    wanted = [want(*point) for point in points]
    right = [same(y, w, rtol) for y, w in zip(got, wanted, strict=True)]
    if all(right):
        return True, ""
    for message, mistake in wrong.items():
        if all(same(y, mistake(*point), rtol) for y, point in zip(got, points, strict=True)):
            return message, ""
    first = right.index(False)
    y = "nothing" if unanswered(got[first]) else brief(got[first])
    return f"{told[first]}: got {y}, wanted {brief(wanted[first])}.", hint


def draw_points(count, inputs=None):
    """The tuples of arguments at which two functions of `count` arguments are compared."""
    if inputs is not None and not callable(inputs):
        return [point if isinstance(point, tuple) else (point,) for point in inputs]
    inputs = inputs or (lambda rng: tuple(round(float(x), 2) for x in rng.uniform(0.5, 2.0, count)))
    rng = np.random.default_rng(1)
    return [inputs(rng) for _ in range(20)]


def plain(value):
    """A tensor of either engine as an array; lists of numbers, too; anything else as it is."""
    if hasattr(value, "detach"):
        value = value.detach()
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, tuple | list):
        parts = [plain(part) for part in value]
        if all(isinstance(part, int | float | complex | np.ndarray | np.number) for part in parts):
            try:
                return np.array(parts)
            except ValueError:
                return parts
        return parts
    if hasattr(value, "__float__") and not isinstance(value, int | float | np.ndarray | np.generic):
        try:
            return float(value)  # a fraction, a number of SymPy's
        except TypeError:
            return value
    return value


def unanswered(answer):
    """Whether `answer` is still the stub: None, `...`, or a list that holds one of them."""
    if isinstance(answer, tuple | list):
        return any(map(unanswered, answer))
    return answer is None or answer is ...


def same(a, b, rtol):
    """Whether two answers agree: numbers up to rounding, anything else exactly."""
    a, b = plain(a), plain(b)
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(same(a[k], b[k], rtol) for k in b)
    if isinstance(b, list):
        return isinstance(a, list) and len(a) == len(b) and all(map(same, a, b, [rtol] * len(b)))
    if not (is_number(a) and is_number(b)):
        return type(a) is type(b) and a == b
    if getattr(a, "dtype", None) in (np.float32, np.float16):
        rtol = max(rtol, 10 * np.finfo(a.dtype).eps)  # a right answer in few digits is right
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol, rtol * np.max(np.abs(b), initial=0), equal_nan=True)


def is_number(x):
    return isinstance(x, int | float | complex | np.number | np.ndarray) and np.asarray(x).dtype.kind in "biufc"


def compared(answer, want, rtol):
    """What is wrong with a value, without giving the right one away."""
    answer, want = plain(answer), plain(want)
    if not is_number(want):
        return ""
    if not is_number(answer):
        return ", wanted a number" if np.ndim(want) == 0 else ", wanted an array"
    if np.shape(answer) != np.shape(want):
        return f", of shape {np.shape(answer)}: wanted shape {np.shape(want)}"
    if np.asarray(want).dtype.kind not in "iuf":
        return ""
    if not np.all(np.isfinite(answer)):
        return ", which is not a number" if np.ndim(want) == 0 else ", of which not every entry is a number"
    if np.ndim(want) == 0:
        return f", which is too {'small' if answer < want else 'large'}"
    index = next(i for i in np.ndindex(np.shape(want)) if not same(answer[i], want[i], rtol))
    entry = f"[{', '.join(map(str, index))}]"
    return f", of which entry {entry} is too {'small' if answer[index] < want[index] else 'large'}"


def text(x):
    """`x` as it is told to a reader: at most six digits, the same on every machine.

    >>> text(0.1 + 0.2), text(np.float32(15.0)), text(1e-300), text([1, 2.5])
    ('0.3', '15.0', '1e-300', '[1.0, 2.5]')
    """
    x = plain(x)
    if isinstance(x, str):
        return x
    if callable(x):
        name = getattr(x, "__name__", type(x).__name__)
        return "a function" if name == "<lambda>" else name
    if isinstance(x, list):
        return "[" + ", ".join(map(text, x)) + "]"
    if isinstance(x, dict):
        return "{" + ", ".join(f"{text(k)}: {text(v)}" for k, v in x.items()) + "}"
    if isinstance(x, np.ndarray) and x.ndim:
        return "[" + ", ".join(map(text, x)) + "]"
    if isinstance(x, float | np.floating) or (isinstance(x, np.ndarray) and x.dtype.kind == "f"):
        digits = f"{float(x):.6g}"
        return digits if set(digits) & set(".en") else digits + ".0"
    return str(x)


def brief(x):
    """`x` as in `text`, cut where it gets too long for a line or two."""
    words = text(x)
    return words if len(words) <= 120 else words[:117] + "..."


# ---- operations, counted


class Counted(Methods):
    """A value that passes every operation on, and notes in `done` how many numbers it took to compute."""

    def __init__(self, array, done):
        self.array, self.done = array, done
        self.shape, self.ndim, self.dtype = array.shape, array.ndim, array.dtype

    def apply(self, op, inputs, params):
        values = [x.array if isinstance(x, Counted) else x for x in inputs]
        y = op(*values, **params)
        self.done.append(work(op, values, y))
        return Counted(y, self.done)


def work(op, values, y):
    """How many numbers were computed: one for a multiplication in a product of matrices, none for a move."""
    if op.view:
        return 0
    if op.value is np.matmul:
        return y.size * values[0].shape[-1]
    return max(np.size(value) for value in (y, *values))


def count(run, *inputs):
    """The cost of a run: how many numbers are computed in it. Chapter 6 builds this, and looks inside.

    >>> count(lambda x: (x * x).sin(), np.ones(3))
    6
    >>> count(lambda A, x: A @ x, np.ones((2, 3)), np.ones(3))
    6
    """
    done: list[int] = []
    run(*(Counted(np.asarray(x, float)[()], done) for x in inputs))
    return sum(done)


# ---- code that is read from the engine


class Source:
    """Lines of Python, coloured on a page, plain in a terminal."""

    def __init__(self, lines):
        self.lines = lines

    def __repr__(self):
        return "\n".join(self.lines)

    def _repr_markdown_(self):
        return f"```python\n{self!r}\n```"


def source(thing, first="", last=None):
    """The source of a function, class or module, as it is installed.

    first, last  show the lines from the one that begins with `first` to the one before that
                 which begins with `last`; by default all of them

    >>> source(show, "def", "    ")
    def show(fig, alt):
    """
    lines = inspect.getsource(thing).splitlines()
    start = next(i for i, line in enumerate(lines) if line.lstrip().startswith(first))
    end = len(lines) if last is None else next(i for i in range(start + 1, len(lines)) if begins(lines[i], last))
    return Source(textwrap.dedent("\n".join(lines[start:end])).strip("\n").splitlines())


def begins(line, start):
    return line.startswith(start) or line.lstrip().startswith(start)


def rows(*names):
    """Rows of the table of operations, as they stand in `chainrule.rules`, without the padding.

    >>> rows("log", "logsumexp")
    log = elementwise("Log", np.log, lambda t, x: t / x)
    logsumexp = reduction("Logsumexp", log_of_sum,
        lambda x, y: np.exp(x - y), sum)
    """
    found = re.findall(r"^((\w+) += .*(?:\n  .*)*)", inspect.getsource(rules), re.MULTILINE)
    table = {name: re.sub(r"(?<=\S) {2,}", " ", row).splitlines() for row, name in found}
    lines = [re.sub("^ +", "    ", line) for name in names for line in table[name]]
    return Source([part for line in lines for part in folded(line)])


def folded(line, width=88):
    """A row in lines of at most `width` columns, where a rule can begin a line.

    >>> folded("mul = elementwise(operator.mul, lambda t, b: t * b, lambda t, a: t * a)", 60)
    ['mul = elementwise(operator.mul, lambda t, b: t * b,', '    lambda t, a: t * a)']
    """
    if len(line) <= width:
        return [line]
    first, rule, rest = line[:width].rpartition(", lambda ")
    return [f"{first},", *folded(f"    lambda {rest}{line[width:]}", width)] if rule else [line]
