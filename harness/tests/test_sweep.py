"""Sweeps of real servers, by the command line; and what is told of descriptors and repetition."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import CONNECTION, entering
from harness.build import current
from harness.control.relay import Relay
from harness.lab.lab import Settings
from harness.lab.moment import Descriptor, Moment
from harness.outcome import Outcome
from harness.sweep.client import Fate
from harness.sweep.descriptors import classified
from harness.sweep.engine import Engine, Judgement
from harness.sweep.perturb import Kind, Perturbation, perturbations
from harness.sweep.plan import Plan
from harness.sweep.points import Point, merged
from harness.sweep.stage import Stage
from harness.sweep.subject import Subject, subject_of
from harness.tests import ss
from harness.trace.event import Event

HERE = current()
SERVERS = HERE.folder / "servers"
POLLING = HERE.folder / "tests" / "programs" / "audited_polling"
CALM = ("--request", r"hello\n", "--expect", r"hello\n")


def sweep(
    *arguments: str, command: str, asks: Sequence[str] = CALM
) -> "subprocess.CompletedProcess[str]":
    """Runs `python3 -m harness sweep`."""
    argv = [sys.executable, "-m", "harness", "sweep", "--cmd", command, *asks, *arguments]
    return subprocess.run(
        argv, cwd=HERE.root, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )


def served(name: str, *options: str) -> str:
    """The command of a server of ours."""
    return " ".join([str(SERVERS / name), *options, "{port}"])


def engine(relay: Relay, command: str, requests: int = 1) -> Engine:
    """An engine for an echo server."""
    members = {"cmd": command, "request": r"hello\n", "expect": r"hello\n"}
    subject: Subject = replace(subject_of(members), requests=requests)
    return Engine(subject, Settings(HERE.folder, sanitized=HERE.sanitized), relay)


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay of the test's own."""
    made = Relay(HERE.conductor, None, ahead=1, captures=False)
    yield made
    made.close()


# --- the list ------------------------------------------------------------------------------------------------------


def test_two_runs_have_the_same_moments(relay: Relay) -> None:
    """Whatever turns the processes took."""
    once, again = (
        engine(relay, served("echo_mpserv", "-r"), requests=10).record()[0] for _ in range(2)
    )
    assert len(once) > 200
    assert [point.key for point in once] == [point.key for point in again]
    assert len({point.key for point in once}) == len(once)


def test_moments_of_a_second_client_are_merged_with_those_of_the_first(relay: Relay) -> None:
    """Ten clients have no more kinds of moments than three, and each child's are told of."""
    three, ten = (
        merged(engine(relay, served("echo_mpserv", "-r"), requests=count).record()[0])
        for count in (3, 10)
    )
    assert [group.first.shape for group in ten] == [group.first.shape for group in three]
    assert sum(len(group.points) for group in ten) > 3 * len(ten)
    assert "server's child: leaving write on connection = 6, ×10 (process 2-11)" in map(str, ten)


def test_what_descriptors_are_is_told_by_calls() -> None:
    """A listener is one from its listen on; accepted connections and copies are what they came from."""
    made: list[tuple[str, dict[str, Any], int]] = [
        ("socket", {"domain": "AF_INET", "type": ["SOCK_STREAM", "SOCK_NONBLOCK"]}, 3),
        ("listen", {"fd": 3, "backlog": 5}, 0),
        ("accept4", {"fd": 3, "flags": ["SOCK_CLOEXEC"]}, 4),
        ("epoll_ctl", {"fd": 9, "target": 4, "event": {"events": ["EPOLLIN", "EPOLLET"]}}, 0),
        ("fcntl", {"fd": 4, "command": "F_DUPFD", "argument": 0}, 5),
        ("read", {"fd": 5}, 6),
        ("close", {"fd": 5}, 0),
        ("read", {"fd": 5}, 0),
    ]
    events = []
    for number, (call, args, value) in enumerate(made, 1):
        events.append(Event(2 * number - 1, 0, "enter", 1, call=call, args=args))
        left = Event(2 * number, 0, "leave", 1, call=call, args=args, outcome=Outcome(value))
        events.append(replace(left, entered=2 * number - 1))
    told = classified(events)
    entered = {number: told.get(2 * number - 1) for number in range(1, len(made) + 1)}
    assert (entered[2] and entered[2].kind) == Descriptor.CONNECTION
    assert (entered[3] and entered[3].kind) == Descriptor.LISTENING
    assert entered[3] is not None and entered[3].nonblocking
    assert (copied := entered[6]) is not None
    assert (copied.kind, copied.edge, copied.cloexec) == (Descriptor.CONNECTION, True, False)
    assert entered[8] is None


