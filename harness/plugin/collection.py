"""What is collected, and in which order it runs."""

from pathlib import Path

import pytest

from ..options import asks_fast_time
from ..platform import posting
from ..recording import words
from ..verdict import Unsupported
from .hook import hook


def is_case(config: pytest.Config, nodeid: str) -> bool:
    """Whether it is a case that runs, and not a test of the harness."""
    path = Path(nodeid.split("::", 1)[0])
    return path.parts[:1] == ("cases",) and not config.getoption("collectonly")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Lets -k find a case by what it is about."""
    item.extra_keyword_matches.update(
        words(item, "about"), words(item, "scenario"), words(item, "behaviour")
    )


@hook(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves the slow ones out, and brings what mostly sleeps to the front, so that it sleeps beside the others."""
    # All workers collect the same: where one has fast time the others say that they have not.
    if not asks_fast_time(config):
        _leave_out(config, items, "fast_time")
        if not config.getoption("slow"):
            _leave_out(config, items, "slow")
    items.sort(key=_turn)


def _leave_out(config: pytest.Config, items: list[pytest.Item], marker: str) -> None:
    out = [item for item in items if item.get_closest_marker(marker)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


@hook(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What takes long runs where time is fast, and the slow ones elsewhere when that is asked for."""
    if posting.of(item.config).fast_time:
        return
    if item.get_closest_marker("fast_time"):
        raise Unsupported("it takes many minutes, and idle time does not pass at once here")
    if item.get_closest_marker("slow") and not item.config.getoption("slow"):
        raise Unsupported(
            "it takes a minute, and neither does idle time pass at once here nor is --slow given"
        )


def _turn(item: pytest.Item) -> int:
    order = ("fast_time", "slow", "waits")
    return next((n for n, name in enumerate(order) if item.get_closest_marker(name)), len(order))
