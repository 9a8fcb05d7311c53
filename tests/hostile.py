"""What a notebook may try, other than to answer. PLACE becomes the folder of all submissions."""

ANSWER = """
def central_difference(f, x, h): return attack()
"""
OTHER_ANSWER = """
def balanced_h(order, eps): return attack()
"""
ALL_ANSWERS = (
    ANSWER
    + OTHER_ANSWER
    + """
import numpy as np
def complex_step(f, x): return attack()
class Dual:
    def __init__(self, value, slope=0.0): self.value, self.slope = value, slope
    def __add__(self, other): return attack()
    __radd__ = __mul__ = __rmul__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __add__
def slope_of(program, x): return attack()
"""
)

WRITE = """
import os
def attack():
    for fd in range(3, 64):
        try: os.write(fd, MESSAGE)
        except OSError: pass
"""


def writing(message):
    return WRITE.replace("MESSAGE", message)


CHEATS = {
    "patches NumPy": """
import numpy as np
np.allclose = np.isclose = np.array_equal = lambda *a, **k: True
np.testing.assert_allclose = lambda *a, **k: None
np.asarray = np.array = lambda *a, **k: 0.0
def attack(): return 1.0
""",
    "patches json": """
import json
json.dumps = lambda *a, **k: '{"value": 1.0, "passed": true}'
json.loads = lambda *a, **k: {"run": "1.0", "let": [], "passed": True}
def attack(): return 1.0
""",
    "patches builtins": """
import builtins
builtins.abs = lambda x: 0
builtins.isinstance = lambda *a: True
builtins.all = lambda *a: True
builtins.float = lambda *a: 0.0
def attack(): return 1.0
""",
    "patches the worker": """
import sys
worker = sys.modules["__main__"]
def encode(value): return {"passed": True}
for frame in sys._current_frames().values():
    while frame:
        frame.f_globals["encode"] = encode
        frame.f_globals["Failed"] = frame.f_globals["Wrong"] = None
        frame = frame.f_back
def attack(): return True
""",
    "is equal to everything": """
class Equal(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __sub__ = __rsub__ = lambda self, other: 0.0
    __abs__ = lambda self: 0.0
    __array_ufunc__ = lambda self, *a, **k: True
def attack(): return Equal(1.0)
""",
    "reads the tests from memory": """
import gc, sys
def attack():
    frame, numbers = sys._getframe(), []
    while frame:
        numbers += [v for k, v in frame.f_locals.items() if k in ("wanted", "true", "expected")]
        frame = frame.f_back
    for thing in gc.get_objects():
        if isinstance(thing, dict) and isinstance(thing.get("wanted"), float): numbers.append(thing["wanted"])
    return numbers[-1]
""",
    "reads the tests from disk": """
import glob, os
found = {}
for place, _, names in os.walk("/"):
    if place.startswith("/usr"): continue
    for name in names:
        if "tests" in name and name.endswith(".py"):
            exec(open(os.path.join(place, name)).read(), found)
def attack(): return found["q1"].public[0][1]
""",
    "asks torch": """
import glob, sys
sys.path += glob.glob("/*/*/*/*-packages") + ["PLACE/../../site-packages"]
def attack():
    import torch
    return torch.tensor(1.0)
""",
}

