"""Every transition between two results; exits 0 same, 1 different, 2 not comparable."""

import argparse
from pathlib import Path

from ..records.compare import DIFFERENT, SAME, compared


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    for name, text in (("before", "a baseline, or a run's result file"), ("after", "another one")):
        parser.add_argument(name, type=Path, help=text)


def run(arguments: argparse.Namespace) -> int:
    """Compares; the exit status.

    Raises:
        NotComparable: one of them cannot be relied on.
    """
    found = compared(arguments.before, arguments.after)
    for transition in found:
        print(transition)
    print(f"{len(found)} cases differ" if found else "no case differs")
    return DIFFERENT if found else SAME
