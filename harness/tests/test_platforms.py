"""`--platform`: every case on every platform, and what becomes of a platform that does not do its part."""

import json
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from harness.platform.plan import Asked, UnknownPlatform, asked
from harness.tests.test_machines import RESETS, image, needs_qemu
from harness.tests.test_plugin import House, Run

CASES = '''
    WHERE = os.environ.get("WHERE", "here")

    @pytest.mark.parametrize("number", range(8))
    def test_it(number: int) -> None:
        """It holds everywhere."""

    def test_there() -> None:
        """It does not hold on two."""
        assert WHERE != "two"
'''


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A checkout of the test's own."""
    house = House(tmp_path)
    house.write(CASES)
    return house


def platform(house: House, name: str, script: str = 'WHERE={name} exec python3 "$@"') -> str:
    """A platform of a kind: a command that looks like a python, and says which it is. What asks for it."""
    command = house.root / name
    python = "/usr/bin/python3"
    command.write_text("#!/bin/sh\n" + script.format(name=name).replace("python3", python) + "\n")
    command.chmod(0o755)
    return f"python={command}"


def verdicts(run: Run, name: str) -> Counter[str]:
    """How many of each verdict a platform has."""
    return Counter(r["verdict"] for r in run.records if r["platform"]["name"] == name)


def test_every_case_goes_to_every_platform(house: House) -> None:
    """And each has a verdict of its own there: in the records, in JUnit, in the report."""
    two = platform(house, "two")
    run = house.pytest("--platform", f"linux*2,{two}", "--junitxml", "junit.xml")
    assert run.status == 1
    here = next(r["platform"]["name"] for r in run.records if r["platform"]["asked"] == "linux")
    assert verdicts(run, here) == {"passed": 9}
    assert verdicts(run, "two") == {"passed": 8, "failed": 1}
    assert "1 failed, 17 passed" in run.output
    assert f"{two}: 1 failed, 8 passed" in run.output
    suite = ElementTree.parse(house.root / "junit.xml").getroot()[0]
    names = [(case.get("classname"), case.get("name")) for case in suite]
    assert len(set(names)) == 18 and ("two.cases.test_it", "test_there") in names
    named = Counter(p.get("value") for p in suite.iter("property") if p.get("name") == "platform")
    assert named == {here: 9, "two": 9}


def test_a_record_names_its_platform_in_full(house: House) -> None:
    """And how the case is run there alone."""
    run = house.pytest("--platform", platform(house, "two"), "-k", "there")
    record = run.records[0]
    for part in ("name", "release", "machine", "libc", "abi", "asked"):
        assert record["platform"][part]
    assert record["replay"].startswith("pytest --platform python=")
    assert "test_there on two ___" in run.output and "test_there on two - " in run.output


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo no luck >&2; exit 7", "it could not start: it exited 7 before it said hello"),
        ("kill -KILL $$", "it could not start: it was killed by SIGKILL before it said hello"),
        ("echo luck", "it could not start: it said 'luck\\n' instead of hello"),
    ],
)
def test_a_platform_that_cannot_start_is_told(house: House, script: str, reason: str) -> None:
    """With the reason and the last it said; the rest goes on, and the run is no success."""
    run = house.pytest("--platform", f"linux,{platform(house, 'two', script)}", "-k", "test_it")
    assert run.status == 2
    assert reason in run.output and "linux: " in run.output
    assert ("| no luck" in run.output) == ("no luck" in script)
    assert Counter(record["verdict"] for record in run.records) == {"passed": 9}


def test_where_no_platform_can_start_nothing_is_run(house: House) -> None:
    """Not even here."""
    run = house.pytest("--platform", platform(house, "two", "exit 1"))
    assert run.status == 2 and run.records == []


@needs_qemu
def test_a_kernel_that_panics_is_told(house: House) -> None:
    """With its last words; what ran elsewhere is recorded."""
    kernel = image(house.root / "bzImage", RESETS)
    run = house.pytest("--platform", f"linux,kernel={kernel}", "-k", "test_it")
    assert run.status == 2
    assert "it could not start: it exited 0 before it said hello" in run.output
    assert "| Kernel panic - not syncing: no luck" in run.output
    assert Counter(record["verdict"] for record in run.records) == {"passed": 9}


