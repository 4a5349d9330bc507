"""Calls of every public function on arrays, with default and other arguments.

Compiled kernels, or operations of the arrays' own library, must compute each of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pywt
from helpers import LIFTING_MODES, MODES, zero_mean

import liftwave as lw
from liftwave import pooling

FLOATS = ("float32", "float64", "complex64", "complex128")
REAL = ("float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64")
HALVES = ("float16", "bfloat16")


@dataclass(frozen=True)
class Learned:
    """A wavelet whose taps are tensors that require gradients; numbers for other libraries."""

    name: str
    lifting: bool = False

    def made(self, asarray: Callable[[Any], Any] | None) -> Any:
        """The wavelet, with taps made by a function."""
        if self.lifting:
            return self._scheme(asarray)
        filters = pywt.Wavelet(self.name).filter_bank
        return lw.FilterBank(
            *(filters if asarray is None else map(asarray, map(np.array, filters)))
        )

    def _scheme(self, asarray: Callable[[Any], Any] | None) -> Any:
        scheme = lw.LiftingScheme.from_name(self.name)
        if asarray is None:
            return scheme
        steps = [lw.LiftingStep(s.kind, asarray(np.array(s.taps)), s.offset) for s in scheme.steps]
        scale = [asarray(np.array(factor)) for factor in scheme.scale]
        return lw.LiftingScheme(steps, tuple(scale), shift=scheme.shift)


@dataclass(frozen=True)
class Call:
    """A call of a public function; the arrays among its arguments are NumPy arrays."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = FLOATS

    def run(self, convert: Callable[[Any], Any]) -> Any:
        """The result, with every array and wavelet among the arguments converted."""
        return self.function(*self.converted(convert), **self.options(convert))

    def vjp(self, convert: Callable[[Any], Any]) -> None:
        """The result and its pullback, with and without gradients in the wavelet."""
        data, options = self.converted(convert), self.options(convert)
        result, pullback = lw.vjp(self.function, *data, **options)
        pullback(result)
        if self.function not in pooling_functions():
            pullback(result, wavelet=False)

    def converted(self, convert: Callable[[Any], Any]) -> Any:
        """The positional arguments."""
        return converted(self.arguments, convert)

    def options(self, convert: Callable[[Any], Any]) -> dict[str, Any]:
        """The named arguments."""
        return {name: converted(value, convert) for name, value in self.named.items()}


def converted(values: Any, convert: Callable[[Any], Any]) -> Any:
    """Nested lists, tuples and dicts with all arrays and learned wavelets converted."""
    if isinstance(values, np.ndarray | Learned):
        return convert(values)
    if isinstance(values, dict):
        return {key: converted(value, convert) for key, value in values.items()}
    if isinstance(values, pooling.LiftFilters):
        return pooling.LiftFilters(*(converted(value, convert) for value in values))
    if isinstance(values, list | tuple):
        return type(values)(converted(value, convert) for value in values)
    return values


def pooling_functions() -> list[Callable[..., Any]]:
    """The pooling functions that ``vjp`` differentiates."""
    from liftwave.pooling.differentiable import CALLS

    return list(CALLS)


def call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Call:
    """A call on floating-point arrays, real or complex."""
    return Call(function, arguments, named)


def real(function: Callable[..., Any], *arguments: Any, **named: Any) -> Call:
    """A call on real arrays."""
    return Call(function, arguments, named, REAL)


def integer(function: Callable[..., Any], *arguments: Any, **named: Any) -> Call:
    """A call on arrays of integers."""
    return Call(function, arguments, named, INTEGERS)


def coefficients(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The coefficients of short signals, for which a transform warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments, **named)


# --- data ----------------------------------------------------------------------------------------

LINE, IMAGE, VOLUME = zero_mean(41), zero_mean((9, 12), 1), zero_mean((5, 6, 7), 2)
PIXELS = np.random.default_rng(0).integers(0, 100, (9, 12))

