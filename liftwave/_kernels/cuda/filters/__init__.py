"""Filter banks by CUDA kernels."""
