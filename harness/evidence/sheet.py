"""The sheet: where on a page each piece of a ladder stands. Pure; a character grid and a picture use the same rules.

A page has, from left to right: the clock, the states of the first lane, the ladder itself, the states of the last lane.
The calls of the first lane stand at its left rail, those of the last lane at its right one, and so both have room.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .ladder import Ladder
from .places import Lane
from .rows import Flight, Row, Said
from .spans import Span

_PIECES = re.compile(r"(?:= )?[^ ,|]+[ ,|]*|[ ,|]+")


@dataclass(frozen=True)
class Metrics:
    """Sizes, in the units of the page."""

    width: float
    """Of the page."""
    char: float
    """The advance of a character of calls."""
    small: float
    """Of a character of the clock and of states."""
    line: float
    """The height of a line."""
    gap: float
    """Between rows."""
    pad: float
    """Between neighbours in a row."""
    track: float
    """The width of a state's bar, with the space beside it."""
    rise: float
    """From an arrow's words up to, or down from, its line; 0 writes them on the line."""
    indent: int = 2
    """Characters by which what is continued stands further in."""


@dataclass(frozen=True)
class Box:
    """One line of words and the room that it takes."""

    x: float
    y: float
    width: float
    height: float
    text: str
    style: str
    """clock, title, note, state-ESTABLISHED, flight-syn, or a row's kind."""
    small: bool = False


@dataclass(frozen=True)
class Arrow:
    """The line of a frame, from `begin` to `end`."""

    begin: float
    end: float
    y: float
    style: str
    mark: str
    origin: bool
    """Whether it begins at a rail; else somewhere on the wire."""
    solid: bool


@dataclass(frozen=True)
class Dot:
    """A mark on a rail: something was said there."""

    x: float
    y: float
    style: str


@dataclass(frozen=True)
class Bar:
    """A state's interval in a margin."""

    x: float
    top: float
    bottom: float
    """Where it was last seen."""
    fades: float
    """Where something else was seen."""
    state: str


@dataclass(frozen=True)
class Sheet:
    """All pieces of a page."""

    width: float
    height: float
    top: float
    """Where the rails begin."""
    bottom: float
    rails: Sequence[float]
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    bars: Sequence[Bar]
    dots: Sequence[Dot]


def lay_out(ladder: Ladder, metrics: Metrics) -> Sheet:
    """Gives every piece its place."""
    return _Layout(ladder, metrics).sheet()


