"""The three-way handshake when its segments are lost, come twice, or are old."""

import pytest

from cases.joined import Joined, joined, over_both
from cases.steps import ends, gives, returned
from harness import (
    ACK,
    ESTABLISHED,
    LISTEN,
    RST,
    SYN,
    SYN_RECEIVED,
    SYN_SENT,
    Fate,
    Lab,
    Process,
    exited,
    leaving,
    segment,
    syn,
)


def served(lab: Lab, version: int) -> tuple[Joined, Process]:
    """Two hosts, and a server that is held before it accepts."""
    hosts = joined(lab, version)
    return hosts, hosts.serves("tcpserv01")


# --- lost -------------------------------------------------------------------------------------------------------


@pytest.mark.about("SYN", "connect")
@pytest.mark.waits
@over_both
def test_a_lost_syn_is_sent_again(lab: Lab, version: int) -> None:
    """connect() succeeds though the first SYN was lost: the same SYN is sent once more.

    RFC 9293 §3.8.1 (retransmission), §3.4.1 (the same initial sequence number).
    """
    hosts, _ = served(lab, version)
    lab.wire.drop(segment(SYN, sender=hosts.client))
    connecting = hosts.comes("connect_client")

    assert gives(connecting, "connect") == 0
    first, second = lab.segments(SYN, remote=lab.port)
    assert (first.fate, second.fate) == (Fate.DROPPED, Fate.PASSED)
    assert first.sequence == second.sequence


@pytest.mark.about("SYN", "RTO")
@pytest.mark.waits
@over_both
def test_a_syn_is_sent_again_after_a_second(lab: Lab, version: int) -> None:
    """A SYN that nobody answers is sent again after a second.

    RFC 6298 §2 (2.1: the first RTO is 1 second); Linux include/net/tcp.h, TCP_TIMEOUT_INIT. Older
    texts say 3 seconds, as Linux did before 3.1.
    """
    hosts, _ = served(lab, version)
    lab.wire.drop(segment(SYN, sender=hosts.client))
    hosts.comes("connect_client").reach(leaving("connect"))

    first, second = lab.segments(SYN, remote=lab.port)
    # A tick of the kernel's clock may have begun before; a busy machine may be late.
    assert 0.99 <= (second.time - first.time) / 1e9 < 2.5


@pytest.mark.about("SYN", "ACK", "connect")
@pytest.mark.waits
@over_both
def test_a_lost_syn_ack_is_sent_again(lab: Lab, version: int) -> None:
    """connect() succeeds though the server's first answer was lost: it gives the same once more.

    RFC 9293 §3.8.1, §3.10.7.4 (SYN-RECEIVED).
    """
    hosts, _ = served(lab, version)
    lab.wire.drop(segment(SYN | ACK, sender=hosts.server))
    connecting = hosts.comes("connect_client")

    assert gives(connecting, "connect") == 0
    lost, *again = lab.segments(SYN | ACK)
    assert lost.fate is Fate.DROPPED
    assert {answer.sequence for answer in again} == {lost.sequence}


@pytest.mark.about("SYN", "accept", "ESTABLISHED")
@pytest.mark.waits
@over_both
def test_a_lost_syn_ack_makes_one_connection_only(lab: Lab, version: int) -> None:
    """The SYN that comes again after the answer was lost makes no second connection.

    RFC 9293 §3.5 (duplicate SYNs).
    """
    hosts, _ = served(lab, version)
    lab.wire.drop(segment(SYN | ACK, sender=hosts.server))
    hosts.comes("connect_client").reach(leaving("connect"))

    assert hosts.server.comes(local=lab.port, state=ESTABLISHED)
    assert hosts.server.states(local=lab.port) == [LISTEN, ESTABLISHED]


@pytest.mark.about("SYN_RECEIVED", "ACK", "connect")
@over_both
def test_without_the_third_segment_the_client_alone_is_connected(lab: Lab, version: int) -> None:
    """When the last ACK of the handshake is lost, connect() has succeeded, and the server's side is
    in SYN_RECEIVED.

    RFC 9293 §3.5, figure 6.
    """
    hosts, _ = served(lab, version)
    lab.wire.drop(segment(ACK, without=SYN, sender=hosts.client))
    connecting = hosts.comes("connect_client")

    assert gives(connecting, "connect") == 0
    assert hosts.client.states(remote=lab.port) == [ESTABLISHED]
    assert hosts.server.states(local=lab.port) == [LISTEN, SYN_RECEIVED]


