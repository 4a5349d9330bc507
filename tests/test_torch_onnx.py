"""Layers as ONNX graphs of standard operators, run by onnxruntime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from helpers import MODES, assert_close, to_numpy, zero_mean
from no_fallback_layers import ZOO
from test_torch_transform_graphs import MANY, MODELS, image
from torch import nn
from torch.utils._pytree import tree_leaves, tree_map
from torch_layer_cases import CASES

import liftwave as lw
from liftwave import pooling
from liftwave import torch as lwt
from liftwave._plan.boundary import LIFTING_MODES
from liftwave.errors import ExportError

pytest.importorskip("onnxscript", reason="torch.onnx needs onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

pytestmark = [
    pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning"),
    # Warnings of torch's exporter: about itself, and about two inputs with the same batch size.
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings("ignore:# The axis name:UserWarning"),
]

DWT = {1: lwt.DWT1d, 2: lwt.DWT2d, 3: lwt.DWT3d}
SIZES = {1: (17,), 2: (11, 8), 3: (7, 6, 5)}
BATCH = torch.export.Dim("batch")
SCHEME = lw.LiftingScheme.from_name("cdf5.3")
FILTERS = pooling.LiftFilters(*map(torch.asarray, pooling.lift_filters(3, 5, 1)))


class RoundTrips(nn.Module):
    """Coefficients of several layers, and their reconstructions after a change."""

    def __init__(self, layers: Sequence[Any]) -> None:
        super().__init__()
        self.there = nn.ModuleList(layers)
        self.back = nn.ModuleList([layer.inverse() for layer in layers])

    def forward(self, x: torch.Tensor) -> list[Any]:
        results = []
        for dwt, idwt in zip(self.there, self.back, strict=True):
            approx, *details = dwt(x)
            size = x.shape[x.ndim - dwt.dimensions :]
            results += [approx, details, idwt([2.0 * approx, *details], output_size=size)]
        return results


def data(*shape: int, dtype: str = "float32") -> torch.Tensor:
    return torch.asarray(zero_mean(shape, dtype=dtype))


def same_in_onnx(module: nn.Module, arguments: Any, others: Any = None, **options: Any) -> None:
    """The graph equals the module for the exported arguments, and for others."""
    module.eval()
    made = torch.onnx.export(module, arguments, dynamo=True, verbose=False, **options)
    assert {node.domain for node in made.model.graph} == {""}
    session = onnxruntime.InferenceSession(made.model_proto.SerializeToString())
    for given in (arguments, others) if others else (arguments,):
        arrays = [to_numpy(x) for x in tree_leaves(given)]
        names = [i.name for i in session.get_inputs()]
        got = session.run(None, dict(zip(names, arrays, strict=True)))
        expected = [to_numpy(y) for y in tree_leaves(module(*given))]
        scale = max(float(np.abs(y).max()) for y in expected)
        for a, b in zip(got, expected, strict=True):
            assert_close(a, b, ulps=8, scale=scale)


# --- fixed wavelets ------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_mode_and_several_levels() -> None:
    """Lifting uses another computation than filters. One graph, because exports take seconds."""
    scheme = lw.LiftingScheme.from_name("cdf5.3")
    layers = [lwt.DWT1d("db2", 1, mode) for mode in MODES]
    layers += [lwt.DWT1d("bior1.3", 2), lwt.DWT1d(scheme, 2, "periodization")]
    same_in_onnx(RoundTrips(layers), (data(2, 3, 17),))


@pytest.mark.slow
@pytest.mark.parametrize(("dims", "wavelet"), [(2, "db2"), (3, "haar")])
def test_every_mode_on_some_axis(dims: int, wavelet: str) -> None:
    each = [MODES[k : k + dims] for k in range(0, len(MODES) - dims + 1, dims)]
    layers = [DWT[dims](wavelet, 1, modes) for modes in each]
    same_in_onnx(RoundTrips(layers), (data(2, 3, *SIZES[dims]),))


@pytest.mark.slow
@pytest.mark.parametrize("n", [1, 2, 17])
def test_wavelets(n: int) -> None:
    """Several levels, short signals and long filters."""
    layers = [lwt.DWT1d(w, 2) for w in ("haar", "sym4", "bior1.3")]
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    layers += [lwt.DWT1d(scheme, 2, mode) for mode in ("periodization", "reflect")[: 1 + (n > 2)]]
    same_in_onnx(RoundTrips(layers), (data(2, 3, n),))


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_without_a_batch(dims: int) -> None:
    same_in_onnx(RoundTrips([DWT[dims]("haar")]), (data(3, *SIZES[dims]),))


@pytest.mark.parametrize(
    "wavelet",
    [
        lw.LiftingScheme.from_name("cdf5.3"),
        "db2",
        lw.LiftingScheme.from_name("cdf9.7"),
    ],
)
@pytest.mark.slow
def test_any_batch_and_any_channels(wavelet: Any) -> None:
    """Graphs exported for one size support others."""
    layer = RoundTrips([lwt.DWT2d(wavelet, 1, "reflect")])
    sizes = ({0: BATCH, 1: torch.export.Dim("channels")},)
    same_in_onnx(layer, (data(2, 3, 17, 16),), (data(5, 1, 17, 16),), dynamic_shapes=sizes)


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_inverses_alone(dims: int) -> None:
    """Also with a missing band: in lifting, zeros of any batch size replace it."""

    class Inverse(nn.Module):
        def __init__(self, dwt: Any) -> None:
            super().__init__()
            self.idwt = dwt.inverse()

        def forward(self, coeffs: list[Any]) -> Any:
            return self.idwt(coeffs), self.idwt([None, *coeffs[1:]])

    for wavelet in ("haar", lw.LiftingScheme.from_name("cdf5.3")):
        dwt = DWT[dims](wavelet, mode="periodization")
        few, many = (dwt(data(n, 3, *SIZES[dims])) for n in (2, 5))
        sizes = tree_map(lambda _: {0: BATCH}, few)
        same_in_onnx(Inverse(dwt), (few,), (many,), dynamic_shapes=(sizes,))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_precisions(dtype: str) -> None:
    """All numbers in the graph preserve double precision."""
    scheme = lw.LiftingScheme.from_name("cdf9.7")
    layers = [lwt.DWT1d(scheme, 1, "zero"), lwt.DWT1d("sym3", 1, "smooth")]
    same_in_onnx(RoundTrips(layers), (data(2, 3, 17, dtype=dtype),))


# --- the rest ------------------------------------------------------------------------------------


def test_functions() -> None:
    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> Any:
            coeffs = lw.wavedec2(x.sin(), "haar", level=2)
            return coeffs[0], lw.waverec2(coeffs, "haar")

    some, more = data(2, 3, 17, 16), data(5, 3, 17, 16)
    same_in_onnx(Model(), (some,), (more,), dynamic_shapes=({0: BATCH},))


@pytest.mark.parametrize(
    "kinds",
    [
        {"orthonormal": "db3", "lifting": "db2"},
        pytest.param({"linear-phase": "cdf9.7", "filters": "db2"}, marks=pytest.mark.slow),
    ],
)
def test_learned_layers(kinds: dict[str, str]) -> None:
    layers = [lwt.DWT1d(w, 1, "periodization", learn=learn) for learn, w in kinds.items()]
    some, more = data(2, 3, 17), data(5, 3, 17)
    same_in_onnx(RoundTrips(layers), (some,), (more,), dynamic_shapes=({0: BATCH},))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["learned", "fixed"])
def test_undecimated_layers_and_packets(kind: str) -> None:
    """The computation in float32; the batch may have any size."""
    arguments = (image(),), (image(*MANY),)
    same_in_onnx(MODELS[kind], *arguments, dynamic_shapes=({0: BATCH},))


@pytest.mark.parametrize(
    ("modes", "lifting_modes", "level", "n"),
    [
        (("periodization",), ("reflect",), 1, 20),
        pytest.param(MODES, LIFTING_MODES, 2, 41, marks=pytest.mark.slow),
    ],
)
def test_transforms_of_any_length(modes: Any, lifting_modes: Any, level: int, n: int) -> None:
    """Exported for an even length or an odd one, run on the other kind."""

    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> list[Any]:
            bands = [lw.wavedec(x, "haar", mode, level) for mode in modes]
            lifted = [lw.wavedec(x, SCHEME, mode, level) for mode in lifting_modes]
            back = [lw.waverec(b, SCHEME, m) for b, m in zip(lifted, lifting_modes, strict=True)]
            whole = [lw.swt(x, SCHEME, level, mode=mode) for mode in lifting_modes]
            signals = [lw.waverec(b, "haar", m) for b, m in zip(bands, modes, strict=True)]
            packets = lw.wpdec(x, "haar", level=level), lw.modwt(x, "haar", level=level)
            pooled = pooling.lift_down(x, FILTERS, dimensions=1)
            return [bands, lifted, back, whole, signals, packets, pooled]

    sizes = ({0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC},)
    same_in_onnx(Model(), (data(2, 3, n),), (data(5, 3, n + 3),), dynamic_shapes=sizes)


@pytest.mark.parametrize("learn", [None, "lifting"])
def test_exported_programs_are_too_late(learn: str | None) -> None:
    program = torch.export.export(lwt.DWT1d("db2", learn=learn), (data(2, 3, 9),))
    with pytest.raises(torch.onnx.errors.OnnxExporterError) as caught:
        torch.onnx.export(program, (), dynamo=True, verbose=False)
    cause = caught.value.__cause__
    assert isinstance(cause, ExportError)
    assert "pass the module itself to torch.onnx.export" in str(cause)


# --- every layer ---------------------------------------------------------------------------------


class Layers(nn.Module):
    """Several layers, each with its own arguments. One graph, because exports take seconds."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.layers = nn.ModuleList([CASES[name].layer for name in names])

    def forward(self, arguments: list[Any]) -> list[Any]:
        return [layer(*own) for layer, own in zip(self.layers, arguments, strict=True)]


