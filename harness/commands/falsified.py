"""Write the page of what falsifying found, docs/falsified.md, from the report of pytest --falsify."""

import argparse
from pathlib import Path

from ..build import current
from ..falsify.page import PAGE, markdown
from ..falsify.report import read
from ..records.results import NotComparable


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument("file", type=Path, help="what --falsify-report wrote")


def run(arguments: argparse.Namespace) -> int:
    """The exit status.

    Raises:
        NotComparable: the report cannot be read.
    """
    try:
        total = read(arguments.file)
    except (OSError, ValueError, TypeError) as error:
        raise NotComparable(f"{arguments.file}: no report of --falsify: {error}") from None
    (current().root / PAGE).write_text(markdown(total), encoding="utf-8")
    print(PAGE)
    return 0
