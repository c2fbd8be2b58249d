"""connect() when nobody answers: ETIMEDOUT. tcp_syn_retries is shortened."""

import pytest

from cases.joined import joined, over_both
from cases.steps import gave
from harness import (
    ACK,
    ETIMEDOUT,
    SYN,
    Broken,
    Host,
    Lab,
    Unsupported,
    exited,
    leaving,
)

LONG = 25.0
"""Seconds that an attempt with few retries ends in, on a busy machine, too."""


@pytest.mark.about("ETIMEDOUT", "connect", "tcp_syn_retries")
@pytest.mark.behaviour("H4")
@pytest.mark.waits
@over_both
def test_connect_into_a_black_hole_says_etimedout(lab: Lab, version: int) -> None:
    """connect() says ETIMEDOUT when its SYNs vanish.

    POSIX.1-2024 connect() [ETIMEDOUT]; RFC 9293 §3.8.3; UNP §4.3.
    """
    hosts = joined(lab, version)
    hosts.client.hasten(syn_retries=1)
    hosts.serves("tcpserv01").run()
    lab.wire.cut()
    connecting = hosts.comes("connect_client")

    assert gave(connecting.reach(leaving("connect"), deadline=LONG)) == ETIMEDOUT


@pytest.mark.about("ETIMEDOUT", "connect", "SYN")
@pytest.mark.behaviour("H4")
@pytest.mark.waits
@over_both
def test_connect_says_etimedout_when_only_the_answers_vanish(lab: Lab, version: int) -> None:
    """connect() says ETIMEDOUT when the server hears it, but what the server says is lost.

    POSIX.1-2024 connect() [ETIMEDOUT]. The client cannot tell a lost SYN from a lost answer.
    """
    hosts = joined(lab, version)
    hosts.client.hasten(syn_retries=1)
    hosts.serves("tcpserv01").run()
    lab.wire.cut(sender=hosts.server)
    connecting = hosts.comes("connect_client")

    assert gave(connecting.reach(leaving("connect"), deadline=LONG)) == ETIMEDOUT
    assert hosts.wire.segments(SYN | ACK, sender=hosts.server) != []


@pytest.mark.about("ETIMEDOUT", "connect", "crash")
@pytest.mark.behaviour("H4")
@pytest.mark.waits
@over_both
def test_connect_to_a_host_that_has_crashed_says_etimedout(lab: Lab, version: int) -> None:
    """connect() says ETIMEDOUT when the server's host is dead, and its neighbour has not noticed.

    POSIX.1-2024 connect() [ETIMEDOUT]; UNP §4.3, §5.14.
    """
    hosts = joined(lab, version)
    hosts.client.hasten(syn_retries=1)
    hosts.serves("tcpserv01").run()
    hosts.server.crash()
    connecting = hosts.comes("connect_client")

    assert gave(connecting.reach(leaving("connect"), deadline=LONG)) == ETIMEDOUT


@pytest.mark.about("ETIMEDOUT", "SO_ERROR", "O_NONBLOCK", "POLLOUT", "connect")
@pytest.mark.behaviour("H4")
@pytest.mark.waits
@over_both
def test_so_error_says_etimedout_when_connect_did_not_block(lab: Lab, version: int) -> None:
    """A socket that connects without blocking becomes writable when the attempt has timed out, and
    SO_ERROR says ETIMEDOUT.

    POSIX.1-2024 connect(), getsockopt() SO_ERROR; UNP §16.3.
    """
    hosts = joined(lab, version)
    hosts.client.hasten(syn_retries=1)
    lab.wire.cut()
    connecting = hosts.comes("connect_client", "-g")

    assert connecting.ended(deadline=LONG) == exited(111)
    said = connecting.errors.splitlines()[-1]
    assert said == f"SO_ERROR: ETIMEDOUT ({lab.number(ETIMEDOUT)})"


def retries(host: Host, number: int, linear: int) -> None:
    """Sets how often a host tries again, and how many of these tries come a second apart, before
    the time between two begins to double.

    Raises:
        Unsupported: the kernel knows only of doubling, which is what linear=0 means.
    """
    host.hasten(syn_retries=number)
    try:
        host.hasten(syn_linear_timeouts=linear)
    except Broken as missing:
        if linear > 0:
            raise Unsupported("tcp_syn_linear_timeouts: since Linux 6.5") from missing


@pytest.mark.about("ETIMEDOUT", "SYN", "tcp_syn_retries")
@pytest.mark.behaviour("H4")
@pytest.mark.waits
@pytest.mark.parametrize("number", [1, 2])
@over_both
def test_tcp_syn_retries_says_how_often_the_syn_is_sent_again(
    lab: Lab, number: int, version: int
) -> None:
    """An attempt sends its SYN once, and tcp_syn_retries times more, when every try waits twice as
    long as the one before.

    tcp(7) tcp_syn_retries; RFC 9293 §3.8.3.
    """
    hosts = joined(lab, version)
    retries(hosts.client, number, linear=0)
    lab.wire.cut()
    hosts.comes("connect_client").ended(deadline=LONG)

    assert lab.senders(SYN) == ["client"] * (1 + number)


@pytest.mark.about("ETIMEDOUT", "SYN", "tcp_syn_retries", "tcp_syn_linear_timeouts")
@pytest.mark.behaviour("H4")
@pytest.mark.waits
@over_both
def test_with_linear_timeouts_tcp_syn_retries_says_how_long(lab: Lab, version: int) -> None:
    """An attempt with one retry and tcp_syn_linear_timeouts, which is 4 by default, sends three
    SYNs in the 3 seconds that one retry takes: tcp_syn_retries is a time, not a number.

    Linux Documentation/networking/ip-sysctl.rst, tcp_syn_linear_timeouts (since 6.5);
    net/ipv4/tcp_timer.c, retransmits_timed_out. tcp(7) still speaks of a number.
    """
    hosts = joined(lab, version)
    retries(hosts.client, 1, linear=4)
    lab.wire.cut()
    hosts.comes("connect_client").ended(deadline=LONG)

    assert lab.senders(SYN) == ["client"] * 3
