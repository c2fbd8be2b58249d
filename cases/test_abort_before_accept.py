"""A connection that is aborted before accept returns it.

Linux hands the dead connection out, and its first read tells of the RST. POSIX, FreeBSD and OpenBSD
have accept say ECONNABORTED; older BSD drops the connection, and accept sleeps on.
"""

import pytest

from cases.steps import comes, echoes, ends, gave, sleeps_in, started
from harness import (
    CHILDREN,
    CONNECTION,
    ECONNABORTED,
    ECONNRESET,
    ESTABLISHED,
    RST,
    TREE,
    Lab,
    Process,
    entering,
    exited,
    leaving,
)

FORKING = ["tcpserv01", "tcpserv02", "tcpserv03", "tcpserv04", "echo_mpserv"]
WATCHING = [("tcpservselect01", "select"), ("tcpservpoll01", "poll")]
EVERY = [*FORKING, "tcpservselect01", "tcpservpoll01"]


def before_accept(lab: Lab, server: str) -> Process:
    """A server held before its first accept, a client that has connected, and aborted."""
    listening = started(lab, server) if server in FORKING else watching(lab, server)
    lab.start("aborting_client", lab.address, lab.port).ended()
    lab.awaits_none(remote=lab.port, state=ESTABLISHED)
    return listening


def watching(lab: Lab, server: str) -> Process:
    """A server that watches its listener, held as it calls select or poll."""
    return lab.start(server, lab.port).reach(entering(dict(WATCHING)[server]))


@pytest.mark.about("RST", "SO_LINGER", "close")
@pytest.mark.behaviour("D2")
@pytest.mark.scenario("S2.7")
def test_the_client_aborts_with_an_rst_and_no_fin(lab: Lab) -> None:
    """The client's close with SO_LINGER and a time of 0 sends RST, and leaves no TIME_WAIT.

    RFC 9293 §3.10.5 (ABORT); POSIX.1-2024 XSH 2.10.10 [SO_LINGER]; UNP 5.11, 7.5.
    """
    before_accept(lab, "tcpserv01")

    assert lab.senders(RST) == ["aborting_client"]
    assert lab.states(remote=lab.port) == []


@pytest.mark.about("ECONNABORTED", "RST", "accept")
@pytest.mark.behaviour("G9", "D7")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize("server", EVERY)
def test_accept_returns_a_connection_that_was_aborted(lab: Lab, server: str) -> None:
    """On Linux accept succeeds for a connection whose RST came while it waited.

    POSIX.1-2024 accept() [ECONNABORTED]; Linux net/ipv4/tcp_input.c, tcp_reset (the child stays in
    the queue); UNP 5.11. Platforms: FreeBSD and OpenBSD say ECONNABORTED, as POSIX has it.
    """
    listening = before_accept(lab, server)

    assert listening.outcome("accept").errno is None


@pytest.mark.about("ECONNRESET", "RST", "read")
@pytest.mark.behaviour("D7")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize("server", EVERY)
def test_the_first_read_of_an_aborted_connection_says_econnreset(lab: Lab, server: str) -> None:
    """The first read of a connection that was aborted before accept says ECONNRESET.

    POSIX.1-2024 read() [ECONNRESET]; UNP 5.11. Platforms: Linux; where accept says ECONNABORTED
    there is no read.
    """
    listening = before_accept(lab, server)
    reader = listening.reach(leaving("read", on=CONNECTION), TREE)

    assert gave(reader) == ECONNRESET


@pytest.mark.about("ECONNRESET", "RST", "read")
@pytest.mark.behaviour("D7")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize("server", EVERY)
def test_the_first_read_after_a_later_abort_says_econnreset_too(lab: Lab, server: str) -> None:
    """When the RST comes after accept the first read says the same: the order does not show.

    POSIX.1-2024 read() [ECONNRESET]; UNP 5.11.
    """
    listening = started(lab, server) if server in FORKING else watching(lab, server)
    client = lab.start("aborting_client", lab.address, lab.port)
    client.reach(entering("close", on=CONNECTION))
    listening.reach(leaving("accept"))
    client.ended()
    lab.awaits_none(remote=lab.port, state=ESTABLISHED)
    reader = listening.reach(leaving("read", on=CONNECTION), TREE)

    assert gave(reader) == ECONNRESET


@pytest.mark.about("RST", "accept")
@pytest.mark.behaviour("G9")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize("server", EVERY)
def test_an_aborted_connection_does_not_end_the_server(lab: Lab, server: str) -> None:
    """A server that was given an aborted connection serves the next client.

    UNP 5.11.
    """
    before_accept(lab, server).run()

    assert echoes(comes(lab, "tcpcli01"), "next\n")


@pytest.mark.about("RST", "read", "exit")
@pytest.mark.behaviour("G9")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize("server", FORKING)
def test_the_abort_ends_the_child_alone(lab: Lab, server: str) -> None:
    """Only the child that was forked for the aborted connection ends, and says why.

    UNP 5.11.
    """
    listening = before_accept(lab, server)
    child = listening.reach(entering("read", on=CONNECTION), CHILDREN)

    assert ends(child) == exited(111)
    assert listening.errors.startswith("read: ECONNRESET")
    assert listening.state == "running"


@pytest.mark.about("RST", "accept", "select", "poll")
@pytest.mark.behaviour("G9")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize(("server", "call"), WATCHING)
def test_accept_does_not_sleep_for_a_client_that_aborts_after_select(
    lab: Lab, server: str, call: str
) -> None:
    """On Linux accept returns at once though the client that select told of has aborted since.

    UNP 16.6. Platforms: where the kernel drops the connection accept sleeps, and the server with
    it, for all clients: there the listener has to be non-blocking.
    """
    listening = lab.start(server, lab.port).blocked(call)
    told = listening.arm(leaving(call))
    client = lab.start("aborting_client", lab.address, lab.port)
    client.reach(entering("close", on=CONNECTION))
    told.reached()
    client.ended()
    lab.awaits_none(remote=lab.port, state=ESTABLISHED)

    assert sleeps_in(listening, call)
    assert [outcome.errno for outcome in listening.outcomes("accept")] == [None]


@pytest.mark.about("ECONNABORTED", "accept")
@pytest.mark.behaviour("G9")
@pytest.mark.scenario("S2.7")
@pytest.mark.parametrize("server", EVERY)
def test_econnaborted_does_not_end_the_server(lab: Lab, server: str) -> None:
    """A server whose accept says ECONNABORTED, as it does elsewhere, serves the next client.

    POSIX.1-2024 accept() [ECONNABORTED]; UNP 5.11. Linux never says it here, so it is injected.
    """
    listening = lab.start(server, lab.port).reach(leaving("listen"))
    listening.inject(entering("accept"), ECONNABORTED)
    client = comes(lab, "tcpcli01")
    assert listening.outcome("accept") == ECONNABORTED
    listening.run()

    assert echoes(client, "hello\n")
