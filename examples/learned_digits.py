"""Wavelets learned for the classification of handwritten digits, for each kind of constraint.

Two levels of a wavelet transform reduce an 8 x 8 image to ten numbers: the approximation, and the
size of the details of each direction and level. A linear classifier uses only these. Wavelet and
classifier are trained together. For comparison, the same classifier is trained with the fixed
initial wavelet. Needs scikit-learn, for the digits. Run
``python examples/learned_digits.py --output pictures``.
"""

from __future__ import annotations

import argparse
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

import liftwave as lw
from liftwave.torch import DWT2d, auxiliary_loss

MODE = "periodization"
ROUNDS, SEEDS = 150, 5
SAMPLES = 64  # length of the signals for the filters' matrices
KINDS = (  # the constraint, and the initial wavelet
    (None, "db4"),
    ("orthonormal", "db4"),
    ("lifting", "db4"),
    ("filters", "db4"),
    (None, "bior4.4"),
    ("linear-phase", "bior4.4"),
)
GREY, BLUE = "#9aa5b1", "#1f4e79"


class Digits(NamedTuple):
    """Images of shape (N, 1, 8, 8), between 0 and 1, and their digits."""

    images: Tensor
    labels: Tensor


def digits(seed: int) -> tuple[Digits, Digits]:
    """Two thirds of the digits for training, and the others for the test, drawn at random."""
    data = load_digits()
    images = (data.images[:, None] / 16).astype(np.float32)
    parts = train_test_split(
        images, data.target, test_size=1 / 3, stratify=data.target, random_state=seed
    )
    seen, unseen, seen_labels, unseen_labels = map(torch.as_tensor, parts)
    return Digits(seen, seen_labels), Digits(unseen, unseen_labels)


class Classifier(nn.Module):
    """A wavelet transform, and a linear classifier of a few features of it."""

    def __init__(self, learn: str | None, wavelet: str) -> None:
        super().__init__()
        self.dwt = DWT2d(wavelet, level=2, mode=MODE, learn=learn)
        # Standardised, so that larger filters alone have no advantage.
        self.linear = nn.Sequential(nn.BatchNorm1d(4 + 6, affine=False), nn.Linear(4 + 6, 10))

    def forward(self, images: Tensor) -> Tensor:
        """Ten scores for each image."""
        approx, coarse, fine = self.dwt(images)
        magnitudes = [band.abs().mean((-2, -1)) for band in (*coarse, *fine)]
        return self.linear(torch.cat([approx.flatten(1), *magnitudes], dim=1))


def train(model: Classifier, data: Digits, rounds: int) -> None:
    """Fit the classifier, and a learned wavelet; the loss includes its penalties."""
    groups = [
        {"params": model.linear.parameters(), "lr": 0.1},
        {"params": list(model.dwt.parameters()), "lr": 0.02},
    ]
    optimizer = torch.optim.Adam(groups)
    model.train()
    for _ in range(rounds):
        loss = nn.functional.cross_entropy(model(data.images), data.labels)
        optimizer.zero_grad()
        (loss + auxiliary_loss(model)).backward()
        optimizer.step()


@torch.no_grad()
def accuracy(model: Classifier, data: Digits) -> float:
    """The fraction of correctly classified digits."""
    return float((model.eval()(data.images).argmax(1) == data.labels).float().mean())


# --- the filters ---------------------------------------------------------------------------------


class Matrices(NamedTuple):
    """A layer's transform of a signal as matrices: low-pass and high-pass rows, and the inverse."""

    low: np.ndarray
    high: np.ndarray
    inverse: np.ndarray


