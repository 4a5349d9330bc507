"""Derivatives of the public transforms: adjoints, finite differences, torch's autograd."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import pywt
import torch
from helpers import (
    DISCRETE,
    LIFTING_MODES,
    MODES,
    Library,
    all_of,
    assert_all_close,
    assert_close,
    axis_plans,
    eps,
    mapped,
    to_numpy,
    zero_mean,
)

import liftwave as lw
from liftwave._kernels.reference.family import ReferenceKernels
from liftwave._operations import transform_vjp as _vjp
from liftwave._plan.levels import (
    AnalysisPlan,
    FilterStep,
    LiftStep,
    SynthesisPlan,
    flatten_bands,
    unflatten_bands,
)
from liftwave._plan.planning import plan_analysis, plan_synthesis
from liftwave.errors import ArgumentTypeError, DTypeError, LevelWarning, ShapeError, WaveletError
from liftwave.gradients import FilterBankGradient, LiftingGradient

pytestmark = pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")

reference = ReferenceKernels()

LENGTHS = (1, 2, 3, 8, 9, 31)


# --- trees -------------------------------------------------------------------------------------


def leaves(tree: Any) -> list[Any]:
    """The arrays in nested lists, tuples and dicts, in order (without the missing ones)."""
    if isinstance(tree, lw.FswavedecnResult):
        return [tree.coeffs]
    if isinstance(tree, Mapping):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [] if tree is None else [tree]


def inner(a: Any, b: Any) -> float:
    """``Re <a, b>`` of two trees of the same structure."""
    return sum(
        float(np.vdot(to_numpy(x), to_numpy(y)).real)
        for x, y in zip(leaves(a), leaves(b), strict=True)
    )


def norm(tree: Any) -> float:
    return inner(tree, tree) ** 0.5


def like(tree: Any, seed: int) -> Any:
    """Random numbers in the structure of a result."""
    if isinstance(tree, lw.FswavedecnResult):
        return zero_mean(tuple(tree.coeffs.shape), seed, dtype_of(tree.coeffs))
    seeds = iter(range(seed, seed + 1000))
    return mapped(lambda x: zero_mean(tuple(x.shape), next(seeds), dtype_of(x)), tree)


def dtype_of(x: Any) -> str:
    return str(x.dtype).rsplit(".", 1)[-1]


# --- the adjoint: every wavelet, mode and length -------------------------------------------------


def gain_of(wavelet: Any, mode: str, n: int, level: int, axes: int = 1) -> float:
    """The largest ratio of the sums' terms to the samples, over all levels."""
    plan = plan_analysis((n,), axis_plans((0,), (wavelet,), (mode,)), level)
    steps = [step for each in plan.levels for _, step in each.analysis_steps]
    return float(np.prod([gain_of_step(step) for step in steps])) ** axes


def gain_of_step(step: FilterStep | LiftStep) -> float:
    if isinstance(step, FilterStep):
        rows = (*step.plan.extend.left, *step.plan.extend.right)
        weight = max([1.0, *(abs(weight) for row in rows for _, weight in row)])
        return float(np.abs(step.filters).sum()) * weight
    channels = [1.0, 1.0]
    for geometry, taps in zip(step.plan.steps, step.taps, strict=True):
        channels[geometry.target] += sum(map(abs, taps)) * channels[1 - geometry.target]
    return max(channels) * max(max(abs(s), 1 / abs(s)) for s in step.scale)


def check_adjoint(gain: float, function: Any, data: Any, *args: Any, **kwargs: Any) -> float:
    """``<g, T x> = <T* g, x>`` on numbers of zero mean; returns the gap in units of the bound."""
    result, pullback = lw.vjp(function, *data, *args, **kwargs)
    cotangents = like(result, 1)
    pulled = pullback(cotangents, wavelet=False).data
    assert len(leaves(pulled)) == len(leaves(data))
    gap = abs(inner(cotangents, result) - inner(pulled, data))
    unit = eps(leaves(data)[0]) * gain * norm(data) * norm(cotangents)
    assert gap <= 4 * unit, f"{gap / unit} units"
    return gap / unit


