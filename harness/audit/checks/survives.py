"""Survives its clients: those that break off, vanish, hesitate or come in crowds."""

import resource
from collections.abc import Iterator

from ...lab.process import Process
from ...sweep.client import Client, Fate
from ...sweep.engine import Engine
from ...sweep.perturb import Kind
from ...sweep.stage import Stage
from ...sweep.subject import NotUsable
from ..check import MUST, POLICY, SHOULD, Inapplicable, check
from . import kernel
from .common import (
    ANSWERS,
    held,
    held_at,
    listener_point,
    point_of,
    recorded,
    release,
    several,
    still_serves,
    swept,
)

_CROWD = 1000
_FLOOD = 1 << 20
_SMALL = 4096
_ROOM, _MORE = 32, 8
"""Descriptors that a server has left for clients when it is to run short of them; and clients beyond, at most, as far
as its listener's queue has room for them."""
_SPIN = 0.5
"""Seconds in which a server without a descriptor left is watched."""


@check(
    "reset-before-accept",
    MUST,
    "A client that resets its connection before it is accepted does no harm.",
    "Port scanners and impatient clients do it all day; accept or the first read then fails.",
    "take ECONNABORTED from accept and ECONNRESET from read as the end of that client only",
)
def reset_before_accept(engine: Engine) -> Iterator[str]:
    """It is reset while the server is held leaving the accept of another."""
    with held_at(engine, listener_point(engine)) as (stage, process, watch):
        first = stage.client()
        stage.client().reset()
        release(stage, watch)
        if first.ask() is not Fate.ANSWERED:
            yield "the client before it got no answer"
        first.close()
        yield from still_serves(stage, process)


