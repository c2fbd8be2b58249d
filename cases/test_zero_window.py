"""The receiver's window is full: the sender's persist timer asks whether it has opened.

A flood_server writes for ever, and its client does not read; or a client writes one long line to a
server that does not read, and whose window is small.
"""

from itertools import takewhile
from signal import SIGUSR1

import pytest

from cases.between_hosts import LATEST, NS, address, answer_to, apart, happens
from cases.joined import over_both
from cases.steps import ends
from harness import (
    ACK,
    ALWAYS,
    CONNECTION,
    ESTABLISHED,
    ETIMEDOUT,
    SYN,
    Broken,
    Fate,
    Host,
    Lab,
    Process,
    Segment,
    entering,
    exited,
    leaving,
    segment,
)
from harness.lab.wire import Pattern

ONE_LINE = "x" * 4000 + "\n"
"""Longer than the window of a receive buffer of SMALL_BUFFER."""
SMALL_BUFFER = "4096 4096 4096"
"""For tcp_rmem."""


def flood(here: Host, there: Host, version: int) -> tuple[Process, Process]:
    """A flood_server there, and its client here, which does not read; both are let go."""
    # Else Linux answers one probe in 500 ms.
    here.hasten(invalid_ratelimit=0)
    at, port = address(there, version), there.lab.port
    server = there.start("flood_server", "-a", at, port).reach(entering("accept")).run()
    client = here.start("oneshot_client", "-s", at, port).prints("not reading").run()
    return server, client


def flooded(here: Host, there: Host, version: int) -> tuple[Process, Process]:
    """As flood, until the server sleeps in write, the client has told that its window is zero, and
    the server's persist timer runs.

    That runs before, too, while there is room for less than a segment: the first probe fills it.
    """
    server, client = flood(here, there, version)
    server.blocked("write")
    there.awaits(local=there.lab.port, timer="persist", send_window=0)
    return server, client


def probe(there: Host, nth: int = 1) -> Pattern:
    """The server's nth probe, or the one after it: what has no data may, once, acknowledge what the
    client said. To be armed before the flood, as the time between probes grows."""
    return segment(ACK, without=SYN, payload=False, sender=there, nth=nth + 1)


# --- while it is full ----------------------------------------------------------------------------


@pytest.mark.waits
@pytest.mark.about("zero window", "persist")
@pytest.mark.behaviour("S5")
@over_both
def test_a_full_window_is_probed(lab: Lab, version: int) -> None:
    """While the window is zero the sender asks with probes: no data, and a sequence number that is
    one below what is acknowledged, so that the receiver answers.

    RFC 9293 §3.8.6.1 (MUST-36), which has one byte of new data in a probe; Linux
    net/ipv4/tcp_output.c, tcp_write_wakeup and tcp_xmit_probe_skb.
    """
    here, there = lab.join("client", "server")
    asks = lab.wire.hold(probe(there))
    flooded(here, there, version)
    asked = asks.reached(LATEST)
    full = lab.wire.last(sender=here)

    assert full.window == 0
    assert (asked.length, asked.end + 1 - full.acknowledgement) == (0, 0)


@pytest.mark.waits
@pytest.mark.about("zero window", "persist")
@pytest.mark.behaviour("S5")
@over_both
def test_a_probe_is_answered_with_the_window(lab: Lab, version: int) -> None:
    """The receiver answers a probe with an acknowledgement that tells its window: zero still.

    RFC 9293 §3.8.6.1 (MUST-37), §3.10.7.4 (an unacceptable segment is answered).
    """
    here, there = lab.join("client", "server")
    asks = lab.wire.hold(probe(there))
    flooded(here, there, version)
    asks.reached(LATEST)
    full = lab.wire.last(sender=here)
    answers = lab.wire.hold(segment(ACK, sender=here))
    asks.let_go()
    answer = answers.reached()

    assert (answer.window, answer.length) == (0, 0)
    assert answer.acknowledgement == full.acknowledgement


@pytest.mark.waits
@pytest.mark.about("zero window", "persist", "exponential")
@pytest.mark.behaviour("S5")
@over_both
def test_the_time_between_probes_grows(lab: Lab, version: int) -> None:
    """Each probe comes later after the one before than that did.

    RFC 9293 §3.8.6.1 (SHLD-30: exponentially); Linux include/net/tcp.h, tcp_probe0_when.
    """
    here, there = lab.join("client", "server")
    fourth = lab.wire.duplicate(probe(there, nth=4))
    flood(here, there, version)
    fourth.reached(LATEST)

    full = next(seen for seen in lab.wire.segments(sender=here) if seen.window == 0)
    probes = [seen.time for seen in lab.wire.segments(sender=there, after=full.seq)]
    gaps = [later - earlier for earlier, later in zip(probes, probes[1:])]
    assert gaps == sorted(gaps) and gaps[-1] > 1.5 * gaps[0]


@pytest.mark.waits
@pytest.mark.about("zero window", "persist", "tcp_retries2", "ESTABLISHED")
@pytest.mark.behaviour("S5")
@over_both
def test_answered_probes_never_end_the_connection(lab: Lab, version: int) -> None:
    """As long as the receiver answers, the connection stays, however many probes there are.

    RFC 9293 §3.8.6.1 (MUST-37), RFC 6429. Here tcp_retries2 is 1, and the second unanswered probe
    would be one too many.
    """
    here, there = lab.join("client", "server")
    there.hasten(retries2=1)
    fourth = lab.wire.duplicate(probe(there, nth=4))
    flood(here, there, version)

    assert happens(fourth)
    [end] = there.sockets(local=lab.port, state=ESTABLISHED)
    assert end.timer == "persist"


