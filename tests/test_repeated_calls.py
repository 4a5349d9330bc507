"""A call with arrays like those of the previous call runs the native plan directly.

Each test makes a call first, then one whose arrays differ in one property. The second must give
the result of a wavelet that has not been used before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import pywt

import liftwave as lw
from liftwave._dispatch import compiled
from liftwave._kernels.reference.filters import ReferenceFilters
from liftwave.errors import LiftwaveError

WAVELETS: dict[str, Callable[[], Any]] = {
    "bank": lambda: lw.FilterBank(*pywt.Wavelet("bior2.2").filter_bank),
    "lifting": lambda: lw.LiftingScheme.from_name("cdf5.3"),
}
SHAPE = (8, 12)


def signal(shape: tuple[int, ...] = SHAPE, dtype: Any = "float64") -> Any:
    return (100 * np.random.default_rng(1).standard_normal(shape)).astype(dtype)


def unaligned(x: Any) -> Any:
    memory = np.zeros(x.nbytes + 1, "uint8")
    array = memory[1:].view(x.dtype).reshape(x.shape)
    array[...] = x
    return array


SIGNALS: dict[str, Callable[[], Any]] = {
    "float32": lambda: signal(dtype="float32"),
    "complex": lambda: signal() * 1j,
    "integers": lambda: signal(dtype="int64"),
    "long double": lambda: signal(dtype="longdouble"),
    "transposed": lambda: signal(SHAPE[::-1]).T,
    "other order of lengths": lambda: signal(SHAPE[::-1]),
    "other length": lambda: signal((8, 13)),
    "one more dimension": lambda: signal((2, 4, 12)),
    "as many samples": lambda: signal((4, 24)),
    "other byte order": lambda: signal().astype(">f8"),
    "unaligned": lambda: unaligned(signal()),
    "list": lambda: signal().tolist(),
    "subclass": lambda: signal().view(np.memmap),
}
TRANSFORMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "dwt": (lw.dwt, lambda bands, *rest: lw.idwt(*bands, *rest)),
    "dwt2": (lw.dwt2, lw.idwt2),
    "wavedec2": (lw.wavedec2, lw.waverec2),
    "swt": (
        lambda x, wavelet, mode: lw.swt(x, wavelet, 2, mode=mode),
        lambda bands, wavelet, mode: lw.iswt(bands, wavelet, mode=mode),
    ),
}


def leaves(result: Any) -> list[Any]:
    if isinstance(result, list | tuple):
        return [leaf for item in result for leaf in leaves(item)]
    return [result]


def outcome(call: Callable[[], Any]) -> Any:
    """The arrays that a call returns, or the error that it raises."""
    try:
        return leaves(call())
    except LiftwaveError as error:
        return str(error)


def assert_same(actual: Any, expected: Any) -> None:
    assert type(actual) is type(expected)
    if isinstance(expected, str):
        assert actual == expected
        return
    for a, e in zip(actual, expected, strict=True):
        assert (a.dtype, a.shape) == (e.dtype, e.shape)
        np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("wavelet", WAVELETS)
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("other", SIGNALS)
def test_other_arrays(other: str, transform: str, wavelet: str) -> None:
    analyse, synthesise = TRANSFORMS[transform]
    used, fresh, mode = WAVELETS[wavelet](), WAVELETS[wavelet](), "periodization"
    bands = analyse(signal(), used, mode)
    synthesise(bands, used, mode)
    x = SIGNALS[other]()
    expected = outcome(lambda: analyse(x, fresh, mode))
    assert_same(outcome(lambda: analyse(x, used, mode)), expected)
    x_bands = analyse(x, fresh, mode)
    expected = outcome(lambda: synthesise(x_bands, fresh, mode))
    assert_same(outcome(lambda: synthesise(x_bands, used, mode)), expected)


BANDS: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "two dtypes": lambda a, d: (a, d.astype("float32")),
    "integers": lambda a, d: (a.astype("int64"), d.astype("int64")),
    "a list": lambda a, d: (a, d.tolist()),
    "a sample more": lambda a, d: (np.append(a, 0.0), d),
    "two samples more": lambda a, d: (np.append(a, [0.0, 0.0]), d),
    "a detail more": lambda a, d: (a, np.append(d, 0.0)),
    "both longer": lambda a, d: (np.append(a, 0.0), np.append(d, 0.0)),
    "no detail": lambda a, d: (a, None),
    "a column": lambda a, d: (a[:, None], d[:, None]),
    "other dimensions": lambda a, d: (a, d[:, None]),
}


@pytest.mark.parametrize("wavelet", WAVELETS)
@pytest.mark.parametrize("synthesise", [TRANSFORMS["dwt"][1], lw.waverec], ids=["idwt", "waverec"])
@pytest.mark.parametrize("other", BANDS)
def test_other_bands(other: str, synthesise: Callable[..., Any], wavelet: str) -> None:
    used, fresh, mode = WAVELETS[wavelet](), WAVELETS[wavelet](), "periodization"
    bands = lw.dwt(signal((16,)), used, mode)
    synthesise(bands, used, mode)
    others = BANDS[other](*bands)
    expected = outcome(lambda: synthesise(others, fresh, mode))
    assert_same(outcome(lambda: synthesise(others, used, mode)), expected)


def test_the_users_choice_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    x, wavelet = signal(), WAVELETS["bank"]()
    with lw.kernels("reference"):
        lw.dwt(x, wavelet)
    calls = []
    monkeypatch.setattr(
        ReferenceFilters, "analysis", lambda self, *rest: calls.append(rest) or [x, x]
    )
    lw.dwt(x, wavelet)
    lw.dwt(x, wavelet)
    assert not calls or not compiled()
    with lw.kernels("reference"):
        lw.dwt(x, wavelet)
    assert calls


def test_no_axis_is_not_all_axes() -> None:
    x = signal((8,))
    lw.dwtn(x, "haar", axes=None)
    with pytest.raises(LiftwaveError, match="None"):
        lw.dwt(x, "haar", axis=None)  # type: ignore[arg-type]
