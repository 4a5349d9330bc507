"""Every sample of a picture is read as it is stored, or the picture is refused."""

from __future__ import annotations

import io
import struct
import zlib
from itertools import product
from pathlib import Path

import numpy as np
import png
import pytest
import tifffile
from files import (
    COLOUR,
    GREY,
    channels,
    deep,
    described,
    enter,
    open_image,
    read_png,
    succeed,
    write_png,
)
from PIL import Image

import liftwave as lw
from liftwave.cli import main
from liftwave.cli.media import read
from liftwave.errors import FileError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


def turned(array, orientation):
    """The picture upright, by the definition of EXIF: where row 0 and column 0 are."""
    ways = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a),
    }
    return ways[orientation](array)


# --- TIFF ---------------------------------------------------------------------------------------

DTYPES = ["bool", "float16", "float32", "float64"]
DTYPES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
PACKED_BY_TIFFFILE = (None, "zlib")
PACKED_BY_PILLOW = ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd")


def sample_values(dtype, count):
    """Random samples of the whole range, with one channel or several."""
    rng = np.random.default_rng(0)
    shape = (13, 18) if count == 1 else (13, 18, count)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) > 0.5
    if dtype.kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def write_oriented(path, array, orientation, packing, *, planar="contig", predictor=None):
    count = 1 if array.ndim == 2 else array.shape[2]
    options = {"photometric": "rgb" if count in (3, 4) else "minisblack"}
    if count > 1:
        options["planarconfig"] = planar
        array = np.moveaxis(array, -1, 0) if planar == "separate" else array
        extras = count - (3 if count in (3, 4) else 1)
        options["extrasamples"] = ["unassalpha"] * min(extras, 1) + ["unspecified"] * (extras - 1)
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(
        path,
        array,
        compression=packing,
        predictor=predictor,
        metadata=None,
        extratags=tags,
        **options,
    )


def check_read(path, array):
    """All files are read, and their samples equal those of the file's own library."""
    expected = array.astype(np.uint8) * 255 if array.dtype == bool else array
    result = read(path).array
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


def tiff_cases(dtypes, counts, orientations):
    return [
        case
        for case in product(dtypes, counts, orientations, PACKED_BY_TIFFFILE)
        if case[0] != "bool" or case[1:] == (1, case[2], None)
    ]


def check_written_by_tifffile(dtype, count, orientation, packing):
    array = sample_values(dtype, count)
    write_oriented("x.tif", array, orientation, packing)
    check_read(Path("x.tif"), turned(array, orientation))


@pytest.mark.parametrize("dtype", DTYPES)
def test_tiff_of_every_sample_format(folder, dtype):
    for case in tiff_cases([dtype], (1, 2, 3, 4, 5), (1, 6)):
        check_written_by_tifffile(*case)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
def test_tiff_of_every_sample_format_and_orientation(folder, dtype):
    for case in tiff_cases([dtype], (1, 2, 3, 4, 5), range(1, 9)):
        check_written_by_tifffile(*case)
    if dtype == "bool":
        return
    for count, orientation in product((2, 3, 4), range(1, 9)):
        array = sample_values(dtype, count)
        write_oriented("x.tif", array, orientation, None, planar="separate")
        check_read(Path("x.tif"), turned(array, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_of_pillow(folder, orientation):
    """Also packed by methods that only Pillow unpacks."""
    dtypes = {
        1: ("uint8", "uint16", "int32", "float32"),
        2: ("uint8",),
        3: ("uint8",),
        4: ("uint8",),
    }
    for count, packing in product(dtypes, PACKED_BY_PILLOW):
        for dtype in dtypes[count]:
            array = sample_values(dtype, count)
            tags = Image.Exif()
            tags[274] = orientation
            Image.fromarray(array).save("x.tif", compression=packing, tiffinfo=tags)
            check_read(Path("x.tif"), turned(array, orientation))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "float32", "float64"])
