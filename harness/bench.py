"""make bench: what things cost, side by side in one run. Medians; compare the ratios, not machines."""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

from . import build
from .check.items import run
from .control.conductor import Conductor
from .control.relay import Relay
from .lab.host import Host
from .lab.lab import Lab, Settings
from .lab.moment import entering, leaving
from .lab.process import Process
from .outcome import exited
from .sweep.crew import Crew
from .sweep.engine import Engine, Judgement
from .sweep.perturb import Kind, Perturbation
from .sweep.subject import Subject, subject_of

T = TypeVar("T")

_PAIRS = 10000
"""write+read pairs in a run of the traced program."""


@dataclass(frozen=True)
class Row:
    """A measure: what, how much, and against what it is held."""

    what: str
    value: float
    unit: str
    ratio: float | None = None

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:8.2f} x"
        return f"  {self.what:<58}{self.value:10.2f} {self.unit:<8}{ratio}"


# --- a traced call -------------------------------------------------------------------------------------------------


def _pairs_alone(command: list[str], cpu: int) -> float:
    """Nanoseconds a pair, of the program run by itself or by a tracer, on one processor."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}),
    )
    return float(done.stdout)


def _pairs_conducted(relay: Relay, settings: Settings, program: str) -> float:
    with Lab(settings, relay) as lab:
        process = lab.start(program, _PAIRS).run()
        if process.ended(deadline=60) != exited(0):
            raise RuntimeError(f"{program} failed under the conductor: {process.errors}")
        return float(process.output)


def traced_call(here: build.Build, rounds: int) -> Iterator[Row]:
    """A write+read pair on a pipe: bare, under the conductor, under strace with and without one processor for both."""
    program = os.fspath(here.folder / "tests" / "programs" / "pipe_pairs")
    bare = [program, str(_PAIRS)]
    cpu = min(os.sched_getaffinity(0))
    settings = Settings(programs=here.folder)
    seen: dict[str, list[float]] = {}
    with _relay(here, cpu) as relay, tempfile.NamedTemporaryFile() as log:
        strace = ["strace", "-f", "--seccomp-bpf", "-e", "trace=read,write", "-o", log.name]
        for _ in range(rounds):
            seen.setdefault("bare", []).append(_pairs_alone(bare, cpu))
            seen.setdefault("conductor", []).append(_pairs_conducted(relay, settings, program))
            if shutil.which("strace"):
                seen.setdefault("strace", []).append(_pairs_alone(strace + bare, cpu))
    medians = {name: median(values) / 1e3 for name, values in seen.items()}
    yield Row("bare", medians["bare"], "µs")
    yield Row("conductor, logged and decodable", medians["conductor"], "µs", 1.0)
    if "strace" in medians:
        ratio = median(c / s for c, s in zip(seen["conductor"], seen["strace"]))
        yield Row(
            "strace -f --seccomp-bpf (ratio: conductor to it)", medians["strace"], "µs", ratio
        )


# --- the phases of a case ------------------------------------------------------------------------------------------


@contextmanager
def _relay(here: build.Build, cpu: int | None = None) -> Iterator[Relay]:
    relay = Relay(here.conductor, cpu)
    try:
        yield relay
    finally:
        relay.close()


class Phases:
    """How long the phases of a case took, in many runs of it."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def time(self, what: str, work: Callable[[], T]) -> T:
        """Does the work and notes how long it took."""
        began = perf_counter()
        result = work()
        self._seen.setdefault(what, []).append((perf_counter() - began) * 1e3)
        return result

    def rows(self) -> Iterator[Row]:
        """The medians."""
        for what, values in self._seen.items():
            yield Row(what, median(values), "ms")


def _ready(program: Path) -> Conductor:
    conductor = Conductor(program)
    conductor.greet()
    return conductor


def _one_conductor(program: Path, phases: Phases) -> None:
    conductor = phases.time("conductor from nothing to ready", lambda: _ready(program))
    phases.time("end of a lab: all its processes dead", conductor.end)
    phases.time("the conductor's exit after that (nobody waits for it)", conductor.close)


