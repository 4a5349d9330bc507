"""Messages about missing compiled kernels."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from liftwave.errors import MissingKernelsWarning, warn

_PACKAGE = Path(__file__).parent.parent
_INSTALLED_WITHOUT = (
    "liftwave was installed without its compiled kernels, so it uses slower code. "
    "Install it again with a C++17 compiler (LIFTWAVE_BUILD=required shows what is missing)"
)
_SILENCE = ", or set LIFTWAVE_KERNELS=reference to silence this warning"


def hidden_installation(path: list[str]) -> Path | None:
    """The folder of an installation with compiled kernels that this source tree hides."""
    for entry in path:
        if any(Path(entry).glob("_editable_*_liftwave.py")):
            continue  # the compiled kernels of an editable installation, which uses a source tree
        package = Path(entry, _PACKAGE.name).absolute()
        if package != _PACKAGE and any(
            (package / f"_cpu{suffix}").exists() for suffix in EXTENSION_SUFFIXES
        ):
            return package
    return None


def explanation() -> str:
    """Why the compiled kernels are missing, and what to do."""
    installed = hidden_installation(sys.path)
    if installed is None:
        return _INSTALLED_WITHOUT
    return (
        f"liftwave is imported from {_PACKAGE}, which has no compiled kernels, so it uses slower "
        f"code. This folder hides the installation in {installed}. Start Python in another folder, "
        "or compile the kernels of this folder with 'pip install -e .'"
    )


def warn_of_missing_kernels() -> None:
    """Warn that the slower reference kernels are used."""
    warn(explanation() + _SILENCE, MissingKernelsWarning)
