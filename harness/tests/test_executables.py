"""The conductor controls any executable: however it is linked, threaded, born, and whoever it becomes.

The programs are in programs/; each says in its first lines what it does.
"""

import signal
from pathlib import Path

import pytest

from harness import (
    CHILDREN,
    CONNECTION,
    EADDRINUSE,
    EBADF,
    ECONNREFUSED,
    EINTR,
    EMFILE,
    ENOMEM,
    ESTABLISHED,
    FILE,
    LISTEN,
    LISTENING,
    PIPE,
    TREE,
    TTY,
    Broken,
    Lab,
    Moment,
    Privilege,
    Process,
    Stream,
    born,
    entering,
    executing,
    exited,
    exiting,
    forking,
    killed_by,
    leaving,
    signalled,
)
from harness.build import current

PROGRAMS = current().folder / "tests" / "programs"
TALKS = ["talk", "talk_static", "talk_threads", "talk_go"]
every_talk = pytest.mark.parametrize("talk", TALKS)


def program(name: str) -> Path:
    """Where a program is; unsupported when it could not be built, as a Go program without Go."""
    path = PROGRAMS / name
    if name.endswith("_go") and not path.exists():
        pytest.skip("there is no Go here")
    return path


def births(lab: Lab, way: str) -> Process:
    """A program that shows one way in which processes come to be, held at its exec."""
    return lab.start(program("births_threads"), way)


# --- executables of every kind -------------------------------------------------------------------------------------


@every_talk
@pytest.mark.parametrize("detachable", [False, True], ids=["filtered", "detachable"])
def test_runs_as_it_would_alone(lab: Lab, talk: str, detachable: bool) -> None:
    """A server and its client, by fork, in threads, in goroutines, with and without a dynamic loader."""
    process = lab.start(program(talk), lab.port, detachable=detachable)
    assert process.ended() == exited(0)
    assert (process.output, process.errors) == ("hello\n", "")


@every_talk
def test_is_held_at_its_calls(lab: Lab, talk: str) -> None:
    """Entering and leaving, on a class of descriptor, with the outcome of the call."""
    process = lab.start(program(talk), lab.port)
    process.reach(leaving("listen", on=LISTENING))
    assert lab.states(local=lab.port) == [LISTEN]
    client = process.reach(entering("write", on=CONNECTION), scope=TREE)
    assert client.at is not None and client.at.args["data"] == {"bytes": "hello", "length": 5}
    assert process.output == ""
    client.reach(leaving("write", on=CONNECTION))
    assert client.at is not None and client.at.outcome == 5
    client.run()
    assert process.ended() == exited(0)


@every_talk
def test_sees_an_injected_errno(lab: Lab, talk: str) -> None:
    """The first bind fails, and the program says so and ends."""
    process = lab.start(program(talk), lab.port)
    process.inject(entering("bind"), EADDRINUSE)
    assert process.ended() == exited(111)
    assert "address already in use" in process.errors or process.errors == "bind: EADDRINUSE\n"
    assert [call.outcome for call in process.calls("bind")] == [EADDRINUSE]
    assert process.calls("bind")[0].injected == "errno"
    assert lab.sockets(local=lab.port) == []


@every_talk
def test_is_killed_at_a_moment(lab: Lab, talk: str) -> None:
    """Just before it would accept: it never does."""
    process = lab.start(program(talk), lab.port)
    process.kill_at(entering("listen"))
    assert process.ended() == killed_by(signal.SIGKILL)
    assert lab.sockets(local=lab.port) == []


def test_calls_of_the_loader_count_from_the_exec(lab: Lab) -> None:
    """A static program opens nothing before it begins; a dynamic one its libraries."""
    dynamic = lab.start(program("talk"), 9001).reach(entering("socket"))
    static = lab.start(program("talk_static"), 9002).reach(entering("socket"))
    assert len(dynamic.calls("open")) > 0
    assert static.calls("open") == []


