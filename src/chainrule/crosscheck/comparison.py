"""Two results of the same computation, side by side, in words that no machine changes.

The last digit of sin(2) depends on the processor. A table that is stored in a notebook and
compared on other machines must not show it: it gives 6 digits, and differences in classes.
"""

import html

import numpy as np

# How far two engines may differ by default: relative, absolute. Other dtypes: not at all.
TOLERANCES = {
    np.dtype(np.float64): (1e-10, 1e-12),
    np.dtype(np.float32): (1e-5, 1e-6),
    np.dtype(np.float16): (1e-2, 1e-3),
}
FEW_ULPS = 4


class Row:
    """One quantity as both engines found it: arrays, or None where no gradient came."""

    def __init__(self, name, ours, theirs, rtol=None, atol=None, coarsest=None):
        self.name, self.ours, self.theirs = name, ours, theirs
        r, a = tolerance(ours, coarsest)
        self.rtol, self.atol = r if rtol is None else rtol, a if atol is None else atol

    @property
    def same_kind(self) -> bool:
        """Whether both are there, of the same shape and dtype (or neither is)."""
        if self.ours is None or self.theirs is None:
            return self.ours is self.theirs
        return self.ours.shape == self.theirs.shape and self.ours.dtype == self.theirs.dtype

    @property
    def agrees(self) -> bool:
        """Whether |ours - theirs| <= atol + rtol |theirs| everywhere; nan agrees with nan."""
        if not self.same_kind or self.ours is None:
            return self.same_kind
        return bool(np.allclose(self.ours, self.theirs, self.rtol, self.atol, equal_nan=True))

    @property
    def exact(self) -> bool:
        """Whether all bits agree (all nans count as one)."""
        return self.same_kind and (self.ours is None or same_bits(self.ours, self.theirs))

    @property
    def difference(self) -> str:
        """The class of the largest difference."""
        if not self.same_kind:
            return "not comparable"
        return "" if self.ours is None else class_of(self.ours, self.theirs)

    def cells(self):
        """The row of the table, in words."""
        return self.name, self.shown(self.ours), self.shown(self.theirs), self.difference

    def shown(self, array):
        """`array` with 6 digits; where only noise is left of a number, without the noise."""
        if array is None:
            return "no gradient"
        if self.same_kind and array.dtype.kind == "f":
            noisy = ulps(self.ours, self.theirs) > FEW_ULPS
            array = np.where(noisy & (np.abs(array) <= self.atol), 0, array)
        return digits(array)

    def complaint(self):
        """The row in full, for an error message."""
        lines = [f"{self.name}:", f"    chainrule   {exactly(self.ours)}", f"    PyTorch     {exactly(self.theirs)}"]
        if not self.same_kind:
            kinds = " and ".join(kind_of(a) for a in (self.ours, self.theirs))
            return "\n".join([*lines, f"    of kinds    {kinds}"])
        where, d = worst(self.ours, self.theirs)
        place = f" at index {where}, {self.ours[where]} against {self.theirs[where]}" if where else ""
        allowed = f"{self.atol:g} + {self.rtol:g} * |PyTorch's|"
        return "\n".join([*lines, f"    difference  {d:.3g}{place}", f"    allowed     {allowed}"])


def tolerance(array, coarsest=None):
    """What a difference may be: by the dtype of `array`, or by a coarser one that it was computed from."""
    own = None if array is None else array.dtype
    if own is None or own.kind != "f":
        return 0.0, 0.0
    return max(TOLERANCES.get(own, (0.0, 0.0)), TOLERANCES.get(coarsest, (0.0, 0.0)))


def same_bits(a, b):
    """Whether two arrays of one dtype hold the same bits; all nans count as one, 0 and -0 as two."""
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return bool(np.all((a == b) & (np.signbit(a) == np.signbit(b)) | np.isnan(a) & np.isnan(b)))


