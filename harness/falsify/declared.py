"""Changes that cannot matter, each declared with its reason in a table beside the cases."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

FILE = "cases/falsify.toml"
_MEMBERS = {"case", "change", "reason"}


class DeclarationError(Exception):
    """The table cannot be read; the text says where and what to do."""


@dataclass(frozen=True)
class Declaration:
    """Changes of some cases that no assertion has to notice."""

    case: str
    """A pattern: * and ? stand for any characters, for one."""
    change: str
    """A pattern for what is changed."""
    reason: str

    def covers(self, case: str, change: str) -> bool:
        """Whether it speaks of that change of that case."""
        return _matches(case, self.case) and _matches(change, self.change)


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def load(path: Path) -> Sequence[Declaration]:
    """The declarations of a file; none where there is no file.

    Raises:
        DeclarationError: it cannot be read.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("declared", [])
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise DeclarationError(f"{path}: {error}") from None
    for number, table in enumerate(tables, 1):
        if set(table) != _MEMBERS or not all(isinstance(v, str) and v for v in table.values()):
            raise DeclarationError(
                f"{path}: number {number} of [[declared]] has {', '.join(table)}: "
                f"it takes the texts {', '.join(sorted(_MEMBERS))}"
            )
    return [Declaration(**table) for table in tables]
