"""The matrix: behaviours by families down, platforms across, and in each cell what was seen there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..records.catalogue import Catalogue
from ..records.results import Record
from ..records.scenarios import Scenario
from ..rendering import render
from ..verdict import Verdict

_LONGEST = 44
"""Characters of a value in a cell; the whole of it is in the details."""
MARKS = {
    Verdict.PASSED: "",
    Verdict.FAILED: "✗",
    Verdict.BROKEN: "!",
    Verdict.UNSUPPORTED: "∅",
    Verdict.DIVERGES: "◆",
}
"""What tells a verdict apart by its shape."""
OTHER = "≠"
"""What marks a value that differs from the first platform's."""


@dataclass(frozen=True)
class Cell:
    """What a case gave on a platform."""

    record: Record | None
    """None: it was not run there."""
    differs: bool = False
    """From the first platform."""

    @property
    def kind(self) -> str:
        """Its verdict, or "absent"."""
        return str(self.record.verdict) if self.record else "absent"

    @property
    def mark(self) -> str:
        """Verdict and difference as shapes."""
        mark = MARKS[self.record.verdict] if self.record else ""
        return mark or (OTHER if self.differs else "")

    @property
    def whole(self) -> str:
        """The value: what the failing assertion saw, or else what all saw."""
        if self.record is None:
            return "not run"
        if self.record.verdict is Verdict.UNSUPPORTED:
            return "lacking"
        if self.record.verdict is Verdict.BROKEN:
            return "broken"
        seen = [each for each in self.record.seen if not each.holds] or self.record.seen
        texts = [each.text for each in seen]
        # "yes" says less than any value beside it.
        return ", ".join([text for text in texts if text != "yes"] or texts[:1]) or self.kind

    @property
    def value(self) -> str:
        """The value, as far as there is room."""
        return self.whole if len(self.whole) <= _LONGEST else self.whole[: _LONGEST - 1] + "…"

    @property
    def tried(self) -> bool:
        """Whether it says anything about the behaviour."""
        return self.record is not None and self.record.verdict is not Verdict.UNSUPPORTED

    def beside(self, first: "Cell") -> "Cell":
        """The same, in a line that begins with another cell."""
        return Cell(self.record, self.tried and first.tried and not self.same_as(first))

    def same_as(self, other: "Cell") -> bool:
        """Whether it gives what another gives."""
        return (self.kind, self._stable()) == (other.kind, other._stable())

    def _stable(self) -> list[str]:
        return [seen.stable for seen in self.record.seen] if self.record else []


@dataclass(frozen=True)
class Line:
    """A case on all platforms, or variants of one that give the same."""

    cases: Sequence[str]
    cells: Sequence[Cell]

    @cached_property
    def record(self) -> Record:
        """One of its records, for its claim."""
        return next(cell.record for cell in self.cells if cell.record)

    @property
    def claim(self) -> str:
        """What is claimed."""
        return self.record.claim or self.name

    @property
    def name(self) -> str:
        """The case's name, and the variants that the line stands for."""
        return self.cases[0].partition("::")[2].removeprefix("test_").partition("[")[0]

    @property
    def variants(self) -> str:
        """Its variants' parameters."""
        return ", ".join(case.partition("[")[2].removesuffix("]") for case in self.cases).strip(
            ", "
        )

    @property
    def differs(self) -> bool:
        """Whether any platform differs from the first."""
        return any(cell.differs for cell in self.cells)

    def same_as(self, other: "Line") -> bool:
        """Whether it is a variant of another, and gives the same everywhere."""
        alike = (
            self.name == other.name
            and self.cases[0].partition("::")[0] == other.cases[0].partition("::")[0]
        )
        return alike and all(a.same_as(b) for a, b in zip(self.cells, other.cells, strict=True))


