"""SO_REUSEADDR: when a server that sets it can be started again. Scenarios S1 and S3."""

import pytest

from cases.steps import every_family
from harness import (
    CONNECTION,
    EADDRINUSE,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LISTEN,
    TIME_WAIT,
    Lab,
    entering,
    leaving,
)


def served_and_killed(lab: Lab, *options: str, address: str) -> None:
    """A server is killed while connected, then its client ends: TIME_WAIT at the server's port."""
    server = lab.start("reuseadr_eserver", *options, lab.port).reach(entering("accept"))
    client = lab.start("echo_client", address, lab.port).reach(leaving("connect"))
    server.reach(leaving("accept"))
    server.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    client.end_input().ended()
    lab.awaits(local=lab.port, state=TIME_WAIT)


@pytest.mark.about("SO_REUSEADDR", "TIME_WAIT", "bind")
@pytest.mark.behaviour("B2")
@pytest.mark.scenario("S1.3", "S3.7")
@every_family
def test_so_reuseaddr_on_both_sockets_lets_a_server_restart_over_time_wait(
    lab: Lab, at: list[str], address: str
) -> None:
    """bind() and listen() succeed over TIME_WAIT when the old and the new listener had SO_REUSEADDR
    before bind().

    socket(7) SO_REUSEADDR; POSIX.1-2024 setsockopt() SO_REUSEADDR; kernel
    net/ipv4/inet_connection_sock.c inet_csk_bind_conflict; UNP §7.5.
    """
    served_and_killed(lab, "-r", *at, address=address)

    restarted = lab.start("reuseadr_eserver", "-r", *at, lab.port)
    assert restarted.outcome("bind") == 0
    assert restarted.outcome("listen") == 0


@pytest.mark.about("SO_REUSEADDR", "TIME_WAIT", "EADDRINUSE", "bind")
@pytest.mark.behaviour("B2")
@pytest.mark.scenario("S1.4")
@every_family
def test_so_reuseaddr_on_the_restarted_server_alone_does_not_help(
    lab: Lab, at: list[str], address: str
) -> None:
    """bind() says EADDRINUSE over TIME_WAIT when the new socket has SO_REUSEADDR and the old one
    had not.

    kernel net/ipv4/inet_connection_sock.c inet_csk_bind_conflict (both must have it). UNP §7.5
    asks for the option on the new socket alone.
    Platforms: on Darwin and FreeBSD the new one's is enough.
    """
    served_and_killed(lab, *at, address=address)

    restarted = lab.start("reuseadr_eserver", "-r", *at, lab.port)
    assert restarted.outcome("bind") == EADDRINUSE


@pytest.mark.about("SO_REUSEADDR", "TIME_WAIT", "EADDRINUSE", "bind")
@pytest.mark.behaviour("B2")
@pytest.mark.scenario("S1.4")
@every_family
def test_so_reuseaddr_on_the_first_server_alone_does_not_help(
    lab: Lab, at: list[str], address: str
) -> None:
    """bind() says EADDRINUSE over TIME_WAIT when the old socket had SO_REUSEADDR and the new one
    has not.

    kernel net/ipv4/inet_connection_sock.c inet_csk_bind_conflict; UNP §7.5.
    """
    served_and_killed(lab, "-r", *at, address=address)

    restarted = lab.start("reuseadr_eserver", *at, lab.port)
    assert restarted.outcome("bind") == EADDRINUSE


def child_alone(lab: Lab, *options: str) -> None:
    """A forking server is killed while its child serves: only that connection holds the port."""
    server = lab.start("tcpserv01", *options, lab.port).reach(entering("accept"))
    client = lab.start("tcpcli01", lab.address, lab.port).reach(leaving("connect"))
    server.reach(entering("accept"))
    server.child().blocked("read")
    server.kill()
    lab.awaits(local=lab.port, state=ESTABLISHED)
    lab.awaits_none(local=lab.port, state=LISTEN)
    client.run()


@pytest.mark.about("SO_REUSEADDR", "ESTABLISHED", "fork", "bind")
@pytest.mark.behaviour("A16")
@pytest.mark.scenario("S3.7")
def test_so_reuseaddr_lets_a_server_restart_while_a_child_still_serves(lab: Lab) -> None:
    """bind() and listen() succeed while a child of the killed server serves on, when both had
    SO_REUSEADDR.

    socket(7) SO_REUSEADDR; UNP §7.5 (its first use of the option).
    """
    child_alone(lab, "-r")

    restarted = lab.start("tcpserv01", "-r", lab.port)
    assert restarted.outcome("bind") == 0
    assert restarted.outcome("listen") == 0


@pytest.mark.about("SO_REUSEADDR", "ESTABLISHED", "EADDRINUSE", "fork", "bind")
@pytest.mark.behaviour("A16")
@pytest.mark.scenario("S3.7")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([], [], id="neither"),
        pytest.param(["-r"], [], id="old-only"),
        pytest.param([], ["-r"], id="new-only"),
    ],
)
def test_a_serving_child_holds_the_port_unless_both_had_so_reuseaddr(
    lab: Lab, old: list[str], new: list[str]
) -> None:
    """bind() says EADDRINUSE while a child of the killed server serves on, unless both had
    SO_REUSEADDR.

    kernel net/ipv4/inet_connection_sock.c inet_csk_bind_conflict; UNP §7.5.
    Platforms: on Darwin and FreeBSD the new one's is enough.
    """
    child_alone(lab, *old)

    restarted = lab.start("tcpserv01", *new, lab.port)
    assert restarted.outcome("bind") == EADDRINUSE


@pytest.mark.waits  # for the delayed ACK of the FIN
@pytest.mark.about("SO_REUSEADDR", "FIN_WAIT2", "bind")
@pytest.mark.behaviour("B2")
@pytest.mark.scenario("S3.7")
def test_so_reuseaddr_lets_a_server_restart_over_fin_wait2(lab: Lab) -> None:
    """bind() and listen() succeed while an old connection is in FIN_WAIT2, when both had
    SO_REUSEADDR.

    socket(7) SO_REUSEADDR (only a listening socket is in the way).
    """
    server = lab.start("flood_server", "-r", lab.port).reach(entering("accept"))
    lab.start("oneshot_client", "-s", lab.address, lab.port).prints("not reading").run()
    server.reach(leaving("write", on=CONNECTION))
    server.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)

    restarted = lab.start("flood_server", "-r", lab.port)
    assert restarted.outcome("bind") == 0
    assert restarted.outcome("listen") == 0


@pytest.mark.about("SO_REUSEADDR", "FIN_WAIT1", "bind")
@pytest.mark.behaviour("B2")
@pytest.mark.scenario("S3.7")
def test_so_reuseaddr_lets_a_server_restart_over_fin_wait1(lab: Lab) -> None:
    """bind() and listen() succeed while an old connection is in FIN_WAIT1, when both had
    SO_REUSEADDR.

    socket(7) SO_REUSEADDR (only a listening socket is in the way).
    """
    server = lab.start("flood_server", "-r", lab.port).reach(entering("accept"))
    lab.start("oneshot_client", "-s", lab.address, lab.port).prints("not reading").run()
    server.blocked("write")
    server.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT1)

    restarted = lab.start("flood_server", "-r", lab.port)
    assert restarted.outcome("bind") == 0
    assert restarted.outcome("listen") == 0
