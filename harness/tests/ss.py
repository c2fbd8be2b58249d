"""What ss says of the sockets of a host, beside what the harness says."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from harness.trace.sockets import Endpoint, Socket, State

_STATES = {
    "ESTAB": State.ESTABLISHED,
    "SYN-RECV": State.SYN_RECEIVED,
    "FIN-WAIT-1": State.FIN_WAIT1,
    "FIN-WAIT-2": State.FIN_WAIT2,
    "UNCONN": State.CLOSED,
}
"""What is not the harness's name with other dashes."""
_TIMERS = {
    "on": "retransmit",
    "keepalive": "keepalive",
    "timewait": "time_wait",
    "persist": "persist",
}
_LINE = re.compile(r"(\S+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s*(.*)")
_TIMER = re.compile(r"timer:\((\w+),([^,]*),(\d+)\)")
_TIME = re.compile(r"(?:(\d+)min)?(?:(\d+)(?:sec|\.))?(?:(\d+)ms)?")


def entering(init: int, descriptor: int) -> list[str]:
    """The command that enters the network of a lab's host, and of other namespaces what that takes.

    Args:
        init: the pid of the lab's init.
        descriptor: the init's, of the host's namespace.
    """
    own = os.readlink("/proc/self/ns/user") == os.readlink(f"/proc/{init}/ns/user")
    user = [] if own else [f"--user=/proc/{init}/ns/user", "--preserve-credentials"]
    return ["nsenter", *user, f"--net=/proc/{init}/fd/{descriptor}", "--"]


@dataclass(frozen=True)
class Still:
    """Of a socket, what does not change by itself."""

    state: State
    local: Endpoint | None
    remote: Endpoint | None
    receive_queue: int
    send_queue: int
    timer: str | None
    retransmits: int
    uid: int
    inode: int


def still(socket: Socket) -> Still:
    """What both tell of a socket."""
    return Still(
        socket.state,
        socket.local,
        socket.remote,
        socket.receive_queue,
        socket.send_queue,
        socket.timer,
        socket.retransmits if socket.timer else 0,
        socket.uid,
        socket.inode,
    )


@dataclass(frozen=True)
class Said:
    """What ss says of a socket."""

    still: Still
    expires: float | None
    """Seconds."""
    grain: float
    """Seconds that ss may have cut off there."""


def sockets(inside: list[str]) -> dict[int, Said]:
    """The TCP sockets of a host, by their cookies."""
    argv = [*inside, "ss", "--no-header", "--oneline", "-taneo"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    return dict(read(line) for line in done.stdout.splitlines())


def read(line: str) -> tuple[int, Said]:
    """A line of ss: the cookie of the socket that it is about, and what it says."""
    matched = _LINE.fullmatch(line)
    assert matched is not None, line
    state, receive, send, local, remote, rest = matched.groups()
    words = dict(word.split(":", 1) for word in rest.split() if ":" in word)
    timer = _TIMER.search(rest)
    expires, grain = _seconds(timer[2]) if timer else (None, 0.0)
    told = Still(
        _STATES.get(state) or State(state.replace("-", "_")),
        _endpoint(local),
        _endpoint(remote),
        int(receive),
        int(send),
        _TIMERS[timer[1]] if timer else None,
        int(timer[3]) if timer else 0,
        int(words.get("uid", 0)),
        int(words.get("ino", 0)),
    )
    return int(words["sk"], 16), Said(told, expires, grain)


def _endpoint(text: str) -> Endpoint:
    host, port = text.rsplit(":", 1)
    host = host.split("%")[0].strip("[]")
    return Endpoint("::" if host == "*" else host, 0 if port == "*" else int(port))


def _seconds(text: str) -> tuple[float, float]:
    """ "1min5sec", "59sec", "4.123ms" and "200ms" in seconds, and what was cut off."""
    matched = _TIME.fullmatch(text)
    assert matched is not None, text
    minutes, seconds, milliseconds = (int(group or 0) for group in matched.groups())
    grain = 60 if minutes > 9 else 1 if minutes or seconds > 9 else 0.001
    return minutes * 60 + seconds + milliseconds / 1000, grain


def differing(
    before: Mapping[int, Socket], said: Mapping[int, Said], after: Mapping[int, Socket]
) -> str:
    """What ss says otherwise than the harness did before and after; "" if nothing."""
    lines = []
    for cookie in sorted({*before, *said}):
        ours, theirs = before.get(cookie), said.get(cookie)
        if ours is None or theirs is None or still(ours) != theirs.still:
            lines.append(f"  {ours and still(ours)}\n  ss: {theirs and theirs.still}")
        elif not _in_time(ours, theirs, after[cookie]):
            times = f"{ours.expires} and then {after[cookie].expires}"
            lines.append(f"  {ours}, in {times} s; ss: in {theirs.expires} s")
    return "\n".join(lines)


def _in_time(before: Socket, said: Said, after: Socket) -> bool:
    """Whether a timer strikes when the harness says; one that was set anew meanwhile may strike at any time."""
    if before.timer is None or before.expires is None or after.expires is None:
        return said.expires is None
    if said.expires is None or after.expires > before.expires:
        return said.expires is not None
    return after.expires - said.grain <= said.expires <= before.expires + 0.001
