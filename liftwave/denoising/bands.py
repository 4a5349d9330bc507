"""The bands that recipes denoise, in one form for all transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import log, pi, sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import device
from numpy.typing import NDArray

from liftwave._arrays.convert import is_complex, namespace_of
from liftwave._typing import Array, Namespace

# The median of the magnitude of normal noise of variance 1.
_MEDIAN_OF_REAL = 0.6744897501960817


class Band(NamedTuple):
    """A detail band, and the properties of its grid that recipes use.

    Attributes
    ----------
    values : array
        The coefficients.
    level : int
        The level; 1 is the finest.
    key : str
        The name of the band within its level.
    axes : tuple of int
        The transformed axes. All others are batch axes.
    compute_parent : callable or None
        Returns the band of the same key on the next coarser level, on the grid of ``values``. The
        coarsest level has none.
    spacing : int
        The distance of neighbours: 1, or ``2**level`` on the full grid of an undecimated band,
        whose coefficients at this distance are those of one decimated transform.
    is_periodic : bool
        Whether the neighbours beyond one end are those at the other end. Otherwise they are mirror
        images.
    responses : callable or None
        Returns the filter of the band along each transformed axis, on the grid of the data. White
        noise of the data is correlated by it. None: the noise of the band is white.
    """

    values: Array
    level: int
    key: str
    axes: tuple[int, ...]
    compute_parent: Callable[[], Array] | None = None
    spacing: int = 1
    is_periodic: bool = True
    responses: Callable[[], Sequence[NDArray[Any]]] | None = None

    @property
    def xp(self) -> Namespace:
        """The namespace of the values."""
        return namespace_of(self.values)

    @property
    def parent(self) -> Array | None:
        """The band of the same key on the next coarser level. It is computed each time."""
        return None if self.compute_parent is None else self.compute_parent()

    @property
    def parts(self) -> int:
        """The number of real numbers in a coefficient, which share the variance of the noise."""
        return 2 if is_complex(self.values) else 1

    @property
    def stride(self) -> int:
        """The distance of adjacent coefficients on the grid of the data."""
        return (1 << self.level) // self.spacing

    @property
    def median(self) -> float:
        """The median of the magnitudes of noise with standard deviation 1."""
        if self.parts == 1:
            return _MEDIAN_OF_REAL
        # (After real filters, both parts of complex noise have the same variance.)
        return median_of_complex(0.0 if self.responses is None else round(self.circularity(), 4))

    def circularity(self) -> float:
        """The difference of the variances of noise along the axes of the complex plane, 0 to 1."""
        filters = [] if self.responses is None else self.responses()
        if not any(map(np.iscomplexobj, filters)):
            return 0.0
        return float(abs(np.prod([np.sum(r * r) for r in filters])))

    @property
    def is_finest_diagonal(self) -> bool:
        """Whether it is a detail along every axis, on the finest level."""
        return self.level == 1 and set(self.key) == {"d"}


class Analysed(NamedTuple):
    """The detail bands of data, and the inverse transform.

    Attributes
    ----------
    bands : list of Band
        Coarsest level first.
    rebuild : callable
        Returns data from new values of all bands, in the same order.
    """

    bands: list[Band]
    rebuild: Callable[[Sequence[Array]], Array]


Recipe: TypeAlias = Callable[[Band, Array, int], Array]
"""Returns the denoised values of a band.

It takes the band, the standard deviation of its noise (an array of length 1 along the transformed
axes), and the number of samples of the data.
"""


@lru_cache(maxsize=256)
def median_of_complex(circularity: float) -> float:
    """The median of the magnitude of complex noise with variance 1.

    The variances along two orthogonal directions are (1 ± circularity) / 2. If they are equal, the
    magnitude of the noise follows a Rayleigh distribution.
    """
    if circularity == 0:
        return sqrt(log(2))
    more, less = (1 + circularity) / 2, (1 - circularity) / 2
    angles = (np.arange(1024) + 0.5) * (2 * pi / 1024)
    powers = np.cos(angles) ** 2 / more + np.sin(angles) ** 2 / less
    low, high = 0.0, 2.0
    while high - low > 1e-12:
        radius = (low + high) / 2
        share = np.mean((1 - np.exp(-(radius**2) * powers / 2)) / powers) / sqrt(more * less)
        low, high = (radius, high) if share < 0.5 else (low, radius)
    return low


def for_children(parent: Array, shape: Sequence[int], axes: Sequence[int]) -> Array:
    """The band of the coarser level, each coefficient repeated for its children."""
    xp = namespace_of(parent)
    for axis in axes:
        places = _places(shape[axis], parent.shape[axis])
        parent = xp.take(parent, xp.asarray(places, device=device(parent)), axis=axis)
    return parent


@lru_cache(maxsize=256)
def _places(children: int, parents: int) -> NDArray[np.int64]:
    """The parent of each child. Boundary modes add as many coefficients before as after."""
    added = parents - (children + 1) // 2
    return np.clip((np.arange(children) + added) // 2, 0, parents - 1)
