"""ABIs: what programs were compiled for, and what runs those that are not for this machine.

An ABI is called as its compiler and its emulator call it: "sparc64". This machine's own is called "".
"""

import functools
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..verdict import Broken, hidden

__tracebackhide__ = hidden

FOREIGN = ("sparc64", "alpha", "mips", "hppa")
"""Those that programs are compiled for here, and run."""
_DEFINED = re.compile(r"#define (\w+) (\w+)")
_ERRNO = re.compile(r"E[A-Z0-9]+")


class NoEmulator(Exception):
    """Nothing here runs the programs of that ABI; the text says what to install."""


def launcher(abi: str) -> Sequence[str]:
    """What a program and its arguments are handed to; nothing where the kernel itself runs it.

    Raises:
        NoEmulator
    """
    if not abi:
        return ()
    emulator = shutil.which(f"qemu-{abi}")
    if emulator is None:
        raise NoEmulator(
            f"programs for {abi} need qemu-{abi}, which is not here: install the Debian package qemu-user"
        )
    return (emulator, "-L", f"/usr/{abi}-linux-gnu")


def numbers(programs: Path) -> Mapping[str, int]:
    """The numbers of errnos by name, aliases among them, by the headers that programs were compiled with.

    Args:
        programs: the folder of programs for one ABI.

    Raises:
        Broken: the build did not write down what the headers define.
    """
    defined = _defined(programs)
    values = {name: _value(name, defined) for name in defined if _ERRNO.fullmatch(name)}
    return {name: int(value) for name, value in values.items() if value.isdecimal()}


def libc(programs: Path) -> str:
    """The C library that programs were compiled for: "glibc 2.36"."""
    major, minor = map(_defined(programs).get, ("__GLIBC__", "__GLIBC_MINOR__"))
    return f"glibc {major}.{minor}" if major and minor else "unknown"


@functools.cache
def _defined(programs: Path) -> Mapping[str, str]:
    """What the compiler said that <errno.h> defines."""
    try:
        return dict(_DEFINED.findall((programs / "errnos").read_text()))
    except OSError as error:
        raise Broken(f"cannot read what the build wrote: {error}") from None


def _value(name: str, defined: Mapping[str, str]) -> str:
    """Follows aliases: EWOULDBLOCK is EAGAIN is 11."""
    while name in defined:
        name = defined[name]
    return name
