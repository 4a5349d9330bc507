"""Calls of the public functions with all relevant combinations of arguments, on given arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pywt
from helpers import MODES, zero_mean


class Case(NamedTuple):
    """The same call on either package: ``call(pywt, data)`` and ``call(liftwave, data)``."""

    call: Callable[[Any, Any], Any]
    data: Any


def image(seed: int = 7) -> np.ndarray:
    return zero_mean((13, 18), seed)


def volume(seed: int = 8) -> np.ndarray:
    return zero_mean((9, 10, 11), seed)


def without(coeffs: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: None if key in keys else band for key, band in coeffs.items()}


DWT2 = pywt.dwt2(image(), "db2", "reflect")
DWTN = pywt.dwtn(volume(), "bior2.2", "periodic")
WAVEDEC = pywt.wavedec(zero_mean(75), "db3", "smooth", level=3)
WAVEDEC2 = pywt.wavedec2(image(), "db2", "constant", level=2)
WAVEDECN = pywt.wavedecn(volume(), "haar", "symmetric", level=2)
WAVEDECN_AXES = pywt.wavedecn(volume(), ("db2", "haar"), ("zero", "periodization"), 1, (2, 0))
FLAT = pywt.ravel_coeffs(WAVEDECN)
PACKED = pywt.coeffs_to_array(WAVEDECN)
PACKED2 = pywt.coeffs_to_array(WAVEDEC2)

CASES = {
    "dwt": Case(lambda m, x: m.dwt(x, "db3", "antireflect"), image()),
    "dwt axis 0": Case(lambda m, x: m.dwt(x, "db3", "smooth", axis=0), image()),
    "dwt mode number": Case(lambda m, x: m.dwt(x, "db3", 4, -2), image()),
    "dwt object": Case(lambda m, x: m.dwt(x, pywt.Wavelet("sym5"), pywt.Modes.reflect), image()),
    "dwt odd periodization": Case(lambda m, x: m.dwt(x, "coif2", "periodization", 0), image()),
    "idwt": Case(lambda m, c: m.idwt(*c, "db3", "antireflect", -1), [image(1), image(2)]),
    "idwt axis 0": Case(lambda m, c: m.idwt(*c, "db3", "periodization", 0), [image(1), image(2)]),
    "idwt detail only": Case(lambda m, c: m.idwt(None, c, "sym2", axis=0), image()),
    "idwt approximation only": Case(lambda m, c: m.idwt(c, None, "sym2"), image()),
    "dwt2": Case(lambda m, x: m.dwt2(x, "bior4.4", "periodic"), image()),
    "dwt2 of a batch": Case(lambda m, x: m.dwt2(x, "db2"), volume()),
    "dwt2 axes": Case(
        lambda m, x: m.dwt2(x, ("haar", "db2"), ("zero", "smooth"), (2, 0)), volume()
    ),
    "idwt2": Case(lambda m, c: m.idwt2(c, "db2", "reflect"), DWT2),
    "idwt2 without approximation": Case(lambda m, c: m.idwt2(c, "db2"), (None, DWT2[1])),
    "idwt2 with one band": Case(lambda m, c: m.idwt2(c, "db2"), (None, (None, DWT2[0], None))),
    "dwtn": Case(lambda m, x: m.dwtn(x, "rbio3.1", "antisymmetric"), volume()),
    "dwtn axes": Case(lambda m, x: m.dwtn(x, "db2", "zero", axes=(-1, 0)), volume()),
    "dwtn one axis": Case(lambda m, x: m.dwtn(x, "db2", axes=(1,)), volume()),
    "dwtn no axes": Case(lambda m, x: m.dwtn(x, "db2", axes=()), volume()),
    "dwtn twice along one axis": Case(lambda m, x: m.dwtn(x, "db2", axes=(1, 1)), volume()),
    "idwtn": Case(lambda m, c: m.idwtn(c, "bior2.2", "periodic"), DWTN),
    "idwtn missing keys": Case(
        lambda m, c: m.idwtn(c, "bior2.2"), {k: DWTN[k] for k in ("aad", "dda")}
    ),
    "idwtn None": Case(lambda m, c: m.idwtn(c, "bior2.2"), without(DWTN, "aaa", "ddd", "ada")),
    "idwtn axes": Case(
        lambda m, c: m.idwtn(c, "haar", axes=(2, 0)), {"ad": volume(), "dd": volume(1)}
    ),
    "wavedec": Case(lambda m, x: m.wavedec(x, "db2", "symmetric", level=3), zero_mean(75)),
    "wavedec default level": Case(lambda m, x: m.wavedec(x, "sym4"), zero_mean(200)),
    "wavedec level 0": Case(lambda m, x: m.wavedec(x, "sym4", level=0), zero_mean(20)),
    "wavedec axis": Case(lambda m, x: m.wavedec(x, "db2", "periodization", 2, 0), image()),
    "waverec": Case(lambda m, c: m.waverec(c, "db3", "smooth"), WAVEDEC),
    "waverec axis": Case(
        lambda m, c: m.waverec(c, "db2", "zero", 0), pywt.wavedec(image(), "db2", "zero", 2, 0)
    ),
    "waverec only an approximation": Case(lambda m, c: m.waverec(c, "db3"), WAVEDEC[:1]),
    "waverec None": Case(lambda m, c: m.waverec(c, "db3"), [WAVEDEC[0], None, *WAVEDEC[2:]]),
    "waverec no approximation": Case(lambda m, c: m.waverec(c, "db3"), [None, *WAVEDEC[1:]]),
    "wavedec2": Case(lambda m, x: m.wavedec2(x, "db2", "constant", 2), image()),
    "wavedec2 default level": Case(lambda m, x: m.wavedec2(x, "haar"), image()),
    "wavedec2 axes": Case(
        lambda m, x: m.wavedec2(x, ("haar", "db2"), ("zero", "reflect"), 1, (2, 0)), volume()
    ),
    "waverec2": Case(lambda m, c: m.waverec2(c, "db2", "constant"), WAVEDEC2),
    "waverec2 None": Case(
        lambda m, c: m.waverec2(c, "db2"),
        [WAVEDEC2[0], (None, WAVEDEC2[1][1], None), WAVEDEC2[2]],
    ),
    "waverec2 None level": Case(
        lambda m, c: m.waverec2(c, "db2"), [WAVEDEC2[0], (None, None, None), WAVEDEC2[2]]
    ),
    "wavedecn": Case(lambda m, x: m.wavedecn(x, "haar", "symmetric", level=2), volume()),
    "wavedecn axes": Case(
        lambda m, x: m.wavedecn(x, ("db2", "haar"), ("zero", "periodization"), 1, (2, 0)), volume()
    ),
    "wavedecn one axis": Case(lambda m, x: m.wavedecn(x, "db2", axes=1, level=1), volume()),
    "waverecn": Case(lambda m, c: m.waverecn(c, "haar", "symmetric"), WAVEDECN),
    "waverecn axes": Case(
        lambda m, c: m.waverecn(c, ("db2", "haar"), ("zero", "periodization"), (2, 0)),
        WAVEDECN_AXES,
    ),
    "waverecn no approximation": Case(lambda m, c: m.waverecn(c, "haar"), [None, *WAVEDECN[1:]]),
    "waverecn missing keys": Case(
        lambda m, c: m.waverecn(c, "haar"),
        [WAVEDECN[0], {}, {k: WAVEDECN[2][k] for k in ("add", "daa")}],
    ),
    "fswavedecn": Case(
        lambda m, x: m.fswavedecn(x, "db2", "reflect", levels=(1, 2)).coeffs, image()
    ),
    "fswavedecn default levels": Case(lambda m, x: m.fswavedecn(x, "haar").coeffs, image()),
    "fswavedecn axes": Case(
        lambda m, x: m.fswavedecn(x, ("haar", "db2"), ("zero", "periodic"), (2, 1), (2, 0)).coeffs,
        volume(),
    ),
    "fswaverecn": Case(
        lambda m, x: m.fswaverecn(m.fswavedecn(x, "db2", "smooth", levels=(1, 2))), image()
    ),
    "downcoef": Case(lambda m, x: [m.downcoef(p, x, "db2", level=2) for p in "ad"], zero_mean(31)),
    "downcoef mode": Case(lambda m, x: m.downcoef("a", x, "db2", "periodization"), zero_mean(31)),
    "upcoef": Case(
        lambda m, c: [m.upcoef(p, c, "db3", k) for p in "ad" for k in (1, 2)], zero_mean(5)
    ),
    "upcoef take": Case(
        lambda m, c: [m.upcoef("d", c, "db2", 2, take=t) for t in (1, 10, 11, 99)], zero_mean(5)
    ),
    "pad": Case(lambda m, x: [m.pad(x, ((1, 2), (40, 30)), mode) for mode in MODES], image()),
    "pad one width": Case(lambda m, x: [m.pad(x, 3, mode) for mode in MODES], image()),
    "pad one pair": Case(lambda m, x: m.pad(x, ((2, 5),), "smooth"), image()),
    "threshold": Case(
        lambda m, x: [
            m.threshold(x, 0.4, mode, substitute)
            for mode in ("soft", "hard", "garrote", "garotte", "greater", "less")
            for substitute in (0, -3.5)
        ],
        np.append(image(), np.zeros((1, 18)), axis=0),
    ),
    "threshold array": Case(
        lambda m, c: [m.threshold(*c, mode) for mode in ("soft", "hard", "greater")],
        [image(), np.abs(image(1))],
    ),
    "threshold_firm": Case(
        lambda m, x: [m.threshold_firm(x, *pair) for pair in ((0.1, 0.8), (0.5, 0.5), (0, 2))],
        image(),
    ),
    "coeffs_to_array": Case(lambda m, c: m.coeffs_to_array(c)[0], WAVEDECN),
    "coeffs_to_array padding": Case(lambda m, c: m.coeffs_to_array(c, padding=7.5)[0], WAVEDEC2),
    "coeffs_to_array 1-D": Case(lambda m, c: m.coeffs_to_array(c)[0], WAVEDEC),
    "coeffs_to_array axes": Case(lambda m, c: m.coeffs_to_array(c, axes=(2, 0))[0], WAVEDECN_AXES),
    "array_to_coeffs": Case(lambda m, a: m.array_to_coeffs(a, PACKED[1]), PACKED[0]),
    "array_to_coeffs 2-D": Case(
        lambda m, a: m.array_to_coeffs(a, PACKED2[1], "wavedec2"), PACKED2[0]
    ),
    "ravel_coeffs": Case(lambda m, c: m.ravel_coeffs(c)[0], WAVEDECN),
    "ravel_coeffs 2-D": Case(lambda m, c: m.ravel_coeffs(c)[0], WAVEDEC2),
    "ravel_coeffs 1-D": Case(lambda m, c: m.ravel_coeffs(c)[0], WAVEDEC),
    "unravel_coeffs": Case(lambda m, a: m.unravel_coeffs(a, *FLAT[1:]), FLAT[0]),
}
