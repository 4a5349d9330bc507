"""The dual-tree complex wavelet transform: the function, and the object that it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from liftwave._arrays.convert import as_array, common_namespace, is_complex
from liftwave._execute import execute
from liftwave._numbers import flag, whole_number
from liftwave._typing import Array, ArrayLike
from liftwave.decomposition.dual_tree_plotting import plot_dual_tree
from liftwave.errors import ArgumentTypeError, LevelError, LevelTypeError, ShapeError
from liftwave.transforms.dual_tree_calls import (
    DualTreeStructure,
    adjoint_call,
    dtcwt_call,
    idtcwt_call,
    moved_back,
)
from liftwave.transforms.wavelet_gradients import Gradient, Pullback
from liftwave.wavelets.dual_tree import DualTreeFilters, dual_tree_filters

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ANGLES = (15, 45, 75, 105, 135, 165)


def dtcwt(
    x: ArrayLike,
    level: int = 3,
    biort: Any = "cdf9.7",
    qshift: Any = "q14",
    axes: Sequence[int] | int | None = None,
) -> DualTree:
    r"""Dual-tree complex wavelet transform along one, two or three axes.

    The magnitudes of its bands hardly change if the data are shifted, and in two dimensions each
    band has one of six directions. For :math:`d` axes and any number of levels, it has :math:`2^d`
    times as many real numbers as the data.

    Parameters
    ----------
    x : array_like
        Real data of any lengths (see :func:`dwt` for libraries and dtypes).
    level : int, optional
        Number of levels, at least 1. Default 3.
    biort : wavelet, or sequence of four filters, optional
        The filters of the first level: the name of a biorthogonal wavelet with symmetric filters of
        odd lengths, such as ``"cdf9.7"`` (the default), ``"cdf5.3"``, or ``"nearsym5.7"``, a
        rational pair of filters of 5 and 7 taps. Four filters are ``(h0o, g0o, h1o, g1o)``, as
        in Kingsbury's toolbox.
    qshift : {"q10", "q14", "q18"}, filter, or sequence of eight filters, optional
        The filters of the other levels, by number of taps. Default ``"q14"``. One filter is the
        orthonormal low-pass of tree a. Eight filters are
        ``(h0a, h0b, g0a, g0b, h1a, h1b, g1a, g1b)``, as in Kingsbury's toolbox.
    axes : int or sequence of int, optional
        The axes to transform, each once, at most three; all by default.

    Returns
    -------
    DualTree
        The low-pass and the complex bands.

    Raises
    ------
    WaveletError
        If filters do not exist or do not fit the transform.
    LevelError, AxisError, ShapeError, DTypeError
        If an argument is not valid; for complex data.

    Notes
    -----
    Conventions, boundaries (half-sample symmetric) and the order of bands are those of Kingsbury's
    toolbox [1]_ and of the package ``dtcwt``. With the symmetric extension :math:`\tilde x`, and
    filters :math:`h` of tree a and b with :math:`m` taps, a level after the first one computes

    .. math::
        E_k = \sum_p h_p^b\, \tilde x_{4k + m - 2p}, \qquad
        O_k = \sum_p h_p^a\, \tilde x_{4k + m + 1 - 2p}

    The low-pass has the samples :math:`E_0, O_0, E_1, …` A high-pass band in one dimension is
    :math:`O_k + i E_k`. The first level has the same filters in both trees, without downsampling,
    and uses the even and the odd samples as real and imaginary part. If a length is not even, or
    not a multiple of four after the first level, samples at the ends are repeated.

    The q-shift filters were designed for liftwave (``tools/design_qshift.py``). Therefore, numbers
    differ slightly from those of packages with other filters of the same length. Pass the filters
    of the other package for equal numbers.

    References
    ----------
    .. [1] N. Kingsbury, "Complex wavelets for shift invariant analysis and filtering of signals",
       Appl. Comput. Harmon. Anal. 10, 234-253, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> image = np.random.default_rng(0).standard_normal((64, 50))
    >>> tree = lw.dtcwt(image, level=2)
    >>> tree
    DualTree of shape (64, 50), float64, by 'cdf9.7' and 'q14', axes (0, 1), 2 levels
      level 2: low-pass (32, 26), bands (16, 13, 6)
      level 1: bands (32, 25, 6)
    >>> bool(np.allclose(tree.reconstruct(), image))
    True
    """
    filters = dual_tree_filters(biort, qshift)
    array = as_array(x)
    call = dtcwt_call(array, level, filters, axes)
    low, *bands = execute(call)
    structure = call.result
    assert isinstance(structure, DualTreeStructure)
    shape = tuple(array.shape)
    return DualTree(low, tuple(bands), shape, array.dtype, structure.axes, filters)


def dtcwt_vjp(
    x: ArrayLike, level: int, biort: Any, qshift: Any, axes: Any
) -> tuple[DualTree, Pullback]:
    """Result and pullback of :func:`dtcwt`."""
    tree = dtcwt(x, level, biort, qshift, axes)
    lengths = tuple(tree.shape[axis] for axis in tree.axes)
    structure = DualTreeStructure(tree.axes)

    def pullback(cotangents: DualTree, wavelet: bool = True) -> Gradient:
        flag(wavelet, "wavelet")  # the filters have no gradients
        if not isinstance(cotangents, DualTree) or not tree._has_layout_of(cotangents):
            raise ShapeError(
                f"the pullback of dtcwt needs a DualTree with the shapes of the result, {tree!r}; "
                f"got {cotangents!r}"
            )
        arrays = structure.unpack((cotangents.lowpass, *cotangents.bands))
        call = adjoint_call(arrays, lengths, tree.filters)
        return Gradient(moved_back(execute(call), tree.axes), None)

    return tree, pullback


@dataclass(frozen=True, eq=False, repr=False)
class DualTree:
    """A dual-tree complex wavelet transform, as :func:`dtcwt` returns it.

    It is immutable. ``tree[1]`` are the bands of the finest level, ``tree[-1]`` those of the
    coarsest one.

    Attributes
    ----------
    lowpass : array
        The real low-pass of the coarsest level. Along each axis it interleaves the samples of both
        trees.
    bands : tuple of array
        The complex bands of each level, coarsest first. One axis: one band per level. Two and three
        axes: the last axis has the 6 or 28 directions.
    shape : tuple of int
        Shape of the data.
    dtype : dtype
        Dtype of the original data.
    axes : tuple of int
        The transformed axes.
    filters : DualTreeFilters
        The filters, with their ``names``.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> tree = lw.dtcwt(np.cos(0.1 * np.arange(100.0)), level=3)
    >>> tree[3].shape, tree[1].dtype.name
    ((13,), 'complex128')
    """

    lowpass: Array
    bands: tuple[Array, ...]
    shape: tuple[int, ...]
    dtype: Any
    axes: tuple[int, ...]
    filters: DualTreeFilters

    @property
    def level(self) -> int:
        """The number of levels."""
        return len(self.bands)

    @property
    def angles(self) -> tuple[int, ...]:
        """The directions of the bands of an image in degrees, in their order; empty otherwise.

        A band at an angle responds to waves whose crests have this angle to the last axis,
        anticlockwise if the first axis points down.
        """
        return _ANGLES if len(self.axes) == 2 else ()

    def __getitem__(self, level: int) -> Array:
        """The complex bands of a level; -1 is the coarsest one.

        Raises
        ------
        LevelError
            If the level does not exist.
        """
        number = whole_number(level, "a level must be an integer", LevelTypeError)
        if number == -1:
            number = self.level
        if not 1 <= number <= self.level:
            raise LevelError(f"a level must be from 1 to {self.level}, or -1, got {level}")
        return self.bands[self.level - number]

    def _has_layout_of(self, other: DualTree) -> bool:
        """Whether all arrays have the same shapes along the same axes."""
        shapes, other_shapes = ([tuple(b.shape) for b in t.bands] for t in (self, other))
        return (self.shape, self.axes, shapes) == (other.shape, other.axes, other_shapes)

    def __repr__(self) -> str:
        biort, qshift = self.filters.names
        dtype = str(self.dtype).removeprefix("torch.")
        plural = "level" if self.level == 1 else "levels"
        lines = [
            f"DualTree of shape {self.shape}, {dtype}, by {biort!r} and {qshift!r}, axes "
            f"{self.axes}, {self.level} {plural}"
        ]
        low = f"low-pass {tuple(self.lowpass.shape)}, "
        for k, band in enumerate(self.bands):
            lines.append(f"  level {self.level - k}: {low}bands {tuple(band.shape)}")
            low = ""
        return "\n".join(lines)

    def map(self, function: Callable[[Array], Array]) -> DualTree:
        """Return the transform with a function applied to the complex bands of each level.

        Parameters
        ----------
        function : callable
            Takes the bands of a level and returns an array of the same shape.

        Raises
        ------
        ArgumentTypeError, ShapeError
            If it is not a function, or a result is not an array of the same shape.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> tree = lw.dtcwt(np.ones((8, 8)), level=1)
        >>> tree.map(lambda bands: 0 * bands).reconstruct().round(6)[0, :3].tolist()
        [1.0, 1.0, 1.0]
        """
        if not callable(function):
            raise ArgumentTypeError(f"expected a function of a band, got {function!r}")
        return replace(self, bands=tuple(self._mapped(function, band) for band in self.bands))

    def _mapped(self, function: Callable[[Array], Array], band: Array) -> Array:
        result = as_array(function(band))
        xp = common_namespace([result, band])
        if tuple(result.shape) != tuple(band.shape):
            raise ShapeError(
                f"the function returned shape {tuple(result.shape)} for bands of shape "
                f"{tuple(band.shape)}"
            )
        return result if is_complex(result) else xp.astype(result, band.dtype)

    def reconstruct(self) -> Array:
        """Reconstruct the data from the low-pass and the bands.

        Returns
        -------
        array
            Of the shape of the data, in the dtype of the low-pass. If changed bands are not the
            transform of any data, the result is the data whose transform is nearest to them. This
            does not hold near the ends, and on the first level, whose filters are not orthonormal.

        Examples
        --------
        >>> import numpy as np
        >>> import liftwave as lw
        >>> x = np.arange(1.0, 8.0)
        >>> lw.dtcwt(x, level=2).reconstruct().round(6).tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        """
        arrays = DualTreeStructure(self.axes).unpack((self.lowpass, *self.bands))
        lengths = [self.shape[axis] for axis in self.axes]
        return moved_back(execute(idtcwt_call(arrays, lengths, self.filters)), self.axes)

    def plot(self, title: str | None = None) -> Figure:
        """Draw the low-pass and the magnitudes of the bands of a 1-D signal or a 2-D image.

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
            If the data are neither a 1-D signal nor a 2-D image, transformed along all axes.
        """
        return plot_dual_tree(self, title)
