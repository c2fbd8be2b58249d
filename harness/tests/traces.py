"""What a run can leave behind: processes, namespaces, mounts, files. Looked at from outside, in /proc."""

import os
import select
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True)
class Seen:
    """A process: by its pid and its time of birth it is never taken for another."""

    pid: int
    parent: int
    born: int
    """Clock ticks since the machine started."""
    name: str

    @property
    def there(self) -> bool:
        """Whether it is there still, if only as a zombie."""
        now = process(self.pid)
        return now is not None and now.born == self.born


def process(pid: int) -> Seen | None:
    """The process of that pid, if there is one."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return Seen(pid, int(fields[1]), int(fields[19]), name)


def processes() -> Iterator[Seen]:
    """All processes that this one can see."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (seen := process(int(entry.name))):
            yield seen


def below(pid: int) -> list[Seen]:
    """The descendants of a process."""
    children: dict[int, list[Seen]] = {}
    for seen in processes():
        children.setdefault(seen.parent, []).append(seen)
    found = list(children.get(pid, ()))
    for seen in found:  # grows meanwhile
        found += children.get(seen.pid, ())
    return found


def namespaces(of: Iterable[Seen]) -> set[str]:
    """The namespaces that these are in and this process is not in, as in "net:[4026531840]".

    An ordinary user may not look at a conductor; but at its programs, which are in the same namespaces.
    """
    return set().union(*(_namespaces(seen.pid) for seen in of)) - _namespaces(os.getpid())


def _namespaces(pid: int) -> set[str]:
    found: set[str] = set()
    try:
        for link in (PROC / str(pid) / "ns").iterdir():
            found.add(os.readlink(link))
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        pass
    return found


def referenced(inodes: set[str]) -> dict[str, list[Seen]]:
    """Which of these namespaces a process is still in, and which process."""
    found: dict[str, list[Seen]] = {}
    for seen in processes():
        for inode in _namespaces(seen.pid) & inodes:
            found.setdefault(inode, []).append(seen)
    return found


def remain(of: Iterable[Seen], deadline: float) -> list[Seen]:
    """Waits till these have gone; those that are there when the deadline (seconds) has passed."""
    end = time.monotonic() + deadline
    return [seen for seen in of if not _goes(seen, end)]


def _goes(seen: Seen, end: float) -> bool:
    try:
        handle = os.pidfd_open(seen.pid)
    except ProcessLookupError:
        return True
    try:
        if seen.there:  # else another has its pid now
            select.select([handle], [], [], max(0.0, end - time.monotonic()))
    finally:
        os.close(handle)
    # Dead it is; its parent has yet to learn of it, and tells nobody when it has.
    while seen.there and time.monotonic() < end:
        os.sched_yield()
    return not seen.there


def mounts() -> list[str]:
    """The mounts of this process's namespace."""
    return (PROC / "self" / "mountinfo").read_text().splitlines()


def files(folder: Path) -> set[str]:
    """All that lies below a folder."""
    return {os.fspath(path.relative_to(folder)) for path in folder.rglob("*")}
