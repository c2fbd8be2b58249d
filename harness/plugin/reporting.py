"""Results for other tools, where they were asked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .. import build
from ..reports import formats
from .hook import hook
from .recorder import Recorder, spoil

if TYPE_CHECKING:
    from .gate import Gate


class Reporting:
    """Writes them when all is over."""

    def __init__(self, config: pytest.Config, recorder: Recorder, gate: "Gate | None") -> None:
        self._config = config
        self._recorder = recorder
        self._gate = gate

    @hook(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the TAP file."""
        if (path := self._config.getoption("tap")) is None:
            return
        try:
            Path(path).write_text(formats.tap(self._recorder.records), encoding="utf-8")
        except OSError as error:
            self._recorder.troubles.append(f"--tap={path}: {error.strerror}")
            spoil(session, pytest.ExitCode.INTERNAL_ERROR)

    @hook(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the annotations."""
        if self._config.getoption("annotations") == "github":
            root = build.current().root
            troubles = [*self._recorder.troubles, *(self._gate.told if self._gate else ())]
            for line in formats.github(self._recorder.records, troubles, root):
                terminalreporter.write_line(line)
