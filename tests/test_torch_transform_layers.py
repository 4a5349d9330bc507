"""Layers of undecimated transforms and of packets: they keep what the layers of wavedec promise."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import torch
from helpers import assert_close, paired, zero_mean
from torch.utils._pytree import tree_leaves

import liftwave as lw
from liftwave import torch as lwt
from liftwave.errors import (
    ArgumentTypeError,
    CoefficientsError,
    ConstraintError,
    LevelError,
    ModeError,
    NormWarning,
    OptionTypeError,
    OrderError,
    ShapeError,
    ShapeTypeError,
    WaveletError,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
]

SIZES = {1: (17,), 2: (10, 13), 3: (6, 7, 5)}
AXES = {2: (-2, -1), 3: (-3, -2, -1)}


class Family(NamedTuple):
    """A layer, its function, and whether its inverse takes ``output_size``."""

    layer: Any
    function: Callable[..., Any]
    sized: bool = False

    @property
    def dimensions(self) -> int:
        dimensions: int = self.layer.dimensions
        return dimensions

    def data(self, batch: bool = True, dtype: str = "float32") -> torch.Tensor:
        shape = ((2,) if batch else ()) + (3, *SIZES[self.dimensions])
        return torch.asarray(zero_mean(shape, self.dimensions, dtype))

    def undone(self, layer: Any, x: torch.Tensor) -> Any:
        """The inverse of the transform, with the lengths of the signal where it takes these."""
        size = (SIZES[self.dimensions],) if self.sized else ()
        return layer.inverse()(layer(x), *size)


def swt(dims: int) -> Callable[..., Any]:
    def function(x: Any, wavelet: Any, level: int, mode: Any = "periodization", **o: Any) -> Any:
        if dims == 1:
            return lw.swt(x, wavelet, level, trim_approx=True, mode=mode, **o)
        transform = {2: lw.swt2, 3: lw.swtn}[dims]
        return transform(x, wavelet, level, axes=AXES[dims], trim_approx=True, mode=mode, **o)

    return function


def modwt(x: Any, wavelet: Any, level: int, mode: Any = "periodic") -> Any:
    return lw.modwt(x, wavelet, level, mode=mode)


def packets(dims: int) -> Callable[..., Any]:
    def function(x: Any, wavelet: Any, level: int, mode: Any = "symmetric", **o: Any) -> Any:
        return lw.wpdec(x, wavelet, mode, level, tuple(range(-dims, 0)), **o)

    return function


FAMILIES = {
    "SWT1d": Family(lwt.SWT1d, swt(1)),
    "SWT2d": Family(lwt.SWT2d, swt(2)),
    "SWT3d": Family(lwt.SWT3d, swt(3)),
    "MODWT1d": Family(lwt.MODWT1d, modwt),
    "WaveletPacket1d": Family(lwt.WaveletPacket1d, packets(1), sized=True),
    "WaveletPacket2d": Family(lwt.WaveletPacket2d, packets(2), sized=True),
}
LINES = ("SWT1d", "MODWT1d", "WaveletPacket1d")

# The kind of parameters, and the wavelet at which they start.
LEARNED = {
    "orthonormal": "db3",
    "linear-phase": "cdf9.7",
    "lifting": "db2",
    "filters": "db2",
}


def learned(name: str, learn: str | None, level: int = 2, **options: Any) -> Any:
    """A layer whose parameters start at a wavelet; packets of odd lengths are periodic."""
    if name.startswith("WaveletPacket"):
        options["mode"] = "periodization"
    wavelet = "db2" if learn is None else LEARNED[learn]
    return FAMILIES[name].layer(wavelet, level, learn=learn, **options)


def numbers(wavelet: Any) -> Any:
    """A learned wavelet with numbers in place of its tensors."""
    if isinstance(wavelet, lw.FilterBank):
        return lw.FilterBank(*(taps.tolist() for taps in wavelet.filter_bank))
    steps = [lw.LiftingStep(s.kind, s.taps.tolist(), s.offset) for s in wavelet.steps]
    return lw.LiftingScheme(steps, [s.item() for s in wavelet.scale], shift=wavelet.shift)


def same(results: Any, expected: Any, **options: Any) -> None:
    """Equal structures of equal tensors."""
    assert type(results) is type(expected)
    for a, b in zip(tree_leaves(results), tree_leaves(expected), strict=True):
        assert_close(a.detach(), b.detach(), **options)


# --- results -------------------------------------------------------------------------------------


def options_of(name: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Wavelets and options of a layer."""
    yield "db2", {}
    yield "bior2.2", {}
    if name.startswith("SWT"):
        yield "db2", {"norm": True}
        yield lw.LiftingScheme.from_name("cdf9.7"), {"mode": "reflect"}
    elif name.startswith("MODWT"):
        yield "db3", {"mode": "reflection"}
    else:
        yield "db2", {"order": "natural", "mode": "zero"}
    if name[-2] == "2":
        yield ("haar", "db2"), {}


