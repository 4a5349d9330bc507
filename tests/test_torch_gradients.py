"""Gradients through the functions on torch tensors: correct, complete, and of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import LIFTING_MODES, MODES, SOME_WAVELETS, assert_close, matrix, zero_mean
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.utils._pytree import tree_leaves

import liftwave as lw
from liftwave import _dispatch
from liftwave.errors import ArgumentTypeError

pytestmark = [
    # torch's warnings while its forward mode and functorch are loaded
    pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
]

SCHEMES = {name: lw.LiftingScheme.from_name(name) for name in ("haar", "cdf5.3", "db3")}


def leaf(shape: Any, seed: int = 0, dtype: str = "float64") -> torch.Tensor:
    return torch.asarray(zero_mean(shape, seed, dtype)).requires_grad_()


def leaves(tree: Any) -> tuple[torch.Tensor, ...]:
    return tuple(tree_leaves(tree))


def bank_of(*taps: torch.Tensor) -> lw.FilterBank:
    return lw.FilterBank(*taps)


def scheme_of(*parts: torch.Tensor) -> lw.LiftingScheme:
    """Two steps, with three taps and one tap, and both scales."""
    predict, update, low, high = parts
    steps = [lw.LiftingStep("predict", predict, -1), lw.LiftingStep("update", update)]
    return lw.LiftingScheme(steps, (low, high), shift=(1, 0))


def learned(kind: str) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """The function that builds a wavelet from tensors, and the tensors."""
    if kind == "bank":
        return bank_of, [leaf(4, seed) for seed in range(1, 5)]
    scales = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.5, -0.5)]
    return scheme_of, [leaf(3, 1), leaf(1, 2) + 0.5, *scales]


def learned_kinds() -> list[Any]:
    """Kinds of wavelets and modes; two of three pairs are slow."""
    each = [("bank", mode) for mode in MODES] + [("scheme", mode) for mode in LIFTING_MODES]
    marks = ((), pytest.mark.slow, pytest.mark.slow)
    return [pytest.param(*pair, marks=marks[k % 3]) for k, pair in enumerate(each)]


# --- fixed wavelets ------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", SOME_WAVELETS)
@pytest.mark.parametrize("mode", MODES)
def test_gradients_are_the_transposed_matrix_of_pywavelets(
    wavelet: str, mode: str, kernels: Any
) -> None:
    """At odd and even lengths, for the approximation, the detail, and both."""
    for n in (2, 9, 20):
        low, high = (matrix(lambda e, k=k: pywt.dwt(e, wavelet, mode)[k], n) for k in (0, 1))
        x = leaf(n, n)
        bands = lw.dwt(x, wavelet, mode)
        cotangents = [zero_mean(band.shape, k) for k, band in enumerate(bands)]
        scale = float(np.abs(low).sum(0).max() + np.abs(high).sum(0).max())
        expected = [low.T @ cotangents[0], high.T @ cotangents[1]]
        ulps = 4 * pywt.Wavelet(wavelet).dec_len
        for used in ((0,), (1,), (0, 1)):
            (got,) = torch.autograd.grad(
                [bands[k] for k in used],
                x,
                [torch.asarray(cotangents[k]) for k in used],
                retain_graph=True,
            )
            wanted = torch.asarray(sum(expected[k] for k in used))
            assert_close(got, wanted, ulps=ulps, scale=3 * scale)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior2.2"])
def test_every_derivative_of_multilevel_transforms(wavelet: str, mode: str) -> None:
    """Reverse and forward mode, also batched, and second derivatives, for both directions."""
    x = leaf((2, 7, 6))

    def analysis(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return leaves(lw.wavedec2(x, wavelet, mode, level=2))

    def synthesis(a: torch.Tensor, *d: torch.Tensor) -> torch.Tensor:
        return lw.waverec2([a, d[:3], d[3:]], wavelet, mode)

    bands = tuple(band.detach().requires_grad_() for band in analysis(x))
    for function, inputs in ((analysis, (x,)), (synthesis, bands)):
        every = {"check_forward_ad": True, "check_batched_grad": True, "fast_mode": True}
        assert gradcheck(function, inputs, **every)
        assert gradgradcheck(function, inputs, fast_mode=True)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", SCHEMES)
def test_every_derivative_of_lifting(name: str, mode: str) -> None:
    for n in (1, 2, 7, 8):
        x = leaf((2, n), n)

        def analysis(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return leaves(lw.dwt(x, SCHEMES[name], mode))

        # gradcheck refuses strides of 0, which empty arrays of NumPy have.
        bands = tuple(
            torch.empty(b.shape, dtype=b.dtype).copy_(b.detach()).requires_grad_()
            for b in analysis(x)
        )
        for function, inputs in (
            (analysis, (x,)),
            (lambda a, d: lw.idwt(a, d, SCHEMES[name], mode), bands),
        ):
            assert gradcheck(function, inputs, check_forward_ad=True, check_batched_grad=True)
            assert gradgradcheck(function, inputs)


def test_missing_bands() -> None:
    """Missing bands have no gradient, and all others have their gradients."""
    a, d = leaf((2, 5), 1), leaf((2, 4), 2)
    fine = leaf((2, 5), 3)
    for coeffs in (
        [a, None],
        [None, leaf(5)],
        [a, None, None],
        [None, None, fine],
        [None, d, fine],
    ):
        inputs = tuple(c for c in coeffs if c is not None)

        def synthesis(*given: torch.Tensor, coeffs: Any = coeffs) -> torch.Tensor:
            remaining = iter(given)
            return lw.waverec([None if c is None else next(remaining) for c in coeffs], "db2")

        assert gradcheck(synthesis, inputs, check_forward_ad=True)
        assert gradgradcheck(synthesis, inputs)
    bands = {"ad": leaf((3, 3)), "dd": leaf((3, 3), 2)}
    assert gradcheck(
        lambda *b: lw.idwtn(dict(zip(bands, b, strict=True)), "db2"), tuple(bands.values())
    )


def test_complex_data() -> None:
    x = leaf((3, 8), 1, "complex128")
    bands = (leaf(4, 1, "complex128"), leaf(4, 2, "complex128"))
    for wavelet, mode in (("db2", "antireflect"), (SCHEMES["db3"], "reflect")):
        analysis = lambda x, w=wavelet, m=mode: lw.dwt(x, w, m)  # noqa: E731
        assert gradcheck(analysis, (x,), check_forward_ad=True)
        assert gradcheck(analysis, (x.detach().conj().requires_grad_(),))
        assert gradcheck(lambda a, d, w=wavelet, m=mode: lw.idwt(a, d, w, m), bands)
    real, both = leaf(4), bands[0]
    assert gradcheck(lambda a, d: lw.idwt(a, d, "haar"), (real, both))


# --- learned taps --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "mode"), learned_kinds())
def test_every_derivative_of_learned_taps(kind: str, mode: str) -> None:
    """In data and taps together: mixed second derivatives."""
    make, taps = learned(kind)
    x = leaf((5, 6))

    def analysis(x: torch.Tensor, *taps: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return leaves(lw.wavedec2(x, make(*taps), mode, level=2))

    count = len(analysis(x, *taps))
    bands = [band.detach().requires_grad_() for band in analysis(x, *taps)]

    def synthesis(*tensors: torch.Tensor) -> torch.Tensor:
        a, *d = tensors[:count]
        return lw.waverec2([a, d[:3], d[3:]], make(*tensors[count:]), mode)

    for function, inputs in ((analysis, (x, *taps)), (synthesis, (*bands, *taps))):
        every = {"check_forward_ad": True, "check_batched_grad": True, "fast_mode": True}
        assert gradcheck(function, inputs, **every)
        assert gradgradcheck(function, inputs, fast_mode=True)


@pytest.mark.parametrize("kind", ["bank", "scheme"])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_learned_taps_of_tiny_signals(kind: str, n: int) -> None:
    make, taps = learned(kind)
    x = leaf((3, n), n)
    assert gradcheck(lambda x, *t: lw.dwt(x, make(*t), "periodization"), (x, *taps))
    assert gradcheck(lambda x, *t: lw.dwt(x, make(*t), "symmetric"), (x, *taps))


@pytest.mark.parametrize("kind", ["bank", "scheme"])
@pytest.mark.filterwarnings("ignore::liftwave.errors.ReconstructionWarning")
def test_learned_taps_compute_what_numbers_do(kind: str, kernels: Any) -> None:
    make, taps = learned(kind)
    fixed = make(*taps)
    if kind == "bank":
        numbers = lw.FilterBank(*(t.tolist() for t in taps))
    else:
        steps = [lw.LiftingStep(s.kind, s.taps.tolist(), s.offset) for s in fixed.steps]
        numbers = lw.LiftingScheme(steps, [s.item() for s in fixed.scale], shift=fixed.shift)
    x = torch.asarray(zero_mean((6, 9)))
    for tensor in (x, x.clone().requires_grad_(), x.to(torch.complex128)):
        expected = leaves(lw.wavedec2(tensor.detach(), numbers, "symmetric", level=1))
        for got, wanted in zip(
            leaves(lw.wavedec2(tensor, fixed, "symmetric", level=1)), expected, strict=True
        ):
            assert_close(got.detach(), wanted)


def test_one_tensor_in_many_places() -> None:
    """Gradients of all uses add up: all filters from one tensor, one bank for two axes."""
    low = leaf(4, 1)

    def bank(low: torch.Tensor) -> lw.FilterBank:
        return lw.FilterBank(low, low, low, low)

    x = leaf((6, 5))
    assert gradcheck(lambda x, t: leaves(lw.dwt2(x, bank(t))), (x, low))
    assert gradcheck(lambda x, t: leaves(lw.dwt2(x, [bank(t), "db2"])), (x, low))
    assert gradcheck(lambda x, t: lw.idwt(x, x, bank(t)), (x, low))


def test_second_derivatives_in_taps_of_fixed_data() -> None:
    """Data or fixed taps without gradients do not remove the gradients of other taps."""
    x = torch.asarray(zero_mean((4, 7)))
    low, fixed = leaf(4, 1), torch.ones(4, dtype=torch.float64)
    for function in (
        lambda t: lw.dwt(x, lw.FilterBank(t, fixed, fixed, fixed)),
        lambda t: lw.dwt(x, lw.LiftingScheme([lw.LiftingStep("predict", t)], (2.0, 1.0)), "zero"),
    ):
        assert gradcheck(function, (low,))
        assert gradgradcheck(function, (low,))


def test_frozen_taps_still_pass_gradients_to_data() -> None:
    x = leaf((4, 7))
    for kind in ("bank", "scheme"):
        make, taps = learned(kind)
        frozen = make(*(t.detach() for t in taps))
        assert gradcheck(lambda x, w=frozen: lw.dwt(x, w, "symmetric"), (x,))
        assert gradgradcheck(lambda x, w=frozen: lw.dwt(x, w, "symmetric"), (x,))
        assert gradcheck(lambda x, w=frozen: lw.idwt(x, x, w, "symmetric"), (x,))


# --- recording, in-place changes and memory ------------------------------------------------------


class Marked(torch.Tensor):
    """A tensor of a user-defined class."""


def recorded() -> Iterator[Any]:
    x = leaf((4, 6))
    yield "leaf", x
    yield "parameter", torch.nn.Parameter(x.detach())
    yield "view", leaf((6, 4)).T
    yield "strided", leaf((8, 12))[::2, ::2]
    yield "expanded", leaf((1, 6)).expand(4, 6)
    yield "conjugated", leaf((4, 6), 1, "complex128").conj()
    yield "negated", torch.imag(leaf((4, 6), 1, "complex128").conj())
    yield "subclass", x.detach().as_subclass(Marked).requires_grad_()
    yield "half", x.detach().to(torch.bfloat16).requires_grad_()


@pytest.mark.parametrize(("name", "x"), list(recorded()))
def test_no_gradient_is_dropped(name: str, x: torch.Tensor) -> None:
    make, taps = learned("bank")
    scheme, parts = learned("scheme")
    for wavelet in ("db2", SCHEMES["cdf5.3"], make(*taps), scheme(*parts)):
        for band in lw.dwt(x, wavelet, "symmetric"):
            assert band.requires_grad, name
            assert band.dtype == x.dtype
        back = lw.idwt(x, x.detach(), wavelet, "symmetric")
        (gradient,) = torch.autograd.grad(back.abs().sum(), x)
        assert gradient.dtype == x.dtype
        assert gradient.shape == x.shape
        assert bool(gradient.abs().max() > 0)
    for wavelet, tensors in ((make(*taps), taps[:2]), (scheme(*parts), parts)):
        bands = lw.dwt(x.detach(), wavelet, "symmetric")
        found = torch.autograd.grad(sum(b.abs().sum() for b in bands), tensors)
        assert all(bool(g.abs().max() > 0) for g in found), name


def test_what_is_not_recorded_stays_so() -> None:
    x = leaf((4, 6))
    make, taps = learned("bank")
    for wavelet in ("db2", SCHEMES["cdf5.3"], make(*taps)):
        expected = lw.dwt(x.detach(), wavelet, "symmetric")
        for context in (torch.no_grad, torch.inference_mode):
            with context():
                got = lw.dwt(x, wavelet, "symmetric")
            for a, b in zip(got, expected, strict=True):
                assert not a.requires_grad
                assert_close(a, b.detach())


def test_only_some_bands_record() -> None:
    a, d = torch.ones(2, 5, dtype=torch.float64), leaf((2, 5))
    lw.idwt(a, d, "db2").square().sum().backward()
    assert a.grad is None
    assert d.grad is not None


def test_results_may_be_changed_in_place() -> None:
    """Bands have separate memory and versions: changing one does not affect another."""
    x = leaf((4, 8))
    approx, detail = lw.dwt(x, "haar")
    loss = detail.square().sum()
    approx.mul_(2.0)
    (loss + approx.sum()).backward()
    expected = torch.autograd.functional.vjp(
        lambda x: lw.dwt(x, "haar")[1].square().sum() + 2 * lw.dwt(x, "haar")[0].sum(), x.detach()
    )[1]
    assert_close(x.grad, expected, ulps=4)


def test_taps_elsewhere_than_the_data() -> None:
    make, taps = learned("bank")
    elsewhere = make(*(t.detach().to("meta") for t in taps))
    with pytest.raises(ArgumentTypeError, match=r"device of the data.*cpu.*meta"):
        lw.dwt(torch.ones(4, dtype=torch.float64), elsewhere)


def test_kernels_read_the_memory_of_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward and backward; results are not copied either."""
    if not _dispatch.compiled():
        pytest.skip("compiled kernels are not built")
    cpu = _dispatch.families()["cpu"]
    seen: list[int] = []
    made: list[int] = []

    def analyse(x: Any, levels: Any, dtype: Any = None, out: Any = None) -> Any:
        seen.append(x.ctypes.data)
        found = original(x, levels, dtype)
        made.append(found[0].ctypes.data)
        return found

    original = cpu.analyse
    monkeypatch.setattr(cpu, "analyse", analyse)
    make, taps = learned("bank")
    for wavelet in ("db2", make(*taps)):
        x = leaf((16, 16))
        seen.clear()
        coeffs = lw.wavedec2(x, wavelet, level=1)
        assert seen == [x.data_ptr()]
        assert coeffs[0].data_ptr() == made[-1]


