"""The control channel: JSON lines over a stream socket, one reply a request, descriptors beside a request."""

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..verdict import hidden

__tracebackhide__ = hidden

_CHUNK = 1 << 18


class ChannelClosed(Exception):
    """The other end is gone."""


class ChannelSilent(Exception):
    """The reply did not come in time."""


def _told_apart(error: OSError) -> Exception:
    """What a socket raises, as what it means here."""
    return ChannelSilent() if isinstance(error, TimeoutError) else ChannelClosed()


class Channel:
    """The client's end. Owns the socket."""

    def __init__(self, end: socket.socket, owed: int = 0) -> None:
        """
        Args:
            owed: lines that the other end says unasked, before all replies.
        """
        self._socket = end
        self._buffer = bytearray()
        self.given: list[int] = []
        """Descriptors that came with replies; whoever takes one out owns it."""
        self.owed = owed
        """Replies that are still to come: of requests that were sent ahead, or whose waiting was cut short."""

    def send(
        self, request: Mapping[str, Any], limit: float, descriptors: Sequence[int] = ()
    ) -> None:
        """Sends a request, with the descriptors beside its first byte.

        Args:
            limit: seconds until it must be gone.

        Raises:
            ChannelClosed: the other end is gone.
            ChannelSilent: it does not read.
        """
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        self.owed += 1
        try:
            self._wait_at_most(time.monotonic() + limit)
            sent = socket.send_fds(self._socket, [line], list(descriptors)) if descriptors else 0
            if sent < len(line):
                self._socket.sendall(line[sent:])
        except OSError as error:
            raise _told_apart(error) from error

    def receive(self, limit: float) -> dict[str, Any]:
        """The next reply.

        Args:
            limit: seconds until it must have come whole.

        Raises:
            ChannelClosed: the other end is gone.
            ChannelSilent: no whole reply within the limit.
        """
        try:
            line = self._line(time.monotonic() + limit)
        except OSError as error:
            raise _told_apart(error) from error
        self.owed -= 1
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _line(self, end: float) -> bytes:
        while (length := self._buffer.find(b"\n")) < 0:
            self._wait_at_most(end)
            chunk, given, _, _ = socket.recv_fds(self._socket, _CHUNK, 1, socket.MSG_CMSG_CLOEXEC)
            self.given += given
            if not chunk:
                raise ChannelClosed
            self._buffer += chunk
        line = bytes(self._buffer[:length])
        del self._buffer[: length + 1]
        return line

    def _wait_at_most(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._socket.fileno() < 0

    def close(self) -> None:
        """Closes the socket; the other end reads end of file. May be called again."""
        self._socket.close()
        while self.given:
            os.close(self.given.pop())
