"""Every layer as a program of ``torch.export``: exported, saved, loaded, run on other sizes."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import assert_close
from no_fallback_layers import ZOO
from torch import nn
from torch.export import Dim
from torch.utils._pytree import tree_leaves, tree_map
from torch_layer_cases import CASES, EACH, OF_FIXED_LENGTH, PARTS, Case

from liftwave import torch as lwt
from liftwave._kernels.reference.rows import row_terms
from liftwave._plan.boundary import EXTENSION_MODES, signal_row
from liftwave.errors import ExportError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    # About array-api-compat's cache of array types, which tracing bypasses.
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a .functools.lru_cache"),
]

slow = pytest.mark.slow


def test_every_layer_has_a_case() -> None:
    names = [name for name in lwt.__all__ if isinstance(getattr(lwt, name), type)]
    modules = [name for name in names if issubclass(getattr(lwt, name), nn.Module)]
    layers = {name for name in modules if not issubclass(getattr(lwt, name), PARTS)}
    assert {name.split()[0] for name in CASES} | set(OF_FIXED_LENGTH) == layers | set(ZOO)


@pytest.mark.parametrize("name", OF_FIXED_LENGTH)
def test_layers_of_one_length_are_saved_for_it(name: str) -> None:
    """With any batch."""
    layer, x = OF_FIXED_LENGTH[name]
    file = io.BytesIO()
    program = torch.export.export(layer, (x,), dynamic_shapes=({0: Dim.DYNAMIC},))
    torch.export.save(program, file)
    file.seek(0)
    same(torch.export.load(file).module(), layer, (torch.cat([x, x.flip(-1), x[:1]]),))


# Layers whose computation depends on it, and layers that drop the rest of a length.
FIXED_PARITY = ("SpectralPool2d", "S3Pool2d", "PixelShuffle2d")


def any_size(case: Case, arguments: tuple[Any, ...]) -> Any:
    """Dynamic batch and lengths."""
    dims = case.layer.dimensions

    def sizes(x: torch.Tensor) -> dict[int, Any]:
        return dict.fromkeys((0, *range(x.ndim - dims, x.ndim)), Dim.DYNAMIC)

    return tree_map(sizes, arguments)


@pytest.mark.parametrize("name", EACH)
def test_layers_are_saved_for_any_size(name: str) -> None:
    case = CASES[name]
    arguments = case.arguments()
    sizes = any_size(case, arguments)
    program = torch.export.export(case.layer, arguments, dynamic_shapes=sizes)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    loaded = torch.export.load(file).module()
    # Odd lengths and even ones, except where the graph fixes which lengths are even.
    for longer in (4, 8) if name in FIXED_PARITY else (3, 4):
        same(loaded, case.layer, case.arguments(5, longer))


# About a check in torch's own code, in the version that the tests pin.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec:FutureWarning")
@slow
@pytest.mark.parametrize("name", ["SoftPool1d", "DWT1d orthonormal", "LiftUpPool1d"])
def test_layers_are_compiled_ahead_of_time(name: str, tmp_path: Path) -> None:
    """Packages of AOTInductor call the operators of liftwave."""
    case = CASES[name]
    arguments = case.arguments()
    sizes = tree_map(lambda x: {0: Dim.DYNAMIC}, arguments)
    program = torch.export.export(case.layer, arguments, dynamic_shapes=sizes)
    path = str(tmp_path / "layer.pt2")
    try:
        torch._inductor.aoti_compile_and_package(program, package_path=path)
    except torch._inductor.exc.InductorError as error:  # no C++ compiler
        pytest.skip(f"torch's default compiler does not work here: {error}")
    same(torch._inductor.aoti_load_package(path), case.layer, case.arguments(5))


def test_torchscript_is_refused() -> None:
    with pytest.raises(ExportError, match=r"use torch\.export\.export"):
        torch.jit.trace(lwt.DWT1d("db2"), CASES["DWT1d"].arguments())


def same(got: Any, layer: nn.Module, arguments: tuple[Any, ...]) -> None:
    pairs = zip(tree_leaves(got(*arguments)), tree_leaves(layer(*arguments)), strict=True)
    for result, expected in pairs:
        assert_close(result.detach(), expected.detach(), ulps=64, scale=8.0)


@pytest.mark.parametrize("mode", EXTENSION_MODES)
def test_boundary_modes_of_arrays(mode: Any) -> None:
    """The rows of positions in an array are the rows of each position."""
    for n, i in product((1, 2, 3, 8), range(-20, 30)):
        expected, row = np.zeros(n), np.zeros(n)
        for index, weight in signal_row(i, n, mode):
            expected[index] += weight
        for indices, weights in row_terms(np.asarray([i]), n, mode, np):
            row[indices[0]] += 1 if weights is None else weights[0]
        np.testing.assert_array_equal(row, expected, err_msg=f"{n} samples, sample {i}")
