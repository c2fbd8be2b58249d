"""The gate, in a pytest of its own: whatever changed against what is recorded is red, and says what to do."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.platform.identity import here
from harness.tests.test_compare import harness
from harness.tests.test_plugin import House

CASES = '''
    def test_one() -> None:
        """One is one."""
        assert 1 + 0 == 1

    def test_two() -> None:
        """Two is two."""
        assert 1 + 1 == 2

    @pytest.mark.slow
    def test_three() -> None:
        """Three is three."""
        assert 1 + 2 == 3
'''


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A checkout with these cases, and a baseline of them."""
    house = House(tmp_path)
    house.write(CASES)
    assert house.pytest("--slow").status == 0
    done = harness(tmp_path, "record")
    assert done.returncode == 0, done.stderr
    yield house


def baseline(house: House) -> Path:
    """Its file."""
    return house.root / "baselines" / f"{here().name}.json"


def edit(file: Path, old: str, new: str) -> None:
    """Changes a piece that is there."""
    text = file.read_text()
    assert old in text
    later = file.stat().st_mtime + 2
    file.write_text(text.replace(old, new))
    # What Python has compiled it knows by whole seconds, and by the size.
    os.utime(file, (later, later))


@pytest.mark.parametrize(
    "arguments", [(), ("--slow",), ("--slow", "-n", "2"), ("-k", "two"), ("cases/test_it.py",)]
)
def test_what_is_as_recorded_is_green(house: House, arguments: tuple[str, ...]) -> None:
    """Of all cases, and of some."""
    done = house.pytest("--baseline=auto", *arguments)
    assert done.status == 0 and "baseline: as recorded" in done.output, done.output


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_changed_value_is_red(house: House, workers: tuple[str, ...]) -> None:
    """It says which, from what to what, and what to do."""
    edit(baseline(house), '["passed", "2"]', '["passed", "3"]')
    done = house.pytest("--baseline=auto", *workers)
    assert done.status == 1
    assert "cases/test_it.py::test_two: passed: 3 -> passed: 2" in done.output
    assert "find out why" in done.output and "python3 -m harness record" in done.output


def test_a_deleted_entry_is_red(house: House) -> None:
    """A case that nothing is recorded of is no success."""
    lines = baseline(house).read_text().splitlines(keepends=True)
    baseline(house).write_text("".join(line for line in lines if "test_one" not in line))
    done = house.pytest("--baseline=auto")
    assert done.status == 1
    assert "test_one: nothing -> passed: 1" in done.output
    assert "it is not in the baseline" in done.output


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_case_that_is_gone_is_red(house: House, workers: tuple[str, ...]) -> None:
    """Even if nobody asked for it this time."""
    edit(house.root / "cases" / "test_it.py", "test_three", "test_four")
    done = house.pytest("--baseline=auto", *workers)
    assert done.status == 1
    assert "test_three: passed: 3 -> nothing" in done.output
    assert "there is no such case" in done.output


def test_a_stale_expectation_is_red(house: House) -> None:
    """The gate tells of the verdict that it makes."""
    (house.root / "cases" / "expectations.toml").write_text(
        f"""
        ["two is not two"]
        case = "cases/test_it.py::test_two"
        platform = "{here().name}"
        observed = "5"
        reason = "arithmetic"
        source = "RFC 1 §1"
        """
    )
    done = house.pytest("--baseline=auto")
    assert done.status == 1
    assert "is stale" in done.output and "test_two: passed: 2 -> failed: 2" in done.output


def stopping(house: House, statement: str) -> None:
    """Has the second case stop whoever runs it."""
    edit(house.root / "cases" / "test_it.py", "assert 1 + 1", f"{statement}; assert 1 + 1")


def test_a_run_that_stops_in_the_middle_is_red(house: House) -> None:
    """What gave nothing is told; the file of records is no result either, and keeps what there was."""
    stopping(house, "pytest.exit('no more', 0)")
    done = house.pytest("--baseline=auto")
    assert done.status != 0
    assert "test_two: passed: 2 -> nothing\n  it was to run, and gave nothing" in done.output
    assert done.verdicts() == {"one": "passed"}
    file = sorted((house.root / "build" / "results").glob("*.jsonl"))[-1]
    compared = harness(house.root, "compare", baseline(house), file)
    assert compared.returncode == 2 and "has 1 of 2 results" in compared.stderr


def test_a_worker_that_dies_in_the_middle_is_red(house: House) -> None:
    """Its case is broken, the others are as they were."""
    stopping(house, "os.kill(os.getpid(), signal.SIGKILL)")
    done = house.pytest("--baseline=auto", "-n", "1")
    assert done.status == 1
    assert "test_two: passed: 2 -> broken" in done.output
    assert done.verdicts() == {"one": "passed", "two": "broken"}