def test_taps_that_change_are_not_kept() -> None:
    """The memory use of long training does not grow."""
    from liftwave._plan.axis import analysis_plan, lift_plan

    x = torch.ones(3, 3, 12, dtype=torch.float64)
    bank, taps = learned("bank")
    scheme, parts = learned("scheme")

    def kept() -> list[int]:
        plans = [analysis_plan(12, 4, "symmetric"), lift_plan(scheme(*parts), 12, "symmetric")]
        return [len(plan.native) for plan in plans]

    for _ in range(200):
        for tensors in (taps, parts):
            with torch.no_grad():
                for t in tensors:
                    t.add_(1e-3)
        for wavelet in (bank(*taps), scheme(*parts)):
            # Separate axes are computed one by one.
            sum(b.sum() for b in lw.dwtn(x, wavelet, "symmetric", axes=(0, 2)).values()).backward()
    assert max(kept()) <= 64


# --- memory saved for the backward pass ----------------------------------------------------------


def saved_by(function: Callable[[], Any]) -> list[torch.Tensor]:
    saved: list[torch.Tensor] = []

    def pack(x: torch.Tensor) -> torch.Tensor:
        saved.append(x)
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        result = function()
    del result
    return saved


def addresses(tensors: Any) -> list[int]:
    return sorted(t.data_ptr() for t in tensors)


