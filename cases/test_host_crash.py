"""The server's host crashes, crashes and reboots, or shuts down. Scenario S2; UNP 5.14 to 5.16."""

from signal import SIGKILL, SIGTERM

import pytest

from cases.between_hosts import (
    address,
    answer_to,
    apart,
    waiting_for_an_answer,
)
from cases.joined import over_both
from cases.steps import ends, gave
from harness import (
    CHILDREN,
    CLOSE_WAIT,
    CONNECTION,
    EACCES,
    ECONNRESET,
    EHOSTUNREACH,
    ENETUNREACH,
    ESTABLISHED,
    ETIMEDOUT,
    FIN,
    HOST_UNREACHABLE,
    NET_UNREACHABLE,
    PROHIBITED,
    RST,
    Errno,
    Host,
    Icmp,
    Lab,
    Process,
    entering,
    executing,
    exited,
    killed_by,
    leaving,
)
from harness import build
from harness.lab.programs import find_program


# --- it crashes without a word -------------------------------------------------------------------


@pytest.mark.waits
@pytest.mark.about("ETIMEDOUT", "tcp_retries2", "crash")
@pytest.mark.scenario("S2.11")
@pytest.mark.behaviour("I3")
@pytest.mark.parametrize("hosts", [["client", "server"], ["client", "router", "server"]], ids=len)
@over_both
def test_a_crash_without_a_word_is_etimedout_in_the_end(
    lab: Lab, hosts: list[str], version: int
) -> None:
    """A line for a server whose host is gone is sent again and again; then read says ETIMEDOUT.

    RFC 9293 §3.8.3 (R2); Linux net/ipv4/tcp_timer.c, tcp_write_timeout; UNP 5.14. Nobody tells:
    the neighbour's entry is permanent, next door or at the router. UNP speaks of 9 minutes; on
    Linux it is some 15 by default, and here tcp_retries2 is 1.
    """
    here, *_, there = lab.join(*hosts)
    here.hasten(retries2=1)
    two = apart(here, there, version)
    there.crash()

    assert answer_to(two.client, "more\n") == ETIMEDOUT


@pytest.mark.about("write", "crash")
@pytest.mark.behaviour("I5")
@pytest.mark.scenario("S2.11")
@over_both
def test_the_write_after_the_crash_succeeds(lab: Lab, version: int) -> None:
    """The line for a server whose host is gone is taken as ever: write is not told.

    UNP 5.14.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    there.crash()
    write = two.client.arm(leaving("write", on=CONNECTION))
    two.client.input("more\n")

    assert gave(write.reached()) == len("more\n")


@pytest.mark.waits
@pytest.mark.about("EHOSTUNREACH", "ARP", "neighbour", "crash")
@pytest.mark.behaviour("I3", "H14")
@pytest.mark.scenario("S2.11")
@over_both
def test_a_neighbour_that_is_not_found_before_is_ehostunreach(lab: Lab, version: int) -> None:
    """When ARP, or neighbour discovery, has failed by the end of the retransmissions, read says
    EHOSTUNREACH.

    The failure is a soft error: it ends nothing, but it names the reason in the end. Linux
    net/ipv4/arp.c, arp_error_report, and tcp_timer.c, tcp_write_err. UNP 5.14 names ETIMEDOUT alone
    for a host on the same link.
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=1)
    here.sysctl(f"net.ipv{version}.neigh.eth0.retrans_time_ms", 100)
    two = apart(here, there, version)
    there.crash()
    here.forgets(there)

    assert answer_to(two.client, "more\n") == EHOSTUNREACH


@pytest.mark.waits
@pytest.mark.about("ETIMEDOUT", "ARP", "neighbour", "crash")
@pytest.mark.behaviour("I3")
@pytest.mark.scenario("S2.11")
@over_both
def test_a_neighbour_that_is_still_asked_for_is_etimedout(lab: Lab, version: int) -> None:
    """When the retransmissions end before ARP, or neighbour discovery, has failed, read says
    ETIMEDOUT.

    Linux net/core/neighbour.c, neigh_timer_handler, and net/ipv4/tcp_timer.c, tcp_write_err.
    """
    here, there = lab.join("client", "server")
    here.hasten(retries2=1)
    here.sysctl(f"net.ipv{version}.neigh.eth0.retrans_time_ms", 60_000)
    two = apart(here, there, version)
    there.crash()
    here.forgets(there)

    assert answer_to(two.client, "more\n") == ETIMEDOUT


