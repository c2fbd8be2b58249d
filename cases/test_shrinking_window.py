"""A receiver takes back a window that it has told: the sender was promised room, and has it no more.

A linger_client writes lines to a server that does not read. The acknowledgement of the first is held,
and another one, that takes the window back, comes in its place.
"""

import pytest

from cases.between_hosts import happens
from cases.joined import Joined, joined, over_both
from harness import ACK, ESTABLISHED, Held, Lab, Process, reply, segment


FIRST, SECOND = "first\n", "second\n"


def shrunk(hosts: Joined) -> tuple[Process, Held]:
    """The client, told of a window of zero where it knew of a large one; and the acknowledgement that
    the server really sent."""
    hosts.serves("reuseadr_eserver")
    client = hosts.comes("linger_client").run().blocked("read")
    hosts.server.awaits(local=hosts.port, state=ESTABLISHED)
    held = hosts.wire.hold(segment(ACK, payload=False, sender=hosts.server))
    client.input(FIRST)
    held.reached()
    hosts.wire.forge(reply(hosts.wire.last(sender=hosts.client), window=0))
    hosts.client.awaits(remote=hosts.port, send_window=0)
    return client, held


def said(hosts: Joined) -> list[int]:
    """Bytes of each segment of data of the client's, those that were sent again left out."""
    sent = hosts.wire.segments(sender=hosts.client)
    return list({seen.sequence: seen.length for seen in sent if seen.length}.values())


@pytest.mark.about("window", "persist", "ESTABLISHED")
@pytest.mark.behaviour("S7")
@over_both
def test_a_window_that_was_taken_back_stops_the_sender(lab: Lab, version: int) -> None:
    """What is written after the window was taken back is not sent, though there was room for it before;
    the persist timer runs, and the connection stays.

    RFC 9293 §3.8.6 (a sender must be robust against window shrinking, MUST-34; SHLD-14); Linux
    net/ipv4/tcp_input.c, tcp_may_update_window.
    """
    hosts = joined(lab, version)
    client, _ = shrunk(hosts)
    client.input(SECOND)
    hosts.client.awaits(remote=hosts.port, timer="persist")

    assert said(hosts) == [len(FIRST)]
    assert hosts.client.states(remote=hosts.port) == [ESTABLISHED]


@pytest.mark.about("window", "window update")
@pytest.mark.behaviour("S7")
@over_both
def test_a_window_that_comes_back_lets_the_sender_go_on(lab: Lab, version: int) -> None:
    """When a larger window is told again what had to wait is sent, once.

    RFC 9293 §3.8.6; Linux net/ipv4/tcp_input.c, tcp_may_update_window (the same numbers, a larger
    window).
    """
    hosts = joined(lab, version)
    client, held = shrunk(hosts)
    client.input(SECOND)
    hosts.client.awaits(remote=hosts.port, timer="persist")
    data = hosts.wire.hold(segment(payload=True, sender=hosts.client))
    held.let_go()

    assert happens(data)
    assert said(hosts) == [len(FIRST), len(SECOND)]
