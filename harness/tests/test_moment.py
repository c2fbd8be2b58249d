"""Moments and filters, as requests and in words."""

import socket
from signal import SIGCHLD

import pytest

from harness import (
    CONNECTION,
    LISTEN,
    LISTENING,
    TIME_WAIT,
    Broken,
    Filter,
    Moment,
    Socket,
    born,
    entering,
    exiting,
    leaving,
    signalled,
)


@pytest.mark.parametrize(
    ("moment", "wire", "words"),
    [
        (entering("accept"), {"at": "enter", "call": "accept", "nth": 1}, "entering accept"),
        (
            leaving("read", 2, on=CONNECTION),
            {"at": "leave", "call": "read", "nth": 2, "on": "connection"},
            "leaving read on connection (number 2)",
        ),
        (signalled(SIGCHLD), {"at": "signal", "nth": 1, "signal": "SIGCHLD"}, "SIGCHLD"),
        (signalled(), {"at": "signal", "nth": 1}, "a signal"),
        (born(5), {"at": "born", "nth": 5}, "a birth (number 5)"),
        (exiting(), {"at": "exit", "nth": 1}, "exiting"),
    ],
)
def test_a_moment_is_written_as_the_protocol_says(
    moment: Moment, wire: dict[str, object], words: str
) -> None:
    """PROTOCOL.md, moment."""
    assert moment.wire() == wire
    assert str(moment) == words


def test_nth_counts_from_one() -> None:
    """A moment number 0 would never come."""
    with pytest.raises(ValueError, match="counts from 1"):
        entering("accept", 0, on=LISTENING)


def test_a_filter_is_written_as_the_protocol_says() -> None:
    """PROTOCOL.md, filter. Constants of the socket module and names mean the same."""
    wanted = Filter(9877, state=[LISTEN, TIME_WAIT], family=socket.AF_INET6, type="SOCK_STREAM")
    assert wanted.wire() == {
        "local": 9877,
        "state": ["LISTEN", "TIME_WAIT"],
        "family": "AF_INET6",
        "type": "SOCK_STREAM",
    }
    assert str(wanted) == "LISTEN or TIME_WAIT, AF_INET6, SOCK_STREAM, local :9877"
    assert Filter().wire() == {}


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    """Before it is asked for, in words that say what a port is."""
    with pytest.raises(Broken, match=f"port {port} is out of range"):
        Filter(local=port)


def test_sockets_compare_with_states() -> None:
    """So that a list of sockets compares with a list of states."""
    endpoint = {"host": "::1", "port": 9877}
    found = Socket.of(
        {
            "family": "AF_INET6",
            "type": "SOCK_STREAM",
            "state": "TIME_WAIT",
            "local": endpoint,
            "remote": endpoint,
            "timer": "time_wait",
            "expires_ms": 59980,
            "retransmits": 0,
        }
    )
    assert [found] == [TIME_WAIT]
    assert [found] != [LISTEN]
    assert found.expires == 59.98
    assert str(found) == "TIME_WAIT [::1]:9877 -> [::1]:9877, time_wait timer"
