"""The conductor as seen from Python: a process of its own that carries out requests."""

import os
import select
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..files import anonymous_file
from ..outcome import signal_name
from ..verdict import Broken, Unsupported, hidden
from .birth import Adopted, Child, ForkServer, execute
from .channel import Channel, ChannelClosed, ChannelSilent

__tracebackhide__ = hidden

_GRACE = 3.0
"""Seconds that a reply may take beyond the deadline of its request."""
_PROMPT = 10.0
"""Seconds for a request that waits for nothing."""
_SHOWN = 32
"""Processes that a message describes."""
_LEAVE = 10.0
"""Seconds from the end of the channel till the conductor has exited."""


class ConductorFailed(Broken):
    """The conductor could not be started, died or fell silent."""


class Refused(Broken):
    """The conductor called a request malformed or impossible."""


class Late(Broken):
    """What was awaited did not come; the text says what was there instead."""

    def __init__(self, awaited: str, because: str, there: str) -> None:
        super().__init__(f"awaited {awaited}, but {because}; there was instead:\n{there}")
        self.awaited = awaited
        self.because = because
        self.there = there


@dataclass(frozen=True)
class About:
    """What the conductor says of itself and of the platform below it."""

    cpu: int
    kernel: str
    machine: str
    sole_user: bool
    """Only one user id exists in the lab."""
    descriptor: int
    """The init's, of the first host's namespace."""
    lacks: frozenset[str]
    """What its kernel does not offer, by the names that PROTOCOL.md lists."""
    port: int | None
    """The first of the ports that are the lab's own, where it shares the machine's host."""
    folder: str | None
    """Where it does, what goes with the lab; else /dev/shm is."""


