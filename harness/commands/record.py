"""Record what a whole run gave as the baselines of its platforms."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..baseline import FOLDER, Baseline, path_of
from ..build import current
from ..results import NotComparable, Record, Results, by_platform, newest
from ..verdict import Verdict


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument(
        "file", nargs="?", type=Path, help="the result file; the newest if left out"
    )


def run(arguments: argparse.Namespace) -> int:
    """Records; the exit status.

    Raises:
        NotComparable: the results cannot be relied on.
        OSError: there are none, or a baseline cannot be written.
    """
    root = current().root
    path = arguments.file or newest(current().results)
    results = Results.of(path).relied_on()
    if results.end is None or not results.end.everything:
        raise NotComparable(
            f"{path}: some cases were left out: run all of them: pytest --slow cases"
        )
    if any(record.platform.get("control") for record in results.records):
        raise NotComparable(f"{path}: a baseline is of programs that ptrace controlled")
    _must_be_good(path, results.records)
    (root / FOLDER).mkdir(exist_ok=True)
    for platform, records in by_platform(results.records).items():
        path_of(platform, root).write_text(Baseline.of(platform, records).text(), encoding="utf-8")
        print(f"{FOLDER}/{platform}.json: {len(records)} cases")
    return 0


def _must_be_good(path: Path, records: Sequence[Record]) -> None:
    red = [record for record in records if record.verdict in (Verdict.FAILED, Verdict.BROKEN)]
    if red:
        listed = "\n".join(f"  {record.verdict} {record.on} {record.case}" for record in red)
        raise NotComparable(
            f"{path}: what is red is no baseline: mend it, or say why it differs:\n{listed}"
        )
