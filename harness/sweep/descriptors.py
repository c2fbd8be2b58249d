"""What descriptors were, told from the calls that were made: replays the table of each process."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..lab.moment import Descriptor
from ..trace.event import Event


@dataclass(frozen=True)
class Open:
    """An open descriptor, as far as calls tell."""

    kind: Descriptor
    stream: bool = False
    """Whether it is a socket of TCP or of a UNIX stream."""
    nonblocking: bool = False
    edge: bool = False
    """Whether epoll tells of it by edges: what was told once is not told again."""
    cloexec: bool = False


_STANDARD = {
    0: Open(Descriptor.PIPE),
    1: Open(Descriptor.FILE),
    2: Open(Descriptor.FILE),
}
_FIRST = ("fd", "out", "in", "epoll")
"""The names of a call's argument that is its first descriptor."""


class Tables:
    """The descriptor tables of a program's processes, at one event after another."""

    def __init__(self) -> None:
        self._tables: dict[int, dict[int, Open]] = {}

    def _of(self, process: int) -> dict[int, Open]:
        return self._tables.setdefault(process, dict(_STANDARD))

    def subject(self, event: Event) -> Open | None:
        """What the first descriptor of a call is; None if it has none, or nobody knows."""
        for name, value in event.args.items():
            if name in _FIRST and isinstance(value, int):
                return self._of(event.process or 0).get(value)
        return None

    def take(self, event: Event) -> None:
        """Goes on by one event."""
        process = event.process or 0
        if event.kind == "fork" and event.child is not None:
            self._tables[event.child] = dict(self._of(process))
        elif event.kind == "exec":
            kept = {n: d for n, d in self._of(process).items() if not d.cloexec}
            self._tables[process] = kept
        elif event.kind == "leave" and event.outcome is not None and event.outcome.errno is None:
            change = _CHANGES.get(event.call or "")
            if change is not None:
                change(self._of(process), event.args, event.outcome.value or 0)


def _flags(value: object) -> set[str]:
    return {str(flag) for flag in value} if isinstance(value, list) else {str(value)}


def _is_stream(args: Mapping[str, Any], flags: set[str]) -> bool:
    return "SOCK_STREAM" in flags and args.get("domain") in ("AF_INET", "AF_INET6", "AF_UNIX")


def _opens(kind: Descriptor) -> Any:
    """A call whose value is a new descriptor."""

    def change(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
        flags = set().union(*(_flags(args.get(name)) for name in ("flags", "type")))
        table[value] = Open(
            kind,
            stream=_is_stream(args, flags),
            nonblocking=any(flag.endswith("_NONBLOCK") for flag in flags),
            cloexec=any(flag.endswith("_CLOEXEC") for flag in flags),
        )

    return change


def _accept(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    flags = _flags(args.get("flags"))
    listener = table.get(args["fd"], Open(Descriptor.LISTENING, stream=True))
    table[value] = Open(
        Descriptor.CONNECTION,
        stream=listener.stream,
        nonblocking="SOCK_NONBLOCK" in flags,
        cloexec="SOCK_CLOEXEC" in flags,
    )


def _pair(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    del value
    flags = set().union(*(_flags(args.get(name)) for name in ("flags", "type")))
    kind = Descriptor.CONNECTION if "domain" in args else Descriptor.PIPE
    for descriptor in args.get("fds") or ():
        table[descriptor] = Open(
            kind,
            nonblocking=any(flag.endswith("_NONBLOCK") for flag in flags),
            cloexec=any(flag.endswith("_CLOEXEC") for flag in flags),
        )


def _listen(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    del value
    table[args["fd"]] = replace(
        table.get(args["fd"], Open(Descriptor.LISTENING)), kind=Descriptor.LISTENING, stream=True
    )


def _close(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    del value
    table.pop(args["fd"], None)


def _close_range(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    del value
    for descriptor in [d for d in table if args["first"] <= d <= args["last"]]:
        if "CLOSE_RANGE_CLOEXEC" in _flags(args.get("flags")):
            table[descriptor] = replace(table[descriptor], cloexec=True)
        else:
            del table[descriptor]


def _dup(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    if args["fd"] in table and args["fd"] != value:
        table[value] = replace(table[args["fd"]], cloexec="O_CLOEXEC" in _flags(args.get("flags")))


def _fcntl(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    known, command = table.get(args["fd"]), args.get("command")
    if known is None:
        return
    flags = _flags(args.get("argument"))
    if command == "F_SETFL":
        table[args["fd"]] = replace(known, nonblocking="O_NONBLOCK" in flags)
    elif command == "F_SETFD":
        table[args["fd"]] = replace(known, cloexec="FD_CLOEXEC" in flags)
    elif command in ("F_DUPFD", "F_DUPFD_CLOEXEC"):
        table[value] = replace(known, cloexec=command == "F_DUPFD_CLOEXEC")


def _ioctl(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    del value
    known = table.get(args["fd"])
    if known is not None and args.get("request") == "FIONBIO":
        table[args["fd"]] = replace(known, nonblocking=bool(args.get("argument")))


def _epoll_ctl(table: dict[int, Open], args: Mapping[str, Any], value: int) -> None:
    del value
    known = table.get(args["target"])
    if known is not None and args.get("operation") != "EPOLL_CTL_DEL":
        events = _flags((args.get("event") or {}).get("events"))
        table[args["target"]] = replace(known, edge="EPOLLET" in events)


_CHANGES = {
    "socket": _opens(Descriptor.CONNECTION),
    "accept": _accept,
    "accept4": _accept,
    "socketpair": _pair,
    "pipe": _pair,
    "pipe2": _pair,
    "listen": _listen,
    "open": _opens(Descriptor.FILE),
    "openat": _opens(Descriptor.FILE),
    "epoll_create": _opens(Descriptor.OTHER),
    "epoll_create1": _opens(Descriptor.OTHER),
    "eventfd2": _opens(Descriptor.OTHER),
    "signalfd4": _opens(Descriptor.OTHER),
    "timerfd_create": _opens(Descriptor.OTHER),
    "close": _close,
    "close_range": _close_range,
    "dup": _dup,
    "dup2": _dup,
    "dup3": _dup,
    "fcntl": _fcntl,
    "ioctl": _ioctl,
    "epoll_ctl": _epoll_ctl,
}


def classified(events: Iterable[Event]) -> dict[int, Open]:
    """What the first descriptor of each call was when it was entered, and is when it is left, by the events' seq."""
    tables, found = Tables(), {}
    for event in events:
        if event.kind == "enter" and (known := tables.subject(event)) is not None:
            found[event.seq] = known
        tables.take(event)
        if event.kind == "leave" and (known := tables.subject(event)) is not None:
            found[event.seq] = known
    return found
