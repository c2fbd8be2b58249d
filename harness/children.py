"""Forked children: work that mostly sleeps, done beside the parent's own."""

import ctypes
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Generic, NoReturn, TypeVar

Key = TypeVar("Key")

_PR_SET_PDEATHSIG = 1
_CHUNK = 1 << 16
_PATIENCE = 5.0
"""Seconds that a child has to clean up when it is told to stop."""


def die_with_parent(parent: int, sig: int = signal.SIGKILL) -> None:
    """Has the kernel send this process a signal when its parent dies, however that comes about.

    Args:
        parent: the parent's pid; if it is not the parent any more, the process ends at once.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


@dataclass(frozen=True)
class Finished(Generic[Key]):
    """A child that has ended."""

    key: Key
    data: bytes | None
    """What its work returned; None when it died before it had said all."""
    status: int
    """As os.waitstatus_to_exitcode tells it: negative for a signal."""


class _Child(Generic[Key]):
    def __init__(self, key: Key, pid: int, pipe: int, end: float) -> None:
        self.key = key
        self.pid = pid
        self.pipe = pipe
        self.end = end
        self.data = bytearray()


class Children(Generic[Key]):
    """Runs pieces of work in children, at most so many at once; the others wait for their turn.

    All work before they sleep. So that they do not do it at the same time, one begins at each turn of the parent's.
    """

    def __init__(self, most: int, limit: float) -> None:
        """
        Args:
            most: children at once.
            limit: seconds after which a child is killed.
        """
        self._most = most
        self._limit = limit
        self._waiting: deque[tuple[Key, Callable[[], bytes]]] = deque()
        self._running: dict[int, _Child[Key]] = {}
        self._selector = selectors.DefaultSelector()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    def add(self, key: Key, work: Callable[[], bytes]) -> None:
        """Has the work done in a child, at a later turn. The child ends without the parent's own endings."""
        self._waiting.append((key, work))

    def turn(self) -> list[Finished[Key]]:
        """Begins one if there is room; those that had ended by then, without waiting."""
        ended = list(self._collect(0))
        if self._has_room():
            self._start()
        return ended

    def _has_room(self) -> bool:
        return bool(self._waiting) and len(self._running) < self._most

    def _start(self) -> None:
        key, work = self._waiting.popleft()
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _be_child(parent, theirs, work)
        os.close(theirs)
        os.set_blocking(ours, False)
        self._running[ours] = _Child(key, pid, ours, time.monotonic() + self._limit)
        self._selector.register(ours, selectors.EVENT_READ)

    def wait(self, wake: int | None = None) -> Iterator[Finished[Key]]:
        """All of them, as they end.

        Args:
            wake: a descriptor that cuts the wait short when it becomes readable.
        """
        if wake is not None:
            self._selector.register(wake, selectors.EVENT_READ)
        try:
            while len(self) and not (wake is not None and _readable(wake)):
                while self._has_room():
                    self._start()
                yield from self._collect(self._next_end())
        finally:
            if wake is not None:
                self._selector.unregister(wake)

    def _next_end(self) -> float:
        ends = [child.end for child in self._running.values()]
        return max(0.0, min(ends) - time.monotonic())

    def _collect(self, timeout: float) -> Iterator[Finished[Key]]:
        for ready, _ in self._selector.select(timeout):
            child = self._running.get(ready.fd)
            if child is not None and self._read(child):
                yield self._reap(child)
        self._kill_overdue()

    def _read(self, child: _Child[Key]) -> bool:
        """Takes what the child has said; whether that was all."""
        while True:
            try:
                chunk = os.read(child.pipe, _CHUNK)
            except BlockingIOError:
                return False
            if not chunk:
                return True
            child.data += chunk

    def _reap(self, child: _Child[Key]) -> Finished[Key]:
        _, status = os.waitpid(child.pid, 0)
        self._forget(child)
        code = os.waitstatus_to_exitcode(status)
        return Finished(child.key, bytes(child.data) if code == 0 else None, code)

    def _forget(self, child: _Child[Key]) -> None:
        del self._running[child.pipe]
        self._selector.unregister(child.pipe)
        os.close(child.pipe)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for child in self._running.values():
            if now >= child.end:
                os.kill(child.pid, signal.SIGKILL)
                child.end += self._limit  # its pipe ends any moment

    def abort(self) -> None:
        """Stops all: each has a little time to clean up, then it is killed. Nothing is left when this returns."""
        self._waiting.clear()
        for child in self._running.values():
            os.kill(child.pid, signal.SIGTERM)
        end = time.monotonic() + _PATIENCE
        for child in list(self._running.values()):
            self._see_out(child, end)

    def _see_out(self, child: _Child[Key], end: float) -> None:
        while not self._read(child):
            left = end - time.monotonic()
            if left <= 0:
                os.kill(child.pid, signal.SIGKILL)
            selectors_wait(child.pipe, left if left > 0 else _PATIENCE)
        self._reap(child)


def selectors_wait(descriptor: int, timeout: float) -> None:
    """Waits till a descriptor is readable, at most so many seconds."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        selector.select(timeout)


def _readable(descriptor: int) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(0))


def _be_child(parent: int, pipe: int, work: Callable[[], bytes]) -> NoReturn:
    status = 1
    try:
        # Ctrl-C reaches all processes at once; the parent decides, and tells us by SIGTERM.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _stop)
        die_with_parent(parent)
        data = work()
        with open(pipe, "wb") as file:
            file.write(data)
        status = 0
    except KeyboardInterrupt:
        pass
    finally:
        os._exit(status)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough: the clean-up shall not be cut short
    raise KeyboardInterrupt
