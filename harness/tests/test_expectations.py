"""Ranges of platforms, what assertions saw, and what is expected to differ."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errno_names import Errno
from harness.fact import Fact
from harness.outcome import Outcome
from harness.records.expectations import ExpectationError, Expectations, proposed
from harness.records.ranges import Range, RangeError
from harness.records.results import Record
from harness.seen import Seen, settled, shown
from harness.trace.sockets import State
from harness.verdict import Verdict

CASE = "cases/test_a.py::test_rebinds[IPv4]"
IN_USE = Outcome(errno=Errno.EADDRINUSE, number=48)
FAILED = Record(
    CASE,
    Verdict.FAILED,
    "assert EADDRINUSE (48) == 0",
    claim="bind() succeeds.",
    platform={"name": "linux-6.1-x86_64"},
    seen=[Seen.compared("==", IN_USE, 0)],
)
PASSED = replace(FAILED, verdict=Verdict.PASSED, message="")
ENTRY = """
["bind() does not succeed"]
case = "cases/test_a.py::test_rebinds[*]"
platform = "linux<6.5"
observed = "EADDRINUSE"
reason = "the conflict was looked at twice"
source = "net/ipv4/inet_connection_sock.c inet_csk_bind_conflict"
"""

BROKEN = replace(
    FAILED,
    case="cases/check_a.c::it_waits[IPv4]",
    verdict=Verdict.BROKEN,
    message="cases/check_a.c:7: the set-up wait() gave EINVAL (22)\nand more",
)
TABLES = """
["nothing waits"]
platform = "linux"
reason = "there is no such call"
source = "RFC 1"
["nothing waits".shows]
"cases/test_a.py::test_rebinds[*]" = "EADDR*"
"cases/test_a.py::test_other" = "yes"
["nothing waits".lacks]
"cases/check_a.c::it_waits[*]" = "the set-up wait() gave EINVAL"
"""


def loaded(root: Path, text: str) -> Expectations:
    """What a checkout with that file expects."""
    (root / "cases").mkdir(exist_ok=True)
    (root / "cases" / "expectations.toml").write_text(text)
    return Expectations.load(root)


@pytest.mark.parametrize(
    ("text", "meant", "others"),
    [
        ("gvisor", ["gvisor-20221219"], ["linux-6.1-x86_64"]),
        ("linux", ["linux-6.1-x86_64", "linux-sparc64"], ["gvisor-20221219"]),
        (
            "linux<6.5",
            ["linux-6.1-x86_64"],
            ["linux-6.5-x86_64", "linux-6.18-x86_64", "linux-sparc64"],
        ),
        ("linux>=6.5", ["linux-6.5-x86_64", "linux-6.18-x86_64"], ["linux-6.1-x86_64"]),
        ("linux<=6", ["linux-6.18-x86_64"], ["linux-7.0-x86_64"]),
        ("linux-sparc64", ["linux-sparc64", "linux-6.18-sparc64"], ["linux-6.18-x86_64"]),
        ("linux-6.1", ["linux-6.1-x86_64"], ["linux-6.18-x86_64"]),
    ],
)
def test_a_range_means_these_platforms_alone(
    text: str, meant: list[str], others: list[str]
) -> None:
    """By system, version and architecture; versions are numbers."""
    assert [name for name in meant + others if name in Range.of(text)] == meant


@pytest.mark.parametrize("text", ["", "linux<", "<6.5", "linux<six", "linux 6.1", "*"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """With the forms that there are."""
    with pytest.raises(RangeError, match="linux<6.5"):
        Range.of(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (IN_USE, "EADDRINUSE"),
        (Outcome(3), "3"),
        ([State.LISTEN, State.TIME_WAIT], "[LISTEN, TIME_WAIT]"),
        ({"b", "a"}, "{'a', 'b'}"),
        (59.98765, "60"),
        (Fact(False, "<not this time>"), "no"),
        ("x" * 1000, "'" + "x" * 79 + " … " + "x" * 79 + "'"),
    ],
)
def test_a_value_is_shown_alike_in_each_run(value: object, text: str) -> None:
    """Errnos by name, sets in order, facts as yes or no, nothing long."""
    assert shown(value) == text


def test_what_differs_from_run_to_run_is_left_out() -> None:
    """Ephemeral ports, addresses of objects, process numbers, times; well-known ports stay."""
    text = "<X at 0x7f12> 127.0.0.1:9877 -> 127.0.0.1:56580, [::1]:32768, pid 17, 3.25 ms, /tmp/sockspec.qNrIIv/1"
    assert (
        settled(text)
        == "<X at *> 127.0.0.1:9877 -> 127.0.0.1:*, [::1]:*, pid *, * ms, /tmp/sockspec.*/1"
    )


def test_a_claim_that_leaves_room_has_no_one_value() -> None:
    """Of a bound only whether it holds is the same in each run."""
    bounded = Seen.compared("<=", 59.2, 60.0)
    assert (bounded.value, bounded.stable) == ("59.2", "holds")
    assert Seen.compared("==", IN_USE, 0).stable == "EADDRINUSE (48)"
    noted = {"call": "left", "nth": 1, "value": 66496, "noted": 1}
    assert (Seen.observed(noted).text, Seen.observed(noted).stable) == ("66496", "holds")


def test_what_is_recorded_diverges(tmp_path: Path) -> None:
    """With the reason and the source for a message."""
    judged = loaded(tmp_path, ENTRY).judge(FAILED)
    assert judged.verdict is Verdict.DIVERGES
    assert judged.message.startswith("the conflict was looked at twice (net/ipv4")


def test_something_else_is_red(tmp_path: Path) -> None:
    """It says what was expected and what came."""
    other = replace(FAILED, seen=[Seen.compared("==", Outcome(errno=Errno.EACCES, number=13), 0)])
    judged = loaded(tmp_path, ENTRY).judge(other)
    assert judged.verdict is Verdict.FAILED
    assert "expects 'EADDRINUSE', and it saw 'EACCES'" in judged.message


def test_the_standard_outcome_after_all_is_red(tmp_path: Path) -> None:
    """As stale, with what to do."""
    judged = loaded(tmp_path, ENTRY).judge(PASSED)
    assert judged.verdict is Verdict.FAILED
    assert "is stale" in judged.message and "remove the entry" in judged.message


def test_another_platform_is_not_spoken_of(tmp_path: Path) -> None:
    """The verdict stays."""
    there = loaded(tmp_path, ENTRY)
    elsewhere = {"name": "linux-6.18-x86_64"}
    assert there.judge(replace(PASSED, platform=elsewhere)).verdict is Verdict.PASSED
    assert there.judge(replace(FAILED, platform=elsewhere)).verdict is Verdict.FAILED


@pytest.mark.parametrize("verdict", [Verdict.BROKEN, Verdict.UNSUPPORTED])
def test_a_claim_that_was_not_tried_does_not_diverge(tmp_path: Path, verdict: Verdict) -> None:
    """Nor does it make an entry stale."""
    assert loaded(tmp_path, ENTRY).judge(replace(FAILED, verdict=verdict)).verdict is verdict


def test_one_reason_may_have_a_value_for_each_case(tmp_path: Path) -> None:
    """Of what each run draws anew a baseline holds only that it was not as claimed."""
    judged = loaded(tmp_path, TABLES).judge(FAILED)
    assert judged.verdict is Verdict.DIVERGES
    assert not judged.seen[-1].exact
    other = replace(FAILED, case="cases/test_a.py::test_other")
    assert "expects 'yes', and it saw" in loaded(tmp_path, TABLES).judge(other).message


def test_a_set_up_that_cannot_come_about_is_unsupported(tmp_path: Path) -> None:
    """With the reason and the source; nothing of what it saw on the way is a value."""
    judged = loaded(tmp_path, TABLES).judge(BROKEN)
    assert judged.verdict is Verdict.UNSUPPORTED
    assert (judged.message, judged.seen) == ("there is no such call (RFC 1)", ())


def test_a_set_up_that_breaks_otherwise_stays_broken(tmp_path: Path) -> None:
    """It says what was expected."""
    other = replace(BROKEN, message="cases/check_a.c:7: the set-up wait() gave EPERM (1)")
    judged = loaded(tmp_path, TABLES).judge(other)
    assert judged.verdict is Verdict.BROKEN
    assert "expects of the set-up 'the set-up wait() gave EINVAL'" in judged.message


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FAILED])
def test_what_luck_decides_is_unsupported(tmp_path: Path, verdict: Verdict) -> None:
    """Whatever came this time; a set-up that broke is broken."""
    text = TABLES.partition('["nothing waits".shows]')[0] + f'varies = ["{CASE}"]'
    there = loaded(tmp_path, text)
    judged = there.judge(replace(FAILED, verdict=verdict))
    assert (judged.verdict, judged.message) == (
        Verdict.UNSUPPORTED,
        "there is no such call (RFC 1)",
    )
    assert there.judge(replace(FAILED, verdict=Verdict.BROKEN)).verdict is Verdict.BROKEN


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FAILED, Verdict.BROKEN])
def test_luck_may_decide_of_the_set_up_too(tmp_path: Path, verdict: Verdict) -> None:
    """Where it is said what it says when it does not come about; else it is broken all the same."""
    head, _, rest = TABLES.partition('["nothing waits".shows]')
    lacks = rest[rest.index('["nothing waits".lacks]') :]
    there = loaded(tmp_path, f'{head}varies = ["{BROKEN.case}"]\n{lacks}')
    assert there.judge(replace(BROKEN, verdict=verdict)).verdict is Verdict.UNSUPPORTED
    other = replace(BROKEN, message="something else")
    assert there.judge(other).verdict is Verdict.BROKEN


@pytest.mark.parametrize("verdict", [Verdict.PASSED, Verdict.FAILED])
def test_a_set_up_that_comes_about_after_all_is_red(tmp_path: Path, verdict: Verdict) -> None:
    """As stale."""
    judged = loaded(tmp_path, TABLES).judge(replace(BROKEN, verdict=verdict))
    assert judged.verdict is Verdict.FAILED and "the set-up comes about" in judged.message


def test_two_entries_for_one_case_are_red(tmp_path: Path) -> None:
    """They may contradict each other."""
    both = ENTRY + ENTRY.replace("does not", "fails to").replace("linux<6.5", "linux-6.1")
    judged = loaded(tmp_path, both).judge(FAILED)
    assert judged.verdict is Verdict.FAILED and "leave one of them" in judged.message


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "has no source"),
        ("observed", "'observed' is no source"),
        ("seen on gvisor", "is no source"),
        ("docs/findings/missing.md", "write the finding up"),
    ],
)
def test_without_a_source_it_stays_red(tmp_path: Path, source: str, fault: str) -> None:
    """An observation is no explanation of itself."""
    there = loaded(
        tmp_path, ENTRY.replace("net/ipv4/inet_connection_sock.c inet_csk_bind_conflict", source)
    )
    judged = there.judge(FAILED)
    assert judged.verdict is Verdict.FAILED and fault in judged.message
    assert [fault in trouble for trouble in there.troubles([CASE])] == [True]


@pytest.mark.parametrize(
    "source",
    [
        "https://github.com/google/gvisor/issues/3828",
        "RFC 9293 §3.10.7.4",
        "Linux net/ipv4/tcp.c tcp_poll",
        "docs/findings/written.md",
    ],
)
def test_these_are_sources(tmp_path: Path, source: str) -> None:
    """A URL, an RFC, a kernel file, a finding that is written up."""
    findings = tmp_path / "docs" / "findings"
    findings.mkdir(parents=True)
    (findings / "written.md").write_text("# Written\n")
    there = loaded(
        tmp_path, ENTRY.replace("net/ipv4/inet_connection_sock.c inet_csk_bind_conflict", source)
    )
    assert there.troubles([CASE]) == []
    assert there.judge(FAILED).verdict is Verdict.DIVERGES


def test_an_entry_that_names_no_case_is_told(tmp_path: Path) -> None:
    """The brackets of an id are no pattern."""
    there = loaded(tmp_path, ENTRY.replace("[*]", "[IPv6]"))
    assert there.troubles(["cases/test_a.py::test_rebinds[IPv6]"]) == []
    [trouble] = there.troubles([CASE, "cases/test_a.py::test_rebindsI"])
    assert "names no case: cases/test_a.py::test_rebinds[IPv6]" in trouble


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "expectations.toml"),
        ("a = 1", "is no table"),
        (ENTRY + "note = 'x'", "note"),
        (ENTRY.replace("reason", "why"), "has case, platform, observed, why, source"),
        (ENTRY.replace("observed", "shows"), "has case, platform, shows"),
        (ENTRY + "[x.lacks]", "'x': has lacks"),
        (TABLES.replace('"yes"', "1"), "shows must be a table of a text for each case"),
        (ENTRY.replace('"linux<6.5"', '"linux<six"'), "no range of platforms"),
        (ENTRY.replace('"EADDRINUSE"', "98"), "observed must be a text"),
        (ENTRY.replace('"cases/test_a.py::test_rebinds[*]"', "[]"), "case must be a text"),
    ],
)
def test_a_file_that_is_no_such_file_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """It names the entry and what is wrong."""
    with pytest.raises(ExpectationError, match=message):
        loaded(tmp_path, text)


def test_without_a_file_nothing_is_expected(tmp_path: Path) -> None:
    """A project of one platform needs none."""
    assert Expectations.load(tmp_path) == Expectations()


def test_proposed_entries_stay_red_until_somebody_finds_the_source(tmp_path: Path) -> None:
    """They can be read, say what was seen, and have no source."""
    six = replace(FAILED, case=CASE.replace("IPv4", "IPv6"))
    other = replace(six, platform={"name": "gvisor-20221219"})
    text = proposed([FAILED, six, other, PASSED], Expectations())
    there = loaded(tmp_path, text)
    assert [(e.shows, len(e.platforms)) for e in there.entries] == [
        ({CASE: "EADDRINUSE"}, 1),
        ({CASE.replace("IPv4", "IPv6"): "EADDRINUSE"}, 2),
    ]
    for record in (FAILED, six, other):
        assert "has no reason" in there.judge(record).message
    assert proposed([FAILED, six, other], there) == ""