def test_eagain_is_for_descriptors_that_do_not_block(relay: Relay) -> None:
    """A blocking accept never says EAGAIN, and a server that ends of it is not to blame."""
    points, _ = engine(relay, served("tcpservpoll01")).record()
    tried = {
        (run.point.moment.call, run.what)
        for point in points
        for run in perturbations(point, [Kind.ERRNO])
    }
    assert ("accept", "ECONNABORTED") in tried
    assert not [what for what in tried if what[1] == "EAGAIN"]


# --- runs ----------------------------------------------------------------------------------------------------------


def test_two_kill_sweeps_have_the_same_results(tmp_path: Path) -> None:
    """More than a hundred moments, every one by itself; a server with SO_REUSEADDR starts again after each."""
    journals = [tmp_path / "one", tmp_path / "other"]
    for journal in journals:
        options = ("--every", "--requests", "4", "--out", str(journal))
        done = sweep(*options, command=served("echo_mpserv", "-r"))
        assert done.returncode == 0, done.stdout + done.stderr
    once, again = (journal.read_text() for journal in journals)
    assert once == again
    assert len(once.splitlines()) > 100
    assert '"restart": "at once"' in once


def test_a_kill_sweep_finds_a_listener_without_reuse(tmp_path: Path) -> None:
    """Killed while connected it cannot be started again, and the sweep says at which moments."""
    out = str(tmp_path / "journal")
    done = sweep("--out", out, "--requests", "2", command=served("echo_mpserv"))
    assert done.returncode == 1
    assert "it cannot be started again: bind: EADDRINUSE" in done.stdout
    assert "entering read on connection" not in done.stdout, "only the server's own death matters"


def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What is in the journal is not run again; a line that was cut short is."""
    out = tmp_path / "journal"
    first = sweep("--out", str(out), "--requests", "2", command=served("echo_mpserv", "-r"))
    assert first.returncode == 0, first.stdout + first.stderr
    whole = out.read_text()
    lines = whole.splitlines(keepends=True)
    marked = lines[1].replace('"fine"', '"fine", "why": "of the first run"')
    out.write_text("".join([lines[0], marked, *lines[2:5], lines[5][:20]]))
    done = sweep("--out", str(out), "--requests", "2", command=served("echo_mpserv", "-r"))
    assert "goes on with" in done.stdout and ": 4 runs are there" in done.stdout
    assert out.read_text() == whole.replace(lines[1], marked)


def test_ctrl_c_ends_a_sweep_in_order(tmp_path: Path) -> None:
    """It says how to go on, keeps what it has, and leaves no process."""
    out = tmp_path / "journal"
    argv = [sys.executable, "-m", "harness", "sweep", "--cmd", served("echo_mpserv")]
    child = subprocess.Popen(
        [*argv, *CALM, "--every", "--out", str(out)],
        cwd=HERE.root,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert child.stdout is not None
    while not child.stdout.readline().startswith("finding"):
        assert child.poll() is None  # the runs have begun when there is something to tell
    os.killpg(child.pid, signal.SIGINT)
    said, _ = child.communicate(timeout=300)
    assert child.returncode == 130, said
    assert "the same command goes on where it stopped" in said
    assert json.loads(out.read_text().splitlines()[0])["runs"] > 200
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


def test_a_budget_says_what_it_leaves_out(tmp_path: Path) -> None:
    """By kind of perturbation: with each of the two there are as many runs, of which five are made."""
    out = str(tmp_path / "journal")
    done = sweep(
        "--with", "kill,term", "--budget", "5", "--out", out, command=served("echo_mpserv", "-r")
    )
    said = re.search(r"5 of (\d+) runs: .*left out: (\d+) term, (\d+) kill", done.stdout, re.DOTALL)
    assert said, done.stdout
    runs, terms, kills = map(int, said.groups())
    assert terms + kills == runs - 5 and (terms, kills) == (runs // 2 - 2, runs // 2 - 3)


def test_all_perturbations_of_a_good_server_are_fine_but_what_ends_it(tmp_path: Path) -> None:
    """The classic dies of EMFILE at accept and of EAGAIN at fork; short reads, EINTR and delays it survives."""
    out = tmp_path / "journal"
    sweep(
        "--with",
        "all",
        "--requests",
        "1",
        "--out",
        str(out),
        command=served("echo_mpserv", "-r", "-l"),
    )
    results = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    judged = {(r["key"].split("=")[0], r["judgement"]) for r in results}
    assert {(str(kind), "fine") for kind in Kind} <= judged
    assert {kind for kind, judgement in judged if judgement != "fine"} == {"errno"}
    found = {r["key"].split("@")[0] for r in results if r["judgement"] == "finding"}
    assert {"errno=EMFILE", "errno=EAGAIN"} <= found
    assert "errno=ECONNABORTED" not in found


def test_a_moment_that_does_not_come_again_is_missed(relay: Relay) -> None:
    """And not taken for a run in which nothing went wrong."""
    one = engine(relay, served("echo_mpserv", "-r"))
    point = Point(1, Moment("enter", "accept", 99), 0, "server", "")
    result = one.run(Perturbation(Kind.KILL, "SIGKILL", point))
    assert result.judgement is Judgement.MISSED


def test_a_server_that_takes_its_time_to_end_is_not_accused(relay: Relay) -> None:
    """That it refuses clients meanwhile is no finding."""
    members = {"cmd": f"{POLLING} -f ends-slowly {{port}}", "protocol": "echo"}
    one = Engine(subject_of(members), Settings(HERE.folder, sanitized=HERE.sanitized), relay)
    runs = [Perturbation(Kind.TERM, "SIGTERM", p) for p in one.record()[0] if p.serving]
    results = [one.run(run) for run in runs]
    assert {result.judgement for result in results} == {Judgement.FINE}, results
    assert "at once" in {result.restart for result in results}


def test_a_server_that_ignores_sigterm_serves_on(relay: Relay) -> None:
    """That is the audit's matter; of a sweep it is no finding."""
    members = {"cmd": f"{POLLING} -f ignores-term {{port}}", "protocol": "echo"}
    one = Engine(subject_of(members), Settings(HERE.folder, sanitized=HERE.sanitized), relay)
    point = next(p for p in one.record()[0] if p.serving)
    result = one.run(Perturbation(Kind.TERM, "SIGTERM", point))
    assert (result.judgement, result.ended) == (Judgement.FINE, "")


