"""Blocks as data: transforms of slices, cropped and put together, equal those of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import liftwave as lw
from liftwave._dispatch import kernels_for
from liftwave._operations.plan_transforms import analysis, synthesis
from liftwave._plan import blocks as arithmetic
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._plan.block_groups import analysis_groups, synthesis_groups
from liftwave._plan.blocks import (
    BandLengths,
    Reach,
    SynthesisLevelOfAxis,
    analysis_reach,
    cuts,
    lengths_of,
    synthesis_reach,
)
from liftwave._plan.boundary import EXTENSION_MODES, LIFTING_MODES
from liftwave._plan.undecimated import Undecimated
from liftwave.lifting import LiftingScheme

Signal = NDArray[Any]

BANKS = ("haar", "db4", "bior4.4", "coif2", "bior2.2", "rbio3.1")
SCHEMES = ("cdf5.3", "cdf9.7", "db3", "sym4")
SHIFTED = LiftingScheme(LiftingScheme.from_name("cdf5.3").steps, shift=(7, -6))
DECIMATED: list[tuple[Any, Any]] = [(SHIFTED, "periodization")]
DECIMATED += [(name, mode) for name in BANKS for mode in EXTENSION_MODES] + [
    (LiftingScheme.from_name(name), mode) for name in SCHEMES for mode in LIFTING_MODES
]
UNDECIMATED = [
    (name, Undecimated(alignment, 0, norm, mode))  # type: ignore[arg-type]
    for name in ("haar", "db3", "bior4.4")
    for alignment, norm in (("centred", False), ("causal", True))
    for mode in EXTENSION_MODES
] + [
    (LiftingScheme.from_name("cdf9.7"), Undecimated("centred", 1, boundary=mode))
    for mode in LIFTING_MODES
]


def plans_of(wavelet: Any, mode: Any) -> AxisPlans:
    return axis_plans(wavelet, mode, (0,), 1)


def at_depth(plans: AxisPlans, depth: int) -> AxisPlans:
    (plan,) = plans
    if not isinstance(plan.mode, Undecimated):
        return plans
    mode = plan.mode._replace(start_level=plan.mode.start_level + depth)
    return AxisPlans([plan._replace(mode=mode)])


def analysed(x: Signal, plans: AxisPlans, level: int) -> list[Signal]:
    """The approximation, and the details, coarsest level first."""
    return analysis(plans, 1, level).run([x], (), kernels_for(x))


def synthesised(approx: Signal, detail: Signal, plans: AxisPlans) -> Signal:
    (x,) = synthesis(plans, 1, 1).run([approx, detail], (), kernels_for(approx))
    return x


def analysed_in_blocks(
    x: Signal, plans: AxisPlans, level: int, bounds: Sequence[int], most: float
) -> tuple[list[Signal], int]:
    """The bands, put together from blocks, and the largest number of blocks."""
    details: list[Signal] = []
    groups = analysis_groups(x.shape, plans, level, [bounds], most)
    for group in groups:
        bands = []
        for block in group.axes[0]:
            part = np.concatenate([x[start:stop] for start, stop in block.reads])
            computed = analysed(part, at_depth(plans, group.depth), group.levels)
            order = [("a", group.levels - 1)]
            order += [("d", j) for j in reversed(range(group.levels))]
            bands.append(
                [
                    band[slice(*block.crops[j].of(letter)[0])]
                    for (letter, j), band in zip(order, computed, strict=True)
                ]
            )
        x, *rest = (np.concatenate(parts) for parts in zip(*bands, strict=True))
        details[:0] = rest
    return [x, *details], max(group.grid[0] for group in groups)


def synthesised_in_blocks(
    bands: Sequence[Signal], n: int, plans: AxisPlans, bounds: Sequence[int], most: float
) -> Signal:
    """The signal, put together from blocks, as ``waverec`` returns it."""
    (plan,), details = plans, list(bands[1:])[::-1]
    used = used_lengths(bands, plans)
    levels = [
        SynthesisLevelOfAxis(BandLengths(a, detail.size), m)
        for detail, (m, a) in zip(details, pairwise([n, *used]), strict=True)
    ]
    halvings = [j if arithmetic.stride_of(plan) == 2 else 0 for j in range(len(details))]
    each = [[[bound >> j for bound in bounds]] for j in halvings]
    x = bands[0]
    for group in synthesis_groups((n,), plans, [levels], each, most):
        parts = []
        for block in group.axes[0]:
            approx = np.concatenate([x[i:j] for i, j in block.reads[-1].approx])
            for j in reversed(range(group.levels)):
                detail = details[group.depth + j]
                detail = np.concatenate([detail[slice(*s)] for s in block.reads[j].detail])
                approx = synthesised(approx, detail, at_depth(plans, group.depth + j))
                approx = approx[slice(*block.crops[j])]
            parts.append(approx)
        x = np.concatenate(parts)
    return x


def used_lengths(bands: Sequence[Signal], plans: AxisPlans) -> list[int]:
    """The numbers of samples of each approximation that a synthesis uses, finest level first."""
    (plan,), details = plans, list(bands[1:])[::-1]
    is_lifting = isinstance(plan.wavelet, LiftingScheme)
    if is_lifting and plan.mode in LIFTING_MODES and plan.mode != "periodization":
        n = sum(band.size for band in bands)  # approximations can have one more sample
        return [lengths.approx for lengths in lengths_of(n, plan, len(details))]
    return [detail.size for detail in details]


def check(x: Signal, plans: AxisPlans, level: int, bounds: Sequence[int], most: float) -> int:
    """Compare blocks with the whole; the number of blocks."""
    expected = analysed(x, plans, level)
    bands, count = analysed_in_blocks(x, plans, level, bounds, most)
    for band, whole in zip(bands, expected, strict=True):
        np.testing.assert_array_equal(band, whole)
    approx = expected[0]
    for k, detail in enumerate(expected[1:]):
        approx = synthesised(approx, detail, at_depth(plans, level - 1 - k))
    rebuilt = synthesised_in_blocks(expected, approx.size, plans, bounds, most)
    np.testing.assert_array_equal(rebuilt, approx)
    return count


@settings(max_examples=100, deadline=None)
@given(
    case=st.sampled_from(DECIMATED),
    n=st.integers(1, 400),
    level=st.integers(1, 4),
    bounds=st.lists(st.integers(1, 399), max_size=8),
    most=st.sampled_from([1.0, 1.25, 100.0]),
    seed=st.integers(0, 9),
)
def test_blocks_of_decimated_transforms(
    case: Any, n: int, level: int, bounds: list[int], most: float, seed: int
) -> None:
    x = np.random.default_rng(seed).standard_normal(n)
    plans = plans_of(*case)
    if n == 1 and plans[0].boundary in ("reflect", "antireflect"):
        return  # such a signal is refused
    level = min(level, max(1, n.bit_length() - 1))
    check(x, plans, level, sorted({b for b in bounds if b < n}), most)


@settings(max_examples=40, deadline=None)
@given(
    case=st.sampled_from(UNDECIMATED),
    n=st.integers(2, 300),
    level=st.integers(1, 3),
    bounds=st.lists(st.integers(1, 299), max_size=5),
    most=st.sampled_from([1.0, 100.0]),
)
def test_blocks_of_undecimated_transforms(
    case: Any, n: int, level: int, bounds: list[int], most: float
) -> None:
    x = np.random.default_rng(n).standard_normal(n)
    check(x, plans_of(*case), level, sorted({b for b in bounds if b < n}), most)


@pytest.mark.parametrize("mode", EXTENSION_MODES)
@pytest.mark.parametrize("n", [512, 513, 760])
@pytest.mark.parametrize("most", [1.0, 100.0])
def test_signals_are_cut(mode: str, n: int, most: float) -> None:
    """(Otherwise the tests above would compare the whole with itself.)"""
    x = np.random.default_rng(0).standard_normal(n)
    assert check(x, plans_of("bior4.4", mode), 3, [120, 250, 371], most) == 4


@pytest.mark.parametrize(
    ("mode", "side"),
    [
        *((mode, 0) for mode in ("symmetric", "periodic", "antireflect", "periodization")),
        ("periodization", 1),  # only these filters read samples behind
    ],
)
def test_a_shorter_reach_is_noticed(mode: str, side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """(One sample fewer is hidden, because reaches are rounded to the stride.)"""

    def shorter(plan: Any, depth: int = 0) -> Reach:
        reach = [*analysis_reach(plan, depth)]
        reach[side] -= 2
        return Reach(*reach)

    monkeypatch.setattr(arithmetic, "analysis_reach", shorter)
    x = np.random.default_rng(0).standard_normal(512)
    with pytest.raises(AssertionError):
        check(x, plans_of("db4", mode), 1, [128, 256], 1.0)


def test_shifts_of_schemes() -> None:
    x = np.random.default_rng(0).standard_normal(512)
    assert check(x, plans_of(SHIFTED, "periodization"), 2, [120, 250, 371], 100.0) == 4


def test_reaches_of_filter_banks_and_schemes() -> None:
    (bank,), (around,) = plans_of("db4", "symmetric"), plans_of("db4", "periodization")
    assert (analysis_reach(bank), synthesis_reach(bank)) == (Reach(6, 0), Reach(0, 3))
    assert (analysis_reach(around), synthesis_reach(around)) == (Reach(3, 3), Reach(2, 2))
    (scheme,) = plans_of(LiftingScheme.from_name("cdf5.3"), "symmetric")
    assert (analysis_reach(scheme), synthesis_reach(scheme)) == (Reach(2, 1), Reach(1, 1))


def test_cuts_are_rounded_and_keep_blocks_long() -> None:
    assert cuts(100, [10, 33, 71, 95], 4, 20) == [0, 32, 72, 100]
    assert cuts(100, [], 4, 20) == [0, 100]
    assert cuts(10, [3, 6], 4, 20) == [0, 10]


def test_levels_are_computed_together_as_long_as_this_reads_little_more() -> None:
    plans = lw.decompose(np.ones((64, 64)), "bior4.4", level=1).plans
    large, small = [range(2048, 8192, 2048)] * 2, [range(64, 8192, 64)] * 2
    assert [g.levels for g in analysis_groups((8192, 8192), plans, 3, large)] == [3]
    assert [g.levels for g in analysis_groups((8192, 8192), plans, 3, small)] == [1, 1, 1]
