"""The build: where its products lie, and how they are brought up to date."""

import fcntl
import functools
import itertools
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = "SOCKSPEC_PROGRAMS"
"""The variable that names the ABI of the programs."""
_OURS = "sockspec: "
"""How the Makefile and what it calls begin what they have to say themselves."""
_INSTALLED = Path(__file__).parent / "bin" / "conductor"
"""Where pip puts the conductor; nothing is there in a checkout."""
_ROOM = 1 << 16
"""Bytes that must fit into the folder."""


class BuildFailed(Exception):
    """The products cannot be brought up to date; the text is what make, or the system, said."""


@dataclass(frozen=True)
class Build:
    """One checkout in one mode of building."""

    root: Path
    mode: str
    """"release", or "san" with sanitizers."""
    abi: str = ""
    """What the programs are compiled for: "sparc64"; empty for this machine's own ABI."""

    @property
    def top(self) -> Path:
        """The folder of all that is made."""
        return self.root / "build"

    @property
    def folder(self) -> Path:
        """The folder of this mode."""
        return self.top / self.mode

    @property
    def programs(self) -> Path:
        """The folder that holds servers/ and clients/: the root itself where nothing is built."""
        built = self.top / (self.abi or self.mode)
        return built if built.is_dir() else self.root

    @property
    def conductor(self) -> Path:
        """The conductor's executable: the one that is built here, else the one that was installed."""
        built = self.folder / "bin" / "conductor"
        return _INSTALLED if _INSTALLED.exists() and not built.exists() else built

    @property
    def results(self) -> Path:
        """The folder of result records."""
        return self.top / "results"

    @property
    def kept(self) -> Path:
        """The folder of what has been read of sources."""
        return self.top / "kept"

    @property
    def evidence(self) -> Path:
        """The folder of the evidence's files."""
        return self.top / "evidence"

    @property
    def sanitized(self) -> bool:
        """Whether sanitizers make everything slower."""
        return self.mode == "san"

    def bring_up_to_date(self, say: Callable[[str], None]) -> None:
        """Builds what is out of date and says so in one line; says nothing when all is up to date.

        A checkout without a Makefile is taken as it is.

        Raises:
            BuildFailed
        """
        if not (self.root / "Makefile").exists():
            return
        with self._alone():
            self._make_up_to_date(say, self.mode)
            if self.abi:
                self._make_up_to_date(say, self.abi, "build-cases", f"PROGRAMS={self.abi}")

    def _make_up_to_date(self, say: Callable[[str], None], what: str, *more: str) -> None:
        if self._make("-q", "build", *more).returncode == 0:
            return
        began = time.monotonic()
        made = self._make("build", *more)
        if made.returncode != 0:
            raise BuildFailed(_essence(made))
        say(f"built what was out of date ({what}) in {time.monotonic() - began:.1f} s")

    def _make(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        argv = ["make", "-C", os.fspath(self.root), "--no-print-directory", *arguments]
        # Flags of a make that pytest runs under would reach this one.
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
        try:
            return subprocess.run(
                argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
        except FileNotFoundError:
            raise BuildFailed("cannot build: there is no make; install it") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lets one process build at a time."""
        try:
            self.top.mkdir(exist_ok=True)
            lock = open(self.top / ".lock", "w")
            # A full disk shows here, once, and not in each thing that is written later.
            lock.write(" " * _ROOM)
            lock.flush()
        except OSError as error:
            raise BuildFailed(f"cannot write to {self.top}: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _essence(made: "subprocess.CompletedProcess[str]") -> str:
    """What make said: its errors, without the commands that went well."""
    said = (made.stderr.strip() or made.stdout.strip() or f"exit {made.returncode}").splitlines()
    ours = [number for number, line in enumerate(said) if line.startswith(_OURS)]
    if ours:
        # One is enough: when the disk is full it is so for each file that make is at.
        rest = itertools.takewhile(lambda line: line.startswith(" "), said[ours[0] + 1 :])
        return "\n".join([said[ours[0]].removeprefix(_OURS), *rest])
    said = [line for line in said if not line.startswith("make: ")] or said
    return "cannot build:\n" + "\n".join(f"  {line}" for line in said[-30:])


def current(root: Path | None = None) -> Build:
    """The build that this process uses.

    The checkout is `root`, else SOCKSPEC_ROOT, else the one that the harness lies in, or the current folder where
    sockspec is installed. SAN in the
    environment, unless it is 0, means the build with sanitizers, as it does for make;
    SOCKSPEC_PROGRAMS names the ABI of the programs, if it is not this machine's.
    """
    chosen = root or os.environ.get("SOCKSPEC_ROOT") or _own_root() or os.getcwd()
    mode = "release" if os.environ.get("SAN", "") in ("", "0") else "san"
    return _build(chosen, mode, os.environ.get(PROGRAMS, ""))


@functools.cache
def _own_root() -> Path | None:
    """The checkout that the harness lies in; None where it is installed."""
    return None if _INSTALLED.exists() else Path(__file__).resolve().parent.parent


@functools.cache
def _build(root: Path | str, mode: str, programs: str) -> Build:
    return Build(Path(root), mode, programs)