@pytest.mark.about("SYN_RECEIVED", "ACK", "accept", "write")
@over_both
def test_data_makes_up_for_the_lost_third_segment(lab: Lab, version: int) -> None:
    """The first data complete the handshake whose last ACK was lost: they acknowledge, too.

    RFC 9293 §3.10.7.4 (SYN-RECEIVED: a segment with an acceptable ACK).
    """
    hosts, serving = served(lab, version)
    serving.run()
    lab.wire.drop(segment(ACK, without=SYN, sender=hosts.client))
    connecting = hosts.comes("connect_client")
    connecting.reach(leaving("connect"))
    serving.blocked("accept")

    assert ends(connecting) == exited(0)
    assert connecting.output == "hello\n"


# --- twice, and old ---------------------------------------------------------------------------------------------


@pytest.mark.about("SYN", "duplicate", "accept")
@over_both
def test_a_syn_that_arrives_twice_makes_one_connection(lab: Lab, version: int) -> None:
    """A SYN that arrives twice is answered twice alike, and makes one connection.

    RFC 9293 §3.5, §3.10.7.4 (SYN-RECEIVED).
    """
    hosts, _ = served(lab, version)
    twice = lab.wire.duplicate(segment(SYN, sender=hosts.client))
    hosts.comes("connect_client").reach(leaving("connect"))
    twice.reached()

    assert len({answer.sequence for answer in lab.segments(SYN | ACK)}) == 1
    assert hosts.server.comes(local=lab.port, state=ESTABLISHED)
    assert hosts.server.states(local=lab.port) == [LISTEN, ESTABLISHED]


@pytest.mark.about("SYN", "duplicate", "RST", "SYN_SENT")
@over_both
def test_a_client_resets_the_answer_to_an_old_syn(lab: Lab, version: int) -> None:
    """An old SYN of an earlier connection comes before the new one: the client answers the
    SYN+ACK, which acknowledges the wrong number, with a RST, and stays in SYN_SENT.

    RFC 9293 §3.5, figure 8, §3.10.7.3.
    """
    hosts, _ = served(lab, version)
    new = lab.wire.hold(segment(SYN, sender=hosts.client))
    hosts.comes("connect_client").run()
    syn_sent = new.reached()
    lab.wire.forge(syn(syn_sent, ahead=-(1 << 16)))

    answer = lab.wire.last(SYN | ACK, sender=hosts.server)
    resets = lab.wire.segments(RST, sender=hosts.client)
    assert [reset.sequence for reset in resets] == [answer.acknowledgement]
    assert hosts.client.states(remote=lab.port) == [SYN_SENT]


@pytest.mark.about("SYN", "duplicate", "RST", "connect")
@over_both
def test_an_old_syn_does_not_keep_a_client_from_connecting(lab: Lab, version: int) -> None:
    """connect() succeeds though an old SYN came before the new one: the RST brings the server back
    to LISTEN.

    RFC 9293 §3.5, figure 8, §3.10.7.4 (SYN-RECEIVED: a RST returns to LISTEN).
    """
    hosts, _ = served(lab, version)
    new = lab.wire.hold(segment(SYN, sender=hosts.client))
    connecting = hosts.comes("connect_client")
    connected = connecting.arm(leaving("connect"))
    connecting.run()
    syn_sent = new.reached()
    reset = lab.wire.hold(segment(RST, sender=hosts.client))
    lab.wire.forge(syn(syn_sent, ahead=-(1 << 16)))
    reset.reached()
    assert hosts.server.states(local=lab.port) == [LISTEN, SYN_RECEIVED]

    reset.let_go()
    assert hosts.server.goes(local=lab.port, state=SYN_RECEIVED)
    new.let_go()
    assert returned(connected) == 0
