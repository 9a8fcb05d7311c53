"""A process in which a student's code can do no harm, and a conversation with it.

`bwrap` gives the process a file system of its own (the system's libraries, a Python whose
only package is NumPy, nowhere to write to), no network and no other process to see. It runs
as an ordinary user, with limits on memory, time, files and processes. It may say what it
likes: each message has a limit of size and time, and is only read as JSON.
"""

import atexit
import contextlib
import functools
import json
import os
import platform
import select
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.worker import ARCHITECTURES, decode, encode

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Limits:
    start: float = 30.0  # seconds until a new sandbox answers
    cell: float = 10.0  # seconds for a cell
    call: float = 5.0  # seconds for a test's call
    total: float = 60.0  # seconds for a submission
    memory: int = 150_000_000  # bytes of address space, of which Python and NumPy take 100 million
    reply: int = 200_000  # bytes of one message
    ask: int = 100_000  # bytes of one that is no value
    talk: int = 10_000_000  # bytes of all messages of a submission
    calls: int = 10_000  # of the grader's functions, in one test


class Deadline:
    """The end of some seconds, not counting those in which the grader itself was stopped.

    The seconds that a sandbox has spent in the queue for a processor come on top, up to four times as many.
    """

    def __init__(self, seconds, sandbox):
        self.seconds, self.sandbox = seconds, sandbox
        self.end, self.before = sandbox.clock() + seconds, sandbox.queued()

    def left(self, enough=0):
        """The seconds that are left, or some of them if they are more than enough."""
        left = self.end - self.sandbox.clock()
        return left if left > enough else left + min(self.sandbox.queued() - self.before, 4 * self.seconds)


class Lost(Exception):
    """The process has ended, hangs, or talks nonsense: it needs a new one."""


class Broken(Exception):
    """No sandbox can be had: no fault of the student."""


class Failed(Exception):
    """The student's code raised an error."""


