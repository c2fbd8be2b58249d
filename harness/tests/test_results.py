"""Result records, the scenarios' table and the summary."""

import io
from datetime import datetime
from pathlib import Path

import pytest

from harness import Verdict
from harness.records.results import Claim, Merger, Record, ResultFile, read, replay
from harness.records.scenarios import Scenario, ScenarioError, cases_by_row, load, table, with_table
from harness.reports.summary import plain, row_verdict, write

START = datetime(2025, 1, 2, 3, 4, 5, 6)
PASSED = Record("cases/test_a.py::test_one", Verdict.PASSED, scenario=("S1.1",), duration=0.01)
FAILED = Record(
    "cases/test_a.py::test_two",
    Verdict.FAILED,
    "assert 1 == 2",
    scenario=("S1.1",),
    claim="One is two.",
)
LACKING = Record("cases/test_a.py::test_three", Verdict.UNSUPPORTED, "no root here")
SCENARIOS = [Scenario("S1", "A title", {"S1.1": "a claim", "S1.2": "another claim"})]


def test_a_record_survives_its_file(tmp_path: Path) -> None:
    """What was written is read."""
    file = ResultFile(tmp_path / "results", START)
    file.add(PASSED)
    file.add(FAILED)
    file.close()
    assert file.path.name == "2025-01-02T03-04-05.000006.jsonl"
    assert [record.case for record in read(file.path)] == [PASSED.case, FAILED.case]
    assert next(read(file.path)) == PASSED


def test_without_a_record_there_is_no_file(tmp_path: Path) -> None:
    """A run that selects nothing leaves nothing."""
    ResultFile(tmp_path, START).close()
    assert list(tmp_path.iterdir()) == []


def test_a_cut_line_is_passed_over(tmp_path: Path) -> None:
    """Its writer was killed."""
    path = tmp_path / "cut.jsonl"
    path.write_text(PASSED.line() + FAILED.line()[:40])
    assert [record.case for record in read(path)] == [PASSED.case]


def test_the_first_phase_that_is_not_good_decides() -> None:
    """A clean-up that goes wrong breaks a case that passed, and changes nothing for one that failed."""
    broken = Record(PASSED.case, Verdict.BROKEN)
    merger = Merger()
    assert merger.add("a", 1.0, None, last=False) is None
    assert merger.add("a", 2.0, PASSED, last=False) is None
    done = merger.add("a", 4.0, broken, last=True)
    assert done is not None and (done.verdict, done.duration) == (Verdict.BROKEN, 7.0)
    merger.add("b", 1.0, FAILED, last=False)
    done = merger.add("b", 1.0, broken, last=True)
    assert done is not None and done.verdict is Verdict.FAILED


def test_a_docstring_is_a_claim_and_its_sources() -> None:
    """The first paragraph and the rest, each in one line."""
    claim = Claim.of("bind() says\n    EADDRINUSE.\n\n    RFC 9293;\n    POSIX.\n    ")
    assert claim == Claim("bind() says EADDRINUSE.", "RFC 9293; POSIX.")
    assert Claim.of(None) == Claim("", "")


def test_a_replay_says_what_the_case_needs() -> None:
    """--slow, the build mode, and quotes."""
    assert replay("cases/a.py::t", False, "release") == "pytest cases/a.py::t"
    assert replay("cases/a.py::t[a b]", True, "san") == "SAN=1 pytest --slow 'cases/a.py::t[a b]'"


def test_cases_are_found_by_their_marker(tmp_path: Path) -> None:
    """On functions, classes and whole modules, without importing them."""
    (tmp_path / "test_a.py").write_text(
        """
raise SystemExit
pytestmark = pytest.mark.scenario("S1.1")
@pytest.mark.waits
@pytest.mark.scenario("S1.2", "S1.3")
def test_one(lab): ...
class TestGroup:
    @pytest.mark.scenario("S1.2")
    def test_two(self, lab): ...
def helper(): ...
"""
    )
    one, two = "test_a.py::test_one", "test_a.py::TestGroup::test_two"
    assert cases_by_row(tmp_path) == {"S1.1": [one, two], "S1.2": [one, two], "S1.3": [one]}


def test_the_table_lists_every_row() -> None:
    """Those without a case, too."""
    text = table(SCENARIOS, {"S1.1": ["test_a.py::test_one", "test_b.py::test_two"]})
    assert "| S1.1 | a claim | `one`<br>`two` |" in text
    assert "| S1.2 | another claim | none yet |" in text


def test_a_row_that_does_not_exist_is_an_error() -> None:
    """It says which, and where."""
    with pytest.raises(ScenarioError, match="S9.9 in test_a.py::test_one"):
        table(SCENARIOS, {"S9.9": ["test_a.py::test_one"]})


def test_the_readme_keeps_what_is_around_the_table() -> None:
    """And the table is replaced, not added to."""
    readme = "above\n<!-- scenarios:begin -->\nold\n<!-- scenarios:end -->\nbelow\n"
    once = with_table(readme, "new")
    assert once == "above\n<!-- scenarios:begin -->\n\nnew\n\n<!-- scenarios:end -->\nbelow\n"
    assert with_table(once, "new") == once
    with pytest.raises(ScenarioError, match="lacks"):
        with_table("nothing", "new")


def test_a_table_that_is_no_table_is_an_error(tmp_path: Path) -> None:
    """In one line that names the file."""
    (tmp_path / "s.toml").write_text("[S1]\ntitle = 1\n")
    with pytest.raises(ScenarioError, match="s.toml"):
        load(tmp_path / "s.toml")


def test_a_row_is_as_bad_as_its_worst_case() -> None:
    """And a row without a case was not run."""
    assert row_verdict([PASSED, FAILED], "S1.1") == ("failed", 2)
    assert row_verdict([PASSED], "S1.1") == ("passed", 1)
    assert row_verdict([PASSED], "S1.2") == ("not run", 0)


def test_the_summary_tells_all_a_person_asks() -> None:
    """Scenarios, claims, verdicts, what is unsupported and why, how long it took."""
    text = plain([PASSED, FAILED, LACKING], SCENARIOS, 1.5)
    for part in (
        "S1  A title",
        "S1.1  failed        2 cases  a claim",
        "S1.2  not run       0 cases  another claim",
        "failed: One is two.\n  assert 1 == 2",
        "unsupported: no root here\n  cases/test_a.py::test_three",
        "3 cases: 1 passed, 1 unsupported, 1 failed",
        "in 1.5 s; the median case took 0 ms",
    ):
        assert part in text


def test_the_summary_is_plain_where_there_is_no_terminal() -> None:
    """No colour in a file."""
    file = io.StringIO()
    write([PASSED], SCENARIOS, 1.0, file)
    assert file.getvalue() == plain([PASSED], SCENARIOS, 1.0)
    assert "\x1b" not in file.getvalue()
