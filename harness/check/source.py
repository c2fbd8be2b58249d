"""Which cases a check_*.c file declares: read from its source, without compiling or running it.

What is read are CASE(...) with the comment before it, and KINDS(...), the sets that EACH(...) names; see
harness/check/case.h and kind.h.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..records.results import Claim

_TOKEN = re.compile(
    r"""
    (?P<directive>^[ \t]*\#(?:[^\n\\]|\\.)*)
  | (?P<body>^\{\n(?:[ \t#\n][^\n]*\n|\n|\w+:\n)*\})
  | (?P<space>(?:[^\S\n]*\n)+|[^\S\n]+)
  | (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<character>'(?:[^'\\\n]|\\.)+')
  | (?P<word>[A-Za-z_0-9][A-Za-z_0-9.]*)
  | (?P<mark>.)
""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
# What stands between a { and a } that begin their lines, with nothing else that does, is a function's: no case is there.
_PASSED_OVER = frozenset(("space", "directive", "body"))
_ESCAPE = re.compile(r"\\(.)")
_WORDS = ("BEHAVIOUR", "ABOUT", "REQUIRES")
_FLAGS = ("WAITS", "SLOW")


class CheckSourceError(Exception):
    """The source cannot be read as cases; the text begins with file:line."""


@dataclass(frozen=True)
class CheckCase:
    """One CASE(...) of a file."""

    name: str
    line: int
    doc: str
    """The comment before it."""
    ids: Sequence[str]
    """Of its items, in order: the name, with the kinds in brackets."""
    about: Sequence[str] = ()
    behaviour: Sequence[str] = ()
    requires: Sequence[str] = ()
    deadline: int | None = None
    """Seconds; None: the usual."""
    waits: bool = False
    slow: bool = False

    @property
    def claim(self) -> Claim:
        """What it claims, and where that comes from."""
        return Claim.of(self.doc)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


@dataclass
class _Source:
    """Tokens without white space, and what has been read of them."""

    path: str
    tokens: Sequence[_Token]
    kinds: dict[str, list[str]] = field(default_factory=dict)
    cases: list[CheckCase] = field(default_factory=list)

    def wrong(self, line: int, what: str) -> CheckSourceError:
        return CheckSourceError(f"{self.path}:{line}: {what}")


def read_kinds(paths: Sequence[Path], root: Path) -> dict[str, list[str]]:
    """The sets of kinds that files define: their names, by the set's name.

    Args:
        root: what messages name files relative to.

    Raises:
        CheckSourceError: a set cannot be read.
        OSError: a file cannot be.
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        found.update(_read(path, root, {}).kinds)
    return found


def read_cases(path: Path, root: Path, shared: Mapping[str, list[str]]) -> list[CheckCase]:
    """The cases of a file, in its order.

    Args:
        root: what messages name the file relative to.
        shared: the sets of kinds that it may name beside its own: see read_kinds.

    Raises:
        CheckSourceError: a case cannot be read.
        OSError: the file cannot be.
    """
    return _read(path, root, shared).cases


def _read(path: Path, root: Path, shared: Mapping[str, list[str]]) -> _Source:
    name = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckSourceError(f"{name}:1: is not UTF-8: {error.reason}") from None
    source = _Source(name, list(_tokens(text)), dict(shared))
    depth, comment = 0, ""
    at = 0
    while at < len(source.tokens):
        token = source.tokens[at]
        if token.kind == "comment":
            comment = _doc(token.text)
        elif depth == 0 and token.text in ("CASE", "KINDS"):
            at, arguments = _arguments(source, at + 1)
            if token.text == "CASE":
                source.cases.append(_case(source, token.line, arguments, comment))
            else:
                _add_kinds(source, token.line, arguments)
            comment = ""
            continue
        else:
            depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "mark" else 0
            comment = ""
        at += 1
    return source


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind not in _PASSED_OVER:
            yield _Token(kind, match.group(), line)
        line += match.group().count("\n")


def _doc(comment: str) -> str:
    """The text of a comment, without what makes it one."""
    inner = comment[2:].removesuffix("*/") if comment.startswith("/*") else comment[2:]
    lines = [line.strip() for line in inner.splitlines()]
    return "\n".join([lines[0], *(line.removeprefix("*").strip() for line in lines[1:])]).strip()


# --- arguments -----------------------------------------------------------------------------------------------------


def _arguments(source: _Source, at: int) -> tuple[int, list[list[_Token]]]:
    """The arguments of a macro whose opening bracket is at that token; and where it goes on behind it."""
    first = source.tokens[at] if at < len(source.tokens) else None
    if first is None or first.text != "(":
        raise source.wrong(first.line if first else 0, "expected ( after CASE or KINDS")
    found: list[list[_Token]] = [[]]
    depth = 0
    for here, token in enumerate(source.tokens[at:], at):
        if token.kind == "comment":
            continue
        depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(token.text, 0)
        if depth == 0:
            return here + 1, found
        if token.text == "," and depth == 1:
            found.append([])
        elif here > at:
            found[-1].append(token)
    raise source.wrong(first.line, "there is no ) to this (")


def _inner(source: _Source, argument: Sequence[_Token]) -> list[list[_Token]]:
    """The arguments of an argument that is a call itself: WORD(...)."""
    inner = _Source(source.path, argument)
    end, found = _arguments(inner, 1)
    if end != len(argument):
        raise source.wrong(argument[0].line, f"does not end with the ) of {argument[0].text}(")
    return found


def _string(source: _Source, argument: Sequence[_Token], where: str) -> str:
    if not argument or any(token.kind != "string" for token in argument):
        line = argument[0].line if argument else 0
        raise source.wrong(line, f"{where} takes strings, written out")
    return "".join(_ESCAPE.sub(r"\1", token.text[1:-1]) for token in argument)


def _word(source: _Source, line: int, argument: Sequence[_Token], what: str) -> str:
    if len(argument) != 1 or argument[0].kind != "word":
        raise source.wrong(line, f"expected {what}, got {_text(argument)!r}")
    return argument[0].text


def _text(argument: Sequence[_Token]) -> str:
    return " ".join(token.text for token in argument)


# --- sets of kinds -------------------------------------------------------------------------------------------------


def _add_kinds(source: _Source, line: int, arguments: list[list[_Token]]) -> None:
    name = _word(source, line, arguments[0], "the name of a set in KINDS")
    if name in source.kinds:
        raise source.wrong(line, f"there is a set of kinds {name} already")
    names = [_kind(source, line, argument) for argument in arguments[1:]]
    if not names:
        raise source.wrong(line, f"KINDS({name}) has no KIND")
    if twice := sorted({one for one in names if names.count(one) > 1}):
        raise source.wrong(line, f"KINDS({name}) has {', '.join(twice)} twice")
    source.kinds[name] = names


def _kind(source: _Source, line: int, argument: Sequence[_Token]) -> str:
    if not argument or argument[0].text != "KIND":
        raise source.wrong(
            argument[0].line if argument else line,
            f'KINDS takes KIND("name", ...), got {_text(argument)!r}',
        )
    return _string(source, _inner(source, argument)[0], "the name of a KIND")


# --- cases ---------------------------------------------------------------------------------------------------------


def _case(source: _Source, line: int, arguments: list[list[_Token]], comment: str) -> CheckCase:
    name = _word(source, line, arguments[0], "the name of a CASE")
    if any(case.name == name for case in source.cases):
        raise source.wrong(line, f"there is a case {name} already")
    if not Claim.of(comment).sources:
        raise source.wrong(
            line,
            f"case {name}: no comment right before it with its claim, an empty line and its sources",
        )
    said = _said(source, line, arguments[1:])
    deadline = said.get("DEADLINE")
    return CheckCase(
        name,
        line,
        comment,
        _ids(source, line, name, said.get("EACH", [])),
        about=tuple(said.get("ABOUT", ())),
        behaviour=tuple(said.get("BEHAVIOUR", ())),
        requires=tuple(said.get("REQUIRES", ())),
        deadline=int(deadline[0]) if deadline else None,
        waits="WAITS" in said,
        slow="SLOW" in said,
    )


def _said(source: _Source, line: int, arguments: list[list[_Token]]) -> dict[str, list[str]]:
    """What a CASE says of itself, by the word that says it."""
    said: dict[str, list[str]] = {}
    for argument in arguments:
        word = argument[0].text if argument else ""
        if word in said:
            raise source.wrong(argument[0].line, f"{word} is said twice")
        if word in _FLAGS and len(argument) == 1:
            said[word] = []
        elif word in _WORDS:
            said[word] = [_string(source, one, word) for one in _inner(source, argument)]
        elif word in ("EACH", "DEADLINE"):
            inner = _inner(source, argument)
            said[word] = [
                _word(source, argument[0].line, one, f"a word in {word}") for one in inner
            ]
        else:
            known = ", ".join((*_WORDS, "EACH", "DEADLINE", *_FLAGS))
            raise source.wrong(
                argument[0].line if argument else line,
                f"a CASE says {known}; got {_text(argument)!r}",
            )
    if "DEADLINE" in said and not said["DEADLINE"][0].isdigit():
        raise source.wrong(line, "DEADLINE takes a number of seconds")
    return said


def _ids(source: _Source, line: int, name: str, sets: Sequence[str]) -> list[str]:
    if len(sets) > 2:
        raise source.wrong(line, "EACH takes one set of kinds or two")
    for one in sets:
        if one not in source.kinds:
            known = ", ".join(sorted(source.kinds))
            raise source.wrong(line, f"there is no set of kinds {one}; there are {known}")
    if not sets:
        return [name]
    if len(sets) == 1:
        return [f"{name}[{kind}]" for kind in source.kinds[sets[0]]]
    first, second = (source.kinds[one] for one in sets)
    return [f"{name}[{one}-{other}]" for one in first for other in second]
