"""The page of errno numbers: one name, one number an ABI, each from the headers that programs for it are compiled with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errno_names import Errno
from ..platform import abi

FILE = "docs/errno.md"
COLUMNS: Mapping[str, str] = {
    "release": "Linux, generic",
    "mips": "Linux, mips",
    "sparc64": "Linux, sparc",
    "alpha": "Linux, alpha",
    "hppa": "Linux, hppa",
    "aarch64-macos": "Darwin",
}
"""The folders of build/ that programs are in, and whose numbers these are."""
_HEAD = """\
# The numbers of errnos

Written by `make errnos`; do not edit. POSIX gives an errno its name and leaves the number to the system, so cases
compare names. Each column is what the compiler for that ABI says that its `<errno.h>` defines: GNU's C library and the
kernel's headers for Linux, the headers that the Zig compiler carries for Darwin. Linux, generic, is x86, arm, riscv and
most others.

"""


def page(build: Path) -> str:
    """The page, in Markdown.

    Args:
        build: the folder that holds those of COLUMNS.

    Raises:
        Broken: one of them is not there.
    """
    columns = [abi.numbers(build / folder) for folder in COLUMNS]
    rows = [_row("name", list(COLUMNS.values())), _row("---", ["--:"] * len(columns))]
    rows += [_row(name, [str(column.get(name, "–")) for column in columns]) for name in Errno]
    return _HEAD + "\n".join(rows) + "\n"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([name, *cells])} |"


def numbers(text: str, folder: str) -> dict[str, int]:
    """A column of a page."""
    place = list(COLUMNS).index(folder) + 2
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| E")]
    return {row[1].strip(): int(row[place]) for row in rows if row[place].strip().isdecimal()}
