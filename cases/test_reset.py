"""RST: what it does in each state, and which RST counts."""

from dataclasses import replace

import pytest

from cases.joined import MERE_ACK, Joined, client_in, joined, over_both
from cases.steps import echoes, ends, gave, sleeps_in
from harness import (
    ACK,
    CLOSE_WAIT,
    CLOSING,
    CONNECTION,
    ECONNREFUSED,
    ECONNRESET,
    EPIPE,
    ESTABLISHED,
    FIN,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    LISTEN,
    RST,
    SYN,
    SYN_RECEIVED,
    SYN_SENT,
    Flag,
    Held,
    Lab,
    Process,
    Segment,
    State,
    exited,
    leaving,
    reply,
    rst,
    segment,
)

FAR = 1 << 30
"""Beyond any window here."""


# --- what it does in each state ------------------------------------------------------------------


@pytest.mark.about("RST", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "CLOSING", "LAST_ACK")
@pytest.mark.behaviour("D6")
@pytest.mark.parametrize(
    "state", [ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, CLOSING, LAST_ACK]
)
@over_both
def test_a_reset_ends_a_connection_in_every_state(lab: Lab, version: int, state: State) -> None:
    """A RST with the sequence number that is expected next ends a connection at once, in each state
    from ESTABLISHED to LAST_ACK; it leaves no TIME_WAIT, and is not answered.

    RFC 9293 §3.10.7.4 (second, check the RST bit); kernel net/ipv4/tcp_input.c tcp_reset.
    """
    hosts = joined(lab, version)
    client_in(hosts, state)
    forged = hosts.wire.forge(rst(hosts.wire.last(sender=hosts.server)))
    assert hosts.client.goes(remote=hosts.port)
    assert hosts.said_since(forged) == []


@pytest.mark.about("RST", "SYN_SENT", "ECONNREFUSED", "connect")
@pytest.mark.behaviour("D6")
@over_both
def test_a_reset_that_acknowledges_the_syn_refuses_the_connection(lab: Lab, version: int) -> None:
    """In SYN_SENT a RST that acknowledges the SYN ends connect() with ECONNREFUSED.

    RFC 9293 §3.10.7.3 (second, check the RST bit); POSIX.1-2024 connect() [ECONNREFUSED].
    """
    hosts = joined(lab, version)
    client = hosts.comes("tcpcli01")
    syn = hosts.wire.hold(segment(SYN, destination_port=hosts.port))
    sent = with_syn_under_way(client, syn)

    hosts.wire.forge(reply(sent, RST | ACK))
    assert client.outcome("connect") == ECONNREFUSED


@pytest.mark.about("RST", "SYN_SENT", "connect")
@pytest.mark.behaviour("D6", "D10")
@pytest.mark.parametrize(
    "flags", [pytest.param(RST, id="no-ACK"), pytest.param(RST | ACK, id="ACK-of-nothing")]
)
@over_both
def test_a_reset_that_does_not_acknowledge_the_syn_is_ignored(
    lab: Lab, version: int, flags: Flag
) -> None:
    """In SYN_SENT a RST that does not acknowledge the SYN does nothing: connect() goes on, and
    succeeds.

    RFC 9293 §3.10.7.3 (first, check the ACK bit; second, check the RST bit); kernel
    net/ipv4/tcp_input.c tcp_rcv_synsent_state_process.
    """
    hosts = joined(lab, version)
    hosts.serves("tcpserv01")
    client = hosts.comes("tcpcli01")
    syn = hosts.wire.hold(segment(SYN, destination_port=hosts.port))
    sent = with_syn_under_way(client, syn)

    hosts.wire.forge(reply(replace(sent, sequence=sent.sequence - 1), flags))
    hosts.settles()
    assert hosts.client.states(remote=hosts.port) == [SYN_SENT]

    syn.let_go()
    assert client.outcome("connect") == 0


def with_syn_under_way(client: Process, syn: Held) -> Segment:
    """Lets a client go to sleep in connect, its SYN held; returns the SYN."""
    client.blocked("connect")
    return syn.reached()


@pytest.mark.about("RST", "LISTEN", "connect")
@pytest.mark.behaviour("D6")
@over_both
def test_a_listener_ignores_a_reset(lab: Lab, version: int) -> None:
    """A RST that comes to a listener does nothing: the SYN that follows it is answered.

    RFC 9293 §3.10.7.2 (first, check for a RST).
    """
    hosts = joined(lab, version)
    hosts.serves("tcpserv01")
    client = hosts.comes("tcpcli01")
    syn = hosts.wire.hold(segment(SYN, destination_port=hosts.port))
    sent = with_syn_under_way(client, syn)

    hosts.wire.forge(rst(sent))
    syn.let_go()
    assert client.outcome("connect") == 0
    assert hosts.server.states(local=hosts.port, state=LISTEN) == [LISTEN]


