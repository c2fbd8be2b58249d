"""Expectations: what a platform is known to show instead of what a case claims, each with its reason and source."""

import functools
import itertools
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..kept import kept
from ..seen import without_numbers
from ..verdict import Verdict, without_place
from .ranges import Range, RangeError
from .results import Record

FILE = "cases/expectations.toml"
_ALWAYS = ("platform", "reason", "source")
_ONE_VALUE = {"case", "observed"}
_BY_CASE = {"shows", "lacks", "varies"}
"""What an entry may say of its cases beside that: the first two, or some of the others."""
_SOURCES = (
    re.compile(r"https?://\S+\.\S+"),
    re.compile(r"RFC \d+(?: .+)?"),
    re.compile(r"(?:[\w.-]+ )?[\w.+-]+(?:/[\w.+-]+)+\.(?:c|h|go|S|rst|txt)(?: .+)?"),
)
_FINDING = re.compile(r"docs/findings/[\w.-]+\.md")
_WHAT_IS_A_SOURCE = "a URL, an RFC's section, a kernel file or docs/findings/NAME.md"


class ExpectationError(Exception):
    """The file of expectations cannot be read; the text says where and what to do."""


@dataclass(frozen=True)
class Expectation:
    """One behaviour in which a platform differs."""

    behaviour: str
    shows: Mapping[str, str]
    """What the failing assertion sees, errnos by name, by the case; in both * and ? stand for any characters, for one."""
    lacks: Mapping[str, str]
    """What is said of the set-up that does not come about, by the case that cannot be tried so."""
    varies: Sequence[str]
    """The cases whose outcome is left to luck there, so that it says nothing; with `lacks`, whose set-up is."""
    platforms: Sequence[Range]
    reason: str
    source: str
    fault: str = ""
    """Why it does not count; empty when it does."""

    @property
    def cases(self) -> list[str]:
        """Patterns of the cases."""
        return [*self.shows, *self.lacks, *self.varies]

    def names(self, case: str) -> bool:
        """Whether it speaks of a case."""
        return any(_glob(pattern).fullmatch(case) for pattern in self.cases)


_WILD = re.compile(r"[*?]")


@functools.cache
def _glob(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(each) or re.escape(each) for each in pattern))


def _tables(path: Path) -> dict[str, Any]:
    import tomllib  # most runs find what is kept

    return tomllib.loads(path.read_text(encoding="utf-8"))


def _names_one(pattern: str, cases: Sequence[str]) -> bool:
    """Whether a pattern names one of the cases, which are sorted: only those are looked at that begin as it does."""
    beginning = _WILD.split(pattern, maxsplit=1)[0]
    for case in itertools.islice(cases, bisect_left(cases, beginning), None):
        if not case.startswith(beginning):
            break
        if case == pattern or _glob(pattern).fullmatch(case):
            return True
    return False