def test_non_native_calls_pass_by(lab: Lab) -> None:
    """Their numbers mean other calls: number 6 is close there and lstat here, and is taken for neither."""
    for detachable in (False, True):
        process = lab.start(program("non_native"), detachable=detachable)
        assert process.ended() == exited(0)
        if process.output == "unknown\n":
            pytest.skip("this architecture has no such calls")
        assert process.output == "0, then EBADF\n"
        assert process.calls("close")[-1].outcome == EBADF


def test_controls_scripts_and_pipelines(lab: Lab, tmp_path: Path) -> None:
    """A script is run by its interpreter; each part of a pipeline is a process."""
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho one two | tr a-z A-Z | cut -c 5-\nexit 4\n")
    script.chmod(0o755)
    process = lab.start(script)
    assert process.ended() == exited(4)
    assert process.output == "TWO\n"
    assert {"cut", "tr"} < {child.name for child in process.children}


# --- how processes come to be --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["vfork", "spawn"])
def test_child_that_shares_memory_becomes_another_program(lab: Lab, way: str) -> None:
    """Held at its birth and at its exec, while its parent waits inside the call."""
    process = births(lab, way)
    child = process.reach(born(), scope=CHILDREN)
    assert child.parent == process
    child.reach(executing())
    assert child.ended() == exited(5)
    assert process.ended() == exited(0)
    assert process.output == f"leaf {child.pid}\nchild exited 5\n"
    assert [event.outcome for event in lab.events(["leave"], ["execve"], child)] == [0]


def test_orphan_belongs_to_its_program_still(lab: Lab) -> None:
    """Its parent has ended; init, which is the conductor, is its parent then, and reaps it."""
    process = births(lab, "orphan")
    assert process.ended() == exited(0)
    middle = process.child()
    orphan = middle.child()
    assert orphan.ended() == exited(7)
    assert process.output == "parent 1\n"
    assert [process.state, middle.state, orphan.state] == ["dead"] * 3
    dead = {event.process: event.exit for event in lab.events(["dead"])}
    assert dead == {process.number: exited(0), middle.number: exited(0), orphan.number: exited(7)}


def test_orphan_can_be_held_and_outlive_its_program(lab: Lab) -> None:
    """Killing the program leaves the orphan alone."""
    process = births(lab, "orphan")
    process.reach(entering("write", on=PIPE))
    orphan = process.child().child()
    watch = orphan.arm(exiting())
    process.run()
    watch.reached()
    process.kill()
    assert orphan.state == "held"
    assert orphan.ended() == exited(7)


@pytest.mark.parametrize("way", ["exec", "late_exec"])
def test_exec_by_a_thread_that_is_not_the_leader(lab: Lab, way: str) -> None:
    """The thread becomes the process: its number is the leader's from then on, whether that had ended or not."""
    process = births(lab, way).reach(executing())
    at = process.at
    assert at is not None and (at.kind, at.thread) == ("exec", process.pid)
    assert process.ended() == exited(5)
    assert process.output == f"leaf {process.pid}\n"
    (left,) = lab.events(["leave"], ["execve"], process)
    assert left.thread == process.pid
    assert left.outcome == 0
    assert [event.exit for event in lab.events(["exit", "dead"])] == [exited(5)] * 2


def test_process_lives_on_when_its_leader_ends(lab: Lab) -> None:
    """Its calls, descriptors and their classes are seen, though /proc shows a zombie's."""
    process = births(lab, "leaderless")
    process.reach(leaving("recv", on=CONNECTION))
    assert process.at is not None and process.at.outcome == 5
    assert process.state == "held"
    assert [(d.fd, d.kind) for d in process.descriptors()][-2:] == [
        (3, CONNECTION),
        (4, CONNECTION),
    ]
    inode = process.descriptors()[-1].inode
    assert inode is not None
    assert [(h.process, h.fd) for h in lab.holders(inode)] == [(process, 4)]
    assert process.ended() == exited(3)
    assert process.output == "hello\n"
    assert [event.exit for event in lab.events(["exit", "dead"])] == [exited(3)] * 2


