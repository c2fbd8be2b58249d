"""What several checks do."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ...control.conductor import Refused
from ...lab.process import Process
from ...sweep.client import Client, Fate
from ...sweep.engine import Engine, Judgement, Result
from ...sweep.perturb import Kind, Perturbation, perturbations
from ...sweep.points import Point, merged
from ...sweep.stage import Stage
from ...trace.event import Event
from ...verdict import Broken
from ..check import Inapplicable

_FEW = 200
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


def swept(
    engine: Engine, kind: Kind, wanted: Callable[[Perturbation], bool] = lambda run: True
) -> list[str]:
    """What a sweep with one kind of perturbation finds, while clients are served.

    Raises:
        Inapplicable: there is no moment at which that can be done.
        Broken: there is, and it was not done at any.
    """
    first = [group.first for group in merged(recorded(engine)[0]) if group.first.serving]
    runs = [run for point in first for run in perturbations(point, [kind]) if wanted(run)]
    if not runs:
        raise Inapplicable("it makes no call, while serving, to which that could be done")
    results = [engine.run(run) for run in runs]
    engine.remarks.append(_tried(results))
    found = [_told(run, r) for run, r in zip(runs, results) if r.judgement is Judgement.FINDING]
    for result in results:
        if result.judgement is Judgement.BROKEN and not found:
            raise Broken(f"{result.key}: {result.why}")
    return found


def _tried(results: Sequence[Result]) -> str:
    """How many runs there were.

    Raises:
        Broken: none of them came to its moment.
    """
    missed = sum(result.judgement is Judgement.MISSED for result in results)
    if missed == len(results):
        raise Broken(f"none of {missed} moments of the recorded run came again")
    return f"{len(results)} runs" + (
        f", in {missed} the moment did not come again" if missed else ""
    )


def _told(run: Perturbation, result: Result) -> str:
    clients = f" (clients: {result.clients})" if result.clients else ""
    return f"{run}: {result.why}{clients}"


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
