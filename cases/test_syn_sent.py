"""SYN_SENT: what a socket does whose connection is being made. The SYN waits on the wire meanwhile."""

import pytest

from cases.joined import Joined, joined, over_both
from cases.steps import ends, gives, returned
from harness import (
    CONNECTION,
    EAGAIN,
    ECONNREFUSED,
    EINPROGRESS,
    SYN,
    SYN_SENT,
    Held,
    Lab,
    exited,
    leaving,
    segment,
)


def syns_held(lab: Lab, version: int, server: str | None = "tcpserv01") -> tuple[Joined, Held]:
    """Two hosts, and a server that accepts; the client's SYNs are held on the wire."""
    hosts = joined(lab, version)
    if server:
        hosts.serves(server).run()
    return hosts, hosts.wire.hold(segment(SYN, sender=hosts.client))


# --- SO_SNDTIMEO ------------------------------------------------------------------------------------------------


@pytest.mark.about("SO_SNDTIMEO", "EINPROGRESS", "connect")
@pytest.mark.behaviour("H16")
@pytest.mark.waits
@over_both
def test_connect_says_einprogress_when_so_sndtimeo_expires(lab: Lab, version: int) -> None:
    """A blocking connect() that SO_SNDTIMEO ends says EINPROGRESS, not EAGAIN or ETIMEDOUT.

    socket(7) SO_RCVTIMEO and SO_SNDTIMEO (EINPROGRESS, as if the socket were non-blocking); Linux
    net/ipv4/af_inet.c, __inet_stream_connect. POSIX.1-2024 SO_SNDTIMEO speaks of output functions.
    Platforms: FreeBSD does not apply it to connect() (sys/kern/uipc_syscalls.c, kern_connectat).
    """
    hosts, _ = syns_held(lab, version)
    connecting = hosts.comes("connect_client", "-t")

    assert gives(connecting, "connect") == EINPROGRESS


@pytest.mark.about("SO_SNDTIMEO", "EINPROGRESS", "SYN_SENT", "connect")
@pytest.mark.behaviour("H16")
@pytest.mark.waits
@over_both
def test_the_attempt_goes_on_when_so_sndtimeo_has_ended_connect(lab: Lab, version: int) -> None:
    """The socket stays in SYN_SENT after connect() has said EINPROGRESS, and becomes connected.

    socket(7) SO_SNDTIMEO; POSIX.1-2024 connect() [EINPROGRESS] (established asynchronously).
    """
    hosts, syn = syns_held(lab, version)
    connecting = hosts.comes("connect_client", "-t")
    connecting.reach(leaving("connect"))

    assert hosts.client.states(remote=lab.port) == [SYN_SENT]
    connecting.blocked("poll")
    syn.let_go()
    assert ends(connecting) == exited(0)
    assert connecting.output == "hello\n"


# --- write and read ---------------------------------------------------------------------------------------------


@pytest.mark.about("SYN_SENT", "write")
@pytest.mark.behaviour("H11")
@over_both
def test_a_write_sleeps_till_the_connection_is_there(lab: Lab, version: int) -> None:
    """write() on a blocking socket in SYN_SENT sleeps, and takes the data once it is connected.

    RFC 9293 §3.10.2 (SEND call: queue the data for transmission after entering the ESTABLISHED
    state); Linux net/core/stream.c, sk_stream_wait_connect.
    Platforms: FreeBSD's write says ENOTCONN at once (sys/kern/uipc_socket.c, sosend_generic).
    """
    hosts, syn = syns_held(lab, version)
    early = hosts.comes("early_client").blocked("write")
    assert hosts.client.states(remote=lab.port) == [SYN_SENT]

    written = early.arm(leaving("write"))
    syn.let_go()
    assert returned(written) == len("hello\n")
    assert ends(early) == exited(0)
    assert early.output == "hello\n"


@pytest.mark.about("SYN_SENT", "write", "SYN")
@pytest.mark.behaviour("H11")
@over_both
def test_a_write_in_syn_sent_puts_nothing_into_the_syn(lab: Lab, version: int) -> None:
    """The SYN carries no data though a write() waits for the connection.

    RFC 9293 §3.10.2 allows data to be sent with the SYN; Linux does so only with TCP Fast Open.
    """
    hosts, syn = syns_held(lab, version)
    early = hosts.comes("early_client").blocked("write")
    syn.let_go()
    early.ended()

    assert {sent.length for sent in lab.segments(SYN)} == {0}


@pytest.mark.about("SYN_SENT", "read")
@pytest.mark.behaviour("H11")
@over_both
def test_a_read_sleeps_till_the_first_data_come(lab: Lab, version: int) -> None:
    """read() on a blocking socket in SYN_SENT sleeps until the connection is there and data came.

    RFC 9293 §3.10.3 (RECEIVE call: queue the request for processing after entering ESTABLISHED).
    """
    hosts, syn = syns_held(lab, version, "daytimed")
    early = hosts.comes("early_client", "-q").blocked("read")
    assert hosts.client.states(remote=lab.port) == [SYN_SENT]

    syn.let_go()
    assert ends(early) == exited(0)
    assert len(early.output.splitlines()) == 1


CALLS = [pytest.param([], "write", id="write"), pytest.param(["-q"], "read", id="read")]


@pytest.mark.about("SYN_SENT", "EAGAIN", "O_NONBLOCK", "read", "write")
@pytest.mark.behaviour("H11")
@pytest.mark.parametrize(("option", "call"), CALLS)
@over_both
def test_a_call_that_does_not_block_says_eagain_in_syn_sent(
    lab: Lab, option: list[str], call: str, version: int
) -> None:
    """read() and write() on a non-blocking socket in SYN_SENT say EAGAIN, not ENOTCONN.

    POSIX.1-2024 read() and write() [EAGAIN], [ENOTCONN]; Linux net/ipv4/tcp.c, tcp_recvmsg_locked;
    net/core/stream.c, sk_stream_wait_connect.
    Platforms: FreeBSD's write says ENOTCONN (sys/kern/uipc_socket.c, sosend_generic).
    """
    hosts, _ = syns_held(lab, version)
    early = hosts.comes("early_client", "-f", *option)

    assert gives(early, call, on=CONNECTION) == EAGAIN
    assert hosts.client.states(remote=lab.port) == [SYN_SENT]


@pytest.mark.about("SYN_SENT", "ECONNREFUSED", "RST", "read", "write")
@pytest.mark.behaviour("H11")
@pytest.mark.parametrize(("option", "call"), CALLS)
@over_both
def test_a_call_that_waits_in_syn_sent_is_told_of_the_refusal(
    lab: Lab, option: list[str], call: str, version: int
) -> None:
    """read() and write() that sleep in SYN_SENT say ECONNREFUSED when a RST comes.

    RFC 9293 §3.10.7.3 (a RST in SYN-SENT: "connection reset"); Linux net/ipv4/tcp_input.c,
    tcp_reset.
    """
    hosts, syn = syns_held(lab, version, server=None)
    early = hosts.comes("early_client", *option).blocked(call)
    assert hosts.client.states(remote=lab.port) == [SYN_SENT]

    told = early.arm(leaving(call))
    syn.let_go()
    assert returned(told) == ECONNREFUSED
