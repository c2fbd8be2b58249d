"""Conductors that are started ahead, forked by a server that the first of them made possible."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import build
from harness.control.conductor import ConductorFailed
from harness.control.relay import Relay

from harness.tests import traces

HERE = build.current()


@pytest.fixture
def relay() -> Iterator[Relay]:
    """One that keeps two started."""
    relay = Relay(HERE.conductor, None, ahead=2, captures=False)
    yield relay
    relay.close()


def _parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def _outer(relay: Relay) -> int:
    """The pid of a new conductor's first process, which has been seen off when this returns."""
    conductor = relay.take()
    pid = _parent(conductor.init())
    assert _parent(pid) == os.getpid()
    relay.retire(conductor)
    return pid


def test_each_lab_has_a_conductor_of_its_own_and_is_a_child_of_this_process(relay: Relay) -> None:
    """Whether it was executed, as the first one is, or forked."""
    assert len({_outer(relay) for _ in range(6)}) == 6


def test_nothing_is_left_of_what_was_started_ahead() -> None:
    """Neither those that nobody took, nor the server."""
    before = traces.below(os.getpid())
    relay = Relay(HERE.conductor, None, ahead=3, captures=False)
    relay.retire(relay.take())
    assert len(traces.below(os.getpid())) > len(before)
    relay.close()
    assert traces.below(os.getpid()) == before


def test_a_server_that_dies_is_told_of(relay: Relay) -> None:
    """Those that it has made go on; for the next one it is missed."""
    relay.retire(relay.take())
    assert relay.server
    server = relay.server.pid
    os.kill(server, signal.SIGKILL)
    os.waitid(os.P_PID, server, os.WEXITED | os.WNOWAIT)
    with pytest.raises(ConductorFailed, match="its fork server has ended"):
        for _ in range(3):
            relay.retire(relay.take())
