"""The control channel: JSON lines over a stream socket, one reply a request, descriptors beside a request."""

import json
import os
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .verdict import hidden

__tracebackhide__ = hidden

_CHUNK = 1 << 18


class ChannelClosed(Exception):
    """The other end is gone."""


class ChannelSilent(Exception):
    """The reply did not come in time."""


class Channel:
    """The client's end. Owns the socket."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._buffer = bytearray()
        self.given: list[int] = []
        """Descriptors that came with replies; whoever takes one out owns it."""
        self.owed = False
        """Whether a reply is still to come, because the last request was cut short. No request may follow then."""

    def ask(
        self, request: Mapping[str, Any], limit: float, descriptors: Sequence[int] = ()
    ) -> dict[str, Any]:
        """Sends the request, with the descriptors beside its first byte, and returns the reply.

        Args:
            limit: seconds until the reply must have come whole.

        Raises:
            ChannelClosed: the other end is gone.
            ChannelSilent: no whole reply within the limit.
        """
        end = time.monotonic() + limit
        self.owed = True
        try:
            self._send(
                json.dumps(request, separators=(",", ":")).encode() + b"\n", end, descriptors
            )
            line = self._line(end)
        except TimeoutError as error:
            raise ChannelSilent from error
        except OSError as error:
            raise ChannelClosed from error
        self.owed = False
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _send(self, line: bytes, end: float, descriptors: Sequence[int]) -> None:
        self._wait_at_most(end)
        sent = socket.send_fds(self._socket, [line], list(descriptors)) if descriptors else 0
        self._socket.sendall(line[sent:])

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
