"""Pooling over windows by the array API."""