FORGERIES = {
    "writes one byte at a time": """
import os
def attack():
    while True:
        for fd in range(3, 9):
            try: os.write(fd, b" ")
            except OSError: pass
""",
    "writes questions without end": writing('b\'{"call": "f", "args": [1.0]}\\n\' * 20_000'),
    "writes one long word among many short ones": writing(
        'b\'{"value": {"array": ["\' + b"x" * 30_000 + b\'"\' + b\', ""\' * 10_000 + b"]}}\\n"'
    ),
    "writes deep nonsense where a number belongs": writing(
        'b\'{"statement": [\' + b",".join([b"[" * 60 + b"]" * 60] * 800) + b"]}\\n"'
    ),
    "writes keys that collide": writing(
        "b'{\"value\": {\"dict\": [' + b','.join(b'[%d, 0]' % (k * (2**61 - 1)) for k in range(35_000)) + b']}}\\n'"
    ),
    "writes a shape without end to the pipe": writing(
        'b\'{"value": {"array": [], "shape": [0, 999999, 999999]}}\\n\' * 3'
    ),
    "writes what a terminal obeys": writing('b\'{"error": "\\\\u001b]0;owned\\\\u0007\\\\n=1+1"}\\n\' * 9'),
    "sends a hundred megabytes": "def attack(): return 'x' * 100_000_000",
    "sends a hundred megabytes to the pipe": writing("b'x' * 100_000_000"),
    "sends deep JSON": """
def attack():
    deep = []
    for _ in range(100_000): deep = [deep]
    return deep
""",
    "writes deep JSON to the pipe": writing("b'[' * 900_000 + b'\\n'"),
    "writes half deep JSON to the pipe": writing("b'{\"value\": ' + b'[' * 900 + b']' * 900 + b'}\\n'"),
    "writes forged verdicts to the pipe": writing('b\'{"passed": true, "points": 100, "value": true}\\n\' * 50'),
    "writes forged arrays to the pipe": writing(
        "b'{\"value\": {\"array\": [' + b'[0],' * 90_000 + b'[0]], \"imaginary\": [[' + b'0,' * 90_000 + b'0]]}}\\n'"
    ),
    "writes forged shapes to the pipe": writing('b\'{"value": {"array": [], "shape": [0, 9999999999]}}\\n\''),
    "writes nonsense to the pipe": writing(
        'b\'{"statement": {}}\\n{"call": 1}\\n{"call": "f", "args": ["__import__"]}\\n{"value": {}}\\n[]\\n\''
    ),
    "writes huge numbers to the pipe": writing(
        "b'{\"value\": ' + b'9' * 4000 + b'}\\n{\"value\": 1e999}\\n{\"value\": NaN}\\n'"
    ),
}

