"""What a case in C may require: by name, with the way in which it is known whether it is there.

A name is either a privilege of the lab's, or an option of the kernel's configuration ("CONFIG_TCP_MD5SIG").
"""

import functools
import gzip
import os
from collections.abc import Mapping
from pathlib import Path

from ..lab.lab import Lab
from ..lab.privilege import Privilege
from ..verdict import Unsupported, hidden

__tracebackhide__ = hidden

_OPTIONS: Mapping[str, str] = {
    "CONFIG_TCP_MD5SIG": "TCP_MD5SIG",
    "CONFIG_IP_MROUTE": "multicast routing",
}
"""Kernel options that cases name, and what each is for."""

KNOWN = (*(str(privilege) for privilege in Privilege), *_OPTIONS)
"""Every name."""


def need(name: str, lab: Lab) -> None:
    """
    Args:
        name: one of KNOWN.

    Raises:
        Unsupported: this platform, or this lab, does not have it.
    """
    if name not in _OPTIONS:
        lab.needs(Privilege(name))
    elif (options := _configuration()) is not None and name not in options:
        raise Unsupported(f"the kernel was built without {name} ({_OPTIONS[name]})")


@functools.cache
def _configuration() -> frozenset[str] | None:
    """The options that this kernel was built with, modules among them; None where it keeps them to itself."""
    for path in (Path("/proc/config.gz"), Path(f"/boot/config-{os.uname().release}")):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace")
        settings = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
        return frozenset(name for name, _, value in settings if value in ("y", "m"))
    return None
