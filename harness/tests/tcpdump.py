"""What tcpdump sees on a host, as tshark reads it, beside what the harness sees."""

import os
import re
import select
import signal
import struct
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from harness.trace.samples import FIRST
from harness.trace.segments import Fate, Flag, Protocol, Segment
from harness.verdict import Broken

_KINDS = "tcp or udp or icmp or icmp6 or arp"
"""Reports of multicast listeners have a header before that of ICMPv6: they are not among these."""
_LOOPBACK = "00:00:00:00:00:00"
_MARK = b"that was all"
_OUTGOING = 4
"""The kernel's PACKET_OUTGOING."""
_DEADLINE = 120.0
"""Seconds that it may take to begin, and to see what was sent."""
_FILE_HEADER = 24
_RECORD = struct.Struct("=8xI4x")
"""Before each frame: the time, the length that was kept, the length that it had."""
_COOKED = struct.Struct("!10xBx6s2x")
"""LINUX_SLL2, of which: the direction, the sender's MAC."""
_FIELDS = (
    "ip.proto ipv6.nxt ip.src ipv6.src ip.dst ipv6.dst ip.len ipv6.plen "
    "tcp.srcport tcp.dstport tcp.flags tcp.seq_raw tcp.ack_raw tcp.window_size_value tcp.len "
    "udp.srcport udp.dstport udp.length"
).split()
_NUMBERS = {
    "1": Protocol.ICMP,
    "6": Protocol.TCP,
    "17": Protocol.UDP,
    "58": Protocol.ICMPV6,
}


@dataclass(frozen=True)
class Told:
    """What both tell of a frame."""

    protocol: Protocol
    source: str
    destination: str
    ports: tuple[int, int] = (0, 0)
    flags: Flag = Flag(0)
    sequence: int = 0
    acknowledgement: int = 0
    window: int = 0
    length: int = 0
    """Bytes of data of TCP and UDP."""
    whole: int = 0
    """Bytes of the whole packet; 0 for ARP."""


# --- as the harness has it -------------------------------------------------------------------------------------------


def told(packet: Segment) -> Told:
    """What both tell of it."""
    with_ports = packet.protocol in (Protocol.TCP, Protocol.UDP)
    return Told(
        packet.protocol,
        packet.source.host,
        packet.destination.host,
        (packet.source.port, packet.destination.port),
        packet.flags,
        packet.sequence,
        packet.acknowledgement,
        packet.window,
        packet.length if with_ports else 0,
        0 if packet.protocol is Protocol.ARP else packet.whole,
    )


def sent(packet: Segment) -> bool:
    """Whether its host put it onto the wire then, whatever became of it."""
    return not packet.coming and packet.fate not in (Fate.FORGED, Fate.RELEASED)


def is_mark(packet: Segment) -> bool:
    """Whether it is one of ours, or says that nobody wanted one."""
    return _MARK in packet.raw


def arrived(packet: Segment) -> int:
    """How often it came to the wire's other end then."""
    once = (Fate.PASSED, Fate.RELEASED, Fate.FORGED)
    return 2 if packet.fate is Fate.DUPLICATED else int(packet.fate in once)


def differing(before: Sequence[Told], seen: Sequence[Told], after: Sequence[Told]) -> str:
    """Where tcpdump saw something else than the harness, which was asked before and after; "" if nowhere."""
    for nth in range(max(len(before), len(seen))):
        ours = after[nth] if nth < len(after) else None
        theirs = seen[nth] if nth < len(seen) else None
        if ours != theirs:
            return f"  frame {nth + 1}: {ours}\n  tcpdump: {theirs}"
    return ""


# --- as tcpdump has it -----------------------------------------------------------------------------------------------


