"""The client's address is taken away in mid-connection."""

import pytest

from cases.between_hosts import address, answer_to, apart
from cases.joined import over_both
from cases.steps import gave
from harness import (
    CONNECTION,
    ENETUNREACH,
    ESTABLISHED,
    ETIMEDOUT,
    Errno,
    Lab,
    leaving,
)


@pytest.mark.about("ESTABLISHED", "address", "write")
@pytest.mark.behaviour("I8")
@over_both
def test_the_connection_outlives_its_address(lab: Lab, version: int) -> None:
    """A connection whose local address is removed stays ESTABLISHED, and write is not told: but
    nothing leaves.

    RFC 1122 §4.2.3.9 has no such case; Linux net/ipv4/devinet.c, inet_del_ifa, looks at no socket.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    before = lab.recorded()
    here.remove_address(address(here, version))
    write = two.client.arm(leaving("write", on=CONNECTION))
    two.client.input("more\n")

    assert gave(write.reached()) == len("more\n")
    assert here.states(remote=lab.port) == [ESTABLISHED]
    assert lab.segments(after=before) == []


@pytest.mark.waits
@pytest.mark.about("address", "retransmission")
@pytest.mark.behaviour("I8")
@over_both
def test_the_connection_goes_on_when_its_address_is_back(lab: Lab, version: int) -> None:
    """What was written without the address is sent when the address is back, and answered.

    RFC 9293 §3.8.1 (a loss like any other).
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    gone = address(here, version)
    here.remove_address(gone)
    write = two.client.arm(leaving("write", on=CONNECTION))
    two.client.input("more\n")
    write.reached()
    here.add_address(gone)

    assert answer_to(two.client, "") == len("more\n")


@pytest.mark.waits
@pytest.mark.about("address", "ETIMEDOUT", "ENETUNREACH", "read")
@pytest.mark.behaviour("I8")
@pytest.mark.parametrize(
    ("version", "errno"),
    [pytest.param(4, ETIMEDOUT, id="IPv4"), pytest.param(6, ENETUNREACH, id="IPv6")],
)
def test_without_its_address_the_connection_ends(lab: Lab, version: int, errno: Errno) -> None:
    """When the address does not come back, read says ETIMEDOUT over IPv4, and ENETUNREACH over
    IPv6, where the route that went with the address is told of.

    Linux net/ipv4/tcp_timer.c, tcp_probe_timer (nothing is on its way, so the persist timer counts
    the tries) and tcp_write_err; net/ipv6/inet6_connection_sock.c, inet6_csk_xmit (sk_err_soft).
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=1)
    two = apart(here, there, version)
    here.remove_address(address(here, version))

    assert answer_to(two.client, "more\n") == errno