def test_tiff_in_tiles(folder, dtype):
    for count, orientation, packing in product((1, 3), range(1, 9), PACKED_BY_TIFFFILE):
        array = np.concatenate([sample_values(dtype, count)] * 3)
        options = {"photometric": "rgb", "planarconfig": "contig"} if count == 3 else {}
        options |= {"tile": (16, 16), "compression": packing, "metadata": None}
        tags = [(274, 3, 1, orientation, True)]
        tifffile.imwrite("x.tif", array, extratags=tags, **options)
        check_read(Path("x.tif"), turned(array, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_of_other_colours(folder, orientation):
    colour = Image.fromarray(sample_values("uint8", 3))
    tags = Image.Exif()
    tags[274] = orientation
    cases = {
        "palette": (colour.quantize(8), "raw", "RGB"),
        "fax": (colour.convert("1"), "group4", "L"),
        "inks": (colour.convert("CMYK"), "tiff_lzw", "RGB"),
    }
    for name, (image, packing, mode) in cases.items():
        image.save(f"{name}.tif", compression=packing, tiffinfo=tags)
        expected = turned(np.asarray(image.convert(mode)), orientation)
        check_read(Path(f"{name}.tif"), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_tiff_with_white_as_zero(folder, dtype):
    array = sample_values(dtype, 1)
    tifffile.imwrite("x.tif", array, photometric="miniswhite", metadata=None)
    check_read(Path("x.tif"), np.iinfo(dtype).max - array)


@pytest.mark.parametrize("order", "<>")
def test_tiff_of_both_byte_orders_and_sizes(folder, order):
    for big, dtype in product((False, True), ("uint16", "int32", "float64")):
        array = sample_values(dtype, 3)
        tifffile.imwrite(
            "x.tif", array, byteorder=order, bigtiff=big, photometric="rgb", metadata=None
        )
        check_read(Path("x.tif"), array)


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("uint16", {"photometric": "separated"}),
        ("uint16", {"photometric": "rgb", "extrasamples": ["assocalpha"]}),
        ("float32", {"photometric": "cielab"}),
    ],
)
def test_tiff_whose_samples_have_another_meaning_is_refused(folder, capsys, dtype, options):
    count = 4 if options["photometric"] != "cielab" else 3
    array = sample_values(dtype, count)
    tifffile.imwrite("x.tif", array, metadata=None, planarconfig="contig", **options)
    assert main(["denoise", "x.tif", "y.npy"]) == 2
    assert "are not supported; store it without compression" in capsys.readouterr().err


def test_channels_that_are_no_transparency_are_denoised_and_kept(run, folder):
    noisy = np.random.default_rng(0).integers(0, 200, (32, 32, 4)).astype(np.uint8)
    for photometric in ("rgb", "minisblack"):
        extras = ["unspecified"] * (1 if photometric == "rgb" else 3)
        options = {"photometric": photometric, "extrasamples": extras, "metadata": None}
        tifffile.imwrite("x.tif", noisy, planarconfig="contig", **options)
        run("denoise", "x.tif", "y.tif", "--sigma", 90, "--force")
        with tifffile.TiffFile("y.tif") as file:
            assert file.pages[0].photometric.name == photometric.upper()
            assert {kind.name for kind in file.pages[0].extrasamples} == {"UNSPECIFIED"}
            expected = lw.denoise(noisy, sigma=90.0, axes=(0, 1))
            np.testing.assert_array_equal(file.asarray(), np.clip(np.rint(expected), 0, 255))
    assert main(["denoise", "x.tif", "y.png"]) == 2


def test_a_packed_part_that_is_too_long_is_refused(folder):
    array = np.zeros((16, 16, 3), np.uint16)
    tifffile.imwrite("x.tif", array, photometric="rgb", compression="zlib", metadata=None)
    with tifffile.TiffFile("x.tif") as file:
        (start,), (count,) = file.pages[0].dataoffsets, file.pages[0].databytecounts
        tags = file.pages[0].tags
        places = tags["StripOffsets"].valueoffset, tags["StripByteCounts"].valueoffset
    stored = bytearray(Path("x.tif").read_bytes())
    packed = zlib.compress(bytes(10**7))
    for place, value in zip(places, (len(stored), len(packed)), strict=True):
        # One value is stored in the tag itself, as two or four bytes.
        stored[place : place + 4] = struct.pack("<I", value)
    Path("x.tif").write_bytes(bytes(stored) + packed)
    assert start < len(stored)
    assert count < len(packed)
    with pytest.raises(FileError, match="longer than its samples"):
        read(Path("x.tif"))


# --- PNG ----------------------------------------------------------------------------------------


def png_chunks(array, depth=8, *, orientation=1, **options):
    """A PNG of pypng, with an EXIF orientation."""
    height, width = array.shape[:2]
    count = 1 if array.ndim == 2 else array.shape[2]
    stream = io.BytesIO()
    kinds = {"greyscale": count < 3, "alpha": count in (2, 4), "bitdepth": depth}
    png.Writer(width, height, **kinds, **options).write(stream, array.reshape(height, -1))
    stored = stream.getvalue()
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)
    chunk = b"eXIf" + exif
    return (
        stored[:33]
        + struct.pack(">I", len(exif))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + stored[33:]
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_png_of_every_depth_and_orientation(folder, orientation):
    for dtype, count, interlaced in product(("uint8", "uint16"), (1, 2, 3, 4), (False, True)):
        array = sample_values(dtype, count)
        depth = 8 * array.dtype.itemsize
        content = png_chunks(array, depth, orientation=orientation, interlace=interlaced)
        Path("x.png").write_bytes(content)
        check_read(Path("x.png"), turned(array, orientation))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_one_transparent_grey_of_png(folder, depth):
    top = 2**depth - 1
    dtype = np.uint16 if depth == 16 else np.uint8
    array = np.random.default_rng(0).integers(0, top + 1, (9, 16)).astype(dtype)
    clear = int(array[3, 5])
    Path("x.png").write_bytes(png_chunks(array, depth, transparent=clear))
    scale = 1 if depth == 16 else 255 // top
    alpha = np.where(array == clear, 0, top)
    check_read(Path("x.png"), (np.stack([array, alpha], axis=-1) * scale).astype(dtype))


@pytest.mark.parametrize("depth", [8, 16])
def test_one_transparent_colour_of_png(folder, depth):
    array = sample_values(f"uint{depth}", 3)
    clear = tuple(int(n) for n in array[3, 5])
    Path("x.png").write_bytes(png_chunks(array, depth, transparent=clear))
    alpha = np.where((array == array[3, 5]).all(-1, keepdims=True), 0, 2**depth - 1)
    check_read(Path("x.png"), np.concatenate([array, alpha.astype(array.dtype)], -1))


def test_significant_bits_of_png_do_not_change_the_samples(folder):
    array = sample_values("uint16", 3)
    content = png_chunks(array, 16)
    chunk = b"sBIT" + bytes([10, 10, 10])
    whole = struct.pack(">I", 3) + chunk + struct.pack(">I", zlib.crc32(chunk))
    Path("x.png").write_bytes(content[:33] + whole + content[33:])
    check_read(Path("x.png"), array)


# --- other formats ------------------------------------------------------------------------------


def test_the_content_decides_and_not_the_suffix(folder):
    tifffile.imwrite("x.tif", sample_values("int8", 1), metadata=None)
    Path("x.tif").rename("x.png")
    check_read(Path("x.png"), sample_values("int8", 1))


def test_formats_without_a_known_meaning_are_refused(folder):
    Image.fromarray(COLOUR).save("x.tga")
    Path("x.tga").rename("x.png")
    with pytest.raises(FileError, match="not a readable png image"):
        read(Path("x.png"))


def test_jpeg_2000(folder):
    for name, array in (("grey", GREY), ("deep", deep(GREY)), ("colour", COLOUR)):
        Image.fromarray(array).save(f"{name}.jp2", irreversible=False)
        check_read(Path(f"{name}.jp2"), array)


def test_jpeg_2000_of_deep_colour_is_refused(folder):
    Image.fromarray(COLOUR).save("x.jp2", irreversible=False)
    stored = Path("x.jp2").read_bytes()
    start = stored.index(b"\xff\x4f\xff\x51") + 4 + 38
    assert stored[start : start + 9 : 3] == bytes([7, 7, 7])
    patched = bytearray(stored)
    patched[start : start + 9 : 3] = bytes([15, 15, 15])
    Path("x.jp2").write_bytes(bytes(patched))
    with pytest.raises(FileError, match="JPEG2000 colour of more than 8 bits is not supported"):
        read(Path("x.jp2"))


def test_webp_is_written_without_loss(run, folder):
    for array in (COLOUR, channels(4)):
        write_png(Path("x.png"), array)
        run("sparsify", "x.png", "x.webp", "--keep", 1, "--force")
        np.testing.assert_array_equal(open_image("x.webp"), array)
        np.testing.assert_array_equal(read(Path("x.webp")).array, array)


def test_the_second_picture_of_a_camera_is_ignored(folder):
    first, second = Image.fromarray(COLOUR), Image.fromarray(COLOUR[::2, ::2])
    first.save("x.jpg", format="MPO", save_all=True, append_images=[second])
    with Image.open("x.jpg") as image:
        assert (image.format, image.n_frames) == ("MPO", 2)
        expected = np.asarray(image)
    check_read(Path("x.jpg"), expected)


# --- stacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("count", [1, 3])
def test_stacks_are_denoised_frame_by_frame(run, folder, dtype, count):
    stack = np.stack([sample_values(dtype, count) for _ in range(3)])
    stack[1] //= stack.dtype.type(4)
    kind = "minisblack" if count == 1 else "rgb"
    tifffile.imwrite("x.tif", stack, photometric=kind, metadata=None)
    assert "stack of images of shape 3x13x18" in run("denoise", "x.tif", "y.tif")
    result = tifffile.imread("y.tif")
    assert result.shape == stack.shape
    for k in range(3):
        tifffile.imwrite("one.tif", stack[k], photometric=kind, metadata=None)
        run("denoise", "one.tif", "two.tif", "--force")
        np.testing.assert_array_equal(result[k], tifffile.imread("two.tif"))
    run("decompose", "x.tif", "x.npz", "-w", "haar", "--integer", "--mode", "reflect") if (
        dtype != "float32"
    ) else run("decompose", "x.tif", "x.npz")
    run("reconstruct", "x.npz", "z.tif")
    np.testing.assert_allclose(tifffile.imread("z.tif"), stack, rtol=0, atol=1e-5)


def test_animations_are_stacks(run, folder):
    pictures = [Image.fromarray(array).quantize(9) for array in (COLOUR, COLOUR[::-1])]
    pictures[0].save("x.gif", save_all=True, append_images=pictures[1:])
    run("sparsify", "x.gif", "x.tif", "--keep", 1)
    with Image.open("x.gif") as image:
        for frame in tifffile.imread("x.tif"):
            np.testing.assert_array_equal(frame[..., :3], np.asarray(image.convert("RGB")))
            image.seek(min(image.tell() + 1, 1))


def test_pictures_of_different_size_are_refused(folder):
    with tifffile.TiffWriter("x.tif") as file:
        file.write(GREY, metadata=None)
        file.write(GREY[:9], metadata=None)
    with pytest.raises(FileError, match="its 2 pictures differ in size or kind"):
        read(Path("x.tif"))


def test_a_preview_is_no_picture(folder):
    with tifffile.TiffWriter("x.tif") as file:
        file.write(GREY, metadata=None)
        file.write(GREY[::4, ::4], subfiletype=1, metadata=None)
    check_read(Path("x.tif"), GREY)


# --- metadata -----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("target", [".jpg", ".png", ".webp", ".tif"])
def test_metadata_are_kept(run, folder, source, target):
    profile = described(f"x{source}", COLOUR)
    run("denoise", f"x{source}", f"y{target}")
    run("decompose", f"x{source}", "x.npz")
    run("reconstruct", "x.npz", f"z{target}")
    for name in ("y", "z"):
        with Image.open(f"{name}{target}") as image:
            exif = image.getexif()
            assert image.size == (65, 78)
            assert image.info["icc_profile"] == profile
            assert exif[0x010E] == "a title"
            assert 274 not in exif
            assert exif.get_ifd(0x8769) == {0x829A: 0.005}
            assert exif.get_ifd(0x8825) == {1: "N"}
            if ".webp" not in (source, target):
                assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_metadata_of_deep_pictures(run, folder):
    profile = described("x.png", COLOUR)
    stored = Path("x.png").read_bytes()
    write_png(Path("deep.png"), deep(COLOUR))
    whole = Path("deep.png").read_bytes()
    # Everything between the header and the samples.
    Path("deep.png").write_bytes(whole[:33] + stored[33 : stored.index(b"IDAT") - 4] + whole[33:])
    run("sparsify", "deep.png", "y.png", "--keep", 1)
    np.testing.assert_array_equal(read_png("y.png"), turned(deep(COLOUR), 6))
    assert main(["sparsify", "deep.png", "y.tif", "--keep", "1"]) == 0
    for name in ("y.png", "y.tif"):
        with Image.open(name) as image:
            assert image.info["icc_profile"] == profile
            assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)
            assert image.getexif()[0x010E] == "a title"
            assert image.getexif().get_ifd(0x8769) == {0x829A: 0.005}


def test_metadata_that_a_format_cannot_hold_are_named(folder, capsys):
    described("x.png", COLOUR)
    assert main(["denoise", "x.png", "y.ppm"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"liftwave: warning: y.ppm: this PPM file does not hold the {what}"
        for what in ("EXIF data", "colour profile")
    ]


def test_a_profile_of_other_colours_is_not_kept(run, folder):
    Image.fromarray(COLOUR).convert("CMYK").save(
        "x.jpg", icc_profile=bytes(16) + b"CMYK" + bytes(108)
    )
    run("denoise", "x.jpg", "y.png")
    with Image.open("y.png") as image:
        assert "icc_profile" not in image.info