def check_both_ways(wavelet: Any, mode: str, n: int, level: int, dtype: str) -> float:
    """One-dimensional analysis and synthesis of a batch."""
    x = zero_mean((2, n), n, dtype)
    try:
        coeffs = lw.wavedec(x, wavelet, mode, level)
    except ShapeError:  # reflect cannot extend a level of one sample
        return 0.0
    gain = gain_of(wavelet, mode, n, level)
    worst = check_adjoint(gain, lw.wavedec, (x,), wavelet, mode, level)
    given = like(coeffs, 7)
    back = max(gain, gain_of_synthesis(given, wavelet, mode))
    return max(worst, check_adjoint(back, lw.waverec, (given,), wavelet, mode))


def gain_of_synthesis(coeffs: Any, wavelet: Any, mode: str) -> float:
    details = [{"d": band} for band in coeffs[1:]]
    plan = synthesis_plan(coeffs[0], details, axis_plans((1,), (wavelet,), (mode,)))
    steps = [step for each in plan.levels for _, step, _ in each.synthesis_steps]
    return float(np.prod([gain_of_step(step) for step in steps]))


def synthesis_plan(approx: Any, details: Any, plans: Any) -> SynthesisPlan:
    bands, keys = flatten_bands(approx, details)
    shapes = tuple(tuple(band.shape) for band in bands)
    return plan_synthesis(shapes, keys, approx is not None, plans, True)