def _one_case(settings: Settings, relay: Relay, phases: Phases) -> None:
    lab = phases.time("lab, its conductor started ahead", lambda: Lab(settings, relay))
    process = phases.time(
        "start of a program, held at its exec", lambda: lab.start("reuseadr_eserver", lab.port)
    )
    phases.time("reach: from exec to entering accept", lambda: process.reach(entering("accept")))
    phases.time("the states of the host's sockets", lab.states)
    phases.time("kill, till its descriptors are closed", process.kill)
    phases.time("teardown of the lab", lab.close)


def phases_of_a_case(here: build.Build, rounds: int) -> Iterator[Row]:
    """What a case consists of, each phase by itself."""
    phases = Phases()
    for _ in range(rounds):
        _one_conductor(here.conductor, phases)
    with _relay(here) as relay:
        for _ in range(rounds * 4):
            _one_case(Settings(programs=here.folder), relay, phases)
    yield from phases.rows()


# --- items of cases in C -------------------------------------------------------------------------------------------

_ITEM = "an_occupied_port_is_refused[TCP-IPv4]"
_ITEMS = 5
"""Runs of the item for each round."""


def _processor_time() -> tuple[float, float]:
    """Milliseconds of this process, and of its children that have ended."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    mine, theirs = (resource.getrusage(each) for each in who)
    return (mine.ru_utime + mine.ru_stime) * 1e3, (theirs.ru_utime + theirs.ru_stime) * 1e3


def _items(here: build.Build, phases: Phases, runs: int, empty: bool) -> tuple[float, float]:
    """Processor time an item, or a lab that nothing runs in: Python's, and that of the conductor and the program."""
    began = _processor_time()
    with closing(Relay(here.conductor, None, captures=False)) as relay:
        for _ in range(runs):
            with phases.time("a lab without a capture", lambda: Lab(_plain(here), relay)) as lab:
                if not empty:
                    program = here.programs / "cases" / "check_bind"
                    phases.time("an item in it", lambda: run(lab, program, _ITEM))
                    phases.time("whether the lab can be relied on", lab.verify)
    mine, theirs = (after - before for before, after in zip(began, _processor_time()))
    return mine / runs, theirs / runs


def _plain(here: build.Build) -> Settings:
    return Settings(programs=here.programs)


def items(here: build.Build, rounds: int) -> Iterator[Row]:
    """What an item costs by phase, and in processor time, which a busy machine changes less; without pytest."""
    phases = Phases()
    empty = _items(here, Phases(), rounds * _ITEMS, True)
    whole = _items(here, phases, rounds * _ITEMS, False)
    yield from phases.rows()
    for what, seen in (("a lab alone", empty), ("a lab with an item", whole)):
        yield Row(f"processor time: {what}", sum(seen), "ms")
        yield Row("  of it Python's", seen[0], "ms")


# --- hosts and wires -----------------------------------------------------------------------------------------------


def joining(here: build.Build, rounds: int) -> Iterator[Row]:
    """Hosts with their wires, addresses, settings and routes."""
    phases = Phases()
    with _relay(here) as relay:
        for _ in range(rounds * 4):
            with Lab(Settings(programs=here.folder), relay) as lab:
                phases.time("two hosts joined", lambda: lab.join("one", "other"))
                phases.time("three hosts, a router", lambda: lab.join("left", "router", "right"))
    yield from phases.rows()


_ECHO = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", int(sys.argv[1])))
while True: s.sendto(*s.recvfrom(99))
"""
_ASK = """
import json, socket, sys, time
port, rounds, ways = int(sys.argv[1]), int(sys.argv[2]), {to: [] for to in sys.argv[3:]}
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
for _ in range(rounds):
    for to, took in ways.items():
        began = time.perf_counter(); s.sendto(b"x", (to, port)); s.recvfrom(99)
        took.append((time.perf_counter() - began) / 2 * 1e6)
print(json.dumps(ways))
"""
_TAKE = """
import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
while True:
    talk, _ = s.accept(); total = 0
    while got := len(talk.recv(1 << 20)): total += got
    talk.send(str(total).encode()); talk.close()
