"""Time the workloads on every engine, side by side; write the table and the figure.

    python bench.py                     everything, into results.json, results.md, results.svg
    python bench.py Scalar Step         only these rows, printed
    python bench.py --engines PyTorch,chainrule --seconds 3 Chain

One thread, and processor time, so that a second one would gain nothing. Results are compared
with PyTorch's before anything is timed. Samples last a few milliseconds each, and the engines
take turns sample by sample, so that whatever else the machine does falls on all of them. The
number that counts is the ratio of two medians of the same run.
"""

import argparse
import gc
import json
import os
import pathlib
import platform
import statistics
import sys
import time

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "DEV": "CPU",  # tinygrad's back end
    "CPU_COUNT": "1",
    # glibc gives large blocks back to the system and fetches them again, page by page. At 10⁶
    # numbers that costs every engine more than the arithmetic. Here it keeps them, for all alike.
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
}

if __name__ == "__main__" and any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
    os.environ.update(ENVIRONMENT)
    os.execv(sys.executable, [sys.executable, *sys.argv])

from importlib.metadata import version  # noqa: E402

import memory  # noqa: E402
import numpy as np  # noqa: E402
import report  # noqa: E402
from engines import COMPILED, ENGINES  # noqa: E402
from workloads import WORKLOADS, Growth  # noqa: E402

SAMPLE = 0.004  # seconds
HERE = pathlib.Path(__file__).parent


def prepare(workload, engine):
    """The work of `workload` on `engine`, as a function of no arguments."""
    if engine.name == "NumPy by hand":
        return workload.by_hand()
    make = getattr(engine, workload.kind, None)
    if make is None:
        raise NotImplementedError("has no such mode")
    data = [engine.array(x) for x in getattr(workload, "data", tuple)()]
    return make(lambda lib, *params: workload.f(lib, *data, *params), *workload.arguments())


def agree(workload, result, expected):
    """Compare values and gradients with those of PyTorch, which comes first."""
    tolerance = getattr(workload, "tolerance", 1e-9)
    for x, y in zip(result, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def contenders(workload, names):
    """For each engine that does the work rightly, a `run()`; for each other, why not."""
    runs, missing, expected = {}, {}, None
    for name in names:
        if name in workload.without:
            missing[name] = workload.without[name]
            continue
        try:
            engine = ENGINES[name]()
            run = prepare(workload, engine)
            result = [np.array(engine.plain(x)) for x in run()]  # the first call may compile
        except RecursionError:
            missing[name] = "too deep a recursion"
            continue
        except Exception as error:
            if name in ("PyTorch", "chainrule"):
                raise
            missing[name] = f"{type(error).__name__}: {error}".splitlines()[0].removeprefix("NotImplementedError: ")
            continue
        expected = expected or result
        agree(workload, result, expected)
        runs[name] = run
    return runs, missing


def measure(runs, seconds):
    """Times of one call in seconds: for each engine a list of samples, taken in turn."""
    calls = {}
    for name, run in runs.items():
        once = min(timed(run, 1) for _ in range(3))
        calls[name] = max(1, round(SAMPLE / once))
    samples, spent = {name: [] for name in runs}, dict.fromkeys(runs, 0.0)
    gc.collect()
    gc.freeze()  # what the engines brought along is not searched for garbage again and again
    end, names, share = time.perf_counter() + seconds, list(runs), seconds / len(runs)
    while time.perf_counter() < end or min(map(len, samples.values())) < 5:
        names.append(names.pop(0))
        for name in names:
            if len(samples[name]) < 5 or spent[name] < share:
                gc.collect()
                samples[name].append(timed(runs[name], calls[name]))
                spent[name] += samples[name][-1] * calls[name]
        if min(spent.values()) > share:
            break
    gc.unfreeze()
    return samples


def timed(run, calls):
    """Processor time of one call: what other programs do does not count, a second thread would."""
    start = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - start) / calls


def row(workload, names, seconds):
    """Everything about one workload, for the results."""
    runs, missing = contenders(workload, names)
    samples = measure(runs, seconds)
    medians = {name: statistics.median(s) for name, s in samples.items()}
    return {
        "name": workload.__name__,
        "short": workload.short,
        "title": workload.__doc__,
        "target": workload.target,
        "microseconds": {name: round(1e6 * m, 3) for name, m in medians.items()},
        "ratio": {name: float(f"{m / medians['PyTorch']:.3g}") for name, m in medians.items()},
        "samples": {name: len(s) for name, s in samples.items()},
        "missing": missing,
    }


def growth():
    """Nanoseconds for each of n products, forward and back."""
    found = {}
    for name in Growth.engines:
        engine = ENGINES[name]()
        for n in Growth.lengths:
            run = engine.gradient(Growth.f(n), [np.array(1.5)])
            run()
            best = min(timed(run, 1) for _ in range(3))
            found.setdefault(name, {})[str(n)] = round(1e9 * best / n)
    return found


def peaks(names):
    """The most memory in use, in arrays."""
    return {
        chain: {name: round(arrays, 1) for name in names if (arrays := memory.measured(name, chain)) is not None}
        for chain in memory.CHAINS
    }


def machine():
    packages = ("numpy", "torch", "jax", "autograd", "mygrad", "micrograd", "tinygrad")
    return {
        "processor": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "environment": ENVIRONMENT,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workloads", nargs="*", help="names of classes in workloads.py")
    parser.add_argument("--engines", default=",".join(ENGINES), help="separated by commas; PyTorch must be there")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each workload")
    options = parser.parse_args()
    names = options.engines.split(",")
    chosen = [w for w in WORKLOADS if w.__name__ in (options.workloads or [w.__name__])]
    results = {"machine": machine(), "rows": []}
    for workload in chosen:
        results["rows"].append(row(workload, names, options.seconds))
        print(report.lines_of(results["rows"][-1]), flush=True)
    if chosen == list(WORKLOADS) and names == list(ENGINES):
        results["growth"] = growth()
        results["memory"] = peaks([name for name in names if name not in (*COMPILED, "micrograd", "tinygrad")])
        (HERE / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
        report.write(results, HERE)
        print(f"Written: {HERE.name}/results.json, results.md, results.svg")


if __name__ == "__main__":
    main()
