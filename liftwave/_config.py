"""The number of threads, and the configuration of the installation."""

from __future__ import annotations

import sys

import numpy as np

import liftwave._dispatch as _dispatch
from liftwave._numbers import whole_number
from liftwave._version import __version__
from liftwave.errors import ThreadsError


def set_num_threads(count: int) -> None:
    """Set the number of threads that the compiled kernels may use.

    Parameters
    ----------
    count : int
        At least 1. Small arrays use fewer threads. Results do not depend on
        the number. The default is the environment variable
        ``LIFTWAVE_NUM_THREADS`` or ``OMP_NUM_THREADS``, else the number of
        processors that this process may use.

    Raises
    ------
    ValueError, TypeError
        If ``count`` is less than 1 or more than 2147483647, or not a whole number.

    Examples
    --------
    >>> import liftwave as lw
    >>> before = lw.get_num_threads()
    >>> lw.set_num_threads(1)
    >>> lw.get_num_threads()
    1
    >>> lw.set_num_threads(before)
    """
    count = whole_number(count, "the number of threads must be an integer")
    if not 1 <= count < 2**31:
        raise ThreadsError(f"the number of threads must be from 1 to {2**31 - 1}, got {count}")
    if _dispatch.compiled():
        import liftwave._cpu as _cpu

        _cpu.set_num_threads(count)


def get_num_threads() -> int:
    """Return the number of threads that the compiled kernels may use (1 without such kernels).

    Returns
    -------
    int
        See :func:`set_num_threads`.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.get_num_threads() >= 1
    True
    """
    if not _dispatch.compiled():
        return 1
    import liftwave._cpu as _cpu

    return _cpu.get_num_threads()


def set_reused_memory(count: int) -> None:
    """Set how many bytes of memory of large results are kept for later results.

    The compiled kernels allocate results of 32 MiB and more in blocks. When a result is deleted, a
    later result of about the same size uses its block again. A block that is not used within a
    second is released.

    Parameters
    ----------
    count : int
        The largest total size of blocks without results; 0 keeps none. At most four blocks are
        kept. The default is the environment variable ``LIFTWAVE_REUSED_MEMORY``, else 256 MiB on
        Linux, where the system reclaims this memory when it needs it, and 0 elsewhere.

    Raises
    ------
    OptionError, TypeError
        If ``count`` is negative, or not a whole number.

    See Also
    --------
    dwt : The argument ``out``, with which the program itself reuses memory.

    Examples
    --------
    >>> import liftwave as lw
    >>> before = lw.get_reused_memory()
    >>> lw.set_reused_memory(0)
    >>> lw.get_reused_memory()
    0
    >>> lw.set_reused_memory(before)
    """
    from liftwave._kernels.cpu.reused_memory import set_limit  # few programs set it

    set_limit(count)


def get_reused_memory() -> int:
    """Return how many bytes of memory of large results are kept for later results.

    Returns
    -------
    int
        See :func:`set_reused_memory`.

    Raises
    ------
    OptionError
        If the environment variable ``LIFTWAVE_REUSED_MEMORY`` is not a number of bytes.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.get_reused_memory() >= 0
    True
    """
    from liftwave._kernels.cpu.reused_memory import limit

    return limit()


def show_config() -> None:
    """Print the version, the kernels and the instruction set in use, and the number of threads.

    The kernels are those that :func:`kernels` or the environment variable ``LIFTWAVE_KERNELS``
    selects, else all available ones. With ``cpu!`` and ``cuda!`` it prints "no fallback": calls
    that these kernels do not support raise an error.

    CUDA devices are listed only if CuPy has been imported. This function does not import it.

    Examples
    --------
    >>> import liftwave as lw
    >>> lw.show_config()  # doctest: +ELLIPSIS
    liftwave ...
    """
    for name, value in config().items():
        print(f"{name:18}{value}")


def config() -> dict[str, str]:
    """Return the values that :func:`show_config` prints."""
    rows = {"liftwave": __version__, "numpy": np.__version__}
    devices = _devices()
    families = (
        ["cpu"] * _dispatch.compiled() + ["cuda"] * ("CUDA device 0" in devices) + ["reference"]
    )
    rows["kernels"] = _chosen() or ", ".join(families)
    if _dispatch.compiled():
        import liftwave._cpu as _cpu

        rows["instruction set"] = f"{_cpu.isa()} (of {', '.join(_cpu.available_isas())})"
        rows["threads"] = str(_cpu.get_num_threads())
    return rows | devices


def _chosen() -> str | None:
    choice = _dispatch.choice()
    return f"{choice} (no fallback)" if choice and choice.endswith("!") else choice


def _devices() -> dict[str, str]:
    """Return CuPy's version and the devices that it finds, if CuPy has been imported."""
    cupy = sys.modules.get("cupy")
    if cupy is None:
        return {}
    rows, runtime = {"CuPy": str(cupy.__version__)}, cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        return rows | {"CUDA devices": f"none: {error}"}
    for k in range(count):
        properties = runtime.getDeviceProperties(k)
        capability = f"sm_{properties['major']}{properties['minor']}"
        rows[f"CUDA device {k}"] = f"{properties['name'].decode()} ({capability})"
    return rows
