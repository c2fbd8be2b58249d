"""Moments: points in a process's life where it can be held, killed or told a lie."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..outcome import signal_name


class Descriptor(StrEnum):
    """What the first descriptor of a call is."""

    LISTENING = "listening"
    CONNECTION = "connection"
    """Any socket that does not listen."""
    SOCKET = "socket"
    """Either of the two."""
    PIPE = "pipe"
    FILE = "file"
    TTY = "tty"
    OTHER = "other"


class Scope(StrEnum):
    """Whose moments count."""

    PROCESS = "process"
    TREE = "tree"
    """The process and its descendants, present and to come."""
    CHILDREN = "children"
    """Its descendants only."""


LISTENING = Descriptor.LISTENING
CONNECTION = Descriptor.CONNECTION
PIPE = Descriptor.PIPE
FILE = Descriptor.FILE
TTY = Descriptor.TTY
TREE = Scope.TREE
CHILDREN = Scope.CHILDREN

_WORDS = {
    "enter": "entering",
    "leave": "leaving",
    "fork": "forking",
    "born": "a birth",
    "exec": "exec",
    "exit": "exiting",
}


@dataclass(frozen=True)
class Moment:
    """A point in a process's life; `nth` counts from 1, within the scope, from when the moment is asked for."""

    at: str
    call: str | None = None
    nth: int = 1
    on: Descriptor | None = None
    signal: int | None = None

    def __post_init__(self) -> None:
        if self.nth < 1:
            raise ValueError(f"nth counts from 1, not from {self.nth}")

    def wire(self) -> dict[str, Any]:
        """The moment as the conductor's protocol writes it."""
        members: dict[str, Any] = {"at": self.at, "nth": self.nth}
        if self.call is not None:
            members["call"] = self.call
        if self.on is not None:
            members["on"] = str(self.on)
        if self.signal is not None:
            members["signal"] = signal_name(self.signal)
        return members

    def __str__(self) -> str:
        words = self._signal() if self.at == "signal" else _WORDS[self.at]
        words += f" {self.call}" if self.call else ""
        words += f" on {self.on}" if self.on else ""
        return f"{words} (number {self.nth})" if self.nth > 1 else words

    def signal_word(self) -> str | None:
        """The name of its signal; None when it has none."""
        return None if self.signal is None else signal_name(self.signal)

    def _signal(self) -> str:
        return self.signal_word() or "a signal"


def entering(call: str, nth: int = 1, on: Descriptor | None = None) -> Moment:
    """Before the kernel sees the call. `call` is the name programs use: "accept" means accept4 too."""
    return Moment("enter", call, nth, on)


def leaving(call: str, nth: int = 1, on: Descriptor | None = None) -> Moment:
    """After the call, before the program sees its outcome."""
    return Moment("leave", call, nth, on)


def signalled(sig: int | None = None, nth: int = 1) -> Moment:
    """A signal (any, if None) is about to be delivered."""
    return Moment("signal", nth=nth, signal=sig)


def forking(nth: int = 1) -> Moment:
    """The process has made a child, which exists, and has not gone on yet."""
    return Moment("fork", nth=nth)


def born(nth: int = 1) -> Moment:
    """A child has come to be and has not run its first instruction."""
    return Moment("born", nth=nth)


def executing(nth: int = 1) -> Moment:
    """A program has been loaded by exec and has not run its first instruction."""
    return Moment("exec", nth=nth)


def exiting(nth: int = 1) -> Moment:
    """The process is about to end; its descriptors are still open."""
    return Moment("exit", nth=nth)
