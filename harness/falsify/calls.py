"""Calls of a case in C, and what they give when the conductor makes them fail."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..errno_names import Errno
from ..lab.lab import Lab
from ..lab.moment import Moment, entering
from ..lab.process import Process
from ..sweep.points import FAMILIES, Point
from ..trace.event import Event
from .body import calls_of_body
from .run import Change, Run


@dataclass(frozen=True)
class CallChange(Change):
    """A call that is not made, and gives something else than it gave."""

    process: int = 1
    moment: Moment = entering("?")
    given: Sequence[Mapping[str, str | int]] = ()
    """The wrong values: each an errno or a value."""

    def arm(self, process: Process, choice: int) -> None:
        """Has one of them injected, once the program is held at its exec."""
        process.lab.ask(
            "arm",
            process=self.process,
            moment=self.moment.wire(),
            action={"do": "inject", **self.given[choice]},
            to_come=True if self.process > process.number else None,
        )


@contextmanager
def changed(run: Run | None, lab: Lab) -> Iterator[Callable[[Process], object] | None]:
    """While a case in C runs in a lab: makes the run's change, or notes what can be changed.

    Gives what is to be done with its program while that is held at its exec.
    """
    change = run.change if run is not None else None
    try:
        yield _arming(change, run.choice) if run and isinstance(change, CallChange) else None
    finally:
        if run is not None:
            _note(run, lab.events())


def _arming(change: CallChange, choice: int) -> Callable[[Process], object]:
    return lambda process: change.arm(process, choice)


def _note(run: Run, events: Sequence[Event]) -> None:
    if run.change is not None:
        run.struck = any(e.outcome is not None and e.outcome.injected for e in events)
        return
    made: Counter[tuple[int, str | None]] = Counter()
    for point in calls_of_body(events):
        made[point.process, point.moment.call] += 1
        nth = made[point.process, point.moment.call]
        change = _change(point, _moment(point, events), nth)
        run.found[change.key] = change


def _moment(point: Point, events: Sequence[Event]) -> Moment:
    """The same, counted whatever the call is made on: what a socket is may be otherwise than its calls tell."""
    call = str(point.moment.call)
    named = {call, *FAMILIES.get(call, ())}
    before = [e for e in events if e.kind == "enter" and e.process == point.process]
    return entering(call, sum(e.call in named and e.seq <= point.seq for e in before))


def _change(point: Point, moment: Moment, nth: int) -> CallChange:
    """
    Args:
        nth: the how manieth of its name the body has made, for people.
    """
    failed = point.outcome[:1] == "E"
    errno = Errno.EPERM if point.outcome.startswith(Errno.EIO) else Errno.EIO
    given: list[Mapping[str, str | int]] = [{"errno": errno}, *([{"value": 0}] if failed else [])]
    where = "" if point.process == 1 else f" in process {point.process}"
    what = f"{moment.call} #{nth}{where}: {point.outcome}"
    return CallChange(
        f"{point.process}:{moment}", what, len(given), len(given), point.process, moment, given
    )
