"""The object that :func:`scalogram` returns: inverses, components, synchrosqueezing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, is_complex
from liftwave._numbers import is_one_of, real_number
from liftwave._typing import Array, ArrayLike
from liftwave.continuous.least_squares import covered_by, energies_of, nearest_signal
from liftwave.continuous.squeezing import Synchrosqueezed, synchrosqueezed
from liftwave.continuous.statistics import Statistics
from liftwave.errors import OptionError, ReconstructionWarning, ScaleError, ShapeError, warn


@dataclass(frozen=True, eq=False, repr=False)
class Scalogram(Statistics):
    r"""A continuous wavelet transform, as :func:`scalogram` returns it.

    The object is immutable. Arrays are in the library and on the device of the signal.

    Attributes
    ----------
    coefficients : array, shape (..., frequencies, times)
        The coefficients. Complex; real for real wavelets of real signals.
    negative : array or None
        For complex signals: the coefficients of negative frequencies.
    frequencies, scales : ndarray, shape (frequencies,)
        The peak frequency of each row, and its scale :math:`\omega_0 / (2 \pi f)` in units of time.
    times : ndarray, shape (times,)
        The time of each column; 0 is the first sample.
    coi : ndarray, shape (times,)
        The cone of influence: at each time the lowest frequency that does not depend on the ends. A
        row does not depend on them if its e-folding time is at most the distance to the nearer end.
    wavelet, norm, mode, fs
        As passed.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(300)
    >>> s = lw.scalogram(x, wavelet="morlet(6)", voices=12)
    >>> s.coefficients.shape, s.frequencies.shape, s.times.shape, s.coi.shape
    ((99, 300), (99,), (300,), (300,))
    >>> bool(np.allclose(s.inverse(), x))  # white noise
    True
    """

    negative: Array | None = None
    _whole: tuple[Array, Array | None] | None = None
    _dtype: Any = None

    def replace(self, coefficients: ArrayLike, negative: ArrayLike | None = None) -> Self:
        """Return a scalogram with other coefficients, for changes before the inverse.

        Parameters
        ----------
        coefficients : array
            Of the shape of the current coefficients.
        negative : array, optional
            For complex signals: the coefficients of negative frequencies.

        Raises
        ------
        ShapeError
            If a shape differs.

        Examples
        --------
        The inverse of the coefficients that are larger than the noise:

        >>> import numpy as np
        >>> import liftwave as lw
        >>> clean = np.cos(2 * np.pi * 0.05 * np.arange(600))
        >>> noise = np.random.default_rng(0).standard_normal(600)
        >>> s = lw.scalogram(clean + 0.5 * noise, voices=16)
        >>> large = s.replace(np.where(abs(s.coefficients) > 0.5, s.coefficients, 0))
        >>> bool(np.std(large.inverse() - clean) < 0.25)
        True
        """
        values, pages = as_array(coefficients), [as_array(coefficients)]
        if self.negative is not None:
            other = self.negative if negative is None else as_array(negative)
            pages.append(other)
        shape = tuple(self.coefficients.shape)
        for page in pages:
            if tuple(page.shape) != shape:
                raise ShapeError(f"expected coefficients of shape {shape}, got {tuple(page.shape)}")
        imaginary = pages[1] if len(pages) > 1 else None
        return replace(self, coefficients=values, negative=imaginary, _whole=None)

    def inverse(
        self,
        band: tuple[float, float] | None = None,
        *,
        method: Literal["exact", "integral", "least_squares"] = "exact",
    ) -> Array:
        r"""Return the signal, or its component in a band of frequencies.

        Parameters
        ----------
        band : (float, float), optional
            The lowest and the highest frequency of the component: the rows whose peaks are in it.
            The mean of the signal belongs to frequency 0.
        method : {"exact", "integral", "least_squares"}, optional
            ``"exact"`` divides by the sum of the responses of all rows. ``"integral"`` is the sum
            of rows that approximates an integral over scales, which other packages use: its error
            is about 1e-3 for band-limited signals. ``"least_squares"`` is the signal whose
            coefficients in the rows of the band are nearest to the current ones. Use it for changed
            coefficients, and for rows with gaps between them.

        Returns
        -------
        array
            Of the shape of the signal, in its dtype.

        Raises
        ------
        OptionError, ArgumentTypeError
            If an argument is not valid, or ``rate`` omitted columns.

        Warns
        -----
        ReconstructionWarning
            If the rows do not cover all frequencies of the signal.

        Notes
        -----
        With the sum of responses :math:`S(\omega) = \sum_i \hat\psi(s_i \omega)`, the signal is the
        inverse Fourier transform of :math:`2 \sum_i (\mathrm{Re}\, W_i)^\wedge(\omega) /
        S(\omega)`. It is exact up to rounding if ``invertible`` was set or the mode is
        ``"periodic"``; for the mode ``"symmetric"`` also if twice the length of the signal has no
        prime factor above 7. Otherwise the boundary mode extends the columns beyond the ends, which
        changes the signal: by about 1e-3 for the mode ``"symmetric"``, and mostly near the ends for
        other modes. Components of bands add up.

        The least squares are :math:`\sum_i \hat\psi_i \hat W_i / \sum_i \hat\psi_i^2`, with the
        responses in the norm of the scalogram. Frequencies at the edges of a band, where the
        responses are small, are restored to their full strength, so these components do not add up.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> t = np.arange(1000) / 100
        >>> slow, fast = np.cos(2 * np.pi * 1.5 * t), np.cos(2 * np.pi * 12 * t)
        >>> s = lw.scalogram(slow + fast, fs=100)
        >>> middle = slice(100, 900)
        >>> bool(abs(s.inverse((6, 25)) - fast)[middle].max() < 1e-2)
        True
        """
        if not is_one_of(method, ("exact", "integral", "least_squares")):
            raise OptionError(
                f"method must be 'exact', 'integral' or 'least_squares', got {method!r}"
            )
        rows = self._rows_in(band)
        if self._analysis.hop > 1:
            raise OptionError("rate omitted columns that the inverse needs: do not pass rate")
        has_mean = band is None or band[0] <= 0
        if method == "exact":
            signal = self._exact(rows, has_mean)
            if band is None:
                self._warn_of_coverage(self._analysis.covered)
        elif method == "least_squares":
            signal = nearest_signal(self._analysis, self._rows_of_signals(), rows, has_mean)
            if band is None:
                self._warn_of_coverage(covered_by(energies_of(self._analysis, rows)))
        else:
            signal = self._integral(rows, has_mean)
        return self._closed(signal)

    def synchrosqueeze(self, threshold: float | None = None) -> Synchrosqueezed:
        r"""Return the transform with its coefficients moved to their instantaneous frequencies.

        Parameters
        ----------
        threshold : float, optional
            Coefficients of smaller magnitude are omitted, because their phase is not reliable. In
            units of the signal (norm ``"amplitude"``). By default 1e-6 of the largest sample.

        Returns
        -------
        Synchrosqueezed
            The synchrosqueezed coefficients, with an inverse. Their lines are sharper than those of
            the scalogram.

        Raises
        ------
        ScaleError
            If the frequencies do not have equal ratios, or the threshold is negative.
        DTypeError, ArgumentTypeError
            If the signal is complex, or the threshold is not a number.

        Notes
        -----
        The instantaneous frequency of a coefficient is :math:`\mathrm{Im}(W'/W)/2\pi` with the
        derivative :math:`W'` in time. The sum of coefficients by their frequencies is computed from
        the signal, so it does not depend on :meth:`replace`.

        References
        ----------
        .. [1] I. Daubechies, J. Lu and H.-T. Wu, "Synchrosqueezed wavelet transforms", Appl.
           Comput. Harmon. Anal. 30, 243-261, 2011.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.cos(2 * np.pi * 0.05 * np.arange(600))
        >>> q = lw.scalogram(x, voices=16).synchrosqueeze()
        >>> int((abs(q.coefficients[:, 300]) > 0.01).sum())  # one row
        1
        """
        if threshold is not None:
            demand = "threshold must be a number of at least 0"
            threshold = real_number(threshold, demand)
            if not threshold >= 0:
                raise ScaleError(f"{demand}, got {threshold!r}")
        return synchrosqueezed(self._analysis, threshold)

    def _component(self, mask: Array) -> Array:
        xp = array_namespace(self.coefficients)
        pages = [xp.where(mask, page, xp.zeros_like(page)) for page in self._pages(False)]
        # Division by the symbol would amplify the errors of a mask at the ends of the grid.
        return self._closed(self._sums(self._integral_weights, pages))

    def _closed(self, signal: Array) -> Array:
        """A result in the layout and the dtype of the signal."""
        result = self._analysis.joined(signal)
        return result if self._dtype is None else _cast(result, self._dtype)

    def _pages(self, whole: bool) -> list[Array]:
        """The coefficients as those of real signals: one, or real and imaginary part."""
        if whole and self._whole is not None:
            positive, negative = self._whole
        else:
            positive, negative = self.coefficients, self.negative
        xp = array_namespace(positive)
        if not self._analysis.is_complex:
            return [xp.real(positive) if is_complex(positive) else positive]
        both = positive if negative is None else (positive + negative) / 2
        return [xp.real(both), xp.imag(both)]

    def _total(self, weights: Any, whole: bool) -> Array:
        """The weighted sum of the real parts of rows, as real signals."""
        return self._sums(weights, self._pages(whole))

    def _sums(self, weights: Any, pages: list[Array]) -> Array:
        """The weighted sums of the rows of each page."""
        parts = [self._weighted(weights, page) for page in pages]
        return array_namespace(parts[0]).stack(parts) if len(parts) > 1 else parts[0]

    def _exact(self, rows: Any, has_mean: bool) -> Array:
        total = self._total(rows / self._grid.gains, True)
        return self._analysis.deconvolved(total, has_mean)

    def _integral(self, rows: Any, has_mean: bool) -> Array:
        total = self._total(rows * self._integral_weights, False)
        return total + self._analysis.mean[..., None] if has_mean else total

    @property
    def _integral_weights(self) -> NDArray[np.float64]:
        """The weights of the rows in the integral over scales."""
        grid = self._grid
        return np.asarray(2 * grid.weights / grid.shape.admissibility / grid.gains)

    def _rows_of_signals(self) -> Array:
        """The coefficients of real signals: those of real and imaginary parts of complex ones."""
        positive, negative = self._whole or (self.coefficients, self.negative)
        if not self._analysis.is_complex:
            return positive
        xp = array_namespace(positive)
        if negative is None:
            return xp.stack([xp.real(positive), xp.imag(positive)])
        other = xp.conj(negative)
        return xp.stack([(positive + other) / 2, (positive - other) / 2j])

    def _warn_of_coverage(self, covered: NDArray[np.bool_]) -> None:
        covered = covered[1:]
        if covered.all():
            return
        bins = np.flatnonzero(covered) + 1
        step = self.fs / self._analysis.layout.length
        ends = f"{bins[0] * step:.4g} to {bins[-1] * step:.4g}" if bins.size else "no frequencies"
        warn(
            f"the rows cover {ends}; other frequencies are missing in the inverse. "
            "limits='full' covers all",
            ReconstructionWarning,
        )


def _cast(x: Array, dtype: Any) -> Array:
    xp = array_namespace(x)
    return x if x.dtype == dtype else xp.astype(x, dtype)
