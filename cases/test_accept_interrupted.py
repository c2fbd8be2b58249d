"""accept and SIGCHLD: is accept interrupted when a child ends, and what becomes of the server?"""

import pytest

from cases.steps import OneClient, comes, echoes, ends, one_client, started
from harness import CONNECTION, EINTR, Lab, entering, exited, leaving

RESTARTING = ["tcpserv02", "tcpserv03", "tcpserv04"]
"""Their handler is installed with SA_RESTART."""
INTERRUPTED = ["tcpserv02 -i", "tcpserv03 -i", "tcpserv04 -i", "echo_mpserv", "echo_mpserv -l"]
"""Theirs is not."""
GUARDED = ["tcpserv03 -i", "tcpserv04 -i", "echo_mpserv", "echo_mpserv -l"]
"""And they call accept again when it says EINTR."""


def child_ends(one: OneClient) -> None:
    """The client ends, and then the child."""
    one.client.end_input().ended()
    one.child.ended()


@pytest.mark.about("EINTR", "SA_RESTART", "SIGCHLD", "accept")
@pytest.mark.behaviour("F2")
@pytest.mark.scenario("S2.6")
@pytest.mark.parametrize("server", RESTARTING)
def test_accept_goes_on_after_a_handler_with_sa_restart(lab: Lab, server: str) -> None:
    """An accept that a handler with SA_RESTART wakes goes on, and returns the next client.

    POSIX.1-2024 sigaction() [SA_RESTART]; signal(7); UNP 5.9 (which warns that some systems do not
    restart accept).
    """
    one = one_client(lab, server)
    child_ends(one)
    one.server.blocked("accept")
    comes(lab, "tcpcli01")

    assert one.server.outcome("accept", nth=2).errno is None
    assert one.server.calls("accept")[1].restarted == 1


@pytest.mark.about("EINTR", "SA_RESTART", "SIGCHLD", "accept")
@pytest.mark.behaviour("F2")
@pytest.mark.scenario("S2.6")
@pytest.mark.parametrize("server", RESTARTING)
def test_accept_goes_on_after_a_signal_that_was_pending_at_its_entry(lab: Lab, server: str) -> None:
    """With SA_RESTART an accept that is entered while SIGCHLD is pending goes on as well.

    POSIX.1-2024 sigaction() [SA_RESTART]; signal(7); UNP 5.9.
    """
    listening = started(lab, server)
    client = comes(lab, "tcpcli01")
    listening.reach(entering("accept"))
    client.end_input().ended()
    listening.child().ended()
    listening.blocked("accept")
    comes(lab, "tcpcli01")

    assert listening.outcome("accept", nth=2).errno is None
    assert listening.calls("accept")[1].restarted == 1


@pytest.mark.about("EINTR", "SA_RESTART", "SIGCHLD", "accept")
@pytest.mark.behaviour("F2")
@pytest.mark.scenario("S2.6")
@pytest.mark.parametrize("server", RESTARTING)
def test_a_server_with_sa_restart_serves_the_next_client(lab: Lab, server: str) -> None:
    """With SA_RESTART a server whose accept is not guarded serves on after a child's end, too.

    POSIX.1-2024 sigaction() [SA_RESTART]; UNP 5.9.
    """
    one = one_client(lab, server)
    child_ends(one)
    one.server.blocked("accept")

    assert echoes(comes(lab, "tcpcli01"), "next\n")


@pytest.mark.about("EINTR", "SA_RESTART", "SIGCHLD", "accept")
@pytest.mark.behaviour("F1")
@pytest.mark.scenario("S2.6", "S4.4")
@pytest.mark.parametrize("server", INTERRUPTED)
def test_accept_is_interrupted_by_a_handler_without_sa_restart(lab: Lab, server: str) -> None:
    """An accept that sleeps when a handler without SA_RESTART runs returns EINTR.

    POSIX.1-2024 accept() [EINTR], sigaction(); signal(7); UNP 5.9.
    """
    one = one_client(lab, server)
    child_ends(one)

    assert one.server.outcome("accept", nth=2) == EINTR


