"""Run a student's code and answer questions about it: the only file that runs in the sandbox.

One JSON message a line. The grader sends `{"cell": source, "skip": [...]}`, or
`{"run": code, "let": {...}}`; the answer is `{"value": ...}` or `{"error": ...}`. Before each
statement of a cell comes `{"statement": k}`, so that the grader knows which one hung or
crashed. A function among the values of `let` lives in the grader: to call it is to send
`{"call": name, "args": [...]}` and to wait for its value.

Nothing here is secret, and nothing here is trusted: a student's code may read and change all
of it. What it can send is no more than an answer.
"""

import ast
import codeop
import ctypes
import json
import os
import re
import resource
import struct
import sys
import textwrap

import numpy as np

ANOTHER_LANGUAGE = re.compile(r"%%(?!(time|capture)\b)")
LINE = r"(?:.*\\\n)*.*$"  # with those that it goes on in
TO_JUPYTER = re.compile(rf"^([ \t]*)(?:%{{1,2}}[A-Za-z]{LINE}|[!?]{LINE}|[\w.]+\?{{1,2}}[ \t]*$)", re.MULTILINE)
FROM_JUPYTER = re.compile(rf"^([ \t]*[\w., \t]+=[ \t]*)(?:%[A-Za-z]|!){LINE}", re.MULTILINE)
PROMPTED = re.compile(r"\s*(?:>>>|In \[\d*\]:)")
PROMPT = re.compile(r"^[ \t]*(?:>>>|\.{3,}:?|In \[\d*\]:)(?: |$)", re.MULTILINE)
KINDS = {"b": bool, "i": float, "u": float, "f": float}
MOST = 1_000_000  # numbers in an array, were its empty axes 1 long
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# System calls that lead to new rights, to other processes, or to memory that no limit counts:
# their numbers on either architecture.
REFUSED = {
    "unshare": (272, 97),
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
}


def encode(value):
    """A value in terms of JSON.

    >>> encode([1.5, 2j, np.array([1, 2]), np.longdouble(0.5), np.array([[1, 0.5]], object), ("a", 1)])
    [1.5, {'complex': [0.0, 2.0]}, {'array': [1.0, 2.0]}, 0.5, [[1, 0.5]], {'tuple': ['a', 1]}]
    """
    if isinstance(value, np.longdouble | np.clongdouble):
        value = value.astype(complex if value.dtype.kind == "c" else float)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, list):
        return [encode(part) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(part) for part in value]}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            return encode(value.tolist())
        if value.dtype.kind == "c":
            value = value.astype(complex)
            return {"array": value.real.tolist(), "imaginary": value.imag.tolist()}
        return {"array": value.astype(KINDS[value.dtype.kind]).tolist(), **shape_if_empty(value)}
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(part)] for key, part in value.items()]}
    return {"opaque": type(value).__name__}


def shape_if_empty(value):
    return {"shape": value.shape} if value.size == 0 else {}


def decode(message, function=None):
    """The value that `encode` wrote down; `function`, in the sandbox, makes one of a name.

    Outside of it a tuple is a list: a test takes either for an answer.
    """
    if isinstance(message, list):
        return [decode(part, function) for part in message]
    if not isinstance(message, dict):
        return message
    (kind, content), *more = message.items()
    if kind == "tuple":
        parts = [decode(part, function) for part in content]
        return tuple(parts) if function else parts
    if kind == "complex":
        return complex(*content)
    if kind == "array":
        if not {type(part) for part in np.array(content, object).flat} <= {bool, int, float}:
            raise ValueError("an array of something else than numbers")  # of words, it would be as wide as the longest
        array = np.array(content, None if content else float)
        if array.dtype.kind not in "bifu":
            raise ValueError("numbers out of all proportion")
        for name, extra in more:
            array = reshaped(array, extra) if name == "shape" else with_imaginary(array, np.array(extra, float))
        return array
    if kind == "dict":
        return {str(key): decode(part, function) for key, part in content}
    if kind == "function" and function:
        return function(content)
    return Opaque(content)


def reshaped(empty, shape):
    if np.prod([length or 1 for length in shape], dtype=float) > MOST:
        raise ValueError("a shape out of all proportion")
    return empty.reshape(shape)


def with_imaginary(real, imaginary):
    if real.shape != imaginary.shape:
        raise ValueError("two shapes for one array")
    return real + 1j * imaginary


class Opaque:
    """Something that does not cross the pipe."""

    def __init__(self, kind):
        self.kind = str(kind)

    def __repr__(self):
        return f"<{self.kind}>"


