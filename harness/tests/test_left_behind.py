"""pytest is killed, or interrupted, at a moment of a case: nothing is left behind.

A library preloaded into the conductors makes one stand still after its k-th event; only then the signal is sent.
"""

import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.records import results
from harness.tests import traces
from harness.tests.checkouts import Checkout
from harness.tests.traces import Orphans

KILLS = 50
FEW = 5
COMES = 300.0
"""Seconds till pytest has come to the moment."""
GOES = 5.0
"""Seconds till what a killed pytest had started is gone."""

# One process runs at a time, so that the number of events is the same each time.
FORKS = '''
    @pytest.mark.{marker}
    def test_forks(lab: Lab) -> None:
        """A server forks a child for each of two clients, which come, talk and go."""
        server = lab.start("tcpserv04", lab.port).reach(entering("accept"))
        for number in (1, 2):
            birth = server.arm(born(), scope=CHILDREN)
            client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
            server.run()
            child = birth.reached()
            server.blocked("accept")
            child.reach(entering("read"))
            client.input("hello\\n").reach(leaving("write", on=CONNECTION))
            child.reach(leaving("write", on=CONNECTION))
            client.prints("hello\\n").end_input().ended()
            assert child.ended() == exited(0)
            server.blocked("accept")
        server.kill()
'''
CASES = (
    '''
    def test_first() -> None:
        """A record is there before the lab is."""
'''
    + FORKS
)


@dataclass(frozen=True)
class Way:
    """A way to run the case."""

    marker: str
    arguments: tuple[str, ...]


PLAIN = Way("about('fork')", ())
WORKERS = Way("about('fork')", ("-n", "2"))
BESIDE = Way("waits", ())
BOTH = Way("waits", ("-n", "2"))


class Halting:
    """Runs pytest till a conductor of its has had so many events."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._library = library
        self.folder = folder
        self._fifo = folder / "fifo"
        os.mkfifo(self._fifo)
        os.mkfifo(f"{self._fifo}.go")
        # Both ends, so that neither opening nor reading waits for the other side.
        self._reports = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def start(self, checkout: Checkout, way: Way, nth: int) -> "subprocess.Popen[str]":
        """Starts pytest."""
        environment = {
            "LD_PRELOAD": str(self._library),
            "SOCKSPEC_HALT": f"{nth}:{self._fifo}",
            # The sanitizer would rather be the first library; it can do without.
            "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0",
        }
        return checkout.start(*way.arguments, environment=environment)

    def await_halt(self, pytest_: "subprocess.Popen[str]") -> None:
        """Waits till a conductor stands still."""
        handle = os.pidfd_open(pytest_.pid)
        try:
            ready, _, _ = select.select([self._reports, handle], [], [], COMES)
        finally:
            os.close(handle)
        if self._reports not in ready:
            pytest_.kill()
            raise AssertionError(f"no conductor came to that event: {pytest_.communicate()[0]}")

    def count(self) -> int:
        """How many events there have been."""
        return len(os.read(self._reports, 1 << 20))

    def go_on(self) -> None:
        """Lets what stands still go on, now and later."""
        self._gate = os.open(f"{self._fifo}.go", os.O_RDWR | os.O_CLOEXEC)

    def close(self) -> None:
        """Closes its descriptors."""
        os.close(self._reports)
        if hasattr(self, "_gate"):
            os.close(self._gate)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What makes conductors halt."""
    made = tmp_path_factory.mktemp("halt") / "halt.so"
    source = Path(__file__).with_name("halt.c")
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", made, source],
        check=True,
    )
    return made


