"""The command line on real files: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import pywt

import liftwave as lw

PIL_Image = pytest.importorskip("PIL.Image")
pytest.importorskip("typer")
pytest.importorskip("rich")
tifffile = pytest.importorskip("tifffile")
png = pytest.importorskip("png")
wavfile = pytest.importorskip("scipy.io.wavfile")

from typer.testing import CliRunner  # noqa: E402

from liftwave.cli import main  # noqa: E402
from liftwave.cli.app import app  # noqa: E402
from liftwave.cli.console import psnr, size  # noqa: E402
from liftwave.cli.info import vanishing_moments  # noqa: E402
from liftwave.wavelets import resolve_wavelet  # noqa: E402

COMMANDS = ("tour", "decompose", "reconstruct", "denoise", "compress", "info")

IMAGE_SHAPE = (37, 50)


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def run(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Outcome]]:
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: Any) -> Outcome:
        status = main([str(a) for a in arguments])
        captured = capfd.readouterr()
        return Outcome(status, captured.out, captured.err)

    yield call


def succeeds(outcome: Outcome) -> str:
    assert outcome.err == ""
    assert outcome.status == 0
    return outcome.out


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fails(run: Callable[..., Outcome], *arguments: Any) -> str:
    """The message of a mistake: one line, status 2, and no file written or changed."""
    before = tree(Path())
    outcome = run(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith("liftwave: error: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.endswith("\n")
    assert tree(Path()) == before
    return outcome.err


# --- data ---------------------------------------------------------------------------------------


def picture(
    *channels: int, dtype: str = "uint8", shape: tuple[int, int] = IMAGE_SHAPE
) -> np.ndarray:
    """Smooth gradients and an edge, over the whole range of the dtype, in different channels."""
    rows, columns = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    waves = [np.sin(9 * rows * columns + k) / 4 + (columns > 0.6) / 4 for k in range(4)]
    grey = np.stack([w - min(w.min(), 0) for w in waves], axis=-1)
    grey = grey[..., : channels[0]] if channels else grey[..., 0]
    if np.dtype(dtype).kind == "f":
        return grey.astype(dtype)
    top = np.iinfo(dtype).max
    values = np.rint(grey / grey.max() * top).astype(dtype)
    values.flat[:2] = 0, top
    return values


def sound(dtype: str, channels: int | None = None, n: int = 1003) -> np.ndarray:
    time = np.linspace(0, 1, n)
    wave = np.sin(200 * time**2)
    if channels:
        wave = np.stack([wave / (k + 1) for k in range(channels)], axis=-1)
    if np.dtype(dtype).kind == "f":
        return wave.astype(dtype)
    limits = np.iinfo(dtype)
    middle = (limits.max + limits.min + 1) // 2
    return (middle + np.rint(wave * (limits.max - middle))).astype(dtype)


def store_image(path: str, array: np.ndarray) -> None:
    """Write a picture without the package."""
    if path.endswith((".tif", ".tiff")):
        tifffile.imwrite(path, array, photometric="rgb" if array.ndim == 3 else "minisblack")
    elif array.dtype == np.uint16 and array.ndim == 3:
        kinds = {"greyscale": array.shape[2] == 2, "alpha": array.shape[2] in (2, 4)}
        writer = png.Writer(array.shape[1], array.shape[0], bitdepth=16, **kinds)
        with open(path, "wb") as stream:
            writer.write(stream, array.reshape(len(array), -1))
    else:
        PIL_Image.fromarray(array).save(path)


def load_image(path: str) -> np.ndarray:
    """Read a picture without the package, and with all its bits."""
    if path.endswith((".tif", ".tiff")):
        return np.asarray(tifffile.imread(path))
    if path.endswith(".png"):
        width, height, rows, facts = png.Reader(filename=path).asDirect()
        kind = "uint16" if facts["bitdepth"] == 16 else "uint8"
        array = np.array([list(row) for row in rows], dtype=kind)
        return array.reshape(height, width, -1).squeeze()
    return np.asarray(PIL_Image.open(path))


IMAGES = {
    "grey.png": picture(),
    "colour.png": picture(3),
    "alpha.png": picture(4),
    "grey_alpha.png": picture(2),
    "deep.png": picture(dtype="uint16"),
    "deep_colour.png": picture(3, dtype="uint16"),
    "deep_alpha.png": picture(4, dtype="uint16"),
    "deep_grey_alpha.png": picture(2, dtype="uint16"),
    "grey.tif": picture(),
    "colour.tiff": picture(3),
    "deep.tif": picture(dtype="uint16"),
    "deep_colour.tif": picture(3, dtype="uint16"),
    "float.tif": picture(dtype="float32"),
    "float_colour.tif": picture(3, dtype="float32"),
    "grey.bmp": picture(),
    "colour.bmp": picture(3),
    "colour.ppm": picture(3),
    "grey.pgm": picture(),
    "deep.pgm": picture(dtype="uint16"),
    "one_row.png": picture(shape=(1, 40)),
    "one_pixel.png": picture(shape=(1, 2))[:, :1],
}

SOUNDS = {
    f"{dtype}_{channels or 'mono'}.wav": sound(dtype, channels)
    for dtype in ("uint8", "int16", "int32", "float32", "float64")
    for channels in (None, 1, 2)
}

RATE = 22050


def array_of(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    values = 100 * np.random.default_rng(0).random(shape) + 1
    if np.dtype(dtype).kind == "b":
        return values > 50
    return (values * (1 + 0.5j) if np.dtype(dtype).kind == "c" else values).astype(dtype)


ARRAYS = {
    **{
        dtype: array_of(dtype, (21, 18))
        for dtype in (
            "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
            "float16", "float32", "float64", ">f8", ">i2", "complex64", "complex128",
        )
    },
    "1-d": array_of("float64", (77,)),
    "3-d": array_of("int16", (9, 10, 11)),
    "fortran": np.asfortranarray(array_of("float32", (13, 14))),
    "small": array_of("float64", (1, 1)),
}  # fmt: skip


def assert_restored(actual: np.ndarray, expected: np.ndarray) -> None:
    """Equal in dtype and shape; in value too, but for rounding of floating-point numbers."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if expected.dtype.kind in "biu":
        assert np.array_equal(actual, expected)
    else:
        gap = np.abs(actual - expected).max()
        assert gap <= 50 * np.finfo(expected.dtype).eps * np.abs(expected).max()


