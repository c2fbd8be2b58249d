"""A FIN, or the acknowledgement of one, is lost on the wire."""

import pytest

from cases.between_hosts import LATEST
from cases.joined import Joined, joined, over_both
from cases.steps import ends
from harness import (
    ACK,
    ALWAYS,
    CLOSE_WAIT,
    ESTABLISHED,
    FIN,
    FIN_WAIT1,
    LAST_ACK,
    RST,
    TIME_WAIT,
    Fate,
    Lab,
    Process,
    exited,
    leaving,
    segment,
)


def connected(hosts: Joined) -> tuple[Process, Process]:
    """A server that echoes to one client, asleep in read, and the client, waiting for a line."""
    server = hosts.serves("reuseadr_eserver")
    client = hosts.comes("tcpcli01").reach(leaving("connect"))
    server.reach(leaving("accept")).blocked("read")
    return server, client.run()


# --- the FIN -------------------------------------------------------------------------------------


@pytest.mark.about("FIN", "FIN_WAIT1", "ESTABLISHED", "retransmission")
@pytest.mark.behaviour("B6")
@over_both
def test_a_lost_fin_leaves_one_side_open(lab: Lab, version: int) -> None:
    """While its FIN is lost, the side that closes is in FIN_WAIT1 and the other in ESTABLISHED, its
    read() asleep.

    RFC 9293 §3.6 (figure 5).
    """
    hosts = joined(lab, version)
    server, client = connected(hosts)
    hosts.wire.drop(segment(FIN, sender=hosts.client), times=ALWAYS)
    client.end_input().ended()

    assert hosts.client.states(remote=hosts.port) == [FIN_WAIT1]
    assert hosts.server.states(local=hosts.port, state=(ESTABLISHED, CLOSE_WAIT)) == [ESTABLISHED]
    assert server.kernel_state == "S"


@pytest.mark.about("FIN", "TIME_WAIT", "retransmission", "read")
@pytest.mark.behaviour("B6")
@pytest.mark.waits
@over_both
def test_a_lost_fin_is_sent_again(lab: Lab, version: int) -> None:
    """A FIN that is lost is sent again, by the kernel alone, and the connection ends as if nothing
    had happened.

    RFC 9293 §3.8.1 (retransmission), §3.6; the FIN has a sequence number of its own (§3.4).
    """
    hosts = joined(lab, version)
    server, client = connected(hosts)
    lost = hosts.wire.drop(segment(FIN, sender=hosts.client))
    client.end_input().ended()
    lost.reached()

    assert ends(server) == exited(0)
    assert hosts.client.comes(remote=hosts.port, state=TIME_WAIT)
    first, *again = hosts.wire.segments(FIN, sender=hosts.client)
    assert first.fate is Fate.DROPPED
    assert {fin.sequence for fin in again} == {first.sequence}


@pytest.mark.about("FIN", "FIN_WAIT1", "ESTABLISHED", "tcp_orphan_retries")
@pytest.mark.behaviour("B6")
@pytest.mark.waits
@over_both
def test_a_fin_that_is_always_lost_leaves_a_connection_that_is_half_open(
    lab: Lab, version: int
) -> None:
    """A closed connection whose FIN is never acknowledged is forgotten after tcp_orphan_retries;
    the other side is in ESTABLISHED, for nobody tells it.

    tcp(7) tcp_orphan_retries; kernel net/ipv4/tcp_timer.c tcp_out_of_resources, tcp_write_timeout;
    RFC 9293 §3.5.1 (half-open connections).
    """
    hosts = joined(lab, version)
    hosts.client.hasten(orphan_retries=1)
    _, client = connected(hosts)
    hosts.wire.drop(segment(FIN, sender=hosts.client), times=ALWAYS)
    client.end_input().ended()

    assert hosts.client.goes(remote=hosts.port)
    assert hosts.server.states(local=hosts.port, state=(ESTABLISHED, CLOSE_WAIT)) == [ESTABLISHED]


# --- the last acknowledgement --------------------------------------------------------------------