@pytest.fixture(scope="session")
def events(library: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many events the case has."""
    folder = tmp_path_factory.mktemp("events")
    halting = Halting(library, folder)
    pytest_ = halting.start(Checkout(_made(folder / "root"), text(PLAIN)), PLAIN, 0)
    output, _ = pytest_.communicate(timeout=COMES)
    assert pytest_.returncode == 0, output
    count = halting.count()
    halting.close()
    return count


@pytest.fixture
def halting(library: Path, tmp_path: Path) -> Iterator[Halting]:
    """In a folder of the test's own."""
    halting = Halting(library, tmp_path)
    yield halting
    halting.close()


@pytest.fixture
def orphans() -> Iterator[Orphans]:
    """What comes below this process."""
    with Orphans() as orphans:
        yield orphans


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def text(way: Way) -> str:
    """The cases' text."""
    return CASES.format(marker=way.marker)


def kill_at(halting: Halting, orphans: Orphans, way: Way, nth: int) -> None:
    """Kills pytest after the nth event of the case, and looks what it leaves behind."""
    checkout = Checkout(_made(halting.folder / "root"), text(way))
    files, mounts = traces.files(checkout.root), traces.mounts()
    with halting.start(checkout, way, nth) as pytest_:
        halting.await_halt(pytest_)
        below = traces.below(pytest_.pid)
        spaces = traces.Namespaces(below)
        pytest_.kill()
    with spaces:
        assert len([seen for seen in below if seen.name == "conductor"]) >= 2
        assert "net" in spaces
        assert orphans.left(GOES) == []
        assert spaces.users() == {}
    assert traces.mounts() == mounts
    new = traces.files(checkout.root) - files
    assert new <= {"build/results", *(f"build/results/{file.name}" for file in checkout.results)}
    for file in checkout.results:  # its last line may be cut
        assert {record.case for record in results.read(file)} <= {"cases/test_it.py::test_first"}


@pytest.mark.parametrize("number", range(KILLS))
def test_pytest_killed_in_a_case_leaves_nothing(
    halting: Halting, orphans: Orphans, events: int, number: int
) -> None:
    """No process, no namespace, no mount, no temporary file, whichever event it is killed after."""
    kill_at(halting, orphans, PLAIN, 1 + number * (events - 1) // (KILLS - 1))


@pytest.mark.parametrize("number", range(FEW))
@pytest.mark.parametrize("way", [WORKERS, BESIDE, BOTH], ids=["workers", "beside", "both"])
def test_pytest_killed_above_workers_and_children_leaves_nothing(
    halting: Halting, orphans: Orphans, events: int, way: Way, number: int
) -> None:
    """Where the lab belongs to a worker of xdist, or to a forked child that waits, or both."""
    kill_at(halting, orphans, way, 1 + number * (events - 1) // FEW)


@pytest.mark.parametrize("number", range(FEW))
@pytest.mark.parametrize(
    "way", [PLAIN, WORKERS, BESIDE, BOTH], ids=["plain", "workers", "beside", "both"]
)
def test_an_interrupted_pytest_is_tidy(
    halting: Halting, orphans: Orphans, events: int, way: Way, number: int
) -> None:
    """Ctrl-C, as a terminal sends it to the group: status 2, a summary, no traceback, nothing left."""
    checkout = Checkout(_made(halting.folder / "root"), text(way))
    files = traces.files(checkout.root)
    with halting.start(checkout, way, 1 + number * (events - 1) // FEW) as pytest_:
        halting.await_halt(pytest_)
        spaces = traces.Namespaces(traces.below(pytest_.pid))
        os.killpg(pytest_.pid, signal.SIGINT)
        halting.go_on()
        output, _ = pytest_.communicate(timeout=COMES)
    assert pytest_.returncode == pytest.ExitCode.INTERRUPTED, output
    with spaces:
        assert orphans.left(GOES) == []
        assert spaces.users() == {}
    assert traces.files(checkout.root) - files <= {
        "build/results",
        *(f"build/results/{file.name}" for file in checkout.results),
    }
    # Beside others the first case may still be to come.
    summary = "= 1 passed in " if way is PLAIN else r"= (1 passed|no tests ran) in "
    assert "KeyboardInterrupt" in output and re.search(summary, output.splitlines()[-1]), output
    assert "Traceback" not in output and "INTERNALERROR" not in output, output
