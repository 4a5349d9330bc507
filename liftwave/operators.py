"""Transforms as linear operators, for the solvers of SciPy and CuPy.

Importing this module loads SciPy. The classes whose names begin with ``Cupy`` work on CuPy's
arrays, and load ``cupyx.scipy.sparse.linalg`` when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import open_array
from liftwave._arrays.integers import is_integer
from liftwave._dispatch import kernels_for
from liftwave._execute import check_taps
from liftwave._kernels.axis_by_axis import trimmed
from liftwave._kernels.contract import Kernels
from liftwave._operations import transform_vjp as _vjp
from liftwave._operations.transform_vjp import Bands
from liftwave._plan.arguments import check_level, normalize_axes
from liftwave._plan.axes import axis_plans
from liftwave._plan.levels import (
    AnalysisLevel,
    Shape,
    SynthesisLevel,
    analysis_levels,
    synthesis_levels_of,
)
from liftwave._typing import Array, Modes
from liftwave.errors import DTypeError, ShapeError, WaveletError
from liftwave.transforms.coefficients import ravel_coeffs, unravel_coeffs
from liftwave.wavelets.resolve import Wavelets

if TYPE_CHECKING:

    class LinearOperator:
        """What this module needs to know of SciPy's class."""

        dtype: Any

        def __init__(self, dtype: Any, shape: tuple[int, int]) -> None: ...

    _Mixin = LinearOperator
else:
    from scipy.sparse.linalg import LinearOperator

    _Mixin = object

__all__ = ["ReconstructionOperator", "WaveletOperator"]

_Bands: TypeAlias = tuple[Array, Sequence[Bands]]


# --- what an operator and its inverse share --------------------------------------------------


class _Geometry:
    """Shapes, plans and levels of a transform, and where its bands lie in a vector.

    Arrays and bands may have one dimension more, the last, which numbers vectors.
    """

    def __init__(
        self, shape: Shape, wavelet: Wavelets, mode: Modes, level: int | None, axes: Any
    ) -> None:
        self.shape = shape
        self.plans = axis_plans(normalize_axes(axes, len(shape), unique=True), wavelet, mode)
        if is_integer(self.plans):
            raise WaveletError(
                f"{self.plans[0].wavelet!r} rounds, so that its transform is not linear: use the "
                "scheme that it was made from"
            )
        sizes = [shape[plan.axis] for plan in self.plans]
        self.level = check_level(level, sizes, [plan.wavelet for plan in self.plans])
        levels = self.analysis()
        self.approx = levels[-1].shape if levels else shape
        self.details = [_details_of(each) for each in reversed(levels)]
        self.slices, self.size = self._places()

    def _places(self) -> tuple[list[Any], int]:
        """Slices as :func:`ravel_coeffs` gives them, and the length of the vector."""
        end = prod(self.approx)
        slices: list[Any] = [slice(end)]
        for shapes in self.details:
            slices.append({})
            for key in sorted(shapes):
                slices[-1][key] = slice(end, end + prod(shapes[key]))
                end = slices[-1][key].stop
        return slices, end

    def analysis(self, count: Shape = ()) -> tuple[AnalysisLevel, ...]:
        """The levels of the analysis of ``count`` arrays."""
        return analysis_levels((*self.shape, *count), self.plans, self.level)

    def synthesis(self, count: Shape = ()) -> tuple[SynthesisLevel, ...]:
        """The levels of the synthesis of ``count`` arrays."""
        if not self.level:
            return ()
        details = tuple(
            tuple((key, (*shapes[key], *count)) for key in sorted(shapes))
            for shapes in self.details
        )
        return synthesis_levels_of((*self.approx, *count), details, self.plans, True)

    def bands(self, vectors: Array) -> _Bands:
        """The bands in a vector, or in each column of a matrix."""
        xp, count = array_namespace(vectors), tuple(vectors.shape[1:])
        first, *others = self.slices
        details = [
            {key: xp.reshape(vectors[where], (*shapes[key], *count)) for key, where in each.items()}
            for each, shapes in zip(others, self.details, strict=True)
        ]
        return xp.reshape(vectors[first], (*self.approx, *count)), details

    def vectors(self, bands: _Bands, count: Shape) -> Array:
        """The vector of these bands, or a matrix of such columns."""
        approx, details = bands
        ordered = [approx, *(each[key] for each in details for key in sorted(each))]
        xp = array_namespace(approx)
        return xp.concat([xp.reshape(band, (-1, *count)) for band in ordered])


def _details_of(level: AnalysisLevel) -> dict[str, Shape]:
    return {key: shape for key, shape in level.shapes.items() if "d" in key}


# --- both directions, and their adjoints -----------------------------------------------------


def _analyse(vectors: Array, geometry: _Geometry) -> Array:
    opened, kernels, count = _opened(vectors, geometry)
    x = opened.xp.reshape(opened.array, (*geometry.shape, *count))
    levels = geometry.analysis(count)
    approx, details = kernels.analyse(x, levels) if levels else (x, [])
    return geometry.vectors((approx, details[::-1]), count)


def _analyse_adjoint(vectors: Array, geometry: _Geometry) -> Array:
    opened, kernels, count = _opened(vectors, geometry)
    approx, details = geometry.bands(opened.array)
    x = _vjp.analysis_adjoint(approx, details, geometry.analysis(count), kernels)
    return opened.xp.reshape(x, (-1, *count))


