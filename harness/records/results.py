"""Result records: one JSON object a line, one for each case and platform, and a last line that says they are all.

All that reporters read.
"""

import functools
import inspect
import json
import os
import shlex
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, get_origin, get_type_hints

from ..seen import Seen
from ..verdict import Verdict

SCHEMA = 1
"""The version of what follows; another one is another language."""


class NotComparable(Exception):
    """A file of results is missing, empty, cut off, or of another schema; the text says which and what to do."""


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
    behaviour: Sequence[str] = ()
    """Rows of the catalogue, as "A3"."""
    platform: Mapping[str, str] = field(default_factory=dict)
    mode: str = ""
    """The mode of building: "release", "san"."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    observations: Sequence[Mapping[str, Any]] = ()
    """What the case looked at, by name and number."""
    seen: Sequence[Seen] = ()
    """What each assertion saw, in the order of time; the last one is the one that failed, if one did."""
    evidence: str = ""
    """The time line of a case that did not pass."""
    files: Sequence[str] = ()
    """The evidence as files, seen from the checkout where they are in it."""
    replay: str = ""
    """The command that runs this case alone."""

    def line(self) -> str:
        """The record as a line of JSON, with its newline."""
        members = {name: getattr(self, name) for name in _members_of(Record)}
        return _line({"schema": SCHEMA, **members, "seen": [vars(each) for each in self.seen]})

    @property
    def on(self) -> str:
        """The name of its platform."""
        return self.platform.get("name", "?")

    @classmethod
    def of(cls, line: str) -> "Record":
        """The record that a line holds.

        Raises:
            ValueError: the line is cut, no record, or of another schema.
        """
        members = _members(line)
        known = _checked(cls, {k: v for k, v in members.items() if k != "schema"})
        known["verdict"] = Verdict(members["verdict"])
        known["seen"] = tuple(Seen(**_checked(Seen, each)) for each in known.get("seen", ()))
        for name in ("about", "scenario", "behaviour", "observations", "files"):
            known[name] = tuple(known.get(name, ()))
        return cls(**known)


@dataclass(frozen=True)
class End:
    """The last line of a file: its writer came to the end."""

    planned: Mapping[str, int]
    """Cases that were to run, by platform."""
    everything: bool = False
    """Whether each claim was to be tried, be it in one variant, and not some that were chosen."""

    def line(self) -> str:
        """The end as a line of JSON, with its newline."""
        return _line({"schema": SCHEMA, "end": asdict(self)})


def _line(members: Mapping[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False) + "\n"


def _members(line: str) -> dict[str, Any]:
    members = json.loads(line)
    if not isinstance(members, dict) or "schema" not in members:
        raise ValueError("no result record")
    if members["schema"] != SCHEMA:
        raise ValueError(f"schema {members['schema']}, and this is for schema {SCHEMA}")
    return members


_KINDS: Mapping[object, tuple[type, ...]] = {
    float: (int, float),
    Sequence: (list,),
    Mapping: (dict,),
}


def _checked(cls: Any, members: Any) -> dict[str, Any]:
    """The members of a dataclass, each of its kind.

    Raises:
        ValueError: one is missing, unknown, or of another kind.
    """
    if not isinstance(members, dict):
        raise ValueError(f"no {cls.__name__}, but {type(members).__name__}")
    if unknown := sorted(members.keys() - _members_of(cls).keys()):
        raise ValueError(f"a {cls.__name__} has no {', '.join(unknown)}")
    for name, kinds in _members_of(cls).items():
        if name in members and not _is_of(members[name], kinds):
            raise ValueError(f"{cls.__name__}.{name} is {members[name]!r}")
    if missing := _required(cls) - set(members):
        raise ValueError(f"a {cls.__name__} lacks {', '.join(sorted(missing))}")
    return dict(members)


def _is_of(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


@functools.cache
def _members_of(cls: Any) -> Mapping[str, tuple[type, ...]]:
    """A dataclass's members, each with the kinds of value that JSON has for it."""
    return {name: tuple(_kinds_of(hint)) for name, hint in get_type_hints(cls).items()}


def _kinds_of(hint: Any) -> Iterator[type]:
    for each in getattr(hint, "__args__", ()) if "|" in str(hint) else (hint,):
        kind = get_origin(each) or each
        yield from _KINDS.get(kind) or ((str,) if issubclass(kind, str) else (kind,))


@functools.cache
def _required(cls: Any) -> frozenset[str]:
    return frozenset(e.name for e in fields(cls) if e.default is e.default_factory)


def replay(
    case: str, slow: bool, mode: str, platform: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The command that runs one case alone.

    Args:
        platform: as records have it.
    """
    asked = {
        "--platform": platform.get("asked"),
        "--control": platform.get("control"),
        "--isolation": platform.get("isolation"),
    }
    options = ["--slow"] if slow else []
    options += [word for name, value in asked.items() if value for word in (name, value)]
    words = ["pytest", *options, case]
    return ("SAN=1 " if mode == "san" else "") + shlex.join(words)


class Merger:
    """Makes one record of what the phases of a case, set-up, call and clean-up, had to say."""

    def __init__(self) -> None:
        self._records: dict[Hashable, Record] = {}
        self._seconds: dict[Hashable, float] = {}

    def add(
        self, case: Hashable, seconds: float, record: Record | None, last: bool
    ) -> Record | None:
        """Takes a phase in.

        Args:
            case: what tells it apart from all others: its id, and the platform that it ran on where there are several.
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

    def end(self, end: End) -> None:
        """Says that nothing follows.

        Raises:
            OSError: the disk is full.
        """
        if self._file is not None:
            self._file.write(end.line())

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


@dataclass(frozen=True)
class Results:
    """A file of records, read with care."""

    records: Sequence[Record]
    end: End | None
    trouble: str = ""
    """Why the file cannot be relied on as a whole; empty when it can."""

    @classmethod
    def of(cls, path: Path) -> "Results":
        """All that a file holds, and what is wrong with it."""
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            return cls((), None, f"{path}: {error.strerror}")
        records: list[Record] = []
        end, trouble = None, "" if lines else f"{path}: empty: no case has a result"
        for number, line in enumerate(lines, 1):
            try:
                members = _members(line)
                if "end" in members:
                    end = End(**_checked(End, members["end"]))
                else:
                    records.append(Record.of(line))
            except ValueError as error:
                trouble = trouble or f"{path}:{number}: {_why(error, number == len(lines))}"
        return cls(records, end, trouble or _lacking(path, records, end))

    def relied_on(self) -> "Results":
        """Itself.

        Raises:
            NotComparable: something is wrong with the file.
        """
        if self.trouble:
            raise NotComparable(self.trouble)
        return self


def _why(error: ValueError, last: bool) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "cut off in the middle: run again" if last else "no record"
    return f"{error}; record it again with this version"


def _lacking(path: Path, records: Sequence[Record], end: End | None) -> str:
    if end is None:
        return f"{path}: cut off: the line that ends it is missing; run again"
    counts = {name: len(same) for name, same in by_platform(records).items()}
    short = [
        f"{name} has {counts.get(name, 0)} of {planned} results"
        for name, planned in end.planned.items()
        if counts.get(name, 0) < planned
    ]
    if short:
        return f"{path}: not whole: {'; '.join(short)}; it was stopped before its end: run again"
    return "" if records else f"{path}: no case has a result"


def by_platform(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each platform, by its name."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.on, []).append(record)
    return found
