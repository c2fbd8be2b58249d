"""Path MTU discovery: a wire in the middle carries less than the two at the ends.

The routers are real kernels, and so is what they say: fragmentation needed, or packet too big.
"""

import pytest

from cases.between_hosts import answer_to, apart
from cases.joined import over_both
from cases.steps import echoes
from harness import (
    ALWAYS,
    ETIMEDOUT,
    FRAGMENTATION_NEEDED,
    Host,
    Lab,
    Protocol,
    Wire,
    packet,
)

NARROW = 1300
"""Bytes of a packet: more than the 1280 that IPv6 requires."""
LONG_LINE = "x" * 4000 + "\n"


def narrow(lab: Lab) -> tuple[Host, Host, Wire]:
    """The host of a client and of a server, whose packets may be longer than the path between them
    carries; and the client's wire, where the first router answers."""
    here, near, _, there = lab.join("client", "near", "far", "server", mtu=[1500, NARROW, 1500])
    return here, there, lab.wire_between(here, near)


def icmp_of(version: int) -> Protocol:
    """What that version of IP carries the message in."""
    return Protocol.ICMPV6 if version == 6 else Protocol.ICMP


@pytest.mark.about("ICMP", "MTU", "fragmentation needed", "packet too big")
@pytest.mark.behaviour("I7")
@over_both
def test_what_is_too_long_is_sent_again_in_shorter_segments(lab: Lab, version: int) -> None:
    """A router that says how long packets may be makes TCP send again, at once, what was too long:
    in segments that fit.

    RFC 1191 §6.4, RFC 8201 §5.4, RFC 9293 §3.7.5; Linux net/ipv4/tcp_ipv4.c, tcp_v4_mtu_reduced,
    tcp_input.c, tcp_simple_retransmit.
    """
    here, there, wire = narrow(lab)
    two = apart(here, there, version)

    assert echoes(two.client, LONG_LINE)
    told = [p for p in wire.packets(icmp_of(version)) if p.icmp is FRAGMENTATION_NEEDED]
    sent = wire.segments(sender=here)
    assert told and max(s.whole for s in sent if s.seq < told[0].seq) == 1500
    assert max(s.whole for s in sent if s.seq > told[-1].seq) == NARROW


@pytest.mark.waits
@pytest.mark.about("ICMP", "MTU", "black hole", "ETIMEDOUT")
@pytest.mark.behaviour("I7")
@over_both
def test_without_icmp_the_path_is_a_black_hole(lab: Lab, version: int) -> None:
    """When the message is lost, short lines go through and a long one never does: read says
    ETIMEDOUT.

    RFC 2923 §2.1, RFC 4821 §1; ip-sysctl.rst, tcp_mtu_probing (0 by default).
    """
    here, there, wire = narrow(lab)
    here.hasten(retries2=1, mtu_probing=0)
    two = apart(here, there, version)
    lost = wire.drop(packet(icmp_of(version), sender="near"), times=ALWAYS)

    assert answer_to(two.client, LONG_LINE) == ETIMEDOUT
    assert lost.disarm() > 0


@pytest.mark.waits
@pytest.mark.about("ICMP", "MTU", "black hole", "tcp_mtu_probing")
@pytest.mark.behaviour("I7")
@over_both
def test_tcp_mtu_probing_finds_a_way_through_the_black_hole(lab: Lab, version: int) -> None:
    """With tcp_mtu_probing TCP tries shorter segments when it has sent a long one in vain several
    times: the line arrives though no message does.

    RFC 4821 §7.7; ip-sysctl.rst, tcp_mtu_probing; Linux net/ipv4/tcp_timer.c, tcp_mtu_probing.
    """
    here, there, wire = narrow(lab)
    here.hasten(retries1=0, mtu_probing=1)
    two = apart(here, there, version)
    wire.drop(packet(icmp_of(version), sender="near"), times=ALWAYS)

    assert echoes(two.client, LONG_LINE)
