"""Events: what the conductor recorded, decoded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..outcome import Exit, Outcome


@dataclass(frozen=True)
class Event:
    """One event of a lab. Which members are set depends on the kind."""

    seq: int
    time: int
    """Nanoseconds of the real-time clock."""
    kind: str
    """enter, leave, signal, fork, born, exec, exit, dead or segment."""
    process: int | None = None
    """The number of the process; None for a segment."""
    thread: int | None = None
    call: str | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    entered: int | None = None
    """leave: the seq of the call's enter event."""
    restarted: int = 0
    """leave: how often the kernel restarted the call."""
    signal: str | None = None
    sender: int | None = None
    """signal: the pid it came from."""
    disposition: str | None = None
    """signal: "default", "ignored" or "handler"."""
    child: int | None = None
    """fork: the number of the child."""
    name: str | None = None
    """exec: the program's name."""
    exit: Exit | None = None
    """exit, dead."""
    host: str = ""
    """segment: the host that it left."""
    link: str = ""
    """segment: the link that it left by."""
    wire: str | None = None
    """segment: the wire that it was on; None for a loopback link, which has none."""
    fate: str = "passed"
    """segment: what became of it on the wire; see segments.Fate."""
    coming: int = 0
    """segment, released or dropped later: the seq of its coming."""
    length: int = 0
    """segment: bytes of the whole frame from the network header on."""
    raw: bytes = b""
    """segment: the captured bytes from the network header on, when they were asked for."""

    @classmethod
    def of(cls, wire: Mapping[str, Any]) -> "Event":
        """The event that a reply carries."""
        return cls(
            seq=wire["seq"],
            time=wire["time"],
            kind=wire["kind"],
            process=wire.get("process"),
            thread=wire.get("thread"),
            call=_text(wire.get("call")),
            args=wire.get("args") or {},
            outcome=Outcome.of(wire) if wire["kind"] == "leave" else None,
            entered=wire.get("entered"),
            restarted=wire.get("restarted", 0),
            signal=wire.get("signal"),
            sender=wire.get("from"),
            disposition=wire.get("disposition"),
            child=wire.get("child"),
            name=wire.get("name"),
            exit=Exit.of(wire["exit"]) if "exit" in wire else None,
            host=wire.get("host", ""),
            link=wire.get("link", ""),
            wire=wire.get("wire"),
            fate=wire.get("fate", "passed"),
            coming=wire.get("of", 0),
            length=wire.get("length", 0),
            raw=bytes.fromhex(wire.get("raw") or ""),
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True)
class Call:
    """One system call that a process made and left."""

    name: str
    args: Mapping[str, Any]
    outcome: Outcome
    restarted: int
    injected: str | None
    entered: int
    """The seq of its enter event."""
    seq: int
    """The seq of its leave event."""
    time: int
    """When it was left, nanoseconds of the real-time clock."""

    @classmethod
    def of(cls, event: Event) -> "Call":
        """The call that a leave event tells of."""
        outcome = Outcome() if event.outcome is None else event.outcome
        return cls(
            event.call or "?",
            event.args,
            outcome,
            event.restarted,
            outcome.injected,
            event.entered or 0,
            event.seq,
            event.time,
        )
