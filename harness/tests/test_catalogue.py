"""The catalogue of behaviours and the page that is made of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.records import catalogue
from harness.records.catalogue import Catalogue, CatalogueError, Collected, Family
from harness.records.results import Record
from harness.reports import behaviours
from harness.verdict import Verdict

BIND = Family("A", "bind", "Who may have a port.", {"A1": "taken", "A2": "shared", "A3": "far"})
CATALOGUE = Catalogue([BIND], {"A3": "there is no moon"})
TAKEN = Collected("cases/test_it.py::test_taken[4]", "It is taken.", "RFC 1.", (), ("A1",))
CASES = [
    TAKEN,
    replace(TAKEN, case="cases/test_it.py::test_taken[6]"),
    Collected("cases/check_it.c::shared", "It is | shared.", "RFC 2.", (), ("A2",)),
]


def ran(case: str, verdict: Verdict = Verdict.PASSED) -> Record:
    """A record whose bind said EADDRINUSE."""
    seen = ({"call": "bind", "nth": 1, "errno": "EADDRINUSE", "number": 98},)
    return Record(case, verdict, observations=seen, platform={"name": "linux-6.18-x86_64"})


def test_what_goes_together_has_no_complaints() -> None:
    """Each row has a case, or a reason why not."""
    assert catalogue.complaints(CATALOGUE, CASES) == []


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (CASES[:2], "A2: no case, and no reason why"),
        (
            [*CASES, replace(TAKEN, behaviour=("Z9",))],
            "Z9: no such row, in cases/test_it.py::test_taken",
        ),
        ([*CASES, replace(TAKEN, behaviour=("A3",))], "A3: has a case, and a reason why not"),
        (
            [*CASES, replace(TAKEN, case="cases/test_it.py::test_bare", sources="")],
            "cases/test_it.py::test_bare: its docstring lacks a claim or a source",
        ),
    ],
)
def test_each_kind_of_complaint(wrong: list[Collected], complaint: str) -> None:
    """One sentence each, which names the row or the case."""
    assert catalogue.complaints(CATALOGUE, wrong) == [complaint]


CALLS = replace(BIND, rows={"A1": "bind, listen"}, unreachable={"bind ENOBUFS": "memory is left"})


def test_an_unreachable_errno_stands_under_the_row_of_its_call() -> None:
    """A row may name several calls."""
    excusing = Catalogue([CALLS], {})
    assert catalogue.complaints(excusing, CASES[:2]) == []
    made = behaviours.page(excusing, CASES[:2], [])
    assert made.sections[0].entries[0].unreachable == {"bind ENOBUFS": "memory is left"}
    assert "bind ENOBUFS: no case | memory is left" in behaviours.markdown(made, "../")
    assert "<code>bind ENOBUFS</code> has no case: memory is left." in behaviours.html(made, "../")


def test_an_unreachable_errno_of_no_call_is_a_complaint() -> None:
    """It would be shown nowhere."""
    stray = Catalogue([replace(CALLS, unreachable={"accept ENOBUFS": "memory is left"})], {})
    assert catalogue.complaints(stray, CASES[:2]) == ["accept ENOBUFS: no row of A names that call"]


def test_an_unreachable_errno_that_a_case_claims_is_a_complaint() -> None:
    """It was reached."""
    reaching = [replace(TAKEN, about=("bind", "ENOBUFS"))]
    assert catalogue.complaints(Catalogue([CALLS], {}), reaching) == [
        "bind ENOBUFS: has a case, and is called unreachable"
    ]


def test_the_catalogue_of_this_checkout_has_unreachable_errnos() -> None:
    """Each says why."""
    *_, rules = catalogue.load(Path(__file__).parents[2] / "cases/behaviours.toml").families
    assert rules.unreachable["bind ENOBUFS"]


def test_a_reason_for_no_row_is_a_complaint() -> None:
    """What is left of a row that went away shows itself."""
    stale = Catalogue([BIND], {"A3": "there is no moon", "A4": "gone"})
    assert catalogue.complaints(stale, CASES) == ["A4: no such row, under [without]"]


@pytest.mark.parametrize(
    "text", ["[A", '[A]\ntitle = "bind"', "A = 1", '[A]\ntitle = ""\nlearn = ""\nrows = 1']
)
def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    """By its file."""
    file = tmp_path / "behaviours.toml"
    file.write_text(text)
    with pytest.raises(CatalogueError, match="behaviours.toml"):
        catalogue.load(file)


def test_a_list_without_a_case_is_an_error(tmp_path: Path) -> None:
    """An empty list would find nothing amiss."""
    (tmp_path / "cases.jsonl").write_text("")
    with pytest.raises(CatalogueError, match="no case in it"):
        catalogue.read(tmp_path / "cases.jsonl")


def test_the_page_counts_claims_and_items() -> None:
    """Variants are items of one claim."""
    made = behaviours.page(CATALOGUE, CASES, [])
    assert (made.claims, made.items, made.sourced) == (2, 3, 2)
    assert [len(entry.lines) for entry in made.sections[0].entries] == [1, 1, 0]


def test_the_page_says_what_was_seen() -> None:
    """The values of a claim that holds, the worst verdict of one that does not."""
    records = [ran(CASES[0].case), ran(CASES[1].case, Verdict.FAILED), ran(CASES[2].case)]
    taken, shared, _ = behaviours.page(CATALOGUE, CASES, records).sections[0].entries
    assert taken.lines[0].seen == "failed"
    assert shared.lines[0].seen == "bind EADDRINUSE"


def test_what_did_not_run_is_not_shown_as_seen() -> None:
    """Nothing was seen of it."""
    taken, *_ = behaviours.page(CATALOGUE, CASES, []).sections[0].entries
    assert taken.lines[0].seen == "not run"


def test_a_bar_does_not_break_the_table() -> None:
    """In Markdown it would begin a column."""
    text = behaviours.markdown(behaviours.page(CATALOGUE, CASES, []), "../")
    assert "It is \\| shared." in text
    assert "there is no moon" in text


def test_the_page_in_html_is_whole() -> None:
    """It refers to sources and to nothing that has to be loaded."""
    text = behaviours.html(behaviours.page(CATALOGUE, CASES, []), "../")
    assert "http" not in text
    assert '<a href="../cases/check_it.c">It is | shared.</a>' in text
