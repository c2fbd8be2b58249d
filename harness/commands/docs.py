"""Write the page of behaviours, docs/behaviours.md and .html, from the cases and from what a run gave."""

import argparse
import sys
from pathlib import Path

from ..build import current
from ..records import results
from ..reports import docs


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail when the catalogue and the cases do not go together",
    )
    parser.add_argument(
        "file", nargs="?", type=Path, help="the result file; the newest if left out"
    )


def run(arguments: argparse.Namespace) -> int:
    """The exit status."""
    here = current()
    if arguments.check:
        complaints = docs.complaints(here.root)
        print(*(f"sockspec: {complaint}" for complaint in complaints), sep="\n", file=sys.stderr)
        return 1 if complaints else 0
    for file in docs.write(here.root, arguments.file or results.newest(here.results)):
        print(file.relative_to(here.root))
    return 0
