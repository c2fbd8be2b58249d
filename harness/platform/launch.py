"""Starts a python somewhere else, and looks like one to whoever wants to talk to it.

    python3 -m harness.platform.launch LOG SECONDS COMMAND... PYTHON-ARGUMENT...

Passes on what both sides say. It answers the greeting of execnet's first line itself, so that platforms boot side by side
and not one after another. When the platform does not say hello within SECONDS, or ends, LOG ends with a line that says so;
above it stands whatever the platform, its console for instance, wrote to standard error.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ..children import die_with_parent
from ..outcome import signal_name

PREFIX = "sockspec: "
"""How the line in LOG begins."""
_HELLO = b"1"
"""What execnet's first line has the python answer."""
_CHUNK = 1 << 16
_LEAVE = 10.0
"""Seconds from the end of the talk till the platform is gone."""


@dataclass
class Inner:
    """A python on the platform. Owns its descriptors."""

    process: "subprocess.Popen[bytes]"
    input: int
    """What is written here it reads."""
    output: int
    helpers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    """What the platform needs beside it."""

    def kill(self) -> None:
        """Ends it and what is beside it; when this returns nothing is left."""
        for process in (self.process, *self.helpers):
            process.kill()
            process.wait()


def start(command: list[str]) -> Inner:
    """Starts a command that is a python by itself.

    Raises:
        OSError: there is no such command.
    """
    theirs_in, ours_in = os.pipe2(os.O_CLOEXEC)
    ours_out, theirs_out = os.pipe2(os.O_CLOEXEC)
    try:
        process = subprocess.Popen(
            command, stdin=theirs_in, stdout=theirs_out, preexec_fn=bound_to(os.getpid())
        )
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return Inner(process, ours_in, ours_out)


def bound_to(parent: int) -> Callable[[], None]:
    """What a child does before its exec, so that it goes with its parent, and Ctrl-C is the parent's alone."""

    def bind() -> None:
        os.setsid()
        die_with_parent(parent)

    return bind


class Talk:
    """Passes on what both sides say until one of them ends."""

    def __init__(self, inner: Inner) -> None:
        self._inner = inner
        self._greeted = threading.Event()
        self._over = threading.Event()
        self._hello = False
        self._odd = ""

    def run(self, seconds: float) -> str:
        """Talks to the end.

        Args:
            seconds: within which the python must say hello.

        Returns:
            Why it ended; empty when the python ended of its own will, after it had said hello.
        """
        os.write(1, _HELLO)
        for direction in (self._down, self._up):
            threading.Thread(target=direction, daemon=True).start()
        if not self._greeted.wait(seconds):
            self._inner.kill()
            return f"it did not say hello within {seconds:g} s"
        self._over.wait()
        if self._odd:
            return f"it said {self._odd!r} instead of hello"
        return self._end()

    def _down(self) -> None:
        if self._pass_first_line():
            while (chunk := os.read(0, _CHUNK)) and _write(self._inner.input, chunk):
                pass
        os.close(self._inner.input)

    def _pass_first_line(self) -> bool:
        """The python reads ahead of its first line, and would lose what comes behind: that waits for its hello."""
        line, rest = b"", b""
        while not (end := line.find(b"\n") + 1):
            if not (chunk := os.read(0, _CHUNK)):
                return False
            line += chunk
        line, rest = line[:end], line[end:]
        return (
            _write(self._inner.input, line)
            and self._greeted.wait()
            and _write(self._inner.input, rest)
        )

    def _up(self) -> None:
        try:
            hello = os.read(self._inner.output, 1)
            if hello == _HELLO:
                self._hello = True
                self._greeted.set()
                while (chunk := os.read(self._inner.output, _CHUNK)) and _write(1, chunk):
                    pass
            elif hello:
                self._odd = (hello + os.read(self._inner.output, 200)).decode(errors="replace")
        finally:
            self._over.set()
            self._greeted.set()

    def _end(self) -> str:
        try:
            status = self._inner.process.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            return f"it hung up, and was still there {_LEAVE:g} s later"
        if status == 0 and self._hello:
            return ""
        how = f"it was killed by {signal_name(-status)}" if status < 0 else f"it exited {status}"
        return how if self._hello else f"{how} before it said hello"


def _write(descriptor: int, data: bytes) -> bool:
    """Writes all of it; whether somebody was there to read."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        return False
    return True


def main(argv: list[str], start: Callable[[list[str]], Inner] = start) -> int:
    """The exit status: 0, or 125 when LOG says why not.

    Args:
        start: of what is behind LOG and SECONDS.
    """
    log, seconds, *command = argv
    # From here on nobody but the log hears complaints.
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(os.getppid())
    try:
        inner = start(command)
    except OSError as error:
        return _give_up(f"cannot run {error.filename or command[0]}: {error.strerror}")
    try:
        why = Talk(inner).run(float(seconds))
    finally:
        inner.kill()
    return _give_up(why) if why else 0


def _give_up(why: str) -> int:
    os.write(2, f"\n{PREFIX}{why}\n".encode())
    return 125


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
