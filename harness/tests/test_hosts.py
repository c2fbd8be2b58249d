"""Hosts, wires and what befalls them, each verb once, with the real conductor and real programs."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from harness import (
    ACK,
    ALWAYS,
    CHILDREN,
    CLOSE_WAIT,
    CONNECTION,
    ECONNREFUSED,
    ECONNRESET,
    EACCES,
    EHOSTUNREACH,
    EMSGSIZE,
    ENETUNREACH,
    ESTABLISHED,
    ETIMEDOUT,
    FIN,
    FIN_WAIT1,
    FIN_WAIT2,
    FRAGMENTATION_NEEDED,
    HOST_UNREACHABLE,
    LAST_ACK,
    NET_UNREACHABLE,
    PORT_UNREACHABLE,
    PROHIBITED,
    PSH,
    RST,
    SYN,
    SYN_RECEIVED,
    SYN_SENT,
    TIME_WAIT,
    Broken,
    Errno,
    Fate,
    Host,
    Icmp,
    Lab,
    Process,
    Segment,
    Endpoint,
    Protocol,
    Wire,
    again,
    entering,
    exited,
    follow,
    icmp,
    killed_by,
    leaving,
    packet,
    reply,
    rst,
    segment,
    syn,
)
from harness.tests import traces
from harness.tests.checkouts import Checkout

FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
"""Over both."""


def address(host: Host, family: int) -> str:
    """Its first address of that family."""
    return host.address6 if family == 6 else host.address


def serving(server: Host, family: int = 4) -> Process:
    """An echo server that waits for a client."""
    port = server.lab.port
    return server.start("tcpserv01", "-a", address(server, family), port).reach(entering("accept"))


def connected(client: Host, server: Host, family: int = 4) -> tuple[Process, Process]:
    """The child that serves, before its first read, and the client, which waits for input."""
    serves = serving(server, family)
    talks = client.start("tcpcli01", address(server, family), server.lab.port)
    talks.reach(leaving("connect")).run()
    child = serves.reach(entering("read", on=CONNECTION), CHILDREN)
    return child, talks


def says(client: Process, line: str) -> None:
    """A client sends a line and has it back."""
    client.input(line).prints(line).run()


# --- joining -------------------------------------------------------------------------------------------------------


@FAMILIES
@pytest.mark.parametrize("names", [("client", "server"), ("client", "router", "server")])
def test_joined_hosts_talk(lab: Lab, names: tuple[str, ...], family: int) -> None:
    """Directly, or through a router, over both families."""
    client, *_, server = lab.join(*names)
    child, talks = connected(client, server, family)
    child.run()
    says(talks, "hello\n")
    assert talks.end_input().ended() == exited(0)
    child.ended()
    assert lab.senders(FIN)[:2] == lab.senders(FIN, arrived=True)[:2] == ["client", "server"]
    assert [s.sender for s in lab.segments(SYN)] == ["tcpcli01", "tcpserv01"]
    assert client.states() == [TIME_WAIT]
    assert server.states(state=[ESTABLISHED, LAST_ACK]) == []


def test_addresses_go_by_the_wire(lab: Lab) -> None:
    """The nth wire has number n in its networks, the host on its left 1, the one on its right 2."""
    client, router, server = lab.join("client", "router", "server")
    other, peer = lab.join("other", "peer")
    assert [client.address, server.address] == ["10.0.1.1", "10.0.2.2"]
    assert [client.address6, server.address6] == ["fd00:1::1", "fd00:2::2"]
    assert list(map(str, router.addresses)) == ["10.0.1.2", "fd00:1::2", "10.0.2.1", "fd00:2::1"]
    assert [other.address, peer.address] == ["10.0.3.1", "10.0.3.2"]
    assert lab.wires == [
        lab.wire_between(client, router),
        lab.wire_between("server", "router"),
        lab.wire_between(other, peer),
    ]
    assert [host.name for host in lab.hosts][:2] == ["host", "client"]


def test_four_hosts_in_a_row_talk(lab: Lab) -> None:
    """Two routers know the way to each other's networks."""
    client, *_, server = lab.join("client", "near", "far", "server")
    _, talks = connected(client, server)
    assert len(lab.segments(SYN | ACK)) == 1
    assert len([s for s in lab.traffic() if s.flags == SYN | ACK]) == 3
    talks.kill()
    assert lab.senders(FIN)[:1] == ["client"]


