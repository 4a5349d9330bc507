"""The continuous transform against other packages: ``python -m benchmarks.continuous``.

Times are CPU times, in units of one ``ifft`` of SciPy of the same length and dtype: the ruler
runs in the same process, between the calls. Results are checked before they are timed: a package
whose amplitude of a cosine is wrong by more than its stated error is reported as wrong.

    --samples N   the length of the long signal (65536)
    --repeat N    repetitions of each call; the best one counts (5)
    --threads N   threads of liftwave (1); elapsed times instead of CPU times if there are several
    --match TEXT  only the calls whose name contains the text
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pywt
from scipy import fft

import liftwave as lw
from liftwave.continuous.ridges import scores

# Cycles per sample, from the highest to the lowest row.
HIGHEST, LOWEST, ROWS = 0.4, 0.001, 100


class Line(NamedTuple):
    """A call to time: its name, the function, the length and dtype of its ruler, its rows.

    The ruler of images is ``ifft2`` of images with as many samples.
    """

    name: str
    call: Callable[[], Any]
    samples: int
    dtype: str
    rows: int
    of_images: bool = False


TONE = HIGHEST * (LOWEST / HIGHEST) ** (52 / (ROWS - 1))
"""The frequency of the cosine: that of row 52."""


def frequencies(rows: int = ROWS) -> Any:
    """The frequencies of the rows."""
    return np.geomspace(HIGHEST, LOWEST, rows)


def signal(samples: int, dtype: str) -> Any:
    """A cosine in noise."""
    noise = np.random.default_rng(0).standard_normal(samples)
    return (np.cos(2 * np.pi * TONE * np.arange(samples)) + 0.1 * noise).astype(dtype)


def amplitude_error(magnitudes: Any, peaks: Any) -> float:
    """The relative error of the amplitude 1 of a cosine, on the row nearest to it."""
    row = int(np.argmin(abs(np.asarray(peaks) - TONE)))
    middle = magnitudes[row, magnitudes.shape[1] // 4 : -magnitudes.shape[1] // 4]
    return abs(float(middle.mean()) - 1)


# --- calls -----------------------------------------------------------------------------------


def lines(samples: int) -> Iterator[Line]:
    """All calls of the installed packages."""
    for dtype in ("float32", "float64"):
        x = signal(samples, dtype)
        for mode in ("periodic", "symmetric"):
            options = {"frequencies": frequencies(), "mode": mode}
            check(x, options)
            name = f"liftwave scalogram, {mode}"
            yield Line(name, lambda x=x, o=options: lw.scalogram(x, **o), samples, dtype, ROWS)
        scales = 0.8125 / frequencies()
        yield Line(
            "pywt cwt, fft",
            lambda x=x, s=scales: pywt.cwt(x, s, "cmor1.5-1.0", method="fft"),
            *(samples, dtype, ROWS),
        )
        yield from ssqueezepy_lines(x, samples, dtype)
        yield from pycwt_lines(x, samples, dtype)
    yield from fcwt_lines(signal(samples, "float32"), samples)
    x = signal(samples, "float32")
    s = lw.scalogram(x, voices=16)
    count = s.frequencies.size
    yield Line("liftwave synchrosqueeze", s.synchrosqueeze, samples, "float32", count)
    yield from scattering_lines(samples)
    yield from small_lines()


def scattering_lines(samples: int) -> Iterator[Line]:
    """Scattering of a signal, and of an image with as many samples."""
    x, side = signal(samples, "float32"), 1 << (samples.bit_length() // 2)
    image = np.random.default_rng(2).standard_normal((side, side)).astype("float32")
    for name, call, size in (
        ("scattering1d, J=8 Q=8", lambda: lw.scattering1d(x, 8), samples),
        ("scattering2d, J=4 L=8", lambda: lw.scattering2d(image, 4), side * side),
    ):
        paths = call().order.size  # also builds the filters
        yield Line(f"liftwave {name}", call, size, "float32", paths, "2d" in name)


def ssqueezepy_lines(x: Any, samples: int, dtype: str) -> Iterator[Line]:
    """Ssqueezepy's transform, without padding."""
    if find_spec("ssqueezepy") is None:
        return
    from ssqueezepy import Wavelet, cwt

    wavelet = Wavelet(("gmw", {"gamma": 3, "beta": 20}), dtype=dtype)
    scales = lw.Morse(3, 20).peak / (2 * np.pi * frequencies())
    yield Line(
        "ssqueezepy cwt, unpadded",
        lambda: cwt(x, wavelet, scales=scales.astype(dtype), padtype=None),
        *(samples, dtype, ROWS),
    )


def pycwt_lines(x: Any, samples: int, dtype: str) -> Iterator[Line]:
    """Pycwt's transform, which computes in double precision."""
    if find_spec("pycwt") is None:
        return
    import pycwt

    yield Line(
        "pycwt cwt",
        lambda: pycwt.cwt(x, 1.0, wavelet=pycwt.Morlet(6), freqs=frequencies()),
        *(samples, dtype, ROWS),
    )


