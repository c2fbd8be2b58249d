"""Normal startup: what there is before a client comes, and when one has come."""

import pytest

from cases.steps import comes, one_client, sleeps_in, started
from harness import ESTABLISHED, LISTEN, Lab, entering

FORKING = ["tcpserv01", "tcpserv02", "tcpserv03", "tcpserv04"]


@pytest.mark.about("LISTEN", "accept")
@pytest.mark.scenario("S2.1")
@pytest.mark.parametrize("server", FORKING)
def test_a_server_alone_has_one_socket_in_listen(lab: Lab, server: str) -> None:
    """A server that no client has come to has one socket, in LISTEN.

    RFC 9293 §3.3.2; POSIX.1-2024 listen(); UNP 5.6.
    """
    started(lab, server).blocked("accept")

    assert lab.states() == [LISTEN]


@pytest.mark.about("LISTEN", "select", "poll")
@pytest.mark.scenario("S2.1")
@pytest.mark.parametrize(
    ("server", "call"), [("tcpservselect01", "select"), ("tcpservpoll01", "poll")]
)
def test_a_server_of_one_process_alone_has_one_socket_in_listen(
    lab: Lab, server: str, call: str
) -> None:
    """A server that watches with select or poll has one socket, in LISTEN, before a client comes.

    RFC 9293 §3.3.2; POSIX.1-2024 listen(); UNP 6.8, 6.11.
    """
    lab.start(server, lab.port).blocked(call)

    assert lab.states() == [LISTEN]


@pytest.mark.about("LISTEN", "ESTABLISHED", "accept")
@pytest.mark.scenario("S2.1")
@pytest.mark.parametrize("server", FORKING)
def test_a_client_adds_an_established_pair(lab: Lab, server: str) -> None:
    """With one client there are the listener and the two ends of one connection, both ESTABLISHED.

    RFC 9293 §3.5; UNP 5.6.
    """
    one_client(lab, server)

    assert sorted(lab.states(local=lab.port)) == [ESTABLISHED, LISTEN]
    assert lab.states(remote=lab.port) == [ESTABLISHED]


@pytest.mark.about("ESTABLISHED", "accept", "connect")
@pytest.mark.scenario("S2.1")
def test_the_pair_is_established_before_accept_is_called(lab: Lab) -> None:
    """connect returns, with the pair ESTABLISHED, before the server has called accept.

    RFC 9293 §3.5; POSIX.1-2024 listen(), accept(); UNP 4.5, 5.6.
    """
    started(lab, "tcpserv01")
    client = lab.start("tcpcli01", lab.address, lab.port)

    assert client.outcome("connect") == 0
    assert lab.comes(local=lab.port, remote=client_port(lab), state=ESTABLISHED)


def client_port(lab: Lab) -> int:
    """The port of the one client."""
    [client] = lab.awaits(remote=lab.port)
    return client.local.port if client.local else 0


@pytest.mark.about("accept")
@pytest.mark.scenario("S2.1")
def test_accept_sleeps_while_nobody_has_come(lab: Lab) -> None:
    """accept sleeps while no connection waits to be accepted.

    POSIX.1-2024 accept(); UNP 4.6, 5.6.
    """
    server = started(lab, "tcpserv01")

    assert sleeps_in(server, "accept")


@pytest.mark.about("accept", "read", "fork")
@pytest.mark.scenario("S2.1")
@pytest.mark.parametrize("server", FORKING)
def test_the_parent_sleeps_in_accept(lab: Lab, server: str) -> None:
    """While a client is served, the parent sleeps in accept and waits for the next one.

    UNP 5.6.
    """
    listening = started(lab, server)
    comes(lab, "tcpcli01")
    listening.reach(entering("accept"))

    assert sleeps_in(listening, "accept")


@pytest.mark.about("read", "fork")
@pytest.mark.scenario("S2.1")
@pytest.mark.parametrize("server", FORKING)
def test_the_child_sleeps_in_read(lab: Lab, server: str) -> None:
    """While its client is silent, the child sleeps in read.

    UNP 5.6.
    """
    one = one_client(lab, server)

    assert sleeps_in(one.child, "read")


@pytest.mark.about("read")
@pytest.mark.scenario("S2.1")
def test_the_client_sleeps_in_the_read_of_its_input(lab: Lab) -> None:
    """The client sleeps in fgets: in the read of its input, not of the connection.

    UNP 5.6.
    """
    one = one_client(lab, "tcpserv01")

    assert sleeps_in(one.client, "read")
    [last] = [event for event in lab.events(kinds=["enter"], process=one.client)][-1:]
    assert last.args["fd"] == 0
