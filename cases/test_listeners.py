"""Several listeners on one port: which addresses and options go together. Scenario S3."""

import pytest

from harness import (
    EADDRINUSE,
    LISTEN,
    Lab,
    Privilege,
    entering,
    leaving,
)

with_and_without_so_reuseaddr = pytest.mark.parametrize(
    "options",
    [pytest.param([], id="without-SO_REUSEADDR"), pytest.param(["-r"], id="with-SO_REUSEADDR")],
)


@pytest.mark.about("SO_REUSEADDR", "bind", "listen")
@pytest.mark.behaviour("A4")
@pytest.mark.scenario("S3.8")
@with_and_without_so_reuseaddr
@pytest.mark.parametrize("address", ["127.0.0.2", "::1"])
def test_two_servers_listen_on_one_port_at_two_addresses(
    lab: Lab, options: list[str], address: str
) -> None:
    """bind() and listen() succeed at a second address of the port, with SO_REUSEADDR and without.

    POSIX.1-2024 bind() (an address is host and port); UNP §7.5. The text credits SO_REUSEADDR; it
    is not needed.
    Platforms: Darwin and FreeBSD say EADDRNOTAVAIL to 127.0.0.2 unless it is made an alias.
    """
    lab.start("flood_server", *options, "-a", "127.0.0.1", lab.port).reach(entering("accept"))
    second = lab.start("flood_server", *options, "-a", address, lab.port)
    assert second.outcome("bind") == 0
    assert second.outcome("listen") == 0
    assert lab.states(local=lab.port) == [LISTEN, LISTEN]


@pytest.mark.about("SO_REUSEADDR", "accept")
@pytest.mark.scenario("S3.8")
@with_and_without_so_reuseaddr
@pytest.mark.parametrize(
    ("address", "printed"),
    [("127.0.0.1", ["I am client\n", ""]), ("127.0.0.2", ["", "I am client\n"])],
    ids=["127.0.0.1", "127.0.0.2"],
)
def test_each_of_two_servers_gets_the_clients_of_its_address(
    lab: Lab, options: list[str], address: str, printed: list[str]
) -> None:
    """A client reaches the server that listens at the address it connects to, and that one alone.

    RFC 9293 §3.10.7.2 (a connection is known by both its sockets); UNP §7.5.
    """
    servers = [
        lab.start("flood_server", *options, "-a", local, lab.port).reach(entering("accept")).run()
        for local in ("127.0.0.1", "127.0.0.2")
    ]
    client = lab.start("oneshot_client", address, lab.port)
    client.prints("I am server\n")
    assert [server.output for server in servers] == printed


@pytest.mark.about("SO_REUSEADDR", "EADDRINUSE", "bind", "wildcard")
@pytest.mark.behaviour("A4")
@pytest.mark.scenario("S3.9")
@with_and_without_so_reuseaddr
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("127.0.0.1", "0.0.0.0", id="wildcard-last"),
        pytest.param("0.0.0.0", "127.0.0.1", id="wildcard-first"),
    ],
)
def test_a_wildcard_and_a_specific_listener_exclude_each_other(
    lab: Lab, options: list[str], first: str, second: str
) -> None:
    """bind() says EADDRINUSE to a wildcard beside a specific listener and the reverse, even if both
    have SO_REUSEADDR.

    socket(7) SO_REUSEADDR (except when there is an active listening socket); kernel
    net/ipv4/inet_connection_sock.c inet_csk_bind_conflict; POSIX.1-2024 bind() [EADDRINUSE].
    Platforms: with SO_REUSEADDR it succeeds on Darwin and FreeBSD, and the specific one wins; UNP
    7.5 describes that.
    """
    lab.start("flood_server", *options, "-a", first, lab.port).reach(entering("accept"))
    other = lab.start("flood_server", *options, "-a", second, lab.port)
    assert other.outcome("bind") == EADDRINUSE


@pytest.mark.about("SO_REUSEADDR", "EADDRINUSE", "bind")
@pytest.mark.behaviour("A1", "A3")
@pytest.mark.scenario("S3.10")
@with_and_without_so_reuseaddr
def test_a_listener_lets_nobody_bind_its_port(lab: Lab, options: list[str]) -> None:
    """bind() says EADDRINUSE at the address of a socket that listens, even if both have
    SO_REUSEADDR.

    socket(7) SO_REUSEADDR; POSIX.1-2024 bind() [EADDRINUSE]; UNP §7.5.
    Platforms: Windows allows it.
    """
    lab.start("flood_server", *options, lab.port).reach(entering("accept"))
    other = lab.start("flood_server", *options, lab.port)
    assert other.outcome("bind") == EADDRINUSE


