"""SYN cookies: a listener that remembers nothing of a SYN, and knows the client by its ACK.

With net.ipv4.tcp_syncookies 2 each SYN is answered so; with 1 only those that find no room.
"""

from dataclasses import replace

import pytest

from cases.joined import MERE_ACK, Joined, joined, over_both
from cases.steps import ends
from harness import (
    ACK,
    ESTABLISHED,
    RST,
    SYN,
    SYN_RECEIVED,
    Held,
    Lab,
    Process,
    State,
    exited,
    leaving,
    reply,
)

ALWAYS_COOKIES, NO_COOKIES = 2, 0
WRONG = 1 << 16
"""How far from the cookie: the next three numbers may be cookies as well, of another MSS."""


def last_ack_held(lab: Lab, version: int, cookies: int) -> tuple[Joined, Process, Process, Held]:
    """Two hosts, a server that is held before accept, a client whose connect has returned, and the
    last segment of its handshake, on the wire, with all that is like it."""
    hosts = joined(lab, version)
    hosts.server.sysctl("net.ipv4.tcp_syncookies", cookies)
    server = hosts.serves("tcpserv01")
    last = hosts.wire.hold(replace(MERE_ACK, sender=hosts.client))
    client = hosts.comes("connect_client").reach(leaving("connect"))
    last.reached()
    return hosts, server, client, last


@pytest.mark.about("SYN cookies", "tcp_syncookies", "SYN_RECEIVED", "listen")
@pytest.mark.behaviour("G15")
@pytest.mark.parametrize(
    ("cookies", "known"),
    [
        pytest.param(ALWAYS_COOKIES, [], id="cookies"),
        pytest.param(NO_COOKIES, [SYN_RECEIVED], id="without"),
    ],
)
@over_both
def test_a_syn_cookie_leaves_no_half_open_connection(
    lab: Lab, cookies: int, known: list[State], version: int
) -> None:
    """A SYN that was answered with a cookie is forgotten: the server has no socket in SYN_RECEIVED
    while the client is connected.

    RFC 4987 §3.6 (SYN cookies: no state); Linux net/ipv4/tcp_input.c, tcp_conn_request.
    """
    hosts, _, _, _ = last_ack_held(lab, version, cookies)

    assert hosts.client.states(remote=lab.port) == [ESTABLISHED]
    assert hosts.server.states(local=lab.port, state=SYN_RECEIVED) == known


@pytest.mark.about("SYN cookies", "tcp_syncookies", "accept")
@pytest.mark.behaviour("G15")
@over_both
def test_the_ack_of_a_cookie_makes_the_connection(lab: Lab, version: int) -> None:
    """The last segment of the handshake brings the cookie back, and accept() gives the connection.

    RFC 4987 §3.6; Linux net/ipv4/syncookies.c, cookie_v4_check.
    """
    hosts, server, client, last = last_ack_held(lab, version, ALWAYS_COOKIES)
    assert hosts.server.states(local=lab.port, state=ESTABLISHED) == []
    last.let_go()
    hosts.settles()
    assert hosts.server.states(local=lab.port, state=ESTABLISHED) == [ESTABLISHED]
    server.run()

    assert ends(client) == exited(0)
    assert client.output == "hello\n"


@pytest.mark.about("SYN cookies", "tcp_syncookies", "write", "accept")
@pytest.mark.behaviour("G15")
@over_both
def test_data_bring_a_cookie_whose_ack_was_lost(lab: Lab, version: int) -> None:
    """When the last segment of the handshake is lost, the client's first data bring the cookie.

    RFC 4987 §3.6 (each segment acknowledges); Linux net/ipv4/tcp_ipv4.c, tcp_v4_cookie_check.
    """
    _, server, client, last = last_ack_held(lab, version, ALWAYS_COOKIES)
    last.discard()
    server.run()

    assert ends(client) == exited(0)
    assert client.output == "hello\n"


@pytest.mark.about("SYN cookies", "tcp_syncookies", "RST")
@pytest.mark.behaviour("G15")
@over_both
def test_an_ack_that_is_no_cookie_is_reset(lab: Lab, version: int) -> None:
    """An ACK whose number is no cookie is answered with a RST, and makes no connection.

    RFC 9293 §3.10.7.2 (LISTEN: any acknowledgment is bad); Linux net/ipv4/syncookies.c,
    __cookie_v4_check.
    """
    hosts, _, _, last = last_ack_held(lab, version, ALWAYS_COOKIES)
    answer = hosts.wire.last(SYN | ACK, sender=hosts.server)
    forged = hosts.wire.forge(reply(replace(answer, sequence=answer.sequence + WRONG)))
    hosts.settles()

    assert [said.flags for said in hosts.said_till_settled(forged, hosts.server)] == [RST]
    assert hosts.server.states(local=lab.port, state=ESTABLISHED) == []