# --- there and back -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("options", [(), ("--lifting", "-w", "cdf9.7", "--mode", "reflect")])
def test_images_there_and_back(
    run: Callable[..., Outcome], name: str, options: tuple[str, ...]
) -> None:
    store_image(name, IMAGES[name])
    assert np.array_equal(load_image(name), IMAGES[name].squeeze())
    succeeds(run("decompose", name, "coefficients.npz", *options))
    succeeds(run("reconstruct", "coefficients.npz", f"again_{name}"))
    assert_restored(load_image(f"again_{name}"), load_image(name))
    if not name.endswith((".tif", ".tiff")):
        assert PIL_Image.open(f"again_{name}").mode == PIL_Image.open(name).mode


@pytest.mark.parametrize("name", SOUNDS)
def test_sounds_there_and_back(run: Callable[..., Outcome], name: str) -> None:
    wavfile.write(name, RATE, SOUNDS[name])
    succeeds(run("decompose", name, "coefficients.npz", "-w", "sym4"))
    assert f"{RATE} Hz" in succeeds(run("reconstruct", "coefficients.npz", "again.wav"))
    rate, samples = wavfile.read("again.wav")
    assert rate == RATE
    assert_restored(samples, wavfile.read(name)[1])


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_there_and_back(run: Callable[..., Outcome], name: str, suffix: str) -> None:
    array = ARRAYS[name]
    np.save("x.npy", array) if suffix == ".npy" else np.savez("x.npz", anything=array)
    succeeds(run("decompose", f"x{suffix}", "coefficients.npz", "-w", "db2"))
    succeeds(run("reconstruct", "coefficients.npz", f"y{suffix}"))
    loaded = np.load(f"y{suffix}", allow_pickle=False)
    assert_restored(loaded if suffix == ".npy" else loaded["data"], array)


@pytest.mark.parametrize("name", [n for n, a in IMAGES.items() if a.dtype.kind in "iu"])
def test_integers_are_lossless_for_images(run: Callable[..., Outcome], name: str) -> None:
    # Noise: nothing is left to luck.
    limits = np.iinfo(IMAGES[name].dtype)
    noise = np.random.default_rng(0).integers(0, limits.max, IMAGES[name].shape, endpoint=True)
    store_image(name, noise.astype(IMAGES[name].dtype))
    options = ("--integer", "-w", "cdf5.3", "--mode", "reflect")
    succeeds(run("decompose", name, "coefficients.npz", *options))
    bands = archive("coefficients.npz")[1]
    assert {band.dtype.kind for band in bands.values()} <= set("iu")
    succeeds(run("reconstruct", "coefficients.npz", f"again_{name}"))
    assert np.array_equal(load_image(f"again_{name}"), load_image(name))


