"""The crew: processes that carry runs out side by side, each with a processor and conductors of its own.

Forked workers and not pytest's: a run takes some milliseconds, of which collecting it as a test, reporting it and
telling other processes of it would be as much again, and nothing of a sweep needs pytest.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.util import Finalize
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from ..children import die_with_parent
from ..control.relay import Relay
from ..lab.lab import Settings
from ..verdict import Broken
from .engine import Engine
from .subject import Subject

Item = TypeVar("Item")
Made = TypeVar("Made")

_AHEAD = 4
"""Runs that a worker has been given, so that it never waits for one."""
_engine: Engine | None = None
"""In a worker: its own."""


def _begin(
    parent: int,
    next_cpu: "multiprocessing.Queue[int]",
    conductor: Path,
    engine: tuple[Subject, Settings],
) -> None:
    """In a new worker: takes a processor, and gets ready."""
    global _engine
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides
    die_with_parent(parent)
    cpu = next_cpu.get()
    os.sched_setaffinity(0, {cpu})
    relay = Relay(conductor, cpu, captures=False)
    Finalize(relay, relay.close, exitpriority=10)
    _engine = Engine(*engine, relay)


def _do(work: Callable[[Engine, Item], Made], item: Item) -> Made:
    assert _engine is not None
    return work(_engine, item)


class Crew:
    """Workers for one subject. A context manager; when it is left none is there any more."""

    def __init__(self, subject: Subject, settings: Settings, conductor: Path, workers: int) -> None:
        cpus = sorted(os.sched_getaffinity(0))
        context = multiprocessing.get_context("fork")
        queue: "multiprocessing.Queue[int]" = context.Queue()
        for number in range(workers):
            queue.put(cpus[number % len(cpus)])
        self._workers = workers
        self._pool = ProcessPoolExecutor(
            workers, context, _begin, (os.getpid(), queue, conductor, (subject, settings))
        )

    def __enter__(self) -> "Crew":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def results(
        self, work: Callable[[Engine, Item], Made], items: Sequence[Item]
    ) -> Iterator[Made]:
        """What the work makes of each item, as it comes.

        Raises:
            Broken: a worker died.
        """
        coming = iter(items)
        out: set[Future[Made]] = set()
        try:
            while True:
                for item in coming:
                    out.add(self._pool.submit(_do, work, item))
                    if len(out) >= self._workers * _AHEAD:
                        break
                if not out:
                    return
                done, out = wait(out, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise Broken("a worker was killed") from error