CDF97 = lw.LiftingScheme.from_name("cdf9.7")
HAAR = lw.LiftingScheme.from_name("haar")
INTEGER = lw.LiftingScheme.from_name("cdf5.3").to_integer()
WAVELETS = ("haar", "db2", "bior4.4", "db20", CDF97, Learned("db2"), Learned("cdf9.7", True))

BANKS = ("haar", "bior4.4", "db20", Learned("db2"))

LONG = [zero_mean((2, 24), 4), zero_mean((2, 24), 5)]
PAIR = list(pywt.dwt(IMAGE, "db2"))
SQUARE = (zero_mean((22, 23), 6), tuple(zero_mean((22, 23), seed) for seed in (7, 8, 9)))
DWT2, DWTN = pywt.dwt2(IMAGE, "db2"), pywt.dwtn(VOLUME, "db2")
LEVELS = coefficients(pywt.wavedec, LINE, "db2", level=3)
LEVELS2 = coefficients(pywt.wavedec2, IMAGE, "db2", level=2)
LEVELSN = coefficients(pywt.wavedecn, VOLUME, "haar", level=2)
LIFTED = coefficients(lw.wavedec2, IMAGE, CDF97, "symmetric", 2)
PARTLY = coefficients(lw.wavedec2, zero_mean((8, 12)), CDF97, "symmetric", 2)
PARTLY[1] = (None, PARTLY[1][1], None)
MIXED: dict[str, Any] = {"wavelet": ("db2", CDF97, "haar"), "mode": ("zero", "reflect", "periodic")}
INTEGER_LEVELS = coefficients(lw.wavedec2, PIXELS, INTEGER, "symmetric", 2)
FLAT = lw.ravel_coeffs(LEVELSN)
PACKED = lw.coeffs_to_array(LEVELSN)


def out_for(function: Callable[..., Any], *arguments: Any) -> dict[str, Any]:
    """An array for the result."""
    return {"out": np.zeros_like(function(*arguments))}


# --- transforms ----------------------------------------------------------------------------------

