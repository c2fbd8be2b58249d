"""Perturbations: what can be done at a moment, and what its call's page allows there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..lab.moment import Descriptor
from .points import Point


class Kind(StrEnum):
    """The kinds of perturbation, as the command line names them."""

    KILL = "kill"
    TERM = "term"
    ERRNO = "errno"
    SHORT = "short"
    EINTR = "eintr"
    DELAY = "delay"


@dataclass(frozen=True)
class Perturbation:
    """One thing done at one moment."""

    kind: Kind
    what: str
    """The signal, the errno, the length."""
    point: Point

    @property
    def key(self) -> str:
        """Its name, the same in every run."""
        return f"{self.kind}={self.what}@{self.point.key}"

    @property
    def costs_a_client(self) -> bool:
        """Whether the client that is being served may lose its connection. "Try again" is no reason."""
        if self.kind is Kind.ERRNO:
            return self.what != "EAGAIN" or self.point.moment.call not in _RETRIED
        return self.kind in (Kind.KILL, Kind.TERM)

    @property
    def lasts(self) -> bool:
        """Whether a server may take what it is told for something that lasts till it closes a descriptor: then it need
        not look at its listener before, and where no connection is open that may be never."""
        return self.kind is Kind.ERRNO and self.what == "EMFILE"

    def action(self) -> Mapping[str, Any]:
        """What the conductor is to do, as its protocol writes it."""
        if self.kind is Kind.ERRNO:
            return {"do": "inject", "errno": self.what}
        if self.kind is Kind.SHORT:
            return {"do": "inject", "short": int(self.what)}
        if self.kind is Kind.DELAY:
            return {"do": "hold"}
        return {"do": "kill", "signal": self.what}

    def __str__(self) -> str:
        return f"{_WORDS[self.kind].format(self.what)} {self.point}"


_WORDS = {
    Kind.KILL: "{} when",
    Kind.TERM: "{} when",
    Kind.ERRNO: "{} given to",
    Kind.SHORT: "at most {} byte given to",
    Kind.EINTR: "{}, which it handles, when",
    Kind.DELAY: "held, while the rest goes on, when",
}

_SCARCE = ("ENOBUFS", "ENOMEM")
_TABLES = ("EMFILE", "ENFILE")
_BROKEN_IN = ("ECONNRESET", "ETIMEDOUT", *_SCARCE)
_BROKEN_OUT = ("EPIPE", "ECONNRESET", *_SCARCE)

ERRNOS: Mapping[tuple[str, Descriptor | None], Sequence[str]] = {
    ("accept", Descriptor.LISTENING): ("ECONNABORTED", *_TABLES, *_SCARCE),
    ("accept4", Descriptor.LISTENING): ("ECONNABORTED", *_TABLES, *_SCARCE),
    **{
        (call, Descriptor.CONNECTION): _BROKEN_IN
        for call in ("read", "readv", "recvfrom", "recvmsg")
    },
    **{
        (call, Descriptor.CONNECTION): _BROKEN_OUT
        for call in ("write", "writev", "sendto", "sendmsg")
    },
    ("sendfile", Descriptor.CONNECTION): ("EPIPE", "ECONNRESET", "ENOMEM"),
    **{(call, None): ("EAGAIN", "ENOMEM") for call in ("fork", "vfork", "clone", "clone3")},
    **{(call, None): ("ENOMEM",) for call in ("poll", "ppoll", "epoll_ctl")},
    **{(call, None): _TABLES for call in ("open", "openat", "pipe", "pipe2", "epoll_create1")},
    ("socket", None): (*_TABLES, *_SCARCE),
}
"""The errnos that come from outside, by no fault of the program's, as the Linux manual pages list them: by call, and
by what its first descriptor is."""

TRANSFERS = frozenset(
    "read readv recvfrom recvmsg write writev sendto sendmsg sendfile pread64".split()
)
_SHORTENABLE = frozenset("read recvfrom write sendto sendfile pread64".split())
"""Those that have a length to shorten."""
_RETRIED = frozenset(
    "accept accept4 read readv recvfrom recvmsg write writev sendto sendmsg".split()
)
_HARMLESS = ("SIGCHLD", "SIGURG", "SIGCONT")
"""Signals that may come unasked for, and whose handlers do no more than look."""
_SLEEPS = frozenset(
    "accept accept4 read readv recvfrom recvmsg write writev sendto sendmsg poll ppoll select pselect6 epoll_wait "
    "epoll_pwait epoll_pwait2 wait4 waitid connect".split()
)
"""Calls that a signal can interrupt."""


def perturbations(point: Point, kinds: Sequence[Kind]) -> Iterator[Perturbation]:
    """All that can be done at a moment, of these kinds."""
    for kind in kinds:
        for what in _CHOICES[kind](point):
            yield Perturbation(kind, what, point)


def _errnos(point: Point) -> Sequence[str]:
    if point.moment.at != "enter" or point.moment.call is None:
        return ()
    stream = point.open is not None and point.open.stream
    on = point.moment.on if stream else None
    found = list(ERRNOS.get((point.moment.call, on), ()))
    # Told by edges, a program that was told a lie would wait for an edge that never comes.
    if point.open and stream and point.open.nonblocking and not point.open.edge:
        found += ["EAGAIN"] if point.moment.call in _RETRIED else []
    return found


def _short(point: Point) -> Sequence[str]:
    shortened = point.moment.at == "enter" and point.moment.call in _SHORTENABLE
    moves_more = (point.length or 0) > 1
    of_stream = point.open is not None and point.open.stream and not point.open.edge
    return ("1",) if shortened and moves_more and of_stream and point.serving else ()


def _interruptions(point: Point) -> Sequence[str]:
    if point.moment.at != "enter" or point.moment.call not in _SLEEPS:
        return ()
    return [name for name in _HARMLESS if name in point.handlers]


def _delays(point: Point) -> Sequence[str]:
    return ("",) if point.serving and point.moment.at in ("enter", "leave", "born", "fork") else ()


_CHOICES = {
    Kind.KILL: lambda point: ("SIGKILL",),
    Kind.TERM: lambda point: ("SIGTERM",),
    Kind.ERRNO: _errnos,
    Kind.SHORT: _short,
    Kind.EINTR: _interruptions,
    Kind.DELAY: _delays,
}