@pytest.mark.about("SO_REUSEADDR", "EADDRINUSE", "bind", "listen")
@pytest.mark.behaviour("A2")
@pytest.mark.scenario("S3.10")
def test_of_two_sockets_bound_with_so_reuseaddr_one_can_listen(lab: Lab) -> None:
    """bind() succeeds for both when neither listens yet and both have SO_REUSEADDR; the second
    listen() says EADDRINUSE.

    kernel net/ipv4/inet_connection_sock.c inet_csk_listen_start (the port is looked at once
    more); POSIX.1-2024 listen().
    Platforms: on Darwin and FreeBSD the second bind() says EADDRINUSE.
    """
    first = lab.start("flood_server", "-r", lab.port).reach(entering("listen"))
    second = lab.start("flood_server", "-r", lab.port)
    assert second.outcome("bind") == 0
    assert first.outcome("listen") == 0
    assert second.outcome("listen") == EADDRINUSE


@pytest.mark.about("SO_REUSEADDR", "EADDRINUSE", "bind")
@pytest.mark.behaviour("A1", "A2")
@pytest.mark.scenario("S3.10")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([], [], id="neither"),
        pytest.param(["-r"], [], id="first-only"),
        pytest.param([], ["-r"], id="second-only"),
    ],
)
def test_a_bound_socket_excludes_another_unless_both_have_so_reuseaddr(
    lab: Lab, old: list[str], new: list[str]
) -> None:
    """bind() says EADDRINUSE though the first socket does not listen, unless both have
    SO_REUSEADDR.

    POSIX.1-2024 bind() [EADDRINUSE]; kernel net/ipv4/inet_connection_sock.c
    inet_csk_bind_conflict.
    """
    lab.start("flood_server", *old, lab.port).reach(leaving("bind"))
    other = lab.start("flood_server", *new, lab.port)
    assert other.outcome("bind") == EADDRINUSE


@pytest.mark.about("SO_REUSEPORT", "bind", "listen")
@pytest.mark.behaviour("A6")
@pytest.mark.scenario("S3.10")
@pytest.mark.parametrize("at", ["0.0.0.0", "127.0.0.1", "::1"])
def test_so_reuseport_lets_two_servers_listen_at_one_address(lab: Lab, at: str) -> None:
    """bind() and listen() succeed at the address of a listener when both have SO_REUSEPORT.

    socket(7) SO_REUSEPORT. Not in POSIX.
    Platforms: Linux shares the connections out; on Darwin and FreeBSD the last one bound gets all.
    """
    lab.start("flood_server", "-p", "-a", at, lab.port).reach(entering("accept"))
    second = lab.start("flood_server", "-p", "-a", at, lab.port)
    assert second.outcome("bind") == 0
    assert second.outcome("listen") == 0
    assert lab.states(local=lab.port) == [LISTEN, LISTEN]


@pytest.mark.about("SO_REUSEPORT", "EADDRINUSE", "bind")
@pytest.mark.behaviour("A7")
@pytest.mark.scenario("S3.10")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(["-p"], [], id="first-only"),
        pytest.param([], ["-p"], id="second-only"),
        pytest.param(["-p"], ["-r"], id="the-other-has-SO_REUSEADDR"),
    ],
)
def test_so_reuseport_on_one_listener_alone_does_not_help(
    lab: Lab, old: list[str], new: list[str]
) -> None:
    """bind() says EADDRINUSE at the address of a listener when only one of the two has
    SO_REUSEPORT.

    socket(7) SO_REUSEPORT (all of them must have it).
    """
    lab.start("flood_server", *old, lab.port).reach(entering("accept"))
    other = lab.start("flood_server", *new, lab.port)
    assert other.outcome("bind") == EADDRINUSE


@pytest.mark.about("SO_REUSEPORT", "EADDRINUSE", "bind", "user")
@pytest.mark.behaviour("A8")
@pytest.mark.scenario("S3.10")
@pytest.mark.requires(Privilege.OTHER_USERS)
def test_so_reuseport_does_not_share_with_another_user(lab: Lab) -> None:
    """bind() says EADDRINUSE when the listener is of another effective user, though both have
    SO_REUSEPORT.

    socket(7) SO_REUSEPORT (to prevent port hijacking); kernel net/ipv4/inet_connection_sock.c
    sk_reuseport_match (uid_eq).
    """
    lab.start("flood_server", "-p", lab.port).reach(entering("accept"))
    stranger = lab.start("flood_server", "-p", lab.port, user=65534)
    assert stranger.outcome("bind") == EADDRINUSE


@pytest.mark.about("SO_REUSEPORT", "bind", "user")
@pytest.mark.behaviour("A8")
@pytest.mark.scenario("S3.10")
@pytest.mark.requires(Privilege.OTHER_USERS)
def test_so_reuseport_shares_among_the_sockets_of_any_one_user(lab: Lab) -> None:
    """bind() and listen() succeed when both sockets have SO_REUSEPORT and one effective user,
    whoever it is.

    socket(7) SO_REUSEPORT.
    """
    lab.start("flood_server", "-p", lab.port, user=65534).reach(entering("accept"))
    second = lab.start("flood_server", "-p", lab.port, user=65534)
    assert second.outcome("bind") == 0
    assert second.outcome("listen") == 0
