"""A server starts another program: which of its sockets does that keep?

A spawning_server listens and then starts cat, which waits for input as long as the case likes.
"""

from signal import SIGKILL

import pytest

from cases.steps import comes, gives, started
from harness import (
    CHILDREN,
    EADDRINUSE,
    FILE,
    LISTEN,
    LISTENING,
    PIPE,
    RST,
    Lab,
    Process,
    entering,
    executing,
)


def spawned(lab: Lab, *options: str) -> tuple[Process, Process]:
    """A server, held before accept, and the program it has started."""
    server = lab.start("spawning_server", *options, lab.port)
    accepting = server.arm(entering("accept"))
    program = server.reach(executing(), CHILDREN)
    return accepting.reached(), program.blocked("read")


@pytest.mark.about("FD_CLOEXEC", "exec")
@pytest.mark.behaviour("L3")
def test_a_program_keeps_the_descriptors_of_the_one_that_started_it(lab: Lab) -> None:
    """exec leaves descriptors open: the new program has the listening socket, and knows nothing of it.

    POSIX.1-2024 exec (file descriptors open in the calling process image shall remain open).
    """
    server, program = spawned(lab)
    [listener] = [d for d in server.descriptors() if d.kind is LISTENING]
    kept = [d.inode == listener.inode for d in program.descriptors() if d.kind is LISTENING]
    assert kept == [True]


@pytest.mark.about("FD_CLOEXEC", "exec")
@pytest.mark.behaviour("L3")
def test_fd_cloexec_closes_a_descriptor_on_exec(lab: Lab) -> None:
    """exec closes a descriptor that has FD_CLOEXEC: the new program has no socket.

    POSIX.1-2024 exec, fcntl() (FD_CLOEXEC).
    """
    _, program = spawned(lab, "-e")
    assert [d.kind for d in program.descriptors()] == [PIPE, FILE, FILE]


@pytest.mark.about("FD_CLOEXEC", "exec", "SO_REUSEADDR", "EADDRINUSE")
@pytest.mark.behaviour("L4")
@pytest.mark.parametrize("options", [[], ["-r"]], ids=["plain", "SO_REUSEADDR"])
def test_a_program_that_kept_the_listener_keeps_the_port(lab: Lab, options: list[str]) -> None:
    """bind says EADDRINUSE as long as a program that a former server started lives, in spite of
    SO_REUSEADDR on both: it holds the listening socket.

    POSIX.1-2024 exec, bind() [EADDRINUSE]; socket(7) SO_REUSEADDR (except when there is an active
    listening socket).
    """
    server, program = spawned(lab, *options)
    server.kill(SIGKILL)
    assert lab.states(local=lab.port) == [LISTEN]

    restarted = lab.start("reuseadr_eserver", *options, lab.port)
    assert restarted.outcome("bind") == EADDRINUSE
    assert program.state == "running"


@pytest.mark.about("FD_CLOEXEC", "exec", "bind")
@pytest.mark.behaviour("L4", "L3")
def test_fd_cloexec_gives_the_port_back(lab: Lab) -> None:
    """With FD_CLOEXEC the port is free when the server is dead, whoever it has started.

    POSIX.1-2024 exec, fcntl() (FD_CLOEXEC).
    """
    server, program = spawned(lab, "-e")
    server.kill(SIGKILL)

    assert gives(lab.start("reuseadr_eserver", lab.port), "bind") == 0
    assert program.state == "running"


@pytest.mark.about("SIGKILL", "bind", "LISTEN")
@pytest.mark.behaviour("L9")
def test_sigkill_frees_the_listening_port(lab: Lab) -> None:
    """A server that is killed before a client has come leaves nothing, and its port can be bound at once,
    without SO_REUSEADDR.

    POSIX.1-2024 _Exit() (all file descriptors are closed); RFC 9293 §3.10.4 (CLOSE in LISTEN).
    """
    started(lab, "reuseadr_eserver").kill(SIGKILL)

    assert lab.states(local=lab.port) == []
    assert gives(lab.start("reuseadr_eserver", lab.port), "bind") == 0


@pytest.mark.about("SIGKILL", "bind", "RST")
@pytest.mark.behaviour("L9", "D9")
def test_a_client_that_was_not_accepted_does_not_keep_the_port(lab: Lab) -> None:
    """A client that has connected and was not accepted does not keep the port either: the kernel resets
    it together with the listener's queue, so that there is no TIME_WAIT.

    Linux net/ipv4/inet_connection_sock.c, inet_csk_listen_stop; RFC 9293 §3.10.4 leaves it open.
    """
    server = started(lab, "reuseadr_eserver")
    client = comes(lab, "tcpcli01").blocked("read")
    server.kill(SIGKILL)

    assert lab.states(local=lab.port) == []
    assert lab.senders(RST) == ["reuseadr_eserver"]
    assert client.state == "running"
    assert gives(lab.start("reuseadr_eserver", lab.port), "bind") == 0
