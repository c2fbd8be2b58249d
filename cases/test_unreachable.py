"""connect() to where no way leads: which errno tells what."""

import pytest

from cases.joined import joined, over_both
from cases.steps import gives
from harness import (
    EACCES,
    EHOSTUNREACH,
    EINVAL,
    ENETUNREACH,
    Errno,
    Lab,
    Process,
    Protocol,
)

NOWHERE = {4: "10.9.0.1", 6: "fd09::1"}
"""Addresses that no host has, on a network that no wire leads to."""
NETWORK = {4: "10.9.0.0/24", 6: "fd09::/64"}


@pytest.mark.about("ENETUNREACH", "connect", "route")
@pytest.mark.behaviour("H14")
@over_both
def test_connect_without_a_route_says_enetunreach(lab: Lab, version: int) -> None:
    """connect() says ENETUNREACH at once, and sends nothing, when there is no route.

    POSIX.1-2024 connect() [ENETUNREACH]; RFC 1122 §3.3.1.
    Platforms: FreeBSD says EHOSTUNREACH over IPv6.
    """
    hosts = joined(lab, version)
    connecting = hosts.client.start("connect_client", NOWHERE[version], lab.port)

    assert gives(connecting, "connect") == ENETUNREACH
    assert lab.wire.packets() == []


@pytest.mark.about("EHOSTUNREACH", "EACCES", "EINVAL", "connect", "route")
@pytest.mark.behaviour("H14")
@pytest.mark.parametrize(
    ("route", "errno"),
    [("unreachable", EHOSTUNREACH), ("prohibit", EACCES), ("blackhole", EINVAL)],
)
@over_both
def test_connect_says_what_the_hosts_own_route_says(
    lab: Lab, route: str, errno: Errno, version: int
) -> None:
    """connect() says EHOSTUNREACH over an unreachable route of the host itself, EACCES over one
    that prohibits, EINVAL over a black hole, and sends nothing.

    ip-route(8) (types of routes, and what local senders get); Linux net/ipv4/fib_semantics.c,
    fib_props; net/ipv6/route.c, ip6_rt_type_to_error. POSIX.1-2024 connect() has EACCES for
    permissions only, and EINVAL for wrong arguments.
    """
    hosts = joined(lab, version)
    hosts.client.route(NETWORK[version], route)
    connecting = hosts.client.start("connect_client", NOWHERE[version], lab.port)

    assert gives(connecting, "connect") == errno
    assert lab.wire.packets() == []


def asks(lab: Lab, version: int, times: int = 1) -> Process:
    """A client on a host that must ask who the server is; nobody answers. It asks so often, a tenth
    of a second apart."""
    client, server = lab.join("client", "server", neighbours=False)
    client.sysctl(f"net.ipv{version}.neigh.eth0.mcast_solicit", times)
    client.sysctl(f"net.ipv{version}.neigh.eth0.retrans_time_ms", 100)
    lab.wire.cut()
    address = server.address6 if version == 6 else server.address
    return client.start("connect_client", address, lab.port)


@pytest.mark.about("EHOSTUNREACH", "connect", "ARP", "neighbour")
@pytest.mark.behaviour("H14")
@pytest.mark.waits
@over_both
def test_connect_says_ehostunreach_when_the_neighbour_does_not_answer(
    lab: Lab, version: int
) -> None:
    """connect() says EHOSTUNREACH when nobody on the wire says that he has the address.

    POSIX.1-2024 connect() [EHOSTUNREACH]; RFC 1122 §2.3.2.2, §3.2.2.1; RFC 4861 §7.2.2; Linux
    net/ipv4/arp.c, arp_error_report; net/ipv6/ndisc.c, ndisc_error_report.
    """
    connecting = asks(lab, version)

    assert gives(connecting, "connect") == EHOSTUNREACH


@pytest.mark.about("ARP", "neighbour", "mcast_solicit")
@pytest.mark.behaviour("H14")
@pytest.mark.waits
@over_both
def test_the_neighbour_is_asked_mcast_solicit_times(lab: Lab, version: int) -> None:
    """The host asks mcast_solicit times who the neighbour is, and sends no SYN meanwhile.

    arp(7) mcast_solicit; RFC 4861 §10 (MAX_MULTICAST_SOLICIT is 3).
    """
    asks(lab, version, times=2).ended()

    question = Protocol.ICMPV6 if version == 6 else Protocol.ARP
    assert [sent.protocol for sent in lab.wire.packets()] == [question, question]
