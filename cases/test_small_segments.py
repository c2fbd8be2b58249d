"""Small writes: which of them become segments, and when. Nagle's algorithm, TCP_NODELAY, TCP_CORK.

A pieces_client writes each line in two pieces; its server, held before it accepts, reads nothing, so that whatever it
sends is an acknowledgement.
"""

from contextlib import suppress

import pytest

from cases.between_hosts import NS, happens
from cases.joined import Joined, joined, over_both
from harness import (
    ACK,
    CONNECTION,
    ESTABLISHED,
    Broken,
    Held,
    Host,
    Lab,
    Process,
    entering,
    segment,
)

LINE = "header and body\n"
MSS = {4: 1448, 6: 1428}
"""Bytes of data in a full segment, by the version of IP: 1500 less the headers with timestamps."""
CEILING = 0.19
"""Seconds: 200 ms, less a tick of the kernel's clock."""


def patient(host: Host) -> None:
    """It neither sends again nor lets go of a cork for 4 s, where the kernel can be told so (since
    Linux 6.11), and it does not probe."""
    host.hasten(early_retrans=0)
    with suppress(Broken):
        host.hasten(rto_min_us=4_000_000)


def in_flight(hosts: Joined, *options: str) -> tuple[Process, Held]:
    """A pieces_client, connected and asleep in read of its input; what acknowledges its data is held
    from now on, so that they stay in flight."""
    patient(hosts.client)
    hosts.serves("reuseadr_eserver")
    client = hosts.comes("pieces_client", *options).run().blocked("read")
    hosts.server.awaits(local=hosts.port, state=ESTABLISHED)
    return client, hosts.wire.hold(
        segment(ACK, payload=False, sender=hosts.server, source_port=hosts.port)
    )


def types(client: Process, line: str = LINE) -> None:
    """It writes the line, and sleeps in read for another."""
    asks = client.arm(entering("read"))
    client.input(line)
    asks.reached().blocked("read")


def sent(hosts: Joined) -> list[int]:
    """Bytes of each segment of data of the client's so far, retransmissions left out."""
    hosts.settles()
    first: dict[int, int] = {}
    for seen in hosts.wire.segments(sender=hosts.client):
        if seen.length and seen.destination.port == hosts.port:
            first.setdefault(int(seen.sequence), seen.length)
    return list(first.values())


# --- Nagle's algorithm ---------------------------------------------------------------------------


@pytest.mark.about("Nagle", "TCP_NODELAY", "write")
@pytest.mark.behaviour("T1")
@over_both
def test_a_small_write_waits_while_another_is_in_flight(lab: Lab, version: int) -> None:
    """The second of two small writes is not sent until the first has been acknowledged.

    RFC 896, RFC 9293 §3.7.4; Linux net/ipv4/tcp_output.c, tcp_nagle_check.
    """
    hosts = joined(lab, version)
    client, acknowledgement = in_flight(hosts)
    types(client)
    acknowledgement.reached()
    assert sent(hosts) == [1]
    acknowledgement.let_go()
    assert sent(hosts) == [1, len(LINE) - 1]


@pytest.mark.about("Nagle", "write")
@pytest.mark.behaviour("T1")
@over_both
def test_what_has_waited_is_sent_in_one_segment(lab: Lab, version: int) -> None:
    """All that was written meanwhile leaves as one segment when the acknowledgement comes.

    RFC 896; Linux net/ipv4/tcp.c, tcp_sendmsg_locked (it adds to the last buffer).
    """
    hosts = joined(lab, version)
    client, acknowledgement = in_flight(hosts)
    for _ in range(3):
        types(client)
    acknowledgement.reached()
    acknowledgement.let_go()
    assert sent(hosts) == [1, 3 * len(LINE) - 1]


@pytest.mark.about("Nagle", "MSS", "write")
@pytest.mark.behaviour("T1")
@over_both
def test_a_full_segment_does_not_wait(lab: Lab, version: int) -> None:
    """What fills a segment is sent at once, and only what is left over waits.

    RFC 9293 §3.7.4; Linux net/ipv4/tcp_output.c, tcp_nagle_test.
    """
    hosts = joined(lab, version)
    client, _ = in_flight(hosts)
    types(client, "h" + "b" * MSS[version] + "left\n")
    assert sent(hosts) == [1, MSS[version]]


