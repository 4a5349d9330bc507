"""The mode ``"orthogonal"``: orthonormal wavelets on the interval."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywt
from helpers import DISCRETE, Library, all_of, assert_close, eps, to_numpy

import liftwave as lw
from liftwave._plan.boundary import EXTENSION_MODES, LIFTING_MODES
from liftwave._plan.interval_ends import ends
from liftwave.errors import LevelWarning, LiftwaveError, ModeError, ShapeError

pytestmark = [
    # Of torch: forward mode, the exporter of ONNX, and compiled graphs.
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Dynamo detected a call to a .functools.lru_cache"),
]

MODE: Any = "orthogonal"
ORTHOGONAL = [name for name in DISCRETE if pywt.Wavelet(name).orthogonal]
SOME = ("haar", "db2", "db3", "db4", "sym5", "sym8", "coif2")


def lengths(wavelet: str) -> tuple[int, ...]:
    """The shortest even and odd lengths, and some others."""
    taps = pywt.Wavelet(wavelet).dec_len
    shortest = max(2, 2 * (taps - 2))
    return shortest, shortest + 1, shortest + 2, 3 * taps, 3 * taps + 1


def bands_matrices(n: int, wavelet: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows of approximation and detail."""
    return lw.dwt(np.eye(n), wavelet, MODE, axis=0)


def matrix(n: int, wavelet: str) -> np.ndarray:
    return np.concatenate(bands_matrices(n, wavelet))


def table_error(wavelet: str) -> float:
    """The deviation of the tables of filters from orthonormal filters."""
    bank = pywt.Wavelet(wavelet)
    return float(lw.FilterBank(*bank.filter_bank).reconstruction_error())


