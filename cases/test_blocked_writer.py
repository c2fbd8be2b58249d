"""A writer that sleeps in write when its connection ends: what that write gives, and the next."""

from signal import SIGUSR1

import pytest

from cases.steps import every_family, gives, returned
from harness import (
    CLOSE_WAIT,
    CONNECTION,
    ECONNRESET,
    EPIPE,
    Lab,
    Outcome,
    Process,
    entering,
    leaving,
)
from harness.fact import Fact

WHOLE = 16 << 20
"""Bytes that pouring_server gives to each write: more than both buffers can take."""


def is_a_part(outcome: Outcome | Fact) -> Fact:
    """Whether a write has taken something, and not all."""
    part = isinstance(outcome, Outcome) and 0 < (outcome.value or 0) < WHOLE
    return Fact(part, f"({outcome} of {WHOLE})")


def pours(lab: Lab, client: str, *options: str, address: str) -> tuple[Process, Process]:
    """A server asleep in a write that the client does not make room for."""
    server = lab.start("pouring_server", *options, lab.port).reach(entering("accept"))
    reader = lab.start(client, address, lab.port)
    reader.reach(leaving("connect"))
    return server.blocked("write"), reader


@pytest.mark.about("write", "RST", "partial")
@pytest.mark.behaviour("E10")
@every_family
def test_a_write_that_sleeps_tells_what_it_has_taken_when_a_rst_comes(
    lab: Lab, at: list[str], address: str
) -> None:
    """write() that sleeps gives the part that it has taken, not an error, when the peer resets.

    POSIX.1-2024 write() (the number of bytes actually written); Linux net/ipv4/tcp.c,
    tcp_sendmsg_locked (do_error: what was copied goes first).
    Platforms: FreeBSD says EPIPE, and not how much was taken (sys/kern/sys_generic.c, dofilewrite).
    """
    server, reader = pours(lab, "echo_client", *at, address=address)
    write = server.arm(leaving("write", on=CONNECTION))
    reader.kill()

    assert is_a_part(returned(write))


@pytest.mark.about("write", "RST", "ECONNRESET", "EPIPE")
@pytest.mark.behaviour("E10")
@every_family
def test_after_the_part_come_econnreset_and_epipe(lab: Lab, at: list[str], address: str) -> None:
    """The write() after the one that told a part says ECONNRESET, and the one after that EPIPE.

    POSIX.1-2024 write() [ECONNRESET], [EPIPE]; Linux net/core/stream.c, sk_stream_error.
    Platforms: FreeBSD says EPIPE each time (sys/kern/uipc_socket.c, sosend_generic).
    """
    server, reader = pours(lab, "echo_client", *at, address=address)
    write = server.arm(leaving("write", on=CONNECTION))
    reader.kill()
    write.reached()

    assert gives(server, "write", on=CONNECTION) == ECONNRESET
    assert gives(server, "write", on=CONNECTION) == EPIPE


@pytest.mark.about("write", "RST", "SIGPIPE", "partial")
@pytest.mark.behaviour("E10")
@every_family
def test_of_the_writes_that_fail_the_one_with_epipe_alone_raises_sigpipe(
    lab: Lab, at: list[str], address: str
) -> None:
    """Neither the write() that tells a part nor the one with ECONNRESET raises SIGPIPE; the one
    with EPIPE does.

    POSIX.1-2024 write() [EPIPE] (a SIGPIPE signal shall also be sent); Linux net/core/stream.c,
    sk_stream_error.
    """
    server, reader = pours(lab, "echo_client", *at, address=address)
    write = server.arm(leaving("write", on=CONNECTION))
    reader.kill()
    write.reached()
    server.reach(entering("write", nth=2, on=CONNECTION))
    assert lab.events(kinds=["signal"], process=server) == []

    server.ended()
    assert [event.signal for event in lab.events(kinds=["signal"], process=server)] == ["SIGPIPE"]


@pytest.mark.about("write", "RST", "EPIPE", "CLOSE_WAIT")
@pytest.mark.behaviour("E10")
@every_family
def test_in_close_wait_epipe_follows_the_part_at_once(
    lab: Lab, at: list[str], address: str
) -> None:
    """The write() after the one that told a part says EPIPE when a FIN had come before the RST.

    POSIX.1-2024 write() [EPIPE]; Linux net/ipv4/tcp_input.c, tcp_reset (EPIPE in CLOSE_WAIT).
    """
    server = lab.start("pouring_server", *at, lab.port).reach(entering("accept"))
    reader = lab.start("tcpcliselect01", address, lab.port)
    reader.end_input().reach(leaving("shutdown"))
    server.blocked("write")
    lab.awaits(local=lab.port, state=CLOSE_WAIT)
    write = server.arm(leaving("write", on=CONNECTION))
    reader.kill()

    assert is_a_part(returned(write))
    assert gives(server, "write", on=CONNECTION) == EPIPE


@pytest.mark.about("write", "shutdown", "SHUT_WR", "EPIPE", "partial")
@pytest.mark.behaviour("E10")
@every_family
def test_a_write_that_sleeps_ends_when_the_connection_is_shut_down_beside_it(
    lab: Lab, at: list[str], address: str
) -> None:
    """shutdown(SHUT_WR) by a process that shares the connection ends a write() that sleeps: it
    tells the part that it has taken, and the next one says EPIPE.

    POSIX.1-2024 shutdown() (disables subsequent send operations), write() [EPIPE]; Linux
    net/core/stream.c, sk_stream_wait_memory.
    """
    server, _ = pours(lab, "echo_client", "-s", *at, address=address)
    write = server.arm(leaving("write", on=CONNECTION))
    server.child().signal(SIGUSR1).ended()

    assert is_a_part(returned(write))
    assert gives(server, "write", on=CONNECTION) == EPIPE
