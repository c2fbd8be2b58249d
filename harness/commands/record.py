"""Record what a whole run gave as the baselines of its platforms."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..build import current
from ..records.baseline import FOLDER, Baseline, path_of
from ..records.results import NotComparable, Record, Results, by_platform, newest
from ..verdict import Verdict


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument(
        "--update",
        action="store_true",
        help="take the cases of a run of some into the baselines, and leave the others there as they are",
    )
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
    if not arguments.update and (results.end is None or not results.end.everything):
        raise NotComparable(
            f"{path}: some cases were left out: run all of them: pytest --slow cases; "
            "or take these into what is recorded: record --update"
        )
    if any(record.platform.get("control") for record in results.records):
        raise NotComparable(f"{path}: a baseline is of programs that ptrace controlled")
    _must_be_good(path, results.records)
    (root / FOLDER).mkdir(exist_ok=True)
    new = {name: Baseline.of(name, same) for name, same in by_platform(results.records).items()}
    for platform, baseline in new.items():
        if arguments.update:
            old = Baseline.load(path_of(platform, root))
            new[platform] = Baseline(platform, {**old.cases, **baseline.cases})
        else:
            _must_lose_nothing(path, baseline, path_of(platform, root))
    for platform, baseline in new.items():
        path_of(platform, root).write_text(baseline.text(), encoding="utf-8")
        print(f"{FOLDER}/{platform}.json: {len(baseline.cases)} cases")
    return 0


def _must_lose_nothing(path: Path, new: Baseline, there: Path) -> None:
    """One variant of each claim is a baseline where there is none, and does not take the place of all."""
    try:
        old = Baseline.load(there)
    except NotComparable:  # it is missing, or damaged
        return
    claims = {_claim(case) for case in new.cases}
    lost = [case for case in old.cases if case not in new.cases and _claim(case) in claims]
    if lost:
        raise NotComparable(
            f"{path}: lacks {len(lost)} variants that {there.name} has, {lost[0]} for one: run all of them, "
            "or, if they were taken away, remove the file first"
        )


def _claim(case: str) -> str:
    return case.partition("[")[0]


def _must_be_good(path: Path, records: Sequence[Record]) -> None:
    red = [record for record in records if record.verdict in (Verdict.FAILED, Verdict.BROKEN)]
    if red:
        listed = "\n".join(f"  {record.verdict} {record.on} {record.case}" for record in red)
        raise NotComparable(
            f"{path}: what is red is no baseline: mend it, or say why it differs:\n{listed}"
        )
