"""Segments: what went over a link or a wire, and whose program sent it."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..seen import Drawn
from .event import Event
from .icmp import Icmp, icmp_of
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
PSH = Flag.PSH
ACK = Flag.ACK

_ALL = Flag.FIN | Flag.SYN | Flag.RST | Flag.PSH | Flag.ACK | Flag.URG
_UNKNOWN = "?"
_AROUND = 1 << 32
"""Where sequence numbers begin again."""


class Protocol(enum.StrEnum):
    """What a frame carries."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"
    ICMPV6 = "icmpv6"
    ARP = "arp"
    OTHER = "other"


class Fate(enum.StrEnum):
    """What became of a segment on a wire. On loopback every segment passes."""

    PASSED = "passed"
    DROPPED = "dropped"
    HELD = "held"
    DUPLICATED = "duplicated"
    """It arrived twice."""
    DELAYED = "delayed"
    FORGED = "forged"
    """Nobody sent it but the case."""
    CUT = "cut"
    """The wire was cut, or the host at its other end had crashed."""
    RELEASED = "released"
    """One that was held or delayed went on."""


@dataclass(frozen=True)
class Segment:
    """One TCP segment, or another packet."""

    sender: str
    """The name of the program whose socket sent it; "?" when no call of a program tells."""
    source: Endpoint
    destination: Endpoint
    flags: Flag
    sequence: int
    """Drawn anew in each run, as all that is counted from it."""
    acknowledgement: int
    length: int
    """Bytes of data; of another protocol than TCP and UDP, what follows the header of IP."""
    time: int
    """Nanoseconds of the real-time clock."""
    seq: int
    """Its place among the lab's events."""
    receiver: str = _UNKNOWN
    """The name of the program whose socket it is for; "?" likewise."""
    sender_process: int = 0
    """The number of the process whose call gave the source its name; 0 when the sender is unknown."""
    receiver_process: int = 0
    host: str = ""
    """The host that it left; for a forged one, the host that it seems to have left."""
    wire: str | None = None
    """The wire that it was on; None on loopback."""
    fate: Fate = Fate.PASSED
    coming: int = 0
    """The seq of its coming, for one that was released, or dropped after it was held; else 0."""
    window: int = 0
    """As the header has it, not scaled."""
    protocol: Protocol = Protocol.TCP
    icmp: Icmp | None = None
    """What it says, when it is ICMP and says that a packet was not delivered."""
    whole: int = 0
    """Bytes of the whole packet."""
    raw: bytes = field(default=b"", repr=False, compare=False)
    """The packet's bytes, as far as they were kept."""

    @property
    def end(self) -> Drawn:
        """The sequence number that follows it."""
        counted = self.length + bool(self.flags & SYN) + bool(self.flags & FIN)
        return Drawn((self.sequence + counted) % _AROUND)

    def __str__(self) -> str:
        data = f" {self.length} bytes" if self.length else ""
        fate = "" if self.fate is Fate.PASSED else f", {self.fate}"
        by = self.host if self.sender == _UNKNOWN and self.wire else self.sender
        return f"{self._what()}{data} {self.source} -> {self.destination} by {by}{fate}"

    def _what(self) -> str:
        return str(self.flags) if self.protocol is Protocol.TCP else str(self.icmp or self.protocol)


def parse(event: Event) -> Segment | None:
    """The segment of an event that carries its bytes, the sender unknown; None when it is not TCP."""
    packet = parse_any(event)
    return packet if packet and packet.protocol is Protocol.TCP else None


def parse_any(event: Event) -> Segment | None:
    """As parse, of whatever protocol; None when there are no bytes."""
    # Here, because the parser takes long to import and most cases never look at a segment.
    import dpkt

    if not event.raw:
        return None
    version = event.raw[0] >> 4
    try:
        if version not in (4, 6):
            return _bare(event, Protocol.ARP)
        packet = dpkt.ip6.IP6(event.raw) if version == 6 else dpkt.ip.IP(event.raw)
    except dpkt.UnpackError:
        return _bare(event, Protocol.OTHER)
    hosts = dpkt.utils.inet_to_str(packet.src), dpkt.utils.inet_to_str(packet.dst)
    data = packet.data
    if isinstance(data, dpkt.tcp.TCP):
        return _tcp(event, packet, hosts)
    if isinstance(data, dpkt.udp.UDP):
        bare = _bare(event, Protocol.UDP, hosts, (data.sport, data.dport))
        return replace(bare, length=max(0, data.ulen - 8))
    return _other(event, packet, hosts)


