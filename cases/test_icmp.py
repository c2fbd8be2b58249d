"""ICMP: what a router says of a segment that it does not deliver, and when a program hears of it.

The messages are forged, so that nothing but type and code differs between them; those of a real
router are in test_host_crash.py and test_path_mtu.py.
"""

from dataclasses import dataclass, replace

import pytest

from cases.between_hosts import Apart, address, apart
from cases.joined import over_both
from cases.steps import echoes, returned
from harness import (
    CONNECTION,
    EACCES,
    ECONNREFUSED,
    EHOSTUNREACH,
    ENETUNREACH,
    ESTABLISHED,
    HOST_UNREACHABLE,
    NET_UNREACHABLE,
    PORT_UNREACHABLE,
    PROHIBITED,
    SYN,
    SYN_SENT,
    Errno,
    Held,
    Icmp,
    Lab,
    Process,
    Segment,
    entering,
    icmp,
    leaving,
    segment,
)

every_message = pytest.mark.parametrize(
    ("version", "says", "errno"),
    [
        pytest.param(4, HOST_UNREACHABLE, EHOSTUNREACH, id="IPv4-host"),
        pytest.param(4, NET_UNREACHABLE, ENETUNREACH, id="IPv4-net"),
        pytest.param(4, PORT_UNREACHABLE, ECONNREFUSED, id="IPv4-port"),
        pytest.param(4, PROHIBITED, EHOSTUNREACH, id="IPv4-prohibited"),
        pytest.param(6, HOST_UNREACHABLE, EHOSTUNREACH, id="IPv6-host"),
        pytest.param(6, NET_UNREACHABLE, ENETUNREACH, id="IPv6-net"),
        pytest.param(6, PORT_UNREACHABLE, ECONNREFUSED, id="IPv6-port"),
        pytest.param(6, PROHIBITED, EACCES, id="IPv6-prohibited"),
    ],
)
"""With the errno that stands for it: Linux net/ipv4/icmp.c, icmp_err_convert; net/ipv6/icmp.c,
tab_unreach, icmpv6_err_convert."""


def tells(lab: Lab, version: int, says: Icmp, about: Segment) -> None:
    """The router tells the client so."""
    router = address(lab.host("router"), version)
    lab.wire_between("client", "router").forge(icmp(says, about, router))


@dataclass(frozen=True)
class Unreachable:
    """What the client's kernel has counted of ICMP unreachable."""

    came: int
    errors: int
    """It quotes nothing that belongs to a socket."""
    out_of_window: int
    """It quotes a segment that is not on its way."""


def unreachable(lab: Lab, version: int) -> Unreachable:
    """The client's kernel's counters."""
    files = [f"/proc/net/{name}" for name in ("snmp", "snmp6", "netstat")]
    cat = lab.host("client").start("/bin/cat", *files)
    cat.ended()
    counters = _counters(cat.output)
    kind = "Icmp6" if version == 6 else "Icmp"
    names = (f"{kind}InDestUnreachs", f"{kind}InErrors", "TcpExtOutOfWindowIcmps")
    return Unreachable(*(counters[name] for name in names))


def _counters(text: str) -> dict[str, int]:
    """Of /proc/net/snmp and netstat, where a line of numbers follows one of names, and of snmp6, where each has a line."""
    rows = iter([line.split() for line in text.splitlines()])
    counters: dict[str, int] = {}
    for kind, *names in rows:
        table = kind.endswith(":")
        numbers = next(rows)[1:] if table else names
        words = [kind.rstrip(":") + name for name in names] if table else [kind]
        counters |= dict(zip(words, map(int, numbers), strict=True))
    return counters


# --- in SYN_SENT ---------------------------------------------------------------------------------


def connecting(lab: Lab, version: int) -> tuple[Process, Held]:
    """A client that sleeps in connect, its SYN held before the router; the server listens."""
    here, _, there = lab.join("client", "router", "server")
    at = address(there, version)
    there.start("tcpserv01", "-a", at, lab.port).reach(entering("accept"))
    held = lab.wire_between("client", "router").hold(segment(SYN, sender=here))
    client = here.start("tcpcli01", at, lab.port).run()
    held.reached()
    return client.blocked("connect"), held


@pytest.mark.about("connect", "SYN_SENT", "ICMP")
@pytest.mark.behaviour("I1")
@every_message
def test_icmp_in_syn_sent_fails_connect(lab: Lab, version: int, says: Icmp, errno: Errno) -> None:
    """A connect whose SYN is answered with ICMP unreachable fails at once with its errno.

    RFC 1122 §4.2.3.9, RFC 5461 §4 (an attempt to connect may be aborted); POSIX.1-2024 connect();
    Linux net/ipv4/tcp_ipv4.c, tcp_v4_err (TCP_SYN_SENT). UNP 4.3 has the SYN sent again till it
    times out, as BSD does. Platforms: EACCES for IPv6 is Linux's own.
    """
    client, held = connecting(lab, version)
    failed = client.arm(leaving("connect"))
    tells(lab, version, says, held.reached())

    assert returned(failed) == errno


