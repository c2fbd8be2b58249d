"""Listens as it should: at both families, with its port to be had again, with room for a burst."""

from collections.abc import Iterator
from socket import AddressFamily

from ...sweep.client import Client, Fate
from ...sweep.engine import Engine
from ...trace.sockets import LISTEN
from ..check import MUST, POLICY, Inapplicable, check
from .common import recorded

_ROOM = 100
"""Connections that should fit into the queue."""


@check(
    "reuses-address",
    MUST,
    "Its listener has SO_REUSEADDR.",
    "Else bind fails for a minute after each connection that the server closed first.",
    "setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, ...) before bind",
)
def reuses_address(engine: Engine) -> Iterator[str]:
    """As it sets its options."""
    _at_port(engine)
    _, events = recorded(engine)
    set_to = [e.args.get("option") for e in events if e.call == "setsockopt" and e.kind == "leave"]
    if "SO_REUSEADDR" not in set_to:
        yield "it sets no SO_REUSEADDR on any socket"


@check(
    "listens-ipv6",
    POLICY,
    "It serves IPv6 as well as IPv4.",
    "`localhost` is ::1 first in many places.",
    "listen at :: with IPV6_V6ONLY off, or at both addresses",
)
def listens_ipv6(engine: Engine) -> Iterator[str]:
    """A client at ::1."""
    _at_port(engine)
    with engine.stage() as stage:
        stage.serve()
        stage.family = AddressFamily.AF_INET6
        fate = Client(stage).connect().ask()
        if fate is not Fate.ANSWERED:
            yield f"a client of ::1 got: {fate}"


@check(
    "backlog",
    POLICY,
    f"Its listener has room for {_ROOM} connections that wait to be accepted.",
    "When the queue is full the kernel drops SYNs, and clients try again after a second.",
    "listen(listener, SOMAXCONN)",
)
def backlog(engine: Engine) -> Iterator[str]:
    """As the kernel tells it."""
    _at_port(engine)
    with engine.stage() as stage:
        stage.serve()
        found = stage.lab.sockets(local=stage.subject.port, state=LISTEN)
        room = max(socket.send_queue for socket in found)
        if room < _ROOM:
            yield f"room for {room}"


def _at_port(engine: Engine) -> None:
    if engine.subject.path is not None:
        raise Inapplicable("it listens at a UNIX socket")