@pytest.mark.waits
@pytest.mark.about("EHOSTUNREACH", "ICMP", "router", "crash")
@pytest.mark.scenario("S2.11")
@pytest.mark.behaviour("I2")
@over_both
def test_a_router_that_does_not_find_the_host_makes_it_ehostunreach(lab: Lab, version: int) -> None:
    """A router whose ARP, or neighbour discovery, fails answers host unreachable; in the end read
    says EHOSTUNREACH.

    RFC 1812 §5.2.7.1, RFC 4443 §3.1 (address unreachable); UNP 5.14.
    """
    here, router, there = lab.join("client", "router", "server")
    here.hasten(retries2=2)
    router.sysctl(f"net.ipv{version}.neigh.eth1.retrans_time_ms", 100)
    two = apart(here, there, version)
    there.crash()
    router.forgets(there)

    assert answer_to(two.client, "more\n") == EHOSTUNREACH


@pytest.mark.waits
@pytest.mark.about("EHOSTUNREACH", "ENETUNREACH", "EACCES", "ICMP", "router", "crash")
@pytest.mark.scenario("S2.11")
@pytest.mark.behaviour("I2")
@pytest.mark.parametrize(
    ("version", "says", "errno"),
    [
        pytest.param(4, HOST_UNREACHABLE, EHOSTUNREACH, id="IPv4-host"),
        pytest.param(4, NET_UNREACHABLE, ENETUNREACH, id="IPv4-net"),
        pytest.param(4, PROHIBITED, EHOSTUNREACH, id="IPv4-prohibited"),
        pytest.param(6, NET_UNREACHABLE, ENETUNREACH, id="IPv6-net"),
        pytest.param(6, PROHIBITED, EACCES, id="IPv6-prohibited"),
    ],
)
def test_what_the_router_says_is_the_error_in_the_end(
    lab: Lab, version: int, says: Icmp, errno: Errno
) -> None:
    """A router that answers with ICMP ends nothing at once; the error after the retransmissions is
    the one that it told.

    RFC 1122 §4.2.3.9 (soft errors), RFC 5461; Linux net/ipv4/tcp_ipv4.c, tcp_v4_err, and icmp.c,
    icmp_err_convert; net/ipv6/icmp.c, tab_unreach; UNP 5.14.
    Platforms: EACCES for IPv6 is Linux's own; others say EHOSTUNREACH.
    """
    here, router, there = lab.join("client", "router", "server")
    here.hasten(retries2=1)
    two = apart(here, there, version)
    there.crash()
    router.answers_with(says, about=there)

    assert answer_to(two.client, "more\n") == errno


# --- nobody has anything to say ------------------------------------------------------------------


@pytest.mark.about("read", "crash", "ESTABLISHED")
@pytest.mark.scenario("S2.11")
@pytest.mark.behaviour("I5")
@over_both
def test_a_client_that_waits_for_a_dead_host_waits_for_ever(lab: Lab, version: int) -> None:
    """A read from a peer that died in silence never returns: nothing is under way, no timer runs.

    RFC 9293 §3.8.4 (keep-alives are off unless asked for); UNP 5.14, 7.5.
    """
    here, there = lab.join("client", "server")
    two = waiting_for_an_answer(here, there, version)
    there.crash()

    [end] = here.sockets(remote=lab.port)
    assert (end.state, end.timer, end.send_queue) == (ESTABLISHED, None, 0)
    assert two.client.kernel_state == "S"


@pytest.mark.about("read", "crash", "ESTABLISHED")
@pytest.mark.scenario("S2.11")
@pytest.mark.behaviour("I5")
@over_both
def test_a_server_that_waits_for_a_dead_client_waits_for_ever(lab: Lab, version: int) -> None:
    """A server's child whose client's host died in silence stays in read for ever, too.

    RFC 9293 §3.8.4; UNP 7.5 (why servers set SO_KEEPALIVE).
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    here.crash()

    [end] = there.sockets(local=lab.port, state=ESTABLISHED)
    assert (end.timer, end.send_queue) == (None, 0)
    assert two.child.blocked("read").kernel_state == "S"


# --- it crashes and reboots ----------------------------------------------------------------------


def listens_again(there: Host, version: int) -> Process:
    """The server, started anew after a boot."""
    server = there.start("tcpserv01", "-a", address(there, version), there.lab.port)
    return server.reach(entering("accept"))


@pytest.mark.about("ECONNRESET", "RST", "reboot", "read")
@pytest.mark.scenario("S2.12")
@pytest.mark.behaviour("I4")
@pytest.mark.parametrize("again", [False, True], ids=["no-server", "server-again"])
@over_both
def test_the_rebooted_host_makes_read_say_econnreset(lab: Lab, again: bool, version: int) -> None:
    """A host that has rebooted knows of no connection and answers RST: read says ECONNRESET,
    whether its server runs again or not.

    RFC 9293 §3.5.1 (half-open connections), §3.5.2 group 1; UNP 5.15. One text says ETIMEDOUT; it
    is wrong: that is the error when no answer comes.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    there.crash()
    there.boot()
    if again:
        listens_again(there, version)

    assert answer_to(two.client, "more\n") == ECONNRESET
    assert lab.senders(RST) == ["server"]


