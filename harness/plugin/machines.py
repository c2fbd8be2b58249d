"""`--platform`: plans the platforms, brings their workers in, and tells how they fared."""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from ..files import anonymous_file
from ..platform.plan import Asked, CannotStart, Plan, UnknownPlatform, asked, named_apart, plan
from ..platform.posting import Posting
from ..platform.trouble import Trouble
from .hook import hook
from .recorder import Recorder
from .session import PlatformSession

_NOT_WHOLE = 2
"""The exit status when a platform is unknown, or could not do all."""


class Platforms:
    """The platforms of a run."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._recorder = recorder
        self._logs: dict[str, IO[bytes]] = {}
        """What each worker's platform says, in memory, so that nothing is left behind."""
        self._refused: dict[str, Trouble] = {}
        self._plans = named_apart(self._plan(config))
        if not self._plans:
            why = "\n".join(
                f"  {name}: {trouble.reason}" for name, trouble in self._refused.items()
            )
            pytest.exit(f"sockspec: no platform can start:\n{why}", returncode=_NOT_WHOLE)
        recorder.platforms = [*(each.name for each in self._plans), *self._refused]
        self._postings: dict[str, Posting] = {}
        config.option.tx = [spec for plan in self._plans for spec in self._specs(plan)]
        self._session = PlatformSession(
            config, self._postings, {name: _path(log) for name, log in self._logs.items()}
        )
        config.pluginmanager.register(self._session, "dsession")

    def _plan(self, config: pytest.Config) -> list[Plan]:
        """What can start; why the others cannot is kept."""
        try:
            wanted = asked(config.getoption("platform"))
        except UnknownPlatform as error:
            pytest.exit(f"sockspec: --platform: {error}", returncode=_NOT_WHOLE)
        return [found for each in wanted if (found := self._plan_one(each))]

    def _plan_one(self, wanted: Asked) -> Plan | None:
        try:
            return plan(wanted)
        except CannotStart as error:
            self._refused[wanted.label] = Trouble(f"it could not start: {error}")
            return None

    def _specs(self, plan: Plan) -> list[str]:
        """What execnet is told of each of its workers."""
        specs = []
        for number in range(plan.asked.workers):
            identity = plan.identity(number)
            self._postings[identity] = plan.posting(number)
            command = plan.command_of(number)
            python = shlex.join(self._launched(plan, identity, command)) if command else ""
            specs.append(f"popen//id={identity}" + (f"//python={python}" if python else ""))
        return specs

    def _launched(self, plan: Plan, identity: str, command: Sequence[str]) -> list[str]:
        root = Path(__file__).resolve().parent.parent.parent
        log = self._logs.setdefault(identity, anonymous_file(identity))
        module = f"{__name__.partition('.')[0]}.{plan.module}"
        launch = ["env", f"PYTHONPATH={root}", sys.executable, "-m", module]
        return [*launch, os.fspath(_path(log)), f"{plan.boot:g}", *command]

    @hook(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A run that lacks a platform, or part of one, is no success."""
        if self._troubles():
            session.exitstatus = _NOT_WHOLE

    def pytest_unconfigure(self) -> None:
        """Nothing stays behind."""
        for log in self._logs.values():
            log.close()

    def _troubles(self) -> dict[str, Trouble]:
        return {**self._refused, **self._session.troubles}

    @hook(tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How each platform fared."""
        terminalreporter.write_sep("=", "PLATFORMS")
        for each in self._plans:
            records = [r for r in self._recorder.records if r.platform.get("asked") == each.label]
            counts = Counter(str(record.verdict) for record in records)
            told = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
            terminalreporter.write_line(f"{each.label + ':':<24} {told or 'no case'}")
        for name, trouble in self._troubles().items():
            terminalreporter.write_line(f"{name}: {trouble.reason}", red=True)
            for line in trouble.tail:
                terminalreporter.write_line(f"  | {line}")


def _path(log: IO[bytes]) -> Path:
    """Where other processes find a file in memory of this one."""
    return Path(f"/proc/{os.getpid()}/fd/{log.fileno()}")