@pytest.mark.parametrize("name", FAMILIES)
def test_lists_of_wavelets_have_one_for_all_axes_or_for_each(name: str) -> None:
    family = FAMILIES[name]
    x = family.data()
    same(family.layer(["db2"])(x), family.layer("db2")(x))
    with pytest.raises(WaveletError):
        family.layer(["db2"] * 4)
    with pytest.raises(WaveletError):
        family.layer([])


@pytest.mark.parametrize("dims", [1, 2])
def test_filter_banks_in_other_boundary_modes(dims: int) -> None:
    """They have an analysis in each mode, without an inverse."""
    family = FAMILIES[f"SWT{dims}d"]
    x = family.data()
    same(family.layer("db2", 2, "smooth")(x), swt(dims)(x, "db2", 2, "smooth"))


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_layers_give_what_the_functions_give(name: str, batch: bool) -> None:
    """In the structure of the functions, for all channels as for each of them; and back."""
    family = FAMILIES[name]
    x = family.data(batch, "float64")
    for wavelet, options in options_of(name):
        layer = family.layer(wavelet, 2, **options)
        bands = layer(x)
        same(bands, family.function(x, wavelet, 2, **options))
        channel = x[..., 1:2, *(slice(None),) * family.dimensions]
        for band, of_channel in zip(tree_leaves(bands), tree_leaves(layer(channel)), strict=True):
            assert_close(band[:, 1:2] if batch else band[1:2], of_channel)
        assert_close(family.undone(layer, x), x, ulps=256)
        assert family.undone(layer, x).shape == x.shape


def test_shapes_of_packets_are_those_of_wpdec() -> None:
    assert lwt.WaveletPacket1d("haar", 3)(torch.ones(2, 5, 64)).shape == (2, 5, 8, 8)
    images = lwt.WaveletPacket2d("haar", 2)(torch.ones(5, 16, 24))
    assert images.shape == (5, 4, 4, 4, 6)
    inverse = lwt.IWaveletPacket2d("haar", 2)
    assert inverse(images).shape == (5, 16, 24)
    assert inverse(images, (15, 21)).shape == (5, 15, 21)


@pytest.mark.parametrize("name", [name for name in FAMILIES if "WT" in name])
def test_missing_bands_are_zero(name: str) -> None:
    """Any band, all details of a level, and the approximation."""
    family, dims = FAMILIES[name], FAMILIES[name].dimensions
    layer = family.layer("db2", 2)
    approx, *details = layer(family.data())
    zeros = [torch.zeros_like(approx), *(_times_zero(d) for d in details)]
    for missing in (None, {}) if dims == 3 else (None,):
        for k in range(3):
            coeffs, zeroed = [approx, *details], [approx, *details]
            if k or missing is None:
                coeffs[k], zeroed[k] = missing, zeros[k]
            assert_close(layer.inverse()(coeffs), layer.inverse()(zeroed), ulps=16)
    if dims > 1:
        partly = {"ddd": details[1]["ddd"]} if dims == 3 else (None, details[1][1], None)
        zeroed = _times_zero(details[1])
        kept = {**zeroed, **partly} if dims == 3 else (zeroed[0], details[1][1], zeroed[2])
        coeffs = [approx, details[0], partly], [approx, details[0], kept]
        assert_close(layer.inverse()(coeffs[0]), layer.inverse()(coeffs[1]), ulps=16)


def _times_zero(details: Any) -> Any:
    if isinstance(details, dict):
        return {key: 0 * band for key, band in details.items()}
    return tuple(0 * b for b in details) if isinstance(details, tuple) else 0 * details


@pytest.mark.parametrize("name", FAMILIES)
def test_dtypes(name: str) -> None:
    """Half precision is computed in single precision, also under autocast; complex numbers."""
    family = FAMILIES[name]
    for learn in (None, "orthonormal", "lifting"):
        layer = learned(name, learn)
        for dtype in (torch.float16, torch.bfloat16):
            x = family.data().to(dtype).requires_grad_()
            wide = layer(x.detach().float())
            expected = [band.to(dtype) for band in tree_leaves(wide)]
            same(tree_leaves(layer(x)), expected)
            with torch.autocast("cpu", torch.bfloat16):
                same(tree_leaves(layer(x)), expected)
                same(tree_leaves(layer(x.detach().float())), tree_leaves(wide))
            half = copy.deepcopy(layer).to(dtype)
            loss = sum(b.float().square().sum() for b in tree_leaves(half(x)))
            gradients = torch.autograd.grad(loss, [x, *half.parameters()])
            assert {g.dtype for g in gradients} == {dtype}
    fixed = family.layer("haar")
    assert tree_leaves(fixed(family.data().long()))[0].dtype == torch.float64
    assert_close(family.undone(fixed, family.data() * 1j), family.data() * 1j, ulps=8)


