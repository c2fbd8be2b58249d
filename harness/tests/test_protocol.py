"""Answers: when they are whole, right, declined or wrong; and how subjects are described."""

import pytest

from harness.sweep.protocol import PRESETS, Standing, exactly
from harness.sweep.subject import NotUsable, subject_of, unescaped

PART, RIGHT, WRONG, DECLINED = Standing.PART, Standing.RIGHT, Standing.WRONG, Standing.DECLINED
OK = b"HTTP/1.1 200 OK\r\n"

ANSWERS = {
    "echo: nothing yet": ("echo", b"", PART),
    "echo: a part": ("echo", b"hel", PART),
    "echo: whole": ("echo", b"hello\n", RIGHT),
    "echo: another": ("echo", b"help", WRONG),
    "echo: more": ("echo", b"hello\nhello\n", WRONG),
    "line: a part": ("line", b"no end", PART),
    "line: whole": ("line", b"any line\r\n", RIGHT),
    "line: two": ("line", b"one\ntwo\n", WRONG),
    "http: a part of the status": ("http", b"HTTP/1", PART),
    "http: not http": ("http", b"220 ready\r\n", WRONG),
    "http: a part of the head": ("http", OK + b"Content-Le", PART),
    "http: a part of the body": ("http", OK + b"Content-Length: 5\r\n\r\nabc", PART),
    "http: whole": ("http", OK + b"content-length: 3\r\n\r\nabc", RIGHT),
    "http: too much": ("http", OK + b"Content-Length: 2\r\n\r\nabc", WRONG),
    "http: chunks": (
        "http",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        RIGHT,
    ),
    "http: not all chunks": ("http", OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", PART),
    "http: an error": ("http", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", DECLINED),
    "redis: whole": ("redis", b"+PONG\r\n", RIGHT),
    "redis: an error": ("redis", b"-ERR max clients\r\n", DECLINED),
    "redis: another": ("redis", b":1\r\n", WRONG),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_judged(name: str) -> None:
    """By what has come so far."""
    protocol, answer, standing = ANSWERS[name]
    assert PRESETS[protocol].standing(answer) is standing


def test_who_expects_the_request_back_has_an_echo() -> None:
    """Then any request will do, and checks may send their own."""
    assert exactly(b"ping\n", b"ping\n").mirrors
    protocol = exactly(b"ping\n", b"pong\n")
    assert not protocol.mirrors
    assert protocol.standing(b"po") is PART
    assert protocol.standing(b"pong\n") is RIGHT
    assert protocol.standing(b"ping\n") is WRONG


def test_escapes_and_bytes_beyond_ascii_arrive_as_written() -> None:
    """As a shell's $'...' would give them."""
    assert unescaped(r"a\n\r\t\x00\\") == b"a\n\r\t\0\\"
    assert unescaped("ä") == "ä".encode()


@pytest.mark.parametrize(
    "members,says",
    [
        ({}, "no command"),
        ({"cmd": "sh 'x", "protocol": "echo"}, "is no shell words"),
        ({"cmd": "sh", "protocol": "gopher"}, "unknown protocol 'gopher'"),
        ({"cmd": "/etc/passwd", "protocol": "echo"}, "is not executable"),
        ({"cmd": "sh", "protocol": "echo", "port": 70000}, "port 70000"),
    ],
)
def test_a_subject_that_says_too_little_is_refused(members: dict[str, object], says: str) -> None:
    """With what to say instead."""
    with pytest.raises(NotUsable, match=says):
        subject_of(members)
