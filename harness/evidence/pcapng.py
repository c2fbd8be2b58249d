"""Captured frames as a file that Wireshark and tshark open: pcapng, whole IP packets without a link's header."""

import struct
from collections.abc import Iterable, Sequence

from ..trace.event import Event

SNAP = 256
"""Bytes that the conductor keeps of a frame."""

_LINKTYPE_RAW = 101
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_ORDER = 0x1A2B3C4D
_COMMENT, _NAME, _RESOLUTION, _APPLICATION = 1, 2, 9, 4
_NANOSECONDS = 9
"""Of the real-time clock, as a power of ten below a second."""


def pcapng(events: Iterable[Event]) -> bytes:
    """A file of segment events with their bytes, in the order of time; an interface for each link and wire.

    What became of a frame on the wire is its comment. What is not IP has no place in a file of this kind.
    """
    frames = sorted((e for e in events if _is_ip(e.raw)), key=lambda event: event.time)
    names = list(dict.fromkeys(_interface_of(frame) for frame in frames)) or ["none"]
    blocks = [_section(), *map(_interface, names)]
    blocks += [_packet(frame, names.index(_interface_of(frame))) for frame in frames]
    return b"".join(blocks)


def _is_ip(raw: bytes) -> bool:
    return len(raw) > 0 and raw[0] >> 4 in (4, 6)


def _interface_of(frame: Event) -> str:
    return " ".join(filter(None, (frame.host, frame.wire or frame.link))) or "lo"


def _section() -> bytes:
    body = struct.pack("=IHHq", _ORDER, 1, 0, -1)
    return _block(_SECTION, body, [(_APPLICATION, b"sockspec")])


def _interface(name: str) -> bytes:
    body = struct.pack("=HHI", _LINKTYPE_RAW, 0, SNAP)
    return _block(_INTERFACE, body, [(_NAME, name.encode()), (_RESOLUTION, bytes([_NANOSECONDS]))])


def _packet(frame: Event, interface: int) -> bytes:
    kept = frame.raw[:SNAP]
    high, low = frame.time >> 32, frame.time & 0xFFFFFFFF
    body = struct.pack("=IIIII", interface, high, low, len(kept), max(frame.length, len(frame.raw)))
    comment = [] if frame.fate == "passed" else [(_COMMENT, frame.fate.encode())]
    return _block(_PACKET, body + _padded(kept), comment)


def _block(kind: int, body: bytes, options: Sequence[tuple[int, bytes]] = ()) -> bytes:
    ends = struct.pack("=HH", 0, 0) if options else b""
    told = b"".join(
        struct.pack("=HH", code, len(value)) + _padded(value) for code, value in options
    )
    length = struct.pack("=I", 12 + len(body) + len(told) + len(ends))
    return struct.pack("=I", kind) + length + body + told + ends + length


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
