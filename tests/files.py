"""Files of every kind that the command line supports, written and read without liftwave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import png
import pywt
import tifffile
from PIL import Image, ImageCms
from scipy.io import wavfile

from liftwave.cli import main

GREY = pywt.data.camera()[100:165, 200:278]
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=-1)
TONE = np.sin(np.arange(3001) / 9)


def deep(array):
    """The same picture in 16 bits; the low bits are used."""
    return array.astype(np.uint16) * 250 + np.uint16(7)


def channels(count):
    """A picture of 1 to 4 channels: grey, grey and alpha, colour, colour and alpha."""
    alpha = 255 - GREY[..., None] // 2
    base = GREY[..., None] if count < 3 else COLOUR
    return base[..., 0] if count == 1 else base if count == 3 else np.concatenate([base, alpha], -1)


def write_png(path, array):
    if array.dtype == np.uint16 and array.ndim == 3:
        height, width, count = array.shape
        kinds = {"greyscale": count == 2, "alpha": count in (2, 4)}
        with path.open("wb") as stream:
            rows = array.reshape(height, -1)
            png.Writer(width, height, bitdepth=16, **kinds).write(stream, rows)
    else:
        Image.fromarray(array).save(path)


def write_tiff(path, array):
    extra = {"extrasamples": ["unassalpha"]} if array.ndim == 3 and array.shape[2] != 3 else {}
    kind = "rgb" if array.ndim == 3 and array.shape[2] > 2 else "minisblack"
    planar = {"planarconfig": "contig"} if array.ndim == 3 else {}
    tifffile.imwrite(path, array, photometric=kind, metadata=None, **planar, **extra)


def read_png(path):
    """Write with pypng, which supports all depths and kinds."""
    with Path(path).open("rb") as stream:
        width, height, rows, about = png.Reader(file=stream).read()
        depth = np.uint16 if about["bitdepth"] == 16 else np.uint8
        array = np.array([np.asarray(row, dtype=depth) for row in rows])
    return array if about["planes"] == 1 else array.reshape(height, width, about["planes"])


def write_deep_pgm(path, array):
    header = f"P5 {array.shape[1]} {array.shape[0]} 65535\n"
    path.write_bytes(header.encode() + array.astype(">u2").tobytes())


def read_deep_pgm(path):
    stored = path.read_bytes()
    kind, width, height, most = stored.split(maxsplit=4)[:4]
    assert (kind, most) == (b"P5", b"65535")
    shape = int(height), int(width)
    samples = np.frombuffer(stored[-2 * shape[0] * shape[1] :], ">u2")
    return samples.astype(np.uint16).reshape(shape)


def write_sound(path, array):
    wavfile.write(path, 22050, array)


def read_sound(path):
    rate, array = wavfile.read(path)
    assert rate == 22050
    return array


def save_npz(path, array):
    np.savez(path, values=array)


def load_npz(path):
    with np.load(path) as archive:
        (name,) = archive.files
        return archive[name]


def open_image(path, mode=None):
    with Image.open(path) as image:
        return np.asarray(image.convert(mode) if mode else image)


def sounds():
    stereo = np.stack([20000 * TONE, 3000 * TONE[::-1]], axis=-1)
    return {
        "mono uint8": (128 + 100 * TONE).astype(np.uint8),
        "mono int16": (20000 * TONE).astype(np.int16),
        "mono int32": (2e9 * TONE).astype(np.int32),
        "mono float32": TONE.astype(np.float32),
        "stereo int16": stereo.astype(np.int16),
        "stereo float32": (stereo / 32768).astype(np.float32),
    }


RNG = np.random.default_rng(0)

ARRAYS = {
    "float64": RNG.standard_normal((19, 20)),
    "float32": RNG.standard_normal(77).astype(np.float32),
    "float16": RNG.standard_normal(77).astype(np.float16),
    "complex128": RNG.standard_normal((9, 8)) + 1j * RNG.standard_normal((9, 8)),
    "int8, 3 axes": RNG.integers(-128, 128, (5, 6, 7)).astype(np.int8),
    "int64": RNG.integers(-(2**40), 2**40, 100),
    "uint32": RNG.integers(0, 2**32, 60).astype(np.uint32),
    "bool": RNG.random(50) > 0.5,
    "big-endian": RNG.integers(-900, 900, 50).astype(">i2"),
    "columns first": np.asfortranarray(RNG.standard_normal((8, 9))),
    "one sample": np.array([3.0]),
}

# Name: suffix, array, writer, reader.
FILES = {
    **{f"npy {k}": (".npy", a, np.save, np.load) for k, a in ARRAYS.items()},
    "npz": (".npz", GREY, save_npz, load_npz),
    **{f"png {c} x 8": (".png", channels(c), write_png, read_png) for c in (1, 2, 3, 4)},
    **{f"png {c} x 16": (".png", deep(channels(c)), write_png, read_png) for c in (2, 3, 4)},
    "png 1 x 16": (".png", deep(COLOUR)[..., 0], write_png, read_png),
    **{
        f"tif {c} x 16": (".tif", deep(channels(c)), write_tiff, tifffile.imread) for c in (2, 3, 4)
    },
    "tif 1 x 8": (".tif", GREY, write_tiff, tifffile.imread),
    "tif 1 x 16": (".tiff", deep(COLOUR)[..., 0], write_tiff, tifffile.imread),
    "tif 3 x 8": (".tif", COLOUR, write_tiff, tifffile.imread),
    "tif float32": (".tif", (GREY / 255).astype(np.float32), write_tiff, tifffile.imread),
    "bmp": (".bmp", COLOUR, write_png, open_image),
    "ppm": (".ppm", COLOUR, write_png, open_image),
    "pgm": (".pgm", GREY, write_png, open_image),
    "pgm x 16": (".pgm", deep(GREY), write_deep_pgm, read_deep_pgm),
    **{f"wav {k}": (".wav", a, write_sound, read_sound) for k, a in sounds().items()},
}

INTEGER_FILES = [k for k, (_, a, _, _) in FILES.items() if a.dtype.kind in "iu"]


def make(name, folder):
    """The named file in ``folder``, its array, and the reader for this kind."""
    suffix, array, writer, reader = FILES[name]
    path = folder / f"data{suffix}"
    writer(path, array)
    return path, array, reader


def enter(folder, monkeypatch):
    """Work in ``folder`` with a terminal of 80 columns."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    return folder


def succeed(capsys, *arguments):
    """Run a command that must succeed without output on stderr; return its output."""
    status = main([str(a) for a in arguments])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, ""), printed.err
    return printed.out


def described(path, array):
    """A picture with a colour profile, a resolution, a title, a shutter time, and a position."""
    exif = Image.Exif()
    exif[0x010E], exif[274] = "a title", 6
    exif[0x8769] = {0x829A: 0.005, 0xA002: 78}
    exif[0x8825] = {1: "N"}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(array).save(path, exif=exif.tobytes(), dpi=(300, 150), icc_profile=profile)
    return profile