def test_a_platform_that_stops_in_mid_run_has_its_remaining_cases_broken(house: House) -> None:
    """The one that it was at, and those that nobody ran; others go on."""
    house.write(CASES + "\n    def test_last() -> None:\n        pass\n")
    text = (house.root / "cases" / "test_it.py").read_text()
    (house.root / "cases" / "test_it.py").write_text(
        text.replace('    assert WHERE != "two"', '    if WHERE == "two": os._exit(3)')
    )
    run = house.pytest("--platform", f"linux,{platform(house, 'two')}")
    assert run.status == 2
    assert verdicts(run, "two") == {"passed": 8, "broken": 2}
    told = [record for record in run.records if record["platform"]["name"] == "two"]
    messages = {r["case"].rpartition("_")[2]: r["message"] for r in told}
    assert messages["there"] == "the platform stopped while it ran: it exited 3"
    assert messages["last"] == "the platform stopped before it ran: it exited 3"
    assert "18 passed, 2 broken" in run.output and "it stopped: it exited 3" in run.output


def test_a_platform_that_collects_less_is_told(house: House) -> None:
    """Which platform, and which cases, each broken there."""
    text = (house.root / "cases" / "test_it.py").read_text()
    (house.root / "cases" / "test_it.py").write_text(text + '\nif WHERE == "two": del test_there\n')
    run = house.pytest("--platform", f"linux,{platform(house, 'two')}")
    assert run.status == 2
    assert verdicts(run, "two") == {"passed": 8, "broken": 1}
    assert "two: it did not collect 1 case" in run.output.replace(str(house.root), "")
    assert "cases/test_it.py::test_there" in run.output


def test_the_end_of_the_records_counts_a_platform_that_did_not_start(house: House) -> None:
    """So that nobody takes the file for whole."""
    two = platform(house, "two", "exit 1")
    house.pytest("--platform", f"linux,{two}")
    file = next((house.root / "build" / "results").glob("*.jsonl"))
    planned = json.loads(file.read_text().splitlines()[-1])["end"]["planned"]
    assert planned["two"] == 9 and len(planned) == 2


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("gvisor", "it needs runsc, the Debian package of that name: harness/setup.sh matrix"),
        ("sparc64", "need qemu-sparc64, which is not here: install the Debian package qemu-user"),
        ("linux-6.12", "no apt-get to fetch Debian's: name one by kernel=PATH"),
        ("kernel=bzImage", "it needs the Debian packages qemu-system-x86"),
        ("kernel=none", "No such file or directory"),
    ],
)
def test_what_a_platform_needs_is_named(house: House, name: str, needs: str) -> None:
    """Where nothing is installed; nothing runs."""
    image(house.root / "bzImage", b"")
    (house.root / "empty").mkdir()
    run = house.pytest("--platform", name, PATH=f"{house.root}/empty")
    assert run.status == 2 and run.records == []
    assert "no platform can start" in run.output and needs in run.output


@pytest.mark.parametrize("name", ["nonesuch", "linux*0", "", "linux,,linux"])
def test_an_unknown_platform_is_a_usage_error(house: House, name: str) -> None:
    """Which says what there is; nothing runs."""
    run = house.pytest("--platform", name)
    assert run.status == 2 and run.records == []
    assert "there is no platform" in run.output and "there are linux" in run.output


def test_platforms_bring_their_own_workers(house: House) -> None:
    """-n says something else."""
    run = house.pytest("--platform", "linux", "-n", "2")
    assert run.status == pytest.ExitCode.USAGE_ERROR and "leave -n and --tx out" in run.output


def test_platforms_are_asked_for_by_name_and_number() -> None:
    """In one list or in several; one that is named twice is one."""
    assert asked(["linux*2, python=a b", "linux"]) == [Asked("linux"), Asked("python=a b")]
    assert asked(["linux*12"]) == [Asked("linux", 12)]
    with pytest.raises(UnknownPlatform, match="'beos'"):
        asked(["linux,beos"])
