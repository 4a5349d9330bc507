"""The properties of one wavelet."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
import pywt

from liftwave._files.writing import write_whole
from liftwave.cli import console
from liftwave.cli.choice import Choice
from liftwave.errors import FactorizationError
from liftwave.wavelets.filter_bank import FilterBank
from liftwave.wavelets.lifting.scheme import LiftingScheme
from liftwave.wavelets.names import ALIASES
from liftwave.wavelets.resolve import resolve_wavelet

# The zero moments of a table with fewer digits cannot be determined.
_COARSEST = 1e-9

# The width of 80 characters without the first column of the properties.
_WIDTH = 53
_FILTERS = ("dec_lo", "dec_hi", "rec_lo", "rec_hi")
_COLOURS = {"low-pass": "#1f4e79", "high-pass": "#c05000"}
_MARKER_SIZE = 4


def info(name: str, plot: Path | None) -> None:
    """Print the properties, filters and steps of a wavelet, and draw them if requested."""
    bank = resolve_wavelet(Choice(name).wavelet())
    assert isinstance(bank, FilterBank)
    if plot is not None:
        kind = plot.suffix[1:].lower()
        figure = _draw(bank, name)
        write_whole(plot, lambda stream: figure.savefig(stream, format=kind, dpi=120))
    properties = pywt.Wavelet(bank.name)
    rows = [
        ("family", properties.family_name),
        ("filter length", str(bank.dec_len)),
        (
            "orthogonal, biorthogonal",
            f"{_yes(properties.orthogonal)}, {_yes(properties.biorthogonal)}",
        ),
        ("symmetry", properties.symmetry),
        ("vanishing moments", str(vanishing_moments(bank))),
        ("error of reconstruction", f"{bank.reconstruction_error():.2g}"),
    ]
    try:
        scheme = LiftingScheme.from_name(name)
    except FactorizationError:
        rows.append(("lifting", "none: the table does not reconstruct"))
    else:
        steps = (("lifting steps", scheme), ("integer form", scheme.to_integer()))
        rows += [(label, _wrapped(str(form))) for label, form in steps]
    console.table(f"wavelet {name}", (), rows)
    console.say("")
    taps = zip(*bank.filter_bank, strict=True)
    filters = [(str(k), *map(_tap, row)) for k, row in enumerate(taps)]
    console.table("filters", ("k", *_FILTERS), filters, numbers=5)
    if plot is not None:
        console.say(f"\nwrote {plot}")


def wavelets() -> None:
    """Print the names of all wavelets, by family."""
    families = [(pywt.families(short=False)[k], f) for k, f in enumerate(pywt.families())]
    rows = [
        (title, ", ".join(pywt.wavelist(family)))
        for title, family in families
        if set(pywt.wavelist(family)) <= set(pywt.wavelist(kind="discrete"))
    ]
    names = [f"{name} = {bank}" for name, bank in ALIASES.items() if "." in name]
    rows.append(("Names of lifting schemes", ", ".join(names)))
    console.table("wavelets", ("family", "names"), rows)


def _wrapped(steps: str) -> str:
    """Long steps on several lines, with aligned sums."""
    lines = (wrap(line, _WIDTH, subsequent_indent=" " * 11) for line in steps.splitlines())
    return "\n".join("\n".join(line) for line in lines)


def _tap(value: float) -> str:
    """Format with the number of digits that fit in four columns of a terminal."""
    return f"{value:.12f}" if value else "0"


def vanishing_moments(bank: FilterBank) -> int:
    """The number of vanishing moments of the analysis high-pass filter.

    A moment counts as zero if its terms cancel up to the precision of the table.
    """
    taps = np.trim_zeros(np.asarray(bank.dec_hi))
    times = np.arange(taps.size) - np.average(np.arange(taps.size), weights=taps**2)
    # The first nonzero moments of long filters are tiny, so the tolerance must be small.
    tolerance = min(_COARSEST, 50 * bank.reconstruction_error() + 50 * np.finfo(float).eps)
    powers = (times**k for k in range(taps.size))
    moments = (abs(taps @ p) <= tolerance * (np.abs(taps) @ np.abs(p)) for p in powers)
    return sum(takewhile(bool, moments))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _draw(bank: FilterBank, name: str) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    (filters, spectrum), (scaling, wavelet) = figure.subplots(2, 2)
    k = np.arange(bank.dec_len)
    for taps, label, shift in ((bank.dec_lo, "low-pass", -0.1), (bank.dec_hi, "high-pass", 0.1)):
        colour = _COLOURS[label]
        stems = filters.stem(k + shift, taps, label=label, linefmt=colour, basefmt=" ")
        stems.markerline.set(color=colour, markersize=_MARKER_SIZE)
        response = np.abs(np.fft.rfft(taps, 1024))
        spectrum.plot(np.linspace(0, 0.5, response.size), response, color=colour)
    filters.xaxis.get_major_locator().set_params(integer=True)
    filters.set(title="analysis filters", xlabel="tap")
    filters.axhline(0, color="0.7", linewidth=0.8)
    filters.legend(frameon=False)
    spectrum.set(title="magnitude response", xlabel="frequency (cycles/sample)")
    functions = pywt.Wavelet(bank.name).wavefun(level=8)
    scaling.plot(functions[-1], functions[0], color=_COLOURS["low-pass"])
    scaling.set(title="scaling function", xlabel="time (samples)")
    wavelet.plot(functions[-1], functions[1], color=_COLOURS["high-pass"])
    wavelet.set(title="wavelet", xlabel="time (samples)")
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(name)
    return figure
