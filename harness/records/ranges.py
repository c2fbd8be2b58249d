"""Ranges of platforms: "gvisor", "linux<6.5", "linux-sparc64", "linux-x86_64>=6.1"."""

import re
from dataclasses import dataclass

_RANGE = re.compile(
    r"(?P<parts>[A-Za-z][\w.]*(?:-[\w.]+)*)(?:(?P<operator><=|>=|<|>)(?P<version>\d+(?:\.\d+)*))?"
)
_VERSION = re.compile(r"\d+(?:\.\d+)*")


class RangeError(ValueError):
    """The text names no range of platforms."""


@dataclass(frozen=True)
class Range:
    """Which platforms are meant."""

    parts: frozenset[str]
    """That a platform's name must have."""
    operator: str = ""
    version: tuple[int, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Range":
        """The range that a text names.

        Raises:
            RangeError
        """
        match = _RANGE.fullmatch(text)
        if match is None:
            raise RangeError(
                f"{text!r} is no range of platforms: write gvisor, linux-6.1, linux<6.5, linux-sparc64"
            )
        version = match["version"]
        return cls(
            frozenset(match["parts"].split("-")),
            match["operator"] or "",
            _numbers(version) if version else (),
        )

    def __contains__(self, platform: str) -> bool:
        """Whether a platform is meant, by its name: "linux-6.18-x86_64"."""
        parts = platform.split("-")
        if not self.parts <= set(parts):
            return False
        if not self.operator:
            return True
        version = next((_numbers(part) for part in parts if _VERSION.fullmatch(part)), None)
        return version is not None and _within(version, self.operator, self.version)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def _within(version: tuple[int, ...], operator: str, bound: tuple[int, ...]) -> bool:
    # As exact as the bound is: 6.5.3 is within <=6.5.
    cut = version[: len(bound)]
    return {
        "<": cut < bound,
        "<=": cut <= bound,
        ">": cut > bound,
        ">=": cut >= bound,
    }[operator]
