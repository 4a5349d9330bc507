"""Derivatives of undecimated transforms: adjoints, gradients in taps, torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import LIFTING_MODES, Library, zero_mean

import liftwave as lw
from liftwave.errors import ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")
quiet = pytest.mark.filterwarnings("ignore:norm=True")


def leaves(tree: Any) -> list[Any]:
    """The arrays of coefficients, in order."""
    if isinstance(tree, Mapping):
        return [tree[key] for key in sorted(tree)]
    if isinstance(tree, list | tuple):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [] if tree is None else [tree]


def random_like(tree: Any, seed: int = 0) -> Any:
    """Coefficients of the same structure that no signal has."""
    rng = np.random.default_rng(seed)

    def of(branch: Any) -> Any:
        if isinstance(branch, dict):
            return {key: of(value) for key, value in branch.items()}
        if isinstance(branch, list | tuple):
            return type(branch)(map(of, branch))
        if branch is None:
            return None
        noise = rng.standard_normal(branch.shape)
        if branch.dtype.kind == "c":
            noise = noise + 1j * rng.standard_normal(branch.shape)
        return noise.astype(branch.dtype)

    return of(tree)


def inner(a: Any, b: Any) -> float:
    return sum(float(np.vdot(x, y).real) for x, y in zip(leaves(a), leaves(b), strict=True))


def cases(x: np.ndarray) -> Iterator[tuple[Callable[..., Any], Any, dict[str, Any]]]:
    """Functions, their data and their options other than the wavelet."""
    yield lw.swt, x, {"level": 3}
    later = {"start_level": int(len(x) > 2)}
    yield lw.swt, x, {"level": 2, **later, "axis": 0, "trim_approx": True, "norm": True}
    yield lw.swt2, x, {"level": 2}
    yield lw.swtn, x, {"level": 1, "norm": True}
    yield lw.iswt, [(x, 2 * x), (3 * x, x)], {"axis": 0}
    yield lw.iswt, [x, 2 * x, 3 * x], {"norm": True}
    yield lw.iswt2, [(x, (2 * x, -x, 3 * x)), (x, (x, x, 5 * x))], {}
    yield lw.iswtn, [x, {"ad": x, "dd": 2 * x}], {}
    for mode in ("periodic", "reflection"):
        yield lw.modwt, x, {"level": 2, "mode": mode}
        yield lw.modwt_mra, x, {"level": 2, "mode": mode, "axis": 0}
    yield lw.imodwt, [x, 2 * x, -x], {}
    yield lw.imodwt, [np.concatenate([x, -x])] * 2, {"axis": 0, "mode": "reflection"}
    yield lw.mra, x, {"level": 2}
    yield lw.mra2, x, {"level": 2, "levels_only": True}
    yield lw.mran, x, {"level": 1}
    yield lw.mra, x, {"level": 1, "transform": "dwt", "mode": "symmetric"}
    yield lw.mra2, x, {"level": 2, "transform": "dwt2", "levels_only": True}


@quiet
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(1, 1), (2, 5), (9, 16)])
@quiet
@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.usefixtures("kernels")
def test_pullbacks_are_adjoints(shape: tuple[int, ...], dtype: type) -> None:
    noise = np.random.default_rng(0).standard_normal((2, *shape))
    x = noise[0] if dtype is float else noise[0] + 1j * noise[1]
    for wavelet in ("db2", "bior1.3"):
        for function, data, options in cases(x):
            y, pullback = lw.vjp(function, data, wavelet, **options)
            g = random_like(y, 3)
            pulled = pullback(g, wavelet=False).data
            probe = random_like(data, 4)
            expected = inner(g, function(probe, wavelet, **options))
            assert inner(pulled, probe) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@quiet
@pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning")
@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.usefixtures("kernels")
def test_gradients_in_taps_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(2)
    taps = [np.asarray(taps) for taps in pywt.Wavelet("db2").filter_bank]
    direction = [rng.standard_normal(4) for _ in taps]
    names = ("dec_lo", "dec_hi", "rec_lo", "rec_hi")
    noise = rng.standard_normal((2, 5, 7))
    for x in (noise[0], noise[0] + 1j * noise[1]):
        for function, data, options in cases(x):
            y, pullback = lw.vjp(function, data, lw.FilterBank(*taps), **options)
            g = random_like(y, 3)
            gradient = pullback(g).wavelet

            def value(t: float, function=function, data=data, options=options, g=g) -> float:  # type: ignore[no-untyped-def]
                bank = lw.FilterBank(*(f + t * d for f, d in zip(taps, direction, strict=True)))
                return inner(g, function(data, bank, **options))

            slope = (value(1e-5) - value(-1e-5)) / 2e-5
            ours = sum(
                float(getattr(gradient, name) @ d) for name, d in zip(names, direction, strict=True)
            )
            assert ours == pytest.approx(slope, rel=1e-6, abs=1e-7)


# --- lifting -------------------------------------------------------------------------------------


def lifted_cases(x: np.ndarray) -> Iterator[tuple[Callable[..., Any], Any, dict[str, Any]]]:
    """Functions that accept a scheme, their data and their options."""
    yield lw.swt, x, {"level": 3}
    yield lw.swt, x, {"level": 2, "axis": 0, "trim_approx": True, "norm": True}
    yield lw.swt2, x, {"level": 2}
    yield lw.swtn, x, {"level": 1, "trim_approx": True}
    yield lw.swtn, x, {"level": 0}
    yield lw.iswt, [(x, 2 * x), (3 * x, x)], {"axis": 0}
    yield lw.iswt, [x, 2 * x, None, -x], {"norm": True}
    yield lw.iswt2, [x, (2 * x, None, 3 * x), (x, x, 5 * x)], {}
    yield lw.iswtn, [x, {"ad": x, "dd": 2 * x}], {}


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", ["cdf9.7", "db3"])
def test_pullbacks_of_lifting_are_adjoints(name: str, mode: str) -> None:
    scheme = lw.LiftingScheme.from_name(name)
    for shape in ((1, 1), (2, 5), (7, 16)):
        noise = np.random.default_rng(0).standard_normal((2, *shape))
        for x in (noise[0], noise[0] + 1j * noise[1]):
            for function, data, options in lifted_cases(x):
                y, pullback = lw.vjp(function, data, scheme, mode=mode, **options)
                np.testing.assert_equal(y, function(data, scheme, mode=mode, **options))
                if not leaves(y):
                    continue
                g, probe = random_like(y, 3), random_like(data, 4)
                pulled = pullback(g, wavelet=False).data
                expected = inner(g, function(probe, scheme, mode=mode, **options))
                assert inner(pulled, probe) == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("mode", ["periodization", "symmetric", "zero"])
def test_gradients_in_steps_are_those_of_torch(mode: str) -> None:
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    for function, data, options in lifted_cases(zero_mean((5, 8))):
        _, pullback = lw.vjp(function, data, scheme, mode=mode, **options)
        taps = [torch.tensor(s.taps, dtype=torch.float64, requires_grad=True) for s in scheme.steps]
        scale = torch.tensor(scheme.scale, dtype=torch.float64, requires_grad=True)
        learned = lw.LiftingScheme(
            [lw.LiftingStep(s.kind, t, s.offset) for s, t in zip(scheme.steps, taps, strict=True)],
            scale,
        )
        result = leaves(function(as_tensors(data), learned, mode=mode, **options))
        cotangents = random_like(function(data, scheme, mode=mode, **options), 3)
        if not result or not result[0].requires_grad:
            continue
        pairs = zip(result, leaves(cotangents), strict=True)
        torch.stack([(y * torch.from_numpy(g)).sum() for y, g in pairs]).sum().backward()
        gradient = pullback(cotangents).wavelet
        for ours, theirs in zip([*gradient.taps, gradient.scale], [*taps, scale], strict=True):
            np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=1e-10, atol=1e-12)


def as_tensors(tree: Any) -> Any:
    """The coefficients as tensors."""
    if isinstance(tree, dict):
        return {key: as_tensors(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(map(as_tensors, tree))
    return None if tree is None else torch.from_numpy(tree)


def test_several_schemes_and_libraries(xp: Library) -> None:
    x = xp.asarray(zero_mean((4, 6)))
    schemes = [lw.LiftingScheme.from_name(name) for name in ("cdf5.3", "db2")]
    (bands,), pullback = lw.vjp(lw.swt2, x, schemes, 1, mode=["zero", "reflect"])
    gradient = pullback([bands])
    assert type(gradient.data) is type(x)
    assert [len(g.taps) for g in gradient.wavelet] == [len(s.steps) for s in schemes]


def test_cotangents_that_do_not_fit() -> None:
    x = zero_mean(8)
    _, pullback = lw.vjp(lw.mra, x, "haar", 2)
    with pytest.raises(ShapeError, match="cotangents of 2 components do not fit a result of 3"):
        pullback([x, x])
    with pytest.raises(ShapeError, match=r"of the result has shape \(7,\), the result has \(8,\)"):
        pullback([x, x[:7], x])
    assert np.array_equal(pullback([None] * 3).data, np.zeros(8))
    _, pullback = lw.vjp(lw.swt, x, lw.LiftingScheme.from_name("haar"), 1)
    with pytest.raises(ShapeError, match=r"cotangent of band 'd' has shape \(7,\)"):
        pullback([(x, x[:7])])
    assert np.array_equal(pullback([(None, None)]).data, np.zeros(8))


# --- torch ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("trim_approx", [False, True])
def test_torch_differentiates(trim_approx: bool) -> None:
    bank = pywt.Wavelet("db2").filter_bank
    taps = [torch.tensor(f, dtype=torch.float64, requires_grad=True) for f in bank]
    x = torch.from_numpy(zero_mean((2, 5))).requires_grad_()

    def forth(x: Any, *taps: Any) -> Any:
        bank = lw.FilterBank(*taps)
        return tuple(leaves(lw.swt(x, bank, 2, trim_approx=trim_approx, norm=True)))

    def back(x: Any, *taps: Any) -> Any:
        bank = lw.FilterBank(*taps)
        bands = [x, 2 * x, -x] if trim_approx else [(x, 2 * x), (x, -x)]
        return lw.iswt(bands, bank)

    for function in (forth, back):
        assert torch.autograd.gradcheck(function, (x, *taps))
        assert torch.autograd.gradgradcheck(function, (x, *taps))
        assert torch.autograd.gradcheck(
            lambda x, f=function: f(x, *(t.detach() for t in taps)),  # type: ignore[misc]
            (x,),
            check_forward_ad=True,
            check_batched_grad=True,
        )


def test_torch_maps_over_batches() -> None:
    x = torch.from_numpy(zero_mean((3, 7)))
    mapped = torch.func.vmap(lambda v: lw.swt(v, "db2", 2))(x)
    for y, expected in zip(leaves(mapped), leaves(lw.swt(x, "db2", 2)), strict=True):
        torch.testing.assert_close(y, expected)


@pytest.mark.parametrize("trim_approx", [False, True])
def test_torch_compiles(trim_approx: bool) -> None:
    def round_trip(x: Any) -> Any:
        bands = lw.swt2(x, "db2", 2, trim_approx=trim_approx)
        return lw.iswt2(bands, "db2"), bands[0]

    x = torch.from_numpy(zero_mean((2, 6, 7))).requires_grad_()
    compiled = torch.compile(round_trip, backend="aot_eager", fullgraph=True)
    for y, expected in zip(leaves(compiled(x)), leaves(round_trip(x)), strict=True):
        torch.testing.assert_close(y, expected)
    rec, _ = compiled(x)
    (gradient,) = torch.autograd.grad((rec**2).sum(), x)
    torch.testing.assert_close(gradient, 2 * x)


@pytest.mark.parametrize("strict", [False, True])
def test_torch_exports_with_batches_of_any_size(strict: bool) -> None:
    class Model(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            bands = lw.swt2(x, "db2", 2)
            return lw.iswt2(bands, "db2"), lw.mra2(x, "db2", 1)[0]

    model, x = Model(), torch.from_numpy(zero_mean((2, 8, 9)))
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(model, (x,), dynamic_shapes=shapes, strict=strict)
    y = torch.from_numpy(zero_mean((5, 8, 9)))
    for exported, expected in zip(program.module()(y), model(y), strict=True):
        torch.testing.assert_close(exported, expected)
