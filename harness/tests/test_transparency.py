"""Watching changes nothing: a call that sleeps gives a traced program what it gives an untraced one.

The program blocking_threads makes a call that sleeps, has a signal come meanwhile, and prints what became of the call.
It is run three times: untraced, under the conductor, and under the conductor without a filter, where every call stops.
"""

import subprocess

import pytest

from harness import EINTR, Errno, Lab, exited
from harness.build import current

PROGRAM = current().folder / "tests" / "programs" / "blocking_threads"
SECONDS = 40  # the program gives up before

CALLS = (
    "read_pipe read_socket recv_timeout recv_whole accept accept_timeout connect connect_unix send_one send_much "
    "send_much_unix write_much_pipe poll poll_timeout ppoll select select_timeout pselect epoll_wait "
    "epoll_wait_timeout epoll_pwait wait4 waitid nanosleep clock_nanosleep clock_nanosleep_until pause sigsuspend "
    "sigwaitinfo sigtimedwait sem_wait sem_timedwait msgrcv semop semtimedop lock"
).split()
DISPOSITIONS = (
    "nothing child_default child_ignored child_handler urgent_default window_default continue_default user_ignored "
    "handler handler_restarts ignored_then_handler handler_then_ignored ignored_then_handler_restarts ignored_twice "
    "stopped stopped_then_handler stopped_then_ignored"
).split()
# SIGCONT wakes every thread of a traced process. One that was moving data then gives the part that it has moved, and it
# is a race whether the conductor can know that no signal of this thread's own was the reason.
RACE = {
    (call, "other", "continue_default")
    for call in ("recv_whole", "send_much", "send_much_unix", "write_much_pipe")
}


def untraced(call: str, disposition: str, way: str) -> str:
    """What the program prints when nobody watches."""
    run = subprocess.run(
        [PROGRAM, call, disposition, way], capture_output=True, text=True, timeout=SECONDS
    )
    return f"{run.stdout}{run.stderr}" + (f"exit {run.returncode}" if run.returncode else "")


def traced(lab: Lab, detachable: bool, call: str, disposition: str, way: str) -> str:
    """What it prints under the conductor."""
    process = lab.start(PROGRAM, call, disposition, way, detachable=detachable)
    end = process.ended(deadline=SECONDS)
    return f"{process.output}{process.errors}" + ("" if end == exited(0) else f"{end}")


@pytest.mark.parametrize("way", ["alone", "thread", "other"])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("detachable", [False, True], ids=["filtered", "detachable"])
def test_signal_does_the_same_to_a_call_traced_or_not(
    lab: Lab, detachable: bool, call: str, way: str
) -> None:
    """Result or errno, whether the call still slept after the signal, and how often the handler ran."""
    tried = [which for which in DISPOSITIONS if (call, way, which) not in RACE]
    expected = {which: untraced(call, which, way) for which in tried}
    seen = {which: traced(lab, detachable, call, which, way) for which in tried}
    assert seen == expected


@pytest.mark.parametrize(
    ("call", "disposition", "name", "outcomes"),
    [
        ("epoll_wait", "child_default", "epoll_wait", [1]),
        ("epoll_wait", "stopped", "epoll_wait", [EINTR]),
        ("accept", "child_ignored", "accept", [4]),
        ("accept", "handler", "accept", [EINTR]),
        ("accept", "handler_restarts", "accept", [4]),
        ("accept", "stopped", "accept", [4]),
        ("nanosleep", "handler", "nanosleep", [EINTR]),
        ("send_much", "user_ignored", "send", [1 << 20]),
        ("recv_whole", "child_default", "recv", [2]),
        ("recv_whole", "handler", "recv", [1]),
    ],
)
@pytest.mark.parametrize("detachable", [False, True], ids=["filtered", "detachable"])
def test_evidence_tells_what_the_program_saw(
    lab: Lab,
    detachable: bool,
    call: str,
    disposition: str,
    name: str,
    outcomes: list[int | Errno],
) -> None:
    """One call with one outcome, however often it was woken and sent on; its arguments are those it was made with."""
    process = lab.start(PROGRAM, call, disposition, "alone", detachable=detachable)
    assert process.ended(deadline=SECONDS) == exited(0)
    (entered,) = lab.events(["enter"], [name], process.child())
    (made,) = process.child().calls(name)
    assert [made.outcome] == outcomes
    assert made.entered == entered.seq
    given = {key: value for key, value in entered.args.items() if value is not None}
    assert {key: made.args[key] for key in given} == given
    if call == "recv_whole":
        assert made.args["data"] == {
            "bytes": "xx"[: made.outcome.value],
            "length": made.outcome.value,
        }


def test_every_row_of_the_program_is_tried() -> None:
    """A row that is added there is added here."""
    usage = subprocess.run([PROGRAM, "-h"], capture_output=True, text=True, check=True).stdout
    assert usage.splitlines()[1:] == [
        f"calls: {' '.join(CALLS)}",
        f"dispositions: {' '.join(DISPOSITIONS)}",
    ]


@pytest.mark.parametrize(
    ("call", "disposition", "printed"),
    [
        ("epoll_wait", "child_default", "still blocked, then 1, handled 0\n"),
        ("epoll_wait", "handler_restarts", "EINTR, handled 1\n"),
        ("epoll_wait", "stopped", "EINTR, handled 0\n"),
        ("accept", "handler", "EINTR, handled 1\n"),
        ("accept", "handler_restarts", "still blocked, then 0, handled 1\n"),
        ("send_much", "child_default", "still blocked, then 1048576, handled 0\n"),
        ("send_much", "handler", "1, handled 1\n"),
    ],
)
def test_the_program_tells_outcomes_apart(call: str, disposition: str, printed: str) -> None:
    """Untraced, Linux does as signal(7) says; a program that printed always the same would prove nothing."""
    assert untraced(call, disposition, "alone") == printed
