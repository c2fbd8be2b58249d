"""Both sides close at once: their FINs cross on the wire."""

from dataclasses import dataclass

import pytest

from cases.joined import Joined, joined, over_both
from harness import (
    ACK,
    ALWAYS,
    CLOSING,
    CONNECTION,
    FIN,
    FIN_WAIT1,
    FIN_WAIT2,
    TIME_WAIT,
    Held,
    Lab,
    Process,
    entering,
    exited,
    segment,
)


@dataclass(frozen=True)
class Crossing:
    """Both FINs have been sent, neither has arrived."""

    hosts: Joined
    client: Process
    """Asleep in read."""
    fins: dict[str, Held]
    """By the host that sent it."""


def crossing(lab: Lab, version: int) -> Crossing:
    """daytimed, held as it closes, and a client, held as it shuts down, both let go."""
    hosts = joined(lab, version)
    server = hosts.serves("daytimed")
    client = hosts.comes("shutdown_client", "-w").reach(entering("shutdown"))
    server.reach(entering("close", on=CONNECTION))
    both = (hosts.client, hosts.server)
    fins = {host.name: hosts.wire.hold(segment(FIN, sender=host), times=1) for host in both}
    for host in both:  # one that is sent again would acknowledge what has come meanwhile
        hosts.wire.drop(segment(FIN, sender=host, nth=2), times=ALWAYS)
    client.run()
    server.run()
    hosts.client.awaits(remote=hosts.port, state=FIN_WAIT1)
    hosts.server.awaits(local=hosts.port, state=FIN_WAIT1)
    return Crossing(hosts, client, fins)


def crossed(lab: Lab, version: int) -> tuple[Joined, Held]:
    """Both FINs have arrived; what the hosts sent since, their acknowledgements, is held."""
    cross = crossing(lab, version)
    acknowledgements = cross.hosts.wire.hold(segment(ACK))
    for fin in cross.fins.values():
        fin.let_go()
    return cross.hosts, acknowledgements


@pytest.mark.about("FIN", "CLOSING", "FIN_WAIT1", "simultaneous close")
@pytest.mark.behaviour("B5")
@over_both
def test_fins_that_cross_bring_both_sides_to_closing(lab: Lab, version: int) -> None:
    """When both sides close at once, each is in CLOSING after the other's FIN has come and before
    its own is acknowledged.

    RFC 9293 §3.6 (case 3, figure 13), §3.10.7.4 (FIN-WAIT-1: enter CLOSING).
    """
    hosts, _ = crossed(lab, version)
    assert hosts.client.comes(remote=hosts.port, state=CLOSING)
    assert hosts.server.comes(local=hosts.port, state=CLOSING)


@pytest.mark.about("TIME_WAIT", "CLOSING", "simultaneous close")
@pytest.mark.behaviour("B5")
@over_both
def test_after_a_simultaneous_close_both_sides_have_time_wait(lab: Lab, version: int) -> None:
    """After a simultaneous close both sides go from CLOSING to TIME_WAIT.

    RFC 9293 §3.6 (figure 13), §3.10.7.4 (CLOSING: enter TIME-WAIT).
    """
    hosts, acknowledgements = crossed(lab, version)
    hosts.client.awaits(remote=hosts.port, state=CLOSING)
    hosts.server.awaits(local=hosts.port, state=CLOSING)

    acknowledgements.let_go()
    assert hosts.client.comes(remote=hosts.port, state=TIME_WAIT)
    assert hosts.server.comes(local=hosts.port, state=TIME_WAIT)


@pytest.mark.about("CLOSING", "FIN_WAIT2", "TIME_WAIT", "simultaneous close")
@pytest.mark.behaviour("B5")
@over_both
def test_one_fin_that_arrives_first_brings_only_its_receiver_to_closing(
    lab: Lab, version: int
) -> None:
    """When just the server's FIN has arrived, the client is in CLOSING; the server, whose FIN is
    acknowledged, is in FIN_WAIT2.

    RFC 9293 §3.10.7.4 (FIN-WAIT-1: if our FIN is acknowledged, enter FIN-WAIT-2).
    """
    cross = crossing(lab, version)
    cross.fins["server"].let_go()
    assert cross.hosts.client.comes(remote=cross.hosts.port, state=CLOSING)
    assert cross.hosts.server.comes(local=cross.hosts.port, state=FIN_WAIT2)

    cross.fins["client"].let_go()
    assert cross.hosts.client.comes(remote=cross.hosts.port, state=TIME_WAIT)
    assert cross.hosts.server.comes(local=cross.hosts.port, state=TIME_WAIT)


@pytest.mark.about("read", "CLOSING", "simultaneous close")
@pytest.mark.behaviour("B5")
@over_both
def test_nothing_is_lost_in_a_simultaneous_close(lab: Lab, version: int) -> None:
    """What was sent before a simultaneous close is read, and then the end of file.

    RFC 9293 §3.6 (a user who has closed may go on to receive).
    """
    cross = crossing(lab, version)
    for fin in cross.fins.values():
        fin.let_go()
    assert cross.client.ended() == exited(0)
    assert cross.client.output.count("\n") == 1