@functools.cache
def command():
    """How to start the worker inside bwrap."""
    packages = Path(np.__file__).parents[1]
    prefix = Path(sys.base_prefix)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    home = Path("/usr") if prefix == Path("/usr") else Path("/python")
    stdlib = home / Path(sysconfig.get_path("stdlib")).relative_to(prefix)

    words = ["bwrap", "--die-with-parent", "--new-session", "--clearenv", "--unshare-ipc", "--unshare-pid"]
    words += ["--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() == 0:
        words += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-user"]
    words += ["--ro-bind", "/usr", "/usr"]
    for name in "/bin", "/lib", "/lib64":
        if os.path.islink(name):
            words += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            words += ["--ro-bind", name, name]
    if home != Path("/usr"):
        words += ["--ro-bind", str(prefix), str(home)]
    for folder in hidden_folders(home, prefix):
        words += ["--size", "4096", "--tmpfs", folder, "--remount-ro", folder]
    words += ["--perms", "0755", "--dir", "/packages"]
    for name in "numpy", "numpy.libs":
        if (packages / name).is_dir():
            words += ["--ro-bind", str(packages / name), f"/packages/{name}"]
    words += ["--ro-bind", str(WORKER), "/worker.py"]
    words += ["--dir", "/tmp", "--size", "4096", "--tmpfs", "/dev"]
    for name in "null", "zero", "urandom":
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    words += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    words += ["--setenv", "PYTHONPATH", "/packages", "--setenv", "LD_LIBRARY_PATH", str(home / "lib")]
    words += ["--setenv", "PYTHONHOME", str(home)]
    words += ["--setenv", "OPENBLAS_NUM_THREADS", "1", "--setenv", "HOME", "/tmp"]
    assert stdlib.name == version
    return words, [str(home / "bin" / version), "-P", "-S", "-s", "-B", "/worker.py"]


def hidden_folders(home, prefix):
    """Where other packages lie, as seen from inside."""
    for seen, real in {home: prefix, Path("/usr"): Path("/usr")}.items():
        for pattern in "lib/python*/*-packages", "local/lib/python*/*-packages", "share":
            for folder in real.glob(pattern):
                if not folder.is_symlink():
                    yield str(seen / folder.relative_to(real))


@functools.cache
def plain_command():
    """Packages and Python for a worker without bwrap; of root's packages it gets a copy of NumPy."""
    python = [sys._base_executable, "-P", "-S", "-s", "-B", str(WORKER)]
    packages = Path(np.__file__).parents[1]
    if os.getuid():
        return str(packages), python
    copy = tempfile.mkdtemp(prefix="grader-")
    atexit.register(shutil.rmtree, copy)
    for name in "numpy", "numpy.libs":
        if (packages / name).is_dir():
            shutil.copytree(packages / name, f"{copy}/{name}")
    os.chmod(copy, 0o755)
    return copy, python


def claim_user(claim, first=60_000):
    """A user that no other sandbox on this machine has, for as long as the socket `claim` is open."""
    for user in range(first, first + 5000):
        try:
            claim.bind(f"\0a grader's user {user}")
            return user
        except OSError:
            continue
    raise Broken("no user is free")


class Sandbox:
    """One worker. `plain` runs it without bwrap, for use in a container that isolates already."""

    def __init__(self, limits, plain=False):
        self.limits, self.plain = limits, plain
        self.received, self.queued_before, self.stopped = 0, 0.0, 0.0
        self.seen = time.monotonic()
        self.process, self.claim = None, socket.socket(socket.AF_UNIX) if os.getuid() == 0 else None
        self.user = claim_user(self.claim) if self.claim else 0

    def start(self):
        self.stop()
        limits = [str(int(n)) for n in (self.limits.memory, self.limits.total, self.user)]
        if self.plain:
            packages, python = plain_command()
            environment = {"PYTHONPATH": packages, "OPENBLAS_NUM_THREADS": "1"}
        else:
            words, python = command()
            python, environment = words + python, {"PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(
            python + limits,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment,
            start_new_session=True,  # Ctrl-C is for the grader: a sandbox that it ends would count as a crash
        )
        self.buffer = b""
        os.set_blocking(self.process.stdin.fileno(), False)
        os.set_blocking(self.process.stdout.fileno(), False)
        try:
            self.receive(Deadline(self.limits.start, self))
        except Lost as error:
            raise Broken(f"a new sandbox {error}") from error

    def clock(self):
        """Seconds in which the grader ran. Who waits asks each second: who is late was stopped, by Ctrl-Z, say."""
        now = time.monotonic()
        self.stopped += now - self.seen if now - self.seen > 3 else 0
        self.seen = now
        return now - self.stopped

    def queued(self):
        """The seconds that this sandbox's processes were ready to run and had no processor."""
        return self.queued_before + (queued(self.process.pid) if self.process else 0.0)

    def stop(self):
        if self.process:
            self.queued_before = self.queued()
            try:
                self.process.kill()
            except PermissionError:
                raise Broken(
                    "processes of another user cannot be ended here, for lack of the capability KILL"
                ) from None
            self.process.wait()
            for stream in self.process.stdin, self.process.stdout:
                with contextlib.suppress(OSError):
                    stream.close()
            self.process = None

    def close(self):
        self.stop()
        if self.claim:
            self.claim.close()

    def lose(self, why):
        self.stop()
        raise Lost(why)

    def wait(self, stream, deadline):
        poll = select.poll()
        poll.register(stream, select.POLLIN if stream is self.process.stdout else select.POLLOUT)
        while (left := deadline.left()) > 0:
            if poll.poll(1000 * min(left, 1)):
                return
        self.lose("ran out of time")

    def send(self, message, deadline):
        data = json.dumps(message).encode() + b"\n"
        while data:
            self.wait(self.process.stdin, deadline)
            try:
                data = data[os.write(self.process.stdin.fileno(), data) :]
            except BlockingIOError:
                continue
            except OSError:
                self.lose("ended")

    def receive(self, deadline):
        """The next message: a dict with names as keys, whatever was sent."""
        while b"\n" not in self.buffer:
            if len(self.buffer) > self.limits.reply:
                self.lose("sent too much")
            self.wait(self.process.stdout, deadline)
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                self.lose("ended")
            self.buffer += data
            self.received += len(data)
        line, _, self.buffer = self.buffer.partition(b"\n")
        if len(line) > self.limits.ask and not line.startswith(b'{"value"'):
            self.lose("sent too much")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            self.lose("sent something unreadable")
        if not isinstance(message, dict):
            self.lose("sent something unreadable")
        return message

    def ask(self, message, seconds, functions=(), on_statement=lambda k: None):
        """Send a message and return the value that comes back."""
        deadline = Deadline(seconds, self)
        self.send(message, deadline)
        for _ in range(self.limits.calls):
            answer = self.receive(deadline)
            if self.received > self.limits.talk:
                self.lose("sent too much")
            if "statement" in answer:
                on_statement(answer["statement"])
            elif "call" in answer:
                self.send(serve(functions, answer), deadline)
            elif "error" in answer:
                if answer.get("memory"):
                    self.lose("ran out of memory")
                raise Failed(str(answer["error"])[:500])
            else:
                try:
                    return decode(answer["value"])
                except (KeyError, TypeError, ValueError, OverflowError, RecursionError, AttributeError):
                    self.lose("sent something unreadable")
        return self.lose("called too often")


def queued(pid):
    """Seconds that a process and those it started were ready to run and had no processor, as far as Linux tells."""
    try:
        own = int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
        return own + sum(map(queued, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except (OSError, IndexError):
        return 0.0


def serve(functions, message, most=1000):
    """Call one of the grader's functions with numbers, as the student's code asks, and not too many."""
    try:
        pending, parts = [message["args"]], 0
        while pending:  # seen before anything is made of them, since that would take long
            part, parts = pending.pop(), parts + 1
            if parts > 5 * most:
                raise ValueError(f"more than {most} numbers")
            pending += part if isinstance(part, list) else part.values() if isinstance(part, dict) else ()
        args = [as_numbers(decode(arg)) for arg in message["args"]]
        if sum(np.size(arg) for arg in args) > most:
            raise ValueError(f"more than {most} numbers")
        return {"value": encode(functions[message["call"]](*args))}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def as_numbers(value):
    """Whole numbers become floats: a power of one could keep the grader busy for ever."""
    if isinstance(value, list):
        return [as_numbers(part) for part in value]
    if isinstance(value, np.ndarray | complex):
        return value
    return float(value)


@functools.cache
def available():
    """Why bwrap cannot be used here, or None."""
    if not shutil.which("bwrap"):
        return "bwrap is not installed (Debian, Ubuntu: apt install bubblewrap)"
    if platform.machine() not in ARCHITECTURES:
        return f"the sandbox does not know {platform.machine()}"
    words, python = command()
    run = subprocess.run([*words, python[0], "-S", "-c", ""], capture_output=True, text=True)
    return f"bwrap does not work here: {run.stderr.strip()}" if run.returncode else None
