"""The programs in ``examples`` run, print their results, and draw pictures that are not empty.

``test_gallery.py`` tests the scripts of the gallery.
"""

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
    "learned_digits": (["learned_digits.png"], "linear-phase  bior4.4"),
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
