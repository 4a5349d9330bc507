"""A user-defined lifting scheme: a cubic prediction, its functions, and its properties.

Run ``python examples/custom_scheme.py --output pictures``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import liftwave as lw

MODE = "reflect"
SAMPLES = 4096
FRACTIONS = np.geomspace(0.004, 0.08, 8)


def cubic() -> lw.LiftingScheme:
    """Odd samples, predicted by the cubic polynomial through their four even neighbours.

    The update is that of CDF 5/3 and preserves the mean in the approximation.
    """
    return lw.LiftingScheme(
        [
            lw.LiftingStep("predict", [1 / 16, -9 / 16, -9 / 16, 1 / 16], offset=-1),
            lw.LiftingStep("update", [1 / 4, 1 / 4], offset=-1),
        ],
        scale=(2**0.5, -(2**-0.5)),
        name="cubic",
    )


def function(scheme: lw.LiftingScheme, key: str, level: int = 6) -> np.ndarray:
    """The scaling function (``"a"``) or wavelet (``"d"``): the signal of one coefficient."""
    empty = lw.decompose(np.zeros(SAMPLES // 4), scheme, level=level, mode=MODE)
    one = np.zeros_like(empty[level, key])
    one[one.size // 2] = 1.0
    return empty.replace({(level, key): one}).reconstruct()


def smooth_pieces() -> np.ndarray:
    """Smooth pieces with two jumps."""
    t = np.linspace(0, 1, SAMPLES)
    smooth = np.sin(9 * t**2) + 0.6 * np.cos(25 * t)
    return smooth + 0.8 * (t > 0.31) - 1.1 * (t > 0.68)


def error(x: np.ndarray, scheme: lw.LiftingScheme, fraction: float) -> float:
    """Root mean square error of the signal from its largest coefficients."""
    decomposition = lw.decompose(x, scheme, level=6, mode=MODE)
    rest = decomposition.keep_largest(float(fraction)).reconstruct() - x
    return float(np.sqrt(np.mean(rest**2)))


def picture(x: np.ndarray, schemes: dict[str, lw.LiftingScheme]) -> Figure:
    """Functions of each scheme, the signal, and the error by the fraction of coefficients."""
    figure = Figure(figsize=(10, 6), layout="constrained")
    axes = figure.subplots(2, 2)
    colors = dict(zip(schemes, ("#9aa5b1", "#d1495b", "#1f4e79"), strict=True))
    for ax, key, title in zip(axes[0], "ad", ("scaling function", "wavelet"), strict=True):
        for name in ("cdf5.3", "cubic"):
            _draw_function(ax, function(schemes[name], key), name, colors[name])
        ax.set_title(f"{title} (synthesis)", fontsize=10)
    axes[1, 0].plot(x, color="#1f4e79", linewidth=1)
    axes[1, 0].set_title("a signal of smooth pieces", fontsize=10)
    axes[1, 0].set_xlabel("sample")
    for name, scheme in schemes.items():
        errors = [error(x, scheme, f) for f in FRACTIONS]
        axes[1, 1].loglog(100 * FRACTIONS, errors, "o-", ms=4, color=colors[name], label=name)
    axes[1, 1].set_xticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    axes[1, 1].minorticks_off()
    axes[1, 1].set_xlabel("% of the coefficients kept")
    axes[1, 1].set_title("root mean square error", fontsize=10)
    for ax in (axes[0, 0], axes[1, 1]):
        ax.legend(frameon=False, fontsize=9)
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_function(ax: Axes, values: np.ndarray, name: str, color: str) -> None:
    centre = int(np.argmax(np.abs(values)))
    around = slice(centre - 260, centre + 261)
    ax.plot((np.arange(values.size) - centre)[around] / 64, values[around], color=color, label=name)
    ax.axhline(0, color="#9aa5b1", linewidth=0.5)


def main(argv: list[str] | None = None) -> None:
    """Print the scheme and the errors, and plot them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)

    scheme = cubic()
    print(scheme)
    bank = scheme.to_filter_bank()
    print(f"as a filter bank: {bank.dec_len} taps, misses reconstruction by "
          f"{bank.reconstruction_error():.1e}")  # fmt: skip
    schemes = {name: lw.LiftingScheme.from_name(name) for name in ("haar", "cdf5.3")}
    schemes["cubic"] = scheme
    x = smooth_pieces()
    for name, each in schemes.items():
        print(f"{name:>7}: error {error(x, each, 0.05):.2e} from 5 % of the coefficients")
    picture(x, schemes).savefig(output / "custom_scheme.png", dpi=100)


if __name__ == "__main__":
    main()
