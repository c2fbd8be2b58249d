"""Places: which lane of the ladder belongs to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..trace.event import Event
from ..trace.frames import Frame
from ..trace.samples import Interval
from ..trace.sockets import Endpoint

_NAMES = 6
"""Processes that a lane's title names."""


@dataclass(frozen=True)
class Party:
    """A process as the ladder shows it."""

    number: int
    name: str
    parent: int | None
    program: int
    host: str = ""
    """Empty where there is only one."""


@dataclass(frozen=True)
class Lane:
    """A side of the ladder: a host, or on one host those that serve, those that ask, and those that do both."""

    title: Sequence[str]
    """Lines."""
    parties: Sequence[Party] = ()

    def label(self, process: int) -> str:
        """What a row says to tell whose it is; nothing where one process has the lane."""
        return f"#{process} " if len(self.parties) > 1 else ""


@dataclass(frozen=True)
class Places:
    """Which lane belongs to whom."""

    lanes: Sequence[Lane]
    of_process: Mapping[int, int]
    of_host: Mapping[str, int]
    """Empty where there is only one host."""
    of_endpoint: Mapping[Endpoint, int] = field(default_factory=dict)
    """On one host: where the ends of connections are."""
    of_wire: Mapping[str | None, frozenset[int]] = field(default_factory=dict)
    """The lanes that were seen to send over a wire."""
    of_address: Mapping[str, int] = field(default_factory=dict)
    """Of several hosts: where frames from an address were seen first."""

    @classmethod
    def assign(
        cls,
        parties: Sequence[Party],
        events: Sequence[Event],
        frames: Sequence[Frame],
        intervals: Sequence[Interval],
    ) -> "Places":
        """One lane a host; on a single host one for those that listen, one for those that connect."""
        hosts = _in_a_row(_hosts(parties, frames, intervals), frames)
        if len(hosts) > 1:
            return cls._by_host(hosts, parties, frames)
        return cls._by_role(parties, events, frames)

    @classmethod
    def _by_host(
        cls, hosts: Sequence[str], parties: Sequence[Party], frames: Sequence[Frame]
    ) -> "Places":
        lane_of = {host: number for number, host in enumerate(hosts)}
        lanes = [_lane(host, [p for p in parties if p.host == host]) for host in hosts]
        wires: dict[str | None, set[int]] = {}
        addresses: dict[str, int] = {}
        for frame in frames:
            wires.setdefault(frame.wire, set()).add(lane_of[frame.host])
            # A router forwards later than the host itself has sent, and what is forged comes from neither.
            if frame.fate != "forged":
                addresses.setdefault(frame.segment.source.host, lane_of[frame.host])
        return cls(
            lanes,
            {party.number: lane_of[party.host] for party in parties},
            lane_of,
            of_wire={wire: frozenset(ends) for wire, ends in wires.items()},
            of_address=addresses,
        )

    @classmethod
    def _by_role(
        cls, parties: Sequence[Party], events: Sequence[Event], frames: Sequence[Frame]
    ) -> "Places":
        roles = _roles(parties, events)
        used = sorted({roles[party.program] for party in parties})
        lane_of = {p.number: used.index(roles[p.program]) for p in parties}
        lanes = [
            _lane("", [p for p in parties if lane_of[p.number] == n]) for n in range(len(used))
        ]
        ends: dict[Endpoint, int] = {}
        for frame in frames:
            segment = frame.segment
            for endpoint, process in (
                (segment.source, segment.sender_process),
                (segment.destination, segment.receiver_process),
            ):
                if process in lane_of:
                    ends[endpoint] = lane_of[process]
        return cls(lanes or [Lane([""])], lane_of, {}, ends)

    def ends(self, frame: Frame) -> tuple[int, int]:
        """The lanes that a frame goes from and to."""
        if self.of_host:
            lane = self.of_host[frame.host]
            return lane, self._other_end(lane, frame)
        source, destination = frame.segment.source, frame.segment.destination
        lane = self._end(source, destination)
        return lane, self._end(destination, source)

    def _other_end(self, lane: int, frame: Frame) -> int:
        if not frame.wire:
            return lane  # over the host's own loopback
        others = self.of_wire.get(frame.wire, frozenset()) - {lane}
        if len(others) == 1:
            return next(iter(others))
        if len(self.lanes) == 2:
            return 1 - lane
        # Nothing came back over that wire. Hosts stand in the order of their wires.
        wanted = self.of_address.get(frame.segment.destination.host, len(self.lanes) - 1)
        return lane + (1 if wanted > lane else -1 if wanted < lane else 0)

    def _end(self, endpoint: Endpoint, peer: Endpoint) -> int:
        """Where an endpoint is; when nobody's call tells, across from its peer."""
        if endpoint in self.of_endpoint:
            return self.of_endpoint[endpoint]
        if peer in self.of_endpoint and len(self.lanes) > 1:
            return 0 if self.of_endpoint[peer] else len(self.lanes) - 1
        return 0

    def of_interval(self, interval: Interval) -> int:
        """The lane of a socket."""
        if self.of_host:
            return self.of_host.get(interval.host, 0)
        if interval.remote is None:
            known = [
                lane for end, lane in self.of_endpoint.items() if end.port == interval.local.port
            ]
            return known[0] if known else 0
        return self._end(plain(interval.local), plain(interval.remote))