TRANSFORMS: dict[str, list[Call]] = {
    "dwt": [
        *(call(lw.dwt, LINE, wavelet, "symmetric") for wavelet in WAVELETS),
        *(call(lw.dwt, IMAGE, "db3", mode, 0) for mode in MODES),
        *(call(lw.dwt, IMAGE, CDF97, mode, 0) for mode in LIFTING_MODES),
        *(call(lw.dwt, IMAGE, "db3", "orthogonal", axis) for axis in (0, 1)),
        call(lw.dwt, VOLUME, "db2", axis=1),
        integer(lw.dwt, PIXELS, INTEGER, "symmetric", 0),
    ],
    "idwt": [
        *(call(lw.idwt, *LONG, wavelet, "symmetric") for wavelet in WAVELETS),
        *(call(lw.idwt, *PAIR, "db2", mode) for mode in MODES),
        *(call(lw.idwt, *PAIR, CDF97, mode, 0) for mode in LIFTING_MODES),
        *(call(lw.idwt, *PAIR, "db3", "orthogonal", axis) for axis in (0, 1)),
        call(lw.idwt, PAIR[0], None, "db2"),
        call(lw.idwt, None, PAIR[1], "db2", axis=0),
        call(lw.idwt, None, PAIR[1], CDF97, axis=0),
        call(lw.idwt, *PAIR, "db2", **out_for(lw.idwt, *PAIR, "db2")),
        integer(lw.idwt, PIXELS, PIXELS, INTEGER, "symmetric"),
    ],
    "dwt2": [
        *(call(lw.dwt2, IMAGE, wavelet, "symmetric") for wavelet in WAVELETS),
        *(call(lw.dwt2, IMAGE, ("haar", "db2"), mode, (1, 0)) for mode in MODES),
        call(lw.dwt2, VOLUME, ("db2", CDF97), ("zero", "reflect"), (2, 0)),
        integer(lw.dwt2, PIXELS, INTEGER, "periodization"),
    ],
    "idwt2": [
        *(call(lw.idwt2, SQUARE, wavelet, "symmetric") for wavelet in WAVELETS),
        call(lw.idwt2, (None, DWT2[1]), "db2", "zero"),
        call(lw.idwt2, (None, (None, DWT2[0], None)), "db2", "periodization"),
        call(lw.idwt2, (DWT2[0], (None, None, None)), CDF97, "symmetric"),
        call(lw.idwt2, DWT2, "db2", axes=(1, 0), **out_for(lw.idwt2, DWT2, "db2")),
        integer(lw.idwt2, (PIXELS, (PIXELS, PIXELS, PIXELS)), INTEGER, "symmetric"),
    ],
    "dwtn": [
        call(lw.dwtn, VOLUME, "db2"),
        call(lw.dwtn, VOLUME, **MIXED),
        call(lw.dwtn, VOLUME, "db2", "antireflect", (2, 0)),
        call(lw.dwtn, VOLUME, "db2", axes=(1, 1)),
        call(lw.dwtn, VOLUME, "db2", axes=()),
        call(lw.dwtn, VOLUME, CDF97, "constant", (1,)),
        call(lw.dwtn, VOLUME, CDF97, "constant", (1, 1)),
        call(lw.dwtn, zero_mean((2, 3, 4, 5, 4)), "haar"),
        call(lw.dwtn, VOLUME, Learned("db2"), axes=(2, 1)),
        integer(lw.dwtn, PIXELS, INTEGER, "zero", (1, 0)),
    ],
    "idwtn": [
        call(lw.idwtn, DWTN, "db2"),
        call(lw.idwtn, DWTN, **MIXED),
        call(lw.idwtn, {k: DWTN[k] for k in ("aad", "dda")}, "db2"),
        call(lw.idwtn, {k: DWTN[k] for k in ("aad", "dda")}, CDF97, "symmetric"),
        call(lw.idwtn, {"ad": VOLUME, "dd": VOLUME}, "haar", axes=(2, 0)),
        call(lw.idwtn, DWTN, "db2", **out_for(lw.idwtn, DWTN, "db2")),
        integer(lw.idwtn, dict.fromkeys(("aa", "ad", "da", "dd"), PIXELS), INTEGER, "zero"),
    ],
    "wavedec": [
        *(call(lw.wavedec, LINE, wavelet, "symmetric", 3) for wavelet in WAVELETS),
        call(lw.wavedec, zero_mean(200), "sym4"),
        call(lw.wavedec, LINE, "db2", level=0),
        call(lw.wavedec, IMAGE, "db2", "periodization", 2, 0),
        integer(lw.wavedec, PIXELS, INTEGER, "symmetric", 2, 0),
    ],
    "waverec": [
        *(
            call(lw.waverec, coefficients(lw.wavedec, LINE, w, "zero", 3), w, "zero")
            for w in WAVELETS[:5]
        ),
        call(lw.waverec, [None, *LEVELS[1:]], "db2"),
        call(lw.waverec, [LEVELS[0], None, *LEVELS[2:]], "db2", "smooth"),
        call(lw.waverec, LEVELS[:1], "db2"),
        call(lw.waverec, LEVELS, Learned("db2")),
        call(
            lw.waverec,
            coefficients(lw.wavedec, LINE, CDF97, "symmetric", 3),
            Learned("cdf9.7", True),
        ),
        call(lw.waverec, LEVELS, "db2", **out_for(lw.waverec, LEVELS, "db2")),
        integer(
            lw.waverec, coefficients(lw.wavedec, PIXELS, INTEGER, "zero", 2, 0), INTEGER, "zero", 0
        ),
    ],
    "wavedec2": [
        *(call(lw.wavedec2, IMAGE, wavelet, "symmetric", 2) for wavelet in WAVELETS),
        call(lw.wavedec2, zero_mean((30, 40)), "haar"),
        call(lw.wavedec2, VOLUME, ("haar", "db2"), ("zero", "reflect"), 2, (2, 0)),
        integer(lw.wavedec2, PIXELS, INTEGER, "symmetric", 2),
    ],
    "waverec2": [
        call(lw.waverec2, LEVELS2, "db2"),
        call(lw.waverec2, [LEVELS2[0], (None, LEVELS2[1][1], None), LEVELS2[2]], "db2"),
        call(lw.waverec2, [LEVELS2[0], (None, None, None), LEVELS2[2]], "db2"),
        call(lw.waverec2, [None, *LEVELS2[1:]], "db2", "periodic"),
        call(lw.waverec2, LIFTED, CDF97, "symmetric"),
        call(lw.waverec2, LIFTED, Learned("cdf9.7", True), "symmetric"),
        call(lw.waverec2, PARTLY, CDF97, "symmetric"),
        call(lw.waverec2, LEVELS2, Learned("db2"), axes=(-2, -1)),
        call(lw.waverec2, LEVELS2, "db2", **out_for(lw.waverec2, LEVELS2, "db2")),
        integer(lw.waverec2, INTEGER_LEVELS, INTEGER, "symmetric"),
    ],
    "wavedecn": [
        call(lw.wavedecn, VOLUME, "haar"),
        call(lw.wavedecn, VOLUME, **MIXED, level=2),
        call(lw.wavedecn, VOLUME, "db2", "zero", 1, (2, 0)),
        call(lw.wavedecn, VOLUME, Learned("haar"), level=2),
        integer(lw.wavedecn, PIXELS, INTEGER, "symmetric", 2),
    ],
    "waverecn": [
        call(lw.waverecn, LEVELSN, "haar"),
        call(lw.waverecn, [None, *LEVELSN[1:]], "haar"),
        call(lw.waverecn, [LEVELSN[0], {}, {k: LEVELSN[2][k] for k in ("add", "daa")}], "haar"),
        call(lw.waverecn, coefficients(lw.wavedecn, VOLUME, **MIXED, level=1), **MIXED),
        call(lw.waverecn, LEVELSN, "haar", **out_for(lw.waverecn, LEVELSN, "haar")),
        integer(
            lw.waverecn, coefficients(lw.wavedecn, PIXELS, INTEGER, "zero", 2), INTEGER, "zero"
        ),
    ],
    "fswavedecn": [
        call(lw.fswavedecn, IMAGE, "db2"),
        call(lw.fswavedecn, VOLUME, ("haar", CDF97), ("zero", "periodization"), (2, 1), (2, 0)),
    ],
    "fswaverecn": [
        call(lambda x: lw.fswaverecn(lw.fswavedecn(x, "db2", "smooth", (1, 2))), IMAGE),
        call(lambda x: lw.fswaverecn(lw.fswavedecn(x, CDF97, "zero", (1, 2), (1, 0))), IMAGE),
    ],
    "downcoef": [
        call(lw.downcoef, "a", LINE, "db2", level=2),
        call(lw.downcoef, "d", LINE, "db2", "periodization"),
        call(lw.downcoef, "d", LINE, CDF97, "symmetric", 2),
    ],
    "upcoef": [
        call(lw.upcoef, "a", LINE, "db2"),
        call(lw.upcoef, "d", LINE, "bior4.4", 3, take=40),
        call(lw.upcoef, "a", LINE, CDF97, 2),
        call(lw.upcoef, "d", LINE, Learned("db2"), 2),
    ],
}

