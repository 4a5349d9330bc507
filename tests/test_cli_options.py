"""Options of the command line: axes, help, completion, old names; sounds of 24 bits; sparsify."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import pywt
from files import (
    COLOUR,
    GREY,
    TONE,
    channels,
    enter,
    open_image,
    sounds,
    succeed,
    write_png,
    write_sound,
)
from PIL import Image
from scipy.io import wavfile

import liftwave as lw
from liftwave._plan.boundary import LIFTING_MODES, MODES
from liftwave.cli import main
from liftwave.cli.console import psnr
from liftwave.cli.media import Media, read
from liftwave.cli.options import wavelet_names
from liftwave.cli.sparsity import jpeg_2000_size, png_size


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


# --- axes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "axes"), [("0", 0), ("2,0", (2, 0)), ("-1", 2), ("-3,1", (0, 1))])
def test_axes(run, folder, text, axes):
    x = np.random.default_rng(0).standard_normal((24, 20, 22))
    np.save("x.npy", x)
    run("denoise", "x.npy", "y.npy", "--axes", text, "-w", "db2")
    np.testing.assert_array_equal(np.load("y.npy"), lw.denoise(x, "db2", axes=axes))
    run("decompose", "x.npy", "bands.npz", "--axes", text, "-w", "db2", "--level", 2)
    with np.load("bands.npz") as archive:
        key = "level2_" + "a" * len(np.atleast_1d(axes))
        expected = lw.decompose(x, "db2", 2, axes=axes).approx
        np.testing.assert_array_equal(archive[key], expected)
    run("reconstruct", "bands.npz", "z.npy")
    np.testing.assert_allclose(np.load("z.npy"), x, atol=1e-12)


def test_axes_of_pictures(run, folder):
    write_png(folder / "x.png", COLOUR)
    run("denoise", "x.png", "y.png", "--axes", "1")
    expected = np.clip(np.rint(lw.denoise(COLOUR, axes=1)), 0, 255)
    np.testing.assert_array_equal(open_image("y.png"), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "--axes needs numbers separated by commas, as 0,1; got 'x'"),
        ("", "--axes needs numbers separated by commas, as 0,1; got ''"),
        ("0,", "--axes needs numbers"),
        ("2", "--axes 2: the data have 2 axes, 0 to 1"),
        ("-3", "--axes -3: the data have 2 axes, 0 to 1"),
        ("0,-2", "--axes 0,-2 names an axis twice"),
    ],
)
def test_axes_that_cannot_be(folder, capsys, text, message):
    np.save("x.npy", GREY)
    for command in ("denoise", "sparsify"):
        assert main([command, "x.npy", "y.npy", "--axes", text]) == 2
        assert message in capsys.readouterr().err


def test_a_column_is_passed_on_as_it_is(run, folder):
    """A signal of the shape (samples, 1) has the result of the library."""
    noisy = TONE + 0.3 * np.random.default_rng(0).standard_normal(TONE.size)
    np.save("x.npy", noisy[:, None])
    run("denoise", "x.npy", "y.npy", "-w", "sym4")
    np.testing.assert_array_equal(np.load("y.npy"), lw.denoise(noisy[:, None], "sym4"))
    run("denoise", "x.npy", "z.npy", "-w", "sym4", "--axes", "0")
    np.testing.assert_array_equal(np.load("z.npy")[:, 0], lw.denoise(noisy, "sym4"))


# --- sounds -------------------------------------------------------------------------------------


def write_24_bits(path, samples, rate=22050):
    """Written by the standard library, sample by sample."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(3)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<i", n)[:3] for n in samples.ravel().tolist()))


def read_24_bits(path):
    with wave.open(str(path), "rb") as file:
        assert (file.getsampwidth(), file.getframerate()) == (3, 22050)
        content, count = file.readframes(file.getnframes()), file.getnchannels()
    parts = [content[k : k + 3] for k in range(0, len(content), 3)]
    samples = np.array([int.from_bytes(part, "little", signed=True) for part in parts])
    return samples if count == 1 else samples.reshape(-1, count)


