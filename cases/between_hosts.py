"""Steps of cases whose server and client run on two hosts. None makes the call that a case is about."""

from dataclasses import dataclass

from cases.steps import gave
from harness import (
    ACK,
    CHILDREN,
    CONNECTION,
    Broken,
    Host,
    Outcome,
    Process,
    SegmentWatch,
    Watch,
    entering,
    leaving,
    segment,
)
from harness.fact import Fact

LATEST = 15
"""Seconds: what a kernel timer was shortened to has struck long before."""
NS = 1e-9
"""Seconds in a nanosecond."""


@dataclass(frozen=True)
class Apart:
    """A forking echo server on one host, and its only client on another; one line was echoed."""

    server: Process
    """The parent, asleep in accept."""
    child: Process
    """Asleep in read: it serves the client."""
    client: Process
    """Asleep in read of its input."""


def address(host: Host, version: int) -> str:
    """A host's first address of that version of IP."""
    return host.address6 if version == 6 else host.address


def apart(here: Host, there: Host, version: int, command: str = "tcpcli01") -> Apart:
    """A client here of a server there.

    Args:
        command: the client's name and options.
    """
    name, *options = command.split()
    at, port = address(there, version), there.lab.port
    server = there.start("tcpserv01", "-a", at, port).reach(entering("accept"))
    client = here.start(name, *options, at, port).run()
    child = server.reach(entering("read", on=CONNECTION), CHILDREN)
    server.blocked("accept")
    child.run()
    client.input("hello\n").prints("hello\n").blocked("read")
    return Apart(server, child.blocked("read"), client)


@dataclass(frozen=True)
class Waiting:
    """A client that waits for an answer which its server, on another host, does not give."""

    client: Process
    """Asleep in read of the connection; nothing is on its way."""
    answer: Watch
    """Reached when the read returns."""


def waiting_for_an_answer(
    here: Host, there: Host, version: int, command: str = "tcpcli01"
) -> Waiting:
    """As apart; then a line was acknowledged that the child, held, does not answer. `here` is the
    first of its row."""
    two = apart(here, there, version, command)
    two.child.arm(leaving("read", on=CONNECTION))
    acknowledged = here.lab.wires[0].duplicate(segment(ACK, source_port=here.lab.port))
    asked = two.client.arm(entering("read", on=CONNECTION))
    two.client.input("anyone?\n")
    acknowledged.reached()
    client = asked.reached()
    answer = client.arm(leaving("read", on=CONNECTION))
    return Waiting(client.blocked("read"), answer)


def answer_to(client: Process, line: str) -> Outcome | Fact:
    """What the client's read gives after it has written a line, or that it gives nothing: for a
    claim. The client is held there. Without a line it must be held already."""
    if line:
        client.input(line)
    try:
        return gave(client.reach(leaving("read", on=CONNECTION), deadline=LATEST))
    except Broken as broken:
        return Fact(False, f"({broken})")


def given(watch: Watch) -> Outcome | Fact:
    """What the call gave that a watch waits to be left, or that it gave nothing though the kernel's
    timers have struck: for a claim."""
    try:
        return gave(watch.reached(LATEST))
    except Broken as broken:
        return Fact(False, f"({broken})")


def happens(watch: SegmentWatch) -> Fact:
    """Whether the segment that a watch waits for comes: a claim."""
    try:
        seen = watch.reached(LATEST)
    except Broken as broken:
        return Fact(False, f"({broken})")
    return Fact(True, f"({seen})")
