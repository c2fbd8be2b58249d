"""Files that a worker wrote where the first process does not see them: they cross on the report of their case."""

import base64
import zlib
from pathlib import Path
from typing import Any

from ..records.results import Record

_NAME = "sockspec_files"


def load(report: Any, record: Record, root: Path) -> None:
    """Puts the files that a record names onto its report.

    Args:
        root: what their names are relative to.
    """
    packed = {name: _pack(root / name) for name in record.files}
    if packed:
        setattr(report, _NAME, packed)


def unload(report: Any, root: Path) -> None:
    """Writes the files of a report, if it has any.

    Raises:
        OSError: the disk is full, the folder cannot be written.
    """
    for name, packed in getattr(report, _NAME, {}).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zlib.decompress(base64.b64decode(packed)))


def _pack(path: Path) -> str:
    return base64.b64encode(zlib.compress(path.read_bytes())).decode()
