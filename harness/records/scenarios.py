"""The scenarios: which rows there are, and which cases assert them."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BEGIN = "<!-- scenarios:begin -->"
END = "<!-- scenarios:end -->"


class ScenarioError(Exception):
    """The table of scenarios, the cases and the README do not go together."""


@dataclass(frozen=True)
class Scenario:
    """One scenario: a title and rows, each a claim under an id like "S1.2"."""

    id: str
    title: str
    rows: Mapping[str, str]


def load(path: Path) -> list[Scenario]:
    """The scenarios of a table, in its order.

    Raises:
        ScenarioError: the table cannot be read.
    """
    try:
        import tomllib  # only the summary asks for it

        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return [
            Scenario(
                name, table["title"], {f"{name}.{n}": text for n, text in table["rows"].items()}
            )
            for name, table in tables.items()
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScenarioError(f"{path}: {error}") from error


def cases_by_row(folder: Path) -> dict[str, list[str]]:
    """Which cases carry which row in a `scenario` marker: the names of test functions, by row id.

    Reads the source alone, so that nothing is imported or run.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"), str(path))
        for case, rows in _marked(module.body, _assigned_rows(module.body)):
            for row in rows:
                found.setdefault(row, []).append(f"{path.name}::{case}")
    return found


def _marked(body: Iterable[ast.stmt], outer: list[str]) -> Iterator[tuple[str, list[str]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, [*outer, *_rows(node.decorator_list)]
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inner = [*outer, *_rows(node.decorator_list), *_assigned_rows(node.body)]
            for name, rows in _marked(node.body, inner):
                yield f"{node.name}::{name}", rows


def _assigned_rows(body: Iterable[ast.stmt]) -> list[str]:
    """The rows of `pytestmark = ...`, which stands for the whole module or class."""
    rows = []
    for node in body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            marks = (
                node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            )
            rows += _rows(marks)
    return rows


def _rows(marks: Iterable[ast.expr]) -> list[str]:
    return [
        argument.value
        for mark in marks
        if isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Attribute)
        and mark.func.attr == "scenario"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def table(scenarios: Iterable[Scenario], cases: Mapping[str, list[str]]) -> str:
    """The table that the README holds, in Markdown.

    Raises:
        ScenarioError: a case names a row that is in no scenario.
    """
    scenarios = list(scenarios)
    known = {row for scenario in scenarios for row in scenario.rows}
    if unknown := sorted(set(cases) - known):
        named = "; ".join(f"{row} in {', '.join(cases[row])}" for row in unknown)
        raise ScenarioError(f"no such row of a scenario: {named}")
    lines = []
    for scenario in scenarios:
        lines += [
            f"### {scenario.id} · {scenario.title}",
            "",
            "| row | claim | cases |",
            "|---|---|---|",
        ]
        lines += [
            f"| {row} | {text} | {_listed(cases.get(row, []))} |"
            for row, text in scenario.rows.items()
        ]
        lines.append("")
    return "\n".join(lines).rstrip()


def _listed(cases: list[str]) -> str:
    names = [case.split("::", 1)[1].removeprefix("test_") for case in cases]
    return "<br>".join(f"`{name}`" for name in names) or "none yet"


def with_table(readme: str, new: str) -> str:
    """The README's text with a new table between its two marks.

    Raises:
        ScenarioError: the marks are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ScenarioError(f"the README lacks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{new}\n\n{END}{after}"
