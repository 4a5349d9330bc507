"""A multilevel transform as one object that can reconstruct the data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace, size

from liftwave._arrays.convert import as_array, dtype_name
from liftwave._execute import execute
from liftwave._operations.transform import Transform
from liftwave._plan.axes import AxisPlan, as_axis_plans
from liftwave._typing import Array, ArrayLike, Modes, Rule
from liftwave.errors import ArgumentTypeError, BandError, ShapeError, ShapeTypeError
from liftwave.plotting import Bands, plot_bands
from liftwave.thresholding import threshold
from liftwave.transforms import calls
from liftwave.transforms.calls import synthesis_call
from liftwave.transforms.coefficients import array_to_coeffs, coeffs_to_array
from liftwave.transforms.structures import dict_list
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Names of the bands of two axes: PyWavelets', and with the horizontal letter first.
_NAMES_2D = {"LL": "aa", "LH": "da", "HL": "ad", "HH": "dd"}
_NAMES_2D |= {"cA": "aa", "cH": "da", "cV": "ad", "cD": "dd"}
_NAMES_1D = {"L": "a", "H": "d", "cA": "a", "cD": "d"}


@dataclass(frozen=True, eq=False, repr=False)
class Decomposition:
    """A multilevel wavelet decomposition, as :func:`decompose` returns it.

    It is immutable: methods that change coefficients return a new decomposition.

    Attributes
    ----------
    approx : array
        The approximation of the coarsest level.
    details : tuple of dict
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
    """

    approx: Array
    details: tuple[Mapping[str, Array], ...]
    shape: tuple[int, ...]
    dtype: Any
    plans: tuple[AxisPlan, ...]

    # --- properties ----------------------------------------------------------------------

    @property
    def _is_integer(self) -> bool:
        return as_axis_plans(self.plans).is_integer

    @property
    def level(self) -> int:
        """Number of levels."""
        return len(self.details)

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(plan.axis for plan in self.plans)

    @property
    def wavelets(self) -> tuple[Any, ...]:
        """The wavelet (filter bank or lifting scheme) of each axis."""
        return tuple(plan.wavelet for plan in self.plans)

    @property
    def modes(self) -> tuple[str, ...]:
        """The boundary mode of each axis."""
        return tuple(plan.mode for plan in self.plans)

    @property
    def bands(self) -> dict[tuple[int, str], Array]:
        """All bands by ``(level, key)``, coarsest first; level 1 is the finest."""
        bands = {(self.level, "a" * len(self.plans)): self.approx}
        for depth, details in zip(range(self.level, 0, -1), self.details, strict=True):
            bands |= {(depth, key): band for key, band in details.items()}
        return bands

    def __getitem__(self, which: tuple[int, str]) -> Array:
        """Return the band ``[level, key]``.

        Parameters
        ----------
        which : (int, str)
            Level (1 is the finest) and key: one letter per axis (``"ad"``),
            for two axes also ``LL, LH, HL, HH`` (horizontal letter first:
            the filter along the last axis) or ``cA, cH, cV, cD``.

        Raises
        ------
        BandError
            If the band does not exist (a :class:`KeyError`).
        """
        return self.bands[self._resolve(which)]

    def _resolve(self, which: Any) -> tuple[int, str]:
        names = {1: _NAMES_1D, 2: _NAMES_2D}.get(len(self.plans), {})
        bands = self.bands
        if isinstance(which, tuple) and len(which) == 2:
            band = (which[0], names.get(which[1], which[1]))
            if band in bands:
                return band
        raise BandError(
            f"no band {which!r}: a band is [level, key], here one of {', '.join(map(str, bands))}"
            + (f" (or a name: {', '.join(names)})" if names else "")
        )

    def __repr__(self) -> str:
        wavelets = _each([getattr(w, "name", "") or repr(w) for w in self.wavelets])
        name = dtype_name(self.dtype, array_namespace(self.approx))
        lines = [
            f"Decomposition of shape {self.shape}, {name}, by {wavelets}, "
            f"mode {_each(self.modes)}, axes {self.axes}, "
            f"{self.level} level{'' if self.level == 1 else 's'}"
        ]
        for depth in range(self.level, 0, -1):
            shapes = {k: tuple(b.shape) for (d, k), b in self.bands.items() if d == depth}
            lines.append(f"  level {depth}: " + ", ".join(f"{k} {s}" for k, s in shapes.items()))
        return "\n".join(lines)

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
        bands = structure.unpack([self.approx, *self.details])
        plans = as_axis_plans(self.plans)
        data = execute(synthesis_call(bands, plans, len(self.shape), structure))
        data = data[tuple(slice(n) for n in self.shape)]
        return _within(data, self.dtype) if self._is_integer else data

    def to_pywt(self) -> list[Any]:
        """Return the coefficient list of PyWavelets.

        Returns
        -------
        list
            As from :func:`wavedec` (one axis), :func:`wavedec2` (two axes)
            or :func:`wavedecn`.
        """
        if len(self.plans) == 1:
            return [self.approx, *(bands["d"] for bands in self.details)]
        if len(self.plans) == 2:
            return [self.approx, *((b["da"], b["ad"], b["dd"]) for b in self.details)]
        return [self.approx, *map(dict, self.details)]

    def to_array(self) -> Array:
        """Return all bands in one array, in Mallat's layout (:func:`coeffs_to_array`).

        Zeros fill the gaps that occur if bands are larger than half of the signal.
        """
        return self._packed()[0]

    def _packed(self) -> tuple[Array, list[Any]]:
        return coeffs_to_array([self.approx, *map(dict, self.details)], axes=self.axes)

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
            If a band does not exist.
        ShapeError
            If an array has another shape than the band.
        """
        if not isinstance(bands, Mapping):
            raise ArgumentTypeError(
                "bands must be a dict by (level, key), got an object of type "
                + type(bands).__name__
            )
        new = {self._resolve(which): band for which, band in bands.items()}
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
            One threshold; or thresholds by level or by ``(level, key)``
            (other bands stay unchanged); or a function of the band.
        mode, substitute
            As for :func:`threshold`. Under an integer scheme the results are
            rounded.

        Raises
        ------
        ValueError
            If the mode does not exist.
        """

        def shrunk(which: tuple[int, str], band: Array) -> Array:
            amount = self._threshold_of(value, which, band)
            return band if amount is None else threshold(band, amount, mode, substitute)

        return self._mapped(shrunk)

    def _threshold_of(self, value: Any, which: tuple[int, str], band: Array) -> Any:
        if callable(value):
            return value(band)
        if isinstance(value, Mapping):
            by_band = {self._resolve(k): v for k, v in value.items() if isinstance(k, tuple)}
            return by_band.get(which, value.get(which[0]))
        return value

    def keep_largest(self, fraction: float) -> Decomposition:
        """Return the decomposition with all but the largest coefficients set to zero.

        Parameters
        ----------
        fraction : float
            Share of the coefficients to keep, approximation included, above 0
            and at most 1. All coefficients of the smallest kept magnitude are kept.

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
        if not isinstance(fraction, int | float | np.number):
            raise ShapeTypeError(f"fraction must be a number, got {fraction!r}")
        if not 0 < fraction <= 1:
            raise ShapeError(f"fraction must be above 0 and at most 1, got {fraction}")
        xp = array_namespace(self.approx)
        flat = [xp.reshape(xp.abs(band), (-1,)) for band in self.bands.values()]
        magnitudes = xp.sort(xp.concat(flat), descending=True)
        least = magnitudes[ceil(fraction * size(magnitudes)) - 1]

        def kept(band: Array) -> Array:
            return xp.where(xp.abs(band) >= least, band, xp.zeros_like(band))

        return replace(self.map(kept), approx=kept(self.approx))

    def energy(self) -> dict[tuple[int, str], float]:
        """Return the share of each band in the sum of all squared magnitudes.

        Returns
        -------
        dict
            Shares by ``(level, key)``. Their sum is 1. All shares are 0 if all
            coefficients are 0.
        """
        xp = array_namespace(self.approx)
        squares = {which: _energy(band, xp) for which, band in self.bands.items()}
        total = sum(squares.values())
        return {which: square / total if total else 0.0 for which, square in squares.items()}

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
        return plot_bands(Bands(self.bands, self.shape, self.plans), title)

    def _mapped(self, function: Callable[[tuple[int, str], Array], Array]) -> Decomposition:
        details = []
        for depth, bands in zip(range(self.level, 0, -1), self.details, strict=True):
            keyed = {(depth, key): band for key, band in bands.items()}
            new = {which: self._fitted(which, function(which, b)) for which, b in keyed.items()}
            details.append({key: band for (_, key), band in new.items()})
        return replace(self, details=tuple(details))

    def _fitted(self, which: tuple[int, str], band: Array) -> Array:
        """Check the shape of the new band, and convert it to integers if the old one is integer."""
        old, band = self.bands[which], as_array(band)
        if tuple(band.shape) != tuple(old.shape):
            raise ShapeError(
                f"band {which} has shape {tuple(old.shape)}, got {tuple(band.shape)} in its place"
            )
        xp = array_namespace(old)
        if self._is_integer and band.dtype != old.dtype:
            floating = xp.isdtype(band.dtype, "real floating")
            return xp.astype(xp.round(band) if floating else band, old.dtype)
        return band


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
        Number of levels; by default :func:`dwtn_max_level`.
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
    call = calls.wavedecn(x, wavelet, mode, level, axes)
    approx, *details = execute(call)
    (data,), transform = call.arrays, call.operation
    assert isinstance(transform, Transform)
    plans = transform.plans_for(data.ndim)
    return Decomposition(approx, tuple(details), tuple(data.shape), data.dtype, plans)


def _each(values: Sequence[str]) -> str:
    """Return one value if all are the same, else all of them."""
    return repr(values[0]) if len(set(values)) == 1 else str(tuple(values))


def _energy(band: Array, xp: Any) -> float:
    if xp.isdtype(band.dtype, "integral"):
        band = xp.astype(band, xp.float64)
    return float(xp.sum(xp.abs(band) ** 2))


def _within(data: Array, dtype: Any) -> Array:
    """Convert integers to ``dtype``; values outside of its range are clipped."""
    xp = array_namespace(data)
    if data.dtype == dtype:
        return data
    limits = xp.iinfo(dtype)
    return xp.astype(xp.clip(data, limits.min, limits.max), dtype)
