"""pytest --falsify: each case again, once for each thing that it relied on, with that thing changed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from .. import build
from ..falsify import declared, readings
from ..falsify.report import Finding
from ..falsify.run import Change, Run, during
from .collection import is_case
from .labs import settings_of

FINDING = "sockspec_falsified"
"""The attribute by which a report carries what was found."""
_UNSTEADY = "it does not come in every run: a loop that waits takes as many turns as it needs"
"""Why a case that passes without a thing does not rely on it."""
_EARLIER = " (the case failed before it came: run it again, where the machine is less busy)"
_LEAST = 1.0
_TIMES = 20
"""A run that is told something false may take so many times as long as the plain one, and so many seconds at least."""


class Falsifying:
    """Runs cases, in every process that does."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._declared = _declarations()
        readings.install()

    def pytest_sessionstart(self) -> None:
        """A case's limit is for one run of it. Till now pytest-timeout may have said otherwise."""
        setattr(self._config, "_env_timeout_func_only", True)

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Runs an item that nobody else has taken."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self.reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def reports(self, item: pytest.Item) -> list[pytest.TestReport]:
        """Those of the plain run, the last with what was found of the case."""
        plain = Run()
        reports = _once(item, plain)
        if is_case(self._config, item.nodeid) and all(report.passed for report in reports):
            finding = self._falsified(item, list(plain.found.values()), _patience(item, reports))
            setattr(reports[-1], FINDING, finding.line())
        return reports

    def _falsified(
        self, item: pytest.Item, changes: Sequence[Change], patience: float | None
    ) -> Finding:
        seen = [_tried(item, change, patience) for change in changes]
        reasons = [
            (
                change.what + _EARLIER * (was is _Seen.EARLIER),
                self._reason(item.nodeid, change, was),
            )
            for change, was in zip(changes, seen, strict=True)
            if was is not _Seen.NOTICED
        ]
        return Finding(
            item.nodeid,
            len(changes),
            seen.count(_Seen.NOTICED),
            [(what, reason) for what, reason in reasons if reason],
            [what for what, reason in reasons if not reason],
        )

    def _reason(self, case: str, change: Change, seen: "_Seen") -> str:
        if seen is not _Seen.UNNOTICED:
            return _UNSTEADY if seen is _Seen.ABSENT else ""
        what = change.what
        return next((each.reason for each in self._declared if each.covers(case, what)), "")


def _once(item: pytest.Item, run: Run, patience: float | None = None) -> list[pytest.TestReport]:
    with during(run), _hurried(item.config.option, run, patience):
        reports: list[pytest.TestReport] = runtestprotocol(item, log=False, nextitem=None)
    return reports


@contextmanager
def _hurried(option: Any, run: Run, patience: float | None) -> Iterator[None]:
    """While a run is told something false: nobody reads its tracebacks, and to lay one out takes longer than the run;
    and what hangs then is not waited for as long as what may come."""
    before = option.tbstyle, option.deadline
    if run.change is not None:
        option.tbstyle, option.deadline = "native", patience or option.deadline
    try:
        yield
    finally:
        option.tbstyle, option.deadline = before


def _patience(item: pytest.Item, plain: Sequence[pytest.TestReport]) -> float | None:
    """Seconds that a verb may take in a run that is told something false, by what the plain run took; None: the usual."""
    seconds = max(_LEAST, _TIMES * sum(report.duration for report in plain))
    waits = item.get_closest_marker("waits") or item.get_closest_marker("slow")
    return None if waits or seconds >= settings_of(item.config).deadline else seconds


class _Seen(Enum):
    """What became of a change."""

    NOTICED = auto()
    """A wrong value makes the case fail, or break."""
    UNNOTICED = auto()
    ABSENT = auto()
    """What is to be changed does not come again, and the case passes."""
    EARLIER = auto()
    """The case fails before it comes: this says nothing of it."""


def _tried(item: pytest.Item, change: Change, patience: float | None) -> _Seen:
    """What becomes of it."""
    for choice in range(change.choices):
        run = Run(change, choice)
        failed = any(report.failed for report in _once(item, run, patience))
        if not run.struck:
            return _Seen.EARLIER if failed else _Seen.ABSENT
        if failed:
            return _Seen.NOTICED
    return _Seen.UNNOTICED


def _declarations() -> Sequence[declared.Declaration]:
    try:
        return declared.load(build.current().root / declared.FILE)
    except declared.DeclarationError as error:
        raise pytest.UsageError(f"sockspec: {error}") from None