def test_a_process_knows_its_host(lab: Lab) -> None:
    """And a host its processes."""
    client, server = lab.join("client", "server")
    serves, talks = connected(client, server)
    assert serves.host is server
    assert client.processes() == [talks]
    assert lab.host("client") is client


def test_a_port_is_a_host_s_own(lab: Lab) -> None:
    """Two servers have it on two hosts; a segment is of the one whose host has the address."""
    client, server = lab.join("client", "server")
    server.start("tcpserv01", lab.port).reach(entering("accept"))
    client.start("daytimed", lab.port).reach(entering("accept"))
    client.start("tcpcli01", server.address, lab.port).reach(leaving("connect"))
    assert {s.sender for s in lab.segments(SYN | ACK)} == {"tcpserv01"}
    assert [s.flags for s in lab.segments(sender="tcpserv01")] == [SYN | ACK]


def test_every_host_begins_with_the_same_settings(lab: Lab) -> None:
    """What is set on one is of that one, and the record says so."""
    client, server = lab.join("client", "server")
    for name in ("tcp_congestion_control", "tcp_rmem", "tcp_fin_timeout"):
        assert server.sysctl(f"net.ipv4.{name}") == lab.sysctl(f"net.ipv4.{name}")
    client.hasten(syn_retries=1, retries2=3)
    assert client.sysctl("net.ipv4.tcp_syn_retries") == "1"
    assert server.sysctl("net.ipv4.tcp_syn_retries") != "1"
    assert lab.sysctls["client: net.ipv4.tcp_syn_retries"] == "1"
    lab.hasten(fin_timeout=7)
    assert [host.sysctl("net.ipv4.tcp_fin_timeout") for host in lab.hosts] == ["7", "7", "7"]


def test_each_host_has_small_tables_of_sockets(lab: Lab) -> None:
    """Its own: one that is shared with the machine is told of as negative. The first has that where the lab's maker may
    make no network namespace but in a user namespace."""
    lab.join("client", "router", "server")
    entries = [host.sysctl("net.ipv4.tcp_ehash_entries") for host in lab.hosts]
    assert entries[1:] == ["4096"] * (len(entries) - 1)
    assert entries[0] == "4096" or os.geteuid() != 0


# --- segments as moments -------------------------------------------------------------------------------------------


def test_a_segment_is_held_and_let_go(lab: Lab) -> None:
    """The FIN is under way as long as the case wants."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    held = lab.wire.hold(segment(FIN, sender=client))
    talks.end_input()
    fin = held.reached()
    assert (fin.sender, fin.fate, fin.host) == ("tcpcli01", Fate.HELD, "client")
    assert (client.states(), server.states(state=ESTABLISHED)) == ([FIN_WAIT1], [ESTABLISHED])
    assert set(lab.senders(FIN)) == {"client"}
    assert lab.senders(FIN, arrived=True) == []
    assert held.let_go() >= 1
    assert client.comes(state=FIN_WAIT2)
    assert server.states(state=CLOSE_WAIT) == [CLOSE_WAIT]
    assert lab.senders(FIN, arrived=True)[0] == "client"
    assert child.state == "held"


def test_held_segments_are_thrown_away(lab: Lab) -> None:
    """The SYN never arrives."""
    client, server = lab.join("client", "server")
    serving(server)
    held = lab.wire.hold(segment(SYN, sender=client))
    client.start("tcpcli01", server.address, lab.port).run()
    held.reached()
    assert client.states() == [SYN_SENT]
    assert held.discard() >= 1
    assert {s.fate for s in lab.wire.segments(SYN) if not s.coming} == {Fate.HELD}
    assert {s.fate for s in lab.wire.segments(SYN) if s.coming} == {Fate.DROPPED}
    assert lab.segments(SYN, arrived=True) == []


TWO = """
import socket, sys
talk = socket.create_connection((sys.argv[1], int(sys.argv[2])))
talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
talk.send(b"one ")
talk.send(b"two ")
print(talk.recv(8, socket.MSG_WAITALL))
"""


def test_segments_change_places(lab: Lab) -> None:
    """The last one goes first; the stream is in order all the same."""
    client, server = lab.join("client", "server")
    serving(server).run()
    held = lab.wire.hold(segment(payload=True, sender=client))
    talks = client.start("/usr/bin/python3", "-c", TWO, server.address, lab.port)
    talks.reach(leaving("send", 2))
    count = held.let_go_reversed()
    came = [s.seq for s in lab.wire.segments(PSH, fate=Fate.HELD)]
    went = [s.coming for s in lab.wire.segments(PSH, fate=Fate.RELEASED)]
    assert went == came[::-1] and len(went) == count >= 2
    assert talks.ended() == exited(0)
    assert talks.output == "b'one two '\n"


def test_a_segment_is_dropped(lab: Lab) -> None:
    """It is sent again, and arrives once."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    dropped = lab.wire.drop(segment(PSH, sender=client))
    says(talks, "hello\n")
    assert dropped.reached().fate == Fate.DROPPED
    assert dropped.disarm() == 1
    sent, arrived = (lab.segments(PSH, sender=client, arrived=way) for way in (False, True))
    assert len(arrived) == len(sent) - 1 >= 1


