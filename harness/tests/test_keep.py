"""--keep-lab: a case that fails stops with its lab alive, and one can enter it."""

import os
import re
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from time import monotonic

import pytest

from harness import build

CHECKOUT = Path(__file__).parent.parent.parent
CASES = '''
    import pytest
    from harness import Lab, entering

    def test_it_fails(lab: Lab) -> None:
        """A server does not listen."""
        lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
        assert lab.states() == []

    def test_hosts_fail(lab: Lab) -> None:
        """Of two hosts on a wire one has a server, the first host has another, and one has crashed."""
        client, server, gone = lab.join("client", "server", "gone")
        for host in (lab.host("host"), server):
            lab.start("reuseadr_eserver", lab.port, host=host).reach(entering("accept"))
        client.crash()
        client.boot()
        gone.crash()
        assert server.states() == []

    def test_it_passes(lab: Lab) -> None:
        """A lab is made."""
        print("captured")

    @pytest.mark.waits
    def test_it_waits(lab: Lab) -> None:
        """It is run in this process, too."""
'''


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A checkout with cases of its own, and this one's programs."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "test_it.py").write_text(dedent(CASES))
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["harness.plugin"]\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider --timeout=5\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / build.current().mode).symlink_to(build.current().folder)
    return tmp_path


@contextmanager
def run(
    house: Path, *arguments: str, stdin: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[str]"]:
    """A pytest that is under way."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    environment = {**kept, "SOCKSPEC_ROOT": str(house), "PYTHONPATH": str(CHECKOUT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=house,
        env=environment,
        # As a shell starts what runs in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told_until(process: "subprocess.Popen[str]", text: str, limit: float = 60.0) -> str:
    """What it says up to the line that holds a text."""
    assert process.stdout is not None
    said = ""
    end = monotonic() + limit
    while text not in said:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - monotonic()))
        piece = os.read(process.stdout.fileno(), 4096).decode() if ready else ""
        assert piece, f"{text!r} was not said, but {said!r}"
        said += piece
    return said


def enter(said: str, command: str, host: str = "host") -> str:
    """Runs a command on a host of the lab, as the message says."""
    found = re.search(rf"enter {host}: +(nsenter .*)", said)
    assert found is not None
    argv = [*shlex.split(found[1]), "--", *shlex.split(command)]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


def test_a_lab_is_kept_until_sigint_and_can_be_entered(house: Path) -> None:
    """With its sockets and its processes, longer than pytest's own time limit; the run goes on afterwards."""
    with run(house, "--keep-lab", "-k", "not hosts") as process:
        said = told_until(process, "SIGINT ends it")
        assert "assert [LISTEN] == []" in said
        assert re.search(r"1 reuseadr_eserver: held at enter accept, pid \d+ here", said)
        assert ":2695 " in enter(said, "cat /proc/net/tcp")
        assert "reuseadr_eserve" in enter(said, "cat /proc/2/comm")
        ready, _, _ = select.select([process.stdout], [], [], 6)
        assert not ready, "it waits, though a case may take 5 s"
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert "1 failed, 2 passed" in rest and "captured" not in rest
    assert process.returncode == 1


def test_each_host_can_be_entered(house: Path) -> None:
    """The first one, one on a wire and one that has booted: each has its own links and sockets."""
    with run(house, "--keep-lab", "-k", "hosts_fail") as process:
        said = told_until(process, "SIGINT ends it")
        assert re.search(r"reuseadr_eserver: held at enter accept, pid \d+ here, on server", said)
        assert "  gone has crashed" in said and "enter gone" not in said
        listens = {"host": True, "client": False, "server": True}
        for host, listening in listens.items():
            assert (":2695 " in enter(said, "cat /proc/net/tcp", host)) is listening
            assert ("eth0:" in enter(said, "cat /proc/net/dev", host)) is (host != "host")
        assert "10.0.1.1" in enter(said, "ip address", "client")
        assert "10.0.1.2" in enter(said, "ip address", "server")
        assert "reuseadr_eserve" in enter(said, "cat /proc/2/comm", "server")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert "1 failed" in rest


def test_on_a_terminal_enter_ends_it(house: Path) -> None:
    """And no signal is needed."""
    ours, theirs = os.openpty()
    with run(house, "--keep-lab", "-k", "it_fails", stdin=theirs) as process:
        said = told_until(process, "Enter ends it.")
        os.write(ours, b"\n")
        rest, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "nsenter" in said and "1 failed" in rest


def test_cases_that_pass_do_not_stop(house: Path) -> None:
    """Nor does the one that waits."""
    with run(house, "--keep-lab", "-k", "not fail") as process:
        said, _ = process.communicate(timeout=60)
    assert "2 passed" in said and "nsenter" not in said


def test_it_does_not_go_with_several_workers(house: Path) -> None:
    """One message, and nothing is run."""
    with run(house, "--keep-lab", "-n", "2") as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert said.count("--keep-lab stops at one case") == 1 and len(said.splitlines()) < 5
