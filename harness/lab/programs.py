"""Finding programs: by name among what was built, or by path."""

import difflib
import os
from pathlib import Path

from ..verdict import Broken, hidden

__tracebackhide__ = hidden

_FOLDERS = ("servers", "clients")


def find_program(program: str | os.PathLike[str], build: Path) -> Path:
    """The executable that is meant.

    Args:
        program: a name found among the built servers and clients, or a path with a "/" in it.
        build: the folder of one build mode.

    Raises:
        Broken: there is none, or it cannot be executed.
    """
    text = os.fspath(program)
    if "/" in text:
        return _executable(Path(text).absolute(), f"program {text}")
    for folder in _FOLDERS:
        if (path := build / folder / text).is_file():
            return _executable(path, f"program {text!r}")
    raise Broken(_unknown(text, build))


def _executable(path: Path, what: str) -> Path:
    if not path.is_file():
        raise Broken(f"{what}: there is no file {path}")
    if not os.access(path, os.X_OK):
        raise Broken(f"{what}: {path} is not executable")
    return path


def _unknown(name: str, build: Path) -> str:
    known = sorted(
        path.name
        for folder in _FOLDERS
        if (build / folder).is_dir()
        for path in (build / folder).iterdir()
        if path.is_file() and os.access(path, os.X_OK)
    )
    near = difflib.get_close_matches(name, known, n=4, cutoff=0.5) or known
    places = " and ".join(str(build / folder) for folder in _FOLDERS)
    there = f"did you mean {', '.join(near)}?" if near else "nothing is built there"
    return f"unknown program {name!r}: not in {places}; {there}"
