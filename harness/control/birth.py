"""How conductors come into being: executed, or forked by a server that was executed once."""

import os
import signal
import socket
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import IO, Protocol

from ..files import anonymous_file


class Child(Protocol):
    """A child process, as subprocess.Popen has it."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None:
        """Looks whether it has ended: its exit status, or None."""

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end: its exit status, negative for a signal."""

    def kill(self) -> None:
        """Sends it SIGKILL, unless it has been waited for."""


class Adopted:
    """A child that another process has made for this one."""

    def __init__(self, pid: int | None) -> None:
        """
        Args:
            pid: None if it could not be made.
        """
        self.pid = pid or 0
        self.returncode: int | None = None if pid else 111

    def poll(self) -> int | None:
        """See Child."""
        return self._look(os.WNOHANG)

    def wait(self, timeout: float | None = None) -> int:
        """See Child; whoever has a limit waits for the pidfd."""
        return self._look(0) or 0

    def kill(self) -> None:
        """See Child."""
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def _look(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


PTRACE, INTERPOSE = CONTROLS = ("ptrace", "interpose")
"""How programs are controlled: from outside, or by a library that is loaded into them."""


NAMESPACES, PORTS = ISOLATIONS = ("namespaces", "ports")
"""How labs are kept apart: by namespaces of their own, or on the machine's host by ports of their own."""


def arguments(
    cpu: int | None,
    captures: bool,
    by: str = PTRACE,
    isolation: str = NAMESPACES,
    lacking: Collection[str] | None = None,
) -> list[str]:
    """The conductor's arguments.

    Args:
        cpu: the processor that it pins itself to; None lets it choose.
        captures: whether it captures the segments on the first host's loopback.
        by: how it controls programs: one of CONTROLS.
        isolation: how it keeps its lab apart: one of ISOLATIONS.
        lacking: what an earlier one found missing, which spares it finding out; None: there was none.
    """
    options = [] if cpu is None else ["--cpu", str(cpu)]
    options += [] if captures else ["--capture", "no"]
    options += [] if lacking is None else ["--lacking", ",".join(sorted(lacking)) or "none"]
    options += [] if by == PTRACE else ["--by", by]
    options += [] if isolation == NAMESPACES else ["--without", "namespaces"]
    return options


def execute(
    program: Path, how: str, end: socket.socket, errors: IO[bytes], options: Sequence[str]
) -> "subprocess.Popen[bytes]":
    """Executes the conductor.

    Args:
        how: the option that names the socket: "--control", "--serve".
        end: the socket; the caller keeps its own.
        errors: what becomes its standard output and error.

    Raises:
        OSError: it cannot be executed.
    """
    # A session of its own: Ctrl-C is for pytest, which then ends the lab in order.
    return subprocess.Popen(
        [os.fspath(program), how, str(end.fileno()), *options],
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        pass_fds=[end.fileno()],
        start_new_session=True,
    )


class ForkServer:
    """A process that makes conductors. Must be closed."""

    def __init__(self, program: Path, options: Sequence[str]) -> None:
        """
        Raises:
            OSError: it cannot be executed.
        """
        self._program = program
        self._socket, theirs = socket.socketpair()
        try:
            with theirs, anonymous_file("fork-server-errors") as errors:
                self._child = execute(program, "--serve", theirs, errors, options)
        except BaseException:
            self._socket.close()
            raise

    def __str__(self) -> str:
        return str(self._program)

    def fork(self, end: socket.socket, errors: IO[bytes]) -> None:
        """Has a conductor made, a child of this process, which tells its pid on its channel.

        Args:
            end: of its control channel; the caller keeps its own.
            errors: what becomes its standard output and error.

        Raises:
            OSError: the server is gone.
        """
        try:
            socket.send_fds(self._socket, [b"\0"], [end.fileno(), errors.fileno()])
        except BrokenPipeError as error:
            how = f"its fork server has ended with status {self._child.wait()}"
            raise OSError(error.errno, how) from error

    @property
    def pid(self) -> int:
        """Its process."""
        return self._child.pid

    def disown(self) -> None:
        """Closes what a forked child has inherited of it, and leaves it alone."""
        self._socket.close()
        self._child.returncode = 0  # not this process's child: never to be waited for

    def close(self) -> None:
        """Ends it; the conductors that it made go on. May be called again."""
        self._socket.close()
        self._child.wait()
