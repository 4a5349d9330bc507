"""Shared by the tests: libraries, comparisons that raise, data, matrices of linear maps."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
from array_api_compat import array_namespace, device, is_numpy_namespace

from liftwave._plan import axes as plans

DISCRETE = pywt.wavelist(kind="discrete")
MODES = pywt.Modes.modes
LIFTING_MODES = ("periodization", "reflect", "symmetric", "zero", "constant")

# One wavelet per relevant property: length, symmetry, alignment, a table without perfect
# reconstruction (dmey), filters padded with zeros (bior, rbio).
SOME_WAVELETS = ("haar", "db2", "db5", "sym4", "coif1", "bior1.3", "bior4.4", "rbio3.1", "dmey")

# Wavelets of each length with a specialized kernel and of some others, of each symmetry, and
# with zeros at each end of their filters. All other wavelets differ only in their numbers.
TYPICAL = frozenset(
    [
        "haar",
        "db2",
        "db3",
        "db4",
        "sym5",
        "db6",
        "db7",
        "db8",
        "coif3",
        "db10",
        "sym13",
        "db16",
        "db20",
        "coif5",
        "db27",
        "db38",
        "coif17",
        "bior1.3",
        "bior2.2",
        "bior2.8",
        "bior3.1",
        "bior3.7",
        "bior4.4",
        "bior5.5",
        "bior6.8",
        "rbio1.5",
        "rbio2.2",
        "rbio3.3",
        "rbio5.5",
        "rbio6.8",
        "dmey",
    ]
)


def all_of(names: Iterable[str]) -> list[Any]:
    """Parameters for wavelets: the typical ones; with the slow tests, all wavelets."""
    return [pytest.param(name, marks=() if name in TYPICAL else pytest.mark.slow) for name in names]


def paired(first: Iterable[Any], second: Iterable[Any], rounds: int = 1) -> list[Any]:
    """All pairs as parameters; all but those in which each value occurs at least once are slow.

    With more rounds, each value of the longer list is paired with as many values of the other.
    The values of the first list can be tuples of several parameters.
    """
    rows = [row if isinstance(row, tuple) else (row,) for row in first]
    columns = list(second)
    short = min(len(rows), len(columns))
    return [
        pytest.param(*row, column, marks=() if (i - j) % short < rounds else pytest.mark.slow)
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]


def shared(lengths: Iterable[int], number: int) -> list[int]:
    """Half of the lengths, odd and even ones; a case with the next number tests the other half."""
    return [n for n in lengths if (n // 2 + number) % 2]


def axis_plans(axes: Any, wavelet: Any, mode: Any) -> Any:
    """The plans of a transform along these axes, of an array with the smallest number of axes."""
    return plans.axis_plans(wavelet, mode, tuple(axes), 1 + max(axes), unique=False)


# --- libraries ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    """An array library as the tests use it: its arrays are built from NumPy arrays."""

    name: str

    def __str__(self) -> str:
        return self.name

    def asarray(self, values: Any, dtype: str | None = None) -> Any:
        """The values as a new array of this library, on the tested device."""
        values = np.array(values, dtype=dtype, order="C")
        if self.name == "numpy":
            return values
        if self.name == "numpy-readonly":
            values.flags.writeable = False
            return values
        if self.name == "strict":
            # Not its default device: arrays created without the data's device then cannot be
            # combined with the data.
            return array_api_strict.asarray(values, device=array_api_strict.Device("device1"))
        module = "jax.numpy" if self.name == "jax" else self.name
        return importlib.import_module(module).asarray(values)

    def tree(self, values: Any) -> Any:
        """Lists, tuples and dicts of NumPy arrays with the arrays in this library."""
        return mapped(self.asarray, values)

    @property
    def is_numpy(self) -> bool:
        return self.name.startswith("numpy")


def mapped(function: Callable[[Any], Any], values: Any) -> Any:
    """Nested lists, tuples and dicts with ``function`` applied to each leaf except None."""
    if isinstance(values, Mapping):
        return {key: mapped(function, value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(mapped(function, value) for value in values)
    return None if values is None else function(values)


@cache
def has_cuda() -> bool:
    """True if CuPy is installed and finds a device."""
    if importlib.util.find_spec("cupy") is None:
        return False
    cupy = importlib.import_module("cupy")
    try:
        return bool(cupy.cuda.runtime.getDeviceCount() > 0)
    except cupy.cuda.runtime.CUDARuntimeError:
        return False


def libraries() -> list[str]:
    """The libraries that can be tested on this machine, or the one that the environment names."""
    if chosen := os.environ.get("LIFTWAVE_TEST_LIBRARY"):
        return [chosen]
    return ["numpy", "numpy-readonly", "strict", "torch"] + ["cupy"] * has_cuda()


def to_numpy(x: Any) -> np.ndarray:
    """The values of an array of any library."""
    module = type(x).__module__.split(".")[0]
    if module == "torch":
        return x.detach().cpu().resolve_conj().numpy()
    if module == "array_api_strict":
        return np.asarray(x.to_device(array_api_strict.Device("CPU_DEVICE")))
    return x.get() if module == "cupy" else np.asarray(x)


# --- comparisons -------------------------------------------------------------------------------


def eps(x: Any) -> float:
    """The spacing of floating-point numbers at one, in the precision of ``x`` (or of a dtype)."""
    dtype = x.dtype if hasattr(x, "dtype") else np.dtype(x)
    name = str(dtype).rsplit(".", 1)[-1]
    if name == "bfloat16":
        return 2.0**-7
    return float(np.finfo(np.dtype(name)).eps)


def assert_close(
    actual: Any, expected: Any, *, ulps: float = 0.0, scale: float | None = None
) -> None:
    """Raise unless two arrays agree in library, dtype, shape, device and values.

    Parameters
    ----------
    actual, expected : array
        Of any library; Python numbers are not accepted as arrays.
    ulps : float
        The tolerance, in eps of the dtype relative to ``scale``. With 0 the values must be equal.
        NaN equals NaN, and infinities must be equal.
    scale : float, optional
        The size of the problem; the largest finite expected value by default.
    """
    xp, expected_xp = array_namespace(actual), array_namespace(expected)
    facts = [
        ("library", xp.__name__, expected_xp.__name__),
        ("dtype", actual.dtype, expected.dtype),
        ("shape", tuple(actual.shape), tuple(expected.shape)),
        ("device", device(actual), device(expected)),
    ]
    for what, got, wanted in facts:
        if got != wanted:
            raise AssertionError(f"{what}: got {got}, expected {wanted}")
    if is_numpy_namespace(xp) and not isinstance(actual, np.ndarray):
        raise AssertionError(f"expected an array, got {type(actual).__name__}")
    _compare_values(actual, expected, ulps, scale)


def _compare_values(actual: Any, expected: Any, ulps: float, scale: float | None) -> None:
    got, wanted = (_widened(to_numpy(_without_bfloat(x))) for x in (actual, expected))
    finite = np.isfinite(wanted)
    if not np.array_equal(got[~finite], wanted[~finite], equal_nan=True):
        raise AssertionError(f"non-finite values differ: got {got}, expected {wanted}")
    if not np.isfinite(got[finite]).all():
        raise AssertionError(f"got non-finite values: {got}, expected {wanted}")
    largest = float(np.abs(wanted[finite]).max(initial=0.0)) if scale is None else scale
    # Integers and booleans have no rounding: they must be equal.
    tolerance = ulps * eps(actual) * largest if ulps and got.dtype.kind in "fc" else 0.0
    gap = np.abs(got[finite] - wanted[finite])
    if gap.size and not gap.max() <= tolerance:
        where = int(np.argmax(gap))
        raise AssertionError(
            f"values differ by {gap.max():.3g}, more than {tolerance:.3g} "
            f"(got {got[finite][where]}, expected {wanted[finite][where]}, shape {got.shape})"
        )


def _without_bfloat(x: Any) -> Any:
    return x.float() if str(x.dtype) == "torch.bfloat16" else x


def _widened(x: np.ndarray) -> np.ndarray:
    """Integers and booleans in a dtype whose differences do not wrap in the tests' range."""
    return x.astype(np.int64) if x.dtype.kind in "bui" else x


