"""Energy attention: a small network computes channel weights from the channels' energies."""

from __future__ import annotations

from liftwave._execute import execute, graph_node
from liftwave._typing import Array, ArrayLike
from liftwave.pooling import calls
from liftwave.pooling.calls import EPSILON


@graph_node
def energy_attention(
    x: ArrayLike,
    squeeze: tuple[Array, Array],
    excite: tuple[Array, Array],
    mean: Array | None = None,
    variance: Array | None = None,
    *,
    dimensions: int = 2,
    normalize: bool = False,
    epsilon: float = EPSILON,
) -> Array:
    r"""Weight channels by their energies (squeeze and excitation on energies).

    Parameters
    ----------
    x : array_like, shape (..., C, spatial axes)
        Feature maps.
    squeeze : (array of shape (R, C), array of shape (R,))
        Weights and bias of the first layer.
    excite : (array of shape (C, R), array of shape (C,))
        Weights and bias of the second layer.
    mean, variance : array, shape (C,), optional
        Mean and variance for the normalisation of the channels before their energies are
        computed. By default channels are not normalised.
    dimensions : int, optional
        The number of spatial axes, which are the last ones.
    normalize : bool, optional
        Whether an energy is the mean of the squares, or their sum (as in the paper). Layers for
        means fit images of several sizes.
    epsilon : float, optional
        Added to the variance.

    Returns
    -------
    array, of the shape of ``x``
        ``x`` with each channel multiplied by its weight, which is between 0 and 1.

    Raises
    ------
    ShapeError
        If the layers do not fit the channels, or axes are missing.
    ArgumentTypeError
        If only one of mean and variance is passed, or a layer is not a pair.
    DTypeError
        For complex numbers.

    Notes
    -----
    With the normalised channels :math:`\hat x_c`,

    .. math:: E_c = \sum_k \hat x_{c,k}^2, \qquad
              y_c = \sigma(W_2 \max(0, W_1 E + b_1) + b_2)_c\, x_c.

    References
    ----------
    Equations (16) and (17) of the paper on LDW-Pooling.

    Examples
    --------
    >>> import numpy as np
    >>> from liftwave.pooling import energy_attention
    >>> x = np.ones((1, 2, 4, 4))
    >>> layers = (np.zeros((1, 2)), np.zeros(1)), (np.zeros((2, 1)), np.zeros(2))
    >>> float(energy_attention(x, *layers)[0, 0, 0, 0])  # the weight of no preference
    0.5
    """
    call = calls.energy_attention(
        *(x, squeeze, excite, mean, variance),
        dimensions=dimensions,
        normalize=normalize,
        epsilon=epsilon,
    )
    return execute(call)
