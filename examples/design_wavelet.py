"""A wavelet designed for a signal: eight orthonormal taps with better energy compaction than db4.

The design uses the first half of an electrocardiogram; the second half is the test signal.
Needs only NumPy and SciPy. Run ``python examples/design_wavelet.py --output pictures``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pywt
from matplotlib.figure import Figure

import liftwave as lw
from liftwave.constraints import coding_gain, design_orthonormal

TAPS, LEVEL, MODE = 8, 4, "periodization"
KNOWN = "db4"
FRACTIONS = (0.02, 0.05, 0.1)
COLORS = ("#9aa5b1", "#1f4e79", "#d1495b")


def halves() -> tuple[np.ndarray, np.ndarray]:
    """The training signal and the held-out test signal, without the mean."""
    ecg = pywt.data.ecg().astype(float)
    first, second = np.split(ecg - ecg.mean(), 2)
    return first, second


def magnitudes(bands: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
    """A user-defined cost: the sum of magnitudes, smoothed at zero, and its gradient."""
    smooth = [np.sqrt(band**2 + 1.0) for band in bands]
    cost = sum(values.sum() for values in smooth)
    return cost, [band / values for band, values in zip(bands, smooth, strict=True)]


def designed(x: np.ndarray) -> dict[str, lw.FilterBank]:
    """The best filters by coding gain (the default) and by the sum of magnitudes."""
    options = {"mode": MODE, "level": LEVEL}
    return {
        "for coding gain": design_orthonormal(x, TAPS, **options),
        "for magnitudes": design_orthonormal(x, TAPS, cost=magnitudes, **options),
    }


def missing(x: np.ndarray, wavelet: object) -> np.ndarray:
    """The fraction of the energy outside the k largest coefficients, for k = 0, 1, …."""
    coeffs = np.concatenate(lw.wavedec(x, wavelet, mode=MODE, level=LEVEL))
    energy = np.sort(coeffs**2)[::-1]
    return np.append(np.cumsum(energy[::-1])[::-1], 0.0) / energy.sum()


def table(signals: dict[str, np.ndarray], wavelets: dict[str, object]) -> str:
    """Coding gain, and energy outside the largest coefficients, for each signal and wavelet."""
    kept = "".join(f"{f'{fraction:.0%}':>8}" for fraction in FRACTIONS)
    lines = [f"{'':<30}{'coding':>8}   % of the energy missing from the largest"]
    lines += [f"{'':<30}{'gain, dB':>8}{kept} of the coefficients"]
    for name, x in signals.items():
        for wavelet, bank in wavelets.items():
            shares = missing(x, bank)
            left = "".join(f"{100 * shares[round(f * x.size)]:>8.3f}" for f in FRACTIONS)
            gain = coding_gain(x, bank, mode=MODE, level=LEVEL)
            lines.append(f"{name:<14}{wavelet:<16}{gain:>8.2f}{left}")
    return "\n".join(lines)


def functions(wavelet: object, levels: int = 7) -> tuple[np.ndarray, ...]:
    """Scaling function and wavelet: the signals of single coefficients of a deep level."""
    values = [2 ** (levels / 2) * lw.upcoef(part, [1.0], wavelet, level=levels) for part in "ad"]
    return np.arange(values[0].size) / 2**levels, *values


def picture(signals: dict[str, np.ndarray], wavelets: dict[str, object]) -> Figure:
    """Both functions of each wavelet, the frequency responses, and the missing energy."""
    figure = Figure(figsize=(10, 7.2), layout="constrained")
    axes = figure.subplots(2, len(wavelets))
    for ax, (name, wavelet), color in zip(axes[0], wavelets.items(), COLORS, strict=True):
        t, scaling, ripple = functions(wavelet)
        ax.plot(t, ripple, color=color, label="wavelet")
        ax.plot(t, scaling, color=color, linewidth=0.9, linestyle="--", label="scaling function")
        ax.set_title(name, fontsize=10)
        ax.legend(frameon=False, fontsize=8)
    _draw_responses(axes[1, 0], wavelets)
    for ax, (name, x) in zip(axes[1, 1:], signals.items(), strict=True):
        for (label, wavelet), color in zip(wavelets.items(), COLORS, strict=True):
            shares = missing(x, wavelet)[: x.size // 5]
            ax.semilogy(100 * np.arange(shares.size) / x.size, 100 * shares, color=color)
            ax.plot([], [], color=color, label=label)
        ax.set_title(f"{name}: % of the energy left out", fontsize=10)
        ax.set_xlabel("% of the coefficients kept")
        ax.legend(frameon=False, fontsize=8)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_responses(ax: object, wavelets: dict[str, object]) -> None:
    frequencies = np.linspace(0, 0.5, 401)
    for (name, wavelet), color in zip(wavelets.items(), COLORS, strict=True):
        bank = pywt.Wavelet(wavelet) if isinstance(wavelet, str) else wavelet
        turns = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(TAPS)))
        ax.plot(frequencies, np.abs(turns @ np.array(bank.dec_lo)), color=color, label=name)
    ax.set_title("magnitude of the low-pass", fontsize=10)
    ax.set_xlabel("cycles per sample")
    ax.legend(frameon=False, fontsize=8)


def main(argv: list[str] | None = None) -> None:
    """Design the filters, print the results for both halves, and plot them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)

    first, second = halves()
    signals = {"learned from": first, "held out": second}
    wavelets = {KNOWN: KNOWN, **designed(first)}
    print(table(signals, wavelets))
    for name, bank in list(wavelets.items())[1:]:
        print(f"low-pass {name}: {np.round(bank.rec_lo, 4).tolist()}")
    picture(signals, wavelets).savefig(output / "design_wavelet.png", dpi=100)


if __name__ == "__main__":
    main()