def counts(wavelet: str, n: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The numbers of low-pass and high-pass functions at the first and the last end."""
    bank = pywt.Wavelet(wavelet)
    first, *last = ends(tuple(bank.dec_lo), tuple(bank.dec_hi))
    return first.counts, last[n % 2].counts


def signal(*shape: int, dtype: str = "float64") -> np.ndarray:
    rng = np.random.default_rng(sum(shape))
    x = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


# --- the matrix ----------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", all_of(ORTHOGONAL))
def test_the_matrix_is_orthogonal(wavelet: str) -> None:
    for n in lengths(wavelet):
        rows = matrix(n, wavelet)
        assert rows.shape == (n, n)
        defect = np.abs(rows @ rows.T - np.eye(n)).max()
        assert defect <= 16 * eps(rows) + table_error(wavelet), (n, defect)


@pytest.mark.parametrize("wavelet", all_of(ORTHOGONAL))
def test_the_bands_have_half_of_the_samples(wavelet: str) -> None:
    for n in lengths(wavelet):
        approx, detail = bands_matrices(n, wavelet)
        assert (len(approx), len(detail)) == ((n + 1) // 2, n // 2)
        assert lw.dwt_coeff_len(n, wavelet, MODE) == len(approx)


@pytest.mark.parametrize("wavelet", all_of(ORTHOGONAL))
def test_inside_it_is_the_mode_zero(wavelet: str) -> None:
    taps = pywt.Wavelet(wavelet).dec_len
    for n in lengths(wavelet):
        inside, cut_off = (n - taps) // 2 + 1, taps // 2 - 1
        x, (first, _) = signal(n), counts(wavelet, n)
        for band, zero, count in zip(
            lw.dwt(x, wavelet, MODE), pywt.dwt(x, wavelet, "zero"), first, strict=True
        ):
            assert_close(
                band[count : count + inside], zero[cut_off : cut_off + inside], ulps=2 * taps
            )


@pytest.mark.parametrize("wavelet", all_of(name for name in ORTHOGONAL if name != "dmey"))
def test_details_of_polynomials_are_zero(wavelet: str) -> None:
    """At each end for degrees below the number of its low-pass functions, and inside.

    The table of "dmey" has no exact moments.
    """
    bank, tolerance = pywt.Wavelet(wavelet), 1e-12 + 1e3 * table_error(wavelet)
    for n in lengths(wavelet):
        first, last = counts(wavelet, n)
        for degree in range(max(first[0], last[0])):
            detail = lw.dwt(np.linspace(-1, 1, n) ** degree, wavelet, MODE)[1]
            end = len(detail) - last[1]
            if degree < first[0]:
                assert np.abs(detail[: first[1]]).max(initial=0) < tolerance
            if degree < last[0]:
                assert np.abs(detail[end:]).max(initial=0) < tolerance
            if degree < bank.vanishing_moments_psi:
                assert np.abs(detail[first[1] : end]).max(initial=0) < tolerance


@pytest.mark.parametrize("wavelet", all_of(ORTHOGONAL))
def test_approximations_of_polynomials_are_polynomials(wavelet: str) -> None:
    """The coefficients of an end, for degrees below their number: coarser details stay small."""
    for n in lengths(wavelet):
        (low, _), (last, _) = counts(wavelet, n)
        for degree in range(min(max(low, last) - 1, 4)):
            approx = lw.dwt(np.linspace(0, 1, n) ** degree, wavelet, MODE)[0]
            for band in (approx[:low], approx[len(approx) - last :]):
                if len(band) > degree + 1:
                    differences = np.diff(band, degree + 1)
                    assert np.abs(differences).max() < 1e-9 + 1e2 * table_error(wavelet)


def test_the_numbers_of_functions() -> None:
    """Each end has both kinds if it has two functions. Asymmetric filters divide unequally."""
    expected = {
        "haar": ((0, 0), (0, 0), (1, 0)),
        "db2": ((0, 1), (1, 0), (2, 0)),
        "db3": ((1, 1), (1, 1), (2, 1)),
        "db4": ((1, 2), (2, 1), (3, 1)),
        "sym8": ((4, 3), (3, 4), (4, 4)),
        "coif2": ((2, 3), (3, 2), (4, 2)),
    }
    for name, numbers in expected.items():
        bank = pywt.Wavelet(name)
        found = ends(tuple(bank.dec_lo), tuple(bank.dec_hi))
        assert tuple(end.counts for end in found) == numbers


def test_details_of_smooth_signals_are_small_at_all_levels() -> None:
    t = np.linspace(0, 1, 256)
    for x in (np.ones(256), t, np.cos(5 * t + 1)):
        _, *details = lw.wavedec(x, "sym8", MODE, level=4)
        assert max(np.abs(detail).max() for detail in details) < 0.04 * np.abs(x).max() * 4


@pytest.mark.parametrize("wavelet", SOME)
def test_high_pass_functions_resemble_the_filters_of_their_places(wavelet: str) -> None:
    cut_off = pywt.Wavelet(wavelet).dec_len // 2 - 1
    for n in lengths(wavelet):
        filters = pywt.dwt(np.eye(n), wavelet, "zero", axis=0)[1]
        detail = bands_matrices(n, wavelet)[1]
        first = cut_off - counts(wavelet, n)[0][1]
        assert ((detail * filters[first : first + len(detail)]).sum(axis=1) > 0.1).all()


FIRST = [
    [0.939915, -0.250481, -0.214476, 0.088426],
    [0.068185, -0.528096, 0.782543, -0.322632],
]
LAST_OF_EVEN = [
    [0.245161, 0.594638, 0.584068, 0.495142],
    [0.22761, 0.552068, 0.022147, -0.801825],
]
LAST_OF_ODD = [
    [0.320357, 0.777025, 0.519611, 0.056157, -0.143019],
    [-0.012888, -0.031261, 0.212897, 0.564825, 0.796558],
    [0.095477, 0.23158, -0.162189, -0.752269, 0.587402],
]


def test_functions_stay_the_same() -> None:
    """Stored coefficients depend on them: those of 'db3' at each end."""
    bank = pywt.Wavelet("db3")
    first, even, odd = ends(tuple(bank.dec_lo), tuple(bank.dec_hi))
    for end, rows in ((first, FIRST), (even, LAST_OF_EVEN), (odd, LAST_OF_ODD)):
        np.testing.assert_allclose(end.functions, rows, atol=2e-6)


def test_filters_of_users_and_padded_filters() -> None:
    """Zeros at the ends of filters move the functions from one end to the other."""
    s = 0.5**0.5
    for before, after in ((0, 2), (2, 0), (1, 1), (3, 3), (0, 4)):
        low = np.array([0.0] * before + [s, s] + [0.0] * after)
        high = (-1) ** np.arange(1, len(low) + 1) * low[::-1]
        bank = lw.FilterBank(low, high, low[::-1], high[::-1])
        assert bank.orthogonal
        for n in (2 * len(low) - 4, 2 * len(low) - 3, 20):
            rows = np.concatenate(lw.dwt(np.eye(n), bank, MODE, axis=0))
            np.testing.assert_allclose(rows @ rows.T, np.eye(n), atol=1e-14)


@pytest.mark.parametrize("taps", [2, 4, 6, 10, 16, 24])
def test_random_filters(taps: int) -> None:
    for seed in range(4):
        bank = lw.constraints.random_orthonormal_filters(taps, seed=seed)
        for n in (max(2, 2 * taps - 4), 2 * taps - 1, 3 * taps):
            rows = np.concatenate(lw.dwt(np.eye(n), bank, MODE, axis=0))
            np.testing.assert_allclose(rows @ rows.T, np.eye(n), atol=1e-13)


@pytest.mark.parametrize("shift", [2, 4, -2])
def test_high_pass_filters_at_other_places(shift: int) -> None:
    """Also where the filters of both bands begin at different samples."""
    bank, gap = pywt.Wavelet("db3"), np.zeros(abs(shift))
    low, high = np.array(bank.dec_lo), np.array(bank.dec_hi)
    low, high = (
        np.r_[a, b]
        for a, b in ([(gap, low), (high, gap)] if shift > 0 else [(low, gap), (gap, high)])
    )
    moved = lw.FilterBank(low, high, low[::-1], high[::-1])
    assert moved.orthogonal
    for n in (2 * moved.dec_len - 4, 2 * moved.dec_len - 3, 40):
        rows = np.concatenate(lw.dwt(np.eye(n), moved, MODE, axis=0))
        np.testing.assert_allclose(rows @ rows.T, np.eye(n), atol=1e-14)


# --- other constructions of the same space -------------------------------------------------------


@pytest.mark.parametrize("wavelet", ["db2", "db3", "db4", "db7", "sym5", "sym8", "coif2"])
@pytest.mark.parametrize("odd", [0, 1])
def test_low_pass_functions_span_the_projections_of_polynomials(wavelet: str, odd: int) -> None:
    """The space of an end, from the singular vectors of the rows inside."""
    taps = pywt.Wavelet(wavelet).dec_len
    n = 4 * taps + odd
    first, last = counts(wavelet, n)
    approx, detail = bands_matrices(n, wavelet)
    ours = {
        "first": (approx[: first[0]], detail[: first[1]]),
        "last": (approx[len(approx) - last[0] :], detail[len(detail) - last[1] :]),
    }
    inside = np.concatenate(
        [approx[first[0] : len(approx) - last[0]], detail[first[1] : len(detail) - last[1]]]
    )
    free = np.linalg.svd(inside)[2][len(inside) :]  # orthogonal to all filters inside
    for name, places in (
        ("first", slice(0, taps - 2)),
        ("last", slice(n - taps + 2 - odd, n)),
    ):
        projection = (free.T @ free)[places, places]
        low, high = (band[:, places] for band in ours[name])
        np.testing.assert_allclose(low.T @ low + high.T @ high, projection, atol=1e-11)
        powers = np.polynomial.legendre.legvander(np.linspace(-1, 1, low.shape[1]), 20)
        basis = np.linalg.qr(projection @ powers[:, : len(low)])[0]
        np.testing.assert_allclose(low.T @ low, basis @ basis.T, atol=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wavelet", ["db3", "sym5", "coif1", "db5"])
def test_the_space_is_that_of_another_library(wavelet: str) -> None:
    """Its functions at the ends, by Gram-Schmidt without moments, span the same space."""
    transform = pytest.importorskip("ptwt.matmul_transform")
    n, reach = 32, pywt.Wavelet(wavelet).dec_len - 2
    theirs = np.asarray(transform.construct_boundary_a(wavelet, n).to_dense())
    ours = matrix(n, wavelet)
    for places in (slice(0, reach), slice(n - reach, n)):
        projections = []
        for rows in (theirs, ours):
            outside = np.delete(rows, np.r_[places], axis=1)
            end = rows[np.abs(outside).max(axis=1) < 1e-12][:, places]
            assert len(end) == reach // 2
            projections.append(end.T @ end)
        np.testing.assert_allclose(*projections, atol=1e-11)


# --- transforms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", SOME)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_energy_and_reconstruction(wavelet: str, dtype: str, kernels: Any) -> None:
    for n in lengths(wavelet):
        x = signal(3, n, dtype=dtype)
        bands = lw.dwt(x, wavelet, MODE)
        assert {band.dtype for band in bands} == {x.dtype}
        energy = sum(np.vdot(band, band).real for band in bands)
        error = 64 * eps(x) + table_error(wavelet)
        assert abs(energy - np.vdot(x, x).real) <= error * np.vdot(x, x).real
        back = lw.idwt(*bands, wavelet, MODE)
        assert back.dtype == x.dtype
        np.testing.assert_allclose(back, x, rtol=0, atol=8 * error)


@pytest.mark.parametrize("wavelet", SOME)
def test_kernels_and_libraries_agree(wavelet: str, xp: Library, kernels: Any) -> None:
    x = signal(5, 37, 4)
    plain = lw.dwt(x, wavelet, MODE, axis=1)
    bands = lw.dwt(xp.asarray(x), wavelet, MODE, axis=1)
    for band, expected in zip(bands, plain, strict=True):
        assert_close(band, xp.asarray(expected), ulps=64)
    for pair in ((0, 1), (0,), (1,)):
        kept = [band if k in pair else None for k, band in enumerate(plain)]
        back = lw.idwt(*xp.tree(kept), wavelet, MODE, axis=1)
        # A band without its sibling: the length of the signal is even.
        expected = lw.idwt(*kept, wavelet, MODE, axis=1)
        assert_close(back, xp.asarray(expected), ulps=64)


@pytest.mark.parametrize("wavelet", SOME)
def test_the_axis(wavelet: str) -> None:
    x = signal(29, 30, 31)
    for axis in range(3):
        rows = matrix(x.shape[axis], wavelet)
        expected = np.moveaxis(np.tensordot(rows, x, (1, axis)), 0, axis)
        bands = lw.dwt(x, wavelet, MODE, axis)
        np.testing.assert_allclose(np.concatenate(bands, axis), expected, atol=1e-12)


@pytest.mark.parametrize("n", [64, 65])
def test_one_band_of_zeros(n: int) -> None:
    approx, detail = lw.dwt(signal(n), "db3", MODE)
    if n % 2 == 0:
        zeros = np.zeros_like(approx)
        assert_close(
            lw.idwt(approx, None, "db3", MODE), lw.idwt(approx, zeros, "db3", MODE), ulps=4
        )
    for part, band in (("a", approx), ("d", detail)):
        assert_close(lw.downcoef(part, signal(n), "db3", MODE), band)


@pytest.mark.parametrize("wavelet", SOME)
def test_several_levels_and_axes(wavelet: str) -> None:
    x = signal(33, 40, 2)
    coeffs = lw.wavedecn(x, wavelet, MODE, axes=(0, 1))
    ravelled, *_ = lw.ravel_coeffs(coeffs, axes=(0, 1))
    assert ravelled.size == x.size
    assert abs(ravelled @ ravelled / np.vdot(x, x) - 1) < 1e-12 + 10 * table_error(wavelet)
    np.testing.assert_allclose(lw.waverecn(coeffs, wavelet, MODE, (0, 1)), x, atol=1e-11)
    shapes = lw.wavedecn_shapes(x.shape, wavelet, MODE, axes=(0, 1))
    assert shapes[0] == coeffs[0].shape
    assert shapes[1:] == [{k: band.shape for k, band in level.items()} for level in coeffs[1:]]
    coeffs2 = lw.wavedec2(x, wavelet, MODE, axes=(0, 1))
    np.testing.assert_allclose(lw.waverec2(coeffs2, wavelet, MODE, (0, 1)), x, atol=1e-11)
    bands = lw.dwt2(x[..., 0], wavelet, MODE)
    np.testing.assert_allclose(lw.idwt2(bands, wavelet, MODE), x[..., 0], atol=1e-11)
    keyed = lw.dwtn(x[..., 0], wavelet, MODE)
    np.testing.assert_allclose(lw.idwtn(keyed, wavelet, MODE), x[..., 0], atol=1e-11)


@pytest.mark.parametrize("wavelet", SOME)
def test_the_useful_levels_are_possible(wavelet: str) -> None:
    for n in range(lengths(wavelet)[0], 130):
        x = signal(n)
        coeffs = lw.wavedec(x, wavelet, MODE)
        assert len(coeffs) == 1 + lw.dwt_max_level(n, wavelet)
        assert sum(map(len, coeffs)) == n
        np.testing.assert_allclose(lw.waverec(coeffs, wavelet, MODE), x, atol=1e-11)


def test_modes_of_axes_are_independent() -> None:
    x = signal(25, 26)
    modes: Any = (MODE, "symmetric")
    coeffs = lw.wavedecn(x, "db2", modes, level=2)
    np.testing.assert_allclose(lw.waverecn(coeffs, "db2", modes)[:, :26], x, atol=1e-12)
    first = np.concatenate(lw.dwt(x, "db2", MODE, axis=0))
    bands = lw.dwtn(x, ("db2", "haar"), modes)
    stacked = np.concatenate([bands["aa"], bands["da"]])
    np.testing.assert_allclose(stacked, lw.dwt(first, "haar", "symmetric", axis=1)[0], atol=1e-12)


def test_fully_separable_transforms() -> None:
    x = signal(31, 42)
    result = lw.fswavedecn(x, "db3", MODE)
    assert result.coeffs.size == x.size
    assert result.modes == [MODE, MODE] or tuple(result.modes) == (MODE, MODE)
    np.testing.assert_allclose(lw.fswaverecn(result), x, atol=1e-12)


def test_empty_batches_and_strides() -> None:
    assert [band.shape for band in lw.dwt(np.zeros((0, 21)), "db3", MODE)] == [(0, 11), (0, 10)]
    x = signal(4, 60)[::-1, ::-2]
    for band, expected in zip(lw.dwt(x, "db3", MODE), lw.dwt(x.copy(), "db3", MODE), strict=True):
        np.testing.assert_allclose(band, expected, atol=1e-13)


def test_results_do_not_share_memory_with_the_data() -> None:
    x = signal(8)
    before = x.copy()
    for band in lw.dwt(x, "haar", MODE):
        assert not np.may_share_memory(band, x)
        band[...] = 0
    np.testing.assert_array_equal(x, before)
    bands = lw.dwt(x, "haar", MODE)
    assert not any(np.may_share_memory(lw.idwt(*bands, "haar", MODE), band) for band in bands)


def test_out() -> None:
    bands, out = lw.dwt(signal(21), "db2", MODE), np.empty(21)
    assert lw.idwt(*bands, "db2", MODE, out=out) is out
    np.testing.assert_allclose(out, signal(21), atol=1e-14)


# --- adjoints and gradients ----------------------------------------------------------------------


@pytest.mark.parametrize("wavelet", SOME)
@pytest.mark.parametrize("shape", [(33,), (34,), (29, 30)])
def test_adjoint_is_inverse(wavelet: str, shape: tuple[int, ...]) -> None:
    x = signal(*shape)
    coeffs, pullback = lw.vjp(lw.wavedecn, x, wavelet, MODE)
    back = pullback(coeffs).data
    np.testing.assert_allclose(back, x, atol=1e-11)
    np.testing.assert_allclose(back, lw.waverecn(coeffs, wavelet, MODE), atol=1e-15)
    result, pullback = lw.vjp(lw.waverecn, coeffs, wavelet, MODE)
    again = pullback(result).data
    ravelled = [lw.ravel_coeffs(each)[0] for each in (again, coeffs)]
    np.testing.assert_allclose(*ravelled, atol=1e-11)


def test_adjoint_of_some_bands() -> None:
    x = signal(30)
    _, pullback = lw.vjp(lw.dwt, x, "db4", MODE)
    _, rows = bands_matrices(30, "db4")
    cotangent = signal(15)
    np.testing.assert_allclose(pullback((None, cotangent)).data, cotangent @ rows, atol=1e-13)


def test_learned_taps_of_another_axis() -> None:
    """Gradients of taps pass through axes of the mode."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(signal(20, 21))
    weights = [torch.tensor(signal(10, 11)), torch.tensor(signal(10, 10))]

    def loss(*filters: Any) -> Any:
        wavelet = (lw.FilterBank(*filters), "db3")
        modes: Any = ("periodization", MODE)
        bands = lw.wavedecn(x, wavelet, modes, level=1)
        back = lw.waverecn(bands, wavelet, modes)
        total = (back * x.flip(0)).sum()
        return total + sum(
            (bands[1][key] * w).sum() for key, w in zip(("da", "dd"), weights, strict=True)
        )

    taps = [torch.tensor(f, dtype=torch.float64) for f in pywt.Wavelet("db2").filter_bank]
    taps = [(each + 0.1).requires_grad_() for each in taps]
    assert torch.autograd.gradcheck(loss, taps)


def test_operator() -> None:
    from liftwave.operators import WaveletOperator

    operator = WaveletOperator((21, 14), "db2", MODE, level=2)
    assert operator.shape == (294, 294)
    dense = operator @ np.eye(294)
    np.testing.assert_allclose(dense.T @ dense, np.eye(294), atol=1e-13)
    np.testing.assert_allclose(operator.H @ np.eye(294), dense.T, atol=1e-13)
    np.testing.assert_allclose(operator.inverse() @ np.eye(294), dense.T, atol=1e-13)


# --- torch ---------------------------------------------------------------------------------------


def test_torch_gradients() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor(signal(2, 19, 22), requires_grad=True)

    def coefficients(x: Any) -> Any:
        return tuple(lw.dwtn(x, "db3", MODE, axes=(1, 2)).values())

    assert torch.autograd.gradcheck(coefficients, (x,))
    assert torch.autograd.gradgradcheck(coefficients, (x,))
    bands = [band.detach().requires_grad_() for band in lw.dwt(x, "sym4", MODE)]
    assert torch.autograd.gradcheck(lambda a, d: lw.idwt(a, d, "sym4", MODE), bands)
    _, tangent = torch.func.jvp(lambda x: lw.dwt(x, "db3", MODE)[1], (x.detach(),), (x.detach(),))
    torch.testing.assert_close(tangent, lw.dwt(x.detach(), "db3", MODE)[1])
    rows = torch.func.vmap(lambda row: lw.dwt(row, "db3", MODE)[0])(x[0].detach())
    torch.testing.assert_close(rows, lw.dwt(x[0].detach(), "db3", MODE)[0])


@pytest.mark.parametrize("n", [36, 37])
def test_torch_layers(n: int) -> None:
    torch = pytest.importorskip("torch")
    import liftwave.torch as lwt

    x = torch.tensor(signal(2, 3, n, 40, dtype="float32"))
    layer = lwt.DWT2d("db3", level=2, mode=MODE)
    bands = layer(x)
    torch.testing.assert_close(layer.inverse()(bands), x, atol=1e-5, rtol=0)
    expected = lw.wavedec2(x, "db3", MODE, level=2)
    torch.testing.assert_close(bands[0], expected[0])
    half = lwt.DWT1d("db3", mode=MODE)(x[:, :, :, 0].to(torch.bfloat16))
    assert half[0].dtype == torch.bfloat16
    torch.testing.assert_close(
        half[0].float(), lw.dwt(x[:, :, :, 0], "db3", MODE)[0], atol=0.1, rtol=0
    )


def test_torch_autocast(kernels: Any) -> None:
    """The ends have the precision of the data, as all other coefficients."""
    torch = pytest.importorskip("torch")
    x = torch.tensor(signal(4, 40, 41, dtype="float32"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        bands = lw.dwt2(x, "db3", MODE)
        back = lw.idwt2(bands, "db3", MODE)
        tracked = lw.dwt2(x.clone().requires_grad_(), "db3", MODE)[0]
    torch.testing.assert_close(back, x, atol=1e-5, rtol=0)
    torch.testing.assert_close(tracked.detach(), bands[0], atol=1e-5, rtol=0)


def test_torch_graphs() -> None:
    torch = pytest.importorskip("torch")
    import liftwave.torch as lwt

    layer, x = lwt.DWT1d("db3", level=2, mode=MODE), torch.tensor(signal(2, 3, 41))

    class RoundTrip(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.back = layer, layer.inverse()

        def forward(self, x: Any) -> Any:
            return self.back([2 * band for band in self.layer(x)])

    model = RoundTrip()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    for n in (41, 44, 47):  # the second length makes it dynamic
        data = torch.tensor(signal(2, 3, n), requires_grad=True)
        result = compiled(data)
        torch.testing.assert_close(result, 2 * data)
        (gradient,) = torch.autograd.grad(result.sum(), data)
        torch.testing.assert_close(gradient, torch.full_like(data, 2.0))
    exported = torch.export.export(model, (x,))
    torch.testing.assert_close(exported.module()(x), 2 * x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    import liftwave.torch as lwt

    class RoundTrip(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = lwt.DWT1d("db3", level=2, mode=MODE)
            self.back = self.layer.inverse()

        def forward(self, x: Any) -> Any:
            approx, *details = self.layer(x)
            return approx, self.back([2 * approx, *details])

    model, x = RoundTrip().eval(), torch.tensor(signal(2, 3, 41, dtype=dtype))
    program = torch.onnx.export(model, (x,), dynamo=True, verbose=False)
    session = runtime.InferenceSession(program.model_proto.SerializeToString())
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    for got, expected in zip(found, model(x), strict=True):
        np.testing.assert_allclose(got, expected.numpy(), atol=50 * eps(got))
    dynamic = ({2: torch.export.Dim("n", min=40, max=80)},)
    with pytest.raises(Exception, match="needs fixed lengths"):
        torch.onnx.export(model, (x,), dynamo=True, verbose=False, dynamic_shapes=dynamic)


# --- objects and commands ------------------------------------------------------------------------


def test_decompositions_and_files(tmp_path: Path) -> None:
    x = signal(45, 52)
    d = lw.decompose(x, "sym4", mode=MODE)
    assert d.mode == MODE
    np.testing.assert_allclose(d.reconstruct(), x, atol=1e-11)
    assert sum(np.vdot(band, band) for band in (d.to_array(),)) == pytest.approx(np.vdot(x, x))
    d.save(tmp_path / "d.npz")
    again = lw.Decomposition.load(tmp_path / "d.npz")
    assert again.mode == MODE
    np.testing.assert_array_equal(again.reconstruct(), d.reconstruct())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(d)).reconstruct(), d.reconstruct())


def test_positions_of_coefficients() -> None:
    """Impulses have their largest coefficients at their places."""
    from liftwave.decomposition.plotting import sample_positions

    n, level = 256, 3
    for wavelet in ("haar", "db4", "sym8"):
        for place in (100, 131):
            d = lw.decompose(np.eye(n)[place], wavelet, level=level, mode=MODE)
            for depth in range(1, level + 1):
                _, first = sample_positions(d.plans[0], depth)
                k = int(np.argmax(np.abs(d[depth, "d"])))
                assert abs(first + k * 2**depth - place) <= 2**depth


def test_denoising() -> None:
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 501)
    clean = np.sin(7 * t) + t
    noisy = clean + 0.1 * rng.standard_normal(501)
    result = lw.denoise(noisy, "sym6", mode=MODE)
    assert np.mean((result - clean) ** 2) < 0.3 * np.mean((noisy - clean) ** 2)
    assert lw.estimate_sigma(noisy, "sym6", mode=MODE) == pytest.approx(0.1, rel=0.2)


def test_packets() -> None:
    x = signal(3, 64)
    packets = lw.wpdec(x, "db2", MODE, level=3)
    assert packets.shape == (3, 8, 8)
    assert np.vdot(packets, packets) == pytest.approx(np.vdot(x, x))
    np.testing.assert_allclose(lw.wprec(packets, "db2", MODE), x, atol=1e-12)
    with pytest.raises(ShapeError, match="11 and 10 samples: mode 'orthogonal' splits 21 samples"):
        lw.wpdec(signal(21), "db2", MODE, level=1)
    tree = lw.WaveletPacket(signal(45), "db2", MODE, maxlevel=2)
    assert [node.data.size for node in tree.get_level(2)] == [12, 11, 11, 11]
    np.testing.assert_allclose(tree.reconstruct(update=False), signal(45), atol=1e-13)


def test_components() -> None:
    x = signal(60)
    components = lw.mra(x, "db3", transform="dwt", mode=MODE)
    np.testing.assert_allclose(np.sum(components, axis=0), x, atol=1e-12)
    gram = np.array([[np.vdot(a, b) for b in components] for a in components])
    np.testing.assert_allclose(gram - np.diag(np.diag(gram)), 0, atol=1e-12)  # they are orthogonal


def test_command_line(tmp_path: Path) -> None:
    pytest.importorskip("typer")
    from typer.testing import CliRunner

    from liftwave.cli.app import app

    x, files = signal(61, 50), [str(tmp_path / name) for name in ("x.npy", "c.npz", "y.npy")]
    np.save(files[0], x)
    for command in (
        ["decompose", *files[:2], "--wavelet", "db3", "--mode", MODE],
        ["reconstruct", *files[1:]],
    ):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    np.testing.assert_allclose(np.load(files[2]), x, atol=1e-12)


# --- errors --------------------------------------------------------------------------------------

LEARNED = "needs taps that are numbers"


def learned() -> Any:
    torch = pytest.importorskip("torch")
    return lw.FilterBank(*(torch.tensor(taps) for taps in pywt.Wavelet("db2").filter_bank))


def nearly() -> lw.FilterBank:
    filters = [np.array(taps) for taps in pywt.Wavelet("db2").filter_bank]
    filters[0][0] += 1e-7
    filters[2][-1] += 1e-7
    return lw.FilterBank(*filters)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lw.dwt(signal(30), "bior4.4", MODE), ModeError, "orthonormal .*'bior4.4'.*'sym'"),
        (lambda: lw.wavedec2(signal(30, 30), "rbio2.2", MODE), ModeError, "orthonormal"),
        (lambda: lw.idwt(signal(9), None, "bior4.4", MODE), ModeError, "orthonormal"),
        (lambda: lw.dwt(signal(30), nearly(), MODE), ModeError, r"orthonormal wavelet \(to 1e-8\)"),
        (lambda: lw.dwt(signal(30), learned(), MODE), ModeError, LEARNED),
        (lambda: lw.WaveletPacket(None, "bior4.4", MODE), ModeError, "orthonormal"),
        (
            lambda: lw.dwt(signal(30), lw.LiftingScheme.from_wavelet("db2"), MODE),
            ModeError,
            "not defined for lifting .*to_filter_bank",
        ),
        (lambda: lw.dwt(signal(3), "db2", MODE), ShapeError, "3 samples, .* at least 4 .* 4 taps"),
        (lambda: lw.dwt(signal(1), "haar", MODE), ShapeError, "1 samples, .* at least 2"),
        (lambda: lw.idwt(signal(2), signal(2), "db4", MODE), ShapeError, "has 4 samples, .* 12"),
        (lambda: lw.idwt(signal(9), signal(7), "db2", MODE), ShapeError, "got 9 and 7"),
        (lambda: lw.idwt(signal(8), signal(9), "db2", MODE), ShapeError, "got 8 and 9"),
        (lambda: lw.pad(signal(8), 2, MODE), ModeError, "pad extends signals, .*'zero'"),
        (lambda: lw.swt(signal(8), "db2", 1, mode=MODE), ModeError, "extends signals"),
        (lambda: lw.iswt([signal(8)] * 2, "db2", mode=MODE), ModeError, "'periodization' only"),
        (
            lambda: lw.denoise(signal(32), "db2", mode=MODE, transform="swt"),
            ModeError,
            "transform='swt' extends signals",
        ),
        (
            lambda: lw.denoise(signal(32), "db2", mode=MODE, transform="dtcwt"),
            LiftwaveError,
            ".",
        ),
    ],
)
def test_errors(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_too_many_levels() -> None:
    with pytest.warns(LevelWarning), pytest.raises(ShapeError, match="level 4 has 8 samples"):
        lw.wavedec(signal(64), "db5", MODE, level=4)


def test_errors_of_layers() -> None:
    pytest.importorskip("torch")
    import liftwave.torch as lwt

    with pytest.raises(ModeError, match="orthonormal"):
        lwt.DWT2d("bior4.4", mode=MODE)
    with pytest.raises(ModeError, match=LEARNED):
        lwt.DWT2d("db2", mode=MODE, learn="orthonormal")
    with pytest.raises(ModeError, match="LDWPool1d extends signals"):
        lwt.LDWPool1d("db2", mode=MODE)


def test_names_of_modes() -> None:
    assert MODE not in EXTENSION_MODES
    assert MODE not in LIFTING_MODES
    with pytest.raises(ModeError, match=r"'periodization', 'orthogonal'.* 'orthogonal'"):
        lw.dwt(signal(8), "db2", "orthogonl")  # type: ignore[arg-type]


def test_tables_that_are_not_orthonormal() -> None:
    """'dmey' is orthonormal to 0.2 %, and reconstructs as exactly as in other modes."""
    x = signal(200)
    error = np.abs(lw.idwt(*lw.dwt(x, "dmey", MODE), "dmey", MODE) - x).max()
    assert 1e-6 < error < 5e-3 * np.abs(x).max()
    assert to_numpy(x) is x
