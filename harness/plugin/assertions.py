"""What the assertions of a case saw: those that held, and the one that did not."""

from dataclasses import replace
from typing import Any

import pytest
from _pytest.assertion import rewrite

from ..seen import Seen
from .hook import hook
from .labs import LAB

_SEEN = pytest.StashKey[list[Seen]]()
_COMPARED = pytest.StashKey[Seen]()
"""Of the assertion that is just being told of."""
_TAIL = ".sockspec"


def enable(config: pytest.Config) -> None:
    """Has pytest tell of assertions that hold, too, as its option enable_assertion_pass_hook does."""
    getattr(config, "_inicache", {})["enable_assertion_pass_hook"] = True
    # What was compiled without it is kept apart: pytest knows its own by their names alone.
    tail = getattr(rewrite, "PYC_TAIL", _TAIL)
    if not tail.startswith(_TAIL):
        setattr(rewrite, "PYC_TAIL", _TAIL + tail)


@hook(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begins anew."""
    seen: list[Seen] = []
    item.stash[_SEEN] = seen
    _take_compared(item.config)


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> None:
    """Notes what a comparison saw; how it is shown is left to others."""
    config.stash[_COMPARED] = Seen.compared(op, left, right)


def pytest_assertion_pass(item: pytest.Item, orig: str) -> None:
    """Notes an assertion that held."""
    _add(item, orig, True)


def seen_in(item: pytest.Item, call: pytest.CallInfo[None]) -> list[Seen]:
    """What the assertions of a case saw, after its call."""
    if not isinstance(item, pytest.Function):
        return _observed(item, call)
    if call.when == "call" and call.excinfo and isinstance(call.excinfo.value, AssertionError):
        _add(item, _statement(item, call.excinfo), False)
    return item.stash.get(_SEEN, [])


def _observed(item: pytest.Item, call: pytest.CallInfo[None]) -> list[Seen]:
    """Of a case in C: what it handed over; it is at the last when a claim is false."""
    lab = item.stash.get(LAB, None)
    seen = [Seen.observed(each) for each in lab.observations] if lab else []
    if seen and call.excinfo and isinstance(call.excinfo.value, AssertionError):
        seen[-1] = replace(seen[-1], holds=False)
    return seen


def _add(item: pytest.Item, text: str, holds: bool) -> None:
    seen = _take_compared(item.config) or Seen.told(holds)
    what = " ".join(text.split()).removeprefix("assert ")
    item.stash[_SEEN].append(seen.of(what, holds))


def _take_compared(config: pytest.Config) -> Seen | None:
    seen = config.stash.get(_COMPARED, None)
    if seen is not None:
        del config.stash[_COMPARED]
    return seen


def _statement(item: pytest.Item, excinfo: Any) -> str:
    """The assertion that failed, as the case writes it."""
    entries = [entry for entry in excinfo.traceback if str(entry.path) == str(item.path)]
    return str(entries[-1].statement) if entries else ""