FAMILIES = ("haar", "db2", "db7", "sym4", "coif2", "bior1.3", "bior4.4", "rbio3.1", "dmey")
SCHEMES = ("haar", "cdf5.3", "cdf9.7", "db3", "sym5", "coif1", "rbio3.3")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("mode", MODES)
def test_adjoint_of_filter_banks(mode: str, dtype: str, kernels: Any) -> None:
    for k, wavelet in enumerate(FAMILIES):
        for n in LENGTHS[k % 2 :: 2]:
            check_both_ways(wavelet, mode, n, 1 + n % 3, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_adjoint_of_lifting(mode: str, dtype: str, kernels: Any) -> None:
    for name in SCHEMES:
        for n in LENGTHS:
            check_both_ways(lw.LiftingScheme.from_name(name), mode, n, 1 + n % 3, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("wavelet", all_of(DISCRETE))
def test_adjoint_of_every_wavelet(wavelet: str, kernels: Any) -> None:
    for mode in MODES:
        for n in (*LENGTHS, 32, 100):
            for level in (1, 3):
                check_both_ways(wavelet, mode, n, level, "float64")
                if mode in LIFTING_MODES and wavelet != "dmey":
                    scheme = lw.LiftingScheme.from_name(wavelet)
                    check_both_ways(scheme, mode, n, level, "float64")


# --- every function ------------------------------------------------------------------------------


class Call(NamedTuple):
    """A call of a public function: ``function(*before, *data, wavelet, *after, **named)``."""

    function: Any
    data: tuple[Any, ...]
    wavelet: Any
    after: tuple[Any, ...] = ()
    named: Mapping[str, Any] = {}
    before: tuple[Any, ...] = ()

    def vjp(self) -> Any:
        arguments = (*self.before, *self.data, *self.wavelets(), *self.after)
        return lw.vjp(self.function, *arguments, **self.named)

    def run(self) -> Any:
        arguments = (*self.before, *self.data, *self.wavelets(), *self.after)
        return self.function(*arguments, **self.named)

    def wavelets(self) -> tuple[Any, ...]:
        return () if self.wavelet is None else (self.wavelet,)

    def pulled_like(self) -> Any:
        """The data in the structure of the pullback."""
        return self.data if len(self.data) > 1 else self.data[0]


IMAGE, VOLUME, LINE = zero_mean((11, 14), 1), zero_mean((7, 8, 9), 2), zero_mean(29, 3)
CDF97, CDF53 = (lw.LiftingScheme.from_name(name) for name in ("cdf9.7", "cdf5.3"))
DB2, BIOR, HAAR = (
    lw.FilterBank(*pywt.Wavelet(name).filter_bank) for name in ("db2", "bior2.2", "haar")
)

ANALYSES = {
    "dwt": Call(lw.dwt, (IMAGE,), DB2, ("smooth", 0)),
    "dwt lifting": Call(lw.dwt, (IMAGE,), CDF97, ("periodization", 0)),
    "dwt2": Call(lw.dwt2, (IMAGE,), BIOR, ("reflect",)),
    "dwt2 lifting": Call(lw.dwt2, (IMAGE,), CDF97, ("symmetric",)),
    "dwtn": Call(lw.dwtn, (VOLUME,), (DB2, CDF97), (("periodic", "zero"),), {"axes": (2, 0)}),
    "dwtn twice along one axis": Call(lw.dwtn, (VOLUME,), DB2, (), {"axes": (1, 1)}),
    "dwtn lifting twice": Call(lw.dwtn, (VOLUME,), CDF53, ("zero",), {"axes": (0, 0)}),
    "dwtn no axes": Call(lw.dwtn, (VOLUME,), DB2, (), {"axes": ()}),
    "wavedec": Call(lw.wavedec, (IMAGE,), BIOR, ("antireflect", 3, 0)),
    "wavedec level 0": Call(lw.wavedec, (IMAGE,), DB2, (), {"level": 0}),
    "wavedec complex": Call(lw.wavedec, (zero_mean((2, 13), 5, "complex128"),), DB2, ("zero", 2)),
    "wavedec2": Call(lw.wavedec2, (IMAGE,), DB2, ("antisymmetric", 2)),
    "wavedec2 lifting": Call(lw.wavedec2, (VOLUME,), CDF97, ("periodization", 3)),
    "wavedec2 axes": Call(lw.wavedec2, (VOLUME,), DB2, ("periodization", 2, (0, 2))),
    "wavedecn": Call(lw.wavedecn, (VOLUME,), HAAR, ("constant", 3)),
    "wavedecn mixed": Call(
        lw.wavedecn, (VOLUME,), (CDF53, DB2, DB2), ("periodization", 2), {"axes": (1, 2, 0)}
    ),
    "fswavedecn": Call(lw.fswavedecn, (IMAGE,), (DB2, CDF97), ("zero", (2, 0))),
    "fswavedecn 3-D": Call(lw.fswavedecn, (VOLUME,), DB2, ("periodization", (2, 1, 3))),
    "downcoef a": Call(lw.downcoef, (LINE,), DB2, ("zero", 2), {}, ("a",)),
    "downcoef d": Call(lw.downcoef, (LINE,), BIOR, ("smooth", 3), {}, ("d",)),
    "downcoef lifting": Call(lw.downcoef, (LINE,), CDF97, ("reflect", 2), {}, ("d",)),
}


def undone(name: str, inverse: Any, *drop: Any, **named: Any) -> Call:
    """The inverse of an analysis, on other numbers, with some bands missing."""
    call = ANALYSES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LevelWarning)
        coeffs = call.run()
    if isinstance(coeffs, lw.FswavedecnResult):
        return Call(inverse, (coeffs,), None)
    coeffs = without(like(coeffs, 50), drop)
    data = coeffs if inverse is lw.idwt else (coeffs,)
    modes = call.after[:1]
    return Call(inverse, data, call.wavelet, modes, {**call.named, **named})


def without(tree: Any, drop: Sequence[Any]) -> Any:
    """A structure without some bands: keys of dicts, positions in lists and tuples."""
    if isinstance(tree, dict):
        return {key: without(value, drop) for key, value in tree.items() if key not in drop}
    if isinstance(tree, list | tuple):
        kept = [None if k in drop else without(value, ()) for k, value in enumerate(tree)]
        return type(tree)(kept)
    return tree


SYNTHESES = {
    "idwt": undone("dwt", lw.idwt, axis=0),
    "idwt lifting": undone("dwt lifting", lw.idwt, axis=0),
    "idwt details": undone("dwt", lw.idwt, 0, axis=0),
    "idwt2": undone("dwt2", lw.idwt2),
    "idwt2 details": undone("dwt2 lifting", lw.idwt2, 0),
    "idwtn": undone("dwtn", lw.idwtn),
    "idwtn some": undone("dwtn", lw.idwtn, "aa", "ad"),
    "idwtn one": undone("dwtn", lw.idwtn, "aa", "ad", "da"),
    "idwtn twice": undone("dwtn twice along one axis", lw.idwtn, "dd"),
    "idwtn lifting twice": undone("dwtn lifting twice", lw.idwtn, "ad"),
    "idwtn lifting twice some": undone("dwtn lifting twice", lw.idwtn, "da", "dd"),
    "waverec": undone("wavedec", lw.waverec, axis=0),
    "waverec no approximation": undone("wavedec", lw.waverec, 0, 1, axis=0),
    "waverec no details": undone("wavedec", lw.waverec, 1, 2, axis=0),
    "waverec level 0": Call(lw.waverec, ([IMAGE],), DB2),
    "waverec complex": undone("wavedec complex", lw.waverec),
    "waverec2": undone("wavedec2", lw.waverec2),
    "waverec2 lifting": undone("wavedec2 lifting", lw.waverec2),
    "waverec2 axes": undone("wavedec2 axes", lw.waverec2, axes=(0, 2)),
    "waverecn": undone("wavedecn", lw.waverecn),
    "waverecn mixed": undone("wavedecn mixed", lw.waverecn),
    "fswaverecn": undone("fswavedecn", lw.fswaverecn),
    "fswaverecn 3-D": undone("fswavedecn 3-D", lw.fswaverecn),
    "upcoef a": Call(lw.upcoef, (LINE,), DB2, (2,), {}, ("a",)),
    "upcoef d": Call(lw.upcoef, (LINE,), BIOR, (3,), {"take": 40}, ("d",)),
}

CALLS = {**ANALYSES, **SYNTHESES}


@pytest.mark.parametrize("name", CALLS)
def test_result_is_that_of_the_function(name: str, kernels: Any) -> None:
    result, _ = CALLS[name].vjp()
    expected = CALLS[name].run()
    if isinstance(expected, lw.FswavedecnResult):
        result, expected = result.coeffs, expected.coeffs
    assert_all_close(result, expected, ulps=0)


@pytest.mark.parametrize("name", CALLS)
def test_adjoint_of_every_function(name: str, kernels: Any) -> None:
    """The same with the gradient in the wavelet, which uses other code."""
    call = CALLS[name]
    result, pullback = call.vjp()
    cotangents = like(result, 1)
    data, both = pullback(cotangents, wavelet=False), pullback(cotangents)
    assert data.wavelet is None
    size = norm(call.data) * norm(cotangents)
    gap = inner(cotangents, result) - inner(data.data, call.pulled_like())
    assert abs(gap) <= 1000 * 2.0**-52 * size
    for a, b in zip(leaves(data.data), leaves(both.data), strict=True):
        assert_close(a, b, ulps=1000, scale=norm(cotangents))
    assert shapes_of(data.data) == shapes_of(call.pulled_like())


def shapes_of(tree: Any) -> Any:
    if isinstance(tree, lw.FswavedecnResult):
        return tuple(tree.coeffs.shape), tree.coeff_slices
    return mapped(lambda x: tuple(x.shape), tree)


# --- the wavelet ---------------------------------------------------------------------------------


def moved(wavelet: Any, direction: Any, step: float) -> Any:
    """A wavelet plus ``step`` times a direction, which has the structure of its gradient."""
    if isinstance(wavelet, tuple):
        return tuple(moved(w, d, step) for w, d in zip(wavelet, direction, strict=True))
    if isinstance(wavelet, lw.FilterBank):
        pairs = zip(wavelet.filter_bank, vars(direction).values(), strict=True)
        return lw.FilterBank(*(np.asarray(taps) + step * d for taps, d in pairs))
    steps = [
        lw.LiftingStep(s.kind, np.asarray(s.taps) + step * d, s.offset)
        for s, d in zip(wavelet.steps, direction.taps, strict=True)
    ]
    scale = [s + step * float(d) for s, d in zip(wavelet.scale, direction.scale, strict=True)]
    return lw.LiftingScheme(steps, tuple(scale), shift=wavelet.shift)


def numbers(gradient: Any) -> list[np.ndarray]:
    """All arrays of a wavelet's gradient, or of several."""
    if isinstance(gradient, list):
        return [x for each in gradient for x in numbers(each)]
    if isinstance(gradient, FilterBankGradient):
        return list(vars(gradient).values())
    assert isinstance(gradient, LiftingGradient)
    return [*gradient.taps, gradient.scale]


def random_direction(gradient: Any, rng: np.random.Generator) -> Any:
    if isinstance(gradient, list):
        return [random_direction(each, rng) for each in gradient]
    if isinstance(gradient, FilterBankGradient):
        return FilterBankGradient(*(rng.standard_normal(x.shape) for x in numbers(gradient)))
    taps = tuple(rng.standard_normal(x.shape) for x in gradient.taps)
    return LiftingGradient(taps, rng.standard_normal(2))


def difference(function: Callable[[float], float], step: float) -> float:
    """The derivative at zero from four values, of fourth order."""
    near, far = (function(k * step) - function(-k * step) for k in (1, 2))
    return (8 * near - far) / (12 * step)


@pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning")
@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if call.wavelet is not None])
def test_wavelets_by_finite_differences(name: str, kernels: Any) -> None:
    call = CALLS[name]
    result, pullback = call.vjp()
    cotangents = like(result, 1)
    gradient = pullback(cotangents).wavelet
    direction = random_direction(gradient, np.random.default_rng(5))
    actual = sum(
        float(np.vdot(a, b)) for a, b in zip(numbers(gradient), numbers(direction), strict=True)
    )

    def objective(step: float) -> float:
        return inner(cotangents, call._replace(wavelet=moved(call.wavelet, direction, step)).run())

    step = 2.0**-11
    size = norm(cotangents) * norm(result) * max(norm(numbers(direction)), 1.0)
    assert abs(actual - difference(objective, step)) <= 64 * 2.0**-52 / step * size


