"""The catalogue of behaviours: which rows there are, and which cases claim them."""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


class CatalogueError(Exception):
    """The catalogue and the cases do not go together."""


@dataclass(frozen=True)
class Family:
    """Rows of one kind, each a behaviour under an id like "A1"."""

    id: str
    title: str
    learn: str
    """What a learner takes from it, in a sentence."""
    rows: Mapping[str, str]
    unreachable: Mapping[str, str] = field(default_factory=dict)
    """Why an errno of a row's call has no case, by both ("bind ENOBUFS")."""

    def excuses(self, row: str) -> dict[str, str]:
        """What is unreachable of the calls that a row names."""
        calls = self.rows[row].split(", ")
        return {key: why for key, why in self.unreachable.items() if key.split()[0] in calls}


@dataclass(frozen=True)
class Catalogue:
    """All families, in the order in which they are read."""

    families: Sequence[Family]
    without: Mapping[str, str]
    """Why a row has no case, by its id."""

    @property
    def rows(self) -> dict[str, str]:
        """All rows by their ids."""
        return {row: text for family in self.families for row, text in family.rows.items()}


@dataclass(frozen=True)
class Collected:
    """A case as it was collected; nothing of it has run."""

    case: str
    """Its id, as pytest takes it."""
    claim: str
    sources: str
    about: Sequence[str] = ()
    behaviour: Sequence[str] = ()
    """The rows of the catalogue that it claims."""
    scenario: Sequence[str] = ()

    def line(self) -> str:
        """As a line of JSON, with its newline."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    @property
    def name(self) -> str:
        """The id without parameters: what all variants of one claim share."""
        return self.case.partition("[")[0]


def load(path: Path) -> Catalogue:
    """The catalogue of a file.

    Raises:
        CatalogueError: it cannot be read.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        without = tables.pop("without", {})
        return Catalogue([_family(name, table) for name, table in tables.items()], without)
    except (
        OSError,
        tomllib.TOMLDecodeError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
    ) as error:
        raise CatalogueError(f"{path}: {error}") from error


def _family(name: str, table: Mapping[str, object]) -> Family:
    rows = _strings(table["rows"])
    return Family(
        name,
        str(table["title"]),
        str(table["learn"]),
        {f"{name}{number}": text for number, text in rows.items()},
        _strings(table.get("unreachable", {})),
    )


def _strings(table: object) -> dict[str, str]:
    assert isinstance(table, dict)
    return {str(name): str(text) for name, text in table.items()}


def read(path: Path) -> list[Collected]:
    """The cases that pytest listed in a file.

    Raises:
        CatalogueError: the file cannot be read, or holds no case.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        cases = [Collected(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise CatalogueError(f"{path}: {error}") from error
    if not cases:
        raise CatalogueError(f"{path}: no case in it")
    return cases


def by_row(cases: Iterable[Collected]) -> dict[str, list[str]]:
    """The names of the cases, without their parameters, by the row that they claim."""
    found: dict[str, dict[str, None]] = {}
    for case in cases:
        for row in case.behaviour:
            found.setdefault(row, {})[case.name] = None
    return {row: list(names) for row, names in found.items()}


def complaints(catalogue: Catalogue, cases: Sequence[Collected]) -> list[str]:
    """What does not go together, a sentence each: a row without a case or a reason, a case of no row, no source."""
    rows, claimed, without = catalogue.rows, by_row(cases), catalogue.without
    excused = {*claimed, *without}
    bare = sorted({case.name for case in cases if not (case.claim and case.sources)})
    return [
        *(f"{row}: no case, and no reason why" for row in rows if row not in excused),
        *(
            f"{row}: no such row, in {names[0]}"
            for row, names in claimed.items()
            if row not in rows
        ),
        *(f"{row}: no such row, under [without]" for row in without if row not in rows),
        *(f"{row}: has a case, and a reason why not" for row in without if row in claimed),
        *(complaint for family in catalogue.families for complaint in _excused(family, cases)),
        *(f"{name}: its docstring lacks a claim or a source" for name in bare),
    ]


def _excused(family: Family, cases: Iterable[Collected]) -> Iterator[str]:
    """What is wrong with errnos that are called unreachable: no row names the call, or a case claims it."""
    known = {key for row in family.rows for key in family.excuses(row)}
    yield from (
        f"{key}: no row of {family.id} names that call"
        for key in family.unreachable
        if key not in known
    )
    claimed = [
        set(case.about) for case in cases if not family.rows.keys().isdisjoint(case.behaviour)
    ]
    yield from (
        f"{key}: has a case, and is called unreachable"
        for key in family.unreachable
        if any(about.issuperset(key.split()) for about in claimed)
    )
