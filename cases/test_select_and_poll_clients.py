"""A client that watches its input and the connection at once, and half-closes at the end."""

import pytest

from cases.steps import echoes, ends, one_client, returned, sleeps_in
from harness import (
    CLOSE_WAIT,
    CONNECTION,
    FIN,
    FIN_WAIT2,
    RST,
    Lab,
    entering,
    exited,
    leaving,
)

watching = pytest.mark.parametrize(
    ("client", "call"),
    [
        pytest.param("tcpcliselect01", "select", id="select"),
        pytest.param("tcpclipoll01", "poll", id="poll"),
    ],
)
"""For the client, and the call that it watches both with."""
BATCH = "".join(f"line {n}\n" for n in range(1000))


@pytest.mark.about("select", "poll", "FIN", "EOF")
@pytest.mark.behaviour("K15")
@pytest.mark.scenario("S2.9")
@watching
def test_a_client_in_select_or_poll_notices_the_fin_at_once(
    lab: Lab, client: str, call: str
) -> None:
    """A client in select or poll learns of its server's end from the FIN: nothing has to be typed.

    POSIX.1-2024 select(), poll(); UNP 6.4. tcpcli01, which sleeps in fgets, does not: see
    test_server_terminated.py.
    """
    one = one_client(lab, "tcpserv01", client)
    one.client.blocked(call)
    one.child.run()
    one.child.blocked("read").kill()

    assert ends(one.client) == exited(1)
    assert one.client.errors == f"{client}: server terminated prematurely\n"


@pytest.mark.about("select", "poll", "FIN", "EOF")
@pytest.mark.behaviour("K1", "K15")
@pytest.mark.scenario("S2.9")
@watching
def test_the_fin_is_an_end_of_file_to_read(lab: Lab, client: str, call: str) -> None:
    """The connection is readable when the FIN has come, and the read gives 0.

    POSIX.1-2024 select(), poll(), read(); UNP 6.3, 6.4.
    """
    one = one_client(lab, "tcpserv01", client)
    one.client.blocked(call)
    read = one.client.arm(leaving("read", on=CONNECTION))
    one.child.kill()

    assert returned(read) == 0


@pytest.mark.about("select", "poll")
@pytest.mark.behaviour("K15")
@pytest.mark.scenario("S2.9")
@watching
def test_a_client_in_select_or_poll_sleeps_while_its_server_lives(
    lab: Lab, client: str, call: str
) -> None:
    """It is the server's end that wakes the client: while it lives, and is silent, the client sleeps.

    POSIX.1-2024 select(), poll(); UNP 6.4.
    """
    one = one_client(lab, "tcpserv01", client)
    one.child.run()
    assert echoes(one.client, "hello\n")

    assert sleeps_in(one.client, call)


@pytest.mark.about("shutdown", "FIN", "FIN_WAIT2", "CLOSE_WAIT")
@pytest.mark.behaviour("C3")
@pytest.mark.scenario("S2.9")
@watching
def test_at_the_end_of_its_input_the_client_closes_its_half_only(
    lab: Lab, client: str, call: str
) -> None:
    """shutdown sends the FIN while echoes are outstanding, and the client waits for them.

    RFC 9293 §3.6; POSIX.1-2024 shutdown(); UNP 6.6, 6.7.
    """
    one = one_client(lab, "tcpserv01", client)
    one.client.input(BATCH).end_input()
    lab.awaits(local=lab.port, state=CLOSE_WAIT)
    lab.awaits(remote=lab.port, state=FIN_WAIT2)

    assert lab.senders(FIN) == [client]
    assert sleeps_in(one.client, call)


@pytest.mark.about("shutdown", "EOF")
@pytest.mark.behaviour("C3")
@pytest.mark.scenario("S2.9")
@watching
def test_batch_input_loses_no_echo(lab: Lab, client: str, call: str) -> None:
    """What the server echoes after the client's FIN reaches the client: batch input loses nothing.

    RFC 9293 §3.6; UNP 6.5, 6.7. The server's child is held till the FIN has come, so all echoes
    come after it.
    """
    one = one_client(lab, "tcpserv01", client)
    one.client.input(BATCH).end_input()
    lab.awaits(local=lab.port, state=CLOSE_WAIT)
    one.child.run()

    assert ends(one.client) == exited(0)
    assert one.client.output == BATCH


@pytest.mark.about("close", "RST", "FIN")
@pytest.mark.behaviour("D4")
@pytest.mark.scenario("S2.9")
@watching
def test_after_an_end_of_both_halves_the_echoes_are_answered_with_rst(
    lab: Lab, client: str, call: str
) -> None:
    """Where the client ends in place of closing one half, later echoes find nobody.

    RFC 9293 §3.6.1 (SHLD-3); UNP 6.5. The client is killed as it is about to call shutdown.
    """
    one = one_client(lab, "tcpserv01", client)
    one.client.blocked(call)
    half_close = one.client.arm(entering("shutdown"))
    one.client.input(BATCH).end_input()
    half_close.reached().kill()
    lab.awaits(local=lab.port, state=CLOSE_WAIT)
    one.child.ended()

    assert lab.senders(RST)[:1] == [client]
