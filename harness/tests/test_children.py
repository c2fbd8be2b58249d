"""Forked children."""

import os
import signal
import time
from pathlib import Path

from harness.children import Children, Finished


def gather(children: Children[int]) -> dict[int, Finished[int]]:
    """All that end, by key."""
    return {finished.key: finished for finished in children.wait()}


def processes() -> str:
    """This process's children."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def test_work_comes_back_whole() -> None:
    """More than a pipe holds, too."""
    children: Children[int] = Children(2, 30)
    for size in (0, 1, 1 << 20):
        children.add(size, lambda size=size: b"x" * size)  # type: ignore[misc]
    assert {key: len(child.data or b"") for key, child in gather(children).items()} == {
        0: 0,
        1: 1,
        1 << 20: 1 << 20,
    }
    assert len(children) == 0


def test_no_more_run_at_once_than_allowed() -> None:
    """The third waits until one of two has ended: each sees how many have passed through before it."""
    ours, theirs = os.pipe()
    children: Children[int] = Children(1, 30)

    def work() -> bytes:
        os.write(theirs, b"(")
        os.write(theirs, b")")
        return b""

    for key in range(3):
        children.add(key, work)
    gather(children)
    os.close(theirs)
    assert os.read(ours, 100) == b"()()()"
    os.close(ours)


def test_one_begins_at_a_turn() -> None:
    """None when it is added, and no second one, though there is room."""
    before = processes()
    children: Children[int] = Children(2, 30)
    for key in range(2):
        children.add(key, lambda: time.sleep(60) or b"")  # type: ignore[func-returns-value]
    assert processes() == before
    children.turn()
    assert len(processes().split()) == len(before.split()) + 1
    children.abort()


def test_a_child_that_dies_gives_no_data_but_its_end() -> None:
    """By a signal, and by an exception in its work."""
    children: Children[int] = Children(2, 30)
    children.add(1, lambda: os.kill(os.getpid(), signal.SIGKILL) or b"never")  # type: ignore[func-returns-value]
    children.add(2, lambda: bytes(1 // 0))
    ended = gather(children)
    assert (ended[1].data, ended[1].status) == (None, -signal.SIGKILL)
    assert (ended[2].data, ended[2].status) == (None, 1)


def test_one_that_takes_too_long_is_killed() -> None:
    """The limit is each child's own."""
    children: Children[int] = Children(2, 0.2)
    children.add(1, lambda: time.sleep(60) or b"")  # type: ignore[func-returns-value]
    assert gather(children)[1].status == -signal.SIGKILL


def test_abort_leaves_time_to_clean_up_and_nothing_behind() -> None:
    """The one that ignores it is killed."""
    before = processes()
    ours, theirs = os.pipe()
    children: Children[int] = Children(2, 30)

    def orderly() -> bytes:
        try:
            os.write(theirs, b"+")
            time.sleep(60)
        except KeyboardInterrupt:
            os.write(theirs, b"-")
            raise
        return b""

    children.add(1, orderly)
    children.add(2, orderly)
    children.add(3, orderly)  # never begins
    for _ in range(3):
        assert children.turn() == []
    begun = os.read(ours, 1) + os.read(ours, 1)
    children.abort()
    os.close(theirs)
    assert begun + os.read(ours, 100) == b"++--"
    os.close(ours)
    assert len(children) == 0
    assert processes() == before


def test_what_wakes_the_wait_ends_it() -> None:
    """Those that run stay."""
    ours, theirs = os.pipe()
    children: Children[int] = Children(2, 30)
    children.add(1, lambda: time.sleep(60) or b"")  # type: ignore[func-returns-value]
    assert children.turn() == []
    os.write(theirs, b"x")
    assert list(children.wait(ours)) == []
    assert len(children) == 1
    children.abort()
    os.close(ours)
    os.close(theirs)
