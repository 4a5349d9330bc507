"""CUDA kernels for CuPy arrays and torch tensors on a device."""
