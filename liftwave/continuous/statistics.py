"""Averages of the power of scalograms, and its significance against red noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from liftwave._arrays.host import as_numpy
from liftwave._numbers import is_one_of
from liftwave._typing import Array
from liftwave.continuous.averages import freedom_of_marginal, freedom_of_rows, noise_limits
from liftwave.continuous.components import Components
from liftwave.continuous.grid import dtype_of_responses
from liftwave.continuous.red_noise import checked_level, chi2_ratio
from liftwave.errors import OptionError


@dataclass(frozen=True, eq=False, repr=False)
class Statistics(Components):
    """Statistics of the power of coefficients of one signal."""

    def marginal(self, band: tuple[float, float] | None = None) -> Array:
        r"""Return the variance in a band of frequencies at each time.

        Parameters
        ----------
        band : (float, float), optional
            The lowest and the highest frequency. By default all.

        Returns
        -------
        array, shape (..., times)
            Torrence and Compo's scale-averaged power (equation 24). Its mean over time is the
            variance of the signal in the band.

        Raises
        ------
        OptionError, ArgumentTypeError
            If the band is not valid.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = 3 * np.cos(2 * np.pi * 0.05 * np.arange(1000))
        >>> s = lw.scalogram(x)
        >>> float(s.marginal((0.02, 0.1)).mean().round(1)), float(x.var().round(1))
        (4.5, 4.5)
        """
        return self._weighted(self._energies(self._rows_in(band)), self.power())

    def _energies(self, rows: Any) -> Any:
        """The weights of rows in a sum of powers that is a variance."""
        grid = self._grid
        factor = (4 if grid.concrete.is_real else 2) / grid.shape.log_energy
        return rows * factor * grid.weights / grid.gains**2

    def significance(
        self,
        level: float = 0.95,
        *,
        of: Literal["power", "global_spectrum", "marginal"] = "power",
        ar1: float | None = None,
        band: tuple[float, float] | None = None,
    ) -> Array:
        r"""Return the power that red noise exceeds with a small probability.

        Parameters
        ----------
        level : float, optional
            The probability that noise has less power. Default 0.95.
        of : {"power", "global_spectrum", "marginal"}, optional
            The compared quantity: the power at each time, or one of the averages.
        ar1 : float, optional
            The coefficient of the AR(1) noise; 0 is white noise. By default it is estimated from
            the signal, without the bias of the mean (Allen and Smith).
        band : (float, float), optional
            The band of the ``"marginal"``.

        Returns
        -------
        array, shape (..., frequencies) or (...,)
            The limit of the power of each row; that of the marginal is one number.

        Raises
        ------
        OptionError, ArgumentTypeError
            If an argument is not valid.
        DTypeError
            If the signal is complex.

        Notes
        -----
        The power of the noise is :math:`\sigma^2 P \chi^2_\nu / \nu`. :math:`P` is its mean
        spectrum, weighted by the response of each row. It has two degrees of freedom (one for real
        wavelets); averages have those of Torrence and Compo (equations 23 and 28), with
        decorrelation lengths that are computed from the wavelet. Averages need SciPy.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> rng = np.random.default_rng(0)
        >>> x = rng.standard_normal(2000)
        >>> s = lw.scalogram(x, wavelet="morlet(6)", limits="resolved")
        >>> share = (s.power() > s.significance(0.9, ar1=0)[:, None]).mean()
        >>> bool(0.07 < share < 0.13)
        True
        """
        if not is_one_of(of, ("power", "global_spectrum", "marginal")):
            raise OptionError(f"of must be 'power', 'global_spectrum' or 'marginal', got {of!r}")
        probability, chosen = checked_level(level), self._rows_in(band)
        limits = noise_limits(self._analysis, ar1)
        if of == "marginal":
            weights = self._energies(chosen)
            mean = (limits * weights).sum(axis=-1)
            freedom = freedom_of_marginal(self._grid, chosen)
        else:
            mean, freedom = limits, freedom_of_rows(self._analysis, of == "global_spectrum")
        result = mean * chi2_ratio(probability, freedom)
        xp = array_namespace(self.coefficients)
        is_single = dtype_of_responses(self._analysis.spectrum) == "float32"
        dtype = xp.float32 if is_single else xp.float64
        return xp.asarray(result, dtype=dtype, device=device_of(self.coefficients))

    def _shown_limit(self, level: float) -> Any:
        return np.sqrt(as_numpy(self.significance(level)))
