"""The command line on real files: every kind of file, every command."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import pywt
import tifffile
import zarr
from files import (
    COLOUR,
    FILES,
    GREY,
    INTEGER_FILES,
    RNG,
    TONE,
    channels,
    deep,
    enter,
    make,
    open_image,
    read_png,
    read_sound,
    sounds,
    succeed,
    write_png,
    write_sound,
)
from PIL import Image

import liftwave as lw
from liftwave.cli import main
from liftwave.cli.media import as_dtype, read


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


@pytest.fixture(params=FILES)
def file(request, folder):
    return make(request.param, folder)


def assert_same(actual, expected, tolerance=0.0):
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    gap = np.abs(actual.astype(complex) - expected.astype(complex)).max()
    assert gap <= tolerance * np.abs(expected).max()


# --- round trips --------------------------------------------------------------------------------


def test_files_come_back(file, run, folder):
    path, array, reader = file
    run("decompose", path, "bands.npz", "-w", "db2")
    again = folder / f"again{path.suffix}"
    said = run("reconstruct", "bands.npz", again)
    assert again.name in said
    assert "x".join(map(str, array.shape)) in said
    # Floating point agrees up to rounding; integers are rounded to the original values.
    exact = array.dtype.kind in "biu"
    assert_same(reader(again), array, 0 if exact else 100 * float(np.finfo(array.dtype).eps))
    assert sorted(p.name for p in folder.iterdir()) == sorted([path.name, "bands.npz", again.name])


@pytest.mark.parametrize("name", INTEGER_FILES)
def test_integers_come_back_bit_for_bit(name, run, folder):
    path, array, reader = make(name, folder)
    again = folder / f"again{path.suffix}"
    run("decompose", path, "bands.npz", "-w", "cdf5.3", "--integer", "--mode", "reflect")
    with np.load(folder / "bands.npz") as archive:
        bands = [archive[key] for key in archive.files if key != "liftwave"]
    assert {band.dtype.kind for band in bands} == {"i"}
    run("reconstruct", "bands.npz", again)
    assert_same(reader(again), array)


def test_bands_in_an_archive_are_those_of_the_library(run, folder):
    Image.fromarray(COLOUR).save("photo.png")
    said = run("decompose", "photo.png", "bands.npz", "-w", "sym4", "--mode", "zero", "--level", 2)
    d = lw.decompose(COLOUR, "sym4", 2, "zero", axes=(0, 1))
    with np.load(folder / "bands.npz", allow_pickle=False) as archive:
        names = {f"level{level}_{key}": band for (level, key), band in d.bands.items()}
        assert set(archive.files) == {"liftwave", *names}
        for name, band in names.items():
            np.testing.assert_array_equal(archive[name], band)
    for (level, key), band in d.bands.items():
        shape = "x".join(map(str, band.shape))
        assert re.search(rf"^{level} +{key} +{shape} +float64 +[\d.]+%$", said, re.MULTILINE)


def test_sounds_and_images_are_transformed_along_their_own_axes(run, folder):
    write_sound(folder / "stereo.wav", sounds()["stereo int16"])
    assert re.search(r"^1 +d +1502x2 ", run("decompose", "stereo.wav", "s.npz", "-w", "db2"), re.M)
    write_png(folder / "rgba.png", channels(4))
    assert re.search(r"^1 +dd +34x40x4 ", run("decompose", "rgba.png", "i.npz", "-w", "db2"), re.M)


@pytest.mark.parametrize(
    "options", [["--lifting"], ["-w", "cdf9.7"], ["-w", "CDF9.7", "--lifting"]]
)
def test_lifting_and_its_names(options, run, folder):
    np.save("x.npy", GREY)
    run("decompose", "x.npy", "bands.npz", "--mode", "periodization", "--level", 2, *options)
    expected = lw.decompose(GREY, "bior4.4", 2, "periodization")
    with np.load(folder / "bands.npz") as archive:
        gap = np.abs(archive["level2_aa"] - expected.approx).max()
    # The table of the filters has fewer digits than the lifting steps.
    assert gap <= 1e-10 * np.abs(expected.approx).max()
    run("reconstruct", "bands.npz", "again.npy")
    np.testing.assert_array_equal(np.load("again.npy"), GREY)


def test_lifting_is_critically_sampled(run, folder):
    np.save("x.npy", GREY)
    run("decompose", "x.npy", "bands.npz", "-w", "cdf9.7", "--lifting", "--mode", "reflect")
    with np.load(folder / "bands.npz") as archive:
        assert sum(archive[k].size for k in archive.files if k != "liftwave") == GREY.size
    run("reconstruct", "bands.npz", "again.npy")
    np.testing.assert_array_equal(np.load("again.npy"), GREY)


def test_data_may_change_the_kind_of_file(run, folder):
    Image.fromarray(GREY).save("photo.png")
    run("decompose", "photo.png", "bands.npz")
    run("reconstruct", "bands.npz", "photo.npy")
    np.testing.assert_array_equal(np.load("photo.npy"), GREY)


def test_no_level_at_all(run):
    np.save("x.npy", GREY)
    run("decompose", "x.npy", "bands.npz", "--level", 0)
    run("reconstruct", "bands.npz", "again.npy")
    np.testing.assert_array_equal(np.load("again.npy"), GREY)


def test_a_file_may_take_the_place_of_its_source(run, folder):
    np.save("x.npy", GREY)
    (folder / "x.npy").chmod(0o600)
    run("sparsify", "x.npy", "x.npy", "--keep", 1, "--force")
    np.testing.assert_array_equal(np.load("x.npy"), GREY)
    assert (folder / "x.npy").stat().st_mode & 0o777 == 0o600


# --- reading pictures ---------------------------------------------------------------------------


def test_pictures_are_turned_as_cameras_say(folder):
    image = Image.fromarray(COLOUR)
    turned = image.getexif()
    turned[274] = 6  # the first row is on the right
    image.save("photo.jpg", exif=turned)
    assert read(Path("photo.jpg")).array.shape == (78, 65, 3)


@pytest.mark.parametrize("alpha", [False, True])
def test_palettes_become_colours(folder, alpha):
    colours = channels(4) if alpha else COLOUR
    Image.fromarray(colours).quantize(9).save("palette.png")
    array = read(Path("palette.png")).array
    assert array.shape == colours.shape
    assert len(np.unique(array.reshape(-1, array.shape[2]), axis=0)) <= 9


@pytest.mark.parametrize("mode", ["1", "CMYK"])
def test_other_pictures_become_bytes(folder, mode):
    Image.fromarray(COLOUR).convert(mode).save("picture.tif")
    array = read(Path("picture.tif")).array
    assert array.dtype == np.uint8
    assert array.shape == ((65, 78) if mode == "1" else (65, 78, 3))


def test_planes_of_a_picture_become_the_last_axis(folder):
    planes = np.moveaxis(deep(COLOUR), -1, 0)
    tifffile.imwrite("planes.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read(Path("planes.tif")).array, deep(COLOUR))


@pytest.mark.parametrize("suffix", [".webp", ".gif", ".jpg"])
def test_pictures_that_are_only_read(suffix, run, folder):
    Image.fromarray(COLOUR).quantize(7).convert("RGB").save(f"photo{suffix}")
    seen = open_image(f"photo{suffix}", "RGB")
    run("decompose", f"photo{suffix}", "bands.npz")
    run("reconstruct", "bands.npz", "photo.png")
    np.testing.assert_array_equal(read_png(folder / "photo.png"), seen)


def test_jpeg_is_written_well(run, folder):
    Image.fromarray(COLOUR).save("photo.png")
    run("sparsify", "photo.png", "photo.jpg", "--keep", 1)
    assert np.abs(open_image("photo.jpg").astype(int) - COLOUR).mean() < 3


# --- denoise ------------------------------------------------------------------------------------


def test_every_kind_of_file_can_be_denoised_and_sparsified(file, run, folder):
    path, array, reader = file
    for command in ("denoise", "sparsify"):
        target = folder / f"{command}d{path.suffix}"
        if (command, path.suffix) == ("sparsify", ".npz"):
            continue  # writes coefficients
        run(command, path, target)
        result = reader(target)
        assert result.dtype == array.dtype
        assert result.shape == array.shape
        assert array.size == 1 or not np.array_equal(result, array) or command == "denoise"


def test_denoise_is_the_library_s(run, folder):
    noise = 12 * np.random.default_rng(1).standard_normal(COLOUR.shape)
    noisy = np.clip(COLOUR + noise, 0, 255).astype(np.uint8)
    picture = np.concatenate([noisy, channels(4)[..., 3:]], axis=-1)
    Image.fromarray(picture).save("noisy.png")
    options = ["-w", "db3", "--method", "sure", "--rule", "garrote", "--sigma", 9, "--shifts", 2]
    said = run("denoise", "noisy.png", "clean.png", *options, "--level", 2, "--mode", "reflect")
    expected = lw.denoise(
        noisy,
        "db3",
        method="sure",
        rule="garrote",
        sigma=9.0,
        shifts=2,
        level=2,
        mode="reflect",
        axes=(0, 1),
    )
    result = read_png(folder / "clean.png")
    np.testing.assert_array_equal(result[..., :3], np.clip(np.rint(expected), 0, 255))
    np.testing.assert_array_equal(result[..., 3], picture[..., 3])
    change = np.sqrt(np.mean((result.astype(float) - picture) ** 2))
    assert f"changed by {change:.4g} (rms)" in said


def test_denoise_makes_a_sound_better(run, folder):
    noisy = TONE * 8000 + 500 * np.random.default_rng(0).standard_normal(TONE.size)
    write_sound(folder / "noisy.wav", noisy.astype(np.int16))
    run("denoise", "noisy.wav", "clean.wav")
    clean = read_sound(folder / "clean.wav")
    before, after = (np.std(x - 8000 * TONE) for x in (noisy, clean))
    assert after < before / 2


# --- sparsify -----------------------------------------------------------------------------------


def test_sparsify_keeps_that_share(run, folder):
    write_png(folder / "photo.png", GREY)
    options = ["--keep", 0.1, "-w", "db2", "--level", 3, "--mode", "periodization"]
    said = run("sparsify", "photo.png", "bands.npz", *options)
    d = lw.decompose(GREY, "db2", 3, "periodization")
    total = sum(band.size for band in d.bands.values())
    with np.load("bands.npz") as archive:
        kept = sum(np.count_nonzero(archive[k]) for k in archive.files if k != "liftwave")
    assert kept == int(np.ceil(0.1 * total))
    assert f"{kept} of {total} coefficients ({kept / total:.2%})" in said
    run("reconstruct", "bands.npz", "seen.png")
    run("sparsify", "photo.png", "same.png", *options)
    seen = read_png(folder / "seen.png")
    np.testing.assert_array_equal(seen, read_png(folder / "same.png"))
    quality = 10 * np.log10(255**2 / np.mean((seen.astype(float) - GREY) ** 2))
    assert f"PSNR {quality:.2f} dB" in said


def test_sparsify_without_loss_says_so(run):
    np.save("x.npy", GREY)
    options = ["--keep", 1, "-w", "cdf5.3", "--integer", "--mode", "reflect"]
    assert "exactly equal" in run("sparsify", "x.npy", "bands.npz", *options)
    run("reconstruct", "bands.npz", "again.npy")
    np.testing.assert_array_equal(np.load("again.npy"), GREY)


# --- info, tour, help ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["haar", "db4", "bior4.4", "CDF9.7", "rbio3.9", "db38", "dmey"])
def test_info(name, run):
    said = run("info", name)
    bank = pywt.Wavelet("bior4.4" if name == "CDF9.7" else name)
    assert said.startswith(f"wavelet {name}\n")
    assert re.search(rf"^filter length +{bank.dec_len} *$", said, re.MULTILINE)
    assert max(map(len, said.splitlines())) <= 80
    for k, taps in enumerate(zip(*bank.filter_bank, strict=True)):
        numbers = " +".join(re.escape(f"{tap:.12f}" if tap else "0") for tap in taps)
        assert re.search(rf"^ ?{k} +{numbers}$", said, re.MULTILINE)
    if name == "dmey":
        assert "none: the table does not reconstruct" in said
    else:
        for line in str(lw.LiftingScheme.from_name(name)).splitlines():
            assert line in said or len(line) > 53
        assert "integer form" in said


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_info_draws(suffix, run, folder):
    run("info", "db4", "--plot", f"db4{suffix}")
    start = (folder / f"db4{suffix}").read_bytes()[:8]
    assert start.startswith({".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[suffix])
    assert [p.name for p in folder.iterdir()] == [f"db4{suffix}"]


def test_tour(folder):
    """In a separate process, to see its imports."""
    (folder / "tour").mkdir()
    (folder / "tour" / "mine.png").write_bytes(b"mine")
    np.save("x.npy", GREY)
    code = (
        "import sys; from liftwave.cli import main; "
        "assert main(['denoise', 'x.npy', 'y.npy']) == 0; "
        "heavy = {'torch', 'cupy', 'dask', 'jax'} & set(sys.modules); assert not heavy, heavy; "
        "assert main(['tour']) == 0; "
        "heavy = {'cupy', 'dask', 'jax'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert max(map(len, said.splitlines())) <= 80
    pictures = {p.name for p in (folder / "tour").iterdir()} - {"mine.png"}
    assert pictures == set(re.findall(r"^  (\w+\.png) ", said, re.MULTILINE))
    assert len(pictures) == 5
    for name in pictures:
        picture = open_image(folder / "tour" / name)
        assert min(picture.shape[:2]) > 300
        assert picture[..., :3].std() > 10
    rows = dict(re.findall(r"^(\S.*?)  +.*?  +(\S.*?) *$", said, re.MULTILINE))
    assert rows["photograph in integers"] == "exactly equal: True"
    assert float(rows["photograph round trip"].split()[-1]) < 1e-13
    before, after = map(float, re.findall(r"[\d.]+", rows["photograph denoised"]))
    assert after > before + 5
    assert "mine" not in said


@pytest.mark.parametrize(
    "command",
    [
        *("", "tour", "decompose", "reconstruct", "denoise", "sparsify", "packets", "mra"),
        *("scalogram", "info"),
    ],
)
def test_help_has_examples(command, run):
    said = run(*command.split(), "--help")
    examples = re.findall(r"^ *(liftwave .*?) *$", said, re.MULTILINE)
    assert examples
    assert all(example.split()[1] == (command or example.split()[1]) for example in examples)
    assert max(map(len, said.splitlines())) <= 80


def test_examples_in_the_help_run(run, folder):
    """Run them unchanged, on files with these names."""
    for name in ("photo.png", "noisy.png"):
        write_png(folder / name, pywt.data.camera()[::2, ::2])
    for name in ("music.wav", "hiss.wav"):
        write_sound(folder / name, sounds()["stereo int16"])
    np.save("volume.npy", RNG.standard_normal((40, 41, 42)))
    zarr.create_array("large.zarr", data=RNG.standard_normal((90, 80)), chunks=(32, 32))
    for command in ("decompose", "reconstruct", "denoise", "sparsify", "packets", "mra", "info"):
        for line in re.findall(r"^ *liftwave (.*?) *$", run(command, "--help"), re.MULTILINE):
            assert run(*line.split())


def test_without_arguments_there_is_help(run):
    assert "Commands" in run()


def test_as_a_module(folder):
    def python(*arguments):
        command = [sys.executable, "-m", "liftwave", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    helped = python("--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "decompose" in helped.stdout
    version = python("--version")
    assert (version.returncode, version.stdout) == (0, f"liftwave {lw.__version__}\n")
    failed = python("denoise", "missing.png", "clean.png")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "liftwave: error: missing.png: no such file\n"
    assert list(folder.iterdir()) == []


def test_output_may_be_cut_off(folder):
    """As in ``liftwave info dmey | head -1``."""
    script = f"{sys.executable} -m liftwave info db38 --plot x.png | {sys.executable} -c ''"
    done = subprocess.run(script, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert (folder / "x.png").exists()


# --- warnings -----------------------------------------------------------------------------------


def test_a_warning_is_one_line(folder, capsys):
    np.save("x.npy", GREY)
    for command in (["decompose", "x.npy", "y.npz"], ["denoise", "x.npy", "y.npy"]):
        status = main([*command, "-w", "db4", "--level", "6"])
        printed = capsys.readouterr()
        assert status == 0
        assert printed.err.startswith("liftwave: warning: Level value of 6 is too high")
        assert printed.err.count("\n") == 1
    # decompose has warned already, so reconstruct does not warn again.
    assert main(["reconstruct", "y.npz", "z.npy"]) == 0
    assert capsys.readouterr().err == ""


def test_warnings_are_as_before_afterwards(folder):
    shown, filters = warnings.showwarning, list(warnings.filters)
    main(["info", "haar"])
    assert warnings.showwarning is shown
    assert list(warnings.filters) == filters


# --- names of files -----------------------------------------------------------------------------


def test_names_are_printed_as_they_are(run, folder):
    name = "[bold]a :smile: " + "long name, " * 9 + "[k+1].npy"
    np.save(name, GREY)
    assert name in run("denoise", name, name, "--force")
    assert name in run("decompose", name, "x.npz")


# --- casts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("source", ["float32", "float64"])
def test_casts_round_and_clip(dtype, source):
    limits = np.iinfo(dtype)
    x = np.array([-1e30, 1e30, 2.5, 3.5, 99.6], dtype=source)
    result = as_dtype(x, dtype)
    assert result.dtype == dtype
    assert result[2:].tolist() == [2, 4, 100]
    assert int(result[0]) == limits.min
    # The largest integer, or the largest one that this precision can represent.
    top = int(result[1])
    assert top <= limits.max
    assert limits.max - top <= limits.max * float(np.finfo(source).eps)