# --- learnable -----------------------------------------------------------------------------------


@pytest.mark.parametrize("learn", LEARNED)
@pytest.mark.parametrize("name", FAMILIES)
def test_learning_begins_at_the_wavelet_and_reconstructs(name: str, learn: str) -> None:
    torch.manual_seed(1)
    family = FAMILIES[name]
    x = family.data(dtype="float64")
    layer = learned(name, learn).double()
    fixed = numbers(layer.wavelet())
    if name == "MODWT1d" and isinstance(fixed, lw.LiftingScheme):
        fixed = fixed.to_filter_bank()
    mode = {"mode": "periodization"} if "Packet" in name else {}
    same(layer(x), family.function(x, fixed, 2, **mode), ulps=64, scale=8.0)
    for random in (False, True):
        layer = learned(name, learn, 1, random=random).double()
        # Parameters are initialized in single precision; this affects only penalised filters.
        ulps = 2.0**30 if learn == "filters" else 4096
        assert_close(family.undone(layer, x).detach(), x, ulps=ulps)
        loss = sum(b.square().mean() * k for k, b in enumerate(tree_leaves(layer(x)), 1))
        parameters = [p for p in layer.parameters() if p.numel()]
        for gradient in torch.autograd.grad(loss, parameters):
            assert torch.isfinite(gradient).all()
            assert bool(gradient.abs().max() > 0)


@pytest.mark.parametrize(("name", "learn"), paired(LINES, [None, *LEARNED]))
def test_gradients(name: str, learn: str | None) -> None:
    """Of transforms and inverses, for data and parameters, twice, by finite differences."""
    layer: Any = learned(name, learn).double()
    names = [n for n, p in layer.named_parameters() if p.numel()]
    values = [dict(layer.named_parameters())[n] for n in names]
    x = torch.asarray(zero_mean((2, 9))).requires_grad_()
    bands = [b.detach().requires_grad_() for b in tree_leaves(layer(x))]
    inverse = layer.inverse()

    def forward(x: torch.Tensor, *parameters: torch.Tensor) -> Any:
        state = dict(zip(names, parameters, strict=True))
        return tuple(tree_leaves(torch.func.functional_call(layer, state, (x,))))

    def backward(*tensors: torch.Tensor) -> Any:
        state = dict(zip(names, tensors[len(bands) :], strict=True))
        coeffs = [*tensors[: len(bands)]] if len(bands) > 1 else tensors[0]
        return torch.func.functional_call(inverse, state, (coeffs,))

    for function, inputs in ((forward, (x, *values)), (backward, (*bands, *values))):
        assert torch.autograd.gradcheck(function, inputs, fast_mode=True)
        assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


def test_training_keeps_a_wavelet() -> None:
    torch.manual_seed(0)
    layer = lwt.SWT1d("db4", level=2, norm=True, learn="orthonormal").double()
    start, x = layer.wavelet.angles.detach().clone(), torch.randn(1, 2, 33, dtype=torch.float64)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(50):
        optimizer.zero_grad()
        layer(x)[0].square().mean().backward()
        optimizer.step()
    assert bool((layer.wavelet.angles - start).abs().max() > 0.1)
    with torch.no_grad():
        assert_close(layer.inverse()(layer(x)), x, ulps=64)
        energy = torch.stack([band.square().sum() for band in layer(x)]).sum()
        assert energy.item() == pytest.approx(x.square().sum().item())


# --- modules -------------------------------------------------------------------------------------


@pytest.mark.parametrize("learn", [None, *LEARNED])
@pytest.mark.parametrize("name", LINES)
def test_state_travels(name: str, learn: str | None) -> None:
    """Through state dicts, copies, pickles and files; fixed layers have none; inverses share it."""
    family = FAMILIES[name]
    layer, x = learned(name, learn, random=learn is not None), family.data()
    expected = layer(x)
    # A step without free taps is a buffer.
    names = {name for name, _ in (*layer.named_parameters(), *layer.named_buffers())}
    assert set(layer.state_dict()) == names
    assert bool(layer.state_dict()) == (learn is not None)
    assert layer.inverse().wavelet is layer.wavelet
    other = learned(name, learn)
    other.load_state_dict(layer.state_dict(), strict=True)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=False)
    for same_layer in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), loaded):
        same(same_layer(x), expected)
    assert {b.dtype for b in tree_leaves(layer.double()(x.double()))} == {torch.float64}
    bands = tree_leaves(layer.to("meta")(x.to("meta")))
    assert [b.shape for b in bands] == [b.shape for b in tree_leaves(expected)]