def _tcp(event: Event, packet: Any, hosts: tuple[str, str]) -> Segment:
    tcp = packet.data
    # The capture keeps only the beginning, so the length of the data comes from the whole frame's.
    headers = len(event.raw) - len(tcp.data) if packet.v == 6 else packet.hl * 4 + tcp.off * 4
    return replace(
        _bare(event, Protocol.TCP, hosts, (tcp.sport, tcp.dport)),
        flags=Flag(tcp.flags) & _ALL,
        sequence=Drawn(tcp.seq),
        acknowledgement=Drawn(tcp.ack),
        window=tcp.win,
        length=max(0, event.length - headers),
    )


def _other(event: Event, packet: Any, hosts: tuple[str, str]) -> Segment:
    import dpkt

    headers = len(event.raw) - len(bytes(packet.data))
    protocol = Protocol.OTHER
    says = None
    if isinstance(packet.data, (dpkt.icmp.ICMP, dpkt.icmp6.ICMP6)):
        protocol = Protocol.ICMPV6 if packet.v == 6 else Protocol.ICMP
        says = icmp_of(packet.v, packet.data.type, packet.data.code)
    bare = _bare(event, protocol, hosts)
    return replace(bare, icmp=says, length=max(0, event.length - headers))


def _bare(
    event: Event,
    protocol: Protocol,
    hosts: tuple[str, str] = ("", ""),
    ports: tuple[int, int] = (0, 0),
) -> Segment:
    """What every packet has."""
    return Segment(
        sender=_UNKNOWN,
        source=Endpoint(hosts[0], ports[0]),
        destination=Endpoint(hosts[1], ports[1]),
        flags=Flag(0),
        sequence=Drawn(0),
        acknowledgement=Drawn(0),
        length=0,
        time=event.time,
        seq=event.seq,
        host=event.host,
        wire=event.wire,
        fate=Fate(event.fate),
        coming=event.coming,
        protocol=protocol,
        whole=event.length,
        raw=event.raw,
    )


@dataclass(frozen=True)
class _Claim:
    """A program's claim to an endpoint, from a moment on."""

    since: int
    endpoint: Endpoint
    name: str
    process: int
    place: str = ""
    """The host that the process runs on."""

    def covers(self, endpoint: Endpoint, time: int, home: str) -> bool:
        anywhere = self.endpoint.host in ("0.0.0.0", "::")
        same = anywhere or _plain(self.endpoint.host) == endpoint.host
        here = same and home in ("", self.place)
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
    place: str
    used: bool = False


def _plain(host: str) -> str:
    """An IPv4 address mapped into IPv6 as segments show it."""
    return host.removeprefix("::ffff:") if "." in host else host


class Senders:
    """Finds the program that a segment comes from, from the calls that gave its endpoints a name.

    A server's endpoint is known from bind, a client's from the connect that was under way when its SYN left, either
    from getsockname. Of several connects to one address that overlap, the SYN belongs to the one that ended first.
    Where there are several hosts, an address belongs to the processes of its host alone.
    """

    def __init__(
        self,
        calls: Iterable[Event],
        names: Mapping[int, str],
        places: Mapping[int, str] | None = None,
        homes: Mapping[str, str] | None = None,
    ) -> None:
        """
        Args:
            calls: the enter and leave events of bind, connect and getsockname.
            names: the program's name of each process.
            places: the host of each process.
            homes: the host of each address that belongs to one only.
        """
        self._names = names
        self._places = places or {}
        self._homes = homes or {}
        self._syns: set[tuple[Endpoint, Endpoint, int]] = set()
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

    def _who(self, event: Event) -> tuple[str, int, str]:
        number = event.process or 0
        return self._names.get(number, _UNKNOWN), number, self._places.get(number, "")

    def name(self, segments: Iterable[Segment]) -> list[Segment]:
        """The segments in the order of time, each with its sender and receiver."""
        named = []
        for segment in sorted(segments, key=lambda segment: (segment.time, segment.seq)):
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
        seen = (syn.source, syn.destination, syn.sequence)
        if syn.fate is Fate.FORGED or seen in self._syns:
            return  # not a program's, or the same again: retransmitted, released, on the next wire
        self._syns.add(seen)
        home = self._homes.get(syn.source.host, "")
        under_way = [
            connect
            for connect in self._connects.values()
            if not connect.used
            and connect.since <= syn.time <= connect.until
            and _same_place(connect.destination, syn.destination)
            and home in ("", connect.place)
        ]
        if not under_way:
            return  # not a program's
        connect = min(under_way, key=lambda connect: (connect.until, -connect.since))
        connect.used = True
        who = (connect.name, connect.process, connect.place)
        self._claims.append(_Claim(syn.time, syn.source, *who))

    def _owner(self, endpoint: Endpoint, time: int) -> _Claim:
        home = self._homes.get(endpoint.host, "")
        covering = [claim for claim in self._claims if claim.covers(endpoint, time, home)]
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
