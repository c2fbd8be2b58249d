"""Worker processes and children as pytest and xdist make them: what they share, and how it is parted.

Knows of both only the objects that it is given.
"""

import os
import threading
from typing import Any

_ABANDONED: list[object] = []


def is_worker(config: Any) -> bool:
    """Whether this process is one of several that share the tests out."""
    return hasattr(config, "workerinput")


def interactor_of(config: Any) -> Any:
    """xdist's part of a worker, which talks to the first process; None in the first process."""
    if not is_worker(config):
        return None
    plugins = config.pluginmanager.get_plugins()
    return next((p for p in plugins if type(p).__name__ == "WorkerInteractor"), None)


def part_from_parent(config: Any) -> None:
    """In a forked child: leaves to the parent the captured output and the line to the first process."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture._global_capturing is not None:
        # Neither stopped, which would read and empty the files that the parent writes to, nor collected.
        _ABANDONED.append(capture._global_capturing)
        capture._global_capturing = None
        capture.start_global_capturing()
        capture.suspend_global_capture()
    interactor = interactor_of(config)
    if interactor is not None:
        config.pluginmanager.unregister(interactor)


class Hangup:
    """A descriptor that becomes readable when the first process hangs up on this worker."""

    def __init__(self, interactor: Any) -> None:
        """
        Args:
            interactor: as interactor_of gives it; with None nobody can hang up.
        """
        self.wake: int | None = None
        if interactor is not None:
            # Both ends stay open: the thread may use its own at any time, and this worker is about to exit.
            self.wake, end = os.pipe2(os.O_CLOEXEC)
            listener = threading.Thread(target=_listen, args=(interactor.channel, end), daemon=True)
            listener.start()


def _listen(channel: Any, end: int) -> None:
    try:
        while True:
            channel.receive()
    except (EOFError, OSError):
        os.write(end, b"x")