@pytest.mark.about("RST", "SYN_RECEIVED", "LISTEN", "accept")
@pytest.mark.behaviour("D6")
@over_both
def test_a_reset_in_syn_received_leaves_nothing_to_accept(lab: Lab, version: int) -> None:
    """In SYN_RECEIVED a RST ends the connection, and accept() sleeps on.

    RFC 9293 §3.10.7.4 (SYN-RECEIVED: return to LISTEN); kernel net/ipv4/tcp_minisocks.c
    tcp_check_req.
    """
    hosts = joined(lab, version)
    server = hosts.serves("tcpserv01")
    client = hosts.comes("tcpcli01")
    last_of_three = hosts.wire.hold(MERE_ACK)
    client.reach(leaving("connect"))
    hosts.server.awaits(local=hosts.port, state=SYN_RECEIVED)

    hosts.wire.forge(rst(last_of_three.reached()))
    assert hosts.server.goes(local=hosts.port, state=SYN_RECEIVED)
    assert sleeps_in(server, "accept")
    [listener] = hosts.server.sockets(local=hosts.port)
    assert listener == LISTEN and listener.receive_queue == 0


# --- what the process is told --------------------------------------------------------------------


@pytest.mark.about("RST", "ECONNRESET", "read", "ESTABLISHED", "FIN_WAIT2")
@pytest.mark.behaviour("D6")
@pytest.mark.parametrize(
    ("options", "state"),
    [
        pytest.param([], ESTABLISHED, id="ESTABLISHED"),
        pytest.param(["-w"], FIN_WAIT2, id="FIN_WAIT2"),
    ],
)
@over_both
def test_a_reset_wakes_the_reader_with_econnreset(
    lab: Lab, version: int, options: list[str], state: State
) -> None:
    """A read() that sleeps says ECONNRESET when a RST comes, whether this side has sent its FIN or
    not.

    POSIX.1-2024 read() [ECONNRESET]; RFC 9293 §3.10.7.4; kernel net/ipv4/tcp_input.c tcp_reset.
    """
    hosts = joined(lab, version)
    hosts.serves("tcpserv01")
    client = hosts.comes("shutdown_client", *options).blocked("read")
    hosts.client.awaits(remote=hosts.port, state=state)

    hosts.wire.forge(rst(hosts.wire.last(sender=hosts.server)))
    assert ends(client) == exited(111)
    assert client.outcomes("read")[-1] == ECONNRESET


def in_close_wait(hosts: Joined, client: Process) -> None:
    """The server is killed, and its FIN has come; the client is held."""
    server = hosts.serves("reuseadr_eserver")
    client.reach(leaving("connect"))
    server.reach(leaving("accept"))
    server.kill()
    hosts.client.awaits(remote=hosts.port, state=CLOSE_WAIT)


@pytest.mark.about("RST", "CLOSE_WAIT", "read")
@pytest.mark.behaviour("D6")
@over_both
def test_after_the_end_of_file_a_reset_does_not_change_what_read_gives(
    lab: Lab, version: int
) -> None:
    """In CLOSE_WAIT read() gives 0 after a RST, too.

    kernel net/ipv4/tcp_input.c tcp_reset, net/ipv4/tcp.c tcp_recvmsg_locked (SOCK_DONE).
    Platforms: RFC 9293 §3.10.7.4 has all receives answered "reset".
    """
    hosts = joined(lab, version)
    client = hosts.comes("shutdown_client")
    in_close_wait(hosts, client)

    hosts.wire.forge(rst(hosts.wire.last(FIN, sender=hosts.server)))
    hosts.client.awaits_none(remote=hosts.port)
    assert gave(client.reach(leaving("read", on=CONNECTION))) == 0


@pytest.mark.about("RST", "CLOSE_WAIT", "EPIPE", "send")
@pytest.mark.behaviour("D6")
@over_both
def test_after_the_end_of_file_and_a_reset_a_write_says_epipe(lab: Lab, version: int) -> None:
    """In CLOSE_WAIT the first send() after a RST says EPIPE, not ECONNRESET.

    POSIX.1-2024 send() [EPIPE]; kernel net/ipv4/tcp_input.c tcp_reset (CLOSE_WAIT).
    """
    hosts = joined(lab, version)
    client = hosts.comes("tcpcli11", "-n")
    in_close_wait(hosts, client)

    hosts.wire.forge(rst(hosts.wire.last(FIN, sender=hosts.server)))
    hosts.client.awaits_none(remote=hosts.port)
    client.input("hello\n")
    assert client.outcome("send") == EPIPE


# --- which reset counts --------------------------------------------------------------------------


