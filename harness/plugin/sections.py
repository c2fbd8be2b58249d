"""The sections at the end of a run: what failed, what was broken, what is unsupported, and the summary.

Writes to pytest's terminal reporter, which is given; what a case found travels as a record on its report.
"""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..platform import posting
from ..records import scenarios
from ..records.results import Record
from ..reports import summary
from ..verdict import Verdict


_LOST_SHOWN = 10
"""Cases of one reason that are named."""


def attach(report: Any, record: Record) -> None:
    """Puts a record on a report."""
    # As text, which crosses from process to process whatever carries it.
    setattr(report, "sockspec", record.line())


def attached(report: Any) -> Record | None:
    """The record on a report; None where there is none."""
    line = getattr(report, "sockspec", None)
    return None if line is None else _read(line)


# Whoever looks at a report looks more than once before the next one comes.
_read = lru_cache(maxsize=8)(Record.of)


def told(report: Any) -> Record:
    """The record on a report, or what can be said without it of a case that no process lived to tell of."""
    return attached(report) or Record(report.nodeid, Verdict.BROKEN, str(report.longrepr))


def name_platforms(reports: Iterable[Any]) -> None:
    """Whatever is told of a case of one platform among several names it."""
    for report in reports:
        if name := posting.of(getattr(report, "node", None)).name:
            report.nodeid = f"{report.nodeid} on {name}"


def lose(report: Any, why: str) -> None:
    """Marks a report as one of many cases that nobody ran, all for that reason."""
    setattr(report, "sockspec_lost", why)


def told_apart(reports: Sequence[Any]) -> list[Any]:
    """The reports that are worth a place of their own: not those of cases that nobody ran."""
    return [report for report in reports if not hasattr(report, "sockspec_lost")]


def show_lost(terminal: Any, reports: Sequence[Any]) -> None:
    """The cases that nobody ran, by the reason why."""
    reasons: dict[str, list[str]] = {}
    for report in reports:
        if why := getattr(report, "sockspec_lost", ""):
            reasons.setdefault(why, []).append(report.nodeid)
    if reasons:
        terminal.write_sep("=", "NOT RUN", red=True)
    for why, cases in reasons.items():
        terminal.write_line(f"{len(cases)} broken: {why}", red=True)
        shown = cases if len(cases) <= _LOST_SHOWN else [*cases[:_LOST_SHOWN], "..."]
        for case in shown:
            terminal.write_line(f"  {case}")


def show(terminal: Any, title: str, reports: Sequence[Any]) -> None:
    """A section of cases; nothing when there are none."""
    if reports:
        terminal.write_sep("=", title, red=title != "EVIDENCE")
    for report in reports:
        _show_case(terminal, report)


def _show_case(terminal: Any, report: Any) -> None:
    """One case: its claim and sources, what went wrong, the evidence, and how to run it alone."""
    record = told(report)
    good = record.verdict is Verdict.PASSED
    terminal.write_sep("_", report.nodeid, bold=True, red=not good, green=good)
    for heading, text in (
        ("claim", record.claim),
        ("source", record.sources),
        ("scenario", ", ".join(record.scenario)),
    ):
        if text:
            terminal.write_line(f"{heading + ':':<10}{text}")
    report.toterminal(terminal.config.get_terminal_writer())
    for name, content in report.sections:
        terminal.write_sep("-", name)
        terminal.write_line(content.rstrip("\n"))
    if record.evidence:
        terminal.write_sep("-", "evidence")
        terminal.write_line(_shown(record.evidence, terminal))
    if record.files:
        folder = os.path.dirname(record.files[0])
        names = [os.path.basename(file) for file in record.files]
        terminal.write_line(f"files:    {folder}/: {', '.join(names)}")
    if record.replay and not good:
        terminal.write_line(f"alone:    {record.replay}")


def _shown(evidence: str, terminal: Any) -> str:
    """The evidence in colours on a terminal, and without lines where there are no characters for them."""
    from ..evidence import ladder_text  # most runs have nothing to show

    file = terminal.config.get_terminal_writer()._file
    try:
        evidence.encode(getattr(file, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        evidence = ladder_text.without_lines(evidence)
    return ladder_text.painted(evidence) if terminal.hasmarkup else evidence


def show_evidence(terminal: Any, passed: Sequence[Any]) -> None:
    """The evidence of cases that passed, where it was asked for."""
    show(terminal, "EVIDENCE", [r for r in passed if attached(r) and told(r).evidence])


def show_by_reason(terminal: Any, verdict: Verdict, records: Sequence[Record]) -> None:
    """What has a verdict that is not red, by the reason why."""
    reasons = summary.by_reason(records, verdict)
    if reasons:
        terminal.write_sep("=", verdict.upper())
    for reason, cases in reasons.items():
        terminal.write_line(reason, yellow=True)
        for case in cases:
            terminal.write_line(f"  {case}")


def show_summary(terminal: Any, records: Sequence[Record], table: Path, seconds: float) -> None:
    """The conformance summary.

    Args:
        table: of scenarios; a run without one has cases only.
        seconds: how long the run took.
    """
    terminal.write_sep("=", "CONFORMANCE")
    try:
        rows = scenarios.load(table) if table.exists() else []
    except scenarios.ScenarioError as error:
        terminal.write_line(f"sockspec: {error}", red=True)
        rows = []
    terminal.flush()
    summary.write(records, rows, seconds, terminal.config.get_terminal_writer()._file)
