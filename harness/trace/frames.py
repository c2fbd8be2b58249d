"""Frames: whatever went over a link or a wire, in words. Segments of TCP are only some of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .event import Event
from .segments import Flag, Segment, Senders, parse
from .sockets import Endpoint

_UNREACHABLE = {
    0: "net unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    13: "administratively prohibited",
}
"""ICMP type 3, by code: RFC 792, RFC 1812."""
_UNREACHABLE6 = {
    0: "no route",
    1: "administratively prohibited",
    3: "address unreachable",
    4: "port unreachable",
}
"""ICMPv6 type 1, by code: RFC 4443."""
_OTHERS = {8: "echo request", 0: "echo reply", 11: "time exceeded", 5: "redirect"}
_OTHERS6 = {
    128: "echo request",
    129: "echo reply",
    2: "packet too big",
    3: "time exceeded",
    133: "router solicitation",
    134: "router advertisement",
    135: "neighbour solicitation",
    136: "neighbour advertisement",
    143: "multicast listener report",
}


@dataclass(frozen=True)
class Frame:
    """A frame with what is known of its way."""

    segment: Segment
    """Its addresses and sender; all of it for TCP."""
    protocol: str
    """TCP, UDP, ICMP or ?."""
    words: str = ""
    """What it says, when it is not TCP."""
    host: str = ""
    """The host it left."""
    wire: str | None = None
    """None on loopback."""
    fate: str = "passed"
    """What became of it on the wire."""
    coming: int = 0
    """For one that had been held or delayed: the seq of its coming."""

    @property
    def anew(self) -> bool:
        """Whether it left its host now: neither held before nor made by the case."""
        return self.coming == 0 and self.fate not in ("released", "forged")


def of(events: Iterable[Event], senders: Senders) -> list[Frame]:
    """The frames of segment events that carry their bytes, in the order of time; what is not IP is left out."""
    found = {event.seq: frame for event in events if (frame := _frame(event))}
    named = senders.name(frame.segment for frame in found.values())
    return [replace(found[segment.seq], segment=segment) for segment in named]


def _frame(event: Event) -> Frame | None:
    way = (event.host, event.wire, event.fate, event.coming)
    if segment := parse(event):
        return Frame(segment, "TCP", "", *way)
    told = _other(event)
    if told is None:
        return None
    source, destination, protocol, words = told
    addresses = Segment(
        "?", source, destination, Flag(0), 0, 0, event.length, event.time, event.seq
    )
    return Frame(addresses, protocol, words, *way)


def _other(event: Event) -> tuple[Endpoint, Endpoint, str, str] | None:
    import dpkt  # slow to import, as in segments

    if not event.raw or event.raw[0] >> 4 not in (4, 6):
        return None
    six = event.raw[0] >> 4 == 6
    try:
        packet = dpkt.ip6.IP6(event.raw) if six else dpkt.ip.IP(event.raw)
    except dpkt.UnpackError:
        return None
    source, destination = (dpkt.utils.inet_to_str(end) for end in (packet.src, packet.dst))
    data = packet.data
    if isinstance(data, dpkt.udp.UDP):
        words = f"UDP len {max(0, data.ulen - 8)}"
        return Endpoint(source, data.sport), Endpoint(destination, data.dport), "UDP", words
    if isinstance(data, dpkt.icmp.ICMP):
        words = _icmp(data.type, data.code, (3, _UNREACHABLE), _OTHERS)
    elif isinstance(data, dpkt.icmp6.ICMP6):
        words = _icmp(data.type, data.code, (1, _UNREACHABLE6), _OTHERS6)
    else:
        return Endpoint(source, 0), Endpoint(destination, 0), "?", f"protocol {packet.p}"
    return Endpoint(source, 0), Endpoint(destination, 0), "ICMP", words


def _icmp(
    kind: int, code: int, unreachable: tuple[int, dict[int, str]], others: dict[int, str]
) -> str:
    number, codes = unreachable
    if kind == number:
        return f"ICMP {codes.get(code, f'unreachable, code {code}')}"
    return f"ICMP {others.get(kind, f'type {kind} code {code}')}"


@dataclass
class Numbers:
    """Turns sequence numbers into those that count from the beginning of their connection, as books show them."""

    def __post_init__(self) -> None:
        self._first: dict[tuple[Endpoint, Endpoint], int] = {}
        self._seen: set[tuple[object, ...]] = set()

    def words(self, frame: Frame) -> str:
        """A frame in words: `PSH ACK seq 1 ack 1 len 25`. One that was sent before says so."""
        segment = frame.segment
        if frame.protocol != "TCP":
            return frame.words
        there, back = (segment.source, segment.destination), (segment.destination, segment.source)
        if segment.flags & Flag.SYN or there not in self._first:
            self._first[there] = segment.sequence
        words = [str(segment.flags) or "no flags", f"seq {self._from(there, segment.sequence)}"]
        if segment.flags & Flag.ACK:
            # Where the capture began later, the peer's first number is not known: the one before this.
            self._first.setdefault(back, (segment.acknowledgement - 1) & 0xFFFFFFFF)
            words.append(f"ack {self._from(back, segment.acknowledgement)}")
        words += [f"len {segment.length}"] if segment.length else []
        return " ".join([*words, *(["again"] if self._again(frame) else [])])

    def _from(self, way: tuple[Endpoint, Endpoint], number: int) -> int:
        return (number - self._first[way]) & 0xFFFFFFFF

    def _again(self, frame: Frame) -> bool:
        """Whether the same sequence numbers left the same host before."""
        segment = frame.segment
        takes_room = segment.length or segment.flags & (Flag.SYN | Flag.FIN)
        if not takes_room or not frame.anew:
            return False
        key = (segment.source, segment.destination, segment.sequence, segment.length)
        place = (*key, segment.flags & (Flag.SYN | Flag.FIN), frame.host, frame.wire)
        seen = place in self._seen
        self._seen.add(place)
        return seen


def connections(frames: Sequence[Frame]) -> list[frozenset[Endpoint]]:
    """The pairs of endpoints, in the order in which they first appear."""
    pairs = (frozenset((f.segment.source, f.segment.destination)) for f in frames)
    return list(dict.fromkeys(pairs))
