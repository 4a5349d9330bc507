"""Transforms as linear operators, for the solvers of SciPy and CuPy.

Importing this module loads SciPy. The classes whose names begin with ``Cupy`` work on CuPy's
arrays. They load ``cupyx.scipy.sparse.linalg`` at their first use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import open_array
from liftwave._arrays.taps import check_library_of_taps
from liftwave._execute import run
from liftwave._kernels.axis_by_axis import padded, trimmed
from liftwave._numbers import is_several, items, whole_number
from liftwave._operations.operation import Shape
from liftwave._operations.plan_transforms import analysis, synthesis
from liftwave._operations.transform import Transform
from liftwave._optional import needed_by
from liftwave._plan.arguments import check_level
from liftwave._plan.axes import AxisPlans, axis_plans
from liftwave._plan.levels import unflatten_bands
from liftwave._plan.planning import plan_analysis
from liftwave._typing import Array, CoefficientFormat, Modes
from liftwave.errors import DTypeError, ShapeError, ShapeTypeError, WaveletError
from liftwave.transforms.coefficients import ravel_coeffs, unravel_coeffs
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:

    class LinearOperator:
        """The part of SciPy's class that this module uses."""

        dtype: Any

        def __init__(self, dtype: Any, shape: tuple[int, int]) -> None: ...

    _Mixin = LinearOperator
else:
    with needed_by("liftwave.operators"):
        from scipy.sparse.linalg import LinearOperator

    _Mixin = object

__all__ = ["ReconstructionOperator", "WaveletOperator"]

# --- common to an operator and its inverse ---------------------------------------------------


class _Geometry:
    """The analysis and the synthesis of one shape, and the positions of bands in a vector.

    Arrays and bands can have one more dimension at the end, which counts vectors.
    """

    def __init__(
        self, shape: Shape, wavelet: Wavelets, mode: Modes, level: int | None, axes: Any
    ) -> None:
        self.shape = shape
        self.plans = axis_plans(wavelet, mode, axes, len(shape))
        if self.plans.is_integer:
            raise WaveletError(
                f"{self.plans[0].wavelet!r} rounds, so its transform is not linear: use the scheme "
                "without integer=True"
            )
        sizes = [shape[plan.axis] for plan in self.plans]
        self.level = check_level(level, sizes, [plan.wavelet for plan in self.plans])
        plan = plan_analysis(shape, self.plans, self.level)
        self.keys, self.band_shapes = plan.keys, plan.shapes
        self.approx, *details = plan.shapes
        _, self.details = unflatten_bands(details, plan.keys, has_approx=False)
        self.slices, self.size = self._places()

    def _places(self) -> tuple[list[Any], int]:
        """Slices as :func:`ravel_coeffs` returns them, and the length of the vector."""
        end = prod(self.approx)
        slices: list[Any] = [slice(end)]
        for shapes in self.details:
            slices.append({})
            for key in sorted(shapes):
                slices[-1][key] = slice(end, end + prod(shapes[key]))
                end = slices[-1][key].stop
        return slices, end

    def analysis(self, count: Shape) -> Transform:
        """The analysis of ``count`` arrays."""
        return analysis(self._plans(count), len(self.shape) + len(count), self.level)

    def synthesis(self, count: Shape) -> Transform:
        """The synthesis of ``count`` arrays."""
        return synthesis(self._plans(count), len(self.shape) + len(count), self.level)

    def _plans(self, count: Shape) -> AxisPlans:
        if not count:
            return self.plans
        axes, wavelets, modes = zip(*((p.axis, p.wavelet, p.mode) for p in self.plans), strict=True)
        return axis_plans(wavelets, modes, axes, len(self.shape) + len(count))

    def bands(self, vectors: Array) -> list[Array]:
        """The bands in a vector, or in each column of a matrix."""
        xp, count = array_namespace(vectors), tuple(vectors.shape[1:])
        bands, start = [], 0
        for shape in self.band_shapes:
            stop = start + prod(shape)
            bands.append(xp.reshape(vectors[start:stop, ...], (*shape, *count)))
            start = stop
        return bands

    def data(self, vectors: Array) -> Array:
        """The data in a vector, or in each column of a matrix."""
        xp = array_namespace(vectors)
        return xp.reshape(vectors, (*self.shape, *vectors.shape[1:]))


def _vectors(arrays: Sequence[Array], count: Shape) -> Array:
    """The vector of these arrays, or a matrix of such vectors as columns."""
    xp = array_namespace(*arrays)
    return xp.concat([xp.reshape(x, (-1, *count)) for x in arrays])


# --- both directions, and their adjoints -----------------------------------------------------