"""
_POUR = """
import json, socket, sys, time
port, length, rates = int(sys.argv[1]), int(sys.argv[2]), {}
for to in sys.argv[3:]:
    began = time.perf_counter(); s = socket.create_connection((to, port))
    s.sendall(bytes(length)); s.shutdown(socket.SHUT_WR)
    assert int(s.recv(99)) == length
    rates[to] = [length / (time.perf_counter() - began) / 1e6]
print(json.dumps(rates))
"""
_BESIDE = "10.5.0.1", "10.5.0.2"
"""The addresses of a plain veth pair beside a wire."""
_TURNS = 2000
"""Datagrams there and back, each way in turn."""
_BULK = 100_000_000


def _free(host: Host, script: str, *args: object) -> Process:
    """A Python program on a host, which nobody traces."""
    process = host.start(sys.executable, "-S", "-c", script, *args, detachable=True)
    process.detach()
    return process


def _veth_beside(client: Host, server: Host, pid: int) -> None:
    """Joins two hosts by a plain veth pair, too; `pid` of a process of the server's."""
    mine, theirs = _BESIDE
    ends = f"ip link add p0 type veth peer name p1 netns {pid} && ip addr add {mine}/24 dev p0"
    for host, script in (
        (client, f"{ends} && ip link set p0 up"),
        (server, f"ip addr add {theirs}/24 dev p1 && ip link set p1 up"),
    ):
        shell = host.start("/bin/sh", "-c", script)
        if shell.ended() != exited(0):
            raise RuntimeError(f"no veth pair beside the wire: {shell.errors}")


def _both_ways(lab: Lab, serves: str, asks: str, number: int) -> tuple[float, float]:
    """What a program measures by the wire and by a plain veth pair beside it: medians."""
    client, server = lab.join("client", "server")
    server.sysctl("net.ipv4.conf.all.rp_filter", 0)
    answering = server.start(sys.executable, "-S", "-c", serves, lab.port, detachable=True)
    _veth_beside(client, server, answering.pid)
    answering.reach(leaving("bind")).detach()
    asking = _free(client, asks, lab.port, number, server.address, _BESIDE[1])
    if asking.ended(deadline=120) != exited(0):
        raise RuntimeError(f"no answer: {asking.errors}")
    seen = json.loads(asking.output)
    return median(seen[server.address]), median(seen[_BESIDE[1]])


