"""The journal of a sweep: results as JSON lines, appended as they come, so that an interrupted one goes on."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO

from .engine import Result
from .perturb import Perturbation
from .subject import Subject


def fingerprint(subject: Subject, runs: Iterable[Perturbation]) -> str:
    """What makes a sweep the same as an earlier one: the subject and the list of its runs."""
    told = [
        list(subject.argv),
        sorted(subject.files.items()),
        subject.requests,
        subject.protocol.name,
    ]
    told += [subject.protocol.request.decode("latin-1"), [run.key for run in runs]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


class Journal:
    """The file, and what it holds of an earlier, interrupted sweep. A context manager."""

    def __init__(self, path: Path, mark: str, runs: int) -> None:
        """Goes on with the file if it is of the same sweep and not complete; else begins it anew.

        Args:
            mark: as fingerprint gives it.
            runs: how many results make it complete.
        """
        self.path = path
        self.found: dict[str, Result] = _read(path, mark)
        if len(self.found) >= runs:
            self.found = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._head = {"sweep": mark, "runs": runs}
        self._file: IO[str] = open(path, "w", encoding="utf-8")
        self._write_all()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, result: Result) -> None:
        """Appends a result, for good."""
        self.found[result.key] = result
        self._write(result.record())

    def sort(self, keys: Iterable[str]) -> None:
        """Brings the results into an order: two sweeps with the same results have the same journal."""
        self.found = {key: self.found[key] for key in keys if key in self.found}
        self._file.seek(0)
        self._file.truncate()
        self._write_all()

    def _write_all(self) -> None:
        self._write(self._head)
        for result in self.found.values():
            self._write(result.record())

    def _write(self, members: object) -> None:
        self._file.write(json.dumps(members, ensure_ascii=False) + "\n")
        self._file.flush()


def _read(path: Path, mark: str) -> dict[str, Result]:
    """The results of an earlier run of the same sweep; a last line that was cut short is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        if not lines or json.loads(lines[0]).get("sweep") != mark:
            return {}
    except (OSError, ValueError):
        return {}
    found: dict[str, Result] = {}
    for line in lines[1:]:
        try:
            result = Result.of(json.loads(line))
        except (ValueError, TypeError, KeyError):
            continue
        found[result.key] = result
    return found