class _Layout:
    """Goes down the page, row by row."""

    def __init__(self, ladder: Ladder, metrics: Metrics) -> None:
        self._ladder = ladder
        self._m = metrics
        self._boxes: list[Box] = []
        self._arrows: list[Arrow] = []
        self._dots: list[Dot] = []
        self._bottoms: list[float] = []
        self._starts: dict[Span, float] = {}
        self._began = ladder.rows[0].time if ladder.rows else 0
        self._clock = max([len("ms"), *(len(self._time(row)) for row in ladder.rows)]) + 1
        self._left = self._margin(0)
        self._right = self._margin(self._last) if self._last else 0.0
        first = self._clock * metrics.small + metrics.pad + self._left
        self._rails = self._place_rails(first, metrics.width - metrics.pad - self._right)

    @property
    def _last(self) -> int:
        return len(self._ladder.lanes) - 1

    def _margin(self, lane: int) -> float:
        """The width of a lane's margin: the longest state and all tracks."""
        spans = [span for span in self._ladder.spans if span.lane == lane]
        if not spans:
            return self._m.pad
        longest = max(len(span.text) for span in spans) * self._m.small
        return longest + self._tracks(lane) + 2 * self._m.pad

    def _tracks(self, lane: int) -> float:
        used = [span.track + 1 for span in self._ladder.spans if span.lane == lane]
        return max(used, default=0) * self._m.track

    def _place_rails(self, first: float, last: float) -> list[float]:
        steps = max(1, self._last)
        return [self._snap(first + (last - first) * n / steps) for n in range(self._last + 1)]

    def _snap(self, x: float) -> float:
        return x if self._m.rise else float(round(x))

    def _time(self, row: Row) -> str:
        return f"{(row.time - self._began) / 1e6:.3f}"

    # --- the page ----------------------------------------------------------------------------------------------

    def sheet(self) -> Sheet:
        """The whole of it."""
        top = self._titles()
        y = top
        for number, row in enumerate(self._ladder.rows):
            y = self._row(number, row, y)
            self._bottoms.append(y)
            y += self._m.gap
        bottom = y
        bars = [self._bar(span) for span in self._ladder.spans]
        height = self._notes(bottom)
        return Sheet(
            self._m.width,
            height,
            top,
            bottom,
            self._rails,
            self._boxes,
            self._arrows,
            bars,
            self._dots,
        )

    def _titles(self) -> float:
        m = self._m
        self._line(m.pad, m.gap, "ms".rjust(self._clock - 1), "clock", small=True)
        bottoms = [self._title(lane, n, m.gap) for n, lane in enumerate(self._ladder.lanes)]
        return max(bottoms, default=m.gap + m.line) + m.gap

    def _title(self, lane: Lane, number: int, y: float) -> float:
        left, right, anchor = self._title_room(number)
        needed = max(map(len, lane.title), default=0) * self._m.char
        if anchor == "left":  # what finds no room over the calls may stand over the margin
            left = max(self._clock * self._m.small + self._m.pad, min(left, right - needed))
        elif anchor == "right":
            right = min(self._m.width - self._m.pad, max(right, left + needed))
        for title in lane.title:
            y = self._lines(title, self._snap(left), self._snap(right), y, "title", anchor)
        return y

    def _title_room(self, number: int) -> tuple[float, float, str]:
        """Titles stand over the calls of their lane; side by side they share the page out."""
        m, rails = self._m, self._rails
        if self._last == 0:
            return rails[0], m.width - m.pad, "left"
        half = (rails[1] - rails[0]) / 2 - m.pad
        if number == 0:
            return rails[0], rails[0] + half, "left"
        if number == self._last:
            return rails[-1] - half, rails[-1] + m.pad, "right"
        return rails[number] - half, rails[number] + half, "middle"

    def _notes(self, y: float) -> float:
        for note in self._ladder.notes:
            y = self._lines(note, self._rails[0], self._m.width - self._m.pad, y, "note", "left")
        return y + self._m.gap

    # --- a row -------------------------------------------------------------------------------------------------

    def _row(self, number: int, row: Row, y: float) -> float:
        """Places a row; where it ends."""
        text = self._time(row).rjust(self._clock - 1)
        self._line(self._m.pad, y, text, "clock", small=True)
        ends = [y + self._m.line, self._what(row, y)]
        ends += [self._states(number, lane, y) for lane in {0, self._last}]
        return max(ends)

    def _what(self, row: Row, y: float) -> float:
        match row.what:
            case Said():
                left, right, anchor = self._room(row.what.lane)
                style = row.what.kind.value
                rail = self._rails[row.what.lane]
                self._dots.append(Dot(rail, y + self._m.line / 2, style))
                return self._lines(row.what.text, left, right, y, style, anchor)
            case Flight():
                return self._flight(row.what, y)
            case _:
                return y

    def _room(self, lane: int) -> tuple[float, float, str]:
        """Where the words of a lane stand, and at which side."""
        pad, rails = self._m.pad, self._rails
        rim = 1.0 if not self._m.rise else 0.0  # on a grid the rail takes a place of its own
        if self._last == 0:
            return rails[0] + rim + pad, self._m.width - pad, "left"
        if lane == self._last:
            return rails[-2] + rim + pad, rails[-1] - pad, "right"
        return rails[lane] + rim + pad, rails[lane + 1] - pad, "left"

    def _flight(self, flight: Flight, y: float) -> float:
        m = self._m
        begin, end = self._rails[flight.lane], self._rails[flight.towards]
        length = end - begin
        from_, to = begin + length * flight.way.begin, begin + length * flight.way.end
        left, right = sorted((self._snap(from_), self._snap(to)))
        text = f"{flight.text} {flight.way.word}".rstrip()
        style = f"flight-{flight.kind}"
        room = 4 * m.pad if not m.rise else 2 * m.pad
        bottom = self._lines(text, left + room, right - room, y, style, "middle")
        at = bottom + m.rise / 2 if m.rise else y
        origin = flight.way.begin == 0
        self._arrows.append(
            Arrow(
                self._snap(from_),
                self._snap(to),
                at,
                style,
                flight.way.mark,
                origin,
                flight.way.solid,
            )
        )
        return bottom + m.rise

    def _states(self, number: int, lane: int, y: float) -> float:
        """The states that begin in a row, one below the other."""
        m = self._m
        for span in self._ladder.spans:
            if span.lane != lane or span.begin != number:
                continue
            self._starts[span] = y
            beside = self._tracks(lane) + m.pad
            width = len(span.text) * m.small
            x = self._rails[0] - beside - width
            if lane and lane == self._last:
                x = self._rails[-1] + beside + (0.0 if m.rise else 1.0)
            self._line(x, y, span.text, f"state-{span.state}", small=True)
            y += m.line
        return y

    def _bar(self, span: Span) -> Bar:
        m = self._m
        right = span.lane > 0
        beside = (span.track + 0.5) * m.track + (m.pad / 2 if m.rise else 0)
        x = self._rails[-1] + beside if right else self._rails[0] - beside
        if not m.rise:
            x = self._rails[-1] + 1 + span.track if right else self._rails[0] - 1 - span.track
        return Bar(
            x,
            self._starts[span],
            self._bottoms[span.end],
            self._bottoms[span.fades],
            span.state,
        )

    # --- words -------------------------------------------------------------------------------------------------

    def _lines(
        self, text: str, left: float, right: float, y: float, style: str, anchor: str
    ) -> float:
        """Places words, wrapped between left and right; where they end."""
        m = self._m
        # What a rounding error takes away is no character.
        room = max(4, int((right - left) / m.char + 1e-6))
        for line in wrap(text, room, m.indent if anchor != "middle" else 0):
            width = len(line) * m.char
            free = max(0.0, right - left - width)
            x = left + {"left": 0.0, "middle": self._snap(free / 2), "right": free}[anchor]
            self._line(x, y, line, style)
            y += m.line
        return y

    def _line(self, x: float, y: float, text: str, style: str, small: bool = False) -> None:
        char = self._m.small if small else self._m.char
        if text.strip():
            self._boxes.append(Box(x, y, len(text) * char, self._m.line, text, style, small))


def wrap(text: str, width: int, indent: int = 2) -> list[str]:
    """Breaks a text between words, and after the marks that part arguments and flags; a longer piece anywhere."""
    lines = [""]
    for piece in _PIECES.findall(text):
        while piece:
            room = max(0, width - len(lines[-1]))
            fits = len(piece.rstrip()) <= room
            longer_than_a_line = len(piece.rstrip()) > width - indent
            taken = len(piece) if fits else room if longer_than_a_line else 0
            lines[-1] += piece[:taken]
            piece = piece[taken:]
            if piece:
                lines.append(" " * indent)
    return [line.rstrip() for line in lines]


def overlapping(boxes: Iterable[Box]) -> list[tuple[Box, Box]]:
    """The pairs of boxes that share room."""
    found = []
    under: list[Box] = []
    for box in sorted(boxes, key=lambda box: box.y):
        under = [other for other in under if other.y + other.height > box.y + 1e-6]
        for other in under:
            apart = other.x + other.width <= box.x + 1e-6 or box.x + box.width <= other.x + 1e-6
            found += [] if apart else [(other, box)]
        under.append(box)
    return found