@dataclass(frozen=True)
class Expectations:
    """All that is known to differ."""

    entries: Sequence[Expectation] = ()
    _by_platform: dict[str, list[Expectation]] = field(default_factory=dict, init=False, repr=False)
    """Found once: a run has thousands of cases on few platforms."""

    @classmethod
    def load(cls, root: Path) -> "Expectations":
        """Those of a checkout; none where it has no such file.

        Raises:
            ExpectationError: the file cannot be read, or an entry is not complete.
        """
        path = root / FILE
        if not path.exists():
            return cls()
        try:
            tables = kept(
                root / "build" / "kept",
                "expectations",
                [path],
                lambda: _tables(path),
            )
        except (OSError, ValueError) as error:
            raise ExpectationError(f"{FILE}: {error}") from None
        return cls([_entry(name, table, root) for name, table in tables.items()])

    def about(self, case: str, platform: str) -> list[Expectation]:
        """The entries that speak of a case on a platform."""
        if platform not in self._by_platform:
            self._by_platform[platform] = [
                entry for entry in self.entries if any(platform in each for each in entry.platforms)
            ]
        return [entry for entry in self._by_platform[platform] if entry.names(case)]

    def judge(self, record: Record) -> Record:
        """The record with the verdict that it has in the light of what is expected of its platform."""
        found = self.about(record.case, record.on)
        if len(found) > 1:
            both = " and ".join(repr(entry.behaviour) for entry in found)
            return _red(
                record, f"{FILE}: {both} speak of this case on {record.on}: leave one of them"
            )
        if not found or record.verdict is Verdict.UNSUPPORTED:
            return record
        entry = found[0]
        broken = record.verdict is Verdict.BROKEN
        varies = any(_glob(pattern).fullmatch(record.case) for pattern in entry.varies)
        lacking = _named(entry.lacks, record.case)
        if lacking is not None and (broken or not varies):
            return _lacking(record, entry, lacking)
        if broken:
            return record
        if varies:
            return _untried(record, entry)
        return _judged(record, entry, _named(entry.shows, record.case) or "")

    def troubles(self, cases: Iterable[str]) -> list[str]:
        """What is wrong with entries: those without a source, and those that name none of the cases that there are.

        Args:
            cases: all, whatever was chosen of them.
        """
        there = sorted(cases)
        faults = [f"{e.behaviour!r}: {e.fault}" for e in self.entries if e.fault]
        idle = [
            f"{entry.behaviour!r} names no case: {pattern}: correct or remove it"
            for entry in self.entries
            for pattern in entry.cases
            if not _names_one(pattern, there)
        ]
        return [f"{FILE}: {each}" for each in faults + idle]


def saw(record: Record) -> str:
    """What the last assertion of a case saw, errnos by name; empty when it came to none."""
    return without_numbers(record.seen[-1].value) if record.seen else ""


def _named(patterns: Mapping[str, str], case: str) -> str | None:
    """What is said of a case; None when nothing is."""
    return next((text for each, text in patterns.items() if _glob(each).fullmatch(case)), None)


def _judged(record: Record, entry: Expectation, observed: str) -> Record:
    if record.verdict is Verdict.PASSED:
        return _red(record, _stale(record, entry, "the claim is true"))
    if entry.fault:
        return _red(record, f"{_title(entry)}: {entry.fault}")
    if not _glob(observed).fullmatch(saw(record)):
        return _red(
            record,
            f"{_title(entry)} expects {observed!r}, and it saw {saw(record)!r}: find out why",
        )
    told = f"{entry.reason} ({entry.source})"
    # What each run draws anew is none of the values that a baseline holds.
    drawn = observed != saw(record)
    seen = [*record.seen[:-1], replace(record.seen[-1], exact=False)] if drawn else record.seen
    return replace(record, verdict=Verdict.DIVERGES, message=told, seen=seen)


def _lacking(record: Record, entry: Expectation, expected: str) -> Record:
    """What a case says whose set-up cannot come about, since the platform lacks what it needs."""
    if record.verdict is not Verdict.BROKEN:
        return _red(record, _stale(record, entry, "the set-up comes about"))
    said = without_numbers(without_place(record.message).partition("\n")[0])
    if not _glob(expected).fullmatch(said):
        why = f"{_title(entry)} expects of the set-up {expected!r}, and it said {said!r}: find out why"
        return replace(record, message=f"{record.message}\n{why}")
    return _untried(record, entry)


def _untried(record: Record, entry: Expectation) -> Record:
    if entry.fault:
        return _red(record, f"{_title(entry)}: {entry.fault}")
    told = f"{entry.reason} ({entry.source})"
    return replace(record, verdict=Verdict.UNSUPPORTED, message=told, seen=(), observations=())


def _title(entry: Expectation) -> str:
    return f"{FILE}: {entry.behaviour!r}"


def _stale(record: Record, entry: Expectation, what: str) -> str:
    return (
        f"{_title(entry)} is stale: on {record.on} {what}: remove the entry, or narrow its platform"
    )


def _red(record: Record, why: str) -> Record:
    message = f"{record.message}\n{why}" if record.message else why
    return replace(record, verdict=Verdict.FAILED, message=message)


