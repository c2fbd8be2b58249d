"""What has been read of a file, kept till the file changes: a run then need not read again what it read the last time."""

import os
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from .files import put_whole

T = TypeVar("T")


def kept(folder: Path, name: str, sources: Sequence[Path], read: Callable[[], T]) -> T:
    """What `read` returns, or returned when the sources were as they are now.

    Args:
        folder: where it is kept; nothing is kept where it cannot be written.
        name: what it is kept as.
        sources: all that it depends on, the code that reads it among them.
        read: must return what can be pickled, and may raise, which is not kept.

    Raises:
        OSError: a source is not there.
    """
    states = [
        (os.fspath(source), (stat := source.stat()).st_mtime_ns, stat.st_size) for source in sources
    ]
    place = folder / f"{name}.pickle"
    with suppress(Exception):  # whatever is there instead
        before, found = pickle.loads(place.read_bytes())
        if before == states:
            return found  # type: ignore[no-any-return]
    value = read()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        put_whole(place, pickle.dumps((states, value), pickle.HIGHEST_PROTOCOL))
    return value
