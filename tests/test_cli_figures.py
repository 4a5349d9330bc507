"""The figures that the command line prints, recomputed; information that files must preserve."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pywt
import tifffile
from files import COLOUR, GREY, deep, enter, open_image, read_png, succeed, write_png
from PIL import Image

import liftwave as lw
from liftwave.cli import main
from liftwave.cli.console import psnr, rms, size
from liftwave.cli.files import FileError
from liftwave.cli.info import vanishing_moments
from liftwave.wavelets.resolve import resolve_wavelet


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capfd):
    return lambda *arguments: succeed(capfd, *arguments)


# --- info ---------------------------------------------------------------------------------------


def moments_by_definition():
    """Moments of the analysis high-pass filter: N of Daubechies' N, 2 N of coiflets.

    Of the pairs N.M, ``bior`` has N and ``rbio`` M. (The pair 5.5 is symmetric about a sample, so
    both numbers are even: 6 and 4.) The table of ``dmey`` is truncated and has none.
    """
    moments = {"haar": 1, "dmey": 0}
    for name in pywt.wavelist(kind="discrete"):
        family, order = re.fullmatch("([a-z]+)([0-9.]*)", name).groups()
        if family in ("db", "sym", "coif"):
            moments[name] = int(order) * (2 if family == "coif" else 1)
        if family in ("bior", "rbio"):
            moments[name] = int(order.split(".")[family == "rbio"])
    return moments | {"bior5.5": 6, "rbio5.5": 4}


def test_vanishing_moments():
    expected = moments_by_definition()
    assert set(expected) == set(pywt.wavelist(kind="discrete"))
    assert {name: vanishing_moments(resolve_wavelet(name)) for name in expected} == expected


@pytest.mark.parametrize(("name", "count"), [("db38", 38), ("rbio3.9", 9), ("CDF5.3", 2)])
def test_info_prints_them(name, count, run):
    assert re.search(rf"^vanishing moments +{count} *$", run("info", name), re.MULTILINE)


# --- measures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (np.zeros(4, np.uint8), np.full(4, 255, np.uint8), 0.0),
        (np.full(4, 255, np.uint8), np.zeros(4, np.uint8), 0.0),
        (np.zeros(4, np.int16), np.full(4, 3276.7), 20.0),
        (np.array([0.0, 10.0]), np.array([1.0, 11.0]), 20.0),
        (np.array([10j, 0]), np.array([10j, np.sqrt(2)]), 20.0),
        (np.ones(3), np.full(3, 2.0), 0.0),
        (np.ones(3, np.uint8), np.ones(3), np.inf),
    ],
)
def test_psnr(x, y, expected):
    assert psnr(x, y) == pytest.approx(expected)


def test_rms_does_not_wrap():
    assert rms(np.array([0, 255], np.uint8), np.array([255, 0], np.uint8)) == 255
    assert rms(np.array([-(2**31)], np.int32), np.array([2**31 - 1], np.int32)) == 2**32 - 1


def test_sizes():
    printed = [size(n) for n in (0, 999, 1000, 1.5e6, 2e9, 3e12)]
    assert printed == ["0 B", "999 B", "1.0 kB", "1.5 MB", "2.0 GB", "3000.0 GB"]


# --- tour ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def toured(tmp_path_factory):
    """The lines printed by the tour, and the folder with its pictures."""
    folder = tmp_path_factory.mktemp("tour") / "new" / "pictures"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        from liftwave.cli import console

        with console.out.capture() as printed:
            assert main(["tour", "--output", str(folder)]) == 0
    return re.findall(r"^(\S.*?)  +(.*?)  +(\S.*?) *$", printed.get(), re.MULTILINE), folder


def numbers(toured, what, how=""):
    """The numbers in the last column of the row that begins with ``what``."""
    (found,) = (last for first, second, last in toured[0] if first == what and how in second)
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", found)]


PHOTOGRAPH = pywt.data.camera()


@pytest.mark.parametrize("wavelet", ["haar", "bior4.4"])
def test_compression_in_the_tour(toured, wavelet):
    coeffs = pywt.wavedec2(PHOTOGRAPH.astype(float), wavelet, "periodization", 5)
    packed, places = pywt.coeffs_to_array(coeffs)
    least = np.sort(np.abs(packed).ravel())[-int(np.ceil(0.05 * packed.size))]
    kept = pywt.array_to_coeffs(np.where(np.abs(packed) >= least, packed, 0), places, "wavedec2")
    seen = np.clip(pywt.waverec2(kept, wavelet, "periodization"), 0, 255)
    expected = 10 * np.log10(255**2 / np.mean((seen - PHOTOGRAPH) ** 2))
    (printed,) = numbers(toured, "largest 5 % of coefficients", wavelet)
    assert printed == pytest.approx(expected, abs=0.006)


def test_noise_in_the_tour(toured):
    before, after = numbers(toured, "photograph denoised")
    assert before == pytest.approx(20 * np.log10(255 / 20), abs=0.03)
    assert after > before + 6.5
    before, after = numbers(toured, "ECG denoised")
    power = np.var(pywt.data.ecg())
    assert before == pytest.approx(10 * np.log10(power / 6**2), abs=0.3)
    assert after > before + 5
    assert 19 < numbers(toured, "noise level")[0] < 22


def test_errors_in_the_tour(toured):
    for what in ("photograph round trip", "... by lifting", "ECG round trip"):
        assert 1e-17 < numbers(toured, what)[0] < 1e-14
    # The bank's table has twelve digits.
    assert 1e-14 < numbers(toured, "lifting against filter bank")[0] < 1e-11
    assert numbers(toured, "... critically sampled") == [511 * 509]


def test_r_waves_in_the_tour_keep_their_height(toured):
    """Within 5 %, which readers of electrocardiograms accept."""
    ecg = pywt.data.ecg()
    recorded = [float(ecg[k]) for k in (190, 518, 848)]
    (printed,) = (how for what, how, _ in toured[0] if what == "... height of the R waves")
    assert printed == ", ".join(f"{height:.0f}" for height in recorded)
    kept = numbers(toured, "... height of the R waves")
    np.testing.assert_allclose(kept, recorded, rtol=0.05)


def test_time_and_gradient_in_the_tour(toured):
    assert len(numbers(toured, "time of db4, 3 levels")) == 2
    if importlib.util.find_spec("torch") is None:
        assert "torch" not in toured[0]
    else:
        assert numbers(toured, "torch, gradient of energy")[0] < 1e-14


def test_the_tour_replaces_only_its_own_pictures(toured, folder, capfd, monkeypatch):
    shutil.copytree(toured[1], "again")

    def started():
        raise FileError("the tour has started")

    monkeypatch.setattr(pywt.data, "camera", started)
    tour = ["tour", "--output", "again"]
    assert main(tour) == 2
    assert "the tour has started" in capfd.readouterr().err
    Path("again/denoising.png").write_bytes(b"mine")
    assert main(tour) == 2
    assert "denoising.png: the file exists already; add --force" in capfd.readouterr().err
    assert main([*tour, "--force"]) == 2
    assert "the tour has started" in capfd.readouterr().err


def entropy(values):
    _, counts = np.unique(values, return_counts=True)
    return float(-(counts * np.log2(counts / values.size)).sum())


def test_bits_in_the_tour(toured):
    before, after = numbers(toured, "... bits per pixel")
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    bands = lw.decompose(PHOTOGRAPH, scheme, 5, "reflect").bands.values()
    assert before == pytest.approx(entropy(PHOTOGRAPH) / PHOTOGRAPH.size, abs=0.006)
    assert after == pytest.approx(sum(map(entropy, bands)) / PHOTOGRAPH.size, abs=0.006)


def test_pictures_of_the_tour_are_not_cut_off(toured):
    pictures = sorted(toured[1].iterdir())
    assert len(pictures) == 5
    for path in pictures:
        pixels = open_image(path, "L")
        margin = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert margin.min() == 255, path.name


# --- sparsify -----------------------------------------------------------------------------------


def test_small_integers_are_stored_in_single_precision(run, folder):
    np.save("small.npy", GREY)
    np.save("large.npy", GREY.astype(np.int32))
    for name, expected in (("small", np.float32), ("large", np.float64)):
        run("sparsify", f"{name}.npy", f"{name}.npz", "--keep", "0.1")
        with np.load(f"{name}.npz") as archive:
            dtypes = {archive[k].dtype for k in archive.files} - {archive["liftwave"].dtype}
        # Bands of zeros fit every dtype.
        assert max(dtypes) == np.dtype(expected)
    sizes = [(folder / f"{name}.npz").stat().st_size for name in ("small", "large")]
    assert sizes[0] < 0.75 * sizes[1]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_all_coefficients_are_no_loss(run, dtype):
    limits = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    x = rng.integers(limits.min, limits.max, (128, 100), dtype=dtype, endpoint=True)
    np.save("x.npy", x)
    assert "exactly equal" in run("sparsify", "x.npy", "y.npz", "--keep", "1")
    run("reconstruct", "y.npz", "z.npy")
    np.testing.assert_array_equal(np.load("z.npy"), x)


# --- bits that files must preserve --------------------------------------------------------------


def test_a_picture_is_what_it_holds(run, folder):
    """The content determines the format, not the suffix."""
    write_png(folder / "deep.png", deep(COLOUR))
    (folder / "deep.png").rename("deep.jpg")
    run("decompose", "deep.jpg", "bands.npz")
    run("reconstruct", "bands.npz", "again.png")
    np.testing.assert_array_equal(read_png("again.png"), deep(COLOUR))


def test_deep_grey_of_netpbm(run):
    grey = deep(GREY)
    Image.fromarray(grey).save("deep.pgm")
    run("decompose", "deep.pgm", "bands.npz")
    for name in ("again.pgm", "again.png"):
        run("reconstruct", "bands.npz", name)
        np.testing.assert_array_equal(open_image(name), grey)


def test_deep_colour_of_netpbm_is_refused(folder, capfd):
    """Pillow would reduce it to 8 bits."""
    height, width, _ = COLOUR.shape
    head = f"P6\n{width} {height}\n65535\n".encode()
    (folder / "deep.ppm").write_bytes(head + deep(COLOUR).astype(">u2").tobytes())
    assert main(["denoise", "deep.ppm", "x.png"]) == 2
    error = capfd.readouterr().err
    assert "PPM colour of more than 8 bits is not supported; store it as .png or .tif" in error
    assert not (folder / "x.png").exists()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("lost", [1, 1000])
def test_the_end_of_a_tiff_is_missed(folder, capfd, dtype, lost):
    for picture in (GREY, COLOUR):
        kind = "rgb" if picture.ndim == 3 else "minisblack"
        tifffile.imwrite("x.tif", picture.astype(dtype), photometric=kind, metadata=None)
        whole = (folder / "x.tif").read_bytes()
        (folder / "x.tif").write_bytes(whole[:-lost])
        assert main(["denoise", "x.tif", "y.tif"]) == 2
        error = capfd.readouterr().err
        assert error.startswith("liftwave: error: x.tif: not a readable tif image")
        assert not (folder / "y.tif").exists()


def test_a_damaged_tiff_is_told_in_one_line(folder):
    """(The TIFF library also logs; only a separate process shows this.)"""
    tifffile.imwrite("x.tif", deep(COLOUR), photometric="rgb")
    (folder / "x.tif").write_bytes((folder / "x.tif").read_bytes()[:240])
    command = [sys.executable, "-m", "liftwave", "denoise", "x.tif", "y.tif"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.fullmatch("liftwave: error: x.tif: not a readable tif image [^\n]*\n", done.stderr)
