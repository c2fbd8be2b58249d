"""One run of a case: what it is told is noted, or one thing of it is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .watched import WHOLE, is_fact, watched
from .wrong import renamed, wrong


@dataclass(frozen=True)
class Change:
    """Something that a run was told, and in how many ways it can be told otherwise."""

    key: str
    """Its name, the same in every run of the case."""
    what: str
    """For people, and for declarations: "outcome: EADDRINUSE (98)"."""
    choices: int = 1


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
        found = [
            self._watch(f"{key}.{at}", f"{source}[{at}]", each) if is_fact(each) else each
            for at, each in enumerate(value)
        ]
        counted: list[Any] = self._told(f"{key}.count", f"how many {source}", value, wrong)
        if counted is not value:
            return counted
        if any(map(is_fact, value)):
            return found
        said: list[Any] = self._told(f"{key}.each", f"each of {source}", value, renamed)
        return said

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
        name = self.change.key.removeprefix(f"{key}.")
        if name not in vars(value) or isinstance(vars(value)[name], WHOLE):
            return value
        told = self._told(self.change.key, source, getattr(value, name), wrong)
        return replace(value, **{name: told})

    def _look(self, key: str, source: str, value: Any, name: str) -> None:
        if isinstance(value, WHOLE):
            self._note(key, source, value, wrong)
        elif not isinstance(getattr(value, name), WHOLE):
            self._note(f"{key}.{name}", f"{source}.{name}", getattr(value, name), wrong)

    def _told(self, key: str, source: str, value: Any, how: Any) -> Any:
        """The value, or the wrong one."""
        if self.change is None:
            self._note(key, source, value, how)
        elif self.change.key == key:
            told = list(how(value))[self.choice]
            self.struck = True
            return told
        return value

    def _note(self, key: str, source: str, value: Any, how: Any) -> None:
        if key not in self.found and (choices := len(list(how(value)))):
            self.found[key] = Change(key, f"{source}: {_brief(value)}", choices)


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
