"""Spans: the states of sockets in the ladder's margins, from row to row."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..trace.samples import Interval
from .places import Places
from .rows import Letters, Row

_TRACKS = 4
"""Sockets whose states are drawn side by side in one margin."""
_LATE = 20_000_000
"""Nanoseconds after a row within which a state that is seen belongs to that row."""


@dataclass(frozen=True)
class Span:
    """A state in a lane's margin, from row to row."""

    lane: int
    track: int
    text: str
    state: str
    begin: int
    end: int
    """The last row in which it was seen."""
    fades: int
    """The last row before another state was seen, or it was gone: between `end` and this nobody looked."""


def with_state_rows(rows: Sequence[Row], intervals: Sequence[Interval]) -> list[Row]:
    """Adds a row for each change of state that was seen long after anything else, or of one that changed before in
    the same row."""
    done = list(rows)
    used: set[tuple[object, int]] = set()
    for interval in intervals:
        place = _row_at(done, interval.since)
        here = done[place].time if done else None
        late = here is None or interval.since - here > _LATE or (interval.key, here) in used
        if late:
            done.insert(
                place + 1 if done and done[0].time <= interval.since else 0,
                Row(interval.since, None),
            )
        used.add((interval.key, interval.since if late else here or 0))
    return done


def _row_at(rows: Sequence[Row], time: int) -> int:
    """The last row that is not after a time; the first one where all are."""
    return max(0, bisect_right(rows, time, key=_time) - 1)


def _time(row: Row) -> int:
    return row.time


def spans_of(
    rows: Sequence[Row], intervals: Sequence[Interval], places: Places, letters: Letters
) -> tuple[list[Span], int]:
    """The spans, and how many sockets found no track."""
    tracks = _Tracks(rows)
    spans = []
    hidden = set()
    for interval in intervals:
        lane = places.of_interval(interval)
        begin = _row_at(rows, interval.since)
        track = tracks.take(lane, interval, begin)
        if track is None:
            hidden.add(interval.key)
            continue
        fades = tracks.last(interval)
        end = min(_row_at(rows, interval.seen), fades)
        letter = letters.of(interval.local, interval.remote)
        spans.append(
            Span(
                lane,
                track,
                letter + interval.state,
                str(interval.state),
                begin,
                max(begin, end),
                max(begin, fades),
            )
        )
    return spans, len(hidden)


class _Tracks:
    """Which socket has which track of a margin. One that is gone leaves its track to others."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._owners: dict[int, list[tuple[object, int]]] = {}

    def last(self, interval: Interval) -> int:
        """The last row that an interval reaches to."""
        if interval.until is None:
            return len(self._rows) - 1
        return _row_at(self._rows, interval.until) - 1

    def take(self, lane: int, interval: Interval, begin: int) -> int | None:
        """The track of an interval's socket."""
        owners = self._owners.setdefault(lane, [])
        mine = (interval.key, max(begin, self.last(interval)))
        free: Callable[[tuple[object, int]], bool] = lambda o: o[0] == interval.key or o[1] < begin
        # Its own before another's.
        for wanted in (lambda o: o[0] == interval.key, free):
            for track, owner in enumerate(owners):
                if wanted(owner):
                    owners[track] = mine
                    return track
        if len(owners) == _TRACKS:
            return None
        owners.append(mine)
        return len(owners) - 1
