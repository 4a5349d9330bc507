"""The resolution of wavelets, the warning of a bank, and the plans that a wavelet caches."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import pywt
import torch

import liftwave as lw
from liftwave.errors import ReconstructionWarning
from liftwave.wavelets.resolve import resolve_wavelet, warn_of_bank

NAMES = pywt.wavelist(kind="discrete")
BROKEN = ([1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [1.0, 1.0])


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda wavelet: pickle.loads(pickle.dumps(wavelet)),
}


# --- resolving -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_names_and_builtin_wavelets_are_one_bank(name: str) -> None:
    bank = resolve_wavelet(name)
    assert resolve_wavelet(name.upper()) is bank
    assert resolve_wavelet(pywt.Wavelet(name)) is bank
    assert bank.name == name
    assert bank.filter_bank == tuple(map(tuple, pywt.Wavelet(name).filter_bank))


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_copies_of_builtin_wavelets_are_the_same_bank(copied: Callable[[Any], Any]) -> None:
    """(The copies lose the family, which marks built-in wavelets in PyWavelets.)"""
    assert resolve_wavelet(copied(pywt.Wavelet("dmey"))) is resolve_wavelet("dmey")


def test_a_custom_wavelet_with_the_name_of_a_builtin_one_is_another_bank() -> None:
    custom = pywt.Wavelet("db4", filter_bank=pywt.Wavelet("db2").filter_bank)
    bank = resolve_wavelet(custom)
    assert bank is not resolve_wavelet("db4")
    assert (bank.name, bank.dec_len) == ("db4", 4)
    assert resolve_wavelet(custom) is bank
    x = np.arange(9.0)
    np.testing.assert_allclose(lw.dwt(x, custom), pywt.dwt(x, custom), rtol=1e-13, atol=1e-13)


def test_banks_and_schemes_are_themselves() -> None:
    for wavelet in (lw.FilterBank(*pywt.Wavelet("db2").filter_bank), lw.LiftingScheme([])):
        assert resolve_wavelet(wavelet) is wavelet


# --- warnings ------------------------------------------------------------------------------------


def warnings_of(use: Callable[[], object]) -> list[type[Warning]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
    return [w.category for w in caught]


@pytest.mark.parametrize(
    "wavelet",
    [
        lw.FilterBank(*BROKEN),
        pywt.Wavelet("custom", filter_bank=BROKEN),
        pywt.Wavelet("haar", filter_bank=BROKEN),
    ],
    ids=["bank", "custom", "custom with the name of a built-in wavelet"],
)
def test_each_use_of_a_bank_that_does_not_reconstruct_warns(wavelet: Any) -> None:
    for _ in range(3):
        assert warnings_of(lambda: lw.dwt(np.arange(8.0), wavelet)) == [ReconstructionWarning]
    both = [wavelet, wavelet]
    assert warnings_of(lambda: lw.dwt2(np.ones((4, 4)), both)) == [ReconstructionWarning]


def test_the_warning_is_a_property_of_the_bank() -> None:
    broken = lw.FilterBank(*BROKEN, name="broken")
    assert broken.warning is not None
    assert broken.warning.startswith("FilterBank('broken', 2 taps) does not reconstruct perfectly")
    with pytest.warns(ReconstructionWarning, match="error of its synthesis"):
        warn_of_bank(broken)
    exact = lw.FilterBank(*pywt.Wavelet("db3").filter_bank)
    learned = lw.FilterBank(*(torch.tensor(taps) for taps in BROKEN))
    dmey = resolve_wavelet("dmey")
    for wavelet in (exact, learned, dmey, lw.LiftingScheme([])):
        assert warnings_of(lambda wavelet=wavelet: warn_of_bank(wavelet)) == []
    assert exact.warning is learned.warning is dmey.warning is None
    assert lw.FilterBank(*dmey.filter_bank).warning is not None


# --- plans ---------------------------------------------------------------------------------------

WAVELETS = {
    "bank": lw.FilterBank(*pywt.Wavelet("db2").filter_bank),
    "scheme": lw.LiftingScheme.from_name("cdf5.3"),
    "integer": lw.LiftingScheme.from_name("cdf5.3").to_integer(),
}


@pytest.mark.parametrize("wavelet", WAVELETS.values(), ids=WAVELETS)
@pytest.mark.parametrize(
    "copied",
    [*COPIES.values(), lambda wavelet: replace(wavelet, name="another")],
    ids=[*COPIES, "replace"],
)
def test_plans_belong_to_one_wavelet(wavelet: Any, copied: Callable[[Any], Any]) -> None:
    wavelet._plans["key"] = "plan"
    assert wavelet._plans["key"] == "plan"
    twin = copied(wavelet)
    assert twin._plans == {}
    assert twin == wavelet
    assert hash(twin) == hash(wavelet)
    assert "plan" not in repr(wavelet)
    assert "_plans" not in {field.name for field in fields(wavelet)}


def test_plans_of_learned_taps_are_never_cached() -> None:
    taps = [torch.ones(2) for _ in range(4)]
    step = lw.LiftingStep("predict", torch.ones(2))
    for wavelet in (lw.FilterBank(*taps), lw.LiftingScheme([step])):
        wavelet._plans["key"] = "plan"
        assert wavelet._plans == {}
