"""The tools of the tests of CUDA kernels: rows in closed form, half precision, the host."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cuda_host import (
    BACKWARDS,
    FORWARDS,
    GREEDY,
    GREEDY_BACKWARDS,
    ORDERS,
    HostRuntime,
    compiler,
    launch_bounds,
)
from cuda_memory import guarded, guarded_empty, repair_memory

from liftwave._kernels.cuda.common import layout as cuda_layout
from liftwave._kernels.cuda.common.layout import Boundary, Fold, boundary, fold
from liftwave._kernels.cuda.common.runtime import kernel
from liftwave._plan.boundary import EXTENSION_MODES, Extension, channel_extension, signal_extension

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C++ compiler for CUDA sources")

ROWS = Path(__file__).with_name("cuda_rows.cuh")
_pointer = ctypes.c_void_p
_index = ctypes.c_longlong


def structure(**fields: Any) -> ctypes.Structure:
    """A structure with these fields; each value is a pair of type and value."""
    cls = type("Made", (ctypes.Structure,), {"_fields_": [(k, t) for k, (t, _) in fields.items()]})
    return cls(*(v for _, v in fields.values()))


def address(x: Any) -> tuple[Any, int]:
    return _pointer, x.ctypes.data


def run(
    name: str, arguments: ctypes.Structure, *, blocks: int = 1, threads: int = 64, order: int = 0
) -> None:
    runtime = HostRuntime(order)
    runtime.launch(kernel(str(ROWS), name), blocks, threads, 0, arguments, None, name)


def rows_on_host(known: Boundary, start: int, count: int) -> list[dict[int, float]]:
    index, weight = np.zeros((count, 3), np.int64), np.zeros((count, 3))
    run(
        "rows",
        structure(
            extension=(Boundary, known),
            start=(_index, start),
            count=(_index, count),
            index=address(index),
            weight=address(weight),
        ),
    )
    found = []
    for of_one, weights in zip(index, weight, strict=True):
        row: dict[int, float] = {}
        for i, w in zip(of_one, weights, strict=True):
            if w:
                row[int(i)] = row.get(int(i), 0.0) + float(w)
        found.append(row)
    return found


def check(extension: Extension) -> None:
    known = boundary(extension)
    assert known is not None
    before, after = len(extension.left), len(extension.right)
    wanted = [dict(row) for row in extension.left] + [dict(row) for row in extension.right]
    found = rows_on_host(known, -before, before + extension.n + after)
    assert [*found[:before], *found[before + extension.n :]] == wanted


@pytest.mark.parametrize("mode", EXTENSION_MODES)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 16])
def test_rows_are_those_of_the_modes(mode: Any, n: int) -> None:
    check(signal_extension(n, mode, 25, 26))


@pytest.mark.parametrize("signal", [1, 2, 3, 4, 5, 8, 11])
@pytest.mark.parametrize("parity", [0, 1])
def test_rows_of_channels(signal: int, parity: int) -> None:
    for mode in ("periodization", "reflect", "symmetric", "zero", "constant"):
        if mode == "periodization" and signal % 2:
            continue
        extension = channel_extension(signal, parity, mode, 13, 12)
        if extension.n:
            check(extension)


@pytest.mark.parametrize("mode", EXTENSION_MODES)
@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_folds_are_extensions_transposed(mode: Any, n: int) -> None:
    extension = signal_extension(n, mode, 9, 8)
    made = fold(extension)
    assert made is not None
    x = np.random.default_rng(n).standard_normal(9 + n + 8)
    wanted = x[9 : 9 + n].copy()
    for rows, part in ((extension.left, x[:9]), (extension.right, x[9 + n :])):
        for row, value in zip(rows, part, strict=True):
            for i, w in row:
                wanted[i] += w * value
    found = np.zeros(n)
    run(
        "fold_back",
        structure(fold=(Fold, made), n=(_index, n), x=address(x), result=address(found)),
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-13)


def test_unknown_extensions_are_refused() -> None:
    assert boundary(Extension(4, (((0, 0.5), (3, 0.5)),), ())) is None
    assert fold(Extension(4, (((0, 0.5), (3, 0.5)),), ())) is None


def test_half_precision_rounds_as_elsewhere() -> None:
    torch = pytest.importorskip("torch")
    exact = np.arange(0, 65536, dtype=np.uint32)
    halves = exact.astype(np.uint16).view(np.float16).astype(np.float32)
    bfloats = (exact << 16).view(np.float32)
    random = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    x = np.concatenate([halves, bfloats, random, random * 1e-6, random * 1e5])
    finite = halves[np.isfinite(halves)]
    ties = ((finite[:-1].astype(np.float64) + finite[1:]) / 2).astype(np.float32)
    x = np.concatenate([x, ties, np.nextafter(ties, np.float32(0))])
    found, found_bf = np.zeros(len(x), np.uint16), np.zeros(len(x), np.uint16)
    back = np.zeros((len(x), 2), np.float32)
    run(
        "rounded",
        structure(
            x=address(x),
            halves=address(found),
            bfloats=address(found_bf),
            back=address(back),
            count=(_index, len(x)),
        ),
    )
    with np.errstate(over="ignore", invalid="ignore"):
        wanted = x.astype(np.float16)
    numbers = ~np.isnan(x)
    np.testing.assert_array_equal(found[numbers], wanted.view(np.uint16)[numbers])
    assert np.isnan(found.view(np.float16)[~numbers]).all()
    bf = torch.from_numpy(x).to(torch.bfloat16)
    np.testing.assert_array_equal(
        found_bf[numbers], bf.view(torch.int16).numpy().view(np.uint16)[numbers]
    )
    np.testing.assert_array_equal(back[:, 0][numbers], wanted.astype(np.float32)[numbers])
    np.testing.assert_array_equal(back[:, 1], bf.float().numpy())


@pytest.mark.parametrize("order", ORDERS)
def test_barriers_and_shuffles_of_the_host(order: int) -> None:
    x, found = np.random.default_rng(0).standard_normal(3 * 128), np.zeros(3)
    run(
        "sum_of_blocks",
        structure(x=address(x), result=address(found)),
        blocks=3,
        threads=128,
        order=order,
    )
    np.testing.assert_allclose(found, x.reshape(3, -1).sum(1), rtol=1e-13)


def test_a_missing_barrier_shows() -> None:
    x = np.arange(1.0, 65.0)
    results = []
    for order in ORDERS:
        found = np.zeros(64)
        run("racing", structure(x=address(x), result=address(found)), order=order)
        results.append(found)
    assert not all(np.array_equal(found, x[::-1]) for found in results)


def test_a_barrier_that_is_missing_behind_shuffles_shows_in_greedy_orders() -> None:
    x = np.arange(96.0)
    wanted = 2 * x.sum() + 96
    right = []
    for order in (FORWARDS, BACKWARDS, GREEDY, GREEDY_BACKWARDS):
        found = np.zeros(96)
        sums = structure(x=address(x), result=address(found))
        run("racing_sums", sums, threads=96, order=order)
        right.append(bool((found == wanted).all()))
    assert right == [True, True, False, False]


def shift(x: Any, result: Any, read: int, write: int, threads: int = 63) -> None:
    moves = {"read": (ctypes.c_int, read), "write": (ctypes.c_int, write)}
    run("shifted", structure(x=address(x), result=address(result), **moves), threads=threads)


@pytest.mark.parametrize("at_end", [True, False])
def test_accesses_outside_of_arrays_are_an_error(at_end: bool) -> None:
    """At its end, an array of 63 numbers is followed by 8 bytes that no guard protects."""
    x, result = guarded(np.arange(63.0), at_end), guarded_empty((63,), "float64", at_end)
    shift(x, result, 0, 0)
    np.testing.assert_array_equal(result, x)
    beyond = 2 if at_end else -1
    for moves in ((beyond, 0), (0, beyond)):
        with pytest.raises(AssertionError, match="memory outside of its arrays"):
            shift(x, result, *moves)
        repair_memory()
    with pytest.raises(AssertionError, match="beside an array"):
        shift(x, result, 0, 1)


def test_launches_that_devices_refuse_are_errors() -> None:
    assert launch_bounds(ROWS.read_text())["shifted"] == "64"
    assert launch_bounds(ROWS.read_text())["rounded"] == "1024"
    x = np.zeros(65)
    with pytest.raises(AssertionError, match="65 threads cannot be launched: at most 64"):
        shift(x, x, 0, 0, threads=65)
    sums = structure(x=address(x), result=address(x))
    with pytest.raises(AssertionError, match="49153 bytes of shared memory"):
        HostRuntime().launch(kernel(str(ROWS), "divergent"), 1, 64, 49153, sums, None, "")


def test_a_barrier_that_not_all_reach_is_an_error() -> None:
    x, found = np.zeros(64), np.zeros(64)
    with pytest.raises(AssertionError, match="barrier"):
        run("divergent", structure(x=address(x), result=address(found)))


@pytest.mark.parametrize("order", ORDERS)
def test_a_shuffle_with_a_thread_that_has_ended_is_an_error(order: int) -> None:
    x, found = np.zeros(32), np.zeros(32)
    with pytest.raises(AssertionError, match=r"that has ended|ends while others wait"):
        run("ended", structure(x=address(x), result=address(found)), threads=32, order=order)


def test_structures_of_another_size_are_an_error() -> None:
    with pytest.raises(AssertionError, match="bytes"):
        run("divergent", structure(x=(_pointer, 0)))


def test_batches_are_merged_where_axes_lie_behind_one_another() -> None:
    def memory(x: Any) -> Any:
        strides = tuple(s // x.itemsize for s in x.strides)
        return cuda_layout.Memory(x.ctypes.data, strides, x.shape, x.dtype.name)

    x = np.zeros((2, 3, 4, 5, 6))
    made = cuda_layout.batched([memory(x), memory(x.copy())], (3,))
    assert made is not None
    batch, (first, _) = made
    assert (batch.ndim, batch.count, list(batch.size[:2])) == (2, 144, [24, 6])
    assert list(first.batch_stride[:2]) == [30, 1]
    assert first.stride[0] == 6
    spread = np.zeros((3,) * 7)[(slice(None, 2),) * 7]
    assert cuda_layout.batched([memory(spread)], (6,)) is not None
    assert cuda_layout.batched([memory(spread)], ()) is None  # more axes than kernels support
