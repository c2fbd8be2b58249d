"""The three standard streams of a program, and the harness's ends of them."""

import errno
import fcntl
import os
import pty
import termios
from enum import Enum

from ..files import anonymous_file
from ..verdict import Broken, hidden

__tracebackhide__ = hidden

_END_OF_INPUT = b"\x04"


class Stream(Enum):
    """What a standard stream is for the program."""

    PIPE = "pipe"
    FILE = "file"
    """A file in memory."""
    PTY = "pty"
    """A terminal of its own. Streams of one program that are PTY share it."""


class Streams:
    """The streams of one program. Owns the harness's ends; the program's ends live until `handed_over`."""

    def __init__(self, stdin: Stream | bytes, stdout: Stream, stderr: Stream) -> None:
        self._open: set[int] = set()
        self._terminal: tuple[int, int] | None = None
        self._collected: dict[int, bytes] = {}
        self._typing: list[bytes | None] = []
        try:
            ends = [self._input(stdin), self._output(stdout), self._output(stderr)]
        except BaseException:
            self.close()
            raise
        self.theirs = [theirs for theirs, _ in ends]
        """The program's ends, in the order of its descriptors."""
        self._ours = [ours for _, ours in ends]
        self._kinds = [Stream.FILE if isinstance(stdin, bytes) else stdin, stdout, stderr]

    def _input(self, stdin: Stream | bytes) -> tuple[int, int]:
        if stdin is Stream.PTY:
            return self._pty()
        if stdin is Stream.PIPE:
            theirs, ours = self._keep(*os.pipe2(os.O_CLOEXEC))
            os.set_blocking(ours, False)
            return theirs, ours
        theirs, _ = self._file()
        os.pwrite(theirs, stdin if isinstance(stdin, bytes) else b"", 0)
        return theirs, -1

    def _output(self, kind: Stream) -> tuple[int, int]:
        if kind is Stream.PTY:
            return self._pty()
        if kind is Stream.FILE:
            return self._file()
        ours, theirs = self._keep(*os.pipe2(os.O_CLOEXEC))
        os.set_blocking(ours, False)
        return theirs, ours

    def _file(self) -> tuple[int, int]:
        with anonymous_file("stream") as file:
            theirs, ours = self._keep(os.dup(file.fileno()), os.dup(file.fileno()))
        flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
        # Several processes may write at once; none shall overwrite another's text.
        fcntl.fcntl(theirs, fcntl.F_SETFL, flags | os.O_APPEND)
        return theirs, ours

    def _pty(self) -> tuple[int, int]:
        if self._terminal is None:
            ours, theirs = self._keep(*pty.openpty())
            os.set_blocking(ours, False)
            # No echo and no carriage returns: what comes out is what the program wrote.
            modes = termios.tcgetattr(theirs)
            modes[1] &= ~termios.OPOST
            modes[3] &= ~termios.ECHO
            termios.tcsetattr(theirs, termios.TCSANOW, modes)
            self._terminal = (theirs, ours)
        return self._terminal

    def _keep(self, *descriptors: int) -> tuple[int, int]:
        self._open.update(descriptors)
        return descriptors[0], descriptors[1]

    def handed_over(self) -> None:
        """Closes the program's ends, which the conductor has copies of."""
        for descriptor in set(self.theirs):
            self._close(descriptor)

    def type(self, data: bytes | None) -> None:
        """Gets data ready for the program's standard input, or its end (None). See deliver.

        Raises:
            Broken: the input is a file, or has ended.
        """
        if data is not None and (self._ours[0] not in self._open or None in self._typing):
            raise Broken("the program's standard input is a file, or has ended")
        self._typing.append(data)

    @property
    def typed(self) -> bool:
        """Whether something is ready and not delivered."""
        return bool(self._typing)

    def deliver(self) -> None:
        """Puts what is ready into the program's standard input.

        Raises:
            Broken: there is no room for it, or the program has closed its end.
        """
        while self._typing:
            data = self._typing.pop(0)
            if data is None:
                self._end_input()
            else:
                self._write(data)

    def _write(self, data: bytes) -> None:
        ours = self._ours[0]
        try:
            written = os.write(ours, data)
        except BlockingIOError:
            written = 0
        except BrokenPipeError:
            raise Broken("the program has closed its standard input") from None
        if written < len(data):
            raise Broken(
                f"only {written} of {len(data)} bytes fit into the program's standard input, "
                "which nobody reads now: give long input to start(..., stdin=bytes)"
            )

    def _end_input(self) -> None:
        """Closes the pipe, or types the end-of-file character."""
        if self._kinds[0] is Stream.PTY:
            self._write(_END_OF_INPUT)
        elif self._ours[0] in self._open:
            self._close(self._ours[0])

    def read(self, descriptor: int) -> str:
        """All that was written so far to standard output (1) or standard error (2)."""
        ours = self._ours[descriptor]
        if self._kinds[descriptor] is Stream.FILE:
            data = os.pread(ours, os.fstat(ours).st_size, 0) if ours in self._open else b""
        else:
            self._collect(ours)
            data = self._collected.get(ours, b"")
        return data.decode(errors="replace")

    def _collect(self, ours: int) -> None:
        while ours in self._open:
            try:
                chunk = os.read(ours, 1 << 16)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.EIO:  # what a terminal says that nobody has open any more
                    raise
                chunk = b""
            if not chunk:
                return
            self._collected[ours] = self._collected.get(ours, b"") + chunk

    def kind(self, descriptor: int) -> Stream:
        """What a standard stream is."""
        return self._kinds[descriptor]

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)

    def close(self) -> None:
        """Closes everything. May be called again."""
        for descriptor in list(self._open):
            self._close(descriptor)
