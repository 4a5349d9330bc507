"""Example data: PyWavelets' images, signals and test signals, and a recording of speech."""

from __future__ import annotations

import wave
from importlib.resources import files

import numpy as np
from pywt.data import aero, ascent, camera, demo_signal, ecg, nino

__all__ = ["aero", "ascent", "camera", "demo_signal", "ecg", "nino", "speech"]


def speech() -> tuple[int, np.ndarray]:
    """Four seconds of recorded speech.

    Returns
    -------
    rate : int
        The number of samples per second, 16000.
    x : ndarray of int16, shape (64000,)
        The samples. The rate is first, as in the results of ``scipy.io.wavfile.read``.

    Notes
    -----
    An utterance of the CMU ARCTIC databases (J. Kominek and A. W. Black, technical report
    CMU-LTI-03-177, Carnegie Mellon University, 2003), which are free for every use.

    Examples
    --------
    >>> import liftwave as lw
    >>> rate, x = lw.data.speech()
    >>> rate, x.shape, x.dtype
    (16000, (64000,), dtype('int16'))
    """
    with (
        (files("liftwave") / "_recordings" / "speech.wav").open("rb") as file,
        wave.open(file) as sound,
    ):
        frames = sound.readframes(sound.getnframes())
        return sound.getframerate(), np.frombuffer(frames, "<i2").astype(np.int16)