WAITS = {
    "accept": ("server.accept()", True),
    "poll": ("p = select.poll(); p.register(server); p.poll()", True),
    "select": ("select.select([server], [], [])", True),
    "epoll": ("e = select.epoll(); e.register(server); e.poll()", True),
    "pause": ("signal.pause()", True),
    "child": ("os.fork() and os.wait() or server.accept()", True),
    "poll for a time": ("p = select.poll(); p.register(server); p.poll(100000)", False),
    "select for a time": ("select.select([server], [], [], 100)", False),
    "epoll for a time": ("e = select.epoll(); e.register(server); e.poll(100)", False),
    "sleep": ("time.sleep(100)", False),
    "alarm": ("signal.alarm(100); server.accept()", False),
    "time-out": (
        "server.setsockopt(1, socket.SO_RCVTIMEO, struct.pack('ll', 99, 0)); server.accept()",
        False,
    ),
    "thread": ("threading.Thread(target=server.accept).start(); server.accept()", False),
    "child that sleeps": ("os.fork() and os.wait() or time.sleep(100)", False),
}
"""What a server does for ever, and whether it is then of no use to wait for it."""


@pytest.mark.parametrize("what", WAITS)
def test_it_is_known_whether_there_is_anything_to_wait_for(relay: Relay, what: str) -> None:
    """A client that gets no answer has no time-out to wait for where nothing can happen any more."""
    waits, quiet = WAITS[what]
    listens = "import os, select, signal, socket, struct, threading, time; server = socket.create_server(('', 9877))"
    members = {"cmd": ["/usr/bin/python3", "-S", "-c", f"{listens}; {waits}"], "protocol": "echo"}
    with Engine(subject_of(members), Settings(HERE.folder), relay).stage() as stage:
        process = stage.load().run()
        assert stage.comes_to_listen(process)
        assert stage.is_quiet() == quiet


def test_what_is_underway_is_waited_for(relay: Relay) -> None:
    """A connection that found no room in the listener's queue is tried again by the kernel."""
    waits = "server = socket.create_server(('', 9877), backlog=0); signal.pause()"
    argv = ["/usr/bin/python3", "-S", "-c", f"import signal, socket; {waits}"]
    members = {"cmd": argv, "protocol": "echo"}
    with Engine(subject_of(members), Settings(HERE.folder), relay).stage() as stage:
        process = stage.load().run()
        assert stage.comes_to_listen(process)
        stage.client()
        assert stage.is_quiet()
        stage.client()
        assert not stage.is_quiet()


def slowed(stage: Stage, rate: str) -> Stage:
    """The stage, whose network lets through no more bits than that in a second: each segment takes its time."""
    shaped = f"tc qdisc add dev lo root tbf rate {rate} burst 100 limit 1000000".split()
    inside = ss.entering(stage.lab.init, stage.lab.about.descriptor)
    done = subprocess.run([*inside, *shaped], capture_output=True, text=True)
    if done.returncode:
        stage.lab.close()
        pytest.skip(f"the network cannot be made slow: {done.stderr.strip()}")
    return stage


class Slow(Engine):
    """An engine with five milliseconds for each segment."""

    def stage(self) -> Stage:
        """A lab with a slow network."""
        return slowed(super().stage(), "100kbit")