PACKETS = lw.PacketTree(["a", "da", "dd"])
TRANSFORMS["wpdec"] = [
    *(call(lw.wpdec, zero_mean(24), wavelet, "symmetric", 2) for wavelet in WAVELETS),
    *(call(lw.wpdec, IMAGE, "db2", mode, 2, 0) for mode in MODES),
    call(lw.wpdec, IMAGE, "db2", level=2, order="natural", full=True),
    call(lw.wpdec, IMAGE, ("db2", "haar"), level=1, axes=(1, 0)),
    call(lw.wpdec, LINE, "db2", tree=PACKETS),
]
TRANSFORMS["wprec"] = [
    *(call(lw.wprec, zero_mean((4, 48)), wavelet, "symmetric") for wavelet in WAVELETS),
    call(lw.wprec, lw.wpdec(IMAGE, "db2", level=2), "db2", shape=IMAGE.shape),
    call(lw.wprec, lw.wpdec(IMAGE, "db2", level=1, axes=None), "db2", axes=None),
    call(lw.wprec, lw.wpdec(LINE, "db2", tree=PACKETS), "db2", tree=PACKETS, shape=LINE.shape),
]


def undecimated(x: Any, *arguments: Any, **named: Any) -> list[Any]:
    """The results of the methods of an undecimated transform."""
    bands = lw.undecimated(x, *arguments, **named)
    changed = bands.threshold(0.1, "soft").keep_largest(0.5)
    return [changed.reconstruct(), *bands.mra().values(), bands.to_array()]