@torch.no_grad()
def matrices(layer: DWT2d) -> Matrices:
    """The transform along one axis, of signals of 64 samples, in double precision."""
    wavelet = deepcopy(layer).double().wavelet
    made = wavelet if layer.learn is None else wavelet()
    unit = torch.eye(SAMPLES, dtype=torch.float64)
    low, high = (band.T.numpy() for band in lw.dwt(unit, made, MODE))
    bands = torch.eye(SAMPLES, dtype=torch.float64).split(SAMPLES // 2, dim=1)
    return Matrices(low, high, lw.idwt(*bands, made, MODE).T.numpy())


def properties(of: Matrices) -> list[float]:
    """The deviations from zero-sum high-pass, orthonormality, and reconstruction."""
    analysis, unit = np.concatenate([of.low, of.high]), np.eye(SAMPLES)
    return [
        float(np.abs(of.high.sum(axis=1)).max()),
        float(np.abs(analysis @ analysis.T - unit).max()),
        float(np.abs(of.inverse @ analysis - unit).max()),
    ]


def filters(of: Matrices, span: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Low-pass and high-pass: the rows of one coefficient each, by sample offset."""
    middle = SAMPLES // 2
    near = slice(middle - span, middle + span + 2)
    return of.low[middle // 2, near], of.high[middle // 2, near]


def picture(learned: dict[str, tuple[Matrices, Matrices]]) -> Figure:
    """Both filters of each kind and their frequency responses, before and after."""
    figure = Figure(figsize=(10.5, 6.6), layout="constrained")
    axes = figure.subplots(3, len(learned), sharex="row", sharey="row")
    for column, (name, pair) in zip(axes.T, learned.items(), strict=True):
        column[0].set_title(name, fontsize=10)
        for when, of, color in zip(("before", "after"), pair, (GREY, BLUE), strict=True):
            _draw(column, filters(of), when, color)
        column[1].set_xlabel("sample")
        column[2].set_xlabel("cycles per sample")
    for ax, label in zip(axes[:, 0], ("low-pass", "high-pass", "magnitude"), strict=True):
        ax.set_ylabel(label)
    axes[0, 0].legend(frameon=False, fontsize=9)
    for style, name in (("-", "low-pass"), ("--", "high-pass")):
        axes[2, 0].plot([], [], style, color=BLUE, label=name)
    axes[2, 0].legend(frameon=False, fontsize=9, loc="upper right")
    for ax in axes.flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _draw(column: np.ndarray, pair: tuple[np.ndarray, np.ndarray], when: str, color: str) -> None:
    frequencies = np.linspace(0, 0.5, 257)
    for ax, taps, style in zip(column[:2], pair, ("-", "--"), strict=True):
        at = np.arange(taps.size) - taps.size // 2 + 1
        ax.plot(at, taps, "o-", color=color, markersize=3, linewidth=1.2, label=when)
        response = np.abs(np.exp(-2j * np.pi * np.outer(frequencies, at)) @ taps)
        column[2].plot(frequencies, response, style, color=color)


class Trial(NamedTuple):
    """The results of one kind of learning for each seed, and the last filters."""

    recognised: np.ndarray  # % of the unseen digits
    properties: np.ndarray  # a row per seed
    before: Matrices
    after: Matrices


def trial(learn: str | None, wavelet: str, seeds: int, rounds: int) -> Trial:
    """Train and test on one random split per seed."""
    recognised, found = [], []
    for seed in range(seeds):
        torch.manual_seed(seed)
        seen, unseen = digits(seed)
        model = Classifier(learn, wavelet)
        before = matrices(model.dwt)
        train(model, seen, rounds)
        after = matrices(model.dwt)
        recognised.append(100 * accuracy(model, unseen))
        found.append(properties(after))
    return Trial(np.array(recognised), np.array(found), before, after)


def main(argv: list[str] | None = None) -> None:
    """Train each kind with several seeds, print the results, and plot the filters."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how often to split and to train")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for pictures")
    options = parser.parse_args(argv)
    options.output.mkdir(parents=True, exist_ok=True)

    print(f"{'':<24}{'% of the unseen':>16}{'more than':>13}   high-pass  off ortho-  off recon-")
    print(f"{'learned':<14}{'begins at':<10}{'digits right':>16}{'nothing':>13}   "
          f"{'sums to':>9}  normality  struction")  # fmt: skip
    trials: dict[tuple[str | None, str], Trial] = {}
    for learn, wavelet in KINDS:
        tried = trials[learn, wavelet] = trial(learn, wavelet, options.seeds, options.rounds)
        right = tried.recognised
        more = right - trials[None, wavelet].recognised
        worst = "".join(f"{each:>12.0e}" for each in tried.properties.max(axis=0))
        gain = "" if learn is None else f"{more.mean():+.1f} ± {more.std():.1f}"
        print(f"{learn or 'nothing':<14}{wavelet:<10}"
              f"{f'{right.mean():.1f} ± {right.std():.1f}':>16}{gain:>13}{worst}")  # fmt: skip
    drawn = {
        f"{learn}, from {wavelet}": (each.before, each.after)
        for (learn, wavelet), each in trials.items()
        if learn is not None
    }
    picture(drawn).savefig(options.output / "learned_digits.png", dpi=90)


if __name__ == "__main__":
    torch.set_num_threads(1)  # more threads are slower for such small tensors
    main()