def test_what_is_saved_by_fixed_wavelets() -> None:
    x = leaf((8, 8))
    assert saved_by(lambda: lw.wavedec2(x, "db2", level=1)) == []
    assert saved_by(lambda: lw.idwt(x, x, SCHEMES["cdf5.3"], "reflect")) == []


def test_what_is_saved_by_filter_banks() -> None:
    """The input, and the taps."""
    make, taps = learned("bank")
    x, y = leaf((8, 8)), leaf((8, 8), 1)
    saved = saved_by(lambda: lw.wavedec2(x, make(*taps), level=2))
    assert addresses(saved) == addresses([x, *taps])
    saved = saved_by(lambda: lw.idwt(x, y, make(*taps)))
    assert addresses(saved) == addresses([x, y, *taps])


def test_what_is_saved_by_lifting() -> None:
    """The output, and the taps."""
    make, taps = learned("scheme")
    x, y = leaf((8, 8)), leaf((8, 8), 1)
    results: list[Any] = []
    saved = saved_by(
        lambda: results.append(leaves(lw.wavedec2(x, make(*taps), "reflect", level=2)))
    )
    assert addresses(saved) == addresses([*results.pop(), *taps])
    saved = saved_by(lambda: results.append(lw.idwt(x, y, make(*taps), "reflect")))
    assert addresses(saved) == addresses([results.pop(), *taps])


