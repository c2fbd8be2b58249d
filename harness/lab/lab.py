"""The lab: everything one case owns. Gone without trace when the case ends."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from socket import AddressFamily
from socket import socket as Client
from time import time_ns
from typing import Any

from ..control.conductor import Refused
from ..control.relay import SYSCTLS, Relay
from ..errno_names import Errno
from ..outcome import Outcome
from ..platform.abi import numbers
from ..trace.event import Event
from ..trace.samples import FIRST, STOPS, Sample
from ..trace.segments import Flag, Protocol, Segment, Senders, parse_any, with_flags
from ..trace.sockets import Socket
from ..verdict import Broken, Unsupported, hidden
from .host import Host
from .network import Network
from .place import Named, Place, name_of
from .privilege import Privilege, need
from .process import Process
from .programs import find_program
from .streams import Stream, Streams
from .wire import Wire

__tracebackhide__ = hidden

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
}
_SANITIZER = ":".join(
    (
        "detect_leaks=0",  # that aborts in a traced program; leaks are looked for outside labs
        "verify_asan_link_order=0",  # a library that is loaded into programs comes before the sanitizer's
        "quarantine_size_mb=1",  # or memory that was freed would look like a leak
        *(f"handle_{fault}=0" for fault in ("segv", "sigbus", "sigfpe")),  # they kill, as ever
    )
)
_FILE_LIMIT = 256 << 20
"""Bytes that a program may write into one file, its output among them; what prints for ever ends there by SIGXFSZ."""
_QUIET = ("arm", "processes", "sysctl")
_PAGE = 20000
"""Events asked for at a time."""

_LONGEST = 86400.0
"""Seconds that the conductor waits at most."""


@dataclass(frozen=True)
class Settings:
    """What labs are made with."""

    programs: Path
    """The folder that holds servers/ and clients/."""
    launcher: Sequence[str] = ()
    """What runs those that the kernel does not: an emulator and its arguments."""
    deadline: float = 5.0
    """Seconds that a verb waits unless it says otherwise."""
    sanitized: bool = False
    slowness: float = 1.0
    """How many times as long each wait may take, whatever it says: the platform's."""


@dataclass(frozen=True)
class Holder:
    """A process that has a socket open."""

    process: Process
    fd: int


