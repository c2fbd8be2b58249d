"""pytest --falsify, in a pytest of its own: what a case notices, what it does not, and what is declared."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import EADDRINUSE, TIME_WAIT
from harness.falsify.body import repeated
from harness.falsify.declared import DeclarationError, load
from harness.falsify.page import markdown
from harness.falsify.report import Finding, Total, read
from harness.falsify.run import Change, Run
from harness.falsify.wrong import wrong
from harness.outcome import Outcome, exited
from harness.tests.checkouts import HERE, Checkout
from harness.trace.event import Event

WHOLE = '''
    def test_the_outcome_is_asserted(lab: Lab) -> None:
        """bind() succeeds."""
        assert lab.start("reuseadr_eserver", lab.port).outcome("bind") == 0

    def test_what_is_thrown_away_is_not_relied_on(lab: Lab) -> None:
        """A killed server leaves no listener."""
        server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
        server.kill()
        assert lab.states(local=lab.port) == []

    def test_states_and_exits(lab: Lab) -> None:
        """A second server cannot bind, and says so."""
        lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
        second = lab.start("reuseadr_eserver", lab.port)
        assert second.ended() == exited(111)
        assert "EADDRINUSE" in second.errors
        [listener] = lab.sockets(local=lab.port)
        assert listener.state is LISTEN
'''
BLIND = '''
    def test_any_outcome_will_do(lab: Lab) -> None:
        """bind() gives something."""
        outcome = lab.start("reuseadr_eserver", lab.port).outcome("bind")
        assert outcome.value != 7 or outcome.errno != ENOENT
'''
UNSTEADY = '''
    def test_once(lab: Lab) -> None:
        """bind() succeeds, the first time."""
        seen = __file__ + ".seen"
        if not os.path.exists(seen):
            open(seen, "w").close()
            assert lab.start("reuseadr_eserver", lab.port).outcome("bind") == 0
'''
BLIND_WAITS = BLIND.replace("    def test_any", "    @pytest.mark.waits\n    def test_any")
DECLARED = """
[[declared]]
case = "cases/test_it.py::test_any*"
change = "outcome bind: *"
reason = "folklore"
"""
IN_C = """
#include "case.h"
#include "sockets.h"
#include <unistd.h>

/* It does not look at what close() gives.
 *
 * Folklore. */
