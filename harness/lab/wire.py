"""Wires between hosts: every segment on one is a moment, at which it can be held, dropped, delayed, duplicated."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from typing import TYPE_CHECKING, Any

from ..control.conductor import Late
from ..trace.event import Event
from ..trace.segments import Fate, Flag, Protocol, Segment, parse_any, with_flags
from ..verdict import Broken, hidden
from .place import Named, name_of

if TYPE_CHECKING:
    from .host import Host
    from .lab import Lab

__tracebackhide__ = hidden

ALWAYS = 0
"""As a number of times: each one, from the nth on, till the watch is disarmed."""
_SHOWN = 8
"""Segments that a message describes."""

Interface = IPv4Interface | IPv6Interface
"""An address with its network."""


# --- which segments ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pattern:
    """Which segments on a wire are meant; None means any. `nth` counts from 1, from when the pattern is asked for."""

    protocol: Protocol | None
    flags: Flag | None = None
    """All of these are set."""
    without: Flag | None = None
    """None of these is set."""
    sender: Named | str | None = None
    """The host that puts it onto the wire."""
    payload: bool | None = None
    """Whether it carries data."""
    source_port: int | None = None
    destination_port: int | None = None
    nth: int = 1

    def __post_init__(self) -> None:
        if self.nth < 1:
            raise ValueError(f"nth counts from 1, not from {self.nth}")

    def moment(self, wire: str) -> dict[str, Any]:
        """The moment as the conductor's protocol writes it."""
        members = {
            "at": "segment",
            "wire": wire,
            "protocol": None if self.protocol is None else str(self.protocol),
            "flags": _names(self.flags),
            "without": _names(self.without),
            "from": name_of(self.sender),
            "payload": self.payload,
            "source_port": self.source_port,
            "destination_port": self.destination_port,
            "nth": self.nth,
        }
        return {name: value for name, value in members.items() if value is not None}


def _names(flags: Flag | None) -> list[str] | None:
    return str(flags).split() if flags else None


def segment(
    flags: Flag | None = None,
    *,
    sender: Named | str | None = None,
    without: Flag | None = None,
    payload: bool | None = None,
    source_port: int | None = None,
    destination_port: int | None = None,
    nth: int = 1,
) -> Pattern:
    """The nth TCP segment that has all of the flags, and perhaps others.

    Args:
        sender: the host that puts it onto the wire: next to a router it may be the router.
        without: flags that it must not have: segment(ACK, without=SYN | FIN, payload=False) is a mere acknowledgement.
        payload: whether it carries data; either, if None.
    """
    return Pattern(
        Protocol.TCP, flags, without, sender, payload, source_port, destination_port, nth
    )


def packet(
    protocol: Protocol | None = None, *, sender: Named | str | None = None, nth: int = 1
) -> Pattern:
    """The nth packet of that protocol; of any, if None."""
    return Pattern(protocol, sender=sender, nth=nth)


# --- watches -------------------------------------------------------------------------------------------------------


class SegmentWatch:
    """Segments on a wire that something is to happen to."""

    def __init__(self, wire: "Wire", number: int) -> None:
        self.wire = wire
        self.number = number

    def reached(self, deadline: float | None = None) -> Segment:
        """Waits till it has happened; returns the segment, the last one if there were several.

        Raises:
            Broken: no such segment comes.
        """
        lab = self.wire.lab
        try:
            reply = lab.ask("reached", watch=self.number, deadline=deadline or lab.deadline)
        except Late as late:
            there = f"{late.there}\n{self.wire.recently()}"
            raise Late(late.awaited, late.because, there) from None
        return self.wire.segment_of(Event.of(reply["event"]))

    def disarm(self) -> int:
        """Lets further segments pass; returns how many it had happened to. What is held stays held."""
        struck: int = self.wire.lab.ask("disarm", watch=self.number)["struck"]
        return struck


class Held(SegmentWatch):
    """Segments that are held on a wire, and those that are still to be."""

    def __init__(self, wire: "Wire", number: int) -> None:
        super().__init__(wire, number)
        self._armed = True

    def let_go(self) -> int:
        """Lets them go on in the order in which they came, and holds no more; returns how many they were.

        Raises:
            Broken: none is held.
        """
        return self._end("pass", "passed")

    def let_go_reversed(self) -> int:
        """As let_go, the last one first."""
        return self._end("pass", "passed", order="reversed")

    def discard(self) -> int:
        """Throws them away and holds no more; returns how many they were.

        Raises:
            Broken: none is held.
        """
        return self._end("discard", "discarded")

    def disarm(self) -> int:
        """As of every watch."""
        self._armed = False
        return super().disarm()

    def _end(self, do: str, told: str, **members: Any) -> int:
        if self._armed:
            self.disarm()
        count: int = self.wire.lab.ask(do, watch=self.number, **members)[told]
        return count


# --- wires ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class End:
    """One end of a wire."""

    host: "Host"
    link: str
    mac: str
    addresses: tuple[Interface, ...]
    """Those that its host was given there."""


