"""Descriptors after fork: parent and child share each socket, till the last copy is closed."""

import pytest

from cases.steps import comes, echoes, one_client, sleeps_in, started
from harness import (
    CHILDREN,
    CLOSE_WAIT,
    CONNECTION,
    EADDRINUSE,
    ESTABLISHED,
    FIN,
    FIN_WAIT2,
    LISTENING,
    RST,
    Lab,
    Process,
    Socket,
    entering,
    leaving,
)


def both_copies(lab: Lab, server: str = "echo_mpserv") -> tuple[Process, Process, Process]:
    """Server, held before it closes its copy, child, held before its first read, and client."""
    listening = started(lab, server)
    client = comes(lab, "echo_client")
    own_copy = listening.arm(entering("close", on=CONNECTION))
    child = listening.reach(entering("read", on=CONNECTION), CHILDREN)
    own_copy.reached()
    return listening, child, client


def servers_end(lab: Lab) -> Socket:
    """The server's end of the one connection."""
    [end] = lab.awaits(local=lab.port, state=(ESTABLISHED, CLOSE_WAIT))
    return end


def holders(lab: Lab) -> list[Process]:
    """Who holds the server's end of the one connection."""
    return [holder.process for holder in lab.holders(servers_end(lab))]


# --- both have it --------------------------------------------------------------------------------


@pytest.mark.about("fork", "descriptor", "inode")
@pytest.mark.behaviour("L2")
@pytest.mark.scenario("S4.5")
def test_after_fork_parent_and_child_hold_one_socket(lab: Lab) -> None:
    """The connection that the parent accepted is, after fork, the child's too: one inode.

    POSIX.1-2024 fork(); UNP 4.7, 4.8.
    """
    server, child, _ = both_copies(lab)

    assert holders(lab) == [server, child]


@pytest.mark.about("fork", "descriptor", "inode")
@pytest.mark.scenario("S4.5")
def test_after_fork_the_listening_socket_is_shared_too(lab: Lab) -> None:
    """The child begins with the listening socket as well.

    POSIX.1-2024 fork(); UNP 4.7, 4.8.
    """
    server = started(lab, "echo_mpserv")
    comes(lab, "echo_client")
    child = server.reach(entering("close", on=LISTENING), CHILDREN)
    [listener] = lab.sockets(local=lab.port, remote=0)

    assert [holder.process for holder in lab.holders(listener)] == [server, child]


@pytest.mark.about("fork", "close", "descriptor")
@pytest.mark.scenario("S4.5")
def test_each_closes_what_is_the_others(lab: Lab) -> None:
    """In the end the parent holds only the listening socket, the child only the connection.

    UNP 4.8 and figures 4.14 to 4.17.
    """
    one = one_client(lab, "echo_mpserv", "echo_client")

    assert [open.kind for open in one.server.descriptors() if open.fd > 2] == [LISTENING]
    assert [open.kind for open in one.child.descriptors() if open.fd > 2] == [CONNECTION]


# --- the last copy -------------------------------------------------------------------------------


@pytest.mark.about("fork", "close", "FIN")
@pytest.mark.behaviour("L2", "L1")
@pytest.mark.scenario("S4.5")
def test_closing_the_parents_copy_sends_no_fin(lab: Lab) -> None:
    """The parent's close of its copy leaves the connection as it is, since the child has one.

    POSIX.1-2024 close(); UNP 4.8, 4.9.
    """
    server, child, client = both_copies(lab)
    server.reach(leaving("close"))

    assert holders(lab) == [child]
    assert lab.segments(FIN) == []
    child.run()
    assert echoes(client, "hello\n")