def test_threads_are_held_one_by_one(lab: Lab) -> None:
    """While one thread is held the other goes on."""
    process = lab.start(program("talk_threads"), lab.port)
    process.reach(entering("write", on=CONNECTION))
    assert lab.states(local=lab.port, state=ESTABLISHED) == [ESTABLISHED]
    process.run()
    assert process.ended() == exited(0)
    assert process.output == "hello\n"


# --- moments -------------------------------------------------------------------------------------------------------


def test_nth_call_is_counted(lab: Lab) -> None:
    """From when it is asked for, and by class of descriptor."""
    process = lab.start(program("copies"), stdin=b"0123456789abcdef" * 3)
    process.reach(entering("write", nth=2))
    assert process.output == "0123456789abcdef"
    process.reach(leaving("write", nth=2))
    assert process.output == "0123456789abcdef" * 3
    process.reach(leaving("read", on=FILE))
    assert process.at is not None and process.at.outcome == 0
    assert process.ended() == exited(0)


def test_scopes_tell_processes_apart(lab: Lab) -> None:
    """CHILDREN are those of a process without itself; PROCESS is itself alone."""
    process = lab.start(program("talk"), lab.port)
    child = process.reach(entering("write", on=CONNECTION), scope=CHILDREN)
    assert child.parent == process
    watch = process.arm(entering("write", on=CONNECTION))
    child.run()
    assert watch.reached() == process
    assert [call.name for call in child.calls("write")][:1] == ["write"]
    assert process.ended() == exited(0)


def test_fork_and_birth_are_moments(lab: Lab) -> None:
    """At the fork the child exists, at its birth it has done nothing yet."""
    process = lab.start(program("talk"), lab.port).reach(forking())
    child = process.child()
    assert child.state in ("held", "running")
    assert process.calls("fork") == []
    assert process.ended() == exited(0)


def test_signal_and_exit_are_moments(lab: Lab) -> None:
    """Before the handler has run; and while the descriptors are open still."""
    process = lab.start(program("pauses")).blocked("pause")
    watch = process.arm(signalled(signal.SIGUSR1))
    process.signal(signal.SIGUSR1)
    watch.reached()
    assert process.output == ""
    process.reach(exiting())
    assert process.output == "EINTR, handled 1\n"
    assert [d.fd for d in process.descriptors()] == [0, 1, 2]
    assert process.ended() == exited(0)


def test_call_that_the_kernel_goes_on_with_sleeps_still(lab: Lab) -> None:
    """Woken by a signal that it ignores, it sleeps on in restart_syscall, which is the same call to everybody."""
    process = lab.start("/usr/bin/sleep", 600).blocked("nanosleep")
    watch = process.arm(entering("restart_syscall"))
    process.signal(signal.SIGURG)
    assert process.blocked("nanosleep").kernel_state == "S"
    assert [e.disposition for e in lab.events(["signal"], process=process)] == ["ignored"]
    assert watch.disarm() == 0
    assert process.kill() == killed_by(signal.SIGKILL)


def test_several_are_held_and_released_in_any_order(lab: Lab) -> None:
    """Three that would write at once write in the order that the case chooses."""
    copies = [lab.start(program("copies"), stdin=b"x").reach(entering("write")) for _ in range(3)]
    order = [copies[2], copies[0], copies[1]]
    for process in order:
        process.reach(leaving("write"))
    writes = [event.process for event in lab.events(["leave"], ["write"])]
    assert writes == [process.number for process in order]
    assert [process.ended() for process in copies] == [exited(0)] * 3


def test_held_process_is_killed(lab: Lab) -> None:
    """Wherever it is held its exit and its death are recorded, in that order."""
    moments = [entering("write"), leaving("write"), entering("read"), exiting(), executing()]
    for number in range(60):
        process = lab.start(program("copies"), stdin=b"x" * 40)
        if number % 5 < 4:
            process.reach(moments[number % 5])
        # Held at its exit it has ended in order, and a signal comes too late.
        expected = exited(0) if number % 5 == 3 else killed_by(signal.SIGKILL)
        assert process.kill() == expected
        events = lab.events(["exit", "dead"], process=process)
        assert [(event.kind, event.exit) for event in events] == [
            ("exit", expected),
            ("dead", expected),
        ]


