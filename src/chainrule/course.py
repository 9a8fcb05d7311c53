"""What the chapters share: colours, figures, tables, and the check of an exercise.

A chapter's own cells hold its idea. How a figure looks and how an answer is judged is the
same in every chapter, and stands here.
"""

import inspect
import logging

import numpy as np

# One colour for one idea, in every chapter (after Okabe and Ito, safe for the colour-blind).
PRIMAL = "#0072B2"  # values
TANGENT = "#009E73"  # what forward mode carries
COTANGENT = "#D55E00"  # what reverse mode carries
OTHER = "#CC79A7"  # whatever is compared with these three
INK, FAINT = "#444444", "#999999"

STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
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
    (line,) = ax.plot(x, y, color=color, **style)
    if label:
        ax.annotate(
            label,
            (x[at], y[at]),
            (dx, dy),
            textcoords="offset points",
            color=color,
            va="center",
            ha="left" if dx >= 0 else "right",
            annotation_clip=False,
        )
    return line


class Picture:
    """A drawn figure and the words that say what is on it."""

    def __init__(self, png, alt, width, height):
        self.png, self.alt, self.width, self.height = png, alt, width, height

    def _repr_mimebundle_(self, include=None, exclude=None):
        size = {"alt": self.alt, "width": self.width, "height": self.height}
        return {"image/png": self.png, "text/plain": self.alt}, {"image/png": size}

    def __repr__(self):
        return self.alt


def show(fig, alt):
    """Show `fig` on the page. `alt` says in words what it shows, made from the data drawn.

    >>> fig, ax = figure()
    >>> show(fig, alt="An empty pair of axes.")
    An empty pair of axes.
    """
    import io

    from IPython.display import display

    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    width, height = (round(100 * inches) for inches in fig.get_size_inches())
    display(Picture(buffer.getvalue(), " ".join(alt.split()), width, height))


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

        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.head)
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

    answer  a value (number, array, tensor, text, list of these) or a function;
            None or `...`, or a function that returns one of them, is no answer yet
    want    the right value; or, for a function, a function to compare it with
    that    instead of `want`: a function that is given the answer and returns True if it is
            right, or else a text that says what is wrong (or False)
    inputs  the points at which functions are compared: a list of tuples of arguments, or a
            function of a random generator that returns such a tuple; by default 20 draws of
            numbers between 0.5 and 2
    wrong   misconceptions by the message that answers them: {"the message": the wrong value,
            or the wrong function, or for a value a function that recognises it}
    hint    what to say to a wrong answer that is none of these
    rtol    how far from `want` is still right

    Prints one line, or two. The same answer always prints the same.

    >>> check(None, 15.0)
    Not answered yet.
    >>> check(15.0, 15.0)
    Right.
    >>> check(13.0, 15.0, wrong={"The derivative of -5x is -5, not -7.": 13.0})
    Not yet. The derivative of -5x is -5, not -7.
    >>> check(14.0, 15.0, hint="Use the product rule.")
    Not yet. Got 14.0: too small.
    Use the product rule.
    >>> check(lambda x: 2 * x, lambda x: x**2, inputs=[(3.0,)])
    Not yet. At x = 3.0: got 6.0, wanted 9.0.
    >>> check([3, 1, 2], that=lambda order: order == sorted(order) or "3 comes before 1.")
    Not yet. 3 comes before 1.
    """
    if unanswered(answer):
        print("Not answered yet.")
    elif that is not None:
        verdict = that(answer)
        say("" if verdict is True else verdict or f"Got {text(answer)}.", hint)
    elif callable(want):
        say(*judge_function(answer, want, points(want, inputs), wrong or {}, hint, rtol))
    else:
        say(*judge_value(answer, want, wrong or {}, hint, rtol))


def say(fault, hint=""):
    """Print the verdict; no fault means right."""
    print("\n".join(filter(None, [f"Not yet. {fault}", hint])) if fault else "Right.")


def judge_value(answer, want, wrong, hint, rtol):
    """The fault of a value (empty if there is none), and a hint."""
    if same(answer, want, rtol):
        return "", ""
    for message, mistake in wrong.items():
        if mistake(answer) if callable(mistake) else same(answer, mistake, rtol):
            return message, ""
    if callable(answer):
        return "Got a function, wanted a value: call it.", hint
    return f"Got {text(answer)}{compared(answer, want, rtol)}.", hint


def judge_function(answer, want, points, wrong, hint, rtol):
    """The fault of a function (empty if there is none), and a hint."""
    if not callable(answer):
        return f"Got {text(answer)}, wanted a function.", hint
    names = list(inspect.signature(want).parameters)
    got = []
    for point in points:
        where = "At " + ", ".join(f"{n} = {text(x)}" for n, x in zip(names, point, strict=False))
        try:
            got.append(answer(*point))
        except Exception as error:
            return f"{where}: {type(error).__name__}: {error}.", hint
        if unanswered(got[-1]):
            return f"{where}: nothing was returned.", hint
    for message, mistake in wrong.items():
        if all(same(y, mistake(*point), rtol) for y, point in zip(got, points, strict=True)):
            # A misconception may agree with the right answer at every point drawn: then it is right.
            if not all(same(y, want(*point), rtol) for y, point in zip(got, points, strict=True)):
                return message, ""
    for y, point in zip(got, points, strict=True):
        wanted = want(*point)
        if not same(y, wanted, rtol):
            where = "At " + ", ".join(f"{n} = {text(x)}" for n, x in zip(names, point, strict=False))
            return f"{where}: got {text(y)}, wanted {text(wanted)}.", hint
    return "", ""
