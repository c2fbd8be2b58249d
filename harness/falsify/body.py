"""Which of the calls of a case in C its body made."""

from collections.abc import Sequence

from ..check.items import DESCRIPTOR
from ..sweep.points import Point, points, sort_of
from ..trace.event import Event

_NOTES = 2
"""Check opens a file, unlinks it, and writes so many notes before it runs the body."""
_ENDLESS = ("exit_group", "exit", "rt_sigreturn", "restart_syscall")
"""Calls that give nothing, or belong to another."""
_TURNS = 8
"""So many of a loop are tried, and the last."""
_MAKES_THREAD = ("clone", "clone3", "vfork", "fork")
_RESERVED = {32, 33}
"""Signals that the C library keeps to itself: no program can name them."""


def calls_of_body(events: Sequence[Event]) -> list[Point]:
    """The calls that a case's body made, and its children: not the glue's, nor Check's, nor the C
    library's own, and of a loop not all."""
    first, last = _body(events)
    left_out = _told(events) | _of_library(events) | repeated(events)
    return [
        point
        for point in points(events)
        if point.moment.at == "enter"
        and first < point.seq < last
        and point.outcome
        and point.moment.call not in _ENDLESS
        and point.seq not in left_out
    ]


def _told(events: Sequence[Event]) -> set[int]:
    """The entries of writes by which the case tells of itself."""
    return {e.seq for e in events if e.call == "write" and e.args.get("fd") == DESCRIPTOR}


def _body(events: Sequence[Event]) -> tuple[int, int]:
    """The seqs between which the body ran."""
    own = [event for event in events if event.process == 1 and event.kind == "enter"]
    unlinked = next((e.seq for e in own if e.call == "unlink"), 0)
    notes = [e.seq for e in own if e.call == "write" and e.seq > unlinked]
    verdict = next((e.seq for e in own if e.seq in _told(own) and _is_verdict(e)), own[-1].seq)
    return notes[_NOTES - 1], verdict


def _is_verdict(event: Event) -> bool:
    said = [each for each in event.args.values() if isinstance(each, dict)]
    return any(str(each.get("bytes", "")).startswith('{"verdict"') for each in said)


def _of_library(events: Sequence[Event]) -> set[int]:
    """The entries of calls by which the C library starts and ends threads and children, and whose outcome it does not
    look at."""
    before: dict[int | None, str | None] = {}
    found = set()
    for event in events:
        if event.kind != "enter":
            continue
        last = before.get(event.thread)
        before[event.thread] = event.call
        about = event.args.get("set") or [event.args.get("signal")]
        reserved = isinstance(about, list) and bool(_RESERVED & set(map(_number, about)))
        begins = event.call == "rt_sigprocmask" and (last is None or last in _MAKES_THREAD)
        if begins or reserved and event.call in ("rt_sigprocmask", "rt_sigaction"):
            found.add(event.seq)
    return found


def _number(signal: object) -> int:
    return signal if isinstance(signal, int) else 0


def repeated(events: Sequence[Event]) -> set[int]:
    """The entries of calls that are the same but for repetition, as in a loop: of such turns the first are tried, and the
    last."""
    left = {event.entered: event for event in events if event.kind == "leave"}
    before: dict[int | None, str | None] = {}
    turns: dict[tuple[object, ...], list[int]] = {}
    for event in events:
        if event.kind == "enter":
            last, before[event.thread] = before.get(event.thread), event.call
            alike = (event.thread, last, event.call, sort_of(left.get(event.seq)))
            turns.setdefault(alike, []).append(event.seq)
    return {seq for seqs in turns.values() for seq in seqs[_TURNS:-1]}
