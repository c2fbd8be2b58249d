"""Packets that nobody sent, for Wire.forge: each made from a segment that was seen.

They go on from the last segment of one side, or answer one of the other side, so that addresses, ports and sequence
numbers are right except for what the case wants wrong.
"""

import struct
from ipaddress import ip_address
from typing import Any

from ..trace.icmp import FRAGMENTATION_NEEDED, Icmp
from ..trace.segments import ACK, RST, SYN, Flag, Segment
from ..trace.sockets import Endpoint
from ..verdict import Broken, hidden

__tracebackhide__ = hidden

_AROUND = 1 << 32
_WINDOW = 65535
_TTL = 64
_QUOTED = {4: 28, 6: 1232}
"""Bytes of the packet that an ICMP message quotes: at least its header and 8 more; ICMPv6 as many as fit."""


def follow(
    last: Segment,
    flags: Flag = ACK,
    *,
    ahead: int = 0,
    data: bytes = b"",
    acknowledgement: int | None = None,
    window: int = _WINDOW,
) -> bytes:
    """What the sender of a segment might send next.

    Args:
        last: the last segment that it sent: wire.last(sender=client).
        ahead: how far the sequence number is beyond the next one; negative for an old one.
        acknowledgement: as in its last segment, if None.
    """
    return _tcp(
        last.source,
        last.destination,
        sequence=last.end + ahead,
        acknowledgement=last.acknowledgement if acknowledgement is None else acknowledgement,
        flags=flags,
        window=window,
        data=data,
    )


def reply(
    to: Segment, flags: Flag = ACK, *, ahead: int = 0, data: bytes = b"", window: int = _WINDOW
) -> bytes:
    """What the receiver of a segment might answer; it acknowledges the segment.

    Args:
        to: the segment, which need not have arrived.
        ahead: how far the sequence number is beyond the one that the segment acknowledges.
    """
    return _tcp(
        to.destination,
        to.source,
        sequence=to.acknowledgement + ahead,
        acknowledgement=to.end if flags & ACK else 0,
        flags=flags,
        window=window,
        data=data,
    )


def rst(last: Segment, ahead: int = 0) -> bytes:
    """A reset in the name of a segment's sender.

    Args:
        ahead: 0 is just what the receiver expects next; a little more is inside its window, less than 0 or more than
            the window is outside.
    """
    return follow(last, RST, ahead=ahead, acknowledgement=0)


def syn(last: Segment, ahead: int = 1 << 16) -> bytes:
    """A new connection from the same port, in the name of a segment's sender.

    Args:
        ahead: how far its first sequence number is beyond the old connection's; less than 0 for an older one.
    """
    return follow(last, SYN, ahead=ahead, acknowledgement=0)


def again(seen: Segment) -> bytes:
    """An old duplicate of a segment, byte for byte.

    Raises:
        Broken: it was so long that only its beginning was kept.
    """
    if len(seen.raw) < seen.whole:
        raise Broken(f"only {len(seen.raw)} of {seen.whole} bytes of the segment were kept: {seen}")
    return seen.raw


def icmp(says: Icmp, about: Segment, source: str, mtu: int | None = None) -> bytes:
    """What a router or a host says to the sender of a packet that it does not deliver.

    Args:
        about: the packet.
        source: the address that says it: router.address.
        mtu: how long packets may be; FRAGMENTATION_NEEDED alone has it, and must.

    Raises:
        Broken: there is an mtu and should be none, or the other way round.
    """
    if (says is FRAGMENTATION_NEEDED) != (mtu is not None):
        raise Broken(f"{says}: the mtu belongs to {FRAGMENTATION_NEEDED} and to nothing else")
    import dpkt

    version = 6 if ":" in source else 4
    kind, code = says.code(version)
    text = struct.pack("!I", mtu or 0) + about.raw[: _QUOTED[version]]
    build = dpkt.icmp6.ICMP6 if version == 6 else dpkt.icmp.ICMP
    protocol = dpkt.ip.IP_PROTO_ICMP6 if version == 6 else dpkt.ip.IP_PROTO_ICMP
    message = build(type=kind, code=code, data=text)
    return _ip(source, about.source.host, protocol, message)


def _tcp(
    source: Endpoint,
    destination: Endpoint,
    *,
    sequence: int,
    acknowledgement: int,
    flags: Flag,
    window: int,
    data: bytes,
) -> bytes:
    import dpkt

    header = dpkt.tcp.TCP(
        sport=source.port,
        dport=destination.port,
        seq=sequence % _AROUND,
        ack=acknowledgement % _AROUND,
        flags=int(flags),
        win=window,
        data=data,
    )
    return _ip(source.host, destination.host, dpkt.ip.IP_PROTO_TCP, header)


def _ip(source: str, destination: str, protocol: int, data: Any) -> bytes:
    import dpkt

    addresses = {"src": ip_address(source).packed, "dst": ip_address(destination).packed}
    if ":" in source:
        length = len(bytes(data))
        packet = dpkt.ip6.IP6(**addresses, nxt=protocol, plen=length, hlim=_TTL, data=data)
        packet.extension_hdrs = []
    else:
        packet = dpkt.ip.IP(**addresses, p=protocol, ttl=_TTL, data=data)
    return bytes(packet)