def test_a_segment_is_duplicated(lab: Lab) -> None:
    """It was sent once and arrives twice."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    doubled = lab.wire.duplicate(segment(PSH, sender=client))
    says(talks, "hello\n")
    doubled.reached()
    sent, arrived = (lab.segments(PSH, sender=client, arrived=way) for way in (False, True))
    assert len(arrived) == len(sent) + 1 >= 2


def test_a_segment_is_delayed(lab: Lab) -> None:
    """By as much as was asked for."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    lab.wire.delay(segment(PSH, sender=client), 0.05)
    says(talks, "hello\n")
    [came, went] = [s for s in lab.wire.segments(PSH, sender=client) if s.fate != Fate.PASSED]
    assert (came.fate, went.fate, went.coming) == (Fate.DELAYED, Fate.RELEASED, came.seq)
    assert went.time - came.time >= 50_000_000
    assert came.seq in [s.coming for s in lab.segments(PSH, sender=client, arrived=True)]


def test_the_nth_segment_is_counted_from_when_it_is_asked_for(lab: Lab) -> None:
    """The second line is the first one of its kind."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    says(talks, "one\n")
    second = lab.wire.duplicate(segment(PSH, sender=client, nth=2))
    for line in ("two\n", "three\n", "four\n"):
        says(talks, line)
    assert second.reached().length == len("three\n")


def test_a_segment_is_known_by_the_flags_that_it_has_not(lab: Lab) -> None:
    """The server's answer to the SYN is no mere acknowledgement."""
    client, server = lab.join("client", "server")
    held = lab.wire.hold(segment(ACK, without=SYN | PSH, sender=server))
    child, talks = connected(client, server)
    talks.input("hello\n")
    assert held.reached().flags == ACK
    assert held.let_go() >= 1
    child.run()
    talks.prints("hello\n")


def test_what_does_not_come_is_told_with_what_came(lab: Lab) -> None:
    """The awaited segment in words, the processes, and the wire's last segments."""
    client, server = lab.join("client", "server")
    connected(client, server)
    held = lab.wire.hold(segment(FIN, sender=server))
    with pytest.raises(Broken) as broken:
        held.reached(deadline=0.05)
    assert "FIN" in str(broken.value) and "from server on client-server" in str(broken.value)
    assert "SYN ACK 10.0.1.2:9877 -> 10.0.1.1" in str(broken.value)


# --- a wire that is cut --------------------------------------------------------------------------------------------


