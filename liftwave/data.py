"""PyWavelets' example data: images, an electrocardiogram, temperatures, and test signals."""

from pywt.data import aero, ascent, camera, demo_signal, ecg, nino

__all__ = ["aero", "ascent", "camera", "demo_signal", "ecg", "nino"]
