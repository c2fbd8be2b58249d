"""The verdicts, and how a case says that it has no answer."""

import re
from enum import StrEnum
from typing import Any

_PLACE = re.compile(r"\A\S+\.c:\d+: ")


class Verdict(StrEnum):
    """What a case found."""

    PASSED = "passed"
    FAILED = "failed"
    """The claim is false."""
    BROKEN = "broken"
    """The set-up did not come about, so the claim was not tried."""
    UNSUPPORTED = "unsupported"
    """The platform lacks what the claim needs."""
    DIVERGES = "diverges"
    """The claim is false, as is recorded for this platform."""


class ClaimFalse(AssertionError):
    """A case that is no Python function found its claim false; the text begins with file:line."""


class Broken(Exception):
    """The set-up did not come about; the text says what was wanted and what was there instead."""


class Unsupported(Exception):
    """The platform lacks what the case needs; the text is the reason."""


def without_place(message: str) -> str:
    """The message of a verdict without the file and line that it begins with, if it does."""
    return _PLACE.sub("", message)


def hidden(excinfo: Any) -> bool:
    """Whether a traceback leaves the harness's own frames out: where the harness says what is wrong, the case's line is enough.

    A module of the harness names this function `__tracebackhide__`, which pytest asks about each frame.
    """
    return isinstance(excinfo.value, (Broken, ClaimFalse, Unsupported))
