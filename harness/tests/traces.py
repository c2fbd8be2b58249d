"""What a run can leave behind: processes, namespaces, mounts, files. Looked at from outside, in /proc."""

import ctypes
import os
import select
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36


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


class Namespaces:
    """The namespaces that processes are in and this process is not in. Must be closed.

    Keeps them from going, for else their numbers would soon be others'. An ordinary user may not look at a conductor;
    but at its programs, which are in the same namespaces.
    """

    def __init__(self, of: Iterable[Seen]) -> None:
        self._kept: dict[str, int] = {}
        """By name and number, as in "net:[4026531840]"."""
        here = _namespaces(os.getpid())
        for seen in of:
            for path, name in _namespaces(seen.pid).items():
                if name not in here.values() and name not in self._kept:
                    self._keep(name, path)

    def _keep(self, name: str, path: Path) -> None:
        try:
            self._kept[name] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (PermissionError, FileNotFoundError, ProcessLookupError):
            pass

    def __contains__(self, kind: str) -> bool:
        """Whether there is one of that kind, as in "net"."""
        return any(name.startswith(f"{kind}:") for name in self._kept)

    def users(self) -> dict[str, list[Seen]]:
        """The processes that are in them now."""
        found: dict[str, list[Seen]] = {}
        for seen in processes():
            for name in set(_namespaces(seen.pid).values()) & set(self._kept):
                found.setdefault(name, []).append(seen)
        return found

    def close(self) -> None:
        """Lets them go."""
        while self._kept:
            os.close(self._kept.popitem()[1])

    def __enter__(self) -> "Namespaces":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _namespaces(pid: int) -> dict[Path, str]:
    found: dict[Path, str] = {}
    try:
        for link in (PROC / str(pid) / "ns").iterdir():
            found[link] = os.readlink(link)
    except (PermissionError, FileNotFoundError, ProcessLookupError):
        pass
    return found


class Orphans:
    """What comes below this process that was not there before, and that nobody who was there has begotten. As a context
    it adopts what its descendants leave behind, so that nothing escapes its eyes."""

    def __init__(self) -> None:
        self._before = {seen.pid for seen in below(os.getpid())}

    def left(self, deadline: float) -> list[Seen]:
        """Waits till nothing is left; what is left when the deadline (seconds) has passed."""
        end = time.monotonic() + deadline
        while (left := self._now()) and time.monotonic() < end:
            _wait_for_one(left, end)
        return left

    def _now(self) -> list[Seen]:
        theirs = set(self._before)
        found = []
        for seen in below(os.getpid()):  # parents come before their children
            if seen.pid in theirs or seen.parent in theirs:
                theirs.add(seen.pid)
            else:
                found.append(seen)
        for seen in found:
            if seen.parent == os.getpid():
                _reap(seen.pid)
        return [seen for seen in found if seen.there]

    def __enter__(self) -> "Orphans":
        _be_subreaper(True)
        return self

    def __exit__(self, *_: object) -> None:
        _be_subreaper(False)


def _be_subreaper(on: bool) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_CHILD_SUBREAPER")


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass


def _wait_for_one(of: Iterable[Seen], end: float) -> None:
    """Sleeps till one of them is dead; those that are already are to be waited for by their parents."""
    handles: list[int] = []
    try:
        for seen in of:
            handles.append(os.pidfd_open(seen.pid))
        select.select(handles, [], [], max(0.0, end - time.monotonic()))
    except ProcessLookupError:
        pass  # so one of them has gone
    finally:
        for handle in handles:
            os.close(handle)


def mounts() -> list[str]:
    """The mounts of this process's namespace."""
    return (PROC / "self" / "mountinfo").read_text().splitlines()


def files(folder: Path) -> set[str]:
    """All that lies below a folder, but for the empty folders that pytest gives its workers and keeps."""
    return {
        os.fspath(path.relative_to(folder))
        for path in folder.rglob("*")
        if not (any(part.startswith("pytest-of-") for part in path.parts[len(folder.parts) :]))
        or (path.is_file() and path.name != ".lock")
    }
