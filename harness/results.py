"""Result records: one JSON object a line, one for each case. All that reporters read."""

import inspect
import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from .verdict import Verdict


@dataclass(frozen=True)
class Claim:
    """What a docstring says: the claim in a sentence, then where it comes from."""

    text: str
    sources: str

    @classmethod
    def of(cls, docstring: str | None) -> "Claim":
        """The first paragraph is the claim; the rest are its sources."""
        first, _, rest = inspect.cleandoc(docstring or "").partition("\n\n")
        return cls(" ".join(first.split()), " ".join(rest.split()))


@dataclass(frozen=True)
class Record:
    """What one case gave on one platform."""

    case: str
    """The case's id, as pytest takes it."""
    verdict: Verdict
    message: str = ""
    """Why it did not pass."""
    duration: float = 0.0
    """Seconds, with the making and ending of the lab."""
    claim: str = ""
    sources: str = ""
    about: Sequence[str] = ()
    scenario: Sequence[str] = ()
    platform: Mapping[str, str] = field(default_factory=dict)
    mode: str = ""
    """The mode of building: "release", "san"."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    observations: Sequence[Mapping[str, Any]] = ()
    """What the assertions were given to look at."""
    evidence: str = ""
    """The time line of a case that did not pass."""
    files: Sequence[str] = ()
    """The evidence as files, seen from the checkout where they are in it."""
    replay: str = ""
    """The command that runs this case alone."""

    def line(self) -> str:
        """The record as a line of JSON, with its newline."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    @classmethod
    def of(cls, line: str) -> "Record":
        """The record that a line holds.

        Raises:
            ValueError: the line is cut or no record.
        """
        members = json.loads(line)
        if not isinstance(members, dict) or "case" not in members:
            raise ValueError("no result record")
        known = {name: members[name] for name in cls.__dataclass_fields__ if name in members}
        known["verdict"] = Verdict(members["verdict"])
        for name in ("about", "scenario", "observations", "files"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)


def replay(case: str, slow: bool, mode: str) -> str:
    """The command that runs one case alone."""
    words = ["pytest", *(["--slow"] if slow else []), case]
    return ("SAN=1 " if mode == "san" else "") + shlex.join(words)


class Merger:
    """Makes one record of what the phases of a case, set-up, call and clean-up, had to say."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._seconds: dict[str, float] = {}

    def add(self, case: str, seconds: float, record: Record | None, last: bool) -> Record | None:
        """Takes a phase in.

        Args:
            seconds: that the phase took.
            record: what it had to say; the first that is not good stands.
            last: whether no phase follows.

        Returns:
            The case's record, at its last phase.
        """
        self._seconds[case] = self._seconds.get(case, 0.0) + seconds
        before = self._records.get(case)
        if record and (before is None or before.verdict is Verdict.PASSED):
            self._records[case] = record
        if not last or case not in self._records:
            return None
        done = self._records.pop(case)
        return replace(done, duration=done.duration + self._seconds.pop(case))


class ResultFile:
    """Where the records of one run go: a file of its own, named by its start. Made when the first record comes."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self.path = folder / f"{start:%Y-%m-%dT%H-%M-%S.%f}.jsonl"
        self._file: IO[str] | None = None

    def add(self, record: Record) -> None:
        """Appends a record, so that it is there whatever comes next.

        Raises:
            OSError: the disk is full, the folder cannot be written.
        """
        if self._file is None:
            os.makedirs(self.path.parent, exist_ok=True)
            self._file = open(self.path, "x", encoding="utf-8")
        self._file.write(record.line())
        self._file.flush()

    def close(self) -> None:
        """Closes the file. May be called again.

        Raises:
            OSError: what was written last found no room.
        """
        file, self._file = self._file, None
        if file is not None:
            file.close()


def read(path: Path) -> Iterator[Record]:
    """The records of a file; a line that was cut, because its writer was killed, is passed over."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield Record.of(line)
            except ValueError:
                continue


def newest(folder: Path) -> Path:
    """The result file of the last run.

    Raises:
        FileNotFoundError: there is none.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise FileNotFoundError(f"{folder}: no result file in it; run pytest first")
    return files[-1]
