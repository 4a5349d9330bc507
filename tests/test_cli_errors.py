"""Mistakes on the command line: one line on stderr, status 2, and no file left behind."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from files import (
    COLOUR,
    FILES,
    GREY,
    TONE,
    channels,
    deep,
    enter,
    make,
    save_npz,
    sounds,
    succeed,
    write_png,
    write_sound,
)
from PIL import Image

from liftwave._operations.wavelet_data import to_json
from liftwave.cli import main
from liftwave.lifting import LiftingScheme


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return enter(tmp_path, monkeypatch)


@pytest.fixture
def run(folder, capsys):
    return lambda *arguments: succeed(capsys, *arguments)


@pytest.fixture
def fails(folder, capsys):
    """Run a command that must fail with one line and status 2, and leave no file behind."""

    def failed(message, *arguments):
        before = contents(folder)
        status = main([str(a) for a in arguments])
        printed = capsys.readouterr()
        assert status == 2, printed.out
        assert printed.out == ""
        lines = printed.err.splitlines()
        assert len(lines) == 1, printed.err
        assert lines[0].startswith("liftwave: error: ")
        # Names of Python have no meaning on a command line.
        assert not re.search(r"\w\(\)|[A-Z][a-z]+[A-Z]\w+\(|\w=[\w'\"]|None|True|False", lines[0])
        assert re.search(message, lines[0]), lines[0]
        assert contents(folder) == before

    return failed


def contents(folder):
    """Every file in a folder with its bytes, including hidden and temporary files."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture(params=FILES)
def file(request, folder):
    return make(request.param, folder)


# --- input files ----------------------------------------------------------------------


def cut(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


@pytest.mark.parametrize("command", ["decompose", "denoise", "sparsify", "mra"])
def test_missing_files(command, fails):
    target = "x.npz" if command == "decompose" else "x.npy"
    fails(r"error: nothing\.npy: no such file$", command, "nothing.npy", target)
    fails(r"error: nothing: no such file$", command, "nothing", target)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".png", ".jpg", ".tif", ".gif", ".bmp", ".wav"])
def test_files_that_are_empty_text_or_directories(suffix, fails, folder):
    path = folder / f"data{suffix}"
    path.write_bytes(b"")
    fails(r"the file is empty$", "denoise", path, "x.npy")
    path.write_text("This is no such file, " * 100)
    fails(r"data\.\w+: not a readable ", "denoise", path, "x.npy")
    path.unlink()
    path.mkdir()
    fails(r"is a directory, not a file$", "denoise", path, "x.npy")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_truncated_files(file, share, fails):
    path, _, _ = file
    cut(path, share)
    fails(r"not a readable ", "decompose", path, "x.npz")


@pytest.mark.parametrize("suffix", [".jpg", ".gif", ".webp"])
def test_truncated_pictures(suffix, fails, folder):
    Image.fromarray(COLOUR).save(f"photo{suffix}")
    cut(folder / f"photo{suffix}")
    fails(r"not a readable ", "denoise", f"photo{suffix}", "x.png")


def test_suffixes_that_are_not_known(fails, folder):
    (folder / "data.xyz").write_text("x")
    (folder / "data").write_text("x")
    fails(r"cannot read a \.xyz file; use \.npy, ", "denoise", "data.xyz", "x.npy")
    fails(r"cannot read a file without a suffix; use", "denoise", "data", "x.npy")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([1, "a"], dtype=object), "pickled objects, which are never read"),
        (np.array(["text"]), "expected numbers, found dtype <U4"),
        (np.array(3.0), "expected an array, found a single number"),
        (np.empty((0, 3)), r"it holds no samples, its shape is \(0, 3\)"),
        (np.zeros(3, dtype=[("a", int)]), "expected numbers"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "expected numbers"),
    ],
)
def test_arrays_of_the_wrong_kind(array, message, fails):
    np.save("x.npy", array, allow_pickle=True)
    fails(message, "decompose", "x.npy", "y.npz")