def fcwt_lines(x: Any, samples: int) -> Iterator[Line]:
    """The transform of fCWT, which computes in single precision. Its error is part of the name."""
    if find_spec("fcwt") is None:
        return
    import fcwt

    wavelet = fcwt.Morlet(1.0)  # a reference: scales and transform keep only its address
    scales = fcwt.Scales(wavelet, fcwt.FCWT_LOGSCALES, 1, LOWEST, HIGHEST, ROWS)
    transform = fcwt.FCWT(wavelet, 1, False, True)
    rows, peaks = np.zeros((ROWS, samples), np.complex64), np.zeros(ROWS, np.float32)
    scales.getFrequencies(peaks)
    transform.cwt(x, scales, rows)
    options: dict[str, Any] = {"frequencies": peaks.astype(float), "mode": "periodic"}
    exact = lw.scalogram(x.astype(float), wavelet=lw.Morlet(2 * np.pi), **options).coefficients
    name = f"fcwt, error {error_of(rows, exact):.0e}"
    yield Line(name, lambda: transform.cwt(x, scales, rows), samples, "float32", ROWS)


def error_of(rows: Any, exact: Any) -> float:
    """The largest relative error of a row, up to a factor for each row."""
    factors = (exact.conj() * rows).sum(-1) / (abs(exact) ** 2).sum(-1)
    errors = np.linalg.norm(rows - factors[:, None] * exact, axis=-1)
    return float((errors / np.linalg.norm(rows, axis=-1)).max())


def small_lines() -> Iterator[Line]:
    """Short signals, ridges and coherence."""
    x, y = signal(512, "float64"), signal(2048, "float64")
    fifty = frequencies(50)
    yield Line("liftwave scalogram", lambda: lw.scalogram(x, frequencies=fifty), 512, "float64", 50)
    yield Line(
        "pywt cwt, conv", lambda: pywt.cwt(x, 0.8125 / fifty, "cmor1.5-1.0"), 512, "float64", 50
    )
    rows = lw.scalogram(y, voices=16)
    yield Line("liftwave ridges(1)", rows.ridges, 2048, "float64", rows.frequencies.size)
    score, logs = scores(rows.power()), np.log(rows.frequencies)
    yield Line(
        "Viterbi, all pairs of rows",
        lambda: plain_viterbi(score, logs, 400.0),
        *(2048, "float64", rows.frequencies.size),
    )
    noise = np.random.default_rng(1).standard_normal(2048)
    options = {"limits": (0.001, 0.4), "voices": 14, "surrogates": 0}
    count = lw.cross_scalogram(y, noise, limits=(0.001, 0.4), voices=14).frequencies.size
    yield Line(
        "liftwave coherence",
        lambda: lw.wavelet_coherence(y, noise, **options),
        *(2048, "float64", count),
    )


def plain_viterbi(score: Any, logs: Any, penalty: float) -> Any:
    """The best path by comparing each row with each at every time, in NumPy."""
    steps, total = penalty * (logs[:, None] - logs) ** 2, score[:, 0]
    sources = np.empty(score.shape, np.int64)
    for t in range(1, score.shape[1]):
        candidates = total - steps
        sources[:, t] = candidates.argmax(axis=1)
        total = candidates.max(axis=1) + score[:, t]
    path = [int(total.argmax())]
    for t in range(score.shape[1] - 1, 0, -1):
        path.append(int(sources[path[-1], t]))
    return np.asarray(path[::-1])


def check(x: Any, options: dict[str, Any]) -> None:
    """Raise unless the amplitude of the cosine is right, and the rows are those in double."""
    rows = lw.scalogram(x, **options)
    error = amplitude_error(abs(rows.coefficients), rows.frequencies)
    if error > 0.01:
        raise SystemExit(f"wrong amplitude: it differs from 1 by {error:.2g}")
    exact = lw.scalogram(x.astype(np.float64), **options).coefficients
    difference = abs(rows.coefficients - exact).max() / abs(exact).max()
    limit = 1e-6 if x.dtype == np.float32 else 1e-13
    if difference > limit:
        raise SystemExit(f"wrong by {difference:.2g} relative to double precision")


# --- times -----------------------------------------------------------------------------------


def seconds(call: Callable[[], Any], clock: Callable[[], float]) -> float:
    """The time of one call."""
    start = clock()
    call()
    return clock() - start


def measured(line: Line, repeat: int, clock: Callable[[], float]) -> tuple[float, float]:
    """The best times of the call and of the ruler, which alternate."""
    kind = {"float32": np.complex64, "float64": np.complex128}[line.dtype]
    side = round(line.samples**0.5)
    spectrum = np.ones((side, side) if line.of_images else line.samples, kind)
    transform = fft.ifft2 if line.of_images else fft.ifft
    line.call()  # plans and tables are cached
    times = [
        (
            seconds(line.call, clock),
            min(seconds(lambda: transform(spectrum), clock) for _ in range(5)),
        )
        for _ in range(repeat)
    ]
    best, ruler = (min(column) for column in zip(*times, strict=True))
    return best, ruler


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--samples", type=int, default=1 << 16)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--match", default="")
    options = parser.parse_args(arguments)
    before = lw.get_num_threads()
    try:
        lw.set_num_threads(options.threads)
        print_table(options)
    finally:
        lw.set_num_threads(before)


def print_table(options: argparse.Namespace) -> None:
    """Measure and print all calls."""
    clock = time.process_time if options.threads == 1 else time.perf_counter
    print(
        f"{'call':30} {'samples':>8} {'dtype':8} {'rows':>5} {'ms':>9} {'iffts':>8} {'per row':>8}"
    )
    for line in lines(options.samples):
        if options.match not in line.name:
            continue
        best, ruler = measured(line, options.repeat, clock)
        iffts = best / ruler
        print(
            f"{line.name:30} {line.samples:8} {line.dtype:8} {line.rows:5} {best * 1e3:9.2f} "
            f"{iffts:8.1f} {iffts / line.rows:8.2f}"
        )


if __name__ == "__main__":
    main()
