"""Restarts at once, however it ended; and its clients learn of the end."""

import signal
from collections.abc import Iterator

from ...sweep.engine import Engine, start_again
from ...sweep.perturb import Kind
from ...sweep.stage import Stage
from ..check import MUST, SHOULD, Inapplicable, check
from .common import swept

_REUSE = "set SO_REUSEADDR on the listening socket before bind"


def _again(stage: Stage) -> Iterator[str]:
    outcome = start_again(stage)
    if outcome != "at once":
        sockets = "; ".join(str(s) for s in stage.lab.sockets(local=stage.subject.port)[:3])
        yield f"started again: {outcome}" + (f" (there: {sockets})" if sockets else "")


@check(
    "restarts-after-closing-first",
    MUST,
    "It can be started again at once after it closed a connection first.",
    "Who closes first keeps the port in TIME_WAIT for a minute; without more every deployment waits for that.",
    _REUSE,
)
def after_closing_first(engine: Engine) -> Iterator[str]:
    """The server ends by SIGTERM while a client is connected, who closes after it."""
    with engine.stage() as stage:
        process = stage.serve()
        client = stage.client()
        client.ask()
        process.signal(signal.SIGTERM)
        if not stage.ends(process):
            raise Inapplicable("it does not end by SIGTERM")
        stage.kill_all()  # a child that serves on would let the client close first
        client.receive()
        client.close()
        yield from _again(stage)


@check(
    "restarts-after-kill",
    MUST,
    "It can be started again at once after SIGKILL with connections open.",
    "A crash under load is when a quick restart counts most.",
    _REUSE + "; leave nothing behind that forbids a start, such as a lock file that nobody removes",
)
def after_kill(engine: Engine) -> Iterator[str]:
    """All its processes are killed while a client is connected."""
    with engine.stage() as stage:
        stage.serve()
        stage.client().ask()
        stage.kill_all()
        yield from _again(stage)


@check(
    "restarts-with-child-alive",
    SHOULD,
    "It can be started again while a child of the killed server still serves its client.",
    "Connections may last for hours; the service should not be down for as long.",
    _REUSE + "; close it in children that serve connections",
)
def with_child_alive(engine: Engine) -> Iterator[str]:
    """Only the first process is killed, while a client is connected."""
    with engine.stage() as stage:
        process = stage.serve()
        stage.client().ask()
        process.kill()
        stage.rest()
        if not stage.living():
            raise Inapplicable("it has no child that outlives it")
        yield from _again(stage)


@check(
    "restarts-after-kill-at-any-moment",
    MUST,
    "It can be started again after a kill at every moment of serving a request.",
    "Crashes choose their moment; what is half done then must not keep the next start from succeeding.",
    _REUSE + "; let a start clean up what an earlier life has left",
)
def after_kill_anywhere(engine: Engine) -> Iterator[str]:
    """A sweep."""
    yield from (why for why in _kills(engine) if "started again" in why)


@check(
    "killed-server-ends-connections",
    MUST,
    "The client of a killed server always gets an end, FIN or RST, whenever it was killed.",
    "Without an end a client waits for ever for an answer that nobody will give.",
    "let no other process keep a copy of a connection: close it after fork, open it with SOCK_CLOEXEC",
)
def ends_connections(engine: Engine) -> Iterator[str]:
    """The same sweep."""
    yield from (why for why in _kills(engine) if "started again" not in why)


def _kills(engine: Engine) -> list[str]:
    if "kills" not in engine.memory:
        engine.memory["kills"] = swept(engine, Kind.KILL), engine.remarks[-1]
    found: list[str]
    found, remark = engine.memory["kills"]
    engine.remarks[:] = [remark]
    return found
