"""Programs that misbehave: the verb says what came instead, and the lab ends at once and leaves nothing."""

import errno
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import Broken, Lab, Process, Stream, exited, killed_by
from harness.build import current
from harness.control.relay import Relay
from harness.lab.lab import Settings
from harness.tests import traces

HERE = current()
SOON = 0.3
"""Seconds in which what is not to come does not come."""
FILLS = 60
"""Seconds in which a lab is full, however slow the machine."""
TEARDOWN = 1.0
EACH = 0.001
"""Seconds that a process more may add to the end of its lab."""
MEGABYTE = 1 << 20


class Stage:
    """A lab for a misbehaving program."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def start(self, program: str | Path, *args: object, stdout: Stream = Stream.FILE) -> Process:
        """Starts one of the misbehaving programs."""
        return self.lab.start(programs() / program, *args, stdout=stdout)


def programs() -> Path:
    """Where they are."""
    return HERE.folder / "tests" / "programs"


@pytest.fixture
def stage() -> Iterator[Stage]:
    """In the end looks how long the lab takes to end, and that nothing of it is left."""
    before = {seen.pid for seen in traces.below(os.getpid())}
    relay = Relay(HERE.conductor, None, ahead=0)
    lab = Lab(Settings(HERE.folder, sanitized=HERE.sanitized), relay)
    try:
        yield Stage(lab)
        seen = [s for s in traces.below(os.getpid()) if s.pid not in before]
        inside = [s for s in seen if s.name != "conductor"]
        spaces = traces.Namespaces(seen)
        began = time.monotonic()
        lab.close()
        seconds = time.monotonic() - began
        assert [s for s in inside if s.there] == []
    finally:
        lab.close()
        relay.close()
    with spaces:
        assert [s for s in seen if s.there] == []
        assert spaces.users() == {}
    assert seconds < TEARDOWN + len(inside) * EACH or HERE.sanitized


def test_one_that_forks_for_ever_fills_the_lab_and_not_the_machine(stage: Stage) -> None:
    """Fork fails when the lab is full; the verb says so, and names the first of many processes."""
    bomb = stage.start("forks_for_ever")
    for _ in range(FILLS):
        with pytest.raises(Broken, match="the deadline passed") as e:
            bomb.ended(deadline=1)
        if "the lab was full, and fork gave EAGAIN" in str(e.value):
            break
    else:
        pytest.fail(f"it was not full after {FILLS} s: {e.value}")
    assert "1 forks_for_ever, running" in str(e.value)
    assert str(e.value).count("\n") < 50 and " more" in str(e.value)
    assert 1000 < len(stage.lab.processes()) < 3000


def test_one_that_ignores_every_signal_is_named_and_killed(stage: Stage) -> None:
    """What can be ignored is ignored, and the verb says what it does instead of dying."""
    deaf = stage.start("ignores_signals").prints("ignoring\n").blocked("pause")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        with pytest.raises(Broken, match="awaited the death of process 1.*\n.*running, in pause"):
            deaf.kill(number, deadline=SOON)
    second = stage.start("ignores_signals").prints("ignoring\n")
    assert second.kill() == killed_by(signal.SIGKILL)


def test_all_of_100_megabytes_arrives(stage: Stage) -> None:
    """In a file; nobody need read it meanwhile."""
    printer = stage.start("prints", 100 * MEGABYTE)
    assert printer.ended(deadline=60) == exited(0)
    assert printer.output == "x" * (100 * MEGABYTE)


def test_one_that_prints_for_ever_ends_at_the_limit_of_its_file(stage: Stage) -> None:
    """By SIGXFSZ, and who had waited for something else is told why."""
    assert stage.start("prints").ended(deadline=60) == killed_by(signal.SIGXFSZ)
    with pytest.raises(Broken, match="SIGXFSZ, it wrote more into one file than its limit fsize"):
        stage.start("prints").blocked("pause", deadline=60)


def test_the_limit_of_files_can_be_chosen(stage: Stage) -> None:
    """Like any other."""
    program = programs() / "prints"
    small = stage.lab.start(program, limits={"fsize": 1000})
    assert small.ended() == killed_by(signal.SIGXFSZ)
    assert small.output == "x" * 1000


@pytest.mark.parametrize("stream", [Stream.PIPE, Stream.PTY])
def test_one_that_prints_for_ever_where_nobody_reads_sleeps(stage: Stage, stream: Stream) -> None:
    """As it would anywhere."""
    printer = stage.start("prints", stdout=stream).blocked("write")
    with pytest.raises(Broken, match="running, in write"):
        printer.ended(deadline=SOON)


def test_one_that_closes_its_streams_neither_reads_nor_prints(stage: Stage) -> None:
    """And the verbs say so."""
    silent = stage.start("closes_streams", stdout=Stream.PIPE)
    with pytest.raises(Broken, match="did not print 'x' but ''.*\n.*running, in pause"):
        silent.prints("x", deadline=SOON)
    with pytest.raises(Broken, match="the program has closed its standard input"):
        silent.input("x").blocked("pause")


def test_one_that_stops_itself_is_called_stopped(stage: Stage) -> None:
    """Till it is continued; and the lab of one that stays stopped ends like any other."""
    stopper = stage.start("stops_itself")
    with pytest.raises(Broken, match="1 stops_itself, stopped"):
        stopper.ended(deadline=SOON)
    assert stopper.kernel_state == "T"
    assert stopper.signal(signal.SIGCONT).ended() == exited(0)
    assert stopper.output == "going on\n"
    with pytest.raises(Broken, match="2 stops_itself, stopped"):
        stage.start("stops_itself").ended(deadline=SOON)


def test_a_daemon_stays_in_the_lab(stage: Stage) -> None:
    """Two forks and a session lead nowhere else: it is known, and can be driven and killed."""
    first = stage.start("daemonizes")
    assert first.ended() == exited(0)
    [second] = first.children
    assert second.ended() == exited(0)
    daemon = second.child().blocked("pause")
    assert first.output == "daemon\n"
    assert daemon.state == "running"


def test_what_is_in_a_pid_namespace_of_its_own_stays_in_the_lab(stage: Stage) -> None:
    """Its init is a process like others, with a pid of the lab's."""
    outer = stage.start("unshares_pids").blocked("pause")
    init = outer.child().blocked("pause")
    assert outer.output == "init\n"
    assert init.pid != 1
    assert init.kill() == killed_by(signal.SIGKILL)


