"""Packets by one native call have the bits of the reference kernels, which go level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import array_api_strict
import numpy as np
import pytest
import torch
from helpers import MODES, zero_mean

import liftwave as lw
from liftwave.errors import KernelsError
from liftwave.packets import calls

_cpu = pytest.importorskip("liftwave._cpu", reason="the compiled kernels were not built")

from liftwave._kernels.cpu.family import CpuKernels  # noqa: E402
from liftwave._kernels.no_fallback import no_fallback  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")

TREE = lw.PacketTree(["a", "da", "dda", "ddda", "dddd"])
TREE_2D = lw.PacketTree(["aa", "ad", "da", "ddaa", "ddad", "ddda", "dddd"], ndim=2)

# shape, axes, level. The first ones are divided into blocks, the second ones are single blocks.
LINES = {
    "one line": ((70_000,), 0, 4),
    "one line of even lengths": ((1 << 16,), 0, 5),
    "few lines of three numbers": ((2, 21_000, 3), 1, 3),
    "lines": ((2, 3, 301), -1, 4),
    "short lines": ((40, 1, 5), -1, 3),
    "columns": ((203, 37), 0, 3),
}
IMAGES = {
    "one image": ((300, 211), (0, 1), 3),
    "a batch": ((40, 2, 19, 22), (2, 3), 2),
    "three numbers for each pixel": ((2, 65, 33, 3), (1, 2), 2),
    "a volume": ((20, 18, 33), (0, 1, 2), 2),
}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """Two threads, which divide lines of this length into blocks."""
    before = lw.get_num_threads()
    lw.set_num_threads(2)
    yield
    lw.set_num_threads(before)


def bits(x: Any) -> list[bytes]:
    arrays = x if isinstance(x, list) else [x]
    return [np.asarray(a).tobytes() + str((a.shape, a.dtype)).encode() for a in arrays]


def assert_same(call: Callable[[], Any]) -> Any:
    """The result of the compiled kernels, after a comparison with the reference kernels."""
    with lw.kernels("cpu"):
        result = call()
    with lw.kernels("reference"):
        assert bits(call()) == bits(result)
    return result


def check(x: np.ndarray, wavelet: str, mode: str, level: int, axes: Any) -> None:
    how = (wavelet, mode)
    levels = assert_same(lambda: lw.wpdec(x, *how, level, axes, full=True))
    packets = assert_same(lambda: lw.wpdec(x, *how, level, axes, order="natural"))
    assert levels[-1].shape == packets.shape
    packets = packets[::-1].copy()[::-1]  # not contiguous
    assert_same(lambda: lw.wprec(packets, *how, axes, shape=x.shape, order="natural"))


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", LINES)
def test_lines_are_the_reference(name: str, mode: str) -> None:
    shape, axis, level = LINES[name]
    for wavelet, dtype in (("haar", "complex64"), ("db4", "float32"), ("bior2.2", "float64")):
        check(zero_mean(shape, 3, dtype), wavelet, mode, level, axis)


@pytest.mark.parametrize("mode", ["zero", "smooth", "reflect", "periodization"])
@pytest.mark.parametrize("name", IMAGES)
def test_images_are_the_reference(name: str, mode: str) -> None:
    shape, axes, level = IMAGES[name]
    for wavelet, dtype in (("db2", "complex128"), ("sym5", "float32")):
        check(zero_mean(shape, 4, dtype), wavelet, mode, level, axes)


@pytest.mark.parametrize("mode", ["symmetric", "periodic", "periodization"])
def test_trees_are_the_reference(mode: str) -> None:
    for x in (zero_mean(301), zero_mean((3, 1 << 15), 1, "float32")):
        leaves = assert_same(lambda x=x: lw.wpdec(x, "db3", mode, tree=TREE))
        assert_same(lambda x=x, y=leaves: lw.wprec(y, "db3", mode, shape=x.shape, tree=TREE))
    how, two = ("db3", mode), {"axes": (-2, -1), "tree": TREE_2D}
    for image in (zero_mean((7, 33, 40)), zero_mean((257, 300), 1, "float32")):
        leaves = assert_same(lambda x=image: lw.wpdec(x, *how, **two))
        assert_same(lambda x=image, y=leaves: lw.wprec(y, *how, shape=x.shape, **two))


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x[..., ::-1],
        lambda x: x[:, ::3],
        np.asfortranarray,
        lambda x: np.broadcast_to(x[:, :1], x.shape),
    ],
)
def test_views_are_the_reference(view: Callable[[np.ndarray], np.ndarray]) -> None:
    x = view(zero_mean((40, 60), 2, "float32"))
    for axes in (0, 1, (0, 1)):
        check(x, "db2", "symmetric", 2, axes)


@pytest.mark.parametrize("name", [*LINES, *IMAGES])
def test_undecimated_packets_are_the_reference(name: str) -> None:
    shape, axes, level = (LINES | IMAGES)[name]
    x = zero_mean(shape, 5, "float32")
    for wavelet, y in (("db3", x), ("haar", x[..., ::-1].astype("complex128"))):
        level = min(level, 3 if isinstance(axes, int) else 2)
        assert_same(lambda y=y, w=wavelet, n=level: lw.swpdec(y, w, n, axes, full=True))
        packets = assert_same(lambda y=y, w=wavelet, n=level: lw.swpdec(y, w, n, axes))
        packets = packets[::-1].copy()[::-1]  # not contiguous
        assert_same(lambda p=packets, w=wavelet: lw.swprec(p, w, axes))


def test_undecimated_trees_are_the_reference() -> None:
    for x in (zero_mean(37), zero_mean((3, 1 << 15), 1, "float32")[:, 1:]):
        leaves = assert_same(lambda x=x: lw.swpdec(x, "db3", tree=TREE))
        assert_same(lambda y=leaves: lw.swprec(y, "db3", tree=TREE))
    for image in (zero_mean((7, 33, 40)), zero_mean((257, 300), 1, "float32")):
        two = {"axes": (-2, -1), "tree": TREE_2D}
        leaves = assert_same(lambda x=image, two=two: lw.swpdec(x, "db3", **two))
        assert_same(lambda y=leaves, two=two: lw.swprec(y, "db3", **two))


def test_arrays_that_need_a_copy() -> None:
    x = np.empty(8 * 64 + 1, np.uint8)[1:].view(np.float64)
    x[...] = zero_mean(64)
    swapped = x.astype(">f8")
    for y in (x, swapped):
        packets = assert_same(lambda y=y: lw.wpdec(y, "db2", level=2))
        np.testing.assert_array_equal(packets, lw.wpdec(zero_mean(64), "db2", level=2))


def test_results_are_independent_of_threads() -> None:
    x, image = zero_mean(300_001, 5, "float32"), zero_mean((600, 500), 6, "float32")
    for y, axes in ((x, 0), (image, (0, 1))):
        for mode in ("symmetric", "periodization"):
            results = []
            for count in (1, 2, 3, 7):
                lw.set_num_threads(count)
                packets = lw.wpdec(y, "db4", mode, 4, axes)
                signal = lw.wprec(packets, "db4", mode, axes, shape=y.shape)
                results.append(bits([packets, signal]))
            assert results == results[:1] * 4
    for y, axes in ((x, 0), (image, (0, 1)), (image, 1)):
        results = []
        for count in (1, 2, 7):
            lw.set_num_threads(count)
            packets = lw.swpdec(y, "db4", 2, axes)
            results.append(bits([packets, lw.swprec(packets, "db4", axes)]))
        assert results == results[:1] * 3


def test_one_operation_serves_all_shapes() -> None:
    """A native plan refuses arrays of shapes that it was not made for."""
    for n in (64, 63, 64, 7, 63):
        packets = assert_same(lambda n=n: lw.wpdec(zero_mean((2, n)), "db2", level=2))
        for length in (None, n):
            assert_same(lambda p=packets, n=length: lw.wprec(p, "db2", shape=n))


def test_packets_of_one_shape_belong_to_signals_of_two_lengths() -> None:
    """The native function of a synthesis is kept for the lengths that it was made for."""
    packets = lw.wpdec(zero_mean(64), "db2", "symmetric", 1)
    expected = {n: lw.wprec(packets, "db2", shape=n) for n in (63, 64)}
    for n in (64, 63, 64, 63):
        result = assert_same(lambda n=n: lw.wprec(packets, "db2", shape=n))
        assert result.shape == (n,)
        assert bits(result) == bits(expected[n])
        assert bits(lw.wprec(packets, "db2", shape=(n,))) == bits(result)


def test_no_sample_and_no_item() -> None:
    for shape, axes in (((0, 16), -1), ((0, 8, 8), (1, 2)), ((8, 0), 0)):
        packets = assert_same(lambda s=shape, a=axes: lw.wpdec(np.zeros(s), "db2", level=2, axes=a))
        assert packets.size == 0
        rebuilt = lw.wprec(packets, "db2", axes=axes, shape=shape)
        assert rebuilt.shape == shape


# --- which calls have one native call ------------------------------------------------------------


def native(call: Any) -> Any:
    """The native function of a call."""
    operation = call.operation
    plan = operation.plan_for([x.shape for x in call.arrays], call.sizes)
    return (
        None if plan is None else CpuKernels(no_fallback("cpu", "arguments")).native_packets(plan)
    )


@pytest.mark.parametrize("axes", [0, 1, (0, 1)])
def test_filter_banks_have_one_native_call(axes: Any) -> None:
    x = zero_mean((32, 40))
    for options in ({"level": 2}, {"level": 2, "full": True}):
        call = calls.wpdec(x, "db2", "symmetric", axes=axes, **options)
        results = native(call)(call.arrays)
        assert bits(call.result.pack(results)) == bits(lw.wpdec(x, "db2", axes=axes, **options))
    packets = lw.wpdec(x, "db2", level=2, axes=axes)
    call = calls.wprec(packets, "db2", axes=axes, shape=x.shape)
    assert bits(native(call)(call.arrays)[0]) == bits(
        lw.wprec(packets, "db2", axes=axes, shape=x.shape)
    )
    for options in ({"level": 2}, {"level": 2, "full": True}):
        call = calls.swpdec(x, "db2", axes=axes, **options)
        results = native(call)(call.arrays)
        assert bits(call.result.pack(results)) == bits(lw.swpdec(x, "db2", axes=axes, **options))
    call = calls.swprec(lw.swpdec(x, "db2", 2, axes), "db2", axes)
    np.testing.assert_allclose(native(call)(call.arrays)[0], x, atol=1e-12)


def test_other_calls_go_level_by_level() -> None:
    x = zero_mean((32, 40))
    assert native(calls.wpdec(x, lw.LiftingScheme.from_name("cdf9.7"), "periodization", 1)) is None
    assert native(calls.wpdec(x, "db2", level=0)) is None
    # Axes that are not adjacent.
    assert native(calls.wpdec(x.reshape(32, 8, 5), "db2", level=1, axes=(0, 2))) is None


def test_without_fallbacks_arrays_that_are_not_supported_raise() -> None:
    x = array_api_strict.asarray(zero_mean(32))
    with lw.kernels("cpu!"), pytest.raises(KernelsError, match="no compiled kernel supports"):
        lw.wpdec(x, "db2", level=1)


def test_native_calls_take_arrays_of_one_dtype_and_of_their_shapes() -> None:
    x = zero_mean((3, 64))
    call = calls.wpdec(x, "db2", level=2)
    run = native(call)
    assert run([x[:2]]) is None
    assert run([x.astype("float16")]) is None
    assert run([x.astype("int32")]) is None
    (tensor,) = run([torch.tensor(x)])
    np.testing.assert_array_equal(tensor, lw.wpdec(x, "db2", level=2))
    call = calls.wprec(lw.wpdec(x, "db2", tree=TREE), "db2", tree=TREE, shape=x.shape)
    *others, last = call.arrays
    run = native(call)
    assert run([*others, last]) is not None
    assert run([*others, last.astype("float32")]) is None


def test_unsound_trees_are_refused() -> None:
    """The module does not rely on its callers where memory is at stake."""
    x = zero_mean(64)
    call = calls.wpdec(x, "db2", level=1)
    plan = call.operation.plan_for([x.shape], ())
    from liftwave._kernels.cpu import packets

    level = packets._axes(plan.levels[0])
    memory = _cpu.BandMemory([((2, 33), None, [])])
    good = [(0, -1, 1), (1, 0, -1), (1, 1, -1)]
    run = _cpu.PacketAnalysis([level], good, memory, [(64,)])
    assert bits(run.results([x])[0]) == bits(lw.wpdec(x, "db2", level=1, order="natural"))
    for nodes in (
        [(0, -1, 2), *good[1:]],
        [(0, -1, 0), *good[1:]],
        [good[0], (0, 0, -1), (1, 1, -1)],
        [good[0], (2, 0, -1), (1, 1, -1)],
        [good[0], (1, -2, -1), (1, 1, -1)],
        [(0, -1, -1)],
        [],
    ):
        with pytest.raises(Exception, match=r"node|children|child|level"):
            _cpu.PacketAnalysis([level], nodes, memory, [(64,)])
    call = calls.swpdec(x, "db2", level=1)
    circular = packets._circular_axes(call.operation.plan_for([x.shape], ()).levels[0])
    whole = _cpu.BandMemory([((2, 64), None, [])])
    run = _cpu.CircularPacketAnalysis([circular], good, whole, [(64,)])
    assert bits(run.results([x])[0]) == bits(lw.swpdec(x, "db2", level=1, order="natural"))
    run = _cpu.CircularPacketAnalysis([circular], good, whole, [(60,)])
    with pytest.raises(Exception, match=r"plan"):
        run.results([x[:60]])
    with pytest.raises(Exception, match=r"nodes"):
        _cpu.CircularPacketAnalysis([circular], good, memory, [(64,)]).results([x])
    other = [(0, 60, *circular[0][2:])]
    with pytest.raises(Exception, match=r"lengths"):
        _cpu.CircularPacketAnalysis([circular, other], good, whole, [(64,)])
    for shape in ((2, 32), (3, 33), (33, 2)):
        wrong = _cpu.BandMemory([(shape, None, [])])
        with pytest.raises(Exception, match=r"nodes|memory"):
            _cpu.PacketAnalysis([level], good, wrong, [(64,)]).results([x])