def test_what_is_saved_where_taps_are_frozen() -> None:
    """Only the taps."""
    for kind in ("bank", "scheme"):
        make, taps = learned(kind)
        frozen = [t.detach() for t in taps]
        x = leaf((8, 8))
        saved = saved_by(lambda m=make, f=frozen, x=x: lw.dwt(x, m(*f), "symmetric"))
        assert addresses(saved) == addresses(frozen)


# --- transforms of functions ---------------------------------------------------------------------


def test_vmap_is_a_loop() -> None:
    x = torch.asarray(zero_mean((3, 6, 7)))
    make, taps = learned("scheme")
    for wavelet in ("db2", SCHEMES["cdf5.3"], make(*taps)):
        for dim in (0, 1, 2):

            def function(x: torch.Tensor, w: Any = wavelet) -> Any:
                return lw.wavedec2(x, w, "symmetric", level=1)

            got = leaves(torch.vmap(function, in_dims=dim)(x))
            each = [leaves(function(one)) for one in x.unbind(dim)]
            for k, band in enumerate(got):
                assert_close(band.detach(), torch.stack([e[k] for e in each]).detach(), ulps=4)


def test_vmap_over_taps() -> None:
    """Many wavelets at once, with shared data or with separate data."""
    x = torch.asarray(zero_mean((3, 7)))
    low = torch.asarray(zero_mean((3, 4), 1))

    def function(x: torch.Tensor, low: torch.Tensor) -> Any:
        return lw.dwt(x, lw.FilterBank(low, low.flip(0), low, low))

    for dims in ((None, 0), (0, 0)):
        data = x if dims[0] == 0 else x[0]
        got = torch.vmap(function, in_dims=dims)(data, low)
        each = [function(x[k] if dims[0] == 0 else x[0], low[k]) for k in range(3)]
        for k in (0, 1):
            assert_close(got[k], torch.stack([e[k] for e in each]))


