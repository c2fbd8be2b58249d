"""Labs and processes, with the real conductor and real programs."""

import pytest

from harness import (
    ACK,
    CHILDREN,
    CONNECTION,
    EADDRINUSE,
    ESTABLISHED,
    FIN,
    LISTEN,
    SYN,
    Broken,
    Lab,
    Process,
    Stream,
    born,
    entering,
    exited,
    leaving,
)

SHELL = "/bin/sh"


def connected(lab: Lab) -> tuple[Process, Process]:
    """An echo server and its client, each before its first read."""
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("echo_client", lab.address, lab.port).reach(leaving("connect"))
    return server, client


@pytest.mark.parametrize("round", range(20))
def test_input_cannot_outrun_the_moment_it_leads_to(lab: Lab, round: int) -> None:
    """The client runs and waits for a line: it is held all the same before it reads the echo."""
    _, client = connected(lab)
    client.run().blocked("read")
    held = client.input("hello\n").reach(entering("read", on=CONNECTION))
    assert held is client
    assert client.state == "held"


def test_an_outcome_is_waited_for_or_looked_up(lab: Lab) -> None:
    """The first time the process runs to it, then it is known; a later one is run to again."""
    process = lab.start(SHELL, "-c", "exec 5>&1; exec 6>&1; exec 7>&1")
    assert process.outcome("dup2") == 5
    assert process.state == "held"
    assert process.outcome("dup2", 2) == 6
    assert process.outcomes("dup2") == [5, 6]
    assert process.outcome("dup2", 3) == 7
    with pytest.raises(Broken, match="leaving dup2"):
        process.outcome("dup2", 4)


def test_an_outcome_of_a_process_that_runs_is_not_missed(lab: Lab) -> None:
    """It may have come between looking and waiting."""
    process = lab.start(SHELL, "-c", "exec 5>&1; exec 6>&1; read line; exec 7>&1")
    assert process.run().outcome("dup2", 2) == 6
    process.run().input("\n")
    assert process.outcome("dup2", 3) == 7


@pytest.mark.parametrize("kind", list(Stream))
def test_prints_holds_at_the_write_that_completes_the_text(lab: Lab, kind: Stream) -> None:
    """Whether the process ran before or was held."""
    for runs in (True, False):
        process = lab.start(SHELL, "-c", "echo one; echo two; echo three", stdout=kind)
        if runs:
            process.run()
        process.prints("two")
        if not runs:
            assert process.output == "one\ntwo\n"
            assert process.state == "held"
        assert process.prints("three").ended() == exited(0)
    with pytest.raises(Broken, match="did not print 'four'"):
        lab.start(SHELL, "-c", "echo one", stdout=kind).prints("four")


def test_ended_lets_a_held_process_go(lab: Lab) -> None:
    """As every verb that waits for something the process must do."""
    assert lab.start(SHELL, "-c", "exit 3").ended() == exited(3)


def test_run_does_nothing_to_a_process_that_runs(lab: Lab) -> None:
    """But a dead one cannot run."""
    process = lab.start(SHELL, "-c", "read line").run().run()
    process.end_input().ended()
    with pytest.raises(Broken):
        process.run()


def test_children_are_known_by_the_order_of_birth(lab: Lab) -> None:
    """With their parent, and the same handle each time."""
    shell = lab.start(SHELL, "-c", "(exit 1); (exit 2); exit 0")
    with pytest.raises(Broken, match="no child 1: it has had 0"):
        shell.child()
    assert shell.reach(born(), CHILDREN) is shell.child(1)
    shell.child(1).run()
    shell.ended()
    assert [child.number for child in shell.children] == [2, 3]
    assert shell.child(2).parent is shell
    assert shell.parent is None


def test_a_socket_s_holders_and_a_process_s_descriptors_agree(lab: Lab) -> None:
    """The listener is descriptor 3 of the server."""
    server = lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    listener = lab.sockets(local=lab.port, state=LISTEN)[0]
    assert [(holder.process, holder.fd) for holder in lab.holders(listener)] == [(server, 3)]
    (found,) = [d for d in server.descriptors() if d.inode == listener.inode]
    assert (found.fd, found.kind) == (3, "listening")


def test_segments_know_their_programs(lab: Lab) -> None:
    """From both ends, though the client's port was the kernel's choice."""
    server, client = connected(lab)
    assert [(s.sender, s.receiver) for s in lab.segments(SYN)] == [
        ("echo_client", "reuseadr_eserver"),
        ("reuseadr_eserver", "echo_client"),
    ]
    client.kill()
    assert lab.senders(FIN) == ["echo_client"]
    assert [s.sender for s in lab.segments(SYN | ACK, local=lab.port)] == ["reuseadr_eserver"]


def test_the_time_line_of_a_lab_is_at_most_100_columns_wide(lab: Lab) -> None:
    """And shows processes, calls, segments, sockets and output."""
    server, client = connected(lab)
    server.run()
    client.input("hello\n").prints("hello")
    text = lab.timeline()
    assert max(map(len, text.splitlines())) <= 100
    for part in (
        "reuseadr_eserver",
        "echo_client",
        "listen(3",
        " SYN ACK ",
        "ESTABLISHED",
        "hello",
    ):
        assert part in text
    assert len(lab.states(state=ESTABLISHED)) == 2


def test_an_injected_outcome_says_so(lab: Lab) -> None:
    """In the outcome and in the evidence."""
    server = lab.start("reuseadr_eserver", lab.port)
    server.inject(entering("bind"), EADDRINUSE)
    assert server.outcome("bind") == EADDRINUSE
    assert server.outcome("bind").injected == "errno"
    assert "EADDRINUSE (98) [injected]" in lab.timeline()


def test_arguments_and_environment_arrive(lab: Lab) -> None:
    """Numbers as text; a small, fixed environment and what is added to it."""
    process = lab.start(SHELL, "-c", 'echo "$1 $MINE $LANG"', "sh", 7, env={"MINE": "yes"})
    assert process.ended() == exited(0)
    assert process.output == "7 yes C.UTF-8\n"


def test_limits_arrive(lab: Lab) -> None:
    """One number stands for soft and hard."""
    process = lab.start(SHELL, "-c", "ulimit -n; ulimit -Hn", limits={"nofile": 17})
    process.ended()
    assert process.output == "17\n17\n"


def test_a_setting_is_set_and_read_back(lab: Lab) -> None:
    """In this lab only, and the record has it."""
    assert lab.sysctl("net.ipv4.tcp_fin_timeout", 7) == "7"
    assert lab.sysctl("net.ipv4.tcp_fin_timeout") == lab.sysctls["net.ipv4.tcp_fin_timeout"] == "7"
    with pytest.raises(Broken):
        lab.sysctl("net.ipv4.no_such_setting")


@pytest.mark.parametrize("entered", [False, True], ids=["armed before", "armed inside"])
def test_close_is_left_on_what_it_closed(lab: Lab, entered: bool) -> None:
    """Though it is there no more; the loader's files and the standard streams do not count."""
    lab.start("reuseadr_eserver", lab.port).reach(entering("accept"))
    client = lab.start("linger_client", lab.address, lab.port).end_input()
    if entered:
        client.reach(entering("close", on=CONNECTION))
    client.reach(leaving("close", on=CONNECTION))
    [*_, closed] = client.calls("close")
    [connected] = client.calls("connect")
    assert client.at is not None and client.at.seq == closed.seq
    assert closed.args["fd"] == connected.args["fd"]
