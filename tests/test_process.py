"""The compiled kernels and their process: its end, signals, and too little memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")


def run(code: str, *arguments: object) -> str:
    """The output of a program in a separate process, which must end normally."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


AT_WORK = """
import threading, time
import numpy as np
import liftwave as lw

class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.5)  # the thread takes the GIL while the interpreter finalizes

def work():
    while True:
        started.set()
        lw.wavedec2(x, "db4", level=3)

x, slow, started = np.ones((512, 512)), Slow(), threading.Event()
threading.Thread(target=work, daemon=True).start()
started.wait()
"""


def test_a_daemon_thread_at_work_does_not_abort_the_end() -> None:
    for _ in range(3):
        run(AT_WORK)


INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
import liftwave as lw

lw.set_num_threads(int(sys.argv[1]))
n = 6000
bands = np.ones((n // 2, n // 2)), (np.ones((n // 2, n // 2)),) * 3
out = np.full((n, n), np.nan)

def interrupt():
    while np.isnan(out[::100, 0]).all():
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored by inheritance
threading.Thread(target=interrupt).start()
try:
    lw.idwt2(bands, "db38", "periodization", out=out)
    out[:] = 0
    time.sleep(10)
except KeyboardInterrupt:
    print("incomplete" if np.isnan(out).any() else "complete")
x = np.random.default_rng(0).standard_normal((1024, 1024))
with lw.kernels("reference"):
    expected = lw.dwt2(x, "haar")[0]
np.testing.assert_allclose(lw.dwt2(x, "haar")[0], expected, atol=1e-12)
print(lw.get_num_threads())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_signal_ends_a_long_transform(threads: int) -> None:
    """The handler's exception leaves the call before all samples are written."""
    assert run(INTERRUPTED, threads).split() == ["incomplete", str(threads)]


WITHIN_ONE_PLANE = """
import signal, sys
from functools import partial
import numpy as np
import liftwave as lw
from liftwave import pooling

kind, threads = sys.argv[1], int(sys.argv[2])
lw.set_num_threads(threads)
planes = threads  # one for each thread
filters = pooling.lift_filters(planes, 9)
scheme = lw.LiftingScheme.from_name("cdf9.7")

def pullback(function, x, cotangent, *arguments):
    _, pull = lw.vjp(function, x, *arguments)
    return lambda: pull(cotangent).data

PREPARED = {
    "dwt2": lambda x: lambda: lw.dwt2(x, scheme)[0],
    "vjp of dwt2": lambda x: pullback(lw.dwt2, x, (x[..., ::2, ::2], (None,) * 3), scheme),
    "soft_pool": lambda x: partial(pooling.soft_pool, x, 3, 1),
    "lift_down": lambda x: partial(pooling.lift_down, x, filters),
    "lift_up": lambda x: partial(pooling.lift_up, [x] * 4, filters),
    "swt": lambda x: lambda: lw.swt(x.reshape(planes, -1), "db4", 3)[0][0],
    "iswt": lambda x: partial(lw.iswt, [x.reshape(planes, -1)] * 4, "db4"),
    "lifted swt": lambda x: lambda: lw.swt(x.reshape(planes, -1), scheme, 3, mode="reflect")[0][0],
    "lifted iswt": lambda x: partial(lw.iswt, [x.reshape(planes, -1)] * 4, scheme, mode="zero"),
    "mra": lambda x: lambda: lw.mra(x.reshape(planes, -1), "db4", 3)[0],
    "vjp of lift_down": lambda x: pullback(pooling.lift_down, x, x[..., ::2, ::2], filters),
}

class Ended(Exception):
    pass

place = None

def handler(number, frame):
    global place
    before, place = place, (frame, frame.f_lasti)
    if place == before:
        raise Ended

def ends(x):
    # Signals that arrive before the handler runs are one. So it runs once at each place, unless the
    # native function that is called there looks for signals.
    global place
    place = None
    call = PREPARED[kind](x)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        call()
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Ended:
        signal.setitimer(signal.ITIMER_REAL, 0)
        return True
    return False

signal.signal(signal.SIGALRM, handler)
sizes = (2**k for k in range(9, 14))  # until a call takes long enough
print(any(ends(np.ones((1, planes, n, n), "f4")) for n in sizes))
x = np.random.default_rng(0).standard_normal((1, planes, 256, 256))
result = PREPARED[kind](x)()
with lw.kernels("reference"):
    np.testing.assert_allclose(result, PREPARED[kind](x)(), atol=1e-9)
"""


LIFTED = ("lifted swt", "lifted iswt")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no interval timers")
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.slow), 2])
@pytest.mark.parametrize(
    "call",
    [
        *("dwt2", "soft_pool", "vjp of lift_down", "swt"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("vjp of dwt2", "lift_down", "lift_up", "iswt", "mra", *LIFTED)
        ),
    ],
)
def test_handlers_of_signals_run_within_one_plane(call: str, threads: int) -> None:
    """A handler runs several times in a call on one plane per thread, and can end the call."""
    assert run(WITHIN_ONE_PLANE, call, threads).split() == ["True"]


LIMITED = """
import os, resource, sys
import numpy as np
import liftwave as lw
from liftwave.lifting import LiftingScheme

lw.set_num_threads(4)
rng = np.random.default_rng(0)
x = rng.standard_normal((256, 256))
samples = (100 * x).astype("int16")
schemes = [LiftingScheme.from_name(name).to_integer() for name in ("cdf5.3", "cdf9.7")]

def used():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmSize"))

def calls():
    lw.wavedec2(x, "db2", level=2)
    for scheme in schemes:
        lw.wavedec2(samples, scheme, level=2)

def limited(allowance):
    resource.setrlimit(resource.RLIMIT_AS, ((used() + allowance) << 10, -1))
    for _ in range(2):
        try:
            calls()
        except MemoryError:
            failures.add(allowance)
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    back = lw.waverec2(lw.wavedec2(x, "db2", level=2), "db2")
    np.testing.assert_allclose(back, x, atol=1e-10)
    bands = lw.wavedec2(samples, schemes[0], level=2)
    np.testing.assert_array_equal(lw.waverec2(bands, schemes[0]), samples)

# The modules that a call loads. The pool, the scratch memory and the bounds of the second scheme
# are created under the limit.
lw.wavedec2(x[:16, :16], "db2", level=1)
lw.wavedec2(samples[:16, :16], schemes[0], level=1)
for allowance in range(*map(int, sys.argv[1:])):
    child = os.fork()
    if child == 0:
        failures = set()
        limited(allowance)
        os._exit(3 if failures else 0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize(
    "limits",
    [
        (0, 1200, 100),
        (8700, 9100, 16),
        *(
            pytest.param(limits, marks=pytest.mark.slow)
            for limits in ((0, 1200, 4), (8100, 9600, 8), (16300, 17800, 8), (24500, 26000, 8))
        ),
    ],
    ids=str,
)
def test_too_little_memory_is_an_error_and_no_end(limits: tuple[int, int, int]) -> None:
    """Calls within a few KiB of address space raise MemoryError or succeed, and work afterwards.

    Some limits leave enough memory for the stack of a new thread, but not for its data.
    """
    statuses = set(run(LIMITED, *limits).split())
    assert statuses <= {"0", "3"}
    assert limits[0] > 0 or "3" in statuses
