"""The command that chooses a basis of wavelet packets of a file."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import pywt
from files import RNG, enter, succeed, write_png
from matplotlib.figure import Figure
from scipy.io import wavfile

import liftwave as lw
from liftwave.cli import main

RATE = 8000
TIME = np.arange(4096) / RATE
TONE = (20000 * np.sin(2 * np.pi * 1300 * TIME)).astype(np.int16)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


@pytest.fixture
def figures(monkeypatch):
    """The figures that a command writes."""
    drawn = []
    save = Figure.savefig

    def kept(self, *arguments, **options):
        drawn.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", kept)
    return drawn


def sound(path: Path, samples: np.ndarray) -> str:
    wavfile.write(path, RATE, samples)
    return path.name


def rows(said: str) -> dict[str, list[str]]:
    """The cells of each leaf by its path."""
    leaves = [line for line in said.splitlines() if "■" in line]
    return {line.split("■")[0].split()[-1]: line.split("■")[1].split() for line in leaves}


def archive(path: Path) -> tuple[dict, list[np.ndarray]]:
    with np.load(path) as file:
        about = json.loads(str(file["packets"]))
        return about, [file[leaf or "root"] for leaf in about["tree"]]


def rebuilt(path: Path) -> np.ndarray:
    about, leaves = archive(path)
    tree = lw.PacketTree(about["tree"], len(about["axes"]))
    how = {"axes": about["axes"], "shape": about["shape"], "tree": tree}
    return lw.wprec(leaves, about["wavelet"], about["mode"], **how)


def test_the_tree_is_that_of_best_basis(run, folder):
    said = run("packets", sound(folder / "tone.wav", TONE), "--level", 4, "-w", "db8")
    x = TONE.astype(np.float32)
    how = ("db8", "periodization")
    tree = lw.best_basis(lw.wpdec(x, *how, 4, full=True))
    cells = rows(said)
    assert set(cells) == set(tree.leaves)
    leaves = lw.wpdec(x, *how, tree=tree)
    total = sum(np.sum(leaf.astype(float) ** 2) for leaf in leaves)
    for path, (low, high), leaf in zip(tree.leaves, tree.bands(RATE), leaves, strict=True):
        share = np.sum(leaf.astype(float) ** 2) / total
        assert cells[path] == [f"{low:g}", "-", f"{high:g}", str(leaf.size), f"{share:.2%}"]
    assert "frequencies (Hz)" in said
    assert f"tone.wav: {len(tree)} packets" in said
    assert "99% of the energy:" in said


def test_few_coefficients_of_a_tone(run, folder):
    said = run("packets", sound(folder / "tone.wav", TONE), "-w", "db20")
    *_, line = said.splitlines()
    samples, _, wave, best = [int(word) for word in line.split() if word.isdigit()]
    assert best < wave < samples


def test_archives_are_reconstructed(run, folder):
    stereo = np.stack([TONE, RNG.integers(-99, 99, TONE.size)], -1).astype(np.int16)
    image = pywt.data.camera()[::4, ::4].astype(np.uint8)
    write_png(folder / "photo.png", np.dstack([image, image.T, image, np.full_like(image, 9)]))
    np.save("volume.npy", RNG.standard_normal((16, 24, 16)) + 1j)
    for name, expected, options in (
        (sound(folder / "x.wav", stereo), stereo, ["--level", 3]),
        ("photo.png", np.dstack([image, image.T, image]), ["-w", "db2"]),
        ("volume.npy", np.load("volume.npy"), ["-w", "haar", "--mode", "symmetric"]),
        ("volume.npy", np.load("volume.npy"), ["--axes", "2", "--cost", "norm", "--value", 1]),
    ):
        said = run("packets", name, "x.npz", "--force", *options)
        assert "wrote x.npz" in said
        np.testing.assert_allclose(rebuilt(folder / "x.npz"), expected, atol=2e-2)
    about, _ = archive(folder / "x.npz")
    assert (about["axes"], "rate" in about) == ([2], False)


def test_arrays_can_have_a_rate(run, folder):
    np.savez("several.npz", ecg=pywt.data.ecg(), other=np.ones(3))
    said = run("packets", "several.npz", "x.npz", "--key", "ecg", "--rate", 360, "--level", 1)
    assert rows(said)["d"][:3] == ["90", "-", "180"]
    assert archive(folder / "x.npz")[0]["rate"] == 360
    assert rows(run("packets", "several.npz", "--key", "ecg", "--level", 1))["d"][2] == "0.5"


def test_a_single_packet_and_silence(run, folder):
    np.save("zeros.npy", np.zeros(64))
    said = run("packets", "zeros.npy", "x.npz", "--level", 2)
    assert "zeros.npy: 1 packet\n" in said
    assert "0.00%" in said
    assert not rebuilt(folder / "x.npz").any()


def test_standard_input_is_an_array(run, monkeypatch):
    stream = io.BytesIO()
    np.save(stream, TONE)
    stream.seek(0)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    assert "stdin: 2 packets" in run("packets", "-", "--level", 1, "--cost", "log-energy")


def test_one_packet_is_one_in_the_title(run, folder, figures):
    np.save("z.npy", np.zeros(8))
    assert "z.npy: 1 packet\n" in run("packets", "z.npy", "--plot", "x.png")
    assert figures[0].axes[0].get_title().startswith("z.npy: 1 packet, from")


def test_the_picture_of_a_sound_has_hertz_and_seconds(run, folder, figures):
    name = sound(folder / "x.wav", np.stack([TONE, TONE // 2], -1))
    assert "wrote x.png" in run("packets", name, "--plot", "x.png", "--level", 3)
    (figure,) = figures
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "frequency (Hz)")
    assert ax.get_xlim() == (0.0, 4096 / RATE)
    assert ax.get_ylim() == (0.0, RATE / 2)
    darkest = max(ax.collections, key=lambda c: c.get_array().mean())
    _, low, _, height = _box(darkest)
    assert low <= 1300 <= low + height
    assert float(darkest.get_array().max()) == 60.0


def _box(collection):
    points = collection.get_coordinates().reshape(-1, 2)
    (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
    return left, low, right - left, high - low


def test_the_picture_of_an_image_has_both_frequencies(run, folder, figures):
    rows_of_lines = np.tile(128 + 100 * np.cos(2 * np.pi * 0.3 * np.arange(64))[:, None], 64)
    write_png(folder / "lines.png", rows_of_lines.astype(np.uint8))
    run("packets", "lines.png", "--plot", "x.svg", "--level", 2)
    (ax,) = figures[0].axes
    assert ax.get_ylabel() == "vertical frequency (cycles per sample)"
    darkest = min(ax.patches[1:], key=lambda patch: sum(patch.get_facecolor()))
    assert darkest.get_x() == 0.0  # the lines are horizontal
    assert darkest.get_y() <= 0.3 <= darkest.get_y() + darkest.get_height()
    np.save("volume.npy", RNG.standard_normal((8, 8, 8)))
    run("packets", "volume.npy", "--plot", "y.png", "--axes", "1,2", "--level", 1, "-w", "haar")
    assert figures[1].axes[0].get_ylabel() == "axis 1: frequency (cycles per sample)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("volume.npy --plot x.png", "--plot draws one or two axes, not 3; choose them by --axes"),
        ("volume.npy --rate 3", "--rate needs one axis, got 3; choose it by --axes"),
        ("nan.npy", "nan.npy: it holds NaN or infinite numbers, so costs are undefined"),
    ],
)
def test_errors(arguments, message, folder, capsys):
    np.save("volume.npy", RNG.standard_normal((8, 8, 8)))
    np.save("nan.npy", np.array([1.0, np.nan]))
    assert main(["packets", *arguments.split()]) == 2
    assert capsys.readouterr().err == f"liftwave: error: {message}\n"
    assert not (folder / "x.png").exists()
