"""Valid arguments of everything public in packets and continuous wavelets."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from argument_kinds import Case, cases

import liftwave as lw

LINE, IMAGE = np.arange(8.0), np.arange(16.0).reshape(4, 4)
TREE = lw.PacketTree(["a", "da", "dd"])
FULL = lw.wpdec(LINE, "haar", level=2, full=True)
BATCH = lw.wpdec(IMAGE, "haar", level=2, full=True)


def packet() -> Any:
    return lw.WaveletPacket(LINE, "haar")


def of_new(method: Callable[..., Any], make: Callable[[], Any] = packet) -> Callable[..., Any]:
    """The method of a new tree for each call, because methods change the tree."""

    def call(*arguments: Any, **options: Any) -> Any:
        return method(make(), *arguments, **options)

    _self, *rest = inspect.signature(method).parameters.values()
    call.__signature__ = inspect.Signature(rest)  # type: ignore[attr-defined]
    return call


def anything(*_: Any, **__: Any) -> bool:
    """A function for each node of a tree."""
    return True


def image_packet() -> Any:
    return lw.WaveletPacket2D(IMAGE, "haar")


def array_packet() -> Any:
    return lw.WaveletPacketND(IMAGE, "haar")


_ours = cases(lw, "")

# Functions and classes that PyWavelets has, too.
SHARED: dict[str, Case] = dict(
    (
        _ours("cwt", LINE, [1, 2], "mexh", 1.0, "conv", -1, precision=10),
        _ours("integrate_wavelet", "mexh", 3),
        _ours("central_frequency", "mexh", 3),
        _ours("scale2frequency", "mexh", 2, 3),
        _ours("frequency2scale", "mexh", 2, 3),
        _ours("intwave", "mexh", 3),
        _ours("centrfrq", "mexh", 3),
        _ours("scal2frq", "mexh", 2, 3),
        _ours("BaseNode", None, LINE, ""),
        _ours("Node", None, LINE, ""),
        _ours("Node2D", None, IMAGE, ""),
        _ours("NodeND", None, IMAGE, "", 2, 2),
        _ours("WaveletPacket", LINE, "haar", "symmetric", 2, -1),
        _ours("WaveletPacket2D", IMAGE, "haar", "symmetric", 2, (-2, -1)),
        _ours("WaveletPacketND", IMAGE, "haar", "symmetric", 2, None),
    )
)


def _methods(
    owner: str, make: Callable[[], Any], **arguments: tuple[Any, ...]
) -> Iterator[tuple[str, Case]]:
    for name, valid in arguments.items():
        yield f"{owner}.{name}", Case(of_new(getattr(type(make()), name), make), valid)


_tree = cases(TREE, "PacketTree.")
OURS: dict[str, Case] = dict(
    (
        *_methods("BaseNode", packet, __getitem__=("ad",), __setitem__=("ad", LINE[:2])),
        *_methods("BaseNode", packet, __delitem__=("ad",), get_leaf_nodes=(True,)),
        *_methods("BaseNode", packet, get_subnode=("a", True), reconstruct=(True,)),
        *_methods("BaseNode", packet, walk=(anything, (), {}, True)),
        *_methods("BaseNode", packet, walk_depth=(anything, (), {}, True)),
        *_methods("WaveletPacket", packet, reconstruct=(True,), get_level=(2, "freq", True)),
        *_methods(
            "WaveletPacket2D", image_packet, reconstruct=(True,), get_level=(1, "freq", True)
        ),
        *_methods("WaveletPacketND", array_packet, reconstruct=(True,), get_level=(1, True)),
        ("Node2D.expand_2d_path", Case(lw.WaveletPacket2D(IMAGE, "haar").expand_2d_path, ("ahv",))),
        _ours("wavefun", "haar", 3),
        _ours("scaling_function", "haar", 3, of="synthesis"),
        _ours("wpdec", LINE, "haar", "symmetric", 2, -1, order="freq", full=True, tree=None),
        _ours("wprec", np.ones((2, 4)), "haar", "symmetric", -1, shape=8, order="freq", tree=None),
        _ours("swpdec", LINE, "haar", 2, -1, order="freq", full=True, tree=None, norm=True),
        _ours("swprec", np.ones((4, 8)), "haar", -1, order="freq", tree=None, norm=True),
        _ours("packet_bands", 2, 1.0, "freq"),
        _ours("PacketTree", ["a", "d"], 1),
        _tree("complete", 2, 1),
        _tree("wavelet", 2, 1),
        _tree("bands", 1.0),
        _tree("plot", None, 1.0, redundant=True),
        _tree("__eq__", TREE),
        _ours("best_basis", FULL, "norm", 1.0, axes=-1, order="freq", redundant=False),
        _ours("joint_basis", BATCH, 1.0, axes=-1, order="freq", redundant=False),
        _ours("least_dependent_basis", BATCH, "spacing", axes=-1, order="freq", redundant=False),
        _ours("discriminant_basis", BATCH, [0, 1, 0, 1], axes=-1, order="freq", redundant=False),
    )
)
