"""FIN_WAIT2 and CLOSE_WAIT: one side has closed and the other has not."""

import pytest

from cases.between_hosts import LATEST
from cases.joined import Joined, joined, over_both
from cases.steps import ends
from harness import (
    ACK,
    CLOSE_WAIT,
    FIN,
    FIN_WAIT2,
    RST,
    Lab,
    Process,
    exited,
    leaving,
)


def server_is_killed(hosts: Joined) -> Process:
    """A client does not look while its server is killed; its host acknowledges the FIN."""
    server = hosts.serves("reuseadr_eserver")
    client = hosts.comes("tcpcli01").reach(leaving("connect"))
    server.reach(leaving("accept")).kill()
    hosts.server.awaits(local=hosts.port, state=FIN_WAIT2)
    return client


def hastened(lab: Lab, version: int) -> Joined:
    """The hosts; FIN_WAIT2 lasts three seconds at the server's."""
    hosts = joined(lab, version)
    hosts.server.hasten(fin_timeout=3)
    return hosts


# --- FIN_WAIT2 -----------------------------------------------------------------------------------


@pytest.mark.about("FIN_WAIT2", "tcp_fin_timeout", "orphan")
@pytest.mark.behaviour("B4")
@pytest.mark.waits
@over_both
def test_an_orphan_in_fin_wait2_is_gone_after_tcp_fin_timeout(lab: Lab, version: int) -> None:
    """A connection in FIN_WAIT2 that no process holds is gone after tcp_fin_timeout, without
    TIME_WAIT, and the peer is not told.

    tcp(7) tcp_fin_timeout; kernel net/ipv4/tcp_input.c tcp_rcv_state_process.
    Platforms: RFC 9293 §3.3.2 knows no such time-out.
    """
    hosts = hastened(lab, version)
    server_is_killed(hosts)
    [orphan] = hosts.server.sockets(local=hosts.port)
    assert orphan.inode == 0
    assert orphan.expires is not None and 0 < orphan.expires <= 3

    assert hosts.server.goes(local=hosts.port, deadline=LATEST)
    assert hosts.wire.segments(sender=hosts.server)[-1].flags == FIN | ACK
    assert hosts.client.states(remote=hosts.port) == [CLOSE_WAIT]


@pytest.mark.about("FIN_WAIT2", "tcp_fin_timeout", "shutdown")
@pytest.mark.behaviour("B4")
@pytest.mark.waits
@over_both
def test_fin_wait2_lasts_as_long_as_a_process_holds_it(lab: Lab, version: int) -> None:
    """A connection in FIN_WAIT2 whose descriptor is open has no time-out: it is there when an
    orphan, which came later, has gone.

    tcp(7) tcp_fin_timeout (a closed socket's); kernel net/ipv4/tcp_input.c tcp_rcv_state_process.
    """
    hosts = joined(lab, version)
    hosts.client.hasten(fin_timeout=3)
    hosts.serves("tcpserv01")
    holding = hosts.comes("shutdown_client", "-w").blocked("read")
    [held] = hosts.client.awaits(remote=hosts.port, state=FIN_WAIT2)
    hosts.comes("tcpcli01").reach(leaving("connect")).kill()
    hosts.client.awaits(remote=hosts.port, state=FIN_WAIT2, count=2)

    hosts.client.awaits_none(remote=hosts.port, inode=0, deadline=LATEST)
    assert held.timer is None
    assert hosts.client.sockets(remote=hosts.port) == [held]
    assert holding.kernel_state == "S"


@pytest.mark.about("FIN_WAIT2", "RST", "CLOSE_WAIT", "tcp_fin_timeout")
@pytest.mark.behaviour("B4")
@pytest.mark.waits
@over_both
def test_a_fin_that_comes_after_fin_wait2_is_over_is_reset(lab: Lab, version: int) -> None:
    """When the other side closes after the orphan is gone, its FIN is answered with RST; close()
    succeeds all the same.

    RFC 9293 §3.10.7.1 (CLOSED); kernel net/ipv4/tcp_ipv4.c tcp_v4_rcv (no socket).
    """
    hosts = hastened(lab, version)
    client = server_is_killed(hosts)
    hosts.server.awaits_none(local=hosts.port, deadline=LATEST)

    assert ends(client.end_input()) == exited(0)
    assert hosts.client.goes(remote=hosts.port)
    assert lab.senders(RST) == ["server"]


# --- CLOSE_WAIT ----------------------------------------------------------------------------------


@pytest.mark.about("CLOSE_WAIT", "descriptor", "FIN_WAIT2")
@pytest.mark.behaviour("B13")
@pytest.mark.waits
@over_both
def test_close_wait_stays_as_long_as_the_descriptor_is_open(lab: Lab, version: int) -> None:
    """A connection in CLOSE_WAIT has no time-out: while its process does not close it, it stays,
    even when the peer has forgotten it.

    RFC 9293 §3.3.2 (CLOSE-WAIT: waiting for a request from the local user); UNP §5.12.
    """
    hosts = hastened(lab, version)
    client = server_is_killed(hosts)
    [held] = hosts.client.sockets(remote=hosts.port)
    hosts.server.awaits_none(local=hosts.port, deadline=LATEST)

    [still] = hosts.client.sockets(remote=hosts.port)
    assert still == held and still == CLOSE_WAIT
    assert still.timer is None
    assert [holder.process for holder in lab.holders(still)] == [client]


@pytest.mark.about("CLOSE_WAIT", "descriptor", "SIGKILL")
@pytest.mark.behaviour("B13")
@over_both
def test_close_wait_ends_with_its_process(lab: Lab, version: int) -> None:
    """A connection in CLOSE_WAIT is gone when the process that forgot to close it ends.

    POSIX.1-2024 _Exit() (all open file descriptors are closed); RFC 9293 §3.10.7.4 (LAST-ACK).
    """
    hosts = joined(lab, version)
    client = server_is_killed(hosts)
    client.kill()
    assert hosts.client.goes(remote=hosts.port)