@pytest.mark.parametrize("wavelet", ["cdf5.3", "db4", "haar"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32"])
def test_integers_are_lossless_for_sounds(
    run: Callable[..., Outcome], dtype: str, wavelet: str
) -> None:
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    noise = rng.integers(limits.min, limits.max, (501, 2), dtype=dtype, endpoint=True)
    wavfile.write("noise.wav", RATE, noise)
    succeeds(run("decompose", "noise.wav", "c.npz", "--integer", "-w", wavelet, "--mode", "zero"))
    succeeds(run("reconstruct", "c.npz", "again.wav"))
    assert Path("again.wav").read_bytes() == Path("noise.wav").read_bytes()


def test_large_integers_come_as_near_as_they_can(run: Callable[..., Outcome]) -> None:
    """What 53 bits cannot hold is rounded and clipped, never wrapped; --integer is exact."""
    for dtype in ("int64", "uint64"):
        limits = np.iinfo(dtype)
        x = np.array([limits.min, limits.max, 5, limits.max, limits.max, limits.min], dtype)
        np.save("x.npy", x)
        succeeds(run("decompose", "x.npy", "c.npz", "-w", "haar"))
        succeeds(run("reconstruct", "c.npz", "y.npy"))
        near = np.abs(np.load("y.npy").astype(float) - x.astype(float)).max()
        assert near <= 16 * float(limits.max) * np.finfo(float).eps


@pytest.mark.parametrize(("suffix", "photo"), [(".jpg", 3), (".jpeg", 0), (".gif", 3), (".webp", 3)])
def test_lossy_and_indexed_images(run: Callable[..., Outcome], suffix: str, photo: int) -> None:
    image = PIL_Image.fromarray(picture(photo) if photo else picture())
    image.save(f"photo{suffix}")
    expected = np.asarray(PIL_Image.open(f"photo{suffix}").convert("RGB" if photo else "L"))
    succeeds(run("decompose", f"photo{suffix}", "c.npz"))
    succeeds(run("reconstruct", "c.npz", "again.png"))
    assert np.array_equal(load_image("again.png"), expected)
    succeeds(run("reconstruct", "c.npz", "again.jpg"))
    lossy = np.asarray(PIL_Image.open("again.jpg"))
    assert lossy.shape == expected.shape
    assert psnr(expected, lossy) > 30


def test_palettes_become_colours(run: Callable[..., Outcome]) -> None:
    image = PIL_Image.fromarray(picture(3)).convert("P")
    image.save("palette.png")
    succeeds(run("decompose", "palette.png", "c.npz"))
    succeeds(run("reconstruct", "c.npz", "again.png"))
    assert np.array_equal(load_image("again.png"), np.asarray(image.convert("RGB")))


def test_cameras_are_turned_upright(run: Callable[..., Outcome]) -> None:
    image = PIL_Image.fromarray(picture())
    exif = PIL_Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    image.save("turned.png", exif=exif)
    succeeds(run("decompose", "turned.png", "c.npz"))
    succeeds(run("reconstruct", "c.npz", "upright.png"))
    assert np.array_equal(load_image("upright.png"), np.rot90(picture(), -1))


def test_a_file_may_become_another_kind(run: Callable[..., Outcome]) -> None:
    store_image("photo.png", picture(3))
    succeeds(run("decompose", "photo.png", "c.npz"))
    succeeds(run("reconstruct", "c.npz", "photo.npy"))
    assert_restored(np.load("photo.npy"), picture(3))
    succeeds(run("reconstruct", "c.npz", "photo.tif"))
    assert np.array_equal(load_image("photo.tif"), picture(3))
    succeeds(run("decompose", "photo.npy", "d.npz", "--level", "1"))
    succeeds(run("reconstruct", "d.npz", "again.png"))
    assert np.array_equal(load_image("again.png"), picture(3))


def test_input_and_output_may_be_one_file(run: Callable[..., Outcome]) -> None:
    x = array_of("float64", (64, 64))
    np.save("x.npy", x)
    succeeds(run("denoise", "x.npy", "x.npy", "--sigma", "5"))
    assert not np.array_equal(np.load("x.npy"), x)
    np.savez("x.npz", x)
    succeeds(run("decompose", "x.npz", "x.npz"))
    succeeds(run("reconstruct", "x.npz", "x.npz"))
    assert_restored(np.load("x.npz")["data"], x)


# --- the archive --------------------------------------------------------------------------------


def archive(path: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with np.load(path, allow_pickle=False) as stored:
        bands = {name: stored[name] for name in stored.files}
    return json.loads(str(bands.pop("liftwave"))), bands


def test_the_archive_describes_itself(run: Callable[..., Outcome]) -> None:
    wavfile.write("stereo.wav", RATE, sound("int16", 2))
    out = succeeds(run("decompose", "stereo.wav", "c.npz", "-w", "db3", "--mode", "smooth",
                       "--level", "3"))  # fmt: skip
    about, bands = archive("c.npz")
    assert about == {
        "format": 1, "wavelet": "db3", "lifting": False, "integer": False, "mode": "smooth",
        "axes": [0], "shape": [1003, 2], "level": 3, "dtype": "<i2", "kind": "sound",
        "extra": {"rate": RATE},
    }  # fmt: skip
    expected = lw.decompose(sound("int16", 2), "db3", 3, "smooth", 0)
    assert list(bands) == ["level3_a", "level3_d", "level2_d", "level1_d"]
    for (level, key), band in expected.bands.items():
        assert np.array_equal(bands[f"level{level}_{key}"], band)
    for share in expected.energy().values():
        assert f"{share:.4%}" in out


def test_channels_are_not_mixed(run: Callable[..., Outcome]) -> None:
    store_image("photo.png", picture(3))
    succeeds(run("decompose", "photo.png", "c.npz", "-w", "db2", "--level", "2"))
    about, bands = archive("c.npz")
    assert about["axes"] == [0, 1]
    alone = lw.decompose(picture(3)[..., 1], "db2", 2)
    assert np.allclose(bands["level2_aa"][..., 1], alone.approx, rtol=0, atol=1e-10)


def test_options_reach_the_transform(run: Callable[..., Outcome]) -> None:
    x = array_of("int32", (40, 30))
    np.save("x.npy", x)
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    cases: dict[tuple[str, ...], lw.Decomposition] = {
        (): lw.decompose(x, "bior4.4"),
        ("-w", "CDF9.7"): lw.decompose(x, "bior4.4"),
        ("-w", "haar", "--mode", "periodization"): lw.decompose(x, "haar", mode="periodization"),
        ("-w", "cdf9.7", "--lifting"): lw.decompose(x, scheme),
        ("-w", "cdf9.7", "--integer", "--level", "1"): lw.decompose(x, scheme.to_integer(), 1),
        ("--level", "0"): lw.decompose(x, "haar", 0),
    }
    for options, expected in cases.items():
        succeeds(run("decompose", "x.npy", "c.npz", *options))
        bands = archive("c.npz")[1]
        assert len(bands) == len(expected.bands)
        for band, wanted in zip(bands.values(), expected.bands.values(), strict=True):
            assert band.dtype == wanted.dtype
            assert np.array_equal(band, wanted)


def test_deep_levels_are_warned_about_once(run: Callable[..., Outcome]) -> None:
    np.save("x.npy", array_of("float64", (16, 16)))
    outcome = run("decompose", "x.npy", "c.npz", "-w", "db4", "--level", "4")
    assert outcome.status == 0
    assert re.fullmatch("liftwave: warning: Level value of 4 is too high: [^\n]*\n", outcome.err)
    succeeds(run("reconstruct", "c.npz", "y.npy"))
    assert_restored(np.load("y.npy"), array_of("float64", (16, 16)))


def tampered(**changes: Any) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    return lambda about, bands: about.update(changes)


def without_band(about: dict[str, Any], bands: dict[str, Any]) -> None:
    del bands["level1_dd"]


def with_strange_band(about: dict[str, Any], bands: dict[str, Any]) -> None:
    bands["level9_aa"] = np.zeros(3)


def with_short_band(about: dict[str, Any], bands: dict[str, Any]) -> None:
    bands["level1_dd"] = bands["level1_dd"][1:]


def with_words(about: dict[str, Any], bands: dict[str, Any]) -> None:
    bands["level1_dd"] = np.full(bands["level1_dd"].shape, "x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (tampered(format=2), "format 2 is not known, only 1 is"),
        (tampered(wavelet="db0"), "Unknown wavelet name 'db0'"),
        (tampered(wavelet=7), "'wavelet' should be a str, got 7"),
        (tampered(mode="round"), "(?i)mode"),
        (tampered(axes=[]), "'axes' should be a list of integers"),
        (tampered(axes=[0, 7]), "(?i)ax[ei]s"),
        (tampered(axes=[0, 0]), "(?i)ax[ei]s"),
        (tampered(shape=["a", 2]), "'shape' should be a list of integers"),
        (tampered(shape=[300, 2]), "should have the shape"),
        (tampered(level=True), "'level' should be a int, got True"),
        (tampered(level=10**9), "too few for 1000000000 levels"),
        (tampered(level=-1), "(?i)level"),
        (tampered(level=1), "missing bands|unknown bands"),
        (tampered(dtype="object"), "dtype"),
        (tampered(dtype="nonsense"), "nonsense"),
        (tampered(kind="film"), "'kind' should be array, image or sound, got 'film'"),
        (tampered(kind="sound"), "a sound needs a 'rate'"),
        (tampered(extra=None), "'extra' should be a dict, got None"),
        (tampered(integer=True), "kind 'iu'"),
        (without_band, "missing bands: level1_dd"),
        (with_strange_band, "unknown bands: level9_aa"),
        (with_short_band, "band level1_dd should have the shape"),
        (with_words, "band level1_dd should have the shape"),
    ],
)
def test_spoilt_archives_are_refused(
    run: Callable[..., Outcome],
    change: Callable[[dict[str, Any], dict[str, Any]], None],
    message: str,
) -> None:
    np.save("x.npy", array_of("float64", (12, 13)))
    succeeds(run("decompose", "x.npy", "c.npz", "-w", "haar", "--level", "2"))
    about, bands = archive("c.npz")
    change(about, bands)
    np.savez("spoilt.npz", liftwave=np.array(json.dumps(about)), **bands)
    error = fails(run, "reconstruct", "spoilt.npz", "y.npy")
    assert "spoilt.npz: not a valid archive of coefficients: " in error
    assert re.search(message, error)


def test_archives_of_others_are_refused(run: Callable[..., Outcome]) -> None:
    np.savez("other.npz", first=np.ones(3), second=np.ones(4))
    message = "not written by 'liftwave decompose' (it holds first, second)"
    assert message in fails(run, "reconstruct", "other.npz", "y.npy")
    np.savez("bad.npz", liftwave=np.array("{not json"))
    assert "not a valid archive" in fails(run, "reconstruct", "bad.npz", "y.npy")
    np.savez("list.npz", liftwave=np.array("[1]"))
    assert "format [1] is not known" in fails(run, "reconstruct", "list.npz", "y.npy")
    np.savez("pickle.npz", liftwave=np.array([{}], dtype=object))
    assert "not a readable archive" in fails(run, "reconstruct", "pickle.npz", "y.npy")
    np.save("x.npy", np.ones(8))
    assert "not a readable archive" in fails(run, "reconstruct", "x.npy", "y.npy")


# --- denoise ------------------------------------------------------------------------------------


def test_denoise_improves_a_photograph(run: Callable[..., Outcome]) -> None:
    clean = pywt.data.camera()[::2, ::2].astype(float)
    noise = 20 * np.random.default_rng(0).standard_normal(clean.shape)
    noisy = np.clip(np.rint(clean + noise), 0, 255).astype(np.uint8)
    store_image("noisy.png", noisy)
    out = succeeds(run("denoise", "noisy.png", "clean.png", "--shifts", "2"))
    denoised = load_image("clean.png")
    assert psnr(clean, denoised, 255) > psnr(clean, noisy, 255) + 3
    expected = lw.denoise(noisy, "sym8", shifts=2)
    assert np.array_equal(denoised, np.clip(np.rint(expected), 0, 255).astype(np.uint8))
    change = np.sqrt(np.mean((denoised.astype(float) - noisy) ** 2))
    assert f"image of shape 256x256, uint8, changed by {change:.4g} (rms)" in out


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_denoise_leaves_the_alpha_channel(
    run: Callable[..., Outcome], channels: int, dtype: str
) -> None:
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    x = rng.integers(0, limits.max, (*IMAGE_SHAPE, channels), dtype=dtype)
    store_image("x.png", x)
    succeeds(run("denoise", "x.png", "y.png", "--method", "visu"))
    y = load_image("y.png")
    assert np.array_equal(y[..., -1], x[..., -1])
    assert not np.array_equal(y[..., 0], x[..., 0])


def test_denoise_takes_its_options(run: Callable[..., Outcome]) -> None:
    wavfile.write("hiss.wav", RATE, sound("float32", 2))
    succeeds(run("denoise", "hiss.wav", "clean.wav", "-w", "db3", "--method", "sure", "--rule",
                 "garrote", "--sigma", "0.2", "--level", "3", "--mode", "reflect"))  # fmt: skip
    rate, actual = wavfile.read("clean.wav")
    options: dict[str, Any] = {"method": "sure", "rule": "garrote", "sigma": 0.2, "level": 3}
    expected = lw.denoise(sound("float32", 2), "db3", mode="reflect", axes=0, **options)
    assert rate == RATE
    assert actual.dtype == np.float32
    assert np.array_equal(actual, expected)


# --- compress -----------------------------------------------------------------------------------


def test_compress_to_a_picture(run: Callable[..., Outcome]) -> None:
    photograph = pywt.data.camera()[::2, ::2]
    store_image("photo.png", photograph)
    out = succeeds(run("compress", "photo.png", "seen.png", "--keep", "0.05"))
    d = lw.decompose(photograph, "bior4.4").keep_largest(0.05)
    expected = np.clip(np.rint(d.reconstruct()), 0, 255).astype(np.uint8)
    seen = load_image("seen.png")
    assert np.array_equal(seen, expected)
    total = sum(band.size for band in d.bands.values())
    error = np.sqrt(np.mean((seen.astype(float) - photograph) ** 2))
    sizes = [size(Path(name).stat().st_size) for name in ("photo.png", "seen.png")]
    kept = int(np.ceil(0.05 * total))
    assert f"{kept} of {total} coefficients ({kept / total:.2%})" in out
    assert f"PSNR {20 * np.log10(255 / error):.2f} dB" in out
    assert f"{sizes[0]} -> {sizes[1]}" in out


def test_compress_to_coefficients(run: Callable[..., Outcome]) -> None:
    photograph = pywt.data.camera()[::2, ::2]
    store_image("photo.png", photograph)
    succeeds(run("compress", "photo.png", "photo.npz", "--keep", "0.03"))
    assert Path("photo.npz").stat().st_size < Path("photo.png").stat().st_size / 2
    succeeds(run("compress", "photo.png", "direct.png", "--keep", "0.03"))
    succeeds(run("reconstruct", "photo.npz", "again.png"))
    assert np.array_equal(load_image("again.png"), load_image("direct.png"))
    with np.load("photo.npz", allow_pickle=False) as stored:
        assert "liftwave" in stored.files


def test_compress_of_integers_without_loss(run: Callable[..., Outcome]) -> None:
    photograph = pywt.data.camera()[::2, ::2]
    np.save("photo.npy", photograph)
    out = succeeds(run("compress", "photo.npy", "photo.npz", "--keep", "1", "--integer",
                       "-w", "cdf5.3", "--mode", "reflect"))  # fmt: skip
    assert "exactly equal" in out
    assert Path("photo.npz").stat().st_size < Path("photo.npy").stat().st_size
    succeeds(run("reconstruct", "photo.npz", "again.npy"))
    assert np.array_equal(np.load("again.npy"), photograph)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (np.zeros(4, np.uint8), np.full(4, 255, np.uint8), 0.0),
        (np.zeros(4, np.int16), np.full(4, 3276.7), 20.0),
        (np.array([0.0, 10.0]), np.array([1.0, 11.0]), 20.0),
        (np.array([10j, 0]), np.array([10j, np.sqrt(2)]), 20.0),
        (np.ones(3), np.ones(3), np.inf),
        (np.ones(3, np.uint8), 1 + np.zeros(3), np.inf),
    ],
)
def test_psnr(x: np.ndarray, y: np.ndarray, expected: float) -> None:
    assert psnr(x, y) == pytest.approx(expected)