@pytest.mark.waits
@pytest.mark.about("zero window", "persist", "tcp_retries2", "ETIMEDOUT", "write")
@pytest.mark.behaviour("S5", "I3")
@pytest.mark.parametrize("retries", [1, 2])
@over_both
def test_unanswered_probes_end_the_connection(lab: Lab, version: int, retries: int) -> None:
    """When nobody answers tcp_retries2 probes, the write that sleeps says ETIMEDOUT.

    Linux net/ipv4/tcp_timer.c, tcp_probe_timer: here tcp_retries2 is a count.
    """
    here, there = lab.join("client", "server")
    there.hasten(retries2=retries)
    lab.wire.drop(probe(there), times=ALWAYS)
    server, _ = flood(here, there, version)

    assert ends(server, LATEST) == exited(111)
    assert server.errors.startswith("write: ETIMEDOUT")
    assert lab.wire.last(sender=here).window == 0
    unanswered = lab.wire.segments(fate=Fate.DROPPED)
    assert [asked.length for asked in unanswered] == [0] * retries


# --- TCP_USER_TIMEOUT ----------------------------------------------------------------------------


@pytest.mark.waits
@pytest.mark.about("TCP_USER_TIMEOUT", "zero window", "persist", "ETIMEDOUT")
@pytest.mark.behaviour("J4")
@over_both
def test_tcp_user_timeout_ends_a_zero_window(lab: Lab, version: int) -> None:
    """With TCP_USER_TIMEOUT of 2 s a connection whose peer does not read ends after that time,
    though the peer answers every probe.

    tcp(7) TCP_USER_TIMEOUT; RFC 9293 §3.8.6.1, RFC 6429 §3 (the application may decide so); Linux
    net/ipv4/tcp_timer.c, tcp_probe_timer (icsk_probes_tstamp).
    """
    here, there = lab.join("client", "server")
    there.sysctl("net.ipv4.tcp_rmem", SMALL_BUFFER)
    there.hasten(invalid_ratelimit=0)
    two = apart(here, there, version, "option_client -u")
    two.child.arm(leaving("read", on=CONNECTION))
    wrote = two.client.arm(leaving("write", on=CONNECTION))
    two.client.input(ONE_LINE)
    written = wrote.reached().at

    assert answer_to(two.client, "") == ETIMEDOUT
    assert written and two.client.at and (two.client.at.time - written.time) * NS >= 2
    answers = lab.wire.segments(sender=there, after=written.seq)
    assert len([answer for answer in answers if answer.window == 0]) >= 2


# --- it opens ------------------------------------------------------------------------------------


def asked_meanwhile(lab: Lab, sender: Host, since: Segment) -> list[Segment]:
    """The sender's probes between that segment and the first data, which is held.

    Raises:
        Broken: no data has come.
    """
    sent = lab.wire.segments(sender=sender, after=since.seq)
    probes = list(takewhile(lambda seen: seen.length == 0, sent))
    if len(probes) == len(sent):
        raise Broken("no data has come since that segment")
    return probes


@pytest.mark.waits
@pytest.mark.about("zero window", "persist", "window update")
@pytest.mark.behaviour("S5")
@over_both
def test_a_window_update_restarts_the_flow(lab: Lab, version: int) -> None:
    """When the receiver has read, it tells of its window unasked, and data comes at once.

    RFC 9293 §3.8.6 (MUST-39: a window update), §3.8.6.2.2.
    """
    here, there = lab.join("client", "server")
    _, client = flooded(here, there, version)
    data = lab.wire.hold(segment(payload=True, sender=there))
    full = lab.wire.last(sender=here)
    client.signal(SIGUSR1)

    assert happens(data)
    later = lab.wire.segments(sender=here, after=full.seq)
    update = next(seen for seen in later if seen.window > 0)
    assert asked_meanwhile(lab, there, update) == []


@pytest.mark.waits
@pytest.mark.about("zero window", "persist", "window update")
@pytest.mark.behaviour("S5")
@over_both
def test_a_probe_finds_the_window_open_when_the_update_was_lost(lab: Lab, version: int) -> None:
    """When the update is lost, the answer to the next probe tells of the window, and the flow goes
    on: without probes both ends would wait for ever.

    RFC 9293 §3.8.6.1 (why zero-window probing is required, MUST-36).
    """
    here, there = lab.join("client", "server")
    asks = lab.wire.hold(probe(there))
    _, client = flooded(here, there, version)
    asks.reached(LATEST)
    data = lab.wire.hold(segment(payload=True, sender=there))
    lab.wire.cut(sender=here)
    client.signal(SIGUSR1)
    client.blocked("read")
    assert there.states(local=lab.port, timer="persist") == [ESTABLISHED]
    lost = lab.wire.last(sender=here)
    lab.wire.mend(sender=here)
    asks.let_go()

    assert lost.window > 0
    assert happens(data)
    assert asked_meanwhile(lab, there, lost) != []
