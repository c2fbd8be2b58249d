"""The evidence as files: the ladder as a picture, a page that says all there is, the capture."""

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..files import put_whole
from ..records.results import Record
from ..rendering import render
from ..trace.event import Event
from ..trace.frames import Frame
from . import words
from .evidence import Evidence
from .ladder_svg import NARROW, STYLE, WIDE, Legend, svg
from .pcapng import pcapng

LADDER, PAGE, CAPTURE = "ladder.svg", "case.html", "capture.pcapng"

_LONGEST = 200
"""Characters of a folder's name."""
_NO_NAME = re.compile(r"[^\w.,=+@\[\]-]+", re.ASCII)


def folder_name(case: str) -> str:
    """The name of a case's folder: its id, without what makes no file name.

    Two ids never share a name: where something else than the usual marks was lost, a digest tells them apart.
    """
    path, _, name = case.partition("::")
    plain = f"{path.removeprefix('cases/').removesuffix('.py').replace('/', '.')}.{name.replace('::', '.')}"
    cleaned = _NO_NAME.sub("_", plain)
    if cleaned == plain and len(cleaned) <= _LONGEST:
        return cleaned
    digest = hashlib.sha256(case.encode()).hexdigest()[:10]
    return f"{cleaned[: _LONGEST - len(digest) - 1]}.{digest}"


def write(folder: Path, record: Record, evidence: Evidence, began: datetime) -> list[Path]:
    """Writes the three files of a case into its folder of `folder`.

    Args:
        began: when the case ran.

    Returns:
        The files.

    Raises:
        OSError: the disk is full, the folder cannot be written.
    """
    own = folder / folder_name(record.case)
    own.mkdir(parents=True, exist_ok=True)
    ladder = evidence.ladder()
    foot = f"{record.platform.get('name', '?')} · {began:%Y-%m-%d %H:%M} · {record.case}"
    legend = Legend(record.claim, str(record.verdict), foot)
    contents = {
        LADDER: svg(ladder, WIDE, legend).encode(),
        PAGE: _page(record, evidence, began).encode(),
        CAPTURE: pcapng(evidence.captured),
    }
    for name, content in contents.items():
        put_whole(own / name, content)
    return [own / name for name in contents]


def _page(record: Record, evidence: Evidence, began: datetime) -> str:
    ladder = evidence.ladder()
    return render(
        PAGE,
        record=record,
        began=f"{began:%Y-%m-%d %H:%M:%S}",
        style=STYLE,
        wide=svg(ladder, WIDE, style=""),
        narrow=svg(ladder, NARROW, style=""),
        log=log(evidence),
        evidence=evidence,
        show=shlex.join(["tshark", "-r", CAPTURE]),
    )


@dataclass(frozen=True)
class Entry:
    """A line of the log."""

    seq: int
    ms: str
    who: str
    kind: str
    text: str


def log(evidence: Evidence) -> Sequence[Entry]:
    """Every event, one by one, nothing folded, in the order in which it was recorded."""
    names = {party.number: f"{party.number} {party.name}" for party in evidence.parties}
    flights = {frame.segment.seq: frame for frame in evidence.frames}
    events = sorted([*evidence.events, *evidence.captured], key=lambda event: event.seq)
    began = min((event.time for event in events), default=0)
    entries = []
    for event in events:
        if event.kind == "segment":
            frame = flights.get(event.seq)
            who = " ".join(filter(None, (event.host, event.wire)))
            text = _flight(frame) if frame else "no IP"
        else:
            who, text = names.get(event.process or 0, "?"), _text(event)
        ms = f"{(event.time - began) / 1e6:.3f}"
        entries.append(Entry(event.seq, ms, who, event.kind, text.strip()))
    return entries


def _flight(frame: Frame) -> str:
    fate = "" if frame.fate == "passed" else f" {frame.fate}"
    return f"{frame.words or frame.segment}{fate}"


def _text(event: Event) -> str:
    if event.kind == "enter":
        return words.entered(event)
    return words.whole(event) if event.kind == "leave" else words.other(event)


def listed(files: Sequence[Path], root: Path) -> tuple[str, ...]:
    """How a record names the files."""
    return tuple(str(p.relative_to(root) if p.is_relative_to(root) else p) for p in files)
