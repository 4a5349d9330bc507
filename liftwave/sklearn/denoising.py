"""Denoising as a step of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from liftwave._typing import Modes, ShrinkageRule
from liftwave.denoising.analyses import TransformName
from liftwave.denoising.missing import Missing
from liftwave.denoising.recipes import Method
from liftwave.denoising.shrinkage import denoise
from liftwave.sklearn.signals import SignalTransformer
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:

    class OneToOneFeatureMixin:
        """The part of scikit-learn's class that this package uses."""
else:
    from sklearn.base import OneToOneFeatureMixin


class WaveletDenoiser(OneToOneFeatureMixin, SignalTransformer):
    """Removes noise from each sample by shrinking wavelet coefficients.

    Parameters
    ----------
    wavelet, method, rule, level, mode, shifts, missing : optional
        As for :func:`liftwave.denoise`, with the same defaults. ``missing="interpolate"`` and
        ``"mask"`` accept NaN.
    kind : {"dwt", "swt", "dtcwt"}, optional
        The argument ``transform`` of :func:`liftwave.denoise`, with the same default.
    sigma : float, dict or str, optional
        Standard deviation of the noise, as for :func:`liftwave.denoise`; by default it is estimated
        from each sample.
    shape : sequence of int, optional
        The shape of one sample, for images and volumes whose rows are flattened; by default a row
        is a signal.

    Attributes
    ----------
    n_features_in_ : int
        The number of samples of a signal.
    feature_names_in_ : ndarray of str
        The names of the columns that :meth:`fit` got, if they are text.

    Notes
    -----
    Each row is denoised separately: the thresholds do not depend on other rows.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.sklearn import WaveletDenoiser
    >>> clean = np.sin(np.linspace(0, 12, 512)) * np.ones((3, 1))
    >>> noisy = clean + 0.3 * np.random.default_rng(0).standard_normal(clean.shape)
    >>> smooth = WaveletDenoiser(method="fdr", kind="swt").fit_transform(noisy)
    >>> bool(np.std(smooth - clean) < 0.3 * np.std(noisy - clean))
    True
    """

    def __init__(
        self,
        wavelet: Wavelets | None = None,
        method: Method | None = None,
        kind: TransformName | None = None,
        rule: ShrinkageRule | None = None,
        sigma: float | str | Mapping[int, Any] | None = None,
        level: int | None = None,
        mode: Modes = "symmetric",
        shifts: int = 1,
        missing: Missing = "raise",
        shape: Sequence[int] | None = None,
    ) -> None:
        self.wavelet, self.method, self.kind, self.rule = wavelet, method, kind, rule
        self.sigma, self.level, self.mode, self.shifts = sigma, level, mode, shifts
        self.missing, self.shape = missing, shape

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._finite is not True
        return tags

    @property
    def _finite(self) -> bool | str:
        return True if self.missing == "raise" else "allow-nan"

    def _learn(self, signal: NDArray[Any]) -> None:
        self._transformed(signal)  # raises if a parameter is not valid

    def _transformed(self, signals: NDArray[Any]) -> NDArray[Any]:
        clean = denoise(
            signals,
            self.wavelet,
            method=self.method,
            transform=self.kind,
            rule=self.rule,
            sigma=self.sigma,
            level=self.level,
            mode=self.mode,
            axes=self._axes,
            shifts=self.shifts,
            missing=self.missing,
        )
        return np.reshape(clean, (len(signals), -1))
