"""A signal comes while a call sleeps: whether the call says EINTR or goes on depends on the call, on
SA_RESTART, and on time-outs.

A waiting_client sleeps in one call, with a handler for SIGUSR1. Its server is held before accept, and
so is silent and takes nothing, until the case lets it go.
"""

from signal import SIGUSR1

import pytest

from cases.joined import joined
from cases.steps import gives, returned, sleeps_in
from harness import (
    CONNECTION,
    EINTR,
    ESTABLISHED,
    SYN,
    Held,
    Lab,
    Outcome,
    Process,
    entering,
    leaving,
    segment,
    signalled,
)
from harness.fact import Fact

READERS = [("read", "-R"), ("recv", "-V"), ("recvfrom", "-F"), ("recvmsg", "-M")]
WRITERS = [("write", "-W"), ("send", "-S"), ("sendmsg", "-G")]
WATCHERS = [
    ("poll", "-P"),
    ("ppoll", "-Q"),
    ("select", "-L"),
    ("pselect6", "-K"),
    ("epoll_wait", "-E"),
]
MASKED = [("ppoll", "-Q"), ("pselect6", "-K")]
"""Those that swap the mask of signals while they sleep."""


def each(*calls: tuple[str, str]) -> pytest.MarkDecorator:
    """For the name of a call and the client's option for it."""
    return pytest.mark.parametrize(("call", "option"), calls, ids=[name for name, _ in calls])


def asleep(lab: Lab, call: str, *options: str) -> tuple[Process, Process]:
    """The server, held before accept, and the client, asleep in a call that waits for what the server
    says."""
    server = lab.start("daytimed", lab.port).reach(entering("accept"))
    client = lab.start("waiting_client", *options, lab.address, lab.port)
    # A loader reads, too.
    return server, client.reach(leaving("connect")).run().blocked(call)


def full(lab: Lab, call: str, *options: str) -> tuple[Process, Process, Held]:
    """The same for a call that waits for room: what the client has sent is held on the wire, so that
    nothing is acknowledged, and its buffer does not grow.

    Without tail loss probes: one that sends a part of what is queued last makes room behind it.
    """
    hosts = joined(lab, 4)
    hosts.client.sysctl("net.ipv4.tcp_wmem", "4096 4096 4096")
    hosts.client.sysctl("net.ipv4.tcp_early_retrans", 0)
    server = hosts.serves("reuseadr_eserver")
    data = hosts.wire.hold(segment(payload=True, sender=hosts.client))
    client = hosts.comes("waiting_client", *options).run()
    return server, client.blocked(call), data


def accepting(lab: Lab, *options: str) -> Process:
    """A waiting_client asleep in accept."""
    client = lab.start("waiting_client", *options, "-A", lab.address, lab.port).run()
    return client.blocked("accept")


def connecting(lab: Lab, *options: str) -> tuple[Process, Held]:
    """A waiting_client asleep in connect; its SYN is held."""
    hosts = joined(lab, 4)
    hosts.serves("reuseadr_eserver")
    syn = hosts.wire.hold(segment(SYN, sender=hosts.client))
    client = hosts.comes("waiting_client", *options, "-C").run()
    syn.reached()
    return client.blocked("connect"), syn


def handled(client: Process) -> Process:
    """The signal is about to be delivered, and the client, let go, runs the handler."""
    delivery = client.arm(signalled(SIGUSR1))
    client.signal(SIGUSR1)
    return delivery.reached()


def interrupted(client: Process, call: str) -> Outcome | Fact:
    """What the call in which the client sleeps gives when the signal comes, or that it sleeps on: for a
    claim."""
    left = client.arm(leaving(call))
    client.signal(SIGUSR1)
    return returned(left)


# --- without SA_RESTART --------------------------------------------------------------------------


@pytest.mark.about("EINTR", "SIGUSR1")
@pytest.mark.behaviour("F1")
@each(*READERS, *WATCHERS)
def test_a_call_that_sleeps_says_eintr(lab: Lab, call: str, option: str) -> None:
    """A call that waits for data says EINTR when a handler without SA_RESTART has run.

    POSIX.1-2024 §2.4.4 (Signal Effects on Other Functions); signal(7).
    """
    _, client = asleep(lab, call, option)
    assert interrupted(client, call) == EINTR


@pytest.mark.about("EINTR", "SIGUSR1")
@pytest.mark.behaviour("F1")
@each(*WRITERS)
def test_a_call_that_sleeps_for_room_says_eintr(lab: Lab, call: str, option: str) -> None:
    """A call that waits for room, and has taken nothing yet, says EINTR when a handler without
    SA_RESTART has run.

    POSIX.1-2024 write() (interrupted before it writes any data), send() [EINTR]; signal(7).
    """
    _, client, _ = full(lab, call, option)
    assert interrupted(client, call) == EINTR


