"""Arrays and boundaries as arguments of CUDA kernels, and the launch of kernels."""