def test_moment_that_cannot_come_is_late_at_once(lab: Lab) -> None:
    """The program ends before it."""
    process = lab.start(program("copies"), stdin=b"")
    with pytest.raises(Broken, match="no process is left"):
        process.reach(entering("accept"), deadline=60)


# --- injecting -----------------------------------------------------------------------------------------------------


def test_errno_is_injected_as_often_as_asked_for(lab: Lab) -> None:
    """The second call of three fails; the call is not made."""
    process = lab.start(program("copies"), 9, stdin=b"x" * 40)
    process.inject(entering("write", nth=2), ENOMEM)
    assert process.ended() == exited(9)
    assert process.output == "x" * 16
    assert process.errors == "ENOMEM file file file\n"
    outcomes = [(call.outcome, call.injected) for call in process.calls("write")]
    assert outcomes[:2] == [(16, None), (ENOMEM, "errno")]


def test_injected_eintr_is_seen_by_the_program(lab: Lab) -> None:
    """It is not taken for the kernel's own, which a restart may follow."""
    process = lab.start(program("copies")).input("x")
    process.inject(entering("read", on=PIPE), EINTR)
    assert process.ended() == exited(0)
    assert process.errors.startswith("EINTR ")


def test_connect_fails_by_injection(lab: Lab) -> None:
    """In a child: the moment's scope is the process that it was armed for."""
    process = lab.start(program("talk"), lab.port)
    child = process.reach(born(), scope=CHILDREN)
    child.inject(entering("connect"), ECONNREFUSED)
    assert child.ended() == exited(111)
    assert process.errors == "connect: ECONNREFUSED\n"


def test_reads_and_writes_are_shortened(lab: Lab) -> None:
    """Three bytes, then two; the program goes on with the rest."""
    process = lab.start(program("copies")).input("0123456789").end_input()
    process.shorten(entering("read", on=PIPE), 3)
    process.shorten(entering("write", on=FILE), 2)
    assert process.ended() == exited(0)
    assert process.output == "0123456789"
    assert [c.outcome.value for c in process.calls("read") if c.args["fd"] == 0] == [3, 7, 0]
    writes = [call for call in process.calls("write") if call.args["fd"] == 1]
    assert [call.outcome.value for call in writes] == [2, 1, 7]
    assert [call.injected for call in writes] == ["short", None, None]


def test_short_write_changes_no_register(lab: Lab) -> None:
    """The kernel gives a program its arguments' registers back as they were, and so does the conductor."""
    process = lab.start(program("registers"))
    process.shorten(entering("write"), 3)
    assert process.ended() == exited(0)
    if process.errors == "unknown\n":
        pytest.skip("the program does not know this architecture")
    assert process.output == "012"
    assert process.errors == "3, kept\n"


# --- detaching -----------------------------------------------------------------------------------------------------


def test_detaches_only_what_was_started_detachable(lab: Lab) -> None:
    """The others would get ENOSYS for every filtered call."""
    process = lab.start(program("copies"), 6).reach(entering("read", on=PIPE))
    with pytest.raises(Broken, match="was not started detachable"):
        process.detach()


@pytest.mark.parametrize(
    "moment", [None, entering("write"), leaving("write"), entering("read", 2, on=PIPE)], ids=str
)
def test_detached_program_runs_on(lab: Lab, moment: Moment | None) -> None:
    """Unwatched, to its own end, which is told as it was."""
    process = lab.start(program("copies"), 6, detachable=True).input("abc")
    if moment:
        process.reach(moment)
    before = lab.events(process=process)
    process.detach()
    assert process.state == "detached"
    process.end_input()
    assert process.ended() == exited(6)
    assert process.output == "abc"
    assert process.errors == "pipe file file\n"
    assert [event.kind for event in lab.events(process=process)[len(before) :]] == ["dead"]


