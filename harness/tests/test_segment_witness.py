"""Independent witnesses: tcpdump sees the segments of cases that the harness sees, ss the sockets.

They run beside the harness, in the same namespaces, at the same moments: see second_opinion.py.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.tests import ss
from harness.tests.tcpdump import Told, differing
from harness.trace.segments import ACK, FIN, SYN, Fate, Flag, Protocol
from harness.trace.sockets import Clock, Endpoint, Queues, Socket, State

CHECKOUT = Path(__file__).parent.parent.parent
WITNESSED = {
    "loopback": """
        cases/test_abort_before_accept.py::test_the_client_aborts_with_an_rst_and_no_fin
        cases/test_concurrent_clients.py::test_each_client_gets_its_own_echo[echo_mpserv]
        cases/test_normal_termination.py::test_left_alone_three_segments_end_a_connection
        cases/test_reuseaddr.py::test_so_reuseaddr_on_both_sockets_lets_a_server_restart_over_time_wait[IPv6]
        cases/test_server_terminated.py::test_a_killed_server_that_has_data_unread_sends_rst_and_no_fin
        """,
    "hosts that go": """
        cases/test_host_crash.py::test_a_host_that_shuts_down_sends_fin[IPv4]
        cases/test_host_crash.py::test_the_rebooted_host_makes_read_say_econnreset[IPv6-server-again]
        cases/test_host_crash.py::test_the_write_after_the_crash_succeeds[IPv4]
        """,
    "routers": """
        cases/test_icmp.py::test_icmp_in_established_is_soft[IPv6-host]
        cases/test_icmp.py::test_icmp_in_syn_sent_fails_connect[IPv4-port]
        cases/test_path_mtu.py::test_what_is_too_long_is_sent_again_in_shorter_segments[IPv4]
        cases/test_path_mtu.py::test_what_is_too_long_is_sent_again_in_shorter_segments[IPv6]
        """,
    "beginnings": """
        cases/test_lost_syn.py::test_a_syn_that_arrives_twice_makes_one_connection[IPv4]
        cases/test_lost_syn.py::test_without_the_third_segment_the_client_alone_is_connected[IPv4]
        cases/test_simultaneous_open.py::test_two_that_connect_to_each_other_have_one_connection[IPv6]
        cases/test_syn_sent.py::test_a_write_sleeps_till_the_connection_is_there[IPv4]
        cases/test_time_wait_between_hosts.py::test_a_newer_syn_reopens_time_wait[IPv6-1]
        """,
    "data": """
        cases/test_reordering.py::test_segments_that_arrive_in_reverse_are_read_in_order[IPv6]
        harness/tests/witnessed.py::test_a_segment_that_is_delayed_comes_later
        harness/tests/witnessed.py::test_a_fin_that_is_cut_is_sent_again
        """,
    "ends": """
        cases/test_linger.py::test_close_waits_in_every_state_whose_fin_is_not_acknowledged[IPv6-CLOSING]
        cases/test_lost_segments.py::test_a_lost_fin_leaves_one_side_open[IPv4]
        cases/test_lost_segments.py::test_a_lost_last_ack_leaves_last_ack_and_time_wait[IPv6]
        cases/test_reset.py::test_a_reset_ends_a_connection_in_every_state[IPv4-FIN_WAIT2]
        cases/test_simultaneous_close.py::test_after_a_simultaneous_close_both_sides_have_time_wait[IPv4]
        """,
}
"""Cases, in groups, so that several workers share them."""
SHOWN = {
    "loopback": "LISTEN ESTABLISHED TIME_WAIT tcp-passed",
    "hosts that go": "tcp-cut",
    "routers": "icmp-passed icmp-forged icmpv6-passed icmpv6-forged",
    "beginnings": "SYN_SENT SYN_RECEIVED tcp-duplicated tcp-held",
    "data": "FIN_WAIT1 tcp-delayed tcp-released tcp-cut",
    "ends": "FIN_WAIT2 CLOSE_WAIT CLOSING LAST_ACK TIME_WAIT tcp-dropped tcp-forged",
}
"""What must have befallen a segment in the group, and the states of which a socket must have been there."""
FATES = {f"tcp-{fate}" for fate in Fate}


@pytest.mark.timeout(600)
@pytest.mark.skipif(
    os.geteuid() != 0,
    reason="tcpdump insists on becoming another user; in an ordinary user's namespace there is one only",
)
@pytest.mark.parametrize("group", WITNESSED)
def test_tcpdump_and_ss_agree_with_the_harness(tmp_path: Path, group: str) -> None:
    """On loopback and on wires, whatever befalls a segment: every frame and every socket."""
    told, cases = tmp_path / "told", WITNESSED[group].split()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "harness.tests.second_opinion",
            f"--second-opinion={told}",
            *cases,
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [json.loads(line) for line in told.read_text().splitlines()]
    assert len(seen) == len(cases)
    assert [one["case"] for one in seen if not one["segments"] or not one["sockets"]] == []
    shown = _all(seen, "states") | {way.replace(" ", "-") for way in _all(seen, "ways")}
    assert shown >= set(SHOWN[group].split())


def test_together_the_groups_show_every_state_and_every_fate() -> None:
    """Each group is held to its part."""
    shown = set(" ".join(SHOWN.values()).split())
    assert shown >= {str(state) for state in State if state is not State.CLOSED}
    assert shown >= FATES | {"icmp-passed", "icmp-forged", "icmpv6-passed", "icmpv6-forged"}
    assert sum(len(cases.split()) for cases in WITNESSED.values()) >= 20


def _all(seen: list[dict[str, Any]], what: str) -> set[str]:
    return {word for one in seen for word in one[what]}


# --- the witnesses can be at odds with the harness -------------------------------------------------------------------


def told(flags: Flag, sequence: int = 1) -> Told:
    """A segment."""
    return Told(Protocol.TCP, "10.0.1.1", "10.0.1.2", (40000, 9877), flags, sequence)


THREE = [told(SYN), told(ACK), told(FIN | ACK)]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(THREE[:2], id="the last one is missing"),
        pytest.param([THREE[0], THREE[2]], id="one in the middle is missing"),
        pytest.param([THREE[1], THREE[0], THREE[2]], id="another order"),
        pytest.param([*THREE, told(ACK)], id="one more"),
        pytest.param([*THREE[:2], told(FIN | ACK, 2)], id="another sequence number"),
    ],
)
def test_a_frame_that_one_did_not_see_is_told(seen: list[Told]) -> None:
    """Wherever it is."""
    assert "tcpdump:" in differing(THREE, seen, THREE)


def test_a_frame_that_was_under_way_meanwhile_is_no_difference() -> None:
    """The harness, asked again, has seen it, too."""
    assert differing(THREE[:2], THREE, THREE) == ""


@pytest.mark.parametrize(
    "line",
    [
        "ESTAB 0 0 127.0.0.1:9877 127.0.0.1:40000 ino:7 sk:11",
        "CLOSE-WAIT 5 0 127.0.0.1:9877 127.0.0.1:40000 ino:7 sk:11",
        "CLOSE-WAIT 0 0 127.0.0.1:9876 127.0.0.1:40000 ino:7 sk:11",
        "CLOSE-WAIT 0 0 127.0.0.1:9877 127.0.0.1:40000 timer:(keepalive,5sec,0) ino:7 sk:11",
        "CLOSE-WAIT 0 0 127.0.0.1:9877 127.0.0.1:40000 ino:7 sk:12",
    ],
)
def test_a_socket_of_which_ss_says_something_else_is_told(line: str) -> None:
    """Its state, its queues, its addresses, its timer, or that it is another."""
    ours = {17: _close_wait()}
    assert "ss:" in ss.differing(ours, dict([ss.read(line)]), ours)


def test_a_socket_of_which_ss_says_the_same_is_no_difference() -> None:
    """Nor is a timer that has run on meanwhile, as far as ss writes it out."""
    same = "CLOSE-WAIT 0 0 127.0.0.1:9877 127.0.0.1:40000 ino:7 sk:11"
    assert ss.differing({17: _close_wait()}, dict([ss.read(same)]), {17: _close_wait()}) == ""
    waits = "TIME-WAIT 0 0 127.0.0.1:9877 127.0.0.1:40000 timer:(timewait,59sec,0) ino:0 sk:11"
    for expires, after, agrees in ((59.9, 59.8, True), (59.1, 58.9, True), (58.9, 58.8, False)):
        before, then = {17: _time_wait(expires)}, {17: _time_wait(after)}
        assert (ss.differing(before, dict([ss.read(waits)]), then) == "") is agrees


def _close_wait() -> Socket:
    return _socket(State.CLOSE_WAIT, None, None, inode=7)


def _time_wait(expires: float) -> Socket:
    return _socket(State.TIME_WAIT, "time_wait", expires, inode=0)


def _socket(state: State, timer: str | None, expires: float | None, inode: int) -> Socket:
    ends = Endpoint("127.0.0.1", 9877), Endpoint("127.0.0.1", 40000)
    queues, clock = Queues(0, 0), Clock(timer, expires, 0)
    return Socket("AF_INET", "SOCK_STREAM", state, *ends, queues, clock, 0, inode, cookie=17)
