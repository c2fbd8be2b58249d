"""The server's process is terminated while its client sits in fgets."""

import pytest

from cases.steps import OneClient, arrived, ends, gave, one_client, sleeps_in
from harness import (
    CLOSE_WAIT,
    CONNECTION,
    ECONNRESET,
    FIN,
    FIN_WAIT2,
    LISTEN,
    RST,
    CHILDREN,
    Lab,
    Process,
    entering,
    exited,
    leaving,
)

LINK = "net.ipv6.conf.lo.disable_ipv6"
"""Cuts loopback and joins it again: sockets stay, segments wait to be sent again."""


def killed_with_nothing_unread(lab: Lab, client: str = "tcpcli01") -> OneClient:
    """One line was echoed; then the server's child is killed, and its client has not noticed."""
    one = one_client(lab, "tcpserv01", client)
    one.child.run()
    one.client.input("hello\n").prints("hello\n")
    one.client.blocked("read")
    one.child.blocked("read").kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    return one


def killed_with_data_unread(lab: Lab, client: str) -> OneClient:
    """A line has come that the child has not read; the client is about to read the echo."""
    one = one_client(lab, "tcpserv01", client)
    read = one.client.arm(entering("read", on=CONNECTION))
    one.client.input("hello\n")
    read.reached()
    arrived(lab, len("hello\n"))
    return one


# --- nothing unread: FIN -------------------------------------------------------------------------


@pytest.mark.about("FIN_WAIT2", "SIGKILL")
@pytest.mark.scenario("S2.8")
def test_the_killed_servers_end_is_in_fin_wait2(lab: Lab) -> None:
    """The end of a killed server that had read all is in FIN_WAIT2: the kernel has closed it.

    RFC 9293 §3.6; POSIX.1-2024 _Exit(); UNP 5.12.
    """
    one = one_client(lab, "tcpserv01")
    one.child.run()
    one.client.input("hello\n").prints("hello\n")
    one.child.blocked("read").kill()

    assert lab.comes(local=lab.port, state=FIN_WAIT2)


@pytest.mark.about("CLOSE_WAIT", "fgets")
@pytest.mark.behaviour("I5")
@pytest.mark.scenario("S2.8")
def test_the_client_in_fgets_does_not_see_that_the_server_is_gone(lab: Lab) -> None:
    """The client's end is in CLOSE_WAIT, and the client reads its input still.

    RFC 9293 §3.6; UNP 5.12.
    """
    one = killed_with_nothing_unread(lab)

    assert lab.states(remote=lab.port) == [CLOSE_WAIT]
    assert one.client.kernel_state == "S"
    assert last_entered(lab, one.client) == ("read", 0)


def last_entered(lab: Lab, process: Process) -> tuple[str | None, object]:
    """The last call that a process entered, and its descriptor."""
    event = lab.events(kinds=["enter"], process=process)[-1]
    return event.call, event.args.get("fd")


@pytest.mark.about("FIN", "SIGKILL")
@pytest.mark.behaviour("D11")
@pytest.mark.scenario("S2.8")
def test_a_killed_server_that_has_read_all_sends_fin(lab: Lab) -> None:
    """The kill makes the kernel close the connection in order: FIN, and no RST.

    RFC 9293 §3.6; POSIX.1-2024 _Exit(); UNP 5.12.
    """
    killed_with_nothing_unread(lab)

    assert lab.senders(FIN) == ["tcpserv01"]
    assert lab.senders(RST) == []


@pytest.mark.about("write", "FIN", "CLOSE_WAIT")
@pytest.mark.behaviour("E1")
@pytest.mark.scenario("S2.8")
def test_the_first_write_after_the_fin_succeeds(lab: Lab) -> None:
    """A FIN tells only that the server sends no more: the client's next write succeeds.

    RFC 9293 §3.6 case 2; UNP 5.12.
    """
    one = killed_with_nothing_unread(lab)
    write = one.client.arm(leaving("write", on=CONNECTION))
    one.client.input("more\n")

    assert gave(write.reached()) == len("more\n")


