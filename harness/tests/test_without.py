"""The second ways: what the conductor does on a kernel that lacks something, tried on one that has it all."""

from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT

import pytest

from harness import (
    CLOSE_WAIT,
    EADDRINUSE,
    ESTABLISHED,
    FIN_WAIT2,
    LISTEN,
    TIME_WAIT,
    Lab,
    Unsupported,
    entering,
    exited,
    killed_by,
    leaving,
)
from harness.build import current
from harness.control.relay import Relay
from harness.lab.lab import Settings

HERE = current()
WAYS = {
    "registers": "syscall-info",
    "traced to the end": "pidfd",
    "memory as a file": "vm-read",
    "state for call": "sleeping-call",
    "proc for sock_diag": "sock-diag",
    "frames one by one": "capture-ring",
    "hangup by looking": "hangup",
    "a root of its own": "mount-namespaces",
    "nudged": "wake-stopped",
}
WAYS["all at once"] = ",".join(WAYS.values())


def lab_without(names: str, folder: Path) -> Iterator[Lab]:
    """A lab whose conductor takes what is named for missing."""
    wrapper = folder / "conductor"
    wrapper.write_text(f'#!/bin/sh\nexec "{HERE.conductor}" "$@" --without {names}\n')
    wrapper.chmod(0o755)
    relay = Relay(wrapper, None, ahead=0)
    lab = Lab(Settings(HERE.folder, sanitized=HERE.sanitized), relay)
    assert lab.about.lacks >= set(names.split(","))
    yield lab
    lab.close()
    relay.close()


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def poor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """A lab that has to go the second way."""
    yield from lab_without(request.param, tmp_path)


def test_holding_and_killing_at_a_moment_are_the_same(poor: Lab) -> None:
    """The binding error, with all that it takes: moments, a kill, states, segments."""
    server = poor.start("reuseadr_eserver", poor.port).reach(entering("accept"))
    client = poor.start("echo_client", poor.address, poor.port).reach(leaving("connect"))
    server.reach(leaving("accept"))
    assert server.kill(SIGINT) == killed_by(SIGINT)
    poor.awaits(local=poor.port, state=FIN_WAIT2)
    assert poor.states(remote=poor.port) == [CLOSE_WAIT]
    client.run().end_input().ended()
    assert poor.states(local=poor.port) == [TIME_WAIT]
    assert poor.start("reuseadr_eserver", poor.port).outcome("bind") == EADDRINUSE
    assert [str(segment.flags) for segment in poor.segments()][:3] == ["SYN", "SYN ACK", "ACK"]


def test_a_call_is_not_made_when_its_errno_is_injected(poor: Lab) -> None:
    """The exit of a call that was skipped is told as of any other."""
    server = poor.start("echo_mpserv", poor.port)
    server.inject(entering("listen"), EADDRINUSE)
    assert server.outcome("listen") == EADDRINUSE
    assert server.run().ended() != exited(0)
    assert poor.states(local=poor.port, state=LISTEN) == []


def test_a_sleeper_and_a_listener_are_known(poor: Lab) -> None:
    """Which call a process sleeps in, and what its descriptors are."""
    server = poor.start("echo_mpserv", poor.port).reach(entering("accept"))
    server.run().blocked("accept")
    client = poor.start("echo_client", poor.address, poor.port).reach(leaving("connect"))
    poor.awaits(local=poor.port, state=ESTABLISHED)
    assert "listening" in [str(descriptor.kind) for descriptor in server.descriptors()]
    assert "connection" in [str(descriptor.kind) for descriptor in client.descriptors()]


@pytest.mark.parametrize(
    "lacks, reason", [("setns", "no host but the first"), ("veth", "no wires")]
)
def test_what_has_no_second_way_is_unsupported(lacks: str, reason: str, tmp_path: Path) -> None:
    """Just what needs it is, and says why."""
    for lab in lab_without(lacks, tmp_path):
        with pytest.raises(Unsupported, match=f"{reason}: this kernel "):
            lab.join("client", "server")
        assert lab.start("echo_mpserv", lab.port).reach(entering("accept")).state == "held"


@pytest.mark.parametrize("lacks", ["sock-diag,orphans", "sock-diag,queued"])
def test_a_list_that_may_not_be_whole_is_unsupported(lacks: str, tmp_path: Path) -> None:
    """It is whole till a connection waits for accept, or has been let go of."""
    for lab in lab_without(lacks, tmp_path):
        lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
        assert lab.states(local=lab.port) == [LISTEN]
        client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
        client.kill()
        with pytest.raises(Unsupported, match="this kernel does not tell of"):
            lab.states(local=lab.port)


def test_awaiting_a_timer_that_is_not_told_is_unsupported(tmp_path: Path) -> None:
    """At once, not when the deadline has passed."""
    for lab in lab_without("timers", tmp_path):
        with pytest.raises(Unsupported, match="timer: this kernel does not tell"):
            lab.awaits(timer="keepalive", deadline=3600)
