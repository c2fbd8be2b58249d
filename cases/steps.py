"""Steps that several files of cases share. None of them makes the call that a case is about."""

from dataclasses import dataclass

import pytest

from harness import (
    CHILDREN,
    CONNECTION,
    ESTABLISHED,
    Broken,
    Descriptor,
    Exit,
    Lab,
    Outcome,
    Process,
    Watch,
    entering,
    leaving,
)
from harness.fact import Fact

every_family = pytest.mark.parametrize(
    ("at", "address"),
    [
        pytest.param([], "127.0.0.1", id="IPv4"),
        pytest.param(["-a", "::1"], "::1", id="IPv6"),
    ],
)
"""For a server's options and the address that its client goes to."""


@dataclass(frozen=True)
class OneClient:
    """A forking server that has one client."""

    server: Process
    """Asleep in accept, its own copy of the connection closed."""
    child: Process
    """Held before its first read of the connection."""
    client: Process
    """Free; it waits for a line."""


def started(lab: Lab, command: str) -> Process:
    """A server, started by its name and options, and held before its first accept."""
    name, *options = command.split()
    return lab.start(name, *options, lab.port).reach(entering("accept"))


def comes(lab: Lab, command: str) -> Process:
    """A client, started by its name and options, and let go."""
    name, *options = command.split()
    return lab.start(name, *options, lab.address, lab.port).run()


def one_client(lab: Lab, server: str, client: str = "tcpcli01") -> OneClient:
    """Starts both, and lets them come to where OneClient says."""
    listening = started(lab, server)
    connected = comes(lab, client)
    child = listening.reach(entering("read", on=CONNECTION), CHILDREN)
    listening.blocked("accept")
    return OneClient(listening, child, connected)


def gave(process: Process) -> Outcome:
    """The outcome of the call that a process is held leaving.

    Raises:
        Broken: it is not held there.
    """
    event = process.at
    if event is None or event.outcome is None:
        raise Broken(f"{process.name} is not held leaving a call, but {process.state} at {event}")
    return event.outcome


def arrived(lab: Lab, length: int) -> None:
    """Looks that the server's end of the one connection has so many bytes that nobody has read.

    Raises:
        Broken: it has not.
    """
    waiting = [end.receive_queue for end in lab.sockets(local=lab.port, state=ESTABLISHED)]
    if waiting != [length]:
        raise Broken(f"{length} bytes were to wait in one receive queue, but there is {waiting}")


def children(server: Process, count: int) -> list[Process]:
    """So many that a server has had.

    Raises:
        Broken: it has had more or less.
    """
    born = server.children
    if len(born) != count:
        raise Broken(f"{server.name} was to have {count} children, but has had {len(born)}")
    return born


def zombies(server: Process) -> list[Process]:
    """Its children that are dead and that it has not waited for.

    Raises:
        Broken: it never had a child.
    """
    children = server.children
    if not children:
        raise Broken(f"{server.name} has had no child that could be a zombie")
    return [child for child in children if child.state == "zombie"]


def echoes(client: Process, line: str) -> Fact:
    """Whether a line that is typed comes back: a claim."""
    try:
        client.input(line).prints(line)
    except Broken as broken:
        return Fact(False, f"({broken})")
    client.run()
    return Fact(True, f"({line!r} came back)")


def gives(process: Process, call: str, on: Descriptor | None = None) -> Outcome | Fact:
    """What the next such call of a process gives, let go, or what it does instead: for a claim."""
    try:
        return gave(process.reach(leaving(call, on=on)))
    except Broken as broken:
        return Fact(False, f"({broken})")


def returned(watch: Watch) -> Outcome | Fact:
    """What the call gave that a watch waits to be left, or what came instead: for a claim."""
    try:
        return gave(watch.reached())
    except Broken as broken:
        return Fact(False, f"({broken})")


def ends(process: Process, deadline: float | None = None) -> Exit | Fact:
    """How a process ends, let go, or what it does instead: for a claim."""
    try:
        return process.ended(deadline)
    except Broken as broken:
        return Fact(False, f"({broken})")


def sleeps_in(process: Process, call: str) -> Fact:
    """Whether a process comes to sleep in a call: a claim."""
    try:
        process.blocked(call)
    except Broken as broken:
        return Fact(False, f"({broken})")
    return Fact(True, f"(in {call})")
