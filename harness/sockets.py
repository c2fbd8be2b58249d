"""Sockets as the kernel's diagnosis tells them, and the filter that asks for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from socket import AddressFamily, SocketKind
from typing import Any

from .verdict import Broken, hidden

__tracebackhide__ = hidden


class State(StrEnum):
    """The state of a socket; equal to its text."""

    LISTEN = "LISTEN"
    SYN_SENT = "SYN_SENT"
    SYN_RECEIVED = "SYN_RECEIVED"
    ESTABLISHED = "ESTABLISHED"
    FIN_WAIT1 = "FIN_WAIT1"
    FIN_WAIT2 = "FIN_WAIT2"
    CLOSE_WAIT = "CLOSE_WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST_ACK"
    TIME_WAIT = "TIME_WAIT"
    CLOSED = "CLOSED"

    def __repr__(self) -> str:
        return str(self)


LISTEN = State.LISTEN
SYN_SENT = State.SYN_SENT
SYN_RECEIVED = State.SYN_RECEIVED
ESTABLISHED = State.ESTABLISHED
FIN_WAIT1 = State.FIN_WAIT1
FIN_WAIT2 = State.FIN_WAIT2
CLOSE_WAIT = State.CLOSE_WAIT
CLOSING = State.CLOSING
LAST_ACK = State.LAST_ACK
TIME_WAIT = State.TIME_WAIT
CLOSED = State.CLOSED


@dataclass(frozen=True)
class Endpoint:
    """An address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, eq=False)
class Socket:
    """One socket of a host. Equal to a State when it is in it, so that a list of sockets compares with a list of states."""

    family: str
    type: str
    state: State
    local: Endpoint | None
    """None for AF_UNIX."""
    remote: Endpoint | None
    receive_queue: int
    """Bytes not read yet; of a listener, the connections that wait to be accepted."""
    send_queue: int
    """Bytes not acknowledged yet; of a listener, the backlog."""
    timer: str | None
    """"retransmit", "keepalive", "time_wait", "persist", or None."""
    expires: float | None
    """Seconds until the timer strikes."""
    retransmits: int
    uid: int
    inode: int
    """0 for a socket that no process holds."""
    cookie: int
    send_window: int | None = None
    """Bytes beyond the last acknowledged one that the peer has said it takes; None where none is told."""
    path: str | None = None
    """AF_UNIX only; abstract names begin with @."""
    peer_inode: int | None = None
    """AF_UNIX only."""

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> "Socket":
        """The socket that a reply carries."""
        milliseconds = wire.get("expires_ms")
        return cls(
            family=wire["family"],
            type=wire["type"],
            state=State(wire["state"]),
            local=_endpoint(wire.get("local")),
            remote=_endpoint(wire.get("remote")),
            receive_queue=wire.get("receive_queue", 0),
            send_queue=wire.get("send_queue", 0),
            timer=wire.get("timer"),
            expires=None if milliseconds is None else milliseconds / 1000,
            retransmits=wire.get("retransmits", 0),
            uid=wire.get("uid", 0),
            inode=wire.get("inode", 0),
            cookie=wire.get("cookie", 0),
            send_window=wire.get("send_window"),
            path=wire.get("path"),
            peer_inode=wire.get("peer_inode"),
        )

    def __eq__(self, other: object) -> bool:
        if isinstance(other, State):
            return self.state is other
        if isinstance(other, Socket):
            return (self.cookie, self.state) == (other.cookie, other.state)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.cookie)

    def __str__(self) -> str:
        if self.local is None:
            return f"{self.state} {self.family} {self.path or '(unnamed)'}"
        text = f"{self.state} {self.local} -> {self.remote}"
        if self.state is State.LISTEN:
            return f"{self.state} {self.local}, {self.receive_queue} of {self.send_queue} wait"
        queues = f", {self.receive_queue} unread, {self.send_queue} unsent or unacknowledged"
        text += queues if self.receive_queue or self.send_queue else ""
        return text + (f", {self.timer} timer" if self.timer else "")

    __repr__ = __str__


def _endpoint(wire: Mapping[str, Any] | None) -> Endpoint | None:
    return None if wire is None else Endpoint(wire["host"], wire["port"])


@dataclass(frozen=True)
class Filter:
    """Which sockets are meant; None means any."""

    local: int | None = None
    """Local port."""
    remote: int | None = None
    """Remote port."""
    state: State | Iterable[State] | None = None
    family: AddressFamily | str | None = None
    type: SocketKind | str | None = None
    timer: str | None = None
    """The timer that runs: retransmit, keepalive, time_wait or persist."""
    inode: int | None = None
    send_window: int | None = None
    """Bytes that the peer takes: 0 means that its window is shut, and not just smaller than a segment."""
    local_host: str | None = None
    remote_host: str | None = None
    host: str | None = None
    """The host whose sockets are looked at; the lab's first one if None."""
    states: tuple[State, ...] = field(init=False)

    def __post_init__(self) -> None:
        for port in (self.local, self.remote):
            if port is not None and not 0 <= port <= 65535:
                raise Broken(f"port {port} is out of range: a port is a number from 0 to 65535")
        states = (self.state,) if isinstance(self.state, State) else tuple(self.state or ())
        object.__setattr__(self, "states", states)

    def wire(self) -> dict[str, Any]:
        """The filter as the conductor's protocol writes it."""
        members = {
            "host": self.host,
            "local": self.local,
            "remote": self.remote,
            "local_host": self.local_host,
            "remote_host": self.remote_host,
            "state": [str(state) for state in self.states] or None,
            "family": _name(self.family),
            "type": _name(self.type),
            "timer": self.timer,
            "inode": self.inode,
            "send_window": self.send_window,
        }
        return {name: value for name, value in members.items() if value is not None}

    def __str__(self) -> str:
        words = [
            " or ".join(self.states),
            _name(self.family) or "",
            _name(self.type) or "",
            f"local {self.local_host or ''}{'' if self.local is None else f':{self.local}'}",
            f"remote {self.remote_host or ''}{'' if self.remote is None else f':{self.remote}'}",
            f"{self.timer} timer" if self.timer else "",
            "" if self.inode is None else f"inode {self.inode}",
            "" if self.send_window is None else f"send window {self.send_window}",
            f"on {self.host}" if self.host else "",
        ]
        told = [word for word in words if word and word not in ("local ", "remote ")]
        return ", ".join(told) or "any"


def _name(constant: AddressFamily | SocketKind | str | None) -> str | None:
    return constant if constant is None or isinstance(constant, str) else constant.name
