"""Whether cases go to several platforms."""

from typing import Any

import pytest

from .hook import hook
from .workers import is_worker


def is_wanted(config: pytest.Config) -> bool:
    """Whether cases go to platforms that were asked for, and this is the process that sends them there."""
    wanted = config.getoption("platform") and not config.getoption("collectonly")
    return bool(wanted) and not is_worker(config)


@hook(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Brings the platforms in, when pytest's own parts are there."""
    if is_wanted(config):
        # Most runs want none, and have no time for what it takes to start them.
        from .machines import Platforms

        recorder: Any = config.pluginmanager.getplugin("sockspec-recorder")
        config.pluginmanager.register(Platforms(config, recorder), "sockspec-platforms")
