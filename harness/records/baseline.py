"""Baselines: what each case gave on a platform when it was recorded, one case a line, so that a change of one is seen."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .results import SCHEMA, NotComparable, Record, Results, by_platform

FOLDER = "baselines"


@dataclass(frozen=True)
class Given:
    """What a case gave: its verdict and what its assertions saw."""

    verdict: str
    saw: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: Record) -> "Given":
        """What a record says."""
        return cls(str(record.verdict), tuple(seen.stable for seen in record.seen))

    def __str__(self) -> str:
        return f"{self.verdict}: {', '.join(self.saw)}" if self.saw else self.verdict


@dataclass(frozen=True)
class Baseline:
    """What all cases gave on one platform."""

    platform: str
    cases: Mapping[str, Given]

    @classmethod
    def of(cls, platform: str, records: Iterable[Record]) -> "Baseline":
        """What records say."""
        return cls(platform, {record.case: Given.of(record) for record in records})

    @classmethod
    def load(cls, path: Path) -> "Baseline":
        """The baseline of a file.

        Raises:
            NotComparable: it is missing, empty, cut off, or of another schema.
        """
        try:
            return _read(path, json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise NotComparable(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise NotComparable(f"{path}: {_how(path, error)}") from None

    def text(self) -> str:
        """As a file has it: the same for the same results, a line a case, in the order of their names."""
        lines = [
            f"{_json(case)}: {_json([given.verdict, *given.saw])}"
            for case, given in sorted(self.cases.items())
        ]
        head = f'"schema": {SCHEMA},\n"platform": {_json(self.platform)},\n"cases": {{\n'
        return "{\n" + head + ",\n".join(lines) + "\n}\n}\n"


def path_of(platform: str, root: Path) -> Path:
    """Where the baseline of a platform is kept."""
    return root / FOLDER / f"{platform}.json"


def baselines_of(path: Path) -> dict[str, Baseline]:
    """What a file says of each platform, be it a baseline or the records of a run.

    Raises:
        NotComparable: it cannot be relied on.
    """
    if path.suffix == ".jsonl":
        records = Results.of(path).relied_on().records
        return {name: Baseline.of(name, same) for name, same in by_platform(records).items()}
    baseline = Baseline.load(path)
    return {baseline.platform: baseline}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _read(path: Path, members: Any) -> Baseline:
    if not isinstance(members, dict) or "schema" not in members:
        raise ValueError("no baseline")
    if members["schema"] != SCHEMA:
        raise ValueError(
            f"schema {members['schema']}, and this is for schema {SCHEMA}: record it again"
        )
    platform, cases = members.get("platform"), members.get("cases")
    if not isinstance(platform, str) or not isinstance(cases, dict):
        raise ValueError("no baseline: it names no platform, or no cases")
    if not cases:
        raise ValueError("empty: no case has a result")
    return Baseline(platform, {case: _given(case, value) for case, value in cases.items()})


def _given(case: str, value: Any) -> Given:
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{case}: no verdict and values, but {value!r}")
    return Given(value[0], tuple(value[1:]))


def _how(path: Path, error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    empty = not path.stat().st_size
    return "empty: no case has a result" if empty else f"cut off or no JSON: line {error.lineno}"