@dataclass(frozen=True)
class Group:
    """The lines of a family."""

    id: str
    title: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Matrix:
    """All of it."""

    platforms: Sequence[str]
    groups: Sequence[Group]
    troubles: Sequence[str] = ()
    """What is wrong with the results that it is made of."""
    about: Mapping[str, str] = field(default_factory=dict)
    """A platform in full, by its name."""

    @property
    def lines(self) -> list[Line]:
        """Those of all groups."""
        return [line for group in self.groups for line in group.lines]

    def only_differences(self) -> "Matrix":
        """Only the lines in which platforms differ."""
        groups = [
            Group(group.id, group.title, [line for line in group.lines if line.differs])
            for group in self.groups
        ]
        kept = [group for group in groups if group.lines]
        return Matrix(self.platforms, kept, self.troubles, self.about)


def matrix(
    columns: Mapping[str, Iterable[Record]],
    catalogue: Catalogue | None,
    scenarios: Sequence[Scenario],
    troubles: Sequence[str] = (),
) -> Matrix:
    """The matrix of results.

    Args:
        columns: the records of each platform, under the name of its column; the first is what others differ from.
        catalogue, scenarios: whose families and titles the lines are put under; a case of none is put under its file.
    """
    by_case: dict[str, dict[str, Record]] = {}
    about = {}
    for name, records in columns.items():
        for record in records:
            by_case.setdefault(record.case, {})[name] = record
            about[name] = _about(record.platform)
    titles = {family.id: family.title for family in catalogue.families} if catalogue else {}
    titles |= {scenario.id: scenario.title for scenario in scenarios}
    families: dict[str, list[Line]] = {}
    for case in sorted(by_case, key=lambda case: case.partition("[")[0]):
        line = _line(case, by_case[case], list(columns))
        lines = families.setdefault(_family(line.record, titles), [])
        _add(lines, line)
    order = [*titles, *sorted(set(families) - set(titles))]
    groups = [
        Group(name, titles.get(name, ""), families[name]) for name in order if name in families
    ]
    return Matrix(list(columns), groups, troubles, about)


def _line(case: str, records: Mapping[str, Record], columns: Sequence[str]) -> Line:
    cells = [Cell(records.get(name)) for name in columns]
    return Line([case], [cell.beside(cells[0]) for cell in cells])


def _add(lines: list[Line], line: Line) -> None:
    """Adds a line; to one that differs in its parameters alone, where there is one."""
    for place, other in enumerate(lines):
        if line.same_as(other):
            lines[place] = Line([*other.cases, *line.cases], other.cells)
            return
    lines.append(line)


def _family(record: Record, titles: Mapping[str, str]) -> str:
    """The family of the first row that a case names; else its file."""
    named = [row.rstrip("0123456789") for row in record.behaviour]
    named += [row.partition(".")[0] for row in record.scenario]
    known = [name for name in named if name in titles]
    return known[0] if known else record.case.partition("::")[0]


def _about(platform: Mapping[str, str]) -> str:
    return ", ".join(f"{k} {v}" for k, v in platform.items() if k != "name" and v)


def html(matrix: Matrix) -> str:
    """A page, whole in itself."""
    return render("matrix.html", matrix=matrix, details=_details(matrix), marks=_legend())


def markdown(matrix: Matrix) -> str:
    """Tables for a README or a pull request."""
    return render("matrix.md", matrix=matrix, marks=_legend())


def _legend() -> dict[str, str]:
    return {
        **{mark: str(verdict) for verdict, mark in MARKS.items() if mark},
        OTHER: "another value",
    }


def _details(matrix: Matrix) -> list[list[dict[str, object] | None]]:
    """What a cell shows when it is opened, by line and column."""
    return [[_detail(cell.record) for cell in line.cells] for line in matrix.lines]


def _detail(record: Record | None) -> dict[str, object] | None:
    if record is None:
        return None
    return {
        "case": record.case,
        "verdict": str(record.verdict),
        "message": record.message,
        "seen": [[each.what, each.text, each.wanted, each.holds] for each in record.seen],
        "observations": [", ".join(f"{k} {v}" for k, v in o.items()) for o in record.observations],
        "evidence": record.evidence,
        "files": list(record.files),
        "replay": record.replay,
        "ms": round(record.duration * 1000),
    }
