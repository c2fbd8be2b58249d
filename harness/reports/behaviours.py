"""The page of behaviours: what each family of the catalogue claims, from which source, and what was seen. Markdown and HTML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..records.catalogue import Catalogue, Collected, Family
from ..records.results import Record
from ..rendering import render
from ..verdict import Verdict

_VALUES = 4
"""Observed values that a cell shows."""
_WORST = (Verdict.FAILED, Verdict.BROKEN, Verdict.UNSUPPORTED)


@dataclass(frozen=True)
class Line:
    """A claim on the page."""

    rows: Sequence[str]
    """Of the catalogue; a claim may stand for several."""
    name: str
    file: str
    """The case's source, from the root of the checkout."""
    claim: str
    sources: str
    items: int
    """Variants of it that are collected."""
    seen: str
    """What a run gave."""


@dataclass(frozen=True)
class Entry:
    """A row of the catalogue with the claims that stand for it."""

    id: str
    text: str
    lines: Sequence[Line]
    why: str
    """Why there is no claim."""
    unreachable: Mapping[str, str]
    """Why an errno of its calls has no claim, by both."""


@dataclass(frozen=True)
class Section:
    """A family with its rows."""

    family: Family
    entries: Sequence[Entry]


@dataclass(frozen=True)
class Page:
    """All of it."""

    sections: Sequence[Section]
    others: Sequence[Line]
    """Claims of no row: they are about programs, or the wire."""
    platform: str
    claims: int
    items: int
    sourced: int
    """Claims that name a source."""


def page(catalogue: Catalogue, cases: Sequence[Collected], records: Sequence[Record]) -> Page:
    """The page.

    Args:
        records: of one run, on one platform; cases that it did not run are shown as not run.
    """
    by_name: dict[str, list[Collected]] = {}
    for case in cases:
        by_name.setdefault(case.name, []).append(case)
    seen = _by_name(records)
    lines = [_line(variants, seen.get(name, [])) for name, variants in by_name.items()]
    return Page(
        [_section(family, lines, catalogue.without) for family in catalogue.families],
        [line for line in lines if not line.rows],
        ", ".join(sorted({r.platform.get("name", "?") for r in records})) or "no platform",
        len(lines),
        len(cases),
        sum(bool(line.sources) for line in lines),
    )


def _by_name(records: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.case.partition("[")[0], []).append(record)
    return found


def _section(family: Family, lines: Sequence[Line], without: Mapping[str, str]) -> Section:
    return Section(
        family,
        [
            Entry(
                row,
                text,
                [line for line in lines if row in line.rows],
                without.get(row, ""),
                family.excuses(row),
            )
            for row, text in family.rows.items()
        ],
    )


def _line(variants: Sequence[Collected], records: Sequence[Record]) -> Line:
    first = variants[0]
    rows = dict.fromkeys(row for variant in variants for row in variant.behaviour)
    file, _, name = first.name.partition("::")
    return Line(
        tuple(rows),
        name.removeprefix("test_").replace("_", " "),
        file,
        first.claim,
        first.sources,
        len(variants),
        _seen(records),
    )


def _seen(records: Sequence[Record]) -> str:
    if not records:
        return "not run"
    worst = next((verdict for verdict in _WORST for r in records if r.verdict is verdict), None)
    if worst:
        return str(worst)
    values = dict.fromkeys(_value(o) for record in records for o in record.observations)
    shown = [value for value in values if value][:_VALUES]
    return ", ".join(shown) or "as claimed"


def _value(observation: Mapping[str, Any]) -> str:
    """What an observation says in short: "bind EADDRINUSE", "TIME_WAIT"."""
    call = observation.get("call")
    if call:
        return f"{call} {observation.get('errno', observation.get('value'))}"
    for kind in ("states", "senders"):
        if kind in observation:
            return " ".join(map(str, observation[kind])) or f"no {kind}"
    return ""


def markdown(page: Page, up: str) -> str:
    """The page in Markdown.

    Args:
        up: from the page's folder to the root of the checkout, as in "../".
    """
    return render("behaviours.md", page=page, up=up)


def html(page: Page, up: str) -> str:
    """The page in HTML, whole in itself."""
    return render("behaviours.html", page=page, up=up)
