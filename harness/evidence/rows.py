"""Rows: what happened, each thing in a lane or between two of them."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..trace.event import Event
from ..trace.folding import FOLD
from ..trace.frames import Frame, Numbers, connections
from ..trace.segments import Flag
from ..trace.sockets import Endpoint
from . import words
from .places import Places, plain

_DISTINCT = "abcdefghijklmnopqrstuvwxyz"


class Kind(enum.Enum):
    """What a row's words are, for those who give them a colour."""

    CALL = "call"
    ERROR = "error"
    NOTE = "note"
    FOLD = "fold"
    STATE = "state"


@dataclass(frozen=True)
class Way:
    """How a fate is drawn: the part of the way from lane to lane, the mark and the word."""

    begin: float
    end: float
    mark: str
    """head, double, cross or bar: at the arrow's end. Where the way does not begin at a lane, a dot is there."""
    word: str = ""
    solid: bool = True


_WAITED = 0.2
"""Where what was held or forged begins its way."""
PASSED = Way(0.0, 1.0, "head")
FATES: Mapping[str, Way] = {
    "passed": PASSED,
    "dropped": Way(0.0, 0.8, "cross", "dropped", False),
    "cut": Way(0.0, 0.8, "cross", "wire cut", False),
    "held": Way(0.0, 0.8, "bar", "held", False),
    "delayed": Way(0.0, 0.8, "bar", "delayed", False),
    "released": Way(_WAITED, 1.0, "head", "released"),
    "duplicated": Way(0.0, 1.0, "double", "duplicated"),
    "forged": Way(_WAITED, 1.0, "head", "forged", False),
}
"""What was held or delayed arrives as an event of its own."""


@dataclass(frozen=True)
class Said:
    """Words in a lane."""

    lane: int
    text: str
    kind: Kind = Kind.CALL


@dataclass(frozen=True)
class Flight:
    """A frame from one lane to another."""

    lane: int
    towards: int
    text: str
    way: Way = PASSED
    kind: str = "ack"
    """syn, fin, rst, data, ack or other."""


@dataclass(frozen=True)
class Row:
    """What happened at one time."""

    time: int
    what: Said | Flight | None
    """None: only a state was seen to change."""


class Letters:
    """Letters for connections, where there are several."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        found = [pair for pair in connections(frames) if all(end.port for end in pair)]
        self._letters = (
            {
                pair: _DISTINCT[n] if n < len(_DISTINCT) else str(n + 1)
                for n, pair in enumerate(found)
            }
            if len(found) > 1
            else {}
        )
        self.legend = [
            f"{letter}: {' and '.join(sorted(map(str, pair)))}"
            for pair, letter in self._letters.items()
        ]

    def of(self, one: Endpoint, other: Endpoint | None) -> str:
        """The letter of a connection, with a space; nothing where there is only one."""
        pair = frozenset((plain(one), plain(other))) if other else frozenset()
        letter = self._letters.get(pair)
        return f"{letter} " if letter else ""


def calls(events: Sequence[Event], places: Places) -> Iterable[Row]:
    kept = _without_exiting(events)
    leaving = {event.entered: event for event in kept if event.kind == "leave"}
    for position, event in enumerate(kept):
        before = kept[position - 1] if position else None
        after = kept[position + 1] if position + 1 < len(kept) else None
        told = _told(event, after, leaving, before)
        if told:
            lane = places.of_process.get(event.process or 0, 0)
            label = places.lanes[lane].label(event.process or 0)
            yield Row(event.time, Said(lane, label + told[0], told[1]))


def _without_exiting(events: Sequence[Event]) -> list[Event]:
    """Leaves out the exit stop of a process that has just called exit itself: its row says so."""
    last: dict[int | None, Event] = {}
    kept = []
    for event in events:
        before = last.get(event.process)
        if not (event.kind == "exit" and before is not None and before.call == "exit_group"):
            kept.append(event)
        last[event.process] = event
    return kept


def _told(
    event: Event, after: Event | None, leaving: Mapping[int | None, Event], before: Event | None
) -> tuple[str, Kind] | None:
    """An event in words; None when the row of its neighbour tells it too."""
    if event.kind == "enter":
        at_once = after is not None and after.kind == "leave" and after.entered == event.seq
        if not at_once:
            return words.entered(event), Kind.CALL
        # The arguments as the kernel filled them in, at the time of entering.
        leave = leaving[event.seq]
        return words.whole(replace(leave, call=event.call)), _kind(leave)
    if event.kind == "leave":
        told = before is not None and before.seq == event.entered
        return None if told else (words.left(event), _kind(event))
    if event.kind == FOLD:
        return event.name or "", Kind.FOLD
    return words.other(event), Kind.NOTE


def _kind(leave: Event) -> Kind:
    failed = leave.outcome is not None and leave.outcome.errno is not None
    return Kind.ERROR if failed else Kind.CALL


def flights(frames: Sequence[Frame], places: Places, letters: Letters) -> Iterable[Row]:
    numbers = Numbers()
    for frame in frames:
        segment = frame.segment
        lane, towards = places.ends(frame)
        way = FATES.get(frame.fate, replace(PASSED, word=frame.fate))
        if frame.coming:  # it was on the wire already
            way = replace(way, begin=_WAITED)
        text = letters.of(segment.source, segment.destination) + numbers.words(frame)
        if lane == towards:
            told = f"{text} {way.word}".rstrip()
            yield Row(segment.time, Said(lane, f"~ {told}", Kind.NOTE))
        else:
            yield Row(segment.time, Flight(lane, towards, text, way, _sort(frame)))


def _sort(frame: Frame) -> str:
    segment = frame.segment
    if frame.protocol != "TCP":
        return "other"
    for flag, name in ((Flag.RST, "rst"), (Flag.SYN, "syn"), (Flag.FIN, "fin")):
        if segment.flags & flag:
            return name
    return "data" if segment.length else "ack"