def test_archives_of_the_wrong_kind(fails, run):
    np.savez("two.npz", a=GREY, b=GREY)
    fails("expected one array, found 2: a, b", "denoise", "two.npz", "x.npy")
    np.savez("none.npz")
    fails("expected one array, found 0: none", "denoise", "none.npz", "x.npy")
    np.savez("object.npz", a=np.array([{}], dtype=object))
    fails("pickled objects, which are never read", "denoise", "object.npz", "x.npy")
    np.save("x.npy", GREY)
    run("decompose", "x.npy", "bands.npz")
    fails("use 'liftwave reconstruct'", "denoise", "bands.npz", "y.npy")


def test_several_pictures_in_one_file(fails):
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1])]
    frames[0].save("moving.gif", save_all=True, append_images=frames[1:])
    fails("hold a stack of pictures, got 2", "denoise", "moving.gif", "x.png")
    tifffile.imwrite("pages.tif", np.stack([deep(COLOUR)] * 3), photometric="rgb")
    fails("hold a stack of pictures, got 3", "denoise", "pages.tif", "x.png")


def test_deep_colour_that_would_lose_bits(fails, folder):
    header = b"P6 78 65 65535\n"
    (folder / "deep.ppm").write_bytes(header + deep(COLOUR).astype(">u2").tobytes())
    fails(r"PPM colour of more than 8 bits is not supported", "denoise", "deep.ppm", "x.png")


# --- output files ---------------------------------------------------------------------


@pytest.fixture
def data(folder):
    np.save("float.npy", TONE)
    np.save("x.npy", GREY)
    write_png(folder / "photo.png", GREY)
    write_png(folder / "rgba.png", channels(4))
    write_png(folder / "deep.png", deep(COLOUR))
    write_sound(folder / "stereo.wav", sounds()["stereo int16"])
    write_sound(folder / "bytes.wav", sounds()["mono uint8"])
    (folder / "part-D1.wav").write_bytes(b"kept")
    np.save("cube.npy", np.zeros((3, 4, 5)))
    (folder / "folder").mkdir()
    (folder / "folder.npy").mkdir()
    (folder / "kept.npy").write_bytes(b"kept")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("decompose x.npy y.npy", r"cannot write coefficients to a \.npy file; use \.npz$"),
        ("decompose x.npy nowhere/y.npz", "the folder nowhere does not exist"),
        ("decompose x.npy folder", "folder: is a directory, not a file"),
        ("denoise x.npy folder.npy", "is a directory, not a file"),
        ("denoise x.npy y.xyz", r"cannot write data to a \.xyz file; use \.npy, "),
        ("denoise x.npy y", "cannot write data to a file without a suffix"),
        ("denoise photo.png y.gif", r"cannot write data to a \.gif file"),
        ("denoise photo.png y.wav", "cannot write a .wav file: the input has no sample rate"),
        ("denoise float.npy y.wav", "the input has no sample rate"),
        ("denoise rgba.png y.wav", r"a sound must have the shape \(samples,\)"),
        ("denoise float.npy y.png", r"an image must have the shape .*, got \(3001,\)"),
        ("denoise stereo.wav y.png", r"a PNG file cannot hold .* \(3001, 2\) and dtype int16"),
        ("denoise rgba.png y.jpg", r"a JPEG file cannot hold an image of shape \(65, 78, 4\)"),
        ("denoise deep.png y.jpg", "dtype uint16; write a .png, .tif or .npy file"),
        ("denoise deep.png y.bmp", "a BMP file cannot hold"),
        ("mra x.npy y.png", r"cannot write components to a \.png file; use \.npy, \.npz, "),
        ("mra x.npy folder.npy", "is a directory, not a file"),
        ("mra x.npy kept.npy", r"kept\.npy: the file exists already; add --force"),
        ("mra x.npy nowhere/y.npz", "the folder nowhere does not exist"),
        ("mra x.npy y.wav --level 1", "the input has no sample rate"),
        ("mra float.npy y.tif --level 1", r"an image must have the shape .*, got \(3001,\)"),
        ("mra bytes.wav y.wav", "samples of 8 bits are not signed.* write a .npy or .npz file"),
        ("mra stereo.wav part.wav --level 1", r"part-D1\.wav: the file exists already"),
        ("mra x.npy --plot y.gif", r"cannot write pictures to a \.gif file; use \.png, "),
        (
            "mra cube.npy --plot y.png",
            "two transformed axes, but the data have 3; choose some",
        ),
        ("info haar --plot y.xyz", r"cannot write pictures to a \.xyz file; use \.png, "),
        ("info haar --plot nowhere/y.png", "the folder nowhere does not exist"),
        ("tour -o kept.npy", r"kept\.npy: cannot create this folder \(File exists\)"),
        ("tour -o kept.npy/in", "kept.npy/in: cannot create this folder"),
    ],
)
def test_targets_that_cannot_be(arguments, message, fails, data):
    fails(message, *arguments.split())


