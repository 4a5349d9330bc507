"""The filters of scattering transforms of images: oriented Gabor filters, and a low-pass."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Kymatio's constants: its Gaussians are divided by this number in place of pi.
_PI, _WIDTH, _FREQUENCY = 3.1415, 0.8, 3 * math.pi / 4

# Deviations beyond which a Gaussian is below the rounding error.
_REACH = 9

# Smaller responses are negligible in double precision.
_NEGLIGIBLE = 1e-18

Shape = tuple[int, int]


def angles_of(count: int) -> list[float]:
    """The angles of the wavelets from the axis of rows."""
    return [(int(count - count / 2 - 1) - t) * math.pi / count for t in range(count)]


class Wavelets(NamedTuple):
    """The wavelets of all angles at one level, for images of some rate.

    Attributes
    ----------
    responses : ndarray, shape (angles, rows, columns)
        Their Fourier transforms.
    factor : int
        The factor by which the rate of their results is lower.
    blocks : list of (int, (slice, slice))
        The blocks of the size of the results whose responses are not zero to rounding, with the
        index of the angle.
    """

    responses: NDArray[Any]
    factor: int
    blocks: list[tuple[int, tuple[slice, slice]]]


@lru_cache(maxsize=4)
def bank_of(
    shape: Shape, levels: int, count: int, averages: bool, dtype: str
) -> dict[tuple[int, int], Wavelets]:
    """The wavelets of a transform, by level and by the level of the images."""
    bank: dict[tuple[int, int], Wavelets] = {}
    for level in range(levels):
        full = np.stack([_wavelet(shape, level, angle, 4 / count) for angle in angles_of(count)])
        for rate in range(max(level, 1)):
            if rate and not averages:  # all images have the full rate
                bank[level, rate] = bank[level, 0]
                continue
            responses = _at_rate(full, rate).astype(dtype)
            factor = 2 ** (level - rate) if averages else 1
            bank[level, rate] = Wavelets(responses, factor, _blocks(responses, factor))
    return bank


@lru_cache(maxsize=256)
def low_pass_of(n: int, levels: int, rate: int) -> list[NDArray[np.float64]]:
    """The averages along one axis, at the lowest rate, without both ends of the extension.

    The real part of a matrix, and its imaginary part if it is not zero to rounding. (At low rates,
    the response at half the sampling rate has no mirror image.)
    """
    width = _WIDTH * 2 ** (levels - 1)
    reach = math.ceil(_REACH * width)
    places = np.arange(-reach, reach + 1)
    values = np.exp(-(places**2) / (2 * width**2)) / math.sqrt(2 * _PI * width**2)
    response = np.fft.fft(_repeated(values, n, 0)).real
    kernel = np.fft.ifft(_at_rate(response, rate, (0,)))
    outputs = np.arange(1, (n >> levels) - 1) << (levels - rate)
    matrix = kernel[(outputs[:, None] - np.arange(kernel.size)) % kernel.size]
    is_real = abs(matrix.imag).max(initial=0.0) <= _NEGLIGIBLE
    # Copies, because exported programs of torch cannot contain parts of other arrays.
    return [part.copy() for part in ([matrix.real] if is_real else [matrix.real, matrix.imag])]


def _wavelet(shape: Shape, level: int, angle: float, slant: float) -> NDArray[np.float64]:
    """The Fourier transform of a wavelet, whose mean is zero."""
    width, frequency = _WIDTH * 2**level, _FREQUENCY / 2**level
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    matrix = turn @ np.diag([1, slant**2]) @ turn.T / width**2
    reach = [math.ceil(_REACH * r) for r in np.sqrt(np.diag(np.linalg.inv(matrix)))]
    rows, columns = np.arange(-reach[0], reach[0] + 1)[:, None], np.arange(-reach[1], reach[1] + 1)
    squares = matrix[0, 0] * rows**2 + matrix[1, 1] * columns**2
    gaussian = np.exp(-(squares + 2 * matrix[0, 1] * rows * columns) / 2)
    waves = np.exp(1j * frequency * c * rows) * np.exp(1j * frequency * s * columns)
    mean = (gaussian * waves.real).sum() / gaussian.sum()
    values = gaussian * (waves - mean) * (slant / (2 * _PI * width**2))
    return _spectrum(_repeated(_repeated(values, shape[0], 0), shape[1], 1))


def _repeated(values: NDArray[Any], count: int, axis: int) -> NDArray[Any]:
    """The sum of positions, from the middle of an axis, that are a multiple of a number apart."""
    length = values.shape[axis]
    before = -(length // 2) % count
    shape = list(values.shape)
    shape[axis] = -(-(before + length) // count) * count
    wide = np.zeros(shape, values.dtype)
    np.moveaxis(wide, axis, 0)[before : before + length] = np.moveaxis(values, axis, 0)
    periods = wide.reshape(*shape[:axis], -1, count, *shape[axis + 1 :])
    return np.asarray(periods.sum(axis=axis))


def _spectrum(values: NDArray[np.complex128]) -> NDArray[np.float64]:
    """The Fourier transform, which is real: values at opposite positions are conjugates."""
    height, width = values.shape
    half = np.conj(values[:, : width // 2 + 1])
    return np.asarray(np.fft.irfft2(half, s=(height, width)) * (height * width))


def _at_rate(responses: NDArray[Any], level: int, axes: tuple[int, ...] = (-2, -1)) -> NDArray[Any]:
    """The low frequencies of responses, for images of a lower rate."""
    if not level:
        return responses
    for axis in axes:
        n, short = responses.shape[axis], responses.shape[axis] >> level
        inside = np.ones(n, bool)
        inside[short // 2 : short // 2 + n - short] = False
        responses = np.compress(inside, responses, axis=axis)
    return responses


def _blocks(responses: NDArray[Any], factor: int) -> list[tuple[int, tuple[slice, slice]]]:
    limit = _NEGLIGIBLE * (1e9 if responses.dtype == np.complex64 else 1)
    height, width = (n // factor for n in responses.shape[-2:])
    blocks = [
        (slice(i * height, (i + 1) * height), slice(j * width, (j + 1) * width))
        for i in range(factor)
        for j in range(factor)
    ]
    return [
        (angle, block)
        for angle, response in enumerate(responses)
        for block in blocks
        if abs(response[block]).max() > limit
    ]
