"""Segments that overtake each other, come twice or get lost: what the reader sees of it.

A line as long as three segments is written with one call, and the wire does to them what it is
told.
"""

import pytest

from cases.joined import Joined, joined, over_both
from cases.steps import ends, gives, returned
from harness import (
    ACK,
    ALWAYS,
    CHILDREN,
    CONNECTION,
    ESTABLISHED,
    Broken,
    Fate,
    Held,
    Lab,
    Process,
    Segment,
    again,
    entering,
    exited,
    leaving,
    segment,
)

LINE = "".join(f"{number:04d}-" for number in range(800))[:3999] + "\n"
"""Three segments long, and no part of it is like another."""
SHORT = "hello\n"
SENT = [fate for fate in Fate if fate not in (Fate.RELEASED, Fate.FORGED)]
"""The fates of what a host put onto the wire, each segment once."""


def echoing(lab: Lab, version: int) -> tuple[Joined, Process, Process]:
    """Two hosts, a client that waits for a line, and the child that is to read it, held before."""
    hosts = joined(lab, version)
    serving = hosts.serves("tcpserv01")
    talker = hosts.comes("echo_client").run()
    return hosts, talker, serving.reach(entering("read", on=CONNECTION), CHILDREN)


def written(talker: Process, line: str) -> None:
    """The line has left the client."""
    talker.input(line).reach(leaving("write", on=CONNECTION)).run()


def reads(child: Process) -> list[int | None]:
    """What the child's reads gave."""
    return [call.outcome.value for call in child.calls("read")]


def with_data(hosts: Joined) -> list[Segment]:
    """The segments with data that the client has put onto the wire, whatever became of them."""
    sent = hosts.wire.segments(sender=hosts.client, fate=SENT)
    return [seen for seen in sent if seen.length > 0]


# --- out of order -----------------------------------------------------------------------------------------------


@pytest.mark.about("reordering", "read")
@over_both
def test_segments_that_arrive_in_reverse_are_read_in_order(lab: Lab, version: int) -> None:
    """What is read is what was written, though the segments arrive the last one first.

    RFC 9293 §3.4 (sequence numbers), §3.10.7.4 (segments are processed in sequence).
    """
    hosts, talker, child = echoing(lab, version)
    data = hosts.wire.hold(segment(payload=True, sender=hosts.client), times=3)
    # What is sent again stays there.
    hosts.wire.hold(segment(payload=True, sender=hosts.client))
    written(talker, LINE)
    child.run()
    if data.let_go_reversed() != 3:
        raise Broken(f"the line is not three segments: {hosts.wire.segments(sender=hosts.client)}")

    assert ends(talker.end_input()) == exited(0)
    assert talker.output == LINE


def gap(hosts: Joined, talker: Process) -> Held:
    """The first segment of the line is on the wire, the others have gone past it."""
    first = hosts.wire.hold(segment(payload=True, sender=hosts.client), times=1)
    # What is sent again stays there.
    hosts.wire.hold(segment(payload=True, sender=hosts.client, nth=4))
    written(talker, LINE)
    return first


@pytest.mark.about("reordering", "read", "receive queue")
@over_both
def test_what_came_behind_a_gap_cannot_be_read(lab: Lab, version: int) -> None:
    """Segments that came before one that belongs ahead of them are not in the receive queue.

    RFC 9293 §3.10.7.4 (segments with higher beginning sequence numbers should be held).
    """
    hosts, talker, _ = echoing(lab, version)
    overtakers = hosts.wire.hold(segment(ACK, sender=hosts.server, nth=2), times=1)
    gap(hosts, talker)
    overtakers.reached()

    [end] = hosts.server.sockets(local=lab.port, state=ESTABLISHED)
    assert end.receive_queue == 0


@pytest.mark.about("reordering", "ACK", "duplicate")
@over_both
def test_each_segment_behind_a_gap_is_answered_with_the_number_that_is_missing(
    lab: Lab, version: int
) -> None:
    """A segment that comes out of order is acknowledged at once, with the number that is expected.

    RFC 5681 §3.2, §4.2 (an immediate duplicate ACK); RFC 9293 §3.10.7.4.
    """
    hosts, talker, _ = echoing(lab, version)
    answers = hosts.wire.hold(segment(ACK, sender=hosts.server, nth=2))
    missing = gap(hosts, talker).reached()
    answers.reached()

    acknowledged = [
        seen.acknowledgement for seen in hosts.wire.segments(ACK, sender=hosts.server)[-2:]
    ]
    assert acknowledged == [missing.sequence, missing.sequence]


