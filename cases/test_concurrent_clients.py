"""Several clients at once: with a child for each, and with one process for all."""

import pytest

from cases.steps import comes, echoes, ends, gave, started
from harness import (
    CLOSE_WAIT,
    CONNECTION,
    ESTABLISHED,
    FIN,
    Broken,
    Lab,
    Process,
    exited,
    leaving,
)

FORKING = ["echo_mpserv", "echo_mpserv -l", "tcpserv01", "tcpserv02", "tcpserv03", "tcpserv04"]
WATCHING = [("tcpservselect01", "select"), ("tcpservpoll01", "poll")]
EVERY = [*FORKING, "tcpservselect01", "tcpservpoll01"]
CLIENTS = 3


def clients_of(lab: Lab, command: str) -> tuple[Process, list[Process]]:
    """A server, let go, and its clients, all connected."""
    name, *options = command.split()
    server = lab.start(name, *options, lab.port).reach(leaving("listen")).run()
    clients = [comes(lab, "echo_client") for _ in range(CLIENTS)]
    lab.awaits(remote=lab.port, state=ESTABLISHED, count=CLIENTS)
    return server, clients


@pytest.mark.about("fork", "accept", "select", "poll")
@pytest.mark.scenario("S4.1")
@pytest.mark.parametrize("command", EVERY)
def test_each_client_gets_its_own_echo(lab: Lab, command: str) -> None:
    """Clients that are connected at once take turns, and each gets what it sent, nothing else.

    UNP 4.8, 5.2; 6.8 and 6.11 for one process.
    """
    _, clients = clients_of(lab, command)
    for turn in ("first", "second"):
        for number, client in enumerate(clients):
            assert echoes(client, f"{turn} line of client {number}\n")

    assert [client.output for client in clients] == [
        f"first line of client {number}\nsecond line of client {number}\n"
        for number in range(CLIENTS)
    ]


@pytest.mark.about("fork")
@pytest.mark.scenario("S4.1")
@pytest.mark.parametrize("command", FORKING)
def test_each_client_has_a_child_of_its_own(lab: Lab, command: str) -> None:
    """A server that forks has one child for each client, and each child another connection.

    UNP 4.8.
    """
    server, clients = clients_of(lab, command)
    for client in clients:
        assert echoes(client, "hello\n")

    assert len(server.children) == CLIENTS
    ends = [inode for child in server.children for inode in connections(child)]
    assert len(set(ends) & connected(lab)) == CLIENTS


@pytest.mark.about("select", "poll")
@pytest.mark.scenario("S4.1")
@pytest.mark.parametrize(("command", "call"), WATCHING)
def test_one_process_can_have_all_clients(lab: Lab, command: str, call: str) -> None:
    """A server that watches with select or poll holds every connection itself, without a child.

    UNP 6.8, 6.11.
    """
    server, clients = clients_of(lab, command)
    for client in clients:
        assert echoes(client, "hello\n")

    server.blocked(call)
    assert server.children == []
    assert len(set(connections(server)) & connected(lab)) == CLIENTS


def connections(process: Process) -> list[int]:
    """The inodes of the connections that a process holds.

    Raises:
        Broken: it has nothing open at all.
    """
    opened = process.descriptors()
    if not opened:
        raise Broken(f"{process.name} has no descriptor")
    return [open.inode or 0 for open in opened if open.kind == CONNECTION]


def connected(lab: Lab) -> set[int]:
    """The inodes of the server's ends of all connections."""
    return {end.inode for end in lab.sockets(local=lab.port, state=ESTABLISHED)}


@pytest.mark.about("fork", "read")
@pytest.mark.scenario("S4.1")
@pytest.mark.parametrize("command", EVERY)
def test_a_client_that_is_silent_does_not_hold_up_the_next(lab: Lab, command: str) -> None:
    """A client is served while one that came before it says nothing.

    UNP 4.8 (iterative and concurrent servers), 6.8.
    """
    _, [_, _, last] = clients_of(lab, command)

    assert echoes(last, "hello\n")


@pytest.mark.about("fork", "FIN")
@pytest.mark.scenario("S4.1")
@pytest.mark.parametrize("command", EVERY)
def test_the_end_of_one_client_leaves_the_others_served(lab: Lab, command: str) -> None:
    """When one client has ended, the others are served as before.

    UNP 5.10, 6.8.
    """
    _, [first, second, third] = clients_of(lab, command)
    assert echoes(first, "hello\n")
    assert ends(first.end_input()) == exited(0)

    assert echoes(second, "hello\n")
    assert echoes(third, "hello\n")


@pytest.mark.about("FIN", "CLOSE_WAIT", "select", "poll")
@pytest.mark.scenario("S4.1")
@pytest.mark.parametrize(("command", "call"), WATCHING)
def test_a_server_of_one_process_closes_when_a_client_has(
    lab: Lab, command: str, call: str
) -> None:
    """A client's FIN makes its connection readable; the server reads the end of file, and closes.

    POSIX.1-2024 select(), poll(); UNP 6.3, 6.8, 6.11.
    """
    server = lab.start(command, lab.port).blocked(call)
    client = comes(lab, "echo_client")
    assert echoes(client, "hello\n")
    server.blocked(call)
    read = server.arm(leaving("read", on=CONNECTION))
    client.end_input().ended()

    assert gave(read.reached()) == 0
    server.blocked(call)
    assert connections(server) == []
    assert lab.senders(FIN) == ["echo_client", command]
    assert lab.states(local=lab.port, state=CLOSE_WAIT) == []
