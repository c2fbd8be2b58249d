"""`python3 -m harness sweep`: a run of a server, again for every moment it has, with one perturbation there."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from .. import build
from ..control.conductor import ConductorFailed
from ..control.relay import Relay
from ..lab.lab import Settings
from ..verdict import Broken
from .crew import Crew
from .engine import Engine, Judgement, Result
from .journal import Journal, fingerprint
from .perturb import Kind, Perturbation
from .plan import Budget, Plan
from .subject import NotUsable, Subject, load, subject_of

FINE, FINDINGS, NOT_USABLE, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""
_ATTEMPTS = "kill"


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say which server is meant, and what is asked of it."""
    parser.add_argument(
        "file", nargs="?", type=Path, help="a TOML file with the members below, files and env"
    )
    parser.add_argument("--cmd", help="the server's command; {port} and {folder} are put in")
    parser.add_argument("--request", help=r"what a client sends ('hello\n')")
    parser.add_argument("--expect", help="what it expects back, byte by byte")
    parser.add_argument("--protocol", help="instead of both: echo, line, http or redis")
    parser.add_argument(
        "--port", type=int, help="the port it serves at (9877), in a network of its own"
    )
    parser.add_argument("--path", help="the UNIX socket it serves at instead")
    parser.add_argument("--patience", type=float, help="seconds till it listens, and answers (5)")


def subject_from(arguments: argparse.Namespace) -> Subject:
    """The subject that the file and the options describe; options come first.

    Raises:
        NotUsable
    """
    members = load(arguments.file) if arguments.file else {}
    names = ("cmd", "request", "expect", "protocol", "port", "path", "patience")
    given = {name: getattr(arguments, name) for name in names}
    return subject_of({**members, **{k: v for k, v in given.items() if v is not None}})


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the subcommand."""
    add_subject(parser)
    kinds = ", ".join(Kind)
    parser.add_argument(
        "--with", dest="kinds", default=_ATTEMPTS, help=f"what is done: {kinds}; or all (kill)"
    )
    parser.add_argument(
        "--requests", type=int, default=10, help="clients of a run, one after another (10)"
    )
    parser.add_argument(
        "--every", action="store_true", help="merge nothing: run repeated moments, too"
    )
    parser.add_argument("--budget", type=str, help="so many runs (200), or so long (30s, 5m)")
    parser.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)), help="runs side by side"
    )
    parser.add_argument(
        "--list", action="store_true", help="only list the moments, and what was merged"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the journal (build/sweeps/NAME.jsonl); an unfinished one is gone on with",
    )


def run(arguments: argparse.Namespace) -> int:
    """Sweeps; the exit status."""
    try:
        return Sweep(arguments).run()
    except NotUsable as error:
        print(f"sockspec: {error}", file=sys.stderr)
    except (Broken, ConductorFailed) as error:
        print(f"sockspec: the sweep broke: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("sockspec: interrupted before the first run", file=sys.stderr)
        return INTERRUPTED
    return NOT_USABLE


def kinds_of(text: str) -> list[Kind]:
    """The kinds of perturbation that a command line names.

    Raises:
        NotUsable: there is no such kind.
    """
    if text == "all":
        return list(Kind)
    known = {str(kind): kind for kind in Kind}
    for word in text.split(","):
        if word not in known:
            raise NotUsable(f"--with {word}: there are {', '.join(known)}, or all")
    return [known[word] for word in text.split(",")]


class Sweep:
    """One sweep from the command line."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._kinds = kinds_of(arguments.kinds)
        self._budget = Budget.of(arguments.budget) if arguments.budget else Budget()
        if arguments.requests < 1 or arguments.workers < 1:
            raise NotUsable("--requests and --workers count from 1")
        self._subject = replace(subject_from(arguments), requests=arguments.requests)
        self._here = build.current()
        self._settings = Settings(programs=self._here.folder, sanitized=self._here.sanitized)
        self._console = Console(highlight=False, soft_wrap=True)

    def run(self) -> int:
        """Records, runs, tells; the exit status."""
        plan = self._plan()
        self._say(f"{self._subject.title}: {plan.told()}")
        if self._arguments.list:
            for group in plan.groups:
                self._say(f"  {group}")
            return FINE
        runs = plan.runs[: self._budget.runs]
        interrupted = False
        with Journal(self._out(), fingerprint(self._subject, runs), len(runs)) as journal:
            if journal.found:
                self._say(f"goes on with {journal.path}: {len(journal.found)} runs are there")
            try:
                self._carry_out(runs, journal)
            except KeyboardInterrupt:
                interrupted = True
            journal.sort([run.key for run in runs])
        return self._conclude(plan, journal, interrupted)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _out(self) -> Path:
        given: Path | None = self._arguments.out
        return given or self._here.top / "sweeps" / f"{self._subject.title}.jsonl"

    def _plan(self) -> Plan:
        relay = Relay(self._here.conductor, None, ahead=0, captures=False)
        try:
            points, _ = Engine(self._subject, self._settings, relay).record()
        finally:
            relay.close()
        return Plan.of(points, self._kinds, self._arguments.every)

    def _carry_out(self, runs: Sequence[Perturbation], journal: Journal) -> None:
        """Runs what the journal does not hold, as far as the budget goes."""
        left = [run for run in runs if run.key not in journal.found]
        words = {run.key: str(run) for run in runs}
        end = time.monotonic() + self._budget.seconds if self._budget.seconds else None
        crew = Crew(self._subject, self._settings, self._here.conductor, self._arguments.workers)
        with crew, self._progress(len(runs), len(journal.found)) as advance:
            for result in crew.results(Engine.run, left):
                journal.add(result)
                advance()
                if result.judgement is not Judgement.FINE:
                    self._tell(words[result.key], result)
                if end is not None and time.monotonic() >= end:
                    break

    @contextmanager
    def _progress(self, total: int, done: int) -> Iterator[Callable[[], None]]:
        """A progress bar, on a terminal only; calling what it gives moves it on by one run."""
        if not self._console.is_terminal:
            yield lambda: None
            return
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task("", total=total, completed=done)
            yield lambda: bar.advance(task)

    def _tell(self, what: str, result: Result) -> None:
        more = "; ".join(
            f"{name}: {text}"
            for name, text in (("clients", result.clients), ("restart", result.restart))
            if text
        )
        told = f"{result.judgement}: {what}: {result.why}" + (f" ({more})" if more else "")
        self._say(told)

    def _conclude(self, plan: Plan, journal: Journal, interrupted: bool) -> int:
        counts = Counter(str(result.judgement) for result in journal.found.values())
        told = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        self._say(
            f"{len(journal.found)} of {len(plan.runs)} runs: {told or 'none'}; {journal.path}"
        )
        left = [run for run in plan.runs if run.key not in journal.found]
        if left:
            kinds = Counter(str(run.kind) for run in left)
            self._say("left out: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
        if interrupted:
            self._say("interrupted: the same command goes on where it stopped")
            return INTERRUPTED
        if counts[Judgement.BROKEN]:
            return NOT_USABLE
        return FINDINGS if counts[Judgement.FINDING] else FINE
