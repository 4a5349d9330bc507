"""Valid arguments of everything public in pooling, constraints and layers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from argument_kinds import Case, cases
from torch import nn

import liftwave.torch as lt
from liftwave import constraints, pooling

MAPS = np.ones((1, 2, 4, 4))
HALVES = np.ones((1, 2, 2, 2))
LOW, HIGH = [1.0, 1.0], [1.0, -1.0]
WINDOW = (2, 2, 0, 1, False)
FILTERS = pooling.lift_filters(2, 3)
LINEAR = (np.ones((1, 2)), np.ones(1)), (np.ones((2, 1)), np.ones(2))
DEVICE = {"device": None, "dtype": None}
PLACE = ("name", nn.MaxPool2d(2), "max", 2, (2, 2), (2, 2), None, (0, 0), (1, 1), False)


def _pooling() -> Iterator[tuple[str, Case]]:
    line, attributes = cases(pooling, "pooling."), LINEAR
    yield line("soft_pool", MAPS, *WINDOW, per_channel=True, ndim=2)
    yield line("max_pool", MAPS, *WINDOW, return_indices=False, ndim=2)
    each = {"per_channel": True, "ndim": 2}
    yield line("edscw_pool", MAPS, *WINDOW, **each)
    yield line("similarity_pool", MAPS, *WINDOW, similarity="dice", exponential=True, **each)
    yield line("idw_pool", MAPS, *WINDOW, distance="huber", delta=1.0, **each)
    yield line("ada_pool", MAPS, *WINDOW, beta=0.5, **each)
    yield line("region_weights", pooling.soft_pool, MAPS, 2)
    reverse = {"beta": 0.5, "up": "nearest", "preserve": "sum"}
    yield line("ada_unpool", MAPS, HALVES, *WINDOW, **reverse, **each)
    places = np.zeros(HALVES.shape, np.int64)
    yield line("max_unpool", HALVES, places, 2, 2, 0, (4, 4), ndim=2)
    yield line("nearest_unpool", HALVES, 2, 2, (4, 4), ndim=2)
    yield line("bed_of_nails_unpool", HALVES, 2, 2, (4, 4), ndim=2)
    more = {"bias": np.ones(3), "groups": 1}
    yield line("conv_transpose", MAPS, np.ones((2, 3, 2, 2)), 1, 0, 0, 1, **more)
    yield line("conv_transpose_matrix", np.ones((2, 3, 2, 2)), 4, 1, 0, 0, 1, groups=1)
    statistics = (np.ones(2), np.ones(2))
    options = {"dimensions": 2, "normalize": False, "epsilon": 1e-5}
    yield line("energy_attention", MAPS, *attributes, *statistics, **options)
    common = {"padding": "reflect", "dimensions": 2}
    common["reversible"] = "auto"
    yield line("lift_down", MAPS, FILTERS, "sum", ("LL",), penalties="mean", **common)
    yield line("lift_up", [HALVES] * 4, FILTERS, (4, 4), **common)
    yield line("lift_filters", 2, 3, 2, shared=False, linear_range=64.0)
    yield line("LiftFilters", *FILTERS)
    yield line("LiftPenalties", *LOW)


def _energy(bands: list[np.ndarray]) -> tuple[float, list[np.ndarray]]:
    """The energy of the finest details, with its gradients."""
    *others, finest = bands
    return float((finest**2).sum()), [*(0 * band for band in others), 2 * finest]


def _constraints() -> Iterator[tuple[str, Case]]:
    line = cases(constraints, "constraints.")
    signal, place = np.arange(16.0) ** 2, {"mode": "periodization", "level": 1, "axis": -1}
    yield line("coding_gain", signal, "haar", **place)
    search = {"cost": _energy, "starts": 1, "seed": 0}
    yield line("design_orthonormal", signal, 4, **search, **place)
    yield line("lowpass_penalty", LOW)
    yield line("highpass_penalty", HIGH)
    yield line("reversibility_penalty", LOW, HIGH)
    yield line("symmetry_penalty", LOW, HIGH, symmetry="paper")
    yield line("orthonormality_penalty", LOW, HIGH)
    yield line("wavelet_penalty", LOW, HIGH, symmetry="paper", orthonormal=True)
    yield line("orthonormal_lowpass", [0.1], zero_sum=True)
    yield line("orthonormal_filters", [0.1], zero_sum=True, symmetric=False)
    yield line("random_orthonormal_filters", 4, 0, zero_sum=True)
    yield line("lattice_angles", "db2", zero_sum=True, tolerance=1e-6)
    yield line("symmetric_taps", "cdf5.3", zero_sum=True, dual_zero_sum=True)
    taps = [[-0.5], [0.25]]
    sums = {"zero_sum": False, "dual_zero_sum": False}
    yield line("symmetric_lifting", taps, first="predict", sign=-1, name="name", **sums)
    yield line("free_lifting", taps, first="predict", scale=(1.0, 1.0), name="name")
    yield line("vjp", constraints.orthonormal_lowpass, [0.1], zero_sum=True)
    for function in (constraints.lowpass_penalty, constraints.orthonormal_lowpass):
        value, pullback = constraints.vjp(function, [1.0])
        yield f"constraints.vjp({function.__name__})", Case(pullback, (value,))
    bank = [np.ones(4)] * 4
    _, pullback = constraints.vjp(constraints.orthonormal_filters, [0.1])
    yield "constraints.vjp(orthonormal_filters)", Case(pullback, (bank,))
    _, pullback = constraints.vjp(constraints.symmetric_lifting, taps, **sums)
    yield "constraints.vjp(symmetric_lifting)", Case(pullback, (([np.ones(1)] * 2, LOW),))


def _wavelets() -> Iterator[tuple[str, Case]]:
    line = cases(lt, "torch.")
    yield line("LearnableWavelet", "name")
    yield line("OrthonormalWavelet", "haar", random=False, zero_sum=True, **DEVICE)
    sums = {"zero_sum": True, "dual_zero_sum": True}
    yield line("LinearPhaseWavelet", "cdf5.3", random=False, **sums, **DEVICE)
    yield line("LiftingWavelet", "cdf5.3", random=False, **DEVICE)
    terms = {"weight": 1.0, "symmetry": None, "orthonormal": True}
    yield line("FiltersWavelet", "haar", random=False, **terms, **DEVICE)
    yield line("Orthonormal", True)
    angles = cases(lt.Orthonormal(), "torch.Orthonormal.")
    yield angles("forward", torch.ones(1))
    filters = constraints.orthonormal_filters([0.1]).filter_bank[2:]
    yield angles("right_inverse", torch.tensor(filters))
    yield line("LinearPhase", 3, False)
    phase = cases(lt.LinearPhase(3), "torch.LinearPhase.")
    yield phase("forward", torch.ones(2))
    yield phase("right_inverse", torch.ones(3))


def _models() -> Iterator[tuple[str, Case]]:
    line = cases(lt, "torch.")
    yield line("Place", *PLACE)
    yield line("Replacement", lt.Place(*PLACE), None, "note")
    yield line("auxiliary_loss", nn.Sequential(lt.LiftDownPool1d(2)))
    yield line("collect_penalties", nn.Sequential(lt.LiftDownPool1d(2)))
    example, options = torch.ones(1, 2, 4, 4), {"convolutions": True, "stride": 2}
    model = nn.Sequential(nn.MaxPool2d(2))
    yield line("pooling_modules", model)
    yield line("replace_pooling", model, lambda place: None, example, **options)
    weights = {"approximation": 1.0, "details": 1.0, "undecimated": True, "mode": None}
    form = {"epsilon": 1e-3, "reduction": "mean", "dimensions": 2}
    yield line("WaveletLoss", "haar", 1, "l1", **weights, **form)
    loss = cases(lt.WaveletLoss(), "torch.WaveletLoss.")
    yield loss("forward", torch.ones(1, 2, 4, 4), torch.ones(1, 2, 4, 4))
    penalty = {"penalty_weight": 1.0, "symmetry": None, "orthonormal": True}
    options = {"learn": "filters", "mode": "periodization", **DEVICE}
    yield line("LDWBottleneck", 2, 4, True, 4, **options, **penalty)
    bottleneck = cases(lt.LDWBottleneck(2, 4), "torch.LDWBottleneck.")
    yield bottleneck("forward", torch.ones(2, 2, 4, 4))
    yield line("EnergyAttention", 2, 16, False, 2, **DEVICE)
    attention = cases(lt.EnergyAttention(2), "torch.EnergyAttention.")
    yield attention("forward", example)


def _layers(d: int) -> Iterator[tuple[str, Case]]:
    """The layers for one number of dimensions."""
    x, halves = torch.ones(1, 2, *(4,) * d), torch.ones(1, 2, *(2,) * d)
    size, low = (4,) * d, "L" * d
    each = {"per_channel": True}
    yield from _layer(f"SoftPool{d}d", WINDOW, each, x)
    yield from _layer(f"EDSCWPool{d}d", WINDOW, each, x)
    yield from _layer(f"IDWPool{d}d", WINDOW, {"distance": "huber", "delta": 1.0, **each}, x)
    gate = {"channels": 2, **each, **DEVICE}
    yield from _layer(f"GatedAdaPool{d}d", WINDOW, gate, x)
    yield cases(getattr(lt, f"GatedAdaPool{d}d")(2), f"torch.GatedAdaPool{d}d.")("share_of", x)
    kinds = {"similarity": "cosine", "exponential": True, **each}
    yield from _layer(f"SimilarityPool{d}d", WINDOW, kinds, x)
    for kind in ("Nearest", "BedOfNails"):
        yield from _layer(f"{kind}Unpool{d}d", (2, 2), {}, halves, size)
    mask = {"beta": 0.5, "mask": False, "channels": 2, "trainable": True, **each, **DEVICE}
    yield from _layer(f"AdaPool{d}d", WINDOW, mask, x)
    pool = getattr(lt, f"AdaPool{d}d")(2)
    pool(x)
    for method in ("mask_for", "initialize_parameters"):
        yield cases(pool, f"torch.AdaPool{d}d.")(method, x)
    yield from _layer(f"AdaUnpool{d}d", (pool, "nearest", "sum"), {}, halves, x)
    transform = ("haar", 1, "symmetric")
    fixed = {"learn": None, "random": False, "output": "list", "groups": 1, **DEVICE}
    yield from _layer(f"DWT{d}d", transform, fixed, x)
    coeffs = getattr(lt, f"DWT{d}d")()(x)
    yield from _layer(f"IDWT{d}d", transform, fixed, coeffs, size)
    yield from _undecimated(d, x)
    tree = ((1, "cdf5.3", "q10"), {"output": "real"})
    yield from _layer(f"DualTree{d}d", *tree, x)
    bands = getattr(lt, f"DualTree{d}d")(1, output="real")(x)
    yield from _layer(f"IDualTree{d}d", *tree, bands, size)
    kernel = {"stride": 1, "bias": True, "learn": None, "random": False}
    place = {"device": None, "dtype": None}
    convolution = (2, 3, 1, "haar", "periodization")
    yield from _layer(f"WTConv{d}d", convolution, {**kernel, **place}, x)
    if d < 3:
        yield from _packets(d, x)
        options = {"transform": "dwt", "rule": "soft", "initial": 0.1, "channels": 2}
        options |= {"relative": False, "learn": None, "random": False, **DEVICE}
        yield from _layer(f"Denoise{d}d", ("haar", 1, "symmetric"), options, x)
        options = {"order": 2, "average": True}
        yield from _layer(f"Scattering{d}d", (1, 2), options, x)
    penalty = {"penalty_weight": 1.0, "symmetry": None, "orthonormal": True}
    filters = {"learn": "filters", "init": None, "mode": "symmetric", **penalty, **DEVICE}
    yield from _layer(f"LDWPool{d}d", (4, "sum", (low,)), filters, x)
    bands = [halves] * 2**d
    yield from _layer(f"LDWUnpool{d}d", (getattr(lt, f"LDWPool{d}d")(4),), {}, bands, size)
    start = {
        "shared": False,
        "init": "wavelet",
        "linear_range": None,
        "reversible": "auto",
        "device": None,
        "dtype": None,
    }
    loss = {"padding": "reflect", "penalty_weights": (0.01, 0.1), "reduction": "mean"}
    loss["return_penalty"] = False
    yield from _layer(f"LiftDownPool{d}d", (2, 3, "sum", (low,)), {**loss, **start}, x)
    yield from _layer(f"LiftUpPool{d}d", (getattr(lt, f"LiftDownPool{d}d")(2),), {}, bands, size)


def _undecimated(d: int, x: torch.Tensor) -> Iterator[tuple[str, Case]]:
    fixed = {"learn": None, "random": False, "output": "list", "groups": 1, **DEVICE}
    transform, options = ("haar", 1, "periodization"), {"norm": False, **fixed}
    yield from _layer(f"SWT{d}d", transform, options, x)
    yield from _layer(f"ISWT{d}d", transform, options, getattr(lt, f"SWT{d}d")()(x))
    if d == 1:
        overlap = ("haar", 1, "periodic")
        yield from _layer("MODWT1d", overlap, fixed, x)
        yield from _layer("IMODWT1d", overlap, fixed, lt.MODWT1d("haar")(x))
        rows = {"norm": "energy", "mode": "zero", "output": "power", "learn": "all"}
        yield from _layer("Scalogram1d", ([0.2, 0.1], 1.0, "morse"), {**rows, **DEVICE}, x)


def _packets(d: int, x: torch.Tensor) -> Iterator[tuple[str, Case]]:
    options = {
        "order": "freq",
        "learn": None,
        "random": False,
        "output": "stack",
        "groups": 1,
        **DEVICE,
    }
    transform, size = ("haar", 1, "symmetric"), (4,) * d
    yield from _layer(f"WaveletPacket{d}d", transform, options, x)
    packets = getattr(lt, f"WaveletPacket{d}d")()(x)
    yield from _layer(f"IWaveletPacket{d}d", transform, options, packets, size)


def _layer(
    name: str, arguments: tuple[object, ...], options: dict[str, object], *inputs: object
) -> Iterator[tuple[str, Case]]:
    """The constructor of a layer, and its call."""
    yield cases(lt, "torch.")(name, *arguments, **options)
    layer = getattr(lt, name)(*arguments, **options)
    yield cases(layer, f"torch.{name}.")("forward", *inputs)


LAYERS: dict[str, Case] = dict(
    [
        *_pooling(),
        *_constraints(),
        *_wavelets(),
        *_models(),
        *(line for d in (1, 2, 3) for line in _layers(d)),
    ]
)
