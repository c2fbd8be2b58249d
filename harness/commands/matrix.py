"""Behaviours down, platforms across, in each cell what was seen: a page, Markdown, or a table in the terminal."""

import argparse
import sys
from pathlib import Path

from ..build import Build, current
from ..records import catalogue, results, scenarios
from ..records.compare import NOT_COMPARABLE, SAME
from ..records.results import Record, Results, by_platform
from ..reports import matrix, matrix_text

_FORMS = {"html": matrix.html, "markdown": matrix.markdown}


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="RESULT", help="result files; the newest if left out"
    )
    parser.add_argument(
        "--form", choices=[*_FORMS, "terminal"], default="html", help="html if left out"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="build/matrix.html; standard output for other forms",
    )
    parser.add_argument("--only-differences", action="store_true", help="leave out what is alike")


def run(arguments: argparse.Namespace) -> int:
    """Writes it; the exit status, which is 2 where a file is not whole. What there is in it is shown all the same.

    Raises:
        OSError: there are no results, or the page cannot be written.
    """
    here = current()
    made = _made(here, arguments.files or [results.newest(here.results)])
    shown = made.only_differences() if arguments.only_differences else made
    if arguments.form == "terminal":
        matrix_text.write(shown, sys.stdout)
    else:
        _write(_FORMS[arguments.form](shown), _target(here, arguments))
    for trouble in made.troubles:
        print(f"sockspec: {trouble}", file=sys.stderr)
    return NOT_COMPARABLE if made.troubles else SAME


def _target(here: Build, arguments: argparse.Namespace) -> Path | None:
    page: Path | None = arguments.output
    return here.top / "matrix.html" if page is None and arguments.form == "html" else page


def _write(text: str, target: Path | None) -> None:
    if target is None:
        print(text, end="")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(target)


def _made(here: Build, files: list[Path]) -> matrix.Matrix:
    columns: dict[str, list[Record]] = {}
    troubles = []
    for file in files:
        read = Results.of(file)
        troubles += [read.trouble] if read.trouble else []
        for platform, records in by_platform(read.records).items():
            name = platform if platform not in columns else f"{platform} ({file.stem})"
            columns[name] = records
    cases = here.root / "cases"
    rows, table = cases / "behaviours.toml", cases / "scenarios.toml"
    return matrix.matrix(
        columns,
        catalogue.load(rows) if rows.exists() else None,
        scenarios.load(table) if table.exists() else [],
        troubles,
    )
