"""The dtype of the coefficients of an integer transform."""

import numpy as np
import pytest

import liftwave as lw
from liftwave._arrays.integers import integer_gain, integer_peak
from liftwave._plan.boundary import LIFTING_MODES
from liftwave.errors import (
    ArgumentTypeError,
    DTypeError,
    IntegerRangeWarning,
    OptionError,
    WaveletError,
)
from liftwave.lifting import LiftingScheme, LiftingStep
from liftwave.wavelets.lifting.fixed_point import fixed_point

NAMES = ["haar", "cdf5.3", "cdf9.7", "bior1.5", "bior3.7", "bior5.5", "rbio2.6", "db3", "sym8"]
RULE = {
    "int8": "int16",
    "uint8": "int16",
    "int16": "int32",
    "uint16": "int32",
    "int32": "int64",
    "uint32": "int64",
}


def integer(name):
    return lw.LiftingScheme.from_name(name).to_integer()


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", NAMES)
def test_gain_bounds_the_worst_signals(name, mode):
    """Signals with the signs of each row attain the row's sum. The bound holds, and is at most the
    linear transform's largest row plus the largest rounding error."""
    scheme, largest, n = integer(name), 127, 41
    linear = lw.LiftingScheme(scheme.steps, scheme.scale, shift=scheme.shift)
    rows = np.concatenate(lw.dwt(np.eye(n), linear, mode, axis=0))
    signals = np.where(rows < 0, -largest, largest).astype(np.int64)
    peak = max(np.abs(band).max() for band in lw.dwt(signals, scheme, mode))
    bound = integer_gain(((scheme, mode),), 1) * largest
    assert peak <= bound
    assert bound <= np.abs(rows).sum(axis=1).max() * largest * 1.6 + len(scheme.steps) * 4


@pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")
@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16"])
def test_no_coefficient_wraps(dtype, level):
    info, rng = np.iinfo(dtype), np.random.default_rng(3)
    for name in NAMES:
        x = rng.choice(np.array([info.min, info.max], dtype=dtype), size=(24, 40))
        narrow = lw.decompose(x, integer(name), level, "reflect")
        wide = lw.decompose(x.astype(np.int64), integer(name), level, "reflect")
        for which, band in narrow.bands.items():
            np.testing.assert_array_equal(band.astype(np.int64), wide.bands[which])


@pytest.mark.parametrize(("given", "expected"), RULE.items())
def test_one_level_of_jpeg_2000_takes_the_next_wider_dtype(given, expected):
    cA, cD = lw.dwt(np.zeros(8, dtype=given), integer("cdf5.3"), "reflect")
    assert cA.dtype == cD.dtype == np.dtype(expected)


@pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")
def test_many_levels_take_a_still_wider_dtype_where_the_next_one_may_not_do():
    x = np.zeros((512, 512), dtype=np.uint8)
    scheme = integer("cdf5.3")
    assert lw.decompose(x, scheme, 5, "reflect").approx.dtype == np.int16
    assert lw.decompose(x, scheme, 7, "reflect").approx.dtype == np.int32


@pytest.mark.parametrize(("given", "expected"), [("uint8", np.int32), ("int8", np.int16)])
def test_unsigned_samples_are_twice_as_large(given, expected):
    """Seven levels multiply by up to 130.7: 255 of these need more than 15 bits, 128 do not."""
    scheme = integer("haar")
    assert lw.wavedec(np.zeros(1024, given), scheme, "reflect", level=7)[0].dtype == expected


def test_int64_warns_only_where_values_overflow():
    scheme = integer("cdf5.3")
    x = np.arange(-50, 50, dtype=np.int64)
    lw.dwt(x, scheme, "reflect")
    huge = x << 56
    with pytest.warns(IntegerRangeWarning, match=r"overflow int64 and are computed modulo 2\*\*64"):
        bands = lw.dwt(huge, scheme, "reflect")
    np.testing.assert_array_equal(lw.idwt(*bands, scheme, "reflect"), huge)


# --- the dtype that a caller asks for ------------------------------------------------------------


def leaves(tree):
    if isinstance(tree, dict):
        tree = [tree[key] for key in sorted(tree)]
    return (
        [leaf for part in tree for leaf in leaves(part)]
        if isinstance(tree, list | tuple)
        else [tree]
    )


