"""Folding: calls that are true but the same for every program, each run of them in one line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from .event import Event

FOLD = "fold"
"""The kind of the event that stands for folded calls; its name says what they were."""

_READING = frozenset({"read", "pread64", "close", "fcntl", "lseek"})
_ASKING = frozenset(
    {"bind", "connect", "getsockname", "sendto", "sendmsg", "recvfrom", "recvmsg", "close"}
)
_LOOKING = frozenset({"connect", "getsockname", "close"})
"""What getaddrinfo does with a datagram socket to learn which source address a destination would have."""
_ALL_SIGNALS = 60
"""As good as all of the 64: nobody but an emulator asks about so many."""
_SHOWN = 3


@dataclass(frozen=True)
class _Made:
    """A call that was entered, and left if it was."""

    enter: Event
    leave: Event | None

    @property
    def value(self) -> int | None:
        return (
            None if self.leave is None or self.leave.outcome is None else self.leave.outcome.value
        )

    @property
    def harmless(self) -> bool:
        """Left, by the kernel's own doing, with success or because a file is not there."""
        outcome = None if self.leave is None else self.leave.outcome
        if outcome is None or outcome.injected:
            return False
        return outcome.errno in (None, "ENOENT")

    @property
    def descriptor(self) -> int | None:
        first = next(iter(self.enter.args.values()), None)
        return first if isinstance(first, int) else None

    @property
    def path(self) -> str | None:
        if self.enter.call not in ("open", "openat"):
            return None
        values = (self.leave or self.enter).args.values()
        return next(
            (str(v) for v in values if isinstance(v, str) and not v.startswith("AT_")), None
        )


def folded(events: Sequence[Event]) -> list[Event]:
    """The events, with runs of calls replaced by one event of kind FOLD each.

    Folded are what an emulator does before it runs its program, what the loader does before main, and runs of calls about descriptors that are opened and closed within
    the run and are no more than looked up in: files read, netlink, the probes of getaddrinfo.
    """
    dropped: set[int] = set()
    instead: dict[int, Event] = {}
    for calls in _by_life(events):
        begun = _emulating(calls)
        loaded = begun + _loading(calls[begun:])
        runs = [(calls[:begun], _emulator), (calls[begun:loaded], _loader)]
        runs = [(run, tell) for run, tell in runs if run]
        runs += [(run, _aside) for run in _runs(calls[loaded:])]
        for run, tell in runs:
            dropped |= {event.seq for made in run for event in (made.enter, made.leave) if event}
            first = run[0].enter
            instead[first.seq] = Event(
                first.seq, first.time, FOLD, first.process, first.thread, name=tell(run)
            )
    return [instead.get(e.seq, e) for e in events if e.seq not in dropped or e.seq in instead]


def of_loader(events: Sequence[Event]) -> set[int]:
    """The seqs of the events that are the loader's, before main."""
    return {
        event.seq
        for calls in _by_life(events)
        for made in calls[: _loading(calls)]
        for event in (made.enter, made.leave)
        if event
    }


def _by_life(events: Sequence[Event]) -> Iterable[list[_Made]]:
    """The calls of each process, from one exec to the next."""
    leaving = {event.entered: event for event in events if event.kind == "leave"}
    lives: dict[int | None, list[_Made]] = {}
    for event in events:
        if event.kind == "exec":
            yield lives.pop(event.process, [])
        elif event.kind == "enter":
            made = _Made(event, leaving.get(event.seq))
            lives.setdefault(event.process, []).append(made)
    yield from lives.values()


# --- an emulator ---------------------------------------------------------------------------------------------------


def _emulating(calls: Sequence[_Made]) -> int:
    """How many of the calls at the beginning are those of an emulator that prepares: it ends with asking about all signals."""
    asked: set[object] = set()
    for number, made in enumerate(calls):
        if made.enter.call == "rt_sigaction":
            asked.add(next(iter(made.enter.args.values()), None))
        elif len(asked) >= _ALL_SIGNALS:
            return number
    return 0


def _emulator(run: Sequence[_Made]) -> str:
    return f"({len(run)} calls of the emulator)"


# --- the loader ----------------------------------------------------------------------------------------------------


def _loading(calls: Sequence[_Made]) -> int:
    """How many of the calls at the beginning are the loader's."""
    libraries: set[int] = set()
    for number, made in enumerate(calls):
        if made.path is not None and _is_library(made.path):
            libraries |= set() if made.value is None else {made.value}
        elif made.descriptor not in libraries or made.enter.call not in _READING:
            return number
        elif made.enter.call == "close":
            libraries.discard(made.descriptor or 0)
    return len(calls)


def _is_library(path: str) -> bool:
    return ".so." in path or path.endswith((".so", "/ld.so.cache", "/ld.so.preload"))


def _loader(run: Sequence[_Made]) -> str:
    names = {PurePath(made.path or "").name for made in run if made.path and made.value is not None}
    libraries = sorted(names - {"ld.so.cache"})
    return _told(len(run), "of the loader", libraries)


# --- what is looked up aside ---------------------------------------------------------------------------------------


def _runs(calls: Sequence[_Made]) -> Iterable[list[_Made]]:
    """Runs of calls that open something, look into it and close it."""
    run: list[_Made] = []
    whole = 0  # of the run, what has closed all that it opened
    opened: dict[int, frozenset[str]] = {}
    for made in calls:
        if not _belongs(made, opened):
            yield from [run[:whole]] if whole > 1 else []
            run, whole, opened = [], 0, {}
            if not _belongs(made, opened):
                continue
        run.append(made)
        whole = len(run) if not opened else whole
    yield from [run[:whole]] if whole > 1 else []


def _belongs(made: _Made, opened: dict[int, frozenset[str]]) -> bool:
    if not made.harmless:
        return False
    uses = _uses(made)
    if uses is not None:
        opened.update({} if made.value is None else {made.value: uses})
        return True
    descriptor = -1 if made.descriptor is None else made.descriptor
    if made.enter.call not in opened.get(descriptor, ()):
        return False
    if made.enter.call == "close":
        del opened[descriptor]
    return True


def _uses(made: _Made) -> frozenset[str] | None:
    """What may be done with the descriptor that a call opens, if it is of the kind that is looked up in."""
    if made.path is not None:
        return _READING
    if made.enter.call != "socket":
        return None
    words = [word for value in made.enter.args.values() for word in _words(value)]
    if "AF_NETLINK" in words:
        return _ASKING
    return _LOOKING if "SOCK_DGRAM" in words and "AF_UNIX" not in words else None


def _words(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _aside(run: Sequence[_Made]) -> str:
    kinds = {_READING: "", _ASKING: "netlink", _LOOKING: "a datagram socket"}
    opened = [(made, uses) for made in run if (uses := _uses(made)) is not None]
    return _told(
        len(run),
        "aside",
        list(dict.fromkeys(kinds[uses] or str(made.path) for made, uses in opened)),
    )


def _told(count: int, whose: str, things: Sequence[str]) -> str:
    shown = [*things[:_SHOWN], *(["..."] if len(things) > _SHOWN else [])]
    return f"({count} calls {whose}: {', '.join(shown)})" if shown else f"({count} calls {whose})"