def test_a_wire_is_cut_and_mended(lab: Lab) -> None:
    """What was lost is sent again."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    lab.wire.cut()
    talks.input("hello\n")
    assert client.comes(state=ESTABLISHED, timer="retransmit")
    assert {s.fate for s in lab.wire.segments(PSH)} == {Fate.CUT}
    lab.wire.mend()
    talks.prints("hello\n")


def test_a_wire_is_cut_for_one_side(lab: Lab) -> None:
    """The SYN arrives, its answer does not."""
    client, server = lab.join("client", "server")
    serving(server)
    lab.wire.cut(sender=server)
    client.start("tcpcli01", server.address, lab.port).run()
    assert server.comes(state=SYN_RECEIVED)
    assert lab.senders(SYN)[:2] == ["client", "server"]
    assert set(lab.senders(SYN, arrived=True)) == {"client"}
    lab.wire.mend(sender=server)


# --- forging -------------------------------------------------------------------------------------------------------


@FAMILIES
def test_a_forged_reset_ends_a_connection(lab: Lab, family: int) -> None:
    """Just what the receiver expects next: it believes it."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server, family)
    forged = lab.wire.forge(rst(lab.wire.last(sender=client)))
    assert (forged.fate, forged.host) == (Fate.FORGED, "client")
    assert child.outcome("read") == ECONNRESET
    assert lab.senders(RST) == []
    assert lab.senders(RST, arrived=True) == ["client"]
    assert client.states() == [ESTABLISHED]
    assert talks.state == "running"


def test_a_segment_ends_where_the_next_begins(lab: Lab) -> None:
    """SYN, FIN and data count; the other side's kernel agrees."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    says(talks, "hello\n")
    talks.end_input().ended()
    child.ended()
    client.awaits(state=TIME_WAIT)
    first, *_, last = lab.segments(ACK, sender=server)
    assert lab.wire.last(SYN, sender=client).end == first.acknowledgement
    data, fin = lab.wire.last(PSH, sender=client), lab.wire.last(FIN, sender=client)
    assert (data.end, fin.end) == (fin.sequence, last.acknowledgement)


@FAMILIES
@pytest.mark.parametrize(
    ("ahead", "challenged"), [(1, True), (-1, False), (1 << 24, False)], ids=["in", "old", "beyond"]
)
def test_a_forged_reset_may_be_beside_the_mark(
    lab: Lab, ahead: int, challenged: bool, family: int
) -> None:
    """Inside the window it is answered by a challenge (RFC 5961 §3.2), outside by nothing; the connection stays."""
    client, server = lab.join("client", "server")
    child, _ = connected(client, server, family)
    last = lab.wire.last(sender=client)
    lab.wire.forge(rst(last, ahead))
    lab.wire.forge(follow(last, PSH | ACK, data=b"x"))
    assert child.outcome("read") == 1
    answers = [s for s in lab.segments(sender=server) if s.flags == ACK]
    assert [s for s in answers if s.acknowledgement == last.end] == answers[:challenged]
    assert server.states(state=ESTABLISHED) == [ESTABLISHED]


def test_a_forged_syn_meets_time_wait(lab: Lab) -> None:
    """A newer one, which goes on from the last segment of the old connection."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.kill()
    talks.end_input().ended()
    server.awaits(state=TIME_WAIT)
    lab.wire.hold(segment(SYN, sender=server))
    lab.wire.forge(syn(lab.wire.last(sender=client)))
    assert server.comes(state=SYN_RECEIVED)
    assert server.states(state=TIME_WAIT) == []


def test_an_old_duplicate_is_acknowledged_and_dropped(lab: Lab) -> None:
    """It is byte for byte what was sent."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    says(talks, "one\n")
    old = lab.wire.last(PSH, sender=client)
    says(talks, "two\n")
    lab.wire.forge(again(old))
    says(talks, "three\n")
    assert talks.output == "one\ntwo\nthree\n"
    came = [s.sequence for s in lab.segments(PSH, sender=client, arrived=True)]
    assert came.count(old.sequence) >= 2


@FAMILIES
def test_a_forged_reply_refuses_a_connection(lab: Lab, family: int) -> None:
    """Nobody listens, as it were: the SYN never arrived."""
    client, server = lab.join("client", "server")
    held = lab.wire.hold(segment(SYN, sender=client))
    talks = client.start("tcpcli01", address(server, family), lab.port).run()
    lab.wire.forge(reply(held.reached(), RST | ACK))
    assert talks.outcome("connect") == ECONNREFUSED


def forgeable(family: int) -> list[tuple[Icmp, Errno]]:
    """What connect says of each."""
    return [
        (HOST_UNREACHABLE, EHOSTUNREACH),
        (NET_UNREACHABLE, ENETUNREACH),
        (PORT_UNREACHABLE, ECONNREFUSED),
        (PROHIBITED, EACCES if family == 6 else EHOSTUNREACH),
    ]


@pytest.mark.parametrize(
    ("family", "says", "outcome"),
    [(family, *row) for family in (4, 6) for row in forgeable(family)],
    ids=str,
)
def test_icmp_is_forged(lab: Lab, family: int, says: Icmp, outcome: Errno) -> None:
    """In the server's name, about the SYN."""
    client, server = lab.join("client", "server")
    held = lab.wire.hold(segment(SYN, sender=client))
    talks = client.start("tcpcli01", address(server, family), lab.port).run()
    sent = lab.wire.forge(icmp(says, held.reached(), address(server, family)))
    assert (sent.icmp, sent.fate) == (says, Fate.FORGED)
    assert talks.outcome("connect") == outcome


