"""
A volume, and data bigger than memory
=====================================

Transforms work on arrays of any number of dimensions. This example denoises a volume of a brain,
and then does the same block by block from a file of Zarr, as for a volume that does not fit into
memory.
"""

# %%
# nibabel contains a small recording of magnetic resonance: 128 x 96 x 24 voxels of 2 x 2 x 2.2
# mm, twice.
import tempfile
from pathlib import Path

import dask.array as da
import matplotlib.pyplot as plt
import nibabel
import numpy as np
import zarr

import liftwave as lw
import liftwave.dask
import liftwave.zarr

path = Path(nibabel.__file__).parent / "tests" / "data" / "example4d.nii.gz"
volume = np.asarray(nibabel.load(path).dataobj)[..., 0].astype("float32")
noisy = volume + 60 * np.random.default_rng(0).standard_normal(volume.shape).astype("float32")

# %%
# One level of a transform along three axes has eight bands. Their keys have one letter for each
# axis: ``a`` for the approximation, ``d`` for the detail.
bands = lw.dwtn(volume, "db2")
print({key: band.shape for key, band in bands.items()})

# %%
# ``denoise`` transforms all axes of the array.
clean = lw.denoise(noisy, "db2", method="bayes", level=2)


def error(result: np.ndarray) -> float:
    """Root mean square error, relative to the largest value of the volume."""
    return float(np.sqrt(np.mean((result - volume) ** 2)) / volume.max())


print(f"error: noisy {error(noisy):.2%}, denoised {error(clean):.2%}")
fig, axes = plt.subplots(1, 3, figsize=(9.5, 4.4))
panels = {"the recording": volume, "with noise": noisy, "denoised": clean}
for ax, (title, values) in zip(axes, panels.items(), strict=True):
    ax.imshow(values[:, :, 12], vmin=0, vmax=1000)
    ax.set_title(title)
    ax.set_axis_off()
plt.show()

# %%
# The pictures show the middle slice. The denoised slice has the outline of the head and the large
# structures of the brain. The finest structures are lost in the noise.
#
# In blocks
# ---------
#
# The same volume in a file of Zarr, in chunks of 64 x 48 x 24 voxels. A graph of dask reads each
# chunk with a margin of its neighbours, so that the result does not depend on the chunks.
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
zarr.create_array(folder / "noisy.zarr", data=noisy, chunks=(64, 48, 24))
stored = da.from_zarr(folder / "noisy.zarr")
print(liftwave.dask.plan(stored, "db2", 2))

by_blocks = lw.denoise(stored, "db2", method="bayes", level=2).compute()
print("largest difference to the whole volume:", f"{np.abs(by_blocks - clean).max():.0e}")

# %%
# The largest difference is rounding: thresholds are sums, and the order of the sums differs.
# Transforms have the same bits as those of the whole volume. ``decompose_to`` writes the bands to
# a file, and an interrupted run continues where it stopped:
source = zarr.open_array(folder / "noisy.zarr")
liftwave.zarr.decompose_to(source, folder / "bands.zarr", "db2", 2)
opened = liftwave.zarr.open_decomposition(folder / "bands.zarr")
print("same bits:", opened == lw.decompose(noisy, "db2", 2))
temporary.cleanup()

# %%
# The guide :doc:`/guide/bigger_than_memory` measures the memory of both ways for 8 GB of data.
