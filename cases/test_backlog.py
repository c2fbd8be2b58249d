"""A listener's queue that is full, and what tcp_abort_on_overflow changes.

The kernel answers SYNs while the queue has room, and looks again when the handshake's last segment
comes: that one may find the queue full.
"""

from dataclasses import dataclass, replace

import pytest

from cases.joined import Joined, joined, over_both
from cases.steps import ends, gave, gives, sleeps_in
from harness import (
    ACK,
    ALWAYS,
    ECONNRESET,
    ESTABLISHED,
    FIN,
    LISTEN,
    RST,
    SYN,
    SYN_RECEIVED,
    SYN_SENT,
    Broken,
    Held,
    Lab,
    Process,
    Segment,
    SegmentWatch,
    exited,
    leaving,
    segment,
)

BACKLOG = 2
"""As net.core.somaxconn: the queue has room for one more than that."""


def listens(lab: Lab, version: int, abort: int) -> tuple[Joined, Process]:
    """Two hosts, and a server with a short queue that is held before it accepts."""
    hosts = joined(lab, version)
    hosts.server.sysctl("net.core.somaxconn", BACKLOG)
    hosts.server.hasten(abort_on_overflow=abort)
    return hosts, hosts.serves("tcpserv01")


def connects(hosts: Joined, count: int) -> list[Process]:
    """So many clients, each held when its connect has returned."""
    return [hosts.comes("connect_client").reach(leaving("connect")) for _ in range(count)]


def take_room(hosts: Joined, count: int) -> None:
    """So many clients that the server's own host has, and the wire does not see, connect."""
    for _ in range(count):
        client = hosts.server.start("connect_client", hosts.address, hosts.port)
        client.reach(leaving("connect"))


def look_full(hosts: Joined) -> None:
    """Looks that the queue is full.

    Raises:
        Broken: it is not.
    """
    [listener] = hosts.server.awaits(local=hosts.port, state=LISTEN)
    if listener.receive_queue != BACKLOG + 1:
        raise Broken(f"{listener.receive_queue} connections are queued, not {BACKLOG + 1}")


@dataclass(frozen=True)
class Full:
    """A queue that is full, and one client more than it has room for."""

    serving: Process
    """Held before it accepts."""
    late: Process
    """The client too many, held when its connect has returned."""
    acknowledged: Segment
    """The last segment of its handshake."""
    last: Held
    """It, on the wire."""
    repeated: SegmentWatch
    """Loses what says the same again: the server asks for it each second."""

    @property
    def late_port(self) -> int:
        """The late client's."""
        return self.acknowledged.source.port

    def let_go(self) -> None:
        """The last segment of the handshake arrives, once."""
        self.last.let_go()
        self.repeated.disarm()


def overflows(lab: Lab, version: int, abort: int) -> tuple[Joined, Full]:
    """The kernel answers a client while there is room; then others take the room."""
    hosts, serving = listens(lab, version, abort)
    take_room(hosts, BACKLOG)
    mere = segment(ACK, without=SYN | FIN, payload=False, sender=hosts.client)
    last = hosts.wire.hold(mere, times=1)
    repeated = hosts.wire.drop(replace(mere, nth=2), times=ALWAYS)
    [late] = connects(hosts, 1)
    acknowledged = last.reached()
    take_room(hosts, 1)
    look_full(hosts)
    return hosts, Full(serving, late, acknowledged, last, repeated)


# --- tcp_abort_on_overflow --------------------------------------------------------------------------------------


@pytest.mark.about("backlog", "tcp_abort_on_overflow", "SYN_RECEIVED", "listen")
@pytest.mark.behaviour("G4")
@over_both
def test_a_handshake_that_ends_at_a_full_queue_is_left_half_open(lab: Lab, version: int) -> None:
    """With tcp_abort_on_overflow off the last ACK of a handshake is ignored when the queue is full:
    ESTABLISHED at the client, SYN_RECEIVED at the server, and no RST.

    tcp(7) tcp_abort_on_overflow; Linux net/ipv4/tcp_minisocks.c, tcp_check_req.
    """
    hosts, full = overflows(lab, version, abort=0)
    full.let_go()

    assert lab.senders(RST) == []
    assert hosts.server.states(local=lab.port, state=SYN_RECEIVED) == [SYN_RECEIVED]
    assert hosts.client.states(local=full.late_port) == [ESTABLISHED]