@FAMILIES
def test_a_forged_icmp_makes_segments_shorter(lab: Lab, family: int) -> None:
    """Fragmentation needed."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server, family)
    child.run()
    line = "x" * 1400 + "\n"
    held = lab.wire.hold(segment(payload=True, sender=client), times=1)
    talks.input(line)
    source = address(server, family)
    lab.wire.forge(icmp(FRAGMENTATION_NEEDED, held.reached(), source, mtu=1280))
    held.discard()
    talks.prints(line)
    longest = max(s.whole for s in lab.segments(arrived=True, sender=client))
    assert longest == 1280


def test_what_cannot_be_forged_is_refused(lab: Lab) -> None:
    """With the reason."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    last = lab.wire.last(sender=client)
    says(talks, "x" * 1000 + "\n")
    with pytest.raises(Broken, match="256 of 10.. bytes of the segment were kept"):
        again(lab.wire.last(PSH, sender=client))
    with pytest.raises(Broken, match="the mtu belongs to fragmentation needed"):
        icmp(FRAGMENTATION_NEEDED, last, server.address)
    with pytest.raises(Broken, match="neither end is 10.0.9.9: say with to="):
        lab.wire.forge(icmp(HOST_UNREACHABLE, elsewhere(last), server.address))
    with pytest.raises(Broken, match="forge: .*IP packet"):
        lab.wire.forge(b"no packet", to=client)
    with pytest.raises(Broken, match="server has put no RST segment onto wire client-server"):
        lab.wire.last(RST, sender=server)


def elsewhere(seen: Segment) -> Segment:
    """As if it had come from a host that is not there."""
    return replace(seen, source=Endpoint("10.0.9.9", 1))


# --- routers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "says", "outcome"),
    [
        (4, HOST_UNREACHABLE, EHOSTUNREACH),
        (4, NET_UNREACHABLE, ENETUNREACH),
        (4, PROHIBITED, EHOSTUNREACH),
        (6, NET_UNREACHABLE, ENETUNREACH),
        (6, PROHIBITED, EACCES),
    ],
    ids=str,
)
def test_a_router_answers_with_icmp(lab: Lab, family: int, says: Icmp, outcome: Errno) -> None:
    """By its kernel's own routes; and it can forward again."""
    client, router, server = lab.join("client", "router", "server")
    router.answers_with(says, about=server)
    refused = client.start("tcpcli01", address(server, family), lab.port)
    assert refused.outcome("connect") == outcome
    near = lab.wire_between(client, router)
    assert {p.icmp for p in near.packets(sender=router)} - {None} == {says}
    router.forwards_again(server)
    connected(client, server, family)


def test_over_ipv6_an_unreachable_host_has_no_route(lab: Lab) -> None:
    """Linux's router says so of an unreachable route."""
    client, router, server = lab.join("client", "router", "server")
    router.answers_with(HOST_UNREACHABLE, about=server)
    refused = client.start("tcpcli01", server.address6, lab.port)
    assert refused.outcome("connect") == ENETUNREACH
    [said] = lab.wire_between(client, router).packets(Protocol.ICMPV6, sender=router)
    assert said.icmp == NET_UNREACHABLE


