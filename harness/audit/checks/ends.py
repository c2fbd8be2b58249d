"""Ends well: finishes what it does, takes no more, and goes."""

import signal
from collections.abc import Iterator

from ...conductor import Late
from ...sweep.client import ENDS, Client, Fate
from ...sweep.engine import Engine
from ..check import MUST, SHOULD, check
from .common import REQUESTS, held_at, point_of, release


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
    """While one is still connected."""
    with engine.stage() as stage:
        process = stage.serve()
        stage.client().ask()
        process.signal(signal.SIGTERM)
        stage.rest()
        if not stage.alive(process) and not stage.listening():
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
        try:
            process.ended(stage.subject.patience)
        except Late:
            yield f"{stage.subject.patience:g} s after SIGTERM it is still there"
