"""The page of what falsifying found, docs/falsified.md: by file of cases, and what was declared, by reason."""

from collections.abc import Iterator, Sequence

from .report import Finding, Total

PAGE = "docs/falsified.md"
_HEAD = """\
# Can the cases fail?

Written by `make falsify`: each case was run again, once for each thing that it relied on, with that thing changed: for a case
in C a call that is not made and gives something else, for one in Python an outcome, a state, an exit, an output, a segment.
A change that no assertion notices is a blind spot; what cannot matter is declared in `cases/falsify.toml`, at most 5 % of all.
"""


def markdown(total: Total) -> str:
    """The page."""
    return "\n".join([_HEAD, *_sums(total), "", *_by_file(total.findings), ""])


def _sums(total: Total) -> Iterator[str]:
    noticed = sum(finding.noticed for finding in total.findings)
    declared = total.reasons.total()
    share = 100 * declared / total.tried if total.tried else 0
    yield (
        f"{len(total.findings):,} cases, {total.tried:,} changes: {noticed:,} noticed, {declared:,} declared "
        f"({share:.1f} %), {total.blind:,} blind spots."
    )
    yield from ("", "| declared | reason |", "|--:|---|")
    for reason, count in total.reasons.most_common():
        yield f"| {count:,} | {reason} |"


def _by_file(findings: Sequence[Finding]) -> Iterator[str]:
    files: dict[str, list[Finding]] = {}
    for finding in findings:
        files.setdefault(finding.case.partition("::")[0], []).append(finding)
    yield from (
        "| file | cases | changes | noticed | declared | blind |",
        "|---|--:|--:|--:|--:|--:|",
    )
    for file, of_file in sorted(files.items()):
        sums = [len(of_file)] + [
            sum(each)
            for each in zip(*((f.tried, f.noticed, len(f.declared), len(f.blind)) for f in of_file))
        ]
        yield f"| {file} | {' | '.join(f'{n:,}' for n in sums)} |"
