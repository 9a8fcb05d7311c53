"""PyTorch's own test cases, run on both engines.

PyTorch tests its operations with a database of samples (OpInfo). Every entry whose function
our public face has is run here: each sample's value, reverse mode, forward mode and second
order in float64; value and reverse mode again in float32, on memory with gaps, and on the
database's reference inputs (broadcasting, zero-size, huge, inf, nan); and its wrong inputs,
which must raise what PyTorch raises. PyTorch is the oracle: no sample and no expected number
was written by us.
"""

import warnings
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from unittest.mock import patch

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import chainrule as cr
from chainrule.tape import tensor_of

from .exceptions import IGNORED, LEFT_OUT, REASONS, SAMPLES, SLOW, SPELLING, WRONG, matches, reasons_for

with warnings.catch_warnings():  # when first used, PyTorch's forward mode warns about PyTorch's own code
    warnings.simplefilter("ignore")
    torch.func.jvp(torch.sin, (torch.ones(()),), (torch.ones(()),))

# Where samples come from, and what is checked on them.
ALL = ("value", "reverse", "forward", "second")
SOURCES = {"float64": ALL, "float32": ALL[:2], "strided": ALL[:2], "reference": ALL[:2], "wrong": ("error", "words")}

# Reference inputs with more numbers than this (a few of a million) test how memory is walked through.
MOST_NUMBERS = 10_000

# Relative and absolute tolerance; the absolute one is in units of the largest number.
TOLERANCE = {np.dtype("float64"): (1e-9, 1e-11), np.dtype("float32"): (2e-4, 2e-5)}

DTYPES = {
    getattr(torch, name): np.dtype(name)
    for name in "float64 float32 float16 int64 int32 int16 int8 uint8 bool complex128 complex64".split()
}


@dataclass
class Report:
    """What came of one entry: its samples, the checks that passed and those excepted, the failures in words."""

    name: str
    samples: Counter = field(default_factory=Counter)
    passed: Counter = field(default_factory=Counter)
    excepted: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)

    @property
    def clean(self):
        """Whether every sample passed every check with no exception, but for the words of errors."""
        excused = sum(n for (source, _), n in self.excepted.items() if source != "wrong")
        return not self.failures and not excused and sum(self.passed.values()) > 0


def full_name(entry):
    return entry.name + (f" ({entry.variant_test_name})" if entry.variant_test_name else "")


def entries():
    """The entries of the database that our public face covers, as pairs (entry, our function)."""
    for entry in sorted(op_db, key=lambda e: (e.name, e.variant_test_name)):
        ours = function_for(entry.name)
        if ours is not None and entry.supports_dtype(torch.float64, "cpu") and full_name(entry) not in LEFT_OUT:
            yield entry, ours


def function_for(name):
    """Our function for an entry of the database: the one that bears its name."""
    if name in SPELLING:
        return SPELLING[name]
    *space, last = name.split(".")
    if last.startswith("_") or space not in ([], ["special"], ["linalg"], ["nn", "functional"]):
        return None
    home = getattr(cr, space[0]) if space else cr
    return getattr(home, last, None) or (None if space else getattr(cr.Tensor, last, None))


def run(entry, ours, sources=tuple(SOURCES), most=None):
    """Every sample of one entry (or the first `most`) from each of the sources, through every check that PyTorch
    supports for it.
    """
    report, reasons = Report(full_name(entry)), reasons_for(full_name(entry))
    no_cuda = patch("torch.cuda.manual_seed_all")  # it formats a traceback for each of ten thousand calls
    with warnings.catch_warnings(), np.errstate(all="ignore"), no_cuda:
        warnings.simplefilter("ignore")
        for source in sources:
            for i, sample in enumerate(islice(samples(entry, source), most)):
                report.samples[source] += 1
                trial = (Wrong if source == "wrong" else Trial)(entry, ours, sample)
                for kind in SOURCES[source]:
                    if trial.supported(kind):
                        judge(report, reasons, source, kind, i, trial)
    return report


