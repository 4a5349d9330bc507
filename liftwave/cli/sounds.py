"""Reads and writes sounds (.wav) with all their bits, and reads .flac and .ogg by soundfile."""

from __future__ import annotations

import struct
import warnings
import wave
from typing import Any, BinaryIO

import numpy as np

from liftwave._files.source import Source
from liftwave.errors import FileError

_PACKED_DTYPES = {"PCM_S8": "int16", "PCM_16": "int16", "PCM_24": "int32"}

_DTYPES = ("uint8", "int16", "int32", "int64", "float32", "float64")


def read_sound(source: Source) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """The samples, and the rate; samples of 24 bits are integers up to 2**23."""
    from scipy.io import wavfile

    width = _bytes_per_sample(source.stream)
    source.stream.seek(0)
    with warnings.catch_warnings():
        # scipy only warns about samples that are missing at the end.
        warnings.filterwarnings("error", message=".*EOF")
        rate, samples = wavfile.read(source.stream)
    extra: dict[str, Any] = {"rate": int(rate)}
    if width == 3:
        # scipy shifts them to the range of 32 bits.
        return samples >> 8, extra | {"bits": 24}
    return samples, extra


def read_packed_sound(source: Source) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """The samples and the rate of a .flac or .ogg file; samples of 24 bits as :func:`read_sound`.

    Raises
    ------
    FileError
        If soundfile is missing.
    """
    try:
        import soundfile
    except ImportError:
        raise FileError(
            f"{source.path}: reading a {source.path.suffix} file needs soundfile: "
            "pip install 'liftwave[audio]'"
        ) from None
    with soundfile.SoundFile(source.stream) as file:
        # Lossy formats have floating-point samples.
        dtype = _PACKED_DTYPES.get(file.subtype, "float32")
        source.check_unpacked(file.frames * file.channels * np.dtype(dtype).itemsize)
        samples = file.read(dtype=dtype)
        extra: dict[str, Any] = {"rate": int(file.samplerate)}
        if file.subtype == "PCM_24":
            # soundfile shifts them to the range of 32 bits.
            return samples >> 8, extra | {"bits": 24}
        return samples, extra


def _bytes_per_sample(stream: BinaryIO) -> int:
    """The width that the format chunk of a RIFF file states; 0 if it has none."""
    stream.seek(0)
    order = {b"RIFF": "<", b"RF64": "<", b"RIFX": ">"}.get(stream.read(12)[:4])
    while order and len(head := stream.read(8)) == 8:
        (size,) = struct.unpack(order + "I", head[4:])
        if head[:4] == b"fmt ":
            channels, width = struct.unpack(order + "2xH8xH", stream.read(14))
            return int(width // channels) if channels else 0
        stream.seek(size + size % 2, 1)
    return 0


def write_sound(
    stream: BinaryIO, array: np.ndarray[Any, Any], extra: dict[str, Any], name: str
) -> None:
    """Write samples of the shape (samples,) or (samples, channels).

    Raises
    ------
    FileError
        If a .wav file cannot hold such samples, or the rate is unknown.
    """
    from scipy.io import wavfile

    if array.dtype.name not in _DTYPES or array.ndim not in (1, 2):
        raise FileError(
            f"{name}: a sound must have the shape (samples,) or (samples, channels) and dtype "
            f"{', '.join(_DTYPES)}, got {array.shape} and {array.dtype}; write a .npy file instead"
        )
    if "rate" not in extra:
        raise FileError(f"{name}: cannot write a .wav file: the input has no sample rate")
    if extra.get("bits") == 24:
        _write_24_bits(stream, array, extra["rate"])
    else:
        wavfile.write(stream, extra["rate"], array)


def _write_24_bits(stream: BinaryIO, array: np.ndarray[Any, Any], rate: int) -> None:
    # The three low bytes of each little-endian integer.
    narrow = np.ascontiguousarray(array, "<i4").view(np.uint8).reshape(-1, 4)[:, :3]
    with wave.open(stream, "wb") as file:
        file.setnchannels(1 if array.ndim == 1 else array.shape[1])
        file.setsampwidth(3)
        file.setframerate(rate)
        file.writeframes(narrow.tobytes())
