"""How long a segment that nobody acknowledges is sent again: tcp_retries2 and TCP_USER_TIMEOUT."""

import pytest

from cases.between_hosts import LATEST, NS, answer_to, apart
from cases.joined import over_both
from cases.steps import gave
from harness import (
    CONNECTION,
    ESTABLISHED,
    ETIMEDOUT,
    NET_UNREACHABLE,
    RST,
    Fate,
    Lab,
    Process,
    leaving,
)

MOST_DOUBLINGS = 5
"""Segments that doubling leaves room for with tcp_retries2 of 2: the first, the probe, three more."""
RTO_MIN = 0.2
"""Seconds: TCP_RTO_MIN in the kernel's include/net/tcp.h."""


def lasted(lab: Lab, client: Process) -> float:
    """Seconds from the line that nobody acknowledged, when it was first sent, to where the client
    is held now."""
    first = lab.wire.segments(fate=Fate.CUT)[0]
    assert client.at is not None
    return (client.at.time - first.time) * NS


@pytest.mark.waits
@pytest.mark.about("ETIMEDOUT", "tcp_retries2", "retransmission")
@pytest.mark.behaviour("I3")
@over_both
def test_retransmissions_last_as_long_as_tcp_retries2_says(lab: Lab, version: int) -> None:
    """A segment is sent again for as long as tcp_retries2 doublings of the least time-out take;
    then read says ETIMEDOUT.

    tcp(7) and Documentation/networking/ip-sysctl.rst, tcp_retries2 (a hypothetical time-out);
    Linux net/ipv4/tcp_timer.c, retransmits_timed_out; RFC 9293 §3.8.3 (R2), RFC 6298 §5.
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=2)
    two = apart(here, there, version)
    lab.wire.cut()

    assert answer_to(two.client, "more\n") == ETIMEDOUT
    assert lasted(lab, two.client) >= (2**3 - 1) * RTO_MIN


@pytest.mark.waits
@pytest.mark.about("retransmission", "exponential")
@pytest.mark.behaviour("I3")
@over_both
def test_the_time_between_retransmissions_grows(lab: Lab, version: int) -> None:
    """Each retransmission that the timer makes comes later after the one before than that did.

    RFC 6298 §5.5 (back off the timer), RFC 9293 §3.8.1. The first one is the tail loss probe's, RFC
    8985 §7, which does not back off.
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=2)
    two = apart(here, there, version)
    lab.wire.cut()
    two.client.input("more\n").reach(leaving("read", on=CONNECTION), deadline=LATEST)

    timed = [sent.time for sent in lab.wire.segments(fate=Fate.CUT)[1:]]
    gaps = [later - earlier for earlier, later in zip(timed, timed[1:])]
    assert gaps == sorted(gaps) and gaps[-1] > 2 * gaps[0]


@pytest.mark.waits
@pytest.mark.about("retransmission", "tcp_retries2", "ICMP", "router")
@pytest.mark.behaviour("I2", "I3")
@over_both
def test_a_router_that_answers_makes_retransmissions_frequent(lab: Lab, version: int) -> None:
    """Each ICMP net unreachable takes a doubling of the time-out back: a router that answers shows
    that nothing is congested. tcp_retries2 is a time, so the retransmissions are more.

    RFC 6069; Linux net/ipv4/tcp_ipv4.c, tcp_ld_RTO_revert.
    """
    here, router, there = lab.join("client", "router", "server")
    here.hasten(retries2=2)
    two = apart(here, there, version)
    router.answers_with(NET_UNREACHABLE, about=there)
    said = lab.recorded()
    two.client.input("more\n").reach(leaving("read", on=CONNECTION), deadline=LATEST)

    assert len(lab.segments(sender=here, after=said)) > MOST_DOUBLINGS


@pytest.mark.waits
@pytest.mark.about("ETIMEDOUT", "CLOSED", "RST")
@pytest.mark.behaviour("I3")
@over_both
def test_the_connection_is_gone_after_etimedout(lab: Lab, version: int) -> None:
    """When read has said ETIMEDOUT no socket is left of the connection, and the peer, which thinks
    it open, was told nothing.

    RFC 9293 §3.8.3 (R2: close the connection); Linux net/ipv4/tcp_timer.c, tcp_write_err.
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=0)
    two = apart(here, there, version)
    lab.wire.cut()
    two.client.input("more\n").reach(leaving("read", on=CONNECTION), deadline=LATEST)

    assert here.states(remote=lab.port) == []
    assert there.states(local=lab.port, state=ESTABLISHED) == [ESTABLISHED]
    assert lab.senders(RST) == []


@pytest.mark.waits
@pytest.mark.about("TCP_USER_TIMEOUT", "ETIMEDOUT", "tcp_retries2")
@pytest.mark.behaviour("J3")
@pytest.mark.parametrize("retries", [0, 15])
@over_both
def test_tcp_user_timeout_overrides_the_retries(lab: Lab, version: int, retries: int) -> None:
    """With TCP_USER_TIMEOUT of 2 s read says ETIMEDOUT after that time, whether the retries would
    have ended sooner or a quarter of an hour later.

    tcp(7) TCP_USER_TIMEOUT; RFC 5482 §3.1; Linux net/ipv4/tcp_timer.c, retransmits_timed_out.
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=retries)
    two = apart(here, there, version, "option_client -u")
    lab.wire.cut()

    assert answer_to(two.client, "more\n") == ETIMEDOUT
    assert lasted(lab, two.client) >= 2
