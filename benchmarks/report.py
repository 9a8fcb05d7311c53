"""The table and the figure, from results.json.

python report.py        write results.md and results.svg anew
"""

import itertools
import json
import math
import pathlib
import sys

from engines import COMPILED, ENGINES

from chainrule import course


def lines_of(row):
    """One workload, for the terminal."""
    lines = [row["title"]]
    for name, ratio in sorted(row["ratio"].items(), key=lambda pair: pair[1]):
        held = f"   (target {row['target']})" if name == "chainrule" and row["target"] else ""
        lines.append(f"  {name:14} {row['microseconds'][name]:14,.1f} µs {ratio:9.3f}{held}")
    return "\n".join([*lines, *(f"  {name:14} {why:>17}" for name, why in row["missing"].items()), ""])


def short(x):
    """Three digits at most."""
    return f"{x:.3g}" if x < 100 else f"{x:.0f}"


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown(results):
    """All results as a page."""
    names = list(ENGINES)
    times = [
        [row["short"], f"{row['microseconds']['PyTorch']:,.0f} µs",
         *(short(row["ratio"][n]) if n in row["ratio"] else "–" for n in names[1:])]
        for row in results["rows"]
    ]  # fmt: skip
    held = []
    for row in results["rows"]:
        ours = row["ratio"]["chainrule"]
        eager = {n: r for n, r in row["ratio"].items() if n not in COMPILED and n != "chainrule"}
        best = min(eager, key=eager.get)
        by_hand = short(ours / row["ratio"]["NumPy by hand"])
        held.append([row["short"], short(ours), short(row["target"]) if row["target"] else "–", by_hand,
                     f"{best} {short(eager[best])}"])  # fmt: skip
    missing = sorted({(name, why) for row in results["rows"] for name, why in row["missing"].items()})
    dashes = [
        f"- {name}, {', '.join(row['short'] for row in results['rows'] if row['missing'].get(name) == why)}: {why}."
        for name, why in missing
    ]
    targets = [row for row in results["rows"] if row["target"]]
    met = sum(row["ratio"]["chainrule"] <= row["target"] for row in targets)
    lengths = list(results["growth"]["PyTorch"])
    growth = [[name, *(f"{ns:,} ns" for ns in per.values())] for name, per in results["growth"].items()]
    engines = list(results["memory"]["sin"])
    peaks = [
        [chain, *(f"{found[n]:.1f}" if n in found else "–" for n in engines)]
        for chain, found in results["memory"].items()
    ]
    about = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return f"""# Results

Written by `make bench`; see [README.md](README.md) for how it is measured.
{about["processor"]}; Python {about["python"]}; {versions}.

## Time, as a ratio to PyTorch eager

{table(["", "PyTorch", *names[1:]], times)}

A dash means that the engine cannot, or not in reasonable time:

{chr(10).join(dashes)}

## What we hold ourselves to

The ratio to PyTorch eager with its target, the ratio to NumPy by hand, and the fastest other eager engine.
In this run {met} of {len(targets)} targets are met.

{table(["", "chainrule", "target", "to NumPy by hand", "next eager engine"], held)}

## Time for one product of a chain, forward and back

{table(["length", *(f"{int(n):,}" for n in lengths)], growth)}

## Memory at the peak of 60 steps, in arrays of 10⁶ numbers

{table(["", *engines], peaks)}
"""


def figure(results):
    """Every engine's time as a ratio to PyTorch's, one line for each workload. Returns the figure and its words."""
    rows = results["rows"]
    places = [0.0]  # a line with many dots gets more room for their names
    for above, below in itertools.pairwise(rows):
        places.append(places[-1] + 0.2 + 0.065 * (len(above["ratio"]) + len(below["ratio"])))
    end = places[-1] + 0.6
    fig, ax = course.figure(width=8.4, height=0.72 * end + 0.9, log="x", x="time, as a ratio to PyTorch eager")
    looks = {"chainrule": (course.PRIMAL, 70), "cr.compile": (course.PRIMAL, 30), "NumPy by hand": (course.INK, 30)}
    ax.axvline(1, color=course.FAINT, linewidth=1)
    ax.annotate("PyTorch", (1, end - 0.1), (4, 0), textcoords="offset points", fontsize=8, color=course.FAINT)
    for y, row in zip(places, rows, strict=True):
        ax.axhline(y, color=course.FAINT, linewidth=0.4, zorder=0)
        ends = {}
        for name, ratio in sorted(row["ratio"].items(), key=lambda pair: pair[1]):
            if name == "PyTorch":
                continue
            color, size = looks.get(name, (course.OTHER, 22))
            ax.scatter(ratio, y, size, color=color, zorder=3)
            height = place(ends, math.log10(ratio), 0.05 + 0.065 * len(name))
            ax.annotate(
                name,
                (ratio, y),
                (0, height),
                textcoords="offset points",
                ha="center",
                va="center",
                fontsize=8,
                color=color,
            )
    ax.set_yticks(places, [row["short"] for row in rows])
    ax.set_ylim(end, -0.6)
    ax.set_xlim(3e-5, 120)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    words = "; ".join(
        f"{row['short']}: chainrule {short(row['ratio']['chainrule'])}"
        + "".join(f", {n} {short(r)}" for n, r in row["ratio"].items() if n not in ("PyTorch", "chainrule"))
        for row in rows
    )
    return fig, f"Time of each engine as a ratio to PyTorch eager, on a logarithmic axis. {words}."


def place(ends, x, width):
    """How far above or below its dot a name finds room, in points; `ends` says where each height is free."""
    height = next((h for h in (10, -10, 19, -19, 28, -28, 37) if x - width / 2 > ends.get(h, -99)), 37)
    ends[height] = x + width / 2
    return height


def write(results, folder):
    import matplotlib

    matplotlib.rcParams["svg.hashsalt"] = "chainrule"  # the same results give the same bytes
    (folder / "results.md").write_text(markdown(results), encoding="utf-8")
    fig, words = figure(results)
    fig.savefig(
        folder / "results.svg", metadata={"Date": None, "Title": "chainrule and its peers", "Description": words}
    )


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    sys.exit(write(json.loads((here / "results.json").read_text(encoding="utf-8")), here))
