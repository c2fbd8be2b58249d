"""What a sender knows of its peer's window."""

import pytest

from harness import (
    CONNECTION,
    ESTABLISHED,
    LISTEN,
    Host,
    Lab,
    Process,
    entering,
    leaving,
)


@pytest.fixture
def ends(lab: Lab) -> tuple[Host, Process, Process]:
    """A server's host, the server, about to write for ever, and its client on another, that does not read."""
    here, there = lab.join("client", "server")
    server = there.start("flood_server", "-a", there.address, lab.port).reach(entering("accept"))
    client = here.start("oneshot_client", "-s", there.address, lab.port).prints("not reading").run()
    return there, server.reach(entering("write", on=CONNECTION)), client


def test_a_window_is_what_the_peer_has_told(lab: Lab, ends: tuple[Host, Process, Process]) -> None:
    """Less what has been acknowledged since, of which there is nothing yet. A listener has none."""
    there, *_ = ends
    told = lab.wire.last(sender="client").window
    [listening] = there.sockets(local=lab.port, state=LISTEN)
    [sending] = there.sockets(local=lab.port, state=ESTABLISHED)
    assert listening.send_window is None
    assert sending.send_window in [told << scale for scale in range(15)]
    assert there.sockets(send_window=sending.send_window) == [ESTABLISHED]
    assert there.sockets(send_window=sending.send_window + 1) == []


def test_a_window_that_is_shut_is_zero(lab: Lab, ends: tuple[Host, Process, Process]) -> None:
    """The persist timer alone does not tell: it runs also while there is room for a part of a segment."""
    there, server, _ = ends
    server.run().blocked("write")
    [sending] = there.awaits(local=lab.port, timer="persist", send_window=0)
    assert sending.send_window == 0
    assert lab.wire.last(sender="client").window == 0