@pytest.mark.parametrize("count", [1, 2])
def test_sounds_of_24_bits(run, folder, count):
    rng = np.random.default_rng(0)
    x = rng.integers(-(2**23), 2**23, (4001, count)[:count] if count == 2 else 4001)
    write_24_bits("x.wav", x)
    run("decompose", "x.wav", "bands.npz", "-w", "cdf5.3", "--integer", "--mode", "reflect")
    run("reconstruct", "bands.npz", "y.wav")
    np.testing.assert_array_equal(read_24_bits("y.wav"), x)
    said = run("denoise", "x.wav", "z.wav", "--sigma", 3e5)
    assert "int24, 22050 Hz" in said
    expected = np.clip(np.rint(lw.denoise(x, sigma=3e5, axes=0)), -(2**23), 2**23 - 1)
    np.testing.assert_array_equal(read_24_bits("z.wav"), expected)
    run("sparsify", "x.wav", "x.npy", "--keep", 1)
    np.testing.assert_array_equal(np.load("x.npy"), x)


def test_the_quality_of_24_bits_is_relative_to_their_range(run, folder):
    write_24_bits("x.wav", (2e6 * TONE).astype(int))
    said = run("sparsify", "x.wav", "y.wav", "--keep", 0.02)
    error = np.sqrt(np.mean((read_24_bits("y.wav") - read_24_bits("x.wav")) ** 2.0))
    (printed,) = re.findall(r"PSNR ([\d.]+) dB", said)
    assert float(printed) == pytest.approx(20 * np.log10((2**23 - 1) / error), abs=0.006)


def test_sounds_of_24_bits_do_not_wrap_around(run, folder):
    """A square wave of full scale overshoots at its edges."""
    x = np.where(np.arange(4001) % 37 < 17, 2**23 - 1, -(2**23))
    write_24_bits("x.wav", x)
    run("sparsify", "x.wav", "y.wav", "--keep", 0.3, "-w", "db8")
    result = read_24_bits("y.wav")
    assert (result.max(), result.min()) == (2**23 - 1, -(2**23))
    d = lw.decompose(x, "db8", axes=0).keep_largest(0.3)
    np.testing.assert_allclose(result, np.clip(d.reconstruct(), -(2**23), 2**23 - 1), atol=1)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
def test_sounds_of_other_types_are_as_scipy_reads_them(run, folder, dtype):
    x = np.random.default_rng(0).integers(0, 200, 999).astype(dtype)
    write_sound(folder / "x.wav", x)
    assert read(Path("x.wav")).array.dtype == dtype
    run("sparsify", "x.wav", "y.wav", "--keep", 1)
    assert wavfile.read("y.wav")[1].dtype == dtype
    np.testing.assert_array_equal(wavfile.read("y.wav")[1], x)


