"""Compile a case in C, in a repository of one's own: links it with the glue that sockspec brings."""

import argparse
import os
import shlex
import subprocess
from pathlib import Path

from ..verdict import Broken

_PACKAGE = Path(__file__).resolve().parent.parent
_GLUE = _PACKAGE / "lib" / "libcase.a"


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the arguments."""
    parser.add_argument("source", type=Path, help="cases/check_NAME.c")
    parser.add_argument(
        "-o",
        dest="program",
        type=Path,
        required=True,
        help="the program: build/release/cases/check_NAME",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compiles with $CC and $CFLAGS, or cc and -O2 -g; the exit status.

    Raises:
        Broken: something that it takes is missing, with what to do.
    """
    if not _GLUE.exists():
        raise Broken("compile is for where sockspec is installed (pip install): here make builds")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = shlex.split(os.environ.get("CFLAGS", "-O2 -g"))
    own = ["-std=c11", "-D_GNU_SOURCE", f"-I{_PACKAGE / 'check'}"]
    check = _said("pkg-config", "--cflags", "--libs", "check")
    arguments.program.parent.mkdir(parents=True, exist_ok=True)
    argv = [*compiler, *own, *flags, arguments.source, _GLUE, *check, "-o", arguments.program]
    return _run(*argv).returncode


def _said(*argv: str) -> list[str]:
    done = _run(*argv, stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise Broken("libcheck was not found: install Debian's package check, or its like")
    return shlex.split(done.stdout)


def _run(*argv: str | Path, stdout: int | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(argv, stdout=stdout, text=True)
    except FileNotFoundError:
        raise Broken(f"there is no {argv[0]}: install it") from None
