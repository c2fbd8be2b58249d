"""Ends well: finishes what it does, takes no more, and goes."""

import signal
from collections.abc import Iterator

from ...sweep.client import ENDS, Client, Fate
from ...sweep.engine import Engine
from ...trace.event import Event
from ..check import MUST, SHOULD, Inapplicable, check
from .common import REQUESTS, held_at, point_of, recorded, release

_SOON = 1.0
"""Seconds after SIGTERM in which a server has closed its listener."""


@check(
    "term-finishes-request",
    SHOULD,
    "SIGTERM does not cut off the request that is being answered.",
    "Every deployment sends SIGTERM; clients should not notice.",
    "handle SIGTERM: stop accepting, finish what was asked, then exit",
)
def finishes_request(engine: Engine) -> Iterator[str]:
    """SIGTERM comes when the request has just been read."""
    with held_at(engine, point_of(engine, REQUESTS, at="leave")) as (stage, process, watch):
        client = stage.client()
        client.send(engine.subject.protocol.request)
        process.signal(signal.SIGTERM)
        release(stage, watch)
        fate = client.fate()
        if fate is not Fate.ANSWERED:
            yield f"the client that was being served got: {fate}"


@check(
    "term-refuses-clients",
    SHOULD,
    "After SIGTERM no new clients are let in.",
    "Else it never comes to an end, or new clients are cut off.",
    "close the listening socket first of all",
)
def refuses_clients(engine: Engine) -> Iterator[str]:
    """While one is still connected; a server that looks for signals now and then has had the time."""
    with engine.stage() as stage:
        process = stage.serve()
        stage.client().ask()
        process.signal(signal.SIGTERM)
        stage.ends(process, _SOON)
        if not stage.listening():
            return
        late = Client(stage).connect()
        late.send(engine.subject.protocol.request)
        fate = late.fate(patience=2.0)
        if fate not in ENDS:
            yield f"a client that came after SIGTERM got: {fate}"


@check(
    "term-exits",
    MUST,
    "After SIGTERM it exits in time, though a client stays connected and says nothing.",
    "Who waits for idle clients is killed with SIGKILL in the end, and everything else with it.",
    "bound the time that clients have left, or close idle connections at once",
)
def exits(engine: Engine) -> Iterator[str]:
    """In the subject's patience."""
    with engine.stage() as stage:
        process = stage.serve()
        stage.client()
        process.signal(signal.SIGTERM)
        if not stage.ends(process):
            yield f"{stage.subject.patience:g} s after SIGTERM it is still there"


@check(
    "sigpipe-restored-for-programs",
    SHOULD,
    "Programs that it runs do not inherit that SIGPIPE is ignored.",
    "exec keeps ignored signals ignored, and most programs rely on SIGPIPE to end when nobody reads.",
    "set SIGPIPE to SIG_DFL in the child before exec",
)
def sigpipe_restored(engine: Engine) -> Iterator[str]:
    """As its processes set it, till they run another program."""
    _, events = recorded(engine)
    ignoring: set[int | None] = set()
    ran = 0
    for event in events[1:]:  # the first is its own exec
        if event.kind == "fork" and event.process in ignoring:
            ignoring.add(event.child)
        elif _sets_sigpipe(event):
            ignoring.discard(event.process)
            if event.args["action"].get("handler") == "SIG_IGN":
                ignoring.add(event.process)
        elif event.kind == "exec":
            ran += 1
            if event.process in ignoring:
                yield f"{event.name} (process {event.process}) runs with SIGPIPE ignored"
    if not ran:
        raise Inapplicable("it runs no other program")


def _sets_sigpipe(event: Event) -> bool:
    sets = event.kind == "leave" and event.call == "rt_sigaction" and event.args.get("action")
    return bool(sets) and event.args.get("signal") == "SIGPIPE"
