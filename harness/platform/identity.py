"""The platform that a case runs on."""

import ctypes
import functools
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, replace

from .. import build
from . import abi


@dataclass(frozen=True)
class Platform:
    """Operating system, kernel and architecture, with the library between them and the programs.

    What a call does is the kernel's doing; by which number the program knows an errno is its ABI's.
    """

    name: str
    """For example "linux-6.18-x86_64", or "linux-sparc64" where an emulator runs programs of that ABI on this kernel."""
    release: str
    """The kernel's full release."""
    machine: str
    """The kernel's."""
    libc: str
    """The programs': for example "glibc 2.36"."""
    abi: str = ""
    """The programs': "sparc64"; as `machine` unless they are run by an emulator."""
    emulator: str = ""
    """What it says of its version; empty where there is none."""
    asked: str = ""
    """As `--platform` asked for it; empty without that option."""
    control: str = ""
    """What programs are controlled by, where that is not ptrace."""
    isolation: str = ""
    """What labs are kept apart by, where that is not namespaces."""

    def record(self) -> dict[str, str]:
        """The platform as result records write it."""
        return asdict(self)


_posted: dict[str, str] = {}


def post(asked: str, name: str) -> None:
    """Tells this process what its platform was asked for as, and what it is called."""
    _posted.update(asked=asked, name=name)


def controlled(by: str) -> None:
    """Tells this process what programs are controlled by, where that is not ptrace."""
    _posted.update(control=by)


def isolated(by: str) -> None:
    """Tells this process what labs are kept apart by, where that is not namespaces."""
    _posted.update(isolation=by)


def here() -> Platform:
    """The platform of this process's cases."""
    return _here(build.current(), *_posted.items())


@functools.cache
def _here(current: build.Build, *posted: tuple[str, str]) -> Platform:
    found = _foreign(current) if current.abi else _native()
    return replace(found, **dict(posted))


@functools.cache
def _native() -> Platform:
    system, release, machine = platform.system(), platform.release(), platform.machine()
    name = _gvisor() or _name(system, release, machine)
    return Platform(name, release, machine, _libc(), abi=machine)


def _gvisor() -> str | None:
    """The name where the kernel is gVisor, which says so nowhere but in its log, and says of Linux which one it takes
    after; its own release is that of the runsc beside us."""
    if not _kernel_log().partition("\n")[0].endswith("Starting gVisor..."):
        return None
    try:
        said = subprocess.run(["runsc", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "gvisor"
    release = re.search(r"\d{8}", said.stdout)
    return f"gvisor-{release[0]}" if release else "gvisor"


def _kernel_log() -> str:
    """The beginning of it, or nothing where it is not for us."""
    read_all, room = 3, 4096
    text = ctypes.create_string_buffer(room)
    klogctl = getattr(ctypes.CDLL(None), "klogctl", None)
    length = klogctl(read_all, text, room) if klogctl else -1
    return text.raw[: max(length, 0)].decode(errors="replace")


@functools.cache
def _foreign(here: build.Build) -> Platform:
    asked = [abi.launcher(here.abi)[0], "--version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return replace(
        _native(),
        name=f"{platform.system().lower()}-{here.abi}",
        libc=abi.libc(here.programs),
        abi=here.abi,
        emulator=said.splitlines()[0],
    )


def _name(system: str, release: str, machine: str) -> str:
    version = ".".join(release.split("-")[0].split(".")[:2])
    return f"{system.lower()}-{version}-{machine}"


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
    except (ValueError, OSError):
        return "unknown"
