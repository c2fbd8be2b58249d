"""Whose program sent a segment."""

import struct
from collections.abc import Sequence

from harness import ACK, FIN, SYN, Endpoint, Flag, Segment
from harness.outcome import Outcome
from harness.trace.event import Event
from harness.trace.segments import Senders, parse, with_flags

SERVER = Endpoint("127.0.0.1", 9877)
NAMES = {1: "server", 2: "first", 3: "second"}
_count = iter(range(1, 1000))


def bound(time: int, process: int, host: str = "0.0.0.0") -> list[Event]:
    """A bind that succeeded."""
    args = {"fd": 3, "address": {"host": host, "port": 9877}}
    seq = next(_count)
    return [Event(seq, time, "leave", process, call="bind", args=args, outcome=Outcome(0))]


def connecting(begin: int, end: int | None, process: int, port: int = 9877) -> list[Event]:
    """A connect, and its end if it came to one."""
    args = {"fd": 3, "address": {"host": "127.0.0.1", "port": port}}
    enter = Event(next(_count), begin, "enter", process, call="connect", args=args)
    if end is None:
        return [enter]
    leave = Event(
        next(_count),
        end,
        "leave",
        process,
        call="connect",
        args=args,
        entered=enter.seq,
        outcome=Outcome(0),
    )
    return [enter, leave]


def segment(time: int, source: Endpoint, destination: Endpoint, flags: Flag = SYN) -> Segment:
    """A segment without data, the sender unknown."""
    return Segment("?", source, destination, flags, 0, 0, 0, time, time)


def senders(calls: Sequence[Event], segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """Who sent each segment, and whom to."""
    return [(s.sender, s.receiver) for s in Senders(calls, NAMES).name(segments)]


def test_bind_names_the_server_and_connect_the_client() -> None:
    """The client's port is the kernel's choice: its SYN left while the connect lasted."""
    client = Endpoint("127.0.0.1", 40000)
    calls = bound(10, 1) + connecting(20, 30, 2)
    handshake = [
        segment(21, client, SERVER),
        segment(22, SERVER, client, SYN | ACK),
        segment(99, SERVER, client, FIN | ACK),
    ]
    assert senders(calls, handshake) == [
        ("first", "server"),
        ("server", "first"),
        ("server", "first"),
    ]


def test_of_overlapping_connects_the_one_that_ends_first_sent_the_syn() -> None:
    """The other was held before it did anything."""
    calls = bound(1, 1) + connecting(10, 90, 2) + connecting(20, 30, 3)
    seen = [
        segment(25, Endpoint("127.0.0.1", 40000), SERVER),
        segment(80, Endpoint("127.0.0.1", 40001), SERVER),
    ]
    assert [sender for sender, _ in senders(calls, seen)] == ["second", "first"]


def test_a_specific_address_goes_before_the_wildcard() -> None:
    """Two servers at one port."""
    calls = bound(1, 1, "127.0.0.2") + bound(2, 2)
    seen = [segment(5, Endpoint(host, 9877), SERVER, ACK) for host in ("127.0.0.2", "127.0.0.1")]
    assert [sender for sender, _ in senders(calls, seen)] == ["server", "first"]


def test_a_segment_that_no_call_explains_has_no_sender() -> None:
    """Nor is it somebody's who only later had its address."""
    assert senders(bound(10, 1), [segment(5, SERVER, Endpoint("127.0.0.1", 1), ACK)]) == [
        ("?", "?")
    ]


def test_a_mapped_address_is_the_ipv4_one() -> None:
    """What an IPv6 socket calls ::ffff:127.0.0.1 is 127.0.0.1 on the wire."""
    calls = bound(1, 1, "::ffff:127.0.0.1")
    assert senders(calls, [segment(5, SERVER, SERVER, ACK)])[0] == ("server", "server")


def test_flags_select_segments_that_have_them_all() -> None:
    """Others may be set besides."""
    seen = [
        segment(n, SERVER, SERVER, flags) for n, flags in enumerate((SYN, SYN | ACK, FIN | ACK))
    ]
    assert [s.time for s in with_flags(seen, ACK)] == [1, 2]
    assert [s.time for s in with_flags(seen, SYN | ACK)] == [1]
    assert len(with_flags(seen, None)) == 3


def tcp(flags: Flag) -> bytes:
    """A TCP header without options."""
    return struct.pack("!HHIIBBHHH", 40000, 9877, 7, 9, 5 << 4, flags, 1024, 0, 0)


def test_an_ipv4_frame_that_was_cut_keeps_its_length() -> None:
    """The capture keeps the beginning; how much data there was follows from the frame's length."""
    address = bytes((127, 0, 0, 1))
    header = struct.pack("!BBHHHBBH", 0x45, 0, 5040, 1, 0, 64, 6, 0) + address * 2
    raw = header + tcp(FIN | ACK) + b"x" * 100
    found = parse(Event(1, 5, "segment", length=5040, raw=raw))
    assert found is not None
    assert (found.flags, found.length, found.sequence, found.acknowledgement) == (
        FIN | ACK,
        5000,
        7,
        9,
    )
    assert (found.source, found.destination) == (Endpoint("127.0.0.1", 40000), SERVER)


def test_an_ipv6_frame_is_read() -> None:
    """::1 to ::1, two bytes of data."""
    loopback = bytes(15) + b"\x01"
    raw = struct.pack("!IHBB", 6 << 28, 22, 6, 64) + loopback * 2 + tcp(ACK) + b"ab"
    found = parse(Event(1, 5, "segment", length=62, raw=raw))
    assert found is not None
    assert (found.source, found.length, found.flags) == (Endpoint("::1", 40000), 2, ACK)


def test_what_is_not_tcp_is_no_segment() -> None:
    """UDP, and bytes that are no packet."""
    udp = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + bytes(8) + bytes(8)
    assert parse(Event(1, 5, "segment", length=28, raw=udp)) is None
    assert parse(Event(1, 5, "segment", length=3, raw=b"\x45\x00\x00")) is None
