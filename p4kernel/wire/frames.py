"""Frames as bytes: encoding, and a reader that finds frames in a stream that may be damaged.

The layout is that of ``stubs/protocol.yaml``. Both CRCs are zlib's CRC-32.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple
from zlib import crc32

from p4kernel.wire._tables import HEADER_SIZE, MAGIC, MAX_PAYLOAD, VERSION, Header

_CRC: Final = struct.Struct("<I")
_MAGIC: Final = MAGIC.to_bytes(2, "little")
_BODY: Final = HEADER_SIZE + _CRC.size  # where the payload begins
OVERHEAD: Final = _BODY + _CRC.size  # bytes of a frame without payload


class Frame(NamedTuple):
    """One frame, decoded. ``payload`` is a copy: it does not change when more bytes arrive."""

    version: int
    type: int
    session: int
    seq: int
    ack: int
    arg: int
    flags: int
    stream: int
    payload: bytes


def encode(
    type: int,
    session: int,
    seq: int,
    ack: int = 0,
    arg: int = 0,
    payload: bytes | bytearray | memoryview = b"",
    flags: int = 0,
    stream: int = 0,
    version: int = VERSION,
) -> bytes:
    """The bytes of one frame. Raises ValueError for a payload over the protocol's limit."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a frame carries at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    head = Header(MAGIC, version, type, session, seq, ack, arg, len(payload), flags, stream).pack()
    head_crc = _CRC.pack(crc32(head))
    return b"".join((head, head_crc, payload, _CRC.pack(crc32(payload, crc32(head_crc)))))


@dataclass(slots=True)
class Damage:
    """What a reader passed over so far."""

    skipped: int = 0  # bytes that belong to no frame
    bad_bodies: int = 0  # frames with a good header and a bad body


class FrameReader:
    """Cuts a byte stream into frames. Bytes that are no frame are skipped and counted in ``damage``."""

    def __init__(self) -> None:
        self._rest = b""
        self.damage = Damage()

    def feed(self, data: bytes) -> list[Frame]:
        """Takes more bytes and returns the frames that are now complete."""
        if self._rest:
            data = self._rest + data
        frames: list[Frame] = []
        position, size = 0, len(data)
        while size - position >= _BODY:
            header = _header(data, position)
            if header is None:
                start = data.find(_MAGIC[0], position + 1)
                start = size if start < 0 else start
                self.damage.skipped += start - position
                position = start
                continue
            end = position + OVERHEAD + header.len
            if size < end:
                break
            payload = data[position + _BODY : end - _CRC.size]
            seed = crc32(data[position + HEADER_SIZE : position + _BODY])
            if crc32(payload, seed) == int.from_bytes(data[end - _CRC.size : end], "little"):
                _, version, kind, session, seq, ack, arg, _, flags, stream = header
                frames.append(Frame(version, kind, session, seq, ack, arg, flags, stream, payload))
            else:
                self.damage.bad_bodies += 1
            position = end
        self._rest = data[position:]
        return frames

    def resync(self) -> None:
        """Forgets the frame that is not complete: what follows may not be its end."""
        self._rest = b""


def _header(data: bytes, position: int) -> Header | None:
    """The header at ``position``, or None when there is no good one."""
    head = data[position : position + HEADER_SIZE]
    if head[:2] != _MAGIC or crc32(head) != int.from_bytes(data[position + HEADER_SIZE : position + _BODY], "little"):
        return None
    header = Header.unpack(head)
    return header if header.len <= MAX_PAYLOAD else None