@check(
    "reset-during-request",
    MUST,
    "A client that resets its connection in mid-request does no harm.",
    "The read fails with ECONNRESET, and who takes that for fatal is down.",
    "close the connection and go on",
)
def reset_during_request(engine: Engine) -> Iterator[str]:
    """After half of it."""
    request = engine.subject.protocol.request
    with engine.stage() as stage:
        process = stage.serve()
        client = stage.client()
        client.send(request[: len(request) // 2])
        client.reset()
        yield from still_serves(stage, process)


@check(
    "reset-during-response",
    MUST,
    "A client that resets its connection while it is answered does no harm.",
    "A browser's stop button does that: a write then fails with ECONNRESET or EPIPE.",
    "close the connection and go on; ignore SIGPIPE",
)
def reset_during_response(engine: Engine) -> Iterator[str]:
    """It asks for more than it ever reads, and hangs up."""
    with engine.stage() as stage:
        _small_buffers(stage)
        process = stage.serve()
        client = stage.client(receive_buffer=_SMALL)
        _flood(stage, client, engine.subject.protocol.request)
        client.reset()
        yield from still_serves(stage, process)


def _small_buffers(stage: Stage) -> None:
    """Loopback's would take megabytes before a write blocks."""
    for name in ("tcp_rmem", "tcp_wmem"):
        stage.lab.sysctl(f"net.ipv4.{name}", "4096 16384 65536")


def _flood(stage: Stage, client: Client, request: bytes) -> bytes:
    """Sends requests till nothing more is taken, or it is enough; what was sent."""
    if not request:
        return b""
    block = request * max(1, 16384 // len(request))
    while len(client.request) < _FLOOD and client.end is None:
        if not client.send((block * 2)[len(client.request) % len(request) :][: len(block)]):
            break
    return client.request


@check(
    "write-to-closed",
    MUST,
    "Writing to a connection that the client has closed does not kill it.",
    "The second such write raises SIGPIPE, which by default ends the process without a word.",
    "ignore SIGPIPE, or write with MSG_NOSIGNAL, and take EPIPE as the end of that client",
)
def write_to_closed(engine: Engine) -> Iterator[str]:
    """The server is held before it writes; FIN and RST come; then it goes on."""
    with held_at(engine, point_of(engine, ANSWERS)) as (stage, process, watch):
        client = stage.client()
        client.send(engine.subject.protocol.request)
        client.half_close()
        client.reset()
        writers = held(stage)
        release(stage, watch)
        yield from still_serves(stage, process)
        for number in writers:
            if "SIGPIPE" in stage.exit(number):
                yield f"process {number} died of SIGPIPE"


@check(
    "vanished-clients-are-noticed",
    POLICY,
    "A client that vanishes without a word is noticed some day.",
    "Without keep-alive the connection of a client that lost its power stays open for ever.",
    "set SO_KEEPALIVE or TCP_USER_TIMEOUT on connections, or end idle ones after a time-out of your own",
)
def vanished_clients(engine: Engine) -> Iterator[str]:
    """Options that are set on sockets, and timers that it sleeps with."""
    if engine.subject.path is not None:
        raise Inapplicable("whoever is at the other end of a UNIX socket is on this machine")
    _, events = recorded(engine)
    options = {e.args.get("option") for e in events if e.call == "setsockopt"}
    if options & {"SO_KEEPALIVE", "TCP_USER_TIMEOUT", "SO_RCVTIMEO"}:
        return
    sleeps = [e for e in events if e.kind == "enter" and e.call in ("poll", "epoll_wait", "select")]
    if any(_timed(event.args.get("timeout")) for event in sleeps):
        return
    yield "it sets neither SO_KEEPALIVE nor TCP_USER_TIMEOUT nor SO_RCVTIMEO, and sleeps without time-out"


def _timed(timeout: object) -> bool:
    return timeout is not None and timeout != -1


@check(
    "half-close",
    SHOULD,
    "A client that shuts down its sending side after the request still gets its answer.",
    "`printf ... | nc`, and many a script, end their input at once; RFC 9293 §3.6 lets data flow the other way.",
    "answer what was asked before the end of file, and only then close",
)
def half_close(engine: Engine) -> Iterator[str]:
    """Request and end of file are there before the server reads."""
    with held_at(engine, listener_point(engine)) as (stage, process, watch):
        client = stage.client()
        client.send(engine.subject.protocol.request)
        client.half_close()
        release(stage, watch)
        fate = client.fate()
        if fate is not Fate.ANSWERED:
            yield f"the client got: {fate}"
        client.close()
        yield from still_serves(stage, process)


@check(
    "byte-at-a-time",
    MUST,
    "A request that comes a byte at a time is answered like any other.",
    "TCP keeps no boundaries; a slow line delivers so.",
    "collect what comes till the request is whole",
)
def byte_at_a_time(engine: Engine) -> Iterator[str]:
    """Each byte when all before it has been taken."""
    with engine.stage() as stage:
        process = stage.serve()
        client = stage.client()
        for byte in engine.subject.protocol.request:
            client.send(bytes([byte]))
        fate = client.fate()
        if fate is not Fate.ANSWERED:
            yield f"the client got: {fate} ({client.answer[:60]!r})"
        client.close()
        yield from still_serves(stage, process)


@check(
    "slow-reader",
    SHOULD,
    "A client that does not read its answers keeps nobody else waiting, and loses nothing.",
    "One slow client must not stop the others.",
    "never block in a write to one client; keep what did not fit, and stop reading from who does not read",
)
def slow_reader(engine: Engine) -> Iterator[str]:
    """It fills all buffers; another is served; then it reads on."""
    protocol = engine.subject.protocol
    with engine.stage() as stage:
        _small_buffers(stage)
        stage.serve()
        slow = stage.client(receive_buffer=_SMALL)
        _flood(stage, slow, protocol.request)
        fate = stage.serves(2.0)
        if fate is not Fate.ANSWERED:
            yield f"while one client did not read, another got: {fate}"
            return
        if protocol.mirrors:
            sent = slow.request
            while slow.receive().end is None and len(slow.answer) < len(sent):
                if not slow.wait_readable(stage.subject.patience):
                    break
            if slow.answer != sent:
                yield f"of {len(sent)} bytes it got {len(slow.answer)} back, or others"


@check(
    "silent-client",
    MUST,
    "A client that connects and says nothing keeps nobody else waiting.",
    "Anybody can do that, without effort, and the service is down for all.",
    "serve each client in a process, a thread or a turn of an event loop of its own",
)
def silent_client(engine: Engine) -> Iterator[str]:
    """Others are served meanwhile, and then it."""
    with engine.stage() as stage:
        stage.serve()
        silent = stage.client()
        fate = stage.serves(2.0)
        if fate is not Fate.ANSWERED:
            yield f"while one client said nothing, another got: {fate}"
            return
        late = silent.ask()
        if late is not Fate.ANSWERED:
            yield f"the silent client then asked, and got: {late}"


@check(
    "clients-at-any-moment",
    MUST,
    "A client that comes while another is being served, at whatever moment of that, is served as well.",
    "Two clients seldom meet at just that moment on a developer's machine; on a busy one they do every day.",
    "wait for locks instead of giving up; let clients share nothing without one",
)
def clients_at_any_moment(engine: Engine) -> Iterator[str]:
    """Whoever serves the first is held at each moment in turn, while the rest goes on with the second."""
    yield from swept(engine, Kind.DELAY)


@check(
    "thousand-connections",
    SHOULD,
    "A thousand connections are held open at once, and each is served.",
    "A table of clients, FD_SETSIZE (1024) or an accept that stops shows only then.",
    "let tables grow; use poll or epoll instead of select; raise RLIMIT_NOFILE to its hard limit",
)
def thousand_connections(engine: Engine) -> Iterator[str]:
    """With room for as many descriptors; the first and the last are asked, and one in the middle."""
    _room_for(2 * _CROWD)
    with engine.stage() as stage:
        process = stage.serve(limits={"nofile": (_CROWD + 200, 4 * _CROWD)})
        clients = several(stage, _CROWD)
        refused = [client for client in clients if client.end is not None]
        if refused:
            yield f"{len(refused)} of {_CROWD} were refused"
            return
        for nth in (1, _CROWD // 2, _CROWD):
            fate = clients[nth - 1].ask()
            if fate is not Fate.ANSWERED:
                yield f"with {_CROWD} connections open, number {nth} asked, and got: {fate}"
        if not stage.alive(process):
            yield f"it ended: {stage.exit(process.number)}"


def _room_for(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        if hard != resource.RLIM_INFINITY and hard < count:
            raise Inapplicable(f"this process may have {hard} descriptors only (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


@check(
    "no-descriptor-left",
    MUST,
    "Without a free descriptor it waits, does not spin, and accepts again when one is free.",
    "accept says EMFILE and the connection stays in the queue: poll reports it at once, again and again.",
    "after EMFILE do not look at the listener till a connection is closed, or for some milliseconds",
)
def no_descriptor_left(engine: Engine) -> Iterator[str]:
    """More come than it has room for; then all leave."""
    limit = _used(engine) + _ROOM
    with engine.stage() as stage:
        process = _started_with(stage, limit)
        stage.hurry()
        clients = several(stage, _ROOM + min(_MORE, max(1, stage.room())))
        if not _failures(stage):
            raise Inapplicable(
                "it never lacks a descriptor: it lets in fewer clients, or each is another process's"
            )
        yield from _spins(stage, process)
        last = clients[-1]
        for client in clients[:-1]:
            client.close()
        fate = last.ask() if stage.alive(process) else Fate.SILENCE
        if fate is not Fate.ANSWERED:
            yield f"with room again, the client that had waited got: {fate}"
        yield from still_serves(stage, process)


def _used(engine: Engine) -> int:
    """Descriptors that it uses itself: of its processes the one that uses most."""
    if "used" not in engine.memory:
        with engine.stage() as stage:
            stage.serve()
            living = [p for p in stage.lab.processes() if p.number in stage.living()]
            used = max(d.fd for process in living for d in process.descriptors()) + 1
            engine.memory["used"] = used
    return int(engine.memory["used"])


def _started_with(stage: Stage, limit: int) -> Process:
    """The server at work, with so many descriptors at most.

    Raises:
        Inapplicable: it asks for more.
    """
    try:
        return stage.serve(limits={"nofile": (limit, limit)})
    except NotUsable:
        raise Inapplicable(f"it does not start with {limit} descriptors") from None


def _failures(stage: Stage) -> int:
    left = stage.lab.events(kinds=["leave"], calls=["accept"])
    return sum(e.outcome is not None and e.outcome.errno == "EMFILE" for e in left)


def _spins(stage: Stage, process: Process) -> Iterator[str]:
    """Whether it is busy while there is nothing that it could do."""
    if not stage.alive(process):
        return
    before, began = _failures(stage), kernel.cpu_seconds(stage, process)
    kernel.wait(_SPIN)
    tried, used = _failures(stage) - before, kernel.cpu_seconds(stage, process) - began
    if tried > 100:
        yield f"it spins: in {_SPIN} s {tried} times EMFILE, {used:.2f} s of processor time"
