"""wait and waitpid: five children end together, and fewer than five SIGCHLDs are delivered.

A standard signal that comes while it is pending already is lost. How many are delivered depends on
when the parent takes them: here the parent is held, so that it is known.
"""

from signal import SIGCHLD

import pytest

from cases.steps import children, comes, started, zombies
from harness import Lab, Process, entering, exiting, signalled

ONCE = ["tcpserv02", "tcpserv03", "tcpserv03 -i", "echo_mpserv"]
"""Their handler waits for one child."""
LOOPING = ["tcpserv04", "tcpserv04 -i", "echo_mpserv -l"]
"""Their handler waits for all that have ended."""


def five_clients(lab: Lab, server: str) -> tuple[Process, Process]:
    """A server with five children, held before its next accept, and the one client of them all."""
    listening = started(lab, server)
    client = comes(lab, "tcpcli04")
    listening.reach(entering("accept", nth=5))
    return listening, client


def held_at_a_call(lab: Lab, command: str) -> Process:
    """All five children end while the server is held at a call; then it goes on."""
    server, client = five_clients(lab, command)
    client.input("hello\n").end_input().ended()
    for child in children(server, 5):
        child.ended()
    return server.blocked("accept")


def held_at_the_signal(lab: Lab, command: str) -> Process:
    """One child ends; the others do while the server is held at the delivery of its SIGCHLD."""
    server, client = five_clients(lab, command)
    delivery = server.arm(signalled(SIGCHLD))
    # Without this all five would have ended before the server had taken the first signal.
    ends = [child.arm(exiting()) for child in children(server, 5)[1:]]
    server.blocked("accept")
    client.input("hello\n").end_input().ended()
    delivery.reached()
    for end in ends:
        end.reached().ended()
    return server.blocked("accept")


def one_after_the_other(lab: Lab, command: str) -> Process:
    """Each child ends when the server has dealt with the one before, and sleeps in accept."""
    server, client = five_clients(lab, command)
    ends = [child.arm(exiting()) for child in children(server, 5)]
    client.input("hello\n").end_input().ended()
    server.blocked("accept")
    for end in ends:
        end.reached().ended()
        server.blocked("accept")
    return server


def signals(lab: Lab, server: Process) -> int:
    """How many SIGCHLDs were delivered to the server."""
    return len(lab.events(kinds=["signal"], process=server))


@pytest.mark.about("SIGCHLD", "zombie", "wait", "waitpid")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", ONCE)
def test_one_wait_leaves_four_of_five_when_held_at_a_call(lab: Lab, command: str) -> None:
    """A handler that waits once leaves four zombies of five that end before SIGCHLD is taken.

    POSIX.1-2024 XSH 2.4.1 (a pending signal that is generated again); Linux kernel/signal.c,
    legacy_queue; UNP 5.10. The text about echo_mpserv presents its single waitpid as the cure for
    zombies; it is not one.
    Platforms: POSIX leaves it to the system whether such a signal is delivered more than once;
    Linux queues real-time signals only.
    """
    server = held_at_a_call(lab, command)

    assert len(zombies(server)) == 4


@pytest.mark.about("SIGCHLD", "zombie", "wait", "waitpid")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", ONCE)
def test_one_wait_leaves_three_of_five_when_held_at_the_signal(lab: Lab, command: str) -> None:
    """A handler that waits once leaves three zombies when four end after SIGCHLD was taken.

    The one that is being delivered is pending no more, so one more can be: the handler runs twice.
    POSIX.1-2024 XSH 2.4.1; Linux kernel/signal.c; UNP 5.10 (which sees between one and four
    handled, by luck).
    """
    server = held_at_the_signal(lab, command)

    assert len(zombies(server)) == 3


@pytest.mark.about("SIGCHLD", "zombie", "wait", "waitpid")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", ONCE)
def test_one_wait_leaves_none_when_no_two_end_together(lab: Lab, command: str) -> None:
    """A handler that waits once leaves no zombie when no child ends before it has run.

    POSIX.1-2024 XSH 2.4.1; UNP 5.9, 5.10.
    """
    server = one_after_the_other(lab, command)

    assert zombies(server) == []


@pytest.mark.about("SIGCHLD", "zombie", "waitpid", "WNOHANG")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", LOOPING)
def test_a_loop_leaves_none_when_held_at_a_call(lab: Lab, command: str) -> None:
    """A handler that loops over waitpid leaves no zombie of five that one SIGCHLD stands for.

    POSIX.1-2024 waitpid() [WNOHANG]; UNP 5.10 and figure 5.11.
    """
    server = held_at_a_call(lab, command)

    assert zombies(server) == []


@pytest.mark.about("SIGCHLD", "zombie", "waitpid", "WNOHANG")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", LOOPING)
def test_a_loop_leaves_none_when_held_at_the_signal(lab: Lab, command: str) -> None:
    """A handler that loops over waitpid leaves no zombie of four that end at its delivery.

    POSIX.1-2024 waitpid() [WNOHANG]; UNP 5.10 and figure 5.11.
    """
    server = held_at_the_signal(lab, command)

    assert zombies(server) == []


@pytest.mark.about("SIGCHLD")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", ONCE + LOOPING)
def test_five_ends_before_the_first_delivery_are_one_sigchld(lab: Lab, command: str) -> None:
    """Of SIGCHLDs that come while one is pending none is delivered.

    POSIX.1-2024 XSH 2.4.1; Linux kernel/signal.c, legacy_queue; UNP 5.10.
    """
    server = held_at_a_call(lab, command)

    assert signals(lab, server) == 1


@pytest.mark.about("SIGCHLD")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", ONCE + LOOPING)
def test_four_ends_during_the_first_delivery_are_one_sigchld_more(lab: Lab, command: str) -> None:
    """A SIGCHLD that is being delivered is pending no more: one other can be kept beside it.

    POSIX.1-2024 XSH 2.4.1; Linux kernel/signal.c, dequeue_signal; UNP 5.10.
    """
    server = held_at_the_signal(lab, command)

    assert signals(lab, server) == 2


@pytest.mark.about("SIGCHLD")
@pytest.mark.behaviour("L7")
@pytest.mark.scenario("S2.5", "S4.3")
@pytest.mark.parametrize("command", ONCE + LOOPING)
def test_five_ends_apart_are_five_sigchlds(lab: Lab, command: str) -> None:
    """No SIGCHLD is lost when each is handled before the next child ends.

    POSIX.1-2024 XSH 2.4.1; UNP 5.10.
    """
    server = one_after_the_other(lab, command)

    assert signals(lab, server) == 5
