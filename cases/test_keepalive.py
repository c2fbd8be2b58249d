"""SO_KEEPALIVE: an idle connection asks whether the other end is still there."""

import pytest

from cases.between_hosts import LATEST, NS, given, happens, waiting_for_an_answer
from cases.joined import over_both
from harness import (
    ACK,
    ECONNRESET,
    ESTABLISHED,
    ETIMEDOUT,
    HOST_UNREACHABLE,
    PSH,
    RST,
    Fate,
    Host,
    Lab,
    Protocol,
    packet,
    segment,
)


def asks(host: Host, probes: int) -> None:
    """The host's idle connections are asked after 1 s, and so many times more, a second apart."""
    host.hasten(keepalive_time=1, keepalive_intvl=1, keepalive_probes=probes)


@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "ETIMEDOUT", "tcp_keepalive_probes", "crash")
@pytest.mark.behaviour("J2")
@over_both
def test_keepalive_finds_a_dead_idle_peer(lab: Lab, version: int) -> None:
    """With SO_KEEPALIVE a read from a peer that died in silence says ETIMEDOUT in the end.

    RFC 9293 §3.8.4; socket(7), tcp(7); UNP 7.5. By default it takes more than 2 hours and 11
    minutes.
    """
    here, there = lab.join("client", "server")
    asks(here, probes=1)
    two = waiting_for_an_answer(here, there, version, "option_client -k")
    there.crash()

    assert given(two.answer) == ETIMEDOUT


@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "tcp_keepalive_probes", "RST")
@pytest.mark.behaviour("J2")
@pytest.mark.parametrize("probes", [1, 2])
@over_both
def test_a_dead_peer_is_asked_as_often_as_tcp_keepalive_probes_says(
    lab: Lab, version: int, probes: int
) -> None:
    """Without an answer there are tcp_keepalive_probes probes, each one byte before what the peer
    has acknowledged and without data; then RST.

    tcp(7); RFC 9293 §3.8.4; Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer, and tcp_output.c,
    tcp_xmit_probe_skb.
    """
    here, there = lab.join("client", "server")
    asks(here, probes)
    two = waiting_for_an_answer(here, there, version, "option_client -k")
    said = lab.wire.last(PSH, sender=here)
    there.crash()
    two.answer.reached(LATEST)

    *asked, last = lab.wire.segments(fate=Fate.CUT)
    assert [(probe.end + 1 - said.end, probe.length) for probe in asked] == [(0, 0)] * probes
    assert last.flags & RST


@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "ESTABLISHED")
@pytest.mark.behaviour("J2")
@over_both
def test_a_peer_that_answers_keeps_the_connection(lab: Lab, version: int) -> None:
    """An idle peer that is alive answers each probe, and the connection stays, however many there
    are.

    RFC 9293 §3.8.4. Here a second probe without an answer in between would be one too many.
    """
    here, there = lab.join("client", "server")
    asks(here, probes=1)
    waiting_for_an_answer(here, there, version, "option_client -k")
    third = lab.wire.duplicate(segment(ACK, sender=there, nth=3))

    assert happens(third)
    [end] = here.sockets(remote=lab.port)
    assert (end.state, end.timer) == (ESTABLISHED, "keepalive")


@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "ECONNRESET", "RST", "reboot", "half-open")
@pytest.mark.scenario("S2.12")
@pytest.mark.behaviour("I4", "J2")
@over_both
def test_keepalive_finds_a_half_open_connection(lab: Lab, version: int) -> None:
    """A host that crashed and rebooted answers the probe with RST: read says ECONNRESET, though
    nobody had anything to say.

    RFC 9293 §3.5.1, §3.8.4; UNP 5.15, 7.5.
    """
    here, there = lab.join("client", "server")
    asks(here, probes=9)
    two = waiting_for_an_answer(here, there, version, "option_client -k")
    there.crash()
    there.boot()

    assert given(two.answer) == ECONNRESET
    assert lab.senders(RST) == ["server"]


@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "ETIMEDOUT", "EHOSTUNREACH", "ICMP", "router", "crash")
@pytest.mark.behaviour("J2")
@over_both
def test_what_a_router_says_to_the_probes_is_not_believed(lab: Lab, version: int) -> None:
    """A router answers each probe with ICMP host unreachable; on Linux read says ETIMEDOUT all the
    same.

    A probe's sequence number is an old one, so that what quotes it passes for forged: Linux
    net/ipv4/tcp_ipv4.c, tcp_v4_err, RFC 5927 §4.1. UNP 7.5 has EHOSTUNREACH, as of BSD.
    """
    here, router, there = lab.join("client", "router", "server")
    # One that goes out between the crash and what the router forgets then is told of by nobody.
    asks(here, probes=3)
    router.sysctl(f"net.ipv{version}.neigh.eth1.retrans_time_ms", 50)
    two = waiting_for_an_answer(here, there, version, "option_client -k")
    told = lab.wire_between(here, router).hold(
        packet(Protocol.ICMPV6 if version == 6 else Protocol.ICMP, sender=router)
    )
    there.crash()
    router.forgets(there)
    assert told.reached(LATEST).icmp is HOST_UNREACHABLE
    told.let_go()

    assert given(two.answer) == ETIMEDOUT


@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "TCP_USER_TIMEOUT", "ETIMEDOUT", "tcp_keepalive_probes")
@pytest.mark.behaviour("J2", "J3")
@over_both
def test_tcp_user_timeout_overrides_the_number_of_probes(lab: Lab, version: int) -> None:
    """With TCP_USER_TIMEOUT of 2 s an idle connection whose peer is dead ends after that time,
    however many probes are left.

    tcp(7) TCP_USER_TIMEOUT; RFC 5482 §4.2; Linux net/ipv4/tcp_timer.c, tcp_keepalive_timer.
    """
    here, there = lab.join("client", "server")
    asks(here, probes=100)
    two = waiting_for_an_answer(here, there, version, "option_client -k -u")
    idle = lab.wire.last(sender=there)
    there.crash()

    assert given(two.answer) == ETIMEDOUT
    assert two.client.at is not None and (two.client.at.time - idle.time) * NS >= 2
