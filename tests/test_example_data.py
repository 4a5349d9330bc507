"""The loaders of the examples read files in the original formats of the data sets."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("skimage")

from examples import data  # noqa: E402


def numbers(*shape: int, below: int = 256, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(below, size=shape, dtype=np.uint8)


def pickled(path, held: dict[bytes, object]) -> None:
    """Write as Python 2 wrote CIFAR's files: protocol 2, names in bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(held, protocol=2))


def picture(path, pixels: np.ndarray, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if palette:
        image.putpalette(list(range(256)) * 3)
    image.save(path)


def test_digits_are_divided_without_overlap():
    split = data.digits(train=600)
    images, labels = split.train.tensors()
    held_out, _ = split.test.tensors()
    assert images.shape == (600, 1, 16, 16)
    assert held_out.shape == (1197, 1, 16, 16)
    assert set(labels.tolist()) == set(range(split.classes))
    assert 0 <= images.min() < images.max() <= 1
    own = {image.numpy().tobytes() for image in images}
    # Fewer than one in a hundred digits are drawn twice, pixel for pixel.
    assert sum(image.numpy().tobytes() in own for image in held_out) < 12
    again, _ = data.digits(train=600).train.tensors()
    assert torch.equal(images, again)


def test_photographs_are_what_the_packages_carry():
    import pywt
    import skimage.data

    found = data.photographs()
    assert len(found) == 12
    assert torch.equal(
        found["astronaut"] * 255, torch.tensor(skimage.data.astronaut()).movedim(-1, 0)
    )
    assert np.array_equal(found["aero"][0] * 255, pywt.data.aero())
    grey = data.photographs(256, colour=False)
    assert {tuple(image.shape) for image in grey.values()} == {(1, 256, 256)}
    assert np.array_equal(grey["ascent"][0] * 255, pywt.data.ascent()[128:384, 128:384])
    with Image.open(io.BytesIO(_png(skimage.data.coffee()))) as coffee:
        theirs = np.asarray(coffee.convert("L"), float) / 255
    middle = theirs[72:328, 172:428]
    assert np.abs(grey["coffee"][0].numpy() - middle).max() < 1.01 / 255
    with pytest.raises(ValueError, match="300 x 451 has no middle of 301 x 301"):
        data.photographs(301)


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def test_patches_are_cut_from_images():
    images = [torch.arange(48.0).reshape(1, 6, 8), 100 + torch.arange(35.0).reshape(1, 5, 7)]
    found = data.patches(images, 3, 40, seed=0)
    assert found.shape == (40, 1, 3, 3)
    for patch in found[:, 0]:
        assert (patch.diff(dim=1) == 1).all()
        assert patch.diff(dim=0).unique().item() == (8 if patch.max() < 100 else 7)
    assert (found >= 100).any()
    assert (found < 100).any()


def test_cifar10_is_read(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    pixels = numbers(3, 2, 3072)
    for k in (1, 2):
        pickled(folder / f"data_batch_{k}", {b"data": pixels[k - 1], b"labels": [k, k + 3]})
    pickled(folder / "test_batch", {b"data": pixels[2], b"labels": [9, 0]})
    name, split = data.open_folder(tmp_path)
    assert (name, split.classes) == ("CIFAR-10", 10)
    images, labels = split.train.tensors()
    assert labels.tolist() == [1, 4, 2, 5]
    # Each row of a file: red, green, blue, with 32 rows of 32 each.
    assert torch.equal(images * 255, torch.tensor(pixels[:2].reshape(4, 3, 32, 32)).float())
    image, label = split.test[1]
    assert image.dtype == torch.float32
    assert label == 0


def test_cifar100_is_read(tmp_path):
    for part, count in (("train", 3), ("test", 2)):
        labels = {b"fine_labels": list(range(count)), b"coarse_labels": [7] * count}
        pickled(tmp_path / part, {b"data": numbers(count, 3072), **labels})
    name, split = data.open_folder(tmp_path)
    assert (name, split.classes) == ("CIFAR-100", 100)
    assert (len(split.train), len(split.test)) == (3, 2)
    assert split.train[2][1] == 2


def test_a_cifar_file_cannot_run_programs(tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("executed",)

    pickled(tmp_path / "test", {b"data": Evil()})
    pickled(tmp_path / "train", {b"data": Evil()})
    with pytest.raises(pickle.UnpicklingError, match=r"does not hold __builtin__\.print"):
        data.open_folder(tmp_path)


def test_voc_is_read(tmp_path):
    folder = tmp_path / "VOCdevkit" / "VOC2012"
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("a\nb\n")
    (lists / "val.txt").write_text("c\n")
    classes = numbers(16, 24, below=21)
    classes[0, 4] = data.VOID
    for stem in "abc":
        picture(folder / "JPEGImages" / f"{stem}.jpg", numbers(16, 24, 3))
        picture(folder / "SegmentationClass" / f"{stem}.png", classes, palette=True)
    assert data.open_folder(tmp_path)[0] == "PASCAL VOC"
    split = data.voc(folder, size=16)
    assert (len(split.train), len(split.test), split.classes) == (2, 1, 21)
    image, target = split.train[0]
    assert image.shape == (3, 16, 16)
    assert np.array_equal(target, classes[:, 4:20])
    assert split.train[0][1][0, 0] == data.VOID
    assert data.voc(folder, size=8).test[0][1].shape == (8, 8)


def test_imagenet_is_read(tmp_path):
    pixels = np.full((20, 10, 3), (10, 20, 30), np.uint8)
    for part, kind, name in (
        ("train", "n01", "x.JPEG"),
        ("train", "n02", "y.png"),
        ("train", "n02", "notes.txt"),
        ("val", "n02", "z.JPEG"),
    ):
        if name == "notes.txt":
            (tmp_path / part / kind / name).write_text("no picture")
        else:
            picture(tmp_path / part / kind / name, pixels)
    name, split = data.open_folder(tmp_path)
    assert (name, split.classes, len(split.train), len(split.test)) == ("ImageNet", 2, 2, 1)
    image, label = split.train[1]
    assert image.shape == (3, 224, 224)
    assert torch.equal(image[:, 5, 5] * 255, torch.tensor([10.0, 20.0, 30.0]))
    assert (int(label), int(split.test[0][1])) == (1, 1)


def test_an_unknown_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"looked for data_batch_1 \(CIFAR-10\), train"):
        data.open_folder(tmp_path)
    with pytest.raises(FileNotFoundError, match="has no PASCAL VOC: looked for ImageSets"):
        data.found_in(tmp_path, "PASCAL VOC")
    with pytest.raises(ValueError, match="there are 2 images and 3 labels"):
        data.Arrays(np.zeros((2, 1, 4, 4)), np.zeros(3))
