"""Simultaneous open: two programs connect to each other, and neither listens.

Each has bound the port that the other connects to. Whether their SYNs cross is luck in life; here
they wait on the wire till both are there, or do not.
"""

import pytest

from cases.joined import over_both
from cases.steps import ends, gives, returned
from harness import (
    ACK,
    ALWAYS,
    ECONNREFUSED,
    ESTABLISHED,
    SYN,
    SYN_RECEIVED,
    SYN_SENT,
    Flag,
    Held,
    Host,
    Lab,
    Process,
    entering,
    exited,
    leaving,
    segment,
)


def starts(lab: Lab, host: Host, other: Host, version: int) -> Process:
    """A program that connects to the other host, from the port that it connects to."""
    address = other.address6 if version == 6 else other.address
    return host.start("connect_client", "-b", address, lab.port)


def crossing(lab: Lab, version: int) -> tuple[Host, Host, Process, Process, Held]:
    """Two hosts, a program asleep in connect on each, and both SYNs on the wire between them.

    Both are loaded before either connects, and a SYN that is sent again all the same is lost: it would
    be answered with an acknowledgement, which ends the crossing.
    """
    left, right = lab.join("left", "right")
    for host in (left, right):
        lab.wire.drop(segment(SYN, without=ACK, sender=host, nth=2), times=ALWAYS)
    syns = lab.wire.hold(segment(SYN, without=ACK))
    one = starts(lab, left, right, version).reach(entering("connect"))
    other = starts(lab, right, left, version).reach(entering("connect"))
    one.blocked("connect")
    other.blocked("connect")
    left.awaits(local=lab.port, state=SYN_SENT)
    right.awaits(local=lab.port, state=SYN_SENT)
    return left, right, one, other, syns


@pytest.mark.about("simultaneous open", "connect")
@pytest.mark.behaviour("H6")
@over_both
def test_two_that_connect_to_each_other_both_succeed(lab: Lab, version: int) -> None:
    """Both connect() succeed, and nobody listened, when the SYNs cross on the way.

    RFC 9293 §3.5 (simultaneous initiation, figure 7); UNP §2.6.
    """
    _, _, one, other, syns = crossing(lab, version)
    here, there = one.arm(leaving("connect")), other.arm(leaving("connect"))
    syns.let_go()

    assert returned(here) == 0
    assert returned(there) == 0


@pytest.mark.about("simultaneous open", "ESTABLISHED")
@pytest.mark.behaviour("H6")
@over_both
def test_two_that_connect_to_each_other_have_one_connection(lab: Lab, version: int) -> None:
    """It is one connection, not two: each host has one socket, ESTABLISHED with the other's.

    RFC 9293 §3.5 (a pair of sockets names one connection).
    """
    left, right, one, other, syns = crossing(lab, version)
    here, there = one.arm(leaving("connect")), other.arm(leaving("connect"))
    syns.let_go()
    here.reached()
    there.reached()

    assert left.states() == [ESTABLISHED]
    assert right.states() == [ESTABLISHED]


@pytest.mark.about("simultaneous open", "write", "read")
@pytest.mark.behaviour("H6")
@over_both
def test_data_go_both_ways_after_a_simultaneous_open(lab: Lab, version: int) -> None:
    """What either says arrives at the other.

    RFC 9293 §3.5.
    """
    _, _, one, other, syns = crossing(lab, version)
    syns.let_go()

    assert ends(one) == exited(0)
    assert ends(other) == exited(0)
    assert (one.output, other.output) == ("hello\n", "hello\n")


@pytest.mark.about("simultaneous open", "SYN_RECEIVED", "SYN_SENT")
@pytest.mark.behaviour("H6")
@over_both
def test_a_syn_that_comes_in_syn_sent_leads_to_syn_received(lab: Lab, version: int) -> None:
    """Both sides pass from SYN_SENT to SYN_RECEIVED, and there each says SYN+ACK.

    RFC 9293 §3.5, figure 7, §3.10.7.3 (SYN-SENT: a SYN without ACK).
    """
    left, right, _, _, syns = crossing(lab, version)
    answers = lab.wire.hold(segment(SYN | ACK))
    syns.let_go()

    assert left.comes(local=lab.port, state=SYN_RECEIVED)
    assert right.comes(local=lab.port, state=SYN_RECEIVED)
    answers.reached()
    assert sorted(set(lab.senders(SYN | ACK))) == ["left", "right"]


@pytest.mark.about("simultaneous open", "SYN", "ACK")
@pytest.mark.behaviour("H6")
@over_both
def test_the_syn_acks_of_a_simultaneous_open_repeat_the_syns(lab: Lab, version: int) -> None:
    """The SYN+ACK of each side has the sequence number of its SYN: four segments, two numbers.

    RFC 9293 §3.5, figure 7.
    """
    left, right, one, other, syns = crossing(lab, version)
    syns.let_go()
    one.ended()
    other.ended()

    for host in (left, right):
        sent = [seen for seen in lab.segments(SYN) if seen.host == host.name]
        assert {seen.flags & ACK for seen in sent} == {ACK, Flag(0)}
        assert len({seen.sequence for seen in sent}) == 1


@pytest.mark.about("simultaneous open", "ECONNREFUSED", "connect")
@pytest.mark.behaviour("H6")
@over_both
def test_one_that_connects_before_the_other_is_refused(lab: Lab, version: int) -> None:
    """connect() says ECONNREFUSED when the SYN arrives before the other side has called connect():
    that the port is bound there is not enough.

    RFC 9293 §3.10.7.1 (CLOSED: a RST); POSIX.1-2024 connect() [ECONNREFUSED].
    """
    left, right = lab.join("left", "right")
    other = starts(lab, right, left, version).reach(entering("connect"))
    one = starts(lab, left, right, version)

    assert other.outcome("bind") == 0
    assert gives(one, "connect") == ECONNREFUSED
