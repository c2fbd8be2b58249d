"""Zombies: children that have ended and that their parent has not waited for."""

import pytest

from cases.steps import comes, one_client, started, zombies
from harness import Lab, Process, entering

WAITING = ["tcpserv02", "tcpserv03", "tcpserv03 -i", "tcpserv04", "tcpserv04 -i"]
MPSERV = ["echo_mpserv", "echo_mpserv -l"]


@pytest.mark.about("SIGCHLD", "zombie", "wait")
@pytest.mark.behaviour("L5")
@pytest.mark.scenario("S2.3")
def test_a_child_that_nobody_waits_for_is_a_zombie(lab: Lab) -> None:
    """A child that has ended stays, as a zombie, while its parent lives and does not wait for it.

    POSIX.1-2024 _Exit() (consequences of process termination); UNP 5.7, 5.9.
    """
    one = one_client(lab, "tcpserv01")
    one.client.end_input().ended()
    one.child.ended()
    one.server.blocked("accept")

    assert one.child.kernel_state == "Z"


@pytest.mark.about("SIGCHLD", "zombie", "wait")
@pytest.mark.behaviour("L5")
@pytest.mark.scenario("S2.3")
def test_the_zombies_parent_is_the_server(lab: Lab) -> None:
    """What a zombie has left to tell it keeps for the server that forked it.

    POSIX.1-2024 _Exit(); UNP 5.7.
    """
    one = one_client(lab, "tcpserv01")
    one.client.end_input().ended()
    one.child.ended()
    status = status_of(lab, one.child)

    assert status.get("State") == "Z (zombie)"
    is_the_server = status.get("PPid") == str(one.server.pid)
    assert is_the_server


def status_of(lab: Lab, process: Process) -> dict[str, str]:
    """What the kernel tells any other program of a process."""
    cat = lab.start("/bin/cat", f"/proc/{process.pid}/status")
    cat.ended()
    pairs = (line.partition(":") for line in cat.output.splitlines())
    return {name: value.strip() for name, _, value in pairs}


@pytest.mark.about("SIGCHLD", "zombie", "wait")
@pytest.mark.behaviour("L5")
@pytest.mark.scenario("S2.3")
def test_zombies_gather_as_clients_come_and_go(lab: Lab) -> None:
    """Each client that a server without a handler has served is a zombie more.

    UNP 5.7, 5.9.
    """
    server = started(lab, "tcpserv01")
    for _ in range(3):
        client = comes(lab, "tcpcli01")
        server.reach(entering("accept"))
        client.end_input().ended()
        server.children[-1].ended()

    assert len(zombies(server)) == 3


@pytest.mark.about("zombie", "wait")
@pytest.mark.behaviour("L5", "L10")
@pytest.mark.scenario("S2.3")
def test_zombies_go_when_the_server_ends(lab: Lab) -> None:
    """The end of the server hands its zombies to init, which waits for them.

    POSIX.1-2024 _Exit(); Linux kernel/exit.c, forget_original_parent; UNP 5.9.
    """
    one = one_client(lab, "tcpserv01")
    one.client.end_input().ended()
    one.child.ended()
    assert one.child.state == "zombie"

    one.server.kill()

    assert one.child.state == "dead"


@pytest.mark.about("SIGCHLD", "zombie", "wait", "waitpid")
@pytest.mark.behaviour("L5")
@pytest.mark.scenario("S2.4", "S4.2")
@pytest.mark.parametrize("server", WAITING + MPSERV)
def test_a_handler_that_waits_leaves_no_zombie_of_one_client(lab: Lab, server: str) -> None:
    """With one client, a SIGCHLD handler that waits leaves no zombie while the server lives.

    POSIX.1-2024 wait(), sigaction(); UNP 5.9.
    """
    one = one_client(lab, server)
    one.client.end_input().ended()
    one.child.ended()
    one.server.blocked("accept")

    assert one.child.state == "dead"


@pytest.mark.about("SIGCHLD", "zombie", "wait")
@pytest.mark.scenario("S2.4")
def test_a_handler_that_waits_leaves_no_zombie_though_accept_ends_the_server(lab: Lab) -> None:
    """tcpserv02 without SA_RESTART waits for its child before accept's EINTR ends it.

    UNP 5.9. The server is held before it exits, so that it still lives.
    """
    one = one_client(lab, "tcpserv02 -i")
    end = one.server.arm(entering("exit"))
    one.client.end_input().ended()
    one.child.ended()
    end.reached()

    assert one.child.state == "dead"


@pytest.mark.about("SIGCHLD", "waitpid")
@pytest.mark.scenario("S2.4", "S4.2")
@pytest.mark.parametrize("server", WAITING + MPSERV)
def test_the_handler_prints_the_pid_of_the_child(lab: Lab, server: str) -> None:
    """What the handler waited for, and prints, is the child that has ended.

    POSIX.1-2024 waitpid(); UNP 5.9.
    """
    one = one_client(lab, server)
    one.client.end_input().ended()
    one.child.ended()
    one.server.blocked("accept")

    assert one.server.output == f"child {one.child.pid} terminated\n"


@pytest.mark.about("SIGCHLD", "wait")
@pytest.mark.scenario("S2.4", "S4.2")
@pytest.mark.parametrize("server", WAITING + MPSERV)
def test_the_handler_runs_once_for_one_child(lab: Lab, server: str) -> None:
    """One child's end is one SIGCHLD, sent in that child's name.

    POSIX.1-2024 XSH 2.4.3, SIGCHLD; UNP 5.9.
    """
    one = one_client(lab, server)
    one.client.end_input().ended()
    one.child.ended()
    one.server.blocked("accept")

    handled = [
        (event.signal, event.sender)
        for event in lab.events(kinds=["signal"], process=one.server)
        if event.disposition == "handler"
    ]
    assert handled == [("SIGCHLD", one.child.pid)]
