"""Wavelet packet trees: PyWavelets' results, laziness, errors, and what differs."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import pywt
import torch
from helpers import MODES, zero_mean

import liftwave as lw
from liftwave.errors import (
    ArgumentTypeError,
    AxisError,
    DTypeError,
    LevelError,
    ModeError,
    OrderError,
    PathError,
    PathTypeError,
    ShapeError,
    WaveletError,
)

LINE, IMAGE, VOLUME = zero_mean(41), zero_mean((2, 19, 22), 1), zero_mean((9, 10, 12), 2)
TREES: dict[str, Any] = {
    "WaveletPacket": (LINE, (-1,), "axis"),
    "WaveletPacket2D": (IMAGE, ((-2, -1),), "axes"),
    "WaveletPacketND": (VOLUME, ((0, 2),), "axes"),
}
# PyWavelets cannot crop the reconstruction of n-D nodes, so there the lengths are even.
EVEN = zero_mean((8, 9, 16), 2)


def nodes_of(tree: Any, level: int) -> list[Any]:
    return [(node.path, node.level, node.node_name, node.data) for node in tree.get_level(level)]


def same(ours: Any, theirs: Any) -> None:
    assert len(ours) == len(theirs)
    for (*names, data), (*expected, values) in zip(ours, theirs, strict=True):
        assert names == expected
        np.testing.assert_allclose(data, values, atol=1e-13)


# --- PyWavelets' results -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TREES)
def test_nodes_are_those_of_pywavelets(name: str, mode: str) -> None:
    data, (axes,), keyword = TREES[name]
    options = {"mode": mode, "maxlevel": 2, keyword: axes}
    ours, theirs = (getattr(m, name)(data, "db2", **options) for m in (lw, pywt))
    for level in range(3):
        same(nodes_of(ours, level), nodes_of(theirs, level))
    assert (ours.mode, ours.axes, ours.data_size) == (theirs.mode, theirs.axes, theirs.data_size)
    assert ours.wavelet.name == theirs.wavelet.name


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["WaveletPacket", "WaveletPacket2D"])
def test_reconstructions_of_some_nodes_are_those_of_pywavelets(name: str, mode: str) -> None:
    data, (axes,), keyword = TREES[name]
    results = []
    for module in (lw, pywt):
        tree = getattr(module, name)(data, "bior2.2", mode, 2, **{keyword: axes})
        tree.get_level(2)
        del tree["ad"]
        tree["d"] = 2 * np.asarray(tree["d"].data)
        results.append(tree.reconstruct(update=False))
    np.testing.assert_allclose(*results, atol=1e-12)
    assert results[0].shape == data.shape


@pytest.mark.parametrize("name", TREES)
def test_default_modes_and_levels_are_those_of_pywavelets(name: str) -> None:
    data = zero_mean((64, 64))
    ours, theirs = getattr(lw, name)(data, "db2"), getattr(pywt, name)(data, "db2")
    assert (ours.mode, ours.maxlevel) == (theirs.mode, theirs.maxlevel)
    same(nodes_of(ours, 1), nodes_of(theirs, 1))


@pytest.mark.parametrize("level", range(5))
def test_orders_are_those_of_pywavelets(level: int) -> None:
    trees = [m.WaveletPacket(np.arange(32.0), "haar") for m in (lw, pywt)]
    for order in ("natural", "freq"):
        ours, theirs = ([n.path for n in tree.get_level(level, order)] for tree in trees)
        if level:  # PyWavelets has no frequency order of level 0
            assert ours == theirs
        else:
            assert ours == [""]


def test_rows_of_images_are_those_of_pywavelets() -> None:
    trees = [m.WaveletPacket2D(np.ones((8, 8)), "haar") for m in (lw, pywt)]
    for level in (1, 2, 3):
        ours, theirs = (
            [[n.path for n in row] for row in t.get_level(level, "freq")] for t in trees
        )
        assert ours == theirs


def test_missing_nodes_are_left_out_of_levels() -> None:
    tree = lw.WaveletPacket(LINE, "haar")
    tree.decompose()
    assert tree.get_level(2, decompose=False) == []
    tree["ad"]
    assert [n.path for n in tree.get_level(2, "freq", decompose=False)] == ["aa", "ad"]
    image = lw.WaveletPacket2D(np.ones((8, 8)), "haar")
    image["va"]
    rows = image.get_level(2, "freq", decompose=False)
    assert [[n.path for n in row] for row in rows] == [["vv", "va"], ["vd", "vh"]]


def visited(tree: Any, method: str, decompose: bool) -> list[str]:
    paths: list[str] = []

    def visit(node: Any, prefix: str, suffix: str = "") -> bool:
        paths.append(prefix + node.path + suffix)
        return not node.path.startswith("d")

    getattr(tree, method)(visit, ("<",), {"suffix": ">"}, decompose)
    return paths


@pytest.mark.parametrize("method", ["walk", "walk_depth"])
@pytest.mark.parametrize("decompose", [True, False])
def test_walks_are_those_of_pywavelets(method: str, decompose: bool) -> None:
    trees = [m.WaveletPacket(np.arange(8.0), "haar") for m in (lw, pywt)]
    for tree in trees:
        tree["ad"]
    ours, theirs = (visited(tree, method, decompose) for tree in trees)
    assert ours == theirs
    ours, theirs = ([n.path for n in tree.get_leaf_nodes(decompose)] for tree in trees)
    assert ours == theirs


# --- laziness and attributes ---------------------------------------------------------------------


def test_nodes_are_computed_when_they_are_used() -> None:
    tree = lw.WaveletPacket2D(np.ones((8, 8)), "haar", "symmetric")
    assert (tree.a, tree.h, tree.v, tree.d) == (None,) * 4
    assert not tree.has_any_subnode
    node = tree["a"]
    assert tree.a is node
    assert node.parent is tree
    assert None not in (tree.h, tree.v, tree.d)
    assert not node.has_any_subnode
    assert node.get_subnode("a", decompose=False) is None
    assert node.get_subnode("a") is node.a
    line = lw.WaveletPacket(LINE, "haar")
    assert (line.a, line.d) == (None, None)
    approx, detail = line.decompose()
    assert (line.a, line.d) == (approx, detail)
    assert lw.WaveletPacketND(VOLUME, "haar").PARTS["add"] is None


def test_data_are_kept_as_they_are() -> None:
    values = [1, 2, 3, 4]
    tree = lw.WaveletPacket(values, "haar")
    assert tree.data is values
    assert str(tree) == ": [1, 2, 3, 4]"
    assert tree["a"].data.dtype == np.float64
    tree["a"] = np.ones(2, np.float16)
    assert tree["a"].data.dtype == np.float32
    tree["a"] = np.ones(2, np.complex64)
    assert tree["a"].data.dtype == np.complex64
    tree["d"] = tree["a"]
    assert tree["d"].data is tree["a"].data


def test_paths_of_several_axes() -> None:
    tree = lw.WaveletPacketND(np.ones((8, 8, 8)), "haar", axes=(0, 1))
    node = tree["ad", "dd"]
    assert (node.path, node.path_tuple, node.node_name) == ("addd", ("ad", "dd"), "dd")
    assert (node.level, node.maxlevel, node.ndim, node.ndim_transform) == (2, 3, 3, 2)
    assert lw.WaveletPacket2D(np.ones((8, 8)), "haar").expand_2d_path("ahvd") == ("lhlh", "llhh")


# --- what differs from PyWavelets ----------------------------------------------------------------


@pytest.mark.parametrize("name", TREES)
def test_pickles_and_copies_have_changed_coefficients_and_the_axis(name: str) -> None:
    """PyWavelets computes the nodes again from the data, along the default axis."""
    keyword = TREES[name][2]
    axes = 0 if keyword == "axis" else (1, 0)
    tree = getattr(lw, name)(np.arange(48.0).reshape(8, 6), "haar", **{keyword: axes})
    first = next(iter(tree.PARTS))
    tree[first].data = 7 * tree[first].data
    for twin in (pickle.loads(pickle.dumps(tree)), copy.deepcopy(tree)):
        assert type(twin) is type(tree)
        assert (twin.axes, twin.maxlevel, twin.wavelet.name) == (axes, tree.maxlevel, "haar")
        np.testing.assert_array_equal(twin[first].data, tree[first].data)
        np.testing.assert_array_equal(twin.reconstruct(False), tree.reconstruct(False))
        assert twin[first].parent is twin


def test_batch_axes_do_not_limit_the_level() -> None:
    """PyWavelets looks at the shortest axis, even if it is not transformed."""
    tree = lw.WaveletPacket(None, "haar")
    tree["a"] = np.ones((2, 16))
    assert tree.maxlevel == 5
    image = lw.WaveletPacket2D(None, "haar")
    image["a"] = np.ones((1, 16, 16))
    assert image.maxlevel == 5
    volume = lw.WaveletPacketND(None, "haar", axes=(0, 1))
    volume["aa"] = np.ones((16, 16, 1))
    assert volume.maxlevel == 5
    assert len(volume.get_level(2, decompose=True)) == 4


def test_a_missing_node_is_computed_without_a_change_of_its_siblings() -> None:
    """PyWavelets computes all siblings again, and forgets their coefficients and subnodes."""
    tree = lw.WaveletPacket(np.arange(8.0), "haar")
    tree["aa"].data = 5 * tree["aa"].data
    del tree["d"]
    before = tree["aa"].data
    assert tree["d"].data.tolist() == lw.dwt(np.arange(8.0), "haar")[1].tolist()
    assert tree["aa"].data is before
    tree.decompose()
    assert not tree["a"].has_any_subnode


@pytest.mark.parametrize("mode", MODES)
def test_n_d_trees_of_odd_lengths_reconstruct(mode: str) -> None:
    """PyWavelets raises for odd lengths."""
    tree = lw.WaveletPacketND(VOLUME, "db2", mode, maxlevel=2, axes=(0, 2))
    tree.get_level(2)
    np.testing.assert_allclose(tree.reconstruct(), VOLUME, atol=1e-12)


def test_reconstructions_of_even_n_d_trees_are_those_of_pywavelets() -> None:
    results = []
    for module in (lw, pywt):
        tree = module.WaveletPacketND(EVEN, "haar", maxlevel=2, axes=(0, 2))
        tree.get_level(2)
        del tree["adda"]
        results.append(tree.reconstruct(False))
    np.testing.assert_allclose(*results, atol=1e-12)


def test_empty_trees_can_be_walked() -> None:
    """PyWavelets compares levels with None."""
    tree = lw.WaveletPacket(None, "haar")
    assert tree.maxlevel is None
    assert [n.path for n in tree.get_leaf_nodes()] == [""]
    assert tree.get_level(0) == [tree]
    assert tree.reconstruct() is None
    approx, detail = tree.decompose()
    assert approx.is_empty
    assert detail.is_empty
    with pytest.raises(ShapeError, match="cannot reconstruct node '': its subnodes have no data"):
        tree.reconstruct()


# --- wavelets and arrays of other kinds ----------------------------------------------------------

SCHEME = lw.LiftingScheme.from_name("cdf5.3")


@pytest.mark.parametrize("wavelet", [SCHEME, lw.FilterBank(*pywt.Wavelet("db3").filter_bank)])
def test_schemes_and_filter_banks_are_wavelets(wavelet: Any) -> None:
    tree = lw.WaveletPacket(LINE, wavelet, "symmetric")
    nodes = tree.get_level(3)
    assert len(nodes) == 8
    expected = lw.dwt(lw.dwt(lw.dwt(LINE, wavelet)[0], wavelet)[1], wavelet)[0]
    np.testing.assert_array_equal(tree["ada"].data, expected)
    np.testing.assert_allclose(tree.reconstruct(), LINE, atol=1e-12)


def test_integer_trees_are_lossless() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (13, 18), np.uint8)
    tree = lw.WaveletPacket2D(pixels, SCHEME.to_integer(), "symmetric", 2)
    tree["aa"] = tree["aa"].data
    for node in tree.get_level(2):
        assert node.data.dtype.kind == "i"
    np.testing.assert_array_equal(tree.reconstruct(), pixels)


def test_a_wavelet_and_a_mode_for_each_axis() -> None:
    tree = lw.WaveletPacketND(VOLUME, ("haar", "db2"), ("zero", "periodic"), axes=(0, 2))
    assert [w.name for w in tree.wavelet] == ["haar", "db2"]
    assert tree.maxlevel == 2
    bands = lw.dwtn(VOLUME, ("haar", "db2"), ("zero", "periodic"), (0, 2))
    np.testing.assert_array_equal(tree["da"].data, bands["da"])


def test_tensors_have_gradients() -> None:
    x = torch.randn(3, 24, dtype=torch.float64, requires_grad=True)

    def energy(x: torch.Tensor) -> torch.Tensor:
        tree = lw.WaveletPacket(x, "db2")
        tree["ad"].data = 2 * tree["ad"].data
        tree["d"] = tree["d"].data ** 2
        result: torch.Tensor = tree.reconstruct()
        return result

    assert torch.autograd.gradcheck(energy, x)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t["ac"], PathError, r"Subnode name must be in \['a', 'd'\], not 'c'"),
        (lambda t: t["aaaa"], PathError, "'aaaa' below node '' is deeper than the 3 levels"),
        (lambda t: t["a"]["aaa"], PathError, "'aaa' below node 'a' is deeper than the 3 levels"),
        (lambda t: t[5], PathTypeError, "expected text or a tuple of texts, got 5"),
        (lambda t: t[5, 3], PathTypeError, r"got \(5, 3\)"),
        (lambda t: t.__setitem__("aaaa", 1), PathError, "deeper than the 3 levels"),
        (lambda t: t.__setitem__(5, 1), PathTypeError, "got 5"),
        (lambda t: t.__setitem__("a", None), DTypeError, "there are no data"),
        (lambda t: t.get_subnode("x"), PathError, "not 'x'"),
        (lambda t: t.get_subnode(None), PathError, "not None"),
        (lambda t: t["aaa"].decompose(), LevelError, "Maximum decomposition level reached: node"),
        (lambda t: t.get_level(4), LevelError, r"cannot be greater .* \(3\), got 4"),
        (lambda t: t.get_level(-1), LevelError, "too low"),
        (lambda t: t.get_level(2, "graycode"), OrderError, "order: 'graycode'; use one of 'nat"),
        (lambda t: t.walk(5), ArgumentTypeError, "a function of a node, got 5"),
        (lambda t: t.walk_depth(None), ArgumentTypeError, "a function of a node, got None"),
        (lambda t: t.walk(str, 5), ArgumentTypeError, "args must be a sequence .* got 5 and None"),
        (lambda t: t.walk_depth(str, (), 5), ArgumentTypeError, r"got \(\) and 5"),
    ],
)
def test_errors_name_the_argument(call: Any, error: type[Exception], message: str) -> None:
    tree = lw.WaveletPacket(np.arange(8.0), "haar")
    with pytest.raises(error, match=message):
        call(tree)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: lw.WaveletPacket(LINE, "haar", axis=1), AxisError),
        (lambda: lw.WaveletPacket(LINE, "nothing"), WaveletError),
        (lambda: lw.WaveletPacket(LINE, "haar", "nothing"), ModeError),
        (lambda: lw.WaveletPacket(LINE, SCHEME, "smooth"), ModeError),
        (lambda: lw.WaveletPacket(None, "haar", "nothing"), ModeError),
        (lambda: lw.WaveletPacket(LINE, "haar", maxlevel=-1), LevelError),
        (lambda: lw.WaveletPacket(LINE, "haar", maxlevel="all"), LevelError),
        (lambda: lw.WaveletPacket("text", "haar"), DTypeError),
        (lambda: lw.WaveletPacket(np.float64(1.0), "haar"), AxisError),
        (lambda: lw.WaveletPacket2D(LINE, "haar"), ShapeError),
        (lambda: lw.WaveletPacket2D(IMAGE, "haar", axes=(0, 0)), AxisError),
        (lambda: lw.WaveletPacket2D(IMAGE, "haar", axes=(1, -2)), AxisError),
        (lambda: lw.WaveletPacket2D(IMAGE, "haar", axes=(0, 1, 2)), AxisError),
        (lambda: lw.WaveletPacket2D(IMAGE, "haar", axes=0), AxisError),
        (lambda: lw.WaveletPacketND(None, "haar"), ShapeError),
        (lambda: lw.WaveletPacketND(1.0, "haar"), ShapeError),
        (lambda: lw.WaveletPacketND(VOLUME, "haar", axes=()), AxisError),
        (lambda: lw.WaveletPacketND(VOLUME, "haar", axes=(0, 7)), AxisError),
        (lambda: lw.BaseNode("parent", None, ""), ArgumentTypeError),
        (lambda: lw.Node(None, LINE, 5), PathTypeError),
    ],
)
def test_arguments_are_checked_before_any_work(call: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_nodes_without_data_above_cannot_be_computed() -> None:
    tree = lw.WaveletPacket(None, "haar", maxlevel=3)
    tree["aa"] = np.ones(4)
    with pytest.raises(PathTypeError, match="node 'ad' does not exist, and cannot be computed"):
        tree["ad"]
    del tree["aa"]
    with pytest.raises(TypeError):
        tree["aa"]
