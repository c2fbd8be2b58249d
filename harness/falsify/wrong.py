"""Wrong values: what a fact is changed into, by its type. The first is the one that most claims notice."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import singledispatch
from itertools import zip_longest
from typing import Any

from ..errno_names import Errno
from ..fact import Fact
from ..outcome import Exit, Outcome
from ..trace.event import Call

_FAR = 1 << 40
_WORD = "something else"
_STATES = ("held", "running", "zombie", "dead", "detached")
"""What a process is, in words: of these another one is the likely mistake."""
_SURPRISE = Outcome(errno=Errno.EIO, number=5)
_OTHER_SURPRISE = Outcome(errno=Errno.EPERM, number=1)


@singledispatch
def wrong(value: Any) -> Iterator[Any]:
    """Values that it is not. None where the type is no fact."""
    if is_dataclass(value) and not isinstance(value, type):
        yield from _each_member_wrong(value)


def _each_member_wrong(value: Any) -> Iterator[Any]:
    """The nth has the nth wrong value in each member."""
    names = [field.name for field in fields(value) if field.init]
    choices = [list(wrong(getattr(value, name))) for name in names]
    for chosen in zip_longest(*choices):
        new = {n: c for n, c in zip(names, chosen, strict=True) if c is not None}
        if new:
            yield replace(value, **new)


@wrong.register
def _of_outcome(value: Outcome) -> Iterator[Any]:
    yield _OTHER_SURPRISE if value.errno == Errno.EIO else _SURPRISE
    if value.errno is not None:
        yield Outcome(0)
    if value.errno != Errno.EINTR:  # what cases deny most
        yield Outcome(errno=Errno.EINTR, number=4)
    for other in wrong(value.value if value.value is not None else 0):
        yield Outcome(other)


@wrong.register
def _of_exit(value: Exit) -> Iterator[Any]:
    yield Exit(code=99 if value.code != 99 else 98)
    yield Exit(signal=11 if value.signal != 11 else 6)


@wrong.register
def _of_fact(value: Fact) -> Iterator[Any]:
    yield Fact(not value.came, "changed by --falsify")


@wrong.register
def _of_nothing(value: None) -> Iterator[Any]:
    yield _WORD


@wrong.register
def _of_truth(value: bool) -> Iterator[Any]:
    yield not value


@wrong.register
def _of_number(value: int) -> Iterator[Any]:
    yield from (other for other in (value + 1, value - 1, 0, -1, value + _FAR) if other != value)


@wrong.register
def _of_fraction(value: float) -> Iterator[Any]:
    yield from (other for other in (value + _FAR, 0.0, -1.0) if other != value)


@wrong.register
def _of_flags(value: enum.Flag) -> Iterator[Any]:
    yield ~value


@wrong.register(enum.Enum)
@wrong.register(enum.StrEnum)
@wrong.register(enum.IntEnum)
def _of_member(value: enum.Enum) -> Iterator[Any]:
    members: list[enum.Enum] = list(type(value))
    at = members.index(value)
    yield from members[at + 1 :]
    yield from members[:at]


@wrong.register
def _of_text(value: str) -> Iterator[Any]:
    if value in _STATES:
        yield from (other for other in _STATES if other != value)
    if value:
        yield value[:-1] + ("?" if value[-1] != "?" else "!")
        yield ("?" if value[0] != "?" else "!") + value[1:]
        yield ""
    yield value + "something else\n"


@wrong.register
def _of_bytes(value: bytes) -> Iterator[Any]:
    if value:
        yield b""
    yield value + b"?"


@wrong.register
def _of_list(value: list) -> Iterator[Any]:  # type: ignore[type-arg]
    """How many there are, and what they say where that is all they are."""
    if value:
        yield []
        yield value[1:]
    yield [*value, _one_more(value)]


def _one_more(value: list[Any]) -> Any:
    """Another one: a call that came much later, an outcome that cases deny."""
    last = value[-1] if value else _WORD
    if isinstance(last, Outcome):
        return Outcome(errno=Errno.EINTR, number=4)
    return replace(last, seq=last.seq + _FAR) if isinstance(last, Call) else last


@wrong.register
def _of_table(value: Mapping) -> Iterator[Any]:  # type: ignore[type-arg]
    yield {}


def renamed(value: list[Any]) -> Iterator[list[Any]]:
    """Lists of plain values with each of them wrong."""
    yield from map(list, zip(*(list(wrong(each))[:1] for each in value), strict=True))