class Tcpdump:
    """A tcpdump on all links of one host."""

    def __init__(self, host: str, inside: Sequence[str]) -> None:
        """Returns when it captures.

        Args:
            inside: the command that enters the host.
        """
        self.host = host
        # Immediate: frames come as soon as they are seen. As root: it need not become anybody else.
        options = "-i any -n -U --immediate-mode -B 32768 -Z root -w -".split()
        self._process = subprocess.Popen(
            [*inside, "tcpdump", *options, _KINDS], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert self._process.stdout and self._process.stderr
        # The conductor moves; tcpdump stays where it was put.
        net = f"--net=/proc/{self._process.pid}/ns/net"
        self.inside = [net if word.startswith("--net=") else word for word in inside]
        """The command that enters the host, as long as this runs."""
        self._frames, self._words = self._process.stdout.fileno(), self._process.stderr.fileno()
        said = b""
        for piece in self._pieces(self._words):
            said += piece
            if b"listening on" in said:
                return
        self.end()
        raise Broken(f"tcpdump does not listen on {host}, but says {said!r}")

    def _pieces(self, source: int) -> Iterator[bytes]:
        """What it writes, as it comes, till the deadline or its end."""
        end = monotonic() + _DEADLINE
        while select.select([source], [], [], max(0.0, end - monotonic()))[0]:
            if not (piece := os.read(source, 1 << 20)):
                return
            yield piece

    def seen(self, awaited: Mapping[str, int]) -> bytes:
        """Ends it; what it saw, for `read`.

        Args:
            awaited: frames that it must have seen, by where.
        """
        mark = f"printf '{_MARK.decode()}' >/dev/udp/127.0.0.1/9"
        subprocess.run([*self.inside, "bash", "-c", mark], check=True, timeout=120)
        capture = b""
        # What came before the mark is seen before it, but for what another processor has still to bring.
        for piece in self._pieces(self._frames):
            capture += piece
            if _MARK in capture and self._holds(capture, awaited):
                break
        self._process.send_signal(signal.SIGINT)
        rest, words = self._process.communicate(timeout=120)
        if not re.search(rb"\b0 packets dropped by kernel", words):
            raise Broken(f"tcpdump on {self.host} lost frames: {words!r}")
        return capture + rest

    def _holds(self, capture: bytes, awaited: Mapping[str, int]) -> bool:
        here = places(self.host, capture)
        return all(here[place] >= count for place, count in awaited.items())

    def end(self) -> None:
        """Ends it if it has not ended."""
        self._process.kill()
        self._process.communicate()


def places(host: str, capture: bytes) -> Counter[str]:
    """How many frames were seen where: "client out 02:00:00:00:01:01", the MAC being the sender's."""
    return Counter(place for place, frame in _frames(host, capture) if _MARK not in frame)


def read(captures: Sequence[tuple[str, bytes]]) -> dict[str, list[Told]]:
    """What was seen, by where, as `places` says it.

    A tshark takes 0.4 s to begin, whatever it reads: one reads them all.

    Args:
        captures: the hosts, and what tcpdump saw on each, in the order of time.
    """
    whole = b"".join(
        capture[_FILE_HEADER if nth else 0 :] for nth, (_, capture) in enumerate(captures)
    )
    frames = [(host, *seen) for host, capture in captures for seen in _frames(host, capture)]
    found: dict[str, list[Told]] = {}
    for (host, place, frame), row in zip(frames, _rows(whole), strict=True):
        loopback = place.endswith(_LOOPBACK) and host != FIRST
        if _MARK not in frame and not loopback:
            found.setdefault(place, []).append(_told(row))
    return found


def _frames(host: str, capture: bytes) -> Iterator[tuple[str, bytes]]:
    """Where each whole frame was seen, and the frame."""
    at = _FILE_HEADER
    while at + _RECORD.size <= len(capture):
        [length] = _RECORD.unpack_from(capture, at)
        frame = capture[at + _RECORD.size : at + _RECORD.size + length]
        if len(frame) < length:
            return
        direction, mac = _COOKED.unpack_from(frame)
        way = "out" if direction == _OUTGOING else "in"
        yield f"{host} {way} {mac.hex(':')}", frame
        at += _RECORD.size + length


def _rows(capture: bytes) -> list[dict[str, str]]:
    """The fields of each frame, as tshark reads them; of what an ICMP message quotes, none."""
    fields = [word for field in _FIELDS for word in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", "-", "-T", "fields", "-E", "occurrence=f", *fields],
        input=capture,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return [dict(zip(_FIELDS, line.split("\t"))) for line in done.stdout.decode().splitlines()]


def _told(row: Mapping[str, str]) -> Told:
    protocol = _NUMBERS.get(row["ip.proto"] or row["ipv6.nxt"], Protocol.ARP)
    six = bool(row["ipv6.src"])
    whole = int(row["ipv6.plen"]) + 40 if six else int(row["ip.len"] or 0)
    version = "ipv6" if six else "ip"
    bare = Told(protocol, row[f"{version}.src"], row[f"{version}.dst"], whole=whole)
    if protocol is Protocol.UDP:
        ports = int(row["udp.srcport"]), int(row["udp.dstport"])
        return replace(bare, ports=ports, length=int(row["udp.length"]) - 8)
    if protocol is not Protocol.TCP:
        return bare
    return replace(
        bare,
        ports=(int(row["tcp.srcport"]), int(row["tcp.dstport"])),
        flags=Flag(int(row["tcp.flags"], 16) & 0x3F),
        sequence=int(row["tcp.seq_raw"]),
        acknowledgement=int(row["tcp.ack_raw"]),
        window=int(row["tcp.window_size_value"]),
        length=int(row["tcp.len"]),
    )