def test_the_differences_see_errors() -> None:
    """A relative error of a millionth in a gradient is detected."""
    call = CALLS["wavedec2"]
    result, pullback = call.vjp()
    cotangents = like(result, 1)
    (gradient,) = [pullback(cotangents).wavelet]
    size = norm(cotangents) * norm(result)
    assert 1e-6 * norm(numbers(gradient)) > 64 * 2.0**-52 * 2.0**11 * size


@pytest.mark.parametrize("name", ["dwt2", "wavedec2 lifting", "waverec2", "wavedecn"])
def test_one_wavelet_for_all_axes_gets_the_sum(name: str) -> None:
    call = CALLS[name]
    naxes = 3 if name == "wavedecn" else 2
    shared, pull = call.vjp()
    each = call._replace(wavelet=[call.wavelet] * naxes).vjp()[1]
    cotangents = like(shared, 1)
    total, parts = pull(cotangents).wavelet, each(cotangents).wavelet
    assert isinstance(parts, list)
    assert len(parts) == naxes
    for whole, *pieces in zip(numbers(total), *map(numbers, parts), strict=True):
        assert_close(whole, sum(pieces), ulps=4, scale=norm(cotangents))
    (alone,) = call._replace(wavelet=[call.wavelet]).vjp()[1](cotangents).wavelet
    for a, b in zip(numbers(alone), numbers(total), strict=True):
        assert_close(a, b, ulps=0)