def connected(hosts: Joined) -> Process:
    """A client that has said nothing yet, and waits for a line; its server is asleep."""
    server = hosts.serves("tcpserv01").run()
    client = hosts.comes("tcpcli01").reach(leaving("connect")).run()
    server.blocked("accept")
    return client


@pytest.mark.about("RST", "ESTABLISHED", "challenge ACK")
@pytest.mark.behaviour("D10")
@pytest.mark.parametrize(
    "ahead", [pytest.param(-(1 << 20), id="old"), pytest.param(FAR, id="beyond")]
)
@over_both
def test_a_reset_outside_the_window_is_dropped_without_an_answer(
    lab: Lab, version: int, ahead: int
) -> None:
    """A RST whose sequence number is outside the receive window does nothing, and is not answered.

    RFC 9293 §3.10.7.4 (second, check the RST bit: 1); RFC 5961 §3.2. Some texts have it challenged;
    that is the one inside the window.
    """
    hosts = joined(lab, version)
    client = connected(hosts)
    forged = hosts.wire.forge(rst(hosts.wire.last(sender=hosts.server), ahead))
    hosts.settles()
    assert hosts.said_till_settled(forged) == []
    assert echoes(client, "after\n")


@pytest.mark.about("RST", "ACK", "ESTABLISHED", "challenge ACK")
@pytest.mark.behaviour("D10")
@pytest.mark.parametrize("ahead", [1, 1000])
@over_both
def test_a_reset_inside_the_window_is_challenged(lab: Lab, version: int, ahead: int) -> None:
    """A RST inside the receive window, but not with the sequence number that is expected next, is
    answered with an ACK that says which one is, and the connection goes on.

    RFC 9293 §3.10.7.4 (second, check the RST bit: 3); RFC 5961 §3.2.
    """
    hosts = joined(lab, version)
    client = connected(hosts)
    expected = hosts.wire.last(sender=hosts.server)
    forged = hosts.wire.forge(rst(expected, ahead))
    hosts.settles()
    said = [(sent.flags, sent.acknowledgement) for sent in hosts.said_till_settled(forged)]
    assert said == [(ACK, expected.end)]
    assert echoes(client, "after\n")


@pytest.mark.about("RST", "FIN", "challenge ACK", "SO_LINGER")
@pytest.mark.behaviour("D10")
@over_both
def test_a_reset_that_overtakes_its_fin_is_challenged_and_then_counts(
    lab: Lab, version: int
) -> None:
    """A RST that comes without the FIN before it is inside the window: it is challenged, the
    challenge is answered with a RST that fits, and that ends the connection.

    RFC 5961 §3.2 (the challenge lets a real peer reset); RFC 9293 §3.10.7.1.
    """
    hosts = joined(lab, version)
    here = client_in(hosts, FIN_WAIT1, "-0")
    here.process.ended()
    assert hosts.server.goes(local=hosts.port, state=ESTABLISHED)
    early, challenge, fitting = hosts.wire.segments()[-3:]
    assert [one.host for one in (early, challenge, fitting)] == ["client", "server", "client"]
    assert challenge.flags == ACK
    assert fitting.flags == RST and fitting.sequence == challenge.acknowledgement
    assert early.sequence == fitting.sequence + 1


@pytest.mark.about("RST", "FIN", "CLOSE_WAIT", "CLOSING", "LAST_ACK")
@pytest.mark.behaviour("D10")
@pytest.mark.parametrize("state", [CLOSE_WAIT, CLOSING, LAST_ACK])
@over_both
def test_a_reset_that_does_not_count_its_own_fin_counts(
    lab: Lab, version: int, state: State
) -> None:
    """After the peer's FIN a RST with the FIN's own sequence number ends the connection, too.

    kernel net/ipv4/tcp_input.c tcp_reset_check. Platforms: RFC 9293 §3.10.7.4 has it dropped, as
    outside the window; Darwin sends it so.
    """
    hosts = joined(lab, version)
    client_in(hosts, state)
    hosts.wire.forge(rst(hosts.wire.last(FIN, sender=hosts.server), ahead=-1))
    assert hosts.client.goes(remote=hosts.port)


@pytest.mark.about("RST", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2")
@pytest.mark.behaviour("D10")
@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT1, FIN_WAIT2])
@over_both
def test_before_the_peers_fin_a_reset_that_is_one_behind_does_not_count(
    lab: Lab, version: int, state: State
) -> None:
    """Before the peer's FIN a RST one below the expected sequence number does nothing.

    RFC 9293 §3.10.7.4 (second, check the RST bit: 1); kernel net/ipv4/tcp_input.c tcp_reset_check.
    """
    hosts = joined(lab, version)
    client_in(hosts, state)
    hosts.wire.forge(rst(hosts.wire.last(sender=hosts.server), ahead=-1))
    hosts.settles()
    assert hosts.client.states(remote=hosts.port) == [state]
