"""Labs without namespaces: on the machine's own host, told apart by ports of their own."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness import (
    CLOSE_WAIT,
    FIN_WAIT2,
    LISTEN,
    Broken,
    Lab,
    Unsupported,
    entering,
    exited,
    leaving,
)
from harness.build import current
from harness.control.birth import INTERPOSE, ISOLATIONS, PORTS, PTRACE
from harness.control.relay import Relay
from harness.lab.lab import Settings
from harness.lab.privilege import Privilege
from harness.tests import traces
from harness.tests.checkouts import results_of_cases
from harness.verdict import Verdict

HERE = current()
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Settings(HERE.folder, sanitized=HERE.sanitized)
PROGRAMS = HERE.folder / "tests" / "programs"
GOES = 5.0
"""Seconds till what a killed process had started is gone."""
CASES = (
    "cases/test_reuseaddr.py",
    "cases/test_binding_error.py",
    "cases/test_daytime.py",
    "cases/test_zombies.py",
    "cases/test_sigpipe.py",
    "cases/test_half_closed.py",
    "cases/test_icmp.py",
    "cases/check_bind.c",
    "cases/check_children.c",
    "cases/check_rules_connect.c",
)
"""Of every kind: several processes, signals, names, segments, several hosts; one process in C."""


def relay(by: str = PTRACE) -> Relay:
    """Where such labs come from, one at a time."""
    return Relay(HERE.conductor, None, ahead=0, by=by, isolation=PORTS)


@pytest.fixture(params=[PTRACE, INTERPOSE])
def shared(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab on this machine's host, controlled in each way."""
    conductors = relay(request.param)
    with Lab(SETTINGS, conductors) as lab:
        yield lab
    conductors.close()


def gone(*pids: int) -> bool:
    """Whether those processes go in time."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            ready, _, _ = select.select([handle], [], [], GOES)
            os.close(handle)
            if not ready:
                return False
    return True


def last_of(init: int) -> int:
    """The lab's last process, which removes its folder: the one that waits for its init."""
    seen = traces.process(init)
    assert seen
    return seen.parent


# --- what it shares, and what it does not ----------------------------------------------------------------------------


def test_a_lab_has_ports_of_its_own(shared: Lab) -> None:
    """Eight that begin below those that clients are given; another lab has others."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    others = relay()
    with Lab(SETTINGS, others) as other:
        assert shared.port % 8 == other.port % 8 == 10000 % 8
        assert 10000 <= shared.port < lowest and 10000 <= other.port < lowest
        assert shared.port != other.port
    others.close()


def test_a_lab_runs_beside_all_else(shared: Lab) -> None:
    """A client from outside is served at once: the host is the machine's."""
    server = shared.start("tcpserv01", shared.port).blocked("accept")
    with socket.create_connection(("127.0.0.1", shared.port)) as client:
        server.run()
        client.sendall(b"hello\n")
        assert client.recv(100) == b"hello\n"


def test_sockets_of_others_are_not_told(shared: Lab) -> None:
    """But those at its ports are."""
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        assert shared.sockets() == []
        shared.start("tcpserv01", shared.port).blocked("accept")
        assert shared.states() == [LISTEN]
        assert shared.sockets(local=foreign.getsockname()[1]) == []


def test_held_sockets_are_told_wherever_they_are(shared: Lab) -> None:
    """At a port of the kernel's choice, or at none."""
    there = len(shared.sockets(family="AF_UNIX"))
    holds = "import socket as s; p = s.socketpair(); s.create_server(('127.0.0.1', 0)).accept()"
    shared.start(sys.executable, "-c", holds).reach(entering("accept4"))
    [found] = shared.sockets()
    assert found.local is not None and found.local.port >= 32768
    assert len(shared.sockets(family="AF_UNIX")) > there


def test_the_machine_stays_as_it_is(shared: Lab) -> None:
    """No setting of it can be changed, by the lab or by a program; the values are told."""
    name = "net.ipv4.tcp_fin_timeout"
    before = Path("/proc/sys/net/ipv4/tcp_fin_timeout").read_text()
    with pytest.raises(Unsupported, match=f"{name}: a lab without namespaces shares the machine's"):
        shared.sysctl(name, 7)
    assert shared.sysctls[name] == before.strip()
    with pytest.raises(Unsupported, match="no host but the first: a lab without namespaces"):
        shared.join("client", "server")
    with pytest.raises(Unsupported, match="nothing can be set: a lab without namespaces"):
        shared.ask("address", host="host", link="lo", address="10.9.9.9/32", change="add")
    with pytest.raises(Unsupported, match="not captured"):
        shared.segments()
    with pytest.raises(Unsupported, match="shares the machine's host"):
        shared.needs(Privilege.OWN_HOST)
    names = "import socket; socket.sethostname(socket.gethostname())"
    refused = shared.start(sys.executable, "-c", names)
    assert refused.ended() == exited(1) and "PermissionError" in refused.errors