CASE(a_close_that_nobody_looks_at, EACH(inet_stream))
{
    const int fd = NEED(new_socket(kind));
    const int other = NEED(bound_socket(kind));

    FAILS(listen(-1, 1), EBADF);
    GIVEN(listen(-1, 1) < 0);
    close(other);
    SUCCEEDS(listen(fd, 1));
}
"""


def falsify(checkout: Checkout, *arguments: str) -> tuple[int, str]:
    """The status and what is printed."""
    process = checkout.start("--falsify", "-v", *arguments)
    output, _ = process.communicate(timeout=120)
    return process.returncode, output


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_case_without_a_blind_spot(tmp_path: Path, workers: Sequence[str]) -> None:
    """Each change that is tried is noticed, and the status is 0."""
    status, output = falsify(Checkout(tmp_path, WHOLE), *workers)
    assert status == 0, output
    assert "3 cases, 6 changes: 6 noticed, 0 declared, 0 blind spots" in output
    assert "test_what_is_thrown_away_is_not_relied_on: 1 of 1 noticed" in output


@pytest.mark.parametrize("cases", [BLIND, BLIND_WAITS])
@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_blind_spot_is_red(tmp_path: Path, cases: str, workers: Sequence[str]) -> None:
    """It is told by its name; in a case that runs beside the others, too."""
    status, output = falsify(Checkout(tmp_path, cases), *workers)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "test_any_outcome_will_do: 0 of 1 noticed" in output
    assert "  no assertion notices another outcome bind: 0" in output
    assert "1 passed" in output


def test_a_declared_change_is_counted_by_its_reason(tmp_path: Path) -> None:
    """It is no blind spot then; but of all changes of all cases only 5 % may be declared."""
    checkout = Checkout(tmp_path, BLIND)
    (tmp_path / "cases" / "falsify.toml").write_text(DECLARED)
    status, output = falsify(checkout, "-k", "any")
    assert status == 0, output
    assert "1 declared, 0 blind spots" in output and "declared 1: folklore" in output
    status, output = falsify(checkout, "--slow")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "more than 5 % are declared" in output


def test_what_does_not_come_in_every_run_is_declared(tmp_path: Path) -> None:
    """A case that passes without it does not rely on it; so is said, and counted."""
    status, output = falsify(Checkout(tmp_path, UNSTEADY))
    assert status == 0, output
    assert "test_once: 0 of 1 noticed, 1 declared" in output
    assert "declared 1: it does not come in every run" in output


def test_a_report_is_written_and_makes_a_page(tmp_path: Path) -> None:
    """A line of JSON for each case; the page has a line for each file, and one for each reason."""
    report = tmp_path / "report.jsonl"
    status, _ = falsify(Checkout(tmp_path, WHOLE + BLIND), f"--falsify-report={report}")
    assert status == pytest.ExitCode.TESTS_FAILED
    total = read(report)
    assert (len(total.findings), total.tried, total.blind) == (4, 7, 1)
    assert "| cases/test_it.py | 4 | 7 | 6 | 0 | 1 |" in markdown(total)


def test_a_report_wants_falsifying(tmp_path: Path) -> None:
    """There is nothing to report otherwise."""
    process = Checkout(tmp_path, BLIND).start("--falsify-report=report.jsonl")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--falsify-report is what --falsify writes" in output


def test_of_a_loop_the_first_turns_are_tried_and_the_last() -> None:
    """Whatever its calls are made on; another call in between is another place."""
    calls = ["socket", *["close"] * 30, "listen", "close"]
    events = [Event(n, 0, "enter", 1, 1, call) for n, call in enumerate(calls)]
    assert repeated(events) == set(range(10, 30))


def compiled(root: Path) -> None:
    """Puts a case in C into a checkout, with the program that it is compiled to."""
    source = root / "cases" / "check_it.c"
    source.write_text(IN_C)
    build = root / "build" / HERE.mode
    build.unlink()
    (build / "cases").mkdir(parents=True)
    for each in HERE.folder.iterdir():
        if each.name != "cases":
            (build / each.name).symlink_to(each)
    glue = [
        str(p) for part in ("check", "common") for p in (HERE.root / "harness" / part).glob("*.c")
    ]
    sanitizers = ["-fsanitize=address,undefined"] if HERE.sanitized else []
    includes = [f"-I{HERE.root}/harness/{part}" for part in ("common", "check")]
    flags = ["-std=c11", "-D_GNU_SOURCE", "-pthread", *includes, *sanitizers]
    libraries = ["-lcheck_pic", "-lrt", "-lm", "-lsubunit"]
    program = str(build / "cases" / "check_it")
    subprocess.run(["cc", *flags, str(source), *glue, *libraries, "-o", program], check=True)


def test_each_call_of_a_case_in_c_is_changed(tmp_path: Path) -> None:
    """Those of its body and of what that calls, not the harness's own; the one that nobody looks at is told."""
    checkout = Checkout(tmp_path, "")
    compiled(tmp_path)
    status, output = falsify(checkout, "-k", "ipv4")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "a_close_that_nobody_looks_at[IPv4]: 8 of 9 noticed" in output
    assert "  no assertion notices another close #1: 0" in output


def test_it_does_not_go_with_a_baseline(tmp_path: Path) -> None:
    """Its cases are meant to fail."""
    status, output = falsify(Checkout(tmp_path, BLIND), "--baseline=auto")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "leave --baseline" in output


def test_a_fact_is_a_reading_when_it_is_looked_at() -> None:
    """Not before, and under the same name in each run."""
    plain = Run()
    first, second = plain.read("ended", exited(0)), plain.read("outcome bind", Outcome(0))
    assert second == 0 and plain.found.keys() == {"2"}
    assert first == exited(0) and exited(0) == first and plain.found.keys() == {"1", "2"}
    changed = Run(plain.found["2"])
    assert changed.read("ended", exited(0)) == exited(0)
    assert changed.read("outcome bind", Outcome(0)) != 0 and changed.struck


def test_what_does_not_come_again_is_not_changed() -> None:
    """And so is not noticed, however the run ends."""
    run = Run(Change("7", "something"))
    assert run.read("ended", exited(0)) == exited(0)
    assert not run.struck


@pytest.mark.parametrize(
    "value",
    [Outcome(0), Outcome(errno=EADDRINUSE), exited(0), TIME_WAIT, 0, "a", "", [], [1], None],
)
def test_a_wrong_value_is_another(value: object) -> None:
    """Of whatever type."""
    others = list(wrong(value))
    assert others and all(other != value for other in others)


def test_a_share_is_of_all_changes() -> None:
    """One of twenty may be declared, two may not."""
    one = Finding("a", 20, 19, [("x", "why")])
    assert Finding.of(one.line()).line() == one.line()
    assert not Total([one]).too_many
    assert Total([Finding("a", 20, 18, [("x", "why"), ("y", "why")])]).too_many


def test_a_declaration_without_a_reason_is_refused(tmp_path: Path) -> None:
    """By the name of the file and what it takes."""
    path = tmp_path / "falsify.toml"
    assert load(path) == []
    path.write_text('[[declared]]\ncase = "*"\nchange = "*"\n')
    with pytest.raises(DeclarationError, match=r"falsify\.toml: number 1 .* case, change, reason"):
        load(path)
