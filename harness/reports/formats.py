"""Results for other tools: TAP, and annotations of a hosted CI."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..records.results import Record
from ..verdict import Verdict

_DIRECTIVES = {Verdict.UNSUPPORTED: "SKIP", Verdict.DIVERGES: "TODO diverges:"}
_RED = (Verdict.FAILED, Verdict.BROKEN)


def tap(records: Sequence[Record]) -> str:
    """The results by the Test Anything Protocol, version 13; a divergence is a failure that is expected there."""
    lines = ["TAP version 13", f"1..{len(records)}"]
    for number, record in enumerate(records, 1):
        good = record.verdict in (Verdict.PASSED, Verdict.UNSUPPORTED)
        name = f"{record.case} on {record.on}".replace("#", "\\#")
        lines.append(f"{'ok' if good else 'not ok'} {number} - {name}{_directive(record)}")
        if record.verdict in _RED:
            said = [f"    {line}" for line in record.message.splitlines()]
            lines += ["  ---", f"  verdict: {record.verdict}", "  message: |", *said, "  ..."]
    return "\n".join(lines) + "\n"


def _directive(record: Record) -> str:
    word = _DIRECTIVES.get(record.verdict)
    return f" # {word} {' '.join(record.message.split())}" if word else ""


def github(records: Sequence[Record], troubles: Sequence[str], root: Path) -> Iterator[str]:
    """Annotations as GitHub's workflows take them: an error for what is red, a notice for what diverges.

    Args:
        troubles: that are red and of no case.
        root: of the checkout, where the cases' lines are looked up.
    """
    for record in records:
        level = "error" if record.verdict in _RED else "notice"
        if level == "error" or record.verdict is Verdict.DIVERGES:
            title = f"{record.verdict} on {record.on}: {record.claim or record.case}"
            text = "\n".join(filter(None, (record.message, record.replay)))
            yield f"::{level} {_place(record, root)},title={_property(title)}::{_data(text)}"
    for trouble in troubles:
        yield f"::error title=sockspec::{_data(trouble)}"


def _place(record: Record, root: Path) -> str:
    file, _, name = record.case.partition("::")
    function = re.escape(name.partition("[")[0].rpartition("::")[2])
    try:
        lines = (root / file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"file={_property(file)}"
    there = (n for n, line in enumerate(lines, 1) if re.search(rf"\b{function}\b", line))
    return f"file={_property(file)},line={next(there, 1)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
