"""Compares results and gradients before they are timed."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.conventions import Bands, decomposition, pywt_split
from benchmarks.torch_libraries import Case, Prepared, Subject


def tensors(value: Any) -> list[Any]:
    """All tensors of a nested structure, in order."""
    if hasattr(value, "requires_grad"):
        return [value]
    children = value.values() if isinstance(value, dict) else value
    return [tensor for child in children for tensor in tensors(child)]


def checked(subject: Subject, case: Case, x: np.ndarray, expected: Bands) -> str:
    """Empty, or the error of one subject: its result, or one of its gradients.

    ``expected`` are PyWavelets' bands of ``x``.
    """
    try:
        return (
            _result_and_adjoint(subject, case, x, expected)
            or _data_gradient(subject, subject.settled(case.small()))
            or _tap_gradients(subject, subject.settled(case.small()))
        )
    except (RuntimeError, ValueError, NotImplementedError) as error:
        return f"fails: {type(error).__name__}: {str(error).splitlines()[0][:80]}"


def _prepared(subject: Subject, case: Case) -> Prepared:
    prepared = subject.prepare(case)
    if prepared is None:
        raise NotImplementedError(f"{subject.name} does not support mode {case.mode}")
    return prepared


def _result_and_adjoint(subject: Subject, case: Case, x: np.ndarray, expected: Bands) -> str:
    """At full size: the bands, and the adjointness of the gradient by one dot product."""
    import torch

    tensor = torch.from_numpy(x).requires_grad_()
    bands = subject.bands(case, _prepared(subject, case).transform(tensor))
    if bands.keys() != expected.keys():
        return f"wrong: bands {sorted(bands)}"
    for key, band in bands.items():
        found = band.detach().numpy()
        if found.shape != expected[key].shape:
            return f"wrong: shape of {key}"
        if np.abs(found - expected[key]).max() > 1e-5 * np.abs(expected[key]).max():
            return f"wrong: result ({key})"
    weights = {key: torch.randn(band.shape, generator=_seeded()) for key, band in bands.items()}
    (gradient,) = torch.autograd.grad(list(bands.values()), tensor, list(weights.values()))
    products = (np.vdot(weights[key].double().numpy(), expected[key]) for key in bands)
    there, back = sum(products), np.vdot(gradient.double().numpy(), x)
    size = float(gradient.double().norm()) * float(np.linalg.norm(x.ravel()))
    return "" if abs(there - back) <= 1e-6 * size else "wrong: gradient (dot product)"


def _data_gradient(subject: Subject, case: Case) -> str:
    """Entry by entry, compared with the transposed matrix of PyWavelets' transform."""
    import torch

    x = torch.randn(case.shape, dtype=torch.float64, generator=_seeded(), requires_grad=True)
    bands = subject.bands(case, _prepared(subject, case).transform(x))
    weights = {
        key: torch.randn(band.shape, dtype=torch.float64, generator=_seeded())
        for key, band in bands.items()
    }
    (gradient,) = torch.autograd.grad(list(bands.values()), x, list(weights.values()))
    height, width = case.shape[-2:]
    unit = np.eye(height * width).reshape(-1, height, width)
    columns = decomposition(pywt_split(case.row()), case.row(), unit)
    transposed = sum(
        np.einsum("nhw,bchw->bcn", columns[key], weights[key].numpy()) for key in bands
    )
    off = np.abs(gradient.numpy() - np.reshape(transposed, case.shape)).max()
    return "" if off <= 1e-9 * np.abs(transposed).max() else "wrong: gradient of the data"


def _tap_gradients(subject: Subject, case: Case) -> str:
    """By finite differences."""
    import torch
    from torch.autograd import gradcheck

    prepared = _prepared(subject, case)
    if not prepared.taps:
        return ""
    x = torch.randn(case.shape, dtype=torch.float64, generator=_seeded())

    def outputs(*_: Any) -> tuple[Any, ...]:
        return tuple(tensors(prepared.transform(x)))

    right = gradcheck(
        outputs, prepared.taps, atol=1e-7, rtol=1e-6, fast_mode=True, raise_exception=False
    )
    return "" if right else "wrong: gradient of the taps"


def _seeded() -> Any:
    import torch

    return torch.Generator().manual_seed(0)
