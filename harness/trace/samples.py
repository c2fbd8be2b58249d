"""Samples of the sockets' states, and the intervals that they tell of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .sockets import Endpoint, Socket, State

FIRST = "host"
"""The name of a lab's first host."""
STOPS = frozenset(
    {"await", "blocked", "boot", "crash", "ended", "forge", "kill", "pass", "reach", "reached"}
)
"""The verbs after which the sockets are looked at: what was to happen has happened, and most processes are held."""


@dataclass(frozen=True)
class Sample:
    """The sockets of one host as they were at one time. Decoded only when it is looked at."""

    time: int
    """Nanoseconds of the real-time clock: just before the kernel was asked."""
    host: str
    wires: Sequence[Mapping[str, Any]]
    """As the conductor told them."""

    def sockets(self) -> list[Socket]:
        """Its sockets."""
        return [Socket.of(wire) for wire in self.wires]


@dataclass(frozen=True)
class Interval:
    """A socket was in a state."""

    host: str
    local: Endpoint
    remote: Endpoint | None
    """None for a listener."""
    state: State
    since: int
    """When it was first seen in that state."""
    seen: int
    """When it was last seen in it."""
    until: int | None = None
    """When it was first seen in another state, or gone; None if that was not seen."""

    @property
    def key(self) -> tuple[str, Endpoint, Endpoint | None]:
        """Which socket it is about."""
        return self.host, self.local, self.remote


def intervals(samples: Iterable[Sample]) -> list[Interval]:
    """What samples tell of sockets with an address, in the order of the beginnings.

    Between the last sight of one state and the first of the next nobody looked, so neither state is claimed.
    """
    done: list[Interval] = []
    open_: dict[tuple[str, Endpoint, Endpoint | None], Interval] = {}
    for sample in sorted(samples, key=lambda sample: sample.time):
        here = {now.key: now for now in _states(sample)}
        for key, before in list(open_.items()):
            now = here.get(key)
            if now is not None and now.state is before.state:
                here[key] = replace(before, seen=sample.time)
            elif key[0] == sample.host:
                done.append(replace(open_.pop(key), until=sample.time))
        open_.update(here)
    return sorted([*done, *open_.values()], key=lambda interval: interval.since)


def _states(sample: Sample) -> Iterable[Interval]:
    for socket in sample.sockets():
        if socket.local is not None:
            remote = None if socket.state is State.LISTEN else socket.remote
            yield Interval(
                sample.host, socket.local, remote, socket.state, sample.time, sample.time
            )
