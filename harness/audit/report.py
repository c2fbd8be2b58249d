"""Reports of an audit: text, JSON, JUnit, and a page."""

import json
import platform
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from ..rendering import render
from .audit import Outcome, Verdict
from .check import CHECKS

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.KNOWN: "red",
    Verdict.WAIVED: "yellow",
    Verdict.INAPPLICABLE: "dim",
    Verdict.BROKEN: "bold magenta",
}


@dataclass(frozen=True)
class Report:
    """What an audit found."""

    title: str
    command: str
    outcomes: Sequence[Outcome]
    version: str = ""
    """What the server says of itself."""

    @property
    def counts(self) -> Counter[str]:
        """How many outcomes of each verdict there are."""
        return Counter(str(outcome.verdict) for outcome in self.outcomes)

    @property
    def summary(self) -> str:
        """The counts in a line."""
        order = [str(verdict) for verdict in Verdict if self.counts[str(verdict)]]
        return ", ".join(f"{self.counts[verdict]} {verdict}" for verdict in order)

    def of(self, *verdicts: Verdict) -> list[Outcome]:
        """The outcomes of these verdicts, in the order of the checks."""
        order = list(CHECKS)
        found = [outcome for outcome in self.outcomes if outcome.verdict in verdicts]
        return sorted(found, key=lambda outcome: order.index(outcome.id))


def line(outcome: Outcome) -> Text:
    """An outcome in a line of text, with its evidence below where there is something to do."""
    check = outcome.check
    text = Text(f"{outcome.verdict:<10}", style=_STYLES[outcome.verdict])
    text.append(f"{check.level:<7}{outcome.id}", style="default")
    if outcome.verdict is Verdict.INAPPLICABLE:
        text.append(f": {outcome.evidence[0]}", style="dim")
    elif outcome.verdict is not Verdict.PASSED:
        for piece in outcome.evidence:
            text.append("\n            " + piece.replace("\n", "\n            "), style="default")
    for remark in outcome.remarks:
        text.append(f" ({remark})" if outcome.verdict is Verdict.PASSED else "", style="dim")
    if outcome.verdict in (Verdict.FAILED, Verdict.KNOWN):
        text.append(
            f"\n          why: {check.why}\n          change: {check.change}", style="default"
        )
    return text


def conclude(report: Report, console: Console) -> None:
    """The last line of the text."""
    console.print(Text(f"{report.title}: {report.summary}"))


def to_text(report: Report) -> str:
    """As the terminal has it, in the order of the checks."""
    head = [f"{report.title}: {report.version}".removesuffix(": "), report.command, ""]
    lines = [line(outcome).plain for outcome in report.of(*Verdict)]
    return "\n".join([*head, *lines, "", f"{report.title}: {report.summary}"]) + "\n"


def _members(outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    return {
        "id": outcome.id,
        "level": str(check.level),
        "verdict": str(outcome.verdict),
        "claim": check.claim,
        "why": check.why,
        "change": check.change,
        "evidence": list(outcome.evidence),
        "remarks": list(outcome.remarks),
    }


def to_json(report: Report) -> str:
    """As JSON; the same for the same findings."""
    told = {
        "server": report.title,
        "version": report.version,
        "command": report.command,
        "kernel": platform.release(),
        "counts": dict(sorted(report.counts.items())),
        "checks": [_members(outcome) for outcome in report.of(*Verdict)],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def to_junit(report: Report) -> str:
    """As JUnit's XML: a check is a test case."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"audit of {report.title}",
        tests=str(len(report.outcomes)),
        failures=str(report.counts[Verdict.FAILED]),
        errors=str(report.counts[Verdict.BROKEN]),
        skipped=str(len(report.of(Verdict.INAPPLICABLE, Verdict.WAIVED, Verdict.KNOWN))),
    )
    tags = {Verdict.FAILED: "failure", Verdict.BROKEN: "error"}
    for outcome in report.of(*Verdict):
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=report.title,
            name=outcome.id,
            time=f"{outcome.seconds:.3f}",
        )
        if outcome.verdict is not Verdict.PASSED:
            tag = tags.get(outcome.verdict, "skipped")
            message = _printable("; ".join(outcome.evidence))
            ElementTree.SubElement(case, tag, message=message)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def to_html(report: Report) -> str:
    """As one page that needs nothing else."""
    sections = [
        ("To be changed", report.of(Verdict.FAILED, Verdict.KNOWN, Verdict.BROKEN)),
        ("Waived", report.of(Verdict.WAIVED)),
        ("Passed", report.of(Verdict.PASSED)),
        ("Not tried", report.of(Verdict.INAPPLICABLE)),
    ]
    return render("audit.html", report=report, sections=sections, kernel=platform.release())