@pytest.mark.about("backlog", "tcp_abort_on_overflow", "accept", "write")
@pytest.mark.behaviour("G4")
@over_both
def test_data_completes_the_handshake_once_the_queue_has_room(lab: Lab, version: int) -> None:
    """With tcp_abort_on_overflow off a client that found the queue full is served in the end: what
    it sends next, when there is room, completes its handshake.

    tcp(7) tcp_abort_on_overflow (clients recover from a burst); Linux tcp_check_req.
    """
    _, full = overflows(lab, version, abort=0)
    full.let_go()
    full.serving.blocked("accept")

    assert ends(full.late) == exited(0)
    assert full.late.output == "hello\n"


@pytest.mark.about("backlog", "tcp_abort_on_overflow", "RST", "listen")
@pytest.mark.behaviour("G4")
@over_both
def test_tcp_abort_on_overflow_resets_what_the_queue_has_no_room_for(
    lab: Lab, version: int
) -> None:
    """With tcp_abort_on_overflow on the server answers the last ACK of a handshake with a RST when
    the queue is full, and forgets the connection.

    tcp(7) tcp_abort_on_overflow; Linux net/ipv4/tcp_minisocks.c, tcp_check_req.
    Platforms: FreeBSD has net.inet.tcp.syncache.rst_on_sock_fail, which is on.
    """
    hosts, full = overflows(lab, version, abort=1)
    full.let_go()

    assert hosts.client.goes(local=full.late_port)
    assert lab.senders(RST) == ["server"]
    assert hosts.server.states(local=lab.port, state=SYN_RECEIVED) == []


@pytest.mark.about("backlog", "tcp_abort_on_overflow", "ECONNRESET", "write", "connect")
@pytest.mark.behaviour("G4")
@over_both
def test_a_client_that_overflow_aborted_learns_it_after_connect(lab: Lab, version: int) -> None:
    """With tcp_abort_on_overflow on connect() has succeeded, and the next call says ECONNRESET.

    tcp(7) tcp_abort_on_overflow; POSIX.1-2024 write() [ECONNRESET].
    """
    hosts, full = overflows(lab, version, abort=1)
    assert gave(full.late) == 0
    full.let_go()
    assert hosts.client.goes(local=full.late_port)

    assert gives(full.late, "write") == ECONNRESET


# --- SYNs -------------------------------------------------------------------------------------------------------


@pytest.mark.about("backlog", "SYN", "SYN_SENT", "tcp_abort_on_overflow", "listen")
@pytest.mark.behaviour("G4")
@pytest.mark.parametrize("abort", [0, 1], ids=["off", "on"])
@over_both
def test_a_syn_that_finds_the_queue_full_is_not_answered(
    lab: Lab, abort: int, version: int
) -> None:
    """A SYN is dropped without a word when the queue is full, whatever tcp_abort_on_overflow is.

    listen(2); Linux net/ipv4/tcp_input.c, tcp_conn_request.
    Platforms: Windows answers with a RST.
    """
    hosts, _ = listens(lab, version, abort)
    connects(hosts, BACKLOG + 1)
    look_full(hosts)

    assert sleeps_in(hosts.comes("connect_client"), "connect")
    assert hosts.client.states(remote=lab.port, state=SYN_SENT) == [SYN_SENT]
    assert lab.senders(SYN | ACK) == ["server"] * (BACKLOG + 1)
    assert lab.senders(RST) == []


@pytest.mark.about("backlog", "SYN", "connect", "accept")
@pytest.mark.behaviour("G4")
@pytest.mark.waits
@over_both
def test_a_client_that_finds_the_queue_full_gets_in_when_there_is_room(
    lab: Lab, version: int
) -> None:
    """connect() sleeps while the queue is full, and succeeds with a later SYN when there is room.

    listen(2) (a later reattempt at connection succeeds); RFC 9293 §3.8.1.
    """
    hosts, serving = listens(lab, version, abort=0)
    connects(hosts, BACKLOG + 1)
    look_full(hosts)
    waiting = hosts.comes("connect_client").blocked("connect")
    serving.run()

    assert ends(waiting) == exited(0)
    assert waiting.output == "hello\n"
