"""The object that :func:`undecimated` returns: reconstruction, components, variances, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Self

from array_api_compat import array_namespace

from liftwave._arrays.convert import as_array
from liftwave._execute import execute
from liftwave._plan.axes import as_axis_plans
from liftwave._typing import Array
from liftwave.decomposition.stored import StoredBands, restored
from liftwave.decomposition.undecimated_plans import Kind, mode_of
from liftwave.decomposition.undecimated_plotting import plot_undecimated
from liftwave.errors import (
    AxisError,
    DTypeError,
    LevelError,
    ShapeError,
    WaveletError,
)
from liftwave.transforms.alignment import Alignment
from liftwave.transforms.components import parts_of
from liftwave.transforms.estimates import (
    Estimator,
    Interval,
    WaveletEstimate,
    check_estimator,
    check_interval,
    tail_of,
    variances,
)
from liftwave.transforms.structures import dict_list
from liftwave.transforms.undecimated_calls import undecimated_synthesis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from liftwave.decomposition.archive import Contents


@dataclass(frozen=True, eq=False, repr=False)
class Undecimated(StoredBands):
    r"""A multilevel transform without downsampling, as :func:`undecimated` returns it.

    All bands have the shape of the data. The object is immutable, and a mapping of its bands, as a
    :class:`Decomposition` is: ``u[1, "d"]`` is a band, ``u[1]`` are the bands of a level, ``u[-1]``
    those of the coarsest level; ``len(u)``, ``in``, iteration and :meth:`items` use the names
    ``(level, key)``. Objects with the same layout can be added and subtracted, and multiplied by
    numbers.

    Attributes
    ----------
    approx : array
        The approximation of the coarsest level.
    details : tuple of mappings
        The details of each level, coarsest first, keyed by one letter per transformed axis as in
        :func:`dwtn`.
    shape : tuple of int
        Shape of the data.
    dtype : dtype
        Dtype of the original data.
    plans : tuple of AxisPlan
        Axis and wavelet for each transformed axis.
    transform : {"swt", "modwt"}
        The transform.
    norm : bool
        Whether the filters are divided by :math:`\sqrt 2`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(0.2 * np.arange(77.0))
    >>> u = lw.undecimated(x, "sym4", level=2)
    >>> u
    Undecimated of shape (77,), float64, by 'sym4', mode 'periodization', axes (0,), 2 levels
      level 2: a (77,), d (77,)
      level 1: d (77,)
    >>> bool(np.allclose(u.reconstruct(), x)), bool(np.allclose(sum(u.mra().values()), x))
    (True, True)
    """

    transform: Kind = "swt"
    norm: bool = False

    @classmethod
    def _of_contents(cls, contents: Contents) -> Self:
        return cls(*contents[:5], contents.transform, contents.norm)  # type: ignore[arg-type]

    # --- properties ------------------------------------------------------------------------------

    @property
    def modes(self) -> tuple[str, ...]:
        """The boundary mode of each axis."""
        lengths = [(self.shape[axis], self.approx.shape[axis]) for axis in self.axes]
        return tuple(map(mode_of, self.plans, lengths))

    @property
    def _layout(self) -> tuple[Any, ...]:
        return *super()._layout, self.transform, self.norm

    @property
    def _file_fields(self) -> dict[str, Any]:
        return {"format": 3, "transform": self.transform, "norm": self.norm}

    @property
    def _flat(self) -> list[Array]:
        """The approximation, and the details in the order of operations."""
        return list(self.bands.values())

    # --- reconstruction --------------------------------------------------------------------------

    def reconstruct(self) -> Array:
        """Reconstruct the data from these coefficients.

        Returns
        -------
        array
            Of the shape of the data, in the dtype of the coefficients. Coefficients that are not
            the transform of any data are averaged (see :func:`iswt`). An integer lifting scheme
            returns the dtype of the data; values outside of its range are clipped.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(7.0)
        >>> u = lw.undecimated(x, "db2", level=2, transform="modwt", mode="reflection")
        >>> bool(np.allclose(u.reconstruct(), x))
        True
        """
        if self.level == 0:
            return restored(self, self.approx)
        plans = as_axis_plans(self.plans)
        structure = dict_list(len(plans))
        call = undecimated_synthesis(self._flat, plans, self.approx.ndim, structure)
        return restored(self, execute(call))

    def mra(self) -> dict[tuple[int, str], Array]:
        """Return the component of each band: the reconstruction from this band alone.

        Returns
        -------
        dict
            Arrays of the shape of the data by ``(level, key)``. They add up to
            :meth:`reconstruct`, and are aligned with the data: events stay at their places.

        Raises
        ------
        WaveletError
            If the wavelet is an integer lifting scheme, whose components do not add up.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> u = lw.undecimated(np.arange(6.0), "haar", level=1)
        >>> parts = u.mra()
        >>> (parts[1, "a"] + parts[1, "d"]).round(6).tolist()
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        """
        plans = as_axis_plans(self.plans)
        if plans.is_integer:
            raise WaveletError(
                "the components of an integer scheme do not add up, because its steps round: use "
                "the scheme without to_integer(), or its filter bank"
            )
        parts = [execute(part.call) for part in parts_of(self._flat, plans)]
        box = tuple(slice(n) for n in self.shape)
        return {which: part[box] for which, part in zip(self.bands, parts, strict=True)}

    def variance(
        self,
        *,
        estimator: Estimator = "unbiased",
        interval: Interval = "chi2",
        confidence: float = 0.95,
    ) -> WaveletEstimate:
        """Return the wavelet variance of each level, from the details.

        Parameters
        ----------
        estimator, interval, confidence
            As for :func:`wavelet_variance`.

        Returns
        -------
        WaveletEstimate
            Variances of the levels 1, 2, …, along a last axis. With ``transform="modwt"`` they are
            the results of :func:`wavelet_variance`. With ``"swt"`` they estimate the same from the
            coefficients of the reversed filters; coefficients without ``norm`` are scaled first.

        Raises
        ------
        AxisError
            If several axes are transformed.
        LevelError
            If there are no levels, or all coefficients of a level depend on the ends of the data.
        ValueError, TypeError
            As for :func:`wavelet_variance`.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.cos(np.arange(60.0) ** 2)
        >>> u = lw.undecimated(x, "haar", level=3, transform="modwt")
        >>> bool(np.allclose(u.variance().value, lw.wavelet_variance(x, "haar", 3).value))
        True
        """
        check_interval(interval)
        check_estimator(estimator)
        tail = tail_of(confidence)
        if len(self.plans) != 1:
            raise AxisError(f"variance() needs one transformed axis, got axes {self.axes}")
        if not self.level:
            raise LevelError("variance() needs at least one level, got none")
        details = [self._details(j, estimator) for j in range(1, self.level + 1)]
        # Bands of reflected series are twice as long as the series.
        counts = [min(band.shape[-1], self.shape[self.axes[0]]) for band in details]
        return variances(details, counts, interval, tail)

    def _details(self, level: int, estimator: Estimator) -> Array:
        """The normalized details of a level that an estimate uses, along the last axis."""
        xp, (axis,) = array_namespace(self.approx), self.axes
        band = xp.moveaxis(self[level, "d"], axis, -1)
        if xp.isdtype(band.dtype, "complex floating"):
            raise DTypeError(f"wavelet variances are defined for real series, got {band.dtype}")
        if xp.isdtype(band.dtype, "integral"):
            band = xp.astype(band, xp.float64)
        weight = self._weights()[level, "d"]
        band = band if weight == 1 else band * sqrt(weight)
        if estimator == "biased":
            return band
        reach, n = Alignment(self.plans[0]).reaches(level)[1], self.shape[axis]
        if reach.last - reach.first >= n:
            raise LevelError(
                f"all coefficients of level {level} depend on the ends of the {n} samples: use "
                "fewer levels, or estimator='biased'"
            )
        return band[..., max(-reach.first, 0) : n - max(reach.last, 0)]

    def _weights(self) -> dict[tuple[int, str], float]:
        """The factor of the energy of each band; redundant bands share that of the data."""
        weights, halves = super()._weights(), 0 if self.norm else len(self.plans)
        return {
            (level, key): weight * 0.5 ** (level * halves)
            for (level, key), weight in weights.items()
        }

    # --- other structures ------------------------------------------------------------------------

    def to_array(self) -> Array:
        """Return all bands in one array, along a new first axis, in the order of :attr:`bands`.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> lw.undecimated(np.ones((4, 6)), "haar", level=1).to_array().shape
        (4, 4, 6)
        """
        return array_namespace(self.approx).stack(list(self.bands.values()))

    def from_array(self, arr: Array) -> Self:
        """Return an object of the same layout with the coefficients of ``arr``.

        Parameters
        ----------
        arr : array
            Of the shape that :meth:`to_array` returns.

        Raises
        ------
        ShapeError
            If it has another shape.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> u = lw.undecimated(np.arange(6.0), "haar", level=1)
        >>> u.from_array(2 * u.to_array()) == 2 * u
        True
        """
        arr = as_array(arr)
        shape = (len(self), *self.approx.shape)
        if tuple(arr.shape) != shape:
            raise ShapeError(f"expected the shape {shape} of to_array(), got {tuple(arr.shape)}")
        return self.replace({which: arr[k, ...] for k, which in enumerate(self)})

    def plot(
        self,
        title: str | None = None,
        *,
        components: bool = False,
        spacing: float = 1.0,
        unit: str = "samples",
    ) -> Figure:
        """Draw the bands with matplotlib, aligned with the data.

        For one axis, the bands of a 1-D signal one above the other. A band is moved by the delay of
        its filters, and grey areas mark the coefficients that depend on samples beyond the ends.
        For two axes, the bands of a 2-D image side by side. A frame surrounds the coefficients that
        do not depend on samples beyond the ends.

        Parameters
        ----------
        title : str, optional
            Heading of the figure.
        components : bool, optional
            Whether to draw the components of :meth:`mra` in place of the bands. Default False.
        spacing : float, optional
            The distance between two samples of a signal, in the unit. Default 1.
        unit : str, optional
            The unit of the time axis, such as ``"s"``. Default ``"samples"``.

        Returns
        -------
        matplotlib.figure.Figure
            Created without pyplot, so it is neither shown nor kept open.

        Raises
        ------
        ShapeError
            If the data are neither a 1-D signal nor a 2-D image.
        OptionError
            If the spacing is not a positive number, or the unit is not text.
        """
        return plot_undecimated(self, title, components, spacing, unit)
