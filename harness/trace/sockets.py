"""Sockets as the kernel's diagnosis tells them, and the filter that asks for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from socket import AddressFamily, SocketKind
from typing import Any, TypeVar

from ..verdict import Broken, Unsupported, hidden

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


@dataclass(frozen=True)
class Queues:
    """How much waits in a socket."""

    received: int
    sent: int | None

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> "Queues | None":
        """What a reply says of a socket's queues."""
        return (
            cls(wire["receive_queue"], wire.get("send_queue")) if "receive_queue" in wire else None
        )


@dataclass(frozen=True)
class Clock:
    """Which timer of a socket runs."""

    timer: str | None
    expires: float | None
    retransmits: int

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> "Clock | None":
        """What a reply says of a socket's timers."""
        if "timer" not in wire:
            return None
        return cls(wire["timer"], wire["expires_ms"] / 1000, wire["retransmits"])


_TIMERS = "a socket's timers"
_Known = TypeVar("_Known")


def _told(what: _Known | None, name: str) -> _Known:
    if what is None:
        raise Unsupported(f"this kernel does not tell {name}")
    return what


@dataclass(frozen=True, eq=False)
class Socket:
    """One socket of a host. Equal to a State when it is in it, so that a list of sockets compares with a list of states."""

    family: str
    type: str
    state: State
    local: Endpoint | None
    """None for AF_UNIX."""
    remote: Endpoint | None
    queues: "Queues | None"
    """None where the kernel does not tell."""
    clock: "Clock | None"
    """None where the kernel does not tell."""
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
        return cls(
            family=wire["family"],
            type=wire["type"],
            state=State(wire["state"]),
            local=_endpoint(wire.get("local")),
            remote=_endpoint(wire.get("remote")),
            queues=Queues.of(wire),
            clock=Clock.of(wire),
            uid=wire.get("uid", 0),
            inode=wire.get("inode", 0),
            cookie=wire.get("cookie", 0),
            send_window=wire.get("send_window"),
            path=wire.get("path"),
            peer_inode=wire.get("peer_inode"),
        )

    @property
    def receive_queue(self) -> int:
        """Bytes not read yet; of a listener, the connections that wait to be accepted.

        Raises:
            Unsupported: the kernel does not tell; so with those that follow.
        """
        return _told(self.queues, "how much waits in a socket").received

    @property
    def send_queue(self) -> int:
        """Bytes not acknowledged yet; of a listener, the backlog."""
        return _told(_told(self.queues, "how much waits in a socket").sent, "a listener's backlog")

    @property
    def timer(self) -> str | None:
        """ "retransmit", "keepalive", "time_wait", "persist", or None."""
        return _told(self.clock, _TIMERS).timer

    @property
    def expires(self) -> float | None:
        """Seconds until the timer strikes."""
        return _told(self.clock, _TIMERS).expires

    @property
    def retransmits(self) -> int:
        """How often the oldest segment was sent again."""
        return _told(self.clock, _TIMERS).retransmits

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
        if self.queues is not None:
            text = self._with_queues(self.queues)
        return text + (f", {self.clock.timer} timer" if self.clock and self.clock.timer else "")

    def _with_queues(self, queues: "Queues") -> str:
        if self.state is State.LISTEN:
            return f"{self.state} {self.local}, {queues.received} of {queues.sent} wait"
        text = f"{self.state} {self.local} -> {self.remote}"
        told = f", {queues.received} unread, {queues.sent} unsent or unacknowledged"
        return text + (told if queues.received or queues.sent else "")

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