class Wire:
    """What joins two hosts. Unless something else was ordered, a segment passes at once."""

    def __init__(self, lab: "Lab", name: str, ends: tuple[End, End]) -> None:
        self.lab = lab
        self.name = name
        self.ends = ends

    def __repr__(self) -> str:
        return f"<wire {self.name}>"

    def far(self, host: Named | str) -> "Host":
        """The host at the other end.

        Raises:
            Broken: the wire does not end at that host.
        """
        hosts = [end.host for end in self.ends]
        if name_of(host) not in [there.name for there in hosts]:
            raise Broken(f"wire {self.name} does not end at host {name_of(host)}")
        return hosts[hosts[0].name == name_of(host)]

    # --- cutting -----------------------------------------------------------------------------------------------

    def cut(self, sender: Named | str | None = None) -> "Wire":
        """Segments vanish from now on.

        Args:
            sender: only those that this host puts onto the wire.

        Raises:
            Broken: it is cut already.
        """
        self.lab.ask("cut", wire=self.name, side=name_of(sender))
        return self

    def mend(self, sender: Named | str | None = None) -> "Wire":
        """Undoes a cut. What had vanished stays so.

        Raises:
            Broken: it is not cut.
        """
        self.lab.ask("mend", wire=self.name, side=name_of(sender))
        return self

    # --- segments that are singled out ---------------------------------------------------------------------------

    def hold(self, which: Pattern, times: int = ALWAYS) -> Held:
        """Holds such segments as they come, retransmissions too unless `times` says how many."""
        return Held(self, self._arm(which, times, do="hold"))

    def drop(self, which: Pattern, times: int = 1) -> SegmentWatch:
        """Loses such segments, `times` of them from the nth on."""
        return SegmentWatch(self, self._arm(which, times, do="drop"))

    def duplicate(self, which: Pattern, times: int = 1) -> SegmentWatch:
        """Lets such segments arrive twice."""
        return SegmentWatch(self, self._arm(which, times, do="duplicate"))

    def delay(self, which: Pattern, seconds: float, times: int = 1) -> SegmentWatch:
        """Lets such segments arrive so much later."""
        return SegmentWatch(self, self._arm(which, times, do="delay", seconds=seconds))

    def _arm(self, which: Pattern, times: int, **action: Any) -> int:
        self.lab.rely_on_segments()
        reply = self.lab.ask("arm", moment=which.moment(self.name), action=action, times=times)
        number: int = reply["watch"]
        return number

    def forge(self, packet: bytes, to: Named | str | None = None) -> Segment:
        """Sends a packet that nobody but the case sent, whether the wire is cut or not; returns it as it was recorded.

        Args:
            packet: from the header of IP on, as the builders make it: rst, syn, follow, reply, again, icmp.
            to: the end that it comes out at; that of its destination if None.

        Raises:
            Broken: no end has that address; or what the conductor says against it.
        """
        end = name_of(to) or self._end_of(packet)
        reply = self.lab.ask("forge", wire=self.name, to=end, frame=packet.hex())
        return self.segment_of(Event.of(reply["event"]))

    def _end_of(self, packet: bytes) -> str:
        seen = parse_any(Event(0, 0, "segment", length=len(packet), raw=packet))
        wanted = seen.destination.host if seen else ""
        for end in self.ends:
            if wanted in map(str, end.host.addresses):
                return end.host.name
        hosts = " or ".join(end.host.name for end in self.ends)
        raise Broken(f"wire {self.name}: neither end is {wanted}: say with to= whether {hosts}")

    # --- what went over it ---------------------------------------------------------------------------------------

    def segments(
        self,
        flags: Flag | None = None,
        *,
        sender: Named | str | None = None,
        fate: Fate | Iterable[Fate] | None = None,
        after: int = 0,
    ) -> list[Segment]:
        """All that happened to TCP segments on this wire, in the order of time: one that was held is there twice, when
        it came and when it was released.

        Args:
            flags: only those that have all of these set.
            sender: only those that this host put onto the wire, or seems to have where they were forged.
            fate: only those that this happened to.
            after: only those that were recorded behind that seq.
        """
        return with_flags(self._here(self.lab.traffic(after), sender, fate), flags)

    def packets(
        self, protocol: Protocol | None = None, *, sender: Named | str | None = None
    ) -> list[Segment]:
        """As segments, of that protocol, or of any."""
        found = self._here(self.lab.packets(), sender, None)
        return [packet for packet in found if protocol in (None, packet.protocol)]

    def _here(
        self,
        found: Iterable[Segment],
        sender: Named | str | None,
        fate: Fate | Iterable[Fate] | None,
    ) -> list[Segment]:
        self.lab.rely_on_segments()
        fates = set(Fate) if fate is None else {fate} if isinstance(fate, Fate) else set(fate)
        return [
            segment
            for segment in found
            if segment.wire == self.name
            and name_of(sender) in (None, segment.host)
            and segment.fate in fates
        ]

    def last(self, flags: Flag | None = None, *, sender: Named | str) -> Segment:
        """The last TCP segment that the host put onto this wire: what builders go on from.

        Raises:
            Broken: there is none.
        """
        sent = [fate for fate in Fate if fate not in (Fate.FORGED, Fate.RELEASED)]
        if found := self.segments(flags, sender=sender, fate=sent):
            return found[-1]
        kind = f" {flags}" if flags else ""
        raise Broken(f"{name_of(sender)} has put no{kind} segment onto wire {self.name}")

    def recently(self) -> str:
        """The last packets on it, a line each, for a message."""
        lines = [f"  {seen}" for seen in self.packets()[-_SHOWN:]]
        return "\n".join([f"on wire {self.name} at last:", *lines] if lines else ["  no segment"])

    def segment_of(self, event: Event) -> Segment:
        """The segment of an event of this lab, which need not carry its bytes."""
        [found] = [s for s in self.lab.packets() if s.seq == event.seq]
        return found