@pytest.mark.about("connect", "SYN_SENT", "ICMP")
@pytest.mark.behaviour("I1")
@over_both
def test_icmp_about_a_segment_that_was_not_sent_is_ignored(lab: Lab, version: int) -> None:
    """ICMP that quotes a sequence number that is not on its way changes nothing.

    RFC 5927 §4.1; Linux net/ipv4/tcp_ipv4.c, tcp_v4_err (LINUX_MIB_OUTOFWINDOWICMPS).
    """
    client, held = connecting(lab, version)
    syn = held.reached()
    at = (40 if version == 6 else 20) + 4
    sequence = int.from_bytes(syn.raw[at : at + 4], "big")
    elsewhere = ((sequence + (1 << 30)) % (1 << 32)).to_bytes(4, "big")
    never_sent = replace(syn, raw=syn.raw[:at] + elsewhere + syn.raw[at + 4 :])
    tells(lab, version, HOST_UNREACHABLE, never_sent)

    assert unreachable(lab, version) == Unreachable(came=1, errors=0, out_of_window=1)
    assert lab.host("client").states(remote=lab.port) == [SYN_SENT]
    connected = client.arm(leaving("connect"))
    held.let_go()
    assert returned(connected) == 0


# --- in ESTABLISHED ------------------------------------------------------------------------------


def line_under_way(lab: Lab, version: int, command: str) -> tuple[Apart, Held]:
    """A client that sleeps in read, the line that it wrote held before the router."""
    here, _, there = lab.join("client", "router", "server")
    two = apart(here, there, version, command)
    held = lab.wire_between("client", "router").hold(segment(payload=True, sender=here))
    asked = two.client.arm(entering("read", on=CONNECTION))
    two.client.input("more\n")
    held.reached()
    asked.reached().blocked("read")
    return two, held


@pytest.mark.about("ESTABLISHED", "ICMP", "read")
@pytest.mark.behaviour("I2")
@every_message
def test_icmp_in_established_is_soft(lab: Lab, version: int, says: Icmp, errno: Errno) -> None:
    """ICMP unreachable about a segment of an established connection fails no call: when the segment
    gets through, the connection goes on.

    RFC 1122 §4.2.3.9 has it so for host and net, and would abort for port; RFC 5461 §2, RFC 5927
    §5.2 have it soft for all; Linux net/ipv4/tcp_ipv4.c, tcp_v4_err (sk_err_soft).
    """
    two, held = line_under_way(lab, version, "tcpcli01")
    tells(lab, version, says, held.reached())

    assert unreachable(lab, version) == Unreachable(came=1, errors=0, out_of_window=0)
    assert lab.host("client").states(remote=lab.port) == [ESTABLISHED]
    held.let_go()
    assert echoes(two.client, "more\n")


@pytest.mark.about("ESTABLISHED", "ICMP", "read", "IP_RECVERR", "IPV6_RECVERR")
@pytest.mark.behaviour("I6")
@every_message
def test_with_ip_recverr_icmp_fails_read_at_once(
    lab: Lab, version: int, says: Icmp, errno: Errno
) -> None:
    """With IP_RECVERR, or IPV6_RECVERR, the same ICMP makes the read that sleeps fail at once.

    ip(7) IP_RECVERR (TCP has no error queue: the error comes from the call); Linux
    net/ipv4/tcp_ipv4.c, tcp_v4_err (inet->recverr), net/ipv6/tcp_ipv6.c, tcp_v6_err.
    """
    two, held = line_under_way(lab, version, "option_client -e")
    failed = two.client.arm(leaving("read", on=CONNECTION))
    tells(lab, version, says, held.reached())

    assert returned(failed) == errno


@pytest.mark.about("ESTABLISHED", "ICMP", "IP_RECVERR", "IPV6_RECVERR")
@pytest.mark.behaviour("I6")
@every_message
def test_with_ip_recverr_the_connection_outlives_the_error(
    lab: Lab, version: int, says: Icmp, errno: Errno
) -> None:
    """The error that IP_RECVERR reports ends no connection: it is ESTABLISHED still, and the line
    is delivered when it gets through.

    ip(7) IP_RECVERR; Linux net/ipv4/tcp_ipv4.c, tcp_v4_err (no tcp_done there).
    """
    two, held = line_under_way(lab, version, "option_client -e")
    failed = two.client.arm(leaving("read", on=CONNECTION))
    tells(lab, version, says, held.reached())
    failed.reached()

    assert lab.host("client").states(remote=lab.port) == [ESTABLISHED]
    taken = two.child.arm(leaving("read", on=CONNECTION))
    held.let_go()
    assert returned(taken) == len("more\n")
