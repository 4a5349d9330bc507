"""Names of wavelets and modes: aliases, the nearest name, families, PyWavelets' class."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pywt
import torch

import liftwave as lw
import liftwave.torch as lt
from liftwave import constraints
from liftwave.errors import ModeError, WaveletError, WaveletTypeError
from liftwave.operators import WaveletOperator

X = np.arange(32.0)
IMAGE = X.reshape(4, 8)
ALIASES = {"cdf9.7": "bior4.4", "cdf97": "bior4.4", "CDF9.7": "bior4.4", "cdf5.3": "bior2.2"}
ALIASES |= {"cdf53": "bior2.2"}

TAKERS: dict[str, Callable[[Any], Any]] = {
    "dwt": lambda w: lw.dwt(X, w),
    "dwt2": lambda w: lw.dwt2(IMAGE, (w, "haar")),
    "idwt": lambda w: lw.idwt(X, X, w),
    "wavedecn": lambda w: lw.wavedecn(IMAGE, w, level=1)[0],
    "fswavedecn": lambda w: lw.fswavedecn(IMAGE, w, levels=1).coeffs,
    "upcoef": lambda w: lw.upcoef("a", X, w),
    "denoise": lambda w: lw.denoise(X, w, level=1),
    "estimate_sigma": lambda w: lw.estimate_sigma(X, w),
    "decompose": lambda w: lw.decompose(X, w, level=1).approx,
    "max_level": lambda w: lw.dwt_max_level(100, w),
    "coeff_len": lambda w: lw.dwt_coeff_len(100, w, "zero"),
    "shapes": lambda w: lw.wavedecn_shapes((100,), w),
    "Wavelet": lambda w: lw.Wavelet(w).filter_bank,
    "operator": lambda w: WaveletOperator((32,), w, level=1) @ X,
    "layer": lambda w: lt.DWT1d(w)(torch.ones(1, 1, 16))[0].numpy(),
    "learned": lambda w: lt.DWT1d(w, learn="lifting")(torch.ones(1, 1, 16))[0].detach().numpy(),
    "undecimated layer": lambda w: lt.SWT1d(w)(torch.ones(1, 1, 16))[0].numpy(),
    "overlap layer": lambda w: lt.MODWT1d(w)(torch.ones(1, 1, 16))[0].numpy(),
    "packet layer": lambda w: lt.WaveletPacket1d(w)(torch.ones(1, 1, 16)).numpy(),
    "pooling": lambda w: lt.LDWPool1d(w, learn=None)(torch.ones(1, 1, 16)).detach().numpy(),
    "scheme": lambda w: lw.LiftingScheme.from_wavelet(w).to_filter_bank().filter_bank,
    "taps": lambda w: constraints.symmetric_taps(w),
}


@pytest.mark.filterwarnings("ignore:Level value of")
@pytest.mark.parametrize("alias", ALIASES)
@pytest.mark.parametrize("name", TAKERS)
def test_aliases_are_wavelets_everywhere(name: str, alias: str) -> None:
    ours, expected = TAKERS[name](alias), TAKERS[name](ALIASES[alias])
    assert repr(ours) == repr(expected)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("bior4,4", "bior4.4"),
        ("bior44", "bior4.4"),
        ("db 4", "db4"),
        ("Daubechies4", "db4"),
        ("daubechies-12", "db12"),
        ("Symlets 5", "sym5"),
        ("coiflet3", "coif3"),
        ("reverse biorthogonal 2.2", "rbio2.2"),
        ("haarr", "haar"),
        ("cdf 9/7", "cdf9.7"),
        ("Meyer", "dmey"),
    ],
)
def test_unknown_names_suggest_the_nearest(name: str, nearest: str) -> None:
    for call in (
        lambda: lw.dwt(X, name),
        lambda: lw.Wavelet(name),
        lambda: lw.dwt_max_level(8, name),
        lambda: lw.LiftingScheme.from_name(name),
    ):
        with pytest.raises(WaveletError, match=rf"\. Did you mean '{nearest}'\?"):
            call()


def test_names_like_no_other_suggest_nothing() -> None:
    with pytest.raises(WaveletError, match=r"builtin wavelets\.$"):
        lw.dwt(X, "nothing")


@pytest.mark.parametrize(
    ("mode", "nearest"),
    [("Symmetric", "symmetric"), ("periodisation", "periodization"), ("reflection", "reflect")],
)
def test_unknown_modes_suggest_the_nearest(mode: str, nearest: str) -> None:
    """Modes in capitals are unknown, as in PyWavelets."""
    with pytest.raises(ValueError, match="Unknown mode"):
        pywt.dwt(X, "haar", mode)
    with pytest.raises(ModeError, match=rf"\. Did you mean '{nearest}'\?"):
        lw.dwt(X, "haar", mode)


# --- PyWavelets' class ---------------------------------------------------------------------------


def test_wavelets_are_those_of_pywavelets() -> None:
    wavelet = lw.Wavelet("db2")
    assert type(wavelet) is pywt.Wavelet
    assert isinstance(pywt.Wavelet("haar"), lw.Wavelet)
    assert isinstance(wavelet, lw.Wavelet)
    assert not isinstance("db2", lw.Wavelet)
    assert issubclass(pywt.Wavelet, lw.Wavelet)
    assert pickle.loads(pickle.dumps(wavelet)).filter_bank == wavelet.filter_bank
    custom = lw.Wavelet("cdf9.7", filter_bank=[[1.0, 1.0]] * 4)
    assert custom.name == "cdf9.7"
    assert custom.dec_lo == [1.0, 1.0]


@pytest.mark.parametrize(
    "arguments", [(), ("",), (None,), (5,), ("x", 5), ("x", [[1], [2]]), ("x", [[1, "a"]] * 4)]
)
def test_errors_of_wavelets_are_those_of_pywavelets(arguments: tuple[Any, ...]) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)) as theirs:
        pywt.Wavelet(*arguments)
    ours = WaveletError if type(theirs.value) is ValueError else WaveletTypeError
    with pytest.raises(ours):
        lw.Wavelet(*arguments)


def test_empty_names_are_no_wavelets() -> None:
    with pytest.raises(TypeError, match="must be specified"):
        pywt.dwt(X, "")
    with pytest.raises(WaveletTypeError, match="got the name ''"):
        lw.dwt(X, "")


# --- families ------------------------------------------------------------------------------------


def test_families_have_wavelets_for_transforms() -> None:
    names = lw.families()
    assert names == [name for name in pywt.families() if name in names]
    for name in names:
        for wavelet in lw.wavelist(name):
            lw.dwt(X, wavelet)
    listed = {wavelet for name in names for wavelet in lw.wavelist(name)}
    assert listed == set(pywt.wavelist(kind="discrete"))
    long = dict(zip(pywt.families(), pywt.families(short=False), strict=True))
    assert lw.families(short=False) == [long[name] for name in names]
