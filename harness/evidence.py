"""The evidence: a case's time line, all processes side by side, for a person to read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import words
from .event import Event
from .segments import Segment

if TYPE_CHECKING:
    from .lab import Lab

_CLOCK = 10
"""Columns of the time, the gap behind it included."""
_NARROWEST = 21
"""Columns that a lane needs at least."""
_ROWS = 300
"""Rows shown at most; the middle of a longer time line is left out."""
_EVENTS = 4000
"""Events looked at, at most: the last ones."""
_INDENT = "  "
_PIECES = re.compile(r"[^ ,|]+[ ,|]*|[ ,|]+")
_OUTPUT = 10
"""Lines of a program's output shown."""


@dataclass(frozen=True)
class Party:
    """A process as the time line shows it."""

    number: int
    name: str
    parent: int | None
    program: int


@dataclass(frozen=True)
class Row:
    """One line of the ladder: something a process did, or a segment from one process's lane to another's."""

    time: int
    lane: int
    text: str
    towards: int | None = None
    """For a segment: the lane it goes to."""


@dataclass
class Evidence:
    """What there is to show. Pure: made from a lab, or by hand."""

    parties: Sequence[Party]
    events: Sequence[Event]
    segments: Sequence[Segment] = ()
    sockets: Sequence[str] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What was printed, by a heading."""
    earlier: int = 0
    """Events that came before the first one here."""

    @classmethod
    def of(cls, lab: "Lab") -> "Evidence":
        """The evidence of a lab as it stands."""
        earlier = max(0, lab.recorded() - _EVENTS)
        wires = lab.ask("processes")["processes"]
        parties = [Party(w["process"], w["name"], w["parent"], w["program"]) for w in wires]
        names = {party.number: party.name for party in parties}
        return cls(
            parties=parties,
            events=[e for e in lab.events(after=earlier) if e.kind != "segment"],
            segments=lab.traffic(after=earlier),
            sockets=[str(socket) for socket in lab.sockets()],
            outputs={
                f"{names[number]} ({stream})": streams.read(descriptor)
                for number, streams in lab.program_streams().items()
                for descriptor, stream in ((1, "output"), (2, "errors"))
            },
            earlier=earlier,
        )

    def text(self, width: int = 100) -> str:
        """The evidence as plain text.

        Args:
            width: columns.
        """
        if not self.parties:
            return "no program was started"
        lanes = Lanes.assign(self.parties, self.events, width)
        lines = self._ladder(lanes)
        if self.sockets:
            lines += ["sockets:", *(f"  {socket}" for socket in self.sockets)]
        for heading, printed in self.outputs.items():
            lines += _printed(heading, printed)
        return "\n".join(lines)

    def _ladder(self, lanes: "Lanes") -> list[str]:
        rows = sorted([*self._calls(lanes), *self._traffic(lanes)], key=lambda row: row.time)
        began = rows[0].time if rows else 0
        lines = lanes.header()
        if self.earlier:
            lines.append(f"  ({self.earlier} earlier events are left out)")
        for row in _middle_out(rows):
            left_out = [f"  ({len(rows) - _ROWS} rows are left out)"]
            lines += left_out if row is None else lanes.render(row, began)
        return lines

    def _calls(self, lanes: "Lanes") -> Iterable[Row]:
        events = _without_loading(self.events)
        leaving = {event.entered: event for event in events if event.kind == "leave"}
        for position, event in enumerate(events):
            if text := _told(event, _next(events, position), leaving, _previous(events, position)):
                lane = lanes.of(event.process or 0)
                prefix = f"#{event.process} " if lanes.shared(event.process or 0) else ""
                yield Row(event.time, lane, prefix + text)

    def _traffic(self, lanes: "Lanes") -> Iterable[Row]:
        for segment in self.segments:
            data = f" {segment.length}" if segment.length else ""
            yield Row(
                segment.time,
                lanes.of(segment.sender_process),
                f"{'' if segment.sender_process else '? '}{segment.flags}{data}",
                lanes.of(segment.receiver_process),
            )


@dataclass(frozen=True)
class Lanes:
    """Which columns belong to which process. A process that comes after a lane's owner has died may take it over."""

    parties: Sequence[Party]
    lanes: Mapping[int, int]
    sharing: frozenset[int]
    count: int
    width: int
    """Columns of one lane."""

    @classmethod
    def assign(cls, parties: Sequence[Party], events: Sequence[Event], width: int) -> "Lanes":
        """Gives each process a lane: its own while there is room, then a dead one's, else the last, shared."""
        room = max(1, (width - _CLOCK) // _NARROWEST)
        first = {party.number: _first(party, events) for party in parties}
        ends = {event.process: event.seq for event in events if event.kind == "dead"}
        lanes: dict[int, int] = {}
        owner: list[int] = []
        sharing = set()
        for party in parties:
            dead = [
                lane
                for lane, number in enumerate(owner)
                if _over(ends.get(number), first[party.number])
            ]
            if len(owner) < room:
                owner.append(party.number)
                lanes[party.number] = len(owner) - 1
            elif dead:
                owner[dead[0]] = party.number
                lanes[party.number] = dead[0]
            else:
                lanes[party.number] = room - 1
                sharing |= {party.number, owner[-1]}
        count = max(1, len(owner))
        return cls(parties, lanes, frozenset(sharing), count, (width - _CLOCK) // count)

    def of(self, process: int) -> int:
        """The lane of a process; the first for what belongs to none."""
        return self.lanes.get(process, 0)

    def shared(self, process: int) -> bool:
        """Whether its lane has several owners at a time, so that each row must say whose it is."""
        return process in self.sharing

    def header(self) -> list[str]:
        """The first lines: whose lane is whose."""
        titles = ["" for _ in range(self.count)]
        for party in self.parties:
            origin = f" (of {party.parent})" if party.parent else ""
            title = f"{party.number} {party.name}{origin}"
            lane = self.of(party.number)
            titles[lane] += f"; {title}" if titles[lane] else title
        return self._side_by_side("ms", [_wrap(title, self.width - 1) for title in titles])

    def render(self, row: Row, began: int) -> list[str]:
        """The lines of one row; its time counts from `began`."""
        clock = f"{(row.time - began) / 1e6:.3f}"
        if row.towards is not None and row.towards != row.lane:
            return [f"{clock:>{_CLOCK - 2}}  {self._arrow(row, row.towards)}"]
        text = row.text if row.towards is None else f"--{row.text}-->"
        cells = [[""] for _ in range(self.count)]
        cells[row.lane] = _wrap(text, self.width - 1)
        return self._side_by_side(clock, cells)

    def _arrow(self, row: Row, towards: int) -> str:
        left, right = sorted((row.lane, towards))
        # From the first column of one lane to the first columns of the other.
        span = (right - left) * self.width + 6
        label = f" {row.text} "
        if row.lane < towards:
            body = "|" + label.center(span - 2, "-") + ">"
        else:
            body = "<" + label.center(span - 2, "-") + "|"
        return " " * (left * self.width) + body

    def _side_by_side(self, clock: str, cells: Sequence[Sequence[str]]) -> list[str]:
        lines = []
        for number in range(max(map(len, cells))):
            parts = [cell[number] if number < len(cell) else "" for cell in cells]
            body = "".join(f"{part:<{self.width}}" for part in parts)
            lines.append(f"{clock if number == 0 else '':>{_CLOCK - 2}}  {body}".rstrip())
        return lines


def _first(party: Party, events: Sequence[Event]) -> int:
    return next((event.seq for event in events if event.process == party.number), 0)


def _over(end: int | None, begin: int) -> bool:
    return end is not None and end < begin


def _wrap(text: str, width: int) -> list[str]:
    """Breaks a text between words, and after the marks that part arguments and flags; a longer piece anywhere."""
    lines = [""]
    for piece in _PIECES.findall(text):
        while piece:
            room = width - len(lines[-1])
            fits = len(piece.rstrip()) <= room
            longer_than_a_line = len(piece) > width - len(_INDENT)
            taken = len(piece) if fits else room if longer_than_a_line else 0
            lines[-1] += piece[:taken]
            piece = piece[taken:]
            if piece:
                lines.append(_INDENT)
    return [line.rstrip() for line in lines]


def _middle_out(rows: Sequence[Row]) -> list[Row | None]:
    """The rows that are shown; None where the rest would be."""
    if len(rows) <= _ROWS:
        return list(rows)
    return [*rows[: _ROWS // 2], None, *rows[-(_ROWS - _ROWS // 2) :]]


def _next(events: Sequence[Event], position: int) -> Event | None:
    return events[position + 1] if position + 1 < len(events) else None


def _previous(events: Sequence[Event], position: int) -> Event | None:
    return events[position - 1] if position > 0 else None


def _told(
    event: Event, after: Event | None, leaving: Mapping[int | None, Event], before: Event | None
) -> str | None:
    """An event in words; None when the row of its neighbour tells it too."""
    if event.kind == "enter":
        at_once = after is not None and after.kind == "leave" and after.entered == event.seq
        if not at_once:
            return words.entered(event)
        # The arguments as the kernel filled them in, at the time of entering.
        return words.whole(replace(leaving[event.seq], call=event.call))
    if event.kind == "leave":
        told = before is not None and before.seq == event.entered
        return None if told else words.left(event)
    return words.other(event)


def _without_loading(events: Sequence[Event]) -> list[Event]:
    """Leaves out how the dynamic loader opens and reads libraries: true, but the same for every program."""
    library: set[tuple[int | None, int | None]] = set()
    dropped: set[int] = set()
    for event in events:
        if event.kind != "leave" or event.outcome is None or event.entered is None:
            continue
        place = (event.process, _descriptor(event))
        if _is_library(event):
            library.add((event.process, event.outcome.value))
            dropped |= {event.entered, event.seq}
        elif place in library and event.call in ("read", "close", "pread64"):
            dropped |= {event.entered, event.seq}
            library -= {place} if event.call == "close" else set()
    return [event for event in events if event.seq not in dropped]


def _is_library(event: Event) -> bool:
    if event.call not in ("open", "openat"):
        return False
    texts = [str(value) for value in event.args.values()]
    return any(".so." in text or text.endswith((".so", "/ld.so.cache")) for text in texts)


def _descriptor(event: Event) -> int | None:
    first = next(iter(event.args.values()), None)
    return first if isinstance(first, int) else None


def _printed(heading: str, printed: str) -> list[str]:
    lines = printed.splitlines()
    if not lines:
        return []
    shown = [f"  {line[:96]}" for line in lines[-_OUTPUT:]]
    if len(lines) > _OUTPUT:
        shown.insert(0, f"  ({len(lines) - _OUTPUT} lines are left out)")
    return [f"{heading}:", *shown]
