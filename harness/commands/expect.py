"""Propose expectations for what a run saw fail; their sources are left for somebody to find."""

import argparse
from pathlib import Path

from ..build import current
from ..records.expectations import FILE, Expectations, proposed
from ..records.results import Results, newest


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument("--update", action="store_true", help=f"append them to {FILE}")
    parser.add_argument(
        "file", nargs="?", type=Path, help="the result file; the newest if left out"
    )


def run(arguments: argparse.Namespace) -> int:
    """Proposes; the exit status.

    Raises:
        NotComparable: the results cannot be relied on.
        ExpectationError: those that there are cannot be read.
        OSError: there are no results, or the file cannot be written.
    """
    root = current().root
    results = Results.of(arguments.file or newest(current().results)).relied_on()
    text = proposed(results.records, Expectations.load(root))
    if not text:
        print("nothing to propose: whatever failed is spoken of")
    elif arguments.update:
        _append(root / FILE, text)
        print(
            f"{FILE}: {text.count('observed = ')} more: each is red until its reason and source are found"
        )
    else:
        print(text, end="")
    return 0


def _append(path: Path, text: str) -> None:
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{old.rstrip()}\n\n{text}".lstrip(), encoding="utf-8")