def undecimated_by_lifting(x: Any, mode: Any) -> list[Any]:
    """Undecimated lifting and its inverse. Gradients of its taps are array operations."""
    rebuilt = lw.iswt2(lw.swt2(x, CDF97, 2, mode=mode), CDF97, mode=mode)
    ((approx, detail),) = lw.swt(x, CDF97, 1, axis=0, mode=mode)
    return [rebuilt, detail, lw.iswt([approx, None], CDF97, axis=0, mode=mode)]


UNDECIMATED: dict[str, list[Call]] = {
    "undecimated": [
        call(undecimated, IMAGE, "db2", 2),
        call(undecimated, VOLUME, "db2", 2, "reflection", 1, transform="modwt"),
    ],
    "swt": [
        *(call(lw.swt, LINE, wavelet, 3) for wavelet in BANKS),
        call(lw.swt, VOLUME, "db2", 2, 1, 1, True),
        call(lw.swt, VOLUME, "db2", 2, axis=0, norm=True),
        *(call(undecimated_by_lifting, IMAGE, mode) for mode in LIFTING_MODES),
        integer(lw.swt, PIXELS, INTEGER, 2, axis=0, mode="reflect"),
    ],
    "iswt": [
        *(call(lw.iswt, lw.swt(LINE, "db2", 3), wavelet) for wavelet in BANKS),
        call(lw.iswt, [IMAGE, None, IMAGE], "db3", True, 0),
        call(lw.iswt, [None, IMAGE, None], "db3"),
    ],
    "swt2": [
        *(call(lw.swt2, IMAGE, wavelet, 2) for wavelet in BANKS),
        call(lw.swt2, VOLUME, ("haar", "db2"), 2, 0, (2, 0), True),
    ],
    "iswt2": [
        *(call(lw.iswt2, lw.swt2(IMAGE, "db2", 2), wavelet) for wavelet in BANKS),
        call(lw.iswt2, [IMAGE, (None, IMAGE, None)], "db2", axes=(1, 0)),
    ],
    "swtn": [
        call(lw.swtn, VOLUME, "db2", 2),
        call(lw.swtn, VOLUME, Learned("db2"), 1, axes=(2, 1)),
        call(lw.swtn, zero_mean((2, 3, 4, 5, 4)), "haar", 1),
    ],
    "iswtn": [
        call(lw.iswtn, lw.swtn(VOLUME, "db2", 2), "db2"),
        call(lw.iswtn, [VOLUME, {"dd": VOLUME}, {"ad": VOLUME}], Learned("db2"), (0, 2)),
    ],
    "mra": [
        call(lw.mra, LINE, "db2", 3),
        call(lw.mra, IMAGE, "db2", 2, 0),
        call(lw.mra, LINE, Learned("db2"), 2),
    ],
    "mra2": [call(lw.mra2, IMAGE, "db2", 2), call(lw.mra2, IMAGE, "db2", 2, (1, 0))],
    "mran": [call(lw.mran, VOLUME, "db2", 1)],
    "modwt": [call(lw.modwt, LINE), call(lw.modwt, IMAGE, Learned("db2"), 2, 0, "reflection")],
    "imodwt": [call(lw.imodwt, [IMAGE, None, IMAGE], "db2", 0)],
    "modwt_mra": [call(lw.modwt_mra, LINE, "db2", 2, mode="reflection")],
    "wavelet_variance": [real(lw.wavelet_variance, IMAGE, "db2", 1)],
    "wavelet_covariance": [real(lw.wavelet_covariance, IMAGE, IMAGE, "db2", 1)],
    "wavelet_correlation": [real(lw.wavelet_correlation, LINE, LINE, "haar", 2)],
}

