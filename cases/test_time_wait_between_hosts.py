"""TIME_WAIT between two hosts: what ends it, what reopens it, and what it keeps off.

The client's host has just one port to give, so that every client comes from the same one.
"""

from contextlib import suppress

import pytest

from cases.joined import NOBODY, Joined, joined, over_both
from cases.steps import ends
from harness import (
    ACK,
    Broken,
    EADDRNOTAVAIL,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LISTEN,
    RST,
    SYN,
    TIME_WAIT,
    Lab,
    Process,
    State,
    exited,
    leaving,
    rst,
    segment,
    syn,
)

PORT = 40000
"""The one that every client has."""
MILLISECONDS_OF_TIME_WAIT = 60_000
LATEST = 60 * 9 / 8
"""Seconds till TIME_WAIT is over: the kernel's timer wheel may be an eighth late."""


def with_one_port(lab: Lab, version: int, **settings: int) -> Joined:
    """The hosts, with settings of TCP's on both."""
    hosts = joined(lab, version)
    hosts.client.sysctl("net.ipv4.ip_local_port_range", f"{PORT} {PORT}")
    hosts.client.hasten(**settings)
    hosts.server.hasten(**settings)
    return hosts


def server_closed_first(hosts: Joined) -> Process:
    """A daytime server that goes on serving has served a client, and has TIME_WAIT."""
    server = hosts.serves("daytimed").run()
    hosts.comes("daytime").ended()
    hosts.server.awaits(remote=PORT, state=TIME_WAIT)
    hosts.client.awaits_none(local=PORT)
    return server


def client_closed_first(hosts: Joined) -> None:
    """An echo server goes on serving; a client has come and gone, and its host has TIME_WAIT."""
    hosts.serves("tcpserv04").run()
    hosts.comes("tcpcli01").end_input().ended()
    hosts.client.awaits(local=PORT, state=TIME_WAIT)
    hosts.server.awaits_none(remote=PORT)


# --- a reset -------------------------------------------------------------------------------------


@pytest.mark.about("RST", "TIME_WAIT", "tcp_rfc1337")
@pytest.mark.behaviour("B7")
@over_both
def test_a_reset_ends_time_wait(lab: Lab, version: int) -> None:
    """Without tcp_rfc1337, which is the default, a RST ends TIME_WAIT.

    RFC 9293 §3.10.7.4 (TIME-WAIT: if the RST bit is set, enter CLOSED); RFC 1337 §2;
    tcp(7) tcp_rfc1337.
    """
    hosts = with_one_port(lab, version, rfc1337=0)
    server_closed_first(hosts)
    hosts.wire.forge(rst(hosts.wire.last(sender=hosts.client)))
    assert hosts.server.goes(remote=PORT)


@pytest.mark.about("RST", "TIME_WAIT", "tcp_rfc1337")
@pytest.mark.behaviour("B7")
@over_both
def test_with_tcp_rfc1337_a_reset_does_not_end_time_wait(lab: Lab, version: int) -> None:
    """With tcp_rfc1337 TIME_WAIT ignores a RST.

    RFC 1337 §3 (fix F1); kernel net/ipv4/tcp_minisocks.c tcp_timewait_state_process.
    """
    hosts = with_one_port(lab, version, rfc1337=1)
    server_closed_first(hosts)
    hosts.wire.forge(rst(hosts.wire.last(sender=hosts.client)))
    hosts.settles()
    assert hosts.server.states(remote=PORT) == [TIME_WAIT]


@pytest.mark.about("RST", "TIME_WAIT", "tcp_rfc1337")
@pytest.mark.behaviour("B7", "D10")
@pytest.mark.parametrize("ahead", [-1, 1, 1 << 30])
@over_both
def test_a_reset_that_does_not_fit_does_not_end_time_wait(
    lab: Lab, version: int, ahead: int
) -> None:
    """A RST without the very sequence number that is expected next does not end TIME_WAIT.

    RFC 5961 §3.2; kernel net/ipv4/tcp_minisocks.c tcp_timewait_state_process.
    """
    hosts = with_one_port(lab, version, rfc1337=0)
    server_closed_first(hosts)
    hosts.wire.forge(rst(hosts.wire.last(sender=hosts.client), ahead))
    hosts.settles()
    assert hosts.server.states(remote=PORT) == [TIME_WAIT]


# --- a SYN ---------------------------------------------------------------------------------------


