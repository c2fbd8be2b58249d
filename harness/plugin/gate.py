"""The gate: what a run gave against what is recorded of its platforms. Any difference is red."""

from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import pytest

from .. import build
from ..records.baseline import FOLDER, Baseline
from ..records.compare import NOT_COMPARABLE, Transition, transitions
from ..records.results import NotComparable, by_platform
from .collection import LEFT_OUT
from .expected import Collected
from .recorder import Recorder, spoil

_RECORD = "record it: pytest --slow cases; python3 -m harness record"


class Gate:
    """Compares when all is over, and tells at the end."""

    def __init__(self, config: pytest.Config, collected: Collected, recorder: Recorder) -> None:
        self._given = config.getoption("baseline")
        self._collected = collected
        self._recorder = recorder
        self.told: list[str] = []
        """What is not as recorded, and what to do."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Looks at each platform."""
        planned = self._recorder.planned_on()
        if not planned:
            self.told = ["no case was to run, so nothing is as recorded"]
        for platform, cases in planned.items():
            try:
                self.told += self._differences(platform, cases)
            except NotComparable as error:
                self.told.append(str(error))
                spoil(session, NOT_COMPARABLE)
        if self.told:
            spoil(session, pytest.ExitCode.TESTS_FAILED)

    def _differences(self, platform: str, planned: Set[str]) -> Iterator[str]:
        records = by_platform(self._recorder.records).get(platform, [])
        before = Baseline.load(self._path(platform))
        asked_for = planned - {record.case for record in records if record.message == LEFT_OUT}
        for transition in transitions(before, Baseline.of(platform, records), asked_for):
            yield f"{transition}\n  {_advice(transition)}"
        there = before.cases if self._collected.cases is None else self._collected.cases
        for case in sorted(set(before.cases) - set(there)):
            gone = Transition(case, before.cases[case], None, platform)
            yield f"{gone}\n  there is no such case; if it was taken away, {_RECORD}"

    def _path(self, platform: str) -> Path:
        path = build.current().root / FOLDER if self._given == "auto" else Path(self._given)
        if not path.is_dir() and self._given != "auto":
            return path
        own = path / f"{platform}.json"
        if not own.exists():
            raise NotComparable(f"{own}: nothing is recorded of {platform}: {_RECORD}")
        return own

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tells every transition, and what to do."""
        if not self.told:
            terminalreporter.write_line("baseline: as recorded", green=True)
            return
        terminalreporter.write_sep("=", "NOT AS RECORDED", red=True)
        for line in self.told:
            terminalreporter.write_line(line)


def _advice(transition: Transition) -> str:
    if transition.after is None:
        return "it was to run, and gave nothing: run it again"
    if transition.before is None:
        return f"it is not in the baseline: {_RECORD}"
    return f"find out why; if it is meant, {_RECORD}"
