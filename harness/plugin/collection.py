"""What is collected, and in which order it runs."""

import gc
from collections.abc import Iterator

import pytest

from ..platform import posting
from ..verdict import Unsupported
from .hook import hook
from .options import asks_fast_time

LEFT_OUT = "it takes a minute or more: neither does idle time pass at once here nor is --slow given"
"""Why a slow case is unsupported that runs on another platform of the same run."""
_SAID = ("about", "scenario", "behaviour")
"""The markers by whose words -k finds a case."""
_TURNS = ("fast_time", "slow", "waits")
"""The markers of what mostly sleeps, longest first."""
_MARKED = pytest.StashKey[set[str]]()
"""The names of an item's markers: there are thousands of items, and to look for each marker anew takes its time."""


def is_case(config: pytest.Config, nodeid: str) -> bool:
    """Whether it is a case that runs, and not a test of the harness."""
    return nodeid.startswith("cases/") and not config.getoption("collectonly")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Lets -k find a case by what it is about."""
    marks = list(item.iter_markers())
    item.stash[_MARKED] = {mark.name for mark in marks}
    item.extra_keyword_matches.update(
        str(word) for mark in marks if mark.name in _SAID for word in mark.args
    )


@hook(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collects without the garbage collector, which finds nothing there and looks through thousands of items for it
    again and again: a quarter of the time."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


@hook(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the slow ones out, and brings what mostly sleeps to the front, so that it sleeps beside the others."""
    # Where one worker has fast time the others say that they have not.
    if not asks_fast_time(config) and not config.getoption("slow"):
        _keep(config, items, [item for item in items if not _is_slow(item)])
    if posting.of(config).fast_time:
        _keep(config, items, [item for item in items if _is_slow(item)])
    if config.getoption("variants") == "first":
        firsts = {item.nodeid.partition("[")[0]: item for item in reversed(items)}
        _keep(config, items, list(reversed(firsts.values())))
    items.sort(key=_turn)


def _keep(config: pytest.Config, items: list[pytest.Item], kept: list[pytest.Item]) -> None:
    if len(kept) < len(items):
        chosen = set(kept)
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = kept


def _is_slow(item: pytest.Item) -> bool:
    return not item.stash[_MARKED].isdisjoint(("slow", "fast_time"))


@hook(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What takes long runs where time is fast, and the slow ones elsewhere when that is asked for."""
    if posting.of(item.config).fast_time or not _is_slow(item):
        return
    if not item.config.getoption("slow"):
        raise Unsupported(LEFT_OUT)
    if item.get_closest_marker("fast_time"):
        raise Unsupported("it takes many minutes, and idle time does not pass at once here")


def _turn(item: pytest.Item) -> int:
    marked = item.stash[_MARKED]
    return next((n for n, name in enumerate(_TURNS) if name in marked), len(_TURNS))