def test_a_slow_network_changes_no_result(relay: Relay) -> None:
    """Who sleeps because a segment has not come yet is not at rest: the end of one client is to reach the server before
    the next one comes."""
    fast = engine(relay, served("echo_mpserv", "-r"), requests=2)
    slow = Slow(fast.subject, Settings(HERE.folder, sanitized=HERE.sanitized), relay)
    every = [Perturbation(Kind.KILL, "SIGKILL", point) for point in fast.record()[0]]
    assert len(every) > 50
    for perturbation in every[::5]:
        assert slow.run(perturbation) == fast.run(perturbation)


def test_a_reset_that_is_underway_is_waited_for(relay: Relay) -> None:
    """All data are acknowledged, and nobody sends an RST again: still the client has its end."""
    one = engine(relay, served("tcpservpoll01"))
    with slowed(one.stage(), "8kbit") as stage:
        process = stage.load()
        reads = process.arm(entering("read", on=CONNECTION))
        process.run()
        assert stage.comes_to_listen(process)
        client = stage.client()
        client.send(one.subject.protocol.request)
        reads.reached()
        stage.lab.awaits_none(timer="retransmit")
        process.kill()
        stage.rest()
        assert client.fate() is Fate.RESET


def test_a_plan_without_merging_has_every_moment(relay: Relay) -> None:
    """And one with merging tells how many there are."""
    points, _ = engine(relay, served("echo_mpserv", "-r"), requests=3).record()
    every, some = (Plan.of(points, [Kind.KILL], every=flag) for flag in (True, False))
    assert len(every.runs) == len(points) > len(some.runs)
    assert some.told().startswith(f"{len(points)} moments, {len(some.groups)} but for repetition")


# --- subjects that cannot be tried ---------------------------------------------------------------------------------

NOBODY = ("--protocol", "echo", "--patience", "1")
TROUBLE = {
    "no such program": ("/nowhere/server {port}", NOBODY, "there is no file /nowhere/server"),
    "not on the path": ("no-such-server {port}", NOBODY, "'no-such-server' is not on the PATH"),
    "does not start": (
        "sh -c 'echo no >&2; exit 3'",
        NOBODY,
        "it ended (exit 3) before it listened",
    ),
    "needs a file": ("cat {folder}/its.conf", NOBODY, "can be given in a TOML file: [files]"),
    "never listens": ("sleep 100", NOBODY, "does not listen at port 9877 after 1 s: it sleeps in"),
    "listens elsewhere": (
        f"{SERVERS}/echo_mpserv 9999",
        NOBODY,
        "it listens at 0.0.0.0 port 9999 instead: put {port} into",
    ),
    "in the background": (
        f"sh -c '{SERVERS}/echo_mpserv {{port}} &'",
        NOBODY,
        "goes into the background",
    ),
    "says something else": (
        f"{SERVERS}/daytimed {{port}}",
        NOBODY,
        "does not answer as expected: to b'hello\\n' expected the request itself",
    ),
    "prints without end": ("yes", NOBODY, "prints without end"),
    "nothing expected": ("sleep 1", (), "nothing to expect"),
    "client's port": ("sleep 1", (*NOBODY, "--port", "40000"), "outside 32768-60999"),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_a_subject_that_cannot_be_tried_is_told_why(name: str, tmp_path: Path) -> None:
    """In a message that says which, and what to try; the exit status is 2."""
    command, asks, says = TROUBLE[name]
    done = sweep("--out", str(tmp_path / "journal"), command=command, asks=asks)
    assert done.returncode == 2
    assert says in done.stderr, done.stderr
    assert done.stderr.startswith("sockspec: ") and "Traceback" not in done.stderr


FLOODING = """
import socket, sys, threading

def flood():
    while True:
        print("still here\\n" * 10000, flush=True)

with socket.create_server(("", int(sys.argv[1]))) as listener:
    if sys.argv[2] == "always":
        threading.Thread(target=flood, daemon=True).start()
    while True:
        connection, _ = listener.accept()
        while data := connection.recv(100):
            connection.sendall(data)
        if sys.argv[2] == "afterwards":
            flood()
"""


@pytest.mark.parametrize("when", ["always", "afterwards"])
def test_a_subject_that_serves_and_prints_without_end_is_told(when: str, tmp_path: Path) -> None:
    """Be it while it serves, or when its first client has gone."""
    program = tmp_path / "flooding.py"
    program.write_text(FLOODING)
    done = sweep(command=f"{sys.executable} {program} {{port}} {when}", asks=NOBODY)
    assert done.returncode == 2
    assert "prints without end (" in done.stderr, done.stderr
    assert "try a quieter log level" in done.stderr
