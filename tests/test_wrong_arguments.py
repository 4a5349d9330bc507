"""Wrong arguments of many kinds: every error is a ``LiftwaveError``, and PyWavelets' builtin.

Each argument of each public function is replaced by each kind of wrong object. A call may succeed,
because many objects are valid in some places.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from scipy import sparse

import liftwave as lw
from liftwave import constraints, pooling
from liftwave.errors import DTypeError, LiftwaveError
from liftwave.operators import WaveletOperator

pytestmark = pytest.mark.filterwarnings("ignore")

PORTING = Path(lw.__file__).parent.parent / "docs" / "porting.md"


class Other:
    """An object that is nothing in particular."""


KINDS: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "text": lambda: "soft",
    "empty text": lambda: "",
    "bytes": lambda: b"ab",
    "negative": lambda: -1,
    "fraction": lambda: 2.5,
    "not a number": lambda: float("nan"),
    "huge": lambda: 10**30,
    "complex": lambda: 2j,
    "object": Other,
    "function": lambda: len,
    "empty list": list,
    "empty dict": dict,
    "set": lambda: {1},
    "ragged": lambda: [[1.0, 2.0], [3.0]],
    "texts": lambda: ["a", "b"],
    "0-d": lambda: np.array(1.0),
    "empty": lambda: np.zeros(0),
    "5-d": lambda: np.ones((1,) * 5),
    "dates": lambda: np.array(["2001-01-01"], "M8[D]"),
    "keys": lambda: {"aaa": np.eye(4)},
}
MORE_KINDS: dict[str, Callable[[], Any]] = {
    "true": lambda: True,
    "class": lambda: Other,
    "records": lambda: np.zeros(3, [("a", float)]),
    "sparse": lambda: sparse.eye(3).tocsr(),
    "sparse tensor": lambda: torch.ones(3).to_sparse(),
    "generator": lambda: iter((0, 1, 2)),
    "three": lambda: (1, 2, 3),
    "slice": lambda: slice(3),
    "other keys": lambda: {"x": np.ones(2)},
    "nothing twice": lambda: [None, None],
    "two libraries": lambda: [np.ones(2), torch.ones(2)],
}
ALL_KINDS = {**KINDS, **MORE_KINDS}

LINE, IMAGE = np.arange(8.0), np.arange(16.0).reshape(4, 4)
WAVEDECN = pywt.wavedecn(IMAGE, "haar", level=1)
PACKED, FLAT = pywt.coeffs_to_array(WAVEDECN), pywt.ravel_coeffs(WAVEDECN)

# Valid arguments of the functions that PyWavelets has, too.
SHARED: dict[str, tuple[Any, ...]] = {
    "dwt": (LINE, "haar", "symmetric", -1),
    "idwt": (LINE, LINE, "haar", "symmetric", -1),
    "dwt2": (IMAGE, "haar", "symmetric", (-2, -1)),
    "idwt2": ((IMAGE, (IMAGE,) * 3), "haar", "symmetric", (-2, -1)),
    "dwtn": (IMAGE, "haar", "symmetric", None),
    "idwtn": ({"aa": IMAGE, "dd": IMAGE}, "haar", "symmetric", None),
    "downcoef": ("a", LINE, "haar", "symmetric", 1),
    "upcoef": ("a", LINE, "haar", 1, 0),
    "wavedec": (LINE, "haar", "symmetric", 1, -1),
    "waverec": (pywt.wavedec(LINE, "haar", level=2), "haar", "symmetric", -1),
    "wavedec2": (IMAGE, "haar", "symmetric", 1, (-2, -1)),
    "waverec2": (pywt.wavedec2(IMAGE, "haar", level=1), "haar", "symmetric", (-2, -1)),
    "wavedecn": (IMAGE, "haar", "symmetric", 1, None),
    "waverecn": (WAVEDECN, "haar", "symmetric", None),
    "fswavedecn": (IMAGE, "haar", "symmetric", 1, None),
    "fswaverecn": (pywt.fswavedecn(IMAGE, "haar"),),
    "coeffs_to_array": (WAVEDECN, 0, None),
    "array_to_coeffs": (*PACKED, "wavedecn"),
    "ravel_coeffs": (WAVEDECN, None),
    "unravel_coeffs": (*FLAT, "wavedecn"),
    "wavedecn_shapes": ((8, 8), "haar", "symmetric", 1, None),
    "wavedecn_size": (pywt.wavedecn_shapes((8, 8), "haar"),),
    "dwt_max_level": (8, 2),
    "dwtn_max_level": ((8, 8), "haar", None),
    "dwt_coeff_len": (8, 2, "symmetric"),
    "pad": (LINE, 2, "symmetric"),
    "Wavelet": ("haar", None),
    "families": (True,),
    "cwt": (LINE, [1, 2], "mexh", 1.0, "conv", -1),
    "integrate_wavelet": ("mexh", 3),
    "central_frequency": ("mexh", 3),
    "scale2frequency": ("mexh", 2, 3),
    "intwave": ("mexh", 3),
    "centrfrq": ("mexh", 3),
    "scal2frq": ("mexh", 2, 3),
    "frequency2scale": ("mexh", 2, 3),
    "BaseNode": (None, LINE, ""),
    "Node": (None, LINE, ""),
    "Node2D": (None, IMAGE, ""),
    "NodeND": (None, IMAGE, "", 2, 2),
    "WaveletPacket": (LINE, "haar", "symmetric", 2, -1),
    "WaveletPacket2D": (IMAGE, "haar", "symmetric", 2, (-2, -1)),
    "WaveletPacketND": (IMAGE, "haar", "symmetric", 2, None),
    "FswavedecnResult": (IMAGE, [[slice(2), slice(2, 4)]] * 2, ["haar"] * 2, ["zero"] * 2, (0, 1)),
}

D = lw.decompose(IMAGE, "haar", level=1)
RESULT = lw.fswavedecn(IMAGE, "haar", levels=1)
PACKET, PACKET_2D = lw.WaveletPacket(LINE, "haar"), lw.WaveletPacket2D(IMAGE, "haar")
TREE = lw.PacketTree(["a", "da", "dd"])
FULL = lw.wpdec(LINE, "haar", level=2, full=True)
FULL_BATCH = lw.wpdec(IMAGE, "haar", level=2, full=True)


def with_cost(packets: Any, cost: Any, value: Any) -> None:
    """A basis by a cost. (A class is a function, and raises its own errors.)"""
    lw.best_basis(packets, "norm" if isinstance(cost, type) else cost, value)


def copy_of_packet(path: Any, data: Any) -> None:
    """Set the coefficients of a node."""
    lw.WaveletPacket(LINE, "haar")[path] = data


SCHEME, BANK = lw.LiftingScheme.from_name("cdf5.3"), lw.FilterBank(*pywt.Wavelet("db2").filter_bank)
MAPS = np.ones((1, 2, 4, 4))

# Functions, classes and methods that PyWavelets does not have, with valid arguments.
OURS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "FilterBank": (lw.FilterBank, (*[[1.0, 1.0]] * 4, "name")),
    "LiftingStep": (lw.LiftingStep, ("predict", [-1.0], 0)),
    "LiftingScheme": (lw.LiftingScheme, (SCHEME.steps, (1.0, 1.0), "name", (0, 0))),
    "from_name": (lw.LiftingScheme.from_name, ("haar",)),
    "from_wavelet": (lw.LiftingScheme.from_wavelet, ("haar",)),
    "from_filter_bank": (lw.LiftingScheme.from_filter_bank, (BANK,)),
    "fixed_point": (lw.LiftingScheme.fixed_point, (SCHEME.steps[0],)),
    "decompose": (lw.decompose, (IMAGE, "haar", 1, "symmetric", None)),
    "Decomposition[]": (D.__getitem__, ((1, "dd"),)),
    "from_array": (D.from_array, (D.to_array(),)),
    "replace": (D.replace, ({(1, "dd"): D[1, "dd"]},)),
    "keep_largest": (D.keep_largest, (0.5,)),
    "FswavedecnResult[]": (RESULT.__getitem__, ((0, 1),)),
    "FswavedecnResult[] =": (RESULT.__setitem__, ((0, 1), np.ones((2, 2)))),
    "coeffs =": (lambda c: setattr(RESULT, "coeffs", c), (RESULT.coeffs,)),
    "approx =": (lambda a: setattr(RESULT, "approx", a), (RESULT.approx,)),
    "wavefun": (lw.wavefun, ("haar", 3)),
    "scaling_function": (lw.scaling_function, ("haar", 3)),
    "packet[]": (lambda path: PACKET[path].data, ("ad",)),
    "packet[] =": (copy_of_packet, ("ad", LINE)),
    "get_subnode": (PACKET.get_subnode, ("a", True)),
    "get_level": (PACKET.get_level, (2, "freq", True)),
    "expand_2d_path": (PACKET_2D.expand_2d_path, ("ahv",)),
    "wpdec": (lw.wpdec, (LINE, "haar", "symmetric", 2, -1)),
    "wpdec options": (
        lambda order, full: lw.wpdec(LINE, "haar", level=2, order=order, full=full),
        ("freq", True),
    ),
    "wpdec tree": (lambda tree: lw.wpdec(LINE, "haar", tree=tree), (TREE,)),
    "wprec": (lw.wprec, (np.ones((2, 4)), "haar", "symmetric", -1)),
    "wprec options": (
        lambda shape, order: lw.wprec(np.ones((2, 4)), "haar", shape=shape, order=order),
        (8, "freq"),
    ),
    "wprec tree": (
        lambda packets, tree: lw.wprec(packets, "haar", tree=tree),
        (lw.wpdec(LINE, "haar", tree=TREE), TREE),
    ),
    "packet_bands": (lw.packet_bands, (2, 1.0, "freq")),
    "PacketTree": (lw.PacketTree, (["a", "d"], 1)),
    "PacketTree.complete": (lw.PacketTree.complete, (2, 1)),
    "PacketTree.wavelet": (lw.PacketTree.wavelet, (2, 1)),
    "PacketTree.bands": (TREE.bands, (1.0,)),
    "PacketTree.plot": (TREE.plot, (None, 1.0)),
    "best_basis": (with_cost, (FULL, "norm", 1.0)),
    "best_basis options": (
        lambda axes, order: lw.best_basis(FULL, axes=axes, order=order),
        (-1, "freq"),
    ),
    "joint_basis": (lw.joint_basis, (FULL_BATCH, 1.0)),
    "least_dependent_basis": (lw.least_dependent_basis, (FULL_BATCH, "spacing")),
    "discriminant_basis": (lw.discriminant_basis, (FULL_BATCH, [0, 1, 0, 1])),
    "kernels": (lambda name: lw.kernels(name).__enter__(), ("reference",)),
    "set_num_threads": (lw.set_num_threads, (lw.get_num_threads(),)),
    "vjp": (lw.vjp, (lw.dwt, LINE, "haar")),
    "WaveletOperator": (WaveletOperator, ((8,), "haar", "symmetric", 1, None)),
    **{
        name: (getattr(pooling, name), (MAPS, 2))
        for name in (
            "soft_pool",
            "max_pool",
            "edscw_pool",
            "similarity_pool",
            "idw_pool",
            "ada_pool",
            "nearest_unpool",
            "bed_of_nails_unpool",
        )
    },
    "conv_transpose": (pooling.conv_transpose, (MAPS, np.ones((2, 3, 2, 2)))),
    "lowpass_penalty": (constraints.lowpass_penalty, ([1.0, 1.0],)),
    "highpass_penalty": (constraints.highpass_penalty, ([1.0, -1.0],)),
    "reversibility_penalty": (constraints.reversibility_penalty, ([1.0, 1.0], [1.0, -1.0])),
    "symmetry_penalty": (constraints.symmetry_penalty, ([1.0, 1.0], [1.0, -1.0])),
    "orthonormality_penalty": (constraints.orthonormality_penalty, ([1.0, 1.0], None)),
    "wavelet_penalty": (constraints.wavelet_penalty, ([1.0, 1.0], [1.0, -1.0])),
    "orthonormal_lowpass": (constraints.orthonormal_lowpass, ([0.1],)),
    "orthonormal_filters": (constraints.orthonormal_filters, ([0.1],)),
    "lattice_angles": (constraints.lattice_angles, ("db2",)),
    "symmetric_taps": (constraints.symmetric_taps, ("cdf5.3",)),
    "random_orthonormal_filters": (constraints.random_orthonormal_filters, (4,)),
}

# --- PyWavelets' classes -------------------------------------------------------------------------

# Errors from the middle of PyWavelets' functions. The porting page has a row about them.
ACCIDENTS = (AttributeError, KeyError, RuntimeError, OverflowError, NameError)
# Iterators and sparse matrices have no length. PyWavelets raises TypeError for all of them.
NO_LENGTH = ("generator", "sparse", "sparse tensor")
# Rows of the porting page: the function, the position of the argument, and the class in PyWavelets.
KNOWN: dict[tuple[str, int], type[Exception]] = {
    ("dwt", 0): TypeError,
    ("idwt", 0): TypeError,
    ("idwt", 1): TypeError,
    ("idwtn", 3): TypeError,
    ("downcoef", 1): TypeError,
    ("upcoef", 1): TypeError,
    ("upcoef", 4): ValueError,
    ("waverec", 0): ValueError,
    ("waverec2", 3): TypeError,
    ("coeffs_to_array", 2): TypeError,
    ("ravel_coeffs", 1): TypeError,
    ("wavedecn_size", 0): IndexError,
    ("dwt_coeff_len", 1): TypeError,
    ("cwt", 0): TypeError,
    ("cwt", 1): TypeError,
    ("cwt", 3): TypeError,
    ("cwt", 4): TypeError,
    ("integrate_wavelet", 0): IndexError,
    ("intwave", 0): IndexError,
    ("WaveletPacket2D", 1): TypeError,
    ("WaveletPacketND", 1): TypeError,
}


def raised(call: Callable[..., Any], arguments: list[Any]) -> Exception | None:
    """The error of a call; None if it succeeds."""
    try:
        call(*arguments)
    except Exception as error:
        return error
    return None


def builtin(error: Exception) -> type[Exception]:
    """The class of an error, or the builtin that it derives from."""
    return next(c for c in type(error).__mro__ if c.__module__ == "builtins")


# PyWavelets counts up to huge levels, and writes outside its arrays for axes that do not exist
# (the bytes "ab" are axes 97 and 98) and for keys of more letters than there are axes.
UNSAFE = ("huge", "bytes", "keys")


def check_class(name: str, position: int, kind: str, ours: Exception) -> None:
    """Compare the class with PyWavelets' error for the same argument, if it raises one."""
    if kind in UNSAFE:
        return
    arguments = list(SHARED[name])
    arguments[position] = ALL_KINDS[kind]()
    theirs = raised(getattr(pywt, name), arguments)
    if theirs is None or isinstance(theirs, ACCIDENTS) or kind in NO_LENGTH:
        return
    if isinstance(ours, DTypeError) or isinstance(theirs, KNOWN.get((name, position), ())):
        return
    assert isinstance(ours, builtin(theirs)), f"{ours!r}, but PyWavelets raises {theirs!r}"


