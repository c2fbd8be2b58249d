"""make bench: what things cost, side by side in one run. Medians; compare the ratios, not machines."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

from . import build
from .conductor import Conductor
from .lab import Lab, Settings
from .moment import entering
from .outcome import exited
from .relay import Relay

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


SECTIONS = {
    "A write+read pair on a pipe, two traced calls": traced_call,
    "A case by phase": phases_of_a_case,
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