@FAMILIES
def test_a_router_with_a_narrow_wire_says_so(lab: Lab, family: int) -> None:
    """The line arrives in pieces that fit."""
    client, near, _, server = lab.join("client", "near", "far", "server", mtu=(1500, 1300, 1500))
    child, talks = connected(client, server, family)
    child.run()
    says(talks, "x" * 1400 + "\n")
    told = lab.wire_between(client, near).packets(sender=near)
    assert FRAGMENTATION_NEEDED in [packet.icmp for packet in told]
    assert max(s.whole for s in lab.segments(arrived=True, sender=client)) == 1300


# --- hosts ---------------------------------------------------------------------------------------------------------


def test_a_host_crashes_without_a_word(lab: Lab) -> None:
    """Its processes are gone, and the other side learns nothing."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    seen = len(lab.segments(sender=server))
    server.crash()
    assert child.state == "dead"
    talks.input("hello\n").blocked("read")
    assert client.states() == [ESTABLISHED]
    assert client.sockets()[0].timer == "retransmit"
    assert len(lab.segments(sender=server)) == seen


@FAMILIES
def test_a_host_boots_without_memory(lab: Lab, family: int) -> None:
    """With its addresses and settings; it resets a connection that it knows nothing of."""
    client, server = lab.join("client", "server")
    server.hasten(fin_timeout=7)
    child, talks = connected(client, server, family)
    child.run()
    server.crash().boot()
    assert server.states() == []
    assert server.sysctl("net.ipv4.tcp_fin_timeout") == "7"
    talks.input("hello\n").ended()
    assert talks.outcomes("read")[-1] == ECONNRESET
    connected(client, server, family)


IGNORES = "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.read(0, 1)"


def test_a_host_shuts_down(lab: Lab) -> None:
    """SIGTERM to all, SIGKILL to those that stay; the client sees the end of the connection."""
    client, server = lab.join("client", "server")
    stubborn = server.start("/usr/bin/python3", "-c", IGNORES)
    stubborn.blocked("read")
    child, talks = connected(client, server)
    server.shut_down(grace=0.1)
    assert child.ended() == killed_by(SIGTERM)
    assert stubborn.ended() == killed_by(SIGKILL)
    assert [p.state for p in server.processes()] == ["dead"] * len(server.processes())
    assert client.comes(state=CLOSE_WAIT)
    assert talks.state == "running"


def test_an_address_is_taken_away_and_given_back(lab: Lab) -> None:
    """The connection survives it."""
    client, server = lab.join("client", "server")
    child, talks = connected(client, server)
    child.run()
    where = server.address
    server.remove_address()
    with pytest.raises(Broken, match="host server has no IPv4 address"):
        server.address
    talks.input("hello\n")
    client.awaits(timer="retransmit")
    server.add_address(where)
    talks.prints("hello\n")
    assert server.address == where
    server.add_address("10.0.1.77/24")
    client.start("tcpcli01", "10.0.1.77", lab.port).outcome("connect")


@FAMILIES
def test_a_host_forgets_its_neighbour_and_asks(lab: Lab, family: int) -> None:
    """By ARP or neighbour discovery; till it knows again."""
    client, server = lab.join("client", "server")
    asks = Protocol.ICMPV6 if family == 6 else Protocol.ARP
    client.forgets(server)
    connected(client, server, family)
    assert lab.wire.packets(asks, sender=client) != []
    client.knows(server)


def test_packets_of_any_kind_are_moments(lab: Lab) -> None:
    """Nobody answers the question who is there."""
    client, server = lab.join("client", "server", neighbours=False)
    dropped = lab.wire.drop(packet(Protocol.ARP, sender=client), times=ALWAYS)
    client.start("tcpcli01", server.address, lab.port).run()
    assert dropped.reached().protocol == Protocol.ARP
    assert client.states() == [SYN_SENT]
    assert lab.segments() == []


# --- what goes wrong -----------------------------------------------------------------------------------------------

MISTAKES: dict[str, tuple[Callable[[Lab], object], str]] = {
    "no such host": (
        lambda lab: lab.host("nobody"),
        'host "nobody": no such host (there is host, client, server, alone, other)',
    ),
    "start on no such host": (
        lambda lab: lab.start("tcpserv01", lab.port, host="nobody"),
        'start: host "nobody": no such host (there is "host", "client", "server", "alone", "other")',
    ),
    "sockets of no such host": (
        lambda lab: lab.sockets(host="nobody"),
        'sockets: host "nobody": no such host (there is "host", "client", "server", "alone", "other")',
    ),
    "which of two wires": (
        lambda lab: lab.wire,
        "there is more than one wire (client-server, alone-other): say between which",
    ),
    "no wire between them": (
        lambda lab: lab.wire_between("client", "alone"),
        "no wire joins client and alone (there is client-server, alone-other)",
    ),
    "cut twice": (
        lambda lab: the_wire(lab).cut().cut(),
        "cut: wire client-server: what client sends is cut already",
    ),
    "cut after one side": (
        lambda lab: the_wire(lab).cut(sender="server").cut(),
        "cut: wire client-server: what server sends is cut already",
    ),
    "mended when whole": (
        lambda lab: the_wire(lab).mend(),
        "mend: wire client-server is not cut",
    ),
    "cut at a third host": (
        lambda lab: the_wire(lab).cut(sender="alone"),
        "cut: wire client-server does not end at host alone",
    ),
    "cut at no host": (
        lambda lab: the_wire(lab).cut(sender="nobody"),
        'cut: host "nobody": no such host (there is "host", "client", "server", "alone", "other")',
    ),
    "segment of a third host": (
        lambda lab: the_wire(lab).drop(segment(FIN, sender="alone")),
        "arm: wire client-server does not end at host alone",
    ),
    "segment of no host": (
        lambda lab: the_wire(lab).drop(segment(FIN, sender="nobody")),
        'arm: host "nobody": no such host (there is "host", "client", "server", "alone", "other")',
    ),
    "nothing held": (
        lambda lab: the_wire(lab).hold(segment(FIN)).let_go(),
        "pass: watch 1 holds no segment",
    ),
    "nothing held to throw away": (
        lambda lab: the_wire(lab).hold(segment(FIN)).discard(),
        "discard: watch 1 holds no segment",
    ),
    "disarmed twice": (
        lambda lab: [w.disarm() for w in [the_wire(lab).drop(segment(FIN))] * 2],
        "disarm: watch 1: no such watch",
    ),
    "far end of a third host": (
        lambda lab: the_wire(lab).far("alone"),
        "wire client-server does not end at host alone",
    ),
    "crash without a wire": (
        lambda lab: lab.host("host").crash(),
        "crash: host host has no wire: nobody would notice",
    ),
    "crash twice": (
        lambda lab: lab.host("server").crash().crash(),
        "crash: host server has crashed: boot it first",
    ),
    "boot of what runs": (
        lambda lab: lab.host("server").boot(),
        "boot: host server has not crashed",
    ),
    "start on a crashed host": (
        lambda lab: lab.host("server").crash().start("tcpserv01", lab.port),
        "start: host server has crashed: boot it first",
    ),
    "sockets of a crashed host": (
        lambda lab: lab.host("server").crash().awaits(state=TIME_WAIT),
        "await: host server has crashed: boot it first",
    ),
    "address without a wire": (
        lambda lab: lab.host("host").add_address("10.0.1.7/24"),
        "host host has no wire that an address could be at",
    ),
    "address that is not there": (
        lambda lab: lab.host("server").remove_address("10.0.1.9"),
        "host server has no address 10.0.1.9 (it has 10.0.1.2, fd00:1::2)",
    ),
    "address of a host without one": (
        lambda lab: lab.host("host").address6,
        "host host has no IPv6 address",
    ),
    "address that is there": (
        lambda lab: lab.host("server").add_address("10.0.1.2"),
        "address: host server: address 10.0.1.2/24 cannot be set: EEXIST",
    ),
    "forgotten twice": (
        lambda lab: lab.host("server").forgets(lab.host("client")).forgets(lab.host("client")),
        "neighbour: host server: neighbour 10.0.1.1/32 cannot be removed: ENOENT",
    ),
    "forgets a stranger": (
        lambda lab: lab.host("server").forgets(lab.host("alone")),
        "no wire joins server and alone (there is client-server, alone-other)",
    ),
    "never said": (
        lambda lab: lab.host("server").answers_with(PORT_UNREACHABLE, about=lab.host("client")),
        "a router never says port unreachable of its own: forge it on a wire",
    ),
    "answers twice": (
        lambda lab: [
            lab.host("server").answers_with(PROHIBITED, about=lab.host("client")) for _ in "12"
        ],
        "host server does not forward to client already",
    ),
    "forwards anyhow": (
        lambda lab: lab.host("server").forwards_again(lab.host("client")),
        "host server forwards to client: there is nothing to undo",
    ),
    "joined alone": (
        lambda lab: lab.join("third"),
        "it takes two hosts to be joined, not 1",
    ),
    "joined again": (
        lambda lab: lab.join("third", "client"),
        "host: host client: there is one of that name",
    ),
    "more mtus than wires": (
        lambda lab: lab.join("third", "fourth", mtu=(1500, 600)),
        "mtu: one for each of 1 wires, not 2",
    ),
    "no name": (
        lambda lab: lab.join("no good", "fourth"),
        "host: name: expected a name of at most 31 letters, digits, '.', '_' and '-', got"
        ' "no good"',
    ),
    "no such timer": (
        lambda lab: lab.host("server").hasten(no_such_timer=1),
        "sysctl: sysctl net.ipv4.tcp_no_such_timer: this kernel has none of that name here",
    ),
}


def the_wire(lab: Lab) -> Wire:
    """Between client and server."""
    return lab.wire_between("client", "server")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_clear_message(lab: Lab, mistake: str) -> None:
    """Which says what is wrong, and the lab goes on."""
    lab.join("client", "server")
    lab.join("alone", "other")
    wrong, message = MISTAKES[mistake]
    with pytest.raises(Broken) as broken:
        wrong(lab)
    assert str(broken.value) == message
    assert len(lab.hosts) >= 5


def test_without_hosts_there_is_no_wire(lab: Lab) -> None:
    """And nothing that could befall it."""
    with pytest.raises(Broken, match="^there is no wire: join hosts first$"):
        lab.wire.cut()
    with pytest.raises(Broken, match=r"^no wire joins host and host \(there is none at all\)$"):
        lab.wire_between("host", "host")


def test_segments_count_from_one() -> None:
    """A first one, no zeroth."""
    with pytest.raises(ValueError, match="nth counts from 1, not from 0"):
        segment(FIN, nth=0)


# --- nothing is left -----------------------------------------------------------------------------------------------

THREE = '''
    def test_three_hosts(lab: Lab) -> None:
        """Programs on all of them, a segment held, one host crashed."""
        client, router, server = lab.join("client", "router", "server")
        other, _ = lab.join("other", "peer")
        for host in (client, router, server, other):
            host.start("tcpserv04", lab.port).reach(entering("accept")).run()
        held = lab.wire_between(client, router).hold(segment(SYN))
        client.start("tcpcli01", server.address, lab.port).run()
        held.reached()
        other.crash()
        os.write(os.open(os.environ["REACHED"], os.O_WRONLY), b".")
        client.awaits(state=TIME_WAIT, deadline=600)
'''


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["plain", "worker"])
def test_pytest_killed_with_three_hosts_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """No process, no namespace, no file, no link."""
    (root := tmp_path / "root").mkdir()
    checkout = Checkout(root, THREE)
    os.mkfifo(fifo := tmp_path / "reached")
    links, mounts = os.listdir("/sys/class/net"), traces.mounts()
    with traces.Orphans() as orphans:
        with checkout.start(*arguments, environment={"REACHED": str(fifo)}) as pytest_:
            with open(fifo, "rb") as reached:  # waits till the case opens it
                assert reached.read(1) == b".", pytest_.communicate()
            below = traces.below(pytest_.pid)
            spaces = traces.Namespaces(below)
            pytest_.kill()
        with spaces:
            assert "net" in spaces
            assert orphans.left(deadline=5.0) == []
            assert spaces.users() == {}
    assert (os.listdir("/sys/class/net"), traces.mounts()) == (links, mounts)
    new = {name for name in traces.files(root) if not name.startswith("build/results")}
    assert [name for name in new if name.startswith("tmp/")] == []
