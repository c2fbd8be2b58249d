"""The engine: a run of the subject with one perturbation at one moment, and what came of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from ..control.relay import Relay
from ..lab.lab import Settings
from ..trace.event import Event
from ..verdict import Broken
from .client import ENDS, Client, Fate
from .perturb import Kind, Perturbation
from .points import Point, points
from .stage import Stage
from .subject import Subject

KINDS = ("enter", "leave", "signal", "fork", "born", "exec", "exit", "dead")


class Judgement(StrEnum):
    """What is to be thought of a run."""

    FINE = "fine"
    FINDING = "finding"
    MISSED = "missed"
    """The moment did not come again: the run differs from the recorded one."""
    BROKEN = "broken"
    """The harness could not carry the run out."""


@dataclass(frozen=True)
class Result:
    """What came of one perturbation."""

    key: str
    judgement: Judgement
    why: str = ""
    """What is wrong, in words."""
    clients: str = ""
    """What became of the clients, in their order."""
    ended: str = ""
    """How the server ended, if it did."""
    restart: str = ""
    """What came of starting it again, if it had ended."""

    def record(self) -> dict[str, Any]:
        """Its members, for a file."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    @classmethod
    def of(cls, members: dict[str, Any]) -> "Result":
        """The result that a file's line tells of."""
        return cls(**{**members, "judgement": Judgement(members["judgement"])})


class Engine:
    """Runs a subject again and again. Owns nothing but what a run needs."""

    def __init__(self, subject: Subject, settings: Settings, relay: Relay) -> None:
        self.subject = subject
        self._settings = settings
        self._relay = relay
        self.memory: dict[str, Any] = {}
        """What was learnt of the subject once, and need not be again."""
        self.remarks: list[str] = []
        """What whoever asked last may want to know: how much was tried."""

    def stage(self) -> Stage:
        """A fresh lab for the subject."""
        return Stage(self.subject, self._settings, self._relay)

    def record(self) -> tuple[list[Point], list[Event]]:
        """A run in which nothing is done: its moments, and all its events.

        Raises:
            NotUsable: the subject does not start, listen or answer as it should.
        """
        with self.stage() as stage:
            process = stage.serve()
            listening = stage.lab.recorded()
            stage.rehearse()
            for _ in range(self.subject.requests - 1):
                stage.serves()
            events = stage.lab.events(kinds=KINDS)
            own = [e for e in events if e.process is not None and e.process >= process.number]
            return points(own, listening), own

    def run(self, perturbation: Perturbation) -> Result:
        """A run with that perturbation."""
        try:
            with self.stage() as stage:
                return _Run(stage, perturbation).result()
        except Broken as error:
            return Result(perturbation.key, Judgement.BROKEN, str(error))