@pytest.mark.about("fork", "close", "FIN", "SIGKILL")
@pytest.mark.behaviour("L2")
@pytest.mark.scenario("S4.5")
def test_the_childs_end_sends_no_fin_while_the_parent_has_a_copy(lab: Lab) -> None:
    """The child's end leaves the connection as it is, since the parent has a copy.

    POSIX.1-2024 _Exit(), close(); UNP 4.8, 4.9.
    """
    server, child, _ = both_copies(lab)
    child.kill()

    assert holders(lab) == [server]
    assert lab.segments(FIN) == []
    assert lab.states(remote=lab.port) == [ESTABLISHED]


@pytest.mark.about("fork", "close", "FIN")
@pytest.mark.behaviour("L2")
@pytest.mark.scenario("S4.5")
def test_the_fin_leaves_with_the_parents_copy_when_that_is_the_last(lab: Lab) -> None:
    """The child has ended; the FIN leaves when the parent closes its copy.

    POSIX.1-2024 close(); UNP 4.8.
    """
    server, child, _ = both_copies(lab)
    child.kill()
    assert lab.segments(FIN) == []

    server.reach(leaving("close"))

    assert lab.comes(local=lab.port, state=FIN_WAIT2)
    assert lab.senders(FIN) == ["echo_mpserv"]


@pytest.mark.about("fork", "close", "FIN")
@pytest.mark.behaviour("L2")
@pytest.mark.scenario("S4.5")
def test_the_fin_leaves_with_the_childs_copy_when_that_is_the_last(lab: Lab) -> None:
    """The parent has closed its copy; the FIN leaves when the child ends.

    POSIX.1-2024 close(), _Exit(); UNP 4.8.
    """
    server, child, _ = both_copies(lab)
    server.blocked("accept")
    assert lab.segments(FIN) == []

    child.kill()

    assert lab.comes(local=lab.port, state=FIN_WAIT2)
    assert lab.senders(FIN) == ["echo_mpserv"]


# --- the parent forgets --------------------------------------------------------------------------


@pytest.mark.about("close", "EOF", "descriptor", "fork")
@pytest.mark.behaviour("L8")
@pytest.mark.scenario("S4.6")
def test_a_client_sees_no_end_of_file_while_the_parent_keeps_its_copy(lab: Lab) -> None:
    """Where the parent forgets to close its copy, the client waits for ever after the child's end.

    UNP 4.8. "For ever" is asserted by what there is: a parent that sleeps in accept and holds the
    connection.
    """
    one = one_client(lab, "echo_mpserv -k", "echo_client")
    echo = one.client.arm(entering("read", on=CONNECTION))
    one.client.input("hello\n")
    echo.reached()
    one.child.kill()
    one.server.blocked("accept")

    assert sleeps_in(one.client, "read")
    assert lab.senders(FIN) == lab.senders(RST) == []
    assert holders(lab) == [one.server]


@pytest.mark.about("close", "EOF", "descriptor", "fork")
@pytest.mark.behaviour("L8")
@pytest.mark.scenario("S4.6")
def test_a_client_sees_the_end_of_file_when_that_parent_ends(lab: Lab) -> None:
    """It is the parent's copy that keeps the connection: its end brings the end of file.

    POSIX.1-2024 _Exit(); UNP 4.8.
    """
    one = one_client(lab, "echo_mpserv -k", "echo_client")
    one.child.run()
    one.client.input("hello\n").prints("hello\n")
    one.client.run()
    one.child.kill()
    assert lab.segments(FIN) == []

    one.server.kill()

    assert lab.comes(remote=lab.port, state=CLOSE_WAIT)


@pytest.mark.about("close", "descriptor", "fork")
@pytest.mark.behaviour("L8")
@pytest.mark.scenario("S4.6")
@pytest.mark.parametrize(("command", "leaked"), [("echo_mpserv -k", 3), ("echo_mpserv", 0)])
def test_a_parent_that_forgets_to_close_leaks_a_descriptor_for_each_client(
    lab: Lab, command: str, leaked: int
) -> None:
    """Each client that has come and gone leaves a descriptor in a parent that forgets to close.

    UNP 4.8 (it runs out of descriptors in the end).
    """
    server = started(lab, command)
    for _ in range(3):
        client = comes(lab, "echo_client")
        server.reach(entering("accept"))
        client.end_input().ended()
        server.children[-1].ended()
    server.blocked("accept")

    kinds = [open.kind for open in server.descriptors()]
    assert (kinds.count(LISTENING), kinds.count(CONNECTION)) == (1, leaked)


