"""shutdown(SHUT_RD): what happens to data that arrive afterwards.

POSIX says that further receives are disabled, and nothing of what has arrived or of what comes. On
Linux nobody is told, and what comes is taken in, as long as this side has not sent its FIN.
"""

import pytest

from cases.joined import Joined, joined, over_both
from cases.steps import ends, gave
from harness import (
    CONNECTION,
    ECONNRESET,
    FIN_WAIT2,
    RST,
    Lab,
    Process,
    entering,
    exited,
    leaving,
)

LINE = len("Sat Nov 21 12:00:00 2026\n")
"""Bytes that daytimed says."""


def before_the_line(hosts: Joined, *options: str) -> tuple[Process, Process]:
    """A client that has shut down, held before it reads, and a server about to say its line."""
    server = hosts.serves("daytimed")
    client = hosts.comes("shutdown_client", *options).reach(leaving("connect"))
    server.reach(entering("write", on=CONNECTION))
    return client.reach(entering("read", on=CONNECTION)), server


@pytest.mark.about("SHUT_RD", "shutdown", "read")
@pytest.mark.behaviour("C5")
@over_both
def test_data_that_arrive_after_shut_rd_are_acknowledged(lab: Lab, version: int) -> None:
    """After shutdown(SHUT_RD) data that arrive are acknowledged and queued, and nobody resets.

    shutdown(2); kernel net/ipv4/tcp_input.c tcp_data_queue. POSIX.1-2024 shutdown() (disables
    subsequent receive operations). Platforms: BSD acknowledges them and throws them away.
    """
    hosts = joined(lab, version)
    _, server = before_the_line(hosts, "-r")
    server.reach(entering("accept"))
    assert hosts.server.comes(local=hosts.port, state=FIN_WAIT2)
    [arrived] = hosts.client.sockets(remote=hosts.port)
    assert arrived.receive_queue == LINE + 1  # the FIN counts
    assert lab.senders(RST) == []


@pytest.mark.about("SHUT_RD", "shutdown", "read")
@pytest.mark.behaviour("C5")
@over_both
def test_data_that_arrive_after_shut_rd_can_be_read(lab: Lab, version: int) -> None:
    """After shutdown(SHUT_RD) read() gives the data that arrived since, and then 0.

    kernel net/ipv4/tcp.c tcp_recvmsg_locked (the queue comes before RCV_SHUTDOWN).
    Platforms: BSD gives 0.
    """
    hosts = joined(lab, version)
    client, server = before_the_line(hosts, "-r")
    server.reach(entering("close", on=CONNECTION))
    hosts.settles()

    assert gave(client.reach(leaving("read", on=CONNECTION))) == LINE
    assert gave(client.reach(leaving("read", on=CONNECTION))) == 0
    assert ends(client) == exited(0)


@pytest.mark.about("SHUT_RD", "shutdown", "read")
@pytest.mark.behaviour("C5")
@over_both
def test_shut_rd_ends_reading_before_the_data_come(lab: Lab, version: int) -> None:
    """After shutdown(SHUT_RD) read() gives 0 at once while nothing has arrived, though the peer has
    not closed.

    POSIX.1-2024 shutdown(); shutdown(2); kernel net/ipv4/tcp.c tcp_recvmsg_locked.
    """
    hosts = joined(lab, version)
    client, _ = before_the_line(hosts, "-r")
    assert ends(client) == exited(0)
    assert client.outcomes("read")[-1] == 0


@pytest.mark.about("SHUT_RDWR", "RST", "shutdown", "FIN_WAIT2")
@pytest.mark.behaviour("C5")
@over_both
def test_data_that_arrive_after_shut_rdwr_are_reset(lab: Lab, version: int) -> None:
    """After shutdown(SHUT_RDWR) data that arrive are answered with RST, and nothing is left of the
    connection though its descriptor is open.

    RFC 1122 §4.2.2.13 (a half-duplex close; new data: RST); kernel net/ipv4/tcp_input.c
    tcp_rcv_state_process.
    """
    hosts = joined(lab, version)
    _, server = before_the_line(hosts, "-r", "-w")
    hosts.client.awaits(remote=hosts.port, state=FIN_WAIT2)
    server.reach(entering("close", on=CONNECTION))
    assert hosts.client.goes(remote=hosts.port)
    assert lab.senders(RST) == ["client"]


@pytest.mark.about("SHUT_RDWR", "ECONNRESET", "read", "shutdown")
@pytest.mark.behaviour("C5")
@over_both
def test_after_shut_rdwr_and_data_read_says_econnreset(lab: Lab, version: int) -> None:
    """After shutdown(SHUT_RDWR) and data that were reset, read() says ECONNRESET: this side is told
    of its own RST.

    kernel net/ipv4/tcp_input.c tcp_rcv_state_process (it calls tcp_reset). POSIX.1-2024 read()
    [ECONNRESET] is about the peer's.
    """
    hosts = joined(lab, version)
    client, server = before_the_line(hosts, "-r", "-w")
    hosts.client.awaits(remote=hosts.port, state=FIN_WAIT2)
    server.reach(entering("close", on=CONNECTION))
    hosts.client.awaits_none(remote=hosts.port)
    assert gave(client.reach(leaving("read", on=CONNECTION))) == ECONNRESET
