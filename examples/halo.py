"""A signal that is split among the ranks of a mesh along the transformed axis.

Each rank has consecutive rows; all but the last have an even number, and at least as many as the
filters have taps. A coefficient depends on rows of the rank before, so each rank first gets a
margin of its neighbour. The margins of all ranks are gathered, which needs no point-to-point calls
and is differentiable: their gradients are summed over the ranks.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Partial, Shard

import liftwave as lw


def split_dwt(part: Tensor, wavelet: str, mesh: DeviceMesh, mode: str) -> tuple[Tensor, Tensor]:
    """One level along the first axis; a rank returns the coefficients of its rows.

    Parameters
    ----------
    part : tensor
        The rows of this rank.
    wavelet : str
        The wavelet.
    mesh : DeviceMesh
        A mesh of one dimension.
    mode : str
        Any mode but the periodic ones, whose ends depend on each other.
    """
    margin = max(lw.Wavelet(wavelet).dec_len - 2, 2)
    rank, last = mesh.get_local_rank(), mesh.size() - 1
    tails = _gathered(part[-margin:], mesh)
    if rank == 0:
        block = part + 0 * tails.sum()  # gradients need the gathered tensor on each rank
    else:
        block = torch.cat([tails[margin * (rank - 1) : margin * rank], part])
    first = margin // 2 if rank else 0
    stop = None if rank == last else first + part.shape[0] // 2
    cA, cD = lw.dwt(block, wavelet, mode, axis=0)
    return cA[first:stop], cD[first:stop]


def split_idwt(cA: Tensor, cD: Tensor, wavelet: str, mesh: DeviceMesh) -> Tensor:
    """The rows of this rank from its coefficients, the inverse of :func:`split_dwt`.

    The last rank has one row too many if the signal has an odd number.
    """
    margin = max(lw.Wavelet(wavelet).dec_len // 2 - 1, 1)
    rank, last = mesh.get_local_rank(), mesh.size() - 1
    pair = torch.stack([cA, cD], dim=1)
    heads = _gathered(pair[:margin], mesh)
    if rank == last:
        block = pair + 0 * heads.sum()
    else:
        block = torch.cat([pair, heads[margin * (rank + 1) : margin * (rank + 2)]])
    rows = lw.idwt(block[:, 0], block[:, 1], wavelet, axis=0)
    return rows if rank == last else rows[: 2 * cA.shape[0]]


def _gathered(rows: Tensor, mesh: DeviceMesh) -> Tensor:
    """The rows of all ranks, one rank after the other. All have the same number."""
    split = DTensor.from_local(rows, mesh, [Shard(0)], run_check=False)
    return split.full_tensor(grad_placements=[Partial()])
