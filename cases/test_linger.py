"""SO_LINGER: when close waits, when it resets, and in which states it does neither."""

from signal import SIGKILL

import pytest

from cases.joined import Joined, client_in, joined, over_both
from cases.steps import ends, sleeps_in
from harness import (
    ACK,
    CLOSE_WAIT,
    CLOSING,
    CONNECTION,
    ESTABLISHED,
    FIN,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    RST,
    SYN,
    SYN_SENT,
    TIME_WAIT,
    Broken,
    Event,
    Exit,
    Lab,
    Process,
    State,
    entering,
    exited,
    killed_by,
    leaving,
    segment,
)
from harness.fact import Fact

LONG = "-9"
"""Seconds of SO_LINGER that are longer than any step of a case."""


TICK = 0.01
"""Seconds: the tick of the kernel's clock in which a time begins may have begun before."""


def about_to_close(hosts: Joined, *options: str) -> Process:
    """A client that is connected, has sent nothing, and enters close; its server is held."""
    return client_in(hosts, ESTABLISHED, *options).process


def dies(process: Process) -> Exit | Fact:
    """How a process ends that gets SIGKILL, or what it does instead: for a claim."""
    try:
        return process.kill()
    except Broken as broken:
        return Fact(False, f"({broken})")


def lasted(lab: Lab, process: Process, call: str) -> float:
    """Seconds from entering to leaving a call that was made once."""
    entered, left = _events(lab, process, call)
    return (left.time - entered.time) / 1e9


def _events(lab: Lab, process: Process, call: str) -> list[Event]:
    return lab.events(kinds=["enter", "leave"], calls=[call], process=process)[-2:]


# --- more than 0 seconds: close waits ------------------------------------------------------------


@pytest.mark.about("SO_LINGER", "close", "FIN_WAIT1")
@pytest.mark.behaviour("D3")
@over_both
def test_close_waits_for_the_acknowledgement_of_its_fin(lab: Lab, version: int) -> None:
    """With SO_LINGER and a time, close() sleeps while the FIN is not acknowledged, and succeeds
    when it is.

    POSIX.1-2024 close(), XSH 2.10.10 [SO_LINGER]; socket(7) SO_LINGER; kernel net/core/stream.c
    sk_stream_wait_close.
    """
    hosts = joined(lab, version)
    client = about_to_close(hosts, LONG)
    fin = hosts.wire.hold(segment(FIN, sender=hosts.client))
    assert sleeps_in(client, "close")
    assert hosts.client.states(remote=hosts.port) == [FIN_WAIT1]

    fin.let_go()
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == [FIN_WAIT2]


@pytest.mark.about("SO_LINGER", "close", "FIN_WAIT1")
@pytest.mark.behaviour("D3")
@over_both
def test_close_waits_for_the_acknowledgement_of_its_data(lab: Lab, version: int) -> None:
    """With SO_LINGER and a time, close() sleeps while data is not acknowledged.

    POSIX.1-2024 XSH 2.10.10 [SO_LINGER] (unsent data); socket(7) SO_LINGER.
    """
    hosts = joined(lab, version)
    server = hosts.serves("reuseadr_eserver")
    client = hosts.comes("linger_client", LONG).input("data\n").end_input()
    client.reach(leaving("connect"))
    server.reach(leaving("accept"))
    data = hosts.wire.hold(segment(sender=hosts.client, payload=True))
    client.reach(entering("close", on=CONNECTION))
    assert sleeps_in(client, "close")

    data.let_go()
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == [FIN_WAIT2]


@pytest.mark.about("SO_LINGER", "close", "FIN_WAIT1")
@pytest.mark.behaviour("D3")
@over_both
def test_without_so_linger_close_does_not_wait(lab: Lab, version: int) -> None:
    """Without SO_LINGER close() succeeds at once, though the FIN is not acknowledged.

    socket(7) SO_LINGER (the closing is done in the background).
    """
    hosts = joined(lab, version)
    client = about_to_close(hosts)
    hosts.wire.hold(segment(FIN, sender=hosts.client))
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == [FIN_WAIT1]


