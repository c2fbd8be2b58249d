"""pytest --falsify: each case again, once for each thing that it relied on, with that thing changed."""

from collections.abc import Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from .. import build
from ..falsify import declared, readings
from ..falsify.report import Finding
from ..falsify.run import Change, Run, during
from .collection import is_case

FINDING = "sockspec_falsified"
"""The attribute by which a report carries what was found."""


class Falsifying:
    """Runs cases, in every process that does."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._declared = _declarations()
        readings.install()
        # A case's limit is for one run of it.
        setattr(config, "_env_timeout_func_only", True)

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
            finding = self._falsified(item, list(plain.found.values()))
            setattr(reports[-1], FINDING, finding.line())
        return reports

    def _falsified(self, item: pytest.Item, changes: Sequence[Change]) -> Finding:
        blind = [what for change in changes if (what := _unnoticed(item, change))]
        reasons = [(what, self._reason(item.nodeid, what)) for what in blind]
        return Finding(
            item.nodeid,
            len(changes),
            len(changes) - len(blind),
            [(what, reason) for what, reason in reasons if reason],
            [what for what, reason in reasons if not reason],
        )

    def _reason(self, case: str, what: str) -> str:
        return next((each.reason for each in self._declared if each.covers(case, what)), "")


def _once(item: pytest.Item, run: Run) -> list[pytest.TestReport]:
    option: Any = item.config.option
    style = option.tbstyle
    if run.change is not None:
        option.tbstyle = (
            "native"  # nobody reads it, and to lay a traceback out takes longer than the run
        )
    try:
        with during(run):
            reports: list[pytest.TestReport] = runtestprotocol(item, log=False, nextitem=None)
    finally:
        option.tbstyle = style
    return reports


def _unnoticed(item: pytest.Item, change: Change) -> str:
    """What is changed, if no wrong value of it makes the case fail, or break."""
    for choice in range(change.choices):
        run = Run(change, choice)
        failed = any(report.failed for report in _once(item, run))
        if not run.struck:
            return f"{change.what} (it did not come again)"
        if failed:
            return ""
    return change.what


def _declarations() -> Sequence[declared.Declaration]:
    try:
        return declared.load(build.current().root / declared.FILE)
    except declared.DeclarationError as error:
        raise pytest.UsageError(f"sockspec: {error}") from None
