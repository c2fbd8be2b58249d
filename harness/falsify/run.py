"""One run of a case: what it is told is noted, or one thing of it is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .watched import WHOLE, is_fact, watched
from .wrong import renamed, wrong


_PLACE = ("seq", "coming", "entered")
"""Members that are but a fact's place in the record, by which the case chooses among facts."""


@dataclass(frozen=True)
class Change:
    """Something that a run was told, and in how many ways it can be told otherwise."""

    key: str
    """Its name, the same in every run of the case."""
    what: str
    """For people, and for declarations: "outcome: EADDRINUSE (98)"."""
    choices: int = 1
    alone: int = 1
    """So many of the choices change it alone. The rest change the same member of all facts of its list, for claims about
    some of them, or most."""


class Run:
    """A run of a case. Without a change it notes what can be changed; with one it makes it."""

    def __init__(self, change: Change | None = None, choice: int = 0) -> None:
        """
        Args:
            choice: which of the change's wrong values it is.
        """
        self.change = change
        self.choice = choice
        self.found: dict[str, Change] = {}
        self.struck = False
        """Whether the change was made."""
        self._count = 0
        self._key = change.key if change else ""
        self._choice = choice

    # --- readings ----------------------------------------------------------------------------------------------

    def read(self, source: str, value: Any) -> Any:
        """A fact that the case is told: watched, or changed.

        Args:
            source: who told it, for people.
        """
        self._count += 1
        key = str(self._count)
        if isinstance(value, list):
            return self._read_list(key, source, value)
        if is_fact(value):
            return self._watch(key, source, value)
        return self._told(key, source, value, wrong)

    def _read_list(self, key: str, source: str, value: list[Any]) -> list[Any]:
        found = []
        for at, each in enumerate(value):
            self._aim(f"{key}.", at)
            watched = is_fact(each)
            found.append(self._watch(f"{key}.{at}", f"{source}[{at}]", each) if watched else each)
        counted: list[Any] = self._told(f"{key}.count", f"how many {source}", value, wrong)
        if counted is not value:
            return counted
        if any(map(is_fact, value)):
            return found
        said: list[Any] = self._told(f"{key}.each", f"each of {source}", value, renamed)
        return said

    def _aim(self, items: str, at: int) -> None:
        """Changes this one of a list, too, if all of it are to be changed."""
        if self.change and self.change.key.startswith(items) and self.choice >= self.change.alone:
            _, _, member = self.change.key.removeprefix(items).partition(".")
            self._key = f"{items}{at}.{member}" if member else f"{items}{at}"
            self._choice = self.choice - self.change.alone

    def _watch(self, key: str, source: str, value: Any) -> Any:
        """A fact whose members are readings, each from when it is looked at."""
        for name, member in vars(value).items():
            if isinstance(member, WHOLE):
                value = replace(
                    value, **{name: self._watch(f"{key}.{name}", f"{source}.{name}", member)}
                )
        if self.change is None:
            return watched(value, lambda name: self._look(key, source, value, name))
        if isinstance(value, WHOLE):
            return self._told(key, source, value, wrong)
        name = self._key.removeprefix(f"{key}.")
        if name not in vars(value) or isinstance(vars(value)[name], WHOLE):
            return value
        told = self._told(self._key, source, getattr(value, name), wrong)
        return replace(value, **{name: told})

    def _look(self, key: str, source: str, value: Any, name: str) -> None:
        if name in _PLACE:
            return
        if isinstance(value, WHOLE):
            self._note(key, source, value, wrong)
        elif not isinstance(getattr(value, name), WHOLE):
            self._note(f"{key}.{name}", f"{source}.{name}", getattr(value, name), wrong)

    def _told(self, key: str, source: str, value: Any, how: Any) -> Any:
        """The value, or the wrong one."""
        if self.change is None:
            self._note(key, source, value, how)
        elif self._key == key and (choices := list(how(value))):
            self.struck = True
            return choices[min(self._choice, len(choices) - 1)]
        return value

    def _note(self, key: str, source: str, value: Any, how: Any) -> None:
        if key not in self.found and (choices := len(list(how(value)))):
            listed = key.partition(".")[2].partition(".")[0].isdecimal()
            self.found[key] = Change(
                key, f"{source}: {_brief(value)}", choices * (1 + listed), choices
            )


def _brief(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:79] + "…"


_now: Run | None = None


def now() -> Run | None:
    """The run that goes on, if it is one."""
    return _now


def changing() -> bool:
    """Whether this is a run that is told something false: what goes wrong in it is no news."""
    return _now is not None and _now.change is not None


@contextmanager
def during(run: Run) -> Iterator[Run]:
    """That run goes on meanwhile."""
    global _now
    _now = run
    try:
        yield run
    finally:
        _now = None