def test_one_that_asks_to_be_traced_is_refused(stage: Stage) -> None:
    """Only one can trace; programs that find out that they are traced do so here too."""
    curious = stage.start("traces_itself")
    assert curious.ended() == exited(0)
    assert curious.output == f"{errno.EPERM}\n"


@pytest.mark.parametrize("pid", [1, -1])
def test_one_that_kills_whom_it_can_does_not_reach_the_conductor(stage: Stage, pid: int) -> None:
    """Init is immune to signals from inside; all the others are not."""
    other = stage.start("ignores_signals").prints("ignoring\n").run()
    killer = stage.start("kills", pid).prints("0\n")
    if pid == -1:
        assert other.ended() == killed_by(signal.SIGKILL)
    else:
        assert other.blocked("pause").state == "running"
    assert killer.run().blocked("pause").state == "running"


def test_one_that_deletes_its_own_file_goes_on(stage: Stage, tmp_path: Path) -> None:
    """A second one cannot be started, and the verb names the file."""
    path = Path(shutil.copy(programs() / "deletes_itself", tmp_path))
    process = stage.start(path).prints("deleted\n").run().blocked("pause")
    assert process.name == "deletes_itself"
    with pytest.raises(Broken, match=f"there is no file {path}"):
        stage.start(path)