@pytest.mark.about("SYN", "TIME_WAIT", "connect", "tcp_timestamps")
@pytest.mark.behaviour("B8")
@pytest.mark.parametrize("timestamps", [0, 1])
@over_both
def test_a_newer_syn_reopens_time_wait(lab: Lab, version: int, timestamps: int) -> None:
    """A client that comes from the same port again is served though the server's side is in
    TIME_WAIT, which is gone then; with timestamps and without.

    RFC 9293 §3.10.7.4 (TIME-WAIT, SYN), MAY-2; RFC 6191 §2; kernel net/ipv4/tcp_minisocks.c
    tcp_timewait_state_process.
    """
    hosts = with_one_port(lab, version, timestamps=timestamps)
    server_closed_first(hosts)

    again = hosts.comes("daytime").reach(leaving("connect"))
    assert again.outcome("connect") == 0
    assert [end.state is TIME_WAIT for end in hosts.server.sockets(remote=PORT)] == [False]
    assert ends(again) == exited(0)


@pytest.mark.about("SYN", "ACK", "TIME_WAIT")
@pytest.mark.behaviour("B8")
@over_both
def test_an_older_syn_does_not_reopen_time_wait(lab: Lab, version: int) -> None:
    """A SYN with a sequence number of the old connection's, an old duplicate, is answered with an
    ACK, and TIME_WAIT stays.

    RFC 9293 §3.10.7.4 (TIME-WAIT; fourth, check the SYN bit), §3.6.1; kernel
    net/ipv4/tcp_minisocks.c tcp_timewait_state_process.
    """
    hosts = with_one_port(lab, version, rfc1337=0)
    server_closed_first(hosts)
    hosts.wire.drop(segment(RST, sender=hosts.client))  # which is what the ACK is answered with
    last = hosts.wire.last(sender=hosts.client)
    forged = hosts.wire.forge(syn(last, ahead=-1000))
    hosts.settles()
    said = hosts.said_till_settled(forged, hosts.server)
    assert [(sent.flags, sent.acknowledgement) for sent in said] == [(ACK, last.end)]
    assert hosts.server.states(remote=PORT) == [TIME_WAIT]


@pytest.mark.about("SYN", "RST", "TIME_WAIT", "tcp_rfc1337", "assassination")
@pytest.mark.behaviour("B7", "B8")
@pytest.mark.parametrize(
    ("rfc1337", "left"),
    [pytest.param(0, [], id="off"), pytest.param(1, [TIME_WAIT], id="tcp_rfc1337")],
)
@over_both
def test_an_old_duplicate_syn_assassinates_time_wait(
    lab: Lab, version: int, rfc1337: int, left: list[State]
) -> None:
    """An old SYN that comes again ends TIME_WAIT: its answer, an ACK, is news to the client's host,
    which says RST. With tcp_rfc1337 TIME_WAIT stays.

    RFC 1337 §2 (figure 1, TIME-WAIT assassination), §3 (F1).
    """
    hosts = with_one_port(lab, version, rfc1337=rfc1337)
    server_closed_first(hosts)
    forged = hosts.wire.forge(syn(hosts.wire.last(sender=hosts.client), ahead=-1000))
    hosts.settles()
    assert [said.flags for said in hosts.said_till_settled(forged, hosts.server)] == [ACK]
    assert [said.flags for said in hosts.said_till_settled(forged)] == [RST]
    assert hosts.server.states(remote=PORT) == left


# --- the client's own port -----------------------------------------------------------------------


@pytest.mark.about("TIME_WAIT", "EADDRNOTAVAIL", "connect", "tcp_tw_reuse")
@pytest.mark.behaviour("B10")
@over_both
def test_time_wait_keeps_the_client_from_its_port(lab: Lab, version: int) -> None:
    """connect() says EADDRNOTAVAIL while TIME_WAIT has the only port that there is to give.

    RFC 9293 §3.6.1 (the pair of sockets is not used again); POSIX.1-2024 connect()
    [EADDRNOTAVAIL]; ip(7) ip_local_port_range.
    """
    hosts = with_one_port(lab, version, tw_reuse=0)
    client_closed_first(hosts)
    assert hosts.comes("tcpcli01").outcome("connect") == EADDRNOTAVAIL


@pytest.mark.about("TIME_WAIT", "connect", "ip_local_port_range")
@pytest.mark.behaviour("B10")
@over_both
def test_time_wait_keeps_nobody_from_another_server(lab: Lab, version: int) -> None:
    """connect() from the port that TIME_WAIT has goes out to another port: what is not used again
    is the pair, not the port.

    RFC 9293 §3.6.1; kernel net/ipv4/inet_hashtables.c __inet_hash_connect.
    """
    hosts = with_one_port(lab, version, tw_reuse=0)
    client_closed_first(hosts)
    other = hosts.client.start("tcpcli01", hosts.address, NOBODY)
    assert other.outcome("connect").errno == "ECONNREFUSED"
    assert hosts.wire.last(SYN, sender=hosts.client).source.port == PORT


