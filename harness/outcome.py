"""Outcomes: what a call gave, and how a process ended."""

import signal as signals
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errno_names import Errno


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a call gave: a value, or an errno by name.

    Compares with an Errno and with an int: `outcome == EADDRINUSE`, `outcome == 0`. The number of an errno is kept
    beside it and does not compare, since it differs between platforms.
    """

    value: int | None = None
    """What the call returned; None when it failed."""
    errno: Errno | str | None = None
    """The errno's name; None when the call succeeded. A plain text when the name is one that no system here knows."""
    number: int | None = None
    """The errno's number on the platform."""
    injected: str | None = None
    """"errno", "value" or "short" when the outcome is of the harness's making."""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Outcome":
        """The outcome that a `leave` event carries."""
        name: str | None = event.get("errno")
        errno = Errno[name] if name is not None and name in Errno.__members__ else name
        return cls(event.get("value"), errno, event.get("number"), event.get("injected"))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Outcome):
            return (self.value, self.errno) == (other.value, other.errno)
        if isinstance(other, str):
            return self.errno == other
        if isinstance(other, int):
            return self.value == other
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.value, self.errno))

    def __bool__(self) -> bool:
        # Every outcome would be true, a failure too, and an assertion over it could not fail.
        raise TypeError("an outcome is neither true nor false: compare it with a value or an errno")

    def __repr__(self) -> str:
        text = str(self.value) if self.errno is None else f"{self.errno} ({self.number})"
        return f"{text} [injected]" if self.injected else text


@dataclass(frozen=True)
class Exit:
    """How a process ended: with a code, or by a signal."""

    code: int | None = None
    signal: int | None = None
    """A member of signal.Signals, or the bare number of a real-time signal."""
    core: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> "Exit":
        """The exit that a reply or an event carries."""
        if "code" in wire:
            return cls(code=wire["code"])
        name = wire.get("signal")
        return cls(signal=signal_number(name) if name else 0, core=wire.get("core", False))

    def __repr__(self) -> str:
        if self.signal is None:
            return f"exited({self.code})"
        return f"killed_by({signal_name(self.signal)})"


def exited(code: int) -> Exit:
    """The exit of a process that ended with that code."""
    return Exit(code=code)


def killed_by(signal: int) -> Exit:
    """The exit of a process that was killed by that signal."""
    return Exit(signal=signal)


def signal_name(signal: int) -> str:
    """The name of a signal: "SIGINT", "SIGRTMIN+2".

    Raises:
        ValueError: there is no such signal.
    """
    if signal in {int(known) for known in signals.Signals}:
        return signals.Signals(signal).name
    if signals.SIGRTMIN < signal < signals.SIGRTMAX:
        return f"SIGRTMIN+{signal - signals.SIGRTMIN}"
    raise ValueError(f"{signal} is no signal")


def signal_number(name: str) -> int:
    """The signal of that name.

    Raises:
        ValueError: there is no such signal.
    """
    if name in signals.Signals.__members__:
        return signals.Signals[name]
    base, _, offset = name.partition("+")
    if base == "SIGRTMIN" and offset.isdecimal():
        return signals.SIGRTMIN + int(offset)
    raise ValueError(f"{name!r} is no signal")
