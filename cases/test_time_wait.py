"""TIME_WAIT: who has it, and how long it lasts. Scenarios S0 and S1."""

from time import monotonic

import pytest

from harness import (
    EADDRINUSE,
    FIN_WAIT2,
    TIME_WAIT,
    Lab,
    entering,
    leaving,
)

TIMEWAIT_LEN = 60
"""Seconds: TCP_TIMEWAIT_LEN in the kernel's include/net/tcp.h."""
LATEST = TIMEWAIT_LEN * 9 / 8
"""When the timer strikes at the latest: the kernel's timer wheel may be an eighth late."""
LOOKED = 5
"""A busy machine may look at a timer so many seconds after it was set."""


def served_and_closed(lab: Lab, *options: str, address: str) -> None:
    """A daytime server serves a client and closes first; then the client ends, too."""
    server = lab.start("daytimed", *options, lab.port).reach(entering("accept"))
    client = lab.start("daytime", address, lab.port).reach(leaving("connect"))
    server.reach(entering("accept"))
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    client.ended()


every_family = pytest.mark.parametrize(
    ("options", "address"),
    [
        pytest.param([], "127.0.0.1", id="IPv4"),
        pytest.param(["-a", "::1"], "::1", id="IPv6"),
        pytest.param(["-6"], "127.0.0.1", id="IPv4-to-wildcard6"),
    ],
)


@pytest.mark.about("TIME_WAIT")
@pytest.mark.scenario("S0.2")
@every_family
def test_the_server_that_closes_first_owns_time_wait(
    lab: Lab, options: list[str], address: str
) -> None:
    """The side that closes first is in TIME_WAIT: one socket at the server's port, none at the
    client's.

    RFC 9293 §3.6, §3.6.1 (who closes actively lingers in TIME-WAIT); UNP §2.7.
    """
    served_and_closed(lab, *options, address=address)
    assert lab.comes(local=lab.port, state=TIME_WAIT)
    assert lab.states(state=TIME_WAIT) == [TIME_WAIT]


@pytest.mark.about("TIME_WAIT", "LAST_ACK")
@pytest.mark.scenario("S0.2")
@every_family
def test_the_client_that_closes_second_keeps_no_socket(
    lab: Lab, options: list[str], address: str
) -> None:
    """Nothing is left of the side that closes second, as soon as its FIN is acknowledged.

    RFC 9293 §3.6, §3.10.7.4 (LAST-ACK: delete the TCB); UNP §2.7.
    """
    served_and_closed(lab, *options, address=address)
    assert lab.goes(remote=lab.port)


@pytest.mark.about("TIME_WAIT", "MSL")
@pytest.mark.scenario("S0.4", "S1.5")
@every_family
def test_time_wait_begins_with_60_seconds(lab: Lab, options: list[str], address: str) -> None:
    """The timer of a new TIME_WAIT stands at 60 seconds.

    RFC 9293 §3.6.1 (2 MSL), §3.4 (an MSL is 2 minutes, so 4 minutes); kernel include/net/tcp.h
    TCP_TIMEWAIT_LEN. A text of S1 says about 3 minutes; it is wrong on Linux.
    Platforms: 2 MSL is 30 s on Darwin, 60 s on FreeBSD, 120 s in lwIP.
    """
    served_and_closed(lab, *options, address=address)
    [waiting] = lab.awaits(local=lab.port, state=TIME_WAIT)
    assert waiting.timer == "time_wait"
    assert waiting.expires is not None and TIMEWAIT_LEN - LOOKED < waiting.expires <= TIMEWAIT_LEN


@pytest.mark.about("TIME_WAIT", "tcp_fin_timeout")
@pytest.mark.scenario("S0.4")
@pytest.mark.parametrize("seconds", [1, 30, 120])
def test_tcp_fin_timeout_does_not_set_the_time_wait_timer(lab: Lab, seconds: int) -> None:
    """The timer of a new TIME_WAIT stands at 60 seconds, whatever tcp_fin_timeout is.

    tcp(7) tcp_fin_timeout is about FIN_WAIT2; kernel net/ipv4/tcp_minisocks.c tcp_time_wait. Many
    a guide says that it shortens TIME_WAIT; it does not.
    """
    lab.sysctl("net.ipv4.tcp_fin_timeout", seconds)
    served_and_closed(lab, address=lab.address)
    [waiting] = lab.awaits(local=lab.port, state=TIME_WAIT)
    assert waiting.expires is not None and TIMEWAIT_LEN - LOOKED < waiting.expires <= TIMEWAIT_LEN


@pytest.mark.about("TIME_WAIT", "tcp_fin_timeout")
@pytest.mark.behaviour("B10")
@pytest.mark.scenario("S0.4")
@pytest.mark.waits
@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1, 60])
def test_time_wait_lasts_60_seconds(lab: Lab, seconds: int) -> None:
    """A socket in TIME_WAIT is there for 60 seconds and then gone, whatever tcp_fin_timeout is.

    RFC 9293 §3.10.8 (TIME-WAIT timeout); kernel include/net/tcp.h TCP_TIMEWAIT_LEN.
    Platforms: 30 s on Darwin, 60 s on FreeBSD.
    """
    lab.sysctl("net.ipv4.tcp_fin_timeout", seconds)
    began = monotonic()
    served_and_closed(lab, address=lab.address)
    lab.awaits(local=lab.port, state=TIME_WAIT)
    assert lab.goes(local=lab.port, state=TIME_WAIT, deadline=LATEST + 10)
    lasted = monotonic() - began
    # A tick of the kernel's clock may have begun before ours.
    assert TIMEWAIT_LEN - 0.1 <= lasted <= LATEST + 1


@pytest.mark.about("TIME_WAIT", "EADDRINUSE", "bind")
@pytest.mark.behaviour("B10", "B1")
@pytest.mark.scenario("S1.5")
@pytest.mark.waits
@pytest.mark.slow
def test_the_binding_error_lasts_as_long_as_time_wait(lab: Lab) -> None:
    """bind() says EADDRINUSE while TIME_WAIT lasts, which is 60 seconds, and succeeds when it is
    over.

    RFC 9293 §3.6.1; POSIX.1-2024 bind() [EADDRINUSE]. The text says about 3 minutes; it is 60
    seconds on Linux.
    Platforms: 30 s on Darwin, 60 s on FreeBSD.
    """
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
    server.reach(leaving("accept"))
    server.kill()
    lab.awaits(local=lab.port, state=FIN_WAIT2)
    began = monotonic()
    client.end_input().ended()
    lab.awaits(local=lab.port, state=TIME_WAIT)

    early = lab.start("reuseadr_eserver", lab.port)
    assert early.outcome("bind") == EADDRINUSE

    assert lab.goes(local=lab.port, state=TIME_WAIT, deadline=LATEST + 10)
    lasted = monotonic() - began
    assert TIMEWAIT_LEN - 0.1 <= lasted <= LATEST + 1

    late = lab.start("reuseadr_eserver", lab.port)
    assert late.outcome("bind") == 0