UNDECIMATED["swpdec"] = [
    *(call(lw.swpdec, zero_mean(24), wavelet, 2) for wavelet in BANKS),
    call(lw.swpdec, IMAGE, "db2", 2, None, full=True, order="natural"),
    call(lw.swpdec, LINE, "db2", tree=PACKETS),
]
UNDECIMATED["swprec"] = [
    call(lw.swprec, lw.swpdec(IMAGE, "db2", 2), "db2"),
    call(lw.swprec, lw.swpdec(IMAGE, "db2", 1, None), "db2", None, norm=True),
    call(lw.swprec, lw.swpdec(LINE, "db2", tree=PACKETS), "db2", tree=PACKETS),
]
"""Calls of transforms without downsampling."""

# --- functions built on transforms ---------------------------------------------------------------


def decomposed(x: Any, *arguments: Any, **named: Any) -> list[Any]:
    """The results of the methods of a decomposition."""
    bands = lw.decompose(x, *arguments, **named)
    changed = bands.threshold(0.1, "soft").keep_largest(0.5)
    return [changed.reconstruct(), bands.to_array(), bands.from_array(bands.to_array()).approx]


def decomposed_integers(x: Any) -> Any:
    """An integer decomposition and its inverse."""
    return lw.decompose(x, INTEGER, mode="symmetric").reconstruct()


