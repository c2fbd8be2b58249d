"""The pytest plugin, in a pytest of its own: verdicts, selection, cases beside the others, records, messages."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent

VERDICTS = '''
    def test_true() -> None:
        """One is one.

        Arithmetic, book 1.
        """
        assert 1 == 1

    def test_false() -> None:
        """One is two.

        Folklore.
        """
        assert 1 == 2

    def test_set_up() -> None:
        """Nothing, for it never gets there."""
        raise Broken("the set-up did not come about")

    def test_mistake() -> None:
        """Nothing either."""
        {}["missing"]

    def test_lacking() -> None:
        """Something that is not here."""
        raise Unsupported("no such feature")

    def test_clean_up(leaves_a_mess: None) -> None:
        """True, but."""

    @pytest.fixture
    def leaves_a_mess() -> Iterator[None]:
        yield
        raise OSError("a mess")
'''

BESIDE = '''
    @pytest.mark.waits
    @pytest.mark.parametrize("number", range(70))
    def test_meets(number: int) -> None:
        """It ends when thirty have begun, which they never would one after the other."""
        Path(f"begun-{number}").touch()
        end = time.monotonic() + 240
        while len(list(Path().glob("begun-*"))) < 30:
            assert time.monotonic() < end
            time.sleep(0.01)

    @pytest.mark.waits
    def test_dies() -> None:
        """It never tells."""
        os.kill(os.getpid(), signal.SIGKILL)

    @pytest.mark.waits
    def test_is_false() -> None:
        """It tells what it printed."""
        print("from beside")
        assert os.getpid() == 0

    def test_is_busy() -> None:
        """It runs meanwhile."""

    @pytest.mark.slow
    def test_is_slow() -> None:
        """It is left out."""
'''


@dataclass(frozen=True)
class Run:
    """What a run of pytest gave."""

    status: int
    output: str
    records: list[dict[str, Any]]

    def verdicts(self) -> dict[str, str]:
        """The verdict of each case, by its bare name."""
        return {record["case"].split("::test_")[1]: record["verdict"] for record in self.records}


class House:
    """A checkout with cases of its own and a fake conductor."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "cases").mkdir()
        (root / "conftest.py").write_text('pytest_plugins = ["harness.plugin"]\n')
        (root / "pytest.ini").write_text(
            "[pytest]\naddopts = --strict-markers -p no:cacheprovider\n"
        )
        conductor = root / "build" / "release" / "bin" / "conductor"
        conductor.parent.mkdir(parents=True)
        conductor.symlink_to(HERE / "fake_conductor.py")

    def write(self, cases: str, file: str = "test_it.py") -> None:
        """Puts cases into a file."""
        header = """
            import os, signal, time
            from collections.abc import Iterator
            from pathlib import Path
            import pytest
            from harness import *
            from harness import Broken, Lab, Unsupported
        """
        text = dedent(header) + dedent(cases)
        (self.root / "cases" / file).write_text(text)

    def pytest(self, *arguments: str, **environment: str) -> Run:
        """Runs them."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST") and k != "SAN"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=self.root,
            env={
                **kept,
                "SOCKSPEC_ROOT": str(self.root),
                "PYTHONPATH": str(CHECKOUT),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        files = sorted((self.root / "build" / "results").glob("*.jsonl"))
        lines = files[-1].read_text().splitlines() if files else []
        return Run(
            done.returncode,
            done.stdout + done.stderr,
            [json.loads(line) for line in lines if '"case"' in line],
        )


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A checkout of the test's own."""
    return House(tmp_path)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_verdicts_are_kept_apart(house: House, workers: tuple[str, ...]) -> None:
    """In letters, counts, sections, records, JUnit and the exit status, alone and with workers."""
    house.write(VERDICTS)
    run = house.pytest("--junitxml", "junit.xml", *workers)
    assert run.status == 1
    assert run.verdicts() == {
        "true": "passed",
        "false": "failed",
        "set_up": "broken",
        "mistake": "broken",
        "lacking": "unsupported",
        "clean_up": "broken",
    }
    assert "1 failed" in run.output and "3 broken" in run.output and "1 unsupported" in run.output
    before, failed, rest = run.output.partition("= FAILED =")
    shown, broken, _ = rest.partition("= BROKEN =")
    assert failed and broken and "FAILURES" not in run.output and "ERRORS" not in run.output
    assert "claim:    One is two.\nsource:   Folklore.\n" in shown and "assert 1 == 2" in shown
    if not workers:
        assert ".FBBu.B" in before
    suite = ElementTree.parse(house.root / "junit.xml").getroot()[0]
    assert {k: suite.get(k) for k in ("errors", "failures", "skipped")} == {
        "errors": "3",
        "failures": "1",
        "skipped": "1",
    }
    verdicts = {
        case.get("name"): [
            p.get("value") for p in case.iter("property") if p.get("name") == "verdict"
        ]
        for case in suite
    }
    assert verdicts["test_set_up"] == ["broken"] and verdicts["test_lacking"] == ["unsupported"]


