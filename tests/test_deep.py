"""Graphs that are deep: no recursion anywhere, bounded memory, and time that grows with the number of nodes."""

import subprocess
import sys
import textwrap

import pytest

# Each program runs in a process of its own, in a thread with a small stack and with bounded memory:
# recursion over the graph, in Python or in the freeing of objects, would end it. Python 3.13 itself
# frees what is nested by up to some thousand calls one inside the other: half a megabyte.
STACK = 256 if sys.version_info < (3, 13) else 1024  # kB
FRAME = """
import resource, sys, threading
import chainrule as cr

def program():
{body}

resource.setrlimit(resource.RLIMIT_AS, ({memory} << 20,) * 2)
threading.stack_size({stack} << 10)
done = []
thread = threading.Thread(target=lambda: done.append(program()))
thread.start()
thread.join()
print(done[0])
"""

CHAIN = """
x = cr.tensor(1.0, requires_grad=True)
y = x
for _ in range({n}):
    y = y * 1.0
"""

PROGRAMS = {
    "a chain of a million products": (
        CHAIN.format(n=1_000_000) + "y.backward()\nreturn x.grad.item()",
        "1.0",
    ),
    "a chain of 300000 products with the leaf": (
        CHAIN.format(n=300_000).replace("y * 1.0", "y * x") + "y.backward()\nreturn x.grad.item()",
        "300001.0",
    ),
    "a chain that is dropped without a sweep": (CHAIN.format(n=1_000_000) + "del y\nreturn 'freed'", "freed"),
    "a chain that is dropped by its leaf first": (CHAIN.format(n=300_000) + "del x\ndel y\nreturn 'freed'", "freed"),
    "a chain of arrays": (
        CHAIN.format(n=100_000).replace("1.0, req", "[1.0, 2.0], req") + "y.sum().backward()\nreturn x.grad.tolist()",
        "[1.0, 1.0]",
    ),
    "a chain swept twice": (
        CHAIN.format(n=200_000) + "y.backward(retain_graph=True)\ny.backward()\nreturn x.grad.item()",
        "2.0",
    ),
    "a sum with 200000 terms of one variable": (
        "x = cr.tensor(1.0, requires_grad=True)\ny = x * 0.0\nfor i in range(200_000):\n    y = y + x\n"
        "y.backward()\nreturn x.grad.item()",
        "200000.0",
    ),
    "50000 diamonds, one after the other": (
        "x = cr.tensor(1.0, requires_grad=True)\ny = x\nfor _ in range(50_000):\n    y = y * 0.25 + y * 0.75\n"
        "y.backward()\nreturn x.grad.item()",
        "1.0",
    ),
    "one diamond with arms of 100000": (
        "x = cr.tensor(1.0, requires_grad=True)\na = b = x\n"
        "for _ in range(100_000):\n    a = a * 1.0\n    b = b + 0.0\n"
        "(a + b).backward()\nreturn x.grad.item()",
        "2.0",
    ),
    "the gradient of a chain of 100000, with its graph": (
        CHAIN.format(n=100_000).replace("y * 1.0", "y * x")
        + "(g,) = cr.autograd.grad(y, x, create_graph=True)\nreturn g.item(), g.requires_grad",
        "(100001.0, True)",
    ),
    "the gradient of the gradient of a chain of 20000": (
        CHAIN.format(n=20_000).replace("y * 1.0", "y * x")
        + "(g,) = cr.autograd.grad(y, x, create_graph=True)\ng.backward()\nreturn x.grad.item()",
        "400020000.0",
    ),
    "a chain in forward mode": (
        "def f(x):\n    y = x\n    for _ in range(100_000):\n        y = y * 1.0\n    return y\n"
        "return cr.jvp(f, (1.0,), (1.0,))[1].item()",
        "1.0",
    ),
    "a chain in the functional reverse mode": (
        "def f(x):\n    y = x\n    for _ in range(100_000):\n        y = y * 1.0\n    return y\n"
        "return cr.grad(f)(1.0).item()",
        "1.0",
    ),
    "a buffer written 3000 times": (
        "x = cr.tensor(1.0, requires_grad=True)\nb = cr.zeros(3000)\nfor i in range(3000):\n    b[i] = x\n"
        "b.sum().backward()\nreturn x.grad.item()",
        "3000.0",
    ),
    "a view of a view of a view, 3000 deep": (
        "x = cr.tensor([1.0, 2.0], requires_grad=True)\ny = x * 1\nv = y\nfor _ in range(3000):\n    v = v[:]\n"
        "v.sum().backward()\nreturn x.grad.tolist()",
        "[1.0, 1.0]",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_deep_graph_is_walked_and_freed(name):
    body, want = PROGRAMS[name]
    source = FRAME.format(body=textwrap.indent(body, "    "), memory=1500, stack=STACK)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:] or f"ended by signal {-done.returncode}"
    assert done.stdout.strip() == want
