"""Poolings that are random in training, and return expectations in evaluation."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from liftwave.errors import WindowError
from liftwave.torch.zoo.windows import MapPool, WindowedPool, positive, windows


class StochasticPool2d(WindowedPool):
    r"""One sample of each window, drawn with a probability in proportion to its value.

    In training :math:`y = a_l` with :math:`P(l = i) = a_i / \sum_j a_j`; in evaluation
    :math:`y = \sum_i p_i a_i`. The values are activations after a ReLU: negative values are never
    drawn. In a window without positive values, all samples have the same probability.

    Parameters
    ----------
    kernel_size : int, optional
        Size of the windows; 2 by default.
    stride : int, optional
        Distance of windows; their size by default.

    References
    ----------
    Zeiler and Fergus, "Stochastic pooling for regularization of deep convolutional neural
    networks", ICLR 2013, eq. (4) to (6).

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import StochasticPool2d
    >>> tuple(StochasticPool2d(2)(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    def __init__(self, kernel_size: int = 2, stride: int | None = None) -> None:
        super().__init__(kernel_size, stride)

    def _pooled(self, x: Tensor) -> Tensor:
        samples = windows(x, self.kernel_size, self.stride)
        chances = samples.relu()
        total = chances.sum(-1, keepdim=True)
        chances = torch.where(total > 0, chances / total.masked_fill(total == 0, 1), 1.0)
        if not self.training:
            return (samples * chances).sum(-1) / chances.sum(-1)
        drawn = torch.multinomial(chances.detach().flatten(0, -2), 1)
        return samples.gather(-1, drawn.reshape(*samples.shape[:-1], 1)).squeeze(-1)


class S3Pool2d(MapPool):
    """Max pooling with stride 1, then random rows and columns.

    The map is cut into strips of ``grid_size`` rows. ``grid_size / stride`` rows of each strip are
    drawn, in order; columns likewise. In evaluation the result is the exact mean over all draws,
    from the probability of each row to become the first, second, … of its strip. Rows and columns
    that fill no strip are dropped.

    Parameters
    ----------
    kernel_size : int, optional
        Size of the windows of max pooling.
    stride : int, optional
        The factor of both sizes; 2 by default.
    grid_size : int, optional
        Rows of a strip, a multiple of ``stride``, which is the default.

    References
    ----------
    Zhai et al., "S3Pool: pooling with stochastic spatial sampling", CVPR 2017, section 3.

    Examples
    --------
    >>> import torch
    >>> from liftwave.torch.zoo import S3Pool2d
    >>> tuple(S3Pool2d()(torch.rand(2, 4, 8, 8)).shape)
    (2, 4, 4, 4)
    """

    settings = ("kernel_size", "stride", "grid_size")

    def __init__(self, kernel_size: int = 2, stride: int = 2, grid_size: int | None = None) -> None:
        super().__init__()
        kernel_size, stride = positive(kernel_size, "kernel_size"), positive(stride, "stride")
        grid_size = stride if grid_size is None else positive(grid_size, "grid_size")
        if grid_size % stride:
            raise WindowError(
                f"the strips of S3Pool2d must be multiples of its stride, {stride}, "
                f"got grid_size={grid_size}; use {math.ceil(grid_size / stride) * stride}"
            )
        self.kernel_size, self.stride, self.grid_size = kernel_size, stride, grid_size

    def _pooled(self, x: Tensor) -> Tensor:
        # The last windows reach beyond the map, with the last sample repeated. The maximum of such
        # a window is the maximum of its samples inside the map.
        reach = self.kernel_size - 1
        x = F.max_pool2d(F.pad(x, (0, reach, 0, reach), "replicate"), self.kernel_size, stride=1)
        for axis in (-2, -1):
            x = self._thinned(x, axis)
        return x

    def _thinned(self, x: Tensor, axis: int) -> Tensor:
        """The remaining rows (or columns) of each strip."""
        strips = x.shape[axis] // self.grid_size
        x = x.narrow(axis, 0, strips * self.grid_size)
        if self.training:
            return x.index_select(axis, self._lots(strips, x.device))
        chances = self.chances().to(x)
        rows = x.movedim(axis, -1)
        parts = rows.reshape(*rows.shape[:-1], strips, self.grid_size)
        return (parts @ chances.T).flatten(-2).movedim(-1, axis)

    def _lots(self, strips: int, device: torch.device) -> Tensor:
        """Indices of the drawn rows, in order."""
        kept = self.grid_size // self.stride
        drawn = torch.rand(strips, self.grid_size, device=device).argsort(-1)[:, :kept]
        first = self.grid_size * torch.arange(strips, device=device)[:, None]
        return (first + drawn.sort(-1).values).flatten()

    def chances(self) -> Tensor:
        """Probability of row ``r`` of a strip to be the ``j``-th drawn row: ``[j, r]``."""
        rows, kept = self.grid_size, self.grid_size // self.stride
        ways = [
            [math.comb(r, j) * math.comb(rows - 1 - r, kept - 1 - j) for r in range(rows)]
            for j in range(kept)
        ]
        return torch.tensor(ways, dtype=torch.float64) / math.comb(rows, kept)