def test_a_record_says_all_there_is(house: House) -> None:
    """Claim, sources, markers, platform, message and how to run the case alone."""
    house.write(
        '''
        @pytest.mark.about("SO_REUSEADDR")
        @pytest.mark.scenario("S1.2")
        def test_it(lab: Lab) -> None:
            """One is two.

            Folklore.
            """
            assert lab.states() == [1]
    '''
    )
    record = house.pytest().records[0]
    assert (record["claim"], record["sources"]) == ("One is two.", "Folklore.")
    assert (record["about"], record["scenario"]) == (["SO_REUSEADDR"], ["S1.2"])
    assert record["replay"] == "pytest cases/test_it.py::test_it"
    assert record["message"].startswith("assert [] == [1]")
    assert record["observations"] == [{"states": []}]
    assert record["evidence"] == "no program was started"
    assert record["sysctls"]["net.ipv4.tcp_fin_timeout"] == "60"
    assert record["platform"]["name"].count("-") == 2 and record["duration"] > 0


def test_words_of_the_markers_select_cases(house: House) -> None:
    """Whatever their case."""
    house.write(
        """
        @pytest.mark.about("SO_REUSEADDR", "EADDRINUSE")
        def test_one() -> None: ...

        def test_two() -> None: ...
    """
    )
    assert house.pytest("-k", "reuseaddr").verdicts() == {"one": "passed"}


def test_what_breaks_in_the_lab_breaks_the_case(house: House) -> None:
    """A verdict from evidence with gaps, or of a conductor that ended badly, would mean nothing."""
    house.write(
        """
        def test_it(lab: Lab) -> None:
            lab.segments()
    """
    )
    for fake, message in (
        ("lossy", "7 events found no room"),
        ("dropping", "3 frames were dropped"),
        ("ending badly", "exited 3"),
    ):
        # Quiet at the beginning, or no case would run at all.
        run = house.pytest(FAKE=fake) if fake != "ending badly" else None
        if run is not None:
            assert run.verdicts() == {"it": "broken"}
            assert message in run.records[0]["message"]


def test_without_namespaces_there_is_one_message_and_no_verdict(house: House) -> None:
    """The conductor's own line, once, and a status that says nothing was run."""
    house.write("def test_one(lab: Lab) -> None: ...\ndef test_two(lab: Lab) -> None: ...\n")
    for workers in ((), ("-n", "2")):
        run = house.pytest(*workers, FAKE="forbidden")
        assert run.status == pytest.ExitCode.USAGE_ERROR
        assert run.output.count("no namespaces here: set kernel.fake to 1") == 1
        assert run.records == []


def test_a_build_that_fails_is_told_once(house: House) -> None:
    """With make's own words."""
    house.write("def test_one(lab: Lab) -> None: ...\n")
    (house.root / "Makefile").write_text(
        ".PHONY: build\nbuild:\n\t@echo 'no compiler, alas' >&2; exit 1\n"
    )
    run = house.pytest("-n", "2")
    assert run.status == pytest.ExitCode.USAGE_ERROR
    assert run.output.count("no compiler, alas") == 1


def test_a_build_says_so_in_one_line_and_only_when_it_builds(house: House) -> None:
    """What is up to date is left alone."""
    house.write("def test_one() -> None: ...\n")
    (house.root / "Makefile").write_text(".PHONY: build\nbuild: made\nmade:\n\t@touch made\n")
    assert house.pytest("-q").output.count("built what was out of date (release)") == 1
    assert "built" not in house.pytest("-q").output


QUEUED = '''
    GO, DONE = os.pipe(), os.pipe()

    @pytest.mark.waits
    @pytest.mark.parametrize("number", range(3))
    def test_waits(number: int) -> None:
        """For a case of another file."""
        assert os.read(GO[0], 1) == b"x"
        os.write(DONE[1], b"x")
'''

BUSY = '''
    from test_it import DONE, GO

    def test_lets_them_go() -> None:
        """And sees one that started at its turn."""
        os.write(GO[1], b"xxx")
        assert os.read(DONE[0], 1) == b"x"

    def test_goes_on() -> None:
        """Beside one that starts only now."""
        assert os.read(DONE[0], 1) == b"x"
'''


