"""Normal termination: the client's input ends, and the client closes first."""

import pytest

from cases.steps import OneClient, children, comes, ends, one_client, started
from harness import (
    ACK,
    CHILDREN,
    CONNECTION,
    FIN,
    FIN_WAIT2,
    TIME_WAIT,
    Broken,
    Flag,
    Lab,
    Segment,
    entering,
    exited,
    leaving,
)

CLIENTS = ["tcpcli01", "tcpcli05", "tcpcli11", "tcpcliselect01", "tcpclipoll01"]
FORKING = ["tcpserv01", "tcpserv02", "tcpserv03", "tcpserv04"]
DELAYED_ACK = 40_000_000
"""Nanoseconds that Linux keeps an acknowledgement back at least: TCP_DELACK_MIN."""


@pytest.mark.about("TIME_WAIT", "close")
@pytest.mark.scenario("S2.2")
@pytest.mark.parametrize("client", CLIENTS)
def test_the_client_exits_0_at_the_end_of_its_input(lab: Lab, client: str) -> None:
    """A client whose input ends while the server is well exits 0.

    UNP 5.7.
    """
    one = one_client(lab, "tcpserv01", client)
    one.child.run()
    one.client.input("hello\n").prints("hello\n")

    assert ends(one.client.end_input()) == exited(0)


@pytest.mark.about("TIME_WAIT", "close")
@pytest.mark.scenario("S2.2")
@pytest.mark.parametrize("client", CLIENTS)
def test_time_wait_is_at_the_client(lab: Lab, client: str) -> None:
    """The client closed first, so its end is in TIME_WAIT, and nothing is left of the server's.

    RFC 9293 §3.6; UNP 5.7.
    """
    one = one_client(lab, "tcpserv01", client)
    one.child.run()
    one.client.end_input().ended()
    one.child.ended()

    assert lab.comes(remote=lab.port, state=TIME_WAIT)
    assert lab.states(local=lab.port, state=TIME_WAIT) == []


@pytest.mark.about("exit", "read")
@pytest.mark.scenario("S2.2")
@pytest.mark.parametrize("server", FORKING)
def test_the_servers_child_exits_0(lab: Lab, server: str) -> None:
    """The child that reads its client's end of file exits 0.

    UNP 5.7.
    """
    one = one_client(lab, server)
    one.client.end_input().ended()

    assert ends(one.child) == exited(0)


@pytest.mark.about("TIME_WAIT", "close")
@pytest.mark.scenario("S2.2")
def test_each_of_five_connections_leaves_time_wait_at_the_client(lab: Lab) -> None:
    """Each connection that the client closed first leaves a TIME_WAIT of its own.

    RFC 9293 §3.6; UNP 5.7, 5.10.
    """
    server = started(lab, "tcpserv01")
    client = comes(lab, "tcpcli04")
    server.reach(entering("accept", nth=5))
    client.end_input().ended()
    for child in children(server, 5):
        child.ended()

    assert lab.comes(remote=lab.port, state=TIME_WAIT, count=5)


@pytest.mark.about("FIN", "ACK", "close")
@pytest.mark.scenario("S2.2")
def test_left_alone_three_segments_end_a_connection(lab: Lab) -> None:
    """A server that closes at once sends its FIN and the ACK of the client's in one segment.

    RFC 9293 §3.6, §3.8.6.3 (an ACK may be delayed); Linux net/ipv4/tcp_output.c,
    tcp_send_delayed_ack. UNP 5.7 draws four segments: that is the other case below.
    Platforms: the server must close before its kernel's ACK is due; Linux waits 40 ms at least, BSD
    up to 100 ms.
    """
    one = one_client(lab, "tcpserv01")
    converse(one)
    one.client.end_input().ended()
    one.child.ended()
    lab.awaits(remote=lab.port, state=TIME_WAIT)
    closed_in_time(lab)

    assert ending(lab) == [
        ("tcpcli01", FIN | ACK),
        ("tcpserv01", FIN | ACK),
        ("tcpcli01", ACK),
    ]


@pytest.mark.about("FIN", "ACK", "close", "FIN_WAIT2")
@pytest.mark.scenario("S2.2")
def test_past_the_delayed_ack_four_segments_end_a_connection(lab: Lab) -> None:
    """A server that closes later than its kernel delays an ACK sends ACK and FIN in two segments.

    RFC 9293 §3.6 figure 12, §3.8.6.3; UNP 5.7 and figure 2.5.
    """
    one = one_client(lab, "tcpserv01")
    converse(one)
    end_of_file = one.child.arm(leaving("read", on=CONNECTION))
    one.client.end_input().ended()
    end_of_file.reached()
    lab.awaits(remote=lab.port, state=FIN_WAIT2)  # so the ACK has come alone
    one.child.ended()
    lab.awaits(remote=lab.port, state=TIME_WAIT)

    assert ending(lab) == [
        ("tcpcli01", FIN | ACK),
        ("tcpserv01", ACK),
        ("tcpserv01", FIN | ACK),
        ("tcpcli01", ACK),
    ]


@pytest.mark.about("FIN", "close")
@pytest.mark.scenario("S2.2")
def test_the_client_sends_the_first_fin(lab: Lab) -> None:
    """Where the client's input ends, the first FIN is the client's, and the server's answers it.

    RFC 9293 §3.6; UNP 5.7.
    """
    server = started(lab, "tcpserv01")
    client = comes(lab, "tcpcli01")
    child = server.reach(entering("read", on=CONNECTION), CHILDREN)
    client.end_input().ended()
    child.ended()

    # The parent is at its close still, or past it; the last copy is gone when TIME_WAIT comes.
    server.blocked("accept")
    lab.awaits(remote=lab.port, state=TIME_WAIT)
    assert lab.senders(FIN) == ["tcpcli01", "tcpserv01"]


def converse(one: OneClient) -> None:
    """Lets some lines be echoed: before three answers Linux may take a connection for one that
    sends in one direction, and acknowledges at once (TCP_PINGPONG_THRESH)."""
    one.child.run()
    for number in range(5):
        one.client.input(f"line {number}\n").prints(f"line {number}\n")


def ending(lab: Lab) -> list[tuple[str, Flag]]:
    """Who sent which segment, from the first FIN on."""
    segments = lab.segments()
    first = next(n for n, segment in enumerate(segments) if segment.flags & FIN)
    return [(segment.sender, segment.flags) for segment in segments[first:]]


def closed_in_time(lab: Lab) -> None:
    """Looks that the server's close came before the ACK was due: the machine may have stalled.

    Raises:
        Broken: it came later, so what was to be seen could not be.
    """
    fins: list[Segment] = lab.segments(FIN)
    apart = fins[-1].time - fins[0].time
    if len(fins) == 2 and apart >= DELAYED_ACK - 10_000_000:  # a tick of the kernel's clock less
        raise Broken(f"the server's FIN came {apart / 1e6:.1f} ms after the client's: too late")
