"""Leaves nothing behind: descriptors, zombies, memory, ports, files."""

import signal
from collections.abc import Iterator
from contextlib import suppress

from ...control.conductor import Late
from ...lab.moment import Descriptor, Moment
from ...sweep.engine import Engine, start_again
from ...sweep.stage import Stage
from ..check import MUST, SHOULD, Inapplicable, check
from . import kernel
from .common import held, several

_CLIENTS = 20
_TOGETHER = 5
_SOON = 2.0
"""Seconds in which a child has ended whose client has left."""
_BATCH, _BATCHES = 120, 24
_GROWTH = 1 << 18
"""Bytes that it may grow by in serving a batch of clients. A leak grows with every batch; a heap that is collected now
and then, or never given back, stops growing after some."""


@check(
    "no-descriptor-leak",
    MUST,
    "When its clients have gone it has no more descriptors open than before.",
    "Each one that is forgotten is gone for good, and in the end accept says EMFILE.",
    "close the connection wherever its serving ends, in the parent after fork, too",
)
def no_descriptor_leak(engine: Engine) -> Iterator[str]:
    """Twenty clients after two."""
    with engine.stage() as stage:
        process = stage.serve()
        for _ in range(2):
            stage.serves()
        before = {d.fd for d in process.descriptors()}
        for _ in range(_CLIENTS):
            stage.serves()
        more = [d for d in process.descriptors() if d.fd not in before]
        if len(more) >= _CLIENTS // 2:
            yield f"after {_CLIENTS} clients {len(more)} descriptors more, such as {more[0].fd} ({more[0].target})"


@check(
    "no-zombies",
    MUST,
    "Children that ended together are all waited for.",
    "Signals that come while one is pending are one: who waits once for each SIGCHLD leaves zombies.",
    "call waitpid with WNOHANG in a loop till it has no more to tell",
)
def no_zombies(engine: Engine) -> Iterator[str]:
    """Five clients leave while the parent is held at the first SIGCHLD."""
    with engine.stage() as stage:
        process = stage.serve()
        clients = several(stage, _TOGETHER)
        children = [p for p in process.children if p.number in stage.living()]
        if not children:
            raise Inapplicable("it has no children while clients are connected")
        moment = Moment("signal", signal=signal.SIGCHLD)
        watch = stage.lab.ask(
            "arm", process=process.number, moment=moment.wire(), action={"do": "hold"}
        )["watch"]
        for client in clients:
            client.close()
        for child in children:
            with suppress(Late):
                child.ended(_SOON)
        if sum(child.state in ("zombie", "dead") for child in children) < 2:
            raise Inapplicable("no two of its children end while it is held")
        stage.lab.ask("disarm", watch=watch)
        for number in held(stage):
            stage.lab.ask("run", process=number)
        stage.rest()
        left = _zombies(stage)
        stage.rest()  # a child that ended meanwhile has been waited for by then
        left &= _zombies(stage)
        if left:
            yield f"{_TOGETHER} clients left together, {len(left)} zombies remain"


def _zombies(stage: Stage) -> set[int]:
    return {process.number for process in stage.lab.processes() if process.state == "zombie"}


@check(
    "no-memory-leak",
    SHOULD,
    "Serving clients does not make it grow.",
    "What is forgotten with each client ends in ENOMEM, or the kernel's killer, at night.",
    "free what belongs to a connection where it ends",
)
def no_memory_leak(engine: Engine) -> Iterator[str]:
    """Batch after batch, till one does not make it grow."""
    with engine.stage() as stage:
        process = stage.serve()
        first = before = kernel.memory(stage, process)
        for _ in range(_BATCHES):
            _serve_batch(stage)
            after = kernel.memory(stage, process)
            if after - before <= _GROWTH:
                return
            before = after
        served = _BATCHES * _BATCH
        yield f"in serving {served} clients it grew by {(before - first) >> 10} KiB, with every {_BATCH} of them"


def _serve_batch(stage: Stage) -> None:
    """Clients, one after another, none of whom waits till the server has come to rest."""
    for _ in range(_BATCH):
        client = stage.client(rest=False)
        client.send(stage.subject.protocol.request, rest=False)
        client.fate()
        client.close(rest=False)
    stage.rest()


@check(
    "listener-not-inherited",
    SHOULD,
    "Processes that only serve a connection, or run another program, do not hold the listening socket.",
    "The port stays taken as long as one of them lives, though nobody accepts there.",
    "close the listener after fork in the child; open it with SOCK_CLOEXEC",
)
def listener_not_inherited(engine: Engine) -> Iterator[str]:
    """While two clients are connected."""
    with engine.stage() as stage:
        process = stage.serve()
        for client in several(stage, 2):
            client.ask()
        accepting = {e.process for e in stage.lab.events(kinds=["enter"], calls=["accept"])}
        waiting = {process.number, *(n for n in accepting if n is not None)}
        for other in stage.lab.processes():
            if other.number not in waiting and other.state == "running":
                kinds = [d.fd for d in other.descriptors() if d.kind is Descriptor.LISTENING]
                if kinds:
                    yield f"process {other.number}, which never accepts, holds the listener (descriptor {kinds[0]})"


@check(
    "connections-not-inherited",
    SHOULD,
    "No process holds the connection of another one's client.",
    "The client sees no end of file as long as anybody holds a copy.",
    "close it in the parent after fork, open it with SOCK_CLOEXEC (accept4)",
)
def connections_not_inherited(engine: Engine) -> Iterator[str]:
    """While three clients are connected."""
    with engine.stage() as stage:
        stage.serve()
        for client in several(stage, 3):
            client.ask()
        for socket in stage.lab.sockets(local=stage.subject.port, state=()):
            holders = stage.lab.holders(socket) if socket.remote and socket.remote.port else []
            numbers = sorted({holder.process.number for holder in holders})
            if len(numbers) > 1:
                yield f"the connection {socket} is held by processes {', '.join(map(str, numbers))}"


@check(
    "port-free-after-exit",
    SHOULD,
    "When it has ended, nobody listens at its port any more.",
    "A port at which connections are taken and nobody serves looks alive to every client and balancer.",
    "end the children that hold the listener, or have them close it",
)
def port_free_after_exit(engine: Engine) -> Iterator[str]:
    """By SIGTERM, while a client is connected."""
    with engine.stage() as stage:
        process = stage.serve()
        stage.client().ask()
        process.signal(signal.SIGTERM)
        if not stage.ends(process):
            raise Inapplicable("it does not end by SIGTERM")
        if stage.listening():
            yield "its first process has ended, and somebody still listens"


@check(
    "stale-socket-file",
    SHOULD,
    "The socket file of a killed server does not keep the next one from starting.",
    "bind says EADDRINUSE as long as the file is there, whoever made it.",
    "unlink the file before bind, when nobody answers at it",
)
def stale_socket_file(engine: Engine) -> Iterator[str]:
    """Only for servers at UNIX sockets."""
    if engine.subject.path is None:
        raise Inapplicable("it listens at a port")
    with engine.stage() as stage:
        stage.serve()
        stage.kill_all()
        yield from _starts(stage)


def _starts(stage: Stage) -> Iterator[str]:
    outcome = start_again(stage)
    if outcome != "at once":
        yield f"started again after SIGKILL: {outcome}"
