"""What went wrong with a platform, for a person to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .launch import PREFIX

_TAIL = 12
"""Lines of what a platform said that are shown."""
_READ = 1 << 14


@dataclass(frozen=True)
class Trouble:
    """Why a platform did not do all that was asked."""

    reason: str
    tail: Sequence[str] = ()
    """The last that it said, its console perhaps."""


def last_words(log: Path) -> Trouble:
    """What a launched platform left in its log; no reason where it gave none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - _READ))
            text = file.read().decode(errors="replace")
    except OSError:
        return Trouble("")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(PREFIX)]
    tail = [line for line in lines if line not in reasons][-_TAIL:]
    return Trouble(reasons[-1].removeprefix(PREFIX) if reasons else "", tail)
