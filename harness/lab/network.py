"""The hosts and wires of a lab: how hosts are joined, whose an address is, what was sent and what arrived."""

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_interface
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..trace.samples import FIRST
from ..trace.segments import Fate, Segment
from ..verdict import Broken, hidden
from .host import Host
from .place import Named, name_of
from .wire import End, Wire

if TYPE_CHECKING:
    from .lab import Lab

__tracebackhide__ = hidden

_ROUTER = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    # It answers every time, not so many times a second. By the mask: with a limit of 0 Linux 6.1 and 6.12 let one pass a second.
    "net.ipv4.icmp_ratemask": "0",
    "net.ipv6.icmp.ratelimit": "0",
}
"""What makes a host a router."""
_JOINED = {
    # Where no answer comes, the kernel would try for 108 s to end a connection whose process is gone.
    "net.ipv4.tcp_orphan_retries": "3",
}
"""What every host on a wire begins with, beside the settings of all hosts."""
_EVERYWHERE = ("0.0.0.0/0", "::/0")
_SENT = {Fate.PASSED, Fate.DROPPED, Fate.HELD, Fate.DUPLICATED, Fate.DELAYED, Fate.CUT}
_ARRIVED = {Fate.PASSED, Fate.DUPLICATED, Fate.RELEASED, Fate.FORGED}


class Network:
    """Hosts and wires, the first host among them."""

    def __init__(self, lab: "Lab", descriptor: int) -> None:
        """
        Args:
            descriptor: the first host's: see Host.
        """
        self._lab = lab
        self.hosts: dict[str, Host] = {FIRST: Host(lab, FIRST, descriptor)}
        self.wires: dict[str, Wire] = {}
        self.homes: dict[str, str] = {}
        """Whose an address is, or was."""

    # --- which -------------------------------------------------------------------------------------------------

    def host(self, which: Named | str) -> Host:
        """
        Raises:
            Broken: there is none of that name.
        """
        name = name_of(which) or ""
        if name in self.hosts:
            return self.hosts[name]
        raise Broken(f'host "{name}": no such host (there is {", ".join(self.hosts)})')

    def wire(self) -> Wire:
        """The only one.

        Raises:
            Broken: there is none, or more than one.
        """
        if len(self.wires) == 1:
            return next(iter(self.wires.values()))
        if not self.wires:
            raise Broken("there is no wire: join hosts first")
        raise Broken(f"there is more than one wire ({', '.join(self.wires)}): say between which")

    def wire_between(self, one: Named | str, other: Named | str) -> Wire:
        """
        Raises:
            Broken: there is none.
        """
        names = {self.host(one).name, self.host(other).name}
        for wire in self.wires.values():
            if {end.host.name for end in wire.ends} == names:
                return wire
        there = f"there is {', '.join(self.wires)}" if self.wires else "there is none at all"
        raise Broken(f"no wire joins {name_of(one)} and {name_of(other)} ({there})")

    # --- joining -----------------------------------------------------------------------------------------------

    def join(
        self, names: Sequence[str], mtu: int | Sequence[int], neighbours: bool
    ) -> tuple[Host, ...]:
        """See Lab.join."""
        if len(names) < 2:
            raise Broken(f"it takes two hosts to be joined, not {len(names)}")
        sizes = [mtu] * (len(names) - 1) if isinstance(mtu, int) else list(mtu)
        if len(sizes) != len(names) - 1:
            raise Broken(f"mtu: one for each of {len(names) - 1} wires, not {len(sizes)}")
        hosts = tuple(self._add_host(name) for name in names)
        wires = [
            self._add_wire(left, right, size, neighbours)
            for (left, right), size in zip(pairwise(hosts), sizes)
        ]
        for nth, host in enumerate(hosts):
            self._furnish(nth, host, wires)
        return hosts

    def _add_host(self, name: str) -> Host:
        made = self._lab.ask("host", name=name)
        host = self.hosts[name] = Host(self._lab, name, made["descriptor"])
        return host

    def _add_wire(self, left: Host, right: Host, mtu: int, neighbours: bool) -> Wire:
        number = len(self.wires) + 1
        name = f"{left.name}-{right.name}"
        wanted = [
            {
                "host": host.name,
                "link": f"eth{len(host.ends)}",
                "addresses": [f"10.0.{number}.{side}/24", f"fd00:{number:x}::{side}/64"],
            }
            for side, host in ((1, left), (2, right))
        ]
        made = self._lab.ask("wire", name=name, ends=wanted, mtu=mtu, neighbours=neighbours)
        first, second = (
            self._end(end, given["addresses"]) for end, given in zip(made["ends"], wanted)
        )
        wire = self.wires[name] = Wire(self._lab, name, (first, second))
        return wire

    def _end(self, made: dict[str, Any], addresses: Iterable[Any]) -> End:
        given = tuple(ip_interface(address) for address in addresses)
        end = End(self.hosts[made["host"]], made["link"], made["mac"], given)
        end.host.plug(end)
        self.homes.update((str(address.ip), end.host.name) for address in given)
        return end

    def _furnish(self, nth: int, host: Host, wires: Sequence[Wire]) -> None:
        """Gives a host of a chain its settings and its routes; its wires are numbers nth - 1 and nth."""
        last = len(wires)
        host.settle(self._lab.base_sysctls() | _JOINED | (_ROUTER if 0 < nth < last else {}))
        if last == 1:
            return
        if nth in (0, last):
            self._route(host, wires[min(nth, last - 1)], _EVERYWHERE)
        for number, wire in enumerate(wires) if 0 < nth < last else ():
            if number not in (nth - 1, nth):
                towards = wires[nth - 1 if number < nth else nth]
                self._route(host, towards, _networks(wire))

    def _route(self, host: Host, towards: Wire, networks: Iterable[str]) -> None:
        """By the wire's other end."""
        [there] = [end for end in towards.ends if end.host is not host]
        via = {address.version: str(address.ip) for address in there.addresses}
        for network in networks:
            host.route(network, via[ip_interface(network).version])

    # --- segments ----------------------------------------------------------------------------------------------

    def origin(self, segment: Segment) -> str:
        """The host that a segment's source address says it is from."""
        return self.homes.get(segment.source.host, segment.host)

    def sent(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """Each segment once, as its host put it onto its wire, whatever became of it."""
        for segment in segments:
            first = segment.fate in _SENT and not segment.coming
            if segment.wire is None or (first and self.origin(segment) == segment.host):
                yield segment

    def arrived(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        """Each segment as often as it came to the host it was for, forged ones, too."""
        for segment in segments:
            if segment.wire is None:
                yield segment
                continue
            far = self.wires[segment.wire].far(segment.host).name
            if segment.fate in _ARRIVED and self.homes.get(segment.destination.host, far) == far:
                yield segment
                if segment.fate is Fate.DUPLICATED:
                    yield segment


def _networks(wire: Wire) -> list[str]:
    return [str(address.network) for address in wire.ends[0].addresses]