def test_sizes() -> None:
    assert [size(n) for n in (0, 999, 1000, 1.5e6, 2e9)] == [
        "0 B", "999 B", "1.0 kB", "1.5 MB", "2.0 GB",
    ]  # fmt: skip


# --- info ---------------------------------------------------------------------------------------


def test_info_says_what_is_known(run: Callable[..., Outcome]) -> None:
    out = succeeds(run("info", "db2"))
    assert re.search(r"family +Daubechies", out)
    assert re.search(r"filter length +4", out)
    assert re.search(r"orthogonal, biorthogonal +yes, yes", out)
    assert re.search(r"symmetry +asymmetric", out)
    assert re.search(r"vanishing moments +2\b", out)
    for taps in pywt.Wavelet("db2").filter_bank:
        assert all(f"{tap:.12f}" in out for tap in taps)
    scheme = str(lw.LiftingScheme.from_name("db2"))
    assert all(line.strip() in out for line in scheme.splitlines())
    assert "integer form" in out


@pytest.mark.parametrize("name", ["haar", "bior4.4", "cdf5.3", "rbio3.1", "dmey", "coif17", "db38"])
def test_info_fits_a_terminal(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = succeeds(run("info", name))
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80
    assert "…" not in out
    bank = pywt.Wavelet({"cdf5.3": "bior2.2"}.get(name, name))
    assert f"{bank.dec_lo[-2]:.12f}" in out


def test_info_of_a_table_that_does_not_reconstruct(run: Callable[..., Outcome]) -> None:
    assert "none: the table does not reconstruct" in succeeds(run("info", "dmey"))


def expected_moments() -> dict[str, int]:
    """Of Daubechies' families by their definition; of N.M pairs, bior has N and rbio M.

    Those of the pairs 4.4 and 6.8 are 4, 4 and 6, 8; 5.5 has in truth 6 and 4: its filters are
    symmetric around a sample, which makes both numbers even.
    """
    moments = {"haar": 1}
    for name in pywt.wavelist(kind="discrete"):
        family, order = re.fullmatch("([a-z]+)([0-9.]*)", name).groups()
        if family in ("db", "sym", "coif"):
            moments[name] = int(order) * (2 if family == "coif" else 1)
        elif family in ("bior", "rbio") and order != "5.5":
            moments[name] = int(order.split(".")[family == "rbio"])
    return moments | {"bior5.5": 6, "rbio5.5": 4, "dmey": 0}


def test_vanishing_moments() -> None:
    expected = expected_moments()
    assert set(expected) == set(pywt.wavelist(kind="discrete"))
    actual = {name: vanishing_moments(resolve_wavelet(name)) for name in expected}
    assert actual == expected


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_info_plots(run: Callable[..., Outcome], suffix: str) -> None:
    assert f"wrote db4.{suffix}" in succeeds(run("info", "db4", "--plot", f"db4.{suffix}"))
    beginning = Path(f"db4.{suffix}").read_bytes()[:5]
    assert beginning.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix])


