"""The most memory that value and gradient of a long chain need, in arrays of 10⁶ numbers.

    python memory.py chainrule linear

One engine and one chain per process. Counted is the resident memory at its peak, above what it
was before the first array was made. Linux only.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np

STEPS, NUMBERS = 60, 1_000_000
CHAINS = {
    "sin": ("y = sin y", lambda lib, y: lib.sin(y)),
    "linear": ("y = 0.9 y + 0.1", lambda lib, y: y * 0.9 + 0.1),
    "square": ("y = y y", lambda lib, y: y * y),
}
# Blocks of this size come from the system and go back to it, so what is resident is what is in use.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def chain(name):
    _, step = CHAINS[name]

    def f(lib, y):
        for _ in range(STEPS):
            y = step(lib, y)
        return lib.sum(y)

    return f


def resident(field):
    """A line of the kernel's account of this process, in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def peak(engine, name):
    """The peak of one run, in arrays."""
    from engines import ENGINES

    engine = ENGINES[engine]()
    engine.gradient(chain(name), [np.ones(NUMBERS // 20)])()
    before = resident("VmRSS")
    run = engine.gradient(chain(name), [np.ones(NUMBERS)])
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # start the peak anew
    run()
    return (resident("VmHWM") - before) / (8 * NUMBERS)


def measured(engine, name):
    """The same in a process of its own; None where it cannot be measured."""
    done = subprocess.run(
        [sys.executable, __file__, engine, name], env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True
    )
    return float(done.stdout) if done.returncode == 0 else None


if __name__ == "__main__":
    print(peak(*sys.argv[1:]))
