"""What a list of sockets leaves out where the kernel tells only of those that a process holds.

Two kinds of TCP sockets nobody holds: orphans, whose processes have let go of them (TIME_WAIT above all), and
connections that no accept has returned yet. Where the kernel keeps quiet about them, a list is whole as long as there
can be none, which is known from what the processes did.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errno_names import Errno
from ..trace.event import Event
from ..trace.sockets import (
    CLOSE_WAIT,
    CLOSING,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    SYN_RECEIVED,
    TIME_WAIT,
    Filter,
    State,
)

if TYPE_CHECKING:
    from .lab import Lab

_ORPHANS = frozenset({FIN_WAIT1, FIN_WAIT2, CLOSING, LAST_ACK, TIME_WAIT})
_QUEUED = frozenset({SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT})
_CALLS = ["connect", "accept", "close", "dup", "dup2"]


def unseen(lab: "Lab", wanted: Filter) -> str | None:
    """Why a list of the sockets that a filter means may not be whole; None if it is."""
    if not {"orphans", "queued"} & lab.about.lacks or not _of_tcp(wanted):
        return None
    happened = lab.events(kinds=["fork", "dead"]) + lab.events(kinds=["leave"], calls=_CALLS)
    ends = Ends(sorted(happened, key=lambda event: event.seq))
    if "orphans" in lab.about.lacks and ends.let_go and _means(wanted, _ORPHANS):
        return "this kernel does not tell of sockets that no process holds any more"
    if "queued" in lab.about.lacks and ends.queued and _means(wanted, _QUEUED):
        return "this kernel does not tell of connections before accept returns them"
    return None


def held_only(wanted: Filter) -> bool:
    """Whether a filter means states that only a process's own doing leads to: no orphan's."""
    return not wanted.states or not set(wanted.states) <= _ORPHANS


def _of_tcp(wanted: Filter) -> bool:
    return wanted.family != "AF_UNIX" and wanted.type in (None, "SOCK_STREAM")


def _means(wanted: Filter, states: frozenset[State]) -> bool:
    return not wanted.states or bool(states & set(wanted.states))


class Ends:
    """The ends of connections, and which process holds which, by what happened.

    Descriptors that were copied in another way than by fork and dup are not followed: what is found then is a reason
    too many to doubt a list, never one too few.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.let_go = False
        """Some end was held, and is so no more."""
        self.queued = 0
        """Connections that were made and not accepted."""
        self._held: dict[int, dict[int, int]] = defaultdict(dict)
        """By process and descriptor: the number of the end."""
        self._count = 0
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        process = event.process or 0
        if event.kind == "fork":
            self._held[event.child or 0] = dict(self._held[process])
        elif event.kind == "dead":
            self._lose(self._held.pop(process, {}).values())
        elif event.outcome is not None and event.outcome.value is not None:
            self._succeed(event, self._held[process], event.outcome.value)
        elif event.call == "connect" and event.outcome == Errno.EINPROGRESS:
            self._connect(self._held[process], event.args["fd"])

    def _succeed(self, event: Event, mine: dict[int, int], value: int) -> None:
        if event.call == "connect":
            self._connect(mine, event.args["fd"])
        elif event.call == "accept":
            self.queued -= 1
            self._make(mine, value)
        elif event.call == "close":
            self._drop(mine, event.args["fd"])
        elif value != event.args["fd"]:  # dup, dup2
            self._drop(mine, value)
            if event.args["fd"] in mine:
                mine[value] = mine[event.args["fd"]]

    def _connect(self, mine: dict[int, int], fd: int) -> None:
        if fd not in mine:
            self.queued += 1
            self._make(mine, fd)

    def _make(self, mine: dict[int, int], fd: int) -> None:
        self._count += 1
        mine[fd] = self._count

    def _drop(self, mine: dict[int, int], fd: int) -> None:
        if fd in mine:
            self._lose([mine.pop(fd)])

    def _lose(self, ends: Iterable[int]) -> None:
        still = {end for table in self._held.values() for end in table.values()}
        self.let_go = self.let_go or bool(set(ends) - still)
