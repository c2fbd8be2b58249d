"""What is known to differ: the verdict in the light of the expectations, and entries that are idle or have no source."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from .. import build
from ..records.expectations import ExpectationError, Expectations
from ..records.results import Record
from ..verdict import Verdict
from .hook import hook
from .workers import is_worker

_EXPECTATIONS = pytest.StashKey[Expectations]()
_OUTPUT = "sockspec_collected"


def load(config: pytest.Config) -> None:
    """Reads the checkout's expectations.

    Raises:
        pytest.UsageError: they cannot be read.
    """
    try:
        config.stash[_EXPECTATIONS] = Expectations.load(build.current().root)
    except ExpectationError as error:
        raise pytest.UsageError(f"sockspec: {error}") from None


def judged(config: pytest.Config, report: pytest.TestReport, record: Record) -> Record:
    """The record with the verdict that it has in the light of the expectations; the report told of it."""
    done = config.stash[_EXPECTATIONS].judge(record)
    if done.verdict is not record.verdict and done.verdict is not Verdict.FAILED:
        path, line, _ = report.location
        report.outcome = "skipped"
        report.longrepr = (path, (line or 0) + 1, done.message)
        if done.verdict is Verdict.DIVERGES:
            setattr(report, "wasxfail", f"diverges: {done.message}")
    elif done.message != record.message:
        why = done.message.removeprefix(record.message).strip()
        report.sections.append(("expectations", why))
        report.longrepr = report.longrepr if report.outcome == "failed" else why
        report.outcome = "failed"
    return done


class Collected:
    """Which cases there are, before some of them are chosen. In every process; workers tell the first one."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.cases: Sequence[str] | None = None
        """None: not all were looked for, so nobody knows what is not there."""

    @hook(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Notes them, where all were looked for."""
        if _all_looked_for(self._config):
            self.cases = [item.nodeid for item in items]
        if is_worker(self._config):
            getattr(self._config, "workeroutput")[_OUTPUT] = self.cases

    @hook(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes them from a worker, which alone collects where there are workers."""
        told = (getattr(node, "workeroutput", None) or {}).get(_OUTPUT)
        self.cases = self.cases if told is None else told

    def troubles(self) -> list[str]:
        """What is wrong with the expectations."""
        if self.cases is None:
            return []
        return self._config.stash[_EXPECTATIONS].troubles(self.cases)


def _all_looked_for(config: pytest.Config) -> bool:
    cases = Path(config.rootpath) / "cases"
    looked = [Path(os.path.abspath(argument)) for argument in config.args]
    return any(cases.is_relative_to(folder) for folder in looked)
