"""Facts that note whether they are looked at."""

import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from ..fact import Fact
from ..outcome import Exit, Outcome

WHOLE = (Outcome, Exit, Fact)
"""Facts of one piece: whoever looks at a member relies on all of it."""
_NOTES = "_sockspec_notes"
_PLAIN = "_sockspec_plain"
Note = Callable[[str], None]
"""Is told the name of a member that is looked at."""


def is_fact(value: object) -> bool:
    """Whether it is one that can be watched."""
    return is_dataclass(value) and not isinstance(value, type)


def watched(value: Any, note: Note) -> Any:
    """The same value, which tells of each member that is looked at, be it not only to print it, or to make another value
    of it; in all else it is like the one it stands for."""
    kind: Any = type(value)
    made: Any = object.__new__(_watching(kind))
    made.__dict__.update(value.__dict__, **{_NOTES: note, _PLAIN: value})
    return made


@cache
def _watching(kind: Any) -> Any:
    members = frozenset(field.name for field in fields(kind))

    def look(self: Any, name: str) -> Any:
        if name == "__class__":  # the comparisons that dataclasses make for themselves ask for it
            return kind
        if name in members and sys._getframe(1).f_code is not replace.__code__:
            object.__getattribute__(self, "__dict__")[_NOTES](name)
        return object.__getattribute__(self, name)

    def text(self: Any) -> str:
        return str(self.__dict__[_PLAIN])

    def representation(self: Any) -> str:
        return repr(self.__dict__[_PLAIN])

    members_of = {"__getattribute__": look, "__str__": text, "__repr__": representation}
    return type(kind.__name__, (kind,), members_of)
