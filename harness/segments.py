"""Segments: what went over a link, and whose program sent it."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .event import Event
from .sockets import Endpoint


class Flag(enum.IntFlag):
    """The flags of a TCP segment."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10
    URG = 0x20

    def __str__(self) -> str:
        return " ".join(str(flag.name) for flag in Flag if flag in self)


FIN = Flag.FIN
SYN = Flag.SYN
RST = Flag.RST
ACK = Flag.ACK

_ALL = Flag.FIN | Flag.SYN | Flag.RST | Flag.PSH | Flag.ACK | Flag.URG
_UNKNOWN = "?"


@dataclass(frozen=True)
class Segment:
    """One TCP segment."""

    sender: str
    """The name of the program whose socket sent it; "?" when no call of a program tells."""
    source: Endpoint
    destination: Endpoint
    flags: Flag
    sequence: int
    acknowledgement: int
    length: int
    """Bytes of data."""
    time: int
    """Nanoseconds of the real-time clock."""
    seq: int
    """Its place among the lab's events."""
    receiver: str = _UNKNOWN
    """The name of the program whose socket it is for; "?" likewise."""
    sender_process: int = 0
    """The number of the process whose call gave the source its name; 0 when the sender is unknown."""
    receiver_process: int = 0

    def __str__(self) -> str:
        data = f" {self.length} bytes" if self.length else ""
        return f"{self.flags}{data} {self.source} -> {self.destination} by {self.sender}"


def parse(event: Event) -> Segment | None:
    """The segment of an event that carries its bytes, the sender unknown; None when it is not TCP."""
    # Here, because the parser takes long to import and most cases never look at a segment.
    import dpkt

    if not event.raw:
        return None
    try:
        version = event.raw[0] >> 4
        packet = dpkt.ip6.IP6(event.raw) if version == 6 else dpkt.ip.IP(event.raw)
    except dpkt.UnpackError:
        return None
    tcp = packet.data
    if not isinstance(tcp, dpkt.tcp.TCP):
        return None
    # The capture keeps only the beginning, so the length of the data comes from the whole frame's.
    headers = len(event.raw) - len(tcp.data) if version == 6 else packet.hl * 4 + tcp.off * 4
    return Segment(
        sender=_UNKNOWN,
        source=Endpoint(dpkt.utils.inet_to_str(packet.src), tcp.sport),
        destination=Endpoint(dpkt.utils.inet_to_str(packet.dst), tcp.dport),
        flags=Flag(tcp.flags) & _ALL,
        sequence=tcp.seq,
        acknowledgement=tcp.ack,
        length=max(0, event.length - headers),
        time=event.time,
        seq=event.seq,
    )


@dataclass(frozen=True)
class _Claim:
    """A program's claim to an endpoint, from a moment on."""

    since: int
    endpoint: Endpoint
    name: str
    process: int

    def covers(self, endpoint: Endpoint, time: int) -> bool:
        anywhere = self.endpoint.host in ("0.0.0.0", "::")
        here = anywhere or _plain(self.endpoint.host) == endpoint.host
        return here and self.endpoint.port == endpoint.port and self.since <= time


_NOBODY = _Claim(0, Endpoint("", 0), _UNKNOWN, 0)


@dataclass
class _Connect:
    """A call of connect: where to, and from when to when it lasted."""

    since: int
    until: float
    destination: Endpoint
    name: str
    process: int
    used: bool = False


def _plain(host: str) -> str:
    """An IPv4 address mapped into IPv6 as segments show it."""
    return host.removeprefix("::ffff:") if "." in host else host


class Senders:
    """Finds the program that a segment comes from, from the calls that gave its endpoints a name.

    A server's endpoint is known from bind, a client's from the connect that was under way when its SYN left, either
    from getsockname. Of several connects to one address that overlap, the SYN belongs to the one that ended first.
    """

    def __init__(self, calls: Iterable[Event], names: Mapping[int, str]) -> None:
        """
        Args:
            calls: the enter and leave events of bind, connect and getsockname.
            names: the program's name of each process.
        """
        self._names = names
        self._claims: list[_Claim] = []
        self._connects: dict[int, _Connect] = {}
        for event in calls:
            if event.call == "connect":
                self._note_connect(event)
            elif event.outcome is not None and event.outcome.errno is None:
                self._note_claim(event)

    def _note_connect(self, event: Event) -> None:
        destination = _address(event.args)
        if event.kind == "leave" and event.entered in self._connects:
            self._connects[event.entered].until = event.time
        elif event.kind == "enter" and destination:
            who = self._who(event)
            self._connects[event.seq] = _Connect(event.time, float("inf"), destination, *who)

    def _note_claim(self, event: Event) -> None:
        endpoint = _address(event.args)
        if endpoint and endpoint.port:
            self._claims.append(_Claim(event.time, endpoint, *self._who(event)))

    def _who(self, event: Event) -> tuple[str, int]:
        number = event.process or 0
        return self._names.get(number, _UNKNOWN), number

    def name(self, segments: Iterable[Segment]) -> list[Segment]:
        """The segments in the order of time, each with its sender and receiver."""
        named = []
        for segment in sorted(segments, key=lambda segment: segment.time):
            if segment.flags & SYN and not segment.flags & ACK:
                self._note_syn(segment)
            named.append(self._named(segment))
        return named

    def _named(self, segment: Segment) -> Segment:
        sender = self._owner(segment.source, segment.time)
        receiver = self._owner(segment.destination, segment.time)
        return replace(
            segment,
            sender=sender.name,
            sender_process=sender.process,
            receiver=receiver.name,
            receiver_process=receiver.process,
        )

    def _note_syn(self, syn: Segment) -> None:
        under_way = [
            connect
            for connect in self._connects.values()
            if not connect.used
            and connect.since <= syn.time <= connect.until
            and _same_place(connect.destination, syn.destination)
        ]
        if not under_way:
            return  # a retransmission, whose sender is known, or not a program's
        connect = min(under_way, key=lambda connect: (connect.until, -connect.since))
        connect.used = True
        self._claims.append(_Claim(syn.time, syn.source, connect.name, connect.process))

    def _owner(self, endpoint: Endpoint, time: int) -> _Claim:
        covering = [claim for claim in self._claims if claim.covers(endpoint, time)]
        exact = [claim for claim in covering if _plain(claim.endpoint.host) == endpoint.host]
        best = exact or covering
        return max(best, key=lambda claim: claim.since) if best else _NOBODY


def _same_place(wanted: Endpoint, seen: Endpoint) -> bool:
    # Connecting to the wildcard address means this host.
    return wanted.port == seen.port and (
        _plain(wanted.host) == seen.host or wanted.host in ("0.0.0.0", "::")
    )


def _address(args: Mapping[str, Any]) -> Endpoint | None:
    """The first Internet address among a call's arguments."""
    for value in args.values():
        if isinstance(value, dict) and "port" in value and value.get("host"):
            return Endpoint(value["host"], value["port"])
    return None


def with_flags(segments: Sequence[Segment], flags: Flag | None) -> list[Segment]:
    """Those that have all of the flags set, and perhaps others."""
    return [s for s in segments if flags is None or s.flags & flags == flags]
