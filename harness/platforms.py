"""The platform that a case runs on."""

import functools
import os
import platform
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Platform:
    """Operating system, kernel and architecture, with the library between them and the programs."""

    name: str
    """For example "linux-6.18-x86_64"."""
    release: str
    """The kernel's full release."""
    machine: str
    libc: str
    """For example "glibc 2.36"."""

    def record(self) -> dict[str, str]:
        """The platform as result records write it."""
        return asdict(self)


@functools.cache
def here() -> Platform:
    """The platform of this process."""
    release, machine = platform.release(), platform.machine()
    return Platform(_name(platform.system(), release, machine), release, machine, _libc())


def _name(system: str, release: str, machine: str) -> str:
    version = ".".join(release.split("-")[0].split(".")[:2])
    return f"{system.lower()}-{version}-{machine}"


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
    except (ValueError, OSError):
        return "unknown"
