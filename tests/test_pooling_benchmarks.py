"""The benchmark of pooling layers runs, and detects wrong layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import pooling
from benchmarks.pooling_formats import VARIANTS
from benchmarks.pooling_layers import LAYERS, available, blur_layers
from benchmarks.torch_libraries import Prepared

pytest.importorskip("torch")

SHAPE = (2, 3, 16, 32)


@pytest.mark.parametrize("layer", available(), ids=lambda layer: layer.name)
def test_layers_agree_with_plain_operations(layer):
    x = np.random.default_rng(0).standard_normal(SHAPE).astype("float32")
    assert pooling.checked(pooling.functions(SHAPE), layer.name, x) == ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda x: x, ""),
        (lambda x: x * 1.01, "differs: result"),
        (lambda x: x + 1e-2 * (x - x.detach()), "differs: gradient 1"),
    ],
)
def test_what_is_wrong_is_said(spoil, said):
    every = pooling.functions(SHAPE)
    inner = every["SoftPool2d"].transform
    every["SoftPool2d"] = Prepared(lambda x: inner(spoil(x)))
    x = np.random.default_rng(0).standard_normal(SHAPE).astype("float32")
    assert pooling.checked(every, "SoftPool2d", x) == said


def test_quick_run_writes_the_page(tmp_path, capsys):
    out = tmp_path / "page.md"
    pooling.main(["--quick", "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    assert len(capsys.readouterr().out.splitlines()) == len(pooling.functions(SHAPE))
    for layer in available():
        assert f"| {layer.name} |" in text
        assert f"| {layer.name}, plain |" in text
    assert "differs" not in text
    second_cells = [line.split(" | ")[1] for line in text.splitlines() if line.count(" | ") > 1]
    for variant in VARIANTS:
        assert second_cells.count(variant.name) == 1 + len(available())


def test_only_some_rows_are_printed(tmp_path, capsys):
    out = tmp_path / "page.md"
    pooling.main(["--quick", "--only", "BlurPool", "--out", str(out)])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    names = [line.split(" | ")[0].removeprefix("| ") for line in rows[2:]]
    assert names == list(pooling.functions(SHAPE, "BlurPool"))
    assert "BlurPool2d, 3 taps" in names
    assert "SoftPool2d" not in names
    assert not out.exists()


def test_kornia_computes_the_same_blur_away_from_the_first_samples():
    pytest.importorskip("kornia")
    import torch

    x = torch.from_numpy(np.random.default_rng(0).standard_normal(SHAPE).astype("float32"))
    ours, theirs = (each.transform(x) for each in blur_layers().values())
    assert ours.shape == theirs.shape
    # Ours mirrors the image, kornia extends it with zeros.
    assert torch.allclose(ours[..., 1:, 1:], theirs[..., 1:, 1:], atol=1e-6)
    assert not torch.allclose(ours, theirs, atol=1e-2)


def test_targets_are_compared():
    layer = replace(LAYERS[0], forward_copies=3, both_copies=9, forward_faster=6, both_faster=4)
    plain = layer.name + pooling.PLAIN
    timed = pooling.Timed(
        forward_ratios={"copy": 3.5, plain: 0.125}, both_ratios={"copy": 8.0, plain: 0.5}
    )
    found = pooling.Measured(SHAPE, 1.0, {layer.name: timed})
    assert pooling._verdicts(layer, found) == [
        "3.50 (missed: 3)",
        "8.00 (met: 9)",
        "8.00 (met: 6)",
        "2.00 (missed: 4)",
    ]
