"""Calls of a case in C, and what they give when the conductor makes them fail."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..check_run import DESCRIPTOR
from ..errno_names import Errno
from ..event import Event
from ..lab import Lab
from ..moment import Moment, entering
from ..process import Process
from ..sweep.points import FAMILIES, Point, points
from .run import Change, Run

_NOTES = 2
"""Check opens a file, unlinks it, and writes so many notes before it runs the body."""
_ENDLESS = ("exit_group", "exit", "rt_sigreturn", "restart_syscall")
"""Calls that give nothing, or belong to another."""


@dataclass(frozen=True)
class CallChange(Change):
    """A call that is given an errno at its entry."""

    process: int = 1
    moment: Moment = entering("?")
    errno: str = Errno.EIO

    def arm(self, process: Process) -> None:
        """Has it injected, once the program is held at its exec."""
        process.lab.ask(
            "arm",
            process=self.process,
            moment=self.moment.wire(),
            action={"do": "inject", "errno": self.errno},
            to_come=True if self.process > process.number else None,
        )


@contextmanager
def changed(run: Run | None, lab: Lab) -> Iterator[Callable[[Process], object] | None]:
    """While a case in C runs in a lab: makes the run's change, or notes what can be changed.

    Gives what is to be done with its program while that is held at its exec.
    """
    change = run.change if run is not None else None
    try:
        yield change.arm if isinstance(change, CallChange) else None
    finally:
        if run is not None:
            _note(run, lab.events())


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
    errno = Errno.EPERM if point.outcome.startswith(Errno.EIO) else Errno.EIO
    where = "" if point.process == 1 else f" in process {point.process}"
    what = f"{moment.call} #{nth}{where}: {point.outcome}"
    return CallChange(f"{point.process}:{moment}", what, 1, point.process, moment, errno)


def calls_of_body(events: Sequence[Event]) -> list[Point]:
    """The calls that a case's body made, and its children: not the glue's, nor Check's."""
    first, last = _body(events)
    return [
        point
        for point in points(events)
        if point.moment.at == "enter"
        and first < point.seq < last
        and point.outcome
        and point.moment.call not in _ENDLESS
        and point.seq not in _told(events)
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
