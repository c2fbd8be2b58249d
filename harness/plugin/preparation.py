"""Before the first case."""

from typing import Any

import pytest

from .. import build
from ..control.conductor import ConductorFailed
from ..platform import identity
from ..platform.abi import NoEmulator, launcher
from .hook import hook
from .labs import relay_of


class Preparation:
    """Brings the build up to date and looks once whether labs can be made at all."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @hook(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Stops everything with one message when no case could run."""
        if self._config.getoption("collectonly"):
            return
        here = build.current()
        try:
            here.bring_up_to_date(self._say)
            launcher(here.abi)
            if here.conductor.exists() and self._runs_cases_here():
                relay_of(self._config).begin()  # gets ready while cases are collected
        except (build.BuildFailed, NoEmulator, ConductorFailed) as error:
            raise pytest.UsageError(f"sockspec: {error}") from None

    @hook(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """The same, when no lab can be made."""
        if self._config.getoption("collectonly") or not build.current().conductor.exists():
            return
        if self._runs_cases_here():
            relay = relay_of(self._config)
            try:
                relay.retire(relay.take())
            except ConductorFailed as error:
                raise pytest.UsageError(f"sockspec: {error}") from None

    def _runs_cases_here(self) -> bool:
        wanted = self._config.getoption("platform")
        if not wanted:
            return True
        from ..platform import plan  # see several.py

        return any(each.label == plan.HERE for each in plan.asked(wanted))

    def _say(self, text: str) -> None:
        terminal: Any = self._config.pluginmanager.getplugin("terminalreporter")
        if terminal is not None:
            terminal.write_line(f"sockspec: {text}")

    def pytest_report_header(self) -> str:
        """Which platform and which build."""
        return f"sockspec: {identity.here().name}, {build.current().mode} build"