@pytest.mark.about("EINTR", "SIGCHLD", "accept")
@pytest.mark.behaviour("F1")
@pytest.mark.scenario("S2.6", "S4.4")
@pytest.mark.parametrize("server", INTERRUPTED)
def test_accept_is_interrupted_by_a_signal_that_was_pending_at_its_entry(
    lab: Lab, server: str
) -> None:
    """An accept that is entered while SIGCHLD is pending does not sleep: it returns EINTR.

    The server is held between the last instruction of its own and the kernel's first of accept.
    POSIX.1-2024 accept() [EINTR]; Linux net/ipv4/inet_connection_sock.c, inet_csk_wait_for_connect;
    UNP 5.9.
    """
    listening = started(lab, server)
    client = comes(lab, "tcpcli01")
    listening.reach(entering("accept"))
    client.end_input().ended()
    listening.child().ended()

    assert listening.outcome("accept", nth=2) == EINTR


@pytest.mark.about("EINTR", "SIGCHLD", "accept")
@pytest.mark.behaviour("F1")
@pytest.mark.scenario("S2.6", "S4.4")
@pytest.mark.parametrize("server", INTERRUPTED)
def test_accept_is_not_interrupted_by_a_signal_before_it(lab: Lab, server: str) -> None:
    """A SIGCHLD that is delivered before accept is entered does not interrupt it.

    So the fault of an unguarded accept shows only when the child ends in time. POSIX.1-2024 XSH
    2.4.1; UNP 5.9.
    """
    listening = started(lab, server)
    client = comes(lab, "tcpcli01")
    listening.reach(entering("close", on=CONNECTION))
    client.end_input().ended()
    listening.child().ended()
    listening.blocked("accept")

    assert echoes(comes(lab, "tcpcli01"), "next\n")
    assert EINTR not in listening.outcomes("accept")


@pytest.mark.about("EINTR", "SIGCHLD", "accept")
@pytest.mark.behaviour("F1")
@pytest.mark.scenario("S2.6", "S4.4")
@pytest.mark.parametrize("server", INTERRUPTED)
def test_accept_takes_a_client_that_waits_though_a_signal_is_pending(lab: Lab, server: str) -> None:
    """An accept that need not sleep is not interrupted: it returns the client that waits already.

    POSIX.1-2024 accept() [EINTR] ("before a valid connection was established"); Linux
    net/ipv4/inet_connection_sock.c, inet_csk_accept; UNP 5.9.
    """
    listening = started(lab, server)
    client = comes(lab, "tcpcli01")
    listening.reach(entering("accept"))
    lab.start("tcpcli01", lab.address, lab.port).reach(leaving("connect"))
    client.end_input().ended()
    listening.child().ended()

    assert listening.outcome("accept", nth=2).errno is None


@pytest.mark.about("EINTR", "accept")
@pytest.mark.behaviour("F1")
@pytest.mark.scenario("S2.6")
def test_an_unguarded_accept_ends_the_server(lab: Lab) -> None:
    """A server that takes EINTR for an error ends as soon as its first child does.

    UNP 5.9.
    """
    one = one_client(lab, "tcpserv02 -i")
    child_ends(one)

    assert ends(one.server) == exited(111)
    assert one.server.errors.startswith("accept: EINTR")


@pytest.mark.about("EINTR", "accept")
@pytest.mark.behaviour("F1")
@pytest.mark.scenario("S2.6", "S4.4")
@pytest.mark.parametrize("server", GUARDED)
def test_a_guarded_accept_serves_the_next_client(lab: Lab, server: str) -> None:
    """A server that calls accept again after EINTR serves the next client.

    UNP 5.9 and figure 5.12.
    """
    one = one_client(lab, server)
    child_ends(one)
    interrupted = one.server.outcome("accept", nth=2)
    one.server.blocked("accept")

    assert interrupted == EINTR
    assert echoes(comes(lab, "tcpcli01"), "next\n")
