"""The moments of a recorded run, named so that another run reaches them, and which of them are the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..lab.moment import Descriptor, Moment
from ..outcome import signal_number
from ..trace.event import Event
from ..trace.folding import of_loader
from .descriptors import Open, classified

FAMILIES = {
    "accept": {"accept4"},
    "send": {"sendto"},
    "recv": {"recvfrom"},
    "poll": {"ppoll"},
    "select": {"pselect6"},
    "open": {"openat"},
    "fork": {"vfork", "clone", "clone3"},
    "exit": {"exit_group"},
    "epoll_wait": {"epoll_pwait", "epoll_pwait2"},
    "dup2": {"dup3"},
    "pipe": {"pipe2"},
}
"""The names that mean other calls, too, when a moment is asked for by them."""
_KINDS = ("enter", "leave", "signal", "fork", "born", "exec", "exit")
_ASKED = (Descriptor.LISTENING, Descriptor.CONNECTION)
"""The classes that a moment is counted by; of the others it is the call alone."""


@dataclass(frozen=True)
class Point:
    """A moment of a run: which process, by the order of birth, and the moment in its life."""

    process: int
    moment: Moment
    seq: int
    """Of the event in the recorded run."""
    line: str
    """Whose kind of process it is: "server", "server's child"."""
    shape: str
    """What it is but for repetition: moments of the same shape are merged."""
    outcome: str = ""
    """What the call gave in the recorded run; empty where it never returned."""
    open: Open | None = None
    """What the call's first descriptor was."""
    length: int | None = None
    """Of a call that moves bytes: how many it moved."""
    handlers: frozenset[str] = frozenset()
    """The signals for which the process had a handler."""
    serving: bool = True
    """Whether the server listened already."""

    @property
    def moved(self) -> bool:
        """Whether the call was about a stream socket, and gave something."""
        return self.open is not None and self.open.stream and (self.length or 0) > 0

    @property
    def key(self) -> str:
        """Its name, the same in every run."""
        moment = self.moment
        what = moment.call or moment.signal_word() or ""
        words = [str(self.process), moment.at, what, str(moment.on or ""), str(moment.nth)]
        return ":".join(words)

    def __str__(self) -> str:
        return f"{self.line} (process {self.process}) {self.moment}"


@dataclass(frozen=True)
class Group:
    """Moments that are the same but for repetition; the first stands for all."""

    points: Sequence[Point]

    @property
    def first(self) -> Point:
        """The one that is tried."""
        return self.points[0]

    def __str__(self) -> str:
        outcome = f" = {self.first.outcome}" if self.first.outcome else ""
        text = f"{self.first.line}: {self.first.moment}{outcome}"
        if len(self.points) == 1:
            return text
        processes = sorted({point.process for point in self.points})
        where = _ranges(processes)
        return f"{text}, ×{len(self.points)} (process {where})"


def _ranges(numbers: Sequence[int]) -> str:
    """ "1, 3-5"."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ", ".join(f"{p[0]}-{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)


def merged(points: Iterable[Point]) -> list[Group]:
    """The points by shape, in the order of their first ones."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.shape, []).append(point)
    return [Group(group) for group in groups.values()]


# --- from events ---------------------------------------------------------------------------------------------------


class _Life:
    """What is known of one process while its events are gone through."""

    def __init__(self, line: str, handlers: frozenset[str] = frozenset()) -> None:
        self.line = line
        self.handlers = handlers
        self.counts: dict[tuple[Any, ...], int] = {}
        self.before = ""

    def count(self, *what: Any) -> int:
        """How often that has come, this time included."""
        self.counts[what] = self.counts.get(what, 0) + 1
        return self.counts[what]


def points(events: Sequence[Event], port_listens: int = 0) -> list[Point]:
    """The moments of a run, without those of the loader: process by process, each in the order of its life, which is
    the same in every run, however processes take turns.

    Args:
        events: all of one program and its descendants, from the start on.
        port_listens: the seq from which on the server listened.
    """
    reader = _Reader(events, port_listens)
    skipped = of_loader(events)
    found = [p for event in events if (p := reader.read(event)) and event.seq not in skipped]
    return sorted(found, key=lambda point: (point.process, point.seq))


class _Reader:
    def __init__(self, events: Sequence[Event], listening: int) -> None:
        self._listening = listening
        self._open = classified(events)
        self._left = {e.entered: e for e in events if e.kind == "leave"}
        self._lives: dict[int, _Life] = {}

    def read(self, event: Event) -> Point | None:
        """The point of an event, if it is one that can be reached."""
        process = event.process or 0
        life = self._lives.setdefault(process, _Life("server"))
        self._note(event, life)
        if event.kind not in _KINDS or event.disposition == "ignored":
            return None
        if event.kind == "exec" and not life.counts:
            return None  # where the program is held at its start
        return self._point(event, life)

    def _note(self, event: Event, life: _Life) -> None:
        if event.kind == "fork" and event.child is not None:
            line = life.line if life.line.endswith("child") else f"{life.line}'s child"
            self._lives[event.child] = _Life(line, life.handlers)
        elif event.kind == "exec":
            life.handlers = frozenset()
        elif event.kind == "leave" and event.call == "rt_sigaction" and event.args.get("action"):
            name = str(event.args["signal"])
            handled = event.args["action"].get("handler") == "handler"
            life.handlers = life.handlers | {name} if handled else life.handlers - {name}

    def _point(self, event: Event, life: _Life) -> Point:
        left = self._left.get(event.seq) if event.kind == "enter" else event
        known = self._open.get(event.seq)
        outcome = "" if left is None or left.outcome is None else repr(left.outcome)
        moment = self._moment(event, life, known)
        shape = f"{moment.at} {moment.call or moment.signal_word()} {moment.on} {sort_of(left)}"
        before, life.before = life.before, shape
        return Point(
            event.process or 0,
            moment,
            event.seq,
            life.line,
            f"{life.line}|{before}|{shape}",
            outcome,
            known,
            _length(left),
            life.handlers,
            event.seq >= self._listening,
        )

    def _moment(self, event: Event, life: _Life, known: Open | None) -> Moment:
        if event.kind in ("enter", "leave"):
            return _call_moment(event, life, known)
        if event.kind == "signal":
            number = signal_number(event.signal or "")
            return Moment("signal", nth=life.count("signal", number), signal=number)
        return Moment(event.kind, nth=life.count(event.kind))


def _call_moment(event: Event, life: _Life, known: Open | None) -> Moment:
    """Counts the call under each name that means it, by the class of its descriptor and without."""
    call = event.call or "?"
    on = known.kind if known is not None and known.kind in _ASKED else None
    nth = 0
    for word in {call, *(word for word, also in FAMILIES.items() if call in also)}:
        for of in {on, None}:
            seen = life.count(event.kind, word, of)
            nth = seen if (word, of) == (call, on) else nth
    return Moment(event.kind, call, nth, on)


def sort_of(left: Event | None) -> str:
    """What sort of outcome a call had: an errno, nothing, something."""
    if left is None or left.outcome is None:
        return ""
    if left.outcome.errno is not None:
        return str(left.outcome.errno)
    return "0" if left.outcome.value == 0 else "+"


def _length(left: Event | None) -> int | None:
    if left is None or left.outcome is None or left.outcome.errno is not None:
        return None
    return left.outcome.value
