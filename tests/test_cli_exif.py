"""EXIF data are copied as they are stored, to TIFF files of every sample format, too."""

from __future__ import annotations

import base64
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from files import COLOUR, GREY, deep, described, enter
from PIL import Image

from liftwave.cli import main, tiff
from liftwave.cli.exif import Value, encoded
from liftwave.cli.media import Media, read, write


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


def exif_of(path):
    """The EXIF data of a TIFF file by Pillow, which need not read its samples."""
    exif = Image.Exif()
    exif.load_from_fp(io.BytesIO(Path(path).read_bytes()))
    return exif


DEEP = {
    "16-bit colour": deep(COLOUR),
    "16-bit grey": deep(GREY),
    "float": GREY / 255,
    "signed": GREY.astype(np.int8),
    "five channels": np.dstack([GREY] * 5),
    "booleans": GREY > 99,
    "8-bit colour": COLOUR,
    "stack": np.stack([deep(GREY), deep(GREY)]),
}


@pytest.mark.parametrize("kind", DEEP)
def test_tiff_of_every_sample_format_keeps_its_exif_data(folder, capsys, kind):
    array = DEEP[kind]
    extra = {"frames": len(array)} if kind == "stack" else {}
    described("x.png", COLOUR)
    extra["exif"] = read(Path("x.png")).extra["exif"]
    write(Path("x.tif"), Media(array, "image", extra))
    for source, target in (("x.tif", "y.tif"), ("y.tif", "z.tif")):
        assert main(["sparsify", source, target, "--keep", "1"]) == 0
        written = tifffile.imread(target)
        np.testing.assert_array_equal(written, array * 255 if array.dtype == bool else array)
        exif = exif_of(target)
        assert exif[0x010E] == "a title"
        assert exif.get_ifd(0x8769) == {0x829A: 0.005}
        assert exif.get_ifd(0x8825) == {1: "N"}
        with tifffile.TiffFile(target) as file:
            assert file.pages[0].tags["ExifTag"].value == {"ExposureTime": 0.005}
            assert file.pages[0].tags["GPSTag"].value == {"GPSLatitudeRef": "N"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_data_are_copied_as_they_are_stored(folder, suffix):
    """Letters beyond ASCII, unknown tags, and numbers of every type, in both byte orders."""
    title = "Grüße, 東京".encode()
    values = {
        0x010E: (2, len(title) + 1, title + b"\0"),
        0x8769: {
            0x9000: (7, 4, b"0232"),
            0xA434: (2, 7, b"Objekt\xe4"),
            0xFE00: (12, 2, bytes(range(16))),
            0xA005: {1: (2, 4, b"R98\0")},
        },
    }
    for order in "<>":
        directory = with_values(values)
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
        exif = b"Exif\0\0" + head + encoded(directory, order, 8)
        Image.fromarray(COLOUR).save("x.jpg", exif=exif)
        assert main(["denoise", "x.jpg", f"y{suffix}", "--force"]) == 0
        assert base64.b64decode(read(Path(f"y{suffix}")).extra["exif"]) == exif


def with_values(tags):
    """A directory of EXIF tags, from tuples of type, number and bytes."""
    nested = {tag: with_values(v) for tag, v in tags.items() if isinstance(v, dict)}
    return {tag: nested.get(tag) or Value(*value) for tag, value in tags.items()}


def test_exif_data_of_big_tiff_are_kept(folder):
    tifffile.imwrite("x.tif", deep(COLOUR), description="a long title", bigtiff=True, metadata=None)
    assert main(["denoise", "x.tif", "y.png"]) == 0
    with Image.open("y.png") as image:
        assert image.getexif()[0x010E] == "a long title"


def test_files_too_large_for_exif_data_say_so(folder, capsys, monkeypatch):
    described("x.png", COLOUR)
    monkeypatch.setattr(tiff, "_LARGEST", 100)
    assert main(["denoise", "x.png", "y.tif"]) == 0
    assert capsys.readouterr().err == (
        "liftwave: warning: y.tif: this TIFF file does not hold the EXIF data\n"
    )
    assert exif_of("y.tif").get_ifd(0x8769) == {}


@pytest.mark.parametrize("damage", ["nothing", "far away", "endless", "unknown type"])
def test_damaged_exif_data_are_left_out(folder, damage):
    place = 10**9 if damage == "far away" else 0
    tags = [("ExifTag", 4, 1, place, True)]
    tifffile.imwrite("x.tif", deep(GREY), extratags=tags, metadata=None, byteorder="<")
    content = bytearray(Path("x.tif").read_bytes())
    if damage in ("endless", "unknown type"):
        where = content.index(struct.pack("<HHI", 0x8769, 4, 1)) + 8
        content[where : where + 4] = struct.pack("<I", len(content))
        kind = 2 if damage == "endless" else 99
        content += struct.pack("<HHHII", 1, 1, kind, 2**31, 0) + bytes(4)
    Path("x.tif").write_bytes(content)
    assert main(["sparsify", "x.tif", "y.tif", "--keep", "1"]) == 0
    np.testing.assert_array_equal(tifffile.imread("y.tif"), deep(GREY))
    assert exif_of("y.tif").get_ifd(0x8769) == {}
