"""The object that :func:`decompose` returns: reconstruction and changed coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from numbers import Integral
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace, size

from liftwave._arrays.convert import as_array, as_number
from liftwave._execute import execute
from liftwave._operations.transform import Transform
from liftwave._plan.axes import as_axis_plans
from liftwave._threshold_arguments import check_limit
from liftwave._typing import Array, ArrayLike, Modes, Rule
from liftwave.decomposition.arithmetic import BandArithmetic
from liftwave.decomposition.from_pywt import fields_of
from liftwave.decomposition.plotting import plot_bands
from liftwave.errors import ArgumentTypeError, BandError, ShapeError, ShapeTypeError
from liftwave.thresholding import check_rule, threshold
from liftwave.transforms import calls
from liftwave.transforms.calls import synthesis_call
from liftwave.transforms.coefficients import array_to_coeffs
from liftwave.transforms.structures import dict_list
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition(BandArithmetic):
    """A multilevel wavelet decomposition, as :func:`decompose` returns it.

    It is immutable: methods that change coefficients return a new decomposition, and its NumPy
    arrays are read-only views. It is also a mapping of the bands: ``d[1, "d"]`` is a band,
    ``d[1]`` are the bands of a level, ``d[-1]`` those of the coarsest one; ``len(d)``, ``in``,
    iteration and :meth:`items` go over names ``(level, key)``. Decompositions with the same layout
    can be added and subtracted, and multiplied by numbers.

    Attributes
    ----------
    approx : array
        The approximation of the coarsest level.
    details : tuple of mappings
        The details of each level, coarsest first, keyed by one letter per
        transformed axis as in :func:`dwtn`.
    shape : tuple of int
        Shape of the data.
    dtype : dtype
        Dtype of the original data.
    plans : tuple of AxisPlan
        Axis, wavelet and boundary mode for each transformed axis.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> d = lw.decompose(np.arange(77.0).reshape(7, 11), "db2", level=1)
    >>> d
    Decomposition of shape (7, 11), float64, by 'db2', mode 'symmetric', axes (0, 1), 1 level
      level 1: aa (5, 7), ad (5, 7), da (5, 7), dd (5, 7)
    >>> d.reconstruct().shape
    (7, 11)
    >>> d[1, "HL"] is d[1, "ad"]
    True
    >>> (2 * d - d).allclose(d)
    True
    """

    @classmethod
    def from_pywt(
        cls,
        coeffs: Sequence[Any],
        wavelet: Wavelets,
        mode: Modes = "symmetric",
        axes: Sequence[int] | int | None = None,
        shape: Sequence[int] | None = None,
    ) -> Decomposition:
        """Return the decomposition with the coefficients of a list of PyWavelets.

        Parameters
        ----------
        coeffs : list
            As from :func:`wavedec`, :func:`wavedec2` or :func:`wavedecn`. Missing details
            (``None``) count as zero.
        wavelet, mode
            Those that gave the coefficients.
        axes : int or sequence of int, optional
            The transformed axes; by default the last axes, as many as the structure shows.
        shape : sequence of int, optional
            Shape of the data; by default that of the reconstruction, which has an even
            length where the data may have had an odd one.

        Returns
        -------
        Decomposition

        Raises
        ------
        ShapeError, AxisError
            If the bands do not fit together, the axes or the shape.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(63.0).reshape(7, 9)
        >>> coeffs = lw.wavedec2(x, "db2", level=1)
        >>> d = lw.Decomposition.from_pywt(coeffs, "db2", shape=x.shape)
        >>> d == lw.decompose(x, "db2", level=1)
        True
        """
        fields = fields_of(coeffs, wavelet, mode, axes, shape)
        return cls(fields.approx, fields.details, fields.shape, fields.approx.dtype, fields.plans)

    # --- back to data --------------------------------------------------------------------

    def reconstruct(self) -> Array:
        """Reconstruct the data from these coefficients.

        Returns
        -------
        array
            Of exactly the shape of the data, in the dtype of the
            coefficients. An integer lifting scheme gives the dtype of the
            data: values outside of its range, which changed coefficients
            can cause, are clipped.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(7.0)
        >>> bool(np.allclose(lw.decompose(x, "db3", mode="smooth").reconstruct(), x))
        True
        """
        if self.level == 0:
            return self.approx
        structure = dict_list(len(self.plans))
        bands = structure.unpack([self.approx, *map(dict, self.details)])
        plans = as_axis_plans(self.plans)
        data = execute(synthesis_call(bands, plans, len(self.shape), structure))
        data = data[tuple(slice(n) for n in self.shape)]
        return _within(data, self.dtype) if self._is_integer else data

    def from_array(self, arr: Array) -> Decomposition:
        """Return a decomposition of the same layout with the coefficients of ``arr``.

        Parameters
        ----------
        arr : array
            Of the shape that :meth:`to_array` returns.

        Raises
        ------
        ShapeError
            If it has another shape.
        """
        arr, (packed, places) = as_array(arr), self._packed()
        if tuple(arr.shape) != tuple(packed.shape):
            raise ShapeError(
                f"expected the shape {tuple(packed.shape)} of to_array(), got {tuple(arr.shape)}"
            )
        approx, *details = array_to_coeffs(arr, places)
        return replace(self, approx=approx, details=tuple(details))

    # --- changed coefficients --------------------------------------------------------------

    def map(self, function: Callable[[Array], Array]) -> Decomposition:
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

    def replace(self, bands: Mapping[tuple[int, str], Array]) -> Decomposition:
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
    ) -> Decomposition:
        """Return the decomposition with every detail band thresholded.

        Parameters
        ----------
        value : float, dict or callable
            One threshold, at least 0 (or of any sign for ``'greater'`` and ``'less'``);
            or thresholds by level (for its details) or by ``(level, key)`` (see ``[]``),
            where the threshold of a band takes precedence over that of its level and
            other bands stay unchanged; or a function of the band.
        mode, substitute
            As for :func:`threshold`. Under an integer scheme the results are
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

    def keep_largest(self, fraction: float) -> Decomposition:
        """Return the decomposition with all but the largest coefficients set to zero.

        Parameters
        ----------
        fraction : float
            Share of the coefficients to keep, approximation included, above 0
            and at most 1. All coefficients of the smallest kept magnitude are kept.
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
        # The product can be an integer but for its rounding: 0.1 * 30 is more than 3.
        least = ranks[ceil(share * size(ranks) * (1 - 2**-50)) - 1]

        def kept(band: Array) -> Array:
            return xp.where(_rank(band, xp) >= least, band, xp.zeros_like(band))

        return replace(self.map(kept), approx=kept(self.approx))

    def plot(self, title: str | None = None) -> Figure:
        """Draw the bands with matplotlib.

        One axis: the bands of a 1-D signal one above the other, aligned in
        time. Two axes: the mosaic of a 2-D image in Mallat's layout, with
        the contrast scaled for each detail band.

        Parameters
        ----------
        title : str, optional
            Heading of the figure.

        Returns
        -------
        matplotlib.figure.Figure
            Created without pyplot, so it is neither shown nor kept open.

        Raises
        ------
        ShapeError
            If the data are neither a 1-D signal nor a 2-D image.
        """
        return plot_bands(self, title)

    def _mapped(self, function: Callable[[tuple[int, str], Array], Array]) -> Decomposition:
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
                f"band {which} has shape {tuple(old.shape)}, got {tuple(band.shape)} in its place"
            )
        return self._in_band_dtype(band, old)


def decompose(
    x: ArrayLike,
    wavelet: Wavelets,
    level: int | None = None,
    mode: Modes = "symmetric",
    axes: Sequence[int] | int | None = None,
) -> Decomposition:
    """Multilevel wavelet decomposition that can reconstruct the data exactly.

    Parameters
    ----------
    x : array_like
        Data of at least one dimension (see :func:`dwt` for libraries and dtypes).
    wavelet, mode
        As for :func:`dwtn`; one, or one per axis.
    level : int, optional
        Number of levels; by default :func:`dwtn_max_level` of the axes with more than
        one sample.
    axes : int or sequence of int, optional
        The axes to transform, each once; all by default.

    Returns
    -------
    Decomposition
        The same coefficients as :func:`wavedecn`.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavedecn`.

    Warns
    -----
    LevelWarning
        If ``level`` is so deep that every coefficient feels the boundary.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.random.default_rng(0).standard_normal((19, 23))
    >>> d = lw.decompose(x, "bior4.4", level=1)
    >>> clean = d.threshold(0.5).reconstruct()
    >>> clean.shape
    (19, 23)
    """
    call = calls.decompose(x, wavelet, mode, level, axes)
    approx, *details = execute(call)
    (data,), transform = call.arrays, call.operation
    assert isinstance(transform, Transform)
    plans = transform.plans_for(data.ndim)
    return Decomposition(approx, tuple(details), tuple(data.shape), data.dtype, plans)


def _rank(band: Array, xp: Any) -> Array:
    """The magnitude, infinite for NaN; of integers as floats, which have no smallest number."""
    if xp.isdtype(band.dtype, "integral"):
        return xp.abs(xp.astype(band, xp.float64))
    magnitude = xp.abs(band)
    return xp.where(xp.isnan(magnitude), xp.full_like(magnitude, xp.inf), magnitude)


def _within(data: Array, dtype: Any) -> Array:
    """Convert integers to ``dtype``; values outside of its range are clipped."""
    xp = array_namespace(data)
    if data.dtype == dtype:
        return data
    limits = xp.iinfo(dtype)
    return xp.astype(xp.clip(data, limits.min, limits.max), dtype)
