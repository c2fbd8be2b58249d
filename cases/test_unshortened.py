"""The kernel's own times, unshortened: minutes and hours that pass at once where idle time does."""

from time import monotonic

import pytest

from cases.between_hosts import apart, waiting_for_an_answer
from cases.steps import gave
from harness import CONNECTION, ETIMEDOUT, Lab, leaving

RTO_MIN, RTO_MAX = 0.2, 120.0
"""Seconds: TCP_RTO_MIN and TCP_RTO_MAX in the kernel's include/net/tcp.h."""
RETRIES = 15
"""tcp_retries2 as the kernel has it."""
DOUBLINGS = 9
"""Retransmission time-outs that double before RTO_MAX is reached."""
GIVING_UP = RTO_MIN * (2 ** (DOUBLINGS + 1) - 1) + RTO_MAX * (RETRIES - DOUBLINGS)
"""Seconds, 924.6: Documentation/networking/ip-sysctl.rst, tcp_retries2."""
KEEPALIVE = 7200 + 9 * 75
"""Seconds, 2 h 11 min 15 s: tcp_keepalive_time, and tcp_keepalive_probes times tcp_keepalive_intvl."""
LATE = 9 / 8
"""A timer that is far away strikes late by an eighth at most: kernel/time/timer.c, the wheel's levels."""


@pytest.mark.fast_time
@pytest.mark.waits
@pytest.mark.about("SO_KEEPALIVE", "ETIMEDOUT", "tcp_keepalive_time", "crash")
@pytest.mark.behaviour("J2")
def test_keepalive_finds_a_dead_idle_peer_after_two_hours_and_eleven_minutes(lab: Lab) -> None:
    """With SO_KEEPALIVE and nothing else set, a read from a peer that died in silence says ETIMEDOUT
    after 2 hours, 11 minutes and 15 seconds, and not before.

    tcp(7) tcp_keepalive_time, tcp_keepalive_probes, tcp_keepalive_intvl; RFC 9293 §3.8.4; UNP 7.5.
    """
    here, there = lab.join("client", "server")
    two = waiting_for_an_answer(here, there, 4, "option_client -k")
    began = monotonic()
    there.crash()

    assert gave(two.answer.reached(KEEPALIVE * 2)) == ETIMEDOUT
    assert KEEPALIVE - 1 <= monotonic() - began <= KEEPALIVE * LATE + 1


@pytest.mark.fast_time
@pytest.mark.waits
@pytest.mark.about("ETIMEDOUT", "tcp_retries2", "retransmission", "crash")
@pytest.mark.behaviour("I3")
def test_a_line_for_a_dead_host_is_sent_again_for_fifteen_minutes(lab: Lab) -> None:
    """A line for a server whose host is gone is sent again for 924.6 seconds, with tcp_retries2 as the
    kernel has it; then read says ETIMEDOUT.

    Documentation/networking/ip-sysctl.rst, tcp_retries2; Linux net/ipv4/tcp_timer.c,
    retransmits_timed_out; RFC 9293 §3.8.3 (R2). UNP 5.14 speaks of 9 minutes.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, 4)
    there.crash()
    began = monotonic()
    two.client.input("more\n").reach(leaving("read", on=CONNECTION), deadline=GIVING_UP * 2)

    assert gave(two.client) == ETIMEDOUT
    assert GIVING_UP - 1 <= monotonic() - began <= GIVING_UP * LATE + RTO_MAX
