"""A client of the harness's own: never blocks, and says in a word what became of it."""

import fcntl
import select
import socket
import struct
import time
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from ..trace.sockets import ESTABLISHED, FIN_WAIT1, FIN_WAIT2, SYN_RECEIVED, State
from .protocol import Standing

if TYPE_CHECKING:
    from .stage import Stage

_CHUNK = 1 << 16
_MOMENT = 0.02
"""Seconds that are waited before it is looked whether there is anything to wait for; then ever longer."""
_AT_ONCE = struct.pack("ii", 1, 0)
_SIOCOUTQNSD = 0x894B
"""linux/sockios.h: how many bytes have not been sent."""
_BEFORE_END = (SYN_RECEIVED, ESTABLISHED, FIN_WAIT1, FIN_WAIT2)
"""The states of a server's side to which neither FIN nor RST has come."""


class Fate(StrEnum):
    """What became of a client and its request."""

    ANSWERED = "answered"
    WRONG = "wrong answer"
    DECLINED = "declined"
    """An answer that says no."""
    ENDED = "end of file"
    RESET = "reset"
    REFUSED = "refused"
    SILENCE = "silence"
    """Nothing came, and no end either."""


_FATES = {
    Standing.RIGHT: Fate.ANSWERED,
    Standing.WRONG: Fate.WRONG,
    Standing.DECLINED: Fate.DECLINED,
}
ENDS = frozenset({Fate.ENDED, Fate.RESET, Fate.REFUSED})
"""The fates of a client who knows that there is nothing to wait for."""


class Client:
    """One connection. Every verb returns when the server has come to rest."""

    def __init__(self, stage: "Stage", receive_buffer: int | None = None) -> None:
        self._stage = stage
        self._socket = stage.socket()
        self._socket.setblocking(False)
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.request = b""
        """What was sent."""
        self.answer = b""
        self.end: Fate | None = None
        """How the connection ended, if it did."""

    def connect(self, rest: bool = True) -> "Client":
        """Connects, or learns that it cannot; does not wait for the server to come to rest if `rest` is false."""
        code = self._socket.connect_ex(self._stage.address)
        if code not in (0, 11, 115):  # EAGAIN, EINPROGRESS
            self.end = Fate.REFUSED
        if rest:
            self._await_handshake()
        return self

    def _await_handshake(self) -> None:
        """Its SYN may find no room in the listener's queue: then it is tried again for long."""
        if self._wait(select.POLLOUT, self._stage.delivery):
            self._rest(self._port(), SYN_RECEIVED)
        else:
            self._stage.lose()
            self._stage.rest()

    def _port(self) -> int | None:
        """Its own, unless it is a UNIX socket's, or was refused at once."""
        name = self._socket.getsockname()
        return name[1] or None if isinstance(name, tuple) else None

    def _rest(self, port: int | None, states: State | Iterable[State]) -> None:
        """Till the server has come to rest, and has no socket in these states for the client with that port, if any."""
        if port is None:
            self._stage.rest()
        else:
            self._stage.settle(remote=port, state=states)

    def send(self, data: bytes, rest: bool = True) -> int:
        """Sends what there is room for; returns how much."""
        try:
            sent = self._socket.send(data) if data and self.end is None else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._note(error)
            sent = 0
        self.request += data[:sent]
        if rest:
            self._stage.rest()
        return sent

    def _note(self, error: OSError) -> None:
        refused = isinstance(error, ConnectionRefusedError)
        self.end = Fate.REFUSED if refused else Fate.RESET

    def receive(self, most: int | None = None) -> "Client":
        """Takes what has come; at most so many bytes."""
        left = float("inf") if most is None else most
        while self.end is None and left > 0:
            try:
                chunk = self._socket.recv(int(min(left, _CHUNK)))
            except BlockingIOError:
                break
            except OSError as error:
                self._note(error)
                break
            if not chunk:
                self.end = Fate.ENDED
            self.answer += chunk
            left -= len(chunk)
        return self

    def standing(self, wanted: bytes | None = None) -> Standing:
        """How far the answer has come; to that request, if it is not the protocol's."""
        return self._stage.subject.protocol.standing(self.answer, wanted)

    def fate(self, wanted: bytes | None = None, patience: float | None = None) -> Fate:
        """What became of it, waited for as long as neither an answer nor an end has come.

        Args:
            wanted: the request whose answer is meant; the protocol's, if None.
            patience: seconds; the subject's if None.
        """
        end = time.monotonic() + (self._stage.subject.patience if patience is None else patience)
        moment = _MOMENT
        while (standing := self.receive().standing(wanted)) is Standing.PART and self.end is None:
            left = end - time.monotonic()
            if left <= 0:
                return Fate.SILENCE
            if self.wait_readable(min(left, moment)):
                continue
            if self._stage.is_quiet() and not self.wait_readable(0):
                return Fate.SILENCE
            moment *= 4
        return _FATES.get(standing) or self.end or Fate.SILENCE

    def ask(self, patience: float | None = None) -> Fate:
        """Sends the protocol's request and waits for what becomes of it."""
        self.send(self._stage.subject.protocol.request)
        return self.fate(patience=patience)

    def wait_readable(self, seconds: float) -> bool:
        """Whether something comes within that time."""
        return self._wait(select.POLLIN, seconds)

    def _wait(self, events: int, seconds: float) -> bool:
        """Descriptors may be many: select would not do."""
        poll = select.poll()
        poll.register(self._socket, events)
        return bool(poll.poll(seconds * 1000))

    def _reaches(self) -> int | None:
        """Its port, if FIN or RST reaches the server: a FIN waits behind what there is no room for."""
        port = self._port()
        if port and any(fcntl.ioctl(self._socket, _SIOCOUTQNSD, b"\0" * 4)):
            return None
        return port

    def half_close(self) -> None:
        """Sends FIN and goes on receiving."""
        if self.end is None:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError as error:
                self._note(error)
        self._rest(self._reaches(), _BEFORE_END)

    def close(self, rest: bool = True) -> None:
        """Closes; what has come and was not read makes it a reset."""
        port = self._reaches() if rest else None
        self._socket.close()
        if rest:
            self._rest(port, _BEFORE_END)

    def reset(self) -> None:
        """Sends RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.close()
