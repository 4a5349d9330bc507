"""LiftPool: down by lifting with learned non-linear steps, and exactly up again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from liftwave._arrays.convert import Opened, common_namespace, is_half, open_arrays
from liftwave._compiled_step import as_step, is_read
from liftwave._dispatch import keeps_halves, lift_pool_for
from liftwave._plan.lift_pool import OWN, PADDINGS, LiftOutput, LiftPoolPlan, band_names
from liftwave._typing import Array, ArrayLike, Namespace
from liftwave.errors import ArgumentTypeError, BandError, DTypeError, OptionError, ShapeError

FORMS = ("sum", "concat", "bands")
REDUCTIONS = ("mean", "sum", "norm")
# A tree of 2**dimensions bands.
_MOST_DIMENSIONS = 8


class LiftFilters(NamedTuple):
    r"""What LiftPool learns: predictors and updaters.

    :math:`f_c(v)_k = a_c \max(0, \sum_i w_{c,i} v_{k + i - \lfloor (K-1)/2 \rfloor} + b_c) + e_c`
    for channel :math:`c`.

    Attributes
    ----------
    weight : array, shape (passes, 2, C, K)
        :math:`w`: for each pass (one: all passes share it) predictor and updater.
    bias, gain, offset : array, shape (passes, 2, C)
        :math:`b, a, e`.
    """

    weight: Array
    bias: Array
    gain: Array
    offset: Array


class LiftPenalties(NamedTuple):
    r"""What LiftPool adds to the loss of a task, summed over the passes.

    Attributes
    ----------
    update : array, shape ()
        :math:`c_u`, of the difference between the smooth half and the odd samples.
    predict : array, shape ()
        :math:`c_p`, of the details.
    """

    update: Array
    predict: Array


Bands: TypeAlias = "dict[str, Array]"


def lift_down(
    x: ArrayLike,
    filters: LiftFilters,
    output: str = "sum",
    bands: Sequence[str] | None = None,
    *,
    padding: str = "reflect",
    dimensions: int = 2,
    penalties: str | None = None,
) -> Any:
    r"""Halve the last axes by learned lifting (LiftDownPool).

    Parameters
    ----------
    x : array_like, shape (..., C, spatial axes)
        Signals: float32 and float64 as they are, half precision computed in float32, integers
        in float64.
    filters : LiftFilters
        Predictors and updaters of each channel, in the order of the passes: the last axis first,
        then the axis before it on the smooth half and on the details, and so on; or one pass's
        filters, which serve all.
    output : str, optional
        ``"sum"`` (default) or ``"concat"`` of the bands along channels, ``"bands"`` for a dict of
        them, or the name of one band.
    bands : sequence of str, optional
        Which bands; all by default. ``L`` and ``H`` for each axis, the last axis first: for
        images ``LL``, ``LH`` (details along the height), ``HL``, ``HH``.
    padding : {"reflect", "zeros", "replicate", "circular"}, optional
        What the filters read beyond the ends of a half, as in ``torch.nn.Conv1d``.
    dimensions : int, optional
        How many of the last axes are spatial.
    penalties : {"mean", "sum", "norm"}, optional
        Whether the penalties are given, too: the mean or the sum of the squares, or its root.

    Returns
    -------
    array, or dict of arrays
        Of shape (..., C, ceil(n / 2), ...), C times the number of bands for ``"concat"``.
    LiftPenalties
        If ``penalties`` are asked for.

    Raises
    ------
    ShapeError
        If axes are missing or empty, or filters are not of the shapes above.
    BandError, OptionError
        If there is no such band, output, padding or reduction.
    DTypeError
        For complex numbers, whose maximum with zero has no meaning.

    Notes
    -----
    Along one axis, with even samples :math:`x_{2k}` and odd samples :math:`x_{2k+1}`,

    .. math:: d = x^o - P(x^e), \qquad s = x^e + U(d),

    with :math:`P` and :math:`U` as in :class:`LiftFilters`. Of an odd number of samples the last
    one is repeated first. :func:`lift_up` undoes it whatever the filters are.

    References
    ----------
    Zhao, Snoek: LiftPool: Bidirectional ConvNet Pooling, ICLR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import lift_down, lift_filters, lift_up
    >>> x = np.random.default_rng(0).standard_normal((2, 3, 9, 8))
    >>> filters = lift_filters(3, kernel_size=5)
    >>> lift_down(x, filters).shape
    (2, 3, 5, 4)
    >>> bands = lift_down(x, filters, "bands")
    >>> list(bands)
    ['LL', 'LH', 'HL', 'HH']
    >>> bool(np.allclose(lift_up(bands, filters, (9, 8)), x))
    True
    """
    if is_read():
        step = (x, filters, output, bands, padding, dimensions, penalties)
        found = as_step("lift_down_step", *step)
        return found if penalties is None else (found[0], LiftPenalties(*found[1]))
    call = down_call(x, filters, output, bands, padding, dimensions, penalties)
    return call.packed(*call.run())


def lift_up(
    bands: Mapping[str, Array] | Sequence[Array],
    filters: LiftFilters,
    output_size: Sequence[int] | None = None,
    *,
    padding: str = "reflect",
    dimensions: int = 2,
) -> Array:
    """Undo :func:`lift_down`, from its bands (LiftUpPool).

    Parameters
    ----------
    bands : mapping of str to array, or sequence of array
        By name, or all of them in the order of :func:`lift_down`. Bands that are missing or None
        are zero.
    filters : LiftFilters
        Those of :func:`lift_down`.
    output_size : sequence of int, optional
        The signal's spatial lengths, each twice the bands' or one less; twice by default.
    padding, dimensions
        As for :func:`lift_down`.

    Returns
    -------
    array, shape (..., C, output_size)
        The signal: exactly, but for rounding, if the bands are those of :func:`lift_down`.

    Raises
    ------
    ShapeError
        If bands differ in shape, none is there, or no signal of ``output_size`` has them.
    BandError, OptionError, DTypeError
        As :func:`lift_down`.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import lift_down, lift_filters, lift_up
    >>> filters = lift_filters(1, kernel_size=2, dimensions=1)
    >>> x = np.array([[4.0, 6.0, 10.0, 12.0, 20.0]])
    >>> bands = lift_down(x, filters, "bands", dimensions=1)
    >>> lift_up(bands, filters, [5], dimensions=1).tolist()
    [[4.0, 6.0, 10.0, 12.0, 20.0]]
    """
    if is_read():
        return as_step("lift_up_step", bands, filters, output_size, padding, dimensions)
    call = up_call(bands, filters, output_size, padding, dimensions)
    return call.packed(call.run())


def lift_filters(
    channels: int, kernel_size: int = 5, dimensions: int = 2, *, shared: bool = False
) -> LiftFilters:
    """Filters to begin learning with: those of a wavelet, as far as signals are not negative.

    Parameters
    ----------
    channels : int
        Number of channels.
    kernel_size : int, optional
        Number of weights.
    dimensions : int, optional
        Number of spatial axes.
    shared : bool, optional
        Whether one predictor and one updater serve all passes.

    Returns
    -------
    LiftFilters
        Of NumPy arrays in double precision: the predictor takes the mean of an odd sample's
        neighbours, the updater a quarter of the sum of an even sample's details (CDF 5/3; for
        one or two weights that of Haar).

    Raises
    ------
    ShapeError
        If a number is not positive.

    Examples
    --------
    >>> from liftwave.pooling import lift_filters
    >>> filters = lift_filters(64, kernel_size=5)
    >>> sum(each.size for each in filters)
    3072
    """
    for name, value in (("channels", channels), ("kernel_size", kernel_size)):
        if value < 1:
            raise ShapeError(f"{name} has to be at least 1, got {value}")
    passes = 1 if shared else 2 ** _checked_dimensions(dimensions) - 1
    shape, middle = (passes, 2, channels), (kernel_size - 1) // 2
    weight = np.zeros((*shape, kernel_size))
    if kernel_size < 3:
        weight[:, 0, :, middle], weight[:, 1, :, middle] = 1.0, 0.5
    else:
        weight[:, 0, :, middle : middle + 2] = 0.5
        weight[:, 1, :, middle - 1 : middle + 1] = 0.25
    return LiftFilters(weight, np.zeros(shape), np.ones(shape), np.zeros(shape))


def lift_down_step(*arguments: Any) -> Any:
    """:func:`lift_down` with its arguments by position, penalties as a plain pair."""
    call = down_call(*arguments)
    found = call.packed(*call.run())
    return found if call.reduction is None else (found[0], tuple(found[1]))


def lift_up_step(*arguments: Any) -> Array:
    """:func:`lift_up` with its arguments by position."""
    call = up_call(*arguments)
    return call.packed(call.run())


# --- calls ---------------------------------------------------------------------------------------


class DownCall(NamedTuple):
    """A call of :func:`lift_down`, ready to be run."""

    x: Array  # (N, C, …)
    filters: Array  # packed
    plan: LiftPoolPlan
    output: LiftOutput
    names: tuple[str, ...]
    single: bool
    reduction: str | None
    lead: tuple[int, ...]  # what stands before the channels
    opened: Opened

    def run(self) -> tuple[list[Array], Array | None]:
        """What the kernels give."""
        down = lift_pool_for(self.x, self.filters).lift_down
        found: tuple[list[Array], Array | None] = down(
            self.x, self.filters, self.plan, self.output, self.reduction is not None
        )
        return found

    def packed(self, given: list[Array], sums: Array | None) -> Any:
        """What the caller gets."""
        xp = self.opened.xp
        arrays = [self.opened.close(xp.reshape(y, (*self.lead, *y.shape[1:]))) for y in given]
        result: Any = arrays[0]
        if self.output.form == "bands" and not self.single:
            result = dict(zip(self.names, arrays, strict=True))
        if sums is None or self.reduction is None:
            return result
        counts = self.plan.counts(self.x.shape[0] * self.x.shape[1])
        return result, LiftPenalties(*reduced(sums, counts, self.reduction))


class UpCall(NamedTuple):
    """A call of :func:`lift_up`, ready to be run."""

    bands: list[Array]
    filters: Array
    plan: LiftPoolPlan
    given: tuple[bool, ...]  # which bands the caller gave
    lead: tuple[int, ...]
    opened: Opened

    def run(self) -> Array:
        """What the kernels give."""
        up = lift_pool_for(*self.bands, self.filters).lift_up
        return up(self.bands, self.filters, self.plan)

    def packed(self, x: Array) -> Array:
        """What the caller gets."""
        return self.opened.close(self.opened.xp.reshape(x, (*self.lead, *x.shape[1:])))


def down_call(
    x: Any,
    filters: Any,
    output: str,
    bands: Sequence[str] | None,
    padding: str,
    dimensions: int,
    penalties: str | None,
) -> DownCall:
    """The arguments of :func:`lift_down`, checked."""
    dimensions = _checked_dimensions(dimensions)
    chosen, names = chosen_output(output, bands, dimensions)
    if penalties is not None and penalties not in REDUCTIONS:
        raise OptionError(
            f"unknown reduction of penalties {penalties!r}: use None or one of "
            f"{', '.join(map(repr, REDUCTIONS))}"
        )
    opened = _opened([x])[0]
    array = _planes(opened.array, dimensions, "x")
    lead, sizes = tuple(opened.array.shape[: -dimensions - 1]), tuple(array.shape[2:])
    packed = packed_filters(filters, array, dimensions)
    plan = LiftPoolPlan(sizes, _kernel_of(packed), checked_padding(padding), packed.shape[0] == 1)
    single = output in band_names(dimensions)
    return DownCall(array, packed, plan, chosen, names, single, penalties, lead, opened)


def up_call(
    bands: Any, filters: Any, output_size: Sequence[int] | None, padding: str, dimensions: int
) -> UpCall:
    """The arguments of :func:`lift_up`, checked."""
    names = band_names(_checked_dimensions(dimensions))
    given = _bands_by_name(bands, names)
    present = [band is not None for band in given]
    if not any(present):
        raise ShapeError("at least one band has to be there, all are missing")
    opened = _opened([band for band in given if band is not None])
    shapes = {tuple(o.array.shape) for o in opened}
    if len(shapes) > 1:
        raise ShapeError(f"all bands have one shape, got {', '.join(map(str, sorted(shapes)))}")
    ready = iter(opened)
    like = opened[0].array
    arrays = [
        _planes(next(ready).array if there else opened[0].xp.zeros_like(like), dimensions, "bands")
        for there in present
    ]
    lead, halves = tuple(like.shape[: -dimensions - 1]), tuple(arrays[0].shape[2:])
    packed = packed_filters(filters, arrays[0], dimensions)
    sizes = checked_size(halves, output_size)
    plan = LiftPoolPlan(sizes, _kernel_of(packed), checked_padding(padding), packed.shape[0] == 1)
    return UpCall(arrays, packed, plan, tuple(present), lead, opened[0])


def _bands_by_name(bands: Any, names: tuple[str, ...]) -> list[Any]:
    if isinstance(bands, Mapping):
        if unknown := [name for name in bands if name not in names]:
            raise _no_such_band(unknown[0], names)
        return [bands.get(name) for name in names]
    if not isinstance(bands, list | tuple) or len(bands) != len(names):
        what = f"{len(bands)}" if isinstance(bands, list | tuple) else type(bands).__name__
        raise ShapeError(
            f"bands are a dict by name or {len(names)} in the order {', '.join(names)}, got {what}"
        )
    return list(bands)


def chosen_output(
    output: str, bands: Sequence[str] | None, dimensions: int
) -> tuple[LiftOutput, tuple[str, ...]]:
    """Which bands are given in what form, and their names."""
    names = band_names(dimensions)
    if output in names:
        if bands is not None:
            raise OptionError(f"output={output!r} names a band already, got bands={bands!r}, too")
        return LiftOutput((names.index(output),), "bands"), (output,)
    if output not in FORMS:
        raise OptionError(
            f"unknown output {output!r}: use one of {', '.join(map(repr, FORMS))} or a band, "
            f"one of {', '.join(map(repr, names))}"
        )
    wanted = names if bands is None else (bands,) if isinstance(bands, str) else tuple(bands)
    for name in wanted:
        if name not in names:
            raise _no_such_band(name, names)
    if not wanted or len(set(wanted)) < len(wanted):
        raise OptionError(f"bands have to be different ones, at least one, got {wanted!r}")
    return LiftOutput(tuple(map(names.index, wanted)), output), wanted


def _no_such_band(name: Any, names: tuple[str, ...]) -> BandError:
    return BandError(f"no band {name!r}: the bands are {', '.join(map(repr, names))}")


def checked_padding(padding: str) -> str:
    """The padding, if there is such a one."""
    if padding not in PADDINGS:
        raise OptionError(
            f"unknown padding {padding!r}: use one of {', '.join(map(repr, PADDINGS))}"
        )
    return padding


def _checked_dimensions(dimensions: int) -> int:
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise ShapeError(f"1 to {_MOST_DIMENSIONS} dimensions are pooled, got {dimensions}")
    return dimensions


def checked_size(halves: Sequence[int], output_size: Sequence[int] | None) -> tuple[int, ...]:
    """The lengths of the signal with bands of these lengths."""
    doubled = tuple(2 * m for m in halves)
    if output_size is None:
        return doubled
    size = tuple(output_size)
    if len(size) != len(doubled) or any(
        n - given not in (0, 1) for n, given in zip(doubled, size, strict=True)
    ):
        raise ShapeError(
            f"output_size has to be {doubled}, or one less along some axes, got {size}"
        )
    return size


def _opened(arrays: Sequence[Any]) -> list[Opened]:
    opened = open_arrays(arrays, keeps_halves)
    if opened[0].xp.isdtype(opened[0].array.dtype, "complex floating"):
        raise DTypeError(
            f"lifting pooling takes real numbers, got {opened[0].array.dtype}: pool real and "
            "imaginary part as channels"
        )
    return opened


def _planes(x: Array, dimensions: int, what: str) -> Array:
    """``x`` with all that stands before the channels as one axis."""
    shape = tuple(x.shape)
    if len(shape) <= dimensions:
        raise ShapeError(
            f"{what} has to be of shape (..., C, {dimensions} spatial axes), got {shape}"
        )
    if 0 in shape[-dimensions - 1 :]:
        raise ShapeError(f"{what} of shape {shape} has no samples to pool")
    split = len(shape) - dimensions - 1
    return array_namespace(x).reshape(x, (prod(shape[:split]), *shape[split:]))


def packed_filters(filters: Any, x: Array, dimensions: int) -> Array:
    """The filters in one array of shape (passes, 2, C, K + 3), for ``x``: never in halves."""
    if not isinstance(filters, list | tuple) or len(filters) != len(LiftFilters._fields):
        raise ArgumentTypeError(
            f"filters are LiftFilters(weight, bias, gain, offset), got {type(filters).__name__}"
        )
    xp = common_namespace([x, *filters])
    check_filter_shapes([tuple(f.shape) for f in filters], x.shape[1], dimensions)
    dtype = xp.float32 if is_half(x) else x.dtype
    weight, *own = (xp.astype(f, dtype, copy=False) for f in filters)
    return xp.concat([weight, *(f[..., None] for f in own)], axis=-1)


def check_filter_shapes(shapes: Sequence[tuple[int, ...]], channels: int, dimensions: int) -> None:
    """Raise unless filters of these shapes serve so many channels and dimensions."""
    weight, *own = shapes
    passes = 2**dimensions - 1
    fits = len(weight) == 4 and weight[0] in (1, passes) and weight[1:3] == (2, channels)
    if not fits or weight[3] < 1 or any(shape != weight[:3] for shape in own):
        each = f"{passes} (or 1)" if passes > 1 else "1"
        raise ShapeError(
            f"for {channels} channels in {dimensions} dimensions, weight has to be of shape "
            f"({each}, 2, {channels}, K), bias, gain and offset of the same without K; got "
            f"{', '.join(map(str, shapes))}"
        )


def _kernel_of(packed: Array) -> int:
    return int(packed.shape[-1]) - OWN


# --- penalties -----------------------------------------------------------------------------------


def reduced(sums: Array, counts: Sequence[int], reduction: str) -> tuple[Array, Array]:
    """Penalties from the sums of squares of each pass, of shape (passes, 2)."""
    xp: Namespace = array_namespace(sums)
    terms = sums
    if reduction == "norm":
        there = sums > 0
        root = xp.sqrt(xp.where(there, sums, xp.ones_like(sums)))  # zero has no slope
        terms = xp.where(there, root, xp.zeros_like(sums))
    elif reduction == "mean":
        terms = xp.stack([sums[k, ...] / max(count, 1) for k, count in enumerate(counts)])
    total = xp.sum(terms, axis=0)
    return total[0, ...], total[1, ...]


def reduced_vjp(
    sums: Array, counts: Sequence[int], reduction: str, cotangents: Sequence[Array]
) -> Array:
    """The cotangent of the sums, from those of the penalties."""
    xp = array_namespace(sums, *cotangents)
    row = xp.stack(list(cotangents))
    slopes = xp.ones_like(sums)
    if reduction == "norm":
        there = sums > 0
        root = xp.sqrt(xp.where(there, sums, xp.ones_like(sums)))
        slopes = xp.where(there, 0.5 / root, xp.zeros_like(sums))
    elif reduction == "mean":
        slopes = xp.stack([slopes[k, ...] / max(count, 1) for k, count in enumerate(counts)])
    return slopes * row
