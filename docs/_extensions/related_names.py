"""Adds the section "See Also" to names of the reference whose docstring has none.

Each line of ``GROUPS`` has related names: each of them links to the others. Names without a module
are those of ``liftwave``. ``tests/test_docs.py`` checks that the names exist and that none is
missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GROUPS = """
dwt idwt wavedec decompose
dwt2 idwt2 wavedec2 decompose
dwtn idwtn wavedecn decompose
wavedec waverec dwt_max_level decompose swt
wavedec2 waverec2 dwt2 decompose swt2
wavedecn waverecn wavedecn_shapes decompose fswavedecn
fswavedecn fswaverecn FswavedecnResult
decompose Decomposition undecimated dtcwt
downcoef upcoef dwt wavedec
dwt_max_level dwtn_max_level dwt_coeff_len wavedecn_shapes wavedecn_size
coeffs_to_array array_to_coeffs ravel_coeffs unravel_coeffs wavedecn_size
pad dwt
swt iswt swt_max_level undecimated modwt mra
swt2 iswt2 undecimated mra2
swtn iswtn undecimated mran
mra imra modwt_mra undecimated
mra2 imra2 mra
mran imran mra
modwt imodwt modwt_mra modwt_shifts wavelet_variance
wavelet_variance wavelet_covariance wavelet_correlation WaveletEstimate
undecimated Undecimated decompose
wpdec wprec best_basis packet_bands swpdec
swpdec swprec wpdec
best_basis joint_basis least_dependent_basis discriminant_basis PacketTree
WaveletPacket WaveletPacket2D WaveletPacketND wpdec
BaseNode Node Node2D NodeND WaveletPacket
scalogram Scalogram Synchrosqueezed Ridge cwt
cross_scalogram CrossScalogram wavelet_coherence Coherence
scattering1d Scattering scattering2d ImageScattering
Morse Morlet Paul GaussianDerivative Bump scalogram
cwt scalogram scale2frequency frequency2scale central_frequency
integrate_wavelet wavefun central_frequency
wavefun scaling_function
dtcwt DualTree decompose
LiftingScheme LiftingStep FilterBank
denoise estimate_sigma threshold undecimated
threshold threshold_firm denoise
frequency_band remove_trend denoise scalogram
vjp gradients.Gradient gradients.Pullback operators.WaveletOperator
gradients.Gradient gradients.FilterBankGradient gradients.LiftingGradient vjp
gradients.PoolingGradient gradients.ThresholdGradient gradients.ScalogramGradient vjp
operators.WaveletOperator operators.ReconstructionOperator vjp
constraints.orthonormal_filters constraints.orthonormal_lowpass constraints.lattice_angles
constraints.random_orthonormal_filters constraints.orthonormal_filters torch.OrthonormalWavelet
constraints.symmetric_lifting constraints.symmetric_taps constraints.free_lifting
constraints.design_orthonormal constraints.coding_gain constraints.orthonormal_filters
constraints.lowpass_penalty constraints.highpass_penalty constraints.wavelet_penalty
constraints.reversibility_penalty constraints.symmetry_penalty constraints.wavelet_penalty
constraints.orthonormality_penalty constraints.wavelet_penalty torch.FiltersWavelet
constraints.vjp vjp constraints.wavelet_penalty
dask.plan dask.Report dask.to_zarr dask.from_zarr
zarr.decompose_to zarr.reconstruct_to zarr.open_decomposition dask.to_zarr
pooling.soft_pool pooling.ada_pool pooling.edscw_pool pooling.idw_pool torch.SoftPool2d
pooling.ada_pool pooling.ada_unpool pooling.region_weights torch.AdaPool2d
pooling.edscw_pool pooling.similarity_pool pooling.idw_pool
pooling.max_pool pooling.max_unpool pooling.nearest_unpool pooling.bed_of_nails_unpool
pooling.conv_transpose pooling.conv_transpose_matrix
pooling.lift_down pooling.lift_up pooling.lift_filters pooling.LiftFilters pooling.LiftPenalties
pooling.energy_attention torch.EnergyAttention torch.LDWBottleneck
torch.LearnableWavelet torch.OrthonormalWavelet torch.LinearPhaseWavelet torch.LiftingWavelet
torch.FiltersWavelet torch.auxiliary_loss torch.LearnableWavelet
torch.LinearPhase torch.Orthonormal torch.LinearPhaseWavelet
torch.auxiliary_loss torch.collect_penalties
torch.LiftUpPool1d torch.LiftDownPool1d
torch.LiftUpPool2d torch.LiftDownPool2d
torch.LiftUpPool3d torch.LiftDownPool3d
torch.LDWPool1d torch.LDWUnpool1d torch.DWT1d
torch.LDWPool2d torch.LDWUnpool2d torch.DWT2d torch.LDWBottleneck
torch.LDWPool3d torch.LDWUnpool3d torch.DWT3d
torch.pooling_modules torch.replace_pooling torch.Place torch.Replacement torch.Replacements
xarray.ArrayWavelets xarray.TreeWavelets decompose
sklearn.WaveletTransformer sklearn.WaveletFeatures sklearn.WaveletDenoiser
sklearn.ScatteringTransformer sklearn.WaveletFeatures scattering1d
kernels show_config
get_num_threads set_num_threads show_config
get_reused_memory set_reused_memory set_num_threads
data.speech scalogram
torch.zoo.BlurPool2d torch.zoo.MaxBlurPool2d torch.zoo.GaussianPool2d torch.LiftDownPool2d
torch.zoo.SkipPool2d torch.zoo.LpPool2d torch.zoo.MixedPool2d torch.zoo.GatedPool2d
torch.zoo.StochasticPool2d torch.zoo.S3Pool2d
torch.zoo.DetailPreservingPool2d torch.zoo.LocalImportancePool2d torch.AdaPool2d
torch.zoo.SpectralPool2d torch.zoo.WaveletPool2d torch.zoo.PixelShuffle2d
"""


def related(name: str) -> list[str]:
    """The names that belong to a name of ``liftwave``."""
    groups = [line.split() for line in GROUPS.strip().splitlines()]
    return list(dict.fromkeys(n for group in groups if name in group for n in group if n != name))


def add_section(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Append the section, before numpydoc reads the docstring."""
    names = related(name.removeprefix("liftwave."))
    if names and "See Also" not in lines:
        lines += ["", "See Also", "--------", ", ".join(f"liftwave.{name}" for name in names), ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the step before numpydoc's."""
    app.connect("autodoc-process-docstring", add_section, priority=100)
    return {"parallel_read_safe": True}
