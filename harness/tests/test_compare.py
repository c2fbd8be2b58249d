"""Baselines, and two results side by side: same, different, not comparable."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.build import current
from harness.errno_names import Errno
from harness.outcome import Outcome
from harness.records.baseline import Baseline, Given
from harness.records.compare import compared
from harness.records.results import SCHEMA, End, NotComparable, Record, Results
from harness.seen import Seen
from harness.verdict import Verdict

HERE = {"name": "linux-6.18-x86_64"}
IN_USE = Seen.compared("==", Outcome(errno=Errno.EADDRINUSE, number=98), Errno.EADDRINUSE)
ONE = Record("cases/test_a.py::test_one", Verdict.PASSED, platform=HERE, seen=[IN_USE])
TWO = Record("cases/test_a.py::test_two", Verdict.UNSUPPORTED, "not here", platform=HERE)


def written(path: Path, *records: Record, planned: int | None = None) -> Path:
    """A file of these records."""
    count = len(records) if planned is None else planned
    end = End({HERE["name"]: count}, everything=True)
    path.write_text("".join([*(record.line() for record in records), end.line()]))
    return path


def harness(root: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """`python3 -m harness` for a checkout."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=current().root,
        env={"SOCKSPEC_ROOT": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_baseline_has_a_line_for_each_case(tmp_path: Path) -> None:
    """In the order of their names; what was written is read."""
    baseline = Baseline.of("linux-6.18-x86_64", [TWO, ONE])
    path = tmp_path / "b.json"
    path.write_text(baseline.text())
    assert Baseline.load(path) == baseline
    lines = path.read_text().splitlines()
    assert lines[4:6] == [
        '"cases/test_a.py::test_one": ["passed", "EADDRINUSE (98)"],',
        '"cases/test_a.py::test_two": ["unsupported"]',
    ]
    assert baseline.text() == Baseline.of("linux-6.18-x86_64", [ONE, TWO]).text()


def test_the_same_is_the_same(tmp_path: Path) -> None:
    """A run and its own baseline; exit 0."""
    run = written(tmp_path / "run.jsonl", ONE, TWO)
    baseline = tmp_path / "b.json"
    baseline.write_text(Baseline.of(HERE["name"], [ONE, TWO]).text())
    done = harness(tmp_path, "compare", baseline, run)
    assert (done.returncode, done.stdout) == (0, "no case differs\n")


def test_every_transition_is_listed(tmp_path: Path) -> None:
    """Another value, another verdict, one gone, one new; exit 1."""
    other = replace(ONE, seen=[replace(IN_USE, value="EACCES", number=13)])
    three, four = (replace(TWO, case=f"cases/test_a.py::test_{n}") for n in ("three", "four"))
    before = written(tmp_path / "a.jsonl", ONE, TWO, three)
    after = written(tmp_path / "b.jsonl", other, replace(TWO, verdict=Verdict.PASSED), four)
    done = harness(tmp_path, "compare", before, after)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "linux-6.18-x86_64 cases/test_a.py::test_four: nothing -> unsupported",
        "linux-6.18-x86_64 cases/test_a.py::test_one: passed: EADDRINUSE (98) -> passed: EACCES (13)",
        "linux-6.18-x86_64 cases/test_a.py::test_three: unsupported -> nothing",
        "linux-6.18-x86_64 cases/test_a.py::test_two: unsupported -> passed",
        "4 cases differ",
    ]


def test_two_platforms_are_compared_when_each_file_has_one(tmp_path: Path) -> None:
    """An errno of another number is a difference."""
    there = replace(ONE, platform={"name": "linux-sparc64"}, seen=[replace(IN_USE, number=48)])
    before = written(tmp_path / "a.jsonl", ONE)
    after = tmp_path / "b.jsonl"
    after.write_text(there.line() + End({"linux-sparc64": 1}).line())
    [transition] = compared(before, after)
    assert (transition.before, transition.after) == (
        Given("passed", ("EADDRINUSE (98)",)),
        Given("passed", ("EADDRINUSE (48)",)),
    )


