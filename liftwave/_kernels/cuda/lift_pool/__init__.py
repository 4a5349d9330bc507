"""Lifting pooling by CUDA kernels."""
