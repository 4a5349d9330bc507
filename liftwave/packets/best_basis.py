"""Choice of a basis of wavelet packets for one signal, or for many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from liftwave._arrays.convert import as_array
from liftwave._arrays.host import as_numpy
from liftwave._numbers import as_numbers, items
from liftwave._typing import Array
from liftwave.errors import CostError, ShapeError
from liftwave.packets.costs import (
    Cost,
    coefficient_cost,
    deviations,
    energy_maps,
    histogram_entropy,
    spacing_entropy,
    symmetric_relative_entropy,
)
from liftwave.packets.levels import LevelPackets
from liftwave.packets.packet_tree import PacketTree


def best_basis(
    packets: Sequence[Array],
    cost: Cost = "shannon",
    value: float | None = None,
    *,
    axes: Sequence[int] | int | None = -1,
    order: str = "freq",
    redundant: bool = False,
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
    redundant : bool, optional
        Whether the packets are those of :func:`swpdec` without ``norm``. The cost of a node of
        level :math:`j` is then divided by the number of its shifts, :math:`2^j` per axis.

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
    tree = LevelPackets.of(packets, axes, order, redundant)
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
    redundant: bool = False,
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
    redundant : bool, optional
        Whether the packets are those of :func:`swpdec` without ``norm``. The cost of a node of
        level :math:`j` is then divided by the number of its shifts, :math:`2^j` per axis.

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
    tree = LevelPackets.of(packets, axes, order, redundant)
    exponent = None if value is None else _exponent(value)
    costs = []
    for c in tree.signals(2):
        sigma = deviations(c)
        with np.errstate(divide="ignore"):  # a coefficient without variance has the cost -inf
            terms = 2 * np.log(sigma) if exponent is None else sigma**exponent
        costs.append(terms.sum(axis=-1))
    return tree.cheapest(costs)


def least_dependent_basis(
    packets: Sequence[Array],
    estimator: Literal["spacing", "histogram"] = "spacing",
    *,
    axes: Sequence[int] | int | None = -1,
    order: str = "freq",
    redundant: bool = False,
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
    redundant : bool, optional
        Whether the packets are those of :func:`swpdec` without ``norm``. The cost of a node of
        level :math:`j` is then divided by the number of its shifts, :math:`2^j` per axis.

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
    tree = LevelPackets.of(packets, axes, order, redundant)
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
    redundant: bool = False,
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
    redundant : bool, optional
        Whether the packets are those of :func:`swpdec` without ``norm``. The cost of a node of
        level :math:`j` is then divided by the number of its shifts, :math:`2^j` per axis.

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
    tree = LevelPackets.of(packets, axes, order, redundant)
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


# --- arguments ----------------------------------------------------------------------------------


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
    if len(classes) != count or not all(isinstance(label, Hashable) for label in classes):
        raise ShapeError(f"expected one label for each of {count} signals, got {labels!r}")
    numbers = {label: number for number, label in enumerate(dict.fromkeys(classes))}
    if len(numbers) < 2:
        raise ShapeError(f"expected labels of at least two classes, got {labels!r}")
    return np.array([numbers[label] for label in classes])