def test_a_case_that_waits_may_start_while_another_file_is_at_its_cases(house: House) -> None:
    """What stands for the file that is at its cases is none of its business."""
    house.write(QUEUED)
    house.write(BUSY, "test_other.py")
    run = house.pytest()
    assert run.status == 0, run.output
    assert len(run.records) == 5


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_cases_that_wait_do_so_side_by_side(house: House, workers: tuple[str, ...]) -> None:
    """Seventy of which thirty must have begun before one ends: none is lost, and what goes wrong in one is told."""
    house.write(BESIDE)
    run = house.pytest("--durations=1", *workers)
    verdicts = run.verdicts()
    assert run.status == 1
    assert sum(verdict == "passed" for verdict in verdicts.values()) == 71
    assert (verdicts["dies"], verdicts["is_false"]) == ("broken", "failed")
    assert "is_slow" not in verdicts
    assert "ended with -9 before it gave a verdict" in run.output
    assert "from beside" in run.output


def test_of_each_claim_the_first_variant_runs_when_that_is_asked_for(house: House) -> None:
    """The others are left out; -k chooses among the first ones."""
    house.write(
        '''
        @pytest.mark.parametrize("version", [4, 6])
        def test_it(version: int) -> None:
            """It."""

        def test_other() -> None:
            """The other."""
    '''
    )
    run = house.pytest("--variants=first")
    assert run.verdicts() == {"it[4]": "passed", "other": "passed"}
    assert "1 deselected" in run.output


def test_slow_cases_run_when_asked_for(house: House) -> None:
    """Without --slow they are left out, not passed over as skipped."""
    house.write(BESIDE)
    assert house.pytest("-k", "slow").status == pytest.ExitCode.NO_TESTS_COLLECTED
    run = house.pytest("-k", "slow", "--slow")
    assert run.verdicts() == {"is_slow": "passed"}
    assert run.records[0]["replay"] == "pytest --slow cases/test_it.py::test_is_slow"


def test_the_first_failure_stops_those_that_wait(house: House) -> None:
    """-x does not sit out what sleeps."""
    house.write(
        """
        @pytest.mark.waits
        def test_sleeps() -> None:
            time.sleep(50)

        def test_false() -> None:
            assert 1 == 2
    """
    )
    for workers in ((), ("-n", "2")):
        run = house.pytest("-x", *workers)
        assert run.status in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
        assert run.verdicts() == {"false": "failed"}


def test_what_a_dead_worker_was_at_is_broken(house: House) -> None:
    """The case it died of and the one that slept beside it; the others run elsewhere."""
    house.write(
        """
        @pytest.mark.waits
        def test_sleeps() -> None:
            time.sleep(2)

        def test_kills() -> None:
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGKILL)

        def test_true() -> None: ...
    """
    )
    run = house.pytest("-n", "1")
    assert run.status == 1
    assert run.verdicts() == {"sleeps": "broken", "kills": "broken", "true": "passed"}


def test_other_tests_keep_pytest_s_own_words(house: House) -> None:
    """Only cases have verdicts and records; but what is unsupported is skipped everywhere."""
    (house.root / "test_other.py").write_text(
        dedent(
            """
        from harness import Unsupported
        def test_false(): assert 1 == 2
        def test_error(): {}[1]
        def test_lacking(): raise Unsupported("no such feature")
    """
        )
    )
    run = house.pytest("test_other.py")
    assert "2 failed, 1 skipped" in run.output and "= FAILURES =" in run.output
    assert run.records == []


def test_the_summary_is_shown_when_asked_for(house: House) -> None:
    """With the rows of the scenarios."""
    house.write('@pytest.mark.scenario("S1.1")\ndef test_one() -> None: ...\n')
    (house.root / "cases" / "scenarios.toml").write_text(
        '[S1]\ntitle = "A title"\n[S1.rows]\n1 = "a claim"\n2 = "another"\n'
    )
    output = house.pytest("--conformance-summary").output
    assert "S1  A title" in output and "S1.2  not run" in output
    assert "1 cases: 1 passed" in output


def test_evidence_of_passed_cases_is_shown_when_asked_for(house: House) -> None:
    """Else it is for those that did not pass."""
    house.write("def test_one(lab: Lab) -> None: ...\n")
    assert "no program was started" in house.pytest("--evidence").output
    assert "no program was started" not in house.pytest().output


@pytest.mark.parametrize("text", ["0", "-1", "x", "100000"])
def test_a_deadline_that_is_none_is_refused(house: House, text: str) -> None:
    """By the option's name."""
    run = house.pytest(f"--deadline={text}")
    assert run.status == pytest.ExitCode.USAGE_ERROR
    assert "--deadline" in run.output