def test_detached_program_is_killed(lab: Lab) -> None:
    """Its death by a signal is told as such."""
    process = lab.start(program("copies"), detachable=True)
    process.detach()
    assert process.kill(signal.SIGTERM) == killed_by(signal.SIGTERM)


def test_armed_detach_happens_at_its_moment(lab: Lab) -> None:
    """From then on no call is seen."""
    process = lab.start(program("copies"), 6, stdin=b"x" * 40, detachable=True)
    lab.ask(
        "arm",
        process=process.number,
        moment=entering("write", nth=2).wire(),
        action={"do": "detach"},
    )
    assert process.ended() == exited(6)
    assert process.output == "x" * 40
    assert len(process.calls("write")) == 1


@pytest.mark.parametrize("moment", [leaving("pause"), signalled(signal.SIGUSR1)], ids=str)
def test_detaching_loses_no_signal(lab: Lab, moment: Moment) -> None:
    """What had come but was not delivered yet is delivered: the call gave EINTR, so the handler must run."""
    process = lab.start(program("pauses"), detachable=True).blocked("pause")
    watch = process.arm(moment)
    process.signal(signal.SIGUSR1)
    watch.reached()
    process.detach()
    assert process.ended() == exited(0)
    assert process.output == "EINTR, handled 1\n"


# --- what a program is given ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Stream), ids=lambda kind: str(kind.value))
def test_streams_are_what_was_asked_for(lab: Lab, kind: Stream) -> None:
    """And what goes in comes out."""
    stdin: Stream | bytes = b"hello\n" if kind is Stream.FILE else kind
    process = lab.start(program("copies"), stdin=stdin, stdout=kind, stderr=kind)
    if kind is not Stream.FILE:
        process.input("hello\n").prints("hello\n").end_input()
    assert process.ended() == exited(0)
    word = {Stream.PIPE: "pipe", Stream.FILE: "file", Stream.PTY: "tty"}[kind]
    said = f"{word} {word} {word}\n"
    if kind is Stream.PTY:  # one terminal for both
        assert process.output == process.errors == "hello\n" + said
    else:
        assert (process.output, process.errors) == ("hello\n", said)


def test_stream_kinds_are_classes_of_descriptors(lab: Lab) -> None:
    """As moments and descriptors() name them."""
    process = lab.start(program("copies"), stdin=Stream.PTY, stdout=Stream.PIPE, stderr=Stream.FILE)
    assert [(d.fd, d.kind) for d in process.descriptors()] == [(0, TTY), (1, PIPE), (2, FILE)]


def test_descriptor_limit_is_the_programs_own(lab: Lab) -> None:
    """With three descriptors allowed, and three open, there is no room for a socket."""
    process = lab.start(program("talk_static"), lab.port, limits={"nofile": 3})
    assert process.ended() == exited(111)
    assert process.errors == "socket: EMFILE\n"
    assert process.outcome("socket") == EMFILE


def test_limit_that_cannot_be_set_is_told(lab: Lab) -> None:
    """A soft limit above the hard one is none."""
    with pytest.raises(Broken, match="limits"):
        lab.start(program("copies"), limits={"nofile": (10, 5)})


def test_program_runs_as_another_user(lab: Lab) -> None:
    """With that user's rights, and under control all the same."""
    lab.needs(Privilege.OTHER_USERS)
    process = lab.start("/usr/bin/id", "-u", user=65534).reach(leaving("write"))
    assert process.output == "65534\n"
    assert process.ended() == exited(0)


def test_program_begins_as_in_a_fresh_shell(lab: Lab) -> None:
    """No signal is ignored or blocked, and only three descriptors are open, whoever started the lab."""
    process = lab.start("/usr/bin/cat", "/proc/self/status")
    assert [d.fd for d in process.descriptors()] == [0, 1, 2]
    assert process.ended() == exited(0)
    sets = dict(line.split(":\t") for line in process.output.splitlines() if line[:3] == "Sig")
    assert {sets["SigBlk"], sets["SigIgn"], sets["SigCgt"]} == {"0" * 16}
