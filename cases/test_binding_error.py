"""The binding error: a server that ended first cannot be started again at once. Scenario S1."""

from collections.abc import Callable
from signal import SIGINT

import pytest

from harness import (
    EADDRINUSE,
    FIN,
    FIN_WAIT2,
    TIME_WAIT,
    Lab,
    Process,
    Segment,
    entering,
    exited,
    leaving,
)


def connected(lab: Lab) -> tuple[Process, Process]:
    """A server and its client, which have exchanged a line; the server waits for the next."""
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).input("hello\n")
    server.run()
    client.prints("hello\n")
    server.blocked("read")
    return server, client


def types_q(client: Process) -> None:
    client.input("q\n").ended()


def ends_its_input(client: Process) -> None:
    client.end_input().ended()


def is_interrupted(client: Process) -> None:
    client.kill(SIGINT)


every_way_to_end = pytest.mark.parametrize("ends", [types_q, ends_its_input, is_interrupted])


@pytest.mark.about("FIN")
@pytest.mark.scenario("S1.1")
@every_way_to_end
def test_a_client_that_ends_first_sends_the_first_fin(
    lab: Lab, ends: Callable[[Process], None]
) -> None:
    """The first FIN is the client's when the client ends first, by its own will or killed.

    RFC 9293 §3.6; POSIX.1-2024 _Exit(), Consequences of Process Termination.
    """
    server, client = connected(lab)
    ends(client)
    server.ended()
    assert lab.senders(FIN)[:1] == ["echo_client"]


@pytest.mark.about("TIME_WAIT")
@pytest.mark.scenario("S1.1")
@every_way_to_end
def test_a_client_that_ends_first_owns_time_wait(lab: Lab, ends: Callable[[Process], None]) -> None:
    """TIME_WAIT is at the client's port, and nothing at the server's, when the client ends first.

    RFC 9293 §3.6.1; UNP §2.7.
    """
    server, client = connected(lab)
    ends(client)
    server.ended()
    assert lab.comes(remote=lab.port, state=TIME_WAIT)
    assert lab.goes(local=lab.port)


@pytest.mark.about("TIME_WAIT", "SO_REUSEADDR", "bind")
@pytest.mark.behaviour("B3")
@pytest.mark.scenario("S1.1")
@every_way_to_end
def test_the_server_restarts_at_once_when_the_client_ended_first(
    lab: Lab, ends: Callable[[Process], None]
) -> None:
    """bind() succeeds without SO_REUSEADDR while TIME_WAIT is at the client's side.

    RFC 9293 §3.6.1; POSIX.1-2024 bind(); UNP §7.5.
    """
    server, client = connected(lab)
    ends(client)
    server.ended()
    lab.awaits(remote=lab.port, state=TIME_WAIT)

    restarted = lab.start("reuseadr_eserver", lab.port)
    assert restarted.outcome("bind") == 0
    assert restarted.outcome("listen") == 0


@pytest.mark.about("FIN", "SIGINT")
@pytest.mark.scenario("S1.2")
def test_a_killed_server_sends_the_first_fin(lab: Lab) -> None:
    """The first FIN is the server's when the server is killed while connected.

    RFC 9293 §3.6; POSIX.1-2024 _Exit(), Consequences of Process Termination.
    """
    server, client = connected(lab)
    server.kill(SIGINT)
    client.end_input().ended()
    assert lab.senders(FIN)[:1] == ["reuseadr_eserver"]


@pytest.mark.about("FIN", "SIGINT", "close")
@pytest.mark.behaviour("D11")
@pytest.mark.scenario("S1.2")
def test_the_kernel_sends_the_fin_of_a_killed_server_that_never_called_close(lab: Lab) -> None:
    """A FIN leaves though the server called neither close() nor shutdown(): the kernel closes what
    it had open.

    POSIX.1-2024 _Exit(), Consequences of Process Termination; signal(7) SIGINT.
    """
    server, client = connected(lab)
    [accepted] = server.calls("accept")
    server.kill(SIGINT)
    client.end_input().ended()
    assert "reuseadr_eserver" in lab.senders(FIN)
    # Before main the loader closes the files that it has read.
    assert [call for call in server.calls("close", "shutdown") if call.seq > accepted.seq] == []


