"""Is a file shorter than it says of itself?

ffprobe is content with a recording whose index is whole, though its pictures end in
the middle. The outermost sizes of MP4/MOV (ISO/IEC 14496-12, 4.2) and RIFF files
(AVI, WAV) and the end mark of JPEG and PNG tell. Runs in the confined process only.
"""

import os
import struct
from typing import BinaryIO

_MOST_BOXES = 10_000
_TAIL = 1 << 16


def is_cut_short(path: bytes) -> bool:
    """Tell whether the file ends before its own container does; False when unknown."""
    with open(path, "rb") as file:
        return ends_early(file)


def ends_early(file: BinaryIO) -> bool:
    """Tell the same of an open file."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip"):
        return _boxes_overrun(file, size)
    if head[:4] == b"RIFF" and len(head) >= 8:
        return _riff_overruns(head, size)
    if head[:3] == b"\xff\xd8\xff":
        return not _jpeg_has_end(file, size)
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        return b"IEND" not in _tail(file, size, _TAIL)
    return False


def _boxes_overrun(file: BinaryIO, size: int) -> bool:
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= size:
            return at > size
        file.seek(at)
        header = file.read(16)
        if len(header) < 8:
            return at > 0 and bool(header.strip(b"\0"))
        (length,) = struct.unpack(">I", header[:4])
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">Q", header[8:16])
        if length == 0:  # "to the end of the file"
            return False
        if length < 8:  # padding or rubbish behind the last box: not a cut
            return False
        at += length
    return False


def _riff_overruns(head: bytes, size: int) -> bool:
    (length,) = struct.unpack("<I", head[4:8])
    unfinished = length in (0, 0xFFFFFFFF)
    return not unfinished and length + 8 > size


def _jpeg_has_end(file: BinaryIO, size: int) -> bool:
    """Look for the end mark behind the start of the picture (ITU-T T.81, B.2).

    A preview inside the metadata has an end mark of its own, before that.
    """
    at = 2
    for _ in range(_MOST_BOXES):
        file.seek(at)
        header = file.read(4)
        if len(header) < 4 or header[0] != 0xFF:
            return False
        (length,) = struct.unpack(">H", header[2:])
        if header[1] == 0xDA:
            start = max(at, size - _TAIL)
            file.seek(start)
            return file.read(_TAIL).rfind(b"\xff\xd9") >= 0  # it is near the end
        at += 2 + length
    return False


def _tail(file: BinaryIO, size: int, most: int) -> bytes:
    file.seek(max(0, size - most))
    return file.read(most)
