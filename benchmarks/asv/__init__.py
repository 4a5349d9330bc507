"""Timing functions for airspeed velocity: ``asv run --config benchmarks/asv/asv.conf.json``."""