def samples(entry, source):
    """The database's samples, always the same ones."""
    torch.manual_seed(0)
    np.random.seed(0)
    wants = entry.supports_autograd
    if source == "wrong":
        return [error for error in entry.error_inputs("cpu") if wrong_here(error)] if entry.error_inputs_func else []
    if source == "reference":
        runs = entry.reference_inputs_func and not matches(full_name(entry), SLOW)
        found = entry.reference_inputs("cpu", torch.float64) if runs else ()
        return [asking(sample, wants) for sample in found if numbers_in(sample) <= MOST_NUMBERS]
    if source == "float32" and not entry.supports_dtype(torch.float32, "cpu"):
        return []
    found = entry.sample_inputs("cpu", torch.float32 if source == "float32" else torch.float64, requires_grad=wants)
    return (sample.noncontiguous() for sample in found) if source == "strided" else found


def asking(sample, wants):
    """A reference input with gradients asked for: PyTorch makes them without, and some as views of others."""
    leaf = lambda x: x.detach().requires_grad_(wants and x.is_floating_point()) if isinstance(x, torch.Tensor) else x
    sample.input, sample.args = leaf(sample.input), tuple(map(leaf, sample.args))
    return sample


def numbers_in(sample):
    return sum(x.numel() for x in (sample.input, *sample.args) if isinstance(x, torch.Tensor))


def judge(report, reasons, source, kind, i, trial):
    """Do one check. A check that an exception speaks of must fail, any other must pass."""
    reason = next((r for r in reasons if r.covers(source, kind, trial)), None)
    try:
        getattr(trial, kind)()
        outcome = None
    except OracleError:
        report.excepted[source, kind] += 1
        return
    except Exception as error:
        outcome = f"{type(error).__name__}: {str(error)[:400]}"
    if reason is not None and (outcome is not None or reason.wavering):
        report.excepted[source, kind] += 1
        reason.used += 1
    elif reason is not None:
        where = f"{source} {kind} {i} {described(trial.sample)}"
        report.failures.append(f"{where}: passes, although it is an exception: {reason.why}")
    elif outcome is None:
        report.passed[source, kind] += 1
    else:
        report.failures.append(f"{source} {kind} {i} {described(trial.sample)}: {outcome}")


def described(sample):
    """A sample in a few words: shapes for tensors."""

    def text(x):
        if isinstance(x, torch.Tensor):
            return (
                f"{tuple(x.shape)}"
                if x.dtype.is_floating_point
                else f"{x.dtype} {tuple(x.shape)}".removeprefix("torch.")
            )
        return f"[{', '.join(map(text, x))}]" if isinstance(x, list | tuple) else repr(x)[:60]

    named = [f"{name}={text(value)}" for name, value in sample.kwargs.items()]
    return f"({', '.join([text(sample.input), *map(text, sample.args), *named])})"[:160]


# ---- from PyTorch's values to ours and back


def translated(x, leaves):
    """`x` for PyTorch and for us. Tensors become leaves on the same memory, noted in `leaves`."""
    if isinstance(x, torch.Tensor):
        if id(x) not in leaves:
            theirs = x.detach().resolve_conj().resolve_neg()
            values = theirs.numpy()
            ours = tensor_of(values) if values.ndim else cr.tensor(values)
            ours.requires_grad_(x.requires_grad and x.is_floating_point())
            leaves[id(x)] = theirs.requires_grad_(x.requires_grad), ours, x
        return leaves[id(x)][:2]
    if isinstance(x, dict):
        pairs = {name: translated(value, leaves) for name, value in x.items()}
        return {n: p for n, (p, _) in pairs.items()}, {n: q for n, (_, q) in pairs.items() if n not in IGNORED}
    if isinstance(x, list | tuple):
        pairs = [translated(item, leaves) for item in x]
        return type(x)([p for p, _ in pairs]), (list if isinstance(x, list) else tuple)([q for _, q in pairs])
    return x, DTYPES.get(x, x) if isinstance(x, torch.dtype) else x


def tensors(result):
    """The tensors of a result, in order."""
    if isinstance(result, tuple | list):
        return [y for part in result for y in tensors(part)]
    return [result]


def array(x):
    if isinstance(x, torch.Tensor):
        return x.detach().numpy(force=True)
    return x.detach().numpy() if isinstance(x, cr.Tensor) else np.asarray(x)