def plain(endpoint: Endpoint) -> Endpoint:
    """An IPv4 address mapped into IPv6 as frames show it."""
    return replace(endpoint, host=endpoint.host.removeprefix("::ffff:"))


def _hosts(
    parties: Sequence[Party], frames: Sequence[Frame], intervals: Sequence[Interval]
) -> list[str]:
    named = [party.host for party in parties] + [frame.host for frame in frames]
    return list(dict.fromkeys(named + [interval.host for interval in intervals]))


def _in_a_row(hosts: Sequence[str], frames: Sequence[Frame]) -> list[str]:
    """Puts a router between the others: the only host of several that sends over more than one wire."""
    wires = {host: {f.wire for f in frames if f.host == host and f.wire} for host in hosts}
    routers = [host for host in hosts if len(wires[host]) > 1]
    if len(routers) != 1:
        return list(hosts)
    others = [host for host in hosts if host not in routers]
    middle = (len(others) + 1) // 2
    return [*others[:middle], *routers, *others[middle:]]


def _roles(parties: Sequence[Party], events: Sequence[Event]) -> dict[int, int]:
    """The role of each program: 0 serves, 1 does both, 2 asks. Two that only ask are parted all the same.

    One that could not listen, or never came to it, goes with those of its name or by what it bound.
    """
    names = {party.program: party.name for party in reversed(parties)}
    program = {party.number: party.program for party in parties}
    made: dict[str, set[int]] = {"listen": set(), "bind": set(), "connect": set()}
    for event in events:
        if event.process in program and (event.call == "listen" or _names_a_port(event)):
            made.setdefault(str(event.call), set()).add(program[event.process])
    servers = made["listen"] | (made["bind"] - made["connect"])
    serving = {names[number] for number in servers}
    roles = {
        number: (1 if number in made["connect"] else 0) if name in serving else 2
        for number, name in sorted(names.items())
    }
    if not servers and len(roles) > 1:
        return {number: 2 * (place > 0) for place, number in enumerate(roles)}
    return roles


def _names_a_port(event: Event) -> bool:
    return any(isinstance(value, dict) and value.get("port") for value in event.args.values())


def _lane(host: str, parties: Sequence[Party]) -> Lane:
    if len(parties) == 1 and not parties[0].parent:
        names = [parties[0].name]
    else:
        names = [
            f"#{p.number} {f'child of #{p.parent}' if p.parent else p.name}"
            for p in parties[:_NAMES]
        ]
    names += [f"and {len(parties) - _NAMES} more"] if len(parties) > _NAMES else []
    return Lane([*([host] if host else []), *names] or [""], parties)