# --- against torch -------------------------------------------------------------------------------


def as_tensors(wavelet: Any) -> tuple[Any, list[Any]]:
    """The wavelet with taps and scales as tensors, and these tensors."""

    def leaf(values: Any) -> Any:
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    if isinstance(wavelet, lw.FilterBank):
        taps = [leaf(f) for f in wavelet.filter_bank]
        return lw.FilterBank(*taps), taps
    taps, scale = [leaf(s.taps) for s in wavelet.steps], [leaf(s) for s in wavelet.scale]
    steps = [lw.LiftingStep(s.kind, t, s.offset) for s, t in zip(wavelet.steps, taps, strict=True)]
    return replace(wavelet, steps=tuple(steps), scale=tuple(scale), origin=None), [*taps, *scale]


DROPS: tuple[tuple[Any, ...], ...] = ((), ("aa",), ("da", "dd"), ("ad", "da", "dd"))


@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize(
    "wavelets", [(DB2, DB2), (CDF97, CDF53), (DB2, CDF53), (CDF97, BIOR)], ids=str
)
@pytest.mark.parametrize("mode", ["periodization", "symmetric"])
def test_autograd_of_the_reference_agrees(
    mode: str, wavelets: Any, drop: tuple[str, ...], kernels: Any
) -> None:
    """Gradients for data and wavelets, both directions, from inputs and from outputs."""
    made = [as_tensors(w) for w in wavelets]
    tensors, taps = [m[0] for m in made], [leaf for m in made for leaf in m[1]]
    for level, axes in ((1, (0, 1)), (3, (1, 2)), (2, (2, 0))):
        plans, twins = (axis_plans(axes, list(w), mode) for w in (wavelets, tensors))
        x = zero_mean((9, 10, 11), level)
        check_analysis(x, plans, twins, level, drop, taps, kernels)
        check_synthesis(x, plans, twins, level, drop, taps, kernels)


