"""Facts: claims that something comes, with what was there instead."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """True when what was awaited came. Shows itself in an assertion with what was there instead."""

    came: bool
    text: str

    def __bool__(self) -> bool:
        return self.came

    def __repr__(self) -> str:
        return self.text
