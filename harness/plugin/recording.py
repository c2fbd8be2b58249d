"""Records of cases, made from pytest's items. Knows of pytest only the objects that it is given."""

from typing import Any

from .. import build
from ..platform import identity
from ..platform.posting import Posting
from ..records import results
from ..records.results import Claim, Record
from ..verdict import Verdict


def words(item: Any, marker: str) -> list[str]:
    """What an item's markers of that name say."""
    return [str(word) for mark in item.iter_markers(marker) for word in mark.args]


def of_item(item: Any, verdict: Verdict, message: str) -> Record:
    """The record of a case."""
    claim = Claim.of(getattr(getattr(item, "obj", None), "__doc__", None))
    mode = build.current().mode
    platform = identity.here().record()
    return Record(
        case=item.nodeid,
        verdict=verdict,
        message=message,
        claim=claim.text,
        sources=claim.sources,
        about=words(item, "about"),
        behaviour=words(item, "behaviour"),
        scenario=words(item, "scenario"),
        platform=platform,
        mode=mode,
        replay=results.replay(item.nodeid, bool(item.get_closest_marker("slow")), mode, platform),
    )


def of_crash(case: str, message: str, where: Posting) -> Record:
    """The record of a case that no process lived to give.

    Args:
        where: it was to run.
    """
    posted = {"name": where.name, "asked": where.asked}
    platform = posted if where.asked else identity.here().record()
    mode = build.current().mode
    return Record(
        case,
        Verdict.BROKEN,
        message,
        platform=platform,
        mode=mode,
        replay=results.replay(case, False, mode, platform),
    )
