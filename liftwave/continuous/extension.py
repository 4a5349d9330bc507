"""Extension of signals to a length with fast Fourier transforms, by an index for each sample."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import real_dtype
from liftwave._numbers import is_one_of
from liftwave._plan.spectral import fast_length
from liftwave._typing import Array
from liftwave.errors import ModeError, ModeTypeError

Indices = NDArray[np.int64]


def _repeated(i: Indices, n: int) -> Indices:
    return i % n


def _mirrored(i: Indices, n: int) -> Indices:
    place = i % (2 * n)
    return np.where(place < n, place, 2 * n - 1 - place)


def _reflected(i: Indices, n: int) -> Indices:
    period = max(2 * n - 2, 1)
    place = i % period
    return np.where(place < n, place, period - place)


def _clipped(i: Indices, n: int) -> Indices:
    return np.clip(i, 0, n - 1)


_INDICES: dict[str, Callable[[Indices, int], Indices]] = {
    "symmetric": _mirrored,
    "reflect": _reflected,
    "periodic": _repeated,
    "antisymmetric": _mirrored,
    "constant": _clipped,
    "zero": _clipped,
}

MODES = tuple(_INDICES)
"""The boundary modes of continuous transforms: modes whose extensions are bounded."""


class Layout(NamedTuple):
    """A signal within its extension.

    Attributes
    ----------
    n : int
        The length of the signal.
    before : int
        The number of samples before it.
    length : int
        The length of the extended signal.
    mode : str
        The boundary mode.
    """

    n: int
    before: int
    length: int
    mode: str

    @classmethod
    def of(cls, n: int, reach: float, mode: str) -> Layout:
        """The layout for wavelets that reach ``reach`` samples beyond the ends.

        The extension has at most the length of the signal. Two lengths are the whole period of the
        symmetric modes, so longer extensions would not change anything.
        """
        if mode == "periodic":
            return cls(n, 0, n, mode)
        margin = min(float(np.ceil(2 * reach)), float(n))
        length = fast_length(n + int(margin))
        return cls(n, (length - n) // 2, length, mode)


def checked_mode(mode: Any) -> str:
    """The mode.

    Raises
    ------
    ModeError
        If the mode does not exist.
    """
    if is_one_of(mode, MODES):
        return str(mode)
    error = ModeError if isinstance(mode, str) else ModeTypeError
    raise error(
        f"mode must be one of {', '.join(map(repr, MODES))}, got {mode!r}. The extensions of "
        "other modes are not bounded"
    )


@lru_cache(maxsize=16)
def _sources(layout: Layout) -> tuple[Indices, NDArray[np.float64] | None]:
    """The sample of the signal at each place of the extension, and its weight if not 1."""
    n, before, length, mode = layout
    places = np.arange(-before, length - before)
    index = _INDICES[mode](places, n)
    if mode == "zero":
        return index, ((places >= 0) & (places < n)).astype(np.float64)
    if mode == "antisymmetric":
        return index, np.where(places % (2 * n) < n, 1.0, -1.0)
    return index, None


def extended(x: Array, layout: Layout) -> Array:
    """The signal with its extension, along the last axis."""
    if layout.length == layout.n:
        return x
    index, weights = _sources(layout)
    if type(x) is np.ndarray:
        wide = x[..., index]
        return wide if weights is None else wide * weights.astype(wide.real.dtype)
    xp, device = array_namespace(x), device_of(x)
    wide = xp.take(x, xp.asarray(index, device=device), axis=-1)
    if weights is None:
        return wide
    return wide * xp.asarray(weights, dtype=real_dtype(x, xp), device=device)


def folded(wide: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """The adjoint of :func:`extended` for NumPy arrays: samples added to their sources."""
    if layout.length == layout.n:
        return wide
    index, weights = _sources(layout)
    wide = wide if weights is None else wide * weights
    result = np.zeros((layout.n, *wide.shape[:-1]), wide.dtype)
    np.add.at(result, index, np.moveaxis(wide, -1, 0))
    return np.moveaxis(result, 0, -1)