def test_functional_derivatives() -> None:
    x = torch.asarray(zero_mean((5, 8)))
    make, taps = learned("bank")
    values = [t.detach() for t in taps]

    def energy(x: torch.Tensor, *taps: torch.Tensor) -> torch.Tensor:
        return sum(b.pow(4).sum() for b in lw.dwt(x, make(*taps), "smooth"))

    y = x.clone().requires_grad_()
    expected = torch.autograd.grad(energy(y, *taps), [y, *taps[:2]])
    got = torch.func.grad(energy, argnums=(0, 1, 2))(x, *values)
    for a, b in zip(got, expected, strict=True):
        assert_close(a, b, ulps=16)
    per_sample = torch.vmap(torch.func.grad(energy, argnums=1), in_dims=(0, *[None] * 4))(
        x, *values
    )
    assert_close(per_sample.sum(0), expected[1], ulps=64)
    forward = torch.func.jacfwd(energy, argnums=1)(x, *values)
    assert_close(forward, expected[1], ulps=64)
    hessian = torch.func.hessian(energy, argnums=1)(x, *values)
    twice = torch.func.jacrev(torch.func.jacrev(energy, argnums=1), argnums=1)(x, *values)
    assert_close(hessian, twice, ulps=256)
    assert_close(twice, twice.T.contiguous(), ulps=256)