def agree(ours, theirs, what):
    a, b = array(ours), array(theirs)
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch's {b.shape}"
    assert a.dtype == b.dtype, f"{what}: dtype {a.dtype}, PyTorch's {b.dtype}"
    rtol, atol = TOLERANCE.get(b.dtype, (0, 0))
    if a.size and not np.array_equal(a, b):
        size = max(1, np.abs(b[np.isfinite(b)]).max(initial=0))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol * size, err_msg=what)


def zeros_for(g, leaf):
    return np.zeros(leaf.shape, leaf.dtype) if g is None else g


def draw(seed, values):
    """Random numbers like each of `values`, the same every time."""
    random = np.random.default_rng(seed)
    return [np.asarray(random.normal(size=np.shape(x)), array(x).dtype) for x in values]


class OracleError(Exception):
    """PyTorch itself has no answer: a derivative it says it supports, and then does not."""


def asked(oracle, *args, **kwargs):
    try:
        return oracle(*args, **kwargs)
    except RuntimeError as error:
        raise OracleError from error


class Trial:
    """One sample on both engines."""

    def __init__(self, entry, ours, sample):
        self.entry, self.ours, self.sample = entry, ours, sample
        leaves, self.foreign = {}, None
        try:
            self.theirs_in, self.ours_in = translated([[sample.input, *sample.args], sample.kwargs], leaves)
        except TypeError as error:  # a dtype that NumPy has not
            self.foreign = error
        self.leaves = [(theirs, ours) for theirs, ours, _ in leaves.values() if theirs.requires_grad]

    def supported(self, kind):
        """Whether PyTorch supports this for the entry."""
        entry = self.entry
        return kind == "value" or (bool(entry.supports_autograd and self.leaves) and {
            "reverse": True, "forward": entry.supports_forward_ad, "second": entry.supports_gradgrad
        }[kind])  # fmt: skip

    @cached_property
    def results(self):
        if self.foreign:
            raise self.foreign
        return self.call(self.ours, self.ours_in), self.call(self.entry.op, self.theirs_in)

    def call(self, function, inputs):
        args, kwargs = inputs
        wrapper = self.entry.gradcheck_wrapper  # makes a matrix symmetric, where the operation asks for that
        result = wrapper(function, *args, **kwargs) if "hermitian" in wrapper.__name__ else function(*args, **kwargs)
        return tensors(self.sample.output_process_fn_grad(result))

    @cached_property
    def connected(self):
        """The outputs that PyTorch connects with a leaf, ours and PyTorch's, with random cotangents."""
        pairs = [(a, b) for a, b in zip(*self.results, strict=True) if isinstance(b, torch.Tensor) and b.requires_grad]
        return [a for a, _ in pairs], [b for _, b in pairs], draw(0, [b for _, b in pairs])

    def gradients(self, create_graph=False):
        """The cotangents of all leaves: ours and PyTorch's."""
        ours_y, theirs_y, seeds = self.connected
        xs = [x for x, _ in self.leaves]
        seeds_for_them = [torch.from_numpy(s.copy()).requires_grad_(create_graph) for s in seeds]
        theirs = asked(torch.autograd.grad, theirs_y, xs, seeds_for_them, True, create_graph, allow_unused=True)
        return pulled(ours_y, [x for _, x in self.leaves], seeds, create_graph), theirs

    def value(self):
        ours, theirs = self.results
        assert len(ours) == len(theirs), f"{len(ours)} outputs, PyTorch's {len(theirs)}"
        for a, b in zip(ours, theirs, strict=True):
            agree(a, b, "value")

    def reverse(self):
        if self.connected[1]:
            for g, h, (_, leaf) in zip(*self.gradients(), self.leaves, strict=True):
                agree(zeros_for(g, leaf), zeros_for(h, leaf), "gradient")

    def second(self):
        if not self.connected[1]:
            return
        ours_x, theirs_x = [a for _, a in self.leaves], [b for b, _ in self.leaves]
        pairs = [(g, h) for g, h in zip(*self.gradients(True), strict=True) if h is not None and h.requires_grad]
        if not pairs:
            return
        seeds = draw(2, [h for _, h in pairs])
        theirs = asked(
            torch.autograd.grad, [h for _, h in pairs], theirs_x, list(map(torch.from_numpy, seeds)), allow_unused=True
        )
        ours = pulled([g for g, _ in pairs], ours_x, seeds, False, needed=False)
        for g, h, leaf in zip(ours, theirs, ours_x, strict=True):
            agree(zeros_for(g, leaf), zeros_for(h, leaf), "second derivative")

    def forward(self):
        tangents = draw(1, [b for b, _ in self.leaves])
        with torch.autograd.forward_ad.dual_level():
            make, unpack = torch.autograd.forward_ad.make_dual, torch.autograd.forward_ad.unpack_dual
            duals = {
                id(b): make(b, torch.from_numpy(t.copy())) for (b, _), t in zip(self.leaves, tangents, strict=True)
            }
            y = self.call(self.entry.op, exchanged(self.theirs_in, duals))
            theirs = [unpack(b).tangent if isinstance(b, torch.Tensor) else None for b in y]

        def f(*xs):
            boxes = {id(a): x for (_, a), x in zip(self.leaves, xs, strict=True)}
            return self.call(self.ours, exchanged(self.ours_in, boxes))

        _, ours = cr.jvp(f, tuple(a.detach() for _, a in self.leaves), tuple(map(cr.tensor, tangents)))
        for a, b in zip(ours, theirs, strict=True):
            if b is not None:
                agree(a, b, "tangent")
            else:
                assert not np.any(array(a)), "a tangent where PyTorch has none"