@pytest.mark.about("close", "CLOSE_WAIT", "descriptor", "fork")
@pytest.mark.behaviour("B13", "L8")
@pytest.mark.scenario("S4.6")
def test_a_leaked_connection_stays_in_close_wait(lab: Lab) -> None:
    """Where the parent forgets to close, a gone client's connection stays in CLOSE_WAIT.

    RFC 9293 §3.6; UNP 4.8.
    """
    one = one_client(lab, "echo_mpserv -k", "echo_client")
    one.client.end_input().ended()
    one.child.ended()

    assert lab.states(local=lab.port, state=CLOSE_WAIT) == [CLOSE_WAIT]


# --- the child keeps the listener ----------------------------------------------------------------


@pytest.mark.about("EADDRINUSE", "SO_REUSEADDR", "LISTEN", "fork")
@pytest.mark.scenario("S4.7")
def test_rebinding_fails_while_a_child_holds_the_listening_socket(lab: Lab) -> None:
    """bind says EADDRINUSE while a child of the former server keeps the listening socket.

    With SO_REUSEADDR on both incarnations too. POSIX.1-2024 bind() [EADDRINUSE]; Linux
    net/ipv4/inet_connection_sock.c, inet_csk_bind_conflict; UNP 4.8, 7.5.
    """
    one = one_client(lab, "echo_mpserv -r -c", "echo_client")
    one.server.kill()

    restarted = lab.start("echo_mpserv", "-r", lab.port)
    assert restarted.outcome("bind") == EADDRINUSE


@pytest.mark.about("LISTEN", "fork")
@pytest.mark.scenario("S4.7")
def test_the_socket_listens_as_long_as_any_process_holds_it(lab: Lab) -> None:
    """The parent is gone, and clients can still connect; nobody will accept them.

    POSIX.1-2024 listen(), close(); UNP 4.8.
    """
    one = one_client(lab, "echo_mpserv -r -c", "echo_client")
    one.server.kill()
    [listener] = lab.sockets(local=lab.port, remote=0)
    assert [holder.process for holder in lab.holders(listener)] == [one.child]

    client = lab.start("echo_client", lab.address, lab.port)
    assert client.outcome("connect") == 0


@pytest.mark.about("EADDRINUSE", "SO_REUSEADDR", "fork")
@pytest.mark.scenario("S4.7")
def test_rebinding_succeeds_when_the_child_has_closed_the_listening_socket(lab: Lab) -> None:
    """A child that has closed its copy does not stand in the way of a restart, though it serves on.

    POSIX.1-2024 bind(); UNP 4.8, 7.5.
    """
    one = one_client(lab, "echo_mpserv -r", "echo_client")
    one.server.kill()

    restarted = lab.start("echo_mpserv", "-r", lab.port)
    assert restarted.outcome("bind") == 0
    assert lab.states(remote=lab.port) == [ESTABLISHED]


@pytest.mark.about("EADDRINUSE", "SO_REUSEADDR", "fork", "SIGKILL")
@pytest.mark.scenario("S4.7")
def test_rebinding_succeeds_when_the_last_holder_has_ended(lab: Lab) -> None:
    """The end of the child that kept the listening socket gives the port back.

    POSIX.1-2024 _Exit(), bind(); UNP 4.8, 7.5.
    """
    one = one_client(lab, "echo_mpserv -r -c", "echo_client")
    one.server.kill()
    assert lab.start("echo_mpserv", "-r", lab.port).outcome("bind") == EADDRINUSE

    one.child.kill()

    assert lab.start("echo_mpserv", "-r", lab.port).outcome("bind") == 0