def _entry(name: str, table: object, root: Path) -> Expectation:
    if not isinstance(table, dict):
        raise ExpectationError(f"{FILE}: {name!r} is no table: write [{name!r}] over its members")
    of_cases = set(table) - set(_ALWAYS)
    complete = of_cases == _ONE_VALUE or (of_cases and of_cases <= _BY_CASE)
    if not set(_ALWAYS) <= set(table) or not complete:
        raise ExpectationError(
            f"{FILE}: {name!r}: has {', '.join(table)}; an entry has {', '.join(_ALWAYS)}, each once, "
            "and case with observed, or the tables shows and lacks and the list varies, or some of them"
        )
    texts = {member: _texts(name, member, table[member]) for member in _ALWAYS}
    try:
        platforms = [Range.of(text) for text in texts["platform"]]
    except RangeError as error:
        raise ExpectationError(f"{FILE}: {name!r}: {error}") from None
    reason, source = (texts[member][0].strip() for member in ("reason", "source"))
    if "case" in table:
        observed = _texts(name, "observed", table["observed"])[0].strip()
        shows = {case: observed for case in _texts(name, "case", table["case"])}
    else:
        shows = _by_case(name, "shows", table)
    return Expectation(
        name,
        shows,
        _by_case(name, "lacks", table),
        _texts(name, "varies", table["varies"]) if "varies" in table else [],
        platforms,
        reason,
        source,
        _fault(reason, source, root),
    )


def _by_case(name: str, member: str, table: Mapping[str, Any]) -> dict[str, str]:
    found = table.get(member, {})
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ExpectationError(
            f"{FILE}: {name!r}: {member} must be a table of a text for each case"
        )
    return found


def _texts(name: str, member: str, value: Any) -> list[str]:
    several = member in ("case", "platform", "varies") and isinstance(value, list)
    texts = value if several else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ExpectationError(f"{FILE}: {name!r}: {member} must be a text, not {value!r}")
    return list(texts)


def _fault(reason: str, source: str, root: Path) -> str:
    if not reason:
        return "it has no reason: say why the platform differs"
    if not source:
        return f"it has no source: find {_WHAT_IS_A_SOURCE}"
    if _FINDING.fullmatch(source):
        return "" if (root / source).exists() else f"there is no {source}: write the finding up"
    if not any(pattern.fullmatch(source) for pattern in _SOURCES):
        return f"{source!r} is no source: name {_WHAT_IS_A_SOURCE}"
    return ""


def proposed(records: Sequence[Record], there: Expectations) -> str:
    """New entries, as TOML, for what failed and is not spoken of yet: with what was seen, and without a source.

    Cases of one function that saw the same on the same platforms share an entry.
    """
    platforms: dict[tuple[str, str], set[str]] = {}
    claims: dict[str, str] = {}
    for record in records:
        spoken = there.about(record.case, record.on)
        if record.verdict is Verdict.FAILED and record.seen and not spoken:
            platforms.setdefault((record.case, saw(record)), set()).add(record.on)
            claims.setdefault(_function(record.case), record.claim or _function(record.case))
    alike: dict[tuple[str, str, frozenset[str]], list[str]] = {}
    for (case, value), names in platforms.items():
        alike.setdefault((_function(case), value, frozenset(names)), []).append(case)
    taken = {entry.behaviour for entry in there.entries}
    entries = []
    for (function, value, those), cases in alike.items():
        behaviour = _free(f"not so: {claims[function]}", taken)
        taken.add(behaviour)
        entries.append(_toml(behaviour, sorted(cases), sorted(those), value))
    return "\n".join(entries)


def _function(case: str) -> str:
    return case.partition("[")[0]


def _free(name: str, taken: set[str]) -> str:
    numbers = (f"{name} ({n})" for n in range(2, len(taken) + 3))
    return name if name not in taken else next(each for each in numbers if each not in taken)


def _toml(behaviour: str, cases: Sequence[str], platforms: Sequence[str], observed: str) -> str:
    lines = [
        f"[{_quoted(behaviour)}]",
        f"case = {_list(cases)}",
        f"platform = {_list(platforms)}",
        f"observed = {_quoted(observed)}",
        'reason = ""',
        'source = ""',
    ]
    return "\n".join(lines) + "\n"


def _list(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return _quoted(texts[0])
    return "[\n" + "".join(f"  {_quoted(text)},\n" for text in texts) + "]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