def pulled(ys, xs, seeds, create_graph, needed=True):
    """Our cotangents of `xs`, None where nothing arrives."""
    live = [
        (y, cr.tensor(s, requires_grad=create_graph))
        for y, s in zip(ys, seeds, strict=True)
        if getattr(y, "requires_grad", False)
    ]
    assert live or not needed, "no output of ours requires a gradient"
    if not live:
        return [None] * len(xs)
    return cr.autograd.grad([y for y, _ in live], xs, [s for _, s in live], True, create_graph, allow_unused=True)


def exchanged(x, boxes):
    """`x` with other objects in the place of the leaves."""
    if isinstance(x, dict):
        return {name: exchanged(value, boxes) for name, value in x.items()}
    if type(x) in (list, tuple):
        return type(x)(exchanged(item, boxes) for item in x)
    return boxes.get(id(x), x)


# ---- wrong inputs


def wrong_here(error):
    """Whether a wrong input can be said in NumPy's terms at all: no other device, no result handed in."""
    parts = tensors([error.sample_input.input, *error.sample_input.args, *error.sample_input.kwargs.values()])
    foreign = any(
        isinstance(x, torch.device)
        or (isinstance(x, torch.Tensor) and (x.device.type != "cpu" or x.layout != torch.strided))
        for x in parts
    )
    too_many = any(isinstance(x, torch.Tensor) and x.ndim > 64 for x in parts)
    return (
        not foreign
        and not too_many
        and not {"out", "device", "layout", "memory_format"} & error.sample_input.kwargs.keys()
    )


class Wrong(Trial):
    """One wrong input: we must raise what PyTorch raises, with a message that begins with the same words."""

    def __init__(self, entry, ours, error):
        super().__init__(entry, ours, error.sample_input)

    def supported(self, kind):
        return self.raised[1] is not None and (kind == "error" or type(self.raised[0]) is type(self.raised[1]))

    @cached_property
    def raised(self):
        """What we raise and what PyTorch raises."""
        errors = []
        for function, (args, kwargs) in ((self.ours, self.ours_in), (self.entry.op, self.theirs_in)):
            try:
                function(*args, **kwargs)
                errors.append(None)
            except Exception as error:
                errors.append(error)
        return errors

    def error(self):
        ours, theirs = self.raised
        assert ours is not None, f"we raise nothing, PyTorch {theirs!r}"
        assert type(ours) is type(theirs), f"we raise {ours!r}, PyTorch {theirs!r}"

    def words(self):
        """The first three words, or all if there are fewer."""
        ours, theirs = self.raised
        start = [str(error).split()[:3] for error in (ours, theirs)]
        assert start[0] == start[1], f"we say {ours!s:.200}; PyTorch says {theirs!s:.200}"