# --- tour ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    """The tour in a process of its own, which says at the end what it has imported."""
    folder = tmp_path_factory.mktemp("tour") / "new" / "pictures"
    code = (
        "import sys; from liftwave.cli import main;"
        f"status = main(['tour', '--output', {str(folder)!r}]);"
        "print('torch' in sys.modules, 'matplotlib.pyplot' in sys.modules); sys.exit(status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "80"},
    )
    return folder, done


def test_the_tour_ends_well(toured: tuple[Path, subprocess.CompletedProcess]) -> None:
    folder, done = toured
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "False False"
    assert str(folder) in done.stdout


def test_what_the_tour_reports(toured: tuple[Path, subprocess.CompletedProcess]) -> None:
    lines = toured[1].stdout.splitlines()
    found = {line.partition("  ")[0].strip(): line for line in lines}

    def numbers(of: str) -> list[float]:
        """Those of the last column."""
        last = re.split(r"\s{2,}", found[of].strip())[-1]
        return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", last)]

    for name in ("photograph there and back", "... by lifting", "ECG there and back"):
        assert 0 <= numbers(name)[0] <= 50, "eps"
    assert 0 < numbers("lifting against filter bank")[0] < 1e-10
    assert numbers("... critically sampled") == [511 * 509]
    haar, bior = (
        [float(n) for n in re.findall(r"PSNR (\S+) dB", line)][0]
        for line in lines
        if line.startswith("largest 5 %")
    )
    assert 30 < haar < bior < 33
    assert 19 < numbers("noise level")[0] < 22
    before, after = numbers("photograph denoised")[:2]
    assert before == pytest.approx(20 * np.log10(255 / 20), abs=0.05)
    assert after > before + 6
    before, after = numbers("ECG denoised")[:2]
    assert after > before + 8
    assert "exactly equal: True" in found["photograph in integers"]
    before, after = numbers("... bits per pixel")
    _, counts = np.unique(pywt.data.camera(), return_counts=True)
    share = counts / counts.sum()
    assert before == pytest.approx(-(share * np.log2(share)).sum(), abs=0.005)
    assert 4 < after < 4.6


