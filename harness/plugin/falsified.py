"""What pytest --falsify found, told in the first process."""

from pathlib import Path
from typing import Any

import pytest

from ..falsify.report import Finding, Total, write
from .falsifying import FINDING
from .hook import hook
from .options import chooses_nothing
from .recorder import spoil


class Falsified:
    """Tells what was found."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._findings: list[Finding] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes what a report carries."""
        if line := getattr(report, FINDING, None):
            self._findings.append(Finding.of(line))

    @property
    def _total(self) -> Total:
        return Total(sorted(self._findings, key=lambda finding: finding.case))

    def _is_too_much(self) -> bool:
        return self._total.too_many and chooses_nothing(self._config)

    @hook(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the report. A blind spot is no success; nor are more declarations than may be, in a run of all cases."""
        if path := self._config.getoption("falsify_report"):
            write(Path(path), self._total)
        if self._total.blind or self._is_too_much():
            spoil(session, pytest.ExitCode.TESTS_FAILED)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """By case what is blind, and the sums."""
        total = self._total
        terminalreporter.write_sep("=", "FALSIFIED", red=bool(total.blind))
        for finding in total.findings:
            if finding.blind or self._config.getoption("verbose") > 0:
                terminalreporter.write_line(str(finding))
            for what in finding.blind:
                terminalreporter.write_line(f"  no assertion notices another {what}")
        for line in total.lines():
            terminalreporter.write_line(line)
        if self._is_too_much():
            terminalreporter.write_line(
                "more than 5 % are declared: let assertions notice them", red=True
            )