# --- sparsify -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "float64", "int32"])
def test_all_coefficients_change_nothing(run, folder, dtype):
    flat = np.zeros((40, 40), dtype)
    flat[9, 9] = 3
    np.save("x.npy", flat + np.asarray(GREY[:40, :40] // 7 * 7, dtype) / dtype_scale(dtype))
    said = run("sparsify", "x.npy", "y.npy", "--keep", 1)
    assert "(100.00%), exactly equal" in said
    np.testing.assert_array_equal(np.load("y.npy"), np.load("x.npy"))


def dtype_scale(dtype):
    return 3.0 if dtype == "float64" else np.asarray(1, dtype)


def test_the_table_of_shares(run, folder):
    write_png(folder / "x.png", GREY)
    said = run("sparsify", "x.png", "-w", "db2")
    rows = re.findall(r"^ *([\d.]+)% +(\d+) +(.*?) {2,}([\d.]+ k?B) *$", said, re.MULTILINE)
    assert [float(share) for share, *_ in rows] == [0.5, 1, 2, 5, 10, 20, 50, 100]
    d = lw.decompose(GREY.astype(np.float32), "db2")
    for share, count, quality, _ in rows[:-1]:
        kept = d.keep_largest(float(share) / 100)
        assert int(count) == sum(np.count_nonzero(band) for band in kept.bands.values())
        result = np.clip(np.rint(kept.reconstruct()), 0, 255).astype(np.uint8)
        printed = "exactly equal" if (result == GREY).all() else f"PSNR {psnr(GREY, result):.2f} dB"
        assert quality == printed
    assert rows[-1][2] == "exactly equal"
    Image.fromarray(GREY).save("best.png", optimize=True)
    assert f"PNG without loss: {Path('best.png').stat().st_size / 1000:.1f} kB" in said
    assert not [p for p in folder.iterdir() if p.name not in ("x.png", "best.png")]


def test_the_table_of_other_data_has_no_pictures(run, folder):
    write_sound(folder / "x.wav", sounds()["stereo int16"])
    said = run("sparsify", "x.wav")
    assert "exactly equal" in said
    assert not re.search("JPEG|PNG", said)


@pytest.mark.parametrize("picture", [GREY, COLOUR, channels(4)], ids=["grey", "colour", "alpha"])
def test_sizes_of_pictures_are_those_of_files(folder, picture):
    media = Media(picture, "image")
    for quality in (30.0, 40.0):
        Image.fromarray(picture).save(
            "x.jp2", quality_mode="dB", quality_layers=[quality], irreversible=True
        )
        assert jpeg_2000_size(media, quality) == pytest.approx(Path("x.jp2").stat().st_size, abs=20)
        assert psnr(picture, open_image("x.jp2")) == pytest.approx(quality, abs=1.5)
    Image.fromarray(picture).save("x.jp2", irreversible=False)
    np.testing.assert_array_equal(open_image("x.jp2"), picture)
    assert jpeg_2000_size(media, np.inf) == Path("x.jp2").stat().st_size
    Image.fromarray(picture).save("x.png", optimize=True)
    assert png_size(media) == Path("x.png").stat().st_size


@pytest.mark.parametrize("name", ["x.png", "x.wav"])
def test_the_curves_of_shares(run, folder, name):
    write_png(folder / "x.png", GREY)
    write_sound(folder / "x.wav", sounds()["mono int16"])
    assert "wrote curves.png" in run("sparsify", name, "--plot", "curves.png")
    assert open_image("curves.png").shape[1] == (1100 if name == "x.png" else 550)


def test_the_old_name_of_sparsify(folder, capsys):
    np.save("x.npy", GREY)
    assert main(["compress", "x.npy", "y.npy"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ("liftwave: warning: the command 'compress' was renamed to 'sparsify'\n")
    assert "coefficients" in printed.out


# --- help and completion ------------------------------------------------------------------------


def test_every_wavelet_is_listed(run):
    said = run("wavelets")
    names = set(re.findall(r"[a-z]+[\d.]*", said))
    assert set(pywt.wavelist(kind="discrete")) | {"cdf5.3", "cdf9.7"} <= names
    assert not set(pywt.wavelist(kind="continuous")) & names
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize("command", ["decompose", "denoise", "sparsify"])
def test_modes_are_in_the_help(run, command):
    said = re.sub(r"[\s│]+", " ", run(command, "--help"))
    assert f"Boundary mode: {', '.join(MODES)}. Lifting: {', '.join(LIFTING_MODES)}." in said


@pytest.mark.parametrize("command", ["", "tour", "denoise", "wavelets"])
def test_short_help(run, command):
    assert run(*command.split(), "-h") == run(*command.split(), "--help")


# Variables that each shell sets before it asks.
SHELLS = {
    "bash": {"COMP_WORDS": "liftwave {}", "COMP_CWORD": "{count}"},
    "zsh": {"_TYPER_COMPLETE_ARGS": "liftwave {}"},
    "fish": {"_TYPER_COMPLETE_ARGS": "liftwave {}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


COMPLETED = {*wavelet_names(), *MODES, "denoise", "decompose", "soft", "hard", "garrote"}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("den", ["denoise"]),
        ("denoise -w cdf", ["cdf5.3", "cdf9.7"]),
        ("denoise --mode per", ["periodic", "periodization"]),
        ("denoise --rule h", ["hard"]),
    ],
)
def test_completion(shell, typed, expected, folder, capsys, monkeypatch):
    for name, value in SHELLS[shell].items():
        monkeypatch.setenv(name, value.format(typed, count=len(typed.split())))
    monkeypatch.setenv("_LIFTWAVE_COMPLETE", f"complete_{shell}")
    monkeypatch.setattr(sys, "argv", ["liftwave"])
    with pytest.raises(SystemExit):
        main([])
    said = capsys.readouterr().out
    names = [name for name in re.findall(r"[a-z][\w.]+", said) if name in COMPLETED]
    assert names == expected


# --- one line on stderr -------------------------------------------------------------------------


def test_logs_of_libraries_are_not_printed(folder):
    """Pillow logs damaged tags; only a separate process shows this."""
    tags = Image.Exif()
    tags[0x010E] = "a title"
    Image.fromarray(GREY).save("x.tif", exif=tags.tobytes())
    stored = bytearray(Path("x.tif").read_bytes())
    command = [sys.executable, "-m", "liftwave", "denoise", "x.tif", "y.tif"]
    for place in range(8, 200, 12):
        Path("x.tif").write_bytes(stored[:place] + b"\xff\xff" + stored[place + 2 :])
        if main([*command[3:], "--force"]) == 2:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert re.fullmatch("liftwave: error: [^\n]*\n", done.stderr), done.stderr
            break
    else:
        pytest.fail("no damage was noticed")
    assert os.environ["COLUMNS"] == "80"


# --- denoise -------------------------------------------------------------------------------------


def test_options_of_denoise_reach_the_function(run, folder):
    x = np.random.default_rng(0).standard_normal((40, 44)).cumsum(1)
    np.save("x.npy", x)
    run("denoise", "x.npy", "y.npy", "-w", "db2", "--method", "neighcoeff", "--transform", "swt")
    expected = lw.denoise(x, "db2", method="neighcoeff", transform="swt")
    np.testing.assert_array_equal(np.load("y.npy"), expected)
    run("denoise", "x.npy", "y.npy", "--transform", "dtcwt", "--method", "bivariate", "--force")
    expected = lw.denoise(x, method="bivariate", transform="dtcwt")
    np.testing.assert_array_equal(np.load("y.npy"), expected)
    for text, sigma in (("0.5,0.2", {1: 0.5, 2: 0.2}), ("band", "band"), ("0.3", 0.3)):
        run("denoise", "x.npy", "y.npy", "-w", "db2", "--sigma", text, "--force")
        np.testing.assert_array_equal(np.load("y.npy"), lw.denoise(x, "db2", sigma=sigma))


def test_gaps_are_filled_by_denoise(run, folder, capsys):
    x = np.random.default_rng(0).standard_normal(200).cumsum()
    x[30:34] = np.nan
    np.save("x.npy", x)
    assert main(["denoise", "x.npy", "y.npy"]) == 2
    assert "4 of 200 samples are NaN: use missing=" in capsys.readouterr().err
    said = run("denoise", "x.npy", "y.npy", "--missing", "mask")
    assert re.search(r"changed by \d", said)
    np.testing.assert_array_equal(np.load("y.npy"), lw.denoise(x, missing="mask"))


def test_colours_are_denoised_together(run, folder):
    write_png(folder / "x.png", COLOUR)
    run("denoise", "x.png", "y.png", "--colour", "-w", "haar")
    expected = np.clip(np.rint(lw.denoise(COLOUR, "haar", axes=(0, 1), channel_axis=-1)), 0, 255)
    np.testing.assert_array_equal(np.asarray(Image.open("y.png")), expected)
    np.save("x.npy", COLOUR)
    assert main(["denoise", "x.npy", "y.npy", "--colour"]) == 2