@pytest.mark.about("EINTR", "SIGUSR1", "accept")
@pytest.mark.behaviour("F1")
def test_accept_that_sleeps_says_eintr(lab: Lab) -> None:
    """accept() that sleeps says EINTR when a handler without SA_RESTART has run.

    POSIX.1-2024 accept() [EINTR].
    """
    assert interrupted(accepting(lab), "accept") == EINTR


@pytest.mark.about("EINTR", "SIGUSR1", "connect", "SYN_SENT")
@pytest.mark.behaviour("F1", "F6")
def test_connect_that_sleeps_says_eintr(lab: Lab) -> None:
    """connect() that sleeps says EINTR when a handler without SA_RESTART has run.

    POSIX.1-2024 connect() [EINTR].
    """
    client, _ = connecting(lab)
    assert interrupted(client, "connect") == EINTR


# --- with SA_RESTART -----------------------------------------------------------------------------


@pytest.mark.about("SA_RESTART", "SIGUSR1")
@pytest.mark.behaviour("F2")
@each(*READERS)
def test_sa_restart_lets_a_reader_go_on(lab: Lab, call: str, option: str) -> None:
    """With SA_RESTART a call that waits for data goes on after the handler, and gives what comes.

    POSIX.1-2024 sigaction() [SA_RESTART]; signal(7).
    """
    server, client = asleep(lab, call, "-x", option)
    assert sleeps_in(handled(client), call)

    done = client.arm(leaving(call, on=CONNECTION))
    server.run()
    assert returned(done) == len("Thu Jan  1 00:00:00 1970\n")
    assert client.calls(call)[-1].restarted == 1


@pytest.mark.about("SA_RESTART", "SIGUSR1")
@pytest.mark.behaviour("F2")
@each(*WRITERS)
def test_sa_restart_lets_a_writer_go_on(lab: Lab, call: str, option: str) -> None:
    """With SA_RESTART a call that waits for room goes on after the handler, and takes its byte.

    POSIX.1-2024 sigaction() [SA_RESTART]; signal(7).
    """
    server, client, data = full(lab, call, "-x", option)
    assert sleeps_in(handled(client), call)

    done = client.arm(leaving(call, on=CONNECTION))
    server.run()
    data.let_go()
    assert returned(done) == 1
    assert client.calls(call)[-1].restarted == 1


@pytest.mark.about("SA_RESTART", "SIGUSR1", "connect")
@pytest.mark.behaviour("F2")
def test_sa_restart_lets_connect_go_on(lab: Lab) -> None:
    """With SA_RESTART connect() goes on after the handler, and connects.

    signal(7); Linux net/ipv4/af_inet.c, __inet_stream_connect (ERESTARTSYS). POSIX.1-2024 connect()
    knows EINTR alone, and other systems go by it.
    """
    client, syn = connecting(lab, "-x")
    assert sleeps_in(handled(client), "connect")

    done = client.arm(leaving("connect"))
    syn.let_go()
    assert returned(done) == 0


# --- SA_RESTART does not help --------------------------------------------------------------------


@pytest.mark.about("SO_SNDTIMEO", "SA_RESTART", "EINTR")
@pytest.mark.behaviour("F3")
@each(*WRITERS)
def test_a_time_out_defeats_sa_restart_for_a_writer(lab: Lab, call: str, option: str) -> None:
    """With SO_SNDTIMEO a call that waits for room says EINTR in spite of SA_RESTART.

    signal(7) (socket interfaces, when a timeout has been set on the socket); Linux include/net/sock.h,
    sock_intr_errno.
    """
    _, client, _ = full(lab, call, "-x", "-o", option)
    assert interrupted(client, call) == EINTR


@pytest.mark.about("SO_RCVTIMEO", "SA_RESTART", "EINTR")
@pytest.mark.behaviour("F3")
@each(*READERS)
def test_a_time_out_defeats_sa_restart_for_a_reader(lab: Lab, call: str, option: str) -> None:
    """With SO_RCVTIMEO a call that waits for data says EINTR in spite of SA_RESTART.

    signal(7) (socket interfaces, when a timeout has been set on the socket); Linux include/net/sock.h,
    sock_intr_errno.
    """
    _, client = asleep(lab, call, "-x", "-o", option)
    assert interrupted(client, call) == EINTR


@pytest.mark.about("SO_RCVTIMEO", "SA_RESTART", "EINTR", "accept")
@pytest.mark.behaviour("F3")
def test_a_time_out_defeats_sa_restart_in_accept(lab: Lab) -> None:
    """With SO_RCVTIMEO accept() says EINTR in spite of SA_RESTART.

    signal(7); Linux net/ipv4/inet_connection_sock.c, inet_csk_wait_for_connect. Platforms: Darwin and
    FreeBSD ignore SO_RCVTIMEO in accept.
    """
    assert interrupted(accepting(lab, "-x", "-o"), "accept") == EINTR