def wires(here: build.Build, rounds: int) -> Iterator[Row]:
    """A datagram, and a lot of data, by a wire and by a plain veth pair between the same hosts."""
    times, rates = [], []
    with _relay(here) as relay:
        for _ in range(rounds):
            with Lab(Settings(programs=here.folder), relay) as lab:
                times.append(_both_ways(lab, _ECHO, _ASK, _TURNS))
        for _ in range(max(1, rounds // 3)):
            with Lab(Settings(programs=here.folder), relay) as lab:
                rates.append(_both_ways(lab, _TAKE, _POUR, _BULK))
    yield Row("a datagram by a plain veth pair", median(plain for _, plain in times), "µs")
    yield Row("the wire adds", median(wire - plain for wire, plain in times), "µs")
    yield Row("100 MB by the wire", median(wire for wire, _ in rates), "MB/s")
    yield Row("100 MB by a plain veth pair, offloads on", median(p for _, p in rates), "MB/s")


# --- cases a second ------------------------------------------------------------------------------------------------


def _run_cases(workers: int) -> tuple[int, float]:
    """All cases that wait for no kernel timer: how many passed, and how long it took (seconds)."""
    argv = [sys.executable, "-m", "pytest", "-q", "-o", "cache_dir=build/bench", "-m", "not waits"]
    began = perf_counter()
    done = subprocess.run([*argv, "-n", str(workers)], stdout=subprocess.PIPE, text=True)
    seconds = perf_counter() - began
    passed = re.search(r"(\d+) passed", done.stdout)
    if done.returncode != 0 or passed is None:
        raise RuntimeError(f"the cases do not pass:\n{done.stdout[-2000:]}")
    return int(passed[1]), seconds


def cases_a_second(here: build.Build, rounds: int) -> Iterator[Row]:
    """The whole of the fast cases with one worker and with two, start of pytest included."""
    runs = [(_run_cases(1), _run_cases(2)) for _ in range(max(1, rounds // 3))]
    one = median(count / seconds for (count, seconds), _ in runs)
    two = median(count / seconds for _, (count, seconds) in runs)
    yield Row(f"{runs[0][0][0]} cases, one worker", one, "cases/s", 1.0)
    yield Row(f"{runs[0][1][0]} cases, two workers", two, "cases/s", two / one)


# --- moments a second ----------------------------------------------------------------------------------------------


def _floor(here: build.Build, runs: int, cpu: int, lacks: frozenset[str]) -> float:
    """Runs a second of what no sweep can do without, driven from C: a conductor, the server with its clients, one kill,
    another start. See kill_floor.c."""
    driver = here.folder / "tests" / "programs" / "kill_floor"
    server = here.folder / "servers" / "echo_mpserv"
    lacking = ",".join(sorted(lacks)) or "none"
    argv = [str(word) for word in (driver, here.conductor, server, runs, lacking, cpu)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    return 1e3 / float(done.stdout)


def _both(measure: Callable[[int], float]) -> float:
    """The sum of what two give side by side, each on a processor of its own."""
    cpus = sorted(os.sched_getaffinity(0))
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(measure, (cpus[0], cpus[-1])))


def _swept(
    here: build.Build, subject: Subject, runs: Sequence[Perturbation], workers: int
) -> float:
    settings = Settings(programs=here.folder)
    began = perf_counter()
    with Crew(subject, settings, here.conductor, workers) as crew:
        results = list(crew.results(Engine.run, runs))
    seconds = perf_counter() - began
    wrong = [result for result in results if result.judgement is not Judgement.FINE]
    if wrong:
        raise RuntimeError(f"the sweep is not as it should be: {wrong[0]}")
    return len(results) / seconds


def moments_a_second(here: build.Build, rounds: int) -> Iterator[Row]:
    """A kill at every moment of serving ten clients, nothing merged."""
    server = here.folder / "servers" / "echo_mpserv"
    members = {"cmd": f"{server} -r {{port}}", "protocol": "echo"}
    subject = replace(subject_of(members), requests=10)
    relay = Relay(here.conductor, None, ahead=0, captures=False)
    with closing(relay):
        engine = Engine(subject, Settings(programs=here.folder), relay)
        points, _ = engine.record()
        with engine.stage() as stage:
            lacks = stage.lab.about.lacks
    runs = [Perturbation(Kind.KILL, "SIGKILL", point) for point in points]
    first = min(os.sched_getaffinity(0))
    seen = [
        (
            _floor(here, len(runs), first, lacks),
            _both(lambda cpu: _floor(here, len(runs) // 2, cpu, lacks)),
            _swept(here, subject, runs, 1),
            _swept(here, subject, runs, 2),
        )
        for _ in range(max(1, rounds // 3))
    ]
    floor, floor_of_two, one, two = (median(column) for column in zip(*seen))
    yield Row("floor: a bare conductor driven from C", floor, "runs/s")
    yield Row("floor, two side by side", floor_of_two, "runs/s")
    yield Row(f"{len(runs)} moments, one worker (ratio: to its floor)", one, "runs/s", one / floor)
    yield Row(
        f"{len(runs)} moments, two workers (ratio: to its floor)", two, "runs/s", two / floor_of_two
    )


SECTIONS = {
    "A write+read pair on a pipe, two traced calls": traced_call,
    "A case by phase": phases_of_a_case,
    "An item of a case in C": items,
    "Hosts": joining,
    "A wire": wires,
    "A kill sweep": moments_a_second,
    "Cases": cases_a_second,
}


def main() -> int:
    """Prints the measures."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="runs of each (default 9)")
    rounds: int = parser.parse_args().rounds
    here = build.current()
    for title, measure in SECTIONS.items():
        print(title)
        for row in measure(here, rounds):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
