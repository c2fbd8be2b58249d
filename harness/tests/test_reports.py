"""Results for other tools: TAP and a hosted CI's annotations."""

from pathlib import Path

import pytest

from harness.platform.identity import here
from harness.tests.test_plugin import House

CASES = '''
    def test_true() -> None:
        """One is one: always."""
        assert 1 == 1

    def test_false() -> None:
        """One is two: 100 %, never."""
        assert 1 == 2

    def test_differs() -> None:
        """One is three."""
        assert 1 == 3

    def test_broken() -> None:
        """Nothing."""
        raise Broken("no set-up")

    def test_lacking() -> None:
        """Something."""
        raise Unsupported("no #1 here")
'''
ENTRY = f"""
["one is one"]
case = "cases/test_it.py::test_differs"
platform = "{here().name}"
observed = "1"
reason = "arithmetic"
source = "RFC 1 §1"
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_other_tools_are_told(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Each verdict in their words, with the place in the source; marks that mean something to them are escaped."""
    house = House(tmp_path)
    house.write(CASES)
    (tmp_path / "cases" / "expectations.toml").write_text(ENTRY)
    done = house.pytest("--tap=out.tap", "--annotations=github", *workers)
    lines = (tmp_path / "out.tap").read_text().splitlines()
    assert lines[:2] == ["TAP version 13", "1..5"]
    results = {
        line.partition("::test_")[2]: line.split(" - ")[0] for line in lines if " - " in line
    }
    on = f" on {here().name}"
    assert {name: line.rstrip(" 12345") for name, line in results.items()} == {
        f"true{on}": "ok",
        f"false{on}": "not ok",
        f"differs{on} # TODO diverges: arithmetic (RFC 1 §1)": "not ok",
        f"broken{on}": "not ok",
        f"lacking{on} # SKIP no #1 here": "ok",
    }
    assert "    assert 1 == 2" in lines
    told = sorted(line for line in done.output.splitlines() if line.startswith("::"))
    source = (tmp_path / "cases" / "test_it.py").read_text().splitlines()
    place = source.index("def test_false() -> None:") + 1
    assert [line.partition(" ")[0] for line in told] == ["::error", "::error", "::notice"]
    title = f"failed on {here().name}%3A One is two%3A 100 %25%2C never."
    text = "assert 1 == 2%0Apytest cases/test_it.py::test_false"
    assert f"::error file=cases/test_it.py,line={place},title={title}::{text}" in told


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """In a line; the run is no success."""
    house = House(tmp_path)
    house.write('def test_it() -> None:\n        """It."""\n')
    done = house.pytest("--tap=nowhere/out.tap")
    assert done.status == 3 and "nowhere/out.tap: No such file or directory" in done.output