MAKES = """
import sys
from harness.build import current
from harness.control.relay import Relay
from harness.lab.lab import Lab, Settings
HERE = current()
SETTINGS = Settings(HERE.folder, sanitized=HERE.sanitized)
"""
"""What a process needs that makes labs."""
NARROW = """
    ip link set lo up && echo 10008 60999 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"
"""
"""In a network namespace of its own: room for the ports of one lab."""
TWICE = """
from harness.control.conductor import ConductorFailed
from harness.trace.sockets import TIME_WAIT
relay = Relay(HERE.conductor, None, ahead=0, isolation="ports")
with Lab(SETTINGS, relay) as lab:
    if sys.argv[1] == "connected":
        server = lab.start("tcpserv01", lab.port).blocked("accept").run()
        assert lab.start("echo_client", lab.address, lab.port).run().end_input().ended().code == 0
        lab.awaits(remote=lab.port, state=TIME_WAIT)
    else:
        lab.start("tcpserv01", lab.port).blocked("accept")
try:
    with Lab(SETTINGS, relay) as lab:
        print(lab.port)
except ConductorFailed as error:
    print(error)
"""


def second_lab(first: str) -> str:
    """What comes of a second lab on a host with room for one, after a first whose server was connected to, or not."""
    maker = [sys.executable, "-c", MAKES + TWICE, first]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", NARROW, "sh", *maker],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_labs_of_both_kinds_are_made_side_by_side(shared: Lab) -> None:
    """What one lacks the other does not."""
    assert "veth" in shared.about.lacks
    conductors = Relay(HERE.conductor, None, ahead=0)
    with Lab(SETTINGS, conductors) as apart:
        assert not {"namespaces", "veth", "capture"} & apart.about.lacks
    conductors.close()


def test_ports_in_time_wait_are_not_given_out() -> None:
    """Though it is a client's end that is, so that bind at the port would succeed."""
    assert second_lab("idle") == "10000"
    assert second_lab("connected") == (
        "conductor: no 8 free ports follow each other from 10000 up to those that clients are given: "
        "see /proc/sys/net/ipv4/ip_local_port_range"
    )


# --- nothing is left -------------------------------------------------------------------------------------------------


def test_processes_and_files_go_with_the_lab(shared: Lab) -> None:
    """Those that a program left behind, too, and what was made in the lab's folder."""
    folder = Path(shared.about.folder or "")
    assert folder.is_dir()
    (folder / "deep").mkdir()
    (folder / "deep" / "file").write_text("")
    leaves = f"(trap '' TERM HUP; sleep 1000) & echo $! >{folder}/pid"
    assert shared.start("/bin/sh", "-c", leaves, detachable=True).ended() == exited(0)
    left = int((folder / "pid").read_text())
    assert Path(f"/proc/{left}").exists()
    last = last_of(shared.init)
    shared.close()
    assert gone(left, last)
    assert not folder.exists()


def test_who_forks_for_ever_ends_with_the_lab(shared: Lab) -> None:
    """However many of them there are."""
    bomb = shared.start(PROGRAMS / "forks_for_ever")
    with pytest.raises(Broken, match="the deadline passed"):
        bomb.ended(deadline=0.5)
    born = [seen for seen in traces.below(os.getpid()) if seen.name == "forks_for_ever"]
    assert len(born) > 10
    shared.close()
    assert [seen for seen in born if seen.there] == []


KILLED = """
import signal
lab = Lab(SETTINGS, Relay(HERE.conductor, None, ahead=0, isolation="ports", by=sys.argv[1]))
lab.start("tcpserv01", lab.port).blocked("accept")
print(lab.init, *[p["pid"] for p in lab.ask("processes")["processes"]], lab.about.folder, flush=True)
signal.pause()
"""


@pytest.mark.parametrize("by", [PTRACE, INTERPOSE])
@pytest.mark.parametrize("whom", ["pytest", "conductor"])
def test_who_is_killed_leaves_nothing(by: str, whom: str) -> None:
    """Whoever made the lab, or its conductor: its programs die, and its folder goes."""
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKES + KILLED, by], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert maker.stdout is not None
    *pids, folder = maker.stdout.readline().split()
    init, *programs = map(int, pids)
    last = last_of(init)
    assert programs and Path(folder).is_dir()
    if whom == "pytest":
        maker.kill()
    else:
        os.kill(init, signal.SIGKILL)
    try:
        assert gone(last, *programs)
        assert not Path(folder).exists()
    finally:
        maker.kill()
        maker.communicate()


# --- its verdicts ----------------------------------------------------------------------------------------------------


def test_the_verdicts_are_those_of_namespaces(tmp_path: Path) -> None:
    """What needs a host of its own says so."""
    apart, beside = (
        results_of_cases(
            tmp_path / isolation, "-n", "2", "-m", "not slow", "--isolation", isolation, *CASES
        )
        for isolation in ISOLATIONS
    )
    verdicts = {r.case: r.verdict for r in apart.records}
    lacking = {r.case: r.message for r in beside.records if r.verdict is Verdict.UNSUPPORTED}
    assert verdicts.keys() == {r.case for r in beside.records}
    assert {r.case for r in beside.records if r.verdict is not verdicts[r.case]} == set(lacking)
    named = re.compile("without namespaces|host of the lab's own|not captured")
    assert [message for message in lacking.values() if not named.search(message)] == []
    assert 0 < len(lacking) < len(verdicts) / 2
    assert all(record.platform["isolation"] == PORTS for record in beside.records)
    assert all("--isolation ports" in record.replay for record in beside.records)