COMMANDS = [
    "decompose x.npy y.npz",
    "denoise x.npy kept.npy --force",
    "denoise photo.png y.png",
    "denoise deep.png y.tif",
    "sparsify stereo.wav y.wav",
    "sparsify x.npy y.npz",
    "packets photo.png y.npz",
    "packets stereo.wav --plot y.png",
    "mra stereo.wav y.wav --level 2",
    "mra x.npy y.npz",
    "info haar --plot y.png",
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_folders_that_cannot_be_written(arguments, fails, data, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, _: Path(path).is_file())
        fails(r"the folder \. is not writable", *arguments.split())

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", "/secret/temporary")

    monkeypatch.setattr("tempfile.mkstemp", refused)
    fails(r"cannot write it \(Permission denied\)$", *arguments.split())


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_leaves_nothing(arguments, fails, data, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    fails(r"cannot write it \(No space left on device\)$", *arguments.split())


def test_an_interruption_leaves_nothing(fails, data, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    fails("interrupted", "denoise", "x.npy", "kept.npy", "--force")


# --- options --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("decompose x.npy y.npz -w nope", "unknown wavelet 'nope'; 'liftwave wavelets' lists"),
        ("denoise x.npy y.npz -w nope", "unknown wavelet 'nope'; 'liftwave wavelets' lists"),
        ("decompose x.npy y.npz -w morl", "'morl' is a continuous wavelet"),
        ("decompose x.npy y.npz -w dmey --lifting", "no lifting scheme"),
        ("decompose x.npy y.npz -w nope --integer", "nope"),
        ("decompose x.npy y.npz --mode nope", "Unknown mode name 'nope'; use one of 'zero'"),
        (
            "decompose x.npy y.npz --lifting --mode smooth",
            "'smooth' is not defined for lifting; use one of periodization, reflect, ",
        ),
        ("decompose x.npy y.npz --level -1", "'--level'"),
        ("decompose x.npy y.npz --level 1.5", "'--level'"),
        ("decompose x.npy y.npz --level 99999999999999999999", "'--level'"),
        ("decompose float.npy y.npz --integer", "--integer needs integer data, .* float64"),
        ("sparsify float.npy y.npz --integer", "--integer needs integer data"),
        ("mra x.npy y.npz --edges mirror", "--edges must be reflection or periodic, got mirror"),
        ("mra x.npy y.npz --level 0", "'--level'"),
        ("mra x.npy y.npz -w nothing", "unknown wavelet 'nothing'"),
        ("mra x.npy y.npz --axes 2", "--axes 2: the data have 2 axes, 0 to 1"),
        ("mra x.npy y.npz --key data", "--key names an array in a .npz file"),
        ("sparsify x.npy y.npz --keep 0", "--keep must be above 0 and at most 1, got 0"),
        ("sparsify x.npy y.npz --keep 1.01", "--keep must be above 0 and at most 1"),
        ("sparsify x.npy y.npz --keep nan", "--keep must be above 0 and at most 1"),
        ("sparsify x.npy y.npz --keep all", "'--keep'"),
        ("packets x.npy --cost best", "unknown cost 'best'; use one of shannon, log-energy, "),
        ("packets x.npy --cost norm", "--cost norm needs an exponent: add --value"),
        ("packets x.npy --cost sure", "--cost sure needs a threshold: add --value"),
        ("packets x.npy --cost norm --value -1", "its exponent, a positive number; got -1"),
        ("packets x.npy --value 1", "--cost shannon has no parameter; remove --value"),
        ("packets x.npy --value much", "'--value'"),
        ("packets x.npy --rate 8000 --axes 0,1", "--axes|--rate needs one axis, got 2"),
        ("packets float.npy --rate 0", "--rate must be a positive number, got 0"),
        ("packets float.npy --rate nan", "--rate must be a positive number, got nan"),
        ("packets stereo.wav --rate 8000", "already has a rate, [0-9]+ Hz"),
        ("packets x.npy --level -1", "'--level'"),
        ("packets x.npy --level 40", r"2\*\*[0-9]+ packets: too many"),
        ("packets x.npy -w nope", "unknown wavelet 'nope'"),
        ("packets x.npy --mode nope", "Unknown mode name 'nope'"),
        ("packets x.npy --axes 9", "the data have . axes"),
        ("packets x.npy y.npy", r"cannot write coefficients to a \.npy file; use \.npz"),
        ("packets x.npy -", "only .npy arrays can be written to standard output, not .npz"),
        ("packets x.npy --plot y.gif", r"use \.png, \.pdf or \.svg"),
        (
            "denoise x.npy kept.npy --force --method best",
            "unknown method 'best'; use one of 'bayes'",
        ),
        ("denoise x.npy kept.npy --force --rule firm", "unknown rule 'firm'; use one of 'soft'"),
        (
            "denoise x.npy kept.npy --force --sigma -1",
            "sigma must be finite and at least 0, got -1",
        ),
        ("denoise x.npy kept.npy --force --sigma nan", "sigma must be finite"),
        ("denoise x.npy kept.npy --force --sigma loud", "'--sigma'"),
        ("denoise x.npy kept.npy --force --shifts 0", "'--shifts'"),
        ("denoise x.npy kept.npy --force --shifts -3", "'--shifts'"),
        ("denoise x.npy kept.npy --force --nope", "No such option: --nope"),
        ("denoise x.npy", "Missing argument"),
        ("denoise x.npy kept.npy more --force", "unexpected extra argument"),
        ("info nope", "nope"),
        ("info morl", "continuous"),
        ("info", "Missing argument"),
        ("nope", "No such command 'nope'"),
        ("--nope", "No such option: --nope"),
    ],
)
def test_options_that_cannot_be(arguments, message, fails, data):
    fails(message, *arguments.split())


# --- archives without a decomposition -------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing.npz", "no such file"),
        ("photo.png", r"not a readable archive of coefficients \(no \.npz file"),
        ("x.npy", "not a readable archive of coefficients"),
        ("folder.npy", "is a directory"),
        ("empty.npz", "the file is empty"),
        ("other.npz", r"not an archive of coefficients \(it holds values\)"),
        ("cut.npz", "not a readable archive"),
        ("pickled.npz", "pickled objects, which are never read"),
    ],
)
def test_files_that_are_no_decompositions(name, message, fails, run, data):
    (data / "empty.npz").write_bytes(b"")
    save_npz("other.npz", GREY)
    np.savez("pickled.npz", liftwave=np.array([{"format": 1}], dtype=object))
    run("decompose", "x.npy", "cut.npz")
    cut(data / "cut.npz", 0.9)
    fails(message, "reconstruct", name, "kept.npy", "--force")


