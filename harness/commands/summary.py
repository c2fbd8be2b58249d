"""The conformance summary of a run's records."""

import argparse
from pathlib import Path

from ..build import current
from ..records import results, scenarios
from ..reports import summary


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument(
        "file", nargs="?", type=Path, help="the result file; the newest if left out"
    )


def run(arguments: argparse.Namespace) -> int:
    """The exit status."""
    here = current()
    records = list(results.read(arguments.file or results.newest(here.results)))
    table = scenarios.load(here.root / "cases" / "scenarios.toml")
    summary.write(records, table, sum(record.duration for record in records))
    return 0