class _Run:
    """One run with one perturbation."""

    def __init__(self, stage: Stage, perturbation: Perturbation) -> None:
        self._stage = stage
        self._what = perturbation
        self._fates: list[Fate] = []
        self._open: Client | None = None
        self._bystander: Client | None = None

    def result(self) -> Result:
        self._server = self._stage.load()
        self._watch = self._arm()
        self._stage.on_rest = self._look
        self._server.run()
        listens = self._stage.comes_to_listen(self._server)
        if listens:
            self._ask_in_turn()
        self._stage.settle(type="SOCK_STREAM", timer="retransmit")
        struck = self._stage.lab.ask("disarm", watch=self._watch)["struck"]
        if not struck:
            return self._judged(Judgement.MISSED, "the moment did not come again")
        return self._conclude(listens)

    def _arm(self) -> int:
        point = self._what.point
        watch: int = self._stage.lab.ask(
            "arm",
            process=point.process,
            moment=point.moment.wire(),
            action=self._what.action(),
            to_come=True if point.process > self._server.number else None,
        )["watch"]
        return watch

    @property
    def _over(self) -> bool:
        return not self._stage.alive(self._server)

    def _ask_in_turn(self) -> None:
        for _ in range(self._stage.subject.requests):
            if self._over:
                return
            self._open = self._stage.client()
            self._open.send(self._stage.subject.protocol.request)
            self._fates.append(self._open.fate())
            if self._over:
                return  # with the connection open: that is how the server is to be started again
            self._open.close()

    def _look(self) -> None:
        """Lets the rest go on while a process is held at the moment, then the process."""
        held = [p["process"] for p in self._stage.processes if p["state"] == "held"]
        if not held or self._what.kind is not Kind.DELAY:
            return
        self._stage.on_rest = None
        self._bystander = self._stage.client()
        self._bystander.send(self._stage.subject.protocol.request)
        for number in held:
            self._stage.lab.ask("run", process=number)
        self._stage.rest()

    # --- what is to be thought of it ---------------------------------------------------------------------------

    def _conclude(self, listens: bool) -> Result:
        if self._bystander is not None:
            self._fates.append(self._bystander.fate())
            self._bystander.close()
        if self._over:
            return self._after_end()
        if not listens:
            return self._judged(Judgement.FINDING, "it lives and does not listen any more")
        after = self._stage.serves()
        if self._what.kind is Kind.TERM and after in ENDS:
            return self._ending()
        self._fates.append(after)
        if after is Fate.SILENCE and self._what.lasts:
            return self._judged(Judgement.FINE, "it waits till a descriptor of its own is free")
        if after is not Fate.ANSWERED:
            return self._judged(Judgement.FINDING, f"it lives, but a later client got: {after}")
        return self._judged(*self._of_clients())

    def _ending(self) -> Result:
        """It has been told to end, and takes its time: what it tells others meanwhile is not held against it."""
        if not self._stage.ends(self._server):
            return self._judged(Judgement.FINDING, "it takes no clients any more, and does not end")
        return self._after_end()

    def _of_clients(self) -> tuple[Judgement, str]:
        """The one who was served at that moment may lose the connection to an error, and learns of it; nobody else."""
        bad = [fate for fate in self._fates if fate is not Fate.ANSWERED]
        if Fate.WRONG in bad:
            return Judgement.FINDING, "a client got a wrong answer"
        if Fate.SILENCE in bad:
            return Judgement.FINDING, "a client got neither an answer nor an end"
        if len(bad) > (1 if self._what.costs_a_client else 0):
            return Judgement.FINDING, f"{len(bad)} clients got no answer"
        return Judgement.FINE, ""

    def _after_end(self) -> Result:
        judgement, why = self._of_clients()
        if self._what.kind not in (Kind.KILL, Kind.TERM) and self._what.point.serving:
            judgement, why = (
                Judgement.FINDING,
                f"the server ended: {self._stage.exit(self._server.number)}",
            )
        restart, served = self._restart()
        if not served and judgement is Judgement.FINE:
            judgement, why = Judgement.FINDING, f"it cannot be started again: {restart}"
        return self._judged(judgement, why, restart)

    def _restart(self) -> tuple[str, bool]:
        """Starts it again at once, then, if that fails, when nothing of it is left."""
        outcome = start_again(self._stage)
        if outcome == "at once" or not self._stage.living():
            return outcome, outcome == "at once"
        self._stage.kill_all()
        again = start_again(self._stage)
        return (f"{outcome}; without its children: {again}", again == "at once")

    def _judged(self, judgement: Judgement, why: str, restart: str = "") -> Result:
        ended = self._stage.exit(self._server.number) if self._over else ""
        return Result(self._what.key, judgement, why, told(self._fates), ended, restart)


def start_again(stage: Stage) -> str:
    """What comes of starting the subject once more: "at once", or what it says instead."""
    stage.on_rest = None
    before = stage.lab.recorded()
    process = stage.load().run()
    stage.rest()
    if stage.alive(process) and stage.comes_to_listen(process, anew=True):
        fate = stage.serves()
        if stage.alive(process):
            return "at once" if fate is Fate.ANSWERED else f"it listens, but a client got: {fate}"
    failed = [
        f"{event.call}: {event.outcome.errno}"
        for event in stage.lab.events(kinds=["leave"], calls=["bind", "listen"], after=before)
        if event.outcome is not None and event.outcome.errno is not None
    ]
    return failed[0] if failed else "it does not come to listen"


def told(fates: Sequence[Fate]) -> str:
    """ "answered ×9, reset"."""
    parts = [(fate, len(list(run))) for fate, run in groupby(fates)]
    return ", ".join(f"{fate} ×{count}" if count > 1 else str(fate) for fate, count in parts)
