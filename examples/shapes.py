"""Discs, squares and triangles cut from photographs and pasted into others, for segmentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from examples.data import Arrays, Split, photographs

HELD_OUT = ("china", "chelsea", "camera", "grass")
"""The photographs of the test images. The others are those of the training images."""

Mask = NDArray[np.bool_]


def _disc(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Mask:
    return rows**2 + columns**2 <= 1


def _square(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Mask:
    return np.maximum(np.abs(rows), np.abs(columns)) <= 0.85


def _triangle(rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Mask:
    return (rows <= 0.7) & (2 * np.abs(columns) <= 1 + rows)


# Class 0 is the background.
SHAPES: tuple[Callable[..., Mask], ...] = (_disc, _square, _triangle)
CLASSES = 1 + len(SHAPES)


def shapes(train: int = 600, test: int = 300, size: int = 32, seed: int = 0) -> Split:
    """Grey images of one to three shapes, with the class of each pixel.

    Parameters
    ----------
    train, test : int
        Numbers of images. Test images are made of other photographs.
    size : int
        Height and width.
    seed : int
        Seed of the places, the shapes and the photographs.
    """
    every = {name: image[0].numpy() for name, image in photographs(colour=False).items()}
    parts = [image for name, image in every.items() if name not in HELD_OUT]
    held_out = [every[name] for name in HELD_OUT]
    rng = np.random.default_rng(seed)
    return Split(_images(parts, train, size, rng), _images(held_out, test, size, rng), CLASSES)


def _images(
    pictures: Sequence[NDArray[np.float32]], count: int, size: int, rng: np.random.Generator
) -> Arrays:
    images = np.empty((count, 1, size, size), np.float32)
    labels = np.zeros((count, size, size), np.int64)
    for image, label in zip(images, labels, strict=True):
        order = rng.permutation(len(pictures))
        image[0] = _patch(pictures[order[0]], size, rng)
        for number in order[1 : 2 + rng.integers(3)]:
            kind = int(rng.integers(len(SHAPES)))
            mask = SHAPES[kind](*_coordinates(size, rng))
            image[0][mask] = _patch(pictures[number], size, rng)[mask]
            label[mask] = 1 + kind
    return Arrays(images, labels)


def _patch(
    picture: NDArray[np.float32], size: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    top, left = (int(rng.integers(n - size + 1)) for n in picture.shape)
    return picture[top : top + size, left : left + size]


def _coordinates(size: int, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Rows and columns relative to a random place, in units of a random radius."""
    radius = size * rng.uniform(0.15, 0.3)
    middle = rng.uniform(0.2 * size, 0.8 * size, 2)
    grid = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    return [(axis - at) / radius for axis, at in zip(grid, middle, strict=True)]