def test_an_archive_that_is_damaged_inside(fails, run, data):
    run("decompose", "x.npy", "bands.npz")
    stored = bytearray((data / "bands.npz").read_bytes())
    middle = len(stored) // 2
    stored[middle : middle + 40] = bytes(40)
    (data / "bands.npz").write_bytes(stored)
    fails(
        "not a readable archive of coefficients", "reconstruct", "bands.npz", "kept.npy", "--force"
    )


def without(key):
    return lambda about, bands: about.pop(key, None) if key in about else bands.pop(key)


def with_about(**changes):
    return lambda about, bands: about.update(changes)


def with_band(name, band):
    return lambda about, bands: bands.update({name: band})


WHOLE_SCHEME = to_json(LiftingScheme.from_name("cdf5.3").to_integer(), [])

TAMPERED = {
    "another format": (with_about(format=4), "unknown format 4: only 1, 2 and 3 are supported"),
    "no format": (without("format"), "its description has no 'format'"),
    "a missing band": (without("level1_ad"), "missing bands: level1_ad"),
    "no approximation": (without("level2_aa"), "missing bands: level2_aa"),
    "an unknown band": (with_band("level9_aa", GREY), "unknown bands: level9_aa"),
    "a band of another shape": (with_band("level1_ad", GREY), r"level1_ad should have the shape"),
    "a band of text": (with_band("level1_ad", np.array(["a"])), "level1_ad should have"),
    "a band of complex numbers": (
        lambda about, bands: bands.update(level1_ad=bands["level1_ad"] * 1j),
        "a dtype of kind 'biuf'",
    ),
    "integer scheme, real bands": (
        with_about(wavelets=[WHOLE_SCHEME] * 2, modes=["reflect"] * 2),
        "should have the shape",
    ),
    "too many levels": (with_about(level=3), "missing bands: level3_aa"),
    "very many levels": (with_about(level=10**9), "too few for 1000000000 levels"),
    "negative levels": (with_about(level=-1), "Level value of -1 is too low"),
    "another shape": (with_about(shape=[64, 79]), "should have the shape"),
    "a huge shape": (with_about(shape=[10**12, 10**12]), "should have the shape"),
    "a negative shape": (with_about(shape=[-65, 78]), "got -65"),
    "shape of text": (with_about(shape=["65", 78]), "'shape' should be a list of integers"),
    "no shape": (with_about(shape=[]), "'shape' should be a list of integers"),
    "missing axes": (with_about(axes=[0, 5]), "axis 5 of an array with 2"),
    "axes given twice": (with_about(axes=[0, 0]), "must be unique"),
    "axes as a number": (with_about(axes=1), "'axes' should be a list"),
    "an unknown wavelet": (with_about(wavelets=["db2", "nope"]), "nope"),
    "a wavelet as a number": (with_about(wavelets=4), "'wavelets' should be a list, got 4"),
    "an unknown mode": (with_about(modes=["zero", "nope"]), "Unknown mode name 'nope'"),
    "an unknown dtype": (with_about(dtype="nope"), "nope"),
    "a dtype of objects": (with_about(dtype="|O"), "'dtype' should be a dtype of numbers"),
    "an unknown kind": (
        with_about(metadata={"kind": "film"}),
        "'kind' should be array, image or sound",
    ),
    "a sound without a rate": (with_about(metadata={"kind": "sound"}), "a sound needs a 'rate'"),
    "no wavelet": (without("wavelets"), "its description has no 'wavelets'"),
    "a list": (None, r"its description should be a table, got \[1\]"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_archives_that_were_tampered_with(case, fails, run, data):
    run("decompose", "x.npy", "bands.npz", "-w", "db2", "--level", 2)
    with np.load("bands.npz") as archive:
        bands = {name: archive[name] for name in archive.files}
    about = json.loads(str(bands.pop("liftwave")))
    change, message = TAMPERED[case]
    if change is None:
        about = [1]
    else:
        change(about, bands)
    np.savez("bands.npz", liftwave=np.array(json.dumps(about)), **bands)
    fails(message, "reconstruct", "bands.npz", "kept.npy", "--force")


def test_a_description_that_is_no_json(fails, data):
    np.savez("bands.npz", liftwave=np.array("{'format': 1"))
    fails("not a valid archive of coefficients", "reconstruct", "bands.npz", "kept.npy", "--force")
