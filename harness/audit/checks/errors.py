"""Survives what calls may say: errors, interruptions, short reads and writes."""

from collections.abc import Iterator

from ...sweep.engine import Engine
from ...sweep.perturb import Kind, Perturbation
from ..check import MUST, SHOULD, check
from .common import ANSWERS, swept

_ACCEPTS = ("accept", "accept4")
_FORKS = ("fork", "vfork", "clone", "clone3")
_READS = ("read", "readv", "recvfrom", "recvmsg")


def _call(run: Perturbation) -> str:
    return run.point.moment.call or ""


def _on_connection(run: Perturbation) -> bool:
    return (_call(run) in _READS or _call(run) in ANSWERS) and str(
        run.point.moment.on
    ) == "connection"


@check(
    "accept-errors",
    MUST,
    "ECONNABORTED, EMFILE, ENFILE, ENOBUFS and ENOMEM at accept do not end it.",
    "They come from clients that hang up and from a busy machine; a server that exits then takes all clients with it.",
    "go on after these errors; wait a moment where the cause is a lack (EMFILE, ENFILE, ENOBUFS, ENOMEM)",
)
def accept_errors(engine: Engine) -> Iterator[str]:
    """Each at each accept."""
    yield from swept(
        engine, Kind.ERRNO, lambda run: _call(run) in _ACCEPTS and run.what != "EAGAIN"
    )


@check(
    "connection-errors",
    MUST,
    "An error of one connection (ECONNRESET, ETIMEDOUT, EPIPE, ENOBUFS, ENOMEM) costs no more than that connection.",
    "Any client can cause some of them at will.",
    "close that connection and go on",
)
def connection_errors(engine: Engine) -> Iterator[str]:
    """Each at each read and write of a connection."""
    yield from swept(engine, Kind.ERRNO, lambda run: _on_connection(run) and run.what != "EAGAIN")


@check(
    "fork-errors",
    SHOULD,
    "When fork fails it serves on.",
    "A process limit that is reached for a moment should cost one connection, not the service.",
    "close the connection, or answer that there is no room, and go on",
)
def fork_errors(engine: Engine) -> Iterator[str]:
    """EAGAIN and ENOMEM at each fork."""
    yield from swept(engine, Kind.ERRNO, lambda run: _call(run) in _FORKS)


@check(
    "other-errors",
    SHOULD,
    "When memory or descriptors are short, its other calls (poll, epoll_ctl, open, pipe) may fail and it serves on.",
    "The kernel may be short of either for a moment at any time.",
    "give up what was being done, not the server",
)
def other_errors(engine: Engine) -> Iterator[str]:
    """Whatever is left."""
    mine = {*_ACCEPTS, *_FORKS}
    yield from swept(
        engine,
        Kind.ERRNO,
        lambda run: _call(run) not in mine and not _on_connection(run) and run.what != "EAGAIN",
    )


@check(
    "spurious-readiness",
    MUST,
    "EAGAIN from a non-blocking call that was to be ready is no error.",
    "poll(2): what is reported as ready may block all the same.",
    "wait for readiness again",
)
def spurious_readiness(engine: Engine) -> Iterator[str]:
    """Only where descriptors do not block and are told of by level."""
    yield from swept(
        engine, Kind.ERRNO, lambda run: run.what == "EAGAIN" and _call(run) not in _FORKS
    )


@check(
    "interruptions",
    MUST,
    "A signal that it handles interrupts its calls (EINTR) without harm.",
    "A child that ends at the wrong moment must not cost another client its connection.",
    "call again after EINTR, or install handlers with SA_RESTART",
)
def interruptions(engine: Engine) -> Iterator[str]:
    """By real signals, only where there is a handler."""
    yield from swept(engine, Kind.EINTR)


@check(
    "short-reads",
    MUST,
    "A read that gives less than was asked for loses nothing.",
    "TCP keeps no boundaries: a request may come in any number of pieces.",
    "read until the request is whole",
)
def short_reads(engine: Engine) -> Iterator[str]:
    """A byte at each."""
    yield from swept(engine, Kind.SHORT, lambda run: _call(run) in _READS)


@check(
    "short-writes",
    MUST,
    "A write that takes less than was given loses nothing.",
    "A full socket buffer takes what there is room for, and says so by the return value alone.",
    "write the rest, at once or when there is room",
)
def short_writes(engine: Engine) -> Iterator[str]:
    """A byte at each."""
    yield from swept(engine, Kind.SHORT, lambda run: _call(run) in ANSWERS)
