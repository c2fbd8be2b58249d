"""The client gives up while its SYN is under way."""

import pytest

from cases.joined import Joined, joined, over_both
from cases.steps import ends, sleeps_in
from harness import (
    CONNECTION,
    LISTEN,
    RST,
    SYN,
    SYN_RECEIVED,
    SYN_SENT,
    Held,
    Lab,
    Process,
    entering,
    exited,
    segment,
)


def connecting(hosts: Joined) -> tuple[Process, Held]:
    """A client in SYN_SENT that does not wait for connect, about to close; its SYN is held."""
    syn = hosts.wire.hold(segment(SYN, destination_port=hosts.port))
    client = hosts.comes("linger_client", "-g").end_input()
    client.reach(entering("close", on=CONNECTION))
    hosts.client.awaits(remote=hosts.port, state=SYN_SENT)
    return client, syn


@pytest.mark.about("SYN_SENT", "close", "connect", "EINPROGRESS")
@pytest.mark.behaviour("B9")
@over_both
def test_close_in_syn_sent_leaves_nothing(lab: Lab, version: int) -> None:
    """close() in SYN_SENT succeeds at once and leaves no socket.

    RFC 9293 §3.10.4 (CLOSE, SYN-SENT: delete the TCB).
    """
    hosts = joined(lab, version)
    client, _ = connecting(hosts)
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == []


@pytest.mark.about("SYN_SENT", "SIGKILL", "connect")
@pytest.mark.behaviour("B9")
@over_both
def test_a_client_that_is_killed_in_connect_leaves_nothing(lab: Lab, version: int) -> None:
    """A process that is killed while it sleeps in connect() leaves no socket.

    POSIX.1-2024 _Exit() (all open file descriptors are closed); RFC 9293 §3.10.4.
    """
    hosts = joined(lab, version)
    hosts.wire.hold(segment(SYN, destination_port=hosts.port))
    client = hosts.comes("tcpcli01").blocked("connect")
    hosts.client.awaits(remote=hosts.port, state=SYN_SENT)
    client.kill()
    assert hosts.client.states(remote=hosts.port) == []


@pytest.mark.about("SYN_SENT", "close", "RST", "SYN_RECEIVED")
@pytest.mark.behaviour("B9")
@over_both
def test_after_close_in_syn_sent_the_answer_is_reset(lab: Lab, version: int) -> None:
    """The SYN of a connection that was closed meanwhile is answered all the same; the client's host
    resets, and that is all that it says.

    RFC 9293 §3.10.7.1 (CLOSED: an acceptable segment is answered with RST).
    """
    hosts = joined(lab, version)
    hosts.serves("tcpserv01")
    client, syn = connecting(hosts)
    client.ended()
    answer = hosts.wire.hold(segment(SYN, sender=hosts.server))
    assert lab.senders(RST) == []
    syn.let_go()
    answer.reached()
    answer.let_go()
    assert hosts.server.goes(local=hosts.port, state=SYN_RECEIVED)
    assert lab.senders(RST) == ["client"]


@pytest.mark.about("SYN_SENT", "close", "accept", "LISTEN")
@pytest.mark.behaviour("B9")
@over_both
def test_after_close_in_syn_sent_there_is_nothing_to_accept(lab: Lab, version: int) -> None:
    """accept() sleeps on when a client closed before the answer to its SYN had come.

    RFC 9293 §3.10.7.4 (SYN-RECEIVED, RST: return to LISTEN); POSIX.1-2024 accept().
    """
    hosts = joined(lab, version)
    server = hosts.serves("tcpserv01")
    client, syn = connecting(hosts)
    client.ended()
    syn.let_go()
    hosts.settles()
    assert sleeps_in(server, "accept")
    assert hosts.server.states(local=hosts.port) == [LISTEN]
