"""An audit: all checks of one server, and what is waived."""

import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from ..sweep.engine import Engine
from ..sweep.subject import NotUsable
from ..verdict import Broken
from . import checks as checks  # registers them
from .check import CHECKS, Check, Inapplicable

_SHOWN = 8
"""Pieces of evidence that are kept of a check."""


class Verdict(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN = "known"
    """Failed, as it is known to; somebody has said what is behind it."""
    WAIVED = "waived"
    """Failed, and somebody has said why that is as it should be."""
    INAPPLICABLE = "not tried"
    BROKEN = "broken"


@dataclass(frozen=True)
class Outcome:
    """What came of one check."""

    id: str
    verdict: Verdict
    evidence: Sequence[str] = ()
    """What is wrong; why it was waived, not tried, or is broken."""
    remarks: Sequence[str] = ()
    """How much was tried."""
    seconds: float = 0.0

    @property
    def check(self) -> Check:
        """The check."""
        return CHECKS[self.id]


def try_check(engine: Engine, id: str) -> Outcome:
    """Tries one check."""
    began = time.perf_counter()
    engine.remarks = []
    verdict, evidence = _try(engine, CHECKS[id])
    return Outcome(id, verdict, evidence, engine.remarks, time.perf_counter() - began)


def _try(engine: Engine, check: Check) -> tuple[Verdict, Sequence[str]]:
    try:
        found = list(dict.fromkeys(check.trial(engine)))
    except Inapplicable as reason:
        return Verdict.INAPPLICABLE, [str(reason)]
    except NotUsable as trouble:
        return Verdict.BROKEN, [str(trouble)]
    except Broken as trouble:
        return Verdict.BROKEN, [str(trouble)]
    more = [f"and {len(found) - _SHOWN} more of the kind"] if len(found) > _SHOWN else []
    return Verdict.FAILED if found else Verdict.PASSED, [*found[:_SHOWN], *more]


def load_waivers(file: Path) -> dict[str, str]:
    """The waivers of a TOML file: a reason by each id.

    Raises:
        NotUsable: the file cannot be read, or names a check that there is not.
    """
    try:
        waivers = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NotUsable(f"{file}: {error}") from error
    return reasons(waivers, str(file), "a waiver")


def reasons(given: Mapping[str, object], where: str, what: str) -> dict[str, str]:
    """Texts by the ids of checks.

    Raises:
        NotUsable: there is no such check, or no text.
    """
    found = {}
    for id, reason in given.items():
        if id not in CHECKS:
            raise NotUsable(f"{where}: there is no check {id!r}; --list names all")
        if not isinstance(reason, str) or not reason.strip():
            raise NotUsable(f"{where}: {id}: {what} needs a reason")
        found[id] = reason.strip()
    return found


def told(outcome: Outcome, verdict: Verdict, why: Mapping[str, str]) -> Outcome:
    """The outcome, with a failure for which there is a reason given that verdict (known, waived)."""
    if outcome.verdict is not Verdict.FAILED or outcome.id not in why:
        return outcome
    evidence = [f"{verdict}: {why[outcome.id]}", *outcome.evidence]
    return replace(outcome, verdict=verdict, evidence=evidence)
