"""Bring the README's table of scenarios up to date."""

import argparse
import sys
from pathlib import Path

from ..build import current
from ..records import scenarios


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail when it is stale"
    )
    parser.add_argument("--print", action="store_true", help="change nothing; print the table")


def run(arguments: argparse.Namespace) -> int:
    """The exit status."""
    root = current().root
    table = _table(root / "cases")
    if arguments.print:
        print(table)
        return 0
    readme = root / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = scenarios.with_table(old, table)
    if arguments.check:
        return _check(new == old)
    if new != old:
        readme.write_text(new, encoding="utf-8")
        print("README.md: the table of scenarios is brought up to date")
    return 0


def _table(cases: Path) -> str:
    return scenarios.table(scenarios.load(cases / "scenarios.toml"), scenarios.cases_by_row(cases))


def _check(current: bool) -> int:
    if not current:
        stale = "README.md: the table of scenarios is stale: python3 -m harness claims"
        print(f"sockspec: {stale}", file=sys.stderr)
    return 0 if current else 1
