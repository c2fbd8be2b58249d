"""Files that are in no folder, and files that are put in their place whole."""

import os
from pathlib import Path
from typing import IO


def anonymous_file(name: str) -> IO[bytes]:
    """A file in memory, without a place in any folder; gone with its last descriptor."""
    return open(os.memfd_create(name, os.MFD_CLOEXEC), "w+b", buffering=0)


def put_whole(path: Path, content: bytes) -> None:
    """Puts a file in its place whole: who looks meanwhile sees the old one or the new one.

    Raises:
        OSError: the disk is full, the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
