"""Filter banks along two axes in one pass, by CUDA kernels.

An image is cut into tiles: strips of columns, and segments of rows. Threads walk down the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liftwave._kernels.cuda.common.memory import Memory, address_of, memory_of
from liftwave._kernels.cuda.common.runtime import Runtime
from liftwave._kernels.cuda.filters.fused_launch import (
    Pair,
    TileLaunch,
    analysis_launch,
    synthesis_launch,
)
from liftwave._kernels.cuda.filters.taps import DeviceTaps, device_taps
from liftwave._plan.axis import bounded
from liftwave._typing import Array


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
    taps = None if launch is None else _learned_taps(pair, launch.real, x)
    if launch is None or taps is None:
        return False
    what = f"analysis of {memory.shape} along axes {pair.axes}"
    run_split(launch, pair, memory.address, list(map(address_of, bands)), x, what, runtime, taps)
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
    taps: Sequence[DeviceTaps] = (),
) -> None:
    """Analyse the image at one address into the bands at several addresses."""
    arguments: Any = type(launch.arguments).from_buffer_copy(launch.arguments)
    arguments.image.data = image
    for place, band in zip(pair.order, bands, strict=True):
        arguments.band[place] = band
    _run(launch, arguments, taps, like, what, runtime)


def merge(bands: Sequence[Array | None], out: Array, pair: Pair, runtime: Runtime) -> bool:
    """Synthesise four bands (None: missing) into an array; see :func:`split`."""
    memories = [None if band is None else memory_of(band) for band in bands]
    target = memory_of(out)
    launch = merge_launch(memories, target, pair)
    taps = None if launch is None else _learned_taps(pair, launch.real, out)
    if launch is None or taps is None:
        return False
    addresses = [memory and memory.address for memory in memories]
    what = f"synthesis of {target.shape} along axes {pair.axes}"
    run_merge(launch, pair, addresses, target.address, out, what, runtime, taps)
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
    taps: Sequence[DeviceTaps] = (),
) -> None:
    """Synthesise the bands at several addresses (None: missing) into the image at one address."""
    arguments: Any = type(launch.arguments).from_buffer_copy(launch.arguments)
    arguments.out.data = out
    for place, band in zip(pair.order, bands, strict=True):
        arguments.band[place].data = band
    _run(launch, arguments, taps, like, what, runtime)


def _run(
    launch: TileLaunch,
    arguments: Any,
    taps: Sequence[DeviceTaps],
    like: Array,
    what: str,
    runtime: Runtime,
) -> None:
    if launch.blocks == 0:
        return
    if taps:
        arguments.row_taps, arguments.column_taps = (of_step.structure(0) for of_step in taps)
    sizes = launch.blocks, launch.threads, launch.shared
    runtime.launch(launch.kernel, *sizes, arguments, like, what)


def _learned_taps(pair: Pair, real: str, like: Array) -> list[DeviceTaps] | None:
    """Taps that are arrays, of rows and columns; None if kernels cannot read them."""
    steps = [pair.rows, pair.columns] if pair.learned else []
    taps = [device_taps(step.filters, step.plan, real, like) for step in steps]
    present = [of_step for of_step in taps if of_step is not None]
    return present if len(present) == len(taps) else None
