"""Two hosts and a wire: what cases about segments begin with. None makes the call that a case is
about.
"""

from dataclasses import dataclass

import pytest

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
    SYN,
    SYN_SENT,
    TIME_WAIT,
    Held,
    Host,
    Lab,
    Process,
    Segment,
    State,
    Wire,
    entering,
    leaving,
    segment,
)

over_both = pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])
"""For the version of IP that the hosts speak."""

NOBODY = 9
"""A port that nothing listens at."""
MERE_ACK = segment(ACK, without=FIN | SYN, payload=False)


@dataclass(frozen=True)
class Joined:
    """A client's host and a server's, on one wire."""

    client: Host
    server: Host
    wire: Wire
    address: str
    """The server's."""
    port: int

    def serves(self, program: str, *options: str) -> Process:
        """A server, held before its first accept."""
        server = self.server.start(program, *options, "-a", self.address, self.port)
        return server.reach(entering("accept"))

    def comes(self, program: str, *options: str) -> Process:
        """A client, held at its exec."""
        return self.client.start(program, *options, self.address, self.port)

    def said_since(self, forged: Segment, sender: Host | None = None) -> list[Segment]:
        """What a host, the client's if None, has said since."""
        return self.wire.segments(sender=sender or self.client, after=forged.seq)

    def settles(self) -> None:
        """Lets a SYN go over the wire and a RST come back: what went before has been dealt with."""
        self.client.start("tcpcli01", self.address, NOBODY).ended()

    def said_till_settled(self, forged: Segment, sender: Host | None = None) -> list[Segment]:
        """As said_since, when the hosts have settled: without the last, by which they did."""
        *said, _ = self.said_since(forged, sender)
        return said


def joined(lab: Lab, version: int) -> Joined:
    """The two hosts, and nothing on them."""
    client, server = lab.join("client", "server")
    address = server.address6 if version == 6 else server.address
    return Joined(client, server, lab.wire, address, lab.port)


@dataclass(frozen=True)
class Client:
    """A linger_client that has come to a state, and the server at the other end."""

    process: Process
    """Held as it enters close."""
    server: Process
    """Held leaving accept, so that it reads nothing, or killed, where the state needs its FIN."""
    held: Held | None
    """What of the client's is held so that it stays in the state: its FIN or its SYN."""


OWN_FIN_SENT = (FIN_WAIT1, FIN_WAIT2, CLOSING, LAST_ACK, TIME_WAIT)
OWN_FIN_HELD = (FIN_WAIT1, CLOSING, LAST_ACK)
PEER_IS_OPEN = (SYN_SENT, ESTABLISHED, FIN_WAIT1, FIN_WAIT2)


def client_in(hosts: Joined, state: State, *options: str) -> Client:
    """A linger_client, in that state, about to close.

    Raises:
        Broken: it does not come to that state.
    """
    server = hosts.serves("reuseadr_eserver")
    if state is SYN_SENT:
        return _connecting(hosts, server, options)
    shutting = ["-d"] if state in OWN_FIN_SENT else []
    client = hosts.comes("linger_client", *options, *shutting)
    client.reach(leaving("connect")).end_input()
    server.reach(leaving("accept"))
    held = hosts.wire.hold(segment(FIN, sender=hosts.client)) if state in OWN_FIN_HELD else None
    if state in (CLOSE_WAIT, LAST_ACK):
        server.kill()
        hosts.server.awaits(local=hosts.port, state=FIN_WAIT2)
    client.reach(entering("close", on=CONNECTION))
    if state is TIME_WAIT:
        hosts.client.awaits(remote=hosts.port, state=FIN_WAIT2)
    if state in (CLOSING, TIME_WAIT):
        server.kill()
    if state is CLOSING:
        hosts.server.awaits(local=hosts.port, state=FIN_WAIT2)
    hosts.client.awaits(remote=hosts.port, state=state)
    return Client(client, server, held)


def _connecting(hosts: Joined, server: Process, options: tuple[str, ...]) -> Client:
    held = hosts.wire.hold(segment(SYN, destination_port=hosts.port))
    client = hosts.comes("linger_client", *options, "-g").end_input()
    client.reach(entering("close", on=CONNECTION))
    hosts.client.awaits(remote=hosts.port, state=SYN_SENT)
    return Client(client, server, held)
