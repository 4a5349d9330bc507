"""Decompositions with changed coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from numbers import Integral
from typing import Any, Self

from array_api_compat import array_namespace, size

from liftwave._arrays.convert import as_array, as_number
from liftwave._threshold_arguments import check_limit
from liftwave._typing import Array, Rule
from liftwave.decomposition.arithmetic import BandArithmetic
from liftwave.errors import ArgumentTypeError, BandError, ShapeError, ShapeTypeError
from liftwave.thresholding import check_rule, threshold


class BandChanges(BandArithmetic):
    """Methods that return a decomposition with other coefficients, of the same layout."""

    def map(self, function: Callable[[Array], Array]) -> Self:
        """Return the decomposition with a function applied to every detail band.

        Parameters
        ----------
        function : callable
            Takes a band and returns an array of the same shape.

        Raises
        ------
        ShapeError
            If a result has another shape.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> d = lw.decompose(np.arange(8.0), "haar", level=1)
        >>> d.map(lambda band: 0 * band).reconstruct().round(6).tolist()
        [0.5, 0.5, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5]
        """
        if not callable(function):
            raise ArgumentTypeError(f"expected a function of a band, got {function!r}")
        return self._mapped(lambda _, band: function(band))

    def replace(self, bands: Mapping[tuple[int, str], Array]) -> Self:
        """Return the decomposition with some bands replaced.

        Parameters
        ----------
        bands : dict
            New arrays by ``(level, key)`` (see ``[]``), with the shapes of the old ones.

        Raises
        ------
        BandError
            If a band does not exist, or is named twice.
        ShapeError
            If an array has another shape than the band.
        """
        if not isinstance(bands, Mapping):
            raise ArgumentTypeError(
                "bands must be a dict by (level, key), got an object of type "
                + type(bands).__name__
            )
        new = self._keyed(bands)
        top = (self.level, "a" * len(self.plans))
        approx = self._fitted(top, new[top]) if top in new else self.approx
        changed = self._mapped(lambda which, band: new.get(which, band))
        return replace(changed, approx=approx)

    def threshold(
        self,
        value: float | Mapping[Any, float] | Callable[[Array], float],
        mode: Rule = "soft",
        substitute: float = 0,
    ) -> Self:
        """Return the decomposition with every detail band thresholded.

        Parameters
        ----------
        value : float, dict or callable
            One threshold, at least 0 (or of any sign for ``'greater'`` and ``'less'``);
            or a dict of thresholds by level (for its details) or by ``(level, key)`` (see
            ``[]``), where the threshold of a band takes precedence over that of its level and
            other bands stay unchanged; or a function of the band.
        mode, substitute
            As for :func:`threshold`. With an integer scheme, the results are
            rounded.

        Raises
        ------
        BandError
            If a key is neither a level nor a band, or a band is named twice.
        ValueError
            If the mode does not exist, or a threshold is negative, NaN or not a number.
        """
        check_rule(mode)
        limits = self._limits(value)

        def shrunk(which: tuple[int, str], band: Array) -> Array:
            limit = value(band) if callable(value) else limits.get(which)
            if limit is None:
                return band
            check_limit(limit, mode)
            return threshold(band, limit, mode, substitute)

        for limit in limits.values():
            check_limit(limit, mode)
        top = (self.level, "a" * len(self.plans))
        approx = self._fitted(top, shrunk(top, self.approx)) if top in limits else self.approx
        return replace(self._mapped(shrunk), approx=approx)

    def _limits(self, value: Any) -> dict[tuple[int, str], Any]:
        """Thresholds by ``(level, key)``; empty for a function of the band."""
        top = (self.level, "a" * len(self.plans))
        details = [which for which in self.bands if which != top]
        if callable(value):
            return {}
        if not isinstance(value, Mapping):
            return dict.fromkeys(details, value)
        named = {key: limit for key, limit in value.items() if not isinstance(key, Integral)}
        levels: dict[int, Any] = {}
        for key in value.keys() - named.keys():
            level = self._resolve_level(key)
            if level in levels:
                raise BandError(f"level {level} is named twice: {', '.join(map(repr, value))}")
            levels[level] = value[key]
        limits = {which: levels[which[0]] for which in details if which[0] in levels}
        return limits | self._keyed(named)

    def _keyed(self, values: Mapping[Any, Any]) -> dict[tuple[int, str], Any]:
        """Values by ``(level, key)``, from values by names of bands."""
        keyed: dict[tuple[int, str], Any] = {}
        for name, value in values.items():
            which = self._resolve(name)
            if which in keyed:
                raise BandError(f"band {which} is named twice: {', '.join(map(repr, values))}")
            keyed[which] = value
        return keyed

    def keep_largest(self, fraction: float) -> Self:
        """Return the decomposition with all but the largest coefficients set to zero.

        Parameters
        ----------
        fraction : float
            Share of the coefficients to keep, approximation included, above 0
            and at most 1. If several coefficients have the smallest remaining magnitude, all of
            them are kept.
            NaN counts as the largest magnitude.

        Raises
        ------
        ValueError
            If ``fraction`` is not in that range.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> d = lw.decompose(np.array([4.0, 4.0, 4.0, 9.0]), "haar", mode="periodization")
        >>> sum(int((band != 0).sum()) for band in d.keep_largest(0.5).bands.values())
        2
        """
        share = as_number(fraction)
        if not isinstance(share, int | float):
            raise ShapeTypeError(f"fraction must be a number, got {fraction!r}")
        if not 0 < share <= 1:
            raise ShapeError(f"fraction must be above 0 and at most 1, got {fraction!r}")
        xp = array_namespace(self.approx)
        flat = [xp.reshape(_rank(band, xp), (-1,)) for band in self.bands.values()]
        ranks = xp.sort(xp.concat(flat), descending=True)
        # Rounding can move the product away from an integer: 0.1 * 30 is more than 3.
        least = ranks[ceil(share * size(ranks) * (1 - 2**-50)) - 1]

        def kept(band: Array) -> Array:
            return xp.where(_rank(band, xp) >= least, band, xp.zeros_like(band))

        return replace(self.map(kept), approx=kept(self.approx))

    def _mapped(self, function: Callable[[tuple[int, str], Array], Array]) -> Self:
        details = []
        for depth, bands in zip(range(self.level, 0, -1), self.details, strict=True):
            keyed = {(depth, key): band for key, band in bands.items()}
            new = {which: self._fitted(which, function(which, b)) for which, b in keyed.items()}
            details.append({key: band for (_, key), band in new.items()})
        return replace(self, details=tuple(details))

    def _fitted(self, which: tuple[int, str], band: Array) -> Array:
        """Check the shape of a new band, and convert it for integer schemes."""
        old, band = self.bands[which], as_array(band)
        if tuple(band.shape) != tuple(old.shape):
            raise ShapeError(
                f"band {which} must have the shape {tuple(old.shape)}, got {tuple(band.shape)}"
            )
        return self._in_band_dtype(band, old)


def _rank(band: Array, xp: Any) -> Array:
    """The magnitude, infinite for NaN. Integers become floats: the smallest one has no negative."""
    if xp.isdtype(band.dtype, "integral"):
        return xp.abs(xp.astype(band, xp.float64))
    magnitude = xp.abs(band)
    return xp.where(xp.isnan(magnitude), xp.full_like(magnitude, xp.inf), magnitude)
