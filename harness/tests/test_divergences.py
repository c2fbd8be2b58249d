"""Divergences in a pytest of its own: expected, other, stale, idle, without a source; with workers and without."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.platform.identity import here
from harness.tests.test_plugin import House, Run

CASES = '''
    SEEN = 2

    def test_one_is_two() -> None:
        """One is two.

        Folklore.
        """
        assert SEEN == 1

    def test_one_is_one() -> None:
        """One is one."""
        assert 1 == 1

    def test_it_comes() -> None:
        """It comes."""
        assert not SEEN
'''
ENTRY = """
["one is not two"]
case = "cases/test_it.py::test_one_is_two"
platform = "PLATFORM"
observed = "2"
reason = "arithmetic"
source = "RFC 1 §1"
["it does not come"]
case = "cases/test_it.py::test_it_comes"
platform = "PLATFORM"
observed = "no"
reason = "it is late"
source = "RFC 1 §2"
""".replace(
    "PLATFORM", here().name
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A checkout with these cases."""
    house = House(tmp_path)
    house.write(CASES)
    yield house


def run(house: House, entries: str, *arguments: str) -> Run:
    """Runs them with these expectations."""
    (house.root / "cases" / "expectations.toml").write_text(entries)
    return house.pytest(*arguments)


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_what_is_expected_diverges_and_is_not_red(house: House, workers: tuple[str, ...]) -> None:
    """In the record, the counts, a section of its own and JUnit; the claim's failure is not shown."""
    done = run(house, ENTRY, "--junitxml", "junit.xml", *workers)
    assert done.status == 0, done.output
    assert done.verdicts() == {
        "one_is_two": "diverges",
        "one_is_one": "passed",
        "it_comes": "diverges",
    }
    assert "2 diverges" in done.output and "= DIVERGES =" in done.output
    assert "arithmetic (RFC 1 §1)\n  cases/test_it.py::test_one_is_two" in done.output
    suite = ElementTree.parse(house.root / "junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "2")
    assert [p.get("value") for p in suite.iter("property")].count("diverges") == 2


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_stale_entry_is_red(house: House, workers: tuple[str, ...]) -> None:
    """It says what to do."""
    done = run(house, ENTRY.replace("one_is_two", "one_is_one"), *workers)
    assert done.status == 1
    assert done.verdicts()["one_is_one"] == "failed"
    assert "is stale" in done.output and "remove the entry" in done.output


def test_another_value_is_red(house: House) -> None:
    """Expected and seen are told, below the failed assertion."""
    done = run(house, ENTRY.replace('"2"', '"3"'))
    assert done.status == 1 and done.verdicts()["one_is_two"] == "failed"
    assert "expects '3', and it saw '2'" in done.output and "assert 2 == 1" in done.output


def test_an_entry_without_a_source_is_red(house: House) -> None:
    """Even if it is right."""
    done = run(house, ENTRY.replace("RFC 1 §1", ""))
    assert done.status == 1 and "'one is not two': it has no source" in done.output


@pytest.mark.parametrize("arguments", [(), ("-n", "2"), ("-k", "it_comes"), ("cases",)])
def test_an_entry_that_names_no_case_is_red(house: House, arguments: tuple[str, ...]) -> None:
    """Whatever was chosen to run."""
    done = run(
        house,
        ENTRY.replace("one_is_two", "one_is_three"),
        "--deselect=cases/test_it.py::test_one_is_two",
        *arguments,
    )
    assert done.status == 1
    assert "names no case: cases/test_it.py::test_one_is_three" in done.output


def test_where_not_all_cases_are_looked_for_none_is_missed(house: House) -> None:
    """One file, or one case, says nothing of the others."""
    entries = ENTRY.replace("test_it.py::test_one_is_two", "test_other.py::test_one_is_two")
    done = run(house, entries, "cases/test_it.py::test_it_comes")
    assert done.status == 0, done.output


def test_expectations_that_cannot_be_read_stop_the_run(house: House) -> None:
    """Before any case; in one line."""
    done = run(house, "[")
    assert done.status == 4 and "sockspec: cases/expectations.toml" in done.output
    assert "Traceback" not in done.output and not done.records


def test_a_record_tells_what_each_assertion_saw(house: House) -> None:
    """Those that held, and the one that did not."""
    house.write(
        '''
        def test_it() -> None:
            """It is."""
            two = 2
            assert two == 2
            assert two
            assert [two, 3.14159] == [1]
    '''
    )
    record: dict[str, Any] = house.pytest().records[0]
    assert [(seen["what"], seen["value"], seen["holds"]) for seen in record["seen"]] == [
        ("two == 2", "2", True),
        ("two", "yes", True),
        ("[two, 3.14159] == [1]", "[2, 3.14]", False),
    ]
    assert record["seen"][2]["wanted"] == "== [1]"


def test_the_last_line_says_how_many_were_to_run(house: House) -> None:
    """And whether these are all."""
    for arguments, everything in (
        ((), False),
        (("--slow",), True),
        (("--slow", "-k", "one"), False),
    ):
        house.pytest(*arguments)
        last = sorted((house.root / "build" / "results").glob("*.jsonl"))[-1]
        end = json.loads(last.read_text().splitlines()[-1])["end"]
        chosen = 2 if "-k" in arguments else 3
        assert end == {"planned": {here().name: chosen}, "everything": everything}
