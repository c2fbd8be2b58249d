"""JUnit's file names the platform of each case."""

from typing import Any

import pytest
from _pytest.junitxml import mangle_test_address, xml_key

from ..platform import posting
from .hook import hook


class Junit:
    """Puts the platform into the file that pytest writes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @hook(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A property each, and where there are several platforms a class of its own, so that no two have one name."""
        xml: Any = self._config.stash.get(xml_key, None)
        if xml is None:
            return
        where = posting.of(getattr(report, "node", None))
        if where.asked:
            classes = mangle_test_address(report.nodeid)[:-1]
            xml.node_reporter(report).attrs["classname"] = ".".join([where.name, *classes])
        if report.when == "teardown":
            told = ("platform", where.platform)
            report.user_properties = [*report.user_properties, told]