@pytest.mark.about("reordering", "read")
@over_both
def test_when_the_gap_is_filled_all_can_be_read_at_once(lab: Lab, version: int) -> None:
    """One read() gives all three segments once the first has come behind the others.

    RFC 9293 §3.10.7.4.
    """
    hosts, talker, child = echoing(lab, version)
    first = gap(hosts, talker)
    child.blocked("read")
    read = child.arm(leaving("read"))
    first.let_go()

    assert returned(read) == len(LINE)


# --- twice ------------------------------------------------------------------------------------------------------


@pytest.mark.about("duplicate", "read", "receive queue")
@over_both
def test_data_that_arrive_twice_are_queued_once(lab: Lab, version: int) -> None:
    """The receive queue holds as much as was written, though each segment arrives twice.

    RFC 9293 §3.10.7.4 (portions that are already received are to be dropped).
    """
    hosts, talker, _ = echoing(lab, version)
    hosts.wire.duplicate(segment(payload=True, sender=hosts.client), times=ALWAYS)
    written(talker, LINE)

    [end] = hosts.server.sockets(local=lab.port, state=ESTABLISHED)
    assert end.receive_queue == len(LINE)


@pytest.mark.about("duplicate", "read")
@over_both
def test_data_that_arrive_twice_are_read_once(lab: Lab, version: int) -> None:
    """What is read is what was written, though every segment arrives twice.

    RFC 9293 §3.10.7.4.
    """
    hosts, talker, child = echoing(lab, version)
    hosts.wire.duplicate(segment(payload=True, sender=hosts.client), times=ALWAYS)
    written(talker, LINE)

    assert gives(child, "read") == len(LINE)
    child.run()
    assert ends(talker.end_input()) == exited(0)
    assert talker.output == LINE


@pytest.mark.about("duplicate", "read")
@over_both
def test_an_old_duplicate_is_not_read_again(lab: Lab, version: int) -> None:
    """A segment that comes once more when its data were read long ago is read by nobody.

    RFC 9293 §3.10.7.4 (a segment that is not acceptable gets an ACK and is dropped).
    """
    hosts, talker, child = echoing(lab, version)
    child.run()
    talker.input(SHORT).prints(SHORT)
    [data] = with_data(hosts)
    answer = hosts.wire.hold(segment(ACK, sender=hosts.server), times=1)
    hosts.wire.forge(again(data))
    assert answer.reached().acknowledgement == data.end

    talker.end_input().ended()
    child.ended()
    assert reads(child) == [len(SHORT), 0]


# --- lost -------------------------------------------------------------------------------------------------------


@pytest.mark.about("retransmission", "read")
@pytest.mark.waits
@over_both
def test_a_segment_that_was_lost_is_sent_again(lab: Lab, version: int) -> None:
    """What is read is what was written, though a segment was lost on the way.

    RFC 9293 §3.8.1; RFC 6298.
    """
    hosts, talker, child = echoing(lab, version)
    lost = hosts.wire.drop(segment(payload=True, sender=hosts.client, nth=2))
    written(talker, LINE)
    child.run()
    missing = lost.reached()

    assert ends(talker.end_input()) == exited(0)
    assert talker.output == LINE
    assert [sent.sequence for sent in with_data(hosts)].count(missing.sequence) > 1


@pytest.mark.about("retransmission", "ACK", "duplicate", "read")
@pytest.mark.waits
@over_both
def test_data_whose_acknowledgement_was_lost_come_again_and_are_read_once(
    lab: Lab, version: int
) -> None:
    """Data are sent again when their ACK was lost, and are read once all the same.

    RFC 9293 §3.8.1, §3.10.7.4.
    """
    hosts, talker, child = echoing(lab, version)
    hosts.wire.drop(segment(ACK, sender=hosts.server))
    repeated = hosts.wire.hold(segment(payload=True, sender=hosts.client, nth=2), times=1)
    written(talker, SHORT)
    repeated.reached()
    first, second, *_ = with_data(hosts)
    assert second.sequence == first.sequence

    repeated.let_go()
    child.run()
    assert ends(talker.end_input()) == exited(0)
    child.ended()
    assert reads(child) == [len(SHORT), 0]
