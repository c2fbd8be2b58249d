"""The matrix in a terminal."""

import shutil
from typing import TYPE_CHECKING, TextIO

from ..verdict import Verdict
from .matrix import Cell, Matrix

if TYPE_CHECKING:
    from rich.text import Text

_COLOURS = {
    str(Verdict.FAILED): "bold red",
    str(Verdict.BROKEN): "bold magenta",
    str(Verdict.DIVERGES): "cyan",
    str(Verdict.UNSUPPORTED): "dim",
    "absent": "dim",
}
_NARROWEST = 100


def write(matrix: Matrix, file: TextIO) -> None:
    """Writes a table for each family: in colour on a terminal, as plain text elsewhere."""
    from rich.console import Console
    from rich.table import Table

    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    console = Console(file=file, width=width, highlight=False)
    for group in matrix.groups:
        title = f"{group.id} · {group.title}" if group.title else group.id
        table = Table(title=title, title_justify="left", expand=True)
        table.add_column("behaviour", ratio=3)
        for platform in matrix.platforms:
            table.add_column(platform, ratio=2)
        for line in group.lines:
            table.add_row(line.claim, *(_shown(cell) for cell in line.cells))
        console.print(table)
    console.print(
        f"{len(matrix.lines)} behaviours on {', '.join(matrix.platforms) or 'no platform'}"
    )


def _shown(cell: Cell) -> "Text":
    from rich.text import Text

    colour = _COLOURS.get(cell.kind, "yellow" if cell.differs else "")
    return Text(f"{cell.mark} {cell.value}".strip(), colour)
