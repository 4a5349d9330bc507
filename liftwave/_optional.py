"""Imports of libraries that only some functions need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed_by(purpose: str) -> Iterator[None]:
    """A block of imports; the error for a missing library says which package to install.

    Raises
    ------
    ModuleNotFoundError
        If a module in the block is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if not module:
            raise
        raise ModuleNotFoundError(
            f"{purpose} needs {module}, which is not installed: pip install {module}", name=module
        ) from error
