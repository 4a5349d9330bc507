"""Where the command line writes to: full disks, links, permissions, pipes; limits of archives."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import pywt
from files import COLOUR, GREY, TONE, channels, deep, enter, sounds, succeed, write_png, write_sound
from PIL import Image

import liftwave as lw
from liftwave.cli import main
from liftwave.cli.media import read


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


def failure(capsys, *arguments):
    """The line of a command that must fail."""
    status = main([str(a) for a in arguments])
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert (status, printed.out) == (2, "")
    return line.removeprefix("liftwave: error: ")


# --- full disks ---------------------------------------------------------------------------------


@contextmanager
def room(count):
    """No file can grow beyond ``count`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def make_sources(folder):
    np.save("x.npy", np.random.default_rng(0).standard_normal(511))
    for name, array in (("grey", GREY), ("colour", COLOUR), ("deep", deep(COLOUR))):
        write_png(folder / f"{name}.png", array)
    write_sound(folder / "x.wav", sounds()["stereo int16"])
    samples = sounds()["mono int32"] >> 8
    np.save("bits.npy", samples)
    assert main(["decompose", "x.npy", "bands.npz"]) == 0


# Every writer: what is written, and from what.
WRITERS = [
    "denoise x.npy {}.npy --level 0",
    "denoise x.npy {}.npz --level 0",
    "decompose grey.png {}.npz",
    "reconstruct bands.npz {}.npy",
    "denoise grey.png {}.png",
    "denoise grey.png {}.tif",
    "denoise deep.png {}.png",
    "denoise deep.png {}.tif",
    "denoise colour.png {}.jpg",
    "denoise colour.png {}.bmp",
    "denoise colour.png {}.ppm",
    "denoise colour.png {}.webp",
    "denoise grey.png {}.pgm",
    "denoise x.wav {}.wav",
    "sparsify colour.png {}.png",
    "sparsify colour.png --plot {}.png",
    "mra colour.png {}.npz",
    "mra colour.png --plot {}.png",
    "info haar --plot {}.svg",
    "info haar --plot {}.pdf",
]


@pytest.mark.parametrize("command", WRITERS)
def test_a_full_disk_keeps_the_older_file(command, folder, capsys):
    make_sources(folder)
    arguments = command.format("target").split()
    assert main(arguments) == 0
    (target,) = folder.glob("target.*")
    size = target.stat().st_size
    target.write_bytes(b"older")
    capsys.readouterr()
    # Pictures of matplotlib take long.
    for count in (size // 2,) if "--plot" in command else (0, 1, size // 2, size - 1):
        with room(count):
            line = failure(capsys, *arguments, "--force")
        assert line == f"{target.name}: cannot write it (File too large)"
        assert target.read_bytes() == b"older"
        assert list(folder.glob(".liftwave-*")) == []


def test_a_full_disk_in_the_tour(folder, capsys):
    older = b"Software\0liftwave tour"
    Path("tour").mkdir()
    Path("tour/photograph_bands.png").write_bytes(older)
    with room(5000):
        assert "cannot write it (File too large)" in failure(capsys, "tour")
    (path,) = Path("tour").iterdir()
    assert path.read_bytes() == older


def test_a_file_that_was_not_stored_whole_is_noticed(folder, capsys, monkeypatch):
    np.save("x.npy", TONE)
    np.save("y.npy", GREY)
    monkeypatch.setattr(os, "fsync", lambda handle: os.ftruncate(handle, 4096))
    line = failure(capsys, "denoise", "x.npy", "y.npy", "--force")
    assert line == "y.npy: cannot write it (4096 of 24136 bytes were stored)"
    np.testing.assert_array_equal(np.load("y.npy"), GREY)


# --- targets ------------------------------------------------------------------------------------


def test_an_existing_file_is_kept_without_force(folder, capsys):
    make_sources(folder)
    capsys.readouterr()
    for command in WRITERS:
        arguments = command.format("target").split()
        name = next(word for word in arguments if word.startswith("target"))
        Path(name).write_bytes(b"older")
        line = failure(capsys, *arguments)
        assert line == f"{name}: the file exists already; add --force to replace it"
        assert Path(name).read_bytes() == b"older"


def test_a_symbolic_link_is_followed(run, folder):
    np.save("x.npy", TONE)
    (folder / "far").mkdir()
    np.save("far/y.npy", GREY)
    Path("link.npy").symlink_to("far/y.npy")
    Path("new.npy").symlink_to("far/new.npy")
    run("denoise", "x.npy", "link.npy", "--force")
    run("denoise", "x.npy", "new.npy")
    for link, name in (("link.npy", "y.npy"), ("new.npy", "new.npy")):
        assert Path(link).is_symlink()
        assert np.load(folder / "far" / name).shape == TONE.shape
    assert sorted(p.name for p in (folder / "far").iterdir()) == ["new.npy", "y.npy"]


def test_links_that_lead_nowhere(folder, capsys):
    np.save("x.npy", TONE)
    Path("circle.npy").symlink_to("circle.npy")
    Path("away.npy").symlink_to("nowhere/y.npy")
    assert "leads back to itself" in failure(capsys, "denoise", "x.npy", "circle.npy")
    assert "nowhere does not exist" in failure(capsys, "denoise", "x.npy", "away.npy")
    assert "no such file" in failure(capsys, "denoise", "circle.npy", "y.npy")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_the_permissions_of_a_file_are_kept(run, folder, mode):
    np.save("x.npy", TONE)
    np.save("y.npy", GREY)
    Path("y.npy").chmod(mode)
    run("denoise", "x.npy", "y.npy", "--force")
    assert Path("y.npy").stat().st_mode & 0o7777 == mode


def test_a_new_file_has_the_usual_permissions(run, folder):
    np.save("x.npy", TONE)
    run("denoise", "x.npy", "y.npy")
    assert Path("y.npy").stat().st_mode == Path("x.npy").stat().st_mode


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_read_only_file_is_respected(folder, capsys, force):
    np.save("x.npy", TONE)
    np.save("y.npy", GREY)
    Path("y.npy").chmod(0o444)
    assert failure(capsys, "denoise", "x.npy", "y.npy", *force) == "y.npy: the file is read-only"
    np.testing.assert_array_equal(np.load("y.npy"), GREY)


@pytest.mark.parametrize("name", ["pipe.npy", "pipe.npz", "pipe.png", "pipe.tif", "pipe.wav"])
def test_a_pipe_is_written_to_and_read(folder, run, name):
    source = {".wav": "x.wav", ".png": "x.png", ".tif": "x.png"}.get(Path(name).suffix, "x.npy")
    np.save("x.npy", TONE)
    write_png(folder / "x.png", GREY)
    write_sound(folder / "x.wav", sounds()["stereo int16"])
    command = "denoise", source
    run(*command, f"expected{Path(name).suffix}", "--sigma", 0)
    os.mkfifo(name)
    content = []
    reader = threading.Thread(target=lambda: content.append(Path(name).read_bytes()))
    reader.start()
    run(*command, name, "--sigma", 0)
    reader.join()
    assert Path(name).is_fifo()
    if name != "pipe.npz":  # has the time in it
        assert content[0] == Path(f"expected{Path(name).suffix}").read_bytes()
    writer = threading.Thread(target=lambda: Path(name).write_bytes(content[0]))
    writer.start()
    result = read(Path(name)).array
    writer.join()
    np.testing.assert_array_equal(result, read(Path(f"expected{Path(name).suffix}")).array)


def test_a_terminated_process_leaves_nothing(folder):
    np.save("x.npy", TONE)
    code = (
        "import os, signal, sys; from liftwave.cli import run\n"
        "os.fsync = lambda *_: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.argv = ['liftwave', 'denoise', 'x.npy', 'y.npy']; run()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (143, b"")
    assert [p.name for p in folder.iterdir()] == ["x.npy"]


# --- standard input and output ------------------------------------------------------------------


@pytest.fixture
def piped(folder, monkeypatch, capsysbinary):
    """Run a command with an array on stdin; return the array on stdout, and stderr."""

    def ran(array, *arguments):
        stream = io.BytesIO()
        np.save(stream, array)
        stream.seek(0)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        assert main(list(arguments)) == 0
        printed = capsysbinary.readouterr()
        return printed.out, printed.err.decode()

    return ran


def test_arrays_from_and_to_standard_streams(piped, folder):
    out, err = piped(TONE, "denoise", "-", "-", "--sigma", "0.1")
    np.testing.assert_array_equal(np.load(io.BytesIO(out)), lw.denoise(TONE, sigma=0.1))
    assert err.startswith("-: array of shape 3001, float64, changed by ")
    piped(TONE, "decompose", "-", "bands.npz")
    out, _ = piped(TONE, "reconstruct", "bands.npz", "-")
    np.testing.assert_allclose(np.load(io.BytesIO(out)), TONE, atol=1e-12)
    out, _ = piped(TONE, "sparsify", "-", "-", "--keep", "1")
    np.testing.assert_array_equal(np.load(io.BytesIO(out)), TONE)


def test_a_terminal_gets_no_bytes(folder, capsys, monkeypatch):
    np.save("x.npy", TONE)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert "standard output is a terminal" in failure(capsys, "denoise", "x.npy", "-")
    assert "only .npy arrays can be written" in failure(capsys, "decompose", "x.npy", "-")


# --- archives and limits ------------------------------------------------------------------------


def bomb(path, count, header=None):
    """An archive of zeros that unpacks to about ``count`` bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        if header is not None:
            stream = io.BytesIO()
            np.save(stream, np.array(json.dumps(header)))
            file.writestr("liftwave.npy", stream.getvalue())
        with file.open("bomb.npy", "w", force_zip64=True) as member:
            stream = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                stream, {"descr": "|u1", "fortran_order": False, "shape": (count,)}
            )
            member.write(stream.getvalue())
            for _ in range(count // 10**5):
                member.write(bytes(10**5))


@pytest.fixture
def few_bytes(monkeypatch):
    """A lower limit, so that tests are quick."""
    monkeypatch.setattr("liftwave._files.source.LARGE", 10**5)


def test_archives_that_unpack_to_very_much_are_refused(folder, capsys, few_bytes, monkeypatch):
    bomb("x.npz", 10**6)
    with monkeypatch.context() as patch:
        # Nothing of it is unpacked.
        patch.setattr("numpy.lib.format.read_array", None)
        line = failure(capsys, "denoise", "x.npz", "y.npy")
    assert "would unpack to 0.0 GB, more than 0 GB and 100 times the file; add --large" in line
    assert main(["denoise", "x.npz", "y.npy", "--large", "--level", "1", "-w", "haar"]) == 0


def test_the_members_of_an_archive_are_listed_first(folder, capsys, run, monkeypatch):
    np.save("x.npy", TONE)
    run("decompose", "x.npy", "bands.npz")
    with np.load("bands.npz") as archive:
        header = json.loads(str(archive["liftwave"]))
    bomb("x.npz", 10**6, header)
    read_array, unpacked = np.lib.format.read_array, []

    def counted(stream, **options):
        unpacked.append(read_array(stream, **options))
        return unpacked[-1]

    monkeypatch.setattr("numpy.lib.format.read_array", counted)
    assert "bands are too few" in failure(capsys, "reconstruct", "x.npz", "y.npy")
    # Only the description.
    assert [array.ndim for array in unpacked] == [0]


def test_a_member_that_is_longer_than_its_shape_is_not_unpacked(folder, capsys, monkeypatch):
    stream = io.BytesIO()
    np.save(stream, TONE)
    for name, content in (
        ("x.npz", stream.getvalue() + bytes(9)),
        ("y.npz", stream.getvalue()[:-9]),
    ):
        with zipfile.ZipFile(name, "w") as file:
            file.writestr("data.npy", content)
    with monkeypatch.context() as patch:
        patch.setattr("numpy.lib.format.read_array", None)
        for name in ("x.npz", "y.npz"):
            line = failure(capsys, "denoise", name, "z.npy")
            assert "data.npy does not have the size of its shape (3001,)" in line


def test_pictures_that_unpack_to_very_much_are_refused(folder, capsys, few_bytes):
    Image.new("L", (1000, 900)).save("x.png", optimize=True)
    Image.new("L", (1000, 900)).save("x.tif", compression="tiff_deflate")
    for name in ("x.png", "x.tif"):
        assert "add --large to permit it" in failure(capsys, "denoise", name, "y.npy")


def test_large_pictures_are_read(folder, monkeypatch):
    """Pillow's own limit is lower, and independent of the size of the file."""
    write_png(folder / "x.png", channels(4))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read(Path("x.png")).array, channels(4))
    assert Image.MAX_IMAGE_PIXELS == 100


def test_an_array_that_is_not_as_long_as_it_says(folder, capsys):
    np.save("x.npy", TONE)
    stored = Path("x.npy").read_bytes()
    for content in (stored[:-1], stored + b"\0", stored.replace(b"(3001,)", b"(9**9,)")):
        Path("x.npy").write_bytes(content)
        assert "x.npy: not a readable array file" in failure(capsys, "denoise", "x.npy", "y.npy")
    Path("x.npy").write_bytes(stored.replace(b"(3001,), }    ", b"(300100000,), }"[:14]))
    assert "not a readable array file" in failure(capsys, "denoise", "x.npy", "y.npy")


def test_one_of_several_arrays(run, folder, capsys):
    np.savez("x.npz", first=GREY, second=TONE)
    line = failure(capsys, "denoise", "x.npz", "y.npz")
    assert line == "x.npz: expected one array, found 2: first, second; choose one by --key"
    assert "no array 'third'; it holds first, second" in failure(
        capsys, "denoise", "x.npz", "y.npz", "--key", "third"
    )
    run("sparsify", "x.npz", "bands.npz", "--key", "second", "--keep", 1)
    run("denoise", "x.npz", "y.npz", "--key", "second", "--sigma", 0)
    run("reconstruct", "bands.npz", "z.npz")
    for name in ("y.npz", "z.npz"):
        with np.load(name) as archive:
            assert archive.files == ["second"]
            np.testing.assert_allclose(archive["second"], TONE, atol=1e-12)
    np.save("x.npy", GREY)
    assert "remove it" in failure(capsys, "denoise", "x.npy", "y.npy", "--key", "a")


def test_bands_are_stored_in_the_narrowest_dtype(run, folder):
    x = np.random.default_rng(0).integers(0, 30, (64, 64))
    x[0, 0] = 10**6
    np.save("x.npy", x)
    run("decompose", "x.npy", "bands.npz", "-w", "haar", "--integer", "--mode", "reflect")
    with np.load("bands.npz") as archive:
        dtypes = {archive[k].dtype.name for k in archive.files if k != "liftwave"}
    assert dtypes == {"int16", "int32"}
    run("reconstruct", "bands.npz", "y.npy")
    np.testing.assert_array_equal(np.load("y.npy"), x)


# --- packed archives ----------------------------------------------------------------------------


@pytest.fixture
def numcodecs():
    return pytest.importorskip("numcodecs")


@pytest.mark.parametrize(
    "options", [("-w", "db2"), ("-w", "cdf5.3", "--integer", "--mode", "zero")]
)
def test_packed_archives(run, folder, numcodecs, options):
    photograph = pywt.data.camera()
    np.save("x.npy", photograph)
    for command in (["decompose"], ["sparsify", "--keep", 0.05]):
        run(*command, "x.npy", "plain.npz", "--force", *options)
        run(*command, "x.npy", "packed.npz", "--zstd", "--force", *options)
        sizes = [Path(name).stat().st_size for name in ("plain.npz", "packed.npz")]
        assert sizes[1] < 0.97 * sizes[0]
        for name in ("plain", "packed"):
            run("reconstruct", f"{name}.npz", f"{name}.npy", "--force")
        np.testing.assert_array_equal(np.load("packed.npy"), np.load("plain.npy"))


def test_packed_archives_that_were_tampered_with(run, folder, capsys, numcodecs):
    np.save("x.npy", GREY)
    run("decompose", "x.npy", "x.npz", "--zstd", "--level", 1)
    with np.load("x.npz") as archive:
        bands = {name: archive[name] for name in archive.files}
    description = json.loads(str(bands.pop("liftwave")))
    bomb = np.frombuffer(numcodecs.Blosc("zstd").encode(bytes(10**6)), np.uint8)
    cases = {
        "a packed band should unpack to": ({}, {"level1_ad": bomb}),
        "it states 0": ({}, {"level1_ad": np.zeros(9, np.uint8)}),
        "should have the shape": ({"level1_ad": ["<f8", [9, 9]]}, {}),
        "should be integers": ({"level1_ad": ["<f8", ["a"]]}, {}),
        "packed bands do not match its description": ({}, {"level2_ad": bomb}),
        "'packed' should be a table": (None, {}),
    }
    for message, (layouts, contents) in cases.items():
        about = dict(description)
        about["packed"] = 4 if layouts is None else about["packed"] | layouts
        np.savez("y.npz", liftwave=np.array(json.dumps(about)), **(bands | contents))
        assert message in failure(capsys, "reconstruct", "y.npz", "y.npy")


def test_packing_without_numcodecs(folder, capsys, monkeypatch):
    np.save("x.npy", GREY)
    monkeypatch.setitem(sys.modules, "numcodecs", None)
    line = failure(capsys, "decompose", "x.npy", "x.npz", "--zstd")
    assert line == "packing by zstd needs numcodecs: pip install numcodecs"
    assert [p.name for p in folder.iterdir()] == ["x.npy"]
