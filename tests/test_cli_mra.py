"""The command mra: components of files, the table, the picture."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from files import (
    COLOUR,
    FILES,
    GREY,
    RNG,
    TONE,
    channels,
    enter,
    make,
    read_sound,
    sounds,
    succeed,
    write_png,
    write_sound,
)

import liftwave as lw


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


def parts_of(path):
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("name", FILES)
def test_components_of_every_kind_of_file_add_up(name, run, folder):
    path, array, _ = make(name, folder)
    run("mra", path, "parts.npz", "-w", "haar")
    parts = parts_of("parts.npz")
    if path.suffix in (".png", ".tif") and array.shape[2:] in ((2,), (4,)):
        array = array[..., :-1]  # transparency has no components
    total = sum(parts.values())
    assert total.shape == array.shape
    assert total.dtype.kind in "fc"
    exact = array.astype(total.dtype)
    np.testing.assert_allclose(total, exact, rtol=0, atol=2e-6 * np.abs(exact).max())
    levels = len(parts) - 1
    assert list(parts) == [f"S{levels}", *(f"D{j}" for j in range(levels, 0, -1))]
    assert 1 <= levels <= 8


def test_components_are_those_of_the_library(run, folder):
    x = RNG.standard_normal((24, 30, 3))
    np.save("x.npy", x)
    run("mra", "x.npy", "parts.npz", "--level", 2, "--axes", "0,1", "--edges", "periodic")
    expected = lw.mran(x, "sym4", 2, (0, 1), levels_only=True)
    for part, component in zip(parts_of("parts.npz").values(), expected, strict=True):
        np.testing.assert_allclose(part, component, rtol=0, atol=1e-10)  # the table of sym4
    run("mra", "x.npy", "line.npy", "--level", 3, "--axes", "-2", "-w", "db2")
    stacked = np.load("line.npy")
    expected = lw.modwt_mra(x, "db2", 3, 1, "reflection")
    np.testing.assert_allclose(stacked, np.stack(expected), rtol=0, atol=1e-12)


def test_images_and_sounds_are_split_along_their_own_axes(run, folder):
    write_png(folder / "rgb.png", COLOUR)
    run("mra", "rgb.png", "parts.npz", "--level", 1, "--edges", "periodic")
    expected = lw.mran(COLOUR.astype(np.float32), "sym4", 1, (0, 1), levels_only=True)
    np.testing.assert_allclose(parts_of("parts.npz")["D1"], expected[1], rtol=0, atol=2e-4)


def test_sounds_get_a_sound_for_each_component(run, folder):
    sound = sounds()["stereo int16"]
    write_sound(folder / "music.wav", sound)
    said = run("mra", "music.wav", "part.wav", "--level", 3)
    names = [f"part-{name}.wav" for name in ("S3", "D3", "D2", "D1")]
    assert re.findall(r"^wrote (.*)$", said, re.MULTILINE) == names
    parts = [read_sound(name) for name in names]
    assert all(part.dtype == np.int16 and part.shape == sound.shape for part in parts)
    total = np.sum(parts, axis=0, dtype=int)
    assert np.abs(total - sound).max() <= 2  # each part is rounded


def test_images_get_a_tiff_for_each_component(run, folder):
    write_png(folder / "photo.png", channels(4))
    run("mra", "photo.png", "part.tif", "--level", 2)
    parts = [tifffile.imread(f"part-{name}.tif") for name in ("S2", "D2", "D1")]
    assert parts[1].min() < 0
    np.testing.assert_allclose(sum(parts), COLOUR, rtol=0, atol=1e-3)
    run("mra", "photo.png", "part.tif", "--level", 2, "--force")


def test_standard_streams(folder, capsysbinary, monkeypatch):
    from liftwave.cli import main

    stream = io.BytesIO()
    np.save(stream, TONE)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stream.getvalue())))
    assert main(["mra", "-", "-", "--level", "2", "-w", "haar"]) == 0
    printed = capsysbinary.readouterr()
    expected = lw.modwt_mra(TONE, "haar", 2, mode="reflection")
    np.testing.assert_allclose(np.load(io.BytesIO(printed.out)), np.stack(expected), atol=1e-12)
    assert printed.err == b"wrote -\n"


@pytest.mark.parametrize("command", ["mra", "packets", "sparsify"])
def test_titles_name_standard_input(command, run, folder, monkeypatch):
    stream = io.BytesIO()
    np.save(stream, TONE)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stream.getvalue())))
    assert run(command, "-").lstrip().startswith("stdin")


def test_an_array_of_an_archive(run, folder):
    np.savez("x.npz", first=TONE, second=GREY)
    run("mra", "x.npz", "parts.npz", "--key", "first", "--level", 2)
    np.testing.assert_allclose(sum(parts_of("parts.npz").values()), TONE, rtol=0, atol=1e-12)


def test_the_table_names_scales(run, folder):
    write_sound(folder / "music.wav", sounds()["mono int16"])
    write_png(folder / "photo.png", GREY)
    np.save("x.npy", TONE)
    said = run("mra", "music.wav", "--level", 2)
    rows = [re.split(r" {2,}", line) for line in said.splitlines()[3:]]
    assert [row[1] for row in rows] == ["below 2756 Hz", "2756 to 5512 Hz", "5512 to 11025 Hz"]
    component = lw.modwt_mra(sounds()["mono int16"].astype(float), "sym4", 2, mode="reflection")[2]
    assert float(rows[2][-1]) == pytest.approx(component.max(), rel=1e-3)
    assert float(rows[2][-3]) == pytest.approx(np.sqrt(np.mean(component**2)), rel=1e-3)
    assert "above 8 pixels" in run("mra", "photo.png", "--level", 2)
    assert "2 to 4 samples" in run("mra", "x.npy", "--level", 2)
    assert len(list(folder.iterdir())) == 3  # nothing is written


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_pictures_are_written(suffix, run, folder):
    np.save("x.npy", TONE)
    assert f"wrote y{suffix}" in run("mra", "x.npy", "--level", 1, "--plot", f"y{suffix}")
    assert (folder / f"y{suffix}").stat().st_size > 1000


@pytest.fixture
def drawn(run, monkeypatch):
    """Run the command with a picture, and return the figure."""
    from matplotlib.figure import Figure

    figures: list[Any] = []
    save = Figure.savefig

    def saved(figure, *arguments, **options):
        figures.append(figure)
        return save(figure, *arguments, **options)

    def draw(*arguments):
        monkeypatch.setattr(Figure, "savefig", saved)
        run("mra", *arguments, "--plot", "picture.png", "--force")
        return figures[-1]

    return draw


def test_pictures_of_signals(drawn, folder):
    write_sound(folder / "music.wav", sounds()["stereo int16"])
    figure = drawn("music.wav", "--level", 2)
    labels = [ax.get_ylabel().split("\n")[0] for ax in figure.axes]
    assert labels == ["data", "S2", "D2", "D1"]
    assert figure.axes[-1].get_xlabel().startswith("time (s)")
    assert figure.axes[-1].get_xlim() == (0, pytest.approx(3001 / 22050))
    assert figure.get_suptitle().startswith("music.wav, the first of 2: components by sym4")
    np.testing.assert_array_equal(
        figure.axes[0].lines[0].get_ydata(), sounds()["stereo int16"][:, 0]
    )
    # A component of level 2 depends on 21 samples on both sides of each sample.
    (left, _) = figure.axes[2].patches
    assert left.get_width() == pytest.approx(21 / 22050)


def test_pictures_of_one_sample_have_dots(drawn, folder):
    np.save("one.npy", np.ones(1))
    assert [ax.lines[0].get_marker() for ax in drawn("one.npy").axes] == ["o"] * 3
    np.save("two.npy", np.ones(2))
    assert [ax.lines[0].get_marker() for ax in drawn("two.npy").axes] == ["None"] * 3


def test_pictures_of_images(drawn, folder):
    write_png(folder / "photo.png", COLOUR)
    figure = drawn("photo.png", "--level", 2)
    images = {ax.get_title(): ax.images[0].get_array() for ax in figure.axes if ax.images}
    assert list(images) == ["data", "S2, above 8 pixels", "D2, 4 to 8 pixels", "D1, 2 to 4 pixels"]
    assert "mean of the colours" in figure.get_suptitle()
    np.testing.assert_allclose(images["data"], COLOUR.mean(axis=-1), atol=1e-3)
    total = sum(part for title, part in images.items() if title != "data")
    np.testing.assert_allclose(total, images["data"], atol=1e-3)
    np.save("x.npy", RNG.standard_normal((12, 2, 16)))
    figure = drawn("x.npy", "--axes", "2,0", "--level", 1)
    assert figure.axes[0].images[0].get_array().shape == (12, 16)


def test_files_that_exist_are_checked_first(run, folder, capsys):
    from liftwave.cli import main

    write_sound(folder / "music.wav", sounds()["mono int16"])
    Path("part-S2.wav").write_bytes(b"older")
    assert main(["mra", "music.wav", "part.wav", "--level", "2"]) == 2
    assert "part-S2.wav: the file exists already" in capsys.readouterr().err
    assert sorted(p.name for p in folder.iterdir()) == ["music.wav", "part-S2.wav"]
    run("mra", "music.wav", "part.wav", "--level", 3)  # other names