def ulps(a, b):
    """|a - b| in units in the last place of b; 0 for equals, nan next to nan included."""
    with np.errstate(all="ignore"):
        distance = np.abs(a - b) / np.spacing(np.abs(b))
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


def is_round(a):
    """Whether every number has so few binary digits that arithmetic on any machine gave just this one."""
    bits = 24 if a.dtype == np.float64 else 12
    mantissa = np.frexp(np.where(np.isfinite(a), a, 0))[0] * 2.0**bits
    return bool(np.all(mantissa == np.round(mantissa)))


def class_of(a, b):
    """The largest difference of two arrays, as a class that does not hang on the last digit.

    >>> class_of(np.array(0.1 + 0.2), np.array(0.3))
    'within 4 ulp'
    """
    if a.dtype.kind != "f":
        return "equal" if np.array_equal(a, b) else "different"
    if same_bits(a, b) and is_round(a):
        return "equal"
    if np.max(ulps(a, b), initial=0) <= FEW_ULPS:
        return f"within {FEW_ULPS} ulp"
    scale = max(1.0, float(np.max(np.abs(b[np.isfinite(b)]), initial=0)))
    _, d = worst(a, b)
    return next((f"< {bound:g}" for bound in ladder(a.dtype) if d < bound * scale), f"{d:.0e}")


def ladder(dtype):
    """The bounds of the classes, widening by 100."""
    lowest = -12 if dtype == np.float64 else -6
    return [10.0**k for k in range(lowest, 0, 2)]


def worst(a, b):
    """Where two arrays differ most, and by how much."""
    with np.errstate(all="ignore"):
        d = np.abs(np.asarray(a, float) - np.asarray(b, float))
    d = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.where(np.isnan(d), np.inf, d))
    where = tuple(int(i) for i in np.unravel_index(np.argmax(d), d.shape)) if d.size else ()
    return where, float(np.max(d, initial=0))


def digits(array):
    """The numbers of a small array with 6 digits; of a large one its shape, the first and the last.

    >>> digits(np.array([1.0, 2 / 3]))
    '[1, 0.666667]'
    """
    spell = "{:.6g}".format if array.dtype.kind == "f" else str
    array = array + 0 if array.dtype.kind == "f" else array  # -0 + 0 is 0
    if array.size > 6:
        flat = array.reshape(-1)
        few = ", ".join(spell(x) for x in flat[:3])
        return f"{'x'.join(map(str, array.shape))}: {few}, ..., {spell(flat[-1])}"
    text = np.array2string(array, separator=", ", max_line_width=10**6, formatter={"all": spell})
    return " ".join(text.split())


def exactly(x):
    """Every digit, for error messages; of a large array the shape, the first and the last numbers."""
    if x is None:
        return "no gradient"
    x = np.asarray(x)
    flat = x.reshape(-1)
    if x.size > 6:
        body = f"{'x'.join(map(str, x.shape))}: {', '.join(map(str, flat[:3]))}, ..., {flat[-1]!s}"
    else:
        body = " ".join(np.array2string(x, separator=", ", max_line_width=10**6, floatmode="unique").split())
    return body if x.dtype in (np.float64, np.int64, np.bool_) else f"{body} ({x.dtype})"


def kind_of(array):
    return "no gradient" if array is None else f"{array.dtype} of shape {array.shape}"


def text_table(cells, notes):
    """Rows of words as a table for the terminal."""
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*lines, *notes])


def html_table(cells, notes):
    """Rows of words as a table for a page."""
    head, *rows = [[html.escape(cell) for cell in row] for row in cells]
    lines = ["<table>", row_of("th", head), *(row_of("td", row) for row in rows), "</table>"]
    return "\n".join([*lines, *(f"<p>{html.escape(note)}</p>" for note in notes)])


def row_of(tag, cells):
    first, *others = cells
    name = f"<th>{first}</th>" if first else "<td></td>"
    return f"<tr>{name}{''.join(f'<{tag}>{cell}</{tag}>' for cell in others)}</tr>"
