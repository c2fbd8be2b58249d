"""The ladder as text: characters on a grid, and colours for a terminal."""

import re
from collections.abc import Mapping

from .ladder import Ladder
from .sheet import Arrow, Bar, Metrics, Sheet, lay_out

_PLAIN = str.maketrans("│─▶◀×‖○┃╻╹▪┊", "|-><X=o####:")
_COLOURS: Mapping[str, str] = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "dim": "2"}
_PATTERNS = (
    (re.compile(r"= E[A-Z0-9]+ \(\d+\)"), "red"),
    (re.compile(r"\bRST\b[^─-]*|\b(?:dropped|wire cut|forged)\b|[×]"), "red"),
    (re.compile(r"\bSYN\b"), "green"),
    (re.compile(r"\bFIN\b"), "yellow"),
    (re.compile(r"\b(?:ESTABLISHED|LISTEN)\b"), "green"),
    (
        re.compile(r"\b(?:SYN_SENT|SYN_RECEIVED|FIN_WAIT[12]|CLOSE_WAIT|CLOSING|LAST_ACK)\b"),
        "yellow",
    ),
    (re.compile(r"\bTIME_WAIT\b"), "blue"),
    (re.compile(r"^ *[0-9.]+(?= )|\(\d+ (?:calls|rows) .*?\)"), "dim"),
)


def text(ladder: Ladder, width: int = 100) -> str:
    """The ladder as plain text.

    Args:
        width: columns.
    """
    metrics = Metrics(width=width, char=1, small=1, line=1, gap=0, pad=1, track=1, rise=0)
    return "\n".join(_Grid(lay_out(ladder, metrics)).lines())


class _Grid:
    """A page of characters."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        width, height = int(sheet.width), int(sheet.height)
        self._cells = [[" "] * width for _ in range(height)]
        for rail in sheet.rails:
            for y in range(int(sheet.top), int(sheet.bottom)):
                self._put(rail, y, "│")
        for bar in sheet.bars:
            self._bar(bar)
        for arrow in sheet.arrows:
            self._arrow(arrow)
        for box in sheet.boxes:
            around = " " if box.style.startswith("flight") else ""
            self._put(box.x - len(around), box.y, around + box.text + around)

    def lines(self) -> list[str]:
        """The page, a text each line."""
        return ["".join(cells).rstrip() for cells in self._cells]

    def _put(self, x: float, y: float, text_: str) -> None:
        row = self._cells[int(y)]
        for place, character in enumerate(text_, int(x)):
            if 0 <= place < len(row):
                row[place] = character

    def _bar(self, bar: Bar) -> None:
        top, bottom, fades = int(bar.top), int(bar.bottom), int(bar.fades)
        for y in range(top, fades):
            self._put(bar.x, y, "┃" if y < bottom else "┊")
        self._put(bar.x, top, "▪" if bottom - top <= 1 else "╻")
        if fades - top > 1 and bottom - top > 1:
            self._put(bar.x, bottom - 1, "╹")

    def _arrow(self, arrow: Arrow) -> None:
        right = arrow.end > arrow.begin
        step = 1 if right else -1
        begin = int(arrow.begin) + (step if arrow.origin else 0)
        at_rail = arrow.mark in ("head", "double")
        end = int(arrow.end) - (step if at_rail else 0)
        for x in range(begin, end + step, step):
            self._put(x, arrow.y, "─")
        if not arrow.origin:
            self._put(begin, arrow.y, "○")
        head = "▶" if right else "◀"
        marks = {"head": head, "double": head, "cross": "×", "bar": "‖"}
        self._put(end, arrow.y, marks[arrow.mark])
        if arrow.mark == "double":
            self._put(end - step, arrow.y, head)


def without_lines(text_: str) -> str:
    """The text for those who have no characters but ASCII's."""
    return text_.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def painted(text_: str) -> str:
    """The text in colours of a terminal. Takes what `text` gave, so that what is kept and passed on stays plain."""
    return "\n".join(map(_painted, text_.split("\n")))


def _painted(line: str) -> str:
    done: list[tuple[int, int, str]] = []
    for pattern, colour in _PATTERNS:
        for found in pattern.finditer(line):
            begin, end = found.span()
            if all(end <= other[0] or begin >= other[1] for other in done):
                done.append((begin, end, colour))
    for begin, end, colour in sorted(done, reverse=True):
        line = f"{line[:begin]}\x1b[{_COLOURS[colour]}m{line[begin:end]}\x1b[0m{line[end:]}"
    return line
