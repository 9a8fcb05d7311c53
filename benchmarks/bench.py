"""Time the workloads on every engine, side by side; write the table and the figure.

    python bench.py                       everything, into results.json, results.md, results.svg
    python bench.py Scalar Step           only these, printed
    python bench.py --engines PyTorch,chainrule --seconds 3 Chain

One thread. Results are compared with PyTorch's before anything is timed. Samples last a few
milliseconds each, and the engines take turns sample by sample, so that whatever else the
machine does falls on all of them. The number that counts is the ratio of two medians of the
same run.
"""

import argparse
import gc
import os
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

import numpy as np

from engines import ENGINES
from workloads import WORKLOADS

SAMPLE = 0.004  # seconds
PATIENCE = 20.0  # seconds: what takes longer once is left out


def prepare(workload, engine):
    """The work of `workload` on `engine`, as a function of no arguments."""
    if engine.name == "NumPy by hand":
        return workload.by_hand()
    make = getattr(engine, workload.kind, None)
    if make is None:
        raise NotImplementedError("has no such mode")
    data = [engine.array(x) for x in getattr(workload, "data", tuple)()]
    return make(lambda lib, *params: workload.f(lib, *data, *params), *workload.arguments())


def check(workload, engine, result, expected):
    """Compare values and gradients with those of PyTorch."""
    found = [np.asarray(engine.plain(x)) for x in result]
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=(r := getattr(workload, "tolerance", 1e-9)), atol=r)


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
            start = time.perf_counter()
            result = run()
            if time.perf_counter() - start > PATIENCE:
                raise TimeoutError(f"over {PATIENCE:.0f} s")
        except (ImportError, NotImplementedError, RecursionError, TimeoutError) as error:
            missing[name] = "too deep a recursion" if isinstance(error, RecursionError) else str(error)
            continue
        if expected is None:
            expected = [np.array(engine.plain(x)) for x in result]
        check(workload, engine, result, expected)
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
    start = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - start) / calls


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workloads", nargs="*")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    for workload in WORKLOADS:
        if options.workloads and workload.__name__ not in options.workloads:
            continue
        print(workload.__doc__)
        runs, missing = contenders(workload, options.engines.split(","))
        samples = measure(runs, options.seconds)
        medians = {name: statistics.median(s) for name, s in samples.items()}
        for name in runs:
            q = statistics.quantiles(samples[name], n=4)
            print(f"   {name:15} {medians[name]*1e6:12.1f} us  {medians[name]/medians['PyTorch']:8.3f}  n={len(samples[name])} spread {(q[2]-q[0])/q[1]:.2f}")
        for name, why in missing.items():
            print(f"   {name:15} {why}")


if __name__ == "__main__":
    main()
