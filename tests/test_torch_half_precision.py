"""Layers in bfloat16: the results of single precision, rounded."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.utils._pytree import tree_leaves, tree_map
from torch_layer_cases import CASES

from liftwave import torch as lwt

# Layers of several operations of torch round after each of them.
EPSILONS = {"zoo": 4.0, "WTConv": 4.0, "LDWBottleneck": 4.0}


def _with_other_parameters(layer: torch.nn.Module) -> torch.nn.Module:
    for part in (layer := copy.deepcopy(layer)).modules():
        if callable(reset := getattr(part, "reset_parameters", None)):
            reset()
    return layer


@pytest.mark.parametrize("seed", range(3))
def test_layers_compute_in_single_precision(seed: int) -> None:
    torch.manual_seed(seed)
    for name, case in CASES.items():
        if case.layer.dimensions != 2:
            continue
        half = _with_other_parameters(case.layer).bfloat16()
        single = copy.deepcopy(half).float()
        arguments = tree_map(lambda x: x.bfloat16(), case.arguments())
        with torch.no_grad():
            results = tree_leaves(half(*arguments))
            expected = tree_leaves(single(*tree_map(lambda x: x.float(), arguments)))
        kind = "zoo" if "zoo" in type(half).__module__ or "zoo" in str(type(half)) else name
        most = next((n for part, n in EPSILONS.items() if part in kind), 1.5)
        for a, b in zip(results, expected, strict=True):
            error = (a.float() - b).abs().max() / b.abs().max() * 2**8
            assert float(error) <= most, (name, float(error))


@pytest.mark.parametrize("mode", ["periodization", "smooth"])
def test_sums_of_bands_are_rounded_once(mode: Any) -> None:
    pool = lwt.LDWPool2d("db2", "sum", learn=None, mode=mode)
    x = torch.randn(2, 3, 9, 8, generator=torch.manual_seed(0)).bfloat16()
    assert torch.equal(pool(x), pool(x.float()).bfloat16())
