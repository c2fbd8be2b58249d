"""`python3 -m harness audit`: what a server must and should do, tried on any executable."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from .. import build
from ..control.conductor import ConductorFailed
from ..control.relay import Relay
from ..lab.lab import Settings
from ..sweep.cli import FINDINGS, FINE, INTERRUPTED, NOT_USABLE, add_subject, subject_from
from ..sweep.crew import Crew
from ..sweep.engine import Engine
from ..sweep.subject import NotUsable, Subject, version_of
from ..verdict import Broken
from .audit import Outcome, Verdict, load_waivers, reasons, told, try_check
from .check import CHECKS
from .report import Report, conclude, line, to_html, to_json, to_junit, to_text

_FILES: dict[str, Callable[[Report], str]] = {
    "text": to_text,
    "json": to_json,
    "junit": to_junit,
    "html": to_html,
}


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the subcommand."""
    add_subject(parser)
    parser.add_argument("--check", action="append", help="only this check (may be repeated)")
    parser.add_argument("--list", action="store_true", help="only list the checks")
    parser.add_argument("--waivers", type=Path, help='a TOML file of waivers: check-id = "reason"')
    parser.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)), help="checks side by side"
    )
    for name in _FILES:
        parser.add_argument(f"--{name}", type=Path, help=f"write the report there as {name}")


def run(arguments: argparse.Namespace) -> int:
    """Audits; the exit status: 0, 1 with findings, 2 when the server cannot be tried."""
    try:
        return _list() if arguments.list else _audit(arguments)
    except NotUsable as error:
        print(f"sockspec: {error}", file=sys.stderr)
    except (Broken, ConductorFailed) as error:
        print(f"sockspec: the audit broke: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("sockspec: interrupted", file=sys.stderr)
        return INTERRUPTED
    return NOT_USABLE


def _list() -> int:
    for check in CHECKS.values():
        print(f"{check.id}  {check.level}\n    {check.claim}\n    {check.why}")
    return FINE


def _audit(arguments: argparse.Namespace) -> int:
    subject = subject_from(arguments)
    for name in _FILES:
        if (file := getattr(arguments, name)) is not None and not file.parent.is_dir():
            raise NotUsable(f"--{name} {file}: there is no folder {file.parent}")
    ids = _ids(arguments.check)
    waivers = load_waivers(arguments.waivers) if arguments.waivers else {}
    known = reasons(subject.known, str(arguments.file), "a known failure")
    here = build.current()
    settings = Settings(programs=here.folder, sanitized=here.sanitized)
    _rehearse(subject, settings, here)
    console = Console(highlight=False, soft_wrap=True)
    outcomes: list[Outcome] = []
    with Crew(subject, settings, here.conductor, arguments.workers) as crew:
        for outcome in crew.results(try_check, ids):
            outcome = told(told(outcome, Verdict.WAIVED, waivers), Verdict.KNOWN, known)
            outcomes.append(outcome)
            console.print(line(outcomes[-1]))
    report = Report(subject.title, subject.command, outcomes, version_of(subject))
    conclude(report, console)
    _say_outdated(report, [*waivers, *known], console)
    for name, write in _FILES.items():
        if (file := getattr(arguments, name)) is not None:
            _write(file, write(report))
    return _status(report)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotUsable(f"cannot write {file}: {error.strerror}") from error


def _say_outdated(report: Report, ids: Sequence[str], console: Console) -> None:
    """Which failures somebody has explained that there are none of."""
    for outcome in report.of(Verdict.PASSED):
        if outcome.id in ids:
            console.print(f"{outcome.id} passed: what is said of its failure is out of date")


def _status(report: Report) -> int:
    if report.of(Verdict.BROKEN):
        return NOT_USABLE
    return FINDINGS if report.of(Verdict.FAILED) else FINE


def _ids(chosen: list[str] | None) -> list[str]:
    for id in chosen or ():
        if id not in CHECKS:
            raise NotUsable(f"there is no check {id!r}; --list names all")
    return chosen or list(CHECKS)


def _rehearse(subject: Subject, settings: Settings, here: build.Build) -> None:
    """Looks whether the server starts, listens and answers, before anything is tried of it."""
    relay = Relay(here.conductor, None, ahead=0, captures=False)
    try:
        Engine(subject, settings, relay).record()
    finally:
        relay.close()