@pytest.mark.about("SO_LINGER", "close", "FIN_WAIT1", "EWOULDBLOCK")
@pytest.mark.behaviour("D3")
@pytest.mark.waits
@over_both
def test_close_gives_up_waiting_when_the_time_is_over(lab: Lab, version: int) -> None:
    """With SO_LINGER and a second, close() succeeds after a second though nothing was acknowledged,
    and the connection goes on closing without its process.

    POSIX.1-2024 XSH 2.10.10 [SO_LINGER]; kernel net/ipv4/af_inet.c inet_release.
    Platforms: on Linux 0; BSD's soclose says EWOULDBLOCK.
    """
    hosts = joined(lab, version)
    client = about_to_close(hosts, "-1")
    hosts.wire.cut()
    assert ends(client) == exited(0)
    assert lasted(lab, client, "close") >= 1 - TICK
    [left] = hosts.client.sockets(remote=hosts.port)
    assert (left.state, left.inode) == (FIN_WAIT1, 0)


@pytest.mark.about("SO_LINGER", "O_NONBLOCK", "close", "EWOULDBLOCK")
@pytest.mark.behaviour("D3")
@over_both
def test_close_waits_even_when_the_socket_is_non_blocking(lab: Lab, version: int) -> None:
    """O_NONBLOCK does not keep close() from waiting.

    POSIX.1-2024 XSH 2.10.10 [SO_LINGER] leaves it open; kernel net/ipv4/af_inet.c inet_release.
    Platforms: on Linux it waits; BSD's soclose returns at once.
    """
    hosts = joined(lab, version)
    client = about_to_close(hosts, LONG, "-g")
    fin = hosts.wire.hold(segment(FIN, sender=hosts.client))
    assert sleeps_in(client, "close")
    fin.let_go()
    assert ends(client) == exited(0)


@pytest.mark.about("SO_LINGER", "SIGKILL", "exit")
@pytest.mark.behaviour("D3")
@over_both
def test_a_process_that_is_killed_does_not_wait(lab: Lab, version: int) -> None:
    """A process that ends without close() does not wait, though SO_LINGER has a time: its FIN goes
    out in the background.

    socket(7) SO_LINGER (on exit it always lingers in the background); kernel net/ipv4/af_inet.c
    inet_release (PF_EXITING).
    """
    hosts = joined(lab, version)
    client = about_to_close(hosts, LONG)
    hosts.wire.hold(segment(FIN, sender=hosts.client))
    assert dies(client) == killed_by(SIGKILL)
    assert hosts.client.states(remote=hosts.port) == [FIN_WAIT1]


# --- outside ESTABLISHED -------------------------------------------------------------------------


@pytest.mark.about("SO_LINGER", "close", "FIN_WAIT1", "CLOSING", "LAST_ACK", "CLOSE_WAIT")
@pytest.mark.behaviour("D8")
@pytest.mark.parametrize("state", [FIN_WAIT1, CLOSING, LAST_ACK])
@over_both
def test_close_waits_in_every_state_whose_fin_is_not_acknowledged(
    lab: Lab, version: int, state: State
) -> None:
    """With SO_LINGER and a time, close() sleeps after a shutdown(), too, while the FIN is not
    acknowledged.

    kernel net/core/stream.c sk_stream_closing; RFC 9293 §3.10.4 (CLOSE).
    """
    hosts = joined(lab, version)
    client = client_in(hosts, state, LONG)
    assert sleeps_in(client.process, "close")

    assert client.held is not None
    client.held.let_go()
    assert ends(client.process) == exited(0)


@pytest.mark.about("SO_LINGER", "close", "CLOSE_WAIT", "LAST_ACK")
@pytest.mark.behaviour("D8")
@over_both
def test_the_side_that_closes_second_waits_too(lab: Lab, version: int) -> None:
    """With SO_LINGER and a time, close() in CLOSE_WAIT sleeps while its FIN is not acknowledged.

    POSIX.1-2024 XSH 2.10.10 [SO_LINGER]; kernel net/core/stream.c sk_stream_closing (LAST_ACK).
    """
    hosts = joined(lab, version)
    client = client_in(hosts, CLOSE_WAIT, LONG).process
    fin = hosts.wire.hold(segment(FIN, sender=hosts.client))
    assert sleeps_in(client, "close")
    assert hosts.client.states(remote=hosts.port) == [LAST_ACK]

    fin.let_go()
    assert ends(client) == exited(0)