def kinds() -> list[Any]:
    slow = [pytest.param(kind, marks=pytest.mark.slow) for kind in MORE_KINDS]
    return [*KINDS, *slow]


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", SHARED)
def test_errors_are_ours_and_those_of_pywavelets(name: str, kind: str) -> None:
    for position in range(len(SHARED[name])):
        arguments = list(SHARED[name])
        arguments[position] = ALL_KINDS[kind]()
        error = raised(getattr(lw, name), arguments)
        if error is not None:
            assert isinstance(error, LiftwaveError), f"argument {position}: {error!r}"
            check_class(name, position, kind, error)


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("name", OURS)
def test_errors_of_our_functions_are_ours(name: str, kind: str) -> None:
    function, valid = OURS[name]
    for position in range(len(valid)):
        arguments = list(valid)
        arguments[position] = ALL_KINDS[kind]()
        error = raised(function, arguments)
        assert error is None or isinstance(error, LiftwaveError), f"argument {position}: {error!r}"


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SHARED, *OURS])
def test_errors_of_two_wrong_arguments_are_ours(name: str) -> None:
    function, valid = OURS[name] if name in OURS else (getattr(lw, name), SHARED[name])
    for one, two in combinations(range(len(valid)), 2):
        for first in ALL_KINDS.values():
            for second in ALL_KINDS.values():
                arguments = list(valid)
                arguments[one], arguments[two] = first(), second()
                error = raised(function, arguments)
                assert error is None or isinstance(error, LiftwaveError), (arguments, error)


def test_valid_arguments_are_valid() -> None:
    for name, arguments in SHARED.items():
        assert raised(getattr(lw, name), list(arguments)) is None, name
    for name, (function, valid) in OURS.items():
        assert raised(function, list(valid)) is None, name


def test_functions_are_not_forgotten() -> None:
    """Thresholds and denoising have their own tests, and some names are PyWavelets' own."""
    elsewhere = {"threshold", "threshold_firm", "denoise", "estimate_sigma", "Decomposition"}
    theirs = {"Modes", "orthogonal_filter_bank", "qmf", "wavelist"}
    theirs |= {"ContinuousWavelet", "DiscreteContinuousWavelet"}
    theirs |= {"orthfilt"}
    no_arguments = {"get_num_threads", "show_config"}
    assert set(lw.__all__) - {*SHARED, *OURS} == elsewhere | theirs | no_arguments


def test_known_differences_are_in_the_porting_page() -> None:
    if not PORTING.exists():
        pytest.skip("the documentation is not installed")
    page = PORTING.read_text(encoding="utf-8")
    for name in {name for name, _ in KNOWN}:
        assert f"`{name}`" in page, name
    for accident in ACCIDENTS:
        assert f"`{accident.__name__}`" in page, accident
