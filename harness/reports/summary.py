"""The conformance summary: what a run found, for a person to read."""

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TextIO

from ..records.results import Record
from ..records.scenarios import Scenario
from ..verdict import Verdict

_ORDER = [
    Verdict.FAILED,
    Verdict.BROKEN,
    Verdict.DIVERGES,
    Verdict.UNSUPPORTED,
    Verdict.PASSED,
]
"""A row of several cases is as bad as the worst of them."""
_COLOURS = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.BROKEN: "bold magenta",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.DIVERGES: "cyan",
}
_NOT_RUN = "not run"


def write(
    records: Sequence[Record],
    scenarios: Sequence[Scenario],
    seconds: float,
    file: TextIO | None = None,
) -> None:
    """Writes the summary: as tables in colour on a terminal, as plain text elsewhere.

    Args:
        records: of one run.
        scenarios: all there are, so that a row without a case is seen.
        seconds: how long the run took.
        file: standard output if None.
    """
    file = file or sys.stdout
    if file.isatty():
        _write_rich(records, scenarios, seconds, file)
    else:
        file.write(plain(records, scenarios, seconds))
    file.flush()


def plain(
    records: Sequence[Record], scenarios: Sequence[Scenario], seconds: float, width: int = 100
) -> str:
    """The summary as plain text.

    Args:
        width: columns.
    """
    lines: list[str] = []
    for scenario in scenarios:
        lines += [f"{scenario.id}  {scenario.title}"]
        for row, text in scenario.rows.items():
            word, count = row_verdict(records, row)
            head = f"  {row:<6}{word:<13}{count:>2} case{' ' if count == 1 else 's'}  "
            lines += textwrap.wrap(
                text, width, initial_indent=head, subsequent_indent=" " * len(head)
            )
        lines.append("")
    lines += _elsewhere(records, scenarios) + _not_passed(records, width) + _explained(records)
    return "\n".join([*lines, *totals(records, seconds)]) + "\n"


def row_verdict(records: Iterable[Record], row: str) -> tuple[str, int]:
    """The verdict on one row of a scenario, and how many cases gave it."""
    verdicts = [record.verdict for record in records if row in record.scenario]
    worst = next((verdict for verdict in _ORDER if verdict in verdicts), None)
    return (str(worst) if worst else _NOT_RUN), len(verdicts)


def totals(records: Sequence[Record], seconds: float) -> list[str]:
    """The last lines: how many of each verdict, where, and how long it took."""
    counts = Counter(record.verdict for record in records)
    words = [f"{counts[verdict]} {verdict}" for verdict in reversed(_ORDER) if counts[verdict]]
    platforms = sorted({record.platform.get("name", "?") for record in records})
    median = sorted(record.duration for record in records)[len(records) // 2] if records else 0.0
    return [
        f"{len(records)} cases: {', '.join(words) or 'none ran'}",
        f"on {', '.join(platforms) or 'no platform'}, in {seconds:.1f} s; "
        f"the median case took {median * 1000:.0f} ms",
    ]


def _elsewhere(records: Sequence[Record], scenarios: Sequence[Scenario]) -> list[str]:
    known = {row for scenario in scenarios for row in scenario.rows}
    others = [record for record in records if not known.intersection(record.scenario)]
    if not others:
        return []
    lines = ["Cases of no scenario"]
    lines += [f"  {record.verdict:<13}{record.claim or record.case}" for record in others]
    return [*lines, ""]


def _not_passed(records: Sequence[Record], width: int) -> list[str]:
    lines: list[str] = []
    for verdict in (Verdict.FAILED, Verdict.BROKEN):
        for record in (record for record in records if record.verdict is verdict):
            lines += [f"{verdict}: {record.claim or record.case}"]
            lines += [f"  {line}"[:width] for line in record.message.splitlines()[:3]]
            lines += [f"  {record.replay}", ""]
    return lines


def _explained(records: Sequence[Record]) -> list[str]:
    lines: list[str] = []
    for verdict in (Verdict.UNSUPPORTED, Verdict.DIVERGES):
        for reason, cases in by_reason(records, verdict).items():
            lines += [f"{verdict}: {reason}", *(f"  {case}" for case in cases), ""]
    return lines


def by_reason(records: Iterable[Record], verdict: Verdict) -> dict[str, list[str]]:
    """The cases of a verdict by the reason why."""
    reasons: dict[str, list[str]] = {}
    for record in records:
        if record.verdict is verdict:
            reasons.setdefault(record.message, []).append(record.case)
    return reasons


def _write_rich(
    records: Sequence[Record], scenarios: Sequence[Scenario], seconds: float, file: TextIO
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    width = max(80, shutil.get_terminal_size().columns)
    console = Console(file=file, width=width, highlight=False)
    for scenario in scenarios:
        table = Table(title=f"{scenario.id} · {scenario.title}", title_justify="left", expand=True)
        for heading, ratio in (("row", 1), ("verdict", 2), ("cases", 1), ("claim", 16)):
            table.add_column(heading, ratio=ratio)
        for row, text in scenario.rows.items():
            word, count = row_verdict(records, row)
            colour = "dim" if word == _NOT_RUN else _COLOURS[Verdict(word)]
            table.add_row(row, Text(word, colour), str(count), Text(text))
        console.print(table)
    rest = [*_elsewhere(records, scenarios), *_not_passed(records, width), *_explained(records)]
    for line in [*rest, *totals(records, seconds)]:
        console.print(Text(line))