FORWARD = {
    "dwt": lambda x, s, **given: lw.dwt(x, s, "reflect", **given),
    "dwt2": lambda x, s, **given: lw.dwt2(x, s, "zero", **given),
    "dwtn": lambda x, s, **given: lw.dwtn(x, s, "periodization", axes=(1, 0), **given),
    "wavedec": lambda x, s, **given: lw.wavedec(x, s, "reflect", 2, axis=0, **given),
    "wavedec2": lambda x, s, **given: lw.wavedec2(x, s, "symmetric", 2, **given),
    "wavedecn": lambda x, s, **given: lw.wavedecn(x, s, "reflect", 2, **given),
}


@pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")
@pytest.mark.parametrize("dtype", ["int16", np.int32, np.dtype("int64")])
@pytest.mark.parametrize("name", FORWARD)
def test_coefficients_of_a_requested_dtype(name, dtype, kernels):
    """The same integers, also in ``out``, from samples of every dtype; and an exact inverse."""
    rng, forward, kind = np.random.default_rng(5), FORWARD[name], np.dtype(dtype)
    for given in (*RULE, "int64"):
        x = rng.integers(0, 100, (21, 34)).astype(given)
        expected = leaves(forward(x.astype("int64"), integer("cdf9.7")))
        bands = forward(x, integer("cdf9.7"), dtype=dtype)
        out = forward(np.zeros_like(x), integer("cdf9.7"), dtype=dtype)
        assert forward(x, integer("cdf9.7"), out=out) is out
        for band, other, wide in zip(*map(leaves, (bands, out)), expected, strict=True):
            assert band.dtype == other.dtype == kind
            np.testing.assert_array_equal(band, wide)
            np.testing.assert_array_equal(other, wide)
        assert forward(x, integer("cdf9.7"), dtype=dtype, out=out) is out


def test_a_decomposition_in_a_requested_dtype():
    x = np.random.default_rng(0).integers(0, 500, (30, 41)).astype("uint16")
    d = lw.decompose(x, integer("cdf5.3"), 2, "reflect", dtype="int16")
    assert {band.dtype for band in d.bands.values()} == {np.dtype("int16")}
    assert d.reconstruct().dtype == np.uint16
    np.testing.assert_array_equal(d.reconstruct(), x)
    assert lw.decompose(2 * x, integer("cdf5.3"), 2, "reflect", out=d) is d
    np.testing.assert_array_equal(d.reconstruct(), 2 * x)


def test_tensors_in_a_requested_dtype():
    torch = pytest.importorskip("torch")
    for given in (torch.int16, torch.uint16, torch.uint8, torch.int32):
        x = torch.arange(60).reshape(4, 15).to(given)
        cA, cD = lw.dwt(x, integer("cdf5.3"), "reflect", dtype=torch.int16)
        assert cA.dtype == cD.dtype == torch.int16
        assert torch.equal(lw.idwt(cA, cD, integer("cdf5.3"), "reflect"), x.to(torch.int16))


@pytest.mark.parametrize("largest", [8159, -8159, 8160, -8160])
def test_samples_that_a_requested_dtype_may_not_hold(largest):
    """``8159 * 4.0158`` fits 15 bits, ``8160 * 4.0158`` does not."""
    x = np.zeros((20, 30), "int16")
    x[7, 9] = largest
    before, out = x.copy(), lw.dwt2(np.zeros_like(x), integer("cdf5.3"), "reflect", dtype="int16")
    calls = (
        lambda: lw.dwt2(x, integer("cdf5.3"), "reflect", dtype="int16"),
        lambda: lw.dwt2(x, integer("cdf5.3"), "reflect", out=out),
    )
    for call in calls:
        if abs(largest) == 8159:
            call()
            continue
        with pytest.raises(DTypeError, match=r"samples up to 8160 can grow by 4\.02\. Use a wider"):
            call()
        assert not any(band.any() for band in leaves(out))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("mode", LIFTING_MODES)
@pytest.mark.parametrize("name", [*NAMES, "sym18"])
def test_peak_bounds_the_numbers_between_the_steps(name, mode):
    """The bands of the first steps alone, of signals that attain their row sums."""
    scheme, largest, n = integer(name), 127, 41
    bound = integer_peak(((scheme, mode),), 1) * largest
    peaks = []
    for k in range(1, len(scheme.steps) + 1):
        linear = lw.LiftingScheme(scheme.steps[:k])
        rows = np.concatenate(lw.dwt(np.eye(n), linear, mode, axis=0))
        signals = np.where(rows < 0, -largest, largest).astype(np.int64)
        bands = lw.dwt(signals, lw.LiftingScheme(scheme.steps[:k], integer=True), mode)
        peaks.append(max(int(np.abs(band).max()) for band in bands))
    assert max(peaks) <= bound <= 1.5 * max(peaks) + 4 * len(scheme.steps)


