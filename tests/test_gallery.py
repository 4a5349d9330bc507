"""The scripts of the gallery run, print what their pages say, and explain their pictures."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import liftwave as lw

GALLERY = Path(__file__).parent.parent / "examples" / "gallery"
SCRIPTS = {path.stem.removeprefix("plot_"): path for path in sorted(GALLERY.rglob("plot_*.py"))}

# The number of figures that are variables at the end of each script, and a line of its output.
EXPECTED = {
    "best_basis": (1, r"best basis +4951"),
    "custom_scheme": (2, r"as a filter bank: 10 taps"),
    "deblurring": (2, r"sparse wavelets +28\.3 dB"),
    "denoise_ecg": (2, r"neighsure, 8 shift\(s\) +15\.8 dB"),
    "design_wavelet": (1, r"second half db4 +16\.29 dB +24\.692"),
    "find_beats": (1, r"heart rate \[65\.9 65\.5\] beats per minute"),
    "learned_scheme": (1, r"learned: 6\.\d+e-04 of the power"),
    "liftpool_network": (2, r"exported: True"),
    "lossless": (1, r"every round trip is exact"),
    "mra_temperature": (2, r"2 to 4 years: 0\.152"),
    "nino": (2, r"significant: periods of 1\.3 to 5\.1 years"),
    "photograph": (2, r"5% +28\.34 +29\.57 +30\.20"),
    "port_pywavelets": (1, r"largest difference of grey levels: \de-1\d"),
    "scalogram_speech": (2, r"median pitch: 140 Hz"),
    "shift": (2, r""),
    "volume": (1, r"same bits: True"),
}
# The build of the documentation runs all of them.
SLOW = {"deblurring", "design_wavelet", "learned_scheme", "liftpool_network", "volume"}
NEEDS = {"liftpool_network": "torch", "learned_scheme": "torch", "deblurring": "torch"}
NEEDS |= {"volume": "nibabel"}


def test_every_script_is_tested():
    assert sorted(EXPECTED) == sorted(SCRIPTS)


@pytest.fixture
def settings():
    """Closes figures and restores the number of torch's threads."""
    plt.close("all")
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch else 1
    yield
    plt.close("all")
    if torch:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in EXPECTED]
)
@pytest.mark.usefixtures("settings")
# Warnings of torch's exporter about itself.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning")
def test_a_script_runs_and_draws(name, tmp_path, monkeypatch):
    pytest.importorskip(NEEDS.get(name, "numpy"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        variables = run_path(str(SCRIPTS[name]))
    count, line = EXPECTED[name]
    assert re.search(line, output.getvalue())
    assert len(figures(variables)) == count
    assert list(tmp_path.iterdir()) == []


def figures(variables: dict[str, Any]) -> list[Figure]:
    """The figures of pyplot, and those that ``plot`` of liftwave returned."""
    others = [v for v in variables.values() if isinstance(v, Figure) and not hasattr(v, "number")]
    return [*map(plt.figure, plt.get_fignums()), *others]


def blocks(name: str) -> list[tuple[str, str]]:
    """The text and the code of each block of a script."""
    parts = re.split(r"(?m)^# %%\n", SCRIPTS[name].read_text(encoding="utf-8"))
    split = [re.match(r"((?:#.*\n)*)([\s\S]*)", part) for part in parts[1:]]
    return [(match[1], match[2]) for match in split if match]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_text_follows_each_picture(name):
    pages = blocks(name)
    pictures = [k for k, (_, code) in enumerate(pages) if re.search(r"plt\.show|figure = ", code)]
    assert pictures
    for k in pictures:
        assert k + 1 < len(pages), "the last picture has no text"
        text = pages[k + 1][0]
        assert text.count(".") >= 2, f"too little is said of the picture of block {k}"


# --- functions of the scripts --------------------------------------------------------------------


def definitions(name: str) -> SimpleNamespace:
    """The imports, functions and constants of a script, without its other code."""
    tree = ast.parse(SCRIPTS[name].read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if _defines(node)]
    variables: dict[str, Any] = {}
    exec(compile(tree, str(SCRIPTS[name]), "exec"), variables)
    return SimpleNamespace(variables=variables, **variables)


def _defines(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        with contextlib.suppress(ValueError):
            ast.literal_eval(node.value)
            return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)


def test_the_photograph_is_better_from_more_coefficients():
    example = definitions("photograph")
    k = np.arange(320)
    image = (128 + 100 * np.sin(k[:, None] * k / 4000)).astype(np.uint8)
    for decibels in example.quality(image).values():
        assert decibels == sorted(decibels)
        assert decibels[-1] > 40


def test_lossless_notices_a_loss(monkeypatch):
    example = definitions("lossless")
    reconstruct = lw.Decomposition.reconstruct
    monkeypatch.setattr(lw.Decomposition, "reconstruct", lambda d: reconstruct(d) ^ 1)
    with pytest.raises(AssertionError, match="haar lost something"):
        example.measured(np.zeros((32, 32), np.uint8))


def test_the_cubic_scheme_predicts_cubics_and_keeps_the_mean():
    scheme, x = definitions("custom_scheme").cubic(), np.linspace(-1, 1, 64)
    approx, detail = lw.dwt(x**3 - x**2, scheme, mode="reflect")
    assert np.abs(detail[1:-2]).max() < 1e-15
    noise = np.random.default_rng(0).standard_normal(64)
    approx, _ = lw.dwt(noise, scheme, mode="periodization")
    assert approx.mean() / 2**0.5 == pytest.approx(noise.mean(), abs=1e-15)


def test_learning_finds_the_taps_that_are_blind_to_both_tones():
    pytest.importorskip("torch")
    example = definitions("learned_scheme")
    taps, losses = example.learn(example.tones(8, 128, seed=3), [0.0, -0.5, -0.5, 0.0])
    # 1 + 2 a cos w + 2 b cos 3 w = 0 at both tones, for taps (b, a, a, b).
    w = 2 * np.pi * np.array(example.TONES)
    a, b = np.linalg.solve(np.stack([2 * np.cos(w), 2 * np.cos(3 * w)], axis=1), [-1, -1])
    assert taps.tolist() == pytest.approx([b, a, a, b], abs=0.05)
    assert losses[-1] < 1e-2 * losses[0]


def test_sharpening_beats_every_linear_filter_in_either_library():
    torch = pytest.importorskip("torch")
    example = definitions("deblurring")
    example.variables["LEVEL"] = 3
    k = np.arange(96)
    image = 40 + 160 * (((k[:, None] - 48) ** 2 + (k - 40) ** 2) < 900)
    response = example.disc(image.shape)
    noise = example.NOISE * np.random.default_rng(0).standard_normal(image.shape)
    blurred = example.blur(image, response) + noise
    *_, ours = example.sharpen(blurred, response, 60)
    linear = example.best_linear(image, blurred, response)
    assert example.psnr(image, ours) > example.psnr(image, linear) + 0.5
    *_, theirs = example.sharpen(torch.asarray(blurred), torch.asarray(response), 60)
    assert isinstance(theirs, torch.Tensor)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9)


def test_the_linear_filter_and_the_steepness_are_what_they_say():
    pytest.importorskip("torch")
    example = definitions("deblurring")
    image = np.random.default_rng(0).standard_normal((32, 24))
    response = example.disc(image.shape, radius=2)
    blurred = example.blur(image, response)
    kernel = np.fft.irfftn(response, s=image.shape, axes=(0, 1))
    assert blurred[5, 7] == pytest.approx(
        sum(kernel[y, x] * image[5 - y, 7 - x] for y in range(-2, 3) for x in range(-2, 3))
    )
    np.testing.assert_allclose(example.linear(blurred, response, 0), image, atol=1e-9)
    # The power method finds the largest singular value of the matrix of the synthesis.
    c, *layout = lw.ravel_coeffs(lw.wavedec2(image, example.WAVELET, example.MODE, level=1))
    columns = [example.synthesis(unit, layout)[0].ravel() for unit in np.eye(c.size)]
    largest = np.linalg.norm(np.array(columns), 2) ** 2
    assert largest < example.steepness(c, layout) <= 1.05 * largest * (1 + 1e-9)
