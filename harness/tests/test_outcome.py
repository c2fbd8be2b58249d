"""Outcomes, exits and signals by name."""

import signal

import pytest

from harness import EADDRINUSE, EAGAIN, ENOENT, EWOULDBLOCK, Exit, Outcome, exited, killed_by
from harness.outcome import signal_name, signal_number

FAILED = Outcome.of({"errno": "EADDRINUSE", "number": 98})
GAVE_3 = Outcome.of({"value": 3})


def test_an_outcome_compares_with_an_errno_by_name() -> None:
    """The number beside the name does not count: it differs between platforms."""
    assert FAILED == EADDRINUSE
    assert FAILED != ENOENT
    assert FAILED == Outcome.of({"errno": "EADDRINUSE", "number": 48})


def test_an_outcome_compares_with_a_value() -> None:
    """A failure is no value, not even its number."""
    assert GAVE_3 == 3
    assert GAVE_3 != 0
    assert FAILED != 98
    assert GAVE_3 != EADDRINUSE


def test_an_outcome_is_neither_true_nor_false() -> None:
    """`assert outcome` could not fail, and so it is refused."""
    with pytest.raises(TypeError, match="compare it"):
        bool(FAILED)


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (FAILED, "EADDRINUSE (98)"),
        (GAVE_3, "3"),
        (
            Outcome.of({"errno": "EMFILE", "number": 24, "injected": "errno"}),
            "EMFILE (24) [injected]",
        ),
        (Outcome.of({"errno": "unknown", "number": 524}), "unknown (524)"),
    ],
)
def test_an_outcome_shows_name_and_number(outcome: Outcome, text: str) -> None:
    """What an assertion's message shows."""
    assert repr(outcome) == text


def test_second_names_are_the_same_errno() -> None:
    """POSIX lets EWOULDBLOCK be EAGAIN."""
    assert EWOULDBLOCK is EAGAIN


def test_exits_compare_by_code_and_signal() -> None:
    """Whether a core was dumped does not count."""
    assert Exit.of({"code": 111}) == exited(111)
    assert Exit.of({"signal": "SIGPIPE", "core": True}) == killed_by(signal.SIGPIPE)
    assert Exit.of({"code": 13}) != killed_by(signal.SIGPIPE)
    assert repr(Exit.of({"signal": "SIGPIPE", "core": False})) == "killed_by(SIGPIPE)"


@pytest.mark.parametrize("name", ["SIGINT", "SIGCHLD", "SIGRTMIN", "SIGRTMIN+2"])
def test_signals_have_names_and_numbers(name: str) -> None:
    """There and back, real-time signals too."""
    assert signal_name(signal_number(name)) == name


def test_what_is_no_signal_is_refused() -> None:
    """By number and by name."""
    with pytest.raises(ValueError, match="999 is no signal"):
        signal_name(999)
    with pytest.raises(ValueError, match="'SIGFOO' is no signal"):
        signal_number("SIGFOO")