class Lab(Place):
    """Hosts and processes under one conductor. Ends with `close`, or as a context manager."""

    port = 9877
    """The port cases serve at: outside the range that clients are given ports from. Of a lab that shares the machine's host
    the first of its own eight."""
    address = "127.0.0.1"
    address6 = "::1"

    def __init__(self, settings: Settings, relay: Relay, watched: bool = True) -> None:
        """
        Args:
            relay: where its conductor comes from and goes to.
            watched: whether the sockets are looked at each time that a verb has waited, for the evidence. The kernel goes
                through those of the whole machine, and takes 0.2 ms.

        Raises:
            ConductorFailed: with the conductor's own words.
        """
        super().__init__(self, None)
        self._settings = settings
        self._watched = watched
        self._handles: dict[int, Process] = {}
        self._streams: dict[int, Streams] = {}
        self.reporting: set[int] = set()
        """The numbers of programs whose descriptor 3 is the harness's own."""
        self._asked_segments = False
        self._last = self._lost = self._dropped = 0
        self.deadline = settings.deadline
        """Seconds that a verb waits unless it says otherwise."""
        self.observations: list[dict[str, Any]] = []
        """What assertions were given to look at, for the result record."""
        self._samples: list[Sample] = []
        self._peopled: dict[str, None] = {}
        self._clients: list[Client] = []
        self._relay = relay
        self._conductor = relay.take()
        self._ended = False
        self.about = self._conductor.about
        self.port = self.about.port or Lab.port
        self._network = Network(self, self.about.descriptor)
        try:
            self.sysctls: dict[str, str] = self._set_base()
            """The settings it began with, as read back, and those that the case made."""
            self._base = dict(self.sysctls)
        except BaseException:
            self.close()
            raise

    def _set_base(self) -> dict[str, str]:
        """Sets what every lab sets, or, where the kernel lacks some of it, the rest; as read back."""
        try:
            return self._conductor.set_up()
        except Unsupported:
            return {name: self._set_or_read(name, value) for name, value in SYSCTLS.items()}

    def _set_or_read(self, name: str, value: str) -> str:
        attempts: tuple[dict[str, Any], ...] = ({"set": {name: value}}, {"get": [name]})
        for members in attempts:
            with suppress(Unsupported):
                return str(self.ask("sysctl", **members)["values"][name])
        return "absent"

    def __repr__(self) -> str:
        return "<lab>"

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- programs ----------------------------------------------------------------------------------------------

    def start(
        self,
        program: str | os.PathLike[str],
        *args: object,
        host: Named | str | None = None,
        env: Mapping[str, str] | None = None,
        limits: Mapping[str, int | tuple[int, int]] | None = None,
        stdin: Stream | bytes = Stream.PIPE,
        stdout: Stream = Stream.FILE,
        stderr: Stream = Stream.FILE,
        user: int | None = None,
        detachable: bool = False,
        cwd: str | None = None,
        report: int | None = None,
    ) -> Process:
        """Starts a program and leaves it held at its exec.

        Args:
            program: a name among the built servers and clients, or a path with a "/" in it.
            args: its arguments, as text.
            host: where it runs; the lab's first host if None.
            env: added to a small, fixed environment.
            limits: by name ("nofile"): soft and hard, or one number for both; "fsize" is 256 MiB unless given.
            stdin: a kind of stream, or the whole input.
            user: the user id it runs under; the lab's own if None.
            detachable: whether `detach` may let go of it.
            report: what becomes its descriptor 3; the caller keeps its own copy.

        Raises:
            Broken: there is no such program, or it cannot be started.
        """
        path = find_program(program, self._settings.programs)
        launcher = self._settings.launcher if path.is_relative_to(self._settings.programs) else ()
        streams = Streams(stdin, stdout, stderr)
        try:
            wire = self.ask(
                "start",
                descriptors=[*streams.theirs, *([] if report is None else [report])],
                argv=[*launcher, os.fspath(path), *map(str, args)],
                emulates=path.name if launcher else None,
                env=self._environment(env),
                host=name_of(host),
                limits=_pairs({"fsize": _FILE_LIMIT, **(limits or {})}),
                user=user,
                detachable=detachable or None,
                cwd=cwd,
                deadline=self.deadline,
            )
        except BaseException:
            streams.close()
            raise
        streams.handed_over()
        self._streams[wire["process"]] = streams
        if report is not None:
            self.reporting.add(wire["process"])
        self._peopled.setdefault(wire.get("host") or FIRST)
        return self.handle(wire)

    def _environment(self, added: Mapping[str, str] | None) -> dict[str, str]:
        sanitizer = {"ASAN_OPTIONS": _SANITIZER} if self._settings.sanitized else {}
        return {**_ENVIRONMENT, **sanitizer, **(added or {})}

    def processes(self, host: Named | str | None = None) -> list[Process]:
        """All processes of the lab, or of a host, in the order of birth, the dead among them."""
        wires = self.ask("processes")["processes"]
        return [self.handle(w) for w in wires if name_of(host) in (None, w["host"])]

    def handle(self, wire: Mapping[str, Any]) -> Process:
        """The one handle of a process that a reply describes."""
        number = wire["process"]
        if number not in self._handles:
            streams = self._streams[wire["program"]]
            self._handles[number] = Process(self, number, streams, wire["name"])
        return self._handles[number]

    def rest(self, deadline: float | None = None) -> list[Mapping[str, Any]]:
        """Waits till nothing goes on by itself: each thread of each process is held, stopped or asleep. Returns the
        processes that are not dead, as the conductor describes them.

        Raises:
            Late: some are always busy.
        """
        found: list[Mapping[str, Any]] = self.ask("rest", deadline=deadline or self.deadline)[
            "processes"
        ]
        return found

    # --- hosts and wires ---------------------------------------------------------------------------------------

    def join(
        self, *names: str, mtu: int | Sequence[int] = 1500, neighbours: bool = True
    ) -> tuple[Host, ...]:
        """Makes hosts, in a row, with a wire between each and the next, named after both: "client-server".

        Those in the middle are routers. The nth wire has the networks 10.0.n.0/24 and fd00:n::/64; the host on its
        left is number 1 there, the one on its right number 2.

        Args:
            mtu: bytes that a packet may have, on all wires or on each.
            neighbours: whether hosts know for good who is on their wires. Else they ask, by ARP and neighbour discovery.

        Raises:
            Broken: fewer than two hosts, or there is one of that name.
        """
        return self._network.join(names, mtu, neighbours)

    def host(self, name: Named | str) -> Host:
        """The host of that name; the lab's first one, which has just loopback, is "host".

        Raises:
            Broken: there is none.
        """
        return self._network.host(name)

    @property
    def hosts(self) -> list[Host]:
        """All hosts, the first one first."""
        return list(self._network.hosts.values())

    @property
    def wire(self) -> Wire:
        """The only wire.

        Raises:
            Broken: there is none, or more than one.
        """
        return self._network.wire()

    @property
    def wires(self) -> list[Wire]:
        """All wires, in the order in which they were made."""
        return list(self._network.wires.values())

    def wire_between(self, one: Named | str, other: Named | str) -> Wire:
        """The wire that joins two hosts.

        Raises:
            Broken: there is none.
        """
        return self._network.wire_between(one, other)

    def hasten(self, **timers: int) -> None:
        """Sets TCP's timers and numbers of tries of all hosts: see Host.hasten."""
        for host in self.hosts:
            host.hasten(**timers)

    def own(self, address: str, host: str) -> None:
        """Notes that an address belongs to a host."""
        self._network.homes[address] = host

    # --- sockets -----------------------------------------------------------------------------------------------

    def holders(self, socket: Socket | int) -> list[Holder]:
        """Who has a socket, or an inode, open."""
        inode = socket.inode if isinstance(socket, Socket) else socket
        if inode == 0:
            return []  # what the kernel says of a socket that nobody holds
        processes = {process.number: process for process in self.processes()}
        found = self.ask("holders", inode=inode)["holders"]
        return [Holder(processes[holder["process"]], holder["fd"]) for holder in found]

    def client(
        self, host: Named | str | None = None, family: AddressFamily = AddressFamily.AF_INET
    ) -> Client:
        """A TCP socket of the harness's own on a host: a client that no process of the lab stands for. It goes with the
        lab at the latest."""
        made = self._conductor.client(host=name_of(host), family=family.name)
        self._clients.append(made)
        return made

    # --- settings and privileges -------------------------------------------------------------------------------

    def sysctl(
        self, name: str, value: str | int | None = None, host: Named | str | None = None
    ) -> str:
        """Sets a sysctl of a host, if a value is given, and returns what is read back.

        Raises:
            Broken: there is no such name, or it cannot be set.
        """
        return self.host(host or FIRST).sysctl(name, value)

    def base_sysctls(self) -> dict[str, str]:
        """What every host begins with."""
        return dict(SYSCTLS)

    def record_sysctls(self, host: str, values: Mapping[str, str]) -> None:
        """Notes what was read back from a host, for the result record: what is as at the first host's start only there."""
        for name, value in values.items():
            if host == FIRST:
                self.sysctls[name] = value
            elif self._base.get(name) != value:
                self.sysctls[f"{host}: {name}"] = value

    def needs(self, privilege: Privilege) -> None:
        """
        Raises:
            Unsupported: the lab does not have that privilege.
        """
        need(privilege, self.about)

    # --- events ------------------------------------------------------------------------------------------------

    def events(
        self,
        kinds: Sequence[str] | None = None,
        calls: Sequence[str] | None = None,
        process: Process | None = None,
        raw: bool = False,
        after: int = 0,
    ) -> list[Event]:
        """What happened so far, in the order in which it was recorded.

        Args:
            kinds: enter, leave, signal, fork, born, exec, exit, dead, segment; all if None.
            calls: names of calls: then only their enter and leave events.
            raw: whether segments carry their bytes.
            after: the seq to begin behind.
        """
        found: list[Event] = []
        while True:
            reply = self.ask(
                "events",
                kinds=None if kinds is None else list(kinds),
                calls=None if calls is None else list(calls),
                process=process.number if process else None,
                raw=raw or None,
                after=after,
                limit=_PAGE,
            )
            self._last, self._lost = reply["last"], reply["lost"]
            self._dropped = reply["frames_dropped"]
            page = [self.event(wire) for wire in reply["events"]]
            found += page
            if len(page) < _PAGE:
                return found
            after = page[-1].seq

    def event(self, wire: Mapping[str, Any]) -> Event:
        """The event that a reply carries. Behind an emulator errnos have the numbers that the program is given, not
        the kernel's."""
        event = Event.of(wire)
        if event.outcome is None or event.outcome.errno is None or not self._settings.launcher:
            return event
        number = numbers(self._settings.programs).get(event.outcome.errno, event.outcome.number)
        return replace(event, outcome=replace(event.outcome, number=number))

    def segments(
        self,
        flags: Flag | None = None,
        *,
        local: int | None = None,
        remote: int | None = None,
        sender: Named | str | None = None,
        arrived: bool = False,
        after: int = 0,
    ) -> list[Segment]:
        """The TCP segments so far, in the order of time, retransmissions included; those on wires as their hosts sent
        them, each once, whatever became of it. What happens on one wire is told by Wire.segments.

        Args:
            flags: only those that have all of these set.
            local, remote: only those from, or to, that port.
            sender: only those of that program, or of that host's programs.
            arrived: those that came to the host they were for instead, forged ones among them.
            after: only those that were recorded behind that seq.
        """
        self._asked_segments = True
        if "capture" in self.about.lacks and not self._network.wires:
            raise Unsupported(
                "the segments on loopback are not captured: there are no packet sockets"
            )
        seen = (self._network.arrived if arrived else self._network.sent)(self.traffic(after))
        return [
            segment
            for segment in with_flags(list(seen), flags)
            if name_of(sender) in (None, segment.sender, self._network.origin(segment))
            and local in (None, segment.source.port)
            and remote in (None, segment.destination.port)
        ]

    def senders(self, flags: Flag, *, arrived: bool = False) -> list[str]:
        """Who sent segments with these flags, in the order of time: the names of programs; on wires, of hosts.

        Args:
            arrived: as of segments.
        """
        found = self.segments(flags, arrived=arrived)
        names = [self._network.origin(s) if s.wire else s.sender for s in found]
        self.observations.append({"senders": names, "flags": str(flags)})
        return names

    def rely_on_segments(self) -> None:
        """From now on the verdict depends on segments: it means nothing when one was lost by itself."""
        self._asked_segments = True

    def number(self, errno: Errno) -> int:
        """The number by which programs know an errno here, by the headers that they were compiled with.

        Raises:
            Broken: it has none.
        """
        known = numbers(self._settings.programs)
        if errno not in known:
            raise Broken(
                f"the headers of {self._settings.programs.name} have no number for {errno}"
            )
        self.observations.append({"errno": str(errno), "number": known[errno]})
        return known[errno]

    def observe(self, process: str, call: str, nth: int, outcome: Outcome) -> None:
        """Notes an outcome for the result record."""
        seen: dict[str, Any] = {"process": process, "call": call, "nth": nth}
        if outcome.errno is None:
            seen["value"] = outcome.value
        else:
            seen.update(errno=str(outcome.errno), number=outcome.number)
        self.observations.append(seen)

    def timeline(self, width: int = 100) -> str:
        """The evidence: what all processes did, side by side, and what is there now.

        Args:
            width: columns of text.
        """
        from ..evidence.evidence import Evidence

        return Evidence.of(self).text(width)

    def recorded(self) -> int:
        """How many events were recorded so far."""
        self.events(kinds=["dead"], after=self._last)
        return self._last

    def traffic(self, after: int = 0) -> list[Segment]:
        """All that was recorded of TCP segments behind that seq, without making the case depend on the capture being
        whole. One that was held, or went through a router, is there more than once."""
        return [packet for packet in self.packets(after) if packet.protocol is Protocol.TCP]

    def packets(self, after: int = 0) -> list[Segment]:
        """As traffic, of every protocol."""
        parsed = map(parse_any, self.events(kinds=["segment"], raw=True, after=after))
        calls = self.events(kinds=["enter", "leave"], calls=["bind", "connect", "getsockname"])
        processes = self.ask("processes")["processes"]
        names = {process["process"]: process["name"] for process in processes}
        places = {process["process"]: process["host"] for process in processes}
        senders = Senders(calls, names, places, self._network.homes)
        return senders.name(segment for segment in parsed if segment)

    def program_streams(self) -> dict[int, Streams]:
        """The standard streams of each program, by the number of its process."""
        return self._streams

    # --- the conductor -----------------------------------------------------------------------------------------

    def ask(self, do: str, descriptors: Sequence[int] = (), **members: Any) -> dict[str, Any]:
        """Makes a request of the conductor; see Conductor.ask. Input that is ready is delivered first, unless the request only looks at
        processes or gets something ready itself."""
        if members.get("deadline"):
            members["deadline"] = min(members["deadline"] * self._settings.slowness, _LONGEST)
        if do not in _QUIET:
            for streams in self._streams.values():
                streams.deliver()
        reply = self._conductor.ask(do, descriptors, **members)
        if self._watched and do in STOPS:
            self._sample()
        return reply

    def sampled(self) -> list[Sample]:
        """The sockets as they were whenever a verb returned, and as they are now."""
        self._sample()
        return self._samples

    def _sample(self) -> None:
        """Looks at the sockets of hosts that have run programs. What is seen is decoded only when it is wanted."""
        for host in self._peopled:
            now = time_ns()
            with suppress(Refused):  # the host has crashed
                found = self._conductor.ask("sockets", host=host, type="SOCK_STREAM")["sockets"]
                self._samples.append(Sample(now, host, found))

    @property
    def init(self) -> int:
        """The pid, seen from outside, of the init of its namespaces."""
        return self._conductor.init()

    def verify(self) -> None:
        """
        Raises:
            Broken: events were lost, or frames that segments were asked for; a verdict from them would mean nothing.
        """
        self.recorded()
        if self._lost:
            raise Broken(f"{self._lost} events found no room in the log, so the evidence has gaps")
        if self._dropped and self._asked_segments:
            raise Broken(f"{self._dropped} frames were dropped, so the segments have gaps")

    def close(self) -> None:
        """Ends everything; when it returns every process is dead. May be called again.

        Raises:
            ConductorFailed: the conductor did not end in order.
        """
        try:
            if not self._ended:
                self._ended = True
                self._relay.retire(self._conductor)
        finally:
            for client in self._clients:
                client.close()
            for streams in self._streams.values():
                streams.close()


def _pairs(limits: Mapping[str, int | tuple[int, int]]) -> dict[str, list[int]]:
    return {
        name: [value, value] if isinstance(value, int) else list(value)
        for name, value in limits.items()
    }