def _groups() -> dict[str, list[str]]:
    """The names of all cases: for each dimension, the kinds of pooling and of transforms."""
    groups: dict[str, list[str]] = {}
    for name, case in CASES.items():
        kind = "pooling" if re.search("Pool|Unpool|Energy|Bottleneck", name) else "transforms"
        kind = "zoo" if name in ZOO else kind
        kind = "windows" if is_of_windows(name) else kind
        kind = "dual trees" if "tree" in name.lower() else kind
        groups.setdefault(f"{kind} {case.layer.dimensions}d", []).append(name)
    return groups


def is_of_windows(name: str) -> bool:
    kinds = "Soft|EDSCW|IDW|Ada|Similarity|GatedAda|Nearest|BedOfNails"
    return re.match(f"({kinds})(Pool|Unpool)", name) is not None


OF_FIXED_LENGTH_IN_ONNX = (
    "SpectralPool2d",  # its computation depends on whether a length is even
    *(name for name in CASES if "tree" in name.lower()),
)
"""Layers whose graphs support one length."""

GROUPS = _groups() | {"quick": ["SoftPool1d overlapping", "AdaUnpool1d"]}


@pytest.mark.parametrize(
    "group", [g if g == "quick" else pytest.param(g, marks=pytest.mark.slow) for g in GROUPS]
)
def test_every_layer(group: str) -> None:
    """Any batch, any lengths."""
    names = GROUPS[group]
    some = [CASES[name].arguments() for name in names]
    longer = {name: 0 if name in OF_FIXED_LENGTH_IN_ONNX else 3 for name in names}
    more = [CASES[name].arguments(5, longer[name]) for name in names]

    def sizes(name: str, x: torch.Tensor) -> dict[int, Any]:
        dims = CASES[name].layer.dimensions if longer[name] else 0
        return dict.fromkeys((0, *range(x.ndim - dims, x.ndim)), torch.export.Dim.DYNAMIC)

    shapes = [
        tree_map(lambda x, name=name: sizes(name, x), own)
        for name, own in zip(names, some, strict=True)
    ]
    # The time of the exporter's optimiser grows with the square of the number of operations.
    options = {"dynamic_shapes": (shapes,), "optimize": False}
    same_in_onnx(Layers(names), (some,), (more,), **options)


def test_functions_of_pooling() -> None:
    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> list[Any]:
            pooled = pooling.max_pool(x, 2)
            unpooled = pooling.nearest_unpool(pooled, 2), pooling.bed_of_nails_unpool(pooled, 2)
            return [pooled, *unpooled]

    some, more = data(2, 3, 9, 8), data(5, 3, 9, 8)
    same_in_onnx(Model(), (some,), (more,), dynamic_shapes=({0: BATCH},))
