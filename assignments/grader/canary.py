"""Before anything is graded: is the sandbox one, and does it let a right answer through?"""

import os
import socket
from pathlib import Path

from grader.grade import Student
from grader.sandbox import Broken, Failed, Limits, Lost

SPY = """
import glob, importlib.util, os, socket, sys
import numpy as np

def double(x):
    np.random.default_rng(0).normal()  # all of NumPy is there
    return 2 * x

def fails(action):
    try:
        action()
    except Exception:
        return True
    return False

def torch_is_out_of_reach():
    def look():
        sys.path += glob.glob("/*/lib*/python*/*-packages") + glob.glob("/usr/local/lib/python*/*-packages")
        return importlib.util.find_spec("torch")
    return look() is None

def unshare():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000) != 0:
        raise OSError(ctypes.get_errno())
"""

PROBES = {
    "torch is out of reach": "torch_is_out_of_reach()",
    "the network is out of reach": "fails(lambda: socket.create_connection(('127.0.0.1', port), 1))",
    "the home folder is out of reach": "fails(lambda: os.listdir(home))",
    "these tests are out of reach": "fails(lambda: os.listdir(tests))",
    "the system cannot be written to": "fails(lambda: open('/usr/x', 'w')) and fails(lambda: open('/x', 'w'))",
    "it is not run by root": "os.getuid() != 0 or fails(os.fork)",
    "no process can be started": "fails(os.fork)",
    "no new rights can be had": "fails(unshare)",
    "memory is limited": "fails(lambda: np.empty(10**9))",
}
WITH_BWRAP = {"nothing can be written": "fails(lambda: open('/tmp/x', 'w'))"}
ANYWHERE = {"no process can be started", "no new rights can be had", "memory is limited", "the network is out of reach"}


class Unsafe(Exception):
    """Nothing may be graded here."""


def sing(limits=None, plain=False):
    """Raise unless a right answer passes and every probe finds its way barred.

    Without bwrap, an ordinary user cannot hide files from the answers; root can, and must.
    """
    here = {"home": str(Path.home()), "tests": str(Path(__file__).parents[1])}
    limits = limits or Limits(call=30)
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, Student([SPY], limits, plain) as student:
            here["port"] = server.getsockname()[1]
            if student.run("double(x)", x=21.0) != 42:
                raise Unsafe("a right answer does not pass")
            for what, code in (PROBES if plain else PROBES | WITH_BWRAP).items():
                if plain and os.getuid() and what not in ANYWHERE:
                    continue
                if student.run(code, **here) is not True:
                    raise Unsafe(f"this does not hold: {what}")
    except (Broken, Failed, Lost) as error:
        hint = "Root needs the capabilities SETUID, SETGID and KILL, and everybody Python's library"
        hint = hint if plain else "As root, bwrap needs the capabilities SYS_ADMIN, SETUID and SETGID"
        raise Unsafe(f"the worker does not answer: {error}." + f" {hint}." * (not os.getuid())) from error
