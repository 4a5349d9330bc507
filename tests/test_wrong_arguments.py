"""Wrong arguments of many kinds: every error is a ``LiftwaveError``, and PyWavelets' builtin.

Each argument of everything public is replaced by each kind of wrong object. A call may succeed,
because many objects are valid in some places. The modules ``argument_*.py`` hold
the valid arguments.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import pywt
from argument_blocks import OURS as OUR_BLOCKS
from argument_continuous import OURS as OUR_CONTINUOUS
from argument_kinds import ALL_KINDS, KINDS, MORE_KINDS, Case, public
from argument_layers import LAYERS
from argument_neighbours import NEIGHBOURS
from argument_packets import OURS as OUR_PACKETS
from argument_packets import SHARED as SHARED_PACKETS
from argument_table import OURS
from argument_table import SHARED as SHARED_TRANSFORMS
from argument_undecimated import OURS as OUR_UNDECIMATED
from argument_undecimated import SHARED as SHARED_UNDECIMATED

import liftwave as lw
from liftwave.errors import DTypeError, LiftwaveError

pytestmark = pytest.mark.filterwarnings("ignore")

PORTING = Path(lw.__file__).parent.parent / "docs" / "porting.md"
SHARED = {**SHARED_TRANSFORMS, **SHARED_PACKETS, **SHARED_UNDECIMATED}
TABLE = {
    **SHARED,
    **OURS,
    **OUR_PACKETS,
    **OUR_UNDECIMATED,
    **OUR_CONTINUOUS,
    **OUR_BLOCKS,
    **LAYERS,
    **NEIGHBOURS,
}

# Functions and models of the user are called: their errors pass through.
USERS = {
    ("Decomposition.map", 0): {"class"},
    ("Decomposition.threshold", 0): {"class"},
    ("BaseNode.walk", 0): {*ALL_KINDS},
    ("BaseNode.walk_depth", 0): {*ALL_KINDS},
    ("best_basis", 1): {"class"},
    ("constraints.design_orthonormal", "cost"): {"class"},
    ("zarr.decompose_to", "progress"): {"class", "function"},
    ("zarr.reconstruct_to", "progress"): {"class", "function"},
    ("torch.replace_pooling", 1): {"class"},
    ("torch.replace_pooling", 2): {*ALL_KINDS},
}

# --- PyWavelets' classes -------------------------------------------------------------------------

# Errors from the middle of PyWavelets' functions. The porting page has a row about them.
ACCIDENTS = (AttributeError, KeyError, RuntimeError, OverflowError, NameError)
# Iterators and sparse matrices have no length. PyWavelets raises TypeError for all of them.
NO_LENGTH = ("generator", "sparse", "sparse tensor")
# PyWavelets does not know tensors.
TENSORS = ("two libraries",)
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
    ("swt", 0): TypeError,
    ("iswt2", 3): TypeError,
    ("iswtn", 2): TypeError,
    ("mra", 0): TypeError,
    **{(name, k): TypeError for name in ("mra", "mra2", "mran") for k in (4, 5)},
    ("ravel_coeffs", 1): TypeError,
    ("wavedecn_size", 0): IndexError,
    ("dwt_coeff_len", 1): TypeError,
    ("threshold_firm", 1): TypeError,
    ("threshold_firm", 2): TypeError,
    ("cwt", 0): TypeError,
    ("cwt", 1): TypeError,
    ("cwt", 3): TypeError,
    ("cwt", 4): TypeError,
    ("integrate_wavelet", 0): IndexError,
    ("intwave", 0): IndexError,
    ("WaveletPacket2D", 1): TypeError,
    ("WaveletPacketND", 1): TypeError,
}


def raised(case: Case, replaced: dict[int | str, Any]) -> Exception | None:
    """The error of a call with some arguments replaced; None if it succeeds."""
    try:
        case.call(replaced)
    except Exception as error:
        return error
    return None


def builtin(error: Exception) -> type[Exception]:
    """The class of an error, or the builtin that it derives from."""
    return next(c for c in type(error).__mro__ if c.__module__ == "builtins")


# PyWavelets counts up to huge levels, and writes outside its arrays for axes that do not exist
# (the bytes "ab" are axes 97 and 98) and for keys of more letters than there are axes.
UNSAFE = ("huge", "bytes", "keys")


def is_that_of_pywavelets(name: str, argument: int | str, kind: str, ours: Exception) -> bool:
    """Whether PyWavelets raises an error of the same class, or none, for the same argument.

    It does not have the arguments that are keywords here.
    """
    if name not in SHARED or isinstance(argument, str) or kind in UNSAFE:
        return True
    case = Case(getattr(pywt, name), SHARED[name].arguments)
    theirs = raised(case, {argument: ALL_KINDS[kind]()})
    if theirs is None or isinstance(theirs, ACCIDENTS) or kind in NO_LENGTH + TENSORS:
        return True
    if isinstance(ours, DTypeError) or isinstance(theirs, KNOWN.get((name, argument), ())):
        return True
    return isinstance(ours, builtin(theirs))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is a valid name of a file to write."""
    monkeypatch.chdir(tmp_path_factory.getbasetemp())


# --- the tests -----------------------------------------------------------------------------------


def mistakes(name: str, kinds: dict[str, Any]) -> Iterator[str]:
    """The calls that raise an error of another class than they should."""
    case = TABLE[name]
    for argument in case.names():
        for kind, make in kinds.items():
            error = raised(case, {argument: make()})
            if error is None or kind in USERS.get((name, argument), ()):
                continue
            if not isinstance(error, LiftwaveError):
                yield f"{name}, argument {argument!r}, {kind}: {error!r}"
            elif not is_that_of_pywavelets(name, argument, kind, error):
                yield f"{name}, argument {argument}, {kind}: {error!r}, but not in PyWavelets"


@pytest.mark.parametrize("name", TABLE)
def test_errors_are_ours_and_those_of_pywavelets(name: str) -> None:
    assert list(mistakes(name, KINDS)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_errors_of_more_kinds_are_ours_and_those_of_pywavelets(name: str) -> None:
    assert list(mistakes(name, MORE_KINDS)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TABLE if "2d" not in name and "3d" not in name])
def test_errors_of_two_wrong_arguments_are_ours(name: str) -> None:
    """Layers of two and three dimensions share the code of those of one."""
    case = TABLE[name]
    for one, two in combinations([n for n in case.names() if (name, n) not in USERS], 2):
        for first in ALL_KINDS.values():
            for second in ALL_KINDS.values():
                replaced = {one: first(), two: second()}
                error = raised(case, replaced)
                assert error is None or isinstance(error, LiftwaveError), (replaced, error)


def test_valid_arguments_are_valid() -> None:
    assert {name: error for name in TABLE if (error := raised(TABLE[name], {}))} == {}


@pytest.mark.parametrize("name", public())
def test_everything_public_is_in_the_table(name: str) -> None:
    """With each of its arguments."""
    case = TABLE[name]
    arguments = inspect.signature(case.function).bind(*case.arguments, **case.options).arguments
    assert set(public()[name]) <= set(arguments)


def test_known_differences_are_in_the_porting_page() -> None:
    if not PORTING.exists():
        pytest.skip("the documentation is not installed")
    page = PORTING.read_text(encoding="utf-8")
    for name in {name for name, _ in KNOWN}:
        assert f"`{name}`" in page, name
    for accident in ACCIDENTS:
        assert f"`{accident.__name__}`" in page, accident
