"""A place has sockets and settings: a host, or a lab, which then means its first host."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ..control.conductor import Late
from ..fact import Fact
from ..trace.sockets import LISTEN, Filter, Socket, State
from ..verdict import Unsupported, hidden
from .unseen import held_only, unseen

if TYPE_CHECKING:
    from .lab import Lab

__tracebackhide__ = hidden


class Named(Protocol):
    """What has a name: a host, a wire."""

    @property
    def name(self) -> str:
        """The name."""


def name_of(what: Named | str | None) -> str | None:
    """The name of a host or a wire, however a case says which one it means."""
    return what if what is None or isinstance(what, str) else what.name


class Place:
    """Where sockets are."""

    def __init__(self, lab: "Lab", host: str | None) -> None:
        """
        Args:
            host: its name; None for the lab's first one.
        """
        self._lab = lab
        self._host = host

    # --- sockets -----------------------------------------------------------------------------------------------

    def sockets(
        self,
        local: int | None = None,
        remote: int | None = None,
        state: State | Iterable[State] | None = None,
        **more: Any,
    ) -> list[Socket]:
        """The sockets of a host that match.

        Args:
            local, remote: ports.
            more: the other members of sockets.Filter: family, type, timer, inode, send_window, local_host,
                remote_host, and of a lab host.
        """
        return self._sockets(self._filter(local, remote, state, more))

    def states(
        self,
        local: int | None = None,
        remote: int | None = None,
        state: State | Iterable[State] | None = None,
        **more: Any,
    ) -> list[State]:
        """The states of the sockets that match, as `sockets` takes them."""
        wanted = self._filter(local, remote, state, more)
        states = [found.state for found in self._sockets(wanted)]
        self._observe({"states": [str(state) for state in states]}, wanted)
        return states

    def awaits(
        self,
        local: int | None = None,
        remote: int | None = None,
        state: State | Iterable[State] | None = None,
        *,
        count: int = 1,
        deadline: float | None = None,
        **more: Any,
    ) -> list[Socket]:
        """Waits till at least `count` sockets match: a step of the set-up.

        Raises:
            Broken: they do not come.
        """
        return self._await(self._filter(local, remote, state, more), deadline, count=count)

    def awaits_none(
        self,
        local: int | None = None,
        remote: int | None = None,
        state: State | Iterable[State] | None = None,
        *,
        deadline: float | None = None,
        **more: Any,
    ) -> None:
        """Waits till no socket matches: a step of the set-up.

        Raises:
            Broken: some stay.
        """
        self._await(self._filter(local, remote, state, more), deadline, gone=True)

    def comes(
        self,
        local: int | None = None,
        remote: int | None = None,
        state: State | Iterable[State] | None = None,
        *,
        count: int = 1,
        deadline: float | None = None,
        **more: Any,
    ) -> Fact:
        """Whether at least `count` sockets come to match: the claim itself."""
        return self._claim(self._filter(local, remote, state, more), deadline, count=count)

    def goes(
        self,
        local: int | None = None,
        remote: int | None = None,
        state: State | Iterable[State] | None = None,
        *,
        deadline: float | None = None,
        **more: Any,
    ) -> Fact:
        """Whether it comes to that no socket matches: the claim itself."""
        return self._claim(self._filter(local, remote, state, more), deadline, gone=True)

    def _filter(
        self,
        local: int | None,
        remote: int | None,
        state: State | Iterable[State] | None,
        more: Mapping[str, Any],
    ) -> Filter:
        members: dict[str, Any] = {**more, "host": name_of(more.get("host", self._host))}
        return Filter(local, remote, state, **members)

    def _sockets(self, wanted: Filter) -> list[Socket]:
        found = self._told(wanted)
        self._be_whole(wanted)
        return found

    def told(self) -> list[Socket]:
        """The sockets that the kernel tells of, be they all or not: for evidence."""
        return self._told(Filter(host=self._host))

    def _told(self, wanted: Filter) -> list[Socket]:
        return [Socket.of(wire) for wire in self._lab.ask("sockets", **wanted.wire())["sockets"]]

    def _be_whole(self, wanted: Filter) -> None:
        """
        Raises:
            Unsupported: there may be sockets, of those meant, that the kernel does not tell of.
        """
        if reason := unseen(self._lab, wanted):
            raise Unsupported(reason)

    def _be_possible(self, wanted: Filter) -> None:
        """
        Raises:
            Unsupported: what is awaited may be there, but to be told it would have to be held, and nothing of the kind is.
        """
        reason = None if held_only(wanted) else unseen(self._lab, wanted)
        if reason and all(found == LISTEN for found in self._told(replace(wanted, state=None))):
            raise Unsupported(reason)

    def _await(self, wanted: Filter, deadline: float | None, **members: Any) -> list[Socket]:
        limit = deadline or self._lab.deadline
        if not members.get("gone"):
            self._be_possible(wanted)
        try:
            reply = self._lab.ask("await", **wanted.wire(), **members, deadline=limit)
            if members.get("gone"):
                self._be_whole(wanted)
        except Late as late:
            self._be_whole(wanted)
            there = f"{self._there(wanted)}\n{late.there}"
            which = f"{late.awaited} ({wanted})"
            raise Late(which, f"{late.because} ({limit:g} s)", there) from None
        return [Socket.of(wire) for wire in reply["sockets"]]

    def _claim(self, wanted: Filter, deadline: float | None, **members: Any) -> Fact:
        try:
            found = self._await(wanted, deadline, **members)
        except Late as late:
            there = ", ".join(late.there.split("\n  ")).strip()
            fact = Fact(False, f"<{late.awaited} did not come: {late.because}; there was {there}>")
        else:
            fact = Fact(True, f"<{len(found)} that match {wanted}>")
        self._observe({"awaited": str(wanted), "came": fact.came})
        return fact

    def _there(self, wanted: Filter) -> str:
        sockets = self._told(Filter(family=wanted.family, host=wanted.host))
        return "\n".join(f"  {socket}" for socket in sockets) or "  no socket"

    def _observe(self, seen: dict[str, Any], wanted: Filter | None = None) -> None:
        where = {"host": wanted.host} if wanted and wanted.host else {}
        self._lab.observations.append({**where, **seen})
