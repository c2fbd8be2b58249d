"""One result record for each case."""

from datetime import datetime
from time import perf_counter
from typing import Any

import pytest

from .. import build
from ..recording import of_crash
from ..results import Merger, Record, ResultFile
from ..sections import attached
from .beside import CRASHED
from .collection import is_case
from .hook import hook


class Recorder:
    """Writes one result record for each case, in the first process only."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._file = ResultFile(build.current().results, datetime.now())
        self._began = perf_counter()
        self._merger = Merger()
        self.records: list[Record] = []
        self.trouble = ""
        """Why records could not be written."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Puts the phases of a case together."""
        if not is_case(self._config, report.nodeid):
            return
        record = attached(report) or (
            of_crash(report.nodeid, str(report.longrepr)) if report.failed else None
        )
        last = report.when in ("teardown", CRASHED)
        if done := self._merger.add(report.nodeid, report.duration, record, last):
            self.records.append(done)
            self._guard(lambda: self._file.add(done))

    def _guard(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            self.trouble = self.trouble or f"cannot write {self._file.path}: {error.strerror}"

    @hook(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Closes the file; a run whose records are not whole is no success."""
        self._guard(self._file.close)
        self._guard_cache(session)
        if self.trouble:
            _spoil(session)

    def _guard_cache(self, session: pytest.Session) -> None:
        """What pytest keeps for its next run, --lf, is written after this, and dies of a full disk."""
        cache: Any = getattr(session.config, "cache", None)
        if cache is None:
            return
        keep = cache.set

        def guarded(key: str, value: object) -> None:
            try:
                keep(key, value)
            except (OSError, UserWarning) as error:
                reason = getattr(error, "strerror", None) or error
                self.trouble = self.trouble or f"cannot write pytest's cache: {reason}"
                _spoil(session)

        cache.set = guarded

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self._began


def _spoil(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
