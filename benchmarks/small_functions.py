"""The cost of functions of coefficients and lengths on small arrays.

    python -m benchmarks.small_functions [PART ...] [--rounds 300]

Times the functions that are not transforms, interleaved with the same function of PyWavelets (and
`denoise` and `estimate_sigma` with scikit-image, if it is installed). A PART is a part of a row's
name. The table contains the shortest time of all rounds in microseconds.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pywt

import liftwave as lw
from benchmarks.machine import processor
from benchmarks.measuring import Run, interleaved

SIGNAL = np.random.default_rng(0).standard_normal(4000)
LINE, IMAGE = SIGNAL[:64], SIGNAL[:1024].reshape(32, 32)
CUBE = SIGNAL[:4000].reshape(16, 25, 10)

Pair = tuple[str, Run, Run]
"""The name of a row, the call of liftwave, and that of the other library."""


def pairs() -> Iterator[Pair]:
    """All rows."""
    for name, call in {**_thresholds(), **_lengths()}.items():
        yield name, partial(call, lw), partial(call, pywt)
    for name, call in _packing():
        yield name, partial(call, lw), partial(call, pywt)
    for size, x in (("4000 samples", SIGNAL), ("32 x 32", IMAGE)):
        yield f"decompose, reconstruct, {size}", partial(_ours, x), partial(_theirs, x)
        yield from _denoising(size, x)


def _thresholds() -> dict[str, Callable[[Any], Any]]:
    rules = ("soft", "hard", "garrote", "greater", "less")
    calls: dict[str, Callable[[Any], Any]] = {
        f"threshold {rule}, {x.size} samples": lambda m, x=x, rule=rule: m.threshold(x, 0.5, rule)
        for rule in rules
        for x in (LINE, SIGNAL)
    }
    return calls | {"threshold_firm": lambda m: m.threshold_firm(LINE, 0.5, 1.0)}


def _lengths() -> dict[str, Callable[[Any], Any]]:
    return {
        "dwt_max_level": lambda m: m.dwt_max_level(1000, 8),
        "dwtn_max_level": lambda m: m.dwtn_max_level((64, 32), "db2"),
        "dwt_coeff_len": lambda m: m.dwt_coeff_len(1000, 8, "symmetric"),
        "wavedecn_shapes": lambda m: m.wavedecn_shapes((64, 32), "db2"),
        "pad": lambda m: m.pad(LINE, 4, "symmetric"),
        "pad, two axes": lambda m: m.pad(IMAGE, ((4, 4), (3, 3)), "reflect"),
        "pad smooth": lambda m: m.pad(LINE, 4, "smooth"),
    }


def _packing() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Packing and unpacking of the coefficients of each multilevel transform."""
    transforms = {
        "wavedec": pywt.wavedec(SIGNAL[:1024], "db4"),
        "wavedec2": pywt.wavedec2(IMAGE, "db2"),
        "wavedecn": pywt.wavedecn(CUBE, "db1"),
    }
    for name, coeffs in transforms.items():
        packed, flat = pywt.coeffs_to_array(coeffs), pywt.ravel_coeffs(coeffs)
        yield f"coeffs_to_array, {name}", lambda m, c=coeffs: m.coeffs_to_array(c)
        yield f"array_to_coeffs, {name}", lambda m, p=packed, n=name: m.array_to_coeffs(*p, n)
        yield f"ravel_coeffs, {name}", lambda m, c=coeffs: m.ravel_coeffs(c)
        yield f"unravel_coeffs, {name}", lambda m, f=flat, n=name: m.unravel_coeffs(*f, n)


def _ours(x: np.ndarray) -> Any:
    return lw.decompose(x, "db2").reconstruct()


def _theirs(x: np.ndarray) -> Any:
    return pywt.waverecn(pywt.wavedecn(x, "db2"), "db2")


def _denoising(size: str, x: np.ndarray) -> Iterator[Pair]:
    try:
        restoration = importlib.import_module("skimage.restoration")
    except ImportError:
        return
    other = partial(restoration.denoise_wavelet, x, wavelet="db2", rescale_sigma=False)
    yield f"denoise, {size}", partial(lw.denoise, x, "db2"), other
    estimate = partial(restoration.estimate_sigma, x)
    yield f"estimate_sigma, {size}", partial(lw.estimate_sigma, x, "db2"), estimate


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="parts of names; all by default")
    parser.add_argument("--rounds", type=int, default=300, help="timed rounds (300)")
    arguments = parser.parse_args(argv)
    print(f"{processor()}; {arguments.rounds} rounds\n")
    print("| call | µs | other library, µs | ratio |\n| --- | --- | --- | --- |")
    for name, ours, theirs in pairs():
        if not arguments.parts or any(part in name for part in arguments.parts):
            print(_line(name, ours, theirs, arguments.rounds), flush=True)


def _line(name: str, ours: Run, theirs: Run, rounds: int) -> str:
    times = interleaved({"ours": ours, "theirs": theirs}, rounds, 2e-4, rest=0.0)
    a, b = (1e6 * min(times[key]) for key in ("ours", "theirs"))
    return f"| {name} | {a:.1f} | {b:.1f} | {a / b:.2f} |"


if __name__ == "__main__":
    main()