def check_analysis(
    x: Any, plans: Any, twins: Any, level: int, drop: Any, taps: list[Any], kernels: Any
) -> None:
    plan = plan_analysis(x.shape, plans, level)
    tensor = torch.tensor(x, requires_grad=True)
    twin = analysed(tensor, plan_analysis(x.shape, twins, level))
    outputs = analysed(x, plan)
    cotangents = kept(like(list(outputs), 1), drop)
    pairs = pairs_of(twin, cotangents)
    expected = torch.autograd.grad(
        [y for y, _ in pairs],
        [tensor, *taps],
        [torch.tensor(g) for _, g in pairs],
        materialize_grads=True,
        allow_unused=True,
    )
    found = [_vjp.analysis_vjp(x, outputs, cotangents, plan, kernels)]
    if _vjp.is_reversible(plan):
        found.append(_vjp.analysis_vjp(None, outputs, cotangents, plan, kernels))
    for back in found:
        compare([back.data], expected[:1])
        compare_wavelets(back.axes, expected[1:], synthesis=False)


def analysed(x: Any, plan: AnalysisPlan) -> Any:
    """Approximation and details by the reference kernels."""
    return unflatten_bands(reference.analyse(x, plan), plan.keys)


def check_synthesis(
    x: Any, plans: Any, twins: Any, level: int, drop: Any, taps: list[Any], kernels: Any
) -> None:
    outputs = analysed(x, plan_analysis(x.shape, plans, level))
    inputs = kept(like(list(outputs), 1), drop)
    plan = synthesis_plan(*inputs, plans)
    tensors = mapped(lambda b: torch.tensor(b, requires_grad=True), inputs)
    bands, _ = flatten_bands(*tensors)
    twin = reference.synthesise(bands, synthesis_plan(*tensors, twins))
    cotangent = zero_mean(tuple(twin.shape), 3)
    given = leaves(tensors)
    expected = torch.autograd.grad(
        twin, [*given, *taps], torch.tensor(cotangent), materialize_grads=True, allow_unused=True
    )
    found = [_vjp.synthesis_vjp(inputs, None, cotangent, plan, kernels)]
    if _vjp.is_reversible(plan):
        found.append(_vjp.synthesis_vjp(None, to_numpy(twin), cotangent, plan, kernels))
    for back in found:
        approx = None if inputs[0] is None else _vjp.padded(back.approx, inputs[0].shape)
        compare(leaves([approx, back.details]), expected[: len(given)])
        compare_wavelets(back.axes, expected[len(given) :], synthesis=True)


def kept(bands: Any, drop: Sequence[str]) -> Any:
    """(Approximation, details) without the dropped bands at any level."""
    approx, details = bands
    left = [{k: b for k, b in of_level.items() if k not in drop} for of_level in details]
    return (None if "aa" in drop else approx), left


def pairs_of(outputs: Any, cotangents: Any) -> list[tuple[Any, Any]]:
    approx, details = cotangents
    pairs = [] if approx is None else [(outputs[0], approx)]
    for of_level, given in zip(outputs[1], details, strict=True):
        pairs += [(of_level[key], given[key]) for key in given]
    return pairs


def compare(actual: Sequence[Any], expected: Sequence[Any]) -> None:
    for a, e in zip(actual, expected, strict=True):
        assert_close(a, e.numpy(), ulps=256, scale=max(float(e.abs().max()), 1.0))


def compare_wavelets(axes: Sequence[Any], expected: Sequence[Any], synthesis: bool) -> None:
    rest = list(expected)
    for gradient in axes:
        if isinstance(gradient, _vjp.LiftGradient):
            actual = [*gradient.taps, *map(np.asarray, gradient.scale)]
        else:
            zero = np.zeros_like(gradient.low)
            pair = [gradient.low, gradient.high]
            actual = [zero, zero, *pair] if synthesis else [*pair, zero, zero]
        compare(actual, rest[: len(actual)])
        rest = rest[len(actual) :]
    assert not rest