@pytest.mark.about("SO_LINGER", "close", "SYN_SENT", "FIN_WAIT2", "TIME_WAIT")
@pytest.mark.behaviour("D8")
@pytest.mark.parametrize("state", [SYN_SENT, FIN_WAIT2, TIME_WAIT])
@over_both
def test_close_does_not_wait_where_no_fin_is_under_way(
    lab: Lab, version: int, state: State
) -> None:
    """With SO_LINGER and a time, close() succeeds at once where its FIN was acknowledged before, or
    where there is none to send.

    kernel net/core/stream.c sk_stream_closing; RFC 9293 §3.10.4 (CLOSE).
    """
    client = client_in(joined(lab, version), state, LONG).process
    assert ends(client) == exited(0)


@pytest.mark.about("SO_LINGER", "RST", "close", "FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT")
@pytest.mark.behaviour("D8")
@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT])
@over_both
def test_close_with_a_time_of_0_resets(lab: Lab, version: int, state: State) -> None:
    """With SO_LINGER and a time of 0, close() sends RST and leaves no socket, in each state in
    which not both sides have closed.

    RFC 9293 §3.10.5 (ABORT); kernel net/ipv4/tcp.c tcp_need_reset.
    """
    hosts = joined(lab, version)
    client = client_in(hosts, state, "-0").process
    assert ends(client) == exited(0)
    assert set(lab.senders(RST)) == {"client"}
    assert hosts.client.states(remote=hosts.port) == []


@pytest.mark.about("SO_LINGER", "RST", "close", "CLOSING", "LAST_ACK", "TIME_WAIT")
@pytest.mark.behaviour("D8")
@pytest.mark.parametrize("state", [CLOSING, LAST_ACK])
@over_both
def test_close_with_a_time_of_0_forgets_a_connection_that_both_have_closed(
    lab: Lab, version: int, state: State
) -> None:
    """With SO_LINGER and a time of 0, close() sends nothing and leaves no socket where both FINs
    have been sent.

    RFC 9293 §3.10.5 (ABORT: CLOSING, LAST-ACK, TIME-WAIT: enter CLOSED); kernel net/ipv4/tcp.c
    tcp_disconnect.
    """
    hosts = joined(lab, version)
    client = client_in(hosts, state, "-0").process
    before = len(hosts.wire.segments(sender=hosts.client))
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == []
    sent = hosts.wire.segments(sender=hosts.client)
    # Before it closes, its FIN, which is not acknowledged, may come again.
    assert len(sent) >= before
    assert [seen for seen in sent[before:] if seen.flags != FIN | ACK] == []


@pytest.mark.about("SO_LINGER", "RST", "close", "TIME_WAIT")
@pytest.mark.behaviour("D8")
@over_both
def test_close_with_a_time_of_0_does_not_end_time_wait(lab: Lab, version: int) -> None:
    """With SO_LINGER and a time of 0, close() in TIME_WAIT sends nothing, and TIME_WAIT stays.

    kernel net/ipv4/tcp_minisocks.c tcp_time_wait (it is not the descriptor's any more).
    Platforms: RFC 9293 §3.10.5 has ABORT delete it.
    """
    hosts = joined(lab, version)
    client = client_in(hosts, TIME_WAIT, "-0").process
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == [TIME_WAIT]
    assert lab.senders(RST) == []


@pytest.mark.about("SO_LINGER", "RST", "close", "SYN_SENT")
@pytest.mark.behaviour("D8")
@over_both
def test_close_with_a_time_of_0_says_nothing_before_there_is_a_connection(
    lab: Lab, version: int
) -> None:
    """With SO_LINGER and a time of 0, close() in SYN_SENT sends nothing, and leaves no socket.

    RFC 9293 §3.10.5 (ABORT: SYN-SENT: delete the TCB); kernel net/ipv4/tcp.c tcp_disconnect.
    """
    hosts = joined(lab, version)
    client = client_in(hosts, SYN_SENT, "-0").process
    assert ends(client) == exited(0)
    assert hosts.client.states(remote=hosts.port) == []
    assert {str(sent.flags) for sent in hosts.wire.segments(sender=hosts.client)} == {str(SYN)}