def packets(tree: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The reconstruction from the nodes of a wavelet packet tree."""
    root = tree(*arguments, maxlevel=2, **named)
    root.get_level(2)
    return root.reconstruct()


def bases(x: Any) -> None:
    """All functions that choose a basis."""
    packets = lw.wpdec(x, "haar", "periodization", 2, full=True)
    lw.best_basis(packets)
    lw.joint_basis(packets)
    lw.least_dependent_basis([abs(p) for p in packets])
    lw.discriminant_basis(packets, [0] * 5 + [1] * 4)


BUILT: dict[str, list[Call]] = {
    "decompose": [
        call(decomposed, IMAGE, "db2"),
        call(decomposed, VOLUME, ("haar", CDF97), level=2, mode="symmetric", axes=(2, 0)),
        integer(decomposed_integers, PIXELS),
    ],
    "denoise": [
        *(real(lw.denoise, IMAGE, "db2", method=m) for m in ("bayes", "sure", "visu", "bivariate")),
        call(lw.denoise, IMAGE, "db2", method="neighcoeff", transform="swt", sigma="level"),
        call(lw.denoise, IMAGE, CDF97, rule="garrote", sigma=0.3, mode="zero", axes=1, shifts=2),
    ],
    "estimate_sigma": [call(lw.estimate_sigma, IMAGE), call(lw.estimate_sigma, IMAGE, axes=0)],
    "frequency_band": [call(lw.frequency_band, IMAGE, (0.1, 0.3), wavelet="db2")],
    "remove_trend": [call(lw.remove_trend, IMAGE, 0.2, wavelet="db2", axis=0)],
    "cwt": [
        *(call(lw.cwt, IMAGE, [2.0, 5.5], "mexh", method=method) for method in ("conv", "fft")),
        call(lw.cwt, IMAGE, [2.0, 5.5], "cgau2", axis=0),
    ],
    # Of these, the processor's kernels compute the rows of scalograms. Fourier transforms of the
    # array library compute the others.
    "scalogram": [call(lw.scalogram, IMAGE, voices=2)],
    "cross_scalogram": [real(lw.cross_scalogram, IMAGE, IMAGE[::-1].copy(), voices=2)],
    "wavelet_coherence": [
        real(lw.wavelet_coherence, IMAGE, IMAGE[::-1].copy(), voices=2, surrogates=0)
    ],
    "dtcwt": [real(lw.dtcwt, IMAGE, 2)],
    "scattering1d": [real(lw.scattering1d, IMAGE, 2, 2)],
    "scattering2d": [real(lw.scattering2d, IMAGE, 2, 2)],
    **{
        name: [call(bases, IMAGE)]
        for name in ("best_basis", "joint_basis", "least_dependent_basis", "discriminant_basis")
    },
    "WaveletPacket": [
        call(packets, lw.WaveletPacket, LINE, "db2"),
        call(packets, lw.WaveletPacket, IMAGE, CDF97, axis=0),
    ],
    "WaveletPacket2D": [call(packets, lw.WaveletPacket2D, IMAGE, "db2")],
    "WaveletPacketND": [call(packets, lw.WaveletPacketND, VOLUME, "haar")],
    "pad": [call(lw.pad, IMAGE, ((1, 2), (3, 4)), mode) for mode in MODES],
    "threshold": [
        *(call(lw.threshold, IMAGE, 0.4, mode) for mode in ("soft", "hard", "garrote")),
        *(real(lw.threshold, IMAGE, 0.4, mode) for mode in ("greater", "less")),
    ],
    "threshold_firm": [call(lw.threshold_firm, IMAGE, 0.1, 0.8)],
    "coeffs_to_array": [call(lw.coeffs_to_array, LEVELSN), call(lw.coeffs_to_array, LEVELS2)],
    "array_to_coeffs": [Call(lambda a: lw.array_to_coeffs(a, PACKED[1]), (PACKED[0],))],
    "ravel_coeffs": [call(lw.ravel_coeffs, LEVELSN), call(lw.ravel_coeffs, LEVELS)],
    "imra": [call(lw.imra, [IMAGE, IMAGE])],
    "imra2": [call(lw.imra2, [IMAGE, (IMAGE, IMAGE, IMAGE)])],
    "imran": [call(lw.imran, [IMAGE, {"dd": IMAGE}])],
    "unravel_coeffs": [Call(lambda a: lw.unravel_coeffs(a, *FLAT[1:]), (FLAT[0],))],
}

CALLS: dict[str, list[Call]] = {**TRANSFORMS, **UNDECIMATED, **BUILT}
"""Calls of the functions of ``liftwave`` by name."""

NO_ARRAYS = frozenset(
    (
        "BaseNode",
        "Bump",
        "Coherence",
        "ContinuousWavelet",
        "CrossScalogram",
        "Decomposition",
        "DiscreteContinuousWavelet",
        "DualTree",
        "FilterBank",
        "FswavedecnResult",
        "GaussianDerivative",
        "ImageScattering",
        "LiftingScheme",
        "LiftingStep",
        "Modes",
        "Morlet",
        "Morse",
        "Node",
        "Node2D",
        "NodeND",
        "PacketTree",
        "Paul",
        "Ridge",
        "Scalogram",
        "Scattering",
        "Synchrosqueezed",
        "Undecimated",
        "Wavelet",
        "central_frequency",
        "centrfrq",
        "WaveletEstimate",
        "dwt_coeff_len",
        "dwt_max_level",
        "dwtn_max_level",
        "families",
        "frequency2scale",
        "get_num_threads",
        "integrate_wavelet",
        "intwave",
        "kernels",
        "orthfilt",
        "packet_bands",
        "modwt_shifts",
        "orthogonal_filter_bank",
        "qmf",
        "scal2frq",
        "scale2frequency",
        "scaling_function",
        "set_num_threads",
        "get_reused_memory",
        "set_reused_memory",
        "show_config",
        "swt_max_level",
        "vjp",
        "wavedecn_shapes",
        "wavedecn_size",
        "wavefun",
        "wavelist",
    )
)
"""The other names: they compute nothing of arrays, or are in the calls of functions."""