# ---- the counts

HEADS = ("samples", *ALL, *(source for source in SOURCES if source != "float64"), "excepted", "failed")


def cells(report):
    """The counts of one entry, in the order of HEADS."""
    of_kind = [report.passed["float64", kind] for kind in ALL]
    of_source = [
        sum(n for (s, _), n in report.passed.items() if s == source) for source in SOURCES if source != "float64"
    ]
    return [sum(report.samples.values()), *of_kind, *of_source, sum(report.excepted.values()), len(report.failures)]


def total(reports):
    return [sum(column) for column in zip(*map(cells, reports), strict=True)]


def summary(reports):
    """How many entries and functions pass every check on every sample, in words."""
    clean = [r.name for r in reports if r.clean]
    functions = {name.split(" (")[0] for name in clean}
    return (
        f"{len(clean)} of {len(reports)} entries, of {len(functions)} functions, pass every check on every sample.\n"
        f"In all {sum(sum(r.passed.values()) for r in reports):,} checks on "
        f"{sum(sum(r.samples.values()) for r in reports):,} samples, with PyTorch {torch.__version__.split('+')[0]}."
    )


def table(reports):
    """The counts as text: one row an entry, and their sum."""
    lines = [f"{'entry':44}" + "".join(f"{head:>10}" for head in HEADS)]
    rows = [(r.name, cells(r)) for r in reports] + [("all", total(reports))]
    lines += [f"{name:44}" + "".join(f"{n:10}" for n in row) for name, row in rows]
    return "\n".join([*lines, summary(reports)])


def unused():
    """The reasons for which no check has failed, of those that should."""
    return [reason for reason in REASONS if not reason.used and not reason.wavering]


def page(reports):
    """The counts and the exceptions as a page of the book."""
    rows = [(f"`{r.name}`", cells(r)) for r in reports]
    head = f"| entry | {' | '.join(HEADS[:-1])} |\n|---|{'--:|' * len(HEADS[:-1])}"
    body = [
        f"| {name} | {' | '.join(f'{n:,}' for n in row[:-1])} |" for name, row in [("**all**", total(reports)), *rows]
    ]
    return PAGE.format(
        summary=summary(reports), table="\n".join([head, *body]), samples=listed(SAMPLES), wrong=listed(WRONG),
        most=MOST_NUMBERS, slow=SLOW.replace("*", "").replace(", ", "` and `"),
    )  # fmt: skip


def listed(reasons):
    """The reasons as a list, each with all its entries."""
    entries = {}
    for reason in reasons:
        names = reason.entries.replace("nn.functional.", "").replace(", ", "`, `")
        entries.setdefault(reason.why, []).append("any entry" if names == "*" else f"`{names}`")
    return "\n".join(f"- {why}: {', '.join(names)}" for why, names in entries.items())


PAGE = """# PyTorch's own test cases

% Written by `make conformance`.

PyTorch tests its operations with a database of sample inputs. Our engine runs on the same samples, and PyTorch says
what must come out. {summary}

The columns: **value**, **reverse** mode, **forward** mode and **second** order (reverse over reverse) in float64, where
PyTorch supports them; **float32**, value and reverse mode; **strided**, the same on memory with gaps; **reference**, on
the database's larger set, with broadcasting, zero-size arrays, huge numbers, inf and nan; **wrong**, inputs that must
raise PyTorch's error, in words that begin as its own. **Excepted** are the checks that are known to fail, for the
reasons listed below; the test fails, too, when such a check passes. Reference inputs of more than {most:,} numbers
are left out, and those of `{slow}`, where both engines count up from numbers like
-5,000,000 one by one. Where PyTorch itself raises, though it says that it supports a derivative, the check is
excepted, too (`clamp` with a bound broader than x, the derivative of `remainder` of a number).

## Where we differ

{samples}

Wrong inputs that are no error here, or an error in other words:

{wrong}

## All entries

```{{dropdown}} One row an entry
{table}
```
"""
