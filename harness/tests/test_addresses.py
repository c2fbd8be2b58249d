"""Addresses that a host is given are its own from then on."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from harness import RST, SYN, Endpoint, Lab, segment, syn

MORE = 8
"""Addresses, so that luck with one does not hide the others."""


@pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
def test_a_new_address_is_had_at_once(lab: Lab, family: int) -> None:
    """The first packet for it arrives. Linux has an IPv6 address a while before it has the way to it."""
    client, server = lab.join("client", "server")
    first = server.address6 if family == 6 else server.address
    client.start("tcpcli01", first, lab.port).ended()
    refused = lab.wire.last(SYN, sender=client)
    answered = lab.wire.hold(segment(RST, sender=server, nth=MORE))
    given = [str(ip_address(first) + number) for number in range(1, MORE + 1)]
    for address in given:
        server.add_address(f"{address}/{64 if family == 6 else 24}")
        to_it = replace(refused, destination=Endpoint(address, lab.port))
        lab.wire.forge(syn(to_it), to=server)

    answered.reached()
    answers = lab.wire.segments(RST, sender=server)
    assert [answer.source.host for answer in answers[1:]] == given