# --- libraries and dtypes ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dwt2", "wavedec2 lifting", "wavedecn mixed", "waverec2"])
def test_any_library(name: str, xp: Library, kernels: Any) -> None:
    call = CALLS[name]
    result, pullback = call.vjp()
    cotangents = like(result, 1)
    expected = pullback(cotangents)
    given = call._replace(data=xp.tree(call.data))
    _, pull = given.vjp()
    actual = pull(xp.tree(cotangents))
    size = norm(cotangents) * 10
    for a, b in zip(leaves(actual.data), leaves(expected.data), strict=True):
        assert_close(a, xp.asarray(b), ulps=16, scale=size)
    pairs = zip(numbers(actual.wavelet), numbers(expected.wavelet), strict=True)
    for a, b in pairs:
        assert_close(a, xp.asarray(b), ulps=16, scale=size * norm(call.data))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("wavelet", [DB2, CDF97], ids=str)
def test_dtypes_stay(wavelet: Any, dtype: str, kernels: Any) -> None:
    x = zero_mean((2, 9), 1, dtype)
    result, pullback = lw.vjp(lw.wavedec, x, wavelet, "zero", 2)
    gradient = pullback(like(result, 2))
    assert gradient.data.dtype == np.dtype(dtype)
    assert {g.dtype for g in numbers(gradient.wavelet)} == {x.real.dtype}


def test_integers_are_differentiated_as_floats() -> None:
    x = np.arange(8)
    result, pullback = lw.vjp(lw.dwt, x, "db2")
    gradient = pullback(result)
    assert gradient.data.dtype == np.float64
    expected = lw.vjp(lw.dwt, x.astype(float), "db2")[1](result).data
    assert_close(gradient.data, expected)


def test_half_precision_of_torch() -> None:
    x = torch.tensor(zero_mean((2, 16), 1), dtype=torch.bfloat16)
    result, pullback = lw.vjp(lw.wavedec, x, CDF97, "symmetric", 2)
    gradient = pullback(result)
    assert gradient.data.dtype == torch.bfloat16
    assert gradient.wavelet.taps[0].dtype == torch.float32


def test_missing_cotangents_are_zero(kernels: Any) -> None:
    x = zero_mean((6, 7), 1)
    result, pullback = lw.vjp(lw.wavedec2, x, DB2, "zero", 2)
    some = [None, (None, result[1][1], None), (None, None, None)]
    zeros = [np.zeros_like(result[0]), tuple(map(np.zeros_like, result[1]))]
    zeros += [tuple(map(np.zeros_like, result[2]))]
    zeros[1] = (zeros[1][0], result[1][1], zeros[1][2])
    actual, expected = pullback(some), pullback(zeros)
    assert_close(actual.data, expected.data, ulps=8)
    for a, b in zip(numbers(actual.wavelet), numbers(expected.wavelet), strict=True):
        assert_close(a, b, ulps=8, scale=norm(result) * norm(x))
    nothing = pullback([None, (None, None, None), (None, None, None)])
    assert not nothing.data.any()
    assert not any(g.any() for g in numbers(nothing.wavelet))


def test_inputs_stay_as_they_are() -> None:
    for call in CALLS.values():
        before = [x.tobytes() for x in leaves(call.data)]
        result, pullback = call.vjp()
        cotangents = like(result, 1)
        copies = [g.copy() for g in leaves(cotangents)]
        pullback(cotangents)
        assert [x.tobytes() for x in leaves(call.data)] == before
        assert all(np.array_equal(a, b) for a, b in zip(leaves(cotangents), copies, strict=True))


# --- errors --------------------------------------------------------------------------------------


def test_functions_without_a_derivative() -> None:
    with pytest.raises(ArgumentTypeError, match=r"vjp differentiates.*dwt.*got 'threshold_firm'"):
        lw.vjp(lw.threshold_firm, np.ones(4), 1.0, 2.0)
    with pytest.raises(TypeError, match="got 'dwt'"):
        lw.vjp(pywt.dwt, np.ones(4), "haar")


@pytest.mark.parametrize("function", [lw.wavedec, lw.fswavedecn])
def test_integer_schemes_have_no_derivative(function: Any) -> None:
    scheme = CDF53.to_integer()
    with pytest.raises(WaveletError, match=r"rounds and has no derivative"):
        lw.vjp(function, np.arange(8), scheme, "zero")


