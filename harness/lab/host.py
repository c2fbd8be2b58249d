"""Hosts: network namespaces of a lab, joined by wires, and what can befall them."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import TYPE_CHECKING, Any

from ..control.conductor import Late, Refused
from ..trace.icmp import HOST_UNREACHABLE, NET_UNREACHABLE, PROHIBITED, Icmp
from ..verdict import Broken, hidden
from .place import Place
from .process import Process
from .wire import End, Interface, Wire

if TYPE_CHECKING:
    from .lab import Lab

__tracebackhide__ = hidden

_ROUTES = {HOST_UNREACHABLE: "unreachable", PROHIBITED: "prohibit"}
"""The routes that make Linux's router answer so (fib_props in net/ipv4/fib_semantics.c)."""
_DYING = 100
"""Rounds in which a host that shuts down looks for processes that were born meanwhile."""


class Host(Place):
    """One host of a lab. A lab's methods that concern one host are its methods, too."""

    def __init__(self, lab: "Lab", name: str, descriptor: int) -> None:
        super().__init__(lab, name)
        self.lab = lab
        self.name = name
        self.descriptor: int | None = descriptor
        """The init's, that stands for its network namespace; None while it has crashed."""
        self.ends: list[End] = []
        """Its ends of wires."""
        self._places: list[tuple[str, Interface]] = []
        self._gone: set[Interface] = set()
        self._settings: dict[str, str] = {}
        self._undo: dict[str, list[Callable[[], object]]] = {}

    def __repr__(self) -> str:
        return f"<host {self.name}>"

    def __str__(self) -> str:
        return self.name

    # --- what it has -------------------------------------------------------------------------------------------

    @property
    def addresses(self) -> list[IPv4Address | IPv6Address]:
        """Its addresses on wires, in the order in which it got them."""
        return [there.ip for _, there in self._places if there not in self._gone]

    @property
    def address(self) -> str:
        """Its first IPv4 address.

        Raises:
            Broken: it has none.
        """
        return self._first(4)

    @property
    def address6(self) -> str:
        """Its first IPv6 address.

        Raises:
            Broken: it has none.
        """
        return self._first(6)

    def _first(self, version: int) -> str:
        found = [str(there) for there in self.addresses if there.version == version]
        if not found:
            raise Broken(f"host {self.name} has no IPv{version} address")
        return found[0]

    def start(self, program: str | os.PathLike[str], *args: object, **options: Any) -> Process:
        """Starts a program here and leaves it held at its exec: see Lab.start."""
        return self.lab.start(program, *args, host=self, **options)

    def processes(self) -> list[Process]:
        """The processes that run, or ran, here, in the order of birth."""
        return self.lab.processes(self)

    def plug(self, end: End) -> None:
        """Notes an end of a wire, with its addresses."""
        self.ends.append(end)
        self._places += [(end.link, there) for there in end.addresses]

    # --- settings ----------------------------------------------------------------------------------------------

    def sysctl(self, name: str, value: str | int | None = None) -> str:
        """Sets a sysctl, if a value is given, and returns what is read back.

        Raises:
            Broken: there is no such name, or it cannot be set.
        """
        if value is not None:
            return self.settle({name: str(value)})[name]
        values: dict[str, str] = self.lab.ask("sysctl", host=self.name, get=[name])["values"]
        return values[name]

    def settle(self, settings: dict[str, str]) -> dict[str, str]:
        """Sets several sysctls, and again whenever it boots; returns what is read back."""
        values: dict[str, str] = self.lab.ask("sysctl", host=self.name, set=settings)["values"]
        self._settings.update(settings)
        self.lab.record_sysctls(self.name, values)
        return values

    def hasten(self, **timers: int) -> "Host":
        """Sets TCP's timers and numbers of tries: hasten(syn_retries=1) means net.ipv4.tcp_syn_retries.

        Raises:
            Broken: there is no such setting.
        """
        self.settle({f"net.ipv4.tcp_{name}": str(value) for name, value in timers.items()})
        return self

    # --- what befalls it ---------------------------------------------------------------------------------------

    def crash(self) -> "Host":
        """It falls silent at once: its processes are gone, and nobody hears of it.

        Raises:
            Broken: it has no wire, so that nobody would notice, or it has crashed before.
        """
        self.lab.ask("crash", host=self.name, deadline=self.lab.deadline)
        self.descriptor = None
        return self

    def boot(self) -> "Host":
        """After a crash: the same addresses, neighbours, routes and settings, and no memory of what was.

        Raises:
            Broken: it has not crashed.
        """
        self.descriptor = self.lab.ask("boot", host=self.name)["descriptor"]
        if self._settings:
            self.lab.ask("sysctl", host=self.name, set=self._settings)
        return self

    def shut_down(self, grace: float = 1.0) -> None:
        """As init does it: SIGTERM to all processes, some time to end, SIGKILL to the rest. Its kernel stays and answers;
        a crash would silence it.

        Args:
            grace: seconds.
        """
        end = time.monotonic() + grace
        for process in self._living():
            with suppress(Refused):  # it has ended meanwhile
                process.signal(signal.SIGTERM).run()
        for process in self._living():
            with suppress(Late, Refused):
                process.ended(max(end - time.monotonic(), 0.001))
        for _ in range(_DYING):
            if not (left := self._living()):
                return
            for process in left:
                with suppress(Refused):
                    process.kill()
        raise Broken(f"host {self.name}: {len(left)} processes are left though all were killed")

    def _living(self) -> list[Process]:
        return [p for p in self.processes() if p.state not in ("dead", "zombie")]

    def remove_address(self, address: str | None = None) -> "Host":
        """Takes an address away; its first one if None.

        Raises:
            Broken: it has no such address.
        """
        self._change_address(*self._place_of(address or self.address), change="remove")
        return self

    def add_address(self, address: str) -> "Host":
        """Gives it an address, with its network ("10.0.1.7/24"), at its first wire, or one back that it had.

        Raises:
            Broken: it has no wire.
        """
        if not self.ends:
            raise Broken(f"host {self.name} has no wire that an address could be at")
        self._change_address(*self._given(address), change="add")
        return self

    def _given(self, address: str) -> tuple[str, Interface]:
        """Which link an address goes to, and with which network."""
        for link, there in self._places:
            if address in (str(there.ip), str(there)):
                return link, there
        return self.ends[0].link, ip_interface(address)

    def _place_of(self, address: str) -> tuple[str, Interface]:
        for link, there in self._places:
            if str(there.ip) == address and there not in self._gone:
                return link, there
        has = ", ".join(map(str, self.addresses)) or "none"
        raise Broken(f"host {self.name} has no address {address} (it has {has})")

    def _change_address(self, link: str, address: Interface, change: str) -> None:
        self.lab.ask("address", host=self.name, link=link, address=str(address), change=change)
        if change == "remove":
            self._gone.add(address)
            return
        self._gone.discard(address)
        if (link, address) not in self._places:
            self._places.append((link, address))
        self.lab.own(str(address.ip), self.name)

    # --- whom it knows -----------------------------------------------------------------------------------------

    def knows(self, other: "Host") -> "Host":
        """It knows for good who a host on its wire is, and need not ask.

        Raises:
            Broken: no wire joins them.
        """
        return self._know(other, "add")

    def forgets(self, other: "Host") -> "Host":
        """It does not know who a host on its wire is, and must ask, by ARP or neighbour discovery.

        Raises:
            Broken: no wire joins them, or it did not know.
        """
        return self._know(other, "remove")

    def _know(self, other: "Host", change: str) -> "Host":
        wire = self.lab.wire_between(self, other)
        mine, theirs = sorted(wire.ends, key=lambda end: end.host is not self)
        for address in theirs.addresses:
            self.lab.ask(
                "neighbour",
                host=self.name,
                link=mine.link,
                address=str(address.ip),
                mac=theirs.mac,
                change=change,
            )
        return self

    def route(self, to: str, via: str) -> "Host":
        """Sets a route, of its kernel's, to a network ("10.0.9.0/24").

        Args:
            via: the address of the next host; or "unreachable", "prohibit", "blackhole".
        """
        self.lab.ask("route", host=self.name, to=to, via=via)
        return self

    def unroute(self, to: str, via: str) -> "Host":
        """Takes a route away that was set."""
        self.lab.ask("route", host=self.name, to=to, via=via, change="remove")
        return self

    def answers_with(self, icmp: Icmp, about: "Host") -> "Host":
        """It forwards no more to a host, but answers so: its kernel does, by a route, or for want of one.

        Over IPv6 Linux says NET_UNREACHABLE ("no route") for an unreachable host, too. What no router of Linux's says
        is to be forged: wire.forge(icmp(...)).

        Raises:
            Broken: its kernel would never say that.
        """
        if about.name in self._undo:
            raise Broken(f"host {self.name} does not forward to {about.name} already")
        if icmp is NET_UNREACHABLE:
            undo = self._lose_network(about)
        elif icmp in _ROUTES:
            undo = self._bar(about, _ROUTES[icmp])
        else:
            raise Broken(f"a router never says {icmp} of its own: forge it on a wire")
        self._undo[about.name] = undo
        return self

    def forwards_again(self, to: "Host") -> "Host":
        """Undoes answers_with.

        Raises:
            Broken: it had never stopped.
        """
        if to.name not in self._undo:
            raise Broken(f"host {self.name} forwards to {to.name}: there is nothing to undo")
        for undo in self._undo.pop(to.name):
            undo()
        return self

    def _bar(self, other: "Host", kind: str) -> list[Callable[[], object]]:
        routes = [f"{address}/{address.max_prefixlen}" for address in other.addresses]
        for to in routes:
            self.route(to, kind)
        return [partial(self.unroute, to, kind) for to in routes]

    def _lose_network(self, other: "Host") -> list[Callable[[], object]]:
        """The route to a network of its own goes with its address there."""
        wire: Wire = self.lab.wire_between(self, other)
        [mine] = [end for end in wire.ends if end.host is self]
        for address in mine.addresses:
            self.remove_address(str(address.ip))
        return [partial(self.add_address, str(address)) for address in mine.addresses]
