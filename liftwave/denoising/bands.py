"""The bands that recipes denoise, whatever transform computed them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from numpy.typing import NDArray

from liftwave._arrays.convert import is_complex, namespace_of
from liftwave._typing import Array, Namespace


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
        Returns the filter of the band along each transformed axis, on the grid of ``values``. White
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
    def is_finest_diagonal(self) -> bool:
        """Whether it is a detail along every axis, on the finest level."""
        return self.level == 1 and set(self.key) == {"d"}


class Analysed(NamedTuple):
    """The detail bands of data, and the way back.

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
