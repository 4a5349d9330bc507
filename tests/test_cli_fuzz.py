"""Mutated files through the command line: no traceback, one line for an error, nothing left."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from files import COLOUR, FILES, GREY, channels, deep, enter, make
from PIL import Image

from liftwave.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


def originals(folder):
    """Files of every kind, by the command that reads them."""
    (folder / "sources").mkdir()
    files = []
    for name in FILES:
        path, *_ = make(name, folder / "sources")
        renamed = path.with_stem(re.sub(r"\W+", "-", name))
        path.rename(renamed)
        files.append(renamed)
    small = GREY[:20, :24]
    for suffix in ("gif", "jpg", "webp", "jp2"):
        files.append(folder / "sources" / f"photo.{suffix}")
        Image.fromarray(COLOUR[:20, :24]).save(files[-1])
    for packing in ("zlib", "packbits", "raw", "tiff_lzw", "jpeg"):
        files.append(folder / "sources" / f"{packing}.tif")
        if packing in ("zlib",):
            tifffile.imwrite(files[-1], deep(small), compression=packing)
        else:
            Image.fromarray(small).save(files[-1], compression=packing)
    files.append(folder / "sources" / "stack.tif")
    tifffile.imwrite(files[-1], np.stack([deep(small)] * 3), photometric="minisblack")
    archives = []
    for options in (["-w", "db2"], ["-w", "cdf5.3", "--integer", "--mode", "reflect"]):
        Image.fromarray(channels(4)[:20, :24]).save("x.png", dpi=(72, 72))
        archives.append(folder / "sources" / f"bands-{len(archives)}.npz")
        assert main(["decompose", "x.png", str(archives[-1]), *options]) == 0
    return [("denoise", path) for path in files] + [("reconstruct", path) for path in archives]


def mutated(content, rng):
    """Bytes changed, removed, repeated, or moved."""
    content = bytearray(content)
    # Most damage is done at the beginning, where the descriptions are.
    reach = len(content) if rng.random() < 0.5 else min(len(content), 300)
    for _ in range(rng.integers(1, 6)):
        place = int(rng.integers(reach))
        count = int(rng.integers(1, 9))
        kind = rng.integers(5)
        if kind == 0:
            content[place : place + 1] = rng.bytes(1)
        elif kind == 1:
            content[place : place + count] = rng.choice([b"\0", b"\xff", b"\x7f"]) * count
        elif kind == 2:
            del content[place : place + count]
        elif kind == 3:
            content[place:place] = content[place : place + count]
        else:
            content[place : place + count] = rng.bytes(count)
    return bytes(content)


def check_one(command, path, rng, capfd):
    damaged = Path(f"damaged{path.suffix}")
    damaged.write_bytes(mutated(path.read_bytes(), rng))
    target = Path(f"target{rng.choice(['.npy', path.suffix, '.tif', '.png', '.npz'])}")
    before = sorted(Path.cwd().iterdir())
    status = main([command, str(damaged), str(target)])
    printed = capfd.readouterr()
    lines = printed.err.splitlines()
    assert status in (0, 2)
    assert all(re.match("liftwave: (error|warning): .", line) for line in lines), printed.err
    assert status == 0 or [line[:15] for line in lines].count("liftwave: error") == 1, printed.err
    expected = before if status else sorted({*before, target.absolute()})
    assert sorted(Path.cwd().iterdir()) == expected
    target.unlink(missing_ok=True)


def fuzz(folder, capfd, count, seed):
    files = originals(folder)
    Path("x.png").unlink()
    capfd.readouterr()
    rng = np.random.default_rng(seed)
    for index in range(count):
        check_one(*files[index % len(files)], rng, capfd)


# Numbers that are not finite, levels that are too high.
@pytest.mark.filterwarnings("ignore")
def test_damaged_files(folder, capfd):
    fuzz(folder, capfd, 60, 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(1, 5))
def test_many_damaged_files(folder, capfd, seed):
    fuzz(folder, capfd, 500, seed)


@pytest.mark.parametrize("packing", ["tiff_lzw", "jpeg"])
def test_messages_of_libtiff_are_not_printed(folder, capfd, packing):
    Image.fromarray(GREY).save("x.tif", compression=packing)
    stored = bytearray(Path("x.tif").read_bytes())
    place = 8 if packing == "tiff_lzw" else stored.index(b"\xff\xdb")
    stored[place : place + 20] = b"\xff" * 20
    Path("x.tif").write_bytes(stored)
    assert main(["denoise", "x.tif", "y.tif"]) == 2
    assert re.fullmatch("liftwave: error: [^\n]*\n", capfd.readouterr().err)