@pytest.mark.about("SO_SNDTIMEO", "SA_RESTART", "EINTR", "connect")
@pytest.mark.behaviour("F3")
def test_a_time_out_defeats_sa_restart_in_connect(lab: Lab) -> None:
    """With SO_SNDTIMEO connect() says EINTR in spite of SA_RESTART.

    signal(7); Linux net/ipv4/af_inet.c, __inet_stream_connect (sock_intr_errno).
    """
    client, _ = connecting(lab, "-x", "-o")
    assert interrupted(client, "connect") == EINTR


@pytest.mark.about("poll", "select", "epoll_wait", "SA_RESTART", "EINTR")
@pytest.mark.behaviour("F4")
@each(*WATCHERS)
def test_what_watches_is_never_restarted(lab: Lab, call: str, option: str) -> None:
    """select(), poll() and epoll_wait() say EINTR in spite of SA_RESTART.

    signal(7) (never restarted, regardless of SA_RESTART); POSIX.1-2024 select() leaves it open; poll()
    [EINTR].
    """
    _, client = asleep(lab, call, "-x", option)
    assert interrupted(client, call) == EINTR


# --- ppoll and pselect ---------------------------------------------------------------------------


@pytest.mark.about("ppoll", "pselect", "EINTR", "sigprocmask")
@pytest.mark.behaviour("F5")
@each(*MASKED)
def test_a_signal_that_was_blocked_before_ends_the_call(lab: Lab, call: str, option: str) -> None:
    """A signal that came while it was blocked, before ppoll() or pselect() that lets it through, makes
    the call say EINTR at once: nothing is lost between unblocking and sleeping.

    POSIX.1-2024 pselect() (as by sigprocmask, atomically); select(2), which shows the race without it.
    """
    lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("waiting_client", "-m", option, lab.address, lab.port)
    client.reach(leaving("connect")).signal(SIGUSR1)
    assert gives(client, call) == EINTR


@pytest.mark.about("poll", "select", "SIGUSR1")
@pytest.mark.behaviour("F5")
@each(("poll", "-P"), ("select", "-L"))
def test_a_signal_before_the_call_does_not_end_it(lab: Lab, call: str, option: str) -> None:
    """A signal whose handler ran just before poll() or select() does not end the call: it sleeps. That
    is the race which ppoll() and pselect() are for.

    select(2); UNP 20.5.
    """
    lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("waiting_client", option, lab.address, lab.port).reach(leaving("connect"))
    client.signal(SIGUSR1)
    assert sleeps_in(client.reach(signalled(SIGUSR1)), call)


@pytest.mark.about("ppoll", "pselect", "sigprocmask")
@pytest.mark.behaviour("F5")
@each(*MASKED)
def test_the_mask_is_back_when_the_call_returns(lab: Lab, call: str, option: str) -> None:
    """After ppoll() or pselect() the signal is blocked again: a second one is not delivered.

    POSIX.1-2024 pselect() (the mask is restored before it returns).
    """
    lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("waiting_client", "-m", option, lab.address, lab.port)
    client.reach(entering(call)).signal(SIGUSR1)
    client.reach(leaving(call)).signal(SIGUSR1)
    client.ended()

    assert len(lab.events(kinds=["signal"], process=client)) == 1


# --- what is under way ---------------------------------------------------------------------------


@pytest.mark.about("write", "SIGUSR1")
@pytest.mark.behaviour("F7")
@pytest.mark.parametrize("options", [[], ["-x"]], ids=["plain", "SA_RESTART"])
def test_an_interrupted_write_tells_what_it_has_taken(lab: Lab, options: list[str]) -> None:
    """A write() that has taken a part when the handler runs gives the length of that part, with
    SA_RESTART too.

    POSIX.1-2024 write() (interrupted after it has written some data); signal(7).
    """
    _, client, _ = full(lab, "write", *options, "-B")
    wrote = interrupted(client, "write")

    [end] = lab.host("client").sockets(remote=lab.port, state=ESTABLISHED)
    assert 0 < end.send_queue < 16 << 20
    assert wrote == end.send_queue


@pytest.mark.about("connect", "EINTR", "SO_ERROR", "poll")
@pytest.mark.behaviour("F6")
def test_an_interrupted_connect_goes_on_by_itself(lab: Lab) -> None:
    """After EINTR the connection is made all the same: the socket becomes writable, and SO_ERROR is 0.

    POSIX.1-2024 connect() [EINTR] (established asynchronously); UNP 15.4.
    """
    client, syn = connecting(lab)
    given = interrupted(client, "connect")
    assert given == EINTR

    client.blocked("poll")
    watch = client.arm(leaving("getsockopt"))
    syn.let_go()
    assert returned(watch) == 0
    client.ended()
    assert client.output.startswith("connected\n")
