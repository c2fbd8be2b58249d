"""What several checks do."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...conductor import Refused
from ...event import Event
from ...process import Process
from ...sweep.client import Client, Fate
from ...sweep.engine import Engine, Judgement
from ...sweep.perturb import Kind, Perturbation, perturbations
from ...sweep.points import Point, merged
from ...sweep.stage import Stage
from ..check import Inapplicable

_FEW = 50
"""Clients that come at once at most."""
ANSWERS = frozenset("write writev sendto sendmsg sendfile".split())
"""Calls by which answers go out."""


REQUESTS = frozenset("read readv recvfrom recvmsg".split())
"""Calls by which requests come in."""


def recorded(engine: Engine) -> tuple[list[Point], list[Event]]:
    """The moments and events of a run; recorded once."""
    memory: dict[str, Any] = engine.memory
    if "run" not in memory:
        memory["run"] = engine.record()
    found: tuple[list[Point], list[Event]] = memory["run"]
    return found


def swept(engine: Engine, kind: Kind, wanted: Any = lambda run: True) -> Iterator[str]:
    """What a sweep with one kind of perturbation finds, while clients are served."""
    tried = 0
    for group in merged(recorded(engine)[0]):
        if not group.first.serving:
            continue
        for run in perturbations(group.first, [kind]):
            if wanted(run):
                tried += 1
                yield from _found(engine, run)
    if not tried:
        raise Inapplicable("it makes no call, while serving, to which that could be done")


def _found(engine: Engine, run: Perturbation) -> Iterator[str]:
    result = engine.run(run)
    if result.judgement is Judgement.FINDING:
        clients = f" (clients: {result.clients})" if result.clients else ""
        yield f"{run}: {result.why}{clients}"


def still_serves(stage: Stage, process: Process) -> Iterator[str]:
    """Whether it lives and answers."""
    fate = stage.serves()
    if not stage.alive(process):
        yield f"it ended: {stage.exit(process.number)}"
    elif fate is not Fate.ANSWERED:
        yield f"a later client got: {fate}"


def point_of(engine: Engine, calls: frozenset[str], at: str = "enter") -> Point:
    """The first moment, while a client is served, at one of these calls on a socket.

    Raises:
        Inapplicable: there is none.
    """
    for point in recorded(engine)[0]:
        moment = point.moment
        if moment.at == at and moment.call in calls and point.serving and point.moved:
            return point
    raise Inapplicable(f"it calls none of {', '.join(sorted(calls))} on a socket")


def hold(stage: Stage, point: Point) -> int:
    """Arms a hold at a point; the watch's number."""
    watch: int = stage.lab.ask(
        "arm",
        process=point.process,
        moment=point.moment.wire(),
        action={"do": "hold"},
        to_come=True if point.process > max(stage.living(), default=1) else None,
    )["watch"]
    return watch


def held(stage: Stage) -> list[int]:
    """Who is held."""
    return [p["process"] for p in stage.processes if p["state"] == "held"]


def release(stage: Stage, watch: int) -> None:
    """Forgets the hold and lets go of whoever is held.

    Raises:
        Inapplicable: nobody was: the run differs from the recorded one.
    """
    struck = stage.lab.ask("disarm", watch=watch)["struck"]
    for number in held(stage):
        with suppress(Refused):  # a signal has ended it, by another of its threads
            stage.lab.ask("run", process=number)
    stage.rest()
    if not struck:
        raise Inapplicable("it does not come to the same moment twice")


@contextmanager
def held_at(engine: Engine, point: Point) -> Iterator[tuple[Stage, Process, int]]:
    """A stage with the server at work and a hold armed at a point of its life, counted from its start."""
    with engine.stage() as stage:
        process = stage.load()
        stage.processes = [{"process": process.number, "state": "held"}]
        watch = hold(stage, point)
        process.run()
        if not stage.comes_to_listen(process):
            raise Inapplicable("it did not come to listen with a hold armed")
        yield stage, process, watch


def listener_point(engine: Engine) -> Point:
    """Where a first client has just been accepted."""
    return point_of(engine, frozenset(("accept", "accept4")), at="leave")


def several(stage: Stage, count: int) -> list[Client]:
    """So many clients that are connected; of many some at a time, as many as the listener's queue has room for."""
    few = 1 if count < _FEW else max(1, min(_FEW, stage.room()))
    return [stage.client(rest=nth % few == 0) for nth in range(1, count + 1)]
