"""Memory of large results that later results use again."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import liftwave as lw

pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")

from liftwave._kernels.cpu import reused_memory
from liftwave._kernels.cpu.memory import aligned_empty

pytestmark = pytest.mark.thread_unsafe

SIZE = 1 << 25


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, Any]]:
    """The blocks that are kept: none at first, and for any time."""
    monkeypatch.setattr(reused_memory, "_start_sweeper", lambda: None)
    before = lw.get_reused_memory()
    lw.set_reused_memory(0)
    lw.set_reused_memory(8 * SIZE)
    yield reused_memory._kept
    reused_memory._kept.clear()
    lw.set_reused_memory(before)


def result(count: int = SIZE) -> Any:
    """A large result, whose numbers are not set."""
    return aligned_empty((count // 4,), "float32")


def address_of(x: Any) -> int:
    return int(x.__array_interface__["data"][0])


def test_transforms_use_memory_again(kept: dict[int, Any]) -> None:
    x = np.zeros((2, 1 << 22))
    x[:, ::1000] = 1
    bands = lw.dwt(x, "haar")
    addresses, expected = set(map(address_of, bands)), bands[1].copy()
    del bands
    assert len(kept) == 2
    bands = lw.dwt(x, "haar")
    assert set(map(address_of, bands)) == addresses
    assert not kept
    np.testing.assert_array_equal(bands[1], expected)


def test_memory_with_a_view_is_not_used_again(kept: dict[int, Any]) -> None:
    torch = pytest.importorskip("torch")
    views = (
        lambda x: x[5:7][:1],
        memoryview,
        torch.from_numpy,
        np.from_dlpack,
        lambda x: x.base.base,
        lambda x: x.base.base.obj,
    )
    for view in views:
        x = result()
        address, view_of_x = address_of(x), view(x)
        del x
        y = result()
        assert address_of(y) != address, view
        del view_of_x, y
        kept.clear()


def test_results_are_as_without(kept: dict[int, Any]) -> None:
    del kept
    ours = result()
    lw.set_reused_memory(0)
    theirs = result()
    ours[:], theirs[:] = 1, 1
    for x in (ours, theirs):
        assert not x.flags.owndata
        assert x.flags.aligned
        assert x.flags.c_contiguous
        assert address_of(x) % (1 << 21) == 0
        x.flags.writeable = False
        x.flags.writeable = True
        with pytest.raises(ValueError, match="own"):
            x.resize(5)
    assert sys.getsizeof(ours) == sys.getsizeof(theirs)
    del x
    counts = sys.getrefcount(ours), sys.getrefcount(theirs)
    assert counts[0] == counts[1]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(ours)), theirs)


def test_blocks_of_other_sizes(kept: dict[int, Any]) -> None:
    x = result(SIZE)
    address = address_of(x)
    del x
    for count in (SIZE + SIZE // 2, 2 * SIZE):
        assert address_of(result(count)) != address
    kept.clear()
    x = result(SIZE + SIZE // 8)
    address = address_of(x)
    del x
    assert address_of(result(SIZE)) == address


def test_limits(kept: dict[int, Any]) -> None:
    lw.set_reused_memory(64 * SIZE)
    results = [result((k + 2) * SIZE) for k in range(6)]
    addresses = [address_of(x) for x in results]
    while results:
        del results[0]
    assert len(kept) == 4
    assert address_of(result(7 * SIZE)) == addresses[-1]  # the last blocks remain
    lw.set_reused_memory(8 * SIZE)
    assert sum(each.block.nbytes for each in kept.values()) <= 8 * SIZE
    assert kept
    x = result(9 * SIZE)
    del x
    assert all(each.block.nbytes <= 8 * SIZE for each in kept.values())
    lw.set_reused_memory(0)
    assert not kept
    x = result()
    del x
    assert not kept


def test_blocks_are_released_after_some_time(
    kept: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(reused_memory, "_IDLE_SECONDS", 0.02)
    for _ in range(2):  # the thread ends, and another one starts
        x = result()
        del x
        stop = time.monotonic() + 20
        while (kept or reused_memory._sweeping.locked()) and time.monotonic() < stop:
            time.sleep(0.005)
        assert not kept
        assert not reused_memory._sweeping.locked()


def test_no_memory_is_kept_under_tracemalloc(kept: dict[int, Any]) -> None:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        x = result()
        during, _ = tracemalloc.get_traced_memory()
        del x
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert during - before >= SIZE
    assert after - before < SIZE // 100
    assert not kept


def test_memory_that_the_system_does_not_have(kept: dict[int, Any]) -> None:
    lw.set_reused_memory(1 << 62)
    x = result()
    del x
    assert kept
    with pytest.raises(MemoryError):
        result(1 << 60)
    assert not kept


def test_threads_get_memory_of_their_own(kept: dict[int, Any]) -> None:
    del kept

    def use(number: int) -> bool:
        same = True
        for _ in range(50):
            x = result()
            x[:8] = number
            time.sleep(0)
            same = same and bool((x[:8] == number).all())
        return same

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(use, range(8)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_children_of_a_fork(kept: dict[int, Any]) -> None:
    x, y = result(), result()
    del y
    assert kept
    child = os.fork()
    if child == 0:
        status = 1
        try:
            forgotten = not kept and not reused_memory._sweeping.locked()
            address = address_of(x)
            del x
            used_again = address_of(result()) == address
            status = 0 if forgotten and used_again else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def run(code: str, value: str | None = None) -> str:
    """The output of a program, and its errors."""
    environment = {k: v for k, v in os.environ.items() if k != reused_memory.VARIABLE}
    environment |= {} if value is None else {reused_memory.VARIABLE: value}
    done = subprocess.run(
        [sys.executable, "-c", f"import numpy as np, liftwave as lw\n{code}"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    return done.stdout + done.stderr


def test_results_that_live_until_the_end() -> None:
    code = """
from liftwave._kernels.cpu.memory import aligned_empty
result, other = aligned_empty((1 << 22,), "d"), aligned_empty((1 << 22,), "d")
lw.result = result
del other
print(lw.get_reused_memory())
"""
    default = 1 << 28 if sys.platform == "linux" else 0
    assert run(code).split() == [str(default)]


def test_the_variable_of_the_environment() -> None:
    assert run("print(lw.get_reused_memory())", "0").split() == ["0"]
    code = "lw.dwt(np.zeros((2, 1 << 23)), 'haar')"
    assert "OptionError: LIFTWAVE_REUSED_MEMORY must be a number of bytes" in run(code, "1 GB")
