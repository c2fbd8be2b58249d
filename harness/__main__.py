"""`python3 -m harness`: what is done with cases and records outside pytest."""

import argparse
import sys
from pathlib import Path

from . import results, scenarios, summary
from .build import current


def main(argv: list[str] | None = None) -> int:
    """Carries out a subcommand; its exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m harness", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    claims = commands.add_parser("claims", help="bring the README's table of scenarios up to date")
    claims.add_argument(
        "--check", action="store_true", help="change nothing; fail when it is stale"
    )
    claims.add_argument("--print", action="store_true", help="change nothing; print the table")
    shown = commands.add_parser("summary", help="the conformance summary of a run's records")
    shown.add_argument("file", nargs="?", type=Path, help="the result file; the newest if left out")
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "claims":
            return _claims(current().root, arguments.check, arguments.print)
        return _summary(current().root, arguments.file)
    except (scenarios.ScenarioError, OSError) as error:
        print(f"sockspec: {error}", file=sys.stderr)
        return 1


def _claims(root: Path, check: bool, show: bool) -> int:
    cases = root / "cases"
    table = scenarios.table(scenarios.load(cases / "scenarios.toml"), scenarios.cases_by_row(cases))
    if show:
        print(table)
        return 0
    readme = root / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = scenarios.with_table(old, table)
    if new == old:
        return 0
    if check:
        print(
            "sockspec: README.md: the table of scenarios is stale: python3 -m harness claims",
            file=sys.stderr,
        )
        return 1
    readme.write_text(new, encoding="utf-8")
    print("README.md: the table of scenarios is brought up to date")
    return 0


def _summary(root: Path, file: Path | None) -> int:
    if file is None:
        files = sorted((current().results).glob("*.jsonl"))
        if not files:
            print(f"sockspec: no records in {current().results}", file=sys.stderr)
            return 1
        file = files[-1]
    records = list(results.read(file))
    seconds = sum(record.duration for record in records)
    summary.write(records, scenarios.load(root / "cases" / "scenarios.toml"), seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
