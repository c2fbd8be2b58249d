"""A lab that is kept: how to enter it, and the wait until somebody has."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lab import Lab


_WALLS = {"user": "user", "mount": "mnt", "uts": "uts", "ipc": "ipc", "pid": "pid"}
"""By nsenter's option: the name in /proc. A network is a host's, not the init's."""


def pause(why: str, lab: "Lab") -> None:
    """Says how to enter the lab and waits: on a terminal for Enter, elsewhere for SIGINT."""
    typed = sys.stdin is not None and sys.stdin.isatty()
    ending = "Enter ends it." if typed else f"SIGINT ends it: kill -INT {os.getpid()}"
    lines = [f"sockspec: the lab is kept. {why}", *_ways_in(lab), ending]
    print("".join(f"\n{line}" for line in lines) + "\n", end="", flush=True)
    try:
        _wait(typed)
    except KeyboardInterrupt:
        print(flush=True)


def _wait(typed: bool) -> None:
    # A shell starts what runs in the background with SIGINT ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if typed:
            sys.stdin.readline()
            return
        while True:
            signal.pause()
    finally:
        signal.signal(signal.SIGINT, before)


def _ways_in(lab: "Lab") -> Iterator[str]:
    """The commands that lead in, and who is there."""
    init = lab.init
    for host in lab.hosts:
        if host.descriptor is None:
            yield f"  {host} has crashed: there is nothing to enter"
        else:
            yield f"  enter {host}:  {_nsenter(init, host.descriptor)}"
    yield "  look:   ss -tanpo; ip address; ps -e"
    outside = _outside(init)
    for wire in lab.ask("processes")["processes"]:
        here = outside.get(wire["pid"])
        if wire["state"] not in ("dead", "detached") and here is not None:
            at = wire.get("at") or {}
            what = f" at {at['kind']} {at.get('call') or at.get('signal') or ''}" if at else ""
            place = f", on {wire['host']}" if len(lab.hosts) > 1 else ""
            yield f"  {wire['process']} {wire['name']}: {wire['state']}{what.rstrip()}, pid {here} here{place}"


def _nsenter(init: int, descriptor: int) -> str:
    """The command that enters a host: its network, and the init's other namespaces where they differ from this one's.

    The init's own network is no host's once there is a wire: it is where the wires end.
    """
    walls = [f"--{wall}" for wall, name in _WALLS.items() if _namespace(init, name) != _here(name)]
    net = f"--net=/proc/{init}/fd/{descriptor}"
    return " ".join(["nsenter", "--target", str(init), *walls, net, "--preserve-credentials"])


def _here(name: str) -> str | None:
    return _namespace(os.getpid(), name)


def _outside(init: int) -> dict[int, int]:
    """The pids seen from outside by those inside the namespaces of that init."""
    found = {}
    wanted = _namespace(init)
    for entry in os.listdir("/proc"):
        if entry.isdigit() and wanted is not None and _namespace(int(entry)) == wanted:
            found[_inside(int(entry))] = int(entry)
    return found


def _namespace(pid: int, name: str = "pid") -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/{name}")
    except OSError:
        return None


def _inside(pid: int) -> int:
    """What a process is called in its own namespace; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[-1]) for line in lines if line.startswith("NSpid:")), 0)