def confine(memory, seconds, user):
    """Give up every right that the answers do not need."""
    if os.getuid() == 0:  # for root there would be no limit on processes
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    for what, most in [
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 1_000_000),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ]:
        resource.setrlimit(what, (most, most))
    refuse(os.uname().machine)


def refuse(machine):
    """Let those system calls fail from now on, and any of another architecture (seccomp, in BPF)."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    error, allow = 0x00050001, 0x7FFF0000
    program = [(load, 0, 0, 4), (equal, 1, 0, ARCHITECTURES[machine]), (give, 0, 0, error)]
    program += [(load, 0, 0, 0), (at_least, 0, 1, 0x40000000), (give, 0, 0, error)]
    for numbers in REFUSED.values():
        program += [(equal, 0, 1, numbers[list(ARCHITECTURES).index(machine)]), (give, 0, 0, error)]
    program += [(give, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    filters = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    control = ctypes.CDLL(None).prctl
    if control(38, 1, 0, 0, 0) or control(22, 2, filters, 0, 0):  # no new privileges; a filter
        raise OSError("seccomp cannot be used here")


def pipe_of_messages():
    """Functions that send and receive; standard input and output are cut off."""
    incoming = os.fdopen(os.dup(0), "r", encoding="utf-8")
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in 0, 1, 2:
        os.dup2(nowhere, standard)

    def send(message):
        outgoing.write(json.dumps(message) + "\n")
        outgoing.flush()

    def receive():
        line = incoming.readline()
        return json.loads(line) if line else sys.exit()

    return send, receive


def statements(source):
    """A cell's statements; of a cell that is not Python, what speaks to Jupyter does nothing.

    >>> source = "%%time\\nif x:\\n    !pip install \\\\\\n y\\nz = (1\\n  % 2)\\nt = %timeit -o z\\nz?"
    >>> [ast.unparse(statement) for statement in statements(source)]
    ['pass', 'if x:\\n    pass', 'z = 1 % 2', 't = None', 'pass']
    >>> [ast.unparse(statement) for statement in statements("  >>> def f():\\n  ...   return 1")]
    ['def f():\\n    return 1']
    >>> [ast.unparse(statement) for statement in statements("%matplotlib inline\\ndef f():\\n    ...  # your answer")]
    ['pass', 'def f():\\n    ...']
    """
    if ANOTHER_LANGUAGE.match(source):
        return []
    try:
        return ast.parse(source).body
    except SyntaxError:
        source = textwrap.dedent(PROMPT.sub("", source) if PROMPTED.match(source) else source)
        source = FROM_JUPYTER.sub(r"\1None", TO_JUPYTER.sub(r"\1pass", source))
        return ast.parse(source).body


def run_cell(source, skip, space, send, compiled):
    """Run what can be run, and return the first errors of the rest.

    compiled  compiles, and remembers what was imported from `__future__`
    """
    errors = []
    try:
        body = statements(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        return [f"{type(error).__name__}: {error}"]
    for k, statement in enumerate(body):
        if k in skip:
            continue
        send({"statement": k})
        try:
            exec(compiled(ast.Module([statement], []), "<cell>", "exec"), space)
        except MemoryError:  # what is left would not do for the others
            raise
        except BaseException as error:
            errors.append(f"{type(error).__name__}: {error}"[:500])
    return errors[:5]


def run_code(code, scope):
    """Run some statements; the value is the last one's, if that is an expression."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<test>", "exec"), scope)
    return eval(compile(ast.Expression(last.value), "<test>", "eval"), scope) if last else None


def main(memory, seconds, user):
    send, receive = pipe_of_messages()
    confine(memory, seconds, user)

    def function(name):
        def call(*args):
            send({"call": name, "args": encode([*args])})
            answer = receive()
            if "error" in answer:
                raise ValueError(answer["error"])
            return decode(answer["value"], function)

        call.__name__ = name
        return call

    space, compiled = {"__name__": "__main__"}, codeop.Compile()
    send({"value": "ready"})
    while True:
        message = receive()
        try:
            if "cell" in message:
                value = run_cell(message["cell"], message["skip"], space, send, compiled)
            else:
                value = run_code(message["run"], {**space, **decode({"dict": message["let"]}, function)})
            send({"value": encode(value)})
        except BaseException as error:
            send({"error": f"{type(error).__name__}: {error}"[:500], "memory": isinstance(error, MemoryError)})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
