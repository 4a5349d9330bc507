"""Functions that need a library which is not installed say which, and how to install it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

import numpy as np
import pytest

import liftwave as lw
from liftwave import constraints

SIGNAL = np.sin(np.arange(64.0))
CALLS: dict[str, tuple[str, Callable[[], object]]] = {
    "a signal": ("matplotlib.figure", lambda: lw.decompose(SIGNAL, "db2").plot()),
    "an image": ("matplotlib.figure", lambda: lw.decompose(np.eye(32), "db2").plot()),
    "aligned bands": ("matplotlib.figure", lambda: lw.undecimated(SIGNAL, "db2", level=2).plot()),
    "images": ("matplotlib.figure", lambda: lw.undecimated(np.eye(32), "db2", level=2).plot()),
    "a scalogram": ("matplotlib.figure", lambda: lw.scalogram(SIGNAL).plot()),
    "packets": (
        "matplotlib.figure",
        lambda: lw.best_basis(lw.wpdec(SIGNAL, "db2", level=2, full=True)).plot(),
    ),
    "variances": ("scipy.stats", lambda: lw.wavelet_variance(SIGNAL, "haar", level=2)),
    "design": ("scipy.optimize", lambda: constraints.design_orthonormal(SIGNAL, 6, level=2)),
    "operators": ("scipy.sparse.linalg", lambda: importlib.reload(lw.operators)),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.thread_unsafe
def test_the_error_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, call = CALLS[name]
    assert lw.operators  # imported before its library is hidden
    monkeypatch.setitem(sys.modules, module, None)
    package = module.partition(".")[0]
    message = f"needs {package}, which is not installed: pip install {package}"
    with pytest.raises(ModuleNotFoundError, match=message) as caught:
        call()
    assert caught.value.name == package