def test_the_pictures_of_the_tour(toured: tuple[Path, subprocess.CompletedProcess]) -> None:
    folder, done = toured
    pictures = sorted(folder.iterdir())
    assert len(pictures) == 5
    for path in pictures:
        assert path.name in done.stdout
        pixels = np.asarray(PIL_Image.open(path).convert("L")).astype(float)
        assert min(pixels.shape) >= 400
        assert pixels.std() > 15
        # Nothing is cut off: the margins are blank.
        frame = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert np.unique(frame).tolist() == [255], path.name


def test_the_tour_needs_a_folder(run: Callable[..., Outcome]) -> None:
    Path("taken").write_text("x")
    assert "taken: cannot make this folder" in fails(run, "tour", "-o", "taken")


# --- mistakes -----------------------------------------------------------------------------------


@pytest.fixture
def files(run: Callable[..., Outcome]) -> None:
    """What the examples of the help, and the mistakes below, begin with."""
    store_image("photo.png", picture(3, shape=(64, 80)))
    store_image("noisy.png", picture(shape=(64, 80)))
    wavfile.write("music.wav", RATE, sound("int16", 2))
    wavfile.write("hiss.wav", RATE, sound("int16"))
    np.save("volume.npy", array_of("float32", (24, 24, 24)))
    np.save("complex.npy", array_of("complex64", (24, 24)))
    Path("folder").mkdir()
    Path("old.png").write_bytes(b"what was there")
    for source, target in (("photo.png", "photo.npz"), ("music.wav", "music.npz")):
        assert run("decompose", source, target).status == 0


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("decompose nowhere.png c.npz", "nowhere.png: no such file"),
        ("decompose nowhere c.npz", "nowhere: no such file"),
        ("decompose folder c.npz", "folder: is a directory, not a file"),
        ("decompose photo.png folder/c.png", "cannot write files that end in '.png'; use one of .npz"),
        ("decompose photo.png folder", "folder: is a directory, not a file"),
        ("decompose photo.png nowhere/c.npz", "the folder nowhere does not exist"),
        ("decompose photo.png", "Missing argument 'target'"),
        ("decompose photo.png a.npz b.npz", "unexpected extra argument"),
        ("decompose photo.png c.npz -w db99", "Unknown wavelet name 'db99'"),
        ("decompose photo.png c.npz -w morl", "morl"),
        ("decompose photo.png c.npz -w dmey --lifting", "dmey"),
        ("decompose photo.png c.npz --mode mirror", "(?i)mode.*mirror"),
        ("decompose photo.png c.npz --mode smooth --lifting", "smooth"),
        ("decompose photo.png c.npz --level two", "'two' is not a valid int"),
        ("decompose photo.png c.npz --level -1", "-1"),
        ("decompose photo.png c.npz --level 1000000000000", "1000000000000"),
        ("decompose volume.npy c.npz --integer", "--integer needs integer data, .* float32"),
        ("decompose photo.npz c.npz", "holds the coefficients .* use 'liftwave reconstruct'"),
        ("decompose photo.png c.npz --magic", "No such option.*--magic"),
        ("reconstruct nowhere.npz y.png", "nowhere.npz: no such file"),
        ("reconstruct photo.png y.png", "photo.png: not a readable archive of coefficients"),
        ("reconstruct photo.npz y", "cannot write a file without a suffix; use one of .npy"),
        ("reconstruct photo.npz y.xyz", "cannot write files that end in '.xyz'"),
        ("reconstruct photo.npz y.gif", "cannot write files that end in '.gif'"),
        ("reconstruct photo.npz y.wav", "y.wav: a sound has the shape .* write a .npy file"),
        ("reconstruct photo.npz y.pgm", None),
        ("reconstruct music.npz old.png", "old.png: an image has the shape|cannot hold an image"),
        ("reconstruct photo.npz nowhere/y.png", "the folder nowhere does not exist"),
        ("denoise volume.npy old.png", "old.png: an image has the shape .* got \\(24, 24, 24\\)"),
        ("denoise complex.npy y.tif", "y.tif: an image has real samples, got complex64"),
        ("denoise complex.npy y.png", "y.png: a PNG file cannot hold an image of shape"),
        ("denoise volume.npy y.wav", "a sound has the shape"),
        ("denoise photo.png y.png --method magic", "unknown method 'magic'; use one of 'bayes'"),
        ("denoise photo.png y.png --rule firm", "unknown rule 'firm'"),
        ("denoise photo.png y.png --sigma -3", "sigma must be finite and at least 0, got -3"),
        ("denoise photo.png y.png --sigma nan", "sigma must be finite and at least 0, got nan"),
        ("denoise photo.png y.png --shifts 0", "shifts"),
        ("denoise photo.png nowhere/y.png", "the folder nowhere does not exist"),
        ("denoise nowhere.wav y.wav", "nowhere.wav: no such file"),
        ("compress photo.png y.png --keep 0", "above 0 and at most 1, got 0"),
        ("compress photo.png y.png --keep 1.5", "above 0 and at most 1, got 1.5"),
        ("compress photo.png y.png --keep nan", "above 0 and at most 1, got nan"),
        ("compress volume.npy y.npz --integer", "--integer needs integer data"),
        ("compress photo.png y.txt", "cannot write files that end in '.txt'"),
        ("compress music.wav y.jpg", "image"),
        ("info db99", "Unknown wavelet name 'db99'"),
        ("info db4 --plot db4.txt", "cannot write files that end in '.txt'; use one of .png"),
        ("info db4 --plot nowhere/db4.png", "the folder nowhere does not exist"),
        ("info", "Missing argument"),
        ("recompose a b", "No such command 'recompose'"),
        ("--magic", "No such option.*--magic"),
    ],
)  # fmt: skip
def test_mistakes(run: Callable[..., Outcome], command: str, message: str | None) -> None:
    if message is None:
        # The name says grey, the file says colour: both are the same format.
        succeeds(run(*command.split()))
    else:
        assert re.search(message, fails(run, *command.split()))


