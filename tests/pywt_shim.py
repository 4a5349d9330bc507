"""Puts liftwave in PyWavelets' place: ``import pywt`` gives liftwave's functions and classes.

``tests/downstream.py`` copies this file to a folder of ``PYTHONPATH`` as ``sitecustomize.py``,
which Python imports before all else.
"""

from __future__ import annotations

import sys
from types import ModuleType

import pywt

import liftwave


def install() -> None:
    """Replace the module ``pywt`` for all later imports.

    Names that liftwave lacks remain PyWavelets'. The original module is unchanged, because
    liftwave calls it.
    """
    shim = ModuleType("pywt")
    vars(shim).update(vars(pywt))
    for name in liftwave.__all__:
        if hasattr(pywt, name):
            setattr(shim, name, getattr(liftwave, name))
    sys.modules["pywt"] = shim


if __name__ == "sitecustomize":
    install()
