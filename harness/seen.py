"""What assertions saw, written so that it is the same in each run: for records, baselines and expectations."""

import enum
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, is_dataclass, replace

from typing import Any

from .fact import Fact
from .outcome import Outcome

_LONGEST = 160
_LOOSE = frozenset({"<", "<=", ">", ">=", "is not", "!=", "not in"})
# What differs from run to run: addresses of objects, ephemeral ports, process numbers, names of folders, times, errno numbers.
_PASSING = (
    (re.compile(r"\bat 0x[0-9a-f]+"), "at *"),
    (
        re.compile(
            r"(?<=[\d\]]):(?:3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[45]\d{4}|60\d{3})\b"
        ),
        ":*",
    ),
    (re.compile(r"\bpid \d+"), "pid *"),
    (re.compile(r"\bsockspec\.\w{6}(?!\w)"), "sockspec.*"),
    (re.compile(r"\b\d+\.\d+ (?=m?s\b)"), "* "),
)
_NUMBERED = re.compile(r"\b(E[A-Z0-9]{2,}) \(\d+\)")


class Drawn(int):
    """A number that each run draws anew: a TCP sequence number."""


@dataclass(frozen=True)
class Seen:
    """What one assertion of a case was given."""

    what: str
    """The assertion, as the case writes it."""
    value: str
    """What it saw: of a comparison, the left side. An errno by its name."""
    wanted: str = ""
    """The comparison and its right side, "== EADDRINUSE"; empty where there is no comparison."""
    number: int | None = None
    """The errno's number on the platform."""
    exact: bool = True
    """False where the claim leaves room, so that runs may differ in the value and agree."""
    holds: bool = True

    @classmethod
    def compared(cls, operator: str, left: object, right: object) -> "Seen":
        """What a comparison saw; its text and whether it holds are known later."""
        number = left.number if isinstance(left, Outcome) else None
        exact = operator not in _LOOSE and not isinstance(left, float)
        return cls("", shown(left), f"{operator} {shown(right)}", number, exact)

    @classmethod
    def told(cls, holds: bool) -> "Seen":
        """What an assertion without a comparison saw: whether it is so."""
        return cls("", "yes" if holds else "no")

    @classmethod
    def observed(cls, observation: Mapping[str, Any]) -> "Seen":
        """What a case of one process observed, by the call's name and how manieth it was."""
        nth = observation.get("nth", 1)
        call = str(observation.get("call", "?"))
        kinds = ("errno", "names", "value", "text")
        value = next((observation[kind] for kind in kinds if kind in observation), "")
        what = call if nth == 1 else f"{call} #{nth}"
        exact = "noted" not in observation
        return cls(what, settled(str(value)), number=observation.get("number"), exact=exact)

    def of(self, what: str, holds: bool) -> "Seen":
        """The same, of this assertion."""
        return replace(self, what=what, holds=holds)

    @property
    def text(self) -> str:
        """The value with the errno's number beside it."""
        return self.value if self.number is None else f"{self.value} ({self.number})"

    @property
    def stable(self) -> str:
        """What every run of the case gives, as long as the behaviour is the same."""
        return self.text if self.exact else ("holds" if self.holds else "does not hold")


def shown(value: object) -> str:
    """A value as records show it."""
    if isinstance(value, Outcome):
        return str(value.errno if value.errno is not None else value.value)
    if isinstance(value, Drawn):
        return "#"
    if isinstance(value, enum.Enum):
        return str(value)
    if isinstance(value, Fact):
        return "yes" if value.came else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    return _brief(settled(_ordered(value)))


def _ordered(value: object) -> str:
    """The repr of a value, whose sets and tables have one order."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{k!r}: {shown(v)}" for k, v in value.items())) + "}"
    if isinstance(value, Set) and not isinstance(value, enum.Flag):
        return "{" + ", ".join(sorted(shown(member) for member in value)) + "}"
    if type(value) is list:
        return "[" + ", ".join(shown(member) for member in value) + "]"
    if type(value) is tuple:
        return "(" + ", ".join(shown(member) for member in value) + ")"
    try:
        own = type(value).__str__ is not object.__str__
        return str(value) if is_dataclass(value) and own else repr(value)
    except Exception as error:
        return f"<{type(error).__name__} in repr>"


def _brief(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST // 2] + " … " + text[-(_LONGEST // 2) :]


def settled(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, instead in _PASSING:
        text = pattern.sub(instead, text)
    return text


def without_numbers(text: str) -> str:
    """A text whose errnos are names alone: what platforms of another numbering agree upon."""
    return _NUMBERED.sub(r"\1", text)