@pytest.mark.about("RST", "write", "FIN_WAIT2")
@pytest.mark.behaviour("D4")
@pytest.mark.scenario("S2.8")
def test_what_the_client_writes_is_answered_with_rst(lab: Lab) -> None:
    """Data for a connection whose process is gone is answered with RST.

    RFC 9293 §3.6.1 (SHLD-3); Linux net/ipv4/tcp_input.c, tcp_rcv_state_process; UNP 5.12.
    """
    one = killed_with_nothing_unread(lab)
    one.client.input("more\n").ended()

    assert lab.senders(RST) == ["tcpserv01"]


@pytest.mark.about("RST", "read", "FIN", "EOF")
@pytest.mark.behaviour("D5", "E2")
@pytest.mark.scenario("S2.8")
def test_read_says_end_of_file_when_the_rst_has_come(lab: Lab) -> None:
    """On Linux the read after the RST gives the end of file that came before it.

    Linux net/ipv4/tcp.c, tcp_recvmsg_locked (SOCK_DONE goes before sk_err) and tcp_input.c,
    tcp_reset; UNP 5.12, which says that it depends on the timing whether the client reads this or
    ECONNRESET. Platforms: elsewhere it may.
    """
    one = killed_with_nothing_unread(lab)
    write = one.client.arm(leaving("write", on=CONNECTION))
    one.client.input("more\n")
    write.reached()
    lab.awaits_none(remote=lab.port)  # the RST has closed it
    assert lab.senders(RST) == ["tcpserv01"]

    assert gave(one.client.reach(leaving("read", on=CONNECTION))) == 0


@pytest.mark.about("RST", "read", "FIN", "EOF")
@pytest.mark.behaviour("C1")
@pytest.mark.scenario("S2.8")
def test_read_says_end_of_file_before_the_rst_comes(lab: Lab) -> None:
    """The read before the RST gives the end of file.

    RFC 9293 §3.6; UNP 5.12. Over loopback the RST is there before the write returns; the link is
    cut, so that the line waits to be sent again.
    """
    client = reads_while_the_link_is_cut(lab)

    assert gave(client) == 0
    assert lab.senders(RST) == []


@pytest.mark.waits
@pytest.mark.about("RST", "read", "FIN")
@pytest.mark.scenario("S2.8")
def test_the_rst_comes_all_the_same_after_the_read(lab: Lab) -> None:
    """What was written while the link was cut is sent when it is whole, and answered with RST.

    RFC 9293 §3.8.1, §3.6.1; UNP 5.12.
    """
    reads_while_the_link_is_cut(lab)
    lab.sysctl(LINK, 0)

    assert lab.goes(remote=lab.port)
    assert lab.senders(RST) == ["tcpserv01"]


def reads_while_the_link_is_cut(lab: Lab) -> Process:
    """A client that wrote to a server that is gone, held leaving its read; no line has left."""
    server = lab.start("tcpserv01", "-a", lab.address6, lab.port).reach(entering("accept"))
    client = lab.start("tcpcli01", lab.address6, lab.port).run()
    child = server.reach(entering("read", on=CONNECTION), CHILDREN)
    server.blocked("accept")
    child.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    lab.sysctl(LINK, 1)
    read = client.arm(leaving("read", on=CONNECTION))
    client.input("more\n")
    return read.reached()


@pytest.mark.about("read", "EOF")
@pytest.mark.scenario("S2.8")
@pytest.mark.parametrize("client", ["tcpcli01", "tcpcli05"])
def test_the_client_says_that_the_server_terminated_prematurely(lab: Lab, client: str) -> None:
    """The client learns of its server's end from the read after its next line, and says so.

    UNP 5.12.
    """
    one = killed_with_nothing_unread(lab, client)

    assert ends(one.client.input("more\n")) == exited(1)
    assert one.client.errors == f"{client}: server terminated prematurely\n"


