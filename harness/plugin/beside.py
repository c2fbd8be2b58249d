"""Cases that mostly sleep, beside the busy ones; and tests whose worker died."""

import pickle
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from ..children import Children, Finished
from ..platform import posting
from ..verdict import Verdict
from .collection import is_case
from .hook import hook
from .recording import of_item
from .sections import attach
from .verdicts import crash_reports
from .workers import Hangup, interactor_of, is_worker, part_from_parent

if TYPE_CHECKING:
    from .falsifying import Falsifying

_AT_ONCE = 64
"""Cases beside the others, on an ordinary machine."""
_AT_LEAST = 4
"""The same on one however slow."""
_LONGEST = 600.0
"""Seconds that a case beside the others may take."""
_LONGEST_FAST = 86400.0
"""The same where idle time passes at once."""
_LONGEST_FALSIFIED = 86400.0
"""The same for all runs of a case that is falsified."""
CRASHED = "???"
"""The phase that xdist gives a report on a test whose worker died."""


def _longest(config: pytest.Config) -> float:
    where = posting.of(config)
    return _LONGEST_FAST if where.fast_time else _LONGEST * where.slowness


class Beside:
    """Runs cases that wait, or are slow, in children of this process, which goes on with the busy ones."""

    def __init__(self, config: pytest.Config, falsifying: "Falsifying | None" = None) -> None:
        self._config = config
        self._falsifying = falsifying
        longest = _LONGEST_FALSIFIED if falsifying else _longest(config)
        most = max(_AT_LEAST, int(_AT_ONCE / posting.of(config).slowness))
        self._children: Children[pytest.Item] = Children(most, longest)
        self._reports: list[pytest.TestReport] | None = None
        """Not None: this process is such a child."""

    @hook(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Takes an item over if it is one that waits."""
        if self._reports is not None:
            self._reports += self._run(item)
            return True
        if not self._takes(item):
            self._log(self._children.turn())
            return None
        if is_worker(self._config):
            # So that the first process knows of it, should this one die.
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        # What the item before left standing for this one is of no use to the one behind.
        getattr(item.session, "_setupstate").teardown_exact(nextitem)
        import_module("dpkt")  # or each child would, and most look at segments
        self._children.add(item, lambda: self._work(item))
        return True

    def _run(self, item: pytest.Item) -> list[pytest.TestReport]:
        if self._falsifying is not None:
            return self._falsifying.reports(item)
        reports: list[pytest.TestReport] = runtestprotocol(item, log=False, nextitem=None)
        return reports

    def _takes(self, item: pytest.Item) -> bool:
        marked = item.get_closest_marker("waits") or item.get_closest_marker("slow")
        stops = self._config.getoption("usepdb") or self._config.getoption("keep_lab")
        return bool(marked) and not stops

    def _work(self, item: pytest.Item) -> bytes:
        """In the child: runs the item; its reports."""
        self._reports = []
        part_from_parent(self._config)
        # What stands for the item that the parent is at is the parent's, to tear down as well.
        getattr(item.session, "_setupstate").stack.clear()
        try:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        except KeyboardInterrupt:
            getattr(item.session, "_setupstate").teardown_exact(None)
            raise
        hook = self._config.hook
        return pickle.dumps(
            [
                hook.pytest_report_to_serializable(config=self._config, report=r)
                for r in self._reports
            ]
        )

    @hook(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Waits for those that are still out when all others are done."""
        try:
            outcome: Any = yield
            if outcome.excinfo is None and len(self._children):
                self._gather(session)
        finally:
            self._children.abort()

    def _gather(self, session: pytest.Session) -> None:
        hangup = Hangup(interactor_of(self._config))
        for finished in self._children.wait(hangup.wake):
            self._log([finished])
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)

    def _log(
        self, finished: Iterator[Finished[pytest.Item]] | Sequence[Finished[pytest.Item]]
    ) -> None:
        for child in finished:
            item = child.key
            if not is_worker(self._config):
                item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            self._log_reports(item, self._read(child))
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def _log_reports(self, item: pytest.Item, reports: Sequence[pytest.TestReport]) -> None:
        interactor = interactor_of(self._config)
        current = getattr(interactor, "item_index", None)
        if interactor is not None:
            # A worker labels a report with the item it is at; this one is about an earlier one.
            interactor.item_index = item.session.items.index(item)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        if interactor is not None:
            interactor.item_index = current

    def _read(self, child: Finished[pytest.Item]) -> list[pytest.TestReport]:
        item = child.key
        hook = self._config.hook
        if child.data is not None:
            return [
                hook.pytest_report_from_serializable(config=self._config, data=data)
                for data in pickle.loads(child.data)
            ]
        message = f"the process that ran it ended with {child.status} before it gave a verdict"
        reports = crash_reports(item.nodeid, item.location, message)
        if is_case(self._config, item.nodeid):
            attach(reports[0], of_item(item, Verdict.BROKEN, message))
        return reports


class Lost:
    """Reports the tests that a worker began and never ended, because it died with them."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[str, int | None, str]] = {}

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Notes a beginning."""
        self._begun[nodeid] = location

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes an end."""
        if report.when in ("teardown", CRASHED):
            self._begun.pop(report.nodeid, None)

    @hook(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Makes up the reports when all is over."""
        outcome: Any = yield
        if outcome.excinfo is None:
            for nodeid, location in list(self._begun.items()):
                died = "its worker died before it gave a verdict"
                for report in crash_reports(nodeid, location, died):
                    session.config.hook.pytest_runtest_logreport(report=report)
