"""Training of classifiers, and how well they stand what is done to images."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset

from examples.data import Arrays, Sample
from liftwave.torch import auxiliary_loss

BATCH = 50


def batches(data: Dataset[Sample], size: int, shuffled: bool) -> Iterator[Sample]:
    """Batches of a data set; what lies in memory is sliced, all else loaded file by file."""
    if not isinstance(data, Arrays):
        yield from DataLoader(data, batch_size=size, shuffle=shuffled, num_workers=2)
        return
    images, labels = data.tensors()
    order = torch.randperm(len(labels)) if shuffled else torch.arange(len(labels))
    for chosen in order.split(size):
        yield images[chosen], labels[chosen]


def train(
    model: nn.Module,
    data: Dataset[Sample],
    epochs: int,
    penalty: float = 1.0,
    learning_rate: float = 2e-3,
) -> float:
    """Train a classifier by Adam, the rate falling to zero along half a cosine.

    Parameters
    ----------
    model : torch.nn.Module
        Gives logits.
    data : Dataset
        Of images and classes.
    epochs : int
        How often all images are seen.
    penalty : float
        How much of the layers' penalties is added to the cross-entropy; 0 asks for none.
    learning_rate : float
        At the beginning.

    Returns
    -------
    float
        Mean cross-entropy of the last epoch.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    model.train()
    losses: list[float] = []
    for _ in range(epochs):
        losses = []
        for images, labels in batches(data, BATCH, shuffled=True):
            loss = F.cross_entropy(model(images), labels)
            losses.append(loss.item())
            if penalty:
                loss = loss + penalty * auxiliary_loss(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return sum(losses) / len(losses)


@torch.no_grad()
def predictions(model: nn.Module, images: Tensor) -> Tensor:
    """The class of each image."""
    model.eval()
    return torch.cat([model(part).argmax(-1) for part in images.split(400)])


@torch.no_grad()
def accuracy(model: nn.Module, data: Dataset[Sample]) -> float:
    """The share of images whose class is found."""
    right = total = 0
    for images, labels in batches(data, 400, shuffled=False):
        right += int((predictions(model, images) == labels).sum())
        total += len(labels)
    return right / total


# --- what is done to images ----------------------------------------------------------------------


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Images moved by so many pixels, their edge repeated where nothing is known."""
    reach = max(abs(down), abs(right))
    wide = F.pad(images, (reach,) * 4, mode="replicate")
    rows, columns = images.shape[-2:]
    return wide[..., reach - down :, reach - right :][..., :rows, :columns]


def noisy(images: Tensor, spread: float, seed: int = 0) -> Tensor:
    """Images with normal noise of a standard deviation, the same for every model."""
    generator = torch.Generator().manual_seed(seed)
    return (images + spread * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Images after a Gaussian filter."""
    reach = round(3 * sigma)
    k = torch.arange(-reach, reach + 1, dtype=images.dtype)
    taps = torch.exp(-(k**2) / (2 * sigma**2))
    taps = (taps / taps.sum()).expand(images.shape[1], 1, -1)
    wide = F.pad(images, (reach,) * 4, mode="replicate")
    across = F.conv2d(wide, taps[:, :, None, :], groups=images.shape[1])
    return F.conv2d(across, taps[:, :, :, None], groups=images.shape[1])


SHIFTS = tuple(
    (down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)
)
NOISES = (0.1, 0.2, 0.3)
BLURS = (0.75, 1.0, 1.5)


def robustness(model: nn.Module, data: Dataset[Sample], count: int = 400) -> dict[str, float]:
    """Accuracy on shifted, noisy and blurred images, and how often a shift changes nothing.

    Parameters
    ----------
    model : torch.nn.Module
        The classifier.
    data : Dataset
        The test's images, of which the first ``count`` are taken.

    Returns
    -------
    dict of str to float
        ``shift`` (all eight moves by one pixel), ``noise``, ``blur``: mean accuracies;
        ``consistency``: the share of moved images classed as the image itself (Zhang, "Making
        convolutional networks shift-invariant again", section 4, there between two moved images).
    """
    images, labels = next(batches(data, count, shuffled=False))
    plain = predictions(model, images)
    shifts = torch.stack([predictions(model, moved(images, *by)) for by in SHIFTS])
    noises = [predictions(model, noisy(images, spread)) for spread in NOISES]
    blurs = [predictions(model, blurred(images, sigma)) for sigma in BLURS]

    def right(found: Tensor) -> float:
        return float((found == labels).double().mean())

    return {
        "shift": right(shifts),
        "consistency": float((shifts == plain).double().mean()),
        "noise": right(torch.stack(noises)),
        "blur": right(torch.stack(blurs)),
    }
