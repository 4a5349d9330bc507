"""The continuous wavelet transform of PyWavelets, with its signature and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, dtype_name, is_complex, open_array, real_dtype
from liftwave._execute import graph_node
from liftwave._numbers import as_numbers, whole_number
from liftwave._plan.arguments import normalize_axis
from liftwave._typing import Array, ArrayT, Data
from liftwave.continuous.wavelets import AnyWavelet, checked_level, functions_of, scale2frequency
from liftwave.errors import AxisTypeError, DTypeError, OptionError, ScaleError, ShapeError

# Kernels of more samples do not fit into memory.
_LONGEST = 2**32


@graph_node
def cwt(
    data: Data[ArrayT],
    scales: Any,
    wavelet: AnyWavelet,
    sampling_period: float = 1.0,
    method: Literal["conv", "fft"] = "conv",
    axis: int = -1,
    *,
    precision: int = 12,
) -> tuple[ArrayT, NDArray[Any]]:
    r"""Continuous wavelet transform along one axis, as PyWavelets computes it.

    Parameters
    ----------
    data : array_like, shape (..., n, ...)
        Signal, or a batch of signals, real or complex. An array of any library.
    scales : float or array_like
        The scales, in samples; positive.
    wavelet : str, pywt.ContinuousWavelet, or a discrete wavelet
        For a discrete wavelet, the function uses the wavelet of the analysis.
    sampling_period : float, optional
        Only the frequencies depend on it.
    method : {"conv", "fft"}, optional
        Whether NumPy arrays are convolved directly or by fast Fourier transforms. Arrays of other
        libraries always use their Fourier transforms.
    axis : int, optional
        Axis to transform; all others are batch axes. As in PyWavelets, it has no effect on data of
        one dimension.
    precision : int, optional
        The wavelet is sampled at ``2**precision`` points (the ``level`` of :func:`wavefun`).

    Returns
    -------
    coefs : array, shape (scales, ..., n, ...)
        In the library, the precision and on the device of ``data``. Complex for complex wavelets.
    frequencies : ndarray, shape (scales,)
        ``scale2frequency(wavelet, scales, precision) / sampling_period``.

    Raises
    ------
    ScaleError, WaveletError, AxisError, LevelError, OptionError, ShapeError, DTypeError
        If an argument is not valid, or a scale is so small that its wavelet has one sample. All but
        the last are :class:`ValueError`.

    Notes
    -----
    With the integral :math:`\Psi` of the wavelet on its interval, the kernel of scale :math:`a`
    has the values :math:`\overline{\Psi(k / a)}`, rounded down to the next sampled point. The
    result is :math:`-\sqrt{a}` times the difference of the convolution with the kernel. This
    approximates :math:`a^{-1/2} \sum_n x_n \overline{\psi((n - b) / a)}` for large scales.

    The approximation has two systematic errors. If the kernel has an odd number of samples, the
    result is delayed by half a sample. At small scales, the rounding of the points changes the
    coefficients: by up to 38 % at scale 2, 7 % at scale 5, and 0.1 % at scale 64. Frequencies are
    rounded, see :func:`central_frequency`.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(2 * np.pi * 0.05 * np.arange(200))
    >>> coefs, frequencies = lw.cwt(x, [2, 4, 8, 16, 32], "morl")
    >>> coefs.shape, float(frequencies[abs(coefs[:, 100]).argmax()])
    ((5, 200), 0.05078125)
    """
    x = as_array(data)
    last = normalize_axis(axis if x.ndim != 1 else _checked_axis(axis), x.ndim)
    checked, level = _scales(scales), checked_level(precision)
    if not isinstance(method, str) or method not in ("conv", "fft"):
        raise OptionError(f"method must be 'conv' or 'fft', got {method!r}")
    if 0 in x.shape:
        raise ShapeError(f"the data have no samples: shape {tuple(x.shape)}")
    frequencies = scale2frequency(wavelet, checked, level) / _period(sampling_period)
    opened = open_array(x)
    xp = opened.xp
    rows = xp.moveaxis(opened.array, last, -1)
    integral = _integral(wavelet, level, rows)
    kernels = _kernels(integral, checked)
    direct = method == "conv" and type(rows) is np.ndarray
    convolved = _direct(rows, kernels) if direct else _by_fourier(rows, kernels, integral)
    coefs = xp.moveaxis(_stacked(convolved, rows, len(kernels), integral), -1, 1 + last)
    if not is_complex(coefs):
        coefs = opened.close(coefs)
    result: ArrayT = coefs
    return result, frequencies


def _checked_axis(axis: Any) -> int:
    """The axis of data of one dimension, which can be any integer."""
    whole_number(axis, "an axis must be an integer", AxisTypeError)
    return 0


def _scales(scales: Any) -> NDArray[Any]:
    values = np.atleast_1d(as_numbers(scales))
    if values.dtype.kind == "c":
        raise DTypeError(f"`scales` must be real numbers, got the dtype {values.dtype}")
    if values.ndim != 1 or not np.all(values > 0) or not np.all(np.isfinite(values)):
        raise ScaleError(
            f"`scales` must only include positive values, in one dimension, got {scales!r}"
        )
    return values


def _period(sampling_period: Any) -> Any:
    period = as_numbers(sampling_period)
    if period.dtype.kind == "c":
        raise DTypeError(f"sampling_period must be a real number, got {sampling_period!r}")
    if period.ndim or not np.isfinite(period) or period <= 0:
        raise ScaleError(f"sampling_period must be a positive number, got {sampling_period!r}")
    return period[()]


# --- kernels of the scales -----------------------------------------------------------------------


class _Integral(NamedTuple):
    """The integral of a wavelet and its points, in the precision of the data."""

    values: NDArray[Any]
    points: NDArray[Any]

    @property
    def is_complex(self) -> bool:
        return self.values.dtype.kind == "c"


def _integral(wavelet: AnyWavelet, level: int, rows: Array) -> _Integral:
    xp = array_namespace(rows)
    real = np.dtype(dtype_name(real_dtype(rows, xp), xp))
    *functions, points = functions_of(wavelet, level)
    psi = functions[min(1, len(functions) - 1)]
    dtype = np.result_type(real, np.complex64) if psi.dtype.kind == "c" else real
    values = np.conj(np.cumsum(psi) * (points[1] - points[0])).astype(dtype)
    return _Integral(values, points.astype(real))


class _Kernel(NamedTuple):
    """The kernel of one scale, and the place of the first coefficient in the convolution."""

    taps: NDArray[Any]
    start: int


def _kernels(integral: _Integral, scales: NDArray[Any]) -> list[_Kernel]:
    """The kernel of each scale.

    Raises
    ------
    ScaleError
        If a kernel has less than two samples, or more than memory can hold.
    """
    values, points = integral
    step, length = points[1] - points[0], points[-1] - points[0]
    longest = max(map(float, scales), default=0.0) * float(length)
    if longest > _LONGEST:
        raise ScaleError(
            f"Selected scale of {max(scales)} is too large: its wavelet has {longest:.3g} samples"
        )
    kernels = []
    for scale in scales:
        # The index is rounded as in PyWavelets: in the precision of its points and scales.
        index = (np.arange(scale * length + 1) / (scale * step)).astype(int)
        samples = values[index[index < values.size]][::-1]
        if samples.size < 2:
            raise ScaleError(f"Selected scale of {scale} too small.")
        # The difference of a convolution is the convolution with differences.
        taps = -np.sqrt(scale) * np.diff(samples, prepend=0, append=0)
        kernels.append(_Kernel(taps.astype(values.dtype), samples.size // 2))
    return kernels


# --- convolutions --------------------------------------------------------------------------------


def _direct(rows: NDArray[Any], kernels: list[_Kernel]) -> Iterator[NDArray[Any]]:
    """The coefficients of each scale, by direct convolution of each row."""
    n = rows.shape[-1]
    flat = rows.reshape(-1, n)
    for taps, start in kernels:
        results = [np.convolve(row, taps)[start : start + n] for row in flat]
        yield np.stack(results).reshape(rows.shape)


def _by_fourier(rows: Array, kernels: list[_Kernel], integral: _Integral) -> Iterator[Array]:
    """The coefficients of each scale, by Fourier transforms in the library of the rows."""
    xp, n = array_namespace(rows), rows.shape[-1]
    spectra: dict[int, Array] = {}
    is_real = not is_complex(rows) and not integral.is_complex
    forward, backward = (xp.fft.rfft, xp.fft.irfft) if is_real else (xp.fft.fft, xp.fft.ifft)
    if not is_real and not is_complex(rows):
        rows = xp.astype(rows, xp.complex64 if rows.dtype == xp.float32 else xp.complex128)
    for taps, start in kernels:
        size = _fast_length(n + taps.size - 1)
        if size not in spectra:
            spectra = {size: forward(rows, n=size)}  # scales of one size follow each other
        kernel = xp.asarray(taps, device=device_of(rows))
        product = spectra[size] * forward(kernel, n=size)
        yield backward(product, n=size)[..., start : start + n]


def _fast_length(n: int) -> int:
    """The next length that is 4, 5, 6 or 7 times a power of two. Few lengths share spectra."""
    power = 1 << max(n.bit_length() - 3, 0)
    return -(-n // power) * power


def _stacked(coefficients: Iterator[Array], rows: Array, count: int, integral: _Integral) -> Array:
    """The coefficients of all scales in one array."""
    xp, shape = array_namespace(rows), (count, *rows.shape)
    if count and type(rows) is not np.ndarray:
        return xp.stack(list(coefficients))
    dtype = xp.complex64 if rows.dtype == xp.float32 else xp.complex128
    if is_complex(rows) or not integral.is_complex:
        dtype = rows.dtype
    result = xp.empty(shape, dtype=dtype, device=device_of(rows))
    for k, values in enumerate(coefficients):
        result[k] = values
    return result
