"""What is collected, and in which order it runs."""

from pathlib import Path

import pytest

from ..recording import words
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
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow and not config.getoption("slow"):
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    order = ("slow", "waits")
    return next((n for n, name in enumerate(order) if item.get_closest_marker(name)), len(order))