def damaged() -> dict[str, bytes]:
    """Files that are not what their names say."""
    return {
        "empty": b"",
        "words": b"These are words and no samples.\n" * 40,
        "zeros": bytes(3000),
    }


@pytest.mark.parametrize("suffix", [
    ".npy", ".npz", ".png", ".jpg", ".tif", ".bmp", ".ppm", ".pgm", ".gif", ".webp", ".wav",
])  # fmt: skip
@pytest.mark.parametrize("damage", damaged())
def test_files_of_a_wrong_kind(run: Callable[..., Outcome], suffix: str, damage: str) -> None:
    Path(f"bad{suffix}").write_bytes(damaged()[damage])
    error = fails(run, "decompose", f"bad{suffix}", "c.npz")
    wanted = "the file is empty" if damage == "empty" else "not a readable"
    assert f"bad{suffix}: {wanted}" in error
    assert fails(run, "denoise", f"bad{suffix}", "y.npy") == error


WHOLE = {
    "grey.png": lambda p: store_image(p, picture()),
    "deep.png": lambda p: store_image(p, picture(3, dtype="uint16")),
    "photo.jpg": lambda p: store_image(p, picture(3)),
    "photo.tif": lambda p: store_image(p, picture(3)),
    "deep.tif": lambda p: store_image(p, picture(3, dtype="uint16")),
    "float.tif": lambda p: store_image(p, picture(dtype="float32")),
    "photo.bmp": lambda p: store_image(p, picture(3)),
    "photo.ppm": lambda p: store_image(p, picture(3)),
    "photo.webp": lambda p: store_image(p, picture(3)),
    "photo.gif": lambda p: store_image(p, picture()),
    "mono.wav": lambda p: wavfile.write(p, RATE, sound("uint8")),
    "stereo.wav": lambda p: wavfile.write(p, RATE, sound("int16", 2)),
    "array.npy": lambda p: np.save(p, picture()),
    "array.npz": lambda p: np.savez(p, picture()),
    "small.npz": lambda p: np.savez_compressed(p, picture()),
}


@pytest.mark.parametrize("name", WHOLE)
def test_truncated_files(run: Callable[..., Outcome], name: str) -> None:
    WHOLE[name](name)
    content = Path(name).read_bytes()
    assert run("decompose", name, "whole.npz").status == 0
    for part in (0.03, 0.4, 0.95):
        Path(name).write_bytes(content[: int(len(content) * part)])
        error = fails(run, "decompose", name, "c.npz")
        assert f"{name}: not a readable" in error