def damaged(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Files that nothing can be compared with, and what is said of them."""
    whole = written(tmp_path / "whole.jsonl", ONE, TWO).read_text()
    baseline = Baseline.of(HERE["name"], [ONE]).text()
    texts = {
        "empty.jsonl": ("", "empty"),
        "middle.jsonl": (whole[: len(ONE.line()) + 30], "cut off in the middle"),
        "unended.jsonl": (ONE.line() + TWO.line(), "cut off"),
        "short.jsonl": (written(tmp_path / "s", ONE, planned=2).read_text(), "has 1 of 2 results"),
        "none.jsonl": (End({}).line(), "no case has a result"),
        "other.jsonl": (whole.replace(f'"schema": {SCHEMA}', '"schema": 7'), "schema 7"),
        "strange.jsonl": (whole.replace('"duration": 0.0', '"duration": "long"'), "duration"),
        "unknown.jsonl": (whole.replace('"duration"', '"lasted"'), "has no lasted"),
        "garbage.jsonl": ("x\n" + whole, "no record"),
        "empty.json": ("", "empty"),
        "middle.json": (baseline[:-30], "cut off"),
        "caseless.json": (json.dumps({"schema": SCHEMA, "platform": "x", "cases": {}}), "empty"),
        "other.json": (baseline.replace(f'"schema": {SCHEMA}', '"schema": 7'), "schema 7"),
        "list.json": ("[]", "no baseline"),
        "value.json": (baseline.replace('["passed", "EADDRINUSE (98)"]', "7"), "no verdict"),
    }
    for name, (text, _) in texts.items():
        (tmp_path / name).write_text(text)
    files = {name: (tmp_path / name, why) for name, (_, why) in texts.items()}
    return {**files, "missing.jsonl": (tmp_path / "missing.jsonl", "No such file")}


@pytest.mark.parametrize(
    "name",
    [
        *("missing.jsonl", "empty.jsonl", "middle.jsonl", "unended.jsonl", "short.jsonl"),
        *("none.jsonl", "other.jsonl", "strange.jsonl", "unknown.jsonl", "garbage.jsonl"),
        *("empty.json", "middle.json", "caseless.json", "other.json", "list.json", "value.json"),
    ],
)
def test_what_cannot_be_relied_on_is_not_comparable(tmp_path: Path, name: str) -> None:
    """As the one or as the other; it says which file and what is wrong."""
    path, why = damaged(tmp_path)[name]
    good = written(tmp_path / "good.jsonl", ONE, TWO)
    for pair in ((path, good), (good, path)):
        with pytest.raises(NotComparable, match=why) as raised:
            compared(*pair)
        assert str(path) in str(raised.value)


def test_not_comparable_exits_2(tmp_path: Path) -> None:
    """With one message."""
    done = harness(tmp_path, "compare", tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert done.returncode == 2 and done.stderr.startswith("sockspec: ") and not done.stdout


def test_what_was_recorded_before_the_cut_is_there(tmp_path: Path) -> None:
    """Nothing of it is lost."""
    path, _ = damaged(tmp_path)["middle.jsonl"]
    results = Results.of(path)
    assert [record.case for record in results.records] == [ONE.case] and results.trouble


def test_record_writes_the_baseline_of_a_whole_run(tmp_path: Path) -> None:
    """And refuses one that is red, or of which cases were left out."""
    run = written(tmp_path / "run.jsonl", ONE, TWO)
    done = harness(tmp_path, "record", run)
    assert done.returncode == 0, done.stderr
    recorded = Baseline.load(tmp_path / "baselines" / "linux-6.18-x86_64.json")
    assert recorded == Baseline.of(HERE["name"], [ONE, TWO])

    red = harness(tmp_path, "record", written(run, replace(ONE, verdict=Verdict.FAILED), TWO))
    assert (
        red.returncode == 2 and "failed linux-6.18-x86_64 cases/test_a.py::test_one" in red.stderr
    )
    run.write_text(ONE.line() + End({HERE["name"]: 1}).line())
    some = harness(tmp_path, "record", run)
    assert some.returncode == 2 and "run all of them: pytest --slow cases" in some.stderr
    assert Baseline.load(tmp_path / "baselines" / "linux-6.18-x86_64.json") == recorded


def test_some_cases_are_taken_into_a_baseline(tmp_path: Path) -> None:
    """The others stay as they are; what is red is none, and there must be a baseline."""
    other = replace(TWO, verdict=Verdict.PASSED, message="")
    some = tmp_path / "some.jsonl"
    some.write_text(other.line() + End({HERE["name"]: 1}).line())
    assert harness(tmp_path, "record", "--update", some).returncode == 2
    assert harness(tmp_path, "record", written(tmp_path / "all.jsonl", ONE, TWO)).returncode == 0
    assert harness(tmp_path, "record", "--update", some).returncode == 0
    recorded = Baseline.load(tmp_path / "baselines" / "linux-6.18-x86_64.json")
    assert recorded == Baseline.of(HERE["name"], [ONE, other])
    some.write_text(replace(ONE, verdict=Verdict.BROKEN).line() + End({HERE["name"]: 1}).line())
    assert harness(tmp_path, "record", "--update", some).returncode == 2


def test_one_variant_of_a_claim_does_not_take_the_place_of_all(tmp_path: Path) -> None:
    """It is a baseline where there is none."""
    four, six = (replace(ONE, case=f"cases/test_a.py::test_one[{ip}]") for ip in ("IPv4", "IPv6"))
    first = written(tmp_path / "first.jsonl", four)
    assert harness(tmp_path, "record", first).returncode == 0
    assert harness(tmp_path, "record", written(tmp_path / "all.jsonl", four, six)).returncode == 0
    again = harness(tmp_path, "record", first)
    assert again.returncode == 2 and "lacks 1 variants that linux-6.18-x86_64.json" in again.stderr
    recorded = Baseline.load(tmp_path / "baselines" / "linux-6.18-x86_64.json")
    assert set(recorded.cases) == {four.case, six.case}


def test_expect_proposes_what_stays_red(tmp_path: Path) -> None:
    """It adds to what there is, once."""
    failed = replace(ONE, verdict=Verdict.FAILED, claim="bind() succeeds.")
    run = written(tmp_path / "run.jsonl", failed, TWO)
    file = tmp_path / "cases" / "expectations.toml"
    file.parent.mkdir()
    file.write_text("# What differs.\n")
    shown = harness(tmp_path, "expect", run)
    assert 'observed = "EADDRINUSE"' in shown.stdout and file.read_text() == "# What differs.\n"
    assert "1 more" in harness(tmp_path, "expect", "--update", run).stdout
    assert file.read_text().startswith("# What differs.\n\n[") and 'source = ""' in file.read_text()
    assert "nothing to propose" in harness(tmp_path, "expect", "--update", run).stdout
