"""Lifting taps learned with torch: a high-pass filter that rejects two tones.

The steps remain lifting steps during the training, so the transform always reconstructs
perfectly. Run ``python examples/learned_scheme.py --output pictures``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

import liftwave as lw

MODE = "reflect"
TONES = (0.11, 0.31)  # cycles per sample
ROUNDS = 200


def tones(count: int, samples: int, seed: int) -> torch.Tensor:
    """Signals of both tones with random phases and amplitudes, and a little noise."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, (2, count, 1))
    heights = rng.uniform(0.5, 1.5, (2, count, 1))
    turns = 2 * np.pi * np.array(TONES)[:, None, None] * np.arange(samples)
    clean = (heights * np.sin(turns + phases)).sum(axis=0)
    return torch.as_tensor(clean + 0.01 * rng.standard_normal(clean.shape))


def scheme_of(predict: object) -> lw.LiftingScheme:
    """CDF 5/3 with its prediction replaced by the given taps."""
    return lw.LiftingScheme(
        [
            lw.LiftingStep("predict", predict, offset=1 - len(predict) // 2),
            lw.LiftingStep("update", [1 / 4, 1 / 4], offset=-1),
        ]
    )


def detail_share(x: torch.Tensor, scheme: lw.LiftingScheme) -> torch.Tensor:
    """Power of the detail relative to the signal's, without the ends, where tones are mirrored."""
    _, detail = lw.dwt(x, scheme, mode=MODE)
    return (detail[:, 4:-4] ** 2).mean() / (x**2).mean()


def learn(x: torch.Tensor, start: list[float]) -> tuple[torch.Tensor, list[float]]:
    """Taps that minimize the detail, and the history of the loss."""
    predict = torch.tensor(start, dtype=x.dtype, requires_grad=True)
    scheme = scheme_of(predict)  # contains the tensor, so it follows the training
    optimizer = torch.optim.Adam([predict], lr=0.02)
    losses = []
    for _ in range(ROUNDS):
        loss = detail_share(x, scheme)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return predict.detach(), losses


def high_pass(scheme: lw.LiftingScheme, frequencies: np.ndarray) -> np.ndarray:
    """Magnitude of the analysis high-pass."""
    taps = np.array(scheme.to_filter_bank().dec_hi)
    return np.abs(np.exp(-2j * np.pi * np.outer(frequencies, np.arange(taps.size))) @ taps)


def picture(before: lw.LiftingScheme, after: lw.LiftingScheme, losses: list[float]) -> Figure:
    """The history of the loss, and the high-pass filter before and after training."""
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    course, response = figure.subplots(1, 2, width_ratios=(1, 1.4))
    course.semilogy(losses, color="#1f4e79")
    course.set_xlabel("round")
    course.set_title("power left in the detail, relative to the signal's", fontsize=10)
    frequencies = np.linspace(0, 0.5, 501)
    for scheme, label, color in (
        (before, "CDF 5/3", "#9aa5b1"),
        (after, "learned", "#1f4e79"),
    ):
        response.plot(frequencies, high_pass(scheme, frequencies), color=color, label=label)
    for tone in TONES:
        response.axvline(tone, color="#d1495b", linewidth=0.8, linestyle=":")
    response.plot([], [], ":", color="#d1495b", label="the tones")
    response.set_xlabel("cycles per sample")
    response.set_title("magnitude of the high-pass", fontsize=10)
    response.legend(frameon=False, fontsize=9)
    for ax in (course, response):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def main(argv: list[str] | None = None) -> None:
    """Train, print the results, and plot them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)

    start = [0.0, -0.5, -0.5, 0.0]
    taps, losses = learn(tones(32, 256, seed=0), start)
    before, after = scheme_of(start), scheme_of(taps.tolist())
    unseen = tones(32, 255, seed=1)
    back = lw.idwt(*lw.dwt(unseen, after, mode=MODE), after, mode=MODE)
    print(after)
    for name, scheme in (("CDF 5/3", before), ("learned", after)):
        share = detail_share(unseen, scheme).item()
        print(f"{name}: {share:.2e} of the power is left in the detail")
    print(f"round trip of signals not seen in training: {float((back - unseen).abs().max()):.1e}")
    picture(before, after, losses).savefig(output / "learned_scheme.png", dpi=100)


if __name__ == "__main__":
    main()
