"""Protocols: what a client asks of a server, and when an answer is whole and right."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """How far an answer has come."""

    PART = "part"
    """More is to come."""
    RIGHT = "right"
    DECLINED = "declined"
    """A well-formed answer that says no."""
    WRONG = "wrong"


Judge = Callable[[bytes, bytes], Standing]
"""Looks at a request and what has come of its answer."""


@dataclass(frozen=True)
class Protocol:
    """A request and its answer."""

    name: str
    request: bytes
    judge: Judge
    expected: str
    """The right answer in words, for messages."""
    mirrors: bool = False
    """Whether the answer to any bytes are these bytes."""
    server_closes: bool = False
    """Whether the server ends the connection after its answer, and so closes first."""

    def standing(self, answer: bytes, request: bytes | None = None) -> Standing:
        """How far the answer to a request (the protocol's own, if None) has come."""
        return self.judge(self.request if request is None else request, answer)


def _compare(wanted: bytes, answer: bytes) -> Standing:
    if answer == wanted:
        return Standing.RIGHT
    return Standing.PART if wanted.startswith(answer) else Standing.WRONG


def _mirror(request: bytes, answer: bytes) -> Standing:
    return _compare(request, answer)


def _line(request: bytes, answer: bytes) -> Standing:
    del request
    if b"\n" not in answer:
        return Standing.PART
    return Standing.RIGHT if answer.count(b"\n") == 1 and answer.endswith(b"\n") else Standing.WRONG


_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r?$")
_CHUNKED = re.compile(rb"(?im)^transfer-encoding:.*chunked")


def _http(request: bytes, answer: bytes) -> Standing:
    del request
    if not (b"HTTP/1."[: len(answer)] == answer[:7]):
        return Standing.WRONG
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return Standing.PART
    status = head.split(b" ", 2)[1:2]
    if not status or not status[0].isdigit():
        return Standing.WRONG
    if status[0][:1] not in (b"2", b"3"):
        return Standing.DECLINED
    if _CHUNKED.search(head):
        return Standing.RIGHT if body.endswith(b"0\r\n\r\n") else Standing.PART
    length = _LENGTH.search(head)
    if length is None:
        return Standing.RIGHT  # its end is the connection's
    short = int(length[1]) - len(body)
    return Standing.PART if short > 0 else Standing.RIGHT if short == 0 else Standing.WRONG


def _redis(request: bytes, answer: bytes) -> Standing:
    del request
    if answer.startswith(b"-") and answer.endswith(b"\r\n"):
        return Standing.DECLINED
    return _compare(b"+PONG\r\n", answer)


PRESETS = {
    "echo": Protocol("echo", b"hello\n", _mirror, "the request itself", mirrors=True),
    "line": Protocol("line", b"hello\n", _line, "one line"),
    "http": Protocol(
        "http",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        _http,
        "an HTTP response with status 2xx or 3xx",
        server_closes=True,
    ),
    "redis": Protocol("redis", b"PING\r\n", _redis, r"+PONG\r\n"),
}
"""The protocols that need no more than their name."""


def exactly(request: bytes, answer: bytes) -> Protocol:
    """The protocol of one request and one answer, byte by byte; one that asks for itself back is an echo."""
    if request == answer and request:
        return Protocol("echo", request, _mirror, "the request itself", mirrors=True)
    judge: Judge = lambda _, seen: _compare(answer, seen)  # noqa: E731
    return Protocol("exact", request, judge, repr(answer)[2:-1])