@pytest.mark.about("LISTEN", "SIGKILL")
@pytest.mark.scenario("S2.8")
def test_the_parent_of_the_killed_child_listens_on(lab: Lab) -> None:
    """The kill of a child concerns its own client only: its parent listens still.

    UNP 5.12.
    """
    one = killed_with_nothing_unread(lab)

    assert sleeps_in(one.server, "accept")
    assert lab.states(local=lab.port, state=LISTEN) == [LISTEN]


# --- data unread: RST ----------------------------------------------------------------------------


@pytest.mark.about("RST", "FIN", "SIGKILL")
@pytest.mark.behaviour("D1", "D11")
@pytest.mark.scenario("S2.8")
def test_a_killed_server_that_has_data_unread_sends_rst_and_no_fin(lab: Lab) -> None:
    """The kernel closes a connection with data unread by RST: the sender shall learn of the loss.

    RFC 9293 §3.6.1 (SHLD-3), RFC 2525 §2.17; Linux net/ipv4/tcp.c, __tcp_close.
    """
    one = killed_with_data_unread(lab, "tcpcli05")
    one.child.kill()
    lab.awaits_none(remote=lab.port)

    assert lab.senders(RST) == ["tcpserv01"]
    assert lab.senders(FIN) == []


@pytest.mark.about("ECONNRESET", "RST", "read")
@pytest.mark.behaviour("D1")
@pytest.mark.scenario("S2.8")
def test_a_read_after_that_rst_says_econnreset(lab: Lab) -> None:
    """A read that is made when the RST has come says ECONNRESET.

    POSIX.1-2024 read() [ECONNRESET]; UNP 5.13, 7.5.
    """
    one = killed_with_data_unread(lab, "tcpcli05")
    one.child.kill()
    lab.awaits_none(remote=lab.port)

    assert gave(one.client.reach(leaving("read", on=CONNECTION))) == ECONNRESET


@pytest.mark.about("ECONNRESET", "RST", "read")
@pytest.mark.behaviour("D1")
@pytest.mark.scenario("S2.8")
def test_a_read_that_sleeps_when_the_rst_comes_says_econnreset(lab: Lab) -> None:
    """A read that sleeps when the RST comes wakes up with ECONNRESET.

    POSIX.1-2024 read() [ECONNRESET]; UNP 5.13, 7.5.
    """
    one = killed_with_data_unread(lab, "tcpcli05")
    one.client.blocked("read")
    read = one.client.arm(leaving("read", on=CONNECTION))
    one.child.kill()

    assert gave(read.reached()) == ECONNRESET


@pytest.mark.about("ECONNRESET", "RST", "read", "EOF")
@pytest.mark.behaviour("U2")
@pytest.mark.scenario("S2.8")
def test_the_second_read_after_that_rst_says_end_of_file(lab: Lab) -> None:
    """The error is reported once: the read after it gives 0.

    POSIX.1-2024 XSH 2.10.10 [SO_ERROR]; Linux net/ipv4/tcp.c, tcp_recvmsg_locked.
    """
    one = killed_with_data_unread(lab, "tcpcli05")
    one.child.kill()
    one.client.reach(leaving("read", on=CONNECTION))

    assert gave(one.client.reach(leaving("read", on=CONNECTION))) == 0


@pytest.mark.about("ECONNRESET", "RST", "read")
@pytest.mark.scenario("S2.8")
def test_the_client_tells_of_the_reset(lab: Lab) -> None:
    """tcpcli01 takes ECONNRESET for an error, and ends.

    UNP 5.13.
    """
    one = killed_with_data_unread(lab, "tcpcli01")
    one.child.kill()

    assert ends(one.client) == exited(111)
    assert one.client.errors.startswith("read: ECONNRESET")
