"""Random calls of PyWavelets' functions, each with its own seed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pywt
from fuzz_arguments import Chooser, Samples, made


@dataclass(frozen=True)
class Call:
    """A call of a function that both libraries have."""

    function: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def run(self, library: Any) -> Any:
        """The result, or the exception, in a library."""
        function = COMPOSED.get(self.function)
        arguments, options = made(self.arguments), made(self.options)
        if function is not None:
            return function(library, *arguments, **options)
        return getattr(library, self.function)(*arguments, **options)


# --- coefficients --------------------------------------------------------------------------------


def band_length(n: int, wavelet: Any, mode: Any) -> int:
    """The number of coefficients of ``n`` samples; any number for invalid arguments."""
    try:
        return max(pywt.dwt_coeff_len(n, made(wavelet), mode), 0)
    except (TypeError, ValueError, AttributeError):
        return (n + 1) // 2


def letters(count: int) -> list[str]:
    """The keys of the bands along ``count`` axes."""
    keys = [""]
    for _ in range(count):
        keys = [key + letter for key in keys for letter in "ad"]
    return keys


class Bands:
    """Bands of a transform: mostly of matching shapes, some of them missing."""

    def __init__(self, choose: Chooser, dims: int, axes: tuple[int, ...], wavelet: Any, mode: Any):
        self.choose, self.axes, self.wavelet, self.mode = choose, axes, wavelet, mode
        self.shape = choose.shape(dims)
        self.dtype = None if choose.chance(0.1) else choose.dtype()

    def below(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the bands of an array of this shape."""
        lengths = list(shape)
        for axis in self.axes:
            lengths[axis] = band_length(shape[axis], self.wavelet, self.mode)
        return tuple(lengths)

    def band(self, shape: tuple[int, ...], missing: float = 0.08) -> Samples | None:
        """One band, rarely missing or of a shape that does not fit."""
        if self.choose.chance(missing):
            return None
        if shape and self.choose.chance(0.02):
            k = self.choose.rng.randrange(len(shape))
            shape = (*shape[:k], shape[k] + self.choose.one(-1, 1, 1, 2), *shape[k + 1 :])
            shape = tuple(max(n, 0) for n in shape)
        return self.choose.samples(shape, self.dtype, as_list=False)

    def level(self, shape: tuple[int, ...], kind: str) -> Any:
        """The details of one level."""
        if kind == "wavedec":
            return self.band(shape)
        if kind == "wavedec2":
            return tuple(self.band(shape) for _ in range(3))
        bands = {key: self.band(shape) for key in letters(len(self.axes))[1:]}
        return {key: b for key, b in bands.items() if b is not None or self.choose.chance(0.5)}

    def levels(self, kind: str, depth: int, missing: float = 0.08) -> list[Any]:
        """The approximation, and the details of each level, coarsest first."""
        details, shape = [], self.shape
        for _ in range(depth):
            shape = self.below(shape)
            details.append(self.level(shape, kind))
        return [self.band(shape, missing), *details[::-1]]


# --- calls ---------------------------------------------------------------------------------------


def forward_1d(choose: Chooser, function: str, *names: str) -> Call:
    dims = choose.one(1, 1, 2, 3)
    options = {"mode": choose.mode(), "axis": choose.axis(dims), "level": choose.level()}
    options = choose.options(**{name: options[name] for name in ("mode", *names)})
    return Call(function, (choose.array(dims), choose.wavelet()), options)


def inverse_1d(choose: Chooser, function: str) -> Call:
    dims = choose.one(1, 1, 2, 3)
    axis, mode, wavelet = choose.axis(dims), choose.mode(), choose.wavelet()
    where = axis if isinstance(axis, int) and -dims <= axis < dims else 0
    bands = Bands(choose, dims, (where,), wavelet, mode)
    options = {"mode": mode, "axis": axis}
    if function == "idwt":
        shape = bands.below(bands.shape)
        return Call(function, (bands.band(shape), bands.band(shape), wavelet), options)
    return Call(function, (bands.levels("wavedec", choose.one(0, 1, 2, 3)), wavelet), options)