def closed_without_the_last_ack(hosts: Joined) -> None:
    """Both have closed, the client first, and its acknowledgement of the server's FIN is lost."""
    server, client = connected(hosts)
    # The server's FIN is then all that acknowledges the client's.
    hosts.wire.hold(segment(ACK, without=FIN, sender=hosts.server))
    last = hosts.wire.drop(segment(ACK, without=FIN, sender=hosts.client))
    client.end_input().ended()
    server.ended()
    last.reached()


@pytest.mark.about("ACK", "LAST_ACK", "TIME_WAIT")
@pytest.mark.behaviour("B6")
@over_both
def test_a_lost_last_ack_leaves_last_ack_and_time_wait(lab: Lab, version: int) -> None:
    """When the last acknowledgement is lost, the side that closed first is in TIME_WAIT and the
    other in LAST_ACK.

    RFC 9293 §3.6 (figure 12), §3.6.1.
    """
    hosts = joined(lab, version)
    hosts.wire.hold(segment(FIN, sender=hosts.server, nth=2))
    closed_without_the_last_ack(hosts)
    assert hosts.client.states(remote=hosts.port) == [TIME_WAIT]
    assert hosts.server.states(local=hosts.port) == [LAST_ACK]


@pytest.mark.about("FIN", "ACK", "LAST_ACK", "TIME_WAIT", "retransmission")
@pytest.mark.behaviour("B6")
@pytest.mark.waits
@over_both
def test_time_wait_answers_a_fin_that_comes_again(lab: Lab, version: int) -> None:
    """After the last acknowledgement was lost the FIN is sent again, TIME_WAIT acknowledges it, and
    nothing is left of the side that closed second; nobody resets.

    RFC 9293 §3.10.7.4 (TIME-WAIT: acknowledge it, and restart the 2 MSL timeout), §3.6.1.
    """
    hosts = joined(lab, version)
    closed_without_the_last_ack(hosts)
    assert hosts.server.goes(local=hosts.port)
    first, *again = hosts.wire.segments(FIN, sender=hosts.server)
    assert {fin.sequence for fin in again} == {first.sequence}
    assert lab.senders(RST) == []
    assert hosts.client.states(remote=hosts.port) == [TIME_WAIT]


@pytest.mark.about("FIN", "TIME_WAIT", "MSL", "retransmission")
@pytest.mark.behaviour("B6")
@pytest.mark.waits
@over_both
def test_a_fin_that_comes_again_restarts_time_wait(lab: Lab, version: int) -> None:
    """The timer of TIME_WAIT begins anew with a FIN that comes again.

    RFC 9293 §3.10.7.4 (TIME-WAIT: restart the 2 MSL timeout); kernel net/ipv4/tcp_minisocks.c
    tcp_timewait_state_process.
    """
    hosts = joined(lab, version)
    hosts.server.hasten(orphan_retries=8)
    again = hosts.wire.hold(segment(FIN, sender=hosts.server, nth=2))
    closed_without_the_last_ack(hosts)
    again.reached()
    [before] = hosts.client.sockets(remote=hosts.port, state=TIME_WAIT)

    again.discard()  # the next one passes, and no other with it
    hosts.server.awaits_none(local=hosts.port, deadline=LATEST)
    [after] = hosts.client.sockets(remote=hosts.port, state=TIME_WAIT)
    assert before.expires is not None and after.expires is not None
    assert after.expires > before.expires


@pytest.mark.about("FIN", "RST", "TIME_WAIT", "tcp_max_tw_buckets")
@pytest.mark.behaviour("B6")
@pytest.mark.waits
@over_both
def test_without_time_wait_a_fin_that_comes_again_is_reset(lab: Lab, version: int) -> None:
    """Where the side that closed first keeps no TIME_WAIT, it answers the FIN that comes again with
    RST: that is what TIME_WAIT is for.

    UNP §2.7 (the first reason for TIME_WAIT); RFC 9293 §3.10.7.1 (CLOSED).
    """
    hosts = joined(lab, version)
    hosts.client.hasten(max_tw_buckets=0)
    closed_without_the_last_ack(hosts)
    assert hosts.server.goes(local=hosts.port)
    assert lab.senders(RST) == ["client"]
