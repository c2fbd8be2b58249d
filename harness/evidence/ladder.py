"""The ladder: what stands in which lane and in which row. Pure; where on a page it stands is the sheet's business."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..trace.event import Event
from ..trace.folding import folded
from ..trace.frames import Frame
from ..trace.samples import Interval
from .places import Lane, Party, Places
from .rows import Kind, Letters, Row, Said, calls, flights
from .spans import Span, spans_of, with_state_rows


@dataclass(frozen=True)
class Ladder:
    """Everything a picture needs."""

    lanes: Sequence[Lane]
    rows: Sequence[Row]
    spans: Sequence[Span] = ()
    notes: Sequence[str] = ()
    """What is to be said below: which letter is which connection, what is not drawn."""

    @classmethod
    def of(
        cls,
        parties: Sequence[Party],
        events: Sequence[Event],
        frames: Sequence[Frame] = (),
        intervals: Sequence[Interval] = (),
        rows: int = 300,
    ) -> "Ladder":
        """The ladder of what was recorded.

        Args:
            rows: shown at most; the middle of a longer one is left out.
        """
        told = folded([event for event in events if event.kind != "segment"])
        places = Places.assign(parties, told, frames, intervals)
        letters = Letters(frames)
        made = [*calls(told, places), *flights(frames, places, letters)]
        ordered = sorted(made, key=lambda row: row.time)
        with_states = with_state_rows(ordered, intervals)
        spans, hidden = spans_of(with_states, intervals, places, letters)
        notes = [*letters.legend, *([f"{hidden} sockets more are not drawn"] if hidden else [])]
        ladder = cls(places.lanes, with_states, spans, notes)
        return ladder._inner_states_said()._shortened(rows)

    def _inner_states_said(self) -> "Ladder":
        """Only the outer lanes have a margin; in those between a state is a row's words."""
        inner = {span for span in self.spans if 0 < span.lane < len(self.lanes) - 1}
        said = [
            (
                span.begin + 1,
                Row(self.rows[span.begin].time, Said(span.lane, span.text, Kind.STATE)),
            )
            for span in sorted(inner, key=lambda span: span.begin)
        ]
        ladder = replace(self, spans=[span for span in self.spans if span not in inner])
        for place, row in reversed(said):
            ladder = ladder._with_row(place, row)
        return ladder

    def _with_row(self, place: int, row: Row) -> "Ladder":
        moved = [
            replace(
                span,
                begin=span.begin + (span.begin >= place),
                end=span.end + (span.end >= place),
                fades=span.fades + (span.fades >= place),
            )
            for span in self.spans
        ]
        return replace(self, rows=[*self.rows[:place], row, *self.rows[place:]], spans=moved)

    def _shortened(self, most: int) -> "Ladder":
        gone = len(self.rows) - most
        if gone <= 0:
            return self
        first, last = most // 2, most // 2 + gone  # left out: rows[first:last]
        words_ = Said(0, f"({gone} rows are left out)", Kind.FOLD)
        gap = Row(self.rows[first].time, words_)

        def moved(row: int) -> int:
            return row if row < first else first if row < last else row - gone + 1

        spans = [
            replace(s, begin=moved(s.begin), end=moved(s.end), fades=moved(s.fades))
            for s in self.spans
            if not first <= s.begin <= s.fades < last
        ]
        kept = [*self.rows[:first], gap, *self.rows[last:]]
        return replace(self, rows=kept, spans=spans)
