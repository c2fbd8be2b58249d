"""The pytest plugin: the lab fixture, verdicts, cases that run beside the others, records and reports.

The only package that knows pytest. What pytest asks of every process is in the modules named here; what is told of cases, in
the first process alone, is in classes that are registered when pytest starts.
"""

import os
from typing import TYPE_CHECKING

import pytest

from ..build import PROGRAMS
from ..children import die_with_parent
from ..control.birth import NAMESPACES, PTRACE
from ..platform import identity, posting
from ..platform.posting import Posting
from . import assertions, expected, options, several
from .beside import Beside, Lost
from .expected import Collected
from .junit import Junit
from .preparation import Preparation
from .recorder import Recorder
from .reporting import Reporting
from .shown import Between, Sections
from .workers import is_worker

if TYPE_CHECKING:
    from .falsifying import Falsifying
    from .gate import Gate

pytest_plugins = [
    f"{__name__}.{module}"
    for module in (
        "assertions",
        "collection",
        "check_items",
        "listing",
        "labs",
        "verdicts",
        "shown",
        "several",
    )
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds sockspec's options."""
    options.add(parser.getgroup("sockspec"))


def pytest_configure(config: pytest.Config) -> None:
    """Registers the parts: in every process those that run cases, in the first one those that tell of them."""
    for marker in options.MARKERS:
        config.addinivalue_line("markers", marker)
    where = posting.of(config)
    if (control := config.getoption("control")) != PTRACE:
        identity.controlled(control)
    if (isolation := config.getoption("isolation")) != NAMESPACES:
        identity.isolated(isolation)
    if programs := where.programs or config.getoption("programs"):
        os.environ[PROGRAMS] = programs  # workers, and whatever else asks for the build
    if wrong := options.contradiction(config):
        raise pytest.UsageError(f"sockspec: {wrong}")
    falsifying = _falsifying(config) if config.getoption("falsify") else None
    if not falsifying:
        assertions.enable(config)  # looks at whatever is compared
    expected.load(config)
    collected = Collected(config)
    parts: list[object] = [Beside(config, falsifying), collected]
    parts += [falsifying] if falsifying else []
    if is_worker(config):
        # The first process may be killed without a chance to tell us.
        die_with_parent(os.getppid())
        if where.asked:
            _be_patient(config, where)
            identity.post(where.asked, where.name)
    else:
        recorder = Recorder(config, collected)
        shown = Sections(config, recorder)
        gate = _gate(config, collected, recorder) if config.getoption("baseline") else None
        parts += [gate] if gate else []
        parts += [Preparation(config), recorder, shown, Between(shown), Junit(config)]
        parts.append(Reporting(config, recorder, gate))
        parts += [_falsified(config)] if falsifying else []
        parts += [] if several.is_wanted(config) else [Lost()]
    for part in parts:
        config.pluginmanager.register(part, f"sockspec-{type(part).__name__.lower()}")


# What few runs ask for is imported when it is asked for.


def _falsifying(config: pytest.Config) -> "Falsifying":
    from .falsifying import Falsifying

    return Falsifying(config)


def _falsified(config: pytest.Config) -> object:
    from .falsified import Falsified

    return Falsified(config)


def _gate(config: pytest.Config, collected: Collected, recorder: Recorder) -> "Gate":
    from .gate import Gate

    return Gate(config, collected, recorder)


def _be_patient(config: pytest.Config, where: Posting) -> None:
    """pytest-timeout knows nothing of slow platforms, and where time is fast the children's limit serves."""
    usual = float(config.getoption("timeout", None) or config.getini("timeout") or 0)
    config.option.timeout = 0 if where.fast_time else usual * where.slowness
