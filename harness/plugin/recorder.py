"""One result record for each case."""

from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import Any

import pytest

from .. import build
from ..platform import cargo, identity, posting
from ..records.results import End, Merger, Record, ResultFile
from .beside import CRASHED
from .collection import is_case
from .expected import Collected
from .hook import hook
from .options import chooses_nothing
from .recording import of_crash
from .sections import attached


class Recorder:
    """Writes one result record for each case, in the first process only."""

    def __init__(self, config: pytest.Config, collected: Collected) -> None:
        self._config = config
        self._collected = collected
        self._file = ResultFile(build.current().results, datetime.now())
        self._began = perf_counter()
        self._merger = Merger()
        self.records: list[Record] = []
        self._planned: dict[str, set[str]] = {}
        """The cases that were chosen to run, by the platforms that collected them."""
        self.platforms = [identity.here().name]
        """Where they were to run."""
        self.troubles: list[str] = []
        """Why the run is no success, whatever its cases gave."""

    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Notes what is to run, where this process runs it."""
        self._plan([item.nodeid for item in session.items], session.config)

    @hook(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        """Notes what is to run, where workers run it."""
        self._plan(ids, node)

    def _plan(self, ids: Sequence[str], where: Any) -> None:
        cases = {nodeid for nodeid in ids if is_case(self._config, nodeid)}
        self._planned.setdefault(posting.of(where).platform, set()).update(cases)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Puts the phases of a case together."""
        if not is_case(self._config, report.nodeid):
            return
        self._guard(lambda: cargo.unload(report, build.current().root))
        where = posting.of(getattr(report, "node", None))
        record = attached(report) or (
            of_crash(report.nodeid, str(report.longrepr), where) if report.failed else None
        )
        last = report.when in ("teardown", CRASHED)
        case = (where.asked, report.nodeid)
        if done := self._merger.add(case, report.duration, record, last):
            self.records.append(done)
            self._guard(lambda: self._file.add(done))

    def _guard(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            self._say(f"cannot write {self._file.path}: {error.strerror}")

    def _say(self, trouble: str) -> None:
        if trouble not in self.troubles:
            self.troubles.append(trouble)

    @hook(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Closes the file; a run whose records are not whole is no success."""
        self._guard(lambda: self._file.end(self._end()))
        self._guard(self._file.close)
        self._guard_cache(session)
        if self.troubles:
            spoil(session, pytest.ExitCode.INTERNAL_ERROR)
        if idle := self._collected.troubles():
            self.troubles += idle
            spoil(session, pytest.ExitCode.TESTS_FAILED)

    def planned_on(self) -> dict[str, set[str]]:
        """The cases that were chosen to run, by platform: all of them on one that did not live to collect any."""
        everything = {case for cases in self._planned.values() for case in cases}
        if not everything:
            return {}
        return {name: self._planned.get(name, everything) for name in self.platforms}

    def _end(self) -> End:
        everything = chooses_nothing(self._config) and self._collected.cases is not None
        counts = {platform: len(cases) for platform, cases in self.planned_on().items()}
        return End(counts, everything)

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
                if not self.troubles:  # else it is the same disk's
                    self._say(f"cannot write pytest's cache: {reason}")
                spoil(session, pytest.ExitCode.INTERNAL_ERROR)

        cache.set = guarded

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return perf_counter() - self._began


def spoil(session: pytest.Session, status: int) -> None:
    """Makes a run that would be a success none."""
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = status