def _analyse(vectors: Array, geometry: _Geometry) -> Array:
    x, count = geometry.data(_opened(vectors, geometry)), tuple(vectors.shape[1:])
    return _vectors(run(geometry.analysis(count), [x]), count)


def _analyse_adjoint(vectors: Array, geometry: _Geometry) -> Array:
    bands, count = geometry.bands(_opened(vectors, geometry)), tuple(vectors.shape[1:])
    transform = geometry.analysis(count)
    sizes = transform.lengths((*geometry.shape, *count))
    return _vectors(run(transform.transpose, bands, sizes), count)


def _synthesise(vectors: Array, geometry: _Geometry) -> Array:
    bands, count = geometry.bands(_opened(vectors, geometry)), tuple(vectors.shape[1:])
    (x,) = run(geometry.synthesis(count), bands)
    # Odd lengths give one sample too many at the end.
    return _vectors([trimmed(x, (*geometry.shape, *count))], count)


def _synthesise_adjoint(vectors: Array, geometry: _Geometry) -> Array:
    x, count = geometry.data(_opened(vectors, geometry)), tuple(vectors.shape[1:])
    transform = geometry.synthesis(count)
    shapes = [(*shape, *count) for shape in geometry.band_shapes]
    (shape,) = transform.result_shapes(shapes, ())
    signal = padded(x, shape)
    sizes = transform.derivative_sizes(shapes, ())
    return _vectors(run(transform.transpose, [signal], sizes), count)


def _opened(vectors: Array, geometry: _Geometry) -> Array:
    """The array to compute on."""
    check_library_of_taps([plan.wavelet for plan in geometry.plans], [vectors])
    return open_array(vectors).array


# --- operators -------------------------------------------------------------------------------


class _Analysis(_Mixin):
    """The methods of :class:`WaveletOperator`, for any library's linear operators."""

    _inverse: Callable[..., Any]

    def __init__(
        self,
        shape: int | Sequence[int],
        wavelet: Wavelets,
        mode: Modes = "symmetric",
        level: int | None = None,
        axes: Sequence[int] | int | None = None,
        dtype: Any = np.float64,
    ) -> None:
        geometry = _Geometry(_as_shape(shape), wavelet, mode, level, axes)
        self._geometry = geometry
        super().__init__(_as_dtype(dtype), (geometry.size, prod(geometry.shape)))

    @property
    def data_shape(self) -> tuple[int, ...]:
        """The shape of the data."""
        return self._geometry.shape

    @property
    def level(self) -> int:
        """Number of levels."""
        return self._geometry.level

    @property
    def axes(self) -> tuple[int, ...]:
        """The transformed axes."""
        return tuple(plan.axis for plan in self._geometry.plans)

    @property
    def coeff_slices(self) -> list[Any]:
        """The slice of each band in a vector of coefficients, as from :func:`ravel_coeffs`."""
        return self._geometry.slices

    @property
    def coeff_shapes(self) -> list[Any]:
        """The shapes of the bands, as from :func:`ravel_coeffs`."""
        return [self._geometry.approx, *self._geometry.details]

    def unravel(self, vector: Array, output_format: CoefficientFormat = "wavedecn") -> list[Any]:
        """Return the bands in a vector of coefficients.

        Parameters
        ----------
        vector : array, shape (number of coefficients,)
            As ``matvec`` returns it.
        output_format : {'wavedecn', 'wavedec2', 'wavedec'}, optional
            The transform whose list is returned.

        Returns
        -------
        list
            As from :func:`wavedecn`.
        """
        return unravel_coeffs(vector, self.coeff_slices, self.coeff_shapes, output_format)

    def ravel(self, coeffs: list[Any]) -> Array:
        """Return the vector of a list of bands.

        Parameters
        ----------
        coeffs : list
            As from :func:`wavedecn`, or from :func:`wavedec2` or :func:`wavedec`.

        Returns
        -------
        array, shape (number of coefficients,)
            As ``matvec`` returns it.
        """
        vector, _, shapes = ravel_coeffs(coeffs, self.axes)
        if shapes != self.coeff_shapes:
            raise ShapeError(
                f"the bands must have the shapes {self.coeff_shapes} of this operator, got {shapes}"
            )
        return vector

    def inverse(self) -> Any:
        """Return the reconstruction as an operator with its own adjoint.

        Returns
        -------
        ReconstructionOperator
            ``operator.inverse() @ operator`` is the identity for wavelets that reconstruct.
        """
        return self._inverse(self._geometry, self.dtype)

    def _matvec(self, x: Array) -> Array:
        return _analyse(x.reshape(-1), self._geometry)

    def _rmatvec(self, x: Array) -> Array:
        return _analyse_adjoint(x.reshape(-1), self._geometry)

    def _matmat(self, x: Array) -> Array:
        return _analyse(x, self._geometry)

    def _rmatmat(self, x: Array) -> Array:
        return _analyse_adjoint(x, self._geometry)


