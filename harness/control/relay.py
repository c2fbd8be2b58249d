"""Conductors that were started ahead of need, and those that are on their way out.

The kernel takes tens of milliseconds to open and to close a capture, and does nothing meanwhile
(net/packet/af_packet.c, synchronize_net). So the conductors of the next labs start while a case
runs, and a lab that has ended, all its processes dead, is not waited for: only its empty
namespaces are still to go.
"""

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ..verdict import hidden
from .birth import NAMESPACES, PTRACE, ForkServer, arguments
from .conductor import Conductor, ConductorFailed

__tracebackhide__ = hidden

SYSCTLS: Mapping[str, str] = {
    # A new namespace inherits these from the machine.
    "net.ipv4.tcp_congestion_control": "reno",
    "net.ipv4.tcp_rmem": "4096 131072 6291456",
    "net.ipv4.tcp_wmem": "4096 16384 4194304",
    # These have defaults of their own, which cases rely on.
    "net.ipv4.tcp_fin_timeout": "60",
    "net.ipv4.ip_local_port_range": "32768 60999",
}
"""What every lab sets, so that no case depends on the machine's settings."""
_AHEAD = 4
"""Enough that a case of a few milliseconds finds its conductor ready."""
_LEAVING = 16
"""Conductors that may be on their way out at once."""
_lacking: dict[tuple[Path, str], frozenset[str]] = {}
"""What the first conductor of each program found missing here, by how it keeps its lab apart, which spares the others
finding out."""


class Relay:
    """Hands out conductors that are ready and sees them off. Must be closed."""

    def __init__(
        self,
        program: Path,
        cpu: int | None,
        ahead: int = _AHEAD,
        captures: bool = True,
        slowness: float = 1.0,
        by: str = PTRACE,
        isolation: str = NAMESPACES,
    ) -> None:
        """
        Args:
            program: the conductor's executable.
            cpu: the processor that each pins itself to; None lets it choose.
            ahead: how many are kept started.
            captures: whether they capture the segments on loopback.
            slowness: how many times as long as usual each may take to answer.
            by: how they control programs.
            isolation: how they keep their labs apart.
        """
        self._program = program
        self._ahead = ahead
        self._slowness = slowness
        self._options = (cpu, captures, by, isolation)
        self._kind = (program, isolation)
        self.server: ForkServer | None = None
        """What forks them; None as long as they are executed."""
        self._ready: deque[Conductor] = deque()
        self._leaving: deque[Conductor] = deque()

    def take(self) -> Conductor:
        """A conductor of one's own, which has said hello; to be given back to `retire`.

        Raises:
            ConductorFailed: with the conductor's own words.
        """
        self.begin()
        conductor = self._ready.popleft()
        try:
            conductor.greet()
            _lacking[self._kind] = conductor.about.lacks
            while len(self._ready) < self._ahead:
                self._ready.append(self._start())
        except ConductorFailed:
            self._drop(conductor)
            raise
        return conductor

    def begin(self) -> None:
        """Starts the next one, if that has not been done.

        Raises:
            ConductorFailed: it cannot be started.
        """
        if not self._ready:
            self._ready.append(self._start())

    def retire(self, conductor: Conductor) -> None:
        """Ends its lab: when this returns every process of the lab is dead.

        Raises:
            ConductorFailed: it did not end in order, or an earlier one did not.
        """
        conductor.end()
        if conductor.gone(0):
            conductor.close()  # it may have died long before: that is this lab's matter, not a later one's
            return
        self._leaving.append(conductor)
        while self._leaving and (len(self._leaving) > _LEAVING or self._leaving[0].gone(0)):
            self._leaving.popleft().close()

    def forget(self) -> None:
        """For a forked child: the conductors are the parent's; keeps nothing of them, and none ahead."""
        for conductor in (*self._ready, *self._leaving):
            conductor.disown()
        self._ready.clear()
        self._leaving.clear()
        self._ahead = 0
        if self.server:
            self.server.disown()
            self.server = None

    def close(self) -> None:
        """Ends those that nobody took, and waits until all are gone.

        Raises:
            ConductorFailed: one of them did not end in order.
        """
        failures: list[ConductorFailed] = []
        for conductor in self._ready:
            with suppress(ConductorFailed):  # to close it will say so again
                conductor.end()  # all at once: each takes its time
        for conductor in (*self._ready, *self._leaving):
            try:
                conductor.close()
            except ConductorFailed as failure:
                failures.append(failure)
        self._ready.clear()
        self._leaving.clear()
        if self.server:
            self.server.close()
        if failures:
            raise failures[0]

    def _drop(self, taken: Conductor) -> None:
        """Forgets this one and those that nobody took; where one could not set itself up neither could they."""
        for conductor in (taken, *self._ready):
            with suppress(ConductorFailed):
                conductor.close()
        self._ready.clear()

    def _start(self) -> Conductor:
        lacking = _lacking.get(self._kind)
        options = arguments(*self._options, lacking)
        # Where few are wanted, or nobody knows yet what the kernel lacks, there is no server.
        if self._ahead and not self.server and lacking is not None and "pidfd" not in lacking:
            self.server = ForkServer(self._program, options)
        return Conductor(self.server or self._program, options, self._slowness, SYSCTLS)
