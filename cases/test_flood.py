"""flood_server and oneshot_client: what a killed server leaves behind. Scenario S3."""

from signal import SIGUSR1
import pytest

from cases.steps import every_family
from harness import (
    CLOSE_WAIT,
    CONNECTION,
    EADDRINUSE,
    ECONNRESET,
    ESTABLISHED,
    FIN,
    FIN_WAIT1,
    FIN_WAIT2,
    RST,
    Lab,
    Process,
    Socket,
    entering,
    exited,
    leaving,
)


def unread(lab: Lab) -> tuple[Process, Process]:
    """A server about to serve, and a client that has said its line and does not read."""
    server = lab.start("flood_server", lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", "-s", lab.address, lab.port).prints("not reading").run()
    return server, client


def killed_with_room_in_the_window(lab: Lab) -> Process:
    """The server is killed after its first write; the client lives on and does not read."""
    server, client = unread(lab)
    server.reach(leaving("write", on=CONNECTION))
    server.kill()
    return client


def window_full(lab: Lab) -> Socket:
    """Waits till the client has acknowledged all that it has room for, and told that its window is
    zero.

    The last acknowledgement is a delayed one; until it comes the timer is the retransmission's. The
    persist timer runs already while there is room for less than a segment: its probe fills that.
    """
    [sending] = lab.awaits(local=lab.port, state=ESTABLISHED, timer="persist", send_window=0)
    return sending


@pytest.mark.about("accept", "read", "write")
@pytest.mark.scenario("S3.1")
@every_family
def test_both_sides_print_what_the_other_said(lab: Lab, at: list[str], address: str) -> None:
    """The server prints the client's line and the client the server's.

    The text's flood_server and oneshot_client; UNP §4.2 to §4.6.
    """
    server = lab.start("flood_server", *at, lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", address, lab.port).run()
    server.reach(leaving("write", on=CONNECTION))
    server.kill()
    client.ended()
    assert server.output == "I am client\n"
    assert client.output.splitlines()[:1] == ["I am server"]


@pytest.mark.about("EADDRINUSE", "bind", "errno")
@pytest.mark.scenario("S3.2")
@every_family
def test_a_killed_server_restarted_at_once_prints_eaddrinuse(
    lab: Lab, at: list[str], address: str
) -> None:
    """The server that is restarted at once cannot bind, and prints EADDRINUSE with this platform's
    number.

    POSIX.1-2024 bind() [EADDRINUSE], <errno.h> (names are portable, numbers are not).
    Platforms: the number is 98 on Linux, but 48 on its sparc and alpha, 125 on mips, 226 on hppa;
    48 on Darwin and the BSDs.
    """
    server = lab.start("flood_server", *at, lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", address, lab.port).run()
    server.reach(leaving("write", on=CONNECTION))
    server.kill()
    client.ended()

    restarted = lab.start("flood_server", *at, lab.port)
    assert restarted.outcome("bind") == EADDRINUSE
    assert restarted.ended() == exited(111)
    assert restarted.errors == f"bind: EADDRINUSE ({lab.number(EADDRINUSE)})\n"


@pytest.mark.about("FIN", "read")
@pytest.mark.behaviour("D11", "C1")
@pytest.mark.scenario("S3.3")
def test_a_client_reads_0_when_its_server_was_killed(lab: Lab) -> None:
    """read() gives 0 after the last data when the server was killed with nothing unread.

    RFC 9293 §3.6; POSIX.1-2024 _Exit(), read(); UNP §5.12.
    """
    server = lab.start("flood_server", lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", lab.address, lab.port).run()
    server.reach(leaving("write", on=CONNECTION))
    server.kill()
    client.ended()
    assert client.outcomes("read")[-1] == 0


@pytest.mark.about("FIN", "read")
@pytest.mark.scenario("S3.3")
def test_a_client_whose_server_was_killed_says_so_and_exits_0(lab: Lab) -> None:
    """oneshot_client prints that the server closed, and exits 0, at the end of file.

    The text's oneshot_client; UNP §5.12.
    """
    server = lab.start("flood_server", lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", lab.address, lab.port).run()
    server.reach(leaving("write", on=CONNECTION))
    server.kill()
    assert client.ended() == exited(0)
    assert client.output == "I am server\nserver closed\n"


@pytest.mark.about("FIN", "CLOSE_WAIT", "read")
@pytest.mark.behaviour("C2")
@pytest.mark.scenario("S3.3")
def test_a_client_reads_what_was_queued_before_the_end(lab: Lab) -> None:
    """A client that reads late still gets all that the killed server had written, then 0.

    RFC 9293 §3.6 (the FIN comes behind the data); POSIX.1-2024 read().
    """
    server, client = unread(lab)
    server.reach(leaving("write", on=CONNECTION))
    [*_, flood] = server.calls("write")
    server.kill()
    lab.awaits(remote=lab.port, state=CLOSE_WAIT)
    client.signal(SIGUSR1).ended()
    assert client.outcomes("read")[-2:] == [flood.args["length"], 0]


@pytest.mark.about("RST", "ECONNRESET", "read")
@pytest.mark.behaviour("D1", "D11")
@pytest.mark.scenario("S3.3")
def test_a_client_is_reset_when_its_server_was_killed_with_data_unread(lab: Lab) -> None:
    """read() gives ECONNRESET when the server was killed before it read what the client had said.

    RFC 9293 §3.6.1 (a RST shows that data was lost); RFC 2525 §2.17; kernel net/ipv4/tcp.c
    __tcp_close; POSIX.1-2024 read() [ECONNRESET].
    Platforms: Darwin sends a RST too; FreeBSD a FIN, and the read gives 0.
    """
    server = lab.start("flood_server", lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", lab.address, lab.port)
    client.reach(leaving("write", on=CONNECTION))
    server.reach(leaving("accept"))
    server.kill()
    client.ended()
    assert client.outcomes("read")[-1] == ECONNRESET


@pytest.mark.about("RST", "FIN")
@pytest.mark.behaviour("D1", "D11")
@pytest.mark.scenario("S3.3")
def test_a_server_killed_with_data_unread_sends_a_rst_and_no_fin(lab: Lab) -> None:
    """A RST leaves, and no FIN, when the server was killed before it read what the client had said.

    RFC 9293 §3.6.1; RFC 2525 §2.17; kernel net/ipv4/tcp.c __tcp_close.
    Platforms: FreeBSD sends a FIN.
    """
    server = lab.start("flood_server", lab.port).reach(entering("accept"))
    client = lab.start("oneshot_client", lab.address, lab.port)
    client.reach(leaving("write", on=CONNECTION))
    server.reach(leaving("accept"))
    server.kill()
    client.ended()
    assert lab.senders(RST) == ["flood_server"]
    assert lab.senders(FIN) == []


@pytest.mark.about("FIN_WAIT2", "CLOSE_WAIT")
@pytest.mark.scenario("S3.4")
def test_a_server_killed_with_room_in_the_window_leaves_fin_wait2_and_close_wait(
    lab: Lab,
) -> None:
    """The server's socket is in FIN_WAIT2 and the client's in CLOSE_WAIT while the client neither
    reads nor closes.

    RFC 9293 §3.6; UNP §2.6.
    """
    killed_with_room_in_the_window(lab)
    assert lab.comes(local=lab.port, state=FIN_WAIT2)
    assert lab.states(local=lab.port) == [FIN_WAIT2]
    assert lab.states(remote=lab.port) == [CLOSE_WAIT]


@pytest.mark.about("CLOSE_WAIT", "receive queue")
@pytest.mark.scenario("S3.4")
def test_what_was_not_read_waits_in_close_wait(lab: Lab) -> None:
    """All that the killed server wrote is in the receive queue of the client that does not read.

    RFC 9293 §3.6. The kernel counts the FIN as one byte more: net/ipv4/tcp_diag.c
    tcp_diag_get_info (rcv_nxt - copied_seq).
    """
    server, _ = unread(lab)
    server.reach(leaving("write", on=CONNECTION))
    [*_, flood] = server.calls("write")
    server.kill()
    [waiting] = lab.awaits(remote=lab.port, state=CLOSE_WAIT)
    assert waiting.receive_queue == flood.args["length"] + 1


@pytest.mark.about("FIN_WAIT2", "EADDRINUSE", "bind")
@pytest.mark.behaviour("B1")
@pytest.mark.scenario("S3.4")
def test_fin_wait2_holds_the_port(lab: Lab) -> None:
    """bind() says EADDRINUSE while the port's only socket is in FIN_WAIT2: it is not TIME_WAIT
    alone.

    POSIX.1-2024 bind() [EADDRINUSE]; UNP §7.5.
    """
    killed_with_room_in_the_window(lab)
    lab.awaits(local=lab.port, state=FIN_WAIT2)

    restarted = lab.start("flood_server", lab.port)
    assert restarted.outcome("bind") == EADDRINUSE
    assert lab.states(local=lab.port) == [FIN_WAIT2]


@pytest.mark.about("FIN_WAIT1", "ESTABLISHED", "window")
@pytest.mark.scenario("S3.5")
def test_a_server_killed_with_a_full_window_leaves_fin_wait1_and_established(lab: Lab) -> None:
    """The server's socket is in FIN_WAIT1 on its persist timer, the client's ESTABLISHED, when the
    window was full.

    RFC 9293 §3.8.6.1 (probing a window of zero), §3.10.4 (a FIN is queued behind the data).
    """
    server, _ = unread(lab)
    server.blocked("write")
    window_full(lab)
    server.kill()
    [dying] = lab.sockets(local=lab.port)
    assert dying == FIN_WAIT1 and dying.timer == "persist"
    assert lab.states(remote=lab.port) == [ESTABLISHED]


@pytest.mark.about("FIN", "FIN_WAIT1", "window")
@pytest.mark.scenario("S3.5")
def test_the_fin_waits_behind_the_data_when_the_window_is_full(lab: Lab) -> None:
    """No FIN has left though the server is dead, when what it wrote has found no room at the
    client.

    RFC 9293 §3.10.4 CLOSE call (a FIN is queued behind the data), §3.8.6.1.
    """
    server, _ = unread(lab)
    server.blocked("write")
    window_full(lab)
    server.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT1)
    assert lab.senders(FIN) == []


@pytest.mark.about("FIN_WAIT1", "EADDRINUSE", "bind", "window")
@pytest.mark.behaviour("B1")
@pytest.mark.scenario("S3.5")
def test_fin_wait1_holds_the_port(lab: Lab) -> None:
    """bind() says EADDRINUSE while the port's only socket is in FIN_WAIT1, with data that found no
    room.

    POSIX.1-2024 bind() [EADDRINUSE]; RFC 9293 §3.10.4.
    """
    server, _ = unread(lab)
    server.blocked("write")
    window_full(lab)
    server.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT1)

    restarted = lab.start("flood_server", lab.port)
    assert restarted.outcome("bind") == EADDRINUSE
    assert lab.states(local=lab.port) == [FIN_WAIT1]


@pytest.mark.about("FIN_WAIT2", "tcp_fin_timeout")
@pytest.mark.behaviour("B4")
@pytest.mark.scenario("S3.6")
@pytest.mark.parametrize("seconds", [60, 40, 20])
def test_tcp_fin_timeout_sets_the_timer_of_an_orphaned_fin_wait2(lab: Lab, seconds: int) -> None:
    """The timer of an orphaned FIN_WAIT2 stands at tcp_fin_timeout.

    tcp(7) tcp_fin_timeout; kernel net/ipv4/tcp_input.c tcp_rcv_state_process. RFC 9293 knows no
    end of FIN-WAIT-2.
    Platforms: 60 s on Darwin and FreeBSD, 20 s in lwIP.
    """
    lab.sysctl("net.ipv4.tcp_fin_timeout", seconds)
    killed_with_room_in_the_window(lab)
    [orphan] = lab.awaits(local=lab.port, state=FIN_WAIT2)
    # A busy machine may look a few seconds after the timer was set.
    assert orphan.expires is not None and seconds - 5 < orphan.expires <= seconds


@pytest.mark.about("FIN_WAIT2", "tcp_fin_timeout", "bind")
@pytest.mark.behaviour("B4")
@pytest.mark.scenario("S3.6")
@pytest.mark.waits
def test_a_server_restarts_when_fin_wait2_is_over_though_the_client_lives(lab: Lab) -> None:
    """bind() fails while an orphaned FIN_WAIT2 is there and succeeds after tcp_fin_timeout, the
    client still in CLOSE_WAIT.

    tcp(7) tcp_fin_timeout; POSIX.1-2024 bind().
    """
    lab.sysctl("net.ipv4.tcp_fin_timeout", 1)
    # Loaded before the second begins.
    early = lab.start("flood_server", lab.port).reach(entering("bind"))
    client = killed_with_room_in_the_window(lab)
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    bound = early.outcome("bind")
    # Still: where a second was not enough nothing was tried.
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    assert bound == EADDRINUSE

    assert lab.goes(local=lab.port)
    late = lab.start("flood_server", lab.port)
    assert late.outcome("bind") == 0
    assert client.state == "running"
    assert lab.states(remote=lab.port) == [CLOSE_WAIT]
