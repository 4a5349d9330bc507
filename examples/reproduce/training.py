"""Training of classifiers, and their robustness to changes of images."""

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
    """Batches of a data set; data in memory is sliced, other data is loaded file by file."""
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
    """Train a classifier by Adam; the rate falls to zero along half a cosine.

    Parameters
    ----------
    model : torch.nn.Module
        The classifier; returns logits.
    data : Dataset
        Images and classes.
    epochs : int
        Number of passes over all images.
    penalty : float
        Weight of the layers' penalties in the loss; 0 computes none.
    learning_rate : float
        Initial learning rate.

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
    """The fraction of correctly classified images."""
    right = total = 0
    for images, labels in batches(data, 400, shuffled=False):
        right += int((predictions(model, images) == labels).sum())
        total += len(labels)
    return right / total


# --- changes of images ---------------------------------------------------------------------------


def moved(images: Tensor, down: int, right: int) -> Tensor:
    """Images shifted by the given numbers of pixels; edge pixels are repeated."""
    reach = max(abs(down), abs(right))
    wide = F.pad(images, (reach,) * 4, mode="replicate")
    rows, columns = images.shape[-2:]
    return wide[..., reach - down :, reach - right :][..., :rows, :columns]


def noisy(images: Tensor, spread: float, seed: int = 0) -> Tensor:
    """Images with normal noise of the given standard deviation; equal for every model."""
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
    """Accuracy on shifted, noisy and blurred images, and consistency under shifts.

    Parameters
    ----------
    model : torch.nn.Module
        The classifier.
    data : Dataset
        The test images; the first ``count`` are used.

    Returns
    -------
    dict of str to float
        ``shift`` (all eight shifts by one pixel), ``noise``, ``blur``: mean accuracies;
        ``consistency``: the fraction of shifted images classified like the original image (Zhang,
        "Making convolutional networks shift-invariant again", section 4, for two shifted images).
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
