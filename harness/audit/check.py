"""Checks: what is tried of a server, why it matters, and what to change when it fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..sweep.engine import Engine


class Level(StrEnum):
    """How much a check matters."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    POLICY = "POLICY"
    """A matter of choice: waive it where the choice is another."""


MUST, SHOULD, POLICY = Level.MUST, Level.SHOULD, Level.POLICY


class Inapplicable(Exception):
    """The check means nothing for this server; the text says why."""


Trial = Callable[[Engine], Iterator[str]]
"""Tries a server; yields what is wrong, each with its evidence. Nothing: the server passes."""


@dataclass(frozen=True)
class Check:
    """One check."""

    id: str
    level: Level
    claim: str
    """What a good server does."""
    why: str
    """Why it matters."""
    change: str
    """What to change where it does not."""
    trial: Trial


CHECKS: dict[str, Check] = {}
"""All checks, by id, in the order in which they are told."""


def check(id: str, level: Level, claim: str, why: str, change: str) -> Callable[[Trial], Trial]:
    """Makes a function a check."""

    def register(trial: Trial) -> Trial:
        CHECKS[id] = Check(id, level, claim, why, change, trial)
        return trial

    return register
