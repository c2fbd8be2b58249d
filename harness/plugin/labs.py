"""The lab fixture, and where its conductors come from."""

import os
import sys
from collections.abc import Iterator

import pytest

from .. import build
from ..control.conductor import ConductorFailed
from ..control.relay import Relay
from ..lab.lab import Lab, Settings
from ..platform import abi, posting
from .hook import hook
from .workers import is_worker

LAB = pytest.StashKey[Lab]()
"""The lab of an item that has one."""
_RELAY = pytest.StashKey[Relay]()
_QUIET_RELAY = pytest.StashKey[Relay]()
_DEADLINE = 5.0
_DEADLINE_SANITIZED = 10.0


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab of the case's own, gone without trace when the case ends."""
    with Lab(settings_of(request.config), relay_of(request.config)) as lab:
        request.node.stash[LAB] = lab
        for mark in request.node.iter_markers("requires"):
            for privilege in mark.args:
                lab.needs(privilege)
        yield lab


def settings_of(config: pytest.Config) -> Settings:
    """What this run's labs are made with."""
    here = build.current()
    usual = _DEADLINE_SANITIZED if here.sanitized else _DEADLINE
    return Settings(
        programs=here.programs,
        launcher=abi.launcher(here.abi),
        deadline=(config.getoption("deadline") or usual) * posting.of(config).slowness,
        sanitized=here.sanitized,
    )


def relay_of(config: pytest.Config) -> Relay:
    """The one that this process takes its conductors from, made when first asked for."""
    return _relay(config, _RELAY, captures=True)


def quiet_relay_of(config: pytest.Config) -> Relay:
    """The same for conductors that capture no segments."""
    return _relay(config, _QUIET_RELAY, captures=False)


def _relay(config: pytest.Config, key: pytest.StashKey[Relay], captures: bool) -> Relay:
    relay = config.stash.get(key, None)
    if relay is None:
        relay = config.stash[key] = Relay(
            build.current().conductor,
            _cpu(config),
            captures=captures,
            slowness=posting.of(config).slowness,
            by=config.getoption("control"),
            isolation=config.getoption("isolation"),
        )
        os.register_at_fork(after_in_child=relay.forget)
    return relay


def _close_relays(config: pytest.Config) -> None:
    for key in (_RELAY, _QUIET_RELAY):
        if (relay := config.stash.get(key, None)) is not None:
            relay.close()


@hook(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing stays behind; a conductor that does not end in order is no success."""
    try:
        _close_relays(session.config)
    except ConductorFailed as error:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        print(f"sockspec: {error}", file=sys.stderr)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing stays behind where there was no session to finish."""
    _close_relays(config)


def _cpu(config: pytest.Config) -> int | None:
    """Workers share the processors out among them; a lone pytest leaves it to the conductor."""
    if not is_worker(config):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    if (where := posting.of(config)).asked:
        return allowed[where.number % len(allowed)]
    worker = str(getattr(config, "workerinput")["workerid"])
    number = int("".join(filter(str.isdigit, worker)) or 0)
    return allowed[number % len(allowed)]
