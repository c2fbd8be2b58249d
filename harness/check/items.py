"""Runs one item of a check_*.c file in a lab, and reads what it hands over.

An item writes JSON lines on a descriptor of its own: {"observed": "bind", "errno": "EADDRINUSE", "number": 98} or
{"observed": "recv", "value": 0}; one {"verdict": "passed"}, or "failed", "broken", "unsupported" with "message", "file"
and "line"; and at the very end what Check itself counted, {"ran": 1, "failed": 0}. All of it must agree, and with how
the program ended: else the item is broken.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..control.conductor import Late
from ..files import anonymous_file
from ..lab.lab import Lab
from ..lab.process import Process
from ..outcome import Exit, exited, signal_name
from ..platform import identity
from ..verdict import Broken, ClaimFalse, Unsupported, Verdict, hidden

__tracebackhide__ = hidden

DESCRIPTOR = 3
"""What an item tells of itself on."""
_FOLDER = "/dev/shm"
"""The lab's own, unless it shares the machine's host and has another: what an item leaves there goes with the lab,
whoever is killed when."""
_SHOWN = 2000
"""Characters of a program's output that a message shows."""


@dataclass
class Handed:
    """What an item handed over."""

    verdicts: list[dict[str, Any]] = field(default_factory=list)
    counted: dict[str, Any] | None = None
    observations: list[dict[str, Any]] = field(default_factory=list)
    garbage: str = ""
    """The first line that is none of this."""

    @classmethod
    def of(cls, text: str) -> "Handed":
        """What the lines say."""
        handed = cls()
        for line in text.splitlines():
            handed._take(line)
        return handed

    def _take(self, line: str) -> None:
        try:
            members = json.loads(line)
            kind = next(iter(members))
        except (ValueError, TypeError, StopIteration):
            members, kind = {}, ""
        if not isinstance(members, dict) or kind not in ("observed", "verdict", "ran"):
            self.garbage = self.garbage or line or "an empty line"
        elif kind == "observed":
            self.observations.append(members)
        elif kind == "verdict":
            self.verdicts.append(members)
        else:
            self.counted = members


def run(
    lab: Lab,
    program: Path,
    item: str,
    deadline: float | None = None,
    prepare: Callable[[Process], object] | None = None,
) -> None:
    """Runs an item; returns when its claim holds.

    Args:
        program: the executable that its file was built into.
        item: its id: "name" or "name[kind]".
        deadline: seconds; the lab's if None.
        prepare: what is done with it while it is held at its exec.

    Raises:
        ClaimFalse: the claim is false.
        Broken: the set-up did not come about, or the item did not tell of itself as it should.
        Unsupported: the platform lacks what it needs.
    """
    folder = lab.about.folder or _FOLDER
    environment = {
        "CK_RUN_CASE": item,
        "CK_FORK": "no",
        "CK_VERBOSITY": "silent",
        "TMPDIR": folder,
        "TEMP": folder,  # what Check calls it
        "SOCKSPEC_VERDICT": str(DESCRIPTOR),
        "SOCKSPEC_PLATFORM": identity.here().name,
    }
    if lab.about.port:
        environment["SOCKSPEC_PORT"] = str(lab.about.port)
    with anonymous_file("verdict") as file:
        process = lab.start(program, env=environment, stdin=b"", report=file.fileno())
        if prepare is not None:
            prepare(process)
        late: Late | None = None
        try:
            end = process.ended(deadline or lab.deadline)
        except Late as error:
            late = error
        file.seek(0)
        handed = Handed.of(file.read().decode(errors="replace"))
    lab.observations += _numbered(handed.observations)
    if late is not None:
        raise Broken(f"{item} did not end: {late}") from late
    said = (process.output + process.errors).strip()[-_SHOWN:]
    judge(item, handed, end, said)


def judge(item: str, handed: Handed, end: Exit, said: str) -> None:
    """Decides what was found: see run.

    Args:
        end: how the program ended.
        said: what it printed, for messages.
    """
    wrong = _disagreement(handed, end)
    if wrong:
        raise Broken(f"{item} {wrong}" + (f"; it said:\n{said}" if said else ""))
    verdict = handed.verdicts[0]
    message = str(verdict.get("message", ""))
    where = f"{verdict.get('file')}:{verdict.get('line')}: "
    if verdict["verdict"] == Verdict.FAILED:
        raise ClaimFalse(where + message)
    if verdict["verdict"] == Verdict.BROKEN:
        raise Broken(where + message)
    if verdict["verdict"] == Verdict.UNSUPPORTED:
        raise Unsupported(message)


_AGREED: Mapping[Verdict, int] = {
    Verdict.PASSED: 0,
    Verdict.UNSUPPORTED: 0,
    Verdict.FAILED: 1,
    Verdict.BROKEN: 1,
}
"""How many failures Check counts, and the exit code, by the verdict."""


def _disagreement(handed: Handed, end: Exit) -> str:
    """What does not go together; "" where all does."""
    if end.signal is not None:
        return _how(end)
    if handed.garbage:
        return f"handed over what is no verdict: {handed.garbage[:200]!r}"
    if len(handed.verdicts) != 1:
        words = [str(one["verdict"]) for one in handed.verdicts]
        return f"handed over {', '.join(words) or 'no verdict'}, and {_how(end)}"
    if handed.verdicts[0]["verdict"] not in _AGREED:
        return f"handed over the verdict {handed.verdicts[0]['verdict']!r}, which is none"
    verdict = Verdict(handed.verdicts[0]["verdict"])
    failures = _AGREED[verdict]
    if handed.counted is None:
        return f"handed over {verdict}, but {_how(end)} before Check had counted it"
    if handed.counted != {"ran": 1, "failed": failures}:
        return f"handed over {verdict}, but Check counted {handed.counted}"
    if end != exited(failures):
        return f"handed over {verdict}, but {_how(end)}"
    return ""


def _how(end: Exit) -> str:
    """In words: how a program ended."""
    if end.signal is not None:
        return f"was killed by {signal_name(end.signal)}"
    return f"ended with exit code {end.code}"


def _numbered(observations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Observations as result records have them: the call, the how manieth of its name, and what it gave."""
    count: Counter[str] = Counter()
    found = []
    for seen in observations:
        call = str(seen["observed"])
        count[call] += 1
        rest = {name: value for name, value in seen.items() if name != "observed"}
        found.append({"call": call, "nth": count[call], **rest})
    return found