@pytest.mark.about("TIME_WAIT", "connect", "tcp_tw_reuse")
@pytest.mark.behaviour("B16")
@pytest.mark.waits
@pytest.mark.parametrize(
    ("tw_reuse", "outcome"),
    [
        pytest.param(0, EADDRNOTAVAIL, id="off"),
        pytest.param(1, 0, id="on"),
        pytest.param(2, EADDRNOTAVAIL, id="loopback-only"),
    ],
)
@over_both
def test_tcp_tw_reuse_gives_the_port_out_again_after_a_second(
    lab: Lab, version: int, tw_reuse: int, outcome: object
) -> None:
    """With tcp_tw_reuse connect() takes the port over from a TIME_WAIT that is older than a second;
    with 2 it does so on loopback only, and not on a wire.

    kernel Documentation/networking/ip-sysctl.rst tcp_tw_reuse, net/ipv4/tcp_ipv4.c
    tcp_twsk_unique; RFC 6191 (it needs timestamps).
    """
    hosts = with_one_port(lab, version, tw_reuse=tw_reuse, timestamps=1)
    client_closed_first(hosts)
    more_than_a_second_passes(hosts)
    assert hosts.comes("tcpcli01").outcome("connect") == outcome


def more_than_a_second_passes(hosts: Joined) -> None:
    """A SYN to another port is lost, and a second later again; the third comes after two or three
    seconds.
    """
    hosts.wire.drop(segment(SYN, destination_port=NOBODY), times=2)
    third = hosts.wire.hold(segment(SYN, destination_port=NOBODY, nth=3))
    hosts.client.start("tcpcli01", hosts.address, NOBODY).run()
    third.reached(deadline=10)


@pytest.mark.about("TIME_WAIT", "EADDRNOTAVAIL", "connect", "tcp_tw_reuse")
@pytest.mark.behaviour("B16")
@over_both
def test_tcp_tw_reuse_does_not_give_the_port_out_at_once(lab: Lab, version: int) -> None:
    """With tcp_tw_reuse, too, connect() says EADDRNOTAVAIL within the first second of TIME_WAIT,
    or, from Linux 6.14 on, within tcp_tw_reuse_delay.

    kernel net/ipv4/tcp_ipv4.c tcp_twsk_unique.
    """
    hosts = with_one_port(lab, version, tw_reuse=1, timestamps=1)
    with suppress(Broken):  # before Linux 6.14 it is a second for all
        hosts.client.hasten(tw_reuse_delay=MILLISECONDS_OF_TIME_WAIT)
    client_closed_first(hosts)
    assert hosts.comes("tcpcli01").outcome("connect") == EADDRNOTAVAIL


@pytest.mark.about("TIME_WAIT", "MSL", "connect")
@pytest.mark.behaviour("B10")
@pytest.mark.waits
@pytest.mark.slow
@over_both
def test_2_msl_free_the_pair(lab: Lab, version: int) -> None:
    """When TIME_WAIT is over, which is after 60 seconds, connect() has the port again.

    RFC 9293 §3.6.1, §3.10.8 (TIME-WAIT timeout); kernel include/net/tcp.h TCP_TIMEWAIT_LEN.
    """
    hosts = with_one_port(lab, version, tw_reuse=0)
    client_closed_first(hosts)
    early = hosts.comes("tcpcli01")
    assert early.outcome("connect") == EADDRNOTAVAIL
    assert hosts.client.goes(local=PORT, deadline=LATEST + 10)
    assert hosts.comes("tcpcli01").outcome("connect") == 0


# --- too many ------------------------------------------------------------------------------------


@pytest.mark.about("TIME_WAIT", "tcp_max_tw_buckets")
@pytest.mark.behaviour("B15")
@pytest.mark.parametrize("room", [0, 1, 2])
@over_both
def test_tcp_max_tw_buckets_bounds_the_number_of_time_waits(
    lab: Lab, version: int, room: int
) -> None:
    """No more connections are in TIME_WAIT than tcp_max_tw_buckets says; the others are gone at
    once.

    tcp(7) tcp_max_tw_buckets; kernel net/ipv4/inet_timewait_sock.c inet_twsk_alloc.
    """
    hosts = joined(lab, version)
    hosts.server.hasten(max_tw_buckets=room)
    server = hosts.serves("daytimed").run()
    for _ in range(3):
        hosts.comes("daytime").ended()
    server.blocked("accept")
    assert hosts.client.goes(remote=hosts.port)
    assert hosts.server.goes(local=hosts.port, state=(ESTABLISHED, FIN_WAIT1, FIN_WAIT2))
    assert hosts.server.states(local=hosts.port) == [LISTEN] + [TIME_WAIT] * room
