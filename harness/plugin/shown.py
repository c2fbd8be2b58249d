"""What a person sees."""

from collections.abc import Iterator
from typing import Any

import pytest

from ..verdict import Verdict
from . import sections
from .collection import is_case
from .hook import hook
from .recorder import Recorder
from .sections import attached, told


_SHOWN = {
    Verdict.FAILED: ("failed", "F", "FAILED"),
    Verdict.BROKEN: ("broken", "B", "BROKEN"),
    Verdict.DIVERGES: ("diverges", "d", "DIVERGES"),
    Verdict.UNSUPPORTED: ("unsupported", "u", "UNSUPPORTED"),
}


@hook(tryfirst=True)
def pytest_report_teststatus(report: Any, config: pytest.Config) -> tuple[str, str, str] | None:
    """The letter and the word of a case's verdict."""
    record = attached(report)
    if record is not None:
        return _SHOWN.get(record.verdict)
    if (
        getattr(report, "failed", False)
        and report.when != "collect"
        and is_case(config, report.nodeid)
    ):
        return _SHOWN[Verdict.BROKEN]
    return None


class Sections:
    """The sections at the end: what failed, what was broken, what is unsupported, and the summary."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder
        self._failed: list[Any] = []

    @hook(hookwrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Iterator[None]:
        """Shows failed cases its own way: hides them from pytest's own section, but not from what follows it."""
        stats = terminalreporter.stats
        sections.name_platforms(report for reports in stats.values() for report in reports)
        failed = stats.pop("failed", [])
        self._failed = [report for report in failed if attached(report)]
        if others := [report for report in failed if not attached(report)]:
            stats["failed"] = others
        yield
        for report in sections.told_apart(stats.get("broken", [])):
            first = told(report).message.partition("\n")[0]
            terminalreporter.write_line(f"BROKEN {report.nodeid} - {first}", red=True)
        for trouble in self._recorder.troubles:
            terminalreporter.write_line(f"sockspec: {trouble}", red=True)

    def show(self, terminal: Any) -> None:
        """Writes the sections."""
        stats = terminal.stats
        if self._failed:
            stats["failed"] = [*stats.get("failed", []), *self._failed]
        sections.show(terminal, "FAILED", self._failed)
        sections.show(terminal, "BROKEN", sections.told_apart(stats.get("broken", [])))
        sections.show_lost(terminal, stats.get("broken", []))
        if self._config.getoption("evidence"):
            sections.show_evidence(terminal, stats.get("passed", []))
        sections.show_by_reason(terminal, Verdict.UNSUPPORTED, self._recorder.records)
        sections.show_by_reason(terminal, Verdict.DIVERGES, self._recorder.records)
        if self._config.getoption("conformance_summary"):
            table = self._config.rootpath / "cases" / "scenarios.toml"
            sections.show_summary(terminal, self._recorder.records, table, self._recorder.elapsed)


class Between:
    """Runs between pytest's long sections and its short ones."""

    def __init__(self, sections: Sections) -> None:
        self._sections = sections

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        self._sections.show(terminalreporter)
