"""Pooling over windows by CUDA kernels."""
