"""Control by an interposed library: a second mechanism, which knows nothing of the first, and a check on it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness import EBADF, EMFILE, Lab, Unsupported, entering, exited, killed_by, leaving
from harness.build import current
from harness.control.birth import CONTROLS, INTERPOSE, PTRACE
from harness.control.relay import Relay
from harness.lab.lab import Settings
from harness.records.baseline import Baseline, Given
from harness.records.results import Results
from harness.tests.checkouts import results_of_cases
from harness.tests.test_witness import SCENARIOS, Said, Scenario, conducted
from harness.verdict import Verdict

HERE = current()
PROGRAMS = HERE.folder / "tests" / "programs"
CASES = (
    "cases/test_reuseaddr.py",
    "cases/test_binding_error.py",
    "cases/test_daytime.py",
    "cases/test_zombies.py",
    "cases/test_coalesced_sigchld.py",
    "cases/test_accept_interrupted.py",
    "cases/test_server_terminated.py",
    "cases/test_sigpipe.py",
    "cases/test_shared_descriptors.py",
    "cases/test_half_closed.py",
    "cases/check_sigpipe.c",
)
"""Of every kind: several processes, signals, exec, errors that are injected, segments; one process in C."""


@contextmanager
def lab_by(control: str) -> Iterator[Lab]:
    """A lab whose programs are controlled so."""
    relay = Relay(HERE.conductor, None, ahead=0, by=control)
    try:
        with Lab(Settings(HERE.folder, sanitized=HERE.sanitized), relay) as lab:
            yield lab
    finally:
        relay.close()


@pytest.fixture
def inside() -> Iterator[Lab]:
    """A lab whose programs are controlled from inside."""
    with lab_by(INTERPOSE) as lab:
        yield lab


def resolves(scenario: Scenario) -> bool:
    """Whether its programs ask for addresses by name, for which the C library has sockets of its own."""
    return scenario.server == "daytimed"


def comparable(calls: list[Said]) -> list[Said]:
    """Without the loader's, which has run when the library begins to look, and what fork asks of clone. A call that was
    interrupted is left before those of the handler for the kernel, and after them for the program.
    """
    first = next((n for n, call in enumerate(calls) if call.name == "socket"), 0)
    own = [replace(call, arguments=()) if call.name == "clone" else call for call in calls[first:]]
    return sorted(own, key=repr) if any(call.result == "EINTR" for call in own) else own


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if not resolves(each)], ids=str)
def test_both_see_the_same_calls(scenario: Scenario) -> None:
    """Of every process: names, arguments and outcomes, in the same order."""
    seen = {}
    for control in CONTROLS:
        with lab_by(control) as lab:
            seen[control] = {
                who: comparable(calls) for who, calls in conducted(lab, scenario).items()
            }
    assert seen[INTERPOSE] == seen[PTRACE]
    assert sum(map(len, seen[PTRACE].values())) > 8


def given(results: Results) -> dict[str, Given]:
    """What each case gave."""
    return dict(Baseline.of("here", results.records).cases)


def test_both_give_the_same_verdicts(tmp_path: Path) -> None:
    """And the same values in every assertion; but for what cannot be done from inside, which says so."""
    outside, within = (
        results_of_cases(tmp_path / control, "--control", control, *CASES) for control in CONTROLS
    )
    before, after = given(outside), given(within)
    lacking = {r.case: r.message for r in within.records if r.verdict is Verdict.UNSUPPORTED}
    assert {case for case in before if before[case] != after.get(case)} == set(lacking)
    assert before.keys() == after.keys()
    assert all("control by ptrace" in message for message in lacking.values())
    assert 0 < len(lacking) < len(after) / 10
    assert all(record.platform["control"] == INTERPOSE for record in within.records)
    assert all("--control interpose" in record.replay for record in within.records)


def test_what_is_linked_statically_runs_unseen(inside: Lab) -> None:
    """It starts and ends; whoever asks for more is told what that needs."""
    program = inside.start(PROGRAMS / "talk_static")
    with pytest.raises(Unsupported, match="linked statically"):
        program.reach(entering("socket"))
    with pytest.raises(Unsupported, match="linked statically"):
        program.outcome("socket")
    assert program.kill(signal.SIGTERM) == killed_by(signal.SIGTERM)


def test_a_call_cannot_begin_with_a_signal_pending(inside: Lab) -> None:
    """A handler without SA_RESTART would interrupt it; from inside it runs before: so nothing is claimed."""
    server = inside.start("tcpserv04", "-i", inside.port).reach(entering("accept"))
    server.signal(signal.SIGCHLD)
    with pytest.raises(Unsupported, match="tcpserv04 was to begin accept with a signal pending"):
        server.blocked("accept")


def test_what_is_ignored_is_not_seen(inside: Lab) -> None:
    """So nobody is told that there was no signal."""
    program = inside.start(PROGRAMS / "ignores_signals")
    with pytest.raises(Unsupported, match="ignores some signals"):
        program.reach(entering("pause"))
        inside.events(kinds=["signal"], process=program)


def test_calls_that_are_not_interposed_are_named(inside: Lab) -> None:
    """Not awaited for ever."""
    server = inside.start("tcpserv04", inside.port)
    with pytest.raises(Unsupported, match="splice is not interposed"):
        server.reach(entering("splice"))


def test_errors_and_short_writes_are_injected(inside: Lab) -> None:
    """The call is not made, or made with less."""
    server = inside.start("echo_mpserv", inside.port)
    server.inject(entering("listen"), EMFILE)
    assert server.outcome("listen") == EMFILE
    assert server.ended() == exited(111)

    copier = inside.start(PROGRAMS / "copies", 0, stdin=b"twelve bytes")
    copier.shorten(entering("write"), 5)
    assert copier.outcome("write") == 5


def test_a_stream_goes_back_to_where_it_began(inside: Lab) -> None:
    """What was written to it is then read."""
    program = inside.start(PROGRAMS / "rewinds").run()
    assert program.ended() == exited(0)
    assert program.output == "twelve bytes\n"


def test_the_programs_descriptors_are_its_own(inside: Lab) -> None:
    """What the library needs is not told of, hinders no limit, and is closed by nobody."""
    server = inside.start("tcpserv04", inside.port, limits={"nofile": 5}).reach(entering("accept"))
    assert [one.fd for one in server.descriptors()] == [0, 1, 2, 3]
    server.run()
    client = inside.start("tcpcli01", inside.address, inside.port, stdin=b"hello\n")
    assert client.ended() == exited(0)
    assert client.output == "hello\n"
    assert server.child().ended() == exited(0)

    code = "import os; os.closerange(3, 1 << 20); [os.close(n) for n in (1020,)]"
    closer = inside.start(sys.executable, "-c", code)
    assert closer.ended() == exited(1)
    assert "Bad file descriptor" in closer.errors
    assert closer.outcomes("close")[-1] == EBADF


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    ("way", "end"),
    [("vfork", 0), ("spawn", 0), ("orphan", 0), ("exec", 5), ("late_exec", 5), ("leaderless", 3)],
)
def test_processes_come_to_be_in_many_ways(control: str, way: str, end: int) -> None:
    """Each is known, and how it ended, under either control."""
    with lab_by(control) as lab:
        program = lab.start(PROGRAMS / "births_threads", way)
        assert program.ended() == exited(end)
        lab.rest()
        ends = {"vfork": [0, 5], "spawn": [0, 5], "orphan": [0, 0, 7]}.get(way, [end])
        listed = lab.ask("processes")["processes"]
        assert [process["exit"] for process in listed] == [{"code": code} for code in ends]


def test_a_process_goes_on_when_it_is_let_go(inside: Lab) -> None:
    """Detached, it makes its calls unseen, and a signal ends it by itself."""
    server = inside.start("tcpserv04", inside.port, detachable=True).reach(leaving("listen"))
    server.detach()
    client = inside.start("tcpcli01", inside.address, inside.port, stdin=b"hello\n")
    assert client.ended() == exited(0)
    assert client.output == "hello\n"
    assert server.outcomes("accept") == []
    assert server.kill(signal.SIGTERM) == killed_by(signal.SIGTERM)
