"""The examples run, print their results, and draw pictures that are not empty."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parent.parent / "examples"
SHARED = {
    "__init__",
    "autoencoders",
    "data",
    "halo",
    "models",
    "poolings",
    "shapes",
}  # shared modules, tested separately
NAMES = sorted({path.stem for path in EXAMPLES.glob("*.py")} - SHARED)

# The pictures that each example draws, and a line of its output.
EXPECTED = {
    "custom_scheme": (["custom_scheme.png"], "misses reconstruction by"),
    "deblurring": (["deblurring.png"], "best linear filter         27.3 dB"),
    "design_wavelet": (["design_wavelet.png"], "held out      for coding gain"),
    "ecg": (["ecg.png", "ecg_bands.png"], "signal-to-noise ratio"),
    "learned_digits": (["learned_digits.png"], "linear-phase  bior4.4"),
    "learned_scheme": (["learned_scheme.png"], "learned: "),
    "lossless": (["lossless.png"], "every round trip is exact"),
    "photograph": (["photograph.png", "photograph_bands.png"], "(PSNR, dB)"),
}


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested():
    assert sorted(EXPECTED) == NAMES


# Slow examples run with small settings.
SMALL = {
    "deblurring": ["--rounds", "5"],
    "learned_digits": ["--rounds", "5", "--seeds", "1"],
}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_and_draws(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    load(name).main(["--output", str(tmp_path / "pictures"), *SMALL.get(name, [])])
    pictures, line = EXPECTED[name]
    assert line in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == pictures
    for picture in pictures:
        with Image.open(tmp_path / "pictures" / picture) as image:
            assert min(image.size) > 300
            # Curves and images are coloured; background, axes and letters are not.
            pixels = np.asarray(image.convert("RGB")).astype(int)
            coloured = pixels.max(axis=-1) - pixels.min(axis=-1) > 30
            assert coloured.mean() > 2e-3


def test_the_photograph_is_better_from_more_coefficients():
    example = load("photograph")
    k = np.arange(320)
    image = (128 + 100 * np.sin(k[:, None] * k / 4000)).astype(np.uint8)
    for decibels in example.quality(image).values():
        assert decibels == sorted(decibels)
        assert decibels[-1] > 40


def test_lossless_notices_a_loss(monkeypatch):
    example = load("lossless")
    reconstruct = example.lw.Decomposition.reconstruct
    monkeypatch.setattr(example.lw.Decomposition, "reconstruct", lambda d: reconstruct(d) ^ 1)
    with pytest.raises(AssertionError, match="haar lost something"):
        example.measured(np.zeros((32, 32), np.uint8))


def test_the_cubic_scheme_predicts_cubics_and_keeps_the_mean():
    example = load("custom_scheme")
    scheme, x = example.cubic(), np.linspace(-1, 1, 64)
    approx, detail = example.lw.dwt(x**3 - x**2, scheme, mode="reflect")
    assert np.abs(detail[1:-2]).max() < 1e-15
    noise = np.random.default_rng(0).standard_normal(64)
    approx, _ = example.lw.dwt(noise, scheme, mode="periodization")
    assert approx.mean() / 2**0.5 == pytest.approx(noise.mean(), abs=1e-15)


def test_learning_finds_the_taps_that_are_blind_to_both_tones():
    example = load("learned_scheme")
    taps, losses = example.learn(example.tones(8, 128, seed=3), [0.0, -0.5, -0.5, 0.0])
    # 1 + 2 a cos w + 2 b cos 3 w = 0 at both tones, for taps (b, a, a, b).
    w = 2 * np.pi * np.array(example.TONES)
    a, b = np.linalg.solve(np.stack([2 * np.cos(w), 2 * np.cos(3 * w)], axis=1), [-1, -1])
    assert taps.tolist() == pytest.approx([b, a, a, b], abs=0.05)
    assert losses[-1] < 1e-2 * losses[0]


def test_sharpening_beats_every_linear_filter_in_either_library(monkeypatch):
    torch = pytest.importorskip("torch")
    example = load("deblurring")
    monkeypatch.setattr(example, "LEVEL", 3)
    k = np.arange(96)
    image = 40 + 160 * (((k[:, None] - 48) ** 2 + (k - 40) ** 2) < 900)
    response = example.disc(image.shape)
    noise = example.NOISE * np.random.default_rng(0).standard_normal(image.shape)
    given = example.blur(image, response) + noise
    *_, ours = example.sharpen(given, response, 60)
    linear = example.best_linear(image, given, response)
    assert example.psnr(image, ours) > example.psnr(image, linear) + 0.5
    *_, theirs = example.sharpen(torch.asarray(given), torch.asarray(response), 60)
    assert isinstance(theirs, torch.Tensor)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-9)


def test_the_linear_filter_and_the_steepness_are_what_they_say():
    example, lw = load("deblurring"), load("deblurring").lw
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


@pytest.mark.parametrize(
    "learn",
    [
        *("orthonormal", "lifting"),
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("linear-phase", "filters")),
    ],
)
def test_digits_are_learned_and_the_filters_stay_what_is_promised(learn):
    torch = pytest.importorskip("torch")
    example = load("learned_digits")
    torch.manual_seed(0)
    seen, unseen = example.digits(0)
    model = example.Classifier(learn, dict(example.KINDS)[learn])
    before = example.matrices(model.dwt)
    example.train(model, seen, 15)
    after = example.matrices(model.dwt)
    assert example.accuracy(model, unseen) > 0.4  # of ten digits
    assert np.abs(after.low - before.low).max() > 1e-2
    zero_sum, orthonormality, reconstruction = example.properties(after)
    promised = {
        "orthonormal": zero_sum < 1e-12 and orthonormality < 1e-12 and reconstruction < 1e-12,
        "linear-phase": zero_sum < 1e-12 < 1e-3 < orthonormality and reconstruction < 1e-12,
        "lifting": zero_sum > 1e-3 and orthonormality > 1e-3 and reconstruction < 1e-12,
        "filters": max(zero_sum, orthonormality, reconstruction) < 0.15 and reconstruction > 1e-4,
    }
    assert promised[learn], (zero_sum, orthonormality, reconstruction)


def test_the_filters_of_digits_are_measured_as_they_are():
    example = load("learned_digits")
    layer = example.DWT2d("db2", mode=example.MODE)
    of = example.matrices(layer)
    bank = example.lw.Wavelet("db2")
    assert np.sort(of.low[10])[[-1, 0]].tolist() == pytest.approx(
        np.sort(bank.dec_lo)[[-1, 0]].tolist()
    )
    assert max(example.properties(of)) < 1e-11
    wrong = of._replace(inverse=of.inverse + 0.25, high=of.high + 0.5)
    assert example.properties(wrong)[0] == pytest.approx(0.5 * example.SAMPLES)
    assert min(example.properties(wrong)[1:]) > 0.2
