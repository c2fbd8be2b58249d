"""SIGPIPE: writing to a connection that has been reset."""

from signal import SIGPIPE

import pytest

from cases.steps import OneClient, ends, gave, one_client
from harness import (
    CHILDREN,
    CONNECTION,
    EPIPE,
    FIN_WAIT2,
    RST,
    Lab,
    entering,
    exited,
    killed_by,
    leaving,
)

EITHER = [("tcpcli11 -i", "write"), ("tcpcli11 -n", "send")]
"""SIGPIPE ignored; MSG_NOSIGNAL."""


def reset_between_the_writes(lab: Lab, client: str, call: str = "write") -> OneClient:
    """The server's child is killed; the client has written a byte, and the RST for it has come."""
    one = one_client(lab, "tcpserv01", client)
    one.child.run()
    one.child.blocked("read").kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    one.client.blocked("read")
    first = one.client.arm(leaving(call, on=CONNECTION))
    one.client.input("line\n")
    first.reached()
    lab.awaits_none(remote=lab.port)  # the RST has closed it
    return one


@pytest.mark.about("SIGPIPE", "RST", "write")
@pytest.mark.behaviour("E1")
@pytest.mark.scenario("S2.10")
def test_the_write_before_the_rst_succeeds(lab: Lab) -> None:
    """The write that brings about the RST succeeds: it is the next one that fails.

    RFC 9293 §3.6; UNP 5.13.
    """
    one = reset_between_the_writes(lab, "tcpcli11")

    assert gave(one.client) == 1
    assert lab.senders(RST) == ["tcpserv01"]


@pytest.mark.about("SIGPIPE", "RST", "write")
@pytest.mark.behaviour("E4")
@pytest.mark.scenario("S2.10")
def test_the_write_after_the_rst_kills_the_client_with_sigpipe(lab: Lab) -> None:
    """A write to a connection that was reset raises SIGPIPE, which by default ends the process.

    POSIX.1-2024 write() [EPIPE]; Linux net/core/stream.c, sk_stream_error; UNP 5.13.
    """
    one = reset_between_the_writes(lab, "tcpcli11")

    assert ends(one.client) == killed_by(SIGPIPE)


@pytest.mark.about("SIGPIPE", "EPIPE", "SIG_IGN", "MSG_NOSIGNAL", "write", "send")
@pytest.mark.behaviour("E6", "E7")
@pytest.mark.scenario("S2.10")
@pytest.mark.parametrize(("client", "call"), EITHER)
def test_the_write_after_the_rst_returns_epipe_where_no_signal_ends_the_client(
    lab: Lab, client: str, call: str
) -> None:
    """With SIGPIPE ignored, or with MSG_NOSIGNAL, the write after the RST returns EPIPE.

    POSIX.1-2024 write() [EPIPE], send() [MSG_NOSIGNAL]; UNP 5.13. Platforms: BSD and macOS have
    SO_NOSIGPIPE too.
    """
    one = reset_between_the_writes(lab, client, call)

    assert gave(one.client.reach(leaving(call, on=CONNECTION))) == EPIPE


@pytest.mark.about("SIGPIPE", "EPIPE", "SIG_IGN", "MSG_NOSIGNAL")
@pytest.mark.behaviour("E6")
@pytest.mark.scenario("S2.10")
@pytest.mark.parametrize(("client", "call"), EITHER)
def test_a_client_that_gets_epipe_tells_of_it(lab: Lab, client: str, call: str) -> None:
    """A client that no signal ends can tell what went wrong.

    UNP 5.13.
    """
    one = reset_between_the_writes(lab, client, call)

    assert ends(one.client) == exited(111)
    assert one.client.errors.startswith(f"{call}: EPIPE")


@pytest.mark.about("SIGPIPE", "MSG_NOSIGNAL")
@pytest.mark.behaviour("E7")
@pytest.mark.scenario("S2.10")
def test_msg_nosignal_raises_no_signal(lab: Lab) -> None:
    """With MSG_NOSIGNAL no SIGPIPE is raised, rather than one that nothing comes of.

    POSIX.1-2024 send() [MSG_NOSIGNAL]; UNP 5.13.
    """
    one = reset_between_the_writes(lab, "tcpcli11 -n", "send")
    one.client.ended()

    assert lab.events(kinds=["signal"], process=one.client) == []


@pytest.mark.about("SIGPIPE", "RST", "write", "FIN")
@pytest.mark.behaviour("E1")
@pytest.mark.scenario("S2.10")
def test_two_writes_before_the_rst_raise_no_sigpipe(lab: Lab) -> None:
    """It is the RST, not the FIN, that makes a write fail: before it both writes succeed.

    RFC 9293 §3.6; UNP 5.13, whose client sleeps between the writes for that reason. Over loopback
    the RST is there before the first write returns; the link is cut, so that the line waits to be
    sent again.
    """
    server = lab.start("tcpserv01", "-a", lab.address6, lab.port).reach(entering("accept"))
    client = lab.start("tcpcli11", lab.address6, lab.port).run()
    child = server.reach(entering("read", on=CONNECTION), CHILDREN)
    server.blocked("accept")
    child.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    lab.sysctl("net.ipv6.conf.lo.disable_ipv6", 1)

    assert ends(client.input("line\n")) == exited(1)
    assert [call.outcome for call in client.calls("write")[:2]] == [1, len("ine\n")]
    assert lab.senders(RST) == []