def test_arguments_are_checked_as_the_functions_do() -> None:
    with pytest.raises(ValueError, match="Axis greater than data dimensions"):
        lw.vjp(lw.dwt, np.ones(4), "haar", axis=1)
    with pytest.raises(ArgumentTypeError, match="vjp cannot write to out=, because"):
        lw.vjp(lw.idwt, np.zeros(4), np.zeros(4), "haar", out=np.zeros(8))
    with pytest.raises(TypeError, match="missing a required argument"):
        lw.vjp(lw.dwt, np.ones(4))


@pytest.mark.parametrize(
    ("cotangents", "error", "match"),
    [
        ([np.ones(3), np.ones(2)], ShapeError, r"approximation has shape \(3,\).*\(2,\)"),
        ([np.ones(2), np.ones(3)], ShapeError, r"band 'd' has shape \(3,\).*\(2,\)"),
        ([np.ones(2), np.ones(2) * 1j], DTypeError, "band 'd' is complex"),
        ([np.ones(2)] * 3, ShapeError, "cotangents of 3 bands do not fit a result of 2"),
        ([np.ones(2), torch.ones(2)], ArgumentTypeError, "arrays of one library"),
        ("ab", ShapeError, "Expected sequence"),
    ],
)
def test_cotangents_have_to_fit(cotangents: Any, error: type, match: str) -> None:
    _, pullback = lw.vjp(lw.wavedec, np.arange(4.0), "haar", level=1)
    with pytest.raises(error, match=match):
        pullback(cotangents)


def test_cotangents_of_bands_that_are_not_there() -> None:
    _, pullback = lw.vjp(lw.dwtn, np.ones((4, 4)), "haar")
    with pytest.raises(ShapeError, match="do not belong to 2 axes"):
        pullback({"dda": np.ones((2, 2))})


@pytest.mark.parametrize("lifting", [False, True])
def test_taps_that_are_tensors_give_the_gradients_of_numbers(lifting: bool) -> None:
    x = zero_mean((5, 12))
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    steps = [
        lw.LiftingStep(s.kind, torch.tensor(s.taps, dtype=torch.float64), s.offset)
        for s in scheme.steps
    ]
    filters = [torch.tensor(taps, dtype=torch.float64) for taps in pywt.Wavelet("db2").filter_bank]
    numbers: Any = scheme if lifting else "db2"
    tensors: Any = lw.LiftingScheme(steps, scheme.scale) if lifting else lw.FilterBank(*filters)
    wanted, back = lw.vjp(lw.wavedec2, x, numbers, "symmetric", 1)
    got, pullback = lw.vjp(lw.wavedec2, torch.asarray(x), tensors, "symmetric", 1)
    assert_all_close(mapped(to_numpy, got), wanted, ulps=200)
    of_numbers, of_tensors = back(wanted), pullback(got)
    assert_close(to_numpy(of_tensors.data), of_numbers.data, ulps=200)
    for a, b in zip(values_of(of_tensors.wavelet), values_of(of_numbers.wavelet), strict=True):
        assert_close(to_numpy(a), b, ulps=200, scale=norm(x) ** 2)


def values_of(gradient: Any) -> list[Any]:
    if isinstance(gradient, FilterBankGradient):
        return list(vars(gradient).values())
    return [*gradient.taps, gradient.scale]


def test_taps_that_torch_records_get_gradients_of_the_result() -> None:
    taps = [
        torch.tensor(f, dtype=torch.float64, requires_grad=True)
        for f in pywt.Wavelet("db2").filter_bank
    ]
    (approx, _), _ = lw.vjp(lw.dwt, torch.asarray(zero_mean(12)), lw.FilterBank(*taps))
    approx.sum().backward()
    assert taps[0].grad is not None


def test_conjugated_tensors_are_read() -> None:
    x = torch.asarray(zero_mean(12) + 1j * zero_mean(12, 1))
    (approx, detail), pullback = lw.vjp(lw.dwt, x.conj(), "db2")
    assert_all_close((approx, detail), lw.dwt(x.conj().resolve_conj(), "db2"), ulps=0)
    assert_close(
        pullback((approx.conj(), None)).data, pullback((approx.conj().resolve_conj(), None)).data
    )