class _Reconstruction(_Mixin):
    """The methods of :class:`ReconstructionOperator`, for any library's linear operators."""

    def __init__(self, geometry: _Geometry, dtype: Any) -> None:
        self._geometry = geometry
        super().__init__(dtype, (prod(geometry.shape), geometry.size))

    def _matvec(self, x: Array) -> Array:
        return _synthesise(x.reshape(-1), self._geometry)

    def _rmatvec(self, x: Array) -> Array:
        return _synthesise_adjoint(x.reshape(-1), self._geometry)

    def _matmat(self, x: Array) -> Array:
        return _synthesise(x, self._geometry)

    def _rmatmat(self, x: Array) -> Array:
        return _synthesise_adjoint(x, self._geometry)


class ReconstructionOperator(_Reconstruction, LinearOperator):
    """The synthesis of a :class:`WaveletOperator`, returned by its method ``inverse``.

    ``matvec`` reconstructs data of the original size from a vector of coefficients. ``rmatvec``
    is the adjoint of this map. For wavelets that are not orthogonal it differs from the
    analysis.
    """


class WaveletOperator(_Analysis, LinearOperator):
    r"""A multilevel transform as a :class:`scipy.sparse.linalg.LinearOperator`.

    Parameters
    ----------
    shape : int or tuple of int
        The shape of the data.
    wavelet, mode
        As for :func:`wavedecn`; one, or one per axis.
    level : int, optional
        Number of levels; by default that of :func:`wavedecn`.
    axes : int or sequence of int, optional
        The axes to transform, each once; all by default.
    dtype : dtype, optional
        The dtype attribute of the operator. Computations use the dtype of the vectors.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavedecn`; if ``wavelet`` is an integer scheme, ``dtype`` is not a
        floating-point or complex one, or ``shape`` is not a shape.

    Notes
    -----
    ``matvec`` takes the data as a vector (C order) and returns the coefficients in the order of
    :func:`ravel_coeffs`. ``rmatvec`` is the adjoint: :math:`W^* y`, where :math:`W` is the
    matrix of the transform, edges included. It equals the inverse only for orthonormal wavelets
    with ``"periodization"`` and even lengths, or with ``"orthogonal"``. ``matmat`` transforms all
    columns at once.

    ``CupyWaveletOperator`` is the same operator for CuPy's arrays and solvers.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import lsqr
    >>> from liftwave.operators import WaveletOperator
    >>> W = WaveletOperator((6, 7), "db2", "reflect", level=1)
    >>> W.shape
    (80, 42)
    >>> x = np.arange(42.0)
    >>> y = W @ x
    >>> W.unravel(y)[1]["dd"].shape
    (4, 5)
    >>> bool(np.allclose(W.inverse() @ y, x))
    True
    >>> bool(np.allclose(lsqr(W, y)[0], x))
    True
    """

    _inverse = ReconstructionOperator


def _as_shape(shape: int | Sequence[int]) -> Shape:
    demand = "shape must be a positive length or a sequence of positive lengths"
    numbers = items(shape, demand, ShapeTypeError) if is_several(shape) else [shape]
    lengths = tuple(whole_number(n, demand, ShapeTypeError) for n in numbers)
    if not lengths or min(lengths) < 1:
        raise ShapeError(f"{demand}, got {shape!r}")
    return lengths


def _as_dtype(dtype: Any) -> np.dtype[Any]:
    try:
        result: np.dtype[Any] = np.dtype(dtype)
    except (TypeError, ValueError):
        raise DTypeError(f"dtype must be a dtype of NumPy, got {dtype!r}") from None
    if result.kind not in "fc":
        raise DTypeError(f"dtype must be a floating-point or complex dtype, got {result}")
    return result


# --- CuPy ------------------------------------------------------------------------------------


@cache
def _cupy_operators() -> dict[str, type]:
    from cupyx.scipy.sparse.linalg import LinearOperator as CupyLinearOperator

    inverse = type("CupyReconstructionOperator", (_Reconstruction, CupyLinearOperator), {})
    members = {"_inverse": inverse, "__doc__": WaveletOperator.__doc__}
    forward = type("CupyWaveletOperator", (_Analysis, CupyLinearOperator), members)
    return {cls.__name__: cls for cls in (forward, inverse)}


def __getattr__(name: str) -> Any:
    if name in ("CupyWaveletOperator", "CupyReconstructionOperator"):
        return _cupy_operators()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