def _synthesise(vectors: Array, geometry: _Geometry) -> Array:
    opened, kernels, count = _opened(vectors, geometry)
    approx, details = geometry.bands(opened.array)
    levels = geometry.synthesis(count)
    x = kernels.synthesise(approx, details, levels) if levels else approx
    # An odd length leaves one sample too many behind.
    return opened.xp.reshape(trimmed(x, (*geometry.shape, *count)), (-1, *count))


def _synthesise_adjoint(vectors: Array, geometry: _Geometry) -> Array:
    opened, kernels, count = _opened(vectors, geometry)
    x = opened.xp.reshape(opened.array, (*geometry.shape, *count))
    levels = geometry.synthesis(count)
    if not levels:
        return geometry.vectors((x, []), count)
    whole = _vjp.padded(x, levels[-1].shape)
    approx, details = _vjp.synthesis_adjoint(whole, levels, kernels)
    return geometry.vectors((approx, details), count)


def _opened(vectors: Array, geometry: _Geometry) -> tuple[Any, Kernels, Shape]:
    """The numbers to compute on, the kernels for them, and the shape that numbers vectors."""
    opened = open_array(vectors)
    check_taps(geometry.plans, opened.array)
    return opened, kernels_for(opened.array), tuple(vectors.shape[1:])


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
        """Where each band lies in a vector of coefficients, as :func:`ravel_coeffs` says it."""
        return self._geometry.slices

    @property
    def coeff_shapes(self) -> list[Any]:
        """The bands' shapes, as :func:`ravel_coeffs` gives them."""
        return [self._geometry.approx, *self._geometry.details]

    def unravel(self, vector: Array, output_format: str = "wavedecn") -> list[Any]:
        """The bands in a vector of coefficients.

        Parameters
        ----------
        vector : array, shape (number of coefficients,)
            As ``matvec`` gives it.
        output_format : {'wavedecn', 'wavedec2', 'wavedec'}, optional
            Which transform's list to make.

        Returns
        -------
        list
            As from :func:`wavedecn`.
        """
        return unravel_coeffs(vector, self.coeff_slices, self.coeff_shapes, output_format)

    def ravel(self, coeffs: list[Any]) -> Array:
        """The vector of a list of bands.

        Parameters
        ----------
        coeffs : list
            As from :func:`wavedecn`, or from :func:`wavedec2` or :func:`wavedec`.

        Returns
        -------
        array, shape (number of coefficients,)
            As ``matvec`` gives it.
        """
        vector, _, shapes = ravel_coeffs(coeffs, self.axes)
        if shapes != self.coeff_shapes:
            raise ShapeError(
                f"bands of shapes {shapes} are not those of this operator, {self.coeff_shapes}"
            )
        return vector

    def inverse(self) -> Any:
        """The reconstruction, with an adjoint of its own.

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
    """The synthesis of a :class:`WaveletOperator`, made by its method ``inverse``.

    ``matvec`` reconstructs data from a vector of coefficients, exactly of the data's size;
    ``rmatvec`` is the adjoint of that, which for wavelets that are not orthogonal is another
    map than the analysis.
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
        Number of levels; by default as many as :func:`wavedecn` takes.
    axes : int or sequence of int, optional
        The axes to transform, each once; all by default.
    dtype : dtype, optional
        What the operator says of itself. The arithmetic is that of the vectors.

    Raises
    ------
    ValueError, TypeError
        As for :func:`wavedecn`; if ``wavelet`` is an integer scheme, ``dtype`` not a
        floating-point or complex one, or ``shape`` not a shape.

    Notes
    -----
    ``matvec`` takes the data as a vector (C order) and gives the coefficients in the order of
    :func:`ravel_coeffs`. ``rmatvec`` is its adjoint: with the matrix :math:`W` of the
    transform, edges included, :math:`W^* y`, and not the inverse. The two agree for orthogonal
    wavelets under ``"periodization"`` and even lengths only. ``matmat`` transforms all columns
    at once.

    ``CupyWaveletOperator`` is the same for CuPy's arrays and solvers.

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
    lengths = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    if not lengths or not all(isinstance(n, int | np.integer) and n > 0 for n in lengths):
        raise ShapeError(f"the data's shape is one positive length or several, got {shape!r}")
    return tuple(int(n) for n in lengths)


def _as_dtype(dtype: Any) -> np.dtype[Any]:
    given: np.dtype[Any] = np.dtype(dtype)
    if given.kind not in "fc":
        raise DTypeError(f"an operator of wavelets is of floating-point numbers, got {given}")
    return given


# --- CuPy ------------------------------------------------------------------------------------


@cache
def _cupy_operators() -> dict[str, type]:
    from cupyx.scipy.sparse.linalg import LinearOperator as CupyLinearOperator

    inverse = type("CupyReconstructionOperator", (_Reconstruction, CupyLinearOperator), {})
    members = {"_inverse": inverse, "__doc__": WaveletOperator.__doc__}
    forward = type("CupyWaveletOperator", (_Analysis, CupyLinearOperator), members)
    return {each.__name__: each for each in (forward, inverse)}


def __getattr__(name: str) -> Any:
    if name in ("CupyWaveletOperator", "CupyReconstructionOperator"):
        return _cupy_operators()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