class Conductor:
    """A running conductor. Must be closed; then nothing of the lab is left."""

    def __init__(
        self,
        source: "Path | ForkServer",
        options: Sequence[str] = (),
        slowness: float = 1.0,
        sysctls: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it, without waiting till it is ready: see greet.

        Args:
            source: the conductor's executable, or what makes conductors, each with the options of its own.
            options: of the executable: see birth.arguments.
            slowness: how many times as long as usual it may take to answer.
            sysctls: what is set on the first host before all else.

        Raises:
            ConductorFailed: it cannot be started.
        """
        self._errors = anonymous_file("conductor-errors")
        self._slowness = slowness
        self._next = 0
        self._adopted: Child | None = None
        try:
            self._channel = self._start(source, options)
        except OSError as error:
            self._errors.close()
            raise ConductorFailed(
                f"cannot start the conductor {source}: {error.strerror}"
            ) from error
        self._sysctls = sysctls
        with suppress(ConductorFailed):  # it says so again when it is greeted
            self._send("hello")
            if sysctls is not None:
                self._send("sysctl", set=dict(sysctls))

    def _start(self, source: "Path | ForkServer", options: Sequence[str]) -> Channel:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                if isinstance(source, ForkServer):
                    source.fork(theirs, self._errors)
                else:
                    self._adopted = execute(source, "--control", theirs, self._errors, options)
        except BaseException:
            ours.close()
            raise
        return Channel(ours, owed=0 if self._adopted else 1)

    @property
    def _prompt(self) -> float:
        """Seconds for a request that waits for nothing."""
        return _PROMPT * self._slowness

    def _meet(self) -> "Child":
        """Its process, of which it tells before all else where a server has made it."""
        if self._adopted is None:
            try:
                self._adopted = Adopted(self._channel.receive(self._prompt)["pid"])
            except (ChannelClosed, ChannelSilent):
                self._adopted = Adopted(None)
        return self._adopted

    def greet(self) -> None:
        """Waits till it is ready, and learns what it says of itself (`about`).

        Raises:
            ConductorFailed: with the conductor's own words.
        """
        try:
            hello = self._read("hello", self._receive("hello", self._prompt))
            if self._sysctls is not None:
                self._set = self._receive("sysctl", self._prompt)
        except BaseException:
            self._abandon()
            raise
        self.about = About(
            hello["cpu"],
            hello["kernel"],
            hello["machine"],
            hello["sole_user"],
            hello["descriptor"],
            frozenset(hello["lacks"]),
            hello.get("port"),
            hello.get("folder"),
        )

    def set_up(self) -> dict[str, str]:
        """The sysctls that were to be set before all else, as read back when it was greeted.

        Raises:
            Unsupported: its kernel lacks some of them.
            Refused
        """
        values: dict[str, str] = self._read("sysctl", self._set)["values"]
        return values

    def init(self) -> int:
        """The pid, seen from outside, of the init of its namespaces: its only child.

        Raises:
            ConductorFailed: it has none.
        """
        pid = self._meet().pid
        listed = Path(f"/proc/{pid}/task/{pid}/children")
        try:
            return int(listed.read_text().split()[0])
        except (OSError, IndexError):
            raise ConductorFailed("the conductor has no init") from None

    def ask(self, do: str, descriptors: Sequence[int] = (), **members: Any) -> dict[str, Any]:
        """Makes a request and returns what the reply calls ok. Members that are None are left out.

        Args:
            do: the verb.
            descriptors: handed over with the request; the caller keeps its own copies.
            members: of the request; `deadline` in seconds.

        Raises:
            Unsupported: its kernel lacks what the request needs.
            Refused, Late, ConductorFailed
        """
        if self._channel.owed:
            raise ConductorFailed(f"cannot ask {do!r}: an earlier request was cut short")
        own = members.get("deadline")
        limit = own + _GRACE * self._slowness if own else self._prompt
        self._send(do, descriptors, **members)
        return self._read(do, self._receive(do, limit))

    def _send(self, do: str, descriptors: Sequence[int] = (), **members: Any) -> None:
        self._next += 1
        request = {"id": self._next, "do": do}
        request.update((name, value) for name, value in members.items() if value is not None)
        try:
            self._channel.send(request, self._prompt, descriptors)
        except (ChannelClosed, ChannelSilent) as error:
            raise self._failure(do, self._prompt, error) from error

    def _receive(self, do: str, limit: float) -> dict[str, Any]:
        self._meet()
        try:
            reply = self._channel.receive(limit)
        except (ChannelClosed, ChannelSilent) as error:
            raise self._failure(do, limit, error) from error
        awaited = self._next - self._channel.owed
        if reply.get("id") not in (None, awaited):
            raise ConductorFailed(f"the conductor answered {reply['id']} when asked {awaited}")
        return reply

    def _failure(self, do: str, limit: float, error: Exception) -> ConductorFailed:
        """What became of the channel; one that is silent is killed."""
        if isinstance(error, ChannelClosed):
            return ConductorFailed(self._last_words(do))
        child = self._meet()
        child.kill()
        child.wait()
        return ConductorFailed(f"the conductor did not answer {do!r} within {limit:g} s")

    def client(self, **members: Any) -> socket.socket:
        """Asks for a TCP socket that belongs to a host of the lab; the caller closes it.

        Raises:
            Refused, ConductorFailed
        """
        self.ask("socket", **members)
        return socket.socket(fileno=self._channel.given.pop())

    def _read(self, do: str, reply: dict[str, Any]) -> dict[str, Any]:
        if "lacks" in reply.get("error", ()):
            raise Unsupported(reply["error"]["reason"])
        if "error" in reply:
            raise Refused(f"{do}: {reply['error']['reason']}")
        if "late" in reply:
            late = reply["late"]
            raise Late(late["awaited"], late["because"], describe_processes(late["processes"]))
        ok: dict[str, Any] = reply["ok"]
        return ok

    def _last_words(self, do: str) -> str:
        """Why the channel closed: how the conductor ended and what it said."""
        child = self._meet()
        if not self.gone(_LEAVE):
            child.kill()
        status = child.wait()
        self._errors.seek(0)
        said = self._errors.read(1 << 14).decode(errors="replace").strip()
        how = f"was killed by {signal_name(-status)}" if status < 0 else f"exited {status}"
        if do == "hello" and said:
            return said
        if not child.pid:
            return "the conductor was never made: its fork server has ended"
        return f"the conductor {how} when asked {do!r}" + (f": {said}" if said else "")

    def end(self) -> None:
        """Ends the lab: when this returns every process of it is dead. Its exit is still to come.

        Raises:
            ConductorFailed: it died, or fell silent.
        """
        if self._meet().poll() is None and not self._channel.owed:
            self.ask("end")
        self._channel.close()

    def close(self) -> None:
        """Ends the lab and waits until the conductor has exited. May be called again.

        Raises:
            ConductorFailed: it did not exit, or not with 0.
        """
        if self._errors.closed:
            return
        try:
            if not self._channel.closed:
                self.end()
            if not self.gone(_LEAVE):
                raise ConductorFailed(f"the conductor did not exit within {_LEAVE:g} s")
            if self._meet().returncode != 0:
                raise ConductorFailed(self._last_words("end"))
        finally:
            self._abandon()

    def disown(self) -> None:
        """Closes what a forked child has inherited of it, and leaves it alone."""
        self._channel.close()
        self._errors.close()
        if self._adopted is not None:
            self._adopted.returncode = 0  # not this process's child: never to be waited for

    def _abandon(self) -> None:
        """Closes everything; after an orderly end there is nothing left to kill."""
        child = self._meet()  # as long as the channel can tell
        self._channel.close()
        if not self.gone(_LEAVE):
            child.kill()
            child.wait()
        self._errors.close()

    def gone(self, limit: float) -> bool:
        """Whether it exits within that time (seconds)."""
        child = self._meet()
        if child.returncode is None:
            return exits(child, limit)
        child.wait()
        return True


def exits(child: "Child", limit: float) -> bool:
    """Whether a child exits within that time (seconds)."""
    try:
        # subprocess would look, and sleep, and look again.
        handle = os.pidfd_open(child.pid)
    except OSError:  # this kernel has no pidfd: then let it
        with suppress(subprocess.TimeoutExpired):
            child.wait(limit)
        return child.returncode is not None
    try:
        readable, _, _ = select.select([handle], [], [], limit)
    finally:
        os.close(handle)
    if readable:
        child.wait()
    return bool(readable)


def describe_processes(wire: Sequence[dict[str, Any]]) -> str:
    """The processes of a reply, a line each: "  2 echo_client, running, in connect". Of many only the first."""
    lines = [f"  {_describe(process)}" for process in wire[:_SHOWN]]
    lines += [f"  and {len(wire) - _SHOWN} more"] if len(wire) > _SHOWN else []
    return "\n".join(lines) or "  no process"


def _describe(process: dict[str, Any]) -> str:
    stopped = process["state"] == "running" and process["kernel"] == "T"
    words = [f"{process['process']} {process['name']}", "stopped" if stopped else process["state"]]
    if "at" in process:
        at = process["at"]
        words.append(f"at {at['kind']} {at.get('call') or at.get('signal') or ''}".rstrip())
    elif "in" in process:
        words.append(f"in {process['in']}")
    if "exit" in process:
        words.append(f"exit {process['exit'].get('code', process['exit'].get('signal'))}")
        if process["exit"].get("signal") == "SIGXFSZ":
            words.append("it wrote more into one file than its limit fsize allows")
    return ", ".join(words)