@pytest.mark.parametrize(
    ("dtype", "message"),
    [
        ("int8", "must be int16, int32 or int64, got 'int8'"),
        ("uint16", "must be int16, int32 or int64, got 'uint16'"),
        (np.float32, "must be int16, int32 or int64"),
        (3, "must be int16, int32 or int64, got 3"),
    ],
)
def test_dtypes_that_coefficients_do_not_have(dtype, message):
    with pytest.raises(DTypeError, match=message):
        lw.dwt(np.arange(8), integer("haar"), "zero", dtype=dtype)


def test_requests_without_an_integer_transform():
    with pytest.raises(OptionError, match="only for integer lifting schemes"):
        lw.dwt(np.arange(8.0), "haar", dtype="int16")
    with pytest.raises(OptionError, match="needs at least one level"):
        lw.wavedec(np.arange(8), integer("haar"), "zero", 0, dtype="int16")
    with pytest.raises(ArgumentTypeError, match="vjp does not support dtype= of dwt"):
        lw.vjp(lw.dwt, np.arange(8.0), "haar", dtype="int16")
    da = pytest.importorskip("dask.array")
    import liftwave.dask  # noqa: F401

    with pytest.raises(OptionError, match="dtype= does not support arrays of dask"):
        lw.dwt(da.arange(8, chunks=4), integer("haar"), "zero", dtype="int16")


def test_coefficients_of_int8_give_int8():
    """int16 is used, because compiled kernels write no int8."""
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    x = np.arange(-20, 21, dtype="int8")
    cA, cD = (band.astype("int8") for band in lw.dwt(x, scheme, "symmetric"))
    back = lw.idwt(cA, cD, scheme, "symmetric")
    assert back.dtype == np.int8
    np.testing.assert_array_equal(back, x)
    out = np.empty_like(x)
    assert lw.idwt(cA, cD, scheme, "symmetric", out=out) is out
    np.testing.assert_array_equal(out, x)


@pytest.mark.parametrize("tap", [2.0**62, -(2.0**63), 2.0**70 + 2.0**20, 1.7e308])
def test_taps_that_do_not_fit_64_bits(tap: float) -> None:
    steps = [LiftingStep("predict", [0.5, tap])]
    for make in (
        LiftingScheme(steps).to_integer,
        lambda: LiftingScheme(steps, integer=True),
        lambda: fixed_point(steps[0]),
    ):
        with pytest.raises(WaveletError, match="too large for an integer scheme"):
            make()
    largest = LiftingStep("predict", [2.0**61])
    assert fixed_point(largest) == ((2**62,), 1)
    assert LiftingScheme([largest], integer=True).integer


@pytest.mark.parametrize("shift", [(2**70, 0), (0, -10_001)])
def test_shifts_too_large_for_integers(shift: tuple[int, int]) -> None:
    """Shifts of floating-point schemes have no limit: they are taken modulo the length."""
    steps = [LiftingStep("predict", [0.5])]
    scheme = LiftingScheme(steps, shift=shift)
    for make in (scheme.to_integer, lambda: LiftingScheme(steps, shift=shift, integer=True)):
        with pytest.raises(WaveletError, match="shifts of an integer scheme must be from -10000"):
            make()
    modulo = LiftingScheme(steps, shift=(shift[0] % 8, shift[1] % 8))
    x = np.arange(16.0)
    for band, wanted in zip(lw.dwt(x, scheme), lw.dwt(x, modulo), strict=True):
        np.testing.assert_array_equal(band, wanted)


@pytest.mark.parametrize(
    ("taps", "offset"), [([1.0], 10**9), ([1.0], -(10**9)), ([1.0, 1.0], 100_000), ([1.0], 2**70)]
)
def test_sources_too_far_away(taps: list[float], offset: int) -> None:
    with pytest.raises(WaveletError, match="offset must keep them between -100000 and 100000"):
        LiftingStep("predict", taps, offset)
    farthest = LiftingStep("predict", [1.0, 2.0], 99_999)
    assert farthest.adjoint() == LiftingStep("update", [2.0, 1.0], -100_000)
