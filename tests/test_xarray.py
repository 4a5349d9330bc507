"""The accessor of xarray: bands, coordinates, attributes, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import zero_mean

import liftwave as lw
from liftwave.errors import AxisError, AxisTypeError, BandError, ShapeError

xr = pytest.importorskip("xarray", reason="xarray is not installed")
import liftwave.xarray  # noqa: E402  (registers the accessor)

DAYS = np.arange("2001-03-01", "2001-04-10", dtype="datetime64[D]").astype("datetime64[ns]")
SCHEME = lw.LiftingScheme.from_name("cdf9.7")


pytestmark = pytest.mark.filterwarnings("ignore::liftwave.errors.LevelWarning")


def field() -> xr.DataArray:
    """Temperatures at two places and 40 days, with coordinates of many kinds."""
    return xr.DataArray(
        zero_mean((2, 40), 3),
        dims=("place", "time"),
        coords={
            "place": ["here", "there"],
            "time": ("time", DAYS, {"calendar": "ours"}),
            "height": ("place", [2.0, 10.0]),
            "month": ("time", DAYS.astype("datetime64[M]").astype(int) % 12 + 1),
            "flags": (("place", "time"), np.arange(80).reshape(2, 40)),
            "model": "A",
        },
        name="temperature",
        attrs={"units": "K"},
    )


def image() -> xr.DataArray:
    y, x = 10.0 - 0.5 * np.arange(24), np.arange(30) ** 2
    return xr.DataArray(zero_mean((24, 30), 5), {"y": y, "x": x}, ("y", "x"))


# --- bands ---------------------------------------------------------------------------------------


def test_nodes_are_bands() -> None:
    tree = field().wavelet.decompose("db2", level=3, dim="time")
    d = lw.decompose(field().values, "db2", 3, axes=1)
    leaves = [node.path for node in tree.leaves]
    assert leaves == ["/signal", "/level_3/a", "/level_3/d", "/level_2/d", "/level_1/d"]
    for (level, key), band in d.items():
        variable = tree[f"level_{level}/{key}/temperature"]
        np.testing.assert_array_equal(variable.values, band)
        assert variable.dims == ("place", "time")
        assert variable.attrs == {"units": "K"}
        assert variable.values.flags.writeable


def test_bands_of_images() -> None:
    tree = image().wavelet.decompose("haar", level=2)
    d = lw.decompose(image().values, "haar", 2)
    for (level, key), band in d.items():
        np.testing.assert_array_equal(tree[f"level_{level}/{key}/data"].values, band)


def test_coordinates_of_other_dimensions_stay() -> None:
    band = field().wavelet.decompose("db2", level=1, dim="time")["level_1/d/temperature"]
    for name in ("place", "height", "model"):
        np.testing.assert_array_equal(band[name], field()[name])
    assert {*band.coords} == {"place", "height", "model", "time"}


# --- coordinates ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
@pytest.mark.parametrize("wavelet", ["haar", "db4", "bior4.4", SCHEME])
def test_spikes_are_at_their_time_on_all_levels(wavelet: object, mode: str) -> None:
    """On average over all positions of a spike, weighted by the energy of coefficients."""
    time = 5.0 + 0.25 * np.arange(512)
    spikes = xr.DataArray(np.eye(512)[250:258], {"time": time}, ("spike", "time"), name="x")
    places = xr.DataArray(time[250:258], dims="spike")
    tree = spikes.wavelet.decompose(wavelet, 3, mode, dim="time")
    for node in tree.leaves[1:]:
        energy = node["x"] ** 2
        offset = float((energy * (node["x"].time - places)).sum() / energy.sum())
        assert abs(offset) < 1e-9, node.path


def test_times_are_interpolated_and_continue_beyond_the_ends() -> None:
    x = xr.DataArray(np.zeros(40), {"time": ("time", DAYS, {"calendar": "ours"})}, name="x")
    time = x.wavelet.decompose("haar", level=2)["level_2/a/x"].time
    assert time.attrs == {"calendar": "ours"}
    # The four samples of a coefficient have the same weights.
    np.testing.assert_array_equal(time, DAYS[::4] + np.timedelta64(36, "h"))
    longer = x.wavelet.decompose("db4", level=1)["level_1/a/x"].time
    assert longer.size == 23
    steps = np.diff(longer.values) - np.timedelta64(2, "D")
    assert np.abs(steps).max() <= np.timedelta64(1, "ns")
    assert longer.values[0] < DAYS[0]
    assert longer.values[-1] > DAYS[-1]


def test_steps_that_are_not_equal() -> None:
    x = xr.DataArray(np.zeros(6), {"x": [0, 1, 3, 6, 10, 15]}, ("x",))
    positions = x.wavelet.decompose("haar", level=1)["level_1/d/data"].x
    np.testing.assert_array_equal(positions, [0.5, 4.5, 12.5])


@pytest.mark.parametrize("coords", [{}, {"x": list("abcdef")}])
def test_without_numbers_the_coordinates_are_positions(coords: dict[str, object]) -> None:
    x = xr.DataArray(np.arange(6.0), coords, ("x",))
    tree = x.wavelet.decompose("haar", level=1)
    np.testing.assert_array_equal(tree["level_1/d/data"].x, [0.5, 2.5, 4.5])
    xr.testing.assert_allclose(tree.wavelet.reconstruct(), x)


# --- back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["symmetric", "periodization", "zero"])
@pytest.mark.parametrize("dim", ["time", "place", None, ("time", "place")])
@pytest.mark.parametrize("wavelet", ["db2", SCHEME])
def test_round_trips(wavelet: object, dim: object, mode: str) -> None:
    x = field()
    back = x.wavelet.decompose(wavelet, level=1, mode=mode, dim=dim).wavelet.reconstruct()
    xr.testing.assert_allclose(back, x)
    assert back.attrs == x.attrs
    assert back.name == x.name
    assert {*back.coords} == {*x.coords}
    assert back.time.attrs == x.time.attrs


def test_integers_come_back_exactly() -> None:
    x = xr.DataArray(np.arange(49, dtype="uint8").reshape(7, 7) * 5, dims=("y", "x"))
    scheme = lw.LiftingScheme.from_name("cdf5.3").to_integer()
    xr.testing.assert_identical(x.wavelet.decompose(scheme, 2).wavelet.reconstruct(), x)


def test_no_levels_and_no_other_samples() -> None:
    x = field()
    xr.testing.assert_identical(x.wavelet.decompose("db2", 0).wavelet.reconstruct(), x)
    one = x.isel(time=[3])
    back = one.wavelet.decompose("haar", 1, dim="time").wavelet.reconstruct()
    xr.testing.assert_allclose(back, one)


def test_changed_and_selected_coefficients() -> None:
    x = field()
    tree = x.wavelet.decompose("db2", level=2, dim="time")
    tree["level_1/d/temperature"] *= 0
    expected = lw.decompose(x.values, "db2", 2, axes=1).replace({(1, "d"): np.zeros((2, 21))})
    back = tree.wavelet.reconstruct()
    np.testing.assert_allclose(back.values, expected.reconstruct(), atol=1e-12)
    doubled = xr.map_over_datasets(lambda node: 2 * node, tree).wavelet.reconstruct()
    np.testing.assert_allclose(doubled.values, 2 * back.values, atol=1e-12)
    there = tree.sel(place="there").wavelet.reconstruct()
    assert there.dims == ("time",)
    np.testing.assert_allclose(there.values, back.values[1], atol=1e-12)
    turned = tree.copy()
    for node in turned.leaves[2:]:  # all but the approximation
        node["temperature"] = node["temperature"].transpose("time", "place")
    np.testing.assert_allclose(turned.wavelet.reconstruct().values, back.values, atol=1e-12)


def test_learned_filters_are_stored_as_numbers() -> None:
    bank = lw.FilterBank(*lw.Wavelet("db3").filter_bank, name="own")
    tree = image().wavelet.decompose(bank, 1)
    xr.testing.assert_allclose(tree.wavelet.reconstruct(), image())


def test_trees_of_files(tmp_path: Path) -> None:
    pytest.importorskip("zarr", reason="zarr is not installed")
    x, store = image(), tmp_path / "tree.zarr"
    x.wavelet.decompose(SCHEME, 1, "reflect").to_zarr(store, consolidated=False)
    with xr.open_datatree(store, engine="zarr", consolidated=False) as tree:
        xr.testing.assert_allclose(tree.load().wavelet.reconstruct(), x)


# --- errors --------------------------------------------------------------------------------------


def test_dimensions_that_do_not_exist() -> None:
    for dim, error, message in (
        ("day", AxisError, "dim='day' is not a dimension of the array, which has 'place', 'time'"),
        (["time", "time"], AxisError, "axes"),
        (3, AxisTypeError, "dim must be the name of a dimension"),
    ):
        with pytest.raises(error, match=message):
            field().wavelet.decompose("haar", dim=dim)


def test_trees_that_are_not_complete() -> None:
    tree = image().wavelet.decompose("haar", level=2)
    with pytest.raises(ShapeError, match=r"level_2/aa/data must have y: 6, x: 8, got y: 6, x: 3"):
        tree.isel(x=slice(3)).wavelet.reconstruct()
    with pytest.raises(BandError, match="the tree has no band 'level_2/ad/data'"):
        tree.filter(lambda node: node.name != "ad").wavelet.reconstruct()
    with pytest.raises(BandError, match=r"needs the node 'signal'.*this tree has the nodes none"):
        xr.DataTree().wavelet.reconstruct()


def test_arrays_of_chunks() -> None:
    """They are computed later, with the results of arrays in memory."""
    pytest.importorskip("dask", reason="dask is not installed")
    whole = image()
    tree = whole.chunk(x=10).wavelet.decompose("db2", level=2)
    for node, expected in whole.wavelet.decompose("db2", level=2).to_dict().items():
        for name in expected.data_vars:
            assert tree[node][name].chunks is not None
            xr.testing.assert_identical(tree[node][name].compute(), expected[name])
    again = tree.wavelet.reconstruct()
    assert again.chunks is not None
    xr.testing.assert_allclose(again.compute(), whole)
    xr.testing.assert_allclose(tree.compute().wavelet.reconstruct(), whole)