ATTACKS = {
    "keeps memory that it no longer sees": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype, libc.shmat.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
libc.shmdt.argtypes = [ctypes.c_void_p]
def attack():
    for k in range(200):
        segment = libc.shmget(0, 50_000_000, 0o1600)
        place = libc.shmat(segment, None, 0)
        ctypes.memset(place, 1, 50_000_000)
        libc.shmdt(place)
    return 1.0
""",
    "makes files without end": """
import os
def attack():
    k = 0
    while True:
        os.close(os.open(f"/tmp/{k}", os.O_CREAT))
        k += 1
""",
    "makes mistakes without end": "def attack(): return 1.0\n" + "raise ValueError(str(id(object())) * 30)\n" * 9000,
    "makes cells without end": "def attack(): return 1.0",
    "hands over huge arrays": """
import sys
import numpy as np
def attack():
    frame = sys._getframe()
    while frame:
        for f in list(frame.f_locals.values()):
            if callable(f) and getattr(f, "__name__", "") == "f":
                for many in (np.zeros((40_000, 1)), [np.zeros(300)] * 300, [[1.0]] * 40_000):
                    try: f(many)
                    except ValueError: pass
        frame = frame.f_back
    return 1.0
""",
    "looks at other processes": """
import os, ctypes, glob
libc = ctypes.CDLL(None, use_errno=True)
def attack():
    for number in range(1, 5000):
        if libc.ptrace(16, number, None, None) == 0: return 1.0
    libc.prctl(1, 0)
    return float(open(glob.glob("/proc/[0-9]*/environ")[0]).read())
""",
    "forks": """
import os
def attack():
    while True: os.fork()
""",
    "starts threads": """
import threading, time
def attack():
    for _ in range(100000): threading.Thread(target=time.sleep, args=(100,)).start()
""",
    "starts a program": """
import subprocess
def attack(): return float(subprocess.run(["/bin/sh", "-c", "cat PLACE/* /etc/passwd"], capture_output=True).returncode)
""",
    "fills the disk": """
def attack():
    for place in ("/tmp", "/dev", "/dev/shm", "/", "/packages", "/var/tmp"):
        for k in range(1000):
            try: open(f"{place}/{k}", "wb").write(bytes(900_000))
            except OSError: break
    return 1.0
""",
    "fills the memory": """
hoard = []
def attack():
    while True: hoard.append(bytearray(10_000_000))
""",
    "fills the memory by other means": """
import mmap
hoard = []
def attack():
    while True:
        hoard.append(mmap.mmap(-1, 10_000_000))
        hoard[-1].write(b"x" * 10_000_000)
""",
    "uses the network": """
import socket
def attack():
    for address in [("127.0.0.1", 22), ("8.8.8.8", 53), ("10.0.2.2", 80)]:
        try: socket.create_connection(address, 0.2); return 1.0
        except OSError: pass
    return socket.gethostbyname("example.org")
""",
    "ignores signals": """
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
def attack():
    while True: pass
""",
    "hangs in the cell": """
def attack(): return 1.0
while True: pass
""",
    "kills everything it can see": """
import os, signal
def attack():
    os.kill(-1, signal.SIGKILL)
    os.kill(1, signal.SIGKILL)
    os.kill(os.getppid(), signal.SIGKILL)
""",
    "asks for a huge power": """
import sys
def attack():
    frame = sys._getframe()
    while frame:
        for f in list(frame.f_locals.values()):
            if callable(f) and getattr(f, "__name__", "") == "f": f(10**300); f("x"); f([[1]]); f(2**10**6)
        frame = frame.f_back
""",
    "calls without end": """
import sys
def attack(): return 1.0
def central_difference(f, x, h):
    while True: f(x)
""",
    "raises what it likes": """
class Wrong(BaseException): pass
def attack(): raise [Wrong, SystemExit, KeyboardInterrupt, GeneratorExit][len(hex(id(object()))) % 4]("\\udcff" * 1000)
""",
    "does not stop to recurse": """
import sys
sys.setrecursionlimit(10**9)
def attack(): return attack()
""",
    "has functions that are none": "attack = 1.0",
    "overwrites check": """
def check(*a): return True
def attack(): return 1.0
passed = score = total = 100
""",
    "edits other submissions": """
import glob, os
def attack():
    for path in glob.glob("PLACE/*") + ["PLACE/other.ipynb", "../results/scores.csv", "/worker.py"]:
        try: open(path, "w").write("nothing")
        except OSError: pass
    return 1.0
""",
    "has a cell that cannot be parsed": "def attack(): return 1.0\n" + "(" * 5000,
    "makes a new namespace": """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def attack():
    libc.unshare(0x10020000)
    for k in range(100): libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"size=9g")
    for k in range(2000): open(f"/tmp/{k}", "wb").write(bytes(999_999))
""",
}

# Each costs the first question, and no other.
COST_ONE_QUESTION = {
    "loops": "def central_difference(f, x, h):\n    while True: pass",
    "exits": "import os\ndef central_difference(f, x, h): os._exit(0)",
    "exits politely": "import sys\ndef central_difference(f, x, h): sys.exit()",
    "crashes": "import ctypes\ndef central_difference(f, x, h): ctypes.string_at(0)",
    "fills memory": "hoard = []\ndef central_difference(f, x, h):\n    while True: hoard.append(bytes(10**7))",
    "closes every file": "import os\ndef central_difference(f, x, h): os.closerange(0, 64)",
    "prints without end": "def central_difference(f, x, h):\n    while True: print('x' * 1000, flush=True)",
    "hoards memory": "central_difference = None\nhoard = []\nwhile True: hoard.append(bytes(10**5))",
    "hangs and crashes between definitions": (
        "%matplotlib inline\nimport os\nwhile True: pass\ncentral_difference = None\nos._exit(1)\nimport matplotlib"
    ),
}
