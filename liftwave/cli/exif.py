"""EXIF data, which have the structure of a TIFF file: directories of tags.

The values are copied as they are stored. Pillow would convert them, and replace letters beyond
ASCII.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO, Literal, NamedTuple, TypeAlias

ByteOrder: TypeAlias = Literal["<", ">"]

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005

# Tags that describe the picture, and not the layout of its file: title, maker, model, time, artist,
# copyright.
_DESCRIPTIVE = (0x010E, 0x010F, 0x0110, 0x0132, 0x013B, 0x8298)
# The size of the picture may change when it is rotated.
_STORED_SIZE = (0xA002, 0xA003)
_POINTERS = {0: (EXIF, GPS), EXIF: (INTEROPERABILITY,)}

_HEAD = b"Exif\0\0"
_ORDERS: dict[bytes, ByteOrder] = {b"II": "<", b"MM": ">"}
_BIG = 43

# Bytes of a value of each type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_LONG = 4
_MOST_TAGS = 4096


class Value(NamedTuple):
    """The type of a tag, the number of its values, and their bytes."""

    kind: int
    number: int
    content: bytes


Directory: TypeAlias = "dict[int, Value | Directory]"


class _Layout(NamedTuple):
    """The byte order, and the formats of a count of tags, of a tag and of an offset."""

    order: ByteOrder
    total: str = "H"
    tag: str = "HHI4s"
    offset: str = "I"

    def read(self, stream: BinaryIO, form: str) -> tuple[int | bytes, ...]:
        whole = struct.Struct(self.order + form)
        return whole.unpack(stream.read(whole.size))

    def offset_of(self, content: bytes) -> int:
        return int(struct.unpack_from(self.order + self.offset, content)[0])


def stored_exif(stream: BinaryIO) -> bytes:
    """The EXIF data of a TIFF file or an EXIF segment that do not depend on the samples."""
    order, directory = _opened(stream)
    return _HEAD + _header(order) + encoded(directory, order, 8) if directory else b""


def parsed_exif(content: bytes) -> tuple[ByteOrder, Directory]:
    """The byte order of EXIF data (``<`` or ``>``), and its tags."""
    return _opened(io.BytesIO(content.removeprefix(_HEAD)))


def _opened(stream: BinaryIO) -> tuple[ByteOrder, Directory]:
    stream.seek(0)
    order = _ORDERS[stream.read(2)]
    layout = _Layout(order)
    if layout.read(stream, "H") == (_BIG,):
        layout = _Layout(order, "Q", "HHQ8s", "Q")
        stream.seek(8)
    (start,) = layout.read(stream, layout.offset)
    return order, _directory(stream, layout, int(start), 0)


def _directory(stream: BinaryIO, layout: _Layout, start: int, group: int) -> Directory:
    """The tags of a directory that are kept; ``group`` is the tag that leads to it."""
    stream.seek(start)
    (count,) = layout.read(stream, layout.total)
    if int(count) > _MOST_TAGS:
        raise ValueError(f"{count!r} tags in one directory")
    rows = [layout.read(stream, layout.tag) for _ in range(int(count))]
    directory: Directory = {}
    for tag, kind, number, inline in rows:
        pair = Value(int(kind), int(number), bytes(inline))
        if tag in _POINTERS.get(group, ()):
            if nested := _directory(stream, layout, layout.offset_of(pair.content), int(tag)):
                directory[int(tag)] = nested
        elif tag in _DESCRIPTIVE if group == 0 else tag not in _STORED_SIZE:
            directory[int(tag)] = _whole(stream, layout, pair)
    return directory


def _whole(stream: BinaryIO, layout: _Layout, value: Value) -> Value:
    """The value with all its bytes, from the value with those in the directory."""
    size = _SIZES[value.kind] * value.number
    if size <= len(value.content):
        return value._replace(content=value.content[:size])
    stream.seek(layout.offset_of(value.content))
    content = stream.read(size)
    if len(content) < size:
        raise ValueError(f"{len(content)} of {size} bytes of a tag")
    return value._replace(content=content)


def _header(order: str) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HI", 42, 8)


def encoded(directory: Directory, order: str, start: int) -> bytes:
    """The bytes of a directory at the offset ``start`` of its file."""
    rows, contents = b"", b""
    offset = start + 2 + 12 * len(directory) + 4
    for tag, value in sorted(directory.items()):
        place = offset + len(contents)
        if isinstance(value, Value):
            kind, count, content = value
            inline = content if len(content) <= 4 else struct.pack(order + "I", place)
        else:
            kind, count, content = _LONG, 1, encoded(value, order, place)
            inline = struct.pack(order + "I", place)
        rows += struct.pack(order + "HHI4s", tag, kind, count, inline)
        if len(content) > 4 or not isinstance(value, Value):
            contents += content + bytes(len(content) % 2)
    return struct.pack(order + "H", len(directory)) + rows + bytes(4) + contents