def test_truncated_archives(run: Callable[..., Outcome]) -> None:
    np.save("x.npy", picture())
    succeeds(run("decompose", "x.npy", "c.npz"))
    content = Path("c.npz").read_bytes()
    for part in (0.0, 0.03, 0.5, 0.99):
        Path("c.npz").write_bytes(content[: int(len(content) * part)])
        assert "c.npz: " in fails(run, "reconstruct", "c.npz", "y.npy")
    spoilt = bytearray(content)
    spoilt[len(content) // 2] ^= 0xFF
    Path("c.npz").write_bytes(spoilt)
    assert "c.npz: " in fails(run, "reconstruct", "c.npz", "y.npy")


def test_arrays_that_are_no_samples(run: Callable[..., Outcome]) -> None:
    np.save("words.npy", np.array(["a", "b"]))
    assert "expected numbers, found dtype <U1" in fails(run, "decompose", "words.npy", "c.npz")
    np.save("objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "not a readable array file" in fails(run, "decompose", "objects.npy", "c.npz")
    np.save("number.npy", np.float64(3.0))
    assert "found a single number" in fails(run, "decompose", "number.npy", "c.npz")
    np.save("nothing.npy", np.zeros((0, 4)))
    assert "no samples, its shape is (0, 4)" in fails(run, "decompose", "nothing.npy", "c.npz")
    np.savez("two.npz", a=np.ones(3), b=np.ones(3))
    assert "expected one array, found 2: a, b" in fails(run, "decompose", "two.npz", "c.npz")
    np.savez("none.npz")
    assert "expected one array, found 0" in fails(run, "decompose", "none.npz", "c.npz")


def test_films_are_refused(run: Callable[..., Outcome]) -> None:
    frames = [PIL_Image.fromarray(np.roll(picture(), k, 0)) for k in range(3)]
    for name in ("film.gif", "film.tif"):
        frames[0].save(name, save_all=True, append_images=frames[1:])
        assert "expected one picture, found 3" in fails(run, "decompose", name, "c.npz")


def test_colour_that_would_lose_bits_is_refused(run: Callable[..., Outcome]) -> None:
    samples = picture(3, dtype="uint16").astype(">u2").tobytes()
    height, width = IMAGE_SHAPE
    Path("deep.ppm").write_bytes(f"P6\n{width} {height}\n65535\n".encode() + samples)
    message = "PPM colour of more than 8 bits is not read; store it as .png or .tif"
    assert message in fails(run, "decompose", "deep.ppm", "c.npz")


def test_a_picture_is_what_it_holds(run: Callable[..., Outcome]) -> None:
    """Whatever the suffix says, no bits are lost."""
    store_image("deep.png", picture(3, dtype="uint16"))
    Path("deep.png").rename("deep.jpg")
    succeeds(run("decompose", "deep.jpg", "c.npz"))
    succeeds(run("reconstruct", "c.npz", "again.png"))
    assert np.array_equal(load_image("again.png"), picture(3, dtype="uint16"))


def test_a_rate_is_not_invented(run: Callable[..., Outcome]) -> None:
    np.save("x.npy", sound("int16"))
    assert "needs a sample rate, which the input has not" in fails(run, "denoise", "x.npy", "y.wav")


# --- nothing half done ----------------------------------------------------------------------------


def test_a_full_disk_leaves_the_old_file(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save("x.npy", array_of("float64", (64,)))
    Path("y.npy").write_bytes(b"old")

    def half(stream: Any, array: Any, **options: Any) -> None:
        stream.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", half)
    error = fails(run, "denoise", "x.npy", "y.npy")
    assert "y.npy: cannot write it (No space left on device)" in error
    assert Path("y.npy").read_bytes() == b"old"


def test_a_file_that_cannot_be_replaced(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save("x.npy", array_of("float64", (64,)))

    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(Path, "replace", refuse)
    assert "y.npy: cannot write it (Permission denied)" in fails(run, "denoise", "x.npy", "y.npy")


def test_a_folder_that_cannot_be_written(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save("x.npy", array_of("float64", (64,)))
    Path("locked").mkdir(mode=0o500)
    if os.access("locked", os.W_OK):
        # The superuser may write anywhere; the answer to the question is what is tested.
        monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked")
    error = fails(run, "denoise", "x.npy", "locked/y.npy")
    assert "the folder locked is not writable" in error


@pytest.mark.parametrize(
    ("exception", "message"),
    [
        (KeyboardInterrupt, "interrupted"),
        (MemoryError("Unable to allocate 8 TiB"), "Unable to allocate 8 TiB"),
        (MemoryError, "MemoryError"),
    ],
)
def test_interruptions(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, exception: Any, message: str
) -> None:
    np.save("x.npy", array_of("float64", (64,)))

    def interrupted(*arguments: Any, **options: Any) -> None:
        raise exception

    monkeypatch.setattr("liftwave.cli.app.denoise", interrupted)
    assert message in fails(run, "denoise", "x.npy", "y.npy")


def test_defects_are_not_hidden(
    run: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no user can have caused keeps its traceback."""
    np.save("x.npy", array_of("float64", (64,)))

    def defect(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("liftwave.cli.app.denoise", defect)
    with pytest.raises(ZeroDivisionError):
        run("denoise", "x.npy", "y.npy")
    assert not Path("y.npy").exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_new_files_have_the_usual_permissions(run: Callable[..., Outcome]) -> None:
    np.save("x.npy", array_of("float64", (64,)))
    old = os.umask(0o027)
    try:
        succeeds(run("denoise", "x.npy", "y.npy"))
    finally:
        os.umask(old)
    assert stat.S_IMODE(Path("y.npy").stat().st_mode) == 0o640


def test_odd_names(run: Callable[..., Outcome]) -> None:
    """(Markup of the library that prints is not to be seen in names.)"""
    name = "a [bold]name[/bold] :smile: with spaces, ünïcode"
    np.save(f"{name}.npy", array_of("float64", (64,)))
    out = succeeds(run("decompose", f"{name}.npy", f"{name}.npz"))
    assert f"{name}.npy -> {name}.npz" in out
    assert f"{name}.NPY" in succeeds(run("reconstruct", f"{name}.npz", f"{name}.NPY"))


# --- help, and the program as such ----------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "100"})
    assert result.exit_code == 0
    assert "Examples" in result.output
    assert f"liftwave {command}" in result.output


def test_every_command_is_tested() -> None:
    assert {command.name for command in app.registered_commands} == set(COMMANDS)


def examples() -> list[str]:
    """The examples in the help of the commands (the tour is taken above)."""
    lines = [
        line.strip()
        for command in app.registered_commands
        for line in (command.epilog or "").splitlines()
    ]
    found = [line for line in lines if line.startswith("liftwave ")]
    return [line for line in found if not line.startswith("liftwave tour")]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("example", examples())
def test_examples_of_the_help_run(run: Callable[..., Outcome], example: str) -> None:
    succeeds(run(*shlex.split(example)[1:]))


def test_there_are_examples() -> None:
    assert len(examples()) >= 10


def test_help_and_version(run: Callable[..., Outcome]) -> None:
    assert succeeds(run("--version")) == f"liftwave {lw.__version__}\n"
    for arguments in ((), ("--help",)):
        out = succeeds(run(*arguments))
        assert all(command in out for command in COMMANDS)


def python(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **options
    )


def test_as_a_module() -> None:
    done = python("-m", "liftwave", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(command in done.stdout for command in COMMANDS)


def test_mistakes_as_a_module(tmp_path: Path) -> None:
    done = python("-W", "error", "-m", "liftwave", "denoise", "a.png", "b.png", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "liftwave: error: a.png: no such file\n"


def test_without_the_extra() -> None:
    code = (
        "import sys; sys.modules['typer'] = None\n"
        "from liftwave.cli import main; sys.exit(main(['--help']))"
    )
    done = python("-c", code)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "pip install 'liftwave[cli]'" in done.stderr


def test_readers_that_stop_early() -> None:
    command = [sys.executable, "-m", "liftwave", "info", "db38"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_warnings_of_the_caller_are_left_alone(run: Callable[..., Outcome]) -> None:
    shown, filters = warnings.showwarning, list(warnings.filters)
    run("--version")
    assert warnings.showwarning is shown
    assert warnings.filters == filters