def forward_nd(choose: Chooser, function: str, count: int | None, *names: str) -> Call:
    dims = choose.one(2, 2, 3) if count else choose.one(0, 1, 2, 3, 4)
    axes = choose.axes(dims, count or choose.one(*range(1, dims + 1)) if dims else 0)
    chosen = len(axes) if choose.chance(0.6) or dims < 2 else count or dims
    options = {
        "mode": choose.several(choose.mode, chosen),
        "level": choose.level(dims),
        "levels": choose.several(lambda: choose.level(dims), chosen),
    }
    options = choose.options(**{name: options[name] for name in ("mode", *names)})
    if chosen == len(axes):
        options["axes"] = axes
    return Call(
        function,
        (choose.array(dims), choose.several(lambda: choose.wavelet(dims), chosen)),
        options,
    )


def inverse_nd(choose: Chooser, function: str, count: int | None) -> Call:
    dims = choose.one(2, 2, 3) if count else choose.one(1, 2, 3)
    axes = choose.axes(dims, count or choose.one(*range(1, dims + 1)))
    valid = all(isinstance(a, int) and -dims <= a < dims for a in axes)
    mode, wavelet = choose.mode(), choose.wavelet()
    bands = Bands(choose, dims, axes if valid else (0,), wavelet, mode)
    options = {"mode": mode, "axes": axes}
    shape = bands.below(bands.shape)
    if function == "idwt2":
        coeffs: Any = (bands.band(shape), bands.level(shape, "wavedec2"))
    elif function == "idwtn":
        coeffs = {"a" * len(bands.axes): bands.band(shape), **bands.level(shape, "wavedecn")}
    else:
        kind = function.replace("rec", "dec")
        coeffs = bands.levels(kind, choose.one(0, 1, 2))
    return Call(function, (coeffs, wavelet), options)


def packed(choose: Chooser, function: str) -> Call:
    kind = choose.one("wavedec", "wavedec2", "wavedecn")
    dims = {"wavedec": 1, "wavedec2": 2, "wavedecn": choose.one(1, 2, 3)}[kind]
    dims += choose.one(0, 0, 1)
    count = {"wavedec": 1, "wavedec2": 2}.get(kind, choose.one(*range(1, dims + 1)))
    axes = choose.axes(dims, count)
    valid = all(isinstance(a, int) and -dims <= a < dims for a in axes)
    bands = Bands(choose, dims, axes if valid else (0,), choose.wavelet(), choose.mode())
    options: dict[str, Any] = {"axes": axes} if len(axes) != dims or choose.chance(0.5) else {}
    if function == "coeffs_to_array":
        options |= choose.options(padding=choose.one(0, 1.5, None))
    if function.startswith("unpacked"):
        options["output_format"] = choose.one(kind, kind, "wavedecn", "other")
    coeffs: Any = bands.levels(kind, choose.one(0, 1, 2, 3), 0.02)
    return Call(function, (choose.one((), None, {}) if choose.chance(0.01) else coeffs,), options)


def part(choose: Chooser, function: str) -> Call:
    name = choose.one("x", "A", "", 1) if choose.chance(0.03) else choose.one("a", "d")
    level = choose.level() if choose.chance(0.2) else choose.one(1, 2, 3)
    options = {"mode": choose.mode(), "level": level}
    if function == "upcoef":
        options = {"take": choose.one(0, 1, 7, 1000, -1, 2.5), "level": level}
    array = choose.array(choose.one(1, 1, 1, 1, 2, 0))
    return Call(function, (name, array, choose.wavelet()), choose.options(**options))


def padding(choose: Chooser, function: str) -> Call:
    dims = choose.one(0, 1, 1, 2, 3)
    pair = lambda: (choose.one(0, 1, 5, 20), choose.one(0, 1, 3, 9))  # noqa: E731
    widths = choose.one(2, (3,), (pair(),), [pair() for _ in range(dims)], pair())
    if choose.chance(0.05):
        widths = choose.one(-1, (1, 2, 3), 1.5, "1", None, [[1]], ())
    return Call(function, (choose.array(dims), widths, choose.mode()), {})