@pytest.mark.about("TCP_NODELAY", "write")
@pytest.mark.behaviour("T1")
@over_both
def test_with_tcp_nodelay_each_write_is_sent_at_once(lab: Lab, version: int) -> None:
    """With TCP_NODELAY every write becomes a segment, though nothing is acknowledged.

    tcp(7) TCP_NODELAY; RFC 9293 §3.7.4 (MUST-17: it can be disabled).
    """
    hosts = joined(lab, version)
    client, _ = in_flight(hosts, "-y")
    types(client)
    types(client)
    assert sent(hosts) == [1, len(LINE) - 1] * 2


@pytest.mark.about("writev", "Nagle")
@pytest.mark.behaviour("T1")
@over_both
def test_writev_sends_both_pieces_in_one_segment(lab: Lab, version: int) -> None:
    """What one call writes is one segment: writev needs no option.

    UNP §7.9 (writev against the delay); Linux net/ipv4/tcp.c, tcp_sendmsg_locked.
    """
    hosts = joined(lab, version)
    client, _ = in_flight(hosts, "-v")
    types(client)
    assert sent(hosts) == [len(LINE)]


# --- TCP_CORK ------------------------------------------------------------------------------------


@pytest.mark.about("TCP_CORK", "TCP_NODELAY", "write")
@pytest.mark.behaviour("T2")
@over_both
def test_what_was_corked_is_sent_in_one_segment(lab: Lab, version: int) -> None:
    """Two writes under TCP_CORK leave as one segment when the cork is taken out, in spite of
    TCP_NODELAY, and though what went before is in flight.

    tcp(7) TCP_CORK; Linux net/ipv4/tcp.c, __tcp_sock_set_cork, tcp_output.c, tcp_nagle_check.
    """
    hosts = joined(lab, version)
    client, _ = in_flight(hosts, "-y", "-c")
    types(client)
    types(client)
    assert sent(hosts) == [len(LINE), len(LINE)]


@pytest.mark.waits
@pytest.mark.about("TCP_CORK", "write")
@pytest.mark.behaviour("T2")
@over_both
def test_what_is_corked_is_not_sent(lab: Lab, version: int) -> None:
    """Under TCP_CORK nothing small is sent while other data are in flight; TCP_NODELAY does not
    help.

    tcp(7) TCP_CORK (partial frames are not sent); Linux net/ipv4/tcp_output.c, tcp_nagle_check.
    """
    hosts = joined(lab, version)
    client, acknowledgement = in_flight(hosts, "-y", "-p")
    types(client)
    acknowledgement.reached()
    types(client)
    types(client)
    assert sent(hosts) == [len(LINE)]


@pytest.mark.waits
@pytest.mark.about("TCP_CORK", "MSS", "write")
@pytest.mark.behaviour("T2")
@over_both
def test_a_full_segment_passes_the_cork(lab: Lab, version: int) -> None:
    """What fills a segment is sent despite the cork.

    tcp(7) TCP_CORK; Linux net/ipv4/tcp_output.c, tcp_nagle_test.
    """
    hosts = joined(lab, version)
    client, acknowledgement = in_flight(hosts, "-p")
    types(client)
    acknowledgement.reached()
    types(client, "b" * MSS[version] + "left\n")
    assert sent(hosts) == [len(LINE), MSS[version]]


@pytest.mark.waits
@pytest.mark.about("TCP_CORK", "write")
@pytest.mark.behaviour("T2")
@over_both
def test_a_cork_holds_for_200_ms(lab: Lab, version: int) -> None:
    """What is corked is sent after 200 ms though the cork stays in.

    tcp(7) TCP_CORK (a 200 millisecond ceiling); Linux net/ipv4/tcp_timer.c, tcp_send_probe0.
    """
    hosts = joined(lab, version)
    hosts.serves("reuseadr_eserver")
    client = hosts.comes("pieces_client", "-p").run().blocked("read")
    writes = client.arm(entering("write", on=CONNECTION))
    data = hosts.wire.duplicate(segment(payload=True, sender=hosts.client))
    client.input(LINE)
    began = writes.reached().at
    client.run()
    assert happens(data)
    assert began and (data.reached().time - began.time) * NS >= CEILING
