"""Whether something may still happen by itself, or everything sleeps for good: then there is nothing to wait for."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..lab.lab import Lab
from ..trace.event import Event

_FOR_GOOD = frozenset(
    "accept accept4 read recvfrom recvmsg wait4 waitid pause rt_sigsuspend".split()
)
"""Calls that only somebody else ends, unless a timer is set."""
_TIMED = frozenset("poll ppoll select pselect6 epoll_wait epoll_pwait epoll_pwait2".split())
_TIMERS = frozenset("alarm setitimer timerfd_create".split())
_TIME_OUTS = ("SO_RCVTIMEO", "SO_SNDTIMEO")
_TICKING = ("retransmit", "persist")


def is_quiet(lab: Lab, processes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether nothing happens any more till a client does something. When in doubt it is not.

    Args:
        processes: those that live, as they were when they had come to rest.
    """
    if not all(_is_asleep(lab, process) for process in processes):
        return False
    events = lab.events(kinds=["enter", "leave"])
    if any(_sets_timer(event) for event in events):
        return False
    within = _within(events)
    return all(_for_good(within.get(p["process"])) for p in processes) and not _underway(lab)


def _is_asleep(lab: Lab, process: Mapping[str, Any]) -> bool:
    """Whether it is, with its only thread, and without a timer of POSIX's."""
    if process["state"] != "running" or process["kernel"] != "S":
        return False
    place = Path(f"/proc/{lab.init}/root/proc/{process['pid']}")
    try:
        threads, timers = len(list((place / "task").iterdir())), (place / "timers").read_text()
    except OSError:  # not every kernel tells
        return False
    return threads == 1 and not timers


def _sets_timer(event: Event) -> bool:
    return event.call in _TIMERS or (
        event.call == "setsockopt" and event.args.get("option") in _TIME_OUTS
    )


def _within(events: Iterable[Event]) -> dict[int, Event]:
    """By process: the call that it has entered last, if it has not left it."""
    found: dict[int, Event] = {}
    for event in events:
        if event.process is not None:
            if event.kind == "enter":
                found[event.process] = event
            else:
                found.pop(event.process, None)
    return found


def _for_good(entered: Event | None) -> bool:
    if entered is None:
        return False
    timeout = entered.args.get("timeout", 0)
    return entered.call in _FOR_GOOD or (entered.call in _TIMED and timeout in (None, -1))


def _underway(lab: Lab) -> bool:
    """Whether a segment is to be sent again, or waits for room; or an RST has not come yet, which nobody sends again."""
    found = lab.ask("sockets", type="SOCK_STREAM")["sockets"]
    connected = [socket for socket in found if socket["state"] != "LISTEN"]
    peers = {_ports(socket, "remote", "local") for socket in connected}
    return any(
        socket.get("timer") in _TICKING
        or socket["send_queue"]
        or (socket["state"] == "ESTABLISHED" and _ports(socket, "local", "remote") not in peers)
        for socket in connected
    )


def _ports(socket: Mapping[str, Any], *ends: str) -> tuple[int, ...]:
    """Of its two ends, whatever the addresses: those of one connection may be IPv4 here and mapped there."""
    return tuple(socket[end]["port"] for end in ends)