def thresholds(choose: Chooser, function: str) -> Call:
    array = choose.array(choose.one(0, 1, 2))
    value = choose.one(0.5, 0, 2, 1e9, -1, float("inf"), float("nan"), np.float32(0.3))
    if function == "threshold_firm":
        return Call(function, (array, value, choose.one(1.0, 0.5, 3, -1, float("inf"))), {})
    modes = ("soft", "hard", "garrote", "greater", "less")
    mode = choose.one("firm", "", None, 1) if choose.chance(0.04) else choose.one(*modes)
    options = choose.options(mode=mode, substitute=choose.one(0, 1, 2.5, -3, float("nan")))
    return Call(function, (array, value), options)


def max_level(choose: Chooser, function: str) -> Call:
    n = choose.one(0, 1, 2, 7, 8, 100, 10**6, 3.0, 3.5, -1, "8", None, np.int64(64))
    length = choose.one(0, 1, 2, 3, 8, 2.0, 2.5, -1, None, choose.wavelet(), choose.wavelet())
    if function == "dwt_max_level":
        return Call(function, (n, length), {})
    return Call(function, (n, length, choose.mode()), {})


def shapes(choose: Chooser, function: str) -> Call:
    dims = choose.one(1, 2, 3)
    axes = choose.axes(dims, choose.one(*range(1, dims + 1)))
    options = {"mode": choose.several(choose.mode, len(axes)), "level": choose.level()}
    options = choose.options(**options) if function == "wavedecn_shapes" else {}
    wavelet = choose.several(choose.wavelet, len(axes))
    return Call(function, (choose.shape(dims), wavelet), {**options, "axes": axes})


# --- functions that need another function's result -----------------------------------------------


def unpacked_array(library: Any, coeffs: Any, output_format: str, **options: Any) -> Any:
    array, slices = library.coeffs_to_array(coeffs, **options)
    return library.array_to_coeffs(array, slices, output_format)


def unpacked_line(library: Any, coeffs: Any, output_format: str, **options: Any) -> Any:
    line, slices, band_shapes = library.ravel_coeffs(coeffs, **options)
    return library.unravel_coeffs(line, slices, band_shapes, output_format)


def separable(library: Any, *arguments: Any, **options: Any) -> Any:
    result = library.fswavedecn(*arguments, **options)
    return {
        "coeffs": result.coeffs,
        "slices": result.coeff_slices,
        "approx": result.approx,
        "details": {key: result[key] for key in result.detail_keys()},
        "modes": list(result.modes),
        "levels": list(result.levels),
        "axes": [int(a) % result.ndim for a in result.axes],
        "ndim": [result.ndim, result.ndim_transform],
        "signal": library.fswaverecn(result),
    }


COMPOSED: dict[str, Callable[..., Any]] = {
    "unpacked_array": unpacked_array,
    "unpacked_line": unpacked_line,
    "fswavedecn": separable,
}

CALLS: dict[str, Callable[[Chooser, str], Call]] = {
    "dwt": lambda c, f: forward_1d(c, f, "axis"),
    "wavedec": lambda c, f: forward_1d(c, f, "axis", "level"),
    "dwt2": lambda c, f: forward_nd(c, f, 2),
    "dwtn": lambda c, f: forward_nd(c, f, None),
    "wavedec2": lambda c, f: forward_nd(c, f, 2, "level"),
    "wavedecn": lambda c, f: forward_nd(c, f, None, "level"),
    "fswavedecn": lambda c, f: forward_nd(c, f, None, "levels"),
    **dict.fromkeys(("idwt", "waverec"), inverse_1d),
    **dict.fromkeys(("idwt2", "waverec2"), lambda c, f: inverse_nd(c, f, 2)),
    **dict.fromkeys(("idwtn", "waverecn"), lambda c, f: inverse_nd(c, f, None)),
    **dict.fromkeys(("coeffs_to_array", "ravel_coeffs"), packed),
    **dict.fromkeys(("unpacked_array", "unpacked_line"), packed),
    **dict.fromkeys(("downcoef", "upcoef"), part),
    "pad": padding,
    **dict.fromkeys(("threshold", "threshold_firm"), thresholds),
    **dict.fromkeys(("dwt_max_level", "dwt_coeff_len"), max_level),
    **dict.fromkeys(("dwtn_max_level", "wavedecn_shapes"), shapes),
}


def random_call(seed: int) -> Call:
    """The call with this seed."""
    choose = Chooser(seed)
    function = choose.one(*CALLS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyWavelets warns of short names of modes
        return CALLS[function](choose, function)