@pytest.mark.waits
@pytest.mark.about("ECONNRESET", "RST", "reboot", "retransmission")
@pytest.mark.scenario("S2.12")
@pytest.mark.behaviour("I4")
@over_both
def test_a_line_that_was_lost_finds_the_rebooted_host(lab: Lab, version: int) -> None:
    """A host that is back before the retransmissions end answers one of them with RST.

    RFC 9293 §3.5.1; UNP 5.15.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    there.crash()
    write = two.client.arm(leaving("write", on=CONNECTION))
    two.client.input("more\n")
    write.reached()
    there.boot()

    assert answer_to(two.client, "") == ECONNRESET


@pytest.mark.about("reboot", "ESTABLISHED", "read")
@pytest.mark.scenario("S2.12")
@pytest.mark.behaviour("I4", "I5")
@over_both
def test_a_reboot_alone_is_not_noticed(lab: Lab, version: int) -> None:
    """A client that sends nothing does not learn of the reboot: the connection is half-open.

    RFC 9293 §3.5.1; UNP 5.15 (who wants to know must ask: SO_KEEPALIVE).
    """
    here, there = lab.join("client", "server")
    two = waiting_for_an_answer(here, there, version)
    there.crash()
    there.boot()

    [end] = here.sockets(remote=lab.port)
    assert (end.state, end.timer) == (ESTABLISHED, None)
    assert there.states(local=lab.port) == []
    assert two.client.kernel_state == "S"


# --- it shuts down -------------------------------------------------------------------------------


@pytest.mark.about("FIN", "SIGTERM", "CLOSE_WAIT", "shutdown")
@pytest.mark.scenario("S2.13")
@over_both
def test_a_host_that_shuts_down_sends_fin(lab: Lab, version: int) -> None:
    """SIGTERM ends the server, and the client sees the FIN as if the process had been killed.

    UNP 5.16.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    there.shut_down()

    assert two.child.ended() == killed_by(SIGTERM)
    assert here.comes(remote=lab.port, state=CLOSE_WAIT)
    assert (lab.senders(FIN), lab.senders(RST)) == (["server"], [])


@pytest.mark.waits
@pytest.mark.about("FIN", "SIGTERM", "SIGKILL", "CLOSE_WAIT", "shutdown")
@pytest.mark.scenario("S2.13")
@over_both
def test_a_server_that_ignores_sigterm_is_killed_and_sends_fin(lab: Lab, version: int) -> None:
    """Whoever ignores SIGTERM is killed after the grace, and the client sees the FIN all the same.

    UNP 5.16.
    """
    here, there = lab.join("client", "server")
    at = address(there, version)
    program = find_program("tcpserv01", build.current().folder)
    ignoring = ["-c", 'trap "" TERM; exec "$@"', "sh", program, "-a", at, lab.port]
    server = there.start("/bin/sh", *ignoring).reach(executing()).reach(entering("accept"))
    client = here.start("tcpcli01", at, lab.port).run()
    child = server.reach(entering("read", on=CONNECTION), CHILDREN)
    there.shut_down(grace=0.2)

    assert child.ended() == killed_by(SIGKILL)
    assert here.comes(remote=lab.port, state=CLOSE_WAIT)
    assert (lab.senders(FIN), lab.senders(RST)) == (["server"], [])
    client.kill()


@pytest.mark.about("EOF", "SIGTERM", "shutdown", "read")
@pytest.mark.scenario("S2.13")
@over_both
def test_the_client_says_that_the_server_terminated_prematurely(lab: Lab, version: int) -> None:
    """The client learns of the shutdown from the read after its next line.

    UNP 5.16, 5.12.
    """
    here, there = lab.join("client", "server")
    two = apart(here, there, version)
    there.shut_down()

    assert ends(two.client.input("more\n")) == exited(1)
    assert two.client.errors == "tcpcli01: server terminated prematurely\n"
