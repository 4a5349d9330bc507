"""Wavelet packets as arrays: equal to the nodes of trees, invertible, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np
import pytest
import pywt
import torch
from helpers import LIFTING_MODES, MODES, zero_mean

import liftwave as lw
from liftwave._operations.operation import parse
from liftwave.errors import (
    CoefficientsError,
    DTypeError,
    LevelError,
    LevelWarning,
    OptionError,
    OptionTypeError,
    OrderError,
    PathError,
    PathTypeError,
    ScaleError,
    ShapeError,
    WaveletError,
)
from liftwave.packets import calls

LINE, BATCH = zero_mean(43), zero_mean((2, 37), 1)
IMAGE, VOLUME = zero_mean((2, 19, 22, 3), 2), zero_mean((9, 10, 12), 3)
TREE = lw.PacketTree(["a", "da", "dda", "ddd"])
SCHEME = lw.LiftingScheme.from_name("cdf9.7")

pytestmark = pytest.mark.filterwarnings("ignore:Level value of")


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["natural", "freq"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db3", "bior2.2"])
def test_packets_are_the_nodes_of_pywavelets(wavelet: str, mode: str, order: str) -> None:
    tree = pywt.WaveletPacket(BATCH, wavelet, mode, maxlevel=3)
    levels = lw.wpdec(BATCH, wavelet, mode, 3, order=order, full=True)
    assert [x.shape[1] for x in levels] == [1, 2, 4, 8]
    for level in (1, 2, 3):
        expected = np.stack([node.data for node in tree.get_level(level, order)], axis=1)
        np.testing.assert_allclose(levels[level], expected, atol=1e-13)
    np.testing.assert_array_equal(levels[0][:, 0], BATCH)
    np.testing.assert_array_equal(lw.wpdec(BATCH, wavelet, mode, 3, order=order), levels[3])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [1, 2, 7, 16, 37])
def test_data_are_reconstructed(n: int, mode: str) -> None:
    x = zero_mean((3, n + 1))[:, :n]
    for wavelet in ("haar", "db2", "rbio1.3"):
        try:
            packets = lw.wpdec(x, wavelet, mode, 3)
        except ShapeError:  # one sample cannot be reflected
            assert mode in ("reflect", "antireflect")
            continue
        for shape in (x.shape, list(x.shape), n):
            np.testing.assert_allclose(lw.wprec(packets, wavelet, mode, shape=shape), x, atol=1e-12)
        leaves = lw.wpdec(x, wavelet, mode, tree=TREE)
        rebuilt = lw.wprec(leaves, wavelet, mode, shape=x.shape, tree=TREE)
        np.testing.assert_allclose(rebuilt, x, atol=1e-12)


def test_default_lengths_are_the_largest() -> None:
    for mode in MODES:
        packets = lw.wpdec(zero_mean((2, 32)), "db2", mode, 2)
        rebuilt = lw.wprec(packets, "db2", mode)
        assert rebuilt.shape == (2, 32 if mode == "periodization" else 34)
        np.testing.assert_allclose(rebuilt[:, :32], zero_mean((2, 32)), atol=1e-12, err_msg=mode)


def test_leaves_are_the_nodes_of_trees() -> None:
    nodes = lw.WaveletPacket(LINE, "db2", maxlevel=3)
    leaves = lw.wpdec(LINE, "db2", tree=TREE)
    assert len(leaves) == len(TREE)
    for path, leaf in zip(TREE.leaves, leaves, strict=True):
        np.testing.assert_array_equal(leaf, nodes[path].data)
    again = lw.wpdec(LINE, "db2", tree=list(TREE.leaves))
    np.testing.assert_array_equal(again[0], leaves[0])


def test_the_tree_of_the_wavelet_transform() -> None:
    leaves = lw.wpdec(LINE, "db2", tree=lw.PacketTree.wavelet(3))
    for ours, expected in zip(leaves, lw.wavedec(LINE, "db2", level=3), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("order", ["natural", "freq"])
@pytest.mark.parametrize("axes", [(1, 2), (2, 1), (-3, -2)])
def test_images_have_two_node_axes(axes: tuple[int, int], order: str) -> None:
    packets = lw.wpdec(IMAGE, "db2", "reflect", 2, axes, order=order)
    assert packets.shape == (2, 4, 4, 7, 7, 3)
    tree = pywt.WaveletPacket2D(IMAGE, "db2", "reflect", 2, axes)
    if order == "freq":
        for i, row in enumerate(tree.get_level(2, "freq")):
            for j, node in enumerate(row):
                np.testing.assert_allclose(packets[:, i, j], node.data, atol=1e-13)
    else:
        for path, place in (("ah", (1, 0)), ("vd", (1, 3)), ("dv", (2, 3)), ("hh", (3, 0))):
            np.testing.assert_allclose(packets[(slice(None), *place)], tree[path].data, atol=1e-13)
    rebuilt = lw.wprec(packets, "db2", "reflect", axes, shape=IMAGE.shape, order=order)
    np.testing.assert_allclose(rebuilt, IMAGE, atol=1e-12)


def test_three_axes_with_their_wavelets_and_modes() -> None:
    how = (("haar", "db2", "haar"), ("zero", "periodic", "symmetric"))
    packets = lw.wpdec(VOLUME, *how, level=2, axes=None)
    assert packets.shape[:3] == (4, 4, 4)
    tree = lw.WaveletPacketND(VOLUME, *how, maxlevel=2)
    np.testing.assert_array_equal(packets[1, 2, 3], tree["add" + "dda"].data)
    rebuilt = lw.wprec(packets, *how, axes=None, shape=VOLUME.shape)
    np.testing.assert_allclose(rebuilt, VOLUME, atol=1e-12)
    wavelet_tree = lw.PacketTree.wavelet(2, 3)
    leaves = lw.wpdec(VOLUME, *how, axes=None, tree=wavelet_tree)
    rebuilt = lw.wprec(leaves, *how, axes=None, shape=VOLUME.shape, tree=wavelet_tree)
    np.testing.assert_allclose(rebuilt, VOLUME, atol=1e-12)


def test_the_first_axis_of_several() -> None:
    packets = lw.wpdec(BATCH.T, "db2", level=2, axes=0)
    np.testing.assert_array_equal(packets[..., 1], lw.wpdec(BATCH[1], "db2", level=2))
    np.testing.assert_allclose(
        lw.wprec(packets, "db2", axes=0, shape=BATCH.T.shape), BATCH.T, atol=1e-12
    )


@pytest.mark.parametrize("mode", LIFTING_MODES)
def test_lifting_schemes(mode: str) -> None:
    x = zero_mean((3, 24))
    packets = lw.wpdec(x, SCHEME, mode, 3)
    tree = lw.WaveletPacket(x, SCHEME, mode, 3)
    np.testing.assert_array_equal(packets[:, 5], tree.get_level(3, "freq")[5].data)
    np.testing.assert_allclose(lw.wprec(packets, SCHEME, mode), x, atol=1e-12)


def test_no_level_and_the_default_level() -> None:
    assert lw.wpdec(LINE, "db2").shape[0] == 2 ** lw.dwt_max_level(43, "db2")
    packets = lw.wpdec(LINE, "db2", level=0)
    np.testing.assert_array_equal(packets, LINE[None])
    packets[...] = 0.0
    assert LINE.any()
    np.testing.assert_array_equal(lw.wprec(LINE[None], "db2"), LINE)
    with pytest.warns(LevelWarning):
        lw.wpdec(LINE, "db2", level=5)


def test_dtypes_and_libraries() -> None:
    assert lw.wpdec(np.arange(16), "haar", level=1).dtype == np.float64
    assert lw.wpdec(np.ones(16, np.float16), "haar", level=1).dtype == np.float32
    assert lw.wpdec(np.ones(16, np.complex64), "haar", level=1).dtype == np.complex64
    assert lw.wpdec(torch.ones(16, dtype=torch.float16), "haar", level=1).dtype == torch.float16
    packets = lw.wpdec(torch.tensor(BATCH), "db2", level=2)
    np.testing.assert_array_equal(packets.numpy(), lw.wpdec(BATCH, "db2", level=2))


def test_arrays_of_the_standard() -> None:
    x = array_api_strict.asarray(BATCH)
    levels = lw.wpdec(x, "db2", level=2, full=True)
    for ours, expected in zip(levels, lw.wpdec(BATCH, "db2", level=2, full=True), strict=True):
        assert isinstance(ours, type(x))
        np.testing.assert_allclose(np.asarray(ours), expected, atol=1e-13)
    np.testing.assert_allclose(np.asarray(lw.wprec(levels[2], "db2", shape=37)), BATCH, atol=1e-12)
    leaves = lw.wpdec(x, "db2", tree=TREE)
    rebuilt = lw.wprec(leaves, "db2", tree=TREE, shape=BATCH.shape)
    np.testing.assert_allclose(np.asarray(rebuilt), BATCH, atol=1e-12)
    assert lw.best_basis(levels) == lw.best_basis([np.asarray(p) for p in levels])
    gradient = lw.vjp(lw.wpdec, x, "db2", level=2)[1](levels[2])
    assert isinstance(gradient.wavelet.dec_lo, type(x))


def test_frequencies_of_packets() -> None:
    """The packet with the most energy contains the frequency of a cosine."""
    n = np.arange(2048)
    for frequency in (0.013, 0.11, 0.24, 0.26, 0.37, 0.49):
        packets = lw.wpdec(np.cos(2 * np.pi * frequency * n), "db20", "periodization", 3)
        place = int(np.argmax(np.sum(packets**2, axis=-1)))
        low, high = lw.packet_bands(3)[place]
        assert low < frequency < high
    natural = lw.packet_bands(3, order="natural")
    assert natural[5].tolist() == lw.packet_bands(3)[6].tolist()  # 6 ^ 3 == 5


# --- derivatives ---------------------------------------------------------------------------------

X = torch.randn(2, 13, dtype=torch.float64, requires_grad=True)
SMALL = lw.PacketTree(["a", "da", "dd"])
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "one level": lambda x: lw.wpdec(x, "db2", level=2),
    "all levels": lambda x: tuple(lw.wpdec(x, "db2", "smooth", 2, full=True)),
    "leaves": lambda x: tuple(lw.wpdec(x, "db2", "periodization", tree=SMALL)),
    "natural": lambda x: lw.wpdec(x, "bior2.2", "reflect", 2, order="natural"),
    "two axes": lambda x: lw.wpdec(x, "haar", level=1, axes=(0, 1)),
    "lifting": lambda x: lw.wpdec(x[:, :12], SCHEME, level=2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_packets(name: str) -> None:
    assert torch.autograd.gradcheck(FUNCTIONS[name], X)
    assert torch.autograd.gradgradcheck(
        lambda x: torch.cat([y.reshape(-1) for y in _several(FUNCTIONS[name](x))]) ** 2, X
    )


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("mode", ["symmetric", "periodization"])
def test_gradients_of_reconstructions(mode: str) -> None:
    packets = lw.wpdec(X, "db2", mode, 2).detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: lw.wprec(p, "db2", mode, shape=13), packets)
    assert torch.autograd.gradgradcheck(lambda p: lw.wprec(p, "db2", mode, shape=13) ** 2, packets)
    leaves = [p.detach().requires_grad_() for p in lw.wpdec(X, "db2", mode, tree=SMALL)]
    assert torch.autograd.gradcheck(
        lambda *p: lw.wprec(p, "db2", mode, shape=(2, 13), tree=SMALL), leaves
    )


def filters() -> list[torch.Tensor]:
    taps = map(np.array, pywt.Wavelet("db2").filter_bank)
    return [torch.tensor(t, requires_grad=True) for t in taps]


def test_gradients_of_filters() -> None:
    def analysed(x: Any, *taps: Any) -> Any:
        return tuple(lw.wpdec(x, lw.FilterBank(*taps), tree=SMALL))

    assert torch.autograd.gradcheck(analysed, (X, *filters()))
    assert torch.autograd.gradgradcheck(
        lambda *a: sum((y**2).sum() for y in analysed(*a)), (X, *filters())
    )
    packets = lw.wpdec(X, "db2", level=2).detach().requires_grad_()

    def rebuilt(p: Any, *taps: Any) -> Any:
        return lw.wprec(p, lw.FilterBank(*taps), shape=13)

    assert torch.autograd.gradcheck(rebuilt, (packets, *filters()))


def test_gradients_of_lifting_steps() -> None:
    taps = [torch.tensor(step.taps, dtype=torch.float64) for step in SCHEME.steps]
    taps = [t.requires_grad_() for t in taps]

    def analysed(x: Any, *taps: Any) -> Any:
        steps = [
            lw.LiftingStep(s.kind, t, s.offset) for s, t in zip(SCHEME.steps, taps, strict=True)
        ]
        return lw.wpdec(x[:, :12], lw.LiftingScheme(steps, SCHEME.scale), level=2)

    assert torch.autograd.gradcheck(analysed, (X, *taps))


@pytest.mark.parametrize("wavelet", ["db2", SCHEME])
def test_vjp_is_the_derivative(wavelet: Any) -> None:
    x = zero_mean((2, 12))
    levels, pullback = lw.vjp(lw.wpdec, x, wavelet, level=2, full=True)
    cotangents = [None, zero_mean(levels[1].shape, 5), zero_mean(levels[2].shape, 6)]
    gradient = pullback(cotangents)
    v = zero_mean((2, 12), 7)
    pushed = lw.wpdec(v, wavelet, level=2, full=True)
    expected = sum(np.sum(g * y) for g, y in zip(cotangents[1:], pushed[1:], strict=True))
    assert np.sum(gradient.data * v) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient.data, pullback(cotangents, wavelet=False).data, atol=1e-12)
    # The derivative of the taps, against torch's.
    if wavelet == "db2":
        taps = filters()
        bank = lw.FilterBank(*taps)
        ys = lw.wpdec(torch.tensor(x), bank, level=2, full=True)
        total = sum(
            (torch.tensor(g) * y).sum() for g, y in zip(cotangents[1:], ys[1:], strict=True)
        )
        total.backward()
        np.testing.assert_allclose(gradient.wavelet.dec_lo, taps[0].grad.numpy(), atol=1e-12)
        assert not np.any(gradient.wavelet.rec_lo)
    packets = levels[2]
    rebuilt, pullback = lw.vjp(lw.wprec, packets, wavelet, shape=x.shape)
    np.testing.assert_allclose(rebuilt, x, atol=1e-12)
    g, v = zero_mean(x.shape, 8), zero_mean(packets.shape, 9)
    expected = np.sum(g * lw.wprec(v, wavelet, shape=x.shape))
    assert np.sum(pullback(g).data * v) == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # torch's own
def test_torch_batches_compiles_and_pushes_forward() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        packets: torch.Tensor = lw.wpdec(x, "db2", level=2)
        result: torch.Tensor = lw.wprec(2 * packets, "db2", shape=x.shape)
        return result

    x = X.detach()
    torch.testing.assert_close(torch.func.vmap(function)(x), function(x))
    torch.testing.assert_close(torch.func.jvp(function, (x,), (x,))[1], function(x))
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), function(x))


def test_operations_are_serialized() -> None:
    call = calls.wpdec(BATCH, "db2", tree=TREE)
    again = parse(call.operation.text)
    first, second = (
        operation.run([BATCH], (), lw._dispatch.kernels_for(BATCH))
        for operation in (call.operation, again)
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


# --- trees ---------------------------------------------------------------------------------------


def test_trees_are_sorted_compared_and_printed() -> None:
    tree = lw.PacketTree(["ddd", "da", "a", "dda"])
    assert tree.leaves == ("a", "dda", "ddd", "da")
    assert tree == TREE
    assert hash(tree) == hash(TREE)
    assert tree != lw.PacketTree.complete(2)
    assert tree != "a"
    assert (len(tree), tree.depth, tree.ndim) == (4, 3, 1)
    assert repr(tree) == "PacketTree(['a', 'dda', 'ddd', 'da'], ndim=1)"
    assert str(tree).splitlines()[1:] == [
        "├─ a ■",
        "└─ d",
        "   ├─ da ■",
        "   └─ dd",
        "      ├─ dda ■",
        "      └─ ddd ■",
    ]
    assert str(lw.PacketTree([""])) == "PacketTree of 1 leaves, depth 0"


def test_bands_of_trees() -> None:
    assert TREE.bands(16.0) == [(0.0, 4.0), (4.0, 5.0), (5.0, 6.0), (6.0, 8.0)]
    tree = lw.PacketTree.wavelet(1, 2)
    assert tree.leaves == ("aa", "ad", "da", "dd")
    assert tree.bands(4.0)[1] == ((0.0, 1.0), (1.0, 2.0))
    assert lw.PacketTree.complete(1, 2) == tree
    assert lw.PacketTree.complete(0).leaves == ("",)


@pytest.mark.parametrize("full", ["x", "", [0], 2, 0.0, None])
def test_full_accepts_objects_that_are_true_or_false(full: Any) -> None:
    for packets in (
        lw.wpdec(LINE, "db2", level=2, full=full),
        lw.swpdec(LINE, "db2", 2, full=full),
    ):
        assert isinstance(packets, list) == bool(full)


def test_trees_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    figure = TREE.plot(fs=100.0)
    (ax,) = figure.axes
    assert ax.get_ylim() == (0.0, 50.0)
    assert len(ax.collections) == 4
    packets = lw.wpdec(LINE, "db2", tree=TREE)
    drawn = TREE.plot(packets).axes[0].collections
    assert [c.get_array().size for c in drawn] == [p.size for p in packets]
    assert len(lw.PacketTree.wavelet(2, 2).plot().axes[0].patches) == 7


def test_the_time_axis_of_packets_is_that_of_the_signal() -> None:
    pytest.importorskip("matplotlib")
    x, tree, complete = zero_mean(300), lw.PacketTree(["aa", "ad", "d"]), lw.PacketTree.complete(2)

    def span(basis: lw.PacketTree, packets: list[Any], **options: Any) -> float:
        return float(basis.plot(packets, 100.0, **options).axes[0].get_xlim()[1])

    assert span(tree, lw.wpdec(x, "haar", tree=tree)) == 3.0
    assert span(tree, lw.swpdec(x, "db2", tree=tree)) == 3.0
    assert span(complete, lw.swpdec(x, "db2", tree=complete), redundant=True) == 3.0
    # Packets as long as the filters permit: those of each level have one length.
    assert span(tree, lw.wpdec(x[:39], "db20", tree=tree)) == 0.39


def test_tiles_of_long_signals_are_merged() -> None:
    pytest.importorskip("matplotlib")
    x = np.zeros(1 << 14)
    x[12345] = 1.0
    tree = lw.PacketTree(["a", "d"])
    packets = lw.wpdec(x, "haar", "periodization", tree=tree)
    (ax,) = tree.plot(packets, fs=4.0).axes
    for drawn, values in zip(ax.collections, packets, strict=True):
        merged = drawn.get_array().ravel()
        assert merged.size < 1000
        assert merged.max() == np.abs(values).max()
        place = np.argmax(merged) / merged.size
        assert place <= 12345 / x.size <= place + 2 / merged.size
    assert ax.get_xlim() == (0.0, x.size / 4)


def test_tiles_of_images_show_the_energy_of_leaves() -> None:
    pytest.importorskip("matplotlib")
    tree = lw.PacketTree.complete(1, 2)
    packets = [np.full((3, 3), value) for value in (4.0, 0.0, 2.0, 1j)]
    patches = tree.plot(packets).axes[0].patches
    colours = [sum(patch.get_facecolor()[:3]) for patch in patches]
    assert colours[0] < colours[2] < colours[3] < colours[1]
    assert (patches[2].get_x(), patches[2].get_y()) == (0.0, 0.25)


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: lw.wpdec(LINE, "db2", order="gray"), OrderError, "'gray'; use one of"),
        (lambda: lw.wpdec(LINE, "db2", level=-1), LevelError, "too low"),
        (lambda: lw.wpdec(LINE, "db2", level=30), ShapeError, r"2\*\*30 packets: too many"),
        (lambda: lw.wpdec(1.0, "db2"), ShapeError, "0-d"),
        (lambda: lw.wpdec("text", "db2"), DTypeError, "numeric"),
        (lambda: lw.wpdec(LINE, "db2", level=1, tree=TREE), OptionError, "do not pass level"),
        (lambda: lw.wpdec(LINE, "db2", tree="aa"), PathTypeError, "must be a PacketTree, got str"),
        (
            lambda: lw.wpdec(BATCH, "db2", axes=(0, 1), tree=TREE),
            ShapeError,
            "the tree has 1 axes, but 2 are transformed",
        ),
        (lambda: lw.wpdec(LINE, SCHEME, level=1), ShapeError, "22 and 21 samples: lifting splits"),
        (lambda: lw.wpdec(LINE, SCHEME.to_integer()), WaveletError, "use WaveletPacket"),
        (lambda: lw.wprec(np.ones((3, 8)), "db2"), ShapeError, "a power of two, in front"),
        (lambda: lw.wprec(np.ones(8), "db2"), ShapeError, "at least 1D"),
        (
            lambda: lw.wprec(np.ones((2, 8)), "db2", shape=20),
            ShapeError,
            r"level 1 have shape \(2, 8\), but those of a signal of shape \(20,\) have",
        ),
        (
            lambda: lw.wprec(np.ones((3, 2, 8)), "haar", shape=(2, 16)),
            ShapeError,
            r"signals of shape \(3, 16\), got shape \(2, 16\)",
        ),
        (
            lambda: lw.wprec(np.ones((2, 8)), "db2", shape=(1, 2, 3)),
            ShapeError,
            "shape must be the shape of the signal, of 1 axes",
        ),
        (lambda: lw.wprec(np.ones((2, 8)), "db2", shape=2.5), ShapeError, "got 2.5"),
        (
            lambda: lw.wprec(lw.wpdec(LINE, "db2", level=2, full=True), "db2"),
            CoefficientsError,
            "pass its last array",
        ),
        (lambda: lw.wprec([LINE], "db2", tree=TREE), CoefficientsError, "of 4 leaves, got 1"),
        (lambda: lw.wprec([], "db2", tree=TREE), CoefficientsError, "an empty list"),
        (
            lambda: lw.wprec([np.ones(8)] * 4, "haar", tree=TREE),
            ShapeError,
            r"packets of level 1 have shape \(1, 8\), but",
        ),
        (lambda: lw.PacketTree(["a"]), PathError, "no leaf is at or below 'd'"),
        (lambda: lw.PacketTree(["a", "d", "da"]), PathError, "another leaf is at or above 'da'"),
        (lambda: lw.PacketTree(["a", "a", "d"]), PathError, "another leaf is at or above 'a'"),
        (lambda: lw.PacketTree([]), PathError, "no leaf"),
        (lambda: lw.PacketTree(["h", "l"]), PathError, "letters 'a' or 'd'"),
        (lambda: lw.PacketTree(["a", "d"], 2), PathError, "2 letters"),
        (lambda: lw.PacketTree("ad"), PathTypeError, "leaves must be paths"),
        (lambda: lw.PacketTree([5]), PathTypeError, "got 5"),
        (lambda: lw.PacketTree([""], 0), ShapeError, "from 1 to 16, got 0"),
        (lambda: lw.PacketTree.complete(30), ShapeError, "too many"),
        (lambda: lw.PacketTree.wavelet(3, 0), ShapeError, "from 1 to 16"),
        (lambda: TREE.bands(0), ScaleError, "positive number, got 0"),
        (lambda: TREE.plot([LINE]), ShapeError, "of 4 leaves of one signal"),
        (lambda: lw.PacketTree.wavelet(1, 3).plot(), ShapeError, "tree of 3 axes"),
        (lambda: lw.wpdec(LINE, "db2", full=LINE), OptionTypeError, "full must be True or False"),  # type: ignore[arg-type]
        (lambda: lw.packet_bands(25), ShapeError, "too many"),
        (lambda: lw.packet_bands(2, fs="high"), DTypeError, "numeric"),
    ],
)
def test_errors_name_the_argument(
    call: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()
