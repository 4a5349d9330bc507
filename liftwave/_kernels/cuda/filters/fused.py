"""Filter banks along two axes in one pass, by CUDA kernels.

An image is cut into tiles: strips of columns, and segments of rows. Threads walk down the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from array_api_compat import array_namespace, device

from liftwave._kernels.cuda.common.runtime import Memory, Runtime, address_of, memory_of
from liftwave._kernels.cuda.filters.fused_launch import (
    Pair,
    TileLaunch,
    analysis_launch,
    synthesis_launch,
)
from liftwave._plan.axis import bounded
from liftwave._typing import Array
from liftwave.wavelets.taps import Taps


def split(
    x: Array, bands: Sequence[Array], dtypes: tuple[str, str], pair: Pair, runtime: Runtime
) -> bool:
    """Analyse into four contiguous bands.

    Parameters
    ----------
    x : array
        The image, or images.
    bands : sequence of array
        The bands of the steps of ``pair`` in their order: aa, ad, da, dd.
    dtypes : (str, str)
        The dtypes of the first band and of the others.
    pair : Pair
        The pair of an analysis.
    runtime : Runtime
        Runs the kernel.

    Returns
    -------
    bool
        False if the kernel does not support these arrays; nothing is computed then.
    """
    memory = memory_of(x)
    launch = split_launch(memory, tuple(bands[0].shape), dtypes, pair)
    if launch is None or (pair.learned and not _are_beside(pair, x)):
        return False
    what = f"analysis of {memory.shape} along axes {pair.axes}"
    run_split(launch, pair, memory.address, list(map(address_of, bands)), x, what, runtime)
    return True


def split_launch(
    memory: Memory, shape: tuple[int, ...], dtypes: tuple[str, str], pair: Pair
) -> TileLaunch | None:
    """The launch that analyses such an image into bands of this shape; None if unsupported."""
    key = (memory.dtype, dtypes, memory.shape, memory.strides, memory.address % 16)
    launch = pair.launches.get(key)
    if launch is None:
        launch = analysis_launch(memory, shape, dtypes, pair) or False
        bounded(pair.launches)[key] = launch
    return launch or None


def run_split(
    launch: TileLaunch,
    pair: Pair,
    image: int,
    bands: Sequence[int],
    like: Array,
    what: str,
    runtime: Runtime,
) -> None:
    """Analyse the image at one address into the bands at several addresses."""
    arguments: Any = type(launch.arguments).from_buffer_copy(launch.arguments)
    arguments.image.data = image
    for place, band in zip(pair.order, bands, strict=True):
        arguments.band[place] = band
    _run(runtime, launch, arguments, pair, like, what)


def merge(bands: Sequence[Array | None], out: Array, pair: Pair, runtime: Runtime) -> bool:
    """Synthesise four bands (None: missing) into an array; see :func:`split`."""
    memories = [None if band is None else memory_of(band) for band in bands]
    target = memory_of(out)
    launch = merge_launch(memories, target, pair)
    if launch is None or (pair.learned and not _are_beside(pair, out)):
        return False
    addresses = [memory and memory.address for memory in memories]
    what = f"synthesis of {target.shape} along axes {pair.axes}"
    run_merge(launch, pair, addresses, target.address, out, what, runtime)
    return True


def merge_launch(
    memories: Sequence[Memory | None], target: Memory, pair: Pair
) -> TileLaunch | None:
    """The launch that synthesises such bands (None: missing); None if unsupported."""
    layout = [m and (m.dtype, m.shape, m.strides) for m in memories]
    key = (*layout, target.dtype, target.shape, target.strides, target.address % 16)
    launch = pair.launches.get(key)
    if launch is None:
        launch = synthesis_launch(memories, target, pair) or False
        bounded(pair.launches)[key] = launch
    return launch or None


def run_merge(
    launch: TileLaunch,
    pair: Pair,
    bands: Sequence[int | None],
    out: int,
    like: Array,
    what: str,
    runtime: Runtime,
) -> None:
    """Synthesise the bands at several addresses (None: missing) into the image at one address."""
    arguments: Any = type(launch.arguments).from_buffer_copy(launch.arguments)
    arguments.out.data = out
    for place, band in zip(pair.order, bands, strict=True):
        arguments.band[place].data = band
    _run(runtime, launch, arguments, pair, like, what)


def _run(
    runtime: Runtime, launch: TileLaunch, arguments: Any, pair: Pair, like: Array, what: str
) -> None:
    if launch.blocks == 0:
        return
    # Arrays of taps must live until the launch.
    tap_arrays = _point_to_taps(arguments, pair, launch.real, like) if pair.learned else []
    runtime.launch(
        launch.kernel,
        launch.blocks,
        launch.threads,
        launch.shared,
        arguments,
        like,
        what,
    )
    del tap_arrays


def _point_to_taps(arguments: Any, pair: Pair, real: str, like: Array) -> list[Array]:
    arrays = []
    for places, step in ((arguments.row_taps, pair.rows), (arguments.column_taps, pair.columns)):
        for k, taps in enumerate(step.filters):
            arrays.append(_on_device(taps, real, like))
            places[k] = address_of(arrays[-1])
    return arrays


def _on_device(taps: Taps, real: str, like: Array) -> Array:
    """Contiguous taps, in the precision of the computation."""
    xp = array_namespace(like)
    array = xp.astype(taps, getattr(xp, real), copy=False)
    return array if memory_of(array).strides == (1,) else xp.asarray(array, copy=True)


def _are_beside(pair: Pair, like: Array) -> bool:
    """Whether taps are arrays of the library and on the device of ``like``."""
    return all(
        type(taps).__module__ == type(like).__module__ and device(taps) == device(like)
        for taps in (*pair.rows.filters, *pair.columns.filters)
    )