def assert_same_structure(actual: Any, expected: Any, compare: Callable[[Any, Any], None]) -> None:
    """Compare nested lists, tuples and dicts leaf by leaf; None must match None."""
    if expected is None:
        assert actual is None, f"got {actual!r} in place of None"
    elif isinstance(expected, Mapping):
        assert set(actual) == set(expected), f"keys: got {set(actual)}, expected {set(expected)}"
        for key in expected:
            assert_same_structure(actual[key], expected[key], compare)
    elif isinstance(expected, list | tuple):
        assert type(actual) is type(expected), f"got {type(actual)}, expected {type(expected)}"
        assert len(actual) == len(expected), f"length: got {len(actual)}, not {len(expected)}"
        for a, e in zip(actual, expected, strict=True):
            assert_same_structure(a, e, compare)
    else:
        compare(actual, expected)


def assert_all_close(
    actual: Any, expected: Any, *, ulps: float, scale: float | None = None
) -> None:
    """:func:`assert_close` on nested lists, tuples and dicts of arrays."""
    assert_same_structure(actual, expected, lambda a, e: assert_close(a, e, ulps=ulps, scale=scale))


# --- data --------------------------------------------------------------------------------------


def zero_mean(shape: int | tuple[int, ...], seed: int = 0, dtype: str = "float64") -> np.ndarray:
    """Random numbers of zero mean; a mean would hide errors of the size of the details."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    if values.size > 1:
        values = values - values.mean()
    return np.asarray(values, dtype=dtype)


def largest(tree: Any) -> float:
    """The largest magnitude in nested lists, tuples and dicts of NumPy arrays."""
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, list | tuple):
        return max((largest(t) for t in tree), default=0.0)
    return 0.0 if tree is None else float(np.abs(tree).max(initial=0.0))


def filter_gain(wavelet: Any) -> float:
    """The largest possible ratio of a sum over the taps to the samples."""
    filters = pywt.Wavelet(wavelet).filter_bank if isinstance(wavelet, str) else wavelet.filter_bank
    return max(float(np.abs(np.asarray(taps)).sum()) for taps in filters)


def reach_gain(x: np.ndarray, wavelet: str, mode: str) -> float:
    """The largest term in the sums of ``pywt.dwt``: extrapolating modes grow beyond the ends."""
    length = pywt.Wavelet(wavelet).dec_len
    return filter_gain(wavelet) * float(np.abs(pywt.pad(x, length, mode)).max())


def matrix(function: Callable[[Any], Any], n: int) -> np.ndarray:
    """The matrix of a linear function of the last axis, applied to all unit vectors at once."""
    return np.asarray(function(np.eye(n))).T


def byte_copy(x: Any) -> bytes:
    """The bytes of the values, to detect modifications."""
    return np.ascontiguousarray(to_numpy(_without_bfloat(x))).tobytes()
