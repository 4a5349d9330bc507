"""Choice of a basis of wavelet packets for one signal, or for many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array, open_arrays
from liftwave._arrays.host import as_numpy
from liftwave._numbers import as_numbers, is_several, items
from liftwave._plan.arguments import normalize_axes
from liftwave._typing import Array
from liftwave.errors import CoefficientsError, CostError, ShapeError
from liftwave.packets.costs import (
    Cost,
    coefficient_cost,
    deviations,
    energy_maps,
    histogram_entropy,
    spacing_entropy,
    symmetric_relative_entropy,
)
from liftwave.packets.order import Order, check_order, grid_nodes
from liftwave.packets.packet_tree import PacketTree


def best_basis(
    packets: Sequence[Array],
    cost: Cost = "shannon",
    value: float | None = None,
    *,
    axes: Sequence[int] | int | None = -1,
    order: str = "freq",
) -> PacketTree:
    r"""Choose the basis of wavelet packets with the lowest cost.

    Parameters
    ----------
    packets : sequence of array
        The packets of all levels, the result of :func:`wpdec` with ``full=True``. The cost of a
        batch is the sum over all its signals.
    cost : str or callable, optional
        With :math:`p = |c|^2 / E` for a coefficient :math:`c` of data of the energy :math:`E`:

        - ``"shannon"``: :math:`-\sum p \ln p`.
        - ``"log-energy"``: :math:`\sum \ln p`, without coefficients that are 0.
        - ``"norm"``: :math:`\sum |c|^v` with the exponent ``value``.
        - ``"threshold"``: the number of coefficients with :math:`|c| > v`, the ``value``.
        - ``"sure"``: Stein's risk of soft thresholding at :math:`v`, the ``value``:
          :math:`n - 2 \#(|c| \le v) + \sum \min(|c|^2, v^2)` of :math:`n` coefficients.
        - A function. It gets an array with one row of coefficients for each node, and returns one
          cost for each node.
    value : float, optional
        The parameter of the cost.
    axes, order
        As passed to :func:`wpdec`.

    Returns
    -------
    PacketTree
        The tree, for ``wpdec(…, tree=tree)``.

    Raises
    ------
    CoefficientsError, CostError, AxisError, OrderError
        If an argument is not valid.

    Notes
    -----
    The cost of a basis is the sum of the costs of its nodes. From the last level up, a node
    replaces the best basis below it if its cost is not higher [1]_. The result has the lowest cost
    of all trees.

    References
    ----------
    .. [1] R. R. Coifman and M. V. Wickerhauser, "Entropy-based algorithms for best basis
       selection", IEEE Trans. Inf. Theory 38, 713-718, 1992.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> x = np.cos(2 * np.pi * 0.3 * np.arange(256))
    >>> tree = lw.best_basis(lw.wpdec(x, "db8", "periodization", level=3, full=True))
    >>> tree.leaves
    ('aaa', 'aad', 'add', 'ada', 'dda', 'ddd', 'da')
    """
    tree = _Packets.of(packets, axes, order)
    if callable(cost):
        return tree.cheapest([_called(cost, c) for c in tree.rows()])
    of_coefficients = coefficient_cost(cost, value)
    root = next(tree.rows())
    xp = array_namespace(root)
    energy = xp.sum(xp.abs(root) ** 2)
    energy = xp.where(energy > 0, energy, xp.ones_like(energy))  # all coefficients are 0
    return tree.cheapest(
        [_numbers(xp.sum(of_coefficients(c, energy), axis=-1)) for c in tree.rows()]
    )


def joint_basis(
    packets: Sequence[Array],
    value: float | None = None,
    *,
    axes: Sequence[int] | int | None = -1,
    order: str = "freq",
) -> PacketTree:
    r"""Choose a basis of wavelet packets for many signals, by the variance of coefficients.

    Parameters
    ----------
    packets : sequence of array
        The packets of all levels of a batch of at least two signals, the result of :func:`wpdec`
        with ``full=True``.
    value : float, optional
        The cost of a coefficient with the standard deviation :math:`\sigma` over the signals is
        :math:`2 \ln \sigma`, or :math:`\sigma^v` with this exponent.
    axes, order
        As passed to :func:`wpdec`.

    Returns
    -------
    PacketTree
        The tree with the lowest sum of costs.

    Raises
    ------
    CoefficientsError, CostError, AxisError, OrderError
        If an argument is not valid.

    Notes
    -----
    The basis approximates the Karhunen-Loève basis of the signals [1]_.

    References
    ----------
    .. [1] M. V. Wickerhauser, "Fast approximate factor analysis", Proc. SPIE 1610, 23-32, 1991.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> signals = np.random.default_rng(0).standard_normal((20, 64)).cumsum(axis=-1)
    >>> packets = lw.wpdec(signals, "haar", "periodization", level=3, full=True)
    >>> lw.joint_basis(packets).leaves
    ('aaa', 'aad', 'ad', 'd')
    """
    tree = _Packets.of(packets, axes, order)
    exponent = None if value is None else _exponent(value)
    costs = []
    for c in tree.signals(2):
        sigma = deviations(c)
        with np.errstate(divide="ignore"):  # a coefficient without variance has the cost -inf
            each = 2 * np.log(sigma) if exponent is None else sigma**exponent
        costs.append(each.sum(axis=-1))
    return tree.cheapest(costs)


def least_dependent_basis(
    packets: Sequence[Array],
    estimator: Literal["spacing", "histogram"] = "spacing",
    *,
    axes: Sequence[int] | int | None = -1,
    order: str = "freq",
) -> PacketTree:
    """Choose a basis of wavelet packets whose coefficients depend least on each other.

    Parameters
    ----------
    packets : sequence of array
        The packets of all levels of a batch of at least two real signals, the result of
        :func:`wpdec` with ``full=True``.
    estimator : {"spacing", "histogram"}, optional
        The estimate of the differential entropy of a coefficient over the signals. ``"spacing"``:
        Vasicek's estimate from differences of sorted samples. ``"histogram"``: an averaged shifted
        histogram.
    axes, order
        As passed to :func:`wpdec`.

    Returns
    -------
    PacketTree
        The tree with the lowest sum of entropies.

    Raises
    ------
    CoefficientsError, CostError, AxisError, OrderError
        If an argument is not valid.

    Notes
    -----
    In an orthonormal basis, the sum of the entropies of all coefficients is lowest if their mutual
    information is lowest [1]_.

    References
    ----------
    .. [1] N. Saito, "Image approximation and modeling via least statistically dependent bases",
       Pattern Recognition 34, 1765-1784, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> signals = np.random.default_rng(0).laplace(size=(200, 16))
    >>> packets = lw.wpdec(signals, "haar", "periodization", level=2, full=True)
    >>> lw.least_dependent_basis(packets).leaves
    ('',)
    """
    tree = _Packets.of(packets, axes, order)
    estimators = {"spacing": spacing_entropy, "histogram": histogram_entropy}
    if not isinstance(estimator, str) or estimator not in estimators:
        raise CostError(f"estimator must be 'spacing' or 'histogram', got {estimator!r}")
    entropy = estimators[estimator]
    costs = []
    for c in tree.signals(2):
        if np.iscomplexobj(c):
            raise CostError("entropies are estimated for real signals, got complex packets")
        costs.append(entropy(c).sum(axis=-1))
    return tree.cheapest(costs)


def discriminant_basis(
    packets: Sequence[Array],
    labels: Any,
    *,
    axes: Sequence[int] | int | None = -1,
    order: str = "freq",
) -> PacketTree:
    r"""Choose a basis of wavelet packets that separates classes of signals.

    Parameters
    ----------
    packets : sequence of array
        The packets of all levels of a batch of signals, the result of :func:`wpdec` with
        ``full=True``.
    labels : sequence of int
        The class of each signal, in the order of the flattened batch. At least two classes.
    axes, order
        As passed to :func:`wpdec`.

    Returns
    -------
    PacketTree
        The tree with the largest sum of discriminants.

    Raises
    ------
    CoefficientsError, ShapeError, AxisError, OrderError
        If an argument is not valid.

    Notes
    -----
    The energy map of a class is the energy of each coefficient over its signals, divided by their
    total energy. The discriminant of a coefficient is the sum of
    :math:`p \ln(p / q) + q \ln(q / p)` over all pairs of classes with the energies :math:`p` and
    :math:`q` [1]_; pairs with an energy of 0 do not count.

    References
    ----------
    .. [1] N. Saito and R. R. Coifman, "Local discriminant bases and their applications",
       J. Math. Imaging Vis. 5, 337-358, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> import liftwave as lw
    >>> t, rng = np.arange(64), np.random.default_rng(0)
    >>> signals = rng.standard_normal((20, 64))
    >>> signals[10:] += 2 * np.cos(2 * np.pi * 0.3 * t)
    >>> packets = lw.wpdec(signals, "db4", "periodization", level=2, full=True)
    >>> lw.discriminant_basis(packets, [0] * 10 + [1] * 10).leaves
    ('aa', 'ad', 'dd', 'da')
    """
    tree = _Packets.of(packets, axes, order)
    levels = list(tree.signals(2))
    classes = _labels(labels, levels[0].shape[1])
    energies = np.sum(np.abs(levels[0]) ** 2, axis=(0, 2))
    powers = []
    for c in levels:
        maps = energy_maps(c, classes, energies)
        pairs = [(p, q) for k, p in enumerate(maps) for q in maps[k + 1 :]]
        total = sum(symmetric_relative_entropy(p, q).sum(axis=-1) for p, q in pairs)
        powers.append(-np.asarray(total))
    return tree.cheapest(powers)


# --- packets of all levels -----------------------------------------------------------------------


class _Packets(NamedTuple):
    """The packets of all levels, and where their nodes are.

    Attributes
    ----------
    levels : list of array
        One array for each level.
    axes : tuple of int
        The transformed axes of the data.
    order : {"freq", "natural"}
        The order of the nodes.
    """

    levels: list[Any]
    axes: tuple[int, ...]
    order: Order

    @classmethod
    def of(cls, packets: Any, axes: Any, order: Any) -> _Packets:
        """The packets, after a check of their shapes."""
        named = check_order(order)
        if not isinstance(packets, list | tuple) or not packets:
            raise CoefficientsError(
                "expected the packets of all levels, wpdec(…, full=True), got "
                + ("an empty list" if isinstance(packets, list) else type(packets).__name__)
            )
        levels = [opened.array for opened in open_arrays([as_array(x) for x in packets])]
        ndim = levels[0].ndim
        naxes = ndim // 2 if axes is None else len(list(axes)) if is_several(axes) else 1
        normalized = normalize_axes(axes, max(ndim - naxes, 0), unique=True)
        first = min(normalized)
        for level, x in enumerate(levels):
            sides = tuple(x.shape[first : first + naxes])
            if x.ndim != ndim or sides != (1 << level,) * naxes or 0 in x.shape:
                raise CoefficientsError(
                    f"expected the packets of all levels, wpdec(…, full=True): those of level "
                    f"{level} have {(1 << level,) * naxes} nodes, got shape {tuple(x.shape)}"
                )
        return cls(levels, normalized, named)

    def rows(self) -> Iterator[Array]:
        """For each level, one row of coefficients for each node."""
        for x in self.levels:
            nodes, *rest = self._axes_of(x)
            xp = array_namespace(x)
            moved = xp.permute_dims(x, (*nodes, *rest[0], *rest[1]))
            yield xp.reshape(moved, (self._count(x), -1))

    def signals(self, fewest: int) -> Iterator[NDArray[Any]]:
        """For each level, an array of the shape (nodes, signals, coefficients), on the host.

        Raises
        ------
        CoefficientsError
            If there are less than ``fewest`` signals.
        """
        for x in self.levels:
            nodes, batch, transformed = self._axes_of(x)
            values = as_numpy(x)
            signals = int(np.prod([x.shape[axis] for axis in batch], initial=1))
            if signals < fewest:
                raise CoefficientsError(
                    f"expected the packets of at least {fewest} signals, got shape {tuple(x.shape)}"
                )
            moved = np.transpose(values, (*nodes, *batch, *transformed))
            yield moved.reshape(self._count(x), signals, -1)

    def _axes_of(self, x: Any) -> tuple[list[int], list[int], list[int]]:
        """The node axes, the batch axes, and the transformed axes."""
        first, naxes = min(self.axes), len(self.axes)
        nodes = list(range(first, first + naxes))
        transformed = [axis + naxes for axis in self.axes]
        batch = [axis for axis in range(x.ndim) if axis not in (*nodes, *transformed)]
        return nodes, batch, transformed

    def _count(self, x: Any) -> int:
        side: int = x.shape[min(self.axes)]
        return int(side ** len(self.axes))

    def cheapest(self, costs: Sequence[NDArray[Any]]) -> PacketTree:
        """The tree with the lowest sum of costs, of nodes in the order of the packets."""
        naxes = len(self.axes)
        natural = []
        for level, of_level in enumerate(costs):
            places = np.empty(len(of_level))
            places[list(grid_nodes(level, naxes, self.order))] = of_level
            natural.append(places)
        return PacketTree(_leaves(natural, naxes), naxes)


def _leaves(costs: Sequence[NDArray[Any]], naxes: int) -> list[str]:
    """The paths of the leaves of the tree with the lowest costs, which are in natural order."""
    width = 2**naxes
    best, is_leaf = costs[-1], [np.ones(len(costs[-1]), bool)]
    for of_level in reversed(costs[:-1]):
        below = best.reshape(-1, width).sum(axis=-1)
        is_leaf.insert(0, of_level <= below)
        best = np.where(is_leaf[0], of_level, below)
    leaves: list[str] = []
    nodes = [0]
    for level, flags in enumerate(is_leaf):
        letters = level * naxes
        kept = [node for node in nodes if flags[node]]
        digits = (format(node, f"0{letters}b") if letters else "" for node in kept)
        leaves += [path.replace("0", "a").replace("1", "d") for path in digits]
        split = set(nodes) - set(kept)
        nodes = [width * node + c for node in sorted(split) for c in range(width)]
    return leaves


def _called(cost: Callable[[Any], Any], coefficients: Array) -> NDArray[Any]:
    """The costs of a user's function."""
    costs = _numbers(cost(coefficients))
    if costs.shape != (coefficients.shape[0],) or costs.dtype.kind not in "biuf":
        raise CostError(
            f"the cost function must return one real number for each of {coefficients.shape[0]} "
            f"nodes, got shape {costs.shape} and dtype {costs.dtype}"
        )
    return costs


def _numbers(costs: Any) -> NDArray[Any]:
    return as_numpy(as_array(costs))


def _exponent(value: Any) -> float:
    number = as_numbers(value)
    if number.ndim or number.dtype.kind == "c" or not 0 < number < np.inf:
        raise CostError(f"the exponent must be a positive number, got {value!r}")
    return float(number)


def _labels(labels: Any, count: int) -> NDArray[Any]:
    classes = items(labels, "labels must be a sequence", ShapeError)
    if len(classes) != count or not all(isinstance(each, Hashable) for each in classes):
        raise ShapeError(f"expected one label for each of {count} signals, got {labels!r}")
    numbers = {label: number for number, label in enumerate(dict.fromkeys(classes))}
    if len(numbers) < 2:
        raise ShapeError(f"expected labels of at least two classes, got {labels!r}")
    return np.array([numbers[label] for label in classes])