@pytest.mark.about("SO_REUSEADDR", "EADDRINUSE", "TIME_WAIT", "SIGINT")
@pytest.mark.behaviour("B1")
@pytest.mark.scenario("S1.2")
def test_rebinding_fails_while_time_wait_holds_the_port(lab: Lab) -> None:
    """bind() says EADDRINUSE while TIME_WAIT holds the port and SO_REUSEADDR is not set.

    RFC 9293 §3.6.1; POSIX.1-2024 bind() [EADDRINUSE]; UNP §7.5.
    Platforms: WSL1 binds all the same.
    """
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
    server.reach(leaving("accept"))
    server.kill(SIGINT)
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    client.end_input().ended()
    lab.awaits(local=lab.port, state=TIME_WAIT)

    restarted = lab.start("reuseadr_eserver", lab.port)
    assert restarted.outcome("bind") == EADDRINUSE


@pytest.mark.about("EADDRINUSE", "bind")
@pytest.mark.scenario("S1.2")
def test_a_server_that_cannot_bind_says_so_and_fails(lab: Lab) -> None:
    """The restarted server names bind() and EADDRINUSE on standard error, and exits 111.

    POSIX.1-2024 bind() [EADDRINUSE]. The text calls it the binding error.
    """
    server, client = connected(lab)
    server.kill(SIGINT)
    client.end_input().ended()
    lab.awaits(local=lab.port, state=TIME_WAIT)

    restarted = lab.start("reuseadr_eserver", lab.port)
    assert restarted.outcome("bind") == EADDRINUSE
    assert restarted.ended() == exited(111)
    assert restarted.errors == f"bind: EADDRINUSE ({lab.number(EADDRINUSE)})\n"


def client_first(lab: Lab) -> None:
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
    server.reach(leaving("accept"))
    client.kill(SIGINT)
    lab.awaits(remote=lab.port, state=FIN_WAIT2)
    server.ended()


def server_first(lab: Lab) -> None:
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
    server.reach(leaving("accept"))
    server.kill(SIGINT)
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    client.end_input().ended()


def told(segments: list[Segment], first: str, other: str) -> list[str]:
    """What was sent, by whom in the ending: the one that ended first, or the other."""
    roles = {first: "first", other: "other"}
    return [f"{roles[s.sender]}: {s.flags}" for s in segments]


@pytest.mark.about("FIN", "TIME_WAIT")
@pytest.mark.scenario("S1.6")
def test_the_two_endings_differ_only_in_who_sends_the_first_fin(lab: Lab) -> None:
    """On the wire a client that ends first and a server that ends first look the same, with the
    roles exchanged.

    RFC 9293 §3.6 (figure 12: the closing sequence is symmetric); UNP §2.6.
    """
    client_first(lab)
    by_client = lab.segments()
    server_first(lab)
    by_server = lab.segments()[len(by_client) :]

    # SYN, SYN ACK, ACK: the opening is the client's in both.
    assert [(s.sender, s.flags) for s in by_client[:3]] == [
        (s.sender, s.flags) for s in by_server[:3]
    ]
    client, server = "echo_client", "reuseadr_eserver"
    assert told(by_client[3:], client, server) == told(by_server[3:], server, client)
    assert told(by_client[3:], client, server) == [
        "first: FIN ACK",
        "other: ACK",
        "other: FIN ACK",
        "first: ACK",
    ]


@pytest.mark.about("FIN", "TIME_WAIT")
@pytest.mark.scenario("S1.6")
@pytest.mark.parametrize("ends", [client_first, server_first])
def test_time_wait_is_where_the_first_fin_came_from(lab: Lab, ends: Callable[[Lab], None]) -> None:
    """The one socket in TIME_WAIT is at the port that the first FIN came from.

    RFC 9293 §3.6.1; UNP §2.7.
    """
    ends(lab)
    assert lab.comes(state=TIME_WAIT)
    [waiting] = lab.sockets(state=TIME_WAIT)
    [first, *_] = lab.segments(FIN)
    assert waiting.local == first.source