def test_without_a_baseline_nothing_is_comparable(house: House) -> None:
    """Exit 2; it says how to record one."""
    baseline(house).unlink()
    done = house.pytest("--baseline=auto")
    assert done.status == 2
    assert f"nothing is recorded of {here().name}: record it" in done.output


@pytest.mark.parametrize("text", ["", "{", '{"schema": 9}'])
def test_a_damaged_baseline_is_not_comparable(house: House, text: str) -> None:
    """Exit 2, with the file's name."""
    baseline(house).write_text(text)
    done = house.pytest(f"--baseline={baseline(house)}")
    assert done.status == 2 and str(baseline(house)) in done.output
    assert "Traceback" not in done.output


def test_where_nothing_runs_nothing_is_as_recorded(house: House) -> None:
    """An empty result is no pass."""
    done = house.pytest("--baseline=auto", "-k", "nothing")
    assert done.status != 0 and "nothing is as recorded" in done.output


def test_the_gate_is_shut_for_a_failure_too(house: House) -> None:
    """The failure is red anyway; the gate tells what it was before."""
    edit(house.root / "cases" / "test_it.py", "1 + 0 ==", "1 + 4 ==")
    done = house.pytest("--baseline=auto")
    assert done.status == 1 and "test_one: passed: 1 -> failed: 5" in done.output


def test_a_hosted_ci_shows_what_changed(house: House) -> None:
    """Each difference is an annotation."""
    edit(baseline(house), '["passed", "2"]', '["passed", "3"]')
    done = house.pytest("--baseline=auto", "--annotations=github")
    [told] = [line for line in done.output.splitlines() if line.startswith("::error")]
    assert "test_two: passed: 3 -> passed: 2%0A  find out why" in told


@pytest.fixture
def two(house: House) -> str:
    """A platform more, with a baseline of its own. What asks for both."""
    command = house.root / "two"
    command.write_text('#!/bin/sh\nWHERE=two exec /usr/bin/python3 "$@"\n')
    command.chmod(0o755)
    both = f"--platform=linux,python={command}"
    done = house.pytest("--slow", both)
    assert done.status == 0, done.output
    assert harness(house.root, "record").returncode == 0
    return both


def test_each_platform_has_its_own_baseline(house: House, two: str) -> None:
    """A value that changed on one is told of that one; an entry that names no case is seen as well."""
    assert house.pytest("--baseline=auto", two).status == 0
    edit(house.root / "baselines" / "two.json", '["passed", "2"]', '["passed", "3"]')
    (house.root / "cases" / "expectations.toml").write_text(
        '["x"]\ncase = "no"\nplatform = "two"\nobserved = "1"\nreason = "r"\nsource = "RFC 1"\n'
    )
    done = house.pytest("--baseline=auto", two)
    assert done.status == 1
    assert "two cases/test_it.py::test_two: passed: 3 -> passed: 2" in done.output
    assert f"{here().name} cases" not in done.output and "names no case: no" in done.output


def test_what_is_left_out_for_its_time_is_not_missed(house: House) -> None:
    """A slow case that is collected for a platform where time is fast, and run nowhere else without --slow."""
    (house.root / "a-fast-time").write_text('#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    (house.root / "a-fast-time").chmod(0o755)
    both = f"--platform=linux,python={house.root}/a-fast-time"
    assert house.pytest("--slow", both).status == 0
    assert harness(house.root, "record").returncode == 0
    done = house.pytest("--baseline=auto", both)
    assert done.status == 0 and done.verdicts()["three"] == "unsupported", done.output


def test_a_platform_that_stops_in_mid_run_is_red(house: House, two: str) -> None:
    """What it did not run is told; the other platform is as recorded."""
    edit(
        house.root / "cases" / "test_it.py",
        "assert 1 + 1",
        "os.getenv('WHERE') == 'two' and os._exit(3); assert 1 + 1",
    )
    done = house.pytest("--baseline=auto", two)
    assert done.status == 2
    assert "two cases/test_it.py::test_two: passed: 2 -> broken" in done.output
    assert "find out why" in done.output and f"{here().name} cases" not in done.output


def test_a_platform_that_cannot_start_is_red(house: House, two: str) -> None:
    """Each of its cases gave nothing, or it is told why there are none."""
    (house.root / "two").write_text("#!/bin/sh\nexit 7\n")
    done = house.pytest("--baseline=auto", two)
    assert done.status == 2 and "it exited 7 before it said hello" in done.output