def test_representations_and_inverses_have_all_options() -> None:
    layers = {
        "SWT2d('db4', level=3, mode='periodization', norm=True, learn=None)": lwt.SWT2d(
            "db4", 3, norm=True
        ),
        "MODWT1d('sym4', level=1, mode='reflection', learn=None)": lwt.MODWT1d(mode="reflection"),
        "WaveletPacket2d('db2', level=2, mode=('zero', 'reflect'), order='natural', learn=None)": (
            lwt.WaveletPacket2d("db2", 2, ("zero", "reflect"), order="natural")
        ),
    }
    for text, layer in layers.items():
        assert repr(layer) == text
        assert repr(layer.inverse()) == f"I{text}"
    assert "learn='lifting'" in repr(lwt.ISWT1d("db4", learn="lifting"))


def test_norm_of_other_wavelets_warns() -> None:
    with pytest.warns(NormWarning, match="not orthogonal"):
        lwt.SWT1d("bior2.2", norm=True)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: lwt.SWT1d("nope"), WaveletError, "Unknown wavelet name 'nope'"),
        (lambda: lwt.SWT1d("haar", 0), LevelError, "at least one level, got 0"),
        (
            lambda: lwt.SWT1d("haar", mode="zero").inverse(),
            ModeError,
            "ISWT1d inverts filter banks",
        ),
        (lambda: lwt.SWT2d("haar", norm=torch.ones(2)), OptionTypeError, "norm must be True"),
        (lambda: lwt.SWT1d("db2", mode="smooth", learn="lifting"), ModeError, "not defined"),
        (
            lambda: lwt.SWT2d(["haar", lw.LiftingScheme.from_name("haar")]),
            WaveletError,
            "along all axes or along none",
        ),
        (lambda: lwt.MODWT1d("haar", mode="zero"), ModeError, "'periodic' or 'reflection'"),
        (
            lambda: lwt.MODWT1d(lw.LiftingScheme.from_name("haar")),
            WaveletError,
            "pass its filter bank",
        ),
        (lambda: lwt.MODWT1d("bior2.2", learn="orthonormal"), ConstraintError, "orthonormal"),
        (lambda: lwt.MODWT1d("haar", random=True), WaveletError, "learn="),
        (lambda: lwt.WaveletPacket1d("haar", order="size"), OrderError, "Invalid order"),
        (lambda: lwt.WaveletPacket1d("db2", mode="smooth", learn="lifting"), ModeError, "defined"),
        (lambda: lwt.SWT2d("haar")(torch.ones(8)), ShapeError, r"\(C, H, W\) or \(N, C, H, W\)"),
        (lambda: lwt.MODWT1d("haar")(torch.ones(8)), ShapeError, r"\(C, L\) or \(N, C, L\)"),
        (lambda: lwt.WaveletPacket1d()([1.0]), ArgumentTypeError, "takes tensors as signals"),
        (lambda: lwt.SWT1d("haar")(torch.ones(3, 0)), ShapeError, "0 samples"),
        (lambda: lwt.ISWT1d("haar")([torch.ones(3, 4)]), CoefficientsError, "a list of 2.*got 1"),
        (lambda: lwt.IMODWT1d("haar")([None, None]), ShapeError, "at least one band"),
        (
            lambda: lwt.ISWT1d("haar")([torch.ones(3, 4), torch.ones(3, 5)]),
            ShapeError,
            "Mismatch in shape",
        ),
        (
            lambda: lwt.IWaveletPacket1d("haar", 2)(torch.ones(3, 2, 4)),
            ShapeError,
            r"of 2 levels takes 4 nodes along each axis, got shape \(3, 2, 4\)",
        ),
        (
            lambda: lwt.IWaveletPacket2d("haar")(torch.ones(3, 2, 4)),
            ShapeError,
            r"packets of shape \(C, nodes, nodes, H, W\) or \(N, C, nodes, nodes, H, W\)",
        ),
        (
            lambda: lwt.IWaveletPacket1d("haar")(torch.ones(3, 2, 4), [5]),
            ShapeError,
            r"shape \(3, 2, 4\), but those of a signal of shape \(3, 5\) have",
        ),
        (lambda: lwt.IWaveletPacket1d()(torch.ones(3, 2, 4), [7, 7]), ShapeError, "one length for"),
        (lambda: lwt.IWaveletPacket1d()(torch.ones(3, 2, 4), 7), ShapeTypeError, "output_size"),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
