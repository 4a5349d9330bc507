"""Layers: fixed and learnable wavelets, exact inverses, state, and invariants of training."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import LIFTING_MODES, MODES, assert_close, to_numpy, zero_mean
from torch import nn
from torch.nn.utils import parametrize
from torch.utils._pytree import tree_leaves

import liftwave as lw
from liftwave import torch as lwt
from liftwave.constraints import lattice_angles, orthonormality_penalty
from liftwave.errors import ConstraintError, LevelError, ModeError, ShapeError, WaveletError

# liftwave's warning, and PyWavelets' own
pytestmark = pytest.mark.filterwarnings("ignore:Level value of:UserWarning")

DWT = {1: lwt.DWT1d, 2: lwt.DWT2d, 3: lwt.DWT3d}
IDWT = {1: lwt.IDWT1d, 2: lwt.IDWT2d, 3: lwt.IDWT3d}
FUNCTION = {1: lw.wavedec, 2: lw.wavedec2, 3: lw.wavedecn}
AXES = {1: {"axis": -1}, 2: {"axes": (-2, -1)}, 3: {"axes": (-3, -2, -1)}}
SIZES = {1: (17,), 2: (10, 13), 3: (6, 7, 8)}

# The constraint, an initial wavelet, and a mode that supports it.
LEARNED = [
    ("orthonormal", "db3", "symmetric"),
    ("linear-phase", "cdf9.7", "reflect"),
    ("lifting", "db2", "periodization"),
    ("filters", "db2", "periodization"),
]


def data(dims: int, batch: bool = True, dtype: str = "float32") -> torch.Tensor:
    shape = ((2,) if batch else ()) + (3, *SIZES[dims])
    return torch.asarray(zero_mean(shape, dims, dtype))


def leaves(tree: Any) -> list[torch.Tensor]:
    return list(tree_leaves(tree))


# --- fixed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_layers_give_what_the_functions_give(dims: int, batch: bool, kernels: Any) -> None:
    """Equal values and structure, also to PyWavelets."""
    x = data(dims, batch)
    got = DWT[dims]("db2", 2, "reflect")(x)
    expected = FUNCTION[dims](x, "db2", "reflect", 2, **AXES[dims])
    theirs = {1: pywt.wavedec, 2: pywt.wavedec2, 3: pywt.wavedecn}[dims](
        to_numpy(x), "db2", "reflect", 2, **AXES[dims]
    )
    assert len(got) == len(theirs) == 3
    for a, b, c in zip(got, expected, theirs, strict=True):
        assert type(a) is type(b)
        keys = a if isinstance(a, dict) else range(len(a)) if isinstance(a, tuple) else None
        for k in [None] if keys is None else keys:
            one, other, third = (v if k is None else v[k] for v in (a, b, c))
            assert_close(one, other)
            assert_close(one, torch.asarray(third), ulps=16)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_round_trips_are_exact_in_shape(dims: int, mode: str) -> None:
    for batch in (True, False):
        for level in (1, 2):
            x = data(dims, batch, "float64")
            coeffs = DWT[dims]("bior2.2", level, mode)(x)
            back = IDWT[dims]("bior2.2", level, mode)(coeffs, output_size=SIZES[dims])
            assert_close(back, x, ulps=256)
            again = DWT[dims]("bior2.2", level, mode).inverse()(coeffs, output_size=SIZES[dims])
            assert_close(again, back)


@pytest.mark.parametrize("mode", [m for m in LIFTING_MODES if m != "periodization"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_lifting_knows_the_shape(dims: int, mode: str) -> None:
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    x = data(dims, dtype="float64")
    dwt = DWT[dims](scheme, 2, mode)
    assert_close(dwt.inverse()(dwt(x)), x, ulps=256)


def test_a_wavelet_and_a_mode_per_axis() -> None:
    x = data(2)
    layer = lwt.DWT2d(["haar", "db2"], 1, ["zero", "reflect"])
    expected = lw.wavedec2(x, ["haar", "db2"], ["zero", "reflect"], 1)
    for a, b in zip(leaves(layer(x)), leaves(expected), strict=True):
        assert_close(a, b)
    assert_close(layer.inverse()(layer(x), output_size=(10, 13)), x, ulps=64)
    assert "('haar', 'db2')" in repr(layer)


def test_missing_bands_are_zero() -> None:
    for dims in (1, 2, 3):
        coeffs = DWT[dims]("db2", 2)(data(dims))
        zeroed = [coeffs[0], *([_without(c) for c in coeffs[1:]])]
        none = [coeffs[0], *([_without(c, to=None) for c in coeffs[1:]])]
        idwt = IDWT[dims]("db2", 2)
        assert_close(idwt(none), idwt(zeroed), ulps=16)
        no_approx = [torch.zeros_like(coeffs[0]), *coeffs[1:]]
        assert_close(idwt([None, *coeffs[1:]]), idwt(no_approx), ulps=16)


def _without(details: Any, to: Any = 0.0) -> Any:
    """The details of a level with one band zero, or missing."""
    if isinstance(details, torch.Tensor):
        return details
    if isinstance(details, tuple):
        return (None if to is None else details[0] * to, *details[1:])
    first, *others = details
    zero = {} if to is None else {first: details[first] * to}
    return {**zero, **{key: details[key] for key in others}}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype: torch.dtype) -> None:
    x = data(2).to(dtype).requires_grad_()
    for learn, wavelet, mode in ((None, "db2", "symmetric"), *LEARNED):
        layer = lwt.DWT2d(wavelet, 2, mode, learn=learn)
        for layer_, reference in ((layer, layer), (copy.deepcopy(layer).to(dtype), None)):
            bands = leaves(layer_(x))
            assert {b.dtype for b in bands} == {dtype}
            if reference is not None:
                wide = leaves(reference(x.detach().float()))
                for a, b in zip(bands, wide, strict=True):
                    assert_close(a.detach(), b.detach().to(dtype))
            gradients = torch.autograd.grad(
                sum(b.float().square().sum() for b in bands), [x, *layer_.parameters()]
            )
            kinds = [x.dtype, *(p.dtype for p in layer_.parameters())]
            assert [g.dtype for g in gradients] == kinds


def test_integers_and_mixtures_of_dtypes() -> None:
    layer = lwt.DWT1d("haar")
    assert layer(torch.ones(3, 8, dtype=torch.int64))[0].dtype == torch.float64
    a, d = layer(torch.ones(3, 8))
    assert lwt.IDWT1d("haar")([a, d.double()]).dtype == torch.float64
    z = torch.ones(3, 8, dtype=torch.complex64)
    assert_close(layer.inverse()(layer(z)), z, ulps=4)


# --- learnable -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("learn", "wavelet", "mode"), LEARNED)
def test_learning_begins_at_the_wavelet(learn: str, wavelet: str, mode: str, dims: int) -> None:
    x = data(dims)
    layer = DWT[dims](wavelet, 2, mode, learn=learn)
    scheme = lw.LiftingScheme.from_name(wavelet)
    start = scheme if learn in ("linear-phase", "lifting") else wavelet
    expected = FUNCTION[dims](x, start, mode, 2, **AXES[dims])
    for a, b in zip(leaves(layer(x)), leaves(expected), strict=True):
        assert_close(a.detach(), b, ulps=64, scale=8.0)
    assert layer.learn == learn


@pytest.mark.parametrize("random", [False, True])
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize(("learn", "wavelet", "mode"), LEARNED)
def test_learnable_layers_reconstruct(
    learn: str, wavelet: str, mode: str, dims: int, random: bool
) -> None:
    torch.manual_seed(1)
    x = data(dims, dtype="float64")
    layer = DWT[dims](wavelet, 1, mode, learn=learn, random=random).double()
    back = layer.inverse()(layer(x), output_size=SIZES[dims])
    # Parameters are initialized in single precision; this affects only penalised filters.
    ulps = 2.0**30 if learn == "filters" else 4096
    assert_close(back.detach(), x, ulps=ulps)
    for name, parameter in layer.named_parameters():
        (gradient,) = torch.autograd.grad(
            sum(b.square().mean() * k for k, b in enumerate(leaves(layer(x)), 1)), [parameter]
        )
        assert gradient.shape == parameter.shape, name
        assert torch.isfinite(gradient).all()
        assert parameter.numel() == 0 or bool(gradient.abs().max() > 0), name


def test_random_wavelets_are_random_and_reproducible() -> None:
    for learn, wavelet, mode in LEARNED:
        made = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            layer = lwt.DWT1d(wavelet, mode=mode, learn=learn, random=True)
            made.append(torch.cat([p.detach().flatten() for p in layer.parameters()]))
        assert torch.equal(made[0], made[1])
        assert not torch.equal(made[0], made[2])


def test_random_filters_satisfy_the_constraints() -> None:
    torch.manual_seed(3)
    bank = lwt.OrthonormalWavelet("db4", random=True).double()()
    low, high = bank.rec_lo.detach(), bank.rec_hi.detach()
    assert float(orthonormality_penalty(low, high)) < 1e-28
    assert abs(float(high.sum())) < 1e-14
    assert float(lwt.FiltersWavelet("db4", random=True).double().penalty().detach()) < 1e-12


@pytest.mark.parametrize(("learn", "wavelet", "mode"), LEARNED)
def test_gradients_of_layers(learn: str, wavelet: str, mode: str) -> None:
    """Both directions, for data and parameters, by finite differences."""
    layer = lwt.DWT1d(wavelet, 2, mode, learn=learn).double()
    names = [n for n, p in layer.named_parameters() if p.numel()]
    values = [dict(layer.named_parameters())[n] for n in names]
    x = torch.asarray(zero_mean((2, 9))).requires_grad_()

    def function(x: torch.Tensor, *parameters: torch.Tensor) -> Any:
        state = dict(zip(names, parameters, strict=True))
        return tuple(torch.func.functional_call(layer, state, (x,)))

    assert torch.autograd.gradcheck(function, (x, *values), fast_mode=True)
    assert torch.autograd.gradgradcheck(function, (x, *values), fast_mode=True)


def test_training_keeps_a_wavelet() -> None:
    """After 1,000 steps towards a random target: still orthonormal, high-pass sum still zero."""
    torch.manual_seed(0)
    layer = lwt.DWT1d("db4", level=2, mode="periodization", learn="orthonormal").double()
    inverse = layer.inverse()
    start = layer.wavelet.angles.detach().clone()
    x, target = torch.randn(2, 64, dtype=torch.float64), torch.randn(2, 16, dtype=torch.float64)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.05)
    for step in range(1000):
        optimiser.zero_grad()
        if step % 100 == 0:
            target = torch.randn_like(target)
        coeffs = layer(x)
        ((coeffs[0] - target).square().mean() + (coeffs[1] - target).square().mean()).backward()
        optimiser.step()
    assert bool((layer.wavelet.angles - start).abs().max() > 0.5)
    with torch.no_grad():
        assert_close(inverse(layer(x)), x, ulps=64)
        constant = layer(torch.ones(1, 64, dtype=torch.float64))
        assert all(bool(d.abs().max() < 64 * 2.0**-52) for d in constant[1:])
        assert abs(float(layer.wavelet().dec_hi.sum())) < 16 * 2.0**-52


def test_training_of_filters_needs_its_penalties() -> None:
    """Without penalties the filters stop being a wavelet; with them they remain one."""
    reached = {}
    for weight in (0.0, 100.0):
        torch.manual_seed(0)
        layer = lwt.DWT1d(lwt.FiltersWavelet("db2", weight=weight), mode="periodization")
        optimiser = torch.optim.Adam(layer.parameters(), lr=0.01)
        x = torch.randn(2, 32)
        for _ in range(200):
            optimiser.zero_grad()
            # No wavelet minimizes this loss.
            loss = sum((b - 1.0).square().mean() for b in layer(x))
            (loss + lwt.auxiliary_loss(layer)).backward()
            optimiser.step()
        bank = layer.wavelet()
        with torch.no_grad():
            reached[weight] = float(orthonormality_penalty(bank.rec_lo, bank.rec_hi))
    assert reached[100.0] < 1e-3 < 1e-1 < reached[0.0]


@pytest.mark.parametrize(("name", "alias"), [("cdf9.7", "bior4.4"), ("cdf5.3", "bior2.2")])
def test_fixed_layers_take_the_names_of_lifting_schemes(name: str, alias: str) -> None:
    """As learnable layers do. Fixed ones compute with the filters of the scheme."""
    images = torch.randn(2, 3, 16, 16)
    for kind in ("DWT2d", "SWT2d", "WaveletPacket2d", "MODWT1d", "LDWPool2d"):
        x = images[0] if kind == "MODWT1d" else images
        layers = [getattr(lwt, kind)(wavelet, learn=None) for wavelet in (name, alias)]
        assert not [p for layer in layers for p in layer.parameters()]
        found, expected = (layer(x) for layer in layers)
        torch.testing.assert_close(found, expected)


def test_auxiliary_loss_sums_each_penalty_once() -> None:
    wavelet = lwt.FiltersWavelet("db2")
    with torch.no_grad():
        wavelet.lowpass.add_(0.1)
    model = nn.Sequential(lwt.DWT1d(wavelet), lwt.DWT1d(wavelet, 2), nn.Linear(3, 3))
    assert_close(lwt.auxiliary_loss(model).detach(), wavelet.penalty().detach())
    model.append(lwt.DWT2d(copy.deepcopy(wavelet)))
    assert_close(lwt.auxiliary_loss(model).detach(), 2 * wavelet.penalty().detach())
    assert lwt.auxiliary_loss(nn.Linear(2, 2)).item() == 0.0
    assert lwt.auxiliary_loss(nn.Identity()).shape == ()


def test_penalties_are_those_of_constraints() -> None:
    wavelet = lwt.FiltersWavelet("db3", weight=0.5, symmetry="paper", orthonormal=False)
    bank = wavelet()
    expected = lw.constraints.wavelet_penalty(bank.rec_lo, bank.rec_hi, symmetry="paper")
    assert_close(wavelet.penalty().detach(), (0.5 * expected).detach(), ulps=8)
    assert wavelet.penalty().item() > 0.01


# --- sharing, saving and moving modules ----------------------------------------------------------


def test_inverses_share_the_wavelet() -> None:
    dwt = lwt.DWT2d("db2", learn="orthonormal")
    assert dwt.inverse().wavelet is dwt.wavelet
    autoencoder = nn.ModuleList([dwt, dwt.inverse()])
    assert len(list(autoencoder.parameters())) == 1


@pytest.mark.parametrize(("learn", "wavelet", "mode"), LEARNED)
def test_state_travels(learn: str, wavelet: str, mode: str) -> None:
    """Through state dicts, copies, pickles and files, without caches of the kernels."""
    x = data(1)
    layer = lwt.DWT1d(wavelet, 2, mode, learn=learn, random=True)
    expected = [b.detach() for b in layer(x)]
    assert not [b for b in layer.buffers() if b.numel()]
    names = {name for name, _ in [*layer.named_parameters(), *layer.named_buffers()]}
    assert set(layer.state_dict()) == names
    other = lwt.DWT1d(wavelet, 2, mode, learn=learn)
    other.load_state_dict(layer.state_dict(), strict=True)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    for copied in (
        other,
        copy.deepcopy(layer),
        pickle.loads(pickle.dumps(layer)),
        torch.load(file, weights_only=False),
    ):
        for a, b in zip(copied(x), expected, strict=True):
            assert_close(a.detach(), b)


def test_fixed_layers_have_no_state() -> None:
    layer = lwt.DWT2d("db2")
    layer(data(2))
    assert layer.state_dict() == {}
    assert list(layer.parameters()) == []
    copied = pickle.loads(pickle.dumps(layer))
    assert_close(copied(data(2))[0], layer(data(2))[0])


@pytest.mark.parametrize(("learn", "wavelet", "mode"), LEARNED)
def test_dtype_and_device_follow_the_module(learn: str, wavelet: str, mode: str) -> None:
    layer = lwt.DWT1d(wavelet, 1, mode, learn=learn)
    x = data(1, dtype="float64")
    assert {p.dtype for p in layer.parameters()} == {torch.float32}
    layer.double()
    assert {p.dtype for p in layer.parameters()} == {torch.float64}
    assert {b.dtype for b in layer(x)} == {torch.float64}
    bands = layer.to("meta")(x.to("meta"))
    assert {b.device.type for b in bands} == {"meta"}
    assert [b.shape for b in bands] == [
        b.shape for b in lwt.DWT1d(wavelet, 1, mode, learn=learn)(x)
    ]


@pytest.mark.gpu
def test_layers_on_a_gpu() -> None:
    """The reference kernels run torch operations on CUDA tensors, on their device."""
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device: layers on a GPU are not tested here")
    for learn, wavelet, mode in ((None, "db2", "symmetric"), *LEARNED):
        layer = lwt.DWT2d(wavelet, 2, mode, learn=learn)
        x = data(2)
        expected = leaves(layer(x))
        got = leaves(layer.cuda()(x.cuda()))
        for a, b in zip(got, expected, strict=True):
            assert a.device.type == "cuda"
            assert_close(a.detach().cpu(), b.detach(), ulps=64, scale=8.0)


def test_representations_say_what_there_is() -> None:
    assert repr(lwt.DWT2d("db4", 3, "zero")) == "DWT2d('db4', level=3, mode='zero', learn=None)"
    assert "learn='orthonormal'" in repr(lwt.IDWT1d("db4", learn="orthonormal"))
    assert "OrthonormalWavelet('db4')" in repr(lwt.DWT1d("db4", learn="orthonormal"))


# --- parametrizations ----------------------------------------------------------------------------


def test_orthonormal_parametrization() -> None:
    bank = pywt.Wavelet("sym4")
    layer = nn.Module()
    filters = torch.tensor([bank.rec_lo, bank.rec_hi], dtype=torch.float64)
    layer.filters = nn.Parameter(filters)
    parametrize.register_parametrization(layer, "filters", lwt.Orthonormal())
    assert_close(layer.filters.detach(), filters, ulps=2.0**18)  # the table has ten digits
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.5)
    target = torch.randn(2, 8, dtype=torch.float64)
    for _ in range(50):
        optimiser.zero_grad()
        (layer.filters - target).square().sum().backward()
        optimiser.step()
    low, high = layer.filters.detach()
    assert float(orthonormality_penalty(low, high)) < 1e-28
    assert not np.allclose(low, bank.rec_lo, atol=0.05)
    angles = lattice_angles(low, zero_sum=True)
    assert_close(lwt.Orthonormal()(angles), layer.filters.detach(), ulps=2.0**14)
    with pytest.raises(ShapeError, match=r"shape \(2, taps\).*\(8,\)"):
        lwt.Orthonormal().right_inverse(torch.ones(8))


@pytest.mark.parametrize("antisymmetric", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_linear_phase_parametrization(length: int, antisymmetric: bool) -> None:
    torch.manual_seed(0)
    layer = nn.Conv1d(2, 3, length, bias=False)
    before = layer.weight.detach().clone()
    sign = -1.0 if antisymmetric else 1.0
    parametrize.register_parametrization(
        layer, "weight", lwt.LinearPhase(length, antisymmetric), unsafe=length == 1
    )
    assert_close(layer.weight.detach(), 0.5 * (before + sign * before.flip(-1)), ulps=2)
    layer.weight.square().sum().backward()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter))
    assert_close(layer.weight.detach(), sign * layer.weight.detach().flip(-1))
    with pytest.raises(ShapeError, match=f"expected filters of {length} taps"):
        lwt.LinearPhase(length).right_inverse(torch.ones(length + 1))


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: lwt.DWT1d("nope"), WaveletError, "Unknown wavelet name 'nope'"),
        (lambda: lwt.DWT1d("haar", 0), LevelError, "at least one level, got 0"),
        (lambda: lwt.DWT1d("haar", -1), LevelError, "too low"),
        (lambda: lwt.DWT1d("haar", mode="nope"), ModeError, "Unknown mode name"),
        (lambda: lwt.DWT1d("haar", learn="nope"), WaveletError, "'orthonormal', 'linear-phase'"),
        (lambda: lwt.DWT1d("bior2.2", learn="orthonormal"), ConstraintError, "orthonormal"),
        (lambda: lwt.DWT1d("bior2.2", learn="filters"), ConstraintError, "orthonormal"),
        (lambda: lwt.DWT1d("db2", learn="linear-phase"), ConstraintError, "symmetric"),
        (lambda: lwt.DWT1d("db2", mode="smooth", learn="lifting"), ModeError, "not defined"),
        (lambda: lwt.DWT1d("haar", random=True), WaveletError, "learn="),
        (
            lambda: lwt.DWT1d(lwt.OrthonormalWavelet(), learn="lifting"),
            WaveletError,
            "is learnable already",
        ),
        (
            lambda: lwt.DWT1d(lw.FilterBank(*[torch.ones(2)] * 4)),
            WaveletError,
            "must be parameters of the layer",
        ),
        (
            lambda: lwt.DWT1d(lw.LiftingScheme.from_name("cdf5.3").to_integer()),
            WaveletError,
            "floating-point",
        ),
        (lambda: lwt.DWT1d("haar")(torch.ones(8)), ShapeError, r"\(C, L\) or \(N, C, L\)"),
        (lambda: lwt.DWT2d("haar")(torch.ones(1, 1, 1, 2, 2)), ShapeError, r"\(N, C, H, W\)"),
        (lambda: lwt.DWT3d("haar")(torch.ones(3, 2, 2)), ShapeError, r"\(C, D, H, W\)"),
        (lambda: lwt.DWT1d("haar")(torch.ones(3, 0)), ShapeError, "0 samples"),
        (lambda: lwt.IDWT1d("haar")([torch.ones(3, 4)]), ShapeError, "a list of 2.*got 1"),
        (lambda: lwt.IDWT1d("haar")([None, None]), ShapeError, "at least one band"),
        (
            lambda: lwt.IDWT2d("haar")([torch.ones(3, 4, 4), torch.ones(3, 3, 4, 4)]),
            ShapeError,
            "must be a 3-tuple",
        ),
        (
            lambda: lwt.IDWT3d("haar")([torch.ones(1, 2, 2, 2), {"ad": torch.ones(1, 2, 2, 2)}]),
            ShapeError,
            r"keys of \[2\] letters do not belong to 3 axes",
        ),
        (
            lambda: lwt.IDWT1d("haar")([torch.ones(3, 4), torch.ones(3, 4)], output_size=[6]),
            ShapeError,
            r"must be \(8,\), or one less.*got \(6,\)",
        ),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_without_torch_there_is_a_clear_error(tmp_path: Path) -> None:
    """A fresh interpreter in which torch cannot be found."""
    code = """
import sys
sys.modules["torch"] = None
import liftwave
try:
    import liftwave.torch
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(lw.__file__).parents[1],
    )
    assert done.stdout.startswith("torch liftwave.torch needs PyTorch")
    assert "pip install 'liftwave[torch]'" in done.stdout
