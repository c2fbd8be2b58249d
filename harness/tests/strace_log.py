"""What strace printed, read back: processes, their calls, arguments and results."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

Value = object
"""An argument: int, bytes, a name or an expression of flags as text, a list, or a Struct; None for NULL."""


@dataclass(frozen=True)
class Struct:
    """A structure, or a call-like expression such as htons(9877)."""

    members: Mapping[str, Value]
    bare: tuple[Value, ...] = ()
    """Members without a name."""


@dataclass(frozen=True)
class Line:
    """A call as strace printed it, whole."""

    pid: int
    name: str
    arguments: tuple[Value, ...]
    result: str
    """As printed: "3", "-1 EINTR (...)", "? ERESTARTSYS (...)", "1 (in [4])"."""


_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*"(?:\.\.\.)?)|(?P<more>\.\.\.)|(?P<arrow>=>)'
    r"|(?P<word>[^\s,=(){}\[\]\"]+)|(?P<mark>[,=(){}\[\]]))"
)


class _Reader:
    """Reads values from the text of arguments."""

    def __init__(self, text: str) -> None:
        self._tokens = [
            (str(m.lastgroup), m.group(m.lastgroup or 0)) for m in _TOKEN.finditer(text)
        ]
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def list(self, end: str) -> list[tuple[str | None, Value]]:
        """Values, with their names if they have any, up to the mark that ends them."""
        items: list[tuple[str | None, Value]] = []
        while self._at < len(self._tokens) and self._peek() != end:
            if self._peek() in (",", "..."):
                self._next()
                continue
            items.append(self._item())
        if end:
            self._next()
        return items

    def _item(self) -> tuple[str | None, Value]:
        value = self._value()
        if self._peek() == "=" and isinstance(value, str):
            self._next()
            return value, self._value()
        while self._peek() == "=>":  # what it was => what the kernel made of it
            self._next()
            value = self._value()
        return None, value

    def _value(self) -> Value:
        kind, text = self._next()
        if kind == "text":
            return _bytes(text)
        if text == "{":
            return _struct(self.list("}"))
        if text == "[":
            return [value for _, value in self.list("]")]
        if self._peek() == "(":
            self._next()
            return _struct([("call", text), *self.list(")")])
        return _plain(text)


def _struct(items: list[tuple[str | None, Value]]) -> Struct:
    return Struct(
        {name: value for name, value in items if name},
        tuple(value for name, value in items if not name),
    )


def _bytes(text: str) -> bytes:
    value: bytes = ast.literal_eval("b" + text.removesuffix("..."))
    return value


def _plain(text: str) -> Value:
    if text == "NULL":
        return None
    try:
        return int(text, 0)
    except ValueError:
        return text


_PREFIX = re.compile(r"^(\d+) +(.*)$")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)$", re.DOTALL)
_UNFINISHED = re.compile(r"(.*?),? *<unfinished \.\.\.>$", re.DOTALL)
_WHOLE = re.compile(r"^(\w+)\((.*)\) += (.*)$", re.DOTALL)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The lines of each process, calls that were interleaved with others' put together again."""
    begun: dict[int, str] = {}
    for line in text.splitlines():
        prefix = _PREFIX.match(line)
        if not prefix:
            continue
        pid, rest = int(prefix[1]), prefix[2]
        if resumed := _RESUMED.match(rest):
            rest = begun.pop(pid, "") + resumed[1]
        if unfinished := _UNFINISHED.match(rest):
            head = unfinished[1]
            begun[pid] = head if head.endswith("(") else head + ", "
            continue
        yield pid, rest


def read_lines(text: str) -> list[Line]:
    """All calls, in the order in which they ended. Signals and exits are left out, and what never ended."""
    lines = []
    for pid, rest in _joined(text):
        if whole := _WHOLE.match(rest):
            arguments = tuple(value for _, value in _Reader(whole[2]).list(""))
            lines.append(Line(pid, whole[1], arguments, whole[3]))
    return lines


@dataclass(frozen=True)
class Made:
    """A call with its outcome, as the program saw it."""

    line: Line
    result: int | str | None
    """A number, an errno's name, or None for a call that does not return."""
    restarted: int = 0


def made_by(lines: list[Line], pid: int) -> list[Made]:
    """The calls of a process. One that a signal cut short ends where its handler has returned: with EINTR, or, when it
    was restarted, where the restarted one ends."""
    made: list[Made] = []
    cut: list[int] = []
    for line in (line for line in lines if line.pid == pid):
        if line.name == "rt_sigreturn":
            _decide(made, cut, line)
        elif "ERESTART" in line.result:
            cut.append(len(made))
            made.append(Made(line, "cut"))
        elif cut and made[cut[-1]].restarted and made[cut[-1]].line.name == line.name:
            before = made[cut[-1]]
            del made[cut.pop()]
            made.append(Made(line, _result(line), before.restarted))
        else:
            made.append(Made(line, _result(line)))
    return [one for one in made if one.result != "cut"]


def _decide(made: list[Made], cut: list[int], line: Line) -> None:
    if not cut:
        return
    if "EINTR" in line.result:
        place = cut.pop()
        made[place] = replace(made[place], result="EINTR")
    else:
        made[cut[-1]] = replace(made[cut[-1]], restarted=made[cut[-1]].restarted + 1)


def _result(line: Line) -> int | str | None:
    word, _, rest = line.result.partition(" ")
    if word == "?":
        return None
    return rest.split()[0] if word == "-1" and rest else int(word, 0)
