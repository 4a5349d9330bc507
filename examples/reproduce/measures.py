"""Similarity of two images: PSNR, SSIM, and a substitute for perceptual measures."""

from __future__ import annotations

import math

import torch
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def psnr(image: Tensor, other: Tensor) -> float:
    """Peak signal-to-noise ratio of images from 0 to 1, in decibels; infinite if they are equal."""
    mean_square = float(((image.double() - other.double()) ** 2).mean())
    return math.inf if mean_square == 0 else -10 * math.log10(mean_square)


def ssim(image: Tensor, other: Tensor) -> float:
    """Structural similarity of images ``(C, H, W)`` from 0 to 1, with Wang et al.'s windows.

    References
    ----------
    Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Trans. Image Processing 13(4), 2004.
    """
    a, b = (i.double().numpy() for i in (image, other))
    found = structural_similarity(
        a, b, data_range=1.0, channel_axis=0,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    return float(found)


def gmsd(image: Tensor, other: Tensor) -> float:
    """Gradient magnitude similarity deviation of images ``(C, H, W)`` from 0 to 1; 0 if equal.

    Lost or added edges make the similarity of the gradients vary over the image; its standard
    deviation follows perception. It replaces LPIPS, which needs a trained network. The paper first
    averages two by two pixels. This function does not, because that is a pooling under test.

    References
    ----------
    Xue et al., "Gradient magnitude similarity deviation: a highly efficient perceptual image
    quality index", IEEE Trans. Image Processing 23(2), 2014, eq. (1) to (6).
    """
    first, second = (_gradient_magnitude(i) for i in (image, other))
    constant = 0.0026  # 170 for images up to 255, as in the paper
    likeness = (2 * first * second + constant) / (first**2 + second**2 + constant)
    return float(likeness.std(correction=0))


def _gradient_magnitude(image: Tensor) -> Tensor:
    """The gradient magnitude by Prewitt's filters."""
    grey = image.double().mean(0)[None, None]
    row = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64) / 3
    across = row.expand(3, 3)[None, None]
    return torch.hypot(F.conv2d(grey, across), F.conv2d(grey, across.mT))