def test_tensors_that_transforms_of_torch_do_not_wrap() -> None:
    """Another tensor that records gradients is a constant of the derivative."""
    x = torch.tensor(zero_mean(8), requires_grad=True)
    weights = torch.tensor(zero_mean(5))
    gradient = torch.func.grad(lambda w: (w * lw.dwt(x, "db2")[0]).sum())(weights)
    assert torch.equal(gradient, lw.dwt(x, "db2")[0])


def test_jacobians_of_fixed_wavelets() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.cat(lw.dwt(x, "db2", "reflect"))

    x = torch.asarray(zero_mean(9))
    expected = torch.asarray(
        np.concatenate([matrix(lambda e, k=k: pywt.dwt(e, "db2", "reflect")[k], 9) for k in (0, 1)])
    )
    for jacobian in (
        torch.func.jacrev(function)(x),
        torch.func.jacfwd(function)(x),
        torch.autograd.functional.jacobian(function, x),
        torch.autograd.functional.jacobian(function, x, vectorize=True),
    ):
        assert_close(jacobian.contiguous(), expected, ulps=8)


def test_tangents_are_not_dropped() -> None:
    x, t = torch.asarray(zero_mean((2, 4, 6)))
    make, taps = learned("scheme")
    for wavelet in ("db2", SCHEMES["cdf5.3"], make(*taps)):
        with forward_ad.dual_level():
            bands = lw.dwt(forward_ad.make_dual(x, t), wavelet, "symmetric")
            tangents = [forward_ad.unpack_dual(b).tangent for b in bands]
        for tangent, expected in zip(tangents, lw.dwt(t, wavelet, "symmetric"), strict=True):
            assert_close(tangent.detach(), expected.detach(), ulps=8)
        (taps_tangent,) = torch.func.jvp(
            lambda p, x=x: lw.dwt(x, scheme_of(p, *taps[1:]), "zero")[1], (taps[0],), (taps[0],)
        )[1:]
        assert bool(taps_tangent.abs().max() > 0)


# --- corners -------------------------------------------------------------------------------------


def test_a_transform_along_no_axis_has_a_gradient() -> None:
    x = leaf((3, 4))
    lw.dwtn(x, "db2", axes=())[""].sum().backward()
    assert x.grad is not None
    assert_close(x.grad, torch.ones(3, 4).double())


def test_batches_of_gradients() -> None:
    x = leaf(12)
    approx, _ = lw.dwt(x, "db2")
    cotangents = torch.eye(len(approx), dtype=torch.float64)
    (rows,) = torch.autograd.grad(approx, x, cotangents, True, is_grads_batched=True)
    for cotangent, row in zip(cotangents, rows, strict=True):
        assert_close(row, torch.autograd.grad(approx, x, cotangent, True)[0])


def test_denoising_is_differentiated_through_the_noise_level() -> None:
    x = leaf((9, 12))
    lw.denoise(x, "db2").square().sum().backward()
    assert x.grad is not None
    sigma = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    lw.denoise(x.detach(), "db2", sigma=sigma).square().sum().backward()
    assert sigma.grad is not None


def test_results_of_no_levels_have_memory_of_their_own() -> None:
    """A change of the result changes no input."""
    x = torch.ones(4, 8, dtype=torch.float64, requires_grad=True)
    for y in (
        lw.wavedec(x, "haar", level=0)[0],
        lw.wavedec2(x, "haar", level=0)[0],
        lw.waverec([x], "haar"),
    ):
        y.detach().add_(1)
        assert torch.equal(x, torch.ones_like(x))
        assert torch.equal(torch.autograd.grad(y.sum(), x)[0], torch.ones_like(x))
